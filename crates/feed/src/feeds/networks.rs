//! Networks: whose files a person pinned, what their committees have decided, and which pins follow.
//!
//! A network is folded anew whenever its feed, the feed of one of its committee's nodes, or its anchors
//! bring something. What comes out is a value that readers take without waiting. Pins of participants
//! are derived from it and never written: a pin that a person decided wins, and another root for the
//! same name is shown as a conflict.

mod derive;
mod meet;
mod read_back;
mod refold;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use network::file::NetworkFile;
use network::fold::Network;
use tlog::ed25519::PublicKey;
use tlog::name::{NodeName, Origin};

use super::{Feeds, FollowError, OpenError, Pin};
use derive::Derived;
use refold::Gathering;

pub use refold::{ApprovalError, ApprovalsTaken};

const NETWORK_PREFIX: &str = "network/";

/// What the feeds know of networks.
#[derive(Default)]
pub(super) struct Networks {
    known: RwLock<BTreeMap<Origin, Known>>,
    derived: RwLock<Derived>,
    /// Whoever holds it may fold; what was gathered for it so far, by network.
    gathering: tokio::sync::Mutex<BTreeMap<Origin, Gathering>>,
}

/// One network whose file was pinned.
#[derive(Clone)]
struct Known {
    file: Arc<NetworkFile>,
    fold: Arc<Network>,
    /// The roots of all its committees, those to come too.
    roots: BTreeSet<PublicKey>,
}

/// A node that was pinned here to another root than a network states. What is pinned holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootConflict {
    /// The network.
    pub network: Origin,
    /// The node.
    pub node: NodeName,
    /// What is pinned here.
    pub pinned: PublicKey,
    /// What the network states.
    pub stated: PublicKey,
}

impl Feeds {
    /// Follows a network from now on: its fingerprint was compared. Replaces an older file of the same
    /// network, and its node is looked for where the new file says. The decision is durable when this
    /// returns.
    pub async fn pin_network(self: &Arc<Self>, file: NetworkFile) -> Result<(), FollowError> {
        let name = format!("{NETWORK_PREFIX}{}", file.origin.node());
        let held = self.network_file_of(file.origin.node());
        if let Some(other) = held.as_ref().filter(|held| held.origin != file.origin) {
            return Err(FollowError::AnotherNetwork {
                node: file.origin.node().clone(),
                held: other.origin.clone(),
            });
        }
        self.set_decision(&name, Some(file.bytes().clone())).await?;
        self.adopt_addresses(&file, held.as_deref()).await?;
        let origin = file.origin.clone();
        self.know(file);
        self.networks.gathering.lock().await.remove(&origin);
        self.refold(&origin).await;
        self.tick();
        Ok(())
    }

    /// The networks whose files were pinned here, as they stand, by name.
    pub fn networks(&self) -> Vec<Arc<Network>> {
        self.known_networks().values().map(|known| known.fold.clone()).collect()
    }

    /// One network as it stands.
    pub fn network(&self, origin: &Origin) -> Option<Arc<Network>> {
        let known = self.networks.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(origin).map(|known| known.fold.clone())
    }

    /// The file that was pinned for a network.
    pub fn network_file(&self, origin: &Origin) -> Option<Arc<NetworkFile>> {
        let known = self.networks.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(origin).map(|known| known.file.clone())
    }

    /// Nodes whose pinned root is not the one that a network states.
    pub fn root_conflicts(&self) -> Vec<RootConflict> {
        let before = self.networks.derived.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.derived(&before).conflicts
    }

    /// The pin that follows from a network, for a node that nobody pinned by hand.
    pub(super) fn derived_pin(&self, node: &NodeName) -> Option<Pin> {
        let derived = self.networks.derived.read().unwrap_or_else(PoisonError::into_inner);
        derived.pins.get(node).map(|one| one.pin.clone())
    }

    /// All of them, and the nodes of networks that were never met.
    pub(super) fn derived_pins(&self) -> Vec<Pin> {
        let derived = self.networks.derived.read().unwrap_or_else(PoisonError::into_inner);
        let mut pins: Vec<Pin> = derived.pins.values().map(|one| one.pin.clone()).collect();
        drop(derived);
        pins.retain(|pin| self.network_file_of(&pin.node).is_none());
        pins.extend(self.unmet());
        pins
    }

    /// The node record that a network holds of a participant.
    pub(super) fn embedded_record(&self, node: &NodeName) -> Option<Bytes> {
        let derived = self.networks.derived.read().unwrap_or_else(PoisonError::into_inner);
        derived.records.get(node).cloned()
    }

    /// Reads the pinned network files. Their folds follow when their feeds are opened.
    pub(super) async fn load_networks(&self) -> Result<(), OpenError> {
        for (name, bytes) in self.known_decisions().await {
            if !name.starts_with(NETWORK_PREFIX) {
                continue;
            }
            let file = NetworkFile::parse(&bytes)
                .map_err(|error| OpenError::Decision { name, reason: error.to_string() })?;
            self.know(file);
        }
        Ok(())
    }

    /// The feeds in the order in which they are opened: those of networks first, for pins of others
    /// follow from them.
    pub(super) fn networks_first(&self, mut origins: Vec<Origin>) -> Vec<Origin> {
        let known = self.known_networks();
        origins.sort_by_key(|origin| !known.contains_key(origin));
        origins
    }

    /// A feed brought something: folds anew the networks that rest on it.
    pub(super) async fn networks_after(self: &Arc<Self>, origin: &Origin) {
        if origin.feed().is_restricted() {
            return;
        }
        for (network, known) in self.known_networks() {
            if network == *origin || !self.roots_of_feeds(origin.node()).is_disjoint(&known.roots) {
                self.refold(&network).await;
            }
        }
    }

    fn network_file_of(&self, node: &NodeName) -> Option<Arc<NetworkFile>> {
        let known = self.known_networks();
        known.values().map(|known| known.file.clone()).find(|file| file.origin.node() == node)
    }

    fn known_networks(&self) -> BTreeMap<Origin, Known> {
        self.networks.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn know(&self, file: NetworkFile) {
        let fold = Arc::new(refold::nothing_yet(&file, self.parts.clock.now()));
        let (origin, roots) = (file.origin.clone(), file.roots.iter().copied().collect());
        let known = Known { file: Arc::new(file), fold, roots };
        self.networks.known.write().unwrap_or_else(PoisonError::into_inner).insert(origin, known);
    }

    fn tick(&self) {
        self.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
    }
}
