//! What the program tells its operator of keys, dates and health, and does with them; implemented by it.

use async_trait::async_trait;
use wire::api::keys::{
    Calendar, DoctorAnswer, Finding, KeysStatus, NodeRecordAnswer, NodeRecordRequest,
    PrepareAnswer, PrepareRequest, UnlockRequest,
};

/// Keys, dates, health of one node.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Every key, and what is open.
    fn keys(&self) -> Result<KeysStatus, UpkeepError>;
    /// Makes what a change of keys needs and tells what is to be signed.
    async fn prepare(&self, request: PrepareRequest) -> Result<PrepareAnswer, UpkeepError>;
    /// Publishes a signed node record, and uses the keys it names.
    async fn publish(&self, request: NodeRecordRequest) -> Result<NodeRecordAnswer, UpkeepError>;
    /// Opens the encrypted secret.
    async fn unlock(&self, request: UnlockRequest) -> Result<KeysStatus, UpkeepError>;
    /// What ends or is due.
    fn calendar(&self) -> Calendar;
    /// What can be seen from inside at once and is not as it should be.
    fn look(&self) -> Vec<Finding>;
    /// Looks at everything, and asks the peers.
    async fn doctor(&self) -> DoctorAnswer;
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// What was asked makes no sense as things are.
    #[error("{reason}")]
    Refused {
        /// In words, with what to do.
        reason: String,
    },
    /// It failed here.
    #[error("{reason}")]
    Internal {
        /// In words.
        reason: String,
    },
}
