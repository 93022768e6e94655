//! Which sets of changes were rehearsed and are all fit.

use std::path::Path;

use lienthong_protocol::{DocumentId, Tally};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::ViewError;
use crate::schema::{connect, make, throw_away};
use crate::views::{tally_bytes, tally_of};

/// Remembers for each document the set of changes that was rehearsed last, so that a view that is
/// made anew need not rehearse them again, which is half of its time.
///
/// It lies in a file of its own that outlives the view. It may lack anything and may be deleted at
/// any time; it never says more than it was told, because a tally names one set of changes.
pub struct Rehearsals {
    connection: Connection,
}

impl Rehearsals {
    /// Opens the file, or makes an empty one. `rules` numbers the rules of the rehearsal: what was
    /// rehearsed by others does not count. A file in which anything does not read is thrown away.
    ///
    /// # Errors
    /// Not even an empty file can be made.
    pub fn open(path: &Path, rules: u32) -> Result<Rehearsals, ViewError> {
        match Rehearsals::opened(path, rules) {
            Err(ViewError::Damaged { .. }) => {
                throw_away(path)?;
                Rehearsals::opened(path, rules)
            }
            opened => opened,
        }
    }

    /// Says whether this very set of changes of a document was rehearsed.
    pub fn holds(&self, document: DocumentId, seen: Tally) -> Result<bool, ViewError> {
        let mut statement = self.connection.prepare_cached(READ)?;
        let id = document.as_bytes().as_slice();
        let held = statement.query_row([id], |row| row.get::<_, Vec<u8>>(0)).optional()?;
        Ok(held.and_then(|bytes| tally_of(&bytes)) == Some(seen))
    }

    /// Keeps sets that were rehearsed and are all fit; what was kept of the same documents before
    /// is forgotten.
    pub fn keep(&mut self, sets: &[(DocumentId, Tally)]) -> Result<(), ViewError> {
        let transaction = self.connection.transaction()?;
        for (document, seen) in sets {
            let values = params![document.as_bytes().as_slice(), tally_bytes(seen)];
            transaction.prepare_cached(WRITE)?.execute(values)?;
        }
        Ok(transaction.commit()?)
    }

    fn opened(path: &Path, rules: u32) -> Result<Rehearsals, ViewError> {
        make(path).map_err(|source| ViewError::File { source })?;
        let connection = connect(path)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let held: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if held == 0 {
            let ddl = format!("BEGIN; {TABLE} PRAGMA user_version = {rules}; COMMIT;");
            connection.execute_batch(&ddl)?;
        } else if held != i64::from(rules) {
            let source = rusqlite::Error::IntegralValueOutOfRange(0, held);
            return Err(ViewError::Damaged { source });
        }
        connection.query_row(PROBE, [], |_| Ok(()))?;
        Ok(Rehearsals { connection })
    }
}

const TABLE: &str =
    "CREATE TABLE rehearsed (id BLOB PRIMARY KEY, seen BLOB NOT NULL) WITHOUT ROWID;";
const PROBE: &str = "SELECT count(*) FROM (SELECT seen FROM rehearsed LIMIT 1)";
const READ: &str = "SELECT seen FROM rehearsed WHERE id = ?1";
const WRITE: &str = "INSERT OR REPLACE INTO rehearsed VALUES (?1, ?2)";
