//! A proposal names something that is there, and is carried by an edition in which it is gone.

use lienthong_document::Actor;
use lienthong_protocol::{Incarnation, NodeId};

use super::*;
use crate::day::day;

const REFERENCE: &str = include_str!("../../../config/quang-nam/procedures.toml");
const CODE: &str = "1.001193.H47";
const AT: Moment = Moment(1_500_000_000_000);

fn edition(text: &str) -> Edition {
    Edition::parse("procedures.toml", text).expect("the text is sound")
}

fn held(edition: &Edition, code: &str) -> ProcedureVersion {
    let day = day("2018-01-02").expect("a day that exists");
    edition.procedure_at(code, day).expect("it is offered").clone()
}

fn wish<'a>(what: &'a str, to: &'a str) -> Wish<'a> {
    Wish { what, to, case: None }
}

fn propose(held: &ProcedureVersion, wish: Wish<'_>) -> Result<Proposal, ProposalRefusal> {
    Proposal::of(held, wish, ("lan", "không ai xem giấy này"), AT)
}

/// Why a wish about a procedure of the reference is refused.
fn refusal(code: &str, wish: Wish<'_>) -> &'static str {
    let refused = propose(&held(&edition(REFERENCE), code), wish).expect_err("it is refused");
    let [vi, en] = refused.remedies();
    assert!(!refused.cause_vi().is_empty() && !vi.is_empty() && !en.is_empty());
    refused.code()
}

/// A document with what was written, and the change of one office after the other.
fn document(proposal: &Proposal, answers: &[Answer]) -> Document {
    let mut document = Document::new();
    let actor = Actor::derive(NodeId::from_bytes([1; 32]), Incarnation(7));
    let draft = document.edit(actor, |editor| proposal.write(editor)).expect("it opens");
    document.take(draft).expect("it was rehearsed");
    for answer in answers {
        let draft = document.edit(actor, |editor| answer.write(editor)).expect("it is added");
        document.take(draft).expect("it was rehearsed");
    }
    document
}

/// The first procedure that has a flow of at least two steps, as it is written.
fn with_flow(edition: &Edition) -> ProcedureVersion {
    let day = day("2018-01-02").expect("a day that exists");
    let has_flow = |held: &&ProcedureVersion| {
        held.procedure.flow.as_ref().is_some_and(|flow| flow.steps.len() > 1)
    };
    edition.procedures_at(day).find(has_flow).expect("some go through several agencies").clone()
}

#[test]
fn what_is_proposed_is_read_back_as_it_was_opened() {
    let reference = edition(REFERENCE);
    let held = held(&reference, CODE);
    let first = &held.procedure.components[0];
    let proposal = propose(&held, wish("component", &first.code)).expect("it is there");
    let Cut::Component { name, .. } = &proposal.cut else { panic!("a component") };
    assert_eq!((name, proposal.version), (&first.name, held.version));
    let mut written = document(&proposal, &[]);
    assert_eq!(Proposal::read(&written).as_ref(), Some(&proposal));

    let actor = Actor::derive(NodeId::from_bytes([2; 32]), Incarnation(9));
    let over = written.edit(actor, |editor| editor.put(&[PROPOSAL], "another")).expect("it edits");
    written.take(over).expect("it was rehearsed");
    assert_eq!(Proposal::read(&written), Some(proposal), "nobody else writes it anew");
}

#[test]
fn only_what_is_there_can_be_cut_and_only_a_shorter_limit_is_one() {
    for (asked, code) in [
        (wish("component", "TP99"), "component-unknown"),
        (wish("fee", "1"), "cut-unknown"),
        (wish("limit", ""), "text-length"),
        (wish("limit", "soon"), "bad-limit"),
        (wish("limit", "0"), "bad-limit"),
        (wish("limit", "1,7"), "bad-limit"),
        (wish("limit", "1 week"), "bad-limit"),
        (wish("limit", "3650 working_day"), "limit-not-shorter"),
        (wish("limit", "1 day"), "limit-not-shorter"),
        (wish("step", "0"), "step-unknown"),
        (Wish { case: Some("never"), ..wish("limit", "1") }, "case-unknown"),
    ] {
        assert_eq!(refusal(CODE, asked), code, "{asked:?}");
    }
    let reference = edition(REFERENCE);
    let flow = with_flow(&reference);
    let steps = &flow.procedure.flow.as_ref().expect("chosen for it").steps;
    let beyond = (steps.len() + 1).to_string();
    assert_eq!(refusal(&flow.procedure.code, wish("step", &beyond)), "step-unknown");
    let second = propose(&flow, wish("step", "2")).expect("it is there");
    let (role, act) = (steps[1].role.clone(), steps[1].act.clone());
    assert_eq!(second.cut, Cut::Step { role, act });
}

#[test]
fn texts_are_brought_to_nfc_and_have_limits() {
    let held = held(&edition(REFERENCE), CODE);
    let code = held.procedure.components[0].code.clone();
    let with = |officer: &str, why: &str| {
        Proposal::of(&held, wish("component", &code), (officer, why), AT)
    };
    let decomposed = with("lan", "  thu\u{031b}\u{0300}a ").expect("it has a reason");
    assert_eq!(decomposed.why, "thừa");
    for (officer, why, refused) in [
        ("lan", " ".to_owned(), "text-length"),
        ("lan", "a".repeat(1_001), "text-length"),
        ("lan", "a".repeat(10_000_000), "text-length"),
        ("", "thừa".to_owned(), "text-length"),
        ("lan", "hai\ndòng".to_owned(), "text-control"),
    ] {
        let refusal = with(officer, &why).expect_err("it is refused");
        assert_eq!(refusal.code(), refused);
    }
    let declined = Answer::of(None, None, "minh", AT).expect_err("a no needs a reason");
    assert_eq!(declined.code(), "text-length");
}

#[test]
fn a_limit_is_at_most_another_in_hours_worked() {
    let limit = |text: &str| parsed(text, Unit::WorkingDay).expect("a limit");
    for (one, other, holds) in [
        ("2", "2", true),
        ("2,5", "2", false),
        ("2.5", "3", true),
        ("8 hour", "1", true),
        ("9 hour", "1", false),
        ("same_day", "1", true),
        ("1", "same_day", false),
        ("4 day", "5 day", true),
        ("4 day", "5", false),
    ] {
        assert_eq!(is_at_most(limit(one), limit(other)), holds, "{one} at most {other}");
    }
}

#[test]
fn an_edition_carries_a_cut_once_its_last_version_of_the_procedure_makes_it() {
    let reference = edition(REFERENCE);
    let held = held(&reference, CODE);
    let first = &held.procedure.components[0];
    let paper = propose(&held, wish("component", &first.code)).expect("it is there");
    assert_eq!(paper.is_carried_by(&reference), Some(false));
    assert_eq!(paper.check_carried(&reference).map_err(|r| r.code()), Err("cut-not-carried"));

    let last = reference.versions(CODE).and_then(<[_]>::last).expect("it has versions").clone();
    let with = |change: &dyn Fn(&mut ProcedureVersion)| {
        let mut last = last.clone();
        change(&mut last);
        last
    };
    let without = with(&|last| last.procedure.components.retain(|held| held.code != first.code));
    assert!(paper.cut.is_carried_by(&without));
    let renamed = with(&|last| last.procedure.components[0].name.push('!'));
    assert!(!paper.cut.is_carried_by(&renamed), "another wording is no cut");

    let limit = propose(&held, wish("limit", "4 hour")).expect("it is shorter");
    assert!(!limit.cut.is_carried_by(&last));
    let shorter = with(&|last| {
        for limit in &mut last.procedure.limits {
            (limit.amount, limit.half, limit.unit) = (3, true, Unit::Hour);
        }
    });
    assert!(limit.cut.is_carried_by(&shorter));

    let flow = with_flow(&reference);
    let step = propose(&flow, wish("step", "1")).expect("it is there");
    let mut stepless = flow;
    assert!(!step.cut.is_carried_by(&stepless));
    stepless.procedure.flow.as_mut().expect("chosen for it").steps.remove(0);
    assert!(step.cut.is_carried_by(&stepless));
}

#[test]
fn answers_that_nobody_is_known_to_have_signed_change_nothing() {
    let held = held(&edition(REFERENCE), CODE);
    let code = held.procedure.components[0].code.clone();
    let proposal = propose(&held, wish("component", &code)).expect("it is there");
    let no = Answer::of(None, Some("luật yêu cầu"), "minh", AT).expect("it has a reason");
    let yes = Answer::of(Some(2), None, "minh", AT).expect("it has a version");
    let document = document(&proposal, &[no.clone(), yes.clone()]);
    let hub = "HUB".parse().expect("an id");
    let read = Answer::read_all(&document, Some(hub));
    let weights: Vec<&str> = read.iter().map(|answered| answered.weight.word()).collect();
    assert_eq!(weights, ["unconfirmed", "unconfirmed"]);
    assert_eq!(read.into_iter().map(|read| read.answer).collect::<Vec<_>>(), [no, yes]);
}
