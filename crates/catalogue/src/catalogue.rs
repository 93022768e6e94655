//! The catalogue: what was published, edition by edition, and what of it holds on a day.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use lienthong_protocol::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::check::{self, MAX_FAULTS};
use crate::limit::{Limit, Unit};
use crate::procedure::{Procedure, ProcedureVersion, optional_iso};
use crate::source::{Source, SourceError};

/// Everything that was published, edition after edition.
///
/// A version of a procedure never changes once it is published: a later edition adds versions,
/// adds procedures or leaves some out. So a dossier that keeps code and version finds for ever
/// what held when it was received.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    editions: Vec<(Option<Date>, Edition)>,
}

impl Catalogue {
    /// Makes a catalogue of editions, each with the day from which it holds; none: from the
    /// beginning. Of two with one version the last counts.
    pub fn of(editions: impl IntoIterator<Item = (Option<Date>, Edition)>) -> Catalogue {
        let by_version: BTreeMap<u32, _> = editions
            .into_iter()
            .map(|(from, edition)| (edition.version(), (from, edition)))
            .collect();
        Catalogue { editions: by_version.into_values().collect() }
    }

    /// Says whether nothing was published yet.
    pub fn is_empty(&self) -> bool {
        self.editions.is_empty()
    }

    /// Every edition by version, each with the day from which it holds.
    pub fn editions(&self) -> impl DoubleEndedIterator<Item = (Option<Date>, &Edition)> {
        self.editions.iter().map(|(from, edition)| (*from, edition))
    }

    /// The edition with the highest version, whether it holds already or not.
    pub fn latest(&self) -> Option<&Edition> {
        self.editions.last().map(|(_, edition)| edition)
    }

    /// The edition that holds on a day.
    pub fn edition_at(&self, day: Date) -> Option<&Edition> {
        let mut newest_first = self.editions().rev();
        newest_first.find(|(from, _)| from.is_none_or(|from| from <= day)).map(|(_, found)| found)
    }

    /// The version of a procedure that is in force on a day, whichever of its codes is given: that
    /// version may have another one. Nothing if it is not offered on that day.
    pub fn procedure_at(&self, code: &str, day: Date) -> Option<&ProcedureVersion> {
        self.edition_at(day)?.procedure_at(code, day)
    }

    /// One version of a procedure, in force or not: what a dossier refers to.
    pub fn procedure_version(&self, code: &str, version: u32) -> Option<&ProcedureVersion> {
        self.editions().rev().find_map(|(_, edition)| {
            let versions = edition.versions(code)?;
            versions.iter().find(|held| held.version == version)
        })
    }
}

impl From<Edition> for Catalogue {
    /// A catalogue of one edition that holds from the beginning.
    fn from(edition: Edition) -> Catalogue {
        Catalogue::of([(None, edition)])
    }
}

/// The whole content of a catalogue at one time: what one file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    heading: Heading,
    roles: Vec<Role>,
    histories: Vec<Arc<History>>,
    /// The place in `histories` of every code that any version of a procedure has.
    by_code: BTreeMap<String, usize>,
}

/// Who published an edition, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heading {
    pub(crate) publisher: OfficeId,
    pub(crate) version: u32,
    #[serde(default, with = "optional_iso")]
    pub(crate) reform_from: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accept_within: Option<AcceptLimit>,
}

/// How long a counter may leave what came through the portal or by post without taking it in,
/// refusing it or asking for more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptLimit {
    /// How many units; 0 only together with `half`.
    pub amount: u32,
    /// Half a unit more.
    #[serde(default)]
    pub half: bool,
    /// Of which unit.
    pub unit: Unit,
    /// Where it was taken from.
    #[serde(default)]
    pub source: Option<String>,
    /// No source gives it.
    #[serde(default)]
    pub assumed: bool,
}

impl AcceptLimit {
    /// What it counts.
    pub fn limit(&self) -> Limit {
        Limit { amount: self.amount, half: self.half, unit: self.unit }
    }
}

/// A procedure as it is written down, and the versions that follow from it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) written: Procedure,
    versions: Vec<ProcedureVersion>,
}

impl History {
    pub(crate) fn of(written: Procedure) -> History {
        let versions = written.versions();
        History { written, versions }
    }

    pub(crate) fn versions(&self) -> &[ProcedureVersion] {
        &self.versions
    }
}

/// A part that agencies play, such as the People's Committee of a commune.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its id within the catalogue.
    pub id: String,
    /// What the agencies are called.
    pub name: String,
    /// The tier of the agencies.
    pub tier: String,
    /// The one office that plays it; none: that of the tier in whose area the applicant lives.
    #[serde(default)]
    pub office: Option<OfficeId>,
    /// The role that takes over with the reform; none: it stays.
    #[serde(default)]
    pub successor: Option<String>,
    /// Where the successor was taken from.
    #[serde(default)]
    pub successor_source: Option<String>,
    /// No source gives the successor.
    #[serde(default)]
    pub successor_assumed: bool,
}

