//! What is published, in words: catalogue, calendars, staff.

use lienthong_catalogue::LegalLimit;
use serde_json::Value;

use crate::layout::{listed, plain, rows_of};

/// The procedures of a day in words.
pub(crate) fn procedures_in_words(answer: &Value) -> String {
    let headings = [
        ("mã thủ tục", "code"),
        ("bản", "version"),
        ("cấp", "level"),
        ("thời hạn", "limit"),
        ("lĩnh vực", "field"),
        ("tên", "name"),
    ];
    let keys = ["code", "version", "level", "limit", "field", "name"];
    let row = |procedure: &Value| keys.map(|key| plain(&procedure[key])).to_vec();
    let rows = rows_of(&answer["procedures"], row);
    listed(&headings, &rows, "không có thủ tục nào / no procedures")
}

/// One procedure in words.
pub(crate) fn procedure_in_words(answer: &Value) -> String {
    let procedure = &answer["procedure"];
    let line = |name: &str, value: String| format!("{name}: {value}");
    let list = |key: &str| rows_of(&procedure[key], plain).join(", ");
    let mut lines = vec![
        plain(&procedure["name"]),
        line("mã / code", plain(&answer["code"])),
        line("bản / version", plain(&answer["version"])),
        line("hiệu lực từ / valid from", plain(&answer["valid_from"])),
        line("lĩnh vực / field", plain(&procedure["field"])),
        line("cấp, vai trò / level, role", {
            format!("{}, {}", plain(&procedure["level"]), plain(&procedure["role"]))
        }),
        line("kênh / channels", list("channels")),
        line("kết quả / results", list("results")),
        line("căn cứ / legal", list("legal")),
    ];
    let limit = |limit: &Value| {
        let when = ["case", "channel", "note"].map(|key| limit[key].as_str().unwrap_or_default());
        let when: Vec<&str> = when.into_iter().filter(|words| !words.is_empty()).collect();
        let counted = serde_json::from_value::<LegalLimit>(limit.clone());
        let counted = counted.map_or_else(|_| plain(limit), |legal| legal.limit().to_string());
        let words = [&[counted.as_str()], &when[..]].concat().join("; ");
        format!("  thời hạn / limit: {}", plain(&words.into()))
    };
    lines.extend(rows_of(&procedure["limits"], limit));
    let paper = |paper: &Value| {
        let (code, name) = (plain(&paper["code"]), plain(&paper["name"]));
        let (originals, copies) = (plain(&paper["originals"]), plain(&paper["copies"]));
        format!("  {code} {name} ({originals} bản chính, {copies} bản sao)")
    };
    lines.extend(rows_of(&procedure["components"], paper));
    let step = |step: &Value| {
        let (role, act) = (plain(&step["role"]), plain(&step["act"]));
        format!("  bước / step: {role}: {act}")
    };
    lines.extend(rows_of(&procedure["flow"]["steps"], step));
    lines.join("\n")
}

/// The calendar of a year in words.
pub(crate) fn calendar_in_words(answer: &Value) -> String {
    let days = &answer["calendar"]["days"];
    let off = rows_of(&days["off"], |day| {
        let unconfirmed = day["confirmed"] == false;
        let kind = if unconfirmed { "unconfirmed".into() } else { plain(&day["kind"]) };
        vec![plain(&day["date"]), kind, plain(&day["name"])]
    });
    let worked = rows_of(&days["make_up"], |day| {
        let words = format!("làm bù {} / made up", plain(&day["replaces"]));
        vec![plain(&day["date"]), "make-up".into(), words]
    });
    let headings = [("ngày", "day"), ("loại", "kind"), ("tên", "name")];
    let mut rows: Vec<Vec<String>> = off.into_iter().chain(worked).collect();
    rows.sort();
    let facts = named(
        answer,
        &[
            ("năm / year", "year"),
            ("bản / version", "version"),
            ("ngày làm việc / working days", "working_days"),
        ],
    );
    format!("{facts}\n\n{}", listed(&headings, &rows, "không có / none"))
}

/// What was published in words.
pub(crate) fn published_in_words(answer: &Value) -> String {
    let mut text = named(
        answer,
        &[
            ("đã công bố / published", "published"),
            ("năm / year", "year"),
            ("đơn vị / office", "office"),
            ("bản / version", "version"),
            ("hiệu lực từ / holds from", "from"),
            ("thủ tục / procedures", "procedures"),
            ("cán bộ / officers", "officers"),
            ("ủy quyền / delegations", "delegations"),
        ],
    );
    let unknown = rows_of(&answer["unknown_offices"], plain).join(", ");
    if !unknown.is_empty() {
        text.push_str(&format!("\nchưa có trong sổ đăng ký / not in the registry: {unknown}"));
    }
    text
}

/// The fields of an answer that are there, each with its name, one a line.
fn named(answer: &Value, fields: &[(&str, &str)]) -> String {
    let known = fields.iter().filter(|(_, field)| !answer[*field].is_null());
    let lines = known.map(|(name, field)| format!("{name}: {}", plain(&answer[*field])));
    lines.collect::<Vec<_>>().join("\n")
}

/// The staff of an office in words.
pub(crate) fn staff_in_words(answer: &Value) -> String {
    let headings = [
        ("cán bộ", "officer"),
        ("cơ quan cử", "home"),
        ("quầy", "counter"),
        ("từ", "from"),
        ("đến", "to"),
        ("thẩm quyền", "powers"),
    ];
    let powers = |entry: &Value| rows_of(&entry["powers"], plain).join(", ");
    let row = |officer: &Value| {
        let mut cells =
            ["id", "home", "counter", "from", "to"].map(|key| plain(&officer[key])).to_vec();
        cells.push(powers(officer));
        cells
    };
    let officers = listed(&headings, &rows_of(&answer["officers"], row), "không có / none");
    let headings = [
        ("ủy quyền", "delegation"),
        ("của", "grantor"),
        ("cho", "grantee"),
        ("từ", "from"),
        ("đến", "to"),
        ("thẩm quyền", "powers"),
        ("thủ tục", "procedures"),
    ];
    let row = |given: &Value| {
        let keys = ["decision", "grantor", "grantee", "from", "to"];
        let mut cells = keys.map(|key| plain(&given[key])).to_vec();
        cells.push(powers(given));
        cells.push(rows_of(&given["procedures"], plain).join(", "));
        cells
    };
    let delegations = rows_of(&answer["delegations"], row);
    match delegations.is_empty() {
        true => officers,
        false => format!("{officers}\n\n{}", listed(&headings, &delegations, "")),
    }
}

#[cfg(test)]
#[path = "published_tests.rs"]
mod tests;
