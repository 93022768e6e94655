use lienthong_catalogue::{Calendar, Verdict};
use serde_json::json;

use crate::fixture_tests::{
    act, actor, drafted, minute, office, opened, opened_with, read, reception, refusal, with,
};
use crate::{
    ActKind, Detail, Dossier, Effect, NewAct, NotificationState, PauseCause, Reception,
    ReplyLetter, elected_sender,
};

fn detail(value: serde_json::Value) -> Option<Detail> {
    Some(serde_json::from_value(value).expect("the shape is right"))
}

fn with_detail(id: &str, kind: ActKind, value: serde_json::Value) -> NewAct {
    NewAct { detail: detail(value), ..act(id, kind) }
}

fn about(id: &str, kind: ActKind, regards: &str) -> NewAct {
    NewAct { regards: Some(regards.into()), ..act(id, kind) }
}

fn letter(number: &str) -> Option<ReplyLetter> {
    let (number, date, signer) = (number.into(), "2026-01-06".into(), "Trần Văn Minh".into());
    Some(ReplyLetter { number, date, signer, file: Some("cong-van-12.pdf".into()) })
}

fn fee(id: &str, number: &str) -> NewAct {
    let fee = json!({
        "item": "lệ phí", "amount_vnd": 8_000, "method": "cash", "series": "AA/26E",
        "number": number,
    });
    with_detail(id, ActKind::FeePaid, json!({ "fee": fee }))
}

fn asked(id: &str, place: &str, due: &str) -> NewAct {
    NewAct {
        to_office: Some(office(place)),
        note: Some("Thửa đất có quy hoạch không?".into()),
        due: Some(due.into()),
        ..act(id, ActKind::Consulted)
    }
}

#[test]
fn a_receipt_is_used_once_and_no_more_is_paid_back_than_was_paid() {
    let document = with(&opened(), &[fee("f", "0001")]);
    assert_eq!(refusal(&document, &fee("x", "0001")), "receipt-used");
    assert_eq!(refusal(&document, &fee("x", "0002")), "allowed");
    let refund = |id: &str, vnd: u64| NewAct {
        detail: detail(json!({ "refund": { "amount_vnd": vnd } })),
        ..about(id, ActKind::Refunded, "f")
    };
    assert_eq!(refusal(&document, &refund("x", 8_001)), "refund-too-high");
    let document = with(&document, &[refund("r", 5_000)]);
    assert_eq!(refusal(&document, &refund("x", 3_001)), "refund-too-high");
    let order = NewAct {
        detail: detail(json!({ "remittance": { "number": "KB-7", "date": "2026-01-08" } })),
        ..about("t", ActKind::Remitted, "f")
    };
    let dossier = read(&with(&document, &[order]));
    let paid = &dossier.records.fees[0];
    assert_eq!((paid.fee.amount_vnd, paid.refunded_vnd), (8_000, 5_000));
    assert_eq!(paid.remittance.as_ref().map(|order| order.number.as_str()), Some("KB-7"));
    assert_eq!(dossier.to_json()["records"]["fees"][0]["fee"]["series"], "AA/26E");
}

#[test]
fn a_receipt_used_at_once_by_two_offices_is_kept_and_counted_once() {
    let base = opened();
    let one = drafted(&base, 2, &fee("n2-1", "0001"), 3).expect("allowed");
    let other = drafted(&base, 3, &fee("n3-1", "0001"), 4).expect("allowed");
    let mut document = base;
    for draft in [&other, &one] {
        document.apply(draft.payload()).expect("both are sound");
    }
    let dossier = read(&document);
    assert_eq!((dossier.acts.len(), dossier.records.fees.len()), (3, 1));
    assert_eq!(dossier.acts[2].effect, Effect::Unconfirmed);
    assert_eq!(dossier.acts[2].doubt.as_ref().map(|doubt| doubt.code()), Some("receipt-used"));
}

