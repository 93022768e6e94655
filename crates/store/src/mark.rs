//! The mark: a small file that says up to where the log was acknowledged.
//!
//! It tells a torn tail from rot at the tail. Bytes past the mark may never have been promised to
//! anyone: if no good record begins there, they are cut. Bytes before it were synced and
//! acknowledged: if they cannot be read, that is damage, and they stay.
//!
//! The mark is written after each sync and never synced itself, so that it costs no time. It may
//! therefore lag after a power cut (until the system writes it back by itself, some 30 s), which
//! only makes the log more willing to cut what it cannot read anyway; it can never run ahead.
//! Two slots are written in turn, so a torn write leaves the one before.

use std::io;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::position::Position;
use crate::record::first;

const FILE_NAME: &str = "acknowledged";
const SLOT_BYTES: usize = 16;
/// Far enough apart that one torn page cannot hit both.
const SLOT_OFFSETS: [u64; 2] = [0, 4096];

/// The open mark file.
pub(crate) struct Mark {
    file: Arc<dyn DiskFile>,
    turn: usize,
}

impl Mark {
    /// Opens or creates the file and says which position it holds, if any.
    pub(crate) fn open(disk: &dyn Disk) -> io::Result<(Self, Option<Position>)> {
        let file = match disk.open(FILE_NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create(FILE_NAME)?,
            other => other?,
        };
        let slots = [read(&*file, 0)?, read(&*file, 1)?];
        let turn = usize::from(slots[0] >= slots[1]);
        Ok((Self { file, turn }, slots[0].max(slots[1])))
    }

    /// Writes a new position over the older slot. A failure is no harm: the mark only lags.
    pub(crate) fn set(&mut self, position: Position) {
        let mut bytes = [position.segment.to_le_bytes(), position.offset.to_le_bytes()].concat();
        let checksum = first::<8>(&blake3::hash(&bytes));
        bytes.extend_from_slice(&checksum);
        if self.file.write_at(&bytes, SLOT_OFFSETS[self.turn]).is_ok() {
            self.turn = 1 - self.turn;
        }
    }
}

/// Reads a slot, once more if it does not fit its checksum.
fn read(file: &dyn DiskFile, slot: usize) -> io::Result<Option<Position>> {
    match read_once(file, slot)? {
        None => read_once(file, slot),
        found => Ok(found),
    }
}

fn read_once(file: &dyn DiskFile, slot: usize) -> io::Result<Option<Position>> {
    let mut bytes = [0; SLOT_BYTES];
    if file.read_at(&mut bytes, SLOT_OFFSETS[slot])? < SLOT_BYTES {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h, checksum @ ..] = bytes;
    if checksum != first::<8>(&blake3::hash(&bytes[..8])) {
        return Ok(None);
    }
    let segment = u32::from_le_bytes([a, b, c, d]);
    Ok(Some(Position { segment, offset: u32::from_le_bytes([e, f, g, h]) }))
}

#[cfg(test)]
#[path = "mark_tests.rs"]
mod tests;
