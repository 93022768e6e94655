use lienthong_web::Words;
use serde_json::json;

use super::*;
use crate::WORDS;

fn words_of_all() -> Words {
    Words::parse(&[Words::FRAME, WORDS]).expect("the words are good")
}

#[test]
fn a_clock_is_told_in_days_hours_and_minutes_of_work() {
    let words = words_of_all();
    let t = Tongue::new(&words, Language::Vietnamese);
    let told = |clock: Value| clock_words(t, &clock);
    let running = |left: u64, late: u64| {
        json!({ "state": "running", "due_ms": 1, "remaining_minutes": left,
            "late_by_minutes": late })
    };
    assert_eq!(told(running(960, 0)), ("Còn 2 ngày làm việc.".into(), false));
    assert_eq!(told(running(0, 185)), ("Quá hạn 3 giờ.".into(), true));
    assert_eq!(told(running(59, 0)), ("Còn 59 phút.".into(), false));
    assert_eq!(told(running(600, 0)), ("Còn 1 ngày làm việc 2 giờ.".into(), false));
    assert_eq!(told(Value::Null), ("Chưa tính được thời hạn.".into(), false));
}

#[test]
fn what_the_center_holds_is_said_of_each_dossier() {
    let words = words_of_all();
    let t = Tongue::new(&words, Language::Vietnamese);
    let offices = json!({ "offices": [
        { "id": "tinh", "name": "Trung tâm tỉnh", "parent": null },
        { "id": "hoian", "name": "Hội An", "parent": "tinh" } ]});
    let at = |settled_ms: Value, is_settled: bool, last_ms: u64| {
        let status = json!({ "office": "hoian", "links": [{ "office": "tinh",
            "settled": is_settled, "settled_at_ms": settled_ms }] });
        let shown = json!({ "acts": [{ "office": "hoian", "at": last_ms },
            { "office": "tinh", "at": 9_999_999_999_999_u64 }] });
        Offices::of(&offices, &status).at_center(t, &status, &shown)
    };
    let settled = json!(1_764_000_000_000_u64);
    let known = at(settled.clone(), true, 1_763_999_000_000).expect("somebody is above");
    assert!(known.starts_with("Đã có ở Trung tâm tỉnh lúc 23:00"), "{known}");
    let later = at(settled, false, 1_764_000_000_001).expect("somebody is above");
    assert!(later.starts_with("Chưa gửi đến Trung tâm tỉnh"), "{later}");
    assert!(at(Value::Null, false, 1).is_some_and(|words| words.starts_with("Chưa gửi")));
    let hub = json!({ "office": "tinh", "links": [] });
    assert_eq!(Offices::of(&offices, &hub).at_center(t, &hub, &json!({})), None);
}

#[test]
fn offices_above_come_first_and_a_circle_of_parents_ends() {
    let offices = json!({ "offices": [
        { "id": "a", "name": "Ân", "parent": "b" }, { "id": "b", "name": "Bình", "parent": "c" },
        { "id": "c", "parent": "a" }, { "id": "d", "name": "Áo", "parent": "b" } ]});
    let offices = Offices::of(&offices, &json!({ "office": "d" }));
    let ids: Vec<String> = offices.choices().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["b", "c", "a"]);
    assert_eq!((offices.name("c"), offices.name("unknown")), ("c", "unknown"));
}

#[test]
fn a_due_is_written_as_people_write_it() {
    assert_eq!(due(&json!("2025-11-28T17:00")), "17:00 28/11/2025");
    assert_eq!(due(&json!("2025-11-28")), "28/11/2025");
    assert_eq!(due(&Value::Null), "");
}
