//! Finding the restricted feeds of a node that is followed: its signed `GET /heads` names what we may read.
//!
//! A node record names only what everybody may know of. So each followed node is asked, once a minute,
//! which of its feeds it shows to us; a list that has not changed costs a line. It is shown our own node
//! record whenever that is another one, so that a node which moved is found: those who look for it at its
//! old address learn the new one from itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use feed::ports::CarrierError;
use tlog::name::{FeedName, NodeName, Origin};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};
use wire::heads::HeadLine;

use crate::carrier::HttpCarrier;
use crate::gossip::REMEMBERED_MAX;
use crate::home::{FEEDS_OF_A_NODE, Failure, Home};
use crate::words::Told;

/// How long a new feed may stay unknown. Its records then arrive like those of any other.
const EVERY: Duration = Duration::from_secs(60);
/// A node that cannot be asked, and does not say when, is asked again after this, for it may just be starting, ...
const AGAIN: Duration = Duration::from_secs(5);
/// ... and then after a wait that doubles up to this.
const EVERY_MAX: Duration = Duration::from_secs(3_600);

/// What one node shows to us.
pub(crate) struct Scout {
    node: NodeName,
    /// Relays are shown our node record when they need it, with what is sent to them.
    is_relay: bool,
    found: Mutex<Option<BTreeSet<FeedName>>>,
    /// How many entries it says its public feeds have.
    sizes: Mutex<BTreeMap<Origin, u64>>,
    asked: watch::Sender<u64>,
    answered: watch::Sender<u64>,
}

/// What it showed and was shown so far.
#[derive(Default)]
struct Seen {
    /// The list, with the tag of the answer it was.
    heads: Vec<HeadLine>,
    tag: Option<String>,
    /// Why that could not be compared.
    compared: Told,
    /// Our node record, and when it may be shown to a node that asked to wait.
    shown: Option<Bytes>,
    show_at: Option<Instant>,
}

impl Scout {
    pub(crate) fn new(node: NodeName, is_relay: bool) -> Self {
        let (asked, answered) = (watch::Sender::new(0), watch::Sender::new(0));
        Self { node, is_relay, found: Mutex::default(), sizes: Mutex::default(), asked, answered }
    }

    /// The restricted feeds it showed when it was last asked; `None` before it ever answered.
    pub(crate) fn found(&self) -> Option<BTreeSet<FeedName>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many entries its public feeds had when it was last asked, as it says.
    pub(crate) fn sizes(&self) -> BTreeMap<Origin, u64> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has it asked now; returns when it has answered or failed.
    pub(crate) async fn ask(&self) {
        self.asked.send_modify(|number| *number += 1);
        let wanted = *self.asked.borrow();
        // The sender lives as long as self: there is no other end to this wait.
        let _ = self.answered.subscribe().wait_for(|answered| *answered >= wanted).await;
    }

