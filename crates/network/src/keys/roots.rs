//! What a reader holds of a node's root keys.

use tlog::ed25519::PublicKey;

/// The root keys by which a reader judges a node's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    pub(super) pinned: Option<PublicKey>,
    pub(super) former: Vec<PublicKey>,
    pub(super) frozen: Option<(PublicKey, u64)>,
}

impl Roots {
    /// Of a node that a person (or a committee) vouched for.
    pub fn pinned(root: PublicKey) -> Self {
        Self { pinned: Some(root), former: Vec::new(), frozen: None }
    }

    /// Of this node itself: its directory is its own, and what it publishes was checked before.
    pub fn own() -> Self {
        Self { pinned: None, former: Vec::new(), frozen: None }
    }

    /// With the roots that were pinned before, oldest first.
    #[must_use]
    pub fn with_former(self, former: Vec<PublicKey>) -> Self {
        Self { former, ..self }
    }

    /// With an announced recovery under way: records of that root above the version of the
    /// announcement are objections, and change no key until somebody decided.
    #[must_use]
    pub fn frozen_above(self, frozen: Option<(PublicKey, u64)>) -> Self {
        Self { frozen, ..self }
    }

    /// The pinned root; none for our own node.
    pub fn root(&self) -> Option<PublicKey> {
        self.pinned
    }

    /// Whether the reader holds `key`, now or from before.
    pub fn holds(&self, key: &PublicKey) -> bool {
        self.pinned.as_ref().is_none_or(|pinned| pinned == key) || self.former.contains(key)
    }

    /// The roots that were pinned before `key` was.
    pub(super) fn before(&self, key: &PublicKey) -> &[PublicKey] {
        let end = match self.former.iter().position(|former| former == key) {
            _ if self.pinned.as_ref() == Some(key) => self.former.len(),
            Some(at) => at,
            None => 0,
        };
        self.former.get(..end).unwrap_or_default()
    }
}

/// What a node record from anywhere is to whoever holds a log of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not newer than what is in force.
    Old,
    /// A newer one by the root in force.
    InForce,
    /// By a root that may take the place of the one in force: pinned, or announced and accepted.
    Succeeds,
    /// By a recovery key: a root is announced.
    Announces {
        /// Where a record that no longer names that recovery key stands, if there is one: the key
        /// keeps its power for 72 hours after that record was first seen.
        dropped_at: Option<u64>,
    },
    /// By the root in force, above the announcement of another: an objection, which changes no key.
    Objects,
    /// By nobody who speaks for the node.
    Stranger,
}
