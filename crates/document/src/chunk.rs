//! Reads one Automerge change chunk by hand, as far as it must be known before Automerge may see
//! it.
//!
//! Automerge believes the run lengths in a chunk: 100 bytes can claim 2^60 operations, each of
//! them parsed in turn, and one key written once can stand in all of them. `catch_unwind` stops
//! neither. It also inflates compressed chunks without a limit and does not compare the checksum
//! of a change. So this file walks the chunk once, allocates nothing but the dependencies, expands
//! no run, and lets through only what this project writes:
//!
//! ```text
//! 85 6f 4a 83 | checksum 4 | type 1 | length | body             length, counts: unsigned LEB128
//! body = count, 32-byte dependencies | 16-byte actor with length | sequence | first counter
//!      | time = 0 | message of length 0 | count, other actors of 16 bytes, ascending
//!      | count, (column id, length) ... | the columns, and nothing after them
//! ```
//!
//! | column | id | read as | allowed |
//! |---|---|---|---|
//! | object | 1, 2 | - | Automerge's to judge |
//! | key | 17, 19, 21 | runs of strings (21) | keys of at most `MAX_KEY_BYTES` |
//! | insert | 52 | - | |
//! | action | 66 | runs of integers | make map, set, make list, delete, make text; so many |
//! | value | 86, 87 | runs of (length << 4, type) (86) | null, bool, integers, strings |
//! | replaced | 112, 113, 115 | runs of counts (112) | so many together |
//!
//! So many are `FREE_OPERATIONS` and two for each byte of the payload, at most `MAX_OPERATIONS`.
//!
//! Counters, marks, times, floats, raw bytes, messages and trailing bytes are not written here:
//! they would be places to hide what no export shows.
//! A later version that writes them writes payloads that this version refuses.
//!
//! A run is a signed LEB128 count `n`: `n > 0` says that one value follows and stands `n` times,
//! `n < 0` that `-n` values follow, 0 that an unsigned count of nulls follows.

use crate::actor::Actor;
use crate::limits::{
    FREE_OPERATIONS, MAX_COUNTER, MAX_DEPENDENCIES, MAX_KEY_BYTES, MAX_OPERATIONS,
    MAX_PAYLOAD_BYTES,
};
use crate::payload::{ChangeHash, Part, PayloadError};

/// What a chunk says about itself; its checksum is not compared yet.
pub(crate) struct Chunk {
    pub(crate) checksum: [u8; 4],
    pub(crate) dependencies: Vec<ChangeHash>,
    pub(crate) actor: Actor,
    pub(crate) seq: u64,
    pub(crate) first_counter: u64,
    pub(crate) operations: u64,
    pub(crate) replaced: u64,
}

/// Reads a chunk that must fill `payload`, within the limits.
pub(crate) fn read(payload: &[u8]) -> Result<Chunk, PayloadError> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        return Err(PayloadError::TooLong { bytes: payload.len() });
    }
    let mut bytes = Reader { rest: payload };
    if bytes.array::<4>(Part::Header)? != MAGIC {
        return Err(PayloadError::NotAChange);
    }
    let checksum = bytes.array::<4>(Part::Header)?;
    let [kind] = bytes.array::<1>(Part::Header)?;
    if kind != CHANGE_CHUNK {
        return Err(PayloadError::WrongChunk { kind });
    }
    let claimed = bytes.unsigned(Part::Header)?;
    let held = bytes.rest.len() as u64;
    if claimed != held {
        return Err(PayloadError::WrongLength { claimed, held });
    }
    let dense = FREE_OPERATIONS.saturating_add(2 * payload.len() as u64);
    read_body(bytes, checksum, dense.min(MAX_OPERATIONS))
}

