//! Taking a dossier in: the procedure is sought, the form filled in, the due seen, then all saved
//! once and the receipt printed.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use lienthong_dossier::Reception;
use lienthong_request::{Failure, Filter, Request};
use lienthong_web::{Answer, FieldErrors, Tongue, Visit, see_other};
use serde_json::{Value, json};

use crate::act::{add_at_field, put};
use crate::spoken::{Offices, due, list, text};
use crate::today::Row;

#[derive(Template)]
#[template(path = "procedures.html")]
struct Sought<'p> {
    t: Tongue<'p>,
    sought: &'p str,
    found: Vec<Offer>,
    has_more: bool,
    /// Whether what was typed before goes into the form of the procedure that is chosen.
    keeps: bool,
    is_part: bool,
}

/// A procedure as the search offers it.
struct Offer {
    code: String,
    name: String,
    field: String,
    limit: String,
}

#[derive(Template)]
#[template(path = "receive.html")]
struct Page<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
    fields: Fields,
    procedure: Procedure,
    once: String,
    due: String,
    offices: Vec<(String, String)>,
    own: String,
    /// The dossiers with the applicant's number; none if nobody asked.
    found: Option<Vec<Row>>,
    is_draft: bool,
}

impl Page<'_> {
    fn kinds(&self) -> [&'static str; 5] {
        ["citizen", "firm", "agency", "organisation", "other"]
    }

    fn id_kinds(&self) -> [&'static str; 5] {
        ["citizen", "old-citizen", "passport", "tax", "other"]
    }

    fn ways(&self) -> [&'static str; 3] {
        ["sms", "email", "zalo"]
    }

    fn lines(&self) -> &'static [Line] {
        &LINES
    }
}

/// A line of the form that is typed.
struct Line {
    name: &'static str,
    word: &'static str,
    kind: &'static str,
    is_required: bool,
}

const fn line(name: &'static str, word: &'static str, kind: &'static str) -> Line {
    Line { name, word, kind, is_required: false }
}

/// What the form asks for because of the procedure.
struct Procedure {
    code: String,
    name: String,
    cases: Vec<String>,
    channels: Vec<String>,
    components: Vec<Component>,
}

struct Component {
    code: String,
    name: String,
    originals: String,
    copies: String,
    is_required: bool,
}

#[derive(Template)]
#[template(path = "due.html")]
struct DueLine<'p> {
    t: Tongue<'p>,
    due: String,
}

/// What stands in a form, as it was sent or kept.
#[derive(Clone, Default)]
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(&self, name: &str) -> &str {
        self.0.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value.trim())
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(held, _)| held != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.of(name) == value
    }

    /// What was written for a component; the number that the procedure requires if nothing was.
    fn papers(&self, kind: &str, component: &Component) -> String {
        let written = self.of(&format!("{kind}.{}", component.code));
        let has_written = self.0.iter().any(|(name, _)| name.starts_with("originals."));
        match (has_written, component.is_required, kind) {
            (true, _, _) => written.to_owned(),
            (false, false, _) => "0".to_owned(),
            (false, true, "originals") => component.originals.clone(),
            (false, true, _) => component.copies.clone(),
        }
    }
}

/// The search, the form of the procedure that was chosen, or what was left half done.
pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let code = visit.query("procedure");
    let keeps = visit.query("keep") == "1";
    let is_searching = visit.is_fragment() || !visit.query("text").is_empty();
    if is_searching || (code.is_empty() && visit.query("choose") == "1") {
        return search(&visit).await;
    }
    let drafted = visit.with_drafts(|drafts| Ok(drafts.of(FORM).map(<[_]>::to_vec))).await?;
    let fields = match drafted {
        Some(drafted) if code.is_empty() => Fields(drafted),
        Some(drafted) if keeps => of_person(Fields(drafted)),
        _ if code.is_empty() => return search(&visit).await,
        _ => Fields::default(),
    };
    let mut fields = fields;
    let is_draft = code.is_empty();
    if !code.is_empty() {
        fields.set("procedure", code);
    }
    form(&visit, Filled { fields, is_draft, ..Filled::default() }).await
}

