//! The index: a write-back layer over an engine, checkpointed together with its place in the log.
//!
//! Writes go to an overlay in memory. A checkpoint freezes the overlay and applies it, together
//! with the log position that it reflects, as one atomic batch on a thread of its own; reads look
//! into the overlay, then the frozen one, then the engine. What was written since the last
//! checkpoint is lost in a crash and comes back by replaying the log from that position.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use thiserror::Error;

use crate::engine::{
    Batch, Direction, Engine, EngineError, EngineStats, KeyRange, Visit, Write, Writes,
};
use crate::position::{Checkpoint, Damage, Stored};

/// How the index uses memory and threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSettings {
    /// The size of the overlay at which a checkpoint is due, in bytes. Default 2 MiB. Larger
    /// writes a key that changes often to the engine less often; after a crash more of the log is
    /// replayed. A process that kept writing to sled was measured at 140 MiB resident with 8 MiB
    /// and at 65 MiB with 2 MiB, which took 10 % fewer puts a second.
    pub overlay_bytes: usize,
    /// Who writes checkpoints.
    pub writing: Writing,
}

/// Who writes checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// A thread of the index, while the caller goes on.
    Behind,
    /// The caller, who waits: for simulations, where a crash must find the same state each time.
    Inline,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self { overlay_bytes: 2 << 20, writing: Writing::Behind }
    }
}

/// Why the index cannot be used.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The key or the value is too long, or the key is empty. Nothing was written.
    #[error(
        "entry with a key of {key_bytes} and a value of {value_bytes} bytes, the limits are \
         1 to {MAX_KEY_BYTES} and {MAX_VALUE_BYTES}"
    )]
    TooLarge {
        /// The length of the key.
        key_bytes: usize,
        /// The length of the value.
        value_bytes: usize,
    },
    /// The engine gave up, now or in the checkpoint before: end the process; the next start
    /// throws the index away and rebuilds it.
    #[error("the index cannot be used")]
    Engine {
        /// What it said.
        source: EngineError,
    },
    /// The engine gave up earlier: end the process.
    #[error("the index stopped after an error")]
    Stopped,
}

impl IndexError {
    /// Names the error for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "index-entry-too-large",
            Self::Engine { .. } => "index-failed",
            Self::Stopped => "index-stopped",
        }
    }

    /// Says what to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "report this as a fault of the program",
            Self::Engine { .. } | Self::Stopped => {
                "restart the node: the index is rebuilt from the log"
            }
        }
    }
}

/// The longest key, in bytes. A longer one is refused.
pub const MAX_KEY_BYTES: usize = 1 << 10;

/// The longest value, in bytes; sled moves larger ones into files of their own. A longer one is
/// refused.
pub const MAX_VALUE_BYTES: usize = 32 << 10;

/// An entry of the index: key and value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// What the index holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexStats {
    /// The size of the overlay, in bytes.
    pub overlay_bytes: usize,
    /// Whether a checkpoint is being written.
    pub writing: bool,
    /// The last checkpoint that was written.
    pub written: Checkpoint,
    /// What the engine holds.
    pub engine: EngineStats,
}

/// Ordered entries of opaque bytes with one writer.
pub struct Index {
    engine: Arc<dyn Engine>,
    overlay: Batch,
    overlay_bytes: usize,
    shared: Arc<Shared>,
    thread: Option<(Sender<Job>, JoinHandle<()>)>,
    known: BTreeSet<Damage>,
    doubted: bool,
}

struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
}

struct Slot {
    frozen: Frozen,
    written: Checkpoint,
}

/// What became of the last frozen overlay.
enum Frozen {
    Written,
    Writing(Arc<Batch>),
    /// The error is taken by whoever asks first.
    Failed(Option<EngineError>),
}

struct Job {
    batch: Arc<Batch>,
    checkpoint: Checkpoint,
}

impl Index {
    /// Opens an index over an engine, and says what place in the log it stands at; `None` if it
    /// never had a checkpoint.
    pub(crate) fn open(
        engine: Arc<dyn Engine>,
        settings: IndexSettings,
    ) -> Result<(Self, Option<Stored>), EngineError> {
        let stored = engine.get(STORED_KEY)?.and_then(|bytes| Stored::decode(&bytes));
        let Stored { checkpoint, known } = stored.clone().unwrap_or_default();
        let slot = Slot { frozen: Frozen::Written, written: checkpoint };
        let shared = Arc::new(Shared { slot: Mutex::new(slot), changed: Condvar::new() });
        let thread = match settings.writing {
            Writing::Inline => None,
            Writing::Behind => Some(spawn(Arc::clone(&engine), Arc::clone(&shared))?),
        };
        let (overlay, overlay_bytes, doubted) = (Batch::default(), settings.overlay_bytes, false);
        let index = Self { engine, overlay, overlay_bytes, shared, thread, known, doubted };
        Ok((index, stored))
    }

