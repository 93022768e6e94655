//! The index is one ordered map, whatever layer an entry lies in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use lienthong_protocol::Tally;
use proptest::prelude::*;

use super::*;
use crate::engine::MemoryEngine;
use crate::position::Position;

/// An engine that waits before each batch until it is let through, and can be made to fail.
#[derive(Default)]
struct Gate {
    inner: MemoryEngine,
    closed: Mutex<bool>,
    opened: Condvar,
    fails: AtomicBool,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().expect("no test panics with the lock") = closed;
        self.opened.notify_all();
    }
}

impl Engine for Gate {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.inner.get(key)
    }

    fn range(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: Visit<'_>,
    ) -> Result<(), EngineError> {
        self.inner.range(range, direction, visit)
    }

    fn apply(&self, batch: &Batch) -> Result<(), EngineError> {
        let mut closed = self.closed.lock().expect("no test panics with the lock");
        while *closed {
            closed = self.opened.wait(closed).expect("no test panics with the lock");
        }
        if self.fails.load(Ordering::Relaxed) {
            return Err(EngineError::Panicked);
        }
        self.inner.apply(batch)
    }

    fn flush(&self) -> Result<(), EngineError> {
        self.inner.flush()
    }

    fn stats(&self) -> Result<EngineStats, EngineError> {
        self.inner.stats()
    }
}

fn index(engine: Arc<dyn Engine>) -> Index {
    Index::open(engine, IndexSettings::default()).expect("the engine is sound").0
}

fn at(offset: u32) -> Checkpoint {
    let position = Position { segment: 1, offset };
    Checkpoint { position, tally: Tally { count: u64::from(offset), sum: [3; 32] } }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8),
    Delete(u8),
    Checkpoint,
    Release,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..20u8, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        4 => (0..20u8).prop_map(Step::Delete),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Release),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..60)
}

fn same(index: &Index, model: &BTreeMap<Vec<u8>, Vec<u8>>) {
    for key in 0..20u8 {
        let got = index.get(&[key, key]).expect("the engine is sound");
        assert_eq!(got.as_ref(), model.get(&vec![key, key]));
    }
    for (range, from, to) in [
        (KeyRange::all(), 0, 99),
        (KeyRange::prefix(&[7]), 7, 8),
        (KeyRange::between(&[3], &[15]), 3, 15),
    ] {
        let mut expected: Vec<Entry> = model
            .range(vec![from]..vec![to])
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for direction in [Direction::Forward, Direction::Backward] {
            for limit in [0, 1, 3, 100] {
                let got = index.range(&range, limit, direction).expect("the engine is sound");
                assert_eq!(got, expected[..limit.min(expected.len())]);
            }
            expected.reverse();
        }
    }
}

proptest! {
    #[test]
    fn the_index_equals_a_map_through_checkpoints_in_flight_and_restarts(steps in steps()) {
        let gate = Arc::new(Gate::default());
        let mut index = index(gate.clone());
        let (mut model, mut stored, mut offset) = (BTreeMap::new(), BTreeMap::new(), 0);
        for step in steps {
            match step {
                Step::Put(key, value) => {
                    index.put(&[key, key], &[value]).expect("the engine is sound");
                    model.insert(vec![key, key], vec![value]);
                }
                Step::Delete(key) => {
                    index.delete(&[key, key]).expect("the engine is sound");
                    model.remove(&vec![key, key]);
                }
                Step::Checkpoint => {
                    gate.set(false);
                    index.finish_checkpoint().expect("the engine is sound");
                    gate.set(true);
                    offset += 1;
                    index.checkpoint(at(offset)).expect("the engine is sound");
                    stored = model.clone();
                }
                Step::Release => gate.set(false),
                Step::Restart => {
                    gate.set(false);
                    drop(index);
                    let opened = Index::open(gate.clone(), IndexSettings::default());
                    let (reopened, found) = opened.expect("the engine is sound");
                    let expected = (offset > 0).then(|| at(offset));
                    assert_eq!(found.map(|found| found.checkpoint), expected);
                    index = reopened;
                    model = stored.clone();
                }
            }
            same(&index, &model);
        }
        gate.set(false);
    }
}

#[test]
fn a_checkpoint_does_not_keep_the_caller_waiting_but_the_next_one_does() {
    let gate = Arc::new(Gate::default());
    gate.set(true);
    let mut index = index(gate.clone());
    index.put(b"key", b"old").expect("the engine is sound");
    index.checkpoint(at(1)).expect("it is written behind");
    index.put(b"key", b"new").expect("the engine is sound");
    assert!(index.stats().expect("the engine is sound").writing);
    assert_eq!(gate.get(b"key").expect("the engine is sound"), None);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| index.checkpoint(at(2)));
        assert!(!second.is_finished());
        gate.set(false);
        second.join().expect("it does not panic").expect("the engine is sound");
    });
    index.finish_checkpoint().expect("the engine is sound");
    assert_eq!(index.stats().expect("the engine is sound").written, at(2));
    assert_eq!(gate.get(b"key").expect("the engine is sound"), Some(b"new".to_vec()));
}

#[test]
fn a_failed_checkpoint_is_told_once_and_stops_the_index() {
    let gate = Arc::new(Gate::default());
    gate.fails.store(true, Ordering::Relaxed);
    let mut index = index(gate.clone());
    index.put(b"key", b"value").expect("nothing failed yet");
    index.checkpoint(at(1)).expect("it fails behind");
    assert!(matches!(index.finish_checkpoint(), Err(IndexError::Engine { .. })));
    assert!(matches!(index.get(b"key"), Err(IndexError::Stopped)));
    assert!(matches!(index.put(b"key", b"value"), Err(IndexError::Stopped)));
    assert!(matches!(index.checkpoint(at(2)), Err(IndexError::Stopped)));
    assert_eq!(gate.get(STORED_KEY).expect("the engine is sound"), None);
}

#[test]
fn entries_over_the_limits_are_refused_and_change_nothing() {
    let mut index = index(Arc::new(MemoryEngine::new()));
    let large = vec![0; MAX_VALUE_BYTES + 1];
    for (key, value) in [(&b"key"[..], &large[..]), (&large[..2000], b""), (b"", b"value")] {
        assert!(matches!(index.put(key, value), Err(IndexError::TooLarge { .. })));
    }
    index.put(b"key", &large[1..]).expect("it is at the limit");
    assert_eq!(
        index.range(&KeyRange::all(), 9, Direction::Forward).map(|all| all.len()).ok(),
        Some(1)
    );
}

#[test]
fn a_checkpoint_is_due_when_the_overlay_is_full_and_empties_it() {
    let settings = IndexSettings { overlay_bytes: 10_000, writing: Writing::Inline };
    let opened = Index::open(Arc::new(MemoryEngine::new()), settings);
    let (mut index, stored) = opened.expect("the engine is sound");
    assert!(stored.is_none());
    let mut puts = 0u32;
    while !index.checkpoint_due() {
        index.put(&puts.to_be_bytes(), &[0; 1000]).expect("the engine is sound");
        puts += 1;
    }
    assert_eq!(puts, 10);
    index.checkpoint(at(1)).expect("the engine is sound");
    assert!(!index.checkpoint_due());
    assert_eq!(index.stats().expect("the engine is sound").overlay_bytes, 0);
}
