//! Questions to the view.

use std::path::{Path, PathBuf};

use lienthong_dossier::Status;
use lienthong_protocol::DocumentId;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use serde::Serialize;

use crate::error::ViewError;
use crate::open::OpenItem;
use crate::query::{Cursor, Query};
use crate::schema;

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
    /// How much the checks found when its last act was done.
    pub findings: u64,
    /// The first of these, in words.
    pub open: Option<OpenItem>,
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
    /// How many of them have something that a person has to look at.
    pub in_review: u64,
    /// How many have each status, by its portal number.
    pub by_status: Vec<(u8, u64)>,
    /// Bytes on disk.
    pub bytes: u64,
}

impl Reader {
    /// Opens the view in a file that a writer has made.
    pub fn open(path: &Path) -> Result<Reader, ViewError> {
        let connection = schema::open_reader(path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Reader { connection, path: path.to_owned() })
    }

    /// One page of the dossiers that a query names.
    pub fn search(&self, query: &Query) -> Result<Page, ViewError> {
        let Some(sql) = query.page_sql(COLUMNS)? else { return Ok(Page::default()) };
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let rows = statement.query_map(params_from_iter(&sql.values), placed_summary)?;
        let mut placed = rows.collect::<Result<Vec<_>, _>>()?;
        let limit = query.page_limit();
        let is_last = placed.len() <= limit;
        placed.truncate(limit);
        let next = placed.last().filter(|_| !is_last).map(|(place, _)| Cursor(*place));
        Ok(Page { dossiers: placed.into_iter().map(|(_, summary)| summary).collect(), next })
    }

    /// How many dossiers a query names on all its pages together.
    pub fn count(&self, query: &Query) -> Result<u64, ViewError> {
        let Some(sql) = query.count_sql()? else { return Ok(0) };
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        Ok(statement.query_row(params_from_iter(&sql.values), |row| whole(row, 0))?)
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
        let sql = "SELECT count(*) FROM dossier WHERE open > 0";
        let in_review = self.connection.query_row(sql, [], |row| whole(row, 0))?;
        let documents = by_status.iter().map(|(_, count)| count).sum();
        Ok(Stats { documents, in_review, by_status, bytes: schema::bytes(&self.path) })
    }
}

fn placed_summary(row: &Row<'_>) -> rusqlite::Result<(i64, Summary)> {
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
        open: open_item(row)?,
    };
    Ok((row.get(0)?, summary))
}

fn open_item(row: &Row<'_>) -> rusqlite::Result<Option<OpenItem>> {
    let Some(code) = row.get(18)? else { return Ok(None) };
    let (words_vi, words, office) = (row.get(19)?, row.get(20)?, row.get(21)?);
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
     d.procedure_name, d.unconfirmed, d.findings, d.item_code, d.item_vi, d.item, d.item_office";
