//! A verdict: each link of the chain from a network file, or a root key, to a record's words, with what
//! holds and what fails. Pure and offline: everything it needs is in the [`Evidence`].
//!
//! Network file → policy → participant → node record → checkpoint → receipts → entry → document. Whoever
//! holds a root key and no network begins at the node record.
//!
//! **Invariant:** all that is said of one log is proved to one checkpoint of it, so that no parts of
//! different trees are put together.

mod network;
mod node_records;
mod receipts;

use ::network::file::NetworkFile;
use ::network::keys::KeyHistory;
use bytes::Bytes;
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::checkpoint::SignedCheckpoint;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};
use tlog::proof_file::TlogProof;

use crate::bodies;
use crate::statement::{Said, Statement};

/// A document with the `.tlog-proof` of its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The document.
    pub body: Bytes,
    /// Where its entry stands.
    pub proof: Bytes,
}

/// What is brought forward for one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The feed.
    pub origin: Origin,
    /// The record.
    pub record: Placed,
    /// The node records of its feed up to the checkpoint, from entry 0 on.
    pub node_records: Vec<Placed>,
    /// The cosigner lines of the feed (`JPC1`).
    pub cosignatures: Option<Bytes>,
    /// What a network says of the node.
    pub network: Option<NetworkEvidence>,
}

/// What a network says of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkEvidence {
    /// The network's feed.
    pub origin: Origin,
    /// The network file as the bringer has it.
    pub file: Bytes,
    /// Node records, policies and the participant records of the node, from the network's feed.
    pub records: Vec<Placed>,
    /// The approvals behind them, a bundle.
    pub anchors: Bytes,
}

/// What is believed without evidence.
#[derive(Clone, Debug, Default)]
pub struct Anchor {
    /// The root key of the node.
    pub root: Option<PublicKey>,
    /// The network file, its fingerprint compared.
    pub network: Option<NetworkFile>,
    /// The time now, in seconds since 1970, for what is stale.
    pub now: Option<u64>,
}

/// The links, in the order in which each rests on those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// The network is the one whose file is held.
    Network,
    /// The policies are approved, each by the committee before it.
    Policy,
    /// The network names the node and its root, approved by its committee.
    Participant,
    /// The node records are signed by the root, and stand in the feed.
    NodeRecord,
    /// The checkpoint is signed by the log key in force.
    Checkpoint,
    /// Who else has received it, and when.
    Receipts,
    /// The entry stands in the log of that checkpoint.
    Entry,
    /// The entry commits to exactly this document.
    Commitment,
    /// The document is well formed and says of itself what the entry says.
    Document,
    /// The document is signed by the key in force at its entry.
    Proof,
}

impl Link {
    /// All links.
    pub const ALL: [Self; 10] = [
        Self::Network,
        Self::Policy,
        Self::Participant,
        Self::NodeRecord,
        Self::Checkpoint,
        Self::Receipts,
        Self::Entry,
        Self::Commitment,
        Self::Document,
        Self::Proof,
    ];

    /// A short name, stable for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Policy => "policy",
            Self::Participant => "participant",
            Self::NodeRecord => "node-record",
            Self::Checkpoint => "checkpoint",
            Self::Receipts => "receipts",
            Self::Entry => "entry",
            Self::Commitment => "commitment",
            Self::Document => "document",
            Self::Proof => "proof",
        }
    }

    /// What to do when it fails, in words.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Network => {
                "compare the fingerprint of the network file by telephone, and give the right file"
            }
            Self::Policy | Self::Participant => {
                "ask the secretariat of the network, or get the evidence again from another node"
            }
            Self::NodeRecord => "compare the root key with what the mechanism says by telephone",
            Self::Checkpoint | Self::Receipts | Self::Entry => {
                "get the evidence again, from the mechanism's own node or from another one"
            }
            Self::Commitment | Self::Document | Self::Proof => {
                "do not rely on these words; get the record again from the mechanism's own node"
            }
        }
    }
}

/// One link and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub link: Link,
    /// What was found, or why it fails.
    pub finding: Result<String, String>,
}

/// The links that were looked at; the first that fails is the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// In order.
    pub steps: Vec<Step>,
    /// Whether root key or network file were given by whoever asks; else they are only what the evidence
    /// says.
    pub root_confirmed: bool,
    /// The root key that everything rests on, if there is one.
    pub root: Option<PublicKey>,
    /// The fingerprint of the network file, where the chain begins there.
    pub fingerprint: Option<String>,
}

impl Verdict {
    /// Whether every link holds, to the last.
    pub fn holds(&self) -> bool {
        let last = self.steps.last().map(|step| step.link);
        last == Some(Link::Proof) && self.steps.iter().all(|step| step.finding.is_ok())
    }

    /// The link that fails.
    pub fn failing(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.finding.is_err())
    }
}

