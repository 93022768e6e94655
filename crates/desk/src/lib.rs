//! The pages of the desk: what people ask of a node with a browser, and programs by HTTP.

mod accounts;
mod api;
mod login;
mod openapi;
mod setup;
mod today;

use std::sync::Arc;

use lienthong_folder::Role;
use lienthong_web::{Route, Who};

pub use setup::{Setup, Start, Trust};

/// The words of these pages.
pub const WORDS: &str = include_str!("../words.txt");

/// Every page of the desk and call of the API, as the one table from which the router is made.
pub fn routes(setup: &Arc<Setup>) -> Vec<Route> {
    let mut routes = setup::routes(setup);
    routes.extend(api::routes());
    routes.extend([
        Route::get("/", Who::Officer, |visit| Box::pin(today::show(visit))),
        Route::get("/login", Who::Anyone, |visit| Box::pin(login::show(visit))),
        Route::post("/login", Who::Anyone, |visit| Box::pin(login::sign_in(visit))),
        Route::post("/logout", Who::SignedIn, |visit| Box::pin(login::sign_out(visit))),
        Route::get("/lock", Who::SignedIn, |visit| Box::pin(login::show_lock(visit))),
        Route::post("/lock", Who::SignedIn, |visit| Box::pin(login::lock(visit))),
        Route::post("/unlock", Who::SignedIn, |visit| Box::pin(login::unlock(visit))),
        Route::get("/password", Who::SignedIn, |visit| Box::pin(login::show_password(visit))),
        Route::post("/password", Who::SignedIn, |visit| Box::pin(login::set_password(visit))),
        Route::get("/accounts", IN_CHARGE, |visit| Box::pin(accounts::show(visit))),
        Route::post("/accounts", IN_CHARGE, |visit| Box::pin(accounts::save(visit))),
    ]);
    routes
}

const IN_CHARGE: Who = Who::Holder(&[Role::Administrator]);

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
