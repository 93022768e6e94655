//! Where something stands in a document.

use std::fmt;

use automerge::Prop;

/// The path of the document itself, a map.
pub const ROOT: &[&str] = &[];

/// One step on the way from the document to a value: into a map or into a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value under a key of a map.
    Key(&'a str),
    /// The entry of a list at a position, from 0.
    Index(usize),
}

impl Step<'_> {
    pub(crate) fn prop(self) -> Prop {
        match self {
            Step::Key(key) => Prop::from(key),
            Step::Index(index) => Prop::from(index),
        }
    }
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Step<'a> {
        Step::Key(key)
    }
}

impl<'a> From<&'a String> for Step<'a> {
    fn from(key: &'a String) -> Step<'a> {
        Step::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Key(key) => formatter.write_str(key),
            Step::Index(index) => write!(formatter, "{index}"),
        }
    }
}

/// Takes a path in whatever form its steps come.
pub(crate) fn steps<'a, S: Copy + Into<Step<'a>>>(path: &[S]) -> Vec<Step<'a>> {
    path.iter().map(|step| (*step).into()).collect()
}

/// Writes a path for an error: `/acts/0/note`.
pub(crate) fn spell(path: &[Step<'_>]) -> String {
    path.iter().map(|step| format!("/{step}")).collect()
}
