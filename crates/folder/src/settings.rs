//! What an operator can set, where each value came from, and which values are refused.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_request::Failure;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::folder::read_limited;

/// The settings of one node; `config/lienthong.toml` says what each one means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the node listens for links.
    pub listen: SocketAddr,
    /// Where others reach it, as `host:port`; `None` is the address the socket is bound to.
    pub advertise: Option<String>,
    /// Where the pages are served; `None` is nowhere.
    pub http: Option<SocketAddr>,
    /// Names and IP addresses, besides the address itself, by which browsers reach the pages. With
    /// one, and at any address of the network, they are served with TLS.
    pub http_names: Vec<String>,
    /// The least severe event that is written: error, warn, info, debug or trace.
    pub log_level: String,
    /// How events are written.
    pub log_format: LogFormat,
    /// Free space that is never used for new work, bytes.
    pub reserve_bytes: u64,
    /// Memory for pages of the index, bytes.
    pub index_cache_bytes: u64,
    /// Size at which a log segment is sealed, bytes.
    pub segment_bytes: u64,
    /// How often one of the sealed segments is read and checked.
    pub check_every: Duration,
    /// How long a peer may stay silent.
    pub idle_timeout: Duration,
    /// How often an idle link is kept open.
    pub keep_alive: Duration,
    /// The first wait before a lost link is tried again.
    pub backoff_min: Duration,
    /// The longest wait between two tries.
    pub backoff_max: Duration,
    /// What the root does with a valid join code.
    pub approval: Approval,
    values: BTreeMap<&'static str, Given>,
}

/// How events are written to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For a collector.
    Json,
}

/// What the root does with a valid join code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Admits the node at once.
    Automatic,
    /// Waits for an operator.
    Manual,
}

/// The settings that a command line may give; they win over everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--listen`.
    pub listen: Option<String>,
    /// `--advertise`.
    pub advertise: Option<String>,
    /// `--http`.
    pub http: Option<String>,
}

impl Settings {
    /// The settings of a data folder: default, `lienthong.toml`, `config.d/*.toml` by name,
    /// `LIENTHONG_` variables, flags; the later wins. Other variables are passed over. The failure
    /// names every wrong setting, not only the first.
    pub fn load(
        folder: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &Flags,
    ) -> Result<Settings, Failure> {
        let mut reading = Reading { values: defaults(), faults: Vec::new() };
        for file in files(folder)? {
            reading.file(&file);
        }
        for (name, text) in variables {
            reading.variable(&name, &text);
        }
        let Flags { listen, advertise, http } = flags;
        for (key, text) in [("listen", listen), ("advertise", advertise), ("http", http)] {
            if let Some(text) = text {
                reading.give(key, Value::from(text.as_str()), format!("flag --{key}"));
            }
        }
        reading.at_least("link.idle_timeout_ms", 3, "link.keep_alive_ms");
        reading.at_least("link.backoff_max_ms", 1, "link.backoff_min_ms");
        Ok(Settings::of(reading.finish()?))
    }

    /// Where each value came from: `default`, a file, a variable or a flag.
    pub fn origins(&self) -> BTreeMap<String, String> {
        self.values.iter().map(|(key, given)| ((*key).into(), given.origin.clone())).collect()
    }

    /// Each value as it would stand in a settings file.
    pub fn values(&self) -> BTreeMap<String, String> {
        self.values.iter().map(|(key, given)| ((*key).into(), given.value.to_string())).collect()
    }

    fn of(values: BTreeMap<&'static str, Given>) -> Settings {
        let text = |key| values[key].value.as_str().unwrap_or_default();
        let number = |key| u64::try_from(values[key].value.as_integer().unwrap_or(0)).unwrap_or(0);
        let wait = |key| Duration::from_millis(number(key));
        let json = text("log.format") == "json";
        let manual = text("join.approval") == "manual";
        Settings {
            listen: text("listen").parse().unwrap_or(EVERYWHERE),
            advertise: Some(text("advertise").to_owned()).filter(|address| !address.is_empty()),
            http: text("http").parse().ok(),
            http_names: text("http_names").split_whitespace().map(str::to_lowercase).collect(),
            log_level: text("log.level").to_owned(),
            log_format: if json { LogFormat::Json } else { LogFormat::Text },
            reserve_bytes: number("store.reserve_bytes"),
            index_cache_bytes: number("store.index_cache_bytes"),
            segment_bytes: number("store.segment_bytes"),
            check_every: wait("store.check_every_ms"),
            idle_timeout: wait("link.idle_timeout_ms"),
            keep_alive: wait("link.keep_alive_ms"),
            backoff_min: wait("link.backoff_min_ms"),
            backoff_max: wait("link.backoff_max_ms"),
            approval: if manual { Approval::Manual } else { Approval::Automatic },
            values,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    value: Scalar,
    origin: String,
}

/// A checked value: a text or a whole number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scalar {
    Text(String),
    Number(i64),
}

impl Scalar {
    fn as_str(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            Scalar::Number(_) => None,
        }
    }

