//! A fault: evidence that convinces a stranger that one key signed two histories (design 6).
//!
//! The key is a log's, or a cosigner's that vouched for both. The evidence is self-contained: the two
//! signed checkpoints, the node records that name the key, and, where the sizes differ, a proof that
//! the larger log does not extend the smaller.

use serde::{Deserialize, Serialize};
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::key::{KeyKind, VerifierKey};
use tlog::name::{KeyName, NodeName, Origin};

use practice::body::Body;
use practice::node_record::NodeRecord;

/// A fault file is at most this long: two notes, a proof and a few node records.
pub const FAULT_BYTES_MAX: usize = 512 << 10;

/// Node records in a fault file: those in force at either checkpoint, and what leads from the root
/// to them.
pub const NODE_RECORDS_MAX: usize = 8;

/// A consistency proof between sizes of at most 2^53 has fewer hashes.
const PROOF_HASHES_MAX: usize = 128;

/// Evidence of a fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which fork it shows.
    pub fault: ForkKind,
    /// The feed.
    pub origin: Origin,
    /// The vkey of the cosigner that vouched for both; absent where the log's own key signed both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigner: Option<String>,
    /// A signed checkpoint; for `prefix` the smaller one.
    pub first: String,
    /// Another of the same log.
    pub second: String,
    /// For `prefix`: the root that the second log has at the size of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_root: Option<String>,
    /// For `prefix`: a consistency proof from that root to the root of the second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<String>,
    /// The node records that name the keys, as they were published. None for a cosigner that is no
    /// node's: its vkey is known another way.
    pub node_records: Vec<String>,
}

/// The two shapes of a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForkKind {
    /// Two roots for one size.
    SameSize,
    /// The larger log has another root at the size of the smaller.
    Prefix,
}

impl Fault {
    /// The bytes of a fault file: JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Reads a fault file; [`verify`](Self::verify) tells whether it shows anything.
    pub fn parse(bytes: &[u8]) -> Result<Self, FaultError> {
        if bytes.len() > FAULT_BYTES_MAX {
            return Err(malformed(&format!("it has {} bytes", bytes.len())));
        }
        serde_json::from_slice(bytes).map_err(|error| malformed(&error))
    }

    /// The two checkpoints, in words' order: size and root of each. Not verified.
    pub fn checkpoints(&self) -> Result<[Checkpoint; 2], FaultError> {
        Ok([self.note(&self.first)?.checkpoint, self.note(&self.second)?.checkpoint])
    }

    /// The node whose key signed both; `None` for a cosigner that is no node's.
    pub fn node(&self) -> Option<NodeName> {
        match self.cosigner_key() {
            None => Some(self.origin.node().clone()),
            Some(Ok(key)) => node_of_cosigner(&key.name),
            Some(Err(_)) => None,
        }
    }

    /// The root key that the node records in it are signed by: what to compare with what is known.
    pub fn root(&self) -> Option<PublicKey> {
        let bodies = self.node_records.iter().rev();
        let mut issuers = bodies.filter_map(|text| {
            let body = Body::open(text.clone().into_bytes().into()).ok()?;
            NodeRecord::from_body(&body).ok().filter(|record| record.root == body.issuer_key())
        });
        issuers.next().map(|record| record.root)
    }

    /// The keys that the node records in it are signed by, each once.
    pub fn issuers(&self) -> Vec<PublicKey> {
        let records = self.node_records.iter().take(NODE_RECORDS_MAX);
        let bodies = records.filter_map(|text| Body::open(text.clone().into_bytes().into()).ok());
        let mut issuers: Vec<PublicKey> = Vec::new();
        for key in bodies.map(|body| body.issuer_key()) {
            if !issuers.contains(&key) {
                issuers.push(key);
            }
        }
        issuers
    }

    /// Whether the evidence holds, for somebody who knows nothing but the root key of
    /// [`node`](Self::node).
    pub fn verify(&self, root: PublicKey) -> Result<(), FaultError> {
        self.verify_by(&self.keys_of(root)?)
    }

    /// The same with those of its node records alone that one of `roots` issued: for whoever holds the
    /// log, and so knows which keys ever were roots.
    #[must_use]
    pub fn with_records_by(&self, roots: &[PublicKey]) -> Self {
        let issued = |text: &&String| {
            let body = Body::open(text.to_string().into_bytes().into());
            body.is_ok_and(|body| roots.contains(&body.issuer_key()))
        };
        let records = self.node_records.iter().take(NODE_RECORDS_MAX + 1);
        let node_records = records.filter(issued).cloned().collect();
        Self { node_records, ..self.clone() }
    }

    /// Whether the evidence holds, for somebody who knows nothing but the vkey of the cosigner.
    pub fn verify_cosigner(&self, key: &VerifierKey) -> Result<(), FaultError> {
        match self.cosigner_key() {
            Some(Ok(named)) if named == *key => self.verify_by(std::slice::from_ref(key)),
            _ => Err(FaultError::OtherCosigner { key: key.to_string() }),
        }
    }

    fn verify_by(&self, keys: &[VerifierKey]) -> Result<(), FaultError> {
        let (first, second) = (self.signed(&self.first, keys)?, self.signed(&self.second, keys)?);
        match self.fault {
            ForkKind::SameSize if first.size == second.size && first.root != second.root => Ok(()),
            ForkKind::SameSize => Err(FaultError::ShowsNothing),
            ForkKind::Prefix => self.verify_prefix(&first, &second),
        }
    }

