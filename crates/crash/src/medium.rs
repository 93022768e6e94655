//! Every state in which a power cut can leave a disk, from what was written and what was synced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dice::Dice;
use crate::tape::{Files, Naming, Step, Writing};

/// What is on the medium for certain, and what may be there besides.
///
/// A medium writes sectors of 512 bytes, each as a whole, in any order, and each in any state that
/// it had since the last sync; the length of a file arrives early, late or in between. Changes of
/// names arrive or not, each by itself, unless there are many: then a first part of them does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Medium {
    durable: Files,
    names: Vec<Naming>,
    writings: BTreeMap<u64, Vec<Writing>>,
}

impl Medium {
    /// A medium on which these files are, and nothing is under way.
    pub(crate) fn of(files: Files) -> Medium {
        Medium { durable: files, ..Medium::default() }
    }

    /// Follows one call.
    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Name(naming) => {
                if let Naming::Create(_, id) = &naming {
                    self.durable.contents.insert(*id, Arc::default());
                }
                self.names.push(naming);
            }
            Step::SyncNames => {
                for naming in std::mem::take(&mut self.names) {
                    naming.apply(&mut self.durable.names);
                }
            }
            Step::File(id, writing) => self.writings.entry(id).or_default().push(writing),
            Step::SyncData(id) => {
                let content = self.durable.contents.entry(id).or_default();
                for writing in self.writings.remove(&id).unwrap_or_default() {
                    writing.apply(Arc::make_mut(content));
                }
            }
        }
    }

    /// The states that a power cut can leave now. For each file about `most` of its states are
    /// looked for, all if there are no more, and each of them comes up at least once together with
    /// some state of the other files and of the names. No image comes up twice.
    pub(crate) fn images(&self, most: usize, dice: &mut Dice) -> Vec<Files> {
        let names = self.name_states();
        let ids: Vec<u64> = self.writings.keys().copied().collect();
        let contents: Vec<Vec<Arc<Vec<u8>>>> =
            ids.iter().map(|id| self.content_states(*id, most, dice)).collect();
        let sizes: Vec<usize> =
            std::iter::once(names.len()).chain(contents.iter().map(Vec::len)).collect();
        let mut images = BTreeSet::new();
        for choice in choices(&sizes, most, dice) {
            let mut image = Files { names: names[choice[0]].clone(), ..self.durable.clone() };
            for ((id, states), state) in ids.iter().zip(&contents).zip(&choice[1..]) {
                image.contents.insert(*id, Arc::clone(&states[*state]));
            }
            let named: BTreeSet<u64> = image.names.values().copied().collect();
            image.contents.retain(|id, _| named.contains(id));
            images.insert(image);
        }
        images.into_iter().collect()
    }

    fn name_states(&self) -> Vec<BTreeMap<String, u64>> {
        let count = self.names.len();
        let kept = |chosen: &dyn Fn(usize) -> bool| {
            let mut names = self.durable.names.clone();
            let chosen = self.names.iter().enumerate().filter(|(place, _)| chosen(*place));
            chosen.for_each(|(_, naming)| naming.apply(&mut names));
            names
        };
        let mut states: Vec<_> = if count <= MOST_FREE_NAMES {
            (0..1usize << count).map(|set| kept(&|place| set >> place & 1 == 1)).collect()
        } else {
            (0..=count).map(|first| kept(&|place| place < first)).collect()
        };
        states.sort();
        states.dedup();
        states
    }

    fn content_states(&self, id: u64, most: usize, dice: &mut Dice) -> Vec<Arc<Vec<u8>>> {
        let durable = self.durable.contents.get(&id).cloned().unwrap_or_default();
        let sectors = Sectors::of(&durable, &self.writings[&id], dice);
        let mut states = BTreeSet::new();
        for choice in choices(&sectors.sizes(), most, dice) {
            for length in sectors.lengths(&choice) {
                states.insert(sectors.content(&durable, &choice, length));
            }
        }
        for _ in 0..TORN_STATES {
            states.insert(sectors.torn(&durable, dice));
        }
        states.into_iter().map(Arc::new).collect()
    }
}

/// The sectors of one file that were written since its last sync, with all their states.
struct Sectors {
    states: BTreeMap<usize, Vec<[u8; SECTOR_BYTES]>>,
    lengths: BTreeSet<usize>,
}

impl Sectors {
    fn of(durable: &[u8], writings: &[Writing], dice: &mut Dice) -> Sectors {
        let mut now = durable.to_vec();
        let mut states: BTreeMap<usize, Vec<[u8; SECTOR_BYTES]>> = BTreeMap::new();
        let mut lengths = BTreeSet::from([durable.len()]);
        for writing in writings {
            let before = now.len();
            writing.apply(&mut now);
            lengths.insert(now.len());
            let (from, to) = match writing {
                Writing::Bytes(offset, bytes) => {
                    let from = usize::try_from(*offset).unwrap_or(usize::MAX);
                    (from.min(before), from + bytes.len())
                }
                Writing::Length(_) => (now.len().min(before), now.len().max(before)),
            };
            for sector in from / SECTOR_BYTES..to.div_ceil(SECTOR_BYTES) {
                let known = states.entry(sector).or_insert_with(|| vec![cut(durable, sector)]);
                let state = cut(&now, sector);
                if known.last() != Some(&state) {
                    known.push(state);
                }
            }
        }
        states.retain(|_, known| known.len() > 1);
        states.values_mut().for_each(|known| thin(known, dice));
        Sectors { states, lengths }
    }

