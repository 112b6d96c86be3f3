//! The rollback guard (design 6): is what is here the newest that our own key ever signed?
//!
//! A restored backup, a cloned machine, a second server with the same keys: each would sign a size a
//! second time and fork the feed. So before the first signature after a start those who cosigned last
//! are asked what they hold of us. *Lenient*, where this is the directory that released the last
//! checkpoint: they have ten seconds. *Strict*, where it may be a copy: nothing is signed until half
//! of them, at least one, have answered. Only checkpoints signed by our own log key count, so nobody
//! can hold us up with a lie; what they prove stays proven over a restart, as a raised high-water mark
//! or as the evidence of a fork.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, NodeName, Origin};
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use super::{FeedState, Feeds, Handle, PublishError, View};
use crate::head;
use crate::ports::{Carrier, HighWater, KeyUse, Since, StoreError};
use crate::verify;

mod words;

/// How long the others are asked: publishing waits for it, and a person waits for publishing.
pub const ASK_MAX: Duration = Duration::from_secs(10);
/// Nodes asked at most: those with the newest lines.
const ASKED_MAX: usize = 32;

/// Whether a feed of ours may be signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GuardState {
    /// Nothing speaks against it.
    #[default]
    Open,
    /// Others were not heard yet.
    Asking {
        /// Whether nothing is signed until half of them have answered.
        strict: bool,
        /// Why, in words for the operator.
        reason: String,
    },
    /// Nothing is signed.
    ReadOnly {
        /// Why and what to do, in words for the operator.
        reason: String,
    },
}

/// The way to other nodes, to ask what they hold of us.
pub trait Others: Send + Sync {
    /// A carrier for what `node` serves, ours included; `None` if nobody knows where it is.
    fn carrier(&self, node: &NodeName) -> Option<Arc<dyn Carrier>>;
}

/// The guard of one feed.
#[derive(Default)]
pub(super) struct Guard {
    /// `None` before the feed was opened, and for one that begins now.
    state: Mutex<Option<GuardState>>,
    /// Why it is to be asked, whatever is heard meanwhile.
    why: Mutex<String>,
    /// The greatest size that a witness claimed without showing it.
    doubted: std::sync::atomic::AtomicU64,
    /// Whoever holds it may ask and decide.
    asking: tokio::sync::Mutex<()>,
}

/// A node that should know our newest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guardian {
    node: NodeName,
    /// What it is known to have held.
    size: u64,
}

/// What a node holds of our feed, as far as our own signatures prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// No answer, or none that our key signed.
    Unknown,
    /// What we hold up to this size.
    Ours(u64),
    /// More than we hold.
    More(HighWater),
    /// Other entries.
    Other(u64),
}

impl Guard {
    pub(super) fn state(&self) -> GuardState {
        self.lock().clone().unwrap_or_default()
    }

    /// Nothing is signed until half of those who cosigned last were heard.
    pub(super) fn ask_again(&self, why: &str) {
        self.found(GuardState::Asking { strict: true, reason: why.to_owned() });
        self.set(GuardState::Asking { strict: true, reason: why.to_owned() });
    }

    pub(super) fn set(&self, state: GuardState) {
        *self.lock() = Some(state);
    }

    /// What was found on opening: the first time it counts; later only if it forbids signing.
    fn found(&self, found: GuardState) {
        if let GuardState::Asking { reason, .. } = &found {
            self.why.lock().unwrap_or_else(PoisonError::into_inner).clone_from(reason);
        }
        let mut state = self.lock();
        if state.is_none() || matches!(found, GuardState::ReadOnly { .. }) {
            *state = Some(found);
        }
    }

