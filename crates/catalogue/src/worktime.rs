//! Working time: when a limit is over, and how long something took.
//!
//! The rules, by the Civil Code (91/2015/QH13), which holds where no special law counts otherwise:
//!
//! * Hours run from the moment of reception (art. 147.1), while the office is open.
//! * Days do not count the day of reception; the first is the next one (art. 147.2 and 3). So a
//!   limit of N working days is over at the end of the N-th working day after that of reception.
//! * A limit in days is over at the end of its last day (art. 148.1), here the last closing time,
//!   for the counter gives nothing out later; if that is a day off, at the end of the next working
//!   day (art. 148.5).
//! * What comes in after the last closing time, or on a day off, counts as received at the next
//!   opening. What comes in during the noon break came in on that day. What comes in in the very
//!   minute of closing still did too.
//! * Half a working day is `hours_per_day` / 2 hours from the opening of the working day that
//!   follows the whole ones. Half a day of the calendar likewise, if the last whole day and the one
//!   after it are worked; else it is over at the end of the next working day, as a whole day is.
//! * A same-day limit is over at the end of the day if received not after `same_day_until`, else
//!   at the end of the next working day.
//! * Pauses move a due by the working time that they took, whatever the limit counts.
//!
//! Moments are taken by their minute, as a receipt prints them. A due is the first minute at which
//! all working time is used up, so the end of a day is its closing time.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::Date;
use lienthong_protocol::Moment;

use crate::calendar::Calendar;
use crate::day::{DayMinute, local, moment};
use crate::limit::{Due, DueError, Limit, Unit};

/// Minutes of working time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minutes(pub u64);

impl Minutes {
    /// In working days of `hours_per_day`, hours and minutes, in both languages:
    /// `2 ngày 3 giờ / 2 d 3 h`.
    pub fn words(self, hours_per_day: u32) -> String {
        let minutes_per_day = u64::from(hours_per_day.max(1)) * 60;
        let (days, rest) = (self.0 / minutes_per_day, self.0 % minutes_per_day);
        let parts = [days, rest / 60, rest % 60];
        let say = |units: [&str; 3]| {
            let said = parts.iter().zip(units).filter(|(amount, _)| **amount > 0);
            let said: Vec<String> = said.map(|(amount, unit)| format!("{amount} {unit}")).collect();
            if said.is_empty() { format!("0 {}", units[2]) } else { said.join(" ") }
        };
        format!("{} / {}", say(["ngày", "giờ", "phút"]), say(["d", "h", "min"]))
    }
}

/// A stretch during which the clock stood: from, and to unless it still stands.
pub type Pause = (Moment, Option<Moment>);

/// When a limit is over that began with the reception at `from`.
pub fn due(calendar: &Calendar, from: Moment, limit: Limit) -> Result<Due, DueError> {
    due_extended(calendar, from, limit, &[])
}

/// When a limit and its extensions are over; extensions that count the same are added first.
pub fn due_extended(
    calendar: &Calendar,
    from: Moment,
    limit: Limit,
    extensions: &[Limit],
) -> Result<Due, DueError> {
    let mut end = Point::new(from).after(calendar, limit)?;
    for extension in extensions {
        end = end.after(calendar, *extension)?;
    }
    end.due(calendar, from)
}

/// The first minute at which `minutes` of working time have passed since `from`; `from` itself for
/// none. It lies within opening times or at a closing time.
pub fn add(calendar: &Calendar, from: Moment, minutes: Minutes) -> Result<Moment, DueError> {
    let Minutes(mut left) = minutes;
    if left == 0 {
        return Ok(from);
    }
    let (first, received) = local(from);
    for day in days_from(first) {
        for window in calendar.windows(day) {
            let since = if day == first { window.opens.max(received) } else { window.opens };
            let open = window.closes.since_midnight().saturating_sub(since.since_midnight());
            if left <= open {
                return at(day, since.later(left));
            }
            left -= open;
        }
    }
    Err(never_open(first))
}

/// Working time from one moment to another; none if `to` is not later. Spans over 100 years count
/// as 100.
pub fn between(calendar: &Calendar, from: Moment, to: Moment) -> Minutes {
    let ((first, since), (last, until)) = (local(from), local(to));
    let open = |day: Date| -> u64 {
        let since = if day == first { since } else { DayMinute::MIDNIGHT };
        let until = (day == last).then_some(until);
        let minutes = calendar.windows(day).iter().map(|window| {
            let closes = until.map_or(window.closes, |until| window.closes.min(until));
            closes.since_midnight().saturating_sub(window.opens.max(since).since_midnight())
        });
        minutes.sum()
    };
    Minutes(days_from(first).take_while(|day| *day <= last).map(open).sum())
}

