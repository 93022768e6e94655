//! The form of one act about a dossier: one table says which fields each kind has.

use std::sync::Arc;

use askama::Template;
use lienthong_dossier::{ActKind, NewAct};
use lienthong_request::{Exit, Failure, Request};
use lienthong_web::{Answer, FieldErrors, Tongue, Visit, moment, see_other};
use serde_json::{Map, Value, json};

use crate::spoken::{Offices, list, text};

#[derive(Template)]
#[template(path = "act.html")]
struct Page<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
    dossier: &'p str,
    code: String,
    kind: ActKind,
    once: String,
    inputs: Vec<Input>,
}

/// One field of the form, filled in.
struct Input {
    field: &'static Field,
    value: String,
    /// What can be chosen, with its words; empty for what is typed.
    choices: Vec<(String, String)>,
}

/// One field that an act may have.
#[derive(Clone, Copy)]
struct Field {
    /// Its path in the act, such as `reply.number`; the node names it so in a refusal.
    name: &'static str,
    word: &'static str,
    shape: Shape,
    is_required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One line of text.
    Line,
    /// Free words.
    Words,
    /// A day.
    Day,
    /// An amount.
    Number,
    /// An office.
    Office,
    /// An earlier act.
    Regards,
    /// A yes.
    Tick,
    /// One of a few words; `choice.` and the word is the key of its text.
    Choice(&'static [&'static str]),
}

impl Page<'_> {
    fn word(&self) -> &'static str {
        self.kind.word()
    }
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let kind = kind_of(visit.part("kind"))?;
    page(&visit, kind, FieldErrors::default()).await
}

/// Does the act once; what the node refuses is shown at its field.
pub(crate) async fn save(visit: Arc<Visit>) -> Answer {
    let kind = kind_of(visit.part("kind"))?;
    let dossier = visit.part("dossier").to_owned();
    let mut errors = FieldErrors::default();
    let done = match act_of(&visit, kind) {
        Ok(act) => {
            let request = Request::Act { dossier: dossier.clone(), act: Box::new(act) };
            visit.ask_once(visit.field("once"), request).await
        }
        Err(failure) => Err(failure),
    };
    match done {
        Ok(answer) => Ok(see_other(&format!("/dossier/{}", text(&answer["id"])))),
        Err(failure) => {
            add_at_field(&mut errors, failure, visit.tongue(), |name| {
                fields(kind).iter().any(|field| field.name == name)
            })?;
            page(&visit, kind, errors).await
        }
    }
}

/// Puts what a person can mend beside the field that the node names before its words, else beside
/// the button; anything else is a page of its own.
pub(crate) fn add_at_field(
    errors: &mut FieldErrors,
    mut failure: Failure,
    tongue: Tongue<'_>,
    is_field: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    if ![Exit::Usage, Exit::Refused].contains(&failure.exit) || failure.code == NOT_FOUND {
        return Err(failure);
    }
    let named = failure.why.split_once(": ").filter(|(name, _)| is_field(name));
    let (field, why) = match named {
        Some((name, why)) => (name.to_owned(), why.to_owned()),
        None => ("do".to_owned(), failure.why.clone()),
    };
    failure.why = why;
    errors.add_failure(&field, &failure, tongue);
    Ok(())
}

async fn page(visit: &Visit, kind: ActKind, errors: FieldErrors) -> Answer {
    let dossier = visit.part("dossier");
    let shown = visit.ask(Request::Show { dossier: dossier.to_owned() }).await?;
    let status = visit.ask(Request::Status).await?;
    let offices = Offices::ask(visit, &status).await?;
    let t = visit.tongue();
    let input = |field: &'static Field| Input {
        field,
        value: visit.field(field.name).to_owned(),
        choices: choices(t, (field.shape, kind), &shown, &offices),
    };
    let page = Page {
        t,
        dossier,
        code: text(&shown["code"]).to_owned(),
        kind,
        once: visit.once_key()?,
        inputs: fields(kind).iter().map(input).collect(),
        errors,
    };
    if page.errors.is_empty() {
        visit.page("act.title", &page).await
    } else {
        visit.page_with_errors("act.title", &page).await
    }
}

/// What can be chosen for a field.
fn choices(
    t: Tongue<'_>,
    (shape, kind): (Shape, ActKind),
    shown: &Value,
    offices: &Offices,
) -> Vec<(String, String)> {
    match shape {
        Shape::Office => offices.choices(),
        Shape::Choice(words) => {
            let choice = |word: &&str| ((*word).to_owned(), t.say(&format!("choice.{word}")));
            words.iter().map(choice).collect()
        }
        Shape::Regards => {
            let acts = list(&shown["acts"]).iter().enumerate();
            let fitting = acts.filter(|(at, act)| is_subject(kind, (*at, act), shown, offices));
            fitting.map(|(_, act)| (text(&act["id"]).to_owned(), told(t, act, offices))).collect()
        }
        Shape::Line | Shape::Words | Shape::Day | Shape::Number | Shape::Tick => Vec::new(),
    }
}

