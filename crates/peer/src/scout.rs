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
use tlog::name::{FeedName, NodeName, Origin};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, info};
use wire::heads::HeadLine;

use crate::carrier::HttpCarrier;
use crate::gossip::REMEMBERED_MAX;
use crate::home::{FEEDS_OF_A_NODE, Home};

/// How long a new feed may stay unknown. Its records then arrive like those of any other.
const EVERY: Duration = Duration::from_secs(60);
/// A node that cannot be asked is asked again after this, for it may just be starting, ...
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
        let mut last: Vec<HeadLine> = Vec::new();
        let mut asked = self.asked.subscribe();
        let mut known = None;
        let mut shown = None;
        // Each trouble is told once.
        let mut told = false;
        let mut failing = None;
        loop {
            let ticket = *asked.borrow_and_update();
            match carrier.heads(known.as_deref()).await {
                Ok(Some((heads, tag))) => {
                    home.compare(carrier, &heads).await;
                    let of_node = heads.iter().filter(|head| *head.origin.node() == self.node);
                    let public = of_node.clone().filter(|head| !head.origin.feed().is_restricted());
                    let sizes = public.take(FEEDS_OF_A_NODE);
                    let sizes = sizes.map(|head| (head.origin.clone(), head.size)).collect();
                    *self.sizes.lock().unwrap_or_else(PoisonError::into_inner) = sizes;
                    let feeds = of_node.map(|head| head.origin.feed().clone());
                    let restricted = feeds.filter(FeedName::is_restricted).take(FEEDS_OF_A_NODE);
                    let restricted = restricted.collect();
                    known = tag;
                    last = heads;
                    if last.len() > REMEMBERED_MAX {
                        last.clear();
                    }
                    if self.note(restricted) {
                        tell();
                    }
                    failing = None;
                }
                Ok(None) => {
                    // The same list, and perhaps not the same copies here.
                    home.compare(carrier, &last).await;
                    failing = None;
                }
                Err(error) => {
                    let node = &self.node;
                    match std::mem::replace(&mut told, true) {
                        false => {
                            info!(event = "peer.heads-unknown", peer.node = %node, "which feeds {node} shows us: {error}");
                        }
                        true => debug!(peer.node = %node, "which feeds {node} shows us: {error}"),
                    }
                    failing =
                        Some(failing.map_or(AGAIN, |wait: Duration| (wait * 2).min(EVERY_MAX)));
                }
            }
            if failing.is_none() {
                self.show_ourselves(carrier, home, &mut shown).await;
            }
            told &= failing.is_some();
            let wait = failing.unwrap_or(EVERY);
            self.answered.send_replace(ticket);
            tokio::select! {
                _ = asked.changed() => {}
                () = sleep(wait) => {}
            }
        }
    }

    /// Shows the node our newest node record, once: what it says of us is our root's word.
    async fn show_ourselves(
        &self,
        carrier: &HttpCarrier,
        home: &dyn Home,
        shown: &mut Option<Bytes>,
    ) {
        let Some(bundle) = home.presents().filter(|_| !self.is_relay) else { return };
        if shown.as_ref() == Some(&bundle) {
            return;
        }
        match carrier.push(bundle.clone()).await {
            Ok(_) => *shown = Some(bundle),
            Err(error) => {
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
