//! What comes in on a link: streams, frames, and batches decoded beside the async threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lienthong_protocol::limits::MAX_FRAME_BYTES;
use lienthong_protocol::{Change, CloseCode, Frame, FrameError, Verifier};
use quinn::{ReadExactError, RecvStream, VarInt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::bucket::Bucket;
use crate::endpoint::Context;
use crate::lane::{Lane, RawFrame, Stop, on_a_worker, read_frame};
use crate::link::{Link, lock};
use crate::{Arrived, LinkEvent, LinkSender};

/// Reads everything that the peer sends on one link.
pub(crate) struct Inlet {
    link: Arc<Link>,
    context: Arc<Context>,
    /// Goes out with `Up`.
    sender: Mutex<Option<LinkSender>>,
    stage: watch::Sender<Stage>,
    meter: Mutex<Bucket>,
    control_open: AtomicBool,
    changes_open: AtomicBool,
}

/// How far the peer's greeting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Stage {
    /// No frame has come.
    Silent,
    /// The first frame has come and waits to be handed over.
    Heard,
    /// The first frame was handed over: changes may follow.
    Greeted,
}

impl Inlet {
    pub(crate) fn new(link: Arc<Link>, context: Arc<Context>, sender: LinkSender) -> Inlet {
        let settings = &context.settings;
        let meter = Bucket::new(settings.frames_per_second, settings.frame_burst, Instant::now());
        Inlet {
            link,
            sender: Mutex::new(Some(sender)),
            stage: watch::Sender::new(Stage::Silent),
            meter: Mutex::new(meter),
            control_open: AtomicBool::new(false),
            changes_open: AtomicBool::new(false),
            context,
        }
    }

    /// Takes the peer's streams until one of them ends the link.
    pub(crate) async fn run(self: Arc<Self>) -> Stop {
        let mut streams = JoinSet::new();
        loop {
            tokio::select! {
                stream = self.link.connection.accept_uni() => {
                    let Ok(stream) = stream else { return Stop::Lost };
                    streams.spawn(Arc::clone(&self).read(stream).in_current_span());
                }
                Some(done) = streams.join_next() => match done {
                    Ok(Ok(())) => {}
                    Ok(Err(stop)) => return stop,
                    Err(error) => {
                        tracing::error!(%error, "stream-reader-failed");
                        return Stop::malformed("stream could not be read");
                    }
                },
            }
        }
    }

    /// Returns when the peer's first frame has not come within the limit; else never.
    pub(crate) async fn silence(&self, limit: Duration) {
        let mut stage = self.stage.subscribe();
        let heard = stage.wait_for(|stage| *stage > Stage::Silent);
        if tokio::time::timeout(limit, heard).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }

    /// Reads one stream; a lane ends with the link only, a stream that is no lane ends quietly.
    async fn read(self: Arc<Self>, mut stream: RecvStream) -> Result<(), Stop> {
        self.allow_one()?;
        let mut first = [0];
        match stream.read_exact(&mut first).await {
            Ok(()) => {}
            Err(ReadExactError::FinishedEarly(_)) => return Ok(()),
            Err(ReadExactError::ReadError(error)) => return Err(error.into()),
        }
        let Some(lane) = Lane::from_byte(first[0]) else {
            tracing::debug!(lane = first[0], "lane-unknown");
            self.link.count_unknown();
            // An error here means that the stream is over already, which is as good.
            stream.stop(VarInt::from_u32(CloseCode::VERSION.0)).unwrap_or_default();
            return Ok(());
        };
        let open = match lane {
            Lane::Control => &self.control_open,
            Lane::Changes => &self.changes_open,
        };
        if open.swap(true, Ordering::Relaxed) {
            return Err(Stop::malformed(format!("second {} lane", lane.name())));
        }
        match lane {
            Lane::Control => self.read_control(&mut stream).await?,
            Lane::Changes => self.read_changes(&mut stream).await?,
        }
        Err(Stop::malformed(format!("{} lane ended", lane.name())))
    }

