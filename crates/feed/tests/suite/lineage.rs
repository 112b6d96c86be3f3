//! Roots that give way to roots.

mod restored;
mod rotation;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use feed::feeds::{Pin, PublishError, SyncError};
use feed::ports::{KeyUse, Locked, Signer};
use feed::secret::{DerivedSigner, OnlineSecret};
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{Continuation, NodeSubject, Revocation};
use tlog::ed25519::{PublicKey, Signature, SigningKey};
use tlog::name::{FeedName, Origin};

use crate::receipts::{acquainted, receipt};
use crate::world::{Direct, NOW, Node};

const HOURS_72: u64 = 72 * 60 * 60;
const RECOVERY: u8 = 201;
const NEW_ROOT: u8 = 202;
const OTHER: u8 = 203;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// A node record as a test wants it.
struct Draft<'a> {
    node: &'a Node,
    version: u64,
    root: SigningKey,
    recovery: Option<PublicKey>,
    issuer: SigningKey,
    generation: u64,
    revoked: Vec<Revocation>,
    continues: Vec<Continuation>,
}

impl<'a> Draft<'a> {
    /// By the node's first root, naming the recovery key.
    fn of(node: &'a Node, version: u64) -> Self {
        let first = || key(node.seed().wrapping_add(100));
        let (root, issuer) = (first(), first());
        let recovery = Some(key(RECOVERY).public());
        let (revoked, continues) = (Vec::new(), Vec::new());
        Self { node, version, root, recovery, issuer, generation: 1, revoked, continues }
    }

    fn root(self, seed: u8) -> Self {
        Self { root: key(seed), ..self }
    }

    fn by(self, seed: u8) -> Self {
        Self { issuer: key(seed), ..self }
    }

    fn recovery(self, recovery: Option<PublicKey>) -> Self {
        Self { recovery, ..self }
    }

    fn generation(self, generation: u64) -> Self {
        Self { generation, ..self }
    }

    fn secret(&self) -> OnlineSecret {
        OnlineSecret::from_bytes([self.node.seed(); 32])
    }

    fn sign(&self) -> Bytes {
        let name = self.node.name.clone();
        let names = BTreeMap::from([("en".to_owned(), format!("Mechanism of {name}"))]);
        let mut subject = NodeSubject::new(name.clone(), names, self.root.public());
        subject.organization = Some(BTreeMap::from([("en".to_owned(), "A test".to_owned())]));
        subject.recovery = self.recovery;
        subject.revoked.clone_from(&self.revoked);
        subject.continues.clone_from(&self.continues);
        for key_use in KeyUse::ALL {
            let online = self.secret().key(key_use, self.generation).unwrap();
            subject = subject.with_key(key_use.as_str(), self.generation, &online);
        }
        let unsigned = Unsigned {
            kind: Kind::NODE,
            id: RecordId::from_random_bytes([self.node.seed(); 16]),
            feed: None,
            version: self.version,
            issuer: Issuer { key: self.issuer.public(), node: name, state: None },
            valid_from: "2026-11-23T10:00:00Z".to_owned(),
            salt: [u8::try_from(self.version).unwrap(); 32],
            subject: subject.subject(),
        };
        let sign =
            |message: &[u8]| Ok::<Signature, std::convert::Infallible>(self.issuer.sign(message));
        Body::sign(unsigned, &sign).unwrap().bytes().clone()
    }
}

/// K announces the new root; the keys stay.
fn announcement(node: &Node, version: u64) -> Bytes {
    Draft::of(node, version).root(NEW_ROOT).by(RECOVERY).sign()
}

/// A node that has begun with a recovery key, and a hub that follows it and holds it.
async fn pair() -> (Node, Node) {
    let node = Node::empty("node.example", 1).await;
    node.feeds.begin(&FeedName::public(), Draft::of(&node, 1).sign()).await.unwrap();
    let hub = Node::new("hub.example", 2).await;
    hub.follow(&node).await;
    node.publish(&["Before"]).await;
    hub.sync(&node).await.unwrap();
    (node, hub)
}

/// The same node later.
async fn later(node: Node, seconds: u64) -> Node {
    node.later(seconds).await
}

/// A round in which the well-known address answers with `record`.
async fn meet(hub: &Node, node: &Node, record: Bytes) -> Result<(), SyncError> {
    hub.sync_through(&Direct::of(node.feeds.clone(), record), &node.origin()).await.map(|_| ())
}

fn root_at(hub: &Node, node: &Node) -> PublicKey {
    hub.feeds.pin(&node.name).unwrap().root
}

/// The keys of one generation, with the log key of the one before.
struct Rotated {
    now: DerivedSigner,
    before: SigningKey,
}

