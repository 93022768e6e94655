use std::collections::{BTreeMap, BTreeSet};

use lienthong_document::{Actor, Document, EditError, Editor};
use lienthong_protocol::limits::{MAX_CHANGE_BYTES, MAX_TEXT_BYTES};
use lienthong_protocol::{Incarnation, Kind, Moment, NodeId, OfficeId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Audience, AuthorRefusal, GenesisRefusal, MAX_DEPTH, Need, NewNode, Office, Problem, Province,
    Registry, SerialPart, Tick, WriteRefusal, add_node, add_office, explain_revocation, found,
    genesis_is_sound, move_office, revoke, set_addresses, set_serials, tick,
};

const AT: Moment = Moment(1_500_000_000_000);

fn office(id: &str) -> OfficeId {
    id.parse().expect("the tests name valid office ids")
}

fn node(number: u8) -> NodeId {
    NodeId::from_bytes([number; 32])
}

/// Hub, two districts, a commune under the first.
fn province() -> Province {
    let place =
        |id, tier, parent: Option<&str>| Office::new(office(id), id, tier, parent.map(office));
    Province {
        name: "Quảng Nam".into(),
        root: office("HUB"),
        offices: vec![
            place("HUB", "province", None),
            place("HOIAN", "district", Some("HUB")),
            place("TAMKY", "district", Some("HUB")),
            place("HOIAN-CAMHA", "commune", Some("HOIAN")),
        ],
    }
}

fn edited(
    document: &Document,
    edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
) -> Document {
    let draft = document.edit(Actor::derive(node(1), Incarnation(1)), edit);
    draft.expect("the edit is sound").preview().clone()
}

fn founded() -> Document {
    let addresses = ["10.0.0.1:7470".to_owned()];
    edited(&Document::new(), |editor| found(editor, &province(), node(1), &addresses, AT))
}

/// A registry of offices with the parents that are stated for them, under the root `HUB`.
fn stated(offices: &[(&str, &str)]) -> Registry {
    let entries = offices.iter().map(|(id, parent)| (*id, json!({ "name": id, "parent": parent })));
    let mut entries: BTreeMap<_, _> = entries.collect();
    entries.insert("HUB", json!({ "name": "hub" }));
    Registry::from_value(&json!({ "federation": { "root": "HUB" }, "offices": entries }))
}

fn ids(offices: &[&str]) -> Vec<OfficeId> {
    offices.iter().map(|id| office(id)).collect()
}

#[test]
fn a_founded_registry_reads_back_as_its_province() {
    let registry = Registry::read(&founded());
    assert_eq!(registry.problems(), []);
    assert_eq!((registry.name(), registry.root()), ("Quảng Nam", Some(office("HUB"))));
    let with_since = province().offices.into_iter().map(|place| Office { since: AT, ..place });
    let mut expected: Vec<_> = with_since.collect();
    expected.sort_by_key(|place| place.id);
    assert!(registry.offices().eq(expected.iter()));
    let hub = registry.node(node(1)).expect("the founder is entered");
    assert_eq!((hub.office, hub.since, hub.revoked.as_ref()), (office("HUB"), AT, None));
    assert_eq!(hub.addresses, ["10.0.0.1:7470"]);
}

#[test]
fn the_reference_province_fits_one_change() {
    let text = include_str!("../../../config/quang-nam/province.toml");
    let province = Province::parse(text).expect("the reference province is sound");
    let actor = Actor::derive(node(1), Incarnation(1));
    let draft = Document::new().edit(actor, |editor| found(editor, &province, node(1), &[], AT));
    let draft = draft.expect("the edit is sound");
    assert!(draft.payload().len() < MAX_CHANGE_BYTES / 4, "{} bytes", draft.payload().len());
    let registry = Registry::read(draft.preview());
    assert_eq!(registry.problems(), []);
    assert_eq!(registry.offices().count(), province.offices.len());
    let depths = registry.offices().map(|place| registry.ancestors(place.id).len());
    assert_eq!(depths.max(), Some(2));
}

