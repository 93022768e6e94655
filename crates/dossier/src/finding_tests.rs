use std::sync::LazyLock;

use lienthong_catalogue::{Edition, Procedure};
use lienthong_document::Document;
use lienthong_protocol::Moment;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Finding, MAX_FINDINGS, checks, outlook};
use crate::fixture_tests::{MORNING, act, actor, id, minute, office, opened, opened_with, read};
use crate::fixture_tests::{reception, registered_with, with};
use crate::{ActKind, Channel, Code, Dossier, NewAct, Opening, Reception, receive};

const NOON: Moment = Moment(MORNING.0 + 4 * 3_600_000);

fn codes(dossier: &Dossier, now: Moment) -> Vec<&'static str> {
    checks(dossier, now, None).iter().map(|finding| finding.code).collect()
}

/// A dossier whose acts are what its opener wrote.
fn written(acts: Value) -> Dossier {
    let code = Code::issue("000.00.19.H47", MORNING, 1).expect("a real unit code");
    let opening = Opening::received(code, "n1-1", "Lan", MORNING);
    let draft = Document::new().edit(actor(9), |editor| {
        receive(editor, &reception(), &opening)?;
        editor.put(&["acts"], acts)
    });
    read(draft.expect("the edit is sound").preview())
}

fn entry(id: &str, kind: &str, at: Moment, saw: &str) -> Value {
    let place = if kind == "received" { "HOIAN" } else { "STNMT" };
    json!({ "id": id, "kind": kind, "office": place, "at": at, "saw": saw })
}

#[test]
fn a_sound_dossier_has_no_findings() {
    let acts = [act("b", ActKind::InProcess), act("c", ActKind::Finished)];
    assert_eq!(codes(&read(&with(&opened(), &acts)), NOON), [""; 0]);
}

#[test]
fn dates_that_are_missing_or_turned_round_are_found() {
    let walk = |received: u64, finished: u64| {
        written(json!([
            entry("a", "received", Moment(received), ""),
            entry("b", "in-process", MORNING, "a"),
            entry("c", "finished", Moment(finished), "b"),
        ]))
    };
    assert_eq!(codes(&walk(0, MORNING.0), NOON), ["no-reception-date"]);
    assert_eq!(codes(&walk(MORNING.0, 0), NOON), ["no-finish-date", "finish-before-reception"]);
    let early = walk(MORNING.0, MORNING.0 - 1);
    assert_eq!(codes(&early, NOON), ["finish-before-reception"]);
    for finding in checks(&early, NOON, None) {
        assert!(finding.words.contains("received") && finding.words_vi.contains("tiếp nhận"));
    }
    let unreceived = written(json!([
        entry("a", "registered", MORNING, ""),
        entry("b", "supplement-asked", MORNING, "a"),
        entry("c", "supplied", MORNING, "b"),
    ]));
    assert_eq!(codes(&unreceived, NOON), [""; 0], "acts of others do not accept it");
}

#[test]
fn dates_in_the_future_are_found_beyond_what_clocks_differ() {
    let dossier = read(&with(&opened(), &[act("b", ActKind::InProcess)]));
    let before = |minutes: u64| Moment(minute(1).0 - minutes * 60_000);
    assert_eq!(codes(&dossier, before(10)), [""; 0]);
    assert_eq!(codes(&dossier, before(11)), ["date-in-the-future"; 1]);
    let mut unborn = reception();
    unborn.applicant.birth_date = Some("2026-01-06".into());
    assert_eq!(codes(&read(&opened_with(&unborn)), NOON), ["date-in-the-future"]);
    let mut reply = entry("b", "replied", MORNING, "n1-1");
    reply["reply"] = json!({ "number": "1", "date": "2026-01-06", "signer": "A" });
    let dossier = written(json!([entry("n1-1", "received", MORNING, ""), reply]));
    let findings = checks(&dossier, NOON, None);
    assert_eq!((findings.len(), findings[0].act.as_deref()), (1, Some("b")));
}

