//! No fault of one call costs an acknowledged change.

use super::*;

#[test]
fn a_fault_at_any_call_loses_nothing_keeps_nothing_refused_and_says_what_to_do() {
    let injected = inject(1).expect("no promise is broken");
    assert!(injected.calls > 150, "{injected}");
    let answered: Vec<&str> = injected.answers.keys().copied().collect();
    assert_eq!(answered, ["disk-full", "log-open-failed", "log-read-failed", "log-write-failed"]);
    for call in ["create", "list", "open", "read", "rename", "sync", "sync of names", "write"] {
        assert!(injected.met.contains_key(call), "no fault met {call}: {injected}");
    }
}
