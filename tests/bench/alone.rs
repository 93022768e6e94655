//! One node as a process of its own: how long it takes to start, what rests in memory, how long
//! a durable act takes.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::process::{ask, start};
use super::report::Report;

/// How often it is started.
const STARTS: usize = 7;
/// How many dossiers are received, and then acted on.
const ACTS: usize = 1_000;
/// How many acts one dossier gets.
const ACTS_EACH: usize = 20;

/// Measures a hub that has its stock.
pub(crate) async fn measure(hub: &Path, report: &mut Report) {
    let (process, first) = start(hub).await;
    report.line("first start, index built from the log", "-", format!("{first:.2?}"));
    process.stop();
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (process, took) = start(hub).await;
        starts.push(took);
        process.stop();
    }
    report.waits("start", "≤ 1 s", starts);
    let (process, _) = start(hub).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let rest = process.resident_mib();
    report.line("node at rest, resident", "≤ 60 MiB", format!("{rest:.1} MiB"));
    let reception = json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Thị Hạnh" },
    });
    let received = json!({ "reception": reception, "officer": "clerk" });
    // The first looks for the last serial of the day.
    ask(hub, "receive", received.clone()).await;
    let mut waits = Vec::new();
    for _ in 0..ACTS {
        let before = Instant::now();
        ask(hub, "receive", received.clone()).await;
        waits.push(before.elapsed());
    }
    report.waits("durable reception", "p50 ≤ 5 ms, p99 ≤ 50 ms", waits);
    let act =
        json!({ "id": "", "kind": "noted", "office": "HUB", "officer": "clerk", "note": "xem" });
    let mut waits = Vec::new();
    let mut dossier = Value::Null;
    for round in 0..ACTS {
        if round % ACTS_EACH == 0 {
            dossier = ask(hub, "receive", received.clone()).await["id"].clone();
        }
        let before = Instant::now();
        ask(hub, "act", json!({ "dossier": dossier, "act": act })).await;
        waits.push(before.elapsed());
    }
    report.waits("durable act", "p50 ≤ 5 ms, p99 ≤ 50 ms", waits);
    let worked = process.resident_mib();
    report.line("the same node after this work, resident", "-", format!("{worked:.1} MiB"));
    process.stop();
}
