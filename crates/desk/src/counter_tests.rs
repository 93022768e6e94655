use lienthong_dossier::ActKind;
use lienthong_forms::{Facts, RegisterFacts};

use super::*;

const EVIL: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";

/// What the fake node says about one dossier, two acts of which are in conflict.
pub(super) fn answer_of(request: &Request) -> Result<Value, Failure> {
    match request {
        Request::Show { dossier } if dossier == "d-1" => Ok(shown()),
        Request::Offered { dossier, .. } if dossier == "d-1" => Ok(json!({ "id": "d-1",
            "acts": ["supplement-asked", "withdrawn", "noted", "resolved"] })),
        Request::Procedures { .. } => Ok(json!({ "procedures": [{ "code": "1.002",
            "name": format!("Khai sinh {EVIL}"), "field": "Hộ tịch",
            "limit": "1 ngày / 1 day" }]})),
        Request::Procedure { .. } => Ok(json!({ "code": "1.002", "procedure": {
            "code": "1.002", "name": "Khai sinh", "channels": ["counter", "post", "e-mail"],
            "limits": [{ "case": "có yếu tố nước ngoài" }],
            "components": [{ "code": "TP01", "name": "Tờ khai", "originals": 1, "copies": 2,
                "required": true }] }})),
        Request::Due { .. } => Ok(json!({ "due": "2025-11-28T17:00", "version": 3 })),
        Request::Receive { reception, .. } if reception.applicant.name.is_empty() => {
            Err(Failure::refused("missing", "chưa tiếp nhận", "applicant.name: thiếu", "nhập tên"))
        }
        Request::Receive { .. } => Ok(json!({ "id": "d-1", "code": "c-1", "due": null })),
        Request::Act { dossier, act } if dossier == "d-1" => acted(act.kind, act.reason.as_ref()),
        Request::Print { dossier } if dossier == "d-1" => {
            let mut facts = Facts { code: "000.00.19.H47-251124-0001".into(), ..Facts::default() };
            facts.applicant.name = EVIL.into();
            Ok(json!({ "facts": facts }))
        }
        Request::PrintRegister { .. } => {
            let office = "Hội An".to_owned();
            Ok(json!({ "facts": RegisterFacts { office, ..RegisterFacts::default() } }))
        }
        _ => Err(Failure::refused("not-found", "nothing is shown", "no such thing", "look again")),
    }
}

fn acted(kind: ActKind, reason: Option<&String>) -> Result<Value, Failure> {
    if kind != ActKind::Noted && reason.is_none() {
        return Err(Failure::refused("missing", "chưa ghi", "reason: thiếu lý do", "nhập lý do"));
    }
    Ok(json!({ "id": "d-1", "code": "c-1", "act": "a-9", "status": 5 }))
}

