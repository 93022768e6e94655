//! Writes into a document, inside the closure of an edit.

use automerge::transaction::{Transactable, Transaction};
use automerge::{AutomergeError, ObjId, ObjType, ROOT as ROOT_ID, ReadDoc, ScalarValue};
use serde_json::Value;

use crate::limits::{MAX_DEPTH, MAX_KEY_BYTES, MAX_OPERATIONS, MAX_TEXT_CHARS};
use crate::path::{Step, spell, steps};
use crate::payload::{PayloadError, guard};
use crate::read;
use crate::rehearsal::Refusal;

/// Writes into a copy of a document; what it wrote becomes one payload.
///
/// A path leads through maps by key and through lists by position. Everything before its last
/// step must exist, except for [`Editor::ensure_map`] and [`Editor::ensure_list`]. Values are JSON
/// without fractions; strings are atomic. Writing what already stands there writes nothing.
/// Texts are taken as they come: bring them to Unicode NFC before.
pub struct Editor<'a> {
    transaction: Transaction<'a>,
}

impl<'a> Editor<'a> {
    pub(crate) fn new(transaction: Transaction<'a>) -> Editor<'a> {
        Editor { transaction }
    }

    /// Ends the edit; gives the transaction that holds what was written.
    pub(crate) fn finish(self) -> Transaction<'a> {
        self.transaction
    }

    /// Reads what stands at `path`, with what this edit wrote so far.
    pub fn get<'p, S: Copy + Into<Step<'p>>>(&self, path: &[S]) -> Option<Value> {
        guard(|| read::place(&self.transaction, &steps(path))).flatten()
    }

    /// Puts a value at `path`, in place of what stands there. At a position of a list there must
    /// be an entry already.
    pub fn put<'p, S: Copy + Into<Step<'p>>>(
        &mut self,
        path: &[S],
        value: impl Into<Value>,
    ) -> Result<(), EditError> {
        let value = value.into();
        self.at(&steps(path), |editor, spot| {
            let Spot { parent, step, path } = spot;
            if editor.stands(&parent, step, &value)? {
                return Ok(());
            }
            editor.room(operations(&value))?;
            editor.write(&Target::Put(parent, step), &value, path)
        })
    }

    /// Adds a value at the end of the list at `path`.
    pub fn append<'p, S: Copy + Into<Step<'p>>>(
        &mut self,
        path: &[S],
        value: impl Into<Value>,
    ) -> Result<(), EditError> {
        let value = value.into();
        let path = steps(path);
        self.guarded(|editor| {
            let list = editor.object(&path, ObjType::List)?;
            editor.room(operations(&value))?;
            let end = editor.transaction.length(&list);
            editor.write(&Target::Insert(list, end), &value, &path)
        })
    }

    /// Makes sure that there is a map at `path`, and maps all along the way to it. What stands
    /// there and is no map is an error, never replaced.
    pub fn ensure_map<'p, S: Copy + Into<Step<'p>>>(
        &mut self,
        path: &[S],
    ) -> Result<(), EditError> {
        let path = steps(path);
        self.guarded(|editor| editor.ensure(&path, ObjType::Map))
    }

    /// Makes sure that there is a list at `path`, and maps all along the way to it.
    pub fn ensure_list<'p, S: Copy + Into<Step<'p>>>(
        &mut self,
        path: &[S],
    ) -> Result<(), EditError> {
        let path = steps(path);
        self.guarded(|editor| editor.ensure(&path, ObjType::List))
    }

    /// Puts a mergeable text at `path`: edits of two offices at once are woven together. If a text
    /// stands there, only what differs is written. At most `MAX_TEXT_CHARS`; meant for free notes,
    /// never for legal text.
    pub fn put_text<'p, S: Copy + Into<Step<'p>>>(
        &mut self,
        path: &[S],
        text: &str,
    ) -> Result<(), EditError> {
        let chars = text.chars().count();
        if chars > MAX_TEXT_CHARS {
            return Err(EditError::TextTooLong { chars });
        }
        self.at(&steps(path), |editor, spot| {
            let Spot { parent, step, path } = spot;
            editor.room(chars as u64)?;
            let held = editor.transaction.get(&parent, step.prop()).ok().flatten();
            let id = match held {
                Some((automerge::Value::Object(ObjType::Text), id)) => id,
                _ => editor.make(&Target::Put(parent, step), ObjType::Text, path)?,
            };
            editor.transaction.update_text(&id, text).map_err(|error| refuse(&error, path))
        })
    }

    /// Deletes what stands at `path`. What is not there is deleted already.
    pub fn delete<'p, S: Copy + Into<Step<'p>>>(&mut self, path: &[S]) -> Result<(), EditError> {
        self.at(&steps(path), |editor, spot| {
            let Spot { parent, step, path } = spot;
            let held = editor.transaction.get(&parent, step.prop());
            if held.map_err(|error| refuse(&error, path))?.is_none() {
                return Ok(());
            }
            let done = editor.transaction.delete(&parent, step.prop());
            done.map_err(|error| refuse(&error, path))
        })
    }

