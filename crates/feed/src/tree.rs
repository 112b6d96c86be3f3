//! The hashes of a feed as this node holds them: a root for each segment, a hash for each leaf of
//! the tail.
//!
//! 32 bytes for 256 sealed entries; every larger subtree is computed from these, and the leaves of a
//! sealed segment are read from its tile when a proof needs them.

use std::sync::Arc;

use tlog::frontier::{Frontier, InvalidFrontier};
use tlog::hash::Hash;
use tlog::prove::Nodes;

use crate::block::SEGMENT_ENTRIES;

/// Level of a segment's root: 2^8 leaves.
const SEGMENT_LEVEL: u8 = 8;

/// The hashes of one feed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tree {
    segments: Arc<Vec<Hash>>,
    leaves: Arc<Vec<Hash>>,
    sealed: Frontier,
    frontier: Frontier,
}

impl Tree {
    /// No entries.
    pub fn new() -> Self {
        Self {
            segments: Arc::default(),
            leaves: Arc::default(),
            sealed: Frontier::new(),
            frontier: Frontier::new(),
        }
    }

    /// A tree of whole segments.
    pub fn of_segments(roots: Vec<Hash>) -> Result<Self, InvalidFrontier> {
        let mut sealed = Frontier::new();
        for root in &roots {
            sealed.push_subtree(SEGMENT_LEVEL, *root)?;
        }
        let frontier = sealed.clone();
        Ok(Self { segments: Arc::new(roots), leaves: Arc::default(), sealed, frontier })
    }

    /// Entries in it.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Root over all entries.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Entries that stand in segments.
    pub fn sealed(&self) -> u64 {
        self.sealed.size()
    }

    /// Roots of the subtrees of the sealed part, as a head carries them.
    pub fn sealed_subtrees(&self) -> &[Hash] {
        self.sealed.subtrees()
    }

    /// Roots of the segments.
    pub fn segments(&self) -> &[Hash] {
        &self.segments
    }

    /// Adds an entry.
    pub fn push(&mut self, leaf: Hash) -> Result<(), InvalidFrontier> {
        self.frontier.push(leaf)?;
        Arc::make_mut(&mut self.leaves).push(leaf);
        Ok(())
    }

    /// The leaf hash of an entry of the tail.
    pub fn tail_leaf(&self, index: u64) -> Option<Hash> {
        let offset = usize::try_from(index.checked_sub(self.sealed())?).ok()?;
        self.leaves.get(offset).copied()
    }

    /// The same tree with all whole segments of the tail counted as sealed.
    pub fn seal(&self) -> Result<Self, InvalidFrontier> {
        let mut segments = Vec::clone(&self.segments);
        let mut sealed = self.sealed.clone();
        let mut chunks = self.leaves.chunks_exact(256);
        for leaves in &mut chunks {
            let mut segment = Frontier::new();
            for leaf in leaves {
                segment.push(*leaf)?;
            }
            segments.push(segment.root());
            sealed.push_subtree(SEGMENT_LEVEL, segment.root())?;
        }
        Ok(Self {
            segments: Arc::new(segments),
            leaves: Arc::new(chunks.remainder().to_vec()),
            sealed,
            frontier: self.frontier.clone(),
        })
    }

    /// The node of `level` (8 or more) at `index`, from the segments' roots.
    fn above(&self, level: u8, index: u64) -> Option<Hash> {
        let width = 1_u64.checked_shl(u32::from(level - SEGMENT_LEVEL))?;
        let start = usize::try_from(index.checked_mul(width)?).ok()?;
        let end = start.checked_add(usize::try_from(width).ok()?)?;
        let mut row = self.segments.get(start..end)?.to_vec();
        while row.len() > 1 {
            row = row
                .chunks_exact(2)
                .filter_map(|pair| Some(Hash::node(pair.first()?, pair.get(1)?)))
                .collect();
        }
        row.first().copied()
    }

