//! Checkpoints: the size and the root of a log, signed (C2SP tlog-checkpoint v1.0.0).

use std::fmt;

use crate::hash::{Hash, InvalidHash};
use crate::key::{KeyKind, VerifierKey};
use crate::name::{InvalidName, KeyName};
use crate::note::{InvalidNote, Note, SignatureLine, Signed, UnverifiedNote};
use crate::{SIZE_MAX, decimal};

/// The most signature lines at `checkpoint`: outsiders' readers need accept no more than 16, and two may
/// be the log's (design 4.1). All lines are at `cosignatures`.
pub const CHECKPOINT_LINES_MAX: usize = 14;

/// What a log says of itself: its name, how many entries it has, and the root of the tree over them.
///
/// Three lines; extension lines, which C2SP allows, are refused (design 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The name of the log, which is the name of its key.
    pub origin: KeyName,
    /// The number of entries, at most [`SIZE_MAX`].
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Checks the size, and that an empty log has the empty root.
    pub fn new(origin: KeyName, size: u64, root: Hash) -> Result<Self, InvalidCheckpoint> {
        if size > SIZE_MAX {
            return Err(InvalidCheckpoint::Size { text: size.to_string() });
        }
        if size == 0 && root != Hash::EMPTY_ROOT {
            return Err(InvalidCheckpoint::EmptyRoot { root });
        }
        Ok(Self { origin, size, root })
    }

    /// Reads the text of a note: exactly three lines.
    pub fn parse(text: &str) -> Result<Self, InvalidCheckpoint> {
        let lines = text.strip_suffix('\n').ok_or(InvalidCheckpoint::Lines)?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(InvalidCheckpoint::Lines);
        };
        let origin = KeyName::parse(origin)?;
        let size = decimal::parse(size)
            .ok_or_else(|| InvalidCheckpoint::Size { text: size.chars().take(32).collect() })?;
        Self::new(origin, size, Hash::from_base64(root)?)
    }

    /// The text to sign: origin, size and root, a line each.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

/// A checkpoint with its signature lines. Not trusted before [`SignedCheckpoint::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedCheckpoint {
    /// What the text says.
    pub checkpoint: Checkpoint,
    /// The text and the lines, as received.
    pub note: Note,
}

impl SignedCheckpoint {
    /// Reads a note whose text is a checkpoint; signatures are not checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidCheckpoint> {
        Self::from_note(Note::parse(bytes)?)
    }

    /// Takes a note whose text is a checkpoint; signatures are not checked.
    pub fn from_note(note: Note) -> Result<Self, InvalidCheckpoint> {
        Ok(Self { checkpoint: Checkpoint::parse(&note.text)?, note })
    }

    /// Checks that the log signed it: `log_key` has the name of the log and one of the lines is by it.
    pub fn verify(&self, log_key: &VerifierKey) -> Result<&Checkpoint, UnverifiedCheckpoint> {
        self.verify_with(log_key, &[]).map(|_| &self.checkpoint)
    }

    /// Checks that the log signed it, and every line by one of `cosigners`; answers with those who did.
    pub fn verify_with<'k>(
        &self,
        log_key: &VerifierKey,
        cosigners: &'k [VerifierKey],
    ) -> Result<Vec<Signed<'k>>, UnverifiedCheckpoint> {
        if log_key.name != self.checkpoint.origin || log_key.kind != KeyKind::Ed25519 {
            return Err(UnverifiedCheckpoint::OtherLog {
                origin: self.checkpoint.origin.clone(),
                key: log_key.name.clone(),
            });
        }
        self.note.text_signed_by(log_key)?;
        match self.note.verify(cosigners) {
            Err(UnverifiedNote::NoKnownKey) => Ok(Vec::new()),
            signed => Ok(signed?),
        }
    }

    /// Adds a line, which the caller has verified.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), InvalidCheckpoint> {
        Ok(self.note.add(line)?)
    }

    /// Adds the lines of another copy of the same checkpoint, which the caller has verified.
    pub fn merge(&mut self, other: &Self) -> Result<(), InvalidCheckpoint> {
        if other.note.text != self.note.text {
            return Err(InvalidCheckpoint::OtherText);
        }
        other.note.signatures.iter().try_for_each(|line| self.add(line.clone()))
    }

    /// The note to serve at `checkpoint`: the log's own lines first, then others up to
    /// [`CHECKPOINT_LINES_MAX`], in the order they have.
    pub fn to_serve(&self) -> Note {
        let is_log = |line: &&SignatureLine| line.name == self.checkpoint.origin;
        let lines = &self.note.signatures;
        let own = lines.iter().filter(is_log);
        let others = lines.iter().filter(|line| !is_log(line));
        let mut note = self.note.clone();
        note.signatures = own.chain(others).take(CHECKPOINT_LINES_MAX).cloned().collect();
        note
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Why a text is not a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCheckpoint {
    /// Fewer or more than three lines.
    #[error(
        "a checkpoint has exactly three lines: origin, size and root; extension lines are not supported"
    )]
    Lines,
    /// Not a size.
    #[error("`{text}` is no size: a whole number without leading zeros, at most 2^53-1")]
    Size {
        /// What stands there.
        text: String,
    },
    /// A log without entries that has a root.
    #[error("the root {root} cannot be that of a log without entries")]
    EmptyRoot {
        /// The root that stands there.
        root: Hash,
    },
    /// The lines of another checkpoint were to be merged.
    #[error(
        "the two notes are not copies of one checkpoint; if they have one size they are proof of a fork"
    )]
    OtherText,
    /// The origin is not a name.
    #[error(transparent)]
    Origin(#[from] InvalidName),
    /// The root is not a hash.
    #[error(transparent)]
    Root(#[from] InvalidHash),
    /// Not a note.
    #[error(transparent)]
    Note(#[from] InvalidNote),
}

/// Why a checkpoint is not the log's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnverifiedCheckpoint {
    /// The key is another log's, or signs cosignatures only.
    #[error("the checkpoint is of `{origin}`, and the key `{key}` is not a log key of that name")]
    OtherLog {
        /// The name in the checkpoint.
        origin: KeyName,
        /// The name of the key.
        key: KeyName,
    },
    /// Not signed by the key, or altered.
    #[error(transparent)]
    Note(#[from] UnverifiedNote),
}
