//! What the log promises when the power goes, the disk fails, fills up or rots.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::disk::DiskFile;
use crate::fixture::{SMALL, WIDE, WINDOWS, change, changes, open, seqs, tally};
use crate::position::DamageKind;
use crate::sim_disk::{DiskCall, Fault, SimDisk};

const FIRST: &str = "segment-00000001.log";

#[test]
fn what_was_appended_reads_back_after_a_restart_and_over_segments() {
    let disk = SimDisk::new();
    let written = changes(1..31);
    let mut locations = Vec::new();
    {
        let mut log = open(&disk, SMALL).log;
        for group in written.chunks(4) {
            locations.extend(log.append(group).expect("the disk is sound"));
        }
        assert_eq!(log.end().tally, tally(&written));
    }
    let opened = open(&disk, SMALL);
    assert!(opened.damages.is_empty() && opened.torn_bytes == 0);
    assert_eq!(opened.end.tally, tally(&written));
    assert!(opened.end.position.segment > 3);
    assert_eq!(seqs(&opened.log), (1..31).collect::<Vec<_>>());
    let reader = opened.log.reader();
    for (location, change) in locations.iter().zip(&written) {
        assert_eq!(reader.read(*location).expect("it was acknowledged"), change.bytes());
    }
    let verified = reader.verify().expect("the disk answers");
    assert_eq!((verified.records, verified.damages), (30, Vec::new()));
}

#[test]
fn a_group_is_one_write_and_one_sync_of_the_segment() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WIDE).log;
    log.append(&changes(1..2)).expect("the disk is sound");
    disk.set_journal(true);
    log.append(&changes(2..40)).expect("the disk is sound");
    let calls = disk.journal();
    assert!(matches!(&calls[0], DiskCall::Write { name, .. } if name.starts_with(FIRST)));
    assert!(matches!(&calls[1], DiskCall::SyncData(name) if name.starts_with(FIRST)));
    // The third is the mark, which is never synced.
    assert!(matches!(&calls[2..], [DiskCall::Write { name, .. }] if name == "acknowledged"));
}

#[test]
fn nothing_is_visible_before_the_sync_and_a_failed_one_stops_the_log() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WIDE).log;
    log.append(&changes(1..3)).expect("the disk is sound");
    disk.set_fault(disk.calls() + 2, Fault::Fails);
    let failed = log.append(&changes(3..5));
    assert!(matches!(failed, Err(AppendError::Failed { .. })));
    assert!(log.is_stopped());
    assert!(matches!(log.append(&changes(5..6)), Err(AppendError::Stopped)));
    assert_eq!(seqs(&log), [1, 2]);
}

#[test]
fn a_failed_write_stops_the_log_too() {
    for fault in [Fault::Fails, Fault::HalfWritten] {
        let disk = SimDisk::new();
        let mut log = open(&disk, WIDE).log;
        log.append(&changes(1..3)).expect("the disk is sound");
        disk.set_fault(disk.calls() + 1, fault);
        assert!(matches!(log.append(&changes(3..5)), Err(AppendError::Failed { .. })));
        assert!(matches!(log.append(&changes(5..6)), Err(AppendError::Stopped)));
        let opened = open(&disk, WIDE);
        assert!(opened.damages.is_empty());
        assert_eq!(seqs(&opened.log)[..2], [1, 2]);
    }
}

#[test]
fn bytes_that_a_failed_sync_left_behind_are_written_again_at_the_next_start() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WIDE).log;
    log.append(&changes(1..3)).expect("the disk is sound");
    disk.set_fault(disk.calls() + 2, Fault::Fails);
    assert!(log.append(&changes(3..4)).is_err());
    disk.set_journal(true);
    assert_eq!(seqs(&open(&disk, WIDE).log), [1, 2, 3]);
    let calls = disk.journal();
    assert!(matches!(&calls[0], DiskCall::Write { name, .. } if name == FIRST), "{calls:?}");
    assert_eq!(calls[1], DiskCall::SyncData(FIRST.into()));
}

