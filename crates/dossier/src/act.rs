//! One business step in a dossier.

use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};

use crate::detail::{Detail, Intake};
use crate::refusal::Doubt;
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
    /// The applicant paid what was asked.
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
    /// The office that it was handed over to has it in its hands.
    Taken,
    /// Another office was asked for a written answer by a day (liên thông).
    Consulted,
    /// An office answered in writing.
    Replied,
    /// A ministry or another body outside was asked for its opinion.
    OpinionAsked,
    /// It was reminded.
    OpinionFollowedUp,
    /// It answered.
    OpinionReplied,
    /// The dossier is late: an apology with the reason and the new due.
    Extended,
    /// The due was computed again after the calendar changed, and the applicant told.
    Recomputed,
    /// A paper that the applicant gets was signed.
    ResultIssued,
    /// A fee was paid against a receipt.
    FeePaid,
    /// A part of a fee, or all of it, was paid back.
    Refunded,
    /// A fee was passed on to the Treasury.
    Remitted,
    /// The post took, brought or returned something.
    Posted,
    /// The applicant rated an officer.
    Rated,
    /// The applicant is to be told of an act.
    NotificationQueued,
    /// The applicant was told.
    NotificationSent,
    /// The applicant could not be told.
    NotificationFailed,
    /// Something was written down; nothing changes.
    Noted,
    /// An earlier act was wrong and counts no longer.
    Reversed,
    /// The entitled office decided which of several acts holds.
    Resolved,
}

impl ActKind {
    /// Every kind.
    pub const ALL: [ActKind; WORDS.len()] = {
        let mut all = [ActKind::Noted; WORDS.len()];
        let mut at = 0;
        while at < WORDS.len() {
            all[at] = WORDS[at].0;
            at += 1;
        }
        all
    };

    /// The word for it in documents, JSON and commands.
    pub fn word(self) -> &'static str {
        self.words().0
    }

    /// The name for people, in Vietnamese.
    pub fn name_vi(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        let found = WORDS.iter().find(|(kind, ..)| *kind == self);
        found.map_or(("", ""), |(_, word, name_vi)| (word, name_vi))
    }

    /// The kind of a word; none for a word that this version does not know.
    pub fn of(word: &str) -> Option<ActKind> {
        WORDS.iter().find(|(_, known, _)| *known == word).map(|(kind, ..)| *kind)
    }

    /// Says whether it may come after a final status: what arrives late, money and paper that
    /// still move, what the applicant says, and corrections.
    pub(crate) fn is_allowed_after_end(self) -> bool {
        use ActKind::{
            FeePaid, Noted, NotificationFailed, NotificationQueued, NotificationSent,
            OpinionReplied, Posted, Rated, Refunded, Remitted, Replied, Resolved, Reversed, Taken,
        };
        matches!(
            self,
            Replied
                | OpinionReplied
                | Taken
                | FeePaid
                | Refunded
                | Remitted
                | Posted
                | Rated
                | NotificationQueued
                | NotificationSent
                | NotificationFailed
                | Noted
                | Reversed
                | Resolved
        )
    }

    /// The field that the law wants filled in and that is not, as a path.
    pub(crate) fn missing(self, act: &NewAct) -> Option<&'static str> {
        use ActKind::{
            Consulted, Extended, Recomputed, Refunded, Refused, Replied, Resolved, Reversed,
            Stopped, SupplementAsked,
        };
        let explained =
            [Refused, SupplementAsked, Stopped, Extended, Recomputed, Refunded, Reversed, Resolved];
        let due = [Consulted, Extended, Recomputed];
        let needs = [
            ("reason", explained.contains(&self) && act.reason.is_none()),
            ("note", self == Consulted && act.note.is_none()),
            ("due", due.contains(&self) && act.due.is_none()),
            ("to_office", self.needs_to_office() && act.to_office.is_none()),
            ("regards", self.needs_regards() && act.regards.is_none()),
            ("reply", matches!(self, Replied | ActKind::OpinionReplied) && act.reply.is_none()),
            (self.detail().unwrap_or_default(), self.detail().is_some() && act.detail.is_none()),
        ];
        needs.into_iter().find(|(_, missing)| *missing).map(|(field, _)| field)
    }

    /// Says whether it is addressed to another office.
    pub(crate) fn needs_to_office(self) -> bool {
        matches!(self, ActKind::Transferred | ActKind::Consulted)
    }

    /// Says whether it speaks about an earlier act.
    pub(crate) fn needs_regards(self) -> bool {
        use ActKind::{
            NotificationFailed, NotificationQueued, NotificationSent, OpinionFollowedUp,
            OpinionReplied, Refunded, Remitted, Replied, Resolved, Reversed, Taken,
        };
        matches!(
            self,
            Replied
                | Taken
                | OpinionFollowedUp
                | OpinionReplied
                | Refunded
                | Remitted
                | NotificationQueued
                | NotificationSent
                | NotificationFailed
                | Reversed
                | Resolved
        )
    }

    /// The name of the detail that it must carry; none if it needs none.
    pub(crate) fn detail(self) -> Option<&'static str> {
        match self {
            ActKind::ResultIssued => Some("result"),
            ActKind::FeePaid => Some("fee"),
            ActKind::Refunded => Some("refund"),
            ActKind::Remitted => Some("remittance"),
            ActKind::Posted => Some("leg"),
            ActKind::Rated => Some("rating"),
            ActKind::NotificationQueued => Some("notice"),
            ActKind::OpinionAsked => Some("opinion"),
            _ => None,
        }
    }

    /// Says whether it may carry a detail of this name.
    pub(crate) fn takes_detail(self, name: &str) -> bool {
        let optional = match self {
            ActKind::Finished => Some("result"),
            ActKind::Paid => Some("fee"),
            ActKind::Returned => Some("leg"),
            ActKind::Received | ActKind::Supplied | ActKind::Resumed => Some("intake"),
            ActKind::NotificationSent | ActKind::NotificationFailed => Some("delivery"),
            _ => self.detail(),
        };
        optional == Some(name)
    }

    /// Says whether it takes in a dossier that was only registered.
    pub(crate) fn takes_in(self) -> bool {
        matches!(status::target(self), Some(Status::Received | Status::InProcess))
    }

    /// Says whether its due becomes the due of the dossier; that of the answer to an opinion does
    /// if the clock stood still for it. The due of another act is that of an answer, of a step, or
    /// of the applicant.
    pub(crate) fn sets_due(self) -> bool {
        use ActKind::{Extended, Paid, Received, Recomputed, Resumed, Supplied};
        matches!(self, Received | Supplied | Paid | Resumed | Extended | Recomputed)
    }
}

