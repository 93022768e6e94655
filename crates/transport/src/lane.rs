//! Lanes: one stream for each kind of traffic and direction, so that none waits behind another.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use lienthong_protocol::{CloseCode, Frame, FrameError, FrameHead};
use quinn::{ReadError, ReadExactError, RecvStream, SendStream, WriteError};
use tokio::sync::{Semaphore, mpsc};

use crate::bucket::Bucket;
use crate::link::{Link, lock};

/// What a stream carries. Its first byte says so; 3 is kept for files, with the lowest priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Everything but batches.
    Control,
    /// Batches.
    Changes,
}

impl Lane {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Lane::Control => 1,
            Lane::Changes => 2,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Lane> {
        [Lane::Control, Lane::Changes].into_iter().find(|lane| lane.byte() == byte)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Lane::Control => "control",
            Lane::Changes => "changes",
        }
    }

    /// How many frames wait at most to be written.
    pub(crate) fn queue_frames(self) -> usize {
        match self {
            Lane::Control => 256,
            Lane::Changes => 32,
        }
    }

    /// Data of a higher priority leaves first. 0 and below are for files.
    fn priority(self) -> i32 {
        match self {
            Lane::Control => 2,
            Lane::Changes => 1,
        }
    }
}

/// Why a task of a link stops, and the link with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The connection is closed; it knows why.
    Lost,
    /// This end has to close it.
    Close(CloseCode, String),
}

impl Stop {
    pub(crate) fn malformed(words: impl Into<String>) -> Stop {
        Stop::Close(CloseCode::MALFORMED_FRAME, words.into())
    }
}

impl From<FrameError> for Stop {
    fn from(error: FrameError) -> Stop {
        let code = error.close_code().unwrap_or(CloseCode::MALFORMED_FRAME);
        Stop::Close(code, error.to_string())
    }
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Stop {
        match error {
            WriteError::Stopped(_) => Stop::malformed("peer stopped a lane"),
            _ => Stop::Lost,
        }
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Stop {
        match error {
            ReadError::Reset(_) => Stop::malformed("peer reset a lane"),
            _ => Stop::Lost,
        }
    }
}

/// One frame as it came: kind and body.
#[derive(Debug)]
pub(crate) struct RawFrame {
    pub(crate) kind: u8,
    pub(crate) body: Bytes,
}

impl RawFrame {
    pub(crate) fn wire_bytes(&self) -> usize {
        FrameHead::BYTES + self.body.len()
    }
}

/// Reads one frame whose body is at most `limit_bytes` long; `None` is the end of the stream.
pub(crate) async fn read_frame(
    stream: &mut RecvStream,
    limit_bytes: usize,
) -> Result<Option<RawFrame>, Stop> {
    let mut head = [0; FrameHead::BYTES];
    match stream.read_exact(&mut head).await {
        Ok(()) => {}
        Err(ReadExactError::FinishedEarly(0)) => return Ok(None),
        Err(ReadExactError::FinishedEarly(_)) => return Err(cut_off()),
        Err(ReadExactError::ReadError(error)) => return Err(error.into()),
    }
    let FrameHead { kind, body_bytes } = FrameHead::parse(head)?;
    if body_bytes > limit_bytes {
        return Err(FrameError::TooLong { claimed_bytes: body_bytes + 1 }.into());
    }
    let body = read_body(stream, body_bytes).await?;
    Ok(Some(RawFrame { kind, body }))
}

/// Takes memory as bytes come, not as the head claims.
async fn read_body(stream: &mut RecvStream, body_bytes: usize) -> Result<Bytes, Stop> {
    let mut body = BytesMut::new();
    while body.len() < body_bytes {
        let missing = body_bytes - body.len();
        let chunk = stream.read_chunk(missing, true).await?.ok_or_else(cut_off)?.bytes;
        if body.is_empty() && chunk.len() == body_bytes {
            return Ok(chunk);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn cut_off() -> Stop {
    Stop::malformed("stream ends inside a frame")
}

/// Writes one lane of a link.
pub(crate) struct Outlet {
    pub(crate) link: Arc<Link>,
    pub(crate) lane: Lane,
    pub(crate) queue: mpsc::Receiver<Frame>,
    /// Shared by the lanes: keeps below what the peer would call a flood.
    pub(crate) pace: Arc<Mutex<Bucket>>,
    pub(crate) workers: Arc<Semaphore>,
}

impl Outlet {
    /// Writes what is queued until the link ends. The stream is opened with its first frame.
    pub(crate) async fn run(mut self) -> Stop {
        let mut open = None;
        let stop = loop {
            let Some(frame) = self.queue.recv().await else {
                break Stop::Close(CloseCode::GOING_AWAY, "the link is not needed".into());
            };
            if let Err(stop) = self.write(&mut open, frame).await {
                break stop;
            }
        };
        self.link.obey(&stop);
        stop
    }

    async fn write(&self, open: &mut Option<SendStream>, frame: Frame) -> Result<(), Stop> {
        let mut encoded = Bytes::from(self.encode(frame).await?);
        self.link.count_sent(encoded.len());
        while let Err(wait) = self.allowance() {
            tokio::time::sleep(wait).await;
        }
        let stream = match open {
            Some(stream) => stream,
            None => {
                let stream = self.link.connection.open_uni().await.map_err(|_| Stop::Lost)?;
                stream.set_priority(self.lane.priority()).map_err(|_| Stop::Lost)?;
                encoded = [&[self.lane.byte()], &encoded[..]].concat().into();
                open.insert(stream)
            }
        };
        Ok(stream.write_chunk(encoded).await?)
    }

    fn allowance(&self) -> Result<(), Duration> {
        lock(&self.pace).take(Instant::now())
    }

    async fn encode(&self, frame: Frame) -> Result<Vec<u8>, Stop> {
        match self.lane {
            Lane::Control => Ok(frame.encode()?),
            Lane::Changes => {
                on_a_worker(&self.workers, move || frame.encode()).await?.map_err(Stop::from)
            }
        }
    }
}

/// Runs work of milliseconds beside the async threads, as much of it at once as there are cores.
pub(crate) async fn on_a_worker<T: Send + 'static>(
    workers: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stop> {
    let permit = Arc::clone(workers).acquire_owned().await.map_err(|_| Stop::Lost)?;
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.map_err(|error| {
        tracing::error!(%error, "worker-failed");
        Stop::malformed("frame could not be worked on")
    })
}
