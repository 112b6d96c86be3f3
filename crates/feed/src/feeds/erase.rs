//! Erasure: after a valid withdrawal the bodies it names are destroyed in segments, head and caches.
//! The log keeps verifying: entries stay, only what they commit to is gone.
//!
//! Done again after a crash, as the catalog's cursor has not passed the withdrawal; doing it twice
//! changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{BlockPlace, Feeds, OpenError, View};
use crate::advance::{Advance, HeadChange, HeadMark};
use crate::block::{Block, SEGMENT_ENTRIES};
use crate::head::{Commit, Frame, Head, HeadError};
use crate::ports::{CommitError, Fact, StoreError};
use crate::verify::{self, VerifyError};

impl Feeds {
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
        Ok(())
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
        self.blocks.invalidate(&(view.origin.clone(), BlockPlace::Tail(view.mark.tip)));
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
