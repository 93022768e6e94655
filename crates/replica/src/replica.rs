//! The replica: events in, effects out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use lienthong_federation::Registry;
use lienthong_protocol::{
    Ack, ChangeId, CloseCode, DocumentId, FederationId, Frame, Header, Incarnation, Kind, Moment,
    NodeId, NodeKey, OfficeId, Tally,
};

use crate::admission::{Inspected, Law};
use crate::dialer::{Backoff, Dialer};
use crate::entry::{Entry, Quarantined, Record, Verdict};
use crate::event::{Effect, Event, LinkId, Notice, Ticket, Wake};
use crate::intake::{self, Absorbed, Origin, Stored};
use crate::ledger::{Held, Ledger};
use crate::link::Link;
use crate::shelf::{Place, Shelf, ShelfError};

/// Who this node is.
#[derive(Debug)]
pub struct Identity {
    /// The federation it belongs to.
    pub federation: FederationId,
    /// Its office.
    pub office: OfficeId,
    /// Its key; the public half is its id.
    pub key: NodeKey,
    /// Drawn at this process start.
    pub incarnation: Incarnation,
    /// Program and version, for the peers' people.
    pub agent: String,
}

/// How the replica behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Waits between attempts to reach a node.
    pub backoff: Backoff,
    /// How often round trip and clock skew are measured on each link. Default 60 s. Shorter shows a
    /// wrong clock sooner and costs two small frames each time; whether a peer is there is the
    /// transport's to find out.
    pub ping_every: Duration,
    /// Where this node can be dialled, as `host:port`.
    pub addresses: Vec<String>,
    /// Nodes to link with beyond those of the tree.
    pub direct: Vec<NodeId>,
}

impl Default for Settings {
    fn default() -> Self {
        let ping_every = Duration::from_secs(60);
        Settings { backoff: Backoff::default(), ping_every, addresses: vec![], direct: vec![] }
    }
}

/// One node's mind over one index.
pub struct Replica<S> {
    pub(crate) me: Identity,
    pub(crate) node: NodeId,
    pub(crate) settings: Settings,
    pub(crate) ledger: Ledger<S>,
    pub(crate) registry: Registry,
    pub(crate) registry_document: Option<DocumentId>,
    /// How many records of the registry could not be read when it was.
    pub(crate) registry_lacks: usize,
    /// When it is to be read again, because a record of it could not be read.
    pub(crate) registry_due: Option<Moment>,
    /// Changes that were taken out of documents because their records are damaged, and have not
    /// come back.
    pub(crate) lost: BTreeMap<DocumentId, BTreeSet<ChangeId>>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) next_seq: u64,
    pub(crate) dialer: Dialer,
    /// What the clock showed last.
    clock: Moment,
    appends: BTreeMap<Ticket, Vec<Owed>>,
    pub(crate) appending: BTreeSet<ChangeId>,
    last_ticket: u64,
}

/// What happens when an append is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owed {
    Ack { link: LinkId, ack: Ack },
    Own { seq: u64 },
    Nothing,
}

impl<S: Shelf> Replica<S> {
    /// A replica over an index that holds everything up to the log's end, or nothing. `seed` is
    /// random and spreads attempts to dial.
    pub fn open(
        me: Identity,
        settings: Settings,
        shelf: S,
        seed: u64,
        now: Moment,
    ) -> Result<Replica<S>, ShelfError> {
        let ledger = Ledger { shelf, office: me.office };
        let dialer = Dialer::new(settings.backoff, seed);
        let mut replica = Replica {
            node: me.key.id(),
            me,
            settings,
            ledger,
            registry: Registry::default(),
            registry_document: None,
            registry_lacks: usize::MAX,
            registry_due: None,
            lost: BTreeMap::new(),
            links: BTreeMap::new(),
            effects: VecDeque::new(),
            next_seq: 1,
            dialer,
            clock: now,
            appends: BTreeMap::new(),
            appending: BTreeSet::new(),
            last_ticket: 0,
        };
        replica.registry_document = replica.ledger.genesis_document()?;
        replica.read_registry(now)?;
        replica.aim(now);
        Ok(replica)
    }

