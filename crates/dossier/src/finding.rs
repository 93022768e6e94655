//! The checks that run after every settle: they look at a dossier and change nothing.

use lienthong_catalogue::Procedure;
use lienthong_protocol::{Moment, OfficeId};
use serde::Serialize;

use crate::act::Act;
use crate::clock::is_same_or_later_day;
use crate::day::{is_past, local_minute};
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

/// Looks a dossier through at a moment. Without the procedure what depends on it is left out. At
/// most 200 findings; never fails, whatever the document holds.
pub fn checks(dossier: &Dossier, now: Moment, procedure: Option<&Procedure>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(reception_date(dossier));
    findings.extend(finish_date(dossier));
    findings.extend(order_of_dates(dossier));
    findings.extend(accept_overdue(dossier, now));
    findings.extend(procedure.and_then(|procedure| channel(dossier, procedure)));
    findings.extend(future_dates(dossier, now));
    findings.extend(sent_twice(dossier));
    findings.extend(overdue_replies(dossier, now));
    findings.truncate(MAX_FINDINGS);
    findings
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

fn accept_overdue(dossier: &Dossier, now: Moment) -> Option<Finding> {
    let accept_by = dossier.reception.accept_by.as_deref()?;
    let is_waiting = dossier.standing.status == Status::Registered;
    (is_waiting && is_past(accept_by, &local_minute(now))).then(|| Finding {
        code: "accept-overdue",
        act: None,
        words: format!("nobody has looked at it since {accept_by}: take it in or refuse it"),
        words_vi: format!("quá hạn tiếp nhận {accept_by}: tiếp nhận hoặc từ chối tiếp nhận"),
        addressees: Vec::new(),
    })
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

fn future_dates(dossier: &Dossier, now: Moment) -> impl Iterator<Item = Finding> {
    let latest = Moment(now.0.saturating_add(TOLERANCE_MS));
    let late =
        |date: &str| lienthong_catalogue::day(date).is_ok() && !is_same_or_later_day(now, date);
    let acts = dossier
        .acts
        .iter()
        .filter(move |act| act.at > latest || dates(act).into_iter().flatten().any(late));
    // The act that registered it is found by itself.
    let registered = dossier.acts.first().map_or(latest, |act| act.at.max(latest));
    let submitted = dossier.records.times.submitted.filter(|at| *at > registered);
    let submitted = submitted.map(|_| future(None, "the application", "ngày nộp hồ sơ"));
    let born = dossier.reception.applicant.birth_date.as_deref().filter(|date| late(date));
    let born = born.map(|_| future(None, "the day of birth", "ngày sinh"));
    let acts = acts.map(|act| {
        let (words, words_vi) = (format!("'{}' of {}", act.kind, act.office), act.name_vi());
        future(Some(act), &words, &format!("\"{words_vi}\" của {}", act.office))
    });
    born.into_iter().chain(submitted).chain(acts.collect::<Vec<_>>())
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

fn future(act: Option<&Act>, words: &str, words_vi: &str) -> Finding {
    Finding {
        code: "date-in-the-future",
        act: act.map(|act| act.id.clone()),
        words: format!("{words} is dated in the future: check the date, or the office's clock"),
        words_vi: format!(
            "{words_vi} có ngày ở tương lai: kiểm tra ngày, hoặc đồng hồ của cơ quan"
        ),
        addressees: Vec::new(),
    }
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

fn overdue_replies(dossier: &Dossier, now: Moment) -> impl Iterator<Item = Finding> {
    dossier.records.overdue_requests(now).map(|request| {
        let (agency, due) = (request.agency, request.due.as_deref().unwrap_or_default());
        Finding {
            code: "reply-overdue",
            act: Some(request.act.clone()),
            words: format!("{agency} owes its written answer since {due}: remind it"),
            words_vi: format!("{agency} chưa trả lời bằng văn bản, hạn {due}: đôn đốc"),
            addressees: vec![
                Addressee::Lead { office: request.asked_by },
                Addressee::Head { office: agency },
                Addressee::Hub,
            ],
        }
    })
}

/// How far the clocks of two offices may be apart before a moment lies in the future.
const TOLERANCE_MS: u64 = 10 * 60_000;
/// The most findings of one dossier.
const MAX_FINDINGS: usize = 200;

#[cfg(test)]
#[path = "finding_tests.rs"]
mod tests;
