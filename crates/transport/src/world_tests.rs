//! Nodes on loopback for the tests: real sockets, real handshakes.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lienthong_protocol::{
    Batch, Change, CloseCode, DocumentId, FederationId, Frame, Header, Hello, Incarnation, Kind,
    Moment, NodeId, NodeKey, Ping, VersionRange,
};
use quinn::Connection;
use tokio::sync::mpsc;

use crate::dial::Dialer;
use crate::endpoint::open;
use crate::link::lock;
use crate::tls::{Identity, Purpose};
use crate::{Arrived, Closed, Endpoint, Gate, LinkEvent, LinkSender, LinkSettings};

/// A node with its events.
pub(crate) struct Node {
    pub(crate) key: NodeKey,
    pub(crate) endpoint: Endpoint,
    pub(crate) events: mpsc::Receiver<LinkEvent>,
}

/// Admits all but those that are named.
#[derive(Default)]
pub(crate) struct Registry(pub(crate) Mutex<BTreeSet<NodeId>>);

impl Gate for Registry {
    fn admits(&self, node: NodeId) -> Result<(), CloseCode> {
        if lock(&self.0).contains(&node) { Err(CloseCode::UNKNOWN_NODE) } else { Ok(()) }
    }
}

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(crate) fn key(seed: u8) -> NodeKey {
    NodeKey::from_seed([seed; 32])
}

/// Whatever takes this long never happens.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("happens within 30 s")
}

impl Node {
    pub(crate) fn new(seed: u8) -> Node {
        Node::with(seed, Registry::default(), LinkSettings::default())
    }

    pub(crate) fn with(seed: u8, registry: Registry, settings: LinkSettings) -> Node {
        Node::at(loopback(), seed, registry, settings)
    }

    pub(crate) fn at(
        listen: SocketAddr,
        seed: u8,
        registry: Registry,
        settings: LinkSettings,
    ) -> Node {
        let (sender, events) = mpsc::channel(4);
        let key = key(seed);
        let endpoint = Endpoint::bind(listen, &key, Arc::new(registry), settings, sender)
            .expect("loopback can be bound");
        Node { key, endpoint, events }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.key.id()
    }

    pub(crate) fn address(&self) -> String {
        self.endpoint.local_address().to_string()
    }

    pub(crate) async fn event(&mut self) -> LinkEvent {
        soon(self.events.recv()).await.expect("the endpoint lives")
    }

    pub(crate) async fn reached(&mut self) -> LinkSender {
        match self.event().await {
            LinkEvent::Reached { sender, .. } => sender,
            other => panic!("expected to reach a node, got {other:?}"),
        }
    }

    pub(crate) async fn up(&mut self) {
        let event = self.event().await;
        assert!(matches!(event, LinkEvent::Up { .. }), "expected a link to be up, got {event:?}");
    }

    pub(crate) async fn arrived(&mut self) -> Arrived {
        match self.event().await {
            LinkEvent::Frame { frame, .. } => frame,
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    pub(crate) async fn frame(&mut self) -> Frame {
        match self.arrived().await {
            Arrived::Frame(frame) => frame,
            other => panic!("expected a control frame, got {other:?}"),
        }
    }

    pub(crate) async fn down(&mut self) -> Closed {
        loop {
            match self.event().await {
                LinkEvent::Down { close, .. } => return close,
                LinkEvent::Frame { .. } | LinkEvent::Up { .. } => {}
                other => panic!("expected a link to end, got {other:?}"),
            }
        }
    }
}

/// Two nodes with a link that is up at both ends; the hellos are taken.
pub(crate) async fn linked(ada: &mut Node, bob: &mut Node) -> [LinkSender; 2] {
    ada.endpoint.dial(bob.id(), vec![bob.address()]);
    let senders = [ada.reached().await, bob.reached().await];
    for sender in &senders {
        sender.send(hello()).expect("the queue is empty");
    }
    for node in [ada, bob] {
        node.up().await;
        assert_eq!(node.frame().await, hello());
    }
    senders
}

/// A peer that speaks QUIC and TLS as it should, and then whatever the test writes.
pub(crate) struct Stranger {
    pub(crate) connection: Connection,
    _endpoint: quinn::Endpoint,
}

impl Stranger {
    pub(crate) async fn reach(node: &Node, seed: u8, purpose: Purpose) -> Stranger {
        let (endpoint, _) = open(loopback(), None).expect("loopback can be bound");
        let dialer = Dialer {
            endpoint: endpoint.clone(),
            identity: Identity::new(&key(seed)),
            settings: LinkSettings::default(),
        };
        let reached = dialer.reach(node.id(), purpose, &[node.address()]).await;
        let connection = reached.expect("the node listens").connection;
        Stranger { connection, _endpoint: endpoint }
    }

    /// Opens a stream and writes to it; an end of the connection in between is no failure.
    pub(crate) async fn write(&self, bytes: &[u8]) -> Option<quinn::SendStream> {
        let mut stream = self.connection.open_uni().await.ok()?;
        stream.write_all(bytes).await.ok()?;
        Some(stream)
    }

    pub(crate) async fn closed(&self) -> Closed {
        Closed::by(&soon(self.connection.closed()).await)
    }
}

pub(crate) fn hello() -> Frame {
    Frame::Hello(Hello {
        versions: VersionRange::OURS,
        federation: FederationId::from_bytes([5; 32]),
        office: "QNM".parse().expect("a valid office id"),
        incarnation: Incarnation(1),
        at: Moment(1_700_000_000_000),
        addresses: vec![],
        agent: "test".into(),
    })
}

pub(crate) fn ping(number: u64) -> Frame {
    Frame::Ping(Ping { number })
}

pub(crate) fn change(seq: u64, payload: &[u8]) -> Change {
    let key = key(99);
    let (author, incarnation, at) = (key.id(), Incarnation(1), Moment(1_700_000_000_000 + seq));
    let header = Header {
        document: DocumentId::derive(author, incarnation, seq, at),
        kind: Kind::DOSSIER,
        author,
        office: "QNM".parse().expect("a valid office id"),
        incarnation,
        seq,
        at,
        adds: vec![],
    };
    Change::sign(header, payload, &key).expect("within the limits")
}

pub(crate) fn batch(number: u64, changes: &[Change]) -> Frame {
    let records: Vec<Bytes> = changes.iter().map(|change| change.bytes().clone()).collect();
    Frame::Batch(Batch { number, records })
}

/// Bytes that no compressor makes shorter.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}
