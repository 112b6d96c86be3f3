//! Restoring our own feeds: from whoever holds more of them, over the network or in a bundle, by the
//! same verification as any peer's feed.
//!
//! What comes back is what our own log key signed, entry by entry up to the highest checkpoint that
//! anybody shows, with the root that was signed; what was erased stays erased. Nothing is signed
//! before the [guard](super::guard) has decided.

use std::sync::Arc;

use bytes::Bytes;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};
use tracing::{info, warn};

use super::guard::Held;
use super::{Feeds, GuardState, Handle, SyncError, View};
use crate::ports::{Carrier, Progress, StoreError};
use crate::verify;

/// Why the guard asks.
const RESTORED: &str = "this feed was just restored";

/// Somebody who may hold a feed of ours.
pub struct Source<'a> {
    /// The node, if it is one: its answer counts for the guard.
    pub node: Option<NodeName>,
    /// The way to it.
    pub carrier: &'a dyn Carrier,
}

/// What came back of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The feed.
    pub origin: Origin,
    /// Entries before.
    pub from: u64,
    /// Entries now.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// Sources that showed exactly this, in words.
    pub agree: Vec<String>,
    /// Sources that did not help, with the reason.
    pub failed: Vec<(String, String)>,
    /// Nodes whose cosignature of this very size is known.
    pub cosigned: usize,
    /// Whether it may be signed now.
    pub guard: GuardState,
}

impl Feeds {
    /// Fetches a feed of ours from `sources`: the one that shows the highest checkpoint by our own log
    /// key is asked first, and every other is compared with what came. `root` is needed where nothing
    /// of the feed is here yet.
    ///
    /// # Errors
    /// When nobody brought it, when our own key signed two versions, or when somebody proves that
    /// there is more than anybody brought. What is here stays.
    pub async fn restore_feed(
        self: &Arc<Self>,
        origin: &Origin,
        root: Option<PublicKey>,
        sources: &[Source<'_>],
        progress: &dyn Progress,
    ) -> Result<Restored, RestoreError> {
        if origin.node() != self.node() {
            return Err(RestoreError::NotOurs { origin: origin.clone() });
        }
        let handle = self.handle_or_new(origin);
        let _syncing = handle.syncing.lock().await;
        let before = handle.view.load_full();
        let root = before.as_ref().and_then(|view| view.keys.root()).or(root);
        let root = root.ok_or_else(|| RestoreError::NoRoot { origin: origin.clone() })?;
        let mut failed = Vec::new();
        let shown = self.shown_by(&handle, sources, &mut failed).await;
        self.prepare(&handle, &shown).await?;
        for (source, note) in &shown {
            let held = handle.view.load().as_ref().map_or(0, |view| view.size());
            if size_of(origin, note).is_some_and(|size| size <= held) {
                continue;
            }
            let taken = self.round(&handle, source.carrier, root, None, progress).await;
            if let Err(error) = taken {
                warn!(event = "restore.failed", feed.origin = %origin, "`{origin}` does not come from {}: {error}", source.carrier.describe());
                failed.push((source.carrier.describe(), error.to_string()));
            }
        }
        let Some(view) = handle.view.load_full() else {
            return Err(RestoreError::Nobody { origin: origin.clone(), failed });
        };
        let view = self.recall_recovery(&handle, view).await?;
        self.compare(&handle, &view, shown, (before, failed)).await
    }

    /// What the sources show of the feed, the longest first.
    async fn shown_by<'a, 's>(
        &self,
        handle: &Handle,
        sources: &'a [Source<'s>],
        failed: &mut Vec<(String, String)>,
    ) -> Vec<(&'a Source<'s>, Bytes)> {
        let origin = &handle.origin;
        let mut shown = Vec::new();
        for source in sources {
            match source.carrier.checkpoint(origin).await {
                Ok(note) if size_of(origin, &note).is_some() => shown.push((source, note)),
                Ok(_) => {
                    let reason = "what it sent is no checkpoint of this feed".to_owned();
                    failed.push((source.carrier.describe(), reason));
                }
                Err(error) => failed.push((source.carrier.describe(), error.to_string())),
            }
        }
        shown.sort_by_key(|(_, note)| std::cmp::Reverse(size_of(origin, note)));
        shown
    }

