//! The whole chain from a network file to a record's words: what is altered, left out, swapped or older
//! is named by the link that breaks.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use feed::bundle::evidence as file;
use feed::feeds::{BodyRead, Publication, Published, approvals_bundle};
use feed::secret::OnlineSecret;
use feed::verdict::{self, Anchor, Evidence, Link, NetworkEvidence, Placed};
use network::approval::{About, Evidence as Approval};
use network::file::NetworkFile;
use network::subject::{CommitteeNode, ParticipantSubject, PolicySubject, Status, to_embed};
use practice::body::Body;
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use serde_json::Value;
use tlog::checkpoint::SignedCheckpoint;
use tlog::ed25519::SigningKey;
use tlog::key::VerifierKey;
use tlog::name::{FeedName, KeyName, Origin};
use tlog::policy::Policy;

use crate::world::{NOW, Node};

/// A network of three who decide, a mechanism that takes part, and another one.
struct Stage {
    network: Node,
    committee: Vec<Node>,
    member: Node,
    other: Node,
    file: NetworkFile,
    witness: SigningKey,
    approvals: Vec<(Link, Approval)>,
    policies: Vec<u64>,
    participants: Vec<u64>,
    record: u64,
}

impl Stage {
    async fn set() -> Self {
        let network = Node::new("network.example", 20).await;
        let mut committee = Vec::new();
        for (name, seed) in [("a.example", 21), ("b.example", 22), ("c.example", 23)] {
            committee.push(Node::new(name, seed).await);
        }
        let (member, other) =
            (Node::new("member.example", 1).await, Node::new("other.example", 2).await);
        let log = network.feeds.view(&network.origin()).unwrap().log_vkey().unwrap();
        let policy = Policy::parse(format!("log {log}\nquorum none\n").as_bytes()).unwrap();
        let roots = [committee[0].root.public(), committee[1].root.public()];
        let file = NetworkFile::new(&network.origin(), &roots, 2, &policy).unwrap();
        let witness = SigningKey::from_seed(&[77; 32]).unwrap();
        let mut stage = Self {
            network,
            committee,
            member,
            other,
            file,
            witness,
            approvals: Vec::new(),
            policies: Vec::new(),
            participants: Vec::new(),
            record: 0,
        };
        stage.rotate().await;
        stage.decide_policy().await;
        stage.decide_participant(0, Link::Participant).await;
        stage.decide_participant(1, Link::Participant).await;
        stage.record = stage.member.publish(&["Checked"]).await.remove(0).index;
        stage.member.publish(&["Another"]).await;
        stage
    }

    /// The mechanism joins, with new online keys.
    async fn rotate(&self) {
        for node in [&self.member, &self.other] {
            let seed = if node.name == self.member.name { 1 } else { 2 };
            node.publish(&["Before"]).await;
            let signer = OnlineSecret::from_bytes([seed; 32]).signer(2).unwrap();
            let record = node.node_record_of(2, 2, &[self.network.origin()]);
            let former = node.feeds.signer();
            node.feeds.set_signer(Arc::new(signer));
            node.feeds.publish_node_record(record).await.unwrap();
            drop(former);
        }
    }

    fn witness_key(&self) -> VerifierKey {
        let name = KeyName::parse("witness.example/w").unwrap();
        VerifierKey::cosignature(name, self.witness.public())
    }

    async fn decide_policy(&mut self) {
        let committee = self.committee.iter();
        let committee = committee
            .map(|node| CommitteeNode { node: node.name.clone(), root: node.root.public() })
            .collect();
        let subject = PolicySubject {
            committee,
            threshold: 2,
            witnesses: vec![self.witness_key()],
            quorum: 0,
            decision: None,
            reason: None,
        };
        let published = self.say(Kind::POLICY, subject.to_value()).await;
        self.policies.push(published.index);
        // By the committee of the file, and by its own.
        self.approve(&published, &[0, 1], Link::Policy).await;
    }

    async fn decide_participant(&mut self, which: usize, link: Link) {
        let node = [&self.member, &self.other][which];
        let record = node.feeds.node_record(&node.name).unwrap();
        let record = NodeRecord::from_body(&Body::open(record).unwrap()).unwrap();
        let subject = ParticipantSubject {
            node: node.name.clone(),
            status: Status::Participating,
            network: self.network.origin(),
            status_reason: None,
            node_record: Some(to_embed(&record)),
            succeeds: None,
            reinstated: false,
            succession: None,
            decision: None,
            reason: None,
        };
        let published = self.say(Kind::PARTICIPANT, subject.to_value()).await;
        self.participants.push(published.index);
        let link = if which == 0 { link } else { Link::Proof };
        self.approve(&published, &[1, 2], link).await;
    }

