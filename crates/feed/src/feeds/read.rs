//! Reading: what a peer, a page or a stranger's tool asks for, from own feeds and mirrors alike.
//!
//! Entries and bodies are hashed again against the tree in memory before they are given out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::proof_file::TlogProof;
use tlog::tile::{EntriesTile, Tile, TilePath};

use super::blocks::find;
use super::large::decoded;
use super::{Feeds, Rows, View};
use crate::block::{self, SEGMENT_ENTRIES};
use crate::head::{self, Commit, Head};
use crate::ports::{CatalogError, Fact, Since, StoreError};
use crate::row::{BodyState, Row, RowOp, Standing, Validity, current};
use crate::statement::{Said, Statement};
use crate::tree::TreeWithLeaves;
use crate::verify;

/// A wait for news is at most this long.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// Records on a page.
const PAGE_MAX: usize = 200;
/// Rows looked at for one page, so that a feed of withdrawn records does not hold up a reader.
const SCAN_MAX: u64 = 5_000;

/// One entry with what stands beside it.
#[derive(Clone, Debug)]
pub struct EntryRead {
    /// Its index.
    pub index: u64,
    /// The statement's bytes.
    pub entry: Bytes,
    /// The body.
    pub body: BodyRead,
}

/// The body at an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyRead {
    /// The statement names none.
    None,
    /// Held, and it hashes to the entry.
    Held(Bytes),
    /// Destroyed.
    Erased {
        /// The entry of the withdrawal that says so.
        withdrawal: u64,
    },
    /// Not received yet.
    Missing,
}

/// Which records of a feed.
#[derive(Clone, Debug)]
pub struct Page {
    /// Only entries below this index.
    pub before: Option<u64>,
    /// At most so many; 200 are given at most.
    pub limit: usize,
    /// Only this kind; without it, every kind that is not of trust.
    pub kind: Option<Kind>,
}

/// Current records, newest first.
#[derive(Clone, Debug)]
pub struct RecordsPage {
    /// The records.
    pub records: Vec<RecordSummary>,
    /// [`Page::before`] of the next page, if there may be one.
    pub next: Option<u64>,
}

/// Where the current version of a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSummary {
    /// The feed.
    pub origin: Origin,
    /// The entry.
    pub index: u64,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// The current version.
    pub version: u64,
    /// What became of its body.
    pub body: BodyState,
}

/// A record with its history.
#[derive(Clone, Debug)]
pub struct RecordRead {
    /// The feed.
    pub origin: Origin,
    /// The record.
    pub id: RecordId,
    /// What it is now.
    pub standing: Standing,
    /// All its entries.
    pub versions: Rows,
    /// The body of the current version, if it is held.
    pub body: Option<Body>,
}

impl Feeds {
    /// The signed note of the last commit, with the lines of cosigners known over it.
    pub async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, ReadError> {
        Ok(self.note_to_serve(&*self.known(origin)?))
    }

    /// What follows `size` (design 4.6). With a wait, held back until there is news or time is over.
    pub async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, ReadError> {
        let handle = self.handle(origin).ok_or_else(|| unknown(origin))?;
        let mut news = handle.size.subscribe();
        if let (Some(wait), Some(view)) = (wait, handle.view.load_full())
            && view.size() == size
        {
            let arrived = news.wait_for(|now| *now > size);
            let _ = tokio::time::timeout(wait.min(WAIT_MAX), arrived).await;
        }
        let view = self.known(origin)?;
        if view.size() == size {
            return Ok(Since::Nothing);
        }
        if view.size() < size {
            return Ok(Since::Shorter(view.note.clone()));
        }
        let read = self.head_of(&view).await?;
        let (mut head, bytes) = (read.0.clone(), &read.1);
        let held = head.commits.len();
        // What was just appended to a feed of ours is not shown before the high-water mark knows of it.
        let size_of = |commit: &Commit| {
            let note = verify::read_note(origin, &commit.note);
            note.map_err(|error| damaged(origin, 0, &error)).map(|note| note.checkpoint.size)
        };
        while let Some(last) = head.commits.last().filter(|_| view.own)
            && size_of(last)? > view.size()
        {
            head.commits.pop();
        }
        if head.commits.last().map(size_of).transpose()?.is_none_or(|last| last < view.size()) {
            return Err(damaged(origin, view.size(), &"the head is damaged"));
        }
        if size < head.sealed {
            let whole = head.commits.len() == held;
            return Ok(Since::Head(if whole { bytes.clone() } else { head.encode() }));
        }
        let after = head.commits.iter().skip_while(|commit| !commit.ends_after(size));
        Ok(Since::Commits(head::encode_since(after)))
    }

