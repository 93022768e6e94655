use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_document::{Actor, Document};
use lienthong_federation::revoke;
use lienthong_protocol::{
    Ack, Bound, Change, Claim, Claimed, CloseCode, Compare, DocumentId, FederationId, Frame,
    Header, Hello, Incarnation, Kind, NodeId, Pong, Proof, Reports, ShortTally, Standing, Tally,
    VersionRange, Written,
};

use crate::admission::{Inspected, inspect};
use crate::entry::{Quarantined, Verdict};
use crate::event::{Alarm, Effect, Event, LinkId, Notice};
use crate::intake::Stored;
use crate::link::LinkStatus;
use crate::shelf::Place;
use crate::tests::{COMMUNE, DISTRICT, HUB, OFFICES, World, key, office};

const MINUTE: Duration = Duration::from_secs(60);

/// One replica, and a peer whose words the test writes.
struct Talk {
    world: World,
    at: usize,
    peer: usize,
    link: LinkId,
}

impl Talk {
    /// The district has dialled the hub, which listens to the test.
    fn at_hub() -> Talk {
        Talk::begin(HUB, DISTRICT)
    }

    fn begin(at: usize, peer: usize) -> Talk {
        let mut talk = Talk { world: World::new(), at, peer, link: LinkId(7) };
        talk.reach(talk.link);
        let hello = talk.hello();
        talk.hear(Frame::Hello(hello));
        talk
    }

    fn reach(&mut self, link: LinkId) {
        let (node, dialed) = (self.node(), self.at == DISTRICT);
        self.happen(Event::Reached { link, node, dialed });
    }

    fn node(&self) -> NodeId {
        self.world.node_id(self.peer)
    }

    fn hello(&self) -> Hello {
        Hello {
            versions: VersionRange::OURS,
            federation: self.world.federation,
            office: office(OFFICES[self.peer]),
            incarnation: Incarnation(55),
            at: self.world.now,
            addresses: vec![],
            agent: "test".into(),
        }
    }

    fn happen(&mut self, event: Event) -> Vec<Effect> {
        let now = self.world.now;
        self.world.nodes[self.at].replica.handle_event(now, event).expect("memory");
        self.effects()
    }

    fn effects(&mut self) -> Vec<Effect> {
        let replica = &mut self.world.nodes[self.at].replica;
        std::iter::from_fn(|| replica.poll_effect()).collect()
    }

    /// The peer says something.
    fn hear(&mut self, frame: Frame) -> Vec<Effect> {
        self.happen(Event::Frame { link: self.link, frame })
    }

    /// The peer says that it holds some other set.
    fn hear_other_root(&mut self, count: u64) -> Vec<Effect> {
        self.hear(Frame::Standing(standing(Tally { count, sum: [9; 32] })))
    }

    /// The peer finds no difference.
    fn hear_nothing_left(&mut self) -> Vec<Effect> {
        self.hear(Frame::Compare(Compare { from: Bound::START, claims: vec![] }))
    }

    /// Two comparisons end where they began.
    fn disagree(&mut self) -> Vec<Effect> {
        self.hear_other_root(5);
        self.hear_nothing_left();
        self.hear_other_root(5);
        self.hear_nothing_left();
        self.hear_other_root(5)
    }

    fn wait(&mut self, time: Duration) -> Vec<Effect> {
        let until = self.world.now.after(time);
        let mut effects = Vec::new();
        loop {
            let replica = &mut self.world.nodes[self.at].replica;
            let Some((at, _)) = replica.poll_timeout().filter(|(at, _)| *at <= until) else {
                break;
            };
            self.world.now = self.world.now.max(at);
            replica.handle_timeout(self.world.now).expect("memory");
            effects.extend(self.effects());
        }
        self.world.now = until;
        effects
    }

    fn status(&self) -> LinkStatus {
        let status = self.world.nodes[self.at].replica.status().expect("memory");
        let link = status.links.into_iter().find(|link| link.node == self.node());
        link.expect("a neighbour")
    }

    fn root(&self) -> Tally {
        self.status().root
    }
}

fn standing(root: Tally) -> Standing {
    let written = Written { incarnation: Incarnation(55), seq: 0 };
    let registry = Tally::default();
    Standing { root, registry, written, authored: 0, held: written, held_total: 0 }
}

