//! Which word counts, how long contact lasts, and what survives a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lienthong_protocol::limits::MAX_REPORT_BYTES;
use lienthong_protocol::{
    FederationId, Incarnation, Moment, NodeId, NodeKey, OfficeId, Report, ReportOrder, Told,
};

use super::*;

const NOW: Moment = Moment(1_800_000_000_000);

fn federation() -> FederationId {
    FederationId::from_bytes([1; 32])
}

fn key(seed: u8) -> NodeKey {
    NodeKey::from_seed([seed; 32])
}

fn office(name: &str) -> OfficeId {
    name.parse().expect("a valid office id")
}

fn order(run: u64, incarnation: u64, number: u64) -> ReportOrder {
    ReportOrder { run, incarnation: Incarnation(incarnation), number }
}

fn said(seed: u8, order: ReportOrder) -> Report {
    Report::sign(federation(), &key(seed), order, health().to_body())
}

fn told(report: Report) -> Told {
    Told { report, age_ms: 0, skew_ms: None }
}

fn itself(seed: u8) -> Teller {
    Teller { node: key(seed).id(), skew_ms: Some(40) }
}

fn health() -> Health {
    Health {
        at: Moment(1_500_000_000_000),
        program: "lienthong 0.1.0".into(),
        uplink: Uplink::Settled { since: Some(Moment(1_499_999_999_999)) },
        unsent: 300,
        waiting: 1,
        quarantined: vec![(Reason::UNFIT, 2), (Reason::REVOKED, 3)],
        disk: Some(Disk { free_bytes: 1 << 33, total_bytes: 1 << 36 }),
        dossiers: Some(Dossiers { open: 12, overdue: 1, due_in_1: 2, due_in_3: 5 }),
    }
}

/// Takes reports of the node 7 by its own link, in this order, and says which one is held.
#[track_caller]
fn check_newest(orders: &[ReportOrder], newest: ReportOrder) {
    let mut board = Board::default();
    for order in orders {
        let taken = board.take(federation(), told(said(7, *order)), itself(7), NOW);
        taken.expect("it is signed");
    }
    assert_eq!(board.of(key(7).id()).map(|held| held.report.order), Some(newest));
}

#[test]
fn a_body_has_its_golden_bytes() {
    let golden = [
        1, 253, 0, 152, 247, 62, 93, 1, 0, 0, 15, 108, 105, 101, 110, 116, 104, 111, 110, 103, 32,
        48, 46, 49, 46, 48, 1, 1, 253, 255, 151, 247, 62, 93, 1, 0, 0, 251, 44, 1, 1, 2, 4, 2, 2,
        3, 1, 253, 0, 0, 0, 0, 2, 0, 0, 0, 253, 0, 0, 0, 0, 16, 0, 0, 0, 1, 12, 1, 2, 5,
    ];
    let body = health().to_body();
    assert_eq!(Health::from_body(&body).expect("it reads"), health());
    assert_eq!(body, golden.map(|byte: i32| u8::try_from(byte).expect("a byte")));
}

#[test]
fn a_body_that_is_newer_broken_or_too_large_is_told_apart() {
    let body = health().to_body();
    let newer = [&[2], &body[1..]].concat();
    assert!(matches!(Health::from_body(&newer), Err(HealthError::Newer { version: 2 })));
    let longer = [&body[..], &[0]].concat();
    for broken in [&[][..], &[0], &body[..body.len() - 1], &longer] {
        assert!(matches!(Health::from_body(broken), Err(HealthError::Malformed { .. })));
    }
    let many = vec![(Reason(9), u64::MAX); 40];
    let largest = Health { program: "đ".repeat(400), quarantined: many, ..health() };
    let body = largest.to_body();
    assert!(body.len() <= MAX_REPORT_BYTES, "{} bytes", body.len());
    let read = Health::from_body(&body).expect("what was cut reads");
    assert_eq!((read.program.len(), read.quarantined.len()), (64, 16));
    assert_eq!(read.all_quarantined(), u64::MAX);
}