#[test]
fn the_tree_is_walked_up_and_down() {
    let registry = Registry::read(&founded());
    let up = registry.ancestors(office("HOIAN-CAMHA"));
    assert_eq!(up, ids(&["HOIAN", "HUB"]));
    assert!(registry.children(office("HUB")).eq(ids(&["HOIAN", "TAMKY"])));
    assert!(registry.is_ancestor(office("HUB"), office("HOIAN-CAMHA")));
    assert!(!registry.is_ancestor(office("TAMKY"), office("HOIAN-CAMHA")));
    assert!(!registry.is_ancestor(office("HUB"), office("HUB")));
    assert_eq!(registry.ancestors(office("NOWHERE")), []);
}

#[test]
fn an_audience_holds_all_ancestors_and_only_grows() {
    let registry = Registry::read(&founded());
    let mut audience = Audience::of(Kind::DOSSIER, [office("HOIAN-CAMHA")], &registry);
    assert!(audience.contains(office("HOIAN")) && audience.contains(office("HUB")));
    assert!(!audience.contains(office("TAMKY")));
    assert!(audience.grow([office("TAMKY")], &registry));
    assert!(!audience.grow([office("TAMKY"), office("HUB")], &registry));
    assert!(audience.contains(office("TAMKY")) && audience.contains(office("HOIAN")));
}

#[test]
fn a_moved_office_brings_its_new_ancestors_and_keeps_the_old_ones() {
    let before = stated(&[("A", "HUB"), ("B", "HUB"), ("C", "A")]);
    let after = stated(&[("A", "HUB"), ("B", "HUB"), ("C", "B")]);
    let mut audience = Audience::of(Kind::DOSSIER, [office("C")], &before);
    assert!(audience.grow([], &after));
    assert!(audience.contains(office("A")) && audience.contains(office("B")));
}

#[test]
fn whoever_stood_above_an_office_may_go_on_writing_and_is_sent_nothing_more() {
    let document = founded();
    let camha = office("HOIAN-CAMHA");
    let moved = |to: &str| edited(&document, |editor| move_office(editor, camha, office(to), AT));
    let (one, other) = (moved("TAMKY"), moved("HUB"));
    let registry = Registry::read(&one);
    assert_eq!(registry.problems(), []);
    assert_eq!(registry.ancestors(camha), ids(&["TAMKY", "HUB"]));
    let audience = Audience::of(Kind::DOSSIER, [camha], &registry);
    assert!(audience.contains(office("HOIAN")) && audience.contains(office("TAMKY")));
    assert!(!registry.closure([camha]).contains(&office("HOIAN")));
    let back = edited(&one, |editor| move_office(editor, camha, office("HOIAN"), AT));
    let audience = Audience::of(Kind::DOSSIER, [camha], &Registry::read(&back));
    assert!(audience.contains(office("TAMKY")), "it stood above for a while");
    let entry = |document| Registry::read(document).office(camha).map(|one| one.stood_under.len());
    assert_eq!([entry(&one), entry(&other), entry(&back)], [Some(2); 3]);
}

#[test]
fn public_kinds_are_for_everyone_and_unknown_kinds_are_not() {
    let registry = Registry::read(&founded());
    for kind in [Kind::REGISTRY, Kind::CATALOGUE, Kind::CALENDAR] {
        assert_eq!(Audience::of(kind, [], &registry), Audience::Everyone);
    }
    for kind in [Kind::STAFF, Kind::DOSSIER, Kind::PROPOSAL, Kind(9)] {
        assert_eq!(Audience::of(kind, [], &registry), Audience::Offices(BTreeSet::new()));
    }
}

