//! A dossier as a plain value, read from its document.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_document::{Document, Entry, Written};
use lienthong_protocol::{Change, DocumentId, Moment, OfficeId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::act::{Act, Effect, ReplyLetter};
use crate::clock::Dues;
use crate::code::Code;
use crate::day::{is_due, local_minute};
use crate::detail::Detail;
use crate::fold::{Standing, fold};
use crate::json::mask_name;
use crate::reception::{Applicant, ApplicantKind, Channel, Offices, Reception};
use crate::reception::{ReturnBy, Submitter};
use crate::records::Records;
use crate::review::{MAX_CONFLICTS, Review};

/// A dossier with all its acts, folded. Equal documents give equal dossiers on every node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// The document that holds it.
    pub id: DocumentId,
    /// The heads of the document as hex, sorted.
    pub heads: Vec<String>,
    /// Its code.
    pub code: Code,
    /// What it was opened with; `due` is the original due, kept for ever. If it was only
    /// registered then, `version` and `dues` are those of the act that took it in.
    pub reception: Reception,
    /// Its acts in their order: each after all it saw.
    pub acts: Vec<Act>,
    /// What they add up to.
    pub standing: Standing,
    /// What they leave behind: requests, fees, results, hand-overs, pauses ...
    pub records: Records,
}

/// Why a document is not a dossier. Its changes stay; it is shown as unreadable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// It has no dossier code.
    #[error("document has no dossier code")]
    NoCode,
    /// It names no receiving office.
    #[error("document names no receiving office")]
    NoOffice,
}

/// One line of a list. The applicant is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The document that holds the dossier.
    pub id: DocumentIdText,
    /// Its code.
    pub code: Code,
    /// The code of its procedure.
    pub procedure: String,
    /// The portal number of its status.
    pub status: u8,
    /// The name of its status in English.
    pub status_name: &'static str,
    /// The masked name of the applicant.
    pub applicant: String,
    /// The due that holds now.
    pub due: Option<String>,
    /// The office that received it.
    pub receiving: OfficeId,
    /// The office that decides.
    pub competent: OfficeId,
    /// The office that holds it.
    pub holder: OfficeId,
    /// How many acts it has.
    pub acts: usize,
    /// How many questions a person has to decide.
    pub review: usize,
    /// When its first act was done, as that office says.
    pub opened_at: Moment,
    /// When the last of its acts was done, as that office says.
    pub changed_at: Moment,
}

/// A document id that JSON shows as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentIdText(pub DocumentId);

impl Serialize for DocumentIdText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Dossier {
    /// Reads the dossier that a document holds: the reception as it was opened and every act as
    /// its author wrote it, whatever others did to them later. What cannot be read is left out;
    /// acts that cannot be read are a matter of review.
    ///
    /// A document that was opened with [`Document::open_changes`] knows which office signed which
    /// act. One that names another office than its signer's never counts.
    pub fn read(id: DocumentId, document: &Document) -> Result<Dossier, ReadError> {
        Dossier::of_written(id, document.written(ACTS))
    }

