//! Dossiers as rows that people search, list and count.
//!
//! The view is the third truth: it can be thrown away at any time and is made anew from the log
//! and the index. One [`Views`] writes, any number of [`Reader`]s read beside it; SQLite is known
//! to this crate alone. Every call blocks on the disk.

mod error;
mod open;
mod pool;
mod query;
mod reader;
mod receipt;
mod rehearsals;
mod row;
mod schema;
mod text;
mod views;

pub use error::ViewError;
pub use open::OpenItem;
pub use pool::Pool;
pub use query::{Cursor, MAX_LIMIT, MAX_TEXT_CHARS, Query, QueryError};
pub use reader::{Figures, Holding, Page, Reader, ReviewFigures, Stats, Summary};
pub use receipt::{ReceiptKey, SharedReceipt};
pub use rehearsals::Rehearsals;
pub use row::{DossierRow, Watermark};
pub use views::{Opened, Views};

#[cfg(test)]
mod tests;
