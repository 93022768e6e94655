//! The reference catalogue is read whole, and answers what holds on a day.

use super::*;
use crate::day::day;
use crate::procedure::{Channel, Sensitivity};

const REFERENCE: &str = include_str!("../../../config/quang-nam/procedures.toml");

fn reference() -> Edition {
    Edition::parse("procedures.toml", REFERENCE).expect("the reference catalogue is sound")
}

fn on(text: &str) -> Date {
    day(text).expect("the tests name days that exist")
}

#[test]
fn the_whole_reference_catalogue_is_read() {
    let edition = reference();
    assert_eq!((edition.len(), edition.roles().len()), (71, 44));
    assert_eq!((edition.publisher().as_str(), edition.version()), ("QNM-HCC", 1));
    let accept = edition.accept_within().expect("it limits how long nobody may look");
    assert_eq!((accept.limit(), accept.assumed), (Limit::of(8, Unit::Hour), true));
    let day = on("2017-06-05");
    let flows = edition.procedures_at(day).filter(|held| held.procedure.flow.is_some()).count();
    let sensitive = |held: &&ProcedureVersion| held.procedure.sensitive.is_some();
    assert_eq!((flows, edition.procedures_at(day).filter(sensitive).count()), (25, 4));
    let versions = edition.histories().iter().map(|history| history.versions().len());
    assert_eq!(versions.sum::<usize>(), 71 + 36);
    let criminal = edition.procedure_at("2.000488.H47", day).expect("it is offered");
    assert_eq!(criminal.procedure.sensitive, Some(Sensitivity::CriminalRecord));
    let birth = edition.procedure_at("1.001193.H47", day).expect("it is offered");
    assert_eq!(birth.procedure.channels, [Channel::Counter, Channel::Online, Channel::Post]);
    assert_eq!(birth.procedure.components.len(), 5);
    assert!(!birth.procedure.components[2].required);
}

#[test]
fn a_day_decides_which_version_is_in_force() {
    let catalogue = Catalogue::from(reference());
    let version = |code, day| catalogue.procedure_at(code, on(day)).map(|held| held.version);
    assert_eq!(version("1.001193.H47", "2017-06-05"), Some(1));
    assert_eq!(version("1.001193.H47", "2025-06-30"), Some(1));
    assert_eq!(version("1.001193.H47", "2025-07-01"), Some(2));
    assert_eq!(version("9.999999.H47", "2025-07-01"), None);
}

#[test]
fn a_procedure_is_found_by_its_old_and_by_its_new_code() {
    let catalogue = Catalogue::from(reference());
    for code in ["1.000798.H47", "1.013949.H47"] {
        let held = |day| catalogue.procedure_at(code, on(day)).map(|held| &held.procedure.code);
        assert_eq!(held("2025-06-30").map(String::as_str), Some("1.000798.H47"));
        assert_eq!(held("2025-07-01").map(String::as_str), Some("1.013949.H47"));
    }
}

#[test]
fn what_a_dossier_keeps_is_found_for_ever() {
    let first = reference();
    let shorter = REFERENCE.replacen("version = 1", "version = 2", 1);
    let (kept, left_out) = (2, shorter.find("[[procedure]]").expect("the file has procedures"));
    let birth_end = shorter[left_out + 1..].find("[[procedure]]\n").expect("and more than one");
    let shorter = shorter[..left_out + 1 + birth_end].to_owned();
    let second = Edition::parse("shorter.toml", &shorter).expect("it is sound");
    assert_eq!((second.version(), second.len()), (kept, 1));
    let from = on("2026-01-01");
    let catalogue = Catalogue::of([(Some(from), second), (None, first)]);
    assert_eq!(catalogue.latest().map(Edition::version), Some(2));
    let offered = |code, day| catalogue.procedure_at(code, on(day)).is_some();
    assert!(offered("1.000894.H47", "2025-12-31"));
    assert!(!offered("1.000894.H47", "2026-01-01"), "it is offered no more");
    let kept = catalogue.procedure_version("1.000894.H47", 1).expect("a dossier may refer to it");
    assert_eq!(kept.procedure.name, "Thủ tục đăng ký kết hôn");
    assert!(catalogue.procedure_version("1.000894.H47", 3).is_none());
}

#[test]
fn the_reform_hands_roles_to_their_successors() {
    let edition = reference();
    let plays = |id, day| edition.role_at(id, on(day)).map(|role| role.id.as_str());
    assert_eq!(plays("ubnd-huyen", "2025-06-30"), Some("ubnd-huyen"));
    assert_eq!(plays("ubnd-huyen", "2025-07-01"), Some("ubnd-xa"));
    assert_eq!(plays("ubnd-xa", "2025-07-01"), Some("ubnd-xa"));
    assert_eq!(plays("nobody", "2025-07-01"), None);
}

#[test]
fn text_is_found_without_marks_and_capitals() {
    let edition = reference();
    let day = on("2017-06-05");
    let found = |text: &str| edition.procedures_at(day).filter(|held| held.matches(text)).count();
    assert_eq!(found("dang ky KHAI SINH"), found("Đăng ký khai sinh"));
    assert!(found("dang ky khai sinh") >= 2);
    assert_eq!(found("1.001193"), 1);
    assert_eq!(found(""), 71);
    assert_eq!(found("khai sinh khong co"), 0);
}

#[test]
fn letters_typed_in_parts_are_composed() {
    let parts: String = REFERENCE.nfd().collect();
    assert_ne!(parts, REFERENCE);
    let edition = Edition::parse("procedures.toml", &parts).expect("it says the same");
    assert_eq!(edition, reference());
}
