//! One sync round of one feed with one carrier: ask, verify, commit, settle.
//!
//! Whatever goes wrong, what is held stays as it was; what a signature proves against an owner is
//! kept as evidence.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use network::keys::{KeyHistory, Roots};
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::checkpoint::SignedCheckpoint;
use tlog::ed25519::PublicKey;
use tlog::name::Origin;
use tokio::task::{JoinError, spawn_blocking};

use super::ask::{Asked, News};
use super::erase::store_error;
use super::settle::Fresh;
use super::{FeedState, Feeds, FollowError, Handle, OpenError, View};
use crate::advance::Advance;
use crate::fault::Fault;
use crate::head::{self, Commit};
use crate::ports::{
    BodyAnswer, Carrier, CarrierError, CatalogError, CommitError, Progress, StoreError,
};
use crate::tree::Tree;
use crate::verify::{self, Fold, Folded, VerifyError};

/// How a round ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// What changed.
    pub outcome: Outcome,
    /// Entries whose bodies no carrier has brought yet.
    pub missing: Vec<u64>,
}

/// What a round changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing new.
    Unchanged,
    /// The feed grew.
    Advanced {
        /// Entries before.
        from: u64,
        /// Entries now.
        to: u64,
    },
}

impl Feeds {
    /// Asks `carrier` for what follows what we hold of `origin`, waiting up to `wait` for news.
    pub async fn sync_feed(
        self: &Arc<Self>,
        carrier: &dyn Carrier,
        origin: &Origin,
        wait: Option<Duration>,
        progress: &dyn Progress,
    ) -> Result<Synced, SyncError> {
        self.room_for_others()?;
        let pin = self.pin_or_meet(carrier, origin).await?;
        let handle = self.handle_or_new(origin);
        self.look_around(carrier, origin).await?;
        self.refresh(origin.node()).await?;
        let round = async {
            // News is waited for before the feed's turn is taken: whoever has news does not wait for us.
            let asked = self.ask_by_any_way(&handle, carrier, wait).await?;
            let _syncing = handle.syncing.lock().await;
            // A recovery may have moved it since.
            let root = self.pin(origin.node()).map_or(pin.root, |pin| pin.root);
            self.round(&handle, carrier, root, asked, progress).await
        };
        let synced = round.await;
        // Also after a round that failed: what was refused may tell of a new root.
        self.look_after(origin.node()).await?;
        synced
    }

    /// One round; the caller holds the feed's turn to sync. `root` is the key that must have signed
    /// its node records, `asked` what the carrier said before the turn was taken.
    pub(super) async fn round(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        carrier: &dyn Carrier,
        root: PublicKey,
        asked: Option<Asked>,
        progress: &dyn Progress,
    ) -> Result<Synced, SyncError> {
        let origin = &handle.origin;
        let held = handle.view.load_full();
        let size = held.as_deref().map_or(0, View::size);
        let asked = match asked {
            Some(asked) if asked.size == size => Some(asked),
            // Somebody else brought it further meanwhile.
            _ => self.ask_for_news(handle, carrier, None).await?,
        };
        let Some(Asked { news, .. }) = asked else { return self.unchanged(handle) };
        let keys = self.keys_of_round(held.as_deref(), origin, root);
        if news.is_some() && !handle.own {
            // Who waited for news began when there may have been room.
            self.room_for_others()?;
        }
        match news {
            None => {}
            Some(News::Commits(bytes)) => {
                self.take_commits(handle, carrier, held.as_ref(), keys, &bytes).await?;
            }
            Some(News::Head(bytes)) => {
                self.take_head(handle, carrier, held.as_ref(), keys, &bytes, progress).await?;
            }
        }
        self.heal(handle, carrier).await?;
        let view =
            handle.view.load_full().ok_or_else(|| SyncError::Empty { origin: origin.clone() })?;
        let outcome = match view.size() {
            now if now == size => Outcome::Unchanged,
            now => Outcome::Advanced { from: size, to: now },
        };
        Ok(Synced { outcome, missing: view.missing.as_ref().clone() })
    }

