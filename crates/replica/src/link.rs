//! One link: who is at the other end, how far both have come, and how that is told.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_protocol::{
    Frame, Incarnation, Moment, NodeId, OfficeId, Ping, Pong, Proof, Standing, Tally, Written,
};
use serde::{Deserialize, Serialize};

use crate::MAX_SKEW_MS;
use crate::entry::Totals;
use crate::event::{Alarm, LinkId, Notice, skew_ms};
use crate::intake::{Absorbed, Origin};
use crate::outbox::Outbox;
use crate::replica::Replica;
use crate::shelf::{Shelf, ShelfError};

/// How far a link has come.
///
/// ```text
/// Greeting ──hello──▶ Open
///     └──hello of a second process──▶ Probing ──old link silent──▶ Open
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Our hello is sent, the peer's has not come.
    Greeting,
    /// The peer's hello has come, but another process with its key is connected: it is asked
    /// whether it is still there.
    Probing { incarnation: Incarnation, rival: LinkId, until: Moment },
    /// Connected.
    Open { incarnation: Incarnation },
}

/// Where the comparison stands that this end opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// None is open.
    #[default]
    Closed,
    /// It began with these roots; the peer was last heard about it, or asked, at `since`.
    Open { roots: Roots, since: Moment },
    /// The last ones came to nothing: the next is opened when a root moves, or after a wait.
    Paused { since: Moment },
}

impl Comparison {
    pub(crate) fn since(self) -> Option<Moment> {
        match self {
            Comparison::Closed => None,
            Comparison::Open { since, .. } | Comparison::Paused { since } => Some(since),
        }
    }

    /// Lets the wait begin anew.
    pub(crate) fn postpone(&mut self, now: Moment) {
        match self {
            Comparison::Closed => {}
            Comparison::Open { since, .. } | Comparison::Paused { since } => *since = now,
        }
    }
}

/// What both ends hold, as this end knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roots {
    pub(crate) ours: Tally,
    pub(crate) theirs: Tally,
}

/// A ping that was not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pinged {
    pub(crate) number: u64,
    pub(crate) at: Moment,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) node: NodeId,
    pub(crate) office: OfficeId,
    pub(crate) dialed: bool,
    /// Where the peer said in its hello that it can be dialled.
    pub(crate) addresses: Vec<String>,
    pub(crate) state: State,
    pub(crate) since: Moment,
    pub(crate) outbox: Outbox,
    /// The root that the peer was last told.
    pub(crate) told: Option<Tally>,
    pub(crate) heard: Option<Standing>,
    /// How many changes the peer last said that it holds of what both share.
    pub(crate) peer_changes: Option<u64>,
    pub(crate) comparison: Comparison,
    /// With which roots the last comparison that came to its end began.
    pub(crate) compared: Option<Roots>,
    /// How many comparisons in a row ended where they began.
    pub(crate) unequal: u32,
    /// Whether that was told since both ends last held the same.
    pub(crate) alarmed: bool,
    pub(crate) settled: bool,
    /// Changes written here and shared with the peer since both were last settled.
    pub(crate) own_since_settled: u64,
    /// Appends of changes from this link that are not durable yet.
    pub(crate) appending: u32,
    pub(crate) pinged: Option<Pinged>,
    pub(crate) next_ping: Moment,
    pub(crate) last_contact: Moment,
    pub(crate) rtt_ms: Option<u64>,
    pub(crate) skew_ms: Option<i64>,
}

