//! Why a reception or an act is not taken, in words for the counter.

use std::fmt;

use lienthong_protocol::OfficeId;
use thiserror::Error;

/// Why data is not taken: which field, why, and what to do. Shows no value that may be personal.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {}", words.cause)]
pub struct Refusal {
    /// A fixed word for programs.
    pub code: &'static str,
    /// The field, as a path such as `applicant.phone`.
    pub field: String,
    /// The words for people.
    pub words: Box<Words>,
}

/// A cause and a remedy, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What is wrong, in English.
    pub cause: String,
    /// What to do, in English.
    pub remedy: String,
    /// What is wrong, in Vietnamese.
    pub cause_vi: String,
    /// What to do, in Vietnamese.
    pub remedy_vi: String,
}

impl Words {
    pub(crate) fn new(cause: String, remedy: &str, cause_vi: String, remedy_vi: &str) -> Words {
        Words { cause, remedy: remedy.to_owned(), cause_vi, remedy_vi: remedy_vi.to_owned() }
    }
}

/// A form that a field must have, in both languages.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) code: &'static str,
    pub(crate) english: &'static str,
    pub(crate) vietnamese: &'static str,
}

impl Refusal {
    pub(crate) fn missing(field: &str) -> Refusal {
        let words = Words::new(
            "is missing".to_owned(),
            "fill it in",
            "còn thiếu".to_owned(),
            "nhập đầy đủ thông tin này",
        );
        Refusal { code: "missing", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn too_long(field: &str, chars: usize, limit: usize) -> Refusal {
        let words = Words::new(
            format!("has {chars} characters, the limit is {limit}"),
            "shorten it, or put the rest into a file",
            format!("dài {chars} ký tự, tối đa {limit}"),
            "rút gọn, hoặc đính kèm phần còn lại bằng tệp",
        );
        Refusal { code: "too-long", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn too_many(field: &str, count: usize, limit: usize) -> Refusal {
        let words = Words::new(
            format!("has {count} entries, the limit is {limit}"),
            "leave out what is not needed",
            format!("có {count} mục, tối đa {limit}"),
            "bỏ bớt những mục không cần thiết",
        );
        Refusal { code: "too-many", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn control(field: &str) -> Refusal {
        let words = Words::new(
            "has a control character".to_owned(),
            "type it again instead of pasting it",
            "chứa ký tự điều khiển".to_owned(),
            "gõ lại thay vì dán",
        );
        Refusal { code: "control-character", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn form(field: &str, form: Form) -> Refusal {
        let words = Words::new(
            format!("is not {}", form.english),
            "correct it as the paper shows it",
            format!("không phải là {}", form.vietnamese),
            "sửa lại theo đúng giấy tờ",
        );
        Refusal { code: form.code, field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn office_twice(field: &str, office: OfficeId) -> Refusal {
        let words = Words::new(
            format!("names {office} twice"),
            "name each office once",
            format!("nêu {office} hai lần"),
            "mỗi cơ quan chỉ nêu một lần",
        );
        Refusal { code: "office-twice", field: field.to_owned(), words: words.into() }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.cause, self.remedy)
    }
}
