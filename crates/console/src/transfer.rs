//! `import` and `export`: many dossiers at once, through the socket of the running node.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use lienthong_request::{Exit, Failure, Request, SCHEMA, call};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::task::JoinHandle;

use crate::source::{bad_file, reception};
use crate::table::Table;

/// How many receptions are under way at once: the node makes them durable together.
const IN_FLIGHT: usize = 64;
/// The longest line of an import, its end included; a request of the socket has 1 MiB.
const MAX_LINE_BYTES: usize = 1_000_000;

/// What an import did, and why it did not do more.
pub struct Imported {
    /// `received` and `refused`.
    pub answer: Value,
    /// A failure if not every line was received.
    pub outcome: Result<(), Failure>,
}

/// What is to be imported, and how.
#[derive(Args)]
pub struct Import {
    /// The file; `-` for standard input.
    file: PathBuf,
    /// Who takes them in.
    #[arg(long, default_value = "import")]
    officer: String,
    /// JSON Lines, one reception a line, or CSV, one a row. Default by the name of the file: CSV
    /// if it ends in `.csv`.
    #[arg(long)]
    format: Option<Format>,
    /// A file that gets a line of JSON for every refused line: its number, the code and the cause
    /// of the refusal, and the remedy.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// How a file of receptions is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// JSON Lines.
    Jsonl,
    /// Cells parted by commas, semicolons or tabs.
    Csv,
}

/// Receives every line of a file. A refused line is told and passed over; after a failure of the
/// node no further line is sent, and every line that was under way is told.
pub async fn import(socket: &Path, what: &Import) -> Result<Imported, Failure> {
    let Import { file, officer, report, .. } = what;
    let (from, length) = open(file)?;
    let mut entries = match what.format() {
        Format::Jsonl => Entries::Lines(Lines { from, read: 0, number: 0 }),
        Format::Csv => Entries::Table(Table::open(from)?),
    };
    let report = report.as_deref().map(Report::create).transpose()?;
    let mut import = Course::new(length, report);
    loop {
        let entry = match entries.next(file, officer) {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(failure) => {
                import.failure = Some(failure);
                break;
            }
        };
        let asked = entry.request.map(|request| {
            let socket = socket.to_owned();
            tokio::spawn(async move { call(&socket, &(&request).into()).await })
        });
        import.queue.push_back(Sent { number: entry.number, end: entry.end, asked });
        if import.queue.len() >= IN_FLIGHT {
            import.take_answer().await;
        }
        if import.failure.is_some() {
            break;
        }
    }
    while !import.queue.is_empty() {
        import.take_answer().await;
    }
    import.finish()
}

impl Import {
    fn format(&self) -> Format {
        let ending = self.file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        self.format.unwrap_or(match ending.as_deref() {
            Some("csv") => Format::Csv,
            _ => Format::Jsonl,
        })
    }
}

/// One reception of the file, or why it is none.
struct Entry {
    /// The line on which it begins.
    number: u64,
    /// How many bytes of the file end with it.
    end: u64,
    request: Result<Request, Failure>,
}

enum Entries {
    Lines(Lines),
    Table(Table),
}

impl Entries {
    fn next(&mut self, file: &Path, officer: &str) -> Result<Option<Entry>, Failure> {
        match self {
            Entries::Lines(lines) => {
                let line = lines.next().map_err(|error| bad_file(file, &error.to_string()))?;
                Ok(line.map(|line| {
                    let request = line.reception(officer);
                    Entry { number: line.number, end: line.end, request }
                }))
            }
            Entries::Table(table) => Ok(table.next()?.map(|row| {
                let text = row.value.map(|value| value.to_string());
                let request = text.and_then(|text| received(text.as_bytes(), officer));
                Entry { number: row.line, end: row.end, request }
            })),
        }
    }
}

/// Every refusal, as lines of JSON for programs.
struct Report {
    file: PathBuf,
    to: BufWriter<File>,
}

