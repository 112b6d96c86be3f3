//! How a node stands, at a glance: what it knows already. Nobody is asked; that is `doctor`'s work.

use serde::{Deserialize, Serialize};
use tlog::name::{NodeName, Origin};

use super::guard::Guarded;
use super::keys::{Calendar, Finding, KeysStatus};
use super::network::{Pending, RootConflict};
use super::{Delivery, Feed, Peer};

/// `GET /api/v1/status`, operator only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeStatus {
    /// The node.
    pub node: NodeName,
    /// When this was put together.
    pub at: u64,
    /// Its own feeds.
    pub feeds: Vec<OwnFeed>,
    /// Its keys; absent in a program that keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysStatus>,
    /// What ends or is due; what is overdue stands first.
    pub calendar: Calendar,
    /// The networks known here.
    pub networks: Vec<NetworkLine>,
    /// How many nodes are followed.
    pub followed: u64,
    /// Those whose last round failed.
    pub failing: Vec<Peer>,
    /// Feeds of which two versions were signed, and nothing was decided yet.
    pub faults: Vec<Origin>,
    /// What can be seen from inside and is not as it should be.
    pub findings: Vec<Finding>,
}

/// A feed that this node writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnFeed {
    /// The feed.
    pub feed: Feed,
    /// Who has received its newest entry; absent while nobody is expected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Whether it may be signed.
    pub guard: Guarded,
}

/// A network, and what waits in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkLine {
    /// Its feed.
    pub origin: Origin,
    /// When others last said that they had seen its feed, or when it last arrived here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<u64>,
    /// Nothing was heard of it for three days.
    pub stale: bool,
    /// How many nodes take part at present.
    pub participating: u64,
    /// What is not decided yet.
    pub pending: Vec<Pending>,
    /// Nodes that are pinned here to another root than the network says.
    pub conflicts: Vec<RootConflict>,
    /// What this node waits for, in words.
    pub waiting: Vec<String>,
}

impl NodeStatus {
    /// Whether nobody has to look at anything.
    pub fn is_well(&self) -> bool {
        let feeds_fine = self.feeds.iter().all(|own| {
            own.guard.state == "open" && ["open", "continued"].contains(&own.feed.state.as_str())
        });
        let networks_fine = self.networks.iter().all(|network| {
            !network.stale && network.conflicts.is_empty() && network.waiting.is_empty()
        });
        let keys_fine =
            self.keys.as_ref().is_none_or(|keys| keys.state == "open" && keys.open_step.is_none());
        feeds_fine
            && networks_fine
            && keys_fine
            && self.calendar.dates.iter().all(|date| !date.needs_somebody())
            && self.failing.is_empty()
            && self.faults.is_empty()
            && self.findings.is_empty()
    }
}
