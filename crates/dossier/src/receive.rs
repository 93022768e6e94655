//! Writes the first state of a dossier.

use lienthong_document::{EditError, Editor};
use lienthong_protocol::Moment;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::act::ActKind;
use crate::check;
use crate::clock::minute_moment;
use crate::code::Code;
use crate::reception::{NAME_CHARS, Reception};
use crate::refusal::Refusal;

/// How a dossier is opened: the first act and the code that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    code: Code,
    act: String,
    kind: ActKind,
    officer: String,
    at: Moment,
}

impl Opening {
    /// The counter takes the dossier in: status 2. `act` is the id of the act, as in
    /// [`crate::NewAct::id`].
    pub fn received(code: Code, act: &str, officer: &str, at: Moment) -> Opening {
        let (act, officer) = (act.to_owned(), officer.to_owned());
        Opening { code, act, kind: ActKind::Received, officer, at }
    }

    /// The dossier came through the portal or by post and nobody looked at it yet: status 1.
    pub fn registered(code: Code, act: &str, officer: &str, at: Moment) -> Opening {
        Opening { kind: ActKind::Registered, ..Opening::received(code, act, officer, at) }
    }
}

/// The officer who takes a dossier in, as it is stored: NFC, not empty, at most 200 characters.
pub fn receiving_officer(officer: &str) -> Result<String, Refusal> {
    check::text("officer", officer, NAME_CHARS)
}

/// Writes the whole skeleton of a dossier into an empty document, in the name of the receiving
/// office. The reception is one that [`Reception::check`] gave.
///
/// The list that later acts of several offices add to is made here, once: two lists made at once
/// would hide each other.
pub fn receive(
    editor: &mut Editor<'_>,
    reception: &Reception,
    opening: &Opening,
) -> Result<(), EditError> {
    let Opening { code, act, kind, officer, at } = opening;
    editor.put(&["identity"], identity(reception, code))?;
    editor.put(&["applicant"], written("applicant", &reception.applicant)?)?;
    if let Some(submitter) = &reception.submitter {
        editor.put(&["submitter"], written("submitter", submitter)?)?;
    }
    editor.put(&["offices"], written("offices", &reception.offices)?)?;
    editor.put(&["times"], times(reception, *kind, *at))?;
    editor.put(&["components"], written("components", &reception.components)?)?;
    let office = reception.offices.receiving;
    let first = json!({ "id": act, "kind": kind, "office": office, "officer": officer, "at": at });
    editor.put(&["acts"], json!([first]))?;
    match &reception.note {
        Some(note) => editor.put_text(&["note"], note),
        None => Ok(()),
    }
}

/// What is known of its times: moments where something happened, texts where it is to happen.
fn times(reception: &Reception, kind: ActKind, at: Moment) -> Value {
    let (received, registered) = match kind {
        ActKind::Registered => (None, Some(at)),
        _ => (Some(at), None),
    };
    let submitted = reception.submitted.as_deref().and_then(minute_moment).or(registered);
    without_null(json!({
        "submitted": submitted,
        "accept_by": reception.accept_by,
        "received": received,
        "due": reception.due,
        "dues": reception.dues,
    }))
}

fn identity(reception: &Reception, code: &Code) -> Value {
    without_null(json!({
        "code": code,
        "parent_code": reception.parent_code,
        "procedure": reception.procedure,
        "version": reception.version,
        "case": reception.case,
        "field": reception.field,
        "channel": reception.channel as u8,
        "return": reception.return_by as u8,
    }))
}

fn written(place: &str, part: &impl Serialize) -> Result<Value, EditError> {
    let written = serde_json::to_value(part);
    written.map_err(|_| EditError::WrongKind { path: format!("/{place}") })
}

/// Leaves out what is not known: every key costs bytes in every copy of the change.
pub(crate) fn without_null(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>(),
        ),
        other => other,
    }
}
