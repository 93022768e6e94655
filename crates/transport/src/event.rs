//! What the layer above hears.

use std::fmt;
use std::net::SocketAddr;

use lienthong_protocol::{Change, ChangeError, Frame, Knock, NodeId};
use tokio::sync::oneshot;

use crate::{Answer, Closed, DialError, LinkSender};

/// Names one link; never given twice in a process, whatever its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One thing that happened on the endpoint.
#[derive(Debug)]
pub enum LinkEvent {
    /// The handshake is done and the gate agreed. Send the hello; the peer may still refuse.
    Reached {
        /// Which link.
        link: LinkId,
        /// The peer, proven by its key.
        node: NodeId,
        /// Whether this end dialled.
        dialed: bool,
        /// Where the peer is.
        remote: SocketAddr,
        /// Sends on the link. Dropping every clone closes it with `going-away`.
        sender: LinkSender,
    },
    /// The peer's first frame has come and follows next: the link is connected.
    Up {
        /// Which link.
        link: LinkId,
        /// The peer.
        node: NodeId,
        /// Whether this end dialled.
        dialed: bool,
        /// Where the peer is.
        remote: SocketAddr,
        /// Sends on the link.
        sender: LinkSender,
    },
    /// A frame has come.
    Frame {
        /// On which link.
        link: LinkId,
        /// The frame.
        frame: Arrived,
    },
    /// The link is over. Frames that were not yet handed over are lost.
    Down {
        /// Which link.
        link: LinkId,
        /// The peer.
        node: NodeId,
        /// Why.
        close: Closed,
    },
    /// A dial did not reach its peer. A dial ends with this or with `Reached`.
    DialFailed {
        /// Who was dialled.
        node: NodeId,
        /// Why.
        cause: DialError,
    },
    /// A node that may be unknown asks to join. Its key is proven, nothing else is.
    Knock {
        /// The new node.
        node: NodeId,
        /// Where it is.
        remote: SocketAddr,
        /// What it says.
        knock: Knock,
        /// Takes the answer; without one in time the new node is told to try again.
        answer: oneshot::Sender<Answer>,
    },
}

/// A frame as it is handed over.
#[derive(Debug)]
pub enum Arrived {
    /// Any frame but a batch.
    Frame(Frame),
    /// A batch, decoded and with its signatures checked.
    Changes {
        /// The number of the batch.
        number: u64,
        /// The changes whose signatures are right, in the order of the batch.
        changes: Vec<Change>,
        /// Why the others were refused, in the order of the batch.
        refused: Vec<ChangeError>,
    },
}