/// A catalogue file as it is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) schema: u32,
    pub(crate) catalogue: Heading,
    #[serde(default)]
    pub(crate) role: Vec<Role>,
    #[serde(default)]
    pub(crate) procedure: Vec<Procedure>,
}

impl Edition {
    /// Reads the text of a catalogue file, whose name is for the errors. `config/README.md`
    /// explains its fields. Texts are brought to Unicode NFC.
    ///
    /// Gives every fault of the file, at most [`MAX_FAULTS`]; of a text that is no TOML, or
    /// has a value of the wrong type, the first one.
    pub fn parse(file: &str, text: &str) -> Result<Edition, Vec<SourceError>> {
        let text: String = text.nfc().collect();
        let source = Source::parse(file, &text).map_err(|error| vec![error])?;
        check::schema(&source)?;
        let read: File = source.read().map_err(|error| vec![error])?;
        let given: Value = source.read().map_err(|error| vec![error])?;
        let mut faults = check::unknown_fields(&given, &read);
        faults.extend(check::edition(&read));
        if faults.is_empty() {
            let histories = read.procedure.into_iter().map(|written| History::of(written).into());
            return Ok(Edition::of(read.catalogue, read.role, histories.collect()));
        }
        Err(faults.into_iter().take(MAX_FAULTS).map(|fault| source.locate(fault)).collect())
    }

    pub(crate) fn of(heading: Heading, roles: Vec<Role>, histories: Vec<Arc<History>>) -> Edition {
        let mut by_code = BTreeMap::new();
        for (place, history) in histories.iter().enumerate() {
            for version in history.versions() {
                by_code.entry(version.procedure.code.clone()).or_insert(place);
            }
        }
        Edition { heading, roles, histories, by_code }
    }

    /// The office that publishes it.
    pub fn publisher(&self) -> OfficeId {
        self.heading.publisher
    }

    /// Its number; a higher one replaces a lower one.
    pub fn version(&self) -> u32 {
        self.heading.version
    }

    /// The day from which successors play the roles.
    pub fn reform_from(&self) -> Option<Date> {
        self.heading.reform_from
    }

    /// How long a dossier that nobody looked at yet may wait; none: the edition sets no limit.
    pub fn accept_within(&self) -> Option<&AcceptLimit> {
        self.heading.accept_within.as_ref()
    }

    /// Every role, in the order of the file.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// One role.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// The role that plays a role on a day: itself, or after the reform its successor.
    pub fn role_at(&self, id: &str, day: Date) -> Option<&Role> {
        let role = self.role(id)?;
        let is_reformed = self.heading.reform_from.is_some_and(|from| from <= day);
        match &role.successor {
            Some(successor) if is_reformed => self.role(successor),
            _ => Some(role),
        }
    }

    /// How many procedures it has.
    pub fn len(&self) -> usize {
        self.histories.len()
    }

    /// Says whether it has no procedure.
    pub fn is_empty(&self) -> bool {
        self.histories.is_empty()
    }

    /// The versions of a procedure in their order, whichever of its codes is given.
    pub fn versions(&self, code: &str) -> Option<&[ProcedureVersion]> {
        let place = self.by_code.get(code)?;
        self.histories.get(*place).map(|history| history.versions())
    }

    /// The version of a procedure that is in force on a day by this edition.
    pub fn procedure_at(&self, code: &str, day: Date) -> Option<&ProcedureVersion> {
        in_force(self.versions(code)?, day)
    }

    /// What is in force on a day, in the order of the file.
    pub fn procedures_at(&self, day: Date) -> impl Iterator<Item = &ProcedureVersion> {
        self.histories.iter().filter_map(move |history| in_force(history.versions(), day))
    }

    pub(crate) fn heading(&self) -> &Heading {
        &self.heading
    }

    pub(crate) fn histories(&self) -> &[Arc<History>] {
        &self.histories
    }
}

fn in_force(versions: &[ProcedureVersion], day: Date) -> Option<&ProcedureVersion> {
    let mut newest_first = versions.iter().rev();
    newest_first.find(|version| version.valid_from.is_none_or(|from| from <= day))
}

impl ProcedureVersion {
    /// Says whether every word of `text` stands in code, name, field or group. Capitals and
    /// Vietnamese marks make no difference: `dang ky` finds `Đăng ký`.
    pub fn matches(&self, text: &str) -> bool {
        let Procedure { code, name, field, group, .. } = &self.procedure;
        let here = plain(&format!("{code} {name} {field} {group}"));
        plain(text).split_whitespace().all(|word| here.contains(word))
    }
}

/// A text in small letters without marks.
fn plain(text: &str) -> String {
    let is_mark = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let letters = text.nfd().filter(|c| !is_mark(c)).flat_map(char::to_lowercase);
    letters.map(|c| if c == 'đ' { 'd' } else { c }).collect()
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
