//! What people and programs may ask of a running node.

use lienthong_dossier::{NewAct, Reception};
use lienthong_protocol::{NodeId, OfficeId};
use serde::{Deserialize, Serialize};

/// One command, as it travels through the node's socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", content = "arguments", rename_all = "kebab-case")]
pub enum Request {
    /// Where this node stands.
    Status,
    /// The links alone.
    Peers,
    /// How far one office is.
    Ping {
        /// Which.
        office: OfficeId,
    },
    /// Makes a join code.
    Invite {
        /// The one office that it is for.
        office: OfficeId,
        /// How long it is good, in hours.
        valid_hours: u32,
    },
    /// Approves a new node that waits.
    Approve {
        /// Which.
        node: NodeId,
    },
    /// Revokes a node for ever.
    Revoke {
        /// Which.
        node: NodeId,
        /// Why, for whoever reads the registry; at most 512 bytes.
        reason: Option<String>,
    },
    /// The nodes of the federation and those that wait.
    Nodes,
    /// The offices of the federation.
    Offices,
    /// Takes a dossier in.
    Receive {
        /// What was handed in.
        reception: Box<Reception>,
        /// Who takes it in.
        officer: String,
    },
    /// Adds an act to a dossier.
    Act {
        /// The dossier, by code or document id.
        dossier: String,
        /// The act; its id is given by the node when it is empty.
        act: Box<NewAct>,
    },
    /// One dossier.
    Show {
        /// By code or document id.
        dossier: String,
    },
    /// The newest dossiers, with masked names.
    List {
        /// How many at most; 1 to 1,000.
        limit: usize,
    },
    /// The changes of one dossier, with what admission says of them.
    History {
        /// By code or document id.
        dossier: String,
    },
    /// The canonical form of one page of dossiers, newest first.
    Export {
        /// Only those older than this document; none for the first page.
        below: Option<String>,
    },
}

impl From<&Request> for crate::api::Request {
    /// The request as it goes through the socket of a node.
    fn from(request: &Request) -> crate::api::Request {
        let value = serde_json::to_value(request).expect("texts, numbers and ids encode");
        let command = value["command"].as_str().unwrap_or_default().to_owned();
        crate::api::Request { command, arguments: value["arguments"].clone() }
    }
}
