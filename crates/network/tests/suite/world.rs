//! Nodes with fixed keys, a network, and approvals with real proofs.

use std::convert::Infallible;

use bytes::Bytes;
use network::approval::{About, Approval, Evidence};
use network::file::NetworkFile;
use network::fold::{Decided, Network};
use network::subject::{CommitteeNode, ParticipantSubject, PolicySubject, Status, to_embed};
use practice::body::{Body, Issuer, Unsigned};
use practice::entry;
use practice::id::RecordId;
use practice::json::Value;
use practice::kind::Kind;
use practice::node_record::{NodeRecord, NodeSubject, USE_LOG, USE_RECORD};
use tlog::checkpoint::Checkpoint;
use tlog::ed25519::{PublicKey, SigningKey};
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{FeedName, KeyName, NodeName, Origin};
use tlog::note::sign_note;
use tlog::policy::{Log, Policy};
use tlog::proof_file::TlogProof;
use tlog::prove::{Nodes, prove_inclusion, root_of};

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const DAY: u64 = 24 * 60 * 60;
pub(crate) const TIME: &str = "2026-11-23T10:00:00Z";

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

pub(crate) fn did(seed: u8) -> PublicKey {
    key(seed).public()
}

pub(crate) fn name(text: &str) -> NodeName {
    NodeName::parse(text).unwrap()
}

pub(crate) fn id(number: u8) -> RecordId {
    RecordId::from_random_bytes([number; 16])
}

/// The network's feed.
pub(crate) fn origin() -> Origin {
    Origin::parse("network.example/public").unwrap()
}

/// A node: its name and the seeds of its root, log and record key.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) name: NodeName,
    pub(crate) root: u8,
    pub(crate) log: u8,
    pub(crate) record: u8,
}

impl Node {
    /// The `number`th node of the tests, from 0 to 40.
    pub(crate) fn new(number: u8) -> Self {
        let first = 100 + number * 3;
        let name = name(&format!("node-{number}.example"));
        Self { name, root: first, log: first + 1, record: first + 2 }
    }

    /// The node of the network itself.
    pub(crate) fn network() -> Self {
        Self { name: name("network.example"), root: 1, log: 2, record: 3 }
    }

    pub(crate) fn feed(&self) -> Origin {
        Origin::new(self.name.clone(), FeedName::public())
    }

    pub(crate) fn subject(&self) -> NodeSubject {
        let names = [("en".to_owned(), self.name.to_string())].into();
        let mut subject = NodeSubject::new(self.name.clone(), names, did(self.root))
            .with_key(USE_LOG, 1, &key(self.log))
            .with_key(USE_RECORD, 1, &key(self.record));
        subject.organization = Some([("en".to_owned(), "Ministry".to_owned())].into());
        subject.networks = vec![origin()];
        subject
    }

    /// The node record of `subject`, signed by the key of `signer`.
    pub(crate) fn sign(&self, subject: &NodeSubject, signer: u8, version: u64) -> NodeRecord {
        let body = sign(
            Unsigned {
                kind: Kind::NODE,
                id: id(self.root),
                feed: None,
                version,
                issuer: Issuer { key: did(signer), node: self.name.clone(), state: None },
                valid_from: TIME.into(),
                salt: [self.root; 32],
                subject: subject.subject(),
            },
            signer,
        );
        NodeRecord::from_body(&body).unwrap()
    }

    pub(crate) fn node_record(&self) -> NodeRecord {
        self.sign(&self.subject(), self.root, 1)
    }

    /// A record in this node's feed.
    pub(crate) fn body(&self, kind: Kind, id: RecordId, version: u64, subject: Value) -> Body {
        sign(
            Unsigned {
                kind,
                id,
                feed: Some(self.feed()),
                version,
                issuer: Issuer { key: did(self.record), node: self.name.clone(), state: None },
                valid_from: TIME.into(),
                salt: [7; 32],
                subject,
            },
            self.record,
        )
    }

    /// This node's approval of `body`, as evidence.
    pub(crate) fn evidence(&self, body: &Body) -> Evidence {
        self.attests(About::of(body).unwrap().approving())
    }

    /// An attestation by this node that says `subject`, as evidence.
    pub(crate) fn attests(&self, subject: Value) -> Evidence {
        let body = self.body(Kind::ATTESTATION, id(200), 1, subject);
        let node_record = self.node_record().body().bytes().clone();
        let proof = self.prove(&body).to_string().into();
        Evidence { node_record, body: body.bytes().clone(), proof }
    }

