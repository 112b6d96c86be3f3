//! Roots that change: what this node remembers of a recovery under way, and how a pin moves on.
//!
//! A recovery key can only announce a root. The announcement and when it was first seen are written
//! down (`recovery/NODE` among the decisions); after 72 hours, counted between median times of the
//! feed's cosigners, in which the other key may object, the announced root takes the place of the
//! old one. From the announcement on the old root changes no key: what it signs is an objection.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use network::keys::{KeyHistory, Standing, valid_alone};
use network::times::WINDOW;
use practice::body::Body;
use practice::node_record::NodeRecord;
use serde::{Deserialize, Serialize};
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, NodeName, Origin};
use tracing::{info, warn};

use super::receipts::Moment;
use super::{Feeds, FollowError, Handle, OpenError, Pin, PublishError, View};
use crate::ports::{Carrier, StoreError};

mod recall;
mod recovery;
mod seen;

pub use recovery::Recovery;

const RECOVERY_PREFIX: &str = "recovery/";
/// Records without a recovery key that an earlier one named, remembered for a node.
const DROPPED_MAX: usize = 64;
/// Recovery keys against which somebody decided, remembered for a node.
const REJECTED_MAX: usize = 16;

/// What is remembered of one node, besides its logs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lineage {
    /// The newest announcement by a recovery key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    announced: Option<Announced>,
    /// When records that no longer name a recovery key were first seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<Dropped>,
    /// Recovery keys whose announcement was decided against: they announce nothing more here, or the
    /// same announcement would undo the decision in the next round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<PublicKey>,
    /// The newest node record by a root that speaks for the node, seen outside of the logs held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    /// Of our own node: the root that a committee reinstated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reinstated: Option<PublicKey>,
    /// Where the pin comes from a network: the root that it has moved on to since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moved: Option<Moved>,
    /// [`newest`](Self::newest), read.
    #[serde(skip)]
    record: Read,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moved {
    root: PublicKey,
    former: Vec<PublicKey>,
}

#[derive(Clone, Debug, Default)]
struct Read(Option<Arc<NodeRecord>>);

impl PartialEq for Read {
    /// It says nothing that the text does not say.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Announced {
    body: String,
    version: u64,
    /// The root in force when it was announced.
    from: PublicKey,
    /// The announced root.
    to: PublicKey,
    first_seen: u64,
    contested: bool,
    /// Whether `to` took the place of `from` here.
    adopted: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dropped {
    version: u64,
    seen: u64,
}

/// What becomes of a node record that its owner hands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// It goes into every feed.
    Counts,
    /// It announces a root: into the feeds where they can be signed, and to the well-known address.
    Announces,
}

impl Feeds {
    /// Gives a node another root: a person confirmed it, or a committee reinstated it. `why` is for
    /// the log. A recovery under way ends with it. The node's feeds are read back from the store and
    /// their catalog is made anew.
    ///
    /// # Errors
    /// When the node is neither followed nor ours, or the decision could not be written.
    pub async fn change_root(
        self: &Arc<Self>,
        node: &NodeName,
        root: PublicKey,
        why: &str,
    ) -> Result<(), FollowError> {
        let mut lineage = self.lineage(node);
        match lineage.announced.as_mut().filter(|announced| announced.to == root) {
            Some(announced) => announced.adopted = true,
            None => lineage.reject(),
        }
        if node == self.node() {
            lineage.reinstated = Some(root);
            return Ok(self.keep_lineage(node, lineage).await?);
        }
        let pin = self.pin(node).ok_or(FollowError::NotFollowed { node: node.clone() })?;
        let mut former = pin.former.clone();
        if pin.root != root {
            former.push(pin.root);
        }
        info!(event = "root.changed", node = %node, "`{node}` has the root {} from now on: {why}", root.to_did());
        // The pin first: a crash in between leaves the announcement, which then leads here again.
        if self.hand_pin(node).is_some() {
            self.decide(Pin { root, former, ..pin }).await?;
        } else {
            lineage.moved = Some(Moved { root, former });
        }
        self.keep_lineage(node, lineage).await?;
        self.remake(node).await;
        Ok(())
    }

    /// A pin that comes from a network, with the root that it has moved on to: until the network says
    /// so too, or says otherwise.
    pub(super) fn moved(&self, pin: Pin) -> Pin {
        match self.lineage(&pin.node).moved {
            Some(Moved { root, former }) if former.contains(&pin.root) => {
                Pin { root, former, ..pin }
            }
            _ => pin,
        }
    }

