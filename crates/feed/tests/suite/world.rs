//! Nodes with fixed keys, a fixed clock and fixed chance, over memory; a carrier without a network.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::feeds::{
    Feeds, Outcome, Page, Parts, Pin, Publication, Published, RefusedCosignature, SyncError, Synced,
};
use feed::ports::{
    BodyAnswer, Carrier, CarrierError, Clock, Delivered, Fact, KeyUse, Quiet, Random, Since,
};
use feed::secret::OnlineSecret;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use serde_json::json;
use store::memory::{MemoryCatalog, MemoryStore};
use tlog::ed25519::{Signature, SigningKey};
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};
use tlog::tile::TilePath;

/// 2026-11-23T10:00:00Z.
pub(crate) const NOW: u64 = 1_795_428_000;

pub(crate) struct FixedClock(AtomicU64);

impl FixedClock {
    /// Lets `seconds` pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Bytes that differ at each call and are the same in each run.
pub(crate) struct Counter(AtomicU64, u8);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        let seed = Hash::of([&call.to_be_bytes()[..], &[self.1]].concat());
        for (byte, random) in bytes.iter_mut().zip(seed.as_bytes().iter().cycle()) {
            *byte = *random;
        }
    }
}

/// A node and what a restart of it keeps.
pub(crate) struct Node {
    pub(crate) name: NodeName,
    pub(crate) root: SigningKey,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) catalog: Arc<MemoryCatalog>,
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) clock: Arc<FixedClock>,
    seed: u8,
}

impl Node {
    /// A node that has begun its public feed. Nodes with one seed have the same keys.
    pub(crate) async fn new(name: &str, seed: u8) -> Self {
        let node = Self::empty(name, seed).await;
        node.feeds.begin(&FeedName::public(), node.node_record(1)).await.unwrap();
        node
    }

    pub(crate) async fn empty(name: &str, seed: u8) -> Self {
        let (store, catalog) = (Arc::new(MemoryStore::new()), Arc::new(MemoryCatalog::new()));
        Self::over(name, seed, store, catalog).await
    }

    pub(crate) async fn over(
        name: &str,
        seed: u8,
        store: Arc<MemoryStore>,
        catalog: Arc<MemoryCatalog>,
    ) -> Self {
        Self::at(name, seed, store, catalog, NOW).await
    }

    /// A node whose clock stands at `now`.
    pub(crate) async fn at(
        name: &str,
        seed: u8,
        store: Arc<MemoryStore>,
        catalog: Arc<MemoryCatalog>,
        now: u64,
    ) -> Self {
        let name = NodeName::parse(name).unwrap();
        let clock = Arc::new(FixedClock(AtomicU64::new(now)));
        let parts = Parts {
            node: name.clone(),
            store: store.clone(),
            catalog: catalog.clone(),
            signer: Arc::new(OnlineSecret::from_bytes([seed; 32]).signer(1).unwrap()),
            clock: clock.clone(),
            random: Arc::new(Counter(AtomicU64::new(now.wrapping_sub(NOW) << 20), seed)),
        };
        let feeds = Feeds::open(parts).await.unwrap();
        Self {
            name,
            root: SigningKey::from_seed(&[seed.wrapping_add(100); 32]).unwrap(),
            store,
            catalog,
            feeds,
            clock,
            seed,
        }
    }

    pub(crate) fn seed(&self) -> u8 {
        self.seed
    }

    /// The same node, started again `seconds` later.
    pub(crate) async fn later(self, seconds: u64) -> Self {
        let (store, now) = (Arc::new(self.store.restarted()), self.clock.now() + seconds);
        Self::at(self.name.as_str(), self.seed, store, self.catalog, now).await
    }

    /// The same node after its process ended, with its catalog or without.
    pub(crate) async fn restarted(self, keep_catalog: bool) -> Self {
        let store = Arc::new(self.store.restarted());
        let catalog = if keep_catalog { self.catalog } else { Arc::new(MemoryCatalog::new()) };
        Self::over(self.name.as_str(), self.seed, store, catalog).await
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::new(self.name.clone(), FeedName::public())
    }

    /// The node record of a version, signed by the root.
    pub(crate) fn node_record(&self, version: u64) -> Bytes {
        self.node_record_of(version, 1, &[])
    }

    /// The same with the keys of a generation, taking part in networks.
    pub(crate) fn node_record_of(
        &self,
        version: u64,
        generation: u64,
        networks: &[Origin],
    ) -> Bytes {
        let names = BTreeMap::from([("en".to_owned(), format!("Mechanism of {}", self.name))]);
        let mut subject = NodeSubject::new(self.name.clone(), names, self.root.public());
        subject.organization = Some(BTreeMap::from([("en".to_owned(), "A test".to_owned())]));
        let secret = OnlineSecret::from_bytes([self.seed; 32]);
        for key_use in KeyUse::ALL {
            let key = secret.key(key_use, generation).unwrap();
            subject = subject.with_key(key_use.as_str(), generation, &key);
        }
        subject.networks = networks.to_vec();
        let issuer = Issuer { key: self.root.public(), node: self.name.clone(), state: None };
        let unsigned = Unsigned {
            kind: Kind::parse("node").unwrap(),
            id: RecordId::from_random_bytes([self.seed; 16]),
            feed: None,
            version,
            issuer,
            valid_from: "2026-11-23T10:00:00Z".to_owned(),
            salt: [u8::try_from(version).unwrap(); 32],
            subject: subject.subject(),
        };
        let sign =
            |message: &[u8]| Ok::<Signature, std::convert::Infallible>(self.root.sign(message));
        Body::sign(unsigned, &sign).unwrap().bytes().clone()
    }

