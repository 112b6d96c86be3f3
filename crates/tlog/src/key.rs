//! Verifier keys: a name, a key and what it signs, written as a vkey (C2SP signed-note).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::ed25519::{InvalidKey, PublicKey};
use crate::name::{InvalidName, KeyName};

/// A name of 255 bytes, 8 digits, 44 characters of base64 and two plus signs.
pub const VKEY_BYTES_MAX: usize = 309;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// The text of notes (type 0x01): the key of a log.
    Ed25519,
    /// Checkpoints with a time, as a witness (type 0x04, cosignature/v1).
    Cosignature,
}

impl KeyKind {
    /// The signature type byte.
    pub fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// A key that signatures are checked with. Its id follows from the rest, so equal keys have equal ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct VerifierKey {
    /// Whose key it is.
    pub name: KeyName,
    /// The key id that signature lines carry.
    pub id: u32,
    /// What it signs.
    pub kind: KeyKind,
    /// The Ed25519 key.
    pub key: PublicKey,
}

impl VerifierKey {
    /// A key that signs notes.
    pub fn note(name: KeyName, key: PublicKey) -> Self {
        Self::new(name, KeyKind::Ed25519, key)
    }

    /// A key that cosigns checkpoints.
    pub fn cosignature(name: KeyName, key: PublicKey) -> Self {
        Self::new(name, KeyKind::Cosignature, key)
    }

    /// A key of either kind. The id is the first four bytes of SHA-256(name || 0x0A || type || key).
    pub fn new(name: KeyName, kind: KeyKind, key: PublicKey) -> Self {
        let hash = Sha256::new()
            .chain_update(name.as_str())
            .chain_update([b'\n', kind.byte()])
            .chain_update(key.as_bytes())
            .finalize();
        let id = hash.first_chunk().map_or(0, |first| u32::from_be_bytes(*first));
        Self { name, id, kind, key }
    }

    /// Reads a vkey: name, id in eight lower-case hexadecimal digits, base64 of type and key.
    pub fn parse(vkey: &str) -> Result<Self, InvalidVerifierKey> {
        let malformed = || InvalidVerifierKey::Malformed { text: vkey.chars().take(120).collect() };
        if vkey.len() > VKEY_BYTES_MAX {
            return Err(malformed());
        }
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let bytes = BASE64.decode(key).map_err(|_| malformed())?;
        let (&kind, key) = bytes.split_first().ok_or_else(malformed)?;
        let kind = match kind {
            0x01 => KeyKind::Ed25519,
            0x04 => KeyKind::Cosignature,
            kind => return Err(InvalidVerifierKey::Kind { kind }),
        };
        let key = PublicKey::from_bytes(key.try_into().map_err(|_| malformed())?)?;
        let key = Self::new(KeyName::parse(name)?, kind, key);
        if format!("{:08x}", key.id) == id {
            Ok(key)
        } else {
            Err(InvalidVerifierKey::Id { id: id.chars().take(16).collect(), expected: key.id })
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, BASE64.encode(bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidVerifierKey;

    fn from_str(vkey: &str) -> Result<Self, InvalidVerifierKey> {
        Self::parse(vkey)
    }
}

impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let vkey = String::deserialize(deserializer)?;
        Self::parse(&vkey).map_err(serde::de::Error::custom)
    }
}

/// Why a text is not a vkey.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVerifierKey {
    /// Not three parts, or not base64, or not 33 bytes.
    #[error("`{text}` is no verifier key, which reads NAME+ID+BASE64")]
    Malformed {
        /// The beginning of what was read.
        text: String,
    },
    /// Neither type 0x01 nor 0x04.
    #[error(
        "keys of signature type {kind:#04x} are not supported; ask for an Ed25519 key (type 0x01 or 0x04)"
    )]
    Kind {
        /// The type byte.
        kind: u8,
    },
    /// The id is not that of this name and key: one of the three was copied wrongly.
    #[error(
        "the key id `{id}` should be `{expected:08x}` for this name and key; copy the whole line again"
    )]
    Id {
        /// The id that stands there.
        id: String,
        /// The id of the name and the key.
        expected: u32,
    },
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The key is not one.
    #[error(transparent)]
    Key(#[from] InvalidKey),
}
