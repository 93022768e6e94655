use lienthong_document::Document;
use proptest::prelude::*;
use serde_json::json;

use crate::fixture_tests::{
    MORNING, act, actor, drafted, id, minute, office, opened, opened_with, read, reception,
    refusal, registered_with, with,
};
use crate::{
    ActKind, Code, Detail, Dossier, Dues, Effect, Intake, NewAct, Notice, NoticeChannel, Opening,
    ReadError, Reception, ReplyLetter, Review, Status, StepDue, checks, receive,
};

#[test]
fn an_opened_dossier_reads_back_as_it_was_received() {
    let dossier = read(&opened());
    assert_eq!(dossier.reception, reception());
    assert_eq!(dossier.code.as_str(), "000.00.19.H47-260105-0001");
    assert_eq!((dossier.standing.status, dossier.acts.len()), (Status::Received, 1));
    assert_eq!(dossier.standing.holder, office("HOIAN"));
}

#[test]
fn a_dossier_from_the_portal_is_registered_first() {
    let document = registered_with(&reception(), MORNING);
    assert_eq!(read(&document).standing.status, Status::Registered);
    assert_eq!(read(&document).records.times.submitted, Some(MORNING));
    let document = with(&document, &[act("n1-2", ActKind::Received)]);
    assert_eq!(read(&document).standing.status, Status::Received);
}

#[test]
fn who_takes_in_may_turn_down_what_was_only_registered() {
    let asked = NewAct { office: office("HOIAN"), ..act("b", ActKind::SupplementAsked) };
    let refused = NewAct { office: office("HOIAN"), ..act("c", ActKind::Refused) };
    let document = registered_with(&reception(), MORNING);
    let ends = [
        (vec![refused.clone()], Status::Refused),
        (vec![asked.clone(), refused], Status::Refused),
        (vec![act("b", ActKind::Withdrawn)], Status::Withdrawn),
    ];
    for (acts, status) in ends {
        let dossier = read(&with(&document, &acts));
        assert_eq!((dossier.standing.status, dossier.records.times.received), (status, None));
    }
    let decides = NewAct { office: office("STNMT"), ..asked };
    assert_eq!(refusal(&document, &decides), "not-entitled", "the ward takes in");
}

#[test]
fn who_brings_what_was_asked_before_the_reception_is_taken_in() {
    let asked = NewAct { office: office("HOIAN"), ..act("b", ActKind::SupplementAsked) };
    let document = with(&registered_with(&undated(), MORNING), &[asked]);
    assert!(read(&document).would_take_in(ActKind::Supplied));
    assert!(!read(&document).would_take_in(ActKind::Refused));
    let supplied = NewAct { due: Some("2026-01-12".into()), ..act("c", ActKind::Supplied) };
    let dossier = read(&with(&document, &[supplied]));
    assert_eq!(dossier.standing.status, Status::InProcess);
    assert_eq!(dossier.records.times.received, dossier.records.times.supplied);
    assert_eq!(dossier.original_due(), Some("2026-01-12"), "it is the first that was given");
    assert_eq!(checks(&dossier, minute(9), None), [], "it is no dossier without a reception");
    assert!(!dossier.would_take_in(ActKind::Resumed));
}

#[test]
fn a_later_reception_pins_the_version_and_the_dues_of_its_day() {
    let dues = json!({ "steps": [{ "step": "thẩm định", "role": "so", "due": "2026-01-08" }] });
    let dues: Dues = serde_json::from_value(dues).expect("the shape is right");
    let intake = |dues| Some(Detail::Intake(Intake { version: 2, dues: Some(dues) }));
    let document = registered_with(&undated(), MORNING);
    let due = Some("2026-01-09".to_owned());
    let act = act("b", ActKind::Received);
    let received = NewAct { due: due.clone(), detail: intake(dues.clone()), ..act.clone() };
    let dossier = read(&with(&document, &[received]));
    assert_eq!((dossier.reception.version, &dossier.reception.dues), (2, &Some(dues.clone())));
    assert_eq!((dossier.original_due(), &dossier.standing.due), (Some("2026-01-09"), &due));
    let blank = StepDue { step: " ".into(), ..dues.steps[0].clone() };
    let blank = NewAct { detail: intake(Dues { steps: vec![blank], ..dues.clone() }), ..act };
    assert_eq!(refusal(&document, &blank), "missing");
    let again = NewAct {
        detail: intake(dues),
        ..NewAct::new("x", ActKind::InProcess, office("STNMT"), "Lan")
    };
    assert_eq!(refusal(&opened(), &again), "wrong-detail");
}

