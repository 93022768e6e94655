use super::{SetLine, break_lines};
use crate::fonts::Fonts;
use crate::form::{Face, Span};

const SIZE: f32 = 13.0;
const WIDTH: f32 = 120.0;

fn broken(spans: &[(Face, &str)]) -> Vec<SetLine> {
    let span = |(face, text): &(Face, &str)| Span { face: *face, text: (*text).to_owned() };
    let spans: Vec<Span> = spans.iter().map(span).collect();
    let lines = break_lines(&Fonts::embedded(), &spans, SIZE, WIDTH);
    assert!(lines.iter().all(|line| line.width <= WIDTH), "every line fits");
    lines
}

fn texts(lines: &[SetLine]) -> Vec<String> {
    let text = |line: &SetLine| line.runs.iter().map(|run| run.text.as_str()).collect();
    lines.iter().map(text).collect()
}

#[test]
fn text_breaks_at_blanks_and_at_line_feeds() {
    let lines = broken(&[(Face::Regular, "Cấp giấy chứng nhận quyền sử dụng\nđất  đai ")]);
    assert_eq!(texts(&lines), ["Cấp giấy chứng nhận", "quyền sử dụng", "đất  đai"]);
    assert_eq!(texts(&broken(&[(Face::Regular, "")])), [""]);
    assert_eq!(texts(&broken(&[(Face::Regular, "a\n\nb")])), ["a", "", "b"]);
}

#[test]
fn a_word_that_is_too_wide_breaks_behind_a_sign_or_anywhere() {
    let code = broken(&[(Face::Regular, "số: 000.00.19.H47-260105-0001")]);
    assert_eq!(texts(&code), ["số:", "000.00.19.H47-", "260105-0001"]);
    let name = "W".repeat(40);
    let lines = broken(&[(Face::Bold, &name)]);
    assert!(lines.len() > 3);
    assert_eq!(texts(&lines).concat(), name);
}

#[test]
fn faces_follow_each_other_without_a_gap() {
    let lines = broken(&[(Face::Regular, "Mã: "), (Face::Bold, "H47 "), (Face::Bold, "x")]);
    let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
    let [label, value] = line.runs.as_slice() else { panic!("two runs: {line:?}") };
    assert_eq!((label.text.as_str(), value.text.as_str()), ("Mã: ", "H47 x"));
    let width = Fonts::embedded().width(Face::Regular, "Mã: ") * SIZE;
    assert!((value.x - width).abs() < 0.001);
}
