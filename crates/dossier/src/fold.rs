//! What all acts of a dossier add up to.
//!
//! The order of acts is the order in which they saw each other; acts that did not see each other
//! follow their time and then their id. So every node that has the same acts folds them into the
//! same standing, whatever order they came in.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::{Moment, OfficeId};
use serde::Serialize;

use crate::act::{Act, ActKind};
use crate::status::{Status, allows};

/// Where a dossier stands after all its acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The status; [`Status::Registered`] if no act counts.
    pub status: Status,
    /// The due that holds now, as `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`.
    pub due: Option<String>,
    /// The office that holds the dossier.
    pub holder: OfficeId,
    /// The offices that were asked for a written answer and still owe it, by the act that asks.
    pub owed: BTreeMap<String, OfficeId>,
    /// What a person has to decide.
    pub review: Vec<Review>,
}

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It counts.
    Effective,
    /// It is kept and does not count: it was not allowed at the status that it met.
    Unconfirmed,
    /// It was taken back by a later act.
    Reversed,
}

/// Something that a person of the entitled office has to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Review {
    /// Two acts that did not see each other move to different statuses. It is closed by a later
    /// act that saw both and moves the dossier or takes one of them back.
    Conflict {
        /// The id of the act that comes first.
        first: String,
        /// The id of the other.
        second: String,
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
}

/// Brings acts into their order and says of each what became of it. `holder` and `due` are those
/// of the reception.
pub(crate) fn fold(acts: &mut Vec<Act>, holder: OfficeId, due: Option<String>) -> Standing {
    let past = order(acts);
    take_back(acts, &past);
    let mut status = None;
    let mut standing =
        Standing { status: Status::Registered, due, holder, owed: BTreeMap::new(), review: vec![] };
    for act in acts.iter_mut().filter(|act| act.effect == Effect::Effective) {
        let Some(kind) = act.known_kind().filter(|kind| allows(*kind, status)) else {
            act.effect = Effect::Unconfirmed;
            continue;
        };
        status = act.target().or(status);
        standing.count(kind, act);
    }
    standing.status = status.unwrap_or(Status::Registered);
    standing.review = conflicts(acts, &past);
    standing
}

impl Standing {
    fn count(&mut self, kind: ActKind, act: &Act) {
        match (kind, act.to_office, &act.regards) {
            (ActKind::Transferred, Some(office), _) => self.holder = office,
            (ActKind::Consulted, Some(office), _) => drop(self.owed.insert(act.id.clone(), office)),
            (ActKind::Replied, _, Some(request)) if self.owed.get(request) == Some(&act.office) => {
                self.owed.remove(request);
            }
            _ => (),
        }
        // The due of a consultation is the due of the answer, not that of the dossier.
        if kind != ActKind::Consulted && act.due.is_some() {
            self.due.clone_from(&act.due);
        }
    }
}

/// All acts that each act saw, directly or through others, by position.
type Past = Vec<Seen>;

/// A set of positions; a bit each, because a hostile dossier can be one long chain.
#[derive(Clone, Default)]
struct Seen(Vec<u64>);

impl Seen {
    fn insert(&mut self, position: usize) {
        let word = position / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (position % 64);
    }

    fn insert_all(&mut self, other: &Seen) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            *mine |= other;
        }
    }

    fn contains(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }
}

/// Sorts the acts so that each comes after all it saw, and gives what each saw.
fn order(acts: &mut Vec<Act>) -> Past {
    acts.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let ids: BTreeMap<String, usize> =
        acts.iter().enumerate().map(|(position, act)| (act.id.clone(), position)).collect();
    let seen = |act: &Act| act.saw.iter().filter_map(|id| ids.get(id).copied()).collect();
    let mut left: BTreeMap<usize, BTreeSet<usize>> = acts.iter().map(seen).enumerate().collect();
    let mut after: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (position, seen) in &left {
        for earlier in seen {
            after.entry(*earlier).or_default().push(*position);
        }
    }
    let direct: Vec<BTreeSet<usize>> = left.values().cloned().collect();
    let ready = left.iter().filter(|(_, seen)| seen.is_empty());
    let mut ready: BTreeSet<usize> = ready.map(|(position, _)| *position).collect();
    let mut sequence = Vec::with_capacity(acts.len());
    // Acts that claim to have seen each other are no honest work; the earliest goes first.
    while let Some(next) = ready.pop_first().or_else(|| left.keys().next().copied()) {
        left.remove(&next);
        sequence.push(next);
        for later in after.remove(&next).unwrap_or_default() {
            if let Some(seen) = left.get_mut(&later) {
                seen.remove(&next);
                if seen.is_empty() {
                    ready.insert(later);
                }
            }
        }
    }
    let past = past_of(&sequence, &direct);
    let mut taken: BTreeMap<usize, Act> = acts.drain(..).enumerate().collect();
    acts.extend(sequence.iter().filter_map(|position| taken.remove(position)));
    past
}

