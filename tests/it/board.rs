//! The board: what nodes say of themselves reaches those above, and silence shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use lienthong::Clock;
use lienthong_dossier::local_minute;
use lienthong_protocol::Moment;
use lienthong_request::{Publishing, Request};
use lienthong_tests::{World, office, province};
use serde_json::{Value, json};

const CALENDAR: &str = include_str!("../../config/quang-nam/calendar-2018.toml");
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// The first day of 1970 was a Thursday, and Vietnam is seven hours ahead.
const THURSDAY: u64 = 4;
const TUESDAY: u64 = 2;
const AHEAD_MS: u64 = 7 * HOUR_MS;

/// The line of an office on the board of a node.
async fn row(world: &World, at: &str, name: &str) -> Value {
    let board = world.ask(at, Request::Board).await.expect("answers");
    let rows = board["offices"].as_array().cloned().unwrap_or_default();
    rows.into_iter().find(|row| row["office"] == name).unwrap_or_default()
}

async fn state(world: &World, at: &str, name: &str) -> String {
    row(world, at, name).await["standing"]["state"].as_str().unwrap_or_default().to_owned()
}

async fn until_state(world: &World, at: &str, name: &str, wanted: &str) {
    let is_so = async || state(world, at, name).await == wanted;
    world.until(&format!("{name} is {wanted} at {at}"), is_so).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_a_commune_reaches_the_hub_through_its_district() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.join("HILL").await;
    for name in ["EAST", "HILL"] {
        until_state(&world, "HUB", name, "settled").await;
    }
    assert_eq!(state(&world, "HUB", "WEST").await, "not-joined");
    assert_eq!(state(&world, "HUB", "HUB").await, "here");
    // A commune links with the hub itself only until its district answers.
    let is_behind = async || {
        let hill = row(&world, "HUB", "HILL").await;
        hill["standing"]["direct"] == false && hill["report"]["uplink"] == "settled"
    };
    world.until("HILL stands behind EAST", is_behind).await;
    let hill = row(&world, "HUB", "HILL").await;
    assert!(hill["report"]["disk"]["total_bytes"].as_u64().is_some_and(|bytes| bytes > 0));
    world.receive("HILL", "Trần Thị Bình").await;
    let is_counted = async || {
        let hill = row(&world, "HUB", "HILL").await;
        // The clock is known once both links on the way have answered a ping before a report.
        let skew_ms = hill["standing"]["skew_ms"].as_i64();
        let is_right = skew_ms.is_some_and(|skew| skew.abs() < 60_000);
        is_right && hill["report"]["dossiers"]["open"] == 1 && hill["held"]["open"] == 1
    };
    world.until("the hub and HILL itself count its dossier", is_counted).await;
    let east = row(&world, "EAST", "WEST").await;
    assert_eq!(east, Value::Null, "a district sees what lies below it");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_that_is_cut_off_shows_with_its_history_and_comes_back() {
    let mut world = World::new().await;
    world.join("EAST").await;
    until_state(&world, "HUB", "EAST", "settled").await;
    world.cut("EAST").await;
    let is_down = async || ["resting", "cut-off"].contains(&&*state(&world, "HUB", "EAST").await);
    world.until("the hub misses EAST", is_down).await;
    world.reconnect("EAST").await;
    until_state(&world, "HUB", "EAST", "settled").await;
    let shown = east(&world).await;
    assert_eq!(turns(&shown), [true, false, true], "newest first");
    let link = &shown["links"][0];
    assert_eq!((&link["proven_root"], &link["settled"]), (&link["root"], &true.into()));
    // The history survives a restart of the hub, during which there was no contact.
    world.restart("HUB").await;
    assert_eq!(turns(&east(&world).await), [false, true, false, true]);
    let foreign = Request::BoardOffice { office: office("HUB") };
    let failure = world.ask("EAST", foreign).await.expect_err("the hub is not below");
    assert_eq!(failure.code, "not-found");
}

/// Midnight in Vietnam before the next Tuesday that has not begun: whenever the tests run, two
/// working days follow each other.
fn next_tuesday() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let today = (u64::try_from(now.as_millis()).expect("it fits") + AHEAD_MS) / DAY_MS;
    let is_tuesday = |day: &u64| (day + THURSDAY) % 7 == TUESDAY;
    (today + 1..).find(is_tuesday).expect("one of seven") * DAY_MS - AHEAD_MS
}

