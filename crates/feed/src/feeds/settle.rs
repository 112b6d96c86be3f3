//! After a commit: erase what a withdrawal destroys, apply the entries to the catalog, show the view.
//!
//! The catalog's cursor tells what is left to do, so the same code serves a publication, a sync, a
//! restart after a crash and a rebuild. The cursor passes a withdrawal only after its erasure.

use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::task::{JoinError, spawn_blocking};

use super::large::{ORDINARY_BYTES, decoded};
use super::{Feeds, Handle, OpenError, View};
use crate::block::{Block, SEGMENT_ENTRIES};
use crate::bodies;
use crate::judge::Judge;
use crate::ports::CatalogError;
use crate::row::{BodyState, CatalogBatch, Validity};
use crate::statement::{Said, Statement};

/// Segments that are read and whose proofs are checked while an earlier one is applied: enough for all
/// cores, little enough that three of the greatest length fit the memory of a small node.
const SEGMENTS_AHEAD: usize = 2;

/// Entries that were just made or verified, so that they need not be read back.
pub(super) struct Fresh {
    /// From the catalog's cursor on.
    pub(super) blocks: Vec<Block>,
    /// Whether we signed them ourselves this moment.
    pub(super) ours: bool,
}

/// A block with what became of its bodies.
type Checked = (Block, Vec<BodyState>);

/// What judging a block leads to.
struct Judged {
    batch: CatalogBatch,
    erase: Vec<u64>,
}

impl Feeds {
    /// Brings the catalog up to `view`, erasing on the way, and shows the view.
    pub(super) async fn settle(
        self: &Arc<Self>,
        handle: &Handle,
        mut view: View,
        fresh: Option<Fresh>,
    ) -> Result<(), OpenError> {
        self.disown(handle, &mut view).await?;
        let mut missing = self.still_missing(&view)?;
        let mut cursor = self.parts.catalog.cursor(&view.origin)?;
        if cursor > view.size() {
            // Rows of a commit that was never durable: sled may know more than the head after a crash.
            self.parts.catalog.forget(&view.origin)?;
            cursor = 0;
        }
        let (mut fresh, ours) =
            fresh.map_or((Vec::new(), false), |fresh| (fresh.blocks, fresh.ours));
        if fresh.first().is_some_and(|block| block.first != cursor) {
            fresh.clear();
        }
        let mut fresh = fresh.into_iter().peekable();
        let sealed = if fresh.peek().is_none() { view.sealed() } else { 0 };
        let mut ahead = std::pin::pin!(self.segments_ahead(&view, cursor, sealed));
        while cursor < view.size() {
            // Held until the block was applied: what is large is in memory once.
            let mut _turn = None;
            let (block, states) = match (fresh.next(), ahead.next().await) {
                (Some(block), _) if ours => {
                    let states = block.items.iter().map(|item| own_state(&item.said)).collect();
                    (block, states)
                }
                (Some(block), _) => self.check(&view, block).await?,
                (None, Some(Ok(Some(checked)))) => checked,
                (None, Some(Err(why))) => return Err(why),
                (None, later) => {
                    let bytes = if later.is_some() { usize::MAX } else { view.tail_bytes };
                    _turn = self.large.segment(bytes).await;
                    self.check(&view, self.block_at(&view, cursor).await?).await?
                }
            };
            let judged = self.judge_block(&view, block, states, ours).await?;
            let end = judged.batch.from + judged.batch.rows.len() as u64;
            let states = judged.batch.rows.iter().zip(judged.batch.from..);
            missing
                .extend(states.filter(|(row, _)| row.body == BodyState::Missing).map(|(_, at)| at));
            if !judged.erase.is_empty() {
                self.erase(&mut view, &judged.erase).await?;
                missing.retain(|index| !judged.erase.contains(index));
            }
            self.parts.catalog.apply(&judged.batch)?;
            cursor = end;
        }
        view.missing = Arc::new(self.remember_missing(&view, missing)?);
        view.audience = self.audience_of(&view).await;
        self.show(handle, view);
        self.networks_after(&handle.origin).await;
        Ok(())
    }

