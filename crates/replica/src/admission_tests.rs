use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bytes::Bytes;
use lienthong_document::{Actor, ChangeHash, Document};
use lienthong_federation::{NewNode, Registry, add_node, move_office, revoke};
use lienthong_protocol::{
    Change, ChangeId, CloseCode, DocumentId, FederationId, Header, Incarnation, Kind, Moment,
    NodeKey,
};

use super::{Inspected, Judged, Law, Refusal, inspect, judge_all};
use crate::event::Event;
use crate::intake::{self, Stored};
use crate::ledger::Ledger;
use crate::tests::{COMMUNE, DISTRICT, HUB, Memory, OFFICES, OTHER, World, key, office};

/// A node that the registry does not know.
const STRANGER: usize = 40;
/// A kind that some later version will know.
const LATER_KIND: Kind = Kind(200);

static WORLD: LazyLock<(FederationId, Registry)> = LazyLock::new(|| {
    let world = World::new();
    (world.federation, world.nodes[HUB].replica.registry().clone())
});

/// Changes of one document, by name, written by hand.
struct Story {
    registry: Registry,
    document: DocumentId,
    kind: Kind,
    changes: BTreeMap<&'static str, Inspected>,
    unfit: BTreeSet<ChangeHash>,
}

/// What a change of a story is, beside its name and what it builds on.
#[derive(Clone, Default)]
struct Told {
    by: usize,
    office: Option<usize>,
    kind: Option<Kind>,
    seq: u64,
    adds: Vec<&'static str>,
}

fn by(by: usize, seq: u64) -> Told {
    Told { by, seq, ..Told::default() }
}

/// No change of a document of this kind is judged yet.
fn nothing(kind: Kind) -> Judged {
    Judged { kind, offices: BTreeSet::new(), verdicts: BTreeMap::new() }
}

/// Makes a record unreadable, and gives it back.
fn damage(world: &mut World, at: usize, id: DocumentId, number: usize) -> Bytes {
    let replica = &mut world.nodes[at].replica;
    let (_, entries) = replica.document(id).expect("memory").expect("it is held");
    let offset = entries[number].place.offset as usize;
    std::mem::take(&mut replica.shelf_mut().log[offset])
}

impl Story {
    /// The district opens a dossier; the change is named `opening`.
    fn of_a_dossier() -> Story {
        Story::opened_by(DISTRICT, Kind::DOSSIER)
    }

    fn opened_by(author: usize, kind: Kind) -> Story {
        let at = Moment(1_500_000_000_000);
        let document = DocumentId::derive(seeded(author).id(), Incarnation(1), 1, at);
        let (registry, unfit) = (WORLD.1.clone(), BTreeSet::new());
        let mut story = Story { registry, document, kind, changes: BTreeMap::new(), unfit };
        story.tell("opening", &[], &by(author, 1));
        story
    }

    /// Adds a change that builds on others.
    fn tell(&mut self, name: &'static str, on: &[&str], told: &Told) {
        let change = self.write(name, on, told);
        self.changes.insert(name, inspect(change).expect("a sound change"));
    }

    fn write(&self, name: &str, on: &[&str], told: &Told) -> Change {
        let key = seeded(told.by);
        let header = Header {
            document: self.document,
            kind: told.kind.unwrap_or(self.kind),
            author: key.id(),
            office: office(OFFICES.get(told.office.unwrap_or(told.by)).unwrap_or(&"NOWHERE")),
            incarnation: Incarnation(1),
            seq: told.seq,
            at: Moment(1_500_000_000_000),
            adds: told.adds.iter().map(|name| office(name)).collect(),
        };
        let mut base: BTreeMap<ChangeId, &Inspected> = BTreeMap::new();
        for name in on {
            self.gather(&self.changes[name], &mut base);
        }
        let payloads = base.iter().map(|(id, item)| (*id, item.change.payload()));
        let opened = Document::open(payloads, |_| None).document;
        let actor = Actor::derive(header.author, header.incarnation);
        let draft = opened.edit(actor, |editor| editor.put(&[name], serde_json::json!(name)));
        Change::sign(header, draft.expect("an edit").payload(), &key).expect("signs")
    }

