//! When a feed of another node is tried next: a state machine without a clock, sockets or chance.
//!
//! Healthy feeds are asked at the interval, or hold a request open. Failing ones are tried again after
//! a wait drawn from zero to a bound that doubles with every failure up to a day ("full jitter", so
//! that a peer that comes back is not overrun). After a week of failure a feed is dormant: once or
//! twice a day, until its node shows itself. Every change of state is an [`Event`], for the log.

use serde::{Deserialize, Serialize};
use wire::api::PeerState;

use crate::words;

/// The bound of the first wait.
pub const FIRST_BOUND_S: u64 = 10;

/// No wait is longer.
pub const BOUND_S: u64 = 24 * 3_600;

/// No wait is shorter: a wait of zero would be a loop.
pub const LEAST_S: u64 = 1;

/// So long without one good round, and a feed is dormant.
pub const DORMANT_AFTER_S: u64 = 7 * 24 * 3_600;

/// Reasons are kept to this many characters.
pub const REASON_CHARS: usize = 300;

/// The greatest memo that is read back.
pub const MEMO_BYTES: usize = 4_096;

/// How it goes with one feed, and when it is tried next. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    state: PeerState,
    reason: String,
    /// The last good round, or when it was first tried: what a week of failure is counted from.
    good_until: u64,
    last_success: Option<u64>,
    next_attempt: u64,
    failures: u64,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first good round, or the first after failures.
    Healthy {
        /// How many rounds had failed before it.
        after_failures: u64,
    },
    /// A round failed, and the one before had not, or for another reason.
    Failing {
        /// Why, in words.
        reason: String,
    },
    /// A round failed as the one before did.
    StillFailing {
        /// How many by now.
        failures: u64,
    },
    /// A week of failures.
    Dormant {
        /// The last of them.
        reason: String,
    },
    /// The peer asks to wait; that is no failure.
    AskedToWait {
        /// How long.
        seconds: u64,
    },
    /// It showed itself, or an operator asked: it is tried at once.
    Woken,
}

impl Schedule {
    /// A feed that was never tried: due at once.
    pub fn new(now: u64) -> Self {
        Self {
            state: PeerState::New,
            reason: "not tried yet".to_owned(),
            good_until: now,
            last_success: None,
            next_attempt: now,
            failures: 0,
        }
    }

    /// Back from [`memo`](Self::memo); a fresh one if the bytes are none.
    ///
    /// What was healthy is due at once. Waits that a wrong clock made too long are cut.
    pub fn from_memo(bytes: Option<&[u8]>, now: u64) -> Self {
        let fresh = || Self::new(now);
        let Some(bytes) = bytes.filter(|bytes| bytes.len() <= MEMO_BYTES) else { return fresh() };
        let Ok(mut kept) = serde_json::from_slice::<Self>(bytes) else { return fresh() };
        kept.good_until = kept.good_until.min(now);
        kept.next_attempt = match kept.state {
            PeerState::New | PeerState::Healthy => now,
            PeerState::Failing | PeerState::Dormant => kept.next_attempt.min(now + BOUND_S),
        };
        kept
    }

