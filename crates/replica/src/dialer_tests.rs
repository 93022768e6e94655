use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use lienthong_federation::{NewNode, Registry, add_node, revoke};
use lienthong_protocol::{CloseCode, Moment, NodeId};

use super::{Backoff, Dialer};
use crate::event::Event;
use crate::tests::{COMMUNE, DISTRICT, HUB, OFFICES, OTHER, World, key, office};

const START: Moment = Moment(1_000_000);
const SEEDS: u64 = 200;

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| World::new().nodes[HUB].replica.registry().clone());

fn node(at: usize) -> NodeId {
    key(u8::try_from(at + 1).expect("few offices")).id()
}

/// The dialer of a node of the sample federation, which aims again after everything it is told.
struct Aimed {
    dialer: Dialer,
    registry: Registry,
    at: usize,
    direct: Vec<NodeId>,
    now: Moment,
}

impl Aimed {
    fn at(at: usize) -> Aimed {
        Aimed::seeded(at, 7)
    }

    fn seeded(at: usize, seed: u64) -> Aimed {
        let dialer = Dialer::new(Backoff::default(), seed);
        let mut aimed =
            Aimed { dialer, registry: REGISTRY.clone(), at, direct: vec![], now: START };
        aimed.aim();
        aimed
    }

    fn aim(&mut self) {
        let me = (node(self.at), office(OFFICES[self.at]));
        self.dialer.aim(&self.registry, me, &self.direct, self.now);
    }

    fn due(&mut self) -> Vec<NodeId> {
        let mut due = self.dialer.due(self.now);
        due.sort_unstable();
        due
    }

    fn linked(&mut self, node: NodeId) {
        self.dialer.linked(node, self.now);
        self.aim();
    }

    fn lost(&mut self, node: NodeId) {
        self.dialer.lost(node, self.now);
        self.aim();
    }

    fn pass(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
    }

    fn wants(&self) -> BTreeSet<NodeId> {
        (0..OFFICES.len()).map(node).filter(|id| self.dialer.wants(*id)).collect()
    }

    /// How long the only target waits after it was lost now.
    fn wait_after_loss(&mut self, id: NodeId) -> Duration {
        self.dialer.lost(id, self.now);
        let until = self.dialer.next_due().expect("the target waits");
        until.since(self.now)
    }
}

/// The waits after the first, second ... failure, for every seed.
fn waits(failures: usize) -> Vec<Vec<Duration>> {
    let of_seed = |seed| {
        let mut aimed = Aimed::seeded(DISTRICT, seed);
        (0..failures).map(|_| aimed.wait_after_loss(node(HUB))).collect()
    };
    (0..SEEDS).map(of_seed).collect()
}

// ---------------------------------------------------------------- how long to wait

#[test]
fn waits_double_from_100_ms_to_5_min_and_spread_over_the_whole_span() {
    let longest = |failure: usize| Duration::from_millis(100 << failure);
    let waits = waits(14);
    for (failure, longest) in (0..14).map(|at| (at, longest(at).min(Duration::from_secs(300)))) {
        let waits: Vec<Duration> = waits.iter().map(|waits| waits[failure]).collect();
        let (least, most) = (waits.iter().min().copied(), waits.iter().max().copied());
        let (least, most) = (least.expect("seeds"), most.expect("seeds"));
        assert!(most <= longest, "failure {failure}: {most:?} is over {longest:?}");
        assert!(most > longest.mul_f64(0.9), "failure {failure}: {most:?} of {longest:?}");
        assert!(least < longest.mul_f64(0.1), "failure {failure}: {least:?} of {longest:?}");
    }
}

#[test]
fn a_seed_gives_the_same_waits_again_and_another_seed_gives_others() {
    assert_eq!(waits(10), waits(10));
    let distinct: BTreeSet<_> = waits(10).into_iter().collect();
    assert_eq!(distinct.len(), usize::try_from(SEEDS).expect("few seeds"));
}

#[test]
fn a_thousand_failures_wait_no_longer_than_the_maximum() {
    let mut aimed = Aimed::at(DISTRICT);
    for _ in 0..1_000 {
        assert!(aimed.wait_after_loss(node(HUB)) <= Duration::from_secs(300));
    }
}

