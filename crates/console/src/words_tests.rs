//! Words for people, by data: what each answer says, and that no answer steers a terminal.

use lienthong_request::AccessFilter;
use serde_json::json;

use super::*;

fn link(office: &str) -> Value {
    json!({
        "office": office, "node": "ab12", "state": "connected", "settled": true,
        "root": "0123456789abcdef0123", "shared_changes": 12, "peer_changes": 12, "unsent": 0,
        "last_contact_ms": 1_764_000_000_000_u64, "rtt_ms": 3, "last_close": null,
    })
}

#[test]
fn columns_are_as_wide_as_what_people_see() {
    let rows = [
        vec!["Trà My".to_owned(), "7".to_owned()],
        // The same two words with their marks as characters of their own.
        vec!["Tra\u{300} My".to_owned(), "12".to_owned()],
        vec!["-".to_owned(), "-".to_owned()],
    ];
    let table = table(&[("tên", "name"), ("số", "count")], &rows);
    let wanted = "tên        số\nname    count\nTrà My      7\nTra\u{300} My     12\n-           -";
    assert_eq!(table, wanted);
}

#[test]
fn a_long_cell_is_cut_and_texts_stay_left() {
    let rows = [vec!["x".repeat(200), "2a".to_owned()], vec![String::new(), "3".to_owned()]];
    let table = table(&[("a", "a"), ("b", "b")], &rows);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[2], format!("{}…  2a", "x".repeat(79)));
    assert_eq!(lines[3].chars().filter(|c| *c == ' ').count(), 82);
}

#[test]
fn what_others_wrote_steers_no_terminal() {
    let bad = "\u{1b}[2Jred\r\n\u{202e}txt";
    let acts = json!([{ "kind": bad, "office": bad, "officer": bad, "note": bad, "at": 0 }]);
    let value = json!({
        "code": bad, "note": bad, "due": bad, "procedure": bad, "field": bad, "acts": acts,
        "applicant": { "name": bad }, "offices": { "holder": bad }, "heads": [],
        "review": [{ "kind": "conflict", "words": bad, "words_vi": bad }, { "kind": bad }],
    });
    let shown = words(&Request::Show { dossier: String::new() }, &value);
    assert!(shown.contains("red"), "{shown}");
    let steers = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(shown.chars().find(steers), None, "{shown:?}");
    let offices = json!({ "offices": [{ "id": "A", "name": bad, "tier": bad }] });
    let shown = words(&Request::Offices, &offices);
    assert_eq!(shown.lines().count(), 3, "{shown:?}");
}