#[test]
fn a_tail_torn_at_any_byte_of_the_last_record_is_cut_and_the_log_goes_on() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WIDE).log;
    log.append(&changes(1..3)).expect("the disk is sound");
    let before = disk.contents("acknowledged").expect("the mark was written");
    let end = log.end().position.offset as usize;
    log.append(&changes(3..4)).expect("the disk is sound");
    let whole = disk.contents(FIRST).expect("the segment was written");
    // The mark is not synced, so a power cut may bring an older one back.
    disk.overwrite("acknowledged", &before);
    for length in end..whole.len() {
        disk.overwrite(FIRST, &whole[..length]);
        let mut opened = open(&disk, WIDE);
        assert_eq!((opened.torn_bytes as usize, &*opened.damages), (length - end, &[][..]));
        assert_eq!(disk.contents(FIRST).expect("the segment stays").len(), end);
        opened.log.append(&changes(4..5)).expect("the log goes on");
        assert_eq!(seqs(&open(&disk, WIDE).log), [1, 2, 4]);
        disk.overwrite("acknowledged", &before);
    }
}

#[test]
fn a_flipped_bit_is_cut_as_unacknowledged_or_reported_and_hides_no_other_record() {
    for acknowledged in [true, false] {
        let disk = SimDisk::new();
        let mut log = open(&disk, WIDE).log;
        log.append(&changes(1..3)).expect("the disk is sound");
        let before = disk.contents("acknowledged").expect("the mark was written");
        let promised = log.end().position.offset;
        let records = [log.append(&changes(3..4)).expect("the disk is sound")].concat();
        let whole = disk.contents(FIRST).expect("the segment was written");
        for byte in 0..whole.len() as u32 {
            let disk = disk.fork();
            if !acknowledged {
                disk.overwrite("acknowledged", &before);
            }
            assert!(disk.flip(FIRST, u64::from(byte), byte % 8));
            let opened = open(&disk, WIDE);
            let cut = !acknowledged && byte >= promised;
            assert_eq!(cut, opened.torn_bytes > 0, "byte {byte}");
            assert_eq!(cut, opened.damages.is_empty(), "byte {byte}");
            let kind = if byte < HEADER_BYTES { DamageKind::Header } else { DamageKind::Records };
            assert!(
                opened.damages.iter().all(|damage| damage.kind == kind && covers(damage, byte))
            );
            let lost = if byte < HEADER_BYTES { 0 } else { 1 };
            assert_eq!(seqs(&opened.log).len(), 3 - lost, "byte {byte}");
            let length = disk.contents(FIRST).expect("the segment stays").len();
            assert_eq!(cut, length < whole.len());
            let read = opened.log.reader().read(records[0]).is_ok();
            assert_eq!(read, byte < promised, "byte {byte}");
        }
    }
}

fn covers(damage: &Damage, byte: u32) -> bool {
    damage.offset <= byte && byte < damage.offset + damage.bytes
}

#[test]
fn a_log_with_damage_goes_on_in_a_new_segment_and_never_touches_the_old_one() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WIDE).log;
    let locations = log.append(&changes(1..6)).expect("the disk is sound");
    disk.flip(FIRST, u64::from(locations[2].offset) + 40, 3);
    let rotten = disk.contents(FIRST);
    let mut opened = open(&disk, WIDE);
    assert_eq!(opened.damages.len(), 1);
    let continued = opened.log.append(&changes(6..8)).expect("the log goes on");
    assert_eq!(continued[0].segment, 2);
    assert_eq!(disk.contents(FIRST), rotten);
    let opened = open(&disk, WIDE);
    assert_eq!(seqs(&opened.log), [1, 2, 4, 5, 6, 7]);
    let verified = opened.log.reader().verify().expect("the disk answers");
    assert_eq!(verified.damages.len(), 1);
    assert_eq!(verified.records, 6);
}

