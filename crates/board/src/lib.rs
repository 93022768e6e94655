//! The board: pages for whoever watches over the work of others.
//!
//! It shows what the offices below report of themselves and what this node's own view says; it
//! reaches into no other node. The access log is this node's own.

mod access;
mod line;
mod office;
mod overview;
mod requests;
mod rollout;
mod tree;

use lienthong_folder::Role;
use lienthong_web::{Route, Who};

/// The words of these pages.
pub const WORDS: &str = include_str!("../words.txt");

/// Every page of the board.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/board", WATCHING, |visit| Box::pin(overview::show(visit))),
        Route::get("/board/live", WATCHING, |visit| Box::pin(overview::live(visit))).quiet(),
        Route::get("/board/tree", WATCHING, |visit| Box::pin(tree::show(visit))),
        Route::get("/board/offices/{office}", WATCHING, |visit| Box::pin(office::show(visit))),
        Route::get("/board/rollout", WATCHING, |visit| Box::pin(rollout::show(visit))),
        Route::post("/board/rollout", WATCHING, |visit| Box::pin(rollout::tick(visit))),
        Route::get("/access", WATCHING, |visit| Box::pin(access::show(visit))),
        Route::get("/board/requests", IN_CHARGE, |visit| Box::pin(requests::show(visit))),
        Route::post("/board/requests", IN_CHARGE, |visit| Box::pin(requests::decide(visit))),
    ]
}

const WATCHING: Who = Who::Holder(&[Role::Supervisor, Role::Administrator]);
const IN_CHARGE: Who = Who::Holder(&[Role::Administrator]);

#[cfg(test)]
mod tests;