impl Signer for Rotated {
    fn public(&self, key_use: KeyUse) -> Result<PublicKey, Locked> {
        self.now.public(key_use)
    }

    fn sign(&self, key_use: KeyUse, message: &[u8]) -> Result<Signature, Locked> {
        self.now.sign(key_use, message)
    }

    fn former_log(&self) -> Option<PublicKey> {
        Some(self.before.public())
    }

    fn sign_former_log(&self, message: &[u8]) -> Result<Signature, Locked> {
        Ok(self.before.sign(message))
    }
}

fn rotated(node: &Node, generation: u64) -> Arc<dyn Signer> {
    let secret = OnlineSecret::from_bytes([node.seed(); 32]);
    let before = secret.key(KeyUse::Log, generation - 1).unwrap();
    Arc::new(Rotated { now: secret.signer(generation).unwrap(), before })
}

#[tokio::test]
async fn a_root_hands_on_to_its_successor_at_once_and_newcomers_pin_the_new_one() {
    let (node, hub) = pair().await;
    let old = node.root.public();
    let handed = Draft::of(&node, 2).root(NEW_ROOT).recovery(Some(old)).sign();
    node.feeds.publish_node_record(handed).await.unwrap();
    hub.sync(&node).await.unwrap();
    let pin = hub.feeds.pin(&node.name).unwrap();
    assert_eq!((pin.root, pin.former), (key(NEW_ROOT).public(), vec![old]));
    // The old root is the recovery key now, and signs nothing at once any more.
    let late = Draft::of(&node, 3).sign();
    assert!(node.feeds.publish_node_record(late).await.is_err());
    let confirmed = Draft::of(&node, 3).root(NEW_ROOT).by(NEW_ROOT).sign();
    node.feeds.publish_node_record(confirmed).await.unwrap();
    node.publish(&["After"]).await;
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["After", "Before"]);
    let newcomer = Node::new("new.example", 3).await;
    let pin = Pin::new(node.name.clone(), key(NEW_ROOT).public(), Vec::new(), NOW);
    newcomer.feeds.follow(pin).await.unwrap();
    newcomer.sync(&node).await.unwrap();
    assert_eq!(newcomer.titles(&node.origin()).await, ["After", "Before"]);
    for holder in [later(hub, 0).await, later(newcomer, 0).await, later(node, 0).await] {
        assert_eq!(holder.titles(&Origin::parse("node.example/public").unwrap()).await.len(), 2);
    }
}

#[tokio::test]
async fn a_recovery_takes_effect_after_72_hours_wherever_it_was_announced() {
    let (node, hub) = pair().await;
    // Only at the well-known address: nobody can sign the log.
    let announced = announcement(&node, 2);
    meet(&hub, &node, announced.clone()).await.unwrap();
    let recovery = hub.feeds.recoveries().remove(0);
    assert_eq!((recovery.new_root, recovery.first_seen), (key(NEW_ROOT).public(), NOW));
    assert!(!recovery.contested && recovery.words().contains("72 hours"));
    assert_eq!(root_at(&hub, &node), node.root.public());
    let hub = later(hub, HOURS_72 - 1).await;
    meet(&hub, &node, announced.clone()).await.unwrap();
    assert_eq!(root_at(&hub, &node), node.root.public());
    let hub = later(hub, 1).await;
    meet(&hub, &node, announced.clone()).await.unwrap();
    assert_eq!(root_at(&hub, &node), key(NEW_ROOT).public());
    assert!(hub.feeds.recoveries().is_empty());
    // What was verified before stays, and the log goes on by the keys of before until it is confirmed.
    assert_eq!(hub.titles(&node.origin()).await, ["Before"]);
    node.publish(&["Meanwhile"]).await;
    meet(&hub, &node, announced.clone()).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Meanwhile", "Before"]);
    // The node's own 72 hours, then its confirmation with new keys.
    assert!(node.feeds.publish_node_record(announced.clone()).await.unwrap().len() == 1);
    assert_eq!(node.feeds.well_known(), Some(announced));
    let confirmation =
        |node: &Node| Draft::of(node, 3).root(NEW_ROOT).by(NEW_ROOT).generation(2).sign();
    let early = node.feeds.publish_node_record(confirmation(&node)).await;
    assert!(matches!(early, Err(PublishError::NodeRecord { .. })), "{early:?}");
    let node = later(node, HOURS_72).await;
    node.feeds.set_signer(rotated(&node, 2));
    node.feeds.publish_node_record(confirmation(&node)).await.unwrap();
    node.publish(&["Recovered"]).await;
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Recovered", "Meanwhile", "Before"]);
    let newcomer = Node::new("new.example", 3).await;
    let pin = Pin::new(node.name.clone(), key(NEW_ROOT).public(), Vec::new(), NOW);
    newcomer.feeds.follow(pin).await.unwrap();
    newcomer.sync(&node).await.unwrap();
    assert_eq!(newcomer.titles(&node.origin()).await.len(), 3);
}

