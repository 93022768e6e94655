//! The one place that knows Automerge.
//!
//! A document is what a set of payloads says together; a payload is the raw bytes of one
//! uncompressed Automerge change. The types of Automerge do not leave this crate, and neither do
//! its panics. It reads no clock and no file, and the random actor that Automerge draws for a new
//! document is replaced before anything is written.

mod actor;
mod chunk;
mod document;
mod editor;
#[cfg(test)]
mod fixtures;
pub mod limits;
mod open;
mod path;
mod payload;
mod read;
mod rehearsal;
mod written;

pub use actor::Actor;
pub use document::{Document, Draft, LoadError, Opened};
pub use editor::{EditError, Editor};
pub use path::{ROOT, Step};
pub use payload::{ChangeHash, Part, PayloadError, Peek, peek};
pub use read::Entry;
pub use rehearsal::{Refusal, Scene};
pub use written::Written;
