//! The real disk does what the seam says.

use super::*;

#[test]
fn the_real_disk_keeps_names_bytes_and_lengths() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let disk = RealDisk::open(folder.path().join("log"))?;
    let file = disk.create("one.new")?;
    assert!(file.is_empty()?);
    file.write_at(b"hello", 3)?;
    file.sync_data()?;
    disk.rename("one.new", "one")?;
    disk.sync_directory()?;
    assert_eq!(disk.list()?, ["one"]);
    let file = disk.open("one")?;
    let mut buffer = [9; 10];
    assert_eq!(file.read_at(&mut buffer, 0)?, 8);
    assert_eq!(&buffer[..8], b"\0\0\0hello");
    file.truncate(4)?;
    assert_eq!(file.len()?, 4);
    assert!(disk.free_bytes()? > 0);
    disk.remove("one")?;
    assert!(disk.open("one").is_err());
    Ok(())
}
