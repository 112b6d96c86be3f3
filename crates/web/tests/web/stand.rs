//! One node in memory with fixed keys, time and chance, and a client that needs no socket.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use feed::feeds::{Feeds, Parts, Publication, Published, Withdrawal};
use feed::ports::{Clock, KeyUse, Random};
use feed::secret::OnlineSecret;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use practice::body::{Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use serde_json::{Value, json};
use store::memory::{MemoryCatalog, MemoryStore};
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};
use tower::ServiceExt as _;
use web::{App, PeersError, PeersView, Site, routes};
use wire::api;

use crate::search::Given;

/// 23 November 2026, 12:00 UTC.
pub(crate) const NOW: u64 = 1_795_435_200;

/// A node that has begun its public feed.
pub(crate) struct Stand {
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) origin: Origin,
    pub(crate) app: App,
    pub(crate) clock: Arc<SetClock>,
}

/// What was answered.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

/// A clock that stands until it is set.
pub(crate) struct SetClock(AtomicU64);

impl SetClock {
    pub(crate) fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
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

/// Follows nobody.
struct Alone;

#[async_trait]
impl PeersView for Alone {
    fn status(&self) -> Vec<api::Peer> {
        Vec::new()
    }
    async fn follow(&self, request: api::FollowRequest) -> Result<api::FollowAnswer, PeersError> {
        Err(PeersError::Unreachable { reason: format!("{} cannot be reached", request.url) })
    }
    async fn unfollow(&self, request: api::UnfollowRequest) -> Result<(), PeersError> {
        Err(PeersError::NotFollowed { node: request.node })
    }
    async fn sync(&self, node: &NodeName) -> Result<api::Peer, PeersError> {
        Err(PeersError::NotFollowed { node: node.clone() })
    }
    async fn probe(&self, _request: api::ProbeRequest) -> Result<api::ProbeAnswer, PeersError> {
        Ok(api::ProbeAnswer { steps: Vec::new(), clock_delta: None })
    }
}

impl Stand {
    /// A mechanism's node with nothing but its node record.
    pub(crate) async fn new() -> Self {
        Self::named("mechanism.test").await
    }

    pub(crate) async fn named(name: &str) -> Self {
        let node = NodeName::parse(name).unwrap();
        let root = SigningKey::from_seed(Hash::of("root").as_bytes()).unwrap();
        let secret = || OnlineSecret::from_bytes(*Hash::of("online").as_bytes());
        let clock = Arc::new(SetClock(AtomicU64::new(NOW)));
        let feeds = Feeds::open(Parts {
            node: node.clone(),
            store: Arc::new(MemoryStore::new()),
            catalog: Arc::new(MemoryCatalog::with_clock(clock.clone())),
            signer: Arc::new(secret().signer(1).unwrap()),
            clock: clock.clone(),
            random: Arc::new(Counting::default()),
        })
        .await
        .unwrap();
        let record = node_record(&node, &root, &secret());
        feeds.begin(&FeedName::public(), record).await.unwrap();
        let mut app = App::new(Arc::clone(&feeds), Arc::new(Alone), Site::default(), None);
        app.search = Some(Arc::new(Given::default()));
        Self { feeds, origin: Origin::new(node, FeedName::public()), app, clock }
    }

    /// What another process would serve over the same feeds.
    pub(crate) fn restarted(&self) -> App {
        App::new(Arc::clone(&self.feeds), Arc::new(Alone), Site::default(), None)
    }

    pub(crate) async fn publish(&self, subject: Value) -> Published {
        let publication =
            Publication { kind: Kind::GOOD_PRACTICE, id: None, subject, expected: None };
        let published = self.feeds.publish(&FeedName::public(), vec![publication]).await.unwrap();
        published.into_iter().next().unwrap()
    }

    pub(crate) async fn withdraw(&self, id: &RecordId, erase: bool) -> Published {
        let withdrawal = Withdrawal { reason: "outdated".to_owned(), erase };
        self.feeds.withdraw(&FeedName::public(), id, &withdrawal).await.unwrap()
    }

    /// `GET` in public.
    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        ask(routes::public(self.app.clone()), Method::GET, path, headers, Body::empty()).await
    }

    /// `POST` of JSON by the operator.
    pub(crate) async fn post(&self, path: &str, value: &Value) -> Answered {
        let json = [("content-type", "application/json")];
        let body = Body::from(value.to_string());
        ask(routes::operator(self.app.clone()), Method::POST, path, &json, body).await
    }
}

impl Answered {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks a router.
pub(crate) async fn ask(
    router: Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Answered {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.oneshot(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answered { status: parts.status, headers: parts.headers, bytes }
}

/// A good practice.
pub(crate) fn practice(title: &str) -> Value {
    json!({
        "title": {"es": title, "en": format!("{title} (en)"), "ar": "آلية"},
        "summary": {"es": "Resumen", "en": "Summary", "ar": "ملخص"},
        "language": "es", "basis": "own-statement", "reuse": "CC-BY-4.0",
        "capacities": ["coordination"],
    })
}

fn node_record(node: &NodeName, root: &SigningKey, secret: &OnlineSecret) -> Bytes {
    let names = BTreeMap::from([
        ("en".to_owned(), "Mechanism of Xanadu".to_owned()),
        ("ar".to_owned(), "آلية زانادو".to_owned()),
    ]);
    let mut subject = NodeSubject::new(node.clone(), names, root.public());
    subject.state = Some("XA".to_owned());
    for key_use in KeyUse::ALL {
        subject = subject.with_key(key_use.as_str(), 1, &secret.key(key_use, 1).unwrap());
    }
    let unsigned = Unsigned {
        kind: Kind::NODE,
        id: RecordId::from_random_bytes([7; 16]),
        feed: None,
        version: 1,
        issuer: Issuer { key: root.public(), node: node.clone(), state: Some("XA".to_owned()) },
        valid_from: "2026-11-23T12:00:00Z".to_owned(),
        salt: [9; 32],
        subject: subject.subject(),
    };
    let sign = |message: &[u8]| Ok::<_, Infallible>(root.sign(message));
    practice::body::Body::sign(unsigned, &sign).unwrap().bytes().clone()
}