    /// Reads the value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        if let Some(value) = self.overlay.get(key) {
            return Ok(value.map(<[u8]>::to_vec));
        }
        if let Some(value) = self.frozen()?.as_ref().and_then(|frozen| frozen.get(key)) {
            return Ok(value.map(<[u8]>::to_vec));
        }
        if key.is_empty() {
            return Ok(None);
        }
        self.engine.get(key).map_err(|source| IndexError::Engine { source })
    }

    /// Writes a value; visible at once, kept from the next checkpoint on.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), IndexError> {
        self.write(key, Some(value))
    }

    /// Deletes a key, which need not exist.
    pub fn delete(&mut self, key: &[u8]) -> Result<(), IndexError> {
        self.write(key, None)
    }

    /// Reads at most `limit` entries of a range, in order.
    pub fn range(
        &self,
        range: &KeyRange,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Entry>, IndexError> {
        let mut entries = Vec::new();
        if limit == 0 {
            return Ok(entries);
        }
        let frozen = self.frozen()?;
        let frozen = match &frozen {
            Some(frozen) => frozen.range(range, direction),
            None => Box::new(std::iter::empty()),
        };
        let mut pending = Layers::new(self.overlay.range(range, direction), frozen, direction);
        let mut take = |key: &[u8], value: &[u8]| {
            entries.push((key.to_vec(), value.to_vec()));
            if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let mut full = false;
        let mut visit = |key: &[u8], value: &[u8]| {
            let outcome = pending.pass(key, value, &mut take);
            full = outcome.is_break();
            outcome
        };
        let read = self.engine.range(range, direction, &mut visit);
        read.map_err(|source| IndexError::Engine { source })?;
        if !full {
            let _ = pending.drain(&mut take);
        }
        Ok(entries)
    }

    /// Says whether the overlay has grown so large that a checkpoint should be made.
    pub fn checkpoint_due(&self) -> bool {
        self.overlay.bytes() >= self.overlay_bytes
    }

    /// Freezes what was written and has it stored with its place in the log: everything the log
    /// holds up to that place, and nothing behind it, must be reflected in this index.
    ///
    /// Returns at once, unless the checkpoint before is still being written: then it waits for
    /// that, which bounds the memory.
    pub fn checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), IndexError> {
        self.finish_checkpoint()?;
        let stored = Stored { checkpoint, known: self.known.clone() }.encode();
        let mut batch = std::mem::take(&mut self.overlay);
        batch.write(STORED_KEY, (!self.doubted).then_some(&stored));
        let batch = Arc::new(batch);
        self.shared.lock().frozen = Frozen::Writing(Arc::clone(&batch));
        let job = Job { batch, checkpoint };
        match &self.thread {
            // A thread that is gone has panicked outside the engine, which it cannot.
            Some((jobs, _)) => jobs.send(job).map_err(|_| IndexError::Stopped),
            None => {
                write(&*self.engine, &self.shared, &job);
                self.finish_checkpoint()
            }
        }
    }

    /// Waits until the checkpoint that is being written, if any, is done.
    pub fn finish_checkpoint(&mut self) -> Result<(), IndexError> {
        let mut slot = self.shared.lock();
        while let Frozen::Writing(_) = slot.frozen {
            slot = self.shared.changed.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
        slot.check()
    }

    /// Has this index thrown away at the next start, whatever is written to it until then: for a
    /// caller who found that it does not match the log.
    pub fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Says what the index holds.
    pub fn stats(&self) -> Result<IndexStats, IndexError> {
        let engine = self.engine.stats().map_err(|source| IndexError::Engine { source })?;
        let slot = self.shared.lock();
        let writing = matches!(slot.frozen, Frozen::Writing(_));
        let overlay_bytes = self.overlay.bytes();
        Ok(IndexStats { overlay_bytes, writing, written: slot.written, engine })
    }

    /// Remembers damage of the log that this index takes into account.
    pub(crate) fn know(&mut self, damages: &[Damage]) {
        self.known.extend(damages);
    }

    fn write(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), IndexError> {
        let (key_bytes, value_bytes) = (key.len(), value.map_or(0, <[u8]>::len));
        if key.is_empty() || key_bytes > MAX_KEY_BYTES || value_bytes > MAX_VALUE_BYTES {
            return Err(IndexError::TooLarge { key_bytes, value_bytes });
        }
        self.shared.lock().check()?;
        self.overlay.write(key, value);
        Ok(())
    }

    fn frozen(&self) -> Result<Option<Arc<Batch>>, IndexError> {
        let mut slot = self.shared.lock();
        slot.check()?;
        match &slot.frozen {
            Frozen::Writing(batch) => Ok(Some(Arc::clone(batch))),
            Frozen::Written | Frozen::Failed(_) => Ok(None),
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        if let Some((jobs, thread)) = self.thread.take() {
            drop(jobs);
            // What it had to say lies in the slot; nobody is left to ask.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn check(&mut self) -> Result<(), IndexError> {
        match &mut self.frozen {
            Frozen::Written | Frozen::Writing(_) => Ok(()),
            Frozen::Failed(error) => {
                let source = error.take().ok_or(IndexError::Stopped)?;
                Err(IndexError::Engine { source })
            }
        }
    }
}

fn spawn(
    engine: Arc<dyn Engine>,
    shared: Arc<Shared>,
) -> Result<(Sender<Job>, JoinHandle<()>), EngineError> {
    let (sender, jobs): (_, Receiver<Job>) = channel();
    let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(move || {
        for job in jobs {
            write(&*engine, &shared, &job);
        }
    });
    let thread = thread.map_err(|source| EngineError::Folder { source })?;
    Ok((sender, thread))
}

/// Writes a frozen overlay; only then may readers look past it.
fn write(engine: &dyn Engine, shared: &Shared, job: &Job) {
    let outcome = engine.apply(&job.batch).and_then(|()| engine.flush());
    let mut slot = shared.lock();
    match outcome {
        Ok(()) => {
            slot.written = job.checkpoint;
            slot.frozen = Frozen::Written;
        }
        Err(error) => slot.frozen = Frozen::Failed(Some(error)),
    }
    shared.changed.notify_all();
}

/// The two layers above the engine, merged in order; the upper one wins.
struct Layers<'a> {
    upper: Peekable<Writes<'a>>,
    lower: Peekable<Writes<'a>>,
    direction: Direction,
}

impl<'a> Layers<'a> {
    fn new(upper: Writes<'a>, lower: Writes<'a>, direction: Direction) -> Self {
        Self { upper: upper.peekable(), lower: lower.peekable(), direction }
    }

    /// Takes everything that comes before an entry of the engine, then that entry, unless it was
    /// overwritten or deleted above.
    fn pass(&mut self, key: &[u8], value: &[u8], take: Visit<'_>) -> ControlFlow<()> {
        while let Some(next) = self.peek().filter(|next| !self.is_before(key, next)) {
            let (overwrites, write) = (next == key, self.next());
            if let Some((key, Some(value))) = write {
                take(key, value)?;
            }
            if overwrites {
                return ControlFlow::Continue(());
            }
        }
        take(key, value)
    }

    fn drain(&mut self, take: Visit<'_>) -> ControlFlow<()> {
        while let Some((key, value)) = self.next() {
            if let Some(value) = value {
                take(key, value)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn peek(&mut self) -> Option<&'a [u8]> {
        let upper = self.upper.peek().map(|(key, _)| *key);
        let lower = self.lower.peek().map(|(key, _)| *key);
        match (upper, lower) {
            (Some(upper), Some(lower)) if self.is_before(lower, upper) => Some(lower),
            (Some(upper), _) => Some(upper),
            (None, lower) => lower,
        }
    }

    fn next(&mut self) -> Option<Write<'a>> {
        let key = self.peek()?;
        let lower = self.lower.next_if(|(lower, _)| *lower == key);
        self.upper.next_if(|(upper, _)| *upper == key).or(lower)
    }

    fn is_before(&self, one: &[u8], other: &[u8]) -> bool {
        match self.direction {
            Direction::Forward => one < other,
            Direction::Backward => one > other,
        }
    }
}

/// The key, which callers cannot use, of the place in the log.
const STORED_KEY: &[u8] = b"";

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
