use super::{CalendarYear, Hours, OffKind};

const YEARS: [(&str, &str); 4] = [
    ("calendar-2017.toml", include_str!("../../../config/quang-nam/calendar-2017.toml")),
    ("calendar-2018.toml", include_str!("../../../config/quang-nam/calendar-2018.toml")),
    ("calendar-2025.toml", include_str!("../../../config/quang-nam/calendar-2025.toml")),
    ("calendar-2026.toml", include_str!("../../../config/quang-nam/calendar-2026.toml")),
];

/// Line numbers of the table below count from its first line.
const SAMPLE: &str = r#"schema = 1
year = 2018
version = 2
note = "mẫu"
[hours]
windows = [["07:00", "11:30"], ["13:30", "17:00"]]
hours_per_day = 8
same_day_until = "15:00"
[[office_hours]]
office = "QNM-TAMKY"
hours = { windows = [["07:30", "11:30"]], hours_per_day = 4, same_day_until = "10:00" }
[days]
weekend = ["saturday", "sunday"]
off = [
  { date = "2018-01-01", name = "Tết Dương lịch", kind = "holiday", source = "S" },
  { date = "2018-12-31", name = "Nghỉ hoán đổi", kind = "swapped", source = "S" },
]
make_up = [
  { date = "2019-01-05", replaces = "2018-12-31", decided = "2018", source = "S" },
]
[[source]]
id = "S"
text = "Công văn"
read = "cited"
"#;

#[test]
fn the_reference_calendars_are_read_and_survive_json() {
    for (file, text) in YEARS {
        let year = CalendarYear::parse(file, text).expect("the reference is right");
        assert!(file.contains(&year.year.to_string()));
        assert_eq!(CalendarYear::from_json(&year.to_json()), Ok(year));
    }
}

#[test]
fn the_sample_keeps_what_it_says() {
    let year = CalendarYear::parse("sample.toml", SAMPLE).expect("the sample is right");
    assert_eq!((year.year, year.version, year.days.off.len()), (2018, 2, 2));
    assert_eq!(year.days.off[1].kind, OffKind::Swapped);
    assert_eq!(year.office_hours[0].hours.open_minutes(), 240);
    assert!(year.hours.windows == Hours::usual().windows && !year.hours.assumed);
}

