//! Every limit of a document and of one payload, with its unit and what happens past it.

/// The longest payload, in bytes. A longer one is refused before a byte of it is read. 1 MiB, the
/// limit of the whole change record.
pub const MAX_PAYLOAD_BYTES: usize = lienthong_protocol::limits::MAX_CHANGE_BYTES;

/// The most operations in one payload. A scalar costs one, a map or a list one and its content,
/// a mergeable text one per character. An edit past it must be split.
pub const MAX_OPERATIONS: u64 = 1 << 16;

/// The operations that a payload may hold whatever its length, on top of two for each of its bytes
/// and up to `MAX_OPERATIONS`; the operations that it replaces are limited alike. Runs of equal
/// operations take no room, so without this 64 bytes could hold 65,536 of them, which take 20 ms to
/// look at and 300 ms to take. Enough to empty the longest text.
pub const FREE_OPERATIONS: u64 = MAX_TEXT_CHARS as u64;

/// The most dependencies of one payload: the heads that its author saw at once.
pub const MAX_DEPENDENCIES: u64 = 1024;

/// The highest operation counter and the highest sequence number in a payload.
pub const MAX_COUNTER: u64 = (1 << 31) - 1;

/// The longest key of a map, in bytes of UTF-8. Keys are names and ids, never content: one key
/// written once can stand in every operation of a payload.
pub const MAX_KEY_BYTES: usize = 256;

/// The most operations that a document holds, history included. A change that would pass it is
/// refused. About 100 MB of memory.
pub const MAX_DOCUMENT_OPERATIONS: u64 = 1 << 20;

/// The deepest nesting that is written, and that is read back: what lies deeper reads as null.
pub const MAX_DEPTH: usize = 64;

/// The longest mergeable text, in characters. Longer texts are atomic strings. A text of this
/// length that is rewritten whole is compared with the old one in about 0.1 s, and four times the
/// length would take sixteen times as long.
pub const MAX_TEXT_CHARS: usize = 4096;

/// The longest saved document that is loaded, in bytes. 64 MiB.
pub const MAX_SAVED_BYTES: usize = 64 << 20;
