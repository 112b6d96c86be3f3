//! Erasure: after a valid withdrawal the bodies it names are destroyed in segments, head, caches and index.
//! The log keeps verifying: entries stay, only what they commit to is gone.
//!
//! Done again after a crash, as the catalog's cursor has not passed the withdrawal; doing it twice
//! changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tlog::name::Origin;

use super::{BlockPlace, Feeds, OpenError, View};
use crate::advance::{Advance, HeadChange, HeadMark};
use crate::block::{Block, SEGMENT_ENTRIES};
use crate::head::{Commit, Frame, Head, HeadError};
use crate::ports::{CommitError, Fact, StoreError};
use crate::search::{Forget, SearchError};
use crate::verify::{self, VerifyError};

/// Who keeps words of bodies beside the facts, and what was erased before anybody said so.
#[derive(Default)]
pub(super) struct Words {
    keeper: OnceLock<Arc<dyn Forget>>,
    /// As few as were erased between the opening of the feeds and that of the index.
    erased: Mutex<BTreeMap<Origin, BTreeSet<u64>>>,
}

impl Feeds {
    /// From now on `keeper` loses what is erased before the erasure counts as done; what was erased since
    /// the feeds were opened, at once. The first one stays.
    ///
    /// # Errors
    /// When the keeper could not lose it: it must not be used then.
    pub async fn keep_words_in(&self, keeper: Arc<dyn Forget>) -> Result<(), SearchError> {
        let waiting = {
            let mut erased = self.words.erased.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = self.words.keeper.set(Arc::clone(&keeper));
            std::mem::take(&mut *erased)
        };
        for (origin, indices) in waiting {
            keeper.forget(&origin, &indices.into_iter().collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    /// Destroys what stands of these bodies beside the facts.
    async fn forget_words(&self, origin: &Origin, indices: &[u64]) -> Result<(), SearchError> {
        let keeper = {
            let mut erased = self.words.erased.lock().unwrap_or_else(PoisonError::into_inner);
            let keeper = self.words.keeper.get().cloned();
            if keeper.is_none() {
                erased.entry(origin.clone()).or_default().extend(indices);
            }
            keeper
        };
        match keeper {
            Some(keeper) => keeper.forget(origin, indices).await,
            None => Ok(()),
        }
    }

    /// Destroys the bodies at `indices`, and sets the view's mark to the head without them.
    pub(super) async fn erase(
        self: &Arc<Self>,
        view: &mut View,
        indices: &[u64],
    ) -> Result<(), OpenError> {
        let (sealed, tail): (Vec<u64>, Vec<u64>) =
            indices.iter().partition(|index| **index < view.sealed());
        let segments: BTreeSet<u64> = sealed.iter().map(|index| index / SEGMENT_ENTRIES).collect();
        for number in segments {
            let mut block = self.read_segment(&view.origin, number, Some(view)).await?;
            if strip(&mut block, &sealed) {
                let root = self.segment_root_of(view, number)?;
                for fact in verify::segment_facts(&view.origin, &block, number, &root, None)? {
                    if matches!(fact.fact(), Fact::Segment(_)) {
                        self.parts.store.keep(&fact).await?;
                    }
                }
            }
            self.blocks.invalidate(&(view.origin.clone(), BlockPlace::Segment(number)));
        }
        if !tail.is_empty() {
            self.erase_in_head(view, &tail).await?;
        }
        // Last, so that nobody reads there what is gone here.
        Ok(self.forget_words(&view.origin, indices).await?)
    }

    async fn erase_in_head(&self, view: &mut View, indices: &[u64]) -> Result<(), OpenError> {
        let bytes = self.parts.store.fact(&view.origin, &Fact::Head).await?;
        let bytes = bytes.ok_or(OpenError::Empty { origin: view.origin.clone() })?;
        let (mut head, _) = Head::read(&bytes).map_err(VerifyError::from)?;
        let mut changed = false;
        for commit in &mut head.commits {
            if let Some(stripped) = strip_commit(commit, indices).map_err(VerifyError::from)? {
                *commit = stripped;
                changed = true;
            }
        }
        if !changed {
            return Ok(());
        }
        let tip = head
            .commits
            .last()
            .and_then(Commit::tip)
            .ok_or(VerifyError::Head(HeadError::NoCommit))?;
        let bytes = head.encode();
        let to = HeadMark { bytes: bytes.len() as u64, tip };
        let advance =
            Advance::new(view.origin.clone(), Some(view.mark), to, HeadChange::Replace(bytes));
        self.parts.store.commit(&advance).await.map_err(store_error)?;
        self.blocks.invalidate(&(view.origin.clone(), BlockPlace::Tail(view.mark)));
        self.heads.invalidate(&(view.origin.clone(), view.mark));
        view.mark = to;
        Ok(())
    }
}

/// The commit without the bodies at `indices`, `None` if it holds none of them.
fn strip_commit(commit: &Commit, indices: &[u64]) -> Result<Option<Commit>, HeadError> {
    let mut changed = false;
    let mut frames: Vec<Frame> = Vec::with_capacity(commit.frames.len());
    for frame in &commit.frames {
        let end = frame.first.saturating_add(u64::from(frame.count));
        let mut stripped = None;
        if indices.iter().any(|index| (frame.first..end).contains(index)) {
            let mut block = frame.open()?;
            if strip(&mut block, indices) {
                stripped = Commit::write(&commit.note, &[block])?.frames.pop();
                changed = true;
            }
        }
        frames.push(stripped.unwrap_or_else(|| frame.clone()));
    }
    if changed { Ok(Some(Commit::from_frames(commit.note.clone(), frames)?)) } else { Ok(None) }
}

/// Removes bodies from a block; whether there was one to remove.
pub(super) fn strip(block: &mut Block, indices: &[u64]) -> bool {
    let mut changed = false;
    for (index, item) in (block.first..).zip(&mut block.items) {
        if item.body.is_some() && indices.contains(&index) {
            item.body = None;
            changed = true;
        }
    }
    changed
}

pub(super) fn store_error(error: CommitError) -> StoreError {
    match error {
        CommitError::Refused(error) | CommitError::Unknown { source: error, .. } => error,
        CommitError::Conflict { origin } => StoreError::Refused {
            what: format!("facts/{origin}/head"),
            why: "it changed under this writer; is another process using the directory?".to_owned(),
        },
    }
}
