use serde_json::{Value, json};

use crate::{Reception, Refusal};

/// A reception as a counter would type it, with `change` written over it.
fn typed(change: Value) -> Result<Reception, serde_json::Error> {
    let mut typed = json!({
        "procedure": " 1.002835.000.00.00.H56 ",
        "offices": { "receiving": "QNM-HOIAN" },
        "applicant": {
            "name": "  Nguyễn Thị Hoa ", "id_kind": "citizen", "id_number": "049 085 991234",
        },
    });
    merge(&mut typed, change);
    serde_json::from_value(typed)
}

fn merge(into: &mut Value, change: Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change,
    }
}

fn refused(change: Value) -> Refusal {
    let typed = typed(change).expect("the shape is right");
    typed.check().expect_err("it cannot be right")
}

fn coordinating(offices: impl IntoIterator<Item = String>) -> Value {
    json!({ "offices": { "coordinating": offices.into_iter().collect::<Vec<_>>() } })
}

#[test]
fn what_is_typed_is_brought_into_one_form() {
    // The same name twice: once composed, once as letters with loose marks.
    let loose = "Nguye\u{0302}\u{0303}n Thi\u{0323} Hoa";
    let typed = |name| typed(json!({ "applicant": { "name": name, "phone": "(0000) 12-34.56" } }));
    let composed = typed("Nguyễn Thị Hoa\t").expect("the shape is right").check();
    let composed = composed.expect("it is right");
    let loosely = typed(loose).expect("the shape is right").check().expect("it is right");
    assert_eq!(composed, loosely);
    assert_eq!(composed.applicant.name, "Nguyễn Thị Hoa");
    assert_eq!(composed.applicant.phone.as_deref(), Some("0000123456"));
    assert_eq!(composed.applicant.id_number.as_deref(), Some("049085991234"));
    assert_eq!(composed.procedure, "1.002835.000.00.00.H56");
    let again = composed.check().expect("it is right");
    assert_eq!(again, composed, "checking twice changes nothing");
}

#[test]
fn json_of_a_reception_reads_back() {
    let full = typed(json!({
        "channel": "post", "return_by": "post", "parent_code": "H57.132-260804-0583",
        "submitter": { "name": "Trần Văn Minh", "authorisation": "số 12/UQ" },
        "components": [{ "code": "TP01", "name": "Tờ khai", "originals": 1, "digitised": 1 }],
        "due": "2026-01-05T11:30", "note": "gọi trước khi trả",
        "offices": { "competent": "QNM-STNMT", "coordinating": ["QNM-STC", "QNM-HOIAN"] },
        "applicant": { "consents": { "sms": true }, "birth_date": "1985-02-28", "email": "a@b.vn" },
    }));
    let full = full.expect("the shape is right").check().expect("it is right");
    let written = serde_json::to_value(&full).expect("it is JSON");
    assert_eq!(serde_json::from_value::<Reception>(written).expect("it reads back"), full);
    let ids: Vec<_> = full.offices_added().iter().map(ToString::to_string).collect();
    assert_eq!(ids, ["QNM-HOIAN", "QNM-STC", "QNM-STNMT"]);
}

