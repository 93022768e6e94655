//! The working calendar: published years put together, for every office or for one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use lienthong_protocol::OfficeId;

use crate::day::DayMinute;
use crate::limit::Warning;
use crate::year::{CalendarYear, Days, Hours, WeekDay, Window};

/// Which minutes are worked, over all published years.
///
/// A year's file may hold make-up days of the year beside it, so all years are read together. A day
/// off beats a make-up day. A year that is not published has the hours of the nearest one before
/// it, else after it, and its weekends are off.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Calendar {
    years: BTreeMap<i16, Year>,
    marks: BTreeMap<Date, Mark>,
    unconfirmed: BTreeSet<Date>,
    unpublished: Year,
}

impl Calendar {
    /// Puts years together, in whatever order they come. Of two calendars of one year the higher
    /// version counts. Days off that are not yet law are worked.
    pub fn of(years: impl IntoIterator<Item = CalendarYear>) -> Self {
        let mut newest = BTreeMap::<i16, CalendarYear>::new();
        for year in years {
            let known = newest.get(&year.year);
            // Of equal versions the greater content: any rule does that forgets the order.
            let is_newer = known.is_none_or(|known| (known.version, known) < (year.version, &year));
            if is_newer {
                newest.insert(year.year, year);
            }
        }
        let mut calendar = Self::default();
        newest.values().for_each(|year| calendar.mark_off(year));
        newest.into_values().for_each(|year| calendar.add(year));
        calendar
    }

    fn mark_off(&mut self, year: &CalendarYear) {
        for off in &year.days.off {
            if off.confirmed {
                let name = Some(off.name.clone());
                self.marks.insert(off.date, Mark { by_year: year.year, name });
            } else {
                self.unconfirmed.insert(off.date);
            }
        }
    }

    fn add(&mut self, year: CalendarYear) {
        for make_up in &year.days.make_up {
            let mark = Mark { by_year: year.year, name: None };
            self.marks.entry(make_up.date).or_insert(mark);
        }
        let own_hours = year.office_hours.into_iter().map(|own| (own.office, own.hours)).collect();
        let Days { weekend, .. } = year.days;
        let kept = Year { version: year.version, weekend, hours: year.hours, own_hours };
        self.years.insert(year.year, kept);
    }

    /// The calendar of one office: with its own hours in the years that give it some.
    #[must_use]
    pub fn for_office(&self, office: OfficeId) -> Self {
        let mut calendar = self.clone();
        for year in calendar.years.values_mut() {
            if let Some(own) = year.own_hours.get(&office) {
                year.hours = own.clone();
            }
        }
        calendar
    }

    /// The same calendar with these hours in every year.
    #[must_use]
    pub fn with_hours(&self, hours: &Hours) -> Self {
        let mut calendar = self.clone();
        calendar.unpublished.hours = hours.clone();
        calendar.years.values_mut().for_each(|year| year.hours = hours.clone());
        calendar
    }

    /// Whether the offices work on a day.
    pub fn is_working(&self, day: Date) -> bool {
        match self.marks.get(&day) {
            Some(mark) => mark.name.is_none(),
            None => !self.year(day.year()).weekend.contains(&WeekDay::of(day)),
        }
    }

    /// The name of the day off that a day is; `None` on a weekend or a working day.
    pub fn day_off(&self, day: Date) -> Option<&str> {
        self.marks.get(&day).and_then(|mark| mark.name.as_deref())
    }

    /// The opening times of a day, in order; none on a day off.
    pub fn windows(&self, day: Date) -> &[Window] {
        if self.is_working(day) { &self.hours(day).windows } else { &[] }
    }

    /// The hours of a working day, at the time of this day.
    pub fn hours(&self, day: Date) -> &Hours {
        &self.year(day.year()).hours
    }

    /// When a working day ends; `None` on a day off.
    pub fn closes(&self, day: Date) -> Option<DayMinute> {
        self.windows(day).last().map(|window| window.closes)
    }

    /// Version of the published calendar of a year.
    pub fn version(&self, year: i16) -> Option<u32> {
        self.years.get(&year).map(|year| year.version)
    }

    /// Year and version of every calendar that says something about a span of days, both included.
    pub fn versions(&self, from: Date, to: Date) -> Vec<(i16, u32)> {
        if from > to {
            return Vec::new();
        }
        let mut years: BTreeSet<i16> =
            self.marks.range(from..=to).map(|(_, m)| m.by_year).collect();
        years.extend(self.years.range(from.year()..=to.year()).map(|(year, _)| *year));
        years.into_iter().filter_map(|year| Some((year, self.version(year)?))).collect()
    }

    /// What makes working time within a span of days uncertain, both included.
    pub fn warnings(&self, from: Date, to: Date) -> Vec<Warning> {
        if from > to {
            return Vec::new();
        }
        let years = (from.year()..=to.year()).filter(|year| !self.years.contains_key(year));
        let missing = years.map(|year| Warning::CalendarMissing { year });
        let unconfirmed = self.unconfirmed.range(from..=to).filter(|day| self.is_working(**day));
        missing.chain(unconfirmed.map(|day| Warning::Unconfirmed { day: *day })).collect()
    }

    fn year(&self, year: i16) -> &Year {
        let before = self.years.range(..=year).next_back();
        let nearest = before.or_else(|| self.years.first_key_value());
        nearest.map_or(&self.unpublished, |(_, year)| year)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Year {
    version: u32,
    weekend: Vec<WeekDay>,
    hours: Hours,
    own_hours: BTreeMap<OfficeId, Hours>,
}

impl Default for Year {
    fn default() -> Self {
        let weekend = vec![WeekDay::Saturday, WeekDay::Sunday];
        Self { version: 0, weekend, hours: Hours::usual(), own_hours: BTreeMap::new() }
    }
}

/// What a file says about a day: off by a name, or worked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    by_year: i16,
    name: Option<String>,
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
