//! A whole province on loopback, in one process, with real QUIC between its nodes.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lienthong_dossier::Reception;
use lienthong_federation::{Office, Province};
use lienthong_folder::{Flags, Settings};
use lienthong_folder::{Folder, socket_of};
use lienthong_protocol::OfficeId;
use lienthong_request::{Failure, Request, SCHEMA, call};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::catalogue::{Catalogue, acts, choose};
use crate::limits::raise_file_limit;
use crate::node::Node;
use crate::setup;

/// The reference province, part of the program.
const PROVINCE: &str = include_str!("../../config/quang-nam/province.toml");
/// How long the whole province may take to settle after the last cut.
const SETTLE_TIME_LIMIT: Duration = Duration::from_secs(300);
/// How often the offices are asked how far they are.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Memory for the indexes of all nodes together, bytes; each gets its part, 1 to 16 MiB.
const CACHE_BYTES: usize = 256 << 20;

/// How a demonstration ended.
pub struct Played {
    /// The last table as JSON.
    pub answer: Value,
    /// The last table in words.
    pub words: String,
    /// A failure if not every root is equal at both ends.
    pub outcome: Result<(), Failure>,
}

/// Plays the demonstration and tells it on standard error. 2 to 100 offices besides the hub, 1 to
/// 100,000 dossiers.
pub async fn demo(offices: usize, dossiers: usize) -> Result<Played, Failure> {
    if !(2..=100).contains(&offices) || !(1..=100_000).contains(&dossiers) {
        let why = format!("{offices} offices and {dossiers} dossiers");
        let remedy = "2 to 100 offices, 1 to 100,000 dossiers";
        return Err(Failure::usage("demo-size", "no demonstration", why, remedy));
    }
    raise_file_limit(offices)?;
    let mut stage = Stage::new(offices)?;
    stage.found().await?;
    let chosen = choose(&stage.province, offices);
    let mut joined = Vec::new();
    for office in &chosen {
        joined.push(stage.join(*office).await?);
    }
    for (folder, place) in joined {
        stage.start(folder, place).await?;
    }
    stage.say(&format!("{offices} nút chạy / nodes run"));
    let first = dossiers.div_ceil(3);
    stage.work(&chosen, 0..first).await?;
    stage.say(&format!(
        "{first} hồ sơ đã tiếp nhận, mọi nơi đều nối / received, everything connected"
    ));
    let cut: Vec<OfficeId> = chosen.iter().copied().step_by(2).collect();
    stage.cut(&cut).await;
    stage.work(&chosen, first..dossiers).await?;
    stage.say(&format!(
        "thêm {} hồ sơ, cả ở nơi bị cắt mạng / more received, also by offices cut off",
        dossiers - first
    ));
    let returning = stage.reconnect(&cut).await?;
    stage.settle(returning).await?;
    let played = stage.judge().await?;
    stage.stop().await?;
    Ok(played)
}

/// The nodes, and what they play with.
struct Stage {
    folder: TempDir,
    province: Province,
    catalogue: Catalogue,
    nodes: BTreeMap<OfficeId, Node>,
    cache_bytes: usize,
    began: Instant,
}

/// A loopback address that nobody else is given until its node binds it.
struct Place {
    address: String,
    kept: UdpSocket,
}

impl Place {
    fn keep() -> Result<Place, Failure> {
        let bound = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let kept = bound.and_then(|kept| Ok((kept.local_addr()?.to_string(), kept)));
        let (address, kept) = kept.map_err(|error| {
            let remedy = "give this process more open files and ports";
            Failure::failed("no-address", "no demonstration", error.to_string(), remedy)
        })?;
        Ok(Place { address, kept })
    }
}

/// An office that comes back: how many of its changes are still to be sent, and were at first.
struct Returning {
    office: OfficeId,
    unsent: u64,
    left: u64,
    is_settled: bool,
}

impl Stage {
    fn new(offices: usize) -> Result<Stage, Failure> {
        let began = Instant::now();
        let folder = tempfile::Builder::new().prefix("lienthong-demo-").tempdir();
        let folder = folder
            .map_err(|error| Failure::disk("no temporary folder", &std::env::temp_dir(), &error))?;
        let province = Province::parse(PROVINCE).map_err(|error| {
            Failure::failed(error.code(), "no demonstration", error.to_string(), error.remedy())
        })?;
        let catalogue = Catalogue::reference()?;
        let cache_bytes = (CACHE_BYTES / (offices + 1)).clamp(1 << 20, 16 << 20);
        Ok(Stage { folder, province, catalogue, nodes: BTreeMap::new(), cache_bytes, began })
    }

