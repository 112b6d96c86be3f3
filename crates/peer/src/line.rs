//! One feed that is followed: its schedule, its rounds, and what can be told of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use feed::ports::{Carrier, Progress};
use tlog::name::Origin;
use tokio::sync::{Mutex as TurnMutex, watch};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};
use wire::api::PeerFeed;
use wire::limits::WAIT_FOLLOWER;

use crate::gate::Gate;
use crate::home::{Failure, Home, Round};
use crate::schedule::{Event, Schedule};
use crate::tally::{Tally, Why};
use crate::turns::Turns;
use crate::words::Told;

/// A round that lasts longer goes on in a next one: what it verified is kept.
const ROUND: Duration = Duration::from_secs(3_600);

/// While there is no room on the disk, it is looked again so often: for all feeds together that is little work.
const ROOM_WAIT_S: u64 = 60;

/// Good rounds without a change are written down this often.
const MEMO_EVERY_S: u64 = 600;

/// One feed that is followed.
pub(crate) struct Line {
    pub(crate) origin: Origin,
    home: Arc<dyn Home>,
    turns: Turns,
    interval_s: u64,
    tally: Tally,
    state: Mutex<State>,
    /// Steps made in all rounds: tells a slow round from a stuck one.
    steps: AtomicU64,
    /// The number of the newest request for a round, and of the newest that is done.
    requested: watch::Sender<u64>,
    done: watch::Sender<u64>,
    halt: watch::Sender<bool>,
}

struct State {
    schedule: Schedule,
    kept_at: u64,
    progress: Option<String>,
    /// Why the approvals of a network do not arrive.
    approvals: Told,
}

impl Line {
    pub(crate) fn new(
        origin: Origin,
        home: Arc<dyn Home>,
        turns: Turns,
        interval_s: u64,
        tally: Tally,
    ) -> Self {
        let schedule = Schedule::from_memo(home.memo(&memo_key(&origin)).as_deref(), home.now());
        let state = State { schedule, kept_at: 0, progress: None, approvals: Told::default() };
        Self {
            origin,
            home,
            turns,
            interval_s: interval_s.max(1),
            tally,
            state: Mutex::new(state),
            steps: AtomicU64::new(0),
            requested: watch::Sender::new(0),
            done: watch::Sender::new(0),
            halt: watch::Sender::new(false),
        }
    }

    /// Follows the feed until halted.
    pub(crate) async fn run(&self, carrier: &dyn Carrier) {
        let mut halt = self.halt.subscribe();
        let mut requested = self.requested.subscribe();
        // Whether the next round may wait for news: the feed is in step, and the peer holds requests.
        let mut park = false;
        loop {
            let due = Duration::from_secs(if park { 0 } else { self.due_in() });
            tokio::select! {
                biased;
                _ = halt.wait_for(|halt| *halt) => return,
                _ = requested.changed() => park = false,
                () = sleep(due) => {}
            }
            let ticket = *requested.borrow_and_update();
            park = self.round(carrier, park).await;
            self.done.send_replace(ticket);
        }
    }

    /// Says why the feed cannot be tried at all, and waits until that is over.
    pub(crate) async fn give_up(&self, reason: &str) {
        self.judge(Err(Failure::Other { why: Why::Here, words: reason.to_owned() }));
        let (mut halt, mut requested) = (self.halt.subscribe(), self.requested.subscribe());
        loop {
            let ticket = *requested.borrow_and_update();
            self.done.send_replace(ticket);
            tokio::select! {
                _ = halt.wait_for(|halt| *halt) => return,
                _ = requested.changed() => {}
            }
        }
    }

    /// Ends [`run`](Self::run) in an orderly way.
    pub(crate) fn halt(&self) {
        self.halt.send_replace(true);
    }

    /// Asks for a round now; the number to give to [`finished`](Self::finished).
    pub(crate) fn request(&self) -> u64 {
        let woken = self.state().schedule.wake(self.home.now());
        self.tell(woken.as_ref());
        self.requested.send_modify(|number| *number += 1);
        *self.requested.borrow()
    }

    /// Waits until a round that began after the request is over.
    pub(crate) async fn finished(&self, request: u64) {
        // The sender lives as long as self: there is no other end to this wait.
        let _ = self.done.subscribe().wait_for(|done| *done >= request).await;
    }

    /// Forgets the schedule of a feed that is no longer followed.
    pub(crate) fn forget(&self) {
        self.home.set_memo(&memo_key(&self.origin), None);
    }

    /// A copy of the schedule.
    pub(crate) fn schedule(&self) -> Schedule {
        self.state().schedule.clone()
    }

    /// What is told of it.
    pub(crate) fn status(&self) -> PeerFeed {
        let (size, missing) = self.home.held(&self.origin);
        let state = self.state();
        PeerFeed {
            origin: self.origin.clone(),
            size,
            missing,
            state: state.schedule.state(),
            reason: state.schedule.reason().to_owned(),
            progress: state.progress.clone(),
            last_success: state.schedule.last_success(),
        }
    }

