//! What a person has to decide: acts that did not see each other and exclude each other.

use lienthong_protocol::{Moment, OfficeId};
use serde::Serialize;

use crate::act::{Act, ActKind, Effect};
use crate::day::local_minute;
use crate::order::Past;
use crate::status::Status;

/// Something that a person of the entitled office has to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Review {
    /// Two acts that did not see each other exclude each other. It is closed by
    /// [`ActKind::Resolved`], which names both and which of them holds, or by taking one back.
    Conflict {
        /// The id of the act that comes first.
        first: String,
        /// The id of the other.
        second: String,
        /// The office that is entitled to decide.
        entitled: OfficeId,
        /// The question in English.
        words: String,
        /// The question in Vietnamese.
        words_vi: String,
    },
    /// Entries of the list of acts that cannot be read; they are kept and do not count.
    Unreadable {
        /// How many.
        entries: usize,
    },
    /// Acts that a later change altered or deleted. They stand as their authors wrote them.
    Altered {
        /// How many.
        entries: usize,
        /// What happened and what to do, in English.
        words: String,
        /// The same in Vietnamese.
        words_vi: String,
    },
}

impl Review {
    /// The two acts of a conflict.
    pub fn acts(&self) -> Option<(&str, &str)> {
        match self {
            Review::Conflict { first, second, .. } => Some((first, second)),
            Review::Unreadable { .. } | Review::Altered { .. } => None,
        }
    }

    pub(crate) fn altered(entries: usize) -> Review {
        Review::Altered {
            entries,
            words: format!(
                "{entries} acts were altered or deleted later, which no program of ours does; they \
                 stand as their authors wrote them: look up in the history which office did it"
            ),
            words_vi: format!(
                "{entries} bước đã bị sửa hoặc xóa về sau, phần mềm đúng không làm vậy; các bước \
                 vẫn giữ như người lập đã ghi: xem lịch sử để biết cơ quan nào đã sửa"
            ),
        }
    }
}

/// What an act says that another can contradict.
#[derive(PartialEq, Eq)]
enum Claim<'a> {
    Status(Status),
    Holder(OfficeId),
    Decision(&'a str),
}

/// Finds the conflicts among acts in their order and marks them; `entitled` has to decide.
pub(crate) fn conflicts(acts: &mut [Act], past: &Past, entitled: OfficeId) -> Vec<Review> {
    let pairs = open_pairs(acts, past);
    for (first, second) in &pairs {
        acts[*first].effect = Effect::Conflicting;
        acts[*second].effect = Effect::Conflicting;
    }
    pairs.iter().map(|(first, second)| question(&acts[*first], &acts[*second], entitled)).collect()
}

fn open_pairs(acts: &[Act], past: &Past) -> Vec<(usize, usize)> {
    // Found once for each act: they are compared pair by pair.
    let claims: Vec<Option<Claim<'_>>> =
        acts.iter().map(|act| if stands(act) { claim(act) } else { None }).collect();
    let claiming: Vec<usize> = (1..acts.len()).filter(|at| claims[*at].is_some()).collect();
    let pairs = claiming.iter().enumerate().flat_map(|(index, second)| {
        let apart = claiming[..index].iter().filter(|first| !past[*second].contains(**first));
        apart.map(|first| (*first, *second))
    });
    let excludes = |(first, second): &(usize, usize)| {
        let claims = claims[*first].as_ref().zip(claims[*second].as_ref());
        claims.is_some_and(|claims| excludes(claims, &acts[*first], &acts[*second]))
    };
    pairs
        .filter(excludes)
        .take(MAX_PAIRS)
        .filter(|pair| !is_overtaken(*pair, &claims, past))
        .take(MAX_CONFLICTS)
        .collect()
}

/// What falls when one of two chains of acts holds: every act that did not see it and excludes it
/// or one of the same kind that it went on from. A question names the last of each chain only.
pub(crate) fn contradicted(acts: &[Act], past: &Past, holds: usize) -> Vec<usize> {
    let saw = |one: usize, other: usize| past[one].contains(other);
    let claims: Vec<Option<Claim<'_>>> =
        acts.iter().map(|act| if stands(act) { claim(act) } else { None }).collect();
    let is_held = |at: &usize| {
        (*at == holds || saw(holds, *at)) && same_kind(claims[*at].as_ref(), claims[holds].as_ref())
    };
    let chain: Vec<usize> = (0..acts.len()).filter(is_held).collect();
    let excludes_one = |other: &usize| {
        let mut unseen = chain.iter().filter(|at| !saw(*other, **at) && !saw(**at, *other));
        unseen.any(|at| {
            let (first, second) = (*at.min(other), *at.max(other));
            let both = claims[first].as_ref().zip(claims[second].as_ref());
            both.is_some_and(|both| excludes(both, &acts[first], &acts[second]))
        })
    };
    let apart = |at: &usize| *at != holds && !saw(holds, *at) && !saw(*at, holds);
    (1..acts.len()).filter(apart).filter(excludes_one).take(MAX_CONFLICTS).collect()
}

