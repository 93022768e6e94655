//! Who tells an applicant: one of the offices that could, whichever is cut off.

use lienthong_request::Request;
use lienthong_tests::World;
use serde_json::{Value, json};

/// A district's dossier that the hub decides, of which the applicant is to be told something.
async fn queued() -> (World, String) {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.settle().await;
    let reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "EAST", "competent": "HUB" },
        "applicant": {
            "kind": "citizen", "name": "Nguyễn Văn An", "phone": "0900000123",
            "consents": { "sms": true },
        },
    });
    let reception = serde_json::from_value(reception).expect("a reception");
    let receive = Request::Receive { reception, officer: "clerk".into(), registered: false };
    let received = world.ask("EAST", receive).await.expect("receives");
    let id = received["id"].as_str().expect("an id").to_owned();
    world.reaches("HUB", &id).await;
    let begun = world.act("HUB", &id, json!({ "kind": "in-process" })).await.expect("decides");
    let notice = json!({
        "kind": "notification-queued", "regards": begun["act"],
        "detail": { "notice": { "channel": "sms" } },
    });
    world.act("HUB", &id, notice).await.expect("the applicant agreed to it");
    world.settle().await;
    (world, id)
}

/// What a node has to send, and how much it leaves to others.
async fn outbox(world: &World, name: &str) -> (Vec<Value>, u64) {
    let answer = world.ask(name, Request::Outbox).await.expect("answers");
    assert_eq!(answer["more"], false, "{answer}");
    let messages = answer["messages"].as_array().expect("a list").clone();
    (messages, answer["elsewhere"].as_u64().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_offices_hold_a_message_and_one_of_them_sends_it() {
    let (world, id) = queued().await;
    let (mine, elsewhere) = outbox(&world, "EAST").await;
    let [message] = mine.as_slice() else { panic!("one is expected: {mine:?}") };
    assert_eq!((outbox(&world, "HUB").await, elsewhere), ((Vec::new(), 1), 0));
    let shown = world.show("HUB", &id).await.expect("held");
    assert_eq!((&message["code"], &message["id"]), (&shown["code"], &shown["id"]));
    let notice = &shown["records"]["notifications"][0];
    assert_eq!(message["key"], format!("{id}:{}", notice["key"].as_str().expect("a key")));
    assert_eq!((&message["event"], &message["channel"]), (&"in-process".into(), &"sms".into()));
    assert_eq!(message["queued_at_ms"], notice["queued_at"]);
    assert_eq!(message["to"], "***123", "nobody's number is listed");
    assert!(!message.to_string().contains("Nguyễn"), "{message}");
    let sent = json!({ "kind": "notification-sent", "regards": message["queued"] });
    world.act("EAST", &id, sent).await.expect("the sender says so");
    world.settle().await;
    for name in ["EAST", "HUB"] {
        assert_eq!(outbox(&world, name).await, (Vec::new(), 0), "{name}: told is told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_is_cut_off_stays_the_sender_until_its_node_is_revoked() {
    let (mut world, id) = queued().await;
    world.cut("EAST").await;
    let (before, _) = outbox(&world, "EAST").await;
    assert_eq!(before.len(), 1, "it sends what it holds, with or without a link");
    assert_eq!(outbox(&world, "HUB").await, (Vec::new(), 1), "a cut link elects nobody else");
    let node = world.id("EAST").await;
    world.stop("EAST").await;
    let revoke = Request::Revoke { node, reason: None };
    world.ask("HUB", revoke).await.expect("the hub is entitled");
    let (after, elsewhere) = outbox(&world, "HUB").await;
    assert_eq!((after.len(), elsewhere), (1, 0), "no node of the district is left");
    assert_eq!(after[0]["key"], before[0]["key"], "a gateway that got both sends one");
    assert_eq!(after[0]["id"], id);
}
