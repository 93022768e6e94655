//! One business step in a dossier.

use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};

use crate::fold::Effect;
use crate::status::{self, Status};

/// What an act does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActKind {
    /// The applicant applied, through the portal or by post.
    Registered,
    /// An office took the dossier in.
    Received,
    /// An office did not take it in.
    Refused,
    /// Work began.
    InProcess,
    /// The applicant was asked to add something.
    SupplementAsked,
    /// The applicant added it.
    Supplied,
    /// The applicant was asked to pay.
    PaymentAsked,
    /// The applicant paid.
    Paid,
    /// The applicant took the dossier back.
    Withdrawn,
    /// Work was stopped.
    Stopped,
    /// Work went on.
    Resumed,
    /// It was decided.
    Finished,
    /// The applicant got the result.
    Returned,
    /// It was handed over to another office, which holds it now.
    Transferred,
    /// Another office was asked for a written answer (liên thông).
    Consulted,
    /// An office answered in writing.
    Replied,
    /// Something was written down; nothing changes.
    Noted,
    /// An earlier act was wrong and counts no longer.
    Reversed,
}

impl ActKind {
    /// Every kind.
    pub const ALL: [ActKind; 18] = [
        ActKind::Registered,
        ActKind::Received,
        ActKind::Refused,
        ActKind::InProcess,
        ActKind::SupplementAsked,
        ActKind::Supplied,
        ActKind::PaymentAsked,
        ActKind::Paid,
        ActKind::Withdrawn,
        ActKind::Stopped,
        ActKind::Resumed,
        ActKind::Finished,
        ActKind::Returned,
        ActKind::Transferred,
        ActKind::Consulted,
        ActKind::Replied,
        ActKind::Noted,
        ActKind::Reversed,
    ];

    /// The word for it in documents, JSON and commands.
    pub fn word(self) -> &'static str {
        match self {
            ActKind::Registered => "registered",
            ActKind::Received => "received",
            ActKind::Refused => "refused",
            ActKind::InProcess => "in-process",
            ActKind::SupplementAsked => "supplement-asked",
            ActKind::Supplied => "supplied",
            ActKind::PaymentAsked => "payment-asked",
            ActKind::Paid => "paid",
            ActKind::Withdrawn => "withdrawn",
            ActKind::Stopped => "stopped",
            ActKind::Resumed => "resumed",
            ActKind::Finished => "finished",
            ActKind::Returned => "returned",
            ActKind::Transferred => "transferred",
            ActKind::Consulted => "consulted",
            ActKind::Replied => "replied",
            ActKind::Noted => "noted",
            ActKind::Reversed => "reversed",
        }
    }

    /// The kind of a word; none for a word that this version does not know.
    pub fn of(word: &str) -> Option<ActKind> {
        ActKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Says whether it may come after a final status: a late reply, a note, a correction.
    pub(crate) fn is_allowed_after_end(self) -> bool {
        matches!(self, ActKind::Replied | ActKind::Noted | ActKind::Reversed)
    }

    /// Says whether the law wants to know why.
    pub(crate) fn needs_reason(self) -> bool {
        matches!(
            self,
            ActKind::Refused | ActKind::SupplementAsked | ActKind::Stopped | ActKind::Reversed
        )
    }

    /// Says whether it is addressed to another office.
    pub(crate) fn needs_to_office(self) -> bool {
        matches!(self, ActKind::Transferred | ActKind::Consulted)
    }

    /// Says whether it speaks about an earlier act.
    pub(crate) fn needs_regards(self) -> bool {
        matches!(self, ActKind::Replied | ActKind::Reversed)
    }
}

/// An act that somebody wants to do; [`crate::Dossier::plan`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAct {
    /// A name that no other act has, without spaces, such as `author-incarnation-seq`.
    pub id: String,
    /// What it does.
    pub kind: ActKind,
    /// The office that acts.
    pub office: OfficeId,
    /// Who acts there.
    pub officer: String,
    /// The step of the procedure that it belongs to.
    #[serde(default)]
    pub step: Option<String>,
    /// Free words.
    #[serde(default)]
    pub note: Option<String>,
    /// Why; refusals, supplements, stops and corrections need it.
    #[serde(default)]
    pub reason: Option<String>,
    /// The new due of the dossier, or of the answer when an office is consulted.
    #[serde(default)]
    pub due: Option<String>,
    /// Whom it is handed over to, or who is asked.
    #[serde(default)]
    pub to_office: Option<OfficeId>,
    /// The id of the act that it answers or reverses.
    #[serde(default)]
    pub regards: Option<String>,
    /// The letter that answers.
    #[serde(default)]
    pub reply: Option<ReplyLetter>,
}

impl NewAct {
    /// An act with nothing but what every act has.
    pub fn new(id: &str, kind: ActKind, office: OfficeId, officer: &str) -> NewAct {
        NewAct {
            id: id.to_owned(),
            kind,
            office,
            officer: officer.to_owned(),
            step: None,
            note: None,
            reason: None,
            due: None,
            to_office: None,
            regards: None,
            reply: None,
        }
    }
}

/// A written answer of an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyLetter {
    /// The number of the letter.
    pub number: String,
    /// Its day, as `YYYY-MM-DD`.
    pub date: String,
    /// Who signed it.
    pub signer: String,
}

/// An act as the dossier holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// Its name.
    pub id: String,
    /// What it does; a word of a later version is kept and moves nothing.
    pub kind: String,
    /// The office that acted.
    pub office: OfficeId,
    /// Who acted there.
    pub officer: String,
    /// When the office says that it acted.
    pub at: Moment,
    /// The acts that it directly came after; what those saw it saw too.
    pub saw: Vec<String>,
    /// The portal number of the status that it moved from, as the office saw it.
    pub from: Option<u8>,
    /// What became of it.
    pub effect: Effect,
    /// The step of the procedure that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Free words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The due that it sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Whom it was handed over to, or who was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_office: Option<OfficeId>,
    /// The id of the act that it answers or reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regards: Option<String>,
    /// The letter that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyLetter>,
}

impl Act {
    /// What it does; none for a word that this version does not know.
    pub fn known_kind(&self) -> Option<ActKind> {
        ActKind::of(&self.kind)
    }

    /// The status that it moves to; none if it moves nothing.
    pub fn target(&self) -> Option<Status> {
        self.known_kind().and_then(status::target)
    }
}
