//! A stretch of network in front of one node, which a test cuts and mends.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::UdpSocket;
use tokio::task::{JoinHandle, JoinSet};

/// The largest datagram that passes, in bytes.
const MAX_DATAGRAM_BYTES: usize = 2_048;

/// Passes datagrams to a node and back. What comes while it is cut is lost.
pub struct Relay {
    address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens in front of a node.
    pub async fn before(node: SocketAddr) -> Relay {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        let address = front.local_addr().expect("it is bound");
        let is_cut = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(pass(Arc::new(front), node, Arc::clone(&is_cut)));
        Relay { address, is_cut, task }
    }

    /// Where others reach the node.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the network off, or mends it.
    pub fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(front: Arc<UdpSocket>, node: SocketAddr, is_cut: Arc<AtomicBool>) {
    let mut backs: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
    // They end with this task.
    let mut returning = JoinSet::new();
    let mut datagram = [0; MAX_DATAGRAM_BYTES];
    loop {
        // An error here is about an earlier datagram: its receiver has gone.
        let Ok((length, client)) = front.recv_from(&mut datagram).await else { continue };
        if is_cut.load(Ordering::Relaxed) {
            continue;
        }
        let back = match backs.get(&client) {
            Some(back) => Arc::clone(back),
            None => {
                let back = Arc::new(socket_to(node).await);
                let (front, is_cut) = (Arc::clone(&front), Arc::clone(&is_cut));
                returning.spawn(pass_back(Arc::clone(&back), front, client, is_cut));
                backs.insert(client, Arc::clone(&back));
                back
            }
        };
        // A node that is down refuses it: lost, as on any network.
        drop(back.send(&datagram[..length]).await);
    }
}

async fn socket_to(node: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
    socket.connect(node).await.expect("loopback");
    socket
}

async fn pass_back(
    back: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    client: SocketAddr,
    is_cut: Arc<AtomicBool>,
) {
    let mut datagram = [0; MAX_DATAGRAM_BYTES];
    loop {
        let Ok(length) = back.recv(&mut datagram).await else { continue };
        if !is_cut.load(Ordering::Relaxed) {
            drop(front.send_to(&datagram[..length], client).await);
        }
    }
}
