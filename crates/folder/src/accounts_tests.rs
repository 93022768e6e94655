use std::os::unix::fs::PermissionsExt;

use super::*;

fn account(officer: &str, roles: &[Role]) -> Account {
    let roles = roles.iter().copied().collect();
    let password = "$argon2id$test".into();
    Account { officer: officer.into(), password, roles, is_one_time: false, is_disabled: false }
}

#[test]
fn accounts_are_kept_for_their_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut accounts = Accounts::open(folder.path()).expect("no file is no account");
    accounts.put(account("cb-an", &[Role::Administrator])).expect("it fits");
    let read = Accounts::open(folder.path()).expect("the file reads");
    assert_eq!(read.of("cb-an"), accounts.of("cb-an"));
    let file = folder.path().join(FILE);
    let mode = std::fs::metadata(&file).expect("the file is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!format!("{read:?}").contains("argon2"));
}

#[test]
fn the_last_administrator_stays() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut accounts = Accounts::open(folder.path()).expect("no file is no account");
    accounts.put(account("cb-an", &[Role::Administrator])).expect("it fits");
    let refused = accounts.put(account("cb-an", &[Role::Intake])).expect_err("nobody is left");
    assert_eq!(refused.code, "last-administrator");
    assert!(accounts.has_administrator());
    accounts.put(account("cb-binh", &[Role::Administrator])).expect("it fits");
    accounts.put(account("cb-an", &[Role::Intake])).expect("another is left");
}

#[test]
fn a_file_that_does_not_fit_is_named_and_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join(FILE), "[{\"officer\": \"secret\"}]").expect("it is written");
    let failure = Accounts::open(folder.path()).expect_err("fields are missing");
    assert_eq!(failure.code, "accounts-unreadable");
    assert!(!failure.to_string().contains("secret"));
}
