use lienthong_protocol::{Incarnation, NodeId};
use serde_json::json;

use super::{Document, LoadError};
use crate::fixtures::{check_sound, hush_automerge, office, skeleton, write};
use crate::limits::{MAX_DEPTH, MAX_KEY_BYTES, MAX_OPERATIONS, MAX_TEXT_CHARS};
use crate::{Actor, EditError, ROOT, Refusal, Step, peek};

#[test]
fn an_actor_is_bound_to_node_and_incarnation() {
    let node = NodeId::from_bytes([1; 32]);
    let actor = Actor::derive(node, Incarnation(1));
    assert_eq!(actor, Actor::derive(node, Incarnation(1)));
    assert_ne!(actor, Actor::derive(node, Incarnation(2)));
    assert_ne!(actor, Actor::derive(NodeId::from_bytes([2; 32]), Incarnation(1)));
    // Payloads of released versions name their actors by this derivation.
    assert_eq!(actor.to_string(), "2da1d656cd9af08e9ecfc1f38aa651d3");
}

#[test]
fn what_is_put_is_read_back() {
    let mut document = Document::new();
    skeleton(&mut document);
    assert_eq!(document.text(&["applicant", "name"]).as_deref(), Some("Nguyễn Thị Ánh"));
    assert_eq!(document.text(&["note"]).as_deref(), Some("hồ sơ đủ"));
    let at = [Step::Key("acts"), Step::Index(0), Step::Key("at")];
    assert_eq!(document.integer(&at), Some(17));
    assert_eq!(document.get(&["nowhere", "at", "all"]), None);
    assert_eq!(document.get(&["applicant", "name", "beyond"]), None);
    assert_eq!(document.get(ROOT), Some(document.value()));
    check_sound(&document);
}

#[test]
fn the_canonical_export_is_compact_and_sorted() {
    let mut document = Document::new();
    write(&mut document, 1, |editor| {
        editor.put(&["b"], json!({"z": [1, "hai", null, true, {"đ": -5}], "a": {}}))?;
        editor.put(&["a"], "\"quoted\"\n")
    });
    let expected = r#"{"a":"\"quoted\"\n","b":{"a":{},"z":[1,"hai",null,true,{"đ":-5}]}}"#;
    assert_eq!(document.canonical(), expected);
    assert_eq!(Document::new().canonical(), "{}");
}

#[test]
fn an_edit_without_effect_is_an_error() {
    let mut document = Document::new();
    skeleton(&mut document);
    let nothing = document.edit(office(2), |editor| {
        editor.ensure_map(&["applicant"])?;
        editor.ensure_list(&["acts"])?;
        editor.put(&["applicant"], json!({"name": "Nguyễn Thị Ánh", "kind": 1}))?;
        editor.put(&["applicant", "kind"], 1)?;
        editor.put_text(&["note"], "hồ sơ đủ")?;
        editor.delete(&["nowhere"])
    });
    assert_eq!(nothing.err(), Some(EditError::Nothing));
}

#[test]
fn a_draft_that_is_not_taken_leaves_no_trace() {
    let mut document = Document::new();
    skeleton(&mut document);
    let (before, saved) = (document.canonical(), document.save());
    let draft = document.edit(office(2), |editor| editor.put(&["due"], 5)).expect("it is new");
    assert_eq!(draft.preview().integer(&["due"]), Some(5));
    drop(draft);
    assert_eq!((document.canonical(), document.save()), (before, saved));

    // The number of the dropped draft is free again.
    let payload = write(&mut document, 2, |editor| editor.put(&["due"], 6));
    assert_eq!(peek(&payload).expect("an edit is acceptable").seq, 1);
}

#[test]
fn an_edit_that_fails_half_way_leaves_no_trace() {
    let mut document = Document::new();
    skeleton(&mut document);
    let before = document.canonical();
    let failed = document.edit(office(1), |editor| {
        editor.put(&["due"], 5)?;
        editor.put(&["nowhere", "due"], 5)
    });
    assert_eq!(failed.err(), Some(EditError::Missing { path: "/nowhere".into() }));
    assert_eq!(document.canonical(), before);
}

#[test]
fn a_draft_is_taken_after_another_payload_came_first() {
    let mut here = Document::new();
    skeleton(&mut here);
    let mut there = here.clone();
    let theirs = write(&mut there, 2, |editor| editor.append(&["acts"], "transferred"));
    let draft = here.edit(office(1), |editor| editor.append(&["acts"], "finished")).expect("new");
    let ours = draft.payload().to_vec();

    here.apply(&theirs).expect("an edit is acceptable");
    here.take(draft).expect("both acts are kept");
    there.apply(&ours).expect("both acts are kept");
    assert_eq!(here.heads(), there.heads());
    assert_eq!(here.heads().len(), 2);
    assert_eq!(here.canonical(), there.canonical());
    assert_eq!(here.get(&["acts"]).and_then(|acts| acts.as_array().map(Vec::len)), Some(3));
}

#[test]
fn texts_of_two_offices_are_woven_together() {
    let mut here = Document::new();
    write(&mut here, 1, |editor| editor.put_text(&["note"], "one three"));
    let mut there = here.clone();
    let ours = write(&mut here, 1, |editor| editor.put_text(&["note"], "one two three"));
    let theirs = write(&mut there, 2, |editor| editor.put_text(&["note"], "one three four"));
    here.apply(&theirs).expect("an edit is acceptable");
    there.apply(&ours).expect("an edit is acceptable");
    assert_eq!(here.text(&["note"]).as_deref(), Some("one two three four"));
    assert_eq!(here.canonical(), there.canonical());
}