#[test]
fn the_greater_run_then_number_counts_whatever_the_order_of_arrival() {
    check_newest(&[order(1, 5, 1), order(1, 5, 2)], order(1, 5, 2));
    check_newest(&[order(1, 5, 2), order(1, 5, 1)], order(1, 5, 2));
    check_newest(&[order(1, 5, 900), order(2, 4, 1)], order(2, 4, 1));
    check_newest(&[order(2, 4, 1), order(1, 5, 900)], order(2, 4, 1));
    check_newest(&[order(1, 4, 9), order(1, 5, 1)], order(1, 5, 1));
}

#[test]
fn a_clock_decides_nothing() {
    let mut board = Board::default();
    let early = Health { at: Moment(9_999_999_999_999), ..health() };
    let first = Report::sign(federation(), &key(7), order(1, 5, 1), early.to_body());
    board.take(federation(), told(first), itself(7), NOW).expect("it is signed");
    let later = board.take(federation(), told(said(7, order(1, 5, 2))), itself(7), Moment(1));
    assert_eq!(later, Ok(Taken::New));
}

#[test]
fn what_its_node_did_not_sign_changes_nothing() {
    let mut board = Board::default();
    let report = said(7, order(1, 5, 1));
    let forged = Report { order: order(1, 5, 2), ..report.clone() };
    assert!(board.take(federation(), told(forged), itself(8), NOW).is_err());
    let elsewhere = FederationId::from_bytes([2; 32]);
    assert!(board.take(elsewhere, told(report), itself(7), NOW).is_err());
    assert_eq!(board, Board::default());
}

#[test]
fn a_node_whose_folder_is_old_goes_on_above_what_others_know() {
    let mut hub = Board::default();
    let known = said(7, order(9, 5, 3));
    hub.take(federation(), told(known.clone()), itself(7), NOW).expect("it is signed");
    let mut old = Board::default();
    assert_eq!(old.begin_run(key(7).id()), 1);
    let own = order(1, 6, 1);
    let taken = hub.take(federation(), told(said(7, own)), itself(7), NOW);
    assert_eq!(taken, Ok(Taken::Behind(known.clone())), "the hub tells it");
    assert_eq!(old.pass_run(known.order, own), Some(10));
    assert_eq!(old.pass_run(order(9, 6, 8), order(10, 6, 1)), None, "its own run is no other");
    let taken = hub.take(federation(), told(said(7, order(10, 6, 2))), itself(7), NOW);
    assert_eq!(taken, Ok(Taken::New));
}

#[test]
fn what_is_passed_on_keeps_its_age_and_adds_up_its_skew() {
    let (mut district, mut hub) = (Board::default(), Board::default());
    let report = said(7, order(1, 5, 1));
    district.take(federation(), told(report), itself(7), NOW).expect("it is signed");
    let later = NOW.after(Duration::from_secs(50));
    let frames = district.news(&BTreeMap::new(), key(8).id(), later);
    let handed = frames[0].told[0].clone();
    assert_eq!((handed.age_ms, handed.skew_ms), (50_000, Some(40)));
    // The clock of the hub shows another time, and the district's is 100 ms ahead of it.
    let teller = Teller { node: key(8).id(), skew_ms: Some(100) };
    hub.take(federation(), handed.clone(), teller, Moment(70_000)).expect("it is signed");
    let held = hub.of(key(7).id()).expect("it was taken");
    assert_eq!((held.heard, held.skew_ms), (Moment(20_000), Some(140)));
    let mut unmeasured = Board::default();
    let teller = Teller { skew_ms: None, ..teller };
    unmeasured.take(federation(), handed, teller, NOW).expect("it is signed");
    assert_eq!(unmeasured.of(key(7).id()).map(|held| held.skew_ms), Some(None));
}

