use std::net::IpAddr;
use std::time::{Duration, Instant};

use lienthong_protocol::{CloseCode, FederationId, JoinSecret, Knock, NodeId, Reply};
use tokio::task::JoinHandle;

use crate::enrol::Reception;
use crate::tls::Purpose;
use crate::world::{Node, Registry, Stranger, change, hello, key, soon};
use crate::{
    Answer, CloseCause, DialError, KnockError, LinkEvent, LinkSettings, knock as knock_at,
};

fn knock() -> Knock {
    Knock {
        federation: FederationId::from_bytes([5; 32]),
        office: "QNM-HOIAN".parse().expect("a valid office id"),
        secret: JoinSecret([1; 16]),
        addresses: vec!["192.0.2.1:7700".into()],
        agent: "test".into(),
    }
}

/// Answers one knock.
async fn answer(hub: &mut Node, with: Answer) -> Knock {
    let LinkEvent::Knock { node, knock, answer, .. } = hub.event().await else {
        panic!("expected a knock");
    };
    assert_eq!(node, key(9).id());
    answer.send(with).expect("the new node waits");
    knock
}

/// Knocks at an address where `hub` is said to be.
async fn ask_as(hub: NodeId, address: String) -> Result<Answer, KnockError> {
    let settings = LinkSettings::default();
    soon(knock_at(&key(9), hub, &[address], knock(), settings)).await
}

/// Knocks beside the test.
fn asking(hub: &Node) -> JoinHandle<Result<Answer, KnockError>> {
    tokio::spawn(ask_as(hub.id(), hub.address()))
}

#[tokio::test]
async fn a_new_node_is_welcomed_with_the_registry() {
    let mut hub = Node::new(1);
    let batches = vec![
        vec![change(1, b"office").bytes().clone(), change(2, b"node").bytes().clone()],
        vec![change(3, &crate::world::noise(900_000)).bytes().clone()],
    ];
    let given = Answer { reply: Reply::Welcome { batches: 2 }, batches };
    let new = asking(&hub);
    assert_eq!(answer(&mut hub, given.clone()).await, knock());
    let taken = soon(new).await.expect("the task does not panic").expect("an answer comes");
    assert_eq!(taken, given);
}

#[tokio::test]
async fn a_refusal_says_why() {
    let mut hub = Node::new(1);
    let reply = Reply::Refused {
        code: "code-expired".into(),
        cause: "the code was good until yesterday".into(),
        remedy: "ask the hub for a new code".into(),
    };
    let given = Answer { reply, batches: vec![] };
    let new = asking(&hub);
    answer(&mut hub, given.clone()).await;
    let taken = soon(new).await.expect("the task does not panic").expect("an answer comes");
    assert_eq!(taken, given);
}

#[tokio::test]
async fn another_hub_never_sees_the_secret() {
    let mut other = Node::new(2);
    let error = ask_as(key(1).id(), other.address()).await.expect_err("another node answered");
    assert!(
        matches!(error, KnockError::Dial(DialError::WrongKey { found, .. }) if found == other.id())
    );
    assert_eq!(error.code(), "wrong-key");
    other.endpoint.close().await;
    assert!(other.events.try_recv().is_err(), "the other node heard the knock");
}

#[tokio::test]
async fn a_knock_that_is_too_long_is_not_sent() {
    let hub = Node::new(1);
    let long = Knock { addresses: vec!["x".repeat(512); 8], ..knock() };
    let settings = LinkSettings::default();
    let asked = knock_at(&key(9), hub.id(), &[], long, settings).await;
    let error = asked.expect_err("over the limit");
    assert!(matches!(error, KnockError::TooLong { bytes: 4_097.., limit_bytes: 4096 }), "{error}");
}

