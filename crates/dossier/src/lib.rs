//! The business of dossiers: what one holds, which acts change it, and what they add up to.
//!
//! [`Reception`] is what a counter takes in and [`receive`] writes it; [`Dossier::plan`] checks an
//! act and [`PlannedAct::write`] writes it; [`Dossier::read`] folds all acts into a
//! [`Standing`]. Acts are only ever added, so what two offices did at once is both kept, and the
//! fold says which act counts. Nothing here reads a clock: times are arguments.

mod act;
mod authority;
mod check;
mod clock;
mod code;
mod day;
mod detail;
mod dossier;
mod finding;
mod fold;
mod json;
mod notification;
mod order;
mod plan;
mod receive;
mod reception;
mod records;
mod refusal;
mod review;
mod status;

pub use act::{Act, ActKind, Effect, NewAct, ReplyLetter};
pub use clock::{
    CalendarUsed, Clock, ClockState, ComputedDue, Dues, SlipLine, StepDue, due_moment,
};
pub use code::{Code, CodeError};
pub use day::{is_day, is_due, local_day, local_minute};
pub use detail::{
    Delivery, Detail, Fee, Intake, Leg, LegStage, Notice, NoticeChannel, Opinion, PayMethod,
    Rating, Refund, Remittance, ResultPaper, Way,
};
pub use dossier::{DocumentIdText, Dossier, ReadError, Summary};
pub use finding::{Addressee, Finding, Timed, checks, outlook};
pub use fold::Standing;
pub use notification::{Outgoing, Sender, TAKEOVER_MS, elected_sender};
pub use plan::{ActRefusal, PlannedAct};
pub use receive::{Opening, receive, receiving_officer};
pub use reception::{Applicant, ApplicantKind, Channel, Component, Consents, IdKind, Offices};
pub use reception::{Reception, ReturnBy, Submitter};
pub use records::{
    Answer, AskedOpinion, Extension, GivenRating, Handover, IssuedResult, Notification,
    NotificationState, PaidFee, Pause, PauseCause, PostLeg, Records, Request, Times,
};
pub use refusal::{Doubt, Refusal, Words};
pub use review::Review;
pub use status::Status;

#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod tests;
