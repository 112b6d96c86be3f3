//! Networks: what a committee decides reaches everybody, and nobody else can decide it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use feed::feeds::{Pin, Publication, Published, SyncError, approvals_bundle};
use feed::ports::{Fact, FeedStore as _, KeyUse};
use feed::secret::OnlineSecret;
use network::approval::About;
use network::file::NetworkFile;
use network::fold::Network;
use network::subject::{CommitteeNode, ParticipantSubject, PolicySubject, Status, to_embed};
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{NodeRecord, NodeSubject};
use serde_json::Value;
use std::sync::Arc;
use tlog::ed25519::{Signature, SigningKey};
use tlog::name::{FeedName, Origin};
use tlog::policy::{Log, Policy, Word};

use crate::scrub::{Fast, introduce};
use crate::world::{Direct, NOW, Node};

const DAY: u64 = 86_400;

/// A network's node, and the nodes of its committee.
struct World {
    net: Node,
    committee: Vec<Node>,
    file: NetworkFile,
}

impl World {
    /// Three of a committee, two of which must approve; the network's node follows them all.
    async fn new() -> Self {
        let net = Node::new("net.example", 10).await;
        let mut committee = Vec::new();
        for (name, seed) in [("one.example", 11), ("two.example", 12), ("three.example", 13)] {
            committee.push(Node::new(name, seed).await);
        }
        let log =
            Log { key: net.feeds.view(&net.origin()).unwrap().log_vkey().unwrap(), url: None };
        let policy = Policy::some_of(vec![log], &[], 0).unwrap();
        let roots: Vec<_> = committee.iter().map(|node| node.root.public()).collect();
        let file = NetworkFile::new(&net.origin(), &roots, 2, &policy).unwrap();
        net.feeds.pin_network(file.clone()).await.unwrap();
        for node in &committee {
            net.follow(node).await;
            net.sync(node).await.unwrap();
        }
        Self { net, committee, file }
    }

    fn network(&self, node: &Node) -> Arc<Network> {
        node.feeds.network(&self.net.origin()).unwrap()
    }

    async fn record(&self, kind: Kind, id: Option<RecordId>, subject: Value) -> Published {
        let one = Publication { kind, id, subject, expected: None };
        self.net.feeds.publish(&FeedName::public(), vec![one]).await.unwrap().remove(0)
    }

    /// Members approve a record, each in its own feed.
    async fn approve(&self, members: &[usize], published: &Published) {
        for member in members {
            let node = &self.committee[*member];
            approve(node, published).await;
            self.net.sync(node).await.unwrap();
        }
    }

    /// `node` takes part by the word of the first two.
    async fn register(&self, node: &Node) -> Published {
        let published = self.propose(node, Status::Participating, None).await;
        self.approve(&[0, 1], &published).await;
        published
    }

    async fn propose(&self, node: &Node, status: Status, id: Option<RecordId>) -> Published {
        let record = naming(node, &node.root, 2, &self.net.origin());
        let subject = participant(&self.net.origin(), &record, status);
        self.record(Kind::PARTICIPANT, id, subject.to_value()).await
    }

    /// A newcomer that has nothing but the network file, after one round with the network's node.
    async fn newcomer(&self, name: &str, seed: u8) -> Node {
        let node = Node::new(name, seed).await;
        node.feeds.pin_network(self.file.clone()).await.unwrap();
        self.round(&node).await;
        node
    }

    async fn round(&self, node: &Node) {
        let carrier = Direct::new(&self.net);
        let origin = self.net.origin();
        node.sync_through(&carrier, &origin).await.unwrap();
        node.feeds.sync_anchors(&carrier, &origin, true, true).await.unwrap();
    }
}

async fn approve(node: &Node, published: &Published) -> Published {
    let about = About {
        feed: published.origin.clone(),
        id: published.id,
        version: published.version,
        body: published.body.unwrap(),
    };
    let one = Publication {
        kind: Kind::ATTESTATION,
        id: None,
        subject: about.approving(),
        expected: None,
    };
    node.feeds.publish(&FeedName::public(), vec![one]).await.unwrap().remove(0)
}

