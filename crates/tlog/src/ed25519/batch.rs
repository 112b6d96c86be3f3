//! Checking many ZIP-215 signatures at once.

use std::convert::Infallible;

use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature as ZebraSignature, VerificationKeyBytes};
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha512};

use super::{PublicKey, Signature};

/// Signatures to be checked together by ZIP-215, at about a third of the cost of one by one where many
/// are by the same key.
///
/// The check is one equation, the sum of all signatures' equations with random weights of 128 bits. It is
/// sound if nobody can know a weight before all signatures are fixed. Here there is no randomness to be
/// had, so the weights are drawn from SHA-512 over everything queued (each key, signature and message):
/// whoever changes any of it gets new weights, and hits a set under which errors cancel out with
/// probability 2^-128 a try. This is how Fiat and Shamir replace a verifier's coins.
#[derive(Default)]
pub struct Batch {
    items: Vec<Item>,
    transcript: Sha512,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one signature; it is number [`len`](Self::len) before the call.
    pub fn queue(&mut self, key: PublicKey, message: &[u8], signature: Signature) {
        self.transcript.update(key.as_bytes());
        self.transcript.update(signature.as_bytes());
        // Hashed, so that every item adds the same number of bytes and items cannot run into each other.
        self.transcript.update(Sha512::digest(message));
        let bytes = VerificationKeyBytes::from(*key.as_bytes());
        let signature = ZebraSignature::from_bytes(signature.as_bytes());
        self.items.push(Item::from((bytes, signature, message)));
    }

    /// How many signatures are queued.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Checks all. If any is bad, each is checked alone, and the error has the numbers of the bad ones in
    /// the order queued.
    pub fn verify_all(self) -> Result<(), Vec<usize>> {
        let mut verifier = Verifier::new();
        for item in &self.items {
            verifier.queue(item.clone());
        }
        if verifier.verify(Weights::of(self.transcript)).is_ok() {
            return Ok(());
        }
        let numbered = self.items.into_iter().enumerate();
        let bad: Vec<usize> = numbered
            .filter_map(|(number, item)| item.verify_single().is_err().then_some(number))
            .collect();
        if bad.is_empty() { Ok(()) } else { Err(bad) }
    }
}

/// SHA-512 of the transcript and a counter, as a stream.
struct Weights {
    seed: [u8; 64],
    counter: u64,
}

impl Weights {
    fn of(transcript: Sha512) -> Self {
        Self { seed: transcript.finalize().into(), counter: 0 }
    }

    fn block(&mut self) -> [u8; 64] {
        self.counter = self.counter.wrapping_add(1);
        Sha512::new()
            .chain_update(self.seed)
            .chain_update(self.counter.to_be_bytes())
            .finalize()
            .into()
    }
}

impl TryRng for Weights {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(64) {
            for (byte, random) in chunk.iter_mut().zip(self.block()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Weights {}