/// Follows the chain. A root in `anchor` is believed before a network; with neither, the evidence's own
/// network file or root is taken, and the verdict says that nobody confirmed it.
pub fn verify(evidence: &Evidence, anchor: &Anchor) -> Verdict {
    let from_network =
        anchor.network.is_some() || (anchor.root.is_none() && evidence.network.is_some());
    let mut chain = Chain {
        evidence,
        anchor,
        root: anchor.root,
        network: None,
        checkpoint: None,
        keys: None,
        index: 0,
        body: None,
    };
    let links = Link::ALL.into_iter().filter(|link| from_network || *link >= Link::NodeRecord);
    let mut steps: Vec<Step> = Vec::new();
    for link in links {
        let finding = chain.follow(link);
        let failed = finding.is_err();
        steps.push(Step { link, finding });
        if failed {
            break;
        }
    }
    Verdict {
        steps,
        root_confirmed: anchor.root.is_some() || anchor.network.is_some(),
        root: chain.root,
        fingerprint: chain.network.map(|network| network.file.fingerprint()),
    }
}

struct Chain<'a> {
    evidence: &'a Evidence,
    anchor: &'a Anchor,
    root: Option<PublicKey>,
    network: Option<network::Judged>,
    checkpoint: Option<SignedCheckpoint>,
    keys: Option<KeyHistory>,
    index: u64,
    body: Option<Body>,
}

impl Chain<'_> {
    fn follow(&mut self, link: Link) -> Result<String, String> {
        match link {
            Link::Network => self.network(),
            Link::Policy => self.judged()?.policy(),
            Link::Participant => self.participant(),
            Link::NodeRecord => self.node_records(),
            Link::Checkpoint => self.checkpoint(),
            Link::Receipts => self.receipts(),
            Link::Entry => self.entry(),
            Link::Commitment => self.commitment(),
            Link::Document => self.document(),
            Link::Proof => self.proof(),
        }
    }

    fn network(&mut self) -> Result<String, String> {
        let evidence = self.evidence.network.as_ref();
        let evidence = evidence.ok_or("the evidence says nothing of a network")?;
        let brought = NetworkFile::parse(&evidence.file).map_err(|error| error.to_string())?;
        let file = self.anchor.network.clone().unwrap_or_else(|| brought.clone());
        if file.origin != brought.origin {
            return Err(format!(
                "the evidence is of `{}`, and the file of `{}`",
                brought.origin, file.origin
            ));
        }
        let found = format!("`{}`, fingerprint {}", file.origin, file.fingerprint());
        self.network = Some(network::Judged::new(file, evidence));
        Ok(found)
    }

    fn participant(&mut self) -> Result<String, String> {
        let (node, given) = (self.evidence.origin.node(), self.anchor.root);
        let (root, found) = self.judged()?.participant(node)?;
        if let Some(given) = given.filter(|given| *given != root) {
            return Err(format!(
                "the network names the root {}, and {} was given",
                root.to_did(),
                given.to_did()
            ));
        }
        self.root = Some(root);
        Ok(found)
    }

    fn judged(&mut self) -> Result<&mut network::Judged, String> {
        self.network.as_mut().ok_or_else(|| "there is no network".to_owned())
    }

    fn node_records(&mut self) -> Result<String, String> {
        let evidence = self.evidence;
        let root = match self.root {
            Some(root) => root,
            None => node_records::own_root(&evidence.node_records)?,
        };
        self.root = Some(root);
        let keys = node_records::fold(evidence.origin.node(), root, &evidence.node_records)?;
        let proof = self.proof_file();
        // Whether they stand where they say is known once the checkpoint is; one that nobody signed fails
        // at its own link.
        if let Ok(proof) = &proof
            && check_signature(&evidence.origin, &proof.checkpoint, &keys).is_ok()
        {
            node_records::check_places(&evidence.node_records, &proof.checkpoint)?;
        }
        let newest = keys.newest().ok_or("there is no node record")?;
        let found = format!(
            "version {} of the node record of `{}` is signed by its root {}",
            newest.record.version(),
            evidence.origin.node(),
            newest.record.root.to_did()
        );
        self.keys = Some(keys);
        Ok(found)
    }

    fn checkpoint(&mut self) -> Result<String, String> {
        let proof = self.proof_file()?;
        let said = &proof.checkpoint.checkpoint;
        if said.origin.as_str() != self.evidence.origin.as_str() {
            return Err(format!("the checkpoint is of `{}`", said.origin));
        }
        let keys = self.keys.as_ref().ok_or("there are no keys")?;
        let key = check_signature(&self.evidence.origin, &proof.checkpoint, keys)?;
        let revoked = self.revoked(&key.key).any(|size| said.size > size);
        if revoked {
            return Err(format!("{key} was revoked, and counts no more at {} entries", said.size));
        }
        let found = format!("the checkpoint of {} entries is signed by {key}", said.size);
        self.checkpoint = Some(proof.checkpoint);
        Ok(found)
    }

    fn receipts(&mut self) -> Result<String, String> {
        let checkpoint = self.checkpoint.as_ref().ok_or("there is no checkpoint")?;
        let known = self.network.as_ref().map(network::Judged::cosigners).unwrap_or_default();
        receipts::judge(self.evidence.cosignatures.as_ref(), checkpoint, &known, self.anchor.now)
    }

    fn entry(&mut self) -> Result<String, String> {
        let proof = self.proof_file()?;
        let said = &proof.checkpoint.checkpoint;
        let body = Body::open(self.evidence.record.body.clone());
        let entry =
            entry_of(&body.map_err(|error| format!("the document cannot be read: {error}"))?)?;
        let leaf = Hash::leaf(&entry);
        tlog::proof::verify_inclusion(proof.index, said.size, &leaf, &said.root, &proof.hashes)
            .map_err(|error| {
                format!(
                    "no entry for these words stands at index {} of that log: {error}",
                    proof.index
                )
            })?;
        self.index = proof.index;
        Ok(format!("the entry is number {} of {}", proof.index, said.size))
    }

    fn commitment(&mut self) -> Result<String, String> {
        let body =
            Body::open(self.evidence.record.body.clone()).map_err(|error| error.to_string())?;
        let hash = Hash::of(&self.evidence.record.body);
        match Said::read(&entry_of(&body)?).body() {
            Some(said) if said == hash => {
                Ok(format!("the document has the SHA-256 {} that the entry names", hash.to_hex()))
            }
            _ => Err("the entry names another document".to_owned()),
        }
    }

    fn document(&mut self) -> Result<String, String> {
        let body =
            Body::open(self.evidence.record.body.clone()).map_err(|error| error.to_string())?;
        if !bodies::agrees(&self.evidence.origin, &Said::read(&entry_of(&body)?), &body) {
            return Err("the document says something else of itself than its entry".to_owned());
        }
        let found = format!("it is version {} of {}, a {}", body.version(), body.id(), body.kind());
        self.body = Some(body);
        Ok(found)
    }

    fn proof(&mut self) -> Result<String, String> {
        let body = self.body.as_ref().ok_or("there is no document")?;
        let keys = self.keys.as_ref().ok_or("there are no keys")?;
        let (key, node) = (body.issuer_key(), self.evidence.origin.node());
        let expected = if body.kind().as_str() == "node" { "root" } else { "record" };
        let spoke = match expected {
            "root" => keys.records().iter().any(|keyed| keyed.body == *body.bytes()),
            _ => keys.record_key(self.index) == Some(key),
        };
        if !spoke {
            return Err(format!(
                "{} is not the {expected} key of `{node}` at entry {}",
                key.to_did(),
                self.index
            ));
        }
        if self.revoked(&key).any(|size| self.index >= size) {
            return Err(format!(
                "{} was revoked, and counts no more at entry {}",
                key.to_did(),
                self.index
            ));
        }
        body.verify().map_err(|error| error.to_string())?;
        Ok(format!(
            "it is signed by {}, the {expected} key of `{node}` at entry {}",
            key.to_did(),
            self.index
        ))
    }

    /// From which sizes on the newest node record revokes a key in this feed.
    fn revoked(&self, key: &PublicKey) -> impl Iterator<Item = u64> {
        let newest = self.keys.as_ref().and_then(KeyHistory::newest);
        let revoked = newest.map(|keyed| keyed.record.revoked.clone()).unwrap_or_default();
        let (key, feed) = (*key, self.evidence.origin.feed().clone());
        revoked
            .into_iter()
            .filter(move |one| one.key == key && one.feed == feed)
            .map(|one| one.size)
    }

    fn proof_file(&self) -> Result<TlogProof, String> {
        TlogProof::parse(&self.evidence.record.proof).map_err(|error| error.to_string())
    }
}

