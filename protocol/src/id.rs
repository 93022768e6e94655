//! The ids: who, what and which.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::Moment;

/// Why a text or number is not an id.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum IdError {
    /// An office id is empty, too long, or has a character outside `A–Z a–z 0–9 . _ -`.
    #[error("'{text}' is no office id: 1 to 32 of the characters A-Z a-z 0-9 . _ -")]
    Office {
        /// What was given, cut to 64 characters.
        text: String,
    },
    /// Not the right number of hex digits.
    #[error("'{text}' is not {digits} hex digits")]
    Hex {
        /// What was given, cut to 64 characters.
        text: String,
        /// How many digits this id has.
        digits: usize,
    },
    /// Not a UUID in its hyphenated form.
    #[error("'{text}' is no document id: a UUID such as 0190c7a2-6f00-7abc-8def-0123456789ab")]
    Document {
        /// What was given, cut to 64 characters.
        text: String,
    },
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A place that takes part. At most 32 ASCII characters, opaque, given once, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfficeId([u8; 32]);

impl OfficeId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).unwrap_or("")
    }
}

impl FromStr for OfficeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = (1..=32).contains(&text.len());
        if !fits || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
            return Err(IdError::Office { text: cut(text) });
        }
        let mut bytes = [0; 32];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(OfficeId(bytes))
    }
}

impl AsRef<str> for OfficeId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for OfficeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OfficeId({})", self.as_str())
    }
}

impl Serialize for OfficeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for OfficeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = OfficeId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an office id")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OfficeId, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Gives a byte-array id its hex text form and its accessors.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Wraps the raw bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The first eight hex digits: enough for people to tell two apart.
            pub fn short(&self) -> String {
                HEX.encode(&self.0[..4])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&HEX.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = || IdError::Hex { text: cut(text), digits: 2 * $bytes };
                if text.len() != 2 * $bytes {
                    return Err(wrong());
                }
                let bytes = HEX.decode(text.as_bytes()).map_err(|_| wrong())?;
                Ok(Self(bytes.try_into().map_err(|_| wrong())?))
            }
        }
    };
}

hex_id!(
    /// One running installation: its Ed25519 public key.
    NodeId,
    32
);
hex_id!(
    /// BLAKE3-256 of the signed bytes of a change.
    ChangeId,
    32
);
hex_id!(
    /// A federation: the id of the first change of its registry, which carries the root key.
    FederationId,
    32
);
hex_id!(
    /// The first 16 bytes of a change id: how ranges list changes.
    ShortId,
    16
);

impl ChangeId {
    /// The form that ranges list.
    pub fn listed(&self) -> ShortId {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0[..16]);
        ShortId(short)
    }

    /// The first eight bytes as a number: what ranges inside one minute are split by.
    pub fn prefix(&self) -> u64 {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(prefix)
    }
}

impl From<ChangeId> for FederationId {
    fn from(genesis: ChangeId) -> Self {
        FederationId(genesis.0)
    }
}

/// The kind of a document. A number this version does not know is kept and replicated, and its
/// changes wait: a newer peer may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u8);

impl Kind {
    /// Which offices and nodes exist. Written by the root office.
    pub const REGISTRY: Kind = Kind(1);
    /// The procedures that a province offers.
    pub const CATALOGUE: Kind = Kind(2);
    /// Days off and make-up days of a year.
    pub const CALENDAR: Kind = Kind(3);
    /// The people of one office.
    pub const STAFF: Kind = Kind(4);
    /// One citizen's or firm's application.
    pub const DOSSIER: Kind = Kind(5);
    /// What an officer proposes to cut from a procedure, and the answer.
    pub const PROPOSAL: Kind = Kind(6);

    /// The word for this kind in logs and output; `unknown` for a number not known here.
    pub fn name(self) -> &'static str {
        match self {
            Kind::REGISTRY => "registry",
            Kind::CATALOGUE => "catalogue",
            Kind::CALENDAR => "calendar",
            Kind::STAFF => "staff",
            Kind::DOSSIER => "dossier",
            Kind::PROPOSAL => "proposal",
            _ => "unknown",
        }
    }

    /// Whether this version knows what to do with the kind.
    pub fn is_known(self) -> bool {
        (1..=6).contains(&self.0)
    }

    /// Whether every office of the federation holds documents of this kind.
    pub fn is_public(self) -> bool {
        matches!(self, Kind::REGISTRY | Kind::CATALOGUE | Kind::CALENDAR)
    }

    /// Where the kind stands in the order of sending: lower goes first.
    pub fn rank(self) -> u8 {
        match self {
            Kind::REGISTRY => 0,
            Kind::CATALOGUE | Kind::CALENDAR => 1,
            Kind::STAFF => 2,
            Kind::PROPOSAL => 4,
            _ => 3,
        }
    }
}

/// Random 64 bits drawn at every process start.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Incarnation({self})")
    }
}

/// One document: a UUIDv7 (RFC 9562) whose random bits name its creator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentId([u8; 16]);

impl DocumentId {
    /// The id of the document that `author` opens with its change number `seq`. The time bits
    /// are `at`, the 74 others are BLAKE3 of all four arguments, so that nobody else can sign a
    /// first change for this document.
    pub fn derive(author: NodeId, incarnation: Incarnation, seq: u64, at: Moment) -> DocumentId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"lienthong document 1\0");
        hasher.update(author.as_bytes());
        hasher.update(&incarnation.0.to_le_bytes());
        hasher.update(&seq.to_le_bytes());
        hasher.update(&at.0.to_le_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        bytes[..6].copy_from_slice(&at.0.to_be_bytes()[2..]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        DocumentId(bytes)
    }

    /// Wraps the raw bytes; any 16 bytes are a document id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, time first: ids sort by creation.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// When the creator says that it opened the document.
    pub fn created_at(&self) -> Moment {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&self.0[..6]);
        Moment(u64::from_be_bytes(ms))
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = HEX.encode(&self.0);
        let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        f.pad(&format!("{a}-{b}-{c}-{d}-{e}"))
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentId({self})")
    }
}

impl FromStr for DocumentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::Document { text: cut(text) };
        let shape: Vec<usize> = text.split('-').map(str::len).collect();
        if shape != [8, 4, 4, 4, 12] {
            return Err(wrong());
        }
        let hex: String = text.split('-').collect();
        let bytes = HEX.decode(hex.as_bytes()).map_err(|_| wrong())?;
        Ok(DocumentId(bytes.try_into().map_err(|_| wrong())?))
    }
}
