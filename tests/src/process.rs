//! A node as a process of its own, for what only a process can suffer.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lienthong_folder::socket_of;
use lienthong_request::{ApiRequest, Failure, call};
use serde_json::Value;

/// How often a process that starts is asked, and how many times.
const ASK_EVERY: Duration = Duration::from_millis(5);
const ASK_TIMES: usize = 4_000;

/// A node that runs, until it is killed.
pub struct Process {
    child: Child,
    asker: Asker,
}

/// Asks the node of a folder.
#[derive(Clone)]
pub struct Asker {
    data: PathBuf,
}

impl Process {
    /// Starts the node of a folder and waits until it answers. `tests/run` has built the program.
    pub async fn serve(data: &Path) -> Process {
        Process::serve_with(data, &["--listen", "127.0.0.1:0"]).await
    }

    /// The same with flags of the caller's.
    pub async fn serve_with(data: &Path, flags: &[&str]) -> Process {
        let mut binary = std::env::current_exe().expect("this test has a path");
        binary.pop();
        binary.pop();
        let child = Command::new(binary.join("lienthong"))
            .arg("serve")
            .args(flags)
            .arg("--data")
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tests/run has built the binary");
        let process = Process { child, asker: Asker::of(data) };
        let mut tick = tokio::time::interval(ASK_EVERY);
        for _ in 0..ASK_TIMES {
            tick.tick().await;
            if process.ask("status", Value::Null).await.is_ok() {
                return process;
            }
        }
        process.kill();
        panic!("the node does not answer");
    }

    /// Asks the node.
    pub async fn ask(&self, command: &str, arguments: Value) -> Result<Value, Failure> {
        self.asker.ask(command, arguments).await
    }

    /// Who asks it beside others.
    pub fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// The largest memory that it has had in use, in KiB; 0 where the system does not say.
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.unwrap_or(0)
    }

    /// Ends it as a power cut does.
    pub fn kill(self) {
        drop(self);
    }
}

/// No process outlives its test, also where that one fails.
impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("ends");
    }
}

impl Asker {
    /// Who asks the node of a folder, whether one runs there now or not.
    pub fn of(data: &Path) -> Asker {
        Asker { data: data.to_owned() }
    }

    /// Asks the node that runs in the folder now.
    pub async fn ask(&self, command: &str, arguments: Value) -> Result<Value, Failure> {
        let request = ApiRequest { command: command.into(), arguments };
        call(&socket_of(&self.data), &request).await
    }
}
