//! Relays: a node that nobody can reach sends its own feeds to a node that follows it, and reads there what
//! others left for it. Everything goes out from here; nothing has to come in.
//!
//! A relay is a mirror that is told instead of asking. It may delay; whatever else it did would be found by
//! its followers as with any mirror. One task for each relay; what one of them does changes nothing for the
//! others.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use feed::bundle;
use feed::feeds::Feeds;
use feed::ports::{Carrier, CarrierError};
use tlog::name::{NodeName, Origin};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};
use wire::api::bundles::BundleAnswer;

use crate::carrier::HttpCarrier;
use crate::home::{Failure, Home};
use crate::outbound::Outbound;
use crate::schedule::{Event, Schedule};
use crate::settings::PeerSettings;
use crate::signing::Signs;
use crate::tally::Why;
use crate::words::Told;

/// Publications within this time are sent together.
const CALM: Duration = Duration::from_millis(200);

/// How long [`Relays::stop`] waits for a request under way.
const STOP: Duration = Duration::from_secs(5);

/// After news was sent, receipts are looked for after this time, and then ever more rarely.
const RECEIPTS_FIRST: Duration = Duration::from_secs(2);

/// Bytes of segments in the first bundle: eight seconds of a line of 256 kbit/s.
const PIECE_FIRST: usize = 256 << 10;
/// At most so many: with a head of the greatest length it is still a bundle that is taken.
const PIECE_MAX: usize = 6 << 20;
/// What left within this time may be twice as long the next time.
const PIECE_QUICK: Duration = Duration::from_secs(4);
/// What took longer is halved.
const PIECE_SLOW: Duration = Duration::from_secs(30);

/// How it goes with a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayStatus {
    /// The relay.
    pub node: NodeName,
    /// Why it does not work, in words; `None` if it does.
    pub trouble: Option<String>,
    /// When it was last seen to hold all that it is to hold, in Unix seconds.
    pub last_success: Option<u64>,
    /// Entries that it holds of each feed that is sent to it.
    pub holds: BTreeMap<Origin, u64>,
}

/// One task for each relay. Dropping it without [`stop`](Self::stop) ends them at once.
pub struct Relays {
    tasks: Mutex<Vec<JoinHandle<()>>>,
    states: watch::Sender<Vec<RelayStatus>>,
    stopping: watch::Sender<bool>,
}

impl fmt::Debug for Relays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relays").field("states", &self.states.borrow()).finish_non_exhaustive()
    }
}

