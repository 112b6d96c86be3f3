//! Cosignatures: a witness says that it has seen this checkpoint, and nothing that forks from it, at a
//! time (C2SP tlog-cosignature, Ed25519, cosignature/v1).

use crate::ed25519::Signature;
use crate::key::{KeyKind, VerifierKey};
use crate::note::SignatureLine;

/// The first line of every message that a cosigner signs; no log may have it as its name.
pub const HEADER: &str = "cosignature/v1";

/// C2SP: a time must not exceed 2^63-1 seconds.
pub const TIME_MAX: u64 = i64::MAX as u64;

/// What a cosigner signs: the header, the time in seconds since 1970, and the whole text of the note.
pub fn message(text: &str, time: u64) -> Vec<u8> {
    format!("{HEADER}\ntime {time}\n{text}").into_bytes()
}

/// The signature line of `key`, whose holder signed [`message`] at `time`.
pub fn line(key: &VerifierKey, time: u64, signature: &Signature) -> SignatureLine {
    let mut bytes = time.to_be_bytes().to_vec();
    bytes.extend_from_slice(signature.as_bytes());
    SignatureLine { name: key.name.clone(), id: key.id, bytes }
}

/// Cosigns the checkpoint `text` at `time` by whoever holds the secret half of `key`.
pub fn cosign(
    text: &str,
    time: u64,
    key: &VerifierKey,
    sign: &dyn Fn(&[u8]) -> Signature,
) -> Result<SignatureLine, InvalidCosignature> {
    check(key, time)?;
    Ok(line(key, time, &sign(&message(text, time))))
}

/// Checks a cosignature of the checkpoint `text` by `key`; answers with its time in seconds since 1970.
pub fn verify(
    line: &SignatureLine,
    text: &str,
    key: &VerifierKey,
) -> Result<u64, InvalidCosignature> {
    if !line.is_by(key) {
        return Err(InvalidCosignature::OtherKey {
            line: line.name.to_string(),
            key: key.name.to_string(),
        });
    }
    let (time, signature) = line.bytes.split_first_chunk().ok_or(InvalidCosignature::Bytes)?;
    let time = u64::from_be_bytes(*time);
    let signature = Signature::from_slice(signature).map_err(|_| InvalidCosignature::Bytes)?;
    check(key, time)?;
    let verified = key.key.verify_strict(&message(text, time), &signature);
    verified.map_err(|_| InvalidCosignature::Signature { key: key.name.to_string() })?;
    Ok(time)
}

/// Why a line is not a cosignature, or cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCosignature {
    /// Name or id differ.
    #[error("the signature line of `{line}` is not by the key of `{key}`")]
    OtherKey {
        /// The name on the line.
        line: String,
        /// The name of the key.
        key: String,
    },
    /// The key signs notes, not cosignatures.
    #[error("the key of `{key}` is of type 0x01; a cosigner has one of type 0x04")]
    Kind {
        /// The name of the key.
        key: String,
    },
    /// Not a time and a signature.
    #[error("a cosignature has 72 bytes: the time and an Ed25519 signature")]
    Bytes,
    /// Beyond [`TIME_MAX`].
    #[error("the time {time} of a cosignature is beyond 2^63-1 seconds")]
    Time {
        /// In seconds since 1970.
        time: u64,
    },
    /// Not by this key over this text.
    #[error("the cosignature of `{key}` does not fit the checkpoint")]
    Signature {
        /// The name of the key.
        key: String,
    },
}

fn check(key: &VerifierKey, time: u64) -> Result<(), InvalidCosignature> {
    if key.kind != KeyKind::Cosignature {
        return Err(InvalidCosignature::Kind { key: key.name.to_string() });
    }
    if time > TIME_MAX { Err(InvalidCosignature::Time { time }) } else { Ok(()) }
}