#[test]
fn a_forged_record_inside_a_payload_is_not_believed_when_its_surroundings_rot() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WIDE).log;
    // The author guesses where its change will lie and hides the frame of an unsigned one in it.
    let mut forged = change(9, 100).bytes().to_vec();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let host = |payload: Vec<u8>| {
        let key = lienthong_protocol::NodeKey::from_seed([7; 32]);
        let header = change(1, 0).header().clone();
        Change::sign(header, &payload, &key).expect("the key is the author's")
    };
    let payload_at = host(Vec::new()).bytes().len() as u32;
    let place = Place { segment: 1, offset: HEADER_BYTES + FRAME_BYTES + payload_at };
    let mut payload = Vec::new();
    record::encode(place, &forged, &mut payload);
    log.append(&[host(payload)]).expect("the disk is sound");
    log.append(&changes(2..4)).expect("the disk is sound");
    disk.flip(FIRST, u64::from(HEADER_BYTES), 0);
    let opened = open(&disk, WIDE);
    assert_eq!(seqs(&opened.log), [2, 3]);
    assert_eq!(opened.damages.len(), 1);
}

#[test]
fn missing_swapped_replaced_and_shortened_segments_are_found() {
    let disk = SimDisk::new();
    let mut log = open(&disk, SMALL).log;
    let mut located = Vec::new();
    for seq in 1..31 {
        located.extend(log.append(&changes(seq..seq + 1)).expect("the disk is sound"));
    }
    let name = |number| file_name(number);
    let in_one = (1..31).take_while(|seq| located[*seq as usize - 1].segment == 1).count();
    let content = |number| disk.contents(&name(number)).expect("there are several segments");

    let missing = disk.fork();
    missing.remove(&name(2)).expect("it is there");
    let opened = open(&missing, SMALL);
    assert_eq!(opened.damages, [Damage::new(2, 0, 0, DamageKind::Lost)]);
    assert_eq!(opened.end.tally, log.end().tally);

    let swapped = disk.fork();
    swapped.overwrite(&name(1), &content(2));
    swapped.overwrite(&name(2), &content(1));
    let kinds: Vec<_> = open(&swapped, SMALL).damages.iter().map(|damage| damage.kind).collect();
    assert_eq!(kinds, [DamageKind::Header, DamageKind::Header]);
    let misplaced = seqs(&open(&swapped, SMALL).log);
    assert_eq!(misplaced.first(), seqs(&log).get(in_one * 2), "records count in their place only");

    let shortened = disk.fork();
    shortened.overwrite(&name(1), &content(1)[..1000]);
    let damages = open(&shortened, SMALL).damages;
    assert!(matches!(
        damages[..],
        [Damage { segment: 1, offset: 1000, kind: DamageKind::Lost, .. }]
    ));

    let last = log.end().position.segment;
    let beheaded = disk.fork();
    beheaded.remove(&name(last)).expect("it is there");
    assert!(open(&beheaded, SMALL).damages.contains(&Damage::new(last, 0, 0, DamageKind::Lost)));

    // The same changes in another order: length and tally agree, only the chain can tell.
    let other = SimDisk::new();
    let mut foreign = open(&other, SMALL).log;
    for seq in (1..=in_one as u64).rev().chain(50..51) {
        foreign.append(&changes(seq..seq + 1)).expect("the disk is sound");
    }
    let replaced = disk.fork();
    replaced.overwrite(&name(1), &other.contents(&name(1)).expect("it was written"));
    let opened = open(&replaced, SMALL);
    let verified = opened.log.reader().verify().expect("the disk answers");
    let whole = content(1).len() as u32;
    assert_eq!(verified.damages, [Damage::new(1, 0, whole, DamageKind::Chain)]);
}

#[test]
fn a_full_disk_refuses_without_a_trace_and_works_again_when_space_is_back() {
    let disk = SimDisk::new();
    let settings = LogSettings { reserve_bytes: 3000, ..WIDE };
    let mut log = open(&disk, settings).log;
    disk.set_capacity_bytes(Some(20_000));
    let mut seq = 1;
    let refused = loop {
        match log.append(&changes(seq..seq + 1)) {
            Ok(_) => seq += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AppendError::Full { free_bytes: 3000.., needed_bytes: 3000.. }));
    assert_eq!(seqs(&log), (1..seq).collect::<Vec<_>>());
    disk.set_capacity_bytes(Some(40_000));
    log.append(&changes(seq..seq + 1)).expect("there is space again");
    assert_eq!(seqs(&open(&disk, settings).log), (1..=seq).collect::<Vec<_>>());
}

