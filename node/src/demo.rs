//! A whole province on loopback, in one process, with real QUIC between its nodes.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use lienthong_dossier::Reception;
use lienthong_federation::Province;
use lienthong_protocol::OfficeId;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::node::Node;
use crate::request::Request;
use crate::settings::{Flags, Settings};
use crate::setup;

/// The reference province, part of the program.
const PROVINCE: &str = include_str!("../../config/quang-nam/province.toml");
/// How long the whole province may take to settle after the last cut.
const SETTLE_TIME_LIMIT: Duration = Duration::from_secs(300);

/// Plays the demonstration; words go to standard error, the table to standard output.
pub async fn demo(offices: usize, dossiers: usize) -> Result<(), Failure> {
    if !(2..=100).contains(&offices) || !(1..=100_000).contains(&dossiers) {
        let why = format!("{offices} offices and {dossiers} dossiers");
        let remedy = "2 to 100 offices, 1 to 100,000 dossiers";
        return Err(Failure::usage("demo-size", "no demonstration", why, remedy));
    }
    let began = Instant::now();
    let folder = std::env::temp_dir().join(format!("lienthong-demo-{}", std::process::id()));
    let played = play(&folder, offices, dossiers, began).await;
    // What is left in the system's temporary folder is no reason to fail.
    drop(std::fs::remove_dir_all(&folder));
    played
}

async fn play(
    folder: &std::path::Path,
    offices: usize,
    dossiers: usize,
    began: Instant,
) -> Result<(), Failure> {
    let say = |words: String| {
        drop(writeln!(std::io::stderr(), "{:6.1} s  {words}", began.elapsed().as_secs_f64()));
    };
    std::fs::create_dir_all(folder)
        .map_err(|error| crate::folder::disk("the demonstration", folder, &error))?;
    let province = Province::parse(PROVINCE).map_err(|error| {
        Failure::failed(error.code(), "no demonstration", error.to_string(), error.remedy())
    })?;
    let chosen = choose(&province, offices);
    let flags = Flags { listen: Some("127.0.0.1:0".into()), advertise: None };
    let mut nodes: BTreeMap<OfficeId, Node> = BTreeMap::new();
    let hub = province.root;
    let path = folder.join(hub.as_str());
    let hub_folder = setup::init(&path, hub, &province, &[])?;
    let settings = Settings::load(&path, [], &flags)?;
    nodes.insert(hub, Node::start(hub_folder, &settings).await?);
    say(format!("{hub} founds the federation: {} offices in its registry", province.offices.len()));
    for office in &chosen {
        let code = ask(&nodes, hub, Request::Invite { office: *office, valid_hours: 1 }).await?;
        let path = folder.join(office.as_str());
        let code = code["code"].as_str().unwrap_or_default();
        let joined = setup::join(&path, code, &[], || {}).await?;
        let settings = Settings::load(&path, [], &flags)?;
        nodes.insert(*office, Node::start(joined, &settings).await?);
        say(format!("{office} joins with a code"));
    }
    let mut written = 0;
    written += work(&nodes, &chosen, dossiers / 3).await?;
    say(format!("{written} dossiers received while everything is connected"));
    let cut: Vec<OfficeId> = chosen.iter().copied().step_by(2).collect();
    for office in &cut {
        if let Some(node) = nodes.get_mut(office) {
            node.unplug().await;
        }
    }
    let names: Vec<&str> = cut.iter().map(OfficeId::as_str).collect();
    say(format!("cut off: {}", names.join(", ")));
    written += work(&nodes, &chosen, dossiers - written).await?;
    say(format!("{written} dossiers received, some by offices that are cut off"));
    for office in &cut {
        if let Some(node) = nodes.get_mut(office) {
            node.plug().await?;
        }
    }
    say("the offices are back".into());
    let settled = settle(&nodes, &say).await?;
    table(&nodes).await?;
    for (_, node) in nodes {
        node.stop().await?;
    }
    if settled {
        say("every root is equal at both ends".into());
        return Ok(());
    }
    let why = format!("not all links settled within {} s", SETTLE_TIME_LIMIT.as_secs());
    Err(Failure::failed("not-settled", "the demonstration failed", why, "report this"))
}

/// Districts in the order of the roll-out, each with its first communes.
fn choose(province: &Province, offices: usize) -> Vec<OfficeId> {
    let mut districts: Vec<_> =
        province.offices.iter().filter(|office| office.tier == "district").collect();
    districts.sort_by_key(|office| (office.wave, office.id));
    let mut chosen = Vec::new();
    for district in districts {
        chosen.push(district.id);
        let communes = province.offices.iter().filter(|o| o.parent == Some(district.id));
        chosen.extend(communes.take((offices / 18).max(2)).map(|office| office.id));
    }
    chosen.truncate(offices);
    chosen
}

