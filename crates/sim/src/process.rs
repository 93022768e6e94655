//! One process: a real replica over a real store, its effects performed as the node does it.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use lienthong_document::{Actor, Document, EditError, Editor, Refusal};
use lienthong_protocol::{
    Change, ChangeId, CloseCode, DocumentId, FederationId, Frame, Incarnation, Kind, Moment,
    NodeId, NodeKey, OfficeId,
};
use lienthong_replica::{
    Effect, Event, Identity, Inspected, LinkId, Notice, Replica, Settings, Shelf, Stored, Ticket,
    Verdict, inspect,
};
use lienthong_store::{
    AppendError, Checkpoint, EngineChoice, IndexSettings, Location, LogSettings, MemoryEngine,
    Store, StoreSettings, Writing,
};

use crate::disk::{ReadFaults, StoreShelf, place, replay};

/// How many messages are taken before what they brought is made durable together, as in the node.
const GROUP_MESSAGES: usize = 64;
/// How long the index may lag behind the log while nothing happens, as in the node.
const CHECKPOINT_AFTER: Duration = Duration::from_secs(5);
/// Small segments, so that a week seals some.
const SEGMENT_BYTES: u32 = 24 << 10;
/// A small overlay, so that checkpoints come in the middle of work too.
const OVERLAY_BYTES: usize = 48 << 10;

/// Who a process is, whatever becomes of it.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) federation: FederationId,
    pub(crate) office: OfficeId,
    /// The seed of its key.
    key: [u8; 32],
    node: NodeId,
    pub(crate) address: String,
}

impl Member {
    /// A member of the federation and an office with the key of a seed.
    pub(crate) fn new(
        federation: FederationId,
        office: OfficeId,
        key: [u8; 32],
        address: String,
    ) -> Member {
        // Asked for all the time and dear to derive.
        let node = NodeKey::from_seed(key).id();
        Member { federation, office, key, node, address }
    }

    pub(crate) fn node(&self) -> NodeId {
        self.node
    }
}

/// What a process does to the world around it, in order.
#[derive(Debug)]
pub(crate) enum Out {
    /// A frame leaves.
    Send { link: LinkId, frame: Frame },
    /// A node is dialled.
    Dial { node: NodeId, addresses: Vec<String> },
    /// A link is closed by this end.
    HangUp { link: LinkId, code: CloseCode },
    /// The replica tells something.
    Notice(Notice),
    /// A change was written here; it is not durable yet.
    Wrote(Change),
    /// These are durable: whoever wrote or sent them may be told.
    Durable(Vec<ChangeId>),
    /// The append of these failed: they may be on the disk or not.
    Doubtful(Vec<ChangeId>),
    /// These were given up because their records cannot be read.
    Lost(Vec<ChangeId>),
}

/// Why a process ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Its time had come: see [`Process::die_after`].
    Struck,
    /// It cannot go on, and says why.
    Broken(String),
}

/// What a start found.
pub(crate) struct Started {
    /// Why the index was thrown away, if it was.
    pub(crate) rebuilt: Option<String>,
    /// How many damages of the log it saw.
    pub(crate) damages: usize,
}

/// A machine with a disk, and the process on it, if one runs.
pub(crate) struct Process {
    pub(crate) me: Member,
    pub(crate) disk: ReadFaults,
    pub(crate) engine: MemoryEngine,
    /// How far its clock is ahead of the true time, in milliseconds.
    pub(crate) ahead_ms: i64,
    /// How often it asks each link for its time.
    pub(crate) ping_every: Duration,
    life: Option<Life>,
}

/// What ends with the process.
struct Life {
    replica: Replica<StoreShelf>,
    pending: Vec<(Ticket, Vec<Inspected>)>,
    inbox: VecDeque<Event>,
    dirty_since: Option<Moment>,
    /// Whether the registry may hold more than what is kept beside the log.
    spare_due: bool,
    /// How many more effects it performs before it is struck.
    left: Option<u32>,
    last_seq: u64,
}

impl Process {
    /// A machine whose log holds what a new node is given when it joins.
    pub(crate) fn new(me: Member, disk: ReadFaults, records: &[Change]) -> Process {
        let engine = MemoryEngine::new();
        let ping_every = Settings::default().ping_every;
        let process = Process { me, disk, engine, ahead_ms: 0, ping_every, life: None };
        let opened = process.open_store().expect("an empty disk opens");
        let mut store = opened.store;
        store.append(records).expect("an empty disk takes the registry");
        process
    }

    pub(crate) fn is_up(&self) -> bool {
        self.life.is_some()
    }

