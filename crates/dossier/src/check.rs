//! Brings what people typed into one form, and refuses what cannot be right.

use lienthong_protocol::Moment;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::day::{is_day, is_due, is_far, is_past, local_minute};
use crate::reception::IdKind;
use crate::refusal::{Form, Refusal};

/// Brings a text to Unicode NFC without blanks around it; it must not be empty. Line breaks and
/// tabs are the only control characters that are let through.
pub(crate) fn text(field: &str, text: &str, limit: usize) -> Result<String, Refusal> {
    // Checked before the text is walked, so that a megabyte is not normalised to be refused.
    if text.len() > 4 * limit + SLACK_BYTES {
        return Err(Refusal::too_long(field, text.chars().count(), limit));
    }
    let text: String = text.trim().nfc().collect();
    let chars = text.chars().count();
    if chars == 0 {
        return Err(Refusal::missing(field));
    }
    if chars > limit {
        return Err(Refusal::too_long(field, chars, limit));
    }
    if text.chars().any(is_unseen) || has_piled_marks(&text) {
        return Err(Refusal::control(field));
    }
    Ok(text)
}

/// Whether people do not see a character, or see others elsewhere because of it: controls, marks
/// that turn the direction of text, characters without width, and private ones.
fn is_unseen(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}');
    let is_thin = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    let is_line_end = matches!(c, '\n' | '\r' | '\t');
    (c.is_control() && !is_line_end) || turns || is_thin || is_private
}

/// Whether a letter carries more marks than any alphabet has: it prints as a smudge.
fn has_piled_marks(text: &str) -> bool {
    let mut marks = 0;
    text.chars().any(|c| {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        marks > MAX_MARKS
    })
}

/// The same for a text that may be missing; one of blanks only is missing.
pub(crate) fn maybe(
    field: &str,
    value: Option<&str>,
    limit: usize,
) -> Result<Option<String>, Refusal> {
    let filled = value.filter(|value| !value.trim().is_empty());
    filled.map(|value| text(field, value, limit)).transpose()
}

/// The same for a text that must have a form.
pub(crate) fn formed(
    field: &str,
    value: Option<&str>,
    form: Form,
    holds: fn(&str) -> bool,
) -> Result<Option<String>, Refusal> {
    let value = maybe(field, value, MAX_FORMED_CHARS)?;
    match value {
        Some(value) if !holds(&value) => Err(Refusal::form(field, form)),
        value => Ok(value),
    }
}

pub(crate) fn day(field: &str, value: Option<&str>) -> Result<Option<String>, Refusal> {
    formed(field, value, DAY, is_day)
}

pub(crate) fn due(field: &str, value: Option<&str>) -> Result<Option<String>, Refusal> {
    formed(field, value, DUE, is_due)
}

/// Refuses a due that is past at a moment, or further ahead than anything is promised.
pub(crate) fn ahead(field: &str, due: Option<&str>, at: Moment) -> Result<(), Refusal> {
    let now = local_minute(at);
    match due {
        Some(due) if is_past(due, &now) => Err(Refusal::form(field, AHEAD)),
        Some(due) if is_far(due, &now) => Err(Refusal::form(field, NEAR)),
        _ => Ok(()),
    }
}

pub(crate) fn email(field: &str, value: Option<&str>) -> Result<Option<String>, Refusal> {
    formed(field, value, EMAIL, is_email)
}

/// Takes blanks, dots, hyphens and brackets out of a telephone number and checks what is left.
pub(crate) fn phone(field: &str, value: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(value) = maybe(field, value, MAX_FORMED_CHARS)? else { return Ok(None) };
    let dialled: String = value.chars().filter(|c| !" .-()".contains(*c)).collect();
    let digits = dialled.strip_prefix('+').unwrap_or(&dialled);
    if (8..=15).contains(&digits.len()) && is_digits(digits) {
        return Ok(Some(dialled));
    }
    Err(Refusal::form(field, PHONE))
}

