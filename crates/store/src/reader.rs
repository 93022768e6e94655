//! Reading the log: one record by its location, all records in order, and the check of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use lienthong_protocol::{Change, Tally};
use thiserror::Error;

use crate::disk::{Disk, DiskFile};
use crate::position::{Checkpoint, Damage, DamageKind, Location, Position};
use crate::record::{FRAME_BYTES, Frame, MAX_BODY_BYTES, Place};
use crate::segment::{Found, HEADER_BYTES, SegmentHeader, Walk, file_name};

/// Reads acknowledged records; cheap to clone, and used by any number of threads while one
/// [`crate::Log`] appends. Every call blocks on the disk.
#[derive(Clone)]
pub struct LogReader {
    shared: Arc<Shared>,
}

struct Shared {
    disk: Arc<dyn Disk>,
    segments: Mutex<BTreeSet<u32>>,
    files: Mutex<BTreeMap<u32, Arc<dyn DiskFile>>>,
    end: AtomicU64,
}

/// Why a record cannot be given.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The location is past what was acknowledged: it came from an index that is ahead of this
    /// log. Rebuild the index.
    #[error("no record at {location}, the log ends at {end}")]
    Past {
        /// What was asked for.
        location: Location,
        /// The end of the log.
        end: Position,
    },
    /// The bytes there are not the ones that were written. Have the index rebuilt, which leaves
    /// the record out, and get the change from a peer.
    #[error("the record at {location} is damaged")]
    Damaged {
        /// What was asked for.
        location: Location,
    },
    /// The disk failed; the same call may succeed later.
    #[error("segment {segment} cannot be read")]
    Io {
        /// The segment that was read.
        segment: u32,
        /// What the system said.
        source: io::Error,
    },
}

impl ReadError {
    /// Names the error for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Past { .. } => "log-read-past-end",
            Self::Damaged { .. } => "log-damaged",
            Self::Io { .. } => "log-read-failed",
        }
    }

    /// Says what to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Past { .. } => "restart the node: the index is rebuilt from the log",
            Self::Damaged { .. } => {
                "restart the node and let it settle: the change comes back from a peer; \
                 then check the disk"
            }
            Self::Io { .. } => "check the disk and the system's log, then restart the node",
        }
    }
}

/// A record met by [`LogReader::scan`].
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it lies.
    pub location: Location,
    /// The change in it.
    pub change: Change,
    /// The position behind it and the tally up to and including it.
    pub after: Checkpoint,
}

/// How a scan ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// How many records were met.
    pub records: u64,
    /// Up to where.
    pub end: Checkpoint,
    /// What could not be read on the way.
    pub damages: Vec<Damage>,
}

/// What the headers say about the segments, without reading their records.
pub(crate) struct Survey {
    pub(crate) segments: Vec<Surveyed>,
    pub(crate) damages: Vec<Damage>,
}

pub(crate) struct Surveyed {
    pub(crate) number: u32,
    pub(crate) file: Arc<dyn DiskFile>,
    /// The bytes that are there and belong to the segment.
    pub(crate) length: u32,
    pub(crate) header: Option<SegmentHeader>,
}

impl LogReader {
    pub(crate) fn new(disk: Arc<dyn Disk>, segments: BTreeSet<u32>) -> Self {
        let (segments, files) = (Mutex::new(segments), Mutex::default());
        Self { shared: Arc::new(Shared { disk, segments, files, end: AtomicU64::new(0) }) }
    }

    /// Says up to where the log is acknowledged.
    pub fn end(&self) -> Position {
        let end = self.shared.end.load(Ordering::Acquire);
        Position { segment: (end >> 32) as u32, offset: end as u32 }
    }

    pub(crate) fn set_end(&self, end: Position) {
        let end = u64::from(end.segment) << 32 | u64::from(end.offset);
        self.shared.end.store(end, Ordering::Release);
    }

    pub(crate) fn add_segment(&self, number: u32) {
        lock(&self.shared.segments).insert(number);
    }

