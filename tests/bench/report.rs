//! The table of what was measured, beside what was asked for.

use std::io::Write;
use std::time::Duration;

/// One line for each figure.
pub(crate) struct Report {
    dossiers: u64,
    lines: Vec<[String; 3]>,
}

impl Report {
    /// An empty report over a stock of this many dossiers.
    pub(crate) fn new(dossiers: u64) -> Report {
        Report { dossiers, lines: Vec::new() }
    }

    /// Notes one figure and shows it at once.
    pub(crate) fn line(&mut self, what: &str, aim: &str, found: String) {
        self.say(&format!("{what}: {found} (aim: {aim})"));
        self.lines.push([what.to_owned(), aim.to_owned(), found]);
    }

    /// Notes the spread of many waits.
    pub(crate) fn waits(&mut self, what: &str, aim: &str, mut waits: Vec<Duration>) {
        waits.sort();
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
        let ms = |wait: Duration| format!("{:.2} ms", wait.as_secs_f64() * 1e3);
        let (p50, p99, most) = (ms(at(0.5)), ms(at(0.99)), ms(at(1.0)));
        let found = format!("p50 {p50}, p99 {p99}, most {most} of {}", waits.len());
        self.line(what, aim, found);
    }

    /// Tells where the run stands.
    pub(crate) fn say(&self, words: &str) {
        drop(writeln!(std::io::stderr(), "{words}"));
    }

    /// Prints the whole as a table in Markdown.
    pub(crate) fn print(&self) {
        let mut out = std::io::stdout();
        let mut table = format!("Stock: {} dossiers of 21 signed changes.\n\n", self.dossiers);
        table.push_str("| figure | aim | measured |\n|---|---|---|\n");
        for [what, aim, found] in &self.lines {
            table.push_str(&format!("| {what} | {aim} | {found} |\n"));
        }
        out.write_all(table.as_bytes()).expect("standard output is open");
    }
}