async fn receive_due(world: &World, name: &str, due: Moment) {
    let reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": name },
        "applicant": { "kind": "citizen", "name": "Trần Thị Bình" },
        "due": local_minute(due),
    });
    let reception = serde_json::from_value(reception).expect("a reception");
    let officer = "clerk".to_owned();
    let receive = Request::Receive { reception, officer, registered: false };
    world.ask(name, receive).await.expect("receives");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_at_night_alarms_nobody_and_a_due_behind_it_leads_the_board_by_day() {
    let tuesday = next_tuesday();
    let time = Arc::new(AtomicU64::new(tuesday + 10 * HOUR_MS));
    let read = Arc::clone(&time);
    let clock: Clock = Arc::new(move || Moment(read.load(Ordering::SeqCst)));
    let set = |ms: u64| time.store(tuesday + ms, Ordering::SeqCst);
    let mut world = World::founded();
    world.start_at("HUB", Arc::clone(&clock)).await;
    let (what, file, text) = (Publishing::Calendar, "sent.toml".into(), CALENDAR.to_owned());
    let publish = Request::Publish { what, file, text, from: None };
    world.ask("HUB", publish).await.expect("the hub is entitled");
    for name in ["WEST", "EAST"] {
        world.join_only(name).await;
        world.start_at(name, Arc::clone(&clock)).await;
        until_state(&world, "HUB", name, "settled").await;
    }
    receive_due(&world, "EAST", Moment(tuesday + DAY_MS + 11 * HOUR_MS)).await;
    receive_due(&world, "EAST", Moment(tuesday + 9 * DAY_MS)).await;
    world
        .until("the hub has both dossiers", async || {
            row(&world, "HUB", "EAST").await["held"]["open"] == 2
        })
        .await;
    set(17 * HOUR_MS + 30 * MINUTE_MS);
    world.cut("EAST").await;
    until_state(&world, "HUB", "EAST", "resting").await;
    set(DAY_MS + 6 * HOUR_MS);
    let silent = row(&world, "HUB", "EAST").await;
    let standing = &silent["standing"];
    assert_eq!((&standing["state"], &standing["silent_minutes"]), (&"resting".into(), &0.into()));
    assert_eq!(silent["at_risk"], 0, "nobody was at work");

    for hour in [9, 12] {
        set(DAY_MS + hour * HOUR_MS);
        let board = world.ask("HUB", Request::Board).await.expect("answers");
        assert_eq!(board["offices"][0]["office"], "EAST", "it leads the list");
        assert_eq!(board["offices"][0]["standing"]["state"], "cut-off");
        let numbers = &board["numbers"];
        let wanted = (&1.into(), &1.into());
        assert_eq!((&numbers["at_risk"], &numbers["cut_off"]), wanted, "at {hour} o'clock");
        assert_eq!(numbers["overdue"], u64::from(hour == 12), "one is due at 11");
    }
    world.reconnect("EAST").await;
    until_state(&world, "HUB", "EAST", "settled").await;
    assert_eq!(row(&world, "HUB", "EAST").await["at_risk"], 0);
}

/// What the hub shows of EAST alone.
async fn east(world: &World) -> Value {
    let request = Request::BoardOffice { office: office("EAST") };
    world.ask("HUB", request).await.expect("answers")
}

