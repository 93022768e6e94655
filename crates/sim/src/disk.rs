//! A simulated disk whose reads can fail, too, and the store over it as the replica's shelf.
//!
//! The simulated disk of the store loses power, runs full, fails to write and rots; reading is
//! perfect there. Here a read may fail, or bring what lies elsewhere, as a misdirected read does.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use lienthong_replica::{Order, Pair, Place, Replica, Shelf, ShelfError, Stored, inspect};
use lienthong_store::{
    Checkpoint, Direction, Disk, DiskFile, IndexError, KeyRange, Location, LogReader, ReadError,
    SimDisk, Store,
};

use crate::process::{Stop, broken};

/// How many records are replayed at a time, as in the node.
const REPLAY_RECORDS: usize = 256;

/// What goes wrong with one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRead {
    /// The system reports an error.
    Fails,
    /// The bytes come from this many bytes further on, and nobody reports it.
    Elsewhere {
        /// How far.
        bytes: u16,
    },
}

/// A [`SimDisk`] and the faults of its next reads; clones share both.
#[derive(Clone, Default)]
pub(crate) struct ReadFaults {
    /// The disk below, for what is no read.
    pub(crate) below: SimDisk,
    planned: Arc<Mutex<Planned>>,
}

#[derive(Default)]
struct Planned {
    /// How many reads pass well before each fault.
    faults: VecDeque<(u32, BadRead)>,
    suspended: bool,
}

impl ReadFaults {
    /// Lets the read after `reads` more go wrong.
    pub(crate) fn plan(&self, reads: u32, fault: BadRead) {
        self.state().faults.push_back((reads, fault));
    }

    /// Forgets the faults that no read has met yet.
    pub(crate) fn calm(&self) {
        self.state().faults.clear();
    }

    /// Lets an observer read without meeting or moving what is planned.
    pub(crate) fn suspend(&self, suspended: bool) {
        self.state().suspended = suspended;
    }

    /// The same disk with other contents, such as a backup; nothing is planned for it.
    pub(crate) fn over(below: SimDisk) -> ReadFaults {
        ReadFaults { below, planned: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<BadRead> {
        let mut state = self.state();
        if state.suspended {
            return None;
        }
        let (reads, fault) = state.faults.front_mut()?;
        if *reads > 0 {
            *reads -= 1;
            return None;
        }
        let fault = *fault;
        state.faults.pop_front();
        Some(fault)
    }

    fn wrap(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(ReadFaultsFile { file, disk: self.clone() })
    }
}

impl Disk for ReadFaults {
    fn list(&self) -> io::Result<Vec<String>> {
        self.below.list()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.wrap(self.below.open(name)?))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.wrap(self.below.create(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.below.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.below.remove(name)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.below.sync_directory()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.below.free_bytes()
    }
}

struct ReadFaultsFile {
    file: Arc<dyn DiskFile>,
    disk: ReadFaults,
}

impl DiskFile for ReadFaultsFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.disk.next() {
            None => self.file.read_at(buffer, offset),
            Some(BadRead::Fails) => Err(io::Error::other("injected failure of a read")),
            Some(BadRead::Elsewhere { bytes }) => {
                self.file.read_at(buffer, offset.saturating_add(u64::from(bytes)))
            }
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The store as the replica's shelf: what `node/src/shelf.rs` is in the node, which stands above
/// this crate.
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

    /// Where records were met that cannot be read, since this was last asked.
    pub(crate) fn take_damaged(&self) -> BTreeSet<Place> {
        self.damaged.take()
    }
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
        self.store.index().range(&range, limit, direction).map_err(|error| failed(&error))
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

/// Takes in what the log holds and the index does not.
pub(crate) fn replay(
    replica: &mut Replica<StoreShelf>,
    reader: &LogReader,
    from: Checkpoint,
) -> Result<(), Stop> {
    let mut stored = Vec::new();
    let mut failure = None;
    let scanned = reader.scan(from, &mut |record| {
        if let Ok(item) = inspect(record.change) {
            stored.push(Stored { item, place: place(record.location) });
        }
        if stored.len() < REPLAY_RECORDS {
            return ControlFlow::Continue(());
        }
        let replayed = replica.replay(std::mem::take(&mut stored)).and_then(|()| {
            let index = replica.shelf_mut().store.index_mut();
            let due = index.checkpoint_due();
            if due { index.checkpoint(record.after).map_err(|e| failed(&e)) } else { Ok(()) }
        });
        failure = replayed.err();
        if failure.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    scanned.map_err(broken)?;
    match failure {
        Some(error) => Err(broken(error)),
        None => replica.replay(stored).map_err(broken),
    }
}

/// The replica's word for a place in the log.
pub(crate) fn place(location: Location) -> Place {
    Place { segment: location.segment, offset: location.offset, length: location.length }
}

pub(crate) fn failed(error: &IndexError) -> ShelfError {
    ShelfError { cause: error.to_string() }
}
