//! The simulated disk loses what was not synced, and nothing else.

use super::*;

#[test]
fn synced_bytes_survive_every_crash_and_the_same_seed_gives_the_same_disk() -> io::Result<()> {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let disk = SimDisk::new();
        let file = disk.create("a")?;
        file.write_at(&[1; 2000], 0)?;
        file.sync_data()?;
        disk.sync_directory()?;
        file.write_at(&[2; 2000], 2000)?;
        disk.create("b")?;
        let twin = disk.fork();
        disk.crash(seed);
        twin.crash(seed);
        let content = disk.contents("a").unwrap_or_default();
        assert_eq!(content[..2000], [1; 2000]);
        assert_eq!(twin.contents("a"), Some(content.clone()));
        assert_eq!(twin.list()?, disk.list()?);
        assert!(file.len().is_err(), "handles from before a crash are dead");
        outcomes.insert((content, disk.contents("b")));
    }
    assert!(outcomes.len() > 10, "{} different outcomes", outcomes.len());
    Ok(())
}

#[test]
fn a_name_that_was_not_synced_may_be_gone() -> io::Result<()> {
    let mut kept = 0;
    for seed in 0..40 {
        let disk = SimDisk::new();
        disk.create("a")?.sync_data()?;
        disk.crash(seed);
        kept += disk.list()?.len();
    }
    assert!((1..40).contains(&kept));
    Ok(())
}
