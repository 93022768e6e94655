//! Ids, changes, frames, limits and the codec of Liên Thông.
//!
//! Everything two nodes must agree on, byte for byte, and nothing else: no I/O, no clock, no
//! randomness. `protocol/README.md` draws every byte and says what a peer must do on each
//! violation.

mod batch;
mod change;
pub mod codec;
mod frame;
mod id;
mod invitation;
mod key;
pub mod limits;
mod moment;
mod reconcile;
mod report;
mod tally;

pub use change::{Change, ChangeError, Header};
pub use frame::{Ack, Batch, CloseCode, Frame, FrameError, FrameHead, Hello, Knock, Ping, Pong};
pub use frame::{Proof, Reply, Standing, VersionRange, Written};
pub use id::ShortId;
pub use id::{ChangeId, DocumentId, FederationId, IdError, Incarnation, Kind, NodeId, OfficeId};
pub use invitation::{Invitation, InvitationError, JoinSecret, UnfitAddresses};
pub use key::{BadSignature, NodeKey, Signature, Verifier, verify};
pub use moment::Moment;
pub use reconcile::{Bound, Claim, Claimed, Compare, Want};
pub use report::{Report, ReportOrder, Reports, Told};
pub use tally::{ShortTally, Tally};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire_tests;
