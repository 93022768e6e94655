//! Sizes and habits: what CONTRIBUTING.md says in its size table.

use super::lexed::{Lexed, has_word, item_end};
use super::{Finding, Source, assert_caught, assert_clean, sources};

const MAX_FUNCTION_LINES: usize = 70;
const MAX_FILE_LINES: usize = 500;
const MAX_COLUMNS: usize = 100;
const MAX_MODULES: usize = 12;

#[test]
fn functions_fit_a_screen() {
    assert_clean(&each_source(long_functions));
}

#[test]
fn files_stay_short() {
    assert_clean(&each_source(long_file));
}

#[test]
fn lines_stay_narrow() {
    assert_clean(&each_source(long_lines));
}

#[test]
fn no_code_unwraps() {
    assert_clean(&each_source(unwraps));
}

#[test]
fn no_lint_is_silenced() {
    assert_clean(&each_source(silenced_lints));
}

#[test]
fn no_comment_puts_work_off() {
    assert_clean(&each_source(put_off_work));
}

#[test]
fn sources_are_flat() {
    assert_clean(&each_source(deep_folder));
}

#[test]
fn a_crate_has_few_modules() {
    assert_clean(&crowded_crates(&sources("rs")));
}

fn each_source(rule: fn(&Source) -> Vec<Finding>) -> Vec<Finding> {
    sources("rs").iter().flat_map(rule).collect()
}

fn long_functions(source: &Source) -> Vec<Finding> {
    let lexed = Lexed::new(&source.text);
    let code = lexed.code();
    let mut findings = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let is_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let Some(end) = item_end(code, at).filter(|_| is_word) else {
            continue;
        };
        let lines = code[at..end].matches('\n').count() + 1;
        if lines > MAX_FUNCTION_LINES {
            let name = code[at + 3..end].split(['(', '<']).next().unwrap_or_default();
            let fault = format!("fn {name} has {lines} lines, the limit is {MAX_FUNCTION_LINES}");
            let place = source.place(code[..at].matches('\n').count());
            findings.push(Finding::new(
                place,
                fault,
                "find the smallest step inside it and name it",
            ));
        }
    }
    findings
}

fn long_file(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    if lines <= MAX_FILE_LINES || source.is_test() {
        return Vec::new();
    }
    let fault = format!("{lines} lines, the limit is {MAX_FILE_LINES}");
    vec![Finding::new(&source.path, fault, "cut at the smallest surface inside it")]
}

fn long_lines(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate().map(|(index, line)| (index, line.chars().count()));
    let finding = |(index, columns)| {
        let fault = format!("{columns} columns, the limit is {MAX_COLUMNS}");
        Finding::new(source.place(index), fault, "break the line")
    };
    lines.filter(|(_, columns)| *columns > MAX_COLUMNS).map(finding).collect()
}

fn unwraps(source: &Source) -> Vec<Finding> {
    let lexed = Lexed::new(&source.text);
    let lines = lexed.code().lines().enumerate().filter(|(_, line)| line.contains(".unwrap("));
    let remedy = "return the error, or state the invariant with expect";
    lines.map(|(index, _)| Finding::new(source.place(index), "unwrap", remedy)).collect()
}

fn silenced_lints(source: &Source) -> Vec<Finding> {
    let lexed = Lexed::new(&source.text);
    let silences = |line: &str| {
        let attribute = line.contains("#[allow") || line.contains("#![allow");
        attribute || (line.contains("cfg_attr") && line.contains("allow("))
    };
    let lines = lexed.code().lines().enumerate().filter(|(_, line)| silences(line));
    let remedy = "mend the code, or use #[expect(..., reason = \"...\")]";
    lines.map(|(index, _)| Finding::new(source.place(index), "a silenced lint", remedy)).collect()
}

fn put_off_work(source: &Source) -> Vec<Finding> {
    let lexed = Lexed::new(&source.text);
    let marks = ["TODO", "FIXME", "XXX", "HACK"];
    let marked = |line: &str| marks.into_iter().find(|mark| has_word(line, mark));
    let lines = lexed.comments().lines().enumerate();
    let marked = lines.filter_map(|(index, line)| marked(line).map(|mark| (index, mark)));
    let remedy = "do it now, or open an issue";
    marked.map(|(index, mark)| Finding::new(source.place(index), mark, remedy)).collect()
}

