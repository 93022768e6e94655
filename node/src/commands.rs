//! The command line: what can be typed, and which request it is.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use lienthong::Format;
use lienthong_console::{Import, reception, text_of};
use lienthong_dossier::{ActKind, NewAct};
use lienthong_forms::FormKind;
use lienthong_protocol::{NodeId, OfficeId};
use lienthong_request::{
    AccessFilter, Deciding, Failure, Filter, ProposalFilter, Proposing, Publishing, Request,
};

use crate::Demo;
use crate::serve::Serve;

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
        /// Draws the code as a QR code, too, into this SVG file that you alone can read.
        #[arg(long)]
        qr: Option<PathBuf>,
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
    /// How the offices at and below this one stand, the worst first.
    Board {
        /// One of them alone: its links, nodes, contact and quarantine.
        office: Option<OfficeId>,
    },
    /// Who joins in which wave, and what each office still lacks.
    Rollout {
        #[command(subcommand)]
        command: Option<RolloutCommand>,
    },
    /// The join codes that were given out.
    #[command(subcommand)]
    Invitation(InvitationCommand),
    /// Receives dossiers from a file of JSON Lines or CSV.
    Import(Import),
    /// Writes the canonical form of every dossier to a file, one a line.
    Export {
        /// The file; it appears when it is complete.
        file: PathBuf,
    },
    /// The procedures that the province offers.
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
    /// The working calendars.
    #[command(subcommand)]
    Calendar(CalendarCommand),
    /// The people of an office.
    #[command(subcommand)]
    Staff(StaffCommand),
    /// Who looked at which dossier.
    #[command(subcommand)]
    Access(AccessCommand),
    /// What lists and searches read.
    #[command(subcommand)]
    Views(ViewsCommand),
    /// The settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Plays a province on loopback: offices work, are cut off, come back and settle.
    Demo(Demo),
}

/// One act, as it is typed.
#[derive(Args)]
pub(crate) struct ActLine {
    /// The dossier, by code or document id.
    pub(crate) dossier: String,
    /// What is done, such as `in-process` or `finished`.
    pub(crate) kind: String,
    /// Who does it.
    #[arg(long)]
    pub(crate) officer: String,
    /// A note.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// Why; needed for a refusal, a supplement, a stop and a reversal.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// A new due, as YYYY-MM-DD.
    #[arg(long)]
    pub(crate) due: Option<String>,
    /// The office that it goes to.
    #[arg(long)]
    pub(crate) to: Option<OfficeId>,
    /// The act that it answers or reverses.
    #[arg(long)]
    pub(crate) regards: Option<String>,
    /// The step of the procedure.
    #[arg(long)]
    pub(crate) step: Option<String>,
    /// What the kind of act needs besides, as JSON: a fee, a result, a rating ...
    #[arg(long, value_name = "JSON")]
    pub(crate) detail: Option<String>,
    /// The letter that answers, as JSON: number, date, signer.
    #[arg(long, value_name = "JSON")]
    pub(crate) reply: Option<String>,
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
        /// It came through the portal or by post and nobody looked at it yet: `dossier act CODE
        /// received` takes it in later, and its due counts from then.
        #[arg(long)]
        registered: bool,
    },
    /// Adds an act.
    Act(Box<ActLine>),
    /// One dossier.
    Show {
        /// By code or document id.
        dossier: String,
    },
    /// What about one dossier a person should look at: conflicts, findings, its clock.
    Review {
        /// By code or document id; none for a list of all that somebody has to look at.
        dossier: Option<String>,
    },
    /// Dossiers, newest first: all, or those that every option given fits.
    List(Box<Filter>),
    /// What this node has to tell applicants now, as the elected sender.
    Outbox,
    /// Every change of one dossier.
    History {
        /// By code or document id.
        dossier: String,
    },
    /// Writes a printed form: 01 receipt, 02 supplement, 03 refusal, 04 apology, 05 stop, 06 slip,
    /// 07 register.
    Print(Print),
}