    /// One round; whether the next may be parked at once.
    async fn round(&self, carrier: &dyn Carrier, park: bool) -> bool {
        let begun = Instant::now();
        let steps = self.steps.load(Ordering::Relaxed);
        let wait = park.then_some(WAIT_FOLLOWER);
        let gate = Gate {
            inner: carrier,
            turns: self.turns.of(self.schedule().state()),
            turn: TurnMutex::new(None),
            halt: self.halt.subscribe(),
            requested: self.requested.subscribe(),
            deadline: begun + ROUND + wait.unwrap_or_default(),
            news: OnceLock::new(),
        };
        let result = self.home.round(&gate, &self.origin, wait, self).await;
        let busy_since = if park { gate.news.get().copied() } else { Some(begun) };
        drop(gate);
        if *self.halt.borrow() {
            return false;
        }
        if let Some(since) = busy_since {
            self.tally.took(since.elapsed());
        }
        let went_on = self.steps.load(Ordering::Relaxed) > steps;
        if result.is_err() && begun.elapsed() >= ROUND && went_on {
            return false;
        }
        let brought = result.as_ref().ok().map(|round| round.grew);
        self.judge(result);
        // A peer that answers "nothing new" before the wait is over does not hold requests.
        let held = begun.elapsed() >= WAIT_FOLLOWER / 2;
        match brought {
            None => false,
            Some(brought) => brought || !park || held,
        }
    }

    /// Enters a round into the schedule, keeps it, and says what changed.
    fn judge(&self, result: Result<Round, Failure>) {
        let now = self.home.now();
        let chance = self.home.chance();
        let mut state = self.state();
        state.progress = None;
        let event = match result {
            Ok(round) => {
                self.tell_approvals(&mut state.approvals, &round);
                // A quarter of jitter keeps followers of one node apart.
                let jitter = (u128::from(chance) * u128::from(self.interval_s / 4 + 1)) >> 64;
                let jitter = u64::try_from(jitter).unwrap_or(0);
                state.schedule.succeeded(now, self.interval_s.saturating_add(jitter))
            }
            Err(Failure::Busy { seconds }) => Some(state.schedule.asked_to_wait(now, seconds)),
            Err(Failure::Other { why, words }) => {
                self.tally.failed(self.origin.node(), why);
                match why {
                    // It is told once for all feeds, and is no fault of this one.
                    Why::NoRoom => {
                        state.schedule.put_off(now, ROOM_WAIT_S, &words);
                        None
                    }
                    Why::Interrupted => Some(state.schedule.interrupted(now, &words, chance)),
                    _ => Some(state.schedule.failed(now, &words, chance)),
                }
            }
        };
        let memo = state.schedule.memo();
        let keep = event.is_some() || now.saturating_sub(state.kept_at) >= MEMO_EVERY_S;
        if keep {
            state.kept_at = now;
        }
        drop(state);
        if keep {
            self.home.set_memo(&memo_key(&self.origin), Some(&memo));
        }
        self.tell(event.as_ref());
    }

    /// The log: each new fault once as a warning, its repetitions for those who look closely.
    fn tell(&self, event: Option<&Event>) {
        let origin = &self.origin;
        match event {
            None => {}
            Some(Event::Healthy { after_failures: 0 }) => {
                info!(event = "peer.in-step", feed.origin = %origin, "`{origin}` is in step");
            }
            Some(Event::Healthy { after_failures }) => {
                info!(event = "peer.in-step-again", feed.origin = %origin, peer.failures = after_failures,
                      "`{origin}` is in step again after {after_failures} rounds that failed");
            }
            Some(Event::Failing { reason }) => {
                warn!(event = "peer.failing", feed.origin = %origin, "`{origin}` could not be synced: {reason}");
            }
            Some(Event::StillFailing { failures }) => {
                debug!(feed.origin = %origin, peer.failures = failures,
                       "`{origin}` still cannot be synced");
            }
            Some(Event::Dormant { reason }) => {
                warn!(event = "peer.dormant", feed.origin = %origin,
                      "`{origin}` could not be synced for a week and is now tried once a day: {reason}");
            }
            Some(Event::AskedToWait { seconds }) => {
                debug!(feed.origin = %origin, wait_s = seconds,
                       "the node of `{origin}` asks to wait {seconds} s");
            }
            Some(Event::Woken) => debug!(feed.origin = %origin, "`{origin}` is tried now"),
        }
    }

    /// A feed is followed without the approvals of its network too, so these are told apart.
    fn tell_approvals(&self, told: &mut Told, round: &Round) {
        let origin = &self.origin;
        match &round.no_approvals {
            Some(words) if told.is_news(words) => {
                warn!(event = "network.no-approvals", feed.origin = %origin,
                      "the approvals of `{origin}` did not arrive: {words}");
            }
            Some(words) => {
                debug!(feed.origin = %origin, "the approvals of `{origin}` did not arrive: {words}");
            }
            // Without news they are not asked for in every round.
            None if round.grew => told.over(),
            None => {}
        }
    }

    fn due_in(&self) -> u64 {
        self.state().schedule.due_in(self.home.now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Line {
    fn step(&self, what: &str, done: u64, total: u64) {
        self.steps.fetch_add(1, Ordering::Relaxed);
        self.state().progress = Some(format!("{what} {done} of {total}"));
    }
}

/// The name of the memo of a feed's schedule.
fn memo_key(origin: &Origin) -> String {
    format!("peer/{origin}")
}
