//! Tables in columns, on a terminal that nothing others wrote may steer.

use serde_json::Value;

pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) => clean(text),
        other => clean(&other.to_string()),
    }
}

pub(crate) fn rows_of<T>(list: &Value, row: impl Fn(&Value) -> T) -> Vec<T> {
    list.as_array().into_iter().flatten().map(row).collect()
}

pub(crate) fn listed(headings: &[(&str, &str)], rows: &[Vec<String>], none: &str) -> String {
    if rows.is_empty() { none.to_owned() } else { table(headings, rows) }
}

/// A table: two lines of headings, Vietnamese and English, then the rows. Columns of numbers are
/// aligned to the right; a cell has at most 80 characters.
pub fn table(headings: &[(&str, &str)], rows: &[Vec<String>]) -> String {
    let vietnamese = headings.iter().map(|(vietnamese, _)| (*vietnamese).to_owned()).collect();
    let english = headings.iter().map(|(_, english)| (*english).to_owned()).collect();
    let mut all = vec![vietnamese, english];
    all.extend_from_slice(rows);
    columns(&all, 2)
}

/// Rows in columns, two blanks apart, without blanks at the ends of lines. Below the headings a
/// column of numbers is aligned to the right; a table without headings has none.
pub(crate) fn columns(rows: &[Vec<String>], headings: usize) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| cut(cell)).collect()).collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at));
    let widths: Vec<usize> =
        (0..count).map(|at| cells(at).map(|cell| width(cell)).max().unwrap_or(0)).collect();
    let is_number = |cell: &String| cell.parse::<i64>().is_ok();
    let is_right = |at: usize| {
        let mut below = cells(at).skip(headings).filter(|cell| *cell != NOTHING).peekable();
        headings > 0 && below.peek().is_some() && below.all(is_number)
    };
    let rights: Vec<bool> = (0..count).map(is_right).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let blanks = " ".repeat(widths[at] - width(cell));
            if rights[at] { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The columns that a text takes on a terminal: marks lie on the letter before them.
fn width(text: &str) -> usize {
    text.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).count()
}

fn cut(text: &str) -> String {
    if width(text) <= MAX_CELL {
        return text.to_owned();
    }
    text.chars().take(MAX_CELL - 1).chain(['…']).collect()
}

pub(crate) fn clean(text: &str) -> String {
    let turns = |c: char| {
        matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
            || matches!(c, '\u{2066}'..='\u{2069}' | '\u{61c}')
    };
    text.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}

/// What stands where nothing is known.
pub(crate) const NOTHING: &str = "-";
const MAX_CELL: usize = 80;
