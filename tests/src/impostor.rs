//! A listener that speaks the protocol with a key of its own, where somebody else is expected.

use std::net::SocketAddr;
use std::sync::Arc;

use lienthong_protocol::{CloseCode, NodeId, NodeKey};
use lienthong_transport::{Endpoint, Gate, LinkEvent, LinkSettings};
use tokio::sync::mpsc;

/// Listens, lets in whoever comes, and keeps what it hears.
pub struct Impostor {
    endpoint: Endpoint,
    id: NodeId,
    heard: mpsc::Receiver<LinkEvent>,
}

struct OpenDoor;

impl Gate for OpenDoor {
    fn admits(&self, _: NodeId) -> Result<(), CloseCode> {
        Ok(())
    }
}

impl Impostor {
    /// Listens at an address that nobody has now; port 0 takes any.
    pub fn at(address: SocketAddr) -> Impostor {
        let key = NodeKey::from_seed([77; 32]);
        let (events, heard) = mpsc::channel(16);
        let bound =
            Endpoint::bind(address, &key, Arc::new(OpenDoor), LinkSettings::default(), events);
        Impostor { endpoint: bound.expect("the address is free"), id: key.id(), heard }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.endpoint.local_address()
    }

    /// Its own id.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// What came next; waits for it.
    pub async fn hears(&mut self) -> LinkEvent {
        self.heard.recv().await.expect("the endpoint lives")
    }

    /// Goes away; asserts that nothing was ever said to it.
    pub async fn leaves_unheard(mut self) {
        self.endpoint.close().await;
        if let Ok(event) = self.heard.try_recv() {
            panic!("the impostor was told something: {event:?}");
        }
    }
}
