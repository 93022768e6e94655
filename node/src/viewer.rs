//! The view beside the mind: a thread that follows the documents behind the receiving path, and
//! readers that answer lists and searches.
//!
//! The mind knows which documents grew and hands them over when the viewer asks; the viewer opens
//! them, writes their rows, and moves its watermark over the log when nothing is left. After a
//! crash it begins at that watermark. Its threads stand behind all others for the processor, so
//! that a counter is served first.

use std::collections::BTreeSet;
use std::iter;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::Duration;

use lienthong_catalogue::Catalogue;
use lienthong_document::Document;
use lienthong_dossier::Dossier;
use lienthong_protocol::{Change, ChangeId, DocumentId, Kind, Moment, Tally};
use lienthong_request::Failure;
use lienthong_store::{Checkpoint, Location, LogReader, Position, ReadError};
use lienthong_views::{DossierRow, Rehearsals, ViewError, Views, Watermark};

use crate::list::Door;
use crate::mind::Message;
use crate::shelf::unfit;

/// How long the viewer waits before it tries a disk again that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How many threads open documents at most.
const MAX_WORKERS: usize = 4;
/// How many rows wait to be written at most.
const LOOKED: usize = 64;

/// What the viewer tells the mind.
#[derive(Debug)]
pub(crate) enum FromViewer {
    /// It is ready, and the view may lack these.
    Begins(Lack),
    /// The batch is in the view; another is wanted.
    Done,
    /// The batch could not be written; hand it over again.
    Failed,
    /// Rehearsal found changes that no document can take.
    Unfit { document: DocumentId, changes: Vec<ChangeId> },
    /// These records cannot be read.
    Damaged(Vec<Location>),
    /// The catalogue says more of these than it did when they were viewed.
    Named(Vec<DocumentId>),
}

/// What a view may lack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// These documents, and nothing else.
    Documents(BTreeSet<DocumentId>),
    /// Anything.
    All,
}

/// Documents for the view, with where their accepted changes lie.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) items: Vec<Item>,
    /// When they were handed over: what passed before by time alone is not looked for.
    pub(crate) at: Moment,
    /// What is known of procedures.
    pub(crate) catalogue: Arc<Catalogue>,
    /// How many times a document had grown when these were read, if these are the last.
    pub(crate) through: Option<u64>,
    /// Where the log ended then, if nothing is left.
    pub(crate) watermark: Option<Checkpoint>,
    /// Whether the view is to be thrown away before.
    pub(crate) anew: bool,
}

/// One document, or the fact that it is not held.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: DocumentId,
    pub(crate) changes: Vec<(ChangeId, Location)>,
}

/// What the viewer needs from the node.
pub(crate) struct Post {
    pub(crate) door: Arc<Door>,
    pub(crate) log: LogReader,
    /// Where the log ends before the mind runs.
    pub(crate) end: Checkpoint,
    pub(crate) to_mind: tokio::sync::mpsc::Sender<Message>,
    pub(crate) batches: Receiver<Batch>,
}

/// Starts the thread of the viewer; it ends when the mind does.
pub(crate) fn start(post: Post) -> Result<thread::JoinHandle<()>, Failure> {
    let path = post.door.path().to_owned();
    let started = thread::Builder::new().name("viewer".into()).spawn(move || follow(post));
    started.map_err(|error| Failure::disk("a thread", &path, &error))
}

fn follow(post: Post) {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "viewer-not-nicer");
    }
    let Some(views) = opened(&post) else { return };
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_WORKERS);
    let rehearsals = Rehearsals::open(&post.door.path().with_file_name(REHEARSED), REHEARSAL_RULES);
    let rehearsals = rehearsals.inspect_err(|error| tracing::warn!(%error, "rehearsals-not-kept"));
    let mut viewer = Viewer {
        views: Some(views),
        rehearsals: rehearsals.ok(),
        catalogue: Arc::default(),
        written: 0,
        is_untidy: false,
        workers,
        post,
    };
    let lack = viewer.lack();
    let mut said = FromViewer::Begins(lack);
    while viewer.post.to_mind.blocking_send(Message::Viewer(said)).is_ok() {
        let Some(batch) = viewer.next() else { return };
        said = match viewer.take(batch) {
            Ok(()) => FromViewer::Done,
            Err(error) => match viewer.recover(&error) {
                Some(said) => said,
                None => return,
            },
        };
    }
}