/// A node record that names a network.
fn naming(node: &Node, root: &SigningKey, version: u64, network: &Origin) -> NodeRecord {
    let names = BTreeMap::from([("en".to_owned(), format!("Mechanism of {}", node.name))]);
    let mut subject = NodeSubject::new(node.name.clone(), names, root.public());
    subject.organization = Some(BTreeMap::from([("en".to_owned(), "A test".to_owned())]));
    subject.networks = vec![network.clone()];
    let secret = OnlineSecret::from_bytes([node.seed(); 32]);
    for key_use in KeyUse::ALL {
        subject = subject.with_key(key_use.as_str(), 1, &secret.key(key_use, 1).unwrap());
    }
    let unsigned = Unsigned {
        kind: Kind::NODE,
        id: RecordId::from_random_bytes([node.seed(); 16]),
        feed: None,
        version,
        issuer: Issuer { key: root.public(), node: node.name.clone(), state: None },
        valid_from: "2026-11-23T10:00:00Z".to_owned(),
        salt: [u8::try_from(version).unwrap(); 32],
        subject: subject.subject(),
    };
    let sign = |message: &[u8]| Ok::<Signature, std::convert::Infallible>(root.sign(message));
    NodeRecord::from_body(&Body::sign(unsigned, &sign).unwrap()).unwrap()
}

fn participant(network: &Origin, record: &NodeRecord, status: Status) -> ParticipantSubject {
    ParticipantSubject {
        node: record.node.clone(),
        status,
        network: network.clone(),
        status_reason: None,
        node_record: Some(to_embed(record)),
        succeeds: None,
        reinstated: false,
        succession: None,
        decision: None,
        reason: None,
    }
}

fn policy(committee: &[&Node], threshold: u64) -> Value {
    let one = |node: &&Node| CommitteeNode { node: node.name.clone(), root: node.root.public() };
    PolicySubject {
        committee: committee.iter().map(one).collect(),
        threshold,
        witnesses: Vec::new(),
        quorum: 0,
        decision: None,
        reason: None,
    }
    .to_value()
}

#[tokio::test]
async fn two_of_three_decide_days_apart_one_of_them_by_a_file() {
    let world = World::new().await;
    let member = Node::new("member.example", 20).await;
    let published = world.propose(&member, Status::Participating, None).await;
    let waiting = world.network(&world.net);
    assert_eq!((waiting.pending().len(), waiting.participants().count()), (1, 0));
    world.approve(&[0], &published).await;
    assert_eq!(world.network(&world.net).pending()[0].needed, 1);
    world.net.clock.pass(5 * DAY);
    let approval = approve(&world.committee[2], &published).await;
    let evidence =
        world.committee[2].feeds.evidence(&approval.origin, approval.index).await.unwrap();
    let mailed = approvals_bundle(&[evidence]);
    let origin = world.net.origin();
    let taken = world.net.feeds.take_approvals(&origin, &mailed).await.unwrap();
    assert_eq!((taken.new, taken.known), (1, 0), "{taken:?}");
    assert!(world.network(&world.net).is_participating(&member.name));
    let again = world.net.feeds.take_approvals(&origin, &mailed).await.unwrap();
    assert_eq!((again.new, again.known), (0, 1));
    let newcomer = world.newcomer("new.example", 30).await;
    assert!(world.network(&newcomer).is_participating(&member.name));
}

#[tokio::test]
async fn participants_are_followed_without_a_pin_by_hand_until_they_end() {
    let world = World::new().await;
    let member = Node::new("member.example", 20).await;
    let id = world.register(&member).await.id;
    let hub = world.newcomer("hub.example", 30).await;
    assert!(hub.feeds.pins().iter().any(|pin| pin.node == member.name && pin.following));
    assert!(hub.feeds.node_record(&member.name).is_some(), "the record that the network embeds");
    member.publish(&["One"]).await;
    hub.sync(&member).await.unwrap();
    let paused = world.propose(&member, Status::Paused, Some(id)).await;
    world.approve(&[1, 2], &paused).await;
    world.round(&hub).await;
    assert!(!world.network(&hub).is_participating(&member.name));
    hub.sync(&member).await.unwrap();
    let ended = world.propose(&member, Status::Ended, Some(id)).await;
    world.approve(&[0, 2], &ended).await;
    world.round(&hub).await;
    assert!(matches!(hub.sync(&member).await, Err(SyncError::NotPinned { .. })));
    assert_eq!(hub.titles(&member.origin()).await, ["One"]);
    // A restart derives the same pins from what is on disk, and reads what is kept.
    let hub = hub.restarted(false).await;
    assert_eq!(hub.titles(&member.origin()).await, ["One"]);
    assert!(!hub.feeds.pins().iter().any(|pin| pin.node == member.name));
}