fn sum(minute: u32, count: u64) -> Claim {
    let to = if minute == u32::MAX { Bound::END } else { Bound { minute, prefix: 0 } };
    Claim { to, what: Claimed::Sum(ShortTally { count, sum: [3; 16] }) }
}

fn openings(effects: &[Effect]) -> usize {
    let opens = |effect: &&Effect| {
        matches!(effect, Effect::Send { frame: Frame::Compare(compare), .. }
            if compare.from == Bound::START && !compare.claims.is_empty())
    };
    effects.iter().filter(opens).count()
}

fn alarms(effects: &[Effect]) -> Vec<Alarm> {
    let alarms = effects.iter().filter_map(|effect| match effect {
        Effect::Notify(Notice::Alarm(alarm)) => Some(alarm.clone()),
        _ => None,
    });
    alarms.collect()
}

fn closed(effects: &[Effect]) -> Option<CloseCode> {
    effects.iter().find_map(|effect| match effect {
        Effect::HangUp { code, .. } => Some(*code),
        _ => None,
    })
}

fn unequal() -> Vec<Alarm> {
    vec![Alarm::Unequal { office: office("DISTRICT") }]
}

// ---------------------------------------------------------------- what the peer holds

#[test]
fn an_opening_says_how_much_there_is_to_load() {
    let mut talk = Talk::begin(DISTRICT, HUB);
    assert_eq!(talk.status().peer_changes, None);
    let claims = vec![sum(60, 300), sum(120, 0), sum(u32::MAX, 700)];
    talk.hear(Frame::Compare(Compare { from: Bound::START, claims }));
    assert_eq!(talk.status().peer_changes, Some(1_000));
    assert!(!talk.status().settled);
}

#[test]
fn claims_about_a_part_say_nothing_of_the_whole() {
    let skip = Claim { to: Bound { minute: 60, prefix: 0 }, what: Claimed::Skip };
    let listed = Claim { to: Bound { minute: 60, prefix: 0 }, what: Claimed::Ids(vec![]) };
    let hour = Bound::hour(1);
    for (from, claims) in [
        (Bound::START, vec![sum(60, 300)]),
        (hour, vec![sum(u32::MAX, 300)]),
        (Bound::START, vec![skip, sum(u32::MAX, 300)]),
        (Bound::START, vec![listed, sum(u32::MAX, 300)]),
        (Bound::START, vec![]),
    ] {
        let mut talk = Talk::begin(DISTRICT, HUB);
        talk.hear(Frame::Compare(Compare { from, claims: claims.clone() }));
        assert_eq!(talk.status().peer_changes, None, "{from:?} {claims:?}");
    }
}

#[test]
fn the_last_word_about_the_peers_set_counts_until_the_link_is_gone() {
    let mut talk = Talk::at_hub();
    talk.hear_other_root(12);
    assert_eq!(talk.status().peer_changes, Some(12));
    let root = talk.root();
    talk.hear(Frame::Standing(standing(root)));
    assert_eq!(talk.status().peer_changes, Some(root.count));
    talk.happen(Event::Down { link: talk.link });
    assert_eq!(talk.status().peer_changes, None);
}

#[test]
fn a_settled_link_shows_the_same_count_at_both_ends() {
    let mut world = World::new();
    world.write(DISTRICT, None, "a");
    world.link(DISTRICT, HUB);
    for at in [DISTRICT, HUB] {
        let status = world.nodes[at].replica.status().expect("memory");
        let link = status.links.iter().find(|link| link.settled).expect("a settled link");
        assert_eq!((link.peer_changes, link.root.count), (Some(2), 2));
    }
}

// ---------------------------------------------------------------- unequal twice

#[test]
fn an_end_that_catches_up_by_another_link_knows_that_it_is_settled() {
    let mut talk = Talk::at_hub();
    talk.world.write(COMMUNE, None, "a");
    let record = talk.world.nodes[COMMUNE].replica.shelf().log.last().expect("written").clone();
    let change = inspect(Change::open(record).expect("sound")).expect("sound");
    let mut root = talk.root();
    root.add(change.change.id());
    talk.hear(Frame::Standing(standing(root)));
    assert!(!talk.status().settled, "the hub is not as far");

    let (link, district) = (LinkId(8), talk.peer);
    talk.peer = COMMUNE;
    talk.reach(link);
    let frame = Frame::Hello(talk.hello());
    talk.happen(Event::Frame { link, frame });
    talk.peer = district;
    let brought = Event::Changes { link, number: 1, changes: vec![change], refused: 0 };
    for effect in talk.happen(brought) {
        let Effect::Append { ticket, changes } = effect else { continue };
        let place = Place { segment: 1, offset: 0, length: 0 };
        let stored = changes.into_iter().map(|item| Stored { item, place }).collect();
        talk.happen(Event::Stored { ticket, stored });
    }
    assert_eq!(talk.root(), root);
    talk.hear(Frame::Ack(Ack { number: 1, refused: 0 }));
    assert!(talk.status().settled, "the peer does not say twice what it holds");
}

