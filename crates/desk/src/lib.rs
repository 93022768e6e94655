//! The pages of the desk: what people ask of a node with a browser, and programs by HTTP.

mod accounts;
mod act;
mod api;
mod dossier;
mod lists;
mod login;
mod openapi;
mod print;
mod receive;
mod setup;
mod spoken;
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
    routes.extend(print::routes());
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
        Route::get("/receive", AT_COUNTER, |visit| Box::pin(receive::show(visit))),
        Route::post("/receive", AT_COUNTER, |visit| Box::pin(receive::send(visit))),
        Route::get("/dossier/{dossier}", Who::Officer, |visit| Box::pin(dossier::show(visit))),
        Route::get("/dossier/{dossier}/act/{kind}", AT_WORK, |visit| Box::pin(act::show(visit))),
        Route::post("/dossier/{dossier}/act/{kind}", AT_WORK, |visit| Box::pin(act::save(visit))),
        Route::get("/queue", Who::Officer, |visit| Box::pin(lists::queue(visit))),
        Route::get("/search", Who::Officer, |visit| Box::pin(lists::show_search(visit))),
        Route::post("/search", Who::Officer, |visit| Box::pin(lists::search(visit))),
        Route::get("/review", Who::Officer, |visit| Box::pin(lists::review(visit))),
        Route::get("/accounts", IN_CHARGE, |visit| Box::pin(accounts::show(visit))),
        Route::post("/accounts", IN_CHARGE, |visit| Box::pin(accounts::save(visit))),
    ]);
    routes
}

const IN_CHARGE: Who = Who::Holder(&[Role::Administrator]);
const AT_COUNTER: Who = Who::Holder(&[Role::Intake]);
const AT_WORK: Who = Who::Holder(&[Role::Intake, Role::Processing, Role::Leader]);

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
