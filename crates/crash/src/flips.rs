//! Single flipped bits in the log and in the index: each must be harmless or be named.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_protocol::Change;
use lienthong_store::{
    Batch, EngineChoice, IndexError, IndexSettings, Location, LogSettings, MemoryEngine, ReadError,
    Record, ReplayError, SledSettings, Store, StoreSettings, Writing,
};
use thiserror::Error;

use crate::dice::Dice;
use crate::life::{Broken, Started, bring_up, copy_of, engine_with, enter, entries, written};
use crate::tape::{Files, Tape};

/// What flips came to. None of them was silent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flips {
    /// How many bits were flipped, each in a folder of its own.
    pub flips: u64,
    /// How many of them changed nothing that is read.
    pub harmless: u64,
    /// How many the next start named.
    pub at_start: u64,
    /// How many a start passes by and a read of the change named.
    pub by_read: u64,
    /// How many only the check of everything named; no change was harmed by them.
    pub by_check: u64,
    /// How many changes came back from a peer.
    pub repaired: u64,
}

/// What a flipped bit broke.
#[derive(Debug, Error)]
#[error("bit {bit} of byte {offset} of {file}, flip {flip} of seed {seed}, is not harmless")]
pub struct Flipped {
    /// The seed of the flips.
    pub seed: u64,
    /// Which flip it was, from 1.
    pub flip: u64,
    /// The file.
    pub file: String,
    /// The byte.
    pub offset: u64,
    /// The bit, 0 to 7.
    pub bit: u32,
    /// What was broken.
    #[source]
    pub broken: Broken,
}

