//! Following: one bounded task for each feed of each node that a person decided to follow.
//!
//! A feed that is in step holds one request open at its node, so that news arrives within a second and
//! nobody needs to be reachable from outside. Everything else waits by its [`schedule`](crate::schedule).
//! Tasks share nothing but turns and the byte budget, so a peer that misbehaves delays itself alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use feed::feeds::{Feeds, Pin};
use tlog::name::{FeedName, NodeName, Origin};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use wire::api::{Peer, PeerFeed, PeerState};

use crate::carrier::HttpCarrier;
use crate::home::{FEEDS_OF_A_NODE, Home};
use crate::line::Line;
use crate::outbound::{Outbound, RefusedUrl};
use crate::scout::Scout;
use crate::settings::PeerSettings;
use crate::tally::Tally;
use crate::turns::Turns;

/// After a change of feeds, pins and node records are looked at again at most this often.
const CALM: Duration = Duration::from_millis(200);

/// How long [`Peers::stop`] waits for rounds to end.
const STOP: Duration = Duration::from_secs(10);

/// All feeds that are followed. Dropping it without [`stop`](Self::stop) ends the tasks at once.
pub struct Peers {
    home: Arc<dyn Home>,
    outbound: Arc<Outbound>,
    turns: Turns,
    interval_s: u64,
    /// The nodes that relay this one.
    relays: Vec<NodeName>,
    /// Whether anybody is reached at all.
    reaches: bool,
    running: Mutex<BTreeMap<Origin, Running>>,
    scouting: Mutex<BTreeMap<NodeName, Scouting>>,
    tally: Tally,
    /// Ticks when a node shows us other feeds than before.
    found: watch::Sender<u64>,
    stopping: watch::Sender<bool>,
}

/// A line with its task, and the URLs it was started with.
struct Running {
    line: Arc<Line>,
    carrier: Option<Arc<HttpCarrier>>,
    urls: Vec<String>,
    task: JoinHandle<()>,
}

/// A scout with its task, and the URLs it was started with.
struct Scouting {
    scout: Arc<Scout>,
    urls: Vec<String>,
    task: JoinHandle<()>,
}

impl Drop for Scouting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("following", &self.lock().len()).finish_non_exhaustive()
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        for running in self.lock().values() {
            running.task.abort();
        }
    }
}

impl Peers {
    /// Begins to follow whatever is pinned in `feeds`, now and later. Needs a tokio runtime.
    pub fn start(
        feeds: &Arc<Feeds>,
        outbound: Arc<Outbound>,
        settings: &PeerSettings,
    ) -> Arc<Self> {
        Self::start_in(Arc::new(Arc::clone(feeds)), outbound, settings)
    }

    pub(crate) fn start_in(
        home: Arc<dyn Home>,
        outbound: Arc<Outbound>,
        settings: &PeerSettings,
    ) -> Arc<Self> {
        let peers = Arc::new(Self {
            home,
            outbound,
            turns: Turns::new(settings.rounds),
            interval_s: settings.interval_s,
            relays: settings.relays.clone(),
            reaches: settings.rounds > 0,
            running: Mutex::default(),
            scouting: Mutex::default(),
            tally: Tally::default(),
            found: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
        });
        peers.reconcile();
        // The watcher holds no strong reference while it waits, so that dropping the last one ends it.
        tokio::spawn(watch_over(
            Arc::downgrade(&peers),
            [peers.home.changed(), peers.found.subscribe()],
            peers.stopping.subscribe(),
        ));
        peers
    }

    /// The way out that is used: for probes, and for a node record before it is pinned.
    pub fn outbound(&self) -> &Arc<Outbound> {
        &self.outbound
    }