    /// Tells what happened, after the time since the beginning.
    fn say(&self, words: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        // Standard error may be closed; the table still comes.
        drop(writeln!(std::io::stderr(), "{seconds:6.1} s  {words}"));
    }

    fn path(&self, office: OfficeId) -> PathBuf {
        self.folder.path().join(office.as_str())
    }

    fn office(&self, id: OfficeId) -> Option<&Office> {
        self.province.offices.iter().find(|office| office.id == id)
    }

    /// The name of an office without what kind of office it is.
    fn name(&self, id: OfficeId) -> &str {
        let name = self.office(id).map_or("", |office| &office.name);
        let kinds = ["Thành phố ", "Thị xã ", "Thị trấn ", "Huyện ", "Phường ", "Xã "];
        kinds.into_iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name)
    }

    /// Starts the node of a folder at a place that was kept free for it.
    async fn start(&mut self, folder: Folder, place: Place) -> Result<(), Failure> {
        let office = folder.joined()?.office;
        let flags = Flags { listen: Some(place.address), advertise: None };
        // A demonstration has no five minutes for the next try.
        let variables = [
            ("LIENTHONG_STORE_INDEX_CACHE_BYTES", self.cache_bytes.to_string()),
            ("LIENTHONG_LINK_BACKOFF_MAX_MS", "2000".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let settings = Settings::load(folder.path(), variables, &flags)?;
        drop(place.kept);
        self.nodes.insert(office, Node::start(folder, &settings).await?);
        Ok(())
    }

    async fn found(&mut self) -> Result<(), Failure> {
        let hub = self.province.root;
        let folder = setup::init(&self.path(hub), hub, &self.province, &[])?;
        self.start(folder, Place::keep()?).await?;
        let offices = self.province.offices.len();
        self.say(&format!("{hub}: lập liên thông, {offices} đơn vị / founds, {offices} offices"));
        Ok(())
    }

    /// Lets an office join. Its address goes along: what the registry knows from the start is no
    /// change to it, which every node would take in.
    async fn join(&self, office: OfficeId) -> Result<(Folder, Place), Failure> {
        let hub = self.province.root;
        let invite = Request::Invite { office, valid_hours: 1 };
        let code = call(&socket_of(&self.path(hub)), &(&invite).into()).await?;
        let code = code["code"].as_str().unwrap_or_default();
        let place = Place::keep()?;
        let addresses = std::slice::from_ref(&place.address);
        let folder = setup::join(&self.path(office), code, addresses, || {}).await?;
        self.say(&format!("{}: tham gia bằng mã / joins with a code", self.name(office)));
        Ok((folder, place))
    }

    /// Lets the hub and the offices receive these dossiers and work on them, all at once, each
    /// through the socket of its node.
    async fn work(
        &self,
        offices: &[OfficeId],
        numbers: std::ops::Range<usize>,
    ) -> Result<(), Failure> {
        let mut receiving = offices.to_vec();
        receiving.push(self.province.root);
        let mut counters = JoinSet::new();
        for (at, id) in receiving.iter().enumerate() {
            let Some(office) = self.office(*id) else { continue };
            let own = numbers.clone().filter(|number| number % receiving.len() == at);
            let receptions = own.map(|number| {
                let reception = self.catalogue.reception(&self.province, office, number);
                reception.map(|reception| (number, Box::new(reception)))
            });
            let receptions = receptions.collect::<Result<Vec<_>, Failure>>()?;
            counters.spawn(serve_counter(socket_of(&self.path(*id)), *id, receptions));
        }
        while let Some(worked) = counters.join_next().await {
            worked.map_err(|error| bug(&error.to_string()))??;
        }
        Ok(())
    }

    async fn cut(&mut self, offices: &[OfficeId]) {
        for office in offices {
            if let Some(node) = self.nodes.get_mut(office) {
                node.unplug().await;
            }
        }
        let names: Vec<&str> = offices.iter().map(|office| self.name(*office)).collect();
        self.say(&format!("cắt mạng / cut off: {}", names.join(", ")));
    }

    /// Brings offices back, and says what each of them has to send.
    async fn reconnect(&mut self, offices: &[OfficeId]) -> Result<Vec<Returning>, Failure> {
        let mut returning = Vec::new();
        for office in offices {
            let Some(node) = self.nodes.get_mut(office) else { continue };
            let status = node.ask(Request::Status).await?;
            let unsent = self.upward(*office, &status).map_or(0, |link| number(&link["unsent"]));
            returning.push(Returning { office: *office, unsent, left: unsent, is_settled: false });
        }
        for office in offices {
            if let Some(node) = self.nodes.get_mut(office) {
                node.plug().await?;
            }
        }
        self.say("nối lại mạng / the network is back");
        Ok(returning)
    }

    /// Waits until all is settled, telling how far each returning office is.
    async fn settle(&self, mut returning: Vec<Returning>) -> Result<(), Failure> {
        let began = Instant::now();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        let mut told = usize::MAX;
        while began.elapsed() < SETTLE_TIME_LIMIT {
            tick.tick().await;
            let links = self.links().await?;
            for office in &mut returning {
                let own = links.iter().find(|link| link.office == office.office);
                if let Some(words) = own.and_then(|link| office.follow(link)) {
                    self.say(&format!("{}: {words}", self.name(office.office)));
                }
            }
            let open = links.iter().filter(|link| !link.is_equal()).count();
            if open != told {
                let (all, done) = (links.len(), links.len() - open);
                self.say(&format!("{done} / {all} liên kết đã khớp / links settled"));
                told = open;
            }
            if open == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The links of the tree as both ends see them now.
    async fn links(&self) -> Result<Vec<TreeLink>, Failure> {
        let mut statuses = BTreeMap::new();
        for (office, node) in &self.nodes {
            statuses.insert(*office, node.ask(Request::Status).await?);
        }
        Ok(tree_links(&self.province, &statuses))
    }

    /// The link of an office with the nearest office above it.
    fn upward<'a>(&self, office: OfficeId, status: &'a Value) -> Option<&'a Value> {
        above(&self.province, office).into_iter().find_map(|peer| link_with(status, peer))
    }

    async fn judge(&self) -> Result<Played, Failure> {
        let links = self.links().await?;
        let unequal = links.iter().filter(|link| !link.is_equal()).count();
        let mut rows = vec![self.root_row().await?];
        rows.extend(links.iter().map(|link| link.row(self.name(link.office))));
        let table = lienthong_console::table(&HEADINGS, &rows);
        let answer = json!({
            "schema": SCHEMA,
            "seconds": self.began.elapsed().as_secs_f64(),
            "settled": unequal == 0,
            "links": links.iter().map(TreeLink::to_json).collect::<Vec<_>>(),
        });
        if unequal == 0 {
            let end = "mọi gốc đều bằng nhau ở hai đầu / every root is equal at both ends";
            return Ok(Played { answer, words: format!("{table}\n\n{end}"), outcome: Ok(()) });
        }
        let limit = SETTLE_TIME_LIMIT.as_secs();
        let why = format!("{unequal} of {} links are not settled after {limit} s", links.len());
        let failure =
            Failure::failed("not-settled", "the demonstration failed", why, "report this");
        Ok(Played { answer, words: table, outcome: Err(failure) })
    }

    /// The root office has no office above it: its row tells what it holds.
    async fn root_row(&self) -> Result<Vec<String>, Failure> {
        let root = self.province.root;
        let changes = match self.nodes.get(&root) {
            Some(node) => number(&node.ask(Request::Status).await?["changes"]),
            None => 0,
        };
        let name = self.office(root).map_or("", |office| &office.kind);
        let mut row = vec![root.to_string(), name.to_owned(), changes.to_string()];
        row.resize(HEADINGS.len(), "-".to_owned());
        Ok(row)
    }

    async fn stop(self) -> Result<(), Failure> {
        let mut stopping = JoinSet::new();
        for node in self.nodes.into_values() {
            stopping.spawn(node.stop());
        }
        while let Some(stopped) = stopping.join_next().await {
            stopped.map_err(|error| bug(&error.to_string()))??;
        }
        Ok(())
    }
}

impl Returning {
    /// What there is to tell since it was last looked at.
    fn follow(&mut self, link: &TreeLink) -> Option<String> {
        let left = if link.is_settled { 0 } else { link.unsent.min(self.left) };
        let sent = self.unsent - left;
        let is_new = left != self.left;
        self.left = left;
        if link.is_settled && !self.is_settled {
            self.is_settled = true;
            let all = self.unsent;
            return Some(format!(
                "đã khớp, {all} / {all} thay đổi / settled, {all} of {all} changes"
            ));
        }
        let all = self.unsent;
        let words = format!("đã nối lại, {sent} / {all} thay đổi / back, {sent} of {all} changes");
        is_new.then_some(words)
    }
}

/// A link between an office and one above it, as both ends see it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TreeLink {
    office: OfficeId,
    peer: OfficeId,
    changes: u64,
    unsent: u64,
    is_settled: bool,
    root: String,
    peer_root: String,
}

