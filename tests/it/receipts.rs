//! A receipt number is good for one dossier of an office.

use lienthong_request::{Exit, Failure, Filter, Request};
use lienthong_tests::World;
use serde_json::{Value, json};

/// Enters that the fee of a dossier was paid, with a receipt of the series AA/26E.
async fn pay(world: &World, name: &str, dossier: &str, number: &str) -> Result<Value, Failure> {
    let fee = json!({ "item": "lệ phí", "amount_vnd": 8_000, "method": "cash",
        "series": "AA/26E", "number": number });
    let paid = json!({ "kind": "fee-paid", "detail": { "fee": fee } });
    world.act(name, dossier, paid).await
}

async fn review(world: &World, name: &str) -> Value {
    let filter = Filter { review: true, ..Filter::default() };
    world.ask(name, Request::List(Box::new(filter))).await.expect("it lists")
}

async fn changes(world: &World, name: &str) -> Value {
    world.ask(name, Request::Status).await.expect("answers")["changes"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_this_office_used_is_refused_with_the_dossier_it_was_used_for() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let first = world.receive("HUB", "Nguyễn Văn An").await;
    let second = world.receive("HUB", "Trần Thị Bình").await;
    let elsewhere = world.receive("EAST", "Lê Hạnh").await;
    let paid = pay(&world, "HUB", &first, "0000123").await.expect("it is fresh");
    let before = changes(&world, "HUB").await;
    for number in ["0000123", "123"] {
        let failure = pay(&world, "HUB", &second, number).await.expect_err("it was used");
        assert_eq!((failure.code.as_str(), failure.exit), ("receipt-used", Exit::Refused));
        let code = paid["code"].as_str().expect("a code");
        assert!(failure.why.contains(code), "the other dossier is named: {failure}");
        assert!(!failure.to_string().contains("Nguyễn"), "and nobody else: {failure}");
    }
    assert_eq!(changes(&world, "HUB").await, before, "nothing was stored");
    pay(&world, "HUB", &second, "124").await.expect("the next one is fresh");
    pay(&world, "EAST", &elsewhere, "0000123").await.expect("that office has its own series");
    let back = json!({ "kind": "reversed", "regards": paid["act"], "reason": "nhầm số" });
    world.act("HUB", &first, back).await.expect("it is taken back");
    pay(&world, "HUB", &second, "0000123").await.expect("nobody has it now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_two_nodes_used_apart_is_found_once_they_meet() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.join("EAST#2").await;
    let first = world.receive("EAST", "Nguyễn Văn An").await;
    let second = world.receive("EAST#2", "Trần Thị Bình").await;
    world.settle().await;
    assert_eq!(review(&world, "EAST").await["receipts"], json!([]));
    world.cut("EAST#2").await;
    pay(&world, "EAST", &first, "77").await.expect("it is fresh here");
    let twin = pay(&world, "EAST#2", &second, "0077").await.expect("it is fresh there");
    world.reconnect("EAST#2").await;
    for name in ["EAST", "EAST#2"] {
        let has_met = async || {
            let status = world.ask(name, Request::Status).await.expect("answers");
            status["views"]["review"]["receipts"] == 1
        };
        world.until("the receipt that was used twice", has_met).await;
        let shared = review(&world, name).await["receipts"].clone();
        assert_eq!((&shared[0]["series"], &shared[0]["number"]), (&"AA/26E".into(), &"77".into()));
        let ids: Vec<&Value> =
            shared[0]["dossiers"].as_array().expect("both").iter().map(|it| &it["id"]).collect();
        assert_eq!(ids, [&first, &second]);
        let shown = world.show(name, &first).await.expect("it is held");
        assert_eq!(shown["findings"][0]["code"], "receipt-used-twice");
        let code = twin["code"].as_str().expect("a code");
        assert!(shown["findings"][0]["words"].as_str().is_some_and(|words| words.contains(code)));
        assert_eq!(shown["acts"][1]["counts"], true, "the payment itself is kept");
    }
    let back = json!({ "kind": "reversed", "regards": twin["act"], "reason": "nhầm số" });
    world.act("EAST#2", &second, back).await.expect("it is taken back");
    let is_mended = async || review(&world, "EAST").await["receipts"] == json!([]);
    world.until("the review is empty", is_mended).await;
}
