//! The node of Liên Thông: the only place where the layers meet.

pub mod api;
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

pub use api::{Progress, Request as ApiRequest, call};
pub use demo::demo;
pub use failure::{Exit, Failure};
pub use folder::{Folder, Membership, socket_of};
pub use node::Node;
pub use request::Request;
pub use settings::{Approval, Flags, LogFormat, Settings};
pub use setup::{init, join};
