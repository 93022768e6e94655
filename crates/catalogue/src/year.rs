//! The published working calendar of one year: the format of `calendar-2017.toml` and the others.

use jiff::civil::{Date, Weekday};
use lienthong_protocol::OfficeId;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::day::{DayMinute, iso};
use crate::source::{Fault, Source, SourceError};
use crate::year_check;

/// What one office publishes for one year; a higher version replaces a lower one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarYear {
    /// Version of the format, [`CalendarYear::SCHEMA`].
    pub schema: u32,
    /// The year, 2000 to 2200.
    pub year: i16,
    /// Version of this year's calendar, from 1.
    pub version: u32,
    /// A remark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Opening hours of every office that has none of its own.
    pub hours: Hours,
    /// Offices with opening hours of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub office_hours: Vec<OfficeHours>,
    /// Weekends, days off, and weekend days that are worked.
    pub days: Days,
    /// What the days rest on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<Citation>,
}

/// Opening hours of a working day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// Opening times in order, at most four, none touching the one before it earlier than its end.
    pub windows: Vec<Window>,
    /// Hours that count as one working day.
    pub hours_per_day: u32,
    /// Latest reception for an answer on the same day, this minute included.
    pub same_day_until: DayMinute,
    /// No source gives these hours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// From opening to closing; written `["07:00", "11:30"]`. The closing minute is not worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(DayMinute, DayMinute)", into = "(DayMinute, DayMinute)")]
pub struct Window {
    /// First minute that is worked.
    pub opens: DayMinute,
    /// First minute that is not worked any more.
    pub closes: DayMinute,
}

/// The opening hours of one office.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeHours {
    /// The office.
    pub office: OfficeId,
    /// Its hours, instead of those of all.
    pub hours: Hours,
}

/// Which days are worked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// Days of the week that are off.
    pub weekend: Vec<WeekDay>,
    /// Days off besides the weekends, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<DayOff>,
    /// Weekend days that are worked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub make_up: Vec<MakeUp>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeekDay {
    /// Thứ hai.
    Monday,
    /// Thứ ba.
    Tuesday,
    /// Thứ tư.
    Wednesday,
    /// Thứ năm.
    Thursday,
    /// Thứ sáu.
    Friday,
    /// Thứ bảy.
    Saturday,
    /// Chủ nhật.
    Sunday,
}

/// A day on which the offices are closed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayOff {
    /// The day, within the year.
    #[serde(with = "iso")]
    pub date: Date,
    /// Its name.
    pub name: String,
    /// Why it is off.
    pub kind: OffKind,
    /// Whether it is law; a day that is not is worked until somebody switches it on.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub confirmed: bool,
    /// Id of the [`Citation`] that it rests on.
    pub source: String,
}

/// Why a day is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffKind {
    /// A holiday by law.
    Holiday,
    /// Stands for a holiday that fell on a weekend.
    Substitute,
    /// Worked on another day, its make-up day.
    Swapped,
}

/// A weekend day that is worked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeUp {
    /// The day; it may lie in the year before or after.
    #[serde(with = "iso")]
    pub date: Date,
    /// The swapped day that it makes up for.
    #[serde(with = "iso")]
    pub replaces: Date,
    /// Day, month or year of the decision, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<String>,
    /// Id of the [`Citation`] that it rests on.
    pub source: String,
}

/// A text that days rest on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// Its id within the file.
    pub id: String,
    /// What it is.
    pub text: String,
    /// How it was seen.
    pub read: Reading,
}

/// How a citation was seen by whoever wrote the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A part of the text itself.
    Excerpt,
    /// In a text that cites it.
    Cited,
    /// Computed by rule.
    Computed,
    /// Nothing confirms it yet.
    Unconfirmed,
}

impl CalendarYear {
    /// The version of the format that is read and written.
    pub const SCHEMA: u32 = 1;

    /// Reads and checks the TOML text of a calendar; `file` is its name in errors. Texts are
    /// brought to Unicode NFC.
    pub fn parse(file: &str, text: &str) -> Result<Self, SourceError> {
        let text: String = text.nfc().collect();
        let source = Source::parse(file, &text)?;
        // The version first: a field of a later format would only be called unknown.
        let Format { schema } = source.read()?;
        year_check::schema(schema).map_err(|fault| source.locate(fault))?;
        let year: Self = source.read()?;
        year.check().map_err(|fault| source.locate(fault))?;
        Ok(year)
    }

    /// Reads and checks the JSON text that a calendar document holds.
    pub fn from_json(text: &str) -> Result<Self, Fault> {
        const REMEDY: &str = "ask the office that published the calendar to publish it again";
        let unreadable = |error: serde_json::Error| Fault::new("json", error.to_string(), REMEDY);
        let Format { schema } = serde_json::from_str(text).map_err(unreadable)?;
        year_check::schema(schema)?;
        let year: Self = serde_json::from_str(text).map_err(unreadable)?;
        year.check()?;
        Ok(year)
    }

    /// The JSON text that a calendar document holds; equal calendars give equal texts.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a calendar has text keys only")
    }

    /// Refuses a calendar that contradicts itself; the first fault found.
    pub fn check(&self) -> Result<(), Fault> {
        year_check::check(self)
    }

    /// The same calendar with the days that are not yet law switched on.
    #[must_use]
    pub fn with_unconfirmed(mut self) -> Self {
        self.days.off.iter_mut().for_each(|day| day.confirmed = true);
        self
    }
}

impl Hours {
    /// Minutes from the first opening to the last closing that are worked.
    pub fn open_minutes(&self) -> u64 {
        self.windows.iter().map(|window| window.minutes()).sum()
    }

    /// What is taken where nothing is published: 07:00–11:30 and 13:30–17:00, 8 hours, 15:00.
    pub fn usual() -> Self {
        let at = |hour, minute| DayMinute::at(hour, minute).expect("a minute of the day");
        let window = |opens, closes| Window { opens, closes };
        let windows = vec![window(at(7, 0), at(11, 30)), window(at(13, 30), at(17, 0))];
        Self { windows, hours_per_day: 8, same_day_until: at(15, 0), assumed: true }
    }
}

impl Window {
    /// Minutes that are worked; none if it closes before it opens.
    pub fn minutes(self) -> u64 {
        self.closes.since_midnight().saturating_sub(self.opens.since_midnight())
    }
}

impl Days {
    /// Whether a day falls on the weekend.
    pub fn is_weekend(&self, day: Date) -> bool {
        self.weekend.contains(&WeekDay::of(day))
    }
}

impl WeekDay {
    /// The day of the week on which a day falls.
    pub fn of(day: Date) -> Self {
        match day.weekday() {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

impl From<(DayMinute, DayMinute)> for Window {
    fn from((opens, closes): (DayMinute, DayMinute)) -> Self {
        Self { opens, closes }
    }
}

impl From<Window> for (DayMinute, DayMinute) {
    fn from(window: Window) -> Self {
        (window.opens, window.closes)
    }
}

/// The one field that every version of the format has.
#[derive(Deserialize)]
struct Format {
    schema: u32,
}

fn yes() -> bool {
    true
}

fn is_yes(confirmed: &bool) -> bool {
    *confirmed
}

#[cfg(test)]
#[path = "year_tests.rs"]
mod tests;
