//! A federation of real processes at work while some are killed and others are cut off.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lienthong_federation::{Office, Province};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Asker, Process, Relay, office};

/// How long all links may take to settle once everything runs and is connected.
const SETTLE_TIME_LIMIT: Duration = Duration::from_secs(300);
/// How often something happens to somebody.
const BLOW_EVERY: Duration = Duration::from_millis(700);
/// How often the offices are asked whether they are settled.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many nodes are down at once at most.
const MAX_DOWN: usize = 6;
/// How many communes a district has.
const COMMUNES: usize = 5;

/// What is to be played.
#[derive(Clone, Copy, Debug)]
pub struct Stress {
    /// How many processes run, the hub included; 2 to 200.
    pub offices: usize,
    /// How long they are under stress.
    pub time: Duration,
    /// What decides who is struck, and when.
    pub seed: u64,
    /// How long each counter rests between two dossiers, on average.
    pub pause: Duration,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How often a process was killed.
    pub kills: usize,
    /// How often a network was cut.
    pub cuts: usize,
    /// How many dossiers and acts were acknowledged.
    pub acknowledged: usize,
    /// Those of them that are missing at their own office or at the hub.
    pub lost: Vec<String>,
    /// How long it took until every root was equal at both ends; none if that never came.
    pub settled_after: Option<Duration>,
    /// The links that were not settled at the end, as one end sees them.
    pub unsettled: Vec<String>,
    /// The largest memory in use of the hub's last process, in KiB.
    pub hub_peak_kib: u64,
    /// The same of each other node, least first.
    pub node_peaks_kib: Vec<u64>,
}

/// A dossier that was acknowledged: at which office, its id, and how many acts it has.
type Acknowledged = Arc<Mutex<BTreeMap<String, (String, usize)>>>;

struct Place {
    data: PathBuf,
    listen: SocketAddr,
    relay: Relay,
    process: Option<Process>,
}

/// Plays it. The program of this build must be there.
pub async fn stress(what: Stress) -> Outcome {
    let folder = TempDir::new().expect("a temporary folder");
    let mut places = found(folder.path(), what.offices).await;
    let acknowledged = Acknowledged::default();
    let (stop, stopped) = watch::channel(false);
    let mut counters = JoinSet::new();
    for (at, (name, place)) in places.iter().enumerate() {
        let asker = Asker::of(&place.data);
        let counter = Counter { name: name.clone(), asker, told: Arc::clone(&acknowledged) };
        counters.spawn(counter.work(what.pause, what.seed ^ at as u64, stopped.clone()));
    }
    let (kills, cuts) = strike(&mut places, what).await;
    stop.send_replace(true);
    while counters.join_next().await.is_some() {}
    let settled_after = settle(&places).await;
    let unsettled = unsettled(&places).await;
    let told = acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let lost = missing(&places, &told).await;
    let peak = |place: &Place| place.process.as_ref().map_or(0, Process::peak_kib);
    let mut node_peaks_kib: Vec<u64> =
        places.iter().filter(|(name, _)| *name != "HUB").map(|(_, place)| peak(place)).collect();
    node_peaks_kib.sort_unstable();
    let hub_peak_kib = peak(&places["HUB"]);
    for place in places.into_values() {
        place.process.into_iter().for_each(Process::kill);
    }
    let acknowledged = told.values().map(|(_, acts)| acts).sum();
    Outcome {
        kills,
        cuts,
        acknowledged,
        lost,
        settled_after,
        unsettled,
        hub_peak_kib,
        node_peaks_kib,
    }
}

