//! What no compiler checks: arrows between crates, purity, shape, true documents, reference data.
//!
//! Every rule is a function from texts to findings, so that each is also tried on a bad sample.

mod arrows;
mod calendar;
mod catalogue;
mod documents;
mod lexed;
mod province;
mod purity;
mod reference;
mod shape;

use std::fmt;
use std::path::{Path, PathBuf};

use toml::Table;

/// One place that breaks a rule, and what to do about it.
#[derive(Debug)]
struct Finding {
    /// Path from the root of the repository, with `:line` where a line is meant.
    place: String,
    fault: String,
    remedy: &'static str,
}

impl Finding {
    fn new(place: impl fmt::Display, fault: impl Into<String>, remedy: &'static str) -> Finding {
        Finding { place: place.to_string(), fault: fault.into(), remedy }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.fault, self.remedy)
    }
}

/// A text file of the repository.
struct Source {
    /// Path from the root of the repository, with `/` between folders.
    path: String,
    text: String,
}

impl Source {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    fn place(&self, line_index: usize) -> String {
        format!("{}:{}", self.path, line_index + 1)
    }

    fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Holds tests only: the whole `tests` crate, and `tests.rs` or `*_tests.rs` beside a module.
    fn is_test(&self) -> bool {
        let name = self.file_name();
        self.path.starts_with("tests/") || name == "tests.rs" || name.ends_with("_tests.rs")
    }
}

/// A member of the workspace.
struct Member {
    /// Folder from the root of the repository; its last part is the name of the layer.
    folder: String,
    manifest: Table,
}

impl Member {
    fn new(folder: &str, manifest: &str) -> Member {
        let manifest = manifest.parse().expect("cargo has read this manifest before");
        Member { folder: folder.to_owned(), manifest }
    }

    fn layer(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or(&self.folder)
    }

    fn manifest_path(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    let absolute = root().join(path);
    std::fs::read_to_string(&absolute)
        .unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

/// Paths of all files of the repository, sorted; what cargo and git keep for themselves left out.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root().join(&folder)).expect("folder was just listed");
        for entry in entries {
            let entry = entry.expect("folder stays readable while tests run");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let is_folder = entry.file_type().expect("entry was just listed").is_dir();
            match is_folder {
                true if ["target", ".git", "node_modules"].contains(&&*name) => {}
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

fn sources(extension: &str) -> Vec<Source> {
    let suffix = format!(".{extension}");
    let wanted = files().into_iter().filter(|path| path.ends_with(&suffix));
    wanted.map(|path| Source::new(path.clone(), read(&path))).collect()
}

fn members() -> Vec<Member> {
    let root: Table = read("Cargo.toml").parse().expect("cargo has read this manifest before");
    let patterns = root["workspace"]["members"].as_array().expect("workspace lists its members");
    let patterns: Vec<&str> = patterns.iter().filter_map(|pattern| pattern.as_str()).collect();
    let is_member = |folder: &str| {
        patterns.iter().any(|pattern| match pattern.strip_suffix("/*") {
            Some(parent) => folder.rsplit_once('/').is_some_and(|(above, _)| above == parent),
            None => *pattern == folder,
        })
    };
    let manifests = files().into_iter().filter_map(|path| {
        path.strip_suffix("/Cargo.toml").filter(|folder| is_member(folder)).map(str::to_owned)
    });
    manifests.map(|folder| Member::new(&folder, &read(&format!("{folder}/Cargo.toml")))).collect()
}

#[track_caller]
fn assert_clean(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
}

/// Asserts that a rule found exactly one fault in a bad sample, and that it says `words`.
#[track_caller]
fn assert_caught(findings: &[Finding], words: &str) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.len() == 1 && lines[0].contains(words), "want {words:?} once, got {lines:?}");
}

#[test]
fn the_tree_is_seen_whole() {
    let layers: Vec<String> = members().iter().map(|m| m.layer().to_owned()).collect();
    for layer in ["protocol", "document", "replica", "store", "node", "tests"] {
        assert!(layers.iter().any(|found| found == layer), "{layer} is missing from {layers:?}");
    }
    assert!(sources("rs").iter().any(|source| source.path == "protocol/src/lib.rs"));
    assert!(!files().iter().any(|path| path.starts_with("target/")), "build output was read");
}
