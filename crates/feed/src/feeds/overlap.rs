//! While keys rotate: the former log key signs along for at most 30 days, and what was signed by a
//! record key that is no longer in force is not appended.

use network::keys::KeyHistory;
use tlog::ed25519::{PublicKey, Signature};

use super::PublishError;
use super::publish::Prepared;
use crate::ports::{KeyUse, Locked, Signer};

/// For how long the former log key adds a line, from the statement's time of the node record that
/// replaced it: long enough for everybody to have come by.
pub(super) const OVERLAP_S: u64 = 30 * 24 * 60 * 60;

/// Whether the former log key signs along no more.
pub(super) fn overlap_is_over(keys: &KeyHistory, signer: &dyn Signer, now: u64) -> bool {
    let Ok(key) = signer.public(KeyUse::Log) else { return true };
    let active = keys
        .records()
        .iter()
        .rev()
        .take_while(|keyed| keyed.record.active("log").is_some_and(|active| active.key == key));
    // The record that brought the key; if none did yet, it is among what is to be signed.
    let Some(since) = active.last() else { return false };
    let since: Option<jiff::Timestamp> = since.record.body().valid_from().parse().ok();
    let since = since.and_then(|time| u64::try_from(time.as_second()).ok()).unwrap_or(0);
    now >= since.saturating_add(OVERLAP_S)
}

/// A signer without its former log key.
pub(super) struct LogAlone<'a>(pub(super) &'a dyn Signer);

impl Signer for LogAlone<'_> {
    fn public(&self, key_use: KeyUse) -> Result<PublicKey, Locked> {
        self.0.public(key_use)
    }

    fn sign(&self, key_use: KeyUse, message: &[u8]) -> Result<Signature, Locked> {
        self.0.sign(key_use, message)
    }
}

/// The record key in force, entry by entry, while a commit is put together.
pub(super) struct Proving {
    keys: KeyHistory,
}

impl Proving {
    pub(super) fn new(keys: &KeyHistory) -> Self {
        Self { keys: keys.clone() }
    }

    /// Requires that what was signed before it had a place is still good at this place.
    pub(super) fn check(&self, index: u64, entries: &[Prepared]) -> Result<(), PublishError> {
        let in_force = self.keys.record_key(index);
        let stale = entries.iter().find(|entry| entry.key.is_some() && entry.key != in_force);
        stale.map_or(Ok(()), |entry| Err(PublishError::KeysChanged { id: entry.id }))
    }

    /// Takes note of the entries that end below `end`.
    pub(super) fn take(&mut self, end: u64, entries: &[Prepared]) {
        let first = end.saturating_sub(entries.len() as u64);
        for (index, entry) in (first..).zip(entries) {
            if entry.kind.as_str() == "node" {
                // A record that does not count changes no key.
                let body = entry.item.body.as_ref();
                let _ = self.keys.observe(index, entry.id, entry.version, body);
            }
        }
    }
}
