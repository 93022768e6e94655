//! What the tests of this crate arrange: an office of the ward receives, the department decides.

use lienthong_document::{Actor, Document, Draft};
use lienthong_protocol::{DocumentId, Incarnation, Moment, NodeId, OfficeId};
use serde_json::json;

use crate::{ActKind, ActRefusal, Code, Dossier, NewAct, Opening, Reception, receive};

/// 2026-01-05 08:00 in Asia/Ho_Chi_Minh, a Monday.
pub(crate) const MORNING: Moment = Moment(1_767_574_800_000);
pub(crate) const MINUTE_MS: u64 = 60_000;

pub(crate) fn office(id: &str) -> OfficeId {
    id.parse().expect("the tests name valid office ids")
}

pub(crate) fn actor(node: u8) -> Actor {
    Actor::derive(NodeId::from_bytes([node; 32]), Incarnation(u64::from(node)))
}

pub(crate) fn id() -> DocumentId {
    DocumentId::derive(NodeId::from_bytes([1; 32]), Incarnation(1), 1, MORNING)
}

pub(crate) fn minute(minute: u64) -> Moment {
    Moment(MORNING.0 + minute * MINUTE_MS)
}

pub(crate) fn reception() -> Reception {
    let typed = json!({
        "procedure": "2.002621.H56",
        "channel": "counter",
        "offices": { "receiving": "HOIAN", "competent": "STNMT" },
        "applicant": {
            "name": "Nguyễn Thị Hoa", "id_kind": "citizen", "id_number": "049085991234",
            "phone": "0000123456", "email": "hoa@vidu.vn", "address": "12 Trần Phú, Hội An",
            "consents": { "sms": true },
        },
        "components": [{ "code": "TP01", "name": "Tờ khai", "originals": 1 }],
        "due": "2026-01-09T17:00",
        "note": "gọi trước khi trả",
    });
    let typed: Reception = serde_json::from_value(typed).expect("the shape is right");
    typed.check().expect("it is right")
}

pub(crate) fn opened() -> Document {
    opened_with(&reception())
}

pub(crate) fn opened_with(reception: &Reception) -> Document {
    let code = Code::issue("000.00.19.H47", MORNING, 1).expect("a real unit code");
    let opening = Opening::received(code, "n1-1", "Lan", MORNING);
    let draft = Document::new().edit(actor(1), |editor| receive(editor, reception, &opening));
    draft.expect("the edit is sound").preview().clone()
}

/// A dossier that came through the portal and that nobody looked at yet.
pub(crate) fn registered_with(reception: &Reception, at: Moment) -> Document {
    let code = Code::issue("000.00.19.H47", at, 1).expect("a real unit code");
    let opening = Opening::registered(code, "n1-1", "portal", at);
    let draft = Document::new().edit(actor(1), |editor| receive(editor, reception, &opening));
    draft.expect("the edit is sound").preview().clone()
}

pub(crate) fn read(document: &Document) -> Dossier {
    Dossier::read(id(), document).expect("it is a dossier")
}

/// Drafts an act of node `node` on what the document says now.
pub(crate) fn drafted(
    document: &Document,
    node: u8,
    act: &NewAct,
    at: u64,
) -> Result<Draft, ActRefusal> {
    let planned = read(document).plan(act, minute(at))?;
    Ok(document.edit(actor(node), |editor| planned.write(editor)).expect("the edit is sound"))
}

/// An act of the office that is entitled to it: the ward at the counter, else the department.
pub(crate) fn act(id: &str, kind: ActKind) -> NewAct {
    use ActKind::{Paid, Received, Registered, Returned, Supplied, Withdrawn};
    let at_counter = [Registered, Received, Supplied, Paid, Withdrawn, Returned].contains(&kind);
    let place = office(if at_counter { "HOIAN" } else { "STNMT" });
    NewAct { reason: Some("vì sao".into()), ..NewAct::new(id, kind, place, "Lan") }
}

pub(crate) fn with(document: &Document, acts: &[NewAct]) -> Document {
    let mut document = document.clone();
    let from = read(&document).acts.len() as u64;
    for (act, minute) in acts.iter().zip(from..) {
        let draft = drafted(&document, 1, act, minute).expect("the act is allowed");
        document.take(draft).expect("the draft is sound");
    }
    document
}

/// What a dossier refuses an act with; its words are there in both languages.
pub(crate) fn refusal(document: &Document, act: &NewAct) -> &'static str {
    let Err(refusal) = drafted(document, 1, act, 99) else { return "allowed" };
    let words = refusal.words();
    for said in [words.cause, words.remedy, words.cause_vi, words.remedy_vi] {
        assert!(!said.is_empty(), "{refusal} has no words");
    }
    refusal.code()
}
