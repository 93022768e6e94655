use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::limits::{LIST_IDS, MAX_CLAIMS};
use lienthong_protocol::{
    Bound, ChangeId, Claimed, Compare, DocumentId, Frame, Kind, OfficeId, Tally,
};

use super::{Missing, Range, Sets, whole_count};
use crate::entry::{Entry, Record, Verdict};
use crate::ledger::{Deltas, Ledger, Membership};
use crate::shelf::Place;
use crate::shelf::key::Shared;
use crate::tests::{Memory, office};

/// One end of a link: an index over changes that have a minute and an id, and nothing else.
struct End {
    ledger: Ledger<Memory>,
}

/// What one comparison came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    frames: usize,
    to_opener: BTreeSet<ChangeId>,
    to_other: BTreeSet<ChangeId>,
}

fn peer() -> OfficeId {
    office("PEER")
}

/// A change id that looks random and tells its number.
fn id(number: u64) -> ChangeId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[8..16].copy_from_slice(&number.to_be_bytes());
    bytes[24..].copy_from_slice(&number.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes());
    ChangeId::from_bytes(bytes)
}

impl End {
    /// An end that holds these changes, given as minute and number.
    fn of(changes: impl IntoIterator<Item = (u32, u64)>) -> End {
        let mut end = End { ledger: Ledger { shelf: Memory::default(), office: office("HERE") } };
        end.take(changes.into_iter().map(|(minute, number)| (minute, id(number))));
        end
    }

    /// Stores changes, those of one hour in one document.
    fn take(&mut self, changes: impl IntoIterator<Item = (u32, ChangeId)>) {
        let mut hours: BTreeMap<u32, Vec<Entry>> = BTreeMap::new();
        for (minute, id) in changes {
            let (hash, place) = (*id.as_bytes(), Place::default());
            let entry = Entry { id, minute, hash, place, verdict: Verdict::Accepted };
            hours.entry(minute / 60).or_default().push(entry);
        }
        let mut deltas = Deltas::new();
        for (hour, new) in hours {
            self.take_hour(hour, new, &mut deltas);
        }
        self.ledger.apply_deltas(deltas).expect("memory");
    }

    fn take_hour(&mut self, hour: u32, new: Vec<Entry>, deltas: &mut Deltas) {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&hour.to_be_bytes());
        let document = DocumentId::from_bytes(bytes);
        let known = self.ledger.record(document).expect("memory");
        let mut record = known.unwrap_or(Record {
            kind: Kind::DOSSIER,
            offices: vec![peer()],
            pages: 0,
            entries: vec![],
        });
        let mut entries = self.ledger.entries(document, &record).expect("memory");
        let new_from = entries.len();
        entries.extend(new);
        let after =
            Membership { rank: Kind::DOSSIER.rank(), sets: BTreeSet::from([Shared::With(peer())]) };
        let before = if new_from == 0 { Membership::default() } else { after.clone() };
        let ledger = &mut self.ledger;
        ledger.enrol(document, (&before, &after), (&entries, new_from), deltas).expect("memory");
        ledger.note_hours(document, &entries[new_from..]).expect("memory");
        ledger.set_entries(document, &mut record, entries).expect("memory");
    }

    fn sets(&self) -> Sets<'_, Memory> {
        Sets::new(&self.ledger, peer())
    }

    fn root(&self) -> Tally {
        self.ledger.root(peer()).expect("memory")
    }

    fn opening(&self) -> Compare {
        self.sets().opening().expect("memory")
    }

    /// What this end answers, and what it then sends and wants.
    fn answer(&self, compare: &Compare) -> super::Answer {
        self.sets().answer(compare).expect("memory")
    }

    fn ids(&self, missing: Missing) -> BTreeSet<ChangeId> {
        let items = match missing {
            Missing::Items(items) => items,
            Missing::Range(range) => self.sets().items(range).expect("memory"),
        };
        items.iter().map(|item| item.entry.id).collect()
    }

    fn all(&self) -> BTreeMap<ChangeId, u32> {
        let items = self.sets().items(Range::ALL).expect("memory");
        items.iter().map(|item| (item.entry.id, item.entry.minute)).collect()
    }
}

