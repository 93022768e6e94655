//! What a counter takes in.

use lienthong_catalogue::{Catalogue, ProcedureVersion, local};
use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::clock::{Dues, StepDue, minute_moment};
use crate::code::{Code, is_procedure};
use crate::day::is_minute;
use crate::refusal::{Form, Refusal};

/// Everything that is known when a dossier is opened; the JSON of `import` and of the commands.
/// [`Reception::check`] brings it into the form that [`crate::receive`] expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reception {
    /// The code of the procedure, such as `2.002621.H56`.
    pub procedure: String,
    /// The version of the procedure that is in force. Default 1.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Which case of the procedure, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The field of the procedure, such as `Hộ tịch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The dossier that this one is a part of (liên thông).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_code: Option<Code>,
    /// How it came. Default counter.
    #[serde(default)]
    pub channel: Channel,
    /// How the result goes back. Default counter.
    #[serde(default)]
    pub return_by: ReturnBy,
    /// Which offices take part.
    pub offices: Offices,
    /// Whose dossier it is.
    pub applicant: Applicant,
    /// Who handed it in, where that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitter: Option<Submitter>,
    /// The papers that were handed in; at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// When the applicant applied, as `YYYY-MM-DDTHH:MM`, where that was before the counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<String>,
    /// By when a counter is to look at what it only registered; written like `due`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_by: Option<String>,
    /// When the result is due, as `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// What that due was computed from, and the dues of the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dues: Option<Dues>,
    /// Free words; at most 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a dossier came, with the portal's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// 1: over the counter.
    #[default]
    Counter = 1,
    /// 2: through the portal.
    Online = 2,
    /// 3: by post.
    Post = 3,
}

/// How the result goes back, with the portal's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReturnBy {
    /// 0: over the counter.
    #[default]
    Counter = 0,
    /// 1: by post.
    Post = 1,
}

/// Which offices take part from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offices {
    /// Takes the dossier in.
    pub receiving: OfficeId,
    /// Decides; the receiving office if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub competent: Option<OfficeId>,
    /// Are asked on the way; at most 32.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordinating: Vec<OfficeId>,
    /// Hands the result out; the receiving office if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returning: Option<OfficeId>,
    /// Where the paper lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf: Option<String>,
}

/// Whose dossier it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applicant {
    /// A person or what kind of body. Default citizen.
    #[serde(default)]
    pub kind: ApplicantKind,
    /// The full name; at most 200 characters.
    pub name: String,
    /// Which paper proves who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_kind: Option<IdKind>,
    /// The number of that paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_number: Option<String>,
    /// The day of birth, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<String>,
    /// A telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// An e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The postal address; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the applicant agreed to.
    #[serde(default, skip_serializing_if = "Consents::is_none")]
    pub consents: Consents,
}

/// What kind of applicant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicantKind {
    /// A person.
    #[default]
    Citizen,
    /// A firm.
    Firm,
    /// An agency of the state.
    Agency,
    /// Another organisation.
    Organisation,
    /// Anything else.
    Other,
}

/// Which paper or number tells who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdKind {
    /// The personal number of a citizen (định danh, CCCD): 12 digits.
    Citizen,
    /// The old identity card (CMND): 9 digits.
    OldCitizen,
    /// A passport.
    Passport,
    /// A tax code or enterprise number.
    Tax,
    /// Anything else.
    Other,
}

/// By which ways the applicant wants to hear from the office.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consents {
    /// By e-mail.
    pub email: bool,
    /// By SMS.
    pub sms: bool,
    /// By Zalo.
    pub zalo: bool,
}

impl Consents {
    /// Says whether nothing was agreed to.
    pub fn is_none(&self) -> bool {
        *self == Consents::default()
    }
}

/// Who handed the dossier in for the applicant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitter {
    /// The full name; at most 200 characters.
    pub name: String,
    /// Which paper proves who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_kind: Option<IdKind>,
    /// The number of that paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_number: Option<String>,
    /// A telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The paper that entitles to hand it in; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation: Option<String>,
}

/// A paper that was handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Its code within the procedure; at most 32 characters.
    pub code: String,
    /// Its name; at most 500 characters. None: as the catalogue has it,
    /// [`Reception::with_component_names`].
    #[serde(default)]
    pub name: String,
    /// How many originals; at most 999.
    #[serde(default)]
    pub originals: u16,
    /// How many copies; at most 999.
    #[serde(default)]
    pub copies: u16,
    /// Whether it is kept on paper only.
    #[serde(default)]
    pub kept_on_paper: bool,
    /// 0 not yet digitised, 1 done, 2 reused from a component, 3 reused from a result.
    #[serde(default)]
    pub digitised: u8,
}

