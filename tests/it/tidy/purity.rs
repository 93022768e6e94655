//! The pure crates: no clock, randomness, environment, files or network, and no order by chance.

use super::lexed::{Lexed, has_word};
use super::{Finding, Source, assert_caught, assert_clean, sources};

const PURE: [&str; 7] = [
    "protocol/src/",
    "crates/health/src/",
    "crates/document/src/",
    "crates/federation/src/",
    "crates/catalogue/src/",
    "crates/dossier/src/",
    "crates/replica/src/",
];

/// A word that a pure crate must not name, and what it does instead.
const AMBIENT: [(&str, &str); 23] = [
    ("Instant", TAKE_MOMENT),
    ("SystemTime", TAKE_MOMENT),
    ("Utc::now", TAKE_MOMENT),
    ("Zoned::now", TAKE_MOMENT),
    ("ZonedDateTime::now", TAKE_MOMENT),
    ("Timestamp::now", TAKE_MOMENT),
    ("now_v7", "derive the id from its creator"),
    ("new_v4", "derive the id from its creator"),
    ("rand", TAKE_BYTES),
    ("getrandom", TAKE_BYTES),
    ("thread_rng", TAKE_BYTES),
    ("OsRng", TAKE_BYTES),
    ("RandomState", TAKE_BYTES),
    ("std::env", TAKE_VALUE),
    ("std::fs", TAKE_VALUE),
    ("std::thread", "return an effect and let node perform it"),
    ("std::process", "return an effect and let node perform it"),
    ("TcpStream", "return an effect and let node perform it"),
    ("TcpListener", "return an effect and let node perform it"),
    ("UdpSocket", "return an effect and let node perform it"),
    ("tokio", "return an effect and let node perform it"),
    ("HashMap", "take BTreeMap, whose order is the same in every run"),
    ("HashSet", "take BTreeSet, whose order is the same in every run"),
];

const TAKE_MOMENT: &str = "take `now: Moment` as an argument";
const TAKE_BYTES: &str = "take the random bytes as an argument";
const TAKE_VALUE: &str = "take the value as an argument";

/// Modules of `std` that a grouped import, `use std::{env, fs}`, could bring in unseen.
const GROUPED: [&str; 4] = ["env", "fs", "thread", "process"];

#[test]
fn pure_crates_read_nothing_but_their_arguments() {
    assert_clean(&ambient_reads(&sources("rs")));
}

fn ambient_reads(sources: &[Source]) -> Vec<Finding> {
    let is_pure = |source: &&Source| PURE.iter().any(|folder| source.path.starts_with(folder));
    let pure = sources.iter().filter(is_pure).filter(|source| !source.is_test());
    pure.flat_map(ambient_reads_of).collect()
}

fn ambient_reads_of(source: &Source) -> Vec<Finding> {
    let shipped = Lexed::new(&source.text).shipped_code();
    let mut findings = Vec::new();
    for (index, line) in shipped.lines().enumerate() {
        for (word, remedy) in AMBIENT.iter().filter(|(word, _)| has_word(line, word)) {
            let fault = format!("{word} in a pure crate");
            findings.push(Finding::new(source.place(index), fault, remedy));
        }
    }
    findings.extend(grouped_imports(source, &shipped));
    findings
}

fn grouped_imports(source: &Source, shipped: &str) -> Vec<Finding> {
    let imports = shipped.match_indices("use std::{").map(|(at, _)| {
        let statement = shipped[at..].split(';').next().unwrap_or_default();
        (shipped[..at].matches('\n').count(), statement)
    });
    let named = imports.flat_map(|(line, statement)| {
        let modules = GROUPED.into_iter().filter(|module| has_word(statement, module));
        modules.map(move |module| (line, module))
    });
    let finding = |(line, module): (usize, &str)| {
        Finding::new(source.place(line), format!("std::{module} in a pure crate"), TAKE_VALUE)
    };
    named.map(finding).collect()
}

#[test]
fn every_ambient_read_is_caught() {
    for (word, _) in AMBIENT {
        let source = Source::new("crates/replica/src/link.rs", format!("fn f() {{ {word}(); }}"));
        assert_caught(&ambient_reads(&[source]), word);
    }
    let grouped = Source::new("protocol/src/id.rs", "use std::{\n    fmt,\n    fs,\n};");
    assert_caught(&ambient_reads(&[grouped]), "std::fs in a pure crate");
}

#[test]
fn comments_tests_and_other_crates_may_name_the_clock() {
    let comment = Source::new("protocol/src/id.rs", "// not Instant::now\nfn f() {}");
    let inline = "#[cfg(test)]\nmod tests {\n    use std::time::Instant;\n}";
    let inline = Source::new("protocol/src/id.rs", inline);
    let tests = Source::new("protocol/src/tests.rs", "use std::collections::HashMap;");
    let node = Source::new("node/src/serve.rs", "use std::time::Instant;");
    assert_clean(&ambient_reads(&[comment, inline, tests, node]));
}
