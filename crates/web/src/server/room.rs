//! Who makes room when every place is taken: of the connections without a request under way, the one
//! that has been quiet longest; if there is none, the one whose answer has been under way longest. So a
//! stranger who opens connections and says nothing, or takes his answers as slowly as he may, takes places
//! from himself, and not from readers. Whoever waits for news has no answer yet, and stays; so does a node
//! that signed its request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::answers::Answers;

/// A connection is not asked to leave before it had this long to say what it wants: satellite lines
/// need most of a second.
const GRACE: Duration = Duration::from_secs(2);

/// How often it is looked for somebody who may leave.
const LOOK: Duration = Duration::from_millis(100);

/// All open connections, by number.
#[derive(Debug)]
pub(super) struct Room {
    /// An answer under way for less is left alone.
    slow: Duration,
    next: AtomicU64,
    open: Mutex<BTreeMap<u64, Arc<Usage>>>,
}

/// What a connection was used for.
#[derive(Debug)]
pub(super) struct Usage {
    pub(super) begun: AtomicU64,
    ended: AtomicU64,
    quiet_since: Mutex<Instant>,
    leave: Notify,
    pub(super) answers: Arc<Answers>,
}

/// Counts a request as ended once its answer was taken, or its client went away.
pub(super) struct Ending(pub(super) Arc<Usage>);

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) room: Arc<Room>,
    number: u64,
    pub(super) usage: Arc<Usage>,
    _slot: OwnedSemaphorePermit,
}

impl Room {
    /// Nobody is in it; answers under way for `slow` make room.
    pub(super) fn new(slow: Duration) -> Self {
        Self { slow, next: AtomicU64::new(0), open: Mutex::default() }
    }

    /// A slot for the next connection; somebody quiet or slow leaves if there is none.
    pub(super) async fn slot(&self, slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
                return Some(slot);
            }
            self.let_one_go();
            if let Ok(slot) = timeout(LOOK, Arc::clone(slots).acquire_owned()).await {
                return slot.ok();
            }
        }
    }

    /// Takes a place.
    pub(super) fn enter(self: &Arc<Self>, slot: OwnedSemaphorePermit) -> Place {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let usage = Arc::new(Usage::new());
        self.open().insert(number, Arc::clone(&usage));
        Place { room: Arc::clone(self), number, usage, _slot: slot }
    }

    /// Lets the connection go whose answer has been under way longest, if that is long; false if there is none.
    pub(super) fn let_a_slow_one_go(&self) -> bool {
        self.let_go(self.slow, |usage| usage.answers.oldest())
    }

    fn let_one_go(&self) {
        let quiet_since = |usage: &Usage| (!usage.under_way()).then(|| usage.quiet_since());
        if !self.let_go(GRACE, quiet_since) {
            self.let_a_slow_one_go();
        }
    }

    /// Lets the connection go that has been as `since` tells for longest, and for at least `least`.
    fn let_go(&self, least: Duration, since: impl Fn(&Usage) -> Option<Instant>) -> bool {
        let mut open = self.open();
        let all = open.iter().filter_map(|(number, usage)| Some((since(usage)?, *number)));
        let longest = all.min().filter(|(since, _)| since.elapsed() >= least);
        let Some((since, number)) = longest else { return false };
        if let Some(usage) = open.remove(&number) {
            let milliseconds = since.elapsed().as_millis();
            tracing::debug!("a connection quiet or slow for {milliseconds} ms makes room");
            usage.leave.notify_one();
        }
        true
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Usage>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.open().remove(&self.number);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Usage {
    pub(super) fn new() -> Self {
        let (begun, ended) = (AtomicU64::new(0), AtomicU64::new(0));
        let (quiet_since, answers) = (Mutex::new(Instant::now()), Arc::default());
        Self { begun, ended, quiet_since, leave: Notify::new(), answers }
    }

    /// Completes when the connection should make room.
    pub(super) async fn leave(&self) {
        self.leave.notified().await;
    }

    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    fn end(&self) {
        *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn under_way(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > self.ended.load(Ordering::Relaxed)
    }

    fn quiet_since(&self) -> Instant {
        *self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