#[test]
fn details_that_cannot_be_right_are_refused() {
    let fee = |field: &str, value: serde_json::Value| {
        let mut fee = json!({
            "item": "lệ phí", "amount_vnd": 8_000, "method": "cash", "series": "A", "number": "1",
        });
        fee[field] = value;
        with_detail("x", ActKind::FeePaid, json!({ "fee": fee }))
    };
    let rating = |officer: &str, score: u8| {
        let rating = json!({ "rating": { "officer": officer, "score": score } });
        let rated = with_detail("x", ActKind::Rated, rating);
        NewAct { office: office("HOIAN"), ..rated }
    };
    let result = |date: &str| {
        let paper = json!({ "kind": "Giấy", "number": "1", "signer": "A", "date": date });
        with_detail("x", ActKind::ResultIssued, json!({ "result": paper }))
    };
    let document = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
    let cases = [
        (fee("amount_vnd", json!(0)), "not-an-amount"),
        (fee("amount_vnd", json!(u64::MAX)), "not-an-amount"),
        (fee("series", json!(" ")), "missing"),
        (fee("item", json!("N".repeat(10_240))), "too-long"),
        (act("x", ActKind::FeePaid), "missing"),
        (rating("Lan", 0), "not-a-score"),
        (rating("Lan", 6), "not-a-score"),
        (rating("Ai đó", 5), "not-an-officer"),
        (rating("Lan", 5), "allowed"),
        (result("2026-02-30"), "not-a-day"),
        (result("2026-01-05"), "allowed"),
        (about("x", ActKind::Refunded, "n1-2"), "missing"),
    ];
    for (act, code) in cases {
        assert_eq!(refusal(&document, &act), code, "{:?}", act.detail);
    }
    let document = with(&document, &[NewAct { id: "r".into(), ..rating("Lan", 5) }]);
    assert_eq!(refusal(&document, &rating("Lan", 1)), "rated-before");
    assert_eq!(read(&document).records.ratings[0].score, 5);
}

#[test]
fn each_agency_owes_its_own_answer_by_its_own_day() {
    let acts = [
        act("b", ActKind::InProcess),
        asked("q1", "STC", "2026-01-07"),
        asked("q2", "SXD", "2026-01-08T11:30"),
    ];
    let document = with(&opened(), &acts);
    let overdue = |dossier: &Dossier, day: u64, at: u64| -> Vec<String> {
        let now = minute(day * 24 * 60 + at);
        dossier.records.overdue_requests(now).map(|request| request.act.clone()).collect()
    };
    let dossier = read(&document);
    assert_eq!(overdue(&dossier, 2, 8 * 60), [""; 0], "a day lasts until midnight");
    assert_eq!(overdue(&dossier, 3, 3 * 60), ["q1"]);
    assert_eq!(overdue(&dossier, 3, 3 * 60 + 31), ["q1", "q2"]);
    let reply = |id: &str, place: &str| NewAct {
        office: office(place),
        reply: letter("12/STC"),
        ..about(id, ActKind::Replied, "q1")
    };
    assert_eq!(refusal(&document, &reply("x", "SXD")), "not-asked");
    let finished = act("x", ActKind::Finished);
    let by_asked = NewAct { office: office("STC"), ..finished };
    assert_eq!(refusal(&document, &by_asked), "not-entitled", "who is asked decides nothing");
    let dossier = read(&with(&document, &[reply("a1", "STC")]));
    assert_eq!(overdue(&dossier, 9, 0), ["q2"]);
    let answer = dossier.records.requests[0].reply.as_ref().expect("it was answered");
    assert_eq!((answer.letter.number.as_str(), answer.letter.file.is_some()), ("12/STC", true));
    assert_eq!(dossier.to_json()["records"]["requests"][1]["agency"], "SXD");
}

#[test]
fn a_ministry_is_asked_reminded_and_answers_and_the_clock_may_stand_still() {
    let opinion = |pauses: bool| {
        let letter = json!({
            "agency": "Bộ Xây dựng", "number": "5/UBND", "date": "2026-01-05", "signer": "A",
            "expected": "2026-01-20", "pauses": pauses,
        });
        with_detail("o", ActKind::OpinionAsked, json!({ "opinion": letter }))
    };
    for pauses in [true, false] {
        let document = with(&opened(), &[act("b", ActKind::InProcess), opinion(pauses)]);
        let open = read(&document).records.pauses;
        assert_eq!(open.iter().filter(|pause| pause.to.is_none()).count(), usize::from(pauses));
        let reminded = about("f", ActKind::OpinionFollowedUp, "o");
        let answered =
            NewAct { reply: letter("9/BXD"), ..about("a", ActKind::OpinionReplied, "o") };
        let document = with(&document, &[reminded, answered]);
        let dossier = read(&document);
        let asked = &dossier.records.opinions[0];
        assert_eq!((asked.follow_ups.len(), asked.reply.is_some()), (1, true));
        let closed = |pause: &crate::Pause| {
            pause.because == PauseCause::OpinionAsked && pause.to == Some(minute(4))
        };
        assert_eq!(
            dossier.records.pauses.iter().filter(|p| closed(p)).count(),
            usize::from(pauses)
        );
        let again = about("x", ActKind::OpinionFollowedUp, "o");
        assert_eq!(refusal(&document, &again), "no-such-act", "it has answered");
    }
}