impl Reception {
    /// Brings every text to Unicode NFC without blanks around it, and refuses the first thing
    /// that cannot be right. Checking twice changes nothing more.
    pub fn check(&self) -> Result<Reception, Refusal> {
        let procedure = check::text("procedure", &self.procedure, SHORT_CHARS)?;
        if !is_procedure(&procedure) {
            return Err(Refusal::form("procedure", PROCEDURE));
        }
        let submitter = self.submitter.as_ref();
        Ok(Reception {
            procedure,
            version: self.version,
            case: check::maybe("case", self.case.as_deref(), NAME_CHARS)?,
            field: check::maybe("field", self.field.as_deref(), NAME_CHARS)?,
            parent_code: self.parent_code.clone(),
            channel: self.channel,
            return_by: self.return_by,
            offices: self.offices.check()?,
            applicant: self.applicant.check()?,
            submitter: submitter.map(Submitter::check).transpose()?,
            components: check_components(&self.components)?,
            submitted: check::formed("submitted", self.submitted.as_deref(), MINUTE, is_minute)?,
            accept_by: check::due("accept_by", self.accept_by.as_deref())?,
            due: check::due("due", self.due.as_deref())?,
            dues: self.dues.as_ref().map(|dues| check_dues("dues", dues)).transpose()?,
            note: check::maybe("note", self.note.as_deref(), NOTE_CHARS)?,
        })
    }

    /// When the applicant applied: as it says, else now; refuses a moment that lies before us.
    pub fn submitted_at(&self, now: Moment) -> Result<Moment, Refusal> {
        let submitted = self.submitted.as_deref().and_then(minute_moment).unwrap_or(now);
        if submitted > now { Err(Refusal::form("submitted", PAST)) } else { Ok(submitted) }
    }

    /// Refuses a due that was past when the applicant applied, or lies further ahead than anything
    /// is promised. What was applied for long ago may be late already when it is entered.
    pub fn check_due_from(&self, submitted: Moment) -> Result<(), Refusal> {
        check::ahead("due", self.due.as_deref(), submitted)
    }

    /// The version of its procedure that is in force at a moment; refuses a procedure that the
    /// catalogue does not offer then, a case that it has not, and a way in which it does not come.
    pub fn version_in<'a>(
        &self,
        catalogue: &'a Catalogue,
        now: Moment,
    ) -> Result<&'a ProcedureVersion, Refusal> {
        let offered = catalogue.procedure_at(&self.procedure, local(now).0);
        let version =
            offered.ok_or_else(|| Refusal::not_offered("procedure", "unknown-procedure"))?;
        let procedure = &version.procedure;
        if !procedure.channels.contains(&self.channel.in_catalogue()) {
            return Err(Refusal::not_in_procedure(
                "channel",
                "channel-not-offered",
                &procedure.code,
            ));
        }
        let limits = procedure.limits.iter().map(|limit| &limit.case);
        let mut cases = limits.chain(procedure.fees.iter().map(|fee| &fee.case)).flatten();
        match &self.case {
            Some(case) if !cases.any(|known| known == case) => {
                Err(Refusal::not_in_procedure("case", "unknown-case", &procedure.code))
            }
            _ => Ok(version),
        }
    }

    /// Gives the components that have no name the one that the catalogue has under their codes;
    /// refuses a code that the procedure in force has not. A procedure that is not offered leaves
    /// all as they are, and one whose papers no source gives those that have names.
    pub fn with_component_names(
        &self,
        catalogue: &Catalogue,
        now: Moment,
    ) -> Result<Reception, Refusal> {
        let mut named = self.clone();
        let offered = catalogue.procedure_at(self.procedure.trim(), local(now).0);
        let Some(version) = offered else { return Ok(named) };
        let procedure = &version.procedure;
        let are_unknown = procedure.components.is_empty()
            || procedure.unknown.iter().any(|part| part == "components");
        for (index, component) in named.components.iter_mut().enumerate() {
            let mut known = procedure.components.iter();
            match known.find(|known| known.code == component.code.trim()) {
                Some(known) if component.name.is_empty() => component.name.clone_from(&known.name),
                None if component.name.is_empty() || !are_unknown => {
                    let field = format!("components.{index}.code");
                    return Err(Refusal::not_in_procedure(
                        &field,
                        "unknown-component",
                        &procedure.code,
                    ));
                }
                _ => {}
            }
        }
        Ok(named)
    }

    /// The offices that the header of the opening change must add to the audience, by id.
    pub fn offices_added(&self) -> Vec<OfficeId> {
        let Offices { receiving, competent, coordinating, returning, .. } = &self.offices;
        let named = [Some(*receiving), *competent, *returning].into_iter().flatten();
        let mut offices: Vec<_> = named.chain(coordinating.iter().copied()).collect();
        offices.sort_unstable();
        offices.dedup();
        offices
    }
}

impl Offices {
    /// The office that decides.
    pub fn deciding(&self) -> OfficeId {
        self.competent.unwrap_or(self.receiving)
    }

    fn check(&self) -> Result<Offices, Refusal> {
        let field = "offices.coordinating";
        let asked = &self.coordinating;
        if asked.len() > MAX_COORDINATING {
            return Err(Refusal::too_many(field, asked.len(), MAX_COORDINATING));
        }
        let twice = (1..asked.len()).find(|at| asked[..*at].contains(&asked[*at]));
        if let Some(at) = twice {
            return Err(Refusal::office_twice(field, asked[at]));
        }
        let shelf = check::maybe("offices.shelf", self.shelf.as_deref(), NAME_CHARS)?;
        Ok(Offices { shelf, ..self.clone() })
    }
}

