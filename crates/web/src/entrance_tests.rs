use std::net::Ipv4Addr;

use serde_json::json;

use super::*;

const START: Moment = Moment(1_764_000_000_000);
const HERE: Whose = Whose::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
const QUICK: Strength = Strength { memory_kib: 64, passes: 1 };

fn seconds(count: u64) -> Moment {
    Moment(START.0 + count * 1_000)
}

#[test]
fn a_password_fits_its_own_hash_alone() {
    let hash = QUICK.hash("bốn từ liền nhau").expect("it hashes");
    assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
    assert_ne!(hash, QUICK.hash("bốn từ liền nhau").expect("it hashes"), "the salt is new");
    assert!(QUICK.fits("bốn từ liền nhau", Some(&hash)).expect("it compares"));
    assert!(!QUICK.fits("bốn từ liền nhau ", Some(&hash)).expect("it compares"));
    assert!(!QUICK.fits("bốn từ liền nhau", None).expect("it compares"));
    let broken = QUICK.fits("x", Some("no hash")).expect_err("the file is broken");
    assert_eq!(broken.code, "password-not-checked");
}

#[test]
fn a_short_password_is_refused_with_the_limit() {
    let refused = check_password("ngắn quá").expect_err("it is too short");
    assert_eq!(refused.code, "weak-password");
    assert!(refused.why.contains("10"), "{refused}");
    assert!(check_password(&"x".repeat(257)).is_err());
    assert!(check_password("mười ký tự").is_ok());
}

#[test]
fn a_spoken_code_is_new_each_time_and_long_enough() {
    let codes = [spoken_code(), spoken_code()].map(|code| code.expect("there is randomness"));
    assert_ne!(codes[0], codes[1]);
    assert_eq!(codes[0].len(), 19);
    assert!(check_password(&codes[0]).is_ok());
}

#[test]
fn the_wait_grows_with_wrong_passwords_and_ends() {
    let mut attempts = Attempts::default();
    let whose = [Whose::account("cb-an"), HERE];
    for second in 0..4 {
        attempts.begin(whose, seconds(second)).expect("a person mistypes");
    }
    attempts.begin(whose, seconds(4)).expect("the fifth may be tried");
    assert_eq!(attempts.begin(whose, seconds(5)).expect_err("2 s").code, "login-wait");
    attempts.begin(whose, seconds(6)).expect("2 s are over");
    attempts.begin(whose, seconds(9)).expect_err("4 s are not over");
    attempts.begin(whose, seconds(10)).expect("4 s are over");
    let other = [Whose::account("cb-binh"), HERE];
    attempts.begin(other, seconds(11)).expect("another account does not wait");
    attempts.begin(whose, seconds(10 + 3_600)).expect("an hour later it is forgotten");
}

#[test]
fn one_address_cannot_go_through_accounts() {
    let mut attempts = Attempts::default();
    let tries = (0..40)
        .filter(|n| attempts.begin([Whose::account(&format!("cb-{n}")), HERE], START).is_ok());
    assert_eq!(tries.count(), 21);
}

#[test]
fn what_is_remembered_has_a_limit() {
    let mut attempts = Attempts::default();
    for n in 0..5_000_u32 {
        let address = Whose::Address(IpAddr::V4(Ipv4Addr::from(n)));
        attempts.begin([Whose::account(&n.to_string()), address], START).expect("all are new");
    }
    assert!(attempts.wrong.len() <= MAX_REMEMBERED);
}

#[test]
fn only_the_dates_of_the_staff_list_let_in() {
    let staff = json!({ "officers": [
        { "id": "cb-an", "name": "An", "from": "2025-01-01", "to": "2025-06-30" },
        { "id": "cb-an", "name": "An", "from": "2025-11-01", "to": "2025-11-24" },
        { "id": "cb-binh", "name": "Bình", "from": "2025-01-01", "to": null },
        { "id": "cb-chi", "name": "Chi", "from": "2025-12-01", "to": null },
    ]});
    // 24 November 2025, 23:00 here.
    let now = Moment(1_764_000_000_000);
    let an = Posting::of(&staff, "cb-an", now).expect("in dates").expect("listed");
    assert_eq!(an.until, Some(Moment(1_764_003_600_000)), "midnight here");
    let tomorrow = Moment(now.0 + 86_400_000);
    let over = Posting::of(&staff, "cb-an", tomorrow).expect_err("the dates are over");
    assert_eq!(over.code, "outside-secondment");
    assert_eq!(Posting::of(&staff, "cb-binh", now).expect("in").expect("listed").until, None);
    assert!(Posting::of(&staff, "cb-chi", now).is_err(), "not yet");
    assert_eq!(Posting::of(&staff, "cb-dung", now), Ok(None));
}
