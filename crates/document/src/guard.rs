//! Keeps a panic of Automerge from leaving this crate.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`; gives nothing if it panicked.
///
/// Whatever `work` may have left half done must be dropped: callers pass a copy. The panic is
/// still reported by the panic hook of the process, which belongs to the program and is not
/// touched here.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
