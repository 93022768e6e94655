//! The frames that travel on a link: length, kind, body.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::batch;
use crate::codec::{self, CodecError};
use crate::limits::{MAX_ADDRESSES, MAX_FRAME_BYTES};
use crate::report::Reports;
use crate::{
    Compare, FederationId, Incarnation, JoinSecret, Moment, NodeId, OfficeId, Signature, Tally,
    Want,
};

/// One message between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The first frame of both ends.
    Hello(Hello),
    /// Claims about ranges, to find what differs.
    Compare(Compare),
    /// Asks for changes that the peer listed.
    Want(Want),
    /// Changes.
    Batch(Batch),
    /// The changes of a batch are durable.
    Ack(Ack),
    /// What the sender holds and has written.
    Standing(Standing),
    /// The sender signs that both ends hold the same.
    Proof(Proof),
    /// Asks for a pong, to measure round trip and clock skew.
    Ping(Ping),
    /// Answers a ping.
    Pong(Pong),
    /// How nodes at and below the sender say that they are.
    Reports(Reports),
    /// A new node shows its join code (enrolment only).
    Knock(Knock),
    /// The hub's answer to a knock (enrolment only).
    Reply(Reply),
}

/// Which protocol versions a node speaks, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRange {
    /// The oldest.
    pub oldest: u16,
    /// The newest.
    pub newest: u16,
}

impl VersionRange {
    /// What this build speaks: N and N−1, where N−1 exists.
    pub const OURS: VersionRange = VersionRange { oldest: 1, newest: 1 };

    /// The newest version that both speak, if any.
    pub fn common(self, other: VersionRange) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

/// Who is at the other end. Its node id is the key of the QUIC handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol versions.
    pub versions: VersionRange,
    /// Which federation the node belongs to.
    pub federation: FederationId,
    /// Its office.
    pub office: OfficeId,
    /// Its process start.
    pub incarnation: Incarnation,
    /// Its clock.
    pub at: Moment,
    /// Where it can be dialled, as `host:port`; at most [`MAX_ADDRESSES`].
    #[serde(with = "codec::Texts::<MAX_ADDRESSES>")]
    pub addresses: Vec<String>,
    /// Program and version, for people.
    #[serde(with = "codec::Text")]
    pub agent: String,
}

/// Changes, ordered by document. The body is `number (u64 LE) ‖ decoded length (u32 LE) ‖ zstd`;
/// decoded it is `length (u32 LE) ‖ record`, repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Counts the sender's batches on this link: 1, 2, 3 …
    pub number: u64,
    /// Records of [`crate::Change`], unchecked.
    pub records: Vec<Bytes>,
}

/// Says that every change of a batch is durable here, or was refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The number of the batch.
    pub number: u64,
    /// How many of its changes were refused and not stored.
    pub refused: u32,
}

/// How far an incarnation has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The incarnation.
    pub incarnation: Incarnation,
    /// Its last `seq`; 0 if it wrote nothing yet.
    pub seq: u64,
}

/// What the sender holds of the set that both share, and who has written how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Tally of every change in the documents that both ends share.
    pub root: Tally,
    /// Tally of the registry alone: equal registries judge authors alike.
    pub registry: Tally,
    /// How far the sender's running incarnation has written.
    pub written: Written,
    /// How many changes the sender has written in all its incarnations.
    pub authored: u64,
    /// Up to which `seq`, without a gap, the sender holds the receiver's running incarnation.
    pub held: Written,
    /// How many of the receiver's own changes the sender holds, all incarnations together.
    pub held_total: u64,
}

/// The proof of complete sync: what a node signs when both roots of a link are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The root that both ends hold.
    pub root: Tally,
    /// The signer's clock.
    pub at: Moment,
    /// Over [`Proof::message`].
    pub signature: Signature,
}

