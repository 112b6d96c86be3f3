//! The cosigner lines known for a log (`JPC1`): who has seen, or received, which checkpoint of it.
//!
//! ```text
//! "JPC1" | u16 count | count × (u16 n | note)      by key name, then key id
//! ```
//!
//! A note is a checkpoint, one line of its log and one of the cosigner, in this order. The lines known
//! for a feed are stored and served in this form, and so is what this node's own keys signed last.
//!
//! **Invariant:** the lines of a [`Cosignatures`] are of one log, one for each key, sorted. Nothing here
//! checks a signature: that is done before a line is put in.

use bytes::Bytes;
use tlog::checkpoint::{Checkpoint, InvalidCheckpoint, SignedCheckpoint};
use tlog::cosignature::{self, InvalidCosignature};
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::{InvalidNote, Note, SignatureLine};

/// The most lines: two keys of every mechanism of the world, and as many again.
pub const LINES_MAX: usize = 4_000;

/// The longest encoding: [`LINES_MAX`] notes of names of the greatest length.
pub const BYTES_MAX: usize = 4 << 20;

const MAGIC: &[u8; 4] = b"JPC1";

/// An Ed25519 signature: what follows the key id in the line of a log.
const LOG_LINE_BYTES: usize = 64;

/// A time and an Ed25519 signature: what follows the key id in the line of a cosigner.
const COSIGNER_LINE_BYTES: usize = 72;

/// A checkpoint with one line of its log and one of a cosigner. The signatures are not checked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    checkpoint: Checkpoint,
    log: SignatureLine,
    line: SignatureLine,
    time: u64,
}

/// The lines known for one log, one for each key, by key name, then key id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cosignatures(Vec<Cosigned>);

impl Cosigned {
    /// Puts a checkpoint, a line of its log and one of a cosigner together.
    pub fn new(
        checkpoint: Checkpoint,
        log: SignatureLine,
        line: SignatureLine,
    ) -> Result<Self, InvalidCosigned> {
        if log.name != checkpoint.origin || log.bytes.len() != LOG_LINE_BYTES {
            return Err(InvalidCosigned::LogLine { name: log.name });
        }
        let time = line.bytes.first_chunk().copied().map(u64::from_be_bytes);
        match time {
            Some(time) if line.bytes.len() == COSIGNER_LINE_BYTES => {
                Ok(Self { checkpoint, log, line, time })
            }
            _ => Err(InvalidCosigned::CosignerLine { name: line.name }),
        }
    }

    /// Reads a note: the checkpoint, the line of the log, the line of the cosigner.
    pub fn parse(note: &[u8]) -> Result<Self, InvalidCosigned> {
        let SignedCheckpoint { checkpoint, note, .. } = SignedCheckpoint::parse(note)?;
        let lines = <[SignatureLine; 2]>::try_from(note.signatures);
        let [log, line] = lines.map_err(|lines| InvalidCosigned::Lines { count: lines.len() })?;
        Self::new(checkpoint, log, line)
    }

    /// What was cosigned.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The line of the cosigner.
    pub fn line(&self) -> &SignatureLine {
        &self.line
    }

    /// The name of the cosigner's key.
    pub fn name(&self) -> &KeyName {
        &self.line.name
    }

    /// The number of entries it was made over.
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// When it was made, in seconds since 1970, as the cosigner says.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Of two lines of one cosigner the greater one is newer: a later state, else a later time.
    pub fn age(&self) -> (u64, u64) {
        (self.size(), self.time)
    }

    /// The checkpoint as its log signed it, without the cosigner.
    pub fn log_note(&self) -> Result<SignedCheckpoint, InvalidCosigned> {
        let note = Note::new(self.checkpoint.body(), self.log.clone())?;
        Ok(SignedCheckpoint::from_note(note)?)
    }

    /// The whole note, as it is posted and stored.
    pub fn note(&self) -> Result<SignedCheckpoint, InvalidCosigned> {
        let mut note = self.log_note()?;
        note.add(self.line.clone())?;
        Ok(note)
    }

    /// The bytes of the whole note.
    pub fn to_bytes(&self) -> Vec<u8> {
        // As `Display` of a note; by parts, because a line could not fail here and would have to.
        format!("{}\n{}\n{}\n", self.checkpoint.body(), self.log, self.line).into_bytes()
    }

    /// Checks the line of the cosigner.
    pub fn verify(&self, key: &VerifierKey) -> Result<u64, InvalidCosignature> {
        cosignature::verify(&self.line, &self.checkpoint.body(), key)
    }

    fn order(&self) -> (&KeyName, u32) {
        (&self.line.name, self.line.id)
    }
}

