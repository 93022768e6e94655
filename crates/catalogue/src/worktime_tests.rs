use lienthong_protocol::Moment;

use super::{Minutes, add, between, counted_from, due, due_extended, late_by, left, paused_due};
use crate::calendar::Calendar;
use crate::day::{day, local, moment};
use crate::limit::{Due, DueError, Limit, Unit, Warning};
use crate::year::{CalendarYear, Hours};

pub(crate) const YEARS: [(&str, &str); 4] = [
    ("calendar-2017.toml", include_str!("../../../config/quang-nam/calendar-2017.toml")),
    ("calendar-2018.toml", include_str!("../../../config/quang-nam/calendar-2018.toml")),
    ("calendar-2025.toml", include_str!("../../../config/quang-nam/calendar-2025.toml")),
    ("calendar-2026.toml", include_str!("../../../config/quang-nam/calendar-2026.toml")),
];

pub(crate) fn reference() -> Calendar {
    let year = |(file, text)| CalendarYear::parse(file, text).expect("the reference is right");
    Calendar::of(YEARS.map(year))
}

/// The moment of a text such as `2017-01-25 10:00`.
pub(crate) fn at(text: &str) -> Moment {
    let (date, minute) = text.split_once(' ').expect("a day and a minute");
    let minute = minute.parse().expect("a minute");
    moment(day(date).expect("a day"), minute).expect("a day after 1970")
}

pub(crate) fn words(at: Moment) -> String {
    let (day, minute) = local(at);
    format!("{day} {minute}")
}

/// The limit of a text such as `2.5 working_day`.
fn limit(text: &str) -> Limit {
    let (amount, unit) = text.split_once(' ').expect("an amount and a unit");
    let unit = match unit {
        "working_day" => Unit::WorkingDay,
        "day" => Unit::Day,
        "hour" => Unit::Hour,
        _ => Unit::SameDay,
    };
    let (whole, half) = amount.split_once('.').map_or((amount, false), |(whole, _)| (whole, true));
    Limit { amount: whole.parse().expect("a number"), half, unit }
}

fn due_of(calendar: &Calendar, from: &str, text: &str) -> Due {
    due(calendar, at(from), limit(text)).expect("the limit has an end")
}

