//! What the disk lost of a followed feed, fetched again in the next round: a head that cannot be
//! opened, and sealed segments that could not be read back.
//!
//! Our own feeds are never healed by themselves: their author decides.

use tracing::{info, warn};

use super::erase::strip;
use super::{Feeds, Handle, SyncError, View};
use crate::ports::Carrier;
use crate::row::BodyState;
use crate::verify;

/// Segments fetched again in one round.
const SEGMENTS_MAX: usize = 16;

impl Feeds {
    /// Lets a verified feed take the place of a head that could not be opened.
    pub(super) async fn give_way(&self, handle: &Handle) -> Result<(), SyncError> {
        if let Some(reason) = handle.closed() {
            let origin = &handle.origin;
            warn!(feed.origin = %origin, "`{origin}` begins anew: what was stored could not be opened: {reason}");
            self.parts.store.cut(origin, 0).await?;
            self.parts.catalog.forget(origin)?;
            handle.set_closed(None);
        }
        Ok(())
    }

    /// Fetches segments again that could not be read back.
    pub(super) async fn heal_segments(
        &self,
        handle: &Handle,
        view: &View,
        carrier: &dyn Carrier,
    ) -> Result<(), SyncError> {
        let numbers: Vec<u64> = handle.damaged().iter().copied().take(SEGMENTS_MAX).collect();
        for number in numbers {
            if self.read_segment(&handle.origin, number, Some(view)).await.is_err() {
                self.heal_segment(handle, view, carrier, number).await?;
            }
            handle.damaged().remove(&number);
        }
        Ok(())
    }

    async fn heal_segment(
        &self,
        handle: &Handle,
        view: &View,
        carrier: &dyn Carrier,
        number: u64,
    ) -> Result<(), SyncError> {
        let origin = &handle.origin;
        let bytes = carrier.segment(origin, number).await?;
        let root = self.segment_root_of(view, number)?;
        let _writer = handle.writer.lock().await;
        let mut block = verify::segment(&bytes, number, &root)?;
        // What was erased here does not come back with it.
        let mut erased = Vec::new();
        for index in block.first..block.end() {
            let row = self.parts.catalog.row(origin, index)?;
            erased.extend(row.filter(|row| row.body == BodyState::Erased).map(|_| index));
        }
        strip(&mut block, &erased);
        for fact in &verify::segment_facts(origin, &block, number, &root, None)? {
            self.parts.store.keep(fact).await?;
        }
        info!(feed.origin = %origin, "segment {number} of `{origin}` was damaged here and is whole again");
        Ok(())
    }
}