    /// The head on disk, as far as it is good.
    async fn head_of(&self, view: &View) -> Result<Arc<(Head, Bytes)>, ReadError> {
        let origin = &view.origin;
        let key = (origin.clone(), view.mark);
        if let Some(head) = self.heads.get(&key) {
            return Ok(head);
        }
        let bytes = self.parts.store.fact(origin, &Fact::Head).await?;
        let bytes = bytes.ok_or_else(|| unknown(origin))?;
        let (head, good) = Head::read(&bytes).map_err(|error| damaged(origin, 0, &error))?;
        let is_shown = head.mark(good) == Some(view.mark);
        let head = Arc::new((head, bytes.slice(..good)));
        if is_shown {
            self.heads.insert(key, Arc::clone(&head));
        }
        Ok(head)
    }

    /// A segment as it is stored: one zstd frame.
    pub async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, ReadError> {
        let view = self.known(origin)?;
        if number >= view.sealed() / SEGMENT_ENTRIES {
            return Err(ReadError::NotSealed {
                origin: origin.clone(),
                number,
                sealed: view.sealed(),
            });
        }
        let bytes = self.parts.store.fact(origin, &Fact::Segment(number)).await?;
        let root = self.segment_root_of(&view, number).ok();
        let seen = self.stored_hash(origin, number);
        let decodes = if seen.is_some() { 0 } else { bytes.as_ref().map_or(0, decoded) };
        let _turn = self.large.segment(decodes).await;
        // What the disk gave back is hashed again, away from the runtime's threads: down to its entries,
        // unless it is what was verified before.
        let check = move || {
            let bytes = bytes?;
            let stored = Hash::of(&bytes);
            if seen != Some(stored) {
                let block = block::open_segment(&bytes, number).ok()?;
                (block.segment_root() == root).then_some(())?;
            }
            Some((bytes, stored))
        };
        let checked = tokio::task::spawn_blocking(check).await.ok().flatten();
        let (bytes, stored) = checked.ok_or_else(|| {
            let index = number * SEGMENT_ENTRIES;
            damaged(origin, index, &self.damaged_segment(origin, number))
        })?;
        if seen != Some(stored) {
            self.remember_stored(origin, number, &stored);
        }
        Ok(bytes)
    }

    /// A hash tile or a bundle of entries, of any width that the current size allows.
    pub async fn tile(&self, origin: &Origin, path: &TilePath) -> Result<Bytes, ReadError> {
        let view = self.known(origin)?;
        if !path.exists_at(view.size()) {
            return Err(ReadError::NotFound { what: path.path() });
        }
        match path {
            TilePath::Hashes(tile) => self.hash_tile(&view, tile).await,
            TilePath::Entries(tile) => self.entries_tile(&view, tile).await,
        }
    }

