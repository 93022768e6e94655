use lienthong_catalogue::worktime::Minutes;
use lienthong_catalogue::{
    Calendar, CalendarYear, Catalogue, Edition, Limit, Unit, Verdict, Warning,
};
use lienthong_protocol::Moment;
use serde_json::json;

use super::due_moment;
use crate::fixture_tests::{
    act, drafted, minute, opened, opened_with, read, reception, registered_with, with,
};
use crate::{ActKind, Channel, ClockState, NewAct, Reception, local_minute};

/// Monday to Friday, 07:00–11:30 and 13:30–17:00: 8 hours.
fn calendar() -> Calendar {
    Calendar::default()
}

fn year_2026() -> Calendar {
    let text = include_str!("../../../config/quang-nam/calendar-2026.toml");
    Calendar::of([CalendarYear::parse("calendar-2026.toml", text).expect("it is published")])
}

fn catalogue() -> Catalogue {
    let text = include_str!("../../../config/quang-nam/procedures.toml");
    Edition::parse("procedures.toml", text).expect("it is published").into()
}

/// A moment so many days and hours after Monday 2026-01-05 08:00.
fn later(days: u64, hours: u64) -> Moment {
    minute(days * 24 * 60 + hours * 60)
}

/// Does acts at their moments.
fn done(acts: &[(NewAct, Moment)]) -> crate::Dossier {
    let mut document = opened();
    for (act, at) in acts {
        let minutes = (at.0 - minute(0).0) / 60_000;
        let draft = drafted(&document, 1, act, minutes).expect("the act is allowed");
        document.take(draft).expect("the draft is sound");
    }
    read(&document)
}

fn shown(at: Option<Moment>) -> String {
    at.map(local_minute).unwrap_or_default()
}

#[test]
fn the_clock_runs_in_working_time() {
    let dossier = done(&[(act("b", ActKind::InProcess), later(0, 1))]);
    let clock = dossier.clock(&calendar(), later(0, 0)).expect("it is counted");
    // Monday 08:00-11:30 and 13:30-17:00 are 7 hours, four more days 32.
    assert_eq!((clock.state, clock.remaining), (ClockState::Running, Minutes(39 * 60)));
    assert_eq!((clock.verdict, clock.late_by), (None, Minutes(0)));
    assert_eq!(shown(clock.due), "2026-01-09T17:00");
    // Monday a week later, 09:00: two hours of working time too late.
    let clock = dossier.clock(&calendar(), later(7, 1)).expect("it is counted");
    assert_eq!((clock.verdict, clock.late_by), (Some(Verdict::Late), Minutes(120)));
    assert_eq!(clock.remaining, Minutes(0));
}

#[test]
fn a_supplement_stops_the_clock_in_working_time() {
    let begun = (act("b", ActKind::InProcess), later(0, 1));
    let asked = (act("c", ActKind::SupplementAsked), later(1, 0));
    let supplied = (act("d", ActKind::Supplied), later(3, 0));
    let paused = done(&[begun.clone(), asked.clone()]);
    let clock = paused.clock(&calendar(), later(2, 0)).expect("it is counted");
    // Tuesday 08:00 to Wednesday 08:00 is one working day: Friday becomes Monday.
    assert_eq!((clock.state, shown(clock.due)), (ClockState::Paused, "2026-01-12T17:00".into()));
    assert_eq!(paused.records.pauses[0].to, None);
    let running = done(&[begun.clone(), asked.clone(), supplied.clone()]);
    let clock = running.clock(&calendar(), later(3, 1)).expect("it is counted");
    assert_eq!((clock.state, shown(clock.due)), (ClockState::Running, "2026-01-13T17:00".into()));
    assert_eq!(running.pauses(), [(later(1, 0), Some(later(3, 0)))]);
    let finished = (act("e", ActKind::Finished), later(7, 1));
    let over = done(&[begun, asked, supplied, finished]);
    let clock = over.clock(&calendar(), later(30, 0)).expect("it is counted");
    assert_eq!((clock.state, clock.verdict), (ClockState::Stopped, Some(Verdict::Early)));
    assert_eq!((clock.remaining, clock.late_by), (Minutes(0), Minutes(0)));
}

