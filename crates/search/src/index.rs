//! The index on disk: opening it, or beginning it anew, and writing to it.
//!
//! It holds nothing that is not in the facts. So whatever is wrong with it, another form, another version of
//! the analysers or damage, the answer is the same: an empty one in its place, filled again by the tail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use feed::search::{Progress, SearchError};
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, Term};
use tlog::name::{NodeName, Origin};
use tokio::sync::Mutex;

use crate::fields::{Fields, VERSION};
use crate::tokens::tokenizers;

/// Memory of the writer, in bytes: a small node has 512 MB for everything.
const WRITER_BYTES: usize = 32 << 20;

/// The search index of one node. Cheap to clone.
#[derive(Clone)]
pub struct Index {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones hold.
pub(crate) struct Shared {
    pub(crate) fields: Fields,
    pub(crate) reader: IndexReader,
    /// Whoever holds it may write; all that is written is committed before it is let go.
    pub(crate) writer: Mutex<Writer>,
    /// Taken for reading by whoever searches; for writing by whoever needs old files to be gone.
    pub(crate) searching: RwLock<()>,
    /// Where it lies, if on disk.
    pub(crate) directory: Option<PathBuf>,
    /// Whether it was destroyed, because something in it could not be forgotten otherwise.
    pub(crate) destroyed: AtomicBool,
    /// The nodes of each group of the networks known, by the value of the facet.
    pub(crate) groups: RwLock<Arc<BTreeMap<String, BTreeSet<NodeName>>>>,
    sequence: AtomicU64,
    of: AtomicU64,
}

/// The one writer.
pub(crate) struct Writer {
    pub(crate) tantivy: IndexWriter,
    /// Entries forgotten since the start: a reader that was quicker may still bring their bodies.
    pub(crate) forgotten: BTreeSet<(Origin, u64)>,
    /// The last change of the catalog that was committed.
    pub(crate) sequence: u64,
}

/// What stands beside the segments of a commit.
#[derive(Serialize, Deserialize)]
struct Payload {
    version: u32,
    sequence: u64,
}

impl Index {
    /// Opens the index in `directory`, or begins one there: also in place of one of another version, or that
    /// cannot be read.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn open(directory: &Path) -> Result<Self, SearchError> {
        match Self::open_existing(directory) {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(
                    event = "search.made-anew",
                    "the search index is made anew: {error}"
                );
            }
        }
        if directory.exists() {
            std::fs::remove_dir_all(directory).map_err(|error| failed(&error))?;
        }
        std::fs::create_dir_all(directory).map_err(|error| failed(&error))?;
        let place = MmapDirectory::open(directory).map_err(|error| failed(&error))?;
        let fields = Fields::new();
        let inner = tantivy::Index::builder()
            .schema(fields.schema.clone())
            .tokenizers(tokenizers())
            .open_or_create(place)
            .map_err(|error| failed(&error))?;
        Self::of(fields, &inner, Some(directory.to_owned()), 0)
    }

    /// An index in memory, for tests and for programs that keep nothing.
    ///
    /// # Errors
    /// When its writer cannot be started.
    pub fn in_memory() -> Result<Self, SearchError> {
        let fields = Fields::new();
        let mut inner = tantivy::Index::create_in_ram(fields.schema.clone());
        inner.set_tokenizers(tokenizers());
        Self::of(fields, &inner, None, 0)
    }

    fn open_existing(directory: &Path) -> Result<Option<Self>, SearchError> {
        if !directory.join("meta.json").exists() {
            return Ok(None);
        }
        let fields = Fields::new();
        let mut inner = tantivy::Index::open_in_dir(directory).map_err(|error| failed(&error))?;
        let payload = inner.load_metas().map_err(|error| failed(&error))?.payload;
        let payload: Option<Payload> = payload.and_then(|text| serde_json::from_str(&text).ok());
        // One that was never committed is as good as none.
        let Some(payload) = payload.filter(|payload| payload.version == VERSION) else {
            return Ok(None);
        };
        if inner.schema() != fields.schema {
            return Ok(None);
        }
        inner.set_tokenizers(tokenizers());
        Self::of(fields, &inner, Some(directory.to_owned()), payload.sequence).map(Some)
    }

    fn of(
        fields: Fields,
        inner: &tantivy::Index,
        directory: Option<PathBuf>,
        sequence: u64,
    ) -> Result<Self, SearchError> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(WRITER_BYTES)
            .build();
        let writer = inner.writer_with_options(options).map_err(|error| failed(&error))?;
        let reader = inner.reader_builder().reload_policy(ReloadPolicy::Manual).try_into();
        let reader = reader.map_err(|error: tantivy::TantivyError| failed(&error))?;
        let shared = Shared {
            fields,
            reader,
            writer: Mutex::new(Writer { tantivy: writer, forgotten: BTreeSet::new(), sequence }),
            searching: RwLock::new(()),
            directory,
            destroyed: AtomicBool::new(false),
            groups: RwLock::default(),
            sequence: AtomicU64::new(sequence),
            of: AtomicU64::new(sequence),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("progress", &self.shared.progress()).finish_non_exhaustive()
    }
}

