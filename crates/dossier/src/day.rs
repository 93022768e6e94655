//! Days as people write them, in the one zone of the law: Asia/Ho_Chi_Minh.

use lienthong_catalogue::{DayMinute, VIETNAM_MS, day, moment};
use lienthong_protocol::Moment;

use crate::clock::minute_moment;

/// The day on which a moment falls in Asia/Ho_Chi_Minh, as `YYYY-MM-DD`.
pub fn local_day(at: Moment) -> String {
    let (year, month, day) = civil((at.0.saturating_add(VIETNAM_MS)) / DAY_MS);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The minute at which a moment falls in Asia/Ho_Chi_Minh, as `YYYY-MM-DDTHH:MM`.
pub fn local_minute(at: Moment) -> String {
    let minute = at.0.saturating_add(VIETNAM_MS) / 60_000;
    format!("{}T{:02}:{:02}", local_day(at), minute / 60 % 24, minute % 60)
}

/// Says whether a due lies before a local minute; a day ends with its last minute.
pub(crate) fn is_past(due: &str, local_minute: &str) -> bool {
    let local = if due.contains('T') { local_minute } else { local_minute.get(..10).unwrap_or("") };
    due < local
}

/// The moment from which a due lies in the past; none for a text that is no due.
pub(crate) fn past_from(due: &str) -> Option<Moment> {
    if !is_due(due) {
        return None;
    }
    if due < FIRST_DAY {
        return Some(Moment(0));
    }
    if due.contains('T') {
        return minute_moment(due).map(|at| Moment(at.0.saturating_add(MINUTE_MS)));
    }
    moment(day(due).ok()?.tomorrow().ok()?, DayMinute::at(0, 0)?)
}

/// The moment at which a day begins; none for a text that is no day.
pub(crate) fn begins(text: &str) -> Option<Moment> {
    moment(day(text).ok()?, DayMinute::at(0, 0)?)
}

/// Says whether a due lies behind another; one of a whole day lies behind no minute of that day.
pub(crate) fn is_later(due: &str, other: &str) -> bool {
    let both = due.contains('T') && other.contains('T');
    let part = |text: &str| text.get(..10).map(str::to_owned).unwrap_or_default();
    if both { due > other } else { part(due) > part(other) }
}

/// Says whether a due lies further ahead than anything is promised: somebody mistyped the year.
pub(crate) fn is_far(due: &str, local_minute: &str) -> bool {
    let year = |text: &str| text.get(..4).and_then(number).unwrap_or_default();
    year(due) > year(local_minute) + MAX_YEARS_AHEAD
}

/// The day of a dossier code: `YYMMDD`.
pub(crate) fn short_day(at: Moment) -> String {
    let (year, month, day) = civil((at.0.saturating_add(VIETNAM_MS)) / DAY_MS);
    format!("{:02}{month:02}{day:02}", year % 100)
}

/// Says whether a text is a day that exists, as `YYYY-MM-DD`.
pub fn is_day(text: &str) -> bool {
    let parts = [text.get(0..4), text.get(5..7), text.get(8..10)].map(|part| part.map(number));
    let [Some(Some(year)), Some(Some(month)), Some(Some(day))] = parts else { return false };
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    shaped && (1..=days_of(year, month)).contains(&day)
}

/// Says whether a text is a day that exists, with or without a minute: `YYYY-MM-DD` or
/// `YYYY-MM-DDTHH:MM`.
pub fn is_due(text: &str) -> bool {
    let Some((day, minute)) = text.split_once('T') else { return is_day(text) };
    let Some((hours, minutes)) = minute.split_once(':') else { return false };
    let below = |text: &str, limit| text.len() == 2 && number(text).is_some_and(|n| n < limit);
    is_day(day) && below(hours, 24) && below(minutes, 60)
}

/// Says whether a text is a minute that exists: `YYYY-MM-DDTHH:MM`.
pub(crate) fn is_minute(text: &str) -> bool {
    text.contains('T') && is_due(text)
}

fn number(digits: &str) -> Option<u64> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse().ok()).flatten()
}

fn leaps(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u64::from(leaps(year)),
        1..=12 => 31,
        _ => 0,
    }
}

/// The civil date of a number of days since 1970-01-01, without a loop, whatever the number: days
/// are counted from 1 March of year 0, so that the leap day is the last of a year.
fn civil(days_since_epoch: u64) -> (u64, u64, u64) {
    let days = days_since_epoch + DAYS_TO_EPOCH;
    let (era, day_of_era) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let leap_days = day_of_era / 1_460 + day_of_era / 146_096;
    let year_of_era = (day_of_era + day_of_era / 36_524 - leap_days) / 365;
    let day_of_year = day_of_era + year_of_era / 100 - 365 * year_of_era - year_of_era / 4;
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The longest limits of the reference catalogue are months; ministries take a few years.
const MAX_YEARS_AHEAD: u64 = 10;
const MINUTE_MS: u64 = 60_000;
/// The first day that has moments; what was due before it is past at all of them.
const FIRST_DAY: &str = "1970-01-02";
const DAY_MS: u64 = 86_400_000;
/// From 1 March of year 0 to 1 January 1970.
const DAYS_TO_EPOCH: u64 = 719_468;
/// Days in 400 years.
const DAYS_OF_ERA: u64 = 146_097;

#[cfg(test)]
#[path = "day_tests.rs"]
mod tests;
