//! Reading everything back: disks lose bits where nobody looks. Every object of a feed is read and compared
//! with what the checkpoint in memory commits to; what is damaged is taken from a mirror, verified like
//! anything that comes from outside. Own feeds too: a segment that makes the root we signed is the segment.
//!
//! Bodies that were erased do not come back, and a mirror that leaves out bodies that are held here heals
//! nothing.
//!
//! What belongs to the node and to no feed (what was decided, what our keys cosigned) is in no mirror: it is
//! put back as this process read or wrote it, or told.

mod cosigned;
mod decided;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tlog::name::Origin;
use tlog::tile::Tile;
use tokio::task::spawn_blocking;
use tracing::field::display;
use tracing::{debug, error, warn};

use super::{Feeds, GuardState, Handle, SyncError, View};
use crate::advance::VerifiedFact;
use crate::append::upper_tiles;
use crate::block::SEGMENT_ENTRIES;
use crate::head::Head;
use crate::ports::{Carrier, Fact, HighWater, Quiet};
use crate::tree::Tree;
use crate::verify;

/// Mirrors that are asked for one feed's damaged objects.
const MIRRORS_MAX: usize = 16;
/// Damaged objects that are told of one by one.
const TOLD_MAX: usize = 100;

/// Kinds of objects, as they are counted.
pub(super) const HEADS: &str = "heads";
pub(super) const SEGMENTS: &str = "segments";
pub(super) const TILES: &str = "tiles";
pub(super) const COSIGNATURES: &str = "cosignatures";
pub(super) const ANCHORS: &str = "anchors";
pub(super) const HIGH_WATER: &str = "high-water";
pub(super) const DECISIONS: &str = "decisions";
pub(super) const COSIGNED: &str = "cosigned";

/// Holds a scrub back, so that it takes no more of the disk than it may.
#[async_trait]
pub trait Pace: Send + Sync {
    /// So many bytes were read; returns when the next may be.
    async fn read(&self, bytes: usize);
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Objects read.
    pub objects: u64,
    /// How many of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Their bytes.
    pub bytes: u64,
    /// How many were damaged or missing.
    pub damaged: u64,
    /// How many of those are whole again.
    pub healed: u64,
    /// The first of them, one by one.
    pub told: Vec<Damage>,
}

/// One damaged object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The feed; `None` for what belongs to the node.
    pub origin: Option<Origin>,
    /// Which object, as it is called on disk.
    pub what: String,
    /// Why it is still damaged; `None` if it is whole again.
    pub still: Option<String>,
}

impl Scrubbed {
    /// Adds what another feed's scrub found.
    pub fn add(&mut self, other: Self) {
        self.objects += other.objects;
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        self.bytes += other.bytes;
        self.damaged += other.damaged;
        self.healed += other.healed;
        self.told.extend(other.told);
        self.told.truncate(TOLD_MAX);
    }

    pub(super) fn read(&mut self, kind: &'static str, bytes: usize) {
        self.objects += 1;
        *self.kinds.entry(kind).or_default() += 1;
        self.bytes += bytes as u64;
    }

    pub(super) fn enter(
        &mut self,
        origin: Option<&Origin>,
        what: String,
        healed: Result<(), String>,
    ) {
        self.damaged += 1;
        self.healed += u64::from(healed.is_ok());
        let of = origin.map(|origin| format!(" of `{origin}`")).unwrap_or_default();
        let feed = origin.map(display);
        match &healed {
            Ok(()) => {
                warn!(
                    event = "scrub.healed",
                    feed.origin = feed,
                    "{what}{of} was damaged and is whole again"
                );
            }
            Err(why) => {
                error!(event = "scrub.damaged", feed.origin = feed, "{what}{of} is damaged: {why}");
            }
        }
        if self.told.len() < TOLD_MAX {
            self.told.push(Damage { origin: origin.cloned(), what, still: healed.err() });
        }
    }
}

impl Feeds {
    /// Reads every object of a feed back, and heals what is damaged. A feed that is not held has none.
    pub async fn scrub(self: &Arc<Self>, origin: &Origin, pace: &dyn Pace) -> Scrubbed {
        let mut found = Scrubbed::default();
        let Some(handle) = self.handle(origin) else { return found };
        let Some(view) = handle.view.load_full() else {
            let why = handle.closed().unwrap_or_else(|| "it could not be opened".to_owned());
            let healed = self.heal_head(&handle, why).await;
            found.enter(Some(origin), "head".to_owned(), healed);
            return found;
        };
        self.scrub_head(&handle, &mut found, pace).await;
        for number in 0..view.sealed() / SEGMENT_ENTRIES {
            // It may have been forgotten, or erased in, meanwhile.
            let Some(view) = handle.view.load_full() else { return found };
            self.scrub_segment(&handle, &view, number, &mut found, pace).await;
        }
        self.scrub_tiles(&view, &mut found, pace).await;
        self.scrub_lines(&handle, &mut found).await;
        self.scrub_anchors(origin, &mut found).await;
        self.scrub_high_water(&handle, &mut found).await;
        found
    }

