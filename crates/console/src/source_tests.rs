//! What a wrong reception is refused with: what should stand there, and nothing that does.

use super::*;

#[test]
fn a_wrong_reception_says_what_is_wanted_and_repeats_nothing() {
    let bad = [
        (r#"{"offices":{"receiving":"HUB"}}"#, "missing field `procedure`"),
        (r#"{"procedure":"Nguyễn","offices":7}"#, "expected struct"),
        (r#"{"procedure":"1","Nguyễn":1}"#, "expected one of `procedure`"),
        (r#"{"procedure":"1" "Nguyễn"}"#, "expected `,` or `}`"),
    ];
    for (text, wanted) in bad {
        let failure = reception(text.as_bytes()).expect_err("it is no reception");
        assert_eq!(failure.code, "bad-reception");
        assert!(failure.why.contains(wanted), "{wanted} is not in: {}", failure.why);
        assert!(!failure.to_string().contains("Nguyễn"), "{failure}");
    }
}