/// An act in one line: what, who, when.
pub(crate) fn told(t: Tongue<'_>, act: &Value, offices: &Offices) -> String {
    let (what, who) = (act_word(t, text(&act["kind"])), offices.name(text(&act["office"])));
    format!("{what}, {who}, {}", moment(&act["at"]))
}

/// The name of a kind of act; the word itself if this version does not know it.
pub(crate) fn act_word(t: Tongue<'_>, kind: &str) -> String {
    t.say_or(&format!("act.{kind}"), kind)
}

/// Whether an act is one that a new one of this kind can be about.
fn is_subject(kind: ActKind, act: (usize, &Value), shown: &Value, offices: &Offices) -> bool {
    let (at, act) = act;
    let id = &act["id"];
    let records = &shown["records"];
    let is_in = |name: &str, is_open: &dyn Fn(&Value) -> bool| {
        list(&records[name]).iter().any(|record| record["act"] == *id && is_open(record))
    };
    match kind {
        ActKind::Replied => shown["owed"][text(id)] == *offices.own,
        ActKind::Taken => is_in("handovers", &|given| {
            given["receiver"] == *offices.own && given["taken_at"].is_null()
        }),
        ActKind::OpinionFollowedUp | ActKind::OpinionReplied => {
            is_in("opinions", &|asked| asked["reply"].is_null())
        }
        ActKind::Refunded => is_in("fees", &|_| true),
        ActKind::Remitted => is_in("fees", &|paid| paid["remittance"].is_null()),
        ActKind::Reversed => at > 0 && act["effect"] != "reversed",
        _ => act["counts"] == true,
    }
}

/// The act that the fields say, by the officer of the session; the node fills in its office.
fn act_of(visit: &Visit, kind: ActKind) -> Result<NewAct, Failure> {
    let mut act = json!({ "id": "", "kind": kind, "office": "-", "officer": visit.officer() });
    for field in fields(kind) {
        let value = visit.field(field.name);
        let value = match field.shape {
            Shape::Number => {
                value.replace(['.', ' '], "").parse::<u64>().map_or(Value::Null, Value::from)
            }
            Shape::Tick => Value::Bool(!value.is_empty()),
            _ => value.into(),
        };
        let is_empty = value.is_null() || value == "";
        if is_empty && field.is_required && matches!(field.shape, Shape::Choice(_)) {
            return Err(nothing_chosen(field.name));
        }
        // A part of a letter must be there, if only to be said to be missing.
        let value = match (is_empty, field.is_required && field.name.contains('.')) {
            (false, _) => value,
            (true, false) => continue,
            (true, true) if field.shape == Shape::Number => 0.into(),
            (true, true) => "".into(),
        };
        put(&mut act, field.name, value);
    }
    serde_json::from_value(act).map_err(|_| {
        let why = "phiếu gửi lên không đúng mẫu / the form that was sent does not fit";
        let remedy = "mở lại trang và nhập lại / open the page again and fill it in again";
        Failure::usage("bad-form", "chưa lưu / nothing was saved", why, remedy)
    })
}

fn nothing_chosen(field: &str) -> Failure {
    let why = format!("{field}: chưa chọn / nothing was chosen");
    let remedy = "chọn một dòng trong danh sách / choose one of the list";
    Failure::usage("missing", "chưa lưu / nothing was saved", why, remedy)
}

/// Puts a value where a path such as `detail.fee.item` says.
pub(crate) fn put(into: &mut Value, path: &str, value: Value) {
    match path.split_once('.') {
        None => into[path] = value,
        Some((first, rest)) => {
            if !into[first].is_object() {
                into[first] = Value::Object(Map::new());
            }
            put(&mut into[first], rest, value);
        }
    }
}

fn kind_of(word: &str) -> Result<ActKind, Failure> {
    ActKind::of(word).filter(|kind| *kind != ActKind::Registered).ok_or_else(|| {
        let why = "không có việc này / there is no such act";
        let remedy = "mở từ trang của hồ sơ / open it from the page of the dossier";
        Failure::refused(NOT_FOUND, "chưa làm được / nothing was done", why, remedy)
    })
}

