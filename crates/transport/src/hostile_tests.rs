use std::time::Duration;

use lienthong_protocol::{CloseCode, JoinSecret, Knock};

use crate::lane::Lane;
use crate::link::lock;
use crate::tls::Purpose;
use crate::world::{Node, Registry, Stranger, batch, hello, key, linked, noise, ping};
use crate::{CloseCause, Closed, LinkSettings};

/// What a peer writes first on a lane so that it is a proper lane.
fn lane(lane: Lane) -> Vec<u8> {
    match lane {
        Lane::Control => {
            let hello = hello().encode().expect("a hello can be encoded");
            [&[lane.byte()], &hello[..]].concat()
        }
        Lane::Changes => vec![lane.byte()],
    }
}

/// A stranger greets and then writes `bytes` on a lane: the link ends with `code` at both ends,
/// and a link with somebody else goes on.
async fn check(bytes: &[u8], on: Lane, code: CloseCode) {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    let mallory = Stranger::reach(&bob, 66, Purpose::Link).await;
    let _sender = bob.reached().await;
    let mut streams = Vec::new();
    if on == Lane::Changes {
        streams.push(mallory.write(&lane(Lane::Control)).await);
    }
    streams.push(mallory.write(&[&lane(on)[..], bytes].concat()).await);
    let here = bob.down().await;
    assert_eq!(here.cause, CloseCause::Code(code), "{here}");
    let there = mallory.closed().await;
    assert_eq!(there, Closed { by_peer: true, ..here });
    to_bob.send(ping(1)).expect("the other link is not disturbed");
    assert_eq!(bob.frame().await, ping(1));
}

#[tokio::test]
async fn garbage_closes_its_link_alone() {
    check(
        &[9, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 0],
        Lane::Control,
        CloseCode::MALFORMED_FRAME,
    )
    .await;
}

#[tokio::test]
async fn a_garbled_batch_closes_its_link_alone() {
    let mut garbled = batch(1, &[]).encode().expect("an empty batch can be encoded");
    *garbled.last_mut().expect("it has bytes") ^= 0xff;
    check(&garbled, Lane::Changes, CloseCode::MALFORMED_FRAME).await;
}

#[tokio::test]
async fn an_empty_frame_is_malformed() {
    check(&[0, 0, 0, 0, 0], Lane::Control, CloseCode::MALFORMED_FRAME).await;
}

#[tokio::test]
async fn a_frame_that_claims_three_mebibytes_is_not_waited_for() {
    let head = [&(3_u32 << 20).to_le_bytes()[..], &[1]].concat();
    check(&head, Lane::Control, CloseCode::FRAME_TOO_LONG).await;
    check(&head, Lane::Changes, CloseCode::FRAME_TOO_LONG).await;
}

#[tokio::test]
async fn frames_on_the_wrong_lane_are_malformed() {
    let batch = batch(1, &[]).encode().expect("an empty batch can be encoded");
    check(&batch, Lane::Control, CloseCode::MALFORMED_FRAME).await;
    let ping = ping(1).encode().expect("a ping can be encoded");
    check(&ping, Lane::Changes, CloseCode::MALFORMED_FRAME).await;
}

#[tokio::test]
async fn a_knock_on_a_link_is_malformed() {
    let knock = lienthong_protocol::Frame::Knock(Knock {
        federation: lienthong_protocol::FederationId::from_bytes([5; 32]),
        office: "QNM".parse().expect("a valid office id"),
        secret: JoinSecret([1; 16]),
        addresses: vec![],
        agent: "test".into(),
    });
    let knock = knock.encode().expect("a knock can be encoded");
    check(&knock, Lane::Control, CloseCode::MALFORMED_FRAME).await;
}

#[tokio::test]
async fn a_flood_closes_its_link_alone() {
    let ping = ping(1).encode().expect("a ping can be encoded");
    // More than the burst and what is allowed each second, in far less than a second.
    check(&ping.repeat(60_000), Lane::Control, CloseCode::FLOODED).await;
}

#[tokio::test]
async fn a_second_control_lane_is_malformed() {
    let (mut bob, seed) = (Node::new(2), 66);
    let mallory = Stranger::reach(&bob, seed, Purpose::Link).await;
    let _sender = bob.reached().await;
    let _first = mallory.write(&lane(Lane::Control)).await;
    bob.up().await;
    let _second = mallory.write(&lane(Lane::Control)).await;
    assert_eq!(bob.down().await.cause, CloseCause::Code(CloseCode::MALFORMED_FRAME));
}

