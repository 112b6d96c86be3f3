//! What following needs of the node it runs in; [`Feeds`] in life, a play in tests.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::bundle::{self, Item, ItemKind};
use feed::feeds::{Feeds, Outcome, Pin, SyncError};
use feed::ports::{Carrier, CarrierError, Progress};
use tlog::name::{FeedName, NodeName, Origin};
use tokio::sync::watch;
use wire::heads::HeadLine;

use crate::gossip;
use crate::signing::Signs;
use crate::tally::Why;

/// Feeds of one node that are followed; the public one and what continues it.
pub(crate) const FEEDS_OF_A_NODE: usize = 16;

/// The node that follows.
#[async_trait]
pub(crate) trait Home: Send + Sync {
    /// Which nodes a person decided to follow.
    fn pins(&self) -> Vec<Pin>;
    /// What a node said of itself in the newest record held: its URLs and feeds.
    fn said(&self, node: &NodeName) -> Option<(Vec<String>, Vec<FeedName>)>;
    /// Where this node itself is reached, by addresses that are not those of its relays.
    fn own_urls(&self, relays: &[NodeName]) -> Vec<String> {
        let _ = relays;
        Vec::new()
    }
    /// The feeds of a node that are held, and when it last sent something by itself.
    fn sent(&self, node: &NodeName) -> (Vec<Origin>, Option<u64>) {
        let _ = node;
        (Vec::new(), None)
    }
    /// The restricted feeds of a node that are held.
    fn restricted(&self, node: &NodeName) -> Vec<FeedName>;
    /// Who signs our requests.
    fn signs(&self) -> Option<Arc<dyn Signs>>;
    /// Entries held of a feed, and how many bodies are missing.
    fn held(&self, origin: &Origin) -> (u64, u64);
    /// Ticks when feeds change.
    fn changed(&self) -> watch::Receiver<u64>;
    /// Unix seconds.
    fn now(&self) -> u64;
    /// Evenly distributed.
    fn chance(&self) -> u64;
    /// A note kept over a restart.
    fn memo(&self, key: &str) -> Option<Vec<u8>>;
    /// Writes or removes such a note.
    fn set_memo(&self, key: &str, value: Option<&[u8]>);
    /// What this node says of itself, as a bundle: for those who do not know its newest keys and addresses.
    fn presents(&self) -> Option<Bytes> {
        None
    }
    /// Compares what a peer says it holds with what is held here.
    async fn compare(&self, carrier: &dyn Carrier, heads: &[HeadLine]) -> Result<(), Failure> {
        let _ = (carrier, heads);
        Ok(())
    }
    /// One round of one feed.
    async fn round(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
        wait: Option<Duration>,
        progress: &dyn Progress,
    ) -> Result<Round, Failure>;
}

/// What a round brought that ended well.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Whether there was something new.
    pub(crate) grew: bool,
    /// Why the approvals of a network did not arrive, in words, if they did not.
    pub(crate) no_approvals: Option<String>,
}

/// Why a round failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The peer asks to come back later.
    Busy { seconds: u64 },
    /// Anything else.
    Other { why: Why, words: String },
}

impl From<CarrierError> for Failure {
    fn from(error: CarrierError) -> Self {
        match error {
            CarrierError::Busy { seconds, .. } => Self::Busy { seconds },
            other => Self::Other { why: Why::from(&other), words: other.to_string() },
        }
    }
}

impl From<&SyncError> for Failure {
    fn from(error: &SyncError) -> Self {
        if let SyncError::Carrier(CarrierError::Busy { seconds, .. }) = error {
            return Self::Busy { seconds: *seconds };
        }
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let more = inner.to_string();
            // A transparent error repeats the words of its source.
            if !words.contains(&more) {
                words = format!("{words}: {more}");
            }
            cause = inner.source();
        }
        Self::Other { why: Why::from(error), words }
    }
}

#[async_trait]
impl Home for Arc<Feeds> {
    fn pins(&self) -> Vec<Pin> {
        let own = Feeds::node(self);
        let pins = Feeds::pins(self).into_iter();
        pins.filter(|pin| pin.following && pin.node != *own).collect()
    }

    fn said(&self, node: &NodeName) -> Option<(Vec<String>, Vec<FeedName>)> {
        // A feed that goes on elsewhere says so in a record that may stand in no log held yet.
        let record = self.newest_record(node)?;
        let feeds = self.feeds_of(node).into_iter().map(|origin| origin.feed().clone()).collect();
        Some((record.urls.clone(), feeds))
    }

    fn own_urls(&self, relays: &[NodeName]) -> Vec<String> {
        Feeds::own_urls(self, relays)
    }

    fn sent(&self, node: &NodeName) -> (Vec<Origin>, Option<u64>) {
        let held = self.origins().into_iter().filter(|origin| origin.node() == node);
        (held.collect(), self.last_push(node))
    }

    fn restricted(&self, node: &NodeName) -> Vec<FeedName> {
        let held = self.origins().into_iter().filter(|origin| origin.node() == node);
        held.map(|origin| origin.feed().clone()).filter(FeedName::is_restricted).collect()
    }

    fn signs(&self) -> Option<Arc<dyn Signs>> {
        Some(Arc::clone(self) as _)
    }

    fn held(&self, origin: &Origin) -> (u64, u64) {
        let count = |view: &feed::feeds::View| (view.size(), view.missing.len() as u64);
        self.view(origin).map_or((0, 0), |view| count(&view))
    }

    fn changed(&self) -> watch::Receiver<u64> {
        Feeds::changed(self)
    }

    fn now(&self) -> u64 {
        self.clock().now()
    }

    fn chance(&self) -> u64 {
        let mut bytes = [0; 8];
        self.random().fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    fn memo(&self, key: &str) -> Option<Vec<u8>> {
        // A memo may be lost: a catalog that fails says so elsewhere.
        self.catalog().memo(key).ok().flatten().map(|bytes| bytes.to_vec())
    }

    fn set_memo(&self, key: &str, value: Option<&[u8]>) {
        if let Err(error) = self.catalog().set_memo(key, value) {
            tracing::debug!("the schedule of a peer was not kept: {error}");
        }
    }

    fn presents(&self) -> Option<Bytes> {
        let origin = Origin::new(Feeds::node(self).clone(), FeedName::public());
        let bytes = self.well_known()?;
        let item = Item { kind: ItemKind::NodeRecord, origin, number: 0, bytes };
        Some(bundle::write(&[item]).into())
    }

    async fn compare(&self, carrier: &dyn Carrier, heads: &[HeadLine]) -> Result<(), Failure> {
        gossip::compare(self, carrier, heads).await.map_err(|error| Failure::from(&error))
    }

    async fn round(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
        wait: Option<Duration>,
        progress: &dyn Progress,
    ) -> Result<Round, Failure> {
        match self.sync_feed(carrier, origin, wait, progress).await {
            Ok(synced) => {
                self.exchange_receipts(carrier, origin).await;
                let grew = !matches!(synced.outcome, Outcome::Unchanged);
                let approvals = self.sync_anchors(carrier, origin, grew, wait.is_none()).await;
                let no_approvals = approvals.err().map(|error| error.to_string());
                Ok(Round { grew, no_approvals })
            }
            Err(error) => Err(Failure::from(&error)),
        }
    }
}