impl TreeLink {
    /// Whether both ends say that they hold the same, and do.
    fn is_equal(&self) -> bool {
        self.is_settled && !self.root.is_empty() && self.root == self.peer_root
    }

    fn row(&self, name: &str) -> Vec<String> {
        let yes = |is: bool| if is { "có / yes" } else { "KHÔNG / NO" }.to_owned();
        let short = |root: &str| root.chars().take(12).collect();
        vec![
            self.office.to_string(),
            name.to_owned(),
            self.changes.to_string(),
            self.unsent.to_string(),
            self.peer.to_string(),
            yes(self.is_settled),
            short(&self.root),
            short(&self.peer_root),
            yes(self.root == self.peer_root),
        ]
    }

    fn to_json(&self) -> Value {
        json!({
            "office": self.office,
            "peer": self.peer,
            "changes": self.changes,
            "unsent": self.unsent,
            "settled": self.is_settled,
            "root": self.root,
            "peer_root": self.peer_root,
        })
    }
}

const HEADINGS: [(&str, &str); 9] = [
    ("đơn vị", "office"),
    ("tên", "name"),
    ("thay đổi", "changes"),
    ("chưa gửi", "unsent"),
    ("liên kết với", "link with"),
    ("đã khớp", "settled"),
    ("gốc ở đây", "root here"),
    ("gốc bên kia", "root there"),
    ("bằng nhau", "equal"),
];

