//! The store as the replica's shelf, what damaged records in it mean, and why nothing was stored.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use lienthong_document::{Document, EditError, Refusal};
use lienthong_protocol::{Change, ChangeId, DocumentId};
use lienthong_replica::{Entry, Event, Order, Pair, Place, Shelf, ShelfError, Verdict};
use lienthong_request::Failure;
use lienthong_store::{
    AppendError, Damage, DamageKind, Direction, IndexError, KeyRange, Location, LogReader,
    ReadError, Store,
};
use tokio::sync::mpsc;

use crate::mind::{Message, Mind};
use crate::node::look_into;

/// The index of a store, and its log for reading.
pub(crate) struct StoreShelf {
    pub(crate) store: Store,
    reader: LogReader,
    /// Where records were met that cannot be read.
    damaged: RefCell<BTreeSet<Place>>,
}

impl StoreShelf {
    pub(crate) fn new(store: Store) -> StoreShelf {
        StoreShelf { reader: store.reader(), store, damaged: RefCell::default() }
    }

    /// The accepted changes among these entries; those whose records are damaged are left out.
    pub(crate) fn accepted(&self, entries: &[Entry]) -> Result<Vec<Change>, ShelfError> {
        let mut changes = Vec::new();
        for entry in entries.iter().filter(|entry| entry.verdict == Verdict::Accepted) {
            let record = self.record(entry.place)?;
            changes.extend(record.and_then(|bytes| Change::trusted(bytes).ok()));
        }
        Ok(changes)
    }

    /// Notes records that another reader of the log could not read.
    pub(crate) fn suspect(&self, locations: &[Location]) {
        self.damaged.borrow_mut().extend(locations.iter().copied().map(place));
    }
}

impl Mind {
    /// Gives records up that could not be read, so that a peer brings them back.
    pub(crate) fn miss_damaged(&mut self) -> Result<(), Failure> {
        let damaged = self.replica.shelf().damaged.take();
        if damaged.is_empty() {
            return Ok(());
        }
        tracing::warn!(records = damaged.len(), "records-damaged");
        self.event(Event::Damaged { places: damaged.into_iter().collect() })
    }

    /// Stores again what the spare holds and the log has lost: without its registry a node knows
    /// nobody who could bring it back.
    pub(crate) fn take_spare(&mut self) -> Result<(), Failure> {
        self.work()?;
        let spared = self.replica.shelf().store.spare();
        let spared = spared.inspect_err(|error| tracing::warn!(%error, "spare-unreadable"));
        let changes = look_into(spared.unwrap_or_default());
        self.event(Event::Spared { changes })?;
        self.work()
    }

    /// Keeps the registry a second time, if it has grown. A failure leaves the older copy.
    pub(crate) fn keep_spare(&mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.spare_due) {
            return Ok(());
        }
        let registry = self.replica.registry_changes().map_err(store_failed)?;
        let Some(registry) = registry else { return Ok(()) };
        if let Err(error) = self.replica.shelf().store.keep_spare(&registry) {
            tracing::warn!(%error, "spare-not-kept");
        }
        Ok(())
    }

    /// Refuses to write on to a document that was opened without one of its changes. This node
    /// would give numbers twice that it has given in a change that it cannot read now, and every
    /// other node would take the later ones for unfit.
    pub(crate) fn check_whole(&self, id: DocumentId, opened: &Document) -> Result<(), Failure> {
        let held = self.replica.document(id).map_err(store_failed)?;
        let entries = held.map(|(_, entries)| entries).unwrap_or_default();
        let mut accepted = entries.iter().filter(|entry| entry.verdict == Verdict::Accepted);
        let is_whole = accepted.all(|entry| opened.contains(entry.change_hash()));
        if is_whole && !self.replica.lost().contains_key(&id) {
            Ok(())
        } else {
            Err(record_damaged(id))
        }
    }
}

/// Reads the sealed segments again and again, one at a time: what has rotted where nobody reads is
/// found while there is a peer that has it. Damage is told to the mind once.
pub(crate) async fn check_segments(
    log: LogReader,
    every: Duration,
    to_mind: mpsc::WeakSender<Message>,
) {
    let (mut last, mut told) = (0, BTreeSet::new());
    loop {
        tokio::time::sleep(every).await;
        let Some(to_mind) = to_mind.upgrade() else { return };
        let Some(next) = log.sealed_after(last) else { continue };
        let reader = log.clone();
        let checked = tokio::task::spawn_blocking(move || reader.verify_segment(next)).await;
        last = next;
        let damages = match checked {
            Ok(Ok(scanned)) => scanned.damages,
            Ok(Err(error)) => {
                tracing::warn!(segment = next, %error, "segment-not-checked");
                continue;
            }
            Err(_) => return,
        };
        let fresh: Vec<Damage> = damages.into_iter().filter(|one| told.insert(*one)).collect();
        fresh.iter().for_each(|damage| tracing::error!(%damage, "log-damaged"));
        let places: Vec<Place> = fresh.iter().filter_map(holding_records).collect();
        if !places.is_empty()
            && to_mind.send(Message::Link(Event::Damaged { places })).await.is_err()
        {
            return;
        }
    }
}

