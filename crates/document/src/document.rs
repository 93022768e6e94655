//! A document: taken payloads and what they say together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use automerge::transaction::CommitOptions;
use automerge::{ActorId, Automerge};
use lienthong_protocol::{Change, ChangeId, OfficeId};
use serde_json::Value;

use crate::actor::Actor;
use crate::editor::{EditError, Editor};
use crate::limits::MAX_SAVED_BYTES;
use crate::open::{self, Signed, Trust};
use crate::path::{Step, steps};
use crate::payload::{self, ChangeHash, guard};
use crate::read::{self, Entry, Origin, Replaced};
use crate::rehearsal::{Candidate, Refusal, Scene, content, heads_of, play, rehearse};

/// One document. What it says is a function of the payloads it has taken, whatever their order.
///
/// Nothing in it depends on a clock, and no random number reaches a payload or an export.
/// A panic of Automerge never leaves this crate, but the panic hook of the process still reports
/// it: the program installs a hook that keeps payloads out of its logs.
#[derive(Clone, Default)]
pub struct Document {
    inner: Automerge,
    taken: BTreeMap<ChangeHash, Taken>,
    /// The values that payloads replaced or deleted, or say that they do.
    replaced: Replaced,
}

/// What is known of a payload that was taken.
#[derive(Clone, Copy, Debug)]
struct Taken {
    /// The counter of its first operation.
    first: u64,
    /// The counter of its last.
    last: u64,
    /// Whether it depends on no other.
    is_opening: bool,
    /// The office in whose name it was signed; none for a draft, and where no header was seen.
    signer: Option<OfficeId>,
}

impl Document {
    /// Makes a document that says nothing yet.
    pub fn new() -> Document {
        Document::default()
    }

    /// Opens a document from a whole set of its signed changes, in any order, as
    /// [`Document::open`] does, and knows from their headers which office signed what. Each must
    /// be written by the actor of its author.
    pub fn open_changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Opened<ChangeId> {
        Document::of_changes(changes, Trust::New)
    }

    /// The same for changes that were opened together before and were all taken then, at half
    /// the cost, as [`Document::reopen`] does.
    pub fn reopen_changes<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Opened<ChangeId> {
        Document::of_changes(changes, Trust::Rehearsed)
    }

