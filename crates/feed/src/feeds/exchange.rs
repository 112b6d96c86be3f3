//! Receipts on their way: taking those of others, collecting them from carriers, signing our own.
//!
//! A line is stored only once all of it was checked: a key that counts here, its signature, the log's
//! signature, and that the entries held make the root it was made over. So what is served poisons
//! nobody's note, and what is counted was said.
//!
//! Our own receipt for a followed feed is signed after a commit has been settled: every entry below its
//! size is verified and stored, every body there, or erased as it should be.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use network::times::AHEAD_MAX;
use tlog::name::{KeyName, Origin};
use tracing::{debug, info, warn};

use super::cosigners::{Cosigner, Cosigners};
use super::receipts::RENEW_S;
use super::{FeedState, Feeds, Handle, RefusedCheckpoint, SyncError, View};
use crate::cosignatures::{Cosignatures, Cosigned, InvalidCosigned};
use crate::ports::{Carrier, CarrierError, Delivered, StoreError};
use crate::verify;

/// A node that does not know our key yet is asked again after this time, in seconds.
const RETRY_S: u64 = 600;

/// False lines in one list after which it is read no further: an honest carrier keeps none, and each costs
/// us a signature to check.
const FALSE_LINES_MAX: usize = 16;

/// What may go wrong beside the rounds.
const COSIGNATURES: &str = "the cosignatures";
const A_LIST: &str = "a list of cosignatures that is none";
const RECEIPT: &str = "our receipt";

/// What was asked and delivered in rounds with a feed's carriers.
#[derive(Debug, Default)]
pub(super) struct Exchanged {
    /// Our size and the time when lines were last asked for, and who was asked: what one carrier kept to
    /// itself another may tell.
    asked: Option<(u64, u64, String)>,
    /// Size and time of our own line that the carrier has.
    delivered: Option<(u64, u64)>,
    /// Size and time of our own line that the carrier refused, and when.
    refused: Option<((u64, u64), u64)>,
    /// Whether lines were read from elsewhere since the start.
    read_elsewhere: bool,
    /// What went wrong beside the rounds, and was told.
    told: BTreeSet<&'static str>,
}

impl Handle {
    /// Says what went wrong with `what`, once until it goes well again.
    pub(super) fn trouble(&self, what: &'static str, error: &CarrierError) {
        let origin = &self.origin;
        let new = !matches!(error, CarrierError::Busy { .. } | CarrierError::NotFound { .. })
            && self.exchanged().told.insert(what);
        if new {
            info!(event = "receipt.trouble", feed.origin = %origin, "{what} of `{origin}`: {error}");
        } else {
            debug!(feed.origin = %origin, "{what} of `{origin}`: {error}");
        }
    }

    /// It goes well again.
    pub(super) fn no_trouble(&self, what: &'static str) {
        self.exchanged().told.remove(what);
    }
}

impl Feeds {
    /// Takes the cosignature of another node over a feed held here: a note as
    /// [`cosignatures`](crate::cosignatures) has it.
    pub async fn accept_cosignature(
        self: &Arc<Self>,
        origin: &Origin,
        note: &[u8],
    ) -> Result<(), RefusedCosignature> {
        let unknown = || RefusedCosignature::UnknownFeed { origin: origin.clone() };
        let handle = self.handle(origin).ok_or_else(unknown)?;
        let view = handle.view.load_full().ok_or_else(unknown)?;
        let cosigned = Cosigned::parse(note)?;
        let weighed = self.weigh(&view, &self.cosigners(), &cosigned, None).await;
        if handle.own && matches!(&weighed, Err(error) if error.is_of_another_state()) {
            // It bears our own log's signature: then this is not the newest that our key signed.
            self.weigh_own(origin, note, cosigned.name().as_str()).await;
        }
        weighed?;
        let held = handle.lines().of(cosigned.name(), cosigned.line().id).map(Cosigned::age);
        if let Some((size, time)) = held.filter(|held| *held >= cosigned.age()) {
            return Err(RefusedCosignature::NotNewer { size, time });
        }
        self.keep_lines(&handle, vec![cosigned]).await?;
        Ok(())
    }

