//! The right edge of a growing tree: enough of it to add entries and to know the root.
//!
//! At most 53 hashes stand for any number of entries, so a feed of millions is extended, and a head
//! verified, without reading what lies below.

use crate::SIZE_MAX;
use crate::hash::Hash;

/// The roots of the complete subtrees that a tree of some size is made of, largest first.
///
/// There is one for each bit set in the size. The same subtrees in the same order stand in a feed's head
/// (design 4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of `size` entries from its complete subtrees, largest first; there must be exactly one for
    /// each bit set in `size`.
    pub fn from_subtrees(size: u64, subtrees: Vec<Hash>) -> Result<Self, InvalidFrontier> {
        if size > SIZE_MAX {
            return Err(InvalidFrontier::TooLarge { size });
        }
        let expected = size.count_ones();
        if u32::try_from(subtrees.len()) != Ok(expected) {
            return Err(InvalidFrontier::Subtrees { size, expected, given: subtrees.len() });
        }
        Ok(Self { size, subtrees })
    }

    /// Adds one entry by its leaf hash.
    pub fn push(&mut self, leaf: Hash) -> Result<(), InvalidFrontier> {
        self.push_subtree(0, leaf)
    }

    /// Adds 2^`level` entries by the root of their complete subtree; the size must be a multiple of that.
    pub fn push_subtree(&mut self, level: u8, root: Hash) -> Result<(), InvalidFrontier> {
        let added = 1_u64.checked_shl(level.into()).unwrap_or(u64::MAX);
        let size = self.size.saturating_add(added);
        if size > SIZE_MAX {
            return Err(InvalidFrontier::TooLarge { size });
        }
        if !self.size.is_multiple_of(added) {
            return Err(InvalidFrontier::Unaligned { size: self.size, level });
        }
        // Adding a bit carries through the bits set above it: each is a subtree of equal size to join.
        let carries = (self.size >> level).trailing_ones();
        let mut node = root;
        for _ in 0..carries {
            if let Some(left) = self.subtrees.pop() {
                node = Hash::node(&left, &node);
            }
        }
        self.subtrees.push(node);
        self.size = size;
        Ok(())
    }

    /// How many entries the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The RFC 6962 root.
    pub fn root(&self) -> Hash {
        let smallest_first = self.subtrees.iter().rev().copied();
        smallest_first.reduce(|right, left| Hash::node(&left, &right)).unwrap_or(Hash::EMPTY_ROOT)
    }

    /// The roots of the complete subtrees, largest first.
    pub fn subtrees(&self) -> &[Hash] {
        &self.subtrees
    }
}

/// Why a frontier cannot be made or extended so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFrontier {
    /// Beyond [`SIZE_MAX`].
    #[error("a log has at most 2^53-1 entries, not {size}; continue in a new feed")]
    TooLarge {
        /// The size it would have.
        size: u64,
    },
    /// Too few or too many subtrees.
    #[error("a tree of {size} entries has {expected} complete subtrees, not {given}")]
    Subtrees {
        /// The size claimed.
        size: u64,
        /// One for each bit set in it.
        expected: u32,
        /// How many were given.
        given: usize,
    },
    /// A subtree cannot stand at this place.
    #[error(
        "a subtree of level {level} cannot follow {size} entries, which is no multiple of its width"
    )]
    Unaligned {
        /// The size so far.
        size: u64,
        /// The level of the subtree.
        level: u8,
    },
}
