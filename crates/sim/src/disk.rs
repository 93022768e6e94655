//! A simulated disk whose reads can fail, too.
//!
//! The simulated disk of the store loses power, runs full, fails to write and rots; reading is
//! perfect there. Here a read may fail, or bring what lies elsewhere, as a misdirected read does.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lienthong_store::{Disk, DiskFile, SimDisk};

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
