//! When a first load is shown, and how far it says that it is.

use serde_json::json;

use super::*;

fn link(settled: bool, here: u64, there: Option<u64>) -> Value {
    json!({ "settled": settled, "shared_changes": here, "peer_changes": there })
}

#[test]
fn a_load_is_what_unsettled_links_lack() {
    let of = |links: &[Value]| Load::of(&json!({ "links": links }));
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[link(false, 3, None)]), None, "the peer has not said how many");
    assert_eq!(of(&[link(false, 9, Some(9))]), None, "as many, only not compared yet");
    assert_eq!(of(&[link(true, 3, Some(8))]), None, "an old count of a settled link");
    let two = [link(false, 3, Some(8)), link(false, 1, Some(10)), link(false, 7, Some(2))];
    assert_eq!(of(&two), Some(Load { changes: 4, total: 18 }));
}

#[test]
fn the_templates_of_the_bars_parse() {
    assert_eq!(load_bar().length(), Some(0));
}
