//! Questions to the view.

use std::path::{Path, PathBuf};

use lienthong_dossier::{Status, local_minute};
use lienthong_protocol::{DocumentId, Moment, OfficeId};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde::Serialize;

use crate::error::ViewError;
use crate::open::OpenItem;
use crate::query::{Cursor, Query};
use crate::schema;
use crate::views::signed;

/// The view, open for reading. Each thread takes its own.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// Some dossiers, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The dossiers.
    pub dossiers: Vec<Summary>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// One line of a list. The applicant is masked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The document that holds the dossier.
    pub id: String,
    /// Its code.
    pub code: String,
    /// The code of its procedure.
    pub procedure: String,
    /// The name of its procedure, if the catalogue was known when it was read.
    pub procedure_name: Option<String>,
    /// The portal number of its status.
    pub status: u8,
    /// The name of its status in English.
    pub status_name: &'static str,
    /// The masked name of the applicant.
    pub applicant: String,
    /// The due that holds now.
    pub due: Option<String>,
    /// The office that received it.
    pub receiving: String,
    /// The office that decides.
    pub competent: String,
    /// The office that holds it.
    pub holder: String,
    /// Who did the last act.
    pub officer: String,
    /// How many acts it has.
    pub acts: u64,
    /// How many questions a person has to decide.
    pub review: u64,
    /// How many acts are kept and do not count.
    pub unconfirmed: u64,
    /// How much the checks find at the moment of the question.
    pub findings: u64,
    /// The first of these, in words.
    pub open: Option<OpenItem>,
    /// Whether statistics count it as a filing of its own; a part of another (liên thông) is
    /// counted with that one.
    pub filing: bool,
    /// When its first act was done, in milliseconds since 1970.
    pub opened_at: u64,
    /// When the last of its acts was done.
    pub changed_at: u64,
}

/// How large the view is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Dossiers.
    pub documents: u64,
    /// How many have each status, by its portal number.
    pub by_status: Vec<(u8, u64)>,
    /// Bytes on disk.
    pub bytes: u64,
}

/// What people want to know of all dossiers together at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many are parts of others and no filings of their own.
    pub parts: u64,
    /// How many run past their due.
    pub overdue: u64,
    /// What somebody has to look at.
    pub review: ReviewFigures,
}

/// What an office holds that is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// Dossiers.
    pub open: u64,
    /// Those that run past their due.
    pub overdue: u64,
    /// Those that run and fall due in the first span that was asked for.
    pub due_soon: u64,
    /// Those that run and fall due in the second, which includes the first.
    pub due_later: u64,
}

/// How much somebody has to look at, as a list of reviews shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReviewFigures {
    /// In how many dossiers.
    pub dossiers: u64,
    /// Questions that a person has to decide, such as conflicts.
    pub questions: u64,
    /// Acts that are kept and do not count.
    pub unconfirmed: u64,
    /// What the checks find.
    pub findings: u64,
}