/// The part of the log that a damage has taken records from, if it has.
fn holding_records(damage: &Damage) -> Option<Place> {
    let Damage { segment, offset, bytes, kind } = *damage;
    match kind {
        DamageKind::Records => Some(Place { segment, offset, length: bytes }),
        DamageKind::Lost => Some(Place { segment, offset, length: u32::MAX }),
        DamageKind::Header | DamageKind::Chain => None,
    }
}

/// Those of the refused changes that no document can take. What only misses a dependency is none
/// of them: a record that is damaged here may hold it.
pub(crate) fn unfit(refused: &[(ChangeId, Refusal)]) -> Vec<ChangeId> {
    let is_unfit = |refusal: &Refusal| !matches!(refusal, Refusal::Missing { .. });
    refused.iter().filter(|(_, refusal)| is_unfit(refusal)).map(|(id, _)| *id).collect()
}

/// Whether nothing was saved for a reason that may pass, and everything goes on.
pub(crate) fn may_pass(failure: &Failure) -> bool {
    [DISK_FULL, RECORD_DAMAGED].contains(&failure.code.as_str())
}

fn record_damaged(id: DocumentId) -> Failure {
    Failure::store(
        RECORD_DAMAGED,
        "chưa ghi gì / nothing was saved",
        format!(
            "một phần của hồ sơ {id} trên đĩa không đọc được / a record of document {id} cannot be \
             read from the disk"
        ),
        "vẫn xem được hồ sơ; nút tự nhận lại phần hỏng khi nối với cơ quan khác có hồ sơ này, \
         rồi làm lại; nếu không cơ quan nào có thì chạy lại nút / reading goes on; a link with \
         another office that has the document brings the record back, then do it again; \
         if no office has it, start the node again",
    )
}

const RECORD_DAMAGED: &str = "record-damaged";

/// The code of the failure after which nothing was stored and everything goes on.
pub(crate) const DISK_FULL: &str = "disk-full";

pub(crate) fn disk_full() -> Failure {
    let what = "chưa ghi gì / nothing was saved";
    let why = "đĩa đầy hoặc gần đầy / the disk is full, or nearly";
    let remedy = "giải phóng đĩa rồi làm lại, không cần khởi động lại / \
                  free space on the disk and do it again; no restart is needed";
    Failure::store(DISK_FULL, what, why, remedy)
}

pub(crate) fn store_failed(error: ShelfError) -> Failure {
    let ShelfError { cause } = error;
    Failure::store(
        "index-failed",
        "nút dừng lại / the node stops",
        format!("the index cannot be read: {cause}"),
        "start the node again: the index is rebuilt from the log",
    )
}

pub(crate) fn append_failed(error: &AppendError) -> Failure {
    Failure::store(error.code(), "nút dừng lại / the node stops", error.to_string(), error.remedy())
}

pub(crate) fn edit_failed(error: &EditError) -> Failure {
    Failure::refused(
        error.code(),
        "chưa ghi gì / nothing was saved",
        error.to_string(),
        error.remedy(),
    )
}

pub(crate) fn change_failed(why: &str) -> Failure {
    let remedy = "nhập ít hơn mỗi lần / enter less at once";
    Failure::refused("change-refused", "chưa ghi gì / nothing was saved", why, remedy)
}

/// The replica's word for a place in the log.
pub(crate) fn place(location: Location) -> Place {
    Place { segment: location.segment, offset: location.offset, length: location.length }
}

impl Shelf for StoreShelf {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ShelfError> {
        self.store.index().get(key).map_err(|error| failed(&error))
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), ShelfError> {
        self.store.index_mut().put(key, &value).map_err(|error| failed(&error))
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), ShelfError> {
        self.store.index_mut().delete(key).map_err(|error| failed(&error))
    }

    fn range(
        &self,
        from: &[u8],
        to: &[u8],
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, ShelfError> {
        let direction = match order {
            Order::Ascending => Direction::Forward,
            Order::Descending => Direction::Backward,
        };
        let range = KeyRange::between(from, to);
        let entries = self.store.index().range(&range, limit, direction);
        entries.map_err(|error| failed(&error))
    }

    fn record(&self, place: Place) -> Result<Option<Bytes>, ShelfError> {
        let Place { segment, offset, length } = place;
        match self.reader.read(Location { segment, offset, length }) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ReadError::Io { source, .. }) => Err(ShelfError { cause: source.to_string() }),
            Err(_) => {
                self.damaged.borrow_mut().insert(place);
                Ok(None)
            }
        }
    }
}

pub(crate) fn failed(error: &IndexError) -> ShelfError {
    ShelfError { cause: error.to_string() }
}
