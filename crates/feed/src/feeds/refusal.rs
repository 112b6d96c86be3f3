//! Why nothing was published.

use std::sync::Arc;

use practice::id::RecordId;
use practice::kind::Kind;
use tlog::name::Origin;

use super::OpenError;
use crate::append::AppendError;
use crate::block::BlockError;
use crate::ports::{CatalogError, CommitError, Locked, StoreError};
use crate::statement::StatementTooLong;

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No such feed of ours.
    #[error("this node has no feed `{origin}` of its own; `jopoi feed list` shows those it has")]
    NotBegun {
        /// The feed.
        origin: Origin,
    },
    /// It begins once.
    #[error("`{origin}` has begun already")]
    BegunAlready {
        /// The feed.
        origin: Origin,
    },
    /// Nothing is signed for now.
    #[error("`{origin}` is read-only: {reason}")]
    ReadOnly {
        /// The feed.
        origin: Origin,
        /// Why.
        reason: String,
    },
    /// Nothing, or too much at once.
    #[error("{count} records were handed in at once; 1 to 10,000 can be")]
    Count {
        /// How many.
        count: usize,
    },
    /// Over 16 MiB at once.
    #[error(
        "the records have {bytes} bytes together, and 16 MiB can be handed in at once; publish them in parts"
    )]
    TooMuch {
        /// Their length.
        bytes: usize,
    },
    /// No entry came out of it.
    #[error("there is nothing to publish")]
    Nothing,
    /// Somebody else published a version first.
    #[error(
        "{id} was changed meanwhile (version {current}); look at the new version and publish again"
    )]
    Changed {
        /// The record.
        id: RecordId,
        /// The version that is there.
        current: u64,
    },
    /// The statement would have no effect.
    #[error("{id} cannot be published like this: {reason}")]
    Statement {
        /// The record.
        id: RecordId,
        /// Why.
        reason: &'static str,
    },
    /// No such record.
    #[error("`{origin}` has no record {id}")]
    NoSuchRecord {
        /// The record.
        id: RecordId,
        /// The feed.
        origin: Origin,
    },
    /// Records of trust stay.
    #[error(
        "a record of kind {kind} can be withdrawn and not erased: the feed could not explain itself without it"
    )]
    TrustIsNotErased {
        /// Its kind.
        kind: Kind,
    },
    /// A node record that may not be published now.
    #[error("the node record cannot be published: {reason}")]
    NodeRecord {
        /// Why, and what to do.
        reason: String,
    },
    /// It was signed by a key that is no longer this node's.
    #[error("the keys of this node changed meanwhile; publish {id} again")]
    KeysChanged {
        /// The record.
        id: RecordId,
    },
    /// The document could not be made.
    #[error("the record could not be made: {reason}")]
    Body {
        /// Why.
        reason: String,
    },
    /// The keys are locked.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// A statement over its limit.
    #[error(transparent)]
    TooLong(#[from] StatementTooLong),
    /// An entry or body over its limit.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The feed could not be extended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store did not take it.
    #[error(transparent)]
    NotCommitted(#[from] CommitError),
    /// It is on disk, and the high-water mark could not be raised.
    #[error(
        "it is stored, and could not be released to others; look with `list` before publishing again"
    )]
    StoredNotShown {
        /// What failed.
        source: StoreError,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It was committed and could not be shown.
    #[error("it is in the feed, and could not be shown yet: {0}")]
    Settle(#[from] OpenError),
    /// The commit that it was part of failed, for all who shared it.
    #[error(transparent)]
    Commit(Arc<PublishError>),
    /// The node stopped.
    #[error(
        "the node stopped before it was known whether this was stored; look with `list` before publishing again"
    )]
    Interrupted,
}
