//! One payload: the raw bytes of one uncompressed Automerge change, looked at before it is taken.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::Change;

use crate::actor::Actor;
use crate::chunk::{self, Chunk};
use crate::limits::MAX_PAYLOAD_BYTES;

/// The hash of one payload: SHA-256 over it, the name by which other payloads depend on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeHash([u8; 32]);

impl ChangeHash {
    /// Takes the 32 bytes of a hash.
    pub fn from_bytes(bytes: [u8; 32]) -> ChangeHash {
        ChangeHash(bytes)
    }

    /// Gives the 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ChangeHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ChangeHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What a payload says about itself, found out without applying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peek {
    /// The name of the payload.
    pub hash: ChangeHash,
    /// The payloads that must be taken before it, at most `MAX_DEPENDENCIES`.
    pub dependencies: Vec<ChangeHash>,
    /// In whose name it was written. Compare it with the one derived from author and incarnation.
    pub actor: Actor,
    /// Counts the payloads of this actor in this document: 1, 2, 3 ...
    pub seq: u64,
    /// How many operations it holds, at most `MAX_OPERATIONS`.
    pub operations: u64,
    /// How many values it replaces or deletes, at most `MAX_OPERATIONS`.
    pub replaced: u64,
    /// Its length, at most `MAX_PAYLOAD_BYTES`.
    pub bytes: usize,
}

/// Looks at one payload, whatever its bytes: refuses compressed chunks, saved documents, bundles,
/// trailing bytes and everything over a limit before Automerge sees it, then checks the checksum
/// and that Automerge can read every operation.
///
/// Measured in a release build on two shared cores: 4.4 us for 281 bytes with 8 operations, 6.6 us
/// for 266 bytes with 11, 10 ms for 65,000. Automerge takes nearly all of it, since it reads every
/// operation to give the hash; our own walk before it takes 0.2 us.
///
/// It does not say that the payload can be applied: only [`Document::open`] and
/// [`Document::apply`] find that out.
///
/// [`Document::open`]: crate::Document::open
/// [`Document::apply`]: crate::Document::apply
pub fn peek(payload: &[u8]) -> Result<Peek, PayloadError> {
    read(payload).map(|(peek, _)| peek)
}

/// Looks at a payload and gives Automerge's view of it too.
pub(crate) fn read(payload: &[u8]) -> Result<(Peek, Change), PayloadError> {
    let chunk = chunk::read(payload)?;
    let change = guard(|| Change::try_from(payload).ok()).flatten();
    let change = change.ok_or(PayloadError::Unreadable)?;
    let hash = ChangeHash(change.hash().0);
    if !hash.0.starts_with(&chunk.checksum) {
        return Err(PayloadError::WrongChecksum);
    }
    if !agree(&chunk, &change) {
        return Err(PayloadError::Unreadable);
    }
    let Chunk { dependencies, actor, seq, operations, replaced, .. } = chunk;
    let bytes = payload.len();
    Ok((Peek { hash, dependencies, actor, seq, operations, replaced, bytes }, change))
}

/// Runs `work` of Automerge; gives nothing if it panicked, so that no panic leaves this crate.
///
/// Whatever `work` may have left half done must be dropped: callers pass a copy. The panic is
/// still reported by the panic hook of the process, which belongs to the program and is not
/// touched here.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Says whether the two readers of one chunk, ours and Automerge's, saw the same.
fn agree(chunk: &Chunk, change: &Change) -> bool {
    let dependencies = change.deps().iter().map(|hash| ChangeHash(hash.0));
    change.actor_id().to_bytes() == chunk.actor.as_bytes()
        && change.seq() == chunk.seq
        && change.start_op().get() == chunk.first_counter
        && change.len() as u64 == chunk.operations
        && dependencies.eq(chunk.dependencies.iter().copied())
}

/// Why a payload is not looked at further. The bytes will never become acceptable to this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The payload is longer than the limit; its author must split the edit.
    #[error("payload has {bytes} bytes, the limit is {MAX_PAYLOAD_BYTES}")]
    TooLong {
        /// The length of the payload.
        bytes: usize,
    },
    /// The bytes do not begin as an Automerge chunk does.
    #[error("payload is not an automerge change")]
    NotAChange,
    /// The chunk is a saved document (0), a compressed change (2), a bundle (3) or unknown.
    #[error("payload is a chunk of type {kind}, only an uncompressed change (1) is taken")]
    WrongChunk {
        /// The type in the chunk's header.
        kind: u8,
    },
    /// The chunk claims another length than it has: cut off, or followed by other bytes.
    #[error("payload claims {claimed} bytes and holds {held}")]
    WrongLength {
        /// The length in the chunk's header.
        claimed: u64,
        /// The bytes behind the header.
        held: u64,
    },
    /// A part cannot be read.
    #[error("payload is malformed in its {part}")]
    Malformed {
        /// The part.
        part: Part,
    },
    /// A part holds something that this version does not write.
    #[error("payload holds something unknown in its {part}")]
    Unexpected {
        /// The part.
        part: Part,
    },
    /// A part is over its limit.
    #[error("payload has {value} in its {part}, the limit is {limit}")]
    OverLimit {
        /// The part.
        part: Part,
        /// What the payload says.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// The checksum does not fit the bytes: damaged on disk or on the way before it was signed.
    #[error("payload does not match its checksum")]
    WrongChecksum,
    /// Automerge cannot read the operations.
    #[error("payload holds operations that automerge cannot read")]
    Unreadable,
}

impl PayloadError {
    /// Gives a fixed word for programs, metrics and the list of quarantined changes.
    pub fn code(&self) -> &'static str {
        match self {
            PayloadError::TooLong { .. } => "payload-too-long",
            PayloadError::NotAChange => "payload-not-a-change",
            PayloadError::WrongChunk { .. } => "payload-wrong-chunk",
            PayloadError::WrongLength { .. } => "payload-wrong-length",
            PayloadError::Malformed { .. } => "payload-malformed",
            PayloadError::Unexpected { .. } => "payload-unexpected",
            PayloadError::OverLimit { .. } => "payload-over-limit",
            PayloadError::WrongChecksum => "payload-wrong-checksum",
            PayloadError::Unreadable => "payload-unreadable",
        }
    }
}

/// A part of a payload, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Magic bytes, checksum, type and length.
    Header,
    /// The payloads that it depends on.
    Dependencies,
    /// Its actor and the other actors that it names.
    Actors,
    /// Its number among the actor's payloads.
    Sequence,
    /// The counter of its first operation.
    Counter,
    /// The time, always 0 here.
    Time,
    /// The message, always empty here.
    Message,
    /// The table of columns.
    Columns,
    /// The kinds of its operations, and their number.
    Actions,
    /// The keys of maps.
    Keys,
    /// The types of values.
    Values,
    /// The operations that it replaces.
    Replaced,
    /// The bytes behind the last column, always none here.
    Trailer,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Part::Header => "header",
            Part::Dependencies => "dependencies",
            Part::Actors => "actors",
            Part::Sequence => "sequence number",
            Part::Counter => "counter",
            Part::Time => "time",
            Part::Message => "message",
            Part::Columns => "columns",
            Part::Actions => "operations",
            Part::Keys => "keys",
            Part::Values => "values",
            Part::Replaced => "replaced operations",
            Part::Trailer => "trailer",
        })
    }
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
