//! What people name on the command line, read within limits.

use std::path::Path;

use lienthong_dossier::Reception;
use lienthong_request::Failure;

/// A reception from its JSON. What the text holds is never repeated: it tells who somebody is.
pub fn reception(text: &[u8]) -> Result<Reception, Failure> {
    serde_json::from_slice(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let wanted = wanted(&error.to_string());
        let at = format!(
            "dòng {line}, cột {column} không hợp lệ / line {line}, column {column} does not fit a \
             reception{wanted}"
        );
        let remedy = "cần ít nhất procedure, offices.receiving và applicant.name / \
                      give at least procedure, offices.receiving and applicant.name";
        Failure::refused("bad-reception", "chưa tiếp nhận / not received", at, remedy)
    })
}

/// The part of a message that says what should stand there, without what stands there.
fn wanted(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    let part = match message.find("expected ") {
        Some(at) => &message[at..],
        None if message.starts_with("missing field") => message,
        None => return String::new(),
    };
    format!(": {part}")
}

/// The text of a file, or of standard input for `-`; at most 16 MiB.
pub fn text_of(file: &Path) -> Result<String, Failure> {
    use std::io::Read;
    let open = || -> std::io::Result<Box<dyn Read>> {
        if file == Path::new("-") {
            return Ok(Box::new(std::io::stdin()));
        }
        Ok(Box::new(std::fs::File::open(file)?))
    };
    let mut text = String::new();
    let read = open().and_then(|from| from.take(MAX_FILE_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| bad_file(file, &error.to_string()))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(bad_file(file, &format!("it is longer than {MAX_FILE_BYTES} bytes")));
    }
    Ok(text)
}

/// The failure of a file that a person named.
pub fn bad_file(file: &Path, why: &str) -> Failure {
    let why = format!("{}: {why}", file.display());
    Failure::usage(
        "file",
        "không dùng được tệp / the file cannot be used",
        why,
        "kiểm tra tên và quyền đọc / check its name and its rights",
    )
}

/// The largest file that is read as a whole; a province has some hundred kilobytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
