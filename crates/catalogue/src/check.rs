//! What a catalogue file must keep to, beyond the types of its fields.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::is_nfc;

use crate::catalogue::{File, Role};
use crate::limit::{Limit, Unit};
use crate::procedure::{Channel, Component, Fee, Flow, LegalLimit, Procedure, Revision};
use crate::source::{Fault, Source, SourceError};

/// The most faults of one file that are told.
pub const MAX_FAULTS: usize = 100;

/// Refuses a file of another version of the format, before its fields are looked at.
pub(crate) fn schema(source: &Source<'_>) -> Result<(), Vec<SourceError>> {
    #[derive(Deserialize)]
    struct Format {
        schema: u32,
    }
    let Format { schema } = source.read().map_err(|error| vec![error])?;
    if schema == SCHEMA {
        return Ok(());
    }
    let cause = format!("is {schema}, this version reads {SCHEMA}");
    let remedy = "take a program that reads it, or write the file anew";
    Err(vec![source.locate(Fault::new("schema", cause, remedy))])
}

/// Names the fields of a file that the typed value does not have.
pub(crate) fn unknown_fields(given: &Value, read: &impl Serialize) -> Vec<Fault> {
    let mut faults = Vec::new();
    let known = serde_json::to_value(read).unwrap_or_default();
    compare("", given, &known, &mut faults);
    faults
}

fn compare(path: &str, given: &Value, known: &Value, faults: &mut Vec<Fault>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (key, value) in given {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match known.get(key) {
                    Some(known) => compare(&path, value, known, faults),
                    None => faults.push(Fault::new(
                        path,
                        "unknown field",
                        "remove it, or write it as config/README.md does",
                    )),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (at, (given, known)) in given.iter().zip(known).enumerate() {
                compare(&format!("{path}[{at}]"), given, known, faults);
            }
        }
        _ => {}
    }
}

/// What is wrong in a catalogue file; nothing if it can be published.
pub(crate) fn edition(file: &File) -> Vec<Fault> {
    let roles = file.role.iter().map(|role| role.id.as_str()).collect();
    let mut check = Check { roles, faults: Vec::new() };
    if file.catalogue.version == 0 {
        check.fault("catalogue.version", "is 0", "count from 1");
    }
    if let Some(accept) = &file.catalogue.accept_within {
        check.limit("catalogue.accept_within", accept.limit());
        check.optional("catalogue.accept_within.source", accept.source.as_ref());
    }
    check.count("role", file.role.len(), MAX_ROLES);
    check.count("procedure", file.procedure.len(), MAX_PROCEDURES);
    check.all_roles(&file.role);
    let mut codes = BTreeMap::new();
    for (at, procedure) in file.procedure.iter().enumerate() {
        let path = format!("procedure[{at}]");
        check.codes(&path, procedure, &mut codes);
        check.procedure(&path, procedure);
    }
    check.faults
}

