//! What a link costs: bytes of a bare set-up, CPU time and throughput of verified changes.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lienthong_protocol::{
    Batch, Change, CloseCode, DocumentId, FederationId, Frame, FrameHead, Header, Hello,
    Incarnation, Kind, Moment, NodeId, NodeKey, VersionRange,
};
use lienthong_transport::{Arrived, Endpoint, Gate, LinkEvent, LinkSender, LinkSettings, Traffic};
use tokio::sync::mpsc;

const BATCHES: u64 = 100;
const CHANGES_PER_BATCH: u64 = 512;
const PAYLOAD_BYTES: usize = 300;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let batches = batches();
    let bytes: usize = batches.iter().map(|batch| batch.len()).sum();
    let changes = BATCHES * CHANGES_PER_BATCH;
    writeln!(out, "{changes} changes of {PAYLOAD_BYTES} payload bytes, {bytes} bytes as frames")?;

    let start = cpu_time();
    let opened: usize = batches.iter().map(|batch| opened(batch)).sum();
    let each = cpu_time().saturating_sub(start) / u32::try_from(opened).unwrap_or(u32::MAX);
    writeln!(out, "decode and verify on one thread: {each:?} of CPU per change")?;

    let (mut ada, mut bob) = (Node::bind(1), Node::bind(2));
    let start = Instant::now();
    let [to_bob, _to_ada] = linked(&mut ada, &mut bob).await;
    writeln!(out, "set-up with both hellos: {:?}, round trip {:?}", start.elapsed(), to_bob.rtt())?;
    writeln!(out, "dialling end after it: {:?}", to_bob.traffic())?;

    let (start, cpu) = (Instant::now(), cpu_time());
    let sender = to_bob.clone();
    let sending = tokio::spawn(async move { send_all(&sender, batches).await });
    bob.take(changes).await;
    let (wall, cpu) = (start.elapsed(), cpu_time().saturating_sub(cpu));
    sending.await.map_err(std::io::Error::other)?;
    let rate = changes as f64 / wall.as_secs_f64();
    let cpu_each = cpu.as_secs_f64() * 1e6 / changes as f64;
    writeln!(out, "over the link: {rate:.0} changes/s, CPU of both ends {cpu_each:.1} µs each")?;
    let Traffic { bytes_sent, udp_bytes_sent, udp_bytes_received, .. } = to_bob.traffic();
    writeln!(out, "frames {bytes_sent} B, UDP out {udp_bytes_sent} B, in {udp_bytes_received} B")
}

fn batches() -> Vec<Vec<u8>> {
    let key = NodeKey::from_seed([9; 32]);
    let payload: Vec<u8> = (0..PAYLOAD_BYTES).map(|at| (at * 7 % 61) as u8).collect();
    let mut seq = 0;
    let mut change = || {
        seq += 1;
        let header = Header {
            document: DocumentId::derive(key.id(), Incarnation(1), seq / 21, Moment(1)),
            kind: Kind::DOSSIER,
            author: key.id(),
            office: "QNM-HOIAN".parse().expect("a valid office id"),
            incarnation: Incarnation(1),
            seq,
            at: Moment(1_700_000_000_000 + seq),
            adds: vec![],
        };
        Change::sign(header, &payload, &key).expect("within the limits").bytes().clone()
    };
    (1..=BATCHES)
        .map(|number| {
            let records: Vec<Bytes> = (0..CHANGES_PER_BATCH).map(|_| change()).collect();
            let frame = Frame::Batch(Batch { number, records });
            frame.encode().expect("within the limits")
        })
        .collect()
}

fn decoded(frame: &[u8]) -> Batch {
    let body = Bytes::copy_from_slice(&frame[FrameHead::BYTES..]);
    match Frame::decode(frame[FrameHead::BYTES - 1], &body) {
        Ok(Frame::Batch(batch)) => batch,
        other => panic!("expected a batch, got {other:?}"),
    }
}

fn opened(frame: &[u8]) -> usize {
    decoded(frame).records.into_iter().filter_map(|record| Change::open(record).ok()).count()
}

async fn send_all(sender: &LinkSender, batches: Vec<Vec<u8>>) {
    for batch in batches {
        let frame = Frame::Batch(decoded(&batch));
        while sender.room_for_batches() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sender.send(frame).expect("there is room");
    }
}

/// User and system time of this process, in steps of 10 ms; zero where the system does not say.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: BTreeMap<usize, &str> = after_name.split_whitespace().enumerate().collect();
    let ticks = |at| fields.get(&at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

struct Everybody;

impl Gate for Everybody {
    fn admits(&self, _: NodeId) -> Result<(), CloseCode> {
        Ok(())
    }
}

struct Node {
    id: NodeId,
    endpoint: Endpoint,
    events: mpsc::Receiver<LinkEvent>,
}

impl Node {
    fn bind(seed: u8) -> Node {
        let (sender, events) = mpsc::channel(16);
        let (key, gate) = (NodeKey::from_seed([seed; 32]), Arc::new(Everybody));
        let listen = ([127, 0, 0, 1], 0).into();
        let endpoint = Endpoint::bind(listen, &key, gate, LinkSettings::default(), sender)
            .expect("loopback can be bound");
        Node { id: key.id(), endpoint, events }
    }

    async fn reached(&mut self) -> LinkSender {
        match self.events.recv().await {
            Some(LinkEvent::Reached { sender, .. }) => sender,
            other => panic!("expected to reach a node, got {other:?}"),
        }
    }

    async fn greeted(&mut self) {
        while !matches!(self.events.recv().await, Some(LinkEvent::Frame { .. })) {}
    }

    async fn take(&mut self, changes: u64) {
        let mut taken = 0;
        while taken < changes {
            match self.events.recv().await {
                Some(LinkEvent::Frame { frame: Arrived::Changes { changes, .. }, .. }) => {
                    taken += changes.len() as u64;
                }
                other => panic!("expected changes, got {other:?}"),
            }
        }
    }
}

async fn linked(ada: &mut Node, bob: &mut Node) -> [LinkSender; 2] {
    ada.endpoint.dial(bob.id, vec![bob.endpoint.local_address().to_string()]);
    let senders = [ada.reached().await, bob.reached().await];
    for sender in &senders {
        let hello = Hello {
            versions: VersionRange::OURS,
            federation: FederationId::from_bytes([5; 32]),
            office: "QNM-HOIAN".parse().expect("a valid office id"),
            incarnation: Incarnation(1),
            at: Moment(1_700_000_000_000),
            addresses: vec!["192.0.2.1:7700".into()],
            agent: "lienthong 0.1.0".into(),
        };
        sender.send(Frame::Hello(hello)).expect("the queue is empty");
    }
    ada.greeted().await;
    bob.greeted().await;
    senders
}
