//! What the mind keeps for the viewer, and the questions that the view answers.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use lienthong_catalogue::local;
use lienthong_dossier::Status;
use lienthong_folder::Folder;
use lienthong_protocol::{DocumentId, Kind, Moment, OfficeId};
use lienthong_replica::{Entry, Verdict};
use lienthong_request::{Exit, Failure, Filter, SCHEMA};
use lienthong_store::{Checkpoint, Location};
use lienthong_views::{Pool, Query, Reader, SharedReceipt, ViewError};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::mind::{Mind, store_failed};
use crate::viewer::{Batch, FromViewer, Item, Lack};

/// How many documents are handed to the viewer at a time.
const BATCH: usize = 256;

/// What the view does not hold yet.
pub(crate) struct Queue {
    pub(crate) door: Arc<Door>,
    to_viewer: Sender<Batch>,
    /// Whether the viewer has said what the view lacks; before, it may lack anything.
    has_begun: bool,
    /// Whether the viewer waits for a batch.
    is_wanted: bool,
    grown: BTreeSet<DocumentId>,
    under_way: Vec<DocumentId>,
    /// How far the walk over all documents is, newest first; none if there is none to do.
    walk: Option<Walk>,
    /// How many times a document has grown since the start.
    growths: u64,
    /// How many nodes the registry has revoked.
    revoked: usize,
    /// The watermark that the viewer was given last.
    watermark: Option<Checkpoint>,
    is_to_begin_anew: bool,
}

#[derive(Clone, Copy, Default)]
struct Walk {
    below: Option<DocumentId>,
    done: u64,
    /// How many there are to walk over, about; known after the first step.
    all: u64,
}

impl Queue {
    pub(crate) fn new(door: Arc<Door>, to_viewer: Sender<Batch>, revoked: usize) -> Queue {
        Queue {
            door,
            to_viewer,
            has_begun: false,
            is_wanted: false,
            grown: BTreeSet::new(),
            under_way: Vec::new(),
            walk: None,
            growths: 0,
            revoked,
            watermark: None,
            is_to_begin_anew: false,
        }
    }

    /// A document says more than before, or less.
    pub(crate) fn grew(&mut self, document: DocumentId) {
        self.growths += 1;
        self.grown.insert(document);
    }

    /// The registry says something new. Changes of a revoked node may count no more, of which no
    /// document tells by itself.
    pub(crate) fn registry_changed(&mut self, revoked: usize) {
        if std::mem::replace(&mut self.revoked, revoked) != revoked {
            self.walk = Some(Walk::default());
        }
    }

    fn begin_anew(&mut self) {
        self.is_to_begin_anew = true;
        self.walk = Some(Walk::default());
    }

    fn hear(&mut self, said: &FromViewer) {
        match said {
            FromViewer::Begins(lack) => {
                self.has_begun = true;
                self.is_wanted = true;
                self.watermark = None;
                self.under_way.clear();
                match lack {
                    Lack::All => self.walk = Some(Walk::default()),
                    Lack::Documents(documents) => self.grown.extend(documents),
                }
            }
            FromViewer::Done => {
                self.is_wanted = true;
                self.under_way.clear();
            }
            FromViewer::Failed => {
                self.is_wanted = true;
                self.watermark = None;
                self.grown.extend(self.under_way.drain(..));
            }
            FromViewer::Named(documents) => self.grown.extend(documents),
            FromViewer::Unfit { .. } | FromViewer::Damaged(_) => {}
        }
    }

    fn behind(&self) -> u64 {
        let left = self.walk.map_or(0, |walk| walk.all.saturating_sub(walk.done));
        left + u64::from(!self.has_begun) + (self.grown.len() + self.under_way.len()) as u64
    }
}

/// Where questions are asked, from any thread, and what is known of how far the view is.
pub(crate) struct Door {
    readers: Pool,
    /// How many times a document had grown when the view last had all; none before it begins.
    through: watch::Sender<Option<u64>>,
    behind: AtomicU64,
    documents: AtomicU64,
}