#[test]
fn an_extension_sets_a_new_due_and_the_original_one_still_judges() {
    let extended = NewAct {
        due: Some("2026-01-15".into()),
        reason: Some("mưa lũ".into()),
        ..act("c", ActKind::Extended)
    };
    let acts = [
        (act("b", ActKind::InProcess), later(0, 1)),
        (extended, later(4, 0)),
        (act("d", ActKind::Finished), later(9, 0)),
    ];
    let dossier = done(&acts);
    let clock = dossier.clock(&calendar(), later(9, 1)).expect("it is counted");
    assert_eq!(shown(clock.due), "2026-01-15T17:00", "a day ends when the offices close");
    assert_eq!(shown(clock.original_due), "2026-01-09T17:00");
    assert_eq!(clock.verdict, Some(Verdict::Late));
    assert_eq!(dossier.original_due(), Some("2026-01-09T17:00"));
    assert_eq!(dossier.records.extensions[0].reason, "mưa lũ");
    assert_eq!(dossier.to_json()["due_original"], "2026-01-09T17:00");
}

#[test]
fn a_pause_before_the_due_was_set_does_not_move_it() {
    let supplied = NewAct { due: Some("2026-01-14T17:00".into()), ..act("d", ActKind::Supplied) };
    let acts = [
        (act("b", ActKind::InProcess), later(0, 1)),
        (act("c", ActKind::SupplementAsked), later(1, 0)),
        (supplied, later(3, 0)),
    ];
    let clock = done(&acts).clock(&calendar(), later(3, 1)).expect("it is counted");
    assert_eq!(shown(clock.due), "2026-01-14T17:00");
    assert_eq!(shown(clock.original_due), "2026-01-13T17:00");
}

#[test]
fn a_due_that_the_clock_moved_is_the_one_that_people_are_told() {
    let begun = (act("b", ActKind::InProcess), later(0, 1));
    let stops = [
        (ActKind::SupplementAsked, ActKind::Supplied),
        (ActKind::PaymentAsked, ActKind::Paid),
        (ActKind::Stopped, ActKind::Resumed),
    ];
    for (stop, go_on) in stops {
        let paused = done(&[begun.clone(), (act("c", stop), later(1, 0))]);
        let before = paused.due_at(&calendar(), later(1, 0)).expect("it is counted");
        assert_eq!(before.as_deref(), Some("2026-01-09T17:00"), "{stop:?} moved nothing yet");
        let due = paused.due_set_by(go_on, &calendar(), later(3, 0)).expect("it is counted");
        assert_eq!(due.as_deref(), Some("2026-01-13T17:00"), "{go_on:?} two working days later");
        assert_eq!(paused.due_set_by(ActKind::Noted, &calendar(), later(3, 0)), Ok(None));
        for due in [due, None] {
            let moved = NewAct { due, ..act("d", go_on) };
            let acts = [begun.clone(), (act("c", stop), later(1, 0)), (moved, later(3, 0))];
            let dossier = done(&acts);
            let clock = dossier.clock(&calendar(), later(3, 1)).expect("it is counted");
            let told = dossier.due_at(&calendar(), later(3, 1)).expect("it is counted");
            assert_eq!(told, Some(shown(clock.due)), "{go_on:?}");
            assert_eq!(told.as_deref(), Some("2026-01-13T17:00"), "{go_on:?}");
            assert_eq!(dossier.original_due(), Some("2026-01-09T17:00"), "it is kept");
            assert_eq!(shown(clock.original_due), "2026-01-13T17:00");
        }
    }
}

#[test]
fn a_due_that_was_over_before_the_clock_stood_still_is_not_set_again() {
    let begun = (act("b", ActKind::InProcess), later(0, 1));
    let late = done(&[begun, (act("c", ActKind::SupplementAsked), later(8, 0))]);
    assert_eq!(late.due_set_by(ActKind::Supplied, &calendar(), later(9, 0)), Ok(None));
    let told = late.due_at(&calendar(), later(9, 0)).expect("it is counted");
    assert_eq!(told.as_deref(), Some("2026-01-09T17:00"));
}

