//! Checks an act against the dossier before it is written.

use lienthong_document::{EditError, Editor};
use lienthong_protocol::{Moment, OfficeId};
use serde_json::{Value, json};
use thiserror::Error;

use crate::act::{Act, ActKind, NewAct, ReplyLetter};
use crate::check;
use crate::dossier::Dossier;
use crate::fold::Effect;
use crate::receive::without_null;
use crate::reception::{NAME_CHARS, NOTE_CHARS};
use crate::refusal::{Form, Refusal, Words};
use crate::status::{Status, allows};

/// An act that may be written into the dossier it was planned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAct {
    entry: Value,
    added: Option<OfficeId>,
}

/// Why an act may not be done now. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActRefusal {
    /// The dossier's status does not allow the act.
    #[error("a dossier that is {} cannot be {}", status.name(), kind.word())]
    Move {
        /// What was to be done.
        kind: ActKind,
        /// Where the dossier stands.
        status: Status,
    },
    /// The act that is answered or taken back is not in the dossier.
    #[error("the dossier has no act {id}")]
    NoSuchAct {
        /// The id that was given.
        id: String,
    },
    /// The act cannot be taken back: it opened the dossier, or it was taken back already.
    #[error("act {id} opened the dossier or was taken back already")]
    Fixed {
        /// The id that was given.
        id: String,
    },
    /// The office owes no answer to that act.
    #[error("office {office} owes no answer to act {id}")]
    NotAsked {
        /// The office that wants to answer.
        office: OfficeId,
        /// The id of the act that it wants to answer.
        id: String,
    },
    /// A field is missing or cannot be right.
    #[error(transparent)]
    Field(#[from] Refusal),
}

impl ActRefusal {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ActRefusal::Move { .. } => "act-not-allowed",
            ActRefusal::NoSuchAct { .. } => "no-such-act",
            ActRefusal::Fixed { .. } => "act-fixed",
            ActRefusal::NotAsked { .. } => "not-asked",
            ActRefusal::Field(refusal) => refusal.code,
        }
    }

    /// The cause and what a person can do about it, in both languages.
    pub fn words(&self) -> Words {
        let cause = self.to_string();
        match self {
            ActRefusal::Move { kind, status } => {
                let possible = possible(*status);
                Words {
                    cause,
                    remedy: format!("possible now: {possible}"),
                    cause_vi: format!(
                        "hồ sơ ở trạng thái \"{}\" không thực hiện được \"{}\"",
                        status.name_vi(),
                        kind.word()
                    ),
                    remedy_vi: format!("hiện có thể: {possible}"),
                }
            }
            ActRefusal::NoSuchAct { id } => Words::new(
                cause,
                "copy the id from the list of acts",
                format!("hồ sơ không có bước {id}"),
                "chép đúng mã bước trong danh sách",
            ),
            ActRefusal::Fixed { id } => Words::new(
                cause,
                "withdraw or stop the dossier instead, or write a note",
                format!("bước {id} là bước mở hồ sơ hoặc đã được đính chính"),
                "rút hoặc dừng hồ sơ, hoặc ghi chú",
            ),
            ActRefusal::NotAsked { office, id } => Words::new(
                cause,
                "name the act that asked this office, or write a note",
                format!("{office} không phải trả lời bước {id}"),
                "chọn đúng bước đã hỏi cơ quan này, hoặc ghi chú",
            ),
            ActRefusal::Field(refusal) => refusal.words.as_ref().clone(),
        }
    }
}

fn possible(status: Status) -> String {
    let kinds = ActKind::ALL.into_iter().filter(|kind| allows(*kind, Some(status)));
    kinds.map(ActKind::word).collect::<Vec<_>>().join(", ")
}

impl Dossier {
    /// Says whether an act may be done now, and makes it ready to be written.
    pub fn plan(&self, act: &NewAct, at: Moment) -> Result<PlannedAct, ActRefusal> {
        let act = check_texts(act)?;
        if self.acts.iter().any(|known| known.id == act.id) {
            return Err(Refusal::form("id", FRESH_ID).into());
        }
        let status = self.standing.status;
        if !allows(act.kind, Some(status)) {
            return Err(ActRefusal::Move { kind: act.kind, status });
        }
        self.check_regards(&act)?;
        let saw = frontier(&self.acts);
        let entry = json!({
            "id": act.id, "kind": act.kind, "office": act.office, "officer": act.officer,
            "at": at, "saw": saw.join(" "), "from": status.number(), "step": act.step,
            "note": act.note, "reason": act.reason, "due": act.due, "to_office": act.to_office,
            "regards": act.regards, "reply": act.reply,
        });
        Ok(PlannedAct { entry: without_null(entry), added: act.to_office })
    }