/// `most` is the limit of the operations, and of those that they replace.
fn read_body(mut bytes: Reader<'_>, checksum: [u8; 4], most: u64) -> Result<Chunk, PayloadError> {
    let count = bytes.at_most(MAX_DEPENDENCIES, Part::Dependencies)?;
    let dependencies = (0..count)
        .map(|_| bytes.array(Part::Dependencies).map(ChangeHash::from_bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let actor = bytes.actor()?;
    let seq = bytes.at_most(MAX_COUNTER, Part::Sequence)?;
    let first_counter = bytes.at_most(MAX_COUNTER - MAX_OPERATIONS, Part::Counter)?;
    if seq == 0 || first_counter == 0 {
        return Err(PayloadError::Malformed { part: Part::Sequence });
    }
    for part in [Part::Time, Part::Message] {
        if bytes.unsigned(part)? != 0 {
            return Err(PayloadError::Unexpected { part });
        }
    }
    bytes.other_actors(actor)?;
    let (operations, replaced) = read_columns(bytes, most)?;
    Ok(Chunk { checksum, dependencies, actor, seq, first_counter, operations, replaced })
}

/// Walks the column table and the columns behind it; gives the number of operations, and of those
/// that they replace.
fn read_columns(mut bytes: Reader<'_>, most: u64) -> Result<(u64, u64), PayloadError> {
    let count = bytes.at_most(COLUMNS.len() as u64, Part::Columns)?;
    let mut table = [(0, 0); COLUMNS.len()];
    let mut before = 0;
    for entry in table.iter_mut().take(count as usize) {
        let id = bytes.unsigned(Part::Columns)?;
        if id <= before || !COLUMNS.contains(&id) {
            return Err(PayloadError::Unexpected { part: Part::Columns });
        }
        before = id;
        *entry = (id, bytes.at_most(MAX_PAYLOAD_BYTES as u64, Part::Columns)?);
    }
    let (mut operations, mut replaced) = (0, 0);
    for &(id, length) in table.iter().take(count as usize) {
        let column = Reader { rest: bytes.take(length as usize, Part::Columns)? };
        match id {
            ACTIONS => operations = read_actions(column, most)?,
            KEYS => read_keys(column)?,
            VALUES => read_value_types(column)?,
            REPLACED => replaced = read_replaced(column, most)?,
            _ => (),
        }
    }
    if !bytes.rest.is_empty() {
        return Err(PayloadError::Unexpected { part: Part::Trailer });
    }
    if operations == 0 {
        return Err(PayloadError::Malformed { part: Part::Actions });
    }
    Ok((operations, replaced))
}

fn read_actions(column: Reader<'_>, most: u64) -> Result<u64, PayloadError> {
    let mut operations: u64 = 0;
    column.runs(Part::Actions, |times, value| {
        let action = value.ok_or(PayloadError::Malformed { part: Part::Actions })?;
        let action = action.unsigned(Part::Actions)?;
        if action > LAST_ACTION {
            return Err(PayloadError::Unexpected { part: Part::Actions });
        }
        operations = operations.saturating_add(times);
        within(operations, most, Part::Actions)
    })?;
    Ok(operations)
}

fn read_keys(column: Reader<'_>) -> Result<(), PayloadError> {
    column.runs(Part::Keys, |_, value| {
        let Some(bytes) = value else { return Ok(()) };
        let length = bytes.at_most(MAX_KEY_BYTES as u64, Part::Keys)?;
        bytes.take(length as usize, Part::Keys).map(|_| ())
    })
}

fn read_value_types(column: Reader<'_>) -> Result<(), PayloadError> {
    column.runs(Part::Values, |_, value| {
        let Some(bytes) = value else { return Ok(()) };
        match bytes.unsigned(Part::Values)? & 0x0f {
            0 | 1 | 2 | 3 | 4 | 6 => Ok(()),
            _ => Err(PayloadError::Unexpected { part: Part::Values }),
        }
    })
}

fn read_replaced(column: Reader<'_>, most: u64) -> Result<u64, PayloadError> {
    let mut replaced: u64 = 0;
    column.runs(Part::Replaced, |times, value| {
        let Some(bytes) = value else { return Ok(()) };
        let each = bytes.unsigned(Part::Replaced)?;
        replaced = replaced.saturating_add(times.saturating_mul(each));
        within(replaced, most, Part::Replaced)
    })?;
    Ok(replaced)
}

fn within(value: u64, limit: u64, part: Part) -> Result<(), PayloadError> {
    if value > limit { Err(PayloadError::OverLimit { part, value, limit }) } else { Ok(()) }
}

/// The bytes that are not read yet.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, part: Part) -> Result<&'a [u8], PayloadError> {
        let cut = self.rest.split_at_checked(length);
        let (taken, rest) = cut.ok_or(PayloadError::Malformed { part })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, part: Part) -> Result<[u8; N], PayloadError> {
        let cut = self.rest.split_first_chunk::<N>();
        let (taken, rest) = cut.ok_or(PayloadError::Malformed { part })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Reads the shortest form of an unsigned LEB128 below 2^35: every number here is far smaller.
    fn unsigned(&mut self, part: Part) -> Result<u64, PayloadError> {
        let mut value = 0;
        for shift in (0..MAX_LEB128_BITS).step_by(7) {
            let [byte] = self.array::<1>(part)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let padded = byte == 0 && shift > 0;
                return if padded { Err(PayloadError::Malformed { part }) } else { Ok(value) };
            }
        }
        Err(PayloadError::Malformed { part })
    }

    /// Reads a signed LEB128 of at most 35 bits.
    fn signed(&mut self, part: Part) -> Result<i64, PayloadError> {
        let mut value: i64 = 0;
        for shift in (0..MAX_LEB128_BITS).step_by(7) {
            let [byte] = self.array::<1>(part)?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let negative = byte & 0x40 != 0;
                return Ok(if negative { value - (1 << (shift + 7)) } else { value });
            }
        }
        Err(PayloadError::Malformed { part })
    }

    fn at_most(&mut self, limit: u64, part: Part) -> Result<u64, PayloadError> {
        let value = self.unsigned(part)?;
        within(value, limit, part).map(|()| value)
    }

    fn actor(&mut self) -> Result<Actor, PayloadError> {
        if self.unsigned(Part::Actors)? != Actor::BYTES as u64 {
            return Err(PayloadError::Malformed { part: Part::Actors });
        }
        self.array(Part::Actors).map(Actor::from_bytes)
    }

    fn other_actors(&mut self, author: Actor) -> Result<(), PayloadError> {
        let count = self.unsigned(Part::Actors)?;
        let mut before = None;
        for _ in 0..count {
            let actor = self.actor()?;
            if actor == author || before.is_some_and(|before| before >= actor) {
                return Err(PayloadError::Malformed { part: Part::Actors });
            }
            before = Some(actor);
        }
        Ok(())
    }

    /// Calls `each` with the number of times that a value stands and the bytes to read it from,
    /// or without bytes for nulls. Every call reads at least one byte or ends a run.
    fn runs(
        mut self,
        part: Part,
        mut each: impl FnMut(u64, Option<&mut Reader<'a>>) -> Result<(), PayloadError>,
    ) -> Result<(), PayloadError> {
        while !self.rest.is_empty() {
            match self.signed(part)? {
                0 => {
                    let nulls = self.unsigned(part)?;
                    each(nulls, None)?;
                }
                times if times > 0 => each(times.unsigned_abs(), Some(&mut self))?,
                literals => {
                    for _ in 0..literals.unsigned_abs() {
                        each(1, Some(&mut self))?;
                    }
                }
            }
        }
        Ok(())
    }
}

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHANGE_CHUNK: u8 = 1;
const MAX_LEB128_BITS: u32 = 35;

/// The columns of a change, ascending: the column's number << 4 and the type of its content.
const COLUMNS: [u64; 12] = [1, 2, 17, 19, KEYS, 52, ACTIONS, VALUES, 87, REPLACED, 113, 115];
const KEYS: u64 = 21;
const ACTIONS: u64 = 66;
const VALUES: u64 = 86;
const REPLACED: u64 = 112;

/// Make map 0, set 1, make list 2, delete 3, make text 4; beyond are counters, tables and marks.
const LAST_ACTION: u64 = 4;
