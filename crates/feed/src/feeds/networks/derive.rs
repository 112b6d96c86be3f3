//! Pins that follow from networks.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use network::fold::Participant;
use tlog::name::{NodeName, Origin};
use tracing::{error, info};

use super::super::{Feeds, Handle, Pin};
use super::RootConflict;

/// What follows from all networks together.
#[derive(Clone, Default)]
pub(super) struct Derived {
    pub(super) pins: BTreeMap<NodeName, DerivedPin>,
    pub(super) records: BTreeMap<NodeName, Bytes>,
    pub(super) conflicts: Vec<RootConflict>,
}

/// A pin, and which network it follows from.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct DerivedPin {
    pub(super) network: Origin,
    pub(super) pin: Pin,
}

impl Derived {
    /// A node that two networks know is followed as long as one of them has it take part.
    fn add(&mut self, network: &Origin, pin: Pin) {
        match self.pins.get_mut(&pin.node) {
            Some(held) => held.pin.following |= pin.following,
            None => {
                let network = network.clone();
                self.pins.insert(pin.node.clone(), DerivedPin { network, pin });
            }
        }
    }
}

impl Feeds {
    /// Derives all pins anew, and acts on what changed.
    pub(in crate::feeds) fn derive(self: &Arc<Self>) {
        let before = self.networks.derived.read().unwrap_or_else(PoisonError::into_inner).clone();
        let after = self.derived(&before);
        let changed: Vec<NodeName> = after
            .pins
            .iter()
            .filter(|(node, one)| {
                before.pins.get(*node).is_none_or(|old| old.pin.root != one.pin.root)
            })
            .map(|(node, _)| node.clone())
            .collect();
        *self.networks.derived.write().unwrap_or_else(PoisonError::into_inner) = after;
        for node in changed {
            self.reopen_node(&node);
        }
    }

    /// What follows from all networks now. Of two networks that disagree the one that was first holds.
    pub(super) fn derived(&self, before: &Derived) -> Derived {
        let mut all = Derived::default();
        let networks = self.networks();
        let stated = |network: &Origin, node: &NodeName| {
            let network = networks.iter().find(|one| one.origin() == network);
            network.is_some_and(|network| network.participant(node).is_some())
        };
        for network in &networks {
            for participant in network.participants() {
                let node = &participant.node;
                let record = participant.record.body().bytes();
                all.records.entry(node.clone()).or_insert_with(|| record.clone());
                if node == self.node() {
                    continue;
                }
                let held = self.hand_pin(node).map(|pin| pin.root);
                let now = all.pins.get(node).map(|one| one.pin.root);
                let old = before
                    .pins
                    .get(node)
                    .filter(|old| old.network != *network.origin() && stated(&old.network, node));
                let bound = held.or(now).or(old.map(|old| old.pin.root));
                if let Some(pinned) = bound.filter(|bound| *bound != participant.root) {
                    let (network, node) = (network.origin().clone(), node.clone());
                    let stated = participant.root;
                    all.conflicts.push(RootConflict { network, node, pinned, stated });
                } else if held.is_none() {
                    all.add(network.origin(), self.pin_of(participant));
                }
            }
        }
        all
    }

    fn pin_of(&self, participant: &Participant) -> Pin {
        let urls = participant.record.urls.clone();
        let now = self.parts.clock.now();
        Pin {
            former: participant.former.clone(),
            following: participant.is_followed(),
            ..Pin::new(participant.node.clone(), participant.root, urls, now)
        }
    }

    /// Reads the feeds of a node back from the store under the root that counts now. In its own task:
    /// the caller may hold the turn of one of them.
    fn reopen_node(self: &Arc<Self>, node: &NodeName) {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        let of_node = handles.values().filter(|handle| handle.origin.node() == node);
        let stale: Vec<Arc<Handle>> = of_node.cloned().collect();
        drop(handles);
        for handle in stale {
            let feeds = Arc::clone(self);
            tokio::spawn(async move {
                let _syncing = handle.syncing.lock().await;
                let _writer = handle.writer.lock().await;
                let origin = &handle.origin;
                if handle.view.load().is_some() {
                    info!(event = "root.changed-by-network", feed.origin = %origin, "the root of `{}` changed by a decision of the network", origin.node());
                    if let Err(reason) = feeds.parts.catalog.forget(origin) {
                        error!(event = "feed.catalog-not-made-anew", feed.origin = %origin, "the catalog of `{origin}` was not made anew: {reason}");
                    }
                }
                if let Err(reason) = feeds.reopen(&handle).await {
                    error!(event = "feed.closed-again", feed.origin = %origin, "`{origin}` stays closed: {reason}");
                    handle.view.store(None);
                    handle.set_closed(Some(reason.to_string()));
                }
            });
        }
    }
}
