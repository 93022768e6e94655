//! The node of Liên Thông: the only place where the layers meet.

pub mod api;
mod catalogue;
mod counter;
mod demo;
pub mod failure;
pub mod folder;
mod hub;
pub mod invitations;
mod mind;
mod node;
mod report;
mod request;
pub mod settings;
mod setup;
mod shelf;
mod troubles;
pub mod words;

pub use api::{Request as ApiRequest, call};
pub use demo::{Played, demo};
pub use failure::{Exit, Failure};
pub use folder::{Folder, Membership, socket_of};
pub use node::Node;
pub use report::SCHEMA;
pub use request::Request;
pub use settings::{Approval, Flags, LogFormat, Settings};
pub use setup::{init, join};
