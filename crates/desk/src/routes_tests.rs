use std::collections::BTreeSet;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request as Asked, StatusCode, header};
use lienthong_protocol::Moment;
use lienthong_request::{Caller, Failure, Request};
use lienthong_web::{
    BoxFuture, Fitting, Hosts, Language, Node, Site, Strength, Tongue, Words, router, with_frame,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

#[path = "counter_tests.rs"]
mod counter;

const HOST: &str = "127.0.0.1:8080";
const ORIGIN: &str = "http://127.0.0.1:8080";
const SECRET: &str = "ABCD-EFGH-2345-67AB";
const PASSWORD: &str = "một mật khẩu dài";

/// A node that answers as an office on its own does, and keeps what it was asked.
#[derive(Default)]
struct Recording {
    asked: Mutex<Vec<String>>,
    /// Who looked at dossiers.
    looks: Mutex<Vec<(Caller, String)>>,
}

impl Node for Recording {
    fn ask(&self, caller: Caller, request: Request) -> BoxFuture<Result<Value, Failure>> {
        let command = serde_json::to_value(&request).expect("requests encode");
        self.asked.lock().expect("nobody panicked").push(command.to_string());
        if request.look().is_some() {
            let command = command["command"].as_str().unwrap_or_default().to_owned();
            self.looks.lock().expect("nobody panicked").push((caller, command));
        }
        Box::pin(async move { answer_of(&request) })
    }
}

fn answer_of(request: &Request) -> Result<Value, Failure> {
    match request {
        Request::Status => Ok(json!({ "office": "hoian", "documents": 3, "changes": 9,
            "links": [{ "office": "tinh", "state": "connected", "settled": true,
                "settled_at_ms": 1_764_000_000_000_u64, "unsent": 0 }] })),
        Request::Offices => Ok(json!({ "offices": [
            { "id": "tinh", "name": "Trung tâm tỉnh", "parent": null },
            { "id": "hoian", "name": "Hội An <b>", "parent": "tinh" } ]})),
        Request::Staff { .. } => Ok(json!({ "officers": [
            { "id": "cb-an", "name": "Trần An", "from": "2020-01-01", "to": null },
            { "id": "cb-cu", "name": "Lê Cũ", "from": "2020-01-01", "to": "2020-12-31" } ]})),
        Request::List(_) => Ok(json!({ "behind": 0, "next": null, "dossiers": [
            { "id": "x", "code": "000.00.19.H47-251124-0001", "applicant": "N*** <script>",
              "procedure": "1.002835", "due": "2025-11-28T17:00", "status": 4 } ]})),
        other => counter::answer_of(other),
    }
}

fn now() -> Moment {
    Moment(1_764_000_000_000)
}

struct World {
    router: Router,
    routes: Vec<Route>,
    site: Arc<Site>,
    node: Arc<Recording>,
    _folder: tempfile::TempDir,
}

/// A desk with a node behind it and one administrator, `cb-an`.
async fn world() -> World {
    let world = empty_world();
    world.site.found(Arc::clone(&world.node) as Arc<dyn Node>);
    give_account(&world, "cb-an", &Role::ALL).await;
    world
}

fn empty_world() -> World {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let words = Words::parse(&[Words::FRAME, WORDS]).expect("the words are good");
    let hosts = Hosts::of(HOST.parse().expect("an address"));
    let strength = Strength { memory_kib: 64, passes: 1 };
    let fitting = Fitting { strength, ..Fitting::new(folder.path(), words, hosts, now) };
    let site = Site::new(fitting).expect("the folder is empty");
    let setup = Setup::new(None, SECRET.into());
    let pages = routes(&setup);
    let router = router(&site, pages.clone());
    let (routes, node) = (with_frame(pages), Arc::new(Recording::default()));
    World { router, routes, site, node, _folder: folder }
}

async fn give_account(world: &World, officer: &str, roles: &[Role]) {
    let account = lienthong_folder::Account {
        officer: officer.into(),
        password: String::new(),
        roles: roles.iter().copied().collect(),
        is_one_time: false,
        is_disabled: false,
    };
    world.site.save_account(account, PASSWORD).await.expect("it fits");
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn location(&self) -> &str {
        self.headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default()
    }

    fn cookie(&self) -> String {
        let set = self.headers.get(header::SET_COOKIE).expect("a cookie is set");
        let text = set.to_str().expect("it is ASCII");
        text.split(';').next().unwrap_or_default().to_owned()
    }
}

async fn send(world: &World, request: Asked<Body>) -> Got {
    let response = world.router.clone().oneshot(request).await.expect("a router does not fail");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 4 << 20).await.expect("the body is whole");
    let text = String::from_utf8(bytes.to_vec()).expect("it is text");
    Got { status: parts.status, headers: parts.headers, text }
}

