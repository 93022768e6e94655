use lienthong_protocol::{Moment, OfficeId};
use proptest::prelude::*;

use super::{MAX_CORRECTIONS, fold};
use crate::review::MAX_CONFLICTS;
use crate::{Act, ActKind, Effect, Reception, Review, Standing, Status};

fn office(id: &str) -> OfficeId {
    id.parse().expect("the tests name valid office ids")
}

/// An act `id:kind` of an office at a minute, after the acts that it saw.
fn act(id: &str, kind: ActKind, minute: u64, saw: &str) -> Act {
    Act {
        id: id.into(),
        kind: kind.word().into(),
        office: office("HOIAN"),
        signer: None,
        officer: "Lan".into(),
        at: Moment(minute * 60_000),
        saw: saw.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect(),
        from: None,
        effect: Effect::Effective,
        counts: false,
        doubt: None,
        step: None,
        note: None,
        reason: None,
        due: None,
        to_office: None,
        regards: None,
        overrules: vec![],
        reply: None,
        detail: None,
    }
}

fn decision(id: &str, holds: &str, falls: &str, minute: u64, saw: &str) -> Act {
    let overrules = vec![falls.to_owned()];
    let regards = Some(holds.to_owned());
    Act { regards, overrules, ..act(id, ActKind::Resolved, minute, saw) }
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
    let reception = serde_json::json!({
        "procedure": "2.002621.H56", "offices": { "receiving": "HOIAN" },
        "applicant": { "name": "Hoa" }, "due": "2026-01-05",
    });
    let reception: Reception = serde_json::from_value(reception).expect("it is a reception");
    let (standing, _) = fold(&mut acts, &reception);
    (standing, acts)
}

fn effects(acts: &[Act]) -> String {
    let letter = |act: &Act| match act.effect {
        Effect::Effective => act.id.clone(),
        Effect::Unconfirmed => format!("{}?", act.id),
        Effect::Conflicting => format!("{}!", act.id),
        Effect::Reversed => format!("{}-", act.id),
        Effect::Overruled => format!("{}~", act.id),
    };
    acts.iter().map(letter).collect::<Vec<_>>().join(" ")
}

fn asked(standing: &Standing) -> Vec<(String, String)> {
    let pair = |review: &Review| match review {
        Review::Conflict { first, second, .. } => (first.clone(), second.clone()),
        Review::Unreadable { .. } | Review::Altered { .. } => (String::new(), String::new()),
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
fn acts_of_one_office_that_exclude_each_other_are_asked_about() {
    let apart = [act("x", ActKind::Finished, 5, "b"), act("y", ActKind::SupplementAsked, 4, "b")];
    let open = || in_process().into_iter().chain(apart.clone());
    let (standing, acts) = folded(open());
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::SupplementAsked, "a b y! x!"));
    let (standing, acts) = folded(open().chain([reversal("z", "y", 6, "x y")]));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b y- x z"));
    assert_eq!(standing.review, []);
    let (standing, acts) = folded(open().chain([act("z", ActKind::Supplied, 6, "x y")]));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::InProcess, "a b y! x! z"));
    assert_eq!(asked(&standing), [("y".into(), "x".into())], "going on decides nothing");
    let (standing, _) = folded(open().chain([act("z", ActKind::Supplied, 6, "y")]));
    let latest = [("x".into(), "z".into())];
    assert_eq!(asked(&standing), latest, "only the latest acts are asked about");
}

#[test]
fn a_conflict_is_closed_by_the_decision_of_the_entitled_office_alone() {
    let apart = [act("x", ActKind::Finished, 5, "b"), act("y", ActKind::SupplementAsked, 4, "b")];
    let open = || in_process().into_iter().chain(apart.clone());
    let (standing, acts) = folded(open().chain([decision("z", "x", "y", 6, "x y")]));
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b y~ x z"));
    assert_eq!(standing.review, []);
    let foreign = Act { office: office("STC"), ..decision("z", "x", "y", 6, "x y") };
    let (standing, acts) = folded(open().chain([foreign]));
    assert_eq!((effects(&acts).as_str(), standing.review.len()), ("a b y! x! z?", 1));
    let (standing, acts) = folded(open().chain([decision("z", "x", "y", 6, "x")]));
    assert_eq!((effects(&acts).as_str(), standing.review.len()), ("a b y! x! z?", 1));
    let undone = [decision("z", "x", "y", 6, "x y"), reversal("w", "z", 7, "z")];
    let (standing, acts) = folded(open().chain(undone));
    assert_eq!((effects(&acts).as_str(), standing.review.len()), ("a b y! x! z- w", 1));
}

