//! Nodes that show one history to some and another to others: found by honest followers that compare
//! what they hold, at most two rounds later, and without a word from the liar.

use feed::fault::Fault;
use feed::feeds::{FeedState, Heard, Judgement, Settled, TakenFault};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;

use crate::world::{Direct, Node};

const HONEST: usize = 8;
const SEEDS: u64 = 50;

/// Numbers that look like chance and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 += 1;
        let hash = Hash::of(self.0.to_be_bytes());
        usize::from(hash.as_bytes()[0]) * 256 % end + usize::from(hash.as_bytes()[1]) % end
    }

    fn pick(&mut self, end: usize) -> usize {
        self.below(end) % end
    }
}

/// One mechanism with two faces: the same keys, two feeds.
struct Liar {
    faces: [Node; 2],
}

impl Liar {
    async fn new(number: u8, dice: &mut Dice) -> Self {
        let name = format!("liar-{number}.example");
        let faces = [Node::new(&name, 100 + number).await, Node::new(&name, 100 + number).await];
        let common = dice.pick(3);
        for at in 0..common {
            for face in &faces {
                face.publish(&[&format!("Common {at}")]).await;
            }
        }
        for (at, face) in faces.iter().enumerate() {
            for more in 0..=dice.pick(3) {
                face.publish(&[&format!("Face {at} says {more}")]).await;
            }
        }
        Self { faces }
    }
}

/// What a node says it holds.
fn heads(node: &Node) -> Vec<Heard> {
    let origins = node.feeds.origins();
    let views = origins.iter().filter_map(|origin| node.feeds.view(origin));
    let line = |view: std::sync::Arc<feed::feeds::View>| Heard {
        evidence: node.feeds.evidence_of(&view.origin),
        origin: view.origin.clone(),
        size: view.size(),
        root: view.root(),
    };
    views.map(line).collect()
}

/// A round: every node syncs what it follows, then compares heads with those it talks to.
async fn round(nodes: &[Node], liars: &[Liar], side: &[usize], talks: &[(usize, usize)]) {
    for (node, side) in nodes.iter().zip(side) {
        for liar in liars {
            // A feed that stands still is not synced: that is the point.
            let _ = node.sync(&liar.faces[*side]).await;
        }
    }
    for (one, other) in talks {
        let (one, other) = (&nodes[*one], &nodes[*other]);
        one.feeds.compare_heads(&Direct::new(other), &heads(other)).await.unwrap();
    }
}

async fn simulate(seed: u64) -> usize {
    let mut dice = Dice(seed * 1_000_003);
    let mut nodes = Vec::new();
    for number in 0..HONEST {
        let name = format!("honest-{number}.example");
        nodes.push(Node::new(&name, u8::try_from(number).unwrap() + 1).await);
    }
    let mut liars = Vec::new();
    for number in 0..=u8::try_from(dice.pick(3)).unwrap() {
        liars.push(Liar::new(number, &mut dice).await);
    }
    for node in &nodes {
        for liar in &liars {
            node.follow(&liar.faces[0]).await;
        }
    }
    // Two halves that see different faces; nobody talks to everybody: all follow a hub, and each of
    // them one other.
    let hub = dice.pick(HONEST);
    let side: Vec<usize> = (0..HONEST).map(|number| (number + hub) % 2).collect();
    let mut talks = Vec::new();
    for number in (0..HONEST).filter(|number| *number != hub) {
        talks.push((hub, number));
        talks.push((number, hub));
        talks.push((number, (number + 1 + dice.pick(HONEST - 1)) % HONEST));
    }
    // In any order.
    for at in 0..talks.len() {
        let other = dice.pick(talks.len());
        talks.swap(at, other);
    }
    for _ in 0..2 {
        round(&nodes, &liars, &side, &talks).await;
    }
    let mut found = 0;
    for node in &nodes {
        for liar in &liars {
            let origin = liar.faces[0].origin();
            let fault = node.feeds.fault(&origin);
            let fault = fault.unwrap_or_else(|| panic!("seed {seed}: {} missed it", node.name));
            // It convinces a stranger who knows nothing but the root.
            let stranger = Fault::parse(&fault.to_bytes()).unwrap();
            stranger.verify(liar.faces[0].root.public()).unwrap();
            let state = node.feeds.view(&origin).unwrap().state.clone();
            assert!(matches!(state, FeedState::Forked { .. }), "seed {seed}: {state:?}");
            found += 1;
        }
        let others = node.feeds.faults().len();
        assert_eq!(others, liars.len(), "seed {seed}: somebody honest was accused");
    }
    found
}

#[tokio::test]
async fn two_histories_are_found_by_every_honest_node_within_two_rounds() {
    let mut found = 0;
    for seed in 0..SEEDS {
        found += simulate(seed).await;
    }
    println!("equivocation: {SEEDS} seeds, found {found} of {found} times within two rounds");
    assert!(found >= usize::try_from(SEEDS).unwrap() * HONEST);
}

