//! Cosigning, and being cosigned, as a witness (C2SP tlog-witness v1.0.0).
//!
//! **Invariant:** what a key of ours signed is on disk before anybody sees it, and reading what it signed
//! last, comparing and writing are one step for all logs of this node. So no key of ours ever signs two
//! histories of a log, or a smaller state after a larger one, whoever asks at the same time and whenever
//! the process ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use network::times::AHEAD_MAX;
use tlog::checkpoint::{Checkpoint, InvalidCheckpoint, SignedCheckpoint};
use tlog::cosignature;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};
use tlog::note::SignatureLine;
use tlog::proof::verify_consistency;

use super::receipts::RENEW_S;
use super::{FeedState, Feeds, ReadError, RefusedCosignature, View};
use crate::cosignatures::{Cosignatures, Cosigned, InvalidCosigned};
use crate::ports::{KeyUse, Locked, StoreError};
use crate::verify;

/// The most lines of a consistency proof in a request (tlog-witness).
const PROOF_LINES_MAX: usize = 63;

/// A request to a witness: our checkpoint, with a proof that it extends what the witness holds.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The body of the request.
    pub request: Bytes,
    /// The checkpoint in it.
    checkpoint: Checkpoint,
    log: SignatureLine,
}

impl Submission {
    /// Entries of the checkpoint in it.
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }
}

/// A request to cosign, read.
struct Request {
    old: u64,
    proof: Vec<Hash>,
    served: SignedCheckpoint,
}

/// What stands in the way of signing: the checkpoint was not judged, or judged against another state.
enum Step<'a> {
    /// Our mirror holds these entries itself, and they begin with what was signed last.
    Receipt { root_of_last: Option<Hash> },
    /// A request of the log, with what it says we signed last.
    Request { old: u64, proof: &'a [Hash] },
}

impl Feeds {
    /// Cosigns a checkpoint of a log that is known here: `old SIZE`, the lines of a consistency proof, an
    /// empty line, the checkpoint. Answers with the line of our witness key.
    pub async fn add_checkpoint(
        self: &Arc<Self>,
        request: &[u8],
    ) -> Result<String, RefusedCheckpoint> {
        let request = Request::read(request)?;
        let said = &request.served.checkpoint;
        let feed = Origin::parse(said.origin.as_str()).ok();
        let feed =
            feed.filter(|origin| !origin.feed().is_restricted() && origin.node() != self.node());
        let handle = feed.and_then(|origin| self.handle(&origin));
        let handle = handle.filter(|handle| handle.view.load().is_some());
        let view = handle.as_ref().and_then(|handle| handle.view.load_full());
        let log = match &view {
            Some(view) => {
                verify::check_signature(&view.origin, &request.served, &view.keys)
                    .map_err(|_| RefusedCheckpoint::NotSigned)?;
                log_key(view, said.size)
            }
            None => {
                let keys = self.outside_log(&said.origin);
                if keys.is_empty() {
                    return Err(RefusedCheckpoint::UnknownLog { origin: said.origin.clone() });
                }
                let signed = keys.iter().find(|key| request.served.verify(key).is_ok());
                signed.cloned()
            }
        };
        let log = log.ok_or(RefusedCheckpoint::NotSigned)?;
        if request.old > said.size {
            return Err(RefusedCheckpoint::Malformed {
                reason: "the old size is above the new one",
            });
        }
        if let Some(view) = &view {
            self.agrees(view, &request.served).await?;
        }
        match &handle {
            Some(handle) if !self.may_cosign(handle) => return Err(RefusedCheckpoint::Restored),
            None if self.is_restored() => return Err(RefusedCheckpoint::Restored),
            _ => {}
        }
        let lines = &request.served.note.signatures;
        let line = lines.iter().find(|line| line.is_by(&log)).cloned();
        let line = line.ok_or(RefusedCheckpoint::NotSigned)?;
        let (feeds, checkpoint) = (Arc::clone(self), said.clone());
        let Request { old, proof, .. } = request;
        let signed = tokio::spawn(async move {
            let step = Step::Request { old, proof: &proof };
            feeds.cosign(KeyUse::Witness, &checkpoint, line, step).await
        });
        let signed = signed.await.unwrap_or_else(|error| Err(stopped(&error).into()))?;
        if let (Some(handle), Some(view)) = (handle, view)
            && signed.size() <= view.size()
        {
            self.keep_lines(&handle, vec![signed.clone()]).await?;
        }
        Ok(format!("{}\n", signed.line()))
    }

