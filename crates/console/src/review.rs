//! What somebody has to decide or to check, in words.

use serde_json::Value;

use crate::layout::{listed, plain, rows_of};
use crate::words::{facts, local_time, page_of, status_words, warned};

/// A list of dossiers, each with the first of what is open, and of receipts used twice.
pub(crate) fn reviews(answer: &Value) -> String {
    let headings = [
        ("mã hồ sơ", "code"),
        ("trạng thái", "status"),
        ("cơ quan xem lại", "office to look"),
        ("mục", "items"),
        ("việc đầu tiên", "the first of them"),
    ];
    let row = |dossier: &Value| {
        let (open, kinds) = (&dossier["open"], ["review", "unconfirmed", "findings"]);
        let items = kinds.iter().filter_map(|kind| dossier[kind].as_u64());
        vec![
            plain(&dossier["code"]),
            status_words(&dossier["status"]),
            plain(&open["office"]),
            items.fold(0, u64::saturating_add).to_string(),
            format!("{} / {}", plain(&open["words_vi"]), plain(&open["words"])),
        ]
    };
    let receipts = rows_of(&answer["receipts"], receipt);
    let none = if receipts.is_empty() { NOTHING_OPEN } else { "" };
    let mut text = page_of(listed(&headings, &rows_of(&answer["dossiers"], row), none), answer);
    for receipt in receipts {
        text.push_str(&format!("\n\ncần kiểm tra / to be checked: {receipt}"));
    }
    text
}

/// A receipt that stands in several dossiers.
fn receipt(shared: &Value) -> String {
    let (series, number) = (plain(&shared["series"]), plain(&shared["number"]));
    let codes = rows_of(&shared["dossiers"], |dossier| plain(&dossier["code"])).join(", ");
    format!(
        "biên lai {series} số {number} có ở nhiều hồ sơ / \
         receipt {series} {number} stands in several dossiers: {codes}"
    )
}

/// What about one dossier is to be looked at.
pub(crate) fn reviewed(answer: &Value) -> String {
    let mut text = facts(answer);
    let both =
        |finding: &Value| format!("{} / {}", plain(&finding["words_vi"]), plain(&finding["words"]));
    let decide = rows_of(&answer["review"], review);
    let look = rows_of(&answer["findings"], both);
    if decide.is_empty() && look.is_empty() {
        text.push_str(&format!("\n{NOTHING_OPEN}"));
    }
    decide
        .iter()
        .for_each(|entry| text.push_str(&format!("\n\ncần xem lại / to be decided: {entry}")));
    look.iter()
        .for_each(|entry| text.push_str(&format!("\n\ncần kiểm tra / to be checked: {entry}")));
    if let Some(at) = answer["clock"]["accept_by_ms"].as_u64() {
        text.push_str(&format!("\n\nhạn tiếp nhận / to be taken in by: {}", local_time(at)));
    }
    if let Some(due) = answer["clock"]["due_ms"].as_u64() {
        text.push_str(&format!("\n\nhẹn trả / due: {}", local_time(due)));
    }
    warned(text, answer)
}

/// One question that a person has to decide.
pub(crate) fn review(entry: &Value) -> String {
    match entry["kind"].as_str() {
        Some("conflict") => format!("{} / {}", plain(&entry["words_vi"]), plain(&entry["words"])),
        Some("unreadable") => {
            let entries = plain(&entry["entries"]);
            format!("{entries} mục không đọc được / {entries} entries cannot be read")
        }
        _ => plain(entry),
    }
}

const NOTHING_OPEN: &str = "không có gì phải xem lại / nothing to look at";
