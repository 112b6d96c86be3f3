//! A block: consecutive entries with their bodies (design 4.4), and a segment, the block of 256 that
//! is the unit of storage and transfer.
//!
//! Decoding checks everything a block can show alone: counts, lengths, and that each body hashes to
//! the entry it stands at. Whether the entries are those of the log is [`verify`](crate::verify)'s answer.

use bytes::Bytes;
use practice::body::BODY_BYTES_MAX;
use tlog::frontier::Frontier;
use tlog::hash::Hash;

use crate::frame::{self, FrameError};
use crate::statement::{ENTRY_BYTES_MAX, Said};

/// Entries in a segment, and at most in a block.
pub const SEGMENT_ENTRIES: u64 = 256;

/// A block is at most as long as 256 entries and bodies of the greatest size.
pub const BLOCK_BYTES_MAX: usize = 8 + 2 + 256 * (2 + ENTRY_BYTES_MAX + 4 + BODY_BYTES_MAX);

/// A decoded segment: `JPS1` and a block. 33,818,126 bytes.
pub const SEGMENT_BYTES_MAX: usize = 4 + BLOCK_BYTES_MAX;

const SEGMENT_MAGIC: &[u8; 4] = b"JPS1";

/// One entry and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The statement's bytes.
    pub entry: Bytes,
    /// What they say.
    pub said: Said,
    /// The body, if it is there; it hashes to the entry.
    pub body: Option<Bytes>,
}

/// Consecutive entries from `first` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Index of the first entry.
    pub first: u64,
    /// At least one, at most 256.
    pub items: Vec<Item>,
}

/// Whether the bodies of a block are hashed against its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bodies {
    /// Each is.
    Hashed,
    /// They were, in these very bytes.
    Known,
}

impl Item {
    /// An entry with its body, checked as a decoded one is.
    pub fn new(entry: Bytes, body: Option<Bytes>) -> Result<Self, BlockError> {
        Self::read(entry, body, Bodies::Hashed)
    }

    fn read(entry: Bytes, body: Option<Bytes>, bodies: Bodies) -> Result<Self, BlockError> {
        let said = Said::read(&entry);
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(BlockError::EntryTooLong { bytes: entry.len() });
        }
        if let Some(body) = &body {
            if body.len() > BODY_BYTES_MAX {
                return Err(BlockError::BodyTooLong { bytes: body.len() });
            }
            if bodies == Bodies::Hashed && said.body() != Some(Hash::of(body)) {
                return Err(BlockError::ForeignBody);
            }
        }
        Ok(Self { entry, said, body })
    }

    /// The same in bytes of its own, which keep nothing else in memory.
    pub fn detached(self) -> Self {
        let own = |bytes: Bytes| Bytes::copy_from_slice(&bytes);
        Self { entry: own(self.entry), said: self.said, body: self.body.map(own) }
    }

    /// RFC 6962 leaf hash.
    pub fn leaf(&self) -> Hash {
        Hash::leaf(&self.entry)
    }
}

impl Block {
    /// The bytes of a block.
    pub fn encode(&self) -> Vec<u8> {
        let size = self
            .items
            .iter()
            .map(|item| 6 + item.entry.len() + item.body.as_ref().map_or(0, Bytes::len));
        let mut out = Vec::with_capacity(10 + size.sum::<usize>());
        out.extend(self.first.to_be_bytes());
        out.extend(narrow16(self.items.len()).to_be_bytes());
        for item in &self.items {
            out.extend(narrow16(item.entry.len()).to_be_bytes());
            out.extend_from_slice(&item.entry);
        }
        for item in &self.items {
            let body = item.body.as_deref().unwrap_or_default();
            out.extend(narrow32(body.len()).to_be_bytes());
            out.extend_from_slice(body);
        }
        out
    }

    /// Reads a block; its entries and bodies are slices of `bytes`, not copies.
    pub fn decode(bytes: &Bytes) -> Result<Self, BlockError> {
        Self::read(bytes, Bodies::Hashed)
    }

