//! The tables, their version, and the file that they lie in.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::ViewError;

/// The version of the tables. Another one in the file means that it is thrown away.
const VERSION: i64 = 6;

/// `place` sorts like the document id, newest highest, and is the row of the full-text index: so
/// a search stops as soon as its page is full. `due_key` sorts days and minutes together. `part`
/// repeats what an office's list is filtered by most, so that no row behind it need be read.
///
/// A dossier is open from `open_from` on and until `open_until`, in milliseconds since 1970; the
/// findings that come or pass by time alone are `timed`. So a question at any moment is answered by
/// rows that were written before, and `with_open` counts without reading them.
///
/// A clock `runs` unless it stands still for the applicant or a body outside, or for good; while
/// it stands the due that is written passes without making anything late.
///
/// `held` has every dossier that is not over by the office that holds it, so that what all offices
/// hold, and what falls due where nobody is heard, is counted without reading a row.
///
/// `receipt` has the receipts that offices gave for fees; those of one series and number that stand
/// in several dossiers are marked `twice` when they are written.
///
/// People type beginnings of words: those of up to four letters have lists of their own in the
/// full-text index, which are read from the newest on. Without them the lists of all words that
/// begin so are put together first, 16 ms of processor time for `dang ky khai sinh` instead of 0.1
/// ms. `tags` holds what a search is filtered by, so that a rare status is found among broad words.
const TABLES: &str = "
CREATE TABLE dossier (
    place INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    seen BLOB NOT NULL,
    code TEXT NOT NULL,
    unit TEXT NOT NULL,
    day TEXT NOT NULL,
    serial INTEGER NOT NULL,
    procedure TEXT NOT NULL,
    procedure_name TEXT,
    status INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    due TEXT,
    due_key TEXT,
    receiving TEXT NOT NULL,
    competent TEXT NOT NULL,
    holder TEXT NOT NULL,
    officer TEXT NOT NULL,
    applicant TEXT NOT NULL,
    acts INTEGER NOT NULL,
    review INTEGER NOT NULL,
    unconfirmed INTEGER NOT NULL,
    findings INTEGER NOT NULL,
    open INTEGER NOT NULL,
    open_from INTEGER,
    open_until INTEGER,
    filing INTEGER NOT NULL,
    item_code TEXT,
    item_vi TEXT,
    item TEXT,
    item_office TEXT,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
);
CREATE INDEX by_code ON dossier (code);
CREATE INDEX by_serial ON dossier (unit, day, serial);
CREATE INDEX by_status ON dossier (status, place);
CREATE INDEX by_due ON dossier (due_key, place) WHERE due_key IS NOT NULL;
CREATE INDEX running ON dossier (due_key, place) WHERE runs = 1;
CREATE INDEX by_officer ON dossier (officer, place);
CREATE INDEX by_procedure ON dossier (procedure, place);
CREATE INDEX nameless ON dossier (procedure) WHERE procedure_name IS NULL;
CREATE INDEX held ON dossier (holder, runs, due_key, status) WHERE status NOT IN (3, 7, 10);
CREATE INDEX by_receiving ON dossier (receiving, place);
CREATE INDEX parts ON dossier (place) WHERE filing = 0;
CREATE INDEX with_open ON dossier
    (place, open_from, open_until, review, unconfirmed, findings) WHERE open > 0;
