//! A verdict: each link of the chain from a root key to a record's words, with what holds and what
//! fails. Pure and offline: everything it needs is in the [`Evidence`].

use bytes::Bytes;
use network::keys::read_node_record;
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};
use tlog::proof_file::TlogProof;

use crate::bodies;
use crate::statement::Said;

/// What is brought forward for one record.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The feed.
    pub origin: Origin,
    /// The entry's bytes.
    pub entry: Bytes,
    /// The document.
    pub body: Bytes,
    /// The `.tlog-proof` of the entry.
    pub proof: Bytes,
    /// Node records of the feed's node, any versions, any order.
    pub node_records: Vec<Bytes>,
}

/// The links, in the order in which each rests on those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The node record is signed by the root key.
    NodeRecord,
    /// The checkpoint is signed by a log key of the node.
    Checkpoint,
    /// The entry stands in the log of that checkpoint.
    Entry,
    /// The entry commits to exactly this document.
    Commitment,
    /// The document is well formed and says of itself what the entry says.
    Document,
    /// The document is signed by a record key of the node.
    Proof,
}

impl Link {
    /// All links.
    pub const ALL: [Self; 6] = [
        Self::NodeRecord,
        Self::Checkpoint,
        Self::Entry,
        Self::Commitment,
        Self::Document,
        Self::Proof,
    ];

    /// A short name, stable for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NodeRecord => "node-record",
            Self::Checkpoint => "checkpoint",
            Self::Entry => "entry",
            Self::Commitment => "commitment",
            Self::Document => "document",
            Self::Proof => "proof",
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
    /// Whether the root key was given by whoever asks; else it is only what the evidence says.
    pub root_confirmed: bool,
    /// The root key that everything rests on, if there is one.
    pub root: Option<PublicKey>,
}

impl Verdict {
    /// Whether every link holds.
    pub fn holds(&self) -> bool {
        self.steps.len() == Link::ALL.len() && self.steps.iter().all(|step| step.finding.is_ok())
    }
}

/// Follows the chain. Without `root` the node records' own root is taken, and the verdict says that
/// nobody confirmed it.
pub fn verify(evidence: &Evidence, root: Option<PublicKey>) -> Verdict {
    let mut verdict = Verdict { steps: Vec::new(), root_confirmed: root.is_some(), root };
    let mut chain = Chain { evidence, root, records: Vec::new(), index: 0, body: None };
    for link in Link::ALL {
        let finding = chain.follow(link);
        let failed = finding.is_err();
        verdict.steps.push(Step { link, finding });
        if failed {
            break;
        }
    }
    verdict.root = chain.root;
    verdict
}

struct Chain<'a> {
    evidence: &'a Evidence,
    root: Option<PublicKey>,
    records: Vec<NodeRecord>,
    index: u64,
    body: Option<Body>,
}

impl Chain<'_> {
    fn follow(&mut self, link: Link) -> Result<String, String> {
        match link {
            Link::NodeRecord => self.node_records(),
            Link::Checkpoint => self.checkpoint(),
            Link::Entry => self.entry(),
            Link::Commitment => self.commitment(),
            Link::Document => self.document(),
            Link::Proof => self.proof(),
        }
    }

    fn node_records(&mut self) -> Result<String, String> {
        let node = self.evidence.origin.node();
        for bytes in &self.evidence.node_records {
            let body = Body::open(bytes.clone()).map_err(|error| error.to_string())?;
            let root = *self.root.get_or_insert(body.issuer_key());
            self.records.push(read_node_record(&body, node, root)?);
        }
        let newest = self.records.iter().max_by_key(|record| record.version());
        let newest = newest.ok_or_else(|| format!("there is no node record of `{node}`"))?;
        Ok(format!(
            "version {} of the node record of `{node}` is signed by its root {}",
            newest.version(),
            newest.root.to_did()
        ))
    }

    fn checkpoint(&mut self) -> Result<String, String> {
        let proof = self.proof_file()?;
        let said = &proof.checkpoint.checkpoint;
        if said.origin.as_str() != self.evidence.origin.as_str() {
            return Err(format!("the checkpoint is of `{}`", said.origin));
        }
        let key = self.log_keys().into_iter().find(|key| proof.checkpoint.verify(key).is_ok());
        let key = key.ok_or("the checkpoint is not signed by a log key of the node")?;
        Ok(format!("the checkpoint of {} entries is signed by {key}", said.size))
    }

    fn entry(&mut self) -> Result<String, String> {
        let proof = self.proof_file()?;
        let said = &proof.checkpoint.checkpoint;
        let leaf = Hash::leaf(&self.evidence.entry);
        tlog::proof::verify_inclusion(proof.index, said.size, &leaf, &said.root, &proof.hashes)
            .map_err(|error| {
                format!("the entry is not at index {} of that log: {error}", proof.index)
            })?;
        self.index = proof.index;
        Ok(format!("the entry is number {} of {}", proof.index, said.size))
    }

    fn commitment(&mut self) -> Result<String, String> {
        let hash = Hash::of(&self.evidence.body);
        match Said::read(&self.evidence.entry).body() {
            Some(said) if said == hash => {
                Ok(format!("the document has the SHA-256 {} that the entry names", hash.to_hex()))
            }
            Some(said) => Err(format!(
                "the entry names {}, and the document has {}",
                said.to_hex(),
                hash.to_hex()
            )),
            None => Err("the entry names no document".to_owned()),
        }
    }

    fn document(&mut self) -> Result<String, String> {
        let body = Body::open(self.evidence.body.clone()).map_err(|error| error.to_string())?;
        if !bodies::agrees(&self.evidence.origin, &Said::read(&self.evidence.entry), &body) {
            return Err("the document says something else of itself than its entry".to_owned());
        }
        let found = format!("it is version {} of {}, a {}", body.version(), body.id(), body.kind());
        self.body = Some(body);
        Ok(found)
    }

    fn proof(&mut self) -> Result<String, String> {
        let body = self.body.as_ref().ok_or("there is no document")?;
        let key = body.issuer_key();
        let expected = if body.kind().as_str() == "node" { "root" } else { "record" };
        let spoke = match expected {
            "root" => self.root == Some(key),
            _ => self
                .records
                .iter()
                .flat_map(|record| &record.keys)
                .any(|of| of.usage == "record" && of.key == key),
        };
        if !spoke {
            return Err(format!(
                "{} is not the {expected} key of `{}`",
                key.to_did(),
                self.evidence.origin.node()
            ));
        }
        body.verify().map_err(|error| error.to_string())?;
        Ok(format!(
            "it is signed by {}, the {expected} key of `{}`",
            key.to_did(),
            self.evidence.origin.node()
        ))
    }

    fn proof_file(&self) -> Result<TlogProof, String> {
        TlogProof::parse(&self.evidence.proof).map_err(|error| error.to_string())
    }

    fn log_keys(&self) -> Vec<VerifierKey> {
        let keys =
            self.records.iter().flat_map(|record| &record.keys).filter(|key| key.usage == "log");
        keys.map(|key| VerifierKey::note(KeyName::from(&self.evidence.origin), key.key)).collect()
    }
}
