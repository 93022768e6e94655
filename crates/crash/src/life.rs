//! A store that works, is killed and loses its power, and what must be true after every crash.

use std::ops::ControlFlow;
use std::sync::Arc;

use lienthong_protocol::{Change, DocumentId, Header, Incarnation, Kind, Moment, NodeKey};
use lienthong_store::{
    Batch, Checkpoint, Damage, DamageKind, Direction, Disk, Engine, EngineChoice, Entry, Index,
    IndexError, IndexSettings, KeyRange, Location, LogSettings, MemoryEngine, OpenError, Record,
    ReplayError, Store, StoreSettings, Writing,
};
use thiserror::Error;

use crate::dice::Dice;
use crate::medium::Medium;
use crate::tape::{Fault, Files, Tape};

/// What the outside world knows about a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    /// The changes that must be there, in this order: their append has returned, or a start has
    /// shown them.
    pub(crate) promised: Vec<Change>,
    /// The changes of the append that is under way, or that was broken off: any of them may be
    /// there, in this order, behind the others.
    pub(crate) possible: Vec<Change>,
}

/// What a crash broke.
#[derive(Debug, Error)]
pub enum Broken {
    /// The store did not open.
    #[error("the store does not open")]
    Opening(#[source] OpenError),
    /// The index could not be brought up to the log.
    #[error("the index cannot be brought up")]
    Replay(#[source] ReplayError),
    /// A promised change is gone.
    #[error("change {seq} was acknowledged and is lost; {found} of {promised} are there")]
    Lost {
        /// Its number.
        seq: u64,
        /// How many changes were found.
        found: usize,
        /// How many had to be there.
        promised: usize,
    },
    /// A change is there that nobody wrote, or that was refused, or in the wrong place.
    #[error("change {seq} is there and was never appended, or was refused")]
    Invented {
        /// Its number.
        seq: u64,
    },
    /// The index that was brought up differs from one that was built from the log alone.
    #[error("the index differs from a rebuilt one, which has {rebuilt} entries")]
    Unequal {
        /// How many entries the rebuilt one has.
        rebuilt: usize,
    },
    /// Sound parts of the log were called damaged.
    #[error("a sound log was called damaged: {0}")]
    Blamed(Damage),
    /// A change reads wrong, or is missing, and nothing says so.
    #[error("change {seq} reads wrong or is missing, and nothing says so")]
    Silent {
        /// Its number.
        seq: u64,
    },
    /// The check of everything does not name a flipped bit.
    #[error("the check does not name the flipped bit at {at}")]
    Unnamed {
        /// Where it lies.
        at: Location,
    },
    /// The store opened but takes no change.
    #[error("the store takes no change after the crash")]
    Stuck,
}

/// What was seen at one start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How many changes were found.
    pub(crate) found: usize,
    /// Whether a torn tail was cut.
    pub(crate) torn: bool,
    /// Whether bytes that were never acknowledged were reported as damage: they lie before whole
    /// records of the same group, and the log does not cut between records.
    pub(crate) alarmed: bool,
    /// Whether the index was thrown away.
    pub(crate) rebuilt: bool,
}

/// Opens a store on files as a crash left them, with an index of some earlier moment, and checks
/// everything that was promised: first through that index, then through one built anew.
///
/// # Errors
/// A promise is broken.
pub(crate) fn check(
    files: &Files,
    index: Option<&Batch>,
    book: &Book,
    settings: StoreSettings,
) -> Result<Seen, Broken> {
    let tape = Tape::of(files.clone());
    let mut first = start(&tape, &engine_with(index), settings)?;
    let content = entries(&first.store)?;
    drop(first.store);
    let second = start(&tape, &engine_with(None), settings)?;
    let rebuilt = entries(&second.store)?;
    if content != rebuilt {
        return Err(Broken::Unequal { rebuilt: rebuilt.len() });
    }
    compare(&second.found, book)?;
    first.seen.found = second.found.len();
    Ok(first.seen)
}

/// A store after its start, with all that the replay met.
pub(crate) struct Started {
    /// The store.
    pub(crate) store: Store,
    /// The changes that the replay met.
    pub(crate) found: Vec<Change>,
    /// What the start called damaged.
    pub(crate) damages: Vec<Damage>,
    /// What the start did.
    pub(crate) seen: Seen,
}

/// Starts a store on a disk that was never damaged.
///
/// # Errors
/// It does not open, or sound parts of the log are said to be damaged.
pub(crate) fn start(
    tape: &Tape,
    engine: &MemoryEngine,
    settings: StoreSettings,
) -> Result<Started, Broken> {
    let started = bring_up(tape, &EngineChoice::Memory(engine.clone()), settings)?;
    let blamed = started.damages.iter().find(|damage| damage.kind != DamageKind::Records);
    blamed.map_or(Ok(()), |damage| Err(Broken::Blamed(*damage)))?;
    Ok(started)
}

/// Opens a store and replays, as a node does at its start.
///
/// # Errors
/// It does not open.
pub(crate) fn bring_up(
    tape: &Tape,
    engine: &EngineChoice,
    settings: StoreSettings,
) -> Result<Started, Broken> {
    let disk: Arc<dyn Disk> = Arc::new(tape.clone());
    let mut opened = Store::open(disk, engine, settings).map_err(Broken::Opening)?;
    let mut found = Vec::new();
    let replayed = opened.store.replay(opened.replay_from, &mut |index, record| {
        found.push(record.change.clone());
        enter(index, record)
    });
    let scanned = replayed.map_err(Broken::Replay)?;
    let seen = Seen {
        found: found.len(),
        torn: opened.torn_bytes > 0,
        alarmed: !opened.damages.is_empty(),
        rebuilt: opened.rebuild.is_some(),
    };
    let damages = [opened.damages, scanned.damages].concat();
    Ok(Started { store: opened.store, found, damages, seen })
}

/// What a store keeps in its index here: where each change lies, how many there are, and the last
/// one; a change that is entered twice, or not at all, is seen in the count.
pub(crate) fn enter(index: &mut Index, record: &Record) -> Result<(), IndexError> {
    let count = index.get(b"count")?.and_then(|bytes| bytes.try_into().ok());
    let count = count.map_or(0, u64::from_be_bytes) + 1;
    index.put(b"count", &count.to_be_bytes())?;
    index.put(b"last", record.change.id().as_bytes())?;
    index.put(record.change.id().as_bytes(), &record.location.to_bytes())
}

/// All entries of the index of a store.
///
/// # Errors
/// The index cannot be read.
pub(crate) fn entries(store: &Store) -> Result<Vec<Entry>, Broken> {
    let all = store.index().range(&KeyRange::all(), usize::MAX, Direction::Forward);
    all.map_err(|source| Broken::Replay(ReplayError::Index { source }))
}

/// All changes that the log of a store gives, in order.
pub(crate) fn changes(store: &Store) -> Result<Vec<Change>, Broken> {
    let mut found = Vec::new();
    let scanned = store.reader().scan(Checkpoint::default(), &mut |record| {
        found.push(record.change);
        ControlFlow::Continue(())
    });
    scanned.map_err(|source| Broken::Replay(ReplayError::Log { source }))?;
    Ok(found)
}

pub(crate) fn compare(found: &[Change], book: &Book) -> Result<(), Broken> {
    for (place, promised) in book.promised.iter().enumerate() {
        if found.get(place).is_none_or(|found| found.bytes() != promised.bytes()) {
            let (seq, found) = (promised.header().seq, found.len());
            return Err(Broken::Lost { seq, found, promised: book.promised.len() });
        }
    }
    let mut possible = book.possible.iter();
    for found in &found[book.promised.len()..] {
        if !possible.any(|possible| possible.bytes() == found.bytes()) {
            return Err(Broken::Invented { seq: found.header().seq });
        }
    }
    Ok(())
}

pub(crate) fn engine_with(content: Option<&Batch>) -> MemoryEngine {
    let engine = MemoryEngine::new();
    if let Some(content) = content {
        // A map in memory takes everything.
        drop(engine.apply(content));
    }
    engine
}

/// Copies all that an engine holds, the place in the log included.
pub(crate) fn copy_of(engine: &MemoryEngine) -> Batch {
    let mut copy = Batch::default();
    let read = engine.range(&KeyRange::all(), Direction::Forward, &mut |key, value| {
        copy.write(key, Some(value));
        ControlFlow::Continue(())
    });
    if let (Ok(()), Ok(Some(place))) = (read, engine.get(b"")) {
        copy.write(b"", Some(&place));
    }
    copy
}

/// One life of a store, drawn from a seed: starts, groups of changes, checkpoints, kills in the
/// middle of a call, power cuts, full segments.
pub(crate) struct Life {
    dice: Dice,
    settings: StoreSettings,
    tape: Tape,
    medium: Medium,
    engine: MemoryEngine,
    indexes: Vec<Batch>,
    book: Book,
    next: u64,
}

/// One moment of a life at which the power may go.
pub(crate) struct Moments<'a> {
    /// What is on the medium, and what may be.
    pub(crate) medium: &'a Medium,
    /// What must be there afterwards.
    pub(crate) book: &'a Book,
    /// The states that the index had so far; any of them may be found after the cut.
    pub(crate) indexes: &'a [Batch],
    /// How the store was opened.
    pub(crate) settings: StoreSettings,
}