    /// One exchange of receipts with a carrier, after a round that ended well: reads the lines it has if
    /// the feed changed or time has come, signs our own if it is due, and hands it over. Whatever goes
    /// wrong is tried again in a later round.
    pub async fn exchange_receipts(self: &Arc<Self>, carrier: &dyn Carrier, origin: &Origin) {
        let Some(handle) = self.handle(origin).filter(|handle| !handle.own) else { return };
        let Some(view) = handle.view.load_full() else { return };
        let now = self.parts.clock.now();
        let due = {
            let exchanged = handle.exchanged();
            let asked = exchanged.asked.as_ref().filter(|_| exchanged.read_elsewhere);
            asked.is_none_or(|(size, time, who)| {
                *size != view.size()
                    || now.saturating_sub(*time) >= RENEW_S
                    || *who != carrier.describe()
            })
        };
        if due {
            match carrier.cosignatures(origin).await {
                Ok(bytes) => {
                    handle.no_trouble(COSIGNATURES);
                    self.merge_cosignatures(origin, &bytes, Some(carrier)).await;
                    handle.exchanged().asked = Some((view.size(), now, carrier.describe()));
                }
                // A carrier that keeps none; after a restore that tells nothing.
                Err(CarrierError::NotFound { .. }) if !self.is_restored() => {
                    let mut exchanged = handle.exchanged();
                    exchanged.asked = Some((view.size(), now, carrier.describe()));
                    exchanged.read_elsewhere = true;
                }
                Err(error) => handle.trouble(COSIGNATURES, &error),
            }
        }
        // Others may know more of what we signed than we do, whatever happened to this directory.
        if !handle.exchanged().read_elsewhere {
            return;
        }
        match self.own_receipt(origin).await {
            Ok(Some(receipt)) => self.hand_over(&handle, carrier, &receipt).await,
            Ok(None) => {}
            Err(error) => {
                warn!(event = "receipt.not-signed", feed.origin = %origin, "no receipt for `{origin}`: {error}");
            }
        }
    }

    async fn hand_over(&self, handle: &Handle, carrier: &dyn Carrier, receipt: &Cosigned) {
        let (origin, now) = (&handle.origin, self.parts.clock.now());
        let wait = {
            let exchanged = handle.exchanged();
            let refused = exchanged.refused.is_some_and(|(line, at)| {
                line == receipt.age() && now < at.saturating_add(RETRY_S)
            });
            exchanged.delivered == Some(receipt.age()) || refused
        };
        if wait {
            return;
        }
        match carrier.deliver(origin, receipt.to_bytes().into()).await {
            Ok(Delivered::Taken) => {
                handle.no_trouble(RECEIPT);
                let mut exchanged = handle.exchanged();
                exchanged.delivered = Some(receipt.age());
                exchanged.refused = None;
            }
            Ok(Delivered::UnknownKey) => {
                handle.exchanged().refused = Some((receipt.age(), now));
                debug!(feed.origin = %origin, "the node of `{origin}` does not know our receipt key yet");
            }
            Ok(Delivered::Contradicts) => {
                handle.exchanged().refused = Some((receipt.age(), now));
                warn!(
                    event = "receipt.contradicted",
                    feed.origin = %origin, feed.size = receipt.size(),
                    "{} says that it does not hold the {} entries of `{origin}` that we received from it",
                    carrier.describe(), receipt.size()
                );
            }
            Err(error) => handle.trouble(RECEIPT, &error),
        }
    }

