//! What holds for every reception, limit and pause, and a second calculator that walks minute by
//! minute and reads the calendars in its own way.

use std::sync::LazyLock;

use lienthong_protocol::Moment;
use proptest::prelude::*;
use toml::Table;

use super::tests::{YEARS, at, reference, words};
use super::{Minutes, Pause, add, between, due, due_extended, left, paused_due};
use crate::calendar::Calendar;
use crate::limit::{Limit, Unit};

static CALENDAR: LazyLock<Calendar> = LazyLock::new(reference);
static SLOW: LazyLock<Slow> = LazyLock::new(Slow::read);

/// Walks local minutes since 1970, one by one.
struct Slow {
    off: Vec<String>,
    worked: Vec<String>,
    /// Whether each day from 1/1/2017 on is worked.
    days: Vec<bool>,
}

const DAY: u64 = 24 * 60;
/// 1/1/2017 in days since 1/1/1970, a Sunday.
const FIRST_DAY: u64 = 17_167;
const OPENS: u64 = 7 * 60;
const CLOSES: u64 = 17 * 60;
const NOON: std::ops::Range<u64> = 11 * 60 + 30..13 * 60 + 30;

impl Slow {
    fn read() -> Self {
        let mut slow = Self { off: Vec::new(), worked: Vec::new(), days: Vec::new() };
        for (_, text) in YEARS {
            let year: Table = text.parse().expect("the reference is TOML");
            let is_law = |day: &&toml::Value| day.get("confirmed").is_none();
            slow.off.extend(dates(&year, "off").filter(is_law).map(date));
            slow.worked.extend(dates(&year, "make_up").map(date));
        }
        let mut today = jiff::civil::date(2017, 1, 1);
        for index in 0..4_000 {
            let is_weekend = [0, 6].contains(&(index % 7));
            let text = today.to_string();
            let is_off = slow.off.contains(&text) || (is_weekend && !slow.worked.contains(&text));
            slow.days.push(!is_off);
            today = today.tomorrow().expect("a day of this century");
        }
        slow
    }

    fn works(&self, minute: u64) -> bool {
        self.days[usize::try_from(minute / DAY - FIRST_DAY).expect("a day of the table")]
    }

    fn is_open(&self, minute: u64) -> bool {
        let of_day = minute % DAY;
        (OPENS..CLOSES).contains(&of_day) && !NOON.contains(&of_day) && self.works(minute)
    }

    fn after_open(&self, mut minute: u64, mut needed: u64) -> u64 {
        while needed > 0 {
            needed -= u64::from(self.is_open(minute));
            minute += 1;
        }
        minute
    }

    /// The last worked minute of the day is over.
    fn end_of_day(&self, minute: u64) -> u64 {
        let (mut minute, mut end) = (minute / DAY * DAY, 0);
        let day = minute / DAY;
        while minute / DAY == day {
            if self.is_open(minute) {
                end = minute + 1;
            }
            minute += 1;
        }
        end
    }

    fn next_working_day(&self, minute: u64) -> u64 {
        let (day, mut minute) = (minute / DAY, minute);
        while minute / DAY == day || !self.is_open(minute) {
            minute += 1;
        }
        minute
    }

    fn due(&self, from: u64, limit: Limit) -> u64 {
        let half = u64::from(limit.half);
        let mut minute = from;
        if limit.unit == Unit::Hour {
            return self.after_open(minute, u64::from(limit.amount) * 60 + half * 30);
        }
        let latest = if limit.unit == Unit::SameDay { 15 * 60 } else { CLOSES };
        while !(self.works(minute) && minute % DAY <= latest) {
            minute += 1;
        }
        match limit.unit {
            Unit::WorkingDay => {
                for _ in 0..limit.amount {
                    minute = self.next_working_day(minute);
                }
                self.after_open(self.end_of_day(minute), half * 4 * 60)
            }
            Unit::Day => {
                let last = (minute / DAY + u64::from(limit.amount)) * DAY;
                minute = last + half * DAY;
                match (limit.half && self.works(last), self.works(minute)) {
                    (true, true) => self.after_open(minute, 4 * 60),
                    (false, true) => self.end_of_day(minute),
                    (_, false) => self.end_of_day(self.next_working_day(minute)),
                }
            }
            Unit::Hour | Unit::SameDay => self.end_of_day(minute),
        }
    }