#[tokio::test]
async fn a_newcomer_with_the_first_network_file_follows_the_changes_of_committee() {
    let world = World::new().await;
    let before = Node::new("before.example", 20).await;
    world.register(&before).await;
    let (four, five) = (Node::new("four.example", 14).await, Node::new("five.example", 15).await);
    let changed = world.record(Kind::POLICY, None, policy(&[&four, &five], 2)).await;
    world.approve(&[0, 2], &changed).await;
    assert!(world.network(&world.net).pending_policy().is_some(), "the new ones have not agreed");
    for node in [&four, &five] {
        world.net.follow(node).await;
        approve(node, &changed).await;
        world.net.sync(node).await.unwrap();
    }
    assert!(world.network(&world.net).pending().is_empty());
    let after = Node::new("after.example", 21).await;
    let by_new = world.propose(&after, Status::Participating, None).await;
    for node in [&four, &five] {
        approve(node, &by_new).await;
        world.net.sync(node).await.unwrap();
    }
    // The old committee decides nothing any more.
    let late = Node::new("late.example", 22).await;
    let by_old = world.propose(&late, Status::Participating, None).await;
    world.approve(&[0, 1, 2], &by_old).await;
    let newcomer = world.newcomer("new.example", 30).await;
    let network = world.network(&newcomer);
    let who: BTreeSet<&str> = network.participants().map(|one| one.node.as_str()).collect();
    assert_eq!(who, BTreeSet::from(["before.example", "after.example"]));
    assert_eq!(network.pending().len(), 1);
}

#[tokio::test]
async fn a_network_node_that_invents_a_participant_convinces_nobody() {
    let world = World::new().await;
    let (invented, stranger) =
        (Node::new("invented.example", 20).await, Node::new("stranger.example", 21).await);
    let published = world.propose(&invented, Status::Participating, None).await;
    let mut evidence = Vec::new();
    for node in [&stranger, &world.net] {
        let approval = approve(node, &published).await;
        evidence.push(node.feeds.evidence(&approval.origin, approval.index).await.unwrap());
    }
    world.approve(&[0], &published).await;
    let newcomer = world.newcomer("new.example", 30).await;
    let origin = world.net.origin();
    let taken = newcomer.feeds.take_approvals(&origin, &approvals_bundle(&evidence)).await.unwrap();
    assert_eq!((taken.new, taken.refused.len()), (0, 2), "{taken:?}");
    assert_eq!(world.network(&newcomer).participants().count(), 0);
    assert!(newcomer.feeds.pin(&invented.name).is_none());
    let cut = Bytes::from_static(b"JPB1 and nothing that follows");
    assert!(newcomer.feeds.take_approvals(&origin, &cut).await.is_err());
}

#[tokio::test]
async fn approvals_that_are_withheld_come_from_the_committee_itself() {
    let world = World::new().await;
    let member = Node::new("member.example", 20).await;
    world.register(&member).await;
    let hub = Node::new("hub.example", 30).await;
    hub.feeds.pin_network(world.file.clone()).await.unwrap();
    let mut carrier = Direct::new(&world.net);
    carrier.without_anchors = true;
    hub.sync_through(&carrier, &world.net.origin()).await.unwrap();
    hub.feeds.sync_anchors(&carrier, &world.net.origin(), true, true).await.unwrap();
    assert_eq!(world.network(&hub).pending().len(), 1, "shown as waiting");
    for node in &world.committee[..2] {
        hub.follow(node).await;
        hub.sync(node).await.unwrap();
    }
    assert!(world.network(&hub).is_participating(&member.name));
}

#[tokio::test]
async fn a_pin_by_hand_to_another_root_holds_and_is_shown() {
    let world = World::new().await;
    let member = Node::new("member.example", 20).await;
    let hub = Node::new("hub.example", 30).await;
    let other = SigningKey::from_seed(&[99; 32]).unwrap().public();
    let pin = Pin::new(member.name.clone(), other, Vec::new(), NOW);
    hub.feeds.follow(pin.clone()).await.unwrap();
    hub.feeds.pin_network(world.file.clone()).await.unwrap();
    world.register(&member).await;
    world.round(&hub).await;
    assert_eq!(hub.feeds.pin(&member.name), Some(pin));
    let conflicts = hub.feeds.root_conflicts();
    assert_eq!(
        (conflicts.len(), conflicts[0].pinned, conflicts[0].stated),
        (1, other, member.root.public())
    );
    hub.feeds.unfollow(&member.name, true).await.unwrap();
    assert_eq!(hub.feeds.pin(&member.name).unwrap().root, member.root.public());
    assert!(hub.feeds.root_conflicts().is_empty());
}

