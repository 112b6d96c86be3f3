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
use crate::head::{self, Head};
use crate::ports::{Fact, Since};

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

/// What somebody is to be sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The items of a bundle; none if there is no news.
    pub items: Vec<Item>,
    /// The segment that is wanted after these; `None` if they are all.
    pub next: Option<u64>,
}

impl Feeds {
    /// Hands everything held of a feed to `put`, from the segment with entry `from` on: what a follower
    /// who holds that many needs, and the cosigner lines. Of one that holds all that is sealed it is what
    /// follows, and no head.
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
        if from == 0 || from < view.sealed() {
            self.pack_tiles(origin, view.sealed(), &mut *put).await?;
        }
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
        let followed = from > 0 && from >= view.sealed();
        match self.since(origin, from, None).await? {
            Since::Commits(news) if followed => {
                put(item(ItemKind::Since, begins(&news, from), news))?;
            }
            _ => put(item(ItemKind::Head, 0, bytes))?,
        }
        let (size, root) = (said.checkpoint.size, said.checkpoint.root);
        Ok(Packed { origin: origin.clone(), size, root })
    }

    /// What somebody who holds the first `held` entries of a feed, and the segments before `stored` besides,
    /// is to be sent next: as much as `bytes_max` allows, at least one segment.
    ///
    /// # Errors
    /// When the feed is not held here or cannot be read.
    pub async fn pack_news(
        &self,
        origin: &Origin,
        held: u64,
        stored: u64,
        bytes_max: usize,
    ) -> Result<News, PackError> {
        let item = |kind, number, bytes| Item { kind, origin: origin.clone(), number, bytes };
        let mut items = Vec::new();
        let first = stored.max(held / SEGMENT_ENTRIES);
        let (mut next, mut bytes) = (first, 0);
        let sealed = self.known(origin)?.sealed() / SEGMENT_ENTRIES;
        while next < sealed && held < sealed * SEGMENT_ENTRIES && bytes < bytes_max {
            let segment = self.segment(origin, next).await?;
            if next > first && bytes + segment.len() > bytes_max {
                break;
            }
            bytes += segment.len();
            items.push(item(ItemKind::Segment, next, segment));
            next += 1;
        }
        // The head is read after the segments: a withdrawal whose erasure they show is in it.
        let since = self.since(origin, held, None).await?;
        let whole = match since {
            Since::Head(head) => {
                let sealed = Head::decode(&head).map_err(|error| damaged(origin, &error))?.sealed;
                let mut put = |item| {
                    items.push(item);
                    Ok(())
                };
                self.pack_tiles(origin, sealed, &mut put).await?;
                items.push(item(ItemKind::Head, 0, head));
                next >= sealed / SEGMENT_ENTRIES
            }
            Since::Commits(news) => {
                items.push(item(ItemKind::Since, begins(&news, held), news));
                true
            }
            Since::Nothing | Since::Shorter(_) => {
                return Ok(News { items: Vec::new(), next: None });
            }
        };
        // Whoever holds a part finds the keys in the log.
        let keys = &self.known(origin)?.keys;
        let newest = keys.newest().filter(|_| held == 0).map(|keyed| keyed.body.clone());
        items.extend(newest.map(|record| item(ItemKind::NodeRecord, 0, record)));
        Ok(News { items, next: (!whole).then_some(next) })
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

/// How many entries stand before these commits; `otherwise` if they hold none.
fn begins(commits: &Bytes, otherwise: u64) -> u64 {
    let commits = head::decode_since(commits).unwrap_or_default();
    let first = commits.iter().flat_map(|commit| &commit.frames).next();
    first.map_or(otherwise, |frame| frame.first.min(otherwise))
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