/// Checks the number of an identity paper against its kind.
pub(crate) fn id_number(
    field: &str,
    kind: Option<IdKind>,
    value: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let Some(value) = maybe(field, value, MAX_FORMED_CHARS)? else { return Ok(None) };
    let number: String = value.chars().filter(|c| *c != ' ').collect();
    let (holds, form) = match kind {
        Some(IdKind::Citizen) => (number.len() == 12 && is_digits(&number), CITIZEN_ID),
        Some(IdKind::OldCitizen) => (number.len() == 9 && is_digits(&number), OLD_CITIZEN_ID),
        Some(IdKind::Tax) => (is_tax_code(&number), TAX_CODE),
        Some(IdKind::Passport | IdKind::Other) | None => (is_plain(&number), PLAIN_ID),
    };
    if holds { Ok(Some(number)) } else { Err(Refusal::form(field, form)) }
}

/// Ten digits, a hyphen and three more for a branch, or the twelve of a citizen.
fn is_tax_code(number: &str) -> bool {
    match number.split_once('-') {
        Some((firm, branch)) => {
            firm.len() == 10 && branch.len() == 3 && is_digits(firm) && is_digits(branch)
        }
        None => [10, 12, 13].contains(&number.len()) && is_digits(number),
    }
}

fn is_plain(number: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-/.".contains(&byte);
    (3..=32).contains(&number.len()) && number.bytes().all(known)
}

fn is_email(address: &str) -> bool {
    let Some((name, host)) = address.rsplit_once('@') else { return false };
    let labels = host.split('.').all(|label| !label.is_empty());
    let plain = !address.chars().any(|c| c.is_whitespace() || c == '@' && name.contains('@'));
    plain && labels && host.contains('.') && (1..=64).contains(&name.len()) && address.len() <= 254
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What normalising and trimming may take away from a text of a permitted length, in bytes.
const SLACK_BYTES: usize = 1024;
const MAX_FORMED_CHARS: usize = 254;

const DAY: Form = Form {
    code: "not-a-day",
    english: "a day that exists, such as 2026-01-05",
    vietnamese: "ngày có thật, ví dụ 2026-01-05",
};
const DUE: Form = Form {
    code: "not-a-due",
    english: "a day or a minute that exists, such as 2026-01-05 or 2026-01-05T11:30",
    vietnamese: "ngày hoặc giờ có thật, ví dụ 2026-01-05 hoặc 2026-01-05T11:30",
};
const AHEAD: Form = Form {
    code: "due-past",
    english: "a day or a minute that is still to come",
    vietnamese: "ngày hoặc giờ chưa qua",
};
const NEAR: Form = Form {
    code: "due-far",
    english: "a day within the next ten years",
    vietnamese: "ngày trong vòng mười năm tới",
};
const PHONE: Form = Form {
    code: "not-a-phone",
    english: "a telephone number of 8 to 15 digits",
    vietnamese: "số điện thoại từ 8 đến 15 chữ số",
};
const EMAIL: Form = Form {
    code: "not-an-email",
    english: "an e-mail address such as ten@vidu.vn",
    vietnamese: "địa chỉ thư điện tử, ví dụ ten@vidu.vn",
};
const CITIZEN_ID: Form = Form {
    code: "not-an-id-number",
    english: "a citizen's number of 12 digits",
    vietnamese: "số định danh gồm 12 chữ số",
};
const OLD_CITIZEN_ID: Form = Form {
    code: "not-an-id-number",
    english: "an old identity card number of 9 digits",
    vietnamese: "số chứng minh nhân dân gồm 9 chữ số",
};
const TAX_CODE: Form = Form {
    code: "not-an-id-number",
    english: "a tax code of 10 or 13 digits",
    vietnamese: "mã số thuế gồm 10 hoặc 13 chữ số",
};
const PLAIN_ID: Form = Form {
    code: "not-an-id-number",
    english: "a number of 3 to 32 letters and digits",
    vietnamese: "số giấy tờ gồm 3 đến 32 chữ cái và chữ số",
};
/// The most marks on one letter: Vietnamese has two, composed they are none.
const MAX_MARKS: usize = 2;
