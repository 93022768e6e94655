//! The board: what nodes say of themselves reaches those above, and silence shows.

use lienthong_request::Request;
use lienthong_tests::{World, office};
use serde_json::Value;

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
    let hill = row(&world, "HUB", "HILL").await;
    assert_eq!(hill["standing"]["direct"], false, "the hub has no link with it");
    assert_eq!(hill["report"]["uplink"], "settled");
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