    /// What is kept over a restart, at most [`MEMO_BYTES`].
    pub fn memo(&self) -> Vec<u8> {
        // Strings and integers always serialise; an empty memo would be read as none.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// A round ended well; the next is due after `interval_s`.
    pub fn succeeded(&mut self, now: u64, interval_s: u64) -> Option<Event> {
        let after_failures = self.failures;
        let changed = self.state != PeerState::Healthy;
        *self = Self {
            state: PeerState::Healthy,
            reason: "in step".to_owned(),
            good_until: now,
            last_success: Some(now),
            next_attempt: now.saturating_add(interval_s),
            failures: 0,
        };
        changed.then_some(Event::Healthy { after_failures })
    }

    /// A round failed after it had brought something that the next one needs not ask for: it goes on soon, as
    /// it must on a line that is cut again and again.
    pub fn interrupted(&mut self, now: u64, reason: &str, chance: u64) -> Event {
        let event = self.failed(now, reason, chance);
        if self.state != PeerState::Dormant {
            self.next_attempt = now.saturating_add(wait_s(self.state, 1, chance));
        }
        event
    }

    /// A round failed. `chance` is evenly distributed over all `u64`.
    pub fn failed(&mut self, now: u64, reason: &str, chance: u64) -> Event {
        let reason: String = reason.chars().take(REASON_CHARS).collect();
        let known = self.failures > 0 && words::same(&self.reason, &reason);
        let was = self.state;
        self.failures = self.failures.saturating_add(1);
        self.reason.clone_from(&reason);
        let dormant = now.saturating_sub(self.good_until) >= DORMANT_AFTER_S;
        self.state = if dormant { PeerState::Dormant } else { PeerState::Failing };
        self.next_attempt = now.saturating_add(wait_s(self.state, self.failures, chance));
        match (self.state, was) {
            (PeerState::Dormant, before) if before != PeerState::Dormant => {
                Event::Dormant { reason }
            }
            _ if known => Event::StillFailing { failures: self.failures },
            _ => Event::Failing { reason },
        }
    }

    /// The peer asks to come back after `seconds` (at most a day): obeyed, and no failure.
    pub fn asked_to_wait(&mut self, now: u64, seconds: u64) -> Event {
        let seconds = seconds.clamp(LEAST_S, BOUND_S);
        self.put_off(now, seconds, &format!("it asked to wait {seconds} s"));
        Event::AskedToWait { seconds }
    }

    /// The next round waits for `seconds` for a reason that is none of the peer's: no failure.
    pub fn put_off(&mut self, now: u64, seconds: u64, reason: &str) {
        self.next_attempt = now.saturating_add(seconds);
        self.reason = reason.chars().take(REASON_CHARS).collect();
    }

    /// A valid contact, or an operator: due at once. Failures stay counted until a round ends well.
    pub fn wake(&mut self, now: u64) -> Option<Event> {
        if self.next_attempt <= now {
            return None;
        }
        self.next_attempt = now;
        Some(Event::Woken)
    }

    /// Seconds until it is due, 0 if it is; never more than a day, whatever the clock did.
    pub fn due_in(&self, now: u64) -> u64 {
        self.next_attempt.saturating_sub(now).min(BOUND_S)
    }

    /// How it goes.
    pub fn state(&self) -> PeerState {
        self.state
    }

    /// Why, in words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last round that ended well.
    pub fn last_success(&self) -> Option<u64> {
        self.last_success
    }

    /// When it is tried next.
    pub fn next_attempt(&self) -> u64 {
        self.next_attempt
    }

    /// Rounds that failed since the last good one.
    pub fn failures(&self) -> u64 {
        self.failures
    }
}

fn wait_s(state: PeerState, failures: u64, chance: u64) -> u64 {
    if state == PeerState::Dormant {
        return BOUND_S / 2 + below(BOUND_S / 2 + 1, chance);
    }
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(20);
    let bound = (FIRST_BOUND_S << doublings).min(BOUND_S);
    LEAST_S.max(below(bound + 1, chance))
}

/// A number from 0 to `bound` - 1, from a number over all of `u64`.
fn below(bound: u64, chance: u64) -> u64 {
    u64::try_from((u128::from(chance) * u128::from(bound)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_new_feed_is_due_at_once_and_after_success_at_the_interval() {
        let mut schedule = Schedule::new(NOW);
        assert_eq!(schedule.due_in(NOW), 0);
        assert_eq!(schedule.succeeded(NOW, 300), Some(Event::Healthy { after_failures: 0 }));
        assert_eq!(schedule.due_in(NOW), 300);
        assert_eq!(schedule.succeeded(NOW + 300, 300), None);
        assert_eq!(schedule.last_success(), Some(NOW + 300));
    }

    #[test]
    fn waits_grow_with_failures_and_stay_between_a_second_and_a_day() {
        let mut schedule = Schedule::new(NOW);
        for (failures, bound) in [10, 20, 40, 80].into_iter().chain([BOUND_S; 2]).enumerate() {
            if failures == 4 {
                schedule.failures = 40;
            }
            let _ = schedule.failed(NOW, "refused", u64::MAX);
            assert_eq!(schedule.due_in(NOW), bound, "after {failures} failures");
        }
        let _ = schedule.failed(NOW, "refused", 0);
        assert_eq!(schedule.due_in(NOW), LEAST_S);
    }

    #[test]
    fn a_week_of_failures_makes_a_feed_dormant_and_one_good_round_healthy() {
        let mut schedule = Schedule::new(NOW);
        let failing = Event::Failing { reason: "refused".to_owned() };
        assert_eq!(schedule.failed(NOW, "refused", 7), failing);
        assert_eq!(schedule.failed(NOW + 9, "refused", 7), Event::StillFailing { failures: 2 });
        let reason = "time-out".to_owned();
        assert_eq!(schedule.failed(NOW + 20, "time-out", 7), Event::Failing { reason });
        let later = NOW + DORMANT_AFTER_S;
        let dormant = Event::Dormant { reason: "refused".to_owned() };
        assert_eq!(schedule.failed(later, "refused", 0), dormant);
        assert_eq!(schedule.state(), PeerState::Dormant);
        assert_eq!(schedule.due_in(later), BOUND_S / 2);
        let _ = schedule.failed(later, "refused", u64::MAX);
        assert_eq!(schedule.due_in(later), BOUND_S);
        assert_eq!(schedule.succeeded(later, 300), Some(Event::Healthy { after_failures: 5 }));
        assert_eq!(schedule.failures(), 0);
    }

    #[test]
    fn a_reason_that_differs_in_numbers_alone_is_told_once() {
        let mut schedule = Schedule::new(NOW);
        let _ = schedule.failed(NOW, "nothing came for 15 s (after 12 bytes)", 7);
        let again = schedule.failed(NOW + 9, "nothing came for 15 s (after 4096 bytes)", 7);
        assert_eq!(again, Event::StillFailing { failures: 2 });
        assert!(schedule.reason().contains("4096"), "{}", schedule.reason());
    }

    #[test]
    fn a_round_that_was_interrupted_goes_on_soon_however_often() {
        let mut schedule = Schedule::new(NOW);
        for _ in 0..20 {
            let _ = schedule.interrupted(NOW, "it broke the connection off", u64::MAX);
            assert_eq!(schedule.due_in(NOW), FIRST_BOUND_S);
        }
        let _ = schedule.failed(NOW, "refused", u64::MAX);
        assert_eq!(schedule.due_in(NOW), BOUND_S);
    }

    #[test]
    fn a_contact_wakes_a_dormant_feed_at_once() {
        let mut schedule = Schedule::new(NOW);
        let _ = schedule.failed(NOW + DORMANT_AFTER_S, "refused", 99);
        let now = NOW + DORMANT_AFTER_S + 5;
        assert_eq!(schedule.wake(now), Some(Event::Woken));
        assert_eq!(schedule.due_in(now), 0);
        assert_eq!(schedule.wake(now), None);
    }

    #[test]
    fn a_peer_that_asks_to_wait_is_obeyed_for_a_day_at_most_and_does_not_fail() {
        let mut schedule = Schedule::new(NOW);
        let _ = schedule.succeeded(NOW, 300);
        assert_eq!(schedule.asked_to_wait(NOW, 17), Event::AskedToWait { seconds: 17 });
        assert_eq!((schedule.due_in(NOW), schedule.state()), (17, PeerState::Healthy));
        let _ = schedule.asked_to_wait(NOW, u64::MAX);
        assert_eq!((schedule.due_in(NOW), schedule.failures()), (BOUND_S, 0));
    }

    #[test]
    fn a_memo_brings_a_schedule_back_and_rubbish_a_fresh_one() {
        let mut schedule = Schedule::new(NOW);
        let _ = schedule.failed(NOW, &"é".repeat(100_000), u64::MAX);
        assert!(schedule.memo().len() <= MEMO_BYTES);
        assert_eq!(Schedule::from_memo(Some(&schedule.memo()), NOW + 1), schedule);
        for rubbish in [None, Some(&b"{}"[..]), Some(&[b' '; MEMO_BYTES + 1])] {
            assert_eq!(Schedule::from_memo(rubbish, NOW), Schedule::new(NOW));
        }
    }

    #[test]
    fn a_clock_that_was_years_ahead_does_not_silence_a_feed() {
        let mut schedule = Schedule::new(NOW + 300_000_000);
        let _ = schedule.failed(NOW + 300_000_000, "refused", u64::MAX);
        assert!(schedule.due_in(NOW) <= BOUND_S);
        let back = Schedule::from_memo(Some(&schedule.memo()), NOW);
        assert!(back.due_in(NOW) <= BOUND_S);
        let _ = schedule.succeeded(NOW + 300_000_000, 300);
        assert_eq!(Schedule::from_memo(Some(&schedule.memo()), NOW).due_in(NOW), 0);
    }
}
