//! Every limit on what travels between nodes, with its reason. They are part of version 1 of the
//! protocol (design 4.4 and 4.7): a smaller limit on one side would stop a feed of the other.

use std::time::Duration;

/// A signed note with the most lines it may have: fourteen cosigners and two log lines fit.
pub const NOTE_BYTES: usize = 4_096;

/// A body: long texts in seven languages fit, and 256 of them in one segment.
pub const BODY_BYTES: usize = 131_072;

/// A node record is a body.
pub const NODE_RECORD_BYTES: usize = BODY_BYTES;

/// One commit of a head; a writer splits a batch at half of it.
pub const COMMIT_BYTES: usize = 16 << 20;

/// A head, or what `since` answers: a tail of 8 MiB is sealed, so this holds any that is honest.
pub const HEAD_BYTES: usize = 32 << 20;

/// A segment, decoded: 256 entries of 1,024 bytes with 256 bodies of the greatest length.
pub const SEGMENT_BYTES: usize = 33_818_126;

/// A segment as it travels. A frame of what does not compress is a little longer than its content.
pub const SEGMENT_PACKED_BYTES: usize = SEGMENT_BYTES + 65_536;

/// A hash tile: 256 hashes of 32 bytes.
pub const TILE_BYTES: usize = 8_192;

/// A bundle of entries (C2SP `tile/entries`): 256 entries of 1,024 bytes, each after its length.
pub const ENTRY_TILE_BYTES: usize = 256 * (2 + 1_024);

/// `/heads`: twenty thousand feeds at 200 bytes a line.
pub const HEADS_BYTES: usize = 4 << 20;

/// A `.tlog-proof`: its proof of at most 63 hashes, its note, and room for an extra line.
pub const PROOF_BYTES: usize = 16_384;

/// The cosigner lines of a feed: 4,000 notes with names of the greatest length.
pub const COSIGNATURES_BYTES: usize = 4 << 20;

/// A request to cosign: the old size, at most 63 hashes in base64, and a note.
pub const ADD_CHECKPOINT_BYTES: usize = 8_192;

/// What a witness answers: a line for each of its keys.
pub const WITNESS_ANSWER_BYTES: usize = NOTE_BYTES;

/// A bundle pushed by `POST /bundles`; larger ones are cut by their sender.
pub const BUNDLE_PUSH_BYTES: usize = 16 << 20;

/// What one node may push in a day: the records of a large mechanism many times over. A longer first copy
/// goes on the next day, or travels as a file.
pub const BUNDLE_PUSH_BYTES_A_DAY: u64 = 1 << 30;

/// How long a pushed bundle may take to arrive; senders on slow lines send smaller ones.
pub const DEADLINE_PUSH: Duration = Duration::from_secs(100);

/// A problem, as an answer of another node: only its words are read.
pub const PROBLEM_BYTES: usize = 65_536;

/// The anchors of a network, a bundle that is handled whole.
pub const ANCHORS_BYTES: usize = 16 << 20;
/// The body of a request to the API: an import of some hundred drafts.
pub const API_REQUEST_BYTES: usize = 64 << 20;

/// All header lines of a request or an answer together.
pub const HEADER_BYTES: usize = 32_768;

/// Number of header lines of a request or an answer.
pub const HEADER_LINES: usize = 100;

/// A URL that somebody typed or that stands in a node record.
pub const URL_BYTES: usize = 2_048;

/// URLs of a node that are kept and tried.
pub const URLS_OF_A_NODE: usize = 8;

/// A connection that is not there after this will not come; satellite lines need about two.
pub const CONNECT: Duration = Duration::from_secs(5);

/// No byte for this long, and the exchange is given up (while a wait was not asked for).
pub const IDLE: Duration = Duration::from_secs(15);

/// Fewer bytes a second than this, over [`MINIMUM_RATE_WINDOW`], is no transfer but a way to hold us.
pub const MINIMUM_RATE_BYTES_PER_SECOND: u64 = 1_024;

/// The stretch of time over which the minimum rate is measured.
pub const MINIMUM_RATE_WINDOW: Duration = Duration::from_secs(30);

/// One small exchange from the first look-up to its last byte, without the wait that was asked for.
pub const DEADLINE_SMALL: Duration = Duration::from_secs(60);

/// One exchange of up to [`SEGMENT_PACKED_BYTES`]: a full one at 19 KiB a second.
pub const DEADLINE_LARGE: Duration = Duration::from_secs(1_800);

/// The longest `Prefer: wait`; longer ones count as this.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// What our own followers ask for: below the idle time-outs of common proxies.
pub const WAIT_FOLLOWER: Duration = Duration::from_secs(30);

/// The longest `Retry-After` that is obeyed: whoever asks for more is asked again after a day.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// Segments fetched at the same time from one carrier.
pub const PARALLEL_SEGMENTS: usize = 4;

/// Bytes of large answers that all exchanges of a process may hold together: two of the largest.
pub const BYTE_BUDGET: usize = 2 * SEGMENT_PACKED_BYTES;

/// Records in one page of a list.
pub const RECORDS_PAGE: usize = 200;
