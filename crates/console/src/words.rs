//! Answers as words for people: Vietnamese first, English beside it, tables in columns.
//!
//! Pure: an answer goes in, text comes out. What others wrote may steer no terminal: control
//! characters and marks that turn the direction of text are replaced.

use lienthong_catalogue::VIETNAM_MS;
use lienthong_dossier::{ActKind, Status, local_day};
use lienthong_protocol::Moment;
use lienthong_request::Request;
use serde_json::Value;

use crate::access::looks_in_words;
use crate::board;
use crate::layout::{NOTHING, clean, columns, listed, plain, rows_of, table};
use crate::proposals::{proposal_in_words, proposals_in_words};
use crate::published;
use crate::review::{review, reviewed, reviews};

/// The answer to a request, in words.
pub fn words(request: &Request, answer: &Value) -> String {
    match request {
        Request::Status => status(answer),
        Request::Peers => links(&answer["links"]),
        Request::Ping { .. } => ping(answer),
        Request::Nodes => nodes(answer),
        Request::Offices => offices(answer),
        Request::List(filter) if filter.review => reviews(answer),
        Request::List(_) => dossiers(answer),
        Request::Show { .. } => dossier(answer),
        Request::Review { .. } => reviewed(answer),
        Request::Outbox => outbox(answer),
        Request::History { .. } => history(answer),
        Request::Board => board::board_in_words(answer),
        Request::BoardOffice { .. } => board::board_office_in_words(answer),
        Request::Rollout => board::rollout_in_words(answer),
        Request::Tick { .. } => titled("đã đánh dấu / ticked", answer),
        Request::Invitations => board::invitations_in_words(answer),
        Request::Looks(_) => page_of(looks_in_words(answer), answer),
        Request::Receive { .. } => warned(titled("đã tiếp nhận / received", answer), answer),
        Request::Act { .. } => warned(titled("đã ghi / saved", answer), answer),
        Request::RebuildViews => rebuilding(answer),
        Request::Approve { .. } => titled("đã phê duyệt / approved", answer),
        Request::Withdraw { .. } => titled("đã thu lại mã / code withdrawn", answer),
        Request::Refuse { .. } => titled("đã từ chối / refused", answer),
        Request::Revoke { .. } => titled("đã thu hồi / revoked", answer),
        Request::Publish { .. } => published::published_in_words(answer),
        Request::Procedures { .. } => published::procedures_in_words(answer),
        Request::Procedure { .. } => published::procedure_in_words(answer),
        Request::CalendarYear { .. } => published::calendar_in_words(answer),
        Request::Staff { .. } => published::staff_in_words(answer),
        Request::Propose(_) | Request::Decide(_) => proposal_in_words(answer),
        Request::Proposals(_) => page_of(proposals_in_words(answer), answer),
        _ => facts(answer),
    }
}

/// A title and the facts of an answer below it.
pub fn titled(title: &str, answer: &Value) -> String {
    format!("{title}\n{}", facts(answer))
}

/// The same with what makes a due in it less than certain.
pub(crate) fn warned(mut text: String, answer: &Value) -> String {
    for warning in rows_of(&answer["warnings"], plain) {
        text.push_str(&format!("\n\nlưu ý / note: {warning}"));
    }
    text
}

/// The facts of an answer that have a name, one a line; lists and what is not known are left out.
pub(crate) fn facts(answer: &Value) -> String {
    columns(&fact_rows(answer), 0)
}

fn fact_rows(answer: &Value) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (key, name) in FACTS {
        let shown = match (*key, &answer[*key]) {
            (_, Value::Null | Value::Array(_) | Value::Object(_)) => continue,
            ("status", value) => status_words(value),
            (key, value) if key.ends_with("_ms") => time(value),
            (_, value) => plain(value),
        };
        rows.push(vec![(*name).to_owned(), shown]);
    }
    rows
}

/// Every setting as a line of a settings file, with where it comes from.
pub fn settings(answer: &Value) -> String {
    let settings = answer["settings"].as_object().into_iter().flatten();
    let line = |(key, setting): (&String, &Value)| {
        let (value, from) = (plain(&setting["value"]), plain(&setting["from"]));
        vec![format!("{} = {value}", clean(key)), format!("# {from}")]
    };
    columns(&settings.map(line).collect::<Vec<_>>(), 0)
}

/// A moment in Vietnam, to the second: `2026-11-24 18:05:09`.
pub fn local_time(at_ms: u64) -> String {
    let second = at_ms.saturating_add(VIETNAM_MS) / 1_000 % 86_400;
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{} {hour:02}:{minute:02}:{:02}", local_day(Moment(at_ms)), second % 60)
}

