//! A head that is sealed beyond what we hold: which segments are wanted, from any carrier, in any
//! order, each verified alone against the tree that the checkpoint commits to.
//!
//! Segments are stored as they are verified and stay invisible until the head is replaced; after a
//! crash those already there are hashed again, not fetched.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use network::keys::KeyHistory;
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::tile::{Tile, TilePath};
use tokio::task::spawn_blocking;

use super::large::decoded;
use super::open::is_node_record;
use super::sync::{signed_by_candidate, weight};
use super::{BlockPlace, Feeds, Handle, SyncError, View};
use crate::advance::{Advance, HeadChange, HeadMark, VerifiedFact};
use crate::append::upper_tiles;
use crate::block::{Block, SEGMENT_ENTRIES};
use crate::bodies;
use crate::frame;
use crate::head::{Head, HeadError, TAIL_WEIGHT_MAX};
use crate::ports::{Carrier, Fact, Progress, StoreError};
use crate::row::BodyState;
use crate::statement::Said;
use crate::tree::Tree;
use crate::verify::{self, Folded, VerifyError};

/// Segments asked for at the same time.
const SEGMENTS_IN_FLIGHT: usize = 4;
/// Objects written at the same time.
const FACTS_AT_ONCE: usize = 4;
/// Hashes of segments kept for one feed: 2^20 are 268 million entries and 32 MiB.
const SEGMENTS_MAX: u64 = 1 << 20;

/// A node record met in a segment.
type NodeEntry = (u64, Said, Option<Bytes>);

impl Feeds {
    /// Takes a head: plans, fetches, verifies and stores its segments, then replaces our head by it.
    pub(super) async fn take_head(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        carrier: &dyn Carrier,
        held: Option<&Arc<View>>,
        mut keys: KeyHistory,
        bytes: &Bytes,
        progress: &dyn Progress,
    ) -> Result<(), SyncError> {
        let origin = &handle.origin;
        let head = Head::decode(bytes).map_err(VerifyError::from)?;
        let note = &head.commits.last().ok_or(VerifyError::Head(HeadError::NoCommit))?.note;
        let served = verify::read_note(origin, note)?;
        signed_by_candidate(carrier, &served, origin, &keys).await?;
        let size = served.checkpoint.size;
        if head.sealed > size {
            // Or its tiles would be asked for without end.
            return Err(VerifyError::Size { said: size, held: head.sealed }.into());
        }
        let tree = segment_tree(origin, carrier, &head).await?;
        if let Err(why) = self.extends(held, &tree) {
            return Err(self.contradiction(handle, carrier, held, &head.commits, why).await);
        }
        let weight = weight(&head.commits);
        {
            let _turn = self.large.tail(weight).await;
            check_root(&head, &tree, &served.checkpoint.root)?;
        }
        let pending = VerifiedFact::new(origin.clone(), Fact::Pending, note.clone());
        self.parts.store.keep(&pending).await?;

        let first = held.map_or(0, |view| view.sealed() / SEGMENT_ENTRIES);
        let fetched =
            self.fetch_segments(handle, carrier, held, (&tree, first), &mut keys, progress);
        match fetched.await {
            Err(SyncError::Invalid(why @ VerifyError::Differs { .. })) => {
                return Err(self.contradiction(handle, carrier, held, &head.commits, why).await);
            }
            other => other?,
        }
        let _turn = self.large.tail(weight).await;
        let folded = self.fold(origin, tree, keys, &head.commits).await?;
        let before = held.map_or_else(Tree::new, |view| view.tree.clone());
        for tile in upper_tiles(origin, &before, &folded.tree) {
            self.parts.store.keep(&tile).await?;
        }
        let advance = folded.replace_by(held.map(|view| view.mark), &head)?;
        self.commit_followed(handle, folded, advance, held.cloned()).await?;
        self.parts.store.remove(origin, &Fact::Pending).await?;
        Ok(())
    }

    /// Whether the segments we hold are the first of `tree`. The tail is compared as its segments come.
    fn extends(&self, held: Option<&Arc<View>>, tree: &Tree) -> Result<(), VerifyError> {
        let ours = held.map_or(&[][..], |view| view.tree.segments());
        match (0_u64..).zip(ours.iter().zip(tree.segments())).find(|(_, (a, b))| a != b) {
            Some((number, _)) => Err(VerifyError::Segment { number }),
            None if ours.len() > tree.segments().len() => {
                Err(VerifyError::Segment { number: tree.segments().len() as u64 })
            }
            None => Ok(()),
        }
    }