    fn of_changes<'a>(
        changes: impl IntoIterator<Item = &'a Change>,
        trust: Trust,
    ) -> Opened<ChangeId> {
        let mut document = Document::new();
        let changes = changes.into_iter().map(|change| (change, change.payload()));
        let refused = open::extend(&mut document, changes, |change| signed(change), trust);
        let refused = refused.into_iter().map(|(change, refusal)| (change.id(), refusal));
        Opened { document, refused: refused.collect() }
    }

    /// Opens a document from a whole set of payloads of any authors, in any order.
    ///
    /// `actor_of` gives the actor that a payload must be written by, or nothing if that was
    /// checked before. Bad payloads are refused alone, what depends on them is refused as missing
    /// a dependency, and the rest is taken. The outcome is a function of the set. A second copy of
    /// a payload is passed over.
    pub fn open<'a, K>(
        changes: impl IntoIterator<Item = (K, &'a [u8])>,
        actor_of: impl Fn(&K) -> Option<Actor>,
    ) -> Opened<K> {
        let mut document = Document::new();
        let refused = document.extend(changes, actor_of);
        Opened { document, refused }
    }

    /// Opens a document from payloads that were opened together before and were all taken then,
    /// at half the cost: they are applied, and the rehearsal, which would come out as it did, is
    /// left out. Payloads that cannot be applied are opened as [`Document::open`] does.
    pub fn reopen<'a, K>(changes: impl IntoIterator<Item = (K, &'a [u8])>) -> Opened<K> {
        let mut document = Document::new();
        let refused = open::extend(&mut document, changes, |_| Signed::default(), Trust::Rehearsed);
        Opened { document, refused }
    }

    /// Takes more payloads as [`Document::open`] does; gives those that it refused.
    ///
    /// If any was refused, open the document again from its whole set before the refusal is
    /// believed: only that outcome is the same at every node.
    pub fn extend<'a, K>(
        &mut self,
        changes: impl IntoIterator<Item = (K, &'a [u8])>,
        actor_of: impl Fn(&K) -> Option<Actor>,
    ) -> Vec<(K, Refusal)> {
        let signed = |key: &K| Signed { actor: actor_of(key), office: None };
        open::extend(self, changes, signed, Trust::New)
    }

    /// Takes one payload, whoever wrote it, after its rehearsal. A payload that was taken before
    /// is passed over.
    pub fn apply(&mut self, payload: &[u8]) -> Result<(), Refusal> {
        let refused = self.extend([((), payload)], |()| None);
        refused.into_iter().next().map_or(Ok(()), |(_, refusal)| Err(refusal))
    }

    /// Takes a draft. If nothing else was taken since it was made, this costs nothing more: the
    /// draft has been rehearsed on this very document.
    pub fn take(&mut self, draft: Draft) -> Result<(), Refusal> {
        if self.heads() != draft.base {
            return self.apply(&draft.payload);
        }
        *self = draft.after;
        Ok(())
    }

    /// Edits a copy of the document in the name of `actor` and gives the payload of the edit.
    ///
    /// The document takes it only by [`Document::take`] or [`Document::apply`]; a draft that is
    /// dropped leaves no trace. Make the next draft of an actor only after the last one was taken
    /// or dropped for good: two drafts on one state have the same number. The payload was
    /// rehearsed and holds no time.
    pub fn edit(
        &self,
        actor: Actor,
        change: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) -> Result<Draft, EditError> {
        let mut copy = self.inner.clone();
        copy.set_actor(ActorId::from(actor.as_bytes()));
        let mut editor = Editor::new(copy.transaction());
        let edited = change(&mut editor);
        let transaction = editor.finish();
        // A failed edit is committed too: the copy is dropped in any case, and a transaction
        // that is dropped open would roll back where a panic is not caught.
        let options = CommitOptions::default().with_time(0);
        let written = guard(|| transaction.commit_with(options).0);
        edited?;
        written.ok_or(EditError::Panicked)?.ok_or(EditError::Nothing)?;
        let change = guard(|| copy.get_last_local_change()).flatten();
        let payload = change.ok_or(EditError::Panicked)?.raw_bytes().to_vec();
        self.draft(payload, &copy)
    }

    /// Gives the heads: the payloads that no other taken one depends on, in the order of their
    /// bytes. Two documents with equal heads have taken the same payloads.
    pub fn heads(&self) -> Vec<ChangeHash> {
        heads_of(&self.inner).into_iter().collect()
    }

    /// Says whether the payload was taken.
    pub fn contains(&self, hash: ChangeHash) -> bool {
        self.taken.contains_key(&hash)
    }

    /// Gives the hashes of all taken payloads in the order of their bytes.
    pub fn hashes(&self) -> impl Iterator<Item = ChangeHash> {
        self.taken.keys().copied()
    }

    /// Says whether no payload was taken.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Reads the document as the payload that opened it wrote it, whatever others did to it later.
    /// Of several such payloads, which only a cheating author makes, the first by hash counts.
    pub fn opened(&self) -> Value {
        let Some(opening) = self.opening() else { return Value::Null };
        guard(|| read::whole_at(&self.inner, opening)).unwrap_or_default()
    }

    /// Reads the list that the opening payload made at `key`. Every entry is given as the payload
    /// that added it wrote it, also one that another payload changed, hid or deleted, in the order
    /// of their operation counters: an entry stands behind all those that its author saw.
    pub fn entries(&self, key: &str) -> Vec<Entry> {
        let Some(opening) = self.opening() else { return Vec::new() };
        let origin = |hash: &automerge::ChangeHash| {
            let Taken { first, last, signer, .. } =
                *self.taken.get(&ChangeHash::from_bytes(hash.0))?;
            Some(Origin { first, last, signer })
        };
        read::entries(&self.inner, key, opening, &self.replaced, origin)
    }

    /// The office in whose name a payload was signed; none where no header was seen.
    pub fn signer(&self, hash: ChangeHash) -> Option<OfficeId> {
        self.taken.get(&hash)?.signer
    }

    fn opening(&self) -> Option<automerge::ChangeHash> {
        let (hash, _) = self.taken.iter().find(|(_, taken)| taken.is_opening)?;
        Some(automerge::ChangeHash(*hash.as_bytes()))
    }

    /// Reads the whole document. Where offices wrote at once, it shows the winner.
    pub fn value(&self) -> Value {
        content(&self.inner)
    }

    /// Reads what stands at `path`.
    pub fn get<'p, S: Copy + Into<Step<'p>>>(&self, path: &[S]) -> Option<Value> {
        read::place(&self.inner, &steps(path))
    }

    /// Reads the string or the mergeable text at `path`.
    pub fn text<'p, S: Copy + Into<Step<'p>>>(&self, path: &[S]) -> Option<String> {
        match self.get(path)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Reads the whole number at `path`.
    pub fn integer<'p, S: Copy + Into<Step<'p>>>(&self, path: &[S]) -> Option<i64> {
        self.get(path)?.as_i64()
    }

    /// Gives the canonical export: compact JSON with sorted keys, the same bytes at every node
    /// that has taken the same payloads.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        read::canonical(&self.value(), &mut out);
        out
    }

    /// Saves the document, history included, in Automerge's own compressed form.
    pub fn save(&self) -> Vec<u8> {
        self.inner.save()
    }

    /// Loads a document that this node saved; who signed what is not saved. Never pass bytes of a
    /// peer: compressed content grows without a limit.
    pub fn load(saved: &[u8]) -> Result<Document, LoadError> {
        let bytes = saved.len();
        if bytes > MAX_SAVED_BYTES {
            return Err(LoadError::TooLong { bytes });
        }
        let loaded = guard(|| {
            let inner = Automerge::load(saved).ok()?;
            let changes = inner.get_changes(&[]);
            let replaced = changes.iter().flat_map(replaced_by).collect();
            let taken = changes.iter().map(|change| {
                let (first, last) = (change.start_op().get(), change.max_op());
                let is_opening = change.deps().is_empty();
                let hash = ChangeHash::from_bytes(change.hash().0);
                (hash, Taken { first, last, is_opening, signer: None })
            });
            let taken = taken.collect();
            content(&inner);
            Some(Document { inner, taken, replaced })
        });
        loaded.flatten().ok_or(LoadError::Damaged)
    }

    /// Takes candidates, in causal order and with all their dependencies here, all or none.
    pub(crate) fn rehearse_and_take<'a>(
        &mut self,
        candidates: impl Iterator<Item = &'a Candidate> + Clone,
    ) -> Result<(), Refusal> {
        let mut taken = self.counted(candidates.clone())?;
        let mut replaced = replaced_by_all(candidates.clone())?;
        self.inner = rehearse(&self.inner, candidates)?;
        self.taken.append(&mut taken);
        self.replaced.append(&mut replaced);
        Ok(())
    }

    /// The same without the rehearsal.
    pub(crate) fn play_and_take<'a>(
        &mut self,
        candidates: impl Iterator<Item = &'a Candidate> + Clone,
    ) -> Result<(), Refusal> {
        let mut taken = self.counted(candidates.clone())?;
        let mut replaced = replaced_by_all(candidates.clone())?;
        self.inner = play(&self.inner, candidates)?;
        self.taken.append(&mut taken);
        self.replaced.append(&mut replaced);
        Ok(())
    }

    /// Takes note of who signed another copy of a payload that was taken.
    pub(crate) fn sign(&mut self, copy: &Candidate) {
        if let Some(taken) = self.taken.get_mut(&copy.peek.hash) {
            taken.signer = open::least(taken.signer, copy.signer);
        }
    }

    /// What is to be known of each candidate, if each begins where it must.
    fn counted<'a>(
        &self,
        candidates: impl Iterator<Item = &'a Candidate>,
    ) -> Result<BTreeMap<ChangeHash, Taken>, Refusal> {
        let mut taken: BTreeMap<ChangeHash, Taken> = BTreeMap::new();
        for Candidate { peek, change, signer } in candidates {
            let ends = peek.dependencies.iter().filter_map(|dependency| {
                self.taken.get(dependency).or_else(|| taken.get(dependency)).map(|known| known.last)
            });
            let expected = ends.max().unwrap_or(0) + 1;
            let claimed = change.start_op().get();
            if claimed != expected {
                return Err(Refusal::Counter { claimed, expected });
            }
            let known = Taken {
                first: claimed,
                last: claimed + peek.operations - 1,
                is_opening: peek.dependencies.is_empty(),
                signer: *signer,
            };
            taken.insert(peek.hash, known);
        }
        Ok(taken)
    }

    fn draft(&self, payload: Vec<u8>, copy: &Automerge) -> Result<Draft, EditError> {
        let (peek, change) = payload::read(&payload).map_err(EditError::Payload)?;
        let (hash, dependencies) = (peek.hash, peek.dependencies.clone());
        let mut after = self.clone();
        let rehearsed = after.rehearse_and_take([Candidate { peek, change, signer: None }].iter());
        rehearsed.map_err(EditError::Rehearsal)?;
        // What was written must be what others will read.
        if guard(|| content(copy)) != Some(after.value()) {
            return Err(EditError::Rehearsal(Refusal::Rehearsal { scene: Scene::Content }));
        }
        Ok(Draft { payload, hash, dependencies, base: self.heads(), after })
    }
}