    fn read(bytes: &Bytes, bodies: Bodies) -> Result<Self, BlockError> {
        let mut rest = Reader { bytes: bytes.clone() };
        let first = u64::from_be_bytes(rest.array()?);
        let count = u16::from_be_bytes(rest.array()?);
        if count == 0 || u64::from(count) > SEGMENT_ENTRIES {
            return Err(BlockError::Count { count });
        }
        if first.checked_add(u64::from(count)).is_none_or(|end| end > tlog::SIZE_MAX) {
            return Err(BlockError::Count { count });
        }
        let mut entries = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let length = usize::from(u16::from_be_bytes(rest.array()?));
            if length > ENTRY_BYTES_MAX {
                return Err(BlockError::EntryTooLong { bytes: length });
            }
            entries.push(rest.take(length)?);
        }
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            let length = u32::from_be_bytes(rest.array()?) as usize;
            if length > BODY_BYTES_MAX {
                return Err(BlockError::BodyTooLong { bytes: length });
            }
            let body = if length == 0 { None } else { Some(rest.take(length)?) };
            items.push(Item::read(entry, body, bodies)?);
        }
        if rest.bytes.is_empty() { Ok(Self { first, items }) } else { Err(BlockError::Trailing) }
    }

    /// Index after the last entry.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.items.len() as u64)
    }

    /// The leaf hashes, in order.
    pub fn leaves(&self) -> Vec<Hash> {
        self.items.iter().map(Item::leaf).collect()
    }

    /// Root of the subtree these entries make, if there are 256 of them at a multiple of 256.
    pub fn segment_root(&self) -> Option<Hash> {
        let whole = self.items.len() as u64 == SEGMENT_ENTRIES
            && self.first.is_multiple_of(SEGMENT_ENTRIES);
        if !whole {
            return None;
        }
        root_of(&self.leaves())
    }
}

/// Encodes a segment: one zstd frame of `JPS1` and the block.
pub fn pack_segment(block: &Block) -> Result<Bytes, FrameError> {
    let mut plain = SEGMENT_MAGIC.to_vec();
    plain.extend(block.encode());
    Ok(frame::pack(&plain)?.into())
}

/// Decodes a segment, as a zstd frame or plain, and requires that it is number `number`.
pub fn open_segment(bytes: &Bytes, number: u64) -> Result<Block, BlockError> {
    read_segment(bytes, number, Bodies::Hashed)
}

/// The same for bytes whose own hash tells that [`open_segment`] took them before: the bodies, which are most of
/// it, are not hashed again.
pub fn reopen_segment(bytes: &Bytes, number: u64) -> Result<Block, BlockError> {
    read_segment(bytes, number, Bodies::Known)
}

fn read_segment(bytes: &Bytes, number: u64, bodies: Bodies) -> Result<Block, BlockError> {
    let plain: Bytes = if frame::is_frame(bytes) {
        frame::unpack(bytes, SEGMENT_BYTES_MAX)?.into()
    } else if bytes.len() > SEGMENT_BYTES_MAX {
        return Err(FrameError::TooLarge { declared: bytes.len(), limit: SEGMENT_BYTES_MAX }.into());
    } else {
        bytes.clone()
    };
    if !plain.starts_with(SEGMENT_MAGIC) {
        return Err(BlockError::Magic);
    }
    let block = Block::read(&plain.slice(SEGMENT_MAGIC.len()..), bodies)?;
    let first = number.checked_mul(SEGMENT_ENTRIES);
    if first != Some(block.first) || block.items.len() as u64 != SEGMENT_ENTRIES {
        return Err(BlockError::AnotherSegment { wanted: number, first: block.first });
    }
    Ok(block)
}

/// Root over leaves of a tree that starts at 0.
pub fn root_of(leaves: &[Hash]) -> Option<Hash> {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf).ok()?;
    }
    Some(frontier.root())
}

