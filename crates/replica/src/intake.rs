//! Taking stored changes into the index: verdicts, audiences, calendars, counts.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_document::ChangeHash;
use lienthong_protocol::{ChangeId, DocumentId, Incarnation, Moment, NodeId, OfficeId};

use crate::admission::{Inspected, Judged, Law, judge_all};
use crate::entry::{Entry, Quarantined, Record, Totals, Verdict, Waiting};
use crate::event::LinkId;
use crate::ledger::{Deltas, Ledger, Membership};
use crate::replica::Replica;
use crate::shelf::{Place, Shelf, ShelfError};

/// A change that is durable in the log, with the place where it lies.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The change.
    pub item: Inspected,
    /// Where it lies.
    pub place: Place,
}

/// What taking in changes did to one document.
pub(crate) struct Absorbed {
    pub(crate) document: DocumentId,
    /// All its entries; those from `new_from` on are new.
    pub(crate) entries: Vec<Entry>,
    pub(crate) new_from: usize,
    pub(crate) before: Membership,
    pub(crate) after: Membership,
    /// Whether more of its changes are accepted than before.
    pub(crate) grew: bool,
}

impl Absorbed {
    /// The entries that an office does not have from here yet.
    pub(crate) fn news_for(&self, office: OfficeId) -> &[Entry] {
        if !self.after.includes(office) {
            return &[];
        }
        let from = if self.before.includes(office) { self.new_from } else { 0 };
        &self.entries[from..]
    }
}

/// Where newly stored changes come from.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    own: BTreeSet<ChangeId>,
    brought: BTreeSet<ChangeId>,
    by: Option<LinkId>,
}

impl Origin {
    /// `by` is the link that brought them, if one did.
    pub(crate) fn of(stored: &[Stored], node: NodeId, by: Option<LinkId>) -> Origin {
        let ids = |is_in: &dyn Fn(&Stored) -> bool| -> BTreeSet<ChangeId> {
            stored.iter().filter(|one| is_in(one)).map(|one| one.item.change.id()).collect()
        };
        let own = ids(&|one| one.item.change.header().author == node);
        Origin { own, brought: ids(&|_| by.is_some()), by }
    }

    /// How many of these this node has written.
    pub(crate) fn count_own(&self, entries: &[Entry]) -> u64 {
        entries.iter().filter(|entry| self.own.contains(&entry.id)).count() as u64
    }

    /// Whether a link has just brought this.
    pub(crate) fn was_brought_by(&self, link: LinkId, entry: &Entry) -> bool {
        self.by == Some(link) && self.brought.contains(&entry.id)
    }
}

/// Takes in changes of any number of documents. Changes that are here already are left alone.
pub(crate) fn absorb<S: Shelf>(
    ledger: &mut Ledger<S>,
    law: Law<'_>,
    stored: Vec<Stored>,
) -> Result<Vec<Absorbed>, ShelfError> {
    let mut groups: BTreeMap<DocumentId, Vec<Stored>> = BTreeMap::new();
    for change in stored {
        groups.entry(change.item.change.header().document).or_default().push(change);
    }
    let mut books = Books::open(ledger)?;
    let mut absorbed = Vec::with_capacity(groups.len());
    for (document, group) in groups {
        absorbed.extend(books.absorb_document(ledger, law, document, group)?);
    }
    books.close(ledger)?;
    Ok(absorbed)
}

/// Judges documents anew, after the registry changed.
pub(crate) fn judge_again<S: Shelf>(
    ledger: &mut Ledger<S>,
    law: Law<'_>,
    documents: &[DocumentId],
) -> Result<Vec<Absorbed>, ShelfError> {
    let mut books = Books::open(ledger)?;
    let mut absorbed = Vec::new();
    for document in documents {
        let Some(record) = ledger.record(*document)? else { continue };
        let mut page = Page::open(ledger, law, *document, record)?;
        books.doubt_unfit(&mut page);
        absorbed.push(books.judge_page(ledger, law, page)?);
    }
    books.close(ledger)?;
    Ok(absorbed)
}

/// Notes that rehearsal found changes unfit, and what that means for those that build on them.
pub(crate) fn quarantine<S: Shelf>(
    ledger: &mut Ledger<S>,
    law: Law<'_>,
    document: DocumentId,
    unfit: &[ChangeId],
) -> Result<Option<Absorbed>, ShelfError> {
    let Some(record) = ledger.record(document)? else { return Ok(None) };
    let mut page = Page::open(ledger, law, document, record)?;
    let mut books = Books::open(ledger)?;
    for entry in page.entries.iter_mut().filter(|entry| unfit.contains(&entry.id)) {
        books.totals.recount(entry.verdict, UNFIT);
        entry.verdict = UNFIT;
    }
    let absorbed = books.judge_page(ledger, law, page)?;
    books.close(ledger)?;
    Ok(Some(absorbed))
}

