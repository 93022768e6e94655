//! A time limit of the law, and the due moment that it leads to.

use std::fmt;

use jiff::civil::Date;
use lienthong_protocol::Moment;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::day::local;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Ngày làm việc: days on which the office works.
    WorkingDay,
    /// Ngày: days of the calendar; the last one is never a day off.
    Day,
    /// Giờ làm việc: hours during which the office is open.
    Hour,
    /// Trong ngày: the day of reception if received in time, else the next working day. The amount
    /// of such a limit means nothing.
    SameDay,
}

/// How long an office may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// Whole units; at most [`Limit::MAX_DAYS`] days or [`Limit::MAX_HOURS`] hours.
    pub amount: u32,
    /// Half a unit more: half a working day (`hours_per_day` / 2), or 30 minutes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub half: bool,
    /// What is counted.
    pub unit: Unit,
}

impl Limit {
    /// Most days of a limit: ten years.
    pub const MAX_DAYS: u32 = 3_650;
    /// Most hours of a limit.
    pub const MAX_HOURS: u32 = 29_200;

    /// A limit of whole units.
    pub const fn of(amount: u32, unit: Unit) -> Self {
        Self { amount, half: false, unit }
    }

    /// The same limit and half a unit more; a half that is there already becomes a whole.
    #[must_use]
    pub const fn and_half(self) -> Self {
        let amount = if self.half { self.amount.saturating_add(1) } else { self.amount };
        Self { amount, half: !self.half, unit: self.unit }
    }

    /// Both limits together, if they count the same and can be added: same-day limits cannot.
    pub fn plus(self, more: Limit) -> Option<Limit> {
        if self.unit != more.unit || self.unit == Unit::SameDay {
            return None;
        }
        let sum = Limit { amount: self.amount.saturating_add(more.amount), ..self };
        Some(if more.half { sum.and_half() } else { sum })
    }

    /// Refuses a limit of nothing and one that is too long.
    pub fn check(self) -> Result<(), DueError> {
        let max = match self.unit {
            Unit::SameDay => return Ok(()),
            Unit::WorkingDay | Unit::Day => Self::MAX_DAYS,
            Unit::Hour => Self::MAX_HOURS,
        };
        if self.amount > max {
            return Err(DueError::TooLong { limit: self, max });
        }
        if self.amount == 0 && !self.half {
            return Err(DueError::Nothing { limit: self });
        }
        Ok(())
    }
}

/// In both languages: `2,5 ngày làm việc / 2.5 working days`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (vietnamese, english) = match self.unit {
            Unit::SameDay => return f.write_str("trong ngày / same day"),
            Unit::WorkingDay => ("ngày làm việc", "working day"),
            Unit::Day => ("ngày", "day"),
            Unit::Hour => ("giờ làm việc", "working hour"),
        };
        let one = self.amount == 1 && !self.half || self.amount == 0;
        let (comma, point) = if self.half { (",5", ".5") } else { ("", "") };
        let (amount, plural) = (self.amount, if one { "" } else { "s" });
        write!(f, "{amount}{comma} {vietnamese} / {amount}{point} {english}{plural}")
    }
}

/// When something must be done, and what that was computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The minute at whose beginning the time is up.
    pub at: Moment,
    /// The local day of that moment; a working day of the calendar.
    pub day: Date,
    /// Year and version of every calendar that had a say, by year.
    pub calendar_versions: Vec<(i16, u32)>,
    /// What the reader should know about this due, each once.
    pub warnings: Vec<Warning>,
}

/// What makes a due less than certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Warning {
    /// The calendar of this year is not published: only its weekends are off. Compute again later.
    #[error(
        "chưa có lịch làm việc năm {year}, chỉ trừ cuối tuần / \
         no calendar for {year}, only weekends are off"
    )]
    CalendarMissing {
        /// The year without a calendar.
        year: i16,
    },
    /// A day off that is not yet law lies in between, and was counted as worked.
    #[error("ngày nghỉ {day} chưa được quyết định / the day off {day} is not yet decided")]
    Unconfirmed {
        /// The day.
        day: Date,
    },
}

