//! Days and minutes as the forms write them, in Asia/Ho_Chi_Minh.

use std::fmt;

use lienthong_catalogue::VIETNAM_MS;
use lienthong_dossier::{is_due, local_day};
use lienthong_protocol::Moment;
use serde::{Deserialize, Serialize};

/// A day in Asia/Ho_Chi_Minh, and a minute of it where that is known. Written `YYYY-MM-DD` or
/// `YYYY-MM-DDTHH:MM`; a day alone sorts before its minutes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct When {
    day: String,
    minute: Option<u32>,
}

impl When {
    /// The minute in which a moment lies; the last of the year 9999 for any after it.
    pub fn of(at: Moment) -> When {
        let at = Moment(at.0.min(LAST_MS));
        let minute = (at.0 + VIETNAM_MS) / MINUTE_MS % DAY_MINUTES;
        When { day: local_day(at), minute: u32::try_from(minute).ok() }
    }

    /// Reads a due; none if there is no such day or minute.
    pub fn parse(text: &str) -> Option<When> {
        if !is_due(text) {
            return None;
        }
        let (day, minute) = text.split_once('T').unwrap_or((text, ""));
        let minute = minute.split_once(':').and_then(|(hours, minutes)| {
            Some(hours.parse::<u32>().ok()? * 60 + minutes.parse::<u32>().ok()?)
        });
        Some(When { day: day.to_owned(), minute })
    }

    /// The day as `YYYY-MM-DD`.
    pub fn day(&self) -> &str {
        &self.day
    }

    /// Minutes since midnight, where they are known.
    pub fn minute(&self) -> Option<u32> {
        self.minute
    }

    /// As letters say it: `08 giờ 05 phút, ngày 05 tháng 01 năm 2026`.
    pub(crate) fn words(&self) -> String {
        match self.minute {
            Some(minute) => {
                let (hours, minutes) = (minute / 60, minute % 60);
                format!("{hours:02} giờ {minutes:02} phút, {}", self.day_words())
            }
            None => self.day_words(),
        }
    }

    /// The day as letters say it: `ngày 05 tháng 01 năm 2026`.
    pub(crate) fn day_words(&self) -> String {
        let [year, month, day] = self.parts();
        format!("ngày {day} tháng {month} năm {year}")
    }

    /// As tables say it: `08:05 05/01/2026`.
    pub(crate) fn short(&self) -> String {
        let [year, month, day] = self.parts();
        match self.minute {
            Some(minute) => {
                format!("{:02}:{:02} {day}/{month}/{year}", minute / 60, minute % 60)
            }
            None => format!("{day}/{month}/{year}"),
        }
    }

    fn parts(&self) -> [&str; 3] {
        let mut parts = self.day.split('-');
        [(); 3].map(|()| parts.next().unwrap_or_default())
    }
}

/// 1 January 1970, the day before any dossier.
impl Default for When {
    fn default() -> When {
        When { day: "1970-01-01".to_owned(), minute: None }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.day)?;
        match self.minute {
            Some(minute) => write!(f, "T{:02}:{:02}", minute / 60, minute % 60),
            None => Ok(()),
        }
    }
}

impl From<When> for String {
    fn from(when: When) -> String {
        when.to_string()
    }
}

impl TryFrom<String> for When {
    type Error = String;

    fn try_from(text: String) -> Result<When, String> {
        When::parse(&text).ok_or_else(|| "no day as YYYY-MM-DD or YYYY-MM-DDTHH:MM".to_owned())
    }
}

/// The end of 9999-12-31 in Asia/Ho_Chi_Minh: a year of five digits is no date on paper.
const LAST_MS: u64 = 253_402_275_599_999;
const MINUTE_MS: u64 = 60_000;
const DAY_MINUTES: u64 = 24 * 60;

#[cfg(test)]
#[path = "day_tests.rs"]
mod tests;
