//! One node as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lienthong_folder::socket_of;
use lienthong_request::{ApiRequest, call};
use serde_json::Value;

/// Asks the node of a folder something.
pub(crate) async fn ask(data: &Path, command: &str, arguments: Value) -> Value {
    let request = ApiRequest { command: command.into(), arguments };
    call(&socket_of(data), &request).await.expect("answers")
}

/// Starts a node and waits until it answers.
pub(crate) async fn start(data: &Path) -> (Running, Duration) {
    let before = Instant::now();
    let process = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("`cargo build --release` has built the binary");
    let process = Running(process);
    until_it_answers(data).await;
    (process, before.elapsed())
}

/// Waits until the node of a folder answers.
pub(crate) async fn until_it_answers(data: &Path) {
    let begun = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(2));
    let request = ApiRequest { command: "status".into(), arguments: Value::Null };
    while call(&socket_of(data), &request).await.is_err() {
        tick.tick().await;
        assert!(begun.elapsed() < START_TIME, "the node does not answer");
    }
}

/// How long a node may take to build its index from the log.
const START_TIME: Duration = Duration::from_secs(600);

/// A process that does not outlive the measurement, whatever becomes of it.
pub(crate) struct Running(Child);

impl Running {
    /// A process that was started.
    pub(crate) fn of(child: Child) -> Running {
        Running(child)
    }

    /// Ends it as a service manager does.
    pub(crate) fn stop(mut self) {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("runs");
        assert!(told.success());
        assert!(self.0.wait().expect("ends").success());
    }

    /// What the system says that it holds in memory, in MiB.
    pub(crate) fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.expect("a process of this user");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it runs");
        let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
        kib.expect("a number") / 1024.0
    }

    /// The processor time that all its threads used so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()));
        let stat = stat.expect("a process of this user");
        let (_, behind_name) = stat.rsplit_once(')').expect("a name in brackets");
        let fields = behind_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = fields.map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        // Linux counts hundredths of seconds here, whatever the kernel is set to.
        Duration::from_millis(ticks * 10)
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
pub(crate) fn binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("this program has a path");
    path.pop();
    path.pop();
    path.join("lienthong")
}