#[test]
fn status_has_facts_links_alarms_and_why_a_link_is_down() {
    let mut down = link("QNM-HOIAN");
    down["state"] = json!("down");
    down["last_close"] = json!({ "code": "idle", "by_peer": false, "at_ms": 0 });
    let alarm = json!({ "code": "clock-skew", "office": "QNM-X", "at_ms": 0, "remedy": "set it" });
    let answer = json!({
        "office": "QNM-HCC", "documents": 3, "links": [link("QNM-TAMKY"), down],
        "alarms": [alarm],
    });
    let shown = words(&Request::Status, &answer);
    let wanted = "đơn vị / office       QNM-HCC\ntài liệu / documents  3\n\n";
    assert!(shown.starts_with(wanted), "{shown}");
    for part in ["đã nối / connected", "mất nối / down", "QNM-HOIAN, idle, 1970-01-01 07:00:00"]
    {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
    assert_eq!(shown.matches("last close").count(), 1, "{shown}");
    assert!(shown.ends_with("clock-skew: QNM-X, 1970-01-01 07:00:00; set it"), "{shown}");
    assert!(words(&Request::Peers, &json!({ "links": [] })).contains("no links"));
}

#[test]
fn ping_says_who_answers_and_how_fast() {
    let shown =
        words(&Request::Ping { office: "QNM-HCC".parse().expect("an id") }, &link("QNM-HCC"));
    assert!(shown.starts_with("QNM-HCC: trả lời sau 3 ms / answers after 3 ms\n"), "{shown}");
}

#[test]
fn lists_say_the_official_names_of_statuses() {
    let dossier = json!({
        "code": "000.00.17.H47-261124-0001", "status": 5, "procedure": "1.001193.H47",
        "applicant": "N*** H***", "due": null, "holder": "QNM-HOIAN", "acts": 3, "review": 1,
    });
    let shown = words(&Request::List(Box::default()), &json!({ "dossiers": [dossier] }));
    assert!(shown.contains("yêu cầu bổ sung / supplement asked"), "{shown}");
    let none = words(&Request::List(Box::default()), &json!({ "dossiers": [] }));
    assert_eq!(none, "không có hồ sơ / no dossiers");
}

#[test]
fn a_dossier_has_its_facts_its_acts_and_what_is_to_be_decided() {
    let act = |kind: &str| {
        json!({
            "kind": kind, "office": "QNM-HOIAN", "officer": "Lan", "at": 0, "effect": "effective",
            "reason": "thiếu", "note": "gấp", "id": format!("6988b170-1-{kind}"),
        })
    };
    let value = json!({
        "code": "C-1", "id": "D-1", "status": 4, "due": "2026-12-01", "procedure": "P",
        "applicant": { "name": "Nguyễn Thị Hạnh" }, "acts": [act("received"), act("in-process")],
        "offices": { "receiving": "QNM-HOIAN", "competent": "QNM-HCC", "holder": "QNM-HOIAN" },
        "review": [{ "kind": "unreadable", "entries": 2 }],
    });
    let shown = words(&Request::Show { dossier: "C-1".into() }, &value);
    for part in [
        "đang xử lý / in process",
        "Nguyễn Thị Hạnh",
        "tiếp nhận / received",
        "có / counts",
        "6988b170-1-in-process  thiếu; gấp",
        "2 entries cannot be read",
    ] {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
}

#[test]
fn every_kind_of_act_and_verdict_has_words_in_both_languages() {
    for kind in ActKind::ALL {
        let shown = act_words(&json!(kind.word()));
        assert!(shown.ends_with(&format!(" / {}", kind.word())), "{shown}");
    }
    assert_eq!(act_words(&json!("of-later")), "of-later");
    assert_eq!(verdict(&json!("waiting-for-author")), "đang chờ / waiting-for-author");
    assert_eq!(verdict(&json!("of-later")), "of-later");
}

#[test]
fn an_outbox_says_what_is_sent_to_whom_and_what_others_send() {
    let message = json!({
        "key": "D-1:a-2:sms", "code": "C-1", "event": "finished", "channel": "sms",
        "to": "***123", "queued_at_ms": 0,
    });
    let answer = json!({ "messages": [message], "elsewhere": 2, "more": true, "behind": 0 });
    let shown = words(&Request::Outbox, &answer);
    for part in ["/ finished", "***123", "D-1:a-2:sms", "2 messages wait", "send these first"] {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
    let none = json!({ "messages": [], "elsewhere": 0, "more": false, "behind": 0 });
    let shown = words(&Request::Outbox, &none);
    assert_eq!(shown, "nút này không phải gửi gì / nothing is to be sent by this node");
}

#[test]
fn a_rebuild_says_what_it_does_and_how_much_is_left() {
    let shown = words(&Request::RebuildViews, &json!({ "behind": 12, "schema": 1 }));
    assert!(shown.contains("còn 12 hồ sơ") && shown.contains("12 dossiers to go"), "{shown}");
}

#[test]
fn history_nodes_and_offices_are_tables() {
    let change = json!({ "change": "c".repeat(64), "verdict": "accepted", "office": "A",
        "at_ms": null, "bytes": 210 });
    let history = words(
        &Request::History { dossier: "C-1".into() },
        &json!({ "code": "C-1", "changes": [change] }),
    );
    assert!(history.contains("chấp nhận / accepted    210  cccccccccccccccc"), "{history}");
    let node = json!({ "node": "ab", "office": "A", "addresses": ["a:1", "b:2"], "revoked": true });
    let nodes = json!({ "nodes": [node], "waiting": [{ "office": "B", "node": "cd" }] });
    let shown = words(&Request::Nodes, &nodes);
    assert!(shown.contains("a:1, b:2   có / yes  ab"), "{shown}");
    assert!(shown.contains("chờ phê duyệt") && shown.ends_with("cd"), "{shown}");
    let office = json!({ "id": "A", "tier": "commune", "parent": null, "nodes": 0, "name": "Xã" });
    let shown = words(&Request::Offices, &json!({ "offices": [office] }));
    assert!(shown.contains("xã / commune"), "{shown}");
}

#[test]
fn facts_leave_out_what_nobody_knows() {
    let shown = facts(&json!({ "code": "C-1", "due": null, "acts": [], "other": 1 }));
    assert_eq!(shown, "mã / code  C-1");
    assert_eq!(
        titled("T", &json!({ "expires_ms": 0 })),
        "T\nhết hạn / expires  1970-01-01 07:00:00"
    );
}

#[test]
fn settings_look_like_their_file() {
    let setting = json!({ "listen": { "value": "\"0.0.0.0:7400\"", "from": "default" } });
    let shown = settings(&json!({ "settings": setting }));
    assert_eq!(shown, "listen = \"0.0.0.0:7400\"  # default");
}

#[test]
fn times_are_those_of_vietnam() {
    assert_eq!(local_time(1_764_000_000_123), "2025-11-24 23:00:00");
    assert_eq!(local_time(1_764_003_600_000), "2025-11-25 00:00:00");
    assert_eq!(local_time(u64::MAX).len(), local_time(u64::MAX).trim().len(), "no panic");
}

#[test]
fn a_review_says_what_to_decide_and_what_to_check() {
    let answer = json!({
        "code": "000.00.19.H47-260105-0001",
        "review": [{ "kind": "unreadable", "entries": 2 }],
        "findings": [{ "code": "future-date", "words_vi": "ngày ở tương lai", "words": "later" }],
        "clock": { "due_ms": 1_767_607_200_000_u64 },
    });
    let request = Request::Review { dossier: "000.00.19.H47-260105-0001".into() };
    let shown = words(&request, &answer);
    assert!(shown.contains("2 mục không đọc được / 2 entries cannot be read"), "{shown}");
    assert!(shown.contains("cần kiểm tra / to be checked: ngày ở tương lai / later"), "{shown}");
    assert!(shown.contains("hẹn trả / due: 2026-01-05 17:00:00"), "{shown}");
    let calm = json!({ "code": "000.00.19.H47-260105-0001", "review": [], "findings": [] });
    assert!(words(&request, &calm).contains("không có gì phải xem lại / nothing to look at"));
}

#[test]
fn a_list_of_reviews_says_what_and_which_office_must_look() {
    let filter = lienthong_request::Filter { review: true, ..Default::default() };
    let request = Request::List(Box::new(filter));
    let dossier = json!({
        "code": "000.00.19.H47-260105-0001", "status": 9, "review": 1, "unconfirmed": 2,
        "findings": 0,
        "open": {
            "code": "conflict", "office": "EAST", "words_vi": "cần quyết định", "words": "decide",
        },
    });
    let shown = words(&request, &json!({ "dossiers": [dossier], "next": "000000000000000a" }));
    assert!(shown.contains("cần quyết định / decide"), "{shown}");
    assert!(shown.contains("EAST") && shown.contains(" 3 "), "{shown}");
    assert!(shown.contains("--after 000000000000000a"), "{shown}");
    let twice = json!({ "series": "AA/26E", "number": "123",
        "dossiers": [{ "id": "d-1", "code": "C-1" }, { "id": "d-2", "code": "C-2" }] });
    let shown = words(&request, &json!({ "dossiers": [], "receipts": [twice] }));
    assert!(shown.contains("receipt AA/26E 123 stands in several dossiers: C-1, C-2"), "{shown}");
    assert!(!shown.contains("nothing to look at"), "{shown}");
    let none = words(&request, &json!({ "dossiers": [] }));
    assert!(none.contains("không có gì phải xem lại / nothing to look at"), "{none}");
}

#[test]
fn a_status_says_how_much_somebody_has_to_look_at() {
    let review = json!({ "dossiers": 3, "questions": 1, "unconfirmed": 2, "findings": 4 });
    let views =
        json!({ "behind": 0, "documents": 9, "filings": 8, "overdue": 5, "review": review });
    let text = words(&Request::Status, &json!({ "links": [], "views": views }));
    let line = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().last().unwrap_or_default().to_owned()
    };
    assert_eq!(
        [line("hồ sơ cần"), line("cần kiểm tra"), line("quá hạn")],
        ["3", "4", "5"],
        "{text}"
    );
    assert_eq!([line("lượt nộp"), line("hồ sơ /")], ["8", "9"], "{text}");
}

#[test]
fn looks_at_dossiers_are_a_table_with_what_could_not_be_read() {
    let look = json!({ "at_ms": 0, "who": "cb-an", "way": "page", "what": "form",
        "dossier": "d-1", "code": "C-1" });
    let many = json!({ "at_ms": 0, "who": "uid-1000", "way": "command", "what": "export",
        "dossier": "d-9", "dossiers": 256 });
    let answer = json!({ "looks": [look, many], "next": "1-0", "unreadable": 2 });
    let shown = words(&Request::Looks(AccessFilter::default()), &answer);
    let parts = ["cb-an", "biểu mẫu / form", "C-1", "uid-1000", "256", "--after 1-0", "2 lines"];
    for part in parts {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
    let none = json!({ "looks": [], "next": null, "unreadable": 0 });
    let shown = words(&Request::Looks(AccessFilter::default()), &none);
    assert_eq!(shown, "chưa ai xem hồ sơ nào / nobody looked at a dossier");
}

#[test]
fn a_due_that_may_still_move_is_noted_below_the_answer() {
    let warnings = json!(["chưa có lịch làm việc năm 2027 / no calendar for 2027"]);
    let answer = json!({ "code": "H47-1", "due": "2027-01-04T17:00", "warnings": warnings });
    let shown = warned(titled("đã tiếp nhận / received", &answer), &answer);
    assert!(
        shown.ends_with("\n\nlưu ý / note: chưa có lịch làm việc năm 2027 / no calendar for 2027")
    );
    let certain = json!({ "code": "H47-1", "warnings": [] });
    assert!(!warned(titled("đã tiếp nhận / received", &certain), &certain).contains("lưu ý"));
}
