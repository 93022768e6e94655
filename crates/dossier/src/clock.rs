//! The dues of a dossier and its clock, in working time.

use lienthong_catalogue::worktime::{self, Minutes};
use lienthong_catalogue::{
    Calendar, DayMinute, DueError, FlowDues, Limit, Procedure, ProcedureVersion, StepLimit,
    Verdict, Warning, day, moment,
};
use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};

use crate::act::ActKind;
use crate::day::{is_past, local_minute};
use crate::dossier::Dossier;
use crate::reception::{Channel, Reception};
use crate::status::Status;

/// What a due was computed from and to besides the due itself; kept for ever with the reception.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dues {
    /// When the offices together are to be ready, as `YYYY-MM-DDTHH:MM`; not after the due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<String>,
    /// What each step of the procedure is given; at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDue>,
    /// The calendars that had a say; at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<CalendarUsed>,
}

/// When one step is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDue {
    /// What is done, as the procedure names it; the `step` of acts.
    pub step: String,
    /// The role of the agency that does it.
    pub role: String,
    /// The due, as `YYYY-MM-DDTHH:MM`; none if the procedure gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
}

/// A published calendar that a due was computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarUsed {
    /// The year.
    pub year: i16,
    /// The version of its calendar.
    pub version: u32,
}

/// The dues that a procedure gives a reception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComputedDue {
    /// The due for the applicant, as `YYYY-MM-DDTHH:MM`; none if the procedure has no limit.
    pub due: Option<String>,
    /// The other dues.
    pub dues: Dues,
    /// What makes them less than certain, each once.
    pub warnings: Vec<Warning>,
}

/// The clock of a dossier at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Whether it runs.
    pub state: ClockState,
    /// By when a dossier that waits is to be taken in, refused, or asked for more; none if it waits
    /// no longer or may wait for ever.
    pub accept_by: Option<Moment>,
    /// The due that holds, moved by the time that the clock stood still since it was set.
    pub due: Option<Moment>,
    /// The original due, moved by all the time that the clock stood still.
    pub original_due: Option<Moment>,
    /// The working time left until the due that holds, or while it waits until `accept_by`; none
    /// once that is past or the clock stopped.
    pub remaining: Minutes,
    /// How it stands against the original due, or while it waits against `accept_by`: judged when
    /// it is finished, and before that only once it is late. None too if it has no due or was never
    /// to be decided.
    pub verdict: Option<Verdict>,
    /// The working time by which it is late.
    pub late_by: Minutes,
}

/// Whether a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// The dossier was not taken in yet; time passes until it is to be.
    Waiting,
    /// Time passes.
    Running,
    /// It stands still until the applicant, or a body outside, has done something.
    Paused,
    /// It stands still for good.
    Stopped,
}

/// One line of the control slip: who gave the dossier to whom, and whether in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipLine {
    /// Who gave.
    pub giver: OfficeId,
    /// The officer who gave.
    pub giver_officer: String,
    /// When.
    pub given_at: Moment,
    /// Who was to get it.
    pub receiver: OfficeId,
    /// The officer who took it; none while nobody did.
    pub receiver_officer: Option<String>,
    /// When it was taken.
    pub taken_at: Option<Moment>,
    /// The step that the giver did.
    pub step: Option<String>,
    /// When the giver's part was due.
    pub due: Option<String>,
    /// Whether it was given in time; none if the giver had no due.
    pub verdict: Option<Verdict>,
}

impl ClockState {
    /// Whether time passes, towards the due or towards the hour by which somebody must look at it.
    pub const fn runs(self) -> bool {
        matches!(self, ClockState::Waiting | ClockState::Running)
    }
}

impl Reception {
    /// The dues that follow from a version of its procedure if it is received at `received`.
    ///
    /// A total limit of the flow through several agencies goes before the legal limit of the
    /// procedure; both are prolonged by the extensions of the case.
    pub fn due_of(
        &self,
        version: &ProcedureVersion,
        calendar: &Calendar,
        received: Moment,
    ) -> Result<ComputedDue, DueError> {
        let procedure = &version.procedure;
        let flow = self.flow_dues(procedure, calendar, received)?;
        let total = match self.limit(procedure) {
            Some(limit) => {
                let case = self.case.as_deref();
                let extensions: Vec<Limit> =
                    procedure.extensions(case).map(|more| more.limit()).collect();
                Some(worktime::due_extended(calendar, received, limit, &extensions)?)
            }
            None => flow.as_ref().and_then(|dues| dues.total.clone()),
        };
        let internal = flow.as_ref().and_then(|dues| dues.internal.clone());
        let mut warnings: Vec<Warning> = Vec::new();
        let mut calendars = Vec::new();
        for due in total.iter().chain(&internal) {
            warnings.extend(&due.warnings);
            calendars.extend(&due.calendar_versions);
        }
        warnings.sort_unstable();
        warnings.dedup();
        calendars.sort_unstable();
        calendars.dedup();
        let used = |(year, version)| CalendarUsed { year, version };
        let dues = Dues {
            internal: internal.map(|due| local_minute(due.at)),
            steps: step_dues(procedure, flow.as_ref()),
            calendars: calendars.into_iter().map(used).collect(),
        };
        Ok(ComputedDue { due: total.map(|due| local_minute(due.at)), dues, warnings })
    }

