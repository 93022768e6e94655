//! What a returning office tells.

use super::*;

fn link(unsent: u64, is_settled: bool) -> TreeLink {
    let office = |name: &str| name.parse().expect("the tests name offices well");
    let root = "aa".to_owned();
    TreeLink {
        office: office("EAST"),
        peer: office("HUB"),
        changes: 40,
        unsent,
        is_settled,
        peer_root: root.clone(),
        root,
    }
}

#[test]
fn a_returning_office_tells_each_step_once() {
    let office = link(0, true).office;
    let mut returning = Returning { office, unsent: 40, left: 40, is_settled: false };
    assert_eq!(returning.follow(&link(40, false)), None);
    let words = returning.follow(&link(28, false)).expect("12 were sent");
    assert!(words.ends_with("back, 12 of 40 changes"), "{words}");
    assert_eq!(returning.follow(&link(28, false)), None);
    let words = returning.follow(&link(0, true)).expect("settled");
    assert!(words.ends_with("settled, 40 of 40 changes"), "{words}");
    assert_eq!(returning.follow(&link(0, true)), None);
}
