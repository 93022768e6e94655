use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::sync::Notify;

use super::*;

fn press<'p>(key: &'p str, asked: &'p str) -> Press<'p> {
    Press { officer: "cb-an", key, asked: asked.as_bytes() }
}

#[tokio::test]
async fn pressing_twice_does_once() {
    let (once, times) = (Once::default(), Arc::new(AtomicUsize::new(0)));
    let work = || {
        let times = Arc::clone(&times);
        async move { Ok(json!(times.fetch_add(1, Ordering::SeqCst))) }
    };
    assert_eq!(once.run(press("k", "receive"), work()).await, Ok(json!(0)));
    assert_eq!(once.run(press("k", "receive"), work()).await, Ok(json!(0)));
    assert_eq!(once.run(press("l", "receive"), work()).await, Ok(json!(1)));
    let other = Press { officer: "cb-binh", ..press("k", "receive") };
    assert_eq!(once.run(other, work()).await, Ok(json!(2)), "keys are each officer's own");
    let reused = once.run(press("k", "act"), work()).await.expect_err("it asks for another thing");
    assert_eq!(reused.code, "once-key-reused");
}

#[tokio::test]
async fn what_is_under_way_is_waited_for_and_outlives_its_browser() {
    let (once, gate) = (Arc::new(Once::default()), Arc::new(Notify::new()));
    let times = Arc::new(AtomicUsize::new(0));
    let work = || {
        let (gate, times) = (Arc::clone(&gate), Arc::clone(&times));
        async move {
            times.fetch_add(1, Ordering::SeqCst);
            gate.notified().await;
            Ok(json!("done"))
        }
    };
    let first = tokio::spawn({
        let (once, work) = (Arc::clone(&once), work());
        async move { once.run(press("k", "receive"), work).await }
    });
    while times.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    gate.notify_one();
    assert_eq!(once.run(press("k", "receive"), work()).await, Ok(json!("done")));
    assert_eq!(times.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_failed_may_be_tried_again() {
    let once = Once::default();
    let full = || async { Err(Failure::store("disk-full", "not saved", "no space", "free some")) };
    assert!(once.run(press("k", "receive"), full()).await.is_err());
    assert_eq!(once.run(press("k", "receive"), async { Ok(json!(1)) }).await, Ok(json!(1)));
}

#[tokio::test]
async fn old_keys_make_place_and_bad_ones_are_refused() {
    let once = Once::default();
    for n in 0..MAX_KEYS + 10 {
        let key = n.to_string();
        once.run(press(&key, "x"), async { Ok(json!(0)) }).await.expect("it is done");
    }
    assert_eq!(once.held.lock().expect("nobody panicked").done.len(), MAX_KEYS);
    for key in ["", &"k".repeat(65)] {
        let refused = once.run(press(key, "x"), async { Ok(json!(0)) }).await;
        assert_eq!(refused.expect_err("no such key").code, "bad-once-key");
    }
}
