//! The dossier code (mã hồ sơ): who received it, on which day, as which of that day.

use std::fmt;
use std::str::FromStr;

use lienthong_protocol::Moment;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::day::short_day;

/// A dossier code such as `000.00.19.H47-260105-0001`: unit, day of reception, serial of that
/// day. Never rewritten once it was given, not even when its office is renamed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

/// Why a text is not a dossier code, or none can be issued.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// The text has not the form of a dossier code.
    #[error("'{text}' is no dossier code such as 000.00.19.H47-260105-0001")]
    Form {
        /// What was given, cut to 64 characters.
        text: String,
    },
    /// The unit's part of the code has a wrong form; correct the office in the registry.
    #[error("'{unit_code}' is no unit code such as 000.00.19.H47 or H57.132")]
    Unit {
        /// What was given, cut to 64 characters.
        unit_code: String,
    },
    /// The serial is 0 or has more than five digits: the unit's numbers of that day are used up.
    #[error("serial {serial} does not fit a dossier code, it runs from 1 to {MAX_SERIAL}")]
    Serial {
        /// The serial.
        serial: u32,
    },
}

impl CodeError {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            CodeError::Form { .. } => "code-form",
            CodeError::Unit { .. } => "code-unit",
            CodeError::Serial { .. } => "code-serial",
        }
    }

    /// Says what is wrong in Vietnamese.
    pub fn cause_vi(&self) -> String {
        match self {
            CodeError::Form { text } => {
                format!("'{text}' không phải mã hồ sơ, ví dụ 000.00.19.H47-260105-0001")
            }
            CodeError::Unit { unit_code } => {
                format!("'{unit_code}' không phải mã đơn vị, ví dụ 000.00.19.H47 hoặc H57.132")
            }
            CodeError::Serial { serial } => {
                format!("số {serial} không hợp với mã hồ sơ, chỉ từ 1 đến {MAX_SERIAL}")
            }
        }
    }

    /// What a person can do about it, in Vietnamese.
    pub fn remedy_vi(&self) -> &'static str {
        match self {
            CodeError::Form { .. } => "chép mã trên giấy tiếp nhận, đủ dấu chấm và gạch nối",
            CodeError::Unit { .. } => "sửa mã đơn vị trong sổ đăng ký",
            CodeError::Serial { .. } => "tiếp nhận theo mã đơn vị khác, hoặc vào ngày sau",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            CodeError::Form { .. } => "copy the code from the receipt, with its dots and hyphens",
            CodeError::Unit { .. } => "correct the office's unit code in the registry",
            CodeError::Serial { .. } => "receive under another unit code, or on the next day",
        }
    }
}

impl Code {
    /// Reads a code as it is written, without changing a character.
    pub fn parse(text: &str) -> Result<Code, CodeError> {
        let wrong = || CodeError::Form { text: cut(text) };
        let mut parts = text.split('-');
        let (Some(unit), Some(day), Some(serial)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let digits = day.len() == 6 && (4..=5).contains(&serial.len());
        let sound = digits && is_digits(day) && is_digits(serial) && is_unit(unit);
        if sound && parts.next().is_none() { Ok(Code(text.to_owned())) } else { Err(wrong()) }
    }

    /// Makes the code of the dossier that a unit receives at a moment as the `serial`th of that
    /// day in Asia/Ho_Chi_Minh. That no serial is given twice is the caller's promise.
    pub fn issue(unit_code: &str, at: Moment, serial: u32) -> Result<Code, CodeError> {
        if !is_unit(unit_code) {
            return Err(CodeError::Unit { unit_code: cut(unit_code) });
        }
        if !(1..=MAX_SERIAL).contains(&serial) {
            return Err(CodeError::Serial { serial });
        }
        Ok(Code(format!("{unit_code}-{}-{serial:04}", short_day(at))))
    }

    /// The code as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The unit's part.
    pub fn unit(&self) -> &str {
        self.part(0)
    }

    /// The day of reception, as `YYMMDD`; six digits, not always a day that exists.
    pub fn day(&self) -> &str {
        self.part(1)
    }

    /// The serial of that day.
    pub fn serial(&self) -> u32 {
        self.part(2).parse().unwrap_or(0)
    }

    fn part(&self, index: usize) -> &str {
        self.0.split('-').nth(index).unwrap_or_default()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Code, CodeError> {
        Code::parse(text)
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Code, CodeError> {
        Code::parse(&text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.0
    }
}

/// Says whether a text is a procedure code: `1.002835.000.00.00.H56` or `2.002621.H56`.
pub(crate) fn is_procedure(text: &str) -> bool {
    let shape = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
    };
    let Some((number, province)) = text.rsplit_once('.') else { return false };
    is_province(province) && ["0.000000", "0.000000.000.00.00"].contains(&shape(number).as_str())
}

/// `ddd.dd.dd.Xdd`, or `Xdd` with up to four groups of one to three digits.
fn is_unit(text: &str) -> bool {
    let groups: Vec<&str> = text.split('.').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    match groups.as_slice() {
        [above @ .., last] if lengths == [3, 2, 2, 3] => {
            is_province(last) && above.iter().all(|group| is_digits(group))
        }
        [first, below @ ..] => {
            let fits = |group: &&str| (1..=3).contains(&group.len()) && is_digits(group);
            is_province(first) && below.len() <= 4 && below.iter().all(fits)
        }
        [] => false,
    }
}

/// A capital letter and two digits, as in `H47`.
fn is_province(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 3 && bytes[0].is_ascii_uppercase() && bytes[1..].iter().all(u8::is_ascii_digit)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

const MAX_SERIAL: u32 = 99_999;

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