#[test]
fn only_the_root_writes_public_kinds_and_only_the_audience_the_others() {
    let registry = Registry::read(&founded());
    let (hub, hoian, tamky) = (office("HUB"), office("HOIAN"), office("TAMKY"));
    let audience = Audience::of(Kind::DOSSIER, [hoian], &registry);
    for kind in [Kind::REGISTRY, Kind::CATALOGUE, Kind::CALENDAR] {
        assert_eq!(registry.may_write(hub, kind, &Audience::Everyone), Ok(()));
        let refusal = registry.may_write(hoian, kind, &Audience::Everyone);
        assert_eq!(refusal, Err(WriteRefusal::NotRoot { office: hoian, kind }));
    }
    for kind in [Kind::STAFF, Kind::DOSSIER, Kind::PROPOSAL] {
        assert_eq!(registry.may_write(hoian, kind, &audience), Ok(()));
        assert_eq!(registry.may_write(hub, kind, &audience), Ok(()));
        let refusal = registry.may_write(tamky, kind, &audience);
        assert_eq!(refusal, Err(WriteRefusal::NotInAudience { office: tamky }));
    }
    let refusal = registry.may_write(hub, Kind(9), &audience);
    assert_eq!(refusal, Err(WriteRefusal::UnknownKind { kind: Kind(9) }));
}

#[test]
fn an_author_must_be_known_and_act_for_its_own_office() {
    let registry = Registry::read(&founded());
    let author = |id, place| registry.author(node(id), office(place), Incarnation(1), 1);
    assert_eq!(author(1, "HUB"), Ok(()));
    assert_eq!(author(2, "HUB"), Err(AuthorRefusal::UnknownNode { node: node(2) }));
    let (claimed, office) = (office("HOIAN"), office("HUB"));
    let refusal = AuthorRefusal::WrongOffice { node: node(1), claimed, office };
    assert_eq!(author(1, "HOIAN"), Err(refusal));
}

#[test]
fn a_revoked_node_counts_up_to_its_last_seq_and_never_comes_back() {
    let hoian = NewNode { id: node(2), office: office("HOIAN"), addresses: vec![], serials: None };
    let document = edited(&founded(), |editor| add_node(editor, &hoian, AT));
    let last_seqs = BTreeMap::from([(Incarnation(7), 40)]);
    let document = edited(&document, |editor| {
        revoke(editor, node(2), &last_seqs)?;
        explain_revocation(editor, node(2), "stolen")
    });
    let moved = NewNode { addresses: vec!["10.0.0.9:7470".into()], ..hoian };
    let document = edited(&document, |editor| add_node(editor, &moved, AT));
    let registry = Registry::read(&document);
    let author =
        |incarnation, seq| registry.author(node(2), office("HOIAN"), Incarnation(incarnation), seq);
    let revoked = |last_seq, seq| Err(AuthorRefusal::Revoked { node: node(2), last_seq, seq });
    assert_eq!(author(7, 40), Ok(()));
    assert_eq!(author(7, 41), revoked(40, 41));
    assert_eq!(author(8, 1), revoked(0, 1));
    let known = registry.node(node(2)).expect("it stays in the registry");
    assert_eq!(known.addresses[..], ["10.0.0.9:7470"]);
    assert_eq!(known.revoked_because.as_deref(), Some("stolen"));
}

#[test]
fn a_node_that_is_not_there_is_not_revoked_and_has_no_addresses() {
    let document = founded();
    let actor = Actor::derive(node(1), Incarnation(1));
    let revoked = document.edit(actor, |editor| revoke(editor, node(2), &BTreeMap::new()));
    assert!(matches!(revoked, Err(EditError::Missing { .. })));
    let moved = document.edit(actor, |editor| set_addresses(editor, node(2), &[]));
    assert!(matches!(moved, Err(EditError::Missing { .. })));
}

