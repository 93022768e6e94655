//! What is published is read back equal, in parts that fit a change, and never overwritten.

use lienthong_document::Actor;
use lienthong_protocol::{Incarnation, NodeId};

use super::*;
use crate::day::day;
use crate::limit::{Limit, Unit};

const REFERENCE: &str = include_str!("../../../config/quang-nam/procedures.toml");
const CALENDAR: &str = include_str!("../../../config/quang-nam/calendar-2018.toml");
const STAFF: &str = include_str!("../../../config/quang-nam/staff.toml");

fn edition(text: &str) -> Edition {
    Edition::parse("procedures.toml", text).expect("the text is sound")
}

/// The reference catalogue under another version, with one text replaced.
fn later(version: u32, good: &str, bad: &str) -> Edition {
    assert!(REFERENCE.contains(good), "{good} is not in the catalogue");
    let numbered = REFERENCE.replacen("version = 1", &format!("version = {version}"), 1);
    edition(&numbered.replacen(good, bad, 1))
}

fn on(text: &str) -> Option<Date> {
    Some(day(text).expect("the tests name days that exist"))
}

/// Writes a publication part after part; gives the longest payload, in bytes.
fn write(document: &mut Document, publication: &Publication) -> usize {
    let actor = Actor::derive(NodeId::from_bytes([1; 32]), Incarnation(7));
    let mut longest = 0;
    for part in publication.parts() {
        let draft = document.edit(actor, |editor| part.write(editor));
        let draft = draft.expect("the part changes something");
        longest = longest.max(draft.payload().len());
        document.take(draft).expect("a draft was rehearsed on the same document");
    }
    longest
}

fn publish(document: &mut Document, edition: &Edition, from: Option<Date>) {
    let publication = Catalogue::read([&*document]).publication(edition, from);
    write(document, &publication.expect("it can be published"));
}

fn refusal(document: &Document, edition: &Edition, from: Option<Date>) -> &'static str {
    let refused = Catalogue::read([document]).publication(edition, from);
    refused.map_or_else(|refusal| refusal.code(), |_| "published")
}

#[test]
fn the_reference_catalogue_is_read_back_equal() {
    let mut document = Document::new();
    let reference = edition(REFERENCE);
    publish(&mut document, &reference, None);
    let catalogue = Catalogue::read([&document]);
    assert_eq!(catalogue.latest(), Some(&reference));
    assert_eq!(catalogue.editions().count(), 1);
}

#[test]
fn an_edition_of_before_there_was_a_limit_for_accepting_is_read_as_it_was() {
    let accept = "accept_within = { amount = 8, unit = \"hour\", assumed = true }\n";
    let before = edition(&REFERENCE.replacen(accept, "", 1));
    assert_eq!(before.accept_within(), None);
    let mut document = Document::new();
    publish(&mut document, &before, None);
    let lists = document.value()[EDITIONS].to_string();
    assert!(!lists.contains("accept_within"), "its text is the one that older nodes wrote");
    assert_eq!(Catalogue::read([&document]).latest(), Some(&before));
    let limited = later(2, "reform_from", "reform_from");
    publish(&mut document, &limited, on("2026-01-01"));
    let held = Catalogue::read([&document]);
    let within = held.latest().and_then(Edition::accept_within).map(|accept| accept.limit());
    assert_eq!(within, Some(Limit::of(8, Unit::Hour)), "a new limit alone is something new");
}

