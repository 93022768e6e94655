//! A full disk refuses new work, goes on reading, and recovers without a restart.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lienthong::{Exit, Folder, Node};
use lienthong_store::{Disk, DiskFile, RealDisk};
use lienthong_tests::World;

/// A real folder on a disk that is full when it is told to be.
struct Quota {
    inner: RealDisk,
    full: Arc<AtomicBool>,
}

struct QuotaFile {
    inner: Arc<dyn DiskFile>,
    full: Arc<AtomicBool>,
}

impl Quota {
    fn limited(&self, inner: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(QuotaFile { inner, full: Arc::clone(&self.full) })
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

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_new_work_and_recovers_without_a_restart() {
    let mut world = World::new().await;
    let code = world.invite("EAST").await;
    let folder: Folder = world.try_join("EAST", &code).await.expect("joins");
    let inner = RealDisk::open(folder.log()).expect("a folder");
    let disk = Arc::new(Quota { inner, full: Arc::new(AtomicBool::new(false)) });
    let seam: Arc<dyn Disk> = disk.clone();
    let node = Node::start_on(folder, &world.settings(), seam).await.expect("starts");
    world.add("EAST", node);
    let before = world.receive("EAST", "Nguyễn Văn An").await;
    world.settle().await;

    disk.full.store(true, Ordering::SeqCst);
    let refused = world.try_receive("EAST", "Trần Thị Bình").await.expect_err("the disk is full");
    assert_eq!((refused.code.as_str(), refused.exit), ("disk-full", Exit::Store));
    world.show("EAST", &before).await.expect("reading goes on");

    disk.full.store(false, Ordering::SeqCst);
    let after = world.receive("EAST", "Trần Thị Bình").await;
    world.settle().await;
    assert!(world.show("HUB", &after).await.is_ok());
}