#[test]
fn a_write_cut_short_by_a_full_disk_is_taken_back() {
    for capacity in 5_000..5_400 {
        let disk = SimDisk::new();
        let mut log = open(&disk, SMALL).log;
        disk.set_capacity_bytes(Some(1 << 40));
        log.append(&changes(1..4)).expect("the disk is sound");
        // Somebody else fills the disk behind the back of the guard.
        disk.set_capacity_bytes(Some(capacity));
        let outcome = log.append(&changes(4..9));
        if let Err(error) = &outcome {
            let AppendError::Full { free_bytes, .. } = error else {
                panic!("not a refusal: {error:?}");
            };
            assert!(*free_bytes < 10_000, "it tells the space as it is now");
            assert_eq!(seqs(&log), [1, 2, 3]);
        }
        disk.crash(capacity);
        disk.set_capacity_bytes(None);
        let mut opened = open(&disk, SMALL);
        assert!(opened.damages.is_empty());
        let kept = if outcome.is_ok() { 8 } else { 3 };
        assert_eq!(seqs(&opened.log), (1..=kept).collect::<Vec<_>>());
        opened.log.append(&changes(9..10)).expect("there is space again");
    }
}

#[test]
fn a_power_cut_at_any_call_loses_nothing_acknowledged() {
    let calls = {
        let disk = SimDisk::new();
        work_until_dark(&disk);
        disk.calls()
    };
    for cut in 1..=calls {
        for seed in 0..8 {
            let disk = SimDisk::new();
            disk.set_fault(cut, Fault::PowerCut);
            let acknowledged = work_until_dark(&disk);
            disk.crash(seed * 1000 + cut);
            let mut opened = open(&disk, SMALL);
            let found = seqs(&opened.log);
            for seq in 1..=acknowledged {
                assert!(found.contains(&seq), "cut {cut} seed {seed}: {seq} of {acknowledged}");
            }
            let harm = opened.damages.iter().filter(|damage| damage.kind != DamageKind::Records);
            assert_eq!(harm.count(), 0, "cut {cut} seed {seed}");
            for seq in 100..110 {
                opened.log.append(&changes(seq..seq + 1)).expect("the log goes on");
            }
            let reopened = open(&disk, SMALL).log;
            assert!(seqs(&reopened).ends_with(&[108, 109]), "cut {cut} seed {seed}");
            let verified = reopened.reader().verify().expect("the disk answers");
            let chained = verified.damages.iter().all(|damage| damage.kind == DamageKind::Records);
            assert!(chained, "cut {cut} seed {seed}");
        }
    }
}

/// Appends groups of three until the power goes; returns the last acknowledged number.
fn work_until_dark(disk: &SimDisk) -> u64 {
    let mut acknowledged = 0;
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let Ok(OpenedLog { mut log, .. }) = Log::open(disk, SMALL) else { return 0 };
    for group in 0..8 {
        let first = group * 3 + 1;
        if log.append(&changes(first..first + 3)).is_err() {
            break;
        }
        acknowledged = first + 2;
    }
    acknowledged
}

#[test]
fn groups_that_cannot_be_written_at_once_are_refused() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WIDE).log;
    let large = change(1, 1_000_000);
    let many = vec![large; 70];
    assert!(matches!(log.append(&many), Err(AppendError::TooLarge { bytes: 70_000_000.. })));
    assert!(log.append(&[]).expect("nothing is asked").is_empty());
    log.append(&many[..3]).expect("a group may be longer than a segment");
    log.append(&changes(2..3)).expect("the disk is sound");
    assert_eq!(log.end().position.segment, 2);
}

#[test]
fn a_segment_whose_name_was_not_made_durable_is_not_trusted_with_changes_before_it_is() {
    for died_at in 1..=5 {
        let disk = SimDisk::new();
        let mut log = open(&disk, SMALL).log;
        // The process ends while it makes the first segment; the power stays on.
        disk.set_fault(disk.calls() + died_at, Fault::Fails);
        assert!(log.append(&changes(1..2)).is_err());
        let mut log = open(&disk, SMALL).log;
        log.append(&changes(2..3)).expect("the disk is sound again");
        for seed in 0..20 {
            let disk = disk.fork();
            disk.crash(seed);
            let found = seqs(&open(&disk, SMALL).log);
            assert!(found.contains(&2), "died at {died_at}, seed {seed}: {found:?}");
        }
    }
}

