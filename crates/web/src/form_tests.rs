use std::os::unix::fs::PermissionsExt;

use super::*;

const NOW: Moment = Moment(1_764_000_000_000);

fn fields(name: &str) -> Vec<(String, String)> {
    vec![("name".into(), name.into())]
}

#[test]
fn a_draft_outlives_the_process_and_is_its_officers_own() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let open = |officer| Drafts::open(folder.path(), officer, NOW).expect("it opens");
    open("cb-an").keep("receive", &fields("Nguyễn Văn \"A\""), NOW).expect("it is kept");
    assert_eq!(open("cb-an").of("receive"), Some(&*fields("Nguyễn Văn \"A\"")));
    assert_eq!(open("cb-binh").of("receive"), None);
    let files = std::fs::read_dir(folder.path().join("drafts")).expect("the folder is there");
    for file in files {
        let file = file.expect("it can be listed");
        assert!(!file.file_name().to_string_lossy().contains("cb-an"));
        let mode = file.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    open("cb-an").forget("receive").expect("it is forgotten");
    assert_eq!(open("cb-an").of("receive"), None);
}

#[test]
fn drafts_have_limits_of_number_size_and_age() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut drafts = Drafts::open(folder.path(), "cb-an", NOW).expect("it opens");
    for n in 0..25_u64 {
        let at = Moment(NOW.0 + n);
        drafts.keep(&format!("form-{n}"), &fields("x"), at).expect("it is kept");
    }
    assert_eq!(drafts.held.len(), MAX_DRAFTS);
    assert!(drafts.of("form-4").is_none() && drafts.of("form-5").is_some());
    let large = drafts.keep("large", &fields(&"x".repeat(MAX_DRAFT_BYTES)), NOW);
    assert_eq!(large.expect_err("it is too large").code, "draft-too-large");
    let week = Moment(NOW.0 + MAX_AGE_MS + 30);
    assert!(Drafts::open(folder.path(), "cb-an", week).expect("it opens").held.is_empty());
}
