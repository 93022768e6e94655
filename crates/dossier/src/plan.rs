//! Checks an act against the dossier before it is written.

use lienthong_document::{EditError, Editor};
use lienthong_protocol::{Moment, OfficeId};
use serde_json::{Value, json};
use thiserror::Error;

use crate::act::{Act, ActKind, Effect, NewAct, ReplyLetter};
use crate::authority::Stage;
use crate::check;
use crate::day::is_later;
use crate::detail::Detail;
use crate::dossier::Dossier;
use crate::fold::judge;
use crate::order::order;
use crate::receive::without_null;
use crate::reception::{NAME_CHARS, NOTE_CHARS};
use crate::records::{NotificationState, Records};
use crate::refusal::{Doubt, Form, Refusal, Words};
use crate::review::{MAX_CONFLICTS, contradicted};
use crate::status::{allows, target};

/// An act that may be written into the dossier it was planned for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAct {
    entry: Value,
    added: Option<OfficeId>,
}

/// Why an act may not be done now. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActRefusal {
    /// The rules do not allow it at this stage.
    #[error("{}", doubt.words(act).cause)]
    Rule {
        /// The act that was to be done.
        act: Box<Act>,
        /// The rule.
        doubt: Doubt,
    },
    /// Two acts are in conflict, and nothing is decided before somebody says which of them holds.
    #[error("acts {first} and {second} are in conflict")]
    Undecided {
        /// The id of the act that comes first.
        first: String,
        /// The id of the other.
        second: String,
    },
    /// A field is missing or cannot be right.
    #[error(transparent)]
    Field(#[from] Refusal),
}

impl ActRefusal {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ActRefusal::Rule { doubt, .. } => doubt.code(),
            ActRefusal::Undecided { .. } => "act-undecided",
            ActRefusal::Field(refusal) => refusal.code,
        }
    }

    /// The cause and what a person can do about it, in both languages.
    pub fn words(&self) -> Words {
        match self {
            ActRefusal::Rule { act, doubt } => doubt.words(act),
            ActRefusal::Undecided { first, second } => Words {
                cause: self.to_string(),
                remedy: format!("decide first: resolved, regards {first} or {second}"),
                cause_vi: format!("bước {first} và bước {second} mâu thuẫn nhau"),
                remedy_vi: format!(
                    "quyết định trước bằng resolved, chọn bước {first} hoặc {second} có hiệu lực"
                ),
            },
            ActRefusal::Field(refusal) => refusal.words.as_ref().clone(),
        }
    }
}

impl Dossier {
    /// Says whether an act may be done now, and makes it ready to be written.
    pub fn plan(&self, act: &NewAct, at: Moment) -> Result<PlannedAct, ActRefusal> {
        let mut act = check_act(act)?;
        if self.acts.iter().any(|known| known.id == act.id) {
            return Err(Refusal::form("id", FRESH_ID).into());
        }
        if act.kind == ActKind::Resolved && act.overrules.is_empty() {
            act.overrules = self.contradicted(act.regards.as_deref().unwrap_or_default());
        }
        self.check_new_due(&act, at)?;
        let entry = self.entry(&act, at);
        let planned = self.candidate(act, at);
        let refused = |doubt| ActRefusal::Rule { act: Box::new(planned.clone()), doubt };
        self.admit(&planned).map_err(refused)?;
        self.check_decided(&planned)?;
        Ok(PlannedAct { entry, added: planned.to_office })
    }

    /// The kinds of act that are open to an office now: what status, competence and undecided
    /// conflicts allow, and of those that are about another act the ones that find one. What an act
    /// says is judged when it is planned.
    pub fn open_to(&self, office: OfficeId) -> Vec<ActKind> {
        let stage = self.stage();
        let is_open = |kind: &ActKind| {
            let entitled = stage.entitled(*kind);
            allows(*kind, stage.status)
                && entitled.is_none_or(|entitled| entitled.contains(&office))
                && (!decides(*kind) || self.undecided().is_none())
                && self.has_subject(*kind, office)
        };
        ActKind::ALL.into_iter().filter(is_open).collect()
    }

