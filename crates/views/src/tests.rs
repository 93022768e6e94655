//! What people look for is found, pages do not slip, and a broken file is made anew.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use lienthong_catalogue::Edition;
use lienthong_document::{Actor, Document};
use lienthong_dossier::{
    Code, Dossier, Doubt, Effect, NoticeChannel, Notification, NotificationState, Opening, PaidFee,
    Pause, PauseCause, Reception, Request, Review, Status, receive,
};
use lienthong_protocol::{ChangeId, DocumentId, Incarnation, Moment, NodeKey, OfficeId, Tally};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Cursor, DossierRow, Holding, MAX_TEXT_CHARS, Query, Reader, ReceiptKey, Rehearsals,
    ReviewFigures, SharedReceipt, ViewError, Views, Watermark,
};

/// 2026-01-05, 08:00 in Vietnam.
const MORNING: Moment = Moment(1_767_574_800_000);
/// One hour later.
const NINE: Moment = Moment(MORNING.0 + HOUR_MS);
const HOUR_MS: u64 = 3_600_000;

struct Desk {
    folder: TempDir,
    views: Views,
}

impl Desk {
    fn new() -> Desk {
        let folder = TempDir::new().expect("a temporary folder");
        let opened = Views::open(&folder.path().join("views.db")).expect("opens");
        assert!(opened.thrown_away.is_none(), "there was nothing to throw away");
        Desk { folder, views: opened.views }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("views.db")
    }

    /// How SQLite goes about a statement with three values.
    fn plan(&self, statement: &str) -> String {
        let connection = crate::schema::connect(&self.path()).expect("opens");
        let mut asked = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).expect("ok");
        let steps = asked.query_map(["a", "b", "c"], |row| row.get::<_, String>(3));
        steps.expect("plans").collect::<Result<Vec<_>, _>>().expect("plans").join("; ")
    }

    fn reader(&self) -> Reader {
        self.views.reader().expect("opens beside the writer")
    }

    fn holds(&mut self, dossiers: &[Dossier]) {
        let rows: Vec<_> =
            dossiers.iter().map(|dossier| DossierRow::of(dossier, seen(1), None, NINE)).collect();
        self.views.apply(&rows, &[], None).expect("writes");
    }

    /// The serials that a query finds on one page, in the order of the page.
    fn finds(&self, query: &Query) -> Vec<u32> {
        let page = self.reader().search(query).expect("answers");
        let serial = |code: &str| Code::parse(code).expect("a code").serial();
        page.dossiers.iter().map(|summary| serial(&summary.code)).collect()
    }

    fn finds_text(&self, text: &str) -> Vec<u32> {
        self.finds(&Query { text: Some(text.into()), ..all() })
    }
}

fn all() -> Query {
    Query { limit: 1_000, ..Query::default() }
}

fn seen(byte: u8) -> Tally {
    let mut tally = Tally::default();
    tally.add(ChangeId::from_bytes([byte; 32]));
    tally
}

fn office(name: &str) -> OfficeId {
    name.parse().expect("the tests name offices well")
}

fn id_at(serial: u32, at: Moment) -> DocumentId {
    let author = NodeKey::from_seed([1; 32]).id();
    DocumentId::derive(author, Incarnation(1), u64::from(serial), at)
}

/// A dossier with a serial; `over` replaces fields of its reception.
fn dossier(serial: u32, over: &Value) -> Dossier {
    let mut reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HILL" },
        "applicant": { "kind": "citizen", "name": "Trần Thị Bình" },
    });
    let fields = reception.as_object_mut().expect("an object");
    fields.extend(over.as_object().expect("an object").clone());
    let reception: Reception = serde_json::from_value(reception).expect("a reception");
    let at = Moment(MORNING.0 + u64::from(serial) * 1_000);
    let code = Code::issue("000.00.03.H47", at, serial).expect("a code");
    let opening = Opening::received(code, &format!("act-{serial}"), "lan", at);
    let actor = Actor::derive(NodeKey::from_seed([1; 32]).id(), Incarnation(1));
    let mut document = Document::new();
    let draft = document.edit(actor, |editor| receive(editor, &reception, &opening));
    document.take(draft.expect("writes")).expect("takes");
    Dossier::read(id_at(serial, at), &document).expect("reads")
}

fn named(serial: u32, name: &str) -> Dossier {
    dossier(serial, &json!({ "applicant": { "kind": "citizen", "name": name } }))
}

fn standing(serial: u32, status: Status, due: &str) -> Dossier {
    let mut dossier = dossier(serial, &json!({}));
    dossier.standing.status = status;
    dossier.standing.due = Some(due.into());
    dossier
}

#[test]
fn marks_case_and_composition_do_not_count() {
    let mut desk = Desk::new();
    desk.holds(&[
        named(1, "Nguyễn Văn An"),
        named(2, "Nguye\u{302}\u{303}n Va\u{306}n A\u{301}n"),
        named(3, "Hộ kinh doanh Đăng Ký"),
        named(4, "Ngụy Vân Anh"),
        named(5, "Đỗ Thị Ước"),
    ]);
    for (text, found) in [
        ("nguyen van an", vec![2, 1]),
        ("NGUYỄN VĂN AN", vec![2, 1]),
        ("Nguye\u{302}\u{303}n van", vec![2, 1]),
        ("an nguyen", vec![2, 1]),
        ("dang ky", vec![3]),
        ("ĐĂNG KÝ", vec![3]),
        ("đang ky", vec![3]),
        ("nguy", vec![4, 2, 1]),
        ("van an", vec![4, 2, 1]),
        ("do thi uoc", vec![5]),
        ("Đo uo", vec![5]),
        ("nguyenvan", vec![]),
        ("guyen", vec![]),
    ] {
        assert_eq!(desk.finds_text(text), found, "{text}");
    }
}

