//! What is published reaches every office as it was signed, and only the entitled office publishes.

use lienthong_request::{Exit, Failure, Publishing, Request};
use lienthong_tests::World;
use serde_json::Value;

const CATALOGUE: &str = include_str!("../../config/quang-nam/procedures.toml");
const CALENDAR: &str = include_str!("../../config/quang-nam/calendar-2018.toml");
const STAFF: &str = include_str!("../../config/quang-nam/staff.toml");

/// The reference catalogue as the hub of the tests publishes it.
fn catalogue() -> String {
    CATALOGUE.replace("publisher = \"QNM-HCC\"", "publisher = \"HUB\"")
}

/// The sample staff list as that of another office.
fn staff(office: &str) -> String {
    STAFF.replace("office = \"QNM-HCC\"", &format!("office = \"{office}\""))
}

async fn publish(
    world: &World,
    name: &str,
    what: Publishing,
    text: &str,
) -> Result<Value, Failure> {
    let (file, text) = ("sent.toml".to_owned(), text.to_owned());
    world.ask(name, Request::Publish { what, file, text, from: None }).await
}

/// The code and the exit of the failure of a publication.
async fn refusal(world: &World, name: &str, what: Publishing, text: &str) -> (String, Exit) {
    let failure = publish(world, name, what, text).await.expect_err("it is refused");
    assert!(!failure.why.is_empty() && !failure.remedy.is_empty(), "{failure}");
    (failure.code, failure.exit)
}

fn refused(code: &str) -> (String, Exit) {
    (code.to_owned(), Exit::Refused)
}

