use lienthong_document::{Actor, Document, Draft};
use lienthong_protocol::{DocumentId, Incarnation, Moment, NodeId, OfficeId};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    ActKind, ActRefusal, Code, Dossier, Effect, NewAct, Opening, ReadError, Reception, ReplyLetter,
    Review, Status, receive,
};

/// 2026-01-05 08:00 in Asia/Ho_Chi_Minh.
const MORNING: Moment = Moment(1_767_574_800_000);
const MINUTE_MS: u64 = 60_000;

fn office(id: &str) -> OfficeId {
    id.parse().expect("the tests name valid office ids")
}

fn actor(node: u8) -> Actor {
    Actor::derive(NodeId::from_bytes([node; 32]), Incarnation(u64::from(node)))
}

fn id() -> DocumentId {
    DocumentId::derive(NodeId::from_bytes([1; 32]), Incarnation(1), 1, MORNING)
}

fn reception() -> Reception {
    let typed = json!({
        "procedure": "2.002621.H56",
        "channel": "counter",
        "offices": { "receiving": "HOIAN", "competent": "STNMT" },
        "applicant": {
            "name": "Nguyễn Thị Hoa", "id_kind": "citizen", "id_number": "049085991234",
            "phone": "0000123456", "email": "hoa@vidu.vn", "address": "12 Trần Phú, Hội An",
        },
        "components": [{ "code": "TP01", "name": "Tờ khai", "originals": 1 }],
        "due": "2026-01-09T17:00",
        "note": "gọi trước khi trả",
    });
    let typed: Reception = serde_json::from_value(typed).expect("the shape is right");
    typed.check().expect("it is right")
}

fn opened() -> Document {
    let code = Code::issue("000.00.19.H47", MORNING, 1).expect("a real unit code");
    let opening = Opening::received(code, "n1-1", "Lan", MORNING);
    let document = Document::new();
    let draft = document.edit(actor(1), |editor| receive(editor, &reception(), &opening));
    draft.expect("the edit is sound").preview().clone()
}

fn read(document: &Document) -> Dossier {
    Dossier::read(id(), document).expect("it is a dossier")
}

/// Drafts an act of node `node` on what the document says now.
fn drafted(document: &Document, node: u8, act: &NewAct, minute: u64) -> Result<Draft, ActRefusal> {
    let planned = read(document).plan(act, Moment(MORNING.0 + minute * MINUTE_MS))?;
    Ok(document.edit(actor(node), |editor| planned.write(editor)).expect("the edit is sound"))
}

fn act(id: &str, kind: ActKind) -> NewAct {
    NewAct { reason: Some("vì sao".into()), ..NewAct::new(id, kind, office("HOIAN"), "Lan") }
}

fn with(document: &Document, acts: &[NewAct]) -> Document {
    let mut document = document.clone();
    for (act, minute) in acts.iter().zip(1..) {
        let draft = drafted(&document, 1, act, minute).expect("the act is allowed");
        document.take(draft).expect("the draft is sound");
    }
    document
}

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
    let code = Code::issue("000.00.19.H47", MORNING, 1).expect("a real unit code");
    let opening = Opening::registered(code, "n1-1", "portal", MORNING);
    let draft = Document::new().edit(actor(1), |editor| receive(editor, &reception(), &opening));
    let document = draft.expect("the edit is sound").preview().clone();
    assert_eq!(read(&document).standing.status, Status::Registered);
    let document = with(&document, &[act("n1-2", ActKind::Received)]);
    assert_eq!(read(&document).standing.status, Status::Received);
}

