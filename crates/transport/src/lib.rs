//! QUIC links between nodes, and the one connection on which a new node knocks.
//!
//! This is the only crate that knows quinn and rustls. It moves frames and checks signatures; what
//! a frame means is decided by the layer above, and who may have a link by its [`Gate`].
//!
//! A link goes through these events, in this order:
//!
//! ```text
//! dial ──> DialFailed
//!   └────> Reached ──> Up ──> Frame, Frame, … ──> Down
//! accept ──┘   └───────────────────────────────────┘
//! ```
//!
//! Every [`LinkEvent::Reached`] is followed by exactly one [`LinkEvent::Down`]; a refused incoming
//! connection gives no event at all. `Up` comes with the peer's first frame, before it.

mod bucket;
mod dial;
mod endpoint;
mod enrol;
mod error;
mod event;
mod inlet;
mod lane;
mod link;
mod settings;
mod socket;
mod tls;

pub use endpoint::{Endpoint, Gate};
pub use enrol::{Answer, knock};
pub use error::{BindError, CloseCause, Closed, DialError, Full, KnockError};
pub use event::{Arrived, LinkEvent, LinkId};
pub use link::{LinkSender, Traffic};
pub use settings::LinkSettings;

#[cfg(test)]
mod enrol_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "world_tests.rs"]
mod world;