impl Link {
    pub(crate) fn new(
        id: LinkId,
        (node, office): (NodeId, OfficeId),
        dialed: bool,
        now: Moment,
    ) -> Link {
        Link {
            id,
            node,
            office,
            dialed,
            addresses: Vec::new(),
            state: State::Greeting,
            since: now,
            outbox: Outbox::default(),
            told: None,
            heard: None,
            peer_changes: None,
            comparison: Comparison::Closed,
            compared: None,
            unequal: 0,
            alarmed: false,
            settled: false,
            own_since_settled: 0,
            appending: 0,
            pinged: None,
            next_ping: now,
            last_contact: now,
            rtt_ms: None,
            skew_ms: None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// The peer's process start, once its hello has come.
    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        match self.state {
            State::Greeting => None,
            State::Probing { incarnation, .. } | State::Open { incarnation } => Some(incarnation),
        }
    }

    /// The end that was dialled opens comparisons: it hears the other's root first.
    pub(crate) fn opens_comparisons(&self) -> bool {
        !self.dialed
    }

    /// Takes note of what the peer says of its set.
    pub(crate) fn hear(&mut self, standing: Standing) {
        self.heard = Some(standing);
        self.peer_changes = Some(standing.root.count);
    }

    /// The clock was set back by this much: nothing waits longer for that.
    pub(crate) fn turn_back(&mut self, back: Duration) {
        if let State::Probing { until, .. } = &mut self.state {
            *until = until.before(back);
        }
        if let Some(since) = self.comparison.since() {
            self.comparison.postpone(since.before(back));
        }
        if let Some(pinged) = &mut self.pinged {
            pinged.at = pinged.at.before(back);
        }
        for at in [&mut self.since, &mut self.next_ping, &mut self.last_contact] {
            *at = at.before(back);
        }
    }

    /// Whether nothing is under way that will change what either end holds.
    pub(crate) fn is_quiet(&self) -> bool {
        self.appending == 0 && self.outbox.is_idle()
    }
}

/// What is remembered about a peer office from one link to the next. Lost with the index, and
/// then unknown until the next contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PeerMemory {
    /// How many of this node's changes the office was last known to hold.
    pub(crate) held_total: u64,
    /// When the office was last heard.
    pub(crate) last_contact: Moment,
    /// When both ends last held the same.
    pub(crate) settled_at: Option<Moment>,
    /// What the peer signed then.
    pub(crate) proof: Option<(NodeId, Proof)>,
}

/// How a link stands, for `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// The office at the other end.
    pub office: OfficeId,
    /// The node at the other end.
    pub node: NodeId,
    /// `connected`, `connecting`, or `down`.
    pub state: &'static str,
    /// Whether both ends hold the same.
    pub settled: bool,
    /// The tally of what both share, as this end has it.
    pub root: Tally,
    /// How many changes the peer said that it holds of what both share: during a first load,
    /// `root.count` climbs to it. `None` before it has said so on the link that is up.
    pub peer_changes: Option<u64>,
    /// How many changes of this node the peer is not known to hold.
    pub unsent: u64,
    /// When the peer was last heard; `None` if never.
    pub last_contact: Option<Moment>,
    /// When both ends last held the same; `None` if never.
    pub settled_at: Option<Moment>,
    /// What the peer signed then: the proof of complete sync. `None` if it has not.
    pub proof: Option<Proof>,
    /// Round trip in milliseconds; `None` before the first ping is answered.
    pub rtt_ms: Option<u64>,
    /// How far the peer's clock is ahead, in milliseconds.
    pub skew_ms: Option<i64>,
}

/// How this node stands, for `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Counts over the whole store.
    pub totals: Totals,
    /// How far this incarnation has written.
    pub written: Written,
    /// The tally of everything that this office may hold.
    pub root: Tally,
    /// The links of the tree, and all others that are up.
    pub links: Vec<LinkStatus>,
}

/// A link that is up, and who is at its other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenLink {
    /// Which.
    pub link: LinkId,
    /// The node at the other end.
    pub node: NodeId,
    /// Its office.
    pub office: OfficeId,
    /// How far its clock is ahead, in milliseconds; `None` before the first ping is answered.
    pub skew_ms: Option<i64>,
}

