//! Erasure: what was taken from a body leaves the index before a receipt may say that the body is gone.
//!
//! A deleted document still lies in its segment, words and all, until that segment is merged. So this
//! deletes, commits, merges every segment whose list of terms still has the entry, and removes the files.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use feed::search::{Forget, SearchError};
use tantivy::Term;
use tlog::name::Origin;

use crate::document::entry_key;
use crate::index::{Index, Shared, Writer, failed};

/// Merges that can be under way when we ask for ours, before we call it a failure.
const ROUNDS_MAX: usize = 16;

#[async_trait]
impl Forget for Index {
    async fn forget(&self, origin: &Origin, indices: &[u64]) -> Result<(), SearchError> {
        let index = self.clone();
        let (origin, indices) = (origin.clone(), indices.to_vec());
        let work = move || index.shared.forget(&origin, &indices);
        tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?
    }
}

impl Shared {
    fn forget(&self, origin: &Origin, indices: &[u64]) -> Result<(), SearchError> {
        let writer = &mut *self.writer.blocking_lock();
        writer.forgotten.extend(indices.iter().map(|index| (origin.clone(), *index)));
        if self.destroyed.load(Ordering::Acquire) {
            return Ok(());
        }
        let terms: Vec<Term> = indices
            .iter()
            .map(|index| Term::from_field_text(self.fields.entry, &entry_key(origin, *index)))
            .collect();
        match self.purge(writer, &terms) {
            Ok(()) => Ok(()),
            Err(error) => self.destroy(&error),
        }
    }

    fn purge(&self, writer: &mut Writer, terms: &[Term]) -> Result<(), SearchError> {
        if self.holding(terms)?.is_empty() {
            return Ok(());
        }
        for term in terms {
            writer.tantivy.delete_term(term.clone());
        }
        let sequence = writer.sequence;
        self.commit(writer, sequence)?;
        for _ in 0..ROUNDS_MAX {
            let segments = self.holding(terms)?;
            if segments.is_empty() {
                return self.remove_files(writer);
            }
            // One that a merge of its own is working on cannot be merged twice: then it is the next round's.
            if let Err(error) = writer.tantivy.merge(&segments).wait() {
                tracing::debug!("a merge was refused: {error}");
                std::thread::yield_now();
            }
            self.commit(writer, sequence)?;
        }
        Err(failed(&"segments with erased words could not be merged"))
    }

    /// The segments that still have something of these entries, deleted or not.
    fn holding(&self, terms: &[Term]) -> Result<Vec<tantivy::index::SegmentId>, SearchError> {
        self.reader.reload().map_err(|error| failed(&error))?;
        let searcher = self.reader.searcher();
        let mut holding = Vec::new();
        for reader in searcher.segment_readers() {
            let index = reader.inverted_index(self.fields.entry).map_err(|error| failed(&error))?;
            for term in terms {
                if index.get_term_info(term).map_err(|error| failed(&error))?.is_some() {
                    holding.push(reader.segment_id());
                    break;
                }
            }
        }
        Ok(holding)
    }

    /// Removes the files of segments that were merged: once nobody searches in them.
    fn remove_files(&self, writer: &Writer) -> Result<(), SearchError> {
        let _nobody_searches = self.searching.write().unwrap_or_else(PoisonError::into_inner);
        self.reader.reload().map_err(|error| failed(&error))?;
        writer.tantivy.garbage_collect_files().wait().map_err(|error| failed(&error))?;
        Ok(())
    }

    /// The last resort, for an index that fails: all of it is deleted, and made anew at the next start.
    fn destroy(&self, reason: &SearchError) -> Result<(), SearchError> {
        tracing::error!(
            event = "search.deleted",
            "the search index is deleted, and made anew when the node starts again: {reason}"
        );
        self.destroyed.store(true, Ordering::Release);
        match &self.directory {
            Some(directory) if directory.exists() => {
                std::fs::remove_dir_all(directory).map_err(|error| failed(&error))
            }
            _ => Ok(()),
        }
    }
}
