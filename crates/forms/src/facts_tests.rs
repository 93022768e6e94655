use lienthong_catalogue::{Limit, Unit, Verdict};
use lienthong_protocol::Moment;
use serde_json::json;

use super::{Facts, MAX_CHARS, clean, limit_words};
use crate::RegisterFacts;
use crate::fixture_tests::{CODE, HOUR_MS, Known, MORNING, bare, dossier, facts, whole};
use crate::{FormKind, When};

fn when(text: &str) -> When {
    When::parse(text).expect("the tests name days that exist")
}

#[test]
fn a_dossier_gives_its_facts_with_names_instead_of_ids() {
    let facts = facts();
    assert_eq!(facts.code, CODE);
    assert_eq!(facts.offices.receiving, "Ủy ban nhân dân thành phố Hội An");
    assert_eq!(facts.offices.competent, "Sở Tài nguyên và Môi trường");
    assert_eq!(
        facts.procedure.title(),
        "Cấp giấy chứng nhận quyền sử dụng đất (mã TTHC: 2.002621.H56)"
    );
    assert_eq!((facts.receiver.as_str(), facts.handed_in_by()), ("Lê Thị Mai", "Trần Văn Đức"));
    assert_eq!(facts.times.received, Some(when("2026-01-05T08:00")));
    assert_eq!(facts.times.due_original, Some(when("2026-01-09T17:00")));
    assert!(facts.returned_at().contains("bưu chính (12 Trần Phú, Hội An)"));
    let asked = facts.letters.supplement.expect("a supplement was asked for");
    assert_eq!((asked.reason.as_str(), asked.due), ("thiếu giấy tờ", Some(when("2026-01-07"))));
    assert_eq!(facts.letters.refusal, None);
}

#[test]
fn the_slip_knows_giver_taker_times_and_verdict() {
    let hand_overs = facts().hand_overs;
    let [to_department, back] = hand_overs.as_slice() else { panic!("two: {hand_overs:?}") };
    assert_eq!(to_department.giver.office, "Ủy ban nhân dân thành phố Hội An");
    assert_eq!(to_department.taker.officer, "Phạm Quốc Bảo");
    assert_eq!(to_department.given, when("2026-01-05T09:00"));
    assert_eq!(to_department.taken, Some(when("2026-01-05T10:00")));
    assert_eq!(facts().procedure.limit.as_deref(), Some("15 ngày làm việc"));
    assert_eq!(to_department.verdict, None);
    assert_eq!((back.verdict, back.taken.as_ref()), (Some(Verdict::Late), None));
    assert_eq!(to_department.note, "Chuyển hồ sơ\nGửi kèm bản đồ gốc");
    assert_eq!(back.note, "Chuyển kết quả");
}

#[test]
fn an_officer_has_a_name_where_the_staff_list_is_known() {
    let act = |id: &str, kind: &str, officer: &str, saw: &str| {
        json!({ "id": id, "kind": kind, "office": "HOIAN", "officer": officer, "saw": saw,
            "at": MORNING, "reason": "thiếu tờ khai" })
    };
    let known = dossier(json!({
        "identity": { "code": CODE, "procedure": "2.002621.H56" },
        "offices": { "receiving": "HOIAN" },
        "acts": [
            act("a", "received", "phuc", ""),
            act("b", "in-process", "phuc", "a"),
            act("c", "supplement-asked", "minh", "b"),
        ],
    }));
    let facts = Facts::of(&known, &Known::all(), Moment(MORNING));
    assert_eq!(facts.receiver, "Võ Thị Phúc");
    let asked = facts.letters.supplement.expect("a supplement was asked for");
    assert_eq!(asked.officer, "minh", "the id stands where nobody knows the name");
}

#[test]
fn a_form_is_of_a_dossier_that_has_what_it_tells_of() {
    let of = |facts: &Facts| {
        FormKind::ALL.into_iter().filter(|kind| kind.is_of(facts)).map(FormKind::number).collect()
    };
    let numbers: Vec<u8> = of(&facts());
    assert_eq!(numbers, [1, 2, 6, 7], "only a supplement was asked for");
    let registered = dossier(json!({
        "identity": { "code": CODE, "procedure": "2.002621.H56" },
        "offices": { "receiving": "HOIAN" },
        "acts": [{ "id": "a", "kind": "registered", "office": "HOIAN", "officer": "portal",
            "saw": "", "at": MORNING }],
    }));
    let numbers: Vec<u8> = of(&Facts::of(&registered, &Known::all(), Moment(MORNING)));
    assert_eq!(numbers, [6, 7], "what nobody took in has no receipt");
}