impl Door {
    pub(crate) fn new(folder: &Folder) -> Arc<Door> {
        let readers = Pool::new(folder.path().join(FILE));
        let (through, _) = watch::channel(None);
        let (behind, documents) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Door { readers, through, behind, documents })
    }

    /// Asks the view something.
    pub(crate) fn read<T>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, ViewError>,
    ) -> Result<T, Failure> {
        self.readers.read(question).map_err(|error| view_failed(&error))
    }

    /// Waits until the view has everything up to a number of growths, but no longer than it may
    /// keep a person waiting; says whether it has.
    pub(crate) async fn catch_up(&self, growths: u64) -> bool {
        if self.behind.load(Ordering::Relaxed) > MAX_BEHIND {
            return false;
        }
        let mut through = self.through.subscribe();
        let has_all = through.wait_for(|known| known.is_some_and(|known| known >= growths));
        tokio::time::timeout(MAX_WAIT, has_all).await.is_ok_and(|known| known.is_ok())
    }

    /// How many documents the view does not hold yet in their last state, and how many it holds.
    pub(crate) fn figures(&self) -> (u64, u64) {
        (self.behind.load(Ordering::Relaxed), self.documents.load(Ordering::Relaxed))
    }

    /// Whether a question met damage since this was asked last.
    pub(crate) fn take_damage(&self) -> bool {
        self.readers.take_damage()
    }

    /// Says how many documents the view holds.
    pub(crate) fn set_documents(&self, documents: u64) {
        self.documents.store(documents, Ordering::Relaxed);
    }

    /// Says that the view has everything up to a number of growths.
    pub(crate) fn set_through(&self, growths: u64) {
        self.through.send_replace(Some(growths));
    }

    /// The file of the view.
    pub(crate) fn path(&self) -> &Path {
        self.readers.path()
    }

    /// Says how many documents the view does not hold yet in their last state.
    pub(crate) fn set_behind(&self, documents: u64) {
        self.behind.store(documents, Ordering::Relaxed);
    }

    /// Lets go of the file: it is another one, or is to be left alone.
    pub(crate) fn renew(&self) {
        self.readers.renew();
    }
}

/// What a list must show, and what it must not.
pub(crate) struct Outlook {
    /// When it is asked for.
    pub(crate) at: Moment,
    /// The office that asks.
    pub(crate) office: OfficeId,
    /// How often documents had grown: the list waits for the last of these.
    pub(crate) growths: u64,
    /// Procedures so sensitive that no list may say that somebody has such a dossier.
    pub(crate) hidden: Vec<String>,
}

/// The documents that the view may not hold in their last state.
pub(crate) struct Rest {
    /// What grew, newest first.
    pub(crate) documents: Vec<DocumentId>,
    /// Where the walk over all documents goes on: below this one, or from the newest.
    pub(crate) all_below: Option<Option<DocumentId>>,
}

impl Mind {
    pub(crate) fn hear_viewer(&mut self, said: FromViewer) -> Result<(), Failure> {
        self.viewer.hear(&said);
        match said {
            FromViewer::Unfit { document, changes } => self.set_aside(document, changes),
            FromViewer::Damaged(places) => {
                self.replica.shelf().suspect(&places);
                Ok(())
            }
            FromViewer::Begins(_)
            | FromViewer::Done
            | FromViewer::Failed
            | FromViewer::Named(_) => Ok(()),
        }
    }

    /// Hands documents to the viewer if it waits for some. With `is_idle` it is also told how far
    /// the log is when there are none.
    pub(crate) fn feed_viewer(&mut self, is_idle: bool) -> Result<(), Failure> {
        if self.viewer.door.take_damage() {
            tracing::warn!("view-damaged");
            self.viewer.begin_anew();
        }
        if self.viewer.is_wanted {
            let ids = self.next_for_viewer()?;
            let is_all = self.viewer.grown.is_empty() && self.viewer.walk.is_none();
            let end = self.replica.shelf().store.log().end();
            let is_news = is_idle && is_all && self.viewer.watermark != Some(end);
            if !ids.is_empty() || is_news || self.viewer.is_to_begin_anew {
                self.hand_over(ids, is_all.then_some(end))?;
            }
        }
        self.viewer.door.set_behind(self.viewer.behind());
        Ok(())
    }

