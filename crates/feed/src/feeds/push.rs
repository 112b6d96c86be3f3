//! What a node sends by itself that cannot be reached: its own feeds, in a bundle, to a relay that follows
//! it. A bundle is a carrier like any other, so a relay takes it as it would fetch: everything verified
//! before it is stored, and nothing believed.
//!
//! A feed that is too long for one bundle comes in several: the segments of each are kept, invisible, until
//! the last one has arrived.

use std::sync::Arc;

use bytes::Bytes;
use network::audience::Audience;
use practice::body::Body;
use tlog::name::{NodeName, Origin};

use super::{Feeds, Outcome, SyncError};
use crate::bundle::carrier::BundleCarrier;
use crate::ports::{BodyAnswer, Carrier, CarrierError, Quiet, StoreError};

/// What became of a feed that was sent.
#[derive(Debug)]
pub enum Pushed {
    /// It is held as it was sent.
    Held {
        /// Entries that were new.
        entries: u64,
    },
    /// What came is kept; the segments that are missing are to be sent next.
    Wanting,
    /// It is sent by somebody who may not, or nothing for this node.
    NotTaken {
        /// Why.
        reason: &'static str,
    },
    /// It was refused, as it would be from any carrier.
    Refused(SyncError),
}

impl Feeds {
    /// Takes a feed out of a bundle that the node `by` sent and signed for.
    pub async fn take_pushed(
        self: &Arc<Self>,
        by: &NodeName,
        carrier: &BundleCarrier<'_>,
        origin: &Origin,
    ) -> Pushed {
        if origin.node() != by {
            return Pushed::NotTaken { reason: "a node sends its own feeds only" };
        }
        if *by == *self.node() || !self.pin(by).is_some_and(|pin| pin.following) {
            return Pushed::NotTaken { reason: "this node does not follow yours" };
        }
        if origin.feed().is_restricted() && !self.is_for_us(carrier, origin).await {
            return Pushed::NotTaken { reason: "this node is not among those who may read it" };
        }
        let from = self.view(origin).map_or(0, |view| view.size());
        match self.sync_feed(carrier, origin, None, &Quiet).await {
            Ok(synced) => {
                self.note_push(by);
                self.exchange_receipts(carrier, origin).await;
                let to = match synced.outcome {
                    Outcome::Advanced { to, .. } => to,
                    Outcome::Unchanged => from,
                };
                Pushed::Held { entries: to.saturating_sub(from) }
            }
            Err(SyncError::Carrier(CarrierError::NotFound { .. })) => Pushed::Wanting,
            Err(error) => Pushed::Refused(error),
        }
    }

    /// Takes note of the newest node record of a node that is followed, whoever shows it: it proves itself. So
    /// a node that nobody can reach is known by its new keys before its feed brings them.
    ///
    /// # Errors
    /// When our own store fails.
    pub async fn take_node_record(&self, node: &NodeName, bytes: &Bytes) -> Result<(), StoreError> {
        if *node == *self.node() || !self.pin(node).is_some_and(|pin| pin.following) {
            return Ok(());
        }
        self.meet(node, bytes).await
    }

    /// Where this node itself is reached, as its newest node record says: that record may name the addresses
    /// of its relays too.
    pub fn own_urls(&self, relays: &[NodeName]) -> Vec<String> {
        let said = self.newest_record(self.node());
        let mut urls = said.map(|record| record.urls.clone()).unwrap_or_default();
        for relay in relays {
            let theirs = self.urls_of(relay);
            urls.retain(|url| !theirs.contains(url));
        }
        urls
    }

    /// Where a node is reached that is followed: as it was pinned, then as its newest node record says.
    pub fn urls_of(&self, node: &NodeName) -> Vec<String> {
        let mut urls = self.pin(node).map(|pin| pin.urls).unwrap_or_default();
        let said = self.newest_record(node);
        for url in said.iter().flat_map(|record| &record.urls) {
            if !urls.contains(url) {
                urls.push(url.clone());
            }
        }
        urls
    }

    /// When a node last sent something that was taken, in Unix seconds.
    pub fn last_push(&self, node: &NodeName) -> Option<u64> {
        let memo = self.parts.catalog.memo(&memo_key(node)).ok().flatten()?;
        Some(u64::from_be_bytes(memo.as_ref().try_into().ok()?))
    }

    fn note_push(&self, node: &NodeName) {
        let now = self.parts.clock.now().to_be_bytes();
        if let Err(error) = self.parts.catalog.set_memo(&memo_key(node), Some(&now)) {
            tracing::debug!("when {node} last sent something was not noted: {error}");
        }
    }

    /// Whether a restricted feed is one that this node may read: as it is held, or as its entry 1 says in the
    /// bundle. What that entry says is verified with all others before it is stored.
    async fn is_for_us(&self, carrier: &BundleCarrier<'_>, origin: &Origin) -> bool {
        if let Some(view) = self.view(origin) {
            return self.may_read(&view, self.node());
        }
        let Ok(BodyAnswer::Body(bytes)) = carrier.body(origin, 1).await else { return false };
        let Ok(body) = Body::open(bytes) else { return false };
        let Ok(audience) = Audience::from_body(&body) else { return false };
        let network = audience.network().and_then(|origin| self.network(origin));
        audience.admits(self.node(), network.as_deref())
    }
}

fn memo_key(node: &NodeName) -> String {
    format!("pushed/{node}")
}
