//! What is known of forks: the evidence, what stands still because of it, and what an operator decided.
//!
//! **Invariant:** evidence is kept only if it convinces somebody who knows nothing but the pinned root,
//! and one fault of a feed stands for all: what is kept is bounded by the feeds that are held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{NodeName, Origin};
use tracing::{error, info, warn};

use super::judge_fork::is_by_thief;
use super::{FeedState, Feeds, Handle, OpenError, SyncError, View};
use crate::fault::Fault;
use crate::ports::StoreError;

/// Roots of one node under which evidence is tried: a node changes its root a few times in its life.
const ROOTS_MAX: usize = 8;
/// Faults of cosigners that are kept; those of feeds are as many as feeds at most.
const COSIGNER_FAULTS_MAX: usize = 256;
/// A decision's name is at most this long.
const NAME_BYTES_MAX: usize = 120;

/// A fork that is known here.
#[derive(Clone, Debug)]
pub struct KnownFault {
    /// The evidence.
    pub fault: Arc<Fault>,
    /// SHA-256 of its file.
    pub hash: Hash,
    /// What an operator decided about it.
    pub settled: Option<Settlement>,
}

/// What an operator decided about a fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// The feed.
    pub origin: Origin,
    /// The decision.
    pub how: Settled,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// The ways out of a fork that need no new word from the feed's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settled {
    /// The copy that is held is the true one: it is synced again from whoever continues it.
    KeepOurs,
    /// The copy was forgotten, and whatever its node serves now is followed.
    Anew,
}

/// What is known of forks.
#[derive(Debug, Default)]
pub(super) struct Forks {
    /// Faults by the name of their decision.
    kept: RwLock<BTreeMap<String, KnownFault>>,
    settled: RwLock<BTreeMap<Origin, Settlement>>,
    /// By peer and feed: a size that it said it holds and we did not.
    pub(super) ahead: Mutex<BTreeMap<(String, Origin), u64>>,
    /// Hashes of doubts that turned out to be none.
    pub(super) dispelled: Mutex<BTreeSet<Hash>>,
}

impl Feeds {
    /// Takes a fault file from anybody. Answers with the fault, if the evidence holds, is about a feed
    /// that is held or a cosigner that is known, and was not there before.
    ///
    /// # Errors
    /// When our own store fails.
    pub async fn take_fault(&self, bytes: &[u8]) -> Result<TakenFault, SyncError> {
        let fault = match Fault::parse(bytes) {
            Ok(fault) => fault,
            Err(error) => return Ok(TakenFault::Refused { reason: error.to_string() }),
        };
        if fault.cosigner.is_some() {
            return Ok(match self.convict_cosigner(&fault).await? {
                true => TakenFault::Kept(Box::new(fault)),
                false => TakenFault::Refused { reason: NOT_CONVINCING.to_owned() },
            });
        }
        if self.evidence_of(&fault.origin).is_some() {
            return Ok(TakenFault::Known);
        }
        Ok(match self.convict(&fault.origin, &fault).await? {
            Ok(()) => TakenFault::Kept(Box::new(fault)),
            Err(reason) => TakenFault::Refused { reason },
        })
    }

    /// The forks that are known here, settled ones too.
    pub fn faults(&self) -> Vec<KnownFault> {
        let kept = self.forks.kept.read().unwrap_or_else(PoisonError::into_inner);
        let with_settlement = |known: &KnownFault| KnownFault {
            settled: match known.fault.cosigner {
                None => self.settlement(&known.fault.origin),
                Some(_) => None,
            },
            ..known.clone()
        };
        kept.values().map(with_settlement).collect()
    }