    /// The same as one that nobody looked at yet: with the moment by which somebody must, a limit
    /// after it was submitted, and without dues, which count from the day on which it is taken in.
    pub fn registered(
        self,
        limit: Option<Limit>,
        calendar: &Calendar,
        submitted: Moment,
    ) -> Result<Reception, DueError> {
        let accept = limit.map(|limit| worktime::due(calendar, submitted, limit)).transpose()?;
        Ok(Reception {
            submitted: Some(local_minute(submitted)),
            accept_by: accept.map(|due| local_minute(due.at)),
            due: None,
            dues: None,
            ..self
        })
    }

    fn limit(&self, procedure: &Procedure) -> Option<Limit> {
        let of_flow = procedure.flow.as_ref().and_then(|flow| flow.limit());
        let channel = Some(self.channel.in_catalogue());
        let legal = || procedure.limit(self.case.as_deref(), channel).map(|legal| legal.limit());
        of_flow.or_else(legal)
    }

    fn flow_dues(
        &self,
        procedure: &Procedure,
        calendar: &Calendar,
        received: Moment,
    ) -> Result<Option<FlowDues>, DueError> {
        let Some(flow) = &procedure.flow else { return Ok(None) };
        let steps = flow.steps.iter().map(|step| StepLimit {
            limit: step.limit(),
            parallel: step.parallel,
            counts: step.counts,
        });
        let steps: Vec<StepLimit> = steps.collect();
        FlowDues::of(calendar, received, &steps, flow.limit()).map(Some)
    }
}

impl Channel {
    /// The same way in the catalogue's words.
    pub(crate) fn in_catalogue(self) -> lienthong_catalogue::Channel {
        match self {
            Channel::Counter => lienthong_catalogue::Channel::Counter,
            Channel::Online => lienthong_catalogue::Channel::Online,
            Channel::Post => lienthong_catalogue::Channel::Post,
        }
    }
}

impl Dossier {
    /// The due that the applicant was given first; kept for ever.
    pub fn original_due(&self) -> Option<&str> {
        let taken_in = self.acts.iter().find(|act| act.takes_in());
        let given_later = taken_in.and_then(|act| act.due.as_deref());
        self.reception.due.as_deref().or(given_later)
    }

    /// Says whether an act of a kind would take the dossier in: it was only registered until now.
    pub fn would_take_in(&self, kind: ActKind) -> bool {
        self.records.times.received.is_none() && kind.takes_in()
    }

    /// The due that holds at a moment: as it was written, or as the clock moved it while it stood
    /// still since then. This is the due that people are told.
    pub fn due_at(&self, calendar: &Calendar, now: Moment) -> Result<Option<String>, DueError> {
        let written = self.standing.due.as_deref();
        let moved = self.clock(calendar, now)?.due;
        let is_moved = moved != written.and_then(|due| due_moment(calendar, due));
        Ok(moved.filter(|_| is_moved).map(local_minute).or_else(|| written.map(str::to_owned)))
    }

    /// The due that an act at a moment sets if it names none: that of an act which lets the clock
    /// run again, or may, is the due that holds, moved. None if it sets none, or nothing moved.
    pub fn due_set_by(
        &self,
        kind: ActKind,
        calendar: &Calendar,
        at: Moment,
    ) -> Result<Option<String>, DueError> {
        use ActKind::{OpinionReplied, Paid, Resumed, Supplied};
        if !matches!(kind, Supplied | Paid | Resumed | OpinionReplied) {
            return Ok(None);
        }
        let due = self.due_at(calendar, at)?;
        let now = local_minute(at);
        Ok(due.filter(|due| self.standing.due.as_ref() != Some(due) && !is_past(due, &now)))
    }

    /// The times in which the clock stood still since the reception, by their beginning; they may
    /// overlap.
    pub fn pauses(&self) -> Vec<worktime::Pause> {
        self.pauses_since(self.records.times.received.unwrap_or_default())
    }