    /// Reads the feeds of a node back under the roots that it has now.
    async fn remake(self: &Arc<Self>, node: &NodeName) {
        for handle in self.handles_of(node) {
            let _writer = handle.writer.lock().await;
            let anew = async {
                self.parts.catalog.forget(&handle.origin)?;
                self.reopen(&handle).await
            };
            if let Err(reason) = anew.await {
                warn!(event = "feed.fetched-again", feed.origin = %handle.origin, "`{}` is fetched again: {reason}", handle.origin);
                handle.view.store(None);
                handle.set_closed(Some(reason.to_string()));
            }
        }
    }

    pub(super) fn handles_of(&self, node: &NodeName) -> Vec<Arc<Handle>> {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        let of_node = handles.iter().filter(|(origin, _)| origin.node() == node);
        of_node.map(|(_, handle)| Arc::clone(handle)).collect()
    }

    /// The root whose records above a version only object to an announced recovery.
    pub(super) fn frozen(&self, node: &NodeName) -> Option<(PublicKey, u64)> {
        let lineages = self.lineages.read().unwrap_or_else(PoisonError::into_inner);
        let announced = lineages.get(node)?.announced.as_ref()?;
        Some((announced.from, announced.version))
    }

    /// The newest node record of a node, in one of its feeds or seen elsewhere.
    pub fn newest_record(&self, node: &NodeName) -> Option<Arc<NodeRecord>> {
        let seen = {
            let lineages = self.lineages.read().unwrap_or_else(PoisonError::into_inner);
            lineages.get(node).and_then(|lineage| lineage.record.0.clone())
        };
        let held = self.keys_of(node).and_then(|keys| Some(keys.newest()?.record.clone()));
        [seen, held].into_iter().flatten().max_by_key(|record| record.version())
    }

    /// What is served at the well-known address: our newest node record, or the announcement of
    /// another root while that recovery is under way.
    pub fn well_known(&self) -> Option<Bytes> {
        let newest = self.newest_record(self.node())?;
        let announced = self.lineage(self.node()).announced;
        let announced = announced.filter(|announced| announced.version > newest.version());
        Some(announced.map_or_else(|| newest.body().bytes().clone(), |found| found.body.into()))
    }

    /// The keys of a node, from the feed of it that holds the newest node record.
    fn keys_of(&self, node: &NodeName) -> Option<Arc<KeyHistory>> {
        let views = self.handles_of(node).into_iter().filter_map(|handle| handle.view.load_full());
        let version = |view: &Arc<View>| view.keys.newest().map(|keyed| keyed.record.version());
        views.max_by_key(version).map(|view| Arc::clone(&view.keys))
    }

    pub(super) async fn load_lineages(&self) -> Result<(), OpenError> {
        let mut lineages = BTreeMap::new();
        for (name, bytes) in self.known_decisions().await {
            let Some(node) = name.strip_prefix(RECOVERY_PREFIX) else { continue };
            let broken = |reason: String| OpenError::Decision { name: name.clone(), reason };
            let node = NodeName::parse(node).map_err(|error| broken(error.to_string()))?;
            let mut lineage: Lineage =
                serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
            lineage.record = Read(lineage.newest.as_deref().and_then(|text| read(&node, text)));
            lineages.insert(node, lineage);
        }
        *self.lineages.write().unwrap_or_else(PoisonError::into_inner) = lineages;
        Ok(())
    }

    fn lineage(&self, node: &NodeName) -> Lineage {
        let lineages = self.lineages.read().unwrap_or_else(PoisonError::into_inner);
        lineages.get(node).cloned().unwrap_or_default()
    }

    /// Writes down what is remembered of a node, if it changed.
    async fn keep_lineage(&self, node: &NodeName, mut lineage: Lineage) -> Result<(), StoreError> {
        if lineage == self.lineage(node) {
            return Ok(());
        }
        let bytes = serde_json::to_vec_pretty(&lineage).unwrap_or_default();
        let name = format!("{RECOVERY_PREFIX}{node}");
        self.set_decision(&name, Some(bytes.into())).await?;
        lineage.record = Read(lineage.newest.as_deref().and_then(|text| read(node, text)));
        self.lineages.write().unwrap_or_else(PoisonError::into_inner).insert(node.clone(), lineage);
        self.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
        Ok(())
    }

    /// Forgets it: whoever follows the node again begins with the root that is confirmed then.
    pub(super) async fn forget_lineage(&self, node: &NodeName) -> Result<(), StoreError> {
        self.set_decision(&format!("{RECOVERY_PREFIX}{node}"), None).await?;
        self.lineages.write().unwrap_or_else(PoisonError::into_inner).remove(node);
        Ok(())
    }

