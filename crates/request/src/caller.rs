//! Who asks, and what of an answer is a look at a dossier.

use serde::{Deserialize, Serialize};

use crate::request::Request;

/// Who asks a node, and by which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// An officer at a page; empty before somebody signed in.
    Page {
        /// The account.
        officer: String,
    },
    /// A program with the account of an officer.
    Api {
        /// The account.
        officer: String,
    },
    /// A command at the machine.
    Command {
        /// The number of the user whom the machine knows.
        user: u32,
    },
    /// The program that the node runs in.
    Program,
}

/// What is shown of a dossier when somebody looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookKind {
    /// All of it.
    Dossier,
    /// What a person should look at.
    Review,
    /// Its changes, without what they say.
    History,
    /// A printed form.
    Form,
    /// The register, which names the applicants of many.
    Register,
    /// The canonical form of many.
    Export,
}

impl Caller {
    /// Who it is, in letters: an account, or `uid-` and a number.
    pub fn who(&self) -> String {
        match self {
            Caller::Page { officer } | Caller::Api { officer } => officer.clone(),
            Caller::Command { user } => format!("uid-{user}"),
            Caller::Program => "lienthong".to_owned(),
        }
    }

    /// The word for the way.
    pub const fn way(&self) -> &'static str {
        match self {
            Caller::Page { .. } => "page",
            Caller::Api { .. } => "api",
            Caller::Command { .. } => "command",
            Caller::Program => "program",
        }
    }
}

impl LookKind {
    /// Whether many dossiers are shown at once.
    pub const fn is_of_many(self) -> bool {
        matches!(self, LookKind::Register | LookKind::Export)
    }
}

impl Request {
    /// What the answer shows of dossiers, if it is more than lists do, which are masked.
    pub const fn look(&self) -> Option<LookKind> {
        match self {
            Request::Show { .. } => Some(LookKind::Dossier),
            Request::Review { .. } => Some(LookKind::Review),
            Request::History { .. } => Some(LookKind::History),
            Request::Print { .. } => Some(LookKind::Form),
            Request::PrintRegister { .. } => Some(LookKind::Register),
            Request::Export { .. } => Some(LookKind::Export),
            _ => None,
        }
    }
}