    /// A feed that we follow is cosigned only as we hold it ourselves.
    async fn agrees(
        &self,
        view: &View,
        served: &SignedCheckpoint,
    ) -> Result<(), RefusedCheckpoint> {
        if view.state != FeedState::Open {
            return Err(RefusedCheckpoint::Contradicts);
        }
        let said = &served.checkpoint;
        if said.size <= view.size() && self.root_at(view, said.size).await != Some(said.root) {
            return Err(RefusedCheckpoint::Contradicts);
        }
        Ok(())
    }

    /// The note that our witness key signed last of the log whose origin has this SHA-256.
    pub async fn witness_checkpoint(&self, origin: &Hash) -> Result<Option<Bytes>, StoreError> {
        let signed = self.signed_last(origin).await?;
        let name = KeyName::witness_of(self.node());
        let newest = signed.lines().iter().filter(|line| *line.name() == name);
        Ok(newest.max_by_key(|line| line.age()).map(|line| line.to_bytes().into()))
    }

    /// Signs a receipt for what a view holds, or answers with the last one if it is young enough. None if
    /// we signed something else than what is held.
    pub(super) async fn sign_receipt(
        self: &Arc<Self>,
        view: &View,
    ) -> Result<Option<Cosigned>, RefusedCheckpoint> {
        let note = verify::read_note(&view.origin, &view.note)
            .map_err(|_| RefusedCheckpoint::NotSigned)?;
        let key = log_key(view, view.size()).ok_or(RefusedCheckpoint::NotSigned)?;
        let line = note.note.signatures.iter().find(|line| line.is_by(&key)).cloned();
        let line = line.ok_or(RefusedCheckpoint::NotSigned)?;
        let last = self.signed_last(&Hash::of(view.origin.as_str())).await?;
        let name = KeyName::receipt_of(self.node());
        let last = newest_of(&last, &name).cloned();
        let now = self.parts.clock.now();
        let mut root_of_last = None;
        if let Some(last) = last {
            if last.size() > view.size() {
                return Ok(None);
            }
            root_of_last = self.root_at(view, last.size()).await;
            let same = *last.checkpoint() == note.checkpoint;
            let by_this_key = self
                .parts
                .signer
                .public(KeyUse::Receipt)
                .is_ok_and(|public| last.line().is_by(&VerifierKey::cosignature(name, public)));
            let young = last.time() <= now.saturating_add(AHEAD_MAX)
                && now < last.time().saturating_add(RENEW_S);
            if same && by_this_key && young {
                return Ok(Some(last));
            }
        }
        let (feeds, checkpoint) = (Arc::clone(self), note.checkpoint);
        let signed = tokio::spawn(async move {
            let step = Step::Receipt { root_of_last };
            feeds.cosign(KeyUse::Receipt, &checkpoint, line, step).await
        });
        signed.await.unwrap_or_else(|error| Err(stopped(&error).into())).map(Some)
    }

    /// The one place where a cosigner of ours signs: compare with what it signed last, sign, persist.
    async fn cosign(
        &self,
        key_use: KeyUse,
        checkpoint: &Checkpoint,
        log: SignatureLine,
        step: Step<'_>,
    ) -> Result<Cosigned, RefusedCheckpoint> {
        let name = match key_use {
            KeyUse::Witness => KeyName::witness_of(self.node()),
            _ => KeyName::receipt_of(self.node()),
        };
        let key = VerifierKey::cosignature(name.clone(), self.signer().public(key_use)?);
        let place = Hash::of(checkpoint.origin.as_str());
        let mut cosigning = self.cosigning.lock().await;
        let mut signed = self.signed_before(&cosigning, &place).await?;
        let last = newest_of(&signed, &name);
        step.check(last, checkpoint)?;
        let now = self.parts.clock.now();
        // Times do not go backwards, unless the last one was made by a clock that ran fast.
        let time = match last.map(Cosigned::time) {
            Some(time) if time <= now.saturating_add(AHEAD_MAX) => time.max(now),
            _ => now,
        };
        let message = cosignature::message(&checkpoint.body(), time);
        let signature = self.signer().sign(key_use, &message)?;
        let line = cosignature::line(&key, time, &signature);
        let cosigned = Cosigned::new(checkpoint.clone(), log, line)?;
        signed.retain(|line| *line.name() != name);
        signed.insert(cosigned.clone());
        self.keep_signed(&mut cosigning, place, &signed).await?;
        Ok(cosigned)
    }

