//! What about a dossier a person has to look at.

use lienthong_catalogue::Procedure;
use lienthong_dossier::{Act, Dossier, Effect, Review, checks};
use lienthong_protocol::OfficeId;
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
    /// What the checks find.
    pub(crate) findings: u64,
    pub(crate) all: u64,
    pub(crate) first: Option<OpenItem>,
}

impl OpenItems {
    /// Looks a dossier through as it stood at its last act, so that the same dossier gives the
    /// same items at any time.
    pub(crate) fn of(dossier: &Dossier, procedure: Option<&Procedure>) -> OpenItems {
        let last = dossier.acts.iter().map(|act| act.at).max().unwrap_or_default();
        let deciding = dossier.reception.offices.deciding();
        let findings = checks(dossier, last, procedure);
        let unconfirmed = || dossier.acts.iter().filter(|act| act.effect == Effect::Unconfirmed);
        let review = &dossier.standing.review;
        let first = review.first().map(|review| of_review(review, deciding));
        let first = first.or_else(|| unconfirmed().next().map(|act| of_act(act, deciding)));
        let first = first.or_else(|| {
            let finding = findings.first()?;
            let words = [finding.words_vi.as_str(), finding.words.as_str()];
            Some(OpenItem::new(finding.code, words, dossier.standing.holder))
        });
        let (unconfirmed, findings) = (unconfirmed().count(), findings.len());
        OpenItems {
            unconfirmed: unconfirmed as u64,
            findings: findings as u64,
            all: (review.len() + unconfirmed + findings) as u64,
            first,
        }
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