/// Opens the view as soon as the disk lets it; nothing if the node ends before.
fn opened(post: &Post) -> Option<Views> {
    loop {
        match Views::open(post.door.path()) {
            Ok(opened) => {
                if let Some(reason) = &opened.thrown_away {
                    tracing::warn!(%reason, "view-thrown-away");
                }
                post.door.renew();
                return Some(opened.views);
            }
            Err(error) => tracing::warn!(%error, "view-not-opened"),
        }
        match post.batches.recv_timeout(PAUSE) {
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) | Ok(_) => {}
        }
    }
}

struct Viewer {
    /// None only while the file is made anew.
    views: Option<Views>,
    /// None if the file of it cannot be used: then everything is rehearsed.
    rehearsals: Option<Rehearsals>,
    /// What was known of procedures at the last batch.
    catalogue: Arc<Catalogue>,
    /// How many rows were written since the view was tidied.
    written: usize,
    is_untidy: bool,
    workers: usize,
    post: Post,
}

impl Viewer {
    /// What the view may lack of what the log held when the node started.
    fn lack(&mut self) -> Lack {
        let Some(views) = &self.views else { return Lack::All };
        let Some(mark) = views.watermark().ok().flatten() else { return Lack::All };
        let position = Position { segment: mark.segment, offset: mark.offset };
        let mut tally = mark.tally;
        let mut documents = BTreeSet::new();
        let mut is_judged_anew = false;
        let from = Checkpoint { position, tally };
        let end = self.post.end;
        let scanned = self.post.log.scan(from, &mut |record| {
            if record.after.position > end.position {
                return ControlFlow::Break(());
            }
            tally = record.after.tally;
            let header = record.change.header();
            if header.kind == Kind::DOSSIER {
                documents.insert(header.document);
            }
            // What the registry says decides which changes of any document count.
            is_judged_anew |= header.kind == Kind::REGISTRY;
            ControlFlow::Continue(())
        });
        if position > end.position || scanned.is_err() || tally != end.tally {
            tracing::warn!("view-of-another-log");
            return Lack::All;
        }
        if is_judged_anew { Lack::All } else { Lack::Documents(documents) }
    }

    /// Waits for a batch, and tidies the view meanwhile if much was written.
    fn next(&mut self) -> Option<Batch> {
        while self.is_untidy {
            match self.post.batches.try_recv() {
                Ok(batch) => return Some(batch),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {
                    let tidied = self.views.as_mut().map(Views::tidy).transpose();
                    // An untidy view answers as well, and the next rebuild tries again.
                    self.is_untidy = tidied.ok().flatten().unwrap_or(false);
                }
            }
        }
        self.post.batches.recv().ok()
    }

    /// Brings a batch into the view.
    fn take(&mut self, batch: Batch) -> Result<(), ViewError> {
        if batch.anew {
            self.begin_anew()?;
        }
        let fresh = self.fresh(batch.items)?;
        self.bring(&fresh, &batch.catalogue, batch.at)?;
        if let Some(end) = batch.watermark {
            self.mark(end)?;
        }
        if !Arc::ptr_eq(&self.catalogue, &batch.catalogue) {
            self.name(&batch.catalogue)?;
            self.catalogue = batch.catalogue;
        }
        if let Some(growths) = batch.through {
            self.post.door.set_through(growths);
        }
        Ok(())
    }

