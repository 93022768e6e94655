//! What nodes say of their own health, which word is the newest, and the history of contact.
//!
//! Pure: moments come in as arguments. Which node may say something is the caller's to know.

mod board;
mod contact;
mod health;

pub use board::{Board, BoardError, Held, MAX_BOARD_BYTES, Taken, Teller};
pub use contact::{Contact, MAX_TURNS, SILENT_AFTER, Turn};
pub use health::{Disk, Dossiers, Health, HealthError, Reason, Uplink};

#[cfg(test)]
mod tests;