#[test]
fn codes_numbers_phones_submitters_and_subjects_are_found() {
    let mut desk = Desk::new();
    let full = json!({
        "procedure": "2.002621.H47",
        "field": "Hộ tịch",
        "case": "Đăng ký lại khai sinh",
        "applicant": {
            "kind": "citizen", "name": "Lê An", "id_kind": "citizen",
            "id_number": "049099123456", "phone": "+84905123456",
        },
        "submitter": { "name": "Phạm Ủy Quyền", "phone": "0905 777 888" },
    });
    desk.holds(&[dossier(7, &full), named(8, "Khác")]);
    for text in [
        "000.00.03.H47-260105-0007",
        "260105-0007",
        "H47-260105-0007",
        "049099123456",
        "049 099 123 456",
        "049099",
        "0905123456",
        "0905 123 456",
        "+84 905 123 456",
        "0905.777.888",
        "pham uy quyen",
        "2.002621",
        "ho tich",
        "dang ky lai khai sinh",
    ] {
        assert_eq!(desk.finds_text(text), [7], "{text}");
    }
    assert_eq!(desk.finds_text("9099123456"), [] as [u32; 0], "the middle of a number");
}

#[test]
fn numbers_are_found_in_all_usual_spellings() {
    let mut desk = Desk::new();
    let person = |id_kind: &str, id_number: &str, phone: &str| {
        json!({ "applicant": {
            "kind": "citizen", "name": "Lê An", "id_kind": id_kind,
            "id_number": id_number, "phone": phone,
        }})
    };
    let mut foreign = dossier(4, &json!({}));
    foreign.reception.applicant.id_number = Some("049 099.654-321".into());
    foreign.reception.applicant.phone = Some("(+84) 236 3.822.822".into());
    desk.holds(&[
        dossier(1, &person("citizen", "049 099 123 456", "(0905) 123-456")),
        dossier(2, &person("tax", "0100109106-001", "84 912 345 678")),
        dossier(3, &person("passport", "B1234567", "+84 (0) 935 111 222")),
        foreign,
    ]);
    for (found, texts) in [
        (1, &["049.099.123.456", "049099123456", "049 099 123456", "049-099-123-456"] as &[&str]),
        (1, &["0905.123.456", "(0905) 123 456", "84905123456", "(+84) 905 123 456"]),
        (1, &["0084 905 123 456", "le an 0905 123 456", "049 099 123 456 an", "+84 (0)905123456"]),
        (2, &["0100109106-001", "0100109106 001", "0100109106001", "0912345678", "+84912345678"]),
        (3, &["b1234567", "B1234567", "0935111222", "0935.111.222"]),
        (4, &["049099654321", "049 099 654 321", "02363822822", "0236 3822 822"]),
    ] {
        for text in texts {
            assert_eq!(desk.finds_text(text), [found], "{text}");
        }
    }
    assert_eq!(desk.finds_text("0905 123 457"), [] as [u32; 0]);
}

#[test]
fn the_name_of_the_procedure_is_searched_as_the_version_of_the_dossier_has_it() {
    let mut desk = Desk::new();
    let text = include_str!("../../../config/quang-nam/procedures.toml");
    let edition = Edition::parse("procedures.toml", text).expect("the province's own catalogue");
    let version = edition.versions("1.001193.H47").expect("birth registration").first();
    let procedure = &version.expect("a first version").procedure;
    let plain = named(2, "Đăng Văn Khai");
    let row = DossierRow::of(&named(1, "Trần An"), seen(1), Some(procedure), NINE);
    desk.views.apply(&[row], &[], None).expect("writes");
    desk.holds(&[plain]);
    for text in ["đăng ký khai sinh", "DANG KY KHAI SINH", "khai sinh tran", "ho tich"] {
        assert_eq!(desk.finds_text(text), [1], "{text}");
    }
    let page = desk.reader().search(&all()).expect("answers");
    let names: Vec<_> = page.dossiers.iter().map(|one| one.procedure_name.as_deref()).collect();
    assert_eq!(names, [None, Some(procedure.name.as_str())]);
}

#[test]
fn what_was_typed_or_sent_in_another_form_is_shown_and_compared_in_nfc() {
    let mut desk = Desk::new();
    let mut foreign = named(1, "A\u{302}\u{301}n");
    foreign.acts[0].officer = "hu\u{300}ng".into();
    desk.holds(&[foreign]);
    for officer in ["hùng", "hu\u{300}ng"] {
        assert_eq!(desk.finds(&Query { officer: Some(officer.into()), ..all() }), [1], "{officer}");
    }
    let page = desk.reader().search(&all()).expect("answers");
    assert_eq!(page.dossiers[0].officer, "hùng");
}

#[test]
fn what_a_person_types_is_never_a_command() {
    let mut desk = Desk::new();
    desk.holds(&[named(1, "Nguyễn Văn An"), named(2, "O\"Hara OR")]);
    for text in [
        "\"",
        "\"\"",
        "*",
        "^",
        "an*",
        "names:an",
        "an OR van",
        "an NOT van",
        "NEAR(an van)",
        "(",
        ")",
        "an AND",
        "-an",
        "+an",
        "'; DROP TABLE dossier; --",
        "a\0b",
        "\u{202e}",
        "%",
        "\\",
        "an\"",
        "\"an",
        "{names}:an",
        "-",
        "…",
        "\u{301}",
        "é\u{301}\u{301}",
        "𝓐𝓷",
        "١٢٣",
        "ª",
        "ⅷ",
        "\u{fffd}",
        "\n",
        " ",
        "",
    ] {
        let query = Query { text: Some(text.into()), ..all() };
        let found = desk.reader().search(&query);
        assert!(found.is_ok(), "{text:?}: {found:?}");
        assert!(desk.reader().count(&query).is_ok(), "{text:?}");
    }
    assert_eq!(desk.finds_text("an OR hara"), [] as [u32; 0], "OR is a word like others");
    assert_eq!(desk.finds_text("o\"hara or"), [2]);
    assert_eq!(desk.finds_text("..."), [] as [u32; 0], "nothing to look for finds nothing");
}