#[test]
fn when_the_applicant_applied_is_kept_and_never_lies_before_us() {
    let applied = |text: &str| Reception { submitted: Some(text.into()), ..reception() };
    let by_post = applied("2026-01-02T16:30").check().expect("it is right");
    let dossier = read(&opened_with(&by_post));
    assert_eq!(dossier.reception, by_post);
    assert_eq!(dossier.records.times.submitted, by_post.submitted_at(MORNING).ok());
    assert_eq!(dossier.records.times.received, Some(MORNING));
    assert_eq!(reception().submitted_at(MORNING), Ok(MORNING));
    let early = applied("2026-01-05T08:01").submitted_at(MORNING).expect_err("it is 08:00");
    assert_eq!(early.code, "in-the-future");
    for wrong in ["2026-02-30T08:00", "2026-01-02", "2026-01-02T24:00", "hôm qua"] {
        assert_eq!(applied(wrong).check().expect_err("no minute").code, "not-a-minute", "{wrong}");
    }
}

#[test]
fn a_due_that_nobody_can_keep_is_refused() {
    // Monday, 08:00; each act is done a minute after the one before.
    let working = with(&opened(), &[act("b", ActKind::InProcess)]);
    let due = |kind, due: &str| NewAct {
        due: Some(due.into()),
        to_office: Some(office("STC")),
        note: Some("hỏi".into()),
        ..act("c", kind)
    };
    for (kind, day, code) in [
        (ActKind::Extended, "2026-01-04", "due-past"),
        (ActKind::Extended, "2026-01-05T08:01", "due-past"),
        (ActKind::Extended, "2026-01-09", "due-not-later"),
        (ActKind::Extended, "2026-01-08T17:00", "due-not-later"),
        (ActKind::Extended, "2026-01-10", "allowed"),
        (ActKind::Extended, "2206-01-10", "due-far"),
        (ActKind::Consulted, "2026-01-02", "due-past"),
        (ActKind::Consulted, "2026-01-05", "allowed"),
        (ActKind::SupplementAsked, "2025-12-31", "due-past"),
    ] {
        assert_eq!(refusal(&working, &due(kind, day)), code, "{kind:?} {day}");
    }
    let promised = |due: &str| Reception { due: Some(due.into()), ..reception() };
    assert_eq!(promised("2026-01-05").check_due_from(MORNING), Ok(()));
    assert_eq!(undated().check_due_from(MORNING), Ok(()));
    for (due, code) in [("2026-01-04", "due-past"), ("2062-01-05", "due-far")] {
        let refusal = promised(due).check_due_from(MORNING).expect_err("nobody can keep it");
        assert_eq!((refusal.code, refusal.field.as_str()), (code, "due"));
    }
}

fn undated() -> Reception {
    Reception { due: None, ..reception() }
}

#[test]
fn acts_are_written_and_read_back_whole() {
    let consulted = NewAct {
        to_office: Some(office("STC")),
        due: Some("2026-01-07".into()),
        step: Some("thẩm định".into()),
        note: Some("Thửa đất có nợ thuế không?".into()),
        ..act("n1-3", ActKind::Consulted)
    };
    let reply = ReplyLetter {
        number: "12/STC".into(),
        date: "2026-01-06".into(),
        signer: "Trần Văn Minh".into(),
        file: None,
    };
    let replied = NewAct {
        office: office("STC"),
        regards: Some("n1-3".into()),
        reply: Some(reply.clone()),
        ..act("n1-4", ActKind::Replied)
    };
    let document = with(&opened(), &[act("n1-2", ActKind::InProcess), consulted]);
    assert_eq!(read(&document).standing.owed.get("n1-3"), Some(&office("STC")));
    let dossier = read(&with(&document, &[replied]));
    assert_eq!(dossier.standing.owed.len(), 0);
    assert_eq!(dossier.acts[3].reply, Some(reply));
    assert_eq!(
        (dossier.acts[3].from, dossier.acts[3].saw[..].to_vec()),
        (Some(4), vec!["n1-3".into()])
    );
    assert_eq!(dossier.coordinating(), [office("STC")].into());
}