#[test]
fn an_added_office_and_its_nodes_are_found() {
    let document = edited(&founded(), |editor| {
        let parent = Some(office("TAMKY"));
        add_office(editor, &Office::new(office("TAMKY-ANMY"), "An Mỹ", "commune", parent), AT)?;
        for id in [2, 3] {
            let office = office("TAMKY-ANMY");
            add_node(
                editor,
                &NewNode { id: node(id), office, addresses: vec![], serials: None },
                AT,
            )?;
        }
        set_addresses(editor, node(3), &["an-my.example:7470".to_owned()])
    });
    let registry = Registry::read(&document);
    assert_eq!(registry.problems(), []);
    assert_eq!(registry.office(office("TAMKY-ANMY")).map(|place| place.since), Some(AT));
    let nodes: Vec<_> = registry.nodes_of(office("TAMKY-ANMY")).map(|node| node.id).collect();
    assert_eq!(nodes, [node(2), node(3)]);
    assert_eq!(registry.nodes().count(), 3);
}

#[test]
fn a_node_keeps_the_serials_that_it_was_entered_with() {
    let second = SerialPart::new(1).expect("a part");
    let hub = NewNode { id: node(2), office: office("HUB"), addresses: vec![], serials: None };
    let document = edited(&founded(), |editor| {
        add_node(editor, &NewNode { serials: Some(second), ..hub.clone() }, AT)
    });
    let (addresses, serials) = (vec!["10.0.0.9:7470".into()], Some(SerialPart::FIRST));
    let again =
        edited(&document, |editor| add_node(editor, &NewNode { addresses, serials, ..hub }, AT));
    for document in [document, again] {
        let registry = Registry::read(&document);
        assert_eq!(registry.serial_part(node(1)), Some(SerialPart::FIRST), "the founder's");
        assert_eq!(registry.serial_part(node(2)), Some(second));
        assert!(registry.serials_to_give().is_empty());
    }
    let third = SerialPart::new(2).expect("a part");
    let given = edited(&founded(), |editor| set_serials(editor, node(1), third));
    assert_eq!(Registry::read(&given).serial_part(node(1)), Some(third));
}

#[test]
fn only_a_genesis_signed_by_a_node_of_the_root_is_sound() {
    let hoian = NewNode { id: node(2), office: office("HOIAN"), addresses: vec![], serials: None };
    let document = edited(&founded(), |editor| add_node(editor, &hoian, AT));
    let registry = Registry::read(&document);
    assert_eq!(genesis_is_sound(&registry, node(1)), Ok(()));
    let (other, root) = (office("HOIAN"), office("HUB"));
    let refusal = GenesisRefusal::NotRoot { office: other, root };
    assert_eq!(genesis_is_sound(&registry, node(2)), Err(refusal));
    let refusal = GenesisRefusal::UnknownAuthor { author: node(3) };
    assert_eq!(genesis_is_sound(&registry, node(3)), Err(refusal));
    assert_eq!(genesis_is_sound(&Registry::default(), node(1)), Err(GenesisRefusal::NoRoot));
}

#[test]
fn a_cycle_is_cut_at_its_least_office_and_hung_under_the_root() {
    let registry = stated(&[("B", "C"), ("C", "D"), ("D", "B"), ("E", "C"), ("SELF", "SELF")]);
    assert_eq!(registry.ancestors(office("E")), ids(&["C", "D", "B", "HUB"]));
    assert_eq!(registry.ancestors(office("SELF")), ids(&["HUB"]));
    let cycle = |id, parent| Problem::Cycle { office: office(id), parent: office(parent) };
    assert_eq!(registry.problems(), [cycle("B", "C"), cycle("SELF", "SELF")]);
}

#[test]
fn no_office_lies_deeper_than_the_limit() {
    let names: Vec<String> = (0..40).map(|depth| format!("D{depth:02}")).collect();
    let parents = ["HUB"].into_iter().chain(names.iter().map(String::as_str));
    let chain: Vec<_> = names.iter().map(String::as_str).zip(parents).collect();
    let registry = stated(&chain);
    let depths = registry.offices().map(|place| registry.ancestors(place.id));
    for ancestors in depths.filter(|ancestors| !ancestors.is_empty()) {
        assert!(ancestors.len() <= MAX_DEPTH && ancestors.last() == Some(&office("HUB")));
    }
    let too_deep = |id, parent| Problem::TooDeep { office: office(id), parent: office(parent) };
    assert_eq!(registry.problems(), [too_deep("D16", "D15"), too_deep("D32", "D31")]);
}