/// Takes moments, and breaks the life off with what it found broken.
pub(crate) type Visit<'v> = &'v mut dyn FnMut(Moments<'_>) -> Result<(), Broken>;

impl Life {
    /// Draws how the store is set up.
    pub(crate) fn new(seed: u64) -> Life {
        let mut dice = Dice::new(seed);
        let segment_bytes = u32::try_from(dice.between(1500, 9000)).unwrap_or_default();
        let overlay_bytes = dice.between(300, 4000) as usize;
        let settings = StoreSettings {
            log: LogSettings { segment_bytes, reserve_bytes: 0 },
            index: IndexSettings { overlay_bytes, writing: Writing::Inline },
        };
        let tape = Tape::of(Files::default());
        tape.record();
        let (medium, engine) = (Medium::default(), MemoryEngine::new());
        let (indexes, book) = (Vec::new(), Book::default());
        Life { dice, settings, tape, medium, engine, indexes, book, next: 1 }
    }

    /// Lives through some starts and shows every moment between two calls on the disk.
    ///
    /// # Errors
    /// A start finds a promise broken, or `visit` does.
    pub(crate) fn run(&mut self, starts: u32, visit: Visit<'_>) -> Result<(), Broken> {
        for _ in 0..starts {
            match self.dice.below(4) {
                0 | 1 => {
                    let call = self.tape.calls() + self.dice.between(5, 90);
                    self.tape.fail_at(call, Fault::Killed);
                }
                _ => self.tape.forget_fault(),
            }
            self.session(visit)?;
            self.tape.forget_fault();
            self.tape.mend();
            if self.dice.below(2) == 0 {
                self.lose_power();
            }
        }
        Ok(())
    }

    /// One run of the process, to its end or to its sudden death.
    fn session(&mut self, visit: Visit<'_>) -> Result<(), Broken> {
        let started = start(&self.tape, &self.engine, self.settings);
        self.show(visit)?;
        let mut store = match started {
            Ok(started) => started.store,
            Err(Broken::Opening(_) | Broken::Replay(_)) if self.tape.failed().is_some() => {
                return Ok(());
            }
            Err(broken) => return Err(broken),
        };
        self.trust(&store)?;
        self.show(visit)?;
        for _ in 0..self.dice.between(4, 14) {
            if !self.append(&mut store, visit)? {
                return Ok(());
            }
            if store.index().checkpoint_due() {
                self.checkpoint(&mut store);
            }
        }
        if self.dice.below(2) == 0 {
            self.checkpoint(&mut store);
        }
        Ok(())
    }

    /// What a start shows is used and passed on, so it must stay.
    fn trust(&mut self, store: &Store) -> Result<(), Broken> {
        let found = match changes(store) {
            Err(_) if self.tape.failed().is_some() => return Ok(()),
            other => other?,
        };
        compare(&found, &self.book)?;
        self.book = Book { promised: found, possible: Vec::new() };
        Ok(())
    }

    /// Appends a group and enters it into the index; `false` if the process died over it.
    fn append(&mut self, store: &mut Store, visit: Visit<'_>) -> Result<bool, Broken> {
        let group = self.group();
        self.book.possible = group.clone();
        let appended = store.append(&group);
        self.show(visit)?;
        let Ok(locations) = appended else { return Ok(false) };
        self.book.promised.append(&mut self.book.possible);
        self.show(visit)?;
        for (location, change) in locations.into_iter().zip(group) {
            let record = Record { location, change, after: store.log().end() };
            let entered = enter(store.index_mut(), &record);
            entered.map_err(|source| Broken::Replay(ReplayError::Index { source }))?;
        }
        Ok(true)
    }

    fn checkpoint(&mut self, store: &mut Store) {
        // A map in memory takes everything.
        drop(store.checkpoint());
        self.indexes.push(copy_of(&self.engine));
    }

    /// Shows the moments behind every call since the last time, or the present one.
    fn show(&mut self, visit: Visit<'_>) -> Result<(), Broken> {
        let steps = self.tape.steps();
        if steps.is_empty() {
            return visit(self.moment());
        }
        for step in steps {
            self.medium.take(step);
            visit(self.moment())?;
        }
        Ok(())
    }

    fn moment(&self) -> Moments<'_> {
        let Life { medium, book, indexes, settings, .. } = self;
        Moments { medium, book, indexes, settings: *settings }
    }

    /// Goes on from one of the states that a power cut can leave.
    fn lose_power(&mut self) {
        let images = self.medium.images(30, &mut self.dice);
        let Some(image) = self.dice.pick(&images).cloned() else { return };
        self.tape = Tape::of(image.clone());
        self.tape.record();
        self.medium = Medium::of(image);
        let index = self.dice.pick(&self.indexes);
        self.engine = engine_with(index);
    }

    fn group(&mut self) -> Vec<Change> {
        let count = *self.dice.pick(&[1, 1, 1, 2, 3, 6]).unwrap_or(&1);
        (0..count).map(|_| self.change()).collect()
    }

    fn change(&mut self) -> Change {
        let seq = self.next;
        self.next += 1;
        let most = *self.dice.pick(&[60, 200, 200, 600, 2500]).unwrap_or(&60);
        let bytes = self.dice.between(10, most) as usize;
        written(seq, bytes)
    }
}

/// Signs a change with a number and a payload of some bytes.
pub(crate) fn written(seq: u64, bytes: usize) -> Change {
    let key = NodeKey::from_seed([7; 32]);
    let (author, incarnation, at) = (key.id(), Incarnation(3), Moment(1_500_000_000_000 + seq));
    let header = Header {
        document: DocumentId::derive(author, incarnation, seq, at),
        kind: Kind::DOSSIER,
        author,
        office: "QNA.TK".parse().expect("the id is well formed"),
        incarnation,
        seq,
        at,
        adds: Vec::new(),
    };
    let mut dice = Dice::new(seq);
    let payload: Vec<u8> = (0..bytes).map(|_| dice.draw() as u8).collect();
    Change::sign(header, &payload, &key).expect("the key is the author's")
}