    fn next_for_viewer(&mut self) -> Result<Vec<DocumentId>, Failure> {
        let mut ids = Vec::new();
        while let Some(id) = self.viewer.grown.pop_first() {
            ids.push(id);
            if ids.len() >= BATCH {
                return Ok(ids);
            }
        }
        let Some(Walk { below, done, all }) = self.viewer.walk else { return Ok(ids) };
        let all = match below {
            Some(_) => all,
            None => self.replica.status().map_err(store_failed)?.totals.documents,
        };
        let wanted = BATCH - ids.len();
        let page = self.replica.documents(Kind::DOSSIER, below, wanted).map_err(store_failed)?;
        let last = page.last().copied().filter(|_| page.len() == wanted);
        self.viewer.walk =
            last.map(|last| Walk { below: Some(last), done: done + page.len() as u64, all });
        ids.extend(page);
        Ok(ids)
    }

    fn hand_over(
        &mut self,
        ids: Vec<DocumentId>,
        watermark: Option<Checkpoint>,
    ) -> Result<(), Failure> {
        let mut items = Vec::with_capacity(ids.len());
        for id in &ids {
            let held = self.replica.document(*id).map_err(store_failed)?;
            let (kind, entries) = match held {
                Some((record, entries)) => (record.kind, entries),
                None => (Kind::DOSSIER, Vec::new()),
            };
            if kind == Kind::DOSSIER {
                items.push(Item { id: *id, changes: accepted(&entries) });
            }
        }
        let (catalogue, at) = (self.published()?.shared_catalogue(), self.now());
        let queue = &mut self.viewer;
        let through = queue.grown.is_empty().then_some(queue.growths);
        let anew = std::mem::take(&mut queue.is_to_begin_anew);
        queue.is_wanted = false;
        queue.under_way = ids;
        queue.watermark = watermark;
        // A viewer that is gone leaves the node without lists, not without work.
        drop(queue.to_viewer.send(Batch { items, at, catalogue, through, watermark, anew }));
        Ok(())
    }

    /// What a list that is asked for now is to show.
    pub(crate) fn outlook(&mut self) -> Result<Outlook, Failure> {
        let published = self.published()?;
        let at = self.now();
        let today = local(at).0;
        let mut hidden = BTreeSet::new();
        for (_, edition) in published.catalogue().editions() {
            let offered = edition.procedures_at(today);
            let versions = offered.filter_map(|held| edition.versions(&held.procedure.code));
            let sensitive = versions.flatten().filter(|held| held.procedure.sensitive.is_some());
            hidden.extend(sensitive.map(|held| held.procedure.code.clone()));
        }
        let growths = self.viewer.growths;
        let office = self.replica.identity().office;
        Ok(Outlook { at, office, growths, hidden: hidden.into_iter().collect() })
    }

    /// Throws the view away; it is made anew behind everything else.
    pub(crate) fn rebuild_views(&mut self) -> Result<Value, Failure> {
        self.viewer.begin_anew();
        self.feed_viewer(false)?;
        let (behind, _) = self.viewer.door.figures();
        Ok(json!({ "behind": behind }))
    }

    /// The documents with a code that the view holds, and where else to look.
    pub(crate) fn in_view(&self, code: &str) -> (Vec<DocumentId>, Rest) {
        match self.viewer.door.read(|reader| reader.by_code(code)) {
            Ok(known) => (known, self.not_in_view()),
            Err(_) => (Vec::new(), Rest { documents: Vec::new(), all_below: Some(None) }),
        }
    }

    pub(crate) fn not_in_view(&self) -> Rest {
        let queue = &self.viewer;
        let waiting = queue.grown.iter().chain(&queue.under_way).copied();
        let mut waiting: Vec<_> = waiting.collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        let walk = queue.walk.or((!queue.has_begun).then(Walk::default));
        Rest { documents: waiting, all_below: walk.map(|walk| walk.below) }
    }
}

fn accepted(entries: &[Entry]) -> Vec<(lienthong_protocol::ChangeId, Location)> {
    let accepted = entries.iter().filter(|entry| entry.verdict == Verdict::Accepted);
    let placed = accepted.map(|entry| {
        let place = entry.place;
        let (segment, offset, length) = (place.segment, place.offset, place.length);
        (entry.id, Location { segment, offset, length })
    });
    placed.collect()
}