#[test]
fn what_makes_no_sense_is_left_out_and_named() {
    let good = node(5).to_string();
    let homeless = node(6).to_string();
    let registry = Registry::from_value(&json!({
        "federation": { "root": "HUB", "name": 7 },
        "offices": {
            "HUB": { "name": "hub", "parent": "A" },
            "A": { "name": "a", "parent": "GONE", "from a later version": [1, 2] },
            "B": { "name": "b" },
            "C": { "name": 3 },
            "D": "text",
            "no id": { "name": "e" },
        },
        "nodes": {
            good: { "office": "A", "addresses": vec!["a:1"; 99], "revoked": { "xyz": 7 } },
            homeless.clone(): { "office": "C" },
            "12": { "office": "A" },
            node(8).to_string(): { "office": "A", "addresses": "none" },
        },
    }));
    let offices: Vec<_> = registry.offices().map(|place| place.id).collect();
    assert_eq!(offices, ids(&["A", "B", "HUB"]));
    assert_eq!(registry.ancestors(office("A")), ids(&["HUB"]));
    let kept = registry.node(node(5)).expect("a node with too much in it is kept");
    assert_eq!((kept.addresses.len(), kept.last_seq(Incarnation(7))), (8, Some(0)));
    assert_eq!(registry.nodes().count(), 1);
    let problems: Vec<_> = registry.problems().iter().map(Problem::to_string).collect();
    assert_eq!(problems.len(), 9, "{problems:#?}");
    assert!(problems.contains(&format!(
        "node {} is left out: its office C is not in the registry",
        &homeless[..8]
    )));
}

#[test]
fn a_registry_without_sense_is_read_as_an_empty_one() {
    for value in [json!(null), json!([]), json!({}), json!({ "offices": 3, "nodes": [] })] {
        let registry = Registry::from_value(&value);
        assert_eq!(registry.problems(), [Problem::NoRoot]);
        assert_eq!(registry.offices().count() + registry.nodes().count(), 0);
    }
    assert_eq!(Registry::read(&Document::new()).root(), None);
}

#[test]
fn ticks_of_two_roots_at_once_are_both_kept_and_can_be_taken_back() {
    let (hoian, base) = (office("HOIAN"), founded());
    let said = |is_done| Tick { is_done, who: "cb-an".into(), at: AT };
    let mut merged = base.clone();
    for (by, need) in [(1, Need::Line), (9, Need::Power)] {
        let actor = Actor::derive(node(by), Incarnation(1));
        let draft = base.edit(actor, |editor| tick(editor, hoian, need, &said(true)));
        merged.apply(draft.expect("a sound edit").payload()).expect("both are sound");
    }
    let registry = Registry::read(&merged);
    assert_eq!(registry.tick(hoian, Need::Line), Some(&said(true)));
    assert_eq!(registry.tick(hoian, Need::Power), Some(&said(true)));
    assert_eq!(registry.tick(office("TAMKY"), Need::Line), None);
    let back = edited(&merged, |editor| tick(editor, hoian, Need::Line, &said(false)));
    assert_eq!(Registry::read(&back).tick(hoian, Need::Line), Some(&said(false)));
    assert_eq!(Registry::read(&back).problems(), []);
}

