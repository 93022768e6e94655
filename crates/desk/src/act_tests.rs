use lienthong_web::Words;

use super::*;
use crate::WORDS;

#[test]
fn every_kind_of_act_has_words_for_itself_and_its_fields() {
    let words = Words::parse(&[WORDS]).expect("the words are good");
    for kind in ActKind::ALL {
        assert!(words.has(&format!("act.{}", kind.word())), "{}", kind.word());
        for field in fields(kind) {
            assert!(words.has(field.word), "{}", field.word);
            let Shape::Choice(choices) = field.shape else { continue };
            for choice in choices {
                assert!(words.has(&format!("choice.{choice}")), "{choice}");
            }
        }
    }
}

#[test]
fn a_filled_in_form_of_every_kind_is_an_act() {
    for kind in ActKind::ALL {
        let mut act = json!({ "id": "", "kind": kind, "office": "-", "officer": "cb-an" });
        for field in fields(kind) {
            let value = match field.shape {
                Shape::Number => 3.into(),
                Shape::Tick => true.into(),
                Shape::Choice(words) => words[0].into(),
                Shape::Day => "2026-01-07".into(),
                Shape::Line | Shape::Words | Shape::Office | Shape::Regards => "X-1".into(),
            };
            put(&mut act, field.name, value);
        }
        let read: Result<NewAct, _> = serde_json::from_value(act);
        assert!(read.is_ok(), "{}: {read:?}", kind.word());
    }
}

#[test]
fn a_refusal_stands_at_the_field_that_the_node_names() {
    let words = Words::parse(&[Words::FRAME, WORDS]).expect("the words are good");
    let tongue = Tongue::new(&words, lienthong_web::Language::Vietnamese);
    let at = |failure: Failure| {
        let mut errors = FieldErrors::default();
        let added = add_at_field(&mut errors, failure, tongue, |name| name == "reason");
        added.map(|()| errors.all().to_vec())
    };
    let named = Failure::refused("missing", "chưa ghi", "reason: thiếu / missing", "nhập");
    let expected = vec![("reason".to_owned(), "Chưa ghi: thiếu. Nhập.".to_owned())];
    assert_eq!(at(named), Ok(expected));
    let rule = Failure::refused("act-not-allowed", "chưa ghi", "đang xử lý: xong", "chờ");
    assert_eq!(at(rule).expect("a person can mend it")[0].0, "do");
    assert!(at(Failure::store("disk-full", "chưa ghi", "đĩa đầy", "dọn")).is_err());
}