    /// SHA-256 of the evidence that a feed was forked, for `/heads`.
    pub fn evidence_of(&self, origin: &Origin) -> Option<Hash> {
        let kept = self.forks.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&fault_name(origin)).map(|known| known.hash)
    }

    /// The evidence that a feed was forked, if there is any.
    pub fn fault(&self, origin: &Origin) -> Option<Arc<Fault>> {
        let kept = self.forks.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&fault_name(origin)).map(|known| Arc::clone(&known.fault))
    }

    /// Whether a cosigner is known to have vouched for two histories: its lines count no more.
    pub fn is_faulty_cosigner(&self, key: &VerifierKey) -> bool {
        let kept = self.forks.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.contains_key(&cosigner_fault_name(&key.to_string()))
    }

    /// What an operator decided about the fork of a feed.
    pub fn settlement(&self, origin: &Origin) -> Option<Settlement> {
        let settled = self.forks.settled.read().unwrap_or_else(PoisonError::into_inner);
        settled.get(origin).cloned()
    }

    /// Settles the fork of a followed feed, or with `None` opens the question again. The evidence
    /// stays, and further evidence about the same feed changes nothing while it is settled.
    ///
    /// # Errors
    /// When there is no evidence about that feed, it is our own, or the store fails.
    pub async fn settle_fork(
        self: &Arc<Self>,
        origin: &Origin,
        how: Option<Settled>,
    ) -> Result<(), SettleError> {
        if origin.node() == self.node() {
            return Err(SettleError::Own { origin: origin.clone() });
        }
        if self.evidence_of(origin).is_none() {
            return Err(SettleError::NoFault { origin: origin.clone() });
        }
        let at = self.parts.clock.now();
        let settlement = how.map(|how| Settlement { origin: origin.clone(), how, at });
        let bytes = settlement.as_ref().and_then(|settled| serde_json::to_vec_pretty(settled).ok());
        let name = decision_name("settled", origin);
        self.set_decision(&name, bytes.map(Into::into)).await?;
        {
            let mut settled = self.forks.settled.write().unwrap_or_else(PoisonError::into_inner);
            match &settlement {
                Some(settlement) => settled.insert(origin.clone(), settlement.clone()),
                None => settled.remove(origin),
            };
        }
        let Some(handle) = self.handle(origin) else { return Ok(()) };
        if how == Some(Settled::Anew) {
            self.forget_feed(&handle).await?;
        } else {
            self.show_state(&handle, self.state_of_copy(origin)).await;
        }
        info!(event = "fork.settled", feed.origin = %origin, "what to do about the two versions of `{origin}` was decided");
        Ok(())
    }

    /// Reads the evidence and the decisions about it, at a start.
    pub(super) async fn load_faults(&self) -> Result<(), OpenError> {
        for (name, bytes) in self.known_decisions().await {
            if name.starts_with("settled/") {
                let settled: Settlement = serde_json::from_slice(&bytes)
                    .map_err(|error| OpenError::Decision { name, reason: error.to_string() })?;
                let mut all = self.forks.settled.write().unwrap_or_else(PoisonError::into_inner);
                all.insert(settled.origin.clone(), settled);
            } else if name.starts_with("fault/") {
                let fault = Fault::parse(&bytes).map_err(|error| OpenError::Decision {
                    name: name.clone(),
                    reason: error.to_string(),
                })?;
                self.remember(name, fault, Hash::of(&bytes));
            }
        }
        Ok(())
    }

    /// Whether a feed stands still because there is evidence that it was forked.
    pub(super) fn is_forked(&self, origin: &Origin) -> bool {
        self.evidence_of(origin).is_some() && self.settlement(origin).is_none()
    }

    /// The same, for those who ask while a feed is opened.
    pub(super) async fn has_fault(&self, origin: &Origin) -> Result<bool, StoreError> {
        Ok(self.is_forked(origin))
    }

    /// Forgets what is known of the feeds of a node that is forgotten itself.
    pub(super) async fn forget_faults(&self, node: &NodeName) -> Result<(), StoreError> {
        let of_node: Vec<Origin> = {
            let kept = self.forks.kept.read().unwrap_or_else(PoisonError::into_inner);
            let of_logs = kept.values().filter(|known| known.fault.cosigner.is_none());
            let origins = of_logs.map(|known| known.fault.origin.clone());
            origins.filter(|origin| origin.node() == node).collect()
        };
        for origin in of_node {
            for prefix in ["fault", "settled"] {
                let name = decision_name(prefix, &origin);
                self.set_decision(&name, None).await?;
            }
            self.forks
                .kept
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&fault_name(&origin));
            self.forks.settled.write().unwrap_or_else(PoisonError::into_inner).remove(&origin);
        }
        Ok(())
    }

    /// How a copy stands, as far as forks decide.
    pub(super) fn state_of_copy(&self, origin: &Origin) -> FeedState {
        if self.is_forked(origin) {
            FeedState::Forked { reason: TWO_VERSIONS.to_owned() }
        } else {
            FeedState::Open
        }
    }

    /// Keeps a fault of a feed that is held, and lets the feed stand still: a copy until an operator
    /// decided, our own until it is continued. The reason in words if the evidence does not hold.
    pub(super) async fn convict(
        &self,
        origin: &Origin,
        fault: &Fault,
    ) -> Result<Result<(), String>, SyncError> {
        let Some((handle, view)) =
            self.handle(origin).and_then(|handle| Some((handle.clone(), handle.view.load_full()?)))
        else {
            return Ok(Err("the feed is not held".to_owned()));
        };
        if [&fault.first, &fault.second].into_iter().any(|note| is_by_thief(&view, note)) {
            return Ok(Err("a key that its node has revoked signed it".to_owned()));
        }
        // Any root that spoke for the node, the newest first: what the old one signed still convicts. What
        // a recovery key signed that never was one does not: it can announce, and list any key as theirs.
        let mut verified = Err("its root is not known".to_owned());
        let mut roots: Vec<_> =
            view.keys.records().iter().rev().map(|keyed| keyed.record.root).collect();
        roots.dedup();
        let shown = fault.with_records_by(&roots);
        for root in roots.into_iter().take(ROOTS_MAX) {
            if verified.is_err() {
                verified = shown.verify(root).map_err(|error| error.to_string());
            }
        }
        if verified.is_err() {
            return Ok(verified);
        }
        if self.evidence_of(origin).is_some() {
            return Ok(Ok(()));
        }
        self.keep_fault(fault_name(origin), fault).await?;
        let size = view.size();
        if handle.own {
            error!(event = "fork.own", feed.origin = %origin, feed.size = size,
                "two versions of our own feed `{origin}` were signed with its log key: nothing more is signed; was \
                 the secret copied, or an old backup started? See `jopoi faults show {}`", origin.node());
            self.show_state(&handle, FeedState::ReadOnly { reason: OWN_TWO_VERSIONS.to_owned() })
                .await;
        } else {
            warn!(event = "fork.found", feed.origin = %origin, feed.size = size,
                "two versions of `{origin}` were signed by its owner: the copy stays at {size} entries; ask the \
                 mechanism which is right, and see `jopoi faults show {}`", origin.node());
            self.show_state(&handle, FeedState::Forked { reason: TWO_VERSIONS.to_owned() }).await;
        }
        Ok(Ok(()))
    }

    /// Keeps a fault of a cosigner, if it convinces; whether it was new.
    pub(super) async fn convict_cosigner(&self, fault: &Fault) -> Result<bool, SyncError> {
        let Some(key) = &fault.cosigner else { return Ok(false) };
        let name = cosigner_fault_name(key);
        let root = fault.node().and_then(|node| self.known_root(&node));
        let outside = || VerifierKey::parse(key).is_ok_and(|key| self.is_witness_of_ours(&key));
        let holds = match root {
            Some(root) => fault.verify(root).is_ok(),
            None => {
                outside()
                    && VerifierKey::parse(key).is_ok_and(|key| fault.verify_cosigner(&key).is_ok())
            }
        };
        let (known, count) = {
            let kept = self.forks.kept.read().unwrap_or_else(PoisonError::into_inner);
            let of_cosigners = kept.values().filter(|known| known.fault.cosigner.is_some());
            (kept.contains_key(&name), of_cosigners.count())
        };
        if !holds || known || count >= COSIGNER_FAULTS_MAX {
            return Ok(false);
        }
        self.keep_fault(name, fault).await?;
        warn!(
            event = "fork.cosigner",
            "the cosigner {key} vouched for two versions of `{}`: its lines count no more",
            fault.origin
        );
        Ok(true)
    }

    async fn keep_fault(&self, name: String, fault: &Fault) -> Result<(), StoreError> {
        let bytes = fault.to_bytes();
        let hash = Hash::of(&bytes);
        self.set_decision(&name, Some(bytes.into())).await?;
        self.remember(name, fault.clone(), hash);
        self.changed.send_modify(|tick| *tick = tick.wrapping_add(1));
        Ok(())
    }

    fn remember(&self, name: String, fault: Fault, hash: Hash) {
        let mut kept = self.forks.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(name, KnownFault { fault: Arc::new(fault), hash, settled: None });
    }

    /// Shows how a feed stands now, in turn with whoever commits.
    async fn show_state(&self, handle: &Handle, state: FeedState) {
        let _writer = handle.writer.lock().await;
        let view = handle.view.load_full();
        // A feed that goes on elsewhere has its way out already.
        if let Some(view) = view.filter(|view| !matches!(view.state, FeedState::Continued { .. })) {
            self.show(handle, View { state, ..View::clone(&view) });
        }
    }

    /// The root of a node that is ours or pinned.
    fn known_root(&self, node: &NodeName) -> Option<PublicKey> {
        if let Some(pin) = self.pin(node) {
            return Some(pin.root);
        }
        let own = self.own().into_iter().find(|origin| origin.node() == node)?;
        self.view(&own)?.keys.root()
    }

    fn is_witness_of_ours(&self, key: &VerifierKey) -> bool {
        let outside = self.outside.read().unwrap_or_else(PoisonError::into_inner);
        outside.witnesses.contains(key)
    }
}

