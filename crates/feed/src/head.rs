//! The head of a feed: the newest committed state, and the entries not yet sealed (design 4.4).
//!
//! Structure only: cuts the bytes into commits and checks their hashes. What the commits say is
//! folded and checked by [`verify`](crate::verify). A crash can leave a torn commit at the end of a
//! local head: [`Head::read`] tells how far it is good; over the wire a torn head is refused whole.

use bytes::Bytes;
use tlog::hash::Hash;
use tlog::note::NOTE_BYTES_MAX;

use crate::advance::HeadMark;
use crate::block::{
    BLOCK_BYTES_MAX, Block, BlockError, Reader, SEGMENT_ENTRIES, narrow16, narrow32,
};
use crate::frame::{self, FrameError};

/// One commit, with its length and hash. A writer splits a batch at half of it.
pub const COMMIT_BYTES_MAX: usize = 16 << 20;
/// A head, or the answer of `since`.
pub const HEAD_BYTES_MAX: usize = 32 << 20;
/// All commits of a head or `since`, decoded ([`Commit::weight`]): a tail is sealed at 8 MiB, and one commit may
/// follow.
pub const TAIL_WEIGHT_MAX: usize = 64 << 20;
/// A tail of this many entries is sealed.
pub const TAIL_ENTRIES: u64 = 1_024;
/// A tail of this many bytes of blocks is sealed; a batch is split there too.
pub const TAIL_BYTES: usize = 8 << 20;

/// Bytes of memory that an entry takes beside its own: its hash, what it says and where its parts are. Entries
/// of no bytes would be free otherwise.
pub const ENTRY_WEIGHT: usize = 512;
/// The same of a commit: its note, which is read and whose signatures are checked.
pub const COMMIT_WEIGHT: usize = 4 << 10;

const HEAD_MAGIC: &[u8; 4] = b"JPH1";
const SINCE_MAGIC: &[u8; 4] = b"JPT1";
const COMMIT_FIXED: usize = 4 + 32;

/// A head, cut into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Entries that stand in segments; a multiple of 256.
    pub sealed: u64,
    /// Roots of the RFC 6962 subtrees of the sealed part, largest first.
    pub subtrees: Vec<Hash>,
    /// At least one, oldest first.
    pub commits: Vec<Commit>,
}

/// One atomic extension of a feed, or a new note over the same size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The signed note, log lines only.
    pub note: Bytes,
    /// Its blocks.
    pub frames: Vec<Frame>,
    /// All of it as it stands on disk and on the wire.
    pub bytes: Bytes,
}

/// A block in a commit, still compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Index of its first entry.
    pub first: u64,
    /// Entries in it.
    pub count: u16,
    /// Length of the block.
    pub plain: u32,
    /// The zstd frame.
    pub packed: Bytes,
}

impl Commit {
    /// Writes a commit of `note` and `blocks`.
    pub fn write(note: &[u8], blocks: &[Block]) -> Result<Self, HeadError> {
        let mut frames = Vec::with_capacity(blocks.len());
        for block in blocks {
            let plain = block.encode();
            frames.push(Frame {
                first: block.first,
                count: narrow16(block.items.len()),
                plain: narrow32(plain.len()),
                packed: frame::pack(&plain)?.into(),
            });
        }
        Self::from_frames(Bytes::copy_from_slice(note), frames)
    }

    /// Writes a commit of `note` over blocks that are compressed already.
    pub fn from_frames(note: Bytes, frames: Vec<Frame>) -> Result<Self, HeadError> {
        let mut payload = Vec::new();
        payload.extend(narrow32(note.len()).to_be_bytes());
        payload.extend_from_slice(&note);
        payload.extend(u16::try_from(frames.len()).map_err(|_| HeadError::TooLong)?.to_be_bytes());
        for frame in &frames {
            payload.extend(frame.first.to_be_bytes());
            payload.extend(frame.count.to_be_bytes());
            payload.extend(frame.plain.to_be_bytes());
            payload.extend(narrow32(frame.packed.len()).to_be_bytes());
            payload.extend_from_slice(&frame.packed);
        }
        let mut bytes = Vec::with_capacity(COMMIT_FIXED + payload.len());
        bytes.extend(narrow32(payload.len()).to_be_bytes());
        bytes.extend(Hash::of(&payload).as_bytes());
        bytes.extend(payload);
        if note.len() > NOTE_BYTES_MAX || bytes.len() > COMMIT_BYTES_MAX {
            return Err(HeadError::TooLong);
        }
        Ok(Self { note, frames, bytes: bytes.into() })
    }

