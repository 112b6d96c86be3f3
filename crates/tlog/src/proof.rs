//! Inclusion and consistency: checking a proof, and making one from the nodes of a tree.
//!
//! An inclusion proof shows that a leaf stands at an index below a root; a consistency proof that one
//! tree is the beginning of another (RFC 6962 section 2.1). The subtree forms, for a part of a tree
//! rather than its beginning, are those of C2SP tlog-mirror and Merkle tree certificates; the plain forms
//! are special cases of them.

use crate::hash::Hash;
pub use crate::prove::{
    Nodes, ProveError, prove_consistency, prove_inclusion, prove_subtree_consistency, root_of,
    subtree_root,
};

/// No proof has more hashes than a tree of 2^63 entries needs.
pub const PROOF_HASHES_MAX: usize = 64;

/// Checks that `leaf` stands at `index` of the tree of `size` entries under `root`.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    verify_subtree_inclusion(index, 0, size, leaf, root, proof)
}

/// Checks that `leaf` stands at `index` of a tree, given the `root` of its subtree of the entries
/// `start` to `end` (exclusive).
pub fn verify_subtree_inclusion(
    index: u64,
    start: u64,
    end: u64,
    leaf: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    check_subtree(start, end)?;
    check_length(proof)?;
    if index < start || index >= end {
        return Err(ProofError::Outside { index, start, end });
    }
    let (mut node, mut last) = (index - start, end - start - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length { hashes: proof.len() });
        }
        if node & 1 == 1 || node == last {
            hash = Hash::node(sibling, &hash);
            // A right edge without a sibling is lifted unchanged to the level where it has one.
            let lift = node.trailing_zeros();
            node = node.checked_shr(lift).unwrap_or(0);
            last = last.checked_shr(lift).unwrap_or(0);
        } else {
            hash = Hash::node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length { hashes: proof.len() });
    }
    matches(root, &hash)
}

/// Checks that the tree of `to` entries under `to_root` begins with the tree of `from` under `from_root`.
///
/// Every tree extends the empty one, so a proof from 0 would prove nothing: it is refused.
pub fn verify_consistency(
    from: u64,
    from_root: &Hash,
    to: u64,
    to_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    check_subtree(0, from)?;
    verify_subtree_consistency(0, from, from_root, to, to_root, proof)
}

/// Checks that the entries `start` to `end` (exclusive) of the tree of `size` entries under `root` are
/// those whose subtree has the root `subtree`.
///
/// No entries at all have the empty root and need no proof, whatever the tree is.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    subtree: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if end > size {
        return Err(ProofError::Shrunk { end, size });
    }
    if start == end && proof.is_empty() {
        return matches(&Hash::EMPTY_ROOT, subtree);
    }
    check_subtree(start, end)?;
    check_length(proof)?;
    // First node, last node of the subtree and last node of the tree, all at the level reached so far.
    let (mut first, mut last, mut edge) = (start, end - 1, size - 1);
    while first != last && (last == edge || last & 1 == 1) {
        (first, last, edge) = (first >> 1, last >> 1, edge >> 1);
    }
    let mut rest = proof.iter();
    let seed = if first == last { Some(subtree) } else { rest.next() };
    let Some(seed) = seed else {
        return Err(ProofError::Length { hashes: 0 });
    };
    let (mut old, mut new) = (*seed, *seed);
    for sibling in rest {
        if edge == 0 {
            return Err(ProofError::Length { hashes: proof.len() });
        }
        if last & 1 == 1 || last == edge {
            if first < last {
                old = Hash::node(sibling, &old);
            }
            new = Hash::node(sibling, &new);
            let lift = last.trailing_zeros();
            first = first.checked_shr(lift).unwrap_or(0);
            last = last.checked_shr(lift).unwrap_or(0);
            edge = edge.checked_shr(lift).unwrap_or(0);
        } else {
            new = Hash::node(&new, sibling);
        }
        (first, last, edge) = (first >> 1, last >> 1, edge >> 1);
    }
    if edge != 0 {
        return Err(ProofError::Length { hashes: proof.len() });
    }
    matches(subtree, &old)?;
    matches(root, &new)
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not in the tree or subtree.
    #[error("entry {index} is outside of the entries {start} to {end}")]
    Outside {
        /// The index claimed.
        index: u64,
        /// The first entry there is.
        start: u64,
        /// The first entry there is not.
        end: u64,
    },
    /// No subtree has these bounds.
    #[error(
        "the entries {start} to {end} are no subtree: it must not be empty, and begin at a multiple of its width"
    )]
    NoSubtree {
        /// The first entry.
        start: u64,
        /// The first entry after it.
        end: u64,
    },
    /// The later tree is smaller.
    #[error("a tree of {size} entries cannot contain the entries below {end}")]
    Shrunk {
        /// The size of the earlier tree.
        end: u64,
        /// The size of the later one.
        size: u64,
    },
    /// Too few or too many hashes.
    #[error("the proof has {hashes} hashes, which is not the number these sizes need")]
    Length {
        /// How many there are.
        hashes: usize,
    },
    /// The proof leads to another root.
    #[error("the proof leads to the root {computed}, not to {expected}")]
    Root {
        /// The root that should have come out.
        expected: Hash,
        /// The root that came out.
        computed: Hash,
    },
}

/// A subtree starts at a multiple of its width, rounded up to a power of two.
pub(crate) fn check_subtree(start: u64, end: u64) -> Result<(), ProofError> {
    let width = end.checked_sub(start).filter(|&width| width > 0);
    match width.and_then(u64::checked_next_power_of_two) {
        Some(aligned) if start.is_multiple_of(aligned) => Ok(()),
        _ => Err(ProofError::NoSubtree { start, end }),
    }
}

fn check_length(proof: &[Hash]) -> Result<(), ProofError> {
    if proof.len() > PROOF_HASHES_MAX {
        Err(ProofError::Length { hashes: proof.len() })
    } else {
        Ok(())
    }
}

fn matches(expected: &Hash, computed: &Hash) -> Result<(), ProofError> {
    if expected == computed {
        Ok(())
    } else {
        Err(ProofError::Root { expected: *expected, computed: *computed })
    }
}
