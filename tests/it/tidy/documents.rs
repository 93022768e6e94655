//! True documents: every path and link in a Markdown file leads somewhere.

use super::{Finding, Source, assert_caught, assert_clean, files, sources};

/// Endings by which a name in backticks is taken for a file of this repository.
const FILE_ENDINGS: [&str; 5] = [".rs", ".toml", ".md", ".service", ".lock"];

#[test]
fn names_in_documents_exist() {
    let files = files();
    assert_clean(&each_document(|document| missing_names(document, &files)));
}

#[test]
fn links_in_documents_resolve() {
    let files = files();
    assert_clean(&each_document(|document| broken_links(document, &files)));
}

fn each_document(rule: impl Fn(&Source) -> Vec<Finding>) -> Vec<Finding> {
    sources("md").iter().flat_map(rule).collect()
}

fn missing_names(document: &Source, files: &[String]) -> Vec<Finding> {
    let names = prose_lines(&document.text).flat_map(|(index, line)| {
        let spans = line.split('`').skip(1).step_by(2);
        spans.filter(|span| is_file_name(span)).map(move |span| (index, span))
    });
    let missing = names.filter(|(_, name)| !exists(name, folder_of(&document.path), files));
    let finding = |(index, name)| {
        let fault = format!("`{name}` does not exist");
        Finding::new(document.place(index), fault, "name what the tree has")
    };
    missing.map(finding).collect()
}

/// Whether a span in backticks names a file or folder of this repository. Patterns, absolute paths
/// and placeholders in capitals do not.
fn is_file_name(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let parts: Vec<&str> = span.split('/').collect();
    let placeholder = |part: &&str| part.len() > 1 && part.chars().all(|c| c.is_ascii_uppercase());
    let is_path = span.ends_with('/') || FILE_ENDINGS.iter().any(|ending| span.ends_with(ending));
    is_path
        && span.chars().all(plain)
        && !span.starts_with(['/', '.'])
        && !parts.iter().any(placeholder)
}

/// A name may be told from the root, from the document's folder, or, without a folder, by itself.
fn exists(name: &str, folder: &str, files: &[String]) -> bool {
    let has = |path: &str| match path.strip_suffix('/') {
        Some(folder) => files
            .iter()
            .any(|file| file.strip_prefix(folder).is_some_and(|below| below.starts_with('/'))),
        None => files.iter().any(|file| file == path),
    };
    let alone = !name.contains('/')
        && files.iter().any(|file| file.rsplit('/').next().is_some_and(|last| last == name));
    has(name) || has(&join(folder, name)) || alone
}

fn broken_links(document: &Source, files: &[String]) -> Vec<Finding> {
    let links = prose_lines(&document.text).flat_map(|(index, line)| {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.map(move |target| (index, target))
    });
    let local = links.filter_map(|(index, target)| {
        let path = target.split('#').next().unwrap_or_default();
        let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
        (!elsewhere).then_some((index, path))
    });
    let folder = folder_of(&document.path);
    let broken = local.filter(|(_, path)| {
        let target = join(folder, path.trim_end_matches('/'));
        let below = format!("{target}/");
        !files.iter().any(|file| *file == target || file.starts_with(&below))
    });
    let finding = |(index, path)| {
        let fault = format!("the link to {path} leads nowhere");
        Finding::new(document.place(index), fault, "link to what the tree has")
    };
    broken.map(finding).collect()
}

/// Lines outside fenced blocks, with their indices.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Joins two paths and resolves `.` and `..`.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')).filter(|part| !part.is_empty()) {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    let end = if path.ends_with('/') { "/" } else { "" };
    format!("{}{end}", parts.join("/"))
}

fn tree() -> Vec<String> {
    ["README.md", "protocol/README.md", "protocol/src/codec.rs", "node/src/main.rs"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn a_name_that_the_tree_lacks_is_caught() {
    let check = |text: &str| missing_names(&Source::new("protocol/README.md", text), &tree());
    for gone in ["`protocol/src/frames.rs`", "`crates/`", "`gone.rs`", "a `src/none.toml` b"] {
        let name = gone.split('`').nth(1).expect("samples hold a span");
        assert_caught(&check(&format!("one\n{gone}")), &format!("README.md:2: `{name}`"));
    }
    let fine = "`protocol/src/codec.rs` `src/codec.rs` `codec.rs` `node/` `DIR/` `/etc/x.toml` \
        `crates/*.rs` `Frame::encode`\n```text\n`gone.rs`\n```\n";
    assert_clean(&check(fine));
}

#[test]
fn a_link_to_nowhere_is_caught() {
    let check = |text: &str| broken_links(&Source::new("protocol/README.md", text), &tree());
    assert_caught(&check("[a](../node/src/lib.rs)"), "README.md:1: the link to ../node/src/lib.rs");
    assert_caught(&check("[a](#top) [b](gone.md#part)"), "the link to gone.md leads nowhere");
    assert_clean(&check("[a](../README.md) [b](src/) [c](https://example.org/x) [d](../node)"));
}