fn status(answer: &Value) -> String {
    let mut rows = fact_rows(answer);
    let views = &answer["views"];
    for (path, name) in VIEW_FACTS {
        let known = views.pointer(path).filter(|value| !value.is_null());
        rows.extend(known.map(|value| vec![(*name).to_owned(), plain(value)]));
    }
    let mut text = format!("{}\n\n{}", columns(&rows, 0), links(&answer["links"]));
    for alarm in answer["alarms"].as_array().into_iter().flatten() {
        let about = ["office", "node", "dossier"].map(|field| &alarm[field]);
        let about = about.into_iter().find(|about| !about.is_null());
        let (code, about) = (plain(&alarm["code"]), plain(about.unwrap_or(&Value::Null)));
        let (at, remedy) = (time(&alarm["at_ms"]), plain(&alarm["remedy"]));
        text.push_str(&format!("\n\ncảnh báo / alarm {code}: {about}, {at}; {remedy}"));
    }
    text
}

pub(crate) fn links(links: &Value) -> String {
    let headings = [
        ("liên kết với", "link with"),
        ("trạng thái", "state"),
        ("đã khớp", "settled"),
        ("chưa gửi", "unsent"),
        ("thay đổi", "changes"),
        ("bên kia", "there"),
        ("khứ hồi ms", "rtt ms"),
        ("liên lạc cuối", "last contact"),
        ("gốc", "root"),
    ];
    let row = |link: &Value| {
        vec![
            plain(&link["office"]),
            state(&link["state"]),
            yes(&link["settled"]),
            plain(&link["unsent"]),
            plain(&link["shared_changes"]),
            plain(&link["peer_changes"]),
            plain(&link["rtt_ms"]),
            time(&link["last_contact_ms"]),
            short(&link["root"]),
        ]
    };
    let mut text = listed(&headings, &rows_of(links, row), "không có liên kết / no links");
    for link in links.as_array().into_iter().flatten() {
        let close = &link["last_close"];
        if link["state"] != "connected" && close.is_object() {
            let (office, code) = (plain(&link["office"]), plain(&close["code"]));
            let at = time(&close["at_ms"]);
            text.push_str(&format!("\nđóng lần cuối / last close: {office}, {code}, {at}"));
        }
    }
    text
}

fn ping(answer: &Value) -> String {
    let (office, wait) = (plain(&answer["office"]), plain(&answer["rtt_ms"]));
    let link = links(&Value::Array(vec![answer.clone()]));
    format!("{office}: trả lời sau {wait} ms / answers after {wait} ms\n\n{link}")
}

fn nodes(answer: &Value) -> String {
    let headings =
        [("đơn vị", "office"), ("địa chỉ", "addresses"), ("thu hồi", "revoked"), ("nút", "node")];
    let row = |node: &Value| {
        let addresses = addresses(&node["addresses"]);
        vec![plain(&node["office"]), addresses, yes(&node["revoked"]), plain(&node["node"])]
    };
    let known = listed(&headings, &rows_of(&answer["nodes"], row), "không có nút / no nodes");
    let headings = [("chờ phê duyệt", "waiting"), ("địa chỉ", "addresses"), ("nút", "node")];
    let row = |node: &Value| {
        let addresses = addresses(&node["addresses"]);
        vec![plain(&node["office"]), addresses, plain(&node["node"])]
    };
    let waiting = rows_of(&answer["waiting"], row);
    if waiting.is_empty() { known } else { format!("{known}\n\n{}", table(&headings, &waiting)) }
}

fn offices(answer: &Value) -> String {
    let headings = [
        ("đơn vị", "office"),
        ("cấp", "tier"),
        ("trực thuộc", "parent"),
        ("nút", "nodes"),
        ("tên", "name"),
    ];
    let row = |office: &Value| {
        let keys = ["id", "tier", "parent", "nodes", "name"];
        let tier = |text: String| tier(&text).map_or(text.clone(), str::to_owned);
        let cell = |key| match key {
            "tier" => tier(plain(&office[key])),
            key => plain(&office[key]),
        };
        keys.map(cell).to_vec()
    };
    listed(&headings, &rows_of(&answer["offices"], row), "không có đơn vị / no offices")
}

