//! What about a dossier a person has to look at.

use lienthong_catalogue::Procedure;
use lienthong_dossier::{Act, Dossier, Effect, Finding, Review, Timed, outlook};
use lienthong_protocol::{Moment, OfficeId};
use serde::Serialize;

use crate::text::shown;

/// Something that a person has to decide, mend or take back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenItem {
    /// A fixed word for programs.
    pub code: String,
    /// What it is, in Vietnamese.
    pub words_vi: String,
    /// The same in English.
    pub words: String,
    /// The office that must look at it.
    pub office: String,
}

/// How much of each kind is open in a dossier, and the first of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenItems {
    /// Acts that are kept and do not count.
    pub(crate) unconfirmed: u64,
    /// What the checks find whatever the time.
    pub(crate) findings: u64,
    /// Everything, also what holds for a time only.
    pub(crate) all: u64,
    /// The first of what is open whatever the time.
    pub(crate) first: Option<OpenItem>,
    /// What holds for a time only.
    pub(crate) timed: Vec<TimedItem>,
}

/// A finding that comes or passes by time alone.
#[derive(Clone, Debug)]
pub(crate) struct TimedItem {
    pub(crate) from: Moment,
    /// Exclusive; none if it does not pass.
    pub(crate) until: Option<Moment>,
    pub(crate) item: OpenItem,
}

impl OpenItems {
    /// Looks a dossier through for all moments from `now` on.
    pub(crate) fn of(dossier: &Dossier, procedure: Option<&Procedure>, now: Moment) -> OpenItems {
        let deciding = dossier.reception.offices.deciding();
        let holder = dossier.standing.holder;
        let (steady, timed): (Vec<_>, Vec<_>) =
            outlook(dossier, now, procedure).into_iter().partition(Timed::is_steady);
        let unconfirmed = || dossier.acts.iter().filter(|act| act.effect == Effect::Unconfirmed);
        let review = &dossier.standing.review;
        let first = review.first().map(|review| of_review(review, deciding));
        let first = first.or_else(|| unconfirmed().next().map(|act| of_act(act, deciding)));
        let first = first.or_else(|| Some(of_finding(&steady.first()?.finding, holder)));
        let (unconfirmed, findings) = (unconfirmed().count(), steady.len());
        let of_timed = |Timed { finding, from, until }: Timed| TimedItem {
            from,
            until,
            item: of_finding(&finding, holder),
        };
        OpenItems {
            unconfirmed: unconfirmed as u64,
            findings: findings as u64,
            all: (review.len() + unconfirmed + findings + timed.len()) as u64,
            first,
            timed: timed.into_iter().map(of_timed).collect(),
        }
    }

    /// From when something is open for good; none if nothing comes to be.
    pub(crate) fn from(&self) -> Option<Moment> {
        let lasting = self.timed.iter().filter(|timed| timed.until.is_none());
        let steady = self.first.as_ref().map(|_| Moment(0));
        lasting.map(|timed| timed.from).chain(steady).min()
    }

    /// Until when something is open that passes by time; none if nothing is.
    pub(crate) fn until(&self) -> Option<Moment> {
        self.timed.iter().filter_map(|timed| timed.until).max()
    }
}

impl OpenItem {
    /// Vietnamese first.
    fn new(code: &str, [words_vi, words]: [&str; 2], office: OfficeId) -> OpenItem {
        let (words_vi, words) = (shown(words_vi), shown(words));
        OpenItem { code: code.to_owned(), words_vi, words, office: office.as_str().to_owned() }
    }
}

fn of_review(review: &Review, deciding: OfficeId) -> OpenItem {
    if let Review::Conflict { entitled, words, words_vi, .. } = review {
        return OpenItem::new("conflict", [words_vi, words], *entitled);
    }
    let words = "acts cannot be read, or were altered later: ask the office that wrote them";
    let words_vi = "có bước không đọc được hoặc đã bị sửa về sau: hỏi cơ quan đã ghi";
    OpenItem::new("entries", [words_vi, words], deciding)
}

fn of_finding(finding: &Finding, holder: OfficeId) -> OpenItem {
    OpenItem::new(finding.code, [&finding.words_vi, &finding.words], holder)
}

fn of_act(act: &Act, deciding: OfficeId) -> OpenItem {
    let Some(doubt) = &act.doubt else {
        let words = format!("'{}' does not count", act.kind);
        let words_vi = format!("\"{}\" không được tính", act.name_vi());
        return OpenItem::new("unconfirmed", [&words_vi, &words], deciding);
    };
    let words = doubt.words(act);
    let words_vi = format!("{}: {}", words.cause_vi, words.remedy_vi);
    let words = format!("{}: {}", words.cause, words.remedy);
    OpenItem::new(doubt.code(), [&words_vi, &words], deciding)
}
