//! What the operator asks about copies: whether own feeds may be signed, restoring them, bundles. Files
//! are named by their absolute path on the machine of the server, which must be able to read or write
//! them.

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