fn deep_folder(source: &Source) -> Vec<Finding> {
    let below_src = source.path.split_once("/src/").map_or("", |(_, below)| below);
    if !below_src.contains('/') {
        return Vec::new();
    }
    vec![Finding::new(&source.path, "a folder inside src", "keep src flat")]
}

fn crowded_crates(sources: &[Source]) -> Vec<Finding> {
    let mut modules = std::collections::BTreeMap::<&str, usize>::new();
    let is_module = |source: &&Source| {
        !source.is_test() && !["lib.rs", "main.rs"].contains(&source.file_name())
    };
    for source in sources.iter().filter(is_module) {
        if let Some((folder, _)) = source.path.split_once("/src/") {
            *modules.entry(folder).or_default() += 1;
        }
    }
    let finding = |(folder, count): (&str, usize)| {
        let fault = format!("{count} modules, the limit is {MAX_MODULES}");
        Finding::new(folder, fault, "join two that change together, or make a crate of some")
    };
    // The node is the one place where all layers meet, and the program that people type into.
    // The dossier holds all its business: each kind of rule and record has a module of its own.
    // The catalogue has one for each thing that is published, read or worked out.
    let limit = |folder: &str| match folder {
        "node" => MAX_MODULES + 17,
        "crates/dossier" => MAX_MODULES + 8,
        // One of them is the simulated disk, for the tests of all who stand above.
        "crates/store" => MAX_MODULES + 1,
        "crates/catalogue" => MAX_MODULES + 1,
        _ => MAX_MODULES,
    };
    modules.into_iter().filter(|(folder, count)| *count > limit(folder)).map(finding).collect()
}

fn sample(text: impl Into<String>) -> Source {
    Source::new("crates/store/src/log.rs", text)
}

#[test]
fn a_long_function_is_caught() {
    let body = "    step();\n".repeat(MAX_FUNCTION_LINES - 1);
    let long = sample(format!("\nimpl Log {{\npub fn append(&mut self) {{\n{body}}}\n}}\n"));
    let caught = long_functions(&long);
    assert_caught(&caught, "log.rs:3: fn append has 71 lines, the limit is 70");
    let long = sample(format!("fn append(Log {{ at, .. }}: Log) {{\n{body}}}\n"));
    assert_caught(&long_functions(&long), "log.rs:1: fn append has 71 lines, the limit is 70");
    let fits = "    step();\n".repeat(MAX_FUNCTION_LINES - 2);
    assert_clean(&long_functions(&sample(format!("fn append() {{\n{fits}}}\n"))));
}

#[test]
fn a_long_file_is_caught_and_a_long_test_is_not() {
    let text = "\n".repeat(MAX_FILE_LINES + 1);
    assert_caught(&long_file(&sample(text.as_str())), "501 lines, the limit is 500");
    assert_clean(&long_file(&Source::new("crates/store/src/log_tests.rs", text)));
}

#[test]
fn a_wide_line_is_caught_by_characters_not_bytes() {
    assert_caught(&long_lines(&sample("x".repeat(101))), "101 columns, the limit is 100");
    assert_clean(&long_lines(&sample("ồ".repeat(100))));
}

#[test]
fn bad_habits_are_caught() {
    assert_caught(&unwraps(&sample("let a = b\n    .unwrap();")), "log.rs:2: unwrap");
    assert_clean(&unwraps(&sample("let a = b.unwrap_or(0); // .unwrap()")));
    for silenced in ["#[allow(dead_code)]", "#![allow(dead_code)]", "#[cfg_attr(unix, allow(a))]"] {
        assert_caught(&silenced_lints(&sample(silenced)), "a silenced lint");
    }
    assert_caught(&put_off_work(&sample("let a = 1;\n// FIXME later")), "log.rs:2: FIXME");
    assert_clean(&put_off_work(&sample("let todo = \"TODO\";")));
}

#[test]
fn a_deep_folder_and_a_thirteenth_module_are_caught() {
    assert_caught(&deep_folder(&Source::new("node/src/cli/dossier.rs", "")), "a folder inside src");
    let file = |n| Source::new(format!("crates/views/src/part{n}.rs"), "");
    let crowd: Vec<Source> = (0..=MAX_MODULES).map(file).collect();
    assert_caught(&crowded_crates(&crowd), "crates/views: 13 modules, the limit is 12");
    assert_clean(&crowded_crates(&crowd[1..]));
}
