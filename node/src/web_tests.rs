//! All pages together: their words and their routes.

use std::collections::BTreeSet;

use lienthong_web::with_frame;

use super::*;

#[test]
fn the_words_of_all_pages_are_one_list() {
    let words = Words::parse(&LISTS).expect("no key stands twice");
    assert!(words.all().count() > 400);
}

#[test]
fn the_browser_tests_know_every_route() {
    let lines: BTreeSet<String> = with_frame(routes(&Setup::new(None, String::new())))
        .iter()
        .map(|route| format!("{:?}", [route.method.as_str(), route.path]))
        .collect();
    let made = format!("[\n{}\n]\n", lines.into_iter().collect::<Vec<_>>().join(",\n"));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/ui/routes.json");
    if std::fs::read_to_string(file).unwrap_or_default() != made {
        let fresh = std::env::temp_dir().join("routes.json");
        std::fs::write(&fresh, &made).expect("it can be written");
        panic!("tests/ui/routes.json is old; the current one is {}", fresh.display());
    }
}
