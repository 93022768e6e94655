//! One office: how it stands, the history of contact, the proof of complete sync, its quarantine.

use std::sync::Arc;

use askama::Template;
use lienthong_request::{Failure, Request};
use lienthong_web::{Answer, Tongue, Visit, moment};
use serde_json::Value;

use crate::line::{Cell, Line, list, skew, text};
use crate::overview::in_charge;

#[derive(Template)]
#[template(path = "office.html")]
struct Page<'p> {
    t: Tongue<'p>,
    here: &'static str,
    in_charge: bool,
    line: Line,
    parent: String,
    joined: String,
    dossiers: Option<Dossiers>,
    proofs: Vec<Proof>,
    turns: Vec<Turn>,
    sets: Vec<(String, String)>,
    documents: Vec<(String, String)>,
    nodes: Vec<Node>,
}

/// What the office says that it holds.
struct Dossiers {
    open: u64,
    overdue: u64,
    due_in_1: u64,
    due_in_3: u64,
}

/// The proof of complete sync with one node.
struct Proof {
    node: String,
    is_settled: bool,
    root: String,
    changes: u64,
    there: String,
    proven: String,
    proven_changes: u64,
}

struct Turn {
    at: String,
    is_up: bool,
}

struct Node {
    id: String,
    addresses: String,
    since: String,
    is_revoked: bool,
    heard: String,
    skew: Cell,
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let t = visit.tongue();
    let office = visit.part("office").parse().map_err(|_| no_such_office())?;
    let shown = visit.ask(Request::BoardOffice { office }).await?;
    let board = visit.ask(Request::Board).await?;
    let rows = list(&board["offices"]);
    let row =
        rows.iter().find(|row| row["office"] == office.as_str()).ok_or_else(no_such_office)?;
    let line = Line::of(t, row);
    let parent = match line.parent.is_empty() {
        true => String::new(),
        false => visit.office_name(&line.parent).await,
    };
    let page = Page {
        t,
        here: "",
        in_charge: in_charge(&visit),
        line,
        parent,
        joined: moment(&row["joined_ms"]),
        dossiers: dossiers(&row["report"]["dossiers"]),
        proofs: list(&shown["links"]).iter().map(proof).collect(),
        turns: list(&shown["contact"]).iter().map(turn).collect(),
        sets: list(&row["report"]["quarantined"])
            .iter()
            .map(|set| (reason(t, &set["reason"]), set["changes"].to_string()))
            .collect(),
        documents: list(&shown["quarantine"])
            .iter()
            .map(|one| (text(&one["document"]).to_owned(), reason(t, &one["reason"])))
            .collect(),
        nodes: list(&shown["nodes"]).iter().map(|one| node(t, one)).collect(),
    };
    visit.page("board.office", &page).await
}

fn dossiers(said: &Value) -> Option<Dossiers> {
    let of = |field: &str| said[field].as_u64();
    Some(Dossiers {
        open: of("open")?,
        overdue: of("overdue")?,
        due_in_1: of("due_in_1")?,
        due_in_3: of("due_in_3")?,
    })
}

fn proof(link: &Value) -> Proof {
    let number = |field: &str| link[field].as_u64().unwrap_or(0);
    Proof {
        node: short(text(&link["node"])),
        is_settled: link["settled"] == true,
        root: short(text(&link["root"])),
        changes: number("shared_changes"),
        there: link["peer_changes"].as_u64().map(|there| there.to_string()).unwrap_or_default(),
        proven: moment(&link["proven_ms"]),
        proven_changes: number("proven_changes"),
    }
}

fn turn(turn: &Value) -> Turn {
    Turn { at: moment(&turn["at_ms"]), is_up: turn["up"] == true }
}

fn node(t: Tongue<'_>, node: &Value) -> Node {
    let addresses: Vec<&str> = list(&node["addresses"]).iter().map(text).collect();
    Node {
        id: text(&node["node"]).to_owned(),
        addresses: addresses.join(", "),
        since: moment(&node["since_ms"]),
        is_revoked: node["revoked"] == true,
        heard: moment(&node["heard_ms"]),
        skew: skew(t, &node["skew_ms"]),
    }
}

/// Why changes are in quarantine, in words; the code where a newer node has another reason.
fn reason(t: Tongue<'_>, code: &Value) -> String {
    let code = text(code);
    t.say_or(&format!("board.reason.{code}"), code)
}

/// The first 16 digits, as `status` prints roots.
fn short(hex: &str) -> String {
    hex.chars().take(16).collect()
}

fn no_such_office() -> Failure {
    Failure::refused(
        "not-found",
        "không có gì để xem / there is nothing to show",
        "không có cơ quan này ở đây hay bên dưới / this office is neither here nor below",
        "chọn một cơ quan trên bảng / choose an office of the board",
    )
}
