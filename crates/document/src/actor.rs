//! The Automerge actor of one incarnation of one node.

use std::fmt;

use lienthong_protocol::{Incarnation, NodeId};

/// The actor in whose name an incarnation of a node edits.
///
/// It is derived and never chosen, so nobody can sign another's change as its own, and a restart,
/// a restored backup or a cloned disk is a new actor that cannot reuse a sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor([u8; Actor::BYTES]);

impl Actor {
    /// The length of an actor in bytes. A payload whose actors have another length is refused.
    pub const BYTES: usize = 16;

    /// Derives the actor of `incarnation` of the node `author`.
    pub fn derive(author: NodeId, incarnation: Incarnation) -> Actor {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(author.as_bytes());
        hasher.update(&incarnation.0.to_le_bytes());
        let mut actor = [0; Actor::BYTES];
        hasher.finalize_xof().fill(&mut actor);
        Actor(actor)
    }

    /// Takes the bytes of an actor as they stand in a payload.
    pub fn from_bytes(bytes: [u8; Actor::BYTES]) -> Actor {
        Actor(bytes)
    }

    /// Gives the bytes as they stand in a payload.
    pub fn as_bytes(&self) -> &[u8; Actor::BYTES] {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Keeps this use of BLAKE3 apart from every other one.
const CONTEXT: &str = "lienthong document actor 1";
