//! The pages in front of a node, and the first start in a browser.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_desk::{Setup, Start, Trust};
use lienthong_federation::Province;
use lienthong_folder::{Folder, Settings, replace_with};
use lienthong_protocol::Invitation;
use lienthong_request::{Caller, Failure, Request};
use lienthong_web::{
    BoxFuture, Fitting, Node as Asked, Route, Server, Site, Words, router, serve, spoken_code, when,
};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::asker::Asker;
use crate::mind::now;
use crate::node::Node;
use crate::setup::{init, join};

/// The pages of one data folder, served until they are closed.
pub struct Pages {
    site: Arc<Site>,
    address: SocketAddr,
    origin: String,
    fingerprint: Option<String>,
    secret: String,
    nodes: mpsc::Receiver<Node>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Pages {
    /// Serves the pages of a data folder where the setting `http` says; `None` if it says nowhere.
    /// A folder that has not joined is served at 127.0.0.1:8080 all the same, to be set up. Must be
    /// called within a tokio runtime.
    pub async fn open(data: &Path, settings: &Settings) -> Result<Option<Pages>, Failure> {
        let is_joined = Folder::has_joined(data);
        let address = settings.http.or((!is_joined).then_some(FIRST_ADDRESS));
        let Some(address) = address else { return Ok(None) };
        let server = Server::bind(address, &settings.http_names, (data, now())).await?;
        let (address, origin) = (server.address(), server.origin());
        let fingerprint = server.fingerprint().map(str::to_owned);
        let (to_pages, nodes) = mpsc::channel(1);
        let beginning = Beginning { data: data.to_owned(), settings: settings.clone(), to_pages };
        let start = (!is_joined).then(|| Arc::new(beginning) as Arc<dyn Start>);
        let secret = spoken_code()?;
        let words = Words::parse(&LISTS).expect("a test reads the words");
        let site = Site::new(Fitting::new(data, words, server.hosts(), now))?;
        let setup = Setup::new(start, secret.clone());
        let router = router(&site, routes(&setup));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(server, router, stop.clone()));
        Ok(Some(Pages { site, address, origin, fingerprint, secret, nodes, stop, serving }))
    }

    /// Where the pages are.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a browser opens, as `https://mot-cua.lan:8443`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The SHA-256 of the certificate that the node made, to be compared in a browser once.
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// The address of the set-up with its code behind the `#`, which a browser sends to nobody;
    /// `None` once there is an administrator. Whoever reads it may take the node over, so it goes
    /// to the terminal that started the program and nowhere else.
    pub fn opening(&self) -> Option<String> {
        let is_open = !self.site.accounts().has_administrator();
        is_open.then(|| format!("{}/setup#{}", self.origin, self.secret))
    }

    /// Waits until somebody joined or founded a federation in the browser; `None` if nobody can.
    pub async fn first_node(&mut self) -> Option<Node> {
        self.nodes.recv().await
    }

    /// Puts a node behind the pages; passed over if one is there.
    pub fn show(&self, node: &Node) {
        self.site.found(Arc::new(node.asker()));
    }

    /// Answers what is under way and ends.
    pub async fn close(self) {
        self.stop.cancel();
        // A panic took the pages, not the node.
        drop(self.serving.await);
    }
}

impl Asked for Asker {
    fn ask(&self, caller: Caller, request: Request) -> BoxFuture<Result<Value, Failure>> {
        let asker = self.clone();
        Box::pin(async move { Asker::ask(&asker, caller, request).await })
    }
}

/// What the first start needs to make a node of an empty folder.
#[derive(Clone)]
struct Beginning {
    data: PathBuf,
    settings: Settings,
    to_pages: mpsc::Sender<Node>,
}

impl Start for Beginning {
    fn read_code(&self, code: &str) -> Result<Trust, Failure> {
        let invitation = Invitation::from_code(code).map_err(|error| {
            let (why, remedy) = (error.to_string(), error.remedy());
            Failure::refused(error.code(), "chưa tham gia / not joined", why, remedy)
        })?;
        Ok(Trust {
            federation: invitation.federation.to_string(),
            hub: invitation.hub.to_string(),
            addresses: invitation.addresses,
            office: invitation.office.to_string(),
            expires: when(invitation.expires),
        })
    }

    fn join(&self, code: String) -> BoxFuture<Result<Arc<dyn Asked>, Failure>> {
        let beginning = self.clone();
        Box::pin(async move {
            let advertise = beginning.advertise();
            let waiting = || tracing::info!("waiting-for-approval");
            let folder = join(&beginning.data, &code, &advertise, waiting).await?;
            beginning.start(folder).await
        })
    }

    fn found(&self, province: String) -> BoxFuture<Result<Arc<dyn Asked>, Failure>> {
        let beginning = self.clone();
        Box::pin(async move {
            let province = Province::parse(&province).map_err(|error| {
                let (why, remedy) = (error.to_string(), error.remedy());
                Failure::refused(error.code(), "chưa lập / not founded", why, remedy)
            })?;
            let (data, advertise) = (beginning.data.clone(), beginning.advertise());
            let found = move || init(&data, province.root, &province, &advertise);
            let folder = tokio::task::spawn_blocking(found).await.map_err(|_| broken_off())??;
            beginning.start(folder).await
        })
    }
}

impl Beginning {
    fn advertise(&self) -> Vec<String> {
        self.settings.advertise.iter().cloned().collect()
    }

    /// Starts the node and hands it over; from now on the pages are served at every start.
    async fn start(&self, folder: Folder) -> Result<Arc<dyn Asked>, Failure> {
        if self.settings.http.is_none() {
            keep_pages(folder.path())?;
        }
        let node = Box::pin(Node::start(folder, &self.settings)).await?;
        let asker = Arc::new(node.asker());
        self.to_pages.send(node).await.map_err(|_| broken_off())?;
        Ok(asker)
    }
}

/// Writes the setting down: who set a node up in the browser finds its pages after a restart.
fn keep_pages(folder: &Path) -> Result<(), Failure> {
    let parts = folder.join("config.d");
    let file = parts.join("http.toml");
    let text = format!("# Written by the first start in a browser.\nhttp = \"{FIRST_ADDRESS}\"\n");
    let written = std::fs::create_dir_all(&parts)
        .and_then(|()| replace_with(&file, |_| Ok(text.into_bytes())));
    written.map_err(|error| Failure::disk("setting not saved", &file, &error))
}

/// Every page and call of a node.
fn routes(setup: &Arc<Setup>) -> Vec<Route> {
    let mut routes = lienthong_desk::routes(setup);
    routes.extend(lienthong_board::routes());
    routes
}

fn broken_off() -> Failure {
    let why = "the program is about to stop";
    Failure::failed("broken-off", "chưa xong / not done", why, "khởi động lại / start it again")
}

/// The words of all pages.
const LISTS: [&str; 3] = [Words::FRAME, lienthong_desk::WORDS, lienthong_board::WORDS];
/// Where a folder that has not joined is served without a setting.
const FIRST_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

#[cfg(test)]
#[path = "web_tests.rs"]
mod tests;
