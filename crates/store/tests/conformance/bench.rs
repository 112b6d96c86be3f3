//! What the suite runs on: a store that can be closed and opened again as another process would.

use std::sync::Arc;

use feed::ports::FeedStore;
use store::facts::Directory;
use store::memory::MemoryStore;
use tempfile::TempDir;

/// One kind of store with something to keep it in.
pub(crate) trait Bench {
    /// Closes the store and opens what it left.
    fn open(&mut self) -> Arc<dyn FeedStore>;
}

/// On disk.
pub(crate) struct OnDisk {
    pub(crate) data: TempDir,
}

impl OnDisk {
    pub(crate) fn new() -> Self {
        Self { data: TempDir::new().unwrap() }
    }
}

impl Bench for OnDisk {
    /// The caller has dropped the store opened before: its lock is held as long as it lives.
    fn open(&mut self) -> Arc<dyn FeedStore> {
        Arc::new(Directory::open(self.data.path()).unwrap())
    }
}

/// In memory.
pub(crate) struct InMemory {
    store: Arc<MemoryStore>,
}

impl InMemory {
    pub(crate) fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()) }
    }
}

impl Bench for InMemory {
    fn open(&mut self) -> Arc<dyn FeedStore> {
        self.store = Arc::new(self.store.restarted());
        Arc::clone(&self.store) as Arc<dyn FeedStore>
    }
}