    /// Fetches the segments of a tree from number `first` on, and takes note of the node records in them, in
    /// order and as they come: a feed of nothing else is not gathered in memory.
    async fn fetch_segments(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        carrier: &dyn Carrier,
        held: Option<&Arc<View>>,
        (tree, first): (&Tree, u64),
        keys: &mut KeyHistory,
        progress: &dyn Progress,
    ) -> Result<(), SyncError> {
        let size = held.map_or(0, |view| view.size());
        let total = tree.segments().len() as u64 - first;
        let wanted = (first..).zip(
            tree.segments().iter().copied().skip(usize::try_from(first).unwrap_or(usize::MAX)),
        );
        let fetches =
            stream::iter(wanted.map(|(number, root)| {
                self.fetch_segment(&handle.origin, carrier, held, number, root)
            }));
        let mut done = 0;
        let mut fetches = fetches.buffered(SEGMENTS_IN_FLIGHT);
        while let Some(found) = fetches.try_next().await? {
            for (index, said, body) in found.into_iter().filter(|(index, ..)| *index >= size) {
                verify::observe(keys, index, &said, body.as_ref())?;
            }
            done += 1;
            progress.step("segments", done, total);
        }
        Ok(())
    }

    /// One segment: from our own store if it is there already, else from the carrier.
    async fn fetch_segment(
        self: &Arc<Self>,
        origin: &Origin,
        carrier: &dyn Carrier,
        held: Option<&Arc<View>>,
        number: u64,
        root: Hash,
    ) -> Result<Vec<NodeEntry>, SyncError> {
        let stored = self.parts.store.fact(origin, &Fact::Segment(number)).await?;
        if let Some(bytes) = stored {
            let _turn = self.large.segment(decoded(&bytes)).await;
            let checked = check_segment(origin.clone(), bytes, number, root, held.cloned()).await;
            if let Ok((block, _)) = checked {
                return Ok(node_entries(&block));
            }
        }
        if origin.node() != self.node() {
            // A long feed would fill the disk in one round.
            self.room_for_others()?;
        }
        let bytes = carrier.segment(origin, number).await?;
        let _turn = self.large.segment(decoded(&bytes)).await;
        let (block, facts) =
            check_segment(origin.clone(), bytes, number, root, held.cloned()).await?;
        self.keep_all(&facts).await?;
        Ok(node_entries(&block))
    }

    /// Stores objects that depend on nothing but being there before the head: their syncs wait together.
    pub(super) async fn keep_all(&self, facts: &[VerifiedFact]) -> Result<(), StoreError> {
        let keep = |fact: VerifiedFact| async move {
            self.parts.store.keep(&fact).await?;
            if let Fact::Segment(number) = fact.fact() {
                self.remember_stored(fact.origin(), *number, &Hash::of(fact.bytes()));
            }
            Ok(())
        };
        let kept = stream::iter(facts.to_vec()).map(keep);
        kept.buffer_unordered(FACTS_AT_ONCE).try_collect().await
    }

    /// Puts a body back where it is missing, and says what became of it.
    pub(super) async fn put_body(
        self: &Arc<Self>,
        view: &mut View,
        index: u64,
        bytes: Bytes,
    ) -> Result<BodyState, SyncError> {
        let sealed = index < view.sealed();
        let _turn = self.large.segment(if sealed { usize::MAX } else { view.tail_bytes }).await;
        let mut blocks = if sealed {
            vec![self.read_segment(&view.origin, index / SEGMENT_ENTRIES, Some(view)).await?]
        } else {
            self.read_tail(view).await?.as_ref().clone()
        };
        let mut state = BodyState::Missing;
        for block in &mut blocks {
            let first = block.first;
            let at = index.checked_sub(first).and_then(|at| usize::try_from(at).ok());
            if let Some(item) = at.and_then(|at| block.items.get_mut(at)) {
                item.body = Some(bytes.clone());
                let one = Block { first: index, items: vec![item.clone()] };
                state = bodies::check_block(&view.origin, &one, &view.keys, &view.disowning)
                    .first()
                    .copied()
                    .unwrap_or(state);
            }
        }
        if let (true, Some(block)) = (sealed, blocks.first()) {
            let number = index / SEGMENT_ENTRIES;
            let root = self.segment_root_of(view, number)?;
            for fact in verify::segment_facts(&view.origin, block, number, &root, None)? {
                self.parts.store.keep(&fact).await?;
            }
            self.blocks.invalidate(&(view.origin.clone(), BlockPlace::Segment(number)));
        } else {
            let advance =
                verify::replace(&view.origin, Some(view.mark), &view.tree, &blocks, &view.note)?;
            self.parts.store.commit(&advance).await?;
            view.mark = advance.to();
        }
        Ok(state)
    }
}