    /// Those that the view does not hold in this state.
    fn fresh(&self, items: Vec<Item>) -> Result<Vec<Fresh>, ViewError> {
        let Some(views) = &self.views else { return Err(not_open()) };
        let mut fresh = Vec::with_capacity(items.len());
        for item in items {
            let seen = item.seen();
            if views.seen(item.id)? != Some(seen) {
                let held = self.rehearsals.as_ref().map(|held| held.holds(item.id, seen));
                let is_rehearsed = held.is_some_and(|held| held.unwrap_or(false));
                fresh.push(Fresh { item, seen, is_rehearsed });
            }
        }
        Ok(fresh)
    }

    /// Looks at documents on every worker, and writes those that are ready meanwhile.
    fn bring(
        &mut self,
        fresh: &[Fresh],
        catalogue: &Catalogue,
        at: Moment,
    ) -> Result<(), ViewError> {
        let (log, next) = (self.post.log.clone(), AtomicUsize::new(0));
        let look = |ready: mpsc::SyncSender<Looked>| {
            while let Some(fresh) = fresh.get(next.fetch_add(1, Ordering::Relaxed)) {
                if ready.send(fresh.look(&log, catalogue, at)).is_err() {
                    return;
                }
            }
        };
        thread::scope(|scope| {
            let (ready, looked) = mpsc::sync_channel(LOOKED);
            for _ in 0..self.workers.min(fresh.len()) {
                let ready = ready.clone();
                scope.spawn(|| look(ready));
            }
            drop(ready);
            while let Ok(first) = looked.recv() {
                self.write(iter::once(first).chain(looked.try_iter()))?;
            }
            Ok(())
        })
    }

    fn write(&mut self, looked: impl Iterator<Item = Looked>) -> Result<(), ViewError> {
        let Some(views) = self.views.as_mut() else { return Err(not_open()) };
        let (mut rows, mut gone, mut rehearsed) = (Vec::new(), Vec::new(), Vec::new());
        for Looked { document, row, rehearsed: set, said } in looked {
            match row {
                Some(row) => rows.push(*row),
                None => gone.push(document),
            }
            rehearsed.extend(set.map(|set| (document, set)));
            for said in said {
                // The mind ends: the next start finds them again.
                drop(self.post.to_mind.blocking_send(Message::Viewer(said)));
            }
        }
        views.apply(&rows, &gone, None)?;
        self.post.door.set_documents(views.documents());
        self.written += rows.len();
        let kept = self.rehearsals.as_mut().map(|held| held.keep(&rehearsed));
        if let Some(Err(error)) = kept {
            tracing::warn!(%error, "rehearsals-not-kept");
            self.rehearsals = None;
        }
        Ok(())
    }

    /// Says that the view holds everything that lies before a place in the log.
    fn mark(&mut self, end: Checkpoint) -> Result<(), ViewError> {
        let Some(views) = self.views.as_mut() else { return Err(not_open()) };
        let Checkpoint { position: Position { segment, offset }, tally } = end;
        views.apply(&[], &[], Some(Watermark { segment, offset, tally }))?;
        if self.written >= TIDY_AFTER {
            (self.written, self.is_untidy) = (0, true);
        }
        Ok(())
    }

    /// Asks for those again that were viewed before the catalogue named their procedures.
    fn name(&mut self, catalogue: &Catalogue) -> Result<(), ViewError> {
        let Some(views) = self.views.as_mut() else { return Err(not_open()) };
        for procedure in views.nameless_procedures()? {
            let mut editions = catalogue.editions();
            if editions.any(|(_, edition)| edition.versions(&procedure).is_some()) {
                let named = FromViewer::Named(views.read_anew(&procedure)?);
                // The mind ends: the next start asks for them again.
                drop(self.post.to_mind.blocking_send(Message::Viewer(named)));
            }
        }
        Ok(())
    }

