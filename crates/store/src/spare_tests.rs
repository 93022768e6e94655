//! What is kept beside the log, and that a failure while it is kept leaves what was there before.

use super::*;
use crate::fixture::changes;
use crate::sim_disk::{Fault, SimDisk};

fn seqs(disk: &SimDisk) -> Vec<u64> {
    let kept = read(disk).expect("the disk answers");
    kept.iter().map(|change| change.header().seq).collect()
}

#[test]
fn what_is_kept_is_read_again_and_replaced_whole() {
    let disk = SimDisk::new();
    assert_eq!(seqs(&disk), [0; 0]);
    keep(&disk, &changes(1..9)).expect("the disk is sound");
    assert_eq!(seqs(&disk), [1, 2, 3, 4, 5, 6, 7, 8]);
    keep(&disk, &changes(7..10)).expect("the disk is sound");
    assert_eq!(seqs(&disk), [7, 8, 9]);
}

#[test]
fn a_failure_at_any_call_and_a_power_cut_leave_one_of_the_two_copies_whole() {
    for call in 1..=5 {
        for fault in [Fault::Fails, Fault::HalfWritten, Fault::PowerCut] {
            let disk = SimDisk::new();
            keep(&disk, &changes(1..4)).expect("the disk is sound");
            disk.set_fault(disk.calls() + call, fault);
            let done = keep(&disk, &changes(1..7));
            // Only a write can be done by half.
            assert!(done.is_err() || fault == Fault::HalfWritten, "call {call}, {fault:?}");
            for seed in 0..8 {
                let after = disk.fork();
                after.crash(seed);
                let kept = seqs(&after);
                assert!([vec![1, 2, 3], vec![1, 2, 3, 4, 5, 6]].contains(&kept), "{kept:?}");
            }
        }
    }
}

#[test]
fn rot_takes_one_record_and_no_other() {
    let disk = SimDisk::new();
    keep(&disk, &changes(1..5)).expect("the disk is sound");
    let length = disk.contents(FILE_NAME).expect("it was kept").len() as u64;
    for byte in 0..length {
        let rotten = disk.fork();
        assert!(rotten.flip(FILE_NAME, byte, 2));
        assert!(seqs(&rotten).len() >= 3, "byte {byte}");
    }
}