#[tokio::test]
async fn who_slept_through_a_recovery_counts_its_72_hours_from_waking() {
    let (node, hub) = pair().await;
    node.feeds.publish_node_record(announcement(&node, 2)).await.unwrap();
    let node = later(node, HOURS_72).await;
    node.feeds.set_signer(rotated(&node, 2));
    let confirmed = Draft::of(&node, 3).root(NEW_ROOT).by(NEW_ROOT).generation(2).sign();
    node.feeds.publish_node_record(confirmed).await.unwrap();
    // Without a line by the old key: it may be lost.
    let gone = OnlineSecret::from_bytes([node.seed(); 32]).signer(2).unwrap();
    node.feeds.set_signer(Arc::new(gone));
    node.publish(&["After"]).await;
    let hub = later(hub, 5 * HOURS_72).await;
    assert!(matches!(hub.sync(&node).await, Err(SyncError::Invalid(_))));
    assert_eq!(hub.feeds.recoveries().len(), 1, "what was refused told of the new root");
    let hub = later(hub, HOURS_72).await;
    let _ = hub.sync(&node).await;
    assert_eq!(root_at(&hub, &node), key(NEW_ROOT).public());
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["After", "Before"]);
}

#[tokio::test]
async fn either_key_objects_within_the_window_and_then_only_a_person_or_the_committee_decides() {
    let (node, hub) = pair().await;
    meet(&hub, &node, announcement(&node, 2)).await.unwrap();
    // R objects at the well-known address, with keys of its own choice.
    meet(&hub, &node, Draft::of(&node, 3).generation(2).sign()).await.unwrap();
    assert!(hub.feeds.recoveries()[0].contested);
    let hub = later(hub, 2 * HOURS_72).await;
    meet(&hub, &node, announcement(&node, 2)).await.unwrap();
    assert!(hub.feeds.recoveries()[0].contested);
    assert_eq!(root_at(&hub, &node), node.root.public());
    // To announce again does not start a new window.
    meet(&hub, &node, announcement(&node, 4)).await.unwrap();
    let hub = later(hub, 2 * HOURS_72).await;
    meet(&hub, &node, announcement(&node, 4)).await.unwrap();
    assert_eq!(root_at(&hub, &node), node.root.public());
    hub.feeds.change_root(&node.name, key(NEW_ROOT).public(), "reinstated").await.unwrap();
    assert!(hub.feeds.recoveries().is_empty());
    assert_eq!(root_at(&hub, &node), key(NEW_ROOT).public());
    assert_eq!(hub.titles(&node.origin()).await, ["Before"]);
}

#[tokio::test]
async fn an_objection_after_the_window_and_a_stranger_change_nothing() {
    let (node, hub) = pair().await;
    meet(&hub, &node, Draft::of(&node, 9).root(OTHER).by(OTHER).recovery(None).sign())
        .await
        .unwrap();
    meet(
        &hub,
        &node,
        Draft::of(&node, 9).root(OTHER).by(NEW_ROOT).recovery(Some(key(NEW_ROOT).public())).sign(),
    )
    .await
    .unwrap();
    assert!(hub.feeds.recoveries().is_empty());
    meet(&hub, &node, announcement(&node, 2)).await.unwrap();
    let hub = later(hub, HOURS_72).await;
    meet(&hub, &node, announcement(&node, 2)).await.unwrap();
    meet(&hub, &node, Draft::of(&node, 3).sign()).await.unwrap();
    assert_eq!(root_at(&hub, &node), key(NEW_ROOT).public());
    assert!(hub.feeds.recoveries().is_empty());
    // The thief of the old root and of the log key publishes in its name: it changes no key.
    node.feeds.publish_node_record(Draft::of(&node, 3).generation(1).sign()).await.unwrap();
    hub.sync(&node).await.unwrap();
    let view = hub.feeds.view(&node.origin()).unwrap();
    assert_eq!(view.keys.newest().unwrap().record.version(), 1);
}

