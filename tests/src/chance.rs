//! A clock that stands still until told, and chance that falls the same way each time.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use feed::ports::{Clock, Random};
use tlog::hash::Hash;

/// 2026-11-23T10:00:00Z, when every test begins.
pub const BEGINNING: u64 = 1_795_428_000;

/// [`BEGINNING`] as records write it.
pub const BEGINNING_TEXT: &str = "2026-11-23T10:00:00Z";

/// Time that passes when a test says so.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    /// Stands at [`BEGINNING`].
    pub fn new() -> Self {
        Self(AtomicU64::new(BEGINNING))
    }

    /// Moves on (or, as clocks do, back) to `seconds` since 1970.
    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bytes that follow from a seed: SHA-256 over seed and a counter.
#[derive(Debug)]
pub struct TestChance {
    seed: String,
    drawn: Mutex<u64>,
}

impl TestChance {
    /// Two sources with one seed give the same bytes.
    pub fn new(seed: impl Into<String>) -> Self {
        Self { seed: seed.into(), drawn: Mutex::new(0) }
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes) % bound
    }
}

impl Random for TestChance {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(32) {
            *drawn += 1;
            let hash = Hash::of(format!("{} {drawn}", self.seed));
            for (byte, random) in chunk.iter_mut().zip(hash.as_bytes()) {
                *byte = *random;
            }
        }
    }
}
