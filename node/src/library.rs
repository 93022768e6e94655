//! What was published as far as this node knows: read once, kept until it grows, shown to people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use lienthong_catalogue::{Calendar, CalendarYear, Catalogue, Staff, day, local, read_calendars};
use lienthong_document::Document;
use lienthong_protocol::{Change, DocumentId, Kind, OfficeId};
use lienthong_replica::{Shelf, Verdict};
use lienthong_request::Failure;
use serde_json::{Value, json};

use crate::mind::{Mind, store_failed};

/// What this office knows of what was published, as it was when it was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    catalogue: Arc<Catalogue>,
    years: Arc<Vec<CalendarYear>>,
    calendar: Arc<Calendar>,
    staff: Arc<BTreeMap<OfficeId, Staff>>,
}

impl Published {
    /// Every edition of the catalogue; empty before the first one.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The same, to be kept by another thread.
    pub(crate) fn shared_catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue)
    }

    /// The working calendar of all published years.
    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The calendars of all years, every version, by year and version.
    pub(crate) fn years(&self) -> &[CalendarYear] {
        &self.years
    }

    /// The newest staff list of an office, if it has published one that this office may hold.
    pub(crate) fn staff(&self, office: OfficeId) -> Option<&Staff> {
        self.staff.get(&office)
    }
}

/// What was read of the published documents, and which of it may have grown since.
#[derive(Debug)]
pub(crate) struct Library {
    held: Published,
    stale: BTreeSet<Kind>,
    unseen: BTreeSet<DocumentId>,
}

impl Default for Library {
    fn default() -> Library {
        let (held, unseen) = (Published::default(), BTreeSet::new());
        Library { held, stale: BTreeSet::from(KINDS), unseen }
    }
}

impl Library {
    /// Takes note that a document grew; whether it is a published one is found out on demand.
    pub(crate) fn grew(&mut self, document: DocumentId) {
        if self.stale.len() == KINDS.len() {
            return;
        }
        self.unseen.insert(document);
        if self.unseen.len() > MAX_UNSEEN {
            self.forget();
        }
    }

    /// Lets one kind be read anew.
    pub(crate) fn read_anew(&mut self, kind: Kind) {
        self.stale.insert(kind);
    }

    /// Lets everything be read anew: rights or the tree may have changed.
    pub(crate) fn forget(&mut self) {
        self.unseen.clear();
        self.stale = BTreeSet::from(KINDS);
    }
}

impl Mind {
    /// What was published as far as this node knows.
    pub(crate) fn published(&mut self) -> Result<Published, Failure> {
        for id in std::mem::take(&mut self.library.unseen) {
            let held = self.replica.document(id).map_err(store_failed)?;
            let kind = held.map(|(record, _)| record.kind).filter(|kind| KINDS.contains(kind));
            self.library.stale.extend(kind);
        }
        // A kind stays stale until it was read: a failure in between is no reason to forget it.
        while let Some(kind) = self.library.stale.first().copied() {
            match kind {
                Kind::CATALOGUE => {
                    let documents = self.documents_of(kind)?;
                    let catalogue = Catalogue::read(documents.iter().map(|(_, document)| document));
                    self.library.held.catalogue = Arc::new(catalogue);
                }
                Kind::CALENDAR => {
                    let documents = self.documents_of(kind)?;
                    let years = read_calendars(documents.iter().map(|(_, document)| document));
                    self.library.held.calendar = Arc::new(Calendar::of(newest(&years)));
                    self.library.held.years = Arc::new(years);
                }
                _ => self.library.held.staff = Arc::new(self.read_staff()?),
            }
            self.library.stale.remove(&kind);
        }
        Ok(self.library.held.clone())
    }

