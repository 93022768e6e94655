//! One office of the board as people read it.

use lienthong_web::{Tongue, moment, worked};
use serde_json::Value;

/// An office with everything in words. What is out of order is marked, what is not stays quiet.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) parent: String,
    pub(crate) state: State,
    pub(crate) since: String,
    pub(crate) heard: String,
    pub(crate) at_risk: u64,
    pub(crate) open: u64,
    pub(crate) overdue: u64,
    pub(crate) unsent: u64,
    pub(crate) waiting: u64,
    pub(crate) quarantined: u64,
    pub(crate) skew: Cell,
    pub(crate) disk: Cell,
    /// The same as a part of the whole alone, as a table has room for.
    pub(crate) disk_part: String,
    pub(crate) program: String,
}

/// A figure in words, and whether somebody should look.
#[derive(Default)]
pub(crate) struct Cell {
    pub(crate) words: String,
    pub(crate) is_wrong: bool,
}

/// How an office stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    CutOff,
    Working,
    Resting,
    Settled,
    Here,
    NotJoined,
}

impl State {
    fn of(word: &str) -> State {
        match word {
            "cut-off" => State::CutOff,
            "working" => State::Working,
            "resting" => State::Resting,
            "settled" => State::Settled,
            "here" => State::Here,
            _ => State::NotJoined,
        }
    }

    /// The class in the style sheet.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            State::CutOff => "cut-off",
            State::Working => "working",
            State::Resting => "resting",
            State::Settled => "settled",
            State::Here => "here",
            State::NotJoined => "not-joined",
        }
    }

    /// The sign beside the word, for who does not see colours.
    pub(crate) fn sign(&self) -> &'static str {
        match self {
            State::CutOff => "▲",
            State::Working => "◐",
            State::Resting => "◌",
            State::Settled | State::Here => "●",
            State::NotJoined => "○",
        }
    }

    pub(crate) fn word(&self) -> &'static str {
        match self {
            State::CutOff => "board.state.cut-off",
            State::Working => "board.state.working",
            State::Resting => "board.state.resting",
            State::Settled => "board.state.settled",
            State::Here => "board.state.here",
            State::NotJoined => "board.state.not-joined",
        }
    }
}

impl Line {
    /// The line of a row of the board.
    pub(crate) fn of(t: Tongue<'_>, row: &Value) -> Line {
        let (standing, report) = (&row["standing"], &row["report"]);
        let state = State::of(text(&standing["state"]));
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let quarantined = list(&report["quarantined"]).iter().map(|set| number(&set["changes"]));
        let heard = match state {
            State::NotJoined | State::Here => String::new(),
            State::Settled | State::Working => t.say("board.now"),
            State::CutOff | State::Resting if standing["heard_ms"].is_null() => {
                t.say("board.never")
            }
            State::CutOff | State::Resting => moment(&standing["heard_ms"]),
        };
        Line {
            id: text(&row["office"]).to_owned(),
            name: text(&row["name"]).to_owned(),
            parent: text(&row["parent"]).to_owned(),
            state,
            since: since(t, state, standing),
            heard,
            at_risk: number(&row["at_risk"]),
            open: number(&row["held"]["open"]),
            overdue: number(&row["held"]["overdue"]),
            unsent: number(&report["unsent"]),
            waiting: number(&report["waiting"]),
            quarantined: quarantined.sum(),
            skew: skew(t, &standing["skew_ms"]),
            disk: disk(&report["disk"]),
            disk_part: free_percent(&report["disk"])
                .map(|part| format!("{part} %"))
                .unwrap_or_default(),
            program: match report["newer"] == true {
                true => t.say("board.newer"),
                false => text(&report["program"]).trim_start_matches("lienthong ").to_owned(),
            },
        }
    }

    /// Whether the office takes part.
    pub(crate) fn has_joined(&self) -> bool {
        self.state != State::NotJoined
    }
}

fn since(t: Tongue<'_>, state: State, standing: &Value) -> String {
    let silent = standing["silent_minutes"].as_u64().unwrap_or(0);
    match state {
        State::CutOff | State::Resting if silent > 0 => {
            t.fill("board.silent", "time", &worked(t, silent))
        }
        State::Settled | State::Working if !standing["settled_ms"].is_null() => {
            let key = if state == State::Settled { "board.since" } else { "board.last_settled" };
            t.fill(key, "time", &moment(&standing["settled_ms"]))
        }
        _ => String::new(),
    }
}

/// How far a clock is ahead: to the second below two minutes, then in minutes, and marked.
pub(crate) fn skew(t: Tongue<'_>, skew_ms: &Value) -> Cell {
    let Some(skew) = skew_ms.as_i64() else { return Cell::default() };
    let sign = if skew < 0 { "−" } else { "+" };
    let seconds = skew.unsigned_abs() / 1_000;
    let (key, count) = match seconds {
        0 => return Cell { words: t.fill("board.seconds", "count", "0"), is_wrong: false },
        1..=119 => ("board.seconds", seconds),
        120..=7_199 => ("time.minutes", seconds / 60),
        7_200..=172_799 => ("time.hours", seconds / 3_600),
        _ => ("board.skew.days", seconds / 86_400),
    };
    let words = t.fill(key, "count", &format!("{sign}{count}"));
    Cell { words, is_wrong: skew.unsigned_abs() > MAX_SKEW_MS }
}

/// What is free on a disk; marked below a tenth.
fn disk(disk: &Value) -> Cell {
    let Some((free, percent)) = disk["free_bytes"].as_u64().zip(free_percent(disk)) else {
        return Cell::default();
    };
    Cell { words: format!("{} ({percent} %)", size(free)), is_wrong: percent < 10 }
}

fn free_percent(disk: &Value) -> Option<u128> {
    let (free, total) = (disk["free_bytes"].as_u64()?, disk["total_bytes"].as_u64()?);
    Some(u128::from(free) * 100 / u128::from(total.max(1)))
}

/// A size of a disk: whole gigabytes, below ten megabytes.
fn size(bytes: u64) -> String {
    match bytes >> 30 {
        0..10 => format!("{} MB", bytes >> 20),
        gigabytes => format!("{gigabytes} GB"),
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Clocks that differ by more make dues differ.
const MAX_SKEW_MS: u64 = 120_000;