#[test]
fn a_text_over_the_limit_is_refused_with_the_limit() {
    let desk = Desk::new();
    let text = Some("ệ".repeat(MAX_TEXT_CHARS));
    assert!(desk.reader().search(&Query { text, ..all() }).is_ok());
    let text = Some("ệ".repeat(MAX_TEXT_CHARS + 1));
    let refused = desk.reader().search(&Query { text, ..all() }).expect_err("too long");
    assert_eq!(refused.code(), "search-too-long");
    assert_eq!(refused.to_string(), "the text has 201 characters, the limit is 200");
}

#[test]
fn names_and_numbers_come_out_masked_and_are_nowhere_in_the_tables() {
    let mut desk = Desk::new();
    desk.holds(&[dossier(
        1,
        &json!({ "applicant": {
            "kind": "citizen", "name": "Nguyễn Văn An", "phone": "0905123456",
        }}),
    )]);
    let page = desk.reader().search(&all()).expect("answers");
    let shown = serde_json::to_string(&page.dossiers).expect("encodes");
    assert!(shown.contains("N*** V*** A***"), "{shown}");
    assert!(!shown.contains("Nguyễn") && !shown.contains("0905123456"), "{shown}");
}

#[test]
fn filters_narrow_and_combine() {
    let mut desk = Desk::new();
    let of = |serial, competent: &str| {
        let offices = json!({ "receiving": "HILL", "competent": competent });
        dossier(serial, &json!({ "offices": offices }))
    };
    let mut theirs = of(3, "EAST");
    theirs.acts[0].officer = "hùng".into();
    desk.holds(&[
        standing(1, Status::InProcess, "2026-01-05"),
        standing(2, Status::Finished, "2026-01-05"),
        theirs,
        dossier(4, &json!({ "procedure": "2.002621.H47" })),
        of(5, "EAST"),
    ]);
    let in_process = Some(Status::InProcess);
    for (query, found) in [
        (all(), vec![5, 4, 3, 2, 1]),
        (Query { status: in_process, ..all() }, vec![1]),
        (Query { status: Some(Status::Received), ..all() }, vec![5, 4, 3]),
        (Query { office: Some(office("EAST")), ..all() }, vec![5, 3]),
        (Query { office: Some(office("HILL")), status: in_process, ..all() }, vec![1]),
        (Query { office: Some(office("WEST")), ..all() }, vec![]),
        (Query { officer: Some("hùng".into()), ..all() }, vec![3]),
        (Query { officer: Some("lan".into()), office: Some(office("EAST")), ..all() }, vec![5]),
        (Query { procedure: Some("2.002621.H47".into()), ..all() }, vec![4]),
        (Query { hidden: vec!["2.002621.H47".into()], ..all() }, vec![5, 3, 2, 1]),
        (Query { text: Some("binh".into()), office: Some(office("EAST")), ..all() }, vec![5, 3]),
        (Query { text: Some("binh".into()), status: in_process, ..all() }, vec![1]),
        (Query { text: Some("s4".into()), ..all() }, vec![]),
        (Query { text: Some("ohill".into()), ..all() }, vec![]),
        (Query { text: Some("binh".into()), review: true, ..all() }, vec![2]),
    ] {
        assert_eq!(desk.finds(&query), found, "{query:?}");
        let count = desk.reader().count(&query).expect("counts");
        assert_eq!(count, found.len() as u64, "{query:?}");
    }
}

#[test]
fn a_list_of_reviews_holds_what_somebody_has_to_look_at_with_words_and_office() {
    let mut desk = Desk::new();
    let deciding = json!({ "receiving": "HILL", "competent": "EAST" });
    let mut doubted = dossier(1, &json!({ "offices": deciding }));
    doubted.acts[0].effect = Effect::Unconfirmed;
    doubted.acts[0].doubt = Some(Doubt::NotEntitled { entitled: vec![office("EAST")] });
    let mut unreadable = dossier(2, &json!({}));
    unreadable.standing.review.push(Review::Unreadable { entries: 3 });
    let mut undated = dossier(3, &json!({}));
    undated.records.times.received = None;
    let mut conflicting = dossier(4, &json!({ "offices": deciding }));
    conflicting.standing.review.push(Review::Conflict {
        first: "a".into(),
        second: "b".into(),
        entitled: office("EAST"),
        words: "EAST: finished; HILL: stopped; decide".into(),
        words_vi: "EAST: xong; HILL: dừng; cần quyết định".into(),
    });
    desk.holds(&[doubted, unreadable, undated, conflicting, dossier(5, &json!({}))]);

    let review = Query { review: true, ..all() };
    assert_eq!(desk.finds(&review), [4, 3, 2, 1]);
    assert_eq!(desk.reader().count(&review).expect("counts"), 4);
    assert_eq!(desk.finds(&Query { office: Some(office("EAST")), ..review.clone() }), [4, 1]);
    let of_text = Query { text: Some("binh".into()), ..review.clone() };
    assert_eq!(desk.finds(&of_text), [4, 3, 2, 1]);
    let page = desk.reader().search(&review).expect("answers");
    let open: Vec<_> = page.dossiers.iter().map(|one| one.open.clone().expect("open")).collect();
    let codes: Vec<_> =
        open.iter().map(|item| (item.code.as_str(), item.office.as_str())).collect();
    let wanted = [
        ("conflict", "EAST"),
        ("no-reception-date", "HILL"),
        ("entries", "HILL"),
        ("not-entitled", "EAST"),
    ];
    assert_eq!(codes, wanted);
    assert_eq!(open[0].words_vi, "EAST: xong; HILL: dừng; cần quyết định");
    assert!(open[3].words.contains("ask EAST to do it"), "{}", open[3].words);
    let figures = desk.reader().figures(NINE).expect("counts").review;
    let wanted = ReviewFigures { dossiers: 4, questions: 2, unconfirmed: 1, findings: 1 };
    assert_eq!(figures, wanted);
    let all = desk.reader().search(&all()).expect("answers");
    assert_eq!(all.dossiers[0].open, None);
}