#[test]
fn an_edition_adds_and_leaves_what_was_published() {
    let mut document = Document::new();
    publish(&mut document, &edition(REFERENCE), None);
    let shorter = later(
        2,
        "amount = 3, unit = \"working_day\", channel = \"online\"",
        "amount = 3, unit = \"working_day\", channel = \"online\"",
    );
    assert_eq!(refusal(&document, &shorter, None), "nothing-new", "a number alone is nothing");
    let revision = "[[procedure.revision]]\nversion = 3\nvalid_from = \"2026-03-01\"\n\
                    components = []\n\n[[procedure]]\ncode = \"1.000894.H47\"";
    let second = later(2, "[[procedure]]\ncode = \"1.000894.H47\"", revision);
    publish(&mut document, &second, on("2026-01-01"));
    let catalogue = Catalogue::read([&document]);
    let version = |day| {
        let held = catalogue.procedure_at("1.001193.H47", on(day)?)?;
        Some((held.version, held.procedure.components.len()))
    };
    assert_eq!(version("2025-12-31"), Some((2, 5)));
    assert_eq!(version("2026-01-01"), Some((2, 5)));
    assert_eq!(version("2026-03-01"), Some((3, 0)));
    let texts = document.get(&[TEXTS]).and_then(|texts| Some(texts.as_object()?.len()));
    assert_eq!(texts, Some(71 + 1), "equal texts are stored once");
}

#[test]
fn what_says_nothing_new_is_refused() {
    let mut document = Document::new();
    publish(&mut document, &edition(REFERENCE), None);
    assert_eq!(refusal(&document, &edition(REFERENCE), None), "nothing-new");
}

#[test]
fn a_published_version_is_never_rewritten() {
    let mut document = Document::new();
    publish(&mut document, &edition(REFERENCE), None);
    let same_number = later(1, "sets = 1", "sets = 2");
    assert_eq!(refusal(&document, &same_number, None), "version-published");
    let first = later(2, "Thủ tục đăng ký khai tử", "Đăng ký khai tử");
    assert_eq!(refusal(&document, &first, None), "version-rewritten");
    let second = later(2, "163/QĐ-BTP", "164/QĐ-BTP");
    let refused = Catalogue::read([&document]).publication(&second, None);
    let rewritten = PublishRefusal::Rewritten { code: "1.001193.H47".into(), version: 2 };
    assert_eq!(refused, Err(rewritten));
}

#[test]
fn editions_hold_from_days_in_order() {
    let mut document = Document::new();
    let more = |version, name: &str| later(version, "name = \"Công an cấp xã\"", name);
    publish(&mut document, &edition(REFERENCE), on("2025-01-01"));
    let second = more(2, "name = \"Công an xã\"");
    assert_eq!(refusal(&document, &second, on("2024-12-31")), "edition-order");
    assert_eq!(refusal(&document, &second, None), "edition-order");
    assert_eq!(refusal(&document, &second, on("2025-01-01")), "published");
}

#[test]
fn thousands_fit_the_limits_of_a_change_and_count_once_the_last_part_is_there() {
    let mut document = Document::new();
    let publication = Catalogue::default().publication(&thousands(), None);
    let publication = publication.expect("nothing was published yet");
    let (last, first) = publication.parts().split_last().expect("there are parts");
    let longest = write(&mut document, &Publication { parts: first.to_vec() });
    // A record holds a header of at most 8 KiB and a signature beside the payload.
    let limit = lienthong_protocol::limits::MAX_CHANGE_BYTES - (16 << 10);
    assert!(longest < limit, "the longest payload has {longest} bytes");
    assert!(longest > limit / 3, "parts are not cut small: {longest} bytes");
    assert!(Catalogue::read([&document]).is_empty(), "it is cut off");
    write(&mut document, &Publication { parts: vec![last.clone()] });
    assert_eq!(Catalogue::read([&document]).latest().map(Edition::len), Some(2_272));
}

/// The reference catalogue 32 times over, each with its own codes.
fn thousands() -> Edition {
    let start = REFERENCE.find("[[procedure]]\n").expect("the catalogue has procedures");
    let (head, procedures) = REFERENCE.split_at(start);
    let copies = (0..32).map(|copy| {
        procedures
            .replace(".H47\"", &format!(".{}{:02}\"", if copy < 16 { 'K' } else { 'L' }, copy))
    });
    edition(&format!("{head}{}", copies.collect::<String>()))
}

