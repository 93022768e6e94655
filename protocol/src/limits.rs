//! Every limit that two nodes must agree on, with its unit and what happens past it.

/// The longest change record (signature, header and payload), in bytes. A longer one is refused
/// and counted, never stored; its author must split the edit. 1 MiB.
pub const MAX_CHANGE_BYTES: usize = 1 << 20;

/// The longest encoded change header, in bytes. A longer one makes the change undecodable.
pub const MAX_HEADER_BYTES: usize = 8 << 10;

/// The most offices that one change may add to an audience. More makes the change undecodable;
/// share in several changes instead.
pub const MAX_ADDED_OFFICES: usize = 64;

/// The longest frame (kind and body), in bytes. A longer claim closes the link with
/// `frame-too-long` before anything is allocated. 2 MiB.
pub const MAX_FRAME_BYTES: usize = 2 << 20;

/// The longest decoded batch, in bytes. A batch that claims or decodes to more closes the link
/// with `malformed-frame`. 2 MiB.
pub const MAX_BATCH_BYTES: usize = 2 << 20;

/// The decoded size that a sender aims at, in bytes; a batch is closed when it passes this.
/// Larger compresses better and delays the acknowledgement. 256 KiB.
pub const AIM_BATCH_BYTES: usize = 256 << 10;

/// The most changes in one batch. More closes the link with `malformed-frame`.
pub const MAX_BATCH_CHANGES: usize = 4096;

/// The most claims in one compare frame. More closes the link with `malformed-frame`.
pub const MAX_CLAIMS: usize = 1024;

/// The most short ids in one claim or one want. More closes the link with `malformed-frame`.
pub const MAX_LISTED_IDS: usize = 4096;

/// At or below this many ids on either side a range is listed instead of split.
pub const LIST_IDS: u64 = 256;

/// The longest text in a frame (agent, address, words of a refusal), in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 512;

/// The most addresses that a node may say it listens at. More makes the frame undecodable.
pub const MAX_ADDRESSES: usize = 8;

/// The longest join code that is looked at, in characters. A longer one is refused unread.
pub const MAX_JOIN_CODE_CHARS: usize = 1024;

/// The most reports in one frame. More makes the frame undecodable; send them in several.
pub const MAX_REPORTS: usize = 64;

/// The longest body of a report, in bytes. A longer one makes the frame undecodable.
pub const MAX_REPORT_BYTES: usize = 1024;
