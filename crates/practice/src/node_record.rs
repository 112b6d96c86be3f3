//! A node's description of itself: its name, its keys and where it is found (design 4.5).
//!
//! [`NodeSubject`] is what a node says; [`NodeRecord`] is that, signed and checked as far as it can be alone.
//! Whether the root is the pinned one, and which node record is in force at an index, is the `feed` crate's
//! to say.
//!
//! **Invariant:** the keys of a `NodeRecord` are distinct, each has proved that its holder wants it here, and
//! the signature holds by the strict rule under the root or the recovery key.

mod check;

pub use check::InvalidNodeRecord;

use crate::body::Body;
use crate::id::RecordId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Deref;
use tlog::ed25519::{PublicKey, Signature, SigningKey};
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};

/// Use of the key that signs checkpoints; required.
pub const USE_LOG: &str = "log";
/// Use of the key that signs bodies; required.
pub const USE_RECORD: &str = "record";
/// Use of the key that signs requests between nodes.
pub const USE_HTTP: &str = "http";
/// Use of the key that answers add-checkpoint.
pub const USE_WITNESS: &str = "witness";
/// Use of the key that says that a feed is held and erased as asked.
pub const USE_RECEIPT: &str = "receipt";
/// All uses of this release, in the order in which a record lists them.
pub const USES: [&str; 5] = [USE_LOG, USE_RECORD, USE_HTTP, USE_WITNESS, USE_RECEIPT];

/// Most keys, continuations or revocations in one record: each key costs a signature to check, and a
/// stranger's record is checked before anything is known of it.
pub const LIST_MAX: usize = 64;

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeSubject {
    /// Its name.
    pub node: NodeName,
    /// What people call it, by language.
    pub names: BTreeMap<String, String>,
    /// The State whose node it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The organization whose node it is, by language, where it is no State's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<BTreeMap<String, String>>,
    /// The key that signs node records.
    pub root: PublicKey,
    /// The key that can replace the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<PublicKey>,
    /// The keys in use, and older ones.
    pub keys: Vec<NodeKey>,
    /// Its feeds that everybody may know of.
    #[serde(default)]
    pub feeds: Vec<FeedName>,
    /// The networks it takes part in, by the origin of their `public` feed.
    #[serde(default)]
    pub networks: Vec<Origin>,
    /// Where it is found: base URLs ending in `/`.
    #[serde(default)]
    pub urls: Vec<String>,
    /// How people reach the unit that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Feeds that go on under another name after a fork or a loss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continues: Vec<Continuation>,
    /// Keys that do not count from some size of a feed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<Revocation>,
}

/// One key of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeKey {
    /// What it signs; uses this release does not know are kept.
    #[serde(rename = "use")]
    pub usage: String,
    /// Counts from 1; the highest of a use is active.
    pub generation: u64,
    /// The key.
    pub key: PublicKey,
    /// Its own signature over [`possession_message`].
    #[serde(with = "base64_signature")]
    pub proof: Signature,
}

/// How people reach a node's unit. No personal names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// A functional mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// `feed` goes on from the first `size` entries of `of`, whose root there is `root`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Continuation {
    /// The new feed.
    pub feed: FeedName,
    /// The feed it continues.
    pub of: FeedName,
    /// How many of its entries count.
    pub size: u64,
    /// The root of these entries.
    pub root: Hash,
}

/// `key` does not count in `feed` from `size` on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The key.
    pub key: PublicKey,
    /// The feed.
    pub feed: FeedName,
    /// Checkpoints up to this size still count.
    pub size: u64,
    /// Such as `stolen`.
    pub reason: String,
}

/// A node record that was checked: well formed, signed by root or recovery key, every key proved.
#[derive(Clone, Debug)]
pub struct NodeRecord {
    subject: NodeSubject,
    body: Body,
}

/// What a key signs to show that whoever holds it wants it in this node's record:
/// `jopoi/key/v1`, the node, the use, the root and the key (as did:key), each ending in a line feed.
pub fn possession_message(
    node: &NodeName,
    usage: &str,
    root: &PublicKey,
    key: &PublicKey,
) -> Vec<u8> {
    format!("jopoi/key/v1\n{node}\n{usage}\n{}\n{}\n", root.to_did(), key.to_did()).into_bytes()
}

impl NodeSubject {
    /// A node of nobody yet: set `state` or `organization`, add keys, feeds and URLs.
    pub fn new(node: NodeName, names: BTreeMap<String, String>, root: PublicKey) -> Self {
        Self {
            node,
            names,
            state: None,
            organization: None,
            root,
            recovery: None,
            keys: Vec::new(),
            feeds: vec![FeedName::public()],
            networks: Vec::new(),
            urls: Vec::new(),
            contact: None,
            continues: Vec::new(),
            revoked: Vec::new(),
        }
    }

    /// Adds a key with its proof of possession.
    #[must_use]
    pub fn with_key(mut self, usage: &str, generation: u64, key: &SigningKey) -> Self {
        let public = key.public();
        let proof = key.sign(&possession_message(&self.node, usage, &self.root, &public));
        self.keys.push(NodeKey { usage: usage.to_owned(), generation, key: public, proof });
        self
    }

    /// The active key of a use: the one of the highest generation.
    pub fn active(&self, usage: &str) -> Option<&NodeKey> {
        self.keys.iter().filter(|key| key.usage == usage).max_by_key(|key| key.generation)
    }

    /// `credentialSubject` of the body to sign; [`Body::sign`] adds the id.
    pub fn subject(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl NodeRecord {
    /// Checks all that can be checked of a node record alone: its form, its signature (strictly), the proof
    /// of each key, that no key stands twice or is the root or recovery key, and that there are a `log` and
    /// a `record` key.
    pub fn from_body(body: &Body) -> Result<Self, InvalidNodeRecord> {
        let subject = check::read(body)?;
        Ok(Self { subject, body: body.clone() })
    }

    /// The signed bytes.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The record's id, the same in all its versions.
    pub fn id(&self) -> RecordId {
        self.body.id()
    }

    /// The record's version.
    pub fn version(&self) -> u64 {
        self.body.version()
    }

    /// Whether the recovery key signed it, not the root.
    pub fn is_recovery(&self) -> bool {
        self.body.issuer_key() != self.subject.root
    }
}

impl Deref for NodeRecord {
    type Target = NodeSubject;

    fn deref(&self) -> &NodeSubject {
        &self.subject
    }
}

mod base64_signature {
    use super::Signature;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        signature: &Signature,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(signature.as_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Signature, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        Signature::from_slice(&bytes).map_err(D::Error::custom)
    }
}