fn rank(act: &Act) -> (Moment, &str) {
    (act.at, &act.id)
}

/// What each act of a sequence saw, by position in the sequence.
fn past_of(sequence: &[usize], direct: &[BTreeSet<usize>]) -> Past {
    let place: BTreeMap<usize, usize> =
        sequence.iter().enumerate().map(|(place, position)| (*position, place)).collect();
    let mut past: Past = Vec::with_capacity(sequence.len());
    for (here, position) in sequence.iter().enumerate() {
        let mut seen = Seen::default();
        for earlier in direct[*position].iter().filter_map(|earlier| place.get(earlier)) {
            if *earlier < here {
                seen.insert(*earlier);
                seen.insert_all(&past[*earlier]);
            }
        }
        past.push(seen);
    }
    past
}

/// Marks what was taken back. From the last act to the first, because an act that takes back may
/// itself have been taken back. The first act of a dossier cannot be.
fn take_back(acts: &mut [Act], past: &Past) {
    for position in (0..acts.len()).rev() {
        let act = &acts[position];
        if act.effect == Effect::Reversed || act.known_kind() != Some(ActKind::Reversed) {
            continue;
        }
        let named = |id: &String| (1..position).find(|earlier| acts[*earlier].id == *id);
        let target = act.regards.as_ref().and_then(named);
        match target.filter(|target| past[position].contains(*target)) {
            Some(target) => acts[target].effect = Effect::Reversed,
            None => acts[position].effect = Effect::Unconfirmed,
        }
    }
}

fn conflicts(acts: &[Act], past: &Past) -> Vec<Review> {
    let moving: Vec<usize> = (0..acts.len())
        .filter(|at| acts[*at].effect != Effect::Reversed && acts[*at].target().is_some())
        .collect();
    let pairs = moving.iter().enumerate().flat_map(|(index, second)| {
        let apart = moving[..index].iter().filter(|first| !past[*second].contains(**first));
        apart.map(|first| (*first, *second))
    });
    pairs
        .filter(|(first, second)| acts[*first].target() != acts[*second].target())
        .take(MAX_PAIRS)
        .filter(|pair| !is_settled(*pair, acts, past))
        .map(|(first, second)| question(&acts[first], &acts[second]))
        .take(MAX_CONFLICTS)
        .collect()
}

/// Says whether a later act that counts saw both of a pair and decided, or a later act moved the
/// dossier on from one of the two: then that act is asked about instead.
fn is_settled((first, second): (usize, usize), acts: &[Act], past: &Past) -> bool {
    (first + 1..acts.len()).any(|later| {
        let act = &acts[later];
        let moves = act.target().is_some();
        match (past[later].contains(first), past[later].contains(second)) {
            (false, false) => false,
            (true, true) => {
                let takes_back = act.known_kind() == Some(ActKind::Reversed);
                (moves || takes_back) && act.effect == Effect::Effective
            }
            _ => moves && act.effect != Effect::Reversed,
        }
    })
}

fn question(first: &Act, second: &Act) -> Review {
    let told = |act: &Act, vietnamese: bool| {
        let status = act.target().unwrap_or(Status::Registered);
        let name = if vietnamese { status.name_vi() } else { status.name() };
        format!("{}: {name} {}", act.office, local_minute(act.at))
    };
    let words = format!("{}; {}; decide", told(first, false), told(second, false));
    let words_vi = format!("{}; {}; cần quyết định", told(first, true), told(second, true));
    Review::Conflict { first: first.id.clone(), second: second.id.clone(), words, words_vi }
}

fn local_minute(at: Moment) -> String {
    let minute = at.0 / 60_000 + 7 * 60;
    format!("{} {:02}:{:02}", crate::day::local_day(at), minute / 60 % 24, minute % 60)
}

/// The most conflicts that are listed, and the most pairs of acts that are looked at for them. An
/// honest dossier has one or two; a hostile one could have as many as pairs of acts.
const MAX_CONFLICTS: usize = 100;
const MAX_PAIRS: usize = 10_000;

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