    /// Takes in changes that the log holds and the index does not, in the order of the log.
    pub fn replay(&mut self, stored: Vec<Stored>) -> Result<(), ShelfError> {
        self.absorb(stored, None, Moment(0))?;
        self.effects.clear();
        Ok(())
    }

    /// Takes note of what happened.
    pub fn handle_event(&mut self, now: Moment, event: Event) -> Result<(), ShelfError> {
        self.follow_clock(now);
        match event {
            Event::Reached { link, node, dialed } => self.reached(now, link, node, dialed),
            Event::Frame { link, frame } => self.frame(now, link, frame),
            Event::Changes { link, number, changes, refused } => {
                self.changes(now, link, (number, refused), changes)
            }
            Event::Down { link } => {
                self.down(now, link);
                Ok(())
            }
            Event::DialFailed { node } => {
                self.dialer.lost(node, now);
                self.aim(now);
                Ok(())
            }
            Event::NetworkChanged => {
                self.dialer.start_anew(now);
                self.aim(now);
                Ok(())
            }
            Event::Authored { change } => {
                let seq = change.change.header().seq;
                self.append(vec![change], Owed::Own { seq });
                Ok(())
            }
            Event::Stored { ticket, stored } => self.stored(now, ticket, stored),
            Event::NotStored { ticket } => {
                self.not_stored(ticket);
                Ok(())
            }
            Event::Unfit { document, changes } => self.unfit(now, document, &changes),
            Event::Spared { changes } => self.spared(changes),
            Event::Damaged { places } => self.lose(now, &places),
        }
    }

    /// Does what has become due; call it when [`Replica::poll_timeout`] says.
    pub fn handle_timeout(&mut self, now: Moment) -> Result<(), ShelfError> {
        self.follow_clock(now);
        for node in self.dialer.due(now) {
            let known = self.registry.node(node);
            let addresses = known.map(|known| known.addresses.clone()).unwrap_or_default();
            self.effects.push_back(Effect::Dial { node, addresses });
        }
        self.reread_registry(now)?;
        self.tend_links(now)
    }

    /// The next thing to do, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`Replica::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Moment, Wake)> {
        let dial = self.dialer.next_due().map(|at| (at, Wake::Dial));
        let link = self.next_link_wake().map(|at| (at, Wake::Link));
        let registry = self.registry_due.map(|at| (at, Wake::Registry));
        [dial, link, registry].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// The header of the next change of this node. For a new document give none: its id comes
    /// from the header. The number is used up only by [`Event::Authored`].
    pub fn header(
        &self,
        now: Moment,
        document: Option<DocumentId>,
        kind: Kind,
        adds: Vec<OfficeId>,
    ) -> Header {
        let (author, incarnation, seq) = (self.node, self.me.incarnation, self.next_seq);
        let derived = || DocumentId::derive(author, incarnation, seq, now);
        let (document, office) = (document.unwrap_or_else(derived), self.me.office);
        Header { document, kind, author, office, incarnation, seq, at: now, adds }
    }

    /// Who this node is.
    pub fn identity(&self) -> &Identity {
        &self.me
    }

    /// The registry as this node knows it.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The registry's document, once its first change is here.
    pub fn registry_document(&self) -> Option<DocumentId> {
        self.registry_document
    }

    /// The index, for what is done with it beside replication.
    pub fn shelf_mut(&mut self) -> &mut S {
        &mut self.ledger.shelf
    }

    /// The index, for reading.
    pub fn shelf(&self) -> &S {
        &self.ledger.shelf
    }

    /// What the index knows of a document, with all its entries.
    pub fn document(&self, id: DocumentId) -> Result<Option<(Record, Vec<Entry>)>, ShelfError> {
        let Some(record) = self.ledger.record(id)? else { return Ok(None) };
        let entries = self.ledger.entries(id, &record)?;
        Ok(Some((record, entries)))
    }