    async fn say(&self, kind: Kind, subject: Value) -> Published {
        let publication = Publication { kind, id: None, subject, expected: None };
        self.network.feeds.publish(&FeedName::public(), vec![publication]).await.unwrap().remove(0)
    }

    async fn approve(&mut self, published: &Published, by: &[usize], link: Link) {
        let about = About {
            feed: published.origin.clone(),
            id: published.id,
            version: published.version,
            body: published.body.unwrap(),
        };
        for member in by {
            let node = &self.committee[*member];
            let publication = Publication {
                kind: Kind::ATTESTATION,
                id: None,
                subject: about.approving(),
                expected: None,
            };
            let published =
                node.feeds.publish(&FeedName::public(), vec![publication]).await.unwrap().remove(0);
            let evidence = node.feeds.evidence(&node.origin(), published.index).await.unwrap();
            self.approvals.push((link, evidence));
        }
    }

    async fn cosignatures(&self) -> Bytes {
        let note = self.member.feeds.checkpoint(&self.member.origin()).await.unwrap();
        let note = SignedCheckpoint::parse(&note).unwrap();
        let key = self.witness_key();
        let sign = |message: &[u8]| self.witness.sign(message);
        let line = tlog::cosignature::cosign(&note.note.text, NOW, &key, &sign).unwrap();
        let log = note.note.signatures[0].clone();
        let cosigned = feed::cosignatures::Cosigned::new(note.checkpoint, log, line).unwrap();
        let mut lines = feed::cosignatures::Cosignatures::default();
        lines.insert(cosigned);
        lines.encode()
    }

    fn anchors(&self, but: Option<usize>) -> Bytes {
        let all = self.approvals.iter().enumerate().filter(|(at, _)| Some(*at) != but);
        approvals_bundle(&all.map(|(_, (_, one))| one.clone()).collect::<Vec<_>>())
    }

    async fn evidence(&self) -> Evidence {
        let mut records = Vec::new();
        let at = [0].iter().chain(&self.policies).chain(self.participants.first());
        for index in at {
            records.push(placed(&self.network, *index).await);
        }
        Evidence {
            origin: self.member.origin(),
            record: placed(&self.member, self.record).await,
            node_records: vec![placed(&self.member, 0).await, placed(&self.member, 2).await],
            cosignatures: Some(self.cosignatures().await),
            network: Some(NetworkEvidence {
                origin: self.network.origin(),
                file: self.file.bytes().clone(),
                records,
                anchors: self.anchors(None),
            }),
        }
    }

    fn anchor(&self) -> Anchor {
        Anchor { root: None, network: Some(self.file.clone()), now: Some(NOW) }
    }

    fn failing(&self, evidence: &Evidence) -> Option<Link> {
        // Through a file, as a verdict travels.
        let read = file::read(&file::write(evidence).into()).unwrap();
        assert_eq!(&read, evidence);
        let verdict = verdict::verify(&read, &self.anchor());
        assert_eq!(verdict.holds(), verdict.failing().is_none());
        verdict.failing().map(|step| step.link)
    }
}

async fn placed(node: &Node, index: u64) -> Placed {
    let origin = node.origin();
    let BodyRead::Held(body) = node.feeds.entry(&origin, index).await.unwrap().body else {
        panic!("no body at {index}")
    };
    let proof = node.feeds.proof(&origin, index).await.unwrap();
    Placed { body, proof: proof.into() }
}

