//! The pages in both languages over answers as nodes give them, and what they must not let through.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request as Asked, StatusCode, header};
use lienthong_folder::{Account, Role};
use lienthong_protocol::Moment;
use lienthong_request::{AccessFilter, Caller, Failure, Request};
use lienthong_web::{BoxFuture, Fitting, Hosts, Node, Route, Site, Strength, Who, Words, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const HOST: &str = "127.0.0.1:8080";
const PASSWORD: &str = "một mật khẩu dài";
const NODE: &str = "7a1edd8e5e3477382d66c40ca22ca1a869797143a2b3469642c7829eea7176b9";

struct Telling;

impl Node for Telling {
    fn ask(&self, _: Caller, request: Request) -> BoxFuture<Result<Value, Failure>> {
        Box::pin(async move { told(&request) })
    }
}

fn told(request: &Request) -> Result<Value, Failure> {
    match request {
        Request::Status => Ok(json!({ "office": "TINH", "links": [] })),
        Request::Offices => Ok(json!({ "offices": [
            { "id": "TINH", "name": "Trung tâm tỉnh", "parent": null },
            { "id": "HOIAN", "name": "Hội An <b>", "parent": "TINH" } ]})),
        Request::Staff { .. } => Ok(json!({ "officers": [
            { "id": "cb-an", "name": "Trần An", "from": "2020-01-01", "to": null } ]})),
        Request::Board => Ok(board()),
        Request::Looks(filter) => Ok(looks(filter)),
        Request::BoardOffice { .. } => Ok(json!({
            "links": [{ "node": NODE, "settled": false, "root": NODE, "shared_changes": 17,
                "peer_changes": 12, "proven_ms": 1_764_000_000_000_u64, "proven_changes": 11 }],
            "contact": [{ "at_ms": 1_764_000_000_000_u64, "up": false },
                { "at_ms": 1_763_000_000_000_u64, "up": true }],
            "nodes": [{ "node": NODE, "addresses": ["<i>:7400"], "since_ms": 1, "revoked": true,
                "heard_ms": null, "skew_ms": -190_000 }],
            "quarantine": [{ "document": "x", "reason": "quite-new" }] })),
        Request::Nodes => Ok(json!({ "waiting": [{ "node": NODE, "office": "HOIAN",
            "addresses": ["10.0.0.2:7400"], "since": 1_764_000_000_000_u64 }] })),
        Request::Invitations => Ok(invitations()),
        Request::Rollout => Ok(json!({ "waves": [{ "wave": 2017, "offices": [{
            "office": "HOIAN", "name": "Hội An <b>", "joined_ms": null, "below": 13,
            "below_joined": 2, "ready": { "invited": true }, "list": [
                { "need": "line", "done": true, "who": "<b>An <b>",
                    "at_ms": 1_764_000_000_000_u64 },
                { "need": "power", "done": false, "who": null, "at_ms": null },
                { "need": "of-<b>\"-later", "done": false }] }] }], "may_tick": true })),
        Request::Tick { office, need, done, officer } if need == "power" => {
            assert_eq!((*done, &**officer), (true, "cb-an"), "the session says who");
            Ok(json!({ "office": office }))
        }
        Request::Invite { valid_hours: 0, .. } => {
            Err(Failure::usage("valid-hours", "none", "0", "choose"))
        }
        Request::Invite { office, .. } => {
            Ok(json!({ "office": office, "code": "LT1-ABCD", "expires_ms": 1 }))
        }
        Request::Approve { .. } | Request::Refuse { .. } => Ok(json!({})),
        Request::Withdraw { invitation } if invitation == "c3" => Ok(json!({})),
        _ => Err(Failure::refused("not-found", "none", "none", "none")),
    }
}

/// Codes as far as they come: one is good, one ended, one was used by a later kind of standing.
fn invitations() -> Value {
    let code = |id: &str, state: &str, is_over: bool| {
        json!({ "id": id, "office": "HOIAN", "expires": 1_764_000_000_000_u64, "is_over": is_over,
            "standing": { "state": state } })
    };
    json!({ "invitations": [code("a1", "knocked", false), code("b2", "open", true),
        code("c3", "open", false), code("d4", "of-<b>-later", false)] })
}

/// Two looks; none of anybody else than who is named.
fn looks(filter: &AccessFilter) -> Value {
    let at_ms = 1_764_000_000_000_u64;
    if filter.who.as_deref().is_some_and(|who| who != "cb-an") {
        return json!({ "looks": [], "next": null, "unreadable": 0 });
    }
    json!({ "next": "2-7", "unreadable": 3, "looks": [
        { "at_ms": at_ms, "who": "cb-an", "way": "page", "what": "dossier", "dossier": "d-1",
          "code": "000.00.19.H47-251124-0001" },
        { "at_ms": at_ms, "who": "<b>", "way": "<b>", "what": "export", "dossier": "d-9",
          "dossiers": 256 } ] })
}

fn row(office: &str, state: &str, over: &Value) -> Value {
    let mut row = json!({
        "office": office, "name": format!("{office} <b>"), "parent": "TINH", "joined_ms": 1,
        "standing": { "state": state, "silent_minutes": 0, "skew_ms": 1_500 },
        "report": { "newer": false, "program": "lienthong 0.1.0", "unsent": 4, "waiting": 0,
            "quarantined": [{ "reason": "unfit", "changes": 2 }],
            "disk": { "free_bytes": 1_u64 << 32, "total_bytes": 1_u64 << 36 },
            "dossiers": { "open": 9, "overdue": 1, "due_in_1": 2, "due_in_3": 3 } },
        "held": { "open": 9, "overdue": 1 }, "at_risk": 0 });
    let fields = row.as_object_mut().expect("an object");
    fields.extend(over.as_object().expect("an object").clone());
    row
}

fn board() -> Value {
    let silent = json!({ "state": "cut-off", "silent_minutes": 615, "skew_ms": -200_000,
        "heard_ms": 1_764_000_000_000_u64 });
    json!({ "office": "TINH", "at_ms": 1_764_000_000_000_u64, "open": true,
        "until_ms": 1_764_300_000_000_u64, "dossiers_known": true,
        "numbers": { "joined": 3, "settled": 2, "cut_off": 1, "overdue": 3, "at_risk": 7 },
        "offices": [
            row("HOIAN", "cut-off", &json!({ "standing": silent, "at_risk": 7 })),
            row("TAMKY", "settled", &json!({ "report": { "newer": true } })),
            row("TINH", "here", &json!({ "parent": null })),
            row("NONGSON", "not-joined", &json!({ "joined_ms": null, "report": null })) ] })
}

fn now() -> Moment {
    Moment(1_764_000_000_000)
}

struct World {
    router: Router,
    cookie: String,
    _folder: tempfile::TempDir,
}

async fn world(roles: &[Role]) -> World {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let words = Words::parse(&[Words::FRAME, WORDS]).expect("the words are good");
    let hosts = Hosts::of(HOST.parse().expect("an address"));
    let strength = Strength { memory_kib: 64, passes: 1 };
    let fitting = Fitting { strength, ..Fitting::new(folder.path(), words, hosts, now) };
    let site = Site::new(fitting).expect("the folder is empty");
    site.found(Arc::new(Telling));
    let account = Account {
        officer: "cb-an".into(),
        password: String::new(),
        roles: roles.iter().copied().collect(),
        is_one_time: false,
        is_disabled: false,
    };
    site.save_account(account, PASSWORD).await.expect("it fits");
    let enter = Route::post("/enter", Who::Anyone, |visit| {
        Box::pin(async move {
            let cookie = visit.sign_in("cb-an", PASSWORD).await?;
            let mut response = lienthong_web::see_other("/board");
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(response)
        })
    });
    let mut pages = routes();
    pages.push(enter);
    let mut world = World { router: router(&site, pages), cookie: String::new(), _folder: folder };
    let (_, _, cookie) = world.post("/enter", "").await;
    world.cookie = cookie;
    world
}

impl World {
    async fn send(&self, request: Asked<Body>) -> (StatusCode, String, String) {
        let response = self.router.clone().oneshot(request).await.expect("a router does not fail");
        let (parts, body) = response.into_parts();
        let cookie = parts.headers.get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default();
        let bytes = axum::body::to_bytes(body, 4 << 20).await.expect("the body is whole");
        let text = String::from_utf8(bytes.to_vec()).expect("it is text");
        (parts.status, text, cookie.to_owned())
    }

    async fn get(&self, path: &str, language: &str) -> (StatusCode, String) {
        let cookies = format!("{}; lienthong_language={language}", self.cookie);
        let request = Asked::get(path).header("host", HOST).header("cookie", cookies);
        let (status, text, _) = self.send(request.body(Body::empty()).expect("a request")).await;
        (status, text)
    }

    async fn post(&self, path: &str, form: &str) -> (StatusCode, String, String) {
        let request = Asked::post(path)
            .header("host", HOST)
            .header("origin", format!("http://{HOST}"))
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form.to_owned())).expect("a request")).await
    }
}

