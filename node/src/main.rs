//! `lienthong`: the command line.

mod commands;
mod serve;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use indicatif::MultiProgress;
use lienthong::{demo, print};
use lienthong_console::{export, import, local_time, settings, text_of, titled, words};
use lienthong_federation::Province;
use lienthong_folder::{Flags, Folder, LogFormat, Settings, replace_with, socket_of};
use lienthong_protocol::OfficeId;
use lienthong_request::{Exit, Failure, Request, SCHEMA, call};
use serde_json::{Value, json};

use crate::commands::{
    AccessCommand, Command, ConfigCommand, Counter, Line, OfficeCommand, Print, ViewsCommand,
};

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
            tell(&format!("lienthong: {failure}"));
            ExitCode::from(failure.exit.number())
        }
    }
}

async fn run(line: Line) -> Result<(), Failure> {
    let Line { data, json, command } = line;
    let data = move || named(data);
    let request = match command {
        Command::Init { office, province } => return init(&data()?, office, &province, json),
        Command::Serve(serve) => return serve::serve(&data()?, serve).await,
        Command::Join { code } => return join(&data()?, code, json).await,
        Command::Config(command) => return config(&data()?, &command, json),
        Command::Demo(demo) => return play(&demo, json).await,
        Command::Import(from) => {
            let imported = import(&socket_of(&data()?), &from).await?;
            show(json, &imported.answer, || titled(IMPORTED, &imported.answer))?;
            return imported.outcome;
        }
        Command::Export { file } => {
            let answer = export(&socket_of(&data()?), &file).await?;
            return show(json, &answer, || titled(EXPORTED, &answer));
        }
        Command::Invite { office, valid_hours, qr } => {
            return invite(&data()?, (office, valid_hours), qr.as_deref(), json).await;
        }
        Command::Status => Request::Status,
        Command::Peers => Request::Peers,
        Command::Ping { office } => Request::Ping { office },
        Command::Office(OfficeCommand::List) => Request::Offices,
        Command::Node(command) => command.into_request(),
        Command::Board { office: None } => Request::Board,
        Command::Board { office: Some(office) } => Request::BoardOffice { office },
        Command::Rollout { command: None } => Request::Rollout,
        Command::Rollout { command: Some(command) } => command.into_request(),
        Command::Invitation(command) => command.into_request(),
        Command::Access(AccessCommand::List(filter)) => Request::Looks(filter),
        Command::Views(ViewsCommand::Rebuild) => Request::RebuildViews,
        Command::Catalogue(command) => command.into_request()?,
        Command::Calendar(command) => command.into_request()?,
        Command::Staff(command) => command.into_request()?,
        Command::Dossier(Counter::Print(form)) => return print_form(&data()?, form, json).await,
        Command::Dossier(counter) => counter.into_request()?,
    };
    let answer = ask(&data()?, &request).await?;
    show(json, &answer, || words(&request, &answer))
}

fn named(data: Option<PathBuf>) -> Result<PathBuf, Failure> {
    data.ok_or_else(|| {
        let remedy = "give --data DIR or set LIENTHONG_DATA";
        Failure::usage("no-data-folder", "nothing was done", "no data folder is named", remedy)
    })
}

/// Asks the running node of a data folder.
async fn ask(data: &Path, request: &Request) -> Result<Value, Failure> {
    call(&socket_of(data), &request.into()).await
}

fn init(data: &Path, office: OfficeId, province: &Path, json: bool) -> Result<(), Failure> {
    let province = Province::parse(&text_of(province)?).map_err(|error| {
        Failure::refused(error.code(), "not founded", error.to_string(), error.remedy())
    })?;
    let folder = lienthong::init(data, office, &province, &[])?;
    show_folder(&folder, FOUNDED, json)
}

async fn join(data: &Path, code: String, json: bool) -> Result<(), Failure> {
    let code = if code == "-" { text_of(Path::new("-"))? } else { code };
    let waiting = || tell("chờ trung tâm phê duyệt / waiting for the hub to approve");
    let folder = lienthong::join(data, &code, &[], waiting).await?;
    show_folder(&folder, JOINED, json)
}

fn show_folder(folder: &Folder, title: &str, json: bool) -> Result<(), Failure> {
    let joined = folder.joined()?;
    let answer = json!({
        "schema": SCHEMA,
        "federation": joined.federation.to_string(),
        "office": joined.office.to_string(),
        "node": folder.key().id().to_string(),
    });
    show(json, &answer, || titled(title, &answer))
}