impl Proof {
    /// The bytes that `signer` signs for `peer`.
    pub fn message(federation: FederationId, peer: NodeId, root: &Tally, at: Moment) -> Vec<u8> {
        [
            b"lienthong settled 1\0".as_slice(),
            federation.as_bytes(),
            peer.as_bytes(),
            &root.count.to_le_bytes(),
            &root.sum,
            &at.0.to_le_bytes(),
        ]
        .concat()
    }
}

/// Asks for a [`Pong`] with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Chosen by the sender.
    pub number: u64,
}

/// Answers a [`Ping`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The number of the ping.
    pub number: u64,
    /// The answerer's clock: the asker computes the skew with half the round trip.
    pub at: Moment,
}

/// A new node asks to join. Sent only after the hub's key was checked against the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knock {
    /// The federation of the code.
    pub federation: FederationId,
    /// The office of the code.
    pub office: OfficeId,
    /// The secret of the code.
    pub secret: JoinSecret,
    /// Where the new node can be dialled, as `host:port`; at most [`MAX_ADDRESSES`].
    #[serde(with = "codec::Texts::<MAX_ADDRESSES>")]
    pub addresses: Vec<String>,
    /// Program and version, for people.
    #[serde(with = "codec::Text")]
    pub agent: String,
}

/// The hub's answer to a [`Knock`]. Grows at the end only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The node is in the registry; batches with the registry's changes follow, then the end of
    /// the stream.
    Welcome {
        /// How many batches follow.
        batches: u32,
    },
    /// A person at the hub has to approve; knock again later with the same code and key.
    Pending,
    /// The code was not accepted.
    Refused {
        /// A fixed word, such as `code-expired`.
        #[serde(with = "codec::Text")]
        code: String,
        /// What happened and why.
        #[serde(with = "codec::Text")]
        cause: String,
        /// What to do.
        #[serde(with = "codec::Text")]
        remedy: String,
    },
}

/// Why a link is closed: the QUIC application error code. A number this version does not know
/// is shown as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u32);

impl CloseCode {
    /// The node stops or no longer needs the link; dial again later.
    pub const GOING_AWAY: CloseCode = CloseCode(0);
    /// A frame was longer than its limit.
    pub const FRAME_TOO_LONG: CloseCode = CloseCode(1);
    /// A frame did not decode, or came where it may not come.
    pub const MALFORMED_FRAME: CloseCode = CloseCode(2);
    /// The key is in no registry entry, or was revoked.
    pub const UNKNOWN_NODE: CloseCode = CloseCode(3);
    /// The other federation.
    pub const WRONG_FEDERATION: CloseCode = CloseCode(4);
    /// No protocol version in common.
    pub const VERSION: CloseCode = CloseCode(5);
    /// Another process with the same key is connected.
    pub const CLONE: CloseCode = CloseCode(6);
    /// A newer link with the same process replaces this one.
    pub const REPLACED: CloseCode = CloseCode(7);
    /// Too many frames, streams or bytes.
    pub const FLOODED: CloseCode = CloseCode(8);
    /// The peer's office is not what the registry says of its key.
    pub const WRONG_OFFICE: CloseCode = CloseCode(9);
    /// The first frame did not come in time.
    pub const SILENT: CloseCode = CloseCode(10);

    /// The disk of the node is full: it stores nothing more until there is space again.
    pub const STORE_FULL: CloseCode = CloseCode(11);

