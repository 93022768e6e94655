//! A disk that is full, or fails, when a test says so.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lienthong_store::{Disk, DiskFile, RealDisk};

/// A real folder on a disk that is full, or loses what is synced, when it is told to be.
pub struct Quota {
    inner: RealDisk,
    full: Arc<AtomicBool>,
    failing: Arc<AtomicBool>,
}

struct QuotaFile {
    inner: Arc<dyn DiskFile>,
    full: Arc<AtomicBool>,
    failing: Arc<AtomicBool>,
}

impl Quota {
    /// A disk with room, for the log in this folder.
    pub fn on(log: &Path) -> Arc<Quota> {
        let inner = RealDisk::open(log).expect("a folder of this test");
        Arc::new(Quota { inner, full: Arc::default(), failing: Arc::default() })
    }

    /// From now on nothing can be written.
    pub fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    /// There is space again.
    pub fn free(&self) {
        self.full.store(false, Ordering::SeqCst);
    }

    /// From now on no sync succeeds.
    pub fn fail_syncs(&self) {
        self.failing.store(true, Ordering::SeqCst);
    }

    fn limited(&self, inner: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        let (full, failing) = (Arc::clone(&self.full), Arc::clone(&self.failing));
        Arc::new(QuotaFile { inner, full, failing })
    }
}

impl DiskFile for QuotaFile {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.inner.write_at(bytes, offset)
    }
    fn truncate(&self, length: u64) -> io::Result<()> {
        self.inner.truncate(length)
    }
    fn sync_data(&self) -> io::Result<()> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk lost a write"));
        }
        self.inner.sync_data()
    }
}

impl Disk for Quota {
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.inner.open(name).map(|file| self.limited(file))
    }
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.inner.create(name).map(|file| self.limited(file))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
    fn sync_directory(&self) -> io::Result<()> {
        self.inner.sync_directory()
    }
    fn free_bytes(&self) -> io::Result<u64> {
        if self.full.load(Ordering::SeqCst) { Ok(0) } else { self.inner.free_bytes() }
    }
}
