//! Admission: what a change is worth, as a function of the set and the registry; and the registry,
//! as it is read from what was admitted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lienthong_document::{Actor, ChangeHash, Document, PayloadError, Refusal as Unfit, peek};
use lienthong_federation::{Audience, AuthorRefusal, Registry};
use lienthong_protocol::{
    Change, ChangeId, CloseCode, DocumentId, FederationId, Header, Incarnation, Kind, Moment,
    NodeId, OfficeId,
};
use thiserror::Error;

use crate::entry::{Entry, Quarantined, Verdict, Waiting};
use crate::event::{LinkId, Notice};
use crate::intake::{self, Origin};
use crate::ledger::Held;
use crate::replica::{Owed, Replica};
use crate::shelf::{Shelf, ShelfError};

/// A change whose signature was checked and whose payload was looked at. The work is done off
/// the replica, because it costs more than everything the replica does with the change.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The change.
    pub change: Change,
    /// The name of its payload.
    pub hash: ChangeHash,
    /// The payloads that it builds on.
    pub dependencies: Vec<ChangeHash>,
}

/// Why a change is refused: it is not stored, it is counted and shown. All but
/// [`Refusal::UnknownAuthor`] depend on its bytes alone, so every node refuses the same.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The payload is no single uncompressed Automerge change within its limits.
    #[error("payload is refused")]
    Payload(#[from] PayloadError),
    /// The Automerge actor is not the one derived from author and incarnation.
    #[error("payload is by actor {found}, its author and incarnation have {expected}")]
    Actor {
        /// Whom the payload names.
        found: Actor,
        /// Whom the header demands.
        expected: Actor,
    },
    /// A change without dependencies opens a document whose id names another creator.
    #[error("document {document} was not opened by this author with this change")]
    NotTheOpener {
        /// The document.
        document: DocumentId,
    },
    /// Both registries are equal and neither knows the author.
    #[error("author is in no registry")]
    UnknownAuthor,
}

impl Refusal {
    /// The fixed word for output and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Payload(error) => error.code(),
            Refusal::Actor { .. } => "wrong-actor",
            Refusal::NotTheOpener { .. } => "not-the-opener",
            Refusal::UnknownAuthor => "unknown-author",
        }
    }
}

/// Looks into a change: everything of admission that needs neither the set nor the registry.
pub fn inspect(change: Change) -> Result<Inspected, Refusal> {
    let seen = peek(change.payload())?;
    let header = change.header();
    let expected = Actor::derive(header.author, header.incarnation);
    if seen.actor != expected {
        return Err(Refusal::Actor { found: seen.actor, expected });
    }
    if seen.dependencies.is_empty() && !opens_its_document(header) {
        return Err(Refusal::NotTheOpener { document: header.document });
    }
    Ok(Inspected { hash: seen.hash, dependencies: seen.dependencies, change })
}

fn opens_its_document(header: &Header) -> bool {
    let Header { author, incarnation, seq, at, .. } = *header;
    header.document == DocumentId::derive(author, incarnation, seq, at)
}

/// What every judgement rests on.
#[derive(Clone, Copy)]
pub(crate) struct Law<'a> {
    /// The id of the one change that needs no author: the registry's first.
    pub(crate) federation: FederationId,
    /// Who may write what.
    pub(crate) registry: &'a Registry,
}

/// What judging a document's changes has found so far.
pub(crate) struct Judged {
    /// The kind that its opening change names.
    pub(crate) kind: Kind,
    /// The offices it was shared with by accepted changes.
    pub(crate) offices: BTreeSet<OfficeId>,
    /// The verdict of every change, by the hash of its payload.
    pub(crate) verdicts: BTreeMap<ChangeHash, Verdict>,
}

impl Judged {
    /// Judges one more change, whose dependencies were judged before if they are here at all.
    pub(crate) fn judge(&mut self, item: &Inspected, law: Law<'_>) -> Verdict {
        let header = item.change.header();
        let verdict = self.verdict(item, law);
        if matches!(verdict, Verdict::Accepted | Verdict::Waiting(Waiting::Kind)) {
            self.offices.insert(header.office);
            self.offices.extend(&header.adds);
        } else if item.dependencies.is_empty() && verdict != Verdict::Waiting(Waiting::Author) {
            // Whoever watches over the author must see what was opened and quarantined.
            self.offices.insert(header.office);
        }
        self.verdicts.insert(item.hash, verdict);
        verdict
    }