    /// Stores those of a carrier's lines that are newer than ours and check out; how many. The carrier is
    /// asked for what is behind a line that contradicts what is held.
    pub async fn merge_cosignatures(
        self: &Arc<Self>,
        origin: &Origin,
        bytes: &[u8],
        carrier: Option<&dyn Carrier>,
    ) -> usize {
        let Some(handle) = self.handle(origin) else { return 0 };
        let Some(view) = handle.view.load_full() else { return 0 };
        let theirs = match Cosignatures::decode(bytes) {
            Ok(theirs) => {
                handle.no_trouble(A_LIST);
                theirs
            }
            Err(error) => {
                // It is asked for again and again: once is enough.
                if handle.exchanged().told.insert(A_LIST) {
                    info!(event = "receipt.no-cosignatures", feed.origin = %origin, "cosignatures of `{origin}` that are none: {error}");
                }
                return 0;
            }
        };
        let (known, held) = (self.cosigners(), handle.lines());
        let mut good = Vec::new();
        let mut read_elsewhere = true;
        let mut false_lines = 0;
        for line in theirs.lines() {
            let ours = held.of(line.name(), line.line().id);
            if ours.is_some_and(|ours| ours.age() >= line.age()) {
                continue;
            }
            let own = *line.name() == KeyName::receipt_of(self.node())
                || *line.name() == KeyName::witness_of(self.node());
            match self.weigh(&view, &known, line, carrier).await {
                Ok(()) => good.push(line.clone()),
                // We signed more of it than we hold, or something else: nothing is signed before we have
                // caught up.
                Err(RefusedCosignature::Larger { .. } | RefusedCosignature::OtherRoot { .. })
                    if own =>
                {
                    read_elsewhere = false;
                }
                Err(RefusedCosignature::False { .. }) if false_lines == FALSE_LINES_MAX => {
                    info!(event = "receipt.false-cosignatures", feed.origin = %origin, "the rest of a list with false cosignatures of `{origin}` is not read");
                    break;
                }
                Err(RefusedCosignature::False { .. }) => false_lines += 1,
                Err(_) => {}
            }
        }
        let own = good.iter().filter(|line| known.node_of(line) == Some(self.node()));
        for line in own.cloned().collect::<Vec<_>>() {
            if let Err(error) = self.recall(line).await {
                warn!(event = "receipt.not-noted", feed.origin = %origin, "what we cosigned of `{origin}` was not noted: {error}");
                read_elsewhere = false;
            }
        }
        let count = good.len();
        match self.keep_lines(&handle, good).await {
            Ok(()) => {
                handle.exchanged().read_elsewhere = read_elsewhere;
                count
            }
            Err(error) => {
                warn!(event = "receipt.not-kept", feed.origin = %origin, "cosignatures of `{origin}` were not kept: {error}");
                0
            }
        }
    }

    /// Whether all of a line checks out against what is held. A line that shows two histories is kept as
    /// evidence.
    async fn weigh(
        self: &Arc<Self>,
        view: &View,
        known: &Cosigners,
        cosigned: &Cosigned,
        carrier: Option<&dyn Carrier>,
    ) -> Result<(), RefusedCosignature> {
        let origin = &view.origin;
        if cosigned.checkpoint().origin.as_str() != origin.as_str() {
            return Err(RefusedCosignature::OtherFeed { origin: origin.clone() });
        }
        let name = cosigned.name();
        let cosigner = known.of(cosigned.line());
        let cosigner =
            cosigner.ok_or_else(|| RefusedCosignature::UnknownKey { name: name.clone() })?;
        let verified = cosigned.verify(&cosigner.key);
        let time = verified.map_err(|_| RefusedCosignature::False { name: name.clone() })?;
        let now = self.parts.clock.now();
        if time > now.saturating_add(AHEAD_MAX) {
            return Err(RefusedCosignature::Ahead { time, now });
        }
        let note = cosigned.log_note()?;
        verify::check_signature(origin, &note, &view.keys)
            .map_err(|error| RefusedCosignature::NotOfLog { reason: error.to_string() })?;
        let size = cosigned.size();
        if size > view.size() {
            if view.own {
                self.weigh_own(origin, &note.note.to_bytes(), name.as_str()).await;
            }
            return Err(RefusedCosignature::Larger { size, held: view.size() });
        }
        if self.root_at(view, size).await != Some(cosigned.checkpoint().root) {
            if let Err(error) = self.contradicted(view, cosigner, cosigned, carrier).await {
                warn!(event = "fork.not-judged", feed.origin = %origin, "a contradiction in `{origin}` could not be judged: {error}");
            }
            return Err(RefusedCosignature::OtherRoot { size });
        }
        Ok(())
    }

