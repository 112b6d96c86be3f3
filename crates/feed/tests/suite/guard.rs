//! The rollback guard: whatever is restored, cloned or started twice, no size is signed twice as long as
//! one honest node can be asked; and what is lost comes back byte for byte.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::feeds::{GuardState, Others, PublishError, RestoreError, Restored, Source};
use feed::ports::{BodyAnswer, Carrier, CarrierError, Quiet, Since};
use store::memory::{MemoryCatalog, MemoryStore};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};
use tlog::tile::TilePath;

use crate::receipts::acquainted;
use crate::world::{Direct, NOW, Node, publication};

/// How a node answers that should know us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Honest,
    /// Not reached.
    Silent,
    /// Serves what it held long ago.
    Old,
    /// Serves something else.
    Garbage,
}

use Peer::{Garbage, Honest, Old, Silent};

/// Every pair in which two followers can be found.
const PEERS: [[Peer; 2]; 6] = [
    [Honest, Honest],
    [Honest, Silent],
    [Silent, Silent],
    [Honest, Old],
    [Old, Old],
    [Garbage, Garbage],
];

/// Entries published after the backup was made.
const AGES: [usize; 5] = [0, 1, 2, 7, 40];

pub(crate) struct Around(pub(crate) BTreeMap<NodeName, Arc<dyn Carrier>>);

impl Others for Around {
    fn carrier(&self, node: &NodeName) -> Option<Arc<dyn Carrier>> {
        self.0.get(node).cloned()
    }
}

struct Unreachable;

impl Unreachable {
    fn error() -> CarrierError {
        CarrierError::Unreachable { carrier: "nobody".to_owned(), reason: "a test".to_owned() }
    }
}

#[async_trait]
impl Carrier for Unreachable {
    fn describe(&self) -> String {
        "nobody".to_owned()
    }
    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        Err(Self::error())
    }
    async fn checkpoint(&self, _: &Origin) -> Result<Bytes, CarrierError> {
        Err(Self::error())
    }
    async fn since(&self, _: &Origin, _: u64, _: Option<Duration>) -> Result<Since, CarrierError> {
        Err(Self::error())
    }
    async fn tile(&self, _: &Origin, _: &TilePath) -> Result<Bytes, CarrierError> {
        Err(Self::error())
    }
    async fn segment(&self, _: &Origin, _: u64) -> Result<Bytes, CarrierError> {
        Err(Self::error())
    }
    async fn body(&self, _: &Origin, _: u64) -> Result<BodyAnswer, CarrierError> {
        Err(Self::error())
    }
}

/// What a follower serves of `owner`'s feed, in the manner of `peer`.
fn carrier(follower: &Node, owner: &Node, peer: Peer, old: &Bytes) -> Arc<dyn Carrier> {
    let record = follower.feeds.node_record(&owner.name).unwrap();
    let mut direct = Direct::of(Arc::clone(&follower.feeds), record);
    let old = old.clone();
    direct.checkpoint = match peer {
        Honest => None,
        Silent => return Arc::new(Unreachable),
        Old => Some(Box::new(move |_| old.clone())),
        Garbage => Some(Box::new(|_| Bytes::from_static(b"nothing of that kind\n"))),
    };
    Arc::new(direct)
}

/// The owner's process, started from what a store holds.
async fn started(owner: &Node, store: MemoryStore) -> Node {
    let catalog = Arc::new(MemoryCatalog::new());
    // Another time, so that other ids are drawn.
    Node::at(owner.name.as_str(), 1, Arc::new(store), catalog, NOW + 100_000).await
}

async fn round(follower: &Node, owner: &Node) {
    follower.sync(owner).await.unwrap();
    follower.feeds.exchange_receipts(&Direct::new(owner), &owner.origin()).await;
}

async fn try_to_publish(node: &Node) -> Result<(), PublishError> {
    let publications = vec![publication("After the restore", None)];
    node.feeds.publish(&FeedName::public(), publications).await.map(drop)
}

async fn restore_from(
    node: &Node,
    sources: &[(NodeName, Arc<dyn Carrier>)],
) -> Result<Restored, RestoreError> {
    let sources: Vec<Source<'_>> = sources
        .iter()
        .map(|(node, carrier)| Source { node: Some(node.clone()), carrier: carrier.as_ref() })
        .collect();
    let root = Some(node.root.public());
    node.feeds.restore_feed(&node.origin(), root, &sources, &Quiet).await
}

/// What must come of it, from the text of the design.
fn expected(age: usize, peers: [Peer; 2], strict: bool) -> &'static str {
    let honest = peers.iter().filter(|peer| **peer == Honest).count();
    match (honest > 0, age > 0, strict) {
        (true, true, _) => "read-only",
        (true, false, _) | (false, _, false) => "open",
        (false, _, true) => "asking",
    }
}

