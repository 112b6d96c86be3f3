//! The disk of a node: the store in memory, which tells every write to the world, and when its process ended.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use feed::advance::{Advance, VerifiedFact};
use feed::ports::{CommitError, Fact, FeedStore, HighWater, StoreError};
use store::memory::MemoryStore;
use tlog::hash::Hash;
use tlog::name::Origin;

use super::world::World;

pub(super) struct Disk {
    pub(super) inner: Arc<MemoryStore>,
    pub(super) world: Arc<World>,
    /// Whose, and in which of its lives.
    pub(super) node: usize,
    pub(super) life: u64,
}

impl Disk {
    /// Tells of a write.
    fn written<T, E>(&self, what: impl FnOnce() -> String, result: Result<T, E>) -> Result<T, E> {
        let word = if result.is_ok() { "writes" } else { "fails to write" };
        self.world.count("writes");
        self.world.tell(|| format!("{} {word} {}", self.node, what()));
        if result.is_err() && self.inner.has_ended() {
            self.world.fell(self.node, self.life);
        }
        result
    }
}

#[async_trait]
impl FeedStore for Disk {
    async fn origins(&self) -> Result<Vec<Origin>, StoreError> {
        self.inner.origins().await
    }

    async fn fact(&self, origin: &Origin, fact: &Fact) -> Result<Option<Bytes>, StoreError> {
        self.inner.fact(origin, fact).await
    }

    async fn commit(&self, advance: &Advance) -> Result<(), CommitError> {
        let what = || format!("the head of {} to {}", advance.origin(), advance.to().tip.to_hex());
        self.written(what, self.inner.commit(advance).await)
    }

    async fn cut(&self, origin: &Origin, bytes: u64) -> Result<(), StoreError> {
        self.world.count("torn appends cut back");
        self.written(|| format!("{bytes} of {origin}"), self.inner.cut(origin, bytes).await)
    }

    async fn keep(&self, verified: &VerifiedFact) -> Result<(), StoreError> {
        let what = || format!("{:?} of {}", verified.fact(), verified.origin());
        self.written(what, self.inner.keep(verified).await)
    }

    async fn remove(&self, origin: &Origin, fact: &Fact) -> Result<(), StoreError> {
        self.written(|| format!("no {fact:?} of {origin}"), self.inner.remove(origin, fact).await)
    }

    async fn high_water(&self, origin: &Origin) -> Result<Option<HighWater>, StoreError> {
        self.inner.high_water(origin).await
    }

    async fn high_water_is_at_home(&self, origin: &Origin) -> Result<Option<bool>, StoreError> {
        self.inner.high_water_is_at_home(origin).await
    }

    async fn set_high_water(&self, origin: &Origin, mark: HighWater) -> Result<(), StoreError> {
        let result = self.inner.set_high_water(origin, mark).await;
        self.written(|| format!("high water {} of {origin}", mark.size), result)
    }

    async fn decisions(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        self.inner.decisions().await
    }

    async fn set_decision(&self, name: &str, bytes: Option<Bytes>) -> Result<(), StoreError> {
        self.written(|| name.to_owned(), self.inner.set_decision(name, bytes).await)
    }

    async fn witnessed(&self, origin: &Hash) -> Result<Option<Bytes>, StoreError> {
        self.inner.witnessed(origin).await
    }

    async fn set_witnessed(&self, origin: &Hash, bytes: Bytes) -> Result<(), StoreError> {
        let result = self.inner.set_witnessed(origin, bytes).await;
        self.written(|| format!("what it cosigned of {}", origin.to_hex()), result)
    }

    async fn witnessed_logs(&self) -> Result<Vec<Hash>, StoreError> {
        self.inner.witnessed_logs().await
    }

    async fn forget(&self, origin: &Origin) -> Result<(), StoreError> {
        self.written(|| format!("no {origin}"), self.inner.forget(origin).await)
    }
}