    fn unchanged(&self, handle: &Handle) -> Result<Synced, SyncError> {
        let origin = &handle.origin;
        let view = handle.view.load_full();
        let view = view.ok_or_else(|| SyncError::Empty { origin: origin.clone() })?;
        Ok(Synced { outcome: Outcome::Unchanged, missing: view.missing.as_ref().clone() })
    }

    /// The keys from which a round goes on.
    fn keys_of_round(&self, held: Option<&View>, origin: &Origin, root: PublicKey) -> KeyHistory {
        let node = origin.node();
        let mut keys = match held {
            Some(view) => KeyHistory::clone(&view.keys),
            // Former roots explain a copy that is held. Who holds nothing yet believes the pinned root
            // alone: a former one may have been replaced because it was stolen.
            None => KeyHistory::of(node.clone(), Roots::pinned(root)),
        };
        keys.freeze(self.frozen(node));
        keys
    }

    /// Checks commits against what is held. Of what is refused, announcements of a root are noted:
    /// they prove themselves.
    pub(super) async fn fold(
        &self,
        origin: &Origin,
        tree: Tree,
        keys: KeyHistory,
        commits: &[Commit],
    ) -> Result<Folded, SyncError> {
        let (of, commits) = (origin.clone(), commits.to_vec());
        // Away from the runtime's threads: it may be 64 MiB.
        let work = spawn_blocking(move || {
            let mut fold = Fold::new(of, tree, keys);
            let taken = commits.iter().try_for_each(|commit| fold.commit(commit));
            let announced = fold.announcements();
            (announced, taken.and_then(|()| fold.finish()))
        });
        let stopped = |error: JoinError| SyncError::Stopped { reason: error.to_string() };
        let (announced, folded) = work.await.map_err(stopped)?;
        match folded {
            Ok(folded) => Ok(folded),
            Err(why) => {
                for body in &announced {
                    self.meet(origin.node(), body).await?;
                }
                Err(why.into())
            }
        }
    }

    /// Takes commits that follow what is held.
    async fn take_commits(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        carrier: &dyn Carrier,
        held: Option<&Arc<View>>,
        keys: KeyHistory,
        bytes: &Bytes,
    ) -> Result<(), SyncError> {
        let commits = head::decode_since(bytes).map_err(VerifyError::from)?;
        let tree = held.map_or_else(Tree::new, |view| view.tree.clone());
        let size = tree.size();
        let turn = self.large.tail(weight(&commits)).await;
        let folded = match self.fold(&handle.origin, tree, keys, &commits).await {
            Err(SyncError::Invalid(why)) => {
                // The peer is asked now, and may take its time.
                drop(turn);
                return Err(self.contradiction(handle, carrier, held, &commits, why).await);
            }
            folded => folded?,
        };
        if folded.tree.size() == size {
            return Err(VerifyError::NothingNew { size }.into());
        }
        let advance = match held {
            Some(view) => folded.append(view.mark, &commits, size)?,
            None => folded.begin(&commits)?,
        };
        self.commit_followed(handle, folded, advance, held.cloned()).await
    }

    /// Entries that do not fit what is held: garbage, or a fork?
    pub(super) async fn contradiction(
        &self,
        handle: &Handle,
        carrier: &dyn Carrier,
        held: Option<&Arc<View>>,
        commits: &[Commit],
        why: VerifyError,
    ) -> SyncError {
        let disagrees = matches!(
            why,
            VerifyError::Root { .. } | VerifyError::Differs { .. } | VerifyError::Segment { .. }
        );
        let note = commits.last().map(|commit| verify::read_note(&handle.origin, &commit.note));
        match (held, note) {
            (Some(view), Some(Ok(served))) if disagrees => {
                self.judge_longer(view, &served, carrier, why).await
            }
            _ => why.into(),
        }
    }