/// A procedure of the reference catalogue that is not offered online.
static OFFLINE: LazyLock<Procedure> = LazyLock::new(|| {
    let text = include_str!("../../../config/quang-nam/procedures.toml");
    let edition = Edition::parse("procedures.toml", text).expect("it is published");
    let day = lienthong_catalogue::day("2017-06-05").expect("a day");
    let online = lienthong_catalogue::Channel::Online;
    let mut offered = edition.procedures_at(day).map(|version| &version.procedure);
    let offline = offered.find(|procedure| !procedure.channels.contains(&online));
    offline.expect("some are not offered online").clone()
});

#[test]
fn a_channel_that_the_procedure_does_not_offer_is_found() {
    let came = |channel| read(&opened_with(&Reception { channel, ..reception() }));
    let found = |channel| checks(&came(channel), NOON, Some(&OFFLINE)).len();
    assert_eq!((found(Channel::Online), found(Channel::Counter)), (1, 0));
    assert_eq!(checks(&came(Channel::Online), NOON, None), [], "nobody knows without it");
}

#[test]
fn a_registered_dossier_that_nobody_looks_at_is_found_once_its_hour_has_passed() {
    let waiting = Reception { accept_by: Some("2026-01-05T12:00".into()), ..reception() };
    let document = registered_with(&waiting, MORNING);
    assert_eq!(codes(&read(&document), NOON), [""; 0], "noon itself is in time");
    let after = Moment(NOON.0 + 60_000);
    assert_eq!(codes(&read(&document), after), ["accept-overdue"]);
    let finding = &checks(&read(&document), after, None)[0];
    assert!(finding.words_vi.contains("2026-01-05T12:00") && finding.words.contains("refuse"));
    for (kind, place) in [(ActKind::Received, "HOIAN"), (ActKind::Refused, "HOIAN")] {
        let looked_at = NewAct { office: office(place), ..act("b", kind) };
        assert_eq!(codes(&read(&with(&document, &[looked_at])), after), [""; 0]);
    }
}

#[test]
fn an_application_after_its_registration_in_the_future_is_found() {
    let applied = Reception { submitted: Some("2026-01-06T08:00".into()), ..reception() };
    assert_eq!(codes(&read(&opened_with(&applied)), NOON), ["date-in-the-future"]);
}

#[test]
fn overdue_answers_are_found() {
    let asked = NewAct {
        to_office: Some(office("STC")),
        note: Some("?".into()),
        due: Some("2026-01-06".into()),
        ..act("q", ActKind::Consulted)
    };
    let dossier = read(&with(&opened(), &[act("b", ActKind::InProcess), asked]));
    assert_eq!(codes(&dossier, NOON), [""; 0]);
    let findings = checks(&dossier, Moment(MORNING.0 + 2 * 86_400_000), None);
    assert_eq!((findings.len(), findings[0].code), (1, "reply-overdue"));
    assert!(findings[0].words.contains("STC") && findings[0].words_vi.contains("đôn đốc"));
    let hub = office("HUB");
    let told: Vec<_> = findings[0].addressees.iter().map(|to| to.office(hub)).collect();
    assert_eq!(told, [office("STNMT"), office("STC"), hub], "lead, head of the agency, hub");
    let shown = serde_json::to_value(&findings[0]).expect("it is JSON");
    assert_eq!(shown["for"][2], json!({ "role": "hub" }));
}

/// What was foretold at a moment, as it is found at another.
fn foretold(dossier: &Dossier, told: Moment, now: Moment) -> Vec<Finding> {
    let timed = outlook(dossier, told, None).into_iter();
    timed.filter(|timed| timed.holds(now)).map(|timed| timed.finding).collect()
}

