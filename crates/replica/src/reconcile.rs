//! Finding what differs between two sets, by range.
//!
//! Nothing is remembered between two frames: every claim is answered from what the index says
//! now, so changes may come and go while two nodes compare.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use lienthong_protocol::limits::{LIST_IDS, MAX_CLAIMS, MAX_LISTED_IDS};
use lienthong_protocol::{
    Bound, Claim, Claimed, Compare, DocumentId, OfficeId, ShortId, ShortTally, Tally, Want,
};

use crate::entry::Entry;
use crate::ledger::Ledger;
use crate::shelf::{Shelf, ShelfError};

/// Hours in the spans that a range is cut into: about a year, a month, a day, an hour. They are
/// fixed spans and no calendar's, because only the side that cuts needs to know where.
const SPANS_HOURS: [u32; 4] = [8640, 720, 24, 1];
/// How many parts a single minute is cut into, by id.
const PREFIX_PARTS: u64 = 16;
/// How many ids all lists of one reply hold together: 512 KiB of a frame.
const MAX_REPLY_IDS: usize = 32 << 10;

/// A half-open range of the order of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: Bound,
    pub(crate) to: Bound,
}

impl Range {
    pub(crate) const ALL: Range = Range { from: Bound::START, to: Bound::END };

    pub(crate) fn holds(&self, entry: &Entry) -> bool {
        let at = Bound { minute: entry.minute, prefix: entry.id.prefix() };
        self.from <= at && at < self.to
    }

    /// The hours that lie wholly inside.
    fn whole_hours(&self) -> (u32, u32) {
        let first = if self.from == Bound::hour(self.from.minute / 60) {
            self.from.minute / 60
        } else {
            self.from.minute / 60 + 1
        };
        // The last hour of all is shorter than others: it ends where the order ends.
        let last = self.to.minute / 60 + u32::from(self.to == Bound::END);
        (first, last)
    }
}

/// What to send after a compare frame was answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What is still to be compared; without claims it says that nothing is.
    pub(crate) reply: Option<Compare>,
    /// What the peer listed and is not here.
    pub(crate) wants: Vec<Want>,
    /// What is here and the peer did not list.
    pub(crate) sends: Vec<Missing>,
}

/// Changes that the peer does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Everything in a range.
    Range(Range),
    /// These.
    Items(Vec<Item>),
}

/// One change to send, with what its turn depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The place of its kind in the order of sending.
    pub(crate) rank: u8,
    pub(crate) document: DocumentId,
    pub(crate) entry: Entry,
}

/// One side's set as seen by the comparison.
pub(crate) struct Sets<'a, S> {
    ledger: &'a Ledger<S>,
    /// The office at the other end.
    office: OfficeId,
    /// The hour that was looked into last: neighbouring ranges are often parts of one hour.
    hour: RefCell<Option<(u32, Rc<[Item]>)>>,
}

