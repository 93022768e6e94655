//! Who looked at which dossier: noted before it is shown, whatever the way.

use lienthong_folder::socket_of;
use lienthong_request::{AccessFilter, Request, call};
use lienthong_tests::World;
use serde_json::Value;

/// The looks that a node keeps, the newest first, without their times.
async fn looks(world: &World, filter: AccessFilter) -> Vec<(String, String, String)> {
    let answer = world.ask("HUB", Request::Looks(filter)).await.expect("the log reads");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let looks = answer["looks"].as_array().expect("a list").iter();
    looks.map(|it| (text(&it["way"]), text(&it["what"]), text(&it["dossier"]))).collect()
}

fn look(way: &str, what: &str, dossier: &str) -> (String, String, String) {
    (way.to_owned(), what.to_owned(), dossier.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_at_a_dossier_is_kept_with_who_and_how_and_lists_are_none() {
    let mut world = World::new().await;
    let dossier = world.receive("HUB", "Nguyễn Văn An").await;
    let other = world.receive("HUB", "Trần Thị Bình").await;
    world.ask("HUB", Request::List(Box::default())).await.expect("it lists");
    world.show("HUB", "000.00.00.H47-200101-0001").await.expect_err("there is none");
    assert_eq!(looks(&world, AccessFilter::default()).await, [], "nobody has seen a dossier");
    let named = || dossier.clone();
    world.ask("HUB", Request::Show { dossier: other.clone() }).await.expect("it is held");
    world.ask("HUB", Request::Print { dossier: named() }).await.expect("it prints");
    world.ask("HUB", Request::Export { below: None }).await.expect("it is taken out");
    let socket = socket_of(&world.path("HUB"));
    let typed = Request::History { dossier: named() };
    call(&socket, &(&typed).into()).await.expect("a command may ask");
    let all = [
        look("command", "history", &dossier),
        look("program", "export", &other),
        look("program", "form", &dossier),
        look("program", "dossier", &other),
    ];
    assert_eq!(looks(&world, AccessFilter::default()).await, all);
    world.restart("HUB").await;
    let of_one = AccessFilter { dossier: Some(named()), limit: 2, ..AccessFilter::default() };
    assert_eq!(looks(&world, of_one).await, all[..2], "also after a restart");
    let answer = world.ask("HUB", Request::Looks(AccessFilter::default())).await;
    let answer = answer.expect("the log reads").to_string();
    assert!(answer.contains("\"who\":\"uid-"), "the machine says who typed: {answer}");
    let kept = std::fs::read_to_string(world.path("HUB").join("access/00000001.jsonl"));
    let kept = kept.expect("the log is there");
    assert!(!kept.contains("Nguyễn") && !kept.contains("Trần"), "it names no applicant");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_noted_is_not_shown_and_work_goes_on() {
    let world = World::new().await;
    let dossier = world.receive("HUB", "Nguyễn Văn An").await;
    std::fs::write(world.path("HUB").join("access"), "in the way").expect("it is written");
    let failure = world.show("HUB", &dossier).await.expect_err("nobody would know of it");
    assert_eq!(failure.code, "disk");
    assert!(failure.what.starts_with("chưa cho xem"), "{failure}");
    assert!(!failure.to_string().contains("Nguyễn"), "{failure}");
    world.receive("HUB", "Trần Thị Bình").await;
}