/// The tree of the sealed part of `head`: level-1 tiles from the carrier, folded to the subtree roots
/// that the head carries.
async fn segment_tree(
    origin: &Origin,
    carrier: &dyn Carrier,
    head: &Head,
) -> Result<Tree, SyncError> {
    let count = head.sealed / SEGMENT_ENTRIES;
    if count > SEGMENTS_MAX {
        return Err(VerifyError::TailTooLarge.into());
    }
    let mut roots = Vec::new();
    while (roots.len() as u64) < count {
        let index = roots.len() as u64 / 256;
        let width = u16::try_from((count - roots.len() as u64).min(256)).unwrap_or(256);
        let Ok(tile) = Tile::new(1, index, width) else {
            return Err(VerifyError::Segment { number: index }.into());
        };
        let bytes = carrier.tile(origin, &TilePath::Hashes(tile)).await?;
        match tlog::tile::hashes(&bytes) {
            Ok(hashes) if hashes.len() == usize::from(width) => roots.extend(hashes),
            _ => return Err(VerifyError::Segment { number: index * 256 }.into()),
        }
    }
    let tree = Tree::of_segments(roots).map_err(|_| VerifyError::TailTooLarge)?;
    if tree.sealed_subtrees() == head.subtrees.as_slice() {
        Ok(tree)
    } else {
        Err(VerifyError::Segment { number: 0 }.into())
    }
}

/// Requires that the head's own entries lead from the sealed part to the signed root, before
/// anything else is fetched.
fn check_root(head: &Head, tree: &Tree, root: &Hash) -> Result<(), VerifyError> {
    if weight(&head.commits) > TAIL_WEIGHT_MAX {
        return Err(VerifyError::TailTooLarge);
    }
    let mut tree = tree.clone();
    for frame in head.commits.iter().flat_map(|commit| &commit.frames) {
        if frame.first != tree.size() {
            return Err(VerifyError::Gap { expected: tree.size(), first: frame.first });
        }
        for item in frame.open()?.items {
            tree.push(item.leaf()).map_err(|_| VerifyError::TailTooLarge)?;
        }
    }
    if tree.root() == *root {
        return Ok(());
    }
    Err(VerifyError::Root { size: tree.size(), said: *root, computed: tree.root() })
}

/// Decodes and checks a segment away from the runtime's threads.
async fn check_segment(
    origin: Origin,
    bytes: Bytes,
    number: u64,
    root: Hash,
    held: Option<Arc<View>>,
) -> Result<(Block, Vec<VerifiedFact>), SyncError> {
    let work = move || {
        let block = verify::segment(&bytes, number, &root)?;
        if let Some(view) = held {
            for (index, item) in (block.first..).zip(&block.items) {
                if view.tree.tail_leaf(index).is_some_and(|leaf| leaf != item.leaf()) {
                    return Err(VerifyError::Differs { index });
                }
            }
        }
        let packed = frame::is_frame(&bytes).then_some(bytes);
        let facts = verify::segment_facts(&origin, &block, number, &root, packed)?;
        Ok((block, facts))
    };
    let checked = spawn_blocking(work).await;
    Ok(checked.map_err(|error| SyncError::Stopped { reason: error.to_string() })??)
}

fn node_entries(block: &Block) -> Vec<NodeEntry> {
    let all = (block.first..).zip(&block.items);
    let wanted = all.filter(|(index, item)| is_node_record(*index, &item.said));
    let own = |body: &Bytes| Bytes::copy_from_slice(body);
    wanted.map(|(index, item)| (index, item.said.clone(), item.body.as_ref().map(own))).collect()
}

impl Folded {
    /// The step that puts a peer's head, as it came, in place of ours.
    fn replace_by(&self, from: Option<HeadMark>, head: &Head) -> Result<Advance, VerifyError> {
        self.head_step(from, head.encode(), head.commits.last().and_then(crate::head::Commit::tip))
    }

    /// The step that begins a mirror with commits from the first on.
    pub(super) fn begin(&self, commits: &[crate::head::Commit]) -> Result<Advance, VerifyError> {
        let head = Head { sealed: 0, subtrees: Vec::new(), commits: commits.to_vec() };
        self.replace_by(None, &head)
    }

    fn head_step(
        &self,
        from: Option<HeadMark>,
        bytes: Bytes,
        tip: Option<Hash>,
    ) -> Result<Advance, VerifyError> {
        let tip = tip.ok_or(HeadError::NoCommit)?;
        let to = HeadMark { bytes: bytes.len() as u64, tip };
        Ok(Advance::new(self.origin().clone(), from, to, HeadChange::Replace(bytes)))
    }
}
