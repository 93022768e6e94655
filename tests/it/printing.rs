//! Forms: what a node knows of a dossier, on paper.

use std::fs;
use std::sync::Arc;

use lienthong::{Format, print};
use lienthong_forms::FormKind;
use lienthong_protocol::Moment;
use lienthong_request::{Exit, Publishing, Request};
use lienthong_tests::World;
use serde_json::{Value, json};

/// Asks a node for the facts of a form and writes it as a page.
async fn printed(world: &World, name: &str, form: FormKind, dossier: &str) -> String {
    let request = match form {
        FormKind::Register => Request::PrintRegister { limit: 10 },
        _ => Request::Print { dossier: dossier.to_owned() },
    };
    let answer = world.ask(name, request).await.expect("the node has the facts");
    let file = world.path(name).join("form.html");
    print(&answer, form, Format::Html, Some(file.clone())).expect("the form is written");
    fs::read_to_string(file).expect("the form is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_a_dossier_print_at_the_office_that_holds_it() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let dossier = world.receive("EAST", "Nguyễn Văn An").await;
    let handed_over = json!({ "kind": "transferred", "to_office": "HUB" });
    world.act("EAST", &dossier, handed_over).await.expect("is handed over");
    world.reaches("HUB", &dossier).await;
    let shown = world.show("EAST", &dossier).await.expect("is held");
    let code = shown["code"].as_str().expect("a code");
    for form in [FormKind::Receipt, FormKind::Slip, FormKind::Register] {
        let page = printed(&world, "EAST", form, code).await;
        assert!(page.contains(form.title()) && page.contains(code), "{form:?}");
    }
    let slip = printed(&world, "EAST", FormKind::Slip, code).await;
    assert!(slip.contains("Giao: EAST<br>Nhận: HUB"));
}

/// A dossier that came by post and that nobody took in yet.
async fn registered(world: &World) -> String {
    let reception = json!({
        "procedure": "1.001193.H47", "channel": "post",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    });
    let reception = serde_json::from_value(reception).expect("it has the form of a reception");
    let request = Request::Receive { reception, officer: "clerk".into(), registered: true };
    let answer = world.ask("HUB", request).await.expect("it is written down");
    answer["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_prints_once_its_act_is_done_and_not_before() {
    let mut world = World::founded();
    // Monday, 2026-01-05, 08:00.
    world.start_at("HUB", Arc::new(|| Moment(1_767_574_800_000))).await;
    let letters = [
        (FormKind::Supplement, json!({ "kind": "supplement-asked", "reason": "thiếu bản sao" })),
        (FormKind::Refusal, json!({ "kind": "refused", "reason": "không thuộc thẩm quyền" })),
        (FormKind::Apology, json!({ "kind": "extended", "reason": "chậm", "due": "2026-01-12" })),
        (FormKind::Stop, json!({ "kind": "stopped", "reason": "có tranh chấp" })),
    ];
    for (form, act) in letters {
        // Only what nobody took in yet can be turned away.
        let dossier = registered(&world).await;
        if form != FormKind::Refusal {
            world.act("HUB", &dossier, json!({ "kind": "received" })).await.expect("taken in");
            world.act("HUB", &dossier, json!({ "kind": "in-process" })).await.expect("begins");
        }
        let request = || Request::Print { dossier: dossier.clone() };
        let answer = world.ask("HUB", request()).await.expect("the node has the facts");
        let file = world.path("HUB").join("letter.html");
        let refused = print(&answer, form, Format::Html, Some(file.clone())).expect_err("not yet");
        assert_eq!((refused.code.as_str(), file.exists()), ("no-such-letter", false), "{form:?}");
        let reason = act["reason"].as_str().expect("each has one").to_owned();
        world.act("HUB", &dossier, act).await.expect("it is allowed");
        assert!(printed(&world, "HUB", form, &dossier).await.contains(&reason), "{form:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_has_what_its_office_received_and_nothing_that_it_only_holds() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let theirs = world.receive("EAST", "Nguyễn Văn An").await;
    world.receive("HUB", "Trần Thị Bình").await;
    world.reaches("HUB", &theirs).await;
    let register = printed(&world, "HUB", FormKind::Register, "all").await;
    assert!(register.contains("Trần Thị Bình") && !register.contains("Nguyễn Văn An"));
}

/// A dossier of the hub, with more of its reception.
async fn received(world: &World, others: Value) -> Value {
    let mut reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Trần Thị Bình" },
    });
    let others = others.as_object().expect("an object").clone();
    reception.as_object_mut().expect("an object").extend(others);
    let reception = serde_json::from_value(reception).expect("a reception");
    let receive = Request::Receive { reception, officer: "clerk".into(), registered: false };
    world.ask("HUB", receive).await.expect("receives")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_counts_a_filing_once_and_names_nobody_with_a_sensitive_dossier() {
    let world = World::new().await;
    let whole = received(&world, json!({})).await;
    let part = received(&world, json!({ "parent_code": whole["code"] })).await;
    let sensitive = json!({
        "procedure": "2.000488.H47",
        "applicant": { "kind": "citizen", "name": "Lê Văn Cường" },
    });
    let sensitive = received(&world, sensitive).await;
    let before = printed(&world, "HUB", FormKind::Register, "all").await;
    assert!(before.contains("Số hồ sơ trong sổ: 2") && before.contains("Lê Văn Cường"));
    let catalogue = include_str!("../../config/quang-nam/procedures.toml");
    let text = catalogue.replace("publisher = \"QNM-HCC\"", "publisher = \"HUB\"");
    let (what, file) = (Publishing::Catalogue, "sent.toml".to_owned());
    let publish = Request::Publish { what, file, text, from: None };
    world.ask("HUB", publish).await.expect("the hub is entitled");
    let register = printed(&world, "HUB", FormKind::Register, "all").await;
    for words in ["Số hồ sơ trong sổ: 1", "không đánh số: 1", "trong bản in này: 1"]
    {
        assert!(register.contains(words), "'{words}' is not in the register");
    }
    let code = |received: &Value| received["code"].as_str().expect("a code").to_owned();
    let of_whole = format!("Thuộc hồ sơ {}", code(&whole));
    assert!(register.contains(&code(&part)) && register.contains(&of_whole));
    assert!(!register.contains("Lê Văn Cường") && !register.contains(&code(&sensitive)));
    assert!(!register.contains("Chưa đầy đủ"), "the view has caught up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dossier_that_is_not_here_prints_nothing() {
    let world = World::new().await;
    let request = Request::Print { dossier: "000.00.01.H47-260105-0001".to_owned() };
    let failure = world.ask("HUB", request).await.expect_err("there is none");
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::Refused, "dossier-not-found"));
}
