//! The seam between the index and an ordered key-value engine: sled on disk, or a map in memory.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::{Bound, ControlFlow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use thiserror::Error;

/// What the index asks of an engine. Calls block, on the disk too; keys are ordered bytewise.
pub trait Engine: Send + Sync {
    /// Reads the value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;

    /// Visits the entries of a range in order until the visitor breaks off.
    fn range(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), EngineError>;

    /// Applies a batch as a whole: after a crash all of it is there or nothing.
    fn apply(&self, batch: &Batch) -> Result<(), EngineError>;

    /// Hands everything applied to the system.
    fn flush(&self) -> Result<(), EngineError>;

    /// Says how much the engine holds.
    fn stats(&self) -> Result<EngineStats, EngineError>;
}

/// Takes entries, key and value, until it breaks off.
pub type Visit<'v> = &'v mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// What an engine holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineStats {
    /// The name of the engine: `sled` or `memory`.
    pub name: &'static str,
    /// What it takes on disk, or in memory if it has no disk, in bytes.
    pub bytes: u64,
}

/// Why an engine gave up. Unless it says otherwise: end the process; the next start throws the
/// index away and rebuilds it from the log.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Sled reports an error.
    #[error("sled failed")]
    Sled {
        /// What sled said.
        source: sled::Error,
    },
    /// Sled met a state that its authors held impossible.
    #[error("sled panicked")]
    Panicked,
    /// The folder of the index cannot be used. Says nothing against the index, which is kept.
    #[error("the folder of the index cannot be used")]
    Folder {
        /// What the system said.
        source: io::Error,
    },
    /// Another process, or another store of this one, has the index open. It is kept.
    #[error("the index is in use")]
    InUse,
    /// An earlier use of this index did not end well.
    #[error("the index was in doubt")]
    Doubted,
}

impl EngineError {
    /// Says whether what the engine holds must not be believed any more.
    pub(crate) fn is_doubt(&self) -> bool {
        match self {
            Self::Sled { .. } | Self::Panicked | Self::Doubted => true,
            Self::Folder { .. } | Self::InUse => false,
        }
    }
}

/// A range of keys: from, included, to the end, left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    from: Vec<u8>,
    to: Option<Vec<u8>>,
}

/// In which order a range is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The smallest key first.
    Forward,
    /// The largest key first.
    Backward,
}

impl KeyRange {
    /// All keys.
    pub fn all() -> Self {
        Self { from: Vec::new(), to: None }
    }

    /// The keys from `from`, included, to `to`, left out.
    pub fn between(from: &[u8], to: &[u8]) -> Self {
        Self { from: from.to_vec(), to: Some(to.to_vec()) }
    }

    /// The keys that begin with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        let kept = prefix.iter().rposition(|byte| *byte < u8::MAX);
        let to = kept.map(|last| {
            let mut to = prefix[..=last].to_vec();
            to[last] += 1;
            to
        });
        Self { from: prefix.to_vec(), to }
    }

    /// Says whether no key can be in the range.
    pub fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }

    /// The bounds without the reserved empty key; to be used only if the range is not empty.
    fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let from = match self.from.as_slice() {
            [] => Bound::Excluded(&[][..]),
            from => Bound::Included(from),
        };
        (from, self.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded))
    }
}

/// Writes that belong together: the last one of each key counts.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

/// One entry of a [`Batch`]: a value to be put, or `None` for a key to be deleted.
pub type Write<'a> = (&'a [u8], Option<&'a [u8]>);

impl Batch {
    /// Adds the put of a value, or with `None` the deletion of the key.
    pub fn write(&mut self, key: &[u8], value: Option<&[u8]>) {
        let value = value.map(<[u8]>::to_vec);
        self.bytes += value.as_ref().map_or(0, Vec::len);
        match self.writes.get_mut(key) {
            Some(old) => {
                self.bytes -= old.as_ref().map_or(0, Vec::len);
                *old = value;
            }
            None => {
                self.bytes += key.len() + ENTRY_BYTES;
                self.writes.insert(key.to_vec(), value);
            }
        }
    }

