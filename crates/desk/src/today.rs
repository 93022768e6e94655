//! Today's work: how many dossiers stand where, and which.

use std::sync::Arc;

use askama::Template;
use lienthong_request::{Filter, Request};
use lienthong_web::{Answer, Tongue, Visit, when};
use serde_json::Value;

use crate::spoken::due;

#[derive(Template)]
#[template(path = "today.html")]
struct Today<'p> {
    t: Tongue<'p>,
    groups: Vec<Group>,
    behind: Option<String>,
}

/// Dossiers that wait for the same.
struct Group {
    name: &'static str,
    count: String,
    rows: Vec<Row>,
    has_more: bool,
}

impl Today<'_> {
    fn is_idle(&self) -> bool {
        self.groups.iter().all(|group| group.rows.is_empty())
    }
}

impl Group {
    fn word(&self) -> &'static str {
        GROUPS
            .iter()
            .find(|known| known.name == self.name)
            .map_or("today.title", |known| known.word)
    }
}

/// One line of a list; names are masked.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) code: String,
    pub(crate) applicant: String,
    pub(crate) procedure: String,
    pub(crate) due: String,
    pub(crate) is_late: bool,
    status: u64,
}

impl Row {
    /// The line of a dossier in the answer to a list; `is_late` is the list's own word.
    pub(crate) fn of(dossier: &Value, is_late: bool) -> Row {
        let text = |field: &str| dossier[field].as_str().unwrap_or_default().to_owned();
        let name = text("procedure_name");
        Row {
            id: text("id"),
            code: text("code"),
            applicant: text("applicant"),
            procedure: if name.is_empty() { text("procedure") } else { name },
            due: due(&dossier["due"]),
            is_late,
            status: dossier["status"].as_u64().unwrap_or(0),
        }
    }

    pub(crate) fn status_word(&self) -> &'static str {
        let at = usize::try_from(self.status).unwrap_or(0);
        STATUS_WORDS.get(at.saturating_sub(1)).copied().unwrap_or("status.1")
    }
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let mut groups = Vec::with_capacity(GROUPS.len());
    let mut behind = 0;
    for kind in &GROUPS {
        let answer = visit.ask(Request::List(Box::new(filter(kind, &visit)))).await?;
        behind = answer["behind"].as_u64().unwrap_or(0);
        groups.push(group(kind, &answer));
    }
    let behind = (behind > 0).then(|| behind.to_string());
    let page = Today { t: visit.tongue(), groups, behind };
    visit.page("today.title", &page).await
}

fn group(kind: &Kind, answer: &Value) -> Group {
    let dossiers = answer["dossiers"].as_array().map_or(&[][..], Vec::as_slice);
    let has_more = !answer["next"].is_null();
    let is_late = kind.which == Which::Overdue;
    let rows = dossiers.iter().take(SHOWN).map(|dossier| Row::of(dossier, is_late)).collect();
    let more = if has_more { "+" } else { "" };
    Group {
        name: kind.name,
        count: format!("{}{more}", dossiers.len()),
        rows,
        has_more: has_more || dossiers.len() > SHOWN,
    }
}

fn filter(kind: &Kind, visit: &Visit) -> Filter {
    let filter = Filter { limit: COUNTED, ..Filter::default() };
    match kind.which {
        Which::Status(status) => Filter { status: Some(status), ..filter },
        Which::Overdue => Filter { overdue: true, ..filter },
        Which::DueToday => {
            let day = today(visit);
            Filter {
                due_after: Some(format!("{day}T00:00")),
                due_before: Some(format!("{day}T23:59")),
                ..filter
            }
        }
    }
}

/// The day here, as YYYY-MM-DD.
pub(crate) fn today(visit: &Visit) -> String {
    let words = when(visit.now());
    let day = words.split(' ').nth(1).unwrap_or_default();
    let mut parts: Vec<&str> = day.split('/').collect();
    parts.reverse();
    parts.join("-")
}

struct Kind {
    name: &'static str,
    word: &'static str,
    which: Which,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Overdue,
    DueToday,
    Status(u8),
}

const fn kind(name: &'static str, word: &'static str, which: Which) -> Kind {
    Kind { name, word, which }
}

/// What is most pressing comes first.
const GROUPS: [Kind; 8] = [
    kind("overdue", "today.overdue", Which::Overdue),
    kind("due", "today.due", Which::DueToday),
    kind("received", "today.received", Which::Status(2)),
    kind("process", "today.process", Which::Status(4)),
    kind("supplement", "today.supplement", Which::Status(5)),
    kind("payment", "today.payment", Which::Status(6)),
    kind("stopped", "today.stopped", Which::Status(8)),
    kind("finished", "today.finished", Which::Status(9)),
];

const STATUS_WORDS: [&str; 10] = [
    "status.1",
    "status.2",
    "status.3",
    "status.4",
    "status.5",
    "status.6",
    "status.7",
    "status.8",
    "status.9",
    "status.10",
];

/// How many of a group are counted; more show as `200+`.
const COUNTED: usize = 200;
/// How many of a group stand on the page.
const SHOWN: usize = 10;