/// Places of an evidence that hold bytes, with the links that may be named if they are altered.
fn parts(evidence: &mut Evidence) -> Vec<(String, &mut Bytes, BTreeSet<Link>)> {
    use Link::{Checkpoint, Entry, NodeRecord, Participant, Policy, Receipts};
    let links = |links: &[Link]| links.iter().copied().collect::<BTreeSet<_>>();
    let mut parts = Vec::new();
    let network = evidence.network.as_mut().unwrap();
    for (at, one) in network.records.iter_mut().enumerate() {
        let link = if at == 2 { Participant } else { Policy };
        parts.push((format!("network body {at}"), &mut one.body, links(&[link])));
        parts.push((format!("network proof {at}"), &mut one.proof, links(&[link])));
    }
    parts.push(("anchors".to_owned(), &mut network.anchors, links(&[Policy])));
    for (at, one) in evidence.node_records.iter_mut().enumerate() {
        parts.push((format!("node record {at}"), &mut one.body, links(&[NodeRecord])));
        parts.push((format!("node record proof {at}"), &mut one.proof, links(&[NodeRecord])));
    }
    let lines = evidence.cosignatures.as_mut().unwrap();
    parts.push(("cosignatures".to_owned(), lines, links(&[Receipts])));
    parts.push(("body".to_owned(), &mut evidence.record.body, links(&[Entry])));
    parts.push(("proof".to_owned(), &mut evidence.record.proof, links(&[Checkpoint, Entry])));
    parts
}

/// Whether an altered byte says nothing: signature lines of a proof whose checkpoint is told elsewhere,
/// the line of the log among cosignatures.
fn is_spare(name: &str, bytes: &Bytes, at: usize) -> bool {
    if name.contains("proof") && name != "proof" && name != "network proof 0" {
        let note = String::from_utf8_lossy(bytes).rfind("\n\n").unwrap();
        return at > note;
    }
    name == "cosignatures"
}

#[tokio::test]
async fn every_altered_byte_is_named_by_its_link() {
    let stage = Stage::set().await;
    let whole = stage.evidence().await;
    let verdict = verdict::verify(&whole, &stage.anchor());
    assert!(verdict.holds(), "{:?}", verdict.failing());
    assert_eq!(verdict.steps.len(), Link::ALL.len());
    assert_eq!(verdict.root, Some(stage.member.root.public()));
    let count = parts(&mut whole.clone()).len();
    let mut mutations = 0;
    for part in 0..count {
        let length = parts(&mut whole.clone())[part].1.len();
        for at in (0..length).step_by(length.div_ceil(60)) {
            let mut altered = whole.clone();
            let (name, links, spare) = {
                let (name, bytes, links) = parts(&mut altered).swap_remove(part);
                let spare = is_spare(&name, bytes, at);
                let mut changed = bytes.to_vec();
                changed[at] ^= 1;
                *bytes = changed.into();
                (name, links, spare)
            };
            match stage.failing(&altered) {
                Some(link) => assert!(links.contains(&link), "{name} byte {at}: {link:?}"),
                None => assert!(spare, "{name} byte {at} was not noticed"),
            }
            mutations += 1;
        }
    }
    println!("verdict: {mutations} altered bytes");
    assert!(mutations >= 300);
}

#[tokio::test]
async fn what_is_left_out_swapped_or_older_is_named_by_its_link() {
    let stage = Stage::set().await;
    let whole = stage.evidence().await;
    let mut cases: Vec<(&str, Evidence, Option<Link>)> = Vec::new();
    let mut case = |name, link, change: &dyn Fn(&mut Evidence)| {
        let mut changed = whole.clone();
        change(&mut changed);
        cases.push((name, changed, link));
    };
    let theirs = [placed(&stage.other, 0).await, placed(&stage.other, 2).await];
    let foreign = placed(&stage.other, 1).await;
    let other_participant = placed(&stage.network, stage.participants[1]).await;
    fn of(evidence: &mut Evidence) -> &mut NetworkEvidence {
        evidence.network.as_mut().unwrap()
    }
    case("nothing of a network", Some(Link::Network), &|one| one.network = None);
    case("no node record of the network", Some(Link::Policy), &|one| {
        drop(of(one).records.remove(0));
    });
    case("no policy", Some(Link::Participant), &|one| drop(of(one).records.remove(1)));
    case("no participant", Some(Link::Participant), &|one| drop(of(one).records.remove(2)));
    case("another's node record as the network's", Some(Link::Policy), &|one| {
        of(one).records[0] = theirs[0].clone();
    });
    case("another's participant record", Some(Link::Participant), &|one| {
        of(one).records[2] = other_participant.clone();
    });
    case("no approvals", Some(Link::Policy), &|one| of(one).anchors = approvals_bundle(&[]));
    for at in 0..4 {
        let link = stage.approvals[at].0;
        let anchors = stage.anchors(Some(at));
        case("an approval less", Some(link), &|one| of(one).anchors = anchors.clone());
    }
    case("no first node record", Some(Link::NodeRecord), &|one| drop(one.node_records.remove(0)));
    case("no second node record", Some(Link::Checkpoint), &|one| drop(one.node_records.remove(1)));
    case("another's node records", Some(Link::NodeRecord), &|one| {
        one.node_records = theirs.to_vec();
    });
    case("one of another's node records", Some(Link::NodeRecord), &|one| {
        one.node_records[1] = theirs[1].clone();
    });
    case("another's record", Some(Link::Checkpoint), &|one| one.record = foreign.clone());
    case("the words of another's record", Some(Link::Entry), &|one| {
        one.record.body = foreign.body.clone();
    });
    case("no cosignatures", None, &|one| one.cosignatures = None);
    for (name, changed, expected) in &cases {
        let verdict = verdict::verify(changed, &stage.anchor());
        let found = verdict.failing().map(|step| step.link);
        assert_eq!(found, *expected, "{name}: {:?}", verdict.failing());
    }
    println!("verdict: {} left out or swapped", cases.len());
}