    /// Says what the batch does to a key: nothing, delete it (`Some(None)`), or put a value.
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.writes.get(key).map(Option::as_deref)
    }

    /// Gives the writes of a range in order.
    pub fn range(&self, range: &KeyRange, direction: Direction) -> Writes<'_> {
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let writes = self.writes.range::<[u8], _>(range.bounds());
        let writes = writes.map(|(key, value)| (key.as_slice(), value.as_deref()));
        match direction {
            Direction::Forward => Box::new(writes),
            Direction::Backward => Box::new(writes.rev()),
        }
    }

    /// Says about how much memory the batch takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Says how many keys are written.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Says whether no key is written.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

/// Writes of a batch, in the order asked for.
pub type Writes<'a> = Box<dyn Iterator<Item = Write<'a>> + 'a>;

/// What an entry takes in a map beyond its bytes, about.
const ENTRY_BYTES: usize = 80;

/// Which engine holds the index, and where.
#[derive(Clone)]
pub enum EngineChoice {
    /// Sled, in a folder on disk.
    Sled(SledSettings),
    /// A map in memory; who keeps a clone of it keeps the index over a restart of the store.
    Memory(MemoryEngine),
}

/// Where and how sled keeps the index.
#[derive(Clone, Debug)]
pub struct SledSettings {
    /// A folder for the index alone; everything in it may be deleted.
    pub directory: PathBuf,
    /// The size of sled's page cache, in bytes. Default 16 MiB. Larger reads faster and makes the
    /// process larger by several times that much.
    pub cache_bytes: u64,
}

impl SledSettings {
    /// Takes a folder and the default cache.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), cache_bytes: 16 << 20 }
    }
}

impl EngineChoice {
    /// Opens the engine, or says why what it holds cannot be used.
    pub(crate) fn open(&self) -> Result<Arc<dyn Engine>, EngineError> {
        match self {
            Self::Sled(settings) => Ok(Arc::new(SledEngine::open(settings)?)),
            Self::Memory(engine) => Ok(Arc::new(engine.clone())),
        }
    }

    /// Deletes everything that the engine holds; it must not be open.
    pub(crate) fn wipe(&self) -> Result<(), EngineError> {
        match self {
            Self::Sled(settings) => {
                let _lock = lock(settings)?;
                let removed = absent_is_fine(fs::remove_dir_all(settings.directory.join(SLED)))
                    .and_then(|()| absent_is_fine(fs::remove_file(doubt_of(settings))));
                removed.map_err(|source| EngineError::Folder { source })
            }
            Self::Memory(engine) => {
                engine.clear();
                Ok(())
            }
        }
    }
}

/// The index on disk: one tree of sled 0.34.
///
/// While it is being opened, and for ever after an error, a file `doubt` lies beside it, so that
/// also an abort or an endless wait inside sled ends in a rebuild at the next start.
pub struct SledEngine {
    tree: sled::Db,
    doubt: PathBuf,
    /// Let go after the tree, which is the order of the fields.
    _lock: File,
}

impl SledEngine {
    /// Opens or creates the index in a folder.
    ///
    /// # Errors
    /// What lies there is in doubt, unreadable, or makes sled panic.
    pub fn open(settings: &SledSettings) -> Result<Self, EngineError> {
        let folder = |source| EngineError::Folder { source };
        let lock = lock(settings)?;
        let doubt = doubt_of(settings);
        if doubt.exists() {
            return Err(EngineError::Doubted);
        }
        wait_for_sled(&settings.directory.join(SLED).join("db"))?;
        fs::write(&doubt, b"").map_err(folder)?;
        let tree = guarded(|| {
            let config = sled::Config::new()
                .path(settings.directory.join(SLED))
                .cache_capacity(settings.cache_bytes)
                .flush_every_ms(None);
            let tree = config.open()?;
            tree.get(b"")?;
            tree.first()?;
            tree.last()?;
            Ok(tree)
        })?;
        fs::remove_file(&doubt).map_err(folder)?;
        Ok(Self { tree, doubt, _lock: lock })
    }

    fn guarded<T>(&self, call: impl FnOnce() -> sled::Result<T>) -> Result<T, EngineError> {
        guarded(call).inspect_err(|_| {
            // If even this fails the checks at the next start still find what they can.
            let _ = fs::write(&self.doubt, b"");
        })
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.guarded(|| Ok(self.tree.get(key)?.map(|value| value.to_vec())))
    }

