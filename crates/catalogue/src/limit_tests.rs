use jiff::civil::date;
use lienthong_protocol::Moment;

use super::{DueError, Limit, Unit, Verdict, Warning};
use crate::day::moment;

#[test]
fn limits_are_said_in_both_languages() {
    for (limit, words) in [
        (Limit::of(1, Unit::WorkingDay), "1 ngày làm việc / 1 working day"),
        (Limit::of(2, Unit::WorkingDay).and_half(), "2,5 ngày làm việc / 2.5 working days"),
        (Limit::of(0, Unit::WorkingDay).and_half(), "0,5 ngày làm việc / 0.5 working day"),
        (Limit::of(15, Unit::Day), "15 ngày / 15 days"),
        (Limit::of(4, Unit::Hour), "4 giờ làm việc / 4 working hours"),
        (Limit::of(1, Unit::SameDay), "trong ngày / same day"),
    ] {
        assert_eq!(limit.to_string(), words);
    }
}

#[test]
fn two_halves_are_a_whole_and_only_like_limits_add() {
    let half = Limit::of(2, Unit::Day).and_half();
    assert_eq!(half.plus(half), Some(Limit::of(5, Unit::Day)));
    assert_eq!(half.plus(Limit::of(1, Unit::Day)), Some(Limit::of(3, Unit::Day).and_half()));
    assert_eq!(half.plus(Limit::of(1, Unit::WorkingDay)), None);
    assert_eq!(Limit::of(1, Unit::SameDay).plus(Limit::of(1, Unit::SameDay)), None);
}

#[test]
fn a_limit_of_nothing_or_beyond_the_most_is_refused() {
    let nothing = Limit::of(0, Unit::Day);
    assert_eq!(nothing.check(), Err(DueError::Nothing { limit: nothing }));
    let long = Limit::of(3_651, Unit::WorkingDay);
    let error = long.check().expect_err("too long");
    assert_eq!(
        error.to_string(),
        "limit is 3651 ngày làm việc / 3651 working days, the most is 3650"
    );
    assert_eq!(error.code(), "limit-too-long");
    assert_eq!(Limit::of(29_200, Unit::Hour).check(), Ok(()));
    assert_eq!(Limit::of(0, Unit::SameDay).check(), Ok(()));
}

#[test]
fn a_limit_is_written_as_in_the_catalogue() {
    let json = |limit| serde_json::to_string(&limit).expect("plain values");
    assert_eq!(json(Limit::of(3, Unit::WorkingDay)), r#"{"amount":3,"unit":"working_day"}"#);
    let half = r#"{"amount":0,"half":true,"unit":"hour"}"#;
    let read: Limit = serde_json::from_str(half).expect("a limit");
    assert_eq!(read, Limit::of(0, Unit::Hour).and_half());
    assert_eq!(json(read), half);
}

#[test]
fn early_is_a_day_before_and_late_a_minute_after() {
    let at = |day, minute: &str| {
        moment(date(2017, 6, day), minute.parse().expect("a minute")).expect("within range")
    };
    let due = at(8, "17:00");
    for (finished, verdict) in [
        (at(7, "23:59"), Verdict::Early),
        (at(8, "07:00"), Verdict::OnTime),
        (at(8, "17:00"), Verdict::OnTime),
        (Moment(due.0 + 59_999), Verdict::OnTime),
        (at(8, "17:01"), Verdict::Late),
        (at(9, "07:00"), Verdict::Late),
    ] {
        assert_eq!(Verdict::of(due, finished), verdict, "{finished}");
    }
    assert_eq!(Verdict::Late.words(), "quá hạn / late");
}

#[test]
fn warnings_are_said_in_both_languages() {
    assert_eq!(
        Warning::CalendarMissing { year: 2019 }.to_string(),
        "chưa có lịch làm việc năm 2019, chỉ trừ cuối tuần / \
         no calendar for 2019, only weekends are off"
    );
    let unconfirmed = Warning::Unconfirmed { day: date(2026, 11, 24) }.to_string();
    assert!(unconfirmed.contains("2026-11-24"), "{unconfirmed}");
}
