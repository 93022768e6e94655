//! What a calendar must hold together before it is published or used.

use std::collections::BTreeSet;

use jiff::civil::Date;
use unicode_normalization::is_nfc;

use crate::day::day;
use crate::source::Fault;
use crate::year::{CalendarYear, DayOff, Hours, MakeUp, OffKind};

pub(crate) fn schema(schema: u32) -> Result<(), Fault> {
    if schema == CalendarYear::SCHEMA {
        return Ok(());
    }
    let cause =
        format!("schema {schema} is not known, this program reads {}", CalendarYear::SCHEMA);
    Err(Fault::new("schema", cause, "update this program, or write the format that it reads"))
}

pub(crate) fn check(year: &CalendarYear) -> Result<(), Fault> {
    schema(year.schema)?;
    within("year", i64::from(year.year), FIRST_YEAR, LAST_YEAR)?;
    within("version", i64::from(year.version), 1, i64::from(u32::MAX))?;
    text("note", &year.note)?;
    hours("hours", &year.hours)?;
    office_hours(year)?;
    weekend(year)?;
    sources(year)?;
    days_off(year)?;
    make_up_days(year)?;
    swapped_days(year)
}

fn hours(path: &str, hours: &Hours) -> Result<(), Fault> {
    let field = format!("{path}.windows");
    within(&field, count(hours.windows.len()), 1, MAX_WINDOWS)?;
    for (index, window) in hours.windows.iter().enumerate() {
        let field = format!("{field}[{index}]");
        if window.opens >= window.closes {
            let cause = format!("opens at {} and closes at {}", window.opens, window.closes);
            return Err(Fault::new(field, cause, "write the opening time first"));
        }
        let before = index.checked_sub(1).and_then(|before| hours.windows.get(before));
        if let Some(before) = before.filter(|before| window.opens < before.closes) {
            let cause = format!("opens at {} before {} closes", window.opens, before.closes);
            return Err(Fault::new(field, cause, "write windows in order, none over another"));
        }
    }
    let (open, counted) = (hours.open_minutes(), u64::from(hours.hours_per_day) * 60);
    if counted == 0 || counted.abs_diff(open) >= 60 {
        let cause = format!(
            "{} hours count as a day, the windows are open {} h {:02} min",
            hours.hours_per_day,
            open / 60,
            open % 60
        );
        let remedy = "write the hours that the windows are open, rounded to a whole hour";
        return Err(Fault::new(format!("{path}.hours_per_day"), cause, remedy));
    }
    let until = hours.same_day_until;
    let is_open = |at| hours.windows.iter().any(|window| window.opens <= at && at <= window.closes);
    if !is_open(until) {
        let (field, cause) = (format!("{path}.same_day_until"), format!("{until} is not open"));
        return Err(Fault::new(field, cause, "write a time within the windows"));
    }
    Ok(())
}

fn office_hours(year: &CalendarYear) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, own) in year.office_hours.iter().enumerate() {
        let path = format!("office_hours[{index}]");
        if !seen.insert(own.office) {
            return Err(twice(format!("{path}.office"), own.office.as_str()));
        }
        hours(&format!("{path}.hours"), &own.hours)?;
    }
    Ok(())
}

fn weekend(year: &CalendarYear) -> Result<(), Fault> {
    let days: BTreeSet<_> = year.days.weekend.iter().collect();
    if days.len() < year.days.weekend.len() {
        return Err(twice("days.weekend", "a day of the week"));
    }
    within("days.weekend", count(days.len()), 0, MAX_WEEKEND_DAYS)
}

fn sources(year: &CalendarYear) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, source) in year.source.iter().enumerate() {
        text(&format!("source[{index}].id"), &source.id)?;
        text(&format!("source[{index}].text"), &source.text)?;
        if !seen.insert(&source.id) {
            return Err(twice(format!("source[{index}].id"), &source.id));
        }
    }
    Ok(())
}

fn days_off(year: &CalendarYear) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, off) in year.days.off.iter().enumerate() {
        let path = format!("days.off[{index}]");
        let field = format!("{path}.date");
        if off.date.year() != year.year {
            let cause = format!("{} is not a day of {}", off.date, year.year);
            return Err(Fault::new(field, cause, "move the day to the calendar of its year"));
        }
        if !seen.insert(off.date) {
            return Err(twice(field, &off.date.to_string()));
        }
        if off.kind != OffKind::Holiday && year.days.is_weekend(off.date) {
            let cause = format!("{} is a weekend day, and off without it", off.date);
            return Err(Fault::new(field, cause, "write the working day that is off instead"));
        }
        text(&format!("{path}.name"), &off.name)?;
        cited(year, format!("{path}.source"), &off.source)?;
    }
    Ok(())
}