    fn as_integer(&self) -> Option<i64> {
        match self {
            Scalar::Number(number) => Some(*number),
            Scalar::Text(_) => None,
        }
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Text(text) => write!(f, "{}", Value::from(text.as_str())),
            Scalar::Number(number) => write!(f, "{number}"),
        }
    }
}

fn defaults() -> BTreeMap<&'static str, Given> {
    let of = |rule: &Rule| match rule.form {
        Form::Number { default, .. } => Scalar::Number(default),
        Form::Word(words) => Scalar::Text(words[0].into()),
        Form::Listen => Scalar::Text(EVERYWHERE.to_string()),
        Form::Reach | Form::Pages | Form::Names => Scalar::Text(String::new()),
    };
    let given = |rule: &Rule| Given { value: of(rule), origin: "default".into() };
    RULES.iter().map(|rule| (rule.key, given(rule))).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let more = folder.join("config.d");
    match fs::read_dir(&more) {
        Ok(entries) => {
            for entry in entries {
                files.push(entry.map_err(|error| Failure::disk(UNREAD, &more, &error))?.path());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::disk(UNREAD, &more, &error)),
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.insert(0, folder.join("lienthong.toml"));
    Ok(files)
}

fn read_file(file: &Path) -> Result<Table, Failure> {
    let bytes = match read_limited(file, MAX_FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Table::new()),
        Err(error) => return Err(Failure::disk(UNREAD, file, &error)),
    };
    let unread = |cause: String| {
        let remedy = "sửa tệp theo mẫu / correct the file; config/lienthong.toml is a sample";
        let why = format!("{}: {cause}", file.display());
        Failure::usage("settings-unreadable", UNREAD, why, remedy)
    };
    let text = String::from_utf8(bytes).map_err(|error| unread(error.to_string()))?;
    text.parse().map_err(|error| unread(format!("{error}")))
}

