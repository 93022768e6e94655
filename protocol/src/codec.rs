//! The one place that knows bincode.
//!
//! Variable-length integers, little-endian, a limit on every call, trailing bytes refused. Types
//! that go through here hold no maps, no recursion and no untagged or skipped fields, and their
//! enums grow at the end only.

use bincode::Options;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why bytes and a value do not fit each other.
#[derive(Debug, Error)]
pub enum CodecError {
    /// The encoded form would be, or claims to be, longer than the limit.
    #[error("encoded value is longer than the limit of {limit_bytes} bytes")]
    TooLong {
        /// The limit of this call, in bytes.
        limit_bytes: usize,
    },
    /// The bytes are not an encoding of the value that was asked for.
    #[error("bytes do not decode to the expected value: {cause}")]
    Malformed {
        /// What the decoder met.
        cause: String,
    },
}

fn options(limit_bytes: usize) -> impl Options {
    bincode::DefaultOptions::new().with_limit(limit_bytes as u64).reject_trailing_bytes()
}

/// Encodes a value within `limit_bytes`.
pub fn encode<T: Serialize>(value: &T, limit_bytes: usize) -> Result<Vec<u8>, CodecError> {
    options(limit_bytes).serialize(value).map_err(|error| understood(&error, limit_bytes))
}

/// Decodes a value from exactly these bytes; allocates no more than `limit_bytes`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], limit_bytes: usize) -> Result<T, CodecError> {
    if bytes.len() > limit_bytes {
        return Err(CodecError::TooLong { limit_bytes });
    }
    options(limit_bytes).deserialize(bytes).map_err(|error| understood(&error, limit_bytes))
}

fn understood(error: &bincode::Error, limit_bytes: usize) -> CodecError {
    match **error {
        bincode::ErrorKind::SizeLimit => CodecError::TooLong { limit_bytes },
        _ => CodecError::Malformed { cause: error.to_string() },
    }
}