    /// The changes in quarantine by their documents, with why and where they lie; at most `limit`
    /// documents are looked at.
    pub fn quarantine(
        &self,
        limit: usize,
    ) -> Result<Vec<(DocumentId, Quarantined, Place)>, ShelfError> {
        let mut quarantine = Vec::new();
        for id in self.ledger.unsettled(limit)? {
            let entries = self.document(id)?.map(|(_, entries)| entries).unwrap_or_default();
            quarantine.extend(entries.iter().filter_map(|entry| match entry.verdict {
                Verdict::Quarantined(reason) => Some((id, reason, entry.place)),
                Verdict::Accepted | Verdict::Waiting(_) => None,
            }));
        }
        Ok(quarantine)
    }

    /// At most `limit` documents of a kind that this office holds, newest first, created before
    /// `below`.
    pub fn documents(
        &self,
        kind: Kind,
        below: Option<DocumentId>,
        limit: usize,
    ) -> Result<Vec<DocumentId>, ShelfError> {
        self.ledger.documents(self.me.office, kind, below, limit)
    }

    /// The changes that were lost to damage since the start and have not come back. Whoever wrote
    /// on to their documents without them might number its own changes a second time.
    pub fn lost(&self) -> &BTreeMap<DocumentId, BTreeSet<ChangeId>> {
        &self.lost
    }

    /// Whether a node is in the registry and not revoked: asked before a stream is read.
    pub fn admits(&self, node: NodeId) -> bool {
        self.registry.node(node).is_some_and(|known| known.revoked.is_none())
    }

    /// The largest `seq` that is held of every incarnation of a node: what revoking it keeps.
    pub fn last_seqs(&self, node: NodeId) -> Result<BTreeMap<Incarnation, u64>, ShelfError> {
        self.ledger.last_seqs(node)
    }

    /// A clock that is set back by a year must not let a wait of a second take a year: whatever
    /// is measured by the clock moves with it.
    fn follow_clock(&mut self, now: Moment) {
        let back = self.clock.since(now);
        self.clock = now;
        if back.is_zero() {
            return;
        }
        self.dialer.turn_back(back);
        self.registry_due = self.registry_due.map(|due| due.before(back));
        self.links.values_mut().for_each(|link| link.turn_back(back));
    }

    // ------------------------------------------------------------- storing