/// A hub, districts with their communes, each a process behind a relay of its own.
async fn found(folder: &Path, offices: usize) -> BTreeMap<String, Place> {
    let names = names(offices);
    let province = province(&names);
    let mut places = BTreeMap::new();
    for (name, _) in &names {
        let kept = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        let listen = kept.local_addr().expect("it is bound");
        drop(kept);
        let relay = Relay::before(listen).await;
        let place = Place { data: folder.join(name), listen, relay, process: None };
        places.insert(name.clone(), place);
    }
    for (name, _) in &names {
        let address = places[name].relay.address().to_string();
        if name == "HUB" {
            let data = &places[name].data;
            drop(lienthong::init(data, office("HUB"), &province, &[address]).expect("founds"));
        } else {
            let invite = json!({ "office": name, "valid_hours": 1 });
            let hub = Asker::of(&places["HUB"].data);
            let code = hub.ask("invite", invite).await.expect("the hub invites");
            let code = code["code"].as_str().expect("a code");
            drop(
                lienthong::join(&places[name].data, code, &[address], || {}).await.expect("joins"),
            );
        }
        let place = places.get_mut(name).expect("each has a place");
        place.process = Some(start(&place.data, place.listen, place.relay.address()).await);
    }
    places
}

async fn start(data: &Path, listen: SocketAddr, advertise: SocketAddr) -> Process {
    let flags = ["--listen", &listen.to_string(), "--advertise", &advertise.to_string()];
    Process::serve_with(data, &flags).await
}

/// Each office with the one above it.
fn names(offices: usize) -> Vec<(String, Option<String>)> {
    let mut names = vec![("HUB".to_owned(), None)];
    for at in 0..offices.saturating_sub(1) {
        let district = format!("D{:02}", at / (COMMUNES + 1));
        match at % (COMMUNES + 1) {
            0 => names.push((district, Some("HUB".to_owned()))),
            commune => names.push((format!("{district}C{commune}"), Some(district))),
        }
    }
    names
}

fn province(names: &[(String, Option<String>)]) -> Province {
    let offices = names.iter().enumerate().map(|(at, (name, above))| {
        let unit_code = format!("H47.{at}");
        Office { unit_code, ..Office::new(office(name), name, "", above.as_deref().map(office)) }
    });
    Province { name: "stress".into(), root: office("HUB"), offices: offices.collect() }
}

// ------------------------------------------------------------- the counters

struct Counter {
    name: String,
    asker: Asker,
    told: Acknowledged,
}

impl Counter {
    /// Receives dossiers and acts on them until it is told to stop; a node that is down is asked
    /// again later.
    async fn work(self, pause: Duration, seed: u64, mut stopped: watch::Receiver<bool>) {
        let mut dice = Dice(seed);
        while !*stopped.borrow() {
            let rest = pause.mul_f64(0.5 + dice.below(1_000) as f64 / 1_000.0);
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = stopped.changed() => return,
            }
            let reception = json!({
                "procedure": "1.001193.H47",
                "offices": { "receiving": self.name },
                "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
            });
            let received = json!({ "reception": reception, "officer": "clerk" });
            let Ok(answer) = self.asker.ask("receive", received).await else { continue };
            let id = answer["id"].as_str().expect("an id").to_owned();
            self.tell(&id, 1);
            for (at, kind) in ["in-process", "finished", "returned"].into_iter().enumerate() {
                let act = json!({
                    "id": "", "kind": kind, "office": self.name, "officer": "clerk",
                });
                let arguments = json!({ "dossier": id, "act": act });
                if self.asker.ask("act", arguments).await.is_err() {
                    break;
                }
                self.tell(&id, at + 2);
            }
        }
    }

    fn tell(&self, dossier: &str, acts: usize) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(dossier.to_owned(), (self.name.clone(), acts));
    }
}

// ------------------------------------------------------------- the blows

