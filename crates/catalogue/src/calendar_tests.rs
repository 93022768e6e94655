use jiff::civil::{Date, date};
use lienthong_protocol::OfficeId;

use super::Calendar;
use crate::limit::Warning;
use crate::year::{CalendarYear, Hours, OfficeHours};

fn year(year: i16) -> CalendarYear {
    let text = match year {
        2017 => include_str!("../../../config/quang-nam/calendar-2017.toml"),
        2018 => include_str!("../../../config/quang-nam/calendar-2018.toml"),
        2025 => include_str!("../../../config/quang-nam/calendar-2025.toml"),
        _ => include_str!("../../../config/quang-nam/calendar-2026.toml"),
    };
    CalendarYear::parse("calendar.toml", text).expect("the reference is right")
}

fn office(id: &str) -> OfficeId {
    id.parse().expect("an office id")
}

#[test]
fn a_make_up_day_holds_in_the_year_that_it_lies_in() {
    let calendar = Calendar::of([year(2018)]);
    assert!(!calendar.is_working(date(2018, 12, 31)));
    assert_eq!(calendar.day_off(date(2018, 12, 31)), Some("Nghỉ hoán đổi (làm bù 05/01/2019)"));
    assert!(calendar.is_working(date(2019, 1, 5)), "made up for 31/12/2018");
    assert!(!calendar.is_working(date(2019, 1, 12)), "a Saturday like any other");
}

#[test]
fn a_make_up_day_brings_its_version_into_the_year_beside() {
    let calendar = Calendar::of([year(2018)]);
    let day = date(2019, 1, 5);
    assert_eq!(calendar.versions(day, day), [(2018, 1)]);
    assert_eq!(calendar.warnings(day, day), [Warning::CalendarMissing { year: 2019 }]);
    assert_eq!(calendar.versions(date(2019, 2, 1), date(2019, 3, 1)), []);
}

#[test]
fn the_order_of_years_does_not_matter_and_the_higher_version_counts() {
    let (one, mut two) = (year(2017), year(2017));
    two.version = 2;
    two.days.off.clear();
    let orders = [[one.clone(), two.clone(), year(2018)], [year(2018), two, one]];
    let [first, second] = orders.map(Calendar::of);
    assert_eq!(first, second);
    assert_eq!(first.version(2017), Some(2));
    assert!(first.is_working(date(2017, 5, 1)), "version 2 has no days off");
    assert!(!first.is_working(date(2018, 5, 1)));
}

#[test]
fn a_year_nobody_published_has_its_weekends_and_a_warning() {
    let calendar = Calendar::of([year(2017), year(2018)]);
    let (friday, saturday) = (date(2020, 5, 1), date(2020, 5, 2));
    assert!(calendar.is_working(friday) && !calendar.is_working(saturday));
    assert_eq!(
        calendar.warnings(date(2018, 12, 1), date(2020, 1, 1)),
        [2019, 2020].map(|year| Warning::CalendarMissing { year })
    );
    assert_eq!(calendar.warnings(date(2017, 12, 1), date(2018, 2, 1)), []);
    let empty = Calendar::of([]);
    assert_eq!(empty.windows(friday), Hours::usual().windows);
    assert!(empty.windows(saturday).is_empty());
}

#[test]
fn a_day_that_is_not_yet_law_is_worked_and_warned_about_until_switched_on() {
    let day = date(2026, 11, 24);
    let calendar = Calendar::of([year(2026)]);
    assert!(calendar.is_working(day));
    assert_eq!(calendar.warnings(day, day), [Warning::Unconfirmed { day }]);
    let switched_on = Calendar::of([year(2026).with_unconfirmed()]);
    assert!(!switched_on.is_working(day));
    assert_eq!(switched_on.warnings(day, day), []);
}

#[test]
fn an_office_may_have_hours_of_its_own() {
    let mut hours = Hours::usual();
    hours.windows.truncate(1);
    hours.hours_per_day = 4;
    let mut published = year(2017);
    let tamky = office("QNM-TAMKY");
    published.office_hours = vec![OfficeHours { office: tamky, hours: hours.clone() }];
    let calendar = Calendar::of([published]);
    let day: Date = date(2017, 6, 5);
    assert_eq!(calendar.windows(day).len(), 2);
    assert_eq!(calendar.for_office(tamky).windows(day), hours.windows);
    assert_eq!(calendar.for_office(office("QNM-HOIAN")), calendar);
    assert_eq!(calendar.with_hours(&hours).windows(day), hours.windows);
    assert!(calendar.for_office(tamky).windows(date(2017, 5, 1)).is_empty(), "still a day off");
}
