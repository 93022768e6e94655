//! The dues of a dossier and its clock, in working time.

use lienthong_catalogue::worktime::{self, Minutes};
use lienthong_catalogue::{
    Calendar, DayMinute, DueError, FlowDues, Limit, Procedure, ProcedureVersion, StepLimit,
    Verdict, Warning, day, local, moment,
};
use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};

use crate::day::local_minute;
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
    /// The due that holds, moved by the time that the clock stood still since it was set.
    pub due: Option<Moment>,
    /// The original due, moved by all the time that the clock stood still.
    pub original_due: Option<Moment>,
    /// The working time left until the due that holds; none once it is past or the clock stopped.
    pub remaining: Minutes,
    /// How it stands against the original due: judged when it is finished, and before that only
    /// once it is late. None too if it has no due or was never to be decided.
    pub verdict: Option<Verdict>,
    /// The working time by which it is late.
    pub late_by: Minutes,
}

/// Whether a clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// The dossier was not received yet.
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
        let received = self.acts.iter().find(|act| act.counts && act.kind == "received");
        let given_later = received.and_then(|act| act.due.as_deref());
        self.reception.due.as_deref().or(given_later)
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
        let judged_at = match (state, times.finished) {
            (ClockState::Stopped, Some(finished)) => Some(finished),
            (ClockState::Running | ClockState::Paused, _) => Some(now),
            (ClockState::Stopped | ClockState::Waiting, _) => None,
        };
        let against = original_due.zip(judged_at);
        let verdict = against.map(|(due, at)| Verdict::of(due, at));
        let is_open = state != ClockState::Stopped;
        let late_by = against.map(|(due, at)| worktime::late_by(calendar, due, at));
        let remaining = due.filter(|_| is_open).map(|due| worktime::left(calendar, due, now));
        Ok(Clock {
            state,
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

    fn clock_state(&self) -> ClockState {
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

/// Says on which day something falls, in days that compare.
pub(crate) fn is_same_or_later_day(at: Moment, day_text: &str) -> bool {
    day(day_text).is_ok_and(|day| day <= local(at).0)
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
