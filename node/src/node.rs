//! A running node: folder, store, mind, network, socket.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use lienthong_folder::Invitations;
use lienthong_folder::Settings;
use lienthong_folder::{Folder, Membership};
use lienthong_protocol::{Change, Incarnation, Moment};
use lienthong_replica::{
    Backoff, Event, Identity, LinkId, Notice, Replica, Settings as Conduct, Stored, inspect,
};
use lienthong_request::{ApiRequest, ApiSocket, Caller, Exit, Failure, Request};
use lienthong_store::{
    Disk, EngineChoice, IndexSettings, LogSettings, RealDisk, SledSettings, Store, StoreSettings,
};
use lienthong_transport::{Arrived, Endpoint, LinkEvent, LinkSettings};
use serde_json::Value;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use crate::asker::{Asker, Watcher, stopped};
use crate::codes::Codes;
use crate::health::Watch;
use crate::hub::{Hub, random_bytes, revoked};
use crate::list::{Door, Queue};
use crate::mind::{Admitted, Clock, Message, Mind, now, store_failed};
use crate::shelf::{StoreShelf, check_segments, failed, place};
use crate::viewer::{self, Post};

/// How many messages may wait for the mind before links stop being read.
const MESSAGES: usize = 1024;
/// How many records are replayed together.
const REPLAY_RECORDS: usize = 512;

/// A node of this process. Dropping it without [`Node::stop`] loses nothing that was answered.
pub struct Node {
    messages: mpsc::Sender<Message>,
    notices: broadcast::Sender<Notice>,
    admitted: Arc<Admitted>,
    mind: thread::JoinHandle<Result<(), Failure>>,
    viewer: thread::JoinHandle<()>,
    door: Arc<Door>,
    watcher: Watcher,
    links: mpsc::Sender<LinkEvent>,
    endpoint: Option<Arc<Endpoint>>,
    listen: SocketAddr,
    key: lienthong_protocol::NodeKey,
    conduct: LinkSettings,
    stop: CancellationToken,
    membership: Membership,
    // Held for its lock.
    _folder: Folder,
}

/// What a node finds around it.
pub struct Surroundings {
    /// Where its log lies.
    pub disk: Arc<dyn Disk>,
    /// What time it is at the counter: on which day a dossier is received.
    pub clock: Clock,
}

impl Node {
    /// Starts the node of a folder that has joined, with the disk of the real system.
    pub async fn start(folder: Folder, settings: &Settings) -> Result<Node, Failure> {
        let disk = RealDisk::open(folder.log())
            .map_err(|error| Failure::disk("the log", &folder.log(), &error))?;
        Node::start_on(folder, settings, Arc::new(disk)).await
    }

    /// Starts the node with its log on a disk of the caller's.
    pub async fn start_on(
        folder: Folder,
        settings: &Settings,
        disk: Arc<dyn Disk>,
    ) -> Result<Node, Failure> {
        Node::start_in(folder, settings, Surroundings { disk, clock: Arc::new(now) }).await
    }