    fn check_regards(&self, act: &NewAct) -> Result<(), ActRefusal> {
        let Some(id) = act.regards.clone() else { return Ok(()) };
        let known = self.acts.iter().position(|known| known.id == id);
        let Some(position) = known else { return Err(ActRefusal::NoSuchAct { id }) };
        let was_reversed = self.acts[position].effect == Effect::Reversed;
        match act.kind {
            ActKind::Reversed if position == 0 || was_reversed => Err(ActRefusal::Fixed { id }),
            ActKind::Replied if self.standing.owed.get(&id) != Some(&act.office) => {
                Err(ActRefusal::NotAsked { office: act.office, id })
            }
            _ => Ok(()),
        }
    }
}

impl PlannedAct {
    /// Adds the act to the dossier's list.
    pub fn write(&self, editor: &mut Editor<'_>) -> Result<(), EditError> {
        editor.append(&["acts"], self.entry.clone())
    }

    /// The offices that the header of the change must add to the audience.
    pub fn offices_added(&self) -> Vec<OfficeId> {
        self.added.into_iter().collect()
    }
}

fn check_texts(act: &NewAct) -> Result<NewAct, Refusal> {
    let id = check::formed("id", Some(&act.id), FRESH_ID, is_act_id)?;
    let reply = act.reply.as_ref().map(check_reply).transpose()?;
    let checked = NewAct {
        id: id.ok_or_else(|| Refusal::missing("id"))?,
        kind: act.kind,
        office: act.office,
        officer: check::text("officer", &act.officer, NAME_CHARS)?,
        step: check::maybe("step", act.step.as_deref(), NAME_CHARS)?,
        note: check::maybe("note", act.note.as_deref(), NOTE_CHARS)?,
        reason: check::maybe("reason", act.reason.as_deref(), NOTE_CHARS)?,
        due: check::due("due", act.due.as_deref())?,
        to_office: act.to_office,
        regards: check::maybe("regards", act.regards.as_deref(), NAME_CHARS)?,
        reply,
    };
    let NewAct { kind, .. } = checked;
    let needs = [
        ("reason", kind.needs_reason() && checked.reason.is_none()),
        ("to_office", kind.needs_to_office() && checked.to_office.is_none()),
        ("regards", kind.needs_regards() && checked.regards.is_none()),
        ("reply", kind == ActKind::Replied && checked.reply.is_none()),
    ];
    let missing = needs.into_iter().find(|(_, missing)| *missing);
    missing.map_or(Ok(checked), |(field, _)| Err(Refusal::missing(field)))
}

fn check_reply(reply: &ReplyLetter) -> Result<ReplyLetter, Refusal> {
    let date = check::day("reply.date", Some(&reply.date))?;
    Ok(ReplyLetter {
        number: check::text("reply.number", &reply.number, NAME_CHARS)?,
        date: date.ok_or_else(|| Refusal::missing("reply.date"))?,
        signer: check::text("reply.signer", &reply.signer, NAME_CHARS)?,
    })
}

/// The acts that no other act saw: whoever saw them saw all.
fn frontier(acts: &[Act]) -> Vec<&str> {
    let seen: std::collections::BTreeSet<&str> =
        acts.iter().flat_map(|act| act.saw.iter().map(String::as_str)).collect();
    acts.iter().map(|act| act.id.as_str()).filter(|id| !seen.contains(id)).collect()
}

fn is_act_id(text: &str) -> bool {
    text.len() <= MAX_ACT_ID_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic())
}

const MAX_ACT_ID_BYTES: usize = 128;

const FRESH_ID: Form = Form {
    code: "not-a-fresh-id",
    english: "an id of up to 128 letters, digits and signs that no other act has",
    vietnamese: "mã bước gồm tối đa 128 chữ cái, chữ số và dấu, chưa dùng cho bước khác",
};
