//! What the tests of this crate share: offices that edit, and payloads that are forged.

use std::panic;
use std::sync::Once;

use automerge::Change;
use lienthong_protocol::{Incarnation, NodeId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::payload::guard;
use crate::{Actor, ChangeHash, Document, EditError, Editor, ROOT};

/// The actor of the office with this number.
pub(crate) fn office(number: u8) -> Actor {
    Actor::derive(NodeId::from_bytes([number; 32]), Incarnation(7))
}

/// Edits the document and takes the draft; gives the payload.
pub(crate) fn write(
    document: &mut Document,
    number: u8,
    change: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
) -> Vec<u8> {
    let draft = document.edit(office(number), change).expect("the edit changes something");
    let payload = draft.payload().to_vec();
    document.take(draft).expect("a draft was rehearsed on the same document");
    payload
}

/// A dossier with its first act, as one payload of office 1.
pub(crate) fn skeleton(document: &mut Document) -> Vec<u8> {
    write(document, 1, |editor| {
        editor.put(&["applicant"], json!({"name": "Nguyễn Thị Ánh", "kind": 1}))?;
        editor
            .put(&["acts"], json!([{"kind": "received", "office": "QNM-TAMKY-ANMY", "at": 17}]))?;
        editor.put_text(&["note"], "hồ sơ đủ")
    })
}

/// One random edit.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Put(u8, Value),
    Append(Value),
    Delete(u8),
    Note(String),
    Nested(u8, u8, Value),
}

impl Deed {
    pub(crate) fn write(&self, editor: &mut Editor<'_>) -> Result<(), EditError> {
        match self {
            Deed::Put(key, value) => editor.put(&[key_of(*key).as_str()], value.clone()),
            Deed::Delete(key) => editor.delete(&[key_of(*key).as_str()]),
            Deed::Note(text) => editor.put_text(&["note"], text),
            Deed::Append(value) => {
                editor.ensure_list(&["acts"])?;
                editor.append(&["acts"], value.clone())
            }
            Deed::Nested(outer, inner, value) => {
                let (outer, inner) = (format!("m{outer}"), key_of(*inner));
                editor.ensure_map(&[outer.as_str()])?;
                editor.put(&[outer.as_str(), inner.as_str()], value.clone())
            }
        }
    }
}

pub(crate) fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0..4u8, values()).prop_map(|(key, value)| Deed::Put(key, value)),
        values().prop_map(Deed::Append),
        (0..4u8).prop_map(Deed::Delete),
        "[a-zđ ]{0,12}".prop_map(Deed::Note),
        (0..2u8, 0..3u8, values())
            .prop_map(|(outer, inner, value)| { Deed::Nested(outer, inner, value) }),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zđ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn key_of(number: u8) -> String {
    format!("k{number}")
}

/// The payloads of three offices that each edit a replica of their own and now and then take what
/// one of the others has.
pub(crate) fn histories() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec((0..3u8, 0..4u8, deeds()), 1..14).prop_map(|steps| {
        let mut replicas = vec![Document::new(); 3];
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        for (number, meets, deed) in steps {
            if meets < 3 && meets != number {
                let known = payloads.iter().map(|payload| ((), payload.as_slice()));
                let shared = Document::open(known, |()| None).document;
                replicas[usize::from(number)] = shared;
            }
            let replica = &mut replicas[usize::from(number)];
            match replica.edit(office(number), |editor| deed.write(editor)) {
                Ok(draft) => {
                    payloads.push(draft.payload().to_vec());
                    replica.take(draft).expect("a draft was rehearsed on the same document");
                }
                Err(error) => assert_eq!(error, EditError::Nothing),
            }
        }
        payloads
    })
}

/// Builds a change chunk around a body, with the right length and the right checksum as far as
/// Automerge can tell.
pub(crate) fn chunk_of(body: &[u8]) -> Vec<u8> {
    let mut chunk = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
    chunk.extend(unsigned(body.len() as u64));
    chunk.extend(body);
    seal(chunk)
}

/// The bytes behind the header of a change chunk.
pub(crate) fn body_of(payload: &[u8]) -> &[u8] {
    let length = payload[9..].iter().position(|byte| byte & 0x80 == 0).expect("a length ends") + 1;
    &payload[9 + length..]
}

/// Corrects the checksum of a chunk. Automerge tells the hash of every change that it can read,
/// whatever the checksum says; one that it cannot read is refused in any case.
pub(crate) fn seal(mut chunk: Vec<u8>) -> Vec<u8> {
    let hash = guard(|| Change::try_from(chunk.as_slice()).ok().map(|change| change.hash().0));
    if let Some(hash) = hash.flatten() {
        chunk[4..8].copy_from_slice(&hash[..4]);
    }
    chunk
}

/// Unsigned LEB128.
pub(crate) fn unsigned(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The body of a change by office 1 with these columns and nothing else.
pub(crate) fn body_with(columns: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut body = vec![0, 16];
    body.extend(office(1).as_bytes());
    body.extend([1, 1, 0, 0, 0]);
    body.extend(unsigned(columns.len() as u64));
    for (id, column) in columns {
        body.extend(unsigned(*id));
        body.extend(unsigned(column.len() as u64));
    }
    body.extend(columns.iter().flat_map(|(_, column)| column));
    body
}

/// Keeps the panics that these tests provoke in Automerge from being reported with a backtrace
/// each, which costs more than the tests. Those of our own code are reported as ever.
pub(crate) fn hush_automerge() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let ours =
                panic.location().is_some_and(|place| place.file().contains("crates/document/"));
            if ours {
                report(panic);
            }
        }));
    });
}

/// Checks what must hold of any document at any time.
pub(crate) fn check_sound(document: &Document) {
    let loaded = Document::load(&document.save()).expect("a document loads what it saved");
    assert_eq!(loaded.heads(), document.heads());
    assert_eq!(loaded.canonical(), document.canonical());
    let taken: Vec<ChangeHash> = document.hashes().collect();
    assert_eq!(loaded.hashes().collect::<Vec<_>>(), taken);
    assert_eq!(document.get(ROOT), Some(document.value()));
}