#[derive(Args)]
pub(crate) struct Print {
    /// The dossier, by code or document id; any word, such as `all`, for the register.
    dossier: String,
    /// The form, by number or name.
    #[arg(value_parser = form)]
    pub(crate) form: FormKind,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Pdf)]
    pub(crate) format: Format,
    /// Where to; by default a file in this folder, named by form and code.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// How many dossiers the register has at most, 1 to 1,000.
    #[arg(long, default_value_t = 200)]
    limit: usize,
}

impl Print {
    pub(crate) fn request(&self) -> Request {
        match self.form {
            FormKind::Register => Request::PrintRegister { limit: self.limit },
            _ => Request::Print { dossier: self.dossier.clone() },
        }
    }
}

fn form(text: &str) -> Result<FormKind, String> {
    FormKind::of(text).ok_or_else(|| {
        let form = |kind: FormKind| format!("{:02} {}", kind.number(), kind.word());
        format!("the forms are: {}", FormKind::ALL.map(form).join(", "))
    })
}

#[derive(Subcommand)]
pub(crate) enum OfficeCommand {
    /// All offices.
    List,
}

#[derive(Subcommand)]
pub(crate) enum RolloutCommand {
    /// Notes that an office has one of the things on the readiness list.
    Tick {
        /// The office.
        office: OfficeId,
        /// The thing: counters, line, machines, power, people, training or notices.
        need: String,
        /// Who says so.
        #[arg(long)]
        officer: String,
        /// Takes the tick back.
        #[arg(long)]
        undo: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum InvitationCommand {
    /// All codes of the last weeks, without the codes themselves.
    List,
    /// Takes back a code that nobody has come with.
    Withdraw {
        /// Its id in the list.
        id: String,
    },
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
    /// Turns a node away that waits; its join code is void.
    Refuse {
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
pub(crate) enum CatalogueCommand {
    /// Publishes a catalogue file; only the root office may.
    Publish {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// The day from which it holds, as YYYY-MM-DD; default today, and for the first one the
        /// beginning.
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
    },
    /// The procedures that are offered on a day.
    List {
        /// Words that all stand in code, name, field or group, with or without marks.
        #[arg(long)]
        text: Option<String>,
        /// The day, as YYYY-MM-DD; default today.
        #[arg(long)]
        day: Option<String>,
    },
    /// One procedure as it is in force on a day.
    Show {
        /// Any of its codes.
        code: String,
        /// The day, as YYYY-MM-DD; default today.
        #[arg(long)]
        day: Option<String>,
    },
    /// Proposes to cut a component, a limit or a step; the offices above see it.
    Propose(Box<Proposing>),
    /// The proposals of this office and of those below it, newest first.
    Proposals(ProposalFilter),
    /// Answers a proposal; only the root office may.
    Decide(Box<Deciding>),
}

#[derive(Subcommand)]
pub(crate) enum CalendarCommand {
    /// Publishes the calendar of a year; only the root office may.
    Publish {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
    /// The calendar of a year.
    Show {
        /// The year.
        year: i16,
    },
}

#[derive(Subcommand)]
pub(crate) enum StaffCommand {
    /// Publishes the staff list of this office.
    Publish {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
    /// The officers and delegations of an office.
    Show {
        /// The office; default this one.
        office: Option<OfficeId>,
    },
}

#[derive(Subcommand)]
pub(crate) enum AccessCommand {
    /// The looks that are kept, newest first: all, or those that every option given fits.
    List(AccessFilter),
}

#[derive(Subcommand)]
pub(crate) enum ViewsCommand {
    /// Throws the view away and makes it anew from the log, while the node goes on.
    Rebuild,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Says whether the settings are good.
    Check,
    /// Shows every setting and where it comes from.
    Show,
}

impl CatalogueCommand {
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            CatalogueCommand::Publish { file, from } => {
                publishing(Publishing::Catalogue, &file, from)?
            }
            CatalogueCommand::List { text, day } => Request::Procedures { text, day },
            CatalogueCommand::Show { code, day } => Request::Procedure { code, day },
            CatalogueCommand::Propose(asked) => Request::Propose(asked),
            CatalogueCommand::Proposals(filter) => Request::Proposals(filter),
            CatalogueCommand::Decide(asked) => Request::Decide(asked),
        })
    }
}

impl CalendarCommand {
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            CalendarCommand::Publish { file } => publishing(Publishing::Calendar, &file, None)?,
            CalendarCommand::Show { year } => Request::CalendarYear { year },
        })
    }
}