    fn verdict(&self, item: &Inspected, law: Law<'_>) -> Verdict {
        let header = item.change.header();
        if FederationId::from(item.change.id()) == law.federation {
            return Verdict::Accepted;
        }
        match law.registry.author(header.author, header.office, header.incarnation, header.seq) {
            Ok(()) => {}
            Err(AuthorRefusal::UnknownNode { .. }) => return Verdict::Waiting(Waiting::Author),
            Err(AuthorRefusal::WrongOffice { .. }) => {
                return Verdict::Quarantined(Quarantined::NotEntitled);
            }
            Err(AuthorRefusal::Revoked { .. }) => {
                return Verdict::Quarantined(Quarantined::Revoked);
            }
        }
        let met = |hash| {
            let verdict = self.verdicts.get(hash);
            matches!(verdict, Some(Verdict::Accepted | Verdict::Waiting(Waiting::Kind)))
        };
        if !item.dependencies.iter().all(met) {
            return Verdict::Waiting(Waiting::Dependency);
        }
        if header.kind != self.kind {
            return Verdict::Quarantined(Quarantined::WrongKind);
        }
        if !self.entitled(item, law.registry) {
            return Verdict::Quarantined(Quarantined::NotEntitled);
        }
        if self.kind.is_known() { Verdict::Accepted } else { Verdict::Waiting(Waiting::Kind) }
    }

    fn entitled(&self, item: &Inspected, registry: &Registry) -> bool {
        let header = item.change.header();
        let opens = item.dependencies.is_empty() && !header.kind.is_public();
        let audience = if opens {
            Audience::of(header.kind, [header.office], registry)
        } else {
            Audience::of(self.kind, self.offices.iter().copied(), registry)
        };
        // A kind from a newer version is handled like a dossier until that version is here.
        let kind = if header.kind.is_known() { header.kind } else { Kind::DOSSIER };
        registry.may_write(header.office, kind, &audience).is_ok()
    }
}

/// Judges all changes of one document anew, in causal order; changes in `unfit` stay out. The
/// order of `items` makes no difference. What `fixed` says of other changes stays: they cannot be
/// read now, and neither they nor those that build on them are worth less for that.
pub(crate) fn judge_all(
    items: &[Inspected],
    unfit: &BTreeSet<ChangeHash>,
    fixed: &Judged,
    law: Law<'_>,
) -> Judged {
    // An author who cheats can sign two openings under one number: the one of the least id says.
    let openings = items.iter().filter(|item| item.dependencies.is_empty());
    let opening = openings.min_by_key(|item| item.change.id());
    let kind = opening.map_or(fixed.kind, |item| item.change.header().kind);
    let mut offices = fixed.offices.clone();
    loop {
        let verdicts = fixed.verdicts.clone();
        let before = Judged { kind, offices: offices.clone(), verdicts };
        let judged = judge_round(items, unfit, before, law);
        // A share entitles what was written beside it too, whichever of the two came first.
        let outside = Verdict::Quarantined(Quarantined::NotEntitled);
        let is_final = !judged.verdicts.values().any(|verdict| *verdict == outside);
        if is_final || judged.offices == offices {
            return judged;
        }
        offices = judged.offices;
    }
}

/// Judges all changes in causal order, as a document of this kind that is shared with at least
/// these offices.
fn judge_round(
    items: &[Inspected],
    unfit: &BTreeSet<ChangeHash>,
    mut judged: Judged,
    law: Law<'_>,
) -> Judged {
    let here: BTreeSet<ChangeHash> = items.iter().map(|item| item.hash).collect();
    let mut rest: Vec<&Inspected> = items.iter().collect();
    loop {
        let before = rest.len();
        rest.retain(|item| {
            let pending =
                |hash: &ChangeHash| here.contains(hash) && !judged.verdicts.contains_key(hash);
            if item.dependencies.iter().any(pending) {
                return true;
            }
            if unfit.contains(&item.hash) {
                judged.verdicts.insert(item.hash, Verdict::Quarantined(Quarantined::Unfit));
            } else {
                judged.judge(item, law);
            }
            false
        });
        if rest.is_empty() || rest.len() == before {
            break;
        }
    }
    for item in rest {
        judged.verdicts.insert(item.hash, Verdict::Waiting(Waiting::Dependency));
    }
    judged
}

impl<S: Shelf> Replica<S> {
    /// Reads the registry again when a record of it could not be read the last time.
    pub(crate) fn reread_registry(&mut self, now: Moment) -> Result<(), ShelfError> {
        match self.registry_due {
            Some(due) if due <= now => self.follow_registry(now),
            Some(_) | None => Ok(()),
        }
    }

