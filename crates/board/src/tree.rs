//! The federation as a tree, with the state of each link.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use lienthong_request::Request;
use lienthong_web::{Answer, Tongue, Visit};

use crate::line::{Line, text};
use crate::overview::in_charge;

#[derive(Template)]
#[template(path = "tree.html")]
struct Page<'p> {
    t: Tongue<'p>,
    here: &'static str,
    in_charge: bool,
    root: String,
}

/// An office with those below it.
#[derive(Template)]
#[template(path = "branch.html")]
struct Branch<'p> {
    t: Tongue<'p>,
    line: &'p Line,
    below: Vec<String>,
    /// How many below it have not joined: they stand as a number.
    apart: usize,
    /// Whether something below it wants to be looked at.
    is_open: bool,
    is_leaf: bool,
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let t = visit.tongue();
    let board = visit.ask(Request::Board).await?;
    let own = text(&board["office"]).to_owned();
    let rows = board["offices"].as_array().map_or(&[][..], Vec::as_slice);
    let lines: Vec<Line> = rows.iter().map(|row| Line::of(t, row)).collect();
    let mut children: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.id != own) {
        children.entry(&line.parent).or_default().push(line);
    }
    children.values_mut().for_each(|below| below.sort_by_key(|line| &line.name));
    let root = lines.iter().find(|line| line.id == own);
    let root = root.map(|root| branch(t, root, &children, 0)).transpose()?;
    let page = Page {
        t,
        here: "/board/tree",
        in_charge: in_charge(&visit),
        root: root.map(|grown| grown.html).unwrap_or_default(),
    };
    visit.page("board.tree", &page).await
}

/// A branch that is rendered.
struct Grown {
    html: String,
    /// Whether it or something below it wants to be looked at.
    is_wrong: bool,
}

fn branch(
    t: Tongue<'_>,
    line: &Line,
    children: &BTreeMap<&str, Vec<&Line>>,
    depth: usize,
) -> Result<Grown, lienthong_request::Failure> {
    let below = children.get(line.id.as_str()).map_or(&[][..], Vec::as_slice);
    // The registry has mended what is no tree; this only keeps a bug from going round.
    let below = if depth < MAX_DEPTH { below } else { &[] };
    let shown = below.iter().filter(|line| is_alive(line, children, depth + 1));
    let grown = shown.map(|child| branch(t, child, children, depth + 1));
    let grown = grown.collect::<Result<Vec<Grown>, _>>()?;
    let is_wrong_below = grown.iter().any(|grown| grown.is_wrong);
    let apart = below.len() - grown.len();
    let branch = Branch {
        t,
        line,
        apart,
        is_open: is_wrong_below || depth == 0 || grown.len() <= FEW,
        is_leaf: below.is_empty(),
        below: grown.into_iter().map(|grown| grown.html).collect(),
    };
    let html = branch.render().map_err(|error| {
        let why = error.to_string();
        lienthong_request::Failure::failed("page-not-rendered", "not shown", why, "report this")
    })?;
    let is_wrong = is_wrong_below || ["cut-off", "working"].contains(&line.state.class());
    Ok(Grown { html, is_wrong })
}

/// Whether an office or one below it has joined.
fn is_alive(line: &Line, children: &BTreeMap<&str, Vec<&Line>>, depth: usize) -> bool {
    let below = children.get(line.id.as_str()).map_or(&[][..], Vec::as_slice);
    let mut below = below.iter().filter(|_| depth < MAX_DEPTH);
    line.has_joined() || below.any(|child| is_alive(child, children, depth + 1))
}

/// So few offices need no folding away.
const FEW: usize = 5;
/// As deep as a registry may be.
const MAX_DEPTH: usize = 16;