#[test]
fn a_back_off_of_nothing_dials_at_once() {
    let none = Backoff { min: Duration::ZERO, max: Duration::ZERO };
    let mut aimed = Aimed::at(DISTRICT);
    aimed.dialer = Dialer::new(none, 7);
    aimed.aim();
    assert_eq!(aimed.wait_after_loss(node(HUB)), Duration::ZERO);
}

/// The longest wait over all seeds after ten failures and a link that lasted.
fn longest_wait_after_link(lasted: Duration) -> Duration {
    let of_seed = |seed| {
        let mut aimed = Aimed::seeded(DISTRICT, seed);
        for _ in 0..10 {
            aimed.wait_after_loss(node(HUB));
        }
        aimed.linked(node(HUB));
        aimed.pass(lasted);
        aimed.wait_after_loss(node(HUB))
    };
    (0..SEEDS).map(of_seed).max().expect("seeds")
}

#[test]
fn only_a_link_of_ten_seconds_starts_the_back_off_anew() {
    let healthy = longest_wait_after_link(Duration::from_secs(10));
    assert!(healthy <= Duration::from_millis(100), "{healthy:?}");
    let flapping = longest_wait_after_link(Duration::from_millis(9_999));
    assert!(flapping > Duration::from_secs(60), "{flapping:?}");
}

#[test]
fn a_node_is_dialled_once_at_a_time_and_again_when_its_wait_is_over() {
    let mut aimed = Aimed::at(DISTRICT);
    assert_eq!(aimed.dialer.next_due(), Some(START));
    assert_eq!(aimed.due(), [node(HUB)]);
    assert_eq!(aimed.due(), [], "the attempt is under way");
    assert_eq!(aimed.dialer.next_due(), None);
    aimed.dialer.linked(node(HUB), aimed.now);
    assert_eq!(aimed.due(), [], "it is linked");
    aimed.pass(Duration::from_secs(1));
    let wait = aimed.wait_after_loss(node(HUB));
    aimed.pass(wait - Duration::from_millis(1));
    assert_eq!(aimed.due(), [], "it waits");
    aimed.pass(Duration::from_millis(1));
    assert_eq!(aimed.due(), [node(HUB)]);
}

#[test]
fn a_changed_network_forgets_every_failure() {
    for seed in 0..SEEDS {
        let mut aimed = Aimed::seeded(COMMUNE, seed);
        (0..12).for_each(|_| aimed.lost(node(DISTRICT)));
        aimed.linked(node(HUB));
        aimed.dialer.start_anew(aimed.now);
        aimed.aim();
        assert_eq!(aimed.due(), [node(DISTRICT)], "at once, and nothing that is linked");
        let wait = aimed.wait_after_loss(node(DISTRICT));
        assert!(wait <= Duration::from_millis(100), "{wait:?} as after a first failure");
    }
}

// ---------------------------------------------------------------- whom to dial

#[test]
fn each_node_dials_its_parent_and_the_root_dials_nobody() {
    for (at, expected) in [
        (HUB, vec![]),
        (DISTRICT, vec![node(HUB)]),
        (COMMUNE, vec![node(DISTRICT)]),
        (OTHER, vec![node(HUB)]),
    ] {
        assert_eq!(Aimed::at(at).due(), expected, "{}", OFFICES[at]);
    }
}

#[test]
fn a_parent_out_of_reach_is_stood_in_for_by_its_parent_until_it_is_back() {
    let mut commune = Aimed::at(COMMUNE);
    commune.due();
    commune.lost(node(DISTRICT));
    assert_eq!(commune.due(), [node(HUB)], "its parent's parent, at once");
    commune.linked(node(HUB));
    commune.pass(Duration::from_secs(1));
    assert_eq!(commune.due(), [node(DISTRICT)], "the parent is tried all the same");
    commune.lost(node(DISTRICT));
    assert_eq!(commune.wants(), BTreeSet::from([node(HUB), node(DISTRICT)]));
    commune.linked(node(DISTRICT));
    assert_eq!(commune.wants(), BTreeSet::from([node(DISTRICT)]), "the hub is not needed now");
}