    pub(crate) fn replica(&self) -> Option<&Replica<StoreShelf>> {
        self.life.as_ref().map(|life| &life.replica)
    }

    /// What the clock of this machine shows.
    pub(crate) fn local(&self, now: Moment) -> Moment {
        Moment(now.0.saturating_add_signed(self.ahead_ms))
    }

    /// Starts the process over what its disk holds.
    pub(crate) fn start(
        &mut self,
        now: Moment,
        (incarnation, seed): (Incarnation, u64),
    ) -> Result<Started, Stop> {
        let opened = self.open_store().map_err(broken)?;
        let rebuilt = opened.rebuild.as_ref().map(ToString::to_string);
        let damages = opened.damages.len();
        let me = Identity {
            federation: self.me.federation,
            office: self.me.office,
            key: NodeKey::from_seed(self.me.key),
            incarnation,
            agent: "sim".into(),
        };
        let addresses = vec![self.me.address.clone()];
        let conduct = Settings { addresses, ping_every: self.ping_every, ..Settings::default() };
        let (reader, local) = (opened.store.reader(), self.local(now));
        let shelf = StoreShelf::new(opened.store);
        let mut replica = Replica::open(me, conduct, shelf, seed, local).map_err(broken)?;
        replay(&mut replica, &reader, opened.replay_from)?;
        replica.handle_event(local, Event::NetworkChanged).map_err(broken)?;
        let (pending, inbox) = (Vec::new(), VecDeque::new());
        self.life = Some(Life {
            replica,
            pending,
            inbox,
            dirty_since: Some(local),
            spare_due: true,
            left: None,
            last_seq: 0,
        });
        Ok(Started { rebuilt, damages })
    }

    /// Stores again what the spare holds and the log has lost.
    pub(crate) fn take_spare(&mut self, now: Moment, out: &mut Vec<Out>) -> Result<(), Stop> {
        let local = self.local(now);
        let Some(life) = &mut self.life else { return Ok(()) };
        life.work(local, out)?;
        let spared = life.replica.shelf().store.spare().unwrap_or_default();
        let changes = spared.into_iter().filter_map(|change| inspect(change).ok()).collect();
        life.event(local, Event::Spared { changes }, out)?;
        life.work(local, out)
    }

    /// Ends the process at once; the disk is as the calls so far left it.
    pub(crate) fn kill(&mut self) {
        self.life = None;
    }

    /// Ends the process in good order, with a last checkpoint.
    pub(crate) fn close(&mut self) -> Result<(), Stop> {
        let Some(mut life) = self.life.take() else { return Ok(()) };
        life.keep_spare()?;
        let store = &mut life.replica.shelf_mut().store;
        let closed = store.checkpoint().and_then(|()| store.index_mut().finish_checkpoint());
        closed.map_err(broken)
    }

    /// Strikes the process after so many effects more.
    pub(crate) fn die_after(&mut self, effects: u32) {
        if let Some(life) = &mut self.life {
            life.left = Some(effects);
        }
    }

    /// Takes a [`Process::die_after`] back.
    pub(crate) fn spare(&mut self) {
        if let Some(life) = &mut self.life {
            life.left = None;
        }
    }

    /// Puts something that happened before the process; it is taken at its next turn.
    pub(crate) fn tell(&mut self, event: Event) {
        if let Some(life) = &mut self.life {
            life.inbox.push_back(event);
        }
    }

    /// When the process wants its next turn, in true time.
    pub(crate) fn next_turn(&self, now: Moment) -> Option<Moment> {
        let life = self.life.as_ref()?;
        if !life.inbox.is_empty() {
            return Some(now);
        }
        let idle = life.dirty_since.map(|since| since.after(CHECKPOINT_AFTER));
        let due = life.replica.poll_timeout().map(|(at, _)| at);
        let true_time = |at: Moment| Moment(at.0.saturating_add_signed(-self.ahead_ms)).max(now);
        [idle, due].into_iter().flatten().map(true_time).min()
    }

    /// Takes what lies before the process and does what has become due.
    pub(crate) fn turn(&mut self, now: Moment, out: &mut Vec<Out>) -> Result<(), Stop> {
        let local = self.local(now);
        let Some(life) = &mut self.life else { return Ok(()) };
        for _ in 0..GROUP_MESSAGES {
            let Some(event) = life.inbox.pop_front() else { break };
            life.event(local, event, out)?;
        }
        life.replica.handle_timeout(local).map_err(broken)?;
        life.work(local, out)?;
        let is_idle = |since: Moment| local.since(since) >= CHECKPOINT_AFTER || local < since;
        if life.inbox.is_empty() && life.dirty_since.is_some_and(is_idle) {
            life.dirty_since = None;
            life.keep_spare()?;
            life.replica.shelf_mut().store.checkpoint().map_err(broken)?;
        }
        Ok(())
    }

