//! The people of one office: who works there from when to when, and what each may do.

use std::collections::BTreeMap;

use jiff::civil::Date;
use lienthong_protocol::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use crate::check::{self, MAX_FAULTS, is_procedure_code, text_fault};
use crate::day::iso;
use crate::procedure::optional_iso;
use crate::source::{Fault, Source, SourceError};

/// The secondments and delegations of one office: what its staff file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    schema: u32,
    staff: Heading,
    #[serde(default, rename = "officer")]
    officers: Vec<Officer>,
    #[serde(default, rename = "delegation")]
    delegations: Vec<Delegation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heading {
    office: OfficeId,
    version: u32,
    #[serde(default)]
    note: Option<String>,
}

/// One person's time at the office. Somebody who comes back has a second one under the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// The id that acts carry.
    pub id: String,
    /// The name; in no log and no error.
    pub name: String,
    /// The agency that seconded the person; none: the office itself.
    #[serde(default)]
    pub home: Option<OfficeId>,
    /// The counter or desk.
    #[serde(default)]
    pub counter: Option<String>,
    /// The first day.
    #[serde(with = "iso")]
    pub from: Date,
    /// The last day; none: until further notice.
    #[serde(default, with = "optional_iso")]
    pub to: Option<Date>,
    /// What the person may do in the name of the office and of the home agency.
    pub powers: Vec<Power>,
}

/// What an agency lets an officer do in its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// The agency in whose name the officer acts.
    pub grantor: OfficeId,
    /// Who signed it for the agency.
    #[serde(default)]
    pub grantor_name: Option<String>,
    /// The id of the officer.
    pub grantee: String,
    /// The codes of the procedures; none: all of the agency.
    #[serde(default)]
    pub procedures: Vec<String>,
    /// What the officer may do.
    pub powers: Vec<Power>,
    /// The first day.
    #[serde(with = "iso")]
    pub from: Date,
    /// The last day; none: until further notice.
    #[serde(default, with = "optional_iso")]
    pub to: Option<Date>,
    /// Number of the decision.
    pub decision: String,
}

/// What an officer may do. No power contains another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Take dossiers in, refuse them, ask for supplements, take fees, return results.
    Intake,
    /// Work on dossiers: hand over, ask for supplements or payment, ask others, answer.
    Process,
    /// Decide: finish, stop, go on, extend, resolve a conflict.
    Decide,
    /// Sign results.
    Sign,
}

impl Power {
    /// The word in files and documents.
    pub fn word(self) -> &'static str {
        match self {
            Power::Intake => "intake",
            Power::Process => "process",
            Power::Decide => "decide",
            Power::Sign => "sign",
        }
    }

    /// The Vietnamese words.
    pub fn word_vi(self) -> &'static str {
        match self {
            Power::Intake => "tiếp nhận và trả kết quả",
            Power::Process => "xử lý",
            Power::Decide => "quyết định",
            Power::Sign => "ký kết quả",
        }
    }
}

impl Staff {
    /// Reads the text of a staff file, whose name is for the errors. `config/README.md` explains
    /// its fields. Texts are brought to Unicode NFC. Gives every fault, at most [`MAX_FAULTS`].
    pub fn parse(file: &str, text: &str) -> Result<Staff, Vec<SourceError>> {
        let text: String = text.nfc().collect();
        let source = Source::parse(file, &text).map_err(|error| vec![error])?;
        check::schema(&source)?;
        let staff: Staff = source.read().map_err(|error| vec![error])?;
        let given: Value = source.read().map_err(|error| vec![error])?;
        let mut faults = check::unknown_fields(&given, &staff);
        faults.extend(staff.faults());
        if faults.is_empty() {
            return Ok(staff);
        }
        Err(faults.into_iter().take(MAX_FAULTS).map(|fault| source.locate(fault)).collect())
    }

    /// The office whose people these are.
    pub fn office(&self) -> OfficeId {
        self.staff.office
    }

    /// Its number; a higher one replaces a lower one.
    pub fn version(&self) -> u32 {
        self.staff.version
    }

    /// Everybody, also those whose time is over.
    pub fn officers(&self) -> &[Officer] {
        &self.officers
    }

    /// Every delegation, also those that are over.
    pub fn delegations(&self) -> &[Delegation] {
        &self.delegations
    }

    pub(crate) fn says_the_same(&self, other: &Staff) -> bool {
        self.office() == other.office()
            && self.officers == other.officers
            && self.delegations == other.delegations
    }

    /// Says whether an officer may do something about a procedure on a day, in the name of
    /// `office`. For the office itself and the home agency the officer's own powers do; what goes
    /// beyond them, and any other agency, needs a delegation.
    pub fn may(
        &self,
        officer: &str,
        office: OfficeId,
        power: Power,
        procedure: &str,
        day: Date,
    ) -> Result<(), StaffRefusal> {
        let times = || self.officers.iter().filter(|known| known.id == officer);
        let Some(nearest) = times().max_by_key(|known| (known.from <= day, known.from)) else {
            let (officer, office) = (cut(officer), self.office());
            return Err(StaffRefusal::Unknown { officer, office });
        };
        let Some(now) = times().find(|known| lasts(known.from, known.to, day)) else {
            let (officer, from, to) = (cut(officer), nearest.from, nearest.to);
            return Err(StaffRefusal::Outside { officer, from, to, day });
        };
        let is_own = office == self.office() || now.home == Some(office);
        if is_own && now.powers.contains(&power) {
            return Ok(());
        }
        self.delegated(officer, office, power, (procedure, day))
    }