#[tokio::test]
async fn a_node_that_the_network_file_does_not_name_is_not_met() {
    let world = World::new().await;
    let impostor = Node::new("net.example", 66).await;
    let newcomer = Node::new("new.example", 30).await;
    newcomer.feeds.pin_network(world.file.clone()).await.unwrap();
    let refused = newcomer.sync_through(&Direct::new(&impostor), &world.net.origin()).await;
    assert!(matches!(refused, Err(SyncError::Network(_))), "{refused:?}");
    assert!(newcomer.feeds.hand_pin(&world.net.name).is_none());
    world.round(&newcomer).await;
    let pinned = newcomer.feeds.hand_pin(&world.net.name).unwrap();
    assert_eq!(pinned.root, world.net.root.public());
}

#[tokio::test]
async fn a_root_that_the_committee_gives_back_counts_after_seven_days() {
    let world = World::new().await;
    let member = Node::new("member.example", 20).await;
    let id = world.register(&member).await.id;
    let hub = world.newcomer("hub.example", 30).await;
    hub.sync(&member).await.unwrap();
    let fresh = SigningKey::from_seed(&[77; 32]).unwrap();
    let record = naming(&member, &fresh, 3, &world.net.origin());
    let subject = ParticipantSubject {
        reinstated: true,
        ..participant(&world.net.origin(), &record, Status::Participating)
    };
    let published = world.record(Kind::PARTICIPANT, Some(id), subject.to_value()).await;
    world.approve(&[0, 2], &published).await;
    world.round(&hub).await;
    assert_eq!(hub.feeds.pin(&member.name).unwrap().root, member.root.public());
    assert!(world.network(&hub).pending()[0].effective_at.is_some(), "its time is shown");
    hub.clock.pass(8 * DAY);
    hub.feeds
        .sync_anchors(&Direct::new(&world.net), &world.net.origin(), false, false)
        .await
        .unwrap();
    assert_eq!(hub.feeds.pin(&member.name).unwrap().root, fresh.public(), "while it runs");
    let hub = hub.later(0).await;
    let pin = hub.feeds.pin(&member.name).unwrap();
    assert_eq!((pin.root, pin.former), (fresh.public(), vec![member.root.public()]));
    assert_eq!(world.network(&hub).participant(&member.name).unwrap().reinstated.len(), 1);
}

#[tokio::test]
async fn of_two_networks_the_one_that_was_first_holds() {
    let (world, member) = (World::new().await, Node::new("member.example", 20).await);
    let hub = world.newcomer("hub.example", 30).await;
    world.register(&member).await;
    world.round(&hub).await;
    let other = Node::new("also.example", 40).await;
    let log =
        Log { key: other.feeds.view(&other.origin()).unwrap().log_vkey().unwrap(), url: None };
    let policy = Policy::some_of(vec![log], &[], 0).unwrap();
    let file = NetworkFile::new(&other.origin(), &[other.root.public()], 1, &policy).unwrap();
    other.feeds.pin_network(file.clone()).await.unwrap();
    let false_root = SigningKey::from_seed(&[88; 32]).unwrap();
    let record = naming(&member, &false_root, 2, &other.origin());
    let subject = participant(&other.origin(), &record, Status::Participating).to_value();
    let one = Publication { kind: Kind::PARTICIPANT, id: None, subject, expected: None };
    let published = other.feeds.publish(&FeedName::public(), vec![one]).await.unwrap().remove(0);
    approve(&other, &published).await;
    hub.feeds.pin_network(file).await.unwrap();
    let carrier = Direct::new(&other);
    hub.sync_through(&carrier, &other.origin()).await.unwrap();
    hub.feeds.sync_anchors(&carrier, &other.origin(), true, true).await.unwrap();
    assert!(hub.feeds.network(&other.origin()).unwrap().is_participating(&member.name));
    assert_eq!(hub.feeds.pin(&member.name).unwrap().root, member.root.public());
    let conflicts = hub.feeds.root_conflicts();
    assert_eq!((conflicts.len(), &conflicts[0].network), (1, &other.origin()));
}

