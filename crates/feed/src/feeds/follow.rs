//! What a person decided to follow: pins, one small file each.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use practice::body::Body;
use serde::{Deserialize, Serialize};
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};

use super::{Feeds, Handle, OpenError};
use crate::block::SEGMENT_ENTRIES;
use crate::ports::{CatalogError, StoreError};

const PIN_PREFIX: &str = "follow/";

/// The first bound root of a node holds; another for the same name is a shown conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The node.
    pub node: NodeName,
    /// The key that must sign its node records.
    pub root: PublicKey,
    /// The keys that did before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<PublicKey>,
    /// Where it can be reached, besides what its node record says.
    pub urls: Vec<String>,
    /// When somebody confirmed it, in seconds since 1970.
    pub pinned_at: u64,
    /// Whether it is synced; without, what was received stays readable.
    pub following: bool,
}

impl Pin {
    /// A node to follow from now on.
    pub fn new(node: NodeName, root: PublicKey, urls: Vec<String>, pinned_at: u64) -> Self {
        Self { node, root, former: Vec::new(), urls, pinned_at, following: true }
    }
}

impl Feeds {
    pub(super) async fn load_pins(&self) -> Result<(), OpenError> {
        let mut pins = BTreeMap::new();
        for (name, bytes) in self.known_decisions().await {
            if !name.starts_with(PIN_PREFIX) {
                continue;
            }
            let pin: Pin = serde_json::from_slice(&bytes)
                .map_err(|error| OpenError::Decision { name, reason: error.to_string() })?;
            pins.insert(pin.node.clone(), pin);
        }
        *self.pins.write().unwrap_or_else(PoisonError::into_inner) = pins;
        Ok(())
    }

    /// Follows a node from now on. The decision is durable when this returns.
    ///
    /// # Errors
    /// When the node is this one, or is pinned to another root: that is for a person to clear up.
    pub async fn follow(&self, pin: Pin) -> Result<(), FollowError> {
        if pin.node == *self.node() {
            return Err(FollowError::Ourselves);
        }
        if let Some(held) = self.pin(&pin.node).filter(|held| held.root != pin.root) {
            return Err(FollowError::AnotherRoot {
                node: pin.node,
                held: held.root.to_did(),
                new: pin.root.to_did(),
            });
        }
        self.decide(pin).await
    }

    /// Writes a pin, then acts on it.
    pub(super) async fn decide(&self, pin: Pin) -> Result<(), FollowError> {
        let bytes = serde_json::to_vec_pretty(&pin)
            .map_err(|error| FollowError::Unwritable { reason: error.to_string() })?;
        self.set_decision(&format!("{PIN_PREFIX}{}", pin.node), Some(bytes.into())).await?;
        self.pins.write().unwrap_or_else(PoisonError::into_inner).insert(pin.node.clone(), pin);
        self.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
        Ok(())
    }

    /// Follows a node no longer. What was received stays readable unless `forget` is set.
    pub async fn unfollow(
        self: &Arc<Self>,
        node: &NodeName,
        forget: bool,
    ) -> Result<(), FollowError> {
        let Some(pin) = self.pin(node) else {
            return Err(FollowError::NotFollowed { node: node.clone() });
        };
        if !forget {
            return self.decide(Pin { following: false, ..pin }).await;
        }
        self.forget(node).await?;
        self.set_decision(&format!("{PIN_PREFIX}{node}"), None).await?;
        self.pins.write().unwrap_or_else(PoisonError::into_inner).remove(node);
        self.derive();
        self.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
        Ok(())
    }

    async fn forget(&self, node: &NodeName) -> Result<(), FollowError> {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (_, handle) in handles.into_iter().filter(|(origin, _)| origin.node() == node) {
            self.forget_feed(&handle).await?;
        }
        self.forget_faults(node).await?;
        self.forget_lineage(node).await?;
        Ok(())
    }

