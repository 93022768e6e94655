//! The checks that run after every settle: they look at a dossier and change nothing.
//!
//! What only comes with time, such as an answer that is overdue, is told together with the moment
//! from which it holds: nobody has to look again because time passed.

use lienthong_catalogue::Procedure;
use lienthong_protocol::{Moment, OfficeId};
use serde::Serialize;

use crate::act::Act;
use crate::day::{begins, past_from};
use crate::detail::Detail;
use crate::dossier::Dossier;
use crate::reception::Channel;
use crate::status::Status;

/// Something about a dossier that cannot be right. It stops nothing: a person looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A fixed word for programs.
    pub code: &'static str,
    /// The act that it is about, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
    /// What is wrong and what to do, in English.
    pub words: String,
    /// The same in Vietnamese.
    pub words_vi: String,
    /// Who must look, where that is more than the office that holds the dossier.
    #[serde(rename = "for", skip_serializing_if = "Vec::is_empty")]
    pub addressees: Vec<Addressee>,
}

/// Who must look at a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum Addressee {
    /// The office that leads the dossier and asked.
    Lead {
        /// The office.
        office: OfficeId,
    },
    /// The head of the agency that was asked and is silent.
    Head {
        /// The agency.
        office: OfficeId,
    },
    /// The root office of the registry.
    Hub,
}

impl Addressee {
    /// The office, given the root office of the registry.
    pub fn office(self, hub: OfficeId) -> OfficeId {
        match self {
            Addressee::Lead { office } | Addressee::Head { office } => office,
            Addressee::Hub => hub,
        }
    }
}

/// A finding with the time in which it holds: some come, and some pass, by time alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// What is found.
    pub finding: Finding,
    /// From when; from ever if it does not come by time.
    pub from: Moment,
    /// Until when, exclusive; none if it does not pass by time.
    pub until: Option<Moment>,
}

impl Timed {
    /// Says whether it holds at a moment.
    pub fn holds(&self, now: Moment) -> bool {
        self.from <= now && !self.is_over(now)
    }

    /// Says whether time changes nothing about it.
    pub fn is_steady(&self) -> bool {
        self.from == Moment(0) && self.until.is_none()
    }

    fn is_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    fn steady(finding: Finding) -> Timed {
        Timed { finding, from: Moment(0), until: None }
    }

    fn since(from: Moment, finding: Finding) -> Timed {
        Timed { finding, from, until: None }
    }
}

/// Looks a dossier through at a moment. Without the procedure what depends on it is left out. At
/// most 200 findings; never fails, whatever the document holds.
pub fn checks(dossier: &Dossier, now: Moment, procedure: Option<&Procedure>) -> Vec<Finding> {
    let found = outlook(dossier, now, procedure).into_iter();
    found.filter(|timed| timed.holds(now)).map(|timed| timed.finding).collect()
}

/// What holds at a moment, and what comes after it by time alone if the dossier stays as it is.
/// Whoever keeps that need not look the dossier through again until it changes.
///
/// At most 200, those that hold first. The work grows with the acts, of which a dossier has at
/// most 4,096, and nothing here is tried again or waited for.
pub fn outlook(dossier: &Dossier, now: Moment, procedure: Option<&Procedure>) -> Vec<Timed> {
    let mut found: Vec<Timed> = Vec::new();
    found.extend(reception_date(dossier).map(Timed::steady));
    found.extend(finish_date(dossier).map(Timed::steady));
    found.extend(order_of_dates(dossier).map(Timed::steady));
    found.extend(accept_overdue(dossier));
    let channel = procedure.and_then(|procedure| channel(dossier, procedure));
    found.extend(channel.map(Timed::steady));
    found.extend(future_dates(dossier, now));
    found.extend(sent_twice(dossier).map(Timed::steady));
    found.extend(overdue_replies(dossier));
    found.retain(|timed| !timed.is_over(now));
    found.sort_by_key(|timed| !timed.holds(now));
    found.truncate(MAX_FINDINGS);
    found
}

fn reception_date(dossier: &Dossier) -> Option<Finding> {
    use Status::{Finished, InProcess, PaymentAsked, Received, Returned};
    let status = dossier.standing.status;
    let is_accepted = [Received, InProcess, PaymentAsked, Finished, Returned].contains(&status);
    let is_dated = dossier.records.times.received.is_some_and(|at| at > Moment(0));
    (is_accepted && !is_dated).then(|| Finding {
        code: "no-reception-date",
        act: None,
        words: "accepted without a date of reception: receive it again or correct the act".into(),
        words_vi: "đã tiếp nhận nhưng không có ngày tiếp nhận: tiếp nhận lại hoặc đính chính"
            .into(),
        addressees: Vec::new(),
    })
}

fn finish_date(dossier: &Dossier) -> Option<Finding> {
    let is_done = matches!(dossier.standing.status, Status::Finished | Status::Returned);
    let is_dated = dossier.records.times.finished.is_some_and(|at| at > Moment(0));
    (is_done && !is_dated).then(|| Finding {
        code: "no-finish-date",
        act: None,
        words: "finished without a date: correct the act that finished it".into(),
        words_vi: "đã xử lý xong nhưng không có ngày xong: đính chính việc xử lý xong".into(),
        addressees: Vec::new(),
    })
}

fn order_of_dates(dossier: &Dossier) -> Option<Finding> {
    let times = &dossier.records.times;
    let (received, finished) = times.received.zip(times.finished)?;
    (finished < received).then(|| Finding {
        code: "finish-before-reception",
        act: None,
        words: "finished before it was received: check the clocks of both offices".into(),
        words_vi: "ngày xử lý xong trước ngày tiếp nhận: kiểm tra đồng hồ của hai cơ quan".into(),
        addressees: Vec::new(),
    })
}