fn word(state: &GuardState) -> &'static str {
    match state {
        GuardState::Open => "open",
        GuardState::Asking { .. } => "asking",
        GuardState::ReadOnly { .. } => "read-only",
    }
}

async fn one_case(age: usize, peers: [Peer; 2], strict: bool) {
    let case = format!("{age} entries, {peers:?}, strict: {strict}");
    let (owner, followers) = acquainted::<2>().await;
    let old = owner.feeds.view(&owner.origin()).unwrap().note.clone();
    owner.publish(&["Two"]).await;
    for follower in &followers {
        round(follower, &owner).await;
    }
    let copy = if strict { owner.store.backup() } else { owner.store.restarted() };
    for number in 0..age {
        owner.publish(&[&format!("Later {number}")]).await;
    }
    let mut around = BTreeMap::new();
    for (follower, peer) in followers.iter().zip(peers) {
        round(follower, &owner).await;
        around.insert(follower.name.clone(), carrier(follower, &owner, peer, &old));
    }
    let back = started(&owner, copy).await;
    back.feeds.set_others(Arc::new(Around(around.clone())));
    let state = back.feeds.decide_guard(&back.origin()).await;
    assert_eq!(word(&state), expected(age, peers, strict), "{case}: {state:?}");
    let published = try_to_publish(&back).await;
    assert_eq!(published.is_ok(), state == GuardState::Open, "{case}: {published:?}");
    if let GuardState::ReadOnly { reason } = &state {
        assert!(reason.contains("jopoi restore --from-network"), "{reason}");
        // A restart forgets nothing, even if nobody can be asked any more.
        let again = started(&owner, back.store.restarted()).await;
        assert_eq!(word(&again.feeds.guard(&back.origin())), "read-only", "{case}");
        let sources: Vec<_> = around.into_iter().collect();
        let restored = restore_from(&again, &sources).await.unwrap();
        let lost = owner.feeds.view(&owner.origin()).unwrap();
        assert_eq!((restored.size, restored.root), (lost.size(), lost.root()), "{case}");
        assert_eq!(restored.guard, GuardState::Open, "{case}");
        try_to_publish(&again).await.unwrap();
        for follower in &followers {
            follower.sync(&again).await.unwrap();
        }
    }
}

