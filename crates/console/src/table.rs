//! Receptions in a CSV file: one a row, the first row names the columns.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::{ByteRecord, Reader, ReaderBuilder};
use lienthong_request::Failure;
use serde_json::{Map, Value, json};

/// The longest row, in bytes, with all its cells.
pub(crate) const MAX_ROW_BYTES: usize = 1_000_000;
/// The most of the first row that is looked at for the character between cells.
const MAX_HEADER_BYTES: usize = 16 << 10;

/// How the text of a cell becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    /// `x`, `1`, `true`, `yes` or `có`; anything else but an empty cell is refused.
    Flag,
    /// Words with blanks, commas or semicolons between.
    List,
    /// Codes of papers with semicolons between, each with `:originals/copies` behind it or not:
    /// then one original.
    Papers,
    /// What people keep for themselves; it goes nowhere.
    Ignored,
}

/// Every column that there can be: where its value goes in a reception, and its shape.
const COLUMNS: [(&str, Shape); 32] = [
    ("procedure", Shape::Text),
    ("version", Shape::Number),
    ("case", Shape::Text),
    ("field", Shape::Text),
    ("parent_code", Shape::Text),
    ("channel", Shape::Text),
    ("return_by", Shape::Text),
    ("due", Shape::Text),
    ("note", Shape::Text),
    ("components", Shape::Papers),
    ("offices.receiving", Shape::Text),
    ("offices.competent", Shape::Text),
    ("offices.coordinating", Shape::List),
    ("offices.returning", Shape::Text),
    ("offices.shelf", Shape::Text),
    ("applicant.kind", Shape::Text),
    ("applicant.name", Shape::Text),
    ("applicant.id_kind", Shape::Text),
    ("applicant.id_number", Shape::Text),
    ("applicant.birth_date", Shape::Text),
    ("applicant.phone", Shape::Text),
    ("applicant.email", Shape::Text),
    ("applicant.address", Shape::Text),
    ("applicant.consents.email", Shape::Flag),
    ("applicant.consents.sms", Shape::Flag),
    ("applicant.consents.zalo", Shape::Flag),
    ("submitter.name", Shape::Text),
    ("submitter.id_kind", Shape::Text),
    ("submitter.id_number", Shape::Text),
    ("submitter.phone", Shape::Text),
    ("submitter.authorisation", Shape::Text),
    ("remark", Shape::Ignored),
];

/// The rows of a file, one at a time and none longer than the limit.
pub(crate) struct Table {
    rows: Reader<Rationed>,
    columns: Vec<(&'static str, Shape)>,
    ration: Rc<Cell<usize>>,
    line: u64,
}

/// One row that is not blank.
pub(crate) struct Row {
    /// The line of the file on which it begins.
    pub(crate) line: u64,
    /// How many bytes of the file end with it.
    pub(crate) end: u64,
    /// A reception as JSON.
    pub(crate) value: Result<Value, Failure>,
}

impl Table {
    /// Reads the first row. A mark of byte order before it is passed over; cells may be parted by
    /// commas, semicolons or tabs.
    pub(crate) fn open(mut from: Box<dyn BufRead>) -> Result<Table, Failure> {
        let start = from.fill_buf().map_err(|error| unreadable(&error.to_string()))?;
        let mark = if start.starts_with(MARK) { MARK.len() } else { 0 };
        let first = &start[mark..start.len().min(MAX_HEADER_BYTES)];
        let first = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let count = |part: u8| first.iter().filter(|byte| **byte == part).count();
        let parts = b";\t,".iter().copied();
        let delimiter = parts.max_by_key(|part| count(*part)).unwrap_or(b',');
        from.consume(mark);
        let ration = Rc::new(Cell::new(MAX_ROW_BYTES));
        let from = Rationed { from, left: Rc::clone(&ration) };
        let mut rows = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(from);
        let mut first = ByteRecord::new();
        rows.read_byte_record(&mut first).map_err(|error| unreadable(&error.to_string()))?;
        let columns = first.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let twice = (1..columns.len()).find(|at| columns[..*at].contains(&columns[*at]));
        if let Some(at) = twice {
            return Err(bad_header(&format!(
                "có hai cột / the column '{}' is there twice",
                columns[at].0
            )));
        }
        let required = ["procedure", "offices.receiving", "applicant.name"];
        let is_there = |name: &&str| columns.iter().any(|(known, _)| known == name);
        if let Some(missing) = required.iter().find(|name| !is_there(name)) {
            return Err(bad_header(&format!("thiếu cột / the column '{missing}' is missing")));
        }
        Ok(Table { rows, columns, ration, line: 1 })
    }

    /// The next row; an error ends the file, because nobody knows where the next row begins.
    pub(crate) fn next(&mut self) -> Result<Option<Row>, Failure> {
        loop {
            self.ration.set(MAX_ROW_BYTES);
            let mut row = ByteRecord::new();
            let more = self.rows.read_byte_record(&mut row);
            let more = more.map_err(|error| {
                let why = match error.kind() {
                    csv::ErrorKind::Io(cause) => cause.to_string(),
                    _ => error.to_string(),
                };
                unreadable(&format!("the row behind line {}: {why}", self.line))
            })?;
            if !more {
                return Ok(None);
            }
            self.line = row.position().map_or(self.line, csv::Position::line);
            if row.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                let (line, end) = (self.line, self.rows.position().byte());
                return Ok(Some(Row { line, end, value: self.value(&row) }));
            }
        }
    }

