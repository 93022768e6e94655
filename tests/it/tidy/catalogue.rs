//! The reference catalogue: procedures, the roles they name, their limits and flows.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::province::PROVINCE;
use super::reference::{Faults, date, has_form, ids, list, load, parse, text, with};
use super::{Finding, assert_caught, assert_clean};

const PROCEDURES: &str = "config/quang-nam/procedures.toml";

const LIMIT_UNITS: [&str; 4] = ["working_day", "day", "hour", "same_day"];

#[test]
fn the_catalogue_hangs_together() {
    let procedures = load(PROCEDURES);
    assert_clean(&catalogue_faults(&procedures, &ids(&load(PROVINCE), "office", "id")));
    assert_eq!(list(&procedures, "procedure").count(), 71, "procedures");
    assert_eq!(list(&procedures, "role").count(), 44, "roles");
    let flows = list(&procedures, "procedure").filter(|procedure| procedure.contains_key("flow"));
    assert_eq!(flows.count(), 25, "flows");
}

fn catalogue_faults(catalogue: &Table, offices: &BTreeSet<&str>) -> Vec<Finding> {
    let mut faults = Faults::of(PROCEDURES);
    let roles = ids(catalogue, "role", "id");
    for role in list(catalogue, "role") {
        let id = text(role, "id");
        let successor = role.get("successor").and_then(Value::as_str);
        faults.check(
            successor.is_none_or(|next| roles.contains(next)),
            id,
            "has no such successor",
        );
        let office = role.get("office").and_then(Value::as_str);
        faults.check(
            office.is_none_or(|office| offices.contains(office)),
            id,
            "has no such office",
        );
    }
    let mut seen = BTreeSet::new();
    for procedure in list(catalogue, "procedure") {
        let code = text(procedure, "code");
        faults.check(is_procedure_code(code), code, "is no procedure code");
        faults.check(seen.insert(code), code, "is given twice");
        check_procedure(&mut faults, procedure, &roles);
    }
    faults.found
}

fn check_procedure(faults: &mut Faults<'_>, procedure: &Table, roles: &BTreeSet<&str>) {
    let code = text(procedure, "code");
    let decided = procedure.get("decision_from").and_then(Value::as_str);
    faults.check(decided.is_none_or(|day| date(day).is_some()), code, "has no real decision_from");
    faults.check(roles.contains(text(procedure, "role")), code, "has a role that does not exist");
    faults.check(list(procedure, "limits").next().is_some(), code, "has no limit");
    let mut components = BTreeSet::new();
    for component in list(procedure, "components") {
        let fresh = components.insert(text(component, "code"));
        faults.check(fresh, code, "gives a component code twice");
    }
    list(procedure, "limits").for_each(|limit| check_limit(faults, limit, code));
    if let Some(flow) = procedure.get("flow").and_then(Value::as_table) {
        faults.check(roles.contains(text(flow, "lead")), code, "has a lead that does not exist");
        for step in list(flow, "steps") {
            faults.check(roles.contains(text(step, "role")), code, "has a step of no known role");
            if step.contains_key("amount") {
                check_limit(faults, step, code);
            }
        }
    }
    for revision in list(procedure, "revision") {
        let from = date(text(revision, "valid_from"));
        faults.check(from.is_some(), code, "has a revision without a real valid_from");
        faults.check(
            roles.contains(text(revision, "role")),
            code,
            "has a revision of no known role",
        );
        let revised = revision.get("code").and_then(Value::as_str);
        faults.check(revised.is_none_or(is_procedure_code), code, "becomes no procedure code");
        list(revision, "limits").for_each(|limit| check_limit(faults, limit, code));
    }
}

fn check_limit(faults: &mut Faults<'_>, limit: &Table, code: &str) {
    let amount = limit.get("amount").and_then(Value::as_integer).unwrap_or(-1);
    let half = limit.get("half").and_then(Value::as_bool).unwrap_or(false);
    faults.check(amount > 0 || (amount == 0 && half), code, "has a limit that is not positive");
    faults.check(LIMIT_UNITS.contains(&text(limit, "unit")), code, "has a limit of no known unit");
}

/// `1.002835.000.00.00.H56` or `2.002621.H56`.
fn is_procedure_code(code: &str) -> bool {
    has_form(code, "0.000000.A00") || has_form(code, "0.000000.000.00.00.A00")
}

#[test]
fn each_fault_of_a_catalogue_is_caught() {
    const SAMPLE: &str = r#"
        role = [{ id = "xa", office = "A" }, { id = "huyen", successor = "xa" }]
        [[procedure]]
        code = "1.001193.H47"
        role = "xa"
        decision_from = "2023-07-04"
        limits = [{ amount = 3, unit = "working_day" }]
        components = [{ code = "TP01" }, { code = "TP02" }]
        flow = { lead = "huyen", steps = [{ role = "xa", amount = 1, unit = "day" }] }
        revision = [{ valid_from = "2025-07-01", role = "xa", code = "3.000347.H47" }]"#;
    let offices = BTreeSet::from(["A"]);
    assert_clean(&catalogue_faults(&parse(SAMPLE), &offices));
    for (good, bad, fault) in [
        ("1.001193.H47", "DNG-1", "DNG-1 is no procedure code"),
        ("office = \"A\"", "office = \"B\"", "xa has no such office"),
        ("successor = \"xa\"", "successor = \"no\"", "huyen has no such successor"),
        ("\n        role = \"xa\"", "\n        role = \"no\"", "has a role that does not exist"),
        ("2023-07-04", "2023-13-04", "has no real decision_from"),
        ("amount = 3", "amount = 0", "has a limit that is not positive"),
        ("working_day", "week", "has a limit of no known unit"),
        ("TP02", "TP01", "gives a component code twice"),
        ("lead = \"huyen\"", "lead = \"no\"", "has a lead that does not exist"),
        ("role = \"xa\", amount", "role = \"no\", amount", "has a step of no known role"),
        ("2025-07-01", "2025-07-00", "has a revision without a real valid_from"),
        ("3.000347.H47", "3.000347", "becomes no procedure code"),
    ] {
        assert_caught(&catalogue_faults(&with(SAMPLE, good, bad), &offices), fault);
    }
}