    /// Commits what was verified; runs to its end even if the caller goes away.
    pub(super) async fn commit_followed(
        self: &Arc<Self>,
        handle: &Arc<Handle>,
        folded: Folded,
        advance: Advance,
        held: Option<Arc<View>>,
    ) -> Result<(), SyncError> {
        let (feeds, handle) = (Arc::clone(self), Arc::clone(handle));
        let work = async move {
            let _writer = handle.writer.lock().await;
            feeds.give_way(&handle).await?;
            let pinned = feeds.pin(handle.origin.node()).map(|pin| pin.root);
            if !handle.own && pinned.is_some() && folded.keys.roots().root() != pinned {
                let reason = "the root of its node changed meanwhile".to_owned();
                return Err(SyncError::Stopped { reason });
            }
            feeds.not_revoked_beside(&handle.origin, &folded)?;
            // Another carrier may have brought the proof of a fork meanwhile.
            let now = handle.view.load_full();
            if let Some(FeedState::Forked { reason }) = now.as_deref().map(|view| &view.state) {
                let (origin, reason) = (handle.origin.clone(), reason.clone());
                return Err(SyncError::Held { origin, reason });
            }
            if let Err(error) = feeds.parts.store.commit(&advance).await {
                feeds.reopen(&handle).await?;
                return Err(error.into());
            }
            let appended = matches!(advance.change(), crate::advance::HeadChange::Append(_));
            let before = held.filter(|_| appended).map_or(0, |view| view.tail_bytes);
            let fresh = Fresh { blocks: folded.blocks.clone(), ours: false };
            let mut view = feeds.view_of(&handle, folded, advance.to(), FeedState::Open);
            view.tail_bytes += before;
            feeds.settle(&handle, view, Some(fresh)).await?;
            feeds.seal_if_long(&handle).await;
            Ok(())
        };
        match tokio::spawn(work).await {
            Ok(result) => result,
            Err(error) => Err(SyncError::Stopped { reason: error.to_string() }),
        }
    }
}

impl Feeds {
    /// Requires that no newer node record, seen beside the log, revoked the key that signed the log as it
    /// would become: a thief's history leaves out the record that ends it.
    fn not_revoked_beside(&self, origin: &Origin, folded: &Folded) -> Result<(), VerifyError> {
        let size = folded.tree.size();
        let (said, seen) = (folded.keys.newest(), self.newest_record(origin.node()));
        let key = folded.keys.log_key(size);
        let newer = seen.filter(|seen| {
            said.is_none_or(|said| said.record.version() < seen.version())
                && seen.revoked.iter().any(|revoked| {
                    revoked.feed == *origin.feed()
                        && Some(revoked.key) == key
                        && size > revoked.size
                })
        });
        let reason = "its node revoked that key in a newer node record".to_owned();
        newer.map_or(Ok(()), |_| Err(VerifyError::Signature { size, reason }))
    }
}

/// Bytes of memory that commits take once decoded.
pub(super) fn weight(commits: &[Commit]) -> usize {
    commits.iter().map(Commit::weight).fold(0, usize::saturating_add)
}

/// Checks commits against what is held.
pub(super) fn fold(
    origin: Origin,
    tree: Tree,
    keys: KeyHistory,
    commits: &[Commit],
) -> Result<Folded, VerifyError> {
    let mut fold = Fold::new(origin, tree, keys);
    for commit in commits {
        fold.commit(commit)?;
    }
    fold.finish()
}