#[test]
fn two_decisions_that_contradict_each_other_are_asked_about() {
    let apart = [act("x", ActKind::Finished, 5, "b"), act("y", ActKind::SupplementAsked, 4, "b")];
    let decisions = [decision("p", "x", "y", 6, "x y"), decision("q", "y", "x", 7, "x y")];
    let open = || in_process().into_iter().chain(apart.clone()).chain(decisions.clone());
    let (standing, acts) = folded(open());
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b y~ x p! q!"));
    assert_eq!(asked(&standing), [("p".into(), "q".into())]);
    let (standing, acts) = folded(open().chain([decision("r", "q", "p", 8, "p q")]));
    let decided = (Status::SupplementAsked, "a b y x~ p~ q r");
    assert_eq!((standing.status, effects(&acts).as_str()), decided);
    assert_eq!(standing.review, []);
    let latest = decision("r", "y", "x", 8, "p");
    let (standing, acts) = folded(open().take(5).chain([latest]));
    assert_eq!(
        (standing.status, effects(&acts).as_str()),
        (Status::SupplementAsked, "a b y x~ p r"),
        "a later decision that knew the earlier one prevails"
    );
}

#[test]
fn hand_overs_to_two_offices_at_once_are_asked_about() {
    let to = |id, minute, place| Act {
        to_office: Some(office(place)),
        ..act(id, ActKind::Transferred, minute, "b")
    };
    let (standing, acts) =
        folded(in_process().into_iter().chain([to("x", 4, "STNMT"), to("y", 5, "STC")]));
    assert_eq!((standing.holder, effects(&acts).as_str()), (office("STNMT"), "a b x! y!"));
    let [Review::Conflict { words, entitled, .. }] = standing.review.as_slice() else {
        panic!("one conflict is expected, found {:?}", standing.review);
    };
    assert!(words.contains("HOIAN: handed over to STC") && *entitled == office("STNMT"));
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
    let due = Some("2026-02-01".into());
    let consulted = Act { office: office("TAMKY"), due, ..consulted };
    let moved = || in_process().into_iter().chain([to("c", ActKind::Transferred, 3, "b", "TAMKY")]);
    let (standing, _) = folded(moved().chain([consulted.clone()]));
    assert_eq!((standing.holder, standing.due.as_deref()), (office("TAMKY"), Some("2026-01-05")));
    assert_eq!(standing.owed.get("d"), Some(&office("STNMT")));
    let reply = |place| Act {
        office: office(place),
        regards: Some("d".into()),
        reply: Some(crate::ReplyLetter {
            number: "1".into(),
            date: "1970-01-01".into(),
            signer: "A".into(),
            file: None,
        }),
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
    assert_eq!((standing.status, effects(&acts).as_str()), (Status::Finished, "a b! c! d e"));
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

#[test]
fn a_hostile_number_of_corrections_is_folded_in_bounded_time() {
    let chain = (0..2_000_u64).map(|n| {
        let before = if n == 0 { "b".to_owned() } else { format!("n{}", n - 1) };
        reversal(&format!("n{n}"), &before, 3 + n, &before)
    });
    let (standing, acts) = folded(in_process().into_iter().chain(chain));
    let stands = acts.iter().filter(|act| act.effect == Effect::Unconfirmed).count();
    assert_eq!(stands, 2_000 - MAX_CORRECTIONS);
    assert_eq!(standing.status, Status::InProcess, "the last of an even number gives it back");
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
            let place = office(["HOIAN", "HOIAN", "STC"][regards % 3]);
            let overrules = vec![format!("n{}", (regards + 1) % 12)];
            let regards = Some(format!("n{regards}"));
            Act { office: place, regards, overrules, to_office: Some(office("STC")), ..act }
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
