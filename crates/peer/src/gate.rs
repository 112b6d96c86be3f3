//! A carrier for one round: it takes a turn among all rounds, gives it back while a request is parked
//! for news or a peer is slow, and brings a round to an orderly end when it lasts too long or is no longer wanted.
//!
//! A round is never dropped half way: its next question fails instead, so that what it commits is
//! committed whole.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::ports::{BodyAnswer, Carrier, CarrierError, Delivered, Since};
use tlog::name::Origin;
use tlog::tile::TilePath;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// How long one question may keep a turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
pub(crate) struct Gate<'a> {
    pub(crate) inner: &'a dyn Carrier,
    /// The turns of all rounds.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) turn: Mutex<Option<OwnedSemaphorePermit>>,
    /// True when this feed is no longer followed, or the program ends.
    pub(crate) halt: watch::Receiver<bool>,
    /// Ticks when a round is wanted now, so that a parked request is let go.
    pub(crate) requested: watch::Receiver<u64>,
    /// When the round must be over, what it waits for news apart.
    pub(crate) deadline: Instant,
    /// When the news came that the round waited for.
    pub(crate) news: OnceLock<Instant>,
}

impl Gate<'_> {
    /// Has a turn, then asks; fails when halted or too late.
    async fn ask<T>(
        &self,
        asked: impl Future<Output = Result<T, CarrierError>> + Send,
    ) -> Result<T, CarrierError> {
        let mut halt = self.halt.clone();
        tokio::select! {
            biased;
            _ = halt.wait_for(|halt| *halt) => Err(self.over("it is no longer wanted")),
            () = sleep_until(self.deadline) => Err(self.over("the round took too long")),
            answer = self.in_turn(asked) => answer,
        }
    }

    /// Asks in its turn, and gives the turn back while the peer lets it wait: eight peers that answer as
    /// slowly as they may would otherwise stop all the others for an hour.
    async fn in_turn<T>(&self, asked: impl Future<Output = T> + Send) -> T {
        self.enter().await;
        let mut asked = pin!(asked);
        if let Ok(answer) = timeout(PATIENCE, &mut asked).await {
            return answer;
        }
        *self.turn.lock().await = None;
        let answer = asked.await;
        self.enter().await;
        answer
    }

    async fn enter(&self) {
        let mut turn = self.turn.lock().await;
        if turn.is_none() {
            // The semaphore is never closed; without a permit the round would only be less polite.
            *turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        }
    }

    fn over(&self, reason: &str) -> CarrierError {
        CarrierError::Unreachable { carrier: self.inner.describe(), reason: reason.to_owned() }
    }
}

#[async_trait]
impl Carrier for Gate<'_> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        self.ask(self.inner.node_record()).await
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.ask(self.inner.checkpoint(origin)).await
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        if wait.is_none() {
            return self.ask(self.inner.since(origin, size, None)).await;
        }
        *self.turn.lock().await = None;
        let (mut halt, mut requested) = (self.halt.clone(), self.requested.clone());
        let answer = tokio::select! {
            biased;
            _ = halt.wait_for(|halt| *halt) => return Err(self.over("it is no longer wanted")),
            _ = requested.changed() => return Ok(Since::Nothing),
            answer = self.inner.since(origin, size, wait) => answer?,
        };
        if answer != Since::Nothing {
            // A round waits once.
            let _ = self.news.set(Instant::now());
            self.enter().await;
        }
        Ok(answer)
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        self.ask(self.inner.tile(origin, tile)).await
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        self.ask(self.inner.segment(origin, number)).await
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        self.ask(self.inner.body(origin, index)).await
    }

    async fn anchors(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.ask(self.inner.anchors(origin)).await
    }

    async fn cosignatures(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        self.ask(self.inner.cosignatures(origin)).await
    }

    async fn deliver(&self, origin: &Origin, note: Bytes) -> Result<Delivered, CarrierError> {
        self.ask(self.inner.deliver(origin, note)).await
    }

    fn turn(&self) -> bool {
        self.inner.turn()
    }
}