/// Whether a checkpoint is signed by the log key of the newest node record that the carrier has: a
/// cheap question before a long download. The log itself decides afterwards.
pub(super) async fn signed_by_candidate(
    carrier: &dyn Carrier,
    served: &SignedCheckpoint,
    origin: &Origin,
    keys: &KeyHistory,
) -> Result<(), SyncError> {
    if verify::check_signature(origin, served, keys).is_ok() {
        return Ok(());
    }
    let bytes = candidate(carrier, origin).await?;
    let body = Body::open(bytes).map_err(|error| SyncError::NodeRecord {
        origin: origin.clone(),
        reason: error.to_string(),
    })?;
    let (id, version) = (body.id(), body.version());
    if NodeRecord::from_body(&body).is_ok_and(|record| record.is_recovery()) {
        // A root is announced, or was handed on: which keys sign until then only the log tells.
        return Ok(());
    }
    let mut candidate = KeyHistory::of(origin.node().clone(), keys.roots().clone());
    candidate.observe(0, id, version, Some(body.bytes())).map_err(VerifyError::from)?;
    candidate.vouched().map_err(VerifyError::from)?;
    Ok(verify::check_signature(origin, served, &candidate)?)
}

/// The newest node record that the carrier has of the feed's node; where it shows its own, for it is a
/// mirror, the one that the feed begins with.
async fn candidate(carrier: &dyn Carrier, origin: &Origin) -> Result<Bytes, SyncError> {
    let shown = carrier.node_record().await?;
    let record = Body::open(shown.clone()).ok().and_then(|body| NodeRecord::from_body(&body).ok());
    if record.is_some_and(|record| record.node == *origin.node()) {
        return Ok(shown);
    }
    match carrier.body(origin, 0).await {
        Ok(BodyAnswer::Body(first)) => Ok(first),
        _ => Ok(shown),
    }
}

/// Why a round failed. What is held stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Nobody decided to follow this node.
    #[error("nobody pinned the node of `{origin}`; `follow` it first")]
    NotPinned {
        /// The feed.
        origin: Origin,
    },
    /// The carrier did not bring it.
    #[error(transparent)]
    Carrier(#[from] CarrierError),
    /// What it brought does not verify.
    #[error("what was sent was refused: {0}")]
    Invalid(#[from] VerifyError),
    /// The node of a network could not be pinned, or a root that changed not be written down.
    #[error(transparent)]
    Network(#[from] FollowError),
    /// The node record it brought is no such thing.
    #[error("what was sent as the node record of `{origin}` is none: {reason}")]
    NodeRecord {
        /// The feed.
        origin: Origin,
        /// Why.
        reason: String,
    },
    /// The feed is shorter than what we hold; perhaps an old copy.
    #[error(
        "`{origin}` was served with {served} entries and {held} are held: an older copy, or a server restored from an old backup; \
             nothing was dropped here"
    )]
    Rollback {
        /// The feed.
        origin: Origin,
        /// Entries held.
        held: u64,
        /// Entries served.
        served: u64,
    },
    /// A proven fork.
    #[error(
        "two versions of `{origin}` were signed by its owner; the copy stays at {held} entries and the evidence is kept"
    )]
    Fork {
        /// The feed.
        origin: Origin,
        /// Entries held.
        held: u64,
        /// The evidence.
        fault: Box<Fault>,
    },
    /// It looks like a fork and cannot be proven.
    #[error("`{origin}` contradicts what is held, and it cannot be proven by whom: {reason}")]
    Unproven {
        /// The feed.
        origin: Origin,
        /// Why not.
        reason: String,
    },
    /// The copy is held back until an operator decides.
    #[error("`{origin}` is not synced: {reason}")]
    Held {
        /// The feed.
        origin: Origin,
        /// Why.
        reason: String,
    },
    /// A feed without entries.
    #[error("`{origin}` has not begun yet")]
    Empty {
        /// The feed.
        origin: Origin,
    },
    /// The node is stopping.
    #[error("the round was stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
    /// Our own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Our own copy could not be read.
    #[error(transparent)]
    Read(#[from] super::ReadError),
    /// Our own copy could not be settled.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<CommitError> for SyncError {
    fn from(error: CommitError) -> Self {
        store_error(error).into()
    }
}

impl SyncError {
    /// Whether the other side sent what it should not, and not merely nothing.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Invalid(_)
                | Self::NodeRecord { .. }
                | Self::Rollback { .. }
                | Self::Fork { .. }
                | Self::Unproven { .. }
        )
    }
}