#[tokio::test]
async fn a_hub_that_does_not_decide_lets_the_new_node_go() {
    let mut hub = Node::new(1);
    let new = asking(&hub);
    drop(hub.event().await);
    let error = soon(new).await.expect("the task does not panic").expect_err("nobody decided");
    let KnockError::Closed(close) = error else { panic!("expected a close, got {error}") };
    assert_eq!(close.cause, CloseCause::Code(CloseCode::GOING_AWAY));
}

#[tokio::test]
async fn a_knocking_node_gets_no_link() {
    let mut hub = Node::new(1);
    let mallory = Stranger::reach(&hub, 66, Purpose::Join).await;
    let hello = hello().encode().expect("a hello can be encoded");
    let _stream = mallory.write(&[&[1], &hello[..]].concat()).await;
    let close = mallory.closed().await;
    assert_eq!(close.cause, CloseCause::Code(CloseCode::MALFORMED_FRAME));
    assert!(hub.events.try_recv().is_err());
}

#[tokio::test]
async fn only_a_short_knock_is_heard() {
    let mut hub = Node::new(1);
    let long = [&5000_u32.to_le_bytes()[..], &[32]].concat();
    let hello = hello().encode().expect("a hello can be encoded");
    let cases = [(long, CloseCode::FRAME_TOO_LONG), (hello, CloseCode::MALFORMED_FRAME)];
    for (bytes, code) in cases {
        let mallory = Stranger::reach(&hub, 66, Purpose::Join).await;
        let (mut send, _receive) =
            soon(mallory.connection.open_bi()).await.expect("one is granted");
        send.write_all(&bytes).await.expect("the connection is open");
        assert_eq!(mallory.closed().await.cause, CloseCause::Code(code));
    }
    assert!(hub.events.try_recv().is_err());
}

#[tokio::test]
async fn a_node_that_does_not_knock_is_let_go() {
    let settings =
        LinkSettings { enrolment_time_limit: Duration::from_millis(100), ..Default::default() };
    let hub = Node::with(1, Registry::default(), settings);
    let mallory = Stranger::reach(&hub, 66, Purpose::Join).await;
    assert_eq!(mallory.closed().await.cause, CloseCause::Code(CloseCode::SILENT));
}

#[test]
fn a_caller_that_knocks_too_often_waits_and_others_do_not() {
    let (reception, now) = (Reception::default(), Instant::now());
    let [caller, other]: [IpAddr; 2] =
        ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().expect("an address"));
    for _ in 0..5 {
        assert!(reception.place(caller, now).is_some());
    }
    assert!(reception.place(caller, now).is_none());
    assert!(reception.place(other, now).is_some());
    assert!(reception.place(caller, now + Duration::from_secs(1)).is_some());
    assert!(reception.place(caller, now + Duration::from_secs(1)).is_none());
}

#[test]
fn eight_enrolments_are_under_way_at_most() {
    let (reception, now) = (Reception::default(), Instant::now());
    let callers = (0..9).map(|last| IpAddr::from([192, 0, 2, last]));
    let places: Vec<_> = callers.map(|caller| reception.place(caller, now)).collect();
    assert_eq!(places.iter().flatten().count(), 8);
}

#[test]
fn all_addresses_of_one_network_are_one_caller() {
    let (reception, now) = (Reception::default(), Instant::now());
    for host in 0..5 {
        let caller: IpAddr = format!("2001:db8::{host:x}").parse().expect("an address");
        assert!(reception.place(caller, now).is_some());
    }
    assert!(reception.place("2001:db8::ffff".parse().expect("an address"), now).is_none());
}

#[test]
fn more_callers_than_can_be_remembered_are_turned_away() {
    let (reception, now) = (Reception::default(), Instant::now());
    for caller in 0..1024_u32 {
        let caller = IpAddr::from((0x0a00_0000 + caller).to_be_bytes());
        assert!(reception.place(caller, now).is_some());
    }
    let newcomer: IpAddr = "192.0.2.1".parse().expect("an address");
    assert!(reception.place(newcomer, now).is_none());
    assert!(reception.place(newcomer, now + Duration::from_secs(6)).is_some());
}