/// A node that holds one face, and the carrier of somebody who holds the other.
async fn two_copies(sizes: [usize; 2]) -> (Liar, Node, Node) {
    let faces = [Node::new("liar.example", 9).await, Node::new("liar.example", 9).await];
    for (at, (face, size)) in faces.iter().zip(sizes).enumerate() {
        for more in 0..size {
            face.publish(&[&format!("Face {at} says {more}")]).await;
        }
    }
    let (one, other) = (Node::new("one.example", 1).await, Node::new("other.example", 2).await);
    for (node, face) in [(&one, &faces[0]), (&other, &faces[1])] {
        node.follow(face).await;
        node.sync(face).await.unwrap();
    }
    (Liar { faces }, one, other)
}

#[tokio::test]
async fn copies_of_any_two_sizes_convict_and_the_copy_stays_where_it_was() {
    for sizes in [[1, 1], [3, 1], [1, 3], [2, 5], [300, 2]] {
        let (liar, one, other) = two_copies(sizes).await;
        let origin = liar.faces[0].origin();
        for _ in 0..2 {
            one.feeds.compare_heads(&Direct::new(&other), &heads(&other)).await.unwrap();
        }
        let fault = one.feeds.fault(&origin).unwrap_or_else(|| panic!("{sizes:?}"));
        fault.verify(liar.faces[0].root.public()).unwrap();
        let impostor = Node::new("liar.example", 77).await;
        assert!(fault.verify(impostor.root.public()).is_err());
        assert_eq!(one.feeds.view(&origin).unwrap().size(), sizes[0] as u64 + 1, "{sizes:?}");
        let restarted = one.restarted(false).await;
        let state = restarted.feeds.view(&origin).unwrap().state.clone();
        assert!(matches!(state, FeedState::Forked { .. }), "{sizes:?}: {state:?}");
    }
}

#[tokio::test]
async fn whoever_is_merely_behind_or_ahead_is_not_accused_and_helps() {
    let owner = Node::new("owner.example", 9).await;
    let (one, other) = (Node::new("one.example", 1).await, Node::new("other.example", 2).await);
    for node in [&one, &other] {
        node.follow(&owner).await;
        node.sync(&owner).await.unwrap();
    }
    owner.publish(&["News"]).await;
    other.sync(&owner).await.unwrap();
    for _ in 0..2 {
        for (node, peer) in [(&one, &other), (&other, &one)] {
            let found = node.feeds.compare_heads(&Direct::new(peer), &heads(peer)).await.unwrap();
            assert!(found.is_empty());
        }
    }
    assert!(one.feeds.faults().is_empty() && other.feeds.faults().is_empty());
    // What its owner keeps from it, it took from the other one, verified as always.
    assert_eq!(one.titles(&owner.origin()).await, ["News"]);
}

#[tokio::test]
async fn false_heads_and_false_evidence_accuse_nobody() {
    let (liar, one, other) = two_copies([2, 2]).await;
    let honest = Node::new("honest.example", 3).await;
    one.follow(&honest).await;
    one.sync(&honest).await.unwrap();
    other.follow(&honest).await;
    other.sync(&honest).await.unwrap();
    let line = |root, size, evidence| Heard { origin: honest.origin(), size, root, evidence };
    let lies = [
        line(Hash::of("x"), 1, None),
        line(Hash::of("x"), 9, None),
        line(Hash::of("x"), 1, Some(Hash::of("y"))),
    ];
    for lie in lies {
        for _ in 0..3 {
            let found =
                one.feeds.compare_heads(&Direct::new(&other), std::slice::from_ref(&lie)).await;
            assert!(found.unwrap().is_empty());
        }
    }
    // True evidence about somebody else, with the name of the honest node put in.
    one.feeds.compare_heads(&Direct::new(&other), &heads(&other)).await.unwrap();
    let fault = one.feeds.fault(&liar.faces[0].origin()).unwrap();
    let text = String::from_utf8(fault.to_bytes()).unwrap();
    let forged = text.replace("liar.example", "honest.example");
    let taken = one.feeds.take_fault(forged.as_bytes()).await.unwrap();
    assert!(matches!(taken, TakenFault::Refused { .. }), "{taken:?}");
    assert!(one.feeds.fault(&honest.origin()).is_none());
    assert_eq!(one.feeds.take_fault(text.as_bytes()).await.unwrap(), TakenFault::Known);
}