    /// Everything that a change builds on, with itself.
    fn gather<'a>(&'a self, item: &'a Inspected, base: &mut BTreeMap<ChangeId, &'a Inspected>) {
        base.insert(item.change.id(), item);
        for hash in &item.dependencies {
            let below = self.changes.values().find(|other| other.hash == *hash);
            self.gather(below.expect("told before"), base);
        }
    }

    fn law(&self) -> Law<'_> {
        Law { federation: WORLD.0, registry: &self.registry }
    }

    /// The verdicts on some changes when nothing else is here.
    fn verdicts_of(&self, names: &[&'static str]) -> BTreeMap<&'static str, &'static str> {
        let items: Vec<Inspected> = names.iter().map(|name| self.changes[name].clone()).collect();
        let judged = judge_all(&items, &self.unfit, &nothing(self.kind), self.law());
        let word = |name: &'static str| judged.verdicts[&self.changes[name].hash].name();
        names.iter().map(|name| (*name, word(name))).collect()
    }

    fn verdict(&self, name: &'static str) -> &'static str {
        let names: Vec<&'static str> = self.changes.keys().copied().collect();
        self.verdicts_of(&names)[name]
    }

    /// The verdicts in the index after changes came in these batches.
    fn verdicts_after(
        &self,
        batches: &[Vec<&'static str>],
    ) -> BTreeMap<&'static str, &'static str> {
        let mut ledger = Ledger { shelf: Memory::default(), office: office("HUB") };
        for batch in batches {
            let stored = batch.iter().map(|name| {
                let item = self.changes[name].clone();
                let place = ledger.shelf.append(item.change.bytes());
                Stored { item, place }
            });
            let stored = stored.collect();
            intake::absorb(&mut ledger, self.law(), stored).expect("memory");
        }
        let record = ledger.record(self.document).expect("memory").expect("held");
        let entries = ledger.entries(self.document, &record).expect("memory");
        let name_of = |id| {
            let found = self.changes.iter().find(|(_, item)| item.change.id() == id);
            *found.expect("a change of the story").0
        };
        entries.iter().map(|entry| (name_of(entry.id), entry.verdict.name())).collect()
    }

    /// Every order of arrival, one by one and all at once, must give the same verdicts.
    fn assert_any_order(&self, expected: &[(&'static str, &'static str)]) {
        let names: Vec<&'static str> = self.changes.keys().copied().collect();
        let expected: BTreeMap<_, _> = expected.iter().copied().collect();
        for order in permutations(&names) {
            assert_eq!(self.verdicts_of(&order), expected, "judged in the order {order:?}");
            let one_by_one: Vec<Vec<_>> = order.iter().map(|name| vec![*name]).collect();
            assert_eq!(self.verdicts_after(&one_by_one), expected, "one by one {order:?}");
            assert_eq!(
                self.verdicts_after(std::slice::from_ref(&order)),
                expected,
                "one batch {order:?}"
            );
            let (first, rest) = order.split_at(order.len() / 2);
            let halves = [first.to_vec(), rest.to_vec()];
            assert_eq!(self.verdicts_after(&halves), expected, "two batches {order:?}");
        }
    }
}

fn seeded(author: usize) -> NodeKey {
    key(u8::try_from(author + 1).expect("few nodes"))
}

fn permutations(names: &[&'static str]) -> Vec<Vec<&'static str>> {
    if names.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let rest: Vec<&'static str> = [&names[..at], &names[at + 1..]].concat();
        all.extend(permutations(&rest).into_iter().map(|tail| [vec![*name], tail].concat()));
    }
    all
}

// ---------------------------------------------------------------- one verdict at a time

#[test]
fn the_opener_and_the_offices_above_it_may_write() {
    let mut story = Story::of_a_dossier();
    story.tell("own", &["opening"], &by(DISTRICT, 2));
    story.tell("above", &["own"], &by(HUB, 1));
    assert_eq!(story.verdict("opening"), "accepted");
    assert_eq!(story.verdict("own"), "accepted");
    assert_eq!(story.verdict("above"), "accepted");
}

#[test]
fn an_office_below_or_beside_may_not_write() {
    for outsider in [COMMUNE, OTHER] {
        let mut story = Story::of_a_dossier();
        story.tell("forged", &["opening"], &by(outsider, 1));
        assert_eq!(story.verdict("forged"), "quarantined-not-entitled");
        assert_eq!(story.verdict("opening"), "accepted");
    }
}

#[test]
fn a_change_that_was_not_accepted_shares_with_nobody() {
    let mut story = Story::of_a_dossier();
    story.tell("forged", &["opening"], &Told { adds: vec!["OTHER"], ..by(OTHER, 1) });
    story.tell("again", &["opening"], &by(OTHER, 2));
    assert_eq!(story.verdict("forged"), "quarantined-not-entitled");
    assert_eq!(story.verdict("again"), "quarantined-not-entitled");
}

#[test]
fn a_change_waits_for_what_it_builds_on() {
    let mut story = Story::of_a_dossier();
    story.tell("second", &["opening"], &by(DISTRICT, 2));
    story.tell("third", &["second"], &by(DISTRICT, 3));
    let verdicts = story.verdicts_of(&["opening", "third"]);
    assert_eq!(verdicts["third"], "waiting-for-dependency");
    assert_eq!(verdicts["opening"], "accepted");
    assert_eq!(story.verdicts_of(&["second"])["second"], "waiting-for-dependency");
}

#[test]
fn an_author_that_the_registry_does_not_know_yet_is_waited_for() {
    let mut story = Story::opened_by(STRANGER, Kind::DOSSIER);
    story.tell("next", &["opening"], &by(DISTRICT, 1));
    assert_eq!(story.verdict("opening"), "waiting-for-author");
    assert_eq!(story.verdict("next"), "waiting-for-dependency");
}

#[test]
fn a_node_that_acts_for_another_office_is_quarantined() {
    let mut story = Story::of_a_dossier();
    story.tell("as hub", &["opening"], &Told { office: Some(HUB), ..by(DISTRICT, 2) });
    assert_eq!(story.verdict("as hub"), "quarantined-not-entitled");
}

#[test]
fn a_kind_of_a_later_version_waits_with_all_that_builds_on_it() {
    let mut story = Story::opened_by(DISTRICT, LATER_KIND);
    story.tell("next", &["opening"], &by(HUB, 1));
    story.tell("forged", &["opening"], &by(OTHER, 1));
    assert_eq!(story.verdict("opening"), "waiting-for-newer-version");
    assert_eq!(story.verdict("next"), "waiting-for-newer-version");
    assert_eq!(story.verdict("forged"), "quarantined-not-entitled");
}

#[test]
fn a_document_keeps_the_kind_that_it_was_opened_with() {
    let mut story = Story::of_a_dossier();
    story.tell("staff", &["opening"], &Told { kind: Some(Kind::STAFF), ..by(DISTRICT, 2) });
    story.tell("later", &["opening"], &Told { kind: Some(LATER_KIND), ..by(DISTRICT, 3) });
    assert_eq!(story.verdict("staff"), "quarantined-wrong-kind");
    assert_eq!(story.verdict("later"), "quarantined-wrong-kind");
}

#[test]
fn only_the_root_writes_what_everybody_holds() {
    for kind in [Kind::REGISTRY, Kind::CATALOGUE, Kind::CALENDAR] {
        assert_eq!(Story::opened_by(HUB, kind).verdict("opening"), "accepted");
        let by_district = Story::opened_by(DISTRICT, kind).verdict("opening");
        assert_eq!(by_district, "quarantined-not-entitled", "{}", kind.name());
    }
}

#[test]
fn a_revoked_node_counts_up_to_its_last_number() {
    let mut world = World::new();
    let (node, last) = (world.node_id(DISTRICT), BTreeMap::from([(Incarnation(1), 2)]));
    world.edit_registry(|editor| revoke(editor, node, &last));
    let mut story = Story::of_a_dossier();
    story.registry = world.nodes[HUB].replica.registry().clone();
    story.tell("second", &["opening"], &by(DISTRICT, 2));
    story.tell("third", &["second"], &by(DISTRICT, 3));
    story.tell("on it", &["third"], &by(HUB, 1));
    assert_eq!(story.verdict("opening"), "accepted");
    assert_eq!(story.verdict("second"), "accepted");
    assert_eq!(story.verdict("third"), "quarantined-revoked");
    assert_eq!(story.verdict("on it"), "waiting-for-dependency");
}

#[test]
fn an_unfit_change_is_alone_in_quarantine() {
    let mut story = Story::of_a_dossier();
    story.tell("unfit", &["opening"], &by(DISTRICT, 2));
    story.tell("on it", &["unfit"], &by(HUB, 1));
    story.tell("beside", &["opening"], &by(HUB, 2));
    story.unfit.insert(story.changes["unfit"].hash);
    assert_eq!(story.verdict("unfit"), "quarantined-unfit");
    assert_eq!(story.verdict("on it"), "waiting-for-dependency");
    assert_eq!(story.verdict("beside"), "accepted");
}

#[test]
fn the_registrys_first_change_needs_no_registry() {
    let mut story = Story::opened_by(HUB, Kind::REGISTRY);
    story.registry = Registry::default();
    assert_eq!(story.verdict("opening"), "waiting-for-author");
    let genesis = story.changes["opening"].clone();
    let law = Law { federation: genesis.change.id().into(), registry: &story.registry };
    let (items, fixed) = (std::slice::from_ref(&genesis), nothing(Kind::REGISTRY));
    let judged = judge_all(items, &BTreeSet::new(), &fixed, law);
    assert_eq!(judged.verdicts[&genesis.hash].name(), "accepted");
}

// ---------------------------------------------------------------- refused for its bytes

#[test]
fn a_payload_by_another_actor_is_refused() {
    let story = Story::of_a_dossier();
    let told = by(DISTRICT, 2);
    let change = story.write("stolen", &["opening"], &told);
    let header = Header { author: seeded(OTHER).id(), ..change.header().clone() };
    let stolen = Change::sign(header, change.payload(), &seeded(OTHER)).expect("signs");
    let refusal = inspect(stolen).expect_err("another's payload");
    assert!(matches!(refusal, Refusal::Actor { .. }), "{refusal}");
    assert_eq!(refusal.code(), "wrong-actor");
}

#[test]
fn nobody_opens_a_document_under_an_id_of_another() {
    let story = Story::of_a_dossier();
    for told in [by(DISTRICT, 2), by(OTHER, 1)] {
        let refusal = inspect(story.write("opening", &[], &told)).expect_err("no opener");
        assert!(matches!(refusal, Refusal::NotTheOpener { .. }), "{refusal}");
        assert_eq!(refusal.code(), "not-the-opener");
    }
}

#[test]
fn bytes_that_are_no_automerge_change_are_refused() {
    let header = Story::of_a_dossier().changes["opening"].change.header().clone();
    for payload in [&b""[..], b"not a change", &[0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1]] {
        let change = Change::sign(header.clone(), payload, &seeded(DISTRICT)).expect("signs");
        let change = Change::open(Bytes::copy_from_slice(change.bytes())).expect("well signed");
        let refusal = inspect(change).expect_err("no payload");
        assert!(matches!(refusal, Refusal::Payload(_)), "{refusal}");
    }
}

// ---------------------------------------------------------------- the order of arrival

#[test]
fn a_chain_is_judged_alike_in_any_order() {
    let mut story = Story::of_a_dossier();
    story.tell("second", &["opening"], &by(HUB, 1));
    story.tell("third", &["second"], &by(DISTRICT, 2));
    story.tell("forged", &["third"], &by(OTHER, 1));
    story.assert_any_order(&[
        ("opening", "accepted"),
        ("second", "accepted"),
        ("third", "accepted"),
        ("forged", "quarantined-not-entitled"),
    ]);
}

#[test]
fn a_share_counts_for_changes_beside_it_in_any_order() {
    let mut story = Story::of_a_dossier();
    story.tell("share", &["opening"], &Told { adds: vec!["OTHER"], ..by(DISTRICT, 2) });
    story.tell("beside", &["opening"], &by(OTHER, 1));
    story.tell("on it", &["beside"], &by(OTHER, 2));
    story.tell("commune", &["opening"], &by(COMMUNE, 1));
    story.assert_any_order(&[
        ("opening", "accepted"),
        ("share", "accepted"),
        ("beside", "accepted"),
        ("on it", "accepted"),
        ("commune", "quarantined-not-entitled"),
    ]);
}

#[test]
fn shares_that_hang_on_each_other_are_followed_in_any_order() {
    let mut story = Story::of_a_dossier();
    story.tell("share", &["opening"], &Told { adds: vec!["OTHER"], ..by(DISTRICT, 2) });
    story.tell("passed on", &["opening"], &Told { adds: vec!["COMMUNE"], ..by(OTHER, 1) });
    story.tell("commune", &["opening"], &by(COMMUNE, 1));
    story.assert_any_order(&[
        ("opening", "accepted"),
        ("share", "accepted"),
        ("passed on", "accepted"),
        ("commune", "accepted"),
    ]);
}

#[test]
fn strangers_and_wrong_kinds_are_judged_alike_in_any_order() {
    let mut story = Story::of_a_dossier();
    story.tell("stranger", &["opening"], &by(STRANGER, 1));
    story.tell("staff", &["opening"], &Told { kind: Some(Kind::STAFF), ..by(DISTRICT, 2) });
    story.tell("on staff", &["staff"], &by(HUB, 1));
    story.assert_any_order(&[
        ("opening", "accepted"),
        ("stranger", "waiting-for-author"),
        ("staff", "quarantined-wrong-kind"),
        ("on staff", "waiting-for-dependency"),
    ]);
}

#[test]
fn two_openings_under_one_number_are_judged_alike_in_any_order() {
    let mut story = Story::of_a_dossier();
    story.tell("other", &[], &Told { kind: Some(Kind::STAFF), ..by(DISTRICT, 1) });
    story.tell("next", &["opening"], &by(DISTRICT, 2));
    let names: Vec<&'static str> = story.changes.keys().copied().collect();
    let verdicts = story.verdicts_of(&names);
    let expected: Vec<_> = verdicts.into_iter().collect();
    story.assert_any_order(&expected);
    let accepted = expected.iter().filter(|(_, verdict)| *verdict == "accepted").count();
    assert!(accepted == 1 || accepted == 2, "one of the two openings counts: {expected:?}");
}

#[test]
fn a_registry_that_learns_of_an_author_accepts_what_waited() {
    let mut world = World::new();
    let (id, seat, now) = (seeded(STRANGER).id(), office("DISTRICT"), world.now);
    let new = NewNode { id, office: seat, addresses: vec![], serials: None };
    let mut story = Story::of_a_dossier();
    story.tell("stranger", &["opening"], &Told { office: Some(DISTRICT), ..by(STRANGER, 1) });
    assert_eq!(story.verdict("stranger"), "waiting-for-author");
    world.edit_registry(|editor| add_node(editor, &new, now));
    story.registry = world.nodes[HUB].replica.registry().clone();
    assert_eq!(story.verdict("stranger"), "accepted");
}

#[test]
fn a_registry_that_cannot_be_read_for_a_while_stays_known() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    let registry = world.nodes[DISTRICT].replica.registry_document().expect("it was told");
    let record = damage(&mut world, DISTRICT, registry, 0);
    let (id, now) = (seeded(STRANGER).id(), world.now);
    let new = NewNode { id, office: office("OTHER"), addresses: vec![], serials: None };
    world.edit_registry(|editor| add_node(editor, &new, now));
    let hub = world.node_id(HUB);
    assert!(world.nodes[DISTRICT].replica.admits(hub), "what was known is forgotten");
    assert!(!world.nodes[DISTRICT].replica.admits(id));
    world.nodes[DISTRICT].replica.shelf_mut().log[0] = record;
    world.pass(std::time::Duration::from_secs(30));
    assert!(world.nodes[DISTRICT].replica.admits(id), "it is not read again");
    world.assert_settled(DISTRICT, HUB);
}

#[test]
fn a_record_that_cannot_be_read_takes_nothing_from_those_that_build_on_it() {
    let mut world = World::new();
    let dossier = world.write_for(DISTRICT, None, "first", &["OTHER"]);
    world.write(DISTRICT, Some(dossier), "second");
    let before = world.nodes[DISTRICT].replica.document(dossier).expect("memory");
    let root = world.nodes[DISTRICT].replica.status().expect("memory").root;
    damage(&mut world, DISTRICT, dossier, 0);
    let judge = Event::Unfit { document: dossier, changes: vec![] };
    let replica = &mut world.nodes[DISTRICT].replica;
    replica.handle_event(world.now, judge).expect("memory");
    assert_eq!(replica.document(dossier).expect("memory"), before);
    assert_eq!(replica.status().expect("memory").root, root);
}

#[test]
fn what_an_office_wrote_while_it_stood_above_counts_after_a_move_wherever_it_is_judged() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.link(COMMUNE, DISTRICT);
    world.link(OTHER, HUB);
    let dossier = world.write(COMMUNE, None, "opened");
    world.write(DISTRICT, Some(dossier), "looked at from above");
    world.edit_registry(|editor| {
        move_office(editor, office("COMMUNE"), office("OTHER"), Moment(1_500_000_000_000))
    });
    assert_eq!(world.closed, [(COMMUNE, CloseCode::GOING_AWAY)]);
    world.closed.clear();
    // Whoever stands above now gets the dossier for the first time and judges it with the new tree.
    world.assert_settled(OTHER, HUB);
    let held = world.nodes[OTHER].replica.document(dossier).expect("memory");
    let (_, entries) = held.expect("it stands above the commune now");
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.verdict.name() == "accepted"), "{entries:?}");
    world.write(DISTRICT, Some(dossier), "what it held it may go on with");
    world.assert_settled(DISTRICT, HUB);
    assert_eq!(world.open(OTHER, dossier).canonical(), world.open(HUB, dossier).canonical());
    assert!(world.open(OTHER, dossier).canonical().contains("go on"));
}
