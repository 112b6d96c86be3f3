//! Packing what is held of a feed into a bundle, while the node goes on.
//!
//! The head comes last, and only when every segment below it is in: so a withdrawal whose erasure the
//! segments show already is in it too, and the bundle is as good as a carrier at that moment.

use bytes::Bytes;
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::tile::{Tile, TilePath};

use super::{Feeds, ReadError};
use crate::block::SEGMENT_ENTRIES;
use crate::bundle::{Item, ItemKind};
use crate::head::Head;
use crate::ports::Fact;

/// Where packed items go.
pub type Put<'a> = dyn FnMut(Item) -> std::io::Result<()> + Send + 'a;

/// What was packed of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The feed.
    pub origin: Origin,
    /// Entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

impl Feeds {
    /// Hands everything held of a feed to `put`, from the segment with entry `from` on: what a follower
    /// who holds that many needs, and the cosigner lines.
    ///
    /// # Errors
    /// When the feed is not held here, cannot be read, or `put` fails.
    pub async fn pack(
        &self,
        origin: &Origin,
        from: u64,
        put: &mut Put<'_>,
    ) -> Result<Packed, PackError> {
        let item = |kind, number, bytes| Item { kind, origin: origin.clone(), number, bytes };
        let mut next = from / SEGMENT_ENTRIES;
        let (bytes, view) = loop {
            let view = self.known(origin)?;
            let bytes =
                self.parts.store.fact(origin, &Fact::Head).await.map_err(ReadError::from)?;
            let bytes = bytes.ok_or_else(|| ReadError::UnknownFeed { origin: origin.clone() })?;
            let (head, good) = Head::read(&bytes).map_err(|error| damaged(origin, &error))?;
            let segments = head.sealed / SEGMENT_ENTRIES;
            let still = view.sealed() == head.sealed && good == bytes.len();
            if next >= segments && still {
                break (bytes, view);
            }
            while next < segments.min(view.sealed() / SEGMENT_ENTRIES) {
                let segment = self.segment(origin, next).await?;
                put(item(ItemKind::Segment, next, segment))?;
                next += 1;
            }
            // A commit is under way: it is done in a moment.
            tokio::task::yield_now().await;
        };
        self.pack_tiles(origin, view.sealed(), &mut *put).await?;
        let newest = view.keys.newest().map(|keyed| keyed.body.clone());
        if let Some(record) = newest {
            put(item(ItemKind::NodeRecord, 0, record))?;
        }
        for (kind, fact) in
            [(ItemKind::Cosignatures, Fact::Cosignatures), (ItemKind::Anchors, Fact::Anchors)]
        {
            let kept = self.parts.store.fact(origin, &fact).await.map_err(ReadError::from)?;
            if let Some(bytes) = kept {
                put(item(kind, 0, bytes))?;
            }
        }
        let last = Head::decode(&bytes).map_err(|error| damaged(origin, &error))?.commits;
        let note = last.last().map(|commit| commit.note.clone()).unwrap_or_default();
        let said =
            crate::verify::read_note(origin, &note).map_err(|error| damaged(origin, &error))?;
        put(item(ItemKind::Head, 0, bytes))?;
        let (size, root) = (said.checkpoint.size, said.checkpoint.root);
        Ok(Packed { origin: origin.clone(), size, root })
    }

    /// The roots of the segments, for whoever does not have the first ones.
    async fn pack_tiles(
        &self,
        origin: &Origin,
        sealed: u64,
        put: &mut Put<'_>,
    ) -> Result<(), PackError> {
        let mut done = 0;
        while done < sealed / SEGMENT_ENTRIES {
            let width = (sealed / SEGMENT_ENTRIES - done).min(SEGMENT_ENTRIES);
            let width = u16::try_from(width).unwrap_or(u16::MAX);
            let tile = Tile::new(1, done / SEGMENT_ENTRIES, width)
                .map_err(|error| damaged(origin, &error))?;
            let hashes = self.tile(origin, &TilePath::Hashes(tile)).await?;
            let bytes: Bytes = [&[1_u8], &hashes[..]].concat().into();
            let number = done / SEGMENT_ENTRIES;
            put(Item { kind: ItemKind::Tile, origin: origin.clone(), number, bytes })?;
            done += u64::from(width);
        }
        Ok(())
    }
}

fn damaged(origin: &Origin, error: &dyn std::fmt::Display) -> ReadError {
    super::read::damaged(origin, 0, error)
}

/// Why a feed was not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It cannot be written.
    #[error("the bundle cannot be written")]
    Write(#[from] std::io::Error),
}
