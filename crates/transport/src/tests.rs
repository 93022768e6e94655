use std::time::Duration;

use lienthong_protocol::limits::MAX_CHANGE_BYTES;
use lienthong_protocol::{Change, CloseCode, Frame};

use crate::world::{
    Node, Registry, batch, change, hello, key, linked, loopback, noise, ping, soon,
};
use crate::{Arrived, BindError, CloseCause, DialError, Full, LinkEvent, LinkSettings};

#[tokio::test]
async fn frames_travel_both_ways_in_order() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, to_ada] = linked(&mut ada, &mut bob).await;
    for number in 0..100 {
        to_bob.send(ping(number)).expect("100 frames fit");
        to_ada.send(ping(1000 + number)).expect("100 frames fit");
    }
    for number in 0..100 {
        assert_eq!(bob.frame().await, ping(number));
        assert_eq!(ada.frame().await, ping(1000 + number));
    }
    assert_eq!(to_bob.traffic().frames_sent, 101);
    assert_eq!(to_bob.traffic().frames_received, 101);
}

#[tokio::test]
async fn both_ends_know_whom_they_reached() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    ada.endpoint.dial(bob.id(), vec![bob.address()]);
    let event = ada.event().await;
    assert!(matches!(event, LinkEvent::Reached { node, dialed: true, .. } if node == bob.id()));
    let event = bob.event().await;
    assert!(matches!(event, LinkEvent::Reached { node, dialed: false, .. } if node == ada.id()));
}

#[tokio::test]
async fn a_node_with_another_key_is_refused_and_hears_nothing() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    ada.endpoint.dial(key(3).id(), vec![bob.address()]);
    let LinkEvent::DialFailed { node, cause } = ada.event().await else {
        panic!("a wrong key was accepted");
    };
    let (address, expected, found) = (bob.address(), key(3).id(), bob.id());
    assert_eq!(node, expected);
    assert_eq!(cause, DialError::WrongKey { address, expected, found });
    bob.endpoint.close().await;
    assert!(bob.events.try_recv().is_err(), "the other node had an event");
}

#[tokio::test]
async fn a_peer_that_our_own_registry_lost_is_not_linked() {
    let bob = Node::new(2);
    let registry = Registry::default();
    crate::link::lock(&registry.0).insert(bob.id());
    let mut ada = Node::with(1, registry, LinkSettings::default());
    ada.endpoint.dial(bob.id(), vec![bob.address()]);
    let event = ada.event().await;
    let LinkEvent::DialFailed { cause: DialError::Refused { code, .. }, .. } = event else {
        panic!("expected a refusal, got {event:?}");
    };
    assert_eq!(code, CloseCode::UNKNOWN_NODE);
}

#[tokio::test]
async fn the_second_address_is_tried_when_the_first_is_dead() {
    let settings =
        LinkSettings { dial_time_limit: Duration::from_millis(300), ..Default::default() };
    let mut ada = Node::with(1, Registry::default(), settings);
    let bob = Node::new(2);
    let dead = std::net::UdpSocket::bind(loopback()).expect("loopback can be bound");
    let dead = dead.local_addr().expect("it is bound").to_string();
    ada.endpoint.dial(bob.id(), vec!["no port".into(), dead.clone(), bob.address()]);
    ada.reached().await;
    ada.endpoint.dial(bob.id(), vec![dead.clone()]);
    let event = ada.event().await;
    let cause = DialError::Unreachable { address: dead, cause: "no answer in 0.3 s".into() };
    assert!(matches!(event, LinkEvent::DialFailed { cause: why, .. } if why == cause));
    ada.endpoint.dial(bob.id(), vec![]);
    let event = ada.event().await;
    assert!(matches!(event, LinkEvent::DialFailed { cause: DialError::NoAddress, .. }));
}

#[tokio::test]
async fn a_forged_change_is_refused_and_its_neighbours_arrive() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    let (first, third) = (change(1, b"first"), change(3, b"third"));
    let mut forged = change(2, b"second").bytes().to_vec();
    *forged.last_mut().expect("a change has bytes") ^= 1;
    let forged = Change::trusted(forged.into()).expect("only its signature is wrong");
    to_bob.send(batch(7, &[first.clone(), forged, third.clone()])).expect("one batch fits");
    let Arrived::Changes { number, changes, refused } = bob.arrived().await else {
        panic!("expected changes");
    };
    assert_eq!(number, 7);
    assert_eq!(changes.iter().map(Change::id).collect::<Vec<_>>(), [first.id(), third.id()]);
    assert!(refused[0].to_string().contains("signature"), "{refused:?}");
    assert_eq!(refused.len(), 1);
}

#[tokio::test]
async fn changes_of_every_size_pass() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    let head = change(1, b"").bytes().len();
    let sizes = [0, 64 << 10, 256 << 10, 512 << 10, MAX_CHANGE_BYTES - head];
    for (number, size) in (1..).zip(sizes) {
        let sent = change(1, &noise(size));
        to_bob.send(batch(number, std::slice::from_ref(&sent))).expect("five batches fit");
    }
    for (expected, size) in (1..).zip(sizes) {
        let Arrived::Changes { number, changes, refused } = bob.arrived().await else {
            panic!("expected changes");
        };
        assert!(number == expected && refused.is_empty());
        assert_eq!(changes[0].payload(), noise(size));
    }
}