/// Received, limit, due. Every due was counted by hand on the wall calendar of the year.
const EXAMPLES: [(&str, &str, &str); 40] = [
    // Tết 2017: off from Thursday 26/1 to Wednesday 1/2. Worked: We 25/1, Th 2/2, Fr 3/2, Mo 6/2.
    ("2017-01-25 10:00", "3 working_day", "2017-02-06 17:00"), // Th 2/2, Fr 3/2, Mo 6/2
    ("2017-01-25 17:00", "1 working_day", "2017-02-02 17:00"), // the very minute of closing
    ("2017-01-25 18:00", "1 working_day", "2017-02-03 17:00"), // as received on Th 2/2
    ("2017-01-28 09:00", "1 working_day", "2017-02-03 17:00"), // mùng 1: as received on Th 2/2
    ("2017-01-25 15:00", "8 hour", "2017-02-02 15:00"),        // 2 h, then 4.5 h and 1.5 h
    ("2017-01-23 08:00", "5 day", "2017-02-02 17:00"),         // Sa 28/1 is off, so Th 2/2
    ("2017-01-23 08:00", "2 day", "2017-01-25 17:00"),         // We 25/1 is worked
    ("2017-01-25 15:00", "1 same_day", "2017-01-25 17:00"),    // 15:00 is still in time
    ("2017-01-25 15:01", "1 same_day", "2017-02-02 17:00"),    // 15:01 is not
    ("2017-01-28 09:00", "1 same_day", "2017-02-02 17:00"),    // received on a day off
    ("2017-04-28 08:00", "1 working_day", "2017-05-03 17:00"), // 30/4 on Su: 1/5 and 2/5 are off
    ("2017-06-05 08:00", "15 working_day", "2017-06-26 17:00"), // three weeks without a holiday
    ("2017-12-29 08:00", "2 working_day", "2018-01-03 17:00"), // Tu 2/1, We 3/1
    // Tết 2018: off from Wednesday 14/2 to Tuesday 20/2. Worked: Tu 13/2, We 21/2, Th 22/2.
    ("2018-02-13 16:00", "2 working_day", "2018-02-22 17:00"), // We 21/2, Th 22/2
    ("2018-02-12 08:00", "5 working_day", "2018-02-26 17:00"), // Tu 13, We 21, Th 22, Fr 23, Mo 26
    ("2018-02-13 16:00", "2 hour", "2018-02-21 08:00"),        // 1 h, then 1 h from 7:00
    ("2018-02-13 12:00", "0.5 hour", "2018-02-13 14:00"),      // the noon break does not count
    ("2018-02-09 08:00", "7 day", "2018-02-21 17:00"),         // Fr 16/2 is mùng 1
    // The Saturday 5/1/2019 makes up for Monday 31/12/2018; 2019 itself is not published, so
    // Tuesday 1/1/2019 counts as worked.
    ("2018-12-28 09:00", "5 working_day", "2019-01-05 17:00"), // Tu 1, We 2, Th 3, Fr 4, Sa 5/1
    ("2018-12-28 09:00", "3 day", "2019-01-01 17:00"),         // Mo 31/12 is off
    // Tết 2025: off from Monday 27/1 to Friday 31/1. Worked: Fr 24/1, Mo 3/2, Tu 4/2, We 5/2.
    ("2025-01-24 08:00", "3 working_day", "2025-02-05 17:00"), // Mo 3/2, Tu 4/2, We 5/2
    ("2025-01-24 08:00", "0.5 working_day", "2025-02-03 11:00"), // 4 h into Mo 3/2
    ("2025-01-24 16:30", "1 hour", "2025-02-03 07:30"),        // half an hour each
    ("2025-01-15 08:00", "15 day", "2025-02-03 17:00"),        // Th 30/1 is mùng 2
    // Saturday 26/4/2025 makes up for Friday 2/5; 30/4 and 1/5 are holidays.
    ("2025-04-23 09:00", "3 working_day", "2025-04-26 17:00"), // Th 24, Fr 25, Sa 26/4
    ("2025-04-23 09:00", "5 working_day", "2025-04-29 17:00"), // and Mo 28, Tu 29/4
    ("2025-04-23 09:00", "6 working_day", "2025-05-05 17:00"), // We, Th, Fr are off: Mo 5/5
    ("2025-04-26 10:00", "1 same_day", "2025-04-26 17:00"),    // received on the make-up day
    ("2025-04-21 10:00", "5 day", "2025-04-26 17:00"),         // Sa 26/4 is worked
    // Saturday 10/1/2026 makes up for Friday 2/1.
    ("2025-12-31 10:00", "5 working_day", "2026-01-09 17:00"), // Mo 5/1 to Fr 9/1
    ("2025-12-31 10:00", "6 working_day", "2026-01-10 17:00"), // and Sa 10/1
    // Tết 2026: off from Monday 16/2 to Friday 20/2. Worked: Th 12/2, Fr 13/2, Mo 23/2, Tu 24/2.
    ("2026-02-13 17:30", "1 working_day", "2026-02-24 17:00"), // as received on Mo 23/2
    ("2026-02-12 14:00", "2.5 working_day", "2026-02-24 11:00"), // Fr 13, Mo 23, 4 h of Tu 24/2
    ("2026-02-02 08:00", "15 day", "2026-02-23 17:00"),        // Tu 17/2 is mùng 1
    ("2026-03-02 08:00", "2.5 day", "2026-03-05 11:00"),       // We 4/3, and 4 h of Th 5/3
    ("2026-02-05 08:00", "17.5 day", "2026-02-23 17:00"),      // 17 days end with Mo 23/2 already
    ("2026-02-04 08:00", "17.5 day", "2026-02-23 17:00"),      // the half falls on Su 22/2
    // Saturday 22/8/2026 makes up for Monday 31/8; 1/9 and 2/9 are holidays.
    ("2026-08-21 16:00", "3 hour", "2026-08-22 09:00"), // 1 h, then 2 h of Sa 22/8
    ("2026-08-28 08:00", "2 day", "2026-09-03 17:00"),  // Su 30/8; Mo, Tu, We are off
    ("2026-08-28 08:00", "2 working_day", "2026-09-04 17:00"), // Th 3/9, Fr 4/9
];

#[test]
fn limits_over_tet_and_make_up_days_end_where_a_person_counts_them_to() {
    let calendar = reference();
    for (from, text, expected) in EXAMPLES {
        assert_eq!(words(due_of(&calendar, from, text).at), expected, "{text} from {from}");
    }
}