/// Every kind with its word and its Vietnamese name.
const WORDS: [(ActKind, &str, &str); 34] = [
    (ActKind::Registered, "registered", "đăng ký"),
    (ActKind::Received, "received", "tiếp nhận"),
    (ActKind::Refused, "refused", "không tiếp nhận"),
    (ActKind::InProcess, "in-process", "xử lý"),
    (ActKind::SupplementAsked, "supplement-asked", "yêu cầu bổ sung"),
    (ActKind::Supplied, "supplied", "đã bổ sung"),
    (ActKind::PaymentAsked, "payment-asked", "yêu cầu nộp tiền"),
    (ActKind::Paid, "paid", "đã nộp tiền"),
    (ActKind::Withdrawn, "withdrawn", "rút hồ sơ"),
    (ActKind::Stopped, "stopped", "dừng xử lý"),
    (ActKind::Resumed, "resumed", "xử lý tiếp"),
    (ActKind::Finished, "finished", "xử lý xong"),
    (ActKind::Returned, "returned", "trả kết quả"),
    (ActKind::Transferred, "transferred", "chuyển"),
    (ActKind::Taken, "taken", "nhận bàn giao"),
    (ActKind::Consulted, "consulted", "lấy ý kiến"),
    (ActKind::Replied, "replied", "trả lời"),
    (ActKind::OpinionAsked, "opinion-asked", "hỏi ý kiến bộ, ngành"),
    (ActKind::OpinionFollowedUp, "opinion-followed-up", "đôn đốc bộ, ngành"),
    (ActKind::OpinionReplied, "opinion-replied", "bộ, ngành trả lời"),
    (ActKind::Extended, "extended", "xin lỗi và hẹn lại"),
    (ActKind::Recomputed, "recomputed", "tính lại ngày hẹn trả"),
    (ActKind::ResultIssued, "result-issued", "ban hành kết quả"),
    (ActKind::FeePaid, "fee-paid", "nộp phí, lệ phí"),
    (ActKind::Refunded, "refunded", "hoàn phí"),
    (ActKind::Remitted, "remitted", "nộp kho bạc"),
    (ActKind::Posted, "posted", "bưu chính"),
    (ActKind::Rated, "rated", "đánh giá cán bộ"),
    (ActKind::NotificationQueued, "notification-queued", "chờ gửi thông báo"),
    (ActKind::NotificationSent, "notification-sent", "đã gửi thông báo"),
    (ActKind::NotificationFailed, "notification-failed", "gửi thông báo không được"),
    (ActKind::Noted, "noted", "ghi chú"),
    (ActKind::Reversed, "reversed", "hủy việc trước"),
    (ActKind::Resolved, "resolved", "quyết định việc nào có hiệu lực"),
];

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
    /// Free words; the question, when an office is consulted.
    #[serde(default)]
    pub note: Option<String>,
    /// Why; whatever turns an applicant down, keeps one waiting or corrects needs it.
    #[serde(default)]
    pub reason: Option<String>,
    /// The new due of the dossier, the due of an answer when an office is consulted, or the day
    /// by which the applicant has to act.
    #[serde(default)]
    pub due: Option<String>,
    /// Whom it is handed over to, or who is asked.
    #[serde(default)]
    pub to_office: Option<OfficeId>,
    /// The id of the act that it answers, takes, reverses, or lets hold.
    #[serde(default)]
    pub regards: Option<String>,
    /// The ids of the acts that do not hold, for [`ActKind::Resolved`]. Default: all that are in
    /// conflict with the one that does; at most 100.
    #[serde(default)]
    pub overrules: Vec<String>,
    /// The letter that answers.
    #[serde(default)]
    pub reply: Option<ReplyLetter>,
    /// What only acts of its kind have.
    #[serde(default)]
    pub detail: Option<Detail>,
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
            overrules: Vec::new(),
            reply: None,
            detail: None,
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
    /// Under which name its scan is kept; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It counts.
    Effective,
    /// It is kept and does not count; [`Act::doubt`] says why.
    Unconfirmed,
    /// It and another act exclude each other, and a person has to decide.
    Conflicting,
    /// It was taken back by a later act.
    Reversed,
    /// The entitled office decided that another act holds.
    Overruled,
}