    /// Reads back what belongs to the node and to no feed: what was decided, and what our keys cosigned.
    pub async fn scrub_node(self: &Arc<Self>, pace: &dyn Pace) -> Scrubbed {
        let mut found = Scrubbed::default();
        self.scrub_decisions(&mut found, pace).await;
        self.scrub_cosigned(&mut found, pace).await;
        found
    }

    /// What is on disk as the head must lead to the root in memory.
    async fn scrub_head(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        found: &mut Scrubbed,
        pace: &dyn Pace,
    ) {
        let (read, view) = {
            // Nothing is appended between the two.
            let _writer = handle.writer.lock().await;
            let Some(view) = handle.view.load_full() else { return };
            (self.parts.store.fact(&handle.origin, &Fact::Head).await, view)
        };
        let (bytes, why) = match read {
            Ok(Some(bytes)) => {
                let length = bytes.len();
                let led = spawn_blocking(move || leads_to(&view, &bytes)).await;
                let led = led.unwrap_or_else(|error| Err(error.to_string()));
                (length, led.err())
            }
            Ok(None) => (0, Some("there is none".to_owned())),
            // That it could not be read says nothing of what is stored: nothing is dropped for it.
            Err(error) => {
                let why = format!("{error}; nothing was changed, and the next walk reads it again");
                return found.enter(Some(&handle.origin), "head".to_owned(), Err(why));
            }
        };
        found.read(HEADS, bytes);
        pace.read(bytes).await;
        if let Some(why) = why {
            let healed = self.heal_head(handle, why).await;
            found.enter(Some(&handle.origin), "head".to_owned(), healed);
        }
    }

    /// A copy of another's feed begins anew from a mirror; what becomes of our own its author decides.
    async fn heal_head(self: &Arc<Self>, handle: &Arc<Handle>, why: String) -> Result<(), String> {
        if handle.own {
            return Err(format!("{why}; `jopoi restore --from-network` brings it back"));
        }
        {
            let _writer = handle.writer.lock().await;
            handle.set_closed(Some(why.clone()));
            handle.view.store(None);
        }
        let mut tried = why;
        for carrier in self.mirrors(&handle.origin) {
            match self.sync_feed(&*carrier, &handle.origin, None, &Quiet).await {
                Ok(_) => return Ok(()),
                Err(error) => tried = error.to_string(),
            }
        }
        Err(tried)
    }

    async fn scrub_segment(
        self: &Arc<Self>,
        handle: &Handle,
        view: &View,
        number: u64,
        found: &mut Scrubbed,
        pace: &dyn Pace,
    ) {
        let origin = &handle.origin;
        let Ok(root) = self.segment_root_of(view, number) else { return };
        let read = self.parts.store.fact(origin, &Fact::Segment(number)).await;
        let bytes = read.ok().flatten().unwrap_or_default();
        let length = bytes.len();
        let check = move || verify::segment(&bytes, number, &root).map(|block| block.leaves());
        let checked = spawn_blocking(check).await;
        found.read(SEGMENTS, length);
        let leaves = match checked {
            Ok(Ok(leaves)) => leaves,
            _ => {
                let healed = self.heal_from_mirrors(handle, view, number).await;
                found.enter(Some(origin), format!("segment {number}"), healed);
                pace.read(length).await;
                return;
            }
        };
        pace.read(length).await;
        let Some(tile) = verify::tile_fact(origin, 0, number, &leaves) else { return };
        self.scrub_tile(&tile, found).await;
    }

    /// The tiles above the entries are computed from what is in memory.
    async fn scrub_tiles(&self, view: &View, found: &mut Scrubbed, pace: &dyn Pace) {
        for tile in upper_tiles(&view.origin, &Tree::new(), &view.tree) {
            self.scrub_tile(&tile, found).await;
            pace.read(tile.bytes().len()).await;
        }
    }

    async fn scrub_tile(&self, tile: &VerifiedFact, found: &mut Scrubbed) {
        let read = self.parts.store.fact(tile.origin(), tile.fact()).await;
        found.read(TILES, tile.bytes().len());
        if read.is_ok_and(|read| read.as_ref() == Some(tile.bytes())) {
            return;
        }
        let healed = self.parts.store.keep(tile).await.map_err(|error| error.to_string());
        let what = match tile.fact() {
            Fact::Tile(tile) => named(tile),
            other => format!("{other:?}"),
        };
        found.enter(Some(tile.origin()), what, healed);
    }