    fn sizes(&self) -> Vec<usize> {
        self.states.values().map(Vec::len).collect()
    }

    /// The lengths that the file may have been given when these sectors arrived.
    fn lengths(&self, choice: &[usize]) -> BTreeSet<usize> {
        let arrived = self.states.keys().zip(choice).filter(|(_, state)| **state > 0);
        let reach = arrived.map(|(sector, _)| (sector + 1) * SECTOR_BYTES).next_back();
        let longest = self.lengths.last().copied().unwrap_or_default();
        let mut lengths: BTreeSet<usize> =
            reach.map(|reach| reach.min(longest)).into_iter().collect();
        // A file that is written again and again at the same places has few lengths.
        lengths.extend(self.lengths.iter().rev().take(MOST_LENGTHS));
        lengths.extend(self.lengths.first());
        lengths
    }

    fn content(&self, durable: &[u8], choice: &[usize], length: usize) -> Vec<u8> {
        let mut content = durable.to_vec();
        content.resize(content.len().max(self.longest()), 0);
        for ((sector, states), state) in self.states.iter().zip(choice) {
            let from = sector * SECTOR_BYTES;
            let to = content.len().min(from + SECTOR_BYTES);
            content[from..to].copy_from_slice(&states[*state][..to - from]);
        }
        content.resize(length, 0);
        content
    }

    /// A state beyond what sectors promise: everything up to some byte arrived, nothing behind.
    fn torn(&self, durable: &[u8], dice: &mut Dice) -> Vec<u8> {
        let newest: Vec<usize> = self.states.values().map(|states| states.len() - 1).collect();
        let all = self.content(durable, &newest, self.longest());
        let dirty: Vec<usize> = self.states.keys().copied().collect();
        let Some(sector) = dice.pick(&dirty) else { return all };
        let at = sector * SECTOR_BYTES + dice.place(SECTOR_BYTES).unwrap_or_default();
        let mut content = all[..at.min(all.len())].to_vec();
        content.extend(durable.iter().skip(content.len()));
        content
    }

    fn longest(&self) -> usize {
        self.lengths.last().copied().unwrap_or_default()
    }
}

/// One sector of a content; zeros behind its end.
fn cut(content: &[u8], sector: usize) -> [u8; SECTOR_BYTES] {
    let mut bytes = [0; SECTOR_BYTES];
    let rest = content.get(sector * SECTOR_BYTES..).unwrap_or_default();
    let count = rest.len().min(SECTOR_BYTES);
    bytes[..count].copy_from_slice(&rest[..count]);
    bytes
}

/// Keeps the oldest state, the newest ones and some of those between.
fn thin(states: &mut Vec<[u8; SECTOR_BYTES]>, dice: &mut Dice) {
    while states.len() > MOST_SECTOR_STATES {
        let between = states.len() - 1 - NEWEST_SECTOR_STATES;
        states.remove(1 + dice.place(between).unwrap_or_default());
    }
}

/// One state for each of some things: every combination if there are at most `most`; otherwise
/// the first parts, the last parts, each one alone old or new, each state of each thing, and by
/// chance as many more as make up `most`.
fn choices(sizes: &[usize], most: usize, dice: &mut Dice) -> Vec<Vec<usize>> {
    let product = sizes.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    if let Some(product) = product.filter(|product| *product <= most) {
        return (0..product).map(|number| digits(number, sizes)).collect();
    }
    let newest = |place: usize| sizes[place] - 1;
    let kept = |keeps: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..sizes.len()).map(|place| if keeps(place) { newest(place) } else { 0 }).collect()
    };
    let mut chosen = BTreeSet::new();
    for edge in 0..=sizes.len() {
        chosen.insert(kept(&|place| place < edge));
        chosen.insert(kept(&|place| place >= edge));
        chosen.insert(kept(&|place| place == edge));
        chosen.insert(kept(&|place| place != edge));
    }
    for (place, size) in sizes.iter().enumerate() {
        for state in 0..*size {
            let mut choice: Vec<usize> = sizes.iter().map(|size| draw(*size, dice)).collect();
            choice[place] = state;
            chosen.insert(choice);
        }
    }
    for _ in 0..most.saturating_sub(chosen.len()) {
        chosen.insert(sizes.iter().map(|size| draw(*size, dice)).collect());
    }
    chosen.into_iter().collect()
}

fn draw(size: usize, dice: &mut Dice) -> usize {
    dice.place(size).unwrap_or_default()
}

fn digits(mut number: usize, sizes: &[usize]) -> Vec<usize> {
    let mut digits = Vec::with_capacity(sizes.len());
    for size in sizes {
        digits.push(number % size);
        number /= size;
    }
    digits
}

/// What a medium writes as a whole, in bytes.
const SECTOR_BYTES: usize = 512;

/// Up to how many unsynced changes of names are kept and lost in every combination.
const MOST_FREE_NAMES: usize = 5;

/// How many states of one sector, and how many of them are the newest. The mark is written without
/// a sync after each group, so its sectors have as many states as there were groups.
const MOST_SECTOR_STATES: usize = 8;
const NEWEST_SECTOR_STATES: usize = 4;

/// How many of the longest lengths a file may be found with.
const MOST_LENGTHS: usize = 3;

/// How many states torn inside a sector are added for each file.
const TORN_STATES: usize = 6;

#[cfg(test)]
#[path = "medium_tests.rs"]
mod tests;
