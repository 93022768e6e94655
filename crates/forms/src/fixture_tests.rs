//! A dossier, its names and its facts, as the tests of several modules need them.

use lienthong_catalogue::{Calendar, Procedure};
use lienthong_document::{Actor, Document};
use lienthong_dossier::Dossier;
use lienthong_protocol::{DocumentId, Incarnation, Moment, NodeId, OfficeId};
use serde_json::{Value, json};

use crate::{Facts, Form, FormKind, Lookup, Mark, RegisterFacts, compose, compose_register};

/// 2026-01-05 08:00 in Asia/Ho_Chi_Minh.
pub(crate) const MORNING: u64 = 1_767_574_800_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;
pub(crate) const CODE: &str = "000.00.19.H47-260105-0001";

/// Knows two offices and the procedures of a catalogue; no calendar.
#[derive(Default)]
pub(crate) struct Known {
    offices: Vec<(&'static str, &'static str)>,
    procedure: Option<Procedure>,
    calendar: Calendar,
}

impl Known {
    /// Knows what the fixture refers to.
    pub(crate) fn all() -> Known {
        let offices = vec![
            ("HOIAN", "Ủy ban nhân dân thành phố Hội An"),
            ("STNMT", "Sở Tài nguyên và Môi trường"),
        ];
        let procedure = json!({
            "code": "2.002621.H56", "name": "Cấp giấy chứng nhận quyền sử dụng đất",
            "field": "Đất đai", "group": "Đất đai", "level": "province", "role": "land",
            "channels": ["counter", "post"], "results": [], "source": "a test",
            "limits": [{ "amount": 15, "unit": "working_day" }],
        });
        let procedure = serde_json::from_value(procedure).expect("the shape is right");
        Known { offices, procedure: Some(procedure), ..Known::default() }
    }
}

impl Lookup for Known {
    fn office(&self, office: OfficeId) -> Option<String> {
        let id = office.to_string();
        let found = self.offices.iter().find(|(known, _)| *known == id);
        found.map(|(_, name)| (*name).to_owned())
    }

    fn procedure(&self, code: &str, _: u32) -> Option<&Procedure> {
        self.procedure.as_ref().filter(|procedure| procedure.code == code)
    }

    fn officer(&self, _: OfficeId, officer: &str) -> Option<String> {
        (officer == "phuc").then(|| "Võ Thị Phúc".to_owned())
    }

    fn calendar(&self) -> &Calendar {
        &self.calendar
    }
}

/// Reads a dossier from what its document holds.
pub(crate) fn dossier(parts: Value) -> Dossier {
    let Value::Object(parts) = parts else { panic!("a document is an object: {parts}") };
    let node = NodeId::from_bytes([1; 32]);
    let document = Document::new();
    let draft = document.edit(Actor::derive(node, Incarnation(1)), |editor| {
        parts.into_iter().try_for_each(|(key, value)| editor.put(&[&key], value))
    });
    let document = draft.expect("the edit is sound").preview().clone();
    let id = DocumentId::derive(node, Incarnation(1), 1, Moment(MORNING));
    Dossier::read(id, &document).expect("it is a dossier")
}