#[test]
fn what_nobody_looked_at_yet_runs_towards_the_hour_by_which_somebody_must() {
    let limit = Some(Limit::of(8, Unit::Hour));
    // Monday, 22:00: the eight hours are those of Tuesday.
    let (night, due) = (later(0, 14), Some("2026-01-06T17:00"));
    let reception = reception().registered(limit, &calendar(), night).expect("it is counted");
    assert_eq!((reception.accept_by.as_deref(), &reception.due), (due, &None));
    let reception = reception.check().expect("what was computed is right");
    let document = registered_with(&reception, later(1, 0));
    let dossier = read(&document);
    assert_eq!(dossier.reception, reception, "it is kept with the dossier");
    assert_eq!(dossier.records.times.submitted, Some(night));
    assert_eq!(
        (&dossier.to_json()["accept_by"], &dossier.to_json()["due"]),
        (&json!(due), &json!(null))
    );
    let clock = dossier.clock(&calendar(), later(1, 0)).expect("it is counted");
    assert_eq!((clock.state, clock.remaining), (ClockState::Waiting, Minutes(7 * 60)));
    assert_eq!((shown(clock.accept_by).as_str(), clock.due), ("2026-01-06T17:00", None));
    assert_eq!((clock.verdict, clock.late_by), (None, Minutes(0)));
    let clock = dossier.clock(&calendar(), later(2, 1)).expect("it is counted");
    assert_eq!((clock.verdict, clock.late_by), (Some(Verdict::Late), Minutes(120)));
    let received = NewAct { due: Some("2026-01-09".into()), ..act("b", ActKind::Received) };
    let received = drafted(&document, 1, &received, 26 * 60).expect("it may be taken in");
    let dossier = read(received.preview());
    let clock = dossier.clock(&calendar(), later(2, 1)).expect("it is counted");
    assert_eq!((clock.state, clock.accept_by, clock.verdict), (ClockState::Running, None, None));
    assert_eq!(shown(clock.due), "2026-01-09T17:00");
    assert_eq!(dossier.reception.accept_by.as_deref(), due, "it is kept for ever");
}

#[test]
fn without_a_limit_a_registered_dossier_waits_without_a_verdict() {
    let reception = reception().registered(None, &calendar(), later(0, 0)).expect("no limit");
    let dossier = read(&registered_with(&reception, later(0, 0)));
    let clock = dossier.clock(&calendar(), later(99, 0)).expect("it is counted");
    assert_eq!((clock.state, clock.accept_by), (ClockState::Waiting, None));
    assert_eq!((clock.remaining, clock.verdict), (Minutes(0), None));
}

#[test]
fn a_dossier_that_is_not_to_be_decided_has_no_verdict() {
    let withdrawn = done(&[(act("b", ActKind::Withdrawn), later(30, 0))]);
    let clock = withdrawn.clock(&calendar(), later(40, 0)).expect("it is counted");
    assert_eq!((clock.state, clock.verdict), (ClockState::Stopped, None));
    let undated = read(&opened_with(&Reception { due: None, ..reception() }));
    let clock = undated.clock(&calendar(), later(40, 0)).expect("it is counted");
    assert_eq!((clock.state, clock.due, clock.verdict), (ClockState::Running, None, None));
}

#[test]
fn dues_are_read_as_they_are_written() {
    let at = |text| due_moment(&year_2026(), text).map(local_minute);
    assert_eq!(at("2026-01-09").as_deref(), Some("2026-01-09T17:00"));
    assert_eq!(at("2026-01-10").as_deref(), Some("2026-01-10T17:00"), "a make-up day is worked");
    assert_eq!(at("2026-01-11").as_deref(), Some("2026-01-11T23:59"), "a day off has no closing");
    assert_eq!(at("2026-01-09T08:30").as_deref(), Some("2026-01-09T08:30"));
    for wrong in ["", "mai", "2026-02-30", "2026-01-09T24:00", "2026-01-09T08:30:00", "T08:30"] {
        assert_eq!(at(wrong), None, "{wrong}");
    }
}

/// Đăng ký lại khai sinh, as it was before July 2025: 5 + 5 + 3 working days, 25 days in all.
fn registered_again() -> Reception {
    let typed = json!({
        "procedure": "1.004884.H47", "offices": { "receiving": "HOIAN" },
        "applicant": { "name": "Nguyễn Thị Hoa" },
    });
    serde_json::from_value(typed).expect("the shape is right")
}

