//! Proposals: what an officer wants to have cut from a procedure, and what the office that
//! publishes the catalogue answers. Each is a document of its own, opened by its office.

use lienthong_document::{Document, EditError, Editor};
use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use crate::catalogue::Edition;
use crate::limit::{Limit, Unit};
use crate::procedure::{Component, ProcedureVersion, Step};

/// What an officer proposes to cut, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The procedure, by the code that was in force.
    pub procedure: String,
    /// Its version at that time.
    pub version: u32,
    /// What is to go.
    pub cut: Cut,
    /// Why; 1 to 1,000 characters.
    pub why: String,
    /// Who proposes it.
    pub officer: String,
    /// When.
    pub at: Moment,
}

/// A part of a procedure that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// A paper that need not be handed in any more.
    Component {
        /// Its number within the procedure.
        code: String,
        /// What it is.
        name: String,
    },
    /// A shorter legal limit.
    Limit {
        /// The case whose limit it is; none: the usual one.
        #[serde(default)]
        case: Option<String>,
        /// What it is now.
        from: Limit,
        /// What it should be.
        to: Limit,
    },
    /// A step of the way through several agencies that need not be taken any more.
    Step {
        /// The role that takes it.
        role: String,
        /// What that one does.
        act: String,
    },
}

/// A cut as a person names it.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// `component`, `limit` or `step`.
    pub what: &'a str,
    /// The code of the component, the new limit as in `2`, `2,5` or `4 hour`, or the number of the
    /// step, from 1. A limit without a unit has that of the present one.
    pub to: &'a str,
    /// The case whose limit is meant; none: the usual one.
    pub case: Option<&'a str>,
}

/// What the office that publishes the catalogue says to a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The version of the catalogue that carries it; none: it is declined.
    #[serde(default)]
    pub edition: Option<u32>,
    /// Why; always there if it is declined.
    #[serde(default)]
    pub why: Option<String>,
    /// Who answers.
    pub officer: String,
    /// When.
    pub at: Moment,
}

/// An answer and whether it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What was said.
    pub answer: Answer,
    /// The office that signed it; none where that is not known.
    pub office: Option<OfficeId>,
    /// What it is worth.
    pub weight: Weight,
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is the answer.
    Counts,
    /// The entitled office had answered already.
    Late,
    /// Its office is not entitled to answer; it stays visible.
    Unconfirmed,
}

impl Weight {
    /// The fixed word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Counts => "effective",
            Weight::Late => "late",
            Weight::Unconfirmed => "unconfirmed",
        }
    }
}

impl Proposal {
    /// Makes a proposal about a version of a procedure of what a person wishes. Texts are brought
    /// to Unicode NFC.
    pub fn of(
        held: &ProcedureVersion,
        wish: Wish<'_>,
        (officer, why): (&str, &str),
        at: Moment,
    ) -> Result<Proposal, ProposalRefusal> {
        Ok(Proposal {
            procedure: held.procedure.code.clone(),
            version: held.version,
            cut: Cut::of(held, wish)?,
            why: text("why", why, MAX_WHY)?,
            officer: text("officer", officer, MAX_NAME)?,
            at,
        })
    }

    /// Opens the document of a proposal.
    pub fn write(&self, editor: &mut Editor<'_>) -> Result<(), EditError> {
        editor.put(&[PROPOSAL], json!(self).to_string())?;
        editor.ensure_list(&[ANSWERS])
    }

    /// Reads a proposal as it was opened, whatever others did to it later; nothing if the document
    /// holds none that could have been made here.
    pub fn read(document: &Document) -> Option<Proposal> {
        let opened = document.opened();
        let read: Proposal = serde_json::from_str(opened[PROPOSAL].as_str()?).ok()?;
        let fits = text("why", &read.why, MAX_WHY).is_ok_and(|why| why == read.why)
            && text("officer", &read.officer, MAX_NAME).is_ok_and(|name| name == read.officer);
        fits.then_some(read)
    }

    /// Says whether an edition does what is proposed: by the last version that it has of the
    /// procedure. Nothing if it does not have the procedure.
    pub fn is_carried_by(&self, edition: &Edition) -> Option<bool> {
        let last = edition.versions(&self.procedure)?.last()?;
        Some(self.cut.is_carried_by(last))
    }

