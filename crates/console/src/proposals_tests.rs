//! A proposal says who wants what gone and why, and what was answered by whom.

use serde_json::json;

use super::*;

#[test]
fn a_proposal_is_shown_with_every_answer_and_what_each_is_worth() {
    let answer = |effect: &str, edition: Option<u32>, carried: Option<bool>| {
        json!({
            "office": "HUB", "officer": "minh", "at_ms": 0, "edition": edition, "effect": effect,
            "carried": carried, "why": edition.is_none().then_some("luật yêu cầu"),
        })
    };
    let proposal = json!({
        "id": "01a2", "office": "HILL", "officer": "lan\u{1b}[2J", "at_ms": 0,
        "procedure": "1.001193.H47", "version": 1, "name": "Đăng ký khai sinh",
        "words": "bỏ thành phần TP03", "why": "không ai xem", "state": "accepted",
        "answers": [
            answer("effective", Some(2), Some(true)),
            answer("late", None, None),
            answer("unconfirmed", Some(3), Some(false)),
        ],
    });
    let page = json!({ "proposals": [proposal], "unread": 1, "next": null });
    let shown = proposals_in_words(&page);
    for part in [
        "01a2  được chấp nhận / accepted\n",
        "1.001193.H47 (1), Đăng ký khai sinh\n",
        "bỏ thành phần TP03\n",
        "lý do / why: không ai xem\n",
        "HUB, minh, 1970-01-01 07:00:00: danh mục phiên bản 2 / version 2\n",
        "không / no; luật yêu cầu [đã có trả lời trước / answered before]\n",
        "that version does not do it) [không có thẩm quyền / not entitled]\n",
        "1 đề nghị không đọc được",
    ] {
        assert!(shown.contains(part), "'{part}' is not in:\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no text of others steers the terminal");
    let none = proposals_in_words(&json!({ "proposals": [], "unread": 0 }));
    assert_eq!(none, "không có đề nghị nào / no proposals");
}
