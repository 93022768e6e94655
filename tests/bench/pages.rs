//! How long a browser waits for the pages of a node that holds the stock.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::process::{Running, ask, binary, until_it_answers};
use super::report::Report;

/// How often each page is asked for.
const ROUNDS: usize = 200;
/// Before it is measured.
const WARM_UP: usize = 5;
const AIM: &str = "p95 ≤ 30 ms";
/// What a counter needs to receive anything.
const PUBLISHED: [(&str, &str); 3] = [
    ("catalogue", "procedures.toml"),
    ("calendar", "calendar-2025.toml"),
    ("calendar", "calendar-2026.toml"),
];
const PASSWORD: &str = "hội an chín giờ sáng";

/// Measures a hub that has its stock, as its first administrator.
pub(crate) async fn measure(hub: &Path, dossiers: u64, report: &mut Report) {
    let (process, browser) = opened(hub).await;
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/quang-nam");
    for (what, file) in PUBLISHED {
        let text = std::fs::read_to_string(format!("{config}/{file}")).expect("it is there");
        let text = text.replace("QNM-HCC", "HUB");
        ask(hub, "publish", json!({ "what": what, "file": file, "text": text })).await;
    }
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tick.tick().await;
        let views = ask(hub, "status", Value::Null).await["views"].clone();
        if views["behind"] == 0 && views["documents"].as_u64() >= Some(dossiers) {
            break;
        }
    }
    let page = ask(hub, "list", json!({ "limit": 200 })).await;
    let codes = page["dossiers"].as_array().expect("dossiers").iter();
    let codes: Vec<&str> = codes.filter_map(|one| one["id"].as_str()).collect();
    let one = |path: &str| vec![Asked::Get(path.to_owned())];
    let found = ["nguyen van", "0490", "khai sinh", "000.00.00.H47-250701-000001", "Phượng"];
    let kinds = [
        ("today", one("/")),
        ("queue: due today", one("/queue")),
        ("queue: elsewhere", one("/queue?which=elsewhere")),
        ("review", one("/review")),
        ("search form", one("/search")),
        ("search", found.map(|text| Asked::Search(text.to_owned())).to_vec()),
        ("dossier", codes.iter().map(|id| Asked::Get(format!("/dossier/{id}"))).collect()),
        ("receiving", one("/receive?procedure=1.001193.H47")),
        ("status, by the API", one("/api/v1/status")),
        ("list, by the API", one("/api/v1/dossiers?limit=50")),
    ];
    for (name, asked) in &kinds {
        let (mut waits, mut longest) = (Vec::new(), 0);
        for (round, asked) in asked.iter().cycle().take(WARM_UP + ROUNDS).enumerate() {
            let begun = Instant::now();
            let bytes = browser.ask(asked);
            if round >= WARM_UP {
                waits.push(begun.elapsed());
                longest = longest.max(bytes);
            }
        }
        waits.sort_unstable();
        let at = |percent: usize| waits[(waits.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        let kb = longest as f64 / 1e3;
        let found = format!(
            "p50 {:.1} ms, p95 {:.1} ms, most {:.1} ms of {ROUNDS}, up to {kb:.1} kB gzip",
            at(50),
            at(95),
            at(100)
        );
        report.line(&format!("page: {name}"), AIM, found);
    }
    process.stop();
}

#[derive(Clone)]
enum Asked {
    Get(String),
    Search(String),
}

/// A browser that is signed in.
struct Browser {
    address: String,
    cookie: String,
}

/// Starts a node with pages and makes its first administrator, as the program's words say.
async fn opened(hub: &Path) -> (Running, Browser) {
    let mut child = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"])
        .arg(hub)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`cargo build --release` has built the binary");
    let said = BufReader::new(child.stderr.take().expect("it is piped"));
    let process = Running::of(child);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in said.lines().map_while(Result::ok) {
            let opening = line.split("http://").nth(1).and_then(|rest| rest.split_once("/setup#"));
            if let Some((address, secret)) = opening {
                drop(tell.send((address.to_owned(), secret.trim().to_owned())));
            }
        }
    });
    let (address, secret) = told.recv().expect("nobody administers it yet");
    let mut browser = Browser { address, cookie: String::new() };
    let form = [
        ("secret", secret.as_str()),
        ("officer", "cb-an"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    until_it_answers(hub).await;
    let answer = browser.post("/setup/administrator", &form);
    let head = String::from_utf8_lossy(&answer).into_owned();
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    browser.cookie = cookie.unwrap_or_else(|| panic!("no administrator: {head}")).to_owned();
    (process, browser)
}

impl Browser {
    /// Gives the length of the body.
    fn ask(&self, asked: &Asked) -> usize {
        let answer = match asked {
            Asked::Get(path) => self.exchange(&self.head("GET", path, "")),
            Asked::Search(text) => self.post("/search", &[("text", text)]),
        };
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        answer.len() - body - 4
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let encoded =
            |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let more = format!(
            "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            body.len()
        );
        self.exchange(&(self.head("POST", path, &more) + &body))
    }

    fn head(&self, method: &str, path: &str, more: &str) -> String {
        let Browser { address, cookie } = self;
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\n\
             cookie: {cookie}\r\naccept-encoding: gzip\r\nconnection: close\r\n{more}\r\n"
        )
    }

    fn exchange(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it ends");
        answer
    }
}
