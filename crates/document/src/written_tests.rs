use proptest::prelude::*;
use serde_json::json;

use super::Written;
use crate::fixtures::{Deed, deeds, histories, office, skeleton, write};
use crate::{Document, Entry};

fn read(payloads: &[Vec<u8>]) -> Option<Written> {
    Written::of_payloads(payloads.iter().map(|payload| (None, payload.as_slice())), "acts")
}

fn opened(payloads: &[Vec<u8>]) -> Written {
    let opened = Document::open(payloads.iter().map(|payload| ((), payload.as_slice())), |()| None);
    assert!(opened.refused.is_empty());
    opened.document.written("acts")
}

/// A dossier as counters open it.
fn opening(document: &mut Document) -> Vec<u8> {
    write(document, 1, |editor| {
        editor.put(&["identity"], json!({ "code": "a", "deep": [[1, [2, 3]], { "b": null }] }))?;
        editor.put(&["acts"], json!([{ "id": "1", "kind": "received" }, "bare"]))
    })
}

#[test]
fn a_dossier_that_only_grows_is_read_without_its_document() {
    let mut document = Document::new();
    let mut payloads = vec![opening(&mut document)];
    let base = document.clone();
    for number in 0..12 {
        let act = json!({ "id": number, "detail": { "papers": ["a", "b", "c"], "at": -1 } });
        // Every third office has not heard of the others.
        let mut copy = if number % 3 == 0 { base.clone() } else { document.clone() };
        let payload = write(&mut copy, number, |editor| editor.append(&["acts"], act));
        document.apply(&payload).expect("it is sound");
        payloads.push(payload);
    }
    let written = read(&payloads).expect("it only grew");
    assert_eq!(written, document.written("acts"));
    assert_eq!(written.entries.len(), 14);
    payloads.reverse();
    payloads.push(payloads[3].clone());
    assert_eq!(read(&payloads), Some(written), "in any order, and with a copy");
}

#[test]
fn whatever_else_was_done_to_a_dossier_needs_its_document() {
    let acts: [Deed; 4] = [
        Deed::Put(1, json!("value")),
        Deed::Nested(0, 1, json!(2)),
        Deed::Note("mergeable".into()),
        Deed::Append(json!({ "id": "2" })),
    ];
    for (number, deed) in acts.iter().enumerate() {
        let mut document = Document::new();
        let first = opening(&mut document);
        let next = write(&mut document, 2, |editor| deed.write(editor));
        assert_eq!(read(&[first, next]).is_some(), number == 3, "{deed:?}");
    }
    let mut document = Document::new();
    let first = opening(&mut document);
    let change =
        write(&mut document, 2, |editor| editor.put(&["acts"], json!([{ "id": "another list" }])));
    assert_eq!(read(&[first, change]), None, "the list was replaced");
    let mut document = Document::new();
    let first = skeleton(&mut document);
    assert_eq!(read(std::slice::from_ref(&first)), Some(document.written("acts")));
    let edited = write(&mut document, 2, |editor| editor.put_text(&["note"], "hồ sơ thiếu"));
    assert_eq!(read(&[first, edited]), None, "the text has letters of two");
    let openings = [1, 2].map(|number| {
        let mut document = Document::new();
        write(&mut document, number, |editor| editor.put(&["k"], number))
    });
    assert_eq!(read(&openings), None, "two opened it");
    assert_eq!(read(&[]), None);
}

#[test]
fn an_act_that_another_office_added_to_is_not_read_alone() {
    let mut document = Document::new();
    let first = opening(&mut document);
    let meddled = document.edit(office(2), |editor| {
        editor.put(&[crate::Step::from("acts"), 0.into(), "note".into()], "not by its author")
    });
    let meddled = meddled.expect("the edit is sound").payload().to_vec();
    document.apply(&meddled).expect("it is sound");
    let Entry { is_altered, .. } = &document.entries("acts")[0];
    assert!(is_altered);
    assert_eq!(read(&[first, meddled]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_read_alone_is_what_the_document_says(payloads in histories()) {
        if let Some(written) = read(&payloads) {
            prop_assert_eq!(written, opened(&payloads));
        }
    }

    #[test]
    fn random_acts_are_read_alone(
        values in proptest::collection::vec((0..3_u8, any::<bool>(), deeds()), 1..10),
    ) {
        let mut document = Document::new();
        let mut payloads = vec![opening(&mut document)];
        let base = document.clone();
        for (number, is_apart, deed) in values {
            let Deed::Append(value) = deed else { continue };
            let mut copy = if is_apart { base.clone() } else { document.clone() };
            let number = number + 10 * payloads.len() as u8;
            let payload = write(&mut copy, number, |editor| editor.append(&["acts"], value));
            document.apply(&payload).expect("it is sound");
            payloads.push(payload);
        }
        let written = read(&payloads);
        prop_assert_eq!(written, Some(opened(&payloads)));
    }
}
