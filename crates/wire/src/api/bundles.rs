//! The answer to a bundle that a node pushed.

use serde::{Deserialize, Serialize};
use tlog::name::Origin;

/// `POST /bundles`, known nodes only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleAnswer {
    /// What became of each feed and of each list of cosigner lines and evidence.
    pub outcomes: Vec<Outcome>,
}

/// What became of a feed or an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The feed it is of.
    pub origin: Origin,
    /// How much of it was new and was taken: entries, cosigner lines, or 1 for evidence.
    pub taken: u64,
    /// Entries held of the feed now, where its entries were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether what came is kept and more segments are to be sent before it shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wanting: bool,
    /// In words.
    pub words: String,
}
