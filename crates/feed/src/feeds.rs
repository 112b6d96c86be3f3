//! What a node can do: open its feeds, read them, publish, follow, sync.
//!
//! Every feed has one [`View`], an immutable snapshot that readers take without waiting. One writer
//! at a time makes the next view: commit to the store, erase what a withdrawal destroys, apply to
//! the catalog, then show it. So what is shown is durable, and its catalog rows are there.
//!
//! After a crash anywhere in between, [`Feeds::open`] finds the last good commit and does the rest
//! again.

mod anchors;
mod ask;
mod audience;
mod blocks;
mod commit;
mod continuation;
mod cosigners;
mod decisions;
mod erase;
mod exchange;
mod faults;
mod follow;
mod gossip;
mod guard;
mod heal;
mod judge_fork;
mod large;
mod lineage;
mod networks;
mod open;
mod overlap;
mod pack;
mod plan;
mod publish;
mod push;
mod read;
mod receipts;
mod refusal;
mod restore;
mod room;
mod scrub;
mod settle;
mod sync;
mod view;
mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};
use tokio::sync::{oneshot, watch};

use crate::advance::HeadMark;
use crate::block::Block;
use crate::cosignatures::Cosignatures;
use crate::head::Head;
use crate::ports::{Catalog, Clock, FeedStore, Random, Signer};
use crate::row::Row;

pub use anchors::approvals_bundle;
pub(crate) use anchors::read as read_approvals;
pub use continuation::{Disowned, FeedRecord};
pub use exchange::RefusedCosignature;
pub use faults::{KnownFault, SettleError, Settled, Settlement, TakenFault};
pub use follow::{FollowError, Pin};
pub use gossip::Heard;
pub use guard::{ASK_MAX, GuardState, Others};
pub use judge_fork::Judgement;
pub use lineage::Recovery;
pub use networks::{ApprovalError, ApprovalsTaken, RootConflict};
pub use open::OpenError;
pub use pack::{News, PackError, Packed, Put};
pub use publish::{
    GROUP_BYTES_MAX, PUBLICATIONS_MAX, Publication, Published, Withdrawal, timestamp,
};
pub use push::Pushed;
pub use read::{
    BodyRead, EntryRead, Page, ReadError, RecordRead, RecordSummary, RecordsPage, WAIT_MAX,
};
pub use receipts::{Delivery, Freshness, RENEW_S, Receipt};
pub use refusal::PublishError;
pub use restore::{RestoreError, Restored, Source};
pub use scrub::{Damage, Pace, Scrubbed};
pub use sync::{Outcome, SyncError, Synced};
pub use view::{FeedState, View};
pub use witness::{RefusedCheckpoint, Submission};

/// Decoded blocks kept for readers, over all feeds.
const BLOCK_CACHE_BYTES: u64 = 32 << 20;

/// The same of heads.
const HEAD_CACHE_BYTES: u64 = 16 << 20;

/// What a node is made of.
pub struct Parts {
    /// Whose node this is.
    pub node: NodeName,
    /// Durable facts.
    pub store: Arc<dyn FeedStore>,
    /// The disposable view over them.
    pub catalog: Arc<dyn Catalog>,
    /// The node's online keys.
    pub signer: Arc<dyn Signer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
}

/// All feeds of one node, its own and those it follows.
pub struct Feeds {
    parts: Parts,
    /// The node's online keys now: a rotation swaps them while the node runs.
    signer: RwLock<Arc<dyn Signer>>,
    /// Recoveries under way, and the newest node records seen outside of the logs held.
    lineages: RwLock<BTreeMap<NodeName, lineage::Lineage>>,
    handles: RwLock<BTreeMap<Origin, Arc<Handle>>>,
    pins: RwLock<BTreeMap<NodeName, Pin>>,
    /// The networks whose files were pinned, and the pins that follow from them.
    networks: networks::Networks,
    changed: watch::Sender<u64>,
    /// What is known of forks.
    forks: faults::Forks,
    blocks: moka::sync::Cache<(Origin, BlockPlace), Arc<Vec<Block>>>,
    /// Heads as they were read and checked last: whoever waits for news of a feed wants the same one.
    heads: moka::sync::Cache<(Origin, HeadMark), Arc<(Head, Bytes)>>,
    /// Whose turn it is to decode what is large.
    large: large::Large,
    /// How others are asked what they hold of us.
    others: std::sync::OnceLock<Arc<dyn Others>>,
    /// Who keeps words of bodies beside the facts.
    words: erase::Words,
    /// Whether this directory may be an older copy.
    was_restored: std::sync::atomic::AtomicBool,
    /// Keys of others that the configuration names.
    outside: RwLock<cosigners::Outside>,
    /// What of the disk others may not take.
    reserve: room::Reserve,
    /// What a person decided, as this process read or wrote it.
    decisions: decisions::Decisions,
    /// Whoever holds it may cosign: read what was signed last, compare, persist. What was signed last of a
    /// log, by the SHA-256 of its origin, as this process read or wrote it.
    cosigning: tokio::sync::Mutex<BTreeMap<Hash, Bytes>>,
}

/// Which decoded blocks: a segment never changes but by erasure, a tail is told by its head's mark. (Not by its
/// last commit alone: that stays when a body is erased in an earlier one.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum BlockPlace {
    Segment(u64),
    Tail(HeadMark),
}