#[test]
fn when_nobody_above_is_in_reach_all_of_them_are_tried() {
    let mut commune = Aimed::at(COMMUNE);
    commune.due();
    commune.lost(node(DISTRICT));
    commune.due();
    commune.lost(node(HUB));
    commune.pass(Duration::from_secs(1));
    let mut both = vec![node(HUB), node(DISTRICT)];
    both.sort_unstable();
    assert_eq!(commune.due(), both);
}

#[test]
fn one_node_of_the_parent_in_reach_is_enough() {
    let mut world = World::new();
    let stand_by =
        NewNode { id: key(50).id(), office: office("DISTRICT"), addresses: vec![], serials: None };
    let now = world.now;
    world.edit_registry(|editor| add_node(editor, &stand_by, now));
    let mut commune = Aimed::at(COMMUNE);
    commune.registry = world.nodes[HUB].replica.registry().clone();
    commune.aim();
    commune.due();
    commune.lost(node(DISTRICT));
    assert_eq!(commune.wants(), BTreeSet::from([node(DISTRICT)]), "the stand-by may answer");
    assert!(commune.dialer.wants(stand_by.id));
    commune.lost(stand_by.id);
    assert!(commune.dialer.wants(node(HUB)));
}

#[test]
fn of_two_nodes_of_one_office_the_one_that_joined_later_dials() {
    for seed in 50..54 {
        let mut world = World::new();
        let id = key(seed).id();
        let twin = NewNode { id, office: office("HUB"), addresses: vec![], serials: None };
        let later = world.now.after(Duration::from_secs(1));
        world.edit_registry(|editor| add_node(editor, &twin, later));
        let registry = world.nodes[HUB].replica.registry().clone();
        let dials = |me: NodeId, peer: NodeId| {
            let mut dialer = Dialer::new(Backoff::default(), 7);
            dialer.aim(&registry, (me, office("HUB")), &[], START);
            dialer.wants(peer)
        };
        assert!(dials(id, node(HUB)));
        assert!(!dials(node(HUB), id), "it may not know yet where the other listens");
    }
}

#[test]
fn direct_peers_are_dialled_if_the_registry_knows_them() {
    let mut commune = Aimed::at(COMMUNE);
    commune.direct = vec![node(OTHER), key(99).id()];
    commune.aim();
    assert_eq!(commune.wants(), BTreeSet::from([node(DISTRICT), node(OTHER)]));
    assert!(!commune.dialer.wants(key(99).id()));
}

#[test]
fn a_revoked_parent_is_not_dialled_and_its_parent_is() {
    let mut world = World::new();
    world.edit_registry(|editor| revoke(editor, node(DISTRICT), &BTreeMap::new()));
    let mut commune = Aimed::at(COMMUNE);
    commune.registry = world.nodes[HUB].replica.registry().clone();
    commune.aim();
    assert_eq!(commune.due(), [node(HUB)]);
}

// ---------------------------------------------------------------- the whole replica

fn dial_failed(world: &mut World, at: usize, peer: usize) {
    let event = Event::DialFailed { node: world.node_id(peer) };
    let now = world.now;
    world.nodes[at].replica.handle_event(now, event).expect("memory");
    world.run();
}

#[test]
fn a_commune_settles_with_the_hub_and_returns_to_its_parent() {
    let mut world = World::new();
    world.pass(Duration::ZERO);
    dial_failed(&mut world, COMMUNE, DISTRICT);
    world.link(COMMUNE, HUB);
    let a = world.write(COMMUNE, None, "a");
    world.assert_settled(COMMUNE, HUB);
    world.link(COMMUNE, DISTRICT);
    assert_eq!(world.closed, [(COMMUNE, CloseCode::GOING_AWAY)], "the hub's link");
    world.closed.clear();
    world.assert_settled(COMMUNE, DISTRICT);
    assert_eq!((world.holds(HUB, a), world.holds(DISTRICT, a)), (1, 1));
}

#[test]
fn a_lost_link_of_another_node_does_not_disturb_the_waits() {
    let mut aimed = Aimed::at(DISTRICT);
    aimed.due();
    aimed.dialer.lost(node(OTHER), aimed.now);
    assert_eq!(aimed.dialer.next_due(), None);
    assert_eq!(aimed.wants(), BTreeSet::from([node(HUB)]));
}