    /// The documents of a kind, the earliest first.
    pub(crate) fn documents_of(
        &mut self,
        kind: Kind,
    ) -> Result<Vec<(DocumentId, Document)>, Failure> {
        let mut ids = self.replica.documents(kind, None, MAX_DOCUMENTS).map_err(store_failed)?;
        ids.sort();
        let mut documents = Vec::new();
        for id in ids {
            // Kinds that are sent together lie together in the index.
            let held = self.replica.document(id).map_err(store_failed)?;
            if held.is_some_and(|(record, _)| record.kind == kind)
                && let Some(document) = self.open_document(id)?
            {
                documents.push((id, document));
            }
        }
        Ok(documents)
    }

    fn read_staff(&mut self) -> Result<BTreeMap<OfficeId, Staff>, Failure> {
        let mut staff: BTreeMap<OfficeId, Staff> = BTreeMap::new();
        for (id, document) in self.documents_of(Kind::STAFF)? {
            let Some(office) = self.opener(id)? else { continue };
            let Some(read) = Staff::read(&document, office) else { continue };
            if staff.get(&office).is_none_or(|held| held.version() < read.version()) {
                staff.insert(office, read);
            }
        }
        Ok(staff)
    }

    /// The office that opened a document: nobody can open one under another's id.
    pub(crate) fn opener(&self, id: DocumentId) -> Result<Option<OfficeId>, Failure> {
        let held = self.replica.document(id).map_err(store_failed)?;
        let entries = held.map(|(_, entries)| entries).unwrap_or_default();
        for entry in entries.iter().filter(|entry| entry.verdict == Verdict::Accepted) {
            let record = self.replica.shelf().record(entry.place).map_err(store_failed)?;
            let Some(change) = record.and_then(|bytes| Change::trusted(bytes).ok()) else {
                continue;
            };
            let header = change.header();
            let derived =
                DocumentId::derive(header.author, header.incarnation, header.seq, header.at);
            if derived == id {
                return Ok(Some(header.office));
            }
        }
        Ok(None)
    }

    /// Today in Vietnam.
    pub(crate) fn today(&self) -> Date {
        local(self.now()).0
    }

    // ------------------------------------------------------------- reading

    /// What is offered on a day, today if none is named, as far as every word of `text` fits.
    pub(crate) fn procedures(
        &mut self,
        text: Option<&str>,
        on: Option<&str>,
    ) -> Result<Value, Failure> {
        let on = on.map(named_day).transpose()?.unwrap_or_else(|| self.today());
        let published = self.published()?;
        let edition = published.catalogue.edition_at(on).ok_or_else(|| no_catalogue(on))?;
        let fitting = edition
            .procedures_at(on)
            .filter(|held| text.is_none_or(|text| held.matches(text)))
            .map(|held| {
                let procedure = &held.procedure;
                let limit = procedure.limit(None, None).map(|limit| limit.limit().to_string());
                json!({
                    "code": procedure.code,
                    "version": held.version,
                    "name": procedure.name,
                    "field": procedure.field,
                    "level": procedure.level,
                    "limit": limit,
                })
            });
        let procedures: Vec<Value> = fitting.collect();
        let version = edition.version();
        Ok(json!({ "catalogue": version, "day": on.to_string(), "procedures": procedures }))
    }

    /// One procedure as it is in force on a day, today if none is named.
    pub(crate) fn procedure(&mut self, code: &str, on: Option<&str>) -> Result<Value, Failure> {
        let on = on.map(named_day).transpose()?.unwrap_or_else(|| self.today());
        let published = self.published()?;
        let edition = published.catalogue.edition_at(on).ok_or_else(|| no_catalogue(on))?;
        let held = edition.procedure_at(code, on).ok_or_else(|| unknown_procedure(code, on))?;
        let versions = edition.versions(code).unwrap_or_default().iter().map(|version| {
            let (number, code) = (version.version, &version.procedure.code);
            let from = version.valid_from.map(|day| day.to_string());
            json!({ "version": number, "valid_from": from, "code": code })
        });
        Ok(json!({
            "catalogue": edition.version(),
            "day": on.to_string(),
            "code": held.procedure.code,
            "version": held.version,
            "valid_from": held.valid_from.map(|day| day.to_string()),
            "versions": versions.collect::<Vec<_>>(),
            "procedure": serde_json::to_value(&held.procedure).unwrap_or_default(),
        }))
    }

