//! The limits of an exchange, as values: the constants of `wire::limits` by default, tiny in tests.

use std::time::Duration;

use wire::limits;

/// What an exchange may cost. Lengths are in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A connection must stand within this, look-up and TLS included.
    pub connect: Duration,
    /// The longest silence, once what was asked to wait for is over.
    pub idle: Duration,
    /// Bytes a second that a transfer must reach over every `rate_window`.
    pub minimum_rate: u64,
    /// The stretch over which `minimum_rate` is measured.
    pub rate_window: Duration,
    /// From the look-up to the last byte of a small answer, without the wait asked for.
    pub deadline_small: Duration,
    /// The same for a head, commits or a segment.
    pub deadline_large: Duration,
    /// All header lines of an answer.
    pub headers: usize,
    /// A signed note.
    pub note: usize,
    /// A node record, or another body.
    pub body: usize,
    /// A hash tile.
    pub tile: usize,
    /// A bundle of entries.
    pub entry_tile: usize,
    /// A head, or commits.
    pub head: usize,
    /// The cosigner lines of a feed.
    pub cosignatures: usize,
    /// A problem, instead of what was asked.
    pub problem: usize,
    /// A segment as it travels.
    pub segment: usize,
    /// What all exchanges of a process may hold of answers while they arrive.
    pub budget: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: limits::CONNECT,
            idle: limits::IDLE,
            minimum_rate: limits::MINIMUM_RATE_BYTES_PER_SECOND,
            rate_window: limits::MINIMUM_RATE_WINDOW,
            deadline_small: limits::DEADLINE_SMALL,
            deadline_large: limits::DEADLINE_LARGE,
            headers: limits::HEADER_BYTES,
            note: limits::NOTE_BYTES,
            body: limits::BODY_BYTES,
            tile: limits::TILE_BYTES,
            entry_tile: limits::ENTRY_TILE_BYTES,
            head: limits::HEAD_BYTES,
            cosignatures: limits::COSIGNATURES_BYTES,
            problem: limits::PROBLEM_BYTES,
            segment: limits::SEGMENT_PACKED_BYTES,
            budget: limits::BYTE_BUDGET,
        }
    }
}

impl Limits {
    /// What one node may hold of the budget: one answer of the greatest length.
    pub(crate) fn share(&self) -> usize {
        self.head.max(self.segment).min(self.budget)
    }
}
