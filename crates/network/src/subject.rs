//! What the records of a network say: participants, groups and policies, read from bodies (design 6).
//!
//! Strict about every member on which trust depends; a member that this release does not know is kept in
//! the body and changes nothing here.
//!
//! **Invariant:** a subject read here could be written by `to_value` and read again as the same one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use practice::body::Body;
use practice::json::{self, Value};
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tlog::ed25519::PublicKey;
use tlog::key::{KeyKind, VerifierKey};
use tlog::name::{NodeName, Origin};
use tlog::policy::POLICY_ITEMS_MAX;

use crate::file::COMMITTEE_MAX;

/// Most members of a group: more than there are States.
pub const GROUP_MEMBERS_MAX: usize = 1024;

/// Human text by language.
pub type Names = BTreeMap<String, String>;

/// Where a node stands in a network. It is of a node, never of a State.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It takes part.
    Participating,
    /// It does not take part for now: it is followed, and belongs to no audience.
    Paused,
    /// It takes part no more: what it said stays readable.
    Ended,
}

impl Status {
    /// The word, a code of the vocabulary `participation-statuses`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Participating => "participating",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }
}

/// What a `participant` record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParticipantSubject {
    /// The node.
    pub node: NodeName,
    /// Where it stands.
    pub status: Status,
    /// The network, by the origin of its feed: a record of one network means nothing in another.
    pub network: Origin,
    /// Why, as a code of the vocabulary `participation-reasons`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// The node's own record, signed by its root and naming this network; see [`embedded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_record: Option<Value>,
    /// The node that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeds: Option<NodeName>,
    /// The committee itself vouches for the new root: shown for ever, effective after seven days.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reinstated: bool,
    /// A node record that names the new root, signed by the old root or by the recovery key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succession: Option<Value>,
    /// Which body decided, when, in which document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Value>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Value>,
}

/// A `participant` record that was read, with the node records in it, which were checked.
#[derive(Clone, Debug)]
pub struct Participation {
    /// What it says.
    pub subject: ParticipantSubject,
    /// The node's own record.
    pub record: Option<Arc<NodeRecord>>,
    /// The proof that another root takes the place of the old one.
    pub succession: Option<Arc<NodeRecord>>,
}

/// What a `group` record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSubject {
    /// What people call it, by language.
    pub names: Names,
    /// Who belongs to it, each as long as it participates. None: it is dissolved.
    pub members: Vec<NodeName>,
    /// Which body decided, when, in which document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Value>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Value>,
}

/// What a `policy` record says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicySubject {
    /// The nodes that decide.
    pub committee: Vec<CommitteeNode>,
    /// How many of them must approve.
    pub threshold: u64,
    /// Whose cosignatures the network counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<VerifierKey>,
    /// How many of the witnesses make a quorum; 0 if it is left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub quorum: u64,
    /// Which body decided, when, in which document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Value>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Value>,
}

/// A node that decides, and the root it had when it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommitteeNode {
    /// The node.
    pub node: NodeName,
    /// Its root.
    pub root: PublicKey,
}

impl Participation {
    /// Reads the body of a `participant` record.
    pub fn from_body(body: &Body) -> Result<Self, InvalidSubject> {
        let subject: ParticipantSubject = read(body, &Kind::PARTICIPANT)?;
        let feed = body.feed().map_or("", Origin::as_str);
        if subject.network.as_str() != feed {
            return Err(InvalidSubject::OtherNetwork {
                named: subject.network.to_string(),
                feed: feed.to_owned(),
            });
        }
        let record = subject.embedded(subject.node_record.as_ref(), "node_record")?;
        if let Some(record) = &record {
            if record.is_recovery() {
                return Err(wrong("node_record", "it must be signed by the root it names"));
            }
            if !record.networks.contains(&subject.network) {
                return Err(wrong("node_record", "it must name this network in `networks`"));
            }
        }
        let succession = subject.embedded(subject.succession.as_ref(), "succession")?;
        if subject.succeeds.as_ref() == Some(&subject.node) {
            return Err(wrong("succeeds", "a node cannot take its own place"));
        }
        Ok(Self { subject, record, succession })
    }
}

impl ParticipantSubject {
    /// Reads the body of a `participant` record, and checks the node records in it.
    pub fn from_body(body: &Body) -> Result<Self, InvalidSubject> {
        Participation::from_body(body).map(|one| one.subject)
    }

    /// The `credentialSubject` of the record to publish.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// A node record of this node that stands in `member`.
    fn embedded(
        &self,
        value: Option<&Value>,
        member: &'static str,
    ) -> Result<Option<Arc<NodeRecord>>, InvalidSubject> {
        let Some(value) = value else { return Ok(None) };
        let record = embedded(value).map_err(|reason| InvalidSubject::Value { member, reason })?;
        if record.node != self.node {
            return Err(wrong(member, "it must be the record of the node itself"));
        }
        Ok(Some(Arc::new(record)))
    }
}