/// Cuts a buffer from the front, never past its end.
pub(crate) struct Reader {
    pub(crate) bytes: Bytes,
}

impl Reader {
    pub(crate) fn take(&mut self, length: usize) -> Result<Bytes, BlockError> {
        if length > self.bytes.len() {
            return Err(BlockError::Truncated);
        }
        Ok(self.bytes.split_to(length))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        let bytes = self.take(N)?;
        bytes.first_chunk::<N>().copied().ok_or(BlockError::Truncated)
    }
}

/// Lengths are checked against their limits when items are made; saturating keeps this total.
pub(crate) fn narrow16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

pub(crate) fn narrow32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Why a block or segment was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It ends in the middle of something.
    #[error("a block ends before it is complete")]
    Truncated,
    /// Something follows the last body.
    #[error("a block has bytes after its last body")]
    Trailing,
    /// Not 1 to 256 entries, or beyond the greatest size of a log.
    #[error("a block has {count} entries, and 1 to 256 are allowed")]
    Count {
        /// How many it says.
        count: u16,
    },
    /// An entry over its limit.
    #[error("an entry has {bytes} bytes, and 1,024 are allowed")]
    EntryTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A body over its limit.
    #[error("a body has {bytes} bytes, and 131,072 are allowed")]
    BodyTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A body that its entry does not commit to.
    #[error("a body does not have the hash that its entry names")]
    ForeignBody,
    /// Not `JPS1`.
    #[error("a segment does not begin with `JPS1`")]
    Magic,
    /// Another segment than the one asked for.
    #[error("segment {wanted} was asked for, and the answer begins at entry {first}")]
    AnotherSegment {
        /// The number asked for.
        wanted: u64,
        /// Index of its first entry.
        first: u64,
    },
    /// Its compression.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first: u64, count: usize) -> Block {
        let items = (0..count)
            .map(|n| {
                let body = Bytes::from(format!("{{\"n\":{n}}}"));
                let entry = format!("{{\"body\":\"sha256:{}\",\"v\":2}}", Hash::of(&body).to_hex());
                Item::new(entry.into(), (n % 3 != 0).then_some(body)).unwrap()
            })
            .collect();
        Block { first, items }
    }

    #[test]
    fn a_block_comes_back_as_it_was() {
        let block = block(512, 256);
        assert_eq!(Block::decode(&block.encode().into()).unwrap(), block);
        assert_eq!(open_segment(&pack_segment(&block).unwrap(), 2).unwrap(), block);
    }

    #[test]
    fn a_block_cut_anywhere_or_lengthened_is_refused() {
        let bytes = block(0, 5).encode();
        for end in 0..bytes.len() {
            assert!(Block::decode(&bytes[..end].to_vec().into()).is_err(), "cut at {end}");
        }
        assert_eq!(Block::decode(&[bytes, vec![0]].concat().into()), Err(BlockError::Trailing));
    }

    #[test]
    fn a_body_that_no_entry_names_is_refused() {
        let good = block(0, 3);
        let mut items = good.items;
        items[1].body = Some(Bytes::from_static(b"{\"n\":99}"));
        let bad = Block { first: 0, items }.encode();
        assert_eq!(Block::decode(&bad.into()), Err(BlockError::ForeignBody));
    }

    #[test]
    fn the_limits_are_those_of_the_design() {
        assert_eq!(SEGMENT_BYTES_MAX, 33_818_126);
        let long = Bytes::from(vec![b' '; ENTRY_BYTES_MAX + 1]);
        assert_eq!(Item::new(long, None), Err(BlockError::EntryTooLong { bytes: 1_025 }));
    }

    #[test]
    fn another_segment_than_the_one_asked_for_is_refused() {
        let packed = pack_segment(&block(512, 256)).unwrap();
        assert!(matches!(
            open_segment(&packed, 1),
            Err(BlockError::AnotherSegment { wanted: 1, first: 512 })
        ));
    }
}