/// An act at an hour after the morning; it saw all acts before it.
fn act(hour: u64, kind: &str, office: &str, more: &Value) -> Value {
    let mut act = json!({
        "id": format!("a{hour}"), "kind": kind, "office": office, "officer": "Lê Thị Mai",
        "at": MORNING + hour * HOUR_MS, "saw": hour.checked_sub(1).map(|hour| format!("a{hour}")),
    });
    let fields = act.as_object_mut().expect("an act is an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    fields.retain(|_, value| !value.is_null());
    act
}

/// A dossier that went from the counter to the department and back, with every field known.
pub(crate) fn whole() -> Dossier {
    let due = "2026-01-09T17:00";
    dossier(json!({
        "identity": { "code": CODE, "procedure": "2.002621.H56", "channel": 1, "return": 1 },
        "applicant": {
            "kind": "citizen", "name": "Nguyễn Thị Hoa", "phone": "0000123456",
            "email": "hoa@vidu.vn", "address": "12 Trần Phú, Hội An", "id_number": "049085991234",
        },
        "submitter": { "name": "Trần Văn Đức" },
        "offices": { "receiving": "HOIAN", "competent": "STNMT" },
        "times": { "due": due },
        "components": [
            { "code": "TP01", "name": "Đơn đăng ký", "originals": 1 },
            { "code": "TP02", "name": "Bản đồ địa chính", "originals": 1, "copies": 2 },
        ],
        "acts": [
            act(0, "received", "HOIAN", &json!({})),
            act(1, "transferred", "HOIAN", &json!({
                "to_office": "STNMT", "due": "2026-01-08", "note": "Gửi kèm bản đồ gốc",
            })),
            act(2, "taken", "STNMT", &json!({ "officer": "Phạm Quốc Bảo", "regards": "a1" })),
            act(3, "in-process", "STNMT", &json!({})),
            act(4, "supplement-asked", "STNMT", &json!({
                "reason": "thiếu giấy tờ", "note": "Bản sao hộ chiếu\nẢnh 4x6", "due": "2026-01-07",
            })),
            act(5, "supplied", "STNMT", &json!({})),
            act(200, "finished", "STNMT", &json!({ "saw": "a5", "officer": "Phạm Quốc Bảo" })),
        ],
    }))
}

/// The facts of [`whole`].
pub(crate) fn facts() -> Facts {
    Facts::of(&whole(), &Known::all(), Moment(MORNING + 300 * HOUR_MS))
}

/// The facts of a dossier of which nothing is known that may be unknown.
pub(crate) fn bare() -> Facts {
    let bare = dossier(json!({
        "identity": { "code": CODE }, "offices": { "receiving": "HOIAN" }, "acts": [],
    }));
    Facts::of(&bare, &Known::default(), Moment(MORNING))
}

/// Facts with every text far longer than a page is wide, and many of everything.
pub(crate) fn long() -> Facts {
    fn stretch(value: &mut Value) {
        match value {
            Value::String(text)
                if text.contains(char::is_alphabetic) && !text.starts_with("20") =>
            {
                *text = format!("{} {}", [text.as_str(); 12].join(" "), "Ươ".repeat(60));
            }
            Value::Array(items) => {
                items.iter_mut().for_each(stretch);
                let again = items.clone();
                (0..12).for_each(|_| items.extend(again.iter().cloned()));
            }
            Value::Object(fields) => fields.values_mut().for_each(stretch),
            _ => {}
        }
    }
    let mut value = json!(facts());
    let letter = value["letters"]["supplement"].clone();
    for other in ["refusal", "extension", "stop"] {
        value["letters"][other] = letter.clone();
    }
    for (key, part) in value.as_object_mut().expect("facts are an object") {
        if key != "code" && key != "times" && key != "letters" && key != "hand_overs" {
            stretch(part);
        }
    }
    for letter in ["supplement", "refusal", "extension", "stop"] {
        for text in ["office", "officer", "reason", "note"] {
            stretch(&mut value["letters"][letter][text]);
        }
    }
    let hand_overs = value["hand_overs"].as_array_mut().expect("hand-overs are a list");
    for hand_over in hand_overs.iter_mut() {
        stretch(&mut hand_over["note"]);
        stretch(&mut hand_over["giver"]);
    }
    let again = hand_overs.clone();
    (0..20).for_each(|_| hand_overs.extend(again.iter().cloned()));
    serde_json::from_value(value).expect("facts stay facts")
}

/// Every form for some facts; the register with five lines of them.
pub(crate) fn every_form(facts: &Facts) -> Vec<Form> {
    let mut forms: Vec<Form> = FormKind::ALL.map(|kind| compose(kind, facts)).to_vec();
    let (office, printed) = (facts.offices.receiving.clone(), facts.times.printed.clone());
    let dossiers = vec![facts.clone(); 5];
    forms.push(compose_register(&RegisterFacts {
        office,
        printed,
        dossiers,
        ..RegisterFacts::default()
    }));
    forms
}

/// The texts of some marks, without blanks.
pub(crate) fn joined(marks: &[Mark]) -> String {
    let text = |mark: &Mark| match mark {
        Mark::Text { text, .. } => text.clone(),
        Mark::Box { .. } => String::new(),
    };
    without_blanks(&marks.iter().map(text).collect::<String>())
}

pub(crate) fn without_blanks(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}
