use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, ROOT, ReadDoc, ScalarValue};
use proptest::prelude::*;
use serde_json::json;

use super::{Part, PayloadError, peek};
use crate::Document;
use crate::fixtures::{
    body_of, body_with, chunk_of, histories, office, seal, skeleton, unsigned, write,
};
use crate::limits::{FREE_OPERATIONS, MAX_PAYLOAD_BYTES};

/// The payload of one Automerge transaction that this crate would not write.
fn foreign(write: impl FnOnce(&mut automerge::transaction::Transaction<'_>)) -> automerge::Change {
    let mut document = Automerge::new().with_actor(ActorId::from(office(1).as_bytes()));
    let mut transaction = document.transaction();
    write(&mut transaction);
    transaction.commit_with(CommitOptions::default());
    document.get_last_local_change().expect("the transaction wrote something")
}

#[test]
fn a_payload_says_who_wrote_it_and_what_it_needs() {
    let mut document = Document::new();
    let first = peek(&skeleton(&mut document)).expect("an edit is acceptable");
    let payload = write(&mut document, 2, |editor| editor.put(&["due"], 20));
    let second = peek(&payload).expect("an edit is acceptable");

    assert_eq!((first.actor, first.seq, first.dependencies.len()), (office(1), 1, 0));
    assert_eq!((second.actor, second.seq), (office(2), 1));
    assert_eq!(second.dependencies, [first.hash]);
    assert_eq!((second.operations, second.bytes), (1, payload.len()));
    assert_eq!(document.heads(), [second.hash]);
}

#[test]
fn compressed_changes_saved_documents_and_bundles_are_refused() {
    let mut change = foreign(|transaction| {
        let text = "x".repeat(1000);
        transaction.put(ROOT, "text", text).expect("a put into a map works");
    });
    let raw = change.raw_bytes().to_vec();
    let compressed = change.bytes().into_owned();
    assert!(peek(&raw).is_ok());
    assert_eq!(peek(&compressed), Err(PayloadError::WrongChunk { kind: 2 }));

    let mut document = Document::new();
    skeleton(&mut document);
    assert_eq!(peek(&document.save()), Err(PayloadError::WrongChunk { kind: 0 }));
    let mut bundle = raw;
    bundle[8] = 3;
    assert_eq!(peek(&bundle), Err(PayloadError::WrongChunk { kind: 3 }));
}

#[test]
fn bytes_before_or_behind_a_change_are_refused() {
    let payload = skeleton(&mut Document::new());
    let twice = [payload.clone(), payload.clone()].concat();
    assert!(matches!(peek(&twice), Err(PayloadError::WrongLength { .. })));
    assert!(matches!(peek(&payload[..50]), Err(PayloadError::WrongLength { .. })));
    assert_eq!(peek(&payload[1..]), Err(PayloadError::NotAChange));
    assert_eq!(peek(&[]), Err(PayloadError::Malformed { part: Part::Header }));

    let inside = chunk_of(&[body_of(&payload), b"smuggled"].concat());
    assert_eq!(peek(&inside), Err(PayloadError::Unexpected { part: Part::Trailer }));
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut payload = skeleton(&mut Document::new());
    payload[5] ^= 1;
    assert_eq!(peek(&payload), Err(PayloadError::WrongChecksum));
    assert!(peek(&seal(payload)).is_ok());
}

#[test]
fn a_payload_over_the_limit_is_refused_unread() {
    let bytes = MAX_PAYLOAD_BYTES + 1;
    assert_eq!(peek(&vec![0; bytes]), Err(PayloadError::TooLong { bytes }));
}

#[test]
fn claimed_operations_are_counted_without_running_through_them() {
    // A run of 2^33 - 1 "set" operations, in seven bytes.
    let run = [0xff, 0xff, 0xff, 0xff, 0x1f, 1].to_vec();
    let claimed = chunk_of_unsealed(&body_with(&[(66, run)]));
    let refused = peek(&claimed);
    let value = (1 << 33) - 1;
    let limit = FREE_OPERATIONS + 2 * claimed.len() as u64;
    assert_eq!(refused, Err(PayloadError::OverLimit { part: Part::Actions, value, limit }));

    // One operation that claims to replace 2^34 others.
    let replaced = [vec![1], unsigned(1 << 34)].concat();
    let refused = peek(&chunk_of_unsealed(&body_with(&[(66, vec![1, 1]), (112, replaced)])));
    assert!(matches!(refused, Err(PayloadError::OverLimit { part: Part::Replaced, .. })));
}

#[test]
fn a_long_key_is_refused_however_often_it_stands() {
    let change = foreign(|transaction| {
        transaction.put(ROOT, "k".repeat(257), 1).expect("a put into a map works");
    });
    let refused = peek(change.raw_bytes());
    assert!(matches!(refused, Err(PayloadError::OverLimit { part: Part::Keys, value: 257, .. })));
}

#[test]
fn what_no_export_would_show_is_refused() {
    let part = Part::Values;
    for value in [
        ScalarValue::Bytes(vec![1]),
        ScalarValue::F64(1.5),
        ScalarValue::Timestamp(1),
        ScalarValue::counter(1),
    ] {
        let change = foreign(|transaction| {
            transaction.put(ROOT, "key", value).expect("a put into a map works");
        });
        assert_eq!(peek(change.raw_bytes()), Err(PayloadError::Unexpected { part }));
    }
    let mut document = Automerge::new().with_actor(ActorId::from(office(1).as_bytes()));
    for (options, part) in [
        (CommitOptions::default().with_time(1_700_000_000), Part::Time),
        (CommitOptions::default().with_message("hidden"), Part::Message),
    ] {
        let mut transaction = document.transaction();
        transaction.put(ROOT, "key", part.to_string()).expect("a put into a map works");
        let hash = transaction.commit_with(options).0.expect("the transaction wrote something");
        let change = document.get_change_by_hash(&hash).expect("the change was just made");
        assert_eq!(peek(change.raw_bytes()), Err(PayloadError::Unexpected { part }));
    }
}

#[test]
fn an_edit_holds_no_time() {
    let mut document = Document::new();
    let payload = write(&mut document, 1, |editor| editor.put(&["a"], json!({"b": [1, null]})));
    let change = automerge::Change::try_from(payload.as_slice()).expect("an edit is readable");
    assert_eq!(change.timestamp(), 0);
}

fn chunk_of_unsealed(body: &[u8]) -> Vec<u8> {
    let header = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
    [header, unsigned(body.len() as u64), body.to_vec()].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_a_look_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(peek(&bytes).is_err());
        prop_assert!(peek(&chunk_of_unsealed(&bytes)).is_err());
    }

    #[test]
    fn every_payload_that_an_edit_makes_is_acceptable(payloads in histories()) {
        for payload in payloads {
            let change = automerge::Change::try_from(payload.as_slice()).expect("readable");
            let peek = peek(&payload).expect("an edit is acceptable");
            prop_assert_eq!(peek.hash.as_bytes(), &change.hash().0);
            prop_assert_eq!(peek.operations, change.len() as u64);
        }
    }
}
