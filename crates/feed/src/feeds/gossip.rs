//! Forks found by comparing: what a peer says it holds of a feed against our own copy of it.
//!
//! In every round a follower reads its peer's `/heads`. A root that is not ours at that size, or a
//! size we are not shown, is a reason to ask that peer for the signed checkpoint and judge it. Who has
//! proof of a fork says so in `/heads` and gives the evidence to whoever asks; each receiver checks it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::name::Origin;
use tokio::time::timeout;

use super::{Feeds, Judgement, SyncError, TakenFault, View};
use crate::fault::Fault;
use crate::ports::{Carrier, Quiet};

/// Reasons for doubt that are looked into in one exchange with one peer: enough to find a fork at
/// once, and a peer that raises false doubts costs no more than this many questions a round.
const DOUBTS_MAX: usize = 8;
/// Doubts that turned out to be none, remembered so that the others have their turn.
const DISPELLED_MAX: usize = 4_096;

/// How long one peer may take to bring what another owns.
const AHEAD_MAX: Duration = Duration::from_secs(120);

/// What may go wrong.
const EVIDENCE: &str = "the evidence about the owner";

/// One line of a peer's `/heads`. Not signed: it only tells where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The feed.
    pub origin: Origin,
    /// Its size there.
    pub size: u64,
    /// Its root there.
    pub root: Hash,
    /// SHA-256 of the evidence of a fork that the peer holds.
    pub evidence: Option<Hash>,
}

impl Feeds {
    /// Compares what a peer says it holds with what we hold, and looks into what does not go together.
    ///
    /// Answers with the forks found. What the peer cannot show convicts nobody.
    ///
    /// # Errors
    /// When our own store fails.
    pub async fn compare_heads(
        self: &Arc<Self>,
        carrier: &dyn Carrier,
        heard: &[Heard],
    ) -> Result<Vec<Fault>, SyncError> {
        let peer = carrier.describe();
        let mut found = Vec::new();
        let mut doubts = 0;
        for line in heard {
            let Some(view) = self.view(&line.origin) else { continue };
            if self.evidence_of(&line.origin).is_some() {
                continue;
            }
            if doubts >= DOUBTS_MAX {
                break;
            }
            let doubt = doubt_of(&peer, line);
            if self.is_dispelled(&doubt) {
                continue;
            }
            let looked = match self.stands(&peer, &view, line).await {
                Compared::Same => continue,
                Compared::Evidence => self.ask_evidence(carrier, &line.origin).await?,
                Compared::Doubtful => self.ask_checkpoint(carrier, &line.origin).await?,
                Compared::Ahead => self.ask_ahead(carrier, &line.origin).await?,
            };
            doubts += 1;
            match looked {
                Looked::Fork(fault) => found.push(*fault),
                Looked::Nothing => self.dispel(doubt),
                Looked::Unanswered => {}
            }
        }
        Ok(found)
    }

    async fn stands(&self, peer: &str, view: &View, line: &Heard) -> Compared {
        let (size, root) = (view.size(), view.root());
        if line.evidence.is_some() {
            return Compared::Evidence;
        }
        if let Some(compared) = self.ahead(peer, view, line) {
            return compared;
        }
        let ours = match line.size {
            0 => return Compared::Same,
            same if same == size => Some(root),
            _ => self.own_prefix(view, line.size).await.map(|(root, _)| root),
        };
        if ours == Some(line.root) { Compared::Same } else { Compared::Doubtful }
    }

    /// How a size beyond ours stands; `None` if it is not.
    fn ahead(&self, peer: &str, view: &View, line: &Heard) -> Option<Compared> {
        let key = (peer.to_owned(), line.origin.clone());
        let mut ahead = self.forks.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if line.size <= view.size() {
            ahead.remove(&key);
            return None;
        }
        // News that we do not have yet is nothing to wonder at; news that we still do not have when we
        // next ask is.
        let before = ahead.get(&key).copied();
        let late = before.is_some_and(|before| view.size() < before);
        if !late {
            ahead.insert(key, line.size);
        }
        Some(if late { Compared::Ahead } else { Compared::Same })
    }

