//! Lines of an import: their numbers, their limit, and what they are refused for.

use std::io::Cursor;

use super::*;

fn lines(text: &[u8]) -> Vec<Line> {
    let from = Box::new(Cursor::new(text.to_vec()));
    let mut lines = Lines { from, read: 0, number: 0 };
    let next = || lines.next().expect("memory reads");
    std::iter::from_fn(next).collect()
}

#[test]
fn blank_lines_count_and_are_passed_over() {
    let read = lines(b"{}\n\n  \r\n{}");
    let places: Vec<_> = read.iter().map(|line| (line.number, line.end)).collect();
    assert_eq!(places, [(1, 3), (4, 10)]);
}

#[test]
fn a_line_over_the_limit_is_refused_and_the_next_is_read() {
    let mut text = vec![b'x'; MAX_LINE_BYTES + 10];
    text.extend_from_slice(b"\n{\"a\":1}\n");
    let read = lines(&text);
    assert_eq!(read.len(), 2);
    let refused = read[0].reception("clerk").expect_err("too long");
    assert_eq!(refused.code, "line-too-long");
    assert_eq!((read[1].number, read[1].end), (2, text.len() as u64));
    let refused = read[1].reception("clerk").expect_err("no reception");
    assert_eq!((refused.code.as_str(), refused.exit), ("bad-reception", Exit::Refused));
}

#[test]
fn a_line_of_exactly_the_limit_is_read_whole() {
    let mut text = vec![b' '; MAX_LINE_BYTES - 3];
    text.extend_from_slice(b"{}\n{}\n");
    let read = lines(&text);
    assert!(read.iter().all(|line| line.text.is_some()), "none is too long");
    assert_eq!(read.len(), 2);
}

#[test]
fn a_refusal_does_not_repeat_what_the_line_holds() {
    let secret = b"{\"applicant\": {\"name\": \"Nguy\xe1\xbb\x85n\", \"nme\": 1}}";
    let refused = lines(secret)[0].reception("clerk").expect_err("unknown field");
    assert!(!refused.to_string().contains("Nguy"), "{refused}");
}

#[test]
fn the_templates_of_the_bars_parse() {
    for template in [IMPORT_TEMPLATE, EXPORT_TEMPLATE] {
        assert_eq!(bar(7, template).length(), Some(7));
    }
}
