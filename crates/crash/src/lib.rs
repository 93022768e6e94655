//! Everything that a disk can do to a store, and what must be true afterwards.
//!
//! One seed decides all that happens, so that a fault that was found once is found again.

mod dice;
mod faults;
mod flips;
mod images;
mod life;
mod medium;
mod tape;

pub use faults::{Harmed, Injected, inject};
pub use flips::{Flipped, Flips, IndexFlipError, flip_index, flip_log};
pub use images::{Failure, Survey, survey};
pub use life::Broken;
pub use tape::Fault;