/// A dossier in which EAST was asked for an answer by a day and has not given it.
fn asked(serial: u32, due: &str) -> Dossier {
    let mut dossier = dossier(serial, &json!({}));
    dossier.records.requests.push(Request {
        act: "q".into(),
        asked_by: office("HILL"),
        agency: office("EAST"),
        asked_at: MORNING,
        question: None,
        due: Some(due.into()),
        reply: None,
    });
    dossier
}

#[test]
fn what_comes_with_time_is_listed_and_counted_when_its_time_has_come() {
    let mut desk = Desk::new();
    let mut unborn = dossier(3, &json!({}));
    unborn.reception.applicant.birth_date = Some("2026-01-06".into());
    let mut undated = asked(4, "2026-01-08");
    undated.records.times.received = None;
    desk.holds(&[asked(1, "2026-01-05"), asked(2, "2026-01-05T12:00"), unborn, undated]);
    let hour = |hours: u64| Moment(MORNING.0 + hours * HOUR_MS);
    let here = Some(office("HILL"));
    for (hours, found, findings) in [
        (0, vec![4, 3], 2),
        (4, vec![4, 3], 2),
        (5, vec![4, 3, 2], 3),
        (15, vec![4, 3, 2], 3),
        (16, vec![4, 2, 1], 3),
        (7 * 24, vec![4, 2, 1], 4),
    ] {
        let review = Query { review: true, at: hour(hours), ..all() };
        for query in [
            review.clone(),
            Query { office: here, ..review.clone() },
            Query { text: Some("binh".into()), ..review.clone() },
        ] {
            assert_eq!(desk.finds(&query), found, "after {hours} h: {query:?}");
            assert_eq!(desk.reader().count(&query).expect("counts"), found.len() as u64);
        }
        let figures = desk.reader().figures(hour(hours)).expect("counts").review;
        assert_eq!((figures.dossiers, figures.findings), (found.len() as u64, findings), "{hours}");
        let page = desk.reader().search(&review).expect("answers");
        let shown: u64 = page.dossiers.iter().map(|one| one.findings).sum();
        assert_eq!(shown, findings, "the lines say as much as the figure");
        assert!(page.dossiers.iter().all(|one| one.open.is_some()), "each with its first item");
    }
    let late = desk.reader().search(&Query { at: hour(5), ..all() }).expect("answers");
    let item = late.dossiers[2].open.as_ref().expect("it is open");
    assert_eq!((item.code.as_str(), item.office.as_str()), ("reply-overdue", "HILL"));
    assert!(item.words_vi.contains("đôn đốc"), "{}", item.words_vi);
}

#[test]
fn what_passed_before_a_dossier_was_read_is_not_kept() {
    let mut desk = Desk::new();
    desk.holds(&[dossier(1, &json!({}))]);
    let review = Query { review: true, at: Moment(0), ..all() };
    assert_eq!(desk.finds(&review), [] as [u32; 0], "its act lies behind the reading");
    let early = Moment(MORNING.0 - HOUR_MS);
    let row = DossierRow::of(&named(2, "An"), seen(1), None, early);
    desk.views.apply(&[row], &[], None).expect("writes");
    assert_eq!(desk.finds(&Query { at: early, ..review.clone() }), [2], "an act of the future");
    assert_eq!(desk.finds(&Query { at: NINE, ..review }), [] as [u32; 0], "its time has come");
}

#[test]
fn parts_of_a_dossier_are_listed_and_not_counted_as_filings() {
    let mut desk = Desk::new();
    let part = json!({ "parent_code": "000.00.03.H47-260105-0001" });
    desk.holds(&[named(1, "An"), dossier(2, &part), dossier(3, &part)]);
    let page = desk.reader().search(&all()).expect("answers");
    let filings: Vec<bool> = page.dossiers.iter().map(|one| one.filing).collect();
    assert_eq!(filings, [false, false, true]);
    assert_eq!(desk.reader().figures(NINE).expect("counts").parts, 2);
    desk.holds(&[dossier(2, &json!({}))]);
    assert_eq!(desk.reader().figures(NINE).expect("counts").parts, 1);
}

