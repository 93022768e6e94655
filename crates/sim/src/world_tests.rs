use std::collections::BTreeSet;

use crate::{Fault, Plan, run, run_told};

fn quiet(seed: u64) -> Plan {
    Plan { offices: 3, days: 2, faults: BTreeSet::new(), ..Plan::draw(seed) }
}

#[test]
fn three_offices_without_faults_settle_and_keep_everything() {
    let outcome = run_told(&quiet(1));
    assert_eq!(outcome.broken, None);
    assert!(outcome.counts.acts > 10, "{:?}", outcome.counts);
    assert!(outcome.journal.contains("all have settled"));
}

#[test]
fn faults_strike_and_processes_come_back() {
    let faults = BTreeSet::from([Fault::Crash, Fault::Kill, Fault::Flap]);
    let outcome = run(&Plan { faults, intensity_percent: 100, days: 7, ..quiet(3) });
    assert_eq!(outcome.broken, None);
    assert!(outcome.counts.crashes > 3, "{:?}", outcome.counts);
    assert!(outcome.counts.starts > 6, "{:?}", outcome.counts);
}
