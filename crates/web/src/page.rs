//! The frame around every page: navigation, who is signed in, the sentence about syncing, errors.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lienthong_catalogue::local;
use lienthong_folder::Role;
use lienthong_protocol::Moment;
use lienthong_request::{Exit, Failure, Request};
use serde_json::{Value, json};

use crate::routes::{Answer, Route, Who};
use crate::site::Site;
use crate::visit::{Visit, is_own_page, language_cookie};
use crate::words::{Language, Tongue};

/// The offices of the federation as pages name them; asked for again after a minute.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offices {
    asked: Moment,
    by_id: BTreeMap<String, (String, Option<String>)>,
}

impl Offices {
    fn of(answer: &Value, asked: Moment) -> Offices {
        let offices = answer["offices"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let by_id = offices.filter_map(|office| {
            let id = text(&office["id"])?;
            let name = text(&office["name"]).unwrap_or_else(|| id.clone());
            Some((id, (name, text(&office["parent"]))))
        });
        Offices { asked, by_id: by_id.collect() }
    }

    fn name<'o>(&'o self, id: &'o str) -> &'o str {
        self.by_id.get(id).map_or(id, |(name, _)| name)
    }

    fn has_below(&self, id: &str) -> bool {
        self.by_id.values().any(|(_, parent)| parent.as_deref() == Some(id))
    }

    /// The offices above one, the nearest first; a circle in the tree ends it.
    fn above(&self, id: &str) -> Vec<&str> {
        let mut above = Vec::new();
        let mut at = id;
        while let Some((_, Some(parent))) = self.by_id.get(at) {
            if above.contains(&parent.as_str()) {
                break;
            }
            above.push(parent.as_str());
            at = parent;
        }
        above
    }
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Layout<'p> {
    t: Tongue<'p>,
    title: String,
    office: String,
    officer: &'p str,
    is_locked: bool,
    here: &'p str,
    back: &'p str,
    places: Vec<(&'static str, &'static str)>,
    sync: String,
    body: String,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailureBody<'p> {
    t: Tongue<'p>,
    what: String,
    why: String,
    remedy: String,
    code: &'p str,
}

impl Layout<'_> {
    /// Whether this page lies under a place of the navigation.
    fn is_under(&self, place: &str) -> bool {
        self.here.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl Visit {
    /// A whole page around `body`; its title is the text of `title`.
    pub async fn page(&self, title: &str, body: &impl Template) -> Answer {
        let body = body.render().map_err(|error| unrendered(&error))?;
        self.framed(StatusCode::OK, title, body).await
    }

    /// The same page with errors in its form.
    pub async fn page_with_errors(&self, title: &str, body: &impl Template) -> Answer {
        let body = body.render().map_err(|error| unrendered(&error))?;
        self.framed(StatusCode::UNPROCESSABLE_ENTITY, title, body).await
    }

    /// A part of a page, for htmx.
    pub fn fragment(&self, part: &impl Template) -> Answer {
        let part = part.render().map_err(|error| unrendered(&error))?;
        Ok(html(StatusCode::OK, part))
    }

    /// The name of an office, or its id.
    pub async fn office_name(&self, id: &str) -> String {
        self.offices().await.name(id).to_owned()
    }

    async fn framed(&self, status: StatusCode, title: &str, body: String) -> Answer {
        let is_in = !self.officer().is_empty() && !self.is_locked();
        let (office, sync) = if is_in { self.standing().await } else { Default::default() };
        let has_below = is_in && self.offices().await.has_below(&office);
        let layout = Layout {
            t: self.tongue(),
            title: self.tongue().say(title),
            office: if office.is_empty() { office } else { self.office_name(&office).await },
            officer: self.officer(),
            is_locked: self.is_locked(),
            here: self.path(),
            back: self.way_back(),
            places: if is_in { self.places(has_below) } else { Vec::new() },
            sync,
            body,
            version: env!("CARGO_PKG_VERSION"),
        };
        Ok(html(status, layout.render().map_err(|error| unrendered(&error))?))
    }

    /// The places of the navigation that this site has and this officer may see.
    fn places(&self, has_below: bool) -> Vec<(&'static str, &'static str)> {
        let may_see = |place: &&Place| {
            self.site.has_page(place.path)
                && (has_below || !place.is_for_below)
                && place.roles.is_none_or(|roles| self.has_role(roles))
        };
        PLACES.iter().filter(may_see).map(|place| (place.path, place.word)).collect()
    }

    /// This node's office and the sentence about syncing.
    async fn standing(&self) -> (String, String) {
        match self.ask(Request::Status).await {
            Ok(status) => {
                let offices = self.offices().await;
                let sentence = sync_sentence(self.tongue(), &status, &offices);
                (status["office"].as_str().unwrap_or_default().to_owned(), sentence)
            }
            Err(_) => (String::new(), self.tongue().say("sync.unknown")),
        }
    }

    async fn offices(&self) -> Arc<Offices> {
        let now = self.now();
        let held = self.site.offices();
        if now.0.saturating_sub(held.asked.0) < OFFICES_FRESH_MS && !held.by_id.is_empty() {
            return held;
        }
        let Ok(answer) = self.ask(Request::Offices).await else { return held };
        let offices = Arc::new(Offices::of(&answer, now));
        self.site.set_offices(Arc::clone(&offices));
        offices
    }
}

/// One sentence about syncing, in words of a clerk.
fn sync_sentence(t: Tongue<'_>, status: &Value, offices: &Offices) -> String {
    let own = status["office"].as_str().unwrap_or_default();
    let links: Vec<&Value> = status["links"].as_array().into_iter().flatten().collect();
    let above = offices.above(own);
    if above.is_empty() {
        let settled = links.iter().filter(|link| link["settled"] == true).count();
        let (settled, all) = (settled.to_string(), links.len().to_string());
        return t.tell("sync.hub", &[("settled", &settled), ("all", &all)]);
    }
    let rank = |link: &&&Value| {
        let nearness = above.iter().rev().position(|office| link["office"] == **office);
        (link["settled"] == true, link["state"] == "connected", nearness)
    };
    let of_above =
        links.iter().filter(|link| above.iter().any(|office| link["office"] == **office));
    let Some(link) = of_above.max_by_key(rank) else {
        return t.tell("sync.never", &[("center", offices.name(above[0]))]);
    };
    let center = offices.name(link["office"].as_str().unwrap_or_default());
    let unsent = link["unsent"].as_u64().unwrap_or(0).to_string();
    let at = |field: &str| link[field].as_u64().map(|ms| when(Moment(ms)));
    let parts = |time: Option<String>| (time.unwrap_or_else(|| "?".into()), center);
    let (key, (time, center)) = match (link["settled"] == true, link["state"] == "connected") {
        (true, true) => ("sync.settled", parts(at("settled_at_ms"))),
        (false, true) => ("sync.working", parts(at("last_contact_ms"))),
        (_, false) if link["last_contact_ms"].is_null() => ("sync.never", parts(None)),
        (_, false) => ("sync.away", parts(at("last_contact_ms"))),
    };
    t.tell(key, &[("center", center), ("time", &time), ("unsent", &unsent)])
}

/// A moment as people write it here, such as `10:41 24/11/2026`.
pub fn when(at: Moment) -> String {
    let (day, minute) = local(at);
    format!("{minute} {:02}/{:02}/{}", day.day(), day.month(), day.year())
}

/// A moment of an answer, in milliseconds, as people write it; empty if there is none.
pub fn moment(value: &Value) -> String {
    value.as_u64().map(|ms| when(Moment(ms))).unwrap_or_default()
}

/// The page of something that did not work.
pub(crate) async fn failure_page(visit: &Visit, failure: &Failure) -> Response {
    let t = visit.tongue();
    let [what, why, remedy] = in_words(failure, t).map(|text| sentence(&text));
    let body = FailureBody { t, what, why, remedy, code: &failure.code };
    let framed = match body.render() {
        Ok(body) => visit.framed(status_of(failure), "failure.title", body).await,
        Err(error) => Err(unrendered(&error)),
    };
    framed.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// A failure as `application/problem+json`, with its cause and remedy in both languages.
pub fn problem(failure: &Failure, tongue: Tongue<'_>) -> Response {
    let status = status_of(failure);
    let in_language = |language| {
        let [title, cause, remedy] = in_words(failure, tongue.in_language(language));
        json!({ "title": title, "cause": cause, "remedy": remedy })
    };
    let [title, cause, _] = in_words(failure, tongue);
    let body = json!({
        "type": format!("urn:lienthong:failure:{}", failure.code),
        "title": title,
        "status": status.as_u16(),
        "detail": cause,
        "code": failure.code,
        "vi": in_language(Language::Vietnamese),
        "en": in_language(Language::English),
    });
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
}

/// An answer to a program.
pub fn answer_json(value: &Value) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], value.to_string()).into_response()
}

