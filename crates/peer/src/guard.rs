//! Where others are found who may know what we signed last: for the rollback guard, before we sign.

use std::sync::{Arc, Weak};
use std::time::Duration;

use feed::feeds::{Feeds, GuardState, Others};
use feed::ports::Carrier;
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::name::NodeName;
use tokio::time::sleep;

use crate::carrier::HttpCarrier;
use crate::outbound::Outbound;
use crate::signing::Signs;

/// What is undecided is asked again after this time.
const AGAIN: Duration = Duration::from_secs(60);

/// The way to other nodes by the addresses that are known of them here.
pub struct Neighbours {
    /// The feeds hold this: without a way back they could never end.
    feeds: Weak<Feeds>,
    outbound: Arc<Outbound>,
}

impl Neighbours {
    /// Lets the guard of `feeds` ask over `outbound`.
    pub fn introduce(feeds: &Arc<Feeds>, outbound: &Arc<Outbound>) {
        let others = Self { feeds: Arc::downgrade(feeds), outbound: Arc::clone(outbound) };
        feeds.set_others(Arc::new(others));
    }
}

impl Others for Neighbours {
    fn carrier(&self, node: &NodeName) -> Option<Arc<dyn Carrier>> {
        let feeds = self.feeds.upgrade()?;
        let mut urls = feeds.pin(node).map(|pin| pin.urls).unwrap_or_default();
        let record = feeds.node_record(node).and_then(|bytes| Body::open(bytes).ok());
        if let Some(Ok(record)) = record.map(|body| NodeRecord::from_body(&body)) {
            for url in &record.urls {
                if !urls.contains(url) {
                    urls.push(url.clone());
                }
            }
        }
        let carrier = HttpCarrier::new(&self.outbound, &urls).ok()?;
        let signs = Arc::clone(&feeds) as Arc<dyn Signs>;
        Some(Arc::new(carrier.of_node(node).signed_by(Some(signs))))
    }
}

/// Asks at once, and again every minute while something is undecided that must be. Ends when nothing
/// is.
pub async fn keep_asking(feeds: Arc<Feeds>) {
    loop {
        feeds.decide_guards().await;
        let undecided = |(_, state): &(_, GuardState)| matches!(state, GuardState::Asking { .. });
        if !feeds.guards().iter().any(undecided) {
            return;
        }
        sleep(AGAIN).await;
    }
}
