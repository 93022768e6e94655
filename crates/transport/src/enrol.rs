//! The one connection on which a new node knocks: both ends of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lienthong_protocol::limits::MAX_FRAME_BYTES;
use lienthong_protocol::{Batch, CloseCode, Frame, FrameError, Knock, NodeId, NodeKey, Reply};
use quinn::{Connection, RecvStream, SendStream, VarInt};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::time::timeout;

use crate::bucket::Bucket;
use crate::dial::Dialer;
use crate::endpoint::{Context, open};
use crate::lane::{RawFrame, Stop, on_a_worker, read_frame};
use crate::link::{close, lock, plain_address};
use crate::tls::{Identity, Purpose};
use crate::{BindError, Closed, KnockError, LinkEvent, LinkSettings};

/// What a hub answers to a knock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub reply: Reply,
    /// After [`Reply::Welcome`], as many batches as it says: records of the registry's changes,
    /// unchecked. Each batch within the protocol's limits.
    pub batches: Vec<Vec<Bytes>>,
}

/// Asks a hub to let this node in. The hub's key is checked in the handshake, so the secret goes
/// to nobody else. The answer is at most 64 MiB long.
pub async fn knock(
    key: &NodeKey,
    hub: NodeId,
    addresses: &[String],
    knock: Knock,
    settings: LinkSettings,
) -> Result<Answer, KnockError> {
    let frame = Frame::Knock(knock).encode().map_err(|error| malformed(error.to_string()))?;
    if frame.len() > MAX_KNOCK_BYTES {
        return Err(KnockError::TooLong { bytes: frame.len(), limit_bytes: MAX_KNOCK_BYTES });
    }
    let limit = settings.enrolment_time_limit;
    let endpoint = open_anywhere()?;
    let dialer = Dialer { endpoint, identity: Identity::new(key), settings };
    let connection = dialer.reach(hub, Purpose::Join, addresses).await?.connection;
    let answer = ask(&connection, &frame, limit).await;
    close(&connection, CloseCode::GOING_AWAY, "the enrolment is over");
    dialer.endpoint.close(VarInt::from_u32(CloseCode::GOING_AWAY.0), b"");
    // The hub learns from the close that the answer has arrived; a lost one only costs it time.
    if timeout(LEAVE_TIME_LIMIT, dialer.endpoint.wait_idle()).await.is_err() {
        tracing::debug!("enrolment-close-unconfirmed");
    }
    answer
}

async fn ask(connection: &Connection, frame: &[u8], limit: Duration) -> Result<Answer, KnockError> {
    let silent = |_| KnockError::Silent { seconds: limit.as_secs() };
    // The hub grants the stream after its own look at this node's key.
    let opened = timeout(limit, connection.open_bi()).await.map_err(silent)?;
    let (mut send, mut receive) = opened.map_err(|error| KnockError::Closed(Closed::by(&error)))?;
    let asked = async {
        send.write_all(frame).await?;
        send.finish().map_err(|_| Stop::Lost)
    };
    ended(connection, timeout(limit, asked).await.map_err(silent)?).await?;
    // The hub may wait as long as this for a decision, on top of the way there and back.
    let reply = match next(connection, &mut receive, limit * 2).await? {
        Some(Frame::Reply(reply)) => reply,
        Some(frame) => return Err(malformed(format!("{} frame instead of a reply", frame.name()))),
        None => return Err(malformed("it is empty".into())),
    };
    let expected = match reply {
        Reply::Welcome { batches } => batches as usize,
        Reply::Pending | Reply::Refused { .. } => 0,
    };
    let (mut batches, mut bytes) = (Vec::new(), 0);
    while let Some(frame) = next(connection, &mut receive, limit).await? {
        let Frame::Batch(batch) = frame else {
            return Err(malformed(format!("{} frame instead of a batch", frame.name())));
        };
        bytes += batch.records.iter().map(Bytes::len).sum::<usize>();
        if batches.len() == expected || bytes > MAX_ANSWER_BYTES {
            return Err(malformed(format!(
                "more than {expected} batches or {MAX_ANSWER_BYTES} bytes"
            )));
        }
        batches.push(batch.records);
    }
    if batches.len() < expected {
        return Err(malformed(format!("{} batches, announced were {expected}", batches.len())));
    }
    Ok(Answer { reply, batches })
}

/// The next frame of the answer that this version knows.
async fn next(
    connection: &Connection,
    stream: &mut RecvStream,
    limit: Duration,
) -> Result<Option<Frame>, KnockError> {
    loop {
        let read = timeout(limit, read_frame(stream, MAX_FRAME_BYTES)).await;
        let read = read.map_err(|_| KnockError::Silent { seconds: limit.as_secs() })?;
        let Some(RawFrame { kind, body }) = ended(connection, read).await? else {
            return Ok(None);
        };
        match Frame::decode(kind, &body) {
            Ok(frame) => return Ok(Some(frame)),
            Err(FrameError::UnknownKind { .. }) => {}
            Err(error) => return Err(malformed(error.to_string())),
        }
    }
}

async fn ended<T>(connection: &Connection, result: Result<T, Stop>) -> Result<T, KnockError> {
    match result {
        Ok(value) => Ok(value),
        Err(Stop::Lost) => Err(KnockError::Closed(Closed::by(&connection.closed().await))),
        Err(Stop::Close(_, cause)) => Err(malformed(cause)),
    }
}

fn open_anywhere() -> Result<quinn::Endpoint, BindError> {
    let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let only_v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    open(both, None).or_else(|_| open(only_v4, None)).map(|(endpoint, _)| endpoint)
}

