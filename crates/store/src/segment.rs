//! One file of the log: its header, and the walk over its records that survives damage.
//!
//! ```text
//! [u8; 8]  "lienlog\0"          u32 LE  format, 1            u32 LE  number of the segment
//! [u8; 32] BLAKE3 of the whole segment before (zeros: none)  u32 LE  its length in bytes
//! u64 LE   count, [u8; 32] sum: the tally of all records before this segment
//! [u8; 8]  BLAKE3 of the bytes above, first 8 bytes
//! ```

use std::io;

use bytes::Bytes;
use lienthong_protocol::{Change, Tally};

use crate::disk::DiskFile;
use crate::record::{FRAME_BYTES, Frame, MAX_BODY_BYTES, Place, first};

/// Length of a segment's header, in bytes.
pub(crate) const HEADER_BYTES: u32 = 100;

const MAGIC: &[u8; 8] = b"lienlog\0";
const FORMAT: u32 = 1;
const SUMMED_BYTES: usize = 92;

/// What a segment says about itself and about everything before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u32,
    pub(crate) previous: [u8; 32],
    pub(crate) previous_bytes: u32,
    pub(crate) before: Tally,
}

impl SegmentHeader {
    /// The header of the first segment of all.
    pub(crate) fn genesis() -> Self {
        Self { number: 1, previous: [0; 32], previous_bytes: 0, before: Tally::default() }
    }

    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES as usize] {
        let summed = [
            &MAGIC[..],
            &FORMAT.to_le_bytes(),
            &self.number.to_le_bytes(),
            &self.previous,
            &self.previous_bytes.to_le_bytes(),
            &self.before.count.to_le_bytes(),
            &self.before.sum,
        ]
        .concat();
        let mut bytes = [0; HEADER_BYTES as usize];
        bytes[..SUMMED_BYTES].copy_from_slice(&summed);
        bytes[SUMMED_BYTES..].copy_from_slice(&first::<8>(&blake3::hash(&summed)));
        bytes
    }

    /// Decodes the header of segment `number`, or nothing if it is damaged or another segment's.
    pub(crate) fn decode(bytes: &[u8], number: u32) -> Option<Self> {
        let (summed, checksum) = bytes.get(..HEADER_BYTES as usize)?.split_at(SUMMED_BYTES);
        if checksum != first::<8>(&blake3::hash(summed)) {
            return None;
        }
        let rest = summed.strip_prefix(MAGIC)?.strip_prefix(&FORMAT.to_le_bytes())?;
        let rest = rest.strip_prefix(&number.to_le_bytes())?;
        let (previous, rest) = rest.split_first_chunk()?;
        let (previous_bytes, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let before = Tally { count: u64::from_le_bytes(*count), sum: *rest.first_chunk()? };
        let previous_bytes = u32::from_le_bytes(*previous_bytes);
        Some(Self { number, previous: *previous, previous_bytes, before })
    }

    /// Reads the header of a segment file; `None` inside if it is damaged.
    pub(crate) fn read(file: &dyn DiskFile, number: u32) -> io::Result<Option<Self>> {
        Ok(Self::decode(&header_bytes(file, number)?, number))
    }
}

/// The bytes at the start of a segment file, read once more if they are no header of it.
fn header_bytes(file: &dyn DiskFile, number: u32) -> io::Result<Vec<u8>> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; HEADER_BYTES as usize];
        let count = file.read_at(&mut bytes, 0)?;
        bytes.truncate(count);
        Ok(bytes)
    };
    let bytes = read()?;
    if SegmentHeader::decode(&bytes, number).is_some() { Ok(bytes) } else { read() }
}

/// Names the file of a segment.
pub(crate) fn file_name(number: u32) -> String {
    format!("segment-{number:08}.log")
}

/// Reads the number out of a segment's file name.
pub(crate) fn number_of(name: &str) -> Option<u32> {
    let number = name.strip_prefix("segment-")?.strip_suffix(".log")?.parse().ok()?;
    (number > 0 && number <= MAX_NUMBER && file_name(number) == name).then_some(number)
}

/// The last number that fits the file name; at 64 MiB each that is six petabytes.
const MAX_NUMBER: u32 = 99_999_999;

/// What a [`Walk`] meets: every byte of the segment belongs to exactly one of these.
#[derive(Debug)]
pub(crate) enum Found {
    /// A good record.
    Record { offset: u32, change: Box<Change> },
    /// Bytes in which no good record begins.
    Gap { offset: u32, bytes: u32 },
}

/// A walk over the records of one segment, in bounded memory, that hashes every byte it passes.
/// What fits no record is read a second time before it counts as a gap.
pub(crate) struct Walk<'a> {
    file: &'a dyn DiskFile,
    number: u32,
    end: u32,
    at: u32,
    window: Vec<u8>,
    window_at: u32,
    /// Where the next record or gap begins.
    start: u32,
    /// Where the window was read a second time last.
    doubted: Option<u32>,
    /// Set once a record was found by searching: what lies there may have been put into a payload
    /// by its author to look like a record, so signatures are checked from then on.
    searched: bool,
    ready: Option<(u32, Box<Change>)>,
    hasher: Option<blake3::Hasher>,
}

impl<'a> Walk<'a> {
    /// Starts at the record at `at` and goes up to `end`.
    pub(crate) fn new(file: &'a dyn DiskFile, number: u32, at: u32, end: u32) -> Self {
        let window = Vec::new();
        let at = at.max(HEADER_BYTES).min(end);
        Self {
            file,
            number,
            end,
            at,
            window,
            window_at: at,
            start: at,
            doubted: None,
            searched: false,
            ready: None,
            hasher: None,
        }
    }