    async fn heal_from_mirrors(
        self: &Arc<Self>,
        handle: &Handle,
        view: &View,
        number: u64,
    ) -> Result<(), String> {
        let mut tried = "no mirror of it is known here".to_owned();
        for carrier in self.mirrors(&handle.origin) {
            match self.heal_segment(handle, view, &*carrier, number).await {
                Ok(()) => {
                    handle.damaged().remove(&number);
                    return Ok(());
                }
                Err(error) => tried = in_words(&*carrier, &error),
            }
        }
        Err(tried)
    }

    /// The cosigner lines are in memory, each checked before it was stored.
    async fn scrub_lines(&self, handle: &Handle, found: &mut Scrubbed) {
        let _merging = handle.merging.lock().await;
        let (origin, lines) = (&handle.origin, handle.lines());
        let bytes = lines.encode();
        let read = self.parts.store.fact(origin, &Fact::Cosignatures).await.ok().flatten();
        found.read(COSIGNATURES, read.as_ref().map_or(0, bytes::Bytes::len));
        let none_yet = read.is_none() && lines.lines().is_empty();
        if none_yet || read.as_ref() == Some(&bytes) {
            return;
        }
        let fact = VerifiedFact::new(origin.clone(), Fact::Cosignatures, bytes);
        let healed = self.parts.store.keep(&fact).await.map_err(|error| error.to_string());
        found.enter(Some(origin), "cosignatures".to_owned(), healed);
    }

    /// The mark of a feed that is signed here. What is shown is on disk and never less than what was released,
    /// so a new mark forbids nothing and allows nothing.
    async fn scrub_high_water(&self, handle: &Handle, found: &mut Scrubbed) {
        let _writer = handle.writer.lock().await;
        let view = handle.view.load_full().filter(|_| handle.own);
        // After a restore the guard decides what is marked.
        let Some(view) = view.filter(|_| handle.guard.state() == GuardState::Open) else { return };
        let origin = &handle.origin;
        let read = self.parts.store.high_water(origin).await;
        found.read(HIGH_WATER, 0);
        if let Ok(Some(mark)) = read
            && (mark.size < view.size() || mark.size == view.size() && mark.root == view.root())
        {
            return;
        }
        let mark = HighWater { size: view.size(), root: view.root() };
        let healed = self.parts.store.set_high_water(origin, mark).await;
        let healed = healed.map_err(|error| error.to_string());
        found.enter(Some(origin), "high-water mark".to_owned(), healed);
    }

    /// Who may have a feed: its owner, those who received it, and all who are followed.
    pub(super) fn mirrors(&self, origin: &Origin) -> Vec<Arc<dyn Carrier>> {
        let Some(others) = self.others.get() else { return Vec::new() };
        let mut nodes = vec![origin.node().clone()];
        let received = self.receipts(origin);
        let received = received.iter().filter_map(|receipt| receipt.node.clone());
        for node in received.chain(self.pins().into_iter().map(|pin| pin.node)) {
            if !nodes.contains(&node) && nodes.len() < MIRRORS_MAX {
                nodes.push(node);
            }
        }
        nodes.retain(|node| node != self.node());
        let mirrors: Vec<_> = nodes.iter().filter_map(|node| others.carrier(node)).collect();
        debug!(feed.origin = %origin, "{} mirrors of `{origin}` are asked", mirrors.len());
        mirrors
    }
}

/// Whether a head on disk is the one that is shown.
fn leads_to(view: &View, bytes: &bytes::Bytes) -> Result<(), String> {
    let (head, good) = Head::read(bytes).map_err(|error| error.to_string())?;
    if good != bytes.len() {
        return Err(format!("it is whole for {good} of {} bytes", bytes.len()));
    }
    if head.sealed != view.sealed() {
        return Err("it belongs to another state".to_owned());
    }
    let segments = view.tree.segments().to_vec();
    let mut tree = Tree::of_segments(segments).map_err(|error| error.to_string())?;
    for frame in head.commits.iter().flat_map(|commit| &commit.frames) {
        for item in frame.open().map_err(|error| error.to_string())?.items {
            tree.push(item.leaf()).map_err(|error| error.to_string())?;
        }
    }
    // What a commit that was refused left behind is not shown, and is read back before the next.
    if tree.root() == view.root() { Ok(()) } else { Err("it makes another root".to_owned()) }
}

fn named(tile: &Tile) -> String {
    format!("tile {}/{}", tile.level(), tile.index())
}

fn in_words(carrier: &dyn Carrier, error: &SyncError) -> String {
    format!("{}: {error}", carrier.describe())
}
