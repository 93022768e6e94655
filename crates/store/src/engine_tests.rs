//! Both engines keep the promises of the seam.

use super::*;

fn engines(folder: &Path) -> [Arc<dyn Engine>; 2] {
    let sled = SledEngine::open(&SledSettings::new(folder)).expect("the folder is fresh");
    [Arc::new(sled), Arc::new(MemoryEngine::new())]
}

fn batch(writes: &[(&str, Option<&str>)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in writes {
        batch.write(key.as_bytes(), value.map(str::as_bytes));
    }
    batch
}

fn keys(engine: &dyn Engine, range: &KeyRange, direction: Direction) -> Vec<String> {
    let mut keys = Vec::new();
    let read = engine.range(range, direction, &mut |key, _| {
        keys.push(String::from_utf8_lossy(key).into_owned());
        if keys.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    read.expect("the engine is sound");
    keys
}

#[test]
fn both_engines_read_ranges_in_both_directions_without_the_reserved_key() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    for engine in engines(folder.path()) {
        let writes = ["", "a1", "a2", "b1", "b2"].map(|key| (key, Some("value")));
        engine.apply(&batch(&writes)).expect("the engine is sound");
        engine.apply(&batch(&[("a2", None), ("b3", Some("more"))])).expect("the engine is sound");
        engine.flush().expect("the engine is sound");
        let all = KeyRange::all();
        assert_eq!(keys(&*engine, &all, Direction::Forward), ["a1", "b1", "b2"]);
        assert_eq!(keys(&*engine, &all, Direction::Backward), ["b3", "b2", "b1"]);
        let prefix = KeyRange::prefix(b"a");
        assert_eq!(keys(&*engine, &prefix, Direction::Backward), ["a1"]);
        let between = KeyRange::between(b"a2", b"b2");
        assert_eq!(keys(&*engine, &between, Direction::Forward), ["b1"]);
        let backwards = KeyRange::between(b"b", b"a");
        assert!(keys(&*engine, &backwards, Direction::Forward).is_empty());
        assert_eq!(engine.get(b"a2").expect("the engine is sound"), None);
        assert!(engine.stats().expect("the engine is sound").bytes > 0);
    }
    Ok(())
}

#[test]
fn a_prefix_of_the_largest_bytes_has_no_end() {
    assert_eq!(KeyRange::prefix(&[255, 255]).to, None);
    assert_eq!(KeyRange::prefix(&[1, 255]).to, Some(vec![2]));
    assert!(KeyRange::between(b"a", b"a").is_empty() && !KeyRange::all().is_empty());
}

#[test]
fn a_batch_knows_its_size_through_puts_and_deletes() {
    let mut batch = Batch::default();
    batch.write(b"key", Some(&[0; 100]));
    batch.write(b"key", Some(&[0; 10]));
    assert_eq!(batch.bytes(), ENTRY_BYTES + 13);
    batch.write(b"key", None);
    assert_eq!((batch.bytes(), batch.len()), (ENTRY_BYTES + 3, 1));
    batch.forget(b"key");
    assert!(batch.is_empty() && batch.bytes() == 0);
}

#[test]
fn an_index_in_use_is_refused_and_left_alone_and_a_closed_one_opens_at_once() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = SledSettings::new(folder.path());
    let choice = EngineChoice::Sled(settings.clone());
    for round in 0..20 {
        let engine = SledEngine::open(&settings).expect("nobody else has it open");
        let key = format!("key {round}");
        engine.apply(&batch(&[(&key, Some("value"))])).expect("the engine is sound");
        assert!(matches!(SledEngine::open(&settings), Err(EngineError::InUse)));
        assert!(matches!(choice.wipe(), Err(EngineError::InUse)));
        engine.flush().expect("the engine is sound");
        assert!(engine.get(b"key 0").expect("the engine is sound").is_some());
    }
    Ok(())
}

#[test]
fn an_index_whose_opening_did_not_end_is_in_doubt() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = SledSettings::new(folder.path());
    drop(SledEngine::open(&settings).expect("the folder is fresh"));
    drop(SledEngine::open(&settings).expect("it was closed well"));
    fs::write(doubt_of(&settings), b"")?;
    assert!(matches!(SledEngine::open(&settings), Err(EngineError::Doubted)));
    let choice = EngineChoice::Sled(settings);
    choice.wipe().expect("the folder is ours");
    assert!(choice.open().is_ok());
    Ok(())
}