impl Drop for Relays {
    fn drop(&mut self) {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Relays {
    /// Begins to send to the relays of these settings. Needs a tokio runtime.
    pub fn start(feeds: &Arc<Feeds>, outbound: &Arc<Outbound>, settings: &PeerSettings) -> Self {
        let stopping = watch::Sender::new(false);
        let mut tasks = Vec::new();
        let states = watch::Sender::new(Vec::new());
        for (place, node) in settings.relays.iter().enumerate() {
            let state = RelayStatus {
                node: node.clone(),
                trouble: Some("not tried yet".to_owned()),
                last_success: None,
                holds: BTreeMap::new(),
            };
            states.send_modify(|states| states.push(state));
            let relay = Relay {
                feeds: Arc::clone(feeds),
                outbound: Arc::clone(outbound),
                node: node.clone(),
                interval: Duration::from_secs(settings.interval_s.max(1)),
                began: Instant::now(),
                schedule: Schedule::new(0),
                holds_back: false,
                way: None,
                sent: BTreeMap::new(),
                went_on: false,
                piece: PIECE_FIRST,
                receipts_in: RECEIPTS_FIRST,
                receipts_at: Instant::now(),
                no_receipts: Told::default(),
                place,
                states: states.clone(),
            };
            tasks.push(tokio::spawn(relay.run(stopping.subscribe())));
        }
        Self { tasks: Mutex::new(tasks), states, stopping }
    }

    /// How it goes with each.
    pub fn status(&self) -> Vec<RelayStatus> {
        self.states.borrow().clone()
    }

    /// Tells whenever something changes.
    pub fn watch(&self) -> watch::Receiver<Vec<RelayStatus>> {
        self.states.subscribe()
    }

    /// Ends all tasks in an orderly way.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for mut task in tasks {
            if timeout(STOP, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// One relay, and what it has of ours.
struct Relay {
    feeds: Arc<Feeds>,
    outbound: Arc<Outbound>,
    node: NodeName,
    interval: Duration,
    began: Instant,
    schedule: Schedule,
    /// Whether the last round failed, or was asked to come again later.
    holds_back: bool,
    /// The way there, for the addresses that were last known.
    way: Option<(Vec<String>, Arc<HttpCarrier>)>,
    sent: BTreeMap<Origin, Sent>,
    /// Whether the round brought something there that need not be sent again.
    went_on: bool,
    /// Bytes of segments to send at a time.
    piece: usize,
    receipts_in: Duration,
    receipts_at: Instant,
    /// Why the receipts do not come.
    no_receipts: Told,
    /// Where its status stands.
    place: usize,
    states: watch::Sender<Vec<RelayStatus>>,
}

/// What a relay has of a feed.
#[derive(Clone, Copy)]
struct Sent {
    /// Entries that it holds.
    held: u64,
    /// The segments before this one are there, held or kept until the rest has come.
    stored: u64,
    /// Whether it must be asked what it holds: a line broke, and perhaps after all had arrived.
    unsure: bool,
}

impl Relay {
    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut changed = self.feeds.changed();
        loop {
            changed.borrow_and_update();
            let rest = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                rest = self.look() => rest,
            };
            let calm = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                more = changed.changed() => more.is_ok().then_some(CALM),
                () = sleep(rest) => Some(Duration::ZERO),
            };
            match calm {
                Some(calm) => sleep(calm).await,
                None => return,
            }
        }
    }

    /// Sends what is due; how long to rest.
    async fn look(&mut self) -> Duration {
        if !self.feeds.pin(&self.node).is_some_and(|pin| pin.following) {
            let words = "it is not followed here: `jopoi follow URL` pins its root key";
            self.tell(Some(words.to_owned()));
            return self.interval;
        }
        let due_in = self.schedule.due_in(self.now());
        if self.holds_back && due_in > 0 {
            return Duration::from_secs(due_in);
        }
        self.went_on = false;
        let outcome = self.round().await;
        self.holds_back = outcome.is_err();
        let rest = match &outcome {
            Ok(()) => {
                let receipts = self.receipts_at.saturating_duration_since(Instant::now());
                receipts.max(CALM).min(self.interval)
            }
            Err(_) => {
                self.sent.values_mut().for_each(|sent| sent.unsure = true);
                Duration::ZERO
            }
        };
        let after_failure = self.enter(outcome);
        rest.max(after_failure)
    }

    /// Enters a round into the schedule, and says what changed; how long to rest after a failure.
    fn enter(&mut self, outcome: Result<(), Failure>) -> Duration {
        let (now, node) = (self.now(), &self.node);
        let mut rest = Duration::ZERO;
        match &outcome {
            Ok(()) => {
                let every = self.interval.as_secs();
                if let Some(Event::Healthy { .. }) = self.schedule.succeeded(now, every) {
                    info!(event = "relay.in-step", peer.node = %node, "the relay {node} holds our feeds");
                }
            }
            Err(Failure::Busy { seconds }) => {
                let _ = self.schedule.asked_to_wait(now, *seconds);
                rest = Duration::from_secs(self.schedule.due_in(now));
            }
            Err(Failure::Other { words: reason, .. }) => {
                let mut chance = [0; 8];
                self.feeds.random().fill(&mut chance);
                let chance = u64::from_be_bytes(chance);
                let event = match self.went_on {
                    true => self.schedule.interrupted(now, reason, chance),
                    false => self.schedule.failed(now, reason, chance),
                };
                if matches!(event, Event::Failing { .. } | Event::Dormant { .. }) {
                    warn!(event = "relay.failing", peer.node = %node, "the relay {node} does not have all of our feeds: {reason}");
                }
                rest = Duration::from_secs(self.schedule.due_in(now));
            }
        }
        self.tell(outcome.err().map(|failure| match failure {
            Failure::Busy { seconds } => format!("it asks to wait {seconds} s"),
            Failure::Other { words, .. } => words,
        }));
        rest
    }

    fn tell(&self, trouble: Option<String>) {
        let now = self.feeds.clock().now();
        let holds = self.sent.iter().map(|(origin, sent)| (origin.clone(), sent.held)).collect();
        self.states.send_modify(|states| {
            if let Some(state) = states.get_mut(self.place) {
                state.last_success = if trouble.is_none() { Some(now) } else { state.last_success };
                state.trouble = trouble;
                state.holds = holds;
            }
        });
    }

    /// Seconds of this task: what the machine's clock does is no reason to be silent.
    fn now(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    /// Sends what it lacks of each feed that it may read, and takes what it has for us.
    async fn round(&mut self) -> Result<(), Failure> {
        let carrier = self.way()?;
        let due = self.receipts_at <= Instant::now();
        if due {
            self.take_receipts(&carrier).await?;
        }
        let mut sent = false;
        for origin in self.feeds.own() {
            let Some(view) = self.feeds.view(&origin) else { continue };
            if origin.feed().is_restricted() && !self.feeds.may_read(&view, &self.node) {
                continue;
            }
            sent |= self.send(&carrier, &origin).await?;
        }
        if sent {
            self.receipts_in = RECEIPTS_FIRST;
            self.receipts_at = Instant::now() + self.receipts_in;
        } else if due {
            self.receipts_in = (self.receipts_in * 3).min(self.interval);
            self.receipts_at = Instant::now() + self.receipts_in;
        }
        Ok(())
    }

    fn way(&mut self) -> Result<Arc<HttpCarrier>, Failure> {
        let urls = self.feeds.urls_of(&self.node);
        if let Some((of, way)) = &self.way
            && *of == urls
        {
            return Ok(Arc::clone(way));
        }
        let signs: Arc<dyn Signs> = Arc::clone(&self.feeds) as _;
        let way =
            HttpCarrier::new(&self.outbound, &urls).map_err(|error| words(error.to_string()))?;
        let way = Arc::new(way.of_node(&self.node).signed_by(Some(signs)));
        self.way = Some((urls, Arc::clone(&way)));
        Ok(way)
    }

    /// Sends what the relay lacks of a feed; whether that was something.
    async fn send(&mut self, carrier: &HttpCarrier, origin: &Origin) -> Result<bool, Failure> {
        let Sent { mut held, mut stored, .. } = self.known(carrier, origin).await?;
        let mut sent = false;
        loop {
            self.sent.insert(origin.clone(), Sent { held, stored, unsure: false });
            let news = self.feeds.pack_news(origin, held, stored, self.piece).await;
            let news = news.map_err(|error| words(error.to_string()))?;
            if news.items.is_empty() {
                return Ok(sent);
            }
            let bytes = Bytes::from(bundle::write(&news.items));
            if bytes.len() > wire::limits::BUNDLE_PUSH_BYTES {
                return Err(words(format!(
                    "a part of {origin} has {} bytes, more than a relay takes: carry it as a file \
                     (`jopoi bundle export`)",
                    bytes.len()
                )));
            }
            let (length, begun) = (bytes.len(), Instant::now());
            let answer = match self.push(carrier, bytes).await {
                Ok(answer) => answer,
                Err(failure) => {
                    if matches!(failure, Failure::Other { .. }) {
                        // A shorter one may get through before the line breaks again.
                        self.piece = (self.piece / 2).max(1);
                    }
                    return Err(failure);
                }
            };
            self.pace(length, begun.elapsed());
            let outcome = answer.outcomes.into_iter().find(|outcome| outcome.origin == *origin);
            let outcome = outcome.ok_or_else(|| words("it said nothing to what it was sent"))?;
            match (outcome.size, news.next) {
                (Some(now), _) if now > held => (held, stored) = (now, 0),
                (_, Some(next)) if outcome.wanting && next > stored => stored = next,
                _ => {
                    // Perhaps it kept nothing of it: then all is to be sent again, but not at once.
                    self.sent.insert(origin.clone(), Sent { held, stored: 0, unsure: true });
                    self.went_on = false;
                    return Err(words(format!("it did not take {origin}: {}", outcome.words)));
                }
            }
            debug!(feed.origin = %origin, peer.node = %self.node, bytes = length,
                   "sent `{origin}` up to {held} entries to {}", self.node);
            (sent, self.went_on) = (true, true);
        }
    }

    /// What it has of a feed. If it is to be asked, and holds what it held before, it still keeps what it kept.
    async fn known(&mut self, carrier: &HttpCarrier, origin: &Origin) -> Result<Sent, Failure> {
        let before = self.sent.get(origin).copied();
        if let Some(sent) = before.filter(|sent| !sent.unsure) {
            return Ok(sent);
        }
        let held = self.held(carrier, origin).await?;
        let stored = before.filter(|sent| sent.held == held).map_or(0, |sent| sent.stored);
        let sent = Sent { held, stored, unsure: false };
        self.sent.insert(origin.clone(), sent);
        Ok(sent)
    }

    /// Hands a bundle over. Whoever does not know our key is shown our newest node record first: it names the
    /// keys of today, and the root signed it.
    async fn push(&self, carrier: &HttpCarrier, bundle: Bytes) -> Result<BundleAnswer, Failure> {
        if let Some(answer) = carrier.push(bundle.clone()).await? {
            return Ok(answer);
        }
        let presented = Home::presents(&self.feeds);
        carrier.push(presented.ok_or_else(|| words("this node has no node record yet"))?).await?;
        let answer = carrier.push(bundle).await?;
        answer.ok_or_else(|| {
            words(
                "it does not follow this node: its operator does so with a bundle of yours (`jopoi follow FILE`)",
            )
        })
    }

    /// What the relay holds of a feed of ours; that it does not hold more than we do is weighed too.
    async fn held(&self, carrier: &HttpCarrier, origin: &Origin) -> Result<u64, Failure> {
        let note = match carrier.checkpoint(origin).await {
            Ok(note) => note,
            Err(CarrierError::NotFound { .. }) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        if self.feeds.weigh_own(origin, &note, self.node.as_str()).await {
            return Err(words(format!(
                "it holds more of {origin} than is here, or something else"
            )));
        }
        let note =
            feed::verify::read_note(origin, &note).map_err(|error| words(error.to_string()))?;
        Ok(note.checkpoint.size)
    }

    /// Takes the receipts that others left there, and looks whether it still holds what it was sent. Without
    /// receipts, what is to be sent is sent all the same.
    async fn take_receipts(&mut self, carrier: &HttpCarrier) -> Result<(), Failure> {
        let sent: Vec<Origin> = self.sent.keys().cloned().collect();
        let mut trouble = None;
        for origin in sent {
            match carrier.cosignatures(&origin).await {
                Ok(lines) => {
                    let new = self.feeds.merge_cosignatures(&origin, &lines, Some(carrier)).await;
                    debug!(feed.origin = %origin, "{new} new cosignatures of `{origin}`");
                }
                Err(CarrierError::NotFound { .. }) => {}
                Err(error @ CarrierError::Busy { .. }) => return Err(error.into()),
                Err(error) => trouble = Some(error.to_string()),
            }
            if let Some(sent) = self.sent.get_mut(&origin) {
                sent.unsure = true;
            }
            self.known(carrier, &origin).await?;
        }
        let node = &self.node;
        match trouble {
            None => self.no_receipts.over(),
            Some(words) if self.no_receipts.is_news(&words) => {
                warn!(event = "relay.no-receipts", peer.node = %node, "the receipts at the relay {node} did not come: {words}");
            }
            Some(words) => {
                debug!(peer.node = %node, "the receipts at the relay {node} did not come: {words}");
            }
        }
        Ok(())
    }

    fn pace(&mut self, length: usize, took: Duration) {
        if took > PIECE_SLOW {
            self.piece = (self.piece / 2).max(1);
        } else if took < PIECE_QUICK && length >= self.piece {
            self.piece = (self.piece * 2).min(PIECE_MAX);
        }
    }
}

fn words(reason: impl Into<String>) -> Failure {
    Failure::Other { why: Why::Here, words: reason.into() }
}
