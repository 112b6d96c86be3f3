//! Which secret is in use: the one whose keys the node record names, whatever a crash left behind.
//!
//! A rotation writes `online.next`, publishes the node record that names its keys, then renames. So the
//! node record, which is signed by the root and stands in the log, decides, and never the name of a
//! file: killed before the record was published, the old secret is in use and the new one waits; killed
//! after it, the new one is in use and the renaming is done at the next start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use feed::ports::{Clock, KeyUse, Signer};
use feed::secret::LockedSigner;
use network::KeyHistory;
use practice::node_record::{NodeRecord, Revocation, USE_LOG};
use tlog::ed25519::PublicKey;

use super::online::{Online, Slot, Stored};
use super::passphrase::Passphrase;

/// How long the former log key signs a second line (design 4.5).
pub const FORMER_S: u64 = 30 * 24 * 3_600;

/// The secrets of a node, as far as they could be opened.
pub struct Ring {
    data: PathBuf,
    /// In the order of [`Slot::ALL`].
    opened: Vec<(Slot, Online)>,
    /// Some secret is encrypted and was not opened.
    locked: bool,
    /// Some secret is encrypted.
    encrypted: bool,
}

/// What a node can do with its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Sign.
    Open,
    /// Serve and verify: the secret is encrypted and was not opened.
    Locked,
    /// Serve and verify: no secret here has the keys of the node record.
    Lost,
}

impl Ring {
    /// Opens what lies in `data`; what is encrypted stays closed without a passphrase.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged or readable for others, or the passphrase is wrong.
    pub fn open(data: &Path, passphrase: Option<&Passphrase>) -> anyhow::Result<Self> {
        let mut ring =
            Self { data: data.to_owned(), opened: Vec::new(), locked: false, encrypted: false };
        for slot in Slot::ALL {
            let Some(stored) = slot.read(data)? else { continue };
            if matches!(stored, Stored::Encrypted(_)) {
                ring.encrypted = true;
                if passphrase.is_none() {
                    ring.locked = true;
                    continue;
                }
            }
            ring.opened.push((slot, stored.open(slot, passphrase)?));
        }
        Ok(ring)
    }

    /// Takes note of a new secret that was written for a rotation.
    pub fn add_next(&mut self, online: Online) {
        self.opened.retain(|(slot, _)| *slot != Slot::Next);
        self.opened.push((Slot::Next, online));
        self.opened.sort_by_key(|(slot, _)| *slot);
    }

    /// Whether something is encrypted on disk.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The secret in a slot.
    pub fn get(&self, slot: Slot) -> Option<&Online> {
        self.opened.iter().find(|(of, _)| *of == slot).map(|(_, online)| online)
    }

    /// The secret whose log key is `key`.
    pub fn holder(&self, key: &PublicKey) -> Option<(Slot, &Online)> {
        let found = self
            .opened
            .iter()
            .find(|(_, online)| online.public(KeyUse::Log).is_ok_and(|public| public == *key));
        found.map(|(slot, online)| (*slot, online))
    }

    /// What can be signed under `record`.
    pub fn standing(&self, record: &NodeRecord) -> Standing {
        let held = record.active(USE_LOG).and_then(|active| self.holder(&active.key));
        match held {
            Some(_) => Standing::Open,
            None if self.locked => Standing::Locked,
            None => Standing::Lost,
        }
    }

    /// Finishes what a rotation left open, as the node record in force says, and deletes a former
    /// secret whose time is over.
    pub fn settle(&mut self, keys: &KeyHistory, now: u64) -> anyhow::Result<()> {
        let Some((key, since)) = in_use(keys, USE_LOG) else { return Ok(()) };
        if self.holder(&key).is_some_and(|(slot, _)| slot == Slot::Next) {
            // One from a systemd credential is no file of ours to move: it signs no second line.
            let is_file = Slot::InUse.path(&self.data).exists();
            let keep = is_file && self.get(Slot::InUse).is_some() && !is_revoked(keys);
            if keep {
                Slot::InUse.rename(&self.data, Slot::Former)?;
            }
            Slot::Next.rename(&self.data, Slot::InUse)?;
            self.opened.retain(|(slot, _)| *slot != Slot::Former && (keep || *slot != Slot::InUse));
            for (slot, _) in &mut self.opened {
                *slot = if *slot == Slot::Next { Slot::InUse } else { Slot::Former };
            }
            self.opened.sort_by_key(|(slot, _)| *slot);
        }
        if now >= since.saturating_add(FORMER_S) || is_revoked(keys) {
            Slot::Former.remove(&self.data)?;
            self.opened.retain(|(slot, _)| *slot != Slot::Former);
        }
        Ok(())
    }

