//! The look at the log when it is opened: what is its end, what is torn, what is damaged.

use std::io;
use std::sync::Arc;

use lienthong_protocol::Tally;

use crate::disk::DiskFile;
use crate::log::{OpenSegment, Tail};
use crate::position::{Damage, DamageKind, Position};
use crate::reader::{LogReader, ReadError, Surveyed};
use crate::record::FRAME_BYTES;
use crate::segment::{Found, HEADER_BYTES, Walk, read_surely};

/// The segments to look at, and what is known from elsewhere.
pub(crate) struct Look<'a> {
    pub(crate) reader: &'a LogReader,
    pub(crate) acknowledged: Option<Position>,
    pub(crate) watch: Option<Position>,
}

/// What the look found.
#[derive(Default)]
pub(crate) struct Opening {
    pub(crate) tail: Tail,
    pub(crate) tally: Tally,
    pub(crate) damages: Vec<Damage>,
    pub(crate) torn_bytes: u32,
    pub(crate) watched: Option<Tally>,
}

impl Look<'_> {
    pub(crate) fn run(&self) -> Result<Opening, ReadError> {
        let everything = Position { segment: u32::MAX, offset: u32::MAX };
        let mut survey = self.reader.survey(0, everything)?;
        let mut opening = Opening { damages: survey.damages, ..Opening::default() };
        let last = survey.segments.pop();
        let acknowledged = self.acknowledged.unwrap_or_default();
        for number in last.as_ref().map_or(0, |last| last.number) + 1..=acknowledged.segment {
            let kind = DamageKind::Lost;
            opening.damages.push(Damage::new(number, 0, 0, kind));
            if opening.damages.len() > MAX_LOST {
                break;
            }
        }
        let Some(last) = last else { return Ok(opening) };
        opening.tally = self.reader.tally_before(&last)?;
        self.walk_last(&last, &mut opening)?;
        opening.damages.sort_unstable();
        Ok(opening)
    }

    fn walk_last(&self, last: &Surveyed, opening: &mut Opening) -> Result<(), ReadError> {
        let segment = last.number;
        let io = |source| ReadError::Io { segment, source };
        let mut walk = Walk::hashing(&*last.file, segment, last.length).map_err(io)?;
        let mut length = last.length;
        while let Some(found) = walk.next().map_err(io)? {
            match found {
                Found::Record { offset, change } => {
                    opening.tally.add(change.id());
                    let offset = offset + FRAME_BYTES + change.bytes().len() as u32;
                    if self.watch == Some(Position { segment, offset }) {
                        opening.watched = Some(opening.tally);
                    }
                }
                Found::Gap { offset, bytes } if self.is_torn(last, offset, bytes) => {
                    length = offset;
                    opening.torn_bytes = bytes;
                }
                Found::Gap { offset, bytes } => {
                    let kind = DamageKind::Records;
                    opening.damages.push(Damage::new(segment, offset, bytes, kind));
                }
            }
        }
        let promised = self.promised(segment);
        if promised > length {
            let (offset, bytes) = (length, promised - length);
            let kind = DamageKind::Lost;
            opening.damages.push(Damage::new(segment, offset, bytes, kind));
        }
        let hasher = walk.into_hasher().unwrap_or_default();
        let hasher = Box::new(self.settle_tail(last, length, hasher).map_err(io)?);
        let file = Arc::clone(&last.file);
        let open = OpenSegment { number: segment, file, length, hasher };
        let damaged = opening.damages.iter().any(|damage| damage.segment >= segment);
        opening.tail = if damaged { open.seal(opening.tally) } else { Tail::Open(open) };
        Ok(())
    }

    /// Tells a torn write from rot: it reaches to the end of the last segment, and nothing of it
    /// was ever acknowledged.
    fn is_torn(&self, last: &Surveyed, offset: u32, bytes: u32) -> bool {
        offset + bytes == last.length && self.promised(last.number) <= offset
    }

    /// The bytes of a segment that were acknowledged for certain.
    fn promised(&self, segment: u32) -> u32 {
        let inside = self.acknowledged.filter(|position| position.segment == segment);
        inside.map_or(0, |position| position.offset)
    }

    /// Cuts a torn tail, and writes again what was not certainly acknowledged before it: after a
    /// failed sync the system may show bytes that never reached the disk.
    fn settle_tail(
        &self,
        last: &Surveyed,
        length: u32,
        hasher: blake3::Hasher,
    ) -> io::Result<blake3::Hasher> {
        let file = &*last.file;
        let cut = length < last.length;
        if cut {
            file.truncate(u64::from(length))?;
        }
        let doubtful = self.promised(last.number).max(HEADER_BYTES)..length;
        copy(file, doubtful.clone(), |bytes, offset| file.write_at(bytes, offset))?;
        if cut || !doubtful.is_empty() {
            file.sync_data()?;
        }
        if !cut {
            return Ok(hasher);
        }
        let mut hasher = blake3::Hasher::new();
        copy(file, 0..length, |bytes, _| {
            hasher.update(bytes);
            Ok(())
        })?;
        Ok(hasher)
    }
}

fn copy(
    file: &dyn DiskFile,
    range: std::ops::Range<u32>,
    mut sink: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut at = range.start;
    let mut chunk = vec![0; COPY_BYTES.min(range.len())];
    while at < range.end {
        let bytes = chunk.len().min((range.end - at) as usize);
        let count = read_surely(file, &mut chunk[..bytes], u64::from(at))?;
        if count == 0 {
            break;
        }
        sink(&chunk[..count], u64::from(at))?;
        at += count as u32;
    }
    Ok(())
}

const COPY_BYTES: usize = 1 << 20;

/// How many lost segments are listed one by one.
const MAX_LOST: usize = 1000;