    /// The entries that are known to lack a body: of the view shown before, or at a start of the
    /// memo that the last run left.
    fn still_missing(&self, view: &View) -> Result<Vec<u64>, CatalogError> {
        if let Some(before) = self.view(&view.origin) {
            return Ok(before.missing.as_ref().clone());
        }
        let memo = self.parts.catalog.memo(&missing_memo(view))?;
        Ok(memo.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    fn remember_missing(
        &self,
        view: &View,
        mut missing: Vec<u64>,
    ) -> Result<Vec<u64>, CatalogError> {
        missing.sort_unstable();
        missing.dedup();
        missing.retain(|index| *index < view.size());
        if missing != self.still_missing(view)? {
            let bytes = serde_json::to_vec(&missing).unwrap_or_default();
            self.parts.catalog.set_memo(&missing_memo(view), Some(&bytes))?;
        }
        Ok(missing)
    }

    /// The entries from `index` on, to the end of the segment or frame they stand in.
    async fn block_at(&self, view: &View, index: u64) -> Result<Block, OpenError> {
        let block = if index < view.sealed() {
            from(self.read_segment(&view.origin, index / SEGMENT_ENTRIES, Some(view)).await?, index)
        } else {
            let tail = self.read_tail(view).await?;
            tail.iter()
                .find(|block| block.end() > index)
                .and_then(|block| from(block.clone(), index))
        };
        block.ok_or_else(|| OpenError::Empty { origin: view.origin.clone() })
    }

    /// The sealed entries from `cursor` on, a segment at a time, with what became of their bodies; of what is
    /// large `None`, for it is not decoded before it is needed.
    fn segments_ahead(
        self: &Arc<Self>,
        view: &View,
        cursor: u64,
        sealed: u64,
    ) -> impl Stream<Item = Result<Option<Checked>, OpenError>> + use<> {
        let (feeds, view) = (Arc::clone(self), Arc::new(view.clone()));
        let numbers = cursor / SEGMENT_ENTRIES..sealed / SEGMENT_ENTRIES;
        let checked = stream::iter(numbers).map(move |number| {
            let (feeds, view) = (Arc::clone(&feeds), Arc::clone(&view));
            // Its own task, so that it goes on while nobody asks.
            let task = tokio::spawn(async move {
                let index = cursor.max(number * SEGMENT_ENTRIES);
                let bytes = feeds.segment_bytes(&view.origin, number).await?;
                if decoded(&bytes) > ORDINARY_BYTES {
                    return Ok(None);
                }
                let block = from(feeds.checked_segment(&view, number, &bytes)?, index);
                let block = block.ok_or_else(|| feeds.damaged_segment(&view.origin, number))?;
                feeds.check(&view, block).await.map(Some)
            });
            async { task.await.map_err(|error| stopped(&error))? }
        });
        checked.buffered(SEGMENTS_AHEAD)
    }

    /// A block with what became of its bodies.
    async fn check(&self, view: &View, block: Block) -> Result<Checked, OpenError> {
        let (origin, keys) = (view.origin.clone(), Arc::clone(&view.keys));
        let disowning = Arc::clone(&view.disowning);
        let work = move || {
            let states = bodies::check_block(&origin, &block, &keys, &disowning);
            (block, states)
        };
        Ok(spawn_blocking(work).await.map_err(|error| stopped(&error))?)
    }

    async fn judge_block(
        &self,
        view: &View,
        block: Block,
        states: Vec<BodyState>,
        ours: bool,
    ) -> Result<Judged, CatalogError> {
        let (catalog, origin) = (Arc::clone(&self.parts.catalog), view.origin.clone());
        let work = move || judge(catalog.as_ref(), origin, &block, states);
        if ours { work() } else { spawn_blocking(work).await.map_err(|error| stopped(&error))? }
    }
}

/// What stands in a block from `index` on; `None` if it ends before.
fn from(mut block: Block, index: u64) -> Option<Block> {
    let skip = usize::try_from(index.saturating_sub(block.first)).ok()?;
    block.items.drain(..skip.min(block.items.len()));
    block.first = block.first.max(index);
    (!block.items.is_empty()).then_some(block)
}

fn stopped(error: &JoinError) -> CatalogError {
    CatalogError::Backend { reason: error.to_string() }
}

fn missing_memo(view: &View) -> String {
    format!("missing/{}", view.origin)
}

fn own_state(said: &Said) -> BodyState {
    if said.body().is_some() { BodyState::Held } else { BodyState::None }
}

fn judge(
    catalog: &dyn crate::ports::Catalog,
    origin: tlog::name::Origin,
    block: &Block,
    states: Vec<BodyState>,
) -> Result<Judged, CatalogError> {
    let mut judge = Judge::new(catalog, origin)?;
    let mut erase = Vec::new();
    for (item, state) in block.items.iter().zip(states) {
        let validity = judge.push(&item.said, state)?;
        if let (Validity::Valid, Said::Statement(Statement::Withdraw { erase: indices, .. })) =
            (validity, &item.said)
        {
            erase.extend(judge.erase(indices)?);
        }
        if judge.revives_erased()? {
            erase.push(judge.next() - 1);
        }
    }
    erase.sort_unstable();
    erase.dedup();
    let states = erase.iter().map(|index| (*index, BodyState::Erased)).collect();
    Ok(Judged { batch: judge.into_batch(states), erase })
}