impl Report {
    fn create(file: &Path) -> Result<Report, Failure> {
        let to = File::create(file).map_err(|error| bad_file(file, &error.to_string()))?;
        Ok(Report { file: file.to_owned(), to: BufWriter::new(to) })
    }

    fn tell(&mut self, number: u64, failure: &Failure) -> Result<(), Failure> {
        let Failure { code, why, remedy, .. } = failure;
        let line = json!({ "line": number, "code": code, "why": why, "remedy": remedy });
        writeln!(self.to, "{line}").map_err(|error| bad_file(&self.file, &error.to_string()))
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.to.flush().map_err(|error| bad_file(&self.file, &error.to_string()))
    }
}

/// A line that was sent, or that was refused before.
struct Sent {
    number: u64,
    /// How many bytes of the file end with it.
    end: u64,
    asked: Result<JoinHandle<Result<Value, Failure>>, Failure>,
}

struct Course {
    queue: VecDeque<Sent>,
    received: u64,
    refused: u64,
    failure: Option<Failure>,
    report: Option<Report>,
    bar: ProgressBar,
}

impl Course {
    fn new(length: u64, report: Option<Report>) -> Course {
        let (queue, bar) = (VecDeque::new(), bar(length, IMPORT_TEMPLATE));
        Course { queue, received: 0, refused: 0, failure: None, report, bar }
    }

    /// Waits for the answer of the oldest line, so that lines are told in their order.
    async fn take_answer(&mut self) {
        let Some(Sent { number, end, asked }) = self.queue.pop_front() else { return };
        let answer = match asked {
            Ok(asked) => asked.await.unwrap_or_else(|error| {
                Err(Failure::failed("bug", "not received", error.to_string(), "report this"))
            }),
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(_) => self.received += 1,
            Err(failure) => {
                self.bar.suspend(|| {
                    // Standard error may be closed; the summary still comes.
                    drop(writeln!(std::io::stderr(), "dòng / line {number}: {failure}"));
                });
                let told = self.report.as_mut().map(|report| report.tell(number, &failure));
                if let Some(Err(failure)) = told {
                    self.failure.get_or_insert(failure);
                }
                if matches!(failure.exit, Exit::Refused | Exit::Usage) {
                    self.refused += 1;
                } else {
                    self.failure.get_or_insert(failure);
                }
            }
        }
        self.bar.set_position(end);
        let (received, refused) = (self.received, self.refused);
        self.bar.set_message(format!("{received} nhận / received, {refused} từ chối / refused"));
    }

    fn finish(self) -> Result<Imported, Failure> {
        self.bar.finish_and_clear();
        self.report.map(Report::finish).transpose()?;
        let (received, refused) = (self.received, self.refused);
        let answer = json!({ "schema": SCHEMA, "received": received, "refused": refused });
        let outcome = match self.failure {
            Some(Failure { exit, code, why, remedy, .. }) => {
                let what = "chưa nhập hết / not all was imported";
                let remedy = format!(
                    "{remedy}; rồi nhập các dòng chưa tiếp nhận / then import the lines that \
                     were not received"
                );
                Err(Failure::new(exit, &code, what, why, remedy))
            }
            None if refused > 0 => {
                let what = "chưa nhập hết / not all was imported";
                let why = format!("{refused} dòng bị từ chối / {refused} lines were refused");
                let remedy = "sửa các dòng đó rồi nhập lại chúng / mend those lines, import them";
                Err(Failure::refused("lines-refused", what, why, remedy))
            }
            None => Ok(()),
        };
        Ok(Imported { answer, outcome })
    }
}