/// What a change must be written by, and in whose name it was signed.
fn signed(change: &Change) -> Signed {
    let header = change.header();
    let actor = Actor::derive(header.author, header.incarnation);
    Signed { actor: Some(actor), office: Some(header.office) }
}

/// The values that candidates replace or delete. Honest dossiers only grow, so that few are
/// decoded for it.
fn replaced_by_all<'a>(
    candidates: impl Iterator<Item = &'a Candidate>,
) -> Result<Replaced, Refusal> {
    let mut replaced = Replaced::new();
    for candidate in candidates.filter(|candidate| candidate.peek.replaced > 0) {
        let decoded = guard(|| replaced_by(&candidate.change).collect::<Vec<_>>());
        replaced.extend(decoded.ok_or(Refusal::Rehearsal { scene: Scene::Apply })?);
    }
    Ok(replaced)
}

fn replaced_by(change: &automerge::Change) -> impl Iterator<Item = (ActorId, u64)> {
    let operations = change.decode().operations.into_iter();
    let replaced =
        operations.flat_map(|operation| operation.pred.iter().cloned().collect::<Vec<_>>());
    replaced.map(|id| (id.1, id.0))
}

impl fmt::Debug for Document {
    /// Shows no content: documents hold personal data.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads: BTreeSet<_> = heads_of(&self.inner);
        formatter.debug_struct("Document").field("heads", &heads).finish_non_exhaustive()
    }
}

