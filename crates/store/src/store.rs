//! The store: log and index opened together, and the decision whether the index can be believed.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use lienthong_protocol::Change;
use thiserror::Error;

use crate::disk::Disk;
use crate::engine::{EngineChoice, EngineError};
use crate::index::{Index, IndexError, IndexSettings};
use crate::log::{AppendError, Log, LogSettings, OpenedLog};
use crate::position::{Checkpoint, Damage, Location, Position, Stored};
use crate::reader::{LogReader, ReadError, Record, Scanned};
use crate::spare;

/// How the store uses disk, memory and threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreSettings {
    /// How the log uses its disk.
    pub log: LogSettings,
    /// How the index uses memory and threads.
    pub index: IndexSettings,
}

/// One node's log and the index over it.
pub struct Store {
    log: Log,
    index: Index,
}

/// What opening found, and what is left to do.
pub struct Opened {
    /// The store. Before it is used, [`Store::replay`] must bring the index up to the log.
    pub store: Store,
    /// Where the replay begins: at the index's checkpoint, or at the start of the log.
    pub replay_from: Checkpoint,
    /// Why the index was thrown away, if it was; it is empty then.
    pub rebuild: Option<RebuildReason>,
    /// What is broken in the log as far as opening looks.
    pub damages: Vec<Damage>,
    /// How many bytes of a torn, never acknowledged write were cut off.
    pub torn_bytes: u32,
    /// The end of the log.
    pub end: Checkpoint,
}

/// Why an index was thrown away.
#[derive(Debug, Error)]
pub enum RebuildReason {
    /// There is no index, or one without a checkpoint.
    #[error("the index has no checkpoint")]
    Missing,
    /// The index cannot be opened.
    #[error("the index is unreadable")]
    Unreadable(#[source] EngineError),
    /// The index knows more than the log holds: the log is an older one.
    #[error("the index stands at {index}, the log ends at {log}")]
    Ahead {
        /// Where the index stands.
        index: Position,
        /// Where the log ends.
        log: Position,
    },
    /// The log holds other records before the index's position than the index was made from.
    #[error("the index was made from other records than the log has before {index}")]
    Different {
        /// Where the index stands.
        index: Position,
    },
    /// The log has damage that the index was made without knowing.
    #[error("the log has new damage: {0}")]
    Damaged(Damage),
}

/// Why a store cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The disk of the log failed.
    #[error("the log cannot be opened")]
    Log {
        /// What was read, and what the system said.
        source: ReadError,
    },
    /// The index is in use or its folder cannot be used, so not even an empty one can be made.
    #[error("the index cannot be opened")]
    Index {
        /// What the engine said.
        source: EngineError,
    },
}

impl OpenError {
    /// Names the error for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Log { .. } => "log-open-failed",
            Self::Index { .. } => "index-open-failed",
        }
    }

    /// Says what to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Log { .. } => "check that the data folder is readable and its disk is sound",
            Self::Index { source: EngineError::InUse } => {
                "end the other process of this node first"
            }
            Self::Index { .. } => "check that the data folder is writable and its disk has room",
        }
    }
}

/// Why a replay ended early. The index is incomplete: open the store anew.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The log cannot be read.
    #[error("the log cannot be replayed")]
    Log {
        /// What was read, and what the system said.
        source: ReadError,
    },
    /// The index cannot be written.
    #[error("the index cannot be rebuilt")]
    Index {
        /// What the index said.
        source: IndexError,
    },
}

impl Store {
    /// Opens log and index and compares them; an index in any doubt is thrown away.
    ///
    /// # Errors
    /// The disk of the log fails, or an empty index cannot be made. Damage is no error.
    pub fn open(
        disk: Arc<dyn Disk>,
        engine: &EngineChoice,
        settings: StoreSettings,
    ) -> Result<Opened, OpenError> {
        let index = engine.open().and_then(|engine| Index::open(engine, settings.index));
        let index = match index {
            Err(source) if !source.is_doubt() => return Err(OpenError::Index { source }),
            other => other,
        };
        let stored = index.as_ref().ok().and_then(|(_, stored)| stored.clone());
        let watch = stored.as_ref().map(|stored| stored.checkpoint.position);
        let opened = Log::open_watching(disk, settings.log, watch);
        let opened = opened.map_err(|source| OpenError::Log { source })?;
        let judged = judge(&opened, index).map_err(|source| OpenError::Log { source })?;
        let (mut index, replay_from, rebuild) = match judged {
            Ok((index, checkpoint)) => (index, checkpoint, None),
            Err(reason) => {
                let index = begin(engine, settings.index);
                let index = index.map_err(|source| OpenError::Index { source })?;
                // An empty log needs no index: nothing was lost, and there is nothing to tell.
                let empty =
                    matches!(reason, RebuildReason::Missing) && opened.end == Checkpoint::default();
                (index, Checkpoint::default(), (!empty).then_some(reason))
            }
        };
        index.know(&opened.damages);
        let OpenedLog { log, damages, torn_bytes, end, .. } = opened;
        let store = Self { log, index };
        Ok(Opened { store, replay_from, rebuild, damages, torn_bytes, end })
    }

