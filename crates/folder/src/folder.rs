//! The data folder of one node: its lock, its key, its federation, and where everything lies.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use lienthong_protocol::{FederationId, NodeId, NodeKey, OfficeId};
use lienthong_request::Failure;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// The data folder, held exclusively as long as this value lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    key: NodeKey,
    // The lock goes with the open file; the system gives it back even after `kill -9`.
    _lock: File,
}

/// What `federation.json` says: whom this node belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The federation, in hex.
    #[serde(with = "as_text")]
    pub federation: FederationId,
    /// The office that the node works for.
    pub office: OfficeId,
    /// The node that admitted this one; itself on the first node.
    #[serde(with = "as_text")]
    pub hub: NodeId,
    /// Where the hub listens, as `host:port`.
    pub hub_addresses: Vec<String>,
}

impl Folder {
    /// Makes the folder (mode 0700) with a new key and holds it. A folder whose node has not
    /// joined yet keeps its key, so that joining can be tried again; one that has is refused, as
    /// is one that is not empty and open to other users.
    pub fn create(path: &Path) -> Result<Folder, Failure> {
        make(path).map_err(|error| Failure::disk("data folder not made", path, &error))?;
        check_private(path, 0o700)?;
        let lock = lock(path)?;
        if path.join(FEDERATION).exists() {
            return Err(Failure::refused(
                "folder-taken",
                "no new node made",
                format!("{} already holds a node with a federation", path.display()),
                "choose another folder with --data",
            ));
        }
        if !path.join(KEY).exists() {
            write_key(path)?;
        }
        Folder::held(path, lock)
    }

    /// Holds an existing folder. A folder that is missing, held by another process, or open to
    /// other users is refused.
    pub fn open(path: &Path) -> Result<Folder, Failure> {
        if !path.join(KEY).exists() {
            return Err(not_joined(path, "it has no node.key"));
        }
        check_private(path, 0o700)?;
        let lock = lock(path)?;
        Folder::held(path, lock)
    }

    /// Whether the node of a folder has joined, without holding the folder.
    pub fn has_joined(path: &Path) -> bool {
        path.join(FEDERATION).exists()
    }

    fn held(path: &Path, lock: File) -> Result<Folder, Failure> {
        Ok(Folder { path: path.to_owned(), key: read_key(path)?, _lock: lock })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key of this node.
    pub fn key(&self) -> &NodeKey {
        &self.key
    }

    /// Whom the node belongs to; `None` before it has joined.
    pub fn membership(&self) -> Result<Option<Membership>, Failure> {
        let file = self.path.join(FEDERATION);
        match read_limited(&file, MAX_FEDERATION_BYTES) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                Failure::store(
                    "federation-unreadable",
                    "node not opened",
                    format!("{} does not read: {error}", file.display()),
                    "put back the file from a backup, or join again with a new code",
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::disk("node not opened", &file, &error)),
        }
    }

    /// Whom the node belongs to; exit code 10 before it has joined.
    pub fn joined(&self) -> Result<Membership, Failure> {
        self.membership()?.ok_or_else(|| not_joined(&self.path, "its node has not joined yet"))
    }

    /// Writes down whom the node belongs to; on disk when this returns.
    pub fn join(&self, membership: &Membership) -> Result<(), Failure> {
        let file = self.path.join(FEDERATION);
        let bytes = serde_json::to_vec_pretty(membership).map_err(io::Error::from);
        bytes
            .and_then(|bytes| replace(&file, &bytes))
            .map_err(|error| Failure::disk("membership not saved", &file, &error))
    }

    /// Says that the folder was restored from a backup; whoever restores it calls this before its
    /// node starts. On the day of that start the node gives no dossier code before it has settled
    /// with a node that holds what its office wrote: after the backup it may have given others
    /// that only its peers know of. Nothing else is held up.
    pub fn mark_restored(&self) -> Result<(), Failure> {
        let file = self.path.join(RESTORED);
        replace(&file, b"{}")
            .map_err(|error| Failure::disk("restored folder not marked", &file, &error))
    }

    /// The folder of the log, the truth.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// The folder of the index, which can be rebuilt from the log.
    pub fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// The socket through which commands reach the running node.
    pub fn socket(&self) -> PathBuf {
        socket_of(&self.path)
    }
}

/// The socket of a data folder that another process holds.
pub fn socket_of(folder: &Path) -> PathBuf {
    folder.join("api.sock")
}

/// Puts a file (mode 0600) in place of the old one, whole or not at all, and on disk when this
/// returns. Only the holder of the folder may call it.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(file, |_| Ok(bytes.to_vec()))
}

