//! The states that a power cut can leave.

use super::*;
use lienthong_store::Disk;

use crate::tape::Tape;

fn contents(images: &[Files], name: &str) -> BTreeSet<Option<Vec<u8>>> {
    let content = |image: &Files| image.names.get(name).map(|id| image.contents[id].to_vec());
    images.iter().map(content).collect()
}

#[test]
fn what_was_synced_is_in_every_image_and_what_was_not_in_some() -> std::io::Result<()> {
    let tape = Tape::of(Files::default());
    tape.record();
    let file = tape.create("a")?;
    file.write_at(&[1; 700], 0)?;
    file.sync_data()?;
    tape.sync_directory()?;
    file.write_at(&[2; 900], 700)?;
    let mut medium = Medium::default();
    tape.steps().into_iter().for_each(|step| medium.take(step));
    let images = contents(&medium.images(500, &mut Dice::new(1)), "a");
    let is_sound = |image: &Vec<u8>| image.len() >= 700 && image[..700] == [1; 700];
    assert!(images.iter().all(|image| image.as_ref().is_some_and(is_sound)));
    let whole = [vec![1; 700], vec![2; 900]].concat();
    assert!(images.contains(&Some(whole.clone())) && images.contains(&Some(vec![1; 700])));
    // The last sector arrived and the one before it did not.
    let hole = [vec![1; 700], vec![0; 324], vec![2; 512], vec![0; 64]].concat();
    assert!(images.contains(&Some(hole)));
    file.sync_data()?;
    tape.steps().into_iter().for_each(|step| medium.take(step));
    let images = contents(&medium.images(500, &mut Dice::new(1)), "a");
    assert_eq!(images, BTreeSet::from([Some(whole)]));
    Ok(())
}

#[test]
fn names_come_and_go_until_they_are_synced() -> std::io::Result<()> {
    let tape = Tape::of(Files::default());
    tape.record();
    tape.create("a.new")?.sync_data()?;
    tape.rename("a.new", "a")?;
    let mut medium = Medium::default();
    tape.steps().into_iter().for_each(|step| medium.take(step));
    let names = |medium: &Medium| -> BTreeSet<Vec<String>> {
        let images = medium.images(50, &mut Dice::new(1));
        images.iter().map(|image| image.names.keys().cloned().collect()).collect()
    };
    let expected = [vec![], vec!["a".to_owned()], vec!["a.new".to_owned()]];
    assert_eq!(names(&medium), BTreeSet::from(expected));
    tape.sync_directory()?;
    tape.steps().into_iter().for_each(|step| medium.take(step));
    assert_eq!(names(&medium), BTreeSet::from([vec!["a".to_owned()]]));
    Ok(())
}
