//! What answers may hold of memory while they arrive: a share for each node, and a budget for all.
//!
//! What an answer announces is taken before its first byte, so that nobody who holds a part waits for more; an
//! answer that announces nothing takes as it grows.
//!
//! **Invariant:** nobody keeps the others waiting by being slow: as long as somebody waits, whatever holds a
//! part of the budget comes [`CROWDED`] times as fast as otherwise, or ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::limits::Limits;

/// Answers up to this length are free: sixty-four of one node, four for each of its feeds, are 4 MiB.
pub(crate) const FREE_BYTES: usize = 64 << 10;

/// How much faster an answer must come while others wait: in three minutes, where it has thirty otherwise.
const CROWDED: u64 = 10;

/// The bytes of all answers under way, one permit for each KiB.
pub(crate) struct Budget {
    all: Arc<Semaphore>,
    /// How many answers wait for a part of it.
    waiting: AtomicUsize,
    share_kib: usize,
    /// For as long as something of it is in use.
    shares: Mutex<BTreeMap<String, Weak<Semaphore>>>,
}

/// What one node may hold of the budget, in KiB, by however many carriers.
pub(crate) type Share = Arc<Semaphore>;

/// What one answer has taken of its node's share and of the budget. It is given back when this is dropped.
#[derive(Default)]
pub(crate) struct Taken {
    kib: usize,
    permits: Vec<[OwnedSemaphorePermit; 2]>,
}

/// Bytes that count until they are dropped.
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    pub(crate) _taken: Taken,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.budget.div_ceil(1_024))),
            waiting: AtomicUsize::new(0),
            share_kib: limits.share().div_ceil(1_024),
            shares: Mutex::default(),
        }
    }

    /// The share of this owner: the same one for all who ask, while one of them has it.
    pub(crate) fn share(&self, owner: &str) -> Share {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(owner).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.share_kib));
        shares.insert(owner.to_owned(), Arc::downgrade(&share));
        share
    }

    /// Takes what is missing for `bytes` in all, or waits for it; whether it came in time.
    pub(crate) async fn draw(
        &self,
        share: &Share,
        taken: &mut Taken,
        bytes: usize,
        until: Instant,
    ) -> bool {
        let kib = if bytes <= FREE_BYTES { 0 } else { bytes.div_ceil(1_024) };
        let more = kib.saturating_sub(taken.kib);
        if more == 0 {
            return true;
        }
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let both = async {
            let share = Arc::clone(share).acquire_many_owned(more).await.ok()?;
            // Whoever waits for his own share is no reason to hurry for others.
            let _waiting = Waiting::among(&self.waiting);
            let all = Arc::clone(&self.all).acquire_many_owned(more).await.ok()?;
            Some([share, all])
        };
        let Ok(Some(permits)) = timeout_at(until, both).await else { return false };
        taken.kib = kib;
        taken.permits.push(permits);
        true
    }

    /// Whether somebody waits.
    pub(crate) fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

/// One who waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a transfer keeps up with the rate that it must have, window by window.
pub(crate) struct Rate {
    since: Instant,
    bytes: u64,
}

impl Rate {
    pub(crate) fn start() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    /// Counts what came; the bytes a second that it must have, if a window ends and it had fewer.
    ///
    /// What holds a part of the budget must come fast enough to be over in time: else a trickle would keep
    /// for half an hour what others could use.
    pub(crate) fn falls_short(
        &mut self,
        came: usize,
        limits: &Limits,
        taken: &Taken,
        crowded: bool,
    ) -> Option<u64> {
        self.bytes += came as u64;
        let window = self.since.elapsed();
        if window < limits.rate_window {
            return None;
        }
        let haste = if crowded { CROWDED } else { 1 };
        let in_time = taken.kib as u64 * 1_024 * haste / limits.deadline_large.as_secs().max(1);
        let least = limits.minimum_rate.max(in_time);
        let milliseconds = u64::try_from(limits.rate_window.as_millis()).unwrap_or(u64::MAX);
        let short = self.bytes < least.saturating_mul(milliseconds) / 1_000;
        *self = Self::start();
        short.then_some(least)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MIB: usize = 1 << 20;

    /// A budget of 3 MiB in shares of 1 MiB.
    fn limits() -> Limits {
        Limits { head: MIB, segment: MIB, budget: 3 * MIB, ..Limits::default() }
    }

    async fn draws(budget: &Budget, share: &Share, bytes: usize) -> Option<Taken> {
        let mut taken = Taken::default();
        let until = Instant::now() + Duration::from_secs(60);
        budget.draw(share, &mut taken, bytes, until).await.then_some(taken)
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_has_one_share_however_many_ask_in_its_name() {
        let budget = Budget::new(&limits());
        let held = draws(&budget, &budget.share("slow.example"), MIB).await;
        assert!(held.is_some());
        assert!(draws(&budget, &budget.share("slow.example"), MIB).await.is_none());
        assert!(draws(&budget, &budget.share("other.example"), MIB).await.is_some());
        drop(held);
        assert!(draws(&budget, &budget.share("slow.example"), MIB).await.is_some());
        drop(budget.share("third.example"));
        assert_eq!(budget.shares.lock().unwrap().len(), 1, "what nobody has is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_grows_takes_what_is_missing_and_small_ones_are_free() {
        let budget = Budget::new(&limits());
        let share = budget.share("node.example");
        let mut taken = Taken::default();
        for (bytes, left) in [(FREE_BYTES, 1_024), (FREE_BYTES + 1, 959), (MIB, 0)] {
            assert!(budget.draw(&share, &mut taken, bytes, Instant::now()).await);
            assert_eq!(share.available_permits(), left, "{bytes}");
        }
        assert!(draws(&budget, &share, FREE_BYTES).await.is_some());
        drop(taken);
        assert_eq!((share.available_permits(), budget.all.available_permits()), (1_024, 3_072));
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_a_part_must_hurry_while_others_wait_for_theirs() {
        let (limits, budget) = (limits(), Budget::new(&limits()));
        let all: Vec<Share> = ["a", "b", "c"].map(|owner| budget.share(owner)).into();
        let mut held = Vec::new();
        for share in &all {
            held.push(draws(&budget, share, MIB).await.unwrap());
        }
        // A MiB within thirty minutes, but not within three.
        let a_window = 1_200 * 30;
        let falls_short = async |crowded| {
            let mut rate = Rate::start();
            tokio::time::advance(limits.rate_window).await;
            rate.falls_short(a_window, &limits, &held[0], crowded)
        };
        let own = draws(&budget, &all[0], MIB);
        tokio::pin!(own);
        assert!(timeout_at(Instant::now(), &mut own).await.is_err());
        assert!(!budget.is_crowded(), "one waits for what it holds itself");
        assert_eq!(falls_short(budget.is_crowded()).await, None);
        {
            let share = budget.share("d");
            let other = draws(&budget, &share, MIB);
            tokio::pin!(other);
            assert!(timeout_at(Instant::now(), &mut other).await.is_err());
            assert_eq!(falls_short(budget.is_crowded()).await, Some(5_825));
        }
        assert!(!budget.is_crowded(), "who gave up waits no more");
    }
}
