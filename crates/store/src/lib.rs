//! The log and the index.
//!
//! The log is the truth: append-only segments of signed changes, synced before anything is
//! acknowledged. The index is a cache over sled that can be thrown away at any time and rebuilt
//! from the log. Every call here blocks; callers give it a thread of its own.

mod disk;
mod engine;
#[cfg(test)]
#[path = "fixture_tests.rs"]
mod fixture;
mod index;
mod log;
mod mark;
mod opening;
mod position;
mod reader;
mod record;
mod segment;
mod sim_disk;
mod spare;
mod store;

pub use disk::{Disk, DiskFile, RealDisk};
pub use engine::{Batch, Direction, Engine, EngineChoice, EngineError, EngineStats, KeyRange};
pub use engine::{MemoryEngine, SledEngine, SledSettings, Visit, Write, Writes};
pub use index::{Entry, Index, IndexError, IndexSettings, IndexStats, Writing};
pub use index::{MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use log::{AppendError, Log, LogSettings, OpenedLog};
pub use position::{Checkpoint, Damage, DamageKind, Location, Position};
pub use reader::{LogReader, ReadError, Record, Scanned};
pub use sim_disk::{DiskCall, Fault, SimDisk};
pub use store::{OpenError, Opened, RebuildReason, ReplayError, Store, StoreSettings};