    /// Takes note of a line of our own that somebody else kept: a backup may know less.
    pub(super) async fn recall(&self, line: Cosigned) -> Result<(), StoreError> {
        let place = Hash::of(line.checkpoint().origin.as_str());
        let mut cosigning = self.cosigning.lock().await;
        let mut signed = self.signed_before(&cosigning, &place).await?;
        if newest_of(&signed, line.name()).is_some_and(|last| last.age() >= line.age()) {
            return Ok(());
        }
        signed.retain(|other| other.name() != line.name());
        signed.insert(line);
        self.keep_signed(&mut cosigning, place, &signed).await
    }

    async fn signed_last(&self, place: &Hash) -> Result<Cosignatures, StoreError> {
        let known = self.cosigning.lock().await;
        self.signed_before(&known, place).await
    }

    /// What was signed last of a log: what this process wrote counts, whatever a disk says since.
    async fn signed_before(
        &self,
        known: &BTreeMap<Hash, Bytes>,
        place: &Hash,
    ) -> Result<Cosignatures, StoreError> {
        let known = known.get(place).cloned();
        let bytes = match known {
            None => self.parts.store.witnessed(place).await?,
            known => known,
        };
        bytes.map_or_else(|| Ok(Cosignatures::default()), |bytes| read_signed(place, &bytes))
    }

    async fn keep_signed(
        &self,
        known: &mut BTreeMap<Hash, Bytes>,
        place: Hash,
        signed: &Cosignatures,
    ) -> Result<(), StoreError> {
        let bytes = signed.encode();
        // If it fails nobody knows what is on disk.
        known.remove(&place);
        self.parts.store.set_witnessed(&place, bytes.clone()).await?;
        known.insert(place, bytes);
        Ok(())
    }

    /// Our newest public checkpoint as a request to a witness that holds the first `old` entries of it.
    pub async fn submission(&self, origin: &Origin, old: u64) -> Result<Submission, ReadError> {
        let view = self.known(origin)?;
        let damaged =
            || ReadError::NotFound { what: format!("proof of {origin} from {old} entries") };
        let note = verify::read_note(origin, &view.note).map_err(|_| damaged())?;
        let key = log_key(&view, view.size()).ok_or_else(damaged)?;
        let log = note.note.signatures.iter().find(|line| line.is_by(&key)).cloned();
        let log = log.ok_or_else(damaged)?;
        let proof = match old {
            0 => Vec::new(),
            _ if old == view.size() => Vec::new(),
            _ => self.own_prefix(&view, old).await.ok_or_else(damaged)?.1,
        };
        let mut request = format!("old {old}\n");
        for hash in &proof {
            request.push_str(&hash.to_base64());
            request.push('\n');
        }
        request.push('\n');
        request.push_str(&String::from_utf8_lossy(&note.note.to_bytes()));
        Ok(Submission { request: request.into(), checkpoint: note.checkpoint, log })
    }

    /// Takes a witness's answer to a submission: the lines by keys that count here.
    pub async fn take_witness_lines(
        self: &Arc<Self>,
        origin: &Origin,
        submission: &Submission,
        answer: &str,
    ) -> Result<(), RefusedCosignature> {
        let mut outcome = None;
        for line in answer.lines() {
            let Ok(line) = SignatureLine::parse(line) else { continue };
            let (checkpoint, log) = (submission.checkpoint.clone(), submission.log.clone());
            let Ok(cosigned) = Cosigned::new(checkpoint, log, line) else { continue };
            match self.accept_cosignature(origin, &cosigned.to_bytes()).await {
                Ok(()) | Err(RefusedCosignature::NotNewer { .. }) => return Ok(()),
                Err(error) => outcome = Some(error),
            }
        }
        let none = InvalidCosigned::Lines { count: 0 };
        Err(outcome.unwrap_or(RefusedCosignature::Unreadable(none)))
    }

    /// Entries of a feed that the holder of this key has cosigned, and when, as far as is known here.
    pub fn cosigned_by(&self, origin: &Origin, key: &VerifierKey) -> Option<(u64, u64)> {
        let lines = self.handle(origin)?.lines();
        lines.of(&key.name, key.id).map(Cosigned::age)
    }
}

