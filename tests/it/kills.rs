//! kill -9 on the real binary, again and again, while clerks work.

use std::collections::BTreeMap;

use lienthong_folder::Folder;
use lienthong_tests::{Asker, Process, office, province};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// How many times a node is killed unless `KILLS` says otherwise.
const KILLS: usize = 60;

/// In one round of so many clerks receive, in the others they act: each start begins a new block
/// of serials, and a day has 9,999.
const RECEIVE_EVERY: usize = 3;

/// How many clerks ask at the same time, so that groups of changes share a sync.
const CLERKS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "long runs are made for this figure")]
async fn kill_9_under_load_loses_no_acknowledged_dossier() {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("hub");
    drop(lienthong::init(&data, office("HUB"), &province(), &[]).expect("founds"));
    let mut acknowledged: Vec<Done> = Vec::new();
    let mut checked = 0;
    for round in 0..kills {
        let node = Process::serve(&data).await;
        // What the last blow may have hit is looked at in every round, everything at the end.
        all_there(&node, &acknowledged[checked..]).await;
        checked = acknowledged.len();
        let (told, mut answers) = mpsc::unbounded_channel();
        let receives = round % RECEIVE_EVERY == 0;
        let work = |clerk: usize| {
            let (node, told) = (node.asker(), told.clone());
            let known = acknowledged.iter().rev().map(|done| done.dossier.clone()).nth(clerk);
            match known.filter(|_| !receives) {
                Some(dossier) => {
                    tokio::spawn(note_until_dead(node, told, dossier, format!("{round}.{clerk}")))
                }
                None => tokio::spawn(receive_until_dead(node, told)),
            }
        };
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
    println!("{kills} kills, {} acknowledged receptions and acts, 0 lost", acknowledged.len());
}

/// What a node said it had saved.
struct Done {
    dossier: String,
    /// The note of an act; none for the reception.
    note: Option<String>,
}

/// Receives dossiers until the node is gone; gives those that were acknowledged.
async fn receive_until_dead(node: Asker, told: mpsc::UnboundedSender<()>) -> Vec<Done> {
    let reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    });
    let arguments = json!({ "reception": reception, "officer": "clerk" });
    let mut acknowledged = Vec::new();
    while let Ok(answer) = node.ask("receive", arguments.clone()).await {
        let dossier = answer["id"].as_str().expect("an id").to_owned();
        acknowledged.push(Done { dossier, note: None });
        told.send(()).expect("the receiver outlives the clerks");
    }
    acknowledged
}

/// Adds notes to a dossier, by a name that no other round uses, until the node is gone; gives those
/// that were acknowledged.
async fn note_until_dead(
    node: Asker,
    told: mpsc::UnboundedSender<()>,
    dossier: String,
    name: String,
) -> Vec<Done> {
    let mut acknowledged = Vec::new();
    loop {
        let note = format!("lần {name}.{}", acknowledged.len());
        let act = json!({
            "id": "", "kind": "noted", "office": "HUB", "officer": "clerk", "note": note,
        });
        if node.ask("act", json!({ "dossier": dossier, "act": act })).await.is_err() {
            return acknowledged;
        }
        acknowledged.push(Done { dossier: dossier.clone(), note: Some(note) });
        told.send(()).expect("the receiver outlives the clerks");
    }
}

async fn all_there(node: &Process, work: &[Done]) {
    let mut shown: BTreeMap<&str, Value> = BTreeMap::new();
    for Done { dossier, note } in work {
        if !shown.contains_key(dossier.as_str()) {
            let answer = node.ask("show", json!({ "dossier": dossier })).await;
            let answer =
                answer.unwrap_or_else(|_| panic!("{dossier} was acknowledged and is lost"));
            shown.insert(dossier, answer);
        }
        let acts = shown[dossier.as_str()]["acts"].as_array().expect("acts");
        let is_there =
            note.as_ref().is_none_or(|note| acts.iter().any(|act| act["note"] == **note));
        assert!(is_there, "{note:?} of {dossier} was acknowledged and is lost");
    }
}