#[test]
fn what_waits_to_be_sent_is_found_by_each_office_that_may_send_it() {
    let mut desk = Desk::new();
    let told = |serial, state| {
        let offices = json!({ "receiving": "HILL", "competent": "EAST" });
        let mut dossier = dossier(serial, &json!({ "offices": offices }));
        dossier.records.notifications.push(Notification {
            key: "c:sms".into(),
            event: "c".into(),
            channel: NoticeChannel::Sms,
            queued: vec!["q".into()],
            queued_by: office("WEST"),
            queued_at: MORNING,
            state,
            failures: 0,
            sent: Vec::new(),
            cost_vnd: 0,
        });
        dossier
    };
    let waiting: Vec<_> = (1..=3).map(|serial| told(serial, NotificationState::Queued)).collect();
    desk.holds(&waiting);
    desk.holds(&[told(4, NotificationState::Sent), told(5, NotificationState::Failed)]);
    desk.holds(&[named(6, "An")]);
    let queued = |name: &str, after, limit| {
        desk.reader().queued(office(name), after, limit).expect("answers")
    };
    let ids = |found: &[(DocumentId, Cursor)]| found.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    let all: Vec<_> = waiting.iter().rev().map(|dossier| dossier.id).collect();
    for name in ["HILL", "EAST", "WEST"] {
        assert_eq!(ids(&queued(name, None, 9)), all, "{name}");
    }
    assert_eq!(queued("HUB", None, 9), []);
    let first = queued("HILL", None, 2);
    assert_eq!(ids(&first), all[..2]);
    assert_eq!(ids(&queued("HILL", Some(first[1].1), 2)), all[2..]);
}

#[test]
fn a_register_has_what_its_office_received_without_hidden_procedures() {
    let mut desk = Desk::new();
    let of = |serial, receiving: &str, procedure: &str| {
        let offices = json!({ "receiving": receiving, "competent": "HILL" });
        dossier(serial, &json!({ "offices": offices, "procedure": procedure }))
    };
    let [first, second] = [1, 2].map(|serial| of(serial, "HILL", "1.001193.H47"));
    let hidden = of(3, "HILL", "2.000488.H47");
    desk.holds(&[first.clone(), second.clone(), hidden.clone(), of(4, "EAST", "1.001193.H47")]);
    let received = |hidden: &[String], limit| {
        desk.reader().received_by(office("HILL"), hidden, limit).expect("answers")
    };
    assert_eq!(received(&[], 9), [hidden.id, second.id, first.id]);
    assert_eq!(received(&["2.000488.H47".into(), "9.9".into()], 9), [second.id, first.id]);
    assert_eq!(received(&[], 1), [hidden.id]);
}

#[test]
fn what_was_mended_is_in_no_list_of_reviews() {
    let mut desk = Desk::new();
    let mut undated = dossier(1, &json!({}));
    undated.records.times.received = None;
    desk.holds(&[undated]);
    desk.holds(&[dossier(1, &json!({}))]);
    let review = Query { review: true, ..all() };
    assert_eq!(desk.finds(&review), [] as [u32; 0]);
    assert_eq!(desk.finds(&Query { office: Some(office("HILL")), ..review }), [] as [u32; 0]);
}

#[test]
fn words_of_other_offices_are_shown_short_and_without_control_characters() {
    let mut desk = Desk::new();
    let mut hostile = dossier(1, &json!({}));
    hostile.acts[0].kind = format!("\u{1b}[2J\n{}", "x".repeat(100_000));
    hostile.acts[0].effect = Effect::Unconfirmed;
    hostile.acts[0].doubt = Some(Doubt::UnknownKind);
    desk.holds(&[hostile]);
    let page = desk.reader().search(&all()).expect("answers");
    let item = page.dossiers[0].open.as_ref().expect("open");
    assert!(!item.words.contains(char::is_control), "{}", item.words);
    assert!(item.words.chars().count() <= 500, "{}", item.words.len());
}

#[test]
fn a_due_is_before_a_day_that_has_not_begun_and_after_one_that_is_over() {
    let mut desk = Desk::new();
    desk.holds(&[
        standing(1, Status::InProcess, "2026-01-05"),
        standing(2, Status::InProcess, "2026-01-05T16:00"),
        standing(3, Status::InProcess, "2026-01-06"),
        dossier(4, &json!({})),
    ]);
    let before = |text: &str| Query { due_before: Some(text.into()), ..all() };
    let after = |text: &str| Query { due_after: Some(text.into()), ..all() };
    for (query, found) in [
        (before("2026-01-05"), vec![]),
        (before("2026-01-06"), vec![2, 1]),
        (before("2026-01-05T16:01"), vec![2]),
        (after("2026-01-05"), vec![3]),
        (after("2026-01-04"), vec![3, 2, 1]),
        (after("2026-01-05T16:00"), vec![3, 1]),
        (Query { due_after: Some("2026-01-04".into()), ..before("2026-01-06") }, vec![2, 1]),
    ] {
        assert_eq!(desk.finds(&query), found, "{query:?}");
    }
    let refused = desk.reader().search(&before("2026-02-30")).expect_err("no such day");
    assert_eq!((refused.code(), refused.to_string().contains("2026-02-30")), ("not-a-due", true));
}

#[test]
fn overdue_is_what_runs_past_its_due_in_vietnam() {
    let mut desk = Desk::new();
    desk.holds(&[
        standing(1, Status::InProcess, "2026-01-05"),
        standing(2, Status::InProcess, "2026-01-05T16:00"),
        standing(3, Status::SupplementAsked, "2026-01-05"),
        standing(4, Status::Finished, "2026-01-05"),
        standing(5, Status::Received, "2026-01-06"),
    ]);
    let overdue = |at| desk.finds(&Query { overdue_at: Some(Moment(at)), ..all() });
    let four = MORNING.0 + 8 * 3_600_000;
    assert_eq!(overdue(four), [] as [u32; 0], "16:00 is still in time");
    assert_eq!(overdue(four + 60_000), [2]);
    let midnight = MORNING.0 + 16 * 3_600_000;
    assert_eq!(overdue(midnight - 1), [2], "the day is not over");
    assert_eq!(overdue(midnight + 60_000), [2, 1]);
    let at = Some(Moment(midnight + 60_000));
    let here = Query { overdue_at: at, office: Some(office("HILL")), ..all() };
    assert_eq!(desk.finds(&here), [2, 1]);
}