#[test]
fn what_cannot_be_right_is_named_with_cause_and_remedy() {
    let applicant = |field: &str, value: Value| json!({ "applicant": { field: value } });
    let papers = json!({ "code": "A", "name": "b" });
    let component = |field: &str, number: u16| {
        let paper = json!({ "code": "A", "name": "b", field: number });
        json!({ "components": [paper] })
    };
    let cases = [
        (json!({ "procedure": "khai sinh" }), "not-a-procedure", "procedure"),
        (applicant("name", json!(" ")), "missing", "applicant.name"),
        (applicant("name", json!("a".repeat(201))), "too-long", "applicant.name"),
        (applicant("name", json!("An\u{0}")), "control-character", "applicant.name"),
        (applicant("id_number", json!("04908599123")), "not-an-id-number", "applicant.id_number"),
        (applicant("birth_date", json!("1985-02-29")), "not-a-day", "applicant.birth_date"),
        (applicant("phone", json!("gọi sau")), "not-a-phone", "applicant.phone"),
        (applicant("email", json!("hoa@vidu")), "not-an-email", "applicant.email"),
        (applicant("email", json!("a@b@c.vn")), "not-an-email", "applicant.email"),
        (applicant("address", json!("x".repeat(501))), "too-long", "applicant.address"),
        (json!({ "due": "2026-01-32" }), "not-a-due", "due"),
        (json!({ "note": "x".repeat(4_001) }), "too-long", "note"),
        (json!({ "note": "x".repeat(9_999_999) }), "too-long", "note"),
        (coordinating(["A", "B", "A"].map(String::from)), "office-twice", "offices.coordinating"),
        (coordinating((0..33).map(|n| format!("A{n}"))), "too-many", "offices.coordinating"),
        (component("digitised", 4), "not-a-digitisation", "components.0.digitised"),
        (component("copies", 1000), "not-a-number-of-papers", "components.0.originals"),
        (json!({ "components": vec![papers; 201] }), "too-many", "components"),
        (json!({ "submitter": { "name": "" } }), "missing", "submitter.name"),
    ];
    for (change, code, field) in cases {
        let refusal = refused(change);
        assert_eq!((refusal.code, refusal.field.as_str()), (code, field), "{refusal}");
        let words = *refusal.words;
        for said in [words.cause, words.remedy, words.cause_vi, words.remedy_vi] {
            assert!(!said.is_empty());
        }
    }
}

#[test]
fn numbers_of_other_papers_have_their_own_form() {
    let number = |kind: &str, number: &str| {
        let change = json!({ "applicant": { "id_kind": kind, "id_number": number } });
        typed(change).expect("the shape is right").check().is_ok()
    };
    for (kind, right, wrong) in [
        ("old-citizen", "205123456", "20512345"),
        ("tax", "0400100200-001", "0400100200-1"),
        ("tax", "0400100200", "04001002"),
        ("passport", "C1234567", "C1"),
        ("other", "12/GP-UBND", "số 12"),
    ] {
        assert!(number(kind, right), "{kind} {right}");
        assert!(!number(kind, wrong), "{kind} {wrong}");
    }
}

#[test]
fn a_refusal_shows_no_personal_value() {
    let refusal = refused(json!({ "applicant": { "phone": "0905 bí mật" } }));
    assert!(!format!("{refusal} {refusal:?}").contains("0905"));
}

#[test]
fn an_unknown_field_is_refused() {
    let error = typed(json!({ "applicant": { "telephone": "1" } })).expect_err("no such field");
    assert!(error.to_string().contains("unknown field `telephone`"));
}

#[test]
fn components_without_a_name_take_that_of_the_catalogue() {
    let text = include_str!("../../../config/quang-nam/procedures.toml");
    let edition = lienthong_catalogue::Edition::parse("procedures.toml", text);
    let catalogue = lienthong_catalogue::Catalogue::from(edition.expect("the province's own"));
    let now = lienthong_protocol::Moment(1_767_574_800_000);
    let named = |change| {
        let typed = typed(change).expect("the shape is right");
        typed.with_component_names(&catalogue, now)
    };
    let papers = json!({
        "procedure": " 1.001193.H47",
        "components": [
            { "code": "TP02", "originals": 1 },
            { "code": "TP01", "name": "Tờ khai viết tay", "originals": 1 },
        ],
    });
    let known = named(papers).expect("both are there").check().expect("it is right");
    assert!(known.components[0].name.starts_with("Giấy chứng sinh"), "{known:?}");
    assert_eq!(known.components[1].name, "Tờ khai viết tay", "what was given stays");
    let strange = json!({ "procedure": "1.001193.H47", "components": [{ "code": "TP99" }] });
    let refused = named(strange).expect_err("the procedure has no such paper");
    assert_eq!((refused.code, refused.field.as_str()), ("unknown-component", "components.0.code"));
    assert!(
        refused.words.remedy.contains("catalogue show 1.001193.H47"),
        "{}",
        refused.words.remedy
    );
    let named_so = json!({ "procedure": "1.001193.H47",
        "components": [{ "code": "TP99", "name": "Giấy lạ" }] });
    let refused = named(named_so).expect_err("a name of its own makes no paper of it");
    assert_eq!((refused.code, refused.field.as_str()), ("unknown-component", "components.0.code"));
    // Without a procedure nobody knows the name, and a component must have one.
    let unknown = json!({ "procedure": "9.999999.H47", "components": [{ "code": "TP01" }] });
    let refused = named(unknown).expect("left as it is").check().expect_err("no name");
    assert_eq!(refused.field, "components.0.name");
}