#[tokio::test]
async fn every_changed_byte_of_a_fault_file_convinces_nobody_or_says_the_same() {
    let (liar, one, other) = two_copies([2, 3]).await;
    one.feeds.compare_heads(&Direct::new(&other), &heads(&other)).await.unwrap();
    one.feeds.compare_heads(&Direct::new(&other), &heads(&other)).await.unwrap();
    let fault = one.feeds.fault(&liar.faces[0].origin()).unwrap();
    let (bytes, root) = (fault.to_bytes(), liar.faces[0].root.public());
    let said = fault.checkpoints().unwrap();
    let mut mutations = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        mutations += 1;
        if let Ok(fault) = Fault::parse(&changed)
            && fault.verify(root).is_ok()
        {
            assert_eq!(fault.checkpoints().unwrap(), said, "byte {at}");
        }
    }
    println!("fault file: {mutations} mutations");
}

#[tokio::test]
async fn an_operator_settles_a_fork_and_can_open_it_again() {
    let (liar, one, other) = two_copies([2, 2]).await;
    let origin = liar.faces[0].origin();
    one.feeds.compare_heads(&Direct::new(&other), &heads(&other)).await.unwrap();
    assert!(one.feeds.settle_fork(&one.origin(), Some(Settled::Anew)).await.is_err());
    one.feeds.settle_fork(&origin, Some(Settled::KeepOurs)).await.unwrap();
    assert_eq!(one.feeds.view(&origin).unwrap().state, FeedState::Open);
    // The same evidence, and the other face, change nothing any more.
    one.feeds.compare_heads(&Direct::new(&other), &heads(&other)).await.unwrap();
    assert_eq!(one.feeds.view(&origin).unwrap().state, FeedState::Open);
    liar.faces[0].publish(&["Goes on"]).await;
    one.sync(&liar.faces[0]).await.unwrap();
    assert_eq!(one.feeds.view(&origin).unwrap().size(), 4);
    one.feeds.settle_fork(&origin, None).await.unwrap();
    assert!(matches!(one.feeds.view(&origin).unwrap().state, FeedState::Forked { .. }));
    one.feeds.settle_fork(&origin, Some(Settled::Anew)).await.unwrap();
    assert!(one.feeds.view(&origin).is_none());
    one.sync(&liar.faces[1]).await.unwrap();
    assert_eq!(one.titles(&origin).await, ["Face 1 says 1", "Face 1 says 0"]);
    let one = one.restarted(true).await;
    assert_eq!(one.feeds.view(&origin).unwrap().state, FeedState::Open);
    assert!(one.feeds.faults()[0].settled.is_some());
}

#[tokio::test]
async fn our_own_feed_with_two_histories_signs_nothing_more() {
    let (ours, twin) = (Node::new("our.example", 5).await, Node::new("our.example", 5).await);
    ours.publish(&["Ours"]).await;
    twin.publish(&["Of a copied secret"]).await;
    let peer = Node::new("peer.example", 1).await;
    peer.follow(&twin).await;
    peer.sync(&twin).await.unwrap();
    let found = ours.feeds.compare_heads(&Direct::new(&peer), &heads(&peer)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(matches!(ours.feeds.view(&ours.origin()).unwrap().state, FeedState::ReadOnly { .. }));
}

#[tokio::test]
async fn a_cosigner_that_vouched_for_two_histories_is_convicted_by_its_own_lines() {
    for (ours, theirs) in [(2, 2), (3, 2), (2, 3)] {
        let (liar, one, other) = two_copies([ours, theirs]).await;
        let cosigner = Node::new("cosigner.example", 4).await;
        one.follow(&cosigner).await;
        one.sync(&cosigner).await.unwrap();
        let secret = feed::secret::OnlineSecret::from_bytes([4; 32]);
        let signing = secret.key(feed::ports::KeyUse::Receipt, 1).unwrap();
        let key = VerifierKey::cosignature(KeyName::receipt_of(&cosigner.name), signing.public());
        let mut notes = Vec::new();
        for node in [&one, &other] {
            let note = node.feeds.checkpoint(&liar.faces[0].origin()).await.unwrap();
            let mut note = SignedCheckpoint::parse(&note).unwrap();
            let sign = |message: &[u8]| signing.sign(message);
            let line = tlog::cosignature::cosign(&note.note.text, 7, &key, &sign).unwrap();
            note.add(line).unwrap();
            notes.push(note);
        }
        let origin = liar.faces[0].origin();
        let carrier = Direct::new(&other);
        let judged =
            one.feeds.judge_cosigner(&origin, &key, &notes[0], &notes[1], Some(&carrier)).await;
        let fault = judged.unwrap().unwrap_or_else(|| panic!("{ours} {theirs}"));
        fault.verify(cosigner.root.public()).unwrap();
        assert!(fault.verify(liar.faces[0].root.public()).is_err());
        assert_eq!(fault.node().as_ref(), Some(&cosigner.name));
        assert!(one.feeds.is_faulty_cosigner(&key));
        // The log is convicted apart, by its own lines.
        let judged = one.feeds.judge_note(&origin, &notes[1], Some(&carrier)).await.unwrap();
        assert!(matches!(judged, Judgement::Fork(_)), "{judged:?}");
        assert_eq!(one.feeds.faults().len(), 2);
    }
}
