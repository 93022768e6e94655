//! What the operator of a hub reads on a terminal.

use lienthong_request::Request;
use serde_json::json;

use crate::words::words;

#[test]
fn the_board_leads_with_its_numbers_and_leaves_out_who_has_not_joined() {
    let row = |office: &str, state: &str, at_risk: u64| {
        json!({ "office": office, "name": "Hội An\u{1b}[31m", "at_risk": at_risk,
            "standing": { "state": state, "heard_ms": 1_764_000_000_000_u64, "skew_ms": -190_000 },
            "held": { "overdue": 2 },
            "report": { "unsent": 4, "waiting": 1, "program": "lienthong 0.1.0",
                "quarantined": [{ "changes": 2 }, { "changes": 3 }] } })
    };
    let answer = json!({ "dossiers_known": false,
        "numbers": { "settled": 2, "joined": 3, "cut_off": 1, "overdue": 5, "at_risk": 7 },
        "offices": [row("HOIAN", "cut-off", 7), row("NONGSON", "not-joined", 0)] });
    let shown = words(&Request::Board, &answer);
    assert!(shown.starts_with("đã khớp / settled: 2 / 3\n"), "{shown}");
    for part in ["due dates at risk: 7", "mất kết nối / cut off", "-190000", " 5  2025-11-24 23:00"]
    {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
    assert!(!shown.contains("NONGSON") && !shown.contains('\u{1b}'), "{shown}");
    assert!(shown.ends_with("dossiers cannot be counted yet"), "{shown}");
}

#[test]
fn one_office_shows_its_nodes_its_contact_and_its_quarantine() {
    let answer = json!({
        "links": [{ "office": "HOIAN", "state": "connected", "settled": true }],
        "nodes": [{ "node": "ab", "addresses": ["a:1"], "since_ms": 0, "revoked": true }],
        "contact": [{ "at_ms": 1_764_000_000_000_u64, "up": false }],
        "quarantine": [{ "document": "d-1", "reason": "unfit" }] });
    let office = "HOIAN".parse().expect("an office id");
    let shown = words(&Request::BoardOffice { office }, &answer);
    for part in ["đã nối / connected", "có / yes", "mất kết nối / lost", "d-1", "unfit"]
    {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
}

#[test]
fn the_roll_out_says_what_is_lacking_and_codes_say_how_far_they_are() {
    let answer = json!({ "waves": [{ "wave": 2017, "offices": [
        { "office": "HOIAN", "name": "Hội An", "joined_ms": null, "below": 13, "below_joined": 2,
            "ready": { "clock": true, "disk": false },
            "list": [{ "need": "line", "done": false }, { "need": "power", "done": true }] },
        { "office": "TAMKY", "below": 0, "below_joined": 0, "ready": {}, "list": [] }] }] });
    let shown = words(&Request::Rollout, &answer);
    assert!(
        shown.contains("2 / 13") && shown.contains("  disk ") && shown.contains("  line "),
        "{shown}"
    );
    assert!(!shown.contains("clock") && !shown.contains("power"), "{shown}");
    let code = |state: &str, is_over: bool| {
        json!({ "id": "0a1b", "office": "HOIAN", "expires": 0, "is_over": is_over,
            "standing": { "state": state } })
    };
    let answer = json!({ "invitations": [code("open", true), code("withdrawn", false),
        code("of-later", false)] });
    let shown = words(&Request::Invitations, &answer);
    for part in ["hết hạn / expired", "đã thu lại / withdrawn", "of-later"] {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
}
