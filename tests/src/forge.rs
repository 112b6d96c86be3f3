//! Feeds that no honest node would write, signed by their owner all the same: what must be refused,
//! or kept apart, although every signature is good.

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use bytes::Bytes;
use feed::block::{self, Block, Item, root_of};
use feed::feeds::{BodyRead, Feeds};
use feed::head::{self, Commit, Head};
use feed::ports::{BodyAnswer, Carrier, CarrierError, KeyUse, Since};
use feed::statement::Said;
use std::time::Duration;
use tlog::checkpoint::Checkpoint;
use tlog::ed25519::SigningKey;
use tlog::frontier::Frontier;
use tlog::hash::Hash;
use tlog::name::{KeyName, Origin};
use tlog::note::sign_note;
use tlog::tile::{Tile, TilePath};

use crate::chance::BEGINNING_TEXT;
use crate::member::Member;

/// A feed in the making, with any entries and bodies.
#[derive(Clone, Debug)]
pub struct Forge {
    member: Member,
    items: Vec<Item>,
}

impl Forge {
    /// Begins as every feed must, with the node record.
    pub fn begin(member: &Member) -> Result<Self> {
        let mut forge = Self { member: member.clone(), items: Vec::new() };
        let body = member.node_record(&[])?;
        forge.publish("node", body)?;
        Ok(forge)
    }

    /// Begins where a feed of this member stands at a node, as somebody does who copied it.
    pub async fn copy_of(member: &Member, feeds: &Feeds) -> Result<Self> {
        let origin = member.origin();
        let size = feeds.view(&origin).context("not held")?.size();
        let mut items = Vec::new();
        for index in 0..size {
            let read = feeds.entry(&origin, index).await?;
            let body = match read.body {
                BodyRead::Held(body) => Some(body),
                _ => None,
            };
            items.push(Item { said: Said::read(&read.entry), entry: read.entry, body });
        }
        Ok(Self { member: member.clone(), items })
    }

    /// Adds a record as an honest node would write it.
    pub fn record(&mut self, title: &str) -> Result<&mut Self> {
        let body = self.member.record(self.size(), title)?;
        self.publish("good-practice", body)
    }

    /// Adds an entry that commits to any bytes whatever.
    pub fn body(&mut self, body: impl Into<Bytes>) -> Result<&mut Self> {
        self.publish("good-practice", body.into())
    }

    /// Adds any bytes as an entry.
    pub fn entry(&mut self, entry: impl Into<Bytes>) -> &mut Self {
        let entry = entry.into();
        self.items.push(Item { said: Said::read(&entry), entry, body: None });
        self
    }

    /// Puts other bytes where a body stood; the entry stays.
    pub fn replace_body(&mut self, index: usize, body: impl Into<Bytes>) -> &mut Self {
        if let Some(item) = self.items.get_mut(index) {
            item.body = Some(body.into());
        }
        self
    }

    /// Leaves a body out, as somebody does who does not have it.
    pub fn leave_out_body(&mut self, index: usize) -> &mut Self {
        if let Some(item) = self.items.get_mut(index) {
            item.body = None;
        }
        self
    }

    /// Exchanges two entries, with their bodies.
    pub fn swap(&mut self, one: usize, other: usize) -> &mut Self {
        self.items.swap(one, other);
        self
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.items.len() as u64
    }

    /// The root over all entries.
    pub fn root(&self) -> Result<Hash> {
        let mut frontier = Frontier::new();
        for item in &self.items {
            frontier.push(item.leaf())?;
        }
        Ok(frontier.root())
    }

    /// The checkpoint over all entries, by the feed's log key.
    pub fn note(&self) -> Result<Vec<u8>> {
        self.note_by(&self.member.secret().key(KeyUse::Log, 1)?, self.size(), self.root()?)
    }

    /// A checkpoint of any size and root, by any key.
    pub fn note_by(&self, key: &SigningKey, size: u64, root: Hash) -> Result<Vec<u8>> {
        let name = KeyName::from(&self.member.origin());
        let text = Checkpoint::new(name.clone(), size, root)?.body();
        Ok(sign_note(&text, name, key)?.to_bytes())
    }