#[test]
fn what_waits_for_an_opinion_is_not_overdue_while_its_clock_stands_still() {
    let mut desk = Desk::new();
    let asked = |serial, to: Option<Moment>| {
        let mut dossier = standing(serial, Status::InProcess, "2026-01-05T16:00");
        let pause = Pause { because: PauseCause::OpinionAsked, act: "o".into(), from: MORNING, to };
        dossier.records.pauses.push(pause);
        dossier
    };
    desk.holds(&[asked(1, None), asked(2, Some(NINE))]);
    let next_day = Moment(MORNING.0 + 24 * HOUR_MS);
    let overdue = Query { overdue_at: Some(next_day), ..all() };
    assert_eq!(desk.finds(&overdue), [2]);
    let here = Query { office: Some(office("HILL")), ..overdue.clone() };
    assert_eq!(desk.finds(&here), [2]);
    assert_eq!(desk.reader().figures(next_day).expect("counts").overdue, 1);
    let held = desk.reader().holdings(next_day, [next_day; 2]).expect("counts");
    assert_eq!((held[0].1.open, held[0].1.overdue), (2, 1));
    desk.holds(&[asked(1, Some(NINE))]);
    assert_eq!(desk.finds(&overdue), [2, 1], "the answer came");
}

#[test]
fn a_receipt_that_stands_in_two_dossiers_of_an_office_is_found_until_one_is_mended() {
    let mut desk = Desk::new();
    let paid = |serial, name: &str, series: &str, number: &str| {
        let mut dossier = dossier(serial, &json!({}));
        let fee = json!({ "item": "lệ phí", "amount_vnd": 8_000, "method": "cash",
            "series": series, "number": number });
        dossier.records.fees.push(PaidFee {
            act: format!("f-{serial}"),
            office: office(name),
            at: NINE,
            fee: serde_json::from_value(fee).expect("a fee"),
            refunded_vnd: 0,
            remittance: None,
        });
        dossier
    };
    let first = paid(1, "HILL", "AA/26E", "0000123");
    desk.holds(&[first.clone(), paid(2, "EAST", "AA/26E", "0000123")]);
    desk.holds(&[paid(3, "HILL", "AB/26E", "123"), paid(4, "HILL", "AA/26E", "1230")]);
    let shared = |desk: &Desk| desk.reader().shared_receipts(office("HILL"), 9).expect("answers");
    assert_eq!(shared(&desk), [], "another office, series or number is another receipt");
    let second = paid(5, "HILL", "aa/26e ", "123");
    desk.holds(std::slice::from_ref(&second));
    let receipt = ReceiptKey::new(office("HILL"), "AA/26E", "0123");
    let dossiers =
        [&first, &second].map(|dossier| (dossier.id, dossier.code.as_str().to_owned())).to_vec();
    assert_eq!(desk.reader().with_receipt(&receipt).expect("answers"), dossiers);
    assert_eq!(shared(&desk), [SharedReceipt { receipt: receipt.clone(), dossiers }]);
    desk.holds(&[paid(5, "HILL", "AA/26E", "124")]);
    assert_eq!(shared(&desk), [], "it was mended");
    desk.holds(&[second]);
    assert_eq!(shared(&desk).len(), 1);
    desk.views.apply(&[], &[first.id], None).expect("writes");
    assert_eq!(shared(&desk), [], "one of the two is gone");
    assert_eq!(desk.reader().with_receipt(&receipt).expect("answers").len(), 1);
}

#[test]
fn holdings_are_counted_by_office_from_an_index_alone() {
    let mut desk = Desk::new();
    let due = |serial, status, due: &str| standing(serial, status, due);
    let elsewhere = |serial, due: &str| {
        let mut dossier = standing(serial, Status::InProcess, due);
        dossier.standing.holder = office("EAST");
        dossier
    };
    let mut without_due = standing(9, Status::InProcess, "2026-01-05");
    without_due.standing.due = None;
    desk.holds(&[
        due(1, Status::InProcess, "2026-01-05T16:00"),
        due(2, Status::Received, "2026-01-06T17:00"),
        due(3, Status::InProcess, "2026-01-07"),
        due(4, Status::SupplementAsked, "2026-01-05T16:00"),
        due(5, Status::Returned, "2026-01-05T16:00"),
        due(6, Status::Finished, "2026-01-05T16:00"),
        elsewhere(7, "2026-01-06T17:00"),
        elsewhere(8, "2026-01-08T17:00"),
        without_due,
    ]);
    let at = |day: i8, hour: u32| {
        let date = format!("2026-01-{day:02}").parse().expect("a day");
        lienthong_catalogue::moment(date, format!("{hour:02}:00").parse().expect("an hour"))
            .expect("it exists")
    };
    let (now, soon, later) = (at(6, 8), at(6, 17), at(8, 17));
    let reader = desk.reader();
    let found = reader.holdings(now, [soon, later]).expect("counts");
    let east = Holding { open: 2, overdue: 0, due_soon: 1, due_later: 2 };
    let hill = Holding { open: 6, overdue: 1, due_soon: 1, due_later: 2 };
    assert_eq!(found, [("EAST".to_owned(), east), ("HILL".to_owned(), hill)]);
    let falling = |from, until| reader.falling_due(office("HILL"), from, until).expect("counts");
    assert_eq!(falling(at(5, 0), later), 3, "what fell due since counts, too");
    assert_eq!([falling(now, soon), falling(now, at(6, 16)), falling(later, now)], [1, 0, 0]);
    for statement in [crate::reader::HOLDINGS, crate::reader::FALLING_DUE] {
        let plan = desk.plan(statement);
        assert!(plan.contains("COVERING INDEX held"), "{plan}");
    }
}