#[test]
fn each_fault_names_line_field_cause_and_remedy() {
    let mut wrong = Vec::new();
    for (good, bad, place, cause, remedy) in FAULTS {
        assert!(SAMPLE.contains(good), "{good} is not in the sample");
        let text = SAMPLE.replacen(good, bad, 1);
        let error = CalendarYear::parse("sample.toml", &text).expect_err(bad);
        let is_placed = error.to_string().starts_with(&format!("sample.toml:{place}: "));
        if !is_placed || !error.cause.contains(cause) || !error.remedy().contains(remedy) {
            wrong.push(format!("{bad}: {error}: {}", error.remedy()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is replaced, by what; line and field, a part of the cause, a part of the remedy.
const FAULTS: [(&str, &str, &str, &str, &str); 30] = [
    ("schema = 1", "schema = 2\nnew = 1", "1: schema", "schema 2 is not known", "update this"),
    ("year = 2018", "year = 1018", "2: year", "is 1018, the limits are 2000 and 2200", "2000 to"),
    ("version = 2", "version = 0", "3: version", "is 0, the limits are 1", "number from 1"),
    ("version = 2", "version = -1", "3: version", "invalid value", "expected range"),
    ("version = 2\n", "", "1: file", "missing field `version`", "add the field"),
    ("note =", "notes =", "4: notes", "unknown field `notes`", "remove the field"),
    ("mẫu", "a\\u0007", "4: note", "control character", "one line"),
    ("\"07:00\", \"11:30\"", "\"07:00\", \"24:30\"", "6: hours.windows[0]", "`24:30`", "mend"),
    (
        "\"07:00\", \"11:30\"",
        "\"11:30\", \"07:00\"",
        "6: hours.windows[0]",
        "opens at 11:30",
        "first",
    ),
    ("[\"13:30\"", "[\"11:00\"", "6: hours.windows[1]", "before 11:30 closes", "none over another"),
    ("hours_per_day = 8", "hours_per_day = 9", "7: hours.hours_per_day", "open 8 h 00", "rounded"),
    (
        "\"15:00\"",
        "\"12:00\"",
        "8: hours.same_day_until",
        "12:00 is not open",
        "within the windows",
    ),
    ("\"QNM-TAMKY\"", "\"Tam Kỳ\"", "10: office_hours[0].office", "Tam Kỳ", "mend the value"),
    ("\"10:00\"", "\"6:00\"", "11: office_hours[0].hours.same_day_until", "`6:00`", "mend"),
    ("\"10:00\"", "\"13:00\"", "11: office_hours[0].hours.same_day_until", "not open", "within"),
    ("\"sunday\"]", "\"saturday\"]", "13: days.weekend", "twice", "remove one"),
    ("\"sunday\"]", "\"chủ nhật\"]", "13: days.weekend[1]", "unknown variant", "expected words"),
    (
        "\"2018-01-01\"",
        "\"2018-02-30\"",
        "15: days.off[0].date",
        "`2018-02-30` is not a day",
        "mend",
    ),
    ("\"2018-01-01\"", "2018-01-01", "15: days.off[0].date", "invalid type", "in quotes"),
    ("\"2018-01-01\"", "\"2017-01-02\"", "15: days.off[0].date", "not a day of 2018", "its year"),
    ("\"2018-01-01\"", "\"2018-12-31\"", "16: days.off[1].date", "twice", "remove one"),
    (
        "\"2018-12-31\", name",
        "\"2018-12-30\", name",
        "16: days.off[1].date",
        "weekend day",
        "instead",
    ),
    ("\"holiday\"", "\"swapped\"", "15: days.off[0].date", "no day makes up for it", "replaces ="),
    ("\"holiday\"", "\"fest\"", "15: days.off[0].kind", "unknown variant `fest`", "expected words"),
    (
        "\"holiday\", source = \"S\"",
        "\"holiday\", source = \"Z\"",
        "15: days.off[0].source",
        "`Z` is cited",
        "[[source]]",
    ),
    ("\"2019-01-05\"", "\"2019-01-04\"", "19: days.make_up[0].date", "no weekend day", "weekend"),
    (
        "\"2019-01-05\"",
        "\"2021-01-02\"",
        "19: days.make_up[0].date",
        "more than a year",
        "beside it",
    ),
    (
        "replaces = \"2018-12-31\"",
        "replaces = \"2018-01-01\"",
        "19: days.make_up[0].replaces",
        "not off with kind `swapped`",
        "kind = \"swapped\"",
    ),
    (
        "decided = \"2018\"",
        "decided = \"25/12/2018\"",
        "19: days.make_up[0].decided",
        "not a day, month or year",
        "2024-12",
    ),
    (
        "id = \"S\"\n",
        "id = \"S\"\ntext = \"\"\nread = \"cited\"\n[[source]]\nid = \"S\"\n",
        "26: source[1].id",
        "twice",
        "remove one",
    ),
];

#[test]
fn a_day_both_off_and_worked_and_two_make_ups_of_a_day_are_faults() {
    let off =
        "make_up = [\n  { date = \"2018-01-06\", replaces = \"2018-12-31\", source = \"S\" },";
    let text = SAMPLE.replace("make_up = [", off);
    let error = CalendarYear::parse("sample.toml", &text).expect_err("made up twice");
    assert!(error.to_string().starts_with("sample.toml:20: days.make_up[1].replaces: "), "{error}");

    let text = SAMPLE.replace(
        "off = [",
        "off = [\n  { date = \"2018-01-06\", name = \"Lễ\", kind = \"holiday\", source = \"S\" },",
    );
    let text = text.replace("2019-01-05", "2018-01-06");
    let error = CalendarYear::parse("sample.toml", &text).expect_err("off and worked");
    assert!(error.cause.contains("2018-01-06 is both off and worked"), "{error}");
}

#[test]
fn decomposed_letters_of_a_file_are_composed() {
    let decomposed = SAMPLE.replace("mẫu", "mâ\u{303}u");
    let year = CalendarYear::parse("sample.toml", &decomposed).expect("only the form differs");
    assert_eq!(year.note, "mẫu");
}

#[test]
fn a_document_is_checked_like_a_file() {
    let json = CalendarYear::parse("sample.toml", SAMPLE).expect("the sample is right").to_json();
    for (good, bad, cause) in [
        ("\"schema\":1", "\"schema\":9", "schema 9 is not known"),
        ("\"holiday\"", "\"swapped\"", "no day makes up for it"),
        ("2018-01-01", "2018-13-01", "is not a day that exists"),
        ("mẫu", "mâ\u{303}u", "is not in Unicode form NFC"),
        ("{", "[", "invalid"),
    ] {
        let fault = CalendarYear::from_json(&json.replacen(good, bad, 1)).expect_err(bad);
        assert!(fault.cause.contains(cause), "{bad}: {fault}");
        assert!(!fault.remedy().is_empty());
    }
}