/// Answers a list from the view, on the caller's thread.
pub(crate) fn list(door: &Door, filter: &Filter, outlook: Outlook) -> Result<Value, Failure> {
    let query = Query { hidden: outlook.hidden, ..query(filter, outlook.at)? };
    let page = door.read(|reader| reader.search(&query))?;
    let (behind, _) = door.figures();
    let is_first_review = filter.review && filter.after.is_none();
    let receipts = is_first_review.then(|| shared_receipts(door, outlook.office)).transpose()?;
    Ok(json!({
        "schema": SCHEMA,
        "dossiers": page.dossiers,
        "next": page.next.map(|next| next.to_string()),
        "behind": behind,
        "receipts": receipts,
    }))
}

/// The receipts of an office that stand in several dossiers.
fn shared_receipts(door: &Door, office: OfficeId) -> Result<Vec<Value>, Failure> {
    let shared = door.read(|reader| reader.shared_receipts(office, MAX_RECEIPTS))?;
    let told = shared.into_iter().map(|SharedReceipt { receipt, dossiers }| {
        let dossiers = dossiers.into_iter();
        let dossiers = dossiers.map(|(id, code)| json!({ "id": id.to_string(), "code": code }));
        json!({
            "series": receipt.series,
            "number": receipt.number,
            "dossiers": dossiers.collect::<Vec<_>>(),
        })
    });
    Ok(told.collect())
}

/// Adds to an answer about the node what the view says of all dossiers together, on the caller's
/// thread. While the view does not answer that is left out.
pub(crate) fn with_figures(door: &Door, mut answer: Value, outlook: Outlook) -> Value {
    let Outlook { at, office, hidden, .. } = outlook;
    let read = door.read(|reader| {
        let figures = reader.figures(at)?;
        let listed = Query { review: true, at, hidden, ..Query::default() };
        let receipts = reader.shared_receipts(office, MAX_RECEIPTS)?.len();
        Ok((figures, reader.count(&listed)?, receipts))
    });
    let views = answer["views"].as_object_mut();
    if let (Some(views), Ok((figures, listed, receipts))) = (views, read) {
        let (_, documents) = door.figures();
        let mut review = json!(figures.review);
        review["unlisted"] = figures.review.dossiers.saturating_sub(listed).into();
        review["receipts"] = receipts.into();
        views.insert("filings".into(), documents.saturating_sub(figures.parts).into());
        views.insert("overdue".into(), figures.overdue.into());
        views.insert("review".into(), review);
    }
    answer
}

fn query(filter: &Filter, at: Moment) -> Result<Query, Failure> {
    let Filter { status, after, .. } = filter;
    let status = status.map(|number| {
        let known = Status::ALL.into_iter().find(|status| status.number() == number);
        known.ok_or_else(|| {
            Failure::refused(
                "unknown-status",
                "chưa tìm / nothing was searched for",
                format!(
                    "không có trạng thái số {number}, chỉ từ 1 đến 10 / \
                     no status has that number, they run from 1 to 10"
                ),
                "see the numbers of the portal in `lienthong dossier list --help`",
            )
        })
    });
    let after = after
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: lienthong_views::QueryError| view_failed(&error.into()))?;
    let filter = filter.clone();
    Ok(Query {
        text: filter.text,
        status: status.transpose()?,
        due_before: filter.due_before,
        due_after: filter.due_after,
        overdue_at: filter.overdue.then_some(at),
        office: filter.office,
        officer: filter.officer,
        procedure: filter.procedure,
        review: filter.review,
        at,
        hidden: Vec::new(),
        limit: filter.limit,
        after,
    })
}

fn view_failed(error: &ViewError) -> Failure {
    let why = format!("{} / {error}", error.cause_vi());
    let remedy = format!("{} / {}", error.remedy_vi(), error.remedy());
    let (exit, what) = match error {
        ViewError::Query(_) => (Exit::Refused, "chưa tìm / nothing was searched for"),
        _ => (Exit::Store, "danh sách không trả lời / the view does not answer"),
    };
    Failure::new(exit, error.code(), what, why, remedy)
}

/// The view in the data folder; it may be deleted while the node does not run.
const FILE: &str = "views.db";
/// The most receipts used twice that are told; somebody mends these first.
const MAX_RECEIPTS: usize = 100;
/// How long a list waits for what was received just before.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How many documents the view may lack for a list to wait for them.
const MAX_BEHIND: u64 = 1_000;