const PAGES: [&str; 7] = [
    "/access",
    "/board",
    "/board/live",
    "/board/tree",
    "/board/offices/HOIAN",
    "/board/requests",
    "/board/rollout",
];

#[tokio::test]
async fn every_page_says_everything_in_both_languages_and_runs_nothing() {
    let world = world(&Role::ALL).await;
    for language in ["vi", "en"] {
        for path in PAGES {
            let (status, text) = world.get(path, language).await;
            assert_eq!(status, StatusCode::OK, "{path} {text}");
            assert!(
                !text.contains("[board.") && !text.contains("[access.") && !text.contains("[time."),
                "{path} lacks a word"
            );
            assert!(
                !text.contains("<b>\"") && !text.contains("An <b>"),
                "{path} lets HTML through"
            );
            assert!(!text.contains("<i>:7400"), "{path} lets HTML through");
            assert!(!text.contains("style="), "{path} has an inline style");
        }
    }
}

#[tokio::test]
async fn the_four_numbers_come_first_and_the_worst_office_leads() {
    let world = world(&Role::ALL).await;
    let (_, text) = world.get("/board", "en").await;
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}"));
    assert!(place("<b>2 / 3</b>") < place("<b>7</b>"));
    assert!(place("<b>7</b>") < place("HOIAN"));
    assert!(place("/board/offices/HOIAN") < place("/board/offices/TAMKY"));
    assert!(text.contains("silent for 1 working days 2 hours"), "by the office's own hours");
    assert!(text.contains("−3 minutes"), "a clock that is off");
    assert!(text.contains("amber\" data-label=\"Disk free\">6 %"), "a disk that is nearly full");
    assert!(!text.contains("offices/NONGSON"), "who has not joined is a number");
}