    fn value(&self, row: &ByteRecord) -> Result<Value, Failure> {
        if row.len() != self.columns.len() {
            let (cells, columns) = (row.len(), self.columns.len());
            let why = format!(
                "hàng có {cells} ô, hàng đầu ghi {columns} cột / the row has {cells} cells, the \
                 first row names {columns}"
            );
            let remedy = "đặt nội dung có dấu ngăn ô trong ngoặc kép / put texts that hold the \
                          character between cells in quotes";
            return Err(Failure::refused("cells-do-not-fit", NOT_RECEIVED, why, remedy));
        }
        let mut value = Value::Object(Map::new());
        for ((path, shape), cell) in self.columns.iter().zip(row) {
            let text = str::from_utf8(cell).map_err(|_| not_utf8(path))?.trim();
            if text.is_empty() || *shape == Shape::Ignored {
                continue;
            }
            let place = path.split('.').fold(&mut value, |place, key| &mut place[key]);
            *place = shape.value(path, text)?;
        }
        Ok(value)
    }
}

impl Shape {
    fn value(self, path: &str, text: &str) -> Result<Value, Failure> {
        match self {
            Shape::Text | Shape::Ignored => Ok(Value::from(text)),
            Shape::Number => {
                text.parse::<u32>().map(Value::from).map_err(|_| bad_cell(path, "a whole number"))
            }
            Shape::Flag => match text.to_lowercase().as_str() {
                "x" | "1" | "true" | "yes" | "có" => Ok(Value::from(true)),
                "0" | "false" | "no" | "không" => Ok(Value::from(false)),
                _ => Err(bad_cell(path, "x, or an empty cell")),
            },
            Shape::List => {
                let words = text.split([' ', ',', ';']).filter(|word| !word.is_empty());
                Ok(words.collect())
            }
            Shape::Papers => {
                let papers = text.split(';').map(str::trim).filter(|paper| !paper.is_empty());
                let papers: Option<Value> = papers.map(paper).collect();
                papers.ok_or_else(|| bad_cell(path, "codes such as TP01; TP02:1/2"))
            }
        }
    }
}

/// A component whose name the node takes from the catalogue.
fn paper(text: &str) -> Option<Value> {
    let (code, counts) = text.split_once(':').unwrap_or((text, "1/0"));
    let (originals, copies) = counts.split_once('/')?;
    let count = |text: &str| text.trim().parse::<u16>().ok();
    let (code, originals, copies) = (code.trim(), count(originals)?, count(copies)?);
    let known = json!({ "code": code, "originals": originals, "copies": copies });
    (!code.is_empty()).then_some(known)
}

fn column(name: &[u8]) -> Result<(&'static str, Shape), Failure> {
    let name = String::from_utf8_lossy(name);
    let known = COLUMNS.into_iter().find(|(path, _)| *path == name.trim());
    known.ok_or_else(|| {
        let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        bad_header(&format!("không có cột tên đó / there is no column '{name}'"))
    })
}

/// What a cell holds is never repeated: it may tell who somebody is.
fn bad_cell(path: &str, wanted: &str) -> Failure {
    let why = format!("{path}: không đúng dạng / not {wanted}");
    let remedy = format!("sửa ô đó / write {wanted}");
    Failure::refused("bad-cell", NOT_RECEIVED, why, remedy)
}

fn not_utf8(path: &str) -> Failure {
    let why = format!("{path}: không phải UTF-8 / not UTF-8");
    let remedy = "lưu tệp dạng CSV UTF-8 / save the file as CSV UTF-8";
    Failure::refused("not-utf8", NOT_RECEIVED, why, remedy)
}

const NOT_RECEIVED: &str = "chưa tiếp nhận / not received";
const NOT_ALL: &str = "chưa nhập hết / not all was imported";

fn bad_header(why: &str) -> Failure {
    let remedy = "ghi tên cột như mục `import` của config/README.md / name the columns as \
                  config/README.md does under `import`";
    Failure::usage("bad-header", "chưa nhập gì / nothing was imported", why, remedy)
}

fn unreadable(why: &str) -> Failure {
    let remedy = "tìm dấu ngoặc kép chưa đóng, rồi nhập lại từ hàng đó / look for a quote that is \
                  not closed; import the rows from there on again";
    Failure::usage("unreadable-table", NOT_ALL, why, remedy)
}

/// A reader that gives no more than one row may have, and what lies before it in the buffer.
struct Rationed {
    from: Box<dyn BufRead>,
    left: Rc<Cell<usize>>,
}

impl Read for Rationed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            let words = format!("it is longer than the limit of {MAX_ROW_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        let count = self.from.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(count));
        Ok(count)
    }
}

/// The mark of byte order that some programs write before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