    /// Makes sure that an edition may be named as the one that carries it.
    pub fn check_carried(&self, edition: &Edition) -> Result<(), ProposalRefusal> {
        if self.is_carried_by(edition) == Some(true) {
            return Ok(());
        }
        let (version, procedure) = (edition.version(), self.procedure.clone());
        Err(ProposalRefusal::NotCarried { version, procedure })
    }
}

impl Cut {
    fn of(held: &ProcedureVersion, wish: Wish<'_>) -> Result<Cut, ProposalRefusal> {
        let wanted = text("cut", wish.to, MAX_NAME)?;
        let case = wish.case.map(|case| text("case", case, MAX_WHY)).transpose()?;
        match wish.what {
            "component" => Cut::component(&held.procedure.components, &wanted),
            "limit" => Cut::limit(held, case, &wanted),
            "step" => {
                let steps = held.procedure.flow.as_ref().map(|flow| flow.steps.as_slice());
                Cut::step(steps.unwrap_or_default(), &wanted)
            }
            other => Err(ProposalRefusal::UnknownCut { what: cut(other) }),
        }
    }

    fn component(components: &[Component], wanted: &str) -> Result<Cut, ProposalRefusal> {
        let found = components.iter().find(|component| component.code == wanted);
        let found = found.ok_or_else(|| ProposalRefusal::NoComponent {
            code: cut(wanted),
            known: components.iter().map(|known| known.code.clone()).collect(),
        })?;
        Ok(Cut::Component { code: found.code.clone(), name: found.name.clone() })
    }

    fn limit(
        held: &ProcedureVersion,
        case: Option<String>,
        wanted: &str,
    ) -> Result<Cut, ProposalRefusal> {
        let limits = &held.procedure.limits;
        let known = |case: &String| limits.iter().any(|limit| limit.case.as_ref() == Some(case));
        if let Some(case) = case.as_ref().filter(|case| !known(case)) {
            return Err(ProposalRefusal::NoCase { case: cut(case) });
        }
        let bad = || ProposalRefusal::BadLimit { text: cut(wanted) };
        let from = held.procedure.limit(case.as_deref(), None).ok_or_else(bad)?.limit();
        let to = parsed(wanted, from.unit).filter(|to| to.check().is_ok()).ok_or_else(bad)?;
        if from == to || !is_at_most(to, from) {
            return Err(ProposalRefusal::NotShorter { from, to });
        }
        Ok(Cut::Limit { case, from, to })
    }

    fn step(steps: &[Step], wanted: &str) -> Result<Cut, ProposalRefusal> {
        let place = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let found = place.and_then(|place| steps.get(place));
        let found = found
            .ok_or_else(|| ProposalRefusal::NoStep { number: cut(wanted), steps: steps.len() })?;
        Ok(Cut::Step { role: found.role.clone(), act: found.act.clone() })
    }

    fn is_carried_by(&self, held: &ProcedureVersion) -> bool {
        let procedure = &held.procedure;
        match self {
            // A code that another paper has now, or another wording, is no cut anybody can see.
            Cut::Component { code, name } => {
                let same = |held: &Component| held.code == *code || held.name == *name;
                !procedure.components.iter().any(same)
            }
            Cut::Limit { case, to, .. } => {
                let now = procedure.limit(case.as_deref(), None);
                now.is_some_and(|now| is_at_most(now.limit(), *to))
            }
            Cut::Step { role, act } => {
                let steps = procedure.flow.iter().flat_map(|flow| &flow.steps);
                !steps.into_iter().any(|step| step.role == *role && step.act == *act)
            }
        }
    }
}

impl Answer {
    /// Makes an answer: accepted by the version of the catalogue that carries it, or declined for
    /// a reason. Texts are brought to Unicode NFC.
    pub fn of(
        edition: Option<u32>,
        why: Option<&str>,
        officer: &str,
        at: Moment,
    ) -> Result<Answer, ProposalRefusal> {
        let why = match (edition, why) {
            (Some(_), None) => None,
            (_, why) => Some(text("why", why.unwrap_or_default(), MAX_WHY)?),
        };
        Ok(Answer { edition, why, officer: text("officer", officer, MAX_NAME)?, at })
    }

    /// Adds it to the document of a proposal.
    pub fn write(&self, editor: &mut Editor<'_>) -> Result<(), EditError> {
        editor.append(&[ANSWERS], json!(self).to_string())
    }

