//! Trees for tests: all nodes in memory, and a root computed as RFC 6962 words it.

use std::convert::Infallible;

use tlog::hash::Hash;
use tlog::proof::Nodes;

/// Every complete subtree over some leaves, by level.
pub(crate) struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    pub(crate) fn over(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut levels = vec![leaves.into_iter().collect::<Vec<_>>()];
        while levels.last().unwrap().len() > 1 {
            let next = levels
                .last()
                .unwrap()
                .chunks_exact(2)
                .map(|pair| Hash::node(&pair[0], &pair[1]))
                .collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// A tree of `size` entries that are all different.
    pub(crate) fn numbered(size: u64) -> Self {
        Self::over((0..size).map(|number| Hash::leaf(&number.to_be_bytes())))
    }

    pub(crate) fn leaf(&self, index: u64) -> Hash {
        self.levels[0][usize::try_from(index).unwrap()]
    }

    /// MTH of RFC 6962 section 2.1, word for word.
    pub(crate) fn root(&self, size: u64) -> Hash {
        mth(&self.levels[0][..usize::try_from(size).unwrap()])
    }

    /// MTH of a part.
    pub(crate) fn root_between(&self, start: u64, end: u64) -> Hash {
        mth(&self.levels[0][usize::try_from(start).unwrap()..usize::try_from(end).unwrap()])
    }
}

impl Nodes for Tree {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self.levels[usize::from(level)][usize::try_from(index).unwrap()])
    }
}

fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let mut split = 1;
            while split * 2 < leaves.len() {
                split *= 2;
            }
            Hash::node(&mth(&leaves[..split]), &mth(&leaves[split..]))
        }
    }
}
