use lienthong_protocol::{Moment, OfficeId};
use proptest::prelude::*;

use super::{MAX_CONFLICTS, fold};
use crate::{Act, ActKind, Effect, Review, Standing, Status};

fn office(id: &str) -> OfficeId {
    id.parse().expect("the tests name valid office ids")
}

/// An act `id:kind` of an office at a minute, after the acts that it saw.
fn act(id: &str, kind: ActKind, minute: u64, saw: &str) -> Act {
    Act {
        id: id.into(),
        kind: kind.word().into(),
        office: office("HOIAN"),
        officer: "Lan".into(),
        at: Moment(minute * 60_000),
        saw: saw.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
        from: None,
        effect: Effect::Effective,
        step: None,
        note: None,
        reason: None,
        due: None,
        to_office: None,
        regards: None,
        reply: None,
    }
}

fn reversal(id: &str, regards: &str, minute: u64, saw: &str) -> Act {
    Act { regards: Some(regards.into()), ..act(id, ActKind::Reversed, minute, saw) }
}

/// Received and in process: acts `a` and `b`.
fn in_process() -> Vec<Act> {
    vec![act("a", ActKind::Received, 1, ""), act("b", ActKind::InProcess, 2, "a")]
}

fn folded(acts: impl IntoIterator<Item = Act>) -> (Standing, Vec<Act>) {
    let mut acts: Vec<_> = acts.into_iter().collect();
    let standing = fold(&mut acts, office("HOIAN"), Some("2026-01-05".into()));
    (standing, acts)
}

fn effects(acts: &[Act]) -> String {
    let letter = |act: &Act| match act.effect {
        Effect::Effective => act.id.clone(),
        Effect::Unconfirmed => format!("{}?", act.id),
        Effect::Reversed => format!("{}-", act.id),
    };
    acts.iter().map(letter).collect::<Vec<_>>().join(" ")
}

fn asked(standing: &Standing) -> Vec<(String, String)> {
    let pair = |review: &Review| match review {
        Review::Conflict { first, second, .. } => (first.clone(), second.clone()),
        Review::Unreadable { .. } => (String::new(), String::new()),
    };
    standing.review.iter().map(pair).collect()
}

#[test]
fn a_dossier_walks_to_its_result() {
    let rest = [
        act("c", ActKind::SupplementAsked, 3, "b"),
        Act { due: Some("2026-01-09".into()), ..act("d", ActKind::Supplied, 4, "c") },
        act("e", ActKind::PaymentAsked, 5, "d"),
        act("f", ActKind::Paid, 6, "e"),
        act("g", ActKind::Finished, 7, "f"),
        act("h", ActKind::Returned, 8, "g"),
    ];
    let (standing, acts) = folded(in_process().into_iter().chain(rest));
    assert_eq!((standing.status, standing.due.as_deref()), (Status::Returned, Some("2026-01-09")));
    assert_eq!(effects(&acts), "a b c d e f g h");
    assert_eq!(standing.review, []);
}

#[test]
fn what_an_act_saw_comes_before_it_whatever_the_clocks_say() {
    let late = act("c", ActKind::Finished, 0, "b");
    let (standing, acts) = folded([late].into_iter().chain(in_process()));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b c"));
}

#[test]
fn an_act_that_is_not_allowed_is_kept_and_does_not_count() {
    let (standing, acts) = folded(in_process().into_iter().chain([
        act("c", ActKind::Returned, 3, "b"),
        Act { kind: "from-a-later-version".into(), ..act("d", ActKind::Noted, 4, "c") },
    ]));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::InProcess, "a b c? d?"));
}

#[test]
fn two_offices_that_decide_at_once_are_both_kept_and_asked_about() {
    let finished = Act { office: office("STNMT"), ..act("x", ActKind::Finished, 5, "b") };
    let asks = act("y", ActKind::SupplementAsked, 4, "b");
    let (standing, acts) = folded(in_process().into_iter().chain([finished, asks]));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::SupplementAsked, "a b y x?"));
    let [Review::Conflict { words, words_vi, .. }] = standing.review.as_slice() else {
        panic!("one conflict is expected, found {:?}", standing.review);
    };
    let said = "HOIAN: supplement asked 1970-01-01 07:04; STNMT: finished 1970-01-01 07:05; decide";
    assert_eq!(words, said);
    assert!(words_vi.contains("HOIAN: yêu cầu bổ sung") && words_vi.contains("đã xử lý xong"));
}

#[test]
fn a_conflict_is_closed_by_an_act_that_saw_both() {
    let apart = [act("x", ActKind::Finished, 5, "b"), act("y", ActKind::SupplementAsked, 4, "b")];
    let open = || in_process().into_iter().chain(apart.clone());
    let (standing, acts) = folded(open().chain([reversal("z", "y", 6, "x y")]));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b y- x z"));
    assert_eq!(standing.review, []);
    let (standing, _) = folded(open().chain([act("z", ActKind::Supplied, 6, "x y")]));
    assert_eq!((standing.status, standing.review.len()), (Status::InProcess, 0));
    let (standing, _) = folded(open().chain([act("z", ActKind::Supplied, 6, "y")]));
    assert_eq!(
        asked(&standing),
        [("x".into(), "z".into())],
        "only the latest acts are asked about"
    );
    let (standing, _) = folded(open().chain([act("z", ActKind::Noted, 6, "x y")]));
    assert_eq!(asked(&standing), [("y".into(), "x".into())], "a note decides nothing");
}

