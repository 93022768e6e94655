use automerge::ObjId;
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, ObjType, ROOT};
use proptest::prelude::*;
use serde_json::json;

use crate::fixtures::{
    body_of, check_sound, chunk_of, histories, hush_automerge, office, seal, skeleton, write,
};
use crate::{Actor, ChangeHash, Document, Opened, PayloadError, Refusal, peek};

fn open(payloads: &[Vec<u8>]) -> Opened<usize> {
    let changes = payloads.iter().enumerate();
    Document::open(changes.map(|(key, payload)| (key, payload.as_slice())), |_| None)
}

fn hash(payload: &[u8]) -> ChangeHash {
    peek(payload).expect("an edit is acceptable").hash
}

/// A change that Automerge applies although it cannot be right: it puts into an object that was
/// never made, or panics on it. Which one depends on Automerge; neither may reach a document.
fn poisoned() -> Vec<u8> {
    hush_automerge();
    let mut document = Automerge::new().with_actor(ActorId::from(office(9).as_bytes()));
    let mut transaction = document.transaction();
    let list = transaction.put_object(ROOT, "list", ObjType::List).expect("a put works");
    transaction.insert(&list, 0, "entry").expect("an insert works");
    let made = transaction.commit_with(CommitOptions::default()).0.expect("it wrote something");
    let change = document.get_last_local_change().expect("it wrote something");
    assert_eq!(change.hash(), made);
    // The object column of the second operation: its counter becomes that of no object.
    let body = body_of(change.raw_bytes()).to_vec();
    let forged = (0..body.len()).rev().map(|position| {
        let mut body = body.clone();
        body[position] = body[position].wrapping_add(1);
        chunk_of(&body)
    });
    let mut harmful = forged.filter(|payload| {
        let refused = Document::new().apply(payload);
        peek(payload).is_ok() && matches!(refused, Err(Refusal::Rehearsal { .. }))
    });
    harmful.next().expect("some byte of a change can be forged so that it cannot be applied")
}

#[test]
fn a_poisoned_change_is_refused_alone() {
    let mut document = Document::new();
    let mut payloads = vec![skeleton(&mut document)];
    for number in 0..20 {
        payloads.push(write(&mut document, number % 3, |editor| {
            editor.append(&["acts"], json!({ "number": number }))
        }));
    }
    payloads.insert(7, poisoned());
    let opened = open(&payloads);
    let [(7, Refusal::Rehearsal { .. })] = opened.refused.as_slice() else {
        panic!("only the poisoned one is refused: {:?}", opened.refused);
    };
    assert_eq!(opened.document.canonical(), document.canonical());
    assert_eq!(opened.document.heads(), document.heads());
}

#[test]
fn a_reopened_document_is_the_one_that_was_opened() {
    let mut document = Document::new();
    let mut payloads = vec![skeleton(&mut document)];
    for number in 0..20 {
        payloads.push(write(&mut document, number % 3, |editor| {
            editor.append(&["acts"], json!({ "number": number }))
        }));
    }
    let reopen = |payloads: &[Vec<u8>]| {
        let changes = payloads.iter().enumerate().rev();
        Document::reopen(changes.map(|(key, payload)| (key, payload.as_slice())))
    };
    let reopened = reopen(&payloads);
    assert!(reopened.refused.is_empty());
    assert_eq!(reopened.document.canonical(), document.canonical());
    assert_eq!(reopened.document.heads(), document.heads());
    // What cannot be taken is refused as it is by opening.
    payloads.remove(4);
    let (reopened, opened) = (reopen(&payloads), open(&payloads));
    assert!(!opened.refused.is_empty());
    assert_eq!(reopened.refused, opened.refused);
    assert_eq!(reopened.document.canonical(), opened.document.canonical());
}

