//! Room on the disk that others may not take: where a node that is followed floods, this one must still be able
//! to publish.
//!
//! What others publish is taken in while more than a reserve is free; what this node publishes itself may use the
//! reserve up. The store is asked each time: that is one call of the system.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tracing::{info, warn};

use super::Feeds;
use crate::ports::{Room, StoreError};

/// Kept free if nobody says otherwise: some 100,000 records, or years of one mechanism.
const RESERVE_BYTES: u64 = 1 << 30;

/// Of a small disk a part is kept: one in twenty.
const RESERVE_SHARE: u64 = 20;

/// Nobody said otherwise.
const USUAL: u64 = u64::MAX;

/// How much is kept free.
#[derive(Debug)]
pub(super) struct Reserve {
    /// In bytes, or [`USUAL`].
    bytes: AtomicU64,
    /// Whether there was too little when it was looked last: it is told once.
    is_short: AtomicBool,
}

impl Default for Reserve {
    fn default() -> Self {
        Self { bytes: AtomicU64::new(USUAL), is_short: AtomicBool::new(false) }
    }
}

impl Reserve {
    fn of(&self, room: &Room) -> u64 {
        match self.bytes.load(Ordering::Relaxed) {
            USUAL => RESERVE_BYTES.min(room.all / RESERVE_SHARE),
            bytes => bytes,
        }
    }
}

impl Feeds {
    /// Keeps so many bytes of the disk free of what others publish; with `None` 1 GiB, or a twentieth of the disk
    /// if that is less.
    pub fn keep_free(&self, bytes: Option<u64>) {
        self.reserve.bytes.store(bytes.unwrap_or(USUAL), Ordering::Relaxed);
    }

    /// Whether there is room for what others publish. Where the system does not tell, there is.
    ///
    /// # Errors
    /// In words, with what is free and what to do.
    pub fn room_for_others(&self) -> Result<(), StoreError> {
        let Some(room) = self.parts.store.room() else { return Ok(()) };
        let reserve = self.reserve.of(&room);
        let is_short = room.free < reserve;
        let was_short = self.reserve.is_short.swap(is_short, Ordering::Relaxed);
        if !is_short {
            if was_short {
                info!(
                    event = "store.room-again",
                    disk.free_bytes = room.free,
                    "there is room again: what others publish is taken in"
                );
            }
            return Ok(());
        }
        let reserved =
            StoreError::Reserved { free_mib: room.free >> 20, reserve_mib: reserve >> 20 };
        if !was_short {
            warn!(
                event = "store.reserve",
                disk.free_bytes = room.free,
                disk.reserve_bytes = reserve,
                "{reserved}"
            );
        }
        Err(reserved)
    }
}