    fn delegated(
        &self,
        officer: &str,
        office: OfficeId,
        power: Power,
        (procedure, day): (&str, Date),
    ) -> Result<(), StaffRefusal> {
        let given = self.delegations.iter().filter(|given| {
            given.grantee == officer && given.grantor == office && given.powers.contains(&power)
        });
        let mut refusal = StaffRefusal::NoPower { officer: cut(officer), power, office };
        for given in given {
            let Delegation { decision, from, to, procedures, .. } = given;
            let (decision, from, to) = (decision.clone(), *from, *to);
            let covers = procedures.is_empty() || procedures.iter().any(|code| code == procedure);
            match (covers, lasts(from, to, day)) {
                (true, true) => return Ok(()),
                (true, false) => {
                    refusal = StaffRefusal::DelegationOutside { decision, from, to, day }
                }
                // What ran out was nearer to it than what never covered it.
                (false, _) if matches!(refusal, StaffRefusal::DelegationOutside { .. }) => {}
                (false, _) => {
                    let procedure = cut(procedure);
                    refusal = StaffRefusal::OtherProcedure { decision, procedure };
                }
            }
        }
        Err(refusal)
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.version() == 0 {
            faults.push(Fault::new("staff.version", "is 0", "count from 1"));
        }
        let note = self.staff.note.as_ref();
        faults.extend(note.and_then(|text| text_fault("staff.note", text, MAX_TEXT)));
        for (path, count) in
            [("officer", self.officers.len()), ("delegation", self.delegations.len())]
        {
            if count > MAX_ENTRIES {
                let cause = format!("has {count} entries, the limit is {MAX_ENTRIES}");
                faults.push(Fault::new(path, cause, "leave out what ended years ago"));
            }
        }
        self.check_officers(&mut faults);
        self.check_delegations(&mut faults);
        faults
    }

    fn check_officers(&self, faults: &mut Vec<Fault>) {
        let mut times: BTreeMap<&str, Vec<&Officer>> = BTreeMap::new();
        for (at, officer) in self.officers.iter().enumerate() {
            let field = |name: &str| format!("officer[{at}].{name}");
            faults.extend(text_fault(&field("id"), &officer.id, MAX_ID));
            faults.extend(text_fault(&field("name"), &officer.name, MAX_TEXT));
            let counter = officer.counter.as_ref();
            faults.extend(counter.and_then(|text| text_fault(&field("counter"), text, MAX_TEXT)));
            faults.extend(order_fault(&field("to"), officer.from, officer.to));
            faults.extend(powers_fault(&field("powers"), &officer.powers));
            let known = times.entry(&officer.id).or_default();
            if known.iter().any(|other| overlap(other, officer)) {
                let remedy =
                    "give each person an own id, or mend the days of the one who came back";
                let cause = "is that of somebody who works on the same days";
                faults.push(Fault::new(field("id"), cause, remedy));
            }
            known.push(officer);
        }
    }

    fn check_delegations(&self, faults: &mut Vec<Fault>) {
        for (at, given) in self.delegations.iter().enumerate() {
            let field = |name: &str| format!("delegation[{at}].{name}");
            if !self.officers.iter().any(|officer| officer.id == given.grantee) {
                let cause = format!("there is no officer '{}'", cut(&given.grantee));
                let remedy = "name the id of an [[officer]] of this file, or add one";
                faults.push(Fault::new(field("grantee"), cause, remedy));
            }
            let codes = given.procedures.iter().enumerate();
            for (place, code) in codes.filter(|(_, code)| !is_procedure_code(code)) {
                let cause = format!("'{}' is no code of a procedure", cut(code));
                let path = format!("{}[{place}]", field("procedures"));
                faults.push(Fault::new(path, cause, "write it as in 1.001193.H47"));
            }
            faults.extend(text_fault(&field("decision"), &given.decision, MAX_TEXT));
            let name = given.grantor_name.as_ref();
            faults.extend(name.and_then(|text| text_fault(&field("grantor_name"), text, MAX_TEXT)));
            faults.extend(order_fault(&field("to"), given.from, given.to));
            faults.extend(powers_fault(&field("powers"), &given.powers));
        }
    }
}

fn lasts(from: Date, to: Option<Date>, day: Date) -> bool {
    from <= day && to.is_none_or(|to| day <= to)
}

fn overlap(one: &Officer, other: &Officer) -> bool {
    let ends = |officer: &Officer| officer.to.unwrap_or(Date::MAX);
    one.from <= ends(other) && other.from <= ends(one)
}

fn order_fault(path: &str, from: Date, to: Option<Date>) -> Option<Fault> {
    let to = to.filter(|to| *to < from)?;
    Some(Fault::new(path, format!("is {to}, before the first day {from}"), "exchange the two days"))
}

