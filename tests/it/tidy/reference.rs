//! Reference data under `config/`: what its files have in common, and the parts of names.

use std::collections::BTreeSet;

use jiff::civil::Date;
use toml::{Table, Value};
use unicode_normalization::is_nfc;

use super::province::PROVINCE;
use super::{Finding, Source, assert_caught, assert_clean, read, sources};

const NAMES: &str = "config/quang-nam/names.toml";

#[test]
fn names_belong_to_nobody() {
    let province = load(PROVINCE);
    assert_clean(&name_faults(&load(NAMES), &ids(&province, "office", "id")));
}

#[test]
fn reference_data_is_in_composed_form() {
    let data = sources("toml").into_iter().filter(|source| source.path.starts_with("config/"));
    assert_clean(&data.flat_map(|source| decomposed(&source)).collect::<Vec<_>>());
}

fn name_faults(names: &Table, offices: &BTreeSet<&str>) -> Vec<Finding> {
    let mut faults = Faults::of(NAMES);
    let fictitious = names.get("fictitious").and_then(Value::as_bool);
    faults.check(fictitious == Some(true), "fictitious", "is not true");
    let pattern = |table: &str| {
        names.get(table).and_then(|table| table.get("pattern")).and_then(Value::as_str)
    };
    let made_up = pattern("identity").is_some_and(|pattern| pattern.ends_with("99{nnnn}"));
    faults.check(made_up, "identity", "could be the number of a person");
    let made_up = pattern("phone").is_some_and(|pattern| pattern.starts_with("0000"));
    faults.check(made_up, "phone", "could be the number of a person");
    for place in list(names, "streets").chain(list(names, "hamlets")) {
        let office = text(place, "office");
        faults.check(offices.contains(office), office, "is no office of the province");
    }
    faults.found
}

fn decomposed(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate().filter(|(_, line)| !is_nfc(line));
    let remedy = "write composed letters, and a decomposed sample as \\u escapes";
    lines.map(|(index, _)| Finding::new(source.place(index), "text is not NFC", remedy)).collect()
}

/// Findings in one file of reference data.
pub(super) struct Faults<'a> {
    path: &'a str,
    pub(super) found: Vec<Finding>,
}

impl Faults<'_> {
    pub(super) fn of(path: &str) -> Faults<'_> {
        Faults { path, found: Vec::new() }
    }

    pub(super) fn check(&mut self, holds: bool, what: &str, fault: &str) {
        if !holds {
            let remedy = "config/README.md says what the field holds";
            self.found.push(Finding::new(self.path, format!("{what} {fault}"), remedy));
        }
    }
}

pub(super) fn load(path: &str) -> Table {
    parse(&read(path))
}

pub(super) fn parse(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("reference data is not TOML: {error}"))
}

/// The tables under `key`, or none.
pub(super) fn list<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    let array = table.get(key).and_then(Value::as_array);
    array.into_iter().flatten().filter_map(Value::as_table)
}

/// The text under `key`, or an empty one.
pub(super) fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn ids<'a>(table: &'a Table, key: &str, id: &str) -> BTreeSet<&'a str> {
    list(table, key).map(|row| text(row, id)).collect()
}

pub(super) fn date(text: &str) -> Option<Date> {
    // Only the plain form: jiff would also read a time after the day.
    has_form(text, "0000-00-00").then(|| text.parse().ok()).flatten()
}

/// Whether `text` has a digit where `form` has `0`, a capital where it has `A`, else the same.
pub(super) fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.chars().zip(form.chars()).all(|(c, form)| match form {
            '0' => c.is_ascii_digit(),
            'A' => c.is_ascii_uppercase(),
            _ => c == form,
        })
}

/// A whole small province, catalogue or calendar with one text in it replaced.
pub(super) fn with(sample: &str, good: &str, bad: &str) -> Table {
    assert!(sample.contains(good), "{good} is not in the sample");
    parse(&sample.replacen(good, bad, 1))
}

#[test]
fn a_real_number_and_a_decomposed_letter_are_caught() {
    let offices = BTreeSet::from(["A"]);
    const SAMPLE: &str = r#"
        fictitious = true
        streets = [{ office = "A" }]
        identity = { pattern = "049{century_sex}{yy}99{nnnn}" }
        phone = { pattern = "0000{nnnnnn}" }"#;
    assert_clean(&name_faults(&parse(SAMPLE), &offices));
    for (good, bad, fault) in [
        ("99{nnnn}", "{nnnnnn}", "identity could be the number of a person"),
        ("\"0000{", "\"0905{", "phone could be the number of a person"),
        ("office = \"A\"", "office = \"Z\"", "Z is no office of the province"),
        ("true", "false", "fictitious is not true"),
    ] {
        assert_caught(&name_faults(&with(SAMPLE, good, bad), &offices), fault);
    }
    let source = Source::new("config/x.toml", "name = \"Lê\"\nname = \"Le\u{302}\"");
    assert_caught(&decomposed(&source), "config/x.toml:2: text is not NFC");
}
