//! The places of this node's part of the day's serials: which comes next, kept durably, so that
//! none is given twice, whatever happens to the process or its data folder.
//!
//! Every code that was given stands in the log. What the log cannot know is what was given after
//! a backup of the folder that is in use again now. Three things stand in for that:
//!
//! - Places are reserved in blocks, on disk before the first is given, and a process begins with
//!   a new block: places of a log that lost its tail are not given again.
//! - The file that says so knows its own inode and birth. A folder that was copied or restored
//!   without a word shows itself by that, and goes on from the place of the hour
//!   ([`place_of_hour`]), far above what was given before.
//! - A restored folder is marked ([`lienthong_folder::Folder::mark_restored`]). It does the same,
//!   and gives nothing before a peer was heard, or the next day.
//!
//! No file can tell a disk that was put back as a whole, such as the snapshot of a virtual
//! machine. Then the block and what the peers hold are all that there is; a code that was given
//! twice all the same is found and shown, see `codes.rs`.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lienthong_catalogue::VIETNAM_MS;
use lienthong_dossier::local_day;
use lienthong_federation::SerialPart;
use lienthong_folder::{RESTORED, read_limited, replace_with, sync_parent};
use lienthong_protocol::Moment;
use lienthong_request::Failure;
use serde::{Deserialize, Serialize};

use crate::mind::disk_full;

/// How many places are reserved with one sync. A process that ends leaves the rest of a block
/// unused.
const BLOCK: u32 = 20;

/// The next place of today, and what keeps it from being given twice.
#[derive(Debug)]
pub(crate) struct Serials {
    file: PathBuf,
    marker: PathBuf,
    mark: Mark,
    /// The last place of the mark's day that may not be given any more.
    last: u32,
    /// The day on which a restored folder gives nothing before a peer was heard.
    restored: Option<String>,
}

/// What `serials.json` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// The day, as `YYYY-MM-DD`.
    day: String,
    /// The last place of that day that is reserved.
    reserved: u32,
    /// The file itself; another one is a copy.
    file: Birth,
}

/// What no copy of a file has, not even one in its place: inodes are used again, and births are
/// of the second where a file system is coarse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Birth {
    inode: u64,
    /// When the file was made, in nanoseconds since the epoch; none where it is not kept.
    born_ns: Option<u64>,
}

impl Birth {
    fn of(file: &Metadata) -> Birth {
        let born = file.created().ok();
        let since = born.and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
        let born_ns = since.and_then(|since| u64::try_from(since.as_nanos()).ok());
        Birth { inode: file.ino(), born_ns }
    }
}

/// What `restored.json` says: put there by whoever restores a folder.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Restored {
    /// The day of the first start after it; none before that.
    day: Option<String>,
}

impl Serials {
    /// Reads what a data folder says. A folder that cannot be written now is read all the same:
    /// it gives no place before it has written.
    pub(crate) fn open(folder: &Path, at: Moment) -> Serials {
        let (file, marker) = (folder.join(FILE), folder.join(RESTORED));
        let (mark, is_copy) = read_mark(&file);
        let restored = read_marker(&marker);
        let last = mark.reserved;
        let mut serials = Serials { file, marker, mark, last, restored: None };
        if is_copy {
            tracing::warn!("folder-is-a-copy");
            serials.jump(at);
        }
        if let Some(Restored { day }) = restored {
            serials.settle_restored(day, at);
        }
        let Mark { day, reserved, .. } = serials.mark.clone();
        let reserved = reserved.max(serials.last);
        if let Err(error) = serials.write(day, reserved) {
            tracing::warn!(%error, "serials-not-written");
        }
        serials
    }

    /// Decides what a marker means on the day of a start; `day` is that of the first one.
    fn settle_restored(&mut self, day: Option<String>, at: Moment) {
        let today = local_day(at);
        let first = day.is_none();
        let day = day.unwrap_or_else(|| today.clone());
        if day < today {
            self.forget_restored();
            return;
        }
        if first {
            self.jump(at);
            let marker = Restored { day: Some(day.clone()) };
            let bytes = serde_json::to_vec(&marker).map_err(io::Error::from);
            let written = bytes.and_then(|bytes| replace_with(&self.marker, |_| Ok(bytes)));
            if let Err(error) = written {
                tracing::warn!(%error, "restored-not-dated");
            }
        }
        tracing::warn!(day, "folder-was-restored");
        self.restored = Some(day);
    }