impl StaffCommand {
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            StaffCommand::Publish { file } => publishing(Publishing::Staff, &file, None)?,
            StaffCommand::Show { office } => Request::Staff { office },
        })
    }
}

fn publishing(what: Publishing, file: &Path, from: Option<String>) -> Result<Request, Failure> {
    let (text, file) = (text_of(file)?, file.display().to_string());
    Ok(Request::Publish { what, file, text, from })
}

impl NodeCommand {
    pub(crate) fn into_request(self) -> Request {
        match self {
            NodeCommand::List => Request::Nodes,
            NodeCommand::Approve { node } => Request::Approve { node },
            NodeCommand::Refuse { node } => Request::Refuse { node },
            NodeCommand::Revoke { node, reason } => Request::Revoke { node, reason },
        }
    }
}

impl RolloutCommand {
    pub(crate) fn into_request(self) -> Request {
        let RolloutCommand::Tick { office, need, officer, undo } = self;
        Request::Tick { office, need, done: !undo, officer }
    }
}

impl InvitationCommand {
    pub(crate) fn into_request(self) -> Request {
        match self {
            InvitationCommand::List => Request::Invitations,
            InvitationCommand::Withdraw { id } => Request::Withdraw { invitation: id },
        }
    }
}

impl Counter {
    pub(crate) fn into_request(self) -> Result<Request, Failure> {
        Ok(match self {
            Counter::Receive { file, officer, registered } => {
                let reception = Box::new(reception(text_of(&file)?.as_bytes())?);
                Request::Receive { reception, officer, registered }
            }
            Counter::Act(line) => line.request()?,
            Counter::Show { dossier } => Request::Show { dossier },
            Counter::Review { dossier: Some(dossier) } => Request::Review { dossier },
            Counter::Review { dossier: None } => {
                Request::List(Box::new(Filter { review: true, ..Filter::default() }))
            }
            Counter::List(filter) => Request::List(filter),
            Counter::Outbox => Request::Outbox,
            Counter::History { dossier } => Request::History { dossier },
            Counter::Print(print) => print.request(),
        })
    }
}

impl ActLine {
    fn request(self) -> Result<Request, Failure> {
        let kind = ActKind::of(&self.kind).ok_or_else(|| no_such_act(&self.kind))?;
        // The node fills in its own office.
        let office = "-".parse().map_err(|_| no_such_act("of no office"))?;
        let mut act = NewAct::new("", kind, office, &self.officer);
        act.detail = self.detail.map(|text| from_json("--detail", &text)).transpose()?;
        act.reply = self.reply.map(|text| from_json("--reply", &text)).transpose()?;
        (act.note, act.reason, act.due) = (self.note, self.reason, self.due);
        (act.to_office, act.regards, act.step) = (self.to, self.regards, self.step);
        Ok(Request::Act { dossier: self.dossier, act: Box::new(act) })
    }
}

fn no_such_act(kind: &str) -> Failure {
    let words: Vec<&str> = ActKind::ALL.iter().map(|kind| kind.word()).collect();
    let remedy = format!("chọn một việc / use one of: {}", words.join(", "));
    let why = format!("không có việc '{kind}' / no act '{kind}'");
    Failure::usage("unknown-act", "chưa ghi gì / nothing was done", why, remedy)
}

/// A part of an act from its JSON. What the text holds is never repeated.
fn from_json<T: serde::de::DeserializeOwned>(flag: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let column = error.column();
        let why = format!("{flag}, cột {column} không đúng / column {column} does not fit");
        let remedy = "ghi JSON như `dossier show --json` cho thấy ở việc cùng loại / give the JSON \
                      that it shows of such an act";
        Failure::usage("bad-json", "chưa ghi gì / nothing was done", why, remedy)
    })
}
