//! Entries where they are stored: a segment, or the tail of the head; decoded, hashed against the tree,
//! and kept for a while for the next reader.

use std::sync::Arc;

use bytes::Bytes;
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::tile::Tile;
use tracing::debug;

use super::large::{Turn, decoded};
use super::read::{ReadError, damaged, within};
use super::{BlockPlace, Feeds, OpenError, View};
use crate::block::{self, Block, Item, SEGMENT_ENTRIES};
use crate::head::Head;
use crate::ports::{CatalogError, Fact};
use crate::verify::VerifyError;

impl Feeds {
    /// The item at an index, checked against the tree.
    pub(super) async fn item(&self, view: &View, index: u64) -> Result<Item, ReadError> {
        within(view, index)?;
        let (blocks, _turn) = self.blocks_holding(view, index).await?;
        // As a part of its segment it would keep all of that in memory while a slow reader takes it.
        Ok(find(view, &blocks, index)?.detached())
    }

    /// The segment, or the tail, in which an entry stands, and the turn to hold it in memory.
    pub(super) async fn blocks_holding(
        &self,
        view: &View,
        index: u64,
    ) -> Result<(Arc<Vec<Block>>, Turn), ReadError> {
        let damaged = |error: OpenError| damaged(&view.origin, index, &error);
        if index >= view.sealed() {
            let turn = self.large.segment(view.tail_bytes).await;
            return Ok((self.read_tail(view).await.map_err(damaged)?, turn));
        }
        let number = index / SEGMENT_ENTRIES;
        let key = (view.origin.clone(), BlockPlace::Segment(number));
        if let Some(blocks) = self.blocks.get(&key) {
            return Ok((blocks, None));
        }
        let bytes = self.segment_bytes(&view.origin, number).await.map_err(damaged)?;
        let turn = self.large.segment(decoded(&bytes)).await;
        let block = self.open_segment(&view.origin, number, &bytes, Some(view)).map_err(damaged)?;
        Ok((block, turn))
    }

    /// The leaf hashes of a sealed segment, from its tile if that is whole, else from its entries.
    pub(super) async fn leaves(&self, view: &View, number: u64) -> Result<Vec<Hash>, ReadError> {
        let root = self
            .segment_root_of(view, number)
            .map_err(|error| damaged(&view.origin, number, &error))?;
        if let Ok(tile) = Tile::new(0, number, 256)
            && let Some(bytes) = self.parts.store.fact(&view.origin, &Fact::Tile(tile)).await?
            && let Ok(hashes) = tlog::tile::hashes(&bytes)
            && block::root_of(&hashes) == Some(root)
        {
            return Ok(hashes);
        }
        let block = self.read_segment(&view.origin, number, Some(view)).await;
        Ok(block.map_err(|error| damaged(&view.origin, number * SEGMENT_ENTRIES, &error))?.leaves())
    }