    /// The times by which windows are counted, by the cosigners of the node's public feed.
    fn window_clock(&self, node: &NodeName) -> Moment {
        self.moment(&Origin::new(node.clone(), FeedName::public()))
    }

    /// Takes note of a node record from anywhere, for what it is worth.
    pub(super) async fn meet(&self, node: &NodeName, bytes: &Bytes) -> Result<(), StoreError> {
        let Some(mut keys) = self.keys_of(node).map(Arc::unwrap_or_clone) else { return Ok(()) };
        let Some(record) = Body::open(bytes.clone()).ok().and_then(|body| {
            let record = valid_alone(&body, node).ok()?;
            (keys.id() == Some(record.id())).then_some(record)
        }) else {
            return Ok(());
        };
        keys.freeze(self.frozen(node));
        let mut lineage = self.lineage(node);
        let text = || String::from_utf8_lossy(bytes).into_owned();
        let version = record.version();
        match keys.standing(&record) {
            Standing::InForce | Standing::Succeeds => {
                if lineage.record.0.as_ref().is_none_or(|newest| version > newest.version()) {
                    lineage.newest = Some(text());
                }
            }
            Standing::Announces { dropped_at } => {
                let now = self.window_clock(node);
                let newer = lineage.announced.as_ref().is_none_or(|old| version > old.version);
                let rejected = lineage.rejected.contains(&record.body().issuer_key());
                if !newer || rejected || !self.has_power(&lineage, &keys, dropped_at, now.surely) {
                    return Ok(());
                }
                let Some(from) = keys.root() else { return Ok(()) };
                // To announce again does not end a dispute.
                let contested = lineage.announced.is_some_and(|old| old.contested && !old.adopted);
                let (body, to) = (text(), record.root);
                let first_seen = now.latest;
                lineage.announced = Some(Announced {
                    body,
                    version,
                    from,
                    to,
                    first_seen,
                    contested,
                    adopted: false,
                });
                warn!(event = "recovery.announced", node = %node, "the recovery key of `{node}` announced the root {}", to.to_did());
            }
            Standing::Objects => {
                let Some(announced) = &mut lineage.announced else { return Ok(()) };
                if !announced.adopted && !announced.contested {
                    announced.contested = true;
                    warn!(event = "recovery.contested", node = %node, "the recovery of `{node}` is contested");
                }
            }
            Standing::Old | Standing::Stranger => {}
        }
        self.keep_lineage(node, lineage).await
    }

    /// Whether a recovery key may announce: it is named still, or was dropped less than a window ago.
    fn has_power(
        &self,
        lineage: &Lineage,
        keys: &KeyHistory,
        dropped_at: Option<u64>,
        now: u64,
    ) -> bool {
        let Some(index) = dropped_at else { return true };
        let version = keys.in_force(index.saturating_add(1)).map(|keyed| keyed.record.version());
        let dropped = lineage.dropped.iter().find(|dropped| Some(dropped.version) == version);
        dropped.is_some_and(|dropped| now < dropped.seen.saturating_add(WINDOW))
    }

    /// Asks a carrier for the node record it has: a recovery, a revocation or a continuation may be
    /// known there before it is in a log that we can read.
    pub(super) async fn look_around(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        if origin.feed().is_restricted() || self.view(origin).is_none() {
            return Ok(());
        }
        match carrier.node_record().await {
            Ok(bytes) => self.meet(origin.node(), &bytes).await,
            // The round itself tells what is wrong with the carrier.
            Err(_) => Ok(()),
        }
    }

    /// After a round: what the logs of the node say of roots, and whether a window is over.
    pub(super) async fn look_after(self: &Arc<Self>, node: &NodeName) -> Result<(), FollowError> {
        let views: Vec<Arc<View>> =
            self.handles_of(node).iter().filter_map(|handle| handle.view.load_full()).collect();
        for view in &views {
            for keyed in view.keys.announcements().iter().chain(view.keys.objection()) {
                self.meet(node, &keyed.body).await?;
            }
            if let Some(root) = view.keys.handed_on() {
                self.change_root(node, root, "its root named it as its successor").await?;
            }
        }
        self.note_dropped(node, &views).await?;
        if let Some(root) = self.window_is_over(node) {
            let why = "announced by its recovery key, and nobody objected for 72 hours";
            self.change_root(node, root, why).await?;
        }
        self.refresh(node).await?;
        Ok(())
    }

