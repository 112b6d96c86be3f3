//! Who a node takes its caller for.

use serde::{Deserialize, Serialize};
use tlog::name::NodeName;

/// `GET /whoami`, signed: for a node that wonders why it does not get what it may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoAmI {
    /// `stranger`, `node` or `operator`.
    pub caller: String,
    /// Which node, if its signature holds and it is followed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// What is wrong with the signature of this request, and what to do; absent for an unsigned one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The clock here, in Unix seconds.
    pub server_time: u64,
}
