//! The access log in words: who looked at which dossier.

use serde_json::Value;

use crate::layout::{listed, plain, rows_of};
use crate::words::time;

/// A table of looks, the newest first.
pub(crate) fn looks_in_words(answer: &Value) -> String {
    let headings = [
        ("thời điểm", "time"),
        ("ai", "who"),
        ("qua", "by"),
        ("đã xem", "saw"),
        ("mã hồ sơ", "code"),
        ("số hồ sơ", "dossiers"),
        ("tài liệu", "document"),
    ];
    let row = |look: &Value| {
        vec![
            time(&look["at_ms"]),
            plain(&look["who"]),
            way(&look["way"]),
            what(&look["what"]),
            plain(&look["code"]),
            look["dossiers"].as_u64().unwrap_or(1).to_string(),
            plain(&look["dossier"]),
        ]
    };
    let none = "chưa ai xem hồ sơ nào / nobody looked at a dossier";
    let mut text = listed(&headings, &rows_of(&answer["looks"], row), none);
    if let Some(lines) = answer["unreadable"].as_u64().filter(|lines| *lines > 0) {
        text.push_str(&format!(
            "\n\n{lines} dòng không đọc được, như sau khi mất điện / \
             {lines} lines do not read, as after a power cut"
        ));
    }
    text
}

fn way(word: &Value) -> String {
    let words = match word.as_str() {
        Some("page") => "trang web / page",
        Some("api") => "phần mềm khác / API",
        Some("command") => "dòng lệnh / command",
        Some("program") => "nút tự xem / the node",
        _ => return plain(word),
    };
    words.to_owned()
}

fn what(word: &Value) -> String {
    let words = match word.as_str() {
        Some("dossier") => "hồ sơ / dossier",
        Some("review") => "việc cần xem lại / review",
        Some("history") => "lịch sử / history",
        Some("form") => "biểu mẫu / form",
        Some("register") => "sổ / register",
        Some("export") => "bản xuất / export",
        _ => return plain(word),
    };
    words.to_owned()
}