    /// How the feed is to be shown, instead of `state`.
    pub(super) fn shown(&self, state: FeedState) -> FeedState {
        match (self.state(), &state) {
            (GuardState::ReadOnly { reason }, FeedState::Open)
            | (GuardState::Asking { strict: true, reason }, FeedState::Open) => {
                FeedState::ReadOnly { reason }
            }
            _ => state,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<GuardState>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feeds {
    /// Tells how others are reached. Without it nobody is asked: what is lenient opens at once, what is
    /// strict stays read-only.
    pub fn set_others(&self, others: Arc<dyn Others>) {
        // The first holds: a process has one way out.
        let _ = self.others.set(others);
    }

    /// Whether a feed of ours may be signed now.
    pub fn guard(&self, origin: &Origin) -> GuardState {
        self.handle(origin).map(|handle| handle.guard.state()).unwrap_or_default()
    }

    /// The guards of all feeds of ours.
    pub fn guards(&self) -> Vec<(Origin, GuardState)> {
        self.own().into_iter().map(|origin| (origin.clone(), self.guard(&origin))).collect()
    }

    /// Whether this directory may be an older copy: what was cosigned last may stand elsewhere only.
    pub fn is_restored(&self) -> bool {
        self.was_restored.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Decides what is still undecided; what cannot be decided yet stays so.
    pub async fn decide_guards(self: &Arc<Self>) {
        for (origin, state) in self.guards() {
            if matches!(state, GuardState::Asking { .. }) {
                self.decide_guard(&origin).await;
            }
        }
    }

    /// Asks those who cosigned a feed of ours last, for at most [`ASK_MAX`], unless it is decided.
    pub async fn decide_guard(self: &Arc<Self>, origin: &Origin) -> GuardState {
        let Some(handle) = self.handle(origin).filter(|handle| handle.own) else {
            return GuardState::Open;
        };
        let _asking = handle.guard.asking.lock().await;
        let (state, view) = (handle.guard.state(), handle.view.load_full());
        let (GuardState::Asking { strict, .. }, Some(view)) = (&state, view) else { return state };
        let guardians = self.guardians(origin);
        let heard = self.ask(&view, &guardians).await;
        self.conclude(&handle, *strict, &guardians, heard).await
    }

    /// Weighs a checkpoint of a feed of ours that somebody showed us at any time: an answer to
    /// `add-checkpoint`, a cosignature, `/heads`. If our own key signed more than is here, or something
    /// else, signing stops. Returns whether it did.
    pub async fn weigh_own(self: &Arc<Self>, origin: &Origin, note: &[u8], from: &str) -> bool {
        let handle = self.handle(origin).filter(|handle| handle.own);
        let Some((handle, view)) =
            handle.and_then(|handle| handle.view.load_full().map(|view| (handle, view)))
        else {
            return false;
        };
        let held = self.judge_own(&view, note, None).await;
        matches!(held, Held::More(_) | Held::Other(_)) && {
            self.stop_signing(&handle, from, &held).await;
            true
        }
    }

    /// A witness says, unsigned, that it holds more of a feed of ours than is here (a 409 of C2SP
    /// tlog-witness). That proves nothing; it stops signing until those who cosigned last were heard. One
    /// claim is asked about once.
    pub fn doubt(&self, origin: &Origin, size: u64, from: &str) {
        let Some(handle) = self.handle(origin).filter(|handle| handle.own) else { return };
        let here = handle.view.load().as_ref().map_or(0, |view| view.size());
        let before = handle.guard.doubted.fetch_max(size, std::sync::atomic::Ordering::AcqRel);
        if size > here && size > before && handle.guard.state() == GuardState::Open {
            let why = words::claimed(from, here, size);
            error!(event = "guard.doubted", feed.origin = %origin, "{why}");
            handle.guard.ask_again(&why);
            self.show_guard(&handle, handle.guard.state());
        }
    }

    /// The ways to those who may hold more of a feed of ours than is here.
    pub fn carriers_of_guardians(&self, origin: &Origin) -> Vec<(NodeName, Arc<dyn Carrier>)> {
        let Some(others) = self.others.get() else { return Vec::new() };
        let reached =
            |guardian: Guardian| Some((guardian.node.clone(), others.carrier(&guardian.node)?));
        self.guardians(origin).into_iter().filter_map(reached).collect()
    }

    /// Waits for the guard's decision before something is signed.
    pub(super) async fn may_sign(self: &Arc<Self>, handle: &Handle) -> Result<(), PublishError> {
        let mut state = handle.guard.state();
        if matches!(state, GuardState::Asking { .. }) {
            state = self.decide_guard(&handle.origin).await;
        }
        match state {
            GuardState::Open => Ok(()),
            GuardState::Asking { reason, .. } | GuardState::ReadOnly { reason } => {
                Err(PublishError::ReadOnly { origin: handle.origin.clone(), reason })
            }
        }
    }

    /// Before the first commit of a feed: nothing of it was ever shown. The mark is made first, so that a
    /// head without one is a copy or a backup, however short it is.
    pub(super) async fn may_begin(&self, handle: &Handle) -> Result<(), PublishError> {
        let (origin, store) = (&handle.origin, &self.parts.store);
        let refused = |reason| PublishError::ReadOnly { origin: origin.clone(), reason };
        if let Some(reason) = handle.closed() {
            return Err(refused(reason));
        }
        match store.high_water(origin).await? {
            Some(mark) if mark.size > 0 => Err(refused(words::behind(origin, 0, mark.size))),
            Some(_) => Ok(()),
            None => {
                let mark = HighWater { size: 0, root: Hash::EMPTY_ROOT };
                Ok(store.set_high_water(origin, mark).await?)
            }
        }
    }

    /// Compares what is on disk with the high-water mark, and says whether what follows the last good
    /// commit may be cut. `forked` tells that the feed is known to be forked.
    pub(super) async fn guard_at_open(
        &self,
        handle: &Handle,
        (size, root): (u64, Hash),
        forked: bool,
    ) -> Result<bool, StoreError> {
        let (origin, store) = (&handle.origin, &self.parts.store);
        let strict = |reason: String| GuardState::Asking { strict: true, reason };
        let (state, may_cut) = match (store.high_water(origin).await, forked) {
            (_, true) => (GuardState::ReadOnly { reason: words::forked(origin) }, false),
            (Err(error), _) => (strict(words::no_mark(&error)), false),
            (Ok(Some(mark)), _) if mark.size > size => {
                (GuardState::ReadOnly { reason: words::behind(origin, size, mark.size) }, false)
            }
            (Ok(Some(mark)), _) if mark.size == size && mark.root != root => {
                (GuardState::ReadOnly { reason: words::others_shown(size) }, false)
            }
            (Ok(Some(_)), _) if store.high_water_is_at_home(origin).await? == Some(false) => {
                (strict(words::copied()), true)
            }
            (Ok(None), _) => (strict(words::copied()), false),
            (Ok(_), _) => {
                let reason = "those who cosigned last are asked what they hold".to_owned();
                (GuardState::Asking { strict: false, reason }, true)
            }
        };
        if !matches!(state, GuardState::Asking { strict: false, .. }) {
            self.was_restored.store(true, std::sync::atomic::Ordering::Release);
        }
        handle.guard.found(state);
        Ok(may_cut)
    }

    /// Decides by what was heard.
    pub(super) async fn conclude(
        self: &Arc<Self>,
        handle: &Handle,
        strict: bool,
        guardians: &[Guardian],
        heard: Vec<(NodeName, Held)>,
    ) -> GuardState {
        let speaks_against = |held: &Held| matches!(held, Held::More(_) | Held::Other(_));
        if let Some((node, held)) = heard.iter().find(|(_, held)| speaks_against(held)) {
            self.stop_signing(handle, node.as_str(), held).await;
            return handle.guard.state();
        }
        // A node that now says less than it once cosigned has not told what it holds.
        let known = |node: &NodeName| {
            let known = guardians.iter().find(|guardian| guardian.node == *node);
            known.map(|known| known.size).or((node != self.node()).then_some(0))
        };
        let answers = heard.iter().filter(|(node, held)| match held {
            Held::Ours(size) => known(node).is_some_and(|known| *size >= known),
            _ => false,
        });
        let (answers, needed) = (answers.count(), guardians.len().div_ceil(2).max(1));
        let state = if !strict {
            GuardState::Open
        } else if answers < needed {
            let why = handle.guard.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let reason = words::waiting(&why, guardians.len(), answers, needed);
            GuardState::Asking { strict: true, reason }
        } else {
            match self.come_home(handle).await {
                Ok(()) => GuardState::Open,
                Err(error) => GuardState::ReadOnly { reason: words::no_mark(&error) },
            }
        };
        self.show_guard(handle, state.clone());
        state
    }

    /// This directory is the one that goes on: from now on a restart here is a mere restart.
    async fn come_home(&self, handle: &Handle) -> Result<(), StoreError> {
        let _writer = handle.writer.lock().await;
        let Some(view) = handle.view.load_full() else { return Ok(()) };
        let mark = HighWater { size: view.size(), root: view.root() };
        self.parts.store.set_high_water(&handle.origin, mark).await?;
        self.parts.store.cut(&handle.origin, view.mark.bytes).await?;
        info!(
            event = "guard.opened",
            feed.origin = %handle.origin, feed.size = view.size(),
            "nobody holds more of `{}` than its {} entries here: it is signed here from now on", handle.origin, view.size()
        );
        Ok(())
    }

    /// Nothing more is signed; a restart does not forget why.
    async fn stop_signing(self: &Arc<Self>, handle: &Handle, from: &str, held: &Held) {
        let ours = handle.view.load().as_ref().map_or(0, |view| view.size());
        let reason = match held {
            Held::More(mark) => {
                let raised = self.parts.store.set_high_water(&handle.origin, *mark).await;
                if let Err(error) = raised {
                    error!(event = "guard.not-raised", feed.origin = %handle.origin, "the high-water mark could not be raised: {error}");
                }
                words::more(&handle.origin, from, ours, mark.size)
            }
            Held::Other(size) => words::other(&handle.origin, from, *size),
            Held::Unknown | Held::Ours(_) => return,
        };
        error!(event = "guard.read-only", feed.origin = %handle.origin, "{reason}");
        self.show_guard(handle, GuardState::ReadOnly { reason });
    }

    /// After a write that may not have reached the disk: what was shown before stays, for a power cut could
    /// take back what came after it. The next start reads the disk and decides.
    pub(super) fn stop_after_write(&self, handle: &Handle, error: &dyn Display) {
        let reason = words::not_surely_written(error);
        error!(event = "guard.unsure-write", feed.origin = %handle.origin, "{reason}");
        self.show_guard(handle, GuardState::ReadOnly { reason });
    }

    fn show_guard(&self, handle: &Handle, state: GuardState) {
        let opens = state == GuardState::Open;
        handle.guard.set(state);
        let Some(view) = handle.view.load_full() else { return };
        let state = match &view.state {
            FeedState::ReadOnly { .. } if opens => FeedState::Open,
            other => other.clone(),
        };
        self.show(handle, View { state, ..View::clone(&view) });
    }

    /// Those who cosigned last; where nobody ever did, the nodes that we follow.
    pub(super) fn guardians(&self, origin: &Origin) -> Vec<Guardian> {
        let mut guardians: Vec<Guardian> = Vec::new();
        let mut receipts = self.receipts(origin).to_vec();
        receipts.sort_by_key(|receipt| std::cmp::Reverse(receipt.time));
        for receipt in receipts {
            let node = receipt.node.filter(|node| node != self.node());
            let new = |node: &NodeName| !guardians.iter().any(|known| known.node == *node);
            if let Some(node) = node.filter(new) {
                guardians.push(Guardian { node, size: receipt.size });
            }
        }
        if guardians.is_empty() {
            let pins = self.pins().into_iter().filter(|pin| pin.node != *self.node());
            guardians.extend(pins.map(|pin| Guardian { node: pin.node, size: 0 }));
        }
        guardians.truncate(ASKED_MAX);
        guardians
    }

    async fn ask(&self, view: &View, guardians: &[Guardian]) -> Vec<(NodeName, Held)> {
        let Some(others) = self.others.get() else { return Vec::new() };
        // At our own addresses another server may answer; if it is this one, it says what is here.
        let own = Guardian { node: self.node().clone(), size: u64::MAX };
        let mut answers = FuturesUnordered::new();
        for guardian in guardians.iter().chain([&own]) {
            let Some(carrier) = others.carrier(&guardian.node) else { continue };
            answers.push(async move {
                let held = match carrier.checkpoint(&view.origin).await {
                    Ok(note) => self.judge_own(view, &note, Some(carrier.as_ref())).await,
                    Err(error) => {
                        info!(event = "guard.no-answer", feed.origin = %view.origin, "{} does not say what it holds of `{}`: {error}", guardian.node, view.origin);
                        Held::Unknown
                    }
                };
                (guardian.node.clone(), held)
            });
        }
        let deadline = Instant::now() + ASK_MAX;
        let mut heard = Vec::new();
        while let Ok(Some(answer)) = timeout_at(deadline, answers.next()).await {
            heard.push(answer);
        }
        heard
    }

    /// What a checkpoint of our own feed proves. `carrier` brought it, and can explain a key that is
    /// not known here.
    pub(super) async fn judge_own(
        &self,
        view: &View,
        note: &[u8],
        carrier: Option<&dyn Carrier>,
    ) -> Held {
        let Ok(served) = verify::read_note(&view.origin, note) else { return Held::Unknown };
        let said = &served.checkpoint;
        let more = Held::More(HighWater { size: said.size, root: said.root });
        if !self.signed_by_us(view, &served) {
            // Perhaps a key that came after this backup: then the log itself says so.
            let explained = match carrier {
                Some(carrier) if said.size > view.size() => explained(view, carrier).await,
                _ => false,
            };
            return if explained { more } else { Held::Unknown };
        }
        if said.size > view.size() {
            return more;
        }
        let same = match said.size == view.size() {
            true => Some(view.root()),
            false => self.own_prefix(view, said.size).await.map(|(root, _)| root),
        };
        match same {
            Some(root) if root == said.root => Held::Ours(said.size),
            Some(_) => {
                // The evidence is kept, so that a restart does not forget.
                if let Err(error) = self.judge_note(&view.origin, &served, None).await {
                    warn!(event = "guard.evidence-not-kept", feed.origin = %view.origin, "the evidence could not be kept: {error}");
                }
                Held::Other(said.size)
            }
            None => Held::Unknown,
        }
    }

    fn signed_by_us(&self, view: &View, served: &SignedCheckpoint) -> bool {
        if verify::check_signature(&view.origin, served, &view.keys).is_ok() {
            return true;
        }
        self.signer().public(KeyUse::Log).is_ok_and(|key| {
            served.verify(&VerifierKey::note(KeyName::from(&view.origin), key)).is_ok()
        })
    }
}

/// Whether the entries that a carrier has beyond ours verify, with whatever keys they introduce.
async fn explained(view: &View, carrier: &dyn Carrier) -> bool {
    let Ok(Since::Commits(bytes)) = carrier.since(&view.origin, view.size(), None).await else {
        return false;
    };
    let Ok(commits) = head::decode_since(&bytes) else { return false };
    let keys = network::keys::KeyHistory::clone(&view.keys);
    super::sync::fold(view.origin.clone(), view.tree.clone(), keys, &commits).is_ok()
}
