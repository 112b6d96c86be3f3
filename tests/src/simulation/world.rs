//! What all nodes share: time, lines, chance, and the record of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tlog::hash::Hash;
use tlog::name::Origin;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::actor::{self, Actor};
use super::ledger::Ledger;
use super::{Plan, Report};
use crate::chance::TestChance;

/// Problems beyond these are more of the same.
const PROBLEMS_MAX: usize = 40;
/// Past milliseconds that were taken are forgotten in steps of so many.
const TAKEN_MAX: usize = 8_192;
/// Lines have their own way: from this to so much more, in milliseconds.
const LATENCY_MS: (u64, u64) = (5, 300);
/// What a slow line adds: 800 ms, and 32 bytes a millisecond.
const SLOW_MS: u64 = 800;
const SLOW_BYTES_A_MS: u64 = 32;

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) ledger: Arc<Ledger>,
    pub(super) actors: Vec<Actor>,
    chance: TestChance,
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    trace: Option<Hash>,
    lines: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
    problems: Vec<String>,
    /// Milliseconds at which somebody awakes.
    taken: BTreeSet<u64>,
    /// How many cuts there are from one node to another.
    cuts: BTreeMap<(usize, usize), u64>,
    slow: BTreeSet<usize>,
    waiting: BTreeMap<Origin, Vec<oneshot::Sender<()>>>,
    healed: bool,
}

impl World {
    pub(super) fn new(plan: Plan, actors: Vec<Actor>, ledger: Arc<Ledger>) -> Arc<Self> {
        let chance = TestChance::new(format!("world {}", plan.seed));
        let (start, state) = (Instant::now(), Mutex::default());
        Arc::new(Self { plan, ledger, actors, chance, start, state })
    }

    /// A number below `bound`.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.chance.below(bound.max(1))
    }

    /// Whether what happens once in `times` happens.
    pub(super) fn once_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick(&self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap_or(0)
    }

    /// Virtual milliseconds since the beginning.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Sleeps, and awakes at a millisecond at which nobody else does.
    pub(super) async fn pass(&self, ms: u64) {
        let now = self.now_ms();
        let at = {
            let mut state = self.lock();
            if state.taken.len() > TAKEN_MAX {
                state.taken = state.taken.split_off(&now);
            }
            let mut at = now + ms.max(1);
            while !state.taken.insert(at) {
                at += 1;
            }
            at
        };
        tokio::time::sleep_until(self.start + Duration::from_millis(at)).await;
    }

    /// Writes a line of the trace.
    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        let line = format!("{} {}", self.now_ms(), line());
        let mut state = self.lock();
        let before = state.trace.map(|hash| hash.to_hex()).unwrap_or_default();
        state.trace = Some(Hash::of(format!("{before}{line}")));
        if self.plan.verbose {
            state.lines.push(line);
        }
    }

    pub(super) fn count(&self, what: &'static str) {
        self.count_many(what, 1);
    }

    pub(super) fn count_many(&self, what: &'static str, times: u64) {
        *self.lock().counts.entry(what).or_default() += times;
    }

    /// Something that must not be.
    pub(super) fn problem(&self, words: &str) {
        self.tell(|| words.to_owned());
        let now = self.now_ms() / 1_000;
        let mut state = self.lock();
        if state.problems.len() < PROBLEMS_MAX {
            state.problems.push(format!("at {now} s: {words}"));
        }
    }

    pub(super) fn actor(&self, index: usize) -> Option<&Actor> {
        self.actors.get(index)
    }

    pub(super) fn honest(&self) -> impl Iterator<Item = &Actor> {
        self.actors.iter().filter(|actor| actor.lie.is_none())
    }

    /// A process ended at a write; another is started later.
    pub(super) fn fell(self: &Arc<Self>, node: usize, life: u64) {
        if self.actor(node).is_some_and(|actor| actor.fall(life)) {
            self.count("processes that ended");
            self.tell(|| format!("{node} ends"));
            tokio::spawn(actor::revive(Arc::clone(self), node));
        }
    }

    /// Cuts or mends the way from one node to another; cuts add up.
    pub(super) fn cut(&self, from: usize, to: usize, cut: bool) {
        let mut state = self.lock();
        let cuts = state.cuts.entry((from, to)).or_default();
        *cuts = if cut { *cuts + 1 } else { cuts.saturating_sub(1) };
    }

    pub(super) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.lock().cuts.get(&(from, to)).is_some_and(|cuts| *cuts > 0)
    }

    pub(super) fn set_slow(&self, node: usize, slow: bool) {
        let slowed = &mut self.lock().slow;
        if slow {
            slowed.insert(node)
        } else {
            slowed.remove(&node)
        };
    }

    /// How long so many bytes take.
    pub(super) fn travel_ms(&self, from: usize, to: usize, bytes: u64) -> u64 {
        let (least, more) = LATENCY_MS;
        let nodes = self.plan.nodes as u64;
        let own = (self.plan.seed ^ ((from as u64) * nodes + to as u64)).wrapping_mul(0x9e37_79b9);
        let ends = [from, to];
        let slow = ends.iter().any(|end| self.lock().slow.contains(end));
        let slowness = if slow { SLOW_MS + bytes / SLOW_BYTES_A_MS } else { 0 };
        least + (own >> 8) % more + self.below(20) + slowness
    }

    /// Waits until there is news in a feed, or for so long.
    pub(super) async fn await_news(&self, origin: &Origin, ms: u64) {
        let (sender, news) = oneshot::channel();
        self.lock().waiting.entry(origin.clone()).or_default().push(sender);
        tokio::select! {
            biased;
            _ = news => {}
            () = self.pass(ms) => {}
        }
    }

    pub(super) fn news(&self, origin: &Origin) {
        let waiting = self.lock().waiting.remove(origin).unwrap_or_default();
        for sender in waiting {
            let _ = sender.send(());
        }
    }

    /// From now on nothing goes wrong but what liars do.
    pub(super) fn heal(&self) {
        let mut state = self.lock();
        state.healed = true;
        state.cuts.clear();
        state.slow.clear();
        drop(state);
        self.tell(|| "all is healed".to_owned());
    }

    pub(super) fn is_healed(&self) -> bool {
        self.lock().healed
    }

    pub(super) fn report(&self) -> Report {
        let state = self.lock();
        Report {
            plan: self.plan.clone(),
            trace: state.trace.unwrap_or_else(|| Hash::of("")),
            counts: state.counts.clone(),
            problems: state.problems.clone(),
            lines: state.lines.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
