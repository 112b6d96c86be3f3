//! One node in memory with fixed keys, time and chance, and an index that follows it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use feed::feeds::{Feeds, Parts, Publication, Published, Withdrawal};
use feed::ports::{Clock, FeedStore, KeyUse, Random};
use feed::search::{Hits, Part, Query, Search as _};
use feed::secret::OnlineSecret;
use network::audience::Audience;
use practice::body::{Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use search::{Index, Indexer};
use serde_json::{Value, json};
use store::memory::{MemoryCatalog, MemoryStore};
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};

/// 23 November 2026, 12:00 UTC.
const NOW: u64 = 1_795_435_200;

/// A mechanism's node and its index.
pub(crate) struct Stand {
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) origin: Origin,
    pub(crate) index: Index,
    pub(crate) indexer: Indexer,
}

/// A second passes with every question.
struct SteppingClock(AtomicU64);

impl Clock for SteppingClock {
    fn now(&self) -> u64 {
        NOW + self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let hash = Hash::of(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&hash.as_bytes()[..chunk.len()]);
        }
    }
}

impl Stand {
    pub(crate) async fn new() -> Self {
        Self::with(Index::in_memory().unwrap()).await
    }

    pub(crate) async fn in_directory(directory: &Path) -> Self {
        Self::with(Index::open(directory).unwrap()).await
    }

    async fn with(index: Index) -> Self {
        let feeds = feeds(Arc::new(MemoryStore::new())).await;
        let (node, root) = (feeds.node().clone(), root());
        feeds.begin(&FeedName::public(), node_record(&node, &root)).await.unwrap();
        feeds.keep_words_in(Arc::new(index.clone())).await.unwrap();
        let indexer = Indexer::new(Arc::clone(&feeds), index.clone());
        Self { origin: Origin::new(node, FeedName::public()), feeds, index, indexer }
    }

    /// Publishes and waits until it can be found.
    pub(crate) async fn publish(&self, subject: Value) -> Published {
        self.publish_as(None, Kind::GOOD_PRACTICE, subject).await
    }

    pub(crate) async fn publish_as(
        &self,
        id: Option<RecordId>,
        kind: Kind,
        subject: Value,
    ) -> Published {
        let publication = Publication { kind, id, subject, expected: None };
        let published = self.feeds.publish(&FeedName::public(), vec![publication]).await.unwrap();
        self.indexer.catch_up().await.unwrap();
        published.into_iter().next().unwrap()
    }

    /// Publishes in a feed for the node itself alone.
    pub(crate) async fn publish_restricted(&self, subject: Value) -> Origin {
        let origin = self
            .feeds
            .begin_restricted(&Audience::Nodes(vec![self.feeds.node().clone()]))
            .await
            .unwrap();
        let publication =
            Publication { kind: Kind::GOOD_PRACTICE, id: None, subject, expected: None };
        self.feeds.publish(origin.feed(), vec![publication]).await.unwrap();
        self.indexer.catch_up().await.unwrap();
        origin
    }

    pub(crate) async fn withdraw(&self, id: &RecordId, erase: bool) {
        let withdrawal = Withdrawal { reason: "outdated".to_owned(), erase };
        self.feeds.withdraw(&FeedName::public(), id, &withdrawal).await.unwrap();
        self.indexer.catch_up().await.unwrap();
    }

    pub(crate) fn search(&self, query: &Query) -> Hits {
        self.index.search(query).unwrap()
    }

    /// The titles of what these words find.
    pub(crate) fn titles(&self, words: &str) -> Vec<String> {
        titles(&self.search(&words_of(words)))
    }
}

/// A query of words by a reader of English.
pub(crate) fn words_of(words: &str) -> Query {
    Query { text: words.to_owned(), reader: "en".to_owned(), limit: 50, ..Query::default() }
}

/// The titles of hits.
pub(crate) fn titles(hits: &Hits) -> Vec<String> {
    hits.hits.iter().map(|hit| hit.title.iter().map(Part::text).collect()).collect()
}

/// A practice with a title and a summary in some languages.
pub(crate) fn practice(texts: &[(&str, &str, &str)], more: Value) -> Value {
    let map = |which: fn(&(&str, &str, &str)) -> String| -> Value {
        texts
            .iter()
            .map(|text| (text.0.to_owned(), Value::String(which(text))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut subject = json!({
        "title": map(|text| text.1.to_owned()),
        "summary": map(|text| text.2.to_owned()),
        "language": texts[0].0,
        "basis": "own-statement",
        "reuse": "CC-BY-4.0",
        "states": ["PY"],
        "capacities": ["coordination"],
    });
    let members = subject.as_object_mut().unwrap();
    if let Value::Object(more) = more {
        members.extend(more);
    }
    subject
}

async fn feeds(store: Arc<dyn FeedStore>) -> Arc<Feeds> {
    Feeds::open(Parts {
        node: NodeName::parse("mechanism.test").unwrap(),
        store,
        catalog: Arc::new(MemoryCatalog::new()),
        signer: Arc::new(secret().signer(1).unwrap()),
        clock: Arc::new(SteppingClock(AtomicU64::new(0))),
        random: Arc::new(Counting::default()),
    })
    .await
    .unwrap()
}

fn root() -> SigningKey {
    SigningKey::from_seed(Hash::of("root").as_bytes()).unwrap()
}

fn secret() -> OnlineSecret {
    OnlineSecret::from_bytes(*Hash::of("online").as_bytes())
}

fn node_record(node: &NodeName, root: &SigningKey) -> bytes::Bytes {
    let names = [("en".to_owned(), "Mechanism of Paraguay".to_owned())].into();
    let mut subject = NodeSubject::new(node.clone(), names, root.public());
    subject.state = Some("PY".to_owned());
    for key_use in KeyUse::ALL {
        subject = subject.with_key(key_use.as_str(), 1, &secret().key(key_use, 1).unwrap());
    }
    let unsigned = Unsigned {
        kind: Kind::NODE,
        id: RecordId::from_random_bytes([7; 16]),
        feed: None,
        version: 1,
        issuer: Issuer { key: root.public(), node: node.clone(), state: Some("PY".to_owned()) },
        valid_from: "2026-11-23T12:00:00Z".to_owned(),
        salt: [9; 32],
        subject: subject.subject(),
    };
    let sign = |message: &[u8]| Ok::<_, std::convert::Infallible>(root.sign(message));
    practice::body::Body::sign(unsigned, &sign).unwrap().bytes().clone()
}
