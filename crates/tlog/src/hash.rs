//! SHA-256 values and the two hashes of an RFC 6962 tree.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 value: an entry's leaf hash, a tree node, a root, or the plain hash of some bytes.
///
/// Written as standard padded base64 (44 characters), as checkpoints and proofs do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The number of bytes.
    pub const BYTES: usize = 32;

    /// The root of a tree without entries: SHA-256 of nothing.
    pub const EMPTY_ROOT: Hash = Hash([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ]);

    /// The hash of an entry as a leaf of the tree: SHA-256(0x00 || entry).
    pub fn leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
    }

    /// The hash of an inner node: SHA-256(0x01 || left || right).
    pub fn node(left: &Hash, right: &Hash) -> Self {
        Self(
            Sha256::new()
                .chain_update([1])
                .chain_update(left.0)
                .chain_update(right.0)
                .finalize()
                .into(),
        )
    }

    /// The plain SHA-256 of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes.as_ref()).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads exactly 44 characters of standard padded base64.
    pub fn from_base64(text: &str) -> Result<Self, InvalidHash> {
        let invalid = || InvalidHash::Base64 { text: text.chars().take(64).collect() };
        if text.len() != 44 {
            return Err(invalid());
        }
        Self::from_slice(&BASE64.decode(text).map_err(|_| invalid())?).map_err(|_| invalid())
    }

    /// Reads exactly 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, InvalidHash> {
        let mut bytes = [0; 32];
        let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !lower || hex::decode_to_slice(text, &mut bytes).is_err() {
            return Err(InvalidHash::Hex { text: text.chars().take(80).collect() });
        }
        Ok(Self(bytes))
    }

    /// Reads exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidHash> {
        let array = bytes.try_into().map_err(|_| InvalidHash::Length { bytes: bytes.len() })?;
        Ok(Self(array))
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// 44 characters of standard padded base64.
    pub fn to_base64(&self) -> String {
        BASE64.encode(self.0)
    }
}

/// Why a text or some bytes are not a hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHash {
    /// Not 44 characters of canonical base64.
    #[error("`{text}` is not a hash in base64, which has 44 characters and ends in `=`")]
    Base64 {
        /// The beginning of what was read.
        text: String,
    },
    /// Not 64 lower-case hexadecimal digits.
    #[error("`{text}` is not a hash in hexadecimal, which has 64 digits of 0-9 and a-f")]
    Hex {
        /// The beginning of what was read.
        text: String,
    },
    /// Not 32 bytes.
    #[error("a hash has 32 bytes, not {bytes}")]
    Length {
        /// How many there were.
        bytes: usize,
    },
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        Self::from_base64(text)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(Hash::EMPTY_ROOT, Hash::of(b""));
    }

    #[test]
    fn text_forms_are_strict() {
        let hash = Hash::of(b"x");
        let base64 = hash.to_string();
        assert_eq!(Hash::from_base64(&base64), Ok(hash));
        assert_eq!(Hash::from_hex(&hash.to_hex()), Ok(hash));
        assert!(Hash::from_hex(&hash.to_hex().to_uppercase()).is_err());
        assert!(Hash::from_hex("00").is_err());
        assert!(Hash::from_base64(base64.trim_end_matches('=')).is_err());
        assert!(Hash::from_base64(&format!("{base64}\n")).is_err());
        // The last character before the padding carries two bits that must be zero.
        assert!(Hash::from_base64("LnvFRcFnXhBU8fmY+nId8AioW+hE5gD9Ept+V0dl695=").is_err());
        assert!(Hash::from_slice(&[0; 31]).is_err());
    }
}