    /// The fixed word for the code; `unknown-code` for a number not known here.
    pub fn name(self) -> &'static str {
        match self {
            CloseCode::GOING_AWAY => "going-away",
            CloseCode::FRAME_TOO_LONG => "frame-too-long",
            CloseCode::MALFORMED_FRAME => "malformed-frame",
            CloseCode::UNKNOWN_NODE => "unknown-node",
            CloseCode::WRONG_FEDERATION => "wrong-federation",
            CloseCode::VERSION => "no-common-version",
            CloseCode::CLONE => "cloned-node",
            CloseCode::REPLACED => "replaced",
            CloseCode::FLOODED => "flooded",
            CloseCode::WRONG_OFFICE => "wrong-office",
            CloseCode::SILENT => "silent",
            CloseCode::STORE_FULL => "store-full",
            _ => "unknown-code",
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why bytes are not a frame, or a frame cannot be made.
#[derive(Debug, Error)]
pub enum FrameError {
    /// Close the link with [`CloseCode::FRAME_TOO_LONG`]; nothing was allocated.
    #[error("frame claims {claimed_bytes} bytes, the limit is {MAX_FRAME_BYTES}")]
    TooLong {
        /// What the length field says, or what encoding would give.
        claimed_bytes: usize,
    },
    /// A kind this version does not know: skip the body and go on.
    #[error("frame kind {kind} is not known to this version")]
    UnknownKind {
        /// The kind byte.
        kind: u8,
    },
    /// Close the link with [`CloseCode::MALFORMED_FRAME`]. A frame that was to be sent: do not.
    #[error("{name} frame is malformed: {cause}")]
    Malformed {
        /// The frame's name.
        name: &'static str,
        /// What the decoder or encoder met.
        cause: String,
    },
}

impl FrameError {
    /// The code to close the link with; `None` for a frame that is skipped.
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            FrameError::TooLong { .. } => Some(CloseCode::FRAME_TOO_LONG),
            FrameError::UnknownKind { .. } => None,
            FrameError::Malformed { .. } => Some(CloseCode::MALFORMED_FRAME),
        }
    }
}

/// The first five bytes of a frame: `length of kind and body (u32 LE) ‖ kind (u8)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    /// The kind byte.
    pub kind: u8,
    /// How long the body is, in bytes; below [`MAX_FRAME_BYTES`].
    pub body_bytes: usize,
}

impl FrameHead {
    /// How long the head itself is, in bytes.
    pub const BYTES: usize = 5;

    /// Reads a head; refuses a length past the limit before anything is allocated.
    pub fn parse(head: [u8; Self::BYTES]) -> Result<FrameHead, FrameError> {
        let claimed_bytes = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if claimed_bytes > MAX_FRAME_BYTES {
            return Err(FrameError::TooLong { claimed_bytes });
        }
        let Some(body_bytes) = claimed_bytes.checked_sub(1) else {
            return Err(FrameError::Malformed { name: "empty", cause: "length 0".into() });
        };
        Ok(FrameHead { kind: head[4], body_bytes })
    }
}

const HELLO: u8 = 1;
const COMPARE: u8 = 2;
const WANT: u8 = 3;
const BATCH: u8 = 4;
const ACK: u8 = 5;
const STANDING: u8 = 6;
const PROOF: u8 = 7;
const PING: u8 = 8;
const PONG: u8 = 9;
const REPORTS: u8 = 10;
const KNOCK: u8 = 32;
const REPLY: u8 = 33;

