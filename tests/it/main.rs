//! Everything together: real nodes over loopback, and what no compiler checks.

mod federation;
mod full_disk;
mod hostile;
mod joining;
mod outages;
mod revocation;
mod tidy;
