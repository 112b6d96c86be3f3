//! What only the operator may ask, over the control socket: publish, withdraw, follow, and the rest.

use std::collections::BTreeMap;

use practice::id::RecordId;
use practice::kind::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

/// `POST /api/v1/publish`: drafts for one feed of this node. All are published, or none.
///
/// An `import` is a dry run that shows what would happen to each row, then the same request without
/// `dry_run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// The feed, such as `public`.
    pub feed: String,
    /// What to publish, in this order.
    pub drafts: Vec<Draft>,
    /// Check and tell, and write nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// A draft without an id whose `local_id` is that of a current record of the feed revises that
    /// record; if it says the same, nothing is published for it.
    #[serde(default)]
    pub match_local_id: bool,
    /// The author has seen the warnings (of what looks like personal data) and wants to publish.
    #[serde(default)]
    pub warnings_seen: bool,
}

/// One record as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Its kind, such as `good-practice`.
    pub kind: String,
    /// `urn:uuid:…` of the record it revises; absent for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The version it was made from: another one published meanwhile is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// The members of the record, as in `credentialSubject`.
    pub subject: Value,
    /// Where it comes from, given back in the answer: a file name, `Sheet1 row 7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The answer to [`PublishRequest`]: status 200, or 422 with the same JSON if it was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishAnswer {
    /// What happened to all of them.
    pub outcome: PublishOutcome,
    /// What happened to each, in the order of the request.
    pub drafts: Vec<DraftAnswer>,
}

/// What became of a request to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublishOutcome {
    /// Signed, stored, and on its way.
    Published,
    /// A dry run: nothing was written, and nothing speaks against it.
    Checked,
    /// Nothing was written: see the faults, or the warnings that were not confirmed.
    Refused,
}

/// What happened, or would happen, to one draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftAnswer {
    /// As in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it is to the feed.
    pub action: DraftAction,
    /// What it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedEntry>,
    /// Every fault, located; empty if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// What the author should look at once more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Fault>,
    /// What is not described yet, as questions to the author; never demanded. Only in a dry run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}

/// What a draft is to the feed it is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DraftAction {
    /// A new record.
    New,
    /// A new version of a record.
    Changed,
    /// The current version already says the same.
    Unchanged,
    /// It has faults.
    Refused,
}

/// Something wrong (or worth a second look) in a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where: `actions[2].text.ar`; empty for the draft as a whole.
    pub path: String,
    /// What is wrong and what to do, in words.
    pub reason: String,
}

/// A question to the author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The member that would answer it.
    pub path: String,
    /// The question, by language.
    pub text: BTreeMap<String, String>,
}

/// An entry that was published; also the answer to [`WithdrawRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedEntry {
    /// The feed.
    pub origin: Origin,
    /// The record, `urn:uuid:…`.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// The version (of a withdrawal: the one that was current).
    pub version: u64,
    /// The entry.
    pub index: u64,
    /// The size of the feed with it.
    pub size: u64,
    /// SHA-256 of the body; absent for a withdrawal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Hash>,
    /// The page of the record, relative to the node.
    pub page: String,
}

/// `POST /api/v1/withdraw`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRequest {
    /// The feed, such as `public`.
    pub feed: String,
    /// `urn:uuid:…`.
    pub id: String,
    /// One of the reasons of design 4.2; absent: `not-stated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Destroy the text of every version, here and at all who follow.
    #[serde(default)]
    pub erase: bool,
}

/// `POST /api/v1/follow`: look at a node, and pin it once `root` is given or `confirm` is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowRequest {
    /// Where it says what it is.
    pub url: String,
    /// The root key it must have, `did:key:…`, learned another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Pin whatever root it shows: a person has compared it.
    #[serde(default)]
    pub confirm: bool,
    /// Which node, where another one answers at the URL: a relay, or a file with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
}

/// What a node at a URL says of itself, and whether it is followed now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowAnswer {
    /// Its name.
    pub node: NodeName,
    /// Its names for people, by language.
    pub names: BTreeMap<String, String>,
    /// The State it says it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its root key, `did:key:…`.
    pub root: String,
    /// Where it can be reached.
    pub urls: Vec<String>,
    /// Its feeds.
    pub feeds: Vec<Origin>,
    /// Whether it is pinned and followed now.
    pub followed: bool,
}

/// `POST /api/v1/unfollow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnfollowRequest {
    /// The node.
    pub node: NodeName,
    /// Delete the copies of its feeds too.
    #[serde(default)]
    pub forget: bool,
}

/// `POST /api/v1/probe`: every step of reaching a node, in words; changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRequest {
    /// A base URL.
    pub url: String,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeAnswer {
    /// In order; the first that failed is the last but those that were skipped.
    pub steps: Vec<ProbeStep>,
    /// Seconds by which its clock is ahead of ours (negative: behind), if it told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_delta: Option<i64>,
}

/// One step of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStep {
    /// `address`, `look-up`, `connection`, `node record`, `checkpoint`, `signature`, `clock`, `certificate`.
    pub step: String,
    /// How it went.
    pub result: ProbeResult,
    /// What was found, or what is wrong and what to do.
    pub words: String,
}

/// How a step of a probe went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeResult {
    /// As it should.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Failed,
    /// Not tried, because an earlier step failed.
    Skipped,
}

/// `POST /api/v1/rebuild`: the catalog was made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildAnswer {
    /// How many feeds.
    pub feeds: u64,
    /// How many entries.
    pub entries: u64,
}