#[test]
fn an_act_that_may_not_be_is_refused_with_what_may() {
    let document = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
    let refused = drafted(&document, 1, &act("x", ActKind::Returned), 9).expect_err("it may not");
    assert_eq!(refused.code(), "act-not-allowed");
    assert!(refused.words().remedy.contains("finished"), "{}", refused.words());
    assert!(refused.words().cause_vi.contains("đang xử lý"));
    let bare = |kind| NewAct::new("x", kind, office("STNMT"), "Lan");
    let regards = |kind, id: &str| NewAct { regards: Some(id.into()), ..act("x", kind) };
    let letter = |date: &str| {
        let (number, date, signer) = ("1".into(), date.into(), "A".into());
        Some(ReplyLetter { number, date, signer, file: None })
    };
    let to = |kind| NewAct { to_office: Some(office("STC")), ..act("x", kind) };
    let sms = Some(Detail::Notice(Notice { channel: NoticeChannel::Sms }));
    let cases = [
        (act("n1-2", ActKind::Finished), "not-a-fresh-id"),
        (act("n 1", ActKind::Finished), "not-a-fresh-id"),
        (act("", ActKind::Finished), "missing"),
        (NewAct { officer: " ".into(), ..act("x", ActKind::Finished) }, "missing"),
        (NewAct { officer: "N".repeat(10_240), ..act("x", ActKind::Finished) }, "too-long"),
        (NewAct { due: Some("mai".into()), ..act("x", ActKind::Noted) }, "not-a-due"),
        (NewAct { due: Some("2026-02-30".into()), ..act("x", ActKind::Extended) }, "not-a-due"),
        (bare(ActKind::Stopped), "missing"),
        (act("x", ActKind::Transferred), "missing"),
        (act("x", ActKind::Reversed), "missing"),
        (act("x", ActKind::Extended), "missing"),
        (to(ActKind::Consulted), "missing"),
        (regards(ActKind::Replied, "n1-2"), "missing"),
        (regards(ActKind::Reversed, "gone"), "no-such-act"),
        (regards(ActKind::Reversed, "n1-1"), "act-fixed"),
        (regards(ActKind::Resolved, "n1-2"), "no-such-act"),
        (regards(ActKind::Taken, "n1-2"), "no-such-act"),
        (NewAct { reply: letter("2026-01-06"), ..regards(ActKind::Replied, "n1-2") }, "not-asked"),
        (NewAct { reply: letter("hôm qua"), ..regards(ActKind::Replied, "n1-2") }, "not-a-day"),
        (NewAct { office: office("HOIAN"), ..act("x", ActKind::Finished) }, "not-entitled"),
        (NewAct { office: office("STC"), ..act("x", ActKind::Withdrawn) }, "not-entitled"),
        (NewAct { detail: sms, ..act("x", ActKind::Finished) }, "wrong-detail"),
    ];
    for (act, code) in cases {
        assert_eq!(refusal(&document, &act), code, "{:?}", act.kind);
    }
}

#[test]
fn what_is_open_to_an_office_is_what_it_may_do() {
    let open = |document: &Document, name: &str| read(document).open_to(office(name));
    let (fresh, working) = (opened(), with(&opened(), &[act("n1-2", ActKind::InProcess)]));
    assert!(open(&fresh, "STNMT").contains(&ActKind::InProcess));
    assert!(!open(&fresh, "STNMT").contains(&ActKind::Finished), "the status does not allow it");
    assert!(!open(&working, "STC").contains(&ActKind::Finished), "it decides nothing");
    assert!(open(&working, "STC").contains(&ActKind::Noted));
    assert!(!open(&fresh, "STNMT").contains(&ActKind::Reversed), "the opening stands");
    let asked = NewAct {
        to_office: Some(office("STC")),
        due: Some("2026-01-07".into()),
        note: Some("?".into()),
        ..act("n1-3", ActKind::Consulted)
    };
    assert!(!open(&working, "STC").contains(&ActKind::Replied), "nobody asked it");
    let asking = with(&working, &[asked]);
    assert!(open(&asking, "STC").contains(&ActKind::Replied));
    assert!(!open(&asking, "STNMT").contains(&ActKind::Replied));
    let conflict = contradicted();
    let entitled = read(&conflict).standing.review[0].clone();
    let Review::Conflict { entitled, .. } = entitled else { panic!("it is a conflict") };
    let held_up = read(&conflict).open_to(entitled);
    assert!(held_up.contains(&ActKind::Resolved) && !held_up.contains(&ActKind::Returned));
}