#[test]
fn two_comparisons_that_come_to_nothing_raise_one_alarm() {
    let mut talk = Talk::at_hub();
    assert_eq!(openings(&talk.hear_other_root(5)), 1);
    talk.hear_nothing_left();
    assert_eq!(openings(&talk.hear_other_root(5)), 1);
    talk.hear_nothing_left();
    let effects = talk.hear_other_root(5);
    assert_eq!((openings(&effects), alarms(&effects)), (0, unequal()));
    let effects = talk.hear_other_root(5);
    assert_eq!((openings(&effects), alarms(&effects)), (0, vec![]));
}

#[test]
fn after_the_alarm_the_opener_tries_again_each_minute_by_itself() {
    let mut talk = Talk::at_hub();
    talk.disagree();
    for _ in 0..3 {
        assert_eq!(openings(&talk.wait(MINUTE - Duration::from_millis(1))), 0);
        assert_eq!(openings(&talk.wait(Duration::from_millis(1))), 1);
        talk.hear_nothing_left();
        let effects = talk.hear_other_root(5);
        assert_eq!((openings(&effects), alarms(&effects)), (0, vec![]), "no second alarm");
    }
}

#[test]
fn a_root_that_moves_ends_the_pause_at_once() {
    let mut talk = Talk::at_hub();
    talk.disagree();
    assert_eq!(openings(&talk.hear_other_root(6)), 1);
}

#[test]
fn a_link_that_moves_on_without_settling_raises_no_second_alarm() {
    let mut talk = Talk::at_hub();
    talk.disagree();
    for _ in 0..3 {
        let effects = talk.hear_other_root(6);
        assert_eq!(alarms(&effects), []);
        talk.hear_nothing_left();
    }
}

#[test]
fn a_link_that_settled_may_alarm_again() {
    let mut talk = Talk::at_hub();
    talk.disagree();
    let root = talk.root();
    talk.hear(Frame::Standing(standing(root)));
    assert!(talk.status().settled);
    assert_eq!(openings(&talk.wait(5 * MINUTE)), 0, "nothing is left to compare");
    assert_eq!(alarms(&talk.disagree()), unequal());
}

#[test]
fn an_unanswered_comparison_is_opened_again_after_a_minute() {
    let mut talk = Talk::at_hub();
    talk.hear_other_root(5);
    assert_eq!(openings(&talk.hear_other_root(5)), 0, "one is open");
    assert_eq!(openings(&talk.wait(MINUTE - Duration::from_millis(1))), 0);
    let effects = talk.wait(Duration::from_millis(1) + 2 * MINUTE);
    assert_eq!((openings(&effects), alarms(&effects)), (3, vec![]));
}

#[test]
fn the_end_that_dialled_opens_no_comparison() {
    let mut talk = Talk::begin(DISTRICT, HUB);
    let told = |effects: &[Effect]| {
        let is_standing = |e: &Effect| matches!(e, Effect::Send { frame: Frame::Standing(_), .. });
        effects.iter().any(is_standing)
    };
    let effects = talk.hear_other_root(5);
    assert!(told(&effects), "it says what it holds");
    assert_eq!(openings(&effects) + openings(&talk.wait(5 * MINUTE)), 0);
}

// ---------------------------------------------------------------- hello and what may follow

