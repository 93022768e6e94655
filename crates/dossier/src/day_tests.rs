use lienthong_protocol::Moment;

use super::{civil, days_of, is_past, past_from};
use crate::{is_day, is_due, local_day, local_minute};

#[test]
fn a_moment_falls_on_the_day_of_ho_chi_minh_city() {
    // 2026-01-04 16:59:59.999 and 17:00 UTC: midnight in Asia/Ho_Chi_Minh lies between them.
    assert_eq!(local_day(Moment(1_767_545_999_999)), "2026-01-04");
    assert_eq!(local_day(Moment(1_767_546_000_000)), "2026-01-05");
    assert_eq!(local_day(Moment(0)), "1970-01-01");
    assert_eq!(local_day(Moment(951_782_400_000)), "2000-02-29");
    assert!(!local_day(Moment(u64::MAX)).is_empty());
}

#[test]
fn every_day_of_two_centuries_follows_the_one_before() {
    let (mut year, mut month, mut day) = (1970, 1, 1);
    for days in 0..73_000 {
        assert_eq!(civil(days), (year, month, day));
        day += 1;
        if day > days_of(year, month) {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
}

#[test]
fn only_days_that_exist_are_days() {
    for day in ["2026-01-05", "2024-02-29", "2000-02-29"] {
        assert!(is_day(day) && is_due(day), "{day}");
    }
    let wrong = ["2023-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-5"];
    for day in wrong.into_iter().chain(["", "2026-01-0５", "2026/01/05", "05-01-2026", "ngày mai"])
    {
        assert!(!is_day(day) && !is_due(day), "{day}");
    }
    assert!(is_due("2026-01-05T11:30") && !is_day("2026-01-05T11:30"));
    for due in ["2026-01-05T24:00", "2026-01-05T1:30", "2026-01-05T", "2026-02-30T11:30"] {
        assert!(!is_due(due), "{due}");
    }
}

#[test]
fn a_due_is_past_from_the_moment_that_is_foretold_on() {
    for due in ["2026-01-05", "2026-01-05T16:00", "2024-02-29", "2026-12-31T23:59", "1999-12-31"] {
        let from = past_from(due).expect("it is a due");
        let says = |at: Moment| is_past(due, &local_minute(at));
        assert!(says(from) && !says(Moment(from.0 - 1)), "{due}");
    }
    assert_eq!(past_from("0007-01-01"), Some(Moment(0)), "past at any time that is told");
    assert_eq!(["9999-12-31", "2026-02-30", "", "mai"].map(past_from), [None; 4]);
}