fn is_section(name: &str) -> bool {
    RULES.iter().any(|rule| rule.key.split_once('.').is_some_and(|(section, _)| section == name))
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

/// The settings while they are read: what holds so far, and everything that is wrong.
struct Reading {
    values: BTreeMap<&'static str, Given>,
    /// With the key, where it is one of ours: rules over two keys pass over those.
    faults: Vec<(Option<&'static str>, Failure)>,
}

impl Reading {
    fn file(&mut self, file: &Path) {
        let origin = file.display().to_string();
        let table = match read_file(file) {
            Ok(table) => table,
            Err(failure) => return self.faults.push((None, failure)),
        };
        for (name, value) in table {
            match value {
                Value::Table(inner) if is_section(&name) => {
                    for (key, value) in inner {
                        self.give(&format!("{name}.{key}"), value, origin.clone());
                    }
                }
                value => self.give(&name, value, origin.clone()),
            }
        }
    }

    fn variable(&mut self, name: &str, text: &str) {
        if !name.starts_with(PREFIX) || NO_SETTINGS.contains(&name) {
            return;
        }
        let rule = RULES.iter().find(|rule| variable(rule.key) == name);
        let key = rule.map_or(name, |rule| rule.key);
        let number = rule.is_some_and(|rule| matches!(rule.form, Form::Number { .. }));
        let value = match text.trim().parse::<i64>() {
            Ok(value) if number => Value::Integer(value),
            _ => Value::from(text),
        };
        self.give(key, value, format!("variable {name}"));
    }

    fn give(&mut self, key: &str, value: Value, origin: String) {
        let Some(rule) = RULES.iter().find(|rule| rule.key == key) else {
            let known: Vec<_> = RULES.iter().map(|rule| rule.key).collect();
            let (key, known) = (cut(key), known.join(", "));
            let why =
                format!("{origin}: không có mục '{key}' / {origin} has the unknown key '{key}'");
            let remedy = format!(
                "bỏ đi, hoặc viết đúng một trong các mục này / \
                 remove it, or spell it as one of {known}"
            );
            let failure = Failure::usage("setting-unknown", UNREAD, why, remedy);
            return self.faults.push((None, failure));
        };
        match rule.check(value) {
            Ok(value) => drop(self.values.insert(rule.key, Given { value, origin })),
            Err([limit_vi, limit]) => {
                let remedy = format!(
                    "đặt {key} trong giới hạn, hoặc bỏ đi / set {key} within its limit, or leave \
                     it out"
                );
                let why = format!("{origin}: {key} {limit_vi} / {key} {limit}");
                self.refuse(rule.key, why, remedy);
            }
        }
    }

    fn at_least(&mut self, large: &'static str, times: i64, small: &'static str) {
        let is_refused = |key: &&str| self.faults.iter().any(|(refused, _)| *refused == Some(*key));
        if [large, small].iter().any(is_refused) {
            return;
        }
        let of = |key: &str| self.values[key].value.as_integer().unwrap_or(0);
        let (value, limit) = (of(large), of(small).saturating_mul(times));
        if value >= limit {
            return;
        }
        let (factor_vi, factor) = match times {
            1 => (String::new(), String::new()),
            times => (format!("{times} lần "), format!("{times} times ")),
        };
        let [of_large, of_small] = [large, small].map(|key| &self.values[key].origin);
        let why = format!(
            "{large} là {value} ({of_large}), ít nhất phải là {limit}: {factor_vi}{small} \
             ({of_small}) / {large} is {value}, the limit is at least {limit}: {factor}{small}"
        );
        let remedy = format!("tăng {large} hoặc giảm {small} / raise {large} or lower {small}");
        self.refuse(large, why, remedy);
    }

    fn refuse(&mut self, key: &'static str, why: String, remedy: String) {
        let failure = Failure::usage("setting-refused", UNREAD, why, remedy);
        self.faults.push((Some(key), failure));
    }

    /// The values if nothing is wrong; else one failure that names every fault, with the code of
    /// the first.
    fn finish(self) -> Result<BTreeMap<&'static str, Given>, Failure> {
        let Some((_, first)) = self.faults.first() else { return Ok(self.values) };
        let mut remedies: Vec<&str> = Vec::new();
        for (_, fault) in &self.faults {
            if !remedies.contains(&fault.remedy.as_str()) {
                remedies.push(&fault.remedy);
            }
        }
        let whys: Vec<&str> = self.faults.iter().map(|(_, fault)| fault.why.as_str()).collect();
        let (whys, remedies) = (whys.join("; "), remedies.join("; "));
        Err(Failure::new(first.exit, &first.code, UNREAD, whys, remedies))
    }
}

struct Rule {
    key: &'static str,
    form: Form,
}

enum Form {
    /// An address and port to bind.
    Listen,
    /// `host:port`, or nothing.
    Reach,
    /// An address and port to serve pages at, or nothing.
    Pages,
    /// Names with blanks between, or nothing.
    Names,
    /// One of these; the first is the default.
    Word(&'static [&'static str]),
    Number {
        default: i64,
        min: i64,
        max: i64,
    },
}

impl Rule {
    /// The value if it is allowed, else words that name it and its limit, Vietnamese first.
    fn check(&self, value: Value) -> Result<Scalar, [String; 2]> {
        let shown = cut(&value.to_string());
        let fits = match (&self.form, &value) {
            (Form::Listen, Value::String(text)) => text.parse::<SocketAddr>().is_ok(),
            (Form::Pages, Value::String(text)) => {
                text.is_empty() || text.parse::<SocketAddr>().is_ok()
            }
            (Form::Names, Value::String(text)) => {
                let mut names = text.split_whitespace();
                names.clone().count() <= MAX_NAMES && names.all(is_name)
            }
            (Form::Reach, Value::String(text)) => text.is_empty() || is_host_and_port(text),
            (Form::Word(words), Value::String(text)) => words.contains(&text.as_str()),
            (Form::Number { min, max, .. }, Value::Integer(number)) => {
                (*min..=*max).contains(number)
            }
            _ => false,
        };
        match value {
            Value::String(text) if fits => Ok(Scalar::Text(text)),
            Value::Integer(number) if fits => Ok(Scalar::Number(number)),
            _ => {
                let [limit_vi, limit] = self.limit();
                Err([
                    format!("là {shown}, phải là {limit_vi}"),
                    format!("is {shown}, the limit is {limit}"),
                ])
            }
        }
    }