    fn range(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), EngineError> {
        if range.is_empty() {
            return Ok(());
        }
        self.guarded(|| {
            let mut entries = self.tree.range::<&[u8], _>(range.bounds());
            loop {
                let entry = match direction {
                    Direction::Forward => entries.next(),
                    Direction::Backward => entries.next_back(),
                };
                let Some((key, value)) = entry.transpose()? else {
                    return Ok(());
                };
                if visit(&key, &value).is_break() {
                    return Ok(());
                }
            }
        })
    }

    fn apply(&self, batch: &Batch) -> Result<(), EngineError> {
        self.guarded(|| {
            let mut writes = sled::Batch::default();
            for (key, value) in &batch.writes {
                match value {
                    Some(value) => writes.insert(key.as_slice(), value.as_slice()),
                    None => writes.remove(key.as_slice()),
                }
            }
            self.tree.apply_batch(writes)
        })
    }

    fn flush(&self) -> Result<(), EngineError> {
        self.guarded(|| self.tree.flush().map(|_| ()))
    }

    fn stats(&self) -> Result<EngineStats, EngineError> {
        let bytes = self.guarded(|| self.tree.size_on_disk())?;
        Ok(EngineStats { name: "sled", bytes })
    }
}

/// The index in memory; clones share it.
#[derive(Clone, Default)]
pub struct MemoryEngine {
    entries: Arc<RwLock<Batch>>,
}

impl MemoryEngine {
    /// Makes an empty engine.
    pub fn new() -> Self {
        Self::default()
    }

    /// Deletes every entry.
    pub fn clear(&self) {
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Batch::default();
    }
}

impl Engine for MemoryEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        Ok(entries.get(key).flatten().map(<[u8]>::to_vec))
    }

    fn range(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), EngineError> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in entries.range(range, direction) {
            if value.is_some_and(|value| visit(key, value).is_break()) {
                break;
            }
        }
        Ok(())
    }

    fn apply(&self, batch: &Batch) -> Result<(), EngineError> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in &batch.writes {
            match value {
                Some(value) => entries.write(key, Some(value)),
                None => entries.forget(key),
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), EngineError> {
        Ok(())
    }

    fn stats(&self) -> Result<EngineStats, EngineError> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        Ok(EngineStats { name: "memory", bytes: entries.bytes() as u64 })
    }
}

impl Batch {
    fn forget(&mut self, key: &[u8]) {
        if let Some(value) = self.writes.remove(key) {
            self.bytes -= key.len() + ENTRY_BYTES + value.as_ref().map_or(0, Vec::len);
        }
    }
}

fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, EngineError> {
    // After a panic nothing of this engine is used again, so a broken state cannot be seen.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(outcome) => outcome.map_err(|source| EngineError::Sled { source }),
        Err(_) => Err(EngineError::Panicked),
    }
}

/// Takes the folder for this engine alone.
fn lock(settings: &SledSettings) -> Result<File, EngineError> {
    let folder = |source| EngineError::Folder { source };
    fs::create_dir_all(&settings.directory).map_err(folder)?;
    let file = File::create(settings.directory.join("lock")).map_err(folder)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => return Err(folder(source)),
        }
    }
    Err(EngineError::InUse)
}

/// Waits until sled has let go of its file. It closes behind the caller, on threads of its own,
/// and tells nobody when it is done; without this wait a sound index would look broken.
fn wait_for_sled(file: &Path) -> Result<(), EngineError> {
    let folder = |source| EngineError::Folder { source };
    let file = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(folder)?,
    };
    for _ in 0..CLOSING_TRIES {
        match file.try_lock() {
            Ok(()) => return file.unlock().map_err(folder),
            Err(TryLockError::WouldBlock) => std::thread::sleep(CLOSING_PAUSE),
            Err(TryLockError::Error(source)) => return Err(folder(source)),
        }
    }
    Err(EngineError::InUse)
}

fn doubt_of(settings: &SledSettings) -> PathBuf {
    Path::new(&settings.directory).join("doubt")
}

fn absent_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// How often, and how far apart, sled's file is tried: 5 s in all, a thousand times what it takes.
/// A child that another thread starts holds a copy of every lock until it runs its own program.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(5);
const CLOSING_TRIES: u32 = 2500;
const CLOSING_PAUSE: Duration = Duration::from_millis(2);

/// The folder of sled's own files.
const SLED: &str = "sled";

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
