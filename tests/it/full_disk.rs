//! A full disk refuses new work, goes on reading, and recovers without a restart; a failed sync
//! ends the node.

use lienthong_request::Exit;
use lienthong_tests::{Journal, Quota, World};

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