impl Frame {
    /// The frame's name in logs and errors.
    pub fn name(&self) -> &'static str {
        name_of(self.kind())
    }

    /// The kind byte.
    pub fn kind(&self) -> u8 {
        match self {
            Frame::Hello(_) => HELLO,
            Frame::Compare(_) => COMPARE,
            Frame::Want(_) => WANT,
            Frame::Batch(_) => BATCH,
            Frame::Ack(_) => ACK,
            Frame::Standing(_) => STANDING,
            Frame::Proof(_) => PROOF,
            Frame::Ping(_) => PING,
            Frame::Pong(_) => PONG,
            Frame::Reports(_) => REPORTS,
            Frame::Knock(_) => KNOCK,
            Frame::Reply(_) => REPLY,
        }
    }

    /// Encodes the whole frame, head included; refuses what a peer would refuse.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        self.check_order()?;
        let body = self.body().map_err(|error| self.refused(&error))?;
        let length = body.len() + 1;
        if length > MAX_FRAME_BYTES {
            return Err(FrameError::TooLong { claimed_bytes: length });
        }
        let mut frame = Vec::with_capacity(FrameHead::BYTES + body.len());
        frame.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        frame.push(self.kind());
        frame.extend_from_slice(&body);
        Ok(frame)
    }

    fn body(&self) -> Result<Vec<u8>, CodecError> {
        let limit = MAX_FRAME_BYTES;
        match self {
            Frame::Hello(hello) => codec::encode(hello, limit),
            Frame::Compare(compare) => codec::encode(compare, limit),
            Frame::Want(want) => codec::encode(want, limit),
            Frame::Batch(batch) => batch::encode(batch),
            Frame::Ack(ack) => codec::encode(ack, limit),
            Frame::Standing(standing) => codec::encode(standing, limit),
            Frame::Proof(proof) => codec::encode(proof, limit),
            Frame::Ping(ping) => codec::encode(ping, limit),
            Frame::Pong(pong) => codec::encode(pong, limit),
            Frame::Reports(reports) => codec::encode(reports, limit),
            Frame::Knock(knock) => codec::encode(knock, limit),
            Frame::Reply(reply) => codec::encode(reply, limit),
        }
    }

    /// Decodes a body; allocates no more than the frame and batch limits.
    pub fn decode(kind: u8, body: &Bytes) -> Result<Frame, FrameError> {
        let limit = MAX_FRAME_BYTES;
        let frame = match kind {
            HELLO => codec::decode(body, limit).map(Frame::Hello),
            COMPARE => codec::decode(body, limit).map(Frame::Compare),
            WANT => codec::decode(body, limit).map(Frame::Want),
            BATCH => batch::decode(body).map(Frame::Batch),
            ACK => codec::decode(body, limit).map(Frame::Ack),
            STANDING => codec::decode(body, limit).map(Frame::Standing),
            PROOF => codec::decode(body, limit).map(Frame::Proof),
            PING => codec::decode(body, limit).map(Frame::Ping),
            PONG => codec::decode(body, limit).map(Frame::Pong),
            REPORTS => codec::decode(body, limit).map(Frame::Reports),
            KNOCK => codec::decode(body, limit).map(Frame::Knock),
            REPLY => codec::decode(body, limit).map(Frame::Reply),
            _ => return Err(FrameError::UnknownKind { kind }),
        };
        let frame = frame.map_err(|error| malformed(kind, error.to_string()))?;
        frame.check_order()?;
        Ok(frame)
    }

    /// Refuses ranges and reports that do not ascend; lists and texts keep their own limits.
    fn check_order(&self) -> Result<(), FrameError> {
        let ascends = match self {
            Frame::Compare(compare) => compare.ascends(),
            Frame::Want(want) => want.ascends(),
            Frame::Reports(reports) => reports.ascends(),
            _ => true,
        };
        let cause = "a range or list does not ascend";
        if ascends { Ok(()) } else { Err(malformed(self.kind(), cause.into())) }
    }

    fn refused(&self, error: &CodecError) -> FrameError {
        match error {
            CodecError::TooLong { limit_bytes } => {
                FrameError::TooLong { claimed_bytes: limit_bytes + 1 }
            }
            CodecError::Malformed { .. } | CodecError::Unfit { .. } => {
                malformed(self.kind(), error.to_string())
            }
        }
    }
}

fn malformed(kind: u8, cause: String) -> FrameError {
    FrameError::Malformed { name: name_of(kind), cause }
}

fn name_of(kind: u8) -> &'static str {
    match kind {
        HELLO => "hello",
        COMPARE => "compare",
        WANT => "want",
        BATCH => "batch",
        ACK => "ack",
        STANDING => "standing",
        PROOF => "proof",
        PING => "ping",
        PONG => "pong",
        REPORTS => "reports",
        KNOCK => "knock",
        REPLY => "reply",
        _ => "unknown",
    }
}
