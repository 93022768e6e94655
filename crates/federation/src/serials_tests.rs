use serde_json::{Value, json};

use super::*;

fn office(name: &str) -> OfficeId {
    name.parse().expect("the tests name offices well")
}

fn node(number: u8) -> NodeId {
    NodeId::from_bytes([number; 32])
}

fn part(number: u64) -> Option<SerialPart> {
    SerialPart::new(number)
}

/// A registry of nodes by number, each with its office, when it joined, and what else is said.
fn registry(nodes: &[(u8, &str, u64, Value)]) -> Registry {
    let mut entries = serde_json::Map::new();
    for (number, office, since, more) in nodes {
        let mut entry = json!({ "office": office, "since": since });
        let fields = entry.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        entries.insert(node(*number).to_string(), entry);
    }
    let unit = |name: &str, code: &str| json!({ "name": name, "parent": "HUB", "unit_code": code });
    Registry::from_value(&json!({
        "federation": { "root": "HUB" },
        "offices": {
            "HUB": { "name": "HUB" },
            "EAST": unit("EAST", "H47.1"),
            "WEST": unit("WEST", "H47.2"),
            "SHORE": unit("SHORE", "H47.1"),
            "A": unit("A", ""),
            "B": unit("B", ""),
        },
        "nodes": entries,
    }))
}

#[test]
fn the_parts_share_out_every_serial_once() {
    let mut seen = BTreeSet::new();
    for part in (0..u64::from(SerialPart::COUNT)).filter_map(SerialPart::new) {
        for place in 1..=SerialPart::PLACES {
            let serial = part.serial(place).expect("a place of the part");
            assert!((1..=99_999).contains(&serial), "{serial}");
            assert!(seen.insert(serial), "{serial} is in two parts");
            assert_eq!(SerialPart::locate(serial), Some((part, place)));
        }
        assert_eq!((part.serial(0), part.serial(SerialPart::PLACES + 1)), (None, None));
    }
    assert_eq!(seen.len(), 99_990, "all but 1000, 2000 and so on up to 9000");
    assert_eq!(SerialPart::new(u64::from(SerialPart::COUNT)), None);
}

#[test]
fn parts_begin_with_four_digits_and_go_on_with_five() {
    let cases = [
        (0, 1, 1),
        (0, 999, 999),
        (0, SerialPart::LONG, 10_000),
        (0, SerialPart::PLACES, 18_999),
        (1, 1, 1_001),
        (1, SerialPart::LONG, 19_000),
        (9, 999, 9_999),
        (9, SerialPart::PLACES, 99_999),
    ];
    for (number, place, serial) in cases {
        let part = SerialPart::new(number).expect("a part");
        assert_eq!(part.serial(place), Some(serial), "part {number}, place {place}");
    }
}

#[test]
fn a_serial_leads_to_its_part() {
    let cases = [
        (0, None),
        (1, Some((0, 1))),
        (1_000, None),
        (1_001, Some((1, 1))),
        (9_999, Some((9, 999))),
        (10_000, Some((0, 1_000))),
        (99_999, Some((9, 9_999))),
        (100_000, None),
        (u32::MAX, None),
    ];
    for (serial, expected) in cases {
        let found = SerialPart::locate(serial).map(|(part, place)| (part.number(), place));
        assert_eq!(found, expected, "{serial}");
    }
}

#[test]
fn a_new_node_takes_a_part_that_nobody_ever_had() {
    let revoked = json!({ "serials": 1, "revoked": {} });
    let known = registry(&[
        (1, "EAST", 1, json!({ "serials": 0 })),
        (2, "EAST", 2, revoked),
        (3, "WEST", 3, json!({ "serials": 0 })),
    ]);
    assert_eq!(known.free_serial_part(office("EAST")), part(2));
    assert_eq!(known.free_serial_part(office("WEST")), part(1));
    assert_eq!(known.free_serial_part(office("A")), part(0));
    assert_eq!((known.serial_part(node(1)), known.serial_part(node(2))), (part(0), None));
}