    /// Reads the bytes of one change and checks them against their checksum; what does not fit is
    /// read once more, because a read that went astray does so rarely twice.
    pub fn read(&self, location: Location) -> Result<Bytes, ReadError> {
        let Location { segment, offset, length } = location;
        let end = self.end();
        let behind = u64::from(offset) + u64::from(FRAME_BYTES) + u64::from(length);
        let fits = segment < end.segment || behind <= u64::from(end.offset);
        if segment > end.segment || !fits || length > MAX_BODY_BYTES {
            return Err(ReadError::Past { location, end });
        }
        let file = match self.file(segment) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ReadError::Damaged { location });
            }
            other => other.map_err(|source| ReadError::Io { segment, source })?,
        };
        let read =
            || read_one(&*file, location).map_err(|source| ReadError::Io { segment, source });
        let found = match read()? {
            None => read()?,
            found => found,
        };
        found.ok_or(ReadError::Damaged { location })
    }

    /// Visits every good record behind `from`, in order and in bounded memory, until the end as it
    /// was at the call or until the visitor breaks off. Damage is passed over and listed.
    ///
    /// `from` is the start, or a checkpoint that this log gave.
    pub fn scan(
        &self,
        from: Checkpoint,
        visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
    ) -> Result<Scanned, ReadError> {
        let end = self.end();
        let survey = self.survey(from.position.segment, end)?;
        let mut scanned = Scanned { end: from, damages: survey.damages, ..Scanned::default() };
        for segment in &survey.segments {
            let resumes = segment.number == from.position.segment && from.position.offset > 0;
            let at = if resumes { from.position.offset } else { HEADER_BYTES };
            if let Some(header) = segment.header.as_ref().filter(|_| !resumes) {
                scanned.end.tally = header.before;
            }
            let mut walk = Walk::new(&*segment.file, segment.number, at, segment.length);
            if walk_through(&mut walk, segment, &mut scanned, visit)?.is_break() {
                return Ok(scanned);
            }
        }
        scanned.end.position = scanned.end.position.max(end);
        scanned.damages.sort_unstable();
        Ok(scanned)
    }

    /// Reads and checks everything: every record, every header, the chain from segment to segment
    /// and the tallies. Takes as long as reading the whole log takes.
    pub fn verify(&self) -> Result<Scanned, ReadError> {
        let end = self.end();
        let survey = self.survey(0, end)?;
        let mut scanned = Scanned { damages: survey.damages, ..Scanned::default() };
        for (index, segment) in survey.segments.iter().enumerate() {
            verify_one(segment, survey.segments.get(index + 1), &mut scanned)?;
        }
        scanned.end.position = end;
        scanned.damages.sort_unstable();
        Ok(scanned)
    }

    /// Checks one segment as [`LogReader::verify`] checks all: a piece of the whole check that
    /// takes no longer than reading one segment, so that it can be done again and again in the
    /// background. The damages are those of this segment; one that is missing is lost.
    pub fn verify_segment(&self, number: u32) -> Result<Scanned, ReadError> {
        let behind = Position { segment: number.saturating_add(1), offset: u32::MAX };
        let survey = self.survey(number, behind.min(self.end()))?;
        let mut scanned = Scanned { damages: survey.damages, ..Scanned::default() };
        let mut segments = survey.segments.iter().skip_while(|found| found.number < number);
        if let Some(segment) = segments.next().filter(|found| found.number == number) {
            verify_one(segment, segments.next(), &mut scanned)?;
        }
        scanned.damages.retain(|damage| damage.segment == number);
        scanned.damages.sort_unstable();
        Ok(scanned)
    }

    /// Says which segment that takes no more changes follows after one with this number; after
    /// the last one comes the first again. Nothing, if there is none yet.
    pub fn sealed_after(&self, number: u32) -> Option<u32> {
        let sealed = 1..self.end().segment;
        let next = number.saturating_add(1);
        if sealed.contains(&next) { Some(next) } else { sealed.into_iter().next() }
    }

    /// Finds the tally at a position, or nothing if no record ends there.
    pub(crate) fn tally_at(&self, position: Position) -> Result<Option<Tally>, ReadError> {
        let survey = self.survey(position.segment, self.end())?;
        let Some(segment) = survey.segments.first() else {
            return Ok((position == Position::default()).then(Tally::default));
        };
        let next = survey.segments.get(1).and_then(|next| next.header.as_ref());
        let sealed = next.filter(|next| next.number == position.segment + 1);
        if let Some(next) = sealed.filter(|next| next.previous_bytes == position.offset) {
            return Ok(Some(next.before));
        }
        let mut tally = self.tally_before(segment)?;
        if position.offset <= HEADER_BYTES {
            return Ok(Some(tally));
        }
        let mut walk = Walk::new(&*segment.file, segment.number, 0, segment.length);
        let mut scanned = Scanned::default();
        scanned.end.tally = tally;
        let _ = walk_through(&mut walk, segment, &mut scanned, &mut |record| {
            tally = record.after.tally;
            if record.after.position < position {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok((scanned.end.position == position).then_some(tally))
    }

    /// Finds the tally before a segment whose header may be unreadable: then the records of the
    /// segments before it are counted.
    pub(crate) fn tally_before(&self, segment: &Surveyed) -> Result<Tally, ReadError> {
        if let Some(header) = &segment.header {
            return Ok(header.before);
        }
        let end = Position { segment: segment.number - 1, offset: u32::MAX };
        let survey = self.survey(0, end)?;
        let good = survey.segments.iter().rposition(|segment| segment.header.is_some());
        let mut scanned = Scanned::default();
        for segment in &survey.segments[good.unwrap_or(0)..] {
            if let Some(header) = &segment.header {
                scanned.end.tally = header.before;
            }
            let mut walk = Walk::new(&*segment.file, segment.number, 0, segment.length);
            let _ =
                walk_through(&mut walk, segment, &mut scanned, &mut |_| ControlFlow::Continue(()))?;
        }
        Ok(scanned.end.tally)
    }

    /// Reads the headers of the segments from a number up to an end.
    pub(crate) fn survey(&self, from: u32, end: Position) -> Result<Survey, ReadError> {
        let from = from.max(1);
        let numbers: Vec<u32> = lock(&self.shared.segments).range(from..).copied().collect();
        let mut survey = Survey { segments: Vec::new(), damages: Vec::new() };
        let mut expected = from;
        for number in numbers.into_iter().take_while(|number| *number <= end.segment) {
            survey.note_missing(expected..number);
            expected = number.saturating_add(1);
            let surveyed = match self.survey_one(number) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    survey.note_missing(number..expected);
                    continue;
                }
                other => other.map_err(|source| ReadError::Io { segment: number, source })?,
            };
            survey.add(surveyed);
        }
        if let Some(last) = survey.segments.last_mut().filter(|last| last.number == end.segment) {
            last.length = last.length.min(end.offset);
        }
        Ok(survey)
    }

    fn survey_one(&self, number: u32) -> io::Result<Surveyed> {
        let file = self.file(number)?;
        let length = u32::try_from(file.len()?).unwrap_or(u32::MAX);
        let header = SegmentHeader::read(&*file, number)?;
        Ok(Surveyed { number, file, length, header })
    }

    fn file(&self, number: u32) -> io::Result<Arc<dyn DiskFile>> {
        let mut files = lock(&self.shared.files);
        if let Some(file) = files.get(&number) {
            return Ok(Arc::clone(file));
        }
        let file = self.shared.disk.open(&file_name(number))?;
        if files.len() >= MAX_OPEN_FILES {
            files.pop_first();
        }
        files.insert(number, Arc::clone(&file));
        Ok(file)
    }
}

