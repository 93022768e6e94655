use super::tests::{at, reference, words};
use super::{FlowDues, StepLimit};
use crate::catalogue::Edition;
use crate::limit::{Due, Limit, Unit};
use crate::procedure::Step;

const fn step(limit: Limit) -> StepLimit {
    StepLimit { limit: Some(limit), parallel: None, counts: true }
}

const fn beside(letter: char, limit: Limit) -> StepLimit {
    StepLimit { limit: Some(limit), parallel: Some(letter), counts: true }
}

fn working(days: u32) -> Limit {
    Limit::of(days, Unit::WorkingDay)
}

fn days(days: u32) -> Limit {
    Limit::of(days, Unit::Day)
}

/// Received on Monday 5/6/2017; no holiday follows in that month.
fn flow(steps: &[StepLimit], total: Option<Limit>) -> FlowDues {
    FlowDues::of(&reference(), at("2017-06-05 08:00"), steps, total).expect("the flow ends")
}

fn ends(flow: &FlowDues) -> Vec<String> {
    let end = |due: &Option<Due>| due.as_ref().map_or("none".to_owned(), |due| words(due.at));
    flow.steps.iter().chain([&flow.internal, &flow.total]).map(end).collect()
}

#[test]
fn steps_in_a_row_add_up_to_their_total() {
    // Change of land use, 1.002996: 1 + 2.5 + 5 + 1 + 3 + 1.5 + 1 = 15 working days.
    let steps = [
        step(working(1)),
        step(working(2).and_half()),
        step(working(5)),
        step(working(1)),
        step(working(3)),
        step(working(1).and_half()),
        step(working(1)),
        StepLimit { limit: None, parallel: None, counts: false },
    ];
    let flow = flow(&steps, Some(working(15)));
    assert_eq!(
        ends(&flow),
        [
            "2017-06-06 17:00", // Tu 6/6
            "2017-06-09 11:00", // 3.5: Th 8/6, and 4 h of Fr 9/6
            "2017-06-16 11:00", // 8.5: Th 15/6, and 4 h of Fr 16/6
            "2017-06-19 11:00", // 9.5: Fr 16/6, and 4 h of Mo 19/6
            "2017-06-22 11:00", // 12.5: We 21/6, and 4 h of Th 22/6
            "2017-06-23 17:00", // 14: Fr 23/6
            "2017-06-26 17:00", // 15: Mo 26/6
            "none",
            "2017-06-26 17:00",
            "2017-06-26 17:00",
        ]
    );
    assert!(!flow.is_over_total());
}

#[test]
fn steps_with_one_letter_run_together_and_the_longest_of_them_counts() {
    let same_day = step(Limit::of(1, Unit::SameDay));
    let flow =
        flow(&[same_day, beside('a', days(15)), beside('a', days(10)), step(working(1))], None);
    assert_eq!(
        ends(&flow),
        [
            "2017-06-05 17:00",
            "2017-06-20 17:00", // Tu 20/6
            "2017-06-15 17:00", // Th 15/6, not ten days after the other
            "2017-06-21 17:00", // We 21/6, after both
            "2017-06-21 17:00",
            "2017-06-21 17:00",
        ]
    );
}

#[test]
fn steps_that_end_within_a_weekend_are_still_counted() {
    let steps = [step(days(5)), step(days(1)), step(days(1)), step(days(1))];
    // Sa 10/6, Su 11/6 and Mo 12/6 are all due on Mo 12/6; then comes Tu 13/6.
    let (monday, tuesday) = ("2017-06-12 17:00", "2017-06-13 17:00");
    assert_eq!(ends(&flow(&steps, None))[..4], [monday, monday, monday, tuesday]);
    let steps = [beside('a', days(5)), beside('a', days(6)), beside('a', days(5)), step(days(2))];
    assert_eq!(ends(&flow(&steps, None))[..4], [monday, monday, monday, tuesday]);
}

#[test]
fn two_letters_are_two_groups_one_after_the_other() {
    let steps = [
        beside('a', working(1)),
        beside('a', working(2)),
        beside('b', working(1)),
        beside('b', working(3)),
    ];
    // 1 and 2; then 3 and 5.
    assert_eq!(
        ends(&flow(&steps, None))[..4],
        ["2017-06-06 17:00", "2017-06-07 17:00", "2017-06-08 17:00", "2017-06-12 17:00"]
    );
}

#[test]
fn a_step_outside_the_total_has_a_due_and_moves_nothing() {
    let outside = StepLimit { counts: false, ..step(working(10)) };
    let half_day = Limit::of(0, Unit::Day).and_half();
    let steps = [step(days(7)), outside, step(days(10)), step(half_day)];
    let total = days(17).and_half();
    assert_eq!(
        ends(&flow(&steps, Some(total))),
        [
            "2017-06-12 17:00", // Mo 12/6
            "2017-06-26 17:00", // ten working days after Mo 12/6
            "2017-06-22 17:00", // 17 days: Th 22/6
            "2017-06-23 11:00", // 4 h of Fr 23/6
            "2017-06-23 11:00",
            "2017-06-23 11:00",
        ]
    );
}

#[test]
fn a_step_without_a_limit_has_no_due_and_a_flow_of_those_has_only_its_total() {
    let unknown = StepLimit { limit: None, parallel: None, counts: true };
    assert_eq!(
        ends(&flow(&[unknown, unknown], Some(working(1)))),
        ["none", "none", "none", "2017-06-06 17:00"]
    );
    assert_eq!(ends(&flow(&[], None)), ["none", "none"]);
}

#[test]
fn steps_that_take_longer_than_the_total_are_noticed() {
    let steps = [step(working(5)), step(working(6))];
    assert!(flow(&steps, Some(working(10))).is_over_total());
    assert!(!flow(&steps, Some(working(11))).is_over_total());
}

#[test]
fn a_step_with_an_impossible_limit_refuses_the_flow() {
    let flow = FlowDues::of(&reference(), at("2017-06-05 08:00"), &[step(working(0))], None);
    assert_eq!(flow.expect_err("a step of nothing").code(), "limit-empty");
}

#[test]
fn every_flow_of_the_reference_catalogue_has_dues_on_working_days() {
    let text = include_str!("../../../config/quang-nam/procedures.toml");
    let edition = Edition::parse("procedures.toml", text).expect("the reference is right");
    let calendar = reference();
    let mut over = Vec::new();
    let day = crate::day::day("2017-06-05").expect("a day");
    for procedure in edition.procedures_at(day).map(|version| &version.procedure) {
        let Some(flow) = &procedure.flow else { continue };
        let limit = |step: &Step| StepLimit {
            limit: step.limit(),
            parallel: step.parallel,
            counts: step.counts,
        };
        let steps: Vec<StepLimit> = flow.steps.iter().map(limit).collect();
        let dues = FlowDues::of(&calendar, at("2017-06-05 08:00"), &steps, flow.limit())
            .expect("every limit has an end");
        let all = dues.steps.iter().chain([&dues.internal, &dues.total]).flatten();
        assert!(all.clone().all(|due| calendar.is_working(due.day)), "{}", procedure.code);
        assert_eq!(dues.steps.len(), flow.steps.len());
        if dues.is_over_total() {
            over.push(procedure.code.as_str());
        }
    }
    assert_eq!(over, OVER_TOTAL);
}

/// Flows whose own steps take longer than their total: the sources give the total in days of the
/// calendar, and the steps, or some of them, in working days.
const OVER_TOTAL: [&str; 2] = ["1.009046.H47", "2.000488.H47"];