/// Kills and cuts until the time is over, then starts and mends everything.
async fn strike(places: &mut BTreeMap<String, Place>, what: Stress) -> (usize, usize) {
    let names: Vec<String> = places.keys().cloned().collect();
    let mut dice = Dice(what.seed);
    let mut starting: JoinSet<(String, Process)> = JoinSet::new();
    let mut mends: Vec<(Instant, String)> = Vec::new();
    let (mut kills, mut cuts) = (0, 0);
    let began = Instant::now();
    let mut tick = tokio::time::interval(BLOW_EVERY);
    while began.elapsed() < what.time {
        tick.tick().await;
        while let Some(started) = starting.try_join_next() {
            put(places, started.expect("it starts"));
        }
        mends.retain(|(at, name)| {
            let is_due = *at <= Instant::now();
            if is_due {
                places[name].relay.cut(false);
            }
            !is_due
        });
        let name = &names[dice.below(names.len())];
        if dice.below(2) == 0 {
            places[name].relay.cut(true);
            let length = Duration::from_millis(1_000 + dice.below(9_000) as u64);
            mends.push((Instant::now() + length, name.clone()));
            cuts += 1;
            continue;
        }
        if starting.len() >= MAX_DOWN.min(names.len() / 2) {
            continue;
        }
        let place = places.get_mut(name).expect("each has a place");
        let Some(process) = place.process.take() else { continue };
        process.kill();
        kills += 1;
        let (name, data) = (name.clone(), place.data.clone());
        let (listen, advertise) = (place.listen, place.relay.address());
        let down = Duration::from_millis(dice.below(4_000) as u64);
        starting.spawn(async move {
            tokio::time::sleep(down).await;
            (name, start(&data, listen, advertise).await)
        });
    }
    places.values().for_each(|place| place.relay.cut(false));
    while let Some(started) = starting.join_next().await {
        put(places, started.expect("it starts"));
    }
    (kills, cuts)
}

fn put(places: &mut BTreeMap<String, Place>, (name, process): (String, Process)) {
    places.get_mut(&name).expect("each has a place").process = Some(process);
}

// ------------------------------------------------------------- the end

/// Waits until every link is settled with the same root at both ends.
async fn settle(places: &BTreeMap<String, Place>) -> Option<Duration> {
    let began = Instant::now();
    let mut tick = tokio::time::interval(LOOK_EVERY);
    while began.elapsed() < SETTLE_TIME_LIMIT {
        tick.tick().await;
        if is_settled(places).await {
            return Some(began.elapsed());
        }
    }
    None
}

async fn is_settled(places: &BTreeMap<String, Place>) -> bool {
    let mut roots: BTreeMap<(String, String), String> = BTreeMap::new();
    for (name, place) in places {
        let status = Asker::of(&place.data).ask("status", Value::Null).await;
        let Ok(status) = status else { return false };
        let links = status["links"].as_array().cloned().unwrap_or_default();
        if links.is_empty() {
            return false;
        }
        for link in links {
            if link["settled"] != true {
                return false;
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            roots.insert((name.clone(), text(&link["office"])), text(&link["root"]));
        }
    }
    roots.iter().all(|((here, there), root)| {
        let back = roots.get(&(there.clone(), here.clone()));
        back.is_some_and(|back| back == root)
    })
}

async fn unsettled(places: &BTreeMap<String, Place>) -> Vec<String> {
    let mut open = Vec::new();
    for (name, place) in places {
        match Asker::of(&place.data).ask("status", Value::Null).await {
            Ok(status) => {
                let links = status["links"].as_array().cloned().unwrap_or_default();
                let links = links.into_iter().filter(|link| link["settled"] != true);
                open.extend(links.map(|link| format!("{name}: {link}")));
            }
            Err(failure) => open.push(format!("{name}: {failure}")),
        }
    }
    open
}

/// What was acknowledged and is not whole at its own office and at the hub.
async fn missing(
    places: &BTreeMap<String, Place>,
    told: &BTreeMap<String, (String, usize)>,
) -> Vec<String> {
    let mut missing = Vec::new();
    for (dossier, (name, acts)) in told {
        for at in [name.as_str(), "HUB"] {
            let asked = json!({ "dossier": dossier });
            let shown = Asker::of(&places[at].data).ask("show", asked).await;
            let held = shown.map_or(0, |shown| shown["acts"].as_array().map_or(0, Vec::len));
            if held < *acts {
                missing.push(format!("{dossier} at {at}: {held} of {acts} acts"));
            }
        }
    }
    missing
}

/// The numbers of SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % limit.max(1)
    }
}
