//! The access log: who looked at which dossier, how and when.
//!
//! Lines of JSON in numbered files, only ever appended to, oldest file first out. Who is an
//! officer's account or a user of the machine; a dossier is its document id and code: nothing here
//! says whose it is. The log is the node's own and is never replicated.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lienthong_protocol::Moment;
use lienthong_request::{Failure, LookKind};
use serde::{Deserialize, Serialize};

use crate::folder::{read_limited, sync_parent};

/// One look at one dossier, or at as many as a register or an export shows at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at_ms: Moment,
    /// The officer's account, or the number of the machine's user; at most 64 bytes are kept.
    pub who: String,
    /// By which way: `page`, `api`, `command` or `program`.
    pub way: String,
    /// What was shown.
    pub what: LookKind,
    /// The document of the dossier, or of the newest of many.
    pub dossier: String,
    /// The code of that dossier; empty where it was not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// How many dossiers.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub dossiers: u64,
}

/// Which looks are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Those at one dossier, by document id or code, and those at many, which may show it.
    pub dossier: Option<String>,
    /// Those of one officer or user.
    pub who: Option<String>,
    /// Those before this place, as the page before told it.
    pub before: Option<Place>,
    /// How many at most, 1 to 1,000.
    pub limit: usize,
}

/// Where a look stands in the log; later looks have larger places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    file: u32,
    offset: u32,
}

/// Some looks, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// The looks.
    pub looks: Vec<Look>,
    /// Where the next page begins; `None` after the oldest look that is kept.
    pub next: Option<Place>,
    /// How many lines did not read, as after a power cut in the middle of one.
    pub unreadable: u64,
}

/// The access log of one data folder. Calls block on the disk.
#[derive(Debug)]
pub struct AccessLog {
    folder: PathBuf,
    max_file_bytes: u32,
    written: Mutex<Written>,
    /// How many looks are on disk for certain.
    synced: Mutex<u64>,
}

/// The file that is written, and how many looks were written since the start.
#[derive(Debug, Default)]
struct Written {
    current: Option<Current>,
    looks: u64,
}

#[derive(Debug)]
struct Current {
    bytes: u32,
    file: File,
}

impl AccessLog {
    /// The log of a data folder; nothing is made or read before the first look.
    pub fn of(folder: &Path) -> AccessLog {
        AccessLog {
            folder: folder.join(FOLDER),
            max_file_bytes: MAX_FILE_BYTES,
            written: Mutex::default(),
            synced: Mutex::default(),
        }
    }

    /// Keeps a look; it is on disk when this returns. Whoever comes while another one's look is
    /// being synced shares the next sync with all who do.
    pub fn note(&self, mut look: Look) -> Result<(), Failure> {
        cut(&mut look.who);
        cut(&mut look.code);
        let mut line = serde_json::to_vec(&look).expect("texts and numbers encode");
        line.push(b'\n');
        let kept = self.append(&line).and_then(|looks| self.sync(looks));
        kept.map_err(|error| self.unkept(&error))
    }

    /// The newest looks that fit, from the newest on. One call reads at most 8 files; what it has
    /// not looked through then is left to the next page.
    pub fn read(&self, sought: &Sought) -> Result<Looks, Failure> {
        let limit = sought.limit.clamp(1, MAX_LOOKS);
        let mut files = self.files().map_err(|error| self.unread(&error))?;
        files.retain(|file| sought.before.is_none_or(|before| *file <= before.file));
        let mut found = Looks::default();
        for (read, file) in files.iter().rev().enumerate() {
            if read == FILES_OF_A_PAGE {
                found.next = Some(Place { file: *file, offset: u32::MAX });
                return Ok(found);
            }
            let path = self.path(*file);
            let bytes = match read_limited(&path, u64::from(self.max_file_bytes) + MAX_LINE_BYTES) {
                Ok(bytes) => bytes,
                // The oldest file may go at any time.
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(self.unread(&error)),
            };
            if found.add(*file, &bytes, sought, limit) {
                return Ok(found);
            }
        }
        found.next = None;
        Ok(found)
    }

