//! How one change lies in a segment: a guarded length, a checksum bound to the place, the bytes.
//!
//! ```text
//! u32 LE  length of the bytes
//! u32 LE  guard     = BLAKE3("lienthong guard"  ‖ segment ‖ offset ‖ length), first 4 bytes
//! [u8; 8] checksum  = BLAKE3("lienthong record" ‖ segment ‖ offset ‖ bytes),  first 8 bytes
//! bytes             = one change record, as signed
//! ```
//!
//! Segment and offset in both sums catch a read that was misdirected to another place. The guard
//! tells a damaged length from damaged bytes, and makes the search for the next good record cheap
//! whatever the bytes that are searched.

use lienthong_protocol::limits::MAX_CHANGE_BYTES;

/// Bytes before the change itself.
pub(crate) const FRAME_BYTES: u32 = 16;

/// The longest change that a record holds, in bytes.
pub(crate) const MAX_BODY_BYTES: u32 = MAX_CHANGE_BYTES as u32;

/// Where a record begins: both numbers are part of its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
}

/// The decoded first bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Length of the change, in bytes; within its limit and guarded.
    pub(crate) length: u32,
    checksum: [u8; 8],
}

impl Frame {
    /// Decodes a frame, or nothing if its length is out of bounds or its guard is wrong.
    pub(crate) fn decode(bytes: &[u8; FRAME_BYTES as usize], place: Place) -> Option<Self> {
        let [a, b, c, d, guard @ .., _, _, _, _, _, _, _, _] = *bytes;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length == 0 || length > MAX_BODY_BYTES || guard != guard_of(place, length) {
            return None;
        }
        let [.., e, f, g, h, i, j, k, l] = *bytes;
        Some(Self { length, checksum: [e, f, g, h, i, j, k, l] })
    }

    /// Says whether these are the bytes that were written at this place.
    pub(crate) fn fits(&self, place: Place, body: &[u8]) -> bool {
        body.len() == self.length as usize && self.checksum == checksum_of(place, body)
    }
}

/// Appends one record to a buffer; `place` is where its first byte will lie.
pub(crate) fn encode(place: Place, body: &[u8], buffer: &mut Vec<u8>) {
    let length = body.len() as u32;
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&guard_of(place, length));
    buffer.extend_from_slice(&checksum_of(place, body));
    buffer.extend_from_slice(body);
}

fn guard_of(place: Place, length: u32) -> [u8; 4] {
    first(&sum(b"lienthong guard", place, &length.to_le_bytes()))
}

fn checksum_of(place: Place, body: &[u8]) -> [u8; 8] {
    first(&sum(b"lienthong record", place, body))
}

fn sum(domain: &[u8], place: Place, bytes: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(domain);
    hasher.update(&place.segment.to_le_bytes());
    hasher.update(&place.offset.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

pub(crate) fn first<const N: usize>(hash: &blake3::Hash) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash.as_bytes()[..N]);
    bytes
}