/// All links that go upward in the tree, by office.
fn tree_links(province: &Province, statuses: &BTreeMap<OfficeId, Value>) -> Vec<TreeLink> {
    let mut links = Vec::new();
    for (office, status) in statuses {
        for peer in above(province, *office) {
            let Some(here) = link_with(status, peer) else { continue };
            let there = statuses.get(&peer).and_then(|status| link_with(status, *office));
            let root = |link: &Value| link["root"].as_str().unwrap_or_default().to_owned();
            links.push(TreeLink {
                office: *office,
                peer,
                changes: number(&status["changes"]),
                unsent: number(&here["unsent"]),
                is_settled: here["settled"] == true
                    && there.is_some_and(|there| there["settled"] == true),
                root: root(here),
                peer_root: there.map(root).unwrap_or_default(),
            });
        }
    }
    links
}

/// One office's counter: receives these dossiers, by number, and acts on each.
async fn serve_counter(
    socket: PathBuf,
    office: OfficeId,
    receptions: Vec<(usize, Box<Reception>)>,
) -> Result<(), Failure> {
    for (number, reception) in receptions {
        let decides = reception.offices.deciding() == office;
        let receive = Request::Receive { reception, officer: "cán bộ tiếp nhận".to_owned() };
        let received = call(&socket, &(&receive).into()).await?;
        // An office that is not competent takes in and decides nothing.
        if !decides {
            continue;
        }
        let dossier = received["id"].as_str().unwrap_or_default();
        for request in acts(dossier, office, number)? {
            call(&socket, &(&request).into()).await?;
        }
    }
    Ok(())
}

/// The offices above one, the nearest first.
fn above(province: &Province, office: OfficeId) -> Vec<OfficeId> {
    let parent = |id: OfficeId| {
        province.offices.iter().find(|office| office.id == id).and_then(|office| office.parent)
    };
    std::iter::successors(parent(office), |above| parent(*above)).collect()
}

fn link_with(status: &Value, peer: OfficeId) -> Option<&Value> {
    status["links"].as_array()?.iter().find(|link| link["office"] == peer.as_str())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn bug(why: &str) -> Failure {
    Failure::failed("demo-bug", "no demonstration", why, "report this")
}

#[cfg(test)]
#[path = "demo_tests.rs"]
mod tests;
