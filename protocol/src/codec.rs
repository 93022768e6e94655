//! The one place that knows bincode.
//!
//! Variable-length integers, little-endian, a limit on every call, trailing bytes refused. Types
//! that go through here hold no maps, no recursion and no untagged or skipped fields, and their
//! enums grow at the end only. What a peer sends keeps its lists in `List` or `Texts` and its
//! texts in `Text`, which check their limits both ways.

use std::fmt;
use std::marker::PhantomData;

use bincode::Options;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use thiserror::Error;

use crate::limits::MAX_TEXT_BYTES;

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
    /// The value is one that a reader refuses: do not store or send it.
    #[error("value does not encode: {cause}")]
    Unfit {
        /// What the encoder met.
        cause: String,
    },
}

fn options(limit_bytes: usize) -> impl Options {
    bincode::DefaultOptions::new().with_limit(limit_bytes as u64).reject_trailing_bytes()
}

/// Encodes a value within `limit_bytes`.
pub fn encode<T: Serialize>(value: &T, limit_bytes: usize) -> Result<Vec<u8>, CodecError> {
    options(limit_bytes).serialize(value).map_err(|error| match *error {
        bincode::ErrorKind::SizeLimit => CodecError::TooLong { limit_bytes },
        _ => CodecError::Unfit { cause: error.to_string() },
    })
}

/// Decodes a value from exactly these bytes, at most `limit_bytes` long. An item of a list may
/// take many times the memory of its bytes, so lists from others need a limit of their own.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], limit_bytes: usize) -> Result<T, CodecError> {
    if bytes.len() > limit_bytes {
        return Err(CodecError::TooLong { limit_bytes });
    }
    options(limit_bytes).deserialize(bytes).map_err(|error| match *error {
        bincode::ErrorKind::SizeLimit => CodecError::TooLong { limit_bytes },
        _ => CodecError::Malformed { cause: error.to_string() },
    })
}

/// Keeps a list to `MAX` items: `#[serde(with = "codec::List::<MAX>")]`. One that claims more is
/// refused before its first item is read.
pub(crate) struct List<const MAX: usize>;

impl<const MAX: usize> List<MAX> {
    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        items: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        list_fits(items.len(), MAX).map_err(ser::Error::custom)?;
        items.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(Items::<T, MAX>(PhantomData))
    }
}

struct Items<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Items<T, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let claimed = list.size_hint().unwrap_or(0);
        list_fits(claimed, MAX).map_err(de::Error::custom)?;
        let mut items = Vec::with_capacity(claimed);
        while let Some(item) = list.next_element()? {
            list_fits(items.len() + 1, MAX).map_err(de::Error::custom)?;
            items.push(item);
        }
        Ok(items)
    }
}

/// Keeps a text to [`MAX_TEXT_BYTES`]: `#[serde(with = "codec::Text")]`. A longer one is refused
/// before it is copied.
pub(crate) struct Text;

impl Text {
    pub(crate) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        text_fits(text).map_err(ser::Error::custom)?;
        serializer.serialize_str(text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<String, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of at most {MAX_TEXT_BYTES} bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        text_fits(text).map_err(E::custom)?;
        Ok(text.to_owned())
    }
}

/// Keeps a list to `MAX` texts, and each of them as [`Text`] does.
pub(crate) struct Texts<const MAX: usize>;

impl<const MAX: usize> Texts<MAX> {
    pub(crate) fn serialize<S: Serializer>(
        texts: &[String],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        texts.iter().try_for_each(|text| text_fits(text)).map_err(ser::Error::custom)?;
        List::<MAX>::serialize(texts, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<String>, D::Error> {
        let texts: Vec<Item> = List::<MAX>::deserialize(deserializer)?;
        Ok(texts.into_iter().map(|Item(text)| text).collect())
    }
}

#[derive(Deserialize)]
struct Item(#[serde(with = "Text")] String);

fn list_fits(items: usize, limit: usize) -> Result<(), String> {
    if items <= limit {
        Ok(())
    } else {
        Err(format!("list of {items} items, the limit is {limit}"))
    }
}

fn text_fits(text: &str) -> Result<(), String> {
    let (bytes, limit) = (text.len(), MAX_TEXT_BYTES);
    if bytes <= limit {
        Ok(())
    } else {
        Err(format!("text of {bytes} bytes, the limit is {limit}"))
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