    /// Reads the commit at the front of `bytes`.
    fn read(bytes: &Bytes) -> Result<Self, HeadError> {
        let mut rest = Reader { bytes: bytes.clone() };
        let length = u32::from_be_bytes(rest.array()?) as usize;
        let hash: [u8; 32] = rest.array()?;
        if length > COMMIT_BYTES_MAX - COMMIT_FIXED {
            return Err(HeadError::TooLong);
        }
        let payload = rest.take(length)?;
        if Hash::of(&payload).as_bytes() != &hash {
            return Err(HeadError::CommitHash);
        }
        let mut rest = Reader { bytes: payload };
        let note_length = u32::from_be_bytes(rest.array()?) as usize;
        if note_length > NOTE_BYTES_MAX {
            return Err(HeadError::TooLong);
        }
        let note = rest.take(note_length)?;
        let count = u16::from_be_bytes(rest.array()?);
        let mut frames = Vec::new();
        for _ in 0..count {
            let first = u64::from_be_bytes(rest.array()?);
            let count = u16::from_be_bytes(rest.array()?);
            let plain = u32::from_be_bytes(rest.array()?);
            let packed = u32::from_be_bytes(rest.array()?) as usize;
            frames.push(Frame { first, count, plain, packed: rest.take(packed)? });
        }
        if !rest.bytes.is_empty() {
            return Err(BlockError::Trailing.into());
        }
        Ok(Self { note, frames, bytes: bytes.slice(..COMMIT_FIXED + length) })
    }

    /// Whether it holds an entry at or beyond `size`.
    pub fn ends_after(&self, size: u64) -> bool {
        let ends = |frame: &Frame| frame.first.saturating_add(u64::from(frame.count));
        self.frames.iter().any(|frame| ends(frame) > size)
    }

    /// Bytes of memory that it takes once decoded, by the lengths and counts it declares; decoding holds it to
    /// those.
    pub fn weight(&self) -> usize {
        self.frames.iter().map(Frame::weight).fold(COMMIT_WEIGHT, usize::saturating_add)
    }

    /// What tells this commit from another: the hash of its contents.
    pub fn tip(&self) -> Option<Hash> {
        Hash::from_slice(self.bytes.get(4..COMMIT_FIXED)?).ok()
    }
}

impl Frame {
    /// The same of a block.
    pub fn weight(&self) -> usize {
        (self.plain as usize).saturating_add(usize::from(self.count) * ENTRY_WEIGHT)
    }

    /// Decodes the block; what stands outside must equal what it says.
    pub fn open(&self) -> Result<Block, HeadError> {
        let plain = frame::unpack(&self.packed, BLOCK_BYTES_MAX.min(self.plain as usize))?;
        if plain.len() != self.plain as usize {
            return Err(HeadError::OuterDiffers);
        }
        let block = Block::decode(&plain.into())?;
        if block.first != self.first || block.items.len() != usize::from(self.count) {
            return Err(HeadError::OuterDiffers);
        }
        Ok(block)
    }
}

impl Head {
    /// Reads a local head: its parts, and how many of its bytes are good. What follows those is torn
    /// or damaged, and not looked at.
    pub fn read(bytes: &Bytes) -> Result<(Self, usize), HeadError> {
        let (sealed, subtrees, start) = read_front(bytes)?;
        let (commits, good) = read_commits(bytes, start);
        if commits.is_empty() {
            return Err(HeadError::NoCommit);
        }
        Ok((Self { sealed, subtrees, commits }, good))
    }

    /// Reads a head from a carrier: every byte must be good.
    pub fn decode(bytes: &Bytes) -> Result<Self, HeadError> {
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(HeadError::TooLong);
        }
        let (head, good) = Self::read(bytes)?;
        if good == bytes.len() { Ok(head) } else { Err(HeadError::Torn { good }) }
    }

    /// The bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = front(self.sealed, &self.subtrees);
        for commit in &self.commits {
            out.extend_from_slice(&commit.bytes);
        }
        out.into()
    }

    /// The mark of this head, of which so many bytes are good.
    pub fn mark(&self, good: usize) -> Option<HeadMark> {
        Some(HeadMark { bytes: good as u64, tip: self.commits.last()?.tip()? })
    }

    /// Length of what stands before the first commit.
    pub fn front_bytes(&self) -> usize {
        4 + 8 + 1 + 32 * self.subtrees.len()
    }
}

