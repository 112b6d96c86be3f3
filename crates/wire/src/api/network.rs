//! Networks: who takes part, what the committee still has to approve, and what an operator may do about
//! it. Bundles travel as base64.

use std::collections::BTreeMap;

use practice::id::RecordId;
use practice::kind::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

use super::PublishedEntry;

/// Text by language.
pub type Texts = BTreeMap<String, String>;

/// `GET /api/v1/networks`: the networks whose file was pinned here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Networks {
    /// By name.
    pub networks: Vec<Network>,
}

/// One network, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its feed.
    pub origin: Origin,
    /// Whether this node is the network's own.
    pub own: bool,
    /// The fingerprint of the network file that was pinned here: 30 digits.
    pub fingerprint: String,
    /// Entries of its feed held here.
    pub size: u64,
    /// When others last said that they had seen its feed, or when it last arrived here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<u64>,
    /// Nothing was heard of it for three days. Reading, verifying and publishing go on.
    pub stale: bool,
    /// Who decides.
    pub committee: Vec<Member>,
    /// How many of them must approve.
    pub threshold: u64,
    /// Who takes part, or did, by name.
    pub participants: Vec<Participant>,
    /// Groups.
    pub groups: Vec<Group>,
    /// What was proposed and is not decided yet.
    pub pending: Vec<Pending>,
    /// For the operator: nodes that were pinned here by hand to another root than the network says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<RootConflict>,
    /// For the operator: what this node waits for, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
}

/// A node of the committee, with its root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name; absent while only the network file's root keys are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// `did:key:…`.
    pub root: String,
}

/// A node that takes part. What is said here is said of a node, never of a State.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Its name.
    pub node: NodeName,
    /// What people call it, by language.
    pub names: Texts,
    /// The State it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `participating`, `paused` or `ended`.
    pub status: String,
    /// A code of the vocabulary of reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Its root key.
    pub root: String,
    /// The node it took over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<NodeName>,
    /// The node that took over from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded_by: Option<NodeName>,
    /// The committee gave it a new root key without a signature of the old one: shown for ever.
    pub reinstated: bool,
    /// The record that says so.
    pub id: RecordId,
    /// Its entry in the network's feed.
    pub index: u64,
    /// The decision behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Value>,
}

/// A group of participants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The record.
    pub id: RecordId,
    /// Its names, by language.
    pub names: Texts,
    /// Its members.
    pub members: Vec<NodeName>,
}

/// A record of the network's feed that is not in effect yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its entry.
    pub index: u64,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its version.
    pub version: u64,
    /// SHA-256 of its document: what is approved.
    pub body: Hash,
    /// What it would do, in words.
    pub what: String,
    /// Who has approved it.
    pub approved_by: Vec<NodeName>,
    /// Who of the committee has not, as far as this node knows.
    pub missing: Vec<NodeName>,
    /// How many must.
    pub needed: u64,
    /// Why it waits although enough have approved, or why it cannot take effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A node whose pinned root key is not the one that a network states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootConflict {
    /// The node.
    pub node: NodeName,
    /// What is pinned here, and holds here.
    pub pinned: String,
    /// What the network says.
    pub stated: String,
}

/// `POST /api/v1/network/init`: this node becomes a network's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitRequest {
    /// The committee; empty: this node alone.
    #[serde(default)]
    pub committee: Vec<Member>,
    /// How many must approve; absent: one, or two of three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u64>,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /api/v1/network/file`: the network file as a newcomer needs it today; answers
/// [`NetworkFileAnswer`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFileRequest {
    /// The network's node; absent: the only network known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NodeName>,
}

/// What a newcomer must get right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkFileAnswer {
    /// The network's feed.
    pub origin: Origin,
    /// The network file.
    pub file: String,
    /// Its 30 digits, to be compared by telephone.
    pub fingerprint: String,
    /// The committee.
    pub committee: Vec<Member>,
    /// How many must approve.
    pub threshold: u64,
    /// Whether it is pinned here now.
    pub pinned: bool,
    /// The fingerprint of another file of the same network that is pinned here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// `POST /api/v1/network/pin`: answers [`NetworkFileAnswer`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinNetworkRequest {
    /// The network file.
    pub file: String,
    /// What it must be, digits in any grouping. Without it nothing is pinned, and the answer shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// `POST /api/v1/network/decide`: publishes the record of a decision in the network's own feed. It takes
