//! Two nodes on loopback, in one process: what a neighbour waits for and what goes over the wire.

use std::path::Path;
use std::time::{Duration, Instant};

use lienthong::Node;
use lienthong_folder::{Flags, Folder, Settings};
use lienthong_replica::Notice;
use lienthong_request::Request;
use lienthong_tests::office;
use serde_json::{Value, json};

use super::report::Report;
use super::stock;

/// How many dossiers are pushed.
const PUSHES: usize = 500;
/// How often the two meet again.
const MEETINGS: usize = 5;
/// How many dossiers change while they are apart.
const CHANGED: u64 = 150;

/// Measures the hub in `scratch/hub` with a new neighbour.
pub(crate) async fn measure(scratch: &Path, dossiers: u64, report: &mut Report) {
    let mut hub = node(&scratch.join("hub")).await;
    let mut east = first_load(&hub, &scratch.join("east"), dossiers, report).await;
    push(&hub, &east, report).await;
    for round in 1..=MEETINGS {
        east.unplug().await;
        down(&hub).await;
        east.plug().await.expect("plugs");
        settled(&east, &hub).await;
        report.line(
            &format!("meet again, {round}"),
            "one round trip, ≤ 3 kB",
            traffic(&east).await,
        );
    }
    east.unplug().await;
    down(&hub).await;
    change_some(&hub, dossiers).await;
    let before = Instant::now();
    east.plug().await.expect("plugs");
    settled(&east, &hub).await;
    let words = format!("{} in {:.0?}", traffic(&east).await, before.elapsed());
    report.line(&format!("{CHANGED} changed dossiers settle"), "≤ 60 kB", words);
    east.stop().await.expect("stops");
    hub.unplug().await;
    hub.stop().await.expect("stops");
}

async fn node(path: &Path) -> Node {
    let flags = Flags { listen: Some("127.0.0.1:0".into()), advertise: None, http: None };
    let variables = [("LIENTHONG_LINK_BACKOFF_MAX_MS".to_owned(), "1000".to_owned())];
    let settings = Settings::load(path, variables, &flags).expect("sound settings");
    Node::start(Folder::open(path).expect("opens"), &settings).await.expect("starts")
}

async fn first_load(hub: &Node, path: &Path, dossiers: u64, report: &mut Report) -> Node {
    let invite = Request::Invite { office: office("EAST"), valid_hours: 1 };
    let code = hub.ask(invite).await.expect("invites");
    let code = code["code"].as_str().expect("a code").to_owned();
    drop(lienthong::join(path, &code, &[], || {}).await.expect("joins"));
    let (before, cpu) = (Instant::now(), cpu_seconds());
    let east = node(path).await;
    settled(&east, hub).await;
    let took = before.elapsed().as_secs_f64();
    let rate = dossiers as f64 / took;
    let words = format!("{rate:.0} dossiers/s ({took:.1} s, {:.1} s of CPU)", cpu_seconds() - cpu);
    report.line("first load, both ends on the same two cores", "≥ 1,000 dossiers/s", words);
    let status = link(&east).await;
    let bytes = |key: &str| status[key].as_u64().unwrap_or_default() as f64 / dossiers as f64;
    let frames = bytes("bytes_received") + bytes("bytes_sent");
    let udp = bytes("udp_bytes_received") + bytes("udp_bytes_sent");
    let words = format!("{frames:.0} B of frames, {udp:.0} B of UDP, both ways");
    report.line("first load, each dossier on the wire", "≤ 4 kB", words);
    east
}

/// From the answer to a reception at the hub until the neighbour has it on its disk.
async fn push(hub: &Node, east: &Node, report: &mut Report) {
    let mut notices = east.notices();
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..PUSHES {
        let reception = json!({
            "procedure": "1.001193.H47",
            "offices": { "receiving": "HUB", "competent": "EAST" },
            "applicant": { "kind": "citizen", "name": "Nguyễn Thị Hạnh" },
        });
        let reception = serde_json::from_value(reception).expect("a reception");
        let before = Instant::now();
        let request = Request::Receive { reception, officer: "clerk".into(), registered: false };
        let answer = hub.ask(request).await.expect("receives");
        let answered = Instant::now();
        here.push(answered - before);
        let id = answer["id"].as_str().expect("an id");
        loop {
            match notices.recv().await.expect("the node runs") {
                Notice::Grew { document } if document.to_string() == id => break,
                _ => {}
            }
        }
        there.push(answered.elapsed());
    }
    report.waits("reception at a hub with a link", "p50 ≤ 5 ms, p99 ≤ 50 ms", here);
    report.waits("push, answer here to durable there", "p50 ≤ 5 ms", there);
}

/// A note on every so many-th dossier of the stock.
async fn change_some(hub: &Node, dossiers: u64) {
    let status = hub.ask(Request::Status).await.expect("answers");
    let node = status["node"].as_str().expect("an id").parse().expect("an id");
    for number in (0..dossiers).step_by((dossiers / CHANGED).max(1) as usize).take(CHANGED as usize)
    {
        let act = json!({
            "id": "", "kind": "noted", "office": "HUB", "officer": "clerk",
            "note": "Đã chuyển phiếu thông tin địa chính sang cơ quan thuế",
        });
        let act = Box::new(serde_json::from_value(act).expect("an act"));
        let dossier = stock::document(number, node).to_string();
        hub.ask(Request::Act { dossier, act }).await.expect("acts");
    }
}

async fn link(node: &Node) -> Value {
    let status = node.ask(Request::Status).await.expect("answers");
    status["links"][0].clone()
}

/// What the hub holds that both may hold.
async fn root(hub: &Node) -> String {
    let status = hub.ask(Request::Status).await.expect("answers");
    let links = status["links"].as_array().expect("links").clone();
    let link = links.iter().find(|link| link["office"] == "EAST").expect("a link").clone();
    link["root"].as_str().expect("a root").to_owned()
}

/// Waits until both say that they have settled, at the same root.
async fn settled(node: &Node, hub: &Node) {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let before = Instant::now();
    loop {
        tick.tick().await;
        let link = link(node).await;
        let connected = link["settled"] == true && link["state"] == "connected";
        if connected && link["root"] == root(hub).await.as_str() {
            return;
        }
        assert!(before.elapsed() < Duration::from_secs(600), "does not settle: {link}");
    }
}

async fn down(hub: &Node) {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    loop {
        tick.tick().await;
        let status = hub.ask(Request::Status).await.expect("answers");
        let links = status["links"].as_array().expect("links").clone();
        if links.iter().all(|link| link["state"] != "connected") {
            return;
        }
    }
}

async fn traffic(node: &Node) -> String {
    let link = link(node).await;
    let count = |key: &str| link[key].as_u64().unwrap_or_default();
    let bytes = count("bytes_sent") + count("bytes_received");
    let udp = count("udp_bytes_sent") + count("udp_bytes_received");
    let (out, back) = (count("frames_sent"), count("frames_received"));
    format!("{bytes} B in {out} frames out and {back} back; {udp} B of UDP with the handshake")
}

/// What this process has used of its cores.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this process");
    let after = stat.rsplit(')').next().expect("a name in brackets");
    let fields: Vec<f64> = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().expect("ticks"))
        .collect();
    (fields[0] + fields[1]) / 100.0
}