impl<'a, S: Shelf> Sets<'a, S> {
    /// The set shared with an office, as it is as long as the ledger is not written to.
    pub(crate) fn new(ledger: &'a Ledger<S>, office: OfficeId) -> Sets<'a, S> {
        Sets { ledger, office, hour: RefCell::new(None) }
    }

    /// The first frame: years, the last year's months, the last month's days, the last day's
    /// hours. After an outage the differences lie in the last hours.
    pub(crate) fn opening(&self) -> Result<Compare, ShelfError> {
        let hours = self.ledger.hours(self.office, 0, u32::MAX)?;
        let Some(newest) = hours.keys().next_back().copied() else {
            let claims = vec![Claim { to: Bound::END, what: sum_claim(&Tally::default()) }];
            return Ok(Compare { from: Bound::START, claims });
        };
        let mut cuts = BTreeSet::from([Bound::END]);
        let mut within = 0..u32::MAX;
        for span in SPANS_HOURS {
            for hour in hours.range(within.clone()).map(|(hour, _)| hour) {
                cuts.insert(Bound::hour(hour / span * span));
                cuts.insert(Bound::hour((hour / span + 1).saturating_mul(span)));
            }
            let start = newest / span * span;
            within = start..start.saturating_add(span);
        }
        self.claims(Range::ALL, cuts)
    }

    /// Answers the peer's claims.
    pub(crate) fn answer(&self, compare: &Compare) -> Result<Answer, ShelfError> {
        let mut answer = Answer::default();
        let mut reply = Reply::new(compare.from);
        let mut from = compare.from;
        for claim in &compare.claims {
            let range = Range { from, to: claim.to };
            match &claim.what {
                Claimed::Skip => reply.skip(range.to),
                Claimed::Sum(theirs) => self.answer_sum(range, theirs, &mut answer, &mut reply)?,
                Claimed::Ids(theirs) => {
                    self.answer_ids(range, theirs, &mut answer)?;
                    reply.skip(range.to);
                }
            }
            from = claim.to;
        }
        answer.reply = Some(reply.finish());
        Ok(answer)
    }

    fn answer_sum(
        &self,
        range: Range,
        theirs: &ShortTally,
        answer: &mut Answer,
        reply: &mut Reply,
    ) -> Result<(), ShelfError> {
        let ours = self.tally(range)?;
        if ours.short() == *theirs {
            reply.skip(range.to);
        } else if theirs.count == 0 {
            self.send_range(range, answer)?;
            reply.skip(range.to);
        } else if ours.count <= LIST_IDS {
            let ids = self.items(range)?.iter().map(Item::listed).collect();
            reply.claim(range.to, Claimed::Ids(ids));
        } else if theirs.count <= LIST_IDS {
            // Their list is the shorter one: the sum back makes them send it.
            reply.claim(range.to, sum_claim(&ours));
        } else {
            let parts = self.claims(range, self.cuts(range)?)?;
            if parts.claims.len() == 1 {
                let mut ids: Vec<ShortId> = self.items(range)?.iter().map(Item::listed).collect();
                ids.truncate(MAX_LISTED_IDS);
                reply.claim(range.to, Claimed::Ids(ids));
                return Ok(());
            }
            parts.claims.into_iter().for_each(|claim| reply.claim(claim.to, claim.what));
        }
        Ok(())
    }

    fn answer_ids(
        &self,
        range: Range,
        theirs: &[ShortId],
        answer: &mut Answer,
    ) -> Result<(), ShelfError> {
        if theirs.is_empty() {
            return self.send_range(range, answer);
        }
        let items = self.items(range)?;
        let listed: BTreeSet<ShortId> = theirs.iter().copied().collect();
        let ours: BTreeSet<ShortId> = items.iter().map(Item::listed).collect();
        let missing: Vec<Item> =
            items.into_iter().filter(|item| !listed.contains(&item.listed())).collect();
        if !missing.is_empty() {
            answer.sends.push(Missing::Items(missing));
        }
        let wanted: Vec<ShortId> = listed.difference(&ours).copied().collect();
        if !wanted.is_empty() {
            answer.wants.push(Want { from: range.from, to: range.to, ids: wanted });
        }
        Ok(())
    }

    /// Everything in a range goes to a peer that has nothing there. Neighbouring ranges become
    /// one, so that a first load walks the documents once.
    fn send_range(&self, range: Range, answer: &mut Answer) -> Result<(), ShelfError> {
        if let Some(Missing::Range(last)) = answer.sends.last_mut()
            && last.to == range.from
        {
            last.to = range.to;
            return Ok(());
        }
        let count = self.tally(range)?.count;
        answer.sends.push(match count {
            0 => return Ok(()),
            1..=LIST_IDS => Missing::Items(self.items(range)?),
            _ => Missing::Range(range),
        });
        Ok(())
    }

    /// The changes that a peer asks for.
    pub(crate) fn wanted(&self, want: &Want) -> Result<Missing, ShelfError> {
        let ids: BTreeSet<ShortId> = want.ids.iter().copied().collect();
        let mut items = self.items(Range { from: want.from, to: want.to })?;
        items.retain(|item| ids.contains(&item.listed()));
        Ok(Missing::Items(items))
    }

    /// Claims about every part of a range between cuts.
    fn claims(&self, range: Range, cuts: BTreeSet<Bound>) -> Result<Compare, ShelfError> {
        let mut claims = Vec::new();
        let mut from = range.from;
        for to in cuts.into_iter().filter(|cut| *cut > range.from && *cut < range.to) {
            // The parts past it stay one claim, which the other end cuts in its turn.
            if claims.len() + 2 > MAX_CLAIMS / 2 {
                break;
            }
            claims.push(Claim { to, what: sum_claim(&self.tally(Range { from, to })?) });
            from = to;
        }
        let rest = self.tally(Range { from, to: range.to })?;
        claims.push(Claim { to: range.to, what: sum_claim(&rest) });
        Ok(Compare { from: range.from, claims })
    }

    /// Where to cut a range: by the largest span that gives more than one part, then by minute,
    /// then by id.
    fn cuts(&self, range: Range) -> Result<BTreeSet<Bound>, ShelfError> {
        let (first, last) = (range.from.minute / 60, range.to.minute / 60);
        let hours = self.ledger.hours(self.office, first, last.saturating_add(1))?;
        for span in SPANS_HOURS {
            let mut cuts = BTreeSet::new();
            for hour in hours.keys() {
                cuts.insert(Bound::hour(hour / span * span));
                cuts.insert(Bound::hour((hour / span + 1).saturating_mul(span)));
            }
            if cuts.iter().any(|cut| *cut > range.from && *cut < range.to) {
                return Ok(cuts);
            }
        }
        let minutes = range.from.minute..=range.to.minute.min(range.from.minute.saturating_add(60));
        let cuts: BTreeSet<Bound> = minutes.map(|minute| Bound { minute, prefix: 0 }).collect();
        if cuts.iter().any(|cut| *cut > range.from && *cut < range.to) {
            return Ok(cuts);
        }
        let minute = range.from.minute;
        let end = if range.to.minute > minute { u64::MAX } else { range.to.prefix };
        let step = (end - range.from.prefix.min(end)) / PREFIX_PARTS;
        let prefixes = (1..PREFIX_PARTS).map(|part| range.from.prefix.saturating_add(part * step));
        Ok(prefixes.map(|prefix| Bound { minute, prefix }).collect())
    }

    fn tally(&self, range: Range) -> Result<Tally, ShelfError> {
        if range == Range::ALL {
            return self.ledger.root(self.office);
        }
        let (first, last) = range.whole_hours();
        let mut total = Tally::default();
        if first < last {
            let hours = self.ledger.hours(self.office, first, last)?;
            hours.values().for_each(|tally| total.merge(tally));
        }
        for hour in self.ragged_hours(range) {
            let items = self.items_of_hour(hour)?;
            let within = items.iter().filter(|item| range.holds(&item.entry));
            within.for_each(|item| total.add(item.entry.id));
        }
        Ok(total)
    }

    /// The hours that a range cuts through: at most its first and its last.
    fn ragged_hours(&self, range: Range) -> BTreeSet<u32> {
        let (first, last) = range.whole_hours();
        let mut hours = BTreeSet::new();
        if range.from != Bound::hour(range.from.minute / 60) {
            hours.insert(range.from.minute / 60);
        }
        if range.to != Bound::hour(range.to.minute / 60) && range.to != Bound::END {
            hours.insert(range.to.minute / 60);
        }
        hours.retain(|hour| *hour < first || *hour >= last);
        hours
    }

    /// Every change in a range, in order.
    fn items(&self, range: Range) -> Result<Vec<Item>, ShelfError> {
        let (first, last) = (range.from.minute / 60, range.to.minute / 60);
        let hours = self.ledger.hours(self.office, first, last.saturating_add(1))?;
        let mut items: Vec<Item> = Vec::new();
        for hour in hours.keys() {
            let found = self.items_of_hour(*hour)?;
            items.extend(found.iter().filter(|item| range.holds(&item.entry)));
        }
        items.sort_by_key(|item| (item.entry.minute, item.entry.id));
        Ok(items)
    }

    fn items_of_hour(&self, hour: u32) -> Result<Rc<[Item]>, ShelfError> {
        if let Some((_, items)) = self.hour.borrow().as_ref().filter(|(at, _)| *at == hour) {
            return Ok(Rc::clone(items));
        }
        let mut found = Vec::new();
        for document in self.ledger.documents_in(hour, self.office)? {
            let Some(record) = self.ledger.record(document)? else { continue };
            let rank = record.kind.rank();
            let entries = self.ledger.entries(document, &record)?;
            let within = entries.into_iter().filter(|entry| entry.minute / 60 == hour);
            found.extend(within.map(|entry| Item { rank, document, entry }));
        }
        let found: Rc<[Item]> = found.into();
        self.hour.replace(Some((hour, Rc::clone(&found))));
        Ok(found)
    }
}

impl Item {
    fn listed(&self) -> ShortId {
        self.entry.id.listed()
    }
}

/// Claims in the making: neighbouring skips become one, and those at the end are left off. What
/// does not fit a frame is left off too: it stays unequal and the next comparison finds it.
struct Reply {
    from: Bound,
    claims: Vec<Claim>,
    listed: usize,
    is_full: bool,
}

impl Reply {
    fn new(from: Bound) -> Reply {
        Reply { from, claims: Vec::new(), listed: 0, is_full: false }
    }