    /// Lets working time run down, except during pauses.
    fn paused_due(&self, from: u64, due: u64, pauses: &[(u64, u64)]) -> u64 {
        let mut needed = (from..due).filter(|minute| self.is_open(*minute)).count();
        let mut minute = from;
        while needed > 0 {
            let is_paused = pauses.iter().any(|(from, to)| (*from..*to).contains(&minute));
            needed -= usize::from(self.is_open(minute) && !is_paused);
            minute += 1;
        }
        minute
    }
}

fn dates<'a>(year: &'a Table, key: &str) -> impl Iterator<Item = &'a toml::Value> {
    let days = year.get("days").and_then(|days| days.get(key));
    days.and_then(toml::Value::as_array).into_iter().flatten()
}

fn date(day: &toml::Value) -> String {
    day.get("date").and_then(toml::Value::as_str).expect("a day has a date").to_owned()
}

fn slow_minute(at: Moment) -> u64 {
    at.0 / 60_000 + 7 * 60
}

fn slow_words(minute: u64) -> String {
    words(Moment((minute - 7 * 60) * 60_000))
}

/// Within the published years, with a good share of the weeks around Tết and swapped days.
fn reception() -> impl Strategy<Value = Moment> {
    let span = |from: &str, to: &str| at(from).0..at(to).0;
    prop_oneof![
        span("2017-01-01 00:00", "2018-12-31 23:59"),
        span("2025-01-01 00:00", "2026-11-01 00:00"),
        span("2017-01-18 00:00", "2017-02-10 00:00"),
        span("2018-02-07 00:00", "2018-03-01 00:00"),
        span("2018-12-20 00:00", "2019-01-10 00:00"),
        span("2025-01-18 00:00", "2025-05-07 00:00"),
        span("2025-12-24 00:00", "2026-03-01 00:00"),
        span("2026-08-15 00:00", "2026-09-05 00:00"),
    ]
    .prop_map(Moment)
}

fn limit() -> impl Strategy<Value = Limit> {
    let of = |unit, most: u32| {
        (0..=most, any::<bool>()).prop_map(move |(amount, half)| {
            let half = half || amount == 0;
            Limit { amount, half, unit }
        })
    };
    prop_oneof![
        of(Unit::WorkingDay, 20),
        of(Unit::Day, 30),
        of(Unit::Hour, 100),
        Just(Limit::of(1, Unit::SameDay)),
    ]
}

/// Pauses that begin up to 20 days after the reception and last up to 12.
fn pauses() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..20 * DAY * 60_000, 0..12 * DAY * 60_000), 0..4)
}

fn stretches(from: Moment, pauses: &[(u64, u64)]) -> Vec<Pause> {
    let stretch = |(after, length): &(u64, u64)| {
        let begin = Moment(from.0 + after);
        (begin, Some(Moment(begin.0 + length)))
    };
    pauses.iter().map(stretch).collect()
}

fn end(from: Moment, limit: Limit) -> Moment {
    due(&CALENDAR, from, limit).expect("the limit has an end").at
}

