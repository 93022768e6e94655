//! Why something did not work, one type per operation.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use lienthong_protocol::limits::MAX_TEXT_BYTES;
use lienthong_protocol::{CloseCode, NodeId};
use quinn::ConnectionError;
use thiserror::Error;

/// Why an endpoint could not be bound.
#[derive(Debug, Error)]
pub enum BindError {
    /// Another process, or another node of this one, listens there.
    #[error("address {address} is in use")]
    InUse {
        /// The address, UDP.
        address: SocketAddr,
    },
    /// The system does not give the address for another reason.
    #[error("address {address} cannot be bound")]
    Unbindable {
        /// The address, UDP.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    /// The fixed word for the error.
    pub fn code(&self) -> &'static str {
        match self {
            BindError::InUse { .. } => "address-in-use",
            BindError::Unbindable { .. } => "address-unbindable",
        }
    }

    /// What the operator should do.
    pub fn remedy(&self) -> &'static str {
        match self {
            BindError::InUse { .. } => "stop the other process, or listen at another port",
            BindError::Unbindable { .. } => "listen at an address that this machine has",
        }
    }
}

/// Why a peer was not reached. If it has several addresses: why the most telling one failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DialError {
    /// No address is known.
    #[error("no address is known")]
    NoAddress,
    /// Nothing that speaks QUIC answered there in time, or the name has no address.
    #[error("{address} does not answer: {cause}")]
    Unreachable {
        /// As it was given.
        address: String,
        /// What the system or the transport said.
        cause: String,
    },
    /// Another node answered. Nothing was sent to it.
    #[error("{address} answered with key {}, expected {}", found.short(), expected.short())]
    WrongKey {
        /// As it was given.
        address: String,
        /// Who was dialled.
        expected: NodeId,
        /// Who answered.
        found: NodeId,
    },
    /// The node there speaks no version that this one speaks.
    #[error("{address} speaks no common version")]
    NoCommonVersion {
        /// As it was given.
        address: String,
    },
    /// The own gate, or the peer, does not want this link.
    #[error("{address} was reached and the link refused: {code}")]
    Refused {
        /// As it was given.
        address: String,
        /// With which code.
        code: CloseCode,
    },
    /// The own endpoint is being closed.
    #[error("the endpoint is being closed")]
    Closing,
}

impl DialError {
    /// The fixed word for the error.
    pub fn code(&self) -> &'static str {
        match self {
            DialError::NoAddress => "no-address",
            DialError::Unreachable { .. } => "unreachable",
            DialError::WrongKey { .. } => "wrong-key",
            DialError::NoCommonVersion { .. } => CloseCode::VERSION.name(),
            DialError::Refused { code, .. } => code.name(),
            DialError::Closing => CloseCode::GOING_AWAY.name(),
        }
    }

    /// What the operator should do.
    pub fn remedy(&self) -> &'static str {
        match self {
            DialError::NoAddress => "give the peer an address in the settings or the registry",
            DialError::Unreachable { .. } => "check that the node runs and that UDP reaches it",
            DialError::WrongKey { .. } => "check the address; another node answers there",
            DialError::NoCommonVersion { .. } => "update the older of the two nodes",
            DialError::Refused { .. } => "ask the office above whether it knows this node's key",
            DialError::Closing => "start the node again",
        }
    }

    /// How much the error tells about the peer: the most telling one is reported.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            DialError::NoAddress => 0,
            DialError::Unreachable { .. } => 1,
            DialError::WrongKey { .. } => 2,
            DialError::NoCommonVersion { .. } => 3,
            DialError::Refused { .. } => 4,
            DialError::Closing => 5,
        }
    }
}

