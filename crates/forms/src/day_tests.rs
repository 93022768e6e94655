use lienthong_protocol::Moment;

use super::When;

/// 2026-01-05 08:05 in Asia/Ho_Chi_Minh.
const MORNING: Moment = Moment(1_767_575_100_000);

#[test]
fn a_moment_is_written_in_the_zone_of_the_law() {
    let when = When::of(MORNING);
    assert_eq!(when.words(), "08 giờ 05 phút, ngày 05 tháng 01 năm 2026");
    assert_eq!(
        (when.short().as_str(), when.day_words().as_str()),
        ("08:05 05/01/2026", "ngày 05 tháng 01 năm 2026")
    );
    let late_evening = When::of(Moment(MORNING.0 + 16 * 3_600_000));
    assert_eq!(late_evening.to_string(), "2026-01-06T00:05");
}

#[test]
fn a_due_is_read_with_and_without_a_minute() {
    let day = When::parse("2026-01-09").expect("a day");
    assert_eq!((day.words().as_str(), day.minute()), ("ngày 09 tháng 01 năm 2026", None));
    let minute = When::parse("2026-01-09T17:00").expect("a minute");
    assert_eq!((minute.short().as_str(), minute.minute()), ("17:00 09/01/2026", Some(1_020)));
    for wrong in ["", "2026-02-30", "2026-01-09T25:00", "09/01/2026", "2026-01-09T1:00"] {
        assert_eq!(When::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_time_beyond_all_calendars_is_still_one_that_reads_back() {
    let last = When::of(Moment(u64::MAX));
    assert_eq!(last.to_string(), "9999-12-31T23:59");
    assert_eq!(When::parse(&last.to_string()), Some(last));
}