/// Says whether what an act claims is to be reckoned with.
fn stands(act: &Act) -> bool {
    let is_void = matches!(act.effect, Effect::Reversed | Effect::Overruled);
    !is_void && act.foreign_signer().is_none()
}

fn claim(act: &Act) -> Option<Claim<'_>> {
    match (act.target(), act.known_kind(), act.to_office, &act.regards) {
        (Some(status), ..) => Some(Claim::Status(status)),
        (None, Some(ActKind::Transferred), Some(office), _) => Some(Claim::Holder(office)),
        (None, Some(ActKind::Resolved), _, Some(holds)) => Some(Claim::Decision(holds)),
        _ => None,
    }
}

fn excludes(claims: (&Claim<'_>, &Claim<'_>), first: &Act, second: &Act) -> bool {
    match claims {
        // One who saw the same move, done by somebody else at once, went on from it.
        (Claim::Status(one), Claim::Status(other)) => {
            one != other && !(second.counts && second.from == Some(one.number()))
        }
        (Claim::Holder(one), Claim::Holder(other)) => one != other,
        (Claim::Decision(one), Claim::Decision(other)) => {
            let overrules = |act: &Act, id: &str| act.overrules.iter().any(|known| known == id);
            overrules(first, other) || overrules(second, one)
        }
        _ => false,
    }
}

/// Says whether a later act that saw only one of a pair makes a claim of the same kind: then that
/// act is asked about instead.
fn is_overtaken(
    (first, second): (usize, usize),
    claims: &[Option<Claim<'_>>],
    past: &Past,
) -> bool {
    (first + 1..claims.len()).any(|later| {
        let saw_one = past[later].contains(first) != past[later].contains(second);
        saw_one && same_kind(claims[later].as_ref(), claims[first].as_ref())
    })
}

fn same_kind(one: Option<&Claim<'_>>, other: Option<&Claim<'_>>) -> bool {
    matches!(
        (one, other),
        (Some(Claim::Status(_)), Some(Claim::Status(_)))
            | (Some(Claim::Holder(_)), Some(Claim::Holder(_)))
            | (Some(Claim::Decision(_)), Some(Claim::Decision(_)))
    )
}

/// `Sở TNMT: finished 2026-01-05 14:05; Hội An: supplement asked 2026-01-05 13:50; decide`, with
/// the ids of the offices.
fn question(first: &Act, second: &Act, entitled: OfficeId) -> Review {
    let words = format!("{}; {}; decide", told(first, false), told(second, false));
    let words_vi = format!("{}; {}; cần quyết định", told(first, true), told(second, true));
    let (first, second) = (first.id.clone(), second.id.clone());
    Review::Conflict { first, second, entitled, words, words_vi }
}

fn told(act: &Act, vietnamese: bool) -> String {
    let what = match (claim(act), vietnamese) {
        (Some(Claim::Status(status)), false) => status.name().to_owned(),
        (Some(Claim::Status(status)), true) => status.name_vi().to_owned(),
        (Some(Claim::Holder(office)), false) => format!("handed over to {office}"),
        (Some(Claim::Holder(office)), true) => format!("chuyển đến {office}"),
        (Some(Claim::Decision(holds)), false) => format!("decided for {holds}"),
        (Some(Claim::Decision(holds)), true) => format!("quyết định chọn {holds}"),
        (None, _) => act.kind.clone(),
    };
    format!("{}: {what} {}", act.office, spoken(act.at))
}

fn spoken(at: Moment) -> String {
    local_minute(at).replace('T', " ")
}

/// The most conflicts that are listed, and the most pairs of acts that are looked at for them. An
/// honest dossier has one or two; a hostile one could have as many as pairs of acts.
pub(crate) const MAX_CONFLICTS: usize = 100;
const MAX_PAIRS: usize = 10_000;
