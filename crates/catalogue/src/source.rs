//! A TOML file on its way in: what is wrong with it is said with file, line, field and remedy.

use std::ops::Range;

use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// Why a file of published data was refused: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {field}: {cause}")]
pub struct SourceError {
    /// Name of the file as the person gave it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Path of the field, as in `days.off[3].date`; `file` if no field can be named.
    pub field: String,
    /// What is wrong, with the value and its limit.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl SourceError {
    /// The fixed word of this refusal.
    pub fn code(&self) -> &'static str {
        "source-invalid"
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

/// What is wrong with a value, wherever it was read from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {cause}")]
pub struct Fault {
    /// Path of the field, as in `days.off[3].date`.
    pub field: String,
    /// What is wrong, with the value and its limit.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault of the field at a path such as `days.off[3].date`.
    pub fn new(
        field: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), cause: cause.into(), remedy: remedy.into() }
    }

    /// The fixed word of this refusal.
    pub fn code(&self) -> &'static str {
        "published-invalid"
    }

    /// What to do about it.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

/// A TOML text whose fields can still be found by their path.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    file: &'a str,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
}

impl<'a> Source<'a> {
    /// Reads the syntax of a text; `file` is its name in errors. At most [`MAX_SOURCE_BYTES`].
    pub fn parse(file: &'a str, text: &'a str) -> Result<Self, SourceError> {
        if text.len() > MAX_SOURCE_BYTES {
            let cause = format!("has {} bytes, the limit is {MAX_SOURCE_BYTES}", text.len());
            return Err(whole_file(file, cause, "split the file"));
        }
        let root = DeTable::parse(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            let mut fault = whole_file(file, one_line(error.message()), SYNTAX_REMEDY);
            fault.line = line;
            fault
        })?;
        Ok(Self { file, text, root })
    }

    /// The typed value of the whole text; the error names the field that does not fit the type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        T::deserialize(Deserializer::from(self.root.clone())).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let field = self.field_at(&span);
            let cause = one_line(error.message());
            let remedy = remedy_of(&cause);
            let line = line_of(self.text, span.start);
            SourceError { file: self.file.to_owned(), line, field, cause, remedy: remedy.into() }
        })
    }

    /// Says on which line of this file a fault lies: that of the field, else of what holds it.
    pub fn locate(&self, fault: Fault) -> SourceError {
        let Fault { field, cause, remedy } = fault;
        let line = self.line_of(&field);
        SourceError { file: self.file.to_owned(), line, field, cause, remedy }
    }

    /// The line of the field at a path such as `days.off[3].date`; if the field is not there, of
    /// the nearest one that holds it.
    pub fn line_of(&self, path: &str) -> usize {
        let mut steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
        let Some((key, first)) = steps.next().and_then(|step| entry(self.root.get_ref(), step))
        else {
            return 1;
        };
        let (mut start, mut at) = (key, first);
        for step in steps {
            let next = match at.get_ref() {
                DeValue::Array(items) => step.parse().ok().and_then(|index: usize| {
                    items.get(index).map(|item| (item.span().start, item))
                }),
                DeValue::Table(table) => entry(table, step),
                _ => None,
            };
            let Some(found) = next else { break };
            (start, at) = found;
        }
        line_of(self.text, start)
    }

    /// The path of the innermost field whose key or value holds a span.
    fn field_at(&self, span: &Range<usize>) -> String {
        let mut path = String::new();
        // An error without a place, as for a field missing at the top, is about the file.
        let mut table = (!span.is_empty()).then_some(self.root.get_ref());
        while let Some((key, value)) = table.and_then(|table| holding(table, span)) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            table = inner_table(value, span, &mut path);
        }
        if path.is_empty() { WHOLE_FILE.to_owned() } else { path }
    }
}

fn entry<'t, 'a>(table: &'t DeTable<'a>, key: &str) -> Option<(usize, &'t Spanned<DeValue<'a>>)> {
    let found = table.iter().find(|(name, _)| name.get_ref() == key);
    found.map(|(name, value)| (name.span().start, value))
}

/// The entry whose key or value holds a span. Where tables are written in turns, several may seem
/// to; the shortest one does.
fn holding<'t, 'a>(
    table: &'t DeTable<'a>,
    span: &Range<usize>,
) -> Option<(&'t str, &'t Spanned<DeValue<'a>>)> {
    let length = |(name, value): &(&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let all = [Some(name.span()), extent(value)];
        all.into_iter().flatten().filter(|all| holds(all, span)).map(|all| all.len()).min()
    };
    let entries = table.iter().filter_map(|entry| Some((length(&entry)?, entry)));
    let (_, (name, value)) = entries.min_by_key(|(length, _)| *length)?;
    Some((name.get_ref().as_ref(), value))
}

/// Goes down through lists, writing `[n]`, to the table that holds the span.
fn inner_table<'t, 'a>(
    mut value: &'t Spanned<DeValue<'a>>,
    span: &Range<usize>,
    path: &mut String,
) -> Option<&'t DeTable<'a>> {
    while let DeValue::Array(items) = value.get_ref() {
        let is_holding =
            |item: &Spanned<DeValue<'_>>| extent(item).is_some_and(|all| holds(&all, span));
        let index = items.iter().position(is_holding)?;
        path.push_str(&format!("[{index}]"));
        value = items.get(index)?;
    }
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// All that belongs to a value: the span of a `[table]` is its header alone, so what it holds
/// counts too.
fn extent(value: &Spanned<DeValue<'_>>) -> Option<Range<usize>> {
    let own = value.span();
    let inner: Vec<Range<usize>> = match value.get_ref() {
        DeValue::Table(table) => table
            .iter()
            .flat_map(|(name, value)| [Some(name.span()), extent(value)])
            .flatten()
            .collect(),
        DeValue::Array(items) => items.iter().filter_map(extent).collect(),
        _ => Vec::new(),
    };
    let start = inner.iter().map(|span| span.start).chain([own.start]).min()?;
    let end = inner.iter().map(|span| span.end).chain([own.end]).max()?;
    Some(start..end)
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && !outer.is_empty()
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// A message may quote the whole value.
fn one_line(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_CAUSE_CHARS).collect()
}

fn whole_file(file: &str, cause: String, remedy: &str) -> SourceError {
    let (file, field) = (file.to_owned(), WHOLE_FILE.to_owned());
    SourceError { file, line: 1, field, cause, remedy: remedy.to_owned() }
}

/// The first words of a message of serde tell what kind of mistake it is.
fn remedy_of(cause: &str) -> &'static str {
    let known = [
        ("missing field", "add the field; config/README.md explains every field"),
        ("unknown field", "remove the field, or write one of the expected names"),
        ("unknown variant", "write one of the expected words"),
        (
            "invalid type",
            "write a value of the expected type; texts, days and hours stand in quotes",
        ),
        ("invalid value", "write a value in the expected range"),
    ];
    let found = known.into_iter().find(|(start, _)| cause.starts_with(start));
    found.map_or("mend the value; config/README.md explains every field", |(_, remedy)| remedy)
}

/// Longest text that is read, in bytes; a catalogue of 2,300 procedures has about 8 MB.
pub const MAX_SOURCE_BYTES: usize = 32 << 20;

const MAX_CAUSE_CHARS: usize = 300;
const WHOLE_FILE: &str = "file";
const SYNTAX_REMEDY: &str = "mend the TOML at this line; config/README.md shows the format";

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