    /// Reads every answer as its office wrote it, in an order that is the same everywhere. Of
    /// those of the entitled office the first one counts. What is no answer is left out.
    pub fn read_all(document: &Document, entitled: Option<OfficeId>) -> Vec<Answered> {
        let mut is_answered = false;
        let entries = document.entries(ANSWERS).into_iter();
        let read = entries.filter_map(|entry| {
            let answer: Answer = serde_json::from_str(entry.value.as_str()?).ok()?;
            let Answer { edition, why, officer, at } = &answer;
            let again = Answer::of(*edition, why.as_deref(), officer, *at);
            if again.as_ref() != Ok(&answer) {
                return None;
            }
            let weight = match entry.signer.is_some() && entry.signer == entitled {
                false => Weight::Unconfirmed,
                true if is_answered => Weight::Late,
                true => Weight::Counts,
            };
            is_answered |= weight == Weight::Counts;
            Some(Answered { answer, office: entry.signer, weight })
        });
        read.take(MAX_ANSWERS).collect()
    }
}

/// A limit as a person writes it; none if it is no limit, or one of nothing that can be counted.
fn parsed(text: &str, unit: Unit) -> Option<Limit> {
    let (amount, word) = text.split_once(' ').unwrap_or((text, ""));
    let unit = match word.trim() {
        "" if text == "same_day" => return Some(Limit::of(1, Unit::SameDay)),
        "" if unit == Unit::SameDay => return None,
        "" => unit,
        word => serde_json::from_value(Value::from(word)).ok()?,
    };
    let (whole, half) = match amount.split_once([',', '.']) {
        Some((whole, "5")) => (whole, true),
        Some(_) => return None,
        None => (amount, false),
    };
    Some(Limit { amount: whole.parse().ok()?, half, unit })
}

/// Says whether one limit is not longer than another. A working day is 8 hours, and the same day
/// is at most one; days of the calendar compare with each other alone.
fn is_at_most(limit: Limit, other: Limit) -> bool {
    let halves = |limit: Limit| 2 * u64::from(limit.amount) + u64::from(limit.half);
    let worked = |limit: Limit| match limit.unit {
        Unit::WorkingDay => Some(8 * halves(limit)),
        Unit::Hour => Some(halves(limit)),
        Unit::SameDay => Some(15),
        Unit::Day => None,
    };
    match (worked(limit), worked(other)) {
        (Some(one), Some(other)) => one <= other,
        (None, None) => halves(limit) <= halves(other),
        _ => false,
    }
}

/// Brings a text of a person to NFC and refuses what is empty, too long or not of one line.
fn text(field: &'static str, text: &str, limit: usize) -> Result<String, ProposalRefusal> {
    // Composing a letter never makes three of one.
    let chars = text.chars().take(3 * limit + 1).count();
    if chars > 3 * limit {
        return Err(ProposalRefusal::TextLength { field, chars, limit });
    }
    let text: String = text.trim().nfc().collect();
    let chars = text.chars().count();
    if chars == 0 || chars > limit {
        return Err(ProposalRefusal::TextLength { field, chars, limit });
    }
    if text.chars().any(char::is_control) {
        return Err(ProposalRefusal::Control { field });
    }
    Ok(text)
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_NAME).filter(|c| !c.is_control()).collect()
}

/// Why a proposal or an answer is not taken. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProposalRefusal {
    /// A text is missing or too long.
    #[error("{field} has {chars} characters, 1 to {limit} are allowed")]
    TextLength {
        /// Which.
        field: &'static str,
        /// Its length; of one that is far too long, how much of it was read.
        chars: usize,
        /// The longest that is taken.
        limit: usize,
    },
    /// A text holds a control character, such as a line break.
    #[error("{field} has a control character")]
    Control {
        /// Which.
        field: &'static str,
    },
    /// Nothing of that name can be cut.
    #[error("'{what}' is nothing that can be cut")]
    UnknownCut {
        /// What was asked for.
        what: String,
    },
    /// The procedure has no such component.
    #[error("there is no component '{code}', there are: {}", known.join(", "))]
    NoComponent {
        /// The code that was given.
        code: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The procedure has no such case.
    #[error("no limit is given for the case '{case}'")]
    NoCase {
        /// The case that was given.
        case: String,
    },
    /// The way of the procedure has no such step.
    #[error("there is no step '{number}', the procedure has {steps}")]
    NoStep {
        /// The number that was given.
        number: String,
        /// How many there are.
        steps: usize,
    },
    /// It is no limit.
    #[error("'{text}' is no limit")]
    BadLimit {
        /// What was given.
        text: String,
    },
    /// The new limit does not cut the present one.
    #[error("limit is {from}, '{to}' is not shorter")]
    NotShorter {
        /// What it is.
        from: Limit,
        /// What was given.
        to: Limit,
    },
    /// The edition that is named does not do what is proposed.
    #[error("version {version} of the catalogue does not make this cut in {procedure}")]
    NotCarried {
        /// Of the catalogue.
        version: u32,
        /// The procedure.
        procedure: String,
    },
}