/// Whether contact came or went, turn by turn.
fn turns(shown: &Value) -> Vec<bool> {
    let turns = shown["contact"].as_array().into_iter().flatten();
    turns.filter_map(|turn| turn["up"].as_bool()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_put_back_from_a_backup_is_believed_again() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.stop("EAST").await;
    let backup = world.back_up("EAST");
    for _ in 0..3 {
        world.start("EAST").await;
        until_state(&world, "HUB", "EAST", "settled").await;
        world.stop("EAST").await;
    }
    world.restore("EAST", &backup);
    world.start("EAST").await;
    world.receive("EAST", "Trần Thị Bình").await;
    let is_counted = async || row(&world, "HUB", "EAST").await["report"]["dossiers"]["open"] == 1;
    world.until("the hub takes the word of the older run", is_counted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_refused_is_told_so() {
    let world = World::approving_by_hand().await;
    let code = world.invite("EAST").await;
    let joining = world.try_join("EAST", &code);
    let refusing = async {
        let mut node = Value::Null;
        let waits = async || {
            let nodes = world.ask("HUB", Request::Nodes).await.expect("answers");
            !nodes["waiting"][0].is_null()
        };
        world.until("EAST waits", waits).await;
        let nodes = world.ask("HUB", Request::Nodes).await.expect("answers");
        node.clone_from(&nodes["waiting"][0]["node"]);
        let node = node.as_str().unwrap_or_default().parse().expect("a node id");
        world.ask("HUB", Request::Refuse { node }).await.expect("it waits");
    };
    let (joined, ()) = tokio::join!(joining, refusing);
    assert_eq!(joined.expect_err("it was refused").code, "code-refused");
    let listed = world.ask("HUB", Request::Invitations).await.expect("answers");
    assert_eq!(listed["invitations"][0]["standing"]["state"], "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_of_the_readiness_list_names_who_said_so_and_is_known_below() {
    let mut planned = province();
    let east = planned.offices.iter_mut().find(|it| it.id == office("EAST"));
    east.expect("it is in the province").wave = Some(2017);
    let mut world = World::founded_as(&planned);
    world.start("HUB").await;
    world.join("EAST").await;
    let tick = |need: &str, done: bool, officer: &str| Request::Tick {
        office: office("EAST"),
        need: need.into(),
        done,
        officer: officer.into(),
    };
    let foreign = world.ask("EAST", tick("line", true, "cb-an")).await;
    assert_eq!(foreign.expect_err("it is not the hub").code, "not-the-hub");
    for (bad, code) in [
        (tick("moon", true, "cb-an"), "unknown-need"),
        (tick("line", true, " "), "bad-officer"),
        (
            Request::Tick {
                office: office("NOWHERE"),
                need: "line".into(),
                done: true,
                officer: "cb-an".into(),
            },
            "unknown-office",
        ),
    ] {
        assert_eq!(world.ask("HUB", bad).await.expect_err("it is refused").code, code);
    }
    let first = world.ask("HUB", tick("line", true, "cb-an")).await.expect("the hub ticks");
    let again = world.ask("HUB", tick("line", true, "cb-binh")).await.expect("nothing changes");
    assert_eq!((&again["who"], &again["at_ms"]), (&"cb-an".into(), &first["at_ms"]));
    world.ask("HUB", tick("power", true, "cb-an")).await.expect("the hub ticks");
    world.ask("HUB", tick("power", false, "cb-binh")).await.expect("and takes back");
    world.settle().await;
    world.restart("HUB").await;
    for (at, may_tick) in [("HUB", true), ("EAST", false)] {
        let shown = world.ask(at, Request::Rollout).await.expect("answers");
        assert_eq!(shown["may_tick"], may_tick);
        let line = |need: &str| {
            let offices = shown["waves"][0]["offices"].as_array().into_iter().flatten();
            let east = offices.clone().find(|it| it["office"] == "EAST").cloned();
            let list = east.unwrap_or_default()["list"].as_array().cloned().unwrap_or_default();
            list.into_iter().find(|it| it["need"] == need).unwrap_or_default()
        };
        assert_eq!((&line("line")["done"], &line("line")["who"]), (&true.into(), &"cb-an".into()));
        assert_eq!(line("line")["at_ms"], first["at_ms"]);
        let power = line("power");
        assert_eq!((&power["done"], &power["who"]), (&false.into(), &"cb-binh".into()));
        assert_eq!(
            (&line("notices")["done"], &line("notices")["who"]),
            (&false.into(), &Value::Null)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_behind_a_district_is_known_at_the_hub() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.join_only("HILL").await;
    let clock: Clock = Arc::new(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Moment(u64::try_from(now.as_millis()).unwrap_or_default() + 5 * MINUTE_MS)
    });
    world.start_at("HILL", clock).await;
    until_state(&world, "HUB", "HILL", "settled").await;
    let is_behind = async || row(&world, "HUB", "HILL").await["standing"]["direct"] == false;
    world.until("HILL stands behind EAST", is_behind).await;
    world.receive("HILL", "Trần Thị Bình").await;
    let is_known = async || {
        let skew_ms = row(&world, "HUB", "HILL").await["standing"]["skew_ms"].as_i64();
        skew_ms.is_some_and(|skew| (240_000..360_000).contains(&skew))
    };
    world.until("the hub knows how far HILL is ahead", is_known).await;
}
