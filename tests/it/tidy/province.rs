//! The reference province: one tree of offices, each with its own id and unit code.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::reference::{Faults, date, has_form, ids, list, load, parse, text, with};
use super::{Finding, assert_caught, assert_clean};

pub(super) const PROVINCE: &str = "config/quang-nam/province.toml";

/// Offices of the 2017 tree by tier.
const OFFICES: [(&str, usize); 4] =
    [("province", 1), ("department", 28), ("district", 18), ("commune", 244)];

#[test]
fn the_province_is_one_tree() {
    assert_clean(&province_faults(&load(PROVINCE)));
}

#[test]
fn the_province_has_every_office_of_2017() {
    let province = load(PROVINCE);
    for (tier, count) in OFFICES {
        let offices = list(&province, "office").filter(|office| text(office, "tier") == tier);
        assert_eq!(offices.count(), count, "offices of tier {tier}");
    }
}

fn province_faults(province: &Table) -> Vec<Finding> {
    let mut faults = Faults::of(PROVINCE);
    let known = ids(province, "office", "id");
    let root = province.get("federation").and_then(|head| head.get("root")).and_then(Value::as_str);
    let (mut seen, mut unit_codes) = (BTreeSet::new(), BTreeSet::new());
    for office in list(province, "office") {
        let id = text(office, "id");
        let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "._-".contains(c);
        let fits = (1..=32).contains(&id.len()) && id.chars().all(legal);
        faults.check(fits, id, "is no office id");
        faults.check(seen.insert(id), id, "is given twice");
        faults.check(!text(office, "name").is_empty(), id, "has no name");
        match office.get("parent") {
            None => faults.check(root == Some(id), id, "has no parent and is not the root"),
            Some(parent) => {
                let parent = parent.as_str().unwrap_or_default();
                faults.check(known.contains(parent), id, "has a parent that does not exist");
            }
        }
        faults.check(reaches_root(province, id), id, "does not hang under the root");
        let unit_code = office.get("unit_code").and_then(|code| code.get("code"));
        let unit_code = unit_code.and_then(Value::as_str).unwrap_or_default();
        faults.check(has_form(unit_code, "000.00.00.A00"), id, "has a malformed unit code");
        faults.check(unit_codes.insert(unit_code), id, "shares its unit code");
        check_codes(&mut faults, office, id);
    }
    faults.check(root.is_some_and(|root| known.contains(root)), "root", "does not exist");
    faults.found
}

fn check_codes(faults: &mut Faults<'_>, office: &Table, id: &str) {
    for code in list(office, "codes") {
        let from = date(text(code, "valid_from"));
        let to = date(text(code, "valid_to"));
        let dated = from.zip(to).is_some_and(|(from, to)| from <= to);
        faults.check(dated, id, "has a code without real dates");
    }
}

fn reaches_root(province: &Table, id: &str) -> bool {
    let mut at = id;
    // The deepest tree has four levels; more steps than offices mean a circle.
    for _ in 0..list(province, "office").count() {
        let Some(office) = list(province, "office").find(|office| text(office, "id") == at) else {
            return false;
        };
        let Some(parent) = office.get("parent").and_then(Value::as_str) else {
            return true;
        };
        at = parent;
    }
    false
}

#[test]
fn each_fault_of_a_province_is_caught() {
    const SAMPLE: &str = r#"
        federation = { root = "A" }
        office = [
          { id = "A", name = "A", unit_code = { code = "000.00.00.H47" } },
          { id = "B", name = "B", parent = "A", unit_code = { code = "000.00.01.H47" }, codes = [
            { code = "1", valid_from = "2015-03-12", valid_to = "2020-01-31" } ] },
        ]"#;
    assert_clean(&province_faults(&parse(SAMPLE)));
    for (good, bad, fault) in [
        ("id = \"B\"", "id = \"b\"", "b is no office id"),
        ("name = \"B\"", "name = \"\"", "B has no name"),
        ("000.00.01.H47", "000.1.H47", "B has a malformed unit code"),
        ("000.00.01.H47", "000.00.00.H47", "B shares its unit code"),
        ("2015-03-12", "2015-02-29", "B has a code without real dates"),
        ("2020-01-31", "2014-01-31", "B has a code without real dates"),
        ("parent = \"A\", ", "", "B has no parent and is not the root"),
    ] {
        assert_caught(&province_faults(&with(SAMPLE, good, bad)), fault);
    }
    let orphan = province_faults(&with(SAMPLE, "parent = \"A\"", "parent = \"Z\""));
    assert!(orphan.iter().any(|found| found.fault == "B has a parent that does not exist"));
    let circle = province_faults(&with(SAMPLE, "parent = \"A\"", "parent = \"B\""));
    assert_caught(&circle, "B does not hang under the root");
    let twice = province_faults(&with(SAMPLE, "id = \"B\"", "id = \"A\""));
    assert!(twice.iter().any(|found| found.fault == "A is given twice"));
}
