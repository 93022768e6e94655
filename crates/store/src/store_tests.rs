//! The index is believed only if it fits the log, and a rebuilt one is equal to the old one.

use super::*;
use std::path::Path;

use crate::engine::{Direction, KeyRange, MemoryEngine, SledSettings};
use crate::fixture::{SMALL, change, changes, tally};
use crate::index::{Entry, Writing};
use crate::position::DamageKind;
use crate::sim_disk::SimDisk;

const SETTINGS: StoreSettings = StoreSettings {
    log: SMALL,
    index: IndexSettings { overlay_bytes: 1000, writing: Writing::Inline },
};

fn open(disk: &SimDisk, engine: &EngineChoice) -> Opened {
    Store::open(Arc::new(disk.clone()), engine, SETTINGS).expect("the disk answers")
}

/// Opens and replays, as a node does at its start.
fn start(disk: &SimDisk, engine: &EngineChoice) -> (Store, Opening) {
    let Opened { mut store, replay_from, rebuild, .. } = open(disk, engine);
    let scanned = store.replay(replay_from, &mut enter).expect("the disk answers");
    (store, Opening { rebuild, replayed: scanned.records })
}

struct Opening {
    rebuild: Option<RebuildReason>,
    replayed: u64,
}

/// What the tests keep in the index: where each change lies, and the last one of its author.
fn enter(index: &mut Index, record: &Record) -> Result<(), IndexError> {
    index.put(record.change.id().as_bytes(), &record.location.to_bytes())?;
    index.put(b"last", &record.change.header().seq.to_be_bytes())
}

fn append(store: &mut Store, written: &[Change]) {
    let locations = store.append(written).expect("the disk is sound");
    for (location, change) in locations.into_iter().zip(written) {
        let record = Record { location, change: change.clone(), after: store.log().end() };
        enter(store.index_mut(), &record).expect("the engine is sound");
    }
    if store.index().checkpoint_due() {
        store.checkpoint().expect("the engine is sound");
    }
}

fn content(store: &Store) -> Vec<Entry> {
    let all = store.index().range(&KeyRange::all(), usize::MAX, Direction::Forward);
    all.expect("the engine is sound")
}

fn memory() -> EngineChoice {
    EngineChoice::Memory(MemoryEngine::new())
}

#[test]
fn a_fresh_store_needs_no_rebuild_and_a_closed_one_no_replay() {
    let (disk, engine) = (SimDisk::new(), memory());
    let (mut store, opening) = start(&disk, &engine);
    assert!(opening.rebuild.is_none());
    append(&mut store, &changes(1..20));
    let before = content(&store);
    store.close().expect("the engine is sound");
    let (store, opening) = start(&disk, &engine);
    assert!(opening.rebuild.is_none() && opening.replayed == 0);
    assert_eq!(content(&store), before);
}

#[test]
fn a_lagging_index_is_brought_up_by_replaying_only_what_it_lacks() {
    let (disk, engine) = (SimDisk::new(), memory());
    let (mut store, _) = start(&disk, &engine);
    for seq in 1..40 {
        append(&mut store, &changes(seq..seq + 1));
    }
    let before = content(&store);
    drop(store);
    let (store, opening) = start(&disk, &engine);
    assert!(opening.rebuild.is_none());
    assert!((1..10).contains(&opening.replayed), "{}", opening.replayed);
    assert_eq!(content(&store), before);
}

#[test]
fn an_index_from_another_time_or_log_is_rebuilt_to_the_same_content() {
    let (disk, engine) = (SimDisk::new(), memory());
    let (mut store, _) = start(&disk, &engine);
    append(&mut store, &changes(1..20));
    let early = disk.fork();
    append(&mut store, &changes(20..40));
    let before = content(&store);
    store.close().expect("the engine is sound");

    let (store, opening) = start(&disk, &memory());
    assert!(matches!(opening.rebuild, Some(RebuildReason::Missing)));
    assert_eq!((content(&store), opening.replayed), (before, 39));

    let (store, opening) = start(&early, &engine);
    assert!(matches!(opening.rebuild, Some(RebuildReason::Ahead { .. })));
    assert_eq!(content(&store).len(), 20);

    let other = SimDisk::new();
    let (mut foreign, _) = start(&other, &memory());
    append(&mut foreign, &changes(101..140));
    let (store, opening) = start(&other, &engine);
    assert!(matches!(opening.rebuild, Some(RebuildReason::Different { .. })));
    assert_eq!(content(&store).len(), 40);
}

#[test]
fn an_index_of_thousands_of_changes_that_is_thrown_away_is_rebuilt_equal() {
    let folder = tempfile::tempdir().expect("there is a place for files");
    let engine = EngineChoice::Sled(SledSettings::new(folder.path()));
    let disk = SimDisk::new();
    let settings = StoreSettings {
        log: LogSettings { segment_bytes: 100_000, reserve_bytes: 0 },
        index: IndexSettings { overlay_bytes: 50_000, writing: Writing::Behind },
    };
    let start = |engine: &EngineChoice| {
        let opened = Store::open(Arc::new(disk.clone()), engine, settings);
        let Opened { mut store, replay_from, rebuild, .. } = opened.expect("the disk answers");
        store.replay(replay_from, &mut enter).expect("the disk answers");
        (store, rebuild)
    };
    let (mut store, _) = start(&engine);
    let written = changes(1..4001);
    for group in written.chunks(40) {
        append(&mut store, group);
    }
    let before = content(&store);
    assert_eq!(before.len(), 4001, "one entry for each change, and the last");
    store.close().expect("the engine is sound");
    std::fs::remove_dir_all(folder.path()).expect("the folder is ours");
    for other in [engine, memory()] {
        let (store, rebuild) = start(&other);
        assert!(matches!(rebuild, Some(RebuildReason::Missing)));
        assert_eq!(content(&store), before);
        assert_eq!(store.log().end().tally, tally(&written));
    }
}

