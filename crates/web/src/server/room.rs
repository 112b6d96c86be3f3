//! Who makes room when every place is taken: of the connections without a request under way, the one
//! that has been quiet longest. So a stranger who opens connections and says nothing takes places from
//! himself, and not from readers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// A connection is not asked to leave before it had this long to say what it wants: satellite lines
/// need most of a second.
const GRACE: Duration = Duration::from_secs(2);

/// How often it is looked for somebody who may leave.
const LOOK: Duration = Duration::from_millis(100);

/// All open connections, by number.
#[derive(Debug, Default)]
pub(super) struct Room {
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
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
    pub(super) usage: Arc<Usage>,
    _slot: OwnedSemaphorePermit,
}

impl Room {
    /// A slot for the next connection; somebody quiet leaves if there is none.
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

    fn let_one_go(&self) {
        let mut open = self.open();
        let quiet = open.iter().filter(|(_, usage)| !usage.under_way());
        let longest = quiet.map(|(number, usage)| (usage.quiet_since(), *number)).min();
        if let Some((since, number)) = longest.filter(|(since, _)| since.elapsed() >= GRACE)
            && let Some(usage) = open.remove(&number)
        {
            tracing::debug!("a connection quiet for {} ms makes room", since.elapsed().as_millis());
            usage.leave.notify_one();
        }
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

impl Usage {
    fn new() -> Self {
        let (begun, ended) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { begun, ended, quiet_since: Mutex::new(Instant::now()), leave: Notify::new() }
    }

    /// Completes when the connection should make room.
    pub(super) async fn leave(&self) {
        self.leave.notified().await;
    }

    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
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
