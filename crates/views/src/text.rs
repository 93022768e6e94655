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

/// Writes a telephone number as people in the country dial it: digits, with 0 for +84.
pub(crate) fn dialled(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let abroad = number.trim_start().starts_with('+').then(|| digits.strip_prefix("84")).flatten();
    match abroad {
        Some(rest) => format!("0{rest}"),
        None => digits,
    }
}

/// Turns what a person typed into a question of the full-text index: every word, or its
/// beginning, must be there; digits in groups may also be one number. `None` if nothing in it can
/// be looked for.
///
/// Each word goes in quotes, inside which no character has a meaning but the quote itself.
pub(crate) fn match_of(text: &str) -> Option<String> {
    let folded = folded(text);
    let words = folded.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    let question = words.map(quoted).collect::<Vec<_>>().join(" ");
    match joined_number(text) {
        _ if question.is_empty() => None,
        Some(number) => Some(format!("({question}) OR {}", quoted(&number))),
        None => Some(question),
    }
}

fn quoted(word: &str) -> String {
    format!("\"{}\"*", word.replace('"', "\"\""))
}

/// A telephone or identity number that was typed in groups or with the code of the country.
fn joined_number(text: &str) -> Option<String> {
    let is_number = text.chars().all(|c| c.is_ascii_digit() || " .-()+".contains(c));
    let number = dialled(text);
    (is_number && number.len() >= MIN_NUMBER_DIGITS && number != text).then_some(number)
}

/// Fewer digits in groups are no number that anybody has.
const MIN_NUMBER_DIGITS: usize = 8;