#[test]
fn two_offices_that_do_the_same_at_once_are_no_conflict() {
    let apart = [act("x", ActKind::Finished, 5, "b"), act("y", ActKind::Finished, 4, "b")];
    let (standing, acts) = folded(in_process().into_iter().chain(apart));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b y x?"));
    assert_eq!(standing.review, []);
}

#[test]
fn an_act_is_taken_back_and_given_again() {
    let wrong = act("c", ActKind::Finished, 3, "b");
    let taken_back = || in_process().into_iter().chain([wrong.clone(), reversal("d", "c", 4, "c")]);
    let (standing, acts) = folded(taken_back());
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::InProcess, "a b c- d"));
    let (standing, acts) = folded(taken_back().chain([reversal("e", "d", 5, "d")]));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b c d- e"));
}

#[test]
fn nothing_unseen_unknown_or_first_is_taken_back() {
    let cases =
        [reversal("z", "b", 9, "a"), reversal("z", "q", 9, "b"), reversal("z", "a", 9, "b")];
    for wrong in cases {
        let (standing, acts) = folded(in_process().into_iter().chain([wrong]));
        assert_eq!((standing.status, effects(&acts).as_str()), (Status::InProcess, "a b z?"));
    }
}

#[test]
fn a_dossier_is_handed_over_and_answers_are_owed() {
    let to = |id, kind, minute, saw, place| Act {
        to_office: Some(office(place)),
        ..act(id, kind, minute, saw)
    };
    let consulted = to("d", ActKind::Consulted, 4, "c", "STNMT");
    let consulted = Act { due: Some("2026-02-01".into()), ..consulted };
    let moved = || in_process().into_iter().chain([to("c", ActKind::Transferred, 3, "b", "TAMKY")]);
    let (standing, _) = folded(moved().chain([consulted.clone()]));
    assert_eq!((standing.holder, standing.due.as_deref()), (office("TAMKY"), Some("2026-01-05")));
    assert_eq!(standing.owed.get("d"), Some(&office("STNMT")));
    let reply = |place| Act {
        office: office(place),
        regards: Some("d".into()),
        ..act("e", ActKind::Replied, 5, "d")
    };
    let (standing, _) = folded(moved().chain([consulted.clone(), reply("TAMKY")]));
    assert_eq!(standing.owed.len(), 1, "another office cannot answer");
    let (standing, _) = folded(moved().chain([consulted, reply("STNMT")]));
    assert_eq!(standing.owed.len(), 0);
}

#[test]
fn acts_that_saw_each_other_or_themselves_are_still_folded() {
    let circle = [
        act("c", ActKind::Finished, 3, "d"),
        act("d", ActKind::Noted, 4, "c"),
        act("e", ActKind::Noted, 5, "e nowhere"),
    ];
    let (standing, acts) = folded(in_process().into_iter().chain(circle));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b c d e"));
}

#[test]
fn a_dossier_without_acts_stands_at_its_beginning() {
    let (standing, _) = folded([]);
    assert_eq!((standing.status, standing.holder), (Status::Registered, office("HOIAN")));
}

#[test]
fn a_hostile_number_of_acts_is_folded_in_bounded_time() {
    let kinds = [ActKind::Finished, ActKind::SupplementAsked, ActKind::Stopped];
    let many = (0..2_000_u64).map(|n| act(&format!("n{n}"), kinds[n as usize % 3], 3 + n, "b"));
    let (standing, acts) = folded(in_process().into_iter().chain(many));
    assert_eq!((standing.review.len(), acts.len()), (MAX_CONFLICTS, 2_002));
    let chain = (0..2_000_u64).map(|n| {
        let saw = if n == 0 { "b".to_owned() } else { format!("n{}", n - 1) };
        act(&format!("n{n}"), ActKind::Noted, 3, &saw)
    });
    let (standing, acts) = folded(in_process().into_iter().chain(chain));
    assert_eq!((standing.review.len(), acts.last().map(|act| act.id.as_str())), (0, Some("n1999")));
}

/// Up to twelve acts of any kind that saw any earlier ones.
fn any_acts() -> impl Strategy<Value = Vec<Act>> {
    let kind = proptest::sample::select(ActKind::ALL.to_vec());
    let some = proptest::collection::vec((kind, 0..5_u64, any::<[bool; 12]>(), 0..12_usize), 0..12);
    some.prop_map(|some| {
        let entries = some.into_iter().enumerate().map(|(number, (kind, minute, saw, regards))| {
            let saw =
                (0..number).filter(|earlier| saw[*earlier]).map(|earlier| format!("n{earlier}"));
            let saw = saw.chain(["b".to_owned()]).collect::<Vec<_>>().join(" ");
            let act = act(&format!("n{number}"), kind, minute, &saw);
            Act { regards: Some(format!("n{regards}")), to_office: Some(office("STC")), ..act }
        });
        in_process().into_iter().chain(entries).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn acts_fold_to_the_same_whatever_order_they_come_in(
        (acts, shuffled) in any_acts().prop_flat_map(|acts| {
            (Just(acts.clone()), Just(acts).prop_shuffle())
        }),
    ) {
        let (standing, straight) = folded(acts);
        let (again, ordered) = folded(shuffled);
        prop_assert_eq!(&straight, &ordered);
        prop_assert_eq!(standing, again);
        for (position, act) in straight.iter().enumerate() {
            let before = |id: &String| straight[..position].iter().any(|earlier| earlier.id == *id);
            prop_assert!(act.saw.iter().all(before), "{} comes before what it saw", act.id);
        }
    }
}
