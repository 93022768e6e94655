//! The links of a tree as both ends see them.

use lienthong_federation::Office;

use super::*;

fn id(name: &str) -> OfficeId {
    name.parse().expect("the tests name offices well")
}

fn province() -> Province {
    let office = |name: &str, above: Option<&str>| Office::new(id(name), name, "", above.map(id));
    let offices =
        vec![office("HUB", None), office("EAST", Some("HUB")), office("HILL", Some("EAST"))];
    Province { name: "test".into(), root: id("HUB"), offices }
}

fn status(links: &[(&str, &str, bool, u64)]) -> Value {
    let link = |link: &(&str, &str, bool, u64)| {
        let (office, root, settled, unsent) = link;
        json!({ "office": office, "root": root, "settled": settled, "unsent": unsent })
    };
    json!({ "changes": 9, "links": links.iter().map(link).collect::<Vec<_>>() })
}

fn links(hub: Value, east: Value, hill: Value) -> Vec<TreeLink> {
    let statuses = [(id("HUB"), hub), (id("EAST"), east), (id("HILL"), hill)];
    tree_links(&province(), &statuses.into())
}

#[test]
fn each_link_stands_once_with_what_both_ends_say() {
    let hub = status(&[("EAST", "aa", true, 0)]);
    let east = status(&[("HUB", "aa", true, 0), ("HILL", "bb", true, 0)]);
    let found = links(hub, east, status(&[("EAST", "bb", true, 0)]));
    let pairs = found.iter().map(|link| (link.office.as_str(), link.peer.as_str()));
    let pairs: Vec<_> = pairs.collect();
    assert_eq!(pairs, [("EAST", "HUB"), ("HILL", "EAST")]);
    assert!(found.iter().all(TreeLink::is_equal));
}

#[test]
fn a_root_that_differs_or_an_end_that_is_open_is_not_equal() {
    let hub = || status(&[("EAST", "aa", true, 0)]);
    let hill = || status(&[]);
    let other_root = links(hub(), status(&[("HUB", "ab", true, 0)]), hill());
    assert!(!other_root[0].is_equal());
    let open_here = links(hub(), status(&[("HUB", "aa", false, 0)]), hill());
    assert!(!open_here[0].is_equal());
    let unknown_there = links(status(&[]), status(&[("HUB", "aa", true, 0)]), hill());
    assert!(!unknown_there[0].is_equal());
}
