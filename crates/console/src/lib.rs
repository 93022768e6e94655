//! What is said on a terminal, and what is read from files that people name: answers in words,
//! Vietnamese first, tables, and dossiers by the thousand in and out.

mod access;
mod board;
mod layout;
mod proposals;
mod published;
mod review;
mod source;
mod table;
mod transfer;
mod words;

pub use layout::table;
pub use source::{bad_file, reception, text_of};
pub use transfer::{Format, Import, Imported, export, import};
pub use words::{local_time, settings, titled, words};
