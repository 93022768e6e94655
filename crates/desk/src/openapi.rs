//! The description of the API, made from the table of its calls.

use serde_json::Value;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, ObjectBuilder, OpenApiBuilder, Required, ResponseBuilder, Type,
};

use crate::api::{CALLS, Call, Verb};

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
            .request_body(takes_body.then(|| json_body("officer, password")))
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
    if !call.body.is_empty() {
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

fn json_body(means: &str) -> RequestBody {
    let content = ContentBuilder::new().schema(Some(object())).build();
    RequestBodyBuilder::new()
        .description(Some(means))
        .content("application/json", content)
        .required(Some(Required::True))
        .build()
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

const ABOUT: &str = "What the pages of a node can do, for programs on the same machine. Sign in at \
    /api/v1/session, keep its cookie, and send Origin with every call that is not GET.";

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