#[test]
fn new_damage_rebuilds_the_index_once_without_the_lost_record() {
    let (disk, engine) = (SimDisk::new(), memory());
    let (mut store, _) = start(&disk, &engine);
    append(&mut store, &[change(1, 50), change(2, 60), change(3, 70)]);
    let end = store.log().end().position;
    store.close().expect("the engine is sound");
    disk.flip("segment-00000001.log", u64::from(end.offset) - 1, 0);
    let opened = open(&disk, &engine);
    assert!(matches!(opened.damages[..], [Damage { kind: DamageKind::Records, .. }]));
    drop(opened);
    let (mut store, opening) = start(&disk, &engine);
    assert!(opening.rebuild.is_some());
    assert_eq!(content(&store).len(), 3);
    // A peer sends the lost change again.
    append(&mut store, &[change(3, 70)]);
    store.close().expect("the engine is sound");
    let (store, opening) = start(&disk, &engine);
    assert!(opening.rebuild.is_none(), "{:?}", opening.rebuild);
    assert_eq!((content(&store).len(), opening.replayed), (4, 0));
}

#[test]
fn a_lost_segment_rebuilds_the_index_once() {
    let (disk, engine) = (SimDisk::new(), memory());
    let (mut store, _) = start(&disk, &engine);
    for seq in 1..40 {
        append(&mut store, &changes(seq..seq + 1));
    }
    store.close().expect("the engine is sound");
    disk.remove("segment-00000002.log").expect("it is there");
    let (store, opening) = start(&disk, &engine);
    assert!(matches!(opening.rebuild, Some(RebuildReason::Damaged(_))));
    assert!(content(&store).len() < 40);
    store.close().expect("the engine is sound");
    assert!(start(&disk, &engine).1.rebuild.is_none());
}

#[test]
fn a_doubted_index_is_thrown_away_at_the_next_start() {
    let (disk, engine) = (SimDisk::new(), memory());
    let (mut store, _) = start(&disk, &engine);
    append(&mut store, &changes(1..20));
    store.index_mut().doubt();
    store.close().expect("the engine is sound");
    assert!(matches!(start(&disk, &engine).1.rebuild, Some(RebuildReason::Missing)));
}

#[test]
fn a_power_cut_leaves_an_index_that_replays_to_the_log() {
    for seed in 0..60 {
        let (disk, engine) = (SimDisk::new(), memory());
        let (mut store, _) = start(&disk, &engine);
        for seq in 1..4 + seed % 13 {
            append(&mut store, &changes(seq * 2..seq * 2 + 2));
        }
        let (before, end) = (content(&store), store.log().end());
        drop(store);
        disk.crash(seed);
        let (store, opening) = start(&disk, &engine);
        // Before its first checkpoint an index has nothing to go on from.
        assert!(matches!(opening.rebuild, None | Some(RebuildReason::Missing)), "seed {seed}");
        assert_eq!((content(&store), store.log().end()), (before, end), "seed {seed}");
    }
}

#[test]
fn a_sled_index_survives_restarts_and_every_corruption_ends_in_equal_content() {
    let folder = tempfile::tempdir().expect("there is a place for files");
    let engine = EngineChoice::Sled(SledSettings::new(folder.path()));
    let disk = SimDisk::new();
    let (mut store, _) = start(&disk, &engine);
    let written = changes(1..60);
    for group in written.chunks(7) {
        append(&mut store, group);
    }
    let before = content(&store);
    assert_eq!(store.log().end().tally, tally(&written));
    store.close().expect("the engine is sound");
    let (store, opening) = start(&disk, &engine);
    assert!(opening.rebuild.is_none(), "{:?}", opening.rebuild);
    assert_eq!(opening.replayed, 0);
    assert_eq!(content(&store), before);
    drop(store);
    for seed in 0..6 {
        corrupt(&folder.path().join("sled"), seed);
        let (store, _) = start(&disk, &engine);
        assert_eq!(content(&store), before, "seed {seed}");
        store.close().expect("the engine is sound");
    }
}

#[test]
fn a_store_whose_index_is_in_use_does_not_open_and_keeps_the_index() {
    let folder = tempfile::tempdir().expect("there is a place for files");
    let engine = EngineChoice::Sled(SledSettings::new(folder.path()));
    let disk = SimDisk::new();
    let (mut store, _) = start(&disk, &engine);
    append(&mut store, &changes(1..20));
    let again = Store::open(Arc::new(disk.clone()), &engine, SETTINGS);
    let source = EngineError::InUse;
    let refused = again.err().map(|error| error.remedy());
    assert_eq!(refused, Some(OpenError::Index { source }.remedy()));
    store.close().expect("the engine is sound");
    assert!(start(&disk, &engine).1.rebuild.is_none());
}

/// Overwrites parts of every file of a folder with bytes that mean nothing.
fn corrupt(folder: &Path, seed: u64) {
    for entry in std::fs::read_dir(folder).expect("sled made it").flatten() {
        let Ok(mut bytes) = std::fs::read(entry.path()) else { continue };
        let step = 1 + (seed as usize * 97) % 400;
        for (index, byte) in bytes.iter_mut().step_by(step).enumerate() {
            *byte = (index as u64).wrapping_mul(seed * 2 + 0x9e37) as u8;
        }
        std::fs::write(entry.path(), bytes).expect("the folder is ours");
    }
}
