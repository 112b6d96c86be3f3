//! Whose cosignatures count here: the keys that known nodes list, and those that the configuration and
//! the policies of networks name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use practice::node_record::{NodeRecord, USE_RECEIPT, USE_WITNESS};
use tlog::key::{KeyKind, VerifierKey};
use tlog::name::{KeyName, NodeName};
use tlog::note::SignatureLine;

use super::Feeds;
use crate::cosignatures::Cosigned;

/// Keys of others that the configuration names.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    /// Witnesses whose lines count.
    pub(super) witnesses: Vec<VerifierKey>,
    /// Logs that are no feeds, and that we cosign.
    pub(super) logs: Vec<VerifierKey>,
}

/// A key whose lines count.
#[derive(Clone, Debug)]
pub(super) struct Cosigner {
    pub(super) key: VerifierKey,
    /// The node that lists it; none for a witness of the configuration.
    pub(super) node: Option<NodeName>,
}

/// All keys whose lines count, by name and id.
#[derive(Debug, Default)]
pub(super) struct Cosigners(BTreeMap<(KeyName, u32), Cosigner>);

impl Cosigners {
    /// The key that a line says to be by.
    pub(super) fn of(&self, line: &SignatureLine) -> Option<&Cosigner> {
        self.0.get(&(line.name.clone(), line.id))
    }

    /// The node that lists the key of a line.
    pub(super) fn node_of(&self, line: &Cosigned) -> Option<&NodeName> {
        self.of(line.line())?.node.as_ref()
    }

    fn add(&mut self, key: VerifierKey, node: Option<NodeName>) {
        let place = (key.name.clone(), key.id);
        self.0.entry(place).or_insert(Cosigner { key, node });
    }
}

impl Feeds {
    /// Whose lines count besides those of known nodes, and which logs we cosign besides the feeds we
    /// follow: what the configuration says.
    pub fn trust_outside(&self, witnesses: Vec<VerifierKey>, logs: Vec<VerifierKey>) {
        *self.outside.write().unwrap_or_else(PoisonError::into_inner) = Outside { witnesses, logs };
    }

    /// The keys with which `name` may sign as a log of the configuration.
    pub(super) fn outside_log(&self, name: &KeyName) -> Vec<VerifierKey> {
        let outside = self.outside.read().unwrap_or_else(PoisonError::into_inner);
        let logs = outside.logs.iter().filter(|key| key.kind == KeyKind::Ed25519);
        logs.filter(|key| key.name == *name).cloned().collect()
    }

    /// Whose lines count now. A key that several nodes list is that of the one known first: a line does
    /// not say whose it is, and nobody counts twice.
    pub(super) fn cosigners(&self) -> Cosigners {
        let mut cosigners = Cosigners::default();
        let mut seen = BTreeSet::new();
        let mut add = |key: VerifierKey, node: Option<NodeName>| {
            // Who vouched for two histories of a log vouches for nothing.
            if seen.insert(*key.key.as_bytes()) && !self.is_faulty_cosigner(&key) {
                cosigners.add(key, node);
            }
        };
        for (node, record) in self.newest_records() {
            let names = [
                (USE_WITNESS, KeyName::witness_of(&node)),
                (USE_RECEIPT, KeyName::receipt_of(&node)),
            ];
            for (usage, name) in names {
                let Some(active) = record.active(usage) else { continue };
                add(VerifierKey::cosignature(name, active.key), Some(node.clone()));
            }
        }
        let outside = self.outside.read().unwrap_or_else(PoisonError::into_inner);
        let witnesses = outside.witnesses.iter().filter(|key| key.kind == KeyKind::Cosignature);
        witnesses.for_each(|key| add(key.clone(), None));
        for network in self.networks() {
            let policy = network.policy().map(|policy| &policy.cosigners);
            let witnesses = policy.into_iter().flat_map(|policy| policy.witnesses());
            let keys = witnesses.map(|witness| witness.key.clone());
            keys.filter(|key| key.kind == KeyKind::Cosignature).for_each(|key| add(key, None));
        }
        cosigners
    }

    /// The newest node record of each node of which a feed is held, in its feeds or seen beside them: our
    /// own, then in the order in which the nodes were pinned.
    fn newest_records(&self) -> Vec<(NodeName, Arc<NodeRecord>)> {
        let nodes: BTreeSet<NodeName> = {
            let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
            handles.keys().map(|origin| origin.node().clone()).collect()
        };
        let newest = nodes.into_iter().filter_map(|node| Some((self.newest_record(&node)?, node)));
        let mut records: Vec<_> = newest.map(|(record, node)| (node, record)).collect();
        let rank = |node: &NodeName| {
            let pinned = self.pin(node).map_or(u64::MAX, |pin| pin.pinned_at);
            if node == self.node() { 0 } else { pinned.saturating_add(1) }
        };
        records.sort_by_cached_key(|(node, _)| (rank(node), node.clone()));
        records
    }
}
