use serde::Deserialize;

use super::{Fault, Source, SourceError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shop {
    #[expect(dead_code, reason = "only its reading is tested")]
    name: String,
    #[serde(default)]
    #[expect(dead_code, reason = "only its reading is tested")]
    shelf: Vec<Shelf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shelf {
    #[expect(dead_code, reason = "only its reading is tested")]
    goods: Vec<Good>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Good {
    #[expect(dead_code, reason = "only its reading is tested")]
    count: u32,
}

const SHOP: &str = "name = \"A\"\n\n[[shelf]]\ngoods = [{ count = 1 }]\n\n\
                    [[shelf]]\ngoods = [\n  { count = 2 },\n  { count = 3 },\n]\n";

fn refusal(text: &str) -> SourceError {
    let read = Source::parse("shop.toml", text).and_then(|source| source.read::<Shop>());
    read.expect_err("the text has a fault")
}

#[test]
fn a_good_text_is_read() {
    let source = Source::parse("shop.toml", SHOP).expect("the syntax is right");
    assert!(source.read::<Shop>().is_ok());
}

#[test]
fn each_kind_of_mistake_names_line_field_and_remedy() {
    for (good, bad, line, field, remedy) in [
        ("count = 3", "count = \"x\"", 9, "shelf[1].goods[1].count", "expected type"),
        ("count = 3", "count = -3", 9, "shelf[1].goods[1].count", "expected range"),
        ("{ count = 3 }", "{ }", 9, "shelf[1].goods[1]", "add the field"),
        ("count = 3", "count = 3, size = 4", 9, "shelf[1].goods[1].size", "remove the field"),
        ("name = \"A\"\n", "\n", 1, "file", "add the field"),
        ("name = \"A\"", "name = 1", 1, "name", "expected type"),
        ("{ count = 2 },", "{ count = 2 ,", 9, "file", "mend the TOML"),
    ] {
        assert!(SHOP.contains(good));
        let refusal = refusal(&SHOP.replacen(good, bad, 1));
        assert_eq!((refusal.line, refusal.field.as_str()), (line, field), "{bad}: {refusal}");
        assert!(refusal.remedy().contains(remedy), "{bad}: {}", refusal.remedy());
        assert!(refusal.to_string().starts_with(&format!("shop.toml:{line}: {field}: ")));
        assert_eq!(refusal.to_string().lines().count(), 1);
    }
}

#[test]
fn a_fault_is_found_by_its_path_or_by_what_holds_it() {
    let source = Source::parse("shop.toml", SHOP).expect("the syntax is right");
    for (path, line) in [
        ("name", 1),
        ("shelf[0].goods[0].count", 4),
        ("shelf[1]", 6),
        ("shelf[1].goods[1].count", 9),
        ("shelf[1].goods[1].missing", 9),
        ("shelf[1].goods[7]", 7),
        ("nothing", 1),
    ] {
        assert_eq!(source.line_of(path), line, "{path}");
    }
    let error = source.locate(Fault::new("shelf[1].goods[0].count", "is 2, the limit is 1", "buy"));
    assert_eq!(error.to_string(), "shop.toml:8: shelf[1].goods[0].count: is 2, the limit is 1");
    assert_eq!((error.code(), error.remedy()), ("source-invalid", "buy"));
}

#[test]
fn a_text_over_the_limit_is_refused_before_it_is_parsed() {
    let text = "#".repeat(super::MAX_SOURCE_BYTES + 1);
    let refusal = Source::parse("long.toml", &text).expect_err("it is too long");
    assert!(refusal.cause.contains("the limit is 33554432"), "{refusal}");
}

#[test]
fn a_cause_does_not_quote_a_whole_book() {
    let refusal =
        refusal(&SHOP.replace("count = 2", &format!("count = \"{}\"", "x".repeat(9_999))));
    assert_eq!(refusal.cause.chars().count(), 300);
}