    /// Writes a change and makes it durable, as the node does for a person or a program. Says
    /// which document it went into; `None` when the disk is full and nothing was saved.
    pub(crate) fn author(
        &mut self,
        now: Moment,
        (document, kind): (Option<DocumentId>, Kind),
        adds: Vec<OfficeId>,
        out: &mut Vec<Out>,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) -> Result<Option<DocumentId>, Stop> {
        let base = match document {
            Some(id) => self.open(now, id, out)?,
            None => Some(Document::new()),
        };
        let Some(base) = base else { return Ok(None) };
        let local = self.local(now);
        let Some(life) = &mut self.life else { return Ok(None) };
        let header = life.replica.header(local, document, kind, adds);
        let (id, seq) = (header.document, header.seq);
        let actor = Actor::derive(header.author, header.incarnation);
        // An edit that says nothing new is no change.
        let Ok(draft) = base.edit(actor, edit) else { return Ok(None) };
        let key = NodeKey::from_seed(self.me.key);
        let change = Change::sign(header, draft.payload(), &key).map_err(broken)?;
        let Ok(change) = inspect(change) else { return Ok(None) };
        out.push(Out::Wrote(change.change.clone()));
        life.event(local, Event::Authored { change }, out)?;
        life.work(local, out)?;
        life.dirty_since = life.dirty_since.or(Some(local));
        let next = life.replica.header(local, None, kind, Vec::new()).seq;
        life.last_seq = next - 1;
        Ok((next > seq).then_some(id))
    }

    /// How many changes this process has numbered since its start.
    pub(crate) fn last_seq(&self) -> u64 {
        self.life.as_ref().map_or(0, |life| life.last_seq)
    }

    /// Opens a document with its accepted changes; what it cannot take is quarantined. `None` when
    /// a record of it cannot be read now: whoever wrote on without it would number its own changes
    /// twice.
    pub(crate) fn open(
        &mut self,
        now: Moment,
        id: DocumentId,
        out: &mut Vec<Out>,
    ) -> Result<Option<Document>, Stop> {
        let local = self.local(now);
        let Some(life) = &mut self.life else { return Ok(None) };
        let Some((_, entries)) = life.replica.document(id).map_err(broken)? else {
            return Ok(Some(Document::new()));
        };
        if life.replica.lost().contains_key(&id) {
            return Ok(None);
        }
        let mut changes = Vec::new();
        for entry in entries.iter().filter(|entry| entry.verdict == Verdict::Accepted) {
            let record = life.replica.shelf().record(entry.place).map_err(broken)?;
            match record.and_then(|bytes| Change::trusted(bytes).ok()) {
                Some(change) => changes.push(change),
                None => return Ok(None),
            }
        }
        let opened = Document::open_changes(&changes);
        // What misses a dependency only is no worse than what it waits for.
        let is_unfit = |refusal: &Refusal| !matches!(refusal, Refusal::Missing { .. });
        let refused = opened.refused.iter().filter(|(_, refusal)| is_unfit(refusal));
        let changes: Vec<ChangeId> = refused.map(|(id, _)| *id).collect();
        if !changes.is_empty() {
            life.event(local, Event::Unfit { document: id, changes }, out)?;
        }
        Ok(Some(opened.document))
    }

    /// Every good record on the disk, whatever the index says; planned faults of reads do not meet
    /// this. `None` when nothing runs, or the power of the disk went unnoticed.
    pub(crate) fn records(&self) -> Option<Vec<(Location, Change)>> {
        let life = self.life.as_ref()?;
        let mut records = Vec::new();
        let reader = life.replica.shelf().store.reader();
        self.disk.suspend(true);
        let scanned = reader.scan(Checkpoint::default(), &mut |record| {
            records.push((record.location, record.change));
            ControlFlow::Continue(())
        });
        self.disk.suspend(false);
        scanned.is_ok().then_some(records)
    }

    fn open_store(&self) -> Result<lienthong_store::Opened, lienthong_store::OpenError> {
        let log = LogSettings { segment_bytes: SEGMENT_BYTES, reserve_bytes: 0 };
        let index = IndexSettings { overlay_bytes: OVERLAY_BYTES, writing: Writing::Inline };
        let engine = EngineChoice::Memory(self.engine.clone());
        Store::open(Arc::new(self.disk.clone()), &engine, StoreSettings { log, index })
    }
}

