//! Signing in and out, the locked screen, and an officer's own password.

use std::sync::Arc;

use askama::Template;
use axum::http::header;
use lienthong_request::{Exit, Failure};
use lienthong_web::{Answer, FieldErrors, PASSWORD_MIN_CHARS, Tongue, Visit, see_other};

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
    officer: &'p str,
}

#[derive(Template)]
#[template(path = "lock.html")]
struct Lock<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "password.html")]
struct Password<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
    min_chars: String,
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    if !visit.site().is_founded() {
        return Ok(see_other("/setup"));
    }
    let page = Login { t: visit.tongue(), errors: FieldErrors::default(), officer: "" };
    visit.page("login.title", &page).await
}

pub(crate) async fn sign_in(visit: Arc<Visit>) -> Answer {
    let officer = visit.field("officer");
    match visit.sign_in(officer, raw(&visit, "password")).await {
        Ok(cookie) => {
            let mut response = see_other("/");
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Err(failure) => {
            let errors = error_at("officer", &visit, failure)?;
            let page = Login { t: visit.tongue(), errors, officer };
            visit.page_with_errors("login.title", &page).await
        }
    }
}

pub(crate) async fn sign_out(visit: Arc<Visit>) -> Answer {
    let mut response = see_other("/login");
    response.headers_mut().append(header::SET_COOKIE, visit.sign_out());
    Ok(response)
}

pub(crate) async fn show_lock(visit: Arc<Visit>) -> Answer {
    if !visit.is_locked() {
        return Ok(see_other("/"));
    }
    let page = Lock { t: visit.tongue(), errors: FieldErrors::default() };
    visit.page("lock.title", &page).await
}

pub(crate) async fn lock(visit: Arc<Visit>) -> Answer {
    visit.lock(visit.field("back"));
    Ok(see_other("/lock"))
}

pub(crate) async fn unlock(visit: Arc<Visit>) -> Answer {
    match visit.unlock(raw(&visit, "password")).await {
        Ok(page) => Ok(see_other(&page)),
        Err(failure) => {
            let errors = error_at("password", &visit, failure)?;
            let page = Lock { t: visit.tongue(), errors };
            visit.page_with_errors("lock.title", &page).await
        }
    }
}

pub(crate) async fn show_password(visit: Arc<Visit>) -> Answer {
    visit.page("password.title", &password_page(&visit, FieldErrors::default())).await
}

pub(crate) async fn set_password(visit: Arc<Visit>) -> Answer {
    let (old, new) = (raw(&visit, "old"), raw(&visit, "new"));
    let mut errors = FieldErrors::default();
    if new != raw(&visit, "again") {
        errors.add("again", visit.tongue().say("password.differ"));
    } else {
        match visit.change_password(old, new).await {
            Ok(()) => return Ok(see_other("/login")),
            Err(failure) => {
                let field = if failure.code == "weak-password" { "new" } else { "old" };
                errors = error_at(field, &visit, failure)?;
            }
        }
    }
    visit.page_with_errors("password.title", &password_page(&visit, errors)).await
}

fn password_page(visit: &Visit, errors: FieldErrors) -> Password<'_> {
    Password { t: visit.tongue(), errors, min_chars: PASSWORD_MIN_CHARS.to_string() }
}

/// What the person can put right stands at the field; anything else is a page of its own.
pub(crate) fn error_at(
    field: &str,
    visit: &Visit,
    failure: Failure,
) -> Result<FieldErrors, Failure> {
    if ![Exit::Usage, Exit::Refused].contains(&failure.exit) {
        return Err(failure);
    }
    let mut errors = FieldErrors::default();
    errors.add_failure(field, &failure, visit.tongue());
    Ok(errors)
}

/// A password as it was typed: spaces count.
pub(crate) fn raw<'v>(visit: &'v Visit, name: &'v str) -> &'v str {
    visit.fields(name).next().unwrap_or_default()
}
