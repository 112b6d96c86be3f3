//! Keys, dates and health: what the operator's commands `keys` and `doctor` ask, over the control socket.
//!
//! No root or recovery key travels here: a command that holds one is given what is to be signed
//! ([`PrepareAnswer`]) and hands back the signed node record ([`NodeRecordRequest`]).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlog::name::{NodeName, Origin};

/// `GET /api/v1/keys`: every key of this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysStatus {
    /// The node.
    pub node: NodeName,
    /// Version of the node record in force.
    pub version: u64,
    /// The root key, `did:key:…`.
    pub root: String,
    /// The same as 30 digits, for the telephone.
    pub root_fingerprint: String,
    /// The recovery key, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<String>,
    /// The same as 30 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_fingerprint: Option<String>,
    /// The keys in use.
    pub keys: Vec<KeyLine>,
    /// `open`; `locked`: it serves and verifies, and does not publish; `lost`: no secret here has the
    /// keys of the node record.
    pub state: String,
    /// Whether the secret is encrypted on disk.
    pub encrypted: bool,
    /// A step that was begun and is still open, in words with what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_step: Option<String>,
    /// The log key before, while it signs a second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerKey>,
    /// Recoveries under way, of this node and of those that are followed.
    pub recoveries: Vec<RecoveryLine>,
    /// Records of this node that count no more because a key was revoked.
    pub disowned: Vec<DisownedLine>,
}

/// One key in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// `log`, `record`, `http`, `witness`, `receipt`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Counts from 1.
    pub generation: u64,
    /// `did:key:…`.
    pub key: String,
    /// In use since then.
    pub since: u64,
    /// To be changed by then.
    pub due: u64,
}

/// The log key before the last rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerKey {
    /// `did:key:…`.
    pub key: String,
    /// It signs until then, and is deleted.
    pub until: u64,
}

/// A root that a recovery key announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryLine {
    /// Whose it is to become.
    pub node: NodeName,
    /// `did:key:…`.
    pub new_root: String,
    /// When it was first seen here.
    pub first_seen: u64,
    /// When it takes effect if nobody objects.
    pub effective_at: u64,
    /// Whether the other key objected.
    pub contested: bool,
}

/// A record that counts no more, to be looked at and published again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisownedLine {
    /// Its feed.
    pub origin: Origin,
    /// Its entry.
    pub index: u64,
    /// `urn:uuid:…`.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The version.
    pub version: u64,
}

/// What is to change in the node record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum KeyChange {
    /// A new online secret.
    Rotate,
    /// A new online secret, and the old keys count no more from a size on.
    Revoke {
        /// `log` or `all`.
        #[serde(rename = "use")]
        usage: String,
        /// The feed, such as `public`.
        feed: String,
        /// Entries below it still count.
        from_size: u64,
        /// `stolen`, `lost` or `ended`.
        reason: String,
    },
    /// Announce another root, signed by the recovery key.
    Recover {
        /// `did:key:…`.
        new_root: String,
    },
    /// Confirm the announced root, signed by it.
    Finish {
        /// `did:key:…`.
        new_root: String,
    },
    /// Begin anew under a root that a committee reinstated, signed by it.
    Reinstated {
        /// `did:key:…`.
        new_root: String,
    },
    /// Ask a committee for another root, signed by it. Nothing is published.
    Reinstatement {
        /// `did:key:…`.
        new_root: String,
        /// The network that is asked.
        network: Origin,
    },
    /// Object to a recovery, or to what a thief of the root published, signed by the other key.
    Object {
        /// `root` or `recovery`.
        by: String,
    },
}

/// `POST /api/v1/keys/prepare`: makes what is needed and tells what is to be signed. Publishes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareRequest {
    /// What is to change.
    pub change: KeyChange,
    /// The addresses from now on; absent: as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urls: Option<Vec<String>>,
    /// The unit that runs it; absent: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_unit: Option<String>,
    /// Its mailbox; absent: as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<String>,
    /// For the new secret, where the old one is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<SecretText>,
    /// Tell, and write nothing.
    #[serde(default)]
    pub dry_run: bool,
}

impl PrepareRequest {
    /// A change and nothing else.
    pub fn of(change: KeyChange) -> Self {
        Self {
            change,
            urls: None,
            contact_unit: None,
            contact_email: None,
            passphrase: None,
            dry_run: false,
        }
    }
}

/// What is to be signed, and by which key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareAnswer {
    /// Whose node record it is.
    pub node: NodeName,
    /// Its id, `urn:uuid:…`.
    pub id: String,
    /// The version to sign.
    pub version: u64,
    /// The key that must sign it, `did:key:…`.
    pub signer: String,
    /// `root` or `recovery`.
    pub role: String,
    /// `credentialSubject`.
    pub subject: Value,
    /// What it changes, a sentence each.
    pub words: Vec<String>,
    /// What counts no more and must be published again.
    pub publish_again: Vec<DisownedLine>,
    /// The records of restricted feeds that the same key signs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feed_records: Vec<FeedRecordToSign>,
}

/// The next version of a restricted feed's own record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedRecordToSign {
    /// The feed.
    pub origin: Origin,
    /// Its id, `urn:uuid:…`.
    pub id: String,
    /// The version to sign.
    pub version: u64,
    /// `credentialSubject`.
    pub subject: Value,
}

/// `POST /api/v1/keys/publish`: a signed node record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRecordRequest {
    /// The document, canonical bytes as text.
    pub record: String,
    /// The signed records of restricted feeds, canonical bytes as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feed_records: Vec<String>,
    /// Its root was reinstated by a committee: this node takes it for its own from now on.
    #[serde(default)]
    pub reinstated: bool,
}

/// Where it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecordAnswer {
    /// The version that is published.
    pub version: u64,
    /// `ORIGIN` and entry, for each feed.
    pub entries: Vec<(Origin, u64)>,
    /// What is to be done next, a sentence each.
    pub next: Vec<String>,
}

/// `POST /api/v1/keys/unlock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlockRequest {
    /// Opens the secret.
    pub passphrase: SecretText,
}

/// Text that no log, error or debug output shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(pub String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// `GET /api/v1/calendar`: what ends or is due, the soonest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The dates.
    pub dates: Vec<DateLine>,
}

/// One date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateLine {
    /// `keys`, `certificate`, `former-key`, `recovery`, `decision`.
    pub what: String,
    /// What of it: a use, a file, a node, a record.
    pub about: String,
    /// When.
    pub at: u64,
    /// `fine`, `soon` (within 30 days), `over`.
    pub state: String,
    /// What it means and what to do, in words.
    pub words: String,
}

impl DateLine {
    /// Whether it is past.
    pub fn is_over(&self) -> bool {
        self.state == "over"
    }

    /// Whether it is soon or past, and somebody has to do something about it.
    pub fn needs_somebody(&self) -> bool {
        self.state != "fine" && self.what != "former-key"
    }
}

/// `POST /api/v1/doctor`: how this node is, from inside and as its peers see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorAnswer {
    /// In the order in which they were looked at.
    pub findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Such as `keys`, `disk`, `feed simore.gov.py/public`, `from hub.example`.
    pub area: String,
    /// How it is.
    pub result: super::ProbeResult,
    /// What was found.
    pub words: String,
    /// What to do about it; empty where nothing is to be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub todo: String,
}