    fn append(&self, line: &[u8]) -> io::Result<u64> {
        let mut written = lock(&self.written);
        let length = u32::try_from(line.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let room = self.max_file_bytes.saturating_sub(length);
        let mut current = match written.current.take() {
            Some(current) if current.bytes <= room => current,
            full => {
                // Nobody syncs a file that was left behind.
                full.map_or(Ok(()), |full| full.file.sync_data())?;
                self.next_file(room)?
            }
        };
        // If this fails the file is left alone from now on: half a line may stand at its end.
        current.file.write_all(line)?;
        current.bytes += length;
        written.current = Some(current);
        written.looks += 1;
        Ok(written.looks)
    }

    /// Makes sure that so many looks are on disk.
    fn sync(&self, looks: u64) -> io::Result<()> {
        let mut synced = lock(&self.synced);
        if *synced >= looks {
            return Ok(());
        }
        let (file, all) = {
            let written = lock(&self.written);
            let current = written.current.as_ref().ok_or_else(left_alone)?;
            (current.file.try_clone()?, written.looks)
        };
        if let Err(error) = file.sync_data() {
            // What a sync failed for may never reach the disk: no later sync of that file counts.
            lock(&self.written).current = None;
            return Err(error);
        }
        *synced = all;
        Ok(())
    }

    /// The file to go on with: the last one if it has room and ends with a line, else a new one.
    fn next_file(&self, room: u32) -> io::Result<Current> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let files = self.files()?;
        let last = files.last().copied();
        let path = self.path(last.unwrap_or_default());
        let bytes = last.map(|_| fs::metadata(&path)).transpose()?.map(|metadata| metadata.len());
        let bytes = bytes.and_then(|bytes| u32::try_from(bytes).ok()).filter(|it| *it <= room);
        if let Some(bytes) = bytes.filter(|_| ends_with_line(&path).unwrap_or(false)) {
            let file = OpenOptions::new().append(true).open(&path)?;
            return Ok(Current { bytes, file });
        }
        for old in files.iter().take((files.len() + 1).saturating_sub(MAX_FILES)) {
            fs::remove_file(self.path(*old))?;
        }
        let path = self.path(last.map_or(1, |last| last.saturating_add(1)));
        let mut options = OpenOptions::new();
        let file = options.append(true).create_new(true).mode(0o600).open(&path)?;
        sync_parent(&path)?;
        sync_parent(&self.folder)?;
        Ok(Current { bytes: 0, file })
    }

    /// The numbers of the files, the oldest first.
    fn files(&self) -> io::Result<Vec<u32>> {
        let listed = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut numbers = Vec::new();
        for entry in listed {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(ENDING));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn path(&self, file: u32) -> PathBuf {
        self.folder.join(format!("{file:08}{ENDING}"))
    }

    fn unkept(&self, error: &io::Error) -> Failure {
        Failure::disk(UNSHOWN, &self.folder, error)
    }

    fn unread(&self, error: &io::Error) -> Failure {
        Failure::disk(UNREAD, &self.folder, error)
    }
}

impl Looks {
    /// Adds what fits of one file, from its end on; `true` once there are enough.
    fn add(&mut self, file: u32, bytes: &[u8], sought: &Sought, limit: usize) -> bool {
        let mut end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        while end > 0 {
            let begin = bytes[..end - 1].iter().rposition(|byte| *byte == b'\n');
            let begin = begin.map_or(0, |before| before + 1);
            let line = &bytes[begin..end];
            end = begin;
            let place = Place { file, offset: u32::try_from(begin).unwrap_or(u32::MAX) };
            if sought.before.is_some_and(|before| place >= before) {
                continue;
            }
            let Ok(look) = serde_json::from_slice::<Look>(line) else {
                self.unreadable += 1;
                continue;
            };
            if !sought.fits(&look) {
                continue;
            }
            if self.looks.len() == limit {
                return true;
            }
            self.looks.push(look);
            self.next = Some(place);
        }
        false
    }
}

impl Sought {
    fn fits(&self, look: &Look) -> bool {
        let is_at = |dossier: &String| {
            look.what.is_of_many() || look.dossier == *dossier || look.code == *dossier
        };
        self.dossier.as_ref().is_none_or(is_at) && self.who.as_ref().is_none_or(|w| look.who == *w)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.file, self.offset)
    }
}

impl FromStr for Place {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Place, Failure> {
        let parts = text.split_once('-');
        let place = parts.and_then(|(file, offset)| {
            Some(Place { file: file.parse().ok()?, offset: offset.parse().ok()? })
        });
        place.ok_or_else(|| {
            let why = "con trỏ trang không đúng / that is no cursor of a page";
            let remedy = "lấy `next` của trang trước / take the `next` of the page before";
            Failure::usage("bad-cursor", UNREAD, why, remedy)
        })
    }
}

fn ends_with_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut last = [b'\n'];
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last == [b'\n'])
}

fn left_alone() -> io::Error {
    io::Error::other("the file of this look was given up after a failed write")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
}

fn one() -> u64 {
    1
}

fn is_one(count: &u64) -> bool {
    *count == 1
}

const UNSHOWN: &str = "chưa cho xem, vì chưa ghi được nhật ký xem hồ sơ / \
                       not shown, because the access log could not be written";
const UNREAD: &str = "chưa đọc được nhật ký xem hồ sơ / the access log was not read";
const FOLDER: &str = "access";
const ENDING: &str = ".jsonl";
/// How large a file may become: some 40,000 looks.
const MAX_FILE_BYTES: u32 = 8 << 20;
/// How many files are kept, some 2.5 million looks: more than a year of a large centre.
const MAX_FILES: usize = 64;
/// A line is shorter: its texts are cut.
const MAX_LINE_BYTES: u64 = 4 << 10;
const MAX_TEXT_BYTES: usize = 64;
const MAX_LOOKS: usize = 1_000;
const FILES_OF_A_PAGE: usize = 8;

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