    /// What was counted of the nodes that are followed.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many entries of its public feeds each node has and we do not, as it said within the last minute.
    pub fn lags(&self) -> BTreeMap<NodeName, u64> {
        let behind = |(origin, size): (Origin, u64)| size.saturating_sub(self.home.held(&origin).0);
        let scouting = self.scouting();
        let lags = scouting.iter().map(|(node, scouting)| {
            (node.clone(), scouting.scout.sizes().into_iter().map(behind).sum())
        });
        lags.collect()
    }

    /// To be called after a node was followed or unfollowed: takes effect at once.
    pub fn refresh(&self) {
        self.reconcile();
    }

    /// A valid contact of `node` arrived: what failed or slept is tried at once.
    pub fn contact(&self, node: &NodeName) {
        for line in self.lines_of(node) {
            if matches!(line.schedule().state(), PeerState::Failing | PeerState::Dormant) {
                line.request();
            }
        }
    }

    /// One round of all feeds of `node` now; its status after it, or after `patience`. `None` if the
    /// node is not followed.
    pub async fn sync_now(&self, node: &NodeName, patience: Duration) -> Option<Peer> {
        self.reconcile();
        let all = async {
            let known = self.lines_of(node);
            let scout = self.scouting().get(node).map(|scouting| Arc::clone(&scouting.scout));
            let scouted = async {
                if let Some(scout) = scout {
                    scout.ask().await;
                }
            };
            tokio::join!(finished(&known), scouted);
            self.reconcile();
            let new = self.lines_of(node).into_iter();
            let is_known = |line: &Arc<Line>| known.iter().any(|known| known.origin == line.origin);
            finished(&new.filter(|line| !is_known(line)).collect::<Vec<_>>()).await;
        };
        // Out of patience, the status says how far it has come.
        let _ = timeout(patience, all).await;
        self.status().into_iter().find(|peer| peer.node == *node)
    }

    /// How it goes with every node that is followed, by name.
    pub fn status(&self) -> Vec<Peer> {
        let mut pins = self.home.pins();
        pins.sort_by(|one, other| one.node.cmp(&other.node));
        pins.into_iter().map(|pin| self.peer(pin)).collect()
    }