fn malformed(cause: String) -> KnockError {
    KnockError::Malformed { cause }
}

/// Keeps a hub from being run over by knocks.
pub(crate) struct Reception {
    places: Semaphore,
    callers: Mutex<BTreeMap<IpAddr, Bucket>>,
}

impl Default for Reception {
    fn default() -> Self {
        Reception { places: Semaphore::new(MAX_ENROLMENTS), callers: Mutex::default() }
    }
}

impl Reception {
    /// A place for one enrolment, unless there is none or the caller comes too often.
    pub(crate) fn place(&self, caller: IpAddr, now: Instant) -> Option<SemaphorePermit<'_>> {
        let mut callers = lock(&self.callers);
        if callers.len() >= MAX_CALLERS {
            callers.retain(|_, bucket| !bucket.is_full(now));
        }
        let caller = network(caller);
        if callers.len() >= MAX_CALLERS && !callers.contains_key(&caller) {
            return None;
        }
        let bucket = callers
            .entry(caller)
            .or_insert_with(|| Bucket::new(KNOCKS_PER_SECOND, KNOCK_BURST, now));
        bucket.take(now).ok()?;
        self.places.try_acquire().ok()
    }
}

/// Whoever has one IPv6 address has the 2^64 beside it.
fn network(caller: IpAddr) -> IpAddr {
    match caller {
        IpAddr::V4(_) => caller,
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

/// Hears one knock and brings the answer.
pub(crate) async fn serve(connection: Connection, node: NodeId, context: &Context) {
    let remote = plain_address(connection.remote_address());
    let Some(_place) = context.reception.place(remote.ip(), Instant::now()) else {
        tracing::warn!(%remote, "knock-refused");
        return close(&connection, CloseCode::FLOODED, "too many enrolments, try again later");
    };
    match enrol(&connection, node, remote, context).await {
        Ok(()) => close(&connection, CloseCode::GOING_AWAY, "the enrolment is over"),
        Err(Stop::Lost) => tracing::debug!(%remote, "knock-lost"),
        Err(Stop::Close(code, words)) => {
            let (peer, code_name) = (node.short(), code.name());
            tracing::warn!(%remote, peer, code = code_name, words, "knock-failed");
            close(&connection, code, &words);
        }
    }
}

async fn enrol(
    connection: &Connection,
    node: NodeId,
    remote: SocketAddr,
    context: &Context,
) -> Result<(), Stop> {
    let limit = context.settings.enrolment_time_limit;
    connection.set_max_concurrent_bi_streams(VarInt::from_u32(1));
    let (mut stream, knock) = within(limit, hear(connection)).await??;
    tracing::info!(%remote, peer = %node.short(), "knock-heard");
    let (answer, decision) = oneshot::channel();
    within(limit, context.tell(LinkEvent::Knock { node, remote, knock, answer })).await??;
    let undecided = |_| Stop::Close(CloseCode::GOING_AWAY, "nobody decides, try again".into());
    let Answer { reply, batches } = within(limit, decision).await?.map_err(undecided)?;
    within(limit, write(&mut stream, Frame::Reply(reply), context)).await??;
    for (number, records) in (1..).zip(batches) {
        let batch = Frame::Batch(Batch { number, records });
        within(limit, write(&mut stream, batch, context)).await??;
    }
    stream.finish().map_err(|_| Stop::Lost)?;
    // Closing earlier would throw away what the new node has not received yet.
    within(limit, connection.closed()).await?;
    Ok(())
}

async fn hear(connection: &Connection) -> Result<(SendStream, Knock), Stop> {
    let (send, mut receive) = tokio::select! {
        stream = connection.accept_bi() => stream.map_err(|_| Stop::Lost)?,
        stream = connection.accept_uni() => {
            stream.map_err(|_| Stop::Lost)?;
            return Err(Stop::malformed("an enrolment has one bidirectional stream"));
        }
    };
    let frame = read_frame(&mut receive, MAX_KNOCK_BYTES).await?;
    let RawFrame { kind, body } = frame.ok_or_else(|| Stop::malformed("no knock"))?;
    match Frame::decode(kind, &body)? {
        Frame::Knock(knock) => Ok((send, knock)),
        frame => Err(Stop::malformed(format!("{} frame instead of a knock", frame.name()))),
    }
}

async fn write(stream: &mut SendStream, frame: Frame, context: &Context) -> Result<(), Stop> {
    let encoded = on_a_worker(&context.workers, move || frame.encode()).await??;
    Ok(stream.write_chunk(encoded.into()).await?)
}

async fn within<T>(limit: Duration, step: impl Future<Output = T>) -> Result<T, Stop> {
    let slow = |_| Stop::Close(CloseCode::SILENT, format!("no step in {} s", limit.as_secs_f32()));
    timeout(limit, step).await.map_err(slow)
}

/// The longest knock, in bytes, head included; a longer one is refused with `frame-too-long`.
const MAX_KNOCK_BYTES: usize = 4 << 10;

/// The longest answer that a new node takes, in bytes of records.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// How many enrolments a hub has under way; more are refused with `flooded`.
const MAX_ENROLMENTS: usize = 8;

/// How often one caller may knock in the long run, and at once.
const KNOCKS_PER_SECOND: u32 = 1;
const KNOCK_BURST: u32 = 5;

/// How many callers are remembered.
const MAX_CALLERS: usize = 1024;

/// How long a new node waits until the hub has heard that the answer arrived.
const LEAVE_TIME_LIMIT: Duration = Duration::from_millis(500);