    /// Says whether an act of a kind finds one to be about, if it has to be about one.
    fn has_subject(&self, kind: ActKind, office: OfficeId) -> bool {
        let Records { handovers, opinions, fees, notifications, .. } = &self.records;
        match kind {
            ActKind::Replied => self.standing.owed.values().any(|owing| *owing == office),
            ActKind::Taken => {
                handovers.iter().any(|given| given.taken_at.is_none() && given.receiver == office)
            }
            ActKind::OpinionFollowedUp | ActKind::OpinionReplied => {
                opinions.iter().any(|asked| asked.reply.is_none())
            }
            ActKind::Refunded => fees.iter().any(|paid| paid.refunded_vnd < paid.fee.amount_vnd),
            ActKind::Remitted => fees.iter().any(|paid| paid.remittance.is_none()),
            ActKind::NotificationSent | ActKind::NotificationFailed => {
                notifications.iter().any(|known| known.state == NotificationState::Queued)
            }
            ActKind::Resolved => self.undecided().is_some(),
            // The one that opened the dossier is never taken back.
            ActKind::Reversed => self.acts.iter().filter(|act| act.counts).count() > 1,
            _ => true,
        }
    }

    /// The acts that do not hold if one does.
    fn contradicted(&self, id: &str) -> Vec<String> {
        let mut acts = self.acts.clone();
        let past = order(&mut acts);
        let holds = acts.iter().position(|act| act.id == id);
        let fall = holds.map(|holds| contradicted(&acts, &past, holds)).unwrap_or_default();
        fall.into_iter().map(|at| acts[at].id.clone()).collect()
    }

    /// Whoever is told a day has that day before them, and an extension gives more time.
    fn check_new_due(&self, act: &NewAct, at: Moment) -> Result<(), Refusal> {
        check::ahead("due", act.due.as_deref(), at)?;
        let held = self.standing.due.as_deref().filter(|_| act.kind == ActKind::Extended);
        match act.due.as_deref().zip(held) {
            Some((new, held)) if !is_later(new, held) => Err(Refusal::not_later("due", held)),
            _ => Ok(()),
        }
    }

    fn admit(&self, act: &Act) -> Result<(), Doubt> {
        let stage = self.stage();
        match act.known_kind() {
            Some(ActKind::Reversed | ActKind::Resolved) => {
                let named = judge(&stage, &self.acts, act, |_| true)?;
                if act.kind == ActKind::Resolved.word() && !self.asks_about(&named) {
                    return Err(Doubt::NoSuchAct);
                }
            }
            Some(ActKind::NotificationQueued) => {
                stage.admit(act, false)?;
                self.check_notification(act)?;
            }
            Some(ActKind::Rated) => {
                stage.admit(act, false)?;
                self.check_officer(act)?;
            }
            _ => drop(stage.admit(act, false)?),
        }
        Ok(())
    }

    /// Says whether a decision for the first of some acts and against the others answers a
    /// question, and touches nothing else that counts.
    fn asks_about(&self, named: &[usize]) -> bool {
        let is_settled = |at: &usize| self.acts[*at].effect == Effect::Effective;
        let Some((holds, fall)) = named.split_first() else { return false };
        let contradicted = self.contradicted(&self.acts[*holds].id);
        let is_apart = |at: &usize| is_settled(at) && !contradicted.contains(&self.acts[*at].id);
        !named.iter().all(is_settled) && !fall.iter().any(is_apart)
    }

