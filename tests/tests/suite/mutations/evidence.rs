//! The verdict on one record, from the network file to the words, with the file it travels in: every part
//! changed as what it is, then the bytes of the file.

use bytes::Bytes;
use feed::bundle::evidence as file;
use feed::bundle::{self, Item, ItemKind};
use feed::cosignatures::{Cosignatures, Cosigned};
use feed::feeds::approvals_bundle;
use feed::verdict::{self, Anchor, Evidence, Link, NetworkEvidence};
use network::file::NetworkFile;
use network::subject::{CommitteeNode, ParticipantSubject, PolicySubject, Status, to_embed};
use practice::kind::Kind;
use tests::chance::BEGINNING;
use tlog::hash::Hash;

use super::binary::{self, Field, Fields};
use super::json;
use super::lines;
use super::notes::{cosigned, witness};
use super::trial::{Mutation, Says, Tolerated, examine};
use super::witness::list_fields;
use super::world::{Node, network_file};

/// A verdict checks some thirty signatures: of what is done to each part, every so manieth.
const STRIDE: usize = 17;
const FILE_STRIDE: usize = 199;

const LEFT_OUT: &str = "receipts are told, if there are any";

/// A network with a policy of its own, a member with a record, and all the evidence for it.
struct Stage {
    evidence: Evidence,
    neighbour: Evidence,
    file: NetworkFile,
    member: Node,
}

fn participant(network: &Node, member: &Node) -> ParticipantSubject {
    ParticipantSubject {
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
    }
}

fn policy(committee: &[Node; 3]) -> PolicySubject {
    let committee = committee.iter().map(|node| CommitteeNode {
        node: node.member.name().clone(),
        root: node.member.root().unwrap().public(),
    });
    PolicySubject {
        committee: committee.collect(),
        threshold: 2,
        witnesses: vec![witness(1).0, witness(2).0],
        quorum: 1,
        decision: None,
        reason: None,
    }
}

fn lines_of(node: &Node) -> Bytes {
    let mut lines = Cosignatures::default();
    // The third is known to nobody.
    for number in [1, 2, 3] {
        let note = cosigned(node, &[number]).to_string();
        lines.insert(Cosigned::parse(note.as_bytes()).unwrap());
    }
    lines.encode()
}

impl Stage {
    fn set() -> Self {
        let network = Node::of("network.example");
        let committee = ["a.example", "b.example", "c.example"].map(Node::of);
        let file = network_file(&network, &[&committee[0], &committee[1]], &witness(1).0);
        let members = ["member.example", "other.example"].map(Node::of);
        members.iter().for_each(|member| member.joins_with_new_keys(&network.origin()));
        // Each part is needed: the founders put a third on the committee, who decides with the second.
        let decided = network.say(Kind::POLICY, policy(&committee).to_value());
        let founders = committee[..2].iter().map(|one| one.approves(&decided));
        let founders: Vec<_> = founders.collect();
        let (mut places, mut anchors) = (Vec::new(), Vec::new());
        for member in &members {
            let subject = participant(&network, member).to_value();
            let said = network.say(Kind::PARTICIPANT, subject);
            let mut approvals = founders.clone();
            approvals.extend(committee[1..].iter().map(|one| one.approves(&said)));
            anchors.push(approvals_bundle(&approvals));
            places.push(said.index);
            member.practice("Checked");
            member.practice("Another");
        }
        let [evidence, neighbour] = [0, 1].map(|at: usize| {
            let member: &Node = &members[at];
            let records = [0, decided.index, places[at]];
            Evidence {
                origin: member.origin(),
                record: member.placed(2),
                node_records: vec![member.placed(0), member.placed(1)],
                cosignatures: Some(lines_of(member)),
                network: Some(NetworkEvidence {
                    origin: network.origin(),
                    file: file.bytes().clone(),
                    records: records.iter().map(|index| network.placed(*index)).collect(),
                    anchors: anchors[at].clone(),
                }),
            }
        });
        let [member, _] = members;
        Self { evidence, neighbour, file, member }
    }

    /// All that is believed because of some evidence.
    fn says(&self, evidence: &Evidence) -> Option<Says> {
        let network = Some(self.file.clone());
        let anchor = Anchor { root: None, network, now: Some(BEGINNING) };
        let verdict = verdict::verify(evidence, &anchor);
        let mut received = 0;
        let mut words = format!("{:?} {:?}", evidence.origin, Hash::of(&evidence.record.body));
        for step in &verdict.steps {
            let finding = step.finding.as_ref().ok()?;
            if step.link == Link::Receipts {
                // Told, never a reason to doubt: the first word says how many.
                received = finding.split(' ').next()?.parse().unwrap_or(0);
            } else {
                words.push_str(&format!("\n{}", finding));
            }
        }
        verdict.holds().then(|| Says::that(words).with_vouchers(received))
    }
}

/// How a part of the evidence is reached.
type Reach = fn(&mut Evidence) -> &mut Bytes;

fn network(evidence: &mut Evidence) -> &mut NetworkEvidence {
    evidence.network.as_mut().unwrap()
}