/// One comparison from its opening until nothing is left to compare.
fn compare(opener: &End, other: &End) -> Outcome {
    let mut outcome = Outcome::default();
    let mut frame = opener.opening();
    for turn in 1.. {
        assert!(turn < 40, "a comparison never ends");
        outcome.frames += 1;
        Frame::Compare(frame.clone()).encode().expect("a frame within its limits");
        let is_other = turn % 2 == 1;
        let (here, there) = if is_other { (other, opener) } else { (opener, other) };
        let answer = here.answer(&frame);
        let (mut from_here, mut from_there) = (BTreeSet::new(), BTreeSet::new());
        for missing in answer.sends {
            from_here.extend(here.ids(missing));
        }
        for want in answer.wants {
            from_there.extend(there.ids(there.sets().wanted(&want).expect("memory")));
        }
        let Outcome { to_opener, to_other, .. } = &mut outcome;
        let (to_here, to_there) =
            if is_other { (to_other, to_opener) } else { (to_opener, to_other) };
        to_here.extend(from_there);
        to_there.extend(from_here);
        frame = answer.reply.expect("an answer has a reply");
        if frame.claims.is_empty() {
            break;
        }
    }
    outcome
}

/// Compares and hands over until both hold the same; says how many comparisons it took.
fn settle(opener: &mut End, other: &mut End) -> usize {
    for comparisons in 0..40 {
        if opener.root() == other.root() {
            return comparisons;
        }
        let outcome = compare(opener, other);
        let moved = outcome.to_opener.len() + outcome.to_other.len();
        assert!(moved > 0, "a comparison came to nothing: that is an alarm");
        let (ours, theirs) = (opener.all(), other.all());
        let new = |ids: &BTreeSet<ChangeId>, from: &BTreeMap<_, u32>, to: &BTreeMap<_, u32>| {
            let new = ids.iter().filter(|id| !to.contains_key(*id));
            new.map(|id| (from[id], *id)).collect::<Vec<_>>()
        };
        opener.take(new(&outcome.to_opener, &theirs, &ours));
        other.take(new(&outcome.to_other, &ours, &theirs));
    }
    panic!("40 comparisons do not settle it");
}