impl Life {
    fn event(&mut self, local: Moment, event: Event, out: &mut Vec<Out>) -> Result<(), Stop> {
        self.replica.handle_event(local, event).map_err(broken)?;
        self.perform(local, out)
    }

    fn work(&mut self, local: Moment, out: &mut Vec<Out>) -> Result<(), Stop> {
        self.perform(local, out)?;
        while !self.pending.is_empty() {
            self.commit(local, out)?;
            self.perform(local, out)?;
        }
        self.miss_damaged(local, out)
    }

    /// Gives records up that could not be read, as the node does.
    fn miss_damaged(&mut self, local: Moment, out: &mut Vec<Out>) -> Result<(), Stop> {
        let damaged = self.replica.shelf().take_damaged();
        if damaged.is_empty() {
            return Ok(());
        }
        let lost = |replica: &Replica<StoreShelf>| -> BTreeSet<ChangeId> {
            replica.lost().values().flatten().copied().collect()
        };
        let before = lost(&self.replica);
        let places = damaged.into_iter().collect();
        self.replica.handle_event(local, Event::Damaged { places }).map_err(broken)?;
        out.push(Out::Lost(lost(&self.replica).difference(&before).copied().collect()));
        self.perform(local, out)
    }

    /// Keeps the registry beside the log; a failure leaves the copy before.
    fn keep_spare(&mut self) -> Result<(), Stop> {
        if !std::mem::take(&mut self.spare_due) {
            return Ok(());
        }
        if let Some(registry) = self.replica.registry_changes().map_err(broken)? {
            drop(self.replica.shelf().store.keep_spare(&registry));
        }
        Ok(())
    }

    fn perform(&mut self, local: Moment, out: &mut Vec<Out>) -> Result<(), Stop> {
        while let Some(effect) = self.replica.poll_effect() {
            self.strike()?;
            match effect {
                Effect::Send { link, frame } => out.push(Out::Send { link, frame }),
                Effect::Append { ticket, changes } => self.pending.push((ticket, changes)),
                Effect::Dial { node, addresses } if addresses.is_empty() => {
                    let failed = Event::DialFailed { node };
                    self.replica.handle_event(local, failed).map_err(broken)?;
                }
                Effect::Dial { node, addresses } => out.push(Out::Dial { node, addresses }),
                Effect::HangUp { link, code, .. } => out.push(Out::HangUp { link, code }),
                Effect::Notify(notice) => {
                    let registry = self.replica.registry_document();
                    self.spare_due |=
                        matches!(notice, Notice::Grew { document } if Some(document) == registry);
                    out.push(Out::Notice(notice));
                }
            }
        }
        Ok(())
    }

    /// Makes everything that waits durable with one sync.
    fn commit(&mut self, local: Moment, out: &mut Vec<Out>) -> Result<(), Stop> {
        self.strike()?;
        let pending = std::mem::take(&mut self.pending);
        let changes: Vec<Change> =
            pending.iter().flat_map(|(_, items)| items).map(|item| item.change.clone()).collect();
        let ids = || changes.iter().map(Change::id).collect();
        match self.replica.shelf_mut().store.append(&changes) {
            Ok(locations) => {
                out.push(Out::Durable(ids()));
                self.strike()?;
                self.dirty_since = self.dirty_since.or(Some(local));
                let mut locations = locations.into_iter();
                for (ticket, items) in pending {
                    let placed = items.into_iter().zip(&mut locations);
                    let stored = placed.map(|(item, at)| Stored { item, place: place(at) });
                    let event = Event::Stored { ticket, stored: stored.collect() };
                    self.replica.handle_event(local, event).map_err(broken)?;
                }
                let store = &mut self.replica.shelf_mut().store;
                if store.index().checkpoint_due() {
                    store.checkpoint().map_err(broken)?;
                }
                Ok(())
            }
            Err(AppendError::Full { .. } | AppendError::TooLarge { .. }) => {
                for (ticket, _) in pending {
                    let event = Event::NotStored { ticket };
                    self.replica.handle_event(local, event).map_err(broken)?;
                }
                Ok(())
            }
            Err(error) => {
                out.push(Out::Doubtful(ids()));
                Err(broken(error))
            }
        }
    }

    /// Counts an effect, if the process is to die after so many.
    fn strike(&mut self) -> Result<(), Stop> {
        match &mut self.left {
            None => Ok(()),
            Some(0) => Err(Stop::Struck),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

pub(crate) fn broken(error: impl std::error::Error) -> Stop {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    Stop::Broken(words)
}