fn shown() -> Value {
    let act = |id: &str, kind: &str, effect: &str| {
        json!({ "id": id, "kind": kind, "office": "hoian", "officer": EVIL, "effect": effect,
            "at": 1_763_999_000_000_u64, "counts": effect != "unconfirmed", "note": EVIL,
            "doubt": { "words_vi": EVIL, "words": EVIL } })
    };
    json!({
        "id": "d-1", "code": "000.00.19.H47-251124-0001", "procedure": "1.002", "status": 4,
        "due": "2025-11-28T17:00", "due_original": "2025-11-27T17:00", "case": EVIL,
        "channel": "counter", "return_by": "post", "note": EVIL,
        "offices": { "receiving": "hoian", "competent": "tinh", "holder": "hoian", "shelf": EVIL },
        "owed": {},
        "applicant": { "kind": "citizen", "name": format!("Trần Bình {EVIL}"),
            "id_kind": "citizen", "id_number": "049 085 991234", "birth_date": "1985-02-01",
            "phone": "0901", "email": EVIL, "address": EVIL },
        "submitter": { "name": EVIL },
        "components": [{ "code": "TP01", "name": EVIL, "originals": 1, "copies": 0 }],
        "acts": [act("a-1", "received", "effective"), act("a-2", "finished", "conflicting"),
            act("a-3", "supplement-asked", "conflicting"), act("a-4", "noted", "unconfirmed"),
            act("a-5", EVIL, "effective")],
        "records": {
            "handovers": [{ "act": "a-1", "giver": "hoian", "receiver": EVIL,
                "given_at": 1_763_999_000_000_u64, "taken_at": null }],
            "requests": [{ "act": "a-1", "agency": "tinh", "question": EVIL,
                "asked_at": 1_763_999_000_000_u64, "due": "2025-11-26", "reply": null }],
            "opinions": [{ "letter": { "agency": EVIL, "number": EVIL }, "asked_at": 1,
                "reply": { "at": 2, "letter": { "number": EVIL } } }],
        },
        "review": [{ "kind": "conflict", "first": "a-2", "second": "a-3", "entitled": "tinh" },
            { "kind": "altered", "words_vi": EVIL, "words": EVIL }, { "kind": "unreadable" }],
        "findings": [{ "words_vi": EVIL, "words": EVIL }],
        "clock": { "state": "running", "due_ms": 1, "remaining_minutes": 960,
            "late_by_minutes": 0 },
    })
}

fn is_harmless(page: &str) -> bool {
    !page.contains("<script>") && !page.contains("<img")
}

fn asked(world: &World, command: &str) -> Vec<String> {
    let asked = world.node.asked.lock().expect("nobody panicked").clone();
    let named = format!("\"command\":\"{command}\"");
    asked.into_iter().filter(|request| request.contains(&named)).collect()
}

async fn at_work() -> (World, String) {
    let world = world().await;
    let cookie = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    (world, cookie)
}