/// Leads a browser to another page, which it asks for by GET.
pub fn see_other(page: &str) -> Response {
    let page = HeaderValue::from_str(page).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, page)]).into_response()
}

/// What did not happen, why, and the remedy: in the list of words by its code, else by the failure.
pub(crate) fn in_words(failure: &Failure, t: Tongue<'_>) -> [String; 3] {
    let code = &failure.code;
    [("what", &failure.what), ("why", &failure.why), ("remedy", &failure.remedy)]
        .map(|(part, own)| t.say_or(&format!("failure.{code}.{part}"), own))
}

/// A text with a capital first letter, as it stands at the head of a line.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn status_of(failure: &Failure) -> StatusCode {
    match (&*failure.code, failure.exit) {
        ("dossier-not-found" | "not-found" | "unknown-dossier", _) => StatusCode::NOT_FOUND,
        ("wrong-host", _) => StatusCode::MISDIRECTED_REQUEST,
        ("login-wait", _) => StatusCode::TOO_MANY_REQUESTS,
        ("body-too-large", _) => StatusCode::PAYLOAD_TOO_LARGE,
        ("login-refused" | "not-signed-in", _) => StatusCode::UNAUTHORIZED,
        ("wrong-origin" | "role-missing" | "outside-secondment", _) => StatusCode::FORBIDDEN,
        (_, Exit::Usage) => StatusCode::BAD_REQUEST,
        (_, Exit::Refused | Exit::Locked) => StatusCode::CONFLICT,
        (_, Exit::NotJoined | Exit::Unreachable | Exit::Critical | Exit::Degraded) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        (_, Exit::Store) => StatusCode::INSUFFICIENT_STORAGE,
        (_, Exit::Ok | Exit::Failed | Exit::Version) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn html(status: StatusCode, text: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], text).into_response()
}