#[test]
fn a_step_has_the_due_with_which_it_was_handed_over() {
    let act = |id: &str, kind: &str, office: &str, hours: u64, saw: &str, to: Option<&str>| {
        json!({ "id": id, "kind": kind, "office": office, "officer": id, "saw": saw,
            "at": MORNING + hours * HOUR_MS, "to_office": to, "due": to.map(|_| "2026-01-06") })
    };
    let known = dossier(json!({
        "identity": { "code": CODE, "procedure": "2.002621.H56" },
        "offices": { "receiving": "HOIAN", "competent": "STNMT" },
        "acts": [
            act("a", "received", "HOIAN", 0, "", None),
            act("b", "transferred", "HOIAN", 1, "a", Some("STNMT")),
            act("c", "transferred", "STNMT", 4, "b", Some("HOIAN")),
        ],
    }));
    let facts = Facts::of(&known, &Known::all(), Moment(MORNING));
    let [there, back] = facts.hand_overs.as_slice() else { panic!("two: {facts:?}") };
    assert_eq!((there.verdict, back.verdict), (None, Some(Verdict::Early)));
    assert_eq!((there.taken.as_ref(), there.taker.officer.as_str()), (None, ""));
}

#[test]
fn an_act_that_does_not_count_is_on_no_form() {
    let mut known = whole();
    known.acts.iter_mut().for_each(|act| act.counts = false);
    known.records = lienthong_dossier::Records::default();
    let facts = Facts::of(&known, &Known::all(), Moment(MORNING));
    assert_eq!((facts.letters.supplement, facts.times.received), (None, None));
    assert_eq!(facts.hand_overs, []);
}

#[test]
fn what_is_not_known_is_empty_and_an_unknown_office_has_its_id() {
    let facts = bare();
    assert_eq!((facts.applicant.name.as_str(), facts.procedure.title().as_str()), ("", ""));
    assert_eq!(facts.offices.receiving, "HOIAN");
    assert_eq!((facts.papers.len(), facts.times.due_original), (0, None));
    let unnamed = Facts::of(&whole(), &Known::default(), Moment(MORNING));
    assert_eq!(unnamed.procedure.title(), "Thủ tục 2.002621.H56");
}

#[test]
fn brief_facts_make_the_same_line_of_the_register() {
    let brief = facts().brief();
    assert_eq!((brief.papers.len(), brief.hand_overs.len()), (0, 1));
    let register = |facts: &Facts| crate::compose(crate::FormKind::Register, facts);
    assert_eq!(register(&brief), register(&facts()));
}

#[test]
fn a_part_stands_behind_its_dossier_and_has_no_number() {
    let of = |code: &str, whole: Option<&str>| Facts {
        code: code.into(),
        part_of: whole.map(Into::into),
        ..facts()
    };
    let dossiers = vec![of("H-3", Some("H-1")), of("H-2", None), of("H-1", None)];
    let register = RegisterFacts { dossiers, unlisted: 4, ..RegisterFacts::default() };
    let form = crate::compose_register(&register);
    let rows = form.blocks.iter().find_map(|block| match block {
        crate::Block::Table(table) => Some(&table.rows),
        _ => None,
    });
    let rows = rows.expect("the register is a table");
    let firsts: Vec<_> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    assert_eq!(firsts, [("1", "H-1"), ("", "H-3"), ("2", "H-2")]);
    assert!(rows[1][14].ends_with("Thuộc hồ sơ H-1"), "{}", rows[1][14]);
    let page = crate::html(&form);
    for words in ["Số hồ sơ trong sổ: 2", "không đánh số: 1", "không ghi trong bản in này: 4"]
    {
        assert!(page.contains(words), "'{words}' is not in the register");
    }
    assert!(!page.contains("Chưa đầy đủ"));
    let partial = RegisterFacts { is_partial: true, ..RegisterFacts::default() };
    assert!(crate::html(&crate::compose_register(&partial)).contains("Chưa đầy đủ"));
}

#[test]
fn facts_travel_as_json() {
    let facts = facts();
    let text = json!(facts).to_string();
    assert_eq!(serde_json::from_str::<Facts>(&text).expect("facts read back"), facts);
}

#[test]
fn texts_are_brought_into_nfc_and_cleared_and_cut() {
    assert_eq!(clean(" Nguye\u{302}\u{303}n\u{0}\tA\nB "), "Nguyễn  A\nB");
    let cut = clean(&"ư".repeat(MAX_CHARS + 1));
    assert_eq!((cut.chars().count(), cut.ends_with('…')), (MAX_CHARS + 1, true));
}

#[test]
fn a_limit_is_said_as_receipts_say_it() {
    let words = |limit: Limit| limit_words(limit);
    assert_eq!(words(Limit::of(15, Unit::WorkingDay)), "15 ngày làm việc");
    assert_eq!(words(Limit::of(2, Unit::Day).and_half()), "02,5 ngày");
    assert_eq!(words(Limit::of(8, Unit::Hour)), "08 giờ làm việc");
    assert_eq!(words(Limit::of(1, Unit::SameDay)), "trong ngày");
}
