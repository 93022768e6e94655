//! What offices may rely on, with real nodes over real QUIC.

use lienthong_request::Request;
use lienthong_tests::World;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn three_offices_work_offline_and_settle_when_they_are_back() {
    let mut world = World::new().await;
    for name in ["EAST", "WEST", "HILL"] {
        world.join(name).await;
    }
    world.settle().await;
    for name in ["EAST", "WEST", "HILL"] {
        world.cut(name).await;
    }
    let mut dossiers = Vec::new();
    for name in ["EAST", "WEST", "HILL"] {
        dossiers.push((name, world.receive(name, "Nguyễn Văn An").await));
    }
    for name in ["EAST", "WEST", "HILL"] {
        world.reconnect(name).await;
    }
    world.settle().await;
    for (name, dossier) in &dossiers {
        let here = world.show(name, dossier).await.expect("its own");
        let hub = world.show("HUB", dossier).await.expect("the hub is above every office");
        assert_eq!(here["heads"], hub["heads"]);
    }
    let hill = &dossiers[2].1;
    assert!(world.show("EAST", hill).await.is_ok(), "a district is above its commune");
    let refused = world.show("WEST", hill).await.expect_err("outside the audience");
    assert_eq!(refused.code, "dossier-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_acts_of_two_offices_are_both_kept() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let dossier = world.receive("EAST", "Trần Thị Bình").await;
    world.act("EAST", &dossier, json!({ "kind": "in-process" })).await.expect("begins");
    let handed = json!({ "kind": "transferred", "to_office": "HUB" });
    world.act("EAST", &dossier, handed).await.expect("hands over");
    world.settle().await;
    let finished = json!({ "kind": "finished" });
    let refused = world.act("EAST", &dossier, finished.clone()).await.expect_err("HUB decides");
    assert_eq!(refused.code, "not-entitled");
    world.cut("EAST").await;
    world.act("EAST", &dossier, json!({ "kind": "withdrawn" })).await.expect("is asked to");
    world.act("HUB", &dossier, finished).await.expect("finishes");
    world.reconnect("EAST").await;
    world.settle().await;
    let east = world.show("EAST", &dossier).await.expect("held");
    let hub = world.show("HUB", &dossier).await.expect("held");
    assert_eq!(east, hub);
    assert_eq!(east["acts"].as_array().expect("acts").len(), 5);
    assert_eq!(east["review"][0]["entitled"], "HUB", "a person there has to decide");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_office_gets_exactly_the_documents_of_its_audience() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let own = world.receive("EAST", "Lê Hạnh").await;
    let shared = world.receive("EAST", "Phạm Lâm").await;
    let transfer = json!({ "kind": "transferred", "to_office": "WEST" });
    world.act("EAST", &shared, transfer).await.expect("transfers");
    world.settle().await;
    world.join("WEST").await;
    world.settle().await;
    assert!(world.show("WEST", &shared).await.is_ok());
    assert!(world.show("WEST", &own).await.is_err());
    let status = world.ask("WEST", Request::Status).await.expect("answers");
    assert_eq!(status["documents"], 2, "the registry and one dossier: {status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_changes_nothing_that_was_saved() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let dossier = world.receive("EAST", "Ngô Vinh").await;
    world.settle().await;
    let before = world.show("EAST", &dossier).await.expect("held");
    world.restart("EAST").await;
    world.settle().await;
    assert_eq!(world.show("EAST", &dossier).await.expect("held"), before);
    let again = world.receive("EAST", "Ngô Nga").await;
    let again = world.show("EAST", &again).await.expect("held");
    assert_ne!(again["code"], before["code"], "a code is never given twice");
}
