//! A disk in memory that can lose power, run full, fail and rot, the same way for the same seed.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, DiskFile};

/// A simulated [`Disk`]; clones share the same files, as two handles of one folder do.
///
/// Writes become durable by a sync only. [`SimDisk::crash`] keeps, drops or tears each write that
/// was not synced, and keeps some first part of the unsynced changes of names, as a journalling
/// file system does. Every call that changes something has a number, counted from 1: faults are
/// placed on those numbers, and [`SimDisk::journal`] lists them.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// A call that changed, or tried to change, a [`SimDisk`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskCall {
    /// An empty file of this name was made.
    Create(String),
    /// A file took another name: from, to.
    Rename(String, String),
    /// The file of this name was removed.
    Remove(String),
    /// Names were made durable.
    SyncDirectory,
    /// Bytes were written.
    Write {
        /// The name under which the file was opened.
        name: String,
        /// The offset of the first byte.
        offset: u64,
        /// How many bytes.
        bytes: usize,
    },
    /// A file was cut or extended.
    Truncate {
        /// The name under which the file was opened.
        name: String,
        /// Its new length, in bytes.
        length: u64,
    },
    /// The bytes of the file of this name were made durable.
    SyncData(String),
}

/// What goes wrong at a chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails and changes nothing; a sync that fails makes nothing durable.
    Fails,
    /// A write puts down its first half and fails with an input/output error.
    HalfWritten,
    /// The power goes: this call and every later one fail until [`SimDisk::crash`].
    PowerCut,
}

impl SimDisk {
    /// Makes an empty disk without a limit of size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits the sum of all file lengths, in bytes; a write beyond it stores what fits and fails.
    pub fn set_capacity_bytes(&self, capacity_bytes: Option<u64>) {
        self.state().capacity_bytes = capacity_bytes;
    }

    /// Places a fault on the changing call with this number (see [`SimDisk::calls`]).
    pub fn set_fault(&self, call: u64, fault: Fault) {
        self.state().faults.insert(call, fault);
    }

    /// Says how many changing calls were made so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Starts to record every changing call, or stops and forgets them.
    pub fn set_journal(&self, on: bool) {
        self.state().journal = on.then(Vec::new);
    }

    /// Lists the calls recorded since [`SimDisk::set_journal`].
    pub fn journal(&self) -> Vec<DiskCall> {
        self.state().journal.clone().unwrap_or_default()
    }

    /// Cuts the power and starts again: unsynced work is kept, dropped or torn by `seed`.
    ///
    /// Handles opened before are dead afterwards, and faults not yet met are forgotten.
    pub fn crash(&self, seed: u64) {
        let mut dice = Dice(seed);
        let mut state = self.state();
        let kept = dice.below(state.pending_names.len() as u64 + 1) as usize;
        let changes = std::mem::take(&mut state.pending_names);
        let mut names = std::mem::take(&mut state.durable_names);
        for change in changes.into_iter().take(kept) {
            change.apply(&mut names);
        }
        for file in state.files.values_mut() {
            file.crash(&mut dice);
        }
        state.durable_names = names.clone();
        state.names = names;
        state.epoch += 1;
        state.faults.clear();
        state.dark = false;
        let State { files, names, .. } = &mut *state;
        files.retain(|id, _| names.values().any(|named| named == id));
    }

