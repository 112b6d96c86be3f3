//! Node records that were seen outside of the feeds held.

use std::sync::{Arc, PoisonError};

use practice::node_record::NodeRecord;
use tlog::name::NodeName;

use crate::feeds::Feeds;

impl Feeds {
    /// The newest such record of each node that has one. The root of its node signed it.
    pub(in crate::feeds) fn seen_records(&self) -> Vec<(NodeName, Arc<NodeRecord>)> {
        let lineages = self.lineages.read().unwrap_or_else(PoisonError::into_inner);
        let seen = lineages.iter();
        seen.filter_map(|(node, lineage)| Some((node.clone(), lineage.record.0.clone()?))).collect()
    }
}