#[test]
fn hand_overs_make_the_control_slip() {
    let to = |id: &str, from: &str, place: &str, due: Option<&str>| NewAct {
        office: office(from),
        to_office: Some(office(place)),
        due: due.map(str::to_owned),
        ..act(id, ActKind::Transferred)
    };
    let due = Some("2026-01-05T08:02");
    let document = with(&opened(), &[to("t1", "HOIAN", "STNMT", due)]);
    assert_eq!(read(&document).standing.due, reception().due, "that is the department's due");
    let taken = |id: &str, place: &str, regards: &str| NewAct {
        office: office(place),
        officer: "Bình".into(),
        ..about(id, ActKind::Taken, regards)
    };
    assert_eq!(refusal(&document, &taken("x", "STC", "t1")), "no-such-act");
    let acts = [
        taken("g1", "STNMT", "t1"),
        act("b", ActKind::InProcess),
        act("c", ActKind::Finished),
        to("t2", "STNMT", "HOIAN", None),
    ];
    let document = with(&document, &acts);
    assert_eq!(refusal(&document, &taken("x", "STNMT", "t1")), "no-such-act", "it was taken");
    let dossier = read(&document);
    let slip = dossier.control_slip(&Calendar::default());
    assert_eq!((slip[0].giver, slip[0].receiver), (office("HOIAN"), office("STNMT")));
    assert_eq!((slip[0].taken_at, slip[0].verdict), (Some(minute(2)), None));
    assert_eq!(slip[0].receiver_officer.as_deref(), Some("Bình"));
    assert_eq!((slip[1].due.as_deref(), slip[1].verdict), (due, Some(Verdict::Late)));
    assert_eq!((slip[1].given_at, slip[1].taken_at), (minute(5), None));
    assert_eq!(dossier.standing.holder, office("HOIAN"));
    let returned = read(&with(&document, &[act("d", ActKind::Returned)]));
    assert_eq!(returned.records.times.returned, Some(minute(6)));
}

#[test]
fn a_result_goes_back_by_post_leg_by_leg() {
    let paper = json!({ "result": {
        "kind": "Giấy chứng nhận", "number": "CN-1", "signer": "Lê B", "date": "2026-01-05",
    }});
    let leg = |stage: &str| {
        json!({ "leg": {
            "waybill": "EA123456789VN", "way": "to-applicant", "stage": stage,
            "inventory": ["Giấy chứng nhận"], "fee_vnd": 30_000,
        }})
    };
    let by_ward = |act: NewAct| NewAct { office: office("HOIAN"), ..act };
    let acts = [
        act("b", ActKind::InProcess),
        with_detail("c", ActKind::Finished, paper),
        by_ward(with_detail("p", ActKind::Posted, leg("handed-over"))),
        by_ward(with_detail("d", ActKind::Returned, leg("delivered"))),
    ];
    let dossier = read(&with(&opened(), &acts));
    assert_eq!(dossier.records.results[0].paper.number, "CN-1");
    let stages: Vec<_> = dossier.records.legs.iter().map(|known| known.leg.stage).collect();
    assert_eq!(stages, [crate::LegStage::HandedOver, crate::LegStage::Delivered]);
    let masked = dossier.to_masked_json().to_string();
    assert!(!masked.contains("EA123456789VN") && !masked.contains("CN-1"), "{masked}");
}

fn queued(id: &str, event: &str, channel: &str) -> NewAct {
    let notice = json!({ "notice": { "channel": channel } });
    NewAct { regards: Some(event.into()), ..with_detail(id, ActKind::NotificationQueued, notice) }
}

#[test]
fn an_applicant_is_told_once_by_a_way_that_was_agreed_to() {
    let document = with(&opened(), &[act("b", ActKind::InProcess), act("c", ActKind::Finished)]);
    assert_eq!(refusal(&document, &queued("x", "c", "email")), "not-agreed");
    assert_eq!(refusal(&document, &queued("x", "gone", "sms")), "no-such-act");
    let document = with(&document, &[queued("q", "c", "sms")]);
    assert_eq!(refusal(&document, &queued("x", "c", "sms")), "queued-before");
    let failed = with(&document, &[about("e", ActKind::NotificationFailed, "q")]);
    let state = |document| {
        let known = read(document).records.notifications.remove(0);
        (known.state, known.failures, known.sent.len(), known.cost_vnd)
    };
    assert_eq!(state(&failed), (NotificationState::Failed, 1, 0, 0));
    let again = with(&failed, &[queued("q2", "c", "sms")]);
    assert_eq!(state(&again), (NotificationState::Queued, 1, 0, 0));
    let cost = json!({ "delivery": { "reference": "g-1", "cost_vnd": 350 } });
    let sent = NewAct { detail: detail(cost), ..about("s", ActKind::NotificationSent, "q2") };
    let sent = with(&again, &[sent]);
    assert_eq!(state(&sent), (NotificationState::Sent, 1, 1, 350));
    assert_eq!(read(&sent).records.times.notified, Some(minute(6)));
    let late = with(&sent, &[about("e2", ActKind::NotificationFailed, "q")]);
    assert_eq!(state(&late).0, NotificationState::Sent, "told is told");
}