/// A file, or standard input for `-`, with its length in bytes; 0 if nobody knows.
fn open(file: &Path) -> Result<(Box<dyn BufRead>, u64), Failure> {
    if file == Path::new("-") {
        return Ok((Box::new(BufReader::new(std::io::stdin())), 0));
    }
    let failed = |error: std::io::Error| bad_file(file, &error.to_string());
    let opened = File::open(file).map_err(failed)?;
    let length = opened.metadata().map_err(failed)?.len();
    Ok((Box::new(BufReader::new(opened)), length))
}

/// The lines of a file, one at a time and none longer than the limit.
struct Lines {
    from: Box<dyn BufRead>,
    read: u64,
    number: u64,
}

/// One line that is not blank.
struct Line {
    number: u64,
    end: u64,
    /// `None` if it was too long.
    text: Option<Vec<u8>>,
}

impl Lines {
    fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let mut text = Vec::new();
            let limit = MAX_LINE_BYTES as u64;
            let count = (&mut self.from).take(limit).read_until(b'\n', &mut text)?;
            if count == 0 {
                return Ok(None);
            }
            self.read += count as u64;
            self.number += 1;
            let is_whole = text.ends_with(b"\n") || count < MAX_LINE_BYTES;
            if !is_whole {
                self.read += skip_line(&mut self.from)?;
            }
            if !text.trim_ascii().is_empty() {
                let text = is_whole.then_some(text);
                return Ok(Some(Line { number: self.number, end: self.read, text }));
            }
        }
    }
}

impl Line {
    fn reception(&self, officer: &str) -> Result<Request, Failure> {
        let text = self.text.as_ref().ok_or_else(|| {
            let why = format!(
                "dòng dài quá {MAX_LINE_BYTES} byte / the line is longer than the limit of \
                 {MAX_LINE_BYTES} bytes"
            );
            let remedy = "mỗi hồ sơ một dòng / put one reception on a line";
            Failure::refused("line-too-long", "chưa tiếp nhận / not received", why, remedy)
        })?;
        received(text, officer)
    }
}

fn received(text: &[u8], officer: &str) -> Result<Request, Failure> {
    let reception = Box::new(reception(text)?);
    Ok(Request::Receive { reception, officer: officer.to_owned(), registered: false })
}

fn skip_line(from: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let bytes = from.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(bytes.len(), |at| at + 1);
        from.consume(count);
        skipped += count as u64;
        if end.is_some() || count == 0 {
            return Ok(skipped);
        }
    }
}

/// Writes every dossier to a file that takes its place when it is complete and on disk.
pub async fn export(socket: &Path, file: &Path) -> Result<Value, Failure> {
    let failed = |error: std::io::Error| bad_file(file, &error.to_string());
    // A device or a folder must not be replaced by a file.
    if std::fs::symlink_metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(bad_file(file, "it is there and is no plain file"));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let part = NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(part);
    let status = call(socket, &(&Request::Status).into()).await?;
    let bar = bar(status["documents"].as_u64().unwrap_or(0), EXPORT_TEMPLATE);
    let mut below = None;
    let mut count = 0u64;
    loop {
        let page = call(socket, &(&Request::Export { below }).into()).await?;
        for document in page["documents"].as_array().into_iter().flatten() {
            writeln!(out, "{document}").map_err(failed)?;
            count += 1;
        }
        bar.set_position(count);
        below = page["next"].as_str().map(str::to_owned);
        if below.is_none() {
            break;
        }
    }
    bar.finish_and_clear();
    let part = out.into_inner().map_err(|error| failed(error.into_error()))?;
    part.as_file().sync_all().map_err(failed)?;
    part.persist(file).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(json!({ "schema": SCHEMA, "documents": count }))
}

/// A bar on standard error; nothing where that is no terminal.
fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(length).with_style(style.expect("the template is a constant that parses"))
}

const IMPORT_TEMPLATE: &str = "{bar:30} {bytes} / {total_bytes}  {msg}  còn / left {eta}";
const EXPORT_TEMPLATE: &str = "{bar:30} {human_pos} / {human_len} tài liệu / documents";

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