fn accept_overdue(dossier: &Dossier) -> Option<Timed> {
    let accept_by = dossier.reception.accept_by.as_deref()?;
    let from = past_from(accept_by).filter(|_| dossier.standing.status == Status::Registered)?;
    let finding = Finding {
        code: "accept-overdue",
        act: None,
        words: format!("nobody has looked at it since {accept_by}: take it in or refuse it"),
        words_vi: format!("quá hạn tiếp nhận {accept_by}: tiếp nhận hoặc từ chối tiếp nhận"),
        addressees: Vec::new(),
    };
    Some(Timed::since(from, finding))
}

fn channel(dossier: &Dossier, procedure: &Procedure) -> Option<Finding> {
    let channel = dossier.reception.channel;
    if procedure.channels.contains(&channel.in_catalogue()) {
        return None;
    }
    let (word, word_vi) = match channel {
        Channel::Counter => ("over the counter", "tại quầy"),
        Channel::Online => ("online", "trực tuyến"),
        Channel::Post => ("by post", "qua bưu chính"),
    };
    Some(Finding {
        code: "channel-not-offered",
        act: None,
        words: format!("came {word}, which {} does not offer: correct one of both", procedure.code),
        words_vi: format!(
            "nộp {word_vi}, thủ tục {} không có hình thức này: sửa hồ sơ hoặc danh mục",
            procedure.code
        ),
        addressees: Vec::new(),
    })
}

/// What is dated behind `now`; it is found until that time has come.
fn future_dates(dossier: &Dossier, now: Moment) -> impl Iterator<Item = Timed> {
    let until_there = |at: Moment| Moment(at.0.saturating_sub(TOLERANCE_MS));
    let acts = dossier.acts.iter().filter_map(move |act| {
        let named = dates(act).into_iter().flatten().filter_map(begins);
        let until = named.chain([until_there(act.at)]).max().filter(|until| *until > now)?;
        let (words, words_vi) = (format!("'{}' of {}", act.kind, act.office), act.name_vi());
        let words_vi = format!("\"{words_vi}\" của {}", act.office);
        Some(future(Some(act), until, (&words, &words_vi)))
    });
    // The act that registered it is found by itself.
    let registered = dossier.acts.first().map(|act| act.at).unwrap_or_default();
    let submitted = dossier.records.times.submitted.filter(|at| *at > registered);
    let submitted = submitted.map(|at| future(None, until_there(at), APPLICATION));
    let born = dossier.reception.applicant.birth_date.as_deref().and_then(begins);
    let born = born.map(|day| future(None, day, BIRTH));
    born.into_iter().chain(submitted).chain(acts)
}

/// The days that an act names and that lie behind it if they are right.
fn dates(act: &Act) -> [Option<&str>; 2] {
    let of_detail = match &act.detail {
        Some(Detail::Result(paper)) => Some(paper.date.as_str()),
        Some(Detail::Remittance(order)) => Some(order.date.as_str()),
        Some(Detail::Opinion(letter)) => Some(letter.date.as_str()),
        _ => None,
    };
    [act.reply.as_ref().map(|reply| reply.date.as_str()), of_detail]
}

fn future(act: Option<&Act>, until: Moment, (words, words_vi): (&str, &str)) -> Timed {
    let finding = Finding {
        code: "date-in-the-future",
        act: act.map(|act| act.id.clone()),
        words: format!("{words} is dated in the future: check the date, or the office's clock"),
        words_vi: format!(
            "{words_vi} có ngày ở tương lai: kiểm tra ngày, hoặc đồng hồ của cơ quan"
        ),
        addressees: Vec::new(),
    };
    Timed { finding, from: Moment(0), until: Some(until) }
}

fn sent_twice(dossier: &Dossier) -> impl Iterator<Item = Finding> {
    let twice = dossier.records.notifications.iter().filter(|known| known.sent.len() > 1);
    twice.map(|known| Finding {
        code: "notification-sent-twice",
        act: known.sent.last().cloned(),
        words: format!("the applicant was told {} times: tell the senders", known.sent.len()),
        words_vi: format!("đã gửi thông báo {} lần: báo cho nơi gửi", known.sent.len()),
        addressees: Vec::new(),
    })
}

fn overdue_replies(dossier: &Dossier) -> impl Iterator<Item = Timed> {
    dossier.records.requests.iter().filter_map(|request| {
        let from = request.overdue_from()?;
        let (agency, due) = (request.agency, request.due.as_deref().unwrap_or_default());
        let finding = Finding {
            code: "reply-overdue",
            act: Some(request.act.clone()),
            words: format!("{agency} owes its written answer since {due}: remind it"),
            words_vi: format!("{agency} chưa trả lời bằng văn bản, hạn {due}: đôn đốc"),
            addressees: vec![
                Addressee::Lead { office: request.asked_by },
                Addressee::Head { office: agency },
                Addressee::Hub,
            ],
        };
        Some(Timed::since(from, finding))
    })
}

/// How far the clocks of two offices may be apart before a moment lies in the future.
const TOLERANCE_MS: u64 = 10 * 60_000;
/// What is dated, besides acts, in English and Vietnamese.
const APPLICATION: (&str, &str) = ("the application", "ngày nộp hồ sơ");
const BIRTH: (&str, &str) = ("the day of birth", "ngày sinh");
/// The most findings of one dossier.
const MAX_FINDINGS: usize = 200;

#[cfg(test)]
#[path = "finding_tests.rs"]
mod tests;