async fn get(world: &World, path: &str, cookie: &str) -> Got {
    let request = Asked::get(path).header("host", HOST).header("cookie", cookie);
    send(world, request.body(Body::empty()).expect("a request")).await
}

async fn post(world: &World, path: &str, cookie: &str, form: &str) -> Got {
    let request = Asked::post(path)
        .header("host", HOST)
        .header("origin", ORIGIN)
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded");
    send(world, request.body(Body::from(form.to_owned())).expect("a request")).await
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn sign_in(world: &World, officer: &str, password: &str) -> Got {
    let form = format!("officer={officer}&password={}", encoded(password));
    post(world, "/login", "", &form).await
}

/// The path of a route with something in each place that varies.
fn path_of(route: &Route) -> String {
    let parts = route.path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_refuses_a_wrong_host_origin_and_method() {
    let world = world().await;
    let paths: BTreeSet<(String, &str)> =
        world.routes.iter().map(|route| (path_of(route), route.path)).collect();
    for (path, pattern) in &paths {
        let allowed: Vec<&Method> = world
            .routes
            .iter()
            .filter(|route| route.path == *pattern)
            .map(|route| &route.method)
            .collect();
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let ask = |host: &str, origin: &str| {
                let request = Asked::builder().method(method.clone()).uri(path);
                let request = request.header("host", host).header("origin", origin);
                send(&world, request.body(Body::empty()).expect("a request"))
            };
            let got = ask("evil.example:8080", "http://evil.example:8080").await;
            assert_eq!(got.status, StatusCode::MISDIRECTED_REQUEST, "{method} {path}");
            let got = ask(HOST, "http://evil.example").await;
            assert_eq!(got.status, StatusCode::FORBIDDEN, "{method} {path}");
            if !allowed.contains(&&method) {
                let got = ask(HOST, ORIGIN).await;
                assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            }
        }
    }
    assert!(paths.len() >= 15, "the table is walked");
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_safety() {
    let world = world().await;
    let mut paths: Vec<String> = world.routes.iter().map(path_of).collect();
    paths.push("/no-such-page".into());
    for path in paths {
        let got = get(&world, &path, "").await;
        let header = |name: &str| got.headers.get(name).and_then(|value| value.to_str().ok());
        let policy = header("content-security-policy").expect("there is a policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(header("referrer-policy"), Some("same-origin"), "{path}");
        let cache = header("cache-control").expect("it says how long it is kept");
        assert!(cache == "no-store" || path.starts_with("/assets/"), "{path}: {cache}");
    }
}

#[tokio::test]
async fn nobody_gets_in_without_signing_in() {
    let world = world().await;
    for route in world.routes.iter().filter(|route| route.who != Who::Anyone) {
        let path = path_of(route);
        let request = Asked::builder().method(route.method.clone()).uri(&path);
        let request = request.header("host", HOST).header("origin", ORIGIN);
        let request = request.header("cookie", "lienthong_session=guessed");
        let got = send(&world, request.body(Body::empty()).expect("a request")).await;
        if path.starts_with("/api/") {
            assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{path}");
        } else {
            assert_eq!((got.status, got.location()), (StatusCode::SEE_OTHER, "/login"), "{path}");
        }
    }
    let asked = world.node.asked.lock().expect("nobody panicked").len();
    assert_eq!(asked, 0, "the node was not asked");
}

#[tokio::test]
async fn signing_in_shows_todays_work_with_what_is_in_it_harmless() {
    let world = world().await;
    let wrong = sign_in(&world, "cb-an", "falsch falsch").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("tên hoặc mật khẩu không đúng"), "{}", wrong.text);
    let unknown = sign_in(&world, "cb-nobody", "falsch falsch").await;
    let less = |text: &str| text.replace("cb-an", "X").replace("cb-nobody", "X");
    assert_eq!(less(&wrong.text), less(&unknown.text), "it does not tell which accounts there are");
    let got = sign_in(&world, "cb-an", PASSWORD).await;
    assert_eq!((got.status, got.location()), (StatusCode::SEE_OTHER, "/"));
    let set = got.headers.get(header::SET_COOKIE).expect("a cookie").to_str().expect("ASCII");
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
    let page = get(&world, "/", &got.cookie()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Mọi hồ sơ đã có ở Trung tâm tỉnh lúc 23:00"), "{}", page.text);
    assert!(page.text.contains("000.00.19.H47-251124-0001"));
    assert!(page.text.contains("N*** &#60;script&#62;") && !page.text.contains("<script>"));
    assert!(page.text.contains("Hội An &#60;b&#62;"));
    assert!(!page.text.contains("href=\"/board\""), "a page that is not there is not offered");
    assert!(!page.text.contains('['), "every word is known: {}", page.text);
}

#[tokio::test]
async fn the_language_is_chosen_and_kept() {
    let world = world().await;
    let got = post(&world, "/language", "", "to=en&back=%2Flogin").await;
    assert_eq!(got.location(), "/login");
    let page = get(&world, "/login", &got.cookie()).await;
    assert!(page.text.contains("<html lang=\"en\">") && page.text.contains("Officer&#39;s id"));
    for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", ""] {
        let form = format!("to=en&back={}", encoded(elsewhere));
        assert_eq!(post(&world, "/language", "", &form).await.location(), "/", "{elsewhere}");
    }
}

#[tokio::test]
async fn the_language_leads_back_to_a_page_that_is_read() {
    let world = world().await;
    let cookie = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    let back = |page: &Got| {
        let (_, after) = page.text.split_once("name=\"back\" value=\"").expect("a way back");
        after.split('"').next().unwrap_or_default().to_owned()
    };
    let page = get(&world, "/queue?which=due", &cookie).await;
    assert_eq!(back(&page), "/queue?which=due");
    let page = post(&world, "/receive", &cookie, "do=refresh&procedure=1.002").await;
    assert_eq!(back(&page), "/receive");
    let page = get(&world, "/no/such", &cookie).await;
    assert!(page.status == StatusCode::NOT_FOUND && page.text.contains("<nav"), "{}", page.text);
    let world = empty_world();
    let page = post(&world, "/setup/administrator", "", "secret=x").await;
    assert_eq!(back(&page), "/setup");
}

#[tokio::test]
async fn a_locked_screen_wants_the_password_and_keeps_the_page() {
    let world = world().await;
    let cookie = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    let got = post(&world, "/lock", &cookie, "back=%2Faccounts").await;
    assert_eq!(got.location(), "/lock");
    assert_eq!(get(&world, "/", &cookie).await.location(), "/lock");
    let lock = get(&world, "/lock", &cookie).await;
    assert!(!lock.text.contains("Trung tâm tỉnh") && !lock.text.contains("<nav"));
    let wrong = post(&world, "/unlock", &cookie, "password=falsch").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let right = format!("password={}", encoded(PASSWORD));
    let got = post(&world, "/unlock", &cookie, &right).await;
    assert_eq!((got.status, got.location()), (StatusCode::SEE_OTHER, "/"), "the last page asked");
    assert_eq!(get(&world, "/accounts", &cookie).await.status, StatusCode::OK);
    assert_eq!(post(&world, "/logout", &cookie, "").await.location(), "/login");
    assert_eq!(get(&world, "/", &cookie).await.location(), "/login");
}

#[tokio::test]
async fn an_officer_outside_the_dates_is_kept_out() {
    let world = world().await;
    give_account(&world, "cb-cu", &[Role::Intake]).await;
    let got = sign_in(&world, "cb-cu", PASSWORD).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(got.text.contains("ngoài thời gian công tác"), "{}", got.text);
    assert!(!got.headers.contains_key(header::SET_COOKIE));
}

#[tokio::test]
async fn an_administrator_gives_an_account_and_its_officer_chooses_a_password() {
    let world = world().await;
    give_account(&world, "cb-an", &[Role::Administrator]).await;
    let cookie = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    let page = get(&world, "/accounts", &cookie).await;
    assert!(page.text.contains("Lê Cũ (cb-cu)"), "{}", page.text);
    let last = post(&world, "/accounts", &cookie, "do=disable&officer=cb-an").await;
    assert!(last.text.contains("last-administrator") || last.status == 422, "{}", last.text);
    let got = post(&world, "/accounts", &cookie, "do=add&officer=cb-binh&role=intake").await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text);
    let (_, after) = got.text.split_once("class=\"once\">").expect("the password is shown");
    let password = after.split('<').next().unwrap_or_default().to_owned();
    assert!(!get(&world, "/accounts", &cookie).await.text.contains(&password), "shown once");
    // The staff list does not know cb-binh: the right password does not help.
    let unknown = sign_in(&world, "cb-binh", &password).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let reset = post(&world, "/accounts", &cookie, "do=reset&officer=cb-an").await;
    let (_, after) = reset.text.split_once("class=\"once\">").expect("the password is shown");
    let password = after.split('<').next().unwrap_or_default().to_owned();
    assert_eq!(get(&world, "/", &cookie).await.location(), "/login", "a reset signs out");
    let cookie = sign_in(&world, "cb-an", &password).await.cookie();
    assert_eq!(get(&world, "/", &cookie).await.location(), "/password");
    let own = encoded("một mật khẩu riêng");
    let form = format!("old={}&new={own}&again={own}", encoded(&password));
    assert_eq!(post(&world, "/password", &cookie, &form).await.location(), "/login");
    let cookie = sign_in(&world, "cb-an", "một mật khẩu riêng").await.cookie();
    assert_eq!(get(&world, "/", &cookie).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_role_that_is_missing_is_refused() {
    let world = world().await;
    give_account(&world, "cb-admin", &[Role::Administrator]).await;
    give_account(&world, "cb-an", &[Role::Intake]).await;
    let cookie = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    let got = get(&world, "/accounts", &cookie).await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
    assert!(got.text.contains("<nav") && got.text.contains("role-missing"), "{}", got.text);
    let page = get(&world, "/", &cookie).await;
    assert!(!page.text.contains("href=\"/accounts\""));
}

async fn call(world: &World, cookie: &str, path: &str, (key, body): (&str, &Value)) -> Got {
    let request = Asked::post(path)
        .header("host", HOST)
        .header("origin", ORIGIN)
        .header("cookie", cookie)
        .header("idempotency-key", key)
        .header("content-type", "application/json");
    send(world, request.body(Body::from(body.to_string())).expect("a request")).await
}

#[tokio::test]
async fn a_program_signs_in_reads_and_gets_problems_in_both_languages() {
    let world = world().await;
    let login = json!({ "officer": "cb-an", "password": PASSWORD });
    let got = call(&world, "", "/api/v1/session", ("", &login)).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.text);
    let cookie = got.cookie();
    let got = get(&world, "/api/v1/status", &cookie).await;
    let status: Value = serde_json::from_str(&got.text).expect("it is JSON");
    assert_eq!(status["office"], "hoian");
    let tag = got.headers[header::ETAG].to_str().expect("ASCII").to_owned();
    let again = Asked::get("/api/v1/status").header("host", HOST).header("cookie", &cookie);
    let again = again.header("if-none-match", tag).body(Body::empty()).expect("a request");
    assert_eq!(send(&world, again).await.status, StatusCode::NOT_MODIFIED);
    let got = get(&world, "/api/v1/dossiers/no-such", &cookie).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(got.headers[header::CONTENT_TYPE], "application/problem+json");
    let problem: Value = serde_json::from_str(&got.text).expect("it is JSON");
    assert_eq!(problem["code"], "not-found");
    assert!(problem["vi"]["remedy"].is_string() && problem["en"]["cause"].is_string());
}

#[tokio::test]
async fn an_act_by_api_carries_the_officer_of_the_session_and_is_done_once() {
    let world = world().await;
    let cookie = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    let act = json!({ "kind": "noted", "note": "đã gọi điện", "officer": "cb-other" });
    for _ in 0..2 {
        let got = call(&world, &cookie, "/api/v1/dossiers/x-1/acts", ("key-1", &act)).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{}", got.text);
    }
    let asked = world.node.asked.lock().expect("nobody panicked").clone();
    let acts: Vec<&String> = asked.iter().filter(|text| text.contains("đã gọi điện")).collect();
    assert!(acts.iter().all(|act| act.contains("cb-an") && !act.contains("cb-other")), "{acts:?}");
    let request = Asked::post("/api/v1/dossiers/x-1/acts").header("host", HOST);
    let request = request.header("origin", ORIGIN).header("cookie", &cookie);
    let request = request.body(Body::from(act.to_string())).expect("a request");
    let got = send(&world, request).await;
    assert!(got.text.contains("once-key-missing"), "{}", got.text);
    let bad = call(&world, &cookie, "/api/v1/dossiers", ("k", &json!({ "name": "Trần B" }))).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(!bad.text.contains("Trần B"), "what was sent is not repeated");
}

#[tokio::test]
async fn a_program_gives_changes_and_ends_accounts() {
    let world = world().await;
    give_account(&world, "cb-admin", &[Role::Administrator]).await;
    give_account(&world, "cb-an", &[Role::Intake]).await;
    let clerk = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    let cookie = sign_in(&world, "cb-admin", PASSWORD).await.cookie();
    let accounts = async |cookie: &str| {
        let got = get(&world, "/api/v1/accounts", cookie).await;
        (got.status, serde_json::from_str::<Value>(&got.text).expect("it is JSON"))
    };
    assert_eq!(accounts(&clerk).await.0, StatusCode::FORBIDDEN);
    let new = json!({ "officer": "cb-binh", "roles": ["intake"] });
    let got = call(&world, &clerk, "/api/v1/accounts", ("k1", &new)).await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
    let given = call(&world, &cookie, "/api/v1/accounts", ("k1", &new)).await;
    assert_eq!(given.status, StatusCode::CREATED, "{}", given.text);
    let told: Value = serde_json::from_str(&given.text).expect("it is JSON");
    let password = told["password"].as_str().expect("a one-time password").to_owned();
    let again = call(&world, &cookie, "/api/v1/accounts", ("k1", &new)).await;
    assert_eq!(again.text, given.text, "done once");
    let twice = call(&world, &cookie, "/api/v1/accounts", ("k2", &new)).await;
    assert!(twice.text.contains("account-there"), "{}", twice.text);
    let path = |what: &str| format!("/api/v1/accounts/cb-binh/{what}");
    let roles = json!({ "roles": ["leader", "processing"] });
    let done = call(&world, &cookie, &path("roles"), ("k3", &roles)).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.text);
    let bad = call(&world, &cookie, &path("roles"), ("k4", &json!({ "roles": ["king"] }))).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    call(&world, &cookie, &path("end"), ("k5", &json!({}))).await;
    let (_, listed) = accounts(&cookie).await;
    let mut held = listed["accounts"].as_array().into_iter().flatten();
    let held = held.find(|it| it["officer"] == "cb-binh").cloned().unwrap_or_default();
    assert_eq!((&held["ended"], &held["one_time"]), (&json!(true), &json!(true)));
    assert_eq!(held["roles"], json!(["processing", "leader"]));
    assert!(!listed.to_string().contains("argon2") && !listed.to_string().contains(&password));
    let last = call(&world, &cookie, "/api/v1/accounts/cb-admin/end", ("k6", &json!({}))).await;
    assert!(last.text.contains("last-administrator"), "{}", last.text);
    let reset = call(&world, &cookie, &path("reset"), ("k7", &json!({}))).await;
    assert!(!reset.text.contains(&password), "another password");
    let nobody = call(&world, &cookie, "/api/v1/accounts/cb-x/open", ("k8", &json!({}))).await;
    assert!(nobody.text.contains("no-such-account"), "{}", nobody.text);
}

#[tokio::test]
async fn before_there_is_a_node_every_page_leads_to_the_first_start() {
    let world = empty_world();
    assert_eq!(get(&world, "/", "").await.location(), "/setup");
    assert_eq!(get(&world, "/login", "").await.location(), "/setup");
    assert_eq!(get(&world, "/healthz", "").await.status, StatusCode::OK);
    assert_eq!(get(&world, "/readyz", "").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_first_administrator_is_made_once_and_only_with_the_code() {
    let world = empty_world();
    world.site.found(Arc::clone(&world.node) as Arc<dyn Node>);
    let page = get(&world, "/setup", "").await;
    assert!(page.text.contains("Người quản trị đầu tiên"), "{}", page.text);
    assert!(!page.text.contains(SECRET));
    let form = |secret: &str| {
        let password = encoded(PASSWORD);
        format!("secret={secret}&officer=cb-an&password={password}&again={password}")
    };
    let guessed = post(&world, "/setup/administrator", "", &form("AAAA-AAAA-AAAA-AAAA")).await;
    assert_eq!(guessed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!world.site.accounts().has_administrator());
    let made = post(&world, "/setup/administrator", "", &form("abcd efgh 2345 67ab")).await;
    assert_eq!((made.status, made.location()), (StatusCode::SEE_OTHER, "/"), "{}", made.text);
    assert_eq!(get(&world, "/", &made.cookie()).await.status, StatusCode::OK);
    let again = post(&world, "/setup/administrator", "", &form(SECRET)).await;
    assert_eq!(again.location(), "/login", "the set-up is closed");
}

#[tokio::test]
async fn figures_are_open_metrics_without_names() {
    let world = world().await;
    sign_in(&world, "cb-an", PASSWORD).await;
    let got = get(&world, "/metrics", "").await;
    for family in [
        "lienthong_http_answers_total{route=\"/login\",status=\"303\"} 1",
        "lienthong_sign_ins_total{outcome=\"done\"} 1",
        "lienthong_sessions 1",
        "lienthong_node_items{kind=\"changes\"} 9",
        "lienthong_links{state=\"settled\"} 1",
        "# EOF",
    ] {
        assert!(got.text.contains(family), "{family} in {}", got.text);
    }
    assert!(!got.text.contains("cb-an"));
}

#[tokio::test]
async fn what_is_too_large_is_refused_as_a_page_to_a_browser_and_as_a_problem_to_a_program() {
    let world = world().await;
    let much = format!("officer={}", "x".repeat(9 << 20));
    let page = post(&world, "/login", "", &much).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.text.starts_with("<!doctype html>"), "{}", &page.text[..80.min(page.text.len())]);
    let problem = post(&world, "/api/v1/session", "", &much).await;
    assert_eq!(problem.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(problem.headers[header::CONTENT_TYPE], "application/problem+json");
}

#[test]
fn every_word_that_a_page_says_is_in_both_languages() {
    let words = Words::parse(&[Words::FRAME, WORDS]).expect("the words are good");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = 0;
    for folder in ["templates", "src", "../web/templates", "../web/src"] {
        for file in std::fs::read_dir(root.join(folder)).expect("the folder is there") {
            let path = file.expect("it can be listed").path();
            if path.to_string_lossy().ends_with("_tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("it is text");
            for call in ["say(\"", "fill(\"", "tell(\"", ".page(\"", "page_with_errors(\""] {
                for piece in text.split(call).skip(1) {
                    let key = piece.split('"').next().unwrap_or_default();
                    assert!(words.has(key), "{}: '{key}' has no words", path.display());
                    said += 1;
                }
            }
        }
    }
    assert!(said > 50, "the words are found");
    let english = Tongue::new(&words, Language::English);
    assert!(words.all().all(|(key, _)| !english.say(key).is_empty()));
}