#[test]
fn what_depends_on_a_refused_change_is_missing_a_dependency() {
    let mut document = Document::new();
    let base = skeleton(&mut document);
    let mut branch = document.clone();
    let mut lost = write(&mut branch, 2, |editor| editor.put(&["a"], 1));
    let after = write(&mut branch, 2, |editor| editor.put(&["a"], 2));
    let last = write(&mut branch, 3, |editor| editor.put(&["a"], 3));
    let other = write(&mut document, 1, |editor| editor.put(&["b"], 1));
    let dependencies = [hash(&lost), hash(&after)];
    let end = lost.len() - 1;
    lost[end] ^= 1;

    let mut opened = open(&[last, after, lost, other, base]);
    opened.refused.sort_by_key(|(key, _)| *key);
    let missing = |dependency| Refusal::Missing { dependency };
    let [(0, third), (1, second), (2, Refusal::Payload(_))] = opened.refused.as_slice() else {
        panic!("the branch is refused: {:?}", opened.refused);
    };
    assert_eq!((second, third), (&missing(dependencies[0]), &missing(dependencies[1])));
    assert_eq!(opened.document.canonical(), document.canonical());
}

#[test]
fn a_change_in_another_name_is_refused() {
    let mut document = Document::new();
    let payload = skeleton(&mut document);
    let named = office(1);
    let check =
        |expected: Actor| Document::open([((), payload.as_slice())], |()| Some(expected)).refused;
    assert!(check(named).is_empty());
    let expected = office(2);
    assert_eq!(check(expected), [((), Refusal::Actor { named, expected })]);
}

#[test]
fn two_changes_with_one_number_are_decided_alike_in_any_order() {
    let mut document = Document::new();
    let base = skeleton(&mut document);
    let mut clone = document.clone();
    let one = write(&mut document, 1, |editor| editor.put(&["a"], 1));
    let two = write(&mut clone, 1, |editor| editor.put(&["a"], 2));
    let there = open(&[two.clone(), base.clone(), one.clone()]);
    let here = open(&[base, one, two]);
    assert_eq!(here.document.canonical(), there.document.canonical());
    for opened in [here, there] {
        assert!(matches!(opened.refused.as_slice(), [(_, Refusal::Forked { seq: 2 })]));
    }
}

#[test]
fn a_change_that_counts_from_elsewhere_is_refused() {
    let mut document = Document::new();
    let first = skeleton(&mut document);
    let payload = write(&mut document, 1, |editor| editor.put(&["due"], 5));
    // Behind one dependency of 32 bytes, the actor and the sequence number.
    let mut body = body_of(&payload).to_vec();
    let counter = 1 + 32 + 1 + 16 + 1;
    body[counter] -= 1;
    let opened = open(&[first, chunk_of(&body)]);
    assert!(matches!(opened.refused.as_slice(), [(1, Refusal::Counter { .. })]));
}

#[test]
fn deep_nesting_by_a_peer_is_cut_and_does_no_harm() {
    let mut document = Automerge::new().with_actor(ActorId::from(office(9).as_bytes()));
    let mut transaction = document.transaction();
    (0..20_000).fold(ROOT, |parent: ObjId, _| {
        transaction.put_object(parent, "d", ObjType::Map).expect("a put into a map works")
    });
    transaction.commit_with(CommitOptions::default());
    let change = document.get_last_local_change().expect("it wrote something");
    let mut document = Document::new();
    document.apply(change.raw_bytes()).expect("deep is not broken");
    let levels = document.canonical().matches("{").count();
    assert_eq!(levels, crate::limits::MAX_DEPTH + 1);
    check_sound(&document);
}

