//! What the index keeps of every change and every document.

use lienthong_document::ChangeHash;
use lienthong_protocol::{ChangeId, Kind, OfficeId};
use serde::{Deserialize, Serialize};

use crate::shelf::Place;

/// What admission says of a stored change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It reaches its document.
    Accepted,
    /// It may be accepted later.
    Waiting(Waiting),
    /// By rule it reaches no document; it stays in the set.
    Quarantined(Quarantined),
}

/// What a waiting change waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Waiting {
    /// Changes it depends on are not here, or are not accepted.
    Dependency,
    /// The registry here does not know its author yet.
    Author,
    /// This version does not know the kind of its document.
    Kind,
}

/// Why a change is quarantined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quarantined {
    /// The author's office is not the one the registry says, or may not write this document.
    NotEntitled,
    /// The author was revoked before it wrote this.
    Revoked,
    /// Its kind is not the one the document was opened with.
    WrongKind,
    /// Automerge could not take it in rehearsal.
    Unfit,
}

impl Verdict {
    /// The fixed word for output and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Accepted => "accepted",
            Verdict::Waiting(Waiting::Dependency) => "waiting-for-dependency",
            Verdict::Waiting(Waiting::Author) => "waiting-for-author",
            Verdict::Waiting(Waiting::Kind) => "waiting-for-newer-version",
            Verdict::Quarantined(Quarantined::NotEntitled) => "quarantined-not-entitled",
            Verdict::Quarantined(Quarantined::Revoked) => "quarantined-revoked",
            Verdict::Quarantined(Quarantined::WrongKind) => "quarantined-wrong-kind",
            Verdict::Quarantined(Quarantined::Unfit) => "quarantined-unfit",
        }
    }
}

/// One stored change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which change.
    pub id: ChangeId,
    /// The minute of its `at`: with the id, its place in the order of sets.
    pub minute: u32,
    /// The Automerge hash of its payload, by which other changes depend on it.
    pub hash: [u8; 32],
    /// Where its record lies.
    pub place: Place,
    /// What admission says.
    pub verdict: Verdict,
}

impl Entry {
    /// The hash of the payload as `document` names it.
    pub fn change_hash(&self) -> ChangeHash {
        ChangeHash::from_bytes(self.hash)
    }
}

/// One document as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its kind, as its first stored change says.
    pub kind: Kind,
    /// The offices that it was shared with, sorted; their ancestors belong to it too.
    pub offices: Vec<OfficeId>,
    /// How many full pages of older entries there are.
    pub pages: u16,
    /// The newest entries.
    pub entries: Vec<Entry>,
}

impl Record {
    pub(crate) fn new(kind: Kind) -> Record {
        Record { kind, offices: Vec::new(), pages: 0, entries: Vec::new() }
    }
}

/// Counts over the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Documents.
    pub documents: u64,
    /// Changes, whatever their verdict.
    pub changes: u64,
    /// Changes that wait.
    pub waiting: u64,
    /// Changes in quarantine.
    pub quarantined: u64,
}

impl Totals {
    pub(crate) fn count(&mut self, verdict: Verdict) {
        self.changes += 1;
        self.shift(verdict, 1);
    }

    pub(crate) fn recount(&mut self, from: Verdict, to: Verdict) {
        self.shift(from, -1);
        self.shift(to, 1);
    }

    pub(crate) fn uncount(&mut self, verdict: Verdict) {
        self.changes = self.changes.saturating_sub(1);
        self.shift(verdict, -1);
    }

    fn shift(&mut self, verdict: Verdict, by: i64) {
        match verdict {
            Verdict::Accepted => {}
            Verdict::Waiting(_) => self.waiting = self.waiting.saturating_add_signed(by),
            Verdict::Quarantined(_) => {
                self.quarantined = self.quarantined.saturating_add_signed(by);
            }
        }
    }
}

/// Which numbers of a gapless sequence are held, as ascending runs `first..=last`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs(Vec<(u64, u64)>);

impl Runs {
    /// Takes one number in. A number that would open one run more than [`Runs::MOST`] is left
    /// out, so that an author who skips numbers cannot make this grow without a limit.
    pub fn insert(&mut self, number: u64) {
        let at = self.0.partition_point(|(_, last)| last.saturating_add(1) < number);
        let may_open = self.0.len() < Runs::MOST;
        match self.0.get_mut(at) {
            Some((first, last)) if *first <= number && number <= *last => {}
            Some((first, _)) if number.checked_add(1) == Some(*first) => *first = number,
            Some((_, last)) if last.checked_add(1) == Some(number) => {
                *last = number;
                self.join(at);
            }
            _ if may_open => self.0.insert(at, (number, number)),
            _ => {}
        }
    }

    /// Whether a number is held.
    pub fn holds(&self, number: u64) -> bool {
        let at = self.0.partition_point(|(_, last)| *last < number);
        self.0.get(at).is_some_and(|(first, _)| *first <= number)
    }

    /// The most runs that are kept.
    pub const MOST: usize = 1024;

    fn join(&mut self, at: usize) {
        let (Some(left), Some(right)) = (self.0.get(at), self.0.get(at + 1)) else { return };
        if left.1.checked_add(1) == Some(right.0) {
            self.0[at].1 = right.1;
            self.0.remove(at + 1);
        }
    }

    /// The last number up to which nothing is missing; 0 if 1 is missing.
    pub fn complete_to(&self) -> u64 {
        self.0.first().filter(|(first, _)| *first == 1).map_or(0, |(_, last)| *last)
    }

    /// The largest number held; 0 if none is.
    pub fn last(&self) -> u64 {
        self.0.last().map_or(0, |(_, last)| *last)
    }
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
