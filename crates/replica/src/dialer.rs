//! Whom to dial, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_federation::Registry;
use lienthong_protocol::{CloseCode, Moment, NodeId, OfficeId};

use crate::event::LinkId;
use crate::replica::Replica;
use crate::shelf::Shelf;

/// Waiting times between attempts to reach a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait before the second attempt; doubles with each failure. Default 100 ms.
    pub min: Duration,
    /// The longest wait at all. Default 5 min.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { min: Duration::from_millis(100), max: Duration::from_secs(300) }
    }
}

/// How long a link must last before its back-off starts anew.
const HEALTHY: Duration = Duration::from_secs(10);

/// Whom this node wants links with, and how each attempt went.
#[derive(Debug)]
pub(crate) struct Dialer {
    backoff: Backoff,
    random: u64,
    targets: BTreeMap<NodeId, Target>,
}

#[derive(Clone, Debug)]
struct Target {
    state: Attempt,
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Waiting { until: Moment },
    Dialing,
    Linked { since: Moment },
}

impl Dialer {
    /// `seed` is random: it spreads the attempts of many nodes that lost one hub together.
    pub(crate) fn new(backoff: Backoff, seed: u64) -> Dialer {
        Dialer { backoff, random: seed, targets: BTreeMap::new() }
    }

    /// Sets whom to reach, by the registry: the nodes of the parent and, as long as no node of it
    /// is linked and none could be reached at the last attempt, those of its parent, and so on;
    /// of this node's own office those that joined before it, because the later one knows where
    /// the earlier listens and not the other way round; and `direct` peers.
    pub(crate) fn aim(
        &mut self,
        registry: &Registry,
        (node, office): (NodeId, OfficeId),
        direct: &[NodeId],
        now: Moment,
    ) {
        let mut wanted: Vec<NodeId> = Vec::new();
        for ancestor in registry.ancestors(office) {
            let nodes: Vec<NodeId> = live(registry, ancestor).filter(|id| *id != node).collect();
            wanted.extend(&nodes);
            if nodes.iter().any(|id| !self.is_failing(*id)) {
                break;
            }
        }
        let joined = |id: &NodeId| registry.node(*id).map(|known| (known.since, known.id));
        wanted.extend(live(registry, office).filter(|id| joined(id) < joined(&node)));
        wanted.extend(direct.iter().filter(|id| registry.node(**id).is_some()));
        self.targets.retain(|id, _| wanted.contains(id));
        for id in wanted {
            let fresh = Target { state: Attempt::Waiting { until: now }, failures: 0 };
            self.targets.entry(id).or_insert(fresh);
        }
    }

    /// Whether the last attempt failed and none has succeeded since.
    fn is_failing(&self, node: NodeId) -> bool {
        self.targets.get(&node).is_some_and(|target| match target.state {
            Attempt::Linked { .. } => false,
            Attempt::Waiting { .. } | Attempt::Dialing => target.failures > 0,
        })
    }

    /// The nodes to dial now.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<NodeId> {
        let mut due = Vec::new();
        for (id, target) in &mut self.targets {
            if matches!(target.state, Attempt::Waiting { until } if until <= now) {
                target.state = Attempt::Dialing;
                due.push(*id);
            }
        }
        due
    }

    /// When the next node is due.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        let waiting = self.targets.values().filter_map(|target| match target.state {
            Attempt::Waiting { until } => Some(until),
            Attempt::Dialing | Attempt::Linked { .. } => None,
        });
        waiting.min()
    }

    pub(crate) fn wants(&self, node: NodeId) -> bool {
        self.targets.contains_key(&node)
    }

    pub(crate) fn linked(&mut self, node: NodeId, now: Moment) {
        if let Some(target) = self.targets.get_mut(&node) {
            target.state = Attempt::Linked { since: now };
        }
    }

    /// An attempt failed or a link was lost.
    pub(crate) fn lost(&mut self, node: NodeId, now: Moment) {
        let (min, max) = (self.backoff.min, self.backoff.max);
        let random = self.next_random();
        let Some(target) = self.targets.get_mut(&node) else { return };
        let healthy = matches!(target.state,
            Attempt::Linked { since } if now.since(since) >= HEALTHY);
        target.failures = if healthy { 0 } else { target.failures.saturating_add(1) };
        let doublings = target.failures.saturating_sub(1).min(20);
        let longest = min.saturating_mul(1 << doublings).min(max).as_millis();
        // Full jitter: any wait up to the longest, so that a storm spreads out.
        let wait = u64::try_from(longest).unwrap_or(u64::MAX);
        let wait = random % wait.saturating_add(1);
        target.state = Attempt::Waiting { until: now.after(Duration::from_millis(wait)) };
    }

    /// Forgets every failure: the network has changed.
    pub(crate) fn start_anew(&mut self, now: Moment) {
        for target in self.targets.values_mut() {
            if !matches!(target.state, Attempt::Linked { .. }) {
                *target = Target { state: Attempt::Waiting { until: now }, failures: 0 };
            }
        }
    }

    /// The clock was set back by this much: nothing waits longer for that.
    pub(crate) fn turn_back(&mut self, back: Duration) {
        for target in self.targets.values_mut() {
            match &mut target.state {
                Attempt::Waiting { until: at } | Attempt::Linked { since: at } => {
                    *at = at.before(back);
                }
                Attempt::Dialing => {}
            }
        }
    }

    /// SplitMix64: good enough to spread attempts, and replayable.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

fn live(registry: &Registry, office: OfficeId) -> impl Iterator<Item = NodeId> + '_ {
    registry.nodes_of(office).filter(|node| node.revoked.is_none()).map(|node| node.id)
}

impl<S: Shelf> Replica<S> {
    pub(crate) fn aim(&mut self, now: Moment) {
        let me = (self.node, self.me.office);
        self.dialer.aim(&self.registry, me, &self.settings.direct, now);
        let surplus: Vec<LinkId> = self
            .links
            .values()
            .filter(|link| link.dialed && link.is_open() && !self.dialer.wants(link.node))
            .map(|link| link.id)
            .collect();
        for link in surplus {
            self.hang_up(link, CloseCode::GOING_AWAY, "the parent is back".into());
        }
    }

    pub(crate) fn dial_succeeded(&mut self, node: NodeId, now: Moment) {
        self.dialer.linked(node, now);
        self.aim(now);
    }

    pub(crate) fn dial_lost(&mut self, node: NodeId, now: Moment) {
        self.dialer.lost(node, now);
        self.aim(now);
    }
}

#[cfg(test)]
#[path = "dialer_tests.rs"]
mod tests;