fn ids(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<ChangeId> {
    numbers.into_iter().map(id).collect()
}

/// `count` changes with numbers from `first` on, in one minute.
fn in_minute(minute: u32, first: u64, count: u64) -> impl Iterator<Item = (u32, u64)> + Clone {
    (first..first + count).map(move |number| (minute, number))
}

fn sums(compare: &Compare) -> Vec<u64> {
    let sums = compare.claims.iter().filter_map(|claim| match &claim.what {
        Claimed::Sum(tally) => Some(tally.count),
        Claimed::Skip | Claimed::Ids(_) => None,
    });
    sums.collect()
}

fn lists(compare: &Compare) -> Vec<usize> {
    let lists = compare.claims.iter().filter_map(|claim| match &claim.what {
        Claimed::Ids(ids) => Some(ids.len()),
        Claimed::Skip | Claimed::Sum(_) => None,
    });
    lists.collect()
}

const NOON: u32 = 24_000_000;

// ---------------------------------------------------------------- one frame and its answer

#[test]
fn equal_ranges_are_done_with_the_first_frame() {
    let changes = [(NOON, 1), (NOON + 61, 2), (NOON + 9_000, 3)];
    let (a, b) = (End::of(changes), End::of(changes));
    assert_eq!(compare(&a, &b), Outcome { frames: 1, ..Outcome::default() });
    assert_eq!(compare(&End::of([]), &End::of([])).frames, 1);
}

#[test]
fn an_opening_tells_the_size_of_the_set() {
    let end = End::of((0..2_000).map(|number| (NOON - 700 * number, u64::from(number))));
    assert_eq!(whole_count(&end.opening()), Some(2_000));
    assert_eq!(whole_count(&End::of([]).opening()), Some(0));
}

#[test]
fn an_opening_is_fine_only_near_its_newest_change() {
    let day = 24 * 60;
    let end = End::of((0..4_000).map(|number| (NOON - number * day / 4, u64::from(number))));
    let claims = end.opening().claims.len();
    assert!(claims < 80, "{claims} claims about 1000 days");
}

#[test]
fn an_end_without_anything_is_sent_everything_by_range() {
    let full = End::of((0..900).map(|number| (NOON + number, u64::from(number))));
    let answer = full.answer(&End::of([]).opening());
    assert_eq!(answer.sends, [Missing::Range(Range::ALL)]);
    assert!(answer.reply.is_some_and(|reply| reply.claims.is_empty()));
    assert_eq!(compare(&full, &End::of([])).to_other, ids(0..900));
    assert_eq!(compare(&End::of([]), &full).to_opener, ids(0..900));
}

#[test]
fn neighbouring_ranges_that_the_peer_lacks_are_sent_as_one() {
    let hours = |hour: u32| in_minute(NOON + 60 * hour, u64::from(hour) * 1_000, 300);
    let full = End::of((0..5).flat_map(hours));
    let poor = End::of(hours(4));
    let mut compare = poor.opening();
    // As a peer says it that cuts what it lacks into many ranges.
    let hour = |hour: u32| Bound::hour(NOON / 60 + hour);
    let nothing = Claimed::Sum(Tally::default().short());
    compare.claims.clear();
    compare.claims.extend((1..5).map(|at| super::Claim { to: hour(at), what: nothing.clone() }));
    compare.from = hour(0);
    let answer = full.answer(&compare);
    assert_eq!(answer.sends, [Missing::Range(Range { from: hour(0), to: hour(4) })]);
}

#[test]
fn a_range_of_256_is_listed_and_one_of_257_is_split() {
    for (count, is_listed) in [(LIST_IDS, true), (LIST_IDS + 1, false)] {
        let hour = |first: u64| (0..count).map(move |n| (NOON + n as u32 % 60, first + n));
        let (a, b) = (End::of(hour(0)), End::of(hour(10_000)));
        let reply = b.answer(&a.opening()).reply.expect("a reply");
        if is_listed {
            assert_eq!((lists(&reply), sums(&reply)), (vec![256], vec![]));
        } else {
            assert_eq!(lists(&reply), [] as [usize; 0]);
            assert_eq!(sums(&reply).len(), 60, "one claim a minute");
            assert_eq!(sums(&reply).iter().sum::<u64>(), count, "and none is lost");
        }
    }
}

#[test]
fn the_shorter_side_lists() {
    let (few, many) = (End::of(in_minute(NOON, 0, 3)), End::of(in_minute(NOON, 0, 400)));
    let reply = few.answer(&many.opening()).reply.expect("a reply");
    assert_eq!((lists(&reply), sums(&reply)), (vec![3], vec![]), "the few answer with a list");
    let reply = many.answer(&few.opening()).reply.expect("a reply");
    assert_eq!((lists(&reply), sums(&reply)), (vec![], vec![400]), "the many ask for it");
    assert_eq!(compare(&few, &many).to_opener, ids(3..400));
    assert_eq!(compare(&many, &few).to_other, ids(3..400));
}

#[test]
fn a_list_is_answered_with_what_it_lacks_and_asks_for_what_is_new() {
    let (a, b) = (End::of([(NOON, 1), (NOON, 2)]), End::of([(NOON + 1, 2), (NOON, 3)]));
    let (from, to) = (Bound::START, Bound::END);
    let listed = [id(1).listed(), id(2).listed()].to_vec();
    let claims = vec![super::Claim { to, what: Claimed::Ids(listed) }];
    let answer = b.answer(&Compare { from, claims });
    let sent = answer.sends.into_iter().map(|missing| b.ids(missing));
    assert_eq!(sent.collect::<Vec<_>>(), [ids([3])]);
    assert_eq!(answer.wants.len(), 1);
    assert_eq!(answer.wants[0].ids, [id(1).listed()]);
    assert_eq!(a.ids(a.sets().wanted(&answer.wants[0]).expect("memory")), ids([1]));
    assert!(answer.reply.is_some_and(|reply| reply.claims.is_empty()));
}

#[test]
fn a_want_is_served_only_from_its_range() {
    let end = End::of([(NOON, 1), (NOON + 60, 2)]);
    let ids_wanted = vec![id(1).listed(), id(2).listed(), id(9).listed()];
    let (from, to) = (Bound::hour(NOON / 60), Bound::hour(NOON / 60 + 1));
    let want = super::Want { from, to, ids: ids_wanted };
    assert_eq!(end.ids(end.sets().wanted(&want).expect("memory")), ids([1]));
}

// ---------------------------------------------------------------- whole comparisons

#[test]
fn what_differs_after_an_outage_takes_two_round_trips() {
    let old = (0..3_000).map(|number| (NOON - 97 * number, u64::from(number)));
    let a = End::of(old.clone().chain([(NOON + 5, 9_001), (NOON + 70, 9_002)]));
    let b = End::of(old.chain([(NOON + 6, 9_003)]));
    let outcome = compare(&a, &b);
    assert_eq!((&outcome.to_opener, &outcome.to_other), (&ids([9_003]), &ids([9_001, 9_002])));
    assert!(outcome.frames <= 4, "{} frames", outcome.frames);
}

#[test]
fn one_difference_among_many_of_one_minute_is_found() {
    let many = in_minute(NOON, 0, 3_000);
    let (a, b) = (End::of(many.clone().chain([(NOON, 7_777)])), End::of(many));
    let outcome = compare(&a, &b);
    assert_eq!(outcome.to_other, ids([7_777]));
    assert_eq!(outcome.to_opener, ids([]));
    assert_eq!(compare(&b, &a).to_opener, ids([7_777]));
}

#[test]
fn any_two_sets_hand_over_exactly_what_differs() {
    for seed in 0..40u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let span = [1, 50, 5_000, 2_000_000][next(4) as usize];
        let count = next(700);
        let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        for number in 0..count {
            let minute = NOON - next(span) as u32;
            let holder = next(5);
            if holder != 0 {
                ours.insert(number, minute);
            }
            if holder != 1 {
                theirs.insert(number, minute);
            }
        }
        let end = |side: &BTreeMap<u64, u32>| End::of(side.iter().map(|(n, m)| (*m, *n)));
        let (mut a, mut b) = (end(&ours), end(&theirs));
        let outcome = compare(&a, &b);
        let lack = |side: &BTreeMap<u64, u32>, other: &BTreeMap<u64, u32>| {
            ids(other.keys().filter(|number| !side.contains_key(number)).copied())
        };
        assert_eq!(outcome.to_opener, lack(&ours, &theirs), "seed {seed}");
        assert_eq!(outcome.to_other, lack(&theirs, &ours), "seed {seed}");
        let needed = usize::from(ours != theirs);
        assert_eq!(settle(&mut a, &mut b), needed, "seed {seed}");
    }
}

