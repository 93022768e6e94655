//! The body of a report: how a node is.

use lienthong_protocol::Moment;
use lienthong_protocol::codec;
use lienthong_protocol::limits::MAX_REPORT_BYTES;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a node is, by its own word. It names no person and no dossier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Its clock. For people and for measuring the clock, never for order.
    pub at: Moment,
    /// Program and version; at most 64 bytes, what is longer is cut.
    pub program: String,
    /// How it stands with the office above it.
    pub uplink: Uplink,
    /// How many of its own changes the office above is not known to hold.
    pub unsent: u64,
    /// Changes that wait for others.
    pub waiting: u64,
    /// Changes in quarantine, by reason; at most 16 reasons.
    pub quarantined: Vec<(Reason, u64)>,
    /// Space where its log lies; `None` if the system did not say.
    pub disk: Option<Disk>,
    /// What its office holds; `None` while its view is being made.
    pub dossiers: Option<Dossiers>,
}

/// How a node stands with the office above it, and since when by its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uplink {
    /// Nobody is above it.
    Top,
    /// Both hold the same.
    Settled {
        /// Since when.
        since: Option<Moment>,
    },
    /// They are linked and do not hold the same yet.
    Working {
        /// When they last did.
        since: Option<Moment>,
    },
    /// There is no link.
    Cut {
        /// When the office above was last heard.
        since: Option<Moment>,
    },
}

/// Why changes are in quarantine. A number that this version does not know stays a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason(pub u8);

impl Reason {
    /// The author's office may not write the document.
    pub const NOT_ENTITLED: Reason = Reason(1);
    /// The author was revoked before.
    pub const REVOKED: Reason = Reason(2);
    /// The change is of another kind than its document.
    pub const WRONG_KIND: Reason = Reason(3);
    /// No document can take the change.
    pub const UNFIT: Reason = Reason(4);

    /// The fixed word for output and metrics; `unknown` for a number not known here.
    pub fn name(self) -> &'static str {
        match self {
            Reason::NOT_ENTITLED => "not-entitled",
            Reason::REVOKED => "revoked",
            Reason::WRONG_KIND => "wrong-kind",
            Reason::UNFIT => "unfit",
            _ => "unknown",
        }
    }
}

/// Space on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// What is free.
    pub free_bytes: u64,
    /// What there is.
    pub total_bytes: u64,
}

/// The dossiers that an office holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossiers {
    /// Those that are not over.
    pub open: u64,
    /// Those past their due while the clock runs.
    pub overdue: u64,
    /// Those due before the end of the next working day.
    pub due_in_1: u64,
    /// Those due before the end of the third working day from now.
    pub due_in_3: u64,
}

/// Why the body of a report tells nothing here.
#[derive(Debug, Error)]
pub enum HealthError {
    /// A newer program wrote it: hand it on, and show that the program is newer.
    #[error("report of version {version} is newer than this program")]
    Newer {
        /// Its version.
        version: u8,
    },
    /// It is no report at all; its node is at fault.
    #[error("report does not read: {cause}")]
    Malformed {
        /// What the decoder met.
        cause: String,
    },
}

impl Health {
    /// The body of a report that says this; shortened where it would pass a limit.
    pub fn to_body(&self) -> Vec<u8> {
        let mut said = self.clone();
        while said.program.len() > MAX_PROGRAM_BYTES {
            said.program.pop();
        }
        said.quarantined.truncate(MAX_REASONS);
        let encoded = codec::encode(&said, MAX_REPORT_BYTES - 1);
        // Some numbers, 64 bytes of text and 16 reasons are far below the limit.
        let mut body = vec![VERSION];
        body.extend(encoded.unwrap_or_default());
        body
    }

    /// Reads the body of a report.
    pub fn from_body(body: &[u8]) -> Result<Health, HealthError> {
        let malformed = |cause: &str| HealthError::Malformed { cause: cause.to_owned() };
        let (version, rest) = body.split_first().ok_or_else(|| malformed("it is empty"))?;
        match *version {
            VERSION => {}
            0 => return Err(malformed("its version is 0")),
            version => return Err(HealthError::Newer { version }),
        }
        let health: Health =
            codec::decode(rest, MAX_REPORT_BYTES).map_err(|error| malformed(&error.to_string()))?;
        if health.program.len() > MAX_PROGRAM_BYTES {
            return Err(malformed("its program has more than 64 bytes"));
        }
        if health.quarantined.len() > MAX_REASONS {
            return Err(malformed("it has more than 16 reasons"));
        }
        Ok(health)
    }

    /// Whether it has ever held the same as the office above it.
    pub fn has_settled(&self) -> bool {
        match self.uplink {
            Uplink::Settled { .. } => true,
            Uplink::Working { since } => since.is_some(),
            Uplink::Top | Uplink::Cut { .. } => false,
        }
    }

    /// All changes in quarantine.
    pub fn all_quarantined(&self) -> u64 {
        self.quarantined.iter().fold(0, |all, (_, count)| all.saturating_add(*count))
    }
}

const VERSION: u8 = 1;
const MAX_PROGRAM_BYTES: usize = 64;
const MAX_REASONS: usize = 16;
