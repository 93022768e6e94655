use super::{allows, target};
use crate::{ActKind, Status};

/// The moves that the law knows, by portal numbers.
const LAW: [(u8, &[u8]); 10] = [
    (1, &[2, 3, 5, 7]),
    (2, &[4, 7]),
    (3, &[]),
    (4, &[5, 6, 7, 8, 9]),
    (5, &[3, 4, 8]),
    (6, &[4]),
    (7, &[]),
    (8, &[4]),
    (9, &[10]),
    (10, &[]),
];

#[test]
fn exactly_the_moves_of_the_law_are_allowed() {
    for (status, (number, law)) in Status::ALL.into_iter().zip(LAW) {
        assert_eq!(status.number(), number);
        let allowed = ActKind::ALL.into_iter().filter(|kind| allows(*kind, Some(status)));
        let mut reached: Vec<u8> = allowed.filter_map(target).map(Status::number).collect();
        reached.sort_unstable();
        assert_eq!(reached, law, "from {number}");
    }
}

#[test]
fn only_registered_and_received_open_a_dossier() {
    let opening = ActKind::ALL.into_iter().filter(|kind| allows(*kind, None));
    assert_eq!(opening.collect::<Vec<_>>(), [ActKind::Registered, ActKind::Received]);
}

#[test]
fn final_statuses_take_nothing_that_moves_or_extends() {
    for status in Status::ALL.into_iter().filter(|status| status.is_final()) {
        let allowed: Vec<_> =
            ActKind::ALL.into_iter().filter(|kind| allows(*kind, Some(status))).collect();
        assert!(allowed.iter().all(|kind| target(*kind).is_none()));
        assert!([ActKind::Replied, ActKind::Noted].iter().all(|kind| allowed.contains(kind)));
        let over = [ActKind::Extended, ActKind::Transferred, ActKind::Consulted];
        assert!(over.iter().all(|kind| !allowed.contains(kind)));
        assert_eq!(status.moves(), []);
    }
}

#[test]
fn every_status_and_every_kind_has_its_own_words() {
    let names: std::collections::BTreeSet<_> = Status::ALL.map(Status::name_vi).into();
    assert_eq!(names.len(), 10);
    let kinds: std::collections::BTreeSet<_> = ActKind::ALL.into();
    assert_eq!(kinds.len(), ActKind::ALL.len());
    for kind in ActKind::ALL {
        assert_eq!(ActKind::of(kind.word()), Some(kind));
        assert_eq!(serde_json::to_value(kind).ok(), Some(kind.word().into()));
        assert!(!kind.name_vi().is_empty());
    }
}