impl ProposalRefusal {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ProposalRefusal::TextLength { .. } => "text-length",
            ProposalRefusal::Control { .. } => "text-control",
            ProposalRefusal::UnknownCut { .. } => "cut-unknown",
            ProposalRefusal::NoComponent { .. } => "component-unknown",
            ProposalRefusal::NoCase { .. } => "case-unknown",
            ProposalRefusal::NoStep { .. } => "step-unknown",
            ProposalRefusal::BadLimit { .. } => "bad-limit",
            ProposalRefusal::NotShorter { .. } => "limit-not-shorter",
            ProposalRefusal::NotCarried { .. } => "cut-not-carried",
        }
    }

    /// What is wrong, in Vietnamese.
    pub fn cause_vi(&self) -> String {
        match self {
            ProposalRefusal::TextLength { field, chars, limit } => {
                format!("{field} dài {chars} ký tự, cho phép 1 đến {limit}")
            }
            ProposalRefusal::Control { field } => format!("{field} có ký tự điều khiển"),
            ProposalRefusal::UnknownCut { what } => format!("không cắt giảm được '{what}'"),
            ProposalRefusal::NoComponent { code, known } => {
                format!("không có thành phần '{code}', chỉ có: {}", known.join(", "))
            }
            ProposalRefusal::NoCase { case } => {
                format!("không có thời hạn riêng cho trường hợp '{case}'")
            }
            ProposalRefusal::NoStep { number, steps } => {
                format!("không có bước '{number}', thủ tục có {steps} bước")
            }
            ProposalRefusal::BadLimit { text } => format!("'{text}' không phải là thời hạn"),
            ProposalRefusal::NotShorter { from, to } => {
                format!("thời hạn hiện nay là {from}, '{to}' không ngắn hơn")
            }
            ProposalRefusal::NotCarried { version, procedure } => {
                format!("danh mục phiên bản {version} không cắt giảm như vậy ở {procedure}")
            }
        }
    }

    /// What to do, in Vietnamese and in English.
    pub fn remedies(&self) -> [&'static str; 2] {
        match self {
            ProposalRefusal::TextLength { .. } | ProposalRefusal::Control { .. } => {
                ["viết lại trên một dòng, đúng độ dài", "write it in one line of that length"]
            }
            ProposalRefusal::UnknownCut { .. } => [
                "viết component (thành phần), limit (thời hạn) hoặc step (bước)",
                "write component, limit or step",
            ],
            ProposalRefusal::NoComponent { .. } => ["chọn một mã trong số đó", "take one of these"],
            ProposalRefusal::NoCase { .. } | ProposalRefusal::NoStep { .. } => [
                "xem thủ tục bằng `lienthong catalogue show MÃ`",
                "look at the procedure with `lienthong catalogue show CODE`",
            ],
            ProposalRefusal::BadLimit { .. } => [
                "viết như 2, 2,5, '4 hour' hoặc same_day; đơn vị: working_day, day, hour",
                "write it as 2, 2,5, '4 hour' or same_day; the units are working_day, day, hour",
            ],
            ProposalRefusal::NotShorter { .. } => {
                ["ghi thời hạn ngắn hơn, cùng cách tính", "give a shorter one of the same kind"]
            }
            ProposalRefusal::NotCarried { .. } => [
                "công bố phiên bản có cắt giảm đó, hoặc ghi đúng phiên bản",
                "publish a version that does, or name the one that does",
            ],
        }
    }
}

/// How many answers of one proposal are read: more come from nobody who means it.
const MAX_ANSWERS: usize = 100;
const MAX_WHY: usize = 1_000;
const MAX_NAME: usize = 64;

const PROPOSAL: &str = "proposal";
const ANSWERS: &str = "answers";

#[cfg(test)]
#[path = "proposal_tests.rs"]
mod tests;