#[test]
fn a_reception_that_cannot_be_right_is_refused() {
    let good = serde_json::to_value(reception()).expect("it is JSON");
    let cases = [
        ("/applicant/name", json!("N".repeat(10_240)), "too-long"),
        ("/applicant/name", json!("a\u{0}b"), "control-character"),
        ("/applicant/birth_date", json!("1985-02-29"), "not-a-day"),
        ("/due", json!("2026-13-01"), "not-a-due"),
        ("/procedure", json!("khai sinh"), "not-a-procedure"),
        ("/dues/steps/0/step", json!(" "), "missing"),
    ];
    for (place, value, code) in cases {
        let mut typed = good.clone();
        typed["applicant"]["birth_date"] = json!("1985-01-01");
        typed["dues"] = json!({ "steps": [{ "step": "thẩm định", "role": "so" }] });
        *typed.pointer_mut(place).expect("the place is there") = value;
        let typed: Reception = serde_json::from_value(typed).expect("the shape is right");
        let refusal = typed.check().expect_err("it cannot be right");
        assert_eq!(refusal.code, code, "{place}");
        assert!(!refusal.words.remedy.is_empty() && !refusal.words.remedy_vi.is_empty());
    }
}

#[test]
fn who_receives_for_another_office_takes_in_and_does_not_decide() {
    let by_ward = |kind| NewAct { office: office("HOIAN"), ..act("x", kind) };
    let document = opened();
    assert_eq!(refusal(&document, &by_ward(ActKind::InProcess)), "not-entitled");
    assert_eq!(refusal(&document, &by_ward(ActKind::Withdrawn)), "allowed");
    let handed = NewAct { to_office: Some(office("STNMT")), ..by_ward(ActKind::Transferred) };
    let document = with(&document, &[handed]);
    let again = NewAct { to_office: Some(office("STC")), ..by_ward(ActKind::Transferred) };
    assert_eq!(refusal(&document, &NewAct { id: "y".into(), ..again }), "not-entitled");
    let document = with(&document, &[act("n1-3", ActKind::InProcess)]);
    assert_eq!(read(&document).standing.status, Status::InProcess);
}

#[test]
fn an_act_of_an_office_without_authority_is_kept_and_said_to_be_unconfirmed() {
    // What another version or a hostile office wrote: nobody planned it here.
    let entry = json!({
        "id": "n9-1", "kind": "finished", "office": "STC", "officer": "Ai", "at": MORNING,
        "saw": "n1-2",
    });
    let document = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
    let draft = document.edit(actor(9), |editor| editor.append(&["acts"], entry));
    let document = draft.expect("the edit is sound").preview().clone();
    let dossier = read(&document);
    assert_eq!(dossier.standing.status, Status::InProcess);
    assert_eq!((dossier.acts[2].effect, dossier.acts[2].counts), (Effect::Unconfirmed, false));
    let shown = dossier.to_json();
    assert_eq!(shown["acts"][2]["doubt"]["code"], "not-entitled");
    let confirmed = NewAct { regards: Some("n9-1".into()), ..act("n1-3", ActKind::Resolved) };
    let by_other = NewAct { office: office("STC"), ..confirmed.clone() };
    assert_eq!(refusal(&document, &by_other), "not-entitled");
    let dossier = read(&with(&document, &[confirmed]));
    assert_eq!(dossier.standing.status, Status::Finished, "the entitled office lets it hold");
}

#[test]
fn an_act_taken_back_gives_back_the_status_before() {
    let wrong = [act("n1-2", ActKind::InProcess), act("n1-3", ActKind::Finished)];
    let back = NewAct { regards: Some("n1-3".into()), ..act("n1-4", ActKind::Reversed) };
    let dossier = read(&with(&with(&opened(), &wrong), &[back]));
    assert_eq!(dossier.standing.status, Status::InProcess);
    assert_eq!(dossier.acts[2].effect, Effect::Reversed);
}

