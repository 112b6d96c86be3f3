//! Copies of feeds: restoring our own, and bundles. What the program does with files and other nodes
//! behind these requests is its own business.

use async_trait::async_trait;
use feed::feeds::GuardState;
use wire::api::guard::{
    CopiesStatus, ImportAnswer, ImportRequest, PackAnswer, PackRequest, RestoreAnswer,
    RestoreRequest, ScrubAnswer, ScrubRequest,
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
    /// Reads everything back that is held, and heals what is damaged.
    async fn scrub(&self, request: ScrubRequest) -> Result<ScrubAnswer, CopiesError>;
    /// What is under way, and what the last scrub found.
    fn status(&self) -> CopiesStatus;
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
