//! A province as its file describes it, before a federation is founded from it.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::{IdError, OfficeId};
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use crate::office::{Office, OfficialCode};
use crate::registry::{MAX_OFFICES, Problem};
use crate::tree::Tree;

/// The offices that a federation is founded with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Province {
    /// The federation's name.
    pub name: String,
    /// The office that will write the registry.
    pub root: OfficeId,
    /// All offices, the root too, in the order of lists.
    pub offices: Vec<Office>,
}

/// Why the text of a province file is not taken. Nothing was changed.
#[derive(Debug, Error)]
pub enum ProvinceError {
    /// The text is no TOML, or not of the shape that `config/README.md` describes.
    #[error("line {line} of the province file: {cause}")]
    Shape {
        /// The line, from 1.
        line: usize,
        /// What the reader met.
        cause: String,
    },
    /// The file is of another version of the format.
    #[error("line {line} of the province file, schema: {schema}, this version reads {SCHEMA}")]
    Schema {
        /// The line, from 1.
        line: usize,
        /// The version that the file states.
        schema: i64,
    },
    /// A field that must hold an office id holds something else.
    #[error("line {line} of the province file, {field}")]
    Id {
        /// The line, from 1.
        line: usize,
        /// The name of the field.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        source: IdError,
    },
    /// A text is empty or too long, or a code or a day has the wrong form.
    #[error("line {line} of the province file, {field}: '{text}' is not {expected}")]
    Text {
        /// The line, from 1.
        line: usize,
        /// The name of the field.
        field: &'static str,
        /// What stands there, cut to 64 characters.
        text: String,
        /// What must stand there.
        expected: &'static str,
    },
    /// Two offices have the same id or unit code.
    #[error("line {line} of the province file, {field}: '{value}' is given to another office")]
    Twice {
        /// The line of the second office, from 1.
        line: usize,
        /// `id` or `unit_code`.
        field: &'static str,
        /// The id or the code.
        value: String,
    },
    /// The tree does not hold together.
    #[error("line {line} of the province file, parent: {problem}")]
    Tree {
        /// The line of the office, from 1.
        line: usize,
        /// What does not fit.
        problem: Problem,
    },
    /// `federation.root` is not one of the offices.
    #[error("line {line} of the province file, root: there is no office {root}")]
    NoRoot {
        /// The line of `root`, from 1.
        line: usize,
        /// The id that it holds.
        root: OfficeId,
    },
    /// There are more offices than a registry may hold.
    #[error("province file has {offices} offices, the limit is {MAX_OFFICES}")]
    TooMany {
        /// How many offices the file has.
        offices: usize,
    },
}

impl ProvinceError {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ProvinceError::Shape { .. } => "province-shape",
            ProvinceError::Schema { .. } => "province-schema",
            ProvinceError::Id { .. } => "province-id",
            ProvinceError::Text { .. } => "province-text",
            ProvinceError::Twice { .. } => "province-twice",
            ProvinceError::Tree { .. } => "province-tree",
            ProvinceError::NoRoot { .. } => "province-no-root",
            ProvinceError::TooMany { .. } => "province-too-many",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            ProvinceError::Shape { .. } => {
                "correct the line; config/README.md lists every field with its form"
            }
            ProvinceError::Schema { .. } => {
                "take a version of this program that reads the file, or write the file anew"
            }
            ProvinceError::Id { .. } => "write 1 to 32 of the characters A-Z a-z 0-9 . _ -",
            ProvinceError::Text { .. } => "write the field in the form that the message names",
            ProvinceError::Twice { .. } => "give each office its own; never use an id again",
            ProvinceError::Tree { .. } => {
                "name another office of the file as the parent; only the root has none"
            }
            ProvinceError::NoRoot { .. } => "name an office of the file as the root",
            ProvinceError::TooMany { .. } => "split the province into several federations",
        }
    }
}

/// An office was asked for that the province does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the province has no office {office}")]
pub struct UnknownOffice {
    /// The office that was asked for.
    pub office: OfficeId,
}

impl Province {
    /// Reads the text of a province file.
    pub fn parse(text: &str) -> Result<Province, ProvinceError> {
        let reader = Reader { text };
        let file: File = toml::from_str(text).map_err(|error| reader.shape(&error))?;
        if *file.schema.get_ref() != SCHEMA {
            let schema = *file.schema.get_ref();
            return Err(ProvinceError::Schema { line: reader.line(&file.schema), schema });
        }
        if file.office.len() > MAX_OFFICES {
            return Err(ProvinceError::TooMany { offices: file.office.len() });
        }
        let root = reader.id("root", &file.federation.root)?;
        let mut lines = BTreeMap::new();
        let mut unit_codes = BTreeSet::new();
        let mut offices = Vec::with_capacity(file.office.len());
        for entry in file.office {
            let line = reader.line(&entry.id);
            let office = reader.office(entry)?;
            let twice = |field, value: &str| {
                Err(ProvinceError::Twice { line, field, value: value.to_owned() })
            };
            if lines.insert(office.id, line).is_some() {
                return twice("id", office.id.as_str());
            }
            if !unit_codes.insert(office.unit_code.clone()) {
                return twice("unit_code", &office.unit_code);
            }
            offices.push(office);
        }
        if !lines.contains_key(&root) {
            return Err(ProvinceError::NoRoot { line: reader.line(&file.federation.root), root });
        }
        tree_holds(root, &offices, &lines)?;
        Ok(Province { name: file.federation.name, root, offices })
    }