#[test]
fn the_check_goes_round_the_sealed_segments_one_by_one_and_finds_what_the_whole_check_finds() {
    let disk = SimDisk::new();
    let mut log = open(&disk, SMALL).log;
    assert_eq!(log.reader().sealed_after(0), None);
    for seq in 1..31 {
        log.append(&changes(seq..seq + 1)).expect("the disk is sound");
    }
    let last = log.end().position.segment;
    let reader = log.reader();
    let mut round = vec![0];
    while round.len() < last as usize + 2 {
        round.extend(reader.sealed_after(round[round.len() - 1]));
    }
    let expected: Vec<u32> = (0..last).chain([1, 2]).collect();
    assert_eq!(round, expected, "each sealed segment, and then the first again");
    let records = |number| reader.verify_segment(number).expect("the disk answers").records;
    assert_eq!((1..=last).map(records).sum::<u64>(), 30);

    let name = |number| file_name(number);
    let content = |number| disk.contents(&name(number)).expect("there are several segments");
    let (three, one) = (content(3), content(1));
    for (what, harm) in [
        ("a record", &(|disk: &SimDisk| disk.flip(&name(2), 300, 3)) as &dyn Fn(&SimDisk) -> bool),
        ("a header", &|disk: &SimDisk| disk.flip(&name(3), 20, 3)),
        ("a length", &|disk: &SimDisk| disk.overwrite(&name(3), &three[..1000])),
        ("a segment", &|disk: &SimDisk| disk.remove(&name(2)).is_ok()),
        ("a swap", &|disk: &SimDisk| disk.overwrite(&name(3), &one)),
    ] {
        let disk = disk.fork();
        assert!(harm(&disk));
        let reader = open(&disk, SMALL).log.reader();
        let whole = reader.verify().expect("the disk answers").damages;
        let parts = (1..=last).map(|number| reader.verify_segment(number));
        let parts: Vec<Damage> =
            parts.flat_map(|part| part.expect("the disk answers").damages).collect();
        assert!(!whole.is_empty(), "{what}");
        assert_eq!(parts, whole, "{what}");
    }
}

/// A disk of which some reads bring what lies some bytes further on.
#[derive(Clone)]
struct Astray {
    below: SimDisk,
    planned: Arc<Planned>,
}

/// How many reads are good before how many go astray.
#[derive(Default)]
struct Planned {
    good: AtomicU32,
    astray: AtomicU32,
}

impl Planned {
    fn set(&self, good: u32, astray: u32) {
        self.good.store(good, Ordering::Relaxed);
        self.astray.store(astray, Ordering::Relaxed);
    }

    fn next_is_astray(&self) -> bool {
        let take = |left: &AtomicU32| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        };
        take(&self.good).is_err() && take(&self.astray).is_ok()
    }
}

struct AstrayFile(Arc<dyn DiskFile>, Arc<Planned>);

impl Astray {
    fn file(&self, file: std::io::Result<Arc<dyn DiskFile>>) -> std::io::Result<Arc<dyn DiskFile>> {
        file.map(|file| Arc::new(AstrayFile(file, Arc::clone(&self.planned))) as Arc<dyn DiskFile>)
    }
}

impl Disk for Astray {
    fn list(&self) -> std::io::Result<Vec<String>> {
        self.below.list()
    }
    fn open(&self, name: &str) -> std::io::Result<Arc<dyn DiskFile>> {
        self.file(self.below.open(name))
    }
    fn create(&self, name: &str) -> std::io::Result<Arc<dyn DiskFile>> {
        self.file(self.below.create(name))
    }
    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.below.rename(from, to)
    }
    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.below.remove(name)
    }
    fn sync_directory(&self) -> std::io::Result<()> {
        self.below.sync_directory()
    }
    fn free_bytes(&self) -> std::io::Result<u64> {
        self.below.free_bytes()
    }
}

