//! Everything together: real nodes over loopback, and what no compiler checks.

mod access;
mod board;
mod codes;
mod counter;
mod federation;
mod full_disk;
mod hostile;
mod joining;
mod kills;
mod outages;
mod outbox;
mod printing;
mod proposals;
mod publishing;
mod receipts;
mod revocation;
mod search;
mod tidy;