    /// Finds the parent of a path and writes there.
    fn at<'s>(
        &mut self,
        path: &[Step<'s>],
        write: impl FnOnce(&mut Self, Spot<'_, 's>) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        self.guarded(|editor| {
            let (step, above) = path.split_last().ok_or(EditError::Root)?;
            let (parent, kind) = editor.resolve(above)?;
            match (step, kind) {
                (Step::Key(key), ObjType::Map) => check_key(key)?,
                (Step::Index(_), ObjType::List) => (),
                _ => return Err(EditError::WrongKind { path: spell(path) }),
            }
            write(editor, Spot { parent, step: *step, path })
        })
    }

    fn guarded(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        guard(|| work(self)).unwrap_or(Err(EditError::Panicked))
    }

    fn resolve(&self, path: &[Step<'_>]) -> Result<(ObjId, ObjType), EditError> {
        let mut found = (ROOT_ID, ObjType::Map);
        for (depth, step) in path.iter().enumerate() {
            let here = &path[..=depth];
            let held = self.transaction.get(&found.0, step.prop()).ok().flatten();
            found = match held {
                Some((automerge::Value::Object(kind), id)) => (id, kind),
                Some(_) => return Err(EditError::WrongKind { path: spell(here) }),
                None => return Err(EditError::Missing { path: spell(here) }),
            };
        }
        Ok(found)
    }

    fn object(&self, path: &[Step<'_>], wanted: ObjType) -> Result<ObjId, EditError> {
        match self.resolve(path)? {
            (id, kind) if kind == wanted => Ok(id),
            _ => Err(EditError::WrongKind { path: spell(path) }),
        }
    }

    fn ensure(&mut self, path: &[Step<'_>], wanted: ObjType) -> Result<(), EditError> {
        for end in 1..=path.len() {
            let here = &path[..end];
            let kind = if end == path.len() { wanted } else { ObjType::Map };
            match self.resolve(here) {
                Err(EditError::Missing { .. }) => self.ensure_one(here, kind)?,
                Err(error) => return Err(error),
                Ok((_, held)) if end == path.len() && held != wanted => {
                    return Err(EditError::WrongKind { path: spell(here) });
                }
                Ok(_) => (),
            }
        }
        Ok(())
    }

    fn ensure_one(&mut self, path: &[Step<'_>], kind: ObjType) -> Result<(), EditError> {
        self.at(path, |editor, spot| {
            editor.make(&Target::Put(spot.parent, spot.step), kind, spot.path).map(|_| ())
        })
    }

    /// Says whether exactly this value stands there, with no other one beside it.
    fn stands(&self, parent: &ObjId, step: Step<'_>, value: &Value) -> Result<bool, EditError> {
        let held = self.transaction.get_all(parent, step.prop());
        let held = held.map_err(|error| refuse(&error, &[step]))?;
        Ok(match held.as_slice() {
            [(automerge::Value::Object(ObjType::Text), _)] => false,
            [(automerge::Value::Object(kind), id)] => {
                !value.is_string() && read::object(&self.transaction, id, *kind, 0) == *value
            }
            [(automerge::Value::Scalar(held), _)] => read::scalar(held) == *value,
            _ => false,
        })
    }

    fn write(
        &mut self,
        target: &Target<'_>,
        value: &Value,
        path: &[Step<'_>],
    ) -> Result<(), EditError> {
        if path.len() > MAX_DEPTH {
            return Err(EditError::TooDeep { path: spell(path) });
        }
        match value {
            Value::Null => self.write_scalar(target, ScalarValue::Null, path),
            Value::Bool(truth) => self.write_scalar(target, (*truth).into(), path),
            Value::String(text) => self.write_scalar(target, text.as_str().into(), path),
            Value::Number(number) => {
                let number = number.as_i64();
                let number = number.ok_or_else(|| EditError::Number { path: spell(path) })?;
                self.write_scalar(target, number.into(), path)
            }
            Value::Object(map) => {
                let id = self.make(target, ObjType::Map, path)?;
                for (key, value) in map {
                    check_key(key)?;
                    let below = Target::Put(id.clone(), Step::Key(key));
                    self.write(&below, value, &deeper(path, Step::Key(key)))?;
                }
                Ok(())
            }
            Value::Array(entries) => {
                let id = self.make(target, ObjType::List, path)?;
                entries.iter().enumerate().try_for_each(|(index, value)| {
                    let below = Target::Insert(id.clone(), index);
                    self.write(&below, value, &deeper(path, Step::Index(index)))
                })
            }
        }
    }

    fn write_scalar(
        &mut self,
        target: &Target<'_>,
        value: ScalarValue,
        path: &[Step<'_>],
    ) -> Result<(), EditError> {
        let done = match target {
            Target::Put(id, step) => self.transaction.put(id, step.prop(), value),
            Target::Insert(id, index) => self.transaction.insert(id, *index, value),
        };
        done.map_err(|error| refuse(&error, path))
    }

    fn make(
        &mut self,
        target: &Target<'_>,
        kind: ObjType,
        path: &[Step<'_>],
    ) -> Result<ObjId, EditError> {
        let made = match target {
            Target::Put(id, step) => self.transaction.put_object(id, step.prop(), kind),
            Target::Insert(id, index) => self.transaction.insert_object(id, *index, kind),
        };
        made.map_err(|error| refuse(&error, path))
    }

    /// Stops an edit that would outgrow one payload before it grows.
    fn room(&self, coming: u64) -> Result<(), EditError> {
        let operations = self.transaction.pending_ops() as u64 + coming;
        if operations <= MAX_OPERATIONS { Ok(()) } else { Err(EditError::TooMany { operations }) }
    }
}

/// A place whose parent exists.
struct Spot<'p, 's> {
    parent: ObjId,
    step: Step<'s>,
    path: &'p [Step<'s>],
}

/// Where a value goes.
enum Target<'s> {
    Put(ObjId, Step<'s>),
    Insert(ObjId, usize),
}

/// Counts the operations that write a value.
fn operations(value: &Value) -> u64 {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(operations).sum::<u64>(),
        Value::Object(map) => 1 + map.values().map(operations).sum::<u64>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

fn deeper<'s>(path: &[Step<'s>], step: Step<'s>) -> Vec<Step<'s>> {
    let mut deeper = path.to_vec();
    deeper.push(step);
    deeper
}

fn check_key(key: &str) -> Result<(), EditError> {
    let bytes = key.len();
    let fits = (1..=MAX_KEY_BYTES).contains(&bytes);
    if fits { Ok(()) } else { Err(EditError::Key { bytes }) }
}

fn refuse(error: &AutomergeError, path: &[Step<'_>]) -> EditError {
    match error {
        AutomergeError::InvalidIndex(_) => EditError::Missing { path: spell(path) },
        _ => EditError::WrongKind { path: spell(path) },
    }
}

/// Why an edit came to nothing. The document is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The edit wrote nothing that was not there already; there is nothing to sign.
    #[error("edit changes nothing")]
    Nothing,
    /// The document itself cannot be put or deleted, only what is in it.
    #[error("edit replaces the whole document")]
    Root,
    /// Nothing stands at a place that the edit goes through; make it first.
    #[error("nothing stands at {path}")]
    Missing {
        /// The place.
        path: String,
    },
    /// Something else stands there than the edit expects: a key needs a map, a position a list.
    #[error("{path} does not fit what stands there")]
    WrongKind {
        /// The place.
        path: String,
    },
    /// A value is nested deeper than is ever read back.
    #[error("{path} lies more than {MAX_DEPTH} levels deep")]
    TooDeep {
        /// The place.
        path: String,
    },
    /// A key is empty or too long.
    #[error("key has {bytes} bytes, 1 to {MAX_KEY_BYTES} are allowed")]
    Key {
        /// The length of the key.
        bytes: usize,
    },
    /// A number has a fraction or does not fit 64 signed bits; write it as a string.
    #[error("number at {path} is not a whole number of 64 bits")]
    Number {
        /// The place.
        path: String,
    },
    /// A mergeable text is too long; write it as an atomic string.
    #[error("text has {chars} characters, the limit is {MAX_TEXT_CHARS}")]
    TextTooLong {
        /// The length of the text.
        chars: usize,
    },
    /// The edit needs more operations than one payload may hold; split it.
    #[error("edit has {operations} operations, the limit is {MAX_OPERATIONS}")]
    TooMany {
        /// The operations up to the one that does not fit.
        operations: u64,
    },
    /// The payload of the edit is over a limit; split it.
    #[error("edit is over a limit")]
    Payload(#[source] PayloadError),
    /// The payload of the edit did not survive its rehearsal; nothing was saved.
    #[error("edit did not survive its rehearsal")]
    Rehearsal(#[source] Refusal),
    /// Automerge panicked while the edit was written; nothing was saved.
    #[error("edit made automerge panic")]
    Panicked,
}

impl EditError {
    /// Gives a fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            EditError::Nothing => "edit-nothing",
            EditError::Root => "edit-root",
            EditError::Missing { .. } => "edit-missing",
            EditError::WrongKind { .. } => "edit-wrong-kind",
            EditError::TooDeep { .. } => "edit-too-deep",
            EditError::Key { .. } => "edit-key",
            EditError::Number { .. } => "edit-number",
            EditError::TextTooLong { .. } => "edit-text-too-long",
            EditError::TooMany { .. } => "edit-too-many",
            EditError::Payload(_) => "edit-payload",
            EditError::Rehearsal(_) => "edit-rehearsal",
            EditError::Panicked => "edit-panicked",
        }
    }

    /// Says what a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            EditError::Nothing => "nothing has to be done: the document says so already",
            EditError::Root | EditError::Missing { .. } | EditError::WrongKind { .. } => {
                "look at the document again: another office may have changed it"
            }
            EditError::TooDeep { .. } | EditError::Key { .. } | EditError::Number { .. } => {
                "correct the value and try again"
            }
            EditError::TextTooLong { .. } | EditError::TooMany { .. } | EditError::Payload(_) => {
                "split it into several smaller steps"
            }
            EditError::Rehearsal(_) | EditError::Panicked => {
                "nothing was saved; try again, and report it with the document's id if it stays"
            }
        }
    }
}
