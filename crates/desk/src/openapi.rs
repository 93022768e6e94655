//! The description of the API, made from the table of its calls.

use lienthong_dossier::ActKind;
use lienthong_folder::Role;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{
    ArrayBuilder, ContentBuilder, InfoBuilder, ObjectBuilder, OpenApiBuilder, RefOr, Required,
    ResponseBuilder, Schema, Type,
};

use crate::api::{CALLS, Call, Verb};

/// The JSON body of a call.
pub(crate) struct Body {
    means: &'static str,
    fields: &'static [Field],
}

/// One field of a body.
pub(crate) struct Field {
    name: &'static str,
    kind: Kind,
    is_needed: bool,
    means: &'static str,
}

/// What stands in a field, each with a sample.
enum Kind {
    Text(&'static str),
    Number(u64),
    Flag,
    OneOf(fn() -> Vec<&'static str>),
    Texts(&'static str),
    SomeOf(fn() -> Vec<&'static str>),
    Object(&'static [Field]),
    Objects(&'static [Field]),
    /// An object with one key that says what it is.
    Tagged(fn() -> Value),
}

/// The description as JSON; `openapi.json` beside the sources is its committed form.
pub(crate) fn description() -> Value {
    let mut paths = Paths::new();
    for call in &CALLS {
        let method = match call.verb {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
        };
        paths.add_path_operation(call.path, vec![method], operation(call));
    }
    let session = [
        (HttpMethod::Post, "Signs in; the answer sets the cookie of the session"),
        (HttpMethod::Delete, "Signs out"),
    ];
    for (method, summary) in session {
        let takes_body = method == HttpMethod::Post;
        let operation = OperationBuilder::new()
            .summary(Some(summary))
            .request_body(takes_body.then(|| json_body(&SIGN_IN)))
            .response("default", problem());
        paths.add_path_operation("/api/v1/session", vec![method], operation);
    }
    let info = InfoBuilder::new()
        .title("Liên Thông")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let description = OpenApiBuilder::new().info(info).paths(paths).build();
    serde_json::to_value(description).expect("a description encodes")
}

fn operation(call: &Call) -> OperationBuilder {
    let mut operation = OperationBuilder::new().summary(Some(call.summary));
    let parts = call.path.split('/').filter_map(|part| part.strip_prefix('{'));
    for part in parts.filter_map(|part| part.strip_suffix('}')) {
        operation = operation.parameter(parameter(part, ParameterIn::Path, "From an answer"));
    }
    for (name, means) in call.query {
        operation = operation.parameter(parameter(name, ParameterIn::Query, means));
    }
    if call.is_act {
        let means = "A new one for each thing to do, the same one when it is tried again";
        operation = operation.parameter(parameter("Idempotency-Key", ParameterIn::Header, means));
    }
    if call.verb == Verb::Post {
        operation = operation.request_body(Some(json_body(call.body)));
    }
    let (status, means) = match call.is_act {
        true => ("201", "Done, as the command line says it with --json"),
        false => ("200", "As the command line says it with --json"),
    };
    let content = ContentBuilder::new().schema(Some(object())).build();
    let answer = ResponseBuilder::new().description(means).content("application/json", content);
    operation.response(status, answer).response("default", problem())
}

fn parameter(name: &str, place: ParameterIn, means: &str) -> ParameterBuilder {
    let is_optional = place == ParameterIn::Query;
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(if is_optional { Required::False } else { Required::True })
        .description(Some(means))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
}

fn json_body(body: &Body) -> RequestBody {
    let content = ContentBuilder::new().schema(Some(closed(body.fields)));
    let is_needed = body.fields.iter().any(|field| field.is_needed);
    RequestBodyBuilder::new()
        .description(Some(body.means))
        .content("application/json", content.example(Some(sample(body.fields))).build())
        .required(Some(if is_needed { Required::True } else { Required::False }))
        .build()
}

/// An object that has these fields and no others.
fn closed(fields: &[Field]) -> ObjectBuilder {
    let nothing_else = Some(AdditionalProperties::FreeForm(false));
    let empty = ObjectBuilder::new().schema_type(Type::Object).additional_properties(nothing_else);
    fields.iter().fold(empty, |object, field| {
        let object = object.property(field.name, schema(&field.kind, field.means));
        if field.is_needed { object.required(field.name) } else { object }
    })
}

fn schema(kind: &Kind, means: &str) -> RefOr<Schema> {
    let plain = |kind| ObjectBuilder::new().schema_type(kind);
    let said = |one: ObjectBuilder| RefOr::from(one.description(Some(means)));
    let many =
        |one: ObjectBuilder| RefOr::from(ArrayBuilder::new().items(one).description(Some(means)));
    match kind {
        Kind::Text(_) => said(plain(Type::String)),
        Kind::Number(_) => said(plain(Type::Integer).minimum(Some(0))),
        Kind::Flag => said(plain(Type::Boolean)),
        Kind::OneOf(words) => said(plain(Type::String).enum_values(Some(words()))),
        Kind::Texts(_) => many(plain(Type::String)),
        Kind::SomeOf(words) => many(plain(Type::String).enum_values(Some(words()))),
        Kind::Object(fields) => said(closed(fields)),
        Kind::Objects(fields) => many(closed(fields)),
        Kind::Tagged(_) => said(plain(Type::Object)),
    }
}

/// A body with every field.
fn sample(fields: &[Field]) -> Value {
    let of = |kind: &Kind| match kind {
        Kind::Text(text) => json!(text),
        Kind::Number(number) => json!(number),
        Kind::Flag => json!(true),
        Kind::OneOf(words) => json!(words().first()),
        Kind::Texts(text) => json!([text]),
        Kind::SomeOf(words) => json!([words().first()]),
        Kind::Object(fields) => sample(fields),
        Kind::Objects(fields) => json!([sample(fields)]),
        Kind::Tagged(tagged) => tagged(),
    };
    fields.iter().map(|field| (field.name.to_owned(), of(&field.kind))).collect()
}

fn problem() -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(object())).build();
    ResponseBuilder::new()
        .description("Not done: code, and title, cause and remedy under `vi` and `en`")
        .content("application/problem+json", content)
}

fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

const fn needs(name: &'static str, kind: Kind, means: &'static str) -> Field {
    Field { name, kind, is_needed: true, means }
}

const fn may(name: &'static str, kind: Kind, means: &'static str) -> Field {
    Field { name, kind, is_needed: false, means }
}

pub(crate) static NOTHING: Body = Body { means: "Nothing, or an empty object", fields: &[] };

static SIGN_IN: Body = Body {
    means: "Who signs in",
    fields: &[
        needs("officer", Kind::Text("cb-an"), "The account"),
        needs("password", Kind::Text("hội an chín giờ sáng"), "Its password"),
    ],
};

pub(crate) static ACCOUNT: Body = Body {
    means: "Who gets an account",
    fields: &[
        needs("officer", Kind::Text("cb-an"), "The officer's id, as in the staff list"),
        needs("roles", ROLE_LIST, "What it is for"),
    ],
};

pub(crate) static ROLES: Body = Body {
    means: "All roles that it has from now on",
    fields: &[needs("roles", ROLE_LIST, "What it is for")],
};

const ROLE_LIST: Kind = Kind::SomeOf(|| Role::ALL.map(Role::word).to_vec());

pub(crate) static INVITATION: Body = Body {
    means: "For whom a join code is, and how long",
    fields: &[
        needs("office", Kind::Text("QNM-HOIAN"), "The one office"),
        needs("valid_hours", Kind::Number(72), "How long it is good, in hours, 1 to 720"),
    ],
};

pub(crate) static TICK: Body = Body {
    means: "What an office has of the readiness list",
    fields: &[
        needs("office", Kind::Text("QNM-HOIAN"), "The office"),
        needs("need", Kind::Text("line"), "The thing, by its `need` in the roll-out"),
        needs("done", Kind::Flag, "Whether it is there"),
    ],
};

pub(crate) static REVOCATION: Body = Body {
    means: "Why a node is revoked",
    fields: &[may("reason", Kind::Text("máy bị mất"), "For whoever reads the registry")],
};

pub(crate) static PUBLICATION: Body = Body {
    means: "A file that is published",
    fields: &[
        needs("what", Kind::OneOf(|| vec!["catalogue", "calendar", "staff"]), "What it is"),
        needs("text", Kind::Text("year = 2026"), "Its text"),
        may("from", Kind::Text("2026-11-24"), "The day from which a catalogue holds"),
    ],
};

pub(crate) static FILTER: Body = Body {
    means: "Which dossiers are listed; none for all",
    fields: &[
        may("text", Kind::Text("nguyen hanh"), "Words, or their beginnings, without marks, too"),
        may("status", Kind::Number(4), "The portal number of the status, 1 to 10"),
        may("due_before", Kind::Text("2026-11-24"), "Due before this day or minute"),
        may("due_after", Kind::Text("2026-11-24T10:00"), "Due after this day or minute"),
        may("overdue", Kind::Flag, "Only those whose due has passed"),
        may("office", Kind::Text("QNM-HOIAN"), "An office that takes part"),
        may("officer", Kind::Text("cb-an"), "Who did the last act"),
        may("procedure", Kind::Text("1.001193.H47"), "The code of the procedure"),
        may("review", Kind::Flag, "Only those that somebody has to look at"),
        may("limit", Kind::Number(50), "How many at most, 1 to 1,000; default 50"),
        may("after", Kind::Text("0"), "The `next` of the page before"),
    ],
};

pub(crate) static ACT: Body = Body {
    means: "An act; the node and the session say its id, office and officer",
    fields: &[
        needs(
            "kind",
            Kind::OneOf(|| ActKind::ALL.iter().map(|kind| kind.word()).collect()),
            "What",
        ),
        may("step", Kind::Text("1"), "The step of the procedure"),
        may("note", Kind::Text("đã gọi điện"), "Free words"),
        may("reason", Kind::Text("thiếu giấy chứng sinh"), "Why"),
        may("due", Kind::Text("2026-11-24"), "A new due, as YYYY-MM-DD or YYYY-MM-DDTHH:MM"),
        may("to_office", Kind::Text("QNM-HOIAN"), "Whom it is handed over to, or who is asked"),
        may("regards", Kind::Text("ab-1-1"), "The act that it answers, takes or reverses"),
        may("overrules", Kind::Texts("ab-1-2"), "The acts that do not hold"),
        may("reply", Kind::Object(REPLY), "The letter that answers"),
        may("detail", Kind::Tagged(detail), "What only acts of its kind have, under one key"),
    ],
};

const REPLY: &[Field] = &[
    needs("number", Kind::Text("12/STP"), "Its number"),
    needs("date", DAY, "Its day, as YYYY-MM-DD"),
    needs("signer", Kind::Text("Trần An"), "Who signed it"),
    may("file", Kind::Text("12-stp.pdf"), "Under which name its scan is kept"),
];

fn detail() -> Value {
    let paper = json!({ "kind": "Giấy khai sinh", "number": "12", "signer": "Trần An",
        "date": "2026-11-24" });
    json!({ "result": paper })
}

pub(crate) static RECEPTION: Body = Body {
    means: "A reception, as `dossier receive` takes it",
    fields: &[
        needs("procedure", Kind::Text("1.001193.H47"), "The code of the procedure"),
        may("version", Kind::Number(1), "The version of the procedure; default 1"),
        may("case", Kind::Text("thông thường"), "Which case, where it has several"),
        may("field", Kind::Text("Hộ tịch"), "The field of the procedure"),
        may("parent_code", Kind::Text("000.00.19.H47-260105-0001"), "What it is a part of"),
        may("channel", Kind::OneOf(|| vec!["counter", "online", "post"]), "How it came"),
        may("return_by", Kind::OneOf(|| vec!["counter", "post"]), "How the result goes back"),
        needs("offices", Kind::Object(OFFICES), "Which offices take part"),
        needs("applicant", Kind::Object(APPLICANT), "Whose dossier it is"),
        may("submitter", Kind::Object(SUBMITTER), "Who handed it in, if somebody else"),
        may("components", Kind::Objects(COMPONENT), "The papers; at most 200"),
        may("submitted", Kind::Text("2026-11-24T10:00"), "When the applicant applied"),
        may("accept_by", Kind::Text("2026-11-24"), "By when a counter is to look at it"),
        may("due", Kind::Text("2026-11-24T17:00"), "When the result is due; default computed"),
        may("note", Kind::Text("gọi trước khi đến"), "Free words; at most 4,000 characters"),
    ],
};

const DAY: Kind = Kind::Text("2026-11-24");
const ID_KIND: Kind = Kind::OneOf(|| vec!["citizen", "old-citizen", "passport", "tax", "other"]);

const APPLICANT_KIND: Kind =
    Kind::OneOf(|| vec!["citizen", "firm", "agency", "organisation", "other"]);

const OFFICES: &[Field] = &[
    needs("receiving", Kind::Text("QNM-HOIAN"), "Takes the dossier in"),
    may("competent", Kind::Text("QNM-HOIAN"), "Decides; default the receiving office"),
    may("coordinating", Kind::Texts("QNM-TAMKY"), "Are asked on the way; at most 32"),
    may("returning", Kind::Text("QNM-HOIAN"), "Hands the result out; default the receiving office"),
    may("shelf", Kind::Text("kệ 3"), "Where the paper lies"),
];

const APPLICANT: &[Field] = &[
    needs("name", Kind::Text("Nguyễn Thị Hạnh"), "The full name; at most 200 characters"),
    may("kind", APPLICANT_KIND, "A person or what kind of body; default citizen"),
    may("id_kind", ID_KIND, "Which paper proves who it is"),
    may("id_number", Kind::Text("049085001234"), "The number of that paper"),
    may("birth_date", DAY, "The day of birth, as YYYY-MM-DD"),
    may("phone", Kind::Text("0905123456"), "A telephone number"),
    may("email", Kind::Text("hanh@example.vn"), "An e-mail address"),
    may("address", Kind::Text("12 Trần Phú, Hội An"), "The postal address"),
    may("consents", Kind::Object(CONSENTS), "By which ways the applicant may be told"),
];

const CONSENTS: &[Field] = &[
    may("email", Kind::Flag, "By e-mail"),
    may("sms", Kind::Flag, "By SMS"),
    may("zalo", Kind::Flag, "By Zalo"),
];

const SUBMITTER: &[Field] = &[
    needs("name", Kind::Text("Nguyễn Văn Bình"), "The full name; at most 200 characters"),
    may("id_kind", ID_KIND, "Which paper proves who it is"),
    may("id_number", Kind::Text("049085001235"), "The number of that paper"),
    may("phone", Kind::Text("0905123457"), "A telephone number"),
    may("authorisation", Kind::Text("giấy ủy quyền 5/2026"), "The paper that entitles to it"),
];

const COMPONENT: &[Field] = &[
    needs("code", Kind::Text("1"), "Its code within the procedure"),
    may("name", Kind::Text("Tờ khai"), "Its name; default that of the catalogue"),
    may("originals", Kind::Number(1), "How many originals; at most 999"),
    may("copies", Kind::Number(2), "How many copies; at most 999"),
    may("kept_on_paper", Kind::Flag, "Whether it is kept on paper only"),
    may("digitised", Kind::Number(0), "0 not yet, 1 done, 2 or 3 reused"),
];

const ABOUT: &str = "What the pages of a node can do, for programs on the same machine. Sign in at \
    /api/v1/session, keep its cookie, and send Origin with every call that is not GET.";

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
