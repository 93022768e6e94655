//! The one list of what can be asked for by HTTP, from which the router is made.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Multipart, RawPathParams, Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use axum::{Form, Router};
use lienthong_folder::Role;
use lienthong_request::Failure;
use tower_http::compression::CompressionLayer;

use crate::guard;
use crate::metrics::watch_routes;
use crate::page::{failure_page, frame_routes, problem, see_other};
use crate::server::Peer;
use crate::session::Session;
use crate::site::{BoxFuture, Site};
use crate::visit::{SESSION_COOKIE, Sent, Visit, cookie};
use crate::words::{Language, Tongue};

/// What a page answers.
pub type Answer = Result<Response, Failure>;

type Act = dyn Fn(Arc<Visit>) -> BoxFuture<Answer> + Send + Sync;

/// One method of one path, and who may ask for it.
#[derive(Clone)]
pub struct Route {
    /// `GET` or `POST`, and `DELETE` in the API.
    pub method: Method,
    /// The path, with `{name}` for a part that varies.
    pub path: &'static str,
    /// Who may ask.
    pub who: Who,
    act: Arc<Act>,
    max_body_bytes: usize,
    is_quiet: bool,
}

/// Who may ask for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody who reaches the address.
    Anyone,
    /// Whoever is signed in, also with a locked screen or a password to be replaced.
    SignedIn,
    /// An officer at work.
    Officer,
    /// An officer at work with one of these roles.
    Holder(&'static [Role]),
}

impl Route {
    /// A page that is read.
    pub fn get<F>(path: &'static str, who: Who, act: F) -> Route
    where
        F: Fn(Arc<Visit>) -> BoxFuture<Answer> + Send + Sync + 'static,
    {
        Route::new(Method::GET, path, who, act)
    }

    /// A form that is sent.
    pub fn post<F>(path: &'static str, who: Who, act: F) -> Route
    where
        F: Fn(Arc<Visit>) -> BoxFuture<Answer> + Send + Sync + 'static,
    {
        Route::new(Method::POST, path, who, act)
    }

    /// Any method.
    pub fn new<F>(method: Method, path: &'static str, who: Who, act: F) -> Route
    where
        F: Fn(Arc<Visit>) -> BoxFuture<Answer> + Send + Sync + 'static,
    {
        let act = Arc::new(act);
        Route { method, path, who, act, max_body_bytes: MAX_BODY_BYTES, is_quiet: false }
    }

    /// The same with a larger body than 256 KiB.
    #[must_use]
    pub fn takes(self, max_body_bytes: usize) -> Route {
        Route { max_body_bytes, ..self }
    }

    /// The same, but asked by the page itself: no sign of life of the officer.
    #[must_use]
    pub fn quiet(self) -> Route {
        Route { is_quiet: true, ..self }
    }
}

/// The router of a site, guarded on every path, known or not.
pub fn router(site: &Arc<Site>, pages: Vec<Route>) -> Router {
    let routes = with_frame(pages);
    let read = routes.iter().filter(|route| route.method == Method::GET);
    site.set_pages(read.map(|route| route.path));
    let mut router = Router::new();
    for route in routes {
        let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
        let path = route.path;
        let act = move |State(site): State<Arc<Site>>, request: Request| async move {
            Box::pin(answer(site, route, request)).await
        };
        router = router.route(path, on(filter, act));
    }
    router
        .fallback(not_there)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(Arc::clone(site), guarded))
        .with_state(Arc::clone(site))
}

/// The pages with the routes of the frame: all that a site answers to.
pub fn with_frame(pages: Vec<Route>) -> Vec<Route> {
    let mut routes = pages;
    routes.extend(frame_routes());
    routes.extend(watch_routes());
    routes
}

async fn guarded(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let admitted = site.fitting.hosts.admit(request.method(), request.headers());
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let tongue = Tongue::new(site.words(), Language::default());
            (refusal.status(), problem(&refusal.failure(), tongue)).into_response()
        }
    };
    guard::cover(response.headers_mut());
    response
}

async fn not_there(State(site): State<Arc<Site>>, request: Request) -> Response {
    let failure = Failure::refused(
        "no-such-page",
        "không có trang này / there is no such page",
        "địa chỉ không có ở đây / the address is not known here",
        "về trang Hôm nay / go to the page Today",
    );
    refuse(site, request, StatusCode::NOT_FOUND, failure).await
}