#[tokio::test]
async fn parts_of_an_older_state_do_not_go_with_the_rest() {
    let stage = Stage::set().await;
    let older = stage.evidence().await;
    stage.network.publish(&["News of the network"]).await;
    stage.member.publish(&["News"]).await;
    let whole = stage.evidence().await;
    assert_eq!(stage.failing(&whole), None);
    assert_eq!(stage.failing(&older), None);
    let names: Vec<String> = parts(&mut whole.clone()).into_iter().map(|(name, ..)| name).collect();
    for (part, name) in names.iter().enumerate().filter(|(_, name)| name.contains("proof")) {
        let mut mixed = whole.clone();
        let old = parts(&mut older.clone()).swap_remove(part).1.clone();
        *parts(&mut mixed).swap_remove(part).1 = old;
        let expected = match name.as_str() {
            // What everything else is proved to: then the others are named.
            "network proof 0" | "network proof 1" => Link::Policy,
            "network proof 2" => Link::Participant,
            _ => Link::NodeRecord,
        };
        assert_eq!(stage.failing(&mixed), Some(expected), "{name}");
    }
}

#[tokio::test]
async fn a_root_given_by_hand_needs_no_network_and_another_root_is_refused() {
    let stage = Stage::set().await;
    let mut evidence = stage.evidence().await;
    evidence.network = None;
    let by = |root| Anchor { root: Some(root), network: None, now: None };
    let verdict = verdict::verify(&evidence, &by(stage.member.root.public()));
    assert!(verdict.holds() && verdict.root_confirmed, "{:?}", verdict.failing());
    let verdict = verdict::verify(&evidence, &by(stage.other.root.public()));
    assert_eq!(verdict.failing().map(|step| step.link), Some(Link::NodeRecord));
    let verdict = verdict::verify(&evidence, &Anchor::default());
    assert!(verdict.holds() && !verdict.root_confirmed);
    let both = Anchor { root: Some(stage.other.root.public()), ..stage.anchor() };
    let verdict = verdict::verify(&stage.evidence().await, &both);
    assert_eq!(verdict.failing().map(|step| step.link), Some(Link::Participant));
}

#[tokio::test]
async fn another_network_says_nothing_in_this_one() {
    let (stage, elsewhere) = (Stage::set().await, Node::new("elsewhere.example", 40).await);
    let log = elsewhere.feeds.view(&elsewhere.origin()).unwrap().log_vkey().unwrap();
    let policy = Policy::parse(format!("log {log}\nquorum none\n").as_bytes()).unwrap();
    let origin: Origin = elsewhere.origin();
    let file = NetworkFile::new(&origin, &[elsewhere.root.public()], 1, &policy).unwrap();
    let anchor = Anchor { root: None, network: Some(file), now: None };
    let verdict = verdict::verify(&stage.evidence().await, &anchor);
    assert_eq!(verdict.failing().map(|step| step.link), Some(Link::Network));
    let strangers = [stage.other.root.public(), stage.member.root.public()];
    let file =
        NetworkFile::new(&stage.network.origin(), &strangers, 2, &stage.file.policy).unwrap();
    let anchor = Anchor { root: None, network: Some(file), now: None };
    let verdict = verdict::verify(&stage.evidence().await, &anchor);
    assert_eq!(verdict.failing().map(|step| step.link), Some(Link::Policy));
}