#[test]
fn acts_are_written_and_read_back_whole() {
    let consulted = NewAct {
        to_office: Some(office("STC")),
        due: Some("2026-01-07".into()),
        step: Some("thẩm định".into()),
        ..act("n1-3", ActKind::Consulted)
    };
    let reply = ReplyLetter {
        number: "12/STC".into(),
        date: "2026-01-06".into(),
        signer: "Trần Văn Minh".into(),
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
    let refused = |act: &NewAct| drafted(&document, 1, act, 9).expect_err("it may not be");
    let refusal = refused(&act("x", ActKind::Returned));
    assert_eq!(refusal.code(), "act-not-allowed");
    assert!(refusal.words().remedy.contains("finished"), "{}", refusal.words());
    assert!(refusal.words().cause_vi.contains("đang xử lý"));
    let bare = |kind| NewAct::new("x", kind, office("HOIAN"), "Lan");
    let regards = |kind, id: &str| NewAct { regards: Some(id.into()), ..act("x", kind) };
    let letter =
        |date: &str| ReplyLetter { number: "1".into(), date: date.into(), signer: "A".into() };
    let cases = [
        (act("n1-2", ActKind::Finished), "not-a-fresh-id"),
        (act("n 1", ActKind::Finished), "not-a-fresh-id"),
        (act("", ActKind::Finished), "missing"),
        (NewAct { officer: " ".into(), ..act("x", ActKind::Finished) }, "missing"),
        (NewAct { due: Some("mai".into()), ..act("x", ActKind::Noted) }, "not-a-due"),
        (bare(ActKind::Stopped), "missing"),
        (act("x", ActKind::Transferred), "missing"),
        (act("x", ActKind::Reversed), "missing"),
        (regards(ActKind::Replied, "n1-2"), "missing"),
        (regards(ActKind::Reversed, "gone"), "no-such-act"),
        (regards(ActKind::Reversed, "n1-1"), "act-fixed"),
        (
            NewAct { reply: Some(letter("2026-01-06")), ..regards(ActKind::Replied, "n1-2") },
            "not-asked",
        ),
        (
            NewAct { reply: Some(letter("hôm qua")), ..regards(ActKind::Replied, "n1-2") },
            "not-a-day",
        ),
    ];
    for (act, code) in cases {
        let refusal = refused(&act);
        assert_eq!(refusal.code(), code, "{refusal}");
        let words = refusal.words();
        for said in [words.cause, words.remedy, words.cause_vi, words.remedy_vi] {
            assert!(!said.is_empty());
        }
    }
}

#[test]
fn an_act_taken_back_gives_back_the_status_before() {
    let wrong = [act("n1-2", ActKind::InProcess), act("n1-3", ActKind::Finished)];
    let back = NewAct { regards: Some("n1-3".into()), ..act("n1-4", ActKind::Reversed) };
    let dossier = read(&with(&with(&opened(), &wrong), &[back]));
    assert_eq!(dossier.standing.status, Status::InProcess);
    assert_eq!(dossier.acts[2].effect, Effect::Reversed);
}

#[test]
fn acts_of_two_offices_at_once_are_both_kept() {
    let base = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
    let finished = drafted(&base, 2, &act("n2-1", ActKind::Finished), 9).expect("allowed");
    let asked = drafted(&base, 3, &act("n3-1", ActKind::SupplementAsked), 8).expect("allowed");
    let mut one = base.clone();
    let mut other = base;
    for (document, drafts) in [(&mut one, [&finished, &asked]), (&mut other, [&asked, &finished])] {
        for draft in drafts {
            document.apply(draft.payload()).expect("both are sound");
        }
    }
    assert_eq!(read(&one), read(&other));
    let dossier = read(&one);
    assert_eq!((dossier.acts.len(), dossier.standing.status), (4, Status::SupplementAsked));
    assert_eq!(dossier.acts[3].effect, Effect::Unconfirmed);
    assert!(matches!(dossier.standing.review[..], [Review::Conflict { .. }]));
    let decided = NewAct { regards: Some("n3-1".into()), ..act("n1-3", ActKind::Reversed) };
    let decided = read(&with(&one, &[decided]));
    assert_eq!((decided.standing.status, decided.standing.review.len()), (Status::Finished, 0));
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
    let put = |path: &'static str, value: serde_json::Value, document: &Document| {
        let draft = document.edit(actor(1), |editor| editor.put(&[path], value));
        draft.expect("the edit is sound").preview().clone()
    };
    let document = put("identity", json!({ "code": "H57-260804-0583" }), &Document::new());
    assert_eq!(Dossier::read(id(), &document), Err(ReadError::NoOffice));
    let document = put("offices", json!({ "receiving": "HOIAN", "later": 1 }), &document);
    let noted = json!({ "id": "a", "kind": "noted", "office": "HOIAN", "at": 1 });
    let acts = json!([1, { "id": "x" }, noted, noted]);
    let dossier = read(&put("acts", acts, &document));
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

/// What one office does on its own copy before it hears from the others.
fn work() -> impl Strategy<Value = Vec<(ActKind, u64)>> {
    let kinds = proptest::sample::select(ActKind::ALL.to_vec());
    proptest::collection::vec((kinds, 0..600_u64), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_of_the_same_changes_gives_the_same_dossier(
        offices in proptest::collection::vec(work(), 3),
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let base = with(&opened(), &[act("n1-2", ActKind::InProcess)]);
        let mut payloads = Vec::new();
        for (node, work) in (2..).zip(offices) {
            let mut copy = base.clone();
            for (number, (kind, minute)) in work.into_iter().enumerate() {
                let act = NewAct {
                    to_office: Some(office("STC")),
                    regards: Some("n1-2".into()),
                    ..act(&format!("n{node}-{number}"), kind)
                };
                // What the dossier does not allow is not done.
                let Ok(draft) = drafted(&copy, node, &act, minute) else { continue };
                payloads.push(draft.payload().to_vec());
                copy.take(draft).expect("the draft is sound");
            }
        }
        let all = |payloads: Vec<&Vec<u8>>| {
            let mut document = base.clone();
            let changes = payloads.into_iter().map(|payload| ((), payload.as_slice()));
            assert!(document.extend(changes, |()| None).is_empty());
            document
        };
        let straight = all(payloads.iter().collect());
        let shuffled = all(order.iter().filter_map(|index| payloads.get(*index)).collect());
        prop_assert_eq!(straight.canonical(), shuffled.canonical());
        prop_assert_eq!(read(&straight), read(&shuffled));
        prop_assert_eq!(read(&straight).acts.len(), 2 + payloads.len());
    }
}