/// Reads one record; nothing when the bytes are not those that were written.
fn read_one(file: &dyn DiskFile, location: Location) -> io::Result<Option<Bytes>> {
    let Location { segment, offset, length } = location;
    let mut bytes = vec![0; (FRAME_BYTES + length) as usize];
    let count = file.read_at(&mut bytes, u64::from(offset))?;
    let place = Place { segment, offset };
    let good = bytes[..count].split_first_chunk().is_some_and(|(frame, body)| {
        Frame::decode(frame, place).is_some_and(|frame| frame.fits(place, body))
    });
    Ok(good.then(|| Bytes::from(bytes).split_off(FRAME_BYTES as usize)))
}

impl Survey {
    fn add(&mut self, segment: Surveyed) {
        let number = segment.number;
        match &segment.header {
            None => self.note(number, 0, HEADER_BYTES.min(segment.length), DamageKind::Header),
            Some(header) => self.compare_length(number, header.previous_bytes),
        }
        self.segments.push(segment);
    }

    /// Compares the length of the segment before with what its successor says about it.
    fn compare_length(&mut self, number: u32, told: u32) {
        let Some(previous) = self.segments.last_mut().filter(|last| last.number + 1 == number)
        else {
            return;
        };
        let (segment, length) = (previous.number, previous.length);
        previous.length = length.min(told);
        if length < told {
            self.note(segment, length, told - length, DamageKind::Lost);
        } else if length > told {
            self.note(segment, told, length - told, DamageKind::Records);
        }
    }

