use super::*;

const START: Moment = Moment(1_764_000_000_000);

fn sessions() -> Sessions {
    Sessions::new(SESSION_LIMITS)
}

fn later(minutes: u64) -> Moment {
    after(START, Duration::from_secs(minutes * 60))
}

#[test]
fn a_session_locks_then_ends_without_a_sign_of_life() {
    let mut sessions = sessions();
    let token = sessions.open("cb-an", START, None).expect("there is randomness");
    assert_eq!(token.len(), 64);
    let fresh = sessions.of(&token, later(14)).expect("it lasts");
    assert_eq!((fresh.officer.as_str(), fresh.locked_at), ("cb-an", None));
    assert!(sessions.of(&token, later(15)).expect("it lasts").locked_at.is_some());
    assert!(sessions.of(&token, later(4 * 60)).is_none());
    assert!(sessions.of(&token, later(1)).is_none(), "what is over does not come back");
}

#[test]
fn a_session_in_use_ends_after_twelve_hours() {
    let mut sessions = sessions();
    let token = sessions.open("cb-an", START, None).expect("there is randomness");
    for minute in (0..12 * 60).step_by(10) {
        assert!(sessions.of(&token, later(minute)).expect("it lasts").locked_at.is_none());
        sessions.change(&token, |session| session.used = later(minute));
    }
    assert!(sessions.of(&token, later(12 * 60)).is_none());
}

#[test]
fn a_session_ends_with_the_secondment() {
    let mut sessions = sessions();
    let token = sessions.open("cb-an", START, Some(later(5))).expect("there is randomness");
    assert!(sessions.of(&token, later(4)).is_some());
    assert!(sessions.of(&token, later(5)).is_none());
}

#[test]
fn the_oldest_session_makes_place() {
    let mut sessions = sessions();
    let mut open = |officer: &str, minute| {
        sessions.open(officer, later(minute), None).expect("there is randomness")
    };
    let first = open("cb-an", 0);
    let rest: Vec<Token> = (1..=5).map(|minute| open("cb-an", minute)).collect();
    assert!(sessions.of(&first, later(6)).is_none());
    assert!(rest.iter().all(|token| sessions.of(token, later(6)).is_some()));
    for n in 0..1_100 {
        sessions.open(&format!("cb-{n}"), later(6), None).expect("there is randomness");
    }
    assert_eq!(sessions.len(), SESSION_LIMITS.all);
}

#[test]
fn ending_all_keeps_the_one_that_asks() {
    let mut sessions = sessions();
    let tokens: Vec<Token> =
        (0..3).map(|_| sessions.open("cb-an", START, None).expect("there is randomness")).collect();
    sessions.end_all("cb-an", Some(&tokens[1]));
    assert!(sessions.of(&tokens[0], START).is_none());
    assert!(sessions.of(&tokens[1], START).is_some());
    assert!(!format!("{sessions:?}").contains(&tokens[1]), "only the hash is kept");
}