/// Takes changes whose records are damaged out of a document, out of the shared sets and out of
/// the counts, and says which. Who wrote them cannot be read any more, so their numbers stay noted
/// as held.
fn forget<S: Shelf>(
    ledger: &mut Ledger<S>,
    law: Law<'_>,
    document: DocumentId,
    is_lost: &dyn Fn(&Entry) -> bool,
) -> Result<Vec<ChangeId>, ShelfError> {
    let Some(record) = ledger.record(document)? else { return Ok(Vec::new()) };
    let mut page = Page::open(ledger, law, document, record)?;
    let (lost, kept): (Vec<Entry>, Vec<Entry>) = page.entries.iter().partition(|e| is_lost(e));
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let mut books = Books::open(ledger)?;
    for entry in &lost {
        books.totals.uncount(entry.verdict);
        for shared in &page.before.sets {
            books.deltas.entry((*shared, entry.minute / 60)).or_default().remove(entry.id);
        }
    }
    page.new_from = kept.len();
    page.entries = kept;
    books.judge_page(ledger, law, page)?;
    books.close(ledger)?;
    Ok(lost.iter().map(|entry| entry.id).collect())
}

impl<S: Shelf> Replica<S> {
    /// Takes what lies in damaged places out of the index, and tells the links how this end stands
    /// now: whoever has it brings it back.
    pub(crate) fn lose(&mut self, now: Moment, places: &[Place]) -> Result<(), ShelfError> {
        let law = Law { federation: self.me.federation, registry: &self.registry };
        let is_lost = |entry: &Entry| places.iter().any(|place| place.overlaps(entry.place));
        let mut any = false;
        for document in self.ledger.all_documents()? {
            let lost = forget(&mut self.ledger, law, document, &is_lost)?;
            if !lost.is_empty() {
                any = true;
                self.lost.entry(document).or_default().extend(lost);
            }
        }
        if !any {
            return Ok(());
        }
        for link in self.links.values_mut() {
            link.settled = false;
        }
        self.tend_all(now)
    }

    /// Notes what has come back of that which was lost.
    pub(crate) fn found(&mut self, news: &Absorbed) {
        let Some(lost) = self.lost.get_mut(&news.document) else { return };
        for entry in &news.entries[news.new_from..] {
            lost.remove(&entry.id);
        }
        if lost.is_empty() {
            self.lost.remove(&news.document);
        }
    }
}

/// One document while its changes are judged.
struct Page {
    document: DocumentId,
    record: Record,
    entries: Vec<Entry>,
    new_from: usize,
    before: Membership,
    accepted_before: usize,
}

impl Page {
    fn open<S: Shelf>(
        ledger: &Ledger<S>,
        law: Law<'_>,
        document: DocumentId,
        record: Record,
    ) -> Result<Page, ShelfError> {
        let entries = ledger.entries(document, &record)?;
        let before = match entries.is_empty() {
            true => Membership::default(),
            false => ledger.membership(&record, &entries, law.registry),
        };
        let (new_from, accepted_before) = (entries.len(), accepted(&entries));
        Ok(Page { document, record, entries, new_from, before, accepted_before })
    }
}

/// Counts that a whole batch changes, written once at its end.
struct Books {
    totals: Totals,
    deltas: Deltas,
    written: BTreeMap<(NodeId, Incarnation), Vec<u64>>,
}

impl Books {
    fn open<S: Shelf>(ledger: &Ledger<S>) -> Result<Books, ShelfError> {
        let totals = ledger.totals()?;
        Ok(Books { totals, deltas: Deltas::new(), written: BTreeMap::new() })
    }

    fn close<S: Shelf>(self, ledger: &mut Ledger<S>) -> Result<(), ShelfError> {
        ledger.set_totals(&self.totals)?;
        ledger.apply_deltas(self.deltas)?;
        ledger.count_authors(&self.written)
    }

