//! The data folder: alone, private, whole.

use lienthong_request::Exit;
use tempfile::TempDir;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).map_or(0, |metadata| metadata.mode() & 0o777)
}

fn place() -> (TempDir, PathBuf) {
    let temporary = TempDir::new().expect("the test machine has a temporary folder");
    let path = temporary.path().join("a/node");
    (temporary, path)
}

#[test]
fn a_second_opener_is_told_who_holds_the_folder() -> Result<(), Failure> {
    let (_temporary, path) = place();
    let held = Folder::create(&path)?;
    let failure = Folder::open(&path).expect_err("the folder is held");
    assert_eq!(failure.exit, Exit::Locked);
    assert!(failure.why.contains(&std::process::id().to_string()), "{failure}");
    drop(held);
    Folder::open(&path)?;
    Ok(())
}

#[test]
fn the_key_is_private_and_stays() -> Result<(), Failure> {
    let (_temporary, path) = place();
    let first = Folder::create(&path)?.key().id();
    assert_eq!((mode(&path), mode(&path.join(KEY))), (0o700, 0o600));
    assert_eq!(Folder::create(&path)?.key().id(), first, "joining can be tried again");
    assert_eq!(Folder::open(&path)?.key().id(), first);
    Ok(())
}

#[test]
fn wider_permissions_are_refused_with_the_command_that_mends_them() -> Result<(), Failure> {
    let (_temporary, path) = place();
    drop(Folder::create(&path)?);
    for (place, wide, remedy) in [(path.join(KEY), 0o640, "chmod 600"), (path, 0o755, "chmod 700")]
    {
        let folder =
            if place.ends_with(KEY) { place.parent().expect("in the folder") } else { &place };
        let narrow = mode(&place);
        fs::set_permissions(&place, Permissions::from_mode(wide)).expect("own file");
        let failure = Folder::open(folder).expect_err("too wide");
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.remedy.contains(remedy), "{failure}");
        fs::set_permissions(&place, Permissions::from_mode(narrow)).expect("own file");
    }
    Ok(())
}

#[test]
fn a_membership_is_kept_and_not_overwritten() -> Result<(), Failure> {
    let (_temporary, path) = place();
    let folder = Folder::create(&path)?;
    assert_eq!(folder.joined().expect_err("not joined yet").exit, Exit::NotJoined);
    let membership = Membership {
        federation: FederationId::from_bytes([7; 32]),
        office: "QNM-HCC".parse().expect("an office id"),
        hub: folder.key().id(),
        hub_addresses: vec!["10.0.0.1:7400".into()],
    };
    folder.join(&membership)?;
    drop(folder);
    assert_eq!(Folder::open(&path)?.joined()?, membership);
    assert_eq!(Folder::create(&path).expect_err("taken").code, "folder-taken");
    Ok(())
}

#[test]
fn what_does_not_read_is_a_failure_without_the_secret() -> Result<(), Failure> {
    let (_temporary, path) = place();
    assert_eq!(Folder::open(&path).expect_err("no folder").exit, Exit::NotJoined);
    drop(Folder::create(&path)?);
    replace(&path.join(FEDERATION), b"{\"federation\": 7").expect("own folder");
    assert_eq!(Folder::open(&path)?.joined().expect_err("cut off").code, "federation-unreadable");
    replace(&path.join(KEY), b"abcdef").expect("own folder");
    let failure = Folder::open(&path).expect_err("short key");
    assert_eq!(failure.code, "key-unreadable");
    assert!(!failure.to_string().contains("abcdef"), "{failure}");
    replace(&path.join(KEY), &[b'a'; 4096]).expect("own folder");
    assert_eq!(Folder::open(&path).expect_err("long key").exit, Exit::Store);
    Ok(())
}
