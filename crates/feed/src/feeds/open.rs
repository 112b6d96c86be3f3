//! Opening: from what is on disk to a view, whatever happened when the node stopped.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use network::keys::{KeyError, KeyHistory, Roots};
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::tile::Tile;
use tokio::sync::watch;
use tracing::{error, warn};

use super::{BLOCK_CACHE_BYTES, FeedState, Feeds, HEAD_CACHE_BYTES, Handle, Parts, View};
use crate::advance::HeadMark;
use crate::block::{self, Block, SEGMENT_ENTRIES};
use crate::head::{ENTRY_WEIGHT, Head};
use crate::ports::{CatalogError, Fact, Progress, StoreError};
use crate::statement::{Said, Statement};
use crate::tree::Tree;
use crate::verify::{Fold, Folded, VerifyError};

impl Feeds {
    /// Opens every feed in the store: cuts appends that a crash tore, checks the rest against their
    /// checkpoints, and brings the catalog up to date.
    ///
    /// A feed that cannot be verified is left closed with a logged error; the others go on.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, OpenError> {
        let weigh = |_: &(Origin, super::BlockPlace), blocks: &Arc<Vec<Block>>| {
            let items = blocks.iter().flat_map(|block| &block.items);
            let bytes: usize = items.map(|item| bytes_of(item) + ENTRY_WEIGHT).sum();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let feeds = Arc::new(Self {
            signer: RwLock::new(Arc::clone(&parts.signer)),
            lineages: RwLock::default(),
            parts,
            handles: RwLock::new(BTreeMap::new()),
            pins: RwLock::new(BTreeMap::new()),
            networks: super::networks::Networks::default(),
            changed: watch::Sender::new(0),
            forks: super::faults::Forks::default(),
            blocks: moka::sync::Cache::builder()
                .weigher(weigh)
                .max_capacity(BLOCK_CACHE_BYTES)
                .build(),
            heads: moka::sync::Cache::builder()
                .weigher(|_, head: &Arc<(Head, Bytes)>| {
                    u32::try_from(head.1.len()).unwrap_or(u32::MAX)
                })
                .max_capacity(HEAD_CACHE_BYTES)
                .build(),
            large: super::large::Large::default(),
            others: std::sync::OnceLock::new(),
            words: super::erase::Words::default(),
            was_restored: std::sync::atomic::AtomicBool::new(false),
            outside: RwLock::default(),
            reserve: super::room::Reserve::default(),
            decisions: super::decisions::Decisions::default(),
            cosigning: tokio::sync::Mutex::default(),
        });
        feeds.read_decisions().await?;
        feeds.load_faults().await?;
        feeds.load_pins().await?;
        feeds.load_networks().await?;
        feeds.load_lineages().await?;
        for origin in feeds.networks_first(feeds.parts.store.origins().await?) {
            let handle = feeds.handle_or_new(&origin);
            let opened = feeds.reopen(&handle).await;
            feeds.seal_if_long(&handle).await;
            if let Err(reason) = opened {
                error!(event = "feed.closed", feed.origin = %origin, "`{origin}` stays closed: {reason}; {}", what_to_do(&handle));
                handle.set_closed(Some(reason.to_string()));
            }
        }
        feeds.load_lines().await?;
        Ok(feeds)
    }

    /// Makes the catalog anew from the facts, and opens every feed again.
    pub async fn rebuild(self: &Arc<Self>, progress: &dyn Progress) -> Result<(), OpenError> {
        let origins = self.parts.store.origins().await?;
        for (done, origin) in (0_u64..).zip(&origins) {
            progress.step("feeds", done, origins.len() as u64);
            let handle = self.handle_or_new(origin);
            let _writer = handle.writer.lock().await;
            self.parts.catalog.forget(origin)?;
            self.reopen(&handle).await?;
        }
        progress.step("feeds", origins.len() as u64, origins.len() as u64);
        Ok(())
    }

    /// Reads a feed back from the store and shows it.
    pub(super) async fn reopen(self: &Arc<Self>, handle: &Handle) -> Result<(), OpenError> {
        let Some(bytes) = self.parts.store.fact(&handle.origin, &Fact::Head).await? else {
            return Ok(());
        };
        let roots = self.roots_of_node(&handle.origin)?;
        let opened = match self.open_head(handle, &bytes, &roots).await {
            Err(OpenError::Verify(reason)) => {
                // The catalog may have told the wrong keys: it is disposable, so ask the facts alone.
                warn!(event = "feed.catalog-made-anew", feed.origin = %handle.origin, "the catalog of `{}` is made anew: {reason}", handle.origin);
                self.parts.catalog.forget(&handle.origin)?;
                self.open_head(handle, &bytes, &roots).await?
            }
            other => other?,
        };
        self.settle(handle, opened, None).await?;
        handle.set_closed(None);
        Ok(())
    }

