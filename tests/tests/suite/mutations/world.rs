//! Nodes with fixed keys over memory, and what they sign.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use feed::feeds::{BodyRead, Feeds, Parts, Publication, Published};
use feed::ports::KeyUse;
use feed::verdict::Placed;
use network::approval::{About, Evidence};
use network::file::NetworkFile;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{Contact, Continuation, NodeRecord, NodeSubject, Revocation};
use serde_json::Value;
use store::memory::{MemoryCatalog, MemoryStore};
use tests::chance::{BEGINNING_TEXT, TestChance, TestClock};
use tests::member::Member;
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{FeedName, KeyName, Origin};
use tlog::policy::Policy;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// Runs to the end.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// A key of nobody.
pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// A node whose public feed has begun.
pub(crate) struct Node {
    pub(crate) member: Member,
    pub(crate) feeds: Arc<Feeds>,
}

impl Node {
    pub(crate) fn of(name: &str) -> Self {
        let member = Member::of(name).unwrap();
        let record = member.node_record(&["https://node.example/".to_owned()]).unwrap();
        Self::over(member, record)
    }

    /// The same name and keys, and a feed that is still empty.
    pub(crate) fn over(member: Member, record: Bytes) -> Self {
        let parts = Parts {
            node: member.name().clone(),
            store: Arc::new(MemoryStore::new()),
            catalog: Arc::new(MemoryCatalog::new()),
            signer: Arc::new(member.secret().signer(1).unwrap()),
            clock: Arc::new(TestClock::new()),
            random: Arc::new(TestChance::new(member.name().as_str())),
        };
        let feeds = wait(async {
            let feeds = Feeds::open(parts).await.unwrap();
            feeds.begin(&FeedName::public(), record).await.unwrap();
            feeds
        });
        Self { member, feeds }
    }

    pub(crate) fn origin(&self) -> Origin {
        self.member.origin()
    }

    pub(crate) fn secret(&self, usage: KeyUse) -> SigningKey {
        self.member.secret().key(usage, 1).unwrap()
    }

    pub(crate) fn log_key(&self) -> VerifierKey {
        VerifierKey::note(KeyName::from(&self.origin()), self.secret(KeyUse::Log).public())
    }

    pub(crate) fn receipt_key(&self) -> VerifierKey {
        let name = KeyName::receipt_of(self.member.name());
        VerifierKey::cosignature(name, self.secret(KeyUse::Receipt).public())
    }

    pub(crate) fn record_bytes(&self) -> Bytes {
        self.feeds.well_known().unwrap()
    }

    pub(crate) fn record(&self) -> NodeRecord {
        NodeRecord::from_body(&Body::open(self.record_bytes()).unwrap()).unwrap()
    }

    pub(crate) fn joins(&self, network: &Origin) {
        let record = self.member.taking_part(&[], network).unwrap();
        wait(self.feeds.publish_node_record(record)).unwrap();
    }

    /// The same with new online keys, so that nobody can leave this record out.
    pub(crate) fn joins_with_new_keys(&self, network: &Origin) {
        let (record, root) = (self.record(), self.member.root().unwrap());
        let mut subject = NodeSubject { keys: Vec::new(), ..NodeSubject::clone(&record) };
        subject.networks = vec![network.clone()];
        for usage in KeyUse::ALL {
            let secret = self.member.secret().key(usage, 2).unwrap();
            subject = subject.with_key(usage.as_str(), 2, &secret);
        }
        let unsigned = Unsigned {
            kind: Kind::NODE,
            id: record.id(),
            feed: None,
            version: 2,
            issuer: Issuer { key: root.public(), node: self.member.name().clone(), state: None },
            valid_from: BEGINNING_TEXT.to_owned(),
            salt: [2; 32],
            subject: subject.subject(),
        };
        let sign = |message: &[u8]| Ok::<_, Infallible>(root.sign(message));
        let body = Body::sign(unsigned, &sign).unwrap();
        self.feeds.set_signer(Arc::new(self.member.secret().signer(2).unwrap()));
        wait(self.feeds.publish_node_record(body.bytes().clone())).unwrap();
    }

    pub(crate) fn say(&self, kind: Kind, subject: Value) -> Published {
        let publication = Publication { kind, id: None, subject, expected: None };
        let published = wait(self.feeds.publish(&FeedName::public(), vec![publication])).unwrap();
        published.into_iter().next().unwrap()
    }

