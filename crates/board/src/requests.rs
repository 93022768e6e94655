//! Who wants to join, and the join codes that were given out.

use std::sync::Arc;

use askama::Template;
use lienthong_request::{Failure, Request};
use lienthong_web::{Answer, FieldErrors, Tongue, Visit, moment, see_other};
use serde_json::Value;

use crate::line::{list, text};

#[derive(Template)]
#[template(path = "requests.html")]
struct Page<'p> {
    t: Tongue<'p>,
    here: &'static str,
    in_charge: bool,
    errors: FieldErrors,
    waiting: Vec<Waiting>,
    choices: Vec<(String, String)>,
    office: &'p str,
    hours: String,
    once: String,
    issued: Vec<Issued>,
}

/// The join code that was just made; it is shown this once.
#[derive(Template)]
#[template(path = "code.html")]
struct Code<'p> {
    t: Tongue<'p>,
    here: &'static str,
    in_charge: bool,
    office: String,
    code: String,
    /// The same as a picture in SVG; none if it is too long for one.
    picture: Option<String>,
    expires: String,
}

struct Waiting {
    node: String,
    office: String,
    addresses: String,
    since: String,
    once: String,
}

struct Issued {
    office: String,
    standing: String,
    expires: String,
    /// How it is withdrawn, where it still can be: its name, and the key of the press.
    open: Option<(String, String)>,
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    page(&visit, FieldErrors::default()).await
}

/// Approves, refuses, invites or withdraws; which, says the button that was pressed.
pub(crate) async fn decide(visit: Arc<Visit>) -> Answer {
    let (request, field) = match asked(&visit) {
        Ok(asked) => asked,
        Err(failure) => return with_error(&visit, "office", &failure).await,
    };
    let is_invitation = matches!(request, Request::Invite { .. });
    match visit.ask_once(visit.field("once"), request).await {
        Ok(answer) if is_invitation => code(&visit, &answer).await,
        Ok(_) => Ok(see_other("/board/requests")),
        Err(failure) => with_error(&visit, field, &failure).await,
    }
}

async fn with_error(visit: &Visit, field: &str, failure: &Failure) -> Answer {
    let mut errors = FieldErrors::default();
    errors.add_failure(field, failure, visit.tongue());
    page(visit, errors).await
}

/// What the form asks for, and the field that a refusal is about.
fn asked(visit: &Visit) -> Result<(Request, &'static str), Failure> {
    let node = || visit.field("node").parse().map_err(|_| bad_form());
    match visit.field("do") {
        "approve" => Ok((Request::Approve { node: node()? }, "waiting")),
        "refuse" => Ok((Request::Refuse { node: node()? }, "waiting")),
        "invite" => {
            let office = visit.field("office").parse().map_err(|_| bad_form())?;
            // 0 is what the node refuses with the limits in words.
            let valid_hours = visit.field("hours").parse().unwrap_or(0);
            Ok((Request::Invite { office, valid_hours }, "hours"))
        }
        "withdraw" => {
            let invitation = visit.field("invitation").to_owned();
            Ok((Request::Withdraw { invitation }, "issued"))
        }
        _ => Err(bad_form()),
    }
}

async fn code(visit: &Visit, answer: &Value) -> Answer {
    let code = text(&answer["code"]);
    let page = Code {
        t: visit.tongue(),
        here: "/board/requests",
        in_charge: true,
        office: visit.office_name(text(&answer["office"])).await,
        code: code.to_owned(),
        picture: lienthong_qr::svg(code, QR_SCALE),
        expires: moment(&answer["expires_ms"]),
    };
    visit.page("board.code", &page).await
}

async fn page(visit: &Visit, errors: FieldErrors) -> Answer {
    let nodes = visit.ask(Request::Nodes).await?;
    let book = visit.ask(Request::Invitations).await?;
    let offices = visit.ask(Request::Offices).await?;
    let mut waiting = Vec::new();
    for one in list(&nodes["waiting"]) {
        let addresses: Vec<&str> = list(&one["addresses"]).iter().map(text).collect();
        waiting.push(Waiting {
            node: text(&one["node"]).to_owned(),
            office: visit.office_name(text(&one["office"])).await,
            addresses: addresses.join(", "),
            since: moment(&one["since"]),
            once: visit.once_key()?,
        });
    }
    let mut issued = Vec::new();
    for one in list(&book["invitations"]).iter().take(SHOWN) {
        issued.push(in_words(visit, one).await?);
    }
    // Whoever wants to withdraw one looks for it among those that are still good.
    issued.sort_by_key(|one| one.open.is_none());
    let named = list(&offices["offices"])
        .iter()
        .map(|office| (text(&office["id"]).to_owned(), text(&office["name"]).to_owned()));
    let is_wrong = !errors.is_empty();
    let hours = if visit.field("hours").is_empty() { "72" } else { visit.field("hours") };
    let page = Page {
        t: visit.tongue(),
        here: "/board/requests",
        in_charge: true,
        errors,
        waiting,
        choices: named.collect(),
        office: visit.field("office"),
        hours: hours.to_owned(),
        once: visit.once_key()?,
        issued,
    };
    if is_wrong {
        visit.page_with_errors("board.requests", &page).await
    } else {
        visit.page("board.requests", &page).await
    }
}

/// One line of the book.
async fn in_words(visit: &Visit, one: &Value) -> Result<Issued, Failure> {
    let (state, is_over) = (text(&one["standing"]["state"]), one["is_over"] == true);
    let is_open = state == "open" && !is_over;
    let word = if is_over { "over" } else { state };
    let open = match is_open {
        true => Some((text(&one["id"]).to_owned(), visit.once_key()?)),
        false => None,
    };
    Ok(Issued {
        office: visit.office_name(text(&one["office"])).await,
        standing: visit.tongue().say_or(&format!("board.code.{word}"), word),
        expires: moment(&one["expires"]),
        open,
    })
}

/// A form whose fields are not those that this page has.
pub(crate) fn bad_form() -> Failure {
    Failure::usage(
        "bad-request",
        "không thực hiện / nothing was done",
        "phiếu gửi lên không đúng / the form does not fit",
        "mở lại trang / open the page again",
    )
}

/// How many pixels each square of a code has: a telephone reads it off a screen.
const QR_SCALE: u16 = 5;
/// How many codes are listed.
const SHOWN: usize = 100;
