use tempfile::TempDir;

use super::*;

/// 2026-11-24T17:00:00Z: midnight in Vietnam, the first moment of the 25th there.
const MIDNIGHT: Moment = Moment(1_795_539_600_000);

fn before(ms: u64) -> Moment {
    Moment(MIDNIGHT.0 - ms)
}

fn after(seconds: u64) -> Moment {
    Moment(MIDNIGHT.0 + seconds * 1_000)
}

fn folder() -> TempDir {
    TempDir::new().expect("the test machine has a temporary folder")
}

/// Gives the next place.
fn give(serials: &mut Serials, at: Moment) -> u32 {
    let place = serials.next(at, 0).expect("a place is left");
    serials.given(place);
    place
}

/// Puts a copy of a file in its place, as whoever restores a backup does.
fn restore(file: &Path) {
    let copy = file.with_extension("copy");
    fs::copy(file, &copy).expect("there is space");
    fs::rename(&copy, file).expect("the same folder");
}

#[test]
fn places_follow_each_other_and_begin_anew_at_midnight_in_vietnam() {
    let folder = folder();
    let mut serials = Serials::open(folder.path(), before(5_000));
    let moments = [before(5_000), before(1), MIDNIGHT, after(1)];
    assert_eq!(moments.map(|at| give(&mut serials, at)), [1, 2, 1, 2]);
    assert_eq!(serials.next(after(2), 40).expect("a place"), 41, "above what is known");
}

#[test]
fn a_place_that_was_not_used_comes_again() {
    let folder = folder();
    let mut serials = Serials::open(folder.path(), MIDNIGHT);
    let places = [(); 3].map(|()| serials.next(MIDNIGHT, 0).expect("a place"));
    assert_eq!(places, [1, 1, 1]);
}

#[test]
fn a_process_begins_with_a_block_of_its_own() {
    let folder = folder();
    let mut first = Serials::open(folder.path(), MIDNIGHT);
    let given: Vec<u32> = (0..25).map(|_| give(&mut first, MIDNIGHT)).collect();
    assert_eq!(given, (1..=25).collect::<Vec<_>>());
    let mut second = Serials::open(folder.path(), MIDNIGHT);
    assert_eq!(give(&mut second, MIDNIGHT), 41);
    let mut idle = Serials::open(folder.path(), MIDNIGHT);
    assert_eq!(give(&mut idle, MIDNIGHT), 61);
    let mut tomorrow = Serials::open(folder.path(), after(86_400));
    assert_eq!(give(&mut tomorrow, after(86_400)), 1);
}

#[test]
fn a_copied_folder_goes_on_from_the_place_of_the_hour() {
    let folder = folder();
    let mut first = Serials::open(folder.path(), after(60));
    assert_eq!(give(&mut first, after(60)), 1);
    restore(&folder.path().join(FILE));
    let mut copy = Serials::open(folder.path(), after(3_600));
    assert_eq!(give(&mut copy, after(3_600)), SerialPart::LONG + 360);
    let mut later = Serials::open(folder.path(), after(3_700));
    assert_eq!(give(&mut later, after(3_700)), SerialPart::LONG + 360 + BLOCK);
    assert!(!later.wait_for_peer(after(3_700)));
    assert_eq!(give(&mut later, after(90_000)), 1, "the next day is as any other");
}

#[test]
fn a_file_that_was_made_anew_is_no_longer_the_same_though_it_has_the_inode() {
    let folder = folder();
    let file = folder.path().join(FILE);
    drop(Serials::open(folder.path(), MIDNIGHT));
    let own = Birth::of(&fs::metadata(&file).expect("it is there"));
    assert!(own.born_ns.is_some(), "the file systems of tests keep births");
    let mark = Mark { day: "2026-11-25".into(), reserved: BLOCK, file: own };
    let earlier = Birth { born_ns: own.born_ns.map(|at| at - 1), ..own };
    for (birth, expected) in [(own, false), (earlier, true)] {
        let mark = Mark { file: birth, ..mark.clone() };
        // Written in place: inode and birth stay.
        fs::write(&file, serde_json::to_vec(&mark).expect("plain")).expect("there is space");
        let (_, is_copy) = read_mark(&file);
        assert_eq!(is_copy, expected);
    }
}