#[tokio::test]
async fn a_wrong_clock_and_a_reason_of_a_newer_version_are_shown_as_they_are() {
    let world = world(&Role::ALL).await;
    let (_, text) = world.get("/board/offices/HOIAN", "vi").await;
    for words in ["−3 phút", "quite-new", "Mất kết nối", "Không tài liệu nào nhận được"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (status, _) = world.get("/board/offices/KHONG-CO", "vi").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_supervisor_reads_who_looked_at_which_dossier() {
    let watching = world(&[Role::Supervisor]).await;
    let (_, text) = watching.get("/access", "vi").await;
    for part in [
        "Trần An (cb-an)",
        "<a href=\"/dossier/d-1\">000.00.19.H47-251124-0001</a>",
        "toàn bộ hồ sơ",
        "256 hồ sơ",
        "3 dòng không đọc được",
        "value=\"2-7\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (_, text) = watching.get("/access?who=cb-binh", "en").await;
    assert!(text.contains("No such look is kept.") && text.contains("value=\"cb-binh\""));
    let (status, _) = world(&[Role::Intake, Role::Leader]).await.get("/access", "vi").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_supervisor_watches_and_only_an_administrator_decides() {
    let watching = world(&[Role::Supervisor]).await;
    let (status, text) = watching.get("/board", "vi").await;
    assert_eq!(status, StatusCode::OK);
    assert!(!text.contains("/board/requests"));
    for (path, who) in [("/board/requests", &watching), ("/board", &world(&[Role::Intake]).await)] {
        assert_eq!(who.get(path, "vi").await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let form = format!("do=approve&node={NODE}&once=k");
    assert_eq!(watching.post("/board/requests", &form).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn requests_are_decided_and_codes_are_shown_once() {
    let world = world(&[Role::Administrator]).await;
    for what in ["approve", "refuse"] {
        let form = format!("do={what}&node={NODE}&once={what}");
        assert_eq!(world.post("/board/requests", &form).await.0, StatusCode::SEE_OTHER);
    }
    let (status, text, _) =
        world.post("/board/requests", "do=invite&office=HOIAN&hours=72&once=i").await;
    assert!(status.is_success() && text.contains("LT1-ABCD"));
    assert!(text.contains("<svg") && text.contains("</svg>"), "and as a picture: {text}");
    assert!(!world.get("/board/requests", "vi").await.1.contains("LT1-ABCD"), "never again");
    for bad in ["do=invite&office=HOIAN&hours=x&once=j", "do=approve&node=x&once=l", "do=z&once=m"]
    {
        let (status, text, _) = world.post("/board/requests", bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(text.contains("class=\"errors\""));
    }
}

#[tokio::test]
async fn only_a_code_that_is_still_good_can_be_withdrawn() {
    let world = world(&[Role::Administrator]).await;
    let (_, text) = world.get("/board/requests", "en").await;
    assert_eq!(text.matches("value=\"withdraw\"").count(), 1, "{text}");
    assert!(text.contains("name=\"invitation\" value=\"c3\"") && text.contains("Expired"));
    let form = |id: &str| format!("do=withdraw&invitation={id}&once={id}");
    let (status, ..) = world.post("/board/requests", &form("c3")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, text, _) = world.post("/board/requests", &form("a1")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("class=\"errors\"") && text.contains("href=\"#issued\""), "{text}");
}

#[tokio::test]
async fn the_readiness_list_says_who_ticked_and_whoever_watches_ticks() {
    let world = world(&[Role::Supervisor]).await;
    let (_, text) = world.get("/board/rollout", "vi").await;
    assert!(
        text.contains("Có đường truyền: có") && text.contains("An &#60;b&#62;, 23:00"),
        "{text}"
    );
    assert!(text.contains("name=\"untick\" value=\"line\""), "{text}");
    assert!(text.contains("name=\"tick\" value=\"power\""), "{text}");
    assert!(text.contains("Thiếu 8"), "six that are measured and two that are not ticked: {text}");
    let (status, ..) = world.post("/board/rollout", "office=HOIAN&tick=power&once=a").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    for bad in ["office=HOIAN&tick=moon&once=b", "office=&tick=power&once=c", "once=d"] {
        let (status, text, _) = world.post("/board/rollout", bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(text.contains("href=\"#waves\""), "{text}");
    }
    let clerk = self::world(&[Role::Intake]).await;
    let (status, ..) = clerk.post("/board/rollout", "office=HOIAN&tick=power&once=a").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}
