//! Proposals to make a procedure simpler, in words.

use serde_json::Value;

use crate::layout::{plain, rows_of};
use crate::words::time;

/// A page of proposals, the newest first.
pub(crate) fn proposals_in_words(answer: &Value) -> String {
    let mut blocks = rows_of(&answer["proposals"], proposal_in_words);
    if blocks.is_empty() {
        blocks.push("không có đề nghị nào / no proposals".to_owned());
    }
    if let Some(unread) = answer["unread"].as_u64().filter(|unread| *unread > 0) {
        blocks.push(format!("{unread} đề nghị không đọc được / proposals that do not read"));
    }
    blocks.join("\n\n")
}

/// One proposal with what was answered.
pub(crate) fn proposal_in_words(proposal: &Value) -> String {
    let text = |key: &str| plain(&proposal[key]);
    let mut lines = vec![
        format!("{}  {}", text("id"), state(&proposal["state"])),
        format!("  {} ({}), {}", text("procedure"), text("version"), text("name")),
        format!("  {}", text("words")),
        format!("  lý do / why: {}", text("why")),
        format!("  {}, {}, {}", text("office"), text("officer"), time(&proposal["at_ms"])),
    ];
    lines.extend(rows_of(&proposal["answers"], answer_in_words));
    lines.join("\n")
}

fn state(word: &Value) -> String {
    let words = match word.as_str() {
        Some("open") => "chưa trả lời / open",
        Some("accepted") => "được chấp nhận / accepted",
        Some("declined") => "không được chấp nhận / declined",
        _ => return plain(word),
    };
    words.to_owned()
}

fn answer_in_words(answer: &Value) -> String {
    let who = ["office", "officer"].map(|key| plain(&answer[key])).join(", ");
    let mut said = match answer["edition"].as_u64() {
        Some(version) => format!("danh mục phiên bản {version} / version {version}"),
        None => "không / no".to_owned(),
    };
    if answer["carried"] == false {
        said.push_str(" (phiên bản đó không cắt giảm như vậy / that version does not do it)");
    }
    if !answer["why"].is_null() {
        said.push_str(&format!("; {}", plain(&answer["why"])));
    }
    let worth = match answer["effect"].as_str() {
        Some("late") => " [đã có trả lời trước / answered before]",
        Some("unconfirmed") => " [không có thẩm quyền / not entitled]",
        _ => "",
    };
    format!("  trả lời / answer: {who}, {}: {said}{worth}", time(&answer["at_ms"]))
}

#[cfg(test)]
#[path = "proposals_tests.rs"]
mod tests;
