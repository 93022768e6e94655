//! A small world of real nodes on loopback, for tests that read as stories.

mod impostor;
mod journal;
mod process;
mod quota;
mod relay;
mod stranger;
mod stress;
mod witness;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lienthong::{Clock, Node, Surroundings};
use lienthong_federation::{Office, Province};
use lienthong_folder::{Flags, Folder, Settings};
use lienthong_protocol::{NodeId, NodeKey, OfficeId};
use lienthong_request::{Failure, Request};
use lienthong_store::{Disk, RealDisk};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use impostor::Impostor;
pub use journal::Journal;
pub use process::{Asker, Process};
pub use quota::Quota;
pub use relay::Relay;
pub use stranger::{BATCH_LANE, CONTROL_LANE, Stranger};
pub use stress::{Outcome, Stress, stress};
pub use witness::Witness;

/// How long anything may take before a test says that it does not happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nodes of one federation, each in a folder of its own. A node has the name of its office; the
/// second one of an office has `#2` after it.
pub struct World {
    folder: TempDir,
    nodes: BTreeMap<&'static str, Node>,
    approval: &'static str,
}

/// An office id from a literal.
pub fn office(name: &str) -> OfficeId {
    name.parse().expect("the tests name offices well")
}

/// The office of a node, by the node's name.
fn office_of(node: &str) -> &str {
    node.split('#').next().unwrap_or(node)
}

/// A hub, two districts, and a commune below the first.
pub fn province() -> Province {
    let child = |name: &str, above: &str, unit: &str| Office {
        unit_code: unit.to_owned(),
        ..Office::new(office(name), name, "", Some(office(above)))
    };
    let hub =
        Office { unit_code: "000.00.00.H47".into(), ..Office::new(office("HUB"), "HUB", "", None) };
    let offices = vec![
        hub,
        child("EAST", "HUB", "000.00.01.H47"),
        child("WEST", "HUB", "000.00.02.H47"),
        child("HILL", "EAST", "000.00.03.H47"),
    ];
    Province { name: "test".into(), root: office("HUB"), offices }
}

impl World {
    /// The hub alone. It lets in whoever has a good code.
    pub async fn new() -> World {
        let mut world = World::founded();
        world.start("HUB").await;
        world
    }

    /// The hub alone, whose operator approves every new node by hand.
    pub async fn approving_by_hand() -> World {
        let mut world = World { approval: "manual", ..World::founded() };
        world.start("HUB").await;
        world
    }

    /// The folder of the hub, whose node does not run yet.
    pub fn founded() -> World {
        World::founded_as(&province())
    }

    /// The same for a province of the caller's with that hub.
    pub fn founded_as(province: &Province) -> World {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("HUB");
        drop(lienthong::init(&path, office("HUB"), province, &[]).expect("founds"));
        World { folder, nodes: BTreeMap::new(), approval: "automatic" }
    }

