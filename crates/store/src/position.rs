//! Places in the log, and what was found broken there.

use std::collections::BTreeSet;
use std::fmt;

use lienthong_protocol::Tally;

/// Where one record lies. Stays true for ever: segments are only appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The number of the segment, from 1.
    pub segment: u32,
    /// The offset of the record in its segment, in bytes.
    pub offset: u32,
    /// The length of the change itself, in bytes.
    pub length: u32,
}

impl Location {
    /// Encodes the location in 12 bytes whose order is the order of the log.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.segment.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// Decodes what [`Location::to_bytes`] made.
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        let segment = u32::from_be_bytes([a, b, c, d]);
        let offset = u32::from_be_bytes([e, f, g, h]);
        Self { segment, offset, length: u32::from_be_bytes([i, j, k, l]) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "segment {} offset {}", self.segment, self.offset)
    }
}

/// A place between two records: everything before it has been read or written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The number of the segment; 0 is before all segments.
    pub segment: u32,
    /// The offset just behind a record, in bytes.
    pub offset: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "segment {} offset {}", self.segment, self.offset)
    }
}

/// A position with the tally of all records before it, as the log counts them.
///
/// The log counts what was written: a record that was lost to rot in a sealed segment, or that was
/// written again after such a loss, still counts. So the tally says whether an index belongs to
/// this log at this position, and is not the root of the set of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Where.
    pub position: Position,
    /// Count and sum of the changes before it.
    pub tally: Tally,
}

/// A part of the log that cannot be trusted. It is never cut or overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// The number of the segment.
    pub segment: u32,
    /// The offset of the first bad byte.
    pub offset: u32,
    /// How many bytes are concerned; 0 if a whole segment is missing.
    pub bytes: u32,
    /// What is wrong with them.
    pub kind: DamageKind,
}

/// What is wrong with a part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DamageKind {
    /// No record can be read from these bytes; the changes in them must come from peers again.
    Records,
    /// The header of the segment cannot be read, or is another segment's. Its records are read.
    Header,
    /// Bytes or segments that were there are gone.
    Lost,
    /// Every record looks good, but the segment is not the one that the next one was chained to.
    Chain,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            DamageKind::Records => "unreadable records",
            DamageKind::Header => "unreadable header",
            DamageKind::Lost => "lost bytes",
            DamageKind::Chain => "a broken chain",
        };
        let Self { segment, offset, bytes, .. } = self;
        write!(formatter, "segment {segment} has {what} at offset {offset}, {bytes} bytes")
    }
}

impl Damage {
    pub(crate) fn new(segment: u32, offset: u32, bytes: u32, kind: DamageKind) -> Self {
        Self { segment, offset, bytes, kind }
    }

    fn to_bytes(self) -> [u8; DAMAGE_BYTES] {
        let mut bytes = [0; DAMAGE_BYTES];
        bytes[..4].copy_from_slice(&self.segment.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.bytes.to_be_bytes());
        bytes[12] = self.kind as u8;
        bytes
    }

    fn from_bytes(bytes: &[u8; DAMAGE_BYTES]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, kind] = *bytes;
        let kinds = [DamageKind::Records, DamageKind::Header, DamageKind::Lost, DamageKind::Chain];
        Some(Self {
            segment: u32::from_be_bytes([a, b, c, d]),
            offset: u32::from_be_bytes([e, f, g, h]),
            bytes: u32::from_be_bytes([i, j, k, l]),
            kind: *kinds.get(usize::from(kind))?,
        })
    }
}

/// What an index stores about its place in the log, and the damage it was made in spite of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) known: BTreeSet<Damage>,
}

impl Stored {
    /// Version, segment, offset, count and sum of the tally, then the known damages.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Checkpoint { position, tally } = self.checkpoint;
        let mut bytes = vec![STORED_VERSION];
        bytes.extend_from_slice(&position.segment.to_le_bytes());
        bytes.extend_from_slice(&position.offset.to_le_bytes());
        bytes.extend_from_slice(&tally.count.to_le_bytes());
        bytes.extend_from_slice(&tally.sum);
        for damage in self.known.iter().take(MAX_KNOWN) {
            bytes.extend_from_slice(&damage.to_bytes());
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (segment, rest) = rest.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (sum, rest) = rest.split_first_chunk()?;
        let (damages, []) = rest.as_chunks::<DAMAGE_BYTES>() else {
            return None;
        };
        let position =
            Position { segment: u32::from_le_bytes(*segment), offset: u32::from_le_bytes(*offset) };
        let tally = Tally { count: u64::from_le_bytes(*count), sum: *sum };
        let known = damages.iter().map(Damage::from_bytes).collect::<Option<_>>()?;
        let checkpoint = Checkpoint { position, tally };
        (*version == STORED_VERSION).then_some(Self { checkpoint, known })
    }
}

const STORED_VERSION: u8 = 1;

/// Length of an encoded [`Damage`], in bytes.
const DAMAGE_BYTES: usize = 13;

/// How many damages are remembered; a log with more is worth a rebuild at every start.
const MAX_KNOWN: usize = 1000;
