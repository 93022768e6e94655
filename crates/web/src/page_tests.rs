use serde_json::json;

use super::*;
use crate::words::Words;

fn sentence(link: &Value) -> String {
    let words = Words::parse(&[Words::FRAME]).expect("the words are good");
    let offices = json!({ "offices": [
        { "id": "tinh", "name": "Trung tâm tỉnh", "parent": null },
        { "id": "hoian", "name": "Hội An", "parent": "tinh" },
    ]});
    let offices = Offices::of(&offices, Moment(0));
    let status = json!({ "office": "hoian", "links": [link] });
    sync_sentence(Tongue::new(&words, Language::Vietnamese), &status, &offices)
}

#[test]
fn a_clerk_reads_how_far_syncing_is() {
    let at = 1_764_000_000_000_u64;
    let link = |state: &str, settled: bool, contact: Value| {
        json!({ "office": "tinh", "state": state, "settled": settled, "unsent": 12,
            "last_contact_ms": contact, "settled_at_ms": at })
    };
    let settled = sentence(&link("connected", true, json!(at)));
    assert_eq!(settled, "Mọi hồ sơ đã có ở Trung tâm tỉnh lúc 23:00 24/11/2025.");
    let working = sentence(&link("connected", false, json!(at)));
    assert!(working.contains("Chưa gửi: 12"), "{working}");
    let away = sentence(&link("waiting", false, json!(at)));
    assert!(away.starts_with("Mất kết nối với Trung tâm tỉnh từ 23:00"), "{away}");
    assert!(away.contains("sẽ tự gửi. Chưa gửi: 12."), "{away}");
    let never = sentence(&link("dialing", false, Value::Null));
    assert!(never.starts_with("Chưa kết nối được"), "{never}");
}

#[test]
fn a_circle_in_the_tree_ends() {
    let offices = json!({ "offices": [
        { "id": "a", "name": "A", "parent": "b" }, { "id": "b", "name": "B", "parent": "a" },
    ]});
    assert_eq!(Offices::of(&offices, Moment(0)).above("a"), ["b", "a"]);
}

#[test]
fn style_and_script_fit_their_budgets() {
    let [style, own, htmx] = [0, 1, 2].map(|at: usize| ASSETS[at].2.len());
    // Uncompressed bounds that gzip halves at least: 12 kB of style, 26 kB of script.
    assert!(style <= 12 << 10, "{style}");
    assert!(own <= 6 << 10 && htmx <= 53 << 10, "{own} {htmx}");
}