#[test]
fn when_every_part_was_given_those_of_revoked_nodes_are_given_again() {
    let mut nodes: Vec<_> =
        (0..10).map(|k| (k, "EAST", u64::from(k), json!({ "serials": k }))).collect();
    assert_eq!(registry(&nodes).free_serial_part(office("EAST")), None);
    nodes[4].3 = json!({ "serials": 4, "revoked": {} });
    assert_eq!(registry(&nodes).free_serial_part(office("EAST")), part(4));
    nodes.push((20, "EAST", 20, json!({ "serials": 4 })));
    let known = registry(&nodes);
    assert_eq!(known.serial_part(node(20)), part(4), "the revoked node has it no more");
    assert_eq!(known.free_serial_part(office("EAST")), None);
}

#[test]
fn nodes_of_an_old_registry_have_the_part_of_their_rank() {
    let old = [(9, "EAST", 5, json!({})), (3, "EAST", 7, json!({}))];
    let known = registry(&old);
    assert_eq!((known.serial_part(node(9)), known.serial_part(node(3))), (part(0), part(1)));
    assert_eq!(known.free_serial_part(office("EAST")), part(2));
    let gone = [(9, "EAST", 5, json!({ "revoked": {} })), (3, "EAST", 7, json!({}))];
    assert_eq!(registry(&gone).serial_part(node(3)), part(1), "a rank does not move");
}

#[test]
fn of_two_nodes_with_one_part_the_first_to_join_has_it() {
    let twice = [(7, "EAST", 2, json!({ "serials": 1 })), (1, "EAST", 3, json!({ "serials": 1 }))];
    let known = registry(&twice);
    assert_eq!((known.serial_part(node(7)), known.serial_part(node(1))), (part(1), None));
    assert_eq!(known.free_serial_part(office("EAST")), part(0));
}

#[test]
fn offices_with_one_unit_code_share_its_serials() {
    let known = registry(&[
        (1, "EAST", 1, json!({ "serials": 0 })),
        (2, "A", 1, json!({ "serials": 0 })),
        (3, "B", 2, json!({ "serials": 0 })),
    ]);
    assert_eq!(known.free_serial_part(office("SHORE")), part(1));
    assert_eq!(known.serial_part(node(3)), part(0), "no code is no shared code");
}

#[test]
fn a_part_that_does_not_exist_counts_as_none_given() {
    for odd in [json!(10), json!(-1), json!("0"), json!([1]), Value::Null] {
        let known = registry(&[(1, "EAST", 1, json!({ "serials": odd }))]);
        assert_eq!(known.serial_part(node(1)), part(0), "{odd}");
    }
    assert_eq!(registry(&[]).serial_part(node(1)), None);
}

#[test]
fn the_root_office_writes_down_what_holds_by_rank_and_gives_what_is_missing() {
    let known = registry(&[
        (1, "EAST", 1, json!({})),
        (2, "EAST", 2, json!({ "serials": 2 })),
        (3, "SHORE", 3, json!({ "serials": 2 })),
        (4, "EAST", 4, json!({ "serials": 2 })),
        (5, "WEST", 5, json!({ "serials": 0 })),
        (6, "WEST", 6, json!({ "revoked": {} })),
    ]);
    let given: Vec<_> = known.serials_to_give().into_iter().collect();
    let expected = [(1, 0), (3, 1), (4, 3)];
    let expected = expected.map(|(id, number)| (node(id), part(number).expect("a part")));
    assert_eq!(given, expected);
}

#[test]
fn a_node_for_which_no_part_is_left_gets_none() {
    let nodes: Vec<_> =
        (0..11).map(|k| (k, "EAST", u64::from(k), json!({ "serials": k }))).collect();
    let known = registry(&nodes);
    assert_eq!(known.serial_part(node(10)), None);
    assert!(known.serials_to_give().is_empty());
}