    async fn ask_evidence(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
    ) -> Result<Looked, SyncError> {
        let handle = self.handle(origin);
        let bytes = match carrier.evidence(origin).await {
            Ok(bytes) => bytes,
            Err(error) => {
                handle.iter().for_each(|handle| handle.trouble(EVIDENCE, &error));
                return Ok(Looked::Unanswered);
            }
        };
        handle.iter().for_each(|handle| handle.no_trouble(EVIDENCE));
        let about = Fault::parse(&bytes).is_ok_and(|fault| fault.origin == *origin);
        Ok(match self.take_fault(&bytes).await? {
            TakenFault::Kept(fault) if about => Looked::Fork(fault),
            _ => Looked::Nothing,
        })
    }

    async fn ask_checkpoint(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
    ) -> Result<Looked, SyncError> {
        let Ok(note) = carrier.checkpoint(origin).await else { return Ok(Looked::Unanswered) };
        let Ok(served) = SignedCheckpoint::parse(&note) else { return Ok(Looked::Nothing) };
        Ok(match self.judge_note(origin, &served, Some(carrier)).await? {
            Judgement::Fork(fault) => Looked::Fork(fault),
            _ => Looked::Nothing,
        })
    }

    /// The peer holds more than we are shown: another history, or news that its owner keeps from us. Of
    /// a feed that is followed the news is taken from here then, verified as always.
    async fn ask_ahead(
        self: &Arc<Self>,
        carrier: &dyn Carrier,
        origin: &Origin,
    ) -> Result<Looked, SyncError> {
        match self.ask_checkpoint(carrier, origin).await? {
            Looked::Nothing => {}
            looked => return Ok(looked),
        }
        let Some(handle) = self.handle(origin).filter(|handle| !handle.own) else {
            return Ok(Looked::Nothing);
        };
        // A round that waits for news at its owner would hold this one up.
        if handle.syncing.try_lock().is_err() {
            return Ok(Looked::Unanswered);
        }
        // Nor may this peer hold up the owner's own news: what it has brought by then is kept.
        let Ok(synced) = timeout(AHEAD_MAX, self.sync_feed(carrier, origin, None, &Quiet)).await
        else {
            return Ok(Looked::Unanswered);
        };
        match synced {
            Err(SyncError::Fork { fault, .. }) => Ok(Looked::Fork(fault)),
            Err(error @ (SyncError::Store(_) | SyncError::Catalog(_))) => Err(error),
            Err(SyncError::Carrier(_)) => Ok(Looked::Unanswered),
            _ => Ok(Looked::Nothing),
        }
    }

    fn is_dispelled(&self, doubt: &Hash) -> bool {
        self.forks.dispelled.lock().unwrap_or_else(PoisonError::into_inner).contains(doubt)
    }

    fn dispel(&self, doubt: Hash) {
        let mut dispelled = self.forks.dispelled.lock().unwrap_or_else(PoisonError::into_inner);
        if dispelled.len() >= DISPELLED_MAX {
            dispelled.clear();
        }
        dispelled.insert(doubt);
    }
}

/// How a line of `/heads` stands to our copy.
enum Compared {
    Same,
    /// The peer has evidence that we do not have.
    Evidence,
    /// Another root than ours at that size.
    Doubtful,
    /// More than we were shown since the last time we asked this peer.
    Ahead,
}

/// What came of looking into a doubt.
enum Looked {
    Fork(Box<Fault>),
    /// There is nothing in it.
    Nothing,
    /// The peer, or whoever stands between, did not answer: it is asked again.
    Unanswered,
}

/// A doubt, so that it is looked into once.
fn doubt_of(peer: &str, line: &Heard) -> Hash {
    let Heard { origin, size, root, evidence } = line;
    let evidence = evidence.map(|hash| hash.to_hex()).unwrap_or_default();
    Hash::of(format!("{peer}\n{origin}\n{size}\n{root}\n{evidence}"))
}