    fn note_missing(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers.take(MAX_MISSING) {
            self.note(number, 0, 0, DamageKind::Lost);
        }
    }

    fn note(&mut self, segment: u32, offset: u32, bytes: u32, kind: DamageKind) {
        self.damages.push(Damage::new(segment, offset, bytes, kind));
    }
}

/// Checks the records of a segment, and with the header of the next one the chain to it.
fn verify_one(
    segment: &Surveyed,
    next: Option<&Surveyed>,
    scanned: &mut Scanned,
) -> Result<(), ReadError> {
    if let Some(header) = &segment.header {
        scanned.end.tally = header.before;
    }
    let io = |source| ReadError::Io { segment: segment.number, source };
    let mut walk = Walk::hashing(&*segment.file, segment.number, segment.length).map_err(io)?;
    let _ = walk_through(&mut walk, segment, scanned, &mut |_| ControlFlow::Continue(()))?;
    let hash = walk.into_hasher().map(|hasher| *hasher.finalize().as_bytes());
    let next = next.and_then(|next| next.header.as_ref());
    let Some(next) = next.filter(|next| next.number == segment.number + 1) else {
        return Ok(());
    };
    let known = scanned.damages.iter().any(|damage| damage.segment == segment.number);
    let fits = Some(next.previous) == hash && next.before == scanned.end.tally;
    if !fits && !known {
        let (number, bytes) = (segment.number, segment.length);
        scanned.damages.push(Damage::new(number, 0, bytes, DamageKind::Chain));
    }
    Ok(())
}

/// Goes through one segment, counting records and noting damage; breaks when the visitor does.
fn walk_through(
    walk: &mut Walk<'_>,
    segment: &Surveyed,
    scanned: &mut Scanned,
    visit: &mut dyn FnMut(Record) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadError> {
    let number = segment.number;
    let io = |source| ReadError::Io { segment: number, source };
    while let Some(found) = walk.next().map_err(io)? {
        let (offset, change) = match found {
            Found::Record { offset, change } => (offset, change),
            Found::Gap { offset, bytes } => {
                let kind = DamageKind::Records;
                scanned.damages.push(Damage::new(number, offset, bytes, kind));
                continue;
            }
        };
        let length = change.bytes().len() as u32;
        scanned.records += 1;
        scanned.end.tally.add(change.id());
        scanned.end.position = Position { segment: number, offset: offset + FRAME_BYTES + length };
        let location = Location { segment: number, offset, length };
        let record = Record { location, change: *change, after: scanned.end };
        if visit(record).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many segment files stay open for readers; more saves opening, each costs a descriptor.
const MAX_OPEN_FILES: usize = 64;

/// How many missing segments in a row are listed one by one.
const MAX_MISSING: usize = 1000;