/// What becomes of one record.
pub(crate) struct Change {
    /// The term of the record.
    pub(crate) record: String,
    /// Its document now, and the entry whose body is in it; none if nothing of it is shown.
    pub(crate) document: Option<(TantivyDocument, Option<(Origin, u64)>)>,
}

impl Shared {
    /// Puts changes into the index and commits them: all that leads up to `sequence`.
    pub(crate) fn write(&self, changes: Vec<Change>, sequence: u64) -> Result<(), SearchError> {
        let writer = &mut *self.writer.blocking_lock();
        self.usable()?;
        let written = changes.into_iter().try_for_each(|change| {
            writer.tantivy.delete_term(Term::from_field_text(self.fields.record, &change.record));
            match change.document {
                // What was forgotten meanwhile is not brought back by whoever read it before.
                Some((_, Some(entry))) if writer.forgotten.contains(&entry) => Ok(()),
                Some((document, _)) => writer.tantivy.add_document(document).map(|_| ()),
                None => Ok(()),
            }
        });
        written.map_err(|error| failed(&error))?;
        self.commit(writer, sequence)
    }

    /// Deletes every record of these feeds, which are held no longer.
    pub(crate) fn drop_feeds(&self, feeds: &[String]) -> Result<(), SearchError> {
        let writer = &mut *self.writer.blocking_lock();
        self.usable()?;
        let field = self.fields.facet(feed::search::Facet::Feed);
        for feed in feeds {
            writer.tantivy.delete_term(Term::from_field_text(field, feed));
        }
        let sequence = writer.sequence;
        self.commit(writer, sequence)
    }

    /// Empties it, to be filled from the first change on.
    pub(crate) fn clear(&self) -> Result<(), SearchError> {
        let writer = &mut *self.writer.blocking_lock();
        self.usable()?;
        writer.tantivy.delete_all_documents().map_err(|error| failed(&error))?;
        self.commit(writer, 0)
    }

    pub(crate) fn commit(&self, writer: &mut Writer, sequence: u64) -> Result<(), SearchError> {
        let payload = Payload { version: VERSION, sequence };
        let payload = serde_json::to_string(&payload).map_err(|error| failed(&error))?;
        let mut prepared = writer.tantivy.prepare_commit().map_err(|error| failed(&error))?;
        prepared.set_payload(&payload);
        prepared.commit().map_err(|error| failed(&error))?;
        self.reader.reload().map_err(|error| failed(&error))?;
        writer.sequence = sequence;
        self.sequence.store(sequence, Ordering::Release);
        Ok(())
    }

    pub(crate) fn usable(&self) -> Result<(), SearchError> {
        if self.destroyed.load(Ordering::Acquire) {
            let reason = "it was deleted, because words in it could not be erased otherwise; start the node again";
            return Err(SearchError::Index { reason: reason.to_owned() });
        }
        Ok(())
    }

    pub(crate) fn progress(&self) -> Progress {
        let sequence = self.sequence.load(Ordering::Acquire);
        Progress { sequence, of: self.of.load(Ordering::Acquire).max(sequence) }
    }

    /// Notes how far the catalog is.
    pub(crate) fn note_last(&self, sequence: u64) {
        self.of.store(sequence, Ordering::Release);
    }

    pub(crate) fn groups(&self) -> Arc<BTreeMap<String, BTreeSet<NodeName>>> {
        Arc::clone(&self.groups.read().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) fn failed(error: &dyn std::fmt::Display) -> SearchError {
    SearchError::Index { reason: error.to_string() }
}