    fn absorb_document<S: Shelf>(
        &mut self,
        ledger: &mut Ledger<S>,
        law: Law<'_>,
        document: DocumentId,
        group: Vec<Stored>,
    ) -> Result<Option<Absorbed>, ShelfError> {
        let known = ledger.record(document)?;
        if known.is_none() {
            self.totals.documents += 1;
        }
        let opened_as = group[0].item.change.header().kind;
        let record = known.unwrap_or_else(|| Record::new(opened_as));
        let mut page = Page::open(ledger, law, document, record)?;
        let mut here: BTreeSet<ChangeId> = page.entries.iter().map(|entry| entry.id).collect();
        let group: Vec<Stored> =
            group.into_iter().filter(|stored| here.insert(stored.item.change.id())).collect();
        if group.is_empty() {
            return Ok(None);
        }
        let unsettled = ledger.is_unsettled(document)?;
        let mut judged = judged_so_far(&page.record, &page.entries);
        for stored in &group {
            let verdict = judged.judge(&stored.item, law);
            self.totals.count(verdict);
            let header = stored.item.change.header();
            let numbers = self.written.entry((header.author, header.incarnation)).or_default();
            numbers.push(header.seq);
            page.entries.push(entry(stored, verdict));
        }
        let is_open = |entry: &Entry| entry.verdict != Verdict::Accepted;
        let reopens = |stored: &Stored| {
            let item = &stored.item;
            item.dependencies.is_empty() && item.change.header().kind != page.record.kind
        };
        // Verdicts may hang on what came just now: only then is the whole document judged.
        if unsettled || group.iter().any(reopens) || page.entries.iter().any(is_open) {
            self.doubt_unfit(&mut page);
            return self.judge_page(ledger, law, page).map(Some);
        }
        self.settle_page(ledger, law, page, &judged).map(Some)
    }

    /// What was found unfit may be fit beside other changes, and the other way round: whatever the
    /// order in which they came, the whole set decides. So it is judged by rule alone, until the
    /// document is opened next and rehearsed.
    fn doubt_unfit(&mut self, page: &mut Page) {
        let is_unfit = |entry: &&mut Entry| entry.verdict == UNFIT;
        for entry in page.entries.iter_mut().filter(is_unfit) {
            self.totals.recount(UNFIT, UNJUDGED);
            entry.verdict = UNJUDGED;
        }
    }

    fn judge_page<S: Shelf>(
        &mut self,
        ledger: &mut Ledger<S>,
        law: Law<'_>,
        mut page: Page,
    ) -> Result<Absorbed, ShelfError> {
        let mut items = Vec::with_capacity(page.entries.len());
        let (kind, offices, verdicts) = (page.record.kind, BTreeSet::new(), BTreeMap::new());
        let mut fixed = Judged { kind, offices, verdicts };
        for entry in &page.entries {
            match ledger.inspected(entry)? {
                Some(item) => items.push(item),
                None => {
                    fixed.verdicts.insert(entry.change_hash(), entry.verdict);
                    fixed.offices.extend(&page.record.offices);
                }
            }
        }
        let is_unfit = |entry: &&Entry| entry.verdict == UNFIT;
        let unfit: BTreeSet<ChangeHash> =
            page.entries.iter().filter(is_unfit).map(Entry::change_hash).collect();
        let judged = judge_all(&items, &unfit, &fixed, law);
        for entry in &mut page.entries {
            let Some(verdict) = judged.verdicts.get(&entry.change_hash()) else { continue };
            self.totals.recount(entry.verdict, *verdict);
            entry.verdict = *verdict;
        }
        self.settle_page(ledger, law, page, &judged)
    }

    /// Writes what was judged.
    fn settle_page<S: Shelf>(
        &mut self,
        ledger: &mut Ledger<S>,
        law: Law<'_>,
        page: Page,
        judged: &Judged,
    ) -> Result<Absorbed, ShelfError> {
        let Page { document, mut record, entries, new_from, before, accepted_before } = page;
        record.kind = judged.kind;
        record.offices = judged.offices.iter().copied().collect();
        let after = ledger.membership(&record, &entries, law.registry);
        ledger.enrol(document, (&before, &after), (&entries, new_from), &mut self.deltas)?;
        ledger.note_hours(document, &entries[new_from..])?;
        ledger.mark_unsettled(document, &entries)?;
        ledger.set_entries(document, &mut record, entries.clone())?;
        let grew = accepted(&entries) > accepted_before;
        Ok(Absorbed { document, entries, new_from, before, after, grew })
    }
}

fn accepted(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.verdict == Verdict::Accepted).count()
}

fn entry(stored: &Stored, verdict: Verdict) -> Entry {
    let change = &stored.item.change;
    Entry {
        id: change.id(),
        minute: change.header().at.minute(),
        hash: *stored.item.hash.as_bytes(),
        place: stored.place,
        verdict,
    }
}

fn judged_so_far(record: &Record, entries: &[Entry]) -> Judged {
    Judged {
        kind: record.kind,
        offices: record.offices.iter().copied().collect(),
        verdicts: entries.iter().map(|entry| (entry.change_hash(), entry.verdict)).collect(),
    }
}

const UNFIT: Verdict = Verdict::Quarantined(Quarantined::Unfit);
/// What is said of a change until it is judged.
const UNJUDGED: Verdict = Verdict::Waiting(Waiting::Dependency);
