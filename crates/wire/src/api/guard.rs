//! What the operator asks about copies: whether own feeds may be signed, restoring them, bundles. Files
//! are named by their absolute path on the machine of the server, which must be able to read or write
//! them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

/// Whether each feed of this node may be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardAnswer {
    /// One for each own feed.
    pub feeds: Vec<Guarded>,
}

/// One own feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guarded {
    /// The feed.
    pub origin: Origin,
    /// `open`, `asking` (others are asked before the first signature) or `read-only`.
    pub state: String,
    /// Why, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Fetch this node's own feeds from whoever holds more of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// Base URLs of nodes to ask, besides those that cosigned last and those that are followed.
    #[serde(default)]
    pub urls: Vec<String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreAnswer {
    /// One for each feed.
    pub feeds: Vec<RestoredFeed>,
}

/// One feed after a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredFeed {
    /// The feed.
    pub origin: Origin,
    /// Entries before.
    pub from: u64,
    /// Entries now.
    pub size: u64,
    /// Root over them; absent if nothing is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Hash>,
    /// Who showed exactly this.
    #[serde(default)]
    pub agree: Vec<String>,
    /// Cosigners of exactly this size.
    #[serde(default)]
    pub cosigned: usize,
    /// As in [`Guarded`].
    pub state: String,
    /// Why it may not be signed, or why nothing came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Write a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackRequest {
    /// The file, which must not exist.
    pub file: String,
    /// Which feeds; empty: all that are held.
    #[serde(default)]
    pub feeds: Vec<Origin>,
    /// Only this node's own feeds.
    #[serde(default)]
    pub own: bool,
    /// From this entry on, for somebody who holds those before.
    #[serde(default)]
    pub from: u64,
    /// A backup: with what was decided here, for this node alone.
    #[serde(default)]
    pub backup: bool,
}

/// A bundle that was written, and read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackAnswer {
    /// Its length in bytes.
    pub bytes: u64,
    /// The feeds in it.
    pub feeds: Vec<PackedFeed>,
}

/// One feed of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedFeed {
    /// The feed.
    pub origin: Origin,
    /// Entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// Take what a bundle brings of feeds that are followed, and receipts for our own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// The file.
    pub file: String,
}

/// What became of each feed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// By name.
    pub feeds: Vec<ImportedFeed>,
}

/// One feed of a bundle that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFeed {
    /// The feed.
    pub origin: Origin,
    /// Entries held before.
    pub from: u64,
    /// Entries held now.
    pub size: u64,
    /// Cosigner lines that were new.
    pub receipts: usize,
    /// Why nothing was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Whose node would have to be followed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_followed: Option<NodeName>,
}

/// What is done with copies at present, and how they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesStatus {
    /// How far an export, backup, import or restore has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way: Option<UnderWay>,
    /// What the last scrub found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrub: Option<ScrubAnswer>,
}

/// How far something has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// In words: `segments of simore.gov.py/public`.
    pub what: String,
    /// Steps done.
    pub done: u64,
    /// Of so many; 0 if nobody knows.
    pub total: u64,
}

/// Read everything back that is held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScrubRequest {
    /// At most so many KiB in a second; 0: as fast as the disk.
    #[serde(default)]
    pub kib_per_second: u64,
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubAnswer {
    /// When it began and ended, in Unix seconds.
    pub began: u64,
    /// See `began`.
    pub ended: u64,
    /// Feeds read.
    pub feeds: u64,
    /// Objects read.
    pub objects: u64,
    /// How many of each kind: `segments`, `decisions`, …
    #[serde(default)]
    pub kinds: BTreeMap<String, u64>,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were damaged.
    pub damaged: u64,
    /// How many of them are whole again.
    pub healed: u64,
    /// The first of them.
    #[serde(default)]
    pub told: Vec<DamagedObject>,
}

/// One damaged object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedObject {
    /// The feed; absent for what belongs to the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Which object: `segment 12`, `decisions/follow/simore.gov.py`.
    pub what: String,
    /// Why it is still damaged; absent if it is whole again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still: Option<String>,
}
