//! The log: the one truth of a node, appended to in groups and never rewritten.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use lienthong_protocol::{Change, Tally};
use thiserror::Error;

use crate::disk::{Disk, DiskFile};
use crate::mark::Mark;
use crate::opening::{Look, Opening};
use crate::position::{Checkpoint, Damage, Location, Position};
use crate::reader::{LogReader, ReadError};
use crate::record::{self, FRAME_BYTES, Place};
use crate::segment::{HEADER_BYTES, SegmentHeader, file_name, number_of};

/// How the log uses its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The length at which a segment is sealed and the next one begun, in bytes. Default 64 MiB;
    /// at most 1 GiB. Larger makes the start slower, which reads the last segment whole; smaller
    /// makes more files.
    pub segment_bytes: u32,
    /// The space that stays free on the disk, in bytes. Default 64 MiB. Below it new changes are
    /// refused while reading goes on; too small, and the index, which needs room to be rebuilt in,
    /// runs out of space first.
    pub reserve_bytes: u64,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, reserve_bytes: 64 << 20 }
    }
}

/// Why changes were not appended. None of them is visible to readers.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The disk is full, or nearly. Nothing was written; the next append looks again.
    #[error("disk has {free_bytes} bytes free, {needed_bytes} are needed")]
    Full {
        /// What is free.
        free_bytes: u64,
        /// What must be free: the records and the reserve.
        needed_bytes: u64,
    },
    /// The changes do not fit into one group; append them in smaller ones.
    #[error("group of {bytes} bytes, the limit is {MAX_GROUP_BYTES}")]
    TooLarge {
        /// What the group takes in the log.
        bytes: u64,
    },
    /// Writing or syncing failed, so nobody knows what is on the disk. The log takes no more
    /// changes: end the process and open the log anew.
    #[error("the log cannot be written")]
    Failed {
        /// What the system said.
        source: io::Error,
    },
    /// An earlier append failed: end the process and open the log anew.
    #[error("the log stopped after a failed write")]
    Stopped,
}

impl AppendError {
    /// Names the error for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "disk-full",
            Self::TooLarge { .. } => "group-too-large",
            Self::Failed { .. } => "log-write-failed",
            Self::Stopped => "log-stopped",
        }
    }

    /// Says what to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Full { .. } => "free space on the disk; work goes on without a restart",
            Self::TooLarge { .. } => "append fewer changes at once",
            Self::Failed { .. } | Self::Stopped => {
                "check the disk and the system's log, then restart the node"
            }
        }
    }
}

/// The append-only log of one node; there is one per folder, and it has one writer.
pub struct Log {
    disk: Arc<dyn Disk>,
    settings: LogSettings,
    reader: LogReader,
    mark: Mark,
    tail: Tail,
    tally: Tally,
    space: Space,
    buffer: Vec<u8>,
}

/// What opening found.
pub struct OpenedLog {
    /// The log, ready for reading and appending.
    pub log: Log,
    /// What headers and the last segment show to be broken; [`LogReader::verify`] looks further.
    pub damages: Vec<Damage>,
    /// How many bytes of a torn, never acknowledged write were cut off.
    pub torn_bytes: u32,
    /// The end of the log.
    pub end: Checkpoint,
    /// The tally at the watched position, if a record of the last segment ends there.
    pub(crate) watched: Option<Tally>,
}

/// Where the next record goes.
pub(crate) enum Tail {
    /// Into this segment.
    Open(OpenSegment),
    /// Into a segment that is still to be made, with this header. `end` is the end of the log.
    Sealed { next: SegmentHeader, end: Position },
    /// Nowhere: a write failed. `end` is the last thing that is known.
    Stopped { end: Position },
}

pub(crate) struct OpenSegment {
    pub(crate) number: u32,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) length: u32,
    pub(crate) hasher: Box<blake3::Hasher>,
}

impl Log {
    /// Opens the log in a folder, or begins one; cuts a torn tail and reports damage.
    ///
    /// Reads the headers of all segments and the records of the last one. Bytes at the very end
    /// that are no record are cut if they lie past the mark of what was acknowledged, which is in
    /// the file `acknowledged`; everything else that is unreadable stays and is reported, and a
    /// segment with damage takes no more records.
    ///
    /// # Errors
    /// The disk fails. A damaged log is no error.
    pub fn open(disk: Arc<dyn Disk>, settings: LogSettings) -> Result<OpenedLog, ReadError> {
        Self::open_watching(disk, settings, None)
    }

