//! `lienthong`: the command line.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lienthong::{
    ApiRequest, Exit, Failure, Flags, Folder, LogFormat, Node, Request, Settings, call, demo,
    socket_of,
};
use lienthong_dossier::{ActKind, NewAct, Reception};
use lienthong_federation::Province;
use lienthong_protocol::{NodeId, OfficeId};
use serde_json::{Value, json};

/// Liên Thông connects the one-stop offices of a province.
#[derive(Parser)]
#[command(name = "lienthong", version, about, disable_help_subcommand = true)]
struct Line {
    /// The data folder of the node.
    #[arg(long, env = "LIENTHONG_DATA", global = true)]
    data: Option<PathBuf>,
    /// Prints JSON on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
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
        /// The file.
        file: PathBuf,
        /// Who takes them in.
        #[arg(long, default_value = "import")]
        officer: String,
    },
    /// Writes the canonical form of every dossier to a file, one a line.
    Export {
        /// The file.
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
struct Serve {
    /// Where to listen, as `host:port`.
    #[arg(long)]
    listen: Option<String>,
    /// What to tell others to dial, if not the address listened at.
    #[arg(long)]
    advertise: Option<String>,
}

#[derive(Subcommand)]
enum Counter {
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
enum OfficeCommand {
    /// All offices.
    List,
}

#[derive(Subcommand)]
enum NodeCommand {
    /// All nodes, and those that wait for approval.
    List,
    /// Lets a node in that waits.
    Approve {
        /// Its id.
        node: NodeId,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Says whether the settings are good.
    Check,
    /// Shows every setting and where it comes from.
    Show,
}

fn main() -> ExitCode {
    let line = Line::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(line)),
        Err(error) => {
            let remedy = "free memory or raise the limit on threads";
            Err(Failure::failed("no-runtime", "not started", error.to_string(), remedy))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Standard error may be closed; there is nobody left to tell.
            drop(writeln!(std::io::stderr(), "lienthong: {failure}"));
            ExitCode::from(failure.exit.number())
        }
    }
}

async fn run(line: Line) -> Result<(), Failure> {
    let Line { data, json, command } = line;
    let data = move || {
        data.ok_or_else(|| {
            let remedy = "give --data DIR or set LIENTHONG_DATA";
            Failure::usage("no-data-folder", "nothing was done", "no data folder is named", remedy)
        })
    };
    let request = match command {
        Command::Init { office, province } => return init(&data()?, office, &province),
        Command::Serve(serve) => return run_node(&data()?, serve).await,
        Command::Join { code } => return join(&data()?, code).await,
        Command::Config(command) => return config(&data()?, &command, json),
        Command::Demo { offices, dossiers } => return demo(offices, dossiers).await,
        Command::Import { file, officer } => return import(&data()?, &file, &officer).await,
        Command::Export { file } => return export(&data()?, &file).await,
        Command::Invite { office, valid_hours } => Request::Invite { office, valid_hours },
        Command::Status => Request::Status,
        Command::Peers => Request::Peers,
        Command::Ping { office } => Request::Ping { office },
        Command::Office(OfficeCommand::List) => Request::Offices,
        Command::Node(NodeCommand::List) => Request::Nodes,
        Command::Node(NodeCommand::Approve { node }) => Request::Approve { node },
        Command::Dossier(counter) => counter_request(counter)?,
    };
    let is_code = matches!(request, Request::Invite { .. });
    let value = ask(&data()?, &request).await?;
    match value["code"].as_str().filter(|_| is_code && !json) {
        Some(code) => print(code),
        None if json => print(&value.to_string()),
        None => print(&serde_json::to_string_pretty(&value).unwrap_or_default()),
    }
}

fn counter_request(counter: Counter) -> Result<Request, Failure> {
    Ok(match counter {
        Counter::Receive { file, officer } => {
            let reception = Box::new(reception(&text_of(&file)?)?);
            Request::Receive { reception, officer }
        }
        Counter::Act { dossier, kind, officer, note, reason, due, to, regards } => {
            let words: Vec<&str> = ActKind::ALL.iter().map(|kind| kind.word()).collect();
            let kind = ActKind::of(&kind).ok_or_else(|| {
                let remedy = format!("use one of: {}", words.join(", "));
                Failure::usage(
                    "unknown-act",
                    "nothing was done",
                    format!("no act '{kind}'"),
                    remedy,
                )
            })?;
            // The node fills in its own office.
            let office = "-".parse::<OfficeId>().map_err(|error| bad_file(&error.to_string()))?;
            let mut act = NewAct::new("", kind, office, &officer);
            act.note = note;
            act.reason = reason;
            act.due = due;
            act.to_office = to;
            act.regards = regards;
            Request::Act { dossier, act: Box::new(act) }
        }
        Counter::Show { dossier } => Request::Show { dossier },
        Counter::List { limit } => Request::List { limit },
        Counter::History { dossier } => Request::History { dossier },
    })
}

fn init(data: &Path, office: OfficeId, province: &Path) -> Result<(), Failure> {
    let province = Province::parse(&text_of(province)?).map_err(|error| {
        Failure::refused(error.code(), "not founded", error.to_string(), error.remedy())
    })?;
    let folder = lienthong::init(data, office, &province, &[])?;
    let joined = folder.joined()?;
    print(&format!("federation {} founded, office {office}", joined.federation))
}

async fn join(data: &Path, code: String) -> Result<(), Failure> {
    let code = if code == "-" { text_of(Path::new("-"))? } else { code };
    let told = || {
        drop(writeln!(
            std::io::stderr(),
            "chờ trung tâm phê duyệt / waiting for the hub to approve"
        ));
    };
    let folder = lienthong::join(data, &code, &[], told).await?;
    let joined = folder.joined()?;
    print(&format!("joined federation {} as {}", joined.federation, joined.office))
}

async fn run_node(data: &Path, serve: Serve) -> Result<(), Failure> {
    let flags = Flags { listen: serve.listen, advertise: serve.advertise };
    let settings = Settings::load(data, std::env::vars(), &flags)?;
    let filter = tracing_subscriber::EnvFilter::new(&settings.log_level);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        // The place alone: a message may hold what a peer or a person sent.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
    let node = Node::start(Folder::open(data)?, &settings).await?;
    let office = node.membership().office;
    tracing::info!(%office, address = %node.address(), "serving");
    wait_for_end(&node).await?;
    tracing::info!("stopping");
    let stopping = tokio::time::timeout(std::time::Duration::from_secs(10), node.stop());
    stopping.await.unwrap_or_else(|_| {
        let remedy = "nothing: the next start replays what is missing";
        Err(Failure::failed("slow-stop", "not stopped cleanly", "10 s were not enough", remedy))
    })
}

async fn wait_for_end(node: &Node) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let no_signals = |error: std::io::Error| {
        Failure::failed("no-signals", "not started", error.to_string(), "report this")
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let mut look = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = look.tick() => if node.has_failed() { return Ok(()) },
        }
    }
}

