//! One node's mind: admission, the calendar, reconcile, push and whom to dial.
//!
//! No I/O, no clock, no randomness, no async, no locks. Time and the index come in as arguments,
//! everything that shall happen goes out as an [`Effect`].

mod admission;
mod conversation;
mod dialer;
mod entry;
mod event;
mod intake;
mod ledger;
mod link;
mod outbox;
mod reconcile;
mod replica;
mod shelf;

pub use admission::{Inspected, Refusal, inspect};
pub use dialer::Backoff;
pub use entry::{Entry, Quarantined, Record, Runs, Totals, Verdict, Waiting};
pub use event::{Alarm, Effect, Event, LinkId, Notice, Ticket, Wake};
pub use intake::Stored;
pub use link::{LinkStatus, OpenLink, Status};
pub use replica::{Identity, Replica, Settings};
pub use shelf::{Order, Pair, Place, Shelf, ShelfError};

/// Clocks that differ by more than this, in milliseconds, are an alarm: due dates would differ.
pub const MAX_SKEW_MS: i64 = 120_000;

#[cfg(test)]
mod tests;