    /// Reads the same from signed changes that were opened together before and were all taken
    /// then, faster by far; [`Written::of_changes`] says when that is not possible.
    ///
    /// [`Written::of_changes`]: lienthong_document::Written::of_changes
    pub fn of_taken<'a>(
        id: DocumentId,
        changes: impl IntoIterator<Item = &'a Change>,
    ) -> Option<Result<Dossier, ReadError>> {
        let written = Written::of_changes(changes, ACTS)?;
        Some(Dossier::of_written(id, written))
    }

    fn of_written(id: DocumentId, written: Written) -> Result<Dossier, ReadError> {
        let Written { opened, entries, heads } = written;
        let code = opened["identity"]["code"].as_str().and_then(|text| Code::parse(text).ok());
        let code = code.ok_or(ReadError::NoCode)?;
        let mut reception = read_reception(&opened)?;
        let altered = entries.iter().filter(|entry| entry.is_altered).count();
        let (mut acts, unreadable) = read_acts(&entries);
        let (mut standing, records) = fold(&mut acts, &reception);
        if let Some(intake) = acts.iter().find(|act| act.takes_in()).and_then(Act::intake) {
            reception.version = intake.version;
            reception.dues.clone_from(&intake.dues);
        }
        if altered > 0 {
            standing.review.push(Review::altered(altered));
        }
        if unreadable > 0 {
            standing.review.push(Review::Unreadable { entries: unreadable });
        }
        let heads = heads.iter().map(ToString::to_string).collect();
        Ok(Dossier { id, heads, code, reception, acts, standing, records })
    }

    /// The line that lists show.
    pub fn summary(&self) -> Summary {
        let Reception { procedure, offices, applicant, .. } = &self.reception;
        let Standing { status, due, holder, review, .. } = &self.standing;
        let times = self.acts.iter().map(|act| act.at);
        Summary {
            id: DocumentIdText(self.id),
            code: self.code.clone(),
            procedure: procedure.clone(),
            status: status.number(),
            status_name: status.name(),
            applicant: mask_name(applicant),
            due: due.clone(),
            receiving: offices.receiving,
            competent: offices.deciding(),
            holder: *holder,
            acts: self.acts.len(),
            review: review.len(),
            opened_at: self.acts.first().map(|act| act.at).unwrap_or_default(),
            changed_at: times.max().unwrap_or_default(),
        }
    }

    /// The offices that were asked on the way, from the start or by an act, by id.
    pub fn coordinating(&self) -> BTreeSet<OfficeId> {
        let asked = self.records.requests.iter().map(|request| request.agency);
        asked.chain(self.reception.offices.coordinating.iter().copied()).collect()
    }

    /// Says whether statistics count it as a filing of its own; the parts of a dossier (liên
    /// thông) are counted once, with their parent.
    pub fn is_filing(&self) -> bool {
        self.reception.parent_code.is_none()
    }
}

fn read_reception(value: &Value) -> Result<Reception, ReadError> {
    let identity = &value["identity"];
    let offices: Option<Offices> = part(&value["offices"], OFFICE_FIELDS);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let components = value["components"].as_array().into_iter().flatten();
    let name_only = || Applicant {
        name: text(&value["applicant"]["name"]).unwrap_or_default(),
        kind: ApplicantKind::Other,
        ..Applicant::default()
    };
    Ok(Reception {
        procedure: text(&identity["procedure"]).unwrap_or_default(),
        version: identity["version"].as_u64().and_then(|n| n.try_into().ok()).unwrap_or(1),
        case: text(&identity["case"]),
        field: text(&identity["field"]),
        parent_code: identity["parent_code"].as_str().and_then(|text| Code::parse(text).ok()),
        channel: match identity["channel"].as_u64() {
            Some(2) => Channel::Online,
            Some(3) => Channel::Post,
            _ => Channel::Counter,
        },
        return_by: match identity["return"].as_u64() {
            Some(1) => ReturnBy::Post,
            _ => ReturnBy::Counter,
        },
        offices: offices.ok_or(ReadError::NoOffice)?,
        applicant: part(&value["applicant"], APPLICANT_FIELDS).unwrap_or_else(name_only),
        submitter: part::<Submitter>(&value["submitter"], SUBMITTER_FIELDS),
        components: components.filter_map(|entry| part(entry, COMPONENT_FIELDS)).collect(),
        submitted: value["times"]["submitted"].as_u64().map(|at| local_minute(Moment(at))),
        accept_by: text(&value["times"]["accept_by"]).filter(|text| is_due(text)),
        due: text(&value["times"]["due"]),
        dues: part::<Dues>(&value["times"]["dues"], DUES_FIELDS),
        note: text(&value["note"]),
    })
}

