//! Approvals: that a node of a committee has said yes to one version of one record, with all that is
//! needed to check it offline (design 6).
//!
//! The chain is: root → node record → log key → checkpoint → entry → body → what it is about. The entry is
//! no part of the evidence, for it is a function of the body ([`practice::entry::publish`]).
//!
//! **Invariant:** an [`Approval`] is made by [`Evidence::verify`] alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use practice::body::{BODY_BYTES_MAX, Body, InvalidBody};
use practice::entry;
use practice::id::RecordId;
use practice::json::Value;
use practice::kind::Kind;
use practice::node_record::{InvalidNodeRecord, NodeRecord, USE_LOG, USE_RECORD};
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, NodeName, Origin};
use tlog::proof_file::{InvalidProofFile, TlogProof, UnverifiedProof};

/// The relation of an attestation that approves.
pub const APPROVES: &str = "approves";

/// Exactly which version of which record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct About {
    /// The feed it stands in.
    pub feed: Origin,
    /// The record.
    pub id: RecordId,
    /// The version.
    pub version: u64,
    /// The hash of its body.
    pub body: Hash,
}

impl About {
    /// The version that `body` is; `None` for a node record, which is of no feed.
    pub fn of(body: &Body) -> Option<Self> {
        let feed = body.feed()?.clone();
        Some(Self { feed, id: body.id(), version: body.version(), body: body.hash() })
    }

    /// Reads the `about` of an attestation; all four members must be there.
    pub fn parse(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str();
        Some(Self {
            feed: Origin::parse(text("feed")?).ok()?,
            id: RecordId::parse(text("id")?).ok()?,
            version: value.get("version")?.as_u64().filter(|version| *version >= 1)?,
            body: Hash::from_hex(text("body")?.strip_prefix("sha256:")?).ok()?,
        })
    }

    /// The `about` of an attestation to publish.
    pub fn to_value(&self) -> Value {
        serde_json::json!({
            "feed": self.feed,
            "id": self.id,
            "version": self.version,
            "body": format!("sha256:{}", self.body.to_hex()),
        })
    }

    /// The `credentialSubject` of the attestation that approves this version.
    pub fn approving(&self) -> Value {
        serde_json::json!({ "about": self.to_value(), "relation": APPROVES })
    }
}

/// One approval, complete in itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// The node record of the node that approves, signed by the root that its network knows.
    pub node_record: Bytes,
    /// The attestation.
    pub body: Bytes,
    /// The `.tlog-proof` of its entry, without the entry.
    pub proof: Bytes,
}

/// An approval that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Approval {
    /// Who approves.
    pub node: NodeName,
    /// The root that vouches for it.
    pub root: PublicKey,
    /// What is approved.
    pub about: About,
    /// The feed it stands in.
    pub origin: Origin,
    /// Its entry there, for comparing with a copy of that feed.
    pub entry: Bytes,
    /// Where the entry stands.
    pub index: u64,
    /// The size of the checkpoint that proves it.
    pub size: u64,
    /// The key that signed the checkpoint.
    pub log_key: PublicKey,
    /// The key that signed the attestation.
    pub record_key: PublicKey,
}

impl Evidence {
    /// Checks the whole chain below `root`, which must have signed the node record.
    pub fn verify(&self, root: PublicKey) -> Result<Approval, InvalidApproval> {
        self.verify_by(&read_node_record(&self.node_record)?, root)
    }

