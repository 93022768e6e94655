//! A deterministic world of replicas, disks and links that tries everything.
//!
//! One seed decides all that happens: who acts, what breaks, in which order. Nothing here reads a
//! clock or starts a thread, so the same seed gives the same run, byte for byte.

mod disk;
mod ending;
mod faults;
mod hostile;
mod links;
mod network;
mod oracle;
mod plan;
mod process;
mod run;
mod workload;
mod world;

pub use plan::{Dice, Fault, Plan};
pub use run::{Counts, Outcome, run, run_told, shrink};
