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
    /// Why the node cannot do all that it should at this moment; empty if it can. Asked often, and by anybody:
    /// it reaches nobody, and its words tell no figures.
    fn unready(&self) -> Vec<Unready>;
    /// Looks at everything, and asks the peers.
    async fn doctor(&self) -> DoctorAnswer;
}

/// A reason why the node cannot do all that it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// `store`, `disk`, `keys`, `clock`: bounded, since it is a label in the metrics.
    pub what: &'static str,
    /// In words.
    pub reason: String,
}

/// The figures of a node, for monitoring systems; gathered by the program.
#[async_trait]
pub trait Meters: Send + Sync {
    /// All of them as they are now, as OpenMetrics text.
    async fn read(&self) -> Result<String, UpkeepError>;
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
