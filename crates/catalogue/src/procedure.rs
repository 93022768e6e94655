//! A procedure as the catalogue publishes it, and its later versions.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::day::iso;
use crate::limit::{Limit, Unit};

/// One administrative procedure: what its table in a catalogue file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Procedure {
    /// The national number with the suffix of the province, as in `1.001193.H47`.
    pub code: String,
    /// Who numbered it.
    #[serde(default)]
    pub code_kind: CodeKind,
    /// Its number in the province whose text was used.
    #[serde(default)]
    pub local_code: Option<String>,
    /// The official name.
    pub name: String,
    /// The official field (lĩnh vực).
    pub field: String,
    /// Our own group, for lists and reports.
    pub group: String,
    /// The tier that decides.
    pub level: String,
    /// Other tiers that may decide.
    #[serde(default)]
    pub also_levels: Vec<String>,
    /// The role that is competent.
    pub role: String,
    /// The roles whose counters take it in; none: those of `role`.
    #[serde(default)]
    pub received_by: Vec<String>,
    /// The ways in which a dossier may come.
    pub channels: Vec<Channel>,
    /// How far it is offered on the portal; none: not in full.
    #[serde(default)]
    pub online_service: Option<OnlineService>,
    /// How many sets of papers are handed in.
    #[serde(default = "one")]
    pub sets: u16,
    /// The papers that the applicant gets.
    pub results: Vec<String>,
    /// The laws it follows from.
    #[serde(default)]
    pub legal: Vec<String>,
    /// The decision that published it.
    #[serde(default)]
    pub decision: Option<String>,
    /// The day from which that decision holds.
    #[serde(default, with = "optional_iso")]
    pub decision_from: Option<Date>,
    /// Why lists and logs must not show that a dossier of it exists; none: they may.
    #[serde(default)]
    pub sensitive: Option<Sensitivity>,
    /// A remark of the source.
    #[serde(default)]
    pub note: Option<String>,
    /// The parts that no source gives.
    #[serde(default)]
    pub assumed: Vec<String>,
    /// The parts that were not found: unknown, not zero and not none.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Where it was taken from.
    pub source: String,
    /// The legal limits.
    pub limits: Vec<LegalLimit>,
    /// The papers to hand in.
    #[serde(default)]
    pub components: Vec<Component>,
    /// What it costs.
    #[serde(default)]
    pub fees: Vec<Fee>,
    /// The way through several agencies (liên thông).
    #[serde(default)]
    pub flow: Option<Flow>,
    /// Its later versions, in their order.
    #[serde(default, rename = "revision")]
    pub revisions: Vec<Revision>,
}

impl Procedure {
    /// The legal limit for a case and a channel: the one that names both, else the case, else the
    /// channel; else the usual one, which names neither; else the first. Extensions are left out.
    pub fn limit(&self, case: Option<&str>, channel: Option<Channel>) -> Option<&LegalLimit> {
        let fits = |limit: &&LegalLimit| {
            let of_case = limit.case.is_none() || limit.case.as_deref() == case;
            let of_channel = limit.channel.is_none() || limit.channel == channel;
            !limit.extension && of_case && of_channel
        };
        let rank = |limit: &&LegalLimit| {
            2 * u8::from(limit.case.is_none()) + u8::from(limit.channel.is_none())
        };
        // The first of equals: `min_by_key` gives that one.
        let fitting = self.limits.iter().filter(fits).min_by_key(rank);
        fitting.or_else(|| self.limits.first())
    }

    /// The limits that are added to the usual one in a case.
    pub fn extensions(&self, case: Option<&str>) -> impl Iterator<Item = &LegalLimit> {
        let case = case.map(str::to_owned);
        self.limits.iter().filter(move |limit| limit.extension && limit.case == case)
    }

    /// The roles whose counters take a dossier of it in.
    pub fn receivers(&self) -> &[String] {
        let own = std::slice::from_ref(&self.role);
        if self.received_by.is_empty() { own } else { &self.received_by }
    }

    /// The procedure as each of its versions has it, in their order. The first holds from the
    /// beginning; what a revision leaves out stays as it was.
    pub fn versions(&self) -> Vec<ProcedureVersion> {
        let mut now = Procedure { revisions: Vec::new(), ..self.clone() };
        let first =
            ProcedureVersion { version: FIRST_VERSION, valid_from: None, procedure: now.clone() };
        let mut versions = vec![first];
        for revision in &self.revisions {
            revision.apply(&mut now);
            let (version, valid_from) = (revision.version, Some(revision.valid_from));
            versions.push(ProcedureVersion { version, valid_from, procedure: now.clone() });
        }
        versions
    }
}

