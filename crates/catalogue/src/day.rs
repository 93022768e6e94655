//! Days and minutes as the law counts them: in Asia/Ho_Chi_Minh, written `2017-06-05` and `07:00`.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use lienthong_protocol::Moment;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// A minute of a day, 00:00 to 23:59; written `07:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayMinute(u16);

impl DayMinute {
    /// 00:00.
    pub(crate) const MIDNIGHT: Self = Self(0);

    /// The minute at an hour below 24 and a minute below 60.
    pub const fn at(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour * 60 + minute)) } else { None }
    }

    /// Minutes since midnight.
    pub fn since_midnight(self) -> u64 {
        u64::from(self.0)
    }

    /// The minute `minutes` later, at most 23:59.
    pub(crate) fn later(self, minutes: u64) -> Self {
        let last = u64::from(LAST_MINUTE);
        let minute = self.since_midnight().saturating_add(minutes).min(last);
        Self(u16::try_from(minute).unwrap_or(LAST_MINUTE))
    }

    fn time(self) -> Time {
        let (hour, minute) = (self.0 / 60, self.0 % 60);
        let parts = (i8::try_from(hour).unwrap_or(0), i8::try_from(minute).unwrap_or(0));
        Time::new(parts.0, parts.1, 0, 0).unwrap_or(Time::midnight())
    }
}

impl fmt::Display for DayMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for DayMinute {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let minute = has_form(text, "00:00").then(|| text.split_once(':')).flatten();
        let parts = minute.and_then(|(hour, minute)| hour.parse().ok().zip(minute.parse().ok()));
        let minute = parts.and_then(|(hour, minute)| Self::at(hour, minute));
        minute.ok_or_else(|| DayError::Minute { text: cut(text) })
    }
}

impl Serialize for DayMinute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DayMinute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Why a text is no day or no minute.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DayError {
    /// Write a day that exists.
    #[error("`{text}` is not a day that exists, written as in 2017-06-05")]
    Day {
        /// What was written, cut to 32 characters.
        text: String,
    },
    /// Write a minute that exists.
    #[error("`{text}` is not a time of day from 00:00 to 23:59, written as in 07:30")]
    Minute {
        /// What was written, cut to 32 characters.
        text: String,
    },
}

/// Reads a day that exists, in the one form `YYYY-MM-DD`.
pub fn day(text: &str) -> Result<Date, DayError> {
    // Only the plain form: jiff would also read a time after the day.
    let plain = has_form(text, "0000-00-00").then(|| text.parse().ok()).flatten();
    plain.ok_or_else(|| DayError::Day { text: cut(text) })
}

/// The local day and minute of a moment; seconds are cut off, as on a printed receipt. A moment
/// after the year 9998 counts as its last minute.
pub fn local(at: Moment) -> (Date, DayMinute) {
    let milliseconds = i64::try_from(at.0).unwrap_or(i64::MAX);
    let stamp = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    let local = ZONE.to_datetime(stamp.min(*LAST_STAMP));
    let minute = u16::try_from(i16::from(local.hour()) * 60 + i16::from(local.minute()));
    (local.date(), DayMinute(minute.unwrap_or(LAST_MINUTE)))
}

/// The moment at which a local minute begins; `None` for a day before 1970 or after 9998.
pub fn moment(day: Date, minute: DayMinute) -> Option<Moment> {
    let local = DateTime::from_parts(day, minute.time());
    let stamp = ZONE.to_timestamp(local).ok().filter(|stamp| *stamp <= *LAST_STAMP)?;
    u64::try_from(stamp.as_millisecond()).ok().map(Moment)
}

/// How a day stands in files and documents: as its ISO text.
pub(crate) mod iso {
    use super::{Date, Deserialize, Deserializer, Serializer, day, de};

    pub(crate) fn serialize<S: Serializer>(day: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        day(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

fn has_form(text: &str, form: &str) -> bool {
    let fits = |(byte, form): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

fn cut(text: &str) -> String {
    text.chars().take(32).collect()
}

/// How far the clocks of Asia/Ho_Chi_Minh are ahead of UTC, in milliseconds: 7 hours, all year, at
/// all moments of a dossier. For sums that need no calendar.
pub const VIETNAM_MS: u64 = 7 * 3_600_000;

static ZONE: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("Asia/Ho_Chi_Minh").expect("the zone is in the bundled time zone database")
});

/// The end of 9998, so that no day's tomorrow lies outside what jiff can name.
static LAST_STAMP: LazyLock<Timestamp> = LazyLock::new(|| {
    Timestamp::from_second(253_370_739_540).expect("the year 9998 lies within jiff's range")
});

const LAST_MINUTE: u16 = 23 * 60 + 59;

#[cfg(test)]
#[path = "day_tests.rs"]
mod tests;
