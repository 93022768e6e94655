//! A parent that is down, a node that runs twice, and processes that are killed and cut off.

use std::time::Duration;

use lienthong::Node;
use lienthong_folder::Folder;
use lienthong_request::Request;
use lienthong_tests::{Stress, Witness, World, copy, stress};

#[tokio::test(flavor = "multi_thread")]
async fn a_commune_turns_to_the_hub_while_its_district_is_down() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.settle_between("EAST", "HUB").await;
    world.join("HILL").await;
    world.settle().await;
    assert!(world.link("HUB", "HILL").await.is_null(), "the district stands between them");

    world.cut("EAST").await;
    world.settle_between("HILL", "HUB").await;
    let dossier = world.receive("HILL", "Nguyễn Văn An").await;
    world.reaches("HUB", &dossier).await;
    world.settle_between("HILL", "HUB").await;
    assert!(world.show("EAST", &dossier).await.is_err(), "the district is cut off");

    world.reconnect("EAST").await;
    world.settle_between("HILL", "EAST").await;
    world.settle().await;
    assert!(world.show("EAST", &dossier).await.is_ok());
    let gone = async || world.link("HUB", "HILL").await.is_null();
    world.until("the commune back at its district", gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_runs_twice_raises_an_alarm_and_the_later_one_is_refused() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.settle().await;
    let before = world.receive("EAST", "Trần Thị Bình").await;
    world.settle().await;
    world.stop("EAST").await;
    let copied = world.path("COPY");
    copy(&world.path("EAST"), &copied);
    world.start("EAST").await;
    let witness = Witness::of(&world, "HUB", "EAST").await;
    let east = world.id("EAST").await;
    let addresses = async || {
        let nodes = world.ask("HUB", Request::Nodes).await.expect("answers");
        let nodes = nodes["nodes"].as_array().cloned().unwrap_or_default();
        let ours = nodes.into_iter().find(|node| node["node"] == east.to_string());
        ours.expect("EAST is registered")["addresses"].clone()
    };
    let known = addresses().await;

    let folder = Folder::open(&copied).expect("a whole copy");
    let twin = Node::start(folder, &world.settings()).await.expect("it cannot know");
    let alarmed = async || {
        let status = world.ask("HUB", Request::Status).await.expect("answers");
        let alarms = status["alarms"].as_array().cloned().unwrap_or_default();
        alarms.iter().any(|a| a["code"] == "cloned-node" && a["node"] == east.to_string())
    };
    world.until("an alarm at the hub", alarmed).await;
    let refused = async || {
        let status = twin.ask(Request::Status).await.expect("answers");
        status["links"][0]["last_close"]["code"] == "cloned-node"
    };
    world.until("the twin told why", refused).await;
    let status = twin.ask(Request::Status).await.expect("answers");
    assert_eq!(status["links"][0]["settled"], false, "{status}");
    witness.saw_no_harm(&world).await;
    assert!(world.show("HUB", &before).await.is_ok());
    assert_eq!(addresses().await, known, "the registry still leads to the first");
    twin.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_are_killed_and_cut_off_settle_and_lose_nothing() {
    let (time, pause) = (Duration::from_secs(8), Duration::from_millis(400));
    let outcome = stress(Stress { offices: 7, time, seed: 7, pause }).await;
    assert!(outcome.kills > 0 && outcome.cuts > 0 && outcome.acknowledged > 0, "{outcome:?}");
    assert!(outcome.settled_after.is_some(), "{:#?}", outcome.unsettled);
    assert!(outcome.lost.is_empty(), "{outcome:?}");
}