#[test]
fn a_tick_that_does_not_read_is_no_tick_and_hurts_nobody() {
    let long = "x".repeat(MAX_TEXT_BYTES + 1);
    let registry = Registry::from_value(&json!({
        "federation": { "root": "HUB" },
        "offices": {
            "HUB": { "name": "hub", "ready-line": 9 },
            "HOIAN": {
                "name": "a",
                "parent": "HUB",
                "ready-line": { "done": "yes", "who": 7 },
                "ready-power": { "done": true, "who": long, "at": 1 },
                "ready-of-later": { "done": true, "who": "cb-an", "at": 1 },
                "ready-people": { "done": true, "who": "cb-an", "at": 1, "more": [] },
            },
        },
    }));
    let held = |need: &Need| registry.tick(office("HOIAN"), *need).is_some();
    assert_eq!(Need::ALL.into_iter().filter(held).collect::<Vec<_>>(), [Need::People]);
    assert_eq!(registry.tick(office("NOBODY"), Need::Line), None);
    assert_eq!((registry.problems(), registry.offices().count()), (&[][..], 2));
    assert!(Need::ALL.iter().all(|need| Need::of(need.word()) == Some(*need)));
}

#[test]
fn revocations_of_two_roots_at_once_are_both_kept() {
    let hoian = NewNode { id: node(2), office: office("HOIAN"), addresses: vec![], serials: None };
    let base = edited(&founded(), |editor| add_node(editor, &hoian, AT));
    let base = edited(&base, |editor| revoke(editor, node(2), &BTreeMap::new()));
    let draft = |by: u8, incarnation: u64| {
        let last_seqs = BTreeMap::from([(Incarnation(incarnation), 5)]);
        let actor = Actor::derive(node(by), Incarnation(1));
        base.edit(actor, |editor| revoke(editor, node(2), &last_seqs)).expect("a sound edit")
    };
    let mut merged = base.clone();
    for draft in [draft(1, 11), draft(9, 12)] {
        merged.apply(draft.payload()).expect("both are sound");
    }
    let registry = Registry::read(&merged);
    let revoked = registry.node(node(2)).and_then(|node| node.revoked.clone());
    assert_eq!(revoked, Some(BTreeMap::from([(Incarnation(11), 5), (Incarnation(12), 5)])));
}

/// Registries with any parents at all: unknown ones, cycles, chains.
fn any_registry() -> impl Strategy<Value = Registry> {
    let entry = prop_oneof![
        (0..32_u8).prop_map(|parent| json!({ "name": "n", "parent": format!("O{parent}") })),
        Just(json!({ "name": "n" })),
        Just(Value::Null),
    ];
    proptest::collection::vec(entry, 0..32).prop_map(|entries| {
        let offices: BTreeMap<String, Value> =
            (0..).map(|id| format!("O{id}")).zip(entries).collect();
        Registry::from_value(&json!({ "federation": { "root": "O0" }, "offices": offices }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn closure_is_idempotent_and_monotone(
        registry in any_registry(),
        some in proptest::collection::btree_set(0..40_u8, 0..6),
        more in proptest::collection::btree_set(0..40_u8, 0..6),
    ) {
        let ids = |numbers: &BTreeSet<u8>| -> BTreeSet<OfficeId> {
            numbers.iter().map(|number| office(&format!("O{number}"))).collect()
        };
        let closed = registry.closure(ids(&some));
        prop_assert!(closed.is_superset(&ids(&some)));
        prop_assert_eq!(&registry.closure(closed.clone()), &closed);
        let larger = registry.closure(ids(&some).union(&ids(&more)).copied());
        prop_assert!(larger.is_superset(&closed));
        let apart: BTreeSet<_> = closed.union(&registry.closure(ids(&more))).copied().collect();
        prop_assert_eq!(larger, apart);
    }

    #[test]
    fn every_office_of_any_registry_stands_under_the_root(registry in any_registry()) {
        for place in registry.offices() {
            let ancestors = registry.ancestors(place.id);
            prop_assert!(ancestors.len() <= MAX_DEPTH);
            let top = ancestors.last().copied().unwrap_or(place.id);
            prop_assert!(registry.root().is_none_or(|root| root == top));
            prop_assert!(!registry.is_ancestor(place.id, place.id));
        }
    }
}
