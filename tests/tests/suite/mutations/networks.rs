//! What a network decides: approvals with their evidence, what they come to, the answer to a request.

use bytes::Bytes;
use network::approval::Evidence;
use network::fold::{Decided, Network};
use network::join::{Answer, Request};
use network::subject::{ParticipantSubject, Status, to_embed};
use practice::body::Body;
use practice::kind::Kind;
use tests::chance::BEGINNING;

use super::json;
use super::lines;
use super::notes::witness;
use super::trial::{Says, Tolerated, examine};
use super::world::{Node, network_file};

const REPEATED: Tolerated<'_> =
    ("line *: doubled", "a signature is one however often it stands there");

/// A network, a committee of two, and somebody who takes part.
struct Stage {
    network: Node,
    committee: [Node; 2],
    member: Node,
    participant: u64,
    evidence: Vec<Evidence>,
}

impl Stage {
    fn set() -> Self {
        let network = Node::of("network.example");
        let committee = ["a.example", "b.example"].map(Node::of);
        let member = Node::of("member.example");
        member.joins(&network.origin());
        let subject = ParticipantSubject {
            node: member.member.name().clone(),
            status: Status::Participating,
            network: network.origin(),
            status_reason: None,
            node_record: Some(to_embed(&member.record())),
            succeeds: None,
            reinstated: false,
            succession: None,
            decision: None,
            reason: None,
        };
        let published = network.say(Kind::PARTICIPANT, subject.to_value());
        committee[0].practice("Something else");
        let evidence = committee.iter().map(|node| node.approves(&published)).collect();
        Self { network, committee, member, participant: published.index, evidence }
    }

    fn file(&self) -> network::file::NetworkFile {
        network_file(&self.network, &[&self.committee[0], &self.committee[1]], &witness(1).0)
    }
}

#[test]
fn an_approval_holds_for_exactly_what_was_approved() {
    let stage = Stage::set();
    let [good, neighbour] = [0, 1].map(|at| stage.evidence[at].clone());
    let root = stage.committee[0].member.root().unwrap().public();
    let says = |evidence: &Evidence| {
        evidence.verify(root).ok().map(|approval| Says::that(format!("{approval:?}")))
    };
    let with = |change: fn(&mut Evidence, Bytes)| {
        let good = good.clone();
        move |bytes: &[u8]| {
            let mut changed = good.clone();
            change(&mut changed, bytes.to_vec().into());
            says(&changed)
        }
    };
    let mut tried = 0;
    let in_record = with(|evidence, bytes| evidence.node_record = bytes);
    let all = json::mutations(&good.node_record, Some(&neighbour.node_record));
    tried += examine("approval, node record", &good.node_record, in_record, &[], all);
    let in_body = with(|evidence, bytes| evidence.body = bytes);
    let all = json::mutations(&good.body, Some(&neighbour.body));
    tried += examine("approval, attestation", &good.body, in_body, &[], all);
    let in_proof = with(|evidence, bytes| evidence.proof = bytes);
    let all = lines::mutations(&good.proof);
    tried += examine("approval, proof", &good.proof, in_proof, &[REPEATED], all);
    assert!(tried >= 3_700, "{tried}");
}

#[test]
fn a_record_that_was_approved_takes_no_effect_once_it_is_changed() {
    let stage = Stage::set();
    let file = stage.file();
    let roots = stage.committee.each_ref().map(|node| node.member.root().unwrap().public());
    let approvals: Vec<_> = stage
        .evidence
        .iter()
        .zip(roots)
        .map(|(evidence, root)| evidence.verify(root).unwrap())
        .collect();
    // The fold is given what the feed has proved; here even a document whose proof is false.
    let effect = |bytes: &[u8]| {
        let body = Body::open(bytes.to_vec().into()).ok()?;
        let decided = [Decided { index: stage.participant, body }];
        let network = Network::fold(&file, &decided, &approvals, &|_| Some(0), BEGINNING);
        let participants: Vec<String> = network
            .participants()
            .map(|one| format!("{} {:?} {}", one.node, one.status, one.root.to_did()))
            .collect();
        (!participants.is_empty()).then(|| Says::that(participants.concat()))
    };
    let body = stage.network.placed(stage.participant).body;
    let all = json::mutations(&body, Some(&stage.member.record_bytes()));
    let tried = examine("decided record", &body, effect, &[], all);
    assert!(tried >= 2_400, "{tried}");
}

#[test]
fn a_mailed_answer_is_the_one_that_the_network_gave() {
    let stage = Stage::set();
    let placed = stage.network.placed(stage.participant);
    let good = Answer {
        network_file: stage.file().bytes().clone(),
        node_record: stage.network.record_bytes(),
        body: placed.body,
        proof: placed.proof,
        approvals: stage.evidence.clone(),
    };
    let fingerprint = stage.file().fingerprint();
    let node = stage.member.member.name().clone();
    let says = |answer: &Answer| {
        let answered = answer.check(&node).ok()?;
        let file = &answered.file;
        // Compared over the telephone.
        let words =
            format!("{:?} {:?} {}", answered.participant, answered.about, file.fingerprint());
        (file.fingerprint() == fingerprint).then(|| Says::that(words))
    };
    let with = |change: fn(&mut Answer, Bytes)| {
        let good = good.clone();
        move |bytes: &[u8]| {
            let mut changed = good.clone();
            change(&mut changed, bytes.to_vec().into());
            says(&changed)
        }
    };
    let theirs = stage.committee[0].record_bytes();
    let mut tried = 0;
    let in_file = with(|answer, bytes| answer.network_file = bytes);
    let all = lines::of_lines(&good.network_file);
    tried += examine("answer, network file", &good.network_file, in_file, &[], all);
    let in_record = with(|answer, bytes| answer.node_record = bytes);
    let all = json::mutations(&good.node_record, Some(&theirs));
    tried += examine("answer, node record", &good.node_record, in_record, &[], all);
    let in_body = with(|answer, bytes| answer.body = bytes);
    let all = json::mutations(&good.body, Some(&stage.evidence[0].body));
    tried += examine("answer, participant record", &good.body, in_body, &[], all);
    let in_proof = with(|answer, bytes| answer.proof = bytes);
    let all = lines::mutations(&good.proof);
    tried += examine("answer, proof", &good.proof, in_proof, &[REPEATED], all);
    assert!(tried >= 5_400, "{tried}");
}

#[test]
fn a_mailed_request_is_the_one_that_the_root_signed() {
    let stage = Stage::set();
    let good = stage.member.record_bytes();
    let network = stage.network.origin();
    let check = |bytes: &[u8]| {
        let node_record = bytes.to_vec().into();
        let record = Request { network: network.clone(), node_record }.check().ok()?;
        // Whether it is this root is for people to find out.
        let known = record.root == stage.member.member.root().unwrap().public();
        known.then(|| Says::that(record.body().hash().to_hex()))
    };
    let all = json::mutations(&good, Some(&stage.committee[0].record_bytes()));
    let tried = examine("request", &good, check, &[], all);
    assert!(tried >= 1_600, "{tried}");
}