#[test]
fn the_longest_text_can_be_written_and_emptied() {
    let mut document = Document::new();
    let text = "x".repeat(MAX_TEXT_CHARS);
    write(&mut document, 1, |editor| editor.put_text(&["note"], &text));
    assert_eq!(document.text(&["note"]), Some(text));
    write(&mut document, 2, |editor| editor.put_text(&["note"], ""));
    assert_eq!(document.text(&["note"]).as_deref(), Some(""));
}

#[test]
fn a_payload_is_taken_once() {
    let mut document = Document::new();
    let payload = skeleton(&mut document);
    let (heads, saved) = (document.heads(), document.save());
    document.apply(&payload).expect("a second copy is passed over");
    assert_eq!((document.heads(), document.save()), (heads, saved));
    assert!(document.contains(peek(&payload).expect("an edit is acceptable").hash));
}

#[test]
fn a_payload_without_its_dependency_waits() {
    let mut there = Document::new();
    let first = skeleton(&mut there);
    let second = write(&mut there, 1, |editor| editor.put(&["due"], 5));
    let mut here = Document::new();
    let dependency = peek(&first).expect("an edit is acceptable").hash;
    assert_eq!(here.apply(&second), Err(Refusal::Missing { dependency }));
    assert!(here.is_empty());
    here.apply(&first).expect("it depends on nothing");
    here.apply(&second).expect("its dependency is here");
    assert_eq!(here.canonical(), there.canonical());
}

#[test]
fn edits_over_a_limit_are_refused() {
    let document = Document::new();
    let refused = |change: &dyn Fn(&mut crate::Editor<'_>) -> Result<(), EditError>| {
        document.edit(office(1), |editor| change(editor)).err()
    };
    let many = json!(vec![0; MAX_OPERATIONS as usize]);
    assert_eq!(
        refused(&|editor| editor.put(&["a"], many.clone())),
        Some(EditError::TooMany { operations: MAX_OPERATIONS + 1 })
    );
    let long = "k".repeat(MAX_KEY_BYTES + 1);
    assert_eq!(
        refused(&|editor| editor.put(&[&long], 1)),
        Some(EditError::Key { bytes: MAX_KEY_BYTES + 1 })
    );
    assert_eq!(refused(&|editor| editor.put(&[""], 1)), Some(EditError::Key { bytes: 0 }));
    assert_eq!(
        refused(&|editor| editor.put(&["a"], 1.5)),
        Some(EditError::Number { path: "/a".into() })
    );
    let text = "x".repeat(MAX_TEXT_CHARS + 1);
    assert_eq!(
        refused(&|editor| editor.put_text(&["a"], &text)),
        Some(EditError::TextTooLong { chars: MAX_TEXT_CHARS + 1 })
    );
    let deep = (0..MAX_DEPTH).fold(json!(1), |inner, _| json!({ "d": inner }));
    assert!(matches!(
        refused(&|editor| editor.put(&["d"], deep.clone())),
        Some(EditError::TooDeep { .. })
    ));
    let huge = "x".repeat(1 << 20);
    assert!(matches!(
        refused(&|editor| editor.put(&["a"], huge.as_str())),
        Some(EditError::Payload(crate::PayloadError::TooLong { .. }))
    ));
    assert_eq!(refused(&|editor| editor.put(ROOT, 1)), Some(EditError::Root));
}

#[test]
fn the_deepest_edit_is_read_back() {
    let mut document = Document::new();
    let deep = (0..MAX_DEPTH - 1).fold(json!(1), |inner, _| json!({ "d": inner }));
    write(&mut document, 1, |editor| editor.put(&["d"], deep.clone()));
    assert_eq!(document.get(&["d"]), Some(deep));
    check_sound(&document);
}

#[test]
fn a_place_that_holds_something_else_is_not_replaced_by_ensure() {
    let mut document = Document::new();
    skeleton(&mut document);
    let wrong = |path: &str| Some(EditError::WrongKind { path: path.into() });
    let edit = document.edit(office(1), |editor| editor.ensure_map(&["acts"]));
    assert_eq!(edit.err(), wrong("/acts"));
    let edit = document.edit(office(1), |editor| editor.ensure_list(&["note"]));
    assert_eq!(edit.err(), wrong("/note"));
    let edit = document.edit(office(1), |editor| editor.append(&["applicant"], 1));
    assert_eq!(edit.err(), wrong("/applicant"));
    let edit = document.edit(office(1), |editor| editor.put(&["acts", "kind"], 1));
    assert_eq!(edit.err(), wrong("/acts/kind"));
}

#[test]
fn a_damaged_save_is_an_error_and_not_a_panic() {
    hush_automerge();
    let mut document = Document::new();
    skeleton(&mut document);
    let saved = document.save();
    for position in 0..saved.len() {
        let mut damaged = saved.clone();
        damaged[position] ^= 0x10;
        assert_eq!(Document::load(&damaged).err(), Some(LoadError::Damaged));
        assert!(position == 0 || Document::load(&saved[..position]).is_err());
    }
}

#[test]
fn the_debug_form_shows_no_content() {
    let mut document = Document::new();
    skeleton(&mut document);
    assert!(!format!("{document:?}").contains("Nguyễn"));
}
