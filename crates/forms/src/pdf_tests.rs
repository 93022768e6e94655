use lopdf::Document;

use super::pdf;
use crate::fixture_tests::{bare, every_form, facts, joined, long, without_blanks};
use crate::{Facts, FormKind, compose, pages};

fn loaded(bytes: &[u8]) -> Document {
    Document::load_mem(bytes).expect("the PDF is one")
}

/// Asserts that what can be copied from each page is what was placed on it.
fn assert_copyable(facts: &Facts) {
    for form in every_form(facts) {
        let placed = pages(&form);
        let document = loaded(&pdf(&form).expect("the form renders"));
        assert_eq!(document.get_pages().len(), placed.len(), "{:?}", form.kind);
        for (number, page) in (1..).zip(&placed) {
            let copied = document.extract_text(&[number]).expect("the page has text");
            let (copied, expected) = (without_blanks(&copied), joined(&page.marks));
            assert_eq!(copied, expected, "{:?} page {number}", form.kind);
        }
    }
}

#[test]
fn text_copied_from_the_pdf_is_the_text_that_was_put_in() {
    assert_copyable(&facts());
}

#[test]
fn a_bare_dossier_makes_every_form() {
    assert_copyable(&bare());
}

#[test]
fn a_dossier_with_long_texts_makes_every_form() {
    for form in every_form(&long()) {
        let document = loaded(&pdf(&form).expect("the form renders"));
        assert_eq!(document.get_pages().len(), pages(&form).len(), "{:?}", form.kind);
    }
}

#[test]
fn words_keep_the_blanks_between_them() {
    let bytes = pdf(&compose(FormKind::Receipt, &facts())).expect("the form renders");
    let copied = loaded(&bytes).extract_text(&[1]).expect("the page has text");
    for words in ["Nguyễn Thị Hoa", "GIẤY TIẾP NHẬN HỒ SƠ", "08 giờ 00 phút, ngày 05 tháng 01"]
    {
        assert!(copied.contains(words), "{words} in {copied}");
    }
}

#[test]
fn a_letter_that_no_face_has_is_on_the_page_and_copied_as_it_was_typed() {
    let mut facts = facts();
    facts.applicant.name = "Nguyễn 阮 Hoa".into();
    let bytes = pdf(&compose(FormKind::Receipt, &facts)).expect("the form renders");
    let copied = loaded(&bytes).extract_text(&[1]).expect("the page has text");
    assert!(copied.contains("Nguyễn 阮 Hoa"), "{copied}");
}

#[test]
fn equal_forms_are_equal_files_that_tell_neither_name_nor_time_outside_the_text() {
    let form = compose(FormKind::Receipt, &facts());
    let bytes = pdf(&form).expect("the form renders");
    assert_eq!(bytes, pdf(&form).expect("the form renders again"));
    let document = loaded(&bytes);
    let information = document.trailer.get(b"Info").and_then(|info| info.as_reference());
    let information = information.and_then(|id| document.get_dictionary(id));
    let information = format!("{:?}", information.expect("the PDF says what it is"));
    for telling in ["Hoa", "CreationDate", "ModDate", "260105"] {
        assert!(!information.contains(telling), "{telling} in {information}");
    }
}