    /// The announced root whose window ended without an objection.
    fn window_is_over(&self, node: &NodeName) -> Option<PublicKey> {
        let announced = self.lineage(node).announced?;
        let over = self.window_clock(node).surely >= announced.first_seen.saturating_add(WINDOW);
        (over && !announced.contested && !announced.adopted).then_some(announced.to)
    }

    /// Remembers when a record that no longer names a recovery key was first seen.
    async fn note_dropped(&self, node: &NodeName, views: &[Arc<View>]) -> Result<(), StoreError> {
        let mut lineage = self.lineage(node);
        let seen = self.window_clock(node).latest;
        // A clock that ran ahead and was set back must not stretch a window.
        lineage.announced.iter_mut().for_each(|one| one.first_seen = one.first_seen.min(seen));
        lineage.dropped.iter_mut().for_each(|one| one.seen = one.seen.min(seen));
        for view in views {
            for pair in view.keys.records().windows(2) {
                let [before, after] = pair else { continue };
                let dropped = before.record.recovery.is_some()
                    && before.record.recovery != after.record.recovery;
                let version = after.record.version();
                if dropped && lineage.dropped.iter().all(|known| known.version != version) {
                    lineage.dropped.push(Dropped { version, seen });
                }
            }
        }
        let surplus = lineage.dropped.len().saturating_sub(DROPPED_MAX);
        lineage.dropped.drain(..surplus);
        self.keep_lineage(node, lineage).await
    }

    /// Whether a new node record of our own may be published, and as what.
    pub(super) async fn admit(&self, bytes: &Bytes) -> Result<Admitted, PublishError> {
        let refused = |reason: String| PublishError::NodeRecord { reason };
        let body = Body::open(bytes.clone()).map_err(|error| refused(error.to_string()))?;
        let record = valid_alone(&body, self.node()).map_err(refused)?;
        let Some(mut keys) = self.keys_of(self.node()).map(Arc::unwrap_or_clone) else {
            return Ok(Admitted::Counts);
        };
        if keys.id() != Some(record.id()) {
            return Err(refused("it has another id than this node's record".to_owned()));
        }
        keys.freeze(self.frozen(self.node()));
        match keys.standing(&record) {
            Standing::InForce => Ok(Admitted::Counts),
            Standing::Objects => {
                self.meet(self.node(), bytes).await?;
                Ok(Admitted::Counts)
            }
            Standing::Announces { .. } => {
                self.note_dropped(self.node(), &[]).await?;
                self.meet(self.node(), bytes).await?;
                Ok(Admitted::Announces)
            }
            Standing::Succeeds => self.admit_successor(&record).map_err(refused),
            Standing::Old => {
                let version = keys.newest().map_or(0, |keyed| keyed.record.version());
                Err(refused(format!("its version must be above {version}")))
            }
            Standing::Stranger => Err(refused(format!(
                "it is signed by {}, which is neither the root nor the recovery key of this node",
                record.body().issuer_key().to_did()
            ))),
        }
    }

    /// A root that is not in force confirms itself: after its window, or reinstated.
    fn admit_successor(&self, record: &NodeRecord) -> Result<Admitted, String> {
        let lineage = self.lineage(self.node());
        let root = record.root;
        if lineage.reinstated == Some(root) {
            return Ok(Admitted::Counts);
        }
        let Some(announced) = lineage.announced.filter(|announced| announced.to == root) else {
            return Err(format!(
                "{} is not the root of this node: announce it first with the recovery key, or let the committee reinstate it",
                root.to_did()
            ));
        };
        if announced.contested {
            return Err("the recovery is contested: the committee decides".to_owned());
        }
        let now = self.window_clock(self.node()).surely;
        let end = announced.first_seen.saturating_add(WINDOW);
        if now >= end {
            return Ok(Admitted::Counts);
        }
        Err(format!(
            "the 72 hours in which the other key may object are not over: they end at {}",
            super::timestamp(end)
        ))
    }
}

impl Lineage {
    /// Ends a recovery under way, and the power of the key that announced it.
    fn reject(&mut self) {
        let Some(announced) = self.announced.take().filter(|announced| !announced.adopted) else {
            return;
        };
        let Ok(body) = Body::open(announced.body.into()) else { return };
        self.rejected.retain(|key| *key != body.issuer_key());
        self.rejected.push(body.issuer_key());
        let surplus = self.rejected.len().saturating_sub(REJECTED_MAX);
        self.rejected.drain(..surplus);
    }
}

fn read(node: &NodeName, text: &str) -> Option<Arc<NodeRecord>> {
    let body = Body::open(Bytes::copy_from_slice(text.as_bytes())).ok()?;
    valid_alone(&body, node).ok().map(Arc::new)
}
