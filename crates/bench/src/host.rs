//! Nodes to measure: real parts on a real directory, keys that are the same in each run.
//! One of many nodes that another follows may be kept in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use anyhow::Context as _;
use bytes::Bytes;
use feed::feeds::{Feeds, Parts};
use feed::ports::{Catalog, Clock, FeedStore, KeyUse, Random};
use feed::secret::OnlineSecret;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use store::catalog::SledCatalog;
use store::facts::Directory;
use store::memory::{MemoryCatalog, MemoryStore};
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};

/// The generation of all online keys.
const GENERATION: u64 = 1;
const TIME: &str = "2026-11-23T10:00:00Z";
/// `TIME` in Unix seconds.
const NOW: u64 = 1_795_428_000;

/// Who a node is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    label: &'static str,
    /// Among nodes of one label; 0 for the only one.
    number: u32,
}

/// The node that publishes.
pub(crate) const AUTHOR: Identity = Identity { label: "author", number: 0 };
/// The node that follows it.
pub(crate) const FOLLOWER: Identity = Identity { label: "follower", number: 0 };

impl Identity {
    /// One of many nodes, numbered from 1 on.
    pub(crate) fn member(number: u32) -> Self {
        Self { label: "member", number }
    }

    pub(crate) fn node(self) -> anyhow::Result<NodeName> {
        Ok(NodeName::parse(&self.name())?)
    }

    /// Its public feed.
    pub(crate) fn origin(self) -> anyhow::Result<Origin> {
        Ok(Origin::new(self.node()?, FeedName::public()))
    }

    pub(crate) fn root(self) -> anyhow::Result<SigningKey> {
        Ok(SigningKey::from_seed(&self.drawn("root"))?)
    }

    fn secret(self) -> OnlineSecret {
        OnlineSecret::from_bytes(self.drawn("online"))
    }

    /// Opens the node in `dir`, new or not.
    pub(crate) async fn open(self, dir: &Path) -> anyhow::Result<Arc<Feeds>> {
        let store = Arc::new(Directory::open(dir)?);
        self.with(store, Arc::new(SledCatalog::open(dir.join("catalog"))?)).await
    }

    /// Opens the node in `dir` and begins its public feed.
    pub(crate) async fn begin(self, dir: &Path) -> anyhow::Result<Arc<Feeds>> {
        let feeds = self.open(dir).await?;
        feeds.begin(&FeedName::public(), self.node_record()?).await?;
        Ok(feeds)
    }

    /// Begins the node in memory.
    pub(crate) async fn begin_in_memory(self) -> anyhow::Result<Arc<Feeds>> {
        let feeds = self.with(Arc::new(MemoryStore::new()), Arc::new(MemoryCatalog::new())).await?;
        feeds.begin(&FeedName::public(), self.node_record()?).await?;
        Ok(feeds)
    }

    async fn with(
        self,
        store: Arc<dyn FeedStore>,
        catalog: Arc<dyn Catalog>,
    ) -> anyhow::Result<Arc<Feeds>> {
        let parts = Parts {
            node: self.node()?,
            store,
            catalog,
            signer: Arc::new(self.secret().signer(GENERATION)?),
            clock: Arc::new(FixedClock),
            random: Arc::new(Chance::new()),
        };
        Ok(Feeds::open(parts).await?)
    }

    fn name(self) -> String {
        match self.number {
            0 => format!("{}.example", self.label),
            number => format!("{}-{number}.example", self.label),
        }
    }

    /// Bytes for one use.
    fn drawn(self, what: &str) -> [u8; 32] {
        *Hash::of(format!("{what} of {}", self.name())).as_bytes()
    }

    fn node_record(self) -> anyhow::Result<Bytes> {
        let (node, root) = (self.node()?, self.root()?);
        let names = BTreeMap::from([("en".to_owned(), self.name())]);
        let mut subject = NodeSubject::new(node.clone(), names, root.public());
        subject.organization = Some(BTreeMap::from([("en".to_owned(), "A yardstick".to_owned())]));
        for key_use in KeyUse::ALL {
            let key = self.secret().key(key_use, GENERATION)?;
            subject = subject.with_key(key_use.as_str(), GENERATION, &key);
        }
        let mut id = [0; 16];
        id.iter_mut().zip(self.drawn("id")).for_each(|(byte, drawn)| *byte = drawn);
        let unsigned = Unsigned {
            kind: Kind::NODE,
            id: RecordId::from_random_bytes(id),
            feed: None,
            version: 1,
            issuer: Issuer { key: root.public(), node, state: None },
            valid_from: TIME.to_owned(),
            salt: self.drawn("salt"),
            subject: subject.subject(),
        };
        let body = Body::sign(unsigned, &|message| Ok::<_, Infallible>(root.sign(message)));
        Ok(body.context("the node record was not signed")?.bytes().clone())
    }
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> u64 {
        NOW
    }
}

/// Bytes that differ at each call, and from those of an earlier process: ids and salts are drawn from them.
struct Chance {
    begun_ns: u128,
    calls: AtomicU64,
}

impl Chance {
    fn new() -> Self {
        let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { begun_ns: begun.as_nanos(), calls: AtomicU64::new(0) }
    }
}

impl Random for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let drawn = Hash::of([&self.begun_ns.to_be_bytes()[..], &call.to_be_bytes()[..]].concat());
        for (byte, random) in bytes.iter_mut().zip(drawn.as_bytes().iter().cycle()) {
            *byte = *random;
        }
    }
}
