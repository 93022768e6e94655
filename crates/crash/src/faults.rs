//! A fault at every single call of a store's work, and what it must come to.

use std::collections::BTreeMap;
use std::fmt;

use lienthong_protocol::Change;
use lienthong_store::{
    AppendError, IndexSettings, LogSettings, MemoryEngine, Record, ReplayError, Store,
    StoreSettings, Writing,
};
use thiserror::Error;

use crate::dice::Dice;
use crate::life::{Book, Broken, Started, check, compare, engine_with, enter, start, written};
use crate::medium::Medium;
use crate::tape::{Fault, Files, Tape};

/// What an injection of faults came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    /// How many calls the work without a fault makes, those that read included.
    pub calls: u64,
    /// How many faults were injected, each into work of its own.
    pub faults: u64,
    /// How many images of the disk were checked after them.
    pub images: u64,
    /// How often the store answered with an error of each code.
    pub answers: BTreeMap<&'static str, u64>,
    /// How many faults were met at each kind of call.
    pub met: BTreeMap<&'static str, u64>,
}

/// What was broken, and by which fault.
#[derive(Debug, Error)]
#[error("the work of seed {seed} is broken by {fault:?} at call {call}")]
pub struct Harmed {
    /// The seed of the work.
    pub seed: u64,
    /// The call that went wrong, from 1.
    pub call: u64,
    /// How it went wrong.
    pub fault: Fault,
    /// What was broken.
    #[source]
    pub broken: Broken,
}

/// Injects every fault at every call of the work of one seed.
///
/// # Errors
/// A promise is broken.
pub fn inject(seed: u64) -> Result<Injected, Box<Harmed>> {
    let mut injected = Injected::default();
    let harmed = |call, fault| move |broken| Box::new(Harmed { seed, call, fault, broken });
    injected.calls = Work::new(seed).run(&mut injected).map_err(harmed(0, Fault::Io))?;
    for call in 1..=injected.calls {
        for fault in [Fault::Io, Fault::Full, Fault::StaysFull, Fault::Killed] {
            let mut work = Work::new(seed);
            work.tape.fail_at(call, fault);
            work.run(&mut injected).map_err(harmed(call, fault))?;
            injected.faults += 1;
            if let Some(met) = work.tape.failed() {
                *injected.met.entry(met).or_default() += 1;
            }
        }
    }
    Ok(injected)
}

/// A fixed piece of work: some starts, each with some groups of changes.
struct Work {
    dice: Dice,
    tape: Tape,
    medium: Medium,
    engine: MemoryEngine,
    book: Book,
    next: u64,
}

impl Work {
    fn new(seed: u64) -> Work {
        let tape = Tape::of(Files::default());
        tape.record();
        let (medium, engine) = (Medium::default(), engine_with(None));
        Work { dice: Dice::new(seed), tape, medium, engine, book: Book::default(), next: 1 }
    }

    /// Works, looks at the disk as a power cut may leave it, and says how many calls the work took.
    fn run(&mut self, injected: &mut Injected) -> Result<u64, Broken> {
        for _ in 0..STARTS {
            self.session(injected)?;
            self.tape.mend();
        }
        let calls = self.tape.calls();
        self.tape.forget_fault();
        self.goes_on()?;
        for step in self.tape.steps() {
            self.medium.take(step);
        }
        for image in self.medium.images(IMAGES, &mut self.dice) {
            check(&image, None, &self.book, SETTINGS)?;
            injected.images += 1;
        }
        Ok(calls)
    }

    /// One run of the process. After an error that stops the log it ends, as a node does.
    fn session(&mut self, injected: &mut Injected) -> Result<(), Broken> {
        let mut store = match start(&self.tape, &self.engine, SETTINGS) {
            Ok(Started { store, .. }) => store,
            Err(broken) => return self.forgive(broken, injected),
        };
        if let Err(broken) = self.trust(&store) {
            return self.forgive(broken, injected);
        }
        for _ in 0..GROUPS {
            let group = self.group();
            match store.append(&group) {
                Ok(locations) => {
                    self.book.promised.extend(group.iter().cloned());
                    for (location, change) in locations.into_iter().zip(group) {
                        let record = Record { location, change, after: store.log().end() };
                        enter(store.index_mut(), &record).map_err(index)?;
                    }
                }
                Err(error @ AppendError::Full { .. }) => {
                    // Nothing of it may ever show up, reading goes on, and so does the store once
                    // there is room again.
                    injected.answer(error.code(), error.remedy());
                    self.trust(&store)?;
                    self.tape.mend();
                }
                Err(error) => {
                    injected.answer(error.code(), error.remedy());
                    self.book.possible = group;
                    let next = store.append(&self.group());
                    let stopped = matches!(next, Err(AppendError::Stopped));
                    return if stopped { Ok(()) } else { Err(Broken::Stuck) };
                }
            }
            if store.index().checkpoint_due() {
                store.checkpoint().map_err(index)?;
            }
        }
        store.checkpoint().map_err(index)
    }

    /// A start may fail when the disk does, with an error that says what to do.
    fn forgive(&self, broken: Broken, injected: &mut Injected) -> Result<(), Broken> {
        if self.tape.failed().is_none() {
            return Err(broken);
        }
        match &broken {
            Broken::Opening(error) => injected.answer(error.code(), error.remedy()),
            Broken::Replay(ReplayError::Log { source }) => {
                injected.answer(source.code(), source.remedy());
            }
            _ => return Err(broken),
        }
        Ok(())
    }

    /// What a start shows must be what was promised, and must stay.
    fn trust(&mut self, store: &Store) -> Result<(), Broken> {
        let found = crate::life::changes(store)?;
        compare(&found, &self.book)?;
        self.book = Book { promised: found, possible: Vec::new() };
        Ok(())
    }

    /// Without a fault the store starts again and takes changes.
    fn goes_on(&mut self) -> Result<(), Broken> {
        let Started { mut store, .. } = start(&self.tape, &self.engine, SETTINGS)?;
        self.trust(&store)?;
        let group = self.group();
        store.append(&group).map_err(|_| Broken::Stuck)?;
        self.book.promised.extend(group);
        Ok(())
    }

    fn group(&mut self) -> Vec<Change> {
        let first = self.next;
        self.next += 1 + first % 3;
        (first..self.next).map(|seq| written(seq, 100 + (seq as usize * 37) % 500)).collect()
    }
}

impl Injected {
    fn answer(&mut self, code: &'static str, remedy: &str) {
        if !remedy.is_empty() {
            *self.answers.entry(code).or_default() += 1;
        }
    }
}

impl fmt::Display for Injected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Injected { calls, faults, images, answers, met } = self;
        write!(
            formatter,
            "{faults} faults at {calls} calls, {images} images after them: 0 acknowledged changes \
             lost, 0 refused ones kept; met {met:?}, answered {answers:?}"
        )
    }
}

fn index(source: lienthong_store::IndexError) -> Broken {
    Broken::Replay(ReplayError::Index { source })
}

const SETTINGS: StoreSettings = StoreSettings {
    log: LogSettings { segment_bytes: 2500, reserve_bytes: 0 },
    index: IndexSettings { overlay_bytes: 1500, writing: Writing::Inline },
};

const STARTS: u32 = 3;
const GROUPS: u32 = 6;

/// About how many states of each file are checked after each fault.
const IMAGES: usize = 6;

#[cfg(test)]
#[path = "faults_tests.rs"]
mod tests;
