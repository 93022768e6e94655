//! Receipts for fees: an office uses each number of a series once.

use lienthong_dossier::PaidFee;
use lienthong_protocol::{DocumentId, OfficeId};
use rusqlite::{Transaction, params};

use crate::error::ViewError;
use crate::reader::{Reader, document_id};
use crate::text::composed;

/// A receipt as offices number it, in the one form in which people mean the same by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceiptKey {
    /// The office that took the money.
    pub office: OfficeId,
    /// The series, in capitals.
    pub series: String,
    /// The number, without zeros before it.
    pub number: String,
}

/// A receipt that stands in several dossiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedReceipt {
    /// The receipt.
    pub receipt: ReceiptKey,
    /// The dossiers with their codes, the oldest first.
    pub dossiers: Vec<(DocumentId, String)>,
}

impl ReceiptKey {
    /// The receipt of a series and a number, as an office wrote them.
    pub fn new(office: OfficeId, series: &str, number: &str) -> ReceiptKey {
        let plain = |text: &str| {
            let chars = text.chars().filter(|c| !c.is_whitespace()).take(MAX_CHARS);
            composed(&chars.collect::<String>().to_uppercase())
        };
        let (series, number) = (plain(series), plain(number));
        let number = match number.trim_start_matches('0') {
            "" => number,
            rest => rest.to_owned(),
        };
        ReceiptKey { office, series, number }
    }

    pub(crate) fn of(paid: &PaidFee) -> ReceiptKey {
        ReceiptKey::new(paid.office, &paid.fee.series, &paid.fee.number)
    }
}

impl Reader {
    /// The dossiers in which a receipt stands, with their codes, the oldest first.
    pub fn with_receipt(
        &self,
        receipt: &ReceiptKey,
    ) -> Result<Vec<(DocumentId, String)>, ViewError> {
        let mut statement = self.connection().prepare_cached(WITH_RECEIPT)?;
        let ReceiptKey { office, series, number } = receipt;
        let found = statement.query_map(params![office.as_str(), series, number], |row| {
            Ok((document_id(row, 0)?, row.get(1)?))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Receipts of an office that stand in several dossiers; at most `limit`. Read from an index
    /// alone if there are none.
    pub fn shared_receipts(
        &self,
        office: OfficeId,
        limit: usize,
    ) -> Result<Vec<SharedReceipt>, ViewError> {
        let mut statement = self.connection().prepare_cached(SHARED)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let keys = statement.query_map(params![office.as_str(), limit], |row| {
            Ok(ReceiptKey { office, series: row.get(0)?, number: row.get(1)? })
        })?;
        let with_dossiers = |receipt: ReceiptKey| {
            Ok(SharedReceipt { dossiers: self.with_receipt(&receipt)?, receipt })
        };
        keys.collect::<Result<Vec<_>, _>>()?.into_iter().map(with_dossiers).collect()
    }
}

/// Puts the receipts of a dossier in the place of those that stood there.
pub(crate) fn write_receipts(
    transaction: &Transaction<'_>,
    place: i64,
    receipts: &[ReceiptKey],
) -> Result<(), ViewError> {
    for ReceiptKey { office, series, number } in receipts {
        let values = params![office.as_str(), series, number, place];
        transaction.prepare_cached(WRITE)?.execute(values)?;
        let values = params![office.as_str(), series, number];
        transaction.prepare_cached(MARK)?.execute(values)?;
    }
    Ok(())
}

/// Takes the receipts of a dossier away.
pub(crate) fn take_receipts_away(
    transaction: &Transaction<'_>,
    place: i64,
) -> Result<(), ViewError> {
    let mut statement = transaction.prepare_cached(TAKE_AWAY)?;
    let gone = statement.query_map([place], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    for (office, series, number) in gone.collect::<Result<Vec<_>, _>>()? {
        transaction.prepare_cached(MARK)?.execute(params![office, series, number])?;
    }
    Ok(())
}

const WITH_RECEIPT: &str = "SELECT d.id, d.code FROM receipt AS r \
     JOIN dossier AS d ON d.place = r.place \
     WHERE r.office = ?1 AND r.series = ?2 AND r.number = ?3 ORDER BY r.place";
const SHARED: &str = "SELECT DISTINCT series, number FROM receipt \
     WHERE office = ?1 AND twice = 1 ORDER BY series, number LIMIT ?2";
const WRITE: &str = "INSERT OR IGNORE INTO receipt VALUES (?1, ?2, ?3, ?4, 0)";
const TAKE_AWAY: &str = "DELETE FROM receipt WHERE place = ?1 RETURNING office, series, number";
/// Other dossiers say what is twice: so both sides are marked, and unmarked, when either changes.
const MARK: &str = "UPDATE receipt SET twice = (SELECT count(*) > 1 FROM receipt AS other \
     WHERE other.office = ?1 AND other.series = ?2 AND other.number = ?3) \
     WHERE office = ?1 AND series = ?2 AND number = ?3";
/// Receipts of other offices may be longer than this node would take.
const MAX_CHARS: usize = 64;