    /// Starts the node in surroundings of the caller's.
    pub async fn start_in(
        folder: Folder,
        settings: &Settings,
        Surroundings { disk, clock }: Surroundings,
    ) -> Result<Node, Failure> {
        let membership = folder.joined()?;
        let admitted = Arc::new(Admitted::default());
        let (links, from_links) = mpsc::channel::<LinkEvent>(MESSAGES);
        let (messages, inbox) = mpsc::channel::<Message>(MESSAGES);
        let (notices, _) = broadcast::channel(MESSAGES);
        let key = lienthong_protocol::NodeKey::from_seed(*folder.key().seed());
        let conduct = conduct_of(settings);
        let gate = Arc::clone(&admitted);
        let endpoint = bind(settings.listen, &key, gate, &conduct, &links)?;
        let listen = endpoint.local_address();
        let advertise = settings.advertise.clone().unwrap_or_else(|| listen.to_string());
        let store = open_store(&folder, settings, disk)?;
        let replica = open_replica(&folder, &membership, settings, (store, &advertise, clock()))?;
        let hub = hub_of(&folder, &replica, settings, &advertise)?;
        let codes = Codes::open(folder.path(), &replica, clock())?;
        let door = Door::new(&folder);
        let (to_viewer, batches) = std::sync::mpsc::channel();
        let queue = Queue::new(Arc::clone(&door), to_viewer, revoked(&replica));
        let (log, end) = {
            let store = &replica.shelf().store;
            (store.reader(), store.log().end())
        };
        let gate = Arc::clone(&admitted);
        let watcher = Watcher::of(folder.path(), Arc::clone(&clock));
        let watch = Watch::open(folder.path(), replica.identity(), messages.downgrade());
        let besides = (queue, watch);
        let mut mind = Mind::new(replica, hub, gate, notices.clone(), (codes, clock), besides);
        let own = mind.replica.identity().key.id();
        mind.follow_addresses(own, &[advertise])?;
        mind.share_out_serials()?;
        let runtime = tokio::runtime::Handle::current();
        let sealed = log.clone();
        let run = move || mind.run(&runtime, inbox);
        let mind = thread::Builder::new().name("mind".into()).spawn(run);
        let mind = mind.map_err(|error| Failure::disk("a thread", folder.path(), &error))?;
        let to_mind = messages.clone();
        let viewer = viewer::start(Post { door: Arc::clone(&door), log, end, to_mind, batches })?;
        let endpoint = Arc::new(endpoint);
        let network = Message::Network(Some(Arc::clone(&endpoint)));
        messages.send(network).await.map_err(|_| stopped())?;
        tokio::spawn(pass_on(from_links, messages.clone()));
        let stop = CancellationToken::new();
        let checks = check_segments(sealed, settings.check_every, messages.downgrade());
        tokio::spawn(stop.clone().run_until_cancelled_owned(checks));
        let node = Node {
            messages,
            notices,
            admitted,
            mind,
            viewer,
            door,
            watcher,
            links,
            endpoint: Some(endpoint),
            listen,
            key,
            conduct,
            stop,
            membership,
            _folder: folder,
        };
        node.open_socket().await?;
        Ok(node)
    }

    async fn open_socket(&self) -> Result<(), Failure> {
        let socket = ApiSocket::bind(&self._folder.socket()).await?;
        let asker = self.asker();
        let handler = move |caller: Caller, request: ApiRequest| {
            let asker = asker.clone();
            async move { asker.ask(caller, understood(request)?).await }
        };
        tokio::spawn(socket.serve(handler, self.stop.clone()));
        Ok(())
    }

    /// Asks the node for something.
    pub async fn ask(&self, request: Request) -> Result<Value, Failure> {
        self.asker().ask(Caller::Program, request).await
    }

    /// The node as its pages ask it.
    pub(crate) fn asker(&self) -> Asker {
        Asker::new(self.messages.clone(), Arc::clone(&self.door), self.watcher.clone())
    }

    /// What happens in the node from now on. A slow listener misses some.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Where the node listens.
    pub fn address(&self) -> SocketAddr {
        self.listen
    }

    /// Whom the node belongs to.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Takes the node off the network; it works on alone.
    pub async fn unplug(&mut self) {
        drop(self.messages.send(Message::Network(None)).await);
        if let Some(endpoint) = self.endpoint.take() {
            endpoint.close().await;
        }
    }

    /// Brings the node back to the address it had.
    pub async fn plug(&mut self) -> Result<(), Failure> {
        let gate = Arc::clone(&self.admitted);
        let endpoint = Arc::new(bind(self.listen, &self.key, gate, &self.conduct, &self.links)?);
        self.endpoint = Some(Arc::clone(&endpoint));
        let message = Message::Network(Some(endpoint));
        self.messages.send(message).await.map_err(|_| stopped())
    }

    /// Whether the node has stopped by itself, because its store failed.
    pub fn has_failed(&self) -> bool {
        self.mind.is_finished()
    }