    fn verify_by(&self, record: &NodeRecord, root: PublicKey) -> Result<Approval, InvalidApproval> {
        let signer = record.body().issuer_key();
        if signer != root {
            return Err(InvalidApproval::Root { node: record.node.clone(), signer, root });
        }
        let body = Body::open(limited(&self.body)?)?;
        let node = record.node.clone();
        if body.kind() != &Kind::ATTESTATION {
            return Err(InvalidApproval::Kind { kind: body.kind().clone() });
        }
        let origin = body
            .feed()
            .filter(|feed| *feed.node() == node && !feed.feed().is_restricted())
            .cloned()
            .ok_or_else(|| InvalidApproval::Feed { node: node.clone() })?;
        let record_key = body.issuer_key();
        if !lists(record, USE_RECORD, record_key) {
            return Err(InvalidApproval::RecordKey { node });
        }
        body.verify().map_err(|_| InvalidApproval::Signature { node: node.clone() })?;
        let about = body
            .subject()
            .get("about")
            .and_then(About::parse)
            .filter(|_| body.subject().get("relation").and_then(Value::as_str) == Some(APPROVES))
            .ok_or_else(|| InvalidApproval::About { node: node.clone() })?;
        let entry = entry::publish(&body);
        let (index, size, log_key) = self.proven(record, &origin, &entry)?;
        let entry = entry.into();
        let approval =
            Approval { node, root, about, origin, entry, index, size, log_key, record_key };
        if approval.is_revoked_by(record) {
            return Err(InvalidApproval::Revoked { node: approval.node });
        }
        Ok(approval)
    }

    /// Index, size and log key of a checkpoint that a log key of `record` signed over `entry`.
    fn proven(
        &self,
        record: &NodeRecord,
        origin: &Origin,
        entry: &[u8],
    ) -> Result<(u64, u64, PublicKey), InvalidApproval> {
        let proof = TlogProof::parse(&self.proof)?;
        let mut refusal = None;
        for key in record.keys.iter().filter(|key| key.usage == USE_LOG) {
            let log_key = VerifierKey::note(KeyName::from(origin), key.key);
            match proof.verify_entry(entry, &log_key) {
                Ok(checkpoint) => return Ok((proof.index, checkpoint.size, key.key)),
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.map_or(InvalidApproval::RecordKey { node: record.node.clone() }, |error| {
            InvalidApproval::Proof { node: record.node.clone(), source: error }
        }))
    }
}

impl Approval {
    /// Whether `record`, the newest one known of the node, says that one of the keys behind this approval
    /// did not count any more where the approval stands.
    pub fn is_revoked_by(&self, record: &NodeRecord) -> bool {
        record.node == self.node
            && record.revoked.iter().any(|revocation| {
                let beyond = (revocation.key == self.log_key && self.size > revocation.size)
                    || (revocation.key == self.record_key && self.index >= revocation.size);
                beyond && revocation.feed == *self.origin.feed()
            })
    }
}

/// The approvals among some evidence, however often and by whomever it was handed in.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Those that hold, each once, in an order that does not depend on how they came.
    pub approvals: Vec<Approval>,
    /// Those that do not, by their place in what was handed in.
    pub refused: Vec<(usize, InvalidApproval)>,
}

/// Checks `evidence` against `roots`: all that a network's file and policies name
/// ([`committee_roots`](crate::fold::committee_roots)).
pub fn gather(evidence: &[Evidence], roots: &BTreeSet<PublicKey>) -> Gathered {
    let mut gathered = Gathered::default();
    // A member approves many records under one node record, which takes longest to check.
    let mut records: HashMap<&Bytes, Result<Arc<NodeRecord>, InvalidApproval>> = HashMap::new();
    for (place, one) in evidence.iter().enumerate() {
        let record = records
            .entry(&one.node_record)
            .or_insert_with(|| of_committee(&one.node_record, roots).map(Arc::new));
        let checked = record.clone().and_then(|record| {
            let signer = record.body().issuer_key();
            one.verify_by(&record, signer)
        });
        match checked {
            Ok(approval) => gathered.approvals.push(approval),
            Err(error) => gathered.refused.push((place, error)),
        }
    }
    let vote = |one: &Approval| (one.about.clone(), one.root, one.node.clone());
    gathered.approvals.sort_by_key(|one| (vote(one), one.index, one.size, one.entry.clone()));
    gathered.approvals.dedup_by_key(|one| vote(one));
    gathered
}