    /// Forgets the copy of one feed.
    pub(super) async fn forget_feed(&self, handle: &Handle) -> Result<(), FollowError> {
        let _syncing = handle.syncing.lock().await;
        let _writer = handle.writer.lock().await;
        let _merging = handle.merging.lock().await;
        let view = handle.view.swap(None);
        self.parts.store.forget(&handle.origin).await?;
        self.parts.catalog.forget(&handle.origin)?;
        let segments = view.map_or(0, |view| view.sealed() / SEGMENT_ENTRIES);
        self.forget_stored(&handle.origin, segments)?;
        self.handles.write().unwrap_or_else(PoisonError::into_inner).remove(&handle.origin);
        Ok(())
    }

    /// The nodes that are followed, by name: those that a person pinned, and those that take part in a
    /// network whose file a person pinned.
    pub fn pins(&self) -> Vec<Pin> {
        let pins = self.pins.read().unwrap_or_else(PoisonError::into_inner).clone();
        let derived = self.derived_pins().into_iter().filter(|pin| !pins.contains_key(&pin.node));
        let mut all: Vec<Pin> = pins.values().cloned().chain(derived).collect();
        all.retain(|pin| pin.following);
        all.sort_by(|one, other| one.node.cmp(&other.node));
        all
    }

    /// The pin of a node, followed still or once. What a person decided wins.
    pub fn pin(&self, node: &NodeName) -> Option<Pin> {
        self.hand_pin(node).or_else(|| self.derived_pin(node).map(|pin| self.moved(pin)))
    }

    /// The pin of a node that a person decided.
    pub fn hand_pin(&self, node: &NodeName) -> Option<Pin> {
        self.pins.read().unwrap_or_else(PoisonError::into_inner).get(node).cloned()
    }

    /// The feeds of a followed node that anybody may read, as its newest node record names them.
    pub fn feeds_of(&self, node: &NodeName) -> Vec<Origin> {
        let record = self.node_record(node).and_then(|bytes| Body::open(bytes).ok());
        let mut names: Vec<FeedName> = record
            .and_then(|body| practice::node_record::NodeRecord::from_body(&body).ok())
            .map(|record| {
                let continuing = record.continues.iter().map(|goes_on| &goes_on.feed);
                record.feeds.iter().chain(continuing).cloned().collect()
            })
            .unwrap_or_else(|| vec![FeedName::public()]);
        names.retain(|feed| !feed.is_restricted());
        names.sort();
        names.dedup();
        names.into_iter().map(|feed| Origin::new(node.clone(), feed)).collect()
    }
}

/// Why a decision to follow was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Our own node.
    #[error("this is the node itself: it need not follow itself")]
    Ourselves,
    /// The name is bound to another root.
    #[error(
        "`{node}` is pinned to the root {held}, and {new} was given: one of the two speaks falsely; \
             confirm with the mechanism by telephone, then `unfollow {node} --forget` and follow again"
    )]
    AnotherRoot {
        /// The node.
        node: NodeName,
        /// What is pinned.
        held: String,
        /// What was given.
        new: String,
    },
    /// Not followed.
    #[error("`{node}` is not followed")]
    NotFollowed {
        /// The node.
        node: NodeName,
    },
    /// Its node is another network's already.
    #[error("`{node}` is the node of the network `{held}` already, and a node has one network")]
    AnotherNetwork {
        /// The node.
        node: NodeName,
        /// The network whose file is pinned.
        held: Origin,
    },
    /// Neither a founder's root key nor a log key of the network file.
    #[error(
        "the node that answers for the network `{network}` shows none of the keys that the network file names: it is \
             another one, or the file is too old; ask the secretariat for its newest file"
    )]
    NotVouched {
        /// The network.
        network: Origin,
    },
    /// It could not be written as JSON.
    #[error("the decision could not be written: {reason}")]
    Unwritable {
        /// Why.
        reason: String,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A feed could not be shown anew.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}
