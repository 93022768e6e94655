//! What can be asked of the view, and the SQL that answers it.

use std::fmt;
use std::str::FromStr;

use lienthong_dossier::{Status, is_due, local_minute};
use lienthong_protocol::{Moment, OfficeId};
use rusqlite::types::Value;
use thiserror::Error;

use crate::text::{OFFICE, REVIEW, STATUS, composed, match_of, tag};
use crate::views::{due_key, signed};

/// The most dossiers on one page.
pub const MAX_LIMIT: usize = 1_000;
/// The longest text that is searched for, in characters.
pub const MAX_TEXT_CHARS: usize = 200;

/// Which dossiers, newest first. What is left out does not narrow the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, or their beginnings, of a code, name, ID number, phone, procedure or field; marks
    /// and case do not count. At most [`MAX_TEXT_CHARS`].
    pub text: Option<String>,
    /// The status.
    pub status: Option<Status>,
    /// Due before this day or minute, as `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`.
    pub due_before: Option<String>,
    /// Due after this day or minute.
    pub due_after: Option<String>,
    /// Overdue at this moment: the due has passed and the clock runs.
    pub overdue_at: Option<Moment>,
    /// An office that takes part.
    pub office: Option<OfficeId>,
    /// Who did the last act.
    pub officer: Option<String>,
    /// The code of the procedure.
    pub procedure: Option<String>,
    /// Only those about which a person has something to decide, mend or take back at `at`:
    /// conflicts, acts that do not count, findings of the checks.
    pub review: bool,
    /// The moment for which the answer holds: what is found by then, and what not any more.
    pub at: Moment,
    /// Procedures whose dossiers no list may show.
    pub hidden: Vec<String>,
    /// How many; 1 to [`MAX_LIMIT`], others are brought to the nearer of the two.
    pub limit: usize,
    /// Only those behind this cursor.
    pub after: Option<Cursor>,
}

/// Where a page ended. It stays good while dossiers come and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(crate) i64);

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// The text is too long to be searched for.
    #[error("the text has {chars} characters, the limit is {MAX_TEXT_CHARS}")]
    TextTooLong {
        /// How many characters it has.
        chars: usize,
    },
    /// A limit of a due is no day or minute that exists.
    #[error("'{text}' is no day or minute that exists")]
    Due {
        /// What was given, cut to 32 characters.
        text: String,
    },
    /// The cursor was not given by a page.
    #[error("'{text}' is no cursor of a page")]
    Cursor {
        /// What was given, cut to 32 characters.
        text: String,
    },
}

impl QueryError {
    /// Names the error for programs.
    pub fn code(&self) -> &'static str {
        match self {
            QueryError::TextTooLong { .. } => "search-too-long",
            QueryError::Due { .. } => "not-a-due",
            QueryError::Cursor { .. } => "not-a-cursor",
        }
    }

    /// Says what is wrong in Vietnamese.
    pub fn cause_vi(&self) -> String {
        match self {
            QueryError::TextTooLong { chars } => {
                format!("nội dung tìm dài {chars} ký tự, tối đa {MAX_TEXT_CHARS}")
            }
            QueryError::Due { text } => format!("'{text}' không phải ngày hay phút có thật"),
            QueryError::Cursor { text } => format!("'{text}' không phải vị trí của một trang"),
        }
    }

    /// Says what to do in Vietnamese.
    pub fn remedy_vi(&self) -> &'static str {
        match self {
            QueryError::TextTooLong { .. } => "tìm bằng vài từ của tên, hoặc bằng mã hồ sơ",
            QueryError::Due { .. } => "viết như 2026-01-05 hoặc 2026-01-05T11:30",
            QueryError::Cursor { .. } => "dùng `next` của trang trước, hoặc xem từ đầu",
        }
    }

    /// Says what to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            QueryError::TextTooLong { .. } => "search for a few words of the name, or for the code",
            QueryError::Due { .. } => "write 2026-01-05 or 2026-01-05T11:30",
            QueryError::Cursor { .. } => "use the `next` of the page before, or begin without one",
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Cursor {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Cursor, QueryError> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let place = digits.then(|| i64::from_str_radix(text, 16).ok()).flatten();
        place.map(Cursor).ok_or_else(|| QueryError::Cursor { text: cut(text) })
    }
}

