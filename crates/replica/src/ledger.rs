//! Reading and writing what the index keeps: documents, calendars, counts.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_federation::Registry;
use lienthong_protocol::{
    Change, ChangeId, DocumentId, Incarnation, Kind, NodeId, OfficeId, Tally, Written, codec,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admission::{Inspected, inspect};
use crate::entry::{Entry, Record, Runs, Totals, Verdict};
use crate::shelf::key::{self, Shared};
use crate::shelf::{Order, Pair, Shelf, ShelfError};

/// The largest value that is written, in bytes: the index's own limit.
const MAX_VALUE_BYTES: usize = 32 << 10;
/// How many entries a record holds before they move to a page of their own.
const PAGE_ENTRIES: usize = 128;
/// How many keys a scan reads at a time.
const SCAN_KEYS: usize = 512;

/// A shelf with the meaning of its keys.
pub(crate) struct Ledger<S> {
    pub(crate) shelf: S,
    /// The office that keeps it.
    pub(crate) office: OfficeId,
}

/// Hours whose tallies change together, so that a batch writes each of them once.
pub(crate) type Deltas = BTreeMap<(Shared, u32), Tally>;

impl<S: Shelf> Ledger<S> {
    fn value<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, ShelfError> {
        self.shelf.get(key)?.map(|bytes| decoded(&bytes)).transpose()
    }

    fn set<T: Serialize>(&mut self, key: &[u8], value: &T) -> Result<(), ShelfError> {
        let bytes = codec::encode(value, MAX_VALUE_BYTES)
            .map_err(|error| ShelfError { cause: error.to_string() })?;
        self.shelf.put(key, bytes)
    }

    /// Visits every key of a table from one end until `visit` says that it has enough.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        order: Order,
        mut visit: impl FnMut(&Pair) -> Result<bool, ShelfError>,
    ) -> Result<(), ShelfError> {
        let (mut from, mut to) = (prefix.to_vec(), key::after(prefix));
        loop {
            let pairs = self.shelf.range(&from, &to, order, SCAN_KEYS)?;
            for pair in &pairs {
                if !visit(pair)? {
                    return Ok(());
                }
            }
            let Some((last, _)) = pairs.last().filter(|_| pairs.len() == SCAN_KEYS) else {
                return Ok(());
            };
            match order {
                Order::Ascending => from = [last.as_slice(), &[0]].concat(),
                Order::Descending => to.clone_from(last),
            }
        }
    }

    pub(crate) fn totals(&self) -> Result<Totals, ShelfError> {
        Ok(self.value(&key::totals())?.unwrap_or_default())
    }

    pub(crate) fn set_totals(&mut self, totals: &Totals) -> Result<(), ShelfError> {
        self.set(&key::totals(), totals)
    }

    pub(crate) fn record(&self, id: DocumentId) -> Result<Option<Record>, ShelfError> {
        self.value(&key::document(id))
    }

    /// Every entry of a document, oldest first.
    pub(crate) fn entries(
        &self,
        id: DocumentId,
        record: &Record,
    ) -> Result<Vec<Entry>, ShelfError> {
        let mut entries = Vec::new();
        for page in 0..record.pages {
            entries.extend(self.value::<Vec<Entry>>(&key::page(id, page))?.unwrap_or_default());
        }
        entries.extend_from_slice(&record.entries);
        Ok(entries)
    }

    /// Writes a record, moving entries to a page when it has enough of them.
    pub(crate) fn set_record(
        &mut self,
        id: DocumentId,
        record: &mut Record,
    ) -> Result<(), ShelfError> {
        while record.entries.len() > PAGE_ENTRIES {
            let rest = record.entries.split_off(PAGE_ENTRIES);
            self.set(&key::page(id, record.pages), &record.entries)?;
            record.entries = rest;
            record.pages = record.pages.saturating_add(1);
        }
        self.set(&key::document(id), record)
    }

    /// Writes all entries of a document anew, with their pages.
    pub(crate) fn set_entries(
        &mut self,
        id: DocumentId,
        record: &mut Record,
        entries: Vec<Entry>,
    ) -> Result<(), ShelfError> {
        record.pages = 0;
        record.entries = entries;
        self.set_record(id, record)
    }

    /// The change behind an entry; `None` when it is damaged on disk.
    pub(crate) fn inspected(&self, entry: &Entry) -> Result<Option<Inspected>, ShelfError> {
        let Some(bytes) = self.shelf.record(entry.place)? else { return Ok(None) };
        Ok(Change::trusted(bytes).ok().and_then(|change| inspect(change).ok()))
    }

    /// Takes over what changed in calendars and roots.
    pub(crate) fn apply_deltas(&mut self, deltas: Deltas) -> Result<(), ShelfError> {
        let mut roots: BTreeMap<Shared, Tally> = BTreeMap::new();
        for ((shared, hour), delta) in deltas {
            roots.entry(shared).or_default().merge(&delta);
            let key = key::calendar(shared, hour);
            let mut tally: Tally = self.value(&key)?.unwrap_or_default();
            tally.merge(&delta);
            self.set(&key, &tally)?;
        }
        for (shared, delta) in roots {
            let key = key::root(shared);
            let mut tally: Tally = self.value(&key)?.unwrap_or_default();
            tally.merge(&delta);
            self.set(&key, &tally)?;
        }
        Ok(())
    }

    /// The tally of everything shared with an office.
    pub(crate) fn root(&self, office: OfficeId) -> Result<Tally, ShelfError> {
        let mut root: Tally = self.value(&key::root(Shared::Everyone))?.unwrap_or_default();
        root.merge(&self.value(&key::root(Shared::With(office)))?.unwrap_or_default());
        Ok(root)
    }

    /// The tallies of the hours `from..to` of what is shared with an office; empty hours are
    /// left out.
    pub(crate) fn hours(
        &self,
        office: OfficeId,
        from: u32,
        to: u32,
    ) -> Result<BTreeMap<u32, Tally>, ShelfError> {
        let mut hours: BTreeMap<u32, Tally> = BTreeMap::new();
        for shared in [Shared::Everyone, Shared::With(office)] {
            let (start, end) = (key::calendar(shared, from), key::calendar(shared, to));
            let mut start = start;
            loop {
                let pairs = self.shelf.range(&start, &end, Order::Ascending, SCAN_KEYS)?;
                for (key, value) in &pairs {
                    let tally: Tally = decoded(value)?;
                    hours.entry(key::hour_of(key)).or_default().merge(&tally);
                }
                match pairs.last().filter(|_| pairs.len() == SCAN_KEYS) {
                    Some((last, _)) => start = [last.as_slice(), &[0]].concat(),
                    None => break,
                }
            }
        }
        hours.retain(|_, tally| !tally.is_empty());
        Ok(hours)
    }

    /// The documents that have changes in an hour and belong to what is shared with an office.
    pub(crate) fn documents_in(
        &self,
        hour: u32,
        office: OfficeId,
    ) -> Result<Vec<DocumentId>, ShelfError> {
        let mut documents = Vec::new();
        let mut prefix = key::hour(hour, DocumentId::from_bytes([0; 16]));
        prefix.truncate(prefix.len() - 16);
        self.scan(&prefix, Order::Ascending, |(key, _)| {
            documents.push(key::document_of(key));
            Ok(true)
        })?;
        let mut shared = Vec::with_capacity(documents.len());
        for id in documents {
            if self.is_shared(id, office)? {
                shared.push(id);
            }
        }
        Ok(shared)
    }

    /// Whether a document belongs to what is shared with an office.
    pub(crate) fn is_shared(&self, id: DocumentId, office: OfficeId) -> Result<bool, ShelfError> {
        let Some(record) = self.record(id)? else { return Ok(false) };
        let rank = record.kind.rank();
        let with = key::member(Shared::With(office), rank, id);
        Ok(self.shelf.get(&key::member(Shared::Everyone, rank, id))?.is_some()
            || self.shelf.get(&with)?.is_some())
    }

    pub(crate) fn runs(&self, node: NodeId, incarnation: Incarnation) -> Result<Runs, ShelfError> {
        Ok(self.value(&key::runs(node, incarnation))?.unwrap_or_default())
    }

    /// How far without a gap an incarnation is held.
    pub(crate) fn held(
        &self,
        node: NodeId,
        incarnation: Incarnation,
    ) -> Result<Written, ShelfError> {
        Ok(Written { incarnation, seq: self.runs(node, incarnation)?.complete_to() })
    }

    /// The largest `seq` held of every incarnation of a node.
    pub(crate) fn last_seqs(&self, node: NodeId) -> Result<BTreeMap<Incarnation, u64>, ShelfError> {
        let mut last_seqs = BTreeMap::new();
        self.scan(&key::runs_of(node), Order::Ascending, |(key, value)| {
            let runs: Runs = decoded(value)?;
            last_seqs.insert(key::incarnation_of(key), runs.last());
            Ok(true)
        })?;
        Ok(last_seqs)
    }

    /// How many changes of a node are held.
    pub(crate) fn authored(&self, node: NodeId) -> Result<u64, ShelfError> {
        Ok(self.value(&key::authored(node))?.unwrap_or_default())
    }

    /// Counts newly stored changes of authors in. A number that is held already is a change that
    /// was lost to damage and has come back.
    pub(crate) fn count_authors(
        &mut self,
        written: &BTreeMap<(NodeId, Incarnation), Vec<u64>>,
    ) -> Result<(), ShelfError> {
        for ((node, incarnation), seqs) in written {
            let mut runs = self.runs(*node, *incarnation)?;
            let fresh = seqs.iter().filter(|seq| !runs.holds(**seq)).count() as u64;
            seqs.iter().for_each(|seq| runs.insert(*seq));
            self.set(&key::runs(*node, *incarnation), &runs)?;
            let authored = self.authored(*node)? + fresh;
            self.set(&key::authored(*node), &authored)?;
        }
        Ok(())
    }

    /// What is kept about a peer office under a key of its own.
    pub(crate) fn peer<T: DeserializeOwned>(
        &self,
        office: OfficeId,
    ) -> Result<Option<T>, ShelfError> {
        self.value(&key::peer(office))
    }

    pub(crate) fn set_peer<T: Serialize>(
        &mut self,
        office: OfficeId,
        value: &T,
    ) -> Result<(), ShelfError> {
        self.set(&key::peer(office), value)
    }

    /// Marks a document that has waiting or quarantined changes, or takes the mark away.
    pub(crate) fn mark_unsettled(
        &mut self,
        id: DocumentId,
        entries: &[Entry],
    ) -> Result<(), ShelfError> {
        let settled = entries.iter().all(|entry| entry.verdict == Verdict::Accepted);
        if settled {
            self.shelf.delete(&key::unsettled(id))
        } else {
            self.shelf.put(&key::unsettled(id), Vec::new())
        }
    }

    pub(crate) fn is_unsettled(&self, id: DocumentId) -> Result<bool, ShelfError> {
        Ok(self.shelf.get(&key::unsettled(id))?.is_some())
    }

    /// The documents that have waiting or quarantined changes, at most `limit`.
    pub(crate) fn unsettled(&self, limit: usize) -> Result<Vec<DocumentId>, ShelfError> {
        let mut prefix = key::unsettled(DocumentId::from_bytes([0; 16]));
        prefix.truncate(1);
        let mut documents = Vec::new();
        self.scan(&prefix, Order::Ascending, |(key, _)| {
            documents.push(key::document_of(key));
            Ok(documents.len() < limit)
        })?;
        Ok(documents)
    }

    /// Takes a document from the shared sets `before` to the shared sets `after`. In `entries`,
    /// those before `new_from` were in the sets of `before`.
    pub(crate) fn enrol(
        &mut self,
        id: DocumentId,
        (before, after): (&Membership, &Membership),
        (entries, new_from): (&[Entry], usize),
        deltas: &mut Deltas,
    ) -> Result<(), ShelfError> {
        for shared in &after.sets {
            let stays = before.has(*shared, after.rank);
            if !stays {
                self.shelf.put(&key::member(*shared, after.rank, id), Vec::new())?;
            }
            for entry in &entries[if stays { new_from } else { 0 }..] {
                deltas.entry((*shared, entry.minute / 60)).or_default().add(entry.id);
            }
        }
        for shared in &before.sets {
            if after.has(*shared, before.rank) {
                continue;
            }
            self.shelf.delete(&key::member(*shared, before.rank, id))?;
            for entry in &entries[..new_from] {
                deltas.entry((*shared, entry.minute / 60)).or_default().remove(entry.id);
            }
        }
        Ok(())
    }

    /// Notes the hours in which a document has changes.
    pub(crate) fn note_hours(
        &mut self,
        id: DocumentId,
        entries: &[Entry],
    ) -> Result<(), ShelfError> {
        let hours: BTreeSet<u32> = entries.iter().map(|entry| entry.minute / 60).collect();
        hours.into_iter().try_for_each(|hour| self.shelf.put(&key::hour(hour, id), Vec::new()))
    }

    /// Remembers which document is the federation's registry.
    pub(crate) fn set_genesis_document(&mut self, id: DocumentId) -> Result<(), ShelfError> {
        self.set(&key::genesis(), &id)
    }

    pub(crate) fn genesis_document(&self) -> Result<Option<DocumentId>, ShelfError> {
        self.value(&key::genesis())
    }

    /// Every document, by id.
    pub(crate) fn all_documents(&self) -> Result<Vec<DocumentId>, ShelfError> {
        let mut documents = Vec::new();
        self.scan(b"d", Order::Ascending, |(key, _)| {
            documents.push(key::document_of(key));
            Ok(true)
        })?;
        Ok(documents)
    }

    /// Documents of a kind that an office holds, newest first.
    pub(crate) fn documents(
        &self,
        office: OfficeId,
        kind: Kind,
        below: Option<DocumentId>,
        limit: usize,
    ) -> Result<Vec<DocumentId>, ShelfError> {
        let shared = if kind.is_public() { Shared::Everyone } else { Shared::With(office) };
        let mut from = key::member(shared, kind.rank(), DocumentId::from_bytes([0; 16]));
        from.truncate(from.len() - 16);
        let to = match below {
            Some(id) => key::member(shared, kind.rank(), id),
            None => key::after(&from),
        };
        let pairs = self.shelf.range(&from, &to, Order::Descending, limit)?;
        Ok(pairs.iter().map(|(key, _)| key::document_of(key)).collect())
    }

    /// The shared sets of a document, as this office counts them. What let this office in may be
    /// quarantined when its author is revoked: then the document is kept, and counts in no set,
    /// because the other ends do not count it as shared with this office.
    pub(crate) fn membership(
        &self,
        record: &Record,
        entries: &[Entry],
        registry: &Registry,
    ) -> Membership {
        let mut membership = Membership::of(record, entries, registry);
        if !membership.includes(self.office) {
            membership.sets.clear();
        }
        membership
    }

    /// Throws calendars, roots and memberships away and builds them from the documents: after
    /// offices have moved, audiences have other ancestors.
    pub(crate) fn recount(&mut self, registry: &Registry) -> Result<(), ShelfError> {
        for table in [b"c", b"r", b"m"] {
            let mut keys = Vec::new();
            self.scan(table, Order::Ascending, |(key, _)| {
                keys.push(key.clone());
                Ok(true)
            })?;
            keys.iter().try_for_each(|key| self.shelf.delete(key))?;
        }
        for id in self.all_documents()? {
            let Some(record) = self.record(id)? else { continue };
            let entries = self.entries(id, &record)?;
            let mut deltas = Deltas::new();
            let after = self.membership(&record, &entries, registry);
            self.enrol(id, (&Membership::default(), &after), (&entries, 0), &mut deltas)?;
            self.apply_deltas(deltas)?;
        }
        Ok(())
    }
}