#[test]
fn changes_of_the_last_hour_of_all_time_are_compared_too() {
    let last = u32::MAX - 1;
    let (mut a, mut b) = (End::of([(NOON, 1), (last, 2)]), End::of([(NOON, 1), (last, 3)]));
    assert_eq!(whole_count(&a.opening()), Some(2));
    assert_eq!(settle(&mut a, &mut b), 1);
    let many = (0..600).map(|number| (last - number % 15, u64::from(number)));
    let (mut a, mut b) = (End::of(many.clone().step_by(2)), End::of(many.step_by(3)));
    assert_eq!(settle(&mut a, &mut b), 1);
}

// ---------------------------------------------------------------- more than a frame holds

/// Hours of 300 changes, none of which the other end has.
fn hours(count: u32, first: u64) -> End {
    let hour = |hour: u32| {
        let start = first + u64::from(hour) * 300;
        (0..300).map(move |n| (NOON + hour * 60 + n % 60, start + u64::from(n)))
    };
    End::of((0..count).flat_map(hour))
}

#[test]
fn a_reply_that_would_have_too_many_parts_is_cut() {
    let (a, b) = (hours(24, 0), hours(24, 1_000_000));
    let reply = b.answer(&a.opening()).reply.expect("a reply");
    assert!(reply.claims.len() <= MAX_CLAIMS, "{} claims", reply.claims.len());
    assert!(reply.claims.len() > MAX_CLAIMS - 60, "{} claims", reply.claims.len());
    Frame::Compare(reply).encode().expect("a frame within its limits");
}

#[test]
fn more_different_ranges_than_a_frame_holds_still_settle_without_an_alarm() {
    let (mut a, mut b) = (hours(24, 0), hours(24, 1_000_000));
    let comparisons = settle(&mut a, &mut b);
    assert_eq!(a.root().count, 2 * 24 * 300);
    assert!(comparisons <= 2, "{comparisons} comparisons for 1440 minutes");
}

#[test]
fn more_listed_ids_than_a_frame_holds_still_settle_without_an_alarm() {
    let hour = |hour: u32, first: u64| {
        in_minute(NOON + 60 * hour, first + u64::from(hour) * 1_000, LIST_IDS)
    };
    let hours = |first: u64| End::of((0..150).flat_map(move |at| hour(at, first)));
    let (mut a, mut b) = (hours(0), hours(1_000_000));
    let comparisons = settle(&mut a, &mut b);
    assert_eq!(a.root().count, 2 * 150 * LIST_IDS);
    assert!(comparisons <= 3, "{comparisons} comparisons for 150 lists");
}

#[test]
fn a_set_over_more_years_than_a_frame_holds_settles() {
    let year = 8640 * 60;
    let years = |first: u64| {
        let year = move |at: u32| (at * year, first + u64::from(at));
        End::of((0..1_500).map(year))
    };
    let (mut a, mut b) = (years(0), years(1_000_000));
    assert!(a.opening().claims.len() <= MAX_CLAIMS);
    let comparisons = settle(&mut a, &mut b);
    assert!(comparisons <= 2, "{comparisons} comparisons for 1500 years");
}