#[test]
fn a_peer_that_does_not_fit_is_refused_by_name() {
    let versions = VersionRange { oldest: 900, newest: 901 };
    let sound = Talk::at_hub().hello();
    for (hello, code) in [
        (Hello { versions, ..sound.clone() }, CloseCode::VERSION),
        (Hello { office: office("COMMUNE"), ..sound.clone() }, CloseCode::WRONG_OFFICE),
        (Hello { federation: federation(), ..sound }, CloseCode::WRONG_FEDERATION),
    ] {
        let mut talk = Talk { world: World::new(), at: HUB, peer: DISTRICT, link: LinkId(7) };
        talk.reach(talk.link);
        assert_eq!(closed(&talk.hear(Frame::Hello(hello))), Some(code));
        assert_eq!(talk.status().state, "down");
    }
}

fn federation() -> FederationId {
    let mut world = World::new();
    let id = world.write(HUB, None, "a");
    let (_, entries) = world.nodes[HUB].replica.document(id).expect("memory").expect("held");
    entries[0].id.into()
}

#[test]
fn a_key_that_the_registry_does_not_know_is_hung_up_on() {
    let mut talk = Talk::at_hub();
    let node = key(99).id();
    let effects = talk.happen(Event::Reached { link: LinkId(8), node, dialed: false });
    assert_eq!(closed(&effects), Some(CloseCode::UNKNOWN_NODE));
}

#[test]
fn frames_out_of_their_place_close_the_link() {
    let proof = |talk: &Talk| {
        let signature = key(99).sign(b"something else");
        Frame::Proof(Proof { root: talk.root(), at: talk.world.now, signature })
    };
    let again = |talk: &Talk| Frame::Hello(talk.hello());
    let ack = |_: &Talk| Frame::Ack(Ack { number: 40, refused: 0 });
    let frames: [fn(&Talk) -> Frame; 3] = [proof, again, ack];
    for frame in frames {
        let mut talk = Talk::at_hub();
        let frame = frame(&talk);
        let name = frame.name();
        assert_eq!(closed(&talk.hear(frame)), Some(CloseCode::MALFORMED_FRAME), "{name}");
    }
}

#[test]
fn nothing_is_compared_before_the_hello() {
    let mut talk = Talk { world: World::new(), at: HUB, peer: DISTRICT, link: LinkId(7) };
    talk.reach(talk.link);
    assert_eq!(closed(&talk.hear_other_root(5)), Some(CloseCode::MALFORMED_FRAME));
}

#[test]
fn a_second_link_of_one_process_replaces_the_first() {
    let mut talk = Talk::at_hub();
    let first = talk.link;
    talk.link = LinkId(8);
    talk.reach(talk.link);
    let hello = talk.hello();
    let effects = talk.hear(Frame::Hello(hello));
    let hung_up = effects.iter().find_map(|effect| match effect {
        Effect::HangUp { link, code, .. } => Some((*link, *code)),
        _ => None,
    });
    assert_eq!(hung_up, Some((first, CloseCode::REPLACED)));
    assert_eq!(alarms(&effects), []);
    assert_eq!(talk.status().state, "connected");
}

// ---------------------------------------------------------------- clocks

#[test]
fn a_peers_clock_that_is_off_by_minutes_raises_an_alarm() {
    for (ahead_ms, is_alarm) in [(0, false), (120_000, false), (120_001, true)] {
        let mut talk = Talk::at_hub();
        let number = talk.world.now.0;
        let at = talk.world.now.after(Duration::from_millis(ahead_ms + 200));
        talk.world.now = talk.world.now.after(Duration::from_millis(400));
        let effects = talk.hear(Frame::Pong(Pong { number, at }));
        assert_eq!(alarms(&effects).len(), usize::from(is_alarm), "{ahead_ms} ms ahead");
        let status = talk.status();
        assert_eq!(status.rtt_ms, Some(400));
        assert_eq!(status.skew_ms, i64::try_from(ahead_ms).ok());
    }
}

#[test]
fn reports_on_an_open_link_are_told_and_no_others_are() {
    let told = |effects: &[Effect]| {
        let is_told = |effect: &&Effect| matches!(effect, Effect::Notify(Notice::Reports { .. }));
        effects.iter().filter(is_told).count()
    };
    let mut talk = Talk::at_hub();
    let effects = talk.hear(Frame::Reports(Reports::default()));
    assert_eq!(told(&effects), 1);
    let open = talk.world.nodes[HUB].replica.open_links().collect::<Vec<_>>();
    assert_eq!((open.len(), open[0].link), (1, talk.link));
    let mut talk = Talk { world: World::new(), at: HUB, peer: DISTRICT, link: LinkId(7) };
    talk.reach(talk.link);
    let effects = talk.hear(Frame::Reports(Reports::default()));
    assert_eq!(told(&effects), 0);
    let is_closed =
        |effect: &Effect| matches!(effect, Effect::HangUp { code: CloseCode::MALFORMED_FRAME, .. });
    assert!(effects.iter().any(is_closed), "the peer has not said who it is");
}

