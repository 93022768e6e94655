//! The office tree, the nodes, and who may do what: the registry as a plain value.
//!
//! The registry is a document that only the root office writes. [`found`] and its siblings write
//! it, [`Registry::read`] reads it, and everything else here answers questions about it. Nothing
//! here panics or fails on a registry that makes no sense: what does not fit is left out, the
//! tree is mended, and [`Registry::problems`] names it.

mod audience;
mod authority;
mod edit;
mod office;
mod province;
mod ready;
mod registry;
mod serials;
mod tree;

pub use audience::Audience;
pub use authority::{AuthorRefusal, GenesisRefusal, WriteRefusal, genesis_is_sound};
pub use edit::{
    NewNode, add_node, add_office, explain_revocation, found, move_office, revoke, set_addresses,
    set_serials,
};
pub use office::{Node, Office, OfficialCode};
pub use province::{Province, ProvinceError, UnknownOffice};
pub use ready::{Need, Tick, tick};
pub use registry::{MAX_NODES, MAX_OFFICES, Problem, Registry};
pub use serials::SerialPart;
pub use tree::MAX_DEPTH;

#[cfg(test)]
mod tests;