/// The due after pauses: moved by the working time that they took, each counted up to `now` if it
/// still lasts. Pauses that overlap count once; one that begins at or after the due, as moved so
/// far, comes too late to move it.
pub fn paused_due(
    calendar: &Calendar,
    due: Moment,
    pauses: &[Pause],
    now: Moment,
) -> Result<Due, DueError> {
    let mut stretches: Vec<(Moment, Moment)> =
        pauses.iter().map(|(from, to)| (*from, to.unwrap_or(now))).collect();
    stretches.sort_unstable();
    let (mut moved, mut resumed) = (due, Moment(0));
    for (from, to) in stretches.into_iter().filter(|(from, to)| from < to) {
        let from = from.max(resumed);
        if from >= moved {
            break;
        }
        moved = add(calendar, moved, between(calendar, from, to))?;
        resumed = resumed.max(to);
    }
    Ok(due_at(calendar, due, moved))
}

/// Working time left from `now` until a due.
pub fn left(calendar: &Calendar, due: Moment, now: Moment) -> Minutes {
    between(calendar, now, due)
}

/// Working time by which something at `finished` is over its due; none if it is not.
pub fn late_by(calendar: &Calendar, due: Moment, finished: Moment) -> Minutes {
    between(calendar, due, finished)
}

/// The moment from which a reception counts: itself during opening times and the noon break, else
/// the next opening.
pub fn counted_from(calendar: &Calendar, received: Moment) -> Result<Moment, DueError> {
    let (day, minute) = local(received);
    let begun = begins(calendar, received)?;
    let opens = calendar.windows(begun).first().map_or(DayMinute::MIDNIGHT, |first| first.opens);
    if begun == day && minute >= opens { Ok(received) } else { at(begun, opens) }
}

/// What the dues of a flow need to know of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepLimit {
    /// The agency's own limit; `None` if the law gives none.
    pub limit: Option<Limit>,
    /// Steps with the same letter begin together; what follows begins when the last of them ends.
    pub parallel: Option<char>,
    /// Whether the step is part of the total. One that is not takes no time in the plan: it has a
    /// due of its own, counted from where it stands, and what follows is not moved. The time that
    /// it really takes is a pause of the clock, which moves all dues.
    pub counts: bool,
}

/// When every step of a flow and all of it are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowDues {
    /// Of each step in order; `None` for a step without a limit.
    pub steps: Vec<Option<Due>>,
    /// When the last step that counts is due: the internal due. `None` if no step has a limit.
    pub internal: Option<Due>,
    /// When the whole is due: by the total limit, else as [`FlowDues::internal`].
    pub total: Option<Due>,
}

impl FlowDues {
    /// The dues of a flow that was received at `from`.
    pub fn of(
        calendar: &Calendar,
        from: Moment,
        steps: &[StepLimit],
        total: Option<Limit>,
    ) -> Result<Self, DueError> {
        let mut plan = Plan::new(calendar, from);
        let steps = steps.iter().map(|step| plan.step(*step)).collect::<Result<_, _>>()?;
        let internal = plan.is_timed.then(|| plan.end.due(calendar, from)).transpose()?;
        let total = match total {
            Some(limit) => Some(Point::new(from).after(calendar, limit)?.due(calendar, from)?),
            None => internal.clone(),
        };
        Ok(Self { steps, internal, total })
    }

    /// Whether the steps together take longer than the total limit allows, as where a law gives the
    /// total in days of the calendar and the steps in working days. The total is what is owed.
    pub fn is_over_total(&self) -> bool {
        let ends = self.internal.as_ref().zip(self.total.as_ref());
        ends.is_some_and(|(internal, total)| internal.at > total.at)
    }
}

struct Plan<'a> {
    calendar: &'a Calendar,
    from: Moment,
    /// Where the latest step that counts ends.
    end: Point,
    is_timed: bool,
    /// Where the steps of a letter begin.
    groups: BTreeMap<char, Point>,
}

impl<'a> Plan<'a> {
    fn new(calendar: &'a Calendar, from: Moment) -> Self {
        let end = Point::new(from);
        Self { calendar, from, end, is_timed: false, groups: BTreeMap::new() }
    }

    fn step(&mut self, step: StepLimit) -> Result<Option<Due>, DueError> {
        let begin = match step.parallel {
            Some(letter) => *self.groups.entry(letter).or_insert(self.end),
            None => self.end,
        };
        let Some(limit) = step.limit else { return Ok(None) };
        let end = begin.after(self.calendar, limit)?;
        let due = end.due(self.calendar, self.from)?;
        if step.counts {
            self.is_timed = true;
            // Two ends that a weekend rolled onto one day still differ in what was counted.
            if (self.end.at(self.calendar)?, self.end.run) <= (due.at, end.run) {
                self.end = end;
            }
        }
        Ok(Some(due))
    }
}

/// A point in a chain of limits. Limits that count the same are added before they are counted, so
/// that 7, 10 and half a day are 17.5 days, and no day off moves the middle of them.
#[derive(Clone, Copy, Debug)]
struct Point {
    anchor: Moment,
    run: Option<Limit>,
}

impl Point {
    fn new(anchor: Moment) -> Self {
        Self { anchor, run: None }
    }

    fn after(self, calendar: &Calendar, limit: Limit) -> Result<Self, DueError> {
        limit.check()?;
        let Some(run) = self.run else { return Ok(Self { run: Some(limit), ..self }) };
        match run.plus(limit) {
            Some(sum) => Ok(Self { run: Some(sum), ..self }),
            None => Ok(Self { anchor: self.at(calendar)?, run: Some(limit) }),
        }
    }