    pub(crate) fn append(&mut self, changes: Vec<Inspected>, owed: Owed) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.appending.extend(changes.iter().map(|item| item.change.id()));
        self.appends.insert(ticket, vec![owed]);
        if let Owed::Own { seq } = owed {
            self.next_seq = seq + 1;
        }
        self.effects.push_back(Effect::Append { ticket, changes });
    }

    fn stored(
        &mut self,
        now: Moment,
        ticket: Ticket,
        stored: Vec<Stored>,
    ) -> Result<(), ShelfError> {
        for change in &stored {
            self.appending.remove(&change.item.change.id());
        }
        let owed = self.appends.remove(&ticket).unwrap_or_default();
        let from = match owed.first() {
            Some(Owed::Ack { link, .. }) => Some(*link),
            _ => None,
        };
        self.absorb(stored, from, now)?;
        for owed in owed {
            if let Owed::Ack { link, ack } = owed {
                self.acknowledge(link, ack, true);
            }
        }
        self.tend_all(now)
    }

    fn not_stored(&mut self, ticket: Ticket) {
        self.appending.clear();
        for owed in self.appends.remove(&ticket).unwrap_or_default() {
            match owed {
                Owed::Own { seq } => self.next_seq = self.next_seq.min(seq),
                Owed::Nothing => {}
                Owed::Ack { link, .. } => {
                    let words = "the disk is full; dial again when there is space".into();
                    self.hang_up(link, CloseCode::STORE_FULL, words);
                }
            }
        }
    }

    fn acknowledge(&mut self, link: LinkId, ack: Ack, was_appended: bool) {
        let Some(known) = self.links.get_mut(&link) else { return };
        if was_appended {
            known.appending = known.appending.saturating_sub(1);
        }
        self.effects.push_back(Effect::Send { link, frame: Frame::Ack(ack) });
    }

    /// A batch has come.
    fn changes(
        &mut self,
        now: Moment,
        link: LinkId,
        (number, mut refused): (u64, u32),
        changes: Vec<Inspected>,
    ) -> Result<(), ShelfError> {
        // The peer may send as soon as the link is open for it, while this end still waits for its
        // hello or for the answer of a rival. It waits for the acknowledgement of every batch, and
        // what is signed is worth keeping whoever brings it.
        let Some(known) = self.links.get_mut(&link) else { return Ok(()) };
        known.last_contact = now;
        let office = known.office;
        let same_registry = match known.heard {
            Some(heard) => heard.registry == self.registry_tally()?,
            None => false,
        };
        let mut cause = None;
        let mut fresh = Vec::new();
        let mut is_pending = false;
        let mut held = Held::default();
        for change in changes {
            let id = change.change.id();
            if self.appending.contains(&id) {
                is_pending = true;
            } else if self.is_foreign(&change) && same_registry {
                refused += 1;
                cause = Some("unknown-author");
            } else if !held.holds(&self.ledger, change.change.header().document, id)? {
                fresh.push(change);
            }
        }
        if refused > 0 {
            self.notify(Notice::Refused { office, changes: refused, cause });
        }
        let ack = Ack { number, refused };
        if fresh.is_empty() && !is_pending {
            self.acknowledge(link, ack, false);
            return Ok(());
        }
        if let Some(known) = self.links.get_mut(&link) {
            known.appending += 1;
        }
        if fresh.is_empty() {
            // Another link brought the same a moment ago: wait for that append.
            let owed = Owed::Ack { link, ack };
            match self.appends.last_entry() {
                Some(mut last) => last.get_mut().push(owed),
                None => self.acknowledge(link, ack, true),
            }
        } else {
            self.append(fresh, Owed::Ack { link, ack });
        }
        Ok(())
    }

    fn is_foreign(&self, item: &Inspected) -> bool {
        let header = item.change.header();
        let genesis = FederationId::from(item.change.id()) == self.me.federation;
        self.registry.node(header.author).is_none() && !genesis
    }

    pub(crate) fn registry_tally(&self) -> Result<Tally, ShelfError> {
        let mut tally = Tally::default();
        let Some(id) = self.registry_document else { return Ok(tally) };
        if let Some((_, entries)) = self.document(id)? {
            entries.iter().for_each(|entry| tally.add(entry.id));
        }
        Ok(tally)
    }

    fn absorb(
        &mut self,
        stored: Vec<Stored>,
        from: Option<LinkId>,
        now: Moment,
    ) -> Result<(), ShelfError> {
        let law = Law { federation: self.me.federation, registry: &self.registry };
        let origin = Origin::of(&stored, self.node, from);
        let absorbed = intake::absorb(&mut self.ledger, law, stored)?;
        self.after(&absorbed, &origin, now)
    }

    fn unfit(
        &mut self,
        now: Moment,
        document: DocumentId,
        changes: &[ChangeId],
    ) -> Result<(), ShelfError> {
        let law = Law { federation: self.me.federation, registry: &self.registry };
        let absorbed = intake::quarantine(&mut self.ledger, law, document, changes)?;
        self.after(absorbed.as_slice(), &Origin::default(), now)
    }

    /// Tells links and watchers what was taken in, and follows the registry.
    fn after(
        &mut self,
        absorbed: &[Absorbed],
        origin: &Origin,
        now: Moment,
    ) -> Result<(), ShelfError> {
        let mut registry_grew = false;
        for news in absorbed {
            self.found(news);
            self.push(news, origin);
            if news.entries.iter().any(|e| FederationId::from(e.id) == self.me.federation) {
                self.registry_document = Some(news.document);
                self.ledger.set_genesis_document(news.document)?;
            }
            registry_grew |= news.grew && Some(news.document) == self.registry_document;
            if news.grew {
                self.notify(Notice::Grew { document: news.document });
            }
        }
        if registry_grew {
            self.follow_registry(now)?;
        }
        Ok(())
    }

    pub(crate) fn notify(&mut self, notice: Notice) {
        self.effects.push_back(Effect::Notify(notice));
    }
}