    /// The settings of every node: loopback, a port of the system's choice.
    pub fn settings(&self) -> Settings {
        let flags = Flags { listen: Some("127.0.0.1:0".into()), advertise: None, http: None };
        let variables =
            [("LIENTHONG_LINK_BACKOFF_MAX_MS", "1000"), ("LIENTHONG_JOIN_APPROVAL", self.approval)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Settings::load(self.folder.path(), variables, &flags).expect("sound settings")
    }

    /// Where an office's node keeps its data.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where it keeps its log.
    pub fn log(&self, name: &str) -> PathBuf {
        self.path(name).join("log")
    }

    /// Starts the node of an office that has joined.
    pub async fn start(&mut self, name: &'static str) {
        self.start_with(name, &self.settings()).await;
    }

    /// The same with settings of the caller's.
    pub async fn start_with(&mut self, name: &'static str, settings: &Settings) {
        let folder = Folder::open(&self.path(name)).expect("nobody else holds the folder");
        let node = Node::start(folder, settings).await.expect("starts");
        self.nodes.insert(name, node);
    }

    /// The same with its log on a disk of the caller's.
    pub async fn start_on(&mut self, name: &'static str, disk: Arc<dyn Disk>) {
        let folder = Folder::open(&self.path(name)).expect("nobody else holds the folder");
        let node = Node::start_on(folder, &self.settings(), disk).await.expect("starts");
        self.nodes.insert(name, node);
    }

    /// The same with a clock of the caller's at its counter.
    pub async fn start_at(&mut self, name: &'static str, clock: Clock) {
        let folder = Folder::open(&self.path(name)).expect("nobody else holds the folder");
        let disk = Arc::new(RealDisk::open(self.log(name)).expect("a folder of this test"));
        let surroundings = Surroundings { disk, clock };
        let node = Node::start_in(folder, &self.settings(), surroundings).await.expect("starts");
        self.nodes.insert(name, node);
    }

    /// Copies the folder of a node that does not run, as a backup does.
    pub fn back_up(&self, name: &str) -> TempDir {
        let backup = TempDir::new().expect("a temporary folder");
        copy(&self.path(name), &backup.path().join(name));
        backup
    }

    /// Puts a backup in the place of the folder of a node that does not run.
    pub fn restore(&self, name: &str, backup: &TempDir) {
        std::fs::remove_dir_all(self.path(name)).expect("our own folder");
        copy(&backup.path().join(name), &self.path(name));
    }

    /// Stops the node of an office.
    pub async fn stop(&mut self, name: &str) {
        self.nodes.remove(name).expect("a running node").stop().await.expect("stops");
    }

    /// A join code of the hub.
    pub async fn invite(&self, name: &str) -> String {
        self.invite_at("HUB", name).await
    }

    /// A join code of a node of the root office.
    pub async fn invite_at(&self, hub: &str, name: &str) -> String {
        let request = Request::Invite { office: office(office_of(name)), valid_hours: 1 };
        let answer = self.ask(hub, request).await.expect("invites");
        answer["code"].as_str().expect("a code").to_owned()
    }

    /// Lets an office join with a fresh code and starts its node.
    pub async fn join(&mut self, name: &'static str) {
        self.join_only(name).await;
        self.start(name).await;
    }

    /// Lets an office join with a fresh code; its node does not run yet.
    pub async fn join_only(&self, name: &str) {
        let code = self.invite(name).await;
        drop(self.try_join(name, &code).await.expect("joins"));
    }

    /// Tries a code in the folder of an office.
    pub async fn try_join(&self, name: &str, code: &str) -> Result<Folder, Failure> {
        lienthong::join(&self.path(name), code, &[], || {}).await
    }

    /// Takes an office off the network.
    pub async fn cut(&mut self, name: &str) {
        self.nodes.get_mut(name).expect("a running node").unplug().await;
    }

    /// Brings it back.
    pub async fn reconnect(&mut self, name: &str) {
        self.nodes.get_mut(name).expect("a running node").plug().await.expect("plugs");
    }

    /// Stops a node and starts it again.
    pub async fn restart(&mut self, name: &'static str) {
        self.stop(name).await;
        self.start(name).await;
    }

    /// Asks a node.
    pub async fn ask(&self, name: &str, request: Request) -> Result<Value, Failure> {
        self.nodes[name].ask(request).await
    }

    /// A running node.
    pub fn node(&self, name: &str) -> &Node {
        &self.nodes[name]
    }

    /// The id of a running node.
    pub async fn id(&self, name: &str) -> NodeId {
        let status = self.ask(name, Request::Status).await.expect("answers");
        status["node"].as_str().and_then(|id| id.parse().ok()).expect("its id")
    }

    /// The key of a node that does not run.
    pub fn key(&self, name: &str) -> NodeKey {
        let folder = Folder::open(&self.path(name)).expect("nobody else holds the folder");
        NodeKey::from_seed(*folder.key().seed())
    }

    /// What a node says of its link with an office; `null` if it knows of none.
    pub async fn link(&self, name: &str, peer: &str) -> Value {
        let status = self.ask(name, Request::Status).await.expect("answers");
        let links = status["links"].as_array().cloned().unwrap_or_default();
        links.into_iter().find(|link| link["office"] == peer).unwrap_or_default()
    }

    /// Receives a dossier and gives its document id.
    pub async fn receive(&self, name: &str, applicant: &str) -> String {
        self.try_receive(name, applicant).await.expect("receives")
    }

    /// Receives a dossier, if the node can.
    pub async fn try_receive(&self, name: &str, applicant: &str) -> Result<String, Failure> {
        let reception = json!({
            "procedure": "1.001193.H47",
            "offices": { "receiving": office_of(name) },
            "applicant": { "kind": "citizen", "name": applicant },
        });
        let reception = serde_json::from_value(reception).expect("a reception");
        let officer = "clerk".to_owned();
        let answer =
            self.ask(name, Request::Receive { reception, officer, registered: false }).await?;
        Ok(answer["id"].as_str().expect("an id").to_owned())
    }

    /// Receives a dossier and gives its code, if the node can.
    pub async fn try_code(&self, name: &str) -> Result<String, Failure> {
        let dossier = self.try_receive(name, "Nguyễn Văn An").await?;
        let shown = self.show(name, &dossier).await?;
        Ok(shown["code"].as_str().expect("a code").to_owned())
    }

    /// Receives a dossier and gives its code.
    pub async fn code(&self, name: &str) -> String {
        self.try_code(name).await.expect("receives")
    }

    /// Acts on a dossier.
    pub async fn act(&self, name: &str, dossier: &str, act: Value) -> Result<Value, Failure> {
        let mut full = json!({ "id": "", "office": office_of(name), "officer": "clerk" });
        let given = act.as_object().expect("an act is an object").clone();
        full.as_object_mut().expect("an object").extend(given);
        let act = serde_json::from_value(full).expect("an act");
        self.ask(name, Request::Act { dossier: dossier.to_owned(), act }).await
    }

    /// What a node shows of a dossier, if it holds it.
    pub async fn show(&self, name: &str, dossier: &str) -> Result<Value, Failure> {
        self.ask(name, Request::Show { dossier: dossier.to_owned() }).await
    }

    /// Waits until a node shows a dossier.
    pub async fn reaches(&self, name: &str, dossier: &str) {
        let what = format!("dossier {dossier} at {name}");
        self.until(&what, async || self.show(name, dossier).await.is_ok()).await;
    }

    /// Waits until a node says that its last link with an office ended with this code.
    pub async fn until_closed(&self, name: &str, peer: &str, code: &str) {
        let what = format!("{code} as the end of the link of {name} with {peer}");
        let is_closed =
            async || self.link(name, peer).await["last_close"]["code"].as_str() == Some(code);
        self.until(&what, is_closed).await;
    }

    /// Waits until the two ends of a link are settled with the same root.
    pub async fn settle_between(&self, here: &str, there: &str) {
        let what = format!("{here} and {there} settled");
        let are_settled = async || {
            let ends = [self.link(here, there).await, self.link(there, here).await];
            ends.iter().all(|end| end["settled"] == true) && ends[0]["root"] == ends[1]["root"]
        };
        self.until(&what, are_settled).await;
    }

    /// Waits until every link of every node is settled, with equal roots at both ends.
    pub async fn settle(&self) {
        self.until("every link settled", async || self.is_settled().await).await;
    }

    /// Waits until something has become true, and says where every node stands if it never does.
    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let come_true = async {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            while !condition().await {
                tick.tick().await;
            }
        };
        if tokio::time::timeout(PATIENCE, come_true).await.is_ok() {
            return;
        }
        let mut words = String::new();
        for (name, node) in &self.nodes {
            let status = node.ask(Request::Status).await;
            words.push_str(&format!("{name}: {status:?}\n"));
        }
        panic!("waited in vain for {what}:\n{words}");
    }

    async fn is_settled(&self) -> bool {
        let mut roots: BTreeMap<(String, String), String> = BTreeMap::new();
        for node in self.nodes.values() {
            let Ok(status) = node.ask(Request::Status).await else { return false };
            let links = status["links"].as_array().cloned().unwrap_or_default();
            if links.is_empty() && self.nodes.len() > 1 {
                return false;
            }
            for link in links {
                if link["settled"] != true {
                    return false;
                }
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let ends = (text(&status["node"]), text(&link["node"]));
                roots.insert(ends, text(&link["root"]));
            }
        }
        roots.iter().all(|((here, there), root)| {
            let back = roots.get(&(there.clone(), here.clone()));
            back.is_none_or(|back| back == root)
        })
    }
}

/// Copies a folder of a node that does not run.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a new folder");
    std::fs::set_permissions(to, std::fs::metadata(from).expect("it is there").permissions())
        .expect("our own folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("nobody else changes it");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("it was just listed").is_dir() {
            true => copy(&entry.path(), &target),
            false if entry.file_name() == "api.sock" => {}
            false => drop(std::fs::copy(entry.path(), target).expect("there is space")),
        }
    }
}