    /// A proof that `body` is entry 3 of five.
    pub(crate) fn prove(&self, body: &Body) -> TlogProof {
        let mut entries: Vec<Vec<u8>> = (0..5).map(|number| vec![number]).collect();
        entries[3] = entry::publish(body);
        let leaves = Leaves(entries.iter().map(|entry| Hash::leaf(entry)).collect());
        let origin = body.feed().unwrap();
        let root = root_of(5, &leaves).unwrap();
        let checkpoint = Checkpoint::new(KeyName::from(origin), 5, root).unwrap();
        let note = sign_note(&checkpoint.body(), KeyName::from(origin), &key(self.log)).unwrap();
        let checkpoint = tlog::checkpoint::SignedCheckpoint::from_note(note).unwrap();
        let hashes = prove_inclusion(3, 5, &leaves).unwrap();
        TlogProof { extra: None, index: 3, hashes, checkpoint }
    }

    pub(crate) fn approves(&self, body: &Body) -> Approval {
        self.evidence(body).verify(did(self.root)).unwrap()
    }

    pub(crate) fn member(&self) -> CommitteeNode {
        CommitteeNode { node: self.name.clone(), root: did(self.root) }
    }

    /// What the network says of this node.
    pub(crate) fn participant(&self, status: Status) -> ParticipantSubject {
        ParticipantSubject {
            node: self.name.clone(),
            status,
            network: origin(),
            status_reason: None,
            node_record: Some(to_embed(&self.node_record())),
            succeeds: None,
            reinstated: false,
            succession: None,
            decision: None,
            reason: None,
        }
    }
}

pub(crate) fn sign(unsigned: Unsigned, signer: u8) -> Body {
    Body::sign(unsigned, &|message| Ok::<_, Infallible>(key(signer).sign(message))).unwrap()
}

struct Leaves(Vec<Hash>);

impl Nodes for Leaves {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(if level == 0 {
            self.0[usize::try_from(index).unwrap()]
        } else {
            let left = self.node(level - 1, index * 2)?;
            Hash::node(&left, &self.node(level - 1, index * 2 + 1)?)
        })
    }
}

/// The file of the network, founded by `committee`.
pub(crate) fn file(committee: &[Node], threshold: usize) -> NetworkFile {
    let roots: Vec<PublicKey> = committee.iter().map(|node| did(node.root)).collect();
    let log = Log { key: VerifierKey::note(KeyName::from(&origin()), did(2)), url: None };
    let policy = Policy::some_of(vec![log], &[], 0).unwrap();
    NetworkFile::new(&origin(), &roots, threshold, &policy).unwrap()
}

pub(crate) fn policy(committee: &[Node], threshold: u64) -> Value {
    let committee = committee.iter().map(Node::member).collect();
    let (witnesses, quorum) = (Vec::new(), 0);
    PolicySubject { committee, threshold, witnesses, quorum, decision: None, reason: None }
        .to_value()
}

/// The records of the network with what was approved by whom.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) decided: Vec<Decided>,
    pub(crate) approvals: Vec<Approval>,
}

impl Records {
    /// Publishes a record at the next index, from 1 on; all of `approved_by` approve it.
    pub(crate) fn publish(
        &mut self,
        kind: Kind,
        id: RecordId,
        subject: Value,
        approved_by: &[Node],
    ) -> Body {
        let version = self.decided.iter().filter(|one| one.body.id() == id).count() as u64 + 1;
        let body = Node::network().body(kind, id, version, subject);
        let index = self.decided.len() as u64 + 1;
        self.decided.push(Decided { index, body: body.clone() });
        self.approvals.extend(approved_by.iter().map(|node| node.approves(&body)));
        body
    }

    /// A record about `node`, under one id for each node.
    pub(crate) fn register(&mut self, subject: &ParticipantSubject, approved_by: &[Node]) -> Body {
        let number =
            subject.node.as_str().bytes().fold(0, |sum: u8, byte| sum.wrapping_mul(31) ^ byte);
        self.publish(Kind::PARTICIPANT, id(number), subject.to_value(), approved_by)
    }

    /// The network, as of [`NOW`]; every entry was first seen a day before.
    pub(crate) fn fold(&self, file: &NetworkFile) -> Network {
        self.fold_at(file, &|_| Some(NOW - DAY), NOW)
    }

    pub(crate) fn fold_at(
        &self,
        file: &NetworkFile,
        times: &dyn Fn(u64) -> Option<u64>,
        now: u64,
    ) -> Network {
        Network::fold(file, &self.decided, &self.approvals, times, now)
    }
}

/// All that a fold says, as text, for comparing two.
pub(crate) fn shown(network: &Network) -> String {
    format!("{network:?}")
}

/// Bytes of canonical JSON with one place of the value changed.
pub(crate) fn changed(bytes: &Bytes, path: &str, to: Value) -> Bytes {
    let mut value: Value = serde_json::from_slice(bytes).unwrap();
    *value.pointer_mut(path).unwrap() = to;
    practice::json::canonical(&value).unwrap().into()
}

/// The paths of all strings, numbers and truth values in `value`.
pub(crate) fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            leaves(member, &format!("{path}/{name}"), found);
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| leaves(item, &format!("{path}/{index}"), found)),
        _ => found.push(path.to_owned()),
    }
}
