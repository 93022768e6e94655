use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::*;

fn look(number: u64) -> Look {
    Look {
        at_ms: Moment(number),
        who: if number.is_multiple_of(2) { "cb-an" } else { "cb-binh" }.into(),
        way: "page".into(),
        what: LookKind::Dossier,
        dossier: format!("d-{}", number % 3),
        code: format!("H57.1-260101-{number:04}"),
        dossiers: 1,
    }
}

fn log_of(folder: &Path, max_file_bytes: u32) -> AccessLog {
    AccessLog { max_file_bytes, ..AccessLog::of(folder) }
}

fn all(limit: usize) -> Sought {
    Sought { limit, ..Sought::default() }
}

fn moments(looks: &Looks) -> Vec<u64> {
    looks.looks.iter().map(|look| look.at_ms.0).collect()
}

#[test]
fn looks_are_kept_for_their_owner_alone_and_read_newest_first() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = AccessLog::of(folder.path());
    assert_eq!(log.read(&all(10)).expect("no file is no look"), Looks::default());
    for number in 1..=3 {
        log.note(look(number)).expect("the disk takes it");
    }
    let again = AccessLog::of(folder.path());
    again.note(look(4)).expect("it goes on where it ended");
    let looks = again.read(&all(10)).expect("it reads");
    assert_eq!(looks.looks, [4, 3, 2, 1].map(look));
    assert_eq!((looks.next, looks.unreadable), (None, 0));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join(FOLDER)), 0o700);
    assert_eq!(mode(&log.path(1)), 0o600);
    assert_eq!(again.files().expect("it lists"), [1]);
}

#[test]
fn pages_follow_each_other_over_files_without_a_gap() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = log_of(folder.path(), 400);
    for number in 1..=20 {
        log.note(look(number)).expect("the disk takes it");
    }
    assert!(log.files().expect("it lists").len() > 5, "several lines fit into a file");
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = log.read(&Sought { before, limit: 7, ..Sought::default() }).expect("it reads");
        seen.extend(moments(&page));
        let Some(next) = page.next else { break };
        before = Some(next.to_string().parse().expect("a place reads as it is written"));
    }
    assert_eq!(seen, (1..=20).rev().collect::<Vec<u64>>());
}

#[test]
fn looks_are_found_by_dossier_and_by_who() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = log_of(folder.path(), 400);
    for number in 1..=6 {
        log.note(look(number)).expect("the disk takes it");
    }
    let found = |sought: Sought| moments(&log.read(&sought).expect("it reads"));
    assert_eq!(found(Sought { who: Some("cb-an".into()), ..all(10) }), [6, 4, 2]);
    assert_eq!(found(Sought { dossier: Some("d-1".into()), ..all(10) }), [4, 1]);
    assert_eq!(found(Sought { dossier: Some("H57.1-260101-0005".into()), ..all(10) }), [5]);
    assert_eq!(found(Sought { dossier: Some("d-9".into()), ..all(10) }), [0; 0]);
}

#[test]
fn the_oldest_file_goes_when_there_are_too_many() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = log_of(folder.path(), 1);
    for number in 1..=70 {
        log.note(look(number)).expect("the disk takes it");
    }
    assert_eq!(log.files().expect("it lists"), (7..=70).collect::<Vec<u32>>());
    let first = log.read(&all(100)).expect("it reads");
    assert_eq!((first.looks.len(), first.next.is_some()), (FILES_OF_A_PAGE, true));
}

#[test]
fn half_a_line_after_a_power_cut_costs_only_itself() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    AccessLog::of(folder.path()).note(look(1)).expect("the disk takes it");
    let file = AccessLog::of(folder.path()).path(1);
    let mut bytes = fs::read(&file).expect("it is there");
    bytes.extend_from_slice(b"not a look\n{\"at_ms\": 2, \"wh");
    fs::write(&file, bytes).expect("it is written");
    let log = AccessLog::of(folder.path());
    log.note(look(3)).expect("the disk takes it");
    let looks = log.read(&all(10)).expect("it reads");
    assert_eq!((moments(&looks), looks.unreadable), (vec![3, 1], 1));
    assert_eq!(log.files().expect("it lists"), [1, 2]);
}

#[test]
fn looks_of_many_at_once_are_all_kept() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = Arc::new(log_of(folder.path(), 600));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                for number in 0..5 {
                    log.note(look(thread * 5 + number)).expect("the disk takes it");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread panics");
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = log.read(&Sought { before, ..all(1_000) }).expect("it reads");
        seen.extend(moments(&page));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..40).collect::<Vec<u64>>());
}

#[test]
fn a_look_that_cannot_be_kept_is_refused_in_both_languages() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join(FOLDER), "in the way").expect("it is written");
    let failure = AccessLog::of(folder.path()).note(look(1)).expect_err("there is no folder");
    assert_eq!(failure.code, "disk");
    assert!(failure.what.contains("nhật ký") && failure.what.contains("access log"));
    assert_eq!("7-x".parse::<Place>().expect_err("no number").code, "bad-cursor");
}