/// The code alone goes to standard output, so that it can be piped into `join -`.
async fn invite(
    data: &Path,
    (office, valid_hours): (OfficeId, u32),
    picture: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    let answer = ask(data, &Request::Invite { office, valid_hours }).await?;
    if let Some(file) = picture {
        let drawn = answer["code"].as_str().and_then(|code| lienthong_qr::svg(code, QR_SCALE));
        let drawn = drawn.ok_or_else(|| {
            let why = "mã dài quá một mã QR / the code is longer than a QR code can be";
            Failure::failed(
                "qr-not-drawn",
                QR_NOT_SAVED,
                why,
                "dùng mã chữ / use the code in letters",
            )
        });
        let drawn = drawn?.into_bytes();
        replace_with(file, |_| Ok(drawn)).map_err(|e| Failure::disk(QR_NOT_SAVED, file, &e))?;
    }
    if !json {
        let until = local_time(answer["expires_ms"].as_u64().unwrap_or(0));
        tell(&format!(
            "mã tham gia cho {office}, dùng một lần, đến {until} / \
             join code for {office}, good once, until {until}"
        ));
    }
    show(json, &answer, || answer["code"].as_str().unwrap_or_default().to_owned())
}

async fn print_form(data: &Path, form: Print, json: bool) -> Result<(), Failure> {
    let facts = ask(data, &form.request()).await?;
    let answer = print(&facts, form.form, form.format, form.out)?;
    show(json, &answer, || titled(PRINTED, &answer))
}

fn config(data: &Path, command: &ConfigCommand, json: bool) -> Result<(), Failure> {
    let loaded = Settings::load(data, std::env::vars(), &Flags::default())?;
    match command {
        ConfigCommand::Check => {
            let answer = json!({ "schema": SCHEMA, "good": true });
            show(json, &answer, || "cấu hình đúng / settings are good".into())
        }
        ConfigCommand::Show => {
            let origins = loaded.origins();
            let from = |key: &str| origins.get(key).cloned().unwrap_or_default();
            let values = loaded.values().into_iter();
            let fields = values.map(|(key, value)| {
                let field = json!({ "value": value, "from": from(&key) });
                (key, field)
            });
            let answer = json!({ "schema": SCHEMA, "settings": Value::Object(fields.collect()) });
            show(json, &answer, || settings(&answer))
        }
    }
}

/// How large a demonstration is.
#[derive(Args)]
pub(crate) struct Demo {
    /// How many offices besides the hub, 4 to 100.
    #[arg(long, default_value_t = 8)]
    offices: usize,
    /// How many dossiers, 1 to 100,000.
    #[arg(long, default_value_t = 80)]
    dossiers: usize,
    /// The folder for the receipt and the control slip that are printed at the end.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

async fn play(what: &Demo, json: bool) -> Result<(), Failure> {
    serve::start_log("error", LogFormat::Text, &MultiProgress::new());
    let interrupted = || {
        let remedy = "start it again; its temporary folder is removed";
        Failure::new(Exit::Failed, "interrupted", "the demonstration ends", "Ctrl-C", remedy)
    };
    let played = tokio::select! {
        played = demo(what.offices, what.dossiers, &what.out) => played?,
        _ = tokio::signal::ctrl_c() => return Err(interrupted()),
    };
    show(json, &played.answer, || played.words.clone())?;
    played.outcome
}

/// Prints an answer on standard output: one line of JSON, or words.
fn show(json: bool, answer: &Value, words: impl FnOnce() -> String) -> Result<(), Failure> {
    let text = if json { answer.to_string() } else { words() };
    match writeln!(std::io::stdout(), "{text}") {
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| {
            let (why, remedy) = (error.to_string(), "check the output");
            Failure::failed("no-output", "nothing was printed", why, remedy)
        }),
    }
}

/// Says something on standard error.
fn tell(words: &str) {
    // Standard error may be closed; there is nobody left to tell.
    drop(writeln!(std::io::stderr(), "{words}"));
}

const FOUNDED: &str = "đã thành lập / federation founded";
const JOINED: &str = "đã tham gia / joined";
const IMPORTED: &str = "đã nhập / imported";
const PRINTED: &str = "đã in ra tệp / printed to a file";
const EXPORTED: &str = "đã xuất / exported";

const QR_NOT_SAVED: &str = "chưa lưu mã QR / QR code not saved";
/// How many pixels each square of a QR code has.
const QR_SCALE: u16 = 6;