/// An act as the dossier holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// Its name.
    pub id: String,
    /// What it does; a word of a later version is kept and moves nothing.
    pub kind: String,
    /// The office that acted, as the act says.
    pub office: OfficeId,
    /// The office whose node signed it; none for an act that is not signed yet.
    #[serde(skip)]
    pub signer: Option<OfficeId>,
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
    /// Whether the standing rests on it; of acts in conflict the earliest that may be counts until
    /// somebody decides.
    pub counts: bool,
    /// Why it does not count, where neither a correction nor a decision is the reason.
    #[serde(skip)]
    pub doubt: Option<Doubt>,
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
    /// The id of the act that it answers, takes, reverses, or lets hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regards: Option<String>,
    /// The ids of the acts that do not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrules: Vec<String>,
    /// The letter that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyLetter>,
    /// What only acts of its kind have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
}

impl Act {
    /// What it does; none for a word that this version does not know.
    pub fn known_kind(&self) -> Option<ActKind> {
        ActKind::of(&self.kind)
    }

    /// The name of its kind in Vietnamese; the word itself if this version does not know it.
    pub fn name_vi(&self) -> &str {
        match self.known_kind() {
            Some(kind) => kind.name_vi(),
            None => &self.kind,
        }
    }

    /// Says whether it takes the dossier in, if it is the first that does: whoever goes on to work
    /// with what was only registered has taken it in.
    pub(crate) fn takes_in(&self) -> bool {
        self.counts && self.known_kind().is_some_and(ActKind::takes_in)
    }

    /// What it says about a dossier that it takes in.
    pub(crate) fn intake(&self) -> Option<&Intake> {
        match &self.detail {
            Some(Detail::Intake(intake)) => Some(intake),
            _ => None,
        }
    }

    /// The office that signed it, if it names another.
    pub(crate) fn foreign_signer(&self) -> Option<OfficeId> {
        self.signer.filter(|signer| *signer != self.office)
    }

    /// The status that it moves to; none if it moves nothing.
    pub fn target(&self) -> Option<Status> {
        self.known_kind().and_then(status::target)
    }
}
