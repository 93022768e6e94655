//! What was published, in words: every fact that is there, both languages, no control characters.

use serde_json::json;

use super::*;

#[test]
fn a_procedure_is_told_with_its_limits_papers_and_steps() {
    let answer = json!({
        "code": "1.001193.H47",
        "version": 2,
        "valid_from": "2025-07-01",
        "procedure": {
            "name": "Khai sinh\u{1b}[31m",
            "channels": ["counter", "online"],
            "limits": [
                { "amount": 2, "half": true, "unit": "working_day", "case": "phải xác minh" },
                { "amount": 1, "unit": "same_day" },
            ],
            "components": [{ "code": "TP01", "name": "Tờ khai", "originals": 1, "copies": 0 }],
            "flow": { "steps": [{ "role": "xa", "act": "kiểm tra" }] },
        },
    });
    let words = procedure_in_words(&answer);
    for line in [
        "bản / version: 2",
        "hiệu lực từ / valid from: 2025-07-01",
        "kênh / channels: counter, online",
        "  thời hạn / limit: 2,5 ngày làm việc / 2.5 working days; phải xác minh",
        "  thời hạn / limit: trong ngày / same day",
        "  TP01 Tờ khai (1 bản chính, 0 bản sao)",
        "  bước / step: xa: kiểm tra",
    ] {
        assert!(words.lines().any(|told| told == line), "{line} is not in:\n{words}");
    }
    assert!(!words.contains('\u{1b}'), "what others wrote steers no terminal");
}

#[test]
fn a_calendar_is_told_in_the_order_of_its_days() {
    let answer = json!({
        "year": 2026,
        "version": 1,
        "working_days": 249,
        "calendar": { "days": {
            "off": [
                { "date": "2026-01-02", "name": "Hoán đổi", "kind": "swapped" },
                { "date": "2026-11-24", "name": "Văn hóa", "kind": "holiday", "confirmed": false },
            ],
            "make_up": [{ "date": "2026-01-10", "replaces": "2026-01-02" }],
        } },
    });
    let words = calendar_in_words(&answer);
    assert!(words.starts_with("năm / year: 2026\nbản / version: 1\n"), "{words}");
    let days: Vec<&str> = words.lines().filter_map(|line| line.get(..10)).collect();
    assert!(days.ends_with(&["2026-01-02", "2026-01-10", "2026-11-24"]), "{words}");
    assert!(words.contains("unconfirmed"), "{words}");
}

#[test]
fn a_publication_tells_which_offices_the_registry_lacks() {
    let answer = json!({ "published": "catalogue", "version": 1, "procedures": 71 });
    let words = published_in_words(&answer);
    assert_eq!(
        words,
        "đã công bố / published: catalogue\nbản / version: 1\nthủ tục / procedures: 71"
    );
    let lacking = json!({ "version": 1, "unknown_offices": ["QNM-X"] });
    assert!(published_in_words(&lacking).ends_with("not in the registry: QNM-X"));
}