fn paused(due: Moment, pauses: &[Pause], now: Moment) -> Moment {
    paused_due(&CALENDAR, due, pauses, now).expect("the pauses end").at
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1_000)
    })]

    #[test]
    fn a_due_equals_the_one_found_minute_by_minute(from in reception(), limit in limit()) {
        let slow = SLOW.due(slow_minute(from), limit);
        let fast = words(end(from, limit));
        prop_assert_eq!(fast, slow_words(slow), "{} from {}", limit, words(from));
    }

    #[test]
    fn working_time_equals_the_one_counted_minute_by_minute(
        from in reception(),
        length in 0..40 * DAY * 60_000,
    ) {
        let to = Moment(from.0 + length);
        let open = (slow_minute(from)..slow_minute(to)).filter(|minute| SLOW.is_open(*minute));
        let Minutes(minutes) = between(&CALENDAR, from, to);
        prop_assert_eq!(usize::try_from(minutes).expect("it is small"), open.count());
        prop_assert_eq!(between(&CALENDAR, to, Moment(from.0.saturating_sub(1))), Minutes(0));
    }

    #[test]
    fn a_paused_due_equals_the_one_run_down_minute_by_minute(
        from in reception(),
        limit in limit(),
        pauses in pauses(),
    ) {
        let (due, stretches) = (end(from, limit), stretches(from, &pauses));
        let minutes = |(from, to): &Pause| {
            (slow_minute(*from), to.map_or(0, slow_minute))
        };
        let slow_pauses: Vec<_> = stretches.iter().map(minutes).collect();
        let slow = SLOW.paused_due(slow_minute(from), slow_minute(due), &slow_pauses);
        prop_assert_eq!(words(paused(due, &stretches, from)), slow_words(slow));
    }

    #[test]
    fn a_later_start_is_never_due_earlier(
        one in reception(),
        after in 0..5 * DAY * 60_000,
        limit in limit(),
    ) {
        prop_assert!(end(one, limit) <= end(Moment(one.0 + after), limit));
    }

    #[test]
    fn a_longer_limit_is_never_due_earlier(from in reception(), one in limit(), more in 0..30_u32) {
        let longer = Limit { amount: one.amount + more, ..one };
        prop_assert!(end(from, one) <= end(from, longer));
        prop_assert!(one.unit == Unit::SameDay || end(from, one) <= end(from, one.and_half()));
    }

    #[test]
    fn an_extension_never_shortens(from in reception(), limit in limit(), more in limit()) {
        let extended = due_extended(&CALENDAR, from, limit, &[more]).expect("it has an end");
        prop_assert!(end(from, limit) <= extended.at);
        prop_assert!(CALENDAR.is_working(extended.day));
    }

    #[test]
    fn nothing_is_due_on_a_day_off_or_before_it_came_in(from in reception(), limit in limit()) {
        let due = due(&CALENDAR, from, limit).expect("the limit has an end");
        prop_assert!(CALENDAR.is_working(due.day));
        prop_assert!(due.at > from);
        let (day, minute) = crate::day::local(due.at);
        let is_open = |window: &crate::year::Window| {
            window.opens < minute && minute <= window.closes
        };
        prop_assert!(day == due.day && CALENDAR.windows(day).iter().any(is_open));
    }

    #[test]
    fn one_more_pause_never_shortens_and_never_ends_on_a_day_off(
        from in reception(),
        limit in limit(),
        pauses in pauses(),
    ) {
        let (due, stretches) = (end(from, limit), stretches(from, &pauses));
        for count in 0..stretches.len() {
            let (fewer, more) = (&stretches[..count], &stretches[..=count]);
            prop_assert!(due <= paused(due, fewer, from));
            prop_assert!(paused(due, fewer, from) <= paused(due, more, from));
        }
        let moved = paused_due(&CALENDAR, due, &stretches, from).expect("the pauses end");
        prop_assert!(CALENDAR.is_working(moved.day));
    }

    #[test]
    fn a_pause_keeps_the_time_that_was_left(
        from in reception(),
        limit in limit(),
        length in 0..12 * DAY * 60_000,
        share in 0..100_u64,
    ) {
        let due = end(from, limit);
        let begin = Moment(from.0 + (due.0 - from.0) / 100 * share);
        let resumed = Moment(begin.0 + length);
        let moved = paused(due, &[(begin, Some(resumed))], from);
        prop_assert_eq!(left(&CALENDAR, due, begin), left(&CALENDAR, moved, resumed));
        prop_assert_eq!(moved, paused(due, &[(begin, None)], resumed), "it lasts up to now");
    }

    #[test]
    fn adding_working_time_takes_that_working_time(from in reception(), minutes in 0..10_000_u64) {
        let to = add(&CALENDAR, from, Minutes(minutes)).expect("the office opens");
        prop_assert_eq!(between(&CALENDAR, from, to), Minutes(minutes));
        prop_assert!(minutes == 0 || between(&CALENDAR, from, Moment(to.0 - 1)) < Minutes(minutes));
    }
}
