//! One link: its tasks, its end, and the handle to send on it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lienthong_protocol::{CloseCode, Frame, NodeId};
use quinn::{Connection, ConnectionError, VarInt};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::bucket::Bucket;
use crate::endpoint::Context;
use crate::error::plain;
use crate::inlet::Inlet;
use crate::lane::{Lane, Outlet, Stop};
use crate::{CloseCause, Closed, Full, LinkEvent, LinkId, LinkSettings};

/// Sends on one link. Cheap to clone; when the last clone is dropped the link closes.
#[derive(Clone, Debug)]
pub struct LinkSender {
    link: Arc<Link>,
    control: mpsc::Sender<Frame>,
    changes: mpsc::Sender<Frame>,
}

impl LinkSender {
    /// Queues a frame and returns at once: 32 batches wait at most, or 256 other frames. Past
    /// the first limit the frame is dropped; past the second the link closes with `flooded`.
    pub fn send(&self, frame: Frame) -> Result<(), Full> {
        let (queue, full) = match frame {
            Frame::Batch(_) => (&self.changes, Full::Changes),
            _ => (&self.control, Full::Control),
        };
        match queue.try_send(frame) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Full::Gone),
            Err(TrySendError::Full(_)) => {
                if full == Full::Control {
                    self.close(CloseCode::FLOODED, "control frames are not taken fast enough");
                }
                Err(full)
            }
        }
    }

    /// How many more batches the queue takes now.
    pub fn room_for_batches(&self) -> usize {
        self.changes.capacity()
    }

    /// Closes the link at once; what is queued is not sent.
    pub fn close(&self, code: CloseCode, words: &str) {
        self.link.close(code, words);
    }

    /// The link's name.
    pub fn link(&self) -> LinkId {
        self.link.id
    }

    /// The peer.
    pub fn node(&self) -> NodeId {
        self.link.node
    }

    /// The transport's estimate of the round trip.
    pub fn rtt(&self) -> Duration {
        self.link.connection.rtt()
    }

    /// What the link has carried so far.
    pub fn traffic(&self) -> Traffic {
        self.link.traffic()
    }
}

/// What a link has carried. Bytes of frames are counted with their heads and as compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of frames written.
    pub bytes_sent: u64,
    /// Bytes of frames read.
    pub bytes_received: u64,
    /// Frames written.
    pub frames_sent: u64,
    /// Frames read.
    pub frames_received: u64,
    /// Frames and streams of kinds that this version does not know, read over.
    pub unknown: u64,
    /// Bytes of UDP payload sent, handshake included.
    pub udp_bytes_sent: u64,
    /// Bytes of UDP payload received, handshake included.
    pub udp_bytes_received: u64,
}

/// What all parts of one link know.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) connection: Connection,
    node: NodeId,
    dialed: bool,
    remote: SocketAddr,
    /// Why this end closed it, by whoever came first.
    closed_here: OnceLock<Closed>,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    frames_sent: AtomicU64,
    frames_received: AtomicU64,
    unknown: AtomicU64,
}

impl Link {
    fn new(connection: Connection, node: NodeId, dialed: bool) -> Link {
        let id = LinkId(NEXT_LINK.fetch_add(1, Ordering::Relaxed));
        let remote = plain_address(connection.remote_address());
        Link {
            id,
            connection,
            node,
            dialed,
            remote,
            closed_here: OnceLock::new(),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            frames_sent: AtomicU64::new(0),
            frames_received: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        }
    }

