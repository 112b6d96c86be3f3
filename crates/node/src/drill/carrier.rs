//! A carrier straight into another node of this process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::feeds::{BodyRead, Feeds};
use feed::ports::{BodyAnswer, Carrier, CarrierError, Since};
use tlog::name::{NodeName, Origin};
use tlog::tile::TilePath;

/// What `feeds` holds of the feeds of `of`.
pub(super) struct InProcess {
    pub(super) feeds: Arc<Feeds>,
    pub(super) of: NodeName,
}

impl InProcess {
    fn none(&self, what: impl Into<String>) -> CarrierError {
        CarrierError::NotFound { carrier: self.describe(), what: what.into() }
    }
}

#[async_trait]
impl Carrier for InProcess {
    fn describe(&self) -> String {
        self.feeds.node().to_string()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        let own = self.feeds.node() == &self.of;
        let record = if own { self.feeds.well_known() } else { self.feeds.node_record(&self.of) };
        record.ok_or_else(|| self.none("node record"))
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.feeds.checkpoint(origin).await.map_err(|_| self.none("checkpoint"))
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        self.feeds.since(origin, size, wait).await.map_err(|_| self.none("commits"))
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        self.feeds.tile(origin, tile).await.map_err(|_| self.none("tile"))
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        self.feeds.segment(origin, number).await.map_err(|_| self.none("segment"))
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        let read = self.feeds.entry(origin, index).await.map_err(|_| self.none("body"))?;
        Ok(match read.body {
            BodyRead::Held(bytes) => BodyAnswer::Body(bytes),
            BodyRead::Erased { .. } => BodyAnswer::Gone,
            _ => BodyAnswer::Missing,
        })
    }
}