    /// Copies the disk as it is now, unsynced work included, so that one moment can be crashed in
    /// many ways. Handles stay with the original.
    pub fn fork(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().clone())) }
    }

    /// Flips one bit (0 to 7) of a file, on the medium; returns whether there was such a byte.
    pub fn flip(&self, name: &str, offset: u64, bit: u32) -> bool {
        self.damage(name, |bytes| match bytes.get_mut(offset as usize) {
            Some(byte) => {
                *byte ^= 1 << (bit % 8);
                true
            }
            None => false,
        })
    }

    /// Replaces the whole content of a file on the medium; returns whether the file exists.
    pub fn overwrite(&self, name: &str, content: &[u8]) -> bool {
        self.damage(name, |bytes| {
            *bytes = content.to_vec();
            true
        })
    }

    /// Reads a whole file as a reader would see it, or nothing if there is none of that name.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let id = state.names.get(name)?;
        Some(state.files.get(id)?.seen.clone())
    }

    fn damage(&self, name: &str, change: impl Fn(&mut Vec<u8>) -> bool) -> bool {
        let mut state = self.state();
        let Some(id) = state.names.get(name).copied() else {
            return false;
        };
        let Some(file) = state.files.get_mut(&id) else {
            return false;
        };
        change(&mut file.durable);
        change(&mut file.seen)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, name: &str, id: u64, epoch: u64) -> Arc<dyn DiskFile> {
        Arc::new(SimFile { disk: self.clone(), name: name.to_owned(), id, epoch })
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.check_power()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.state();
        state.check_power()?;
        let id = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(name, id, state.epoch))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.call(|| DiskCall::Create(name.to_owned()))?;
        state.next_id += 1;
        let id = state.next_id;
        state.files.insert(id, SimInode::default());
        state.change_names(NameChange::Put { name: name.to_owned(), id });
        Ok(self.handle(name, id, state.epoch))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call(|| DiskCall::Rename(from.to_owned(), to.to_owned()))?;
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change_names(NameChange::Move { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call(|| DiskCall::Remove(name.to_owned()))?;
        if !state.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change_names(NameChange::Drop { name: name.to_owned() });
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.state();
        state.call(|| DiskCall::SyncDirectory)?;
        state.pending_names.clear();
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = self.state();
        state.check_power()?;
        Ok(state.free_bytes())
    }
}

struct SimFile {
    disk: SimDisk,
    name: String,
    id: u64,
    epoch: u64,
}

impl SimFile {
    fn with<T>(&self, ask: impl FnOnce(&SimInode) -> T) -> io::Result<T> {
        let state = self.disk.state();
        state.check_power()?;
        if state.epoch != self.epoch {
            return Err(io::Error::other("the handle is from before the crash"));
        }
        Ok(ask(state.files.get(&self.id).ok_or(io::ErrorKind::NotFound)?))
    }