    /// Vietnamese first.
    fn limit(&self) -> [String; 2] {
        match self.form {
            Form::Listen => ["địa chỉ IP và cổng", "an IP address and port such as"]
                .map(|words| format!("{words} \"0.0.0.0:7400\"")),
            Form::Pages => [
                "địa chỉ IP và cổng như \"127.0.0.1:8080\", hoặc \"\"",
                "an IP address and port such as \"127.0.0.1:8080\", or \"\"",
            ]
            .map(str::to_owned),
            Form::Names => [
                format!("tối đa {MAX_NAMES} tên máy hoặc địa chỉ IP, cách nhau bằng dấu cách"),
                format!("at most {MAX_NAMES} host names or IP addresses with blanks between"),
            ],
            Form::Reach => [
                "máy:cổng, tối đa 255 ký tự, hoặc \"\"",
                "host:port in at most 255 characters, or \"\"",
            ]
            .map(str::to_owned),
            Form::Word(words) => {
                ["một trong", "one of"].map(|one| format!("{one} {}", words.join(", ")))
            }
            Form::Number { min, max: i64::MAX, .. } => {
                [format!("số nguyên từ {min}"), format!("a whole number from {min}")]
            }
            Form::Number { min, max, .. } => [
                format!("số nguyên từ {min} đến {max}"),
                format!("a whole number from {min} to {max}"),
            ],
        }
    }
}

fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let plain = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
    // An IPv6 address needs brackets, or its last group would be taken for the port.
    let bracketed = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    text.len() <= 255 && plain && bracketed && port.parse::<u16>().is_ok_and(|port| port != 0)
}

/// A host name in ASCII, as a certificate holds it, or an IP address.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_host = text.len() <= 253 && text.chars().all(plain) && !text.starts_with(['-', '.']);
    is_host || text.parse::<IpAddr>().is_ok()
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

const UNREAD: &str = "cấu hình chưa được nhận / settings not accepted";
const PREFIX: &str = "LIENTHONG_";
const MAX_FILE_BYTES: u64 = 1 << 20;
const MAX_NAMES: usize = 16;

/// Variables of the program that are no settings.
const NO_SETTINGS: [&str; 1] = ["LIENTHONG_DATA"];

const EVERYWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 7400);

const fn number(key: &'static str, default: i64, min: i64, max: i64) -> Rule {
    Rule { key, form: Form::Number { default, min, max } }
}

const fn word(key: &'static str, words: &'static [&'static str]) -> Rule {
    Rule { key, form: Form::Word(words) }
}

const RULES: [Rule; 15] = [
    Rule { key: "listen", form: Form::Listen },
    Rule { key: "advertise", form: Form::Reach },
    Rule { key: "http", form: Form::Pages },
    Rule { key: "http_names", form: Form::Names },
    word("log.level", &["info", "error", "warn", "debug", "trace"]),
    word("log.format", &["text", "json"]),
    number("store.reserve_bytes", 64 << 20, 1 << 20, i64::MAX),
    number("store.index_cache_bytes", 16 << 20, 1 << 20, 4 << 30),
    number("store.segment_bytes", 64 << 20, 1 << 20, 1 << 30),
    number("store.check_every_ms", 600_000, 1_000, i64::MAX),
    number("link.idle_timeout_ms", 30_000, 3_000, i64::MAX),
    number("link.keep_alive_ms", 10_000, 1_000, i64::MAX),
    number("link.backoff_min_ms", 100, 10, i64::MAX),
    number("link.backoff_max_ms", 300_000, 10, i64::MAX),
    word("join.approval", &["automatic", "manual"]),
];

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