impl<S: Shelf> Replica<S> {
    /// The links that are up.
    pub fn open_links(&self) -> impl Iterator<Item = OpenLink> + '_ {
        self.links.values().filter(|link| link.is_open()).map(|link| {
            let Link { id, node, office, skew_ms, .. } = *link;
            OpenLink { link: id, node, office, skew_ms }
        })
    }

    /// Puts what was taken in on the way to every office that may hold it.
    pub(crate) fn push(&mut self, news: &Absorbed, origin: &Origin) {
        for link in self.links.values_mut().filter(|link| link.is_open()) {
            let entries = news.news_for(link.office);
            if entries.is_empty() {
                continue;
            }
            link.settled = false;
            link.own_since_settled += origin.count_own(entries);
            // Whoever brought a change has it.
            let mut entries = entries.to_vec();
            entries.retain(|entry| !origin.was_brought_by(link.id, entry));
            link.outbox.push(&entries);
        }
    }

    /// Asks the peer for its time, unless it has not answered the last time yet.
    pub(crate) fn ping(&mut self, now: Moment, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.next_ping = now.after(self.settings.ping_every);
        if link.pinged.is_some() {
            return;
        }
        let number = now.0;
        link.pinged = Some(Pinged { number, at: now });
        self.send(id, Frame::Ping(Ping { number }));
    }

    /// Reckons round trip and skew from the answer to a ping.
    pub(crate) fn pong(&mut self, now: Moment, id: LinkId, pong: Pong) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some(pinged) = link.pinged.filter(|pinged| pinged.number == pong.number) else {
            return;
        };
        link.pinged = None;
        let rtt = now.since(pinged.at);
        link.rtt_ms = u64::try_from(rtt.as_millis()).ok();
        let skew = skew_ms(pong.at, pinged.at.after(rtt / 2));
        link.skew_ms = Some(skew);
        let office = link.office;
        if skew.abs() > MAX_SKEW_MS {
            self.notify(Notice::Alarm(Alarm::Skew { office, skew_ms: skew }));
        }
    }

    /// How this node stands.
    pub fn status(&self) -> Result<Status, ShelfError> {
        let mut peers: BTreeMap<NodeId, OfficeId> = BTreeMap::new();
        for ancestor in self.registry.ancestors(self.me.office).into_iter().take(1) {
            peers.extend(self.registry.nodes_of(ancestor).map(|node| (node.id, node.office)));
        }
        for child in self.registry.children(self.me.office) {
            peers.extend(self.registry.nodes_of(child).map(|node| (node.id, node.office)));
        }
        peers.extend(self.links.values().map(|link| (link.node, link.office)));
        peers.remove(&self.node);
        let links = peers.into_iter().map(|(node, office)| self.link_status(node, office));
        Ok(Status {
            totals: self.ledger.totals()?,
            written: Written { incarnation: self.me.incarnation, seq: self.next_seq - 1 },
            root: self.ledger.root(self.me.office)?,
            links: links.collect::<Result<_, _>>()?,
        })
    }

    fn link_status(&self, node: NodeId, office: OfficeId) -> Result<LinkStatus, ShelfError> {
        let link = self.links.values().filter(|link| link.node == node).max_by_key(|l| l.is_open());
        let memory: PeerMemory = self.ledger.peer(office)?.unwrap_or_default();
        let authored = self.ledger.authored(self.node)?;
        let above = self.registry.is_ancestor(office, self.me.office);
        let settled = link.is_some_and(|link| link.settled);
        let unsent = match link {
            _ if settled => 0,
            _ if above => authored.saturating_sub(memory.held_total),
            Some(link) => link.own_since_settled,
            None => 0,
        };
        let last = (memory.last_contact != Moment(0)).then_some(memory.last_contact);
        Ok(LinkStatus {
            office,
            node,
            state: match link {
                Some(link) if link.is_open() => "connected",
                Some(_) => "connecting",
                None => "down",
            },
            settled,
            root: self.ledger.root(office)?,
            peer_changes: link.and_then(|link| link.peer_changes),
            unsent,
            last_contact: link.map(|link| link.last_contact).or(last),
            settled_at: memory.settled_at,
            proof: memory.proof.map(|(_, proof)| proof),
            rtt_ms: link.and_then(|link| link.rtt_ms),
            skew_ms: link.and_then(|link| link.skew_ms),
        })
    }
}
