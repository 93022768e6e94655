//! The thread that owns the replica: takes messages, performs effects, makes changes durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use lienthong_document::{Actor, Document, EditError, Editor};
use lienthong_protocol::{
    Change, ChangeId, CloseCode, DocumentId, Frame, Kind, Moment, NodeId, OfficeId,
};
use lienthong_replica::{
    Effect, Event, Inspected, LinkId, Notice, Replica, Stored, Ticket, inspect,
};
use lienthong_request::{Failure, Request};
use lienthong_store::AppendError;
use lienthong_transport::{Answer, Closed, DialError, Endpoint, Gate, LinkSender, Traffic};
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::board::Sketch;
use crate::codes::Codes;
use crate::health::{Measured, Watch};
use crate::hub::{Hub, revoked};
use crate::library::Library;
use crate::list::{Outlook, Queue};
use crate::shelf::{StoreShelf, append_failed, change_failed, edit_failed, failed, place, unfit};
pub(crate) use crate::shelf::{disk_full, store_failed};
use crate::troubles::Troubles;
use crate::viewer::FromViewer;

/// How many messages are taken before what they brought is made durable together.
const GROUP_MESSAGES: usize = 64;
/// How long the index may lag behind the log while nothing happens.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(5);

/// What the mind is told.
pub(crate) enum Message {
    /// Something happened on a link.
    Link(Event),
    /// A link was reached; its sender goes with it.
    Reached { link: LinkId, node: NodeId, dialed: bool, sender: LinkSender },
    /// A link is over.
    Down { link: LinkId, node: NodeId, close: Closed },
    /// A node was dialled and not reached.
    DialFailed { node: NodeId, cause: DialError },
    /// A new node shows its join code.
    Knock { node: NodeId, knock: lienthong_protocol::Knock, answer: oneshot::Sender<Answer> },
    /// A person or program asks for something.
    Ask { request: Request, answer: oneshot::Sender<Result<Value, Failure>> },
    /// The viewer has something to say.
    Viewer(FromViewer),
    /// What a thread has found out about this node.
    Measured(Measured),
    /// Somebody is about to ask the view: what must it have, and what must it not show?
    Outlook(oneshot::Sender<Result<Outlook, Failure>>),
    /// Somebody asks for the board.
    Sketch(oneshot::Sender<Result<Sketch, Failure>>),
    /// Something is to be done with the mind that must not keep it long.
    Visit(Visit),
    /// The network is there, or gone.
    Network(Option<Arc<Endpoint>>),
    /// Checkpoint, say goodbye, end.
    Stop,
}

/// A short piece of work with the mind; it sends its result itself.
pub(crate) type Visit = Box<dyn FnOnce(&mut Mind) + Send>;

/// The nodes that may have a link, as the transport asks for them.
#[derive(Debug, Default)]
pub(crate) struct Admitted(RwLock<BTreeSet<NodeId>>);

impl Gate for Admitted {
    fn admits(&self, node: NodeId) -> Result<(), CloseCode> {
        let known = self.0.read().is_ok_and(|nodes| nodes.contains(&node));
        if known { Ok(()) } else { Err(CloseCode::UNKNOWN_NODE) }
    }
}

impl Admitted {
    fn set(&self, nodes: BTreeSet<NodeId>) {
        if let Ok(mut known) = self.0.write() {
            *known = nodes;
        }
    }
}

/// The replica with everything that its effects need.
pub(crate) struct Mind {
    pub(crate) replica: Replica<StoreShelf>,
    pub(crate) hub: Option<Hub>,
    pub(crate) admitted: Arc<Admitted>,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) codes: Codes,
    clock: Clock,
    /// What was published.
    pub(crate) library: Library,
    pub(crate) troubles: Troubles,
    pub(crate) viewer: Queue,
    pub(crate) watch: Watch,
    endpoint: Option<Arc<Endpoint>>,
    senders: BTreeMap<LinkId, LinkSender>,
    pending: Vec<(Ticket, Vec<Inspected>)>,
    is_dirty: bool,
    /// Whether the registry may hold more than what is kept of it a second time.
    pub(crate) spare_due: bool,
    /// Why the log takes no more changes; whoever asked was told, and the node ends.
    broken: Option<Failure>,
}

