//! Time, as far as it can be known: medians of what several cosigners say, never one clock (design 6).
//!
//! All times and lengths are seconds, times since 1970.
//!
//! **Invariant:** a minority of cosigners cannot move a median, and nothing here asks a clock.

/// A copy whose newest quorum is older than this is shown as stale; it stops nothing but registrations.
pub const FRESH: u64 = 72 * 60 * 60;

/// How long a recovery waits for an objection: long enough to be noticed over a weekend.
pub const WINDOW: u64 = 72 * 60 * 60;

/// How long a reinstated root waits: everybody who follows the network has seen it by then.
pub const REINSTATEMENT: u64 = 7 * 24 * 60 * 60;

/// A time further ahead of ours than this is ignored: somebody's clock is wrong.
pub const AHEAD_MAX: u64 = 5 * 60;

/// The median: of an even number the earlier of the two in the middle, so that half of the cosigners can
/// delay but not hasten. `None` of nothing.
pub fn median(times: &[u64]) -> Option<u64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// The [`median`] of those that are not further ahead of `now` than [`AHEAD_MAX`].
pub fn median_at(times: &[u64], now: u64) -> Option<u64> {
    let plausible: Vec<u64> = times.iter().copied().filter(|time| !is_ahead(*time, now)).collect();
    median(&plausible)
}

/// Whether `time` is too far ahead of `now` to be true.
pub fn is_ahead(time: u64, now: u64) -> bool {
    time > now.saturating_add(AHEAD_MAX)
}

/// Whether a quorum's median is too old at `now`; so is none at all.
pub fn is_stale(median: Option<u64>, now: u64) -> bool {
    median.is_none_or(|median| median.saturating_add(FRESH) < now)
}

/// When what was first seen at `first_seen` takes effect unless somebody objects.
pub fn window_ends(first_seen: u64) -> u64 {
    first_seen.saturating_add(WINDOW)
}

/// When a root that a committee reinstated takes effect.
pub fn reinstatement_ends(first_seen: u64) -> u64 {
    first_seen.saturating_add(REINSTATEMENT)
}