fn make_up_days(year: &CalendarYear) -> Result<(), Fault> {
    let (mut worked, mut replaced) = (BTreeSet::new(), BTreeSet::new());
    for (index, make_up) in year.days.make_up.iter().enumerate() {
        let path = format!("days.make_up[{index}]");
        make_up_day(year, &path, make_up)?;
        if !worked.insert(make_up.date) {
            return Err(twice(format!("{path}.date"), &make_up.date.to_string()));
        }
        if !replaced.insert(make_up.replaces) {
            return Err(twice(format!("{path}.replaces"), &make_up.replaces.to_string()));
        }
        let decided = make_up.decided.as_deref();
        if let Some(decided) = decided.filter(|text| !is_day_month_or_year(text)) {
            let cause = format!("`{}` is not a day, month or year", cut(decided));
            let remedy = "write as in 2025-12-25, 2024-12 or 2018";
            return Err(Fault::new(format!("{path}.decided"), cause, remedy));
        }
        cited(year, format!("{path}.source"), &make_up.source)?;
    }
    Ok(())
}

fn make_up_day(year: &CalendarYear, path: &str, make_up: &MakeUp) -> Result<(), Fault> {
    let (field, date) = (format!("{path}.date"), make_up.date);
    if !year.days.is_weekend(date) {
        let cause = format!("{date} is no weekend day, it is worked without making up");
        return Err(Fault::new(field, cause, "write the weekend day that is worked"));
    }
    if date.year().abs_diff(year.year) > 1 {
        let cause = format!("{date} is more than a year away from {}", year.year);
        return Err(Fault::new(field, cause, "write a day of this year or of one beside it"));
    }
    let find = |date: Date| year.days.off.iter().find(|off| off.date == date);
    if find(date).is_some() {
        let cause = format!("{date} is both off and worked");
        return Err(Fault::new(field, cause, "remove the day from days.off or from days.make_up"));
    }
    let is_swapped = |off: &DayOff| off.kind == OffKind::Swapped;
    if !find(make_up.replaces).is_some_and(is_swapped) {
        let cause = format!("{} is not off with kind `swapped`", make_up.replaces);
        let remedy = "add the day to days.off with kind = \"swapped\"";
        return Err(Fault::new(format!("{path}.replaces"), cause, remedy));
    }
    Ok(())
}

fn swapped_days(year: &CalendarYear) -> Result<(), Fault> {
    let made_up: BTreeSet<Date> = year.days.make_up.iter().map(|day| day.replaces).collect();
    let mut swapped = year
        .days
        .off
        .iter()
        .enumerate()
        .filter(|(_, off)| off.kind == OffKind::Swapped && !made_up.contains(&off.date));
    let Some((index, off)) = swapped.next() else { return Ok(()) };
    let cause = format!("{} is swapped and no day makes up for it", off.date);
    let remedy = "add the day that is worked to days.make_up, with replaces = this day";
    Err(Fault::new(format!("days.off[{index}].date"), cause, remedy))
}

fn cited(year: &CalendarYear, field: String, id: &str) -> Result<(), Fault> {
    if year.source.iter().any(|source| source.id == id) {
        return Ok(());
    }
    let cause = format!("`{}` is cited and not listed", cut(id));
    Err(Fault::new(field, cause, "add a [[source]] with this id"))
}

fn text(field: &str, text: &str) -> Result<(), Fault> {
    let characters = text.chars().count();
    if characters > MAX_TEXT_CHARS {
        let cause = format!("has {characters} characters, the limit is {MAX_TEXT_CHARS}");
        return Err(Fault::new(field, cause, "shorten the text"));
    }
    if !is_nfc(text) {
        let remedy = "bring the text to Unicode form NFC (dựng sẵn)";
        return Err(Fault::new(field, "is not in Unicode form NFC", remedy));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::new(field, "holds a control character", "write the text on one line"));
    }
    Ok(())
}

fn within(field: &str, value: i64, least: i64, most: i64) -> Result<(), Fault> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let cause = format!("is {value}, the limits are {least} and {most}");
    Err(Fault::new(field, cause, format!("take a number from {least} to {most}")))
}

fn twice(field: impl Into<String>, what: &str) -> Fault {
    Fault::new(field, format!("{what} stands there twice"), "remove one of the two")
}

fn is_day_month_or_year(text: &str) -> bool {
    ["", "-01", "-01-01"].iter().any(|rest| day(&format!("{text}{rest}")).is_ok())
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

const FIRST_YEAR: i64 = 2_000;
const LAST_YEAR: i64 = 2_200;
const MAX_WINDOWS: i64 = 4;
const MAX_WEEKEND_DAYS: i64 = 5;
const MAX_TEXT_CHARS: usize = 1_000;