/// Reads a part of a document by the fields that this version knows: JSON that people write must
/// not have others, documents of later versions may.
fn part<T: DeserializeOwned>(value: &Value, fields: &[&str]) -> Option<T> {
    let known = value.as_object()?.iter().filter(|(key, _)| fields.contains(&key.as_str()));
    let known: Map<String, Value> =
        known.map(|(key, value)| (key.clone(), value.clone())).collect();
    serde_json::from_value(Value::Object(known)).ok()
}

/// An entry of the list of acts.
#[derive(Deserialize)]
struct ActEntry {
    id: String,
    kind: String,
    office: OfficeId,
    #[serde(default)]
    officer: String,
    at: Moment,
    /// Ids with blanks between: one value costs less in every copy of a change than a list.
    #[serde(default)]
    saw: String,
    from: Option<u8>,
    step: Option<String>,
    note: Option<String>,
    reason: Option<String>,
    due: Option<String>,
    to_office: Option<OfficeId>,
    regards: Option<String>,
    /// As `saw`.
    #[serde(default)]
    overrules: String,
    reply: Option<Value>,
    detail: Option<Value>,
}

/// Reads the acts; says how many entries cannot be read. An id that was used before gets a
/// number, so that both acts are kept apart.
fn read_acts(entries: &[Entry]) -> (Vec<Act>, usize) {
    let (read, beyond) = entries.split_at(entries.len().min(MAX_ACTS));
    let mut unreadable = beyond.len();
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    let mut acts = Vec::with_capacity(read.len());
    for entry in read {
        let Ok(written) = ActEntry::deserialize(&entry.value) else {
            unreadable += 1;
            continue;
        };
        let mut act = Act { signer: entry.signer, ..act_of(written) };
        let given = act.id.clone();
        let mut copy = copies.get(&given).copied().unwrap_or(0);
        while copies.contains_key(&act.id) {
            copy += 1;
            act.id = format!("{given} {}", copy + 1);
        }
        copies.insert(given, copy);
        copies.entry(act.id.clone()).or_insert(0);
        acts.push(act);
    }
    (acts, unreadable)
}

fn act_of(entry: ActEntry) -> Act {
    Act {
        id: entry.id,
        kind: entry.kind,
        office: entry.office,
        signer: None,
        officer: entry.officer,
        at: entry.at,
        saw: ids(&entry.saw).collect(),
        from: entry.from,
        effect: Effect::Effective,
        counts: false,
        doubt: None,
        step: entry.step,
        note: entry.note,
        reason: entry.reason,
        due: entry.due,
        to_office: entry.to_office,
        regards: entry.regards,
        overrules: ids(&entry.overrules).take(MAX_CONFLICTS).collect(),
        reply: entry.reply.and_then(|reply| part::<ReplyLetter>(&reply, REPLY_FIELDS)),
        detail: entry.detail.as_ref().and_then(Detail::read),
    }
}

fn ids(joined: &str) -> impl Iterator<Item = String> {
    joined.split(' ').filter(|id| !id.is_empty()).map(str::to_owned)
}

/// The list of acts in a document.
const ACTS: &str = "acts";

/// The most acts that are read; later entries of the list are a matter of review. A real dossier
/// has some tens.
const MAX_ACTS: usize = 4_096;

const OFFICE_FIELDS: &[&str] = &["receiving", "competent", "coordinating", "returning", "shelf"];
const APPLICANT_FIELDS: &[&str] = &[
    "kind",
    "name",
    "id_kind",
    "id_number",
    "birth_date",
    "phone",
    "email",
    "address",
    "consents",
];
const SUBMITTER_FIELDS: &[&str] = &["name", "id_kind", "id_number", "phone", "authorisation"];
const COMPONENT_FIELDS: &[&str] =
    &["code", "name", "originals", "copies", "kept_on_paper", "digitised"];
const DUES_FIELDS: &[&str] = &["internal", "steps", "calendars"];
const REPLY_FIELDS: &[&str] = &["number", "date", "signer", "file"];

#[cfg(test)]
#[path = "dossier_tests.rs"]
mod tests;