/// Does what the pressed button says; all but saving gives the form back as it stood.
pub(crate) async fn send(visit: Arc<Visit>) -> Answer {
    let mut fields = Fields(visit.all_fields().to_vec());
    let press = visit.field("do").to_owned();
    if press == "new" {
        visit.with_drafts(|drafts| drafts.forget(FORM)).await?;
        return Ok(see_other("/receive?choose=1"));
    }
    let kept = keep(&visit, &fields).await;
    if press != "save" {
        kept?;
    }
    match press.as_str() {
        "draft" => Ok(StatusCode::NO_CONTENT.into_response()),
        "due" if visit.is_fragment() => {
            let due = due_of(&visit, &fields).await.unwrap_or_default();
            visit.fragment(&DueLine { t: visit.tongue(), due })
        }
        "procedure" => Ok(see_other("/receive?choose=1&keep=1")),
        "find" => {
            let found = Some(find(&visit, &fields).await?);
            form(&visit, Filled { fields, found, ..Filled::default() }).await
        }
        "save" => save(&visit, fields).await,
        press => {
            if let Some(dossier) = press.strip_prefix("use:") {
                take_over(&visit, dossier, &mut fields).await?;
            }
            form(&visit, Filled { fields, ..Filled::default() }).await
        }
    }
}

async fn search(visit: &Visit) -> Answer {
    let (t, sought, keeps) = (visit.tongue(), visit.query("text"), visit.query("keep") == "1");
    let words = Some(sought.to_owned()).filter(|text| !text.is_empty());
    let answer = visit.ask(Request::Procedures { text: words, day: None }).await?;
    let all = list(&answer["procedures"]);
    let offer = |one: &Value| {
        let text = |name: &str| text(&one[name]).to_owned();
        let limit = t.own_half(&text("limit")).to_owned();
        Offer { code: text("code"), name: text("name"), field: text("field"), limit }
    };
    let found = all.iter().take(OFFERED).map(offer).collect();
    let (has_more, is_part) = (all.len() > OFFERED, visit.is_fragment());
    let page = Sought { t, sought, found, has_more, keeps, is_part };
    if is_part { visit.fragment(&page) } else { visit.page("nav.receive", &page).await }
}

/// The form with what goes into it.
#[derive(Default)]
struct Filled {
    fields: Fields,
    errors: FieldErrors,
    found: Option<Vec<Row>>,
    is_draft: bool,
}

async fn form(visit: &Visit, filled: Filled) -> Answer {
    let Filled { fields, errors, found, is_draft } = filled;
    let code = fields.of("procedure").to_owned();
    let answer = visit.ask(Request::Procedure { code, day: None }).await?;
    let status = visit.ask(Request::Status).await?;
    let offices = Offices::ask(visit, &status).await?;
    let page = Page {
        t: visit.tongue(),
        procedure: procedure(&answer),
        // A key that was never sent is as good as a new one.
        once: if fields.of("once").is_empty() {
            visit.once_key()?
        } else {
            fields.of("once").into()
        },
        due: due_of(visit, &fields).await.unwrap_or_default(),
        own: offices.name(&offices.own).to_owned(),
        offices: offices.choices(),
        fields,
        errors,
        found,
        is_draft,
    };
    if page.errors.is_empty() {
        visit.page("nav.receive", &page).await
    } else {
        visit.page_with_errors("nav.receive", &page).await
    }
}