#[test]
fn an_answer_to_no_ping_measures_nothing() {
    let mut talk = Talk::at_hub();
    let (number, at) = (talk.world.now.0 + 1, talk.world.now);
    talk.hear(Frame::Pong(Pong { number, at }));
    assert_eq!(talk.status().rtt_ms, None);
}

// ---------------------------------------------------------------- clones

fn clone_alarms(world: &World, at: usize) -> Vec<NodeId> {
    let clones = world.nodes[at].notices.iter().filter_map(|notice| match notice {
        Notice::Alarm(Alarm::Clone { node }) => Some(*node),
        _ => None,
    });
    clones.collect()
}

#[test]
fn the_later_of_two_live_processes_with_one_key_is_refused() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    let clone = world.start_clone(DISTRICT);
    let forged = world.write(clone, None, "by the clone");
    world.link(clone, HUB);
    assert_eq!(world.closed, [(HUB, CloseCode::CLONE)]);
    assert_eq!(clone_alarms(&world, HUB), [world.node_id(DISTRICT)]);
    assert_eq!(world.holds(HUB, forged), 0);
    world.closed.clear();
    let a = world.write(DISTRICT, None, "a");
    assert_eq!(world.holds(HUB, a), 1, "the first process goes on");
    world.assert_settled(DISTRICT, HUB);
}

#[test]
fn a_process_that_died_unseen_gives_way_to_its_successor() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.silence(DISTRICT);
    let successor = world.start_clone(DISTRICT);
    let a = world.write(successor, None, "a");
    world.link(successor, HUB);
    assert_eq!(world.holds(HUB, a), 0, "the hub first asks the old process");
    world.pass(Duration::from_secs(3));
    assert_eq!(world.closed, [(HUB, CloseCode::REPLACED)]);
    assert_eq!(clone_alarms(&world, HUB), []);
    assert_eq!(world.holds(HUB, a), 1);
}

#[test]
fn what_a_successor_writes_while_the_old_process_is_asked_is_not_waited_for_in_vain() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.silence(DISTRICT);
    let successor = world.start_clone(DISTRICT);
    world.link(successor, HUB);
    // Its batch goes out at once: for the successor the link is open already.
    let a = world.write(successor, None, "a");
    world.pass(Duration::from_secs(3));
    assert_eq!(world.closed, [(HUB, CloseCode::REPLACED)]);
    assert_eq!(world.holds(HUB, a), 1);
    let status = world.nodes[HUB].replica.status().expect("memory");
    assert!(status.links.iter().any(|link| link.office == office("DISTRICT") && link.settled));
}

#[test]
fn a_successor_that_holds_the_same_is_settled_once_the_old_process_was_asked() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.silence(DISTRICT);
    let successor = world.start_clone(DISTRICT);
    world.link(successor, HUB);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.closed, [(HUB, CloseCode::REPLACED)]);
    world.closed.clear();
    world.assert_settled(HUB, DISTRICT);
}

// ---------------------------------------------------------------- revocation

/// What the hub and the commune say of two changes of the district.
fn verdicts(world: &World, document: DocumentId) -> Vec<Vec<&'static str>> {
    let at = |at: usize| {
        let held = world.nodes[at].replica.document(document).expect("memory").expect("held");
        let mut names: Vec<_> = held.1.iter().map(|entry| entry.verdict.name()).collect();
        names.sort_unstable();
        names
    };
    vec![at(HUB), at(COMMUNE)]
}