    fn verify_prefix(&self, first: &Checkpoint, second: &Checkpoint) -> Result<(), FaultError> {
        if self.proof.len() > PROOF_HASHES_MAX {
            return Err(malformed(&format!("its proof has {} hashes", self.proof.len())));
        }
        let hash = |text: &String| Hash::from_base64(text).map_err(|error| malformed(&error));
        let prefix_root = hash(self.prefix_root.as_ref().ok_or(FaultError::ShowsNothing)?)?;
        let proof: Vec<Hash> = self.proof.iter().map(hash).collect::<Result<_, _>>()?;
        let (size, root) = (second.size, &second.root);
        tlog::proof::verify_consistency(first.size, &prefix_root, size, root, &proof)
            .map_err(|error| malformed(&error))?;
        if prefix_root == first.root { Err(FaultError::ShowsNothing) } else { Ok(()) }
    }

    fn cosigner_key(&self) -> Option<Result<VerifierKey, FaultError>> {
        let text = self.cosigner.as_ref()?;
        Some(match VerifierKey::parse(text) {
            Ok(key) if key.kind == KeyKind::Cosignature => Ok(key),
            Ok(_) => Err(malformed(&"its cosigner's key signs logs")),
            Err(error) => Err(malformed(&error)),
        })
    }

    /// The keys that count for somebody who knows the root: log keys of the feed, or the cosigner's if
    /// the node lists it.
    fn keys_of(&self, root: PublicKey) -> Result<Vec<VerifierKey>, FaultError> {
        let cosigner = self.cosigner_key().transpose()?;
        let node = self.node().ok_or(FaultError::NoNode)?;
        let records = self.records_of(&node, root)?;
        let keys = records.iter().flat_map(|record| &record.keys);
        Ok(match cosigner {
            Some(cosigner) => {
                let of_use = keys.filter(|key| matches!(&*key.usage, "receipt" | "witness"));
                let listed = of_use
                    .map(|key| VerifierKey::cosignature(cosigner_name(&node, &key.usage), key.key));
                listed.filter(|key| *key == cosigner).take(1).collect()
            }
            None => {
                let name = KeyName::from(&self.origin);
                let of_log = keys.filter(|key| key.usage == "log");
                of_log.map(|key| VerifierKey::note(name.clone(), key.key)).collect()
            }
        })
    }

    /// The node records, each signed by `root` or by a key that `root` itself names as its recovery
    /// key: that is what a former root is after a planned succession.
    fn records_of(&self, node: &NodeName, root: PublicKey) -> Result<Vec<NodeRecord>, FaultError> {
        if self.node_records.len() > NODE_RECORDS_MAX {
            return Err(malformed(&format!("it has {} node records", self.node_records.len())));
        }
        let mut records = Vec::new();
        for text in &self.node_records {
            let body =
                Body::open(text.clone().into_bytes().into()).map_err(|error| malformed(&error))?;
            records.push(NodeRecord::from_body(&body).map_err(|error| malformed(&error))?);
        }
        let by_root = records.iter().filter(|record| record.body().issuer_key() == root);
        let mut trusted: Vec<PublicKey> = by_root.filter_map(|record| record.recovery).collect();
        trusted.push(root);
        let stranger = records
            .iter()
            .find(|record| record.node != *node || !trusted.contains(&record.body().issuer_key()));
        match stranger {
            Some(record) if record.node != *node => {
                Err(malformed(&format!("a node record is of `{}`", record.node)))
            }
            Some(record) => {
                Err(FaultError::OtherRoot { root: record.body().issuer_key().to_did() })
            }
            None => Ok(records),
        }
    }

    fn note(&self, text: &str) -> Result<SignedCheckpoint, FaultError> {
        let note = SignedCheckpoint::parse(text.as_bytes()).map_err(|error| malformed(&error))?;
        if note.checkpoint.origin.as_str() != self.origin.as_str() {
            return Err(malformed(&format!("a note is of `{}`", note.checkpoint.origin)));
        }
        Ok(note)
    }

    fn signed(&self, text: &str, keys: &[VerifierKey]) -> Result<Checkpoint, FaultError> {
        let note = self.note(text)?;
        let by = |key: &VerifierKey| note.note.text_signed_by(key).is_ok();
        if keys.iter().any(by) { Ok(note.checkpoint) } else { Err(FaultError::Unsigned) }
    }
}

/// The node of `NODE/receipt` or `NODE/witness`.
fn node_of_cosigner(name: &KeyName) -> Option<NodeName> {
    let (node, usage) = name.as_str().rsplit_once('/')?;
    matches!(usage, "receipt" | "witness").then(|| NodeName::parse(node).ok()).flatten()
}

fn cosigner_name(node: &NodeName, usage: &str) -> KeyName {
    if usage == "receipt" { KeyName::receipt_of(node) } else { KeyName::witness_of(node) }
}

fn malformed(reason: &dyn ToString) -> FaultError {
    FaultError::Malformed { reason: reason.to_string() }
}

/// Why a fault file shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// It cannot be read.
    #[error("this is no readable fault file: {reason}")]
    Malformed {
        /// Why.
        reason: String,
    },
    /// A note is not signed by a key of the node.
    #[error("a checkpoint in it is not signed by a key that the node records in it name")]
    Unsigned,
    /// A node record is by another root.
    #[error("a node record in it is signed by {root}, another root")]
    OtherRoot {
        /// Whose.
        root: String,
    },
    /// It is about a cosigner that is no node's.
    #[error(
        "it is about a cosigner that is no node's: compare its key in the file with what the cosigner publishes"
    )]
    NoNode,
    /// It is about another cosigner.
    #[error("it is not about the cosigner {key}")]
    OtherCosigner {
        /// The vkey asked about.
        key: String,
    },
    /// The two checkpoints go together.
    #[error("its two checkpoints do not contradict each other")]
    ShowsNothing,
}