/// Reads the answer of `since`: every byte must be good.
pub fn decode_since(bytes: &Bytes) -> Result<Vec<Commit>, HeadError> {
    if bytes.len() > HEAD_BYTES_MAX {
        return Err(HeadError::TooLong);
    }
    if !bytes.starts_with(SINCE_MAGIC) {
        return Err(HeadError::Magic);
    }
    match read_commits(bytes, SINCE_MAGIC.len()) {
        (commits, _) if commits.is_empty() => Err(HeadError::NoCommit),
        (commits, good) if good == bytes.len() => Ok(commits),
        (_, good) => Err(HeadError::Torn { good }),
    }
}

/// How many of the first bytes of a head or of `since` end with a whole commit: what came of an answer that
/// broke off is an earlier answer. 0 if no commit is whole.
pub fn whole(bytes: &Bytes) -> usize {
    let start = match read_front(bytes) {
        Ok((_, _, start)) => start,
        Err(_) if bytes.starts_with(SINCE_MAGIC) => SINCE_MAGIC.len(),
        Err(_) => return 0,
    };
    match read_commits(bytes, start) {
        (commits, _) if commits.is_empty() => 0,
        (_, good) => good,
    }
}

/// Writes the answer of `since`.
pub fn encode_since<'a>(commits: impl Iterator<Item = &'a Commit>) -> Bytes {
    let mut out = SINCE_MAGIC.to_vec();
    for commit in commits {
        out.extend_from_slice(&commit.bytes);
    }
    out.into()
}

/// The mark of a head as far as it is good, `None` if there is no good commit.
pub fn mark(bytes: &Bytes) -> Option<HeadMark> {
    let (head, good) = Head::read(bytes).ok()?;
    head.mark(good)
}

fn front(sealed: u64, subtrees: &[Hash]) -> Vec<u8> {
    let mut out = HEAD_MAGIC.to_vec();
    out.extend(sealed.to_be_bytes());
    out.push(u8::try_from(subtrees.len()).unwrap_or(u8::MAX));
    for subtree in subtrees {
        out.extend(subtree.as_bytes());
    }
    out
}

fn read_front(bytes: &Bytes) -> Result<(u64, Vec<Hash>, usize), HeadError> {
    if !bytes.starts_with(HEAD_MAGIC) {
        return Err(HeadError::Magic);
    }
    let mut rest = Reader { bytes: bytes.slice(HEAD_MAGIC.len()..) };
    let sealed = u64::from_be_bytes(rest.array()?);
    let [count] = rest.array()?;
    if !sealed.is_multiple_of(SEGMENT_ENTRIES)
        || sealed > tlog::SIZE_MAX
        || (sealed / SEGMENT_ENTRIES).count_ones() != u32::from(count)
    {
        return Err(HeadError::Sealed { sealed, subtrees: count });
    }
    let mut subtrees = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        subtrees.push(Hash::from(rest.array::<32>()?));
    }
    Ok((sealed, subtrees, bytes.len() - rest.bytes.len()))
}

fn read_commits(bytes: &Bytes, start: usize) -> (Vec<Commit>, usize) {
    let mut commits = Vec::new();
    let mut good = start;
    while good < bytes.len() {
        let Ok(commit) = Commit::read(&bytes.slice(good..)) else { break };
        good += commit.bytes.len();
        commits.push(commit);
    }
    (commits, good)
}

/// Why a head or `since` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Neither `JPH1` nor `JPT1` where it should be.
    #[error("it does not begin as a head does")]
    Magic,
    /// Over a limit of design 4.7.
    #[error("a head, commit or note is longer than allowed")]
    TooLong,
    /// The sealed size is no multiple of 256, or has another number of subtrees.
    #[error(
        "it says that {sealed} entries are sealed, under {subtrees} subtree roots, which cannot be"
    )]
    Sealed {
        /// What it says.
        sealed: u64,
        /// How many roots.
        subtrees: u8,
    },
    /// No commit.
    #[error("it holds no commit")]
    NoCommit,
    /// Bytes that are no commit follow the last good one.
    #[error("it is torn after {good} bytes")]
    Torn {
        /// How many are good.
        good: usize,
    },
    /// A commit's bytes do not have the hash before them.
    #[error("a commit is not what its hash says")]
    CommitHash,
    /// A frame's outer fields differ from its block.
    #[error("a frame's description differs from its block")]
    OuterDiffers,
    /// A block.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Its compression.
    #[error(transparent)]
    Frame(#[from] FrameError),
}