async fn wrong_method(State(site): State<Arc<Site>>, request: Request) -> Response {
    let failure = Failure::refused(
        "wrong-method",
        "không thực hiện / nothing was done",
        "trang này không nhận cách gọi đó / this address does not take that method",
        "mở trang từ thực đơn / open the page from the menu",
    );
    refuse(site, request, StatusCode::METHOD_NOT_ALLOWED, failure).await
}

async fn refuse(
    site: Arc<Site>,
    request: Request,
    status: StatusCode,
    failure: Failure,
) -> Response {
    let mut visit = plain_visit(site, request);
    find_session(&mut visit, true).await;
    let mut response = show_failure(&visit, &failure).await;
    *response.status_mut() = status;
    response
}

async fn show_failure(visit: &Visit, failure: &Failure) -> Response {
    if visit.is_api() {
        problem(failure, visit.tongue())
    } else {
        Box::pin(failure_page(visit, failure)).await
    }
}

async fn answer(site: Arc<Site>, route: Route, request: Request) -> Response {
    let begun = Instant::now();
    let metrics = Arc::clone(&site);
    let visit = match tokio::time::timeout(BODY_TIME, taken_in(site, &route, request)).await {
        Ok(Ok(visit)) => Arc::new(visit),
        Ok(Err(response)) => return response,
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let answered = match stopped(&visit, &route) {
        Some(answer) => answer,
        None => {
            let act = (route.act)(Arc::clone(&visit));
            let answered = tokio::time::timeout(ANSWER_TIME, act).await;
            answered.unwrap_or_else(|_| Err(too_slow()))
        }
    };
    let response = match answered {
        Ok(response) => response,
        Err(failure) => show_failure(&visit, &failure).await,
    };
    let status = response.status().as_u16();
    metrics.metrics.answered(route.path, status, begun.elapsed());
    response
}

/// Reads the body and finds the session.
async fn taken_in(site: Arc<Site>, route: &Route, request: Request) -> Result<Visit, Response> {
    let (mut parts, body) = request.into_parts();
    let path_parts = RawPathParams::from_request_parts(&mut parts, &()).await;
    let path_parts = path_parts.map(|all| {
        let owned = all.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.collect()
    });
    let request = Request::from_parts(parts.clone(), Body::empty());
    let mut visit = plain_visit(site, request);
    visit.parts = path_parts.unwrap_or_default();
    let Ok(body) = axum::body::to_bytes(body, route.max_body_bytes).await else {
        return Err(show_failure(&visit, &too_large(route.max_body_bytes)).await);
    };
    let request = Request::from_parts(parts, Body::from(body.clone()));
    match sent(request, body).await {
        Some(sent) => visit.sent = sent,
        None => return Err(show_failure(&visit, &unreadable()).await),
    }
    find_session(&mut visit, route.is_quiet).await;
    Ok(visit)
}

fn plain_visit(site: Arc<Site>, request: Request) -> Visit {
    let peer = request.extensions().get::<Peer>().copied();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
    let (parts, _) = request.into_parts();
    let query = axum::extract::Query::try_from_uri(&parts.uri).map(|query| query.0);
    Visit {
        site,
        method: parts.method,
        path: parts.uri.path().to_owned(),
        address_line: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: parts.headers,
        address,
        parts: std::collections::BTreeMap::new(),
        query: query.unwrap_or_default(),
        sent: Sent::default(),
        token: None,
        session: None,
        account: None,
    }
}

/// What a body holds; `None` if it is not what it says.
async fn sent(request: Request, raw: axum::body::Bytes) -> Option<Sent> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let Form(fields) = Form::from_request(request, &()).await.ok()?;
        return Some(Sent { fields, ..Sent::default() });
    }
    if !kind.starts_with("multipart/form-data") {
        return Some(Sent { raw, ..Sent::default() });
    }
    let mut sent = Sent::default();
    let mut parts = Multipart::from_request(request, &()).await.ok()?;
    while let Some(part) = parts.next_field().await.ok()? {
        let name = part.name()?.to_owned();
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await.ok()?;
        if is_file {
            sent.files.insert(name, bytes);
        } else {
            sent.fields.push((name, String::from_utf8(bytes.to_vec()).ok()?));
        }
    }
    Some(sent)
}