/// Tells what time it is at the counter; a test sets it.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// The wall clock: for people and for names of hours, never for order.
pub(crate) fn now() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Mind {
    pub(crate) fn new(
        replica: Replica<StoreShelf>,
        hub: Option<Hub>,
        admitted: Arc<Admitted>,
        notices: broadcast::Sender<Notice>,
        (codes, clock): (Codes, Clock),
        (viewer, watch): (Queue, Watch),
    ) -> Mind {
        let mut mind = Mind {
            replica,
            hub,
            admitted,
            notices,
            codes,
            clock,
            library: Library::default(),
            troubles: Troubles::default(),
            viewer,
            watch,
            endpoint: None,
            senders: BTreeMap::new(),
            pending: Vec::new(),
            is_dirty: false,
            spare_due: true,
            broken: None,
        };
        mind.open_gate();
        mind
    }

    /// The time: for people and for names of hours, never for order.
    pub(crate) fn now(&self) -> Moment {
        (self.clock)()
    }

    /// Runs until it is told to stop or cannot go on.
    pub(crate) fn run(
        mut self,
        runtime: &tokio::runtime::Handle,
        mut messages: mpsc::Receiver<Message>,
    ) -> Result<(), Failure> {
        // Dialling starts tasks, and this thread is none of the runtime's.
        let _context = runtime.enter();
        self.take_spare()?;
        loop {
            let wait = self.wait();
            let next = async { tokio::time::timeout(wait, messages.recv()).await };
            let stop = match runtime.block_on(next) {
                Ok(Some(message)) => self.take_group(message, &mut messages)?,
                Ok(None) => true,
                Err(_) if self.codes.has_unread() => {
                    self.read_grown()?;
                    false
                }
                Err(_) => {
                    self.idle()?;
                    false
                }
            };
            if let Some(failure) = self.broken.take() {
                return Err(failure);
            }
            self.replica.handle_timeout(self.now()).map_err(store_failed)?;
            self.work()?;
            self.tend_health()?;
            self.feed_viewer(false)?;
            if stop {
                return self.close();
            }
        }
    }

    /// Takes a message and those that wait behind it: they share one sync. `true` at the last.
    fn take_group(
        &mut self,
        first: Message,
        messages: &mut mpsc::Receiver<Message>,
    ) -> Result<bool, Failure> {
        let mut stop = self.take(first)?;
        for _ in 1..GROUP_MESSAGES {
            let Ok(message) = messages.try_recv() else { break };
            stop |= self.take(message)?;
        }
        Ok(stop)
    }

    fn wait(&self) -> Duration {
        if self.codes.has_unread() {
            return Duration::ZERO;
        }
        let due = self.replica.poll_timeout().map(|(at, _)| at.since(self.now()));
        due.unwrap_or(CHECKPOINT_AFTER).min(CHECKPOINT_AFTER).min(self.watch.wait())
    }

    /// Takes one message; `true` when it is the last.
    fn take(&mut self, message: Message) -> Result<bool, Failure> {
        match message {
            Message::Link(event) => self.event(event)?,
            Message::Reached { link, node, dialed, sender } => {
                self.senders.insert(link, sender);
                self.event(Event::Reached { link, node, dialed })?;
            }
            Message::Down { link, node, close } => {
                self.senders.remove(&link);
                self.troubles.closed(node, &close, self.now());
                self.event(Event::Down { link })?;
            }
            Message::DialFailed { node, cause } => {
                self.troubles.not_reached(node, &cause, self.now());
                self.event(Event::DialFailed { node })?;
            }
            Message::Knock { node, knock, answer } => {
                let reply = self.knock(node, &knock)?;
                // A new node that has hung up knocks again.
                drop(answer.send(reply));
            }
            Message::Ask { request, answer } => {
                self.work()?;
                let result = self.answer(request);
                drop(answer.send(result));
            }
            Message::Viewer(said) => self.hear_viewer(said)?,
            Message::Measured(measured) => self.measured(measured)?,
            Message::Outlook(answer) => {
                self.work()?;
                let outlook = self.outlook();
                // Whoever asked may have gone.
                drop(answer.send(outlook));
            }
            Message::Sketch(answer) => {
                let sketch = self.sketch();
                drop(answer.send(sketch));
            }
            Message::Visit(visit) => {
                self.work()?;
                visit(self);
            }
            Message::Network(endpoint) => {
                self.endpoint = endpoint;
                self.event(Event::NetworkChanged)?;
            }
            Message::Stop => return Ok(true),
        }
        Ok(false)
    }

    pub(crate) fn event(&mut self, event: Event) -> Result<(), Failure> {
        self.replica.handle_event(self.now(), event).map_err(store_failed)?;
        self.perform()
    }

    /// What the link with a node has carried, if there is one now.
    pub(crate) fn traffic(&self, node: NodeId) -> Option<Traffic> {
        self.senders.values().find(|sender| sender.node() == node).map(LinkSender::traffic)
    }

    /// Performs effects and makes changes durable until nothing is left to do.
    pub(crate) fn work(&mut self) -> Result<(), Failure> {
        self.perform()?;
        while !self.pending.is_empty() {
            self.commit()?;
            self.perform()?;
        }
        self.miss_damaged()
    }

    fn perform(&mut self) -> Result<(), Failure> {
        while let Some(effect) = self.replica.poll_effect() {
            match effect {
                Effect::Send { link, frame } => self.send(link, frame),
                Effect::Append { ticket, changes } => self.pending.push((ticket, changes)),
                Effect::Dial { node, addresses } => match &self.endpoint {
                    Some(endpoint) if !addresses.is_empty() => endpoint.dial(node, addresses),
                    _ => {
                        let failed = Event::DialFailed { node };
                        self.replica.handle_event(self.now(), failed).map_err(store_failed)?;
                    }
                },
                Effect::HangUp { link, code, words } => {
                    if let Some(sender) = self.senders.remove(&link) {
                        tracing::info!(%link, %code, "link-closed");
                        sender.close(code, &words);
                    }
                }
                Effect::Notify(notice) => self.notice(notice)?,
            }
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, link: LinkId, frame: Frame) {
        let Some(sender) = self.senders.get(&link) else { return };
        if let Err(full) = sender.send(frame) {
            tracing::debug!(%link, %full, "frame-not-sent");
        }
    }

    fn notice(&mut self, notice: Notice) -> Result<(), Failure> {
        self.watch(&notice);
        match &notice {
            Notice::Connected { office, node, addresses } => {
                tracing::info!(%office, node = node.short(), "connected");
                self.follow_addresses(*node, addresses)?;
            }
            Notice::Disconnected { office, .. } => tracing::info!(%office, "disconnected"),
            Notice::Settled { office, changes } => {
                tracing::debug!(%office, changes, "settled");
                self.settled_with(*office)?;
                self.follow_unsaved()?;
            }
            Notice::Grew { document } => {
                self.codes.grew(*document);
                self.library.grew(*document);
                self.viewer.grew(*document);
                self.spare_due |= Some(*document) == self.replica.registry_document();
            }
            Notice::Registry => {
                self.open_gate();
                self.viewer.registry_changed(revoked(&self.replica));
                self.codes.forget();
                self.library.forget();
                self.share_out_serials()?;
            }
            Notice::Refused { office, changes, cause } => {
                tracing::warn!(%office, changes, cause, "changes-refused");
            }
            Notice::Reports { link, reports } => self.hear_reports(*link, reports.clone()),
            Notice::Alarm(alarm) => {
                tracing::warn!(?alarm, "alarm");
                self.troubles.alarm(alarm, self.now());
            }
        }
        // Nobody may be watching.
        drop(self.notices.send(notice));
        Ok(())
    }

    fn open_gate(&mut self) {
        let nodes = self.replica.registry().nodes();
        let live = nodes.filter(|node| node.revoked.is_none()).map(|node| node.id);
        self.admitted.set(live.collect());
    }

    /// Makes everything that waits durable with one sync.
    fn commit(&mut self) -> Result<(), Failure> {
        let pending = std::mem::take(&mut self.pending);
        let changes: Vec<Change> =
            pending.iter().flat_map(|(_, items)| items).map(|item| item.change.clone()).collect();
        match self.replica.shelf_mut().store.append(&changes) {
            Ok(locations) => {
                self.is_dirty = true;
                let mut locations = locations.into_iter();
                for (ticket, items) in pending {
                    let placed = items.into_iter().zip(&mut locations);
                    let stored = placed.map(|(item, at)| Stored { item, place: place(at) });
                    let event = Event::Stored { ticket, stored: stored.collect() };
                    self.replica.handle_event(self.now(), event).map_err(store_failed)?;
                }
                self.checkpoint_if_due()
            }
            Err(error @ (AppendError::Full { .. } | AppendError::TooLarge { .. })) => {
                tracing::warn!(%error, "changes-not-stored");
                for (ticket, _) in pending {
                    let event = Event::NotStored { ticket };
                    self.replica.handle_event(self.now(), event).map_err(store_failed)?;
                }
                Ok(())
            }
            Err(error) => {
                let failure = append_failed(&error);
                self.broken = Some(failure.clone());
                Err(failure)
            }
        }
    }

    fn checkpoint_if_due(&mut self) -> Result<(), Failure> {
        let store = &mut self.replica.shelf_mut().store;
        if store.index().checkpoint_due() {
            store.checkpoint().map_err(|error| store_failed(failed(&error)))?;
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<(), Failure> {
        self.keep_spare()?;
        if std::mem::take(&mut self.is_dirty) {
            let store = &mut self.replica.shelf_mut().store;
            store.checkpoint().map_err(|error| store_failed(failed(&error)))?;
        }
        self.feed_viewer(true)
    }

    fn close(mut self) -> Result<(), Failure> {
        for sender in std::mem::take(&mut self.senders).into_values() {
            sender.close(CloseCode::GOING_AWAY, "nút dừng lại / the node stops");
        }
        self.feed_viewer(true)?;
        self.watch.save();
        self.keep_spare()?;
        let store = &mut self.replica.shelf_mut().store;
        let closed = store.checkpoint().and_then(|()| store.index_mut().finish_checkpoint());
        closed.map_err(|error| store_failed(failed(&error)))
    }

    // ------------------------------------------------------------- documents

    /// Opens a document with its accepted changes. What it cannot take is quarantined.
    pub(crate) fn open_document(&mut self, id: DocumentId) -> Result<Option<Document>, Failure> {
        let Some((_, entries)) = self.replica.document(id).map_err(store_failed)? else {
            return Ok(None);
        };
        let changes = self.replica.shelf().accepted(&entries).map_err(store_failed)?;
        let opened = Document::open_changes(&changes);
        let unfit = unfit(&opened.refused);
        if !unfit.is_empty() {
            self.set_aside(id, unfit)?;
        }
        Ok(Some(opened.document))
    }

    /// Quarantines changes that no document can take.
    pub(crate) fn set_aside(
        &mut self,
        document: DocumentId,
        changes: Vec<ChangeId>,
    ) -> Result<(), Failure> {
        tracing::warn!(%document, changes = changes.len(), "changes-quarantined");
        self.viewer.grew(document);
        self.event(Event::Unfit { document, changes })
    }

    /// Writes a change of this node and makes it durable. Without a document it opens one, whose
    /// id is given to the edit.
    pub(crate) fn author(
        &mut self,
        document: Option<(DocumentId, &Document)>,
        kind: Kind,
        adds: Vec<OfficeId>,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) -> Result<DocumentId, Failure> {
        self.author_at(self.now(), document, kind, adds, edit)
    }

    /// The same at a moment that the change also holds.
    pub(crate) fn author_at(
        &mut self,
        at: Moment,
        document: Option<(DocumentId, &Document)>,
        kind: Kind,
        adds: Vec<OfficeId>,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) -> Result<DocumentId, Failure> {
        if let Some((id, opened)) = document {
            self.check_whole(id, opened)?;
        }
        let header = self.replica.header(at, document.map(|(id, _)| id), kind, adds);
        let (id, seq) = (header.document, header.seq);
        let empty = Document::new();
        let base = document.map_or(&empty, |(_, document)| document);
        let actor = Actor::derive(header.author, header.incarnation);
        let draft = base.edit(actor, edit).map_err(|error| edit_failed(&error))?;
        let change = Change::sign(header, draft.payload(), &self.replica.identity().key);
        let change = change.map_err(|error| change_failed(&error.to_string()))?;
        let change = inspect(change).map_err(|error| change_failed(&error.to_string()))?;
        self.event(Event::Authored { change })?;
        self.work()?;
        // The number is still free when the change is not in the log.
        let next = self.replica.header(self.now(), None, kind, Vec::new()).seq;
        if next > seq { Ok(id) } else { Err(disk_full()) }
    }
}