    pub(crate) fn practice(&self, title: &str) -> Published {
        let publication = tests::member::practice(None, title);
        self.say(publication.kind, publication.subject)
    }

    pub(crate) fn entry(&self, index: u64) -> Bytes {
        wait(self.feeds.entry(&self.origin(), index)).unwrap().entry
    }

    /// A document and its proof.
    pub(crate) fn placed(&self, index: u64) -> Placed {
        let origin = self.origin();
        let BodyRead::Held(body) = wait(self.feeds.entry(&origin, index)).unwrap().body else {
            panic!("no body at {index}")
        };
        Placed { body, proof: wait(self.feeds.proof(&origin, index)).unwrap().into() }
    }

    pub(crate) fn checkpoint(&self) -> Bytes {
        wait(self.feeds.checkpoint(&self.origin())).unwrap()
    }

    /// This node's approval of what another one published.
    pub(crate) fn approves(&self, published: &Published) -> Evidence {
        let about = About {
            feed: published.origin.clone(),
            id: published.id,
            version: published.version,
            body: published.body.unwrap(),
        };
        let attested = self.say(Kind::ATTESTATION, about.approving());
        let Placed { body, proof } = self.placed(attested.index);
        Evidence { node_record: self.record_bytes(), body, proof }
    }

    /// A document by this node's record key that stands in no feed.
    pub(crate) fn signs(&self, kind: Kind, feed: Option<Origin>, subject: Value) -> Body {
        sign(&self.member, &self.secret(KeyUse::Record), (kind, feed), subject)
    }
}

/// A document by any key.
pub(crate) fn sign(
    member: &Member,
    key: &SigningKey,
    (kind, feed): (Kind, Option<Origin>),
    subject: Value,
) -> Body {
    try_sign(member, key, (kind, feed), subject).unwrap()
}

/// The same, if it can be written.
pub(crate) fn try_sign(
    member: &Member,
    key: &SigningKey,
    (kind, feed): (Kind, Option<Origin>),
    subject: Value,
) -> Option<Body> {
    let seed = *Hash::of(format!("{} {kind}", member.name())).as_bytes();
    let state = subject.get("state").and_then(Value::as_str).map(str::to_owned);
    let unsigned = Unsigned {
        kind,
        id: RecordId::from_random_bytes(*seed.first_chunk().unwrap()),
        feed,
        version: 3,
        issuer: Issuer { key: key.public(), node: member.name().clone(), state },
        valid_from: BEGINNING_TEXT.to_owned(),
        salt: seed,
        subject,
    };
    Body::sign(unsigned, &|message| Ok::<_, Infallible>(key.sign(message))).ok()
}

/// A node record with everything that one may say.
pub(crate) fn full_subject(member: &Member) -> NodeSubject {
    let names = BTreeMap::from([("en".to_owned(), format!("Node {}", member.name()))]);
    let mut subject =
        NodeSubject::new(member.name().clone(), names, member.root().unwrap().public());
    subject.state = Some("XA".to_owned());
    subject.recovery = Some(key(u8::try_from(member.name().as_str().len()).unwrap()).public());
    subject.urls = vec!["https://node.example/".to_owned(), "http://127.0.0.1:1/".to_owned()];
    subject.networks = vec!["network.example/public".parse().unwrap()];
    subject.contact = Some(Contact {
        unit: Some("Unit".to_owned()),
        email: Some("unit@node.example".to_owned()),
    });
    subject.continues = vec![Continuation {
        feed: FeedName::parse("public-2").unwrap(),
        of: FeedName::public(),
        size: 7,
        root: Hash::of(b"root"),
    }];
    subject.revoked = vec![Revocation {
        key: key(99).public(),
        feed: FeedName::public(),
        size: 9,
        reason: "stolen".to_owned(),
    }];
    for usage in KeyUse::ALL {
        let secret = member.secret();
        subject = subject.with_key(usage.as_str(), 1, &secret.key(usage, 1).unwrap());
    }
    subject
}

/// A network of this node, founded by a committee of which two must agree.
pub(crate) fn network_file(
    network: &Node,
    committee: &[&Node],
    witness: &VerifierKey,
) -> NetworkFile {
    let text = format!(
        "log {} https://network.example/\nwitness w {witness} https://witness.example/\ngroup g 1 w\n\
         quorum g\n",
        network.log_key()
    );
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let roots: Vec<_> = committee.iter().map(|node| node.member.root().unwrap().public()).collect();
    NetworkFile::new(&network.origin(), &roots, 2, &policy).unwrap()
}
