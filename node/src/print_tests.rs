use std::os::unix::fs::PermissionsExt;

use lienthong_forms::{Facts, FormKind, RegisterFacts, When};
use lienthong_request::Exit;
use serde_json::json;

use super::{Format, print};

const CODE: &str = "000.00.19.H47-260105-0001";

fn facts() -> Facts {
    let mut facts = Facts { code: CODE.to_owned(), ..Facts::default() };
    facts.applicant.name = "Nguyễn Thị Hoa".to_owned();
    facts.times.received = When::parse("2026-01-05T08:00");
    facts
}

#[test]
fn a_form_is_written_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for (format, begins) in [(Format::Html, "<!doctype html>"), (Format::Pdf, "%PDF-")] {
        let file = folder.path().join("form");
        let answer = json!({ "facts": facts() });
        let told = print(&answer, FormKind::Receipt, format, Some(file.clone())).expect("printed");
        assert_eq!((told["form"].as_str(), told["of"].as_str()), (Some("01"), Some(CODE)));
        let bytes = std::fs::read(&file).expect("the form is there");
        assert!(bytes.starts_with(begins.as_bytes()));
        let mode = std::fs::metadata(&file).expect("the form is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn the_register_is_made_of_many_and_named_by_its_office() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("register.html");
    let many = RegisterFacts { dossiers: vec![facts(); 3], ..RegisterFacts::default() };
    let answer = json!({ "facts": many, "office": "HOIAN" });
    let told = print(&answer, FormKind::Register, Format::Html, Some(file.clone()));
    assert_eq!(told.expect("printed")["of"], "HOIAN");
    let page = std::fs::read_to_string(file).expect("the form is there");
    assert_eq!(page.matches("Nguyễn Thị Hoa").count(), 3);
}

#[test]
fn a_folder_is_not_replaced_by_a_form() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let answer = json!({ "facts": facts() });
    let out = Some(folder.path().to_owned());
    let failure = print(&answer, FormKind::Slip, Format::Html, out).expect_err("it is a folder");
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::Usage, "file"));
    assert!(folder.path().is_dir());
}

#[test]
fn a_letter_about_an_act_that_nobody_did_is_not_printed() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("form");
    for kind in [FormKind::Supplement, FormKind::Refusal, FormKind::Apology, FormKind::Stop] {
        let answer = json!({ "facts": facts() });
        let failure = print(&answer, kind, Format::Html, Some(file.clone()));
        let failure = failure.expect_err("nobody did it");
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Refused, "no-such-letter"));
        assert!(!file.exists());
    }
}

#[test]
fn facts_of_another_version_are_no_blank_form() {
    let failure = print(&json!({}), FormKind::Slip, Format::Html, None).expect_err("no facts");
    assert_eq!(failure.exit, Exit::Version);
}
