//! The spare: a second copy of the few changes that a node cannot ask anybody for.
//!
//! What rots in the log comes back from a peer. Who the peers are and where they live stands in the
//! log too: a node whose registry rotted while it was switched off would know nobody to ask. So the
//! registry's changes are kept a second time, in a file that is written whole, synced, and renamed
//! over the one before. It lags behind the log and is never believed before it: what the log holds
//! is taken from there.
//!
//! The file is laid out like a segment with the number 0, which no segment has.

use std::io;

use lienthong_protocol::Change;

use crate::disk::Disk;
use crate::record::{self, Place};
use crate::segment::{Found, HEADER_BYTES, SegmentHeader, Walk};

const FILE_NAME: &str = "spare";
const FRESH_NAME: &str = "spare.new";
const NUMBER: u32 = 0;

/// The most that is kept, in bytes: a registry of thousands of nodes.
const MAX_BYTES: usize = 64 << 20;

/// Keeps these changes instead of those that were kept before.
pub(crate) fn keep(disk: &dyn Disk, changes: &[Change]) -> io::Result<()> {
    let header = SegmentHeader { number: NUMBER, ..SegmentHeader::genesis() };
    let mut bytes = header.encode().to_vec();
    for change in changes {
        let offset = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        record::encode(Place { segment: NUMBER, offset }, change.bytes(), &mut bytes);
        if bytes.len() > MAX_BYTES {
            return Err(io::Error::other("the spare copy would be longer than 64 MiB"));
        }
    }
    let file = disk.create(FRESH_NAME)?;
    file.write_at(&bytes, 0)?;
    file.sync_data()?;
    disk.rename(FRESH_NAME, FILE_NAME)?;
    disk.sync_directory()
}

/// Reads what is kept; records that cannot be read are left out, and without a file it is nothing.
pub(crate) fn read(disk: &dyn Disk) -> io::Result<Vec<Change>> {
    let file = match disk.open(FILE_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let length = u32::try_from(file.len()?.min(MAX_BYTES as u64)).unwrap_or(u32::MAX);
    let mut walk = Walk::new(&*file, NUMBER, HEADER_BYTES, length);
    let mut changes = Vec::new();
    while let Some(found) = walk.next()? {
        if let Found::Record { change, .. } = found {
            changes.push(*change);
        }
    }
    Ok(changes)
}

#[cfg(test)]
#[path = "spare_tests.rs"]
mod tests;
