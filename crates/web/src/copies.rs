//! Copies of feeds: restoring our own, and bundles. What the program does with files and other nodes
//! behind these requests is its own business.

use async_trait::async_trait;
use feed::feeds::GuardState;
use wire::api::guard::{
    ImportAnswer, ImportRequest, PackAnswer, PackRequest, RestoreAnswer, RestoreRequest,
};

/// What the program does about copies; implemented by it.
#[async_trait]
pub trait Copies: Send + Sync {
    /// Fetches own feeds from whoever holds more of them.
    async fn restore(&self, request: RestoreRequest) -> Result<RestoreAnswer, CopiesError>;
    /// Writes a bundle, and reads it back.
    async fn pack(&self, request: PackRequest) -> Result<PackAnswer, CopiesError>;
    /// Takes a bundle in.
    async fn import(&self, request: ImportRequest) -> Result<ImportAnswer, CopiesError>;
}

/// Why it was not done: in words, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CopiesError(pub String);

/// The state of a guard as the API says it, and why.
pub fn said(state: GuardState) -> (&'static str, Option<String>) {
    match state {
        GuardState::Open => ("open", None),
        GuardState::Asking { reason, .. } => ("asking", Some(reason)),
        GuardState::ReadOnly { reason } => ("read-only", Some(reason)),
    }
}