/// The fields of a kind of act, in the order of its form.
fn fields(kind: ActKind) -> &'static [Field] {
    use ActKind as K;
    match kind {
        K::Refused | K::Stopped => &[REASON],
        K::SupplementAsked => &[REASON, DUE],
        K::PaymentAsked => &[NOTE, DUE],
        K::Transferred => &[TO_OFFICE, NOTE],
        K::Taken => &[REGARDS, NOTE],
        K::Consulted => &[TO_OFFICE, QUESTION, DUE_NEEDED],
        K::Replied | K::OpinionReplied => &[REGARDS, LETTER, LETTER_DAY, LETTER_SIGNER, NOTE],
        K::OpinionAsked => &OPINION,
        K::OpinionFollowedUp => &[REGARDS, NOTE],
        K::Extended | K::Recomputed => &[REASON, DUE_NEEDED],
        K::ResultIssued => &RESULT,
        K::FeePaid => &FEE,
        K::Refunded => &[REGARDS, REFUND, REASON],
        K::Remitted => &[REGARDS, ORDER, ORDER_DAY, NOTE],
        K::Posted => &LEG,
        K::Rated => &[RATED, SCORE],
        K::NotificationQueued => &[REGARDS, CHANNEL],
        K::NotificationSent | K::NotificationFailed => &[REGARDS, NOTE],
        K::Noted => &[NOTE_NEEDED],
        K::Reversed | K::Resolved => &[REGARDS, REASON],
        K::Registered | K::Received | K::InProcess | K::Supplied | K::Paid => &[NOTE],
        K::Withdrawn | K::Resumed | K::Finished | K::Returned => &[NOTE],
    }
}

const fn field(name: &'static str, word: &'static str, shape: Shape) -> Field {
    Field { name, word, shape, is_required: true }
}

const fn line(name: &'static str, word: &'static str) -> Field {
    field(name, word, Shape::Line)
}

const fn number(name: &'static str, word: &'static str) -> Field {
    field(name, word, Shape::Number)
}

const fn optional(field: Field) -> Field {
    Field { is_required: false, ..field }
}

const NOT_FOUND: &str = "not-found";
const REASON: Field = field("reason", "field.reason", Shape::Words);
const NOTE: Field = optional(field("note", "field.note", Shape::Words));
const NOTE_NEEDED: Field = field("note", "field.note", Shape::Words);
const QUESTION: Field = field("note", "field.question", Shape::Words);
const DUE: Field = optional(field("due", "field.by", Shape::Day));
const DUE_NEEDED: Field = field("due", "field.by", Shape::Day);
const TO_OFFICE: Field = field("to_office", "field.to_office", Shape::Office);
const REGARDS: Field = field("regards", "field.regards", Shape::Regards);
const LETTER: Field = line("reply.number", "field.letter");
const LETTER_DAY: Field = field("reply.date", "field.day", Shape::Day);
const LETTER_SIGNER: Field = line("reply.signer", "field.signer");
const REFUND: Field = number("detail.refund.amount_vnd", "field.amount");
const ORDER: Field = line("detail.remittance.number", "field.order");
const ORDER_DAY: Field = field("detail.remittance.date", "field.day", Shape::Day);
const RATED: Field = line("detail.rating.officer", "field.officer");
const SCORE: Field = number("detail.rating.score", "field.score");
const CHANNEL: Field =
    field("detail.notice.channel", "field.channel", Shape::Choice(&["sms", "email", "zalo"]));
static RESULT: [Field; 4] = [
    line("detail.result.kind", "field.paper"),
    line("detail.result.number", "field.number"),
    line("detail.result.signer", "field.signer"),
    field("detail.result.date", "field.day", Shape::Day),
];
static FEE: [Field; 5] = [
    line("detail.fee.item", "field.item"),
    number("detail.fee.amount_vnd", "field.amount"),
    field(
        "detail.fee.method",
        "field.method",
        Shape::Choice(&["cash", "card", "transfer", "portal", "post"]),
    ),
    line("detail.fee.series", "field.series"),
    line("detail.fee.number", "field.number"),
];
static LEG: [Field; 4] = [
    line("detail.leg.waybill", "field.waybill"),
    field("detail.leg.way", "field.way", Shape::Choice(&["to-applicant", "to-office"])),
    field(
        "detail.leg.stage",
        "field.stage",
        Shape::Choice(&["handed-over", "arrived", "delivered", "sent-back"]),
    ),
    optional(number("detail.leg.fee_vnd", "field.postage")),
];
static OPINION: [Field; 6] = [
    line("detail.opinion.agency", "field.agency"),
    line("detail.opinion.number", "field.letter"),
    field("detail.opinion.date", "field.day", Shape::Day),
    line("detail.opinion.signer", "field.signer"),
    optional(field("detail.opinion.expected", "field.by", Shape::Day)),
    field("detail.opinion.pauses", "field.pauses", Shape::Tick),
];

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
