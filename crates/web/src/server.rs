//! Listening: connections within limits of number, size and time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lienthong_request::Failure;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::guard::Hosts;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A bound address.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds an address of this machine. Any other is refused: without TLS, passwords and dossiers
    /// would cross the network for everybody to read. Must be called within a tokio runtime.
    pub async fn bind(address: SocketAddr) -> Result<Server, Failure> {
        if !address.ip().is_loopback() {
            return Err(Failure::refused(
                "http-not-loopback",
                "the pages are not served",
                format!("{address} can be reached from the network, and there is no TLS"),
                "set http to 127.0.0.1:8080, and let others come by an encrypted tunnel",
            ));
        }
        let failed = |error: std::io::Error| {
            let why = format!("{address}: {error}");
            let remedy = "stop what uses the address, or choose another with http or --http";
            Failure::failed("http-not-bound", "the pages are not served", why, remedy)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Server { listener, address })
    }

    /// The address, with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names under which it may be asked for.
    pub fn hosts(&self) -> Hosts {
        Hosts::of(self.address)
    }
}

/// Answers until `stop`; then what is under way has 5 s to finish.
pub async fn serve(server: Server, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = server.listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    attend(stream, from.ip(), router, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, mostly: it passes.
                tracing::warn!(%error, "browser not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    if tokio::time::timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "browsers cut off");
    }
}

async fn attend(stream: TcpStream, from: IpAddr, router: Router, stop: CancellationToken) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(from));
        let router = router.clone();
        async move {
            use tower::ServiceExt;
            router.oneshot(request.map(Body::new)).await
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    http.header_read_timeout(HEADER_TIME).max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "browser left");
    }
}

/// A desk has some tens of browsers with up to six connections each.
const MAX_CONNECTIONS: usize = 256;
/// How long a head may take, and a connection stay without a request.
const HEADER_TIME: Duration = Duration::from_secs(15);
const MAX_HEAD_BYTES: usize = 32 << 10;
const MAX_HEADERS: usize = 64;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const DRAIN: Duration = Duration::from_secs(5);

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