CREATE TABLE part (
    office TEXT NOT NULL,
    place INTEGER NOT NULL,
    status INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    open INTEGER NOT NULL,
    open_from INTEGER,
    open_until INTEGER,
    due_key TEXT,
    queued INTEGER NOT NULL,
    PRIMARY KEY (office, place)
) WITHOUT ROWID;
CREATE INDEX part_of ON part (place);
CREATE INDEX outbox ON part (office, place) WHERE queued = 1;
CREATE TABLE timed (
    place INTEGER NOT NULL,
    number INTEGER NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER,
    code TEXT NOT NULL,
    words_vi TEXT NOT NULL,
    words TEXT NOT NULL,
    office TEXT NOT NULL,
    PRIMARY KEY (place, number)
) WITHOUT ROWID;
CREATE INDEX timed_by_time ON timed (begins, ends);
CREATE TABLE receipt (
    office TEXT NOT NULL,
    series TEXT NOT NULL,
    number TEXT NOT NULL,
    place INTEGER NOT NULL,
    twice INTEGER NOT NULL,
    PRIMARY KEY (office, series, number, place)
) WITHOUT ROWID;
CREATE INDEX receipt_of ON receipt (place);
CREATE INDEX receipt_twice ON receipt (office, series, number, place) WHERE twice = 1;
CREATE VIRTUAL TABLE words USING fts5(
    code, names, numbers, phones, subject, tags,
    content='', contentless_delete=1, prefix='1 2 3 4',
    tokenize='unicode61 remove_diacritics 2'
);
CREATE TABLE watermark (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    tally BLOB NOT NULL
);
";

/// Opens the file for the one writer; makes it, with its tables, if it is not there.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, ViewError> {
    if !path.exists() {
        // What lies beside a file that is gone belongs to nothing.
        throw_away(path)?;
    }
    make(path).map_err(|source| ViewError::File { source })?;
    let connection = connect(path)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // A crash may undo the last transactions, rows and watermark together; the log has them.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && tables == 0 {
        let ddl = format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;");
        connection.execute_batch(&ddl)?;
        return Ok(connection);
    }
    probe(&connection, version)?;
    Ok(connection)
}

/// Opens the file as it is, whatever is in it.
pub(crate) fn connect(path: &Path) -> Result<Connection, ViewError> {
    let connection = Connection::open_with_flags(path, FLAGS)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Opens the file for reading beside the writer.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, ViewError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "mmap_size", MAPPED_BYTES)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    probe(&connection, version)?;
    Ok(connection)
}

/// Takes the file and those beside it away.
pub(crate) fn throw_away(path: &Path) -> Result<(), ViewError> {
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ViewError::File { source: error });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The bytes of the file and those beside it.
pub(crate) fn bytes(path: &Path) -> u64 {
    let sizes = ["", "-wal"].map(|suffix| std::fs::metadata(beside(path, suffix)));
    sizes.into_iter().flatten().map(|metadata| metadata.len()).sum()
}

fn probe(connection: &Connection, version: i64) -> Result<(), ViewError> {
    if version != VERSION {
        let other = rusqlite::Error::IntegralValueOutOfRange(0, version);
        return Err(ViewError::Damaged { source: other });
    }
    // Reads the root of every table and index that a page of results needs.
    for probe in [
        "SELECT count(*) FROM (SELECT * FROM dossier ORDER BY place DESC LIMIT 1)",
        "SELECT count(*) FROM (SELECT office FROM part LIMIT 1)",
        "SELECT count(*) FROM (SELECT code FROM timed LIMIT 1)",
        "SELECT count(*) FROM (SELECT office FROM receipt LIMIT 1)",
        "SELECT count(*) FROM (SELECT rowid FROM words WHERE words MATCH '\"a\"' LIMIT 1)",
        "SELECT count(*) FROM watermark",
    ] {
        connection.query_row(probe, [], |_| Ok(()))?;
    }
    Ok(())
}

/// Makes the file before SQLite does: it holds names, so nobody else may read it.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map(drop)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Without a lock inside: one connection belongs to one thread at a time.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// How long a call waits for a lock that another connection holds.
const PATIENCE: Duration = Duration::from_secs(5);
/// Memory for the pages of the writer: a rebuild touches every index at many places.
const WRITER_CACHE_KIB: i64 = 64 << 10;
/// Memory for the pages of one reader.
const CACHE_KIB: i64 = 16 << 10;
/// After how many pages of 4 KiB the file takes over what the writer wrote beside it.
const CHECKPOINT_PAGES: i64 = 8_192;
/// How much of the file readers map instead of copying.
const MAPPED_BYTES: i64 = 256 << 20;
