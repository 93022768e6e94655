//! The socket through which commands reach the running node: JSON, one value a line.
//!
//! A request is one line, the answer is another: `{"result": ..}` or `{"failure": ..}`. A client
//! may ask again on the same connection.

use std::fs::{self, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::caller::Caller;
use crate::failure::Failure;

/// The version of the shapes that `--json` prints.
pub const SCHEMA: u32 = 1;

/// What a command asks of the running node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The name of the command.
    pub command: String,
    /// Its arguments, an object; `null` if it has none.
    #[serde(default)]
    pub arguments: Value,
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Result(Value),
    Failure(Failure),
}

/// The bound socket; its file goes when this value does.
#[derive(Debug)]
pub struct ApiSocket {
    path: PathBuf,
    listener: UnixListener,
}

impl ApiSocket {
    /// Binds the socket (mode 0600). One that a killed process left behind is replaced; one that
    /// answers is refused with exit code 11. Must be called within a tokio runtime.
    pub async fn bind(path: &Path) -> Result<ApiSocket, Failure> {
        if UnixStream::connect(path).await.is_ok() {
            let why = format!("another process answers at {}", path.display());
            return Err(Failure::locked("socket-taken", "node not started", why, "stop it first"));
        }
        let bound = remove_stale(path).and_then(|()| {
            let listener = UnixListener::bind(path)?;
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            Ok(listener)
        });
        match bound {
            Ok(listener) => Ok(ApiSocket { path: path.to_owned(), listener }),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Err(Failure::store(
                "socket-path",
                "socket not made",
                format!("{}: {error}; the limit is 107 bytes", path.display()),
                "choose a shorter path with --data",
            )),
            Err(error) => Err(Failure::disk("socket not made", path, &error)),
        }
    }

    /// Answers clients, up to 128 at once and the others in turn, until `stop`; then commands
    /// under way have 5 s to finish.
    pub async fn serve<H, F>(self, handler: H, stop: CancellationToken)
    where
        H: Fn(Caller, Request) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let mut clients = JoinSet::new();
        loop {
            // A task that panicked took only its own client with it.
            while clients.try_join_next().is_some() {}
            tokio::select! {
                () = stop.cancelled() => break,
                _ = clients.join_next(), if clients.len() >= MAX_CLIENTS => {}
                accepted = self.listener.accept(), if clients.len() < MAX_CLIENTS => {
                    match accepted {
                        Ok((stream, _)) => {
                            clients.spawn(attend(stream, Arc::clone(&handler), stop.clone()));
                        }
                        Err(error) => {
                            // Out of file descriptors, mostly: it passes, and asking again at
                            // once would only burn time.
                            tracing::warn!(%error, "client not accepted");
                            tokio::time::sleep(ACCEPT_PAUSE).await;
                        }
                    }
                }
            }
        }
        let drained = timeout(DRAIN, async { while clients.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!(clients = clients.len(), "commands cut off");
        }
    }
}