#[test]
fn a_compressed_change_is_refused_among_good_ones() {
    let mut document = Document::new();
    let base = skeleton(&mut document);
    let payload = write(&mut document, 2, |editor| editor.put(&["a"], "x".repeat(900)));
    let mut change = automerge::Change::try_from(payload.as_slice()).expect("readable");
    let opened = open(&[base, change.bytes().into_owned()]);
    let refusal = Refusal::Payload(PayloadError::WrongChunk { kind: 2 });
    assert_eq!(opened.refused, [(1, refusal)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn replicas_converge_whatever_the_order(
        payloads in histories(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 14),
    ) {
        let whole = open(&payloads);
        prop_assert!(whole.refused.is_empty());
        check_sound(&whole.document);

        let mut shuffled = payloads.clone();
        let count = shuffled.len().max(1);
        for (position, index) in order.iter().enumerate().take(shuffled.len()) {
            shuffled.swap(position, index.index(count));
        }
        let other = open(&shuffled);
        prop_assert_eq!(other.document.heads(), whole.document.heads());
        prop_assert_eq!(other.document.canonical(), whole.document.canonical());

        let mut one_by_one = Document::new();
        for payload in &payloads {
            prop_assert_eq!(one_by_one.apply(payload), Ok(()));
        }
        prop_assert_eq!(one_by_one.heads(), whole.document.heads());
        prop_assert_eq!(one_by_one.canonical(), whole.document.canonical());
    }

    #[test]
    fn forged_changes_never_break_a_document(
        payloads in histories().prop_filter("something was written", |p| !p.is_empty()),
        target in any::<prop::sample::Index>(),
        forgery in forgeries(),
    ) {
        hush_automerge();
        let target = target.index(payloads.len());
        let forged = forgery.forge(&payloads[target]);
        let _ = peek(&forged);
        let mut poisoned = payloads.clone();
        poisoned.push(forged);
        check_poisoned(&poisoned, &payloads);
        poisoned.remove(target);
        check_poisoned(&poisoned, &[]);
    }
}

/// Opens a set with a forged payload: the document must be sound, the same in any order, and,
/// unless the forged one was taken, hold what the good ones say.
fn check_poisoned(payloads: &[Vec<u8>], good: &[Vec<u8>]) {
    let opened = open(payloads);
    check_sound(&opened.document);
    let mut backwards = payloads.to_vec();
    backwards.reverse();
    let backwards = open(&backwards);
    assert_eq!(backwards.document.heads(), opened.document.heads());
    assert_eq!(backwards.document.canonical(), opened.document.canonical());
    let forged_refused = opened.refused.iter().all(|(key, _)| *key + 1 == payloads.len());
    if !good.is_empty() && !opened.refused.is_empty() && forged_refused {
        assert_eq!(opened.document.canonical(), open(good).document.canonical());
    }
}

/// One way to forge a payload, with a right length and checksum.
#[derive(Clone, Debug)]
enum Forgery {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Splice(prop::sample::Index, Vec<u8>),
    Unsealed(prop::sample::Index, u8),
}

impl Forgery {
    fn forge(&self, payload: &[u8]) -> Vec<u8> {
        let mut body = body_of(payload).to_vec();
        match self {
            Forgery::Flip(at, bit) => body[at.index(body_of(payload).len())] ^= 1 << bit,
            Forgery::Set(at, byte) => body[at.index(body_of(payload).len())] = *byte,
            Forgery::Cut(at) => body.truncate(at.index(body_of(payload).len())),
            Forgery::Splice(at, bytes) => {
                let at = at.index(body.len());
                body.splice(at..at, bytes.iter().copied());
            }
            Forgery::Unsealed(at, bit) => {
                let mut bytes = payload.to_vec();
                bytes[at.index(payload.len())] ^= 1 << bit;
                return bytes;
            }
        }
        seal(chunk_of(&body))
    }
}

fn forgeries() -> impl Strategy<Value = Forgery> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), 0..8u8).prop_map(|(at, bit)| Forgery::Flip(at, bit)),
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Forgery::Set(at, byte)),
        1 => at().prop_map(Forgery::Cut),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..4))
            .prop_map(|(at, bytes)| Forgery::Splice(at, bytes)),
        1 => (at(), 0..8u8).prop_map(|(at, bit)| Forgery::Unsealed(at, bit)),
    ]
}