    /// Asks for ever; `tell` is called whenever the feeds are others than before.
    /// What it holds of others is compared with what `home` holds.
    pub(crate) async fn run(&self, carrier: &HttpCarrier, home: &dyn Home, tell: impl Fn()) {
        let mut seen = Seen::default();
        let mut asked = self.asked.subscribe();
        let (mut told, mut failing) = (Told::default(), None);
        let node = &self.node;
        loop {
            let ticket = *asked.borrow_and_update();
            let wait = match self.look(carrier, home, &tell, &mut seen).await {
                Ok(()) => {
                    told.over();
                    failing = None;
                    EVERY
                }
                Err(failure) => {
                    match &failure {
                        Failure::Other { words, .. } if told.is_news(words) => {
                            info!(event = "peer.heads-unknown", peer.node = %node, "which feeds {node} shows us: {words}");
                        }
                        Failure::Other { words, .. } => {
                            debug!(peer.node = %node, "which feeds {node} shows us: {words}");
                        }
                        Failure::Busy { seconds } => {
                            debug!(peer.node = %node, wait_s = seconds, "{node} asks to wait {seconds} s");
                        }
                    }
                    wait_after(&failure, &mut failing)
                }
            };
            self.answered.send_replace(ticket);
            tokio::select! {
                _ = asked.changed() => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Asks once which feeds it shows.
    async fn look(
        &self,
        carrier: &HttpCarrier,
        home: &dyn Home,
        tell: impl Fn(),
        seen: &mut Seen,
    ) -> Result<(), Failure> {
        // Without an answer it is the same list, and perhaps not the same copies here.
        if let Some((heads, tag)) = carrier.heads(seen.tag.as_deref()).await? {
            let of_node = heads.iter().filter(|head| *head.origin.node() == self.node);
            let public = of_node.clone().filter(|head| !head.origin.feed().is_restricted());
            let sizes = public.take(FEEDS_OF_A_NODE);
            let sizes = sizes.map(|head| (head.origin.clone(), head.size)).collect();
            *self.sizes.lock().unwrap_or_else(PoisonError::into_inner) = sizes;
            let feeds = of_node.map(|head| head.origin.feed().clone());
            let restricted = feeds.filter(FeedName::is_restricted).take(FEEDS_OF_A_NODE);
            if self.note(restricted.collect()) {
                tell();
            }
            (seen.heads, seen.tag) = (heads, tag);
        }
        let compared = home.compare(carrier, &seen.heads).await;
        if seen.heads.len() > REMEMBERED_MAX {
            seen.heads.clear();
        }
        match compared {
            Ok(()) => seen.compared.over(),
            Err(busy @ Failure::Busy { .. }) => return Err(busy),
            Err(Failure::Other { words, .. }) => {
                let node = &self.node;
                if seen.compared.is_news(&words) {
                    warn!(event = "gossip.failed", peer.node = %node, "what {node} holds could not be compared: {words}");
                } else {
                    debug!(peer.node = %node, "what {node} holds could not be compared: {words}");
                }
            }
        }
        self.show_ourselves(carrier, home, seen).await;
        Ok(())
    }

    /// Shows the node our newest node record, once: what it says of us is our root's word.
    async fn show_ourselves(&self, carrier: &HttpCarrier, home: &dyn Home, seen: &mut Seen) {
        let Some(bundle) = home.presents().filter(|_| !self.is_relay) else { return };
        let waits = seen.show_at.is_some_and(|time| Instant::now() < time);
        if waits || seen.shown.as_ref() == Some(&bundle) {
            return;
        }
        match carrier.push(bundle.clone()).await {
            Ok(_) => seen.shown = Some(bundle),
            Err(error) => {
                if let CarrierError::Busy { seconds, .. } = error {
                    seen.show_at = Some(Instant::now() + Duration::from_secs(seconds));
                }
                debug!(peer.node = %self.node, "{} was not shown our node record: {error}", self.node);
            }
        }
    }

    fn note(&self, feeds: BTreeSet<FeedName>) -> bool {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = found.as_ref() != Some(&feeds);
        *found = Some(feeds);
        changed
    }
}

/// How long to wait after this failure: as long as the node asks, or longer each time it fails.
fn wait_after(failure: &Failure, failing: &mut Option<Duration>) -> Duration {
    match failure {
        Failure::Busy { seconds } => Duration::from_secs(*seconds),
        Failure::Other { .. } => {
            let wait = failing.map_or(AGAIN, |wait| (wait * 2).min(EVERY_MAX));
            *failing.insert(wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Why;

    #[test]
    fn a_node_that_asks_to_wait_is_obeyed_and_one_that_fails_is_left_more_and_more_alone() {
        let seconds = |seconds| Duration::from_secs(seconds);
        let failed = Failure::Other { why: Why::Unreachable, words: "refused".to_owned() };
        let mut failing = None;
        assert_eq!(wait_after(&failed, &mut failing), AGAIN);
        assert_eq!(wait_after(&Failure::Busy { seconds: 7_200 }, &mut failing), seconds(7_200));
        for wait in [10, 20, 40] {
            assert_eq!(wait_after(&failed, &mut failing), seconds(wait));
        }
        failing = Some(EVERY_MAX);
        assert_eq!(wait_after(&failed, &mut failing), EVERY_MAX);
        assert_eq!(wait_after(&Failure::Busy { seconds: 1 }, &mut failing), seconds(1));
    }
}