/// Why flips in an index on disk could not be tried, or what they broke.
#[derive(Debug, Error)]
pub enum IndexFlipError {
    /// The folder cannot be used.
    #[error("the folder of the index cannot be used")]
    Folder(#[from] io::Error),
    /// The index could not be made.
    #[error("the index could not be made")]
    Making(#[source] Broken),
    /// A flip was not harmless.
    #[error(transparent)]
    Flipped(#[from] Box<Flipped>),
}

/// Flips bits in the files of a log, one at a time, and has every lost change come back.
///
/// # Errors
/// A flip is silent, or a change does not come back.
pub fn flip_log(seed: u64, count: u64) -> Result<Flips, Box<Flipped>> {
    let mut dice = Dice::new(seed);
    let mut flips = Flips::default();
    let mut stock = Stock::new(&mut dice);
    for flip in 1..=count {
        if flip % FLIPS_PER_LOG == 0 {
            stock = Stock::new(&mut dice);
        }
        let bit = stock.draw(&mut dice);
        let tried =
            stock.files_with(&bit).and_then(|files| stock.try_flip(&bit, files, &mut flips));
        let Bit { file, offset, bit } = bit;
        tried.map_err(|broken| Box::new(Flipped { seed, flip, file, offset, bit, broken }))?;
        flips.flips += 1;
    }
    Ok(flips)
}

/// Flips bits in the files of an index of sled, one at a time. Each start either finds a sound
/// index or builds it anew; both must be equal to the truth.
///
/// # Errors
/// A flip is silent.
pub fn flip_index(seed: u64, count: u64) -> Result<Flips, IndexFlipError> {
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir()?;
    let stock = IndexStock::new(folder.path(), &mut dice)?;
    let mut flips = Flips::default();
    for flip in 1..=count {
        let (bit, place) = stock.flip(&mut dice)?;
        let tried = stock.try_flip(&place, &mut flips);
        let Bit { file, offset, bit } = bit;
        tried.map_err(|broken| Box::new(Flipped { seed, flip, file, offset, bit, broken }))?;
        flips.flips += 1;
    }
    Ok(flips)
}

/// One bit of one file.
struct Bit {
    file: String,
    offset: u64,
    bit: u32,
}

/// A log with its index, both closed well, and all that is in it.
struct Stock {
    files: Files,
    index: Batch,
    changes: Vec<Change>,
}

impl Stock {
    fn new(dice: &mut Dice) -> Stock {
        let (tape, engine) = (Tape::of(Files::default()), MemoryEngine::new());
        let mut changes = Vec::new();
        let started = bring_up(&tape, &EngineChoice::Memory(engine.clone()), SETTINGS);
        let mut store = started.expect("the disk is sound").store;
        for _ in 0..dice.between(15, 30) {
            let first = changes.len() as u64 + 1;
            let group: Vec<Change> = (first..first + dice.between(1, 3))
                .map(|seq| written(seq, dice.between(20, 700) as usize))
                .collect();
            append(&mut store, &group).expect("the disk is sound");
            changes.extend(group);
        }
        store.close().expect("a map in memory takes everything");
        Stock { files: tape.files(), index: copy_of(&engine), changes }
    }

    fn draw(&self, dice: &mut Dice) -> Bit {
        let sizes = self.files.names.iter().map(|(name, id)| (name, self.files.contents[id].len()));
        let total: usize = sizes.clone().map(|(_, size)| size).sum();
        let mut at = dice.place(total).unwrap_or_default();
        let bit = dice.below(8) as u32;
        for (name, size) in sizes {
            if at < size {
                return Bit { file: name.clone(), offset: at as u64, bit };
            }
            at -= size;
        }
        Bit { file: String::new(), offset: 0, bit }
    }

    fn files_with(&self, bit: &Bit) -> Result<Files, Broken> {
        let mut files = self.files.clone();
        let id = files.names[&bit.file];
        let content = files.contents.get_mut(&id).ok_or(Broken::Stuck)?;
        Arc::make_mut(content)[bit.offset as usize] ^= 1 << bit.bit;
        Ok(files)
    }

    fn try_flip(&self, bit: &Bit, files: Files, flips: &mut Flips) -> Result<(), Broken> {
        let tape = Tape::of(files);
        let engine = EngineChoice::Memory(engine_with(Some(&self.index)));
        let Started { mut store, damages, seen, .. } = bring_up(&tape, &engine, SETTINGS)?;
        let named = !damages.is_empty() || seen.rebuilt || seen.torn;
        let harmed = self.harmed(&store, named)?;
        let checked = named_by_check(&store, bit)?;
        match (named, harmed.is_empty()) {
            (true, _) => flips.at_start += 1,
            (false, false) => flips.by_read += 1,
            (false, true) if checked => flips.by_check += 1,
            (false, true) => flips.harmless += 1,
        }
        store.index_mut().doubt();
        store.checkpoint().map_err(|source| Broken::Replay(ReplayError::Index { source }))?;
        drop(store);
        flips.repaired += self.repair(&tape, &engine)?;
        Ok(())
    }

    /// The changes that cannot be read through the index. A wrong one, or one that is missing
    /// without a word, is silent damage.
    fn harmed(&self, store: &Store, named: bool) -> Result<Vec<u64>, Broken> {
        let mut harmed = Vec::new();
        for change in &self.changes {
            let seq = change.header().seq;
            match read(store, change) {
                Ok(Some(bytes)) if bytes == *change.bytes() => {}
                Ok(None) if named => harmed.push(seq),
                Ok(_) => return Err(Broken::Silent { seq }),
                Err(ReadError::Damaged { .. }) => harmed.push(seq),
                Err(source) => return Err(Broken::Replay(ReplayError::Log { source })),
            }
        }
        Ok(harmed)
    }

    /// Builds the index anew, takes what is missing from a peer, and starts once more: everything
    /// must be there, and nothing may be in doubt.
    fn repair(&self, tape: &Tape, engine: &EngineChoice) -> Result<u64, Broken> {
        let Started { mut store, .. } = bring_up(tape, engine, SETTINGS)?;
        let mut missing = Vec::new();
        for change in &self.changes {
            if !matches!(read(&store, change), Ok(Some(bytes)) if bytes == *change.bytes()) {
                missing.push(change.clone());
            }
        }
        append(&mut store, &missing)?;
        store.close().map_err(|source| Broken::Replay(ReplayError::Index { source }))?;
        let Started { store, seen, .. } = bring_up(tape, engine, SETTINGS)?;
        for change in &self.changes {
            let seq = change.header().seq;
            let good = matches!(read(&store, change), Ok(Some(bytes)) if bytes == *change.bytes());
            if !good || seen.rebuilt {
                return Err(Broken::Silent { seq });
            }
        }
        Ok(missing.len() as u64)
    }
}

/// The bytes of a change, by way of the index; nothing if the index does not have it.
fn read(store: &Store, change: &Change) -> Result<Option<bytes::Bytes>, ReadError> {
    let place = store.index().get(change.id().as_bytes());
    match place.ok().flatten().and_then(|place| place.try_into().ok()) {
        Some(place) => store.reader().read(Location::from_bytes(place)).map(Some),
        None => Ok(None),
    }
}

/// Whether the check of everything names a flip. It must, if the flip is in a segment.
fn named_by_check(store: &Store, bit: &Bit) -> Result<bool, Broken> {
    let checked = store.reader().verify();
    let checked = checked.map_err(|source| Broken::Replay(ReplayError::Log { source }))?;
    let number = bit.file.strip_prefix("segment-").and_then(|name| name.strip_suffix(".log"));
    let Some(segment) = number.and_then(|number| number.parse().ok()) else {
        return Ok(!checked.damages.is_empty());
    };
    let offset = bit.offset as u32;
    let covers = checked.damages.iter().any(|damage| {
        damage.segment == segment && (damage.offset..damage.offset + damage.bytes).contains(&offset)
    });
    let at = Location { segment, offset, length: 1 };
    if covers { Ok(true) } else { Err(Broken::Unnamed { at }) }
}

fn append(store: &mut Store, group: &[Change]) -> Result<(), Broken> {
    let locations = store.append(group).map_err(|_| Broken::Stuck)?;
    for (location, change) in locations.into_iter().zip(group) {
        let record = Record { location, change: change.clone(), after: store.log().end() };
        let entered = enter(store.index_mut(), &record);
        entered.map_err(|source| Broken::Replay(ReplayError::Index { source }))?;
    }
    Ok(())
}

/// An index of sled in a folder, closed well, over a log in memory.
struct IndexStock {
    files: Files,
    folder: PathBuf,
    truth: Vec<lienthong_store::Entry>,
    contents: Vec<(String, Vec<u8>)>,
}

impl IndexStock {
    fn new(folder: &Path, dice: &mut Dice) -> Result<IndexStock, IndexFlipError> {
        let tape = Tape::of(Files::default());
        let engine = EngineChoice::Sled(SledSettings::new(folder));
        let making = IndexFlipError::Making;
        let mut store = bring_up(&tape, &engine, SETTINGS).map_err(making)?.store;
        for first in (1..INDEXED_CHANGES).step_by(5) {
            let group: Vec<Change> =
                (first..first + 5).map(|seq| written(seq, dice.between(10, 60) as usize)).collect();
            append(&mut store, &group).map_err(making)?;
            if store.index().checkpoint_due() {
                store.checkpoint().map_err(broken_index).map_err(making)?;
            }
        }
        let truth = entries(&store).map_err(making)?;
        store.close().map_err(broken_index).map_err(making)?;
        // The next start waits until sled has let go of its files.
        drop(bring_up(&tape, &engine, SETTINGS).map_err(making)?);
        drop(bring_up(&tape, &engine, SETTINGS).map_err(making)?);
        let contents = contents_of(&folder.join("sled"), "")?;
        Ok(IndexStock { files: tape.files(), folder: folder.to_owned(), truth, contents })
    }

    /// Makes a fresh copy of the index with one bit flipped: half of the time anywhere, else in
    /// bytes that are not zero, because sled's files are mostly empty.
    fn flip(&self, dice: &mut Dice) -> io::Result<(Bit, PathBuf)> {
        let place = self.folder.join("copy");
        absent_is_fine(fs::remove_dir_all(&place))?;
        let total: usize = self.contents.iter().map(|(_, content)| content.len()).sum();
        let anywhere = dice.below(2) == 0;
        let (file, offset) = loop {
            let (file, offset) = self.locate(dice.place(total).unwrap_or_default());
            if anywhere || self.contents[file].1[offset] != 0 {
                break (file, offset);
            }
        };
        let bit = dice.below(8) as u32;
        for (number, (name, content)) in self.contents.iter().enumerate() {
            let path = place.join("sled").join(name);
            fs::create_dir_all(path.parent().unwrap_or(&place))?;
            let mut content = content.clone();
            if number == file {
                content[offset] ^= 1 << bit;
            }
            fs::write(path, content)?;
        }
        let file = self.contents[file].0.clone();
        Ok((Bit { file, offset: offset as u64, bit }, place))
    }

    fn locate(&self, mut at: usize) -> (usize, usize) {
        for (number, (_, content)) in self.contents.iter().enumerate() {
            if at < content.len() {
                return (number, at);
            }
            at -= content.len();
        }
        (0, 0)
    }

    fn try_flip(&self, place: &Path, flips: &mut Flips) -> Result<(), Broken> {
        let tape = Tape::of(self.files.clone());
        let engine = EngineChoice::Sled(SledSettings::new(place));
        let Started { store, seen, .. } = bring_up(&tape, &engine, SETTINGS)?;
        let told = match entries(&store) {
            Ok(found) if found == self.truth => seen.rebuilt,
            Ok(_) => return Err(Broken::Unequal { rebuilt: self.truth.len() }),
            Err(_) => {
                drop(store);
                return self.rebuilt(&tape, &engine, flips);
            }
        };
        flips.at_start += u64::from(told);
        flips.harmless += u64::from(!told);
        Ok(())
    }

    /// An index that fails under way ends the process; the next start builds it anew.
    fn rebuilt(&self, tape: &Tape, engine: &EngineChoice, flips: &mut Flips) -> Result<(), Broken> {
        let Started { store, .. } = bring_up(tape, engine, SETTINGS)?;
        if entries(&store)? != self.truth {
            return Err(Broken::Unequal { rebuilt: self.truth.len() });
        }
        flips.by_read += 1;
        Ok(())
    }
}

fn contents_of(folder: &Path, prefix: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut contents = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            contents.extend(contents_of(&entry.path(), &format!("{name}/"))?);
        } else {
            contents.push((name, fs::read(entry.path())?));
        }
    }
    contents.sort();
    Ok(contents)
}

fn absent_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn broken_index(source: IndexError) -> Broken {
    Broken::Replay(ReplayError::Index { source })
}

impl fmt::Display for Flips {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flips { flips, harmless, at_start, by_read, by_check, repaired } = self;
        write!(
            formatter,
            "{flips} flips: 0 silent; {harmless} harmless, {at_start} named at the start, \
             {by_read} by a read, {by_check} by the check alone; {repaired} changes repaired"
        )
    }
}

const SETTINGS: StoreSettings = StoreSettings {
    log: LogSettings { segment_bytes: 3000, reserve_bytes: 0 },
    index: IndexSettings { overlay_bytes: 4000, writing: Writing::Inline },
};

/// After how many flips another log is written.
const FLIPS_PER_LOG: u64 = 2000;

/// How many changes the index on disk holds.
const INDEXED_CHANGES: u64 = 600;

#[cfg(test)]
#[path = "flips_tests.rs"]
mod tests;
