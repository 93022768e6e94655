//! What a counter of a published province gives and refuses: dues, powers, and every bad input.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lienthong_dossier::local_minute;
use lienthong_protocol::Moment;
use lienthong_request::{Exit, Failure, Filter, Publishing, Request};
use lienthong_tests::World;
use serde_json::{Value, json};

const CATALOGUE: &str = include_str!("../../config/quang-nam/procedures.toml");
const CALENDARS: [&str; 2] = [
    include_str!("../../config/quang-nam/calendar-2017.toml"),
    include_str!("../../config/quang-nam/calendar-2018.toml"),
];
const STAFF: &str = include_str!("../../config/quang-nam/staff.toml");

/// Friday, 9 February 2018, 16:00 in Vietnam: Tết is the week from the 14th.
const BEFORE_TET: Moment = Moment(1_518_166_800_000);
/// Cấp Giấy xác nhận tình trạng hôn nhân: three working days.
const THREE_DAYS: &str = "1.004873.H47";

/// The Monday after it, noon.
const MONDAY_NOON: Moment = Moment(BEFORE_TET.0 + 68 * HOUR_MS);
const HOUR_MS: u64 = 3_600_000;
/// Friday, 28 December 2018, 9:00 in Vietnam: the next year has no calendar.
const YEAR_END: Moment = Moment(1_545_962_400_000);

/// A clock that a test turns.
struct Now(Arc<AtomicU64>);

impl Now {
    fn at(moment: Moment) -> Now {
        Now(Arc::new(AtomicU64::new(moment.0)))
    }

