//! Texts as they are searched: one spelling for what people mean to be the same.

use unicode_normalization::UnicodeNormalization;

/// Brings a text to the form that the index holds.
///
/// Marks are taken off by the index itself; đ is a letter of its own and keeps its stroke there,
/// so it is folded here, before writing and before asking.
pub(crate) fn folded(text: &str) -> String {
    let fold = |c: char| match c {
        'đ' | 'Đ' => 'd',
        c if c.is_control() => ' ',
        c => c,
    };
    text.nfc().map(fold).collect()
}

/// A text as it is shown and compared: Unicode NFC.
pub(crate) fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// Words for people, without control characters and no longer than a list bears. Parts of them
/// may come from other offices.
pub(crate) fn shown(text: &str) -> String {
    text.nfc().filter(|c| !c.is_control()).take(MAX_SHOWN_CHARS).collect()
}

/// Writes a telephone number as people in the country dial it: digits, with 0 for +84, 0084 or
/// (84).
pub(crate) fn dialled(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let is_abroad = number.trim_start_matches([' ', '(']).starts_with('+');
    let rest = match digits.strip_prefix("00").unwrap_or(&digits).strip_prefix("84") {
        // No number within the country begins with 8 and has 11 digits.
        Some(rest) if is_abroad || digits.starts_with("00") || digits.len() == 11 => rest,
        _ => return digits,
    };
    format!("0{}", rest.strip_prefix('0').unwrap_or(rest))
}

/// The letters and digits of a number of a paper, folded, in one piece.
pub(crate) fn plain(number: &str) -> String {
    folded(number).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Turns what a person typed into a question of the full-text index: every word, or its
/// beginning, must be there; digits in groups may also be one number. `None` if nothing in it can
/// be looked for.
///
/// Each word goes in quotes, inside which no character has a meaning but the quote itself.
pub(crate) fn match_of(text: &str) -> Option<String> {
    let folded = folded(text);
    let words: Vec<&str> = folded.split_whitespace().collect();
    let runs = words.chunk_by(|one, other| is_numeric(one) && is_numeric(other));
    let questions: Vec<String> = runs.filter_map(of_run).collect();
    (!questions.is_empty()).then(|| questions.join(" AND "))
}

/// The question for one word, or for several that may be one number.
fn of_run(run: &[&str]) -> Option<String> {
    let words = run.iter().filter(|word| word.chars().any(char::is_alphanumeric));
    let question = words.map(|word| quoted(word)).collect::<Vec<_>>().join(" AND ");
    match joined_number(&run.join(" ")) {
        _ if question.is_empty() => None,
        Some(number) => Some(format!("({question} OR {})", quoted(&number))),
        None => Some(question),
    }
}

/// A word for what a search is filtered by: nobody types it, because searches of people do not
/// read the column that it stands in.
pub(crate) fn tag(kind: char, value: &str) -> String {
    format!("{kind}{}", plain(value))
}

/// The kinds of tags.
pub(crate) const STATUS: char = 's';
pub(crate) const OFFICE: char = 'o';
pub(crate) const REVIEW: char = 'r';

fn quoted(word: &str) -> String {
    format!("\"{}\"*", word.replace('"', "\"\""))
}

/// A telephone or identity number that was typed in groups or with the code of the country.
fn joined_number(text: &str) -> Option<String> {
    let number = dialled(text);
    let is_number = text.split(' ').all(is_numeric);
    (is_number && number.len() >= MIN_NUMBER_DIGITS && number != text).then_some(number)
}

/// A word of digits and of what stands between them in numbers.
fn is_numeric(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit() || ".-()+".contains(c))
}

/// Fewer digits in groups are no number that anybody has.
const MIN_NUMBER_DIGITS: usize = 8;
/// The most characters of words that a list shows.
const MAX_SHOWN_CHARS: usize = 500;
