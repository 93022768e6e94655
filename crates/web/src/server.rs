//! Listening: connections within limits of number, size and time.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lienthong_certificate::{Certificate, TlsAcceptor};
use lienthong_protocol::Moment;
use lienthong_request::Failure;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::guard::Hosts;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A bound address.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    /// What people type in front of the port, the first the one that is printed.
    names: Vec<String>,
    tls: Option<TlsAcceptor>,
    fingerprint: Option<String>,
}

impl Server {
    /// Binds an address. One that the network reaches, or that has `names`, is served with TLS
    /// under the certificate of the data folder: without it passwords and dossiers would cross the
    /// network for everybody to read. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// An address of the network that has no name to be asked for (`http-no-name`), a certificate
    /// that cannot be used, an address that cannot be bound (`http-not-bound`).
    pub async fn bind(
        address: SocketAddr,
        names: &[String],
        (data, now): (&Path, Moment),
    ) -> Result<Server, Failure> {
        let ip = address.ip();
        if ip.is_unspecified() && names.is_empty() {
            return Err(no_name(address));
        }
        let own = Some(ip.to_string()).filter(|_| !ip.is_unspecified());
        let names: Vec<String> = names.iter().cloned().chain(own).collect();
        let is_plain = ip.is_loopback() && names.len() == 1;
        let certificate = (!is_plain).then(|| Certificate::of(data, &names, now)).transpose()?;
        let tls = certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let fingerprint = certificate.and_then(|certificate| certificate.fingerprint());
        let failed = |error: std::io::Error| {
            let why = format!("{address}: {error}");
            let remedy = "stop what uses the address, or choose another with http or --http";
            Failure::failed("http-not-bound", "the pages are not served", why, remedy)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Server { listener, address, names, tls, fingerprint })
    }

    /// The address, with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names under which it may be asked for.
    pub fn hosts(&self) -> Hosts {
        match self.tls {
            None => Hosts::of(self.address),
            Some(_) => Hosts::secured(&self.names, self.address),
        }
    }

    /// The SHA-256 of the certificate, if the node made it: whoever sits at a browser compares it
    /// once.
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Where a browser goes, as `https://mot-cua.lan:8443`.
    pub fn origin(&self) -> String {
        self.hosts().origin()
    }
}

fn no_name(address: SocketAddr) -> Failure {
    Failure::refused(
        "http-no-name",
        "chưa mở trang / the pages are not served",
        format!("{address} không có tên để gọi / {address} has no name to be asked for"),
        "ghi http_names = \"tên máy hoặc địa chỉ IP\", hoặc đặt http là 127.0.0.1:8080 / \
         set http_names to the name or IP address that people type, or http to 127.0.0.1:8080",
    )
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
                let acceptor = server.tls.clone();
                connections.spawn(async move {
                    secured(stream, acceptor, from.ip(), router, stop).await;
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

/// Attends to a connection behind its handshake, if it needs one; it has as long as a head.
async fn secured(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    from: IpAddr,
    router: Router,
    stop: CancellationToken,
) {
    let Some(acceptor) = acceptor else { return attend(stream, from, router, stop).await };
    let handshake = tokio::time::timeout(HEADER_TIME, acceptor.accept(stream));
    let shaken = tokio::select! {
        () = stop.cancelled() => return,
        shaken = handshake => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => attend(stream, from, router, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "browser not secured"),
        Err(_) => tracing::debug!("browser too slow to be secured"),
    }
}

async fn attend(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    from: IpAddr,
    router: Router,
    stop: CancellationToken,
) {
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