    fn turn(&self, to: Moment) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

/// A hub before Tết 2018 that has published the reference catalogue and calendars.
async fn province() -> World {
    province_at(&Now::at(BEFORE_TET)).await
}

async fn province_at(now: &Now) -> World {
    let mut world = World::founded();
    let now = Arc::clone(&now.0);
    world.start_at("HUB", Arc::new(move || Moment(now.load(Ordering::SeqCst)))).await;
    let catalogue = CATALOGUE.replace("publisher = \"QNM-HCC\"", "publisher = \"HUB\"");
    publish(&world, Publishing::Catalogue, catalogue).await;
    for calendar in CALENDARS {
        publish(&world, Publishing::Calendar, calendar.to_owned()).await;
    }
    world
}

async fn publish(world: &World, what: Publishing, text: String) {
    let publish = Request::Publish { what, file: "sent.toml".into(), text, from: None };
    world.ask("HUB", publish).await.expect("the hub is entitled");
}

/// Receives at the hub what the reference reception says, with some of its fields others.
async fn receive(world: &World, others: Value) -> Result<Value, Failure> {
    let mut reception = json!({
        "procedure": THREE_DAYS,
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    });
    merge(&mut reception, others);
    let reception = serde_json::from_value(reception).expect("it has the form of a reception");
    world
        .ask("HUB", Request::Receive { reception, officer: "clerk".into(), registered: false })
        .await
}

fn merge(into: &mut Value, others: Value) {
    match (into, others) {
        (Value::Object(into), Value::Object(others)) => {
            for (key, value) in others {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, other) => *into = other,
    }
}

/// The same, as somebody who may be no clerk.
async fn receive_by(world: &World, officer: &str, registered: bool) -> Result<Value, Failure> {
    let reception = serde_json::from_value(json!({
        "procedure": THREE_DAYS,
        "channel": "online",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    }));
    let reception = reception.expect("it has the form of a reception");
    world.ask("HUB", Request::Receive { reception, officer: officer.into(), registered }).await
}

async fn changes(world: &World) -> Value {
    world.ask("HUB", Request::Status).await.expect("answers")["changes"].clone()
}

fn check_refusal(failure: &Failure, code: &str) {
    assert_eq!((failure.code.as_str(), failure.exit), (code, Exit::Refused), "{failure}");
    for words in [&failure.what, &failure.why, &failure.remedy] {
        assert!(!words.is_empty(), "{failure:?} lacks words");
    }
    assert!(!failure.to_string().contains("Nguyễn"), "a refusal names nobody: {failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reception_keeps_its_version_and_its_due_lies_behind_tet() {
    let mut world = province().await;
    world.join("EAST").await;
    let received = receive(&world, json!({})).await.expect("it is offered");
    assert_eq!(received["due"], "2018-02-21T17:00", "Monday, Tuesday, then Wednesday the 21st");
    let id = received["id"].as_str().expect("an id");
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!((&shown["procedure_version"], &shown["due"]), (&1.into(), &received["due"]));
    assert_eq!(shown["clock"]["state"], "running");
    let sooner = receive(&world, json!({ "due": "2018-02-12" })).await.expect("may be promised");
    assert_eq!(sooner["due"], "2018-02-12", "an earlier day that was promised stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_in_a_year_without_a_calendar_is_said_to_be_uncertain() {
    let now = Now::at(BEFORE_TET);
    let world = province_at(&now).await;
    let certain = receive(&world, json!({})).await.expect("it is offered");
    assert_eq!(certain["warnings"], json!([]), "the calendar of 2018 is published");

    now.turn(YEAR_END);
    let received = receive(&world, json!({})).await.expect("it is offered");
    assert_eq!(received["due"], "2019-01-03T17:00", "Monday is made up for, New Year is worked");
    let warnings = received["warnings"].as_array().expect("a list");
    let [warning] = warnings.as_slice() else { panic!("one warning: {warnings:?}") };
    let words = warning.as_str().expect("words");
    assert!(words.contains("chưa có lịch làm việc năm 2019, chỉ trừ cuối tuần / "), "{words}");
    let id = received["id"].as_str().expect("an id");
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!(shown["warnings"], received["warnings"], "whoever looks later is told, too");
    let request = Request::Review { dossier: id.to_owned() };
    let review = world.ask("HUB", request).await.expect("held");
    assert_eq!(review["warnings"], received["warnings"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_calendar_moves_no_due_and_says_what_it_would_be_until_that_is_done() {
    let world = province().await;
    let received = receive(&world, json!({})).await.expect("it is offered");
    let id = received["id"].as_str().expect("an id");
    let due = "2018-02-21T17:00";
    assert_eq!((&received["due"], &received["warnings"]), (&due.into(), &json!([])));

    let next = "  { date = \"2018-04-25\",";
    assert!(CALENDARS[1].contains(next), "the test knows the calendar");
    let one_more = "  { date = \"2018-02-21\", name = \"Mùng 6 Tết\", kind = \"substitute\", \
                    source = \"PKG\" },\n";
    let later = CALENDARS[1].replacen("version = 1", "version = 2", 1);
    let later = later.replacen(next, &format!("{one_more}{next}"), 1);
    publish(&world, Publishing::Calendar, later).await;
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!(shown["due"], due, "what was promised stays");
    let warnings = shown["warnings"].as_array().expect("a list");
    let [warning] = warnings.as_slice() else { panic!("one warning: {warnings:?}") };
    let words = warning.as_str().expect("words");
    assert!(words.contains("nay tính ra 2018-02-22T17:00") && words.contains(" / "), "{words}");

    let again = json!({
        "kind": "recomputed", "due": "2018-02-22T17:00", "reason": "nghỉ thêm một ngày",
    });
    world.act("HUB", id, json!({ "kind": "in-process" })).await.expect("work begins");
    world.act("HUB", id, again).await.expect("the applicant is told");
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!((&shown["due"], &shown["due_original"]), (&"2018-02-22T17:00".into(), &due.into()));
    assert_eq!(shown["warnings"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_with_what_why_and_remedy_and_nothing_is_stored() {
    let world = province().await;
    let before = changes(&world).await;
    let bad = [
        (json!({ "procedure": "9.999999.H47" }), "unknown-procedure"),
        (json!({ "applicant": { "name": "Nguyễn".repeat(1_500) } }), "too-long"),
        (json!({ "applicant": { "name": "  " } }), "missing"),
        (json!({ "applicant": { "birth_date": "2018-02-30" } }), "not-a-day"),
        (json!({ "due": "2018-02-29" }), "not-a-due"),
        (json!({ "offices": { "receiving": "EAST" } }), "other-office"),
        (json!({ "offices": { "coordinating": ["NOWHERE"] } }), "unknown-office"),
        (
            json!({ "components": [{ "code": "TP99", "name": "Giấy lạ", "originals": 1 }] }),
            "unknown-component",
        ),
    ];
    for (others, code) in bad {
        let failure = receive(&world, others.clone()).await.expect_err("it is refused");
        assert_eq!(failure.code, code, "{failure}");
        check_refusal(&failure, code);
    }
    for (officer, code) in [("", "missing"), ("Lan\u{202e}", "control-character")] {
        let failure = receive_by(&world, officer, false).await.expect_err("no such officer");
        check_refusal(&failure, code);
        assert!(failure.why.starts_with("officer: "), "the field is named: {failure}");
    }
    let failure = receive_by(&world, &"Lan ".repeat(2_500), false).await.expect_err("10 kB");
    check_refusal(&failure, "too-long");
    assert_eq!(changes(&world).await, before, "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_that_the_catalogue_does_not_name_decides_nothing_at_reception() {
    let mut named = lienthong_tests::province();
    let tiers =
        [("HUB", "province"), ("EAST", "district"), ("WEST", "district"), ("HILL", "commune")];
    for (office, (name, tier)) in named.offices.iter_mut().zip(tiers) {
        assert_eq!(office.id.as_str(), name);
        office.tier = tier.to_owned();
    }
    let mut world = World::founded_as(&named);
    let at = Now::at(BEFORE_TET).0;
    world.start_at("HUB", Arc::new(move || Moment(at.load(Ordering::SeqCst)))).await;
    let catalogue = CATALOGUE.replace("publisher = \"QNM-HCC\"", "publisher = \"HUB\"");
    publish(&world, Publishing::Catalogue, catalogue).await;
    let before = changes(&world).await;
    for offices in [json!({}), json!({ "competent": "EAST" })] {
        let failure = receive(&world, json!({ "offices": offices })).await.expect_err("a commune");
        check_refusal(&failure, "office-not-competent");
        assert!(failure.why.starts_with("offices.competent: "), "{failure}");
        assert!(failure.why.contains("Ủy ban nhân dân cấp xã"), "{failure}");
    }
    assert_eq!(changes(&world).await, before, "nothing was stored");
    let offices = json!({ "competent": "HILL" });
    receive(&world, json!({ "offices": offices })).await.expect("received on behalf");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_through_the_portal_has_its_due_from_the_day_it_is_taken_in() {
    let world = province().await;
    let registered = receive_by(&world, "portal", true).await.expect("it is offered online");
    assert_eq!(registered["due"], Value::Null, "nobody has looked at it yet");
    let id = registered["id"].as_str().expect("an id");
    assert_eq!(world.show("HUB", id).await.expect("held")["status"], 1);
    let failure = world.act("HUB", id, json!({ "kind": "finished" })).await.expect_err("too soon");
    check_refusal(&failure, "act-not-allowed");
    world.act("HUB", id, json!({ "kind": "received" })).await.expect("it is taken in");
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!((&shown["status"], &shown["due"]), (&2.into(), &"2018-02-21T17:00".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_looks_at_is_found_once_its_working_hours_have_passed() {
    let now = Now::at(BEFORE_TET);
    let world = province_at(&now).await;
    let registered = receive_by(&world, "portal", true).await.expect("it is offered online");
    let accept_by = Value::from("2018-02-12T16:00");
    assert_eq!(registered["accept_by"], accept_by, "an hour of Friday, seven of Monday");
    let id = registered["id"].as_str().expect("an id");
    now.turn(MONDAY_NOON);
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!((&shown["clock"]["state"], &shown["accept_by"]), (&"waiting".into(), &accept_by));
    assert_eq!(shown["clock"]["remaining_minutes"], 150, "from half past one to four");
    assert_eq!((&shown["findings"], &shown["submitted"]), (&json!([]), &"2018-02-09T16:00".into()));
    now.turn(Moment(MONDAY_NOON.0 + 5 * HOUR_MS));
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!(shown["findings"][0]["code"], "accept-overdue");
    assert_eq!((&shown["clock"]["verdict"], &shown["due"]), (&"late".into(), &Value::Null));
    world.act("HUB", id, json!({ "kind": "received" })).await.expect("it is taken in at last");
    let shown = world.show("HUB", id).await.expect("held");
    let due = Value::from("2018-02-22T17:00");
    assert_eq!(shown["due"], due, "Tuesday, then Wednesday and Thursday behind Tết");
    assert_eq!((&shown["due_original"], &shown["accept_by"]), (&due, &accept_by));
    assert_eq!((&shown["clock"]["state"], &shown["findings"]), (&"running".into(), &json!([])));
    assert_eq!(shown["dues"]["calendars"][0]["year"], 2018, "as if it had come to the counter");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_time_brings_is_counted_and_listed_although_no_dossier_changed() {
    let now = Now::at(BEFORE_TET);
    let world = province_at(&now).await;
    let registered = receive_by(&world, "portal", true).await.expect("it is offered online");
    let late = receive(&world, json!({ "due": "2018-02-12" })).await.expect("it is offered");
    let part = json!({ "parent_code": late["code"], "due": "2018-03-01" });
    receive(&world, part).await.expect("it is a part of the other");
    let list = || Request::List(Box::new(Filter { review: true, ..Filter::default() }));
    let listed = world.ask("HUB", list()).await.expect("answers");
    assert_eq!(listed["dossiers"], json!([]), "nothing is wrong yet");
    let before = changes(&world).await;
    let figures =
        async || world.ask("HUB", Request::Status).await.expect("answers")["views"].clone();
    let calm = figures().await;
    assert_eq!((&calm["documents"], &calm["filings"]), (&3.into(), &2.into()));
    assert_eq!((&calm["overdue"], &calm["review"]["findings"]), (&0.into(), &0.into()));
    now.turn(Moment(BEFORE_TET.0 + 4 * 24 * HOUR_MS));
    let review = json!({
        "dossiers": 1, "questions": 0, "unconfirmed": 0, "findings": 1, "receipts": 0,
        "unlisted": 0,
    });
    let later = figures().await;
    assert_eq!((&later["overdue"], &later["review"]), (&1.into(), &review));
    let listed = world.ask("HUB", list()).await.expect("answers");
    assert_eq!(listed["dossiers"][0]["id"], registered["id"]);
    assert_eq!(listed["dossiers"][0]["open"]["code"], "accept-overdue");
    assert_eq!(changes(&world).await, before, "time alone did it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_registered_is_refused_withdrawn_or_asked_about() {
    let world = province().await;
    let ends = [("refused", 3), ("withdrawn", 7), ("supplement-asked", 5)];
    for (kind, status) in ends {
        let registered = receive_by(&world, "portal", true).await.expect("it is offered online");
        let id = registered["id"].as_str().expect("an id");
        let act = json!({ "kind": kind, "reason": "thiếu tờ khai" });
        world.act("HUB", id, act).await.expect("it may be");
        let shown = world.show("HUB", id).await.expect("held");
        assert_eq!((&shown["status"], &shown["due"]), (&status.into(), &Value::Null), "{kind}");
        if kind == "supplement-asked" {
            world.act("HUB", id, json!({ "kind": "supplied" })).await.expect("it is brought");
            let shown = world.show("HUB", id).await.expect("held");
            assert_eq!((&shown["status"], &shown["findings"]), (&4.into(), &json!([])));
            assert_eq!(shown["due"], "2018-02-21T17:00", "that took it in");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supplement_moves_the_due_that_people_are_shown_and_keeps_the_first() {
    let now = Now::at(BEFORE_TET);
    let world = province_at(&now).await;
    let received = receive(&world, json!({})).await.expect("it is offered");
    let id = received["id"].as_str().expect("an id");
    world.act("HUB", id, json!({ "kind": "in-process" })).await.expect("work begins");
    let asked = json!({ "kind": "supplement-asked", "reason": "thiếu bản sao" });
    world.act("HUB", id, asked).await.expect("the applicant is asked");
    now.turn(MONDAY_NOON);
    let shown = world.show("HUB", id).await.expect("held");
    check_dues(&shown, "2018-02-22T14:30", "an hour of Friday, four and a half of Monday");
    world.act("HUB", id, json!({ "kind": "supplied" })).await.expect("it is brought");
    now.turn(Moment(MONDAY_NOON.0 + 24 * HOUR_MS));
    let shown = world.show("HUB", id).await.expect("held");
    check_dues(&shown, "2018-02-22T14:30", "the clock runs again");
    assert_eq!(shown["acts"][3]["due"], "2018-02-22T14:30", "it is written down with the act");
    let list = Request::List(Box::default());
    let listed = world.ask("HUB", list).await.expect("answers");
    assert_eq!(listed["dossiers"][0]["due"], "2018-02-22T14:30");
}

/// What is shown as the due is what the clock says, and the first due is kept.
#[track_caller]
fn check_dues(shown: &Value, due: &str, why: &str) {
    assert_eq!((&shown["due"], &shown["due_original"]), (&due.into(), &"2018-02-21T17:00".into()));
    let clock = shown["clock"]["due_ms"].as_u64().map(|at| local_minute(Moment(at)));
    assert_eq!(clock.as_deref(), Some(due), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_the_status_does_not_allow_is_refused_and_nothing_is_stored() {
    let world = province().await;
    let received = receive(&world, json!({})).await.expect("it is offered");
    let id = received["id"].as_str().expect("an id");
    let before = changes(&world).await;
    let bad = [
        (json!({ "kind": "returned" }), "act-not-allowed"),
        (json!({ "kind": "supplied" }), "act-not-allowed"),
        (json!({ "kind": "refused", "reason": "muộn" }), "act-not-allowed"),
        (json!({ "kind": "transferred", "to_office": "NOWHERE" }), "unknown-office"),
        (json!({ "kind": "noted", "note": "x".repeat(20_000) }), "too-long"),
        (json!({ "kind": "noted", "note": "x", "officer": "a\u{200b}" }), "control-character"),
    ];
    for (act, code) in bad {
        let failure = world.act("HUB", id, act.clone()).await.expect_err("it is refused");
        assert_eq!(failure.code, code, "{failure}");
        check_refusal(&failure, code);
    }
    assert_eq!(changes(&world).await, before, "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_take_in_decides_nothing() {
    let world = province().await;
    let staff = STAFF.replace("office = \"QNM-HCC\"", "office = \"HUB\"").replacen(
        "id = \"hcc-tiep-nhan-1\"",
        "id = \"clerk\"",
        1,
    );
    let more = "[[officer]]\nid = \"stp-2\"\nname = \"Cán bộ mẫu E\"\nfrom = \"2017-06-05\"\n\
                powers = [\"process\"]\n";
    publish(&world, Publishing::Staff, format!("{staff}\n{more}")).await;
    let received = receive(&world, json!({})).await.expect("the clerk takes in");
    let id = received["id"].as_str().expect("an id");
    let failure = world.act("HUB", id, json!({ "kind": "in-process" })).await.expect_err("no");
    check_refusal(&failure, "officer-without-power");
    let head = json!({ "kind": "in-process", "officer": "hcc-giam-doc" });
    world.act("HUB", id, head).await.expect("the head may");
    let decided = json!({ "kind": "finished", "officer": "hcc-giam-doc" });
    let decided = world.act("HUB", id, decided).await.expect("the head decides");
    let mut back = json!({
        "kind": "reversed", "regards": decided["act"], "reason": "nhầm hồ sơ", "officer": "stp-2",
    });
    let failure = world.act("HUB", id, back.clone()).await.expect_err("who only works on it");
    check_refusal(&failure, "officer-without-power");
    back["officer"] = "hcc-giam-doc".into();
    world.act("HUB", id, back).await.expect("who may decide may take it back");
    let stranger = json!({ "kind": "finished", "officer": "nobody" });
    let failure = world.act("HUB", id, stranger).await.expect_err("not of this office");
    check_refusal(&failure, "officer-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_two_forms_is_stored_in_one() {
    let world = province().await;
    let apart = "Nguye\u{302}\u{303}n Va\u{306}n An";
    let received = receive(&world, json!({ "applicant": { "name": apart } })).await;
    let received = received.expect("it is offered");
    let id = received["id"].as_str().expect("an id");
    let shown = world.show("HUB", id).await.expect("held");
    assert_eq!(shown["applicant"]["name"], "Nguyễn Văn An");
}