#[test]
fn a_due_names_its_calendars_and_warns_about_a_missing_next_year() {
    let calendar = reference();
    let due = due_of(&calendar, "2025-12-31 10:00", "5 working_day");
    assert_eq!((due.calendar_versions, due.warnings), (vec![(2025, 1), (2026, 1)], vec![]));

    let due = due_of(&calendar, "2018-12-28 09:00", "5 working_day");
    assert_eq!(due.calendar_versions, [(2018, 1)]);
    assert_eq!(due.warnings, [Warning::CalendarMissing { year: 2019 }]);

    let text = YEARS[1].1.replace("2018", "2019").replace("year = 2018", "year = 2019");
    let tidy = text.split("off = [").next().expect("the text before the days off");
    let off =
        "off = [{ date = \"2019-01-01\", name = \"Tết\", kind = \"holiday\", source = \"S\" }]";
    let source = "\n[[source]]\nid = \"S\"\ntext = \"Luật\"\nread = \"cited\"\n";
    let year = CalendarYear::parse("calendar-2019.toml", &format!("{tidy}{off}{source}"))
        .expect("the year is right");
    let before = CalendarYear::parse(YEARS[1].0, YEARS[1].1).expect("the reference is right");
    let due = due_of(&Calendar::of([before, year]), "2018-12-28 09:00", "5 working_day");
    // We 2, Th 3, Fr 4, Sa 5 and Mo 7/1: the make-up day still comes from the calendar of 2018.
    assert_eq!(words(due.at), "2019-01-07 17:00");
    assert_eq!((due.calendar_versions, due.warnings), (vec![(2018, 1), (2019, 1)], vec![]));
}

#[test]
fn a_day_that_is_not_yet_law_is_warned_about() {
    let due = due_of(&reference(), "2026-11-23 09:00", "2 working_day");
    let day = day("2026-11-24").expect("a day");
    assert_eq!(
        (words(due.at), due.warnings),
        ("2026-11-25 17:00".to_owned(), vec![Warning::Unconfirmed { day }])
    );
}

#[test]
fn extensions_are_added_to_the_base_before_days_off_are_skipped() {
    let calendar = reference();
    let end = |base, extensions: &[&str]| {
        let extensions: Vec<Limit> = extensions.iter().map(|text| limit(text)).collect();
        let due = due_extended(&calendar, at("2018-02-06 08:00"), limit(base), &extensions);
        words(due.expect("the limit has an end").at)
    };
    // 10 days end on Fr 16/2, a day off; 5 more end on We 21/2, counted from 6/2, not from there.
    assert_eq!(end("10 day", &[]), "2018-02-21 17:00");
    assert_eq!(end("10 day", &["5 day"]), "2018-02-21 17:00");
    // Another unit begins where the base ends: Th 22/2, Fr 23/2.
    assert_eq!(end("10 day", &["2 working_day"]), "2018-02-23 17:00");
    assert_eq!(end("1 working_day", &["0.5 working_day", "0.5 working_day"]), "2018-02-08 17:00");
}

#[test]
fn reception_counts_from_the_next_opening_outside_hours_only() {
    let calendar = reference();
    for (received, counted) in [
        ("2017-06-05 08:00", "2017-06-05 08:00"),
        ("2017-06-05 05:00", "2017-06-05 07:00"),
        ("2017-06-05 12:00", "2017-06-05 12:00"),
        ("2017-06-05 17:00", "2017-06-05 17:00"),
        ("2017-06-05 17:01", "2017-06-06 07:00"),
        ("2017-06-03 09:00", "2017-06-05 07:00"),
    ] {
        let from = counted_from(&calendar, at(received)).expect("the office opens");
        assert_eq!(words(from), counted, "{received}");
    }
}

#[test]
fn seconds_do_not_count_as_a_receipt_prints_minutes() {
    let calendar = reference();
    let closing = Moment(at("2017-06-05 17:00").0 + 59_999);
    let due = due(&calendar, closing, limit("1 working_day")).expect("the limit has an end");
    assert_eq!(words(due.at), "2017-06-06 17:00");
    assert_eq!(
        between(&calendar, Moment(at("2017-06-05 09:00").0 + 59_999), closing),
        Minutes(360)
    );
}

#[test]
fn eight_hours_of_an_office_with_short_days_are_more_than_a_day() {
    let mut hours = Hours::usual();
    hours.windows.truncate(1);
    hours.hours_per_day = 4;
    let calendar = reference().with_hours(&hours);
    // 4.5 h on Monday from 7:00, 3.5 h on Tuesday; half a working day is 2 h.
    assert_eq!(words(due_of(&calendar, "2017-06-05 06:00", "8 hour").at), "2017-06-06 10:30");
    assert_eq!(
        words(due_of(&calendar, "2017-06-05 06:00", "1 working_day").at),
        "2017-06-06 11:30"
    );
    assert_eq!(
        words(due_of(&calendar, "2017-06-05 06:00", "0.5 working_day").at),
        "2017-06-06 09:00"
    );
}

