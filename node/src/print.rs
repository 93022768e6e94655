//! Forms on paper: the node says what stands on them, the command lays them out and writes them.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use lienthong_catalogue::{Calendar, Procedure};
use lienthong_dossier::Dossier;
use lienthong_federation::Registry;
use lienthong_forms::{
    Facts, Form, FormKind, Lookup, RegisterFacts, When, compose, compose_register, html, pdf,
};
use lienthong_protocol::{DocumentId, Moment, OfficeId};
use lienthong_request::{Failure, SCHEMA};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::library::Published;
use crate::mind::Mind;

/// How a form is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A page that any browser shows and prints.
    Html,
    /// A PDF with its fonts.
    Pdf,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Html => "html",
            Format::Pdf => "pdf",
        }
    }
}

/// What this node knows of the offices, procedures and calendars that a dossier refers to.
struct Known<'a> {
    registry: &'a Registry,
    published: &'a Published,
}

impl Lookup for Known<'_> {
    fn office(&self, office: OfficeId) -> Option<String> {
        self.registry.office(office).map(|office| office.name.clone())
    }

    fn procedure(&self, code: &str, version: u32) -> Option<&Procedure> {
        let held = self.published.catalogue().procedure_version(code, version);
        held.map(|held| &held.procedure)
    }

    fn officer(&self, office: OfficeId, officer: &str) -> Option<String> {
        let officers = self.published.staff(office)?.officers();
        officers.iter().find(|known| known.id == officer).map(|known| known.name.clone())
    }

    fn calendar(&self) -> &Calendar {
        self.published.calendar()
    }
}

/// Which dossiers stand in the register.
pub(crate) struct Registered {
    /// Those that it names, newest first.
    pub(crate) ids: Vec<DocumentId>,
    /// How many of the same time it may not name.
    pub(crate) unlisted: u64,
}

impl Mind {
    /// What a form may say about one dossier.
    pub(crate) fn print(&mut self, dossier: &str) -> Result<Value, Failure> {
        let (id, _, known) = self.find(dossier)?;
        let published = self.published()?;
        let facts = self.facts(&known, &published, self.now());
        Ok(json!({ "id": id.to_string(), "code": facts.code, "facts": facts }))
    }

    /// The newest dossiers that this office received, as the view knows them.
    pub(crate) fn registered_here(&mut self, limit: usize) -> Result<Registered, Failure> {
        let (own, hidden) = (self.replica.identity().office, self.outlook()?.hidden);
        let limit = limit.clamp(1, MAX_REGISTER);
        self.viewer.door.read(|reader| {
            let newest = reader.received_by(own, &[], limit)?;
            let shown: BTreeSet<_> = reader.received_by(own, &hidden, limit)?.into_iter().collect();
            let all = newest.len();
            let ids: Vec<_> = newest.into_iter().filter(|id| shown.contains(id)).collect();
            Ok(Registered { unlisted: (all - ids.len()) as u64, ids })
        })
    }

    /// What the register says of some dossiers.
    pub(crate) fn brief_facts(&mut self, ids: &[DocumentId]) -> Result<Vec<Facts>, Failure> {
        let (at, published) = (self.now(), self.published()?);
        let mut facts = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(document) = self.open_document(*id)? else { continue };
            // What cannot be read is shown where dossiers are reviewed.
            let known = Dossier::read(*id, &document).ok();
            facts.extend(known.map(|known| self.facts(&known, &published, at).brief()));
        }
        Ok(facts)
    }

    /// The register of this office with some dossiers on it.
    pub(crate) fn register(&self, dossiers: Vec<Facts>, unlisted: u64, is_partial: bool) -> Value {
        let own = self.replica.identity().office;
        let office = self.replica.registry().office(own).map(|office| office.name.clone());
        let office = office.unwrap_or_else(|| own.to_string());
        let printed = When::of(self.now());
        let facts = RegisterFacts { office, printed, dossiers, unlisted, is_partial };
        json!({ "schema": SCHEMA, "facts": facts, "office": own })
    }

    /// The register at once; whoever has time asks for it piece by piece.
    pub(crate) fn print_register(&mut self, limit: usize) -> Result<Value, Failure> {
        let Registered { ids, unlisted } = self.registered_here(limit)?;
        let dossiers = self.brief_facts(&ids)?;
        let is_partial = self.viewer.door.figures().0 > 0;
        Ok(self.register(dossiers, unlisted, is_partial))
    }

    fn facts(&self, dossier: &Dossier, published: &Published, at: Moment) -> Facts {
        Facts::of(dossier, &Known { registry: self.replica.registry(), published }, at)
    }
}

/// Lays out a form from the answer of the node and writes it to a file that only its owner may
/// read. Without `out` the name tells the form and the code of the dossier, and nobody's name;
/// the file lies in the current folder. A plain file of that name is replaced.
pub fn print(
    answer: &Value,
    kind: FormKind,
    format: Format,
    out: Option<PathBuf>,
) -> Result<Value, Failure> {
    let (form, subject) = match kind {
        FormKind::Register => {
            let facts: RegisterFacts = read(&answer["facts"])?;
            (compose_register(&facts), answer["office"].as_str().unwrap_or_default().to_owned())
        }
        _ => {
            let facts: Facts = read(&answer["facts"])?;
            if !kind.is_of(&facts) {
                return Err(no_such_letter(kind));
            }
            (compose(kind, &facts), facts.code)
        }
    };
    let number = format!("{:02}", kind.number());
    let name = format!("form-{number}-{subject}.{}", format.ending());
    let file = out.unwrap_or_else(|| PathBuf::from(name));
    save(&file, &rendered(&form, format)?)?;
    let file = file.display().to_string();
    Ok(json!({ "schema": SCHEMA, "form": number, "of": subject, "file": file }))
}

fn no_such_letter(kind: FormKind) -> Failure {
    let (number, title) = (kind.number(), kind.title());
    let why = format!(
        "hồ sơ chưa có việc mà mẫu {number:02} ({title}) ghi nhận / \
         nothing that form {number:02} tells of was done"
    );
    let remedy = "ghi việc đó vào hồ sơ trước khi in / do it first with `lienthong dossier act`";
    Failure::refused("no-such-letter", NOT_PRINTED, why, remedy)
}

fn read<T: serde::de::DeserializeOwned>(facts: &Value) -> Result<T, Failure> {
    serde::Deserialize::deserialize(facts).map_err(|_| {
        let why = "the node says it in a way that this program does not know";
        let remedy = "use the program of the version that runs, or restart the node";
        Failure::version("answer-unreadable", NOT_PRINTED, why, remedy)
    })
}

fn rendered(form: &Form, format: Format) -> Result<Vec<u8>, Failure> {
    match format {
        Format::Html => Ok(html(form).into_bytes()),
        Format::Pdf => pdf(form).map_err(|error| {
            Failure::failed("no-pdf", NOT_PRINTED, error.to_string(), "print it as HTML")
        }),
    }
}

fn save(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |why: String| {
        let why = format!("{}: {why}", file.display());
        Failure::usage("file", NOT_PRINTED, why, "name another file with --out")
    };
    // A device or a folder must not be replaced by a file.
    if std::fs::symlink_metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(failed("it is there and is no plain file".to_owned()));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Such a file is its owner's alone from the start (mode 0600).
    let part = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
    let written = part.and_then(|mut part| {
        part.write_all(bytes)?;
        part.as_file().sync_all()?;
        part.persist(file).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| failed(error.to_string()))
}

const NOT_PRINTED: &str = "chưa in được / the form was not written";
/// The most lines of one register: some 200 pages.
const MAX_REGISTER: usize = 1_000;

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