impl GroupSubject {
    /// Reads the body of a `group` record.
    pub fn from_body(body: &Body) -> Result<Self, InvalidSubject> {
        let subject: Self = read(body, &Kind::GROUP)?;
        subject.check()?;
        Ok(subject)
    }

    /// Refuses what nobody could apply: before it is published, and when it is read.
    pub fn check(&self) -> Result<(), InvalidSubject> {
        let distinct: BTreeSet<&NodeName> = self.members.iter().collect();
        if self.members.len() > GROUP_MEMBERS_MAX || distinct.len() != self.members.len() {
            return Err(wrong("members", "they must be at most 1024 different nodes"));
        }
        Ok(())
    }

    /// The `credentialSubject` of the record to publish.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl PolicySubject {
    /// Reads the body of a `policy` record.
    pub fn from_body(body: &Body) -> Result<Self, InvalidSubject> {
        let subject: Self = read(body, &Kind::POLICY)?;
        subject.check()?;
        Ok(subject)
    }

    /// Refuses what nobody could apply: before it is published, and when it is read.
    pub fn check(&self) -> Result<(), InvalidSubject> {
        let nodes: BTreeSet<&NodeName> = self.committee.iter().map(|one| &one.node).collect();
        let roots: BTreeSet<&PublicKey> = self.committee.iter().map(|one| &one.root).collect();
        let count = self.committee.len();
        if !(1..=COMMITTEE_MAX).contains(&count) || nodes.len() != count || roots.len() != count {
            let reason = "it must be 1 to 64 different nodes with different roots";
            return Err(wrong("committee", reason));
        }
        if self.threshold == 0 || usize::try_from(self.threshold).is_ok_and(|t| t > count) {
            return Err(wrong("threshold", "it must be 1 to the number of committee nodes"));
        }
        let keys: BTreeSet<&PublicKey> = self.witnesses.iter().map(|key| &key.key).collect();
        let witnesses = self.witnesses.len();
        let cosigns = self.witnesses.iter().all(|key| key.kind == KeyKind::Cosignature);
        if witnesses > POLICY_ITEMS_MAX || keys.len() != witnesses || !cosigns {
            let reason = "they must be at most 256 different keys of type 0x04";
            return Err(wrong("witnesses", reason));
        }
        if usize::try_from(self.quorum).is_ok_and(|quorum| quorum > witnesses) {
            return Err(wrong("quorum", "it must be at most the number of witnesses"));
        }
        Ok(())
    }

    /// The `credentialSubject` of the record to publish.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// A node record that stands in another record as a JSON object. Its canonical form is what was signed.
pub fn embedded(value: &Value) -> Result<NodeRecord, String> {
    let bytes = json::canonical(value).map_err(|error| error.to_string())?;
    let body = Body::open(bytes.into()).map_err(|error| error.to_string())?;
    NodeRecord::from_body(&body).map_err(|error| error.to_string())
}

/// A node record as the JSON object to embed in a participant record.
pub fn to_embed(record: &NodeRecord) -> Value {
    serde_json::from_slice(record.body().bytes()).unwrap_or_default()
}

/// Why a record of a network says nothing that could take effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    /// Of another kind.
    #[error("the record is of the kind `{found}`, not `{expected}`")]
    Kind {
        /// Its kind.
        found: Kind,
        /// What was asked for.
        expected: Kind,
    },
    /// A member is missing or of another form.
    #[error("the record cannot be read: {reason}")]
    Form {
        /// Which and why.
        reason: String,
    },
    /// A member has a value it may not have.
    #[error("`{member}` cannot stand: {reason}")]
    Value {
        /// Which.
        member: &'static str,
        /// The rule it breaks.
        reason: String,
    },
    /// Made for another network.
    #[error("the record is for the network `{named}` and stands in `{feed}`")]
    OtherNetwork {
        /// What it names.
        named: String,
        /// Where it stands.
        feed: String,
    },
}

fn read<T: DeserializeOwned>(body: &Body, kind: &Kind) -> Result<T, InvalidSubject> {
    if body.kind() != kind {
        return Err(InvalidSubject::Kind { found: body.kind().clone(), expected: kind.clone() });
    }
    serde_json::from_slice(body.subject_bytes())
        .map_err(|error| InvalidSubject::Form { reason: error.to_string() })
}

fn wrong(member: &'static str, reason: &str) -> InvalidSubject {
    InvalidSubject::Value { member, reason: reason.to_owned() }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
