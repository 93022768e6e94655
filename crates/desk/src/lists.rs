//! Lists of dossiers: queues by what is due, the search, and what somebody has to decide. Names
//! and numbers are masked in all of them.

use std::sync::Arc;

use askama::Template;
use lienthong_request::{Filter, Request};
use lienthong_web::{Answer, FieldErrors, Tongue, Visit};
use serde_json::Value;

use crate::login::error_at;
use crate::spoken::{list, text, words};
use crate::today::{Row, today};

#[derive(Template)]
#[template(path = "queue.html")]
struct Queue<'p> {
    t: Tongue<'p>,
    kind: &'static Kind,
    rows: Vec<Row>,
    next: Option<String>,
}

impl Queue<'_> {
    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }
}

#[derive(Template)]
#[template(path = "search.html")]
struct Search<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
    sought: &'p str,
    status: &'p str,
    /// None before anything was asked.
    rows: Option<Vec<Row>>,
    next: Option<String>,
}

impl Search<'_> {
    fn statuses(&self) -> std::ops::RangeInclusive<u8> {
        1..=10
    }
}

#[derive(Template)]
#[template(path = "review.html")]
struct Review<'p> {
    t: Tongue<'p>,
    items: Vec<Item>,
    receipts: Vec<SharedReceipt>,
    next: Option<String>,
}

/// A dossier with the first thing that somebody has to decide about it.
struct Item {
    row: Row,
    words: String,
    office: String,
}

/// A receipt that stands in several dossiers of this office.
struct SharedReceipt {
    name: String,
    /// Id and code of each.
    dossiers: Vec<(String, String)>,
}

pub(crate) async fn queue(visit: Arc<Visit>) -> Answer {
    let asked = visit.query("which");
    let kind = KINDS.iter().find(|kind| kind.name == asked).unwrap_or(&KINDS[0]);
    let filter = Filter { after: after(visit.query("after")), ..filter(kind, &visit) };
    let answer = visit.ask(Request::List(Box::new(filter))).await?;
    let own = match kind.which {
        Which::Elsewhere => {
            let status = visit.ask(Request::Status).await?;
            text(&status["office"]).to_owned()
        }
        _ => String::new(),
    };
    let is_shown = |dossier: &&Value| {
        kind.which != Which::Elsewhere || dossier["holder"].as_str().is_some_and(|it| it != own)
    };
    let is_late = kind.which == Which::Overdue;
    let dossiers = list(&answer["dossiers"]).iter().filter(is_shown);
    let rows = dossiers.map(|dossier| Row::of(dossier, is_late)).collect();
    let page = Queue { t: visit.tongue(), kind, rows, next: next(&answer) };
    visit.page("nav.queue", &page).await
}

pub(crate) async fn show_search(visit: Arc<Visit>) -> Answer {
    let errors = FieldErrors::default();
    let t = visit.tongue();
    let page = Search { t, errors, sought: "", status: "", rows: None, next: None };
    visit.page("nav.search", &page).await
}

/// Searches by what was sent in the body: a name or a number belongs in no address.
pub(crate) async fn search(visit: Arc<Visit>) -> Answer {
    let (t, sought, status) = (visit.tongue(), visit.field("text"), visit.field("status"));
    let filter = Filter {
        text: Some(sought.to_owned()).filter(|text| !text.is_empty()),
        status: status.parse().ok(),
        after: after(visit.field("after")),
        ..Filter::default()
    };
    match visit.ask(Request::List(Box::new(filter))).await {
        Ok(answer) => {
            let rows = list(&answer["dossiers"]).iter().map(|dossier| Row::of(dossier, false));
            let (rows, errors) = (Some(rows.collect()), FieldErrors::default());
            let page = Search { t, errors, sought, status, rows, next: next(&answer) };
            visit.page("nav.search", &page).await
        }
        Err(failure) => {
            let errors = error_at("text", &visit, failure)?;
            let page = Search { t, errors, sought, status, rows: None, next: None };
            visit.page_with_errors("nav.search", &page).await
        }
    }
}

pub(crate) async fn review(visit: Arc<Visit>) -> Answer {
    let after = after(visit.query("after"));
    let filter = Filter { review: true, after, ..Filter::default() };
    let answer = visit.ask(Request::List(Box::new(filter))).await?;
    let t = visit.tongue();
    let mut items = Vec::new();
    for dossier in list(&answer["dossiers"]) {
        let open = &dossier["open"];
        let office = visit.office_name(text(&open["office"])).await;
        items.push(Item { row: Row::of(dossier, false), words: words(t, open), office });
    }
    let receipts = list(&answer["receipts"]).iter().map(shared_receipt).collect();
    visit.page("nav.review", &Review { t, items, receipts, next: next(&answer) }).await
}

fn shared_receipt(shared: &Value) -> SharedReceipt {
    let plain = |value: &Value| text(value).to_owned();
    let dossiers = list(&shared["dossiers"]).iter();
    SharedReceipt {
        name: format!("{} {}", text(&shared["series"]), text(&shared["number"])),
        dossiers: dossiers.map(|it| (plain(&it["id"]), plain(&it["code"]))).collect(),
    }
}

fn after(cursor: &str) -> Option<String> {
    Some(cursor.to_owned()).filter(|cursor| !cursor.is_empty())
}

fn next(answer: &Value) -> Option<String> {
    answer["next"].as_str().map(ToOwned::to_owned)
}

fn filter(kind: &Kind, visit: &Visit) -> Filter {
    let filter = Filter::default();
    match kind.which {
        Which::Overdue => Filter { overdue: true, ..filter },
        Which::DueToday => {
            let day = today(visit);
            Filter {
                due_after: Some(format!("{day}T00:00")),
                due_before: Some(format!("{day}T23:59")),
                ..filter
            }
        }
        Which::Elsewhere => Filter { status: Some(IN_PROCESS), limit: MANY, ..filter },
        Which::Status(status) => Filter { status: Some(status), ..filter },
    }
}

/// One queue.
struct Kind {
    name: &'static str,
    word: &'static str,
    which: Which,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Overdue,
    DueToday,
    /// In process, in the hands of another office.
    Elsewhere,
    Status(u8),
}

const fn kind(name: &'static str, word: &'static str, which: Which) -> Kind {
    Kind { name, word, which }
}

/// What is most pressing comes first.
static KINDS: [Kind; 6] = [
    kind("overdue", "today.overdue", Which::Overdue),
    kind("due", "today.due", Which::DueToday),
    kind("elsewhere", "queue.elsewhere", Which::Elsewhere),
    kind("supplement", "today.supplement", Which::Status(5)),
    kind("payment", "today.payment", Which::Status(6)),
    kind("results", "today.finished", Which::Status(9)),
];

const IN_PROCESS: u8 = 4;
/// How many dossiers in process are looked through for those in other hands.
const MANY: usize = 200;
