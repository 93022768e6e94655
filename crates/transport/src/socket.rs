//! A UDP socket that can be let go of while connections still hold it.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime, UdpPoller};

use crate::link::lock;

/// quinn keeps its socket until the last connection has drained, which takes seconds when a peer
/// is out of reach. Unplugging frees the port at once: from then on nothing is received, and what
/// is sent is lost as if the cable were cut.
pub(crate) struct Socket {
    local: SocketAddr,
    plugged: RwLock<Option<Arc<dyn AsyncUdpSocket>>>,
    pollers: Mutex<Vec<Weak<SharedPoller>>>,
}

type SharedPoller = Mutex<Option<Pin<Box<dyn UdpPoller>>>>;

impl Socket {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Arc<Socket>> {
        let inner = TokioRuntime.wrap_udp_socket(std::net::UdpSocket::bind(address)?)?;
        let local = inner.local_addr()?;
        Ok(Arc::new(Socket { local, plugged: RwLock::new(Some(inner)), pollers: Mutex::default() }))
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Frees the port. When this returns, the same address can be bound again.
    pub(crate) fn unplug(&self) {
        let pollers = std::mem::take(&mut *lock(&self.pollers));
        for poller in pollers.iter().filter_map(Weak::upgrade) {
            lock(&poller).take();
        }
        self.plugged.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn with<T>(&self, act: impl FnOnce(&Arc<dyn AsyncUdpSocket>) -> T) -> Option<T> {
        self.plugged.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Socket({})", self.local)
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        let mut pollers = lock(&self.pollers);
        let inner = self.with(|socket| Arc::clone(socket).create_io_poller());
        let poller = Arc::new(Mutex::new(inner));
        pollers.retain(|known| known.strong_count() > 0);
        pollers.push(Arc::downgrade(&poller));
        Box::pin(Poller(poller))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.with(|socket| socket.try_send(transmit)).unwrap_or(Ok(()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.with(|socket| socket.poll_recv(cx, bufs, meta)).unwrap_or(Poll::Pending)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn max_transmit_segments(&self) -> usize {
        self.with(|socket| socket.max_transmit_segments()).unwrap_or(1)
    }

    fn max_receive_segments(&self) -> usize {
        self.with(|socket| socket.max_receive_segments()).unwrap_or(1)
    }

    fn may_fragment(&self) -> bool {
        self.with(|socket| socket.may_fragment()).unwrap_or(true)
    }
}

struct Poller(Arc<SharedPoller>);

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Poller")
    }
}

impl UdpPoller for Poller {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match lock(&self.0).as_mut() {
            Some(inner) => inner.as_mut().poll_writable(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
