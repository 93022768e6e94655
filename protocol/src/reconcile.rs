//! What two nodes say to find the difference of their sets.

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::limits::{MAX_CLAIMS, MAX_LISTED_IDS};
use crate::{Moment, ShortId, ShortTally};

/// A place in the order of changes: by minute of `at`, then by the first eight bytes of the id.
/// Ranges run from one bound up to, and without, the next.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Bound {
    /// Minutes since the Unix epoch.
    pub minute: u32,
    /// The first eight bytes of a change id, as a big-endian number.
    pub prefix: u64,
}

impl Bound {
    /// Before every change.
    pub const START: Bound = Bound { minute: 0, prefix: 0 };
    /// After every change: [`Moment::LIMIT`] keeps this minute unused.
    pub const END: Bound = Bound { minute: u32::MAX, prefix: u64::MAX };

    /// The first place of an hour; saturates at [`Bound::END`].
    pub fn hour(hour: u32) -> Bound {
        match hour.checked_mul(60) {
            Some(minute) => Bound { minute, prefix: 0 },
            None => Bound::END,
        }
    }

    /// The first place of the minute of a moment.
    pub fn minute_of(at: Moment) -> Bound {
        Bound { minute: at.minute(), prefix: 0 }
    }
}

/// Claims about neighbouring ranges, from `from` upwards without a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compare {
    /// Where the first range starts.
    pub from: Bound,
    /// The ranges in order; at most [`MAX_CLAIMS`]. None: nothing is left to compare.
    #[serde(with = "codec::List::<MAX_CLAIMS>")]
    pub claims: Vec<Claim>,
}

/// What the sender holds in one range, which starts where the claim before it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Where the range ends (not included).
    pub to: Bound,
    /// What is said about it.
    pub what: Claimed,
}

/// What is said about a range. Grows at the end only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claimed {
    /// Nothing: the range is equal or already dealt with.
    Skip,
    /// The sender holds a set with this tally.
    Sum(ShortTally),
    /// The sender holds exactly these; at most [`MAX_LISTED_IDS`].
    Ids(#[serde(with = "codec::List::<MAX_LISTED_IDS>")] Vec<ShortId>),
}

/// Asks for changes that the peer listed in a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Where the listed range starts.
    pub from: Bound,
    /// Where it ends (not included).
    pub to: Bound,
    /// Which of the listed ids; at most [`MAX_LISTED_IDS`].
    #[serde(with = "codec::List::<MAX_LISTED_IDS>")]
    pub ids: Vec<ShortId>,
}

impl Compare {
    /// Whether every range ends after it starts.
    pub(crate) fn ascends(&self) -> bool {
        let mut from = self.from;
        self.claims.iter().all(|claim| {
            let ascends = claim.to > from;
            from = claim.to;
            ascends
        })
    }
}

impl Want {
    /// Whether the range ends after it starts.
    pub(crate) fn ascends(&self) -> bool {
        self.to > self.from
    }
}
