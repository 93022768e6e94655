//! What people and programs may ask of a running node.

use lienthong_dossier::{NewAct, Reception};
use lienthong_protocol::{NodeId, OfficeId};
use serde::{Deserialize, Serialize};

use crate::filter::{AccessFilter, Filter};
use crate::proposing::{Deciding, ProposalFilter, Proposing};
use crate::socket;

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
    /// How the offices at and below this node's stand, worst first.
    Board,
    /// One of them: its nodes, its history of contact, its proof, what of it is in quarantine.
    BoardOffice {
        /// Which.
        office: OfficeId,
    },
    /// The waves in which centres join, and how ready each office is.
    Rollout,
    /// Notes whether an office has one of the things on the readiness list; by the root office.
    Tick {
        /// The office.
        office: OfficeId,
        /// The thing, by its word in the answer to [`Request::Rollout`].
        need: String,
        /// Whether it is there.
        done: bool,
        /// Who says so.
        officer: String,
    },
    /// The join codes that were given out, without the codes.
    Invitations,
    /// Takes back a join code that nobody has come with.
    Withdraw {
        /// Its `id` in the answer to [`Request::Invitations`].
        invitation: String,
    },
    /// Refuses a new node that waits; its code is void.
    Refuse {
        /// Which.
        node: NodeId,
    },
    /// Publishes a catalogue, a calendar or a staff list.
    Publish {
        /// Which of them.
        what: Publishing,
        /// The name of the file, for errors.
        file: String,
        /// Its text.
        text: String,
        /// The day from which a catalogue holds, as YYYY-MM-DD; today if none is named, and for the
        /// first one the beginning.
        from: Option<String>,
    },
    /// The procedures that are offered on a day.
    Procedures {
        /// Words that all stand in code, name, field or group; none for all procedures.
        text: Option<String>,
        /// The day, as YYYY-MM-DD; today if none is named.
        day: Option<String>,
    },
    /// One procedure as it is in force on a day.
    Procedure {
        /// Any of its codes.
        code: String,
        /// The day, as YYYY-MM-DD; today if none is named.
        day: Option<String>,
    },
    /// The working calendar of a year.
    CalendarYear {
        /// Which.
        year: i16,
    },
    /// The officers and delegations of an office.
    Staff {
        /// Which; the node's own if none is named.
        office: Option<OfficeId>,
    },
    /// Proposes to cut something from a procedure.
    Propose(Box<Proposing>),
    /// Answers a proposal; by the root office.
    Decide(Box<Deciding>),
    /// The proposals of this office and of those below it, newest first.
    Proposals(ProposalFilter),
    /// Takes a dossier in.
    Receive {
        /// What was handed in.
        reception: Box<Reception>,
        /// Who takes it in.
        officer: String,
        /// It came through the portal or by post and nobody looked at it yet: status 1.
        #[serde(default)]
        registered: bool,
    },
    /// What a reception would be due by if it were taken in now; nothing is saved.
    Due {
        /// What is handed in.
        reception: Box<Reception>,
    },
    /// The kinds of act that an officer of this node's office may do about a dossier now.
    Offered {
        /// By code or document id.
        dossier: String,
        /// Who.
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
    /// What about one dossier a person should look at.
    Review {
        /// By code or document id.
        dossier: String,
    },
    /// Dossiers from the view, newest first, with masked names.
    List(Box<Filter>),
    /// What this node has to tell applicants now, as the elected sender; recipients are masked.
    Outbox,
    /// Who looked at which dossier, the newest look first.
    Looks(AccessFilter),
    /// Throws the view away and makes it anew, behind everything else.
    RebuildViews,
    /// The changes of one dossier, with what admission says of them.
    History {
        /// By code or document id.
        dossier: String,
    },
    /// What the forms 01 to 06 say about one dossier.
    Print {
        /// By code or document id.
        dossier: String,
    },
    /// What the register says, form 07: the newest dossiers that this office received.
    PrintRegister {
        /// How many at most; 1 to 1,000.
        limit: usize,
    },
    /// The canonical form of one page of dossiers, newest first.
    Export {
        /// Only those older than this document; none for the first page.
        below: Option<String>,
    },
}

/// What a file publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Publishing {
    /// The procedures; by the root office.
    Catalogue,
    /// The working calendar of one year; by the root office.
    Calendar,
    /// The people of one office; by that office.
    Staff,
}

impl From<&Request> for socket::Request {
    /// The request as it goes through the socket of a node.
    fn from(request: &Request) -> socket::Request {
        let value = serde_json::to_value(request).expect("texts, numbers and ids encode");
        let command = value["command"].as_str().unwrap_or_default().to_owned();
        socket::Request { command, arguments: value["arguments"].clone() }
    }
}
