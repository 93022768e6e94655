//! What a command says when it could not do what it was asked: what, why, what to do, exit code.

use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How a command ends, as scripts see it. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Exit {
    /// Done.
    Ok,
    /// Not done, for a reason that no other code names.
    Failed,
    /// The command line or a setting is wrong.
    Usage,
    /// The node works, and something needs a look.
    Degraded,
    /// The node does not do its work.
    Critical,
    /// There is no node here, or it belongs to no federation yet.
    NotJoined,
    /// Another process uses the data folder.
    Locked,
    /// A rule or a peer said no.
    Refused,
    /// A node, or the one of this folder, does not answer.
    Unreachable,
    /// Two programs speak no common version.
    Version,
    /// The disk or what lies on it is at fault.
    Store,
}

impl Exit {
    /// The exit code of the process.
    pub const fn number(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Degraded => 3,
            Exit::Critical => 4,
            Exit::NotJoined => 10,
            Exit::Locked => 11,
            Exit::Refused => 12,
            Exit::Unreachable => 13,
            Exit::Version => 14,
            Exit::Store => 15,
        }
    }

    const ALL: [Exit; 11] = [
        Exit::Ok,
        Exit::Failed,
        Exit::Usage,
        Exit::Degraded,
        Exit::Critical,
        Exit::NotJoined,
        Exit::Locked,
        Exit::Refused,
        Exit::Unreachable,
        Exit::Version,
        Exit::Store,
    ];
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> u8 {
        exit.number()
    }
}

impl TryFrom<u8> for Exit {
    type Error = String;

    fn try_from(number: u8) -> Result<Exit, String> {
        let known = Exit::ALL.into_iter().find(|exit| exit.number() == number);
        known.ok_or_else(|| format!("{number} is no exit code of this version"))
    }
}

/// Why a command did not do what it was asked. Shown as one line, sent as JSON over the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The exit code of the command.
    pub exit: Exit,
    /// A fixed kebab-case word for programs.
    pub code: String,
    /// What did not happen; lower case, no full stop.
    pub what: String,
    /// Why, with the value and the limit.
    pub why: String,
    /// What the person can do.
    pub remedy: String,
}

impl Failure {
    /// A failure of any kind.
    pub fn new(
        exit: Exit,
        code: &str,
        what: impl Into<String>,
        why: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Failure {
        let (what, why, remedy) = (what.into(), why.into(), remedy.into());
        Failure { exit, code: code.to_owned(), what, why, remedy }
    }

    /// The failure of a disk operation on `file`.
    pub fn disk(what: &str, file: &Path, error: &io::Error) -> Failure {
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "run as the owner of the folder, or change its owner"
            }
            io::ErrorKind::StorageFull => "free space on that disk, then try again",
            _ => "check the disk and the path, then try again",
        };
        Failure::store("disk", what, format!("{}: {error}", file.display()), remedy)
    }
}

/// Gives a kind of failure its constructor.
macro_rules! constructor {
    ($(#[$doc:meta])* $name:ident, $exit:ident) => {
        impl Failure {
            $(#[$doc])*
            pub fn $name(
                code: &str,
                what: impl Into<String>,
                why: impl Into<String>,
                remedy: impl Into<String>,
            ) -> Failure {
                Failure::new(Exit::$exit, code, what, why, remedy)
            }
        }
    };
}

constructor!(
    /// Not done, for a reason that no other exit code names (1).
    failed,
    Failed
);
constructor!(
    /// The command line or a setting is wrong (2).
    usage,
    Usage
);
constructor!(
    /// The node works, and something needs a look (3).
    degraded,
    Degraded
);
constructor!(
    /// The node does not do its work (4).
    critical,
    Critical
);
constructor!(
    /// There is no node here, or it belongs to no federation yet (10).
    not_joined,
    NotJoined
);
constructor!(
    /// Another process uses the data folder (11).
    locked,
    Locked
);
constructor!(
    /// A rule or a peer said no (12).
    refused,
    Refused
);
constructor!(
    /// A node does not answer (13).
    unreachable,
    Unreachable
);
constructor!(
    /// No common version (14).
    version,
    Version
);
constructor!(
    /// The disk or what lies on it is at fault (15).
    store,
    Store
);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cause from elsewhere may have line breaks; a failure is one line.
        let line = format!("{}: {}; {}", self.what, self.why, self.remedy);
        f.write_str(&line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