#[test]
fn pauses_move_a_due_by_the_working_time_that_they_took() {
    let calendar = reference();
    let due = at("2017-06-05 17:00");
    let now = at("2017-06-30 08:00");
    for (pauses, moved) in [
        (&[][..], "2017-06-05 17:00"),
        // Friday 1.5 h and 3.5 h, Monday 2 h: 7 h after Monday 17:00 is Tuesday 16:00.
        (&[("2017-06-02 10:00", Some("2017-06-05 09:00"))][..], "2017-06-06 16:00"),
        // A weekend costs nothing.
        (&[("2017-06-02 17:00", Some("2017-06-05 07:00"))][..], "2017-06-05 17:00"),
        // 9:00 to 11:00 in all, for they overlap; the order does not matter.
        (
            &[
                ("2017-06-05 09:30", Some("2017-06-05 11:00")),
                ("2017-06-05 09:00", Some("2017-06-05 10:00")),
            ][..],
            "2017-06-06 09:00",
        ),
        // The second one begins after the first due and before the moved one.
        (
            &[
                ("2017-06-05 14:00", Some("2017-06-06 07:00")),
                ("2017-06-06 08:00", Some("2017-06-06 09:00")),
            ][..],
            "2017-06-06 11:00",
        ),
        // One that begins when the time is already up does not help.
        (&[("2017-06-05 17:00", Some("2017-06-08 07:00"))][..], "2017-06-05 17:00"),
        // One that still lasts counts up to now, when 8 h are left: 7 h then, 1 h on Mo 3/7.
        (&[("2017-06-05 07:00", None)][..], "2017-07-03 08:00"),
        // One that ends before it begins is none.
        (&[("2017-06-05 09:00", Some("2017-06-05 08:00"))][..], "2017-06-05 17:00"),
    ] {
        let pauses: Vec<_> = pauses.iter().map(|(from, to)| (at(from), to.map(at))).collect();
        let due = paused_due(&calendar, due, &pauses, now).expect("the pauses end");
        assert_eq!(words(due.at), moved, "{pauses:?}");
    }
}

#[test]
fn time_left_and_time_over_are_working_time() {
    let calendar = reference();
    let due = at("2017-06-05 11:00");
    assert_eq!(left(&calendar, due, at("2017-06-02 16:00")), Minutes(60 + 240));
    assert_eq!(left(&calendar, due, at("2017-06-05 11:00")), Minutes(0));
    assert_eq!(left(&calendar, due, at("2017-06-08 11:00")), Minutes(0));
    assert_eq!(late_by(&calendar, due, at("2017-06-05 14:00")), Minutes(30 + 30));
    assert_eq!(late_by(&calendar, due, at("2017-06-02 14:00")), Minutes(0));
}

#[test]
fn working_time_is_said_in_days_of_the_hours_that_count_as_one() {
    assert_eq!(Minutes(480 + 180 + 5).words(8), "1 ngày 3 giờ 5 phút / 1 d 3 h 5 min");
    assert_eq!(Minutes(480).words(4), "2 ngày / 2 d");
    assert_eq!(Minutes(45).words(8), "45 phút / 45 min");
    assert_eq!(Minutes(0).words(0), "0 phút / 0 min");
}

#[test]
fn nothing_endless_is_counted_endlessly() {
    let mut hours = Hours::usual();
    hours.windows.clear();
    let closed = reference().with_hours(&hours);
    let from = at("2017-06-05 08:00");
    for text in ["1 working_day", "1 day", "1 hour", "1 same_day", "0.5 day"] {
        let error = due(&closed, from, limit(text)).expect_err("it is never open");
        assert_eq!(error.code(), "calendar-never-open", "{text}: {error}");
    }
    assert!(due(&reference(), from, limit("3651 day")).is_err());
    assert!(due(&reference(), from, limit("0 working_day")).is_err());
    assert!(matches!(add(&reference(), from, Minutes(u64::MAX)), Err(DueError::NeverOpen { .. })));
    for text in ["3650 day", "3650 working_day", "1 hour", "1 same_day"] {
        let error = due(&reference(), Moment(u64::MAX), limit(text)).expect_err("no such year");
        assert!(["due-out-of-range", "calendar-never-open"].contains(&error.code()), "{error}");
    }
    let _ = between(&reference(), Moment(0), Moment(u64::MAX));
}