    /// Says goodbye to the peers, makes a last checkpoint and ends.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.stop.cancel();
        drop(self.messages.send(Message::Stop).await);
        let (mind, viewer, door) = (self.mind, self.viewer, self.door);
        let end = move || {
            let ended = mind.join();
            // The view is whole up to its watermark, however its thread ended.
            drop(viewer.join());
            door.renew();
            ended
        };
        let ended = tokio::task::spawn_blocking(end).await;
        if let Some(endpoint) = self.endpoint.take() {
            endpoint.close().await;
        }
        match ended {
            Ok(Ok(result)) => result,
            _ => Err(stopped()),
        }
    }
}

fn understood(request: ApiRequest) -> Result<Request, Failure> {
    let ApiRequest { command, arguments } = request;
    let value = match arguments {
        Value::Null => serde_json::json!({ "command": command }),
        arguments => serde_json::json!({ "command": command, "arguments": arguments }),
    };
    serde_json::from_value(value).map_err(|error| {
        let remedy = "use the command line of the same version as the node";
        Failure::usage("unknown-request", "the node was not asked", error.to_string(), remedy)
    })
}

fn conduct_of(settings: &Settings) -> LinkSettings {
    LinkSettings {
        idle_timeout: settings.idle_timeout,
        keep_alive: settings.keep_alive,
        ..LinkSettings::default()
    }
}

fn bind(
    listen: SocketAddr,
    key: &lienthong_protocol::NodeKey,
    gate: Arc<Admitted>,
    conduct: &LinkSettings,
    links: &mpsc::Sender<LinkEvent>,
) -> Result<Endpoint, Failure> {
    let bound = Endpoint::bind(listen, key, gate, conduct.clone(), links.clone());
    bound.map_err(|error| {
        Failure::failed(error.code(), "the node does not listen", error.to_string(), error.remedy())
    })
}

/// Passes on what happens on the links, until the mind has ended.
async fn pass_on(mut from_links: mpsc::Receiver<LinkEvent>, to_mind: mpsc::Sender<Message>) {
    while let Some(event) = from_links.recv().await {
        let Some(message) = translate(event).await else { continue };
        if to_mind.send(message).await.is_err() {
            break;
        }
    }
}

/// Turns what the transport says into what the mind takes; looks into payloads on the way, off
/// the mind's thread.
async fn translate(event: LinkEvent) -> Option<Message> {
    Some(match event {
        LinkEvent::Reached { link, node, dialed, sender, .. } => {
            Message::Reached { link: LinkId(link.0), node, dialed, sender }
        }
        LinkEvent::Up { .. } => return None,
        LinkEvent::Frame { link, frame: Arrived::Frame(frame) } => {
            Message::Link(Event::Frame { link: LinkId(link.0), frame })
        }
        LinkEvent::Frame { link, frame: Arrived::Changes { number, changes, refused } } => {
            let sent = changes.len() + refused.len();
            let looked = tokio::task::spawn_blocking(move || look_into(changes)).await;
            let changes = looked.unwrap_or_default();
            let refused = u32::try_from(sent - changes.len()).unwrap_or(u32::MAX);
            Message::Link(Event::Changes { link: LinkId(link.0), number, changes, refused })
        }
        LinkEvent::Down { link, node, close } => {
            tracing::info!(link = link.0, words = close.words, "link-down");
            Message::Down { link: LinkId(link.0), node, close }
        }
        LinkEvent::DialFailed { node, cause } => {
            tracing::debug!(node = node.short(), %cause, "dial-failed");
            Message::DialFailed { node, cause }
        }
        LinkEvent::Knock { node, knock, answer, .. } => Message::Knock { node, knock, answer },
    })
}

pub(crate) fn look_into(changes: Vec<Change>) -> Vec<lienthong_replica::Inspected> {
    changes.into_iter().filter_map(|change| inspect(change).ok()).collect()
}