#[test]
fn the_answer_to_an_opinion_for_which_the_clock_stood_still_moves_the_due() {
    let letter = |number: &str| json!({ "number": number, "date": "2026-01-05", "signer": "A" });
    for pauses in [true, false] {
        let asked = json!({ "opinion": { "agency": "Bộ Xây dựng", "number": "5/UBND",
            "date": "2026-01-05", "signer": "A", "expected": "2026-01-20", "pauses": pauses } });
        let asked = NewAct {
            detail: serde_json::from_value(asked).expect("a letter"),
            ..act("o", ActKind::OpinionAsked)
        };
        let begun = [(act("b", ActKind::InProcess), later(0, 1)), (asked, later(1, 0))];
        let open = done(&begun);
        assert_eq!(open.clock_state().runs(), !pauses);
        let due = open.due_set_by(ActKind::OpinionReplied, &calendar(), later(3, 0));
        let moved = due.expect("it is counted");
        assert_eq!(moved.as_deref(), pauses.then_some("2026-01-13T17:00"));
        let answered = NewAct {
            reply: serde_json::from_value(letter("9/BXD")).expect("a letter"),
            regards: Some("o".into()),
            due: moved.or_else(|| Some("2026-01-15".into())),
            ..act("a", ActKind::OpinionReplied)
        };
        let [begin, ask] = begun;
        let dossier = done(&[begin, ask, (answered, later(3, 0))]);
        let kept = if pauses { "2026-01-13T17:00" } else { "2026-01-09T17:00" };
        assert_eq!(dossier.standing.due.as_deref(), Some(kept), "pauses: {pauses}");
        assert!(dossier.clock_state().runs());
        assert_eq!(dossier.original_due(), Some("2026-01-09T17:00"), "it is kept");
    }
}

#[test]
fn the_catalogue_gives_a_reception_its_dues() {
    let reception = registered_again();
    let catalogue = catalogue();
    let version = catalogue.procedure_version("1.004884.H47", 1).expect("it was in force");
    // Received on Monday 2026-01-05. The first step ends after five working days: Tuesday to
    // Friday and the make-up day, Saturday the 10th; then the week after; then three days more.
    let computed = reception.due_of(version, &year_2026(), later(0, 0)).expect("it is counted");
    let steps: Vec<_> = computed.dues.steps.iter().map(|step| step.due.as_deref()).collect();
    let expected = ["2026-01-10T17:00", "2026-01-16T17:00", "2026-01-21T17:00"];
    assert_eq!(steps, expected.map(Some));
    assert_eq!(computed.dues.internal.as_deref(), Some("2026-01-21T17:00"));
    // 25 days of the calendar after the 5th is Friday the 30th.
    assert_eq!(computed.due.as_deref(), Some("2026-01-30T17:00"));
    let used: Vec<_> =
        computed.dues.calendars.iter().map(|used| (used.year, used.version)).collect();
    assert_eq!((used, computed.warnings), (vec![(2026, 1)], vec![]));
    let dated = Reception { due: computed.due, dues: Some(computed.dues), ..reception };
    let dated = dated.check().expect("what was computed is right");
    let dossier = read(&opened_with(&dated));
    assert_eq!(dossier.reception, dated, "the dues are kept with the dossier");
    assert_eq!(dossier.to_json()["dues"]["steps"][2]["role"], "ubnd-xa");
}

#[test]
fn a_year_without_a_calendar_is_warned_about() {
    let catalogue = catalogue();
    let version = catalogue.procedure_version("1.004884.H47", 1).expect("it was in force");
    let december = Moment(later(0, 0).0 + 350 * 86_400_000);
    let computed = registered_again().due_of(version, &year_2026(), december);
    let warnings = computed.expect("it is counted all the same").warnings;
    assert_eq!(warnings, [Warning::CalendarMissing { year: 2027 }]);
}

#[test]
fn what_the_catalogue_does_not_offer_is_refused() {
    let catalogue = catalogue();
    let cases = [
        (Reception { procedure: "9.999999.H47".into(), ..registered_again() }, "unknown-procedure"),
        (Reception { channel: Channel::Post, ..registered_again() }, "channel-not-offered"),
        (Reception { case: Some("khác".into()), ..registered_again() }, "unknown-case"),
    ];
    // 2017-06-05: the first version is in force.
    let then = Moment(1_496_620_800_000);
    for (reception, code) in cases {
        let refusal = reception.version_in(&catalogue, then).expect_err("it is not offered");
        assert_eq!(refusal.code, code);
        assert!(!refusal.words.remedy.is_empty() && !refusal.words.remedy_vi.is_empty());
    }
    let found = registered_again().version_in(&catalogue, then).expect("it is offered");
    assert_eq!(found.version, 1);
    let stopped = with(&opened(), &[]);
    assert_eq!(
        read(&stopped).clock(&calendar(), then).expect("a clock before its start").late_by,
        Minutes(0)
    );
}
