//! What a form keeps: its errors beside their fields, and its draft while it is not sent.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lienthong_folder::{read_limited, replace_with};
use lienthong_protocol::Moment;
use lienthong_request::Failure;
use serde::{Deserialize, Serialize};

use crate::page::{in_words, sentence};
use crate::words::Tongue;

/// What is wrong in a form, field by field, in the order in which it was found.
#[derive(Debug, Default)]
pub struct FieldErrors {
    held: Vec<(String, String)>,
}

impl FieldErrors {
    /// Says what is wrong with a field, why, and what to do.
    pub fn add(&mut self, field: &str, words: impl Into<String>) {
        self.held.push((field.to_owned(), words.into()));
    }

    /// Says what a refusal is about, beside the field that it is about.
    pub fn add_failure(&mut self, field: &str, failure: &Failure, tongue: Tongue<'_>) {
        let [what, why, remedy] = in_words(failure, tongue);
        self.add(field, format!("{}: {why}. {}.", sentence(&what), sentence(&remedy)));
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What is wrong with a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.held.iter().find(|(held, _)| held == field).map(|(_, words)| &**words)
    }

    /// Everything that is wrong, with the fields, for the summary at the head of the form.
    pub fn all(&self) -> &[(String, String)] {
        &self.held
    }
}

/// The drafts of one officer: a file of the data folder, so that they outlive the browser, the
/// session and the node. At most 20 forms of 64 KiB, forgotten after 7 days.
#[derive(Debug)]
pub struct Drafts {
    file: PathBuf,
    held: BTreeMap<String, Draft>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    at_ms: u64,
    fields: Vec<(String, String)>,
}

impl Drafts {
    /// The drafts of an officer; none if there is no file, or one that does not read.
    pub fn open(folder: &Path, officer: &str, now: Moment) -> Result<Drafts, Failure> {
        // The name of the file tells nobody who wrote it.
        let name = blake3::hash(officer.as_bytes()).to_hex();
        let file = folder.join(FOLDER).join(format!("{}.json", &name[..32]));
        let held = match read_limited(&file, MAX_FILE_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Failure::disk(UNREAD, &file, &error)),
        };
        let mut drafts = Drafts { file, held };
        drafts.held.retain(|_, draft| now.0.saturating_sub(draft.at_ms) < MAX_AGE_MS);
        Ok(drafts)
    }

    /// The fields of a form's draft.
    pub fn of(&self, form: &str) -> Option<&[(String, String)]> {
        self.held.get(form).map(|draft| &*draft.fields)
    }

    /// Keeps what stands in a form; on disk when this returns. The oldest draft makes place.
    pub fn keep(
        &mut self,
        form: &str,
        fields: &[(String, String)],
        now: Moment,
    ) -> Result<(), Failure> {
        let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > MAX_DRAFT_BYTES || form.len() > MAX_FORM_BYTES {
            let why = format!("the draft has {bytes} bytes, the limit is {MAX_DRAFT_BYTES}");
            return Err(Failure::usage("draft-too-large", UNSAVED, why, "write less"));
        }
        let draft = Draft { at_ms: now.0, fields: fields.to_vec() };
        self.held.insert(form.to_owned(), draft);
        while self.held.len() > MAX_DRAFTS {
            let oldest = self.held.iter().min_by_key(|(_, draft)| draft.at_ms);
            let Some(form) = oldest.map(|(form, _)| form.clone()) else { break };
            self.held.remove(&form);
        }
        self.save()
    }

    /// Forgets a draft, as when its form was sent.
    pub fn forget(&mut self, form: &str) -> Result<(), Failure> {
        match self.held.remove(form) {
            Some(_) => self.save(),
            None => Ok(()),
        }
    }

    fn save(&self) -> Result<(), Failure> {
        use std::os::unix::fs::DirBuilderExt;
        let saved = || {
            let folder = self.file.parent().unwrap_or(Path::new("."));
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let bytes = serde_json::to_vec(&self.held).map_err(io::Error::from)?;
            replace_with(&self.file, |_| Ok(bytes))
        };
        saved().map_err(|error| Failure::disk(UNSAVED, &self.file, &error))
    }
}

const FOLDER: &str = "drafts";
const UNREAD: &str = "draft not read";
const UNSAVED: &str = "draft not saved";
const MAX_DRAFTS: usize = 20;
const MAX_DRAFT_BYTES: usize = 64 << 10;
const MAX_FORM_BYTES: usize = 64;
/// Twice what all drafts hold: JSON escapes what is quoted.
const MAX_FILE_BYTES: u64 = 4 << 20;
const MAX_AGE_MS: u64 = 7 * 86_400_000;

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