fn unrendered(error: &askama::Error) -> Failure {
    let remedy = "report this";
    Failure::failed("page-not-rendered", "page not shown", error.to_string(), remedy)
}

/// The routes of the frame itself: style, script, the language, the sentence about syncing.
pub(crate) fn frame_routes() -> Vec<Route> {
    let mut routes: Vec<Route> = ASSETS
        .into_iter()
        .map(|(path, kind, text)| {
            Route::get(path, Who::Anyone, move |_| Box::pin(async move { Ok(asset(kind, text)) }))
        })
        .collect();
    routes.push(Route::post("/language", Who::Anyone, |visit| {
        Box::pin(async move { Ok(choose_language(&visit)) })
    }));
    routes.push(
        Route::get("/sync", Who::Officer, |visit| {
            Box::pin(async move { Ok(html(StatusCode::OK, escaped(&visit.standing().await.1))) })
        })
        .quiet(),
    );
    routes
}

fn choose_language(visit: &Visit) -> Response {
    let back = visit.field("back");
    let back = if is_own_page(back) { back } else { "/" };
    let cookie = language_cookie(Language::of(visit.field("to")));
    let mut response = see_other(back);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        // The address carries the version of the program.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400")),
    ];
    (headers, text).into_response()
}

/// A place of the navigation.
struct Place {
    path: &'static str,
    word: &'static str,
    /// Whether it is of use only where offices lie below.
    is_for_below: bool,
    roles: Option<&'static [Role]>,
}

const fn place(path: &'static str, word: &'static str) -> Place {
    Place { path, word, is_for_below: false, roles: None }
}

const WATCHING: &[Role] = &[Role::Supervisor, Role::Administrator];

/// In the order of the navigation; a place appears once a page has its path.
const PLACES: [Place; 9] = [
    place("/", "nav.today"),
    place("/receive", "nav.receive"),
    place("/search", "nav.search"),
    place("/queue", "nav.queue"),
    place("/review", "nav.review"),
    place("/register", "nav.register"),
    Place { is_for_below: true, roles: Some(WATCHING), ..place("/board", "nav.board") },
    Place { roles: Some(WATCHING), ..place("/access", "nav.access") },
    Place { roles: Some(&[Role::Administrator]), ..place("/accounts", "nav.accounts") },
];

const ASSETS: [(&str, &str, &str); 4] = [
    ("/assets/style.css", "text/css; charset=utf-8", include_str!("../assets/style.css")),
    ("/assets/desk.js", "text/javascript; charset=utf-8", include_str!("../assets/desk.js")),
    ("/assets/htmx.js", "text/javascript; charset=utf-8", include_str!("../assets/htmx.min.js")),
    ("/assets/icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

const OFFICES_FRESH_MS: u64 = 60_000;

impl Site {
    fn offices(&self) -> Arc<Offices> {
        Arc::clone(&self.offices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_offices(&self, offices: Arc<Offices>) {
        *self.offices.lock().unwrap_or_else(PoisonError::into_inner) = offices;
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
