//! Join codes: for one office, for one node, for a while, and never twice.

use tempfile::TempDir;

use super::*;

const HASH: [u8; 32] = [9; 32];
const EXPIRES: Moment = Moment(1_000_000);
const NOW: Moment = Moment(1_000);

fn office(text: &str) -> OfficeId {
    text.parse().expect("an office id")
}

fn visit(node: u8) -> Visit {
    let addresses = vec!["10.0.0.2:7400".into()];
    let node = NodeId::from_bytes([node; 32]);
    Visit { secret_hash: HASH, office: office("TRADOWN"), node, addresses }
}

fn book() -> (TempDir, Invitations) {
    let folder = TempDir::new().expect("the test machine has a temporary folder");
    let mut book = Invitations::open(folder.path()).expect("an empty book");
    book.issue(office("TRADOWN"), &HASH, EXPIRES, NOW).expect("room");
    (folder, book)
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Failure>, code: &str) {
    assert_eq!(result.expect_err("refused").code, code);
}

#[test]
fn a_code_takes_one_node_from_open_to_used_through_restarts() -> Result<(), Failure> {
    let (folder, mut book) = book();
    assert_eq!(book.check(&visit(1), NOW)?, Standing::Open);
    let knocked = book.knock(&visit(1), NOW)?;
    let mut book = Invitations::open(folder.path())?;
    assert_eq!(book.knock(&visit(1), Moment(2_000))?, knocked, "the same node may knock again");
    assert_refused(book.knock(&visit(2), NOW), "code-used");
    assert_refused(book.admit(&visit(1), NOW), "code-not-approved");
    assert_eq!(book.pending().len(), 1);

    assert_eq!(book.approve(visit(1).node)?, office("TRADOWN"));
    let mut book = Invitations::open(folder.path())?;
    assert!(book.pending().is_empty());
    assert_refused(book.approve(visit(1).node), "node-not-waiting");
    book.admit(&visit(1), EXPIRES)?;

    let mut book = Invitations::open(folder.path())?;
    assert_eq!(book.knock(&visit(1), NOW)?, Standing::Used { node: visit(1).node });
    book.admit(&visit(1), NOW)?;
    assert_refused(book.knock(&visit(2), NOW), "code-used");
    Ok(())
}

#[test]
fn a_node_that_was_refused_stays_out_and_its_code_is_void() -> Result<(), Failure> {
    let (folder, mut book) = book();
    assert_refused(book.refuse(visit(1).node), "node-not-waiting");
    book.knock(&visit(1), NOW)?;
    assert_eq!(book.refuse(visit(1).node)?, office("TRADOWN"));
    let mut book = Invitations::open(folder.path())?;
    assert!(book.pending().is_empty());
    assert_refused(book.knock(&visit(1), NOW), "code-refused");
    assert_refused(book.knock(&visit(2), NOW), "code-used");
    assert_refused(book.approve(visit(1).node), "node-not-waiting");
    assert_refused(book.admit(&visit(1), NOW), "code-refused");
    let issued = book.issued(NOW);
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].standing, Standing::Refused { node: visit(1).node });
    Ok(())
}

#[test]
fn a_code_that_was_withdrawn_lets_nobody_in() -> Result<(), Failure> {
    let (folder, mut book) = book();
    let id = book.issued(NOW)[0].id.clone();
    assert!(HEX.encode(&HASH).starts_with(&id) && id.len() == 16, "{id}");
    assert_refused(book.withdraw("0000000000000000"), "invitation-unknown");
    assert_refused(book.withdraw(""), "invitation-unknown");
    assert_eq!(book.withdraw(&id)?, office("TRADOWN"));
    let mut book = Invitations::open(folder.path())?;
    assert_eq!(book.withdraw(&id)?, office("TRADOWN"), "again changes nothing");
    assert_refused(book.knock(&visit(1), NOW), "code-withdrawn");
    assert_refused(book.admit(&visit(1), NOW), "code-withdrawn");
    assert!(book.pending().is_empty());
    assert_eq!(book.issued(NOW)[0].standing, Standing::Withdrawn);
    Ok(())
}

#[test]
fn a_code_that_a_node_came_with_is_not_withdrawn() -> Result<(), Failure> {
    let (_folder, mut book) = book();
    let id = book.issued(NOW)[0].id.clone();
    book.knock(&visit(1), NOW)?;
    assert_refused(book.withdraw(&id), "invitation-taken");
    assert!(!book.issued(NOW)[0].is_over && book.issued(EXPIRES)[0].is_over);
    book.approve(visit(1).node)?;
    assert!(!book.issued(EXPIRES)[0].is_over, "whoever is approved may come later");
    Ok(())
}

#[test]
fn each_refusal_has_its_own_code() {
    let (_folder, mut book) = book();
    let unknown = Visit { secret_hash: [8; 32], ..visit(1) };
    assert_refused(book.knock(&unknown, NOW), "code-unknown");
    let other = Visit { office: office("TAMDDAN"), ..visit(1) };
    assert_refused(book.knock(&other, NOW), "code-for-other-office");
    assert_refused(book.knock(&visit(1), EXPIRES), "code-expired");
    assert!(book.pending().is_empty(), "a refused knock binds nothing");
}

#[test]
fn a_code_that_expires_while_it_waits_can_still_be_approved() -> Result<(), Failure> {
    let (_folder, mut book) = book();
    book.knock(&visit(1), NOW)?;
    assert_refused(book.knock(&visit(1), EXPIRES), "code-expired");
    book.approve(visit(1).node)?;
    assert!(matches!(book.knock(&visit(1), EXPIRES)?, Standing::Approved { .. }));
    Ok(())
}

#[test]
fn a_visitor_cannot_fill_the_book() -> Result<(), Failure> {
    let (_folder, mut book) = book();
    let mut addresses = vec!["a".repeat(MAX_ADDRESS_BYTES + 1)];
    addresses.extend((0..1000).map(|port| format!("h:{port}")));
    book.knock(&Visit { addresses, ..visit(1) }, NOW)?;
    assert_eq!(book.pending()[0].addresses.len(), MAX_ADDRESSES);
    Ok(())
}

#[test]
fn long_expired_codes_leave_the_book() -> Result<(), Failure> {
    let (_folder, mut book) = book();
    book.issue(office("TAMDDAN"), &[7; 32], EXPIRES, EXPIRES.after(KEPT))?;
    assert_refused(book.check(&visit(1), NOW), "code-unknown");
    Ok(())
}

#[test]
fn a_write_that_fails_grants_nothing() {
    let (folder, mut book) = book();
    folder.close().expect("own folder");
    assert_eq!(book.knock(&visit(1), NOW).expect_err("no folder").code, "disk");
    assert_eq!(book.check(&visit(1), NOW).ok(), Some(Standing::Open));
}

#[test]
fn a_book_that_does_not_read_is_a_failure() {
    let folder = TempDir::new().expect("the test machine has a temporary folder");
    replace(&folder.path().join("invitations.json"), b"{\"a\":").expect("own folder");
    let failure = Invitations::open(folder.path()).expect_err("cut off");
    assert_eq!(failure.code, "invitations-unreadable");
}
