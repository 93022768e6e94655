//! One signed, immutable unit of replication.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{self, CodecError};
use crate::limits::{MAX_ADDED_OFFICES, MAX_CHANGE_BYTES, MAX_HEADER_BYTES};
use crate::{
    BadSignature, ChangeId, DocumentId, Incarnation, Kind, Moment, NodeId, NodeKey, OfficeId,
    Signature, Verifier,
};

/// What the author says about its change. Signed together with the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The document that the change belongs to.
    pub document: DocumentId,
    /// The kind of that document; the same in all its changes.
    pub kind: Kind,
    /// The node that signs. Not to be confused with the peer that hands it over.
    pub author: NodeId,
    /// The office in whose name the author acts.
    pub office: OfficeId,
    /// The author's process start.
    pub incarnation: Incarnation,
    /// 1, 2, 3 … without a gap over all the documents that this incarnation writes.
    pub seq: u64,
    /// When the author says that it wrote this. Below [`Moment::LIMIT`]. Orders nothing causally.
    pub at: Moment,
    /// Offices that join the audience, at most [`MAX_ADDED_OFFICES`].
    #[serde(with = "codec::List::<MAX_ADDED_OFFICES>")]
    pub adds: Vec<OfficeId>,
}

/// A change with the very bytes its author signed. Cheap to clone.
///
/// The record is `signature (64) ‖ header length (u16 LE) ‖ header ‖ payload`; the signed bytes
/// are `"lienthong change 1\0" ‖ header ‖ payload`, and [`ChangeId`] is their BLAKE3-256.
#[derive(Clone, Debug)]
pub struct Change {
    id: ChangeId,
    header: Header,
    bytes: Bytes,
    payload_at: usize,
}

/// Why bytes are not a change, or a change cannot be made. All of them mean *refused*: the bytes
/// are not stored, the refusal is counted and shown.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The record is longer than [`MAX_CHANGE_BYTES`].
    #[error("change of {bytes} bytes, the limit is {MAX_CHANGE_BYTES}")]
    TooLong {
        /// Its length, in bytes.
        bytes: usize,
    },
    /// The record ends before its header does.
    #[error("change of {bytes} bytes ends inside its header")]
    Short {
        /// Its length, in bytes.
        bytes: usize,
    },
    /// The header does not decode within its limits.
    #[error("change header is malformed")]
    Header(#[from] CodecError),
    /// The header breaks a rule: too many offices added, seq 0, or a time past the limit.
    #[error("change header has {what}")]
    Rule {
        /// Which rule, with the value and the limit.
        what: String,
    },
    /// The author did not sign these bytes.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

const DOMAIN: &[u8] = b"lienthong change 1\0";
const SIGNATURE_BYTES: usize = 64;
const HEADER_AT: usize = SIGNATURE_BYTES + 2;

impl Change {
    /// Signs a payload as its author. The key must be the one that the header names.
    pub fn sign(header: Header, payload: &[u8], key: &NodeKey) -> Result<Change, ChangeError> {
        obeys(&header)?;
        if header.author != key.id() {
            return Err(BadSignature { node: header.author }.into());
        }
        let encoded = codec::encode(&header, MAX_HEADER_BYTES)?;
        let length = u16::try_from(encoded.len()).unwrap_or(u16::MAX).to_le_bytes();
        let signed = [DOMAIN, &encoded, payload].concat();
        let signature = key.sign(&signed);
        let bytes: Bytes = [&signature.0[..], &length, &encoded, payload].concat().into();
        if bytes.len() > MAX_CHANGE_BYTES {
            return Err(ChangeError::TooLong { bytes: bytes.len() });
        }
        let id = ChangeId::from_bytes(*blake3::hash(&signed).as_bytes());
        Ok(Change { id, header, bytes, payload_at: HEADER_AT + encoded.len() })
    }

    /// Decodes a record from a peer and checks its signature.
    pub fn open(bytes: Bytes) -> Result<Change, ChangeError> {
        Change::open_with(&mut Verifier::default(), bytes)
    }

    /// Decodes a record and checks its signature, for a run of records.
    pub fn open_with(verifier: &mut Verifier, bytes: Bytes) -> Result<Change, ChangeError> {
        let change = Change::trusted(bytes)?;
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(&change.bytes[..SIGNATURE_BYTES]);
        let signed = [DOMAIN, &change.bytes[HEADER_AT..]].concat();
        verifier.verify(change.header.author, &signed, &Signature(signature))?;
        Ok(change)
    }

    /// Decodes a record whose signature was checked before it was stored: for our own log, whose
    /// checksums say that the bytes are the ones we wrote.
    pub fn trusted(bytes: Bytes) -> Result<Change, ChangeError> {
        if bytes.len() > MAX_CHANGE_BYTES {
            return Err(ChangeError::TooLong { bytes: bytes.len() });
        }
        if bytes.len() < HEADER_AT {
            return Err(ChangeError::Short { bytes: bytes.len() });
        }
        let header_bytes = usize::from(u16::from_le_bytes([bytes[64], bytes[65]]));
        let payload_at = HEADER_AT + header_bytes;
        if bytes.len() < payload_at {
            return Err(ChangeError::Short { bytes: bytes.len() });
        }
        let header: Header = codec::decode(&bytes[HEADER_AT..payload_at], MAX_HEADER_BYTES)?;
        obeys(&header)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(DOMAIN);
        hasher.update(&bytes[HEADER_AT..]);
        let id = ChangeId::from_bytes(*hasher.finalize().as_bytes());
        Ok(Change { id, header, bytes, payload_at })
    }

    /// BLAKE3-256 of the signed bytes.
    pub fn id(&self) -> ChangeId {
        self.id
    }

    /// What the author says about it.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// One uncompressed Automerge change, raw and unchecked: only `document` may read it.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload_at..]
    }

    /// The record: what is stored and sent, never re-encoded.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

fn obeys(header: &Header) -> Result<(), ChangeError> {
    let broken = |what: String| Err(ChangeError::Rule { what });
    if header.adds.len() > MAX_ADDED_OFFICES {
        let count = header.adds.len();
        return broken(format!("{count} added offices, the limit is {MAX_ADDED_OFFICES}"));
    }
    if header.seq == 0 {
        return broken("seq 0, the first is 1".into());
    }
    if header.at >= Moment::LIMIT {
        return broken(format!("time {}, the limit is {}", header.at, Moment::LIMIT));
    }
    Ok(())
}