fn procedure(answer: &Value) -> Procedure {
    let held = &answer["procedure"];
    let mut cases: Vec<String> = Vec::new();
    for entry in list(&held["limits"]).iter().chain(list(&held["fees"])) {
        let case = text(&entry["case"]).to_owned();
        if !case.is_empty() && !cases.contains(&case) {
            cases.push(case);
        }
    }
    let channels = list(&held["channels"]).iter().map(text);
    let channels = channels.filter(|channel| CHANNELS.contains(channel));
    let component = |one: &Value| Component {
        code: text(&one["code"]).to_owned(),
        name: text(&one["name"]).to_owned(),
        originals: one["originals"].as_u64().unwrap_or(0).to_string(),
        copies: one["copies"].as_u64().unwrap_or(0).to_string(),
        is_required: one["required"] != false,
    };
    Procedure {
        code: text(&held["code"]).to_owned(),
        name: text(&held["name"]).to_owned(),
        cases,
        channels: channels.map(ToOwned::to_owned).collect(),
        components: list(&held["components"]).iter().map(component).collect(),
    }
}

async fn save(visit: &Visit, fields: Fields) -> Answer {
    let saved = match reception(visit, &fields).await {
        Ok(reception) => {
            let (reception, officer) = (Box::new(reception), visit.officer().to_owned());
            let request = Request::Receive { reception, officer, registered: false };
            visit.ask_once(fields.of("once"), request).await
        }
        Err(failure) => Err(failure),
    };
    match saved {
        Ok(answer) => {
            // The dossier is saved, whatever becomes of its draft.
            drop(visit.with_drafts(|drafts| drafts.forget(FORM)).await);
            let page = format!("/dossier/{}/form/receipt?new=1", text(&answer["id"]));
            Ok(see_other(&page))
        }
        Err(failure) => {
            let mut errors = FieldErrors::default();
            let field = |name: &str| FIELDS.contains(&name) || name.starts_with("components.");
            add_at_field(&mut errors, failure, visit.tongue(), field)?;
            form(visit, Filled { fields, errors, ..Filled::default() }).await
        }
    }
}

/// What the form says, as the node takes it. Components of which nothing was handed in are left
/// out; their names come from the catalogue.
async fn reception(visit: &Visit, fields: &Fields) -> Result<Reception, Failure> {
    let status = visit.ask(Request::Status).await?;
    let mut told = json!({ "offices": { "receiving": status["office"] } });
    for name in FIELDS {
        let value = fields.of(name);
        let is_needed = ["procedure", "applicant.name"].contains(&name);
        if is_needed || !value.is_empty() {
            put(&mut told, name, value.into());
        }
    }
    for name in CONSENTS {
        put(&mut told, name, (!fields.of(name).is_empty()).into());
    }
    if fields.of("submitter.name").is_empty() {
        told["submitter"] = Value::Null;
    }
    told["components"] = handed_in(fields)?;
    serde_json::from_value(told).map_err(|_| {
        let why = "phiếu gửi lên không đúng mẫu / the form that was sent does not fit";
        let remedy = "mở lại trang và nhập lại / open the page again and fill it in again";
        Failure::usage("bad-form", NOT_RECEIVED, why, remedy)
    })
}

fn handed_in(fields: &Fields) -> Result<Value, Failure> {
    let codes = fields.0.iter().filter_map(|(name, _)| name.strip_prefix("originals."));
    let mut components = Vec::new();
    for code in codes {
        let number = |kind: &str| {
            let written = fields.of(&format!("{kind}.{code}"));
            let number = if written.is_empty() { Ok(0) } else { written.parse::<u16>() };
            number.map_err(|_| not_a_number(&format!("{kind}.{code}")))
        };
        let (originals, copies) = (number("originals")?, number("copies")?);
        if originals > 0 || copies > 0 {
            components.push(json!({ "code": code, "originals": originals, "copies": copies }));
        }
    }
    Ok(components.into())
}

fn not_a_number(field: &str) -> Failure {
    let why = format!("{field}: số bản là số nguyên / the number of papers is a whole number");
    let remedy = "nhập số từ 0 đến 999 / give a number from 0 to 999";
    Failure::usage("not-a-number-of-papers", NOT_RECEIVED, why, remedy)
}