#[tokio::test]
async fn a_dossier_says_where_it_stands_and_what_may_be_done() {
    let (world, cookie) = at_work().await;
    let page = get(&world, "/dossier/d-1", &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for words in [
        "Còn 2 ngày làm việc.",
        "Đã có ở Trung tâm tỉnh lúc 23:00",
        "href=\"/dossier/d-1/act/supplement-asked\"",
        "17:00 28/11/2025",
        "17:00 27/11/2025",
        "Hai việc mâu thuẫn",
        "chưa trả lời",
        "chưa nhận",
        "Không được tính",
        "href=\"/dossier/d-1/form/receipt\"",
    ] {
        assert!(page.text.contains(words), "{words} in {}", page.text);
    }
    assert!(!page.text.contains("act/returned"), "what may not be done is not offered");
    assert!(is_harmless(&page.text), "{}", page.text);
    assert!(!page.text.contains('['), "every word is known: {}", page.text);
    assert_eq!(get(&world, "/dossier/d-2", &cookie).await.status, StatusCode::NOT_FOUND);
    let english = "lienthong_language=en; ";
    let page = get(&world, "/dossier/d-1", &format!("{english}{cookie}")).await;
    assert!(
        page.text.contains("2 working days left.") && page.text.contains("Two acts in conflict")
    );
}

#[tokio::test]
async fn the_node_is_told_who_looks_at_a_dossier_and_by_which_way() {
    let (world, cookie) = at_work().await;
    for path in ["/dossier/d-1", "/dossier/d-1/form/receipt", "/api/v1/dossiers/d-1", "/queue"] {
        assert_eq!(get(&world, path, &cookie).await.status, StatusCode::OK, "{path}");
    }
    let looks = world.node.looks.lock().expect("nobody panicked").clone();
    let officer = || "cb-an".to_owned();
    let [page, api] = [Caller::Page { officer: officer() }, Caller::Api { officer: officer() }];
    let expected = [(page.clone(), "show"), (page, "print"), (api, "show")];
    assert_eq!(looks, expected.map(|(caller, what)| (caller, what.to_owned())));
}

#[tokio::test]
async fn a_conflict_is_settled_with_one_press_however_often_it_is_pressed() {
    let (world, cookie) = at_work().await;
    let page = get(&world, "/dossier/d-1", &cookie).await;
    assert!(page.text.contains("action=\"/dossier/d-1/act/resolved\""));
    assert!(page.text.contains("name=\"regards\" value=\"a-2\""));
    let form = "once=k1&reason=x&regards=a-2";
    for _ in 0..2 {
        let got = post(&world, "/dossier/d-1/act/resolved", &cookie, form).await;
        assert_eq!((got.status, got.location()), (StatusCode::SEE_OTHER, "/dossier/d-1"));
    }
    let acts = asked(&world, "act");
    assert_eq!(acts.len(), 1, "{acts:?}");
    for said in ["\"resolved\"", "\"regards\":\"a-2\"", "\"officer\":\"cb-an\""] {
        assert!(acts[0].contains(said), "{said} in {}", acts[0]);
    }
}

#[tokio::test]
async fn a_refused_act_comes_back_with_what_was_typed_and_why() {
    let (world, cookie) = at_work().await;
    let path = "/dossier/d-1/act/supplement-asked";
    let form = get(&world, path, &cookie).await;
    assert!(form.text.contains("Yêu cầu bổ sung") && form.text.contains("type=\"date\""));
    let got = post(&world, path, &cookie, "once=k2&due=2025-12-01&reason=").await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(got.text.contains("id=\"reason-wrong\">Chưa ghi: thiếu lý do"), "{}", got.text);
    assert!(got.text.contains("value=\"2025-12-01\"") && got.text.contains("value=\"k2\""));
    let got = post(&world, path, &cookie, "once=k2&due=2025-12-01&reason=x").await;
    assert_eq!(got.location(), "/dossier/d-1");
    for path in ["/dossier/d-1/act/registered", "/dossier/d-1/act/no-such"] {
        assert_eq!(get(&world, path, &cookie).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn every_form_of_an_act_is_shown_with_words_and_without_harm() {
    let (world, cookie) = at_work().await;
    for kind in ActKind::ALL.into_iter().filter(|kind| *kind != ActKind::Registered) {
        let page = get(&world, &format!("/dossier/d-1/act/{}", kind.word()), &cookie).await;
        assert_eq!(page.status, StatusCode::OK, "{}", kind.word());
        assert!(is_harmless(&page.text) && !page.text.contains('['), "{}", page.text);
    }
}

#[tokio::test]
async fn a_dossier_is_received_once_and_its_receipt_follows() {
    let (world, cookie) = at_work().await;
    let found = get(&world, "/receive?text=khai", &cookie).await;
    assert!(found.text.contains("href=\"/receive?procedure=1.002\""), "{}", found.text);
    assert!(is_harmless(&found.text));
    let form = get(&world, "/receive?procedure=1.002", &cookie).await;
    for words in [
        "hẹn trả kết quả lúc 17:00 28/11/2025",
        "name=\"originals.TP01\" value=\"1\"",
        "name=\"copies.TP01\" value=\"2\"",
        "có yếu tố nước ngoài",
        "trực tiếp",
    ] {
        assert!(form.text.contains(words), "{words} in {}", form.text);
    }
    assert!(!form.text.contains("e-mail</option>") && !form.text.contains('['), "{}", form.text);
    let typed = "once=k3&procedure=1.002&channel=counter&originals.TP01=1&copies.TP01=0";
    let empty = post(&world, "/receive", &cookie, &format!("{typed}&do=save")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.text.contains("id=\"applicant.name-wrong\">Chưa tiếp nhận: thiếu"));
    let named = format!("{typed}&applicant.name={}&do=save", encoded("Lê Thị Hoa"));
    for _ in 0..2 {
        let got = post(&world, "/receive", &cookie, &named).await;
        assert_eq!(got.location(), "/dossier/d-1/form/receipt?new=1", "{}", got.text);
    }
    let received = asked(&world, "receive");
    assert_eq!(received.len(), 2, "one without a name, one with: {received:?}");
    for said in ["\"receiving\":\"hoian\"", "\"code\":\"TP01\"", "\"officer\":\"cb-an\""] {
        assert!(received[1].contains(said), "{said} in {}", received[1]);
    }
    let receipt = get(&world, "/dossier/d-1/form/receipt?new=1", &cookie).await;
    assert!(receipt.text.contains("class=\"paper portrait\"") && is_harmless(&receipt.text));
    assert!(receipt.text.contains("href=\"/dossier/d-1/form/receipt/pdf\""));
    let after = get(&world, "/receive", &cookie).await;
    assert!(!after.text.contains("Lê Thị Hoa"), "the draft is gone: {}", after.text);
}

#[tokio::test]
async fn what_was_typed_outlives_the_browser() {
    let (world, cookie) = at_work().await;
    let typed = format!("once=k4&procedure=1.002&applicant.name={}", encoded("Lê Thị Hoa"));
    let kept = post(&world, "/receive", &cookie, &format!("{typed}&do=draft")).await;
    assert_eq!((kept.status, &*kept.text), (StatusCode::NO_CONTENT, ""));
    let elsewhere = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    let back = get(&world, "/receive", &elsewhere).await;
    assert!(back.text.contains("value=\"Lê Thị Hoa\"") && back.text.contains("value=\"k4\""));
    assert!(back.text.contains("làm dở"));
    let fresh = get(&world, "/receive?procedure=1.002", &elsewhere).await;
    assert!(!fresh.text.contains("Lê Thị Hoa"), "a new form holds nobody");
    let other = get(&world, "/receive?procedure=1.002&keep=1", &elsewhere).await;
    assert!(other.text.contains("Lê Thị Hoa"), "it was asked for");
    assert_eq!(post(&world, "/receive", &cookie, "do=new").await.location(), "/receive?choose=1");
    assert!(!get(&world, "/receive", &cookie).await.text.contains("Lê Thị Hoa"));
}

#[tokio::test]
async fn an_applicant_is_found_by_number_and_only_by_that_number() {
    let (world, cookie) = at_work().await;
    let typed = |number: &str, press: &str| {
        format!("once=k5&procedure=1.002&applicant.id_number={number}&do={press}")
    };
    let found = post(&world, "/receive", &cookie, &typed("049085991234", "find")).await;
    assert!(found.text.contains("N*** &#60;script&#62;"), "masked: {}", found.text);
    assert!(!found.text.contains("Trần Bình"));
    let lists = asked(&world, "list");
    assert!(lists.last().is_some_and(|list| list.contains("\"text\":\"049085991234\"")));
    let used = post(&world, "/receive", &cookie, &typed("049085991234", "use%3Ad-1")).await;
    assert!(used.text.contains("value=\"Trần Bình &#60;script&#62;"), "{}", used.text);
    assert!(used.text.contains("value=\"1985-02-01\"") && is_harmless(&used.text));
    let other = post(&world, "/receive", &cookie, &typed("1", "use%3Ad-1")).await;
    assert!(!other.text.contains("Trần Bình"), "another number gets nobody");
}

#[tokio::test]
async fn lists_lead_to_dossiers_and_no_address_names_anybody() {
    let (world, cookie) = at_work().await;
    let form = format!("text={}&status=4", encoded("Trần Bình"));
    let got = post(&world, "/search", &cookie, &form).await;
    assert!(got.text.contains("href=\"/dossier/x\"") && got.text.contains("value=\"Trần Bình\""));
    let list = asked(&world, "list").pop().expect("it was asked");
    assert!(list.contains("\"text\":\"Trần Bình\"") && list.contains("\"status\":4"), "{list}");
    for path in ["/queue", "/queue?which=due", "/queue?which=results", "/review", "/register"] {
        let page = get(&world, path, &cookie).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(is_harmless(&page.text) && !page.text.contains('['), "{path}: {}", page.text);
        assert!(page.text.contains("href=\"/receive\""), "the navigation leads there");
    }
    let review = asked(&world, "list");
    assert!(review.iter().any(|list| list.contains("\"review\":true")));
    let elsewhere = get(&world, "/queue?which=elsewhere", &cookie).await;
    assert!(elsewhere.text.contains("Không có hồ sơ nào"), "it is in no other hands");
}

#[tokio::test]
async fn forms_come_as_pdf_that_no_browser_keeps() {
    let (world, cookie) = at_work().await;
    for (path, name) in [
        ("/dossier/d-1/form/receipt/pdf", "form-01-000.00.19.H47-251124-0001.pdf"),
        ("/register/pdf", "form-07-register.pdf"),
    ] {
        let request = Asked::get(path).header("host", HOST).header("cookie", &cookie);
        let request = request.body(Body::empty()).expect("a request");
        let answered = world.router.clone().oneshot(request).await.expect("it answers");
        let (parts, body) = answered.into_parts();
        let bytes = axum::body::to_bytes(body, 8 << 20).await.expect("the body is whole");
        assert!(bytes.starts_with(b"%PDF-"), "{path}");
        assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
        let named = parts.headers[header::CONTENT_DISPOSITION].to_str().expect("it is ASCII");
        assert!(named.contains(name), "{named}");
    }
    for path in ["/dossier/d-1/form/register", "/dossier/d-1/form/x", "/dossier/d-2/form/slip"] {
        assert_eq!(get(&world, path, &cookie).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let style = get(&world, "/assets/portrait.css", "").await;
    assert!(style.text.contains("size: A4 portrait"));
}

#[tokio::test]
async fn hostile_words_in_any_field_stay_words() {
    let (world, cookie) = at_work().await;
    let names = [
        "once",
        "case",
        "applicant.name",
        "applicant.phone",
        "applicant.address",
        "applicant.id_number",
        "submitter.name",
        "note",
        "originals.TP01",
        "copies.TP01",
    ];
    for evil in [EVIL, "' onfocus=alert(1) '", "{{ 7*7 }}", "</textarea><svg/onload=alert(1)>"] {
        let typed = names.map(|name| format!("{name}={}", encoded(evil))).join("&");
        let form = format!("procedure=1.002&{typed}");
        let page = post(&world, "/receive", &cookie, &format!("{form}&do=refresh")).await;
        let act = format!("once=k&reason=&note={0}&due={0}", encoded(evil));
        let refused = post(&world, "/dossier/d-1/act/supplement-asked", &cookie, &act).await;
        let found = post(&world, "/search", &cookie, &format!("text={}", encoded(evil))).await;
        for page in [page, refused, found] {
            assert!(is_harmless(&page.text) && !page.text.contains("<svg/"), "{}", page.text);
            assert!(!page.text.contains("\" onfocus") && !page.text.contains("value='"));
        }
    }
}

#[tokio::test]
async fn presses_at_the_same_time_receive_once_and_all_get_the_receipt() {
    let (world, cookie) = at_work().await;
    let form = "once=k9&procedure=1.002&applicant.name=B&do=save";
    let press = || post(&world, "/receive", &cookie, form);
    let (one, two, three) = tokio::join!(press(), press(), press());
    for got in [one, two, three] {
        assert_eq!(got.location(), "/dossier/d-1/form/receipt?new=1", "{}", got.text);
    }
    assert_eq!(asked(&world, "receive").len(), 1);
}

#[tokio::test]
async fn who_only_looks_may_neither_receive_nor_act() {
    let world = world().await;
    give_account(&world, "cb-admin", &[Role::Administrator]).await;
    give_account(&world, "cb-an", &[Role::Supervisor]).await;
    let cookie = sign_in(&world, "cb-an", PASSWORD).await.cookie();
    assert_eq!(get(&world, "/dossier/d-1", &cookie).await.status, StatusCode::OK);
    for path in ["/receive", "/dossier/d-1/act/noted"] {
        assert_eq!(get(&world, path, &cookie).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(post(&world, path, &cookie, "").await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(asked(&world, "act").is_empty() && asked(&world, "receive").is_empty());
}
