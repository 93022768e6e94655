//! The oracle: a plain model of what was promised, against which every replica is held.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_federation::Registry;
use lienthong_protocol::{Change, ChangeId, DocumentId, Incarnation, NodeId, OfficeId, Tally};
use lienthong_replica::{Quarantined, Verdict};

use crate::network::Seat;
use crate::process::Process;

/// What the model knows of one change.
#[derive(Clone, Debug)]
struct Known {
    document: DocumentId,
    author: NodeId,
    /// Written by the hostile node, or with its help.
    hostile: bool,
}

/// What the model knows of one document.
#[derive(Clone, Debug, Default)]
struct Shared {
    is_public: bool,
    offices: BTreeSet<OfficeId>,
    hostile: bool,
}

/// What one machine has promised to keep.
#[derive(Clone, Debug, Default)]
struct Shelf {
    /// Whatever was durable here.
    held: BTreeSet<ChangeId>,
    /// What may have reached the disk or not, when an append failed.
    doubtful: BTreeSet<ChangeId>,
    /// What rot may have taken, or what was given up after bad reads.
    rotten: BTreeSet<ChangeId>,
    /// Whether a read may have brought other bytes than those on the disk.
    is_misread: bool,
    /// The last number that each incarnation used.
    last_seq: BTreeMap<Incarnation, u64>,
}

/// What a machine kept at some time, to be put back with its disk.
#[derive(Clone, Debug)]
pub(crate) struct Backup(Shelf);

/// A promise that was not kept, in words.
pub(crate) type Broken = String;

/// The model.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    changes: BTreeMap<ChangeId, Known>,
    documents: BTreeMap<DocumentId, Shared>,
    shelves: BTreeMap<Seat, Shelf>,
    /// All offices that ever stood above an office.
    above: BTreeMap<OfficeId, BTreeSet<OfficeId>>,
    /// Which seats and documents the hostile node has brought together.
    leaked: BTreeSet<(Seat, DocumentId)>,
    /// Changes that nobody may ever hold: their bytes were signed by nobody.
    forged: BTreeSet<ChangeId>,
    /// Changes whose only durable copy was destroyed: by an old backup, by rot, with a machine.
    destroyed: BTreeSet<ChangeId>,
    /// Whatever was durable anywhere.
    promised: BTreeSet<ChangeId>,
    /// Whether a node was revoked: what others built on its changes may count no more.
    has_revoked: bool,
}

impl Oracle {
    /// A machine begins with these changes on its disk.
    pub(crate) fn begin(&mut self, seat: Seat, changes: &[Change]) {
        for change in changes {
            self.enter(change, false);
        }
        let shelf = self.shelves.entry(seat).or_default();
        shelf.keep(changes.iter().map(Change::id));
    }

    /// The tree is, from now on somewhere, this one.
    pub(crate) fn plant(&mut self, registry: &Registry) {
        for office in registry.offices() {
            self.above.entry(office.id).or_default().extend(registry.ancestors(office.id));
        }
    }

    /// A change was written at a seat; it is not durable yet.
    pub(crate) fn wrote(&mut self, seat: Seat, change: &Change) -> Result<(), Broken> {
        self.enter(change, false);
        let header = change.header();
        let shelf = self.shelves.entry(seat).or_default();
        let last = shelf.last_seq.entry(header.incarnation).or_default();
        // A number is used again when its change was not stored.
        if header.seq > *last + 1 {
            return Err(format!("seat {seat} wrote seq {} after {last}", header.seq));
        }
        Ok(())
    }

    /// The hostile node has made a change and signed it with its own key.
    pub(crate) fn hostile(&mut self, change: &Change) {
        self.enter(change, true);
    }

    /// The hostile node has made bytes that no key has signed.
    pub(crate) fn forged(&mut self, change: ChangeId) {
        self.forged.insert(change);
    }

    /// The hostile node has sent a document's change to a seat.
    pub(crate) fn leaked(&mut self, seat: Seat, document: DocumentId) {
        self.leaked.insert((seat, document));
    }

