//! `.tlog-proof`: an inclusion proof and the checkpoint it leads to, in one text (C2SP tlog-proof).
//!
//! With the entry and the key of its log, the file convinces a stranger offline.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::checkpoint::{Checkpoint, InvalidCheckpoint, SignedCheckpoint, UnverifiedCheckpoint};
use crate::hash::{Hash, InvalidHash};
use crate::key::VerifierKey;
use crate::note::NOTE_BYTES_MAX;
use crate::proof::{PROOF_HASHES_MAX, ProofError, verify_inclusion};
use crate::{SIZE_MAX, decimal};

/// The first line.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// What somebody may add in the `extra` line, before base64; we write none.
pub const EXTRA_BYTES_MAX: usize = 4096;

/// The whole file: header, extra, index, hashes, checkpoint.
pub const PROOF_FILE_BYTES_MAX: usize =
    64 + EXTRA_BYTES_MAX.div_ceil(3) * 4 + 32 + PROOF_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/// A proof that some entry stands at `index` of the log of `checkpoint`. Proves nothing before
/// [`TlogProof::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Opaque data that nothing vouches for.
    pub extra: Option<Vec<u8>>,
    /// Where the entry stands.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling to the child of the root.
    pub hashes: Vec<Hash>,
    /// The root it leads to, with its signatures.
    pub checkpoint: SignedCheckpoint,
}

impl TlogProof {
    /// Reads a file; nothing is verified.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidProofFile> {
        if bytes.len() > PROOF_FILE_BYTES_MAX {
            return Err(InvalidProofFile::Bytes { bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| InvalidProofFile::Header)?;
        let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n'));
        let (head, checkpoint) =
            rest.and_then(|rest| rest.split_once("\n\n")).ok_or(InvalidProofFile::Header)?;
        let mut lines = head.split('\n').peekable();
        let extra =
            lines.next_if(|line| line.starts_with("extra ")).map(parse_extra).transpose()?;
        let index = lines.next().unwrap_or_default();
        let index = index
            .strip_prefix("index ")
            .and_then(decimal::parse)
            .filter(|&index| index <= SIZE_MAX)
            .ok_or_else(|| InvalidProofFile::Index { line: index.chars().take(40).collect() })?;
        let hashes = lines.map(Hash::from_base64).collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > PROOF_HASHES_MAX {
            return Err(InvalidProofFile::Hashes { hashes: hashes.len() });
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes())?;
        Ok(Self { extra, index, hashes, checkpoint })
    }

    /// Checks that the log signed the checkpoint and that `leaf`, the leaf hash of an entry, is in it at
    /// the index. Who else signed is for the caller's policy to judge.
    pub fn verify(
        &self,
        leaf: &Hash,
        log_key: &VerifierKey,
    ) -> Result<&Checkpoint, UnverifiedProof> {
        let checkpoint = self.checkpoint.verify(log_key)?;
        verify_inclusion(self.index, checkpoint.size, leaf, &checkpoint.root, &self.hashes)?;
        Ok(checkpoint)
    }

    /// The same for the bytes of an entry.
    pub fn verify_entry(
        &self,
        entry: &[u8],
        log_key: &VerifierKey,
    ) -> Result<&Checkpoint, UnverifiedProof> {
        self.verify(&Hash::leaf(entry), log_key)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why some bytes are not a `.tlog-proof`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProofFile {
    /// Longer than [`PROOF_FILE_BYTES_MAX`].
    #[error("a .tlog-proof of {bytes} bytes is too long to be one")]
    Bytes {
        /// How many it has.
        bytes: usize,
    },
    /// Another first line, or no empty line before the checkpoint.
    #[error(
        "this is no .tlog-proof: it begins with `c2sp.org/tlog-proof@v1`, and an empty line precedes the checkpoint"
    )]
    Header,
    /// The `extra` line is not base64, or too long.
    #[error("the `extra` line is not base64 of at most 4096 bytes")]
    Extra,
    /// No `index` line.
    #[error("`{line}` should read `index` and the number of the entry")]
    Index {
        /// The beginning of the line.
        line: String,
    },
    /// More hashes than any tree needs.
    #[error("a proof has at most 64 hashes, not {hashes}")]
    Hashes {
        /// How many it has.
        hashes: usize,
    },
    /// A line of the proof is no hash.
    #[error(transparent)]
    Hash(#[from] InvalidHash),
    /// What follows the empty line is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] InvalidCheckpoint),
}

/// Why a `.tlog-proof` proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnverifiedProof {
    /// The checkpoint is not the log's.
    #[error(transparent)]
    Checkpoint(#[from] UnverifiedCheckpoint),
    /// The entry is not in it.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

fn parse_extra(line: &str) -> Result<Vec<u8>, InvalidProofFile> {
    let base64 = line.strip_prefix("extra ").ok_or(InvalidProofFile::Extra)?;
    let extra = BASE64.decode(base64).map_err(|_| InvalidProofFile::Extra)?;
    if extra.len() > EXTRA_BYTES_MAX { Err(InvalidProofFile::Extra) } else { Ok(extra) }
}
