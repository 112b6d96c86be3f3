//! Nodes to measure: real parts on a real directory, keys and chance that are the same in each run.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use bytes::Bytes;
use feed::feeds::{Feeds, Parts};
use feed::ports::{Clock, KeyUse, Random};
use feed::secret::OnlineSecret;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use store::catalog::SledCatalog;
use store::facts::Directory;
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
    name: &'static str,
    seed: u8,
}

/// The node that publishes.
pub(crate) const AUTHOR: Identity = Identity { name: "author.example", seed: 1 };
/// The node that follows it.
pub(crate) const FOLLOWER: Identity = Identity { name: "follower.example", seed: 2 };

impl Identity {
    pub(crate) fn node(self) -> anyhow::Result<NodeName> {
        Ok(NodeName::parse(self.name)?)
    }

    /// Its public feed.
    pub(crate) fn origin(self) -> anyhow::Result<Origin> {
        Ok(Origin::new(self.node()?, FeedName::public()))
    }

    pub(crate) fn root(self) -> anyhow::Result<SigningKey> {
        Ok(SigningKey::from_seed(&[self.seed.wrapping_add(100); 32])?)
    }

    fn secret(self) -> OnlineSecret {
        OnlineSecret::from_bytes([self.seed; 32])
    }

    /// Opens the node in `dir`, new or not.
    pub(crate) async fn open(self, dir: &Path) -> anyhow::Result<Arc<Feeds>> {
        let parts = Parts {
            node: self.node()?,
            store: Arc::new(Directory::open(dir)?),
            catalog: Arc::new(SledCatalog::open(dir.join("catalog"))?),
            signer: Arc::new(self.secret().signer(GENERATION)?),
            clock: Arc::new(FixedClock),
            random: Arc::new(Chance { calls: AtomicU64::new(0), seed: self.seed }),
        };
        Ok(Feeds::open(parts).await?)
    }

    /// Opens the node in `dir` and begins its public feed.
    pub(crate) async fn begin(self, dir: &Path) -> anyhow::Result<Arc<Feeds>> {
        let feeds = self.open(dir).await?;
        feeds.begin(&FeedName::public(), self.node_record()?).await?;
        Ok(feeds)
    }

    fn node_record(self) -> anyhow::Result<Bytes> {
        let (node, root) = (self.node()?, self.root()?);
        let names = BTreeMap::from([("en".to_owned(), self.name.to_owned())]);
        let mut subject = NodeSubject::new(node.clone(), names, root.public());
        subject.organization = Some(BTreeMap::from([("en".to_owned(), "A yardstick".to_owned())]));
        for key_use in KeyUse::ALL {
            let key = self.secret().key(key_use, GENERATION)?;
            subject = subject.with_key(key_use.as_str(), GENERATION, &key);
        }
        let unsigned = Unsigned {
            kind: Kind::NODE,
            id: RecordId::from_random_bytes([self.seed; 16]),
            feed: None,
            version: 1,
            issuer: Issuer { key: root.public(), node, state: None },
            valid_from: TIME.to_owned(),
            salt: [self.seed; 32],
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

/// Bytes that differ at each call and are the same in each run.
struct Chance {
    calls: AtomicU64,
    seed: u8,
}

impl Random for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let drawn = Hash::of([&call.to_be_bytes()[..], &[self.seed]].concat());
        for (byte, random) in bytes.iter_mut().zip(drawn.as_bytes().iter().cycle()) {
            *byte = *random;
        }
    }
}