impl Request {
    fn read(bytes: &[u8]) -> Result<Self, RefusedCheckpoint> {
        let malformed = |reason| RefusedCheckpoint::Malformed { reason };
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is no text"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or_else(|| malformed("an empty line must follow the consistency proof"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(size);
        let old = old.ok_or_else(|| malformed("its first line must be `old SIZE`"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == PROOF_LINES_MAX {
                return Err(malformed("a consistency proof has at most 63 lines"));
            }
            let hash = Hash::from_base64(line);
            proof.push(
                hash.map_err(|_| malformed("a line of the proof is not 32 bytes in base64"))?,
            );
        }
        Ok(Self { old, proof, served: SignedCheckpoint::parse(note.as_bytes())? })
    }
}

impl Step<'_> {
    /// Whether `next` may be signed after `last`.
    fn check(&self, last: Option<&Cosigned>, next: &Checkpoint) -> Result<(), RefusedCheckpoint> {
        let (held, root) =
            last.map_or((0, Hash::EMPTY_ROOT), |last| (last.size(), last.checkpoint().root));
        match self {
            Self::Receipt { root_of_last } => {
                let extends = last.is_none() || *root_of_last == Some(root);
                if extends && held <= next.size {
                    Ok(())
                } else {
                    Err(RefusedCheckpoint::Contradicts)
                }
            }
            Self::Request { old, .. } if *old != held => Err(RefusedCheckpoint::Conflict { held }),
            Self::Request { proof, .. } if held == 0 || held == next.size => {
                if !proof.is_empty() {
                    return Err(RefusedCheckpoint::Proof);
                }
                match held == next.size && root != next.root {
                    true => Err(RefusedCheckpoint::Conflict { held }),
                    false => Ok(()),
                }
            }
            Self::Request { proof, .. } => {
                verify_consistency(held, &root, next.size, &next.root, proof)
                    .map_err(|_| RefusedCheckpoint::Proof)
            }
        }
    }
}

/// What to do where nobody knows what was cosigned of a log.
pub(super) const SIGNED_IS_LOST: &str = "without it nobody knows what was cosigned of this log: put it back from a \
                                         backup, or give the node new keys (`jopoi keys rotate`)";

fn read_signed(place: &Hash, bytes: &[u8]) -> Result<Cosignatures, StoreError> {
    Cosignatures::decode(bytes).map_err(|error| StoreError::Refused {
        what: format!("witness/{}", place.to_hex()),
        why: format!("{error}; {SIGNED_IS_LOST}"),
    })
}

/// The line that a cosigner made last, whichever key it had.
pub(super) fn newest_of<'c>(signed: &'c Cosignatures, name: &KeyName) -> Option<&'c Cosigned> {
    signed.lines().iter().filter(|line| line.name() == name).max_by_key(|line| line.age())
}

/// The key that signs checkpoints of this size.
fn log_key(view: &View, size: u64) -> Option<VerifierKey> {
    Some(VerifierKey::note(KeyName::from(&view.origin), view.keys.log_key(size)?))
}

/// A size as C2SP writes it: decimal, no leading zeros, at most 2^53-1.
fn size(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let padded = text.len() > 1 && text.starts_with('0');
    let size = text.parse().ok().filter(|_| digits && !padded)?;
    (size <= tlog::SIZE_MAX).then_some(size)
}

/// The node is ending.
pub(super) fn stopped(error: &tokio::task::JoinError) -> StoreError {
    let source = std::io::Error::other(error.to_string());
    StoreError::Io { action: "finish writing", what: "a cosignature".to_owned(), source }
}

/// Why a checkpoint was not cosigned. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RefusedCheckpoint {
    /// Not a request (400).
    #[error("this is no request to cosign a checkpoint: {reason}")]
    Malformed {
        /// The rule it breaks.
        reason: &'static str,
    },
    /// Not a checkpoint (400).
    #[error("the request has no checkpoint: {0}")]
    Checkpoint(#[from] InvalidCheckpoint),
    /// Nothing is known of this log (404).
    #[error(
        "the log `{origin}` is not known here: the operator follows its node, or names its key in `witness.logs`"
    )]
    UnknownLog {
        /// Its name.
        origin: KeyName,
    },
    /// None of its signatures is by a key that is trusted for this log (403).
    #[error("the checkpoint is not signed by a key that speaks for this log")]
    NotSigned,
    /// We hold another state than the request says, or another root at this size (409).
    #[error("the last checkpoint cosigned here has {held} entries")]
    Conflict {
        /// Its size.
        held: u64,
    },
    /// The consistency proof does not hold (422).
    #[error(
        "the consistency proof does not lead from the last checkpoint cosigned here to this one"
    )]
    Proof,
    /// We hold other entries ourselves, or know that there are two versions (422).
    #[error("the entries of this log that are held here are not those of the checkpoint")]
    Contradicts,
    /// After a restore, nothing is signed before it is known what was signed (503).
    #[error(
        "this node was restored from a backup and does not know yet what it cosigned last of this log; nothing is signed before"
    )]
    Restored,
    /// The keys are locked (503).
    #[error(transparent)]
    Locked(#[from] Locked),
    /// Our own line could not be put together.
    #[error(transparent)]
    Line(#[from] InvalidCosigned),
    /// It could not be made durable: no cosignature left.
    #[error(transparent)]
    Store(#[from] StoreError),
}
