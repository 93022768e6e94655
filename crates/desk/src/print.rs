//! Forms to print: those of a dossier and the register, as pages and as PDF.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use lienthong_forms::{
    Facts, Form, FormKind, RegisterFacts, Sheet, compose, compose_register, html_part, pdf, style,
};
use lienthong_request::{Failure, Request};
use lienthong_web::{Answer, Route, Tongue, Visit, Who};
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Template)]
#[template(path = "print.html")]
struct Page<'p> {
    t: Tongue<'p>,
    title: String,
    /// Markup of the forms, in which every text is escaped.
    part: String,
    sheet: &'static str,
    pdf: String,
    /// The dossier; none for the register.
    dossier: Option<&'p str>,
    is_new: bool,
    version: &'static str,
}

/// The routes of what can be printed.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/dossier/{dossier}/form/{form}", Who::Officer, |visit| {
            Box::pin(async move { show_form(&visit).await })
        }),
        Route::get("/dossier/{dossier}/form/{form}/pdf", Who::Officer, |visit| {
            Box::pin(async move { download_form(&visit).await })
        }),
        Route::get("/register", Who::Officer, |visit| {
            Box::pin(async move { show_register(&visit).await })
        }),
        Route::get("/register/pdf", Who::Officer, |visit| {
            Box::pin(async move { download_register(&visit).await })
        }),
        Route::get("/assets/portrait.css", Who::Anyone, |_| {
            Box::pin(async { Ok(css(Sheet::Portrait)) })
        }),
        Route::get("/assets/landscape.css", Who::Anyone, |_| {
            Box::pin(async { Ok(css(Sheet::Landscape)) })
        }),
    ]
}

async fn show_form(visit: &Visit) -> Answer {
    let (form, _) = form_of(visit).await?;
    let (dossier, kind) = (visit.part("dossier"), visit.part("form"));
    let page = Page {
        t: visit.tongue(),
        title: visit.tongue().say(&format!("form.{kind}")),
        part: html_part(&form),
        sheet: "portrait",
        pdf: format!("/dossier/{dossier}/form/{kind}/pdf"),
        dossier: Some(dossier),
        is_new: visit.query("new") == "1",
        version: env!("CARGO_PKG_VERSION"),
    };
    visit.page("print.title", &page).await
}

async fn download_form(visit: &Visit) -> Answer {
    let (form, code) = form_of(visit).await?;
    download(form, &code).await
}

/// The form of the address, and the code of its dossier.
async fn form_of(visit: &Visit) -> Result<(Form, String), Failure> {
    let kind = FormKind::of(visit.part("form")).filter(|kind| *kind != FormKind::Register);
    let kind = kind.ok_or_else(no_such_form)?;
    let dossier = visit.part("dossier").to_owned();
    let facts: Facts = facts(visit.ask(Request::Print { dossier }).await?)?;
    Ok((compose(kind, &facts), facts.code))
}

async fn show_register(visit: &Visit) -> Answer {
    let page = Page {
        t: visit.tongue(),
        title: visit.tongue().say("print.register"),
        part: html_part(&register(visit, SHOWN).await?),
        sheet: "landscape",
        pdf: "/register/pdf".to_owned(),
        dossier: None,
        is_new: false,
        version: env!("CARGO_PKG_VERSION"),
    };
    visit.page("print.register", &page).await
}

async fn download_register(visit: &Visit) -> Answer {
    download(register(visit, PRINTED).await?, "register").await
}

async fn register(visit: &Visit, limit: usize) -> Result<Form, Failure> {
    let facts: RegisterFacts = facts(visit.ask(Request::PrintRegister { limit }).await?)?;
    Ok(compose_register(&facts))
}

fn facts<T: DeserializeOwned>(mut answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer["facts"].take()).map_err(|_| {
        let why = "trả lời của nút không đọc được / the answer of the node does not read";
        let remedy = "khởi động lại chương trình / start the program again";
        Failure::version("answer-unreadable", NOT_PRINTED, why, remedy)
    })
}

/// A PDF to be saved; its name tells the form and the code, and nobody's name.
async fn download(form: Form, of: &str) -> Answer {
    let number = form.kind.number();
    let made = tokio::task::spawn_blocking(move || pdf(&form)).await;
    let bytes = made.map_err(|error| no_pdf(&error.to_string()))?;
    let bytes = bytes.map_err(|error| no_pdf(&error.to_string()))?;
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || "-._".contains(*letter);
    let of: String = of.chars().filter(plain).collect();
    let named = format!("attachment; filename=\"form-{number:02}-{of}.pdf\"");
    let named = HeaderValue::from_str(&named).expect("letters, digits and signs are ASCII");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
        (header::CONTENT_DISPOSITION, named),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, bytes).into_response())
}

fn css(sheet: Sheet) -> axum::response::Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400")),
    ];
    (headers, style(sheet)).into_response()
}

fn no_such_form() -> Failure {
    let why = "không có biểu mẫu này / there is no such form";
    let remedy = "mở từ trang của hồ sơ / open it from the page of the dossier";
    Failure::refused("not-found", NOT_PRINTED, why, remedy)
}

fn no_pdf(why: &str) -> Failure {
    let remedy = "in từ trang này / print the page itself";
    Failure::failed("no-pdf", NOT_PRINTED, why, remedy)
}

const NOT_PRINTED: &str = "chưa in được / the form was not made";
/// How many dossiers of the register stand on its page, and how many in its PDF.
const SHOWN: usize = 100;
const PRINTED: usize = 1_000;
