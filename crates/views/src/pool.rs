//! Readers of one view for many threads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::ViewError;
use crate::reader::Reader;

/// Readers of the view in one file. Each question takes one that nobody uses, or opens another;
/// it never waits for another question.
pub struct Pool {
    path: PathBuf,
    idle: Mutex<Idle>,
    /// Whether a question met damage, and nobody has done anything about it.
    is_damaged: AtomicBool,
}

/// Readers that nobody uses now, all of the file of this generation.
#[derive(Default)]
struct Idle {
    generation: u64,
    readers: Vec<Reader>,
}

impl Pool {
    /// Readers of the view that a file holds, or will hold: nothing is opened yet.
    pub fn new(path: PathBuf) -> Pool {
        Pool { path, idle: Mutex::default(), is_damaged: AtomicBool::new(false) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Asks the view something.
    ///
    /// # Errors
    /// What the question answers, and a file that does not open.
    pub fn read<T>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, ViewError>,
    ) -> Result<T, ViewError> {
        let (generation, idle) = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            (idle.generation, idle.readers.pop())
        };
        let reader = idle.map_or_else(|| Reader::open(&self.path), Ok)?;
        let answer = question(&reader).inspect_err(|error| {
            let is_damaged = matches!(error, ViewError::Damaged { .. });
            self.is_damaged.fetch_or(is_damaged, Ordering::Relaxed);
        })?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.generation == generation {
            idle.readers.push(reader);
        }
        Ok(answer)
    }

    /// Whether a question met damage since this was asked last.
    pub fn take_damage(&self) -> bool {
        self.is_damaged.swap(false, Ordering::Relaxed)
    }

    /// Closes the readers that nobody uses, and the others after use: the file is another one, or
    /// is to be left alone.
    pub fn renew(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.generation += 1;
        idle.readers.clear();
    }
}