async fn ask(
    nodes: &BTreeMap<OfficeId, Node>,
    office: OfficeId,
    request: Request,
) -> Result<Value, Failure> {
    match nodes.get(&office) {
        Some(node) => node.ask(request).await,
        None => {
            Err(Failure::unreachable("no-node", "not asked", office.to_string(), "report this"))
        }
    }
}

/// Lets every office receive its part of the dossiers and begin on each.
async fn work(
    nodes: &BTreeMap<OfficeId, Node>,
    offices: &[OfficeId],
    dossiers: usize,
) -> Result<usize, Failure> {
    for number in 0..dossiers {
        let office = offices[number % offices.len()];
        let reception = Box::new(reception(office, number)?);
        let officer = "cán bộ tiếp nhận".to_owned();
        let received = ask(nodes, office, Request::Receive { reception, officer }).await?;
        let dossier = received["id"].as_str().unwrap_or_default().to_owned();
        let act =
            json!({ "id": "", "kind": "in-process", "office": office, "officer": "chuyên viên" });
        let act = serde_json::from_value(act).map_err(|error| bad_demo(&error.to_string()))?;
        ask(nodes, office, Request::Act { dossier, act }).await?;
    }
    Ok(dossiers)
}

fn reception(office: OfficeId, number: usize) -> Result<Reception, Failure> {
    let family = ["Nguyễn", "Trần", "Lê", "Phạm", "A Lăng", "Bríu"][number % 6];
    let given = ["An", "Bình", "Hạnh", "Lâm", "Nga", "Phượng", "Vinh"][number % 7];
    let procedure = ["1.001193.H47", "2.000635.H47", "1.000656.H47"][number % 3];
    let value = json!({
        "procedure": procedure,
        "version": 1,
        "channel": "counter",
        "return_by": "counter",
        "offices": { "receiving": office },
        "applicant": { "kind": "citizen", "name": format!("{family} {given}") },
    });
    serde_json::from_value(value).map_err(|error| bad_demo(&error.to_string()))
}

fn bad_demo(why: &str) -> Failure {
    Failure::failed("demo-data", "no demonstration", why, "report this")
}

/// Waits until every link of every node is settled, telling which are when that changes.
async fn settle(nodes: &BTreeMap<OfficeId, Node>, say: &impl Fn(String)) -> Result<bool, Failure> {
    let began = Instant::now();
    let mut last = usize::MAX;
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    while began.elapsed() < SETTLE_TIME_LIMIT {
        tick.tick().await;
        let (mut open, mut all) = (0, 0);
        for node in nodes.values() {
            let status = node.ask(Request::Status).await?;
            for link in status["links"].as_array().into_iter().flatten() {
                all += 1;
                open += usize::from(link["settled"] != true);
            }
        }
        if open != last {
            say(format!("{} of {all} link ends settled", all - open));
            last = open;
        }
        if open == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn table(nodes: &BTreeMap<OfficeId, Node>) -> Result<(), Failure> {
    let mut lines = vec![format!(
        "{:24} {:>8} {:>7}  {:24} {:>8}  {:16} {:16}",
        "office", "changes", "unsent", "link with", "settled", "root here", "root there"
    )];
    for (office, node) in nodes {
        let status = node.ask(Request::Status).await?;
        for link in status["links"].as_array().into_iter().flatten() {
            let peer = link["office"].as_str().unwrap_or_default();
            let there = match peer.parse::<OfficeId>().ok().and_then(|peer| nodes.get(&peer)) {
                Some(peer) => root_for(&peer.ask(Request::Status).await?, *office),
                None => String::new(),
            };
            let here = link["root"].as_str().unwrap_or_default();
            lines.push(format!(
                "{:24} {:>8} {:>7}  {:24} {:>8}  {:16} {:16}",
                office.as_str(),
                status["changes"].to_string(),
                link["unsent"].to_string(),
                peer,
                if link["settled"] == true { "yes" } else { "NO" },
                here.get(..16).unwrap_or(here),
                there.get(..16).unwrap_or(&there),
            ));
        }
    }
    let printed = writeln!(std::io::stdout(), "{}", lines.join("\n"));
    printed.map_err(|error| bad_demo(&error.to_string()))
}

fn root_for(status: &Value, office: OfficeId) -> String {
    let mut links = status["links"].as_array().into_iter().flatten();
    let link = links.find(|link| link["office"] == office.as_str());
    link.and_then(|link| link["root"].as_str()).unwrap_or_default().to_owned()
}