    /// Ends all tasks in an orderly way, within ten seconds.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        self.scouting().clear();
        let all = std::mem::take(&mut *self.lock());
        for running in all.values() {
            running.line.halt();
        }
        for mut running in all.into_values() {
            if timeout(STOP, &mut running.task).await.is_err() {
                running.task.abort();
            }
        }
    }

    /// Makes the tasks agree with what is pinned and with what node records say.
    fn reconcile(&self) {
        if *self.stopping.borrow() {
            return;
        }
        let mut wanted = BTreeMap::new();
        let pins = self.home.pins();
        self.scout(&pins);
        for pin in pins {
            let (urls, feeds) = self.places(&pin);
            if urls.is_empty() && self.is_sent(&pin) {
                continue;
            }
            for feed in feeds {
                wanted.insert(Origin::new(pin.node.clone(), feed), urls.clone());
            }
        }
        let mut running = self.lock();
        running.retain(|origin, old| match wanted.get(origin) {
            Some(urls) => {
                *urls == old.urls || {
                    old.line.halt();
                    false
                }
            }
            None => {
                old.line.halt();
                old.line.forget();
                if !wanted.keys().any(|other| other.node() == origin.node()) {
                    self.tally.forget(origin.node());
                }
                false
            }
        });
        let mut carriers = BTreeMap::new();
        for (origin, urls) in wanted {
            if running.contains_key(&origin) {
                continue;
            }
            // The feeds of a node that are found together share a carrier.
            let carrier = carriers
                .entry(origin.node().clone())
                .or_insert_with(|| self.carrier(origin.node(), &urls).map(Arc::new))
                .clone();
            let line = self.spawn(&origin, urls, carrier.map_err(|error| error.to_string()));
            running.insert(origin, line);
        }
    }

    /// A carrier whose requests are ours, and whose bytes are counted.
    fn carrier(&self, node: &NodeName, urls: &[String]) -> Result<HttpCarrier, RefusedUrl> {
        let carrier = HttpCarrier::new(&self.outbound, urls)?.of_node(node);
        let carrier = carrier.signed_by(self.home.signs());
        Ok(carrier.counted_in(self.tally.bytes(node)))
    }

    /// Makes the scouts agree with what is pinned. Whoever signs nothing is shown nothing.
    fn scout(&self, pins: &[Pin]) {
        if !self.reaches || self.home.signs().is_none() {
            return;
        }
        let places: Vec<_> = pins.iter().map(|pin| (&pin.node, self.places(pin).0)).collect();
        let mut scouting = self.scouting();
        scouting.retain(|node, old| places.iter().any(|place| *place == (node, old.urls.clone())));
        for (node, urls) in places {
            if scouting.contains_key(node) {
                continue;
            }
            // The line of the node's public feed says what is wrong with its addresses.
            let Ok(carrier) = self.carrier(node, &urls) else { continue };
            let scout = Arc::new(Scout::new(node.clone(), self.relays.contains(node)));
            let (in_task, found) = (Arc::clone(&scout), self.found.clone());
            let home = Arc::clone(&self.home);
            let tell = move || found.send_modify(|tick| *tick = tick.wrapping_add(1));
            let task = tokio::spawn(async move { in_task.run(&carrier, &*home, tell).await });
            scouting.insert(node.clone(), Scouting { scout, urls, task });
        }
    }

    fn spawn(
        &self,
        origin: &Origin,
        urls: Vec<String>,
        carrier: Result<Arc<HttpCarrier>, String>,
    ) -> Running {
        let (home, turns) = (Arc::clone(&self.home), self.turns.clone());
        let line =
            Arc::new(Line::new(origin.clone(), home, turns, self.interval_s, self.tally.clone()));
        let in_task = (Arc::clone(&line), carrier.clone());
        let task = tokio::spawn(async move {
            match in_task {
                (line, Ok(carrier)) => line.run(&*carrier).await,
                (line, Err(reason)) => line.give_up(&reason).await,
            }
        });
        Running { line, carrier: carrier.ok(), urls, task }
    }

    /// Where a node may be found, and which of its feeds are followed: what was pinned, then what its
    /// newest record says.
    fn places(&self, pin: &Pin) -> (Vec<String>, Vec<FeedName>) {
        let (more_urls, more_feeds) = self.home.said(&pin.node).unwrap_or_default();
        let mut urls: Vec<String> = Vec::new();
        let ours = self.home.own_urls(&self.relays);
        for url in pin.urls.iter().chain(&more_urls) {
            // Whoever relays a node does not ask itself for it.
            let other = !urls.contains(url) && !ours.iter().any(|own| same_place(own, url));
            if other && urls.len() < wire::limits::URLS_OF_A_NODE {
                urls.push(url.clone());
            }
        }
        let mut feeds = vec![FeedName::public()];
        for feed in more_feeds {
            if !feed.is_restricted() && !feeds.contains(&feed) && feeds.len() < FEEDS_OF_A_NODE {
                feeds.push(feed);
            }
        }
        let shown = self.scouting().get(&pin.node).and_then(|scouting| scouting.scout.found());
        let shown = shown.map(|shown| shown.into_iter().collect());
        // Before it was asked, those are followed that it once showed.
        feeds.extend(shown.unwrap_or_else(|| self.home.restricted(&pin.node)));
        feeds.truncate(FEEDS_OF_A_NODE);
        (urls, feeds)
    }

    /// Whether a node sends its feeds here: it names no address, or ours, or has sent some.
    fn is_sent(&self, pin: &Pin) -> bool {
        let said = self.home.said(&pin.node).map(|(urls, _)| urls).unwrap_or_default();
        let ours = self.home.own_urls(&self.relays);
        let names_us = |url: &String| ours.iter().any(|own| same_place(own, url));
        let mut named = pin.urls.iter().chain(&said).peekable();
        let none = named.peek().is_none();
        none || named.any(names_us) || self.home.sent(&pin.node).1.is_some()
    }

    /// What is told of a node that sends its feeds here.
    fn sender(&self, pin: Pin) -> Peer {
        let (origins, last_success) = self.home.sent(&pin.node);
        let (state, reason) = match last_success {
            Some(_) => (PeerState::Healthy, "it sends its feeds here: it cannot be reached itself"),
            None => (PeerState::New, "it names no address, and has not sent anything yet"),
        };
        let reason = reason.to_owned();
        let feeds = origins.into_iter().map(|origin| {
            let (size, missing) = self.home.held(&origin);
            let (reason, progress) = (reason.clone(), None);
            PeerFeed { origin, size, missing, state, reason, progress, last_success }
        });
        Peer {
            root: pin.root.to_did(),
            urls: Vec::new(),
            node: pin.node,
            state,
            feeds: feeds.collect(),
            reason,
            last_success,
            next_attempt: None,
            failures: 0,
            clock_delta: None,
            receipt: None,
        }
    }

    fn peer(&self, pin: Pin) -> Peer {
        if self.places(&pin).0.is_empty() && self.is_sent(&pin) {
            return self.sender(pin);
        }
        let running = self.lock();
        let own = running.iter().filter(|(origin, _)| *origin.node() == pin.node);
        let lines: Vec<_> = own.map(|(_, running)| running).collect();
        let schedules: Vec<_> = lines.iter().map(|running| running.line.schedule()).collect();
        let worst = schedules.iter().max_by_key(|schedule| (schedule.state(), schedule.failures()));
        let server_time = lines.iter().find_map(|running| running.carrier.as_ref()?.server_time());
        let now = i64::try_from(self.home.now()).unwrap_or(i64::MAX);
        let ahead = |time: u64| Some(i64::try_from(time).ok()?.saturating_sub(now));
        Peer {
            root: pin.root.to_did(),
            urls: self.places(&pin).0,
            node: pin.node,
            state: worst.map_or(PeerState::New, crate::schedule::Schedule::state),
            reason: worst
                .map_or_else(|| "not tried yet".to_owned(), |worst| worst.reason().to_owned()),
            last_success: schedules.iter().filter_map(|schedule| schedule.last_success()).max(),
            next_attempt: schedules.iter().map(|schedule| schedule.next_attempt()).min(),
            failures: worst.map_or(0, crate::schedule::Schedule::failures),
            clock_delta: server_time.and_then(ahead),
            feeds: lines.iter().map(|running| running.line.status()).collect(),
            receipt: None,
        }
    }

    fn lines_of(&self, node: &NodeName) -> Vec<Arc<Line>> {
        let running = self.lock();
        let own = running.iter().filter(|(origin, _)| origin.node() == node);
        own.map(|(_, running)| Arc::clone(&running.line)).collect()
    }

    fn scouting(&self) -> MutexGuard<'_, BTreeMap<NodeName, Scouting>> {
        self.scouting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Origin, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether two base URLs are one.
fn same_place(one: &str, other: &str) -> bool {
    wire::signature::target_uri(one, "") == wire::signature::target_uri(other, "")
}

/// Has a round of each line, and waits for all.
async fn finished(lines: &[Arc<Line>]) {
    let requests: Vec<_> = lines.iter().map(|line| (line.request(), line)).collect();
    for (request, line) in requests {
        line.finished(request).await;
    }
}

/// Looks again whenever feeds change: a new node record may name other URLs or feeds.
async fn watch_over(
    peers: std::sync::Weak<Peers>,
    [mut changed, mut found]: [watch::Receiver<u64>; 2],
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            more = changed.changed() => if more.is_err() { return },
            more = found.changed() => if more.is_err() { return },
        }
        sleep(CALM).await;
        match peers.upgrade() {
            Some(peers) => peers.reconcile(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests;
