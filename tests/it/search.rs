//! Lists and searches over the view of a running node, and what happens when the view is lost.

use lienthong_request::{Filter, Publishing, Request};
use lienthong_tests::{Process, World};
use serde_json::{Value, json};

/// The applicants that a filter finds at a node, in the order of the list, by document id.
async fn finds(world: &World, name: &str, filter: Filter) -> Vec<String> {
    let answer = world.ask(name, Request::List(Box::new(filter))).await.expect("lists");
    let dossiers = answer["dossiers"].as_array().expect("a list").clone();
    dossiers.iter().map(|dossier| dossier["id"].as_str().expect("an id").to_owned()).collect()
}

fn text(text: &str) -> Filter {
    Filter { text: Some(text.into()), ..Filter::default() }
}

async fn views(world: &World, name: &str) -> Value {
    world.ask(name, Request::Status).await.expect("answers")["views"].clone()
}

async fn viewed(world: &World, name: &str, documents: u64) {
    let what = format!("{documents} dossiers in the view of {name}");
    let is_viewed = async || {
        let views = views(world, name).await;
        views["behind"] == 0 && views["documents"] == documents
    };
    world.until(&what, is_viewed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_is_found_at_once_and_by_every_office_that_holds_it() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let an = world.receive("EAST", "Nguyễn Văn An").await;
    assert_eq!(finds(&world, "EAST", text("nguyen van an")).await, std::slice::from_ref(&an));
    let duc = world.receive("EAST", "Đặng Thị Đức").await;
    assert_eq!(finds(&world, "EAST", text("dang duc")).await, std::slice::from_ref(&duc));
    assert_eq!(finds(&world, "EAST", Filter::default()).await, [duc.clone(), an.clone()]);

    let act = json!({ "kind": "in-process", "officer": "hùng" });
    world.act("EAST", &an, act).await.expect("acts");
    let in_process = Filter { status: Some(4), ..Filter::default() };
    assert_eq!(finds(&world, "EAST", in_process.clone()).await, std::slice::from_ref(&an));
    let by_officer = Filter { officer: Some("hùng".into()), ..Filter::default() };
    assert_eq!(finds(&world, "EAST", by_officer).await, std::slice::from_ref(&an));

    // The view follows behind what comes from others, too.
    world.settle().await;
    world
        .until("the hub lists it", async || {
            finds(&world, "HUB", in_process.clone()).await == std::slice::from_ref(&an)
        })
        .await;
    viewed(&world, "HUB", 2).await;
    let shown = world.ask("HUB", Request::List(Box::default())).await.expect("lists");
    assert!(!shown.to_string().contains("Nguyễn"), "names are masked: {shown}");
    world.stop("EAST").await;
    world.stop("HUB").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_found_through_the_view_and_before_the_view_has_it() {
    let world = World::new().await;
    let id = world.receive("HUB", "An").await;
    let code = world.show("HUB", &id).await.expect("shows")["code"].clone();
    let code = code.as_str().expect("a code");
    assert_eq!(world.show("HUB", code).await.expect("at once")["id"], id);
    viewed(&world, "HUB", 1).await;
    assert_eq!(world.show("HUB", code).await.expect("from the view")["id"], id);
    let history = Request::History { dossier: code.to_owned() };
    assert_eq!(world.ask("HUB", history).await.expect("tells")["id"], id);
    let missing = world.show("HUB", "000.00.00.H47-200101-0001").await.expect_err("nobody's");
    assert_eq!(missing.code, "dossier-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_from_one_to_the_next() {
    let world = World::new().await;
    let mut received = Vec::new();
    for number in 0..7 {
        received.push(world.receive("HUB", &format!("An {number}")).await);
    }
    let mut found = Vec::new();
    let mut filter = Filter { limit: 3, ..text("an") };
    loop {
        let request = Request::List(Box::new(filter.clone()));
        let page = world.ask("HUB", request).await.expect("lists");
        let ids = page["dossiers"].as_array().expect("a list").clone();
        found.extend(ids.iter().map(|dossier| dossier["id"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        filter.after = Some(next.to_owned());
    }
    received.reverse();
    assert_eq!(found, received);
    for (filter, code) in [
        (Filter { status: Some(11), ..Filter::default() }, "unknown-status"),
        (Filter { after: Some("here".into()), ..Filter::default() }, "not-a-cursor"),
        (Filter { due_before: Some("2026-02-30".into()), ..Filter::default() }, "not-a-due"),
        (text(&"x".repeat(201)), "search-too-long"),
    ] {
        let refused = world.ask("HUB", Request::List(Box::new(filter))).await.expect_err(code);
        assert_eq!(refused.code, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_does_not_say_who_has_a_sensitive_dossier() {
    let world = World::new().await;
    let id = world.receive("HUB", "Nguyễn Văn An").await;
    assert_eq!(finds(&world, "HUB", text("an")).await, std::slice::from_ref(&id));
    let plain = include_str!("../../config/quang-nam/procedures.toml");
    let plain = plain.replace("publisher = \"QNM-HCC\"", "publisher = \"HUB\"");
    let code = "code = \"1.001193.H47\"\n";
    assert!(plain.contains(code), "the procedure of the tests is in the catalogue");
    let text_of = plain.replace(code, &format!("{code}sensitive = \"health\"\n"));
    let publish = Request::Publish {
        what: Publishing::Catalogue,
        file: "sent.toml".into(),
        text: text_of,
        from: None,
    };
    world.ask("HUB", publish).await.expect("publishes");
    for filter in [Filter::default(), text("an"), text("1.001193")] {
        assert_eq!(finds(&world, "HUB", filter).await, [] as [String; 0]);
    }
    // Whoever has the code of the receipt is shown it.
    let shown = world.show("HUB", &id).await.expect("shows");
    let code = shown["code"].as_str().expect("a code");
    assert_eq!(world.show("HUB", code).await.expect("by its code")["id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_is_lost_or_broken_is_made_anew() {
    let mut world = World::new().await;
    let an = world.receive("HUB", "Nguyễn Văn An").await;
    let binh = world.receive("HUB", "Trần Bình").await;
    for harm in ["deleted", "garbage"] {
        world.stop("HUB").await;
        let file = world.path("HUB").join("views.db");
        match harm {
            "deleted" => std::fs::remove_file(&file).expect("it was there"),
            _ => std::fs::write(&file, vec![0x5a; 100_000]).expect("writes"),
        }
        world.start("HUB").await;
        viewed(&world, "HUB", 2).await;
        assert_eq!(finds(&world, "HUB", text("nguyen")).await, std::slice::from_ref(&an), "{harm}");
        assert_eq!(finds(&world, "HUB", Filter::default()).await, [binh.clone(), an.clone()]);
    }
    // The same while the node works.
    world.ask("HUB", Request::RebuildViews).await.expect("begins");
    let chi = world.receive("HUB", "Lê Chi").await;
    viewed(&world, "HUB", 3).await;
    assert_eq!(finds(&world, "HUB", Filter::default()).await, [chi, binh, an]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_an_older_state_catches_up_from_its_watermark() {
    let mut world = World::new().await;
    let an = world.receive("HUB", "An").await;
    viewed(&world, "HUB", 1).await;
    world.stop("HUB").await;
    let file = world.path("HUB").join("views.db");
    let older = std::fs::read(&file).expect("it is there");

    world.start("HUB").await;
    let binh = world.receive("HUB", "Bình").await;
    let act = json!({ "kind": "in-process" });
    world.act("HUB", &an, act).await.expect("acts");
    viewed(&world, "HUB", 2).await;
    world.stop("HUB").await;

    // As after a crash that the view survived worse than the log.
    std::fs::write(&file, older).expect("writes");
    world.start("HUB").await;
    viewed(&world, "HUB", 2).await;
    assert_eq!(finds(&world, "HUB", text("binh")).await, [binh]);
    let in_process = Filter { status: Some(4), ..Filter::default() };
    assert_eq!(finds(&world, "HUB", in_process).await, [an]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_has_all_it_answered_for_in_the_view_again() {
    let mut world = World::founded();
    let mut received = Vec::new();
    for round in 0..3 {
        let process = Process::serve(&world.path("HUB")).await;
        for number in 0..4 {
            let reception = json!({
                "procedure": "1.001193.H47",
                "offices": { "receiving": "HUB" },
                "applicant": { "name": format!("Nguyễn {round} {number}") },
            });
            let arguments = json!({ "reception": reception, "officer": "clerk" });
            let answer = process.ask("receive", arguments).await.expect("receives");
            received.push(answer["id"].as_str().expect("an id").to_owned());
        }
        process.kill();
    }
    world.start("HUB").await;
    viewed(&world, "HUB", received.len() as u64).await;
    received.reverse();
    assert_eq!(finds(&world, "HUB", text("nguyen")).await, received);
}