#[test]
fn a_text_that_stands_there_is_never_replaced() {
    let mut document = Document::new();
    let path = vec![EDITIONS.to_owned(), "1".to_owned()];
    let text = |text: &str| Publication::of([Text { path: path.clone(), text: text.into() }]);
    write(&mut document, &text("one"));
    let actor = Actor::derive(NodeId::from_bytes([1; 32]), Incarnation(8));
    let again = document.edit(actor, |editor| text("two").parts()[0].write(editor));
    assert_eq!(again.err().map(|error| error.code()), Some("edit-wrong-kind"));
    let same = document.edit(actor, |editor| text("one").parts()[0].write(editor));
    assert_eq!(same.err().map(|error| error.code()), Some("edit-nothing"));
}

#[test]
fn documents_that_make_no_sense_give_what_can_be_read() {
    let mut document = Document::new();
    publish(&mut document, &edition(REFERENCE), None);
    let actor = Actor::derive(NodeId::from_bytes([1; 32]), Incarnation(9));
    for (path, value) in [
        (&["editions", "2"][..], Value::from("no JSON")),
        (&["editions", "3"], Value::from(7)),
        (&["editions", "4"], serde_json::json!({ "a": [1] })),
        (&["years"], Value::from(true)),
        (&["versions"], serde_json::json!({ "1": "{}" })),
    ] {
        let draft = document.edit(actor, |editor| editor.put(path, value.clone()));
        document.take(draft.expect("it is new")).expect("it was rehearsed");
    }
    assert_eq!(Catalogue::read([&document]).latest().map(Edition::len), Some(71));
    assert_eq!(read_calendars([&document]), []);
    assert_eq!(Staff::read(&document, "QNM-HCC".parse().expect("an id")), None);
}

#[test]
fn of_two_documents_the_earlier_one_says_what_a_version_is() {
    let (mut earlier, mut later_one) = (Document::new(), Document::new());
    publish(&mut earlier, &edition(REFERENCE), None);
    publish(&mut later_one, &later(1, "Thủ tục đăng ký khai tử", "Đăng ký khai tử"), None);
    let catalogue = Catalogue::read([&earlier, &later_one]);
    assert_eq!(catalogue.latest(), Some(&edition(REFERENCE)));
}

#[test]
fn calendars_are_read_back_and_rise() {
    let mut document = Document::new();
    let year = CalendarYear::parse("calendar.toml", CALENDAR).expect("the calendar is sound");
    write(&mut document, &calendar_publication(&[], &year).expect("it is new"));
    let held = read_calendars([&document]);
    assert_eq!(held, std::slice::from_ref(&year));
    let code = |year: &CalendarYear| {
        calendar_publication(&held, year).map_or_else(|refusal| refusal.code(), |_| "published")
    };
    assert_eq!(code(&year), "nothing-new");
    assert_eq!(code(&CalendarYear { version: 2, ..year.clone() }), "nothing-new");
    let changed = CalendarYear { note: "khác".into(), ..year.clone() };
    assert_eq!(code(&changed), "version-published");
    assert_eq!(code(&CalendarYear { version: 2, ..changed }), "published");
    assert_eq!(code(&CalendarYear { year: 2019, ..year }), "published", "another year");
}

#[test]
fn staff_is_read_back_for_its_own_office_alone() {
    let mut document = Document::new();
    let staff = Staff::parse("staff.toml", STAFF).expect("the sample is sound");
    write(&mut document, &staff.publication(None).expect("it is new"));
    assert_eq!(Staff::read(&document, staff.office()).as_ref(), Some(&staff));
    let other = "QNM-STP".parse().expect("an id");
    assert_eq!(Staff::read(&document, other), None, "nobody writes the staff of another office");
    let code = |next: &Staff| {
        next.publication(Some(&staff)).map_or_else(|refusal| refusal.code(), |_| "published")
    };
    assert_eq!(code(&staff), "nothing-new");
    let changed = |text: &str| Staff::parse("staff.toml", text).expect("it is sound");
    let next = changed(&STAFF.replacen("Quầy 1", "Quầy 2", 1));
    assert_eq!(code(&next), "version-published");
    let next =
        changed(&STAFF.replacen("Quầy 1", "Quầy 2", 1).replacen("version = 1", "version = 2", 1));
    assert_eq!(code(&next), "published");
}
