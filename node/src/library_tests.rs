//! What is published, merged.

use super::*;

#[test]
fn of_two_calendars_of_one_year_the_newer_one_holds() {
    let parse = |text: &str| CalendarYear::parse("calendar.toml", text).expect("it is sound");
    let first = parse(include_str!("../../config/quang-nam/calendar-2017.toml"));
    let second = CalendarYear { version: 2, ..first.clone() };
    let other = parse(include_str!("../../config/quang-nam/calendar-2018.toml"));
    let held = newest(&[first, second.clone(), other.clone()]);
    assert_eq!(held, [second, other]);
}