fn hub_of(
    folder: &Folder,
    replica: &Replica<StoreShelf>,
    settings: &Settings,
    advertise: &str,
) -> Result<Option<Hub>, Failure> {
    if replica.registry().root() != Some(replica.identity().office) {
        return Ok(None);
    }
    let invitations = Invitations::open(folder.path())?;
    let addresses = vec![advertise.to_owned()];
    let unsaved = BTreeMap::new();
    Ok(Some(Hub { invitations, approval: settings.approval, addresses, unsaved }))
}

fn open_store(
    folder: &Folder,
    settings: &Settings,
    disk: Arc<dyn Disk>,
) -> Result<(Store, lienthong_store::Checkpoint), Failure> {
    let engine = EngineChoice::Sled(SledSettings {
        directory: folder.index(),
        cache_bytes: settings.index_cache_bytes,
    });
    let log = LogSettings {
        segment_bytes: u32::try_from(settings.segment_bytes).unwrap_or(u32::MAX),
        reserve_bytes: settings.reserve_bytes,
    };
    // The first start of a node builds its index from the few changes that it joined with.
    let is_first = !folder.index().exists();
    let opened = Store::open(disk, &engine, StoreSettings { log, index: IndexSettings::default() });
    let opened = opened.map_err(|error| {
        let (code, remedy) = (error.code(), error.remedy());
        Failure::new(Exit::Store, code, "the store does not open", error.to_string(), remedy)
    })?;
    match &opened.rebuild {
        Some(_) if is_first => tracing::info!("index-created"),
        Some(reason) => tracing::warn!(%reason, "index-rebuilt"),
        None => {}
    }
    for damage in &opened.damages {
        tracing::error!(%damage, "log-damaged");
    }
    if opened.torn_bytes > 0 {
        tracing::warn!(bytes = opened.torn_bytes, "torn-tail-cut");
    }
    Ok((opened.store, opened.replay_from))
}

fn open_replica(
    folder: &Folder,
    membership: &Membership,
    settings: &Settings,
    ((store, from), advertise, at): ((Store, lienthong_store::Checkpoint), &str, Moment),
) -> Result<Replica<StoreShelf>, Failure> {
    let me = Identity {
        federation: membership.federation,
        office: membership.office,
        key: lienthong_protocol::NodeKey::from_seed(*folder.key().seed()),
        incarnation: Incarnation(u64::from_le_bytes(random_bytes()?)),
        agent: concat!("lienthong ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let conduct = Conduct {
        backoff: Backoff { min: settings.backoff_min, max: settings.backoff_max },
        addresses: vec![advertise.to_owned()],
        ..Conduct::default()
    };
    let seed = u64::from_le_bytes(random_bytes()?);
    let reader = store.reader();
    let shelf = StoreShelf::new(store);
    let mut replica = Replica::open(me, conduct, shelf, seed, at).map_err(store_failed)?;
    let mut stored = Vec::new();
    let mut failure = None;
    let scanned = reader.scan(from, &mut |record| {
        if let Ok(item) = inspect(record.change) {
            stored.push(Stored { item, place: place(record.location) });
        }
        if stored.len() < REPLAY_RECORDS {
            return std::ops::ControlFlow::Continue(());
        }
        let replayed = replica.replay(std::mem::take(&mut stored)).and_then(|()| {
            let index = replica.shelf_mut().store.index_mut();
            let due = index.checkpoint_due();
            if due { index.checkpoint(record.after).map_err(|e| failed(&e)) } else { Ok(()) }
        });
        failure = replayed.err();
        match failure {
            None => std::ops::ControlFlow::Continue(()),
            Some(_) => std::ops::ControlFlow::Break(()),
        }
    });
    scanned.map_err(|error| {
        let (code, remedy) = (error.code(), error.remedy());
        Failure::new(Exit::Store, code, "the log cannot be replayed", error.to_string(), remedy)
    })?;
    if let Some(error) = failure {
        return Err(store_failed(error));
    }
    replica.replay(stored).map_err(store_failed)?;
    replica.handle_event(at, Event::NetworkChanged).map_err(store_failed)?;
    Ok(replica)
}