#[tokio::test]
async fn anchors_that_rotted_or_vanished_are_whole_again() {
    let world = World::new().await;
    world.register(&Node::new("member.example", 20).await).await;
    let newcomer = world.newcomer("new.example", 21).await;
    let origin = world.net.origin();
    let whole = newcomer.store.fact(&origin, &Fact::Anchors).await.unwrap().unwrap();
    let scrubbed = async |node: &Node| node.feeds.scrub(&origin, &Fast).await;
    let first = scrubbed(&newcomer).await;
    assert_eq!((first.damaged, first.kinds.get("anchors")), (0, Some(&1)), "{first:?}");
    for lost in [false, true] {
        newcomer.store.damage(&origin, &Fact::Anchors, |bytes| bytes[40] ^= 1);
        if lost {
            newcomer.store.remove(&origin, &Fact::Anchors).await.unwrap();
        }
        let found = scrubbed(&newcomer).await;
        assert_eq!((found.damaged, found.healed), (1, 1), "{found:?}");
        assert_eq!(found.told[0].what, "anchors");
        let now = newcomer.store.fact(&origin, &Fact::Anchors).await.unwrap();
        assert_eq!(now.as_ref(), Some(&whole));
    }
    // They rotted while the node was off: whoever carries the network has them.
    newcomer.store.damage(&origin, &Fact::Anchors, |bytes| bytes[40] ^= 1);
    let newcomer = newcomer.restarted(true).await;
    let found = scrubbed(&newcomer).await;
    assert_eq!((found.damaged, found.healed), (1, 0), "{found:?}");
    introduce(&newcomer, &world.net);
    let found = scrubbed(&newcomer).await;
    assert_eq!((found.damaged, found.healed), (1, 1), "{found:?}");
    assert_eq!(newcomer.store.fact(&origin, &Fact::Anchors).await.unwrap(), Some(whole));
    assert_eq!(scrubbed(&newcomer).await.damaged, 0);
}

#[tokio::test]
async fn one_member_that_approves_without_end_leaves_room_for_the_others() {
    let world = World::new().await;
    let flooder = &world.committee[2];
    // What does not exist, at such length that it would fill all that is kept of approvals.
    for number in 0..13_u8 {
        let mut many = Vec::new();
        for other in 0..10_u8 {
            let about = About {
                feed: world.net.origin(),
                id: RecordId::from_random_bytes([number; 16]),
                version: 1 + u64::from(other),
                body: tlog::hash::Hash::of([number, other]),
            };
            let mut subject = about.approving();
            subject["note"] = Value::from("x".repeat(120_000));
            many.push(Publication { kind: Kind::ATTESTATION, id: None, subject, expected: None });
        }
        flooder.feeds.publish(&FeedName::public(), many).await.unwrap();
    }
    world.net.sync(flooder).await.unwrap();
    let node = Node::new("new.example", 20).await;
    world.register(&node).await;
    assert!(world.network(&world.net).is_participating(&node.name));
    let newcomer = world.newcomer("late.example", 21).await;
    assert!(world.network(&newcomer).is_participating(&node.name));
}

/// The network's file of the day after it moved to `url`.
fn moved_to(world: &World, url: &str) -> NetworkFile {
    let key = world.net.feeds.view(&world.net.origin()).unwrap().log_vkey().unwrap();
    let url = Some(Word::new(format!("{url}feeds/{}", world.net.origin()).as_bytes()).unwrap());
    let policy = Policy::some_of(vec![Log { key, url }], &[], 0).unwrap();
    world.file.with_policy(&policy).unwrap()
}

#[tokio::test]
async fn a_newer_network_file_says_where_a_network_that_was_met_is_now() {
    let world = World::new().await;
    let (old, new) = ("https://old.example/", "https://new.example/");
    let node = Node::new("new.example", 14).await;
    let urls = |node: &Node| node.feeds.hand_pin(&world.net.name).unwrap().urls;
    node.feeds.pin_network(moved_to(&world, old)).await.unwrap();
    world.round(&node).await;
    assert_eq!(urls(&node), [old]);
    node.feeds.pin_network(moved_to(&world, new)).await.unwrap();
    assert_eq!(urls(&node), [new]);
    let pin = node.feeds.hand_pin(&world.net.name).unwrap();
    assert_eq!(pin.root, world.net.root.public());
    // What a person wrote by hand stays, behind the file's.
    let by_hand = vec!["https://mirror.example/".to_owned(), new.to_owned()];
    node.feeds.follow(Pin { urls: by_hand, ..pin }).await.unwrap();
    node.feeds.pin_network(moved_to(&world, old)).await.unwrap();
    assert_eq!(urls(&node), [old, "https://mirror.example/"]);
}