    /// The roots that speak for a feed: the pinned one, or for our own whatever its log says (the
    /// directory is ours).
    fn roots_of_node(&self, origin: &Origin) -> Result<Roots, OpenError> {
        let roots = match self.pin(origin.node()) {
            _ if origin.node() == self.node() => Roots::own(),
            Some(pin) => Roots::pinned(pin.root).with_former(pin.former),
            None => return Err(OpenError::NotPinned { origin: origin.clone() }),
        };
        Ok(roots.frozen_above(self.frozen(origin.node())))
    }

    async fn open_head(
        &self,
        handle: &Handle,
        bytes: &Bytes,
        roots: &Roots,
    ) -> Result<View, OpenError> {
        let origin = &handle.origin;
        let (head, good) = Head::read(bytes).map_err(VerifyError::from)?;
        let segments = self.segment_roots(origin, head.sealed).await?;
        let mut tree = Tree::of_segments(segments).map_err(|_| VerifyError::TailTooLarge)?;
        if tree.sealed_subtrees() != head.subtrees.as_slice() {
            warn!(event = "feed.damaged-tile", feed.origin = %origin, "a tile of `{origin}` is damaged: the tree is made from the segments");
            let segments = self.roots_of_segments(origin, head.sealed).await?;
            tree = Tree::of_segments(segments).map_err(|_| VerifyError::TailTooLarge)?;
        }
        if tree.sealed_subtrees() != head.subtrees.as_slice() {
            return Err(OpenError::Verify(VerifyError::Segment { number: 0 }));
        }
        let keys = self.keys_of_sealed(origin, roots, head.sealed).await?;
        let mut fold = Fold::of_local_head(origin.clone(), tree, keys);
        for commit in &head.commits {
            fold.commit(commit)?;
        }
        let folded = fold.finish()?;
        let (state, may_cut) = self.state_after_crash(handle, &folded).await?;
        if good < bytes.len() && may_cut {
            self.parts.store.cut(origin, good as u64).await?;
        }
        let tip = head.commits.last().and_then(crate::head::Commit::tip);
        let mark = HeadMark { bytes: good as u64, tip: tip.unwrap_or(Hash::EMPTY_ROOT) };
        Ok(self.view_of(handle, folded, mark, state))
    }

    /// What a new view holds, from what was folded.
    pub(super) fn view_of(
        &self,
        handle: &Handle,
        folded: Folded,
        mark: HeadMark,
        state: FeedState,
    ) -> View {
        View {
            origin: handle.origin.clone(),
            own: handle.own,
            tail_bytes: folded.blocks.iter().flat_map(|block| &block.items).map(bytes_of).sum(),
            note: folded.checkpoint.note.to_bytes().into(),
            tree: folded.tree,
            keys: Arc::new(folded.keys),
            disowning: Arc::default(),
            mark,
            received_at: self.parts.clock.now(),
            audience: None,
            state,
            missing: Arc::default(),
        }
    }

    /// How the feed stands, and whether what follows the last good commit may be cut: it is torn if
    /// that commit is not below the high-water mark; else something is lost, and signing again could
    /// sign one size twice.
    async fn state_after_crash(
        &self,
        handle: &Handle,
        folded: &Folded,
    ) -> Result<(FeedState, bool), OpenError> {
        let forked = self.has_fault(&handle.origin).await?;
        if !handle.own {
            // A fork stays one until an operator removes the evidence.
            let reason = "its owner signed two versions of it; the evidence is kept".to_owned();
            let state = if forked { FeedState::Forked { reason } } else { FeedState::Open };
            return Ok((state, !forked));
        }
        let at = (folded.tree.size(), folded.tree.root());
        let may_cut = self.guard_at_open(handle, at, forked).await?;
        Ok((FeedState::Open, may_cut))
    }

    /// Roots of the sealed segments, from the stored tiles; a tile that is missing or broken is
    /// computed from what is below it.
    async fn segment_roots(&self, origin: &Origin, sealed: u64) -> Result<Vec<Hash>, OpenError> {
        let count = sealed / SEGMENT_ENTRIES;
        let mut roots = Vec::new();
        while (roots.len() as u64) < count {
            let next = roots.len() as u64;
            if next.is_multiple_of(256) && next + 256 <= count {
                let tile = Tile::new(1, next / 256, 256).ok();
                let bytes = match tile {
                    Some(tile) => self.parts.store.fact(origin, &Fact::Tile(tile)).await?,
                    None => None,
                };
                if let Some(Ok(hashes)) = bytes.map(|bytes| tlog::tile::hashes(&bytes))
                    && hashes.len() == 256
                {
                    roots.extend(hashes);
                    continue;
                }
            }
            roots.push(self.segment_root(origin, next).await?);
        }
        Ok(roots)
    }

    async fn segment_root(&self, origin: &Origin, number: u64) -> Result<Hash, OpenError> {
        if let Ok(tile) = Tile::new(0, number, 256)
            && let Some(bytes) = self.parts.store.fact(origin, &Fact::Tile(tile)).await?
            && let Ok(hashes) = tlog::tile::hashes(&bytes)
            && hashes.len() == 256
            && let Some(root) = block::root_of(&hashes)
        {
            return Ok(root);
        }
        self.root_of_segment(origin, number).await
    }

