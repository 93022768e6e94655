//! The one writer.

use std::path::{Path, PathBuf};

use lienthong_protocol::{DocumentId, Tally};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::error::ViewError;
use crate::open::{OpenItem, TimedItem};
use crate::reader::{Reader, document_id, whole};
use crate::receipt::{take_receipts_away, write_receipts};
use crate::row::{DossierRow, Watermark};
use crate::schema;

/// The view, open for writing. One at a time; dropping it closes the file.
pub struct Views {
    connection: Connection,
    path: PathBuf,
    documents: u64,
}

/// What came of opening the view.
pub struct Opened {
    /// The view.
    pub views: Views,
    /// Why the old file was thrown away; the view is empty then.
    pub thrown_away: Option<ViewError>,
}

impl Views {
    /// Opens the view in a file, or makes an empty one. A file of another version, or one in
    /// which anything does not read, is thrown away.
    ///
    /// # Errors
    /// Not even an empty file can be made.
    pub fn open(path: &Path) -> Result<Opened, ViewError> {
        match Views::opened(path) {
            Ok(views) => Ok(Opened { views, thrown_away: None }),
            Err(error @ ViewError::Damaged { .. }) => {
                schema::throw_away(path)?;
                Ok(Opened { views: Views::opened(path)?, thrown_away: Some(error) })
            }
            Err(error) => Err(error),
        }
    }

    /// Throws everything away and begins with an empty file. Readers that are open go on with
    /// what they had; open new ones.
    pub fn begin_anew(self) -> Result<Views, ViewError> {
        let path = self.path;
        drop(self.connection);
        schema::throw_away(&path)?;
        Views::opened(&path)
    }

    /// Writes rows, takes documents away and moves the watermark, all or nothing. Without a
    /// watermark the one that holds stays.
    pub fn apply(
        &mut self,
        rows: &[DossierRow],
        gone: &[DocumentId],
        watermark: Option<Watermark>,
    ) -> Result<(), ViewError> {
        let transaction = self.connection.transaction()?;
        let mut documents = self.documents;
        for row in rows {
            documents += u64::from(write(&transaction, row)?);
        }
        for id in gone {
            documents = documents.saturating_sub(u64::from(take_away(&transaction, *id)?));
        }
        if let Some(Watermark { segment, offset, tally }) = watermark {
            let values = params![segment, offset, tally_bytes(&tally)];
            transaction.prepare_cached(SET_WATERMARK)?.execute(values)?;
        }
        transaction.commit()?;
        self.documents = documents;
        Ok(())
    }

    /// How far the view has followed the log; `None` if it never was complete.
    pub fn watermark(&self) -> Result<Option<Watermark>, ViewError> {
        let read = self.connection.query_row(WATERMARK, [], |row| {
            let tally = tally_of(&row.get::<_, Vec<u8>>(2)?).unwrap_or_default();
            Ok(Watermark { segment: row.get(0)?, offset: row.get(1)?, tally })
        });
        Ok(read.optional()?)
    }

    /// The changes that the row of a document was made from; `None` if it has no row.
    pub fn seen(&self, id: DocumentId) -> Result<Option<Tally>, ViewError> {
        let mut statement = self.connection.prepare_cached(SEEN)?;
        let seen = statement.query_row([id.as_bytes().as_slice()], |row| row.get::<_, Vec<u8>>(0));
        Ok(seen.optional()?.and_then(|bytes| tally_of(&bytes)))
    }

    /// The codes of the procedures of dossiers that the catalogue gave no name when they were
    /// read.
    pub fn nameless_procedures(&self) -> Result<Vec<String>, ViewError> {
        let mut statement = self.connection.prepare_cached(NAMELESS)?;
        let codes = statement.query_map([], |row| row.get(0))?;
        Ok(codes.collect::<Result<_, _>>()?)
    }