    pub(crate) fn open_watching(
        disk: Arc<dyn Disk>,
        settings: LogSettings,
        watch: Option<Position>,
    ) -> Result<OpenedLog, ReadError> {
        let settings = LogSettings {
            segment_bytes: settings.segment_bytes.min(MAX_SEGMENT_BYTES),
            ..settings
        };
        let io = |source| ReadError::Io { segment: 0, source };
        let segments = tidy(&*disk).map_err(io)?;
        let (mark, acknowledged) = Mark::open(&*disk).map_err(io)?;
        let reader = LogReader::new(Arc::clone(&disk), segments);
        let look = Look { reader: &reader, acknowledged, watch };
        let Opening { tail, tally, damages, torn_bytes, watched } = look.run()?;
        // A process that died between a rename and its sync leaves a segment that a power cut
        // takes away again, with all that was appended to it meanwhile.
        disk.sync_directory().map_err(io)?;
        let space = Space::new(settings.reserve_bytes);
        let buffer = Vec::new();
        let mut log = Self { disk, settings, reader, mark, tail, tally, space, buffer };
        let end = log.end();
        log.reader.set_end(end.position);
        if acknowledged != Some(end.position) && end.position.segment > 0 {
            log.mark.set(end.position);
        }
        Ok(OpenedLog { log, damages, torn_bytes, end, watched })
    }

    /// Appends changes as one group: one write, one sync. When it returns they are durable and
    /// visible, in this order; on an error none of them is.
    pub fn append(&mut self, changes: &[Change]) -> Result<Vec<Location>, AppendError> {
        if let Tail::Stopped { .. } = self.tail {
            return Err(AppendError::Stopped);
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let bytes: u64 = changes.iter().map(record_bytes).sum();
        if bytes > u64::from(MAX_GROUP_BYTES) {
            return Err(AppendError::TooLarge { bytes });
        }
        self.space.claim(&*self.disk, bytes).or_else(|error| self.refuse(error))?;
        self.make_room(bytes as u32)?;
        let written = self.write(changes);
        // A group may be large; the buffer for the usual ones is kept.
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BUFFER_BYTES);
        written
    }

    /// Says where the log ends and what it holds up to there.
    pub fn end(&self) -> Checkpoint {
        let position = match &self.tail {
            Tail::Open(segment) => Position { segment: segment.number, offset: segment.length },
            Tail::Sealed { end, .. } | Tail::Stopped { end } => *end,
        };
        Checkpoint { position, tally: self.tally }
    }

    /// Gives the disk that the log lies on.
    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Gives a reader of this log, for any thread.
    pub fn reader(&self) -> LogReader {
        self.reader.clone()
    }

    /// Says whether a failed write or sync has stopped the log.
    pub fn is_stopped(&self) -> bool {
        matches!(self.tail, Tail::Stopped { .. })
    }

    /// Seals a segment that is full and makes the one that takes the next `bytes`.
    fn make_room(&mut self, bytes: u32) -> Result<(), AppendError> {
        if let Tail::Open(segment) = &self.tail {
            let holds_records = segment.length > HEADER_BYTES;
            let full = segment.length.saturating_add(bytes) > self.settings.segment_bytes;
            if !(full && holds_records) {
                return Ok(());
            }
            self.tail = segment.seal(self.tally);
        }
        let Tail::Sealed { next, .. } = &self.tail else {
            return Ok(());
        };
        match create_segment(&*self.disk, next) {
            Ok(segment) => {
                self.reader.add_segment(segment.number);
                self.tail = Tail::Open(segment);
                Ok(())
            }
            Err(error) => self.refuse(error),
        }
    }

    fn write(&mut self, changes: &[Change]) -> Result<Vec<Location>, AppendError> {
        let Tail::Open(segment) = &mut self.tail else {
            return Err(AppendError::Stopped);
        };
        let mut locations = Vec::with_capacity(changes.len());
        for change in changes {
            let offset = segment.length + self.buffer.len() as u32;
            let place = Place { segment: segment.number, offset };
            record::encode(place, change.bytes(), &mut self.buffer);
            let length = change.bytes().len() as u32;
            locations.push(Location { segment: segment.number, offset, length });
        }
        if let Err(error) = segment.file.write_at(&self.buffer, u64::from(segment.length)) {
            let cut = !is_full(&error) || segment.cut_back().is_err();
            return if cut { Err(self.stop(error)) } else { self.refuse(error) };
        }
        if let Err(error) = segment.file.sync_data() {
            return Err(self.stop(error));
        }
        segment.hasher.update(&self.buffer);
        segment.length += self.buffer.len() as u32;
        for change in changes {
            self.tally.add(change.id());
        }
        self.space.spend(self.buffer.len() as u64);
        let end = self.end().position;
        self.reader.set_end(end);
        self.mark.set(end);
        Ok(locations)
    }