#[test]
fn what_comes_and_passes_by_time_alone_is_foretold() {
    let asked = |id: &str, due: &str| NewAct {
        to_office: Some(office("STC")),
        note: Some("?".into()),
        due: Some(due.into()),
        ..act(id, ActKind::Consulted)
    };
    let acts = [act("b", ActKind::InProcess), asked("q", "2026-01-06"), asked("r", "2026-01-08")];
    let mut unborn = reception();
    unborn.applicant.birth_date = Some("2026-01-07".into());
    let dossier = read(&with(&opened_with(&unborn), &acts));
    for half_day in 0..10 {
        let now = Moment(NOON.0 + half_day * 43_200_000);
        assert_eq!(foretold(&dossier, NOON, now), checks(&dossier, now, None), "{half_day}");
    }
    let from: Vec<_> = outlook(&dossier, NOON, None).iter().map(|timed| timed.from).collect();
    let midnight = |day: u64| Moment(MORNING.0 + (24 * day - 8) * 3_600_000);
    assert_eq!(from, [Moment(0), midnight(2), midnight(4)]);
}

#[test]
fn a_hostile_number_of_faults_is_listed_up_to_a_limit() {
    let acts: Vec<Value> =
        (0..1_000).map(|n| entry(&format!("n{n}"), "noted", Moment(u64::MAX >> 1), "")).collect();
    assert_eq!(checks(&written(json!(acts)), NOON, None).len(), MAX_FINDINGS);
}

/// Anything that stands in a document: the words that a dossier knows among others.
fn anything() -> impl Strategy<Value = Value> {
    let words =
        ["received", "finished", "fee-paid", "resolved", "consulted", "2026-02-30", "a", ""];
    let word = proptest::sample::select(words.to_vec()).prop_map(|word| json!(word));
    let number = any::<i64>().prop_map(|number| json!(number));
    let leaf = prop_oneof![word, number, Just(json!(null)), Just(json!(true))];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let keys = [
            "id",
            "kind",
            "office",
            "at",
            "saw",
            "regards",
            "overrules",
            "detail",
            "fee",
            "due",
            "reply",
            "date",
            "amount_vnd",
        ];
        let map = proptest::collection::btree_map(
            proptest::sample::select(keys.to_vec()),
            inner.clone(),
            0..6,
        );
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|list| json!(list)),
            map.prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_document_makes_the_checks_fail(
        acts in anything(), times in anything(), due in anything(),
        channel in prop_oneof![anything(), (0..4_u8).prop_map(|number| json!(number))],
    ) {
        let draft = Document::new().edit(actor(1), |editor| {
            editor.put(&["identity"], json!({ "code": "H57-260804-0583", "channel": channel }))?;
            editor.put(&["offices"], json!({ "receiving": "HOIAN" }))?;
            editor.put(&["applicant"], json!({ "name": "a", "birth_date": due }))?;
            let times = json!({ "due": due, "dues": times, "accept_by": due, "submitted": acts });
            editor.put(&["times"], times)?;
            editor.put(&["acts"], json!([acts, entry("a", "received", MORNING, ""), acts]))
        });
        let draft = draft.expect("the edit is sound");
        let dossier = Dossier::read(id(), draft.preview()).expect("code and office are there");
        for now in [Moment(0), NOON, Moment(u64::MAX)] {
            let found = [None, Some(&*OFFLINE)].map(|known| checks(&dossier, now, known));
            prop_assert!(found.iter().all(|found| found.len() <= MAX_FINDINGS));
            let is_channel = |finding: &Finding| finding.code == "channel-not-offered";
            let came = dossier.reception.channel.in_catalogue();
            let is_offered = OFFLINE.channels.contains(&came);
            prop_assert_eq!(found[1].iter().any(is_channel), !is_offered);
            prop_assert!(!found[0].iter().any(is_channel));
            let mut told = foretold(&dossier, Moment(0), now);
            told.sort_by(|one, other| one.words.cmp(&other.words));
            let mut same = found[0].clone();
            same.sort_by(|one, other| one.words.cmp(&other.words));
            prop_assert_eq!(told, same, "nothing comes that was not foretold");
            let calendar = lienthong_catalogue::Calendar::default();
            let _judged = dossier.clock(&calendar, now);
            let _slip = dossier.control_slip(&calendar);
        }
        prop_assert!(dossier.to_json().is_object() && dossier.to_masked_json().is_object());
    }
}
