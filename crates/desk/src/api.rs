//! The API under `/api/v1`: what the pages can do, for programs. One table says which request each
//! call is; the router and `openapi.json` are made from it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse;
use lienthong_dossier::NewAct;
use lienthong_folder::Role;
use lienthong_request::{AccessFilter, Failure, Filter, Publishing, Request, SCHEMA};
use lienthong_web::{Answer, Route, Visit, Who, answer_json};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::accounts::{self, Change};
use crate::openapi::{
    ACCOUNT, ACT, Body, FILTER, INVITATION, NOTHING, PUBLICATION, RECEPTION, REVOCATION, ROLES,
    TICK,
};

/// One call of the API.
pub(crate) struct Call {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) who: Who,
    /// The fields of the query with what they mean.
    pub(crate) query: &'static [(&'static str, &'static str)],
    /// What the JSON body is.
    pub(crate) body: &'static Body,
    /// Whether it changes something, so that it needs a key against doing it twice.
    pub(crate) is_act: bool,
    ask: Ask,
}

/// What a call turns to.
enum Ask {
    /// The node.
    Node(fn(&Visit) -> Result<Request, Failure>),
    /// The list of this node's accounts.
    Accounts,
    /// One of them, with what is done to it.
    Account(fn(&Visit) -> Result<(String, Change), Failure>),
}

/// How a call is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
}

/// The routes of the API.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes: Vec<Route> = CALLS.iter().map(route).collect();
    routes.extend([
        Route::post(SESSION, Who::Anyone, |visit| Box::pin(sign_in(visit))),
        Route::new(Method::DELETE, SESSION, Who::SignedIn, |visit| Box::pin(sign_out(visit))),
        Route::get("/api/v1/openapi.json", Who::Anyone, |_| {
            Box::pin(async { Ok(answer_json(&crate::openapi::description())) })
        }),
    ]);
    routes
}

fn route(call: &'static Call) -> Route {
    let act = move |visit: Arc<Visit>| -> lienthong_web::BoxFuture<Answer> {
        Box::pin(async move { answer(call, &visit).await })
    };
    let route = match call.verb {
        Verb::Get => Route::get(call.path, call.who, act),
        Verb::Post => Route::post(call.path, call.who, act),
    };
    route.takes(MAX_BODY_BYTES)
}

async fn answer(call: &Call, visit: &Visit) -> Answer {
    let request = match call.ask {
        Ask::Node(ask) => ask(visit)?,
        Ask::Accounts => return Ok(tagged(visit, &accounts::listed(visit.site()))),
        Ask::Account(ask) => return account(ask(visit)?, visit).await,
    };
    if !call.is_act {
        return Ok(tagged(visit, &visit.ask(request).await?));
    }
    let key = visit.header("idempotency-key").ok_or_else(no_key)?;
    let answer = visit.ask_once(key, request).await?;
    Ok((StatusCode::CREATED, answer_json(&answer)).into_response())
}

/// Changes an account; the one-time password that comes of it stands in this answer alone.
async fn account((officer, change): (String, Change), visit: &Visit) -> Answer {
    let key = visit.header("idempotency-key").ok_or_else(no_key)?;
    let (site, asked) = (Arc::clone(visit.site()), format!("{officer} {change:?}"));
    let doing = async move {
        let password = accounts::change(&site, &officer, change).await?;
        Ok(json!({ "schema": SCHEMA, "officer": officer, "password": password }))
    };
    let answer = visit.do_once(key, asked.as_bytes(), doing).await?;
    Ok((StatusCode::CREATED, answer_json(&answer)).into_response())
}

/// An answer with the tag of its contents; nothing but the tag for who has them.
fn tagged(visit: &Visit, answer: &Value) -> axum::response::Response {
    let hash = blake3::hash(answer.to_string().as_bytes()).to_hex();
    let tag = format!("\"{}\"", &hash[..32]);
    let is_known = visit.header("if-none-match").is_some_and(|known| known.contains(&tag));
    let value = HeaderValue::from_str(&tag).expect("a hash is hex");
    if is_known {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, value)]).into_response();
    }
    ([(header::ETAG, value)], answer_json(answer)).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    officer: String,
    password: String,
}

async fn sign_in(visit: Arc<Visit>) -> Answer {
    let SignIn { officer, password } = body(&visit)?;
    let cookie = visit.sign_in(&officer, &password).await?;
    let answer = answer_json(&json!({ "officer": officer }));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], answer).into_response())
}