#[tokio::test]
async fn a_thief_of_the_root_cannot_take_the_recovery_key_away_at_once() {
    let (node, hub) = pair().await;
    let thief = Draft::of(&node, 2).root(OTHER).recovery(Some(node.root.public())).sign();
    node.feeds.publish_node_record(thief).await.unwrap();
    hub.sync(&node).await.unwrap();
    assert_eq!(root_at(&hub, &node), key(OTHER).public());
    let hub = later(hub, HOURS_72 - 10).await;
    meet(&hub, &node, announcement(&node, 3)).await.unwrap();
    assert_eq!(hub.feeds.recoveries().len(), 1);
    // The thief objects, and is stuck: no record of his counts until the committee decided.
    let objection = Draft::of(&node, 4).root(OTHER).by(OTHER).generation(2).sign();
    meet(&hub, &node, objection).await.unwrap();
    assert!(hub.feeds.recoveries()[0].contested);
    // A key that was dropped longer ago has no power.
    let (node, hub) = pair().await;
    node.feeds.publish_node_record(Draft::of(&node, 2).recovery(None).sign()).await.unwrap();
    hub.sync(&node).await.unwrap();
    let hub = later(hub, HOURS_72).await;
    meet(&hub, &node, announcement(&node, 3)).await.unwrap();
    assert!(hub.feeds.recoveries().is_empty());
}

#[tokio::test]
async fn a_thief_of_the_recovery_key_is_stopped_by_the_root() {
    let (node, hub) = pair().await;
    node.feeds.publish_node_record(announcement(&node, 2)).await.unwrap();
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.feeds.recoveries().len(), 1);
    node.feeds.publish_node_record(Draft::of(&node, 3).sign()).await.unwrap();
    node.publish(&["Still here"]).await;
    hub.sync(&node).await.unwrap();
    assert!(hub.feeds.recoveries()[0].contested);
    let hub = later(hub, 3 * HOURS_72).await;
    hub.sync(&node).await.unwrap();
    assert_eq!(root_at(&hub, &node), node.root.public());
    hub.feeds.change_root(&node.name, node.root.public(), "reinstated").await.unwrap();
    assert!(hub.feeds.recoveries().is_empty());
    node.feeds.change_root(&node.name, node.root.public(), "reinstated").await.unwrap();
    node.feeds.publish_node_record(Draft::of(&node, 4).sign()).await.unwrap();
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Still here", "Before"]);
}

#[tokio::test]
async fn a_reinstated_root_counts_for_whoever_pins_it_and_for_nobody_else() {
    let (node, hub) = pair().await;
    let record = Draft::of(&node, 2).root(OTHER).by(OTHER).sign();
    assert!(node.feeds.publish_node_record(record.clone()).await.is_err());
    node.feeds.change_root(&node.name, key(OTHER).public(), "reinstated").await.unwrap();
    node.feeds.publish_node_record(record).await.unwrap();
    node.publish(&["After"]).await;
    hub.sync(&node).await.unwrap();
    let newest = |hub: &Node| {
        let view = hub.feeds.view(&Origin::parse("node.example/public").unwrap()).unwrap();
        view.keys.newest().unwrap().record.version()
    };
    assert_eq!(newest(&hub), 1);
    hub.feeds.change_root(&node.name, key(OTHER).public(), "reinstated").await.unwrap();
    assert_eq!(newest(&hub), 2);
    let newcomer = Node::new("new.example", 3).await;
    let pin = Pin::new(node.name.clone(), key(OTHER).public(), Vec::new(), NOW);
    newcomer.feeds.follow(pin).await.unwrap();
    newcomer.sync(&node).await.unwrap();
    assert_eq!(newest(&newcomer), 2);
}

#[tokio::test]
async fn a_cosigner_whose_clock_lies_and_our_own_clock_do_not_shorten_the_window() {
    let (node, [hub, two, three]) = acquainted().await;
    for holder in [&two, &three] {
        hub.follow(holder).await;
        hub.sync(holder).await.unwrap();
    }
    node.feeds.publish_node_record(Draft::of(&node, 2).sign()).await.unwrap();
    hub.sync(&node).await.unwrap();
    let say = async |seed: u8, of: &Node, time: u64| {
        let line = receipt(&node, of, seed, time);
        hub.feeds.accept_cosignature(&node.origin(), &line.to_bytes()).await.unwrap();
    };
    say(2, &hub, NOW).await;
    say(3, &two, NOW).await;
    say(4, &three, NOW).await;
    meet(&hub, &node, announcement(&node, 3)).await.unwrap();
    assert_eq!(hub.feeds.recoveries()[0].first_seen, NOW);
    // Our clock runs three days ahead, and one cosigner says the same.
    hub.clock.pass(HOURS_72 + 60);
    say(4, &three, NOW + HOURS_72 + 60).await;
    meet(&hub, &node, announcement(&node, 3)).await.unwrap();
    assert_eq!(root_at(&hub, &node), node.root.public());
    // Two of three say so.
    say(3, &two, NOW + HOURS_72).await;
    meet(&hub, &node, announcement(&node, 3)).await.unwrap();
    assert_eq!(root_at(&hub, &node), key(NEW_ROOT).public());
}
