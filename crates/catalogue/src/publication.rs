//! What is published as documents: written once, never overwritten, read leniently.
//!
//! Every published thing is one JSON text, an atomic value. A catalogue keeps each procedure under
//! the hash of its text, and an edition lists the hashes: equal texts are stored once, and an
//! edition counts only from the change that brings its list, the last one of its publication.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use lienthong_document::{Document, EditError, Editor};
use lienthong_protocol::OfficeId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::catalogue::{Catalogue, Edition, Heading, History, Role};
use crate::procedure::{Procedure, optional_iso};
use crate::staff::Staff;
use crate::year::CalendarYear;

/// What has to be written to publish something, change by change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    parts: Vec<Part>,
}

impl Publication {
    /// The parts in the order in which they must be written, each as one change. What is
    /// published counts once the last one is written; it may be tried again after any of them.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Divides texts into parts that each fit one change.
    fn of(texts: impl IntoIterator<Item = Text>) -> Publication {
        let mut parts = vec![Part::default()];
        let mut room = PART_BYTES;
        for text in texts {
            let bytes = text.text.len() + BYTES_BESIDES_TEXT;
            if bytes > room && parts.last().is_some_and(|part| !part.texts.is_empty()) {
                parts.push(Part::default());
                room = PART_BYTES;
            }
            room = room.saturating_sub(bytes);
            if let Some(part) = parts.last_mut() {
                part.texts.push(text);
            }
        }
        Publication { parts }
    }
}

/// What one change writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    texts: Vec<Text>,
}

/// A text and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    path: Vec<String>,
    text: String,
}

impl Part {
    /// Writes it. What stands there already in the same words is passed over, so an edit may come
    /// to nothing; what stands there in other words is an error, never replaced.
    pub fn write(&self, editor: &mut Editor<'_>) -> Result<(), EditError> {
        for Text { path, text } in &self.texts {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let above = path.split_last().map(|(_, above)| above).unwrap_or_default();
            editor.ensure_map(above)?;
            if editor.get(&path).is_some_and(|held| held != text.as_str()) {
                return Err(EditError::WrongKind { path: path.join("/") });
            }
            editor.put(&path, text.as_str())?;
        }
        Ok(())
    }
}

/// Why something is not published. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PublishRefusal {
    /// What is published already says the same.
    #[error("version {version} says the same already")]
    NothingNew {
        /// The version that does.
        version: u32,
    },
    /// The number is not above the one that was published last.
    #[error("it has version {version}, version {latest} is published already")]
    OldVersion {
        /// Its version.
        version: u32,
        /// The highest one that is published.
        latest: u32,
    },
    /// It would say something else about a version of a procedure that was published.
    #[error("version {version} of procedure {code} differs from what was published")]
    Rewritten {
        /// The procedure.
        code: String,
        /// The version.
        version: u32,
    },
    /// It would hold from an earlier day than the edition before it, or from no day.
    #[error("it would hold from {}, the edition before from {before}", named(*from, BEGINNING))]
    Order {
        /// The day; none for the beginning.
        from: Option<Date>,
        /// That of the edition before.
        before: Date,
    },
}

impl PublishRefusal {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            PublishRefusal::NothingNew { .. } => "nothing-new",
            PublishRefusal::OldVersion { .. } => "version-published",
            PublishRefusal::Rewritten { .. } => "version-rewritten",
            PublishRefusal::Order { .. } => "edition-order",
        }
    }

    /// Says the same in Vietnamese.
    pub fn cause_vi(&self) -> String {
        match self {
            PublishRefusal::NothingNew { version } => {
                format!("phiên bản {version} đã nói đúng như vậy")
            }
            PublishRefusal::OldVersion { version, latest } => {
                format!("tệp ghi phiên bản {version}, phiên bản {latest} đã công bố rồi")
            }
            PublishRefusal::Rewritten { code, version } => {
                format!("phiên bản {version} của thủ tục {code} khác với bản đã công bố")
            }
            PublishRefusal::Order { from, before } => {
                let from = named(*from, BEGINNING_VI);
                format!("danh mục này có hiệu lực từ {from}, bản trước có hiệu lực từ {before}")
            }
        }
    }

    /// What a person can do about it, in Vietnamese.
    pub fn remedy_vi(&self) -> &'static str {
        match self {
            PublishRefusal::NothingNew { .. } => "không cần làm gì",
            PublishRefusal::OldVersion { .. } => "ghi vào tệp số phiên bản kế tiếp",
            PublishRefusal::Rewritten { .. } => {
                "giữ nguyên phiên bản đó và thêm [[procedure.revision]] với phiên bản kế tiếp"
            }
            PublishRefusal::Order { .. } => "chọn ngày bằng hoặc sau ngày đó với --from",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            PublishRefusal::NothingNew { .. } => "nothing has to be done",
            PublishRefusal::OldVersion { .. } => "give the file the next higher version",
            PublishRefusal::Rewritten { .. } => {
                "leave it as it was and add a [[procedure.revision]] with the next version"
            }
            PublishRefusal::Order { .. } => "give the same or a later day with --from",
        }
    }
}