    /// Makes room: what a crash tore is cut, for it is about to be replaced by what others hold; a
    /// feed that cannot be opened gives way only to one that is not shorter than what was shown.
    async fn prepare(
        &self,
        handle: &Handle,
        shown: &[(&Source<'_>, Bytes)],
    ) -> Result<(), RestoreError> {
        let origin = &handle.origin;
        if handle.guard.state() == GuardState::Open && handle.view.load().is_none() {
            handle.guard.ask_again(RESTORED);
        }
        self.was_restored.store(true, std::sync::atomic::Ordering::Release);
        match (handle.view.load_full(), handle.closed()) {
            (Some(view), _) => self.parts.store.cut(origin, view.mark.bytes).await?,
            (None, Some(_)) => {
                let known = self.parts.store.high_water(origin).await.ok().flatten();
                let best = shown.first().and_then(|(_, note)| size_of(origin, note)).unwrap_or(0);
                if let Some(mark) = known.filter(|mark| mark.size > best) {
                    return Err(RestoreError::Short {
                        origin: origin.clone(),
                        size: best,
                        needed: mark.size,
                    });
                }
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Compares what came with what everybody shows, then lets the guard decide.
    async fn compare(
        self: &Arc<Self>,
        handle: &Handle,
        view: &Arc<View>,
        shown: Vec<(&Source<'_>, Bytes)>,
        (before, mut failed): (Option<Arc<View>>, Vec<(String, String)>),
    ) -> Result<Restored, RestoreError> {
        let (origin, size) = (&handle.origin, view.size());
        let (mut agree, mut heard, mut speaks) = (Vec::new(), Vec::new(), None);
        for (source, note) in shown {
            let name = source.carrier.describe();
            if let Ok(lines) = source.carrier.cosignatures(origin).await {
                self.merge_cosignatures(origin, &lines, None).await;
            }
            let held = self.judge_own(view, &note, Some(source.carrier)).await;
            match &held {
                Held::Ours(at) if *at == size => agree.push(name.clone()),
                Held::Ours(_) => {}
                Held::More(_) | Held::Other(_) => speaks = Some((name.clone(), held.clone())),
                Held::Unknown if !failed.iter().any(|(known, _)| *known == name) => {
                    failed
                        .push((name.clone(), "what it shows is not signed by our key".to_owned()));
                }
                Held::Unknown => {}
            }
            heard.extend(source.node.clone().map(|node| (node, held)));
        }
        self.reconsider(handle, view).await?;
        if let Some((name, held)) = speaks {
            let guardians = self.guardians(origin);
            let nodes = vec![(self.node().clone(), held.clone())];
            self.conclude(handle, true, &guardians, nodes).await;
            return Err(match held {
                Held::More(mark) => {
                    RestoreError::Short { origin: origin.clone(), size, needed: mark.size }
                }
                _ => RestoreError::TwoVersions { origin: origin.clone(), by: name },
            });
        }
        if matches!(handle.guard.state(), GuardState::Asking { strict: true, .. }) {
            let guardians = self.guardians(origin);
            self.conclude(handle, true, &guardians, heard).await;
        }
        let receipts = self.receipts(origin);
        let cosigned = receipts.iter().filter(|receipt| receipt.size == size).count();
        let from = before.map_or(0, |view| view.size());
        info!(event = "restore.ended", feed.origin = %origin, feed.size = size, "`{origin}` was restored from {from} to {size} entries");
        Ok(Restored {
            origin: origin.clone(),
            from,
            size,
            root: view.root(),
            agree,
            failed,
            cosigned,
            guard: handle.guard.state(),
        })
    }

    /// A feed that was behind its high-water mark, and is not any more, is to be asked about again.
    async fn reconsider(&self, handle: &Handle, view: &View) -> Result<(), RestoreError> {
        let GuardState::ReadOnly { .. } = handle.guard.state() else { return Ok(()) };
        if self.has_fault(&handle.origin).await? {
            return Ok(());
        }
        let mark = self.parts.store.high_water(&handle.origin).await?;
        let stands = match mark {
            Some(mark) if mark.size == view.size() => mark.root == view.root(),
            Some(mark) if mark.size < view.size() => {
                let at = self.own_prefix(view, mark.size).await;
                mark.size == 0 || at.is_some_and(|(root, _)| root == mark.root)
            }
            Some(_) => false,
            None => true,
        };
        if stands {
            handle.guard.ask_again(RESTORED);
        }
        Ok(())
    }
}

fn size_of(origin: &Origin, note: &[u8]) -> Option<u64> {
    Some(verify::read_note(origin, note).ok()?.checkpoint.size)
}

/// Why a feed of ours was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Another node's.
    #[error("`{origin}` is not a feed of this node: others' feeds come back by following them")]
    NotOurs {
        /// The feed.
        origin: Origin,
    },
    /// Nothing says whose it is.
    #[error("nothing of `{origin}` is here, so the root key must be given: `--root did:key:…`")]
    NoRoot {
        /// The feed.
        origin: Origin,
    },
    /// No source brought it.
    #[error("nobody brought `{origin}`: {}", reasons(failed))]
    Nobody {
        /// The feed.
        origin: Origin,
        /// Who, and why not.
        failed: Vec<(String, String)>,
    },
    /// There is more than anybody brought.
    #[error(
        "{needed} entries of `{origin}` were signed and {size} could be had: nothing is signed here; ask more of those who \
         follow it, or go on without the rest with `jopoi restore --accept-loss`, which needs the root key"
    )]
    Short {
        /// The feed.
        origin: Origin,
        /// What there is.
        size: u64,
        /// What there should be.
        needed: u64,
    },
    /// Our own key signed two versions.
    #[error(
        "{by} holds another version of `{origin}`, signed by this node's own key too: two servers have published with the \
         same keys; the evidence is kept, and `jopoi restore --accept-loss` goes on in a continuation"
    )]
    TwoVersions {
        /// The feed.
        origin: Origin,
        /// Who showed it.
        by: String,
    },
    /// Our own store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What came could not be taken.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

fn reasons(failed: &[(String, String)]) -> String {
    if failed.is_empty() {
        return "there was nobody to ask".to_owned();
    }
    let each = failed.iter().map(|(who, why)| format!("{who}: {why}"));
    each.collect::<Vec<_>>().join("; ")
}