/// A procedure as it was from one day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcedureVersion {
    /// Its number, from 1. Dossiers keep it.
    pub version: u32,
    /// The day from which it holds; none: from the beginning.
    pub valid_from: Option<Date>,
    /// What it says. It has no revisions of its own.
    pub procedure: Procedure,
}

/// A later version of a procedure: what changed. What is left out stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number; greater than that before.
    pub version: u32,
    /// The day from which it holds; later than that before.
    #[serde(with = "iso")]
    pub valid_from: Date,
    /// No source gives the day.
    #[serde(default)]
    pub valid_from_assumed: bool,
    /// The new number.
    #[serde(default)]
    pub code: Option<String>,
    /// The new name.
    #[serde(default)]
    pub name: Option<String>,
    /// The role that is competent from then on.
    #[serde(default)]
    pub role: Option<String>,
    /// The roles whose counters take it in from then on.
    #[serde(default)]
    pub received_by: Option<Vec<String>>,
    /// The tiers that decide from then on, the first one usually.
    #[serde(default)]
    pub levels: Vec<String>,
    /// The ways in which a dossier may come from then on.
    #[serde(default)]
    pub channels: Option<Vec<Channel>>,
    /// The papers that the applicant gets from then on.
    #[serde(default)]
    pub results: Option<Vec<String>>,
    /// The decision that published it.
    #[serde(default)]
    pub decision: Option<String>,
    /// The legal limits from then on.
    #[serde(default)]
    pub limits: Option<Vec<LegalLimit>>,
    /// The papers to hand in from then on.
    #[serde(default)]
    pub components: Option<Vec<Component>>,
    /// What it costs from then on.
    #[serde(default)]
    pub fees: Option<Vec<Fee>>,
    /// The way through several agencies from then on.
    #[serde(default)]
    pub flow: Option<Flow>,
    /// A remark.
    #[serde(default)]
    pub note: Option<String>,
    /// Where it was taken from.
    #[serde(default)]
    pub source: Option<String>,
}

impl Revision {
    fn apply(&self, procedure: &mut Procedure) {
        fn set<T: Clone>(place: &mut T, new: Option<&T>) {
            if let Some(new) = new {
                *place = new.clone();
            }
        }
        set(&mut procedure.code, self.code.as_ref());
        set(&mut procedure.name, self.name.as_ref());
        set(&mut procedure.role, self.role.as_ref());
        set(&mut procedure.received_by, self.received_by.as_ref());
        set(&mut procedure.channels, self.channels.as_ref());
        set(&mut procedure.results, self.results.as_ref());
        set(&mut procedure.limits, self.limits.as_ref());
        set(&mut procedure.components, self.components.as_ref());
        set(&mut procedure.fees, self.fees.as_ref());
        set(&mut procedure.source, self.source.as_ref());
        if let Some((level, others)) = self.levels.split_first() {
            procedure.level.clone_from(level);
            procedure.also_levels = others.to_vec();
        }
        // The decision and the remark were about what it replaces.
        procedure.decision.clone_from(&self.decision);
        procedure.decision_from = self.decision.as_ref().map(|_| self.valid_from);
        procedure.note.clone_from(&self.note);
        if self.flow.is_some() {
            procedure.flow.clone_from(&self.flow);
        }
    }
}

/// Who gave a procedure its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeKind {
    /// The national database.
    #[default]
    National,
    /// One province.
    Local,
}

/// A way in which a dossier may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Over the counter.
    Counter,
    /// Through the portal.
    Online,
    /// By post.
    Post,
    /// By e-mail.
    EMail,
}

impl Channel {
    /// The word in files and documents.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Counter => "counter",
            Channel::Online => "online",
            Channel::Post => "post",
            Channel::EMail => "e-mail",
        }
    }
}

/// How far a procedure is offered on the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnlineService {
    /// From the application to the result (toàn trình).
    Full,
    /// A part of it (một phần).
    Partial,
}

/// Why nobody else may learn that a dossier exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// It tells of somebody's health.
    Health,
    /// It tells of somebody's criminal record.
    CriminalRecord,
}