    /// All entries from `first` on, in one commit under `note`.
    pub fn commits(&self, first: usize, note: &[u8]) -> Result<Bytes> {
        let items = self.items.get(first..).unwrap_or_default();
        let blocks = items.chunks(256).zip((first as u64..).step_by(256));
        let blocks: Vec<Block> =
            blocks.map(|(items, first)| Block { first, items: items.to_vec() }).collect();
        Ok(head::encode_since(std::iter::once(&Commit::write(note, &blocks)?)))
    }

    /// All entries, of which there are 256, as a segment.
    pub fn segment(&self) -> Result<Bytes> {
        Ok(block::pack_segment(&Block { first: 0, items: self.items.clone() })?)
    }

    /// The head of the feed once its 256 entries are sealed.
    pub fn sealed_head(&self) -> Result<Bytes> {
        let commit = Commit::write(&self.note()?, &[])?;
        let head =
            Head { sealed: self.size(), subtrees: vec![self.root()?], commits: vec![commit] };
        Ok(head.encode())
    }

    /// A carrier that brings all of it, as it is.
    pub fn carrier(&self) -> Result<Script> {
        let note = self.note()?;
        self.carrier_of(0, note)
    }

    /// A carrier that brings what follows `first`, under `note`.
    pub fn carrier_of(&self, first: usize, note: Vec<u8>) -> Result<Script> {
        let since = Since::Commits(self.commits(first, &note)?);
        let leaves = self.items.iter().map(Item::leaf).collect();
        Ok(Script {
            checkpoint: note.into(),
            since,
            node_record: self.member.node_record(&[])?,
            leaves,
            segments: Vec::new(),
        })
    }

    fn publish(&mut self, kind: &str, body: Bytes) -> Result<&mut Self> {
        let hash = Hash::of(&body).to_hex();
        let document = serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default();
        let unnamed = format!("urn:uuid:00000000-0000-4000-8000-{:012x}", self.items.len());
        let id = document.get("id").and_then(|id| id.as_str()).unwrap_or(&unnamed).to_owned();
        let entry = format!(
            r#"{{"body":"sha256:{hash}","id":"{id}","kind":"{kind}","op":"publish","time":"{BEGINNING_TEXT}","v":1,"version":1}}"#
        );
        let said = Said::read(entry.as_bytes());
        self.items.push(Item { said, entry: entry.into(), body: Some(body) });
        Ok(self)
    }
}

/// A carrier that says what it was told to say.
#[derive(Clone, Debug)]
pub struct Script {
    /// Answer to a question for the checkpoint.
    pub checkpoint: Bytes,
    /// Answer to a question for news, whatever the size.
    pub since: Since,
    /// Answer to a question for the node record.
    pub node_record: Bytes,
    /// What its hash tiles are made of; fewer than 65,536.
    pub leaves: Vec<Hash>,
    /// Its segments.
    pub segments: Vec<Bytes>,
}

#[async_trait]
impl Carrier for Script {
    fn describe(&self) -> String {
        "a test's carrier".to_owned()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        Ok(self.node_record.clone())
    }

    async fn checkpoint(&self, _: &Origin) -> Result<Bytes, CarrierError> {
        Ok(self.checkpoint.clone())
    }

    async fn since(&self, _: &Origin, _: u64, _: Option<Duration>) -> Result<Since, CarrierError> {
        Ok(self.since.clone())
    }

    async fn tile(&self, _: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        match tile {
            TilePath::Hashes(tile) => self.hashes(tile).ok_or_else(|| self.lacks(tile.path())),
            TilePath::Entries(tile) => Err(self.lacks(tile.path())),
        }
    }

    async fn segment(&self, _: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        let segment = usize::try_from(number).ok().and_then(|number| self.segments.get(number));
        segment.cloned().ok_or_else(|| self.lacks(format!("segment {number}")))
    }

    async fn body(&self, _: &Origin, _: u64) -> Result<BodyAnswer, CarrierError> {
        Ok(BodyAnswer::Missing)
    }
}

impl Script {
    fn hashes(&self, tile: &Tile) -> Option<Bytes> {
        let row: Vec<Hash> = match tile.level() {
            0 => self.leaves.clone(),
            1 => self.leaves.chunks_exact(256).filter_map(root_of).collect(),
            _ => return None,
        };
        let first = usize::try_from(tile.index()).ok()? * 256;
        let hashes = row.get(first..first + usize::from(tile.width()))?;
        Some(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }

    fn lacks(&self, what: String) -> CarrierError {
        CarrierError::NotFound { carrier: self.describe(), what }
    }
}