#[tokio::test]
async fn control_frames_overtake_a_full_changes_lane() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    let large = change(1, &noise(MAX_CHANGE_BYTES / 2));
    for number in 1..=32 {
        to_bob.send(batch(number, std::slice::from_ref(&large))).expect("32 batches fit");
    }
    assert!(matches!(bob.arrived().await, Arrived::Changes { number: 1, .. }));
    to_bob.send(ping(5)).expect("the control queue is empty");
    let mut batches_before_the_ping = 1;
    while let Arrived::Changes { .. } = bob.arrived().await {
        batches_before_the_ping += 1;
    }
    // 2 MiB may be on the way, and a few batches are decoded or wait for the test already.
    assert!(batches_before_the_ping < 20, "the ping came after {batches_before_the_ping}");
}

#[tokio::test]
async fn a_full_queue_of_batches_refuses_and_the_link_goes_on() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    for number in 1..=32 {
        to_bob.send(batch(number, &[])).expect("nothing else runs while this test does not wait");
    }
    assert_eq!(to_bob.send(batch(33, &[])), Err(Full::Changes));
    to_bob.send(ping(1)).expect("the control lane has its own queue");
    let mut numbers = Vec::new();
    while numbers.len() < 32 {
        if let Arrived::Changes { number, .. } = bob.arrived().await {
            numbers.push(number);
        }
    }
    assert!(numbers.into_iter().eq(1..=32));
}

#[tokio::test]
async fn a_full_queue_of_control_frames_closes_the_link() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    for number in 0..256 {
        to_bob.send(ping(number)).expect("nothing else runs while this test does not wait");
    }
    assert_eq!(to_bob.send(ping(256)), Err(Full::Control));
    let [here, there] = [ada.down().await, bob.down().await];
    assert_eq!(here.cause, CloseCause::Code(CloseCode::FLOODED));
    assert_eq!(there.cause, CloseCause::Code(CloseCode::FLOODED));
    assert!(!here.by_peer && there.by_peer);
    assert_eq!(to_bob.send(ping(257)), Err(Full::Gone));
}

#[tokio::test]
async fn a_close_brings_its_code_and_words_to_the_other_end() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    to_bob.close(CloseCode::WRONG_FEDERATION, "another federation");
    assert!(!ada.down().await.by_peer);
    let close = bob.down().await;
    assert_eq!(close.cause, CloseCause::Code(CloseCode::WRONG_FEDERATION));
    assert!(close.by_peer && close.words == "another federation");
}

#[tokio::test]
async fn a_link_that_nobody_can_send_on_closes() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    drop(to_bob);
    assert_eq!(bob.down().await.cause, CloseCause::Code(CloseCode::GOING_AWAY));
    assert!(!ada.down().await.by_peer);
}

#[tokio::test]
async fn a_closed_endpoint_can_be_bound_again_at_once() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let _senders = linked(&mut ada, &mut bob).await;
    let listen = bob.endpoint.local_address();
    let taken = crate::Endpoint::bind(
        listen,
        &key(2),
        std::sync::Arc::new(Registry::default()),
        LinkSettings::default(),
        tokio::sync::mpsc::channel(1).0,
    );
    assert!(matches!(taken, Err(BindError::InUse { address }) if address == listen));
    // A dial that nobody answers holds quinn's socket for seconds after a close.
    bob.endpoint.dial(key(9).id(), vec![dead_address()]);
    bob.endpoint.close().await;
    let mut bob = Node::at(listen, 2, Registry::default(), LinkSettings::default());
    assert_eq!(ada.down().await.cause, CloseCause::Code(CloseCode::GOING_AWAY));
    let _senders = linked(&mut ada, &mut bob).await;
}

#[tokio::test]
async fn reading_waits_for_a_slow_layer_above_and_loses_nothing() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    // The event queue takes 4; the rest waits in the windows of the link.
    for number in 0..200 {
        to_bob.send(ping(number)).expect("200 frames fit");
    }
    soon(async {
        while to_bob.traffic().frames_sent < 201 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for number in 0..200 {
        assert_eq!(bob.frame().await, ping(number));
    }
}

#[tokio::test]
async fn changes_wait_for_the_hello() {
    let (mut ada, mut bob) = (Node::new(1), Node::new(2));
    ada.endpoint.dial(bob.id(), vec![bob.address()]);
    let to_bob = ada.reached().await;
    let _to_ada = bob.reached().await;
    to_bob.send(batch(1, &[change(1, b"early")])).expect("one batch fits");
    soon(async {
        while to_bob.traffic().frames_sent < 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    to_bob.send(hello()).expect("one frame fits");
    bob.up().await;
    assert!(matches!(bob.frame().await, Frame::Hello(_)));
    assert!(matches!(bob.arrived().await, Arrived::Changes { number: 1, .. }));
}

fn dead_address() -> String {
    let socket = std::net::UdpSocket::bind(loopback()).expect("loopback can be bound");
    socket.local_addr().expect("it is bound").to_string()
}
