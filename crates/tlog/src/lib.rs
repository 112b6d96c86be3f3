//! THE PROOF: tamper-evident logs in the C2SP formats.
//!
//! Start at [`checkpoint`]: a log is a list of entries, its checkpoint the signed size and root of the
//! RFC 6962 tree over them. [`frontier`] computes that root as entries are added; [`proof`] checks that an
//! entry is under it or that one root extends another, [`prove`] makes such proofs; [`tile`] names the
//! parts of the tree that are served; [`note`] and [`cosignature`] are the signatures, [`policy`] says whose
//! are enough; [`proof_file`] puts all of it into one text. [`name`] and [`key`] say who signs; [`ed25519`]
//! is the only place that checks a signature.
//!
//! Pure: no I/O, no clock, no randomness. What an entry means is the business of the crates above.
//!
//! **Invariant:** a value of a type here is valid by its construction; no parser panics, and every parser
//! refuses by size before it decodes.

pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod frontier;
pub mod hash;
pub mod key;
pub mod name;
pub mod note;
pub mod policy;
pub mod proof;
pub mod proof_file;
pub mod prove;
pub mod tile;

mod decimal;

/// The largest size a log may have: integers up to here are exact in every JSON reader (design 4.1).
pub const SIZE_MAX: u64 = (1 << 53) - 1;
