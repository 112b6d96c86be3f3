//! A fault: evidence that convinces a stranger that one log showed two histories (design 6).
//!
//! The evidence is self-contained: the two signed checkpoints, the node record whose log key signed
//! both, and, where their sizes differ, a proof that the larger does not extend the smaller.

use serde::{Deserialize, Serialize};
use tlog::checkpoint::SignedCheckpoint;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};

use practice::body::Body;
use practice::node_record::NodeRecord;

/// A fault file is at most this long: two notes, a proof and a node record.
pub const FAULT_BYTES_MAX: usize = 256 << 10;

/// Evidence of a fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which fork it shows.
    pub fault: ForkKind,
    /// The feed.
    pub origin: Origin,
    /// A signed checkpoint; for `prefix` the smaller one.
    pub first: String,
    /// Another of the same log.
    pub second: String,
    /// For `prefix`: the root that the second log has at the size of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_root: Option<String>,
    /// For `prefix`: a consistency proof from that root to the root of the second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<String>,
    /// The node records that name the log keys, as they were published.
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
            return Err(FaultError::Malformed { reason: format!("it has {} bytes", bytes.len()) });
        }
        serde_json::from_slice(bytes)
            .map_err(|error| FaultError::Malformed { reason: error.to_string() })
    }

    /// Whether the evidence holds, for somebody who knows nothing but the node's root key.
    pub fn verify(&self, root: PublicKey) -> Result<(), FaultError> {
        let keys = self.log_keys(root)?;
        let (first, second) = (self.note(&self.first, &keys)?, self.note(&self.second, &keys)?);
        let (first, second) = (&first.checkpoint, &second.checkpoint);
        match self.fault {
            ForkKind::SameSize if first.size == second.size && first.root != second.root => Ok(()),
            ForkKind::SameSize => Err(FaultError::ShowsNothing),
            ForkKind::Prefix => {
                let hash = |text: &String| Hash::from_base64(text);
                let malformed = |error: tlog::hash::InvalidHash| FaultError::Malformed {
                    reason: error.to_string(),
                };
                let prefix_root = self.prefix_root.as_ref().ok_or(FaultError::ShowsNothing)?;
                let prefix_root = hash(prefix_root).map_err(malformed)?;
                let proof: Vec<Hash> =
                    self.proof.iter().map(hash).collect::<Result<_, _>>().map_err(malformed)?;
                tlog::proof::verify_consistency(
                    first.size,
                    &prefix_root,
                    second.size,
                    &second.root,
                    &proof,
                )
                .map_err(|error| FaultError::Malformed { reason: error.to_string() })?;
                if prefix_root == first.root { Err(FaultError::ShowsNothing) } else { Ok(()) }
            }
        }
    }

    fn log_keys(&self, root: PublicKey) -> Result<Vec<VerifierKey>, FaultError> {
        let malformed = |reason: String| FaultError::Malformed { reason };
        let mut keys = Vec::new();
        for text in &self.node_records {
            let body = Body::open(text.clone().into_bytes().into())
                .map_err(|error| malformed(error.to_string()))?;
            let record =
                NodeRecord::from_body(&body).map_err(|error| malformed(error.to_string()))?;
            if record.body().issuer_key() != root || record.node != *self.origin.node() {
                return Err(FaultError::OtherRoot { root: record.body().issuer_key().to_did() });
            }
            let of_log = record.keys.iter().filter(|key| key.usage == "log");
            keys.extend(of_log.map(|key| VerifierKey::note(KeyName::from(&self.origin), key.key)));
        }
        Ok(keys)
    }

    fn note(&self, text: &str, keys: &[VerifierKey]) -> Result<SignedCheckpoint, FaultError> {
        let note = SignedCheckpoint::parse(text.as_bytes())
            .map_err(|error| FaultError::Malformed { reason: error.to_string() })?;
        if note.checkpoint.origin.as_str() != self.origin.as_str() {
            return Err(FaultError::Malformed {
                reason: format!("a note is of `{}`", note.checkpoint.origin),
            });
        }
        let signed = keys.iter().any(|key| note.verify(key).is_ok());
        if signed { Ok(note) } else { Err(FaultError::Unsigned) }
    }
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
    #[error("a checkpoint in it is not signed by a log key of the node records in it")]
    Unsigned,
    /// A node record is by another root.
    #[error("a node record in it is signed by {root}, another root")]
    OtherRoot {
        /// Whose.
        root: String,
    },
    /// The two checkpoints go together.
    #[error("its two checkpoints do not contradict each other")]
    ShowsNothing,
}