impl DiskFile for AstrayFile {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.0.read_at(buffer, offset + if self.1.next_is_astray() { 7 } else { 0 })
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn truncate(&self, length: u64) -> std::io::Result<()> {
        self.0.truncate(length)
    }
    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

#[test]
fn a_read_that_goes_astray_once_is_no_damage() {
    let disk = Astray { below: SimDisk::new(), planned: Arc::default() };
    let mut log = Log::open(Arc::new(disk.clone()), WIDE).expect("the disk is sound").log;
    let written = changes(1..4);
    let locations = log.append(&written).expect("the disk is sound");
    let reader = log.reader();
    disk.planned.set(0, 1);
    assert_eq!(reader.read(locations[1]).expect("it was acknowledged"), written[1].bytes());
    disk.planned.set(0, 2);
    assert!(matches!(reader.read(locations[1]), Err(ReadError::Damaged { .. })));
}

#[test]
fn a_read_that_goes_astray_at_a_start_hides_no_record_and_changes_no_byte() {
    let below = SimDisk::new();
    let written = changes(1..31);
    let mut log = open(&below, SMALL).log;
    written.chunks(4).for_each(|group| drop(log.append(group).expect("the disk is sound")));
    // The mark is never synced, so a power cut may bring an early one back: then the tail is
    // doubtful and written again.
    let late = below.contents("acknowledged").expect("the mark was written");
    for mark in [late.clone(), vec![0; late.len()]] {
        below.overwrite("acknowledged", &mark);
        for good in 0..40 {
            let disk = Astray { below: below.fork(), planned: Arc::default() };
            disk.planned.set(good, 1);
            let opened = Log::open(Arc::new(disk.clone()), SMALL).expect("the disk answers");
            assert_eq!((opened.torn_bytes, &*opened.damages), (0, &[][..]), "read {good}");
            disk.planned.set(good, 1);
            assert_eq!(seqs(&opened.log), (1..31).collect::<Vec<_>>(), "read {good}");
            disk.planned.set(0, 0);
            let verified = opened.log.reader().verify().expect("the disk answers");
            assert_eq!((verified.records, verified.damages), (30, Vec::new()), "read {good}");
        }
    }
}

#[test]
fn rot_beside_the_end_of_what_is_read_at_once_hides_no_other_record() {
    let disk = SimDisk::new();
    let mut log = open(&disk, WINDOWS).log;
    // More than two windows of the walk, so that records lie over the ends of windows.
    let written: Vec<Change> = (1..14).map(|seq| change(seq, 200_000)).collect();
    let locations = log.append(&written).expect("the disk is sound");
    let reader = log.reader();
    // A frame that is no frame: from here on the walk searches.
    assert!(disk.flip(FIRST, u64::from(locations[0].offset), 3));
    for (rotten, location) in locations.iter().enumerate().skip(1) {
        let body = u64::from(location.offset + FRAME_BYTES + location.length / 2);
        assert!(disk.flip(FIRST, body, 1));
        let expected: Vec<u64> = (2..14).filter(|seq| *seq != rotten as u64 + 1).collect();
        assert_eq!(seqs(&log), expected);
        let verified = reader.verify().expect("the disk answers");
        assert_eq!(verified.damages.len(), if rotten == 1 { 1 } else { 2 }, "{rotten}");
        assert!(disk.flip(FIRST, body, 1));
    }
}

#[test]
fn a_read_that_goes_astray_beside_rot_hides_no_other_record() {
    let below = SimDisk::new();
    let mut log = open(&below, WINDOWS).log;
    let written: Vec<Change> = (1..14).map(|seq| change(seq, 200_000)).collect();
    let locations = log.append(&written).expect("the disk is sound");
    let rots = [None, Some(0), Some(20)].map(|inside| (0..2).map(move |at| (inside, at * 5 + 1)));
    for (inside, rotten) in rots.into_iter().flatten() {
        let disk = Astray { below: below.fork(), planned: Arc::default() };
        if let Some(inside) = inside {
            assert!(disk.below.flip(FIRST, u64::from(locations[rotten].offset + inside), 2));
        }
        let log = Log::open(Arc::new(disk.clone()), WINDOWS).expect("the disk answers").log;
        let is_sound = |seq: &u64| inside.is_none() || *seq != rotten as u64 + 1;
        let sound: Vec<u64> = (1..14).filter(is_sound).collect();
        for good in 0..16 {
            disk.planned.set(good, 1);
            assert_eq!(seqs(&log), sound, "rot {inside:?} of {rotten}, read {good}");
        }
    }
}
