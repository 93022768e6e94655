//! Who may sign, and who may write what.

use lienthong_protocol::{Incarnation, Kind, NodeId, OfficeId};
use thiserror::Error;

use crate::audience::Audience;
use crate::registry::Registry;

/// Why the author of a change does not count. Taken again whenever the registry changes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuthorRefusal {
    /// The registry has no such node; the change waits until the registries are equal.
    #[error("node {} is not in the registry", node.short())]
    UnknownNode {
        /// The author.
        node: NodeId,
    },
    /// The node acts in the name of an office that is not its own; the change is quarantined.
    #[error("node {} acts for {claimed}, it belongs to {office}", node.short())]
    WrongOffice {
        /// The author.
        node: NodeId,
        /// The office that the change names.
        claimed: OfficeId,
        /// The office that the registry gives the node.
        office: OfficeId,
    },
    /// The change comes after the node was revoked; it is quarantined.
    #[error("node {} is revoked after seq {last_seq}, the change is seq {seq}", node.short())]
    Revoked {
        /// The author.
        node: NodeId,
        /// The last `seq` of this incarnation that counts.
        last_seq: u64,
        /// The `seq` of the change.
        seq: u64,
    },
}

impl AuthorRefusal {
    /// A fixed word for programs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            AuthorRefusal::UnknownNode { .. } => "unknown-node",
            AuthorRefusal::WrongOffice { .. } => "wrong-office",
            AuthorRefusal::Revoked { .. } => "revoked",
        }
    }
}

/// Why an office may not write a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteRefusal {
    /// Only the root office writes documents of this kind; the change is quarantined.
    #[error("office {office} wrote a {} document, only the root office may", kind.name())]
    NotRoot {
        /// The author's office.
        office: OfficeId,
        /// The kind of the document.
        kind: Kind,
    },
    /// The office does not take part in the document; the change waits for a share that lets it.
    #[error("office {office} does not take part in the document")]
    NotInAudience {
        /// The author's office.
        office: OfficeId,
    },
    /// This version does not know the kind; the change waits for one that does.
    #[error("document kind {} is not known to this version", kind.0)]
    UnknownKind {
        /// The kind of the document.
        kind: Kind,
    },
}

impl WriteRefusal {
    /// A fixed word for programs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            WriteRefusal::NotRoot { .. } => "not-root",
            WriteRefusal::NotInAudience { .. } => "not-in-audience",
            WriteRefusal::UnknownKind { .. } => "unknown-kind",
        }
    }
}

/// Why the first change of a registry does not found a federation. Joining stops.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenesisRefusal {
    /// The registry that it makes has no root office.
    #[error("the registry's first change names no root office")]
    NoRoot,
    /// Its author is not among the nodes that it enters.
    #[error("the registry's first change does not enter its author, node {}", author.short())]
    UnknownAuthor {
        /// The node that signed it.
        author: NodeId,
    },
    /// Its author is a node of another office.
    #[error("the registry's first change is signed by a node of {office}, the root is {root}")]
    NotRoot {
        /// The office of the node that signed it.
        office: OfficeId,
        /// The root office that it names.
        root: OfficeId,
    },
}

impl Registry {
    /// Says whether the registry stands behind the author of a change.
    pub fn author(
        &self,
        node: NodeId,
        office: OfficeId,
        incarnation: Incarnation,
        seq: u64,
    ) -> Result<(), AuthorRefusal> {
        let known = self.node(node).ok_or(AuthorRefusal::UnknownNode { node })?;
        if known.office != office {
            let claimed = office;
            return Err(AuthorRefusal::WrongOffice { node, claimed, office: known.office });
        }
        match known.last_seq(incarnation) {
            Some(last_seq) if seq > last_seq => Err(AuthorRefusal::Revoked { node, last_seq, seq }),
            _ => Ok(()),
        }
    }

    /// Says whether an office may write a document of this kind with this audience.
    pub fn may_write(
        &self,
        office: OfficeId,
        kind: Kind,
        audience: &Audience,
    ) -> Result<(), WriteRefusal> {
        match kind {
            Kind::REGISTRY | Kind::CATALOGUE | Kind::CALENDAR if self.root() == Some(office) => {
                Ok(())
            }
            Kind::REGISTRY | Kind::CATALOGUE | Kind::CALENDAR => {
                Err(WriteRefusal::NotRoot { office, kind })
            }
            Kind::STAFF | Kind::DOSSIER | Kind::PROPOSAL if audience.contains(office) => Ok(()),
            Kind::STAFF | Kind::DOSSIER | Kind::PROPOSAL => {
                Err(WriteRefusal::NotInAudience { office })
            }
            _ => Err(WriteRefusal::UnknownKind { kind }),
        }
    }
}

/// Says whether a registry that holds nothing but its first change may be trusted, given that the
/// id of that change is the federation's: it must be signed by a node of the root office that it
/// itself enters.
pub fn genesis_is_sound(registry: &Registry, author: NodeId) -> Result<(), GenesisRefusal> {
    let root = registry.root().ok_or(GenesisRefusal::NoRoot)?;
    let node = registry.node(author).ok_or(GenesisRefusal::UnknownAuthor { author })?;
    if node.office != root {
        return Err(GenesisRefusal::NotRoot { office: node.office, root });
    }
    Ok(())
}
