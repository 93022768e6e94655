//! The business of dossiers: what one holds, which acts change it, and what they add up to.
//!
//! [`Reception`] is what a counter takes in and [`receive`] writes it; [`Dossier::plan`] checks an
//! act and [`PlannedAct::write`] writes it; [`Dossier::read`] folds all acts into a
//! [`Standing`]. Acts are only ever added, so what two offices did at once is both kept, and the
//! fold says which act counts. Nothing here reads a clock: times are arguments.

mod act;
mod check;
mod code;
mod day;
mod dossier;
mod fold;
mod json;
mod plan;
mod receive;
mod reception;
mod refusal;
mod status;

pub use act::{Act, ActKind, NewAct, ReplyLetter};
pub use code::{Code, CodeError};
pub use day::{is_day, is_due, local_day};
pub use dossier::{DocumentIdText, Dossier, ReadError, Summary};
pub use fold::{Effect, Review, Standing};
pub use plan::{ActRefusal, PlannedAct};
pub use receive::{Opening, receive};
pub use reception::{Applicant, ApplicantKind, Channel, Component, Consents, IdKind, Offices};
pub use reception::{Reception, ReturnBy, Submitter};
pub use refusal::{Refusal, Words};
pub use status::Status;

#[cfg(test)]
mod tests;