/// The department has finished, and a node of the ward that did not know that the dossier had been
/// handed over has asked for a supplement before.
fn contradicted() -> Document {
    let own = Reception {
        offices: serde_json::from_value(json!({ "receiving": "HOIAN" })).expect("one office"),
        ..reception()
    };
    let of = |place: &str, act: NewAct| NewAct { office: office(place), ..act };
    let base = with(&opened_with(&own), &[of("HOIAN", act("n1-2", ActKind::InProcess))]);
    let handed = NewAct { to_office: Some(office("STNMT")), ..act("n1-3", ActKind::Transferred) };
    let handed = drafted(&base, 1, &of("HOIAN", handed), 3).expect("it holds it");
    let asked = of("HOIAN", act("n3-1", ActKind::SupplementAsked));
    let asked = drafted(&base, 3, &asked, 350).expect("it does not know better");
    let finished = act("n2-1", ActKind::Finished);
    let finished = drafted(handed.preview(), 2, &finished, 365).expect("it decides");
    let orders = [[&handed, &finished, &asked], [&asked, &handed, &finished]];
    let merged = orders.map(|drafts| {
        let mut document = base.clone();
        for draft in drafts {
            document.apply(draft.payload()).expect("it is sound");
        }
        document
    });
    let [one, other] = merged;
    assert_eq!(read(&one), read(&other));
    one
}

#[test]
fn two_offices_that_contradict_each_other_are_asked_about_in_words() {
    let dossier = read(&contradicted());
    assert_eq!((dossier.acts.len(), dossier.standing.status), (5, Status::Finished));
    let [Review::Conflict { first, second, entitled, words, words_vi }] =
        dossier.standing.review.as_slice()
    else {
        panic!("one conflict is expected, found {:?}", dossier.standing.review);
    };
    assert_eq!((first.as_str(), second.as_str(), *entitled), ("n3-1", "n2-1", office("STNMT")));
    assert_eq!(
        words,
        "HOIAN: supplement asked 2026-01-05 13:50; STNMT: finished 2026-01-05 14:05; decide"
    );
    assert_eq!(
        words_vi,
        "HOIAN: yêu cầu bổ sung 2026-01-05 13:50; STNMT: đã xử lý xong 2026-01-05 14:05; \
         cần quyết định"
    );
    let effects: Vec<_> = dossier.acts[3..].iter().map(|act| (act.effect, act.counts)).collect();
    assert_eq!(effects, [(Effect::Conflicting, false), (Effect::Conflicting, true)]);
}

#[test]
fn the_entitled_office_decides_which_act_holds() {
    let document = contradicted();
    assert_eq!(refusal(&document, &act("x", ActKind::Returned)), "act-undecided");
    let resolved = |id: &str| NewAct { regards: Some(id.into()), ..act("n2-2", ActKind::Resolved) };
    let by_ward = NewAct { office: office("HOIAN"), ..resolved("n3-1") };
    assert_eq!(refusal(&document, &by_ward), "not-entitled");
    for (holds, falls, status) in
        [("n2-1", "n3-1", Status::Finished), ("n3-1", "n2-1", Status::SupplementAsked)]
    {
        let dossier = read(&with(&document, &[resolved(holds)]));
        assert_eq!((dossier.standing.status, dossier.standing.review.len()), (status, 0));
        let effect = |id: &str| {
            let found = dossier.acts.iter().find(|act| act.id == id);
            found.map(|act| act.effect).expect("both are kept")
        };
        assert_eq!((effect(holds), effect(falls)), (Effect::Effective, Effect::Overruled));
        let decision = dossier.acts.last().expect("there are acts");
        assert_eq!(decision.overrules, [falls], "the decision names what does not hold");
    }
}

/// The dossier at work, and what two nodes went on with that did not hear of each other.
fn gone_apart(chains: [&[ActKind]; 2]) -> Document {
    let base = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
    let mut document = base.clone();
    for (node, chain) in (2_u8..).zip(chains) {
        let mut own = base.clone();
        for (number, kind) in chain.iter().enumerate() {
            let new = act(&format!("n{node}-{number}"), *kind);
            let minute = 10 * number as u64 + u64::from(node);
            let Ok(draft) = drafted(&own, node, &new, minute) else { continue };
            document.apply(draft.payload()).expect("it is sound");
            own.take(draft).expect("it is sound");
        }
    }
    document
}