/// A day, or the word for none.
fn named(day: Option<Date>, none: &str) -> String {
    day.map_or_else(|| none.to_owned(), |day| day.to_string())
}

const BEGINNING: &str = "the beginning";
const BEGINNING_VI: &str = "đầu";

// ------------------------------------------------------------- catalogue

/// The list of an edition, as it stands in the document.
#[derive(Serialize, Deserialize)]
struct Listed {
    catalogue: Heading,
    #[serde(with = "optional_iso", default)]
    from: Option<Date>,
    roles: Vec<Role>,
    /// The hash of each procedure's text, in their order.
    procedures: Vec<String>,
}

impl Catalogue {
    /// Says what has to be written to publish an edition that holds from a day; none: from the
    /// beginning, which only the first edition can.
    pub fn publication(
        &self,
        edition: &Edition,
        from: Option<Date>,
    ) -> Result<Publication, PublishRefusal> {
        self.check(edition, from)?;
        let written: Vec<Text> =
            edition.histories().iter().map(|held| text_of(&held.written)).collect();
        let listed = Listed {
            catalogue: edition.heading().clone(),
            from,
            roles: edition.roles().to_vec(),
            procedures: written.iter().filter_map(|text| text.path.last().cloned()).collect(),
        };
        let path = vec![EDITIONS.to_owned(), edition.version().to_string()];
        let list = Text { path, text: compact(&listed) };
        Ok(Publication::of(written.into_iter().chain([list])))
    }

    fn check(&self, edition: &Edition, from: Option<Date>) -> Result<(), PublishRefusal> {
        let Some((latest_from, latest)) = self.editions().next_back() else { return Ok(()) };
        let (version, latest_version) = (edition.version(), latest.version());
        if latest.says_the_same(edition) {
            return Err(PublishRefusal::NothingNew { version: latest_version });
        }
        if version <= latest_version {
            return Err(PublishRefusal::OldVersion { version, latest: latest_version });
        }
        match (from, latest_from) {
            (_, None) => {}
            (Some(from), Some(before)) if from >= before => {}
            (_, Some(before)) => return Err(PublishRefusal::Order { from, before }),
        }
        for (_, published) in self.editions() {
            for history in published.histories() {
                keeps(edition, history)?;
            }
        }
        Ok(())
    }

    /// Reads what the documents of the catalogue hold; of two editions with one version that of
    /// the earlier document counts. An edition that cannot be read is left out.
    pub fn read<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Catalogue {
        let mut known = BTreeMap::new();
        let mut editions = BTreeMap::new();
        for document in documents {
            let value = document.value();
            let lists = value[EDITIONS].as_object().into_iter().flat_map(|lists| lists.values());
            for list in lists.filter_map(Value::as_str) {
                if let Some((from, edition)) = read_edition(list, &value[TEXTS], &mut known) {
                    editions.entry(edition.version()).or_insert((from, edition));
                }
            }
        }
        Catalogue::of(editions.into_values())
    }
}

impl Edition {
    fn says_the_same(&self, other: &Edition) -> bool {
        let (one, two) = (self.heading(), other.heading());
        one.publisher == two.publisher
            && one.reform_from == two.reform_from
            && one.accept_within == two.accept_within
            && self.roles() == other.roles()
            && self.histories() == other.histories()
    }
}

/// Makes sure that an edition leaves the published versions of a procedure as they are, unless it
/// leaves the procedure out.
fn keeps(edition: &Edition, history: &History) -> Result<(), PublishRefusal> {
    let Some(versions) = edition.versions(&history.written.code) else { return Ok(()) };
    for published in history.versions() {
        if !versions.contains(published) {
            let code = history.written.code.clone();
            return Err(PublishRefusal::Rewritten { code, version: published.version });
        }
    }
    Ok(())
}

type Known = BTreeMap<String, Arc<History>>;

