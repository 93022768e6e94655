//! What an entitled office publishes and every node reads: procedures, calendars, staff; and the
//! working time that follows from a calendar. Nothing here reads a clock: times are arguments.

mod calendar;
mod catalogue;
mod check;
mod day;
mod limit;
mod procedure;
mod proposal;
mod publication;
mod source;
mod staff;
pub mod worktime;
mod year;
mod year_check;

pub use calendar::Calendar;
pub use catalogue::{AcceptLimit, Catalogue, Edition, Role};
pub use check::MAX_FAULTS;
pub use day::{DayError, DayMinute, VIETNAM_MS, day, local, moment};
pub use limit::{Due, DueError, Limit, Unit, Verdict, Warning};
pub use procedure::{
    Channel, CodeKind, Component, Fee, Flow, FlowKind, LegalLimit, OnlineService, Procedure,
    ProcedureVersion, Revision, Sensitivity, Step,
};
pub use proposal::{Answer, Answered, Cut, Proposal, ProposalRefusal, Weight, Wish};
pub use publication::{Part, Publication, PublishRefusal, calendar_publication, read_calendars};
pub use source::{Fault, MAX_SOURCE_BYTES, Source, SourceError};
pub use staff::{Delegation, Officer, Power, Staff, StaffRefusal};
pub use worktime::{FlowDues, Minutes, Pause, StepLimit};
pub use year::{
    CalendarYear, Citation, DayOff, Days, Hours, MakeUp, OffKind, OfficeHours, Reading, WeekDay,
    Window,
};
