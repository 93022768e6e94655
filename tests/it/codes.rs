//! Dossier codes: given with no network, and never twice.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use lienthong::Clock;
use lienthong_folder::Folder;
use lienthong_protocol::Moment;
use lienthong_request::Request;
use lienthong_tests::{Process, World, office, province};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-11-24T17:00:00Z: midnight in Vietnam.
const MIDNIGHT_MS: u64 = 1_795_539_600_000;

/// Receives so many dossiers and gives their codes.
async fn codes(world: &World, name: &str, count: usize) -> Vec<String> {
    let mut codes = Vec::with_capacity(count);
    for _ in 0..count {
        codes.push(world.code(name).await);
    }
    codes
}

fn all_different<'a>(codes: impl IntoIterator<Item = &'a String>) {
    let mut seen = BTreeSet::new();
    for code in codes {
        assert!(seen.insert(code), "{code} was given twice");
    }
}

fn documents(status: &Value) -> u64 {
    status["documents"].as_u64().expect("a number")
}

async fn status(world: &World, name: &str) -> Value {
    world.ask(name, Request::Status).await.expect("answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_of_one_office_give_codes_offline_and_none_twice() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.join("EAST#2").await;
    world.settle().await;
    for name in ["EAST", "EAST#2"] {
        world.cut(name).await;
    }
    let (first, second) = tokio::join!(codes(&world, "EAST", 50), codes(&world, "EAST#2", 50));
    assert!(first[0].ends_with("-0001"), "{}", first[0]);
    assert!(second[0].ends_with("-1001"), "{}", second[0]);
    for name in ["EAST", "EAST#2"] {
        world.reconnect(name).await;
    }
    world.settle().await;
    all_different(first.iter().chain(&second));
    for code in first.iter().chain(&second) {
        for name in ["EAST", "EAST#2", "HUB"] {
            assert!(world.show(name, code).await.is_ok(), "{code} at {name}");
        }
    }
    let more = [world.code("EAST").await, world.code("EAST#2").await];
    all_different(first.iter().chain(&second).chain(&more));
    for name in ["EAST", "EAST#2"] {
        assert_eq!(status(&world, name).await["alarms"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_gives_no_code_again() {
    let mut world = World::founded();
    let mut given = Vec::new();
    for _ in 0..5 {
        world.start("HUB").await;
        given.extend(codes(&world, "HUB", 3).await);
        world.stop("HUB").await;
    }
    all_different(&given);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_gives_no_code_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    drop(lienthong::init(&data, office("HUB"), &province(), &[]).expect("founds"));
    let reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    });
    let arguments = json!({ "reception": reception, "officer": "clerk" });
    let mut given = Vec::new();
    for round in 0..15 {
        let node = Process::serve(&data).await;
        // Some rounds end within a block of reserved numbers, some at its end, some beyond.
        for _ in 0..[1, 20, 3, 21][round % 4] {
            let answer = node.ask("receive", arguments.clone()).await.expect("receives");
            given.push(answer["code"].as_str().expect("a code").to_owned());
        }
        let last = tokio::spawn({
            let (asker, arguments) = (node.asker(), arguments.clone());
            async move { asker.ask("receive", arguments).await }
        });
        node.kill();
        if let Ok(Ok(answer)) = last.await {
            given.push(answer["code"].as_str().expect("a code").to_owned());
        }
    }
    all_different(&given);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_folder_gives_no_code_before_a_peer_was_heard() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let mut given = codes(&world, "EAST", 3).await;
    world.settle().await;
    world.stop("EAST").await;
    let backup = world.back_up("EAST");
    world.start("EAST").await;
    given.extend(codes(&world, "EAST", 30).await);
    world.settle().await;
    world.stop("EAST").await;

    world.cut("HUB").await;
    world.restore("EAST", &backup);
    let folder = Folder::open(&world.path("EAST")).expect("nobody else holds the folder");
    folder.mark_restored().expect("there is space");
    drop(folder);
    world.start("EAST").await;
    let before = documents(&status(&world, "EAST").await);
    for _ in 0..2 {
        let refused = world.try_code("EAST").await.expect_err("nobody was heard");
        assert_eq!(refused.code, "code-wait-for-peer");
        assert!(refused.remedy.contains("connect to the office above"), "{refused}");
        world.restart("EAST").await;
    }
    let told = status(&world, "EAST").await;
    assert_eq!(documents(&told), before, "nothing was stored");
    assert_eq!(told["alarms"][0]["code"], "folder-restored");

    world.reconnect("HUB").await;
    world.settle().await;
    assert_eq!(status(&world, "EAST").await["alarms"], json!([]));
    given.extend(codes(&world, "EAST", 30).await);
    all_different(&given);
    world.settle().await;
    for code in &given {
        assert!(world.show("EAST", code).await.is_ok(), "{code} is lost");
    }
    world.restart("EAST").await;
    given.push(world.code("EAST").await);
    all_different(&given);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_restored_without_a_word_gives_no_code_again_though_it_hears_nobody() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let mut given = codes(&world, "EAST", 2).await;
    world.stop("EAST").await;
    let backup = world.back_up("EAST");
    world.start("EAST").await;
    given.extend(codes(&world, "EAST", 60).await);
    world.settle().await;
    world.stop("EAST").await;

    world.cut("HUB").await;
    world.restore("EAST", &backup);
    world.start("EAST").await;
    given.extend(codes(&world, "EAST", 60).await);
    all_different(&given);
    world.reconnect("HUB").await;
    world.settle().await;
    given.push(world.code("EAST").await);
    all_different(&given);
    assert_eq!(status(&world, "EAST").await["alarms"], json!([]));
}

/// Lets a file say what is reserved on a day, as if the node had written that.
fn write_mark(file: &Path, day: &Value, reserved: &Value) {
    fs::write(file, "").expect("there is space");
    let metadata = fs::metadata(file).expect("it is there");
    let born = metadata.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let born_ns = born.map(|born| u64::try_from(born.as_nanos()).expect("before 2554"));
    let file_mark = json!({ "inode": metadata.ino(), "born_ns": born_ns });
    let mark = json!({ "day": day, "reserved": reserved, "file": file_mark });
    fs::write(file, mark.to_string()).expect("there is space");
}

/// Puts a disk back as it was: even the files are the same ones.
fn put_back(world: &World, name: &str, snapshot: &TempDir) {
    world.restore(name, snapshot);
    let file = world.path(name).join("serials.json");
    let mark = fs::read(&file).expect("a mark");
    let mark: Value = serde_json::from_slice(&mark).expect("a mark");
    write_mark(&file, &mark["day"], &mark["reserved"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_put_back_goes_on_above_what_its_peers_hold() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let mut given = codes(&world, "EAST", 2).await;
    world.stop("EAST").await;
    let snapshot = world.back_up("EAST");
    world.start("EAST").await;
    given.extend(codes(&world, "EAST", 60).await);
    world.settle().await;
    // What the peers never heard of is gone; its numbers are not given again all the same.
    world.cut("EAST").await;
    given.extend(codes(&world, "EAST", 30).await);
    world.stop("EAST").await;
    put_back(&world, "EAST", &snapshot);
    world.start("EAST").await;
    world.settle().await;
    given.extend(codes(&world, "EAST", 60).await);
    all_different(&given);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_two_dossiers_have_all_the_same_is_an_alarm_and_both_keep_it() {
    let mut world = World::new().await;
    world.join("EAST").await;
    drop(world.code("EAST").await);
    world.settle().await;
    world.stop("EAST").await;
    let snapshot = world.back_up("EAST");
    world.start("EAST").await;
    let first = world.receive("EAST", "Trần Thị Bình").await;
    world.settle().await;
    world.stop("EAST").await;
    world.cut("HUB").await;
    put_back(&world, "EAST", &snapshot);
    world.start("EAST").await;
    let second = world.receive("EAST", "Lê Hạnh").await;
    world.reconnect("HUB").await;
    world.settle().await;
    let alarm = async || {
        let alarms = status(&world, "EAST").await["alarms"].as_array().cloned();
        let twice = |alarm: &Value| alarm["code"] == "code-given-twice";
        alarms.into_iter().flatten().find(twice)
    };
    world.until("an alarm", async || alarm().await.is_some()).await;
    let alarm = alarm().await.expect("it was there a moment ago");
    let mut both = [first.clone(), second.clone()];
    both.sort();
    assert_eq!(alarm["documents"], json!(both));
    for dossier in [&first, &second] {
        let shown = world.show("EAST", dossier).await.expect("held");
        assert_eq!(shown["code"], alarm["dossier"]);
    }
}

/// A clock that a test sets, in milliseconds.
fn set_clock() -> (Arc<AtomicU64>, Clock) {
    let time = Arc::new(AtomicU64::new(MIDNIGHT_MS - 1));
    let read = Arc::clone(&time);
    (time, Arc::new(move || Moment(read.load(Ordering::SeqCst))))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_of_a_code_begins_at_midnight_in_vietnam() {
    let (time, clock) = set_clock();
    let mut world = World::founded();
    world.start_at("HUB", Arc::clone(&clock)).await;
    assert_eq!(codes(&world, "HUB", 2).await[1], "000.00.00.H47-261124-0002");
    time.store(MIDNIGHT_MS, Ordering::SeqCst);
    assert_eq!(world.code("HUB").await, "000.00.00.H47-261125-0001");
    // A clock that is set back finds what was given on that day.
    time.store(MIDNIGHT_MS - 1, Ordering::SeqCst);
    assert_eq!(world.code("HUB").await, "000.00.00.H47-261124-0003");
    world.stop("HUB").await;
    world.start_at("HUB", clock).await;
    assert!(!world.code("HUB").await.ends_with("-261124-0003"));
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_limit_of_the_day_nothing_is_stored_and_the_next_day_works() {
    let (time, clock) = set_clock();
    let mut world = World::founded();
    let file = world.path("HUB").join("serials.json");
    write_mark(&file, &json!("2026-11-24"), &json!(9_996));
    world.start_at("HUB", clock).await;
    let last = codes(&world, "HUB", 3).await;
    assert_eq!(last[2], "000.00.00.H47-261124-18999");
    let before = documents(&status(&world, "HUB").await);
    for _ in 0..2 {
        let refused = world.try_code("HUB").await.expect_err("all numbers are given");
        assert_eq!(refused.code, "serials-used-up");
        assert!(refused.remedy.contains("after midnight"), "{refused}");
    }
    assert_eq!(documents(&status(&world, "HUB").await), before, "nothing was stored");
    time.store(MIDNIGHT_MS, Ordering::SeqCst);
    assert_eq!(world.code("HUB").await, "000.00.00.H47-261125-0001");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_two_hubs_gave_apart_is_given_to_one_and_another_to_the_other() {
    let mut world = World::new().await;
    world.join("HUB#2").await;
    world.settle().await;
    world.cut("HUB#2").await;
    world.join_only("EAST").await;
    world.cut("HUB").await;
    world.reconnect("HUB#2").await;
    let code = world.invite_at("HUB#2", "EAST#2").await;
    drop(world.try_join("EAST#2", &code).await.expect("joins"));
    world.reconnect("HUB").await;
    for name in ["EAST", "EAST#2"] {
        world.start(name).await;
    }
    world.settle().await;
    let given = [world.code("EAST").await, world.code("EAST#2").await];
    assert!(given[0].ends_with("-0001") && given[1].ends_with("-1001"), "{given:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nodes_of_an_office_are_shown_with_their_parts_of_the_numbers() {
    let mut world = World::new().await;
    for name in ["EAST", "WEST", "EAST#2"] {
        world.join(name).await;
    }
    let nodes = world.ask("HUB", Request::Nodes).await.expect("answers");
    let part = async |name: &str| {
        let id = world.id(name).await.to_string();
        let nodes = nodes["nodes"].as_array().expect("a list");
        nodes.iter().find(|node| node["node"] == id.as_str()).expect("it joined")["serials"].clone()
    };
    for (name, number) in [("HUB", 0), ("EAST", 0), ("WEST", 0), ("EAST#2", 1)] {
        assert_eq!(part(name).await, number, "{name}");
    }
}