    async fn hash_tile(&self, view: &View, tile: &Tile) -> Result<Bytes, ReadError> {
        let first = tile.index().saturating_mul(256);
        let count = u64::from(tile.width());
        let mut out = Vec::with_capacity(tile.bytes());
        if tile.level() == 0 && first < view.sealed() {
            let leaves = self.leaves(view, tile.index()).await?;
            out.extend(
                leaves.iter().take(usize::from(tile.width())).flat_map(|hash| *hash.as_bytes()),
            );
        } else {
            let level = tile.level().saturating_mul(8);
            for index in first..first.saturating_add(count) {
                let hash = view.tree.node_in_memory(level, index);
                let hash = hash.ok_or(ReadError::NotFound { what: tile.path() })?;
                out.extend(hash.as_bytes());
            }
        }
        Ok(out.into())
    }

    async fn entries_tile(&self, view: &View, tile: &EntriesTile) -> Result<Bytes, ReadError> {
        let first = tile.index().saturating_mul(SEGMENT_ENTRIES);
        let (blocks, _turn) = self.blocks_holding(view, first).await?;
        let mut entries = Vec::with_capacity(usize::from(tile.width()));
        for index in first..first.saturating_add(u64::from(tile.width())) {
            entries.push(find(view, &blocks, index)?.entry);
        }
        let bytes = tlog::tile::encode_entries(&entries);
        Ok(bytes.map_err(|error| damaged(&view.origin, first, &error))?.into())
    }

    /// One entry and its body, hashed again.
    pub async fn entry(&self, origin: &Origin, index: u64) -> Result<EntryRead, ReadError> {
        let view = self.known(origin)?;
        let item = self.item(&view, index).await?;
        let body = match (&item.body, item.said.body()) {
            (Some(body), _) => BodyRead::Held(body.clone()),
            (None, None) => BodyRead::None,
            (None, Some(_)) => self.absent(&view, index).await?,
        };
        Ok(EntryRead { index, entry: item.entry, body })
    }

    /// A proof that the entry stands in the log of the newest size, as a `.tlog-proof`.
    pub async fn proof(&self, origin: &Origin, index: u64) -> Result<String, ReadError> {
        let view = self.known(origin)?;
        within(&view, index)?;
        let segment = index / SEGMENT_ENTRIES;
        let leaves =
            if index < view.sealed() { self.leaves(&view, segment).await? } else { Vec::new() };
        let nodes = TreeWithLeaves { tree: &view.tree, segment, leaves: &leaves };
        let hashes = tlog::prove::prove_inclusion(index, view.size(), &nodes)
            .map_err(|error| damaged(origin, index, &error))?;
        let checkpoint = verify::read_note(origin, &self.note_to_serve(&view))
            .map_err(|error| damaged(origin, index, &error))?;
        Ok(TlogProof { extra: None, index, hashes, checkpoint }.to_string())
    }

    /// What a record is now.
    pub fn standing(&self, origin: &Origin, id: &RecordId) -> Result<Standing, ReadError> {
        Ok(current(&self.parts.catalog.rows_of(origin, id)?))
    }

    /// The current records of a feed, newest first.
    pub fn records(&self, origin: &Origin, page: &Page) -> Result<RecordsPage, ReadError> {
        let view = self.known(origin)?;
        let mut at = page.before.unwrap_or(u64::MAX).min(view.size());
        let stop = at.saturating_sub(SCAN_MAX);
        let limit = page.limit.clamp(1, PAGE_MAX);
        let mut records = Vec::new();
        while at > stop && records.len() < limit {
            at -= 1;
            records.extend(self.summary(origin, at, page.kind.as_ref())?);
        }
        Ok(RecordsPage { records, next: (at > 0).then_some(at) })
    }

    fn summary(
        &self,
        origin: &Origin,
        index: u64,
        wanted: Option<&Kind>,
    ) -> Result<Option<RecordSummary>, ReadError> {
        let Some(Row {
            op: RowOp::Publish { id, kind, version, .. },
            validity: Validity::Valid,
            body,
        }) = self.parts.catalog.row(origin, index)?
        else {
            return Ok(None);
        };
        let fits = wanted.map_or(!kind.is_trust(), |wanted| *wanted == kind);
        if !fits || self.standing(origin, &id)? != (Standing::Current { index, version }) {
            return Ok(None);
        }
        Ok(Some(RecordSummary { origin: origin.clone(), index, id, kind, version, body }))
    }

