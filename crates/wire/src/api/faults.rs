//! Two versions of one feed, for the operator: what is known, and what was decided about it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

/// `GET /api/v1/faults`, operator only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// What is known, by feed.
    pub faults: Vec<KnownFault>,
}

/// Evidence that one key signed two histories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFault {
    /// The feed.
    pub origin: Origin,
    /// The node whose key signed both; absent for a cosigner that is no node's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// The vkey of the cosigner that vouched for both; absent where the feed's own key signed both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigner: Option<String>,
    /// Size and root of each version.
    pub versions: [Version; 2],
    /// Entries held here; absent once the copy was forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
    /// What was decided: `keep-ours` or `anew`; absent while the copy stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<String>,
    /// The fault file, which convinces a stranger.
    pub evidence: Value,
}

/// One of two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// `POST /api/v1/faults/settle`, operator only; answers with [`Faults`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// The feed.
    pub origin: Origin,
    /// `keep-ours`: what is held is the true one. `anew`: forget it and follow what is served now.
    /// Absent: stand still again, and wait for a continuation.
    #[serde(default)]
    pub how: Option<String>,
}
