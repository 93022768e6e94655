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