    /// Where the dossier stands after all its acts.
    fn stage(&self) -> Stage<'_> {
        Stage {
            reception: &self.reception,
            status: self.acts.iter().any(|act| act.counts).then_some(self.standing.status),
            standing: self.standing.clone(),
            records: self.records.clone(),
        }
    }

    /// Another office that queues the same at once is no fault; the same office knows better.
    fn check_notification(&self, act: &Act) -> Result<(), Doubt> {
        let event = act.regards.as_deref().unwrap_or_default();
        if !self.acts.iter().any(|known| known.id == event) {
            return Err(Doubt::NoSuchAct);
        }
        let Some(Detail::Notice(notice)) = &act.detail else { return Ok(()) };
        let mut known = self.records.notifications.iter();
        let same = known.find(|known| known.event == event && known.channel == notice.channel);
        match same {
            Some(known) if known.state != NotificationState::Failed => Err(Doubt::QueuedBefore),
            _ => Ok(()),
        }
    }

    fn check_officer(&self, act: &Act) -> Result<(), Doubt> {
        let Some(Detail::Rating(rating)) = &act.detail else { return Ok(()) };
        let acted = self.acts.iter().any(|known| known.officer == rating.officer);
        if acted { Ok(()) } else { Err(Doubt::NotAnOfficer) }
    }

    /// While acts are in conflict the applicant's business goes on, but nothing is decided.
    fn check_decided(&self, act: &Act) -> Result<(), ActRefusal> {
        match self.undecided().filter(|_| act.known_kind().is_some_and(decides)) {
            Some((first, second)) => {
                Err(ActRefusal::Undecided { first: first.to_owned(), second: second.to_owned() })
            }
            None => Ok(()),
        }
    }

    /// The first conflict about which nothing is decided.
    fn undecided(&self) -> Option<(&str, &str)> {
        self.standing.review.iter().find_map(|review| review.acts())
    }

    fn entry(&self, act: &NewAct, at: Moment) -> Value {
        let overrules = Some(&act.overrules).filter(|ids| !ids.is_empty()).map(|ids| ids.join(" "));
        without_null(json!({
            "id": act.id, "kind": act.kind, "office": act.office, "officer": act.officer,
            "at": at, "saw": frontier(&self.acts).join(" "),
            "from": self.standing.status.number(), "step": act.step, "note": act.note,
            "reason": act.reason, "due": act.due, "to_office": act.to_office,
            "regards": act.regards, "overrules": overrules, "reply": act.reply,
            "detail": act.detail,
        }))
    }

    /// The act as it would stand in the dossier.
    fn candidate(&self, act: NewAct, at: Moment) -> Act {
        Act {
            id: act.id,
            kind: act.kind.word().to_owned(),
            office: act.office,
            signer: None,
            officer: act.officer,
            at,
            saw: Vec::new(),
            from: Some(self.standing.status.number()),
            effect: Effect::Effective,
            counts: false,
            doubt: None,
            step: act.step,
            note: act.note,
            reason: act.reason,
            due: act.due,
            to_office: act.to_office,
            regards: act.regards,
            overrules: act.overrules,
            reply: act.reply,
            detail: act.detail,
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

fn check_act(act: &NewAct) -> Result<NewAct, Refusal> {
    let id = check::formed("id", Some(&act.id), FRESH_ID, is_act_id)?;
    let reply = act.reply.as_ref().map(check_reply).transpose()?;
    if act.overrules.len() > MAX_CONFLICTS {
        return Err(Refusal::too_many("overrules", act.overrules.len(), MAX_CONFLICTS));
    }
    let overrules = act.overrules.iter().map(|id| check::text("overrules", id, NAME_CHARS));
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
        overrules: overrules.collect::<Result<_, _>>()?,
        reply,
        detail: act.detail.as_ref().map(Detail::check).transpose()?,
    };
    if let Some(field) = checked.kind.missing(&checked) {
        return Err(Refusal::missing(field));
    }
    match checked.detail.as_ref().map(Detail::name) {
        Some(name) if !checked.kind.takes_detail(name) => {
            Err(Refusal::form(&format!("detail.{name}"), OWN_DETAIL))
        }
        _ => Ok(checked),
    }
}

fn check_reply(reply: &ReplyLetter) -> Result<ReplyLetter, Refusal> {
    let date = check::day("reply.date", Some(&reply.date))?;
    Ok(ReplyLetter {
        number: check::text("reply.number", &reply.number, NAME_CHARS)?,
        date: date.ok_or_else(|| Refusal::missing("reply.date"))?,
        signer: check::text("reply.signer", &reply.signer, NAME_CHARS)?,
        file: check::maybe("reply.file", reply.file.as_deref(), NAME_CHARS)?,
    })
}

/// Says whether an act of a kind decides something that the applicant does not.
fn decides(kind: ActKind) -> bool {
    use ActKind::{Paid, Supplied, Transferred, Withdrawn};
    let by_applicant = matches!(kind, Supplied | Paid | Withdrawn);
    target(kind).is_some() && !by_applicant || kind == Transferred
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
const OWN_DETAIL: Form = Form {
    code: "wrong-detail",
    english: "what an act of this kind can carry",
    vietnamese: "thông tin mà việc loại này có thể kèm theo",
};
