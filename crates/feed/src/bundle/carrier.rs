//! A bundle as a [`Carrier`]: its feeds go through the same verification as any peer's.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use practice::body::Body;
use tlog::name::{NodeName, Origin};
use tlog::tile::{Tile, TilePath};

use super::{Contents, ItemKind, Place};
use crate::block::{self, Block, SEGMENT_ENTRIES};
use crate::head::{self, Commit, Head};
use crate::ports::{BodyAnswer, Carrier, CarrierError, Since};
use crate::verify;

/// Bytes that can be read at any place: a file, or memory.
pub trait ReadAt: Send + Sync {
    /// `length` bytes from `offset` on; fewer are an error.
    fn read_at(&self, offset: u64, length: usize) -> std::io::Result<Bytes>;
}

impl ReadAt for Bytes {
    fn read_at(&self, offset: u64, length: usize) -> std::io::Result<Bytes> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let to = from.saturating_add(length);
        if to > self.len() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(self.slice(from..to))
    }
}

/// Carries the feeds of one node out of a bundle.
pub struct BundleCarrier<'a> {
    name: String,
    node: NodeName,
    contents: &'a Contents,
    source: &'a dyn ReadAt,
}

impl<'a> BundleCarrier<'a> {
    /// Carries what `contents`, read from `source`, has of `node`. `name` is how people know the
    /// bundle: its file name.
    pub fn new(name: &str, node: NodeName, contents: &'a Contents, source: &'a dyn ReadAt) -> Self {
        Self { name: name.to_owned(), node, contents, source }
    }

    fn find(
        &self,
        origin: &Origin,
        kind: ItemKind,
        number: u64,
        what: &str,
    ) -> Result<Bytes, CarrierError> {
        match self.contents.find(origin, kind, number) {
            Some(place) => self.bytes(place, what),
            None => Err(self.none(what)),
        }
    }

    fn bytes(&self, place: &Place, what: &str) -> Result<Bytes, CarrierError> {
        let read = self.source.read_at(place.offset, place.length);
        read.map_err(|error| self.improper(what, &error))
    }

    fn head(&self, origin: &Origin) -> Result<(Bytes, Head), CarrierError> {
        let what = format!("head of {origin}");
        let bytes = self.find(origin, ItemKind::Head, 0, &what)?;
        let head = Head::decode(&bytes).map_err(|error| self.improper(&what, &error))?;
        Ok((bytes, head))
    }

    /// The commits in it, and how many entries stand before them: those of the head, else those that follow
    /// a size.
    fn commits(&self, origin: &Origin) -> Result<(u64, Vec<Commit>), CarrierError> {
        match self.contents.places(origin, ItemKind::Since).first() {
            Some(place) if self.contents.places(origin, ItemKind::Head).is_empty() => {
                let what = format!("what follows entry {} of {origin}", place.number);
                let bytes = self.bytes(place, &what)?;
                let commits = head::decode_since(&bytes);
                Ok((place.number, commits.map_err(|error| self.improper(&what, &error))?))
            }
            _ => self.head(origin).map(|(_, head)| (head.sealed, head.commits)),
        }
    }

    fn segment_block(&self, origin: &Origin, number: u64) -> Result<Block, CarrierError> {
        let what = format!("segment {number} of {origin}");
        let bytes = self.find(origin, ItemKind::Segment, number, &what)?;
        block::open_segment(&bytes, number).map_err(|error| self.improper(&what, &error))
    }

    /// A tile that is in the bundle, as wide as asked.
    fn stored_tile(&self, origin: &Origin, tile: &Tile, what: &str) -> Option<Bytes> {
        let places = self.contents.places(origin, ItemKind::Tile).iter();
        for place in places.filter(|place| place.number == tile.index()) {
            let bytes = self.bytes(place, what).ok()?;
            if bytes.first() == Some(&tile.level()) && bytes.len() > tile.bytes() {
                return Some(bytes.slice(1..=tile.bytes()));
            }
        }
        None
    }

