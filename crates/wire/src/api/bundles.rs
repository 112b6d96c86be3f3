//! The answer to a bundle that a node pushed.

use serde::{Deserialize, Serialize};
use tlog::name::Origin;

/// `POST /bundles`, known nodes only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleAnswer {
    /// What became of each item, in their order.
    pub outcomes: Vec<Outcome>,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The feed it is of.
    pub origin: Origin,
    /// How much of it was new and was taken: cosigner lines, or 1 for evidence.
    pub taken: u64,
    /// In words.
    pub words: String,
}