#[test]
fn a_decision_leaves_no_question_behind_the_one_that_it_answers() {
    let stopped_and_withdrawn = [ActKind::Stopped, ActKind::Resumed, ActKind::Withdrawn];
    let document = gone_apart([&[ActKind::Finished], &stopped_and_withdrawn]);
    let asked = read(&document).standing.review;
    assert_eq!(asked.iter().filter_map(Review::acts).collect::<Vec<_>>(), [("n2-0", "n3-2")]);
    let decision = NewAct { regards: Some("n2-0".into()), ..act("z", ActKind::Resolved) };
    let dossier = read(&with(&document, &[decision]));
    assert_eq!(dossier.standing.review, []);
    assert_eq!(dossier.standing.status, Status::Finished);
    let decided = dossier.acts.last().expect("there are acts");
    assert_eq!(decided.overrules, ["n3-0", "n3-1", "n3-2"], "all of the other way falls");
}

#[test]
fn who_went_further_on_the_same_way_contradicts_nobody() {
    let base = opened();
    let begun = drafted(&base, 2, &act("n2-1", ActKind::InProcess), 3).expect("allowed");
    let also = drafted(&base, 3, &act("n3-1", ActKind::InProcess), 4).expect("allowed");
    let asked = act("n3-2", ActKind::SupplementAsked);
    let asked = drafted(also.preview(), 3, &asked, 5).expect("allowed");
    let mut document = base;
    for draft in [&begun, &also, &asked] {
        document.apply(draft.payload()).expect("each is sound");
    }
    let standing = read(&document).standing;
    assert_eq!((standing.status, standing.review), (Status::SupplementAsked, vec![]));
}

#[test]
fn what_the_applicant_does_goes_on_during_a_conflict() {
    let base = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
    let finished = drafted(&base, 2, &act("n2-1", ActKind::Finished), 9).expect("allowed");
    let asked = drafted(&base, 3, &act("n3-1", ActKind::SupplementAsked), 8).expect("allowed");
    let mut document = base;
    for draft in [&finished, &asked] {
        document.apply(draft.payload()).expect("both are sound");
    }
    let dossier = read(&document);
    assert_eq!(dossier.standing.status, Status::SupplementAsked, "the earlier one for now");
    assert_eq!(refusal(&document, &act("x", ActKind::Stopped)), "act-undecided");
    let document = with(&document, &[act("n1-3", ActKind::Supplied)]);
    let dossier = read(&document);
    assert_eq!((dossier.standing.status, dossier.standing.review.len()), (Status::InProcess, 1));
    let back = NewAct { regards: Some("n3-1".into()), ..act("n1-4", ActKind::Reversed) };
    let dossier = read(&with(&document, &[back]));
    assert_eq!((dossier.standing.status, dossier.standing.review.len()), (Status::Finished, 0));
}

#[test]
fn the_json_of_a_dossier_holds_what_is_promised() {
    let document = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
    let shown = read(&document).to_json();
    let heads: Vec<_> = document.heads().iter().map(ToString::to_string).collect();
    assert_eq!(shown["id"], json!(id().to_string()));
    assert_eq!(shown["code"], "000.00.19.H47-260105-0001");
    assert_eq!((&shown["status"], &shown["status_name"]), (&json!(4), &json!("in process")));
    assert_eq!((&shown["due"], &shown["heads"]), (&json!("2026-01-09T17:00"), &json!(heads)));
    assert_eq!(shown["offices"]["competent"], "STNMT");
    assert_eq!(
        (&shown["acts"][1]["kind"], &shown["acts"][1]["to"]),
        (&json!("in-process"), &json!(4))
    );
    assert_eq!((&shown["acts"][1]["effect"], &shown["review"]), (&json!("effective"), &json!([])));
    assert_eq!(shown["applicant"]["name"], "Nguyễn Thị Hoa");
}