/// A legal limit and when it applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalLimit {
    /// How many units; 0 only together with `half`.
    pub amount: u32,
    /// Half a unit more.
    #[serde(default)]
    pub half: bool,
    /// Of which unit.
    pub unit: Unit,
    /// Only in this case; none: in all.
    #[serde(default)]
    pub case: Option<String>,
    /// Only for what came this way; none: for all.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// It is added to the usual limit instead of replacing it.
    #[serde(default)]
    pub extension: bool,
    /// No source gives it.
    #[serde(default)]
    pub assumed: bool,
    /// No source gives its unit.
    #[serde(default)]
    pub assumed_unit: bool,
    /// A remark.
    #[serde(default)]
    pub note: Option<String>,
}

impl LegalLimit {
    /// The limit alone, as the working time takes it.
    pub fn limit(&self) -> Limit {
        Limit { amount: self.amount, half: self.half, unit: self.unit }
    }
}

/// A paper to hand in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its number within the procedure, as in `TP01`.
    pub code: String,
    /// What it is.
    pub name: String,
    /// How many originals.
    pub originals: u16,
    /// How many copies.
    pub copies: u16,
    /// Whether the dossier is incomplete without it.
    #[serde(default = "yes")]
    pub required: bool,
    /// No source gives the numbers.
    #[serde(default)]
    pub assumed: bool,
}

/// What a procedure costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// How much, in đồng.
    pub vnd: u64,
    /// What it is paid for, such as a dossier or a page.
    pub per: String,
    /// Only in this case; none: in all.
    #[serde(default)]
    pub case: Option<String>,
    /// A remark.
    #[serde(default)]
    pub note: Option<String>,
    /// No source gives it.
    #[serde(default)]
    pub assumed: bool,
}

/// The way of a dossier through several agencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// How the agencies work together.
    pub kind: FlowKind,
    /// The role that leads and answers to the applicant.
    pub lead: String,
    /// The total limit, in `unit`; none: the source gives none.
    #[serde(default)]
    pub amount: Option<u32>,
    /// Half a unit more.
    #[serde(default)]
    pub half: bool,
    /// The unit of the total limit.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// A remark.
    #[serde(default)]
    pub note: Option<String>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

impl Flow {
    /// The total limit, if the source gives one.
    pub fn limit(&self) -> Option<Limit> {
        limit(self.amount, self.half, self.unit)
    }
}

/// How agencies work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowKind {
    /// One after the other.
    Sequential,
    /// At the same time.
    Parallel,
    /// One leads, the others do their part for it.
    Coordinate,
    /// One leads and asks the others for their opinion.
    Consult,
}

/// What one agency does in a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The role of the agency.
    pub role: String,
    /// What it does.
    pub act: String,
    /// Its own limit, in `unit`; none: the source gives none.
    #[serde(default)]
    pub amount: Option<u32>,
    /// Half a unit more.
    #[serde(default)]
    pub half: bool,
    /// The unit of its limit.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// Whether it counts into the total limit.
    #[serde(default = "yes")]
    pub counts: bool,
    /// Steps with the same letter run at the same time.
    #[serde(default)]
    pub parallel: Option<char>,
    /// No source gives it.
    #[serde(default)]
    pub assumed: bool,
    /// A remark.
    #[serde(default)]
    pub note: Option<String>,
}

impl Step {
    /// The agency's own limit, if the source gives one.
    pub fn limit(&self) -> Option<Limit> {
        limit(self.amount, self.half, self.unit)
    }
}

fn limit(amount: Option<u32>, half: bool, unit: Option<Unit>) -> Option<Limit> {
    Some(Limit { amount: amount?, half, unit: unit? })
}

fn one() -> u16 {
    1
}

fn yes() -> bool {
    true
}

/// A day of a file or document that may be left out.
pub(crate) mod optional_iso {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::day::iso;

    #[derive(Serialize, Deserialize)]
    struct Iso(#[serde(with = "iso")] Date);

    pub(crate) fn serialize<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
        day.map(Iso).serialize(to)
    }

    pub(crate) fn deserialize<'de, D>(from: D) -> Result<Option<Date>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(Option::<Iso>::deserialize(from)?.map(|Iso(day)| day))
    }
}

/// The number of what a procedure says before its revisions.
const FIRST_VERSION: u32 = 1;

#[cfg(test)]
#[path = "procedure_tests.rs"]
mod tests;