/// Why a knock got no answer.
#[derive(Debug, Error)]
pub enum KnockError {
    /// The hub was not reached, or another node answered. The secret was not sent.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The own socket could not be made.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The knock is longer than an enrolment takes.
    #[error("knock of {bytes} bytes, the limit is {limit_bytes}")]
    TooLong {
        /// Its length, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// The hub closed the connection before the answer was complete.
    #[error("the hub closed the connection: {0}")]
    Closed(Closed),
    /// The hub was reached and did not answer in time.
    #[error("the hub did not answer in {seconds} s")]
    Silent {
        /// How long it was waited for, in seconds.
        seconds: u64,
    },
    /// The answer is not what an answer must be.
    #[error("the hub's answer is malformed: {cause}")]
    Malformed {
        /// What is wrong with it.
        cause: String,
    },
}

impl KnockError {
    /// The fixed word for the error.
    pub fn code(&self) -> &'static str {
        match self {
            KnockError::Dial(error) => error.code(),
            KnockError::Bind(error) => error.code(),
            KnockError::TooLong { .. } => CloseCode::FRAME_TOO_LONG.name(),
            KnockError::Closed(closed) => closed.cause.name(),
            KnockError::Silent { .. } => CloseCode::SILENT.name(),
            KnockError::Malformed { .. } => CloseCode::MALFORMED_FRAME.name(),
        }
    }

    /// What the operator should do.
    pub fn remedy(&self) -> &'static str {
        match self {
            KnockError::Dial(error) => error.remedy(),
            KnockError::Bind(error) => error.remedy(),
            KnockError::TooLong { .. } => "say fewer or shorter addresses",
            KnockError::Closed(_) | KnockError::Silent { .. } => "try again in a minute",
            KnockError::Malformed { .. } => "update this node or the hub",
        }
    }
}

/// Why a frame was not queued. It is gone; the link's set is repaired by reconciling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Full {
    /// So many batches wait already; the link goes on.
    #[error("the changes lane is full")]
    Changes,
    /// So many control frames wait already; the link is being closed with `flooded`.
    #[error("the control lane is full")]
    Control,
    /// The link is closed.
    #[error("the link is closed")]
    Gone,
}

/// How a link ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Why.
    pub cause: CloseCause,
    /// What the closing end says about it, at most [`MAX_TEXT_BYTES`]; not to be branched on.
    pub words: String,
    /// Whether the peer closed it; otherwise this end or the transport did.
    pub by_peer: bool,
}

/// Why a link ended: by a code of one end, or by the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCause {
    /// One end closed it with this code.
    Code(CloseCode),
    /// Nothing was heard of the peer for the idle timeout.
    TimedOut,
    /// The peer does not know the link any more: it was restarted.
    Reset,
    /// One end broke the rules of QUIC, such as too many streams or bytes.
    Violation,
}

impl CloseCause {
    /// The fixed word for the cause.
    pub fn name(self) -> &'static str {
        match self {
            CloseCause::Code(code) => code.name(),
            CloseCause::TimedOut => "timed-out",
            CloseCause::Reset => "reset",
            CloseCause::Violation => "transport-violation",
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause.name(), self.words)
    }
}

impl Closed {
    pub(crate) fn here(code: CloseCode, words: &str) -> Closed {
        Closed { cause: CloseCause::Code(code), words: plain(words.as_bytes()), by_peer: false }
    }

    /// Reads quinn's reason. A close of our own is known better by who asked for it.
    pub(crate) fn by(error: &ConnectionError) -> Closed {
        let (cause, by_peer) = match error {
            ConnectionError::ApplicationClosed(close) => {
                let code = u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX);
                let cause = CloseCause::Code(CloseCode(code));
                return Closed { cause, words: plain(&close.reason), by_peer: true };
            }
            ConnectionError::ConnectionClosed(_) => (CloseCause::Violation, true),
            ConnectionError::Reset => (CloseCause::Reset, true),
            ConnectionError::TimedOut => (CloseCause::TimedOut, false),
            ConnectionError::LocallyClosed => (CloseCause::Code(CloseCode::GOING_AWAY), false),
            ConnectionError::TransportError(_)
            | ConnectionError::VersionMismatch
            | ConnectionError::CidsExhausted => (CloseCause::Violation, false),
        };
        Closed { cause, words: plain(error.to_string().as_bytes()), by_peer }
    }
}

/// Makes words fit for logs: cut, and without control characters.
pub(crate) fn plain(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(&words[..words.len().min(MAX_TEXT_BYTES)]);
    let clean: String =
        words.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    clean.trim().to_owned()
}