#[test]
fn a_masked_dossier_tells_nobody_who_it_is() {
    let dossier = read(&with(&opened(), &[act("n1-2", ActKind::InProcess)]));
    let masked = dossier.to_masked_json().to_string();
    for secret in ["Hoa", "hoa@", "049085991234", "0000123456", "Trần Phú", "gọi trước", "vì sao"]
    {
        assert!(!masked.contains(secret), "{secret} is shown");
    }
    assert_eq!(dossier.summary().applicant, "N*** T*** H***");
    let summary = serde_json::to_value(dossier.summary()).expect("it is JSON");
    assert_eq!((&summary["status"], &summary["acts"]), (&json!(4), &json!(2)));
}

#[test]
fn a_document_that_is_no_dossier_is_not_read_as_one() {
    assert_eq!(Dossier::read(id(), &Document::new()), Err(ReadError::NoCode));
    let opened = |parts: serde_json::Value| {
        let draft = Document::new().edit(actor(1), |editor| {
            let mut parts = parts.as_object().expect("an object").iter();
            parts.try_for_each(|(path, part)| editor.put(&[path.as_str()], part.clone()))
        });
        draft.expect("the edit is sound").preview().clone()
    };
    let identity = json!({ "code": "H57-260804-0583" });
    let document = opened(json!({ "identity": identity }));
    assert_eq!(Dossier::read(id(), &document), Err(ReadError::NoOffice));
    let offices = json!({ "receiving": "HOIAN", "later": 1 });
    let noted = json!({ "id": "a", "kind": "noted", "office": "HOIAN", "at": 1 });
    let acts = json!([1, { "id": "x" }, noted, noted]);
    let parts = json!({ "identity": identity, "offices": offices, "acts": acts });
    let dossier = read(&opened(parts));
    let ids: Vec<_> = dossier.acts.iter().map(|act| act.id.as_str()).collect();
    assert_eq!(ids, ["a", "a 2"], "two acts of one id are kept apart");
    assert_eq!(dossier.standing.review, [Review::Unreadable { entries: 2 }]);
}

#[test]
fn an_opened_dossier_and_an_act_are_small() {
    let code = Code::issue("000.00.19.H47", MORNING, 1).expect("a real unit code");
    let opening = Opening::received(code, "n1-1", "Lan", MORNING);
    let bare = Reception { note: None, ..reception() };
    let draft = Document::new().edit(actor(1), |editor| receive(editor, &bare, &opening));
    let draft = draft.expect("the edit is sound");
    assert!(draft.payload().len() < 1_500, "{} bytes", draft.payload().len());
    let act = act("0011223344556677-0000000000000001-2", ActKind::InProcess);
    let step = drafted(draft.preview(), 1, &act, 5).expect("allowed");
    assert!(step.payload().len() < 500, "{} bytes", step.payload().len());
}

#[test]
fn a_part_of_a_dossier_is_no_filing_of_its_own() {
    let parent = Code::parse("000.00.19.H47-260105-0001").ok();
    let part = read(&opened_with(&Reception { parent_code: parent, ..reception() }));
    assert!(!part.is_filing() && read(&opened()).is_filing());
}

/// What one office does on its own copy before it hears from the others: what, when, about which
/// act, to whom.
type Work = Vec<(ActKind, u64, usize, usize)>;

fn work() -> impl Strategy<Value = Work> {
    let kinds = proptest::sample::select(ActKind::ALL.to_vec());
    proptest::collection::vec((kinds, 0..600_u64, 0..8_usize, 0..OFFICES.len()), 0..5)
}

const OFFICES: [&str; 4] = ["HOIAN", "STNMT", "STC", "STNMT"];

/// Lets every office work on its own copy, each by its own lights: what its copy does not allow is
/// not done. Gives what they wrote.
fn apart(base: &Document, round: u8, works: &[Work]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    for ((node, work), place) in (2..).zip(works).zip(OFFICES) {
        let mut copy = base.clone();
        for (number, (kind, minute, about, to)) in work.iter().enumerate() {
            let known = read(&copy).acts;
            let act = NewAct {
                office: office(place),
                to_office: Some(office(OFFICES[*to])),
                regards: Some(known[about % known.len()].id.clone()),
                note: Some("hỏi".into()),
                due: Some("2026-02-02".into()),
                reply: Some(ReplyLetter {
                    number: "1".into(),
                    date: "2026-01-06".into(),
                    signer: "A".into(),
                    file: None,
                }),
                ..act(&format!("n{node}-{round}-{number}"), *kind)
            };
            let Ok(draft) = drafted(&copy, node, &act, *minute) else { continue };
            payloads.push(draft.payload().to_vec());
            copy.take(draft).expect("the draft is sound");
        }
    }
    payloads
}

