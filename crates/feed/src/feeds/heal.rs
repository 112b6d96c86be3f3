//! What the disk lost of a followed feed, fetched again in the next round: a head that cannot be
//! opened, and sealed segments that could not be read back.
//!
//! A round heals copies only; [`scrub`](super::scrub) heals segments of our own feeds too.

use std::sync::Arc;

use bytes::Bytes;
use tracing::{info, warn};

use super::erase::strip;
use super::large::decoded;
use super::{Feeds, Handle, SyncError, View};
use crate::bodies;
use crate::ports::{BodyAnswer, Carrier, CarrierError};
use crate::row::{BodyState, CatalogBatch};
use crate::verify;

/// Bodies asked for again in one round.
const BODIES_MAX: usize = 64;
/// Segments fetched again in one round.
const SEGMENTS_MAX: usize = 16;

impl Feeds {
    /// Lets a verified feed take the place of a head that could not be opened.
    pub(super) async fn give_way(&self, handle: &Handle) -> Result<(), SyncError> {
        if let Some(reason) = handle.closed() {
            let origin = &handle.origin;
            warn!(event = "feed.begun-anew", feed.origin = %origin, "`{origin}` begins anew: what was stored could not be opened: {reason}");
            self.parts.store.cut(origin, 0).await?;
            self.parts.catalog.forget(origin)?;
            handle.set_closed(None);
        }
        Ok(())
    }

    /// Asks again for bodies that are missing.
    pub(super) async fn heal(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        carrier: &dyn Carrier,
    ) -> Result<(), SyncError> {
        let Some(view) = handle.view.load_full() else { return Ok(()) };
        self.heal_segments(handle, &view, carrier).await?;
        let mut found = Vec::new();
        for index in view.missing.iter().take(BODIES_MAX) {
            let item = self.item(&view, *index).await?;
            if let BodyAnswer::Body(bytes) = carrier.body(&handle.origin, *index).await?
                && bodies::may_stand(&item.said, &bytes)
            {
                found.push((*index, bytes));
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let (feeds, handle) = (Arc::clone(self), Arc::clone(handle));
        let work = async move {
            let _writer = handle.writer.lock().await;
            feeds.restore_bodies(&handle, found).await
        };
        tokio::spawn(work)
            .await
            .map_err(|error| SyncError::Stopped { reason: error.to_string() })?
    }

    async fn restore_bodies(
        self: &Arc<Self>,
        handle: &Handle,
        found: Vec<(u64, Bytes)>,
    ) -> Result<(), SyncError> {
        let Some(view) = handle.view.load_full() else { return Ok(()) };
        let mut view = View::clone(&view);
        let mut states: Vec<(u64, BodyState)> = Vec::new();
        for (index, bytes) in found {
            // Erased meanwhile: it must not come back.
            let row = self.parts.catalog.row(&handle.origin, index)?;
            if row.is_some_and(|row| row.body == BodyState::Missing) {
                states.push((index, self.put_body(&mut view, index, bytes).await?));
            }
        }
        let from = self.parts.catalog.cursor(&handle.origin)?;
        let missing =
            view.missing.iter().filter(|index| !states.iter().any(|(at, _)| at == *index));
        view.missing = Arc::new(missing.copied().collect());
        view.audience = self.audience_of(&view).await;
        let origin = handle.origin.clone();
        self.parts.catalog.apply(&CatalogBatch { origin, from, rows: Vec::new(), states })?;
        self.show(handle, view);
        Ok(())
    }

    /// Fetches segments again that could not be read back.
    async fn heal_segments(
        &self,
        handle: &Handle,
        view: &View,
        carrier: &dyn Carrier,
    ) -> Result<(), SyncError> {
        let numbers: Vec<u64> = handle.damaged().iter().copied().take(SEGMENTS_MAX).collect();
        for number in numbers {
            let read = {
                let _turn = self.large.segment(usize::MAX).await;
                self.read_segment(&handle.origin, number, Some(view)).await.map(drop)
            };
            if read.is_err() {
                self.heal_segment(handle, view, carrier, number).await?;
            }
            handle.damaged().remove(&number);
        }
        Ok(())
    }

    pub(super) async fn heal_segment(
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
        let _turn = self.large.segment(decoded(&bytes)).await;
        let mut block = verify::segment(&bytes, number, &root)?;
        // What was erased here does not come back with it.
        let mut erased = Vec::new();
        for index in block.first..block.end() {
            let row = self.parts.catalog.row(origin, index)?;
            erased.extend(row.filter(|row| row.body == BodyState::Erased).map(|_| index));
        }
        strip(&mut block, &erased);
        // Whoever leaves out a body that is held here would have us lose it.
        for (index, item) in (block.first..).zip(&block.items) {
            let lacks = item.body.is_none() && item.said.body().is_some();
            let row = if lacks { self.parts.catalog.row(origin, index)? } else { None };
            if row.is_some_and(|row| !matches!(row.body, BodyState::Missing | BodyState::Erased)) {
                let what = format!("the body at entry {index} of {origin}");
                return Err(CarrierError::NotFound { carrier: carrier.describe(), what }.into());
            }
        }
        for fact in &verify::segment_facts(origin, &block, number, &root, None)? {
            self.parts.store.keep(fact).await?;
        }
        info!(event = "feed.healed", feed.origin = %origin, "segment {number} of `{origin}` was damaged here and is whole again");
        Ok(())
    }
}
