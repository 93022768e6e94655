//! The command line: what can be typed, and which request it is.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use lienthong::{Failure, Request};
use lienthong_dossier::{ActKind, NewAct, Reception};
use lienthong_protocol::{NodeId, OfficeId};

/// Liên Thông connects the one-stop offices of a province.
#[derive(Parser)]
#[command(name = "lienthong", version, about, disable_help_subcommand = true)]
pub(crate) struct Line {
    /// The data folder of the node.
    #[arg(long, env = "LIENTHONG_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Prints one line of JSON on standard output instead of words.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Founds a federation: the first node, of the root office.
    Init {
        /// The root office.
        #[arg(long)]
        office: OfficeId,
        /// The province file with all offices.
        #[arg(long)]
        province: PathBuf,
    },
    /// Runs the node until it is told to stop.
    Serve(Serve),
    /// Makes a join code for one office.
    Invite {
        /// The office.
        office: OfficeId,
        /// How long the code is good, in hours, 1 to 720.
        #[arg(long, default_value_t = 72)]
        valid_hours: u32,
    },
    /// Joins the federation of a join code.
    Join {
        /// The code; `-` reads it from standard input, where no other user sees it.
        code: String,
    },
    /// Where this node stands.
    Status,
    /// The links of this node.
    Peers,
    /// Whether one office answers.
    Ping {
        /// The office.
        office: OfficeId,
    },
    /// Counter work.
    #[command(subcommand)]
    Dossier(Counter),
    /// The offices of the federation.
    #[command(subcommand)]
    Office(OfficeCommand),
    /// The nodes of the federation.
    #[command(subcommand)]
    Node(NodeCommand),
    /// Receives dossiers from a file of JSON Lines, one reception a line.
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// Who takes them in.
        #[arg(long, default_value = "import")]
        officer: String,
    },
    /// Writes the canonical form of every dossier to a file, one a line.
    Export {
        /// The file; it appears when it is complete.
        file: PathBuf,
    },
    /// The settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Plays a province on loopback: offices work, are cut off, come back and settle.
    Demo {
        /// How many offices besides the hub, 2 to 100.
        #[arg(long, default_value_t = 8)]
        offices: usize,
        /// How many dossiers, 1 to 100,000.
        #[arg(long, default_value_t = 80)]
        dossiers: usize,
    },
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Where to listen, as `host:port`.
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// What to tell others to dial, if not the address listened at.
    #[arg(long)]
    pub(crate) advertise: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Counter {
    /// Takes a dossier in; the reception is a JSON file, `-` for standard input.
    Receive {
        /// The file.
        file: PathBuf,
        /// Who takes it in.
        #[arg(long)]
        officer: String,
    },
    /// Adds an act.
    Act {
        /// The dossier, by code or document id.
        dossier: String,
        /// What is done, such as `in-process` or `finished`.
        kind: String,
        /// Who does it.
        #[arg(long)]
        officer: String,
        /// A note.
        #[arg(long)]
        note: Option<String>,
        /// Why; needed for a refusal, a supplement, a stop and a reversal.
        #[arg(long)]
        reason: Option<String>,
        /// A new due, as YYYY-MM-DD.
        #[arg(long)]
        due: Option<String>,
        /// The office that it goes to.
        #[arg(long)]
        to: Option<OfficeId>,
        /// The act that it answers or reverses.
        #[arg(long)]
        regards: Option<String>,
    },
    /// One dossier.
    Show {
        /// By code or document id.
        dossier: String,
    },
    /// The newest dossiers.
    List {
        /// How many at most, 1 to 1,000.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Every change of one dossier.
    History {
        /// By code or document id.
        dossier: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum OfficeCommand {
    /// All offices.
    List,
}

#[derive(Subcommand)]
pub(crate) enum NodeCommand {
    /// All nodes, and those that wait for approval.
    List,
    /// Lets a node in that waits.
    Approve {
        /// Its id.
        node: NodeId,
    },
    /// Revokes a node for ever: it gets no link again, and what it writes from now on counts
    /// nowhere. What the hub holds of it stays.
    Revoke {
        /// Its id.
        node: NodeId,
        /// Why; everybody who has the registry can read it.
        #[arg(long = "reason", value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says whether the settings are good.
    Check,
    /// Shows every setting and where it comes from.
    Show,
}

impl OfficeCommand {
    pub(crate) fn into_request(self) -> Request {
        match self {
            OfficeCommand::List => Request::Offices,
        }
    }
}

impl NodeCommand {
    pub(crate) fn into_request(self) -> Request {
        match self {
            NodeCommand::List => Request::Nodes,
            NodeCommand::Approve { node } => Request::Approve { node },
            NodeCommand::Revoke { node, reason } => Request::Revoke { node, reason },
        }
    }
}

impl Counter {
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Counter::Receive { file, officer } => {
                let reception = Box::new(reception(text_of(&file)?.as_bytes())?);
                Request::Receive { reception, officer }
            }
            Counter::Act { dossier, kind, officer, note, reason, due, to, regards } => {
                let kind = ActKind::of(&kind).ok_or_else(|| no_such_act(&kind))?;
                // The node fills in its own office.
                let office = "-".parse().map_err(|_| no_such_act("of no office"))?;
                let plain = NewAct::new("", kind, office, &officer);
                let act = Box::new(NewAct { note, reason, due, to_office: to, regards, ..plain });
                Request::Act { dossier, act }
            }
            Counter::Show { dossier } => Request::Show { dossier },
            Counter::List { limit } => Request::List { limit },
            Counter::History { dossier } => Request::History { dossier },
        })
    }
}

fn no_such_act(kind: &str) -> Failure {
    let words: Vec<&str> = ActKind::ALL.iter().map(|kind| kind.word()).collect();
    let remedy = format!("use one of: {}", words.join(", "));
    Failure::usage("unknown-act", "nothing was done", format!("no act '{kind}'"), remedy)
}

/// A reception from its JSON. What the text holds is never repeated: it tells who somebody is.
pub(crate) fn reception(text: &[u8]) -> Result<Reception, Failure> {
    serde_json::from_slice(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let at = if line == 1 { String::new() } else { format!("line {line}, ") };
        let at = format!("{at}column {column} does not fit a reception");
        let remedy = "give at least procedure, offices.receiving and applicant.name";
        Failure::refused("bad-reception", "not received", at, remedy)
    })
}

/// The text of a file, or of standard input for `-`; at most 16 MiB.
pub(crate) fn text_of(file: &Path) -> Result<String, Failure> {
    use std::io::Read;
    let open = || -> std::io::Result<Box<dyn Read>> {
        if file == Path::new("-") {
            return Ok(Box::new(std::io::stdin()));
        }
        Ok(Box::new(std::fs::File::open(file)?))
    };
    let mut text = String::new();
    let read = open().and_then(|from| from.take(MAX_FILE_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| bad_file(file, &error.to_string()))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(bad_file(file, &format!("it is longer than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// The failure of a file that a person named.
pub(crate) fn bad_file(file: &Path, why: &str) -> Failure {
    let why = format!("{}: {why}", file.display());
    Failure::usage("file", "the file cannot be used", why, "check its name and its rights")
}

/// The largest file that is read as a whole; a province has some hundred kilobytes.
const MAX_FILE_BYTES: u64 = 16 << 20;