#[tokio::test]
async fn sixty_restarts_and_restores_go_as_the_design_says() {
    let mut cases = 0;
    for age in AGES {
        for peers in PEERS {
            for strict in [false, true] {
                one_case(age, peers, strict).await;
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 60);
}

/// Every checkpoint that a node was ever shown, by size.
#[derive(Default)]
struct Seen(BTreeMap<u64, Hash>);

impl Seen {
    fn all(&mut self, nodes: &[&Node], origin: &Origin) {
        for node in nodes {
            let Some(view) = node.feeds.view(origin) else { continue };
            let note = SignedCheckpoint::parse(&view.note).unwrap().checkpoint;
            let known = *self.0.entry(note.size).or_insert(note.root);
            assert_eq!(known, note.root, "{} entries were signed twice", note.size);
        }
    }
}

#[tokio::test]
async fn a_clone_of_a_node_that_publishes_on_signs_nothing() {
    for before in 0..5 {
        let (owner, [one, two]) = acquainted::<2>().await;
        let mut seen = Seen::default();
        for number in 0..before {
            owner.publish(&[&format!("Before {number}")]).await;
        }
        round(&one, &owner).await;
        round(&two, &owner).await;
        let clone = started(&owner, owner.store.cloned()).await;
        let old = owner.feeds.view(&owner.origin()).unwrap().note.clone();
        let peers =
            [&one, &two].map(|peer| (peer.name.clone(), carrier(peer, &owner, Honest, &old)));
        clone.feeds.set_others(Arc::new(Around(peers.into_iter().collect())));
        for number in 0..3 {
            owner.publish(&[&format!("Original {number}")]).await;
            round(&one, &owner).await;
            seen.all(&[&owner, &one, &two], &owner.origin());
            let refused = try_to_publish(&clone).await.unwrap_err().to_string();
            assert!(refused.contains("read-only"), "{refused}");
            round(&two, &owner).await;
            seen.all(&[&owner, &clone, &one, &two], &owner.origin());
        }
        assert!(seen.0.len() >= 3);
    }
}

#[tokio::test]
async fn whoever_learns_of_a_second_server_stops_signing_at_once() {
    let (owner, [one]) = acquainted::<1>().await;
    round(&one, &owner).await;
    let clone = started(&owner, owner.store.cloned()).await;
    let old = owner.feeds.view(&owner.origin()).unwrap().note.clone();
    let peer = BTreeMap::from([(one.name.clone(), carrier(&one, &owner, Honest, &old))]);
    clone.feeds.set_others(Arc::new(Around(peer)));
    // Nobody holds more than the copy: the machine was moved, as far as anybody can tell.
    try_to_publish(&clone).await.unwrap();
    round(&one, &clone).await;
    // The old server is still there. The receipt of what it never signed reaches it first.
    let line = one.feeds.own_receipt(&owner.origin()).await.unwrap().unwrap();
    owner.feeds.accept_cosignature(&owner.origin(), &line.to_bytes()).await.unwrap_err();
    let state = owner.feeds.guard(&owner.origin());
    assert_eq!(word(&state), "read-only", "{state:?}");
    try_to_publish(&owner).await.unwrap_err();
    // Somebody else's word stops nobody.
    let (stranger, _) = acquainted::<0>().await;
    stranger.publish(&["Three", "Four"]).await;
    let mut forged = stranger.feeds.view(&stranger.origin()).unwrap().note.to_vec();
    let last = forged.len() - 10;
    forged[last] ^= 1;
    assert!(!clone.feeds.weigh_own(&clone.origin(), &forged, "a stranger").await);
    assert_eq!(clone.feeds.guard(&clone.origin()), GuardState::Open);
}

#[tokio::test]
async fn after_a_fire_everything_comes_back_whatever_one_peer_says() {
    for liar in [Old, Garbage, Silent] {
        let (owner, [one, two]) = acquainted::<2>().await;
        let old = owner.feeds.view(&owner.origin()).unwrap().note.clone();
        let gone = owner.publish(&["To be erased"]).await.remove(0);
        let titles: Vec<String> = (0..1_100).map(|number| format!("Practice {number}")).collect();
        owner.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let withdrawal =
            feed::feeds::Withdrawal { reason: "data-protection".to_owned(), erase: true };
        owner.feeds.withdraw(&FeedName::public(), &gone.id, &withdrawal).await.unwrap();
        round(&one, &owner).await;
        round(&two, &owner).await;
        let sources = [
            (one.name.clone(), carrier(&one, &owner, liar, &old)),
            (two.name.clone(), carrier(&two, &owner, Honest, &old)),
        ];
        let anew = started(&owner, MemoryStore::new()).await;
        let restored = restore_from(&anew, &sources).await.unwrap();
        let lost = owner.feeds.view(&owner.origin()).unwrap();
        assert_eq!((restored.size, restored.root), (lost.size(), lost.root()), "{liar:?}");
        assert_eq!(restored.guard, GuardState::Open, "{liar:?}");
        assert_eq!(anew.titles(&anew.origin()).await, owner.titles(&owner.origin()).await);
        let body = anew.feeds.entry(&anew.origin(), gone.index).await.unwrap().body;
        assert!(matches!(body, feed::feeds::BodyRead::Erased { .. }), "{body:?}");
        try_to_publish(&anew).await.unwrap();
        one.sync(&anew).await.unwrap();
    }
}

#[tokio::test]
async fn what_our_own_key_signed_twice_is_never_signed_on() {
    let (owner, [one, two]) = acquainted::<2>().await;
    let second = started(&owner, owner.store.restarted()).await;
    owner.publish(&["Mine"]).await;
    second.feeds.decide_guard(&second.origin()).await;
    try_to_publish(&second).await.unwrap();
    one.sync(&owner).await.unwrap();
    two.sync(&second).await.unwrap();
    let old = owner.feeds.view(&owner.origin()).unwrap().note.clone();
    let sources = [&one, &two].map(|peer| (peer.name.clone(), carrier(peer, &owner, Honest, &old)));
    let anew = started(&owner, MemoryStore::new()).await;
    let error = restore_from(&anew, &sources).await.unwrap_err();
    assert!(matches!(error, RestoreError::TwoVersions { .. }), "{error}");
    try_to_publish(&anew).await.unwrap_err();
    let again = started(&owner, anew.store.restarted()).await;
    assert_eq!(word(&again.feeds.guard(&again.origin())), "read-only");
}

#[tokio::test]
async fn a_witness_that_claims_more_without_proof_is_asked_about_once() {
    let (owner, [one]) = acquainted::<1>().await;
    round(&one, &owner).await;
    let old = owner.feeds.view(&owner.origin()).unwrap().note.clone();
    // Nobody can be asked: nothing is signed.
    owner.feeds.doubt(&owner.origin(), 99, "witness.example/w");
    let refused = try_to_publish(&owner).await.unwrap_err().to_string();
    assert!(refused.contains("witness.example/w") && refused.contains("99"), "{refused}");
    let peer = BTreeMap::from([(one.name.clone(), carrier(&one, &owner, Honest, &old))]);
    owner.feeds.set_others(Arc::new(Around(peer)));
    try_to_publish(&owner).await.unwrap();
    owner.feeds.doubt(&owner.origin(), 99, "witness.example/w");
    owner.feeds.doubt(&owner.origin(), 2, "witness.example/w");
    assert_eq!(owner.feeds.guard(&owner.origin()), GuardState::Open);
}