    pub(crate) fn count_sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.frames_sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_received(&self, bytes: usize) {
        self.bytes_received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.frames_received.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_unknown(&self) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn up(&self, sender: LinkSender) -> LinkEvent {
        let Link { id: link, node, dialed, remote, .. } = *self;
        LinkEvent::Up { link, node, dialed, remote, sender }
    }

    fn reached(&self, sender: LinkSender) -> LinkEvent {
        let Link { id: link, node, dialed, remote, .. } = *self;
        LinkEvent::Reached { link, node, dialed, remote, sender }
    }

    fn close(&self, code: CloseCode, words: &str) {
        if self.closed_here.set(Closed::here(code, words)).is_ok() {
            close(&self.connection, code, words);
        }
    }

    /// Closes the connection if the stop asks for it. Must come before the writing ends of lanes
    /// are dropped: quinn then ends their streams, and the peer would take that for a violation.
    pub(crate) fn obey(&self, stop: &Stop) {
        if let Stop::Close(code, words) = stop {
            self.close(*code, words);
        }
    }

    async fn end(&self) -> Closed {
        match self.connection.closed().await {
            ConnectionError::LocallyClosed => {
                self.closed_here.get().cloned().unwrap_or_else(|| {
                    Closed::here(CloseCode::GOING_AWAY, "the node closes its links")
                })
            }
            error => Closed::by(&error),
        }
    }

    fn traffic(&self) -> Traffic {
        let udp = self.connection.stats();
        Traffic {
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            frames_sent: self.frames_sent.load(Ordering::Relaxed),
            frames_received: self.frames_received.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
            udp_bytes_sent: udp.udp_tx.bytes,
            udp_bytes_received: udp.udp_rx.bytes,
        }
    }
}

/// Links are numbered over all endpoints of the process: a late event of a closed endpoint must
/// not be taken for one of its successor.
static NEXT_LINK: AtomicU64 = AtomicU64::new(1);

/// Keeps a link until it ends. The gate has admitted the node.
pub(crate) async fn run(connection: Connection, node: NodeId, dialed: bool, context: Arc<Context>) {
    let link = Arc::new(Link::new(connection, node, dialed));
    let span = tracing::info_span!("link", link = link.id.0, peer = %node.short(), dialed);
    live(link, context).instrument(span).await;
}

async fn live(link: Arc<Link>, context: Arc<Context>) {
    let (control, control_queue) = mpsc::channel(Lane::Control.queue_frames());
    let (changes, changes_queue) = mpsc::channel(Lane::Changes.queue_frames());
    let sender = LinkSender { link: Arc::clone(&link), control, changes };
    let inlet = Inlet::new(Arc::clone(&link), Arc::clone(&context), sender.clone());
    tracing::debug!(remote = %link.remote, "link-reached");
    if context.tell(link.reached(sender)).await.is_err() {
        return link.close(CloseCode::GOING_AWAY, "the node stops");
    }
    let pace = Arc::new(Mutex::new(pace(&context.settings)));
    let outlet = |lane, queue| Outlet {
        link: Arc::clone(&link),
        lane,
        queue,
        pace: Arc::clone(&pace),
        workers: Arc::clone(&context.workers),
    };
    let outlets = [outlet(Lane::Control, control_queue), outlet(Lane::Changes, changes_queue)];
    run_until_stop(&link, inlet, outlets, context.settings.first_frame_time_limit).await;
    let close = link.end().await;
    report(&close);
    let down = LinkEvent::Down { link: link.id, node: link.node, close };
    drop(link);
    if context.tell(down).await.is_err() {
        tracing::debug!("nobody-listens");
    }
}

/// Runs the link's tasks until the first of them stops; the others end with it.
async fn run_until_stop(
    link: &Link,
    inlet: Inlet,
    outlets: [Outlet; 2],
    first_frame_time_limit: Duration,
) {
    let inlet = Arc::new(inlet);
    let mut tasks = JoinSet::new();
    for outlet in outlets {
        tasks.spawn(outlet.run().in_current_span());
    }
    tasks.spawn(Arc::clone(&inlet).run().in_current_span());
    let stop = tokio::select! {
        _ = link.connection.closed() => Stop::Lost,
        Some(done) = tasks.join_next() => done.unwrap_or_else(|error| {
            tracing::error!(%error, "link-task-failed");
            Stop::Close(CloseCode::GOING_AWAY, "the link failed".into())
        }),
        () = inlet.silence(first_frame_time_limit) => {
            let seconds = first_frame_time_limit.as_secs_f32();
            Stop::Close(CloseCode::SILENT, format!("no frame in {seconds} s"))
        }
    };
    link.obey(&stop);
}

/// The own allowance: well within the peer's, so that a late burst is no flood.
fn pace(settings: &LinkSettings) -> Bucket {
    let per_second = settings.frames_per_second / 4 * 3;
    Bucket::new(per_second, settings.frame_burst / 2, Instant::now())
}

fn report(close: &Closed) {
    let (cause, words, by_peer) = (close.cause.name(), &close.words, close.by_peer);
    let quiet = matches!(close.cause, CloseCause::TimedOut | CloseCause::Reset)
        || matches!(
            close.cause,
            CloseCause::Code(CloseCode::GOING_AWAY | CloseCode::REPLACED | CloseCode::UNKNOWN_NODE)
        );
    if quiet {
        tracing::info!(cause, words, by_peer, "link-down");
    } else {
        tracing::warn!(cause, words, by_peer, "link-down");
    }
}

/// Closes a connection with a code and words.
pub(crate) fn close(connection: &Connection, code: CloseCode, words: &str) {
    connection.close(VarInt::from_u32(code.0), plain(words.as_bytes()).as_bytes());
}

/// An IPv4 peer on an IPv6 socket, as people write it.
pub(crate) fn plain_address(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Takes a lock that guards plain data: a panic elsewhere left it whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