const DOCUMENTS: [(&str, Reach, Reach); 6] = [
    ("record", |one| &mut one.record.body, |one| &mut one.record.proof),
    ("node record 0", |one| &mut one.node_records[0].body, |one| &mut one.node_records[0].proof),
    ("node record 1", |one| &mut one.node_records[1].body, |one| &mut one.node_records[1].proof),
    (
        "network's node record",
        |one| &mut network(one).records[0].body,
        |one| &mut network(one).records[0].proof,
    ),
    ("policy", |one| &mut network(one).records[1].body, |one| &mut network(one).records[1].proof),
    (
        "participant",
        |one| &mut network(one).records[2].body,
        |one| &mut network(one).records[2].proof,
    ),
];

fn examine_part(
    stage: &Stage,
    object: &str,
    reach: Reach,
    tolerated: &[Tolerated<'_>],
    mutations: Vec<Mutation>,
) -> usize {
    let says = |bytes: &[u8]| {
        let mut changed = stage.evidence.clone();
        *reach(&mut changed) = bytes.to_vec().into();
        stage.says(&changed)
    };
    let original = reach(&mut stage.evidence.clone()).clone();
    examine(&format!("verdict, {object}"), &original, says, tolerated, mutations)
}

#[test]
fn a_verdict_rests_on_each_document_and_each_proof_as_they_are() {
    let stage = Stage::set();
    let (mut ours, mut theirs) = (stage.evidence.clone(), stage.neighbour.clone());
    let mut tried = 0;
    for (name, body, proof) in DOCUMENTS {
        let all = json::mutations(body(&mut ours), Some(body(&mut theirs)));
        // A change of what is left as it is by another path is among them too.
        let all = all.into_iter().step_by(STRIDE).collect();
        tried += examine_part(&stage, name, body, &[], all);
        let bytes = proof(&mut ours).clone();
        // Of all proofs of one log the checkpoint is the same, and its signature is looked at once.
        let count = bytes.iter().filter(|byte| **byte == b'\n').count();
        let spare = format!("line {}: ", count - 1);
        let why = "the checkpoint is the one whose signature was checked beside another record";
        let repeated = ("doubled", "a signature is one however often it stands there");
        let tolerated: &[Tolerated<'_>] = match name {
            "record" | "network's node record" => &[repeated],
            _ => &[(&spare, why)],
        };
        let all = lines::of_lines(&bytes).into_iter().chain(lines::of_bytes(&bytes, STRIDE));
        let object = format!("{name}, proof");
        tried += examine_part(&stage, &object, proof, tolerated, all.collect());
    }
    assert!(tried >= 2_100, "{tried}");
}

#[test]
fn a_verdict_counts_no_cosigner_and_no_approval_that_was_changed() {
    let stage = Stage::set();
    let mut ours = stage.evidence.clone();
    let cosignatures: Reach = |one| one.cosignatures.as_mut().unwrap();
    let bytes = cosignatures(&mut ours).clone();
    let fields = list_fields(&bytes);
    let mut all = binary::flips(&bytes, &fields, STRIDE);
    all.extend(binary::lengths(&bytes, &fields));
    all.extend(binary::cuts(&bytes, STRIDE * STRIDE));
    let why = "a line that nobody knows is told as such; the line of the log is checked elsewhere; a \
               cosigner of another size counts for another size";
    let notes = [("note 0: byte", why), ("note 1: byte", why), ("note 2: byte", why)];
    let mut tried = examine_part(&stage, "cosignatures", cosignatures, &notes, all);
    let anchors: Reach = |one| &mut network(one).anchors;
    let bytes = anchors(&mut ours).clone();
    let fields = bundle_fields(&bytes);
    let mut all = binary::flips(&bytes, &fields, FILE_STRIDE);
    all.extend(binary::lengths(&bytes, &fields));
    tried += examine_part(&stage, "approvals", anchors, &[], all);
    // The same with a sum that is right, item by item.
    let says = |bytes: &[u8]| {
        let mut changed = stage.evidence.clone();
        network(&mut changed).anchors = with_right_sum(bytes).into();
        stage.says(&changed)
    };
    let inside = &bytes[..bytes.len() - 32];
    let fields: Vec<Field> = fields.into_iter().filter(|(_, name)| name != "sum").collect();
    let mut all = binary::flips(inside, &fields, FILE_STRIDE);
    all.extend(binary::lengths(inside, &fields));
    let spare = [("number of item", "an approval is found by its feed, not by a number")];
    tried += examine("verdict, approvals with a right sum", inside, says, &spare, all);
    assert!(tried >= 1_100, "{tried}");
}

#[test]
fn the_network_file_that_is_held_counts_and_not_the_one_that_is_brought() {
    let stage = Stage::set();
    let brought: Reach = |one| &mut network(one).file;
    let bytes = stage.file.bytes();
    let all = lines::of_lines(bytes).into_iter().chain(lines::of_bytes(bytes, STRIDE)).collect();
    let why = "a file that was brought is not believed: the one that was compared by telephone is";
    let tried = examine_part(&stage, "network file brought", brought, &[("line ", why)], all);
    assert!(tried >= 150, "{tried}");
}

/// The fields of a bundle.
fn bundle_fields(bytes: &[u8]) -> Vec<Field> {
    let mut fields = Fields::of(bytes);
    fields.skip("magic", 4);
    for item in 0.. {
        if fields.number(format!("type of item {item}"), 1) == 0 {
            break;
        }
        let length = fields.number(format!("length of origin {item}"), 2);
        fields.skip(format!("origin of item {item}"), length);
        fields.number(format!("number of item {item}"), 8);
        let length = fields.number(format!("length of item {item}"), 8);
        fields.skip(format!("item {item}"), length);
    }
    fields.skip("sum", 32);
    fields.finish()
}

/// The sum finds what tore, not who lied.
fn with_right_sum(inside: &[u8]) -> Vec<u8> {
    [inside, Hash::of(inside).as_bytes()].concat()
}

#[test]
fn the_file_of_a_verdict_is_believed_as_it_was_put_together_only() {
    let stage = Stage::set();
    let bytes = file::write(&stage.evidence);
    let read = |bytes: &[u8]| {
        let evidence = file::read(&Bytes::copy_from_slice(bytes)).ok()?;
        stage.says(&evidence)
    };
    let fields = bundle_fields(&bytes);
    let mut all = binary::flips(&bytes, &fields, FILE_STRIDE);
    all.extend(binary::lengths(&bytes, &fields));
    all.extend(binary::cuts(&bytes, FILE_STRIDE));
    let mut tried = examine("file of a verdict", &bytes, read, &[], all);
    let inside = &bytes[..bytes.len() - 32];
    let read = |inside: &[u8]| {
        let evidence = file::read(&with_right_sum(inside).into()).ok()?;
        stage.says(&evidence)
    };
    let fields: Vec<Field> = fields.into_iter().filter(|(_, name)| name != "sum").collect();
    let places: Vec<Field> =
        fields.iter().filter(|(_, name)| name.contains("of ")).cloned().collect();
    let mut all = binary::lengths(inside, &fields);
    all.extend(field_flips(inside, &places));
    let spare = [
        ("number of item", "an item of a verdict is told by its place, not by a number"),
        ("type of item 5", LEFT_OUT),
        ("origin of item 5", LEFT_OUT),
    ];
    tried += examine("file of a verdict with a right sum", inside, read, &spare, all);
    assert!(tried >= 1_800, "{tried}");
}

/// Flips of every byte of these fields.
fn field_flips(bytes: &[u8], fields: &[Field]) -> Vec<Mutation> {
    let mut all = Vec::new();
    for (range, name) in fields {
        for at in range.clone() {
            for mask in [0x01, 0x80] {
                let mut flipped = bytes.to_vec();
                flipped[at] ^= mask;
                all.push(Mutation::new(
                    format!("{name}: byte {at} flipped by {mask:#04x}"),
                    flipped,
                ));
            }
        }
    }
    all
}

#[test]
fn items_of_another_verdict_do_not_go_with_this_one() {
    let stage = Stage::set();
    let [ours, theirs] = [&stage.evidence, &stage.neighbour]
        .map(|one| bundle::read(&file::write(one).into()).unwrap());
    let read = |bytes: &[u8]| stage.says(&file::read(&Bytes::copy_from_slice(bytes)).ok()?);
    let mut all = Vec::new();
    let mut add = |what: String, items: Vec<Item>| {
        all.push(Mutation::new(what, bundle::write(&items)));
    };
    for at in 0..ours.len() {
        let kind = |item: &Item| format!("{:?} of {}", item.kind, item.origin);
        let what = kind(&ours[at]);
        add(format!("{what} left out"), [&ours[..at], &ours[at + 1..]].concat());
        add(format!("{what} twice"), [&ours[..=at], &ours[at..]].concat());
        for (other, their) in theirs.iter().enumerate() {
            let mut one = ours.clone();
            one[at] = their.clone();
            add(format!("{what}: the other's {other}, {}", kind(their)), one);
            let mut one = ours.clone();
            one[at].bytes = their.bytes.clone();
            add(format!("{what}: the bytes of the other's {other}"), one);
            let mut one = ours.clone();
            one.insert(at, their.clone());
            add(format!("{what}, the other's {other} before it: {}", kind(their)), one);
        }
        for other in at + 1..ours.len() {
            let mut one = ours.clone();
            one.swap(at, other);
            add(format!("{what} exchanged with {other}, {}", kind(&ours[other])), one);
        }
    }
    let good = file::write(&stage.evidence);
    let beside = "what no link rests on is not looked at";
    let tolerated = [
        ("Cosignatures of member.example/public left out", LEFT_OUT),
        ("Cosignatures of member.example/public: the other's", LEFT_OUT),
        ("twice", "the same twice is the same"),
        ("before it", beside),
        ("exchanged", "within a network and within a feed the order is free"),
    ];
    let tried = examine("items of a verdict", &good, read, &tolerated, all);
    assert!(tried >= 270, "{tried}");
    assert_eq!(ours[0].kind, ItemKind::File);
    assert_eq!(stage.member.origin(), stage.evidence.origin);
}
