//! The reference calendars: real days off, made up on weekends, and hours that add up.

use jiff::civil::{Time, Weekday};
use toml::{Table, Value};

use super::reference::{Faults, date, ids, list, load, parse, text, with};
use super::{Finding, assert_caught, assert_clean};

#[test]
fn calendars_hold_real_days() {
    for year in [2017, 2018, 2025, 2026] {
        let path = format!("config/quang-nam/calendar-{year}.toml");
        assert_clean(&calendar_faults(&path, year, &load(&path)));
    }
}

fn calendar_faults(path: &str, year: i64, calendar: &Table) -> Vec<Finding> {
    let mut faults = Faults::of(path);
    let named = calendar.get("year").and_then(Value::as_integer);
    faults.check(named == Some(year), "year", "is not the year of the file's name");
    check_hours(&mut faults, calendar);
    let none = Table::new();
    let days = calendar.get("days").and_then(Value::as_table).unwrap_or(&none);
    let off: Vec<&str> = list(days, "off").map(|day| text(day, "date")).collect();
    faults.check(!off.is_empty(), "off", "holds no day");
    faults.check(off.is_sorted_by(|one, next| one < next), "off", "is not in order");
    for day in &off {
        let real = date(day).is_some_and(|day| i64::from(day.year()) == year);
        faults.check(real, day, "is no day of the year");
    }
    for day in list(days, "make_up") {
        let worked = text(day, "date");
        let weekend = [Weekday::Saturday, Weekday::Sunday];
        let on_weekend = date(worked).is_some_and(|day| weekend.contains(&day.weekday()));
        faults.check(on_weekend, worked, "makes up and lies on no weekend");
        faults.check(
            off.contains(&text(day, "replaces")),
            worked,
            "replaces a day that is not off",
        );
    }
    let cited = list(days, "off").chain(list(days, "make_up")).map(|day| text(day, "source"));
    let sources = ids(calendar, "source", "id");
    cited.for_each(|source| faults.check(sources.contains(source), source, "is cited, not listed"));
    faults.found
}

fn check_hours(faults: &mut Faults<'_>, calendar: &Table) {
    let hours = calendar.get("hours").and_then(Value::as_table);
    let windows = hours.and_then(|hours| hours.get("windows")).and_then(Value::as_array);
    let ends: Vec<Option<Time>> = windows
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .map(|end| end.as_str().and_then(|end| end.parse().ok()))
        .collect();
    let known: Vec<Time> = ends.iter().copied().flatten().collect();
    let ordered = known.len() == ends.len() && known.is_sorted_by(|one, next| one < next);
    faults.check(ordered && !known.is_empty(), "windows", "are not real hours in order");
    let minutes = |time: &Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
    let open: i64 = known.chunks_exact(2).map(|w| minutes(&w[1]) - minutes(&w[0])).sum();
    let per_day = hours.and_then(|hours| hours.get("hours_per_day")).and_then(Value::as_integer);
    faults.check(per_day == Some(open / 60), "windows", "do not add up to hours_per_day");
}

#[test]
fn each_fault_of_a_calendar_is_caught() {
    const SAMPLE: &str = r#"
        year = 2018
        source = [{ id = "S" }]
        [hours]
        windows = [["07:00", "11:30"], ["13:30", "17:00"]]
        hours_per_day = 8
        [days]
        off = [{ date = "2018-01-01", source = "S" }, { date = "2018-12-31", source = "S" }]
        make_up = [{ date = "2019-01-05", replaces = "2018-12-31", source = "S" }]"#;
    let check = |calendar: &Table| calendar_faults("calendar-2018.toml", 2018, calendar);
    assert_clean(&check(&parse(SAMPLE)));
    for (good, bad, fault) in [
        ("year = 2018", "year = 2019", "year is not the year of the file's name"),
        ("17:00", "18:00", "windows do not add up to hours_per_day"),
        ("2018-01-01", "2018-02-30", "2018-02-30 is no day of the year"),
        ("2019-01-05", "2019-01-04", "2019-01-04 makes up and lies on no weekend"),
        (
            "replaces = \"2018-12-31\"",
            "replaces = \"2018-12-30\"",
            "replaces a day that is not off",
        ),
        ("\"2018-01-01\", source = \"S\"", "\"2018-01-01\", source = \"T\"", "T is cited"),
    ] {
        assert_caught(&check(&with(SAMPLE, good, bad)), fault);
    }
}