#[test]
fn a_copy_that_gave_nothing_yet_does_not_forget_that_it_is_one() {
    let folder = folder();
    drop(Serials::open(folder.path(), after(60)));
    restore(&folder.path().join(FILE));
    drop(Serials::open(folder.path(), after(3_600)));
    let mut again = Serials::open(folder.path(), after(3_601));
    assert_eq!(give(&mut again, after(3_601)), SerialPart::LONG + 360);
}

#[test]
fn a_file_that_does_not_read_may_have_said_anything() {
    for damage in ["", "{", "{\"day\":1}", &"x".repeat(10_000)] {
        let folder = folder();
        fs::write(folder.path().join(FILE), damage).expect("there is space");
        let mut serials = Serials::open(folder.path(), after(20));
        assert_eq!(give(&mut serials, after(20)), SerialPart::LONG + 2, "{damage:.10}");
    }
}

#[test]
fn the_place_of_the_hour_rises_all_day_and_leaves_room_in_the_last_minute() {
    let cases = [(0, 1_000), (9, 1_000), (10, 1_001), (43_200, 5_320), (86_399, 9_639)];
    for (second, place) in cases {
        assert_eq!(place_of_hour(after(second)), place, "second {second}");
    }
    assert_eq!(place_of_hour(before(1)), 9_639);
    assert!(place_of_hour(Moment(u64::MAX)) < SerialPart::PLACES);
}

#[test]
fn a_restored_folder_waits_for_a_peer_on_the_day_of_its_first_start() {
    let folder = folder();
    let marker = folder.path().join(RESTORED);
    fs::write(&marker, "{}").expect("there is space");
    let serials = Serials::open(folder.path(), before(2));
    assert!(serials.wait_for_peer(before(1)));
    assert!(!serials.wait_for_peer(MIDNIGHT), "the numbers of the new day are all free");
    drop(serials);
    assert!(Serials::open(folder.path(), before(1)).wait_for_peer(before(1)), "it waits on");
    let next_day = Serials::open(folder.path(), MIDNIGHT);
    assert!(!next_day.wait_for_peer(MIDNIGHT));
    assert!(!marker.exists(), "the day is over");
}

#[test]
fn a_restored_folder_that_heard_a_peer_goes_on_from_the_place_of_the_hour() {
    let folder = folder();
    fs::write(folder.path().join(RESTORED), "not json").expect("there is space");
    let mut serials = Serials::open(folder.path(), after(100));
    assert!(serials.wait_for_peer(after(100)), "a marker that does not read still counts");
    serials.peer_heard();
    assert!(!serials.wait_for_peer(after(100)));
    assert_eq!(give(&mut serials, after(100)), SerialPart::LONG + 10);
    let again = Serials::open(folder.path(), after(100));
    assert!(!again.wait_for_peer(after(100)), "it was heard once and for all");
}

#[test]
fn when_all_places_are_given_the_refusal_says_what_to_do_and_the_next_day_works() {
    let folder = folder();
    let mut serials = Serials::open(folder.path(), before(10));
    let last = serials.next(before(10), SerialPart::PLACES - 1).expect("the last place");
    assert_eq!(last, SerialPart::PLACES);
    serials.given(last);
    let refused = serials.next(before(1), 0).expect_err("all are given");
    assert_eq!(refused.code, "serials-used-up");
    assert!(refused.why.contains("2026-11-24") && refused.why.contains("9999"), "{refused}");
    assert!(refused.remedy.contains("midnight"), "{refused}");
    assert_eq!(give(&mut serials, MIDNIGHT), 1);
}

#[test]
fn no_place_is_given_that_could_not_be_reserved() {
    let folder = folder();
    let mut serials = Serials::open(&folder.path().join("gone"), MIDNIGHT);
    let refused = serials.next(MIDNIGHT, 0).expect_err("there is no folder");
    assert_eq!(refused.code, "disk");
}
