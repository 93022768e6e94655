//! A node that was revoked: out for ever, with what it did before left standing.

use lienthong_protocol::NodeId;
use lienthong_request::{Exit, Request};
use lienthong_tests::{Witness, World};
use serde_json::{Value, json};

async fn revoke(
    world: &World,
    at: &str,
    node: NodeId,
) -> Result<Value, lienthong_request::Failure> {
    world.ask(at, Request::Revoke { node, reason: Some("stolen".into()) }).await
}

async fn quarantined(world: &World, name: &str) -> u64 {
    let status = world.ask(name, Request::Status).await.expect("answers");
    status["quarantined"].as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_node_is_out_and_its_earlier_acts_stay() {
    let mut world = World::new().await;
    for name in ["EAST", "WEST"] {
        world.join(name).await;
    }
    let early = world.receive("EAST", "Nguyễn Văn An").await;
    world.settle().await;
    let shown = world.show("HUB", &early).await.expect("held");
    let witness = Witness::of(&world, "HUB", "WEST").await;
    let east = world.id("EAST").await;

    let answer = revoke(&world, "HUB", east).await.expect("the hub may");
    assert_eq!(answer["office"], "EAST");
    world.until_closed("EAST", "HUB", "unknown-node").await;
    assert_eq!(world.show("HUB", &early).await.expect("held"), shown, "what was done stays");
    assert_eq!(quarantined(&world, "HUB").await, 0);
    assert!(world.link("HUB", "EAST").await.is_null(), "there is no link to expect");
    let nodes = world.ask("HUB", Request::Nodes).await.expect("answers");
    let nodes = nodes["nodes"].as_array().expect("a list");
    let entry = nodes.iter().find(|node| node["node"] == east.to_string()).expect("it is kept");
    assert_eq!((&entry["revoked"], &entry["revoked_because"]), (&true.into(), &"stolen".into()));

    // It is not let in again, with its link or with a new code.
    world.restart("EAST").await;
    world.until_closed("EAST", "HUB", "unknown-node").await;
    world.stop("EAST").await;
    let code = world.invite("EAST").await;
    std::fs::remove_file(world.path("EAST").join("federation.json")).expect("it had joined");
    let refused = world.try_join("EAST", &code).await.expect_err("the key is revoked");
    assert_eq!((refused.code.as_str(), refused.exit), ("node-revoked", Exit::Refused));
    witness.saw_no_harm(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_hub_revokes_and_only_once() {
    let mut world = World::new().await;
    for name in ["EAST", "WEST"] {
        world.join(name).await;
    }
    world.settle().await;
    let (east, hub) = (world.id("EAST").await, world.id("HUB").await);
    let code_of = |refused: Result<Value, lienthong_request::Failure>| {
        let failure = refused.expect_err("this is refused");
        assert_eq!(failure.exit, Exit::Refused);
        failure.code
    };
    assert_eq!(code_of(revoke(&world, "WEST", east).await), "not-the-hub");
    assert_eq!(code_of(revoke(&world, "HUB", hub).await), "own-node");
    let stranger = NodeId::from_bytes([66; 32]);
    assert_eq!(code_of(revoke(&world, "HUB", stranger).await), "unknown-node");
    revoke(&world, "HUB", east).await.expect("the hub may");
    assert_eq!(code_of(revoke(&world, "HUB", east).await), "node-revoked");
    let wordy = Request::Revoke { node: east, reason: Some("x".repeat(513)) };
    assert!(world.ask("HUB", wordy).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_writes_after_it_was_revoked_counts_nowhere() {
    let mut world = World::new().await;
    for name in ["EAST", "HILL", "WEST"] {
        world.join(name).await;
    }
    let early = world.receive("EAST", "Nguyễn Văn An").await;
    let transfer = json!({ "kind": "transferred", "to_office": "HILL" });
    world.act("EAST", &early, transfer.clone()).await.expect("transfers");
    world.settle().await;
    let shown = world.show("HUB", &early).await.expect("held");

    // The hub revokes while it is cut off, and EAST goes on with HILL, which cannot know.
    world.cut("HUB").await;
    let east = world.id("EAST").await;
    revoke(&world, "HUB", east).await.expect("the hub may");
    let note = json!({ "kind": "noted" });
    world.act("EAST", &early, note).await.expect("EAST does not know");
    let late = world.receive("EAST", "Trần Thị Bình").await;
    world.act("EAST", &late, transfer).await.expect("transfers");
    world.reaches("HILL", &late).await;
    world.settle_between("EAST", "HILL").await;
    assert_ne!(world.show("HILL", &early).await.expect("held"), shown, "HILL believed it");

    world.reconnect("HUB").await;
    world.until_closed("EAST", "HUB", "unknown-node").await;
    world.stop("EAST").await;
    world.settle_between("HILL", "HUB").await;
    world.settle_between("WEST", "HUB").await;
    assert_eq!(quarantined(&world, "HILL").await, 3, "all that came after");
    assert!(quarantined(&world, "HUB").await >= 1, "what HILL shared with it of that");
    for name in ["HILL", "HUB"] {
        let refused = world.show(name, &late).await.expect_err("none of it counts");
        assert_eq!(refused.code, "dossier-not-found");
        assert_eq!(world.show(name, &early).await.expect("held"), shown, "at {name}");
    }
}
