//! Failures as people and scripts see them.

use super::*;

#[test]
fn a_failure_is_one_line() {
    let failure = Failure::refused("code-used", "not admitted", "used\n by another", "ask again");
    assert_eq!(failure.to_string(), "not admitted: used by another; ask again");
    assert_eq!(failure.exit.number(), 12);
}

#[test]
fn exit_codes_are_the_promised_numbers() {
    let numbers: Vec<u8> = Exit::ALL.into_iter().map(Exit::number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15]);
}

#[test]
fn a_failure_survives_json() -> Result<(), serde_json::Error> {
    let failure = Failure::store("disk-full", "not saved", "no space", "free some");
    let text = serde_json::to_string(&failure)?;
    assert!(text.contains("\"exit\":15"), "{text}");
    assert_eq!(serde_json::from_str::<Failure>(&text)?, failure);
    assert!(serde_json::from_str::<Exit>("9").is_err());
    Ok(())
}
