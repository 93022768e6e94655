//! What a link still has to send, and in which order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use lienthong_protocol::limits::{AIM_BATCH_BYTES, MAX_BATCH_BYTES, MAX_BATCH_CHANGES};
use lienthong_protocol::{Batch, DocumentId, OfficeId};

use crate::entry::Entry;
use crate::ledger::Ledger;
use crate::reconcile::{Item, Missing, Range};
use crate::shelf::key::{self, Shared};
use crate::shelf::{Order, Shelf, ShelfError};

/// How many pushed changes wait for a slow link. Past it pushes are dropped and the link is
/// behind: the next comparison repairs it. At about 100 bytes each, 400 kB a link.
const MAX_PUSHED: usize = 4096;
/// How many batches may be under way without an acknowledgement. More hides a longer round trip
/// and holds more in memory at both ends.
const MAX_BATCHES_IN_FLIGHT: usize = 8;
/// How many documents are looked up at a time while everything in a range is sent.
const WALK_DOCUMENTS: usize = 32;

/// Changes to send on one link. Pushed changes go before missing ones, so that what people do
/// now never waits for what happened while the link was down.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pushed: VecDeque<Entry>,
    missing: VecDeque<Missing>,
    ready: VecDeque<Entry>,
    walk: Option<Walk>,
    in_flight: BTreeSet<u64>,
    last_number: u64,
    behind: bool,
}

/// How far the sending of everything in a range has come.
#[derive(Debug)]
struct Walk {
    range: Range,
    stage: usize,
    below: Option<Vec<u8>>,
}

impl Outbox {
    /// Takes newly stored changes; drops them when the link is too slow.
    pub(crate) fn push(&mut self, entries: &[Entry]) {
        if self.pushed.len() + entries.len() > MAX_PUSHED {
            self.behind = true;
            return;
        }
        self.pushed.extend(entries);
    }

    /// Takes what a comparison found missing at the peer.
    pub(crate) fn add(&mut self, missing: Missing) {
        self.missing.push_back(match missing {
            Missing::Items(items) => Missing::Items(in_turn(items)),
            range @ Missing::Range(_) => range,
        });
    }

    /// Notes that a batch is durable at the peer; `false` if there is no such batch.
    pub(crate) fn acknowledged(&mut self, number: u64) -> bool {
        self.in_flight.remove(&number)
    }

    /// Whether nothing waits and everything sent is durable at the peer.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.pushed.is_empty()
            && self.missing.is_empty()
            && self.ready.is_empty()
            && self.walk.is_none()
    }

    /// Whether pushes were dropped since this was last asked.
    pub(crate) fn take_behind(&mut self) -> bool {
        std::mem::take(&mut self.behind)
    }

    /// The next batch, if one may go now.
    pub(crate) fn next_batch<S: Shelf>(
        &mut self,
        ledger: &Ledger<S>,
        office: OfficeId,
    ) -> Result<Option<Batch>, ShelfError> {
        if self.in_flight.len() >= MAX_BATCHES_IN_FLIGHT {
            return Ok(None);
        }
        let mut records: Vec<Bytes> = Vec::new();
        let mut bytes = 0;
        while bytes < AIM_BATCH_BYTES && records.len() < MAX_BATCH_CHANGES {
            let Some(entry) = self.next_entry(ledger, office)? else { break };
            // A damaged record is not sent: the peer gets it from another node, as we will.
            let Some(record) = ledger.shelf.record(entry.place)? else { continue };
            if bytes + record.len() + 4 > MAX_BATCH_BYTES {
                self.pushed.push_front(entry);
                break;
            }
            bytes += record.len() + 4;
            records.push(record);
        }
        if records.is_empty() {
            return Ok(None);
        }
        self.last_number += 1;
        self.in_flight.insert(self.last_number);
        Ok(Some(Batch { number: self.last_number, records }))
    }

    fn next_entry<S: Shelf>(
        &mut self,
        ledger: &Ledger<S>,
        office: OfficeId,
    ) -> Result<Option<Entry>, ShelfError> {
        loop {
            if let Some(entry) = self.pushed.pop_front().or_else(|| self.ready.pop_front()) {
                return Ok(Some(entry));
            }
            if let Some(walk) = &mut self.walk {
                if !walk.step(ledger, office, &mut self.ready)? {
                    self.walk = None;
                }
                continue;
            }
            match self.missing.pop_front() {
                None => return Ok(None),
                Some(Missing::Items(items)) => {
                    self.ready.extend(items.into_iter().map(|item| item.entry));
                }
                Some(Missing::Range(range)) => {
                    self.walk = Some(Walk { range, stage: 0, below: None });
                }
            }
        }
    }
}

impl Walk {
    /// Whole documents, newest first, after those that everybody holds: what a new office opens
    /// first is complete first, and a document's changes compress best side by side.
    fn stages(office: OfficeId) -> [(Shared, u8); 4] {
        let with = Shared::With(office);
        [(Shared::Everyone, 0), (Shared::Everyone, 1), (with, 2), (with, 3)]
    }

    /// Makes the changes of some more documents ready; `false` when there are no more.
    fn step<S: Shelf>(
        &mut self,
        ledger: &Ledger<S>,
        office: OfficeId,
        ready: &mut VecDeque<Entry>,
    ) -> Result<bool, ShelfError> {
        let Some((shared, rank)) = Walk::stages(office).get(self.stage).copied() else {
            return Ok(false);
        };
        let mut from = key::member(shared, rank, DocumentId::from_bytes([0; 16]));
        from.truncate(from.len() - 16);
        let to = self.below.take().unwrap_or_else(|| key::after(&from));
        let members = ledger.shelf.range(&from, &to, Order::Descending, WALK_DOCUMENTS)?;
        match members.last() {
            Some((last, _)) => self.below = Some(last.clone()),
            None => self.stage += 1,
        }
        for (key, _) in &members {
            let document = key::document_of(key);
            let Some(record) = ledger.record(document)? else { continue };
            let entries = ledger.entries(document, &record)?;
            ready.extend(entries.into_iter().filter(|entry| self.range.holds(entry)));
        }
        Ok(true)
    }
}

/// The order of sending: by kind, then the documents with the newest hour first, each whole and
/// in the order in which its changes build on each other.
fn in_turn(mut items: Vec<Item>) -> Vec<Item> {
    let mut newest: BTreeMap<DocumentId, u32> = BTreeMap::new();
    for item in &items {
        let hour = newest.entry(item.document).or_default();
        *hour = (*hour).max(item.entry.minute / 60);
    }
    items.sort_by_key(|item| {
        let hour = newest.get(&item.document).copied().unwrap_or_default();
        (item.rank, Reverse(hour), item.document, item.entry.place)
    });
    items
}