    /// A record with its history and its current body.
    pub async fn record(&self, origin: &Origin, id: &RecordId) -> Result<RecordRead, ReadError> {
        self.known(origin)?;
        let versions = self.parts.catalog.rows_of(origin, id)?;
        let standing = current(&versions);
        if standing == Standing::Absent && versions.is_empty() {
            return Err(ReadError::NotFound { what: id.to_string() });
        }
        let body = match standing {
            Standing::Current { index, .. } => match self.entry(origin, index).await?.body {
                BodyRead::Held(bytes) => Body::open(bytes).ok(),
                _ => None,
            },
            _ => None,
        };
        Ok(RecordRead { origin: origin.clone(), id: *id, standing, versions, body })
    }

    pub(super) fn known(&self, origin: &Origin) -> Result<Arc<View>, ReadError> {
        self.view(origin).ok_or_else(|| unknown(origin))
    }

    /// Why a body that an entry names is not there.
    async fn absent(&self, view: &View, index: u64) -> Result<BodyRead, ReadError> {
        let row = self.parts.catalog.row(&view.origin, index)?;
        let Some(row) = row.filter(|row| row.body == BodyState::Erased) else {
            return Ok(BodyRead::Missing);
        };
        // The withdrawal may name this entry, or another with the same body.
        let Some(hash) = row.body_hash() else { return Ok(BodyRead::Missing) };
        let same = self.parts.catalog.rows_with_body(&view.origin, &hash)?;
        for at in &same {
            let Some(id) = self.parts.catalog.row(&view.origin, *at)?.and_then(|row| row.id())
            else {
                continue;
            };
            for (withdrawal, row) in self.parts.catalog.rows_of(&view.origin, &id)? {
                if !matches!(
                    (&row.op, row.validity),
                    (RowOp::Withdraw { erases: true, .. }, Validity::Valid)
                ) {
                    continue;
                }
                let item = self.item(view, withdrawal).await?;
                if let Said::Statement(Statement::Withdraw { erase, .. }) = &item.said
                    && erase.contains(at)
                {
                    return Ok(BodyRead::Erased { withdrawal });
                }
            }
        }
        Ok(BodyRead::Missing)
    }
}

pub(super) fn within(view: &View, index: u64) -> Result<(), ReadError> {
    if index < view.size() {
        return Ok(());
    }
    Err(ReadError::Beyond { origin: view.origin.clone(), index, size: view.size() })
}

fn unknown(origin: &Origin) -> ReadError {
    ReadError::UnknownFeed { origin: origin.clone() }
}

pub(super) fn damaged(origin: &Origin, index: u64, reason: &dyn std::fmt::Display) -> ReadError {
    ReadError::Damaged { origin: origin.clone(), index, reason: reason.to_string() }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not held here.
    #[error("this node holds no feed `{origin}`")]
    UnknownFeed {
        /// The feed.
        origin: Origin,
    },
    /// The feed is shorter.
    #[error("`{origin}` has {size} entries, and number {index} was asked for")]
    Beyond {
        /// The feed.
        origin: Origin,
        /// What was asked for.
        index: u64,
        /// Entries it has.
        size: u64,
    },
    /// The segment is not complete yet.
    #[error("segment {number} of `{origin}` is not sealed; {sealed} entries are")]
    NotSealed {
        /// The feed.
        origin: Origin,
        /// What was asked for.
        number: u64,
        /// Entries that are sealed.
        sealed: u64,
    },
    /// There is no such thing.
    #[error("there is no {what} here")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// What is on disk is not what was verified when it was stored.
    #[error("entry {index} of `{origin}` cannot be read: {reason}")]
    Damaged {
        /// The feed.
        origin: Origin,
        /// The entry.
        index: u64,
        /// Why.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}