    /// These are durable at a seat.
    pub(crate) fn durable(&mut self, seat: Seat, ids: &[ChangeId]) -> Result<(), Broken> {
        for id in ids {
            self.check_may_hold_here(*id)?;
            self.promised.insert(*id);
        }
        self.shelves.entry(seat).or_default().keep(ids.iter().copied());
        Ok(())
    }

    /// A change of this incarnation was saved under this number.
    pub(crate) fn numbered(&mut self, seat: Seat, incarnation: Incarnation, seq: u64) {
        let shelf = self.shelves.entry(seat).or_default();
        shelf.last_seq.insert(incarnation, seq);
    }

    /// The append of these failed at a seat.
    pub(crate) fn doubtful(&mut self, seat: Seat, ids: &[ChangeId]) {
        self.shelves.entry(seat).or_default().doubtful.extend(ids);
    }

    /// A node was revoked.
    pub(crate) fn revoked(&mut self) {
        self.has_revoked = true;
    }

    /// Whether a seat may hold this though the root does not: the hostile node brought it.
    pub(crate) fn is_excused(&self, seat: Seat, id: ChangeId) -> bool {
        self.changes.get(&id).is_some_and(|known| {
            known.hostile
                || self.is_hostile(known.document)
                || self.leaked.contains(&(seat, known.document))
        })
    }

    /// The document that a change belongs to, if anybody has written it.
    pub(crate) fn document_of(&self, id: ChangeId) -> Option<DocumentId> {
        self.changes.get(&id).map(|known| known.document)
    }

    /// Rot may have taken this at a seat.
    pub(crate) fn rotten(&mut self, seat: Seat, id: ChangeId) {
        self.shelves.entry(seat).or_default().rotten.insert(id);
    }

    /// Reads at a seat may go astray from now on.
    pub(crate) fn misread(&mut self, seat: Seat) {
        self.shelves.entry(seat).or_default().is_misread = true;
    }

    /// A seat has given these up until a peer brings them back: their records cannot be read.
    pub(crate) fn lost(&mut self, seat: Seat, ids: &[ChangeId]) -> Result<(), Broken> {
        let shelf = self.shelves.entry(seat).or_default();
        for id in ids {
            if !shelf.is_misread && !shelf.rotten.contains(id) {
                return Err(format!("seat {seat} gives {} up, which is sound", id.short()));
            }
            shelf.held.remove(id);
            shelf.rotten.insert(*id);
            self.destroyed.insert(*id);
        }
        Ok(())
    }

    /// What a seat keeps now.
    pub(crate) fn backup(&self, seat: Seat) -> Backup {
        Backup(self.shelves.get(&seat).cloned().unwrap_or_default())
    }

    /// A seat has the disk of a backup, its own or, for a clone, another's.
    pub(crate) fn restore(&mut self, seat: Seat, backup: &Backup) {
        let old = self.shelves.insert(seat, backup.0.clone()).unwrap_or_default();
        self.destroyed.extend(old.held.difference(&backup.0.held));
    }

    /// A seat begins with a copy of another's disk, and with what the hostile node brought there.
    pub(crate) fn clone_of(&mut self, seat: Seat, original: Seat) {
        let kept = self.backup(original);
        self.restore(seat, &kept);
        let leaked: Vec<DocumentId> = self.leaked_to(original).collect();
        self.leaked.extend(leaked.into_iter().map(|document| (seat, document)));
    }