#[test]
fn only_what_is_lacking_is_handed_on_in_frames_of_a_bounded_size() {
    let mut board = Board::default();
    for seed in 1..=130 {
        board.take(federation(), told(said(seed, order(1, 5, 1))), itself(seed), NOW).expect("ok");
    }
    let own = key(200).id();
    let frames = board.news(&BTreeMap::new(), own, NOW);
    assert_eq!(frames.iter().map(|frame| frame.told.len()).collect::<Vec<_>>(), [64, 64, 2]);
    for frame in &frames {
        lienthong_protocol::Frame::Reports(frame.clone()).encode().expect("a peer takes it");
    }
    let told = frames.iter().flat_map(|frame| &frame.told);
    let mut known: BTreeMap<NodeId, ReportOrder> =
        told.map(|told| (told.report.node, told.report.order)).collect();
    assert!(board.news(&known, own, NOW).is_empty());
    known.insert(key(3).id(), order(1, 5, 0));
    assert_eq!(board.news(&known, own, NOW)[0].told.len(), 1);
}

#[test]
fn contact_turns_are_kept_and_bounded() {
    let (mut board, place) = (Board::default(), office("QNM-HOIAN"));
    let none = BTreeSet::new();
    assert!(board.hear(place, NOW, NOW));
    assert!(!board.hear(place, NOW, NOW), "contact is there already");
    let later = NOW.after(SILENT_AFTER);
    assert!(!board.tend(&BTreeSet::from([place]), later), "its own link is up");
    assert!(!board.tend(&none, Moment(later.0 - 1)));
    assert!(board.tend(&none, later));
    let turns: Vec<Turn> = board.contact(place).expect("known").turns().collect();
    assert_eq!(turns, [Turn { at: NOW, is_up: true }, Turn { at: NOW, is_up: false }]);
    assert!(!board.hear(place, NOW, later), "an old word is no contact");
    for turn in 0..200 {
        let at = later.after(Duration::from_secs(turn));
        board.hear(place, at, at);
        board.lose(place, at);
    }
    let contact = board.contact(place).expect("known");
    assert_eq!((contact.turns().count(), contact.is_up()), (MAX_TURNS, false));
}

#[test]
fn a_board_survives_its_file_and_a_broken_file_is_told() {
    let mut board = Board::default();
    board.begin_run(key(1).id());
    board.say(said(1, order(1, 5, 1)), NOW);
    board.take(federation(), told(said(7, order(3, 5, 1))), itself(7), NOW).expect("signed");
    board.hear(office("QNM-HOIAN"), NOW, NOW);
    let bytes = board.to_bytes().expect("it is small");
    assert_eq!(Board::from_bytes(&bytes, federation()).expect("it reads"), board);
    for broken in [&bytes[..bytes.len() - 1], &bytes[1..], &[]] {
        assert!(Board::from_bytes(broken, federation()).is_err());
    }
    // A flipped bit in a report costs that report alone.
    let mut flipped = bytes.clone();
    let place = bytes.windows(9).position(|part| part == b"lienthong").expect("the head");
    let program = bytes[place + 20..].windows(9).position(|part| part == b"lienthong");
    flipped[place + 20 + program.expect("a body names the program")] ^= 1;
    let read = Board::from_bytes(&flipped, federation()).expect("it reads");
    assert_eq!(read.of(key(1).id()).is_some(), read.of(key(7).id()).is_none());
    assert_eq!(read.contact(office("QNM-HOIAN")), board.contact(office("QNM-HOIAN")));
    board.keep(|node| node == key(7).id(), |_| false);
    assert!(board.of(key(1).id()).is_none() && board.contact(office("QNM-HOIAN")).is_none());
}

#[test]
fn every_run_is_above_the_one_before() {
    let mut board = Board::default();
    assert_eq!([board.begin_run(key(1).id()), board.begin_run(key(1).id())], [1, 2]);
    board.say(said(1, order(9, 5, 1)), NOW);
    board.hear(office("QNM-HOIAN"), NOW, NOW);
    assert_eq!(board.begin_run(key(1).id()), 10);
    assert!(board.contact(office("QNM-HOIAN")).is_some_and(|contact| !contact.is_up()));
}