    /// The calendar of one year.
    pub(crate) fn calendar_year(&mut self, year: i16) -> Result<Value, Failure> {
        let published = self.published()?;
        let found = published.years.iter().filter(|held| held.year == year);
        let found = found.max_by_key(|held| held.version).ok_or_else(|| no_calendar(year))?;
        let first = Date::new(year, 1, 1).map_err(|_| no_calendar(year))?;
        let days = first.series(jiff::Span::new().days(1)).take_while(|day| day.year() == year);
        let working = days.filter(|day| published.calendar.is_working(*day)).count();
        let calendar = serde_json::to_value(found).unwrap_or_default();
        Ok(json!({
            "year": year,
            "version": found.version,
            "working_days": working,
            "calendar": calendar,
        }))
    }

    /// The people of an office, this one if none is named.
    pub(crate) fn staff(&mut self, office: Option<OfficeId>) -> Result<Value, Failure> {
        let office = office.unwrap_or(self.replica.identity().office);
        let published = self.published()?;
        let staff = published.staff(office).ok_or_else(|| no_staff(office))?;
        Ok(json!({
            "office": office.to_string(),
            "version": staff.version(),
            "officers": serde_json::to_value(staff.officers()).unwrap_or_default(),
            "delegations": serde_json::to_value(staff.delegations()).unwrap_or_default(),
        }))
    }
}

/// The newest calendar of each year.
fn newest(years: &[CalendarYear]) -> Vec<CalendarYear> {
    let by_year: BTreeMap<i16, &CalendarYear> =
        years.iter().map(|year| (year.year, year)).collect();
    by_year.into_values().cloned().collect()
}

pub(crate) fn named_day(text: &str) -> Result<Date, Failure> {
    day(text).map_err(|error| {
        let remedy = "write it as YYYY-MM-DD";
        Failure::usage("bad-day", "chưa làm gì / nothing was done", error.to_string(), remedy)
    })
}

fn no_catalogue(on: Date) -> Failure {
    let why = format!(
        "chưa công bố danh mục thủ tục cho ngày {on} / no catalogue that holds on {on} is published"
    );
    let remedy = "let the root office publish one with `lienthong catalogue publish FILE`";
    Failure::refused("no-catalogue", "không có gì để xem / nothing is shown", why, remedy)
}

pub(crate) fn unknown_procedure(code: &str, on: Date) -> Failure {
    let code: String = code.chars().take(64).collect();
    let why =
        format!("thủ tục '{code}' không có ngày {on} / procedure '{code}' is not offered on {on}");
    let remedy = "take a code from `lienthong catalogue list`, or give another --day";
    Failure::refused("unknown-procedure", "không có gì để xem / nothing is shown", why, remedy)
}

fn no_calendar(year: i16) -> Failure {
    let why = format!("no calendar of {year} is published; only its weekends are off");
    let remedy = "let the root office publish one with `lienthong calendar publish FILE`";
    Failure::refused("no-calendar", "không có gì để xem / nothing is shown", why, remedy)
}

fn no_staff(office: OfficeId) -> Failure {
    let why = format!("{office} has published no staff list that is held here");
    let remedy = "let it publish one with `lienthong staff publish FILE`";
    Failure::refused("no-staff", "không có gì để xem / nothing is shown", why, remedy)
}

/// The kinds of what is published, besides the registry.
const KINDS: [Kind; 3] = [Kind::CATALOGUE, Kind::CALENDAR, Kind::STAFF];
/// How many grown documents are remembered before everything is read anew instead.
const MAX_UNSEEN: usize = 4_096;
/// The most documents of kinds that lie together; a federation has one or two, and one an office.
const MAX_DOCUMENTS: usize = 20_000;

#[cfg(test)]
#[path = "library_tests.rs"]
mod tests;