#[tokio::test]
async fn unknown_frame_kinds_and_lanes_are_passed_over() {
    let mut bob = Node::new(2);
    let stranger = Stranger::reach(&bob, 66, Purpose::Link).await;
    let sender = bob.reached().await;
    let later = stranger.write(&[3, 1, 2, 3]).await.expect("the link is open");
    assert!(later.stopped().await.is_ok_and(|code| code.is_some()), "a later lane is not stopped");
    let unknown = [&[5, 0, 0, 0, 200][..], &[1, 2, 3, 4]].concat();
    let ping = ping(1).encode().expect("a ping can be encoded");
    let bytes = [&[Lane::Control.byte()][..], &unknown, &ping, &unknown, &ping].concat();
    let _stream = stranger.write(&bytes).await;
    bob.up().await;
    for _ in 0..2 {
        assert_eq!(bob.frame().await, crate::world::ping(1));
    }
    assert_eq!(sender.traffic().unknown, 3);
}

#[tokio::test]
async fn an_unknown_node_is_refused_before_anything_of_it_is_read() {
    let registry = Registry::default();
    lock(&registry.0).insert(key(66).id());
    let mut bob = Node::with(2, registry, LinkSettings::default());
    let mallory = Stranger::reach(&bob, 66, Purpose::Link).await;
    let _stream = mallory.write(&lane(Lane::Control)).await;
    let close = mallory.closed().await;
    assert_eq!(close.cause, CloseCause::Code(CloseCode::UNKNOWN_NODE));
    assert!(close.by_peer);
    // The dialling end of a real node hears the same.
    let mut eve = Node::new(66);
    eve.endpoint.dial(bob.id(), vec![bob.address()]);
    let _sender = eve.reached().await;
    let close = eve.down().await;
    assert_eq!(close.cause, CloseCause::Code(CloseCode::UNKNOWN_NODE));
    assert!(bob.events.try_recv().is_err(), "the unknown node caused an event");
}

#[tokio::test]
async fn a_silent_peer_is_closed() {
    let settings =
        LinkSettings { first_frame_time_limit: Duration::from_millis(100), ..Default::default() };
    let mut bob = Node::with(2, Registry::default(), settings);
    let mallory = Stranger::reach(&bob, 66, Purpose::Link).await;
    let _sender = bob.reached().await;
    // A frame that never becomes whole is no frame.
    let _stream = mallory.write(&[Lane::Control.byte(), 9, 0, 0, 0, 1, 1]).await;
    assert_eq!(bob.down().await.cause, CloseCause::Code(CloseCode::SILENT));
    assert_eq!(mallory.closed().await.cause, CloseCause::Code(CloseCode::SILENT));
}

#[tokio::test]
async fn a_link_has_no_bidirectional_streams_and_few_others() {
    let mut bob = Node::new(2);
    let mallory = Stranger::reach(&bob, 66, Purpose::Link).await;
    let _sender = bob.reached().await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(mallory.connection.open_uni().await.expect("8 are granted"));
    }
    let wait = Duration::from_millis(100);
    assert!(tokio::time::timeout(wait, mallory.connection.open_uni()).await.is_err());
    assert!(tokio::time::timeout(wait, mallory.connection.open_bi()).await.is_err());
}

#[tokio::test]
async fn more_handshakes_than_allowed_are_turned_away_and_no_link_suffers() {
    let settings =
        LinkSettings { max_handshakes: 0, validate_from_handshakes: 0, ..Default::default() };
    let mut full = Node::with(2, Registry::default(), settings);
    let mut ada = Node::new(1);
    ada.endpoint.dial(full.id(), vec![full.address()]);
    let event = ada.event().await;
    assert!(matches!(event, crate::LinkEvent::DialFailed { .. }), "{event:?}");
    assert!(full.events.try_recv().is_err());
    // Asking for a proof of the address costs a round trip and nothing else.
    let settings = LinkSettings { validate_from_handshakes: 0, ..Default::default() };
    let mut careful = Node::with(3, Registry::default(), settings);
    let _senders = linked(&mut ada, &mut careful).await;
}

#[tokio::test]
async fn noise_at_the_port_disturbs_no_link() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    let socket = std::net::UdpSocket::bind(crate::world::loopback()).expect("loopback");
    for length in 0..1200 {
        socket.send_to(&noise(length), bob.endpoint.local_address()).expect("UDP can be sent");
    }
    to_bob.send(ping(1)).expect("the queue is empty");
    assert_eq!(bob.frame().await, ping(1));
}