async fn ask(data: &Path, request: &Request) -> Result<Value, Failure> {
    let value = serde_json::to_value(request).unwrap_or_default();
    let command = value["command"].as_str().unwrap_or_default().to_owned();
    let request = ApiRequest { command, arguments: value["arguments"].clone() };
    call(&socket_of(data), &request, |_| {}).await
}

async fn import(data: &Path, file: &Path, officer: &str) -> Result<(), Failure> {
    let open = std::fs::File::open(file).map_err(|error| bad_file(&error.to_string()))?;
    let (mut received, mut refused) = (0u64, 0u64);
    let bar = indicatif::ProgressBar::new_spinner();
    for (number, text) in std::io::BufReader::new(open).lines().enumerate() {
        let text = text.map_err(|error| bad_file(&error.to_string()))?;
        let reception = reception(&text).map(Box::new);
        let answer = match reception {
            Ok(reception) => {
                let officer = officer.to_owned();
                ask(data, &Request::Receive { reception, officer }).await
            }
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(_) => received += 1,
            Err(failure) if matches!(failure.exit, Exit::Refused | Exit::Usage) => {
                refused += 1;
                bar.suspend(|| {
                    drop(writeln!(std::io::stderr(), "line {}: {failure}", number + 1));
                });
            }
            Err(failure) => return Err(failure),
        }
        bar.set_message(format!("{received} received, {refused} refused"));
        bar.tick();
    }
    bar.finish_and_clear();
    print(&json!({ "received": received, "refused": refused }).to_string())?;
    if refused == 0 {
        return Ok(());
    }
    let why = format!("{refused} lines were refused");
    Err(Failure::refused("lines-refused", "not all was imported", why, "mend those lines"))
}

async fn export(data: &Path, file: &Path) -> Result<(), Failure> {
    let mut out = std::fs::File::create(file).map_err(|error| bad_file(&error.to_string()))?;
    let mut below = None;
    let mut count = 0u64;
    loop {
        let page = ask(data, &Request::Export { below }).await?;
        for document in page["documents"].as_array().into_iter().flatten() {
            writeln!(out, "{document}").map_err(|error| bad_file(&error.to_string()))?;
            count += 1;
        }
        below = page["next"].as_str().map(str::to_owned);
        if below.is_none() {
            break;
        }
    }
    out.sync_all().map_err(|error| bad_file(&error.to_string()))?;
    print(&json!({ "documents": count }).to_string())
}

fn config(data: &Path, command: &ConfigCommand, as_json: bool) -> Result<(), Failure> {
    let settings = Settings::load(data, std::env::vars(), &Flags::default())?;
    match command {
        ConfigCommand::Check => print("settings are good"),
        ConfigCommand::Show => {
            let origins = settings.origins();
            let from = |key: &String| origins.get(key).cloned().unwrap_or_default();
            if as_json {
                let shown = settings.values().into_iter().map(|(key, value)| {
                    let origin = from(&key);
                    (key, json!({ "value": value, "from": origin }))
                });
                return print(&Value::Object(shown.collect()).to_string());
            }
            settings
                .values()
                .iter()
                .try_for_each(|(key, value)| print(&format!("{key} = {value}    # {}", from(key))))
        }
    }
}

fn reception(text: &str) -> Result<Reception, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let at =
            format!("line {}, column {} does not fit a reception", error.line(), error.column());
        Failure::refused("bad-reception", "not received", at, "see the README for an example")
    })
}

fn text_of(file: &Path) -> Result<String, Failure> {
    let read = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| bad_file(&format!("{}: {error}", file.display())))
}

fn bad_file(why: &str) -> Failure {
    Failure::usage("file", "the file cannot be used", why, "check its name and its rights")
}

fn print(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{text}").map_err(|error| {
        Failure::failed("no-output", "nothing was printed", error.to_string(), "check the output")
    })
}