impl Drop for ApiSocket {
    fn drop(&mut self) {
        // What stays is recognised as stale at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Binds the socket and answers clients until `stop`.
pub async fn serve<H, F>(path: &Path, handler: H, stop: CancellationToken) -> Result<(), Failure>
where
    H: Fn(Caller, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Value, Failure>> + Send + 'static,
{
    ApiSocket::bind(path).await?.serve(handler, stop).await;
    Ok(())
}

/// Asks the running node and waits for its answer. No node there: exit code 13.
pub async fn call(path: &Path, request: &Request) -> Result<Value, Failure> {
    let stream = UnixStream::connect(path).await.map_err(|error| no_node(path, &error))?;
    let (from, mut to) = stream.into_split();
    let lost = |cause: String| {
        let remedy = "see its log with what it was doing, then try again";
        Failure::unreachable("node-lost", "no answer from the node", cause, remedy)
    };
    let line = line_of(request);
    if line.len() > MAX_REQUEST_BYTES {
        return Err(bad_request(too_long(MAX_REQUEST_BYTES)));
    }
    to.write_all(&line).await.map_err(|error| lost(error.to_string()))?;
    let line = match read_line(&mut BufReader::new(from), MAX_ANSWER_BYTES).await {
        Ok(Some(line)) => line,
        Ok(None) => return Err(lost("it closed the connection".into())),
        Err(error) => return Err(lost(error.to_string())),
    };
    match serde_json::from_slice(&line) {
        Ok(Line::Result(value)) => Ok(value),
        Ok(Line::Failure(failure)) => Err(failure),
        Err(error) => Err(Failure::version(
            "answer-unreadable",
            "answer of the node not understood",
            error.to_string(),
            "use the program of the version that runs, or restart the node",
        )),
    }
}

/// Serves one client until it leaves, stays silent for 30 s between requests, or breaks a limit.
async fn attend<H, F>(stream: UnixStream, handler: Arc<H>, stop: CancellationToken)
where
    H: Fn(Caller, Request) -> F,
    F: Future<Output = Result<Value, Failure>>,
{
    // The system says who is at the other end; a client whom it does not know is not served.
    let Ok(user) = stream.peer_cred().map(|peer| peer.uid()) else { return };
    let caller = Caller::Command { user };
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    loop {
        let read = tokio::select! {
            read = timeout(SILENCE, read_line(&mut from, MAX_REQUEST_BYTES)) => read,
            () = stop.cancelled() => return,
        };
        let (line, over) = match read {
            Ok(Ok(Some(line))) => match serde_json::from_slice(&line) {
                Ok(request) => (answer(handler.as_ref()(caller.clone(), request)).await, false),
                Err(error) => (Line::Failure(bad_request(error.to_string())), false),
            },
            // Where the next line begins is unknown after one that is too long.
            Ok(Err(error)) => (Line::Failure(bad_request(error.to_string())), true),
            Ok(Ok(None)) | Err(_) => return,
        };
        if to.write_all(&line_of(&line)).await.is_err() || over {
            return;
        }
    }
}

/// Runs the command to its end, also when the client has left: half a command helps nobody.
async fn answer(command: impl Future<Output = Result<Value, Failure>>) -> Line {
    // A command holds much state; the loop that serves the client shall not.
    match Box::pin(command).await {
        Ok(value) => Line::Result(value),
        Err(failure) => Line::Failure(failure),
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads one line of at most `limit_bytes` without its end; `None` at the end of the stream.
async fn read_line<R: AsyncRead + Unpin>(
    from: &mut BufReader<R>,
    limit_bytes: usize,
) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(limit_bytes as u64 + 1).read_until(b'\n', &mut line).await?;
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(line));
    }
    match line.len() {
        0 => Ok(None),
        length if length > limit_bytes => {
            Err(io::Error::new(io::ErrorKind::InvalidData, too_long(limit_bytes)))
        }
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "line ends without its line feed")),
    }
}

fn line_of(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("texts, numbers and JSON values encode");
    line.push(b'\n');
    line
}

fn too_long(limit_bytes: usize) -> String {
    format!("line is longer than the limit of {limit_bytes} bytes")
}

fn bad_request(cause: String) -> Failure {
    let remedy = "send one line: {\"command\": \"status\", \"arguments\": {}}";
    Failure::usage("bad-request", "request not understood", cause, remedy)
}

fn no_node(path: &Path, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Failure::disk("chưa hỏi được nút / node not asked", path, error);
    }
    let folder = path.parent().unwrap_or(path).display();
    Failure::unreachable(
        "node-not-running",
        "chưa hỏi được nút / node not asked",
        format!("no node answers at {}: {error}", path.display()),
        format!("start it with 'lienthong serve --data {folder}'"),
    )
}

/// The longest request, its line feed included: a catalogue of 2,300 procedures has 5 MB.
const MAX_REQUEST_BYTES: usize = 8 << 20;
/// The longest line of an answer that a client takes in.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// Twice what an import asks at once, so that others are answered beside it.
const MAX_CLIENTS: usize = 128;
/// How long a client may keep its place without asking.
const SILENCE: Duration = Duration::from_secs(30);
/// How long to wait after a client could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long commands under way may take after `stop`.
const DRAIN: Duration = Duration::from_secs(5);

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