    /// After an error: what to tell the mind, or nothing if the node ends.
    fn recover(&mut self, error: &ViewError) -> Option<FromViewer> {
        tracing::warn!(%error, "view-not-written");
        let is_damaged = matches!(error, ViewError::Damaged { .. }) || self.views.is_none();
        if is_damaged && self.begin_anew().is_ok() {
            return Some(FromViewer::Begins(Lack::All));
        }
        match self.post.batches.recv_timeout(PAUSE) {
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) | Ok(_) => Some(FromViewer::Failed),
        }
    }

    fn begin_anew(&mut self) -> Result<(), ViewError> {
        let begun = match self.views.take() {
            Some(views) => views.begin_anew()?,
            None => Views::open(self.post.door.path())?.views,
        };
        self.views = Some(begun);
        self.post.door.set_documents(0);
        self.post.door.renew();
        Ok(())
    }
}

impl Item {
    fn seen(&self) -> Tally {
        let mut tally = Tally::default();
        self.changes.iter().for_each(|(id, _)| tally.add(*id));
        tally
    }
}

/// A document to be opened.
struct Fresh {
    item: Item,
    /// All its changes.
    seen: Tally,
    /// Whether this very set was rehearsed before.
    is_rehearsed: bool,
}

/// A document that was opened.
struct Looked {
    document: DocumentId,
    /// None if it is not held, or is no dossier: nothing to show.
    row: Option<Box<DossierRow>>,
    /// All its changes, if they were rehearsed now and are fit.
    rehearsed: Option<Tally>,
    /// What the mind is to know: records that cannot be read, changes that nobody can take.
    said: Vec<FromViewer>,
}

impl Fresh {
    /// Opens the document. Changes whose records are damaged are left out, as the mind does.
    fn look(&self, log: &LogReader, catalogue: &Catalogue, at: Moment) -> Looked {
        let Fresh { item, seen, is_rehearsed } = self;
        let (mut changes, mut damaged) = (Vec::with_capacity(item.changes.len()), Vec::new());
        for (_, location) in &item.changes {
            match log.read(*location) {
                Ok(bytes) => changes.extend(Change::trusted(bytes).ok()),
                Err(ReadError::Io { .. }) => {}
                Err(_) => damaged.push(*location),
            }
        }
        let is_whole = changes.len() == item.changes.len();
        let is_known = *is_rehearsed && is_whole;
        let taken = || Dossier::of_taken(item.id, &changes);
        let (read, refused) = match is_known.then(taken).flatten() {
            Some(read) => (read, Vec::new()),
            None => {
                let open = if is_known { Document::reopen_changes } else { Document::open_changes };
                let opened = open(&changes);
                (Dossier::read(item.id, &opened.document), opened.refused)
            }
        };
        let is_news = !is_rehearsed && is_whole && !changes.is_empty() && refused.is_empty();
        let row = read.ok().map(|dossier| {
            let (code, version) = (&dossier.reception.procedure, dossier.reception.version);
            let procedure = catalogue.procedure_version(code, version).map(|held| &held.procedure);
            Box::new(DossierRow::of(&dossier, *seen, procedure, at))
        });
        let mut said = Vec::new();
        let (document, unfit) = (item.id, unfit(&refused));
        said.extend((!damaged.is_empty()).then_some(FromViewer::Damaged(damaged)));
        said.extend((!unfit.is_empty()).then_some(FromViewer::Unfit { document, changes: unfit }));
        Looked { document, row, rehearsed: is_news.then_some(*seen), said }
    }
}

fn not_open() -> ViewError {
    ViewError::File { source: std::io::Error::other("the view is not open") }
}

/// Beside the view: which documents were rehearsed. It may be deleted too; then a rebuild takes
/// longer.
const REHEARSED: &str = "rehearsed.db";
/// The number of the rules by which documents are rehearsed. Raise it when a document might take
/// less than before, as with another version of Automerge.
const REHEARSAL_RULES: u32 = 1;
/// How far the threads of the viewer stand behind others for the processor.
const NICENESS: i32 = 10;
/// After how many rows the full-text index is worth tidying.
const TIDY_AFTER: usize = 5_000;
