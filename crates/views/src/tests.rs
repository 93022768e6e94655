//! What people look for is found, pages do not slip, and a broken file is made anew.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use lienthong_document::{Actor, Document};
use lienthong_dossier::{Code, Dossier, Opening, Reception, Status, receive};
use lienthong_protocol::{ChangeId, DocumentId, Incarnation, Moment, NodeKey, OfficeId, Tally};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Cursor, DossierRow, MAX_TEXT_CHARS, Query, Reader, ViewError, Views, Watermark};

/// 2026-01-05, 08:00 in Vietnam.
const MORNING: Moment = Moment(1_767_574_800_000);

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

    fn reader(&self) -> Reader {
        self.views.reader().expect("opens beside the writer")
    }

    fn holds(&mut self, dossiers: &[Dossier]) {
        let rows: Vec<_> =
            dossiers.iter().map(|dossier| DossierRow::of(dossier, seen(1))).collect();
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
    ] {
        assert_eq!(desk.finds(&query), found, "{query:?}");
        let count = desk.reader().count(&query).expect("counts");
        assert_eq!(count, found.len() as u64, "{query:?}");
    }
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
    let row = DossierRow::of(&named(1, "An"), seen(5));
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
        views.apply(&[DossierRow::of(&named(1, "An"), seen(1))], &[], None).expect("works");
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
    views.apply(&[DossierRow::of(&named(2, "An"), seen(1))], &[], None).expect("works");
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