    /// The hash of a tile's row: the node of `level` at `index`, if what is in memory tells it.
    pub fn node_in_memory(&self, level: u8, index: u64) -> Option<Hash> {
        if level >= SEGMENT_LEVEL {
            return self.above(level, index).or_else(|| self.in_tail(level, index));
        }
        self.in_tail(level, index)
    }

    /// A complete subtree that lies in the tail.
    fn in_tail(&self, level: u8, index: u64) -> Option<Hash> {
        let width = 1_u64.checked_shl(u32::from(level))?;
        let first = index.checked_mul(width)?;
        if first < self.sealed() {
            // A subtree that begins in the sealed part and ends in the tail.
            if level == 0 {
                return None;
            }
            let left = self.node_in_memory(level - 1, index.checked_mul(2)?)?;
            let right = self.node_in_memory(level - 1, index.checked_mul(2)?.checked_add(1)?)?;
            return Some(Hash::node(&left, &right));
        }
        let start = usize::try_from(first - self.sealed()).ok()?;
        let end = start.checked_add(usize::try_from(width).ok()?)?;
        crate::block::root_of(self.leaves.get(start..end)?)
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

/// A tree with the leaves of one sealed segment at hand, for a proof that needs them.
#[derive(Debug)]
pub struct TreeWithLeaves<'a> {
    /// The tree.
    pub tree: &'a Tree,
    /// Number of the segment.
    pub segment: u64,
    /// Its 256 leaves.
    pub leaves: &'a [Hash],
}

/// The leaves of this segment are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hashes of segment {segment} are needed")]
pub struct NeedsLeaves {
    /// Its number.
    pub segment: u64,
}

impl Nodes for TreeWithLeaves<'_> {
    type Error = NeedsLeaves;

    fn node(&self, level: u8, index: u64) -> Result<Hash, NeedsLeaves> {
        if let Some(hash) = self.tree.node_in_memory(level, index) {
            return Ok(hash);
        }
        let first = index.checked_shl(u32::from(level)).unwrap_or(u64::MAX);
        let needs = NeedsLeaves { segment: first / SEGMENT_ENTRIES };
        let start = first.checked_sub(self.segment.saturating_mul(SEGMENT_ENTRIES)).ok_or(needs)?;
        let end = start.saturating_add(1 << level.min(SEGMENT_LEVEL));
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok()).ok_or(needs)?;
        let leaves = self.leaves.get(range.0..range.1).ok_or(needs)?;
        crate::block::root_of(leaves).ok_or(needs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| Hash::leaf(&n.to_be_bytes())).collect()
    }

    #[test]
    fn sealing_changes_no_root_and_no_node() {
        let all = leaves(1_500);
        let mut open = Tree::new();
        for leaf in &all {
            open.push(*leaf).unwrap();
        }
        let sealed = open.seal().unwrap();
        assert_eq!((sealed.size(), sealed.root()), (open.size(), open.root()));
        assert_eq!((sealed.sealed(), sealed.segments().len()), (1_280, 5));
        for (level, index) in [(8, 0), (8, 4), (9, 1), (10, 0), (3, 160), (0, 1_499)] {
            assert_eq!(
                sealed.node_in_memory(level, index),
                open.node_in_memory(level, index),
                "{level} {index}"
            );
        }
    }

    #[test]
    fn every_inclusion_proof_of_a_sealed_feed_verifies() {
        let all = leaves(1_300);
        let mut tree = Tree::new();
        for leaf in &all {
            tree.push(*leaf).unwrap();
        }
        let tree = tree.seal().unwrap();
        for index in (0..1_300_u64).step_by(7) {
            let segment = index / 256;
            let at = usize::try_from(segment).unwrap() * 256;
            let own = all.get(at..at + 256).unwrap_or_default();
            let nodes = TreeWithLeaves { tree: &tree, segment, leaves: own };
            let proof = tlog::prove::prove_inclusion(index, 1_300, &nodes).unwrap();
            let leaf = all[usize::try_from(index).unwrap()];
            tlog::proof::verify_inclusion(index, 1_300, &leaf, &tree.root(), &proof).unwrap();
        }
    }
}
