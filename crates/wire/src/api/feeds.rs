//! Restricted feeds: who may read one, and how one begins.

use practice::id::RecordId;
use serde::{Deserialize, Serialize};
use tlog::name::{NodeName, Origin};

/// Who may read a restricted feed; in the same form as in the feed itself (design 4.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum FeedAudience {
    /// Whoever participates in this network.
    Participants(Origin),
    /// The members of a group of a network, as long as they participate.
    Group {
        /// The network's feed.
        feed: Origin,
        /// The group's record.
        id: RecordId,
    },
    /// These nodes.
    Nodes(Vec<NodeName>),
}

/// `POST /api/v1/feeds/new`, operator only: begin a feed that only some may read. Who they are never
/// changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFeedRequest {
    /// Who may read it.
    pub audience: FeedAudience,
}

/// The answer to [`NewFeedRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFeedAnswer {
    /// The new feed.
    pub origin: Origin,
    /// What its author should know, in words; empty if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