async fn procedure(world: &World, name: &str, day: &str) -> Result<Value, Failure> {
    let code = "1.001193.H47".to_owned();
    world.ask(name, Request::Procedure { code, day: Some(day.to_owned()) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_district_reads_what_the_hub_published_and_publishes_nothing_itself() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let failure = procedure(&world, "EAST", "2018-01-02").await.expect_err("nothing is there");
    assert_eq!(failure.code, "no-catalogue");

    let answer = publish(&world, "HUB", Publishing::Catalogue, &catalogue()).await;
    let answer = answer.expect("the hub is entitled");
    assert_eq!((&answer["version"], &answer["procedures"]), (&1.into(), &71.into()));
    assert_eq!(answer["from"], Value::Null, "the first one holds from the beginning");
    publish(&world, "HUB", Publishing::Calendar, CALENDAR).await.expect("the hub is entitled");
    let year = Request::CalendarYear { year: 2018 };
    let arrived = async || {
        procedure(&world, "EAST", "2018-01-02").await.is_ok()
            && world.ask("EAST", year.clone()).await.is_ok()
    };
    world.until("the catalogue and the calendar at EAST", arrived).await;
    for day in ["2018-01-02", "2025-07-01"] {
        let here = procedure(&world, "HUB", day).await.expect("it is offered");
        let there = procedure(&world, "EAST", day).await.expect("it is offered");
        assert_eq!(here, there);
    }
    let held = procedure(&world, "EAST", "2025-07-01").await.expect("it is offered");
    assert_eq!((&held["version"], &held["valid_from"]), (&2.into(), &"2025-07-01".into()));
    let calendar = world.ask("EAST", year.clone()).await.expect("it has arrived");
    assert_eq!(calendar, world.ask("HUB", year).await.expect("the hub has it"));
    assert!(calendar["working_days"].as_u64().is_some_and(|days| (240..260).contains(&days)));

    for what in [Publishing::Catalogue, Publishing::Calendar] {
        let text = if what == Publishing::Calendar { CALENDAR } else { CATALOGUE };
        assert_eq!(refusal(&world, "EAST", what, text).await, refused("not-root"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_adds_and_nothing_is_published_twice() {
    let mut world = World::new().await;
    let publish_catalogue = async |world: &World, text: &str| {
        publish(world, "HUB", Publishing::Catalogue, text).await.map_err(|failure| failure.code)
    };
    publish_catalogue(&world, &catalogue()).await.expect("it is the first");
    world.restart("HUB").await;
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(publish_catalogue(&world, &catalogue()).await, refused("nothing-new"));
    let second = catalogue().replacen("version = 1", "version = 2", 1);
    let rewritten = second.replacen("163/QĐ-BTP", "164/QĐ-BTP", 1);
    assert_eq!(publish_catalogue(&world, &rewritten).await, refused("version-rewritten"));
    let revision = "[[procedure.revision]]\nversion = 3\nvalid_from = \"2026-03-01\"\n\
                    name = \"Đăng ký khai sinh\"\n\n[[procedure]]\ncode = \"1.000894.H47\"";
    let second = second.replacen("[[procedure]]\ncode = \"1.000894.H47\"", revision, 1);
    publish_catalogue(&world, &second).await.expect("it adds a version");
    let held = procedure(&world, "HUB", "2099-01-01").await.expect("it is offered");
    assert_eq!((&held["catalogue"], &held["version"]), (&2.into(), &3.into()));
    let held = procedure(&world, "HUB", "2018-01-02").await.expect("what was published stays");
    assert_eq!((&held["catalogue"], &held["version"]), (&1.into(), &1.into()));
    let text = Some("dang ky khai sinh".to_owned());
    let day = Some("2099-01-01".to_owned());
    let found = world.ask("HUB", Request::Procedures { text, day }).await.expect("it answers");
    let names: Vec<&str> = found["procedures"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|procedure| procedure["name"].as_str())
        .collect();
    assert!(names.contains(&"Đăng ký khai sinh"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_refused_with_file_line_field_and_remedy() {
    let world = World::new().await;
    let bad = catalogue().replacen("unit = \"same_day\", note", "note", 1);
    let failure = publish(&world, "HUB", Publishing::Catalogue, &bad).await.expect_err("no unit");
    let (code, exit) = (failure.code.as_str(), failure.exit);
    assert_eq!((code, exit), ("source-invalid", Exit::Refused));
    let place = "sent.toml:299: procedure[0].limits[0]: missing field `unit`";
    assert!(failure.why.starts_with(place), "{failure}");
    assert!(failure.remedy.contains("add the field"), "{failure}");
    let two = catalogue().replace("role = \"so-khdt\"", "role = \"so-kh\"");
    let failure = publish(&world, "HUB", Publishing::Catalogue, &two).await.expect_err("no role");
    assert!(failure.why.contains("there is no role 'so-kh'"), "{failure}");
    assert!(failure.why.contains("more, on lines"), "{failure}");
    let status = world.ask("HUB", Request::Status).await.expect("answers");
    assert_eq!(status["documents"], 1, "nothing but the registry is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_publishes_its_own_staff_and_those_above_it_read_it() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.join("WEST").await;
    let others = staff("WEST");
    let refusal = refusal(&world, "EAST", Publishing::Staff, &others).await;
    assert_eq!(refusal, refused("other-office"));
    let answer = publish(&world, "EAST", Publishing::Staff, &staff("EAST")).await;
    assert_eq!(answer.expect("it is its own")["officers"], 5);
    let asked = |name: &'static str, of: &str| {
        let office = Some(lienthong_tests::office(of));
        world.ask(name, Request::Staff { office })
    };
    world.until("the staff of EAST at HUB", async || asked("HUB", "EAST").await.is_ok()).await;
    world.settle().await;
    assert_eq!(asked("HUB", "EAST").await, asked("EAST", "EAST").await);
    let failure = asked("WEST", "EAST").await.expect_err("it does not take part");
    assert_eq!(failure.code, "no-staff");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_outside_the_dates_of_the_secondment_is_refused_and_nothing_is_stored() {
    let world = World::new().await;
    world.try_receive("HUB", "Nguyễn Văn An").await.expect("without a staff list everybody may");
    let list = staff("HUB").replacen("id = \"hcc-tiep-nhan-1\"", "id = \"clerk\"", 1);
    let ended = list.replacen("from = \"2017-06-05\"\npowers = [\"intake\"]", ENDED, 1);
    assert_ne!(ended, list);
    publish(&world, "HUB", Publishing::Staff, &ended).await.expect("it is its own");
    let before = world.ask("HUB", Request::Status).await.expect("answers");
    let failure = world.try_receive("HUB", "Nguyễn Văn An").await.expect_err("it is over");
    assert_eq!((failure.code.as_str(), failure.exit), ("officer-outside-dates", Exit::Refused));
    assert!(failure.why.contains("from 2017-06-05 to 2018-06-04"), "{failure}");
    assert!(failure.remedy.contains("quyết định biệt phái mới"), "{failure}");
    let after = world.ask("HUB", Request::Status).await.expect("answers");
    assert_eq!(before["changes"], after["changes"]);
    let again = list.replacen("version = 1", "version = 2", 1);
    publish(&world, "HUB", Publishing::Staff, &again).await.expect("it is a new version");
    world.try_receive("HUB", "Nguyễn Văn An").await.expect("the clerk is back");
}

const ENDED: &str = "from = \"2017-06-05\"\nto = \"2018-06-04\"\npowers = [\"intake\"]";