/// A statement with its values. Nothing that a person typed is part of its text.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Query {
    /// The limit within its range.
    pub(crate) fn page_limit(&self) -> usize {
        self.limit.clamp(1, MAX_LIMIT)
    }

    /// The statement that gives `columns` of one dossier more than the page holds, so that it is
    /// known whether another page follows. `None` if the text has nothing to look for.
    pub(crate) fn page_sql(&self, columns: &str) -> Result<Option<Sql>, QueryError> {
        let Some(mut sql) = self.narrowed(columns)? else { return Ok(None) };
        let place = self.source().place;
        sql.text.push_str(&format!(" ORDER BY {place} DESC LIMIT {}", self.page_limit() + 1));
        Ok(Some(sql))
    }

    /// The statement that counts all of them, whatever limit and cursor.
    pub(crate) fn count_sql(&self) -> Result<Option<Sql>, QueryError> {
        Query { after: None, ..self.clone() }.narrowed("count(*)")
    }

    fn narrowed(&self, columns: &str) -> Result<Option<Sql>, QueryError> {
        let Source { from, place, fields } = self.source();
        let mut sql = Sql { text: format!("SELECT {columns} FROM {from} WHERE 1"), values: vec![] };
        if let Some(text) = &self.text {
            let chars = text.chars().count();
            if chars > MAX_TEXT_CHARS {
                return Err(QueryError::TextTooLong { chars });
            }
            let Some(question) = match_of(text) else { return Ok(None) };
            sql.and("words MATCH ", self.tagged(&question));
        }
        if let Some(Cursor(after)) = self.after {
            sql.and(&format!("{place} < "), after);
        }
        self.narrow_by_office(&mut sql);
        if let Some(status) = self.status {
            // The plus keeps the index of one officer or procedure, which narrows more, in use.
            let narrowed = self.officer.is_some() || self.procedure.is_some();
            let plus = if narrowed { "+" } else { "" };
            sql.and(&format!("{plus}{fields}.status = "), i64::from(status.number()));
        }
        self.narrow_by_due(&mut sql, fields)?;
        if self.review {
            // The condition stands as it does in the index `with_open`.
            sql.text.push_str(&format!(" AND {fields}.open > 0"));
            sql.values.push(signed(self.at.0).into());
            let at = sql.values.len();
            let is_open = format!("({fields}.open_from <= ?{at} OR {fields}.open_until > ?{at})");
            sql.text.push_str(&format!(" AND {is_open}"));
        }
        if let Some(officer) = &self.officer {
            sql.and("d.officer = ", composed(officer));
        }
        if let Some(procedure) = &self.procedure {
            sql.and("d.procedure = ", composed(procedure));
        }
        for hidden in &self.hidden {
            sql.and("d.procedure <> ", hidden.clone());
        }
        Ok(Some(sql))
    }

    /// Narrows a question by what else is asked for. Tags may be alike for two offices: the
    /// conditions on the rows stay.
    fn tagged(&self, question: &str) -> String {
        let status = self.status.map(|status| tag(STATUS, &status.number().to_string()));
        let office = self.office.map(|office| tag(OFFICE, office.as_str()));
        let review = self.review.then(|| tag(REVIEW, ""));
        let tags = [status, office, review].into_iter().flatten();
        let tags = tags.map(|tag| format!(" AND tags : \"{tag}\""));
        format!("{{code names numbers phones subject}} : ({question}){}", tags.collect::<String>())
    }

    fn narrow_by_office(&self, sql: &mut Sql) {
        let Some(office) = self.office else { return };
        let office = office.as_str().to_owned();
        if self.is_list_of_office() {
            sql.and("p.office = ", office);
        } else {
            sql.and("EXISTS (SELECT 1 FROM part WHERE place = d.place AND office = ", office);
            sql.text.push(')');
        }
    }

    fn narrow_by_due(&self, sql: &mut Sql, fields: &str) -> Result<(), QueryError> {
        for (bound, compares) in [(&self.due_before, "<"), (&self.due_after, ">")] {
            let Some(bound) = bound else { continue };
            if !is_due(bound) {
                return Err(QueryError::Due { text: cut(bound) });
            }
            // Before a day means before it begins; after a day, when it is over.
            let key = if compares == "<" { bound.clone() } else { due_key(bound) };
            sql.and(&format!("{fields}.due_key {compares} "), key);
        }
        if let Some(now) = self.overdue_at {
            // The condition stands as it does in the index `running`.
            sql.text.push_str(&format!(" AND {fields}.runs = 1"));
            sql.and(&format!("{fields}.due_key < "), local_minute(now));
        }
        Ok(())
    }

    /// Whether the list of one office is the best beginning: everything else has an index of its
    /// own that narrows more.
    fn is_list_of_office(&self) -> bool {
        let others = [&self.text, &self.officer, &self.procedure];
        self.office.is_some() && others.iter().all(|other| other.is_none())
    }

    fn source(&self) -> Source {
        if self.text.is_some() {
            let from = "words CROSS JOIN dossier AS d ON d.place = words.rowid";
            Source { from, place: "words.rowid", fields: "d" }
        } else if self.is_list_of_office() {
            let from = "part AS p CROSS JOIN dossier AS d ON d.place = p.place";
            Source { from, place: "p.place", fields: "p" }
        } else {
            Source { from: "dossier AS d", place: "d.place", fields: "d" }
        }
    }
}

/// What a statement reads first, and where it finds place, status and due.
struct Source {
    from: &'static str,
    place: &'static str,
    fields: &'static str,
}

impl Sql {
    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.text.push_str(&format!(" AND {condition}?{}", self.values.len()));
    }
}

fn cut(text: &str) -> String {
    text.chars().take(32).collect()
}
