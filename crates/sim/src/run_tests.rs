use crate::{Outcome, Plan, run};

fn short(seed: u64) -> Plan {
    let drawn = Plan::draw(seed);
    Plan { days: 1, offices: drawn.offices.min(3), ..drawn }
}

#[test]
fn the_same_seed_gives_the_same_journal_byte_for_byte() {
    let play = |seed| -> Outcome { run(&short(seed)) };
    let mut digests = std::collections::BTreeSet::new();
    for seed in 1..=200 {
        let (one, other) = (play(seed), play(seed));
        assert_eq!(one.digest, other.digest, "seed {seed}");
        assert_eq!(one.counts, other.counts, "seed {seed}");
        digests.insert(one.digest);
    }
    assert_eq!(digests.len(), 200, "two seeds have one journal");
}

#[test]
fn a_plan_is_told_so_that_it_can_be_played_again() {
    let told = short(12).to_string();
    assert!(told.starts_with("run 12 --offices "), "{told}");
    assert!(told.contains("--days 1 "), "{told}");
    assert!(told.contains(" --faults "), "{told}");
}