    async fn read_control(&self, stream: &mut RecvStream) -> Result<(), Stop> {
        while let Some(RawFrame { kind, body }) = self.next(stream).await? {
            match Frame::decode(kind, &body) {
                Ok(frame @ (Frame::Batch(_) | Frame::Knock(_) | Frame::Reply(_))) => {
                    return Err(misplaced(&frame, Lane::Control));
                }
                Ok(frame) => self.hand_over(frame).await?,
                Err(FrameError::UnknownKind { kind }) => self.skip(kind),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn hand_over(&self, frame: Frame) -> Result<(), Stop> {
        let greets = *self.stage.borrow() == Stage::Silent;
        if greets {
            self.stage.send_replace(Stage::Heard);
            let sender = lock(&self.sender).take();
            if let Some(sender) = sender {
                tracing::info!("link-up");
                self.context.tell(self.link.up(sender)).await?;
            }
        }
        self.tell(Arrived::Frame(frame)).await?;
        if greets {
            self.stage.send_replace(Stage::Greeted);
        }
        Ok(())
    }

    /// Reads batches, has them decoded and hands them over in order, [`AHEAD`] at a time.
    async fn read_changes(&self, stream: &mut RecvStream) -> Result<(), Stop> {
        let mut stage = self.stage.subscribe();
        stage.wait_for(|stage| *stage == Stage::Greeted).await.map_err(|_| Stop::Lost)?;
        let ahead = Arc::new(Semaphore::new(AHEAD));
        let (queue, mut decoded) = mpsc::channel::<InWork>(AHEAD);
        let decode = async {
            loop {
                let permit = Arc::clone(&ahead).acquire_owned().await.map_err(|_| Stop::Lost)?;
                let Some(frame) = self.next(stream).await? else { break };
                let job = self.open(frame, permit);
                queue.send(job).await.map_err(|_| Stop::Lost)?;
            }
            drop(queue);
            Ok(())
        };
        let deliver = async {
            while let Some(InWork { permit, job }) = decoded.recv().await {
                match job.await.map_err(|_| Stop::Lost)?? {
                    Opened::Batch(arrived) => self.tell(arrived).await?,
                    Opened::Unknown { kind } => self.skip(kind),
                }
                drop(permit);
            }
            Ok(())
        };
        tokio::try_join!(decode, deliver).map(|_| ())
    }

    fn open(&self, frame: RawFrame, permit: OwnedSemaphorePermit) -> InWork {
        let workers = Arc::clone(&self.context.workers);
        let open =
            async move { on_a_worker(&workers, move || open(frame.kind, &frame.body)).await? };
        InWork { permit, job: tokio::spawn(open.in_current_span()) }
    }

    /// The next frame, counted and weighed against the peer's allowance.
    async fn next(&self, stream: &mut RecvStream) -> Result<Option<RawFrame>, Stop> {
        let frame = read_frame(stream, MAX_FRAME_BYTES).await?;
        if let Some(frame) = &frame {
            self.allow_one()?;
            self.link.count_received(frame.wire_bytes());
            tracing::trace!(kind = frame.kind, bytes = frame.wire_bytes(), "frame-received");
        }
        Ok(frame)
    }

    fn allow_one(&self) -> Result<(), Stop> {
        lock(&self.meter).take(Instant::now()).map_err(|_| {
            let limit = self.context.settings.frames_per_second;
            Stop::Close(CloseCode::FLOODED, format!("more than {limit} frames each second"))
        })
    }

    fn skip(&self, kind: u8) {
        tracing::debug!(kind, "frame-kind-unknown");
        self.link.count_unknown();
    }

    async fn tell(&self, frame: Arrived) -> Result<(), Stop> {
        self.context.tell(LinkEvent::Frame { link: self.link.id, frame }).await
    }
}

/// How many batches of one link are decoded ahead of the layer above.
const AHEAD: usize = 2;

struct InWork {
    permit: OwnedSemaphorePermit,
    job: tokio::task::JoinHandle<Result<Opened, Stop>>,
}

enum Opened {
    Batch(Arrived),
    Unknown { kind: u8 },
}

fn open(kind: u8, body: &Bytes) -> Result<Opened, Stop> {
    let batch = match Frame::decode(kind, body) {
        Ok(Frame::Batch(batch)) => batch,
        Ok(frame) => return Err(misplaced(&frame, Lane::Changes)),
        Err(FrameError::UnknownKind { kind }) => return Ok(Opened::Unknown { kind }),
        Err(error) => return Err(error.into()),
    };
    let (mut changes, mut refused) = (Vec::with_capacity(batch.records.len()), Vec::new());
    let mut verifier = Verifier::default();
    for record in batch.records {
        match Change::open_with(&mut verifier, record) {
            Ok(change) => changes.push(change),
            Err(error) => refused.push(error),
        }
    }
    Ok(Opened::Batch(Arrived::Changes { number: batch.number, changes, refused }))
}

fn misplaced(frame: &Frame, lane: Lane) -> Stop {
    Stop::malformed(format!("{} frame on the {} lane", frame.name(), lane.name()))
}