    fn change(&self, call: DiskCall, pending: Option<Pending>) -> io::Result<()> {
        self.with(|_| ())?;
        let mut state = self.disk.state();
        let outcome = state.call(|| call);
        let free_bytes = state.free_bytes();
        let dark = state.dark;
        let file = state.files.get_mut(&self.id).ok_or(io::ErrorKind::NotFound)?;
        if dark {
            // The write was on its way when the power went: the crash decides what became of it.
            file.pending.extend(pending);
            return outcome.map(|_| ());
        }
        let halved = outcome?;
        let Some(pending) = pending else {
            file.sync();
            return Ok(());
        };
        file.write(pending, free_bytes, halved)
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.with(|file| file.seen.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|file| {
            let rest = file.seen.get(offset as usize..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            count
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let call = DiskCall::Write { name: self.name.clone(), offset, bytes: bytes.len() };
        self.change(call, Some(Pending::Write { offset, bytes: bytes.to_vec() }))
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let call = DiskCall::Truncate { name: self.name.clone(), length };
        self.change(call, Some(Pending::Truncate { length }))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change(DiskCall::SyncData(self.name.clone()), None)
    }
}

#[derive(Clone, Default)]
struct State {
    files: BTreeMap<u64, SimInode>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    pending_names: Vec<NameChange>,
    capacity_bytes: Option<u64>,
    faults: BTreeMap<u64, Fault>,
    journal: Option<Vec<DiskCall>>,
    next_id: u64,
    calls: u64,
    epoch: u64,
    dark: bool,
}

impl State {
    /// Counts a changing call and meets its fault; returns whether its write is to be halved.
    fn call(&mut self, call: impl FnOnce() -> DiskCall) -> io::Result<bool> {
        self.check_power()?;
        self.calls += 1;
        if let Some(journal) = &mut self.journal {
            journal.push(call());
        }
        match self.faults.remove(&self.calls) {
            None => Ok(false),
            Some(Fault::HalfWritten) => Ok(true),
            Some(Fault::Fails) => Err(io::Error::other("injected failure")),
            Some(Fault::PowerCut) => {
                self.dark = true;
                self.check_power().map(|()| false)
            }
        }
    }

    fn check_power(&self) -> io::Result<()> {
        if self.dark { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    fn change_names(&mut self, change: NameChange) {
        change.clone().apply(&mut self.names);
        self.pending_names.push(change);
    }

    fn free_bytes(&self) -> u64 {
        let Some(capacity_bytes) = self.capacity_bytes else {
            return u64::MAX;
        };
        let named = self.names.values().filter_map(|id| self.files.get(id));
        let used: u64 = named.map(|file| file.seen.len() as u64).sum();
        capacity_bytes.saturating_sub(used)
    }
}

#[derive(Clone)]
enum NameChange {
    Put { name: String, id: u64 },
    Move { from: String, to: String },
    Drop { name: String },
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Put { name, id } => {
                names.insert(name, id);
            }
            Self::Move { from, to } => {
                if let Some(id) = names.remove(&from) {
                    names.insert(to, id);
                }
            }
            Self::Drop { name } => {
                names.remove(&name);
            }
        }
    }
}

#[derive(Clone)]
enum Pending {
    Write { offset: u64, bytes: Vec<u8> },
    Truncate { length: u64 },
}

impl Pending {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(content, *offset as usize, bytes),
            Self::Truncate { length } => content.resize(*length as usize, 0),
        }
    }
}

/// A file: what readers see, what is on the medium, and the difference in order.
#[derive(Clone, Default)]
struct SimInode {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

impl SimInode {
    fn write(&mut self, mut pending: Pending, free_bytes: u64, halved: bool) -> io::Result<()> {
        let mut outcome = Ok(());
        if let Pending::Write { offset, bytes } = &mut pending {
            let room = (self.seen.len() as u64).saturating_add(free_bytes);
            let fits = room.saturating_sub(*offset).min(bytes.len() as u64) as usize;
            if fits < bytes.len() {
                bytes.truncate(fits);
                outcome = Err(io::ErrorKind::StorageFull.into());
            } else if halved {
                bytes.truncate(fits / 2);
                outcome = Err(io::Error::other("injected half write"));
            }
        }
        pending.apply(&mut self.seen);
        self.pending.push(pending);
        outcome
    }

    fn sync(&mut self) {
        for pending in self.pending.drain(..) {
            pending.apply(&mut self.durable);
        }
    }

    fn crash(&mut self, dice: &mut Dice) {
        for pending in std::mem::take(&mut self.pending) {
            match (dice.below(4), pending) {
                (0, _) => {}
                (1, Pending::Write { offset, bytes }) => self.tear(offset, bytes, dice),
                (_, kept) => kept.apply(&mut self.durable),
            }
        }
        self.seen = self.durable.clone();
    }

    /// Keeps a first part of a write, or every sector of it by the toss of a coin.
    fn tear(&mut self, offset: u64, mut bytes: Vec<u8>, dice: &mut Dice) {
        if dice.below(2) == 0 {
            bytes.truncate(dice.below(bytes.len() as u64 + 1) as usize);
            put(&mut self.durable, offset as usize, &bytes);
            return;
        }
        for (number, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
            if dice.below(2) == 0 {
                put(&mut self.durable, offset as usize + number * SECTOR_BYTES, sector);
            }
        }
    }
}

/// Writes into a content, filling a hole before it with zeros as file systems do.
fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

/// The smallest piece a medium writes as a whole, in bytes.
const SECTOR_BYTES: usize = 512;

/// SplitMix64: a short generator whose every seed is good.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

#[cfg(test)]
#[path = "sim_disk_tests.rs"]
mod tests;