    /// The keys that the node record in force names, with the former log key for a second line.
    pub fn signer(
        &self,
        keys: &KeyHistory,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Arc<dyn Signer>> {
        let in_use = in_use(keys, USE_LOG);
        let held = in_use.and_then(|(key, since)| Some((self.holder(&key)?, since)));
        let Some(((_, online), since)) = held else { return Ok(Arc::new(LockedSigner)) };
        let revoked = keys.newest().map(|newest| newest.record.revoked.as_slice());
        self.signer_of(online, since, clock, revoked.unwrap_or_default())
    }

    /// The keys of one of the secrets, taken into use at `since`.
    pub fn signer_of(
        &self,
        online: &Online,
        since: u64,
        clock: Arc<dyn Clock>,
        revoked: &[Revocation],
    ) -> anyhow::Result<Arc<dyn Signer>> {
        let mut signer = online.derived().signer(online.generation)?;
        let before = online.generation.checked_sub(1);
        let former = self.opened.iter().find(|(_, other)| Some(other.generation) == before);
        if let Some((_, former)) = former {
            let key = former.derived().key(KeyUse::Log, former.generation)?;
            // A key that was stolen signs nothing more.
            if !revoked.iter().any(|revoked| revoked.key == key.public()) {
                signer = signer.with_former(key, since.saturating_add(FORMER_S), clock);
            }
        }
        Ok(Arc::new(signer))
    }

    /// A step that is open, in words with what to do.
    pub fn open_step(&self, record: &NodeRecord) -> Option<String> {
        let active = record.active(USE_LOG)?;
        let next = self.get(Slot::Next)?;
        (next.generation > active.generation).then(|| {
            format!(
                "a change of keys was begun and its node record was not published: generation {} waits in \
                 keys/online.next, and generation {} is in use; run the same `jopoi keys` command again, it \
                 goes on with the keys that were made",
                next.generation, active.generation
            )
        })
    }

    /// The log key before, and until when it signs.
    pub fn former(&self, keys: &KeyHistory) -> Option<(PublicKey, u64)> {
        let (_, since) = in_use(keys, USE_LOG)?;
        let key = self.get(Slot::Former)?.public(KeyUse::Log).ok()?;
        Some((key, since.saturating_add(FORMER_S)))
    }
}

/// The active key of a use in the node record in force, and since when it is that.
pub fn in_use(keys: &KeyHistory, usage: &str) -> Option<(PublicKey, u64)> {
    let key = keys.newest()?.record.active(usage)?.key;
    let with_it = keys
        .records()
        .iter()
        .rev()
        .take_while(|keyed| keyed.record.active(usage).is_some_and(|active| active.key == key));
    let since = with_it.last()?.record.body().valid_from().parse::<jiff::Timestamp>().ok()?;
    Some((key, u64::try_from(since.as_second()).ok()?))
}

/// Whether the log key before the one in use was revoked: then it signs nothing more.
fn is_revoked(keys: &KeyHistory) -> bool {
    let Some(newest) = keys.newest() else { return false };
    let active = newest.record.active(USE_LOG).map(|active| active.key);
    let before = keys
        .records()
        .iter()
        .rev()
        .filter_map(|keyed| keyed.record.active(USE_LOG))
        .find(|key| Some(key.key) != active);
    before.is_some_and(|key| newest.record.revoked.iter().any(|revoked| revoked.key == key.key))
}