/// Why no due can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DueError {
    /// The limit is empty.
    #[error("limit is {limit}, the least is half a unit")]
    Nothing {
        /// The limit.
        limit: Limit,
    },
    /// The limit is longer than any law gives.
    #[error("limit is {limit}, the most is {max}")]
    TooLong {
        /// The limit.
        limit: Limit,
        /// Most units of this kind.
        max: u32,
    },
    /// The calendar has so few working days that the end was not found.
    #[error("no end within {days} days after {from}")]
    NeverOpen {
        /// The day from which was counted.
        from: Date,
        /// Days that were looked at.
        days: u32,
    },
    /// The end lies outside the years that can be counted.
    #[error("counted from {from}, the end lies outside the years 1970 to 9998")]
    OutOfRange {
        /// The day from which was counted.
        from: Date,
    },
}

impl DueError {
    /// The fixed word of this refusal.
    pub fn code(&self) -> &'static str {
        match self {
            DueError::Nothing { .. } => "limit-empty",
            DueError::TooLong { .. } => "limit-too-long",
            DueError::NeverOpen { .. } => "calendar-never-open",
            DueError::OutOfRange { .. } => "due-out-of-range",
        }
    }

    /// Says what is wrong in Vietnamese.
    pub fn cause_vi(&self) -> String {
        match self {
            DueError::Nothing { limit } => format!("thời hạn là {limit}, ít nhất là nửa đơn vị"),
            DueError::TooLong { limit, max } => format!("thời hạn là {limit}, nhiều nhất là {max}"),
            DueError::NeverOpen { from, days } => {
                format!("không đủ ngày làm việc trong {days} ngày kể từ {from}")
            }
            DueError::OutOfRange { from } => {
                format!("tính từ {from}, ngày hết hạn nằm ngoài các năm 1970 đến 9998")
            }
        }
    }

    /// What to do about it, in Vietnamese.
    pub fn remedy_vi(&self) -> &'static str {
        match self {
            DueError::Nothing { .. } => "công bố danh mục có thời hạn",
            DueError::TooLong { .. } => "công bố danh mục với thời hạn đúng luật",
            DueError::NeverOpen { .. } => "công bố lịch có ngày làm việc và giờ mở cửa",
            DueError::OutOfRange { .. } => "chỉnh đồng hồ máy tính rồi làm lại",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            DueError::Nothing { .. } => "publish a catalogue in which the limit is not empty",
            DueError::TooLong { .. } => "publish a catalogue with the limit that the law gives",
            DueError::NeverOpen { .. } => "publish a calendar with working days and opening times",
            DueError::OutOfRange { .. } => "set the clock of the computer, then try again",
        }
    }
}

/// How something ended, compared with its original due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Trước hạn: done on a day before that of the due.
    Early,
    /// Đúng hạn: done on the day of the due, not after its minute.
    OnTime,
    /// Quá hạn: done after the minute of the due.
    Late,
}

impl Verdict {
    /// Judges a finish against a due; the caller says which due counts. The seconds of the due's
    /// minute are still on time, as a receipt shows minutes.
    pub fn of(due: Moment, finished: Moment) -> Self {
        match local(finished).cmp(&local(due)) {
            std::cmp::Ordering::Greater => Verdict::Late,
            _ if local(finished).0 < local(due).0 => Verdict::Early,
            _ => Verdict::OnTime,
        }
    }

    /// The words for it, Vietnamese and English.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Early => "trước hạn / early",
            Verdict::OnTime => "đúng hạn / on time",
            Verdict::Late => "quá hạn / late",
        }
    }
}

#[cfg(test)]
#[path = "limit_tests.rs"]
mod tests;