#[test]
fn pages_follow_each_other_while_dossiers_come_and_change() {
    let mut desk = Desk::new();
    let dossiers: Vec<_> = (1..=25).map(|serial| named(serial, "Trần An")).collect();
    desk.holds(&dossiers);
    for text in [None, Some("an".to_owned())] {
        let mut query = Query { text, limit: 10, ..Query::default() };
        let mut serials = Vec::new();
        loop {
            let page = desk.reader().search(&query).expect("answers");
            serials.extend(page.dossiers.iter().map(|found| found.code.clone()));
            // Newer dossiers and changes of older ones do not move what comes next.
            desk.holds(&[named(100 + serials.len() as u32, "Trần An"), dossiers[3].clone()]);
            let Some(next) = page.next else { break };
            query.after = Some(next.to_string().parse::<Cursor>().expect("its own words"));
        }
        let wanted: Vec<_> = dossiers.iter().rev().map(|one| one.code.to_string()).collect();
        let known: Vec<_> = serials.iter().filter(|code| wanted.contains(code)).cloned().collect();
        assert_eq!(known, wanted);
    }
    assert!("12".parse::<Cursor>().is_err());
    assert!("-00000000000000a".parse::<Cursor>().is_err());
}

#[test]
fn a_page_that_is_exactly_full_is_the_last() {
    let mut desk = Desk::new();
    desk.holds(&[named(1, "An"), named(2, "An")]);
    let page = desk.reader().search(&Query { limit: 2, ..Query::default() }).expect("answers");
    assert_eq!((page.dossiers.len(), page.next), (2, None));
    let page = desk.reader().search(&Query { limit: 0, ..Query::default() }).expect("answers");
    assert_eq!((page.dossiers.len(), page.next.is_some()), (1, true));
}

#[test]
fn a_later_state_replaces_the_row_and_its_words() {
    let mut desk = Desk::new();
    desk.holds(&[named(1, "Nguyễn Văn An")]);
    let mut later = named(1, "Nguyễn Văn Ánh Dương");
    later.standing.status = Status::Finished;
    desk.holds(&[later]);
    assert_eq!(desk.views.documents(), 1);
    assert_eq!(desk.finds_text("duong"), [1]);
    assert_eq!(desk.finds(&Query { status: Some(Status::Received), ..all() }), [] as [u32; 0]);
    let finished = Query { status: Some(Status::Finished), office: Some(office("HILL")), ..all() };
    assert_eq!(desk.finds(&finished), [1]);
    desk.views.apply(&[], &[id_at(1, Moment(MORNING.0 + 1_000))], None).expect("writes");
    assert_eq!((desk.views.documents(), desk.finds_text("duong").len()), (0, 0));
    assert_eq!(desk.finds(&all()), [] as [u32; 0]);
}

#[test]
fn documents_of_one_millisecond_keep_places_of_their_own() {
    let mut desk = Desk::new();
    let mut dossiers: Vec<_> = (1..=300).map(|serial| named(serial, "An")).collect();
    let mut head = *dossiers[0].id.as_bytes();
    for (number, dossier) in dossiers.iter_mut().enumerate() {
        head[14..].copy_from_slice(&(number as u16).to_be_bytes());
        dossier.id = DocumentId::from_bytes(head);
    }
    desk.holds(&dossiers);
    assert_eq!(desk.views.documents(), 300);
    assert_eq!(desk.finds_text("an").len(), 300);
}

#[test]
fn a_code_that_was_given_twice_names_both_dossiers() {
    let mut desk = Desk::new();
    let first = named(1, "An");
    let mut second = named(2, "Bình");
    second.code = first.code.clone();
    desk.holds(&[first.clone(), second.clone(), named(3, "Chi")]);
    let found = desk.reader().by_code(first.code.as_str()).expect("answers");
    assert_eq!(found, [first.id, second.id]);
    let shared = desk.reader().shared_codes(10).expect("answers");
    assert_eq!(shared, [(first.code.to_string(), vec![first.id, second.id])]);
    assert_eq!(desk.reader().by_code("H47-260105-9999").expect("answers"), []);
}

#[test]
fn the_last_serial_is_that_of_the_unit_and_the_day() {
    let mut desk = Desk::new();
    desk.holds(&[named(7, "An"), named(3, "An")]);
    let last = |unit, day| desk.reader().last_serial(unit, day).expect("answers");
    assert_eq!(last("000.00.03.H47", "260105"), Some(7));
    assert_eq!(last("000.00.03.H47", "260106"), None);
    assert_eq!(last("000.00.04.H47", "260105"), None);
}

#[test]
fn rows_and_watermark_are_there_after_opening_again() {
    let mut desk = Desk::new();
    assert_eq!(desk.views.watermark().expect("reads"), None);
    let mark = Watermark { segment: 3, offset: u32::MAX, tally: seen(9) };
    let row = DossierRow::of(&named(1, "An"), seen(5), None, NINE);
    desk.views.apply(&[row], &[], Some(mark)).expect("writes");
    desk.views.apply(&[], &[], None).expect("writes");
    let path = desk.path();
    let Desk { folder, views } = desk;
    drop(views);
    let opened = Views::open(&path).expect("opens");
    assert!(opened.thrown_away.is_none());
    assert_eq!(opened.views.watermark().expect("reads"), Some(mark));
    let id = id_at(1, Moment(MORNING.0 + 1_000));
    assert_eq!(opened.views.seen(id).expect("reads"), Some(seen(5)));
    assert_eq!(opened.views.documents(), 1);
    drop(folder);
}