/// The same with bytes that depend on the new file, as on its inode.
pub fn replace_with(
    file: &Path,
    bytes: impl FnOnce(&File) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = file.with_file_name(name);
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    written.write_all(&bytes(&written)?)?;
    written.sync_all()?;
    fs::rename(&fresh, file)?;
    sync_parent(file)
}

/// Reads a file of at most `limit_bytes`; a larger one is an error, not an allocation.
pub fn read_limited(file: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(limit_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        let words = format!("file is longer than the limit of {limit_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    Ok(bytes)
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // A folder with other things in it is not narrowed behind its owner's back.
    if fs::metadata(path)?.mode() & 0o077 != 0 && fs::read_dir(path)?.next().is_none() {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    sync_parent(path)
}

/// Makes sure that the entry of a file in its folder is on disk.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        Some(_) => File::open(".")?.sync_all(),
        None => Ok(()),
    }
}

/// How often a held lock is tried, and how long apart.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

fn lock(path: &Path) -> Result<File, Failure> {
    let file = path.join(LOCK);
    let failed = |error: io::Error| Failure::disk("data folder not locked", &file, &error);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut held = options.open(&file).map_err(failed)?;
    for attempt in 1.. {
        match flock(&held, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            // A child that another thread starts holds a copy of the lock until it runs its own
            // program, so a lock that was just given up may look held for a moment.
            Err(rustix::io::Errno::WOULDBLOCK) if attempt < LOCK_TRIES => {
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(locked(path, &file)),
            Err(error) => return Err(failed(error.into())),
        }
    }
    // Only for the message of the next who tries; the lock itself is the kernel's.
    held.set_len(0).map_err(failed)?;
    write!(held, "{}", std::process::id()).map_err(failed)?;
    Ok(held)
}

fn locked(path: &Path, file: &Path) -> Failure {
    let holder = read_limited(file, 20).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let holder = holder.filter(|text| text.parse::<u32>().is_ok());
    let holder = holder.map_or_else(|| "another process".into(), |pid| format!("process {pid}"));
    Failure::locked(
        "folder-locked",
        "data folder not opened",
        format!("{holder} uses {}", path.display()),
        "stop that process, or leave out what needs the folder alone: a running node is asked \
         through its socket",
    )
}

fn not_joined(path: &Path, cause: &str) -> Failure {
    let path = path.display();
    Failure::not_joined(
        "not-joined",
        "no node to work with",
        format!("{path}: {cause}"),
        format!("join with 'lienthong join CODE --data {path}', or name the right folder"),
    )
}

/// Refuses a file or folder that others than its owner may read or write.
pub fn check_private(path: &Path, wanted: u32) -> Result<(), Failure> {
    let metadata =
        fs::metadata(path).map_err(|error| Failure::disk("node not opened", path, &error))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::refused(
        "folder-open-to-others",
        "node not opened",
        format!("{} has mode {mode:o}, the limit is {wanted:o}", path.display()),
        format!("chmod {wanted:o} {}; if others could read it, replace the node", path.display()),
    ))
}

fn write_key(path: &Path) -> Result<(), Failure> {
    let file = path.join(KEY);
    let failed = |error: io::Error| Failure::disk("node key not made", &file, &error);
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|error| failed(io::Error::other(error)))?;
    let text = Zeroizing::new(HEX.encode(seed.as_slice()));
    replace(&file, text.as_bytes()).map_err(failed)
}

fn read_key(path: &Path) -> Result<NodeKey, Failure> {
    let file = path.join(KEY);
    check_private(&file, 0o600)?;
    let text = read_limited(&file, MAX_KEY_BYTES);
    let text =
        Zeroizing::new(text.map_err(|error| Failure::disk("node not opened", &file, &error))?);
    let seed = HEX.decode(text.trim_ascii()).ok().and_then(|mut bytes| {
        let seed = <[u8; 32]>::try_from(bytes.as_slice()).ok();
        bytes.zeroize();
        seed
    });
    // What the file holds is never repeated in the message: it may be a key with one digit lost.
    let seed = Zeroizing::new(seed.ok_or_else(|| {
        Failure::store(
            "key-unreadable",
            "node not opened",
            format!("{} is not 64 hex digits", file.display()),
            "put back node.key from a backup, or replace the node: 'lienthong node replace'",
        )
    })?);
    Ok(NodeKey::from_seed(*seed))
}

/// Ids of raw bytes as hex text, for files that people read.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<T: Display, S: Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

const KEY: &str = "node.key";
const LOCK: &str = "lock";
const FEDERATION: &str = "federation.json";
/// Stands beside the rest of a folder that was restored, until it need not wait any more.
pub const RESTORED: &str = "restored.json";

/// Hex digits and an end of line.
const MAX_KEY_BYTES: u64 = 128;
const MAX_FEDERATION_BYTES: u64 = 64 << 10;

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