/// The statement that a document must have: it says nothing that the document does not say.
pub fn entry_of(body: &Body) -> Result<Bytes, String> {
    let statement = Statement::Publish {
        id: body.id(),
        kind: body.kind().clone(),
        version: body.version(),
        body: Hash::of(body.bytes()),
        time: body.valid_from().to_owned(),
    };
    Ok(statement.to_bytes().map_err(|error| error.to_string())?.into())
}

/// Requires that the log key in force at the checkpoint's size signed it.
fn check_signature(
    origin: &Origin,
    checkpoint: &SignedCheckpoint,
    keys: &KeyHistory,
) -> Result<VerifierKey, String> {
    let size = checkpoint.checkpoint.size;
    let key =
        keys.log_key(size).ok_or_else(|| format!("no log key is in force at {size} entries"))?;
    let key = VerifierKey::note(KeyName::from(origin), key);
    match checkpoint.verify(&key) {
        Ok(_) => Ok(key),
        Err(error) => Err(format!("the checkpoint is not signed by the log key in force: {error}")),
    }
}

/// Reads a document as a node record.
fn node_record(body: &Bytes) -> Result<NodeRecord, String> {
    let body = Body::open(body.clone()).map_err(|error| error.to_string())?;
    NodeRecord::from_body(&body).map_err(|error| error.to_string())
}
