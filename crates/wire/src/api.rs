//! The JSON of `/api/v1`, shared by the server, the command line and whoever writes another client.
//!
//! Times are Unix seconds. Unknown members are ignored in answers and refused in requests, so that a
//! misspelt member of a request cannot be lost in silence. What a feed may make public is in the
//! answers to `GET`; what only the operator may do is in [`operator`], over the control socket.

use std::collections::BTreeMap;

use practice::id::RecordId;
use practice::kind::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

pub mod bundles;
pub mod faults;
pub mod feeds;
pub mod guard;
pub mod keys;
pub mod network;
pub mod operator;
pub mod receipts;
pub mod search;
pub mod status;
pub mod whoami;

pub use feeds::{FeedAudience, NewFeedAnswer, NewFeedRequest};
pub use operator::*;
pub use receipts::{Delivery, PeerReceipt};
pub use whoami::WhoAmI;

/// `GET /api/v1/node`: what this node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Its name.
    pub node: NodeName,
    /// Its names for people, by language.
    pub names: BTreeMap<String, String>,
    /// The State it speaks for, ISO 3166-1 alpha-2; absent for an organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its root key, `did:key:…`.
    pub root: String,
    /// Where it can be reached.
    pub urls: Vec<String>,
    /// Name and version of the software.
    pub software: String,
    /// Whether its online keys are locked: it serves and verifies, and does not publish.
    pub locked: bool,
    /// Its clock.
    pub server_time: u64,
}

/// `GET /api/v1/feeds`: every feed held that the caller may read, own ones first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feeds {
    /// The feeds.
    pub feeds: Vec<Feed>,
}

/// One feed, our own or a verified copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name.
    pub origin: Origin,
    /// Whether this node writes it.
    pub own: bool,
    /// Number of entries.
    pub size: u64,
    /// Root over them, base64.
    pub root: Hash,
    /// Entries below this are in sealed segments.
    pub sealed: u64,
    /// The key that signs its checkpoints, as a C2SP verifier key.
    pub vkey: String,
    /// `open`, `read-only`, `forked` or `stopped`.
    pub state: String,
    /// The state in words, for operators.
    pub words: String,
    /// When the newest commit arrived here.
    pub received_at: u64,
    /// The median of the times at which the nodes that watch it saw it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// Whether that is more than 72 hours ago. It is shown and stops nothing.
    #[serde(default)]
    pub stale: bool,
    /// Of a restricted feed: who may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<FeedAudience>,
}

/// `GET /api/v1/records?feed=&kind=&before=&limit=`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsQuery {
    /// One feed; absent: the newest of every feed, without further pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<Origin>,
    /// One kind, such as `good-practice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Only records whose current version stands below this entry; needs `feed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// How many, at most and by default [`crate::limits::RECORDS_PAGE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Current records, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// One line each.
    pub records: Vec<RecordSummary>,
    /// `before` of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// One line of a list of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSummary {
    /// The feed it stands in.
    pub origin: Origin,
    /// `urn:uuid:…`.
    pub id: RecordId,
    /// The entry of the current version.
    pub index: u64,
    /// Its kind.
    pub kind: Kind,
    /// The current version.
    pub version: u64,
    /// Its title by language, if it has one that can be read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub title: BTreeMap<String, String>,
    /// The language it was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The States it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// The author's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    /// When its author says it was published, as in the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
}

/// `GET /api/v1/records/{node}/{feed}/{uuid}`: one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The feed it stands in.
    pub origin: Origin,
    /// `urn:uuid:…`.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// `current`, `withdrawn` or `no-current-version`.
    pub standing: String,
    /// The current version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The entry of the current version, or of the withdrawal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Every statement about it, by entry.
    pub statements: Vec<Statement>,
    /// The body of the current version, parsed. Its exact bytes are at `links.body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Where more of it is.
    pub links: RecordLinks,
}

/// What the feed says of a record at one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The entry.
    pub index: u64,
    /// `publish` or `withdraw`.
    pub op: String,
    /// The version of a publish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether it counts; else why not.
    pub validity: String,
    /// What became of its body.
    pub body_state: String,
    /// SHA-256 of its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Hash>,
    /// Of a withdrawal: whether it asks for erasure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erases: bool,
    /// Who has received it; in feeds of this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// Paths relative to the node, see [`crate::paths`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLinks {
    /// The page for people.
    pub page: String,
    /// The bytes of the current version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its `.tlog-proof`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// The checkpoint of its feed.
    pub checkpoint: String,
}

/// `GET /api/v1/peers`: the nodes this one follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peers {
    /// By name.
    pub peers: Vec<Peer>,
}

/// One node that is followed, and how that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its name.
    pub node: NodeName,
    /// The root key it was pinned with, `did:key:…`.
    pub root: String,
    /// Where it is looked for, in this order.
    pub urls: Vec<String>,
    /// How it goes: the worst of its feeds.
    pub state: PeerState,
    /// Why, in words.
    pub reason: String,
    /// The last round that ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<u64>,
    /// When it is tried next; absent while a round is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<u64>,
    /// Rounds that failed since the last one that ended well.
    pub failures: u64,
    /// Seconds by which its clock is ahead of ours (negative: behind), when it last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_delta: Option<i64>,
    /// Its feeds.
    pub feeds: Vec<PeerFeed>,
    /// How far it has received our own public feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<PeerReceipt>,
}

/// How it goes with a node that is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeerState {
    /// Pinned, not yet tried.
    #[default]
    New,
    /// The last round ended well.
    Healthy,
    /// The last round failed; tried again after a growing wait.
    Failing,
    /// Failing for more than a week; tried once a day.
    Dormant,
}

impl PeerState {
    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Healthy => "healthy",
            Self::Failing => "failing",
            Self::Dormant => "dormant",
        }
    }
}

/// One feed of a node that is followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerFeed {
    /// The feed.
    pub origin: Origin,
    /// How many entries are held and verified.
    pub size: u64,
    /// How many bodies named by verified entries have not been received.
    pub missing: u64,
    /// How it goes with this feed.
    pub state: PeerState,
    /// Why, in words.
    pub reason: String,
    /// How far a round under way has come: `segments 12 of 300`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// When the last round of this feed ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<u64>,
}
