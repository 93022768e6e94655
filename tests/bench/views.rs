//! How long the view takes until it holds every dossier again.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Running, ask, start};
use super::report::Report;

/// How often each kind of rebuild is measured.
const ROUNDS: usize = 3;
const AIM: &str = "< 60 s for 100,000 dossiers";

/// Measures a hub that has its stock: the view made for the first time, when each document is
/// rehearsed; the view lost and what was rehearsed still known; the view thrown away by command.
pub(crate) async fn measure(hub: &Path, dossiers: u64, report: &mut Report) {
    // The index is built from the log meanwhile: that is not what is measured.
    let (process, _) = start(hub).await;
    until_all(hub, &process, dossiers).await;
    process.stop();
    for file in ["views.db", "rehearsed.db"] {
        std::fs::remove_file(hub.join(file)).expect("the node left it");
    }
    let (process, _) = start(hub).await;
    let found = until_all(hub, &process, dossiers).await;
    report.line("view of a first load, every document rehearsed", "-", found);
    process.stop();
    for _ in 0..ROUNDS {
        std::fs::remove_file(hub.join("views.db")).expect("the node left it");
        let (process, _) = start(hub).await;
        let found = until_all(hub, &process, dossiers).await;
        report.line("view lost, made anew at the start", AIM, found);
        process.stop();
    }
    let (process, _) = start(hub).await;
    for _ in 0..ROUNDS {
        ask(hub, "rebuild-views", Value::Null).await;
        let found = until_all(hub, &process, dossiers).await;
        report.line("`views rebuild`", AIM, found);
    }
    process.stop();
}

/// Waits until the view holds everything; says how long that took and what it cost.
async fn until_all(hub: &Path, process: &Running, dossiers: u64) -> String {
    let (begun, cpu) = (Instant::now(), process.cpu());
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        tick.tick().await;
        let views = ask(hub, "status", Value::Null).await["views"].clone();
        if views["behind"] == 0 && views["documents"].as_u64() >= Some(dossiers) {
            let (wall, cpu) = (begun.elapsed(), process.cpu().saturating_sub(cpu));
            return format!("{:.1} s, {:.1} s of CPU", wall.as_secs_f64(), cpu.as_secs_f64());
        }
    }
}