impl Applicant {
    fn check(&self) -> Result<Applicant, Refusal> {
        let id_number = self.id_number.as_deref();
        Ok(Applicant {
            kind: self.kind,
            name: check::text("applicant.name", &self.name, NAME_CHARS)?,
            id_kind: self.id_kind,
            id_number: check::id_number("applicant.id_number", self.id_kind, id_number)?,
            birth_date: check::day("applicant.birth_date", self.birth_date.as_deref())?,
            phone: check::phone("applicant.phone", self.phone.as_deref())?,
            email: check::email("applicant.email", self.email.as_deref())?,
            address: check::maybe("applicant.address", self.address.as_deref(), LONG_NAME_CHARS)?,
            consents: self.consents,
        })
    }
}

impl Submitter {
    fn check(&self) -> Result<Submitter, Refusal> {
        let id_number = self.id_number.as_deref();
        let authorisation = self.authorisation.as_deref();
        Ok(Submitter {
            name: check::text("submitter.name", &self.name, NAME_CHARS)?,
            id_kind: self.id_kind,
            id_number: check::id_number("submitter.id_number", self.id_kind, id_number)?,
            phone: check::phone("submitter.phone", self.phone.as_deref())?,
            authorisation: check::maybe("submitter.authorisation", authorisation, NAME_CHARS)?,
        })
    }
}

fn check_components(components: &[Component]) -> Result<Vec<Component>, Refusal> {
    if components.len() > MAX_COMPONENTS {
        return Err(Refusal::too_many("components", components.len(), MAX_COMPONENTS));
    }
    let check = |(index, component): (usize, &Component)| {
        let field = |name: &str| format!("components.{index}.{name}");
        if component.originals > MAX_PAPERS || component.copies > MAX_PAPERS {
            return Err(Refusal::form(&field("originals"), PAPERS));
        }
        if component.digitised > 3 {
            return Err(Refusal::form(&field("digitised"), DIGITISED));
        }
        let code = check::text(&field("code"), &component.code, CODE_CHARS)?;
        let name = check::text(&field("name"), &component.name, LONG_NAME_CHARS)?;
        Ok(Component { code, name, ..component.clone() })
    };
    components.iter().enumerate().map(check).collect()
}

/// Checks the dues that stand in a field.
pub(crate) fn check_dues(place: &str, dues: &Dues) -> Result<Dues, Refusal> {
    if dues.steps.len() > MAX_STEPS || dues.calendars.len() > MAX_CALENDARS {
        let entries = dues.steps.len().max(dues.calendars.len());
        return Err(Refusal::too_many(place, entries, MAX_STEPS));
    }
    let step = |(index, step): (usize, &StepDue)| {
        let field = |name: &str| format!("{place}.steps.{index}.{name}");
        Ok(StepDue {
            step: check::text(&field("step"), &step.step, LONG_NAME_CHARS)?,
            role: check::text(&field("role"), &step.role, NAME_CHARS)?,
            due: check::due(&field("due"), step.due.as_deref())?,
        })
    };
    Ok(Dues {
        internal: check::due(&format!("{place}.internal"), dues.internal.as_deref())?,
        steps: dues.steps.iter().enumerate().map(step).collect::<Result<_, _>>()?,
        calendars: dues.calendars.clone(),
    })
}

fn first_version() -> u32 {
    1
}

pub(crate) const NAME_CHARS: usize = 200;
pub(crate) const NOTE_CHARS: usize = 4_000;
const SHORT_CHARS: usize = 64;
const CODE_CHARS: usize = 32;
const LONG_NAME_CHARS: usize = 500;
const MAX_COORDINATING: usize = 32;
const MAX_COMPONENTS: usize = 200;
const MAX_PAPERS: u16 = 999;
const MAX_STEPS: usize = 100;
const MAX_CALENDARS: usize = 20;

const PROCEDURE: Form = Form {
    code: "not-a-procedure",
    english: "a procedure code such as 1.002835.000.00.00.H56 or 2.002621.H56",
    vietnamese: "mã thủ tục, ví dụ 1.002835.000.00.00.H56 hoặc 2.002621.H56",
};
const MINUTE: Form = Form {
    code: "not-a-minute",
    english: "a minute that exists, such as 2026-01-05T22:10",
    vietnamese: "ngày giờ có thật, ví dụ 2026-01-05T22:10",
};
const PAST: Form = Form {
    code: "in-the-future",
    english: "a minute that has passed",
    vietnamese: "thời điểm đã qua",
};
const PAPERS: Form = Form {
    code: "not-a-number-of-papers",
    english: "a number of papers up to 999",
    vietnamese: "số lượng giấy tờ không quá 999",
};
const DIGITISED: Form = Form {
    code: "not-a-digitisation",
    english: "one of 0 not yet, 1 done, 2 reused from a component, 3 reused from a result",
    vietnamese: "một trong các giá trị 0, 1, 2, 3 về số hóa",
};

#[cfg(test)]
#[path = "reception_tests.rs"]
mod tests;
