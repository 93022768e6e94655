//! The body of a batch: many records, compressed together.

use bytes::Bytes;

use crate::Batch;
use crate::codec::CodecError;
use crate::limits::{MAX_BATCH_BYTES, MAX_BATCH_CHANGES, MAX_CHANGE_BYTES};

const NUMBER_BYTES: usize = 8;
const HEAD_BYTES: usize = NUMBER_BYTES + 4;
/// Level 3 is where zstd's own curve of size against time bends.
const ZSTD_LEVEL: i32 = 3;

pub(crate) fn encode(batch: &Batch) -> Result<Vec<u8>, CodecError> {
    let count = batch.records.len();
    if count > MAX_BATCH_CHANGES {
        return Err(unfit(format!("{count} changes, the limit is {MAX_BATCH_CHANGES}")));
    }
    let longest = batch.records.iter().map(Bytes::len).max().unwrap_or(0);
    if longest > MAX_CHANGE_BYTES {
        return Err(unfit(format!("change of {longest} bytes, the limit is {MAX_CHANGE_BYTES}")));
    }
    let plain_bytes: usize = batch.records.iter().map(|record| 4 + record.len()).sum();
    if plain_bytes > MAX_BATCH_BYTES {
        return Err(CodecError::TooLong { limit_bytes: MAX_BATCH_BYTES });
    }
    let mut plain = Vec::with_capacity(plain_bytes);
    for record in &batch.records {
        plain.extend_from_slice(&word(record.len()));
        plain.extend_from_slice(record);
    }
    let squeezed = zstd::bulk::compress(&plain, ZSTD_LEVEL)
        .map_err(|error| unfit(format!("zstd: {error}")))?;
    Ok([&batch.number.to_le_bytes()[..], &word(plain_bytes), &squeezed].concat())
}

pub(crate) fn decode(body: &Bytes) -> Result<Batch, CodecError> {
    let Some((head, squeezed)) = body.split_at_checked(HEAD_BYTES) else {
        return Err(bad(format!("{} bytes, the head alone has {HEAD_BYTES}", body.len())));
    };
    let mut number = [0; NUMBER_BYTES];
    number.copy_from_slice(&head[..NUMBER_BYTES]);
    let plain_bytes = length_at(head, NUMBER_BYTES);
    if plain_bytes > MAX_BATCH_BYTES {
        return Err(CodecError::TooLong { limit_bytes: MAX_BATCH_BYTES });
    }
    let plain = zstd::bulk::decompress(squeezed, plain_bytes)
        .map_err(|error| bad(format!("zstd: {error}")))?;
    if plain.len() != plain_bytes {
        return Err(bad(format!("decodes to {} bytes, claims {plain_bytes}", plain.len())));
    }
    let records = split(Bytes::from(plain))?;
    Ok(Batch { number: u64::from_le_bytes(number), records })
}

fn split(mut plain: Bytes) -> Result<Vec<Bytes>, CodecError> {
    let mut records = Vec::new();
    while !plain.is_empty() {
        if plain.len() < 4 {
            return Err(bad("ends inside a length".into()));
        }
        let length = length_at(&plain.split_to(4), 0);
        if length > MAX_CHANGE_BYTES || length > plain.len() {
            return Err(bad(format!("record claims {length} bytes, {} remain", plain.len())));
        }
        if records.len() == MAX_BATCH_CHANGES {
            return Err(bad(format!("more than {MAX_BATCH_CHANGES} changes")));
        }
        records.push(plain.split_to(length));
    }
    Ok(records)
}

fn word(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn length_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

fn bad(cause: String) -> CodecError {
    CodecError::Malformed { cause }
}

fn unfit(cause: String) -> CodecError {
    CodecError::Unfit { cause }
}
