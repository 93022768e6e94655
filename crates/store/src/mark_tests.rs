//! The mark never runs ahead, and a torn write of it costs one step only.

use super::*;
use crate::sim_disk::SimDisk;

fn at(offset: u32) -> Position {
    Position { segment: 2, offset }
}

#[test]
fn a_torn_mark_leaves_the_one_before_and_is_overwritten_next() -> io::Result<()> {
    let disk = SimDisk::new();
    let (mut mark, found) = Mark::open(&disk)?;
    assert_eq!(found, None);
    for offset in 1..10 {
        mark.set(at(offset));
        let (_, found) = Mark::open(&disk)?;
        assert_eq!(found, Some(at(offset)));
        for slot in SLOT_OFFSETS {
            let torn = disk.fork();
            torn.flip(FILE_NAME, slot + 4, 7);
            let (mut mark, found) = Mark::open(&torn)?;
            let survivor = [Some(at(offset)), (offset > 1).then(|| at(offset - 1))];
            assert!(survivor.contains(&found), "{found:?} after {offset}");
            mark.set(at(100));
            assert_eq!(Mark::open(&torn)?.1, Some(at(100)));
        }
    }
    Ok(())
}

#[test]
fn reopening_overwrites_the_older_slot() -> io::Result<()> {
    let disk = SimDisk::new();
    for offset in 1..10 {
        let (mut mark, found) = Mark::open(&disk)?;
        assert_eq!(found, (offset > 1).then(|| at(offset - 1)));
        mark.set(at(offset));
        if offset > 2 {
            // The newest is torn away: the one before must still be there.
            let slots = [0, 1].map(|slot| read(&*mark.file, slot));
            let slots = slots.into_iter().collect::<io::Result<Vec<_>>>()?;
            assert!(slots.contains(&Some(at(offset - 1))), "{slots:?}");
        }
    }
    Ok(())
}
