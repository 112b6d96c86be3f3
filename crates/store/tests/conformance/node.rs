//! A whole node over a store: the core as the program runs it, with fixed keys, clock and chance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use feed::feeds::{
    BodyRead, FeedState, Feeds, Parts, Publication, PublishError, Published, Withdrawal,
};
use feed::ports::{Catalog, Clock, FeedStore, Random};
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};

use crate::author::Keys;

pub(crate) const NODE: &str = "one.example";

struct Fixed {
    drawn: AtomicU64,
}

impl Clock for Fixed {
    fn now(&self) -> u64 {
        1_795_000_000
    }
}

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let drawn = Hash::of(self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            part.copy_from_slice(&drawn.as_bytes()[..part.len()]);
        }
    }
}

/// What the author was told, and the bodies as they were first read.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) published: Vec<Published>,
    pub(crate) erased: Vec<RecordId>,
}

/// A running node with one feed.
pub(crate) struct Node {
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) origin: Origin,
}

impl Node {
    /// Starts on what a store and a catalog hold. `life` keeps chance from repeating itself.
    pub(crate) async fn start(
        store: Arc<dyn FeedStore>,
        catalog: Arc<dyn Catalog>,
        life: u64,
    ) -> Self {
        let node = NodeName::parse(NODE).unwrap();
        let signer = Arc::new(Keys::of(&node));
        let clock = Arc::new(Fixed { drawn: AtomicU64::new(0) });
        let random = Arc::new(Fixed { drawn: AtomicU64::new(life << 32) });
        let origin = Origin::new(node.clone(), FeedName::public());
        let parts = Parts { node, store, catalog, signer, clock, random };
        Self { feeds: Feeds::open(parts).await.unwrap(), origin }
    }

    pub(crate) async fn begin(&self, told: &mut Told) -> Result<(), PublishError> {
        let record = Keys::of(self.feeds.node()).node_record();
        told.published.push(self.feeds.begin(&FeedName::public(), record).await?);
        Ok(())
    }

    /// Publishes `count` new records in one request.
    pub(crate) async fn publish(&self, count: u64, told: &mut Told) -> Result<(), PublishError> {
        let subject = serde_json::json!({
            "title": {"en": "A practice"}, "summary": {"en": "What was done."}, "language": "en",
            "basis": "own-statement", "reuse": "CC-BY-4.0", "capacities": ["coordination"], "states": ["PY"],
        });
        let publication =
            Publication { kind: Kind::GOOD_PRACTICE, id: None, subject, expected: None };
        let publications = (0..count).map(|_| publication.clone()).collect();
        told.published.extend(self.feeds.publish(&FeedName::public(), publications).await?);
        Ok(())
    }

    /// Withdraws the record of the first told publication of a practice and destroys its body.
    pub(crate) async fn erase(&self, told: &mut Told) -> Result<(), PublishError> {
        let Some(first) = told.published.iter().find(|told| told.kind == Kind::GOOD_PRACTICE)
        else {
            return Ok(());
        };
        let (id, withdrawal) =
            (first.id, Withdrawal { reason: "not-stated".to_owned(), erase: true });
        self.feeds.withdraw(&FeedName::public(), &id, &withdrawal).await?;
        told.erased.push(id);
        Ok(())
    }

    pub(crate) fn size(&self) -> u64 {
        self.feeds.view(&self.origin).map_or(0, |view| view.size())
    }

    pub(crate) fn is_open(&self) -> bool {
        self.feeds.view(&self.origin).is_none_or(|view| view.state == FeedState::Open)
    }

    /// Asserts that everything the author was told is there as it was told.
    pub(crate) async fn holds(&self, told: &Told) {
        for published in &told.published {
            let read = self.feeds.entry(&self.origin, published.index).await.unwrap();
            let body = match read.body {
                BodyRead::Held(body) => Some(body),
                BodyRead::Erased { .. } => None,
                other => panic!("entry {}: {other:?}", published.index),
            };
            assert!(
                body.is_some() || told.erased.is_empty() || told.erased.contains(&published.id)
            );
            assert!(
                body.is_none() || !told.erased.contains(&published.id),
                "entry {}",
                published.index
            );
            if let Some(body) = body {
                assert_eq!(published.body, Some(Hash::of(&body)));
                assert_eq!(Body::open(body).unwrap().id(), published.id);
            }
        }
    }

    /// Every entry with its body, as a reader gets them.
    pub(crate) async fn read_all(&self) -> Vec<(Bytes, BodyRead)> {
        let mut entries = Vec::new();
        for index in 0..self.size() {
            let read = self.feeds.entry(&self.origin, index).await.unwrap();
            entries.push((read.entry, read.body));
        }
        entries
    }
}
