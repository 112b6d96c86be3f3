//! What a person decided, and what this node noted for itself: one small file each.
//!
//! All of them are read once, at a start, and changed here alone. So this process knows every byte that must
//! be on disk, and [`scrub`](super::scrub) can put back what a disk lost.
//!
//! **Invariant:** a decision is compared and written by one task at a time: nothing puts back what was
//! just decided otherwise.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard};

use super::Feeds;
use crate::ports::StoreError;

/// The decisions by name, as they were read or written last. What could not be written is not in it: nobody
/// knows what is on disk.
#[derive(Debug, Default)]
pub(super) struct Decisions(Mutex<BTreeMap<String, Bytes>>);

impl Decisions {
    /// Whoever holds it may compare and write.
    pub(super) async fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.0.lock().await
    }
}

impl Feeds {
    /// Reads all of them, at a start.
    pub(super) async fn read_decisions(&self) -> Result<(), StoreError> {
        let mut known = self.decisions.lock().await;
        *known = self.parts.store.decisions().await?.into_iter().collect();
        Ok(())
    }

    /// The decisions, sorted by name.
    pub(super) async fn known_decisions(&self) -> Vec<(String, Bytes)> {
        let known = self.decisions.lock().await;
        known.iter().map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    }

    /// Writes one decision, or with `None` removes it. Durable when this returns.
    pub(super) async fn set_decision(
        &self,
        name: &str,
        bytes: Option<Bytes>,
    ) -> Result<(), StoreError> {
        let mut known = self.decisions.lock().await;
        known.remove(name);
        self.parts.store.set_decision(name, bytes.clone()).await?;
        if let Some(bytes) = bytes {
            known.insert(name.to_owned(), bytes);
        }
        Ok(())
    }
}