impl Reader {
    /// Opens the view in a file that a writer has made.
    pub fn open(path: &Path) -> Result<Reader, ViewError> {
        let connection = schema::open_reader(path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Reader { connection, path: path.to_owned() })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// One page of the dossiers that a query names.
    pub fn search(&self, query: &Query) -> Result<Page, ViewError> {
        let Some(sql) = query.page_sql(COLUMNS)? else { return Ok(Page::default()) };
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let rows = statement.query_map(params_from_iter(&sql.values), listed)?;
        let mut listed = rows.collect::<Result<Vec<_>, _>>()?;
        let limit = query.page_limit();
        let is_last = listed.len() <= limit;
        listed.truncate(limit);
        let next = listed.last().filter(|_| !is_last).map(|last| Cursor(last.place));
        for one in listed.iter_mut().filter(|one| one.is_timed) {
            self.add_timed(one, query.at)?;
        }
        Ok(Page { dossiers: listed.into_iter().map(|one| one.summary).collect(), next })
    }

    /// Adds what the time has brought.
    fn add_timed(&self, listed: &mut Listed, at: Moment) -> Result<(), ViewError> {
        let mut statement = self.connection.prepare_cached(TIMED)?;
        let items = statement.query_map([listed.place, signed(at.0)], |row| open_item(row, 0))?;
        for item in items {
            listed.summary.findings += 1;
            if listed.summary.open.is_none() {
                listed.summary.open = item?;
            }
        }
        Ok(())
    }

    /// How many dossiers a query names on all its pages together.
    pub fn count(&self, query: &Query) -> Result<u64, ViewError> {
        let Some(sql) = query.count_sql()? else { return Ok(0) };
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        Ok(statement.query_row(params_from_iter(&sql.values), |row| whole(row, 0))?)
    }

    /// What people want to know of all dossiers together at a moment. Read from indexes alone.
    pub fn figures(&self, at: Moment) -> Result<Figures, ViewError> {
        let whole_of = |sql: &str| self.connection.query_row(sql, [], |row| whole(row, 0));
        let timed = "SELECT count(*) FROM timed WHERE begins <= ?1 AND (ends IS NULL OR ends > ?1)";
        let now = [signed(at.0)];
        let timed = self.connection.query_row(timed, now, |row| whole(row, 0))?;
        let review = self.connection.query_row(REVIEW_FIGURES, now, |row| {
            Ok(ReviewFigures {
                dossiers: whole(row, 0)?,
                questions: whole(row, 1)?,
                unconfirmed: whole(row, 2)?,
                findings: whole(row, 3)? + timed,
            })
        });
        Ok(Figures {
            parts: whole_of("SELECT count(*) FROM dossier WHERE filing = 0")?,
            overdue: self.count(&Query { overdue_at: Some(at), ..Query::default() })?,
            review: review?,
        })
    }

    /// What every office holds that is not over, by office. `soon` and `later` end the two spans
    /// before which dues are counted. Read from an index alone.
    pub fn holdings(
        &self,
        at: Moment,
        [soon, later]: [Moment; 2],
    ) -> Result<Vec<(String, Holding)>, ViewError> {
        let mut statement = self.connection.prepare_cached(HOLDINGS)?;
        let [now, soon, later] = [at, soon, later].map(local_minute);
        let rows = statement.query_map([now, soon, later], |row| {
            let (open, overdue) = (whole(row, 1)?, whole(row, 2)?);
            let (due_soon, due_later) = (whole(row, 3)?, whole(row, 4)?);
            Ok((row.get(0)?, Holding { open, overdue, due_soon, due_later }))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many dossiers that an office holds fall due between two moments while their clocks run.
    pub fn falling_due(
        &self,
        holder: OfficeId,
        from: Moment,
        until: Moment,
    ) -> Result<u64, ViewError> {
        let mut statement = self.connection.prepare_cached(FALLING_DUE)?;
        let (from, until) = (local_minute(from), local_minute(until));
        let values = params![holder.as_str(), from, until];
        Ok(statement.query_row(values, |row| whole(row, 0))?)
    }

    /// Dossiers of which an applicant is to be told something and in which an office takes part,
    /// newest first, from behind a cursor; at most `limit`, each with its own cursor.
    pub fn queued(
        &self,
        office: OfficeId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<(DocumentId, Cursor)>, ViewError> {
        let mut statement = self.connection.prepare_cached(QUEUED)?;
        let below = after.map_or(i64::MAX, |Cursor(place)| place);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![office.as_str(), below, limit], |row| {
            Ok((document_id(row, 1)?, Cursor(row.get(0)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest dossiers that an office received, without those of some procedures.
    pub fn received_by(
        &self,
        office: OfficeId,
        hidden: &[String],
        limit: usize,
    ) -> Result<Vec<DocumentId>, ViewError> {
        let mut sql = "SELECT id FROM dossier WHERE receiving = ?1".to_owned();
        for number in 0..hidden.len() {
            sql.push_str(&format!(" AND procedure <> ?{}", number + 2));
        }
        sql.push_str(&format!(" ORDER BY place DESC LIMIT {limit}"));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = [office.as_str()].into_iter().chain(hidden.iter().map(String::as_str));
        let ids = statement.query_map(params_from_iter(values), |row| document_id(row, 0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// The documents that have a code; more than one if it was given twice.
    pub fn by_code(&self, code: &str) -> Result<Vec<DocumentId>, ViewError> {
        let sql = "SELECT id FROM dossier WHERE code = ?1 ORDER BY place";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([code], |row| document_id(row, 0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// The largest serial that any code of a unit has on a day, as the code writes it (`YYMMDD`).
    pub fn last_serial(&self, unit: &str, day: &str) -> Result<Option<u32>, ViewError> {
        let sql = "SELECT max(serial) FROM dossier WHERE unit = ?1 AND day = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([unit, day], |row| row.get(0)).optional()?.flatten())
    }

    /// Codes that more than one dossier has, with the dossiers; at most `limit` codes.
    pub fn shared_codes(&self, limit: usize) -> Result<Vec<(String, Vec<DocumentId>)>, ViewError> {
        let sql = "SELECT code FROM dossier GROUP BY code HAVING count(*) > 1 LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let codes = statement.query_map([limit], |row| row.get::<_, String>(0))?;
        let codes = codes.collect::<Result<Vec<_>, _>>()?;
        let with_documents = |code: String| self.by_code(&code).map(|documents| (code, documents));
        codes.into_iter().map(with_documents).collect()
    }

    /// How large the view is.
    pub fn stats(&self) -> Result<Stats, ViewError> {
        let sql = "SELECT status, count(*) FROM dossier GROUP BY status";
        let mut statement = self.connection.prepare_cached(sql)?;
        let counts = statement.query_map([], |row| Ok((row.get(0)?, whole(row, 1)?)))?;
        let by_status: Vec<(u8, u64)> = counts.collect::<Result<_, _>>()?;
        let documents = by_status.iter().map(|(_, count)| count).sum();
        Ok(Stats { documents, by_status, bytes: schema::bytes(&self.path) })
    }
}

/// A line of a list with its place, and whether time has a say in it.
struct Listed {
    place: i64,
    summary: Summary,
    is_timed: bool,
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let status: u8 = row.get(4)?;
    let named = Status::ALL.into_iter().find(|known| known.number() == status);
    let summary = Summary {
        id: document_id(row, 1)?.to_string(),
        code: row.get(2)?,
        procedure: row.get(3)?,
        status,
        status_name: named.map_or("unknown", Status::name),
        applicant: row.get(5)?,
        due: row.get(6)?,
        receiving: row.get(7)?,
        competent: row.get(8)?,
        holder: row.get(9)?,
        officer: row.get(10)?,
        acts: whole(row, 11)?,
        review: whole(row, 12)?,
        opened_at: whole(row, 13)?,
        changed_at: whole(row, 14)?,
        procedure_name: row.get(15)?,
        unconfirmed: whole(row, 16)?,
        findings: whole(row, 17)?,
        open: open_item(row, 18)?,
        filing: row.get(22)?,
    };
    let steady = summary.review + summary.unconfirmed + summary.findings;
    Ok(Listed { place: row.get(0)?, is_timed: whole(row, 23)? > steady, summary })
}

/// What stands in a column and the three behind it.
fn open_item(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<OpenItem>> {
    let Some(code) = row.get(column)? else { return Ok(None) };
    let (words_vi, words, office) =
        (row.get(column + 1)?, row.get(column + 2)?, row.get(column + 3)?);
    Ok(Some(OpenItem { code, words_vi, words, office }))
}

/// A number that is never below 0; SQLite's own have a sign.
pub(crate) fn whole(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

pub(crate) fn document_id(row: &Row<'_>, column: usize) -> rusqlite::Result<DocumentId> {
    Ok(DocumentId::from_bytes(row.get(column)?))
}

/// Prepared statements that are kept; each set of filters has its own.
const STATEMENTS: usize = 64;

const COLUMNS: &str = "d.place, d.id, d.code, d.procedure, d.status, d.applicant, d.due, \
     d.receiving, d.competent, d.holder, d.officer, d.acts, d.review, d.opened_at, d.changed_at, \
     d.procedure_name, d.unconfirmed, d.findings, d.item_code, d.item_vi, d.item, d.item_office, \
     d.filing, d.open";
const TIMED: &str = "SELECT code, words_vi, words, office FROM timed \
     WHERE place = ?1 AND begins <= ?2 AND (ends IS NULL OR ends > ?2) ORDER BY number";
const REVIEW_FIGURES: &str = "SELECT count(*), coalesce(sum(review), 0), \
     coalesce(sum(unconfirmed), 0), coalesce(sum(findings), 0) FROM dossier \
     WHERE open > 0 AND (open_from <= ?1 OR open_until > ?1)";
// The list of statuses stands as it does in the index `held`.
pub(crate) const HOLDINGS: &str = "SELECT holder, count(*), \
     sum(runs = 1 AND coalesce(due_key < ?1, 0)), \
     sum(runs = 1 AND coalesce(due_key >= ?1 AND due_key <= ?2, 0)), \
     sum(runs = 1 AND coalesce(due_key >= ?1 AND due_key <= ?3, 0)) \
     FROM dossier WHERE status NOT IN (3, 7, 10) GROUP BY holder";
pub(crate) const FALLING_DUE: &str = "SELECT count(*) FROM dossier WHERE status NOT IN (3, 7, 10) \
     AND holder = ?1 AND runs = 1 AND due_key >= ?2 AND due_key <= ?3";
const QUEUED: &str = "SELECT p.place, d.id FROM part AS p JOIN dossier AS d ON d.place = p.place \
     WHERE p.office = ?1 AND p.queued = 1 AND p.place < ?2 ORDER BY p.place DESC LIMIT ?3";