/// What became of a fault file that somebody gave us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenFault {
    /// It convinces, and was new.
    Kept(Box<Fault>),
    /// One is there already, or an operator decided about that feed.
    Known,
    /// It does not convince, or is about nothing that is held here.
    Refused {
        /// Why, in words.
        reason: String,
    },
}

/// Why nothing was decided about a fork.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// Our own feed.
    #[error(
        "`{origin}` is this node's own: no decision of its followers' kind helps; continue it with `restore --accept-loss`"
    )]
    Own {
        /// The feed.
        origin: Origin,
    },
    /// Nothing to decide.
    #[error("there is no evidence about `{origin}`; `faults list` shows what there is")]
    NoFault {
        /// The feed.
        origin: Origin,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy could not be forgotten.
    #[error(transparent)]
    Follow(#[from] super::FollowError),
}

const TWO_VERSIONS: &str = "its owner signed two versions of it, and the evidence is kept; ask the mechanism by telephone which \
                            is right, or wait for a continuation";
const OWN_TWO_VERSIONS: &str = "two versions of it were signed with its log key, and the evidence is kept; nothing is signed until \
                                it is continued (`restore --accept-loss`)";
const NOT_CONVINCING: &str = "it does not convince, or is about a cosigner that is not known here";

fn fault_name(origin: &Origin) -> String {
    decision_name("fault", origin)
}

fn cosigner_fault_name(vkey: &str) -> String {
    let hash = Hash::of(vkey).to_hex();
    format!("fault/cosigner-{}", hash.get(..32).unwrap_or(&hash))
}

/// `NODE.FEED` below a prefix; names that would be too long go by their hash.
fn decision_name(prefix: &str, origin: &Origin) -> String {
    let name = format!("{prefix}/{}.{}", origin.node(), origin.feed());
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    format!("{prefix}/{}", Hash::of(origin.as_str()).to_hex())
}