/// When a dossier that was taken in now would be due; nothing where that is not known yet.
async fn due_of(visit: &Visit, fields: &Fields) -> Option<String> {
    let reception = Box::new(reception(visit, fields).await.ok()?);
    let answer = visit.ask(Request::Due { reception }).await.ok()?;
    Some(due(&answer["due"])).filter(|due| !due.is_empty())
}

/// The dossiers of whoever has the number that was typed; masked, as every list.
async fn find(visit: &Visit, fields: &Fields) -> Result<Vec<Row>, Failure> {
    let number = fields.of("applicant.id_number");
    if number.is_empty() {
        return Ok(Vec::new());
    }
    let text = Some(number.to_owned());
    let filter = Filter { text, limit: FOUND, ..Filter::default() };
    let answer = visit.ask(Request::List(Box::new(filter))).await?;
    Ok(list(&answer["dossiers"]).iter().map(|dossier| Row::of(dossier, false)).collect())
}

/// Copies the applicant of an earlier dossier, if it is that of the number that was typed.
async fn take_over(visit: &Visit, dossier: &str, fields: &mut Fields) -> Result<(), Failure> {
    let shown = visit.ask(Request::Show { dossier: dossier.to_owned() }).await?;
    let known = &shown["applicant"];
    // Whoever asks for another dossier's applicant gets nobody.
    if plain(text(&known["id_number"])) != plain(fields.of("applicant.id_number")) {
        return Ok(());
    }
    for name in ["kind", "name", "id_kind", "birth_date", "phone", "email", "address"] {
        fields.set(&format!("applicant.{name}"), text(&known[name]));
    }
    Ok(())
}

/// A number without what people put between its parts.
fn plain(number: &str) -> String {
    number.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// What stays when another procedure is chosen: the people, not the papers.
fn of_person(fields: Fields) -> Fields {
    let stays = |name: &str| name.starts_with("applicant.") || name.starts_with("submitter.");
    Fields(fields.0.into_iter().filter(|(name, _)| stays(name)).collect())
}

async fn keep(visit: &Visit, fields: &Fields) -> Result<(), Failure> {
    let kept: Vec<_> = fields.0.iter().filter(|(name, _)| name != "do").cloned().collect();
    let now = visit.now();
    visit.with_drafts(move |drafts| drafts.keep(FORM, &kept, now)).await
}

/// The name of the form among the officer's drafts.
const FORM: &str = "receive";
const NOT_RECEIVED: &str = "chưa tiếp nhận hồ sơ / the dossier was not received";
const CHANNELS: [&str; 3] = ["counter", "online", "post"];
/// How many procedures a search offers, and how many dossiers the one by number.
const OFFERED: usize = 20;
const FOUND: usize = 10;

/// The fields of the form by their paths in a reception, as the node names them in a refusal.
const FIELDS: [&str; 22] = [
    "procedure",
    "case",
    "channel",
    "return_by",
    "offices.competent",
    "offices.returning",
    "offices.shelf",
    "applicant.kind",
    "applicant.name",
    "applicant.id_kind",
    "applicant.id_number",
    "applicant.birth_date",
    "applicant.phone",
    "applicant.email",
    "applicant.address",
    "submitter.name",
    "submitter.id_kind",
    "submitter.id_number",
    "submitter.phone",
    "submitter.authorisation",
    "parent_code",
    "note",
];
static LINES: [Line; 7] = [
    Line { is_required: true, ..line("applicant.name", "receive.name", "text") },
    line("applicant.birth_date", "receive.birth_date", "date"),
    line("applicant.phone", "receive.phone", "tel"),
    line("applicant.email", "receive.email", "email"),
    line("applicant.address", "receive.address", "text"),
    line("submitter.name", "receive.submitter", "text"),
    line("submitter.authorisation", "receive.authorisation", "text"),
];
const CONSENTS: [&str; 3] =
    ["applicant.consents.sms", "applicant.consents.email", "applicant.consents.zalo"];

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