    /// The clock at a moment, by the calendar of the office that decides. A dossier without a due
    /// has a clock without one.
    pub fn clock(&self, calendar: &Calendar, now: Moment) -> Result<Clock, DueError> {
        let state = self.clock_state();
        let times = &self.records.times;
        let received = times.received.unwrap_or_default();
        let moved = |due: Option<&str>, since: Moment| -> Result<Option<Moment>, DueError> {
            let Some(due) = due.and_then(|text| due_moment(calendar, text)) else {
                return Ok(None);
            };
            let pauses = self.pauses_since(since);
            Ok(Some(worktime::paused_due(calendar, due, &pauses, now)?.at))
        };
        let due = moved(self.standing.due.as_deref(), times.due_set.unwrap_or(received))?;
        let original_due = moved(self.original_due(), received)?;
        let is_waiting = state == ClockState::Waiting;
        let accept_by = self.reception.accept_by.as_deref().filter(|_| is_waiting);
        let accept_by = accept_by.and_then(|text| due_moment(calendar, text));
        let against = match state {
            ClockState::Waiting => accept_by.map(|due| (due, now)),
            ClockState::Running | ClockState::Paused => original_due.map(|due| (due, now)),
            ClockState::Stopped => original_due.zip(times.finished),
        };
        let verdict = against.map(|(due, at)| Verdict::of(due, at));
        let is_open = state != ClockState::Stopped;
        let late_by = against.map(|(due, at)| worktime::late_by(calendar, due, at));
        let until = if is_waiting { accept_by } else { due.filter(|_| is_open) };
        let remaining = until.map(|due| worktime::left(calendar, due, now));
        Ok(Clock {
            state,
            accept_by,
            due,
            original_due,
            remaining: remaining.unwrap_or_default(),
            verdict: verdict.filter(|verdict| !is_open || *verdict == Verdict::Late),
            late_by: late_by.unwrap_or_default(),
        })
    }

    /// The control slip, line by line, by the calendar of the offices.
    pub fn control_slip(&self, calendar: &Calendar) -> Vec<SlipLine> {
        let handovers = &self.records.handovers;
        let line = |(index, given): (usize, &crate::records::Handover)| {
            let mut earlier = handovers[..index].iter().rev();
            let got = earlier.find(|earlier| earlier.receiver == given.giver);
            let due = got.and_then(|got| got.due.clone());
            let due = due.or_else(|| self.step_due(given.step.as_deref()?));
            let moment = due.as_deref().and_then(|due| due_moment(calendar, due));
            SlipLine {
                giver: given.giver,
                giver_officer: given.giver_officer.clone(),
                given_at: given.given_at,
                receiver: given.receiver,
                receiver_officer: given.receiver_officer.clone(),
                taken_at: given.taken_at,
                step: given.step.clone(),
                due,
                verdict: moment.map(|due| Verdict::of(due, given.given_at)),
            }
        };
        handovers.iter().enumerate().map(line).collect()
    }

    fn step_due(&self, step: &str) -> Option<String> {
        let steps = &self.reception.dues.as_ref()?.steps;
        steps.iter().find(|known| known.step == step)?.due.clone()
    }

    /// Whether the clock runs, now that all acts are done.
    pub fn clock_state(&self) -> ClockState {
        let is_paused = self.records.pauses.iter().any(|pause| pause.to.is_none());
        match self.standing.status {
            Status::Registered => ClockState::Waiting,
            Status::Refused | Status::Withdrawn | Status::Finished | Status::Returned => {
                ClockState::Stopped
            }
            status if status.pauses() || is_paused => ClockState::Paused,
            _ => ClockState::Running,
        }
    }

    fn pauses_since(&self, since: Moment) -> Vec<worktime::Pause> {
        let lasting =
            self.records.pauses.iter().filter(|pause| pause.to.is_none_or(|to| to > since));
        let finished = self.records.times.finished;
        let mut pauses: Vec<worktime::Pause> =
            lasting.map(|pause| (pause.from.max(since), pause.to.or(finished))).collect();
        pauses.sort_unstable();
        pauses
    }
}

/// The moment of a due as it is written; a day alone ends when the offices close, or at midnight
/// if they do not open. None for a text that is no due.
pub fn due_moment(calendar: &Calendar, due: &str) -> Option<Moment> {
    let (text, minute) = match due.split_once('T') {
        Some((text, minute)) => (text, Some(minute.parse::<DayMinute>().ok()?)),
        None => (due, None),
    };
    let day = day(text).ok()?;
    let last = DayMinute::at(23, 59)?;
    moment(day, minute.or_else(|| calendar.closes(day)).unwrap_or(last))
}

/// The moment of a minute as it is written; none for a text that is no minute.
pub(crate) fn minute_moment(text: &str) -> Option<Moment> {
    let (date, minute) = text.split_once('T')?;
    moment(day(date).ok()?, minute.parse().ok()?)
}

fn step_dues(procedure: &Procedure, flow: Option<&FlowDues>) -> Vec<StepDue> {
    let (Some(flow), Some(dues)) = (&procedure.flow, flow) else { return Vec::new() };
    let steps = flow.steps.iter().zip(&dues.steps).take(MAX_STEPS);
    let due = |(step, due): (&lienthong_catalogue::Step, &Option<lienthong_catalogue::Due>)| {
        let due = due.as_ref().map(|due| local_minute(due.at));
        StepDue { step: step.act.clone(), role: step.role.clone(), due }
    };
    steps.map(due).collect()
}

/// The most steps of a flow whose dues are kept.
const MAX_STEPS: usize = 100;

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