/// Collects what is wrong.
struct Check<'a> {
    roles: BTreeSet<&'a str>,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    fn fault(&mut self, path: impl Into<String>, cause: impl Into<String>, remedy: &str) {
        self.faults.push(Fault::new(path, cause, remedy));
    }

    fn holds(&mut self, holds: bool, path: &str, words: (&str, &str)) {
        if !holds {
            self.fault(path, words.0, words.1);
        }
    }

    fn text(&mut self, path: &str, text: &str, limit: usize) {
        self.faults.extend(text_fault(path, text, limit));
    }

    fn texts(&mut self, path: &str, texts: &[String], limit: usize) {
        self.count(path, texts.len(), MAX_LIST);
        for (at, text) in texts.iter().enumerate() {
            self.text(&format!("{path}[{at}]"), text, limit);
        }
    }

    fn optional(&mut self, path: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.text(path, text, MAX_TEXT);
        }
    }

    fn count(&mut self, path: &str, count: usize, limit: usize) {
        if count > limit {
            let cause = format!("has {count} entries, the limit is {limit}");
            self.fault(path, cause, "leave out what is not needed");
        }
    }

    fn word(&mut self, path: &str, word: &str, known: &[&str]) {
        if !known.contains(&word) {
            let remedy = format!("write one of: {}", known.join(", "));
            self.fault(path, format!("'{}' is not known", cut(word)), &remedy);
        }
    }

    fn role(&mut self, path: &str, role: &str) {
        if !self.roles.contains(role) {
            let cause = format!("there is no role '{}'", cut(role));
            self.fault(path, cause, "name the id of a [[role]] of this file, or add one");
        }
    }

    fn all_roles(&mut self, roles: &'a [Role]) {
        let mut seen = BTreeSet::new();
        for (at, role) in roles.iter().enumerate() {
            let path = format!("role[{at}]");
            self.text(&format!("{path}.id"), &role.id, MAX_CODE);
            self.text(&format!("{path}.name"), &role.name, MAX_NAME);
            self.word(&format!("{path}.tier"), &role.tier, &TIERS);
            if !seen.insert(role.id.as_str()) {
                let cause = format!("'{}' is given to two roles", cut(&role.id));
                self.fault(format!("{path}.id"), cause, "give each role its own id");
            }
            if let Some(successor) = &role.successor {
                self.role(&format!("{path}.successor"), successor);
            }
        }
    }

    fn codes(&mut self, path: &str, written: &'a Procedure, codes: &mut BTreeMap<&'a str, String>) {
        let later = written.revisions.iter().enumerate().filter_map(|(at, revision)| {
            let code = revision.code.as_deref()?;
            (code != written.code).then(|| (format!("{path}.revision[{at}].code"), code))
        });
        let mut own = BTreeSet::new();
        for (path, code) in
            [(format!("{path}.code"), written.code.as_str())].into_iter().chain(later)
        {
            if !is_procedure_code(code) {
                let cause = format!("'{}' is no code of a procedure", cut(code));
                self.fault(path.as_str(), cause, "write it as in 1.001193.H47");
            }
            // A procedure that takes its own earlier code back is still one procedure.
            if !own.insert(code) {
                continue;
            }
            if let Some(other) = codes.insert(code, path.clone()) {
                let cause = format!("'{}' is the code of two procedures, also {other}", cut(code));
                self.fault(path, cause, "give each procedure its own code, or remove one of them");
            }
        }
    }

    fn procedure(&mut self, path: &str, procedure: &Procedure) {
        let field = |name: &str| format!("{path}.{name}");
        self.text(&field("name"), &procedure.name, MAX_NAME);
        self.text(&field("field"), &procedure.field, MAX_NAME);
        self.text(&field("group"), &procedure.group, MAX_CODE);
        self.text(&field("source"), &procedure.source, MAX_TEXT);
        self.word(&field("level"), &procedure.level, &TIERS);
        self.words(&field("also_levels"), &procedure.also_levels, &TIERS);
        self.role(&field("role"), &procedure.role);
        self.some_roles(&field("received_by"), &procedure.received_by);
        self.holds(procedure.sets > 0, &field("sets"), ("is 0", "count from 1"));
        self.words(&field("assumed"), &procedure.assumed, &PARTS);
        self.words(&field("unknown"), &procedure.unknown, &PARTS);
        self.texts(&field("legal"), &procedure.legal, MAX_NAME);
        self.optional(&field("decision"), procedure.decision.as_ref());
        self.optional(&field("note"), procedure.note.as_ref());
        self.optional(&field("local_code"), procedure.local_code.as_ref());
        self.channels(&field("channels"), &procedure.channels);
        self.results(&field("results"), &procedure.results);
        self.limits(&field("limits"), &procedure.limits);
        self.components(&field("components"), &procedure.components);
        self.fees(&field("fees"), &procedure.fees);
        if let Some(flow) = &procedure.flow {
            self.flow(&field("flow"), flow);
        }
        self.revisions(&field("revision"), &procedure.revisions);
    }

    fn words(&mut self, path: &str, words: &[String], known: &[&str]) {
        self.count(path, words.len(), MAX_LIST);
        for (at, word) in words.iter().enumerate() {
            self.word(&format!("{path}[{at}]"), word, known);
        }
    }

    fn some_roles(&mut self, path: &str, roles: &[String]) {
        self.count(path, roles.len(), MAX_LIST);
        for (at, role) in roles.iter().enumerate() {
            self.role(&format!("{path}[{at}]"), role);
        }
    }

    fn channels(&mut self, path: &str, channels: &[Channel]) {
        let words = ("holds no channel", "name at least one of: counter, online, post, e-mail");
        self.holds(!channels.is_empty(), path, words);
        let distinct: BTreeSet<&Channel> = channels.iter().collect();
        let words = ("names a channel twice", "name each channel once");
        self.holds(distinct.len() == channels.len(), path, words);
    }

    fn results(&mut self, path: &str, results: &[String]) {
        let words = ("holds no result", "name what the applicant gets");
        self.holds(!results.is_empty(), path, words);
        self.texts(path, results, MAX_NAME);
    }

    fn limits(&mut self, path: &str, limits: &[LegalLimit]) {
        let words = ("holds no limit", "give the legal limit, with `assumed = true` if need be");
        self.holds(!limits.is_empty(), path, words);
        self.count(path, limits.len(), MAX_LIST);
        for (at, limit) in limits.iter().enumerate() {
            let path = format!("{path}[{at}]");
            self.limit(&path, limit.limit());
            self.optional(&format!("{path}.case"), limit.case.as_ref());
            self.optional(&format!("{path}.note"), limit.note.as_ref());
        }
    }

    fn limit(&mut self, path: &str, limit: Limit) {
        if let Err(error) = limit.check() {
            self.fault(format!("{path}.amount"), error.to_string(), "look at the source again");
        }
    }

    fn components(&mut self, path: &str, components: &[Component]) {
        self.count(path, components.len(), MAX_LIST);
        let mut seen = BTreeSet::new();
        for (at, component) in components.iter().enumerate() {
            let (code, name) = (format!("{path}[{at}].code"), format!("{path}[{at}].name"));
            self.text(&code, &component.code, MAX_CODE);
            self.text(&name, &component.name, MAX_TEXT);
            let is_new = seen.insert(component.code.as_str());
            self.holds(is_new, &code, ("is given to two components", "number them one by one"));
        }
    }

    fn fees(&mut self, path: &str, fees: &[Fee]) {
        self.count(path, fees.len(), MAX_LIST);
        for (at, fee) in fees.iter().enumerate() {
            self.text(&format!("{path}[{at}].per"), &fee.per, MAX_NAME);
            self.optional(&format!("{path}[{at}].case"), fee.case.as_ref());
            self.optional(&format!("{path}[{at}].note"), fee.note.as_ref());
            if fee.vnd > MAX_VND {
                let cause = format!("is {}, the limit is {MAX_VND}", fee.vnd);
                self.fault(format!("{path}[{at}].vnd"), cause, "look at the source again");
            }
        }
    }

    fn flow(&mut self, path: &str, flow: &Flow) {
        self.role(&format!("{path}.lead"), &flow.lead);
        self.optional(&format!("{path}.note"), flow.note.as_ref());
        self.optional_limit(path, flow.amount, flow.unit, flow.half);
        let steps = format!("{path}.steps");
        self.holds(!flow.steps.is_empty(), &steps, ("holds no step", "say who does what"));
        self.count(&steps, flow.steps.len(), MAX_LIST);
        for (at, step) in flow.steps.iter().enumerate() {
            let path = format!("{steps}[{at}]");
            self.role(&format!("{path}.role"), &step.role);
            self.text(&format!("{path}.act"), &step.act, MAX_TEXT);
            self.optional(&format!("{path}.note"), step.note.as_ref());
            self.optional_limit(&path, step.amount, step.unit, step.half);
            let is_letter = step.parallel.is_none_or(|letter| letter.is_ascii_lowercase());
            let words = ("is no small letter", "write a letter from a to z");
            self.holds(is_letter, &format!("{path}.parallel"), words);
        }
    }

    fn optional_limit(&mut self, path: &str, amount: Option<u32>, unit: Option<Unit>, half: bool) {
        match (amount, unit) {
            (Some(amount), Some(unit)) => self.limit(path, Limit { amount, half, unit }),
            (Some(_), None) => {
                self.fault(format!("{path}.amount"), "has no unit", "give `unit` beside it");
            }
            (None, Some(_)) => {
                self.fault(format!("{path}.unit"), "has no amount", "give `amount` beside it");
            }
            (None, None) if half => {
                self.fault(format!("{path}.half"), "has no amount", "give `amount` and `unit`");
            }
            (None, None) => {}
        }
    }

    fn revisions(&mut self, path: &str, revisions: &[Revision]) {
        self.count(path, revisions.len(), MAX_LIST);
        let mut before: (u32, Option<Date>) = (1, None);
        for (at, revision) in revisions.iter().enumerate() {
            let path = format!("{path}[{at}]");
            if revision.version <= before.0 {
                let cause = format!("is {}, the one before has {}", revision.version, before.0);
                self.fault(format!("{path}.version"), cause, "number revisions upward, from 2");
            }
            if let Some(day) = before.1.filter(|day| revision.valid_from <= *day) {
                let cause = format!("is {}, the one before holds from {day}", revision.valid_from);
                let remedy = "put revisions in the order of their days";
                self.fault(format!("{path}.valid_from"), cause, remedy);
            }
            before = (revision.version, Some(revision.valid_from));
            self.revision(&path, revision);
        }
    }

    fn revision(&mut self, path: &str, revision: &Revision) {
        let field = |name: &str| format!("{path}.{name}");
        if let Some(role) = &revision.role {
            self.role(&field("role"), role);
        }
        if let Some(name) = &revision.name {
            self.text(&field("name"), name, MAX_NAME);
        }
        self.words(&field("levels"), &revision.levels, &TIERS);
        self.optional(&field("decision"), revision.decision.as_ref());
        self.optional(&field("note"), revision.note.as_ref());
        self.optional(&field("source"), revision.source.as_ref());
        self.some_roles(&field("received_by"), revision.received_by.as_deref().unwrap_or_default());
        if let Some(channels) = &revision.channels {
            self.channels(&field("channels"), channels);
        }
        if let Some(results) = &revision.results {
            self.results(&field("results"), results);
        }
        if let Some(limits) = &revision.limits {
            self.limits(&field("limits"), limits);
        }
        self.components(&field("components"), revision.components.as_deref().unwrap_or_default());
        self.fees(&field("fees"), revision.fees.as_deref().unwrap_or_default());
        if let Some(flow) = &revision.flow {
            self.flow(&field("flow"), flow);
        }
    }
}