fn dossiers(answer: &Value) -> String {
    let headings = [
        ("mã hồ sơ", "code"),
        ("trạng thái", "status"),
        ("thủ tục", "procedure"),
        ("người nộp", "applicant"),
        ("hẹn trả", "due"),
        ("đang giữ", "holder"),
        ("bước", "acts"),
        ("xem lại", "review"),
    ];
    let row = |dossier: &Value| {
        vec![
            plain(&dossier["code"]),
            status_words(&dossier["status"]),
            plain(&dossier["procedure"]),
            plain(&dossier["applicant"]),
            plain(&dossier["due"]),
            plain(&dossier["holder"]),
            plain(&dossier["acts"]),
            plain(&dossier["review"]),
        ]
    };
    let none = "không có hồ sơ / no dossiers";
    page_of(listed(&headings, &rows_of(&answer["dossiers"], row), none), answer)
}

fn rebuilding(answer: &Value) -> String {
    let left = plain(&answer["behind"]);
    format!(
        "danh sách đang được lập lại, nút vẫn làm việc; còn {left} hồ sơ, xem `lienthong status`\n\
         the view is being made anew while the node works; {left} dossiers to go, see \
         `lienthong status`"
    )
}

fn outbox(answer: &Value) -> String {
    let headings = [
        ("mã hồ sơ", "code"),
        ("báo về việc", "about the act"),
        ("cách", "way"),
        ("gửi đến", "to"),
        ("chờ từ", "queued"),
        ("khóa chống gửi hai lần", "idempotency key"),
    ];
    let row = |message: &Value| {
        vec![
            plain(&message["code"]),
            act_words(&message["event"]),
            plain(&message["channel"]),
            plain(&message["to"]),
            time(&message["queued_at_ms"]),
            plain(&message["key"]),
        ]
    };
    let none = "nút này không phải gửi gì / nothing is to be sent by this node";
    let mut text = listed(&headings, &rows_of(&answer["messages"], row), none);
    if let Some(elsewhere) = answer["elsewhere"].as_u64().filter(|elsewhere| *elsewhere > 0) {
        text.push_str(&format!(
            "\n\n{elsewhere} thông báo do nơi khác gửi hoặc còn chờ / \
             {elsewhere} messages wait here or for another sender"
        ));
    }
    if answer["more"] == true {
        text.push_str("\n\ncòn nữa, gửi các mục này trước / more, send these first");
    }
    page_of(text, answer)
}

/// A page of a list, with what stands behind it and what it may lack.
pub(crate) fn page_of(mut text: String, answer: &Value) -> String {
    if let Some(next) = answer["next"].as_str() {
        text.push_str(&format!("\n\ncòn nữa / more: --after {next}"));
    }
    if let Some(behind) = answer["behind"].as_u64().filter(|behind| *behind > 0) {
        text.push_str(&format!(
            "\n\nchưa đủ: còn {behind} hồ sơ chưa vào danh sách / \
             not complete: {behind} dossiers are not in the list yet"
        ));
    }
    text
}

fn dossier(answer: &Value) -> String {
    let (applicant, offices) = (&answer["applicant"], &answer["offices"]);
    let mut rows = fact_rows(answer);
    let more = [
        ("người nộp / applicant", plain(&applicant["name"])),
        ("tiếp nhận / receiving", plain(&offices["receiving"])),
        ("giải quyết / deciding", plain(&offices["competent"])),
        ("đang giữ / holder", plain(&offices["holder"])),
    ];
    rows.extend(more.map(|(name, shown)| vec![name.to_owned(), shown]));
    let headings = [
        ("thời điểm", "time"),
        ("việc", "act"),
        ("đơn vị", "office"),
        ("cán bộ", "officer"),
        ("hiệu lực", "effect"),
        ("mã việc", "act id"),
        ("lý do, ghi chú", "reason, note"),
    ];
    let row = |act: &Value| {
        let doubt = &act["doubt"];
        let why = [&act["reason"], &act["note"], &doubt["words_vi"], &doubt["words"]];
        let why: Vec<&str> = why.into_iter().filter_map(Value::as_str).collect();
        vec![
            time(&act["at"]),
            act_words(&act["kind"]),
            plain(&act["office"]),
            plain(&act["officer"]),
            effect(&act["effect"]),
            plain(&act["id"]),
            clean(&why.join("; ")),
        ]
    };
    let acts = listed(&headings, &rows_of(&answer["acts"], row), "chưa có việc / no acts");
    let mut text = format!("{}\n\n{acts}", columns(&rows, 0));
    for review in rows_of(&answer["review"], review) {
        text.push_str(&format!("\n\ncần xem lại / to be decided: {review}"));
    }
    warned(text, answer)
}

fn history(answer: &Value) -> String {
    let headings = [
        ("thời điểm", "time"),
        ("đơn vị", "office"),
        ("kết luận", "verdict"),
        ("byte", "bytes"),
        ("thay đổi", "change"),
    ];
    let row = |change: &Value| {
        vec![
            time(&change["at_ms"]),
            plain(&change["office"]),
            verdict(&change["verdict"]),
            plain(&change["bytes"]),
            short(&change["change"]),
        ]
    };
    let changes = listed(&headings, &rows_of(&answer["changes"], row), "không có / none");
    format!("{}\n\n{changes}", facts(answer))
}