    /// Starts at the first record and hashes the segment from its first byte on.
    pub(crate) fn hashing(file: &'a dyn DiskFile, number: u32, end: u32) -> io::Result<Self> {
        let mut walk = Self::new(file, number, HEADER_BYTES, end);
        let header = header_bytes(file, number)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header[..header.len().min(end as usize)]);
        walk.hasher = Some(hasher);
        Ok(walk)
    }

    /// Goes on to the next record or gap; nothing at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        if let Some((offset, change)) = self.ready.take() {
            return Ok(Some(Found::Record { offset, change }));
        }
        let start = self.at;
        self.start = start;
        while self.at < self.end {
            let at = self.at;
            let Some(change) = self.step()? else { continue };
            if at == start {
                return Ok(Some(Found::Record { offset: at, change }));
            }
            self.ready = Some((at, change));
            return Ok(Some(Found::Gap { offset: start, bytes: at - start }));
        }
        Ok((start < self.end).then_some(Found::Gap { offset: start, bytes: self.end - start }))
    }

    /// Gives the hash over all bytes up to the end, once the walk is over.
    pub(crate) fn into_hasher(self) -> Option<blake3::Hasher> {
        let mut hasher = self.hasher?;
        hasher.update(&self.window);
        Some(hasher)
    }

    /// Takes the record at the present offset, or moves on to where the next one may begin.
    fn step(&mut self) -> io::Result<Option<Box<Change>>> {
        let place = Place { segment: self.number, offset: self.at };
        let Some(frame) = self.frame(place)? else {
            if self.reads_otherwise()? {
                return Ok(None);
            }
            self.searched = true;
            self.at += 1;
            return Ok(None);
        };
        let begin = place.offset + FRAME_BYTES;
        if frame.length > self.end - begin {
            // Nothing follows a record that runs over the end, unless its guard lies by chance.
            self.at += 1;
            self.searched = true;
            return Ok(None);
        }
        self.load(begin, frame.length)?;
        let body = self.slice(begin, frame.length);
        let change = if frame.fits(place, body) { self.decode(body) } else { None };
        if change.is_none() && self.reads_otherwise()? {
            return Ok(None);
        }
        match change {
            Some(change) => {
                self.at = begin + frame.length;
                Ok(Some(change))
            }
            None if self.searched => {
                self.at += 1;
                Ok(None)
            }
            None => {
                // The guard vouches for the length, so the next record begins right behind.
                self.at = begin + frame.length;
                Ok(None)
            }
        }
    }

    fn decode(&self, body: &[u8]) -> Option<Box<Change>> {
        let bytes = Bytes::copy_from_slice(body);
        let change = if self.searched { Change::open(bytes) } else { Change::trusted(bytes) };
        change.ok().map(Box::new)
    }

    fn frame(&mut self, place: Place) -> io::Result<Option<Frame>> {
        if self.end - place.offset <= FRAME_BYTES {
            self.load(place.offset, self.end - place.offset)?;
            return Ok(None);
        }
        self.load(place.offset, FRAME_BYTES)?;
        let bytes = self.slice(place.offset, FRAME_BYTES).first_chunk();
        Ok(bytes.and_then(|bytes| Frame::decode(bytes, place)))
    }

    fn slice(&self, offset: u32, bytes: u32) -> &[u8] {
        let from = (offset - self.window_at) as usize;
        &self.window[from..from + bytes as usize]
    }

    /// Makes the window hold these bytes, which lie before the end, and those from the present
    /// offset on: what begins there may turn out to be no record. A file that became shorter
    /// meanwhile reads as zeros.
    fn load(&mut self, offset: u32, bytes: u32) -> io::Result<()> {
        let loaded = self.window_at + self.window.len() as u32;
        if offset + bytes <= loaded {
            return Ok(());
        }
        let passed = self.window.drain(..(self.at - self.window_at) as usize);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(passed.as_slice());
        }
        drop(passed);
        self.window_at = self.at;
        let more = (offset + bytes - loaded).max(CHUNK_BYTES).min(self.end - loaded) as usize;
        let old = self.window.len();
        self.window.resize(old + more, 0);
        let (fresh, loaded) = (&mut self.window[old..], u64::from(loaded));
        // Nobody doubts what is met in the middle of a gap: it must come from here for certain.
        match self.at == self.start {
            true => self.file.read_at(fresh, loaded)?,
            false => read_surely(self.file, fresh, loaded)?,
        };
        Ok(())
    }

    /// Reads the window once more where a record should begin and none does; says whether it
    /// holds other bytes now.
    fn reads_otherwise(&mut self) -> io::Result<bool> {
        if self.at != self.start || self.doubted == Some(self.at) {
            return Ok(false);
        }
        self.doubted = Some(self.at);
        let mut again = vec![0; self.window.len()];
        read_surely(self.file, &mut again, u64::from(self.window_at))?;
        let is_other = again != self.window;
        self.window = again;
        Ok(is_other)
    }
}

/// Reads until two reads bring the same: what a read brought from elsewhere, it brings once.
pub(crate) fn read_surely(
    file: &dyn DiskFile,
    buffer: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut before = vec![0; buffer.len()];
    let mut count = file.read_at(&mut before, offset)?;
    for _ in 0..MAX_READS {
        let again = file.read_at(buffer, offset)?;
        if again == count && buffer[..again] == before[..again] {
            return Ok(count);
        }
        before.copy_from_slice(buffer);
        count = again;
    }
    Err(io::Error::other("the disk brings other bytes each time"))
}

/// How often one place is read at most.
const MAX_READS: usize = 4;

/// How much is read at once, in bytes; larger reads less often and holds more memory.
const CHUNK_BYTES: u32 = MAX_BODY_BYTES;
