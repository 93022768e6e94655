//! The roll-out: who joins in which wave, who has joined, and what each still lacks.

use std::sync::Arc;

use askama::Template;
use lienthong_request::Request;
use lienthong_web::{Answer, Tongue, Visit, moment};
use serde_json::Value;

use crate::line::{list, text};
use crate::overview::in_charge;

#[derive(Template)]
#[template(path = "rollout.html")]
struct Page<'p> {
    t: Tongue<'p>,
    here: &'static str,
    in_charge: bool,
    waves: Vec<Wave>,
}

struct Wave {
    year: String,
    joined: usize,
    offices: Vec<Office>,
}

struct Office {
    id: String,
    name: String,
    joined: String,
    below: String,
    checks: Vec<(&'static str, bool)>,
}

impl Office {
    fn lacks(&self) -> usize {
        self.checks.iter().filter(|(_, is_there)| !is_there).count()
    }
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let answer = visit.ask(Request::Rollout).await?;
    let waves = list(&answer["waves"]).iter().map(wave).collect();
    let (t, in_charge) = (visit.tongue(), in_charge(&visit));
    let page = Page { t, here: "/board/rollout", in_charge, waves };
    visit.page("board.rollout", &page).await
}

fn wave(wave: &Value) -> Wave {
    let offices: Vec<Office> = list(&wave["offices"]).iter().map(office).collect();
    Wave {
        year: wave["wave"].to_string(),
        joined: offices.iter().filter(|office| !office.joined.is_empty()).count(),
        offices,
    }
}

fn office(office: &Value) -> Office {
    let ready = |check: &&'static str| (*check, office["ready"][*check] == true);
    Office {
        id: text(&office["office"]).to_owned(),
        name: text(&office["name"]).to_owned(),
        joined: moment(&office["joined_ms"]),
        below: format!("{} / {}", office["below_joined"], office["below"]),
        checks: CHECKS.iter().map(ready).collect(),
    }
}

/// What an office needs, in the order in which it comes by it.
const CHECKS: [&str; 7] = ["invited", "joined", "settled", "staff", "program", "clock", "disk"];