#[test]
fn offices_that_queue_the_same_at_once_tell_the_applicant_once() {
    let base = with(&opened(), &[act("b", ActKind::InProcess), act("c", ActKind::Finished)]);
    let by_ward = NewAct { office: office("HOIAN"), ..queued("n2-1", "c", "sms") };
    let one = drafted(&base, 2, &by_ward, 9).expect("allowed");
    let other = drafted(&base, 3, &queued("n3-1", "c", "sms"), 8).expect("allowed");
    let sent = about("n2-2", ActKind::NotificationSent, "n2-1");
    let sent = drafted(one.preview(), 2, &sent, 10).expect("it knows of its own only");
    let mut document = base;
    for draft in [&one, &other] {
        document.apply(draft.payload()).expect("both are sound");
    }
    let dossier = read(&document);
    let [known] = dossier.records.notifications.as_slice() else {
        panic!("one is expected, found {:?}", dossier.records.notifications);
    };
    assert_eq!(known.queued, ["n3-1", "n2-1"]);
    let key = format!("{}:c:sms", dossier.id);
    assert_eq!(dossier.idempotency_key(known), key);
    document.apply(sent.payload()).expect("it is sound");
    let dossier = read(&document);
    assert_eq!(dossier.records.notifications[0].state, NotificationState::Sent);
    assert_eq!(dossier.to_be_sent(office("HOIAN"), |_| true).count(), 0);
}

#[test]
fn exactly_one_office_is_elected_whichever_are_open() {
    let offices = json!({
        "receiving": "HOIAN", "competent": "STNMT", "returning": "BUUDIEN",
        "coordinating": ["STC"],
    });
    let offices = serde_json::from_value(offices).expect("offices");
    let document = opened_with(&Reception { offices, ..reception() });
    let acts = [act("b", ActKind::InProcess), queued("q", "b", "sms")];
    let dossier = read(&with(&document, &acts));
    let known = &dossier.records.notifications[0];
    let all = ["BUUDIEN", "HOIAN", "STNMT", "STC"].map(office);
    for open in 0..16_u32 {
        let is_open = |place| {
            all.iter().position(|known| *known == place).is_some_and(|at| open >> at & 1 == 1)
        };
        // The order of `all` is the rule; if none is open it stays with who queued it.
        let expected = all.into_iter().find(|place| is_open(*place)).unwrap_or(office("STNMT"));
        assert_eq!(elected_sender(&dossier, known, is_open), expected, "{open:04b}");
        let senders =
            all.into_iter().filter(|place| dossier.to_be_sent(*place, is_open).count() == 1);
        assert_eq!(senders.collect::<Vec<_>>(), [expected], "{open:04b}");
    }
}

#[test]
fn what_a_later_version_wrote_into_a_detail_is_passed_over() {
    let fee = json!({
        "item": "lệ phí", "amount_vnd": 8_000, "method": "cash", "series": "A", "number": "1",
        "later": true,
    });
    let entry = |id: &str, detail: serde_json::Value| {
        let at = minute(1);
        json!({ "id": id, "kind": "fee-paid", "office": "HOIAN", "at": at, "saw": "n1-1",
                "detail": detail })
    };
    let document = opened();
    let draft = document.edit(actor(9), |editor| {
        editor.append(&["acts"], entry("x", json!({ "fee": fee })))?;
        editor.append(&["acts"], entry("y", json!({ "of-later": {} })))?;
        editor.append(&["acts"], entry("z", json!("no object")))
    });
    let dossier = read(draft.expect("the edit is sound").preview());
    assert_eq!(dossier.records.fees.len(), 1);
    let effects: Vec<_> = dossier.acts[1..].iter().map(|act| act.effect).collect();
    assert_eq!(effects, [Effect::Effective, Effect::Unconfirmed, Effect::Unconfirmed]);
}