    /// Reads the registry anew and judges again whatever hung on it, until nothing changes.
    pub(crate) fn follow_registry(&mut self, now: Moment) -> Result<(), ShelfError> {
        let known = self.registry.clone();
        for _ in 0..REGISTRY_ROUNDS {
            let before = self.registry.clone();
            self.read_registry(now)?;
            if self.registry == before {
                break;
            }
            if tree_of(&before) != tree_of(&self.registry) {
                self.ledger.recount(&self.registry)?;
            }
            let documents = if revoked(&before) == revoked(&self.registry) {
                self.ledger.unsettled(usize::MAX)?
            } else {
                self.ledger.all_documents()?
            };
            let law = Law { federation: self.me.federation, registry: &self.registry };
            let absorbed = intake::judge_again(&mut self.ledger, law, &documents)?;
            for news in absorbed.iter().filter(|news| news.grew) {
                self.push(news, &Origin::default());
                self.notify(Notice::Grew { document: news.document });
            }
        }
        if self.registry != known {
            self.notify(Notice::Registry);
        }
        self.drop_revoked();
        self.aim(now);
        Ok(())
    }

    /// Reads the registry from its accepted changes. While a record of one cannot be read, what was
    /// known before stays, and the registry is read again later: one bad read must not make the
    /// whole tree unknown. A node that has just started takes what it can read.
    pub(crate) fn read_registry(&mut self, now: Moment) -> Result<(), ShelfError> {
        let Some(id) = self.registry_document else { return Ok(()) };
        let Some((_, entries)) = self.document(id)? else { return Ok(()) };
        let mut items = Vec::new();
        let mut lacks = self.lost.get(&id).map_or(0, BTreeSet::len);
        for entry in entries.iter().filter(|entry| entry.verdict == Verdict::Accepted) {
            match self.ledger.inspected(entry)? {
                Some(item) => items.push(item),
                None => lacks += 1,
            }
        }
        self.registry_due = (lacks > 0).then(|| now.after(REGISTRY_WAIT));
        if lacks > self.registry_lacks {
            return Ok(());
        }
        self.registry_lacks = lacks;
        let payloads = items.iter().map(|item| (item.change.id(), item.change.payload()));
        let opened = Document::open(payloads, |_| None);
        self.registry = Registry::read(&opened.document);
        // What only misses a dependency waits for it: it may be a record that is damaged here.
        let is_unfit = |refusal: &Unfit| !matches!(refusal, Unfit::Missing { .. });
        let refused = opened.refused.iter().filter(|(_, refusal)| is_unfit(refusal));
        let unfit: Vec<ChangeId> = refused.map(|(id, _)| *id).collect();
        if !unfit.is_empty() {
            let registry = self.registry.clone();
            let law = Law { federation: self.me.federation, registry: &registry };
            intake::quarantine(&mut self.ledger, law, id, &unfit)?;
        }
        Ok(())
    }

    /// Every change that the registry is read from, to be kept a second time: a node that has lost
    /// one knows nobody who could bring it back. Nothing while one of them cannot be read.
    pub fn registry_changes(&self) -> Result<Option<Vec<Change>>, ShelfError> {
        let Some(id) = self.registry_document else { return Ok(None) };
        let Some((_, entries)) = self.document(id)? else { return Ok(None) };
        if self.lost.contains_key(&id) {
            return Ok(None);
        }
        let accepted = entries.iter().filter(|entry| entry.verdict == Verdict::Accepted);
        let read = |entry: &Entry| Ok(self.ledger.inspected(entry)?.map(|item| item.change));
        accepted.map(read).collect()
    }

    /// Stores again what is not here of that which was kept a second time.
    pub(crate) fn spared(&mut self, changes: Vec<Inspected>) -> Result<(), ShelfError> {
        let mut held = Held::default();
        let mut missing = Vec::new();
        for change in changes {
            let (document, id) = (change.change.header().document, change.change.id());
            if !self.appending.contains(&id) && !held.holds(&self.ledger, document, id)? {
                missing.push(change);
            }
        }
        if !missing.is_empty() {
            self.append(missing, Owed::Nothing);
        }
        Ok(())
    }

    fn drop_revoked(&mut self) {
        let gone: Vec<LinkId> = self
            .links
            .values()
            .filter(|link| !self.admits(link.node))
            .map(|link| link.id)
            .collect();
        for link in gone {
            self.hang_up(link, CloseCode::UNKNOWN_NODE, "the node was revoked".into());
        }
    }
}

fn tree_of(registry: &Registry) -> Vec<(OfficeId, Option<OfficeId>)> {
    registry.offices().map(|office| (office.id, registry.parent(office.id))).collect()
}

fn revoked(registry: &Registry) -> Vec<(NodeId, BTreeMap<Incarnation, u64>)> {
    registry.nodes().filter_map(|node| Some((node.id, node.revoked.clone()?))).collect()
}

/// How often the registry is read and judged again while each round still changes a verdict.
const REGISTRY_ROUNDS: usize = 8;
/// How long after a record of the registry could not be read it is read again.
const REGISTRY_WAIT: Duration = Duration::from_secs(10);

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
