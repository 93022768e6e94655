//! A deterministic world of replicas, disks and links that tries everything.
//!
//! One seed decides all that happens: who acts, what breaks, in which order. Nothing here reads a
//! clock or starts a thread, so the same seed gives the same run, byte for byte.

mod dice;

pub use dice::Dice;
