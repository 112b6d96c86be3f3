//! Meeting a network: from its file to a pin of its node, and its anchors from whoever carries its feed.

use std::sync::Arc;

use bytes::Bytes;
use network::file::NetworkFile;
use network::fold::{Network, Pending};
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::name::{FeedName, NodeName, Origin};

use super::super::{Feeds, FollowError, Pin, SyncError};
use crate::ports::{BodyAnswer, Carrier, CarrierError};

/// Anchors are asked for this often, while a decision waits for approvals and the feed brings nothing.
const PATIENCE_S: u64 = 300;

/// What an address of a log ends with, after the address of its node.
const FEEDS: &str = "feeds/";

impl Feeds {
    /// The pin of a node that is about to be synced. The node of a network that was never met is met
    /// now: its root is the one that the network file vouches for, by a founder's key or by a log key
    /// that proved to belong to it. That root is trusted with carrying the network's feed, no more:
    /// what counts in it are the committee's approvals.
    pub(in crate::feeds) async fn pin_or_meet(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
    ) -> Result<Pin, SyncError> {
        let file = self.network_file_of(origin.node());
        // The root of a network's own node is never the network's to say.
        let pin =
            if file.is_some() { self.hand_pin(origin.node()) } else { self.pin(origin.node()) };
        if let Some(pin) = pin {
            let not_pinned = || SyncError::NotPinned { origin: origin.clone() };
            return Some(pin).filter(|pin| pin.following).ok_or_else(not_pinned);
        }
        let file = file.ok_or_else(|| SyncError::NotPinned { origin: origin.clone() })?;
        let record = vouched(&file, carrier).await?;
        self.pin_network_node(&file, &record).await?;
        self.pin(origin.node()).ok_or_else(|| SyncError::NotPinned { origin: origin.clone() })
    }

    /// Pins the node of a network by its node record, if the network file vouches for it. A pin that is
    /// there stays.
    pub async fn meet_network_node(&self, record: &NodeRecord) -> Result<(), FollowError> {
        let Some(file) = self.network_file_of(&record.node) else {
            return Err(FollowError::NotFollowed { node: record.node.clone() });
        };
        if !file.vouches_for(record) {
            return Err(FollowError::NotVouched { network: file.origin.clone() });
        }
        self.pin_network_node(&file, record).await
    }

    async fn pin_network_node(
        &self,
        file: &NetworkFile,
        record: &NodeRecord,
    ) -> Result<(), FollowError> {
        if record.node == *self.node() || self.hand_pin(&record.node).is_some() {
            return Ok(());
        }
        let urls = addresses(file);
        let now = self.parts.clock.now();
        self.follow(Pin::new(record.node.clone(), record.root, urls, now)).await
    }

    /// Looks for the node of a network that was met before where a newer file says, and there first. The
    /// root stays the one that was pinned: an address brings news, and no trust.
    pub(super) async fn adopt_addresses(
        &self,
        file: &NetworkFile,
        before: Option<&NetworkFile>,
    ) -> Result<(), FollowError> {
        let (node, mut urls) = (file.origin.node(), addresses(file));
        let Some(pin) = self.hand_pin(node).filter(|_| node != self.node()) else { return Ok(()) };
        let left = before.map(addresses).unwrap_or_default();
        let kept = pin.urls.iter().filter(|url| !urls.contains(url) && !left.contains(url));
        let kept: Vec<String> = kept.cloned().collect();
        if urls.is_empty() || pin.urls.starts_with(&urls) {
            return Ok(());
        }
        urls.extend(kept);
        self.decide(Pin { urls, ..pin }).await
    }

    /// Folds anew once what waited for its time has waited long enough.
    async fn refold_if_due(self: &Arc<Self>, network: &Network, now: u64) {
        let due = |one: &Pending| one.effective_at.is_some_and(|at| at <= now);
        if network.pending().iter().any(due) {
            self.refold(network.origin()).await;
            self.tick();
        }
    }

    /// The nodes of networks that were never met, for being asked: their roots are not known yet.
    pub(super) fn unmet(&self) -> Vec<Pin> {
        let known = self.known_networks();
        let unmet = known.values().map(|known| &known.file).filter(|file| {
            let node = file.origin.node();
            node != self.node() && self.hand_pin(node).is_none()
        });
        let pins = unmet.filter_map(|file| {
            let node = file.origin.node().clone();
            let root = *file.roots.first()?;
            Some(Pin::new(node, root, addresses(file), 0))
        });
        pins.collect()
    }

    /// Fetches the anchors of a network that `carrier` carries, if they can say something new: the
    /// network's feed `grew`, or something waits and somebody `asked` or it is time again.
    ///
    /// # Errors
    /// When the carrier failed, or what it brought is no bundle. What is held stays.
    pub async fn sync_anchors(
        self: &Arc<Self>,
        carrier: &dyn Carrier,
        origin: &Origin,
        grew: bool,
        asked: bool,
    ) -> Result<(), SyncError> {
        let Some(network) = self.network(origin) else { return Ok(()) };
        let now = self.parts.clock.now();
        self.refold_if_due(&network, now).await;
        {
            let mut gathering = self.networks.gathering.lock().await;
            let gathered = gathering.entry(origin.clone()).or_default();
            let time = now.saturating_sub(gathered.anchors_asked) >= PATIENCE_S;
            if !grew && (network.pending().is_empty() || !(asked || time)) {
                return Ok(());
            }
            gathered.anchors_asked = now;
        }
        let bytes = match carrier.anchors(origin).await {
            Ok(bytes) => bytes,
            // A network that has approved nothing has none.
            Err(CarrierError::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let taken = self.take_approvals(origin, &bytes).await.map_err(|error| {
            SyncError::from(CarrierError::Improper {
                carrier: carrier.describe(),
                what: format!("the anchors of {origin}"),
                reason: error.to_string(),
            })
        })?;
        for why in taken.refused {
            tracing::debug!(feed.origin = %origin, "an approval of `{origin}` was not taken: {why}");
        }
        Ok(())
    }
}

/// The node record that `carrier` has of the network's node, its newest or its first, and that the file
/// vouches for.
async fn vouched(file: &NetworkFile, carrier: &dyn Carrier) -> Result<NodeRecord, SyncError> {
    let newest = read(file.origin.node(), carrier.node_record().await?);
    if let Some(record) = newest.filter(|record| file.vouches_for(record)) {
        return Ok(record);
    }
    // A file of last year may name a key that is in use no more, and stands in entry 0.
    let public = Origin::new(file.origin.node().clone(), FeedName::public());
    if let BodyAnswer::Body(bytes) = carrier.body(&public, 0).await?
        && let Some(record) = read(file.origin.node(), bytes)
        && file.vouches_for(&record)
    {
        return Ok(record);
    }
    Err(FollowError::NotVouched { network: file.origin.clone() }.into())
}

fn read(node: &NodeName, bytes: Bytes) -> Option<NodeRecord> {
    let record = NodeRecord::from_body(&Body::open(bytes).ok()?).ok()?;
    (record.node == *node).then_some(record)
}

/// The addresses of a network's node, from the addresses of its log in the file.
fn addresses(file: &NetworkFile) -> Vec<String> {
    let tail = format!("{FEEDS}{}", file.origin);
    let own = file.policy.logs().iter().filter(|log| log.key.name.as_str() == file.origin.as_str());
    let urls = own.filter_map(|log| log.url.as_ref()).map(ToString::to_string);
    urls.filter_map(|url| Some(url.trim_end_matches('/').strip_suffix(&tail)?.to_owned())).collect()
}