/// What came of opening a document.
#[derive(Clone, Debug)]
pub struct Opened<K> {
    /// The document, with every payload that it could take.
    pub document: Document,
    /// The payloads that it refused, by the caller's keys.
    pub refused: Vec<(K, Refusal)>,
}

/// An edit that is written, rehearsed and not taken yet.
#[derive(Clone, Debug)]
pub struct Draft {
    payload: Vec<u8>,
    hash: ChangeHash,
    dependencies: Vec<ChangeHash>,
    base: Vec<ChangeHash>,
    after: Document,
}

impl Draft {
    /// Gives the payload: one uncompressed Automerge change.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Gives the name of the payload.
    pub fn hash(&self) -> ChangeHash {
        self.hash
    }

    /// Gives the payloads that it depends on.
    pub fn dependencies(&self) -> &[ChangeHash] {
        &self.dependencies
    }

    /// Shows the document as it will be once it takes the draft.
    pub fn preview(&self) -> &Document {
        &self.after
    }
}

/// Why a saved document is not loaded. Rebuild it from its payloads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The bytes are more than any document that is saved here.
    #[error("saved document has {bytes} bytes, the limit is {MAX_SAVED_BYTES}")]
    TooLong {
        /// The length.
        bytes: usize,
    },
    /// The bytes are no saved document, or a damaged one.
    #[error("saved document is damaged")]
    Damaged,
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