    /// Whether this is a restored folder that must hear a peer before it gives a place.
    pub(crate) fn wait_for_peer(&self, at: Moment) -> bool {
        self.restored.as_ref().is_some_and(|day| local_day(at) <= *day)
    }

    /// A peer that holds what this office wrote was heard.
    pub(crate) fn peer_heard(&mut self) {
        if self.restored.take().is_some() {
            self.forget_restored();
        }
    }

    fn forget_restored(&self) {
        let removed = fs::remove_file(&self.marker).and_then(|()| sync_parent(&self.marker));
        // The next start reads it again, and waits once more on that day: no harm.
        if let Err(error) = removed {
            tracing::warn!(%error, "restored-not-removed");
        }
    }

    /// Goes on above whatever an earlier life of this folder may have given today.
    pub(crate) fn jump(&mut self, at: Moment) {
        self.turn_to(&local_day(at));
        self.last = self.last.max(place_of_hour(at) - 1);
    }

    /// The next place of the day, above `known`, the highest that is known to be given; on disk
    /// as reserved when this returns. It stays the next one until [`Serials::given`].
    pub(crate) fn next(&mut self, at: Moment, known: u32) -> Result<u32, Failure> {
        let day = local_day(at);
        self.turn_to(&day);
        let place = self.last.max(known).saturating_add(1);
        if place > SerialPart::PLACES {
            return Err(used_up(&day));
        }
        if place > self.mark.reserved {
            let reserved = (place + BLOCK - 1).min(SerialPart::PLACES);
            self.write(day, reserved).map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull => disk_full(),
                _ => Failure::disk("chưa cấp mã / no code was given", &self.file, &error),
            })?;
        }
        Ok(place)
    }

    /// The place that [`Serials::next`] gave stands in a dossier now.
    pub(crate) fn given(&mut self, place: u32) {
        self.last = self.last.max(place);
    }

    fn turn_to(&mut self, day: &str) {
        if self.mark.day != day {
            self.mark = Mark { day: day.to_owned(), ..Mark::default() };
            self.last = 0;
        }
    }

    fn write(&mut self, day: String, reserved: u32) -> io::Result<()> {
        let mut mark = Mark { day, reserved, file: Birth::default() };
        replace_with(&self.file, |file| {
            mark.file = Birth::of(&file.metadata()?);
            serde_json::to_vec(&mark).map_err(io::Error::from)
        })?;
        self.mark = mark;
        Ok(())
    }
}

/// The mark, and whether its file is a copy. One that does not read may have said anything.
fn read_mark(file: &Path) -> (Mark, bool) {
    let birth = match fs::metadata(file) {
        Ok(metadata) => Birth::of(&metadata),
        Err(error) => return (Mark::default(), error.kind() != io::ErrorKind::NotFound),
    };
    let bytes = read_limited(file, MAX_FILE_BYTES).ok();
    let mark: Option<Mark> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let is_copy = mark.as_ref().is_none_or(|mark| mark.file != birth);
    (mark.unwrap_or_default(), is_copy)
}

/// The marker; one that does not read counts as fresh.
fn read_marker(marker: &Path) -> Option<Restored> {
    match read_limited(marker, MAX_FILE_BYTES) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(Restored::default()),
    }
}

/// The place from which a node goes on that cannot know what it gave earlier on the day: 1000 at
/// midnight in Vietnam, and one more for every ten seconds. It lies above all that was given
/// before in the usual order, as long as that was less than 1,000, and above all that followed an
/// earlier such place, as long as no ten seconds saw more than one dossier on average.
pub(crate) fn place_of_hour(at: Moment) -> u32 {
    let second = at.0.saturating_add(VIETNAM_MS) / 1_000 % 86_400;
    SerialPart::LONG + u32::try_from(second / 10).unwrap_or(0)
}

fn used_up(day: &str) -> Failure {
    let limit = SerialPart::PLACES;
    Failure::refused(
        "serials-used-up",
        "chưa tiếp nhận hồ sơ / the dossier was not received",
        format!(
            "nút này đã dùng hết {limit} số của ngày {day} / \
             this node has given all its {limit} numbers of {day}"
        ),
        "tiếp nhận tại một nút khác của đơn vị, hoặc sau nửa đêm: số đếm lại từ đầu mỗi ngày / \
         receive it at another node of the office, or after midnight: numbers begin anew each day",
    )
}

const FILE: &str = "serials.json";
const MAX_FILE_BYTES: u64 = 4 << 10;

#[cfg(test)]
#[path = "serials_tests.rs"]
mod tests;
