//! What happens to a replica, and what it wants done.

use std::fmt;

use lienthong_protocol::{
    ChangeId, CloseCode, DocumentId, Frame, Moment, NodeId, OfficeId, Reports,
};

use crate::admission::Inspected;
use crate::intake::Stored;
use crate::shelf::Place;

/// One link, as long as it lasts. Numbers are never used again in one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which append a [`Event::Stored`] or [`Event::NotStored`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Something that happened outside.
#[derive(Debug)]
pub enum Event {
    /// A handshake with a node that the registry knows is done; nothing was read yet.
    Reached {
        /// The new link.
        link: LinkId,
        /// The key at the other end.
        node: NodeId,
        /// Whether this end dialled.
        dialed: bool,
    },
    /// A frame has come; a batch comes as [`Event::Changes`].
    Frame {
        /// From where.
        link: LinkId,
        /// What.
        frame: Frame,
    },
    /// The changes of a batch have come, signatures checked and payloads looked at.
    Changes {
        /// From where.
        link: LinkId,
        /// The number of the batch.
        number: u64,
        /// Its good changes.
        changes: Vec<Inspected>,
        /// How many of its changes were refused for their bytes alone.
        refused: u32,
    },
    /// The link is gone.
    Down {
        /// Which.
        link: LinkId,
    },
    /// A node could not be reached.
    DialFailed {
        /// Which.
        node: NodeId,
    },
    /// The network was lost or came back: every back-off starts anew.
    NetworkChanged,
    /// A person or program at this node has written a change, signed with this node's key.
    Authored {
        /// The change, numbered by [`crate::Replica::header`].
        change: Inspected,
    },
    /// Changes are durable.
    Stored {
        /// Which append.
        ticket: Ticket,
        /// The changes with their places, in the order of the append.
        stored: Vec<Stored>,
    },
    /// Changes could not be stored and are not in the log: the disk is full.
    NotStored {
        /// Which append.
        ticket: Ticket,
    },
    /// Rehearsal found changes that no document can take.
    Unfit {
        /// Their document.
        document: DocumentId,
        /// The changes.
        changes: Vec<ChangeId>,
    },
    /// What was kept a second time beside the log; what of it is not here is stored again.
    Spared {
        /// The changes.
        changes: Vec<Inspected>,
    },
    /// Parts of the log cannot be read, not even at a second try: the changes there are taken out
    /// of the index, so that the next comparison with a peer that has them brings them back. The
    /// registry stays as it was read until then. It takes one look at every document.
    Damaged {
        /// Which parts; a length of `u32::MAX` reaches to the end of the segment.
        places: Vec<Place>,
    },
}

/// Something that the replica wants done, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Send a frame.
    Send {
        /// On which link.
        link: LinkId,
        /// What.
        frame: Frame,
    },
    /// Make changes durable, all or none, then answer with [`Event::Stored`].
    Append {
        /// Names this append in the answer.
        ticket: Ticket,
        /// What to append.
        changes: Vec<Inspected>,
    },
    /// Try to reach a node.
    Dial {
        /// Which.
        node: NodeId,
        /// Where the registry says that it listens.
        addresses: Vec<String>,
    },
    /// Close a link.
    HangUp {
        /// Which.
        link: LinkId,
        /// Why, for the peer's program.
        code: CloseCode,
        /// Why, for people.
        words: String,
    },
    /// Tell whoever watches.
    Notify(Notice),
}

/// What may interest people and other parts of the node.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The peer's hello has come: the link is connected.
    Connected {
        /// The office at the other end.
        office: OfficeId,
        /// The node at the other end.
        node: NodeId,
        /// Where the node says that it can be dialled.
        addresses: Vec<String>,
    },
    /// A connected link is gone.
    Disconnected {
        /// The office at the other end.
        office: OfficeId,
        /// The node at the other end.
        node: NodeId,
    },
    /// Both ends of a link hold the same.
    Settled {
        /// The office at the other end.
        office: OfficeId,
        /// How many changes both hold.
        changes: u64,
    },
    /// A document has more accepted changes than before.
    Grew {
        /// Which.
        document: DocumentId,
    },
    /// The registry says something new.
    Registry,
    /// Changes from a peer were refused and are not stored.
    Refused {
        /// The peer's office.
        office: OfficeId,
        /// How many.
        changes: u32,
        /// Why the last one was, if this node looked at it itself.
        cause: Option<&'static str>,
    },
    /// A peer tells of the health of nodes. Nothing of it was checked, but that the link is open.
    Reports {
        /// From where.
        link: LinkId,
        /// What.
        reports: Reports,
    },
    /// A person should look.
    Alarm(Alarm),
}

/// What a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Two comparisons in a row ended with different roots though nothing moved.
    Unequal {
        /// The office at the other end.
        office: OfficeId,
    },
    /// Two processes use the key of one node.
    Clone {
        /// The node.
        node: NodeId,
    },
    /// The clocks differ by more than [`crate::MAX_SKEW_MS`].
    Skew {
        /// The office at the other end.
        office: OfficeId,
        /// How far the peer's clock is ahead, in milliseconds.
        skew_ms: i64,
    },
}

/// Why [`crate::Replica::poll_timeout`] wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A node may be dialled again.
    Dial,
    /// A link is due for a ping, for another comparison, or for the end of a probe.
    Link,
    /// The registry is to be read again.
    Registry,
}

/// How far one clock is ahead of another, in milliseconds.
pub(crate) fn skew_ms(theirs: Moment, ours: Moment) -> i64 {
    let (theirs, ours) = (i128::from(theirs.0), i128::from(ours.0));
    i64::try_from(theirs - ours).unwrap_or(i64::MAX)
}