/// What is wrong with a text: it must be there, be short enough, hold no control character and be
/// in Unicode NFC.
pub(crate) fn text_fault(path: &str, text: &str, limit: usize) -> Option<Fault> {
    let chars = text.chars().count();
    if text.trim().is_empty() {
        return Some(Fault::new(path, "is empty", "write the text, or leave the field out"));
    }
    if chars > limit {
        let cause = format!("has {chars} characters, the limit is {limit}");
        return Some(Fault::new(path, cause, "shorten it"));
    }
    if text.chars().any(char::is_control) {
        return Some(Fault::new(path, "has a control character", "type it again in one line"));
    }
    let nfc = "is not in Unicode NFC";
    (!is_nfc(text)).then(|| Fault::new(path, nfc, "write composed letters instead of \\u escapes"))
}

/// `1.002835.000.00.00.H56` or `2.002621.H56`.
pub(crate) fn is_procedure_code(code: &str) -> bool {
    ["0.000000.A00", "0.000000.000.00.00.A00"].into_iter().any(|form| {
        code.len() == form.len()
            && code.chars().zip(form.chars()).all(|(c, form)| match form {
                '0' => c.is_ascii_digit(),
                'A' => c.is_ascii_uppercase(),
                _ => c == form,
            })
    })
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

const SCHEMA: u32 = 1;

/// Every tier that a role or a level may have.
const TIERS: [&str; 8] =
    ["commune", "district", "province", "ministry", "post", "person", "other", "any"];

/// Every part of a procedure that may be assumed or unknown.
const PARTS: [&str; 10] = [
    "code",
    "role",
    "channels",
    "results",
    "limits",
    "components",
    "component-quantities",
    "fees",
    "flow",
    "legal",
];

const MAX_ROLES: usize = 1_000;
/// More than twice what a province offers today.
const MAX_PROCEDURES: usize = 5_000;
const MAX_LIST: usize = 100;
const MAX_CODE: usize = 64;
const MAX_NAME: usize = 500;
const MAX_TEXT: usize = 1_000;
/// A thousand milliards of đồng.
const MAX_VND: u64 = 1_000_000_000_000;

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
