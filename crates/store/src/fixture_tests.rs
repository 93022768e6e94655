//! Changes and disks for the tests of this crate.

use std::sync::Arc;

use lienthong_protocol::{Change, DocumentId, Header, Incarnation, Kind, Moment, NodeKey, Tally};

use crate::disk::Disk;
use crate::log::{Log, LogSettings, OpenedLog};
use crate::sim_disk::SimDisk;

/// Small segments, so that a few changes fill several; no reserve.
pub(crate) const SMALL: LogSettings = LogSettings { segment_bytes: 2000, reserve_bytes: 0 };

/// One segment for everything; no reserve.
pub(crate) const WIDE: LogSettings = LogSettings { segment_bytes: 1 << 20, reserve_bytes: 0 };

/// One segment that is longer than what a walk reads at once; no reserve.
pub(crate) const WINDOWS: LogSettings = LogSettings { segment_bytes: 8 << 20, reserve_bytes: 0 };

/// Signs the change number `seq` of one author, with a payload of some bytes.
pub(crate) fn change(seq: u64, payload_bytes: usize) -> Change {
    let key = NodeKey::from_seed([7; 32]);
    let (author, incarnation, at) = (key.id(), Incarnation(3), Moment(1_500_000_000_000 + seq));
    let header = Header {
        document: DocumentId::derive(author, incarnation, seq, at),
        kind: Kind::DOSSIER,
        author,
        office: "QNA.TK".parse().expect("the id is well formed"),
        incarnation,
        seq,
        at,
        adds: Vec::new(),
    };
    let payload: Vec<u8> = (0..payload_bytes).map(|byte| (byte as u64 * 31 + seq) as u8).collect();
    Change::sign(header, &payload, &key).expect("the key is the author's")
}

/// Signs the changes with these numbers, each with a payload of 100 bytes.
pub(crate) fn changes(seqs: std::ops::Range<u64>) -> Vec<Change> {
    seqs.map(|seq| change(seq, 100)).collect()
}

/// Sums up changes.
pub(crate) fn tally(changes: &[Change]) -> Tally {
    let mut tally = Tally::default();
    for change in changes {
        tally.add(change.id());
    }
    tally
}

/// Opens the log on a simulated disk.
pub(crate) fn open(disk: &SimDisk, settings: LogSettings) -> OpenedLog {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Log::open(disk, settings).expect("the disk answers")
}

/// Lists the numbers (`seq`) of all readable changes of a log, in order.
pub(crate) fn seqs(log: &Log) -> Vec<u64> {
    let mut seqs = Vec::new();
    let scanned = log.reader().scan(crate::Checkpoint::default(), &mut |record| {
        seqs.push(record.change.header().seq);
        std::ops::ControlFlow::Continue(())
    });
    scanned.expect("the disk answers");
    seqs
}