/// Why some evidence is no approval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidApproval {
    /// Longer than a body may be.
    #[error("a document of {bytes} bytes is too long to be a record")]
    Bytes {
        /// How many it has.
        bytes: usize,
    },
    /// The node record is no valid one.
    #[error("the node record of the approval is not valid: {reason}")]
    NodeRecord {
        /// The rule it breaks.
        reason: String,
    },
    /// Signed by another root.
    #[error(
        "the node record of `{node}` is signed by {signer}, and the committee knows it by {root}"
    )]
    Root {
        /// Who approves.
        node: NodeName,
        /// Who signed.
        signer: PublicKey,
        /// Who should have.
        root: PublicKey,
    },
    /// By somebody who is on no committee of this network.
    #[error("`{node}` is on no committee of this network, by the root that signed its node record")]
    Stranger {
        /// Who approves.
        node: NodeName,
    },
    /// The attestation is no body.
    #[error(transparent)]
    Body(#[from] InvalidBody),
    /// Of another kind.
    #[error("the record is of the kind `{kind}`; an approval is an `attestation`")]
    Kind {
        /// Its kind.
        kind: Kind,
    },
    /// In another node's feed, or in a restricted one.
    #[error("the approval does not stand in a public feed of `{node}`")]
    Feed {
        /// Who approves.
        node: NodeName,
    },
    /// By a key that the node record does not list.
    #[error("the approval is not signed with a key that the node record of `{node}` lists")]
    RecordKey {
        /// Who approves.
        node: NodeName,
    },
    /// A false signature.
    #[error("the signature of the approval of `{node}` does not hold; its text was changed")]
    Signature {
        /// Who approves.
        node: NodeName,
    },
    /// It approves nothing, or not exactly.
    #[error(
        "the attestation of `{node}` does not approve: it must have the relation `approves` and name \
         feed, id, version and body"
    )]
    About {
        /// Who approves.
        node: NodeName,
    },
    /// No proof.
    #[error(transparent)]
    ProofFile(#[from] InvalidProofFile),
    /// A proof that does not hold.
    #[error("the approval is not proved to stand in the feed of `{node}`")]
    Proof {
        /// Who approves.
        node: NodeName,
        /// What fails.
        #[source]
        source: UnverifiedProof,
    },
    /// By a key that its own node record revokes there.
    #[error("`{node}` has revoked the key behind this approval")]
    Revoked {
        /// Who approves.
        node: NodeName,
    },
}

fn limited(bytes: &Bytes) -> Result<Bytes, InvalidApproval> {
    if bytes.len() > BODY_BYTES_MAX {
        return Err(InvalidApproval::Bytes { bytes: bytes.len() });
    }
    Ok(bytes.clone())
}

fn read_node_record(bytes: &Bytes) -> Result<NodeRecord, InvalidApproval> {
    let body = Body::open(limited(bytes)?)
        .map_err(|error| InvalidApproval::NodeRecord { reason: error.to_string() })?;
    NodeRecord::from_body(&body).map_err(|error: InvalidNodeRecord| InvalidApproval::NodeRecord {
        reason: error.to_string(),
    })
}

/// Reads a node record by one of `roots`; whose it says to be is asked first, for a carrier may send
/// thousands of strangers' records, and each has dozens of signatures.
fn of_committee(bytes: &Bytes, roots: &BTreeSet<PublicKey>) -> Result<NodeRecord, InvalidApproval> {
    if let Ok(body) = Body::open(limited(bytes)?)
        && !roots.contains(&body.issuer_key())
    {
        return Err(InvalidApproval::Stranger { node: body.node().clone() });
    }
    read_node_record(bytes)
}

fn lists(record: &NodeRecord, usage: &str, key: PublicKey) -> bool {
    record.keys.iter().any(|own| own.usage == usage && own.key == key)
}
