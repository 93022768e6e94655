//! One run from its plan to its outcome, and the journal that tells it.

use std::fmt;

use crate::plan::Plan;
use crate::world::World;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was run.
    pub plan: Plan,
    /// The promise that was not kept, and when, if one was not.
    pub broken: Option<String>,
    /// BLAKE3 of the journal.
    pub digest: [u8; 32],
    /// The journal, if it was asked for.
    pub journal: String,
    /// What happened.
    pub counts: Counts,
}

/// What happened in a run, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps of virtual time: arrivals, turns, acts, faults.
    pub steps: u64,
    /// Acts that were saved.
    pub acts: u64,
    /// Changes that became durable somewhere, each at each place.
    pub durable: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Processes that ended without good order.
    pub crashes: u64,
    /// Starts over a disk.
    pub starts: u64,
    /// How long the world took to settle after healing, in milliseconds of virtual time.
    pub settled_after_ms: u64,
}

impl Counts {
    /// Adds another run; of the times to settle the longest stays.
    pub fn add(&mut self, other: &Counts) {
        self.steps += other.steps;
        self.acts += other.acts;
        self.durable += other.durable;
        self.faults += other.faults;
        self.crashes += other.crashes;
        self.starts += other.starts;
        self.settled_after_ms = self.settled_after_ms.max(other.settled_after_ms);
    }
}

/// Plays a plan to its end, or to the first promise that is not kept.
pub fn run(plan: &Plan) -> Outcome {
    World::new(plan.clone(), false).play()
}

/// The same, keeping the journal.
pub fn run_told(plan: &Plan) -> Outcome {
    World::new(plan.clone(), true).play()
}

/// Looks for a simpler plan that still fails, with at most `tries` runs. Gives the plan itself
/// when it does not fail.
pub fn shrink(plan: &Plan, tries: u32) -> Outcome {
    let mut least = run(plan);
    let mut left = tries;
    'again: while least.broken.is_some() {
        for simpler in least.plan.simpler() {
            if left == 0 {
                return least;
            }
            left -= 1;
            let outcome = run(&simpler);
            if outcome.broken.is_some() {
                least = outcome;
                continue 'again;
            }
        }
        break;
    }
    least
}

/// The lines of a run: hashed always, kept when they were asked for.
pub(crate) struct Journal {
    hasher: blake3::Hasher,
    kept: Option<String>,
}

impl Journal {
    pub(crate) fn new(keep: bool) -> Journal {
        Journal { hasher: blake3::Hasher::new(), kept: keep.then(String::new) }
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, words: fmt::Arguments<'_>) {
        use std::fmt::Write;
        let line = format!("{words}\n");
        self.hasher.update(line.as_bytes());
        if let Some(kept) = &mut self.kept {
            kept.write_str(&line).expect("a string takes every text");
        }
    }

    /// The digest of all lines, and the lines.
    pub(crate) fn end(self) -> ([u8; 32], String) {
        (*self.hasher.finalize().as_bytes(), self.kept.unwrap_or_default())
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
