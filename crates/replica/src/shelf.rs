//! The index as this crate sees it: ordered keys, and the log behind them.

use bytes::Bytes;
use lienthong_protocol::{DocumentId, Incarnation, NodeId, OfficeId};
use thiserror::Error;

/// Where a change lies in the log.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Place {
    /// The number of the segment file.
    pub segment: u32,
    /// Where its bytes start in the segment.
    pub offset: u32,
    /// How many bytes it has.
    pub length: u32,
}

impl Place {
    /// Whether two places have a byte in common.
    pub(crate) fn overlaps(self, other: Place) -> bool {
        let end = |place: Place| place.offset.saturating_add(place.length);
        self.segment == other.segment && self.offset < end(other) && other.offset < end(self)
    }
}

/// The index or the log gave an error. The node stops, throws the index away and rebuilds it
/// from the log at the next start.
#[derive(Debug, Error)]
#[error("index cannot be read: {cause}")]
pub struct ShelfError {
    /// What the store said.
    pub cause: String,
}

/// Which end of a range comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Lowest key first.
    Ascending,
    /// Highest key first.
    Descending,
}

/// One key with its value, as [`Shelf::range`] gives them.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Ordered keys and values that a replica reads and writes, and the log's records.
///
/// Writes are seen by the reads that follow. They need not be durable: whatever is lost is
/// replayed from the log. Values stay below 32 KiB.
pub trait Shelf {
    /// The value under a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ShelfError>;
    /// Puts a value under a key.
    fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), ShelfError>;
    /// Takes a key away.
    fn delete(&mut self, key: &[u8]) -> Result<(), ShelfError>;
    /// At most `limit` pairs with keys in `from..to`, from one end.
    fn range(
        &self,
        from: &[u8],
        to: &[u8],
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, ShelfError>;
    /// The record of a change; `None` when its bytes are damaged on disk.
    fn record(&self, place: Place) -> Result<Option<Bytes>, ShelfError>;
}

/// The keys. The first byte is the table; numbers are big-endian so that they sort.
pub(crate) mod key {
    use super::{DocumentId, Incarnation, NodeId, OfficeId};

    /// Whose calendar: one office's, or that of the documents everybody holds.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) enum Shared {
        Everyone,
        With(OfficeId),
    }

    const OFFICE_BYTES: usize = 32;

    fn table(name: u8, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![name];
        parts.iter().for_each(|part| key.extend_from_slice(part));
        key
    }

    fn padded(shared: Shared) -> [u8; OFFICE_BYTES] {
        let mut bytes = [0; OFFICE_BYTES];
        if let Shared::With(office) = shared {
            bytes[..office.as_str().len()].copy_from_slice(office.as_str().as_bytes());
        }
        bytes
    }

    /// The counts of everything.
    pub(crate) fn totals() -> Vec<u8> {
        table(b'T', &[])
    }

    /// Which document is the registry.
    pub(crate) fn genesis() -> Vec<u8> {
        table(b'g', &[])
    }

    /// What is known of one document, with its last entries.
    pub(crate) fn document(id: DocumentId) -> Vec<u8> {
        table(b'd', &[id.as_bytes()])
    }

    /// A full page of older entries of a document.
    pub(crate) fn page(id: DocumentId, number: u16) -> Vec<u8> {
        table(b'e', &[id.as_bytes(), &number.to_be_bytes()])
    }

    /// Says that a document has changes in an hour.
    pub(crate) fn hour(hour: u32, id: DocumentId) -> Vec<u8> {
        table(b'h', &[&hour.to_be_bytes(), id.as_bytes()])
    }

    /// The tally of one hour of a shared set.
    pub(crate) fn calendar(shared: Shared, hour: u32) -> Vec<u8> {
        table(b'c', &[&padded(shared), &hour.to_be_bytes()])
    }

    /// The tally of a whole shared set.
    pub(crate) fn root(shared: Shared) -> Vec<u8> {
        table(b'r', &[&padded(shared)])
    }

    /// Says that a document belongs to a shared set.
    pub(crate) fn member(shared: Shared, rank: u8, id: DocumentId) -> Vec<u8> {
        table(b'm', &[&padded(shared), &[rank], id.as_bytes()])
    }

    /// Which `seq`s of an incarnation are held.
    pub(crate) fn runs(node: NodeId, incarnation: Incarnation) -> Vec<u8> {
        table(b's', &[node.as_bytes(), &incarnation.0.to_be_bytes()])
    }

    /// What all keys of [`runs`] of a node start with.
    pub(crate) fn runs_of(node: NodeId) -> Vec<u8> {
        table(b's', &[node.as_bytes()])
    }

    /// The incarnation in a key of [`runs`].
    pub(crate) fn incarnation_of(key: &[u8]) -> Incarnation {
        let mut number = [0; 8];
        if let Some(last) = key.len().checked_sub(8) {
            number.copy_from_slice(&key[last..]);
        }
        Incarnation(u64::from_be_bytes(number))
    }

    /// How many changes of a node are held.
    pub(crate) fn authored(node: NodeId) -> Vec<u8> {
        table(b'a', &[node.as_bytes()])
    }

    /// Says that a document has waiting or quarantined changes.
    pub(crate) fn unsettled(id: DocumentId) -> Vec<u8> {
        table(b'w', &[id.as_bytes()])
    }

    /// What the peer office last said of this node's changes, and the last proof.
    pub(crate) fn peer(office: OfficeId) -> Vec<u8> {
        table(b'p', &[&padded(Shared::With(office))])
    }

    /// The document id in a key of [`hour`], [`member`] or [`unsettled`].
    pub(crate) fn document_of(key: &[u8]) -> DocumentId {
        let mut id = [0; 16];
        let from = key.len().saturating_sub(16);
        id[..key.len() - from].copy_from_slice(&key[from..]);
        DocumentId::from_bytes(id)
    }

    /// The hour in a key of [`calendar`].
    pub(crate) fn hour_of(key: &[u8]) -> u32 {
        let mut hour = [0; 4];
        if let Some(last) = key.len().checked_sub(4) {
            hour.copy_from_slice(&key[last..]);
        }
        u32::from_be_bytes(hour)
    }

    /// The first key after all that start with `prefix`.
    pub(crate) fn after(prefix: &[u8]) -> Vec<u8> {
        let mut end = prefix.to_vec();
        while let Some(last) = end.pop() {
            if let Some(next) = last.checked_add(1) {
                end.push(next);
                break;
            }
        }
        end
    }
}
