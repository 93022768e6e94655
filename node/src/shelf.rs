//! The store as the replica's shelf.

use bytes::Bytes;
use lienthong_replica::{Order, Pair, Place, Shelf, ShelfError};
use lienthong_store::{Direction, IndexError, KeyRange, Location, LogReader, ReadError, Store};

/// The index of a store, and its log for reading.
pub(crate) struct StoreShelf {
    pub(crate) store: Store,
    reader: LogReader,
}

impl StoreShelf {
    pub(crate) fn new(store: Store) -> StoreShelf {
        StoreShelf { reader: store.reader(), store }
    }
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
            Err(_) => Ok(None),
        }
    }
}

pub(crate) fn failed(error: &IndexError) -> ShelfError {
    ShelfError { cause: error.to_string() }
}