    /// The same from the entries alone: tiles can be damaged, and can be made again.
    async fn roots_of_segments(
        &self,
        origin: &Origin,
        sealed: u64,
    ) -> Result<Vec<Hash>, OpenError> {
        let mut roots = Vec::new();
        for number in 0..sealed / SEGMENT_ENTRIES {
            roots.push(self.root_of_segment(origin, number).await?);
        }
        Ok(roots)
    }

    async fn root_of_segment(&self, origin: &Origin, number: u64) -> Result<Hash, OpenError> {
        let block = self.read_segment(origin, number, None).await?;
        block.segment_root().ok_or(OpenError::Verify(VerifyError::Segment { number }))
    }

    /// The keys told by the sealed part: rows of the catalog as far as it has come, then the
    /// segments themselves.
    async fn keys_of_sealed(
        &self,
        origin: &Origin,
        roots: &Roots,
        sealed: u64,
    ) -> Result<KeyHistory, OpenError> {
        let mut keys = KeyHistory::of(origin.node().clone(), roots.clone());
        if sealed == 0 {
            return Ok(keys);
        }
        let catalog = &self.parts.catalog;
        let known = catalog.cursor(origin)?.min(sealed);
        let mut indices = Vec::new();
        // The node record, and in a restricted feed the record of its audience.
        for first in [0, 1] {
            if let Some(id) = catalog.row(origin, first)?.and_then(|row| row.id())
                && (first == 0 || origin.feed().is_restricted())
            {
                indices.extend(catalog.rows_of(origin, &id)?.into_iter().map(|(index, _)| index));
            }
        }
        indices.retain(|index| *index < known);
        indices.sort_unstable();
        // Each segment once: a hostile feed may consist of nothing else.
        for of_one in indices.chunk_by(|a, b| a / SEGMENT_ENTRIES == b / SEGMENT_ENTRIES) {
            let Some(first) = of_one.first() else { continue };
            let block = self.read_segment(origin, first / SEGMENT_ENTRIES, None).await?;
            observe_node_records(&mut keys, &block, |at| of_one.binary_search(&at).is_ok())?;
        }
        for number in known / SEGMENT_ENTRIES..sealed / SEGMENT_ENTRIES {
            let block = self.read_segment(origin, number, None).await?;
            observe_node_records(&mut keys, &block, |at| at >= known)?;
        }
        Ok(keys)
    }
}

/// What helps a feed that cannot be opened.
pub(super) fn what_to_do(handle: &Handle) -> &'static str {
    if handle.own {
        "restore its directory in `facts` from a backup, or from whoever follows it; until then it is not served, and \
         nothing is signed"
    } else {
        "it is fetched again from its node"
    }
}

fn observe_node_records(
    keys: &mut KeyHistory,
    block: &Block,
    wanted: impl Fn(u64) -> bool,
) -> Result<(), VerifyError> {
    for (index, item) in (block.first..).zip(&block.items) {
        if wanted(index) && is_node_record(index, &item.said) {
            crate::verify::observe(keys, index, &item.said, item.body.as_ref())?;
        }
    }
    Ok(())
}

/// Whether an entry can tell keys.
pub(super) fn is_node_record(index: u64, said: &Said) -> bool {
    let of_keys = |kind: &str| kind == "node" || kind == "feed";
    let tells =
        matches!(said, Said::Statement(Statement::Publish { kind, .. }) if of_keys(kind.as_str()));
    tells || index == 0
}

pub(super) fn bytes_of(item: &block::Item) -> usize {
    item.entry.len() + item.body.as_ref().map_or(0, Bytes::len)
}

/// Why a feed, or the node, could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Words of erased bodies could not be destroyed.
    #[error("what was erased stands in the search index still: {0}")]
    Words(#[from] crate::search::SearchError),
    /// What is on disk does not verify.
    #[error("what is stored does not verify: {0}")]
    Verify(#[from] VerifyError),
    /// A followed feed's keys cannot be told.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A feed of a node that nobody pinned.
    #[error(
        "`{origin}` is stored, and nobody pinned its node: `follow` it again, or remove it with `unfollow --forget`"
    )]
    NotPinned {
        /// The feed.
        origin: Origin,
    },
    /// A head without entries.
    #[error("`{origin}` has no entries")]
    Empty {
        /// The feed.
        origin: Origin,
    },
    /// A stored segment is missing or broken.
    #[error("segment {number} of `{origin}` is missing or damaged")]
    Damaged {
        /// The feed.
        origin: Origin,
        /// Its number.
        number: u64,
    },
    /// A decision that cannot be read.
    #[error("the decision `{name}` cannot be read: {reason}")]
    Decision {
        /// Its file.
        name: String,
        /// Why.
        reason: String,
    },
}
