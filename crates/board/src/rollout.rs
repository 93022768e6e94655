//! The roll-out: who joins in which wave, who has joined, and what each still lacks.

use std::sync::Arc;

use askama::Template;
use lienthong_request::{Failure, Request};
use lienthong_web::{Answer, FieldErrors, Tongue, Visit, moment, see_other};
use serde_json::Value;

use crate::line::{list, text};
use crate::overview::in_charge;
use crate::requests::bad_form;

#[derive(Template)]
#[template(path = "rollout.html")]
struct Page<'p> {
    t: Tongue<'p>,
    here: &'static str,
    in_charge: bool,
    errors: FieldErrors,
    waves: Vec<Wave>,
    /// Whether the list can be ticked here.
    may_tick: bool,
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
    needs: Vec<Need>,
    /// Whether its list stands open: somebody has just ticked there.
    is_open: bool,
    once: String,
}

/// One thing on the readiness list of an office.
struct Need {
    word: String,
    name: String,
    is_done: bool,
    /// Who said so last, and when; empty before anybody did.
    said: String,
}

impl Office {
    fn lacks(&self) -> usize {
        let checks = self.checks.iter().filter(|(_, is_there)| !is_there).count();
        checks + self.needs.iter().filter(|need| !need.is_done).count()
    }
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    page(&visit, FieldErrors::default()).await
}

/// Ticks one thing of one office, or takes the tick back; which, says the button.
pub(crate) async fn tick(visit: Arc<Visit>) -> Answer {
    let done = match asked(&visit) {
        Ok(request) => visit.ask_once(visit.field("once"), request).await,
        Err(failure) => Err(failure),
    };
    match done {
        Ok(answer) => {
            let office = text(&answer["office"]);
            Ok(see_other(&format!("/board/rollout?open={office}#at-{office}")))
        }
        Err(failure) => {
            let mut errors = FieldErrors::default();
            errors.add_failure("waves", &failure, visit.tongue());
            page(&visit, errors).await
        }
    }
}

fn asked(visit: &Visit) -> Result<Request, Failure> {
    let office = visit.field("office").parse().map_err(|_| bad_form())?;
    let (need, done) = match (visit.field("tick"), visit.field("untick")) {
        ("", need) => (need.to_owned(), false),
        (need, _) => (need.to_owned(), true),
    };
    Ok(Request::Tick { office, need, done, officer: visit.officer().to_owned() })
}

async fn page(visit: &Visit, errors: FieldErrors) -> Answer {
    let answer = visit.ask(Request::Rollout).await?;
    let waves = list(&answer["waves"]).iter().map(|one| wave(visit, one));
    let waves = waves.collect::<Result<Vec<Wave>, Failure>>()?;
    let is_wrong = !errors.is_empty();
    let page = Page {
        t: visit.tongue(),
        here: "/board/rollout",
        in_charge: in_charge(visit),
        errors,
        waves,
        may_tick: answer["may_tick"] == true,
    };
    match is_wrong {
        true => visit.page_with_errors("board.rollout", &page).await,
        false => visit.page("board.rollout", &page).await,
    }
}

fn wave(visit: &Visit, wave: &Value) -> Result<Wave, Failure> {
    let offices = list(&wave["offices"]).iter().map(|one| office(visit, one));
    let offices = offices.collect::<Result<Vec<Office>, Failure>>()?;
    Ok(Wave {
        year: wave["wave"].to_string(),
        joined: offices.iter().filter(|office| !office.joined.is_empty()).count(),
        offices,
    })
}

fn office(visit: &Visit, office: &Value) -> Result<Office, Failure> {
    let ready = |check: &&'static str| (*check, office["ready"][*check] == true);
    let id = text(&office["office"]).to_owned();
    let is_here = |asked: &str| asked == id;
    Ok(Office {
        is_open: is_here(visit.query("open")) || is_here(visit.field("office")),
        id,
        name: text(&office["name"]).to_owned(),
        joined: moment(&office["joined_ms"]),
        below: format!("{} / {}", office["below_joined"], office["below"]),
        checks: CHECKS.iter().map(ready).collect(),
        needs: list(&office["list"]).iter().map(|one| need(visit.tongue(), one)).collect(),
        once: visit.once_key()?,
    })
}

fn need(t: Tongue<'_>, need: &Value) -> Need {
    let (word, who) = (text(&need["need"]), text(&need["who"]));
    let at = moment(&need["at_ms"]);
    Need {
        word: word.to_owned(),
        name: t.say_or(&format!("board.need.{word}"), word),
        is_done: need["done"] == true,
        said: match who {
            "" => String::new(),
            who => t.tell("board.need.said", &[("who", who), ("time", &at)]),
        },
    }
}

/// What an office needs, in the order in which it comes by it.
const CHECKS: [&str; 7] = ["invited", "joined", "settled", "staff", "program", "clock", "disk"];