    /// Lets the dossiers of a procedure that have no name of it be read anew; gives them.
    pub fn read_anew(&mut self, procedure: &str) -> Result<Vec<DocumentId>, ViewError> {
        let mut statement = self.connection.prepare_cached(FORGET_SEEN)?;
        let ids = statement.query_map([procedure], |row| document_id(row, 0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// How many dossiers the view holds.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Brings the full-text index one step nearer to one piece, which makes searches faster; some
    /// tens of milliseconds. `false` when nothing is left to do. For after a rebuild.
    pub fn tidy(&mut self) -> Result<bool, ViewError> {
        let before = self.connection.total_changes();
        self.connection.execute(MERGE, [MERGED_PAGES])?;
        let is_merged = self.connection.total_changes() - before < 2;
        if is_merged {
            self.connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        Ok(!is_merged)
    }

    /// Opens a reader beside this writer, for any thread.
    pub fn reader(&self) -> Result<Reader, ViewError> {
        Reader::open(&self.path)
    }

    fn opened(path: &Path) -> Result<Views, ViewError> {
        let connection = schema::open_writer(path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let count = connection.query_row("SELECT count(*) FROM dossier", [], |row| whole(row, 0));
        Ok(Views { documents: count?, connection, path: path.to_owned() })
    }
}

/// Writes one row; says whether it is new.
fn write(transaction: &Transaction<'_>, row: &DossierRow) -> Result<bool, ViewError> {
    let held = place_of(transaction, row.id)?;
    let place = match held {
        Some(place) => place,
        None => free_place(transaction, natural_place(row.id))?,
    };
    let summary = &row.summary;
    let code = &summary.code;
    let first = row.open.first.as_ref();
    let [open_from, open_until] =
        [row.open.from(), row.open.until()].map(|at| at.map(|at| signed(at.0)));
    transaction.prepare_cached(WRITE)?.execute(params![
        place,
        row.id.as_bytes().as_slice(),
        tally_bytes(&row.seen),
        code.as_str(),
        code.unit(),
        code.day(),
        code.serial(),
        summary.procedure,
        row.procedure_name,
        summary.status,
        row.is_running,
        summary.due,
        summary.due.as_deref().map(due_key),
        summary.receiving.as_str(),
        summary.competent.as_str(),
        summary.holder.as_str(),
        row.officer,
        summary.applicant,
        signed(summary.acts as u64),
        signed(summary.review as u64),
        signed(row.open.unconfirmed),
        signed(row.open.findings),
        signed(row.open.all),
        open_from,
        open_until,
        row.is_filing,
        first.map(|item| &item.code),
        first.map(|item| &item.words_vi),
        first.map(|item| &item.words),
        first.map(|item| &item.office),
        signed(summary.opened_at.0),
        signed(summary.changed_at.0),
    ])?;
    if held.is_some() {
        for table in ["DELETE FROM part WHERE place = ?1", "DELETE FROM timed WHERE place = ?1"] {
            transaction.prepare_cached(table)?.execute([place])?;
        }
        take_receipts_away(transaction, place)?;
    }
    write_parts(transaction, place, row)?;
    write_receipts(transaction, place, &row.receipts)?;
    write_timed(transaction, place, &row.open.timed)?;
    let words = &row.words;
    let values = params![
        place,
        words.code,
        words.names,
        words.numbers,
        words.phones,
        words.subject,
        words.tags
    ];
    // To replace what is not there costs a search for it.
    let write_words = if held.is_some() { REPLACE_WORDS } else { WRITE_WORDS };
    transaction.prepare_cached(write_words)?.execute(values)?;
    Ok(held.is_none())
}

/// Writes one line for each office that takes part.
fn write_parts(
    transaction: &Transaction<'_>,
    place: i64,
    row: &DossierRow,
) -> Result<(), ViewError> {
    let DossierRow { summary, open, is_queued, is_running, .. } = row;
    let due_key = summary.due.as_deref().map(due_key);
    let [from, until] = [open.from(), open.until()].map(|at| at.map(|at| signed(at.0)));
    let mut part = transaction.prepare_cached(WRITE_PART)?;
    for office in &row.offices {
        let (office, all) = (office.as_str(), signed(open.all));
        part.execute(params![
            office,
            place,
            summary.status,
            is_running,
            all,
            from,
            until,
            due_key,
            is_queued
        ])?;
    }
    Ok(())
}

fn write_timed(
    transaction: &Transaction<'_>,
    place: i64,
    timed: &[TimedItem],
) -> Result<(), ViewError> {
    let mut statement = transaction.prepare_cached(WRITE_TIMED)?;
    for (number, TimedItem { from, until, item }) in (0_i64..).zip(timed) {
        let (from, until) = (signed(from.0), until.map(|until| signed(until.0)));
        let OpenItem { code, words_vi, words, office } = item;
        statement.execute(params![place, number, from, until, code, words_vi, words, office])?;
    }
    Ok(())
}

fn take_away(transaction: &Transaction<'_>, id: DocumentId) -> Result<bool, ViewError> {
    let Some(place) = place_of(transaction, id)? else { return Ok(false) };
    for table in [
        "DELETE FROM dossier WHERE place = ?1",
        "DELETE FROM part WHERE place = ?1",
        "DELETE FROM timed WHERE place = ?1",
        "DELETE FROM words WHERE rowid = ?1",
    ] {
        transaction.prepare_cached(table)?.execute([place])?;
    }
    take_receipts_away(transaction, place)?;
    Ok(true)
}

fn place_of(transaction: &Transaction<'_>, id: DocumentId) -> Result<Option<i64>, ViewError> {
    let mut statement = transaction.prepare_cached("SELECT place FROM dossier WHERE id = ?1")?;
    Ok(statement.query_row([id.as_bytes().as_slice()], |row| row.get(0)).optional()?)
}

/// The first 63 bits of an id that vary: its millisecond, then what follows the version.
fn natural_place(id: DocumentId) -> i64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&id.as_bytes()[..8]);
    let bits = u64::from_be_bytes(bytes);
    let (millisecond, varying) = (bits >> 16, bits & 0x0fff);
    let place = millisecond << PLACE_BITS | varying << (PLACE_BITS - 12);
    i64::try_from(place).unwrap_or(i64::MAX - (1 << PLACE_BITS))
}

/// The wanted place, or the next that no document has.
fn free_place(transaction: &Transaction<'_>, wanted: i64) -> Result<i64, ViewError> {
    let taken = "SELECT 1 FROM dossier WHERE place = ?1";
    let mut statement = transaction.prepare_cached(taken)?;
    if statement.query_row([wanted], |_| Ok(())).optional()?.is_none() {
        return Ok(wanted);
    }
    Ok(transaction.prepare_cached(NEXT_FREE)?.query_row([wanted], |row| row.get(0))?)
}

/// A number as SQLite keeps it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A due that sorts: a day alone ends with its last minute.
pub(crate) fn due_key(due: &str) -> String {
    if due.contains('T') { due.to_owned() } else { format!("{due}T24:00") }
}

pub(crate) fn tally_bytes(tally: &Tally) -> Vec<u8> {
    [tally.count.to_be_bytes().as_slice(), tally.sum.as_slice()].concat()
}

pub(crate) fn tally_of(bytes: &[u8]) -> Option<Tally> {
    let (count, sum) = bytes.split_first_chunk()?;
    Some(Tally { count: u64::from_be_bytes(*count), sum: sum.try_into().ok()? })
}

/// Bits of a place below the millisecond.
const PLACE_BITS: u32 = 15;
/// Prepared statements that are kept.
const STATEMENTS: usize = 32;

const WRITE: &str = "INSERT OR REPLACE INTO dossier VALUES \
     (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20, \
     ?21,?22,?23,?24,?25,?26,?27,?28,?29,?30,?31,?32)";
const WRITE_PART: &str = "INSERT OR IGNORE INTO part VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const WRITE_TIMED: &str = "INSERT INTO timed VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const WRITE_WORDS: &str = "INSERT INTO words \
     (rowid, code, names, numbers, phones, subject, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const REPLACE_WORDS: &str = "INSERT OR REPLACE INTO words \
     (rowid, code, names, numbers, phones, subject, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const SET_WATERMARK: &str = "INSERT OR REPLACE INTO watermark VALUES (1, ?1, ?2, ?3)";
const WATERMARK: &str = "SELECT segment, offset, tally FROM watermark";
const NAMELESS: &str = "SELECT DISTINCT procedure FROM dossier WHERE procedure_name IS NULL";
const FORGET_SEEN: &str = "UPDATE dossier SET seen = x'' \
     WHERE procedure = ?1 AND procedure_name IS NULL RETURNING id";
/// Below zero: pieces of all sizes are merged.
const MERGE: &str = "INSERT INTO words (words, rank) VALUES ('merge', -?1)";
const MERGED_PAGES: i64 = 256;
const SEEN: &str = "SELECT seen FROM dossier WHERE id = ?1";
const NEXT_FREE: &str = "SELECT place + 1 FROM dossier AS d WHERE place >= ?1 \
     AND NOT EXISTS (SELECT 1 FROM dossier AS e WHERE e.place = d.place + 1) \
     ORDER BY place LIMIT 1";
