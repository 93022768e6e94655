//! A full disk refuses new work, goes on reading, and recovers without a restart; a failed sync
//! ends the node.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use lienthong_request::{Exit, Request};
use lienthong_tests::{Journal, Quota, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_new_work_and_recovers_without_a_restart() {
    let mut world = World::new().await;
    world.join_only("EAST").await;
    let disk = Quota::on(&world.log("EAST"));
    world.start_on("EAST", disk.clone()).await;
    let before = world.receive("EAST", "Nguyễn Văn An").await;
    world.settle().await;

    disk.fill();
    let refused = world.try_receive("EAST", "Trần Thị Bình").await.expect_err("the disk is full");
    assert_eq!((refused.code.as_str(), refused.exit), ("disk-full", Exit::Store));
    world.show("EAST", &before).await.expect("reading goes on");

    disk.free();
    let after = world.receive("EAST", "Trần Thị Bình").await;
    world.settle().await;
    assert!(world.show("HUB", &after).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_at_the_hub_stops_no_office() {
    let journal = Journal::open();
    let mut world = World::founded();
    let disk = Quota::on(&world.log("HUB"));
    world.start_on("HUB", disk.clone()).await;
    for name in ["EAST", "HILL"] {
        world.join(name).await;
    }
    let before = world.receive("EAST", "Nguyễn Văn An").await;
    world.settle().await;

    disk.fill();
    let during = world.receive("EAST", "Trần Thị Bình").await;
    world.until_closed("EAST", "HUB", "store-full").await;
    let below = world.receive("HILL", "Lê Hạnh").await;
    world.reaches("EAST", &below).await;
    world.settle_between("EAST", "HILL").await;
    // A child that comes back from elsewhere has an address that the hub cannot write down.
    world.restart("EAST").await;
    world.until_closed("EAST", "HUB", "store-full").await;
    let east = world.id("EAST").await.short();
    assert!(journal.says(&["address-not-saved", east.as_str(), "disk-full"]));
    world.show("HUB", &before).await.expect("the hub goes on reading");
    assert!(world.show("HUB", &during).await.is_err(), "it has no room for this");
    let refused = world.try_receive("HUB", "Phạm Lâm").await.expect_err("the disk is full");
    assert_eq!(refused.code, "disk-full");

    disk.free();
    world.settle().await;
    for dossier in [&during, &below] {
        assert!(world.show("HUB", dossier).await.is_ok());
    }
    assert!(!world.node("HUB").has_failed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_sync_failed_says_so_and_ends() {
    let mut world = World::founded();
    let disk = Quota::on(&world.log("HUB"));
    world.start_on("HUB", disk.clone()).await;
    disk.fail_syncs();
    let failed = world.try_receive("HUB", "Nguyễn Văn An").await.expect_err("nothing is durable");
    assert_eq!((failed.code.as_str(), failed.exit), ("log-write-failed", Exit::Store));
    world.until("the node ended", async || world.node("HUB").has_failed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_on_a_dossier_with_a_damaged_record_is_refused_and_reading_goes_on() {
    let mut world = World::founded();
    world.start("HUB").await;
    let other = world.receive("HUB", "Trần Thị Bình").await;
    let dossier = world.receive("HUB", "Nguyễn Văn An").await;
    let act = |note: &str| json!({ "kind": "noted", "note": note });
    world.act("HUB", &dossier, act("giấy tờ đủ")).await.expect("all is well");
    rot(&world.log("HUB"), "giấy tờ đủ");

    let refused =
        world.act("HUB", &dossier, act("hẹn lại")).await.expect_err("a record is damaged");
    assert_eq!((refused.code.as_str(), refused.exit), ("record-damaged", Exit::Store));
    let shown = world.show("HUB", &dossier).await.expect("reading goes on");
    assert_eq!(shown["acts"].as_array().map(Vec::len), Some(1), "{shown}");
    world.act("HUB", &other, act("hẹn lại")).await.expect("other dossiers are whole");
    assert!(!world.node("HUB").has_failed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_comes_back_from_a_peer_while_the_node_runs() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let dossier = world.receive("EAST", "Nguyễn Văn An").await;
    let act = |note: &str| json!({ "kind": "noted", "note": note });
    world.act("EAST", &dossier, act("giấy tờ đủ")).await.expect("all is well");
    world.settle().await;
    rot(&world.log("EAST"), "giấy tờ đủ");

    // Reading meets the damage; what is written on is refused until the hub has sent it again.
    world.show("EAST", &dossier).await.expect("reading goes on");
    let again = async || world.act("EAST", &dossier, act("hẹn lại")).await.is_ok();
    world.until("the record is back", again).await;
    world.settle().await;
    let here = world.show("EAST", &dossier).await.expect("its own");
    assert_eq!(here["acts"].as_array().map(Vec::len), Some(3), "{here}");
    assert_eq!(here, world.show("HUB", &dossier).await.expect("held"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_that_only_the_view_reads_comes_back_too() {
    let mut world = World::new().await;
    world.join("EAST").await;
    let dossier = world.receive("EAST", "Nguyễn Văn An").await;
    let act = json!({ "kind": "noted", "note": "giấy tờ đủ" });
    world.act("EAST", &dossier, act).await.expect("all is well");
    world.settle().await;
    let log = world.log("EAST");
    rot(&log, "giấy tờ đủ");
    assert!(!holds(&log, "giấy tờ đủ"));

    world.ask("EAST", Request::RebuildViews).await.expect("begins");
    world.until("the record is back", async || holds(&log, "giấy tờ đủ")).await;
    world.settle().await;
    let here = world.show("EAST", &dossier).await.expect("its own");
    assert_eq!(here, world.show("HUB", &dossier).await.expect("held"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rots_where_nobody_reads_is_found_and_comes_back() {
    let mut world = World::new().await;
    world.join_only("EAST").await;
    let mut settings = world.settings();
    (settings.segment_bytes, settings.check_every) = (4096, Duration::from_millis(20));
    world.start_with("EAST", &settings).await;
    let dossier = world.receive("EAST", "Nguyễn Văn An").await;
    let act = json!({ "kind": "noted", "note": "giấy tờ đủ" });
    world.act("EAST", &dossier, act).await.expect("all is well");
    // Enough behind it that its segment takes no more changes.
    for _ in 0..4 {
        world.receive("EAST", "Trần Thị Bình").await;
    }
    world.settle().await;
    let log = world.log("EAST");
    rot(&log, "giấy tờ đủ");
    assert!(!holds(&log, "giấy tờ đủ"));

    world.until("the record is back", async || holds(&log, "giấy tờ đủ")).await;
    world.settle().await;
    let here = world.show("EAST", &dossier).await.expect("its own");
    assert_eq!(here, world.show("HUB", &dossier).await.expect("held"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_registry_rotted_while_it_was_off_still_knows_its_peers() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.settle().await;
    for byte in [100, 101] {
        world.stop("EAST").await;
        let segments = world.log("EAST");
        // The first record of the first segment is the federation's first change: without it
        // nothing of the registry can be read.
        flip(&segments.join("segment-00000001.log"), SEGMENT_HEADER_BYTES + byte);
        world.start("EAST").await;
        let dossier = world.receive("EAST", "Nguyễn Văn An").await;
        world.reaches("HUB", &dossier).await;
        world.settle().await;
    }
}

/// Flips a bit of a file that nobody has open.
fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).expect("it is there");
    bytes[at] ^= 1;
    std::fs::write(file, bytes).expect("it can be written");
}

const SEGMENT_HEADER_BYTES: usize = 100;

/// Whether a file of the log holds these words.
fn holds(log: &Path, words: &str) -> bool {
    let files = std::fs::read_dir(log).expect("the log is there").flatten();
    let mut bytes = files.map(|file| std::fs::read(file.path()).expect("it can be read"));
    bytes.any(|bytes| bytes.windows(words.len()).any(|part| part == words.as_bytes()))
}

/// Flips a bit of the log on the medium, in the record that holds these words.
fn rot(log: &Path, words: &str) {
    let files = std::fs::read_dir(log).expect("the log is there").flatten();
    let rotten = files.filter(|file| {
        let bytes = std::fs::read(file.path()).expect("it can be read");
        let found = bytes.windows(words.len()).position(|part| part == words.as_bytes());
        let Some(at) = found else { return false };
        // In place: the node reads on meanwhile, and a file that is short for a moment is rot, too.
        let open = std::fs::OpenOptions::new().write(true).open(file.path());
        let open = open.expect("it can be written");
        open.write_all_at(&[bytes[at] ^ 1], at as u64).expect("it can be written");
        true
    });
    assert_eq!(rotten.count(), 1, "the words lie in one file");
}