/// effect when enough of the committee have approved it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// What is decided.
    pub change: Change,
    /// By whom and when, as the record will say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Value>,
    /// Why, by language.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub reason: Texts,
    /// Show it, and publish nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a network can decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// A node takes part from now on, or its new root key or node record counts.
    Register {
        /// What it mailed.
        request: String,
    },
    /// A participant pauses, resumes or ends.
    Status {
        /// Which.
        node: NodeName,
        /// `participating`, `paused` or `ended`.
        status: String,
        /// A code of the vocabulary of reasons.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status_reason: Option<String>,
    },
    /// Another mechanism takes over: the old one's history stays, its participation ends.
    Succeed {
        /// Who ends.
        old: NodeName,
        /// Who begins.
        new: NodeName,
        /// What the new one mailed.
        request: String,
    },
    /// A participant lost all its keys, and was identified outside the system: effective after 7 days.
    Reinstate {
        /// Which.
        node: NodeName,
        /// What it mailed, signed by its new root key.
        request: String,
    },
    /// A group is made, or its members change.
    Group {
        /// Its names by language; one that is there is told by any of its names.
        names: Texts,
        /// Its members from now on.
        members: Vec<NodeName>,
    },
    /// The committee changes.
    Policy {
        /// Who decides from now on.
        committee: Vec<Member>,
        /// How many must approve.
        threshold: u64,
        /// Witnesses, as C2SP verifier keys.
        #[serde(default)]
        witnesses: Vec<String>,
        /// How many of the witnesses make a quorum.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quorum: Option<u64>,
    },
}

/// What became of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideAnswer {
    /// What it does, in words, one line for each record.
    pub what: Vec<String>,
    /// What the records say.
    pub subjects: Vec<Value>,
    /// The records; none in a dry run.
    pub published: Vec<PublishedEntry>,
    /// This node is of the committee, and has approved them in its own feed.
    pub approved_here: bool,
    /// What is still to be approved.
    pub pending: Vec<Pending>,
}

/// `POST /api/v1/network/approve`: approves one record of a network, as a node of its committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// The record's id, or how it begins.
    pub record: String,
    /// SHA-256 of the document that was shown. Without it nothing is approved, and the answer shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Hash>,
}

/// What is approved, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproveAnswer {
    /// The network's feed.
    pub network: Origin,
    /// The record.
    pub pending: Pending,
    /// What it says.
    pub subject: Value,
    /// What the record said in the version that is in effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The attestation in this node's feed, once it is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<PublishedEntry>,
    /// The approval as a file for mail, base64, once it is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// `POST /api/v1/network/approvals`: approvals that came by mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportApprovalsRequest {
    /// A bundle, base64.
    pub bundle: String,
}

/// What became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportApprovalsAnswer {
    /// New here.
    pub taken: u64,
    /// Known already.
    pub known: u64,
    /// Why others were not taken, in words.
    pub refused: Vec<String>,
    /// What is still to be approved.
    pub pending: Vec<Pending>,
}

/// `POST /api/v1/network/answer`: what the network's node mails to a participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// To whom.
    pub node: NodeName,
}

/// A file for mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAnswer {
    /// What it says, in words.
    pub what: String,
    /// The bundle, base64.
    pub bundle: String,
}

/// `POST /api/v1/network/join`: publishes a node record that names the network, and makes the request to
/// mail; answers [`MailAnswer`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The network's feed; its file is pinned.
    pub network: Origin,
    /// The node record, signed by the root, base64; absent if the newest one names the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_record: Option<String>,
}

/// `POST /api/v1/network/take`: takes an answer that was mailed; answers [`MailAnswer`] without a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeAnswerRequest {
    /// The bundle, base64.
    pub bundle: String,
}
