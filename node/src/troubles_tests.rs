use lienthong_protocol::CloseCode;
use lienthong_transport::CloseCause;

use super::*;

fn node(number: u8) -> NodeId {
    NodeId::from_bytes([number; 32])
}

fn skew(office: &str, skew_ms: i64) -> Alarm {
    Alarm::Skew { office: office.parse().expect("a valid office id"), skew_ms }
}

#[test]
fn the_last_end_of_each_link_is_shown() {
    let mut troubles = Troubles::default();
    assert_eq!(troubles.last_close(node(1)), Value::Null);
    let unreachable = DialError::NoAddress;
    troubles.not_reached(node(1), &unreachable, Moment(5));
    let cause = CloseCause::Code(CloseCode::FRAME_TOO_LONG);
    let close = Closed { cause, words: "not shown".into(), by_peer: false };
    troubles.closed(node(1), &close, Moment(7));
    troubles.not_reached(node(2), &unreachable, Moment(9));
    let first = json!({ "code": "frame-too-long", "by_peer": false, "at_ms": 7 });
    assert_eq!(troubles.last_close(node(1)), first);
    assert_eq!(troubles.last_close(node(2))["code"], "no-address");
}

#[test]
fn an_alarm_about_the_same_takes_the_place_of_the_one_before() {
    let mut troubles = Troubles::default();
    assert_eq!(troubles.alarms(), Vec::<Value>::new());
    troubles.alarm(&skew("EAST", 130_000), Moment(1));
    troubles.alarm(&skew("WEST", -200_000), Moment(2));
    troubles.alarm(&skew("EAST", 150_000), Moment(3));
    troubles.alarm(&Alarm::Clone { node: node(1) }, Moment(4));
    let alarms = troubles.alarms();
    let seen: Vec<_> = alarms.iter().map(|one| (&one["code"], &one["at_ms"])).collect();
    let expected = [("clock-skew", 3), ("clock-skew", 2), ("cloned-node", 4)];
    let expected = expected.map(|(code, at)| (Value::from(code), Value::from(at)));
    assert!(seen.into_iter().eq(expected.iter().map(|(code, at)| (code, at))), "{alarms:?}");
    assert_eq!(alarms[0]["skew_ms"], 150_000);
}

#[test]
fn a_code_of_two_dossiers_is_an_alarm_that_names_both() {
    let mut troubles = Troubles::default();
    let code = |serial: usize| Code::parse(&format!("H47.1-261124-{serial:04}")).expect("a code");
    let dossiers = [1, 2].map(|number| DocumentId::from_bytes([number; 16]));
    troubles.given_twice(&code(1), &dossiers.into(), Moment(5));
    let alarms = troubles.alarms();
    assert_eq!(alarms[0]["code"], "code-given-twice");
    assert_eq!(alarms[0]["dossier"], "H47.1-261124-0001");
    assert_eq!(alarms[0]["documents"], json!(dossiers.map(|id| id.to_string())));
    for serial in 2..=2 * MAX_TWICE {
        troubles.given_twice(&code(serial), &dossiers.into(), Moment(6));
    }
    assert_eq!(troubles.alarms().len(), MAX_TWICE);
}
