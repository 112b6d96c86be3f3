//! What is mailed between a node that wants to take part and the network: a request and an answer
//! (design 6).
//!
//! Plain data, put in a bundle by the crates above. Either can be carried on a stick.

use bytes::Bytes;
use practice::body::{Body, InvalidBody};
use practice::entry;
use practice::node_record::{NodeRecord, USE_LOG, USE_RECORD};
use tlog::key::VerifierKey;
use tlog::name::{KeyName, NodeName, Origin};
use tlog::proof_file::TlogProof;

use crate::approval::{About, Evidence};
use crate::file::{InvalidNetworkFile, NetworkFile};
use crate::subject::{InvalidSubject, ParticipantSubject};

/// A node asks to take part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The network it asks.
    pub network: Origin,
    /// Its node record, which names that network.
    pub node_record: Bytes,
}

impl Request {
    /// Checks what can be checked of a request alone: a node record by its own root that names the
    /// network. Whether the root is the mechanism's is for people to find out.
    pub fn check(&self) -> Result<NodeRecord, InvalidJoin> {
        let record = node_record(&self.node_record)?;
        if record.is_recovery() {
            return Err(InvalidJoin::Root { node: record.node.clone() });
        }
        if !record.networks.contains(&self.network) {
            let network = self.network.clone();
            return Err(InvalidJoin::NotNamed { node: record.node.clone(), network });
        }
        Ok(record)
    }
}

/// The network answers: what it has recorded of the node, and who has approved so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The network file.
    pub network_file: Bytes,
    /// The network node's record.
    pub node_record: Bytes,
    /// The `participant` record.
    pub body: Bytes,
    /// The `.tlog-proof` of its entry in the network's feed.
    pub proof: Bytes,
    /// The approvals there are; more may be needed.
    pub approvals: Vec<Evidence>,
}

/// An answer that was checked, but for the approvals: those are judged with the network's policies.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The network; its fingerprint is still to be compared.
    pub file: NetworkFile,
    /// The network node's record.
    pub network_node: NodeRecord,
    /// What is recorded of the node.
    pub participant: ParticipantSubject,
    /// Exactly which version of which record that is: what must be approved.
    pub about: About,
}

impl Answer {
    /// Checks that the network's own node recorded `node` so: file → node record → checkpoint → entry →
    /// body.
    pub fn check(&self, node: &NodeName) -> Result<Answered, InvalidJoin> {
        let file = NetworkFile::parse(&self.network_file)?;
        let network_node = node_record(&self.node_record)?;
        if !file.vouches_for(&network_node) {
            return Err(InvalidJoin::NetworkNode { network: file.origin });
        }
        let body = Body::open(self.body.clone())?;
        let unproven = |what| InvalidJoin::Unproven { network: file.origin.clone(), what };
        let listed = |usage: &str| {
            let keys = network_node.keys.iter().filter(move |key| key.usage == usage);
            keys.map(|key| key.key).collect::<Vec<_>>()
        };
        if body.feed() != Some(&file.origin)
            || !listed(USE_RECORD).contains(&body.issuer_key())
            || body.verify().is_err()
        {
            return Err(unproven("it is not signed by the network"));
        }
        let proof = TlogProof::parse(&self.proof).map_err(|_| unproven("its proof is damaged"))?;
        let entry = entry::publish(&body);
        let name = KeyName::from(&file.origin);
        let proves =
            |key| proof.verify_entry(&entry, &VerifierKey::note(name.clone(), key)).is_ok();
        if !listed(USE_LOG).into_iter().any(proves) {
            return Err(unproven("it is not proved to stand in the network's feed"));
        }
        let participant = ParticipantSubject::from_body(&body)?;
        if participant.node != *node {
            return Err(InvalidJoin::OtherNode { node: participant.node });
        }
        let about = About::of(&body).ok_or_else(|| unproven("it stands in no feed"))?;
        Ok(Answered { file, network_node, participant, about })
    }
}

/// Why a request or an answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJoin {
    /// The node record is none.
    #[error("the node record is not valid: {reason}")]
    NodeRecord {
        /// The rule it breaks.
        reason: String,
    },
    /// Signed by the recovery key.
    #[error(
        "the node record of `{node}` is signed by its recovery key; send one signed by its root"
    )]
    Root {
        /// Whose it is.
        node: NodeName,
    },
    /// It does not ask to take part.
    #[error(
        "the node record of `{node}` does not name `{network}`; add the network and sign it again"
    )]
    NotNamed {
        /// Whose it is.
        node: NodeName,
        /// The network.
        network: Origin,
    },
    /// The file is none.
    #[error(transparent)]
    File(#[from] InvalidNetworkFile),
    /// The node record is not the one that the file names.
    #[error("the network file does not vouch for the node that answers as `{network}`")]
    NetworkNode {
        /// The network.
        network: Origin,
    },
    /// The record is no body.
    #[error(transparent)]
    Body(#[from] InvalidBody),
    /// The record is not the network's.
    #[error(
        "the answer of `{network}` does not hold: {what}; ask the secretariat to send it again"
    )]
    Unproven {
        /// The network.
        network: Origin,
        /// What fails.
        what: &'static str,
    },
    /// The record says nothing that could take effect.
    #[error(transparent)]
    Subject(#[from] InvalidSubject),
    /// About somebody else.
    #[error("the answer is about `{node}`, not about this node")]
    OtherNode {
        /// Whom it is about.
        node: NodeName,
    },
}

fn node_record(bytes: &Bytes) -> Result<NodeRecord, InvalidJoin> {
    let invalid = |reason: String| InvalidJoin::NodeRecord { reason };
    let body = Body::open(bytes.clone()).map_err(|error| invalid(error.to_string()))?;
    NodeRecord::from_body(&body).map_err(|error| invalid(error.to_string()))
}