/// Which changes of documents are held, read once for each document of a batch.
#[derive(Debug, Default)]
pub(crate) struct Held(BTreeMap<DocumentId, BTreeSet<ChangeId>>);

impl Held {
    /// Whether a change of a document is stored.
    pub(crate) fn holds<S: Shelf>(
        &mut self,
        ledger: &Ledger<S>,
        document: DocumentId,
        id: ChangeId,
    ) -> Result<bool, ShelfError> {
        if let Some(ids) = self.0.get(&document) {
            return Ok(ids.contains(&id));
        }
        let entries = match ledger.record(document)? {
            Some(record) => ledger.entries(document, &record)?,
            None => Vec::new(),
        };
        let ids: BTreeSet<ChangeId> = entries.iter().map(|entry| entry.id).collect();
        let holds = ids.contains(&id);
        self.0.insert(document, ids);
        Ok(holds)
    }
}

/// The shared sets that a document belongs to, and its place in the order of sending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) rank: u8,
    pub(crate) sets: BTreeSet<Shared>,
}

impl Membership {
    fn of(record: &Record, entries: &[Entry], registry: &Registry) -> Membership {
        let rank = record.kind.rank();
        let accepted = entries.iter().any(|entry| entry.verdict == Verdict::Accepted);
        // A public kind that nobody was entitled to write must not flood the federation.
        if record.kind.is_public() && accepted {
            return Membership { rank, sets: BTreeSet::from([Shared::Everyone]) };
        }
        let closed = registry.closure(record.offices.iter().copied());
        Membership { rank, sets: closed.into_iter().map(Shared::With).collect() }
    }

    fn has(&self, shared: Shared, rank: u8) -> bool {
        self.rank == rank && self.sets.contains(&shared)
    }

    /// Whether the set shared with an office includes the document.
    pub(crate) fn includes(&self, office: OfficeId) -> bool {
        self.sets.contains(&Shared::Everyone) || self.sets.contains(&Shared::With(office))
    }
}

fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ShelfError> {
    codec::decode(bytes, MAX_VALUE_BYTES).map_err(|error| ShelfError { cause: error.to_string() })
}
