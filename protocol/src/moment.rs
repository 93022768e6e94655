//! Our own point in time, so that no pure crate needs a clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch. Never used to order changes causally, only to name when.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Moment(pub u64);

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;

impl Moment {
    /// The first moment that no change may carry: its minute would not fit 32 bits.
    pub const LIMIT: Moment = Moment((u32::MAX as u64) * MINUTE_MS);

    /// Whole minutes since the epoch; saturates past [`Moment::LIMIT`].
    pub fn minute(self) -> u32 {
        u32::try_from(self.0 / MINUTE_MS).unwrap_or(u32::MAX)
    }

    /// Whole hours since the epoch; saturates past [`Moment::LIMIT`].
    pub fn hour(self) -> u32 {
        u32::try_from(self.0 / HOUR_MS).unwrap_or(u32::MAX)
    }

    /// The moment `wait` later; saturates.
    #[must_use]
    pub fn after(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The moment `wait` earlier; not before the epoch.
    #[must_use]
    pub fn before(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_sub(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