    fn skip(&mut self, to: Bound) {
        match self.claims.last_mut() {
            _ if self.is_full => {}
            None => self.from = to,
            Some(Claim { to: end, what: Claimed::Skip }) => *end = to,
            Some(_) => self.claims.push(Claim { to, what: Claimed::Skip }),
        }
    }

    fn claim(&mut self, to: Bound, what: Claimed) {
        if let Claimed::Ids(ids) = &what {
            self.listed += ids.len();
        }
        self.is_full |= self.claims.len() + 1 >= MAX_CLAIMS || self.listed > MAX_REPLY_IDS;
        if !self.is_full {
            self.claims.push(Claim { to, what });
        }
    }

    fn finish(mut self) -> Compare {
        if matches!(self.claims.last(), Some(Claim { what: Claimed::Skip, .. })) {
            self.claims.pop();
        }
        Compare { from: self.from, claims: self.claims }
    }
}

/// How many changes the sender of these claims holds, if they are sums over the whole order, as
/// those of an opening are.
pub(crate) fn whole_count(compare: &Compare) -> Option<u64> {
    let reaches_end = compare.claims.last().is_some_and(|claim| claim.to == Bound::END);
    if compare.from != Bound::START || !reaches_end {
        return None;
    }
    compare.claims.iter().try_fold(0u64, |total, claim| match &claim.what {
        Claimed::Sum(tally) => Some(total.saturating_add(tally.count)),
        Claimed::Skip | Claimed::Ids(_) => None,
    })
}

fn sum_claim(tally: &Tally) -> Claimed {
    Claimed::Sum(tally.short())
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
