//! The board, the roll-out and the join codes in words: what the operator of a hub watches.

use serde_json::Value;

use crate::layout::{NOTHING, clean, listed, plain, rows_of};
use crate::words::{addresses, links, time, yes};

/// The offices at and below this node's, worst first, under the numbers of all.
pub(crate) fn board_in_words(answer: &Value) -> String {
    let number = |field: &str| plain(&answer["numbers"][field]);
    let head = format!(
        "đã khớp / settled: {} / {}\nmất kết nối / cut off: {}\nquá hạn / overdue: {}\n\
         hẹn trả có nguy cơ / due dates at risk: {}",
        number("settled"),
        number("joined"),
        number("cut_off"),
        number("overdue"),
        number("at_risk"),
    );
    let headings = [
        ("đơn vị", "office"),
        ("tình trạng", "state"),
        ("hẹn nguy cơ", "at risk"),
        ("quá hạn", "overdue"),
        ("chưa gửi", "unsent"),
        ("đang chờ", "waiting"),
        ("cách ly", "quarantined"),
        ("nghe lần cuối", "last heard"),
        ("lệch giờ ms", "skew ms"),
        ("phiên bản", "version"),
        ("tên", "name"),
    ];
    let joined = answer["offices"].as_array().into_iter().flatten();
    let joined = joined.filter(|row| row["standing"]["state"] != "not-joined").cloned().collect();
    let rows = rows_of(&Value::Array(joined), office);
    let table = listed(&headings, &rows, "chưa có đơn vị / no offices");
    let mut text = format!("{head}\n\n{table}");
    if answer["dossiers_known"] == false {
        text.push_str("\n\nsố hồ sơ chưa tính được / dossiers cannot be counted yet");
    }
    text
}

fn office(row: &Value) -> Vec<String> {
    let (standing, report) = (&row["standing"], &row["report"]);
    let sets = report["quarantined"].as_array().into_iter().flatten();
    let quarantined: u64 = sets.filter_map(|set| set["changes"].as_u64()).sum();
    vec![
        plain(&row["office"]),
        state(&standing["state"]),
        plain(&row["at_risk"]),
        plain(&row["held"]["overdue"]),
        plain(&report["unsent"]),
        plain(&report["waiting"]),
        quarantined.to_string(),
        time(&standing["heard_ms"]),
        plain(&standing["skew_ms"]),
        plain(&report["program"]),
        plain(&row["name"]),
    ]
}

/// One office: its links with their proofs, its nodes, how contact came and went.
pub(crate) fn board_office_in_words(answer: &Value) -> String {
    let headings = [
        ("nút", "node"),
        ("địa chỉ", "addresses"),
        ("tham gia", "joined"),
        ("nghe lần cuối", "last heard"),
        ("lệch giờ ms", "skew ms"),
        ("thu hồi", "revoked"),
    ];
    let node = |node: &Value| {
        vec![
            plain(&node["node"]),
            addresses(&node["addresses"]),
            time(&node["since_ms"]),
            time(&node["heard_ms"]),
            plain(&node["skew_ms"]),
            yes(&node["revoked"]),
        ]
    };
    let nodes = listed(&headings, &rows_of(&answer["nodes"], node), "không có nút / no nodes");
    let turn = |turn: &Value| {
        let what =
            if turn["up"] == true { "kết nối / contact" } else { "mất kết nối / lost" };
        vec![time(&turn["at_ms"]), what.to_owned()]
    };
    let headings = [("thời điểm", "time"), ("liên lạc", "contact")];
    let none = "chưa kết nối lần nào / there has been no contact";
    let turns = listed(&headings, &rows_of(&answer["contact"], turn), none);
    let headings = [("tài liệu bị cách ly", "document in quarantine"), ("lý do", "reason")];
    let one = |one: &Value| vec![plain(&one["document"]), plain(&one["reason"])];
    let none = "không có gì bị cách ly / nothing is in quarantine";
    let quarantine = listed(&headings, &rows_of(&answer["quarantine"], one), none);
    format!("{}\n\n{nodes}\n\n{turns}\n\n{quarantine}", links(&answer["links"]))
}

/// The waves, with what each office still lacks.
pub(crate) fn rollout_in_words(answer: &Value) -> String {
    let headings = [
        ("đợt", "wave"),
        ("đơn vị", "office"),
        ("tham gia", "joined"),
        ("xã, phường", "communes"),
        ("còn thiếu, tự đo", "lacks, as measured"),
        ("chưa đánh dấu", "not ticked"),
        ("tên", "name"),
    ];
    let mut rows = Vec::new();
    for wave in answer["waves"].as_array().into_iter().flatten() {
        rows.extend(rows_of(&wave["offices"], |office| {
            vec![
                plain(&wave["wave"]),
                plain(&office["office"]),
                time(&office["joined_ms"]),
                format!("{} / {}", plain(&office["below_joined"]), plain(&office["below"])),
                lacking(office),
                unticked(office),
                plain(&office["name"]),
            ]
        }));
    }
    listed(&headings, &rows, "không có đơn vị nào theo đợt / no office belongs to a wave")
}

/// What an office lacks of what is measured.
fn lacking(office: &Value) -> String {
    let checks = office["ready"].as_object().into_iter().flatten();
    let lacking = checks.filter(|(_, is_there)| **is_there != true).map(|(check, _)| &**check);
    in_a_row(lacking)
}

/// What nobody has ticked for an office, by the words that `rollout tick` takes.
fn unticked(office: &Value) -> String {
    let needs = office["list"].as_array().into_iter().flatten();
    in_a_row(needs.filter(|need| need["done"] != true).filter_map(|need| need["need"].as_str()))
}

fn in_a_row<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.collect();
    if words.is_empty() { NOTHING.to_owned() } else { clean(&words.join(" ")) }
}

/// The join codes that were given out.
pub(crate) fn invitations_in_words(answer: &Value) -> String {
    let headings = [
        ("mã số", "id"),
        ("đơn vị", "office"),
        ("tình trạng", "state"),
        ("hết hạn", "expires"),
        ("nút", "node"),
    ];
    let row = |code: &Value| {
        let standing = &code["standing"];
        let state = match (code["is_over"] == true, standing["state"].as_str()) {
            (true, _) => "hết hạn / expired",
            (_, Some("open")) => "chưa dùng / not used",
            (_, Some("knocked")) => "chờ duyệt / waiting",
            (_, Some("approved")) => "đã duyệt / approved",
            (_, Some("used")) => "đã dùng / used",
            (_, Some("refused")) => "đã từ chối / refused",
            (_, Some("withdrawn")) => "đã thu lại / withdrawn",
            _ => {
                return vec![plain(&code["id"]), plain(&code["office"]), plain(&standing["state"])];
            }
        };
        let (id, office) = (plain(&code["id"]), plain(&code["office"]));
        vec![id, office, state.to_owned(), time(&code["expires"]), plain(&standing["node"])]
    };
    let none = "chưa cấp mã nào / no codes were given out";
    listed(&headings, &rows_of(&answer["invitations"], row), none)
}

fn state(state: &Value) -> String {
    let words = match state.as_str() {
        Some("cut-off") => "mất kết nối / cut off",
        Some("working") => "đang trao đổi / exchanging",
        Some("resting") => "im lặng / silent",
        Some("settled") => "đã khớp / settled",
        Some("here") => "tại đây / here",
        _ => return plain(state),
    };
    words.to_owned()
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
