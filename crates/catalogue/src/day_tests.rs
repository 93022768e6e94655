use jiff::civil::date;
use lienthong_protocol::Moment;

use super::{DayMinute, VIETNAM_MS, day, local, moment};

fn minute(text: &str) -> DayMinute {
    text.parse().expect("a minute")
}

#[test]
fn only_days_that_exist_in_the_one_form_are_read() {
    assert_eq!(day("2024-02-29"), Ok(date(2024, 2, 29)));
    for bad in ["2025-02-29", "2025-2-9", "20250209", "2025-02-09T10:00", "09/02/2025", "", "Tết"]
    {
        let error = day(bad).expect_err("no day");
        assert!(error.to_string().contains(bad), "{error}");
    }
}

#[test]
fn only_minutes_that_exist_in_the_one_form_are_read() {
    assert_eq!(minute("07:30").since_midnight(), 450);
    assert_eq!(minute("23:59").to_string(), "23:59");
    for bad in ["24:00", "07:60", "7:30", "07.30", "07:30:00", "+7:30"] {
        assert!(bad.parse::<DayMinute>().is_err(), "{bad}");
    }
}

#[test]
fn midnight_in_vietnam_is_five_in_the_afternoon_in_greenwich() {
    // 2017-06-05T17:00:00Z and the last millisecond before it.
    let midnight = Moment(1_496_682_000_000);
    assert_eq!(local(midnight), (date(2017, 6, 6), minute("00:00")));
    assert_eq!(local(Moment(midnight.0 - 1)), (date(2017, 6, 5), minute("23:59")));
    assert_eq!(moment(date(2017, 6, 6), minute("00:00")), Some(midnight));
}

#[test]
fn the_one_number_for_the_zone_is_what_the_zone_says_all_year() {
    for day in (0..20_000).step_by(97) {
        // From 2000 on, a minute before four in the afternoon in Greenwich.
        let at = Moment(946_684_800_000 + day * 86_400_000 + 16 * 3_600_000 - 60_000);
        let minutes = (at.0 + VIETNAM_MS) / 60_000 % (24 * 60);
        assert_eq!(local(at).1.since_midnight(), minutes, "{}", local(at).0);
    }
}

#[test]
fn every_moment_has_a_day_and_days_outside_have_no_moment() {
    assert_eq!(local(Moment(u64::MAX)), (date(9998, 12, 31), minute("23:59")));
    assert_eq!(local(Moment(0)), (date(1970, 1, 1), minute("08:00")));
    assert_eq!(moment(date(9999, 1, 1), minute("00:00")), None);
    assert_eq!(moment(date(1969, 12, 31), minute("12:00")), None);
    let last = moment(date(9998, 12, 31), minute("23:59")).expect("the last minute");
    assert_eq!(local(last), (date(9998, 12, 31), minute("23:59")));
}