// ------------------------------------------------------------- single words

pub(crate) fn status_words(number: &Value) -> String {
    let status = Status::ALL.into_iter().find(|status| number == status.number());
    match status {
        Some(status) => format!("{} / {}", status.name_vi(), status.name()),
        None => plain(number),
    }
}

fn act_words(kind: &Value) -> String {
    let Some(kind) = kind.as_str().and_then(ActKind::of) else { return plain(kind) };
    format!("{} / {}", kind.name_vi(), kind.word())
}

fn state(state: &Value) -> String {
    match state.as_str() {
        Some("connected") => "đã nối / connected".into(),
        Some("connecting") => "đang nối / connecting".into(),
        Some("down") => "mất nối / down".into(),
        _ => plain(state),
    }
}

fn effect(effect: &Value) -> String {
    match effect.as_str() {
        Some("effective") => "có / counts".into(),
        Some("unconfirmed") => "chưa xác nhận / unconfirmed".into(),
        Some("conflicting") => "mâu thuẫn / conflicting".into(),
        Some("reversed") => "đã hủy / reversed".into(),
        Some("overruled") => "không được chọn / overruled".into(),
        _ => plain(effect),
    }
}

fn verdict(verdict: &Value) -> String {
    let name = plain(verdict);
    let vietnamese = match name.split('-').next() {
        Some("accepted") => "chấp nhận",
        Some("waiting") => "đang chờ",
        Some("quarantined") => "cách ly",
        _ => return name,
    };
    format!("{vietnamese} / {name}")
}

fn tier(tier: &str) -> Option<&'static str> {
    match tier {
        "province" => Some("tỉnh / province"),
        "department" => Some("sở, ngành / department"),
        "district" => Some("huyện / district"),
        "commune" => Some("xã / commune"),
        _ => None,
    }
}

pub(crate) fn addresses(list: &Value) -> String {
    let known = rows_of(list, plain).join(", ");
    if known.is_empty() { NOTHING.to_owned() } else { known }
}

pub(crate) fn yes(value: &Value) -> String {
    if value == true { "có / yes".into() } else { "không / no".into() }
}

pub(crate) fn time(value: &Value) -> String {
    value.as_u64().map_or_else(|| NOTHING.to_owned(), local_time)
}

/// The first 16 characters of a hash: enough to compare by eye.
fn short(value: &Value) -> String {
    plain(value).chars().take(16).collect()
}

/// What the view says of all dossiers together, where in `views` it stands.
const VIEW_FACTS: &[(&str, &str)] = &[
    ("/documents", "hồ sơ / dossiers"),
    ("/filings", "lượt nộp / filings"),
    ("/behind", "chưa vào danh sách / not listed yet"),
    ("/overdue", "quá hạn / overdue"),
    ("/review/dossiers", "hồ sơ cần xem lại / to look at"),
    ("/review/questions", "cần quyết định / to decide"),
    ("/review/unconfirmed", "chưa xác nhận / unconfirmed"),
    ("/review/findings", "cần kiểm tra / findings"),
    ("/review/receipts", "biên lai dùng hai lần / receipts used twice"),
];

/// What an answer may tell by itself, in the order in which people want to know it.
const FACTS: &[(&str, &str)] = &[
    ("federation", "liên thông / federation"),
    ("code", "mã / code"),
    ("procedure", "thủ tục / procedure"),
    ("field", "lĩnh vực / field"),
    ("status", "trạng thái / status"),
    ("due", "hẹn trả / due"),
    ("note", "ghi chú / note"),
    ("act", "việc / act"),
    ("id", "tài liệu / document"),
    ("office", "đơn vị / office"),
    ("node", "nút / node"),
    ("invitation", "mã tham gia / join code"),
    ("need", "mục / need"),
    ("done", "đã có / done"),
    ("who", "cán bộ / officer"),
    ("incarnation", "lần chạy / incarnation"),
    ("received", "đã tiếp nhận / received"),
    ("refused", "bị từ chối / refused"),
    ("documents", "tài liệu / documents"),
    ("changes", "thay đổi / changes"),
    ("waiting", "đang chờ / waiting"),
    ("quarantined", "cách ly / quarantined"),
    ("written", "đã viết / written"),
    ("root", "gốc / root"),
    ("expires_ms", "hết hạn / expires"),
    ("form", "mẫu / form"),
    ("file", "tệp / file"),
];

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
