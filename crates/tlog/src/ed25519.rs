//! Ed25519: the one module of the project that signs and checks.
//!
//! Two verification rules, each for its purpose (design 4.1). **Strict** for notes, node records and
//! requests: everything that implementations disagree about is refused. **ZIP-215** for the proofs of
//! records, which are checked by the thousand: it is the rule under which checking one by one and in a
//! [`Batch`] always agree. [`SigningKey`] makes only signatures that both accept.
//!
//! **Invariant:** a [`PublicKey`] is the canonical encoding of a point of prime order. So no key exists
//! under which a signature fits several messages, and equal keys are equal bytes.

mod batch;

use std::fmt;
use std::str::FromStr;

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::IsIdentity as _;
use ed25519_dalek::Signer as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use batch::Batch;

/// A did:key of an Ed25519 key has exactly this many bytes: `did:key:z` and 47 characters of base58btc.
pub const DID_BYTES: usize = 56;

/// The base58btc text of 64 bytes has at most this many characters.
pub const SIGNATURE_BASE58_BYTES_MAX: usize = 88;

/// A secret key. Wiped from memory when dropped; has no `Debug` and gives its seed to nobody.
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a 32-byte seed. The caller wipes its own copy of the seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, InvalidKey> {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = PublicKey::from_bytes(secret.verifying_key().as_bytes())?;
        Ok(Self { secret, public })
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs `message` as RFC 8032 says: the same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.secret.sign(message).to_bytes())
    }
}

/// A public key: a canonical encoding, not the identity, of prime order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Checks the encoding and the order of the point, which costs about as much as a signature.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidKey> {
        let point = CompressedEdwardsY(*bytes).decompress().ok_or(InvalidKey::NoPoint)?;
        if point.compress().as_bytes() != bytes {
            return Err(InvalidKey::NotCanonical);
        }
        if point.is_identity() || !point.is_torsion_free() {
            return Err(InvalidKey::Order);
        }
        Ok(Self(*bytes))
    }

    /// The 32 bytes of RFC 8032.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks a signature by the strict rule: S < L, R canonical and not of small order, no cofactor.
    pub fn verify_strict(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let bad = |_| BadSignature { key: *self };
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(bad)?;
        // Recomputes R and compares bytes, so that an R in another encoding cannot pass.
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).map_err(bad)
    }

    /// Checks a signature by ZIP-215: S < L, any encoding of R, with cofactor. See [`Batch`] for many.
    pub fn verify_zip215(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let bad = |_| BadSignature { key: *self };
        let key = ed25519_zebra::VerificationKey::try_from(self.0).map_err(bad)?;
        key.verify(&ed25519_zebra::Signature::from_bytes(&signature.0), message).map_err(bad)
    }

    /// `did:key:z6Mk…`: multicodec ed25519-pub in base58btc.
    pub fn to_did(&self) -> String {
        format!("did:key:{}", self.to_multibase())
    }

    /// Reads a did:key; only Ed25519 keys, only the canonical text.
    pub fn from_did(did: &str) -> Result<Self, InvalidKey> {
        let invalid = || InvalidKey::Did { text: did.chars().take(DID_BYTES).collect() };
        if did.len() != DID_BYTES {
            return Err(invalid());
        }
        let base58 = did.strip_prefix("did:key:z").ok_or_else(invalid)?;
        let bytes = bs58::decode(base58).into_vec().map_err(|_| invalid())?;
        let key = bytes.strip_prefix(&MULTICODEC).ok_or_else(invalid)?;
        Self::from_bytes(key.try_into().map_err(|_| invalid())?)
    }

    /// `z6Mk…`, the did:key without its prefix (Multikey's `publicKeyMultibase`).
    pub fn to_multibase(&self) -> String {
        let mut bytes = MULTICODEC.to_vec();
        bytes.extend_from_slice(&self.0);
        format!("z{}", bs58::encode(bytes).into_string())
    }

    /// `did:key:z6Mk…#z6Mk…`, how a record's proof names its key.
    pub fn verification_method(&self) -> String {
        let multibase = self.to_multibase();
        format!("did:key:{multibase}#{multibase}")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_did())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(did: &str) -> Result<Self, InvalidKey> {
        Self::from_did(did)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let did = String::deserialize(deserializer)?;
        Self::from_did(&did).map_err(serde::de::Error::custom)
    }
}

/// A signature: any 64 bytes, until they are verified.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The number of bytes.
    pub const BYTES: usize = 64;

    /// Takes R and S as RFC 8032 joins them.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        Self(*bytes)
    }

    /// Takes exactly 64 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidSignature> {
        let array =
            bytes.try_into().map_err(|_| InvalidSignature::Length { bytes: bytes.len() })?;
        Ok(Self(array))
    }

    /// The 64 bytes.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The bytes in base58btc, without a multibase prefix (a proof's `proofValue` puts `z` before it).
    pub fn to_base58(&self) -> String {
        bs58::encode(self.0).into_string()
    }

    /// Reads base58btc without a multibase prefix.
    pub fn from_base58(text: &str) -> Result<Self, InvalidSignature> {
        let invalid = || InvalidSignature::Base58 {
            text: text.chars().take(SIGNATURE_BASE58_BYTES_MAX).collect(),
        };
        // Decoding takes quadratic time, so length comes first.
        if text.len() > SIGNATURE_BASE58_BYTES_MAX {
            return Err(invalid());
        }
        Self::from_slice(&bs58::decode(text).into_vec().map_err(|_| invalid())?)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", self.to_base58())
    }
}

/// Why some bytes or a text are not a key this project accepts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not on the curve.
    #[error("these 32 bytes are no point of the curve and so no Ed25519 key")]
    NoPoint,
    /// A second encoding of a point.
    #[error("the key is not in its canonical encoding; make a new one")]
    NotCanonical,
    /// The identity, or a point with a small-order component.
    #[error("the key is not of prime order and would sign ambiguously; make a new one")]
    Order,
    /// Not the did:key of an Ed25519 key.
    #[error(
        "`{text}` is no did:key of an Ed25519 key, which begins with `did:key:z6Mk` and has 56 characters"
    )]
    Did {
        /// The beginning of what was read.
        text: String,
    },
}

/// Why a text or some bytes cannot be a signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// Not 64 bytes.
    #[error("an Ed25519 signature has 64 bytes, not {bytes}")]
    Length {
        /// How many there were.
        bytes: usize,
    },
    /// Not base58btc.
    #[error("`{text}` is no Ed25519 signature in base58btc")]
    Base58 {
        /// The beginning of what was read.
        text: String,
    },
}

/// The signature was not made by this key over this message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not by the key {key} over these bytes")]
pub struct BadSignature {
    /// The key it was checked with.
    pub key: PublicKey,
}

/// The multicodec of an Ed25519 public key, 0xed as a varint.
const MULTICODEC: [u8; 2] = [0xed, 0x01];