    /// The leaf hashes of a segment that is in the bundle. Of wider tiles none is made up: they take every
    /// segment, and a bundle has the roots of its segments as tiles.
    fn leaves(&self, origin: &Origin, tile: &Tile) -> Result<Bytes, CarrierError> {
        if tile.level() > 0 {
            return Err(self.none(&tile.path()));
        }
        let leaves = self.segment_block(origin, tile.index())?.leaves();
        let wanted = leaves.iter().take(usize::from(tile.width()));
        Ok(wanted.flat_map(|hash| *hash.as_bytes()).collect::<Vec<u8>>().into())
    }

    fn none(&self, what: &str) -> CarrierError {
        CarrierError::NotFound { carrier: self.name.clone(), what: what.to_owned() }
    }

    fn improper(&self, what: &str, reason: &dyn std::fmt::Display) -> CarrierError {
        CarrierError::Improper {
            carrier: self.name.clone(),
            what: what.to_owned(),
            reason: reason.to_string(),
        }
    }
}

#[async_trait]
impl Carrier for BundleCarrier<'_> {
    fn describe(&self) -> String {
        self.name.clone()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        let what = format!("node record of {}", self.node);
        let mut newest: Option<(u64, Bytes)> = None;
        for origin in self.contents.origins().filter(|origin| *origin.node() == self.node) {
            for place in self.contents.places(origin, ItemKind::NodeRecord) {
                let bytes = self.bytes(place, &what)?;
                let Ok(body) = Body::open(bytes.clone()) else { continue };
                if newest.as_ref().is_none_or(|(version, _)| *version < body.version()) {
                    newest = Some((body.version(), bytes));
                }
            }
        }
        newest.map(|(_, bytes)| bytes).ok_or_else(|| self.none(&what))
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let (_, commits) = self.commits(origin)?;
        let last = commits.last().map(|commit| commit.note.clone());
        last.ok_or_else(|| self.none("checkpoint"))
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        _wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        let (before, commits) = self.commits(origin)?;
        let note = self.checkpoint(origin).await?;
        let served = verify::read_note(origin, &note)
            .map_err(|error| self.improper("checkpoint", &error))?
            .checkpoint
            .size;
        if served == size {
            return Ok(Since::Nothing);
        }
        if served < size {
            return Ok(Since::Shorter(note));
        }
        if size < before {
            let none = || self.none(&format!("entries {size} to {before} of {origin}"));
            return self.head(origin).map(|(bytes, _)| Since::Head(bytes)).map_err(|_| none());
        }
        let after = commits.iter().skip_while(|commit| !commit.ends_after(size));
        Ok(Since::Commits(head::encode_since(after)))
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        let TilePath::Hashes(tile) = tile else { return Err(self.none(&tile.path())) };
        match self.stored_tile(origin, tile, &tile.path()) {
            Some(bytes) => Ok(bytes),
            None => self.leaves(origin, tile),
        }
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        let what = format!("segment {number} of {origin}");
        self.find(origin, ItemKind::Segment, number, &what)
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        let (before, commits) = self.commits(origin)?;
        let mut blocks = Vec::new();
        if index < before {
            let number = index / SEGMENT_ENTRIES;
            if self.contents.find(origin, ItemKind::Segment, number).is_none() {
                return Ok(BodyAnswer::Missing);
            }
            blocks.push(self.segment_block(origin, number)?);
        } else {
            for frame in commits.iter().flat_map(|commit| &commit.frames) {
                let end = frame.first.saturating_add(u64::from(frame.count));
                if (frame.first..end).contains(&index) {
                    blocks.push(frame.open().map_err(|error| self.improper("body", &error))?);
                }
            }
        }
        let items = blocks.iter().flat_map(|block| (block.first..).zip(&block.items));
        let found = items.filter(|(at, _)| *at == index).find_map(|(_, item)| item.body.clone());
        Ok(found.map_or(BodyAnswer::Missing, BodyAnswer::Body))
    }

    async fn anchors(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.find(origin, ItemKind::Anchors, 0, &format!("anchors of {origin}"))
    }

    async fn cosignatures(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.find(origin, ItemKind::Cosignatures, 0, &format!("cosignatures of {origin}"))
    }
}
