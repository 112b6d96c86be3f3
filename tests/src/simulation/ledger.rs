//! What was truly signed and acknowledged, written down where it happens and not where it is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use feed::feeds::Published;
use feed::ports::{KeyUse, Locked, Signer};
use feed::secret::DerivedSigner;
use practice::id::RecordId;
use tlog::checkpoint::Checkpoint;
use tlog::ed25519::{PublicKey, Signature};
use tlog::hash::Hash;
use tlog::name::Origin;

/// What a publisher was told is published.
#[derive(Clone, Debug)]
pub(super) struct Ack {
    pub(super) index: u64,
    pub(super) id: RecordId,
    pub(super) body: Option<Hash>,
}

#[derive(Default)]
pub(super) struct Ledger(Mutex<Written>);

#[derive(Default)]
struct Written {
    signed: BTreeMap<String, BTreeSet<(u64, Hash)>>,
    acks: BTreeMap<Origin, Vec<Ack>>,
    /// Records whose erasure was asked for, and those where it was acknowledged.
    erasing: BTreeSet<String>,
    erased: BTreeSet<String>,
}

impl Ledger {
    pub(super) fn sign(&self, log: &str, size: u64, root: Hash) {
        self.lock().signed.entry(log.to_owned()).or_default().insert((size, root));
    }

    /// Whether the true key of this feed ever signed this state.
    pub(super) fn is_signed(&self, origin: &Origin, size: u64, root: Hash) -> bool {
        let written = self.lock();
        written.signed.get(origin.as_str()).is_some_and(|states| states.contains(&(size, root)))
    }

    pub(super) fn ack(&self, published: &Published) {
        let Published { index, id, body, .. } = published;
        let ack = Ack { index: *index, id: *id, body: *body };
        self.lock().acks.entry(published.origin.clone()).or_default().push(ack);
    }

    pub(super) fn acks(&self, origin: &Origin) -> Vec<Ack> {
        self.lock().acks.get(origin).cloned().unwrap_or_default()
    }

    pub(super) fn erasing(&self, id: &RecordId) {
        self.lock().erasing.insert(id.to_string());
    }

    pub(super) fn erased(&self, id: &RecordId) {
        self.lock().erased.insert(id.to_string());
    }

    pub(super) fn may_be_erased(&self, id: &RecordId) -> bool {
        self.lock().erasing.contains(&id.to_string())
    }

    pub(super) fn must_be_erased(&self, id: &RecordId) -> bool {
        self.lock().erased.contains(&id.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signs, and writes down which states of a log it signed.
pub(super) struct Scribe {
    pub(super) keys: DerivedSigner,
    pub(super) ledger: Arc<Ledger>,
}

impl Signer for Scribe {
    fn public(&self, key_use: KeyUse) -> Result<PublicKey, Locked> {
        self.keys.public(key_use)
    }

    fn sign(&self, key_use: KeyUse, message: &[u8]) -> Result<Signature, Locked> {
        let text = std::str::from_utf8(message).ok().filter(|_| key_use == KeyUse::Log);
        if let Some(state) = text.and_then(|text| Checkpoint::parse(text).ok()) {
            self.ledger.sign(state.origin.as_str(), state.size, state.root);
        }
        self.keys.sign(key_use, message)
    }
}
