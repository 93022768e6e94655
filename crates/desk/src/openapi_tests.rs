use super::*;

#[test]
fn the_committed_description_is_current() {
    let made = format!("{:#}\n", description());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    if committed != made {
        let fresh = std::env::temp_dir().join("openapi.json");
        std::fs::write(&fresh, &made).expect("it can be written");
        panic!("crates/desk/openapi.json is old; the current one is {}", fresh.display());
    }
}

#[test]
fn every_call_is_described_once() {
    let made = description();
    assert!(made["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    for call in &CALLS {
        let method = format!("{:?}", call.verb).to_lowercase();
        assert_eq!(made["paths"][call.path][&method]["summary"], call.summary, "{}", call.path);
    }
}

#[test]
fn every_call_that_sends_something_says_what_it_takes() {
    let made = description();
    let setup = crate::Setup::new(None, String::new());
    let of_api = crate::routes(&setup).into_iter().filter(|route| route.path.starts_with("/api/"));
    let mut sent = 0;
    for route in of_api.filter(|route| route.path != "/api/v1/openapi.json") {
        let method = route.method.as_str().to_lowercase();
        let call = &made["paths"][route.path][&method];
        assert!(call.is_object(), "{method} {} is not described", route.path);
        if ["post", "put", "patch"].contains(&&*method) {
            let body = &call["requestBody"]["content"]["application/json"];
            let schema = &body["schema"];
            assert_eq!(schema["type"], "object", "{method} {}", route.path);
            assert_eq!(schema["additionalProperties"], false, "{method} {}", route.path);
            assert!(body["example"].is_object(), "{method} {}", route.path);
            sent += 1;
        }
    }
    assert!(sent > 12, "the calls are found");
}

/// Reads a body as its call does, and fails where it does not fit.
fn fits<T: serde::de::DeserializeOwned>(body: &Value) -> bool {
    serde_json::from_value::<T>(body.clone()).is_ok()
}

/// Tries the sample of a body, then without each field, then with one that nobody knows.
#[track_caller]
fn check(body: &Body, fits: fn(&Value) -> bool) {
    let whole = sample(body.fields);
    assert!(fits(&whole), "{}: {whole}", body.means);
    for field in body.fields {
        let mut less = whole.clone();
        less.as_object_mut().expect("a body is an object").remove(field.name);
        assert_eq!(fits(&less), !field.is_needed, "{} without {}", body.means, field.name);
    }
    let mut more = whole;
    more["of-nobody"] = json!(1);
    assert!(!fits(&more), "{} with a field too many", body.means);
}

#[test]
fn what_is_described_is_what_is_read() {
    use lienthong_dossier::{NewAct, Reception};
    use lienthong_request::Filter;

    use crate::api::{Inviting, NewAccount, NewRoles, Published, Revoking, SignIn, Ticking};
    check(&FILTER, fits::<Filter>);
    check(&RECEPTION, fits::<Reception>);
    check(&ACT, |act| {
        let mut act = act.clone();
        for (field, value) in [("id", "a-1"), ("office", "HOIAN"), ("officer", "cb-an")] {
            act[field] = json!(value);
        }
        fits::<NewAct>(&act)
    });
    let listed = serde_json::to_value(Filter::default()).expect("a filter encodes");
    let described: Vec<&str> = FILTER.fields.iter().map(|field| field.name).collect();
    let keys = listed.as_object().expect("it is an object").keys();
    assert!(keys.clone().all(|key| described.contains(&&**key)), "{listed}");
    check(&SIGN_IN, fits::<SignIn>);
    check(&ACCOUNT, fits::<NewAccount>);
    check(&ROLES, fits::<NewRoles>);
    check(&INVITATION, fits::<Inviting>);
    check(&TICK, fits::<Ticking>);
    check(&REVOCATION, fits::<Revoking>);
    check(&PUBLICATION, fits::<Published>);
}