    pub(crate) async fn publish(&self, titles: &[&str]) -> Vec<Published> {
        let publications = titles.iter().map(|title| publication(title, None)).collect();
        self.feeds.publish(&FeedName::public(), publications).await.unwrap()
    }

    pub(crate) async fn revise(&self, id: RecordId, title: &str) -> Published {
        let published =
            self.feeds.publish(&FeedName::public(), vec![publication(title, Some(id))]).await;
        published.unwrap().remove(0)
    }

    pub(crate) async fn follow(&self, other: &Self) {
        let pin = Pin::new(other.name.clone(), other.root.public(), Vec::new(), NOW);
        self.feeds.follow(pin).await.unwrap();
    }

    pub(crate) async fn sync(&self, other: &Self) -> Result<Synced, SyncError> {
        self.sync_through(&Direct::new(other), &other.origin()).await
    }

    pub(crate) async fn sync_through(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
    ) -> Result<Synced, SyncError> {
        self.feeds.sync_feed(carrier, origin, None, &Quiet).await
    }

    /// Titles of the current records of a feed as this node holds it, newest first.
    pub(crate) async fn titles(&self, origin: &Origin) -> Vec<String> {
        let kind = Some(Kind::GOOD_PRACTICE).filter(|_| origin.feed().is_restricted());
        let page = Page { before: None, limit: 200, kind };
        let mut titles = Vec::new();
        for summary in self.feeds.records(origin, &page).unwrap().records {
            let record = self.feeds.record(origin, &summary.id).await.unwrap();
            let body = record.body.unwrap();
            titles.push(body.subject()["title"]["en"].as_str().unwrap().to_owned());
        }
        titles
    }
}

pub(crate) fn publication(title: &str, id: Option<RecordId>) -> Publication {
    let subject = json!({"title": {"en": title}, "states": ["XA"], "language": "en"});
    Publication { kind: Kind::parse("good-practice").unwrap(), id, subject, expected: None }
}

pub(crate) fn advanced(synced: &Synced) -> (u64, u64) {
    match synced.outcome {
        Outcome::Advanced { from, to } => (from, to),
        Outcome::Unchanged => (0, 0),
    }
}

type Forge<T> = Box<dyn Fn(T) -> T + Send + Sync>;

/// A carrier straight into another node's core, which can be told to lie.
pub(crate) struct Direct {
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) record: Bytes,
    pub(crate) since: Option<Forge<Since>>,
    pub(crate) segment: Option<Forge<Bytes>>,
    pub(crate) checkpoint: Option<Forge<Bytes>>,
    pub(crate) tile: Option<Forge<Bytes>>,
    pub(crate) segments_asked: Mutex<Vec<u64>>,
    /// Whether it says to have no body.
    pub(crate) body_missing: bool,
    /// Withholds the approvals of networks.
    pub(crate) without_anchors: bool,
}

impl Direct {
    pub(crate) fn new(node: &Node) -> Self {
        let record = node.feeds.well_known().unwrap();
        Self::of(node.feeds.clone(), record)
    }

    pub(crate) fn of(feeds: Arc<Feeds>, record: Bytes) -> Self {
        Self {
            feeds,
            record,
            since: None,
            segment: None,
            checkpoint: None,
            tile: None,
            segments_asked: Mutex::default(),
            body_missing: false,
            without_anchors: false,
        }
    }

    fn none(what: &str) -> CarrierError {
        CarrierError::NotFound { carrier: "the test".to_owned(), what: what.to_owned() }
    }
}

fn forged<T>(forge: Option<&Forge<T>>, value: T) -> T {
    match forge {
        Some(forge) => forge(value),
        None => value,
    }
}

#[async_trait]
impl Carrier for Direct {
    fn describe(&self) -> String {
        "the test".to_owned()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        Ok(self.record.clone())
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let note = self.feeds.checkpoint(origin).await.map_err(|_| Self::none("checkpoint"))?;
        Ok(forged(self.checkpoint.as_ref(), note))
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        let since = self.feeds.since(origin, size, wait).await.map_err(|_| Self::none("since"))?;
        Ok(forged(self.since.as_ref(), since))
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        let bytes = self.feeds.tile(origin, tile).await.map_err(|_| Self::none("tile"))?;
        Ok(forged(self.tile.as_ref(), bytes))
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        self.segments_asked.lock().unwrap().push(number);
        let bytes = self.feeds.segment(origin, number).await.map_err(|_| Self::none("segment"))?;
        Ok(forged(self.segment.as_ref(), bytes))
    }

    async fn evidence(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let fault = self.feeds.fault(origin).ok_or_else(|| Self::none("evidence"))?;
        Ok(fault.to_bytes().into())
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        if self.body_missing {
            return Ok(BodyAnswer::Missing);
        }
        let read = self.feeds.entry(origin, index).await.map_err(|_| Self::none("body"))?;
        Ok(match read.body {
            feed::feeds::BodyRead::Held(bytes) => BodyAnswer::Body(bytes),
            feed::feeds::BodyRead::Erased { .. } => BodyAnswer::Gone,
            _ => BodyAnswer::Missing,
        })
    }

    async fn anchors(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let held = self.feeds.store().fact(origin, &Fact::Anchors).await.unwrap();
        held.filter(|_| !self.without_anchors).ok_or_else(|| Self::none("anchors"))
    }

    async fn cosignatures(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        Ok(self.feeds.cosignatures(origin))
    }

    async fn deliver(&self, origin: &Origin, note: Bytes) -> Result<Delivered, CarrierError> {
        Ok(match self.feeds.accept_cosignature(origin, &note).await {
            Ok(()) | Err(RefusedCosignature::NotNewer { .. }) => Delivered::Taken,
            Err(RefusedCosignature::UnknownKey { .. }) => Delivered::UnknownKey,
            Err(_) => Delivered::Contradicts,
        })
    }
}
