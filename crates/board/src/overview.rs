//! Four numbers, then all offices, worst first.

use std::sync::Arc;

use askama::Template;
use lienthong_request::{Failure, Request};
use lienthong_web::{Answer, Tongue, Visit, moment};
use serde_json::Value;

use crate::line::Line;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview<'p> {
    t: Tongue<'p>,
    here: &'static str,
    in_charge: bool,
    live: Live<'p>,
}

/// The part that a browser asks for again and again.
#[derive(Template)]
#[template(path = "live.html")]
struct Live<'p> {
    t: Tongue<'p>,
    at: String,
    until: String,
    is_open: bool,
    is_known: bool,
    numbers: [Number; 4],
    lines: Vec<Line>,
    hidden: usize,
    is_all: bool,
    apart: usize,
}

/// One of the four numbers.
struct Number {
    count: String,
    word: &'static str,
    /// `good`, `bad`, or nothing where the number says no more than itself.
    class: &'static str,
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let live = look(&visit).await?;
    let in_charge = in_charge(&visit);
    let page = Overview { t: visit.tongue(), here: "/board", in_charge, live };
    visit.page("nav.board", &page).await
}

pub(crate) async fn live(visit: Arc<Visit>) -> Answer {
    let live = look(&visit).await?;
    visit.fragment(&live)
}

/// Whether the officer may decide on requests to join.
pub(crate) fn in_charge(visit: &Visit) -> bool {
    visit.has_role(&[lienthong_folder::Role::Administrator])
}

async fn look(visit: &Visit) -> Result<Live<'_>, Failure> {
    let t = visit.tongue();
    let board = visit.ask(Request::Board).await?;
    let rows = board["offices"].as_array().map_or(&[][..], Vec::as_slice);
    let lines = rows.iter().map(|row| Line::of(t, row));
    let (mut lines, apart): (Vec<Line>, Vec<Line>) = lines.partition(Line::has_joined);
    let is_all = visit.query("all") == "1";
    let hidden = if is_all { 0 } else { lines.len().saturating_sub(SHOWN) };
    lines.truncate(lines.len() - hidden);
    Ok(Live {
        t,
        at: moment(&board["at_ms"]),
        until: moment(&board["until_ms"]),
        is_open: board["open"] == true,
        is_known: board["dossiers_known"] == true,
        numbers: numbers(&board["numbers"]),
        lines,
        hidden,
        is_all,
        apart: apart.len(),
    })
}

fn numbers(numbers: &Value) -> [Number; 4] {
    let of = |field: &str| numbers[field].as_u64().unwrap_or(0);
    let alarming = |word, count: u64| {
        let class = if count > 0 { "bad" } else { "" };
        Number { count: count.to_string(), word, class }
    };
    let (settled, joined) = (of("settled"), of("joined"));
    let class = if settled == joined { "good" } else { "" };
    [
        Number { count: format!("{settled} / {joined}"), word: "board.settled", class },
        alarming("board.cut_off", of("cut_off")),
        Number { class: "", ..alarming("board.overdue", of("overdue")) },
        alarming("board.at_risk", of("at_risk")),
    ]
}

/// How many offices stand on the page at first: the worst ones.
const SHOWN: usize = 60;