#[test]
fn what_a_revoked_node_wrote_after_its_last_number_counts_nowhere() {
    let mut world = World::new();
    world.link(COMMUNE, DISTRICT);
    world.link(DISTRICT, HUB);
    let a = world.write(COMMUNE, None, "a");
    world.write(DISTRICT, Some(a), "in time");
    let incarnation = world.nodes[DISTRICT].replica.identity().incarnation;
    let last = world.nodes[DISTRICT].replica.status().expect("memory").written.seq;
    world.cut_between((DISTRICT, HUB));
    let district = world.node_id(DISTRICT);
    world.edit_registry(|editor| revoke(editor, district, &BTreeMap::from([(incarnation, last)])));
    world.write(DISTRICT, Some(a), "too late");
    assert_eq!(world.holds(COMMUNE, a), 3, "the commune does not know yet");
    assert_eq!(verdicts(&world, a), [vec!["accepted"; 2], vec!["accepted"; 3]]);

    world.cut(DISTRICT);
    world.link(COMMUNE, HUB);
    let expected = vec!["accepted", "accepted", "quarantined-revoked"];
    assert_eq!(verdicts(&world, a), [expected.clone(), expected]);
    assert_eq!(world.open(HUB, a).canonical(), world.open(COMMUNE, a).canonical());
    world.assert_settled(COMMUNE, HUB);
    assert!(!world.nodes[COMMUNE].replica.admits(district));
}

#[test]
fn a_node_that_is_revoked_is_hung_up_on_and_all_of_it_may_be_quarantined() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    let a = world.write(DISTRICT, None, "a");
    let district = world.node_id(DISTRICT);
    world.edit_registry(|editor| revoke(editor, district, &BTreeMap::new()));
    let (_, entries) = world.nodes[HUB].replica.document(a).expect("memory").expect("held");
    assert_eq!(entries[0].verdict, Verdict::Quarantined(Quarantined::Revoked));
    assert_eq!(world.nodes[HUB].replica.status().expect("memory").totals.quarantined, 1);
    let quarantine = world.nodes[HUB].replica.quarantine(10).expect("memory");
    assert_eq!(quarantine, [(a, Quarantined::Revoked, entries[0].place)]);
    assert_eq!(world.closed, [(HUB, CloseCode::UNKNOWN_NODE)]);
    assert!(!world.nodes[HUB].replica.admits(district));
}

// ---------------------------------------------------------------- changes of strangers

/// A dossier opened by a node that no registry knows.
fn by_a_stranger(world: &World) -> Inspected {
    let (key, incarnation, at) = (key(99), Incarnation(1), world.now);
    let actor = Actor::derive(key.id(), incarnation);
    let draft = Document::new().edit(actor, |editor| editor.put(&["a"], serde_json::json!("a")));
    let header = Header {
        document: DocumentId::derive(key.id(), incarnation, 1, at),
        kind: Kind::DOSSIER,
        author: key.id(),
        office: office("DISTRICT"),
        incarnation,
        seq: 1,
        at,
        adds: vec![],
    };
    let change = Change::sign(header, draft.expect("an edit").payload(), &key).expect("signs");
    inspect(change).expect("a sound change")
}

/// What the hub does with a stranger's change after the peer told its registry.
fn after_a_stranger(registry: impl Fn(&Talk) -> Tally) -> Vec<Effect> {
    let mut talk = Talk::at_hub();
    let told = Standing { registry: registry(&talk), ..standing(talk.root()) };
    talk.hear(Frame::Standing(told));
    let changes = vec![by_a_stranger(&talk.world)];
    talk.happen(Event::Changes { link: talk.link, number: 1, changes, refused: 2 })
}

fn refusals(effects: &[Effect]) -> Vec<(u32, Option<&'static str>)> {
    let refusals = effects.iter().filter_map(|effect| match effect {
        Effect::Notify(Notice::Refused { changes, cause, .. }) => Some((*changes, *cause)),
        _ => None,
    });
    refusals.collect()
}

#[test]
fn a_stranger_is_refused_once_both_registries_are_equal() {
    let equal = |talk: &Talk| talk.world.nodes[HUB].replica.registry_tally().expect("memory");
    let effects = after_a_stranger(equal);
    assert_eq!(refusals(&effects), [(3, Some("unknown-author"))], "with the two for their bytes");
    let acks = |effect: &Effect| {
        let expected = Ack { number: 1, refused: 3 };
        matches!(effect, Effect::Send { frame: Frame::Ack(ack), .. } if *ack == expected)
    };
    assert!(effects.iter().any(acks), "the peer need not send it again");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Append { .. })));
}

#[test]
fn a_stranger_is_stored_while_the_peers_registry_is_another() {
    let effects = after_a_stranger(|_| Tally { count: 9, sum: [9; 32] });
    assert_eq!(refusals(&effects), [(2, None)], "only the two for their bytes");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Append { .. })));
}
