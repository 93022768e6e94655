//! What may be asked of a running node, how it refuses, and the socket through which it is asked.

mod caller;
mod failure;
mod filter;
mod proposing;
mod request;
mod socket;

pub use caller::{Caller, LookKind};
pub use failure::{Exit, Failure};
pub use filter::{AccessFilter, Filter};
pub use proposing::{Deciding, ProposalFilter, Proposing};
pub use request::{Publishing, Request};
pub use socket::{ApiSocket, Request as ApiRequest, SCHEMA, call, serve};