fn read_edition(list: &str, texts: &Value, known: &mut Known) -> Option<(Option<Date>, Edition)> {
    let Listed { catalogue, from, roles, procedures } = serde_json::from_str(list).ok()?;
    let mut histories = Vec::with_capacity(procedures.len());
    for hash in procedures {
        let history = match known.get(&hash) {
            Some(history) => Arc::clone(history),
            None => {
                let written: Procedure = serde_json::from_str(texts[&hash].as_str()?).ok()?;
                let history = Arc::new(History::of(written));
                known.insert(hash, Arc::clone(&history));
                history
            }
        };
        histories.push(history);
    }
    Some((from, Edition::of(catalogue, roles, histories)))
}

fn text_of(procedure: &Procedure) -> Text {
    let text = compact(procedure);
    let hash = blake3::hash(text.as_bytes()).to_hex();
    let hash = hash.as_str().chars().take(HASH_DIGITS).collect();
    Text { path: vec![TEXTS.to_owned(), hash], text }
}

// ------------------------------------------------------------- calendars and staff

/// Says what has to be written to publish the calendar of a year, beside those that are published.
pub fn calendar_publication<'a>(
    published: impl IntoIterator<Item = &'a CalendarYear>,
    year: &CalendarYear,
) -> Result<Publication, PublishRefusal> {
    let same_year = published.into_iter().filter(|other| other.year == year.year);
    let latest = same_year.max_by_key(|other| other.version);
    let says_the_same =
        |latest: &CalendarYear| *year == CalendarYear { version: year.version, ..latest.clone() };
    rises(latest.map(|latest| (latest.version, says_the_same(latest))), year.version)?;
    let path = vec![YEARS.to_owned(), year.year.to_string(), year.version.to_string()];
    Ok(Publication::of([Text { path, text: year.to_json() }]))
}

/// Reads the calendars of all years, every version, by year and version. One that cannot be read
/// is left out.
pub fn read_calendars<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Vec<CalendarYear> {
    let mut calendars = BTreeMap::new();
    for document in documents {
        for year in texts_below(&document.get(&[YEARS]).unwrap_or_default(), 2) {
            if let Ok(year) = CalendarYear::from_json(&year) {
                calendars.entry((year.year, year.version)).or_insert(year);
            }
        }
    }
    calendars.into_values().collect()
}

impl Staff {
    /// Says what has to be written to publish it after the version that is published.
    pub fn publication(&self, published: Option<&Staff>) -> Result<Publication, PublishRefusal> {
        rises(published.map(|other| (other.version(), self.says_the_same(other))), self.version())?;
        let path = vec![VERSIONS.to_owned(), self.version().to_string()];
        Ok(Publication::of([Text { path, text: compact(self) }]))
    }

    /// Reads the newest version that a staff document holds of this office: the one that opened
    /// the document. What names another office, and what cannot be read, is left out.
    pub fn read(document: &Document, office: OfficeId) -> Option<Staff> {
        let texts = texts_below(&document.get(&[VERSIONS])?, 1);
        let versions = texts.iter().filter_map(|text| serde_json::from_str::<Staff>(text).ok());
        let own = versions.filter(|staff| staff.office() == office);
        own.max_by_key(Staff::version)
    }
}

/// Makes sure that a version says something new under a higher number than the latest one.
fn rises(latest: Option<(u32, bool)>, version: u32) -> Result<(), PublishRefusal> {
    match latest {
        Some((latest, true)) => Err(PublishRefusal::NothingNew { version: latest }),
        Some((latest, _)) if version <= latest => {
            Err(PublishRefusal::OldVersion { version, latest })
        }
        _ => Ok(()),
    }
}

/// The texts that lie so many maps below a value.
fn texts_below(value: &Value, maps: usize) -> Vec<String> {
    let below = value.as_object().into_iter().flat_map(|map| map.values());
    match maps {
        0 => value.as_str().map(str::to_owned).into_iter().collect(),
        _ => below.flat_map(|value| texts_below(value, maps - 1)).collect(),
    }
}

/// JSON without the fields that are not known: reading it gives the same value.
fn compact(value: &impl Serialize) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|_, value| !matches!(value, Value::Null));
                map.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::to_value(value).expect("texts, numbers and days encode");
    strip(&mut value);
    value.to_string()
}

/// The text of one change, in bytes: half of what a change may hold.
const PART_BYTES: usize = lienthong_protocol::limits::MAX_CHANGE_BYTES / 2;
/// What a text takes in a change besides itself: its key, and its place in every column.
const BYTES_BESIDES_TEXT: usize = 64;
/// 128 bits of the hash: texts of one publisher never meet by chance.
const HASH_DIGITS: usize = 32;

const TEXTS: &str = "texts";
const EDITIONS: &str = "editions";
const YEARS: &str = "years";
const VERSIONS: &str = "versions";

#[cfg(test)]
#[path = "publication_tests.rs"]
mod tests;
