//! The node's online secret and the keys derived from it (design 4.5).
//!
//! HKDF-SHA-256 with an empty salt and the info `jopoi/v1 USE GENERATION` gives the 32-byte seed of
//! each use. The root and recovery keys are not derived and never here.

use std::sync::Arc;

use hkdf::Hkdf;
use sha2::Sha256;
use tlog::ed25519::{InvalidKey, PublicKey, Signature, SigningKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ports::{Clock, KeyUse, Locked, Signer};

/// 32 random bytes; wiped from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OnlineSecret([u8; 32]);

impl OnlineSecret {
    /// Wraps the bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key of one use and generation.
    ///
    /// # Errors
    /// Never in practice: 32 bytes are within what HKDF gives, and a seed that makes a weak key would
    /// be a break of SHA-512.
    pub fn key(&self, key_use: KeyUse, generation: u64) -> Result<SigningKey, InvalidKey> {
        let mut seed = [0; 32];
        let info = format!("jopoi/v1 {} {generation}", key_use.as_str());
        let expanded = Hkdf::<Sha256>::new(None, &self.0).expand(info.as_bytes(), &mut seed);
        let key =
            expanded.map_err(|_| InvalidKey::Order).and_then(|()| SigningKey::from_seed(&seed));
        seed.zeroize();
        key
    }

    /// A signer with the keys of one generation.
    pub fn signer(&self, generation: u64) -> Result<DerivedSigner, InvalidKey> {
        let keys =
            KeyUse::ALL.iter().map(|key_use| Ok((*key_use, self.key(*key_use, generation)?)));
        Ok(DerivedSigner { keys: keys.collect::<Result<_, InvalidKey>>()?, former: None })
    }
}

/// A node's keys, unlocked.
pub struct DerivedSigner {
    keys: Vec<(KeyUse, SigningKey)>,
    former: Option<Former>,
}

/// The log key of the generation before.
struct Former {
    key: SigningKey,
    /// It signs before this time, in seconds since 1970.
    until: u64,
    clock: Arc<dyn Clock>,
}

impl DerivedSigner {
    /// Lets the log key of the generation before sign a second line until `until` (seconds since 1970).
    #[must_use]
    pub fn with_former(mut self, key: SigningKey, until: u64, clock: Arc<dyn Clock>) -> Self {
        self.former = Some(Former { key, until, clock });
        self
    }

    fn former(&self) -> Option<&SigningKey> {
        let former = self.former.as_ref()?;
        (former.clock.now() < former.until).then_some(&former.key)
    }

    /// The signing key of a use.
    pub fn key(&self, key_use: KeyUse) -> Option<&SigningKey> {
        self.keys.iter().find(|(of, _)| *of == key_use).map(|(_, key)| key)
    }
}

impl Signer for DerivedSigner {
    fn public(&self, key_use: KeyUse) -> Result<PublicKey, Locked> {
        self.key(key_use).map(SigningKey::public).ok_or(Locked)
    }

    fn sign(&self, key_use: KeyUse, message: &[u8]) -> Result<Signature, Locked> {
        self.key(key_use).map(|key| key.sign(message)).ok_or(Locked)
    }

    fn former_log(&self) -> Option<PublicKey> {
        self.former().map(SigningKey::public)
    }

    fn sign_former_log(&self, message: &[u8]) -> Result<Signature, Locked> {
        self.former().map(|key| key.sign(message)).ok_or(Locked)
    }
}

/// The keys of a node whose secret is encrypted and was not unlocked.
#[derive(Debug)]
pub struct LockedSigner;

impl Signer for LockedSigner {
    fn public(&self, _key_use: KeyUse) -> Result<PublicKey, Locked> {
        Err(Locked)
    }

    fn sign(&self, _key_use: KeyUse, _message: &[u8]) -> Result<Signature, Locked> {
        Err(Locked)
    }
}
