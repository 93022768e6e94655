//! kill -9 on the real binary, again and again, while clerks work.

use lienthong_folder::Folder;
use lienthong_tests::{Asker, Process, office, province};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// How many times a node is killed unless `KILLS` says otherwise.
const KILLS: usize = 60;

/// How many clerks ask at the same time, so that groups of changes share a sync.
const CLERKS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "long runs are made for this figure")]
async fn kill_9_under_load_loses_no_acknowledged_dossier() {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    drop(lienthong::init(&data, office("HUB"), &province(), &[]).expect("founds"));
    let mut acknowledged: Vec<String> = Vec::new();
    let mut checked = 0;
    for round in 0..kills {
        let node = Process::serve(&data).await;
        // What the last blow may have hit is looked at in every round, everything at the end.
        all_there(&node, &acknowledged[checked..]).await;
        checked = acknowledged.len();
        let (told, mut answers) = mpsc::unbounded_channel();
        let work = |_| tokio::spawn(receive_until_dead(node.asker(), told.clone()));
        let clerks: Vec<_> = (0..CLERKS).map(work).collect();
        drop(told);
        // The blow falls after a different number of answers each round.
        for _ in 0..=round % 11 {
            answers.recv().await.expect("the node answers before it is killed");
        }
        node.kill();
        for clerk in clerks {
            acknowledged.extend(clerk.await.expect("a clerk does not panic"));
        }
    }
    drop(Folder::open(&data).expect("nobody holds the folder"));
    let node = Process::serve(&data).await;
    all_there(&node, &acknowledged).await;
    node.kill();
    println!("{kills} kills, {} acknowledged dossiers, 0 lost", acknowledged.len());
}

/// Receives dossiers until the node is gone; gives the ids that were acknowledged.
async fn receive_until_dead(node: Asker, told: mpsc::UnboundedSender<()>) -> Vec<String> {
    let reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    });
    let arguments = json!({ "reception": reception, "officer": "clerk" });
    let mut acknowledged = Vec::new();
    while let Ok(answer) = node.ask("receive", arguments.clone()).await {
        acknowledged.push(answer["id"].as_str().expect("an id").to_owned());
        told.send(()).expect("the receiver outlives the clerks");
    }
    acknowledged
}

async fn all_there(node: &Process, dossiers: &[String]) {
    for dossier in dossiers {
        let shown: Result<Value, _> = node.ask("show", json!({ "dossier": dossier })).await;
        assert!(shown.is_ok(), "{dossier} was acknowledged and is lost");
    }
}