    /// Hands every record behind a checkpoint to `apply`, which enters it into the index, and
    /// makes checkpoints on the way and at the end.
    pub fn replay(
        &mut self,
        from: Checkpoint,
        apply: &mut dyn FnMut(&mut Index, &Record) -> Result<(), IndexError>,
    ) -> Result<Scanned, ReplayError> {
        let index = &mut self.index;
        let mut failed = None;
        let scanned = self.log.reader().scan(from, &mut |record| {
            let mut entered = apply(index, &record);
            if entered.is_ok() && index.checkpoint_due() {
                entered = index.checkpoint(record.after);
            }
            failed = entered.err();
            if failed.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let scanned = scanned.map_err(|source| ReplayError::Log { source })?;
        if let Some(source) = failed {
            return Err(ReplayError::Index { source });
        }
        if scanned.records > 0 || !scanned.damages.is_empty() {
            self.checkpoint().map_err(|source| ReplayError::Index { source })?;
        }
        Ok(scanned)
    }

    /// Appends changes to the log as one durable group; see [`Log::append`]. Entering them into
    /// the index is the caller's work, before the next checkpoint.
    pub fn append(&mut self, changes: &[Change]) -> Result<Vec<Location>, AppendError> {
        self.log.append(changes)
    }

    /// Stores the index as it is, as the reflection of the whole log; see [`Index::checkpoint`].
    pub fn checkpoint(&mut self) -> Result<(), IndexError> {
        self.index.checkpoint(self.log.end())
    }

    /// Makes a last checkpoint and waits for it, so that the next start replays nothing.
    pub fn close(mut self) -> Result<(), IndexError> {
        self.checkpoint()?;
        self.index.finish_checkpoint()
    }

    /// Keeps a second copy of these changes beside the log, instead of what was kept before: of
    /// those that no peer can bring back, because they say who the peers are.
    ///
    /// # Errors
    /// The disk fails or is full, or it is more than 64 MiB; then what was kept before stays.
    pub fn keep_spare(&self, changes: &[Change]) -> io::Result<()> {
        spare::keep(self.log.disk(), changes)
    }

    /// Reads what [`Store::keep_spare`] kept, as far as it can be read.
    ///
    /// # Errors
    /// The disk fails. No copy, or a damaged one, is no error.
    pub fn spare(&self) -> io::Result<Vec<Change>> {
        spare::read(self.log.disk())
    }

    /// Gives the log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Gives a reader of the log, for any thread.
    pub fn reader(&self) -> LogReader {
        self.log.reader()
    }

    /// Gives the index for reading.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Gives the index for writing.
    pub fn index_mut(&mut self) -> &mut Index {
        &mut self.index
    }
}

type Judged = Result<(Index, Checkpoint), RebuildReason>;

/// Decides whether an index fits the log; an error of the log itself is no verdict.
fn judge(
    log: &OpenedLog,
    index: Result<(Index, Option<Stored>), EngineError>,
) -> Result<Judged, ReadError> {
    let (index, stored) = match index {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(RebuildReason::Unreadable(error))),
    };
    let Some(Stored { checkpoint, known }) = stored else {
        return Ok(Err(RebuildReason::Missing));
    };
    let Checkpoint { position, tally } = checkpoint;
    if position > log.end.position {
        let (index, log) = (position, log.end.position);
        return Ok(Err(RebuildReason::Ahead { index, log }));
    }
    let counted = match log.watched {
        Some(tally) => Some(tally),
        None => log.log.reader().tally_at(position)?,
    };
    if counted != Some(tally) {
        return Ok(Err(RebuildReason::Different { index: position }));
    }
    if let Some(damage) = log.damages.iter().find(|damage| !known.contains(damage)) {
        return Ok(Err(RebuildReason::Damaged(*damage)));
    }
    Ok(Ok((index, checkpoint)))
}

/// Makes an empty index; the old one is closed.
fn begin(engine: &EngineChoice, settings: IndexSettings) -> Result<Index, EngineError> {
    engine.wipe()?;
    Ok(Index::open(engine.open()?, settings)?.0)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