async fn sign_out(visit: Arc<Visit>) -> Answer {
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, visit.sign_out())]).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inviting {
    office: String,
    valid_hours: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ticking {
    office: String,
    need: String,
    done: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoking {
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    what: Publishing,
    text: String,
    from: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    officer: String,
    roles: BTreeSet<Role>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoles {
    roles: BTreeSet<Role>,
}

fn body<T: DeserializeOwned>(visit: &Visit) -> Result<T, Failure> {
    serde_json::from_slice(visit.body()).map_err(|error| {
        // What the body holds is never repeated: it may name a person.
        let why = format!("line {}, column {} does not fit", error.line(), error.column());
        bad(&why, "see /api/v1/openapi.json")
    })
}

/// A field of the query or a part of the path as what it names.
fn read<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| bad(&format!("'{name}' does not fit"), "see /api/v1/openapi.json"))
}

fn optional<T: std::str::FromStr>(visit: &Visit, name: &str) -> Result<Option<T>, Failure> {
    match visit.query(name) {
        "" => Ok(None),
        text => read(name, text).map(Some),
    }
}

fn listed(visit: &Visit) -> Result<Request, Failure> {
    let filter = Filter {
        status: optional(visit, "status")?,
        due_before: optional(visit, "due_before")?,
        due_after: optional(visit, "due_after")?,
        overdue: visit.query("overdue") == "true",
        office: optional(visit, "office")?,
        procedure: optional(visit, "procedure")?,
        after: optional(visit, "after")?,
        ..Filter::default()
    };
    let limit = optional(visit, "limit")?.unwrap_or(filter.limit);
    Ok(Request::List(Box::new(Filter { limit, ..filter })))
}

fn looks(visit: &Visit) -> Result<Request, Failure> {
    let filter = AccessFilter {
        dossier: optional(visit, "dossier")?,
        who: optional(visit, "who")?,
        after: optional(visit, "after")?,
        ..AccessFilter::default()
    };
    let limit = optional(visit, "limit")?.unwrap_or(filter.limit);
    Ok(Request::Looks(AccessFilter { limit, ..filter }))
}

/// The act as the body says it, by the officer of the session; the node fills in its office.
fn acted(visit: &Visit) -> Result<Request, Failure> {
    let mut act: Value = body(visit)?;
    let Some(fields) = act.as_object_mut() else {
        return Err(bad("the body is no object", "see /api/v1/openapi.json"));
    };
    for (field, value) in [("id", ""), ("office", "-"), ("officer", visit.officer())] {
        fields.insert(field.into(), value.into());
    }
    let act: NewAct = serde_json::from_value(act)
        .map_err(|_| bad("the act does not fit", "see /api/v1/openapi.json"))?;
    Ok(Request::Act { dossier: visit.part("dossier").to_owned(), act: Box::new(act) })
}

/// A request as it goes through the socket, where fields that are left out have their defaults.
fn requested(command: &str, arguments: &Value) -> Result<Request, Failure> {
    serde_json::from_value(json!({ "command": command, "arguments": arguments }))
        .map_err(|_| bad("the body does not fit", "see /api/v1/openapi.json"))
}

fn bad(why: &str, remedy: &str) -> Failure {
    Failure::usage("bad-request", "không thực hiện / nothing was done", why, remedy)
}

fn no_key() -> Failure {
    Failure::usage(
        "once-key-missing",
        "không thực hiện / nothing was done",
        "thiếu Idempotency-Key / there is no Idempotency-Key",
        "gửi khóa mới cho mỗi việc, giữ nguyên khi gửi lại / \
         send a new key for each thing to do, and the same one when you try again",
    )
}

const fn read_call(
    path: &'static str,
    summary: &'static str,
    ask: fn(&Visit) -> Result<Request, Failure>,
) -> Call {
    let (verb, who, query, ask) = (Verb::Get, Who::Officer, &[], Ask::Node(ask));
    Call { verb, path, summary, who, query, body: &NOTHING, is_act: false, ask }
}

const fn act_call(
    path: &'static str,
    summary: &'static str,
    who: Who,
    ask: fn(&Visit) -> Result<Request, Failure>,
) -> Call {
    Call { verb: Verb::Post, who, is_act: true, ..read_call(path, summary, ask) }
}

const fn account_call(
    path: &'static str,
    summary: &'static str,
    body: &'static Body,
    ask: fn(&Visit) -> Result<(String, Change), Failure>,
) -> Call {
    let (verb, who, ask) = (Verb::Post, IN_CHARGE, Ask::Account(ask));
    Call { verb, path, summary, who, query: &[], body, is_act: true, ask }
}

/// The officer in the path.
fn officer(visit: &Visit) -> String {
    visit.part("officer").to_owned()
}

const IN_CHARGE: Who = Who::Holder(&[Role::Administrator]);
const WATCHING: Who = Who::Holder(&[Role::Supervisor, Role::Administrator]);
const AT_COUNTER: Who = Who::Holder(&[Role::Intake]);
const AT_WORK: Who = Who::Holder(&[Role::Intake, Role::Processing, Role::Leader]);
const DAY: (&str, &str) = ("day", "The day, as YYYY-MM-DD; default today");
const SESSION: &str = "/api/v1/session";
const MAX_BODY_BYTES: usize = 8 << 20;

/// Every call that is a request to the node.
pub(crate) static CALLS: [Call; 37] = [
    read_call("/api/v1/status", "Where this node stands", |_| Ok(Request::Status)),
    read_call("/api/v1/peers", "The links alone", |_| Ok(Request::Peers)),
    read_call("/api/v1/outbox", "What this node has to tell applicants as the sender", |_| {
        Ok(Request::Outbox)
    }),
    Call {
        who: IN_CHARGE,
        ask: Ask::Accounts,
        ..read_call("/api/v1/accounts", "The accounts of this node", |_| Ok(Request::Status))
    },
    account_call(
        "/api/v1/accounts",
        "Gives an account; its password is told once",
        &ACCOUNT,
        |v| {
            let NewAccount { officer, roles } = body(v)?;
            Ok((officer, Change::Add(roles)))
        },
    ),
    account_call("/api/v1/accounts/{officer}/roles", "Changes what it is for", &ROLES, |v| {
        let NewRoles { roles } = body(v)?;
        Ok((officer(v), Change::Roles(roles)))
    }),
    account_call("/api/v1/accounts/{officer}/reset", "A new password, told once", &NOTHING, |v| {
        Ok((officer(v), Change::Reset))
    }),
    account_call("/api/v1/accounts/{officer}/end", "Nobody may log in with it", &NOTHING, |v| {
        Ok((officer(v), Change::End))
    }),
    account_call("/api/v1/accounts/{officer}/open", "Its officer may again", &NOTHING, |v| {
        Ok((officer(v), Change::Open))
    }),
    read_call("/api/v1/offices", "The offices of the federation", |_| Ok(Request::Offices)),
    read_call("/api/v1/nodes", "The nodes of the federation and those that wait", |_| {
        Ok(Request::Nodes)
    }),
    Call {
        who: WATCHING,
        ..read_call("/api/v1/board", "How the offices at and below this node's stand", |_| {
            Ok(Request::Board)
        })
    },
    Call {
        who: WATCHING,
        ..read_call(
            "/api/v1/board/offices/{office}",
            "One of them: contact, proof, quarantine",
            |v| Ok(Request::BoardOffice { office: read("office", v.part("office"))? }),
        )
    },
    Call {
        who: WATCHING,
        ..read_call("/api/v1/board/rollout", "The waves, and how ready each office is", |_| {
            Ok(Request::Rollout)
        })
    },
    Call {
        body: &TICK,
        ..act_call("/api/v1/board/rollout/ticks", "Ticks the readiness list", WATCHING, |visit| {
            let Ticking { office, need, done } = body(visit)?;
            let (office, officer) = (read("office", &office)?, visit.officer().to_owned());
            Ok(Request::Tick { office, need, done, officer })
        })
    },
    Call {
        who: WATCHING,
        query: &[
            ("dossier", "One dossier, by code or id"),
            ("who", "One officer, or a user of the machine as uid-1000"),
            ("limit", "How many at most, 1 to 1,000; default 50"),
            ("after", "The `next` of the page before"),
        ],
        ..read_call("/api/v1/access", "Who looked at which dossier, newest first", looks)
    },
    Call {
        who: IN_CHARGE,
        ..read_call("/api/v1/invitations", "The join codes given out, without the codes", |_| {
            Ok(Request::Invitations)
        })
    },
    act_call("/api/v1/nodes/{node}/refuse", "Refuses a node that waits", IN_CHARGE, |visit| {
        Ok(Request::Refuse { node: read("node", visit.part("node"))? })
    }),
    Call {
        query: &[("office", "Which; default this node's own")],
        ..read_call("/api/v1/staff", "The officers and delegations of an office", |visit| {
            Ok(Request::Staff { office: optional(visit, "office")? })
        })
    },
    Call {
        query: &[("text", "Words of code, name, field or group"), DAY],
        ..read_call("/api/v1/procedures", "The procedures offered on a day", |visit| {
            let (text, day) = (optional(visit, "text")?, optional(visit, "day")?);
            Ok(Request::Procedures { text, day })
        })
    },
    Call {
        query: &[DAY],
        ..read_call("/api/v1/procedures/{code}", "One procedure in force on a day", |visit| {
            let (code, day) = (visit.part("code").to_owned(), optional(visit, "day")?);
            Ok(Request::Procedure { code, day })
        })
    },
    read_call("/api/v1/calendars/{year}", "The working calendar of a year", |visit| {
        Ok(Request::CalendarYear { year: read("year", visit.part("year"))? })
    }),
    Call {
        query: &[
            ("status", "The portal number of the status, 1 to 10"),
            ("due_before", "Due before this day or minute"),
            ("due_after", "Due after this day or minute"),
            ("overdue", "true: only those whose due has passed"),
            ("office", "An office that takes part"),
            ("procedure", "The code of the procedure"),
            ("limit", "How many at most, 1 to 1,000; default 50"),
            ("after", "The `next` of the page before"),
        ],
        ..read_call("/api/v1/dossiers", "Dossiers, newest first, with masked names", listed)
    },
    Call {
        verb: Verb::Post,
        body: &FILTER,
        ..read_call(
            "/api/v1/dossiers/search",
            "The same by words; names belong in no address",
            |visit| Ok(Request::List(Box::new(body(visit)?))),
        )
    },
    read_call("/api/v1/dossiers/{dossier}", "One dossier, by code or id", |visit| {
        Ok(Request::Show { dossier: visit.part("dossier").to_owned() })
    }),
    Call {
        verb: Verb::Post,
        body: &RECEPTION,
        ..read_call(
            "/api/v1/dossiers/due",
            "What a reception would be due by now; nothing is saved",
            |visit| requested("due", &json!({ "reception": body::<Value>(visit)? })),
        )
    },
    read_call("/api/v1/dossiers/{dossier}/offered", "The kinds of act it allows now", |visit| {
        let (dossier, officer) = (visit.part("dossier").to_owned(), visit.officer().to_owned());
        Ok(Request::Offered { dossier, officer })
    }),
    read_call("/api/v1/dossiers/{dossier}/review", "What a person should look at", |visit| {
        Ok(Request::Review { dossier: visit.part("dossier").to_owned() })
    }),
    read_call("/api/v1/dossiers/{dossier}/history", "Every change of it", |visit| {
        Ok(Request::History { dossier: visit.part("dossier").to_owned() })
    }),
    read_call("/api/v1/dossiers/{dossier}/print", "What the forms 01 to 06 say", |visit| {
        Ok(Request::Print { dossier: visit.part("dossier").to_owned() })
    }),
    Call {
        body: &RECEPTION,
        ..act_call("/api/v1/dossiers", "Takes a dossier in", AT_COUNTER, |visit| {
            let reception: Value = body(visit)?;
            requested("receive", &json!({ "reception": reception, "officer": visit.officer() }))
        })
    },
    Call {
        body: &ACT,
        ..act_call("/api/v1/dossiers/{dossier}/acts", "Adds an act", AT_WORK, acted)
    },
    Call {
        body: &INVITATION,
        ..act_call("/api/v1/invitations", "Makes a join code", IN_CHARGE, |visit| {
            let Inviting { office, valid_hours } = body(visit)?;
            Ok(Request::Invite { office: read("office", &office)?, valid_hours })
        })
    },
    act_call(
        "/api/v1/invitations/{invitation}/withdraw",
        "Takes back a join code that nobody has come with",
        IN_CHARGE,
        |visit| Ok(Request::Withdraw { invitation: visit.part("invitation").to_owned() }),
    ),
    act_call("/api/v1/nodes/{node}/approve", "Approves a node that waits", IN_CHARGE, |visit| {
        Ok(Request::Approve { node: read("node", visit.part("node"))? })
    }),
    Call {
        body: &REVOCATION,
        ..act_call("/api/v1/nodes/{node}/revoke", "Revokes a node for ever", IN_CHARGE, |visit| {
            let Revoking { reason } = body(visit)?;
            Ok(Request::Revoke { node: read("node", visit.part("node"))?, reason })
        })
    },
    Call {
        body: &PUBLICATION,
        ..act_call("/api/v1/publications", "Publishes a file", IN_CHARGE, |visit| {
            let Published { what, text, from } = body(visit)?;
            Ok(Request::Publish { what, file: "body".to_owned(), text, from })
        })
    },
];