#[test]
fn an_office_decides_only_what_the_catalogue_gives_its_role_or_its_level() {
    let text = include_str!("../../../config/quang-nam/procedures.toml");
    let edition = lienthong_catalogue::Edition::parse("procedures.toml", text);
    let catalogue = lienthong_catalogue::Catalogue::from(edition.expect("the province's own"));
    let tiers = [
        ("QNM-STNMT", "department"),
        ("QNM-SCT", "department"),
        ("QNM-HOIAN", "district"),
        ("QNM-HOIAN-CAMCHAU", "commune"),
        ("DNG-DACKHU", "đặc khu"),
    ];
    let tier_of = |office: lienthong_protocol::OfficeId| {
        let known = tiers.iter().find(|(id, _)| office.as_str() == *id);
        known.map(|(_, tier)| (*tier).to_owned())
    };
    let decides = |procedure: &str, office: &str, at: u64| {
        let now = lienthong_protocol::Moment(at);
        let offices = json!({ "receiving": "QNM-HOIAN-CAMCHAU", "competent": office });
        let reception = typed(json!({ "procedure": procedure, "offices": offices }));
        let reception = reception.expect("the shape is right");
        let version = reception.version_in(&catalogue, now).expect("it is offered");
        reception.check_competent(&catalogue, version, tier_of, now)
    };
    // 2017-06-05 and 2026-01-05.
    let (before, after) = (1_496_620_800_000, 1_767_574_800_000);
    for (procedure, office, at) in [
        ("1.001193.H47", "QNM-HOIAN-CAMCHAU", before),
        ("2.000815.H47", "QNM-HOIAN", before),
        ("1.012783.H47", "QNM-STNMT", before),
        ("2.000748.H47", "QNM-HOIAN", before),
        ("2.000748.H47", "QNM-HOIAN-CAMCHAU", after),
        ("2.000381.H47", "QNM-HOIAN-CAMCHAU", after),
        ("1.001193.H47", "DNG-DACKHU", after),
        ("1.001193.H47", "QNM-NOWHERE", after),
    ] {
        assert_eq!(decides(procedure, office, at), Ok(()), "{procedure} {office}");
    }
    for (procedure, office, at, whom) in [
        ("1.001193.H47", "QNM-HOIAN", before, "Ủy ban nhân dân cấp xã"),
        ("1.012783.H47", "QNM-HOIAN", before, "QNM-STNMT"),
        ("1.012783.H47", "QNM-SCT", before, "QNM-STNMT"),
        ("2.000748.H47", "QNM-HOIAN-CAMCHAU", before, "Ủy ban nhân dân cấp huyện"),
        ("2.000748.H47", "QNM-HOIAN", after, "Ủy ban nhân dân cấp xã"),
    ] {
        let refusal = decides(procedure, office, at).expect_err("it is another's");
        assert_eq!((refusal.code, &*refusal.field), ("office-not-competent", "offices.competent"));
        let words = format!("{:?}", refusal.words);
        assert!(words.contains(whom) && words.contains(office), "{procedure}: {words}");
    }
}
