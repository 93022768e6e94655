//! The frame of all web pages: listening, guarding, signing in, words and layout.
//!
//! It holds no truth: everything is asked of a [`Node`]. `crates/web/README.md` says how a page is
//! added.

mod entrance;
mod form;
mod guard;
mod metrics;
mod once;
mod page;
mod routes;
mod server;
mod session;
mod site;
mod visit;
mod words;

pub use entrance::{PASSWORD_MIN_CHARS, Strength, spoken_code};
pub use form::{Drafts, FieldErrors};
pub use guard::Hosts;
pub use page::{answer_json, moment, problem, see_other, when};
pub use routes::{Answer, Route, Who, router, with_frame};
pub use server::{Server, serve};
pub use session::{SESSION_LIMITS, SessionLimits};
pub use site::{BoxFuture, Fitting, Node, Site};
pub use visit::Visit;
pub use words::{Language, Tongue, Words, worked};