fn merged<'a>(base: &Document, payloads: impl Iterator<Item = &'a Vec<u8>>) -> Document {
    let mut document = base.clone();
    let changes = payloads.map(|payload| ((), payload.as_slice()));
    assert!(document.extend(changes, |()| None).is_empty());
    document
}

fn two_rounds() -> impl Strategy<Value = [Vec<Work>; 2]> {
    let round = || proptest::collection::vec(work(), OFFICES.len());
    [round(), round()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_order_of_the_same_changes_gives_the_same_dossier(
        rounds in two_rounds(),
        order in Just((0..40_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let base = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
        let mut payloads = apart(&base, 1, &rounds[0]);
        let between = merged(&base, payloads.iter());
        payloads.extend(apart(&between, 2, &rounds[1]));
        let straight = merged(&base, payloads.iter());
        let shuffled = merged(&base, order.iter().filter_map(|index| payloads.get(*index)));
        prop_assert_eq!(straight.canonical(), shuffled.canonical());
        let dossier = read(&straight);
        prop_assert_eq!(&dossier, &read(&shuffled));
        prop_assert_eq!(dossier.acts.len(), 2 + payloads.len());
        for act in &dossier.acts {
            let stands = matches!(act.effect, Effect::Effective | Effect::Conflicting);
            prop_assert!(stands || !act.counts, "{} counts though {:?}", act.id, act.effect);
            prop_assert!(act.counts || act.effect != Effect::Effective, "{} does not", act.id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_decision_closes_what_two_ways_of_one_dossier_ask(
        one in moves(), other in moves(), decides_for_first in any::<bool>(),
    ) {
        let document = gone_apart([&one, &other]);
        let asked = read(&document).standing.review;
        let Some((first, second)) = asked.iter().find_map(Review::acts) else { return Ok(()) };
        let holds = if decides_for_first { first } else { second };
        let decision = NewAct { regards: Some(holds.into()), ..act("z", ActKind::Resolved) };
        let decided = drafted(&document, 1, &decision, 90).expect("it was asked");
        let left = read(decided.preview()).standing.review;
        prop_assert!(left.is_empty(), "{:?} and {:?}, for {}: {:?}", one, other, holds, left);
    }
}

/// Acts that move a dossier, in any order; those that the status does not allow are left out.
fn moves() -> impl Strategy<Value = Vec<ActKind>> {
    use ActKind::{Finished, InProcess, Paid, PaymentAsked, Resumed, Stopped, Supplied};
    use ActKind::{Returned, SupplementAsked, Withdrawn};
    let kinds = vec![
        Finished,
        InProcess,
        Paid,
        PaymentAsked,
        Resumed,
        Returned,
        Stopped,
        Supplied,
        SupplementAsked,
        Withdrawn,
    ];
    proptest::collection::vec(proptest::sample::select(kinds), 1..6)
}

#[test]
fn a_decision_overrules_only_what_is_open() {
    let acts = [act("b", ActKind::InProcess), act("c", ActKind::Noted)];
    let document = with(&opened(), &acts);
    let base = document.clone();
    let one = drafted(&base, 2, &act("x", ActKind::Finished), 5).expect("allowed");
    let other = drafted(&base, 3, &act("y", ActKind::SupplementAsked), 6).expect("allowed");
    let mut document = document;
    for draft in [&one, &other] {
        document.apply(draft.payload()).expect("both are sound");
    }
    let decide = |falls: &[&str]| NewAct {
        regards: Some("x".into()),
        overrules: falls.iter().map(|id| (*id).to_owned()).collect(),
        ..act("z", ActKind::Resolved)
    };
    assert_eq!(refusal(&document, &decide(&["b"])), "no-such-act", "nobody contests b");
    assert_eq!(refusal(&document, &decide(&["y", "c"])), "no-such-act");
    assert_eq!(refusal(&document, &decide(&["y"])), "allowed");
    let decided = read(&with(&document, &[decide(&[])]));
    assert_eq!(decided.acts.last().map(|act| act.overrules.clone()), Some(vec!["y".into()]));
}
