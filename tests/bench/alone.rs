//! One node as a process of its own: how long it takes to start, what rests in memory, how long
//! a durable act takes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lienthong_folder::socket_of;
use lienthong_request::{ApiRequest, call};
use serde_json::{Value, json};

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

async fn ask(data: &Path, command: &str, arguments: Value) -> Value {
    let request = ApiRequest { command: command.into(), arguments };
    call(&socket_of(data), &request).await.expect("answers")
}

/// Starts a node and waits until it answers.
async fn start(data: &Path) -> (Running, Duration) {
    let before = Instant::now();
    let process = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("`cargo build --release` has built the binary");
    let process = Running(process);
    let mut tick = tokio::time::interval(Duration::from_millis(2));
    loop {
        tick.tick().await;
        let request = ApiRequest { command: "status".into(), arguments: Value::Null };
        if call(&socket_of(data), &request).await.is_ok() {
            return (process, before.elapsed());
        }
        assert!(before.elapsed() < Duration::from_secs(120), "the node does not answer");
    }
}

/// A process that does not outlive the measurement, whatever becomes of it.
struct Running(Child);

impl Running {
    /// Ends it as a service manager does.
    fn stop(mut self) {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("runs");
        assert!(told.success());
        assert!(self.0.wait().expect("ends").success());
    }

    /// What the system says that it holds in memory, in MiB.
    fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.expect("a process of this user");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it runs");
        let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
        kib.expect("a number") / 1024.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a stop it has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The binary of the same build.
fn binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("this program has a path");
    path.pop();
    path.pop();
    path.join("lienthong")
}
