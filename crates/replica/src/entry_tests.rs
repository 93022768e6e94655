use std::collections::BTreeSet;

use super::{Quarantined, Runs, Totals, Verdict, Waiting};

fn runs(numbers: impl IntoIterator<Item = u64>) -> Runs {
    let mut runs = Runs::default();
    numbers.into_iter().for_each(|number| runs.insert(number));
    runs
}

#[test]
fn nothing_is_held_of_an_empty_sequence() {
    assert_eq!((runs([]).complete_to(), runs([]).last()), (0, 0));
}

#[test]
fn numbers_in_order_are_one_run() {
    let held = runs(1..=10_000);
    assert_eq!(held.0, [(1, 10_000)]);
    assert_eq!((held.complete_to(), held.last()), (10_000, 10_000));
}

#[test]
fn runs_are_told_by_what_was_inserted() {
    for (numbers, expected, complete_to) in [
        (vec![2], vec![(2, 2)], 0),
        (vec![1, 3], vec![(1, 1), (3, 3)], 1),
        (vec![1, 3, 2], vec![(1, 3)], 3),
        (vec![3, 2, 1], vec![(1, 3)], 3),
        (vec![5, 1, 4, 2], vec![(1, 2), (4, 5)], 2),
        (vec![1, 1, 2, 2, 1], vec![(1, 2)], 2),
        (vec![1, 2, 3, 2], vec![(1, 3)], 3),
        (vec![10, 1, 5, 6, 4], vec![(1, 1), (4, 6), (10, 10)], 1),
        (vec![0, 1], vec![(0, 1)], 0),
        (vec![u64::MAX, u64::MAX - 1, u64::MAX], vec![(u64::MAX - 1, u64::MAX)], 0),
    ] {
        let held = runs(numbers.clone());
        assert_eq!(held.0, expected, "{numbers:?}");
        assert_eq!(held.complete_to(), complete_to, "{numbers:?}");
        assert_eq!(held.last(), expected.last().map_or(0, |(_, last)| *last), "{numbers:?}");
    }
}

#[test]
fn runs_do_not_depend_on_the_order_of_arrival() {
    for step in [3, 7, 11, 13, 41, 97] {
        let shuffled = (0..100u64).map(|at| at * step % 101).filter(|number| number % 9 != 0);
        let numbers: BTreeSet<u64> = shuffled.clone().collect();
        assert_eq!(runs(shuffled), runs(numbers), "step {step}");
    }
}

#[test]
fn an_author_who_skips_numbers_cannot_make_runs_grow_without_a_limit() {
    let even = (1..10_000u64).map(|number| number * 2);
    let mut held = runs(even);
    assert_eq!(held.0.len(), Runs::MOST);
    assert_eq!(held.complete_to(), 0);
    // What joins a run that is there is still taken in.
    held.insert(1);
    held.insert(3);
    assert_eq!(held.complete_to(), 4);
    assert!(held.0.len() < Runs::MOST);
}

#[test]
fn totals_follow_a_verdict_that_is_taken_again() {
    let waits = Verdict::Waiting(Waiting::Dependency);
    let unfit = Verdict::Quarantined(Quarantined::Unfit);
    let mut totals = Totals::default();
    [Verdict::Accepted, waits, unfit].into_iter().for_each(|verdict| totals.count(verdict));
    assert_eq!((totals.changes, totals.waiting, totals.quarantined), (3, 1, 1));
    totals.recount(waits, Verdict::Accepted);
    totals.recount(Verdict::Accepted, unfit);
    assert_eq!((totals.changes, totals.waiting, totals.quarantined), (3, 0, 2));
    totals.recount(unfit, unfit);
    assert_eq!((totals.changes, totals.waiting, totals.quarantined), (3, 0, 2));
}

#[test]
fn every_verdict_has_a_word_of_its_own() {
    let verdicts = [
        Verdict::Accepted,
        Verdict::Waiting(Waiting::Dependency),
        Verdict::Waiting(Waiting::Author),
        Verdict::Waiting(Waiting::Kind),
        Verdict::Quarantined(Quarantined::NotEntitled),
        Verdict::Quarantined(Quarantined::Revoked),
        Verdict::Quarantined(Quarantined::WrongKind),
        Verdict::Quarantined(Quarantined::Unfit),
    ];
    let words: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.name()).collect();
    assert_eq!(words.len(), verdicts.len());
}
