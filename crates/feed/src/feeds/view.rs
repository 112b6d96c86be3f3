//! A snapshot of one feed.

use std::sync::Arc;

use bytes::Bytes;
use network::audience::Audience;
use network::keys::{Disowning, KeyHistory};
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};

use crate::advance::HeadMark;
use crate::tree::Tree;

/// One feed at one size.
#[derive(Clone, Debug)]
pub struct View {
    /// The feed.
    pub origin: Origin,
    /// Whether it is this node's.
    pub own: bool,
    /// Its hashes.
    pub tree: Tree,
    /// The signed note of the last commit.
    pub note: Bytes,
    /// Who spoke for its node, by index.
    pub keys: Arc<KeyHistory>,
    /// What counts no more in it.
    pub disowning: Arc<Disowning>,
    /// The head on disk.
    pub mark: HeadMark,
    /// Bytes of the blocks in the tail, decoded.
    pub tail_bytes: usize,
    /// When its last commit was stored here, in seconds since 1970.
    pub received_at: u64,
    /// Who may read it, if it is restricted; nobody but its owner, if that cannot be told.
    pub audience: Option<Arc<Audience>>,
    /// Whether it can go on.
    pub state: FeedState,
    /// Entries whose bodies no carrier has brought yet.
    pub missing: Arc<Vec<u64>>,
}

/// Whether a feed can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// It can.
    Open,
    /// Our own, and nothing is signed until somebody looked.
    ReadOnly {
        /// Why, in words for the operator.
        reason: String,
    },
    /// Its owner signed two histories; the copy stays at the last good state.
    Forked {
        /// Why, in words for the operator.
        reason: String,
    },
    /// It goes on in another feed of its node; what stands here from `size` on is disowned.
    Continued {
        /// The feed that continues it.
        by: Origin,
        /// How many of its entries count.
        size: u64,
    },
}

impl View {
    /// Entries in it.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Root over all entries.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Entries that stand in segments.
    pub fn sealed(&self) -> u64 {
        self.tree.sealed()
    }

    /// The key that signs its checkpoints at this size, as outsiders' tools want it.
    pub fn log_vkey(&self) -> Option<VerifierKey> {
        Some(VerifierKey::note(KeyName::from(&self.origin), self.keys.log_key(self.size())?))
    }
}