    /// Turns a full disk into a refusal that leaves the log running; anything else stops it.
    fn refuse<T>(&mut self, error: io::Error) -> Result<T, AppendError> {
        if !is_full(&error) {
            return Err(self.stop(error));
        }
        // The guard let it through, so what it knew was old.
        if let Err(error) = self.space.ask(&*self.disk) {
            return Err(self.stop(error));
        }
        let needed_bytes = self.space.needed_bytes;
        Err(AppendError::Full { free_bytes: self.space.free_bytes, needed_bytes })
    }

    fn stop(&mut self, source: io::Error) -> AppendError {
        self.tail = Tail::Stopped { end: self.end().position };
        AppendError::Failed { source }
    }
}

impl OpenSegment {
    pub(crate) fn seal(&self, tally: Tally) -> Tail {
        let next = SegmentHeader {
            number: self.number + 1,
            previous: *self.hasher.finalize().as_bytes(),
            previous_bytes: self.length,
            before: tally,
        };
        Tail::Sealed { next, end: Position { segment: self.number, offset: self.length } }
    }

    /// Takes a refused write back, durably: after a power cut it must not show up as accepted.
    fn cut_back(&self) -> io::Result<()> {
        self.file.truncate(u64::from(self.length))?;
        self.file.sync_data()
    }
}

impl Default for Tail {
    fn default() -> Self {
        Self::Sealed { next: SegmentHeader::genesis(), end: Position::default() }
    }
}

/// What is known about the free space, so that most appends need not ask.
struct Space {
    reserve_bytes: u64,
    free_bytes: u64,
    spent_bytes: u64,
    needed_bytes: u64,
}

impl Space {
    fn new(reserve_bytes: u64) -> Self {
        Self { reserve_bytes, free_bytes: 0, spent_bytes: 0, needed_bytes: 0 }
    }

    /// Says whether the disk has room for a group and the reserve; asks it only near the limit or
    /// after some megabytes.
    fn claim(&mut self, disk: &dyn Disk, bytes: u64) -> io::Result<()> {
        self.needed_bytes = self.reserve_bytes.saturating_add(bytes + u64::from(HEADER_BYTES));
        let left = self.free_bytes.saturating_sub(self.spent_bytes);
        let near = left < self.needed_bytes.saturating_add(ASK_AFTER_BYTES);
        if near || self.spent_bytes > ASK_AFTER_BYTES {
            self.ask(disk)?;
        }
        if self.free_bytes.saturating_sub(self.spent_bytes) < self.needed_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn spend(&mut self, bytes: u64) {
        self.spent_bytes += bytes;
    }

    fn ask(&mut self, disk: &dyn Disk) -> io::Result<()> {
        self.free_bytes = disk.free_bytes()?;
        self.spent_bytes = 0;
        Ok(())
    }
}

/// Makes a segment under a passing name, so that one that has its own name has a whole header.
fn create_segment(disk: &dyn Disk, header: &SegmentHeader) -> io::Result<OpenSegment> {
    let name = file_name(header.number);
    let passing = format!("{name}{PASSING}");
    let bytes = header.encode();
    let file = disk.create(&passing)?;
    if let Err(error) = file.write_at(&bytes, 0) {
        // What is left of it is removed at the next start at the latest.
        let _ = disk.remove(&passing);
        return Err(error);
    }
    let rest = || -> io::Result<()> {
        file.sync_data()?;
        disk.rename(&passing, &name)?;
        disk.sync_directory()
    };
    // A full disk that shows up this late is no refusal: a sync is never tried again.
    rest().map_err(|error| io::Error::other(error.to_string()))?;
    let mut hasher = Box::new(blake3::Hasher::new());
    hasher.update(&bytes);
    Ok(OpenSegment { number: header.number, file, length: HEADER_BYTES, hasher })
}

/// Removes segments that were never finished and lists the others.
fn tidy(disk: &dyn Disk) -> io::Result<BTreeSet<u32>> {
    let mut segments = BTreeSet::new();
    for name in disk.list()? {
        if let Some(number) = number_of(&name) {
            segments.insert(number);
        } else if name.strip_suffix(PASSING).and_then(number_of).is_some() {
            disk.remove(&name)?;
        }
    }
    Ok(segments)
}

fn record_bytes(change: &Change) -> u64 {
    u64::from(FRAME_BYTES) + change.bytes().len() as u64
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The ending of a segment that is being made.
const PASSING: &str = ".new";

/// The most bytes that one append writes. More is refused; callers append in several groups.
const MAX_GROUP_BYTES: u32 = 64 << 20;

/// Offsets are 32 bits wide, and a group may overrun the length at which a segment is sealed.
const MAX_SEGMENT_BYTES: u32 = 1 << 30;

/// After how many appended bytes, or how near to the limit, the free space is asked for again.
const ASK_AFTER_BYTES: u64 = 4 << 20;

const KEPT_BUFFER_BYTES: usize = 1 << 20;

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