/// One feed, while the node runs.
struct Handle {
    origin: Origin,
    own: bool,
    view: ArcSwapOption<View>,
    /// Whoever holds it may commit.
    writer: tokio::sync::Mutex<()>,
    /// Whoever holds it may sync; one round at a time.
    syncing: tokio::sync::Mutex<()>,
    /// Publications waiting for the next commit.
    queue: Mutex<Vec<Request>>,
    /// The size that readers may see.
    size: watch::Sender<u64>,
    /// Why there is no view although there is a head, once opening it was tried.
    closed: Mutex<Option<String>>,
    /// Segments that could not be read back, for the next round to fetch again.
    damaged: Mutex<BTreeSet<u64>>,
    /// Whether it may be signed, if it is ours.
    guard: guard::Guard,
    /// The cosigner lines known for it.
    lines: RwLock<Arc<Cosignatures>>,
    /// Whoever holds it may change them.
    merging: tokio::sync::Mutex<()>,
    /// What was asked and delivered in rounds with its carriers.
    exchanged: Mutex<exchange::Exchanged>,
}

/// Entries that one caller wants appended, all or none.
struct Request {
    entries: Vec<publish::Prepared>,
    answer: oneshot::Sender<Result<Vec<Published>, PublishError>>,
}

impl Handle {
    fn new(origin: Origin, own: bool) -> Self {
        Self {
            origin,
            own,
            view: ArcSwapOption::empty(),
            writer: tokio::sync::Mutex::new(()),
            syncing: tokio::sync::Mutex::new(()),
            queue: Mutex::default(),
            size: watch::Sender::new(0),
            closed: Mutex::default(),
            damaged: Mutex::default(),
            guard: guard::Guard::default(),
            lines: RwLock::default(),
            merging: tokio::sync::Mutex::new(()),
            exchanged: Mutex::default(),
        }
    }

    fn push(&self, request: Request) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    fn drain(&self) -> Vec<Request> {
        std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes why the feed is closed, or that it no longer is.
    fn set_closed(&self, reason: Option<String>) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    fn closed(&self) -> Option<String> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feeds {
    /// Whose node this is.
    pub fn node(&self) -> &NodeName {
        &self.parts.node
    }

    /// The catalog.
    pub fn catalog(&self) -> &Arc<dyn Catalog> {
        &self.parts.catalog
    }

    /// The time.
    pub fn clock(&self) -> &dyn Clock {
        self.parts.clock.as_ref()
    }

    /// Chance.
    pub fn random(&self) -> &dyn Random {
        self.parts.random.as_ref()
    }

    /// The node's online keys.
    pub fn signer(&self) -> Arc<dyn Signer> {
        Arc::clone(&self.signer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other online keys in place of those in use: unlocked, or of a new generation. The node
    /// record that names them is published next, before anything else.
    pub fn set_signer(&self, signer: Arc<dyn Signer>) {
        *self.signer.write().unwrap_or_else(PoisonError::into_inner) = signer;
        self.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    /// Durable facts; only for what a person decided and for diagnosis.
    pub fn store(&self) -> &Arc<dyn FeedStore> {
        &self.parts.store
    }

    /// The feeds of this node that have begun.
    pub fn own(&self) -> Vec<Origin> {
        self.origins().into_iter().filter(|origin| origin.node() == self.node()).collect()
    }

    /// All feeds held, our own first, then by name.
    pub fn origins(&self) -> Vec<Origin> {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        let held = |own: bool| {
            let of_kind = handles.values().filter(move |handle| handle.own == own);
            of_kind
                .filter(|handle| handle.view.load().is_some())
                .map(|handle| handle.origin.clone())
        };
        held(true).chain(held(false)).collect()
    }

    /// The newest state of a feed; a snapshot that does not change.
    pub fn view(&self, origin: &Origin) -> Option<Arc<View>> {
        self.handle(origin)?.view.load_full()
    }

    /// Ticks whenever any feed changes.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The newest node record held of a node, ours or one that is followed: by a root that speaks for
    /// it, in one of its feeds or seen elsewhere.
    pub fn node_record(&self, node: &NodeName) -> Option<Bytes> {
        let held = self.newest_record(node).map(|record| record.body().bytes().clone());
        held.or_else(|| self.embedded_record(node))
    }

    fn handle(&self, origin: &Origin) -> Option<Arc<Handle>> {
        self.handles.read().unwrap_or_else(PoisonError::into_inner).get(origin).cloned()
    }

    /// The handle of a feed, made if there is none yet.
    fn handle_or_new(&self, origin: &Origin) -> Arc<Handle> {
        let mut handles = self.handles.write().unwrap_or_else(PoisonError::into_inner);
        let own = origin.node() == self.node();
        let new = || Arc::new(Handle::new(origin.clone(), own));
        handles.entry(origin.clone()).or_insert_with(new).clone()
    }

    /// Shows a new view to readers and wakes those who wait for it.
    fn show(&self, handle: &Handle, mut view: View) {
        let size = view.size();
        view.state = handle.guard.shown(view.state);
        handle.view.store(Some(Arc::new(view)));
        handle.size.send_replace(size);
        self.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
    }
}

/// Rows of one record, by index.
type Rows = Vec<(u64, Row)>;