    pub(super) fn segment_root_of(&self, view: &View, number: u64) -> Result<Hash, VerifyError> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        view.tree.segments().get(at).copied().ok_or(VerifyError::Segment { number })
    }

    /// A segment, decoded; checked against the tree of `view` where there is one.
    pub(super) async fn read_segment(
        &self,
        origin: &Origin,
        number: u64,
        view: Option<&View>,
    ) -> Result<Block, OpenError> {
        let blocks = match self.blocks.get(&(origin.clone(), BlockPlace::Segment(number))) {
            Some(blocks) => blocks,
            None => {
                let bytes = self.segment_bytes(origin, number).await?;
                self.open_segment(origin, number, &bytes, view)?
            }
        };
        blocks.first().cloned().ok_or_else(|| OpenError::Damaged { origin: origin.clone(), number })
    }

    /// A segment as it is stored.
    pub(super) async fn segment_bytes(
        &self,
        origin: &Origin,
        number: u64,
    ) -> Result<Bytes, OpenError> {
        let bytes = self.parts.store.fact(origin, &Fact::Segment(number)).await?;
        bytes.ok_or_else(|| self.damaged_segment(origin, number))
    }

    /// Decodes a segment, and keeps it for the next reader if it was checked against the tree of `view`.
    pub(super) fn open_segment(
        &self,
        origin: &Origin,
        number: u64,
        bytes: &Bytes,
        view: Option<&View>,
    ) -> Result<Arc<Vec<Block>>, OpenError> {
        let Some(view) = view else {
            let block = block::open_segment(bytes, number);
            return Ok(Arc::new(vec![block.map_err(|_| self.damaged_segment(origin, number))?]));
        };
        let blocks = Arc::new(vec![self.checked_segment(view, number, bytes)?]);
        let key = (origin.clone(), BlockPlace::Segment(number));
        self.blocks.insert(key, Arc::clone(&blocks));
        Ok(blocks)
    }

    /// Decodes a segment and checks it against the tree of `view`.
    pub(super) fn checked_segment(
        &self,
        view: &View,
        number: u64,
        bytes: &Bytes,
    ) -> Result<Block, OpenError> {
        let damaged = || self.damaged_segment(&view.origin, number);
        let known = self.stored_hash(&view.origin, number) == Some(Hash::of(bytes));
        let open = if known { block::reopen_segment } else { block::open_segment };
        let block = open(bytes, number).map_err(|_| damaged())?;
        if block.segment_root() == Some(self.segment_root_of(view, number)?) {
            Ok(block)
        } else {
            Err(damaged())
        }
    }

    /// The SHA-256 of a segment as it was stored or read when it was verified last.
    pub(super) fn stored_hash(&self, origin: &Origin, number: u64) -> Option<Hash> {
        // A memo may be lost: then the segment is verified once more.
        let memo = self.parts.catalog.memo(&stored_memo(origin, number)).ok().flatten()?;
        Hash::from_slice(&memo).ok()
    }

    /// Remembers it, over restarts.
    pub(super) fn remember_stored(&self, origin: &Origin, number: u64, stored: &Hash) {
        let memo = stored_memo(origin, number);
        if let Err(error) = self.parts.catalog.set_memo(&memo, Some(stored.as_bytes())) {
            debug!(feed.origin = %origin, "the hash of segment {number} was not kept: {error}");
        }
    }

    /// Forgets it for the first `segments` of a feed that is no longer held.
    pub(super) fn forget_stored(&self, origin: &Origin, segments: u64) -> Result<(), CatalogError> {
        (0..segments)
            .try_for_each(|number| self.parts.catalog.set_memo(&stored_memo(origin, number), None))
    }

    /// Notes that a segment cannot be read back: of a followed feed it is fetched again.
    pub(super) fn damaged_segment(&self, origin: &Origin, number: u64) -> OpenError {
        if let Some(handle) = self.handle(origin).filter(|handle| !handle.own) {
            handle.damaged().insert(number);
        }
        OpenError::Damaged { origin: origin.clone(), number }
    }

    /// The blocks of the tail, decoded.
    pub(super) async fn read_tail(&self, view: &View) -> Result<Arc<Vec<Block>>, OpenError> {
        let key = (view.origin.clone(), BlockPlace::Tail(view.mark));
        if let Some(blocks) = self.blocks.get(&key) {
            return Ok(blocks);
        }
        let empty = || OpenError::Empty { origin: view.origin.clone() };
        let bytes = self.parts.store.fact(&view.origin, &Fact::Head).await?.ok_or_else(empty)?;
        let (head, good) = Head::read(&bytes).map_err(VerifyError::from)?;
        let mut blocks = Vec::new();
        for frame in head.commits.iter().flat_map(|commit| &commit.frames) {
            blocks.push(frame.open().map_err(VerifyError::from)?);
        }
        let blocks = Arc::new(blocks);
        if head.mark(good) == Some(view.mark) {
            self.blocks.insert(key, Arc::clone(&blocks));
        }
        Ok(blocks)
    }
}

fn stored_memo(origin: &Origin, number: u64) -> String {
    format!("segment/{origin}/{number}")
}

/// The item at an index among decoded blocks; one of the tail is hashed again.
pub(super) fn find(view: &View, blocks: &[Block], index: u64) -> Result<Item, ReadError> {
    let block = blocks.iter().find(|block| (block.first..block.end()).contains(&index));
    let at =
        |block: &Block| usize::try_from(index.saturating_sub(block.first)).unwrap_or(usize::MAX);
    let item = block.and_then(|block| block.items.get(at(block)).cloned());
    let held =
        |item: &Item| index < view.sealed() || view.tree.tail_leaf(index) == Some(item.leaf());
    item.filter(held)
        .ok_or_else(|| damaged(&view.origin, index, &"the entry is not where it should be"))
}
