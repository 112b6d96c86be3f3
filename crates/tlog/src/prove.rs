//! Making proofs from the complete subtrees of a tree, wherever they are stored.

use crate::hash::Hash;
use crate::proof::{ProofError, check_subtree};

/// Where the nodes of a tree can be read.
pub trait Nodes {
    /// Why a node could not be read.
    type Error;

    /// The root of the complete subtree of 2^`level` leaves that starts at leaf `index` * 2^`level`.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The inclusion proof of the entry at `index` in the tree of `size` entries.
pub fn prove_inclusion<N: Nodes>(
    index: u64,
    size: u64,
    nodes: &N,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    if index >= size {
        return Err(ProofError::Outside { index, start: 0, end: size }.into());
    }
    prove(index, index + 1, size, nodes)
}

/// The consistency proof from the tree of `from` entries, at least one, to that of `to`.
pub fn prove_consistency<N: Nodes>(
    from: u64,
    to: u64,
    nodes: &N,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    prove_subtree_consistency(0, from, to, nodes)
}

/// The proof that the subtree of the entries `start` to `end` (exclusive) is part of the tree of `size`.
pub fn prove_subtree_consistency<N: Nodes>(
    start: u64,
    end: u64,
    size: u64,
    nodes: &N,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    check_subtree(start, end)?;
    if end > size {
        return Err(ProofError::Shrunk { end, size }.into());
    }
    prove(start, end, size, nodes)
}

/// The root of the tree of the first `size` entries.
pub fn root_of<N: Nodes>(size: u64, nodes: &N) -> Result<Hash, ProveError<N::Error>> {
    if size == 0 { Ok(Hash::EMPTY_ROOT) } else { subtree_root(0, size, nodes) }
}

/// The root of the subtree of the entries `start` to `end` (exclusive), put together from complete ones.
pub fn subtree_root<N: Nodes>(
    start: u64,
    end: u64,
    nodes: &N,
) -> Result<Hash, ProveError<N::Error>> {
    check_subtree(start, end)?;
    // Smallest part first, that is from the right: each bit of the width is one complete subtree.
    let (mut width, mut right_end) = (end - start, end);
    let mut root: Option<Hash> = None;
    while width > 0 {
        let part = 1_u64 << width.trailing_zeros();
        let level = u8::try_from(width.trailing_zeros()).unwrap_or(u8::MAX);
        right_end -= part;
        width -= part;
        let left = nodes.node(level, right_end / part).map_err(ProveError::Nodes)?;
        root = Some(root.map_or(left, |right| Hash::node(&left, &right)));
    }
    Ok(root.unwrap_or(Hash::EMPTY_ROOT))
}

/// Why a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// There is no such proof.
    #[error(transparent)]
    Impossible(#[from] ProofError),
    /// A node could not be read.
    #[error("a node of the tree could not be read")]
    Nodes(#[source] E),
}

/// Walks from the root down to the subtree `start..end`, collecting what lies beside the way.
///
/// An inclusion proof is the case of a single leaf, whose hash the verifier has. A subtree that ends
/// inside of the way down is met in parts; its last part is then the first hash of the proof.
fn prove<N: Nodes>(
    start: u64,
    end: u64,
    size: u64,
    nodes: &N,
) -> Result<Vec<Hash>, ProveError<N::Error>> {
    let (mut low, mut high) = (0, size);
    let mut whole = true;
    let mut proof = Vec::new();
    while !(low >= start && high == end) {
        // The largest power of two below the width splits it.
        let middle = low + (1 << (high - low - 1).checked_ilog2().unwrap_or(0));
        if end <= middle {
            proof.push(subtree_root(middle, high, nodes)?);
            high = middle;
        } else {
            proof.push(subtree_root(low, middle, nodes)?);
            whole &= start >= middle;
            low = middle;
        }
    }
    if !whole {
        proof.push(subtree_root(low, high, nodes)?);
    }
    proof.reverse();
    Ok(proof)
}