    /// A cosigner and the log signed what is not what we hold: whom that convicts is judged elsewhere.
    async fn contradicted(
        self: &Arc<Self>,
        view: &View,
        cosigner: &Cosigner,
        cosigned: &Cosigned,
        carrier: Option<&dyn Carrier>,
    ) -> Result<(), SyncError> {
        let (origin, size, name) = (&view.origin, cosigned.size(), cosigned.name());
        if self.evidence_of(origin).is_some() {
            return Ok(());
        }
        warn!(
            event = "fork.suspected",
            feed.origin = %origin, feed.size = size,
            "`{name}` cosigned {size} entries of `{origin}` that are not those held here"
        );
        let (Ok(note), Ok(whole)) = (cosigned.log_note(), cosigned.note()) else { return Ok(()) };
        if view.own {
            self.weigh_own(origin, &note.note.to_bytes(), name.as_str()).await;
        }
        self.judge_note(origin, &note, carrier).await?;
        let handle = self.handle(origin);
        let known = handle.and_then(|handle| {
            handle.lines().of(name, cosigned.line().id).and_then(|line| line.note().ok())
        });
        if let Some(known) = known {
            self.judge_cosigner(origin, &cosigner.key, &known, &whole, carrier).await?;
        }
        Ok(())
    }

    /// Whether our own keys may sign for a feed now: not after a restore, before it was read elsewhere
    /// what they signed last.
    pub(super) fn may_cosign(&self, handle: &Handle) -> bool {
        !self.is_restored() || handle.exchanged().read_elsewhere
    }

    /// Our receipt for a feed that is followed, signed anew if the feed changed or eight hours passed.
    /// None if there is nothing to sign: our own feed, one that is held back, one that lacks a body.
    pub async fn own_receipt(
        self: &Arc<Self>,
        origin: &Origin,
    ) -> Result<Option<Cosigned>, RefusedCheckpoint> {
        let Some(handle) = self.handle(origin).filter(|handle| !handle.own) else {
            return Ok(None);
        };
        let Some(view) = handle.view.load_full() else { return Ok(None) };
        if view.state != FeedState::Open || !view.missing.is_empty() || !self.may_cosign(&handle) {
            return Ok(None);
        }
        let Some(receipt) = self.sign_receipt(&view).await? else { return Ok(None) };
        self.keep_lines(&handle, vec![receipt.clone()]).await?;
        Ok(Some(receipt))
    }
}

impl Handle {
    fn exchanged(&self) -> MutexGuard<'_, Exchanged> {
        self.exchanged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a cosignature was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RefusedCosignature {
    /// Not a note with a line of the log and one of a cosigner.
    #[error("this is no cosignature: {0}")]
    Unreadable(#[from] InvalidCosigned),
    /// Of another log.
    #[error("the checkpoint in it is not of `{origin}`")]
    OtherFeed {
        /// The feed it was sent for.
        origin: Origin,
    },
    /// Its time is ahead of our clock.
    #[error(
        "it says to be made at {time}, and the clock here says {now}; set the clock that is wrong"
    )]
    Ahead {
        /// What it says, in seconds since 1970.
        time: u64,
        /// Our clock, in seconds since 1970.
        now: u64,
    },
    /// Not held here.
    #[error("there is no feed `{origin}` here")]
    UnknownFeed {
        /// The feed.
        origin: Origin,
    },
    /// By a key that does not count here.
    #[error(
        "the key of `{name}` is not known here; keys are told by the node records of nodes that are followed"
    )]
    UnknownKey {
        /// The name of the key.
        name: KeyName,
    },
    /// Not signed by the key it says.
    #[error("the cosignature of `{name}` does not fit the checkpoint")]
    False {
        /// The name of the key.
        name: KeyName,
    },
    /// Not signed by the feed's owner.
    #[error("the checkpoint is not signed by the key that speaks for the feed: {reason}")]
    NotOfLog {
        /// In words.
        reason: String,
    },
    /// Over more entries than are here.
    #[error("it is over {size} entries, and {held} are here")]
    Larger {
        /// What it says.
        size: u64,
        /// What is here.
        held: u64,
    },
    /// No news.
    #[error("a cosignature of this key over {size} entries, made at {time}, is here already")]
    NotNewer {
        /// Entries.
        size: u64,
        /// In seconds since 1970.
        time: u64,
    },
    /// Over other entries: evidence.
    #[error(
        "its first {size} entries are not those that are here: two versions of this feed exist, and the cosignature is evidence of it"
    )]
    OtherRoot {
        /// Entries.
        size: u64,
    },
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RefusedCosignature {
    /// Whether it is over more than is held here, or over something else.
    fn is_of_another_state(&self) -> bool {
        matches!(self, Self::Larger { .. } | Self::OtherRoot { .. })
    }
}