    /// The part of the province that these offices and all above them make, the root always too.
    pub fn subset(&self, offices: &[OfficeId]) -> Result<Province, UnknownOffice> {
        let by_id: BTreeMap<_, _> = self.offices.iter().map(|office| (office.id, office)).collect();
        let mut kept = BTreeSet::from([self.root]);
        for office in offices {
            let mut next = Some(*office);
            while let Some(office) = next {
                let found = by_id.get(&office).ok_or(UnknownOffice { office })?;
                next = found.parent.filter(|_| kept.insert(office));
            }
        }
        let offices = self.offices.iter().filter(|office| kept.contains(&office.id));
        Ok(Province {
            name: self.name.clone(),
            root: self.root,
            offices: offices.cloned().collect(),
        })
    }
}

fn tree_holds(
    root: OfficeId,
    offices: &[Office],
    lines: &BTreeMap<OfficeId, usize>,
) -> Result<(), ProvinceError> {
    let stated = offices.iter().map(|office| (office.id, office.parent)).collect();
    let mut problems = Vec::new();
    Tree::plant(root, &stated, &mut problems);
    let Some(problem) = problems.into_iter().next() else {
        return Ok(());
    };
    let office = match problem {
        Problem::UnknownParent { office, .. }
        | Problem::Cycle { office, .. }
        | Problem::TooDeep { office, .. } => office,
        _ => root,
    };
    Err(ProvinceError::Tree { line: lines.get(&office).copied().unwrap_or(1), problem })
}

/// Turns places in the text into lines, and entries into offices.
struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn line<T>(&self, value: &Spanned<T>) -> usize {
        self.line_at(value.span().start)
    }

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    fn shape(&self, error: &toml::de::Error) -> ProvinceError {
        let line = self.line_at(error.span().map_or(0, |span| span.start));
        ProvinceError::Shape { line, cause: error.message().trim().replace('\n', "; ") }
    }

    fn id(&self, field: &'static str, id: &Spanned<String>) -> Result<OfficeId, ProvinceError> {
        let parsed = id.get_ref().parse();
        parsed.map_err(|source| ProvinceError::Id { line: self.line(id), field, source })
    }

    fn office(&self, entry: OfficeEntry) -> Result<Office, ProvinceError> {
        let line = self.line(&entry.id);
        let check = |field, text: &str, expected, holds: fn(&str) -> bool| {
            let cut = || text.chars().take(64).collect();
            let wrong = || ProvinceError::Text { line, field, text: cut(), expected };
            if holds(text) { Ok(()) } else { Err(wrong()) }
        };
        check("name", &entry.name, "a name of 1 to 200 characters", is_name)?;
        check("tier", &entry.tier, "a label of 1 to 200 characters", is_name)?;
        let unit_code = entry.unit_code.code;
        check("unit_code", &unit_code, "1 to 32 of the characters A-Z 0-9 .", is_unit_code)?;
        for day in entry.codes.iter().flat_map(|code| [&code.valid_from, &code.valid_to]) {
            let Some(day) = day else { continue };
            check("codes", day, "a day such as 2017-06-05", is_day)?;
        }
        let id = self.id("id", &entry.id)?;
        let other =
            |field, id: Option<Spanned<String>>| id.map(|id| self.id(field, &id)).transpose();
        Ok(Office {
            name_en: entry.name_en,
            other_names: entry.other_names,
            kind: entry.kind,
            managed_by: other("managed_by", entry.managed_by)?,
            unit_code,
            codes: entry.codes,
            wave: entry.wave,
            ..Office::new(id, &entry.name, &entry.tier, other("parent", entry.parent)?)
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<i64>,
    federation: Federation,
    office: Vec<OfficeEntry>,
}

/// The fields that start with `_` belong to other readers of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Federation {
    name: String,
    #[serde(rename = "name_en")]
    _name_en: Option<String>,
    root: Spanned<String>,
    #[serde(rename = "unit_suffix")]
    _unit_suffix: Option<String>,
    #[serde(rename = "time_zone")]
    _time_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficeEntry {
    id: Spanned<String>,
    name: String,
    name_en: Option<String>,
    #[serde(default)]
    other_names: Vec<String>,
    tier: String,
    #[serde(default)]
    kind: String,
    parent: Option<Spanned<String>>,
    managed_by: Option<Spanned<String>>,
    unit_code: UnitCode,
    #[serde(default)]
    codes: Vec<OfficialCode>,
    wave: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitCode {
    code: String,
    #[serde(default, rename = "assumed")]
    _assumed: bool,
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_NAME_CHARS
}

fn is_unit_code(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || byte == b'.';
    (1..=32).contains(&text.len()) && text.bytes().all(known)
}

fn is_day(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return false;
    };
    shaped && (1..=days_of(year, month)).contains(&day)
}

fn days_of(year: u32, month: u32) -> u32 {
    let leaps = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leaps => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    }
}

const SCHEMA: i64 = 1;
const MAX_NAME_CHARS: usize = 200;

#[cfg(test)]
#[path = "province_tests.rs"]
mod tests;
