//! The order of acts: each after all it saw, those that did not see each other by time and id.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::Moment;

use crate::act::Act;

/// All acts that each act saw, directly or through others, by position.
pub(crate) type Past = Vec<Seen>;

/// A set of positions; a bit each, because a hostile dossier can be one long chain.
#[derive(Clone, Default)]
pub(crate) struct Seen(Vec<u64>);

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

    /// Says whether the act at a position was seen.
    pub(crate) fn contains(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word >> (position % 64) & 1 == 1)
    }
}

/// Sorts the acts so that each comes after all it saw, and gives what each saw.
pub(crate) fn order(acts: &mut Vec<Act>) -> Past {
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