#[test]
fn a_file_that_is_no_view_of_this_version_is_thrown_away() {
    for harm in [Harm::Version, Harm::Garbage, Harm::Cut, Harm::Table] {
        let mut desk = Desk::new();
        let rows: Vec<_> = (1..=500).map(|serial| named(serial, "Nguyễn Văn An")).collect();
        desk.holds(&rows);
        let path = desk.path();
        let Desk { folder, views } = desk;
        drop(views);
        harm.befall(&path);
        let opened = Views::open(&path).expect("opens in any case");
        let reason = opened.thrown_away.expect("the old file was thrown away");
        assert_eq!(reason.code(), "view-damaged", "{harm:?}");
        let mut views = opened.views;
        assert_eq!((views.documents(), views.watermark().expect("reads")), (0, None));
        views
            .apply(&[DossierRow::of(&named(1, "An"), seen(1), None, NINE)], &[], None)
            .expect("works");
        drop(folder);
    }
}

#[derive(Debug)]
enum Harm {
    Version,
    Garbage,
    Cut,
    Table,
}

impl Harm {
    fn befall(&self, path: &std::path::Path) {
        let sql = |text: &str| {
            let connection = rusqlite::Connection::open(path).expect("opens");
            connection.execute_batch(text).expect("does it");
        };
        match self {
            Harm::Version => sql("PRAGMA user_version = 77"),
            Harm::Garbage => std::fs::write(path, vec![0xa5; 40_000]).expect("writes"),
            Harm::Cut => {
                let file = std::fs::File::options().write(true).open(path).expect("opens");
                file.set_len(5_000).expect("cuts");
            }
            Harm::Table => sql("DROP TABLE part"),
        }
    }
}

#[test]
fn nobody_else_may_read_the_file() {
    let mut desk = Desk::new();
    desk.holds(&[named(1, "An")]);
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", desk.path().display());
        let mode = std::fs::metadata(&file).expect("is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} has mode {mode:o}");
    }
}

#[test]
fn a_view_that_begins_anew_is_empty_and_works() {
    let mut desk = Desk::new();
    desk.holds(&[named(1, "An")]);
    let before = desk.reader();
    let Desk { folder, views } = desk;
    let mut views = views.begin_anew().expect("begins anew");
    assert_eq!(before.search(&all()).map(|page| page.dossiers.len()).ok(), Some(1));
    assert_eq!(views.reader().expect("opens").search(&all()).expect("answers").dossiers, []);
    views.apply(&[DossierRow::of(&named(2, "An"), seen(1), None, NINE)], &[], None).expect("works");
    assert_eq!(views.reader().expect("opens").stats().expect("counts").documents, 1);
    drop(folder);
}

#[test]
fn damage_that_shows_late_is_told_from_a_full_disk() {
    let corrupt = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(11), None);
    assert!(matches!(ViewError::from(corrupt), ViewError::Damaged { .. }));
    let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(13), None);
    assert!(matches!(ViewError::from(full), ViewError::Failed { .. }));
}

#[test]
fn rehearsals_outlive_the_process_and_hold_for_one_set_and_one_set_of_rules() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("rehearsed.db");
    let (one, other) = (id_at(1, MORNING), id_at(2, MORNING));
    let mut rehearsals = Rehearsals::open(&path, 1).expect("opens");
    assert!(!rehearsals.holds(one, seen(1)).expect("reads"));
    rehearsals.keep(&[(one, seen(1)), (other, seen(2))]).expect("writes");
    rehearsals.keep(&[(other, seen(3))]).expect("writes");
    drop(rehearsals);
    let rehearsals = Rehearsals::open(&path, 1).expect("opens");
    for (id, set, held) in [
        (one, seen(1), true),
        (one, seen(2), false),
        (other, seen(2), false),
        (other, seen(3), true),
    ] {
        assert_eq!(rehearsals.holds(id, set).expect("reads"), held);
    }
    drop(rehearsals);
    let others = Rehearsals::open(&path, 2).expect("opens");
    assert!(!others.holds(one, seen(1)).expect("reads"), "rehearsed by other rules");
    drop(others);
    std::fs::write(&path, vec![0xa5; 40_000]).expect("writes");
    let mut broken = Rehearsals::open(&path, 2).expect("opens in any case");
    assert!(!broken.holds(one, seen(1)).expect("reads"));
    broken.keep(&[(one, seen(1))]).expect("works");
}

#[test]
fn dossiers_that_came_before_the_catalogue_are_read_anew_once_it_is_known() {
    let mut desk = Desk::new();
    desk.holds(&[named(1, "An"), named(2, "Bình"), dossier(3, &json!({ "procedure": "9.9" }))]);
    let nameless = desk.views.nameless_procedures().expect("reads");
    assert_eq!(nameless, ["1.001193.H47", "9.9"]);
    let id = named(1, "An").id;
    assert_eq!(desk.views.seen(id).expect("reads"), Some(seen(1)));
    let anew = desk.views.read_anew("1.001193.H47").expect("writes");
    assert_eq!(anew, [id, named(2, "Bình").id]);
    assert_eq!(desk.views.seen(id).expect("reads"), None, "so that it is not passed over");
    assert_eq!(desk.finds(&all()), [3, 2, 1], "it is listed meanwhile");
}

#[test]
fn tidying_ends_and_loses_nothing() {
    let mut desk = Desk::new();
    for serial in 1..=60 {
        desk.holds(&[named(serial, "Nguyễn Văn An")]);
    }
    let mut steps = 0;
    while desk.views.tidy().expect("merges") {
        steps += 1;
        assert!(steps < 1_000, "it ends");
    }
    assert!(steps > 0, "there was something to merge");
    assert_eq!(desk.finds_text("nguyen").len(), 60);
}