    fn leaked_to(&self, seat: Seat) -> impl Iterator<Item = DocumentId> + '_ {
        let of_seat = self.leaked.iter().filter(move |(at, _)| *at == seat);
        of_seat.map(|(_, document)| *document)
    }

    /// A seat is gone for good, with its disk.
    pub(crate) fn gone(&mut self, seat: Seat) {
        let old = self.shelves.remove(&seat).unwrap_or_default();
        self.destroyed.extend(old.held);
    }

    /// Holds the changes that a process found at its start against what its machine had promised.
    pub(crate) fn check_start(&mut self, seat: Seat, process: &Process) -> Result<(), Broken> {
        let actual = self.indexed(process);
        let logged: BTreeSet<ChangeId> =
            process.records().into_iter().flatten().map(|(_, change)| change.id()).collect();
        let shelf = self.shelves.entry(seat).or_default();
        let excused = |id: &&ChangeId| !shelf.rotten.contains(*id);
        if let Some(id) = logged.difference(&actual).find(excused) {
            return Err(format!("seat {seat} has {} in its log only", id.short()));
        }
        if let Some(id) = actual.difference(&logged).find(excused) {
            return Err(format!("seat {seat} has {} in its index only", id.short()));
        }
        if let Some(id) = shelf.held.difference(&actual).find(excused) {
            return Err(format!("seat {seat} has lost {}, which was durable", id.short()));
        }
        let strange = |id: &&ChangeId| !shelf.doubtful.contains(*id) && excused(id);
        if let Some(id) = actual.difference(&shelf.held).find(strange) {
            return Err(format!("seat {seat} holds {}, which it never took", id.short()));
        }
        let lost: Vec<ChangeId> = shelf.held.difference(&actual).copied().collect();
        self.destroyed.extend(lost);
        shelf.doubtful.clear();
        shelf.held.clear();
        shelf.keep(actual);
        Ok(())
    }

    /// Holds the counts of a process against the model, after it has stored something.
    pub(crate) fn check_counts(&self, seat: Seat, process: &Process) -> Result<(), Broken> {
        let (Some(shelf), Some(replica)) = (self.shelves.get(&seat), process.replica()) else {
            return Ok(());
        };
        let totals = replica.status().map_err(|error| error.to_string())?.totals;
        let held = shelf.held.len() as u64;
        if totals.changes != held {
            return Err(format!("seat {seat} counts {} changes, it holds {held}", totals.changes));
        }
        Ok(())
    }

    /// Holds everything that a process has in its index against the model.
    pub(crate) fn check_deep(&self, seat: Seat, process: &Process) -> Result<(), Broken> {
        let Some(replica) = process.replica() else { return Ok(()) };
        let (office, registry) = (process.me.office, replica.registry());
        let mut root = Tally::default();
        let mut seen = BTreeSet::new();
        for (id, shared) in &self.documents {
            let document = replica.document(*id).map_err(|error| error.to_string())?;
            let Some((record, entries)) = document else { continue };
            self.check_audience(seat, office, (*id, shared))?;
            let accepted = entries.iter().any(|entry| entry.verdict == Verdict::Accepted);
            let closed = registry.closure(record.offices.iter().copied());
            let counts = closed.contains(&office) || (record.kind.is_public() && accepted);
            for entry in &entries {
                seen.insert(entry.id);
                self.check_verdict(seat, registry, (entry.id, entry.verdict))?;
                if counts {
                    root.add(entry.id);
                }
            }
        }
        let held = &self.shelves.get(&seat).map(|shelf| &shelf.held);
        if held.is_some_and(|held| *held != seen) {
            return Err(format!("seat {seat} has an index of other changes than it took"));
        }
        let told = replica.status().map_err(|error| error.to_string())?.root;
        if told != root {
            return Err(format!("seat {seat} has root {} for a set of {}", told.count, root.count));
        }
        Ok(())
    }

    /// Whatever anybody ever promised to keep is at the root in the end, unless its only copies
    /// were destroyed or lie at machines that are `cut_off`.
    pub(crate) fn check_kept(&self, root: Seat, cut_off: &[Seat]) -> Result<(), Broken> {
        let whole = self.held(root);
        for id in self.promised.difference(&whole) {
            let lies =
                |seat: &Seat| self.shelves.get(seat).is_some_and(|shelf| shelf.held.contains(id));
            let is_excused = self.destroyed.contains(id) || self.is_excused(root, *id);
            if !is_excused && !cut_off.iter().any(lies) {
                return Err(format!("{} was acknowledged and is not at the root", id.short()));
            }
        }
        Ok(())
    }

    /// What a seat holds, as far as the model knows.
    pub(crate) fn held(&self, seat: Seat) -> BTreeSet<ChangeId> {
        self.shelves.get(&seat).map(|shelf| shelf.held.clone()).unwrap_or_default()
    }

    /// Every document that was ever opened.
    pub(crate) fn documents(&self) -> Vec<DocumentId> {
        self.documents.keys().copied().collect()
    }

    /// The documents that the hostile node has written to.
    pub(crate) fn touched_by_enemy(&self) -> Vec<DocumentId> {
        let touched = self.documents.iter().filter(|(_, shared)| shared.hostile);
        touched.map(|(id, _)| *id).collect()
    }

    /// Whether the model, which believes every honest author, says that an office may hold this.
    pub(crate) fn may_hold(&self, office: OfficeId, id: DocumentId) -> bool {
        self.documents.get(&id).is_some_and(|shared| {
            let above = |below: &OfficeId| {
                *below == office
                    || self.above.get(below).is_some_and(|above| above.contains(&office))
            };
            shared.is_public || shared.offices.iter().any(above)
        })
    }

    fn enter(&mut self, change: &Change, hostile: bool) {
        let header = change.header();
        let (document, author) = (header.document, header.author);
        self.changes.insert(change.id(), Known { document, author, hostile });
        let shared = self.documents.entry(document).or_default();
        shared.hostile |= hostile;
        if !hostile {
            shared.is_public |= header.kind.is_public();
            shared.offices.insert(header.office);
            shared.offices.extend(&header.adds);
        }
    }

    fn indexed(&self, process: &Process) -> BTreeSet<ChangeId> {
        let Some(replica) = process.replica() else { return BTreeSet::new() };
        let entries = |id: &DocumentId| replica.document(*id).ok().flatten();
        let documents = self.documents.keys().filter_map(entries);
        documents.flat_map(|(_, entries)| entries).map(|entry| entry.id).collect()
    }

    fn check_may_hold_here(&self, id: ChangeId) -> Result<(), Broken> {
        match self.forged.contains(&id) || !self.changes.contains_key(&id) {
            true => Err(format!("{} is durable, which nobody has signed", id.short())),
            false => Ok(()),
        }
    }

    /// The canary: nobody holds what was not shared with it, unless the hostile node brought it.
    fn check_audience(
        &self,
        seat: Seat,
        office: OfficeId,
        (id, shared): (DocumentId, &Shared),
    ) -> Result<(), Broken> {
        let leaked = shared.hostile || self.leaked.contains(&(seat, id));
        if self.may_hold(office, id) || leaked {
            return Ok(());
        }
        Err(format!("seat {seat} of {office} holds {id}, which was not shared with it"))
    }

    /// Nothing by a wrong author counts.
    fn check_verdict(
        &self,
        seat: Seat,
        registry: &Registry,
        (id, verdict): (ChangeId, Verdict),
    ) -> Result<(), Broken> {
        let Some(known) = self.changes.get(&id) else {
            return Err(format!("seat {seat} holds {}, which nobody has written", id.short()));
        };
        let is_known = registry.node(known.author).is_some();
        let strange = matches!(verdict, Verdict::Quarantined(why) if why != Quarantined::Revoked);
        if verdict == Verdict::Accepted && !is_known {
            return Err(format!("seat {seat} accepts {} of a strange author", id.short()));
        }
        let excused = self.has_revoked || known.hostile || self.is_hostile(known.document);
        if strange && !excused {
            return Err(format!("seat {seat} has honest {} as {verdict:?}", id.short()));
        }
        Ok(())
    }

    fn is_hostile(&self, document: DocumentId) -> bool {
        self.documents.get(&document).is_some_and(|shared| shared.hostile)
    }
}

impl Shelf {
    fn keep(&mut self, ids: impl IntoIterator<Item = ChangeId>) {
        self.held.extend(ids);
    }
}
