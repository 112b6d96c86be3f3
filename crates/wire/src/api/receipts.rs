//! Who has received what: of each statement of our own feeds, of each feed, of each node that is followed.

use serde::{Deserialize, Serialize};
use tlog::name::NodeName;

/// Who has received, verified and stored an entry of one of this node's feeds. Of a withdrawal with
/// erasure: who has erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// How many nodes have.
    pub count: u64,
    /// Of how many that are expected to.
    pub of: u64,
    /// Who has, by name; for the operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<NodeName>,
    /// Who has not yet, by name; for the operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<NodeName>,
}

/// How far a node that is followed has received this node's public feed, for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerReceipt {
    /// Entries it has received.
    pub size: u64,
    /// Entries there are.
    pub of: u64,
    /// When it said so, in seconds since 1970.
    pub time: u64,
}