/// Finds who asks. A session whose officer's account or posting is over ends here.
async fn find_session(visit: &mut Visit, is_quiet: bool) {
    let Some(token) = cookie(&visit.headers, SESSION_COOKIE).map(ToOwned::to_owned) else { return };
    let now = visit.site.now();
    let Some(session) = visit.site.sessions().of(&token, now) else { return };
    let account = visit.site.accounts().of(&session.officer).cloned();
    let is_good = account.as_ref().is_some_and(|account| !account.is_disabled)
        && still_posted(visit, &session).await;
    if !is_good {
        visit.site.sessions().end(&token);
        return;
    }
    if !is_quiet && session.locked_at.is_none() {
        visit.site.sessions().change(&token, |session| session.used = now);
    }
    (visit.token, visit.session, visit.account) = (Some(token), Some(session), account);
}

/// Asks the staff list once a minute whether the officer may still work. A node that does not
/// answer ends no session.
async fn still_posted(visit: &Visit, session: &Session) -> bool {
    let now = visit.site.now();
    if now < crate::session::after(session.checked, CHECK_EVERY) {
        return true;
    }
    match visit.site.posting(&session.officer).await {
        Ok(_) => {
            let token = cookie(&visit.headers, SESSION_COOKIE).unwrap_or_default();
            visit.site.sessions().change(token, |session| session.checked = now);
            true
        }
        Err(failure) => !["outside-secondment", "login-refused"].contains(&&*failure.code),
    }
}

/// What stands before the page: the first start, signing in, unlocking, a new password, a role.
fn stopped(visit: &Visit, route: &Route) -> Option<Answer> {
    if route.who == Who::Anyone {
        return None;
    }
    if !visit.site.is_founded() {
        return Some(Ok(instead(visit, "/setup")));
    }
    let Some(account) = &visit.account else { return Some(Ok(instead(visit, "/login"))) };
    if route.who == Who::SignedIn {
        return None;
    }
    if visit.is_locked() {
        if visit.method == Method::GET && !visit.is_fragment() {
            visit.lock(&visit.path);
        }
        return Some(Ok(instead(visit, "/lock")));
    }
    if account.is_one_time {
        return Some(Ok(instead(visit, "/password")));
    }
    match route.who {
        Who::Holder(roles) if !visit.has_role(roles) => Some(Err(no_role())),
        _ => None,
    }
}

/// Leads to another page: a browser by a redirect, htmx by its header, a program by a refusal.
fn instead(visit: &Visit, page: &'static str) -> Response {
    if visit.is_api() {
        let failure = Failure::refused(
            "not-signed-in",
            "chưa làm được / nothing was done",
            "chưa đăng nhập hoặc màn hình đang khóa / not signed in, or the screen is locked",
            "đăng nhập trước / sign in first",
        );
        return (StatusCode::UNAUTHORIZED, problem(&failure, visit.tongue())).into_response();
    }
    if visit.is_fragment() {
        return ([(HeaderName::from_static("hx-redirect"), page)], "").into_response();
    }
    see_other(page)
}

fn no_role() -> Failure {
    Failure::refused(
        "role-missing",
        "chưa làm được / nothing was done",
        "tài khoản không có vai trò cho việc này / the account has no role for this",
        "nhờ quản trị / ask an administrator",
    )
}

fn too_large(limit_bytes: usize) -> Failure {
    let why = format!(
        "nội dung gửi lên quá lớn, giới hạn {limit_bytes} byte / \
         the body is too large, the limit is {limit_bytes} bytes"
    );
    Failure::usage("body-too-large", "chưa lưu / nothing was saved", why, "gửi ít hơn / send less")
}

fn unreadable() -> Failure {
    let why = "nội dung gửi lên không đọc được / the body does not read";
    let remedy = "mở lại trang và gửi lại / open the page again and send again";
    Failure::usage("body-unreadable", "chưa lưu / nothing was saved", why, remedy)
}

fn too_slow() -> Failure {
    let why = "quá 30 giây chưa trả lời / no answer within 30 seconds";
    let remedy = "xem đã lưu chưa rồi làm lại / see whether it is saved, then try again";
    Failure::failed("too-slow", "chưa rõ / not known", why, remedy)
}

const MAX_BODY_BYTES: usize = 256 << 10;
const BODY_TIME: Duration = Duration::from_secs(30);
const ANSWER_TIME: Duration = Duration::from_secs(30);
const CHECK_EVERY: Duration = Duration::from_secs(60);