fn powers_fault(path: &str, powers: &[Power]) -> Option<Fault> {
    let remedy = "name some of: intake, process, decide, sign";
    powers.is_empty().then(|| Fault::new(path, "holds no power", remedy))
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_ID).collect()
}

fn until(to: Option<Date>, open: &str) -> String {
    to.map_or_else(|| open.to_owned(), |day| day.to_string())
}

/// Why an officer may not do something. Nothing is stored of a local act; an act from elsewhere is
/// kept and shown as unconfirmed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StaffRefusal {
    /// The office has nobody of that id.
    #[error("officer '{officer}' is not on the staff of {office}")]
    Unknown {
        /// The officer.
        officer: String,
        /// The office.
        office: OfficeId,
    },
    /// The officer's time at the office has not begun, or is over.
    #[error("officer '{officer}' works here from {from} to {}, not on {day}", until(*to, "open"))]
    Outside {
        /// The officer.
        officer: String,
        /// The first day.
        from: Date,
        /// The last day.
        to: Option<Date>,
        /// The day of the act.
        day: Date,
    },
    /// The officer has no such power for that office.
    #[error("officer '{officer}' has no power to {} for {office}", power.word())]
    NoPower {
        /// The officer.
        officer: String,
        /// What is missing.
        power: Power,
        /// In whose name.
        office: OfficeId,
    },
    /// There is a delegation, for other procedures.
    #[error("delegation {decision} does not cover procedure {procedure}")]
    OtherProcedure {
        /// The number of the decision.
        decision: String,
        /// The procedure.
        procedure: String,
    },
    /// There is a delegation, for other days.
    #[error("delegation {decision} holds from {from} to {}, not on {day}", until(*to, "open"))]
    DelegationOutside {
        /// The number of the decision.
        decision: String,
        /// The first day.
        from: Date,
        /// The last day.
        to: Option<Date>,
        /// The day of the act.
        day: Date,
    },
}

impl StaffRefusal {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            StaffRefusal::Unknown { .. } => "officer-unknown",
            StaffRefusal::Outside { .. } => "officer-outside-dates",
            StaffRefusal::NoPower { .. } => "officer-without-power",
            StaffRefusal::OtherProcedure { .. } => "delegation-other-procedure",
            StaffRefusal::DelegationOutside { .. } => "delegation-outside-dates",
        }
    }

    /// What is wrong, in Vietnamese.
    pub fn cause_vi(&self) -> String {
        match self {
            StaffRefusal::Unknown { officer, office } => {
                format!("cán bộ '{officer}' không có trong danh sách của {office}")
            }
            StaffRefusal::Outside { officer, from, to, day } => {
                let to = until(*to, "khi có quyết định khác");
                format!("cán bộ '{officer}' làm việc tại đây từ {from} đến {to}, không gồm {day}")
            }
            StaffRefusal::NoPower { officer, power, office } => {
                let power = power.word_vi();
                format!("cán bộ '{officer}' không có thẩm quyền {power} thay mặt {office}")
            }
            StaffRefusal::OtherProcedure { decision, procedure } => {
                format!("ủy quyền {decision} không gồm thủ tục {procedure}")
            }
            StaffRefusal::DelegationOutside { decision, from, to, day } => {
                let to = until(*to, "khi có quyết định khác");
                format!("ủy quyền {decision} có hiệu lực từ {from} đến {to}, không gồm {day}")
            }
        }
    }

    /// What to do, in English.
    pub fn remedy(&self) -> &'static str {
        match self {
            StaffRefusal::Unknown { .. } => {
                "let an officer of this office do it, or publish a staff list with the officer"
            }
            StaffRefusal::Outside { .. } => {
                "let somebody do it who works here on that day, or publish the new secondment"
            }
            StaffRefusal::NoPower { .. } | StaffRefusal::OtherProcedure { .. } => {
                "let somebody with that power do it, or publish a delegation"
            }
            StaffRefusal::DelegationOutside { .. } => {
                "let somebody with that power do it, or publish the new delegation"
            }
        }
    }

    /// What to do, in Vietnamese.
    pub fn remedy_vi(&self) -> &'static str {
        match self {
            StaffRefusal::Unknown { .. } => {
                "để cán bộ của đơn vị thực hiện, hoặc công bố danh sách có cán bộ này"
            }
            StaffRefusal::Outside { .. } => {
                "để người đang công tác thực hiện, hoặc công bố quyết định biệt phái mới"
            }
            StaffRefusal::NoPower { .. } | StaffRefusal::OtherProcedure { .. } => {
                "để người có thẩm quyền thực hiện, hoặc công bố ủy quyền"
            }
            StaffRefusal::DelegationOutside { .. } => {
                "để người có thẩm quyền thực hiện, hoặc công bố ủy quyền mới"
            }
        }
    }
}

/// The most people, and the most delegations, of one office.
const MAX_ENTRIES: usize = 2_000;
const MAX_ID: usize = 64;
const MAX_TEXT: usize = 200;

#[cfg(test)]
#[path = "staff_tests.rs"]
mod tests;