impl Cosignatures {
    /// Reads what a carrier sent or a store gave back: sorted, no key twice, of one log, nothing after it.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidCosignatures> {
        if bytes.len() > BYTES_MAX {
            return Err(InvalidCosignatures::Bytes { bytes: bytes.len() });
        }
        let rest = bytes.strip_prefix(MAGIC).ok_or(InvalidCosignatures::Magic)?;
        let (count, mut rest) = length(rest)?;
        if count > LINES_MAX {
            return Err(InvalidCosignatures::Count { count });
        }
        let mut lines: Vec<Cosigned> = Vec::with_capacity(count);
        for at in 0..count {
            let (bytes, more) = length(rest)?;
            let (note, more) = more.split_at_checked(bytes).ok_or(InvalidCosignatures::Short)?;
            rest = more;
            let cosigned =
                Cosigned::parse(note).map_err(|source| InvalidCosignatures::Line { at, source })?;
            if let Some(last) = lines.last() {
                if last.checkpoint.origin != cosigned.checkpoint.origin {
                    return Err(InvalidCosignatures::OtherLog { at });
                }
                if last.order() >= cosigned.order() {
                    return Err(InvalidCosignatures::Order { at });
                }
            }
            lines.push(cosigned);
        }
        if rest.is_empty() { Ok(Self(lines)) } else { Err(InvalidCosignatures::Trailing) }
    }

    /// The bytes that are stored and served.
    pub fn encode(&self) -> Bytes {
        let mut bytes = MAGIC.to_vec();
        // Never more than LINES_MAX, and no note is longer than 4,096 bytes.
        bytes.extend_from_slice(&u16::try_from(self.0.len()).unwrap_or(u16::MAX).to_be_bytes());
        for cosigned in &self.0 {
            let note = cosigned.to_bytes();
            bytes.extend_from_slice(&u16::try_from(note.len()).unwrap_or(u16::MAX).to_be_bytes());
            bytes.extend_from_slice(&note);
        }
        bytes.into()
    }

    /// The lines, sorted.
    pub fn lines(&self) -> &[Cosigned] {
        &self.0
    }

    /// The line of one key.
    pub fn of(&self, name: &KeyName, id: u32) -> Option<&Cosigned> {
        let at = self.0.binary_search_by(|line| line.order().cmp(&(name, id))).ok()?;
        self.0.get(at)
    }

    /// Puts a line in the place of an older one of the same key; whether it did. Of a full list the one
    /// that was made first goes.
    pub fn insert(&mut self, cosigned: Cosigned) -> bool {
        match self.0.binary_search_by(|line| line.order().cmp(&cosigned.order())) {
            Ok(at) => match self.0.get_mut(at) {
                Some(held) if held.age() < cosigned.age() => {
                    *held = cosigned;
                    true
                }
                _ => false,
            },
            Err(at) => {
                self.0.insert(at, cosigned);
                if self.0.len() > LINES_MAX {
                    let oldest = self.0.iter().enumerate().min_by_key(|(_, line)| line.time);
                    if let Some((at, _)) = oldest {
                        self.0.remove(at);
                    }
                }
                true
            }
        }
    }

    /// Keeps only the lines of which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&Cosigned) -> bool) {
        self.0.retain(keep);
    }
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), InvalidCosignatures> {
    let (length, rest) = bytes.split_first_chunk().ok_or(InvalidCosignatures::Short)?;
    Ok((usize::from(u16::from_be_bytes(*length)), rest))
}

/// Why a note is not a checkpoint with a line of its log and one of a cosigner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCosigned {
    /// Not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] InvalidCheckpoint),
    /// Not a note.
    #[error(transparent)]
    Note(#[from] InvalidNote),
    /// More or fewer than two lines.
    #[error(
        "the note has {count} signature lines; one of the log and one of the cosigner are expected"
    )]
    Lines {
        /// How many it has.
        count: usize,
    },
    /// The first line.
    #[error("the first signature line, of `{name}`, is not one of the log")]
    LogLine {
        /// Whose it says it is.
        name: KeyName,
    },
    /// The second line.
    #[error("the second signature line, of `{name}`, is no cosignature: a time and a signature")]
    CosignerLine {
        /// Whose it says it is.
        name: KeyName,
    },
}

/// Why bytes are not a list of cosignatures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCosignatures {
    /// Over [`BYTES_MAX`].
    #[error("a list of cosignatures has at most 4194304 bytes, not {bytes}")]
    Bytes {
        /// How many it has.
        bytes: usize,
    },
    /// Something else.
    #[error("a list of cosignatures begins with JPC1")]
    Magic,
    /// Over [`LINES_MAX`].
    #[error("a list of cosignatures has at most 4000 lines, not {count}")]
    Count {
        /// How many it says it has.
        count: usize,
    },
    /// Fewer bytes than it says.
    #[error("a list of cosignatures breaks off")]
    Short,
    /// More bytes than it says.
    #[error("something follows a list of cosignatures")]
    Trailing,
    /// One that is none.
    #[error("cosignature {at} cannot be read")]
    Line {
        /// Its place, from 0.
        at: usize,
        /// Why.
        #[source]
        source: InvalidCosigned,
    },
    /// Not sorted, or a key twice.
    #[error("cosignature {at} is not sorted by key name and key id, each once")]
    Order {
        /// Its place, from 0.
        at: usize,
    },
    /// Of another log than those before it.
    #[error("cosignature {at} is of another log than those before it")]
    OtherLog {
        /// Its place, from 0.
        at: usize,
    },
}