    fn at(self, calendar: &Calendar) -> Result<Moment, DueError> {
        self.run.map_or(Ok(self.anchor), |limit| end_of(calendar, self.anchor, limit))
    }

    fn due(self, calendar: &Calendar, from: Moment) -> Result<Due, DueError> {
        self.at(calendar).map(|at| due_at(calendar, from, at))
    }
}

fn due_at(calendar: &Calendar, from: Moment, at: Moment) -> Due {
    let (first, day) = (local(from).0, local(at).0);
    Due {
        at,
        day,
        calendar_versions: calendar.versions(first, day),
        warnings: calendar.warnings(first, day),
    }
}

fn end_of(calendar: &Calendar, from: Moment, limit: Limit) -> Result<Moment, DueError> {
    limit.check()?;
    match limit.unit {
        Unit::Hour => {
            let half = if limit.half { 30 } else { 0 };
            add(calendar, from, Minutes(u64::from(limit.amount) * 60 + half))
        }
        Unit::SameDay => closing(calendar, same_day(calendar, from)?),
        Unit::WorkingDay => {
            let last = nth_working_day(calendar, begins(calendar, from)?, limit.amount)?;
            if limit.half {
                half_into(calendar, nth_working_day(calendar, last, 1)?)
            } else {
                closing(calendar, last)
            }
        }
        Unit::Day => calendar_days(calendar, from, limit),
    }
}

fn calendar_days(calendar: &Calendar, from: Moment, limit: Limit) -> Result<Moment, DueError> {
    let first = begins(calendar, from)?;
    let last = days_after(first, limit.amount)?;
    if !limit.half {
        return closing(calendar, working_day_from(calendar, last)?);
    }
    let following = days_after(last, 1)?;
    // Past a day off a half would be over before the whole days are.
    if calendar.is_working(last) && calendar.is_working(following) {
        half_into(calendar, following)
    } else {
        closing(calendar, working_day_from(calendar, following)?)
    }
}

fn days_after(day: Date, days: u32) -> Result<Date, DueError> {
    let later = day.checked_add(Span::new().days(days));
    later.map_err(|_| DueError::OutOfRange { from: day })
}

/// The day on which what comes in at a moment counts as received.
fn begins(calendar: &Calendar, received: Moment) -> Result<Date, DueError> {
    let (day, minute) = local(received);
    if calendar.closes(day).is_some_and(|closes| minute <= closes) {
        return Ok(day);
    }
    nth_working_day(calendar, day, 1)
}

fn same_day(calendar: &Calendar, received: Moment) -> Result<Date, DueError> {
    let (day, minute) = local(received);
    if calendar.is_working(day) && minute <= calendar.hours(day).same_day_until {
        return Ok(day);
    }
    nth_working_day(calendar, day, 1)
}

/// The n-th working day after a day; the day itself for none.
fn nth_working_day(calendar: &Calendar, day: Date, n: u32) -> Result<Date, DueError> {
    let Some(before) = n.checked_sub(1) else { return Ok(day) };
    let mut following = days_from(day).skip(1).filter(|day| calendar.closes(*day).is_some());
    following.nth(before as usize).ok_or_else(|| never_open(day))
}

fn working_day_from(calendar: &Calendar, day: Date) -> Result<Date, DueError> {
    let mut days = days_from(day).filter(|day| calendar.closes(*day).is_some());
    days.next().ok_or_else(|| never_open(day))
}

fn closing(calendar: &Calendar, day: Date) -> Result<Moment, DueError> {
    let closes = calendar.closes(day).ok_or_else(|| never_open(day))?;
    at(day, closes)
}

/// Half a working day after the opening of a working day, at most its end.
fn half_into(calendar: &Calendar, day: Date) -> Result<Moment, DueError> {
    let hours = calendar.hours(day);
    let half = (u64::from(hours.hours_per_day) * 30).min(hours.open_minutes());
    let midnight = at(day, DayMinute::MIDNIGHT)?;
    add(calendar, midnight, Minutes(half))
}

/// A day and those after it, at most [`MAX_SPAN_DAYS`].
fn days_from(day: Date) -> impl Iterator<Item = Date> {
    let days = std::iter::successors(Some(day), |day| day.tomorrow().ok());
    days.take(MAX_SPAN_DAYS as usize)
}

fn at(day: Date, minute: DayMinute) -> Result<Moment, DueError> {
    moment(day, minute).ok_or(DueError::OutOfRange { from: day })
}

fn never_open(from: Date) -> DueError {
    DueError::NeverOpen { from, days: MAX_SPAN_DAYS }
}

/// Days over which is counted: about 100 years, so that no text can make this run for long.
const MAX_SPAN_DAYS: u32 = 36_600;

#[cfg(test)]
#[path = "worktime_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "worktime_flow_tests.rs"]
mod flow_tests;

#[cfg(test)]
#[path = "worktime_properties_tests.rs"]
mod properties;
