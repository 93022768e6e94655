//! A disk in memory that keeps a record of what was done to it and can fail at any one call.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lienthong_store::{Disk, DiskFile};

/// A [`Disk`] whose clones share the same files. Contents are shared until they are written, so
/// that a copy of a whole disk costs next to nothing.
#[derive(Clone, Default)]
pub(crate) struct Tape {
    state: Arc<Mutex<State>>,
}

/// Names with the files that they lead to, and the contents of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Files {
    /// Which file has which name.
    pub(crate) names: BTreeMap<String, u64>,
    /// What is in the files. A file without a name is lost at the next start.
    pub(crate) contents: BTreeMap<u64, Arc<Vec<u8>>>,
}

/// One call that changed a disk or made something durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A change of names, not durable before [`Step::SyncNames`].
    Name(Naming),
    /// All names were made durable.
    SyncNames,
    /// A file was changed, not durable before [`Step::SyncData`].
    File(u64, Writing),
    /// The content of a file was made durable.
    SyncData(u64),
}

/// A change of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// An empty file got a name.
    Create(String, u64),
    /// A file took another name: from, to.
    Rename(String, String),
    /// A name was removed.
    Remove(String),
}

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Bytes were written at an offset.
    Bytes(u64, Arc<[u8]>),
    /// The file was cut, or extended with zeros, to this many bytes.
    Length(u64),
}

/// How one call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with an input/output error and does nothing.
    Io,
    /// The disk is full: a write puts down its first half; syncs, creations and renames fail too.
    Full,
    /// The disk is full from this call on, until it is mended.
    StaysFull,
    /// The process is gone: this call and all later ones do nothing, until it is mended.
    Killed,
}

impl Tape {
    /// A disk with these files, which records nothing yet.
    pub(crate) fn of(files: Files) -> Tape {
        let next = files.contents.keys().last().map_or(0, |last| last + 1);
        let state = State { files, next, ..State::default() };
        Tape { state: Arc::new(Mutex::new(state)) }
    }

    /// Begins to record.
    pub(crate) fn record(&self) {
        self.state().steps = Some(Vec::new());
    }

    /// Takes what was recorded since the last time.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.state().steps.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The files as a reader sees them now.
    pub(crate) fn files(&self) -> Files {
        self.state().files.clone()
    }

    /// How many calls were made: those that read as well as those that write.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Makes the call with this number go wrong; the first has the number 1.
    pub(crate) fn fail_at(&self, call: u64, fault: Fault) {
        self.state().fault = Some((call, fault));
    }

    /// Frees a disk that was full and lets calls through again. A fault that was not met yet stays.
    pub(crate) fn mend(&self) {
        let mut state = self.state();
        (state.full, state.dead) = (false, false);
    }

    /// Takes a fault back that was not met.
    pub(crate) fn forget_fault(&self) {
        self.state().fault = None;
    }

    /// The name of the first call that went wrong, if one did.
    pub(crate) fn failed(&self) -> Option<&'static str> {
        self.state().failed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, id: u64) -> Arc<dyn DiskFile> {
        Arc::new(TapeFile { tape: self.clone(), id })
    }
}

impl Naming {
    /// Does the same to other names. One that is missing there is left missing.
    pub(crate) fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Naming::Create(name, id) => {
                names.insert(name.clone(), *id);
            }
            Naming::Rename(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
            Naming::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl Writing {
    /// Does the same to a content; a hole is filled with zeros.
    pub(crate) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Writing::Bytes(offset, bytes) => {
                let from = usize::try_from(*offset).unwrap_or(usize::MAX);
                let to = from.saturating_add(bytes.len());
                if content.len() < to {
                    content.resize(to, 0);
                }
                content[from..to].copy_from_slice(bytes);
            }
            Writing::Length(length) => {
                content.resize(usize::try_from(*length).unwrap_or(usize::MAX), 0);
            }
        }
    }
}

impl Disk for Tape {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.read("list")?;
        Ok(state.files.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.read("open")?;
        let id = *state.files.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(id))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.change("create")?;
        let id = state.next;
        state.next += 1;
        state.files.contents.insert(id, Arc::default());
        state.rename(Naming::Create(name.to_owned(), id));
        Ok(self.handle(id))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.change("rename")?;
        state.files.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.rename(Naming::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.read("remove")?;
        state.files.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        state.rename(Naming::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.state();
        state.change("sync of names")?;
        state.note(Step::SyncNames);
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let mut state = self.state();
        state.read("free bytes")?;
        Ok(if state.full { 0 } else { u64::MAX })
    }
}

struct TapeFile {
    tape: Tape,
    id: u64,
}

impl DiskFile for TapeFile {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.tape.state();
        state.read("length")?;
        Ok(state.content(self.id).len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.tape.state();
        state.read("read")?;
        let content = state.content(self.id);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let count = buffer.len().min(content.len() - from);
        buffer[..count].copy_from_slice(&content[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.tape.state();
        let outcome = state.change("write");
        let is_full = outcome.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::StorageFull);
        let written = match &outcome {
            Ok(()) => bytes,
            Err(_) if is_full => &bytes[..bytes.len() / 2],
            Err(_) => return outcome,
        };
        state.write(self.id, Writing::Bytes(offset, written.into()));
        outcome
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut state = self.tape.state();
        state.read("truncate")?;
        state.write(self.id, Writing::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.tape.state();
        state.change("sync")?;
        state.note(Step::SyncData(self.id));
        Ok(())
    }
}

#[derive(Default)]
struct State {
    files: Files,
    next: u64,
    steps: Option<Vec<Step>>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    full: bool,
    dead: bool,
    failed: Option<&'static str>,
}

impl State {
    /// Counts a call that needs room on the disk.
    fn change(&mut self, call: &'static str) -> io::Result<()> {
        self.count(call, true)
    }

    /// Counts a call that needs none.
    fn read(&mut self, call: &'static str) -> io::Result<()> {
        self.count(call, false)
    }

    fn count(&mut self, call: &'static str, needs_room: bool) -> io::Result<()> {
        self.calls += 1;
        let fault = self.fault.filter(|(at, _)| *at == self.calls).map(|(_, fault)| fault);
        self.full |= fault == Some(Fault::StaysFull);
        self.dead |= fault == Some(Fault::Killed);
        let fails = self.dead || fault == Some(Fault::Io);
        let full = needs_room && (self.full || fault == Some(Fault::Full));
        if fails || full {
            self.failed.get_or_insert(call);
        }
        if fails {
            return Err(io::Error::other("injected failure"));
        }
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn note(&mut self, step: Step) {
        if let Some(steps) = &mut self.steps {
            steps.push(step);
        }
    }

    fn rename(&mut self, naming: Naming) {
        naming.apply(&mut self.files.names);
        self.note(Step::Name(naming));
    }

    fn write(&mut self, id: u64, writing: Writing) {
        let content = self.files.contents.entry(id).or_default();
        writing.apply(Arc::make_mut(content));
        self.note(Step::File(id, writing));
    }

    fn content(&self, id: u64) -> &[u8] {
        self.files.contents.get(&id).map_or(&[], |content| content)
    }
}
