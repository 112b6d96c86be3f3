//! What the catalog says of one entry: the statement's codes and hashes, whether it was valid, and
//! what became of its body.
//!
//! **Invariant:** a row can be computed again from the entries of its feed at or below it and from
//! the bodies; nothing in it is new knowledge.

use practice::id::RecordId;
use practice::kind::Kind;
use tlog::hash::Hash;
use tlog::name::Origin;

/// Bits of a change's sequence below its second: room for a million changes in each.
const CHANGES_A_SECOND_BITS: u32 = 20;

/// The second, since 1970, in which the catalog applied the change of this sequence, or a later one: by the
/// clock of the machine, and never earlier than that of a change before it.
pub fn second_of(sequence: u64) -> u64 {
    sequence >> CHANGES_A_SECOND_BITS
}

/// The lowest sequence of a change that is applied in this second.
pub fn first_sequence_of(second: u64) -> u64 {
    second.saturating_mul(1 << CHANGES_A_SECOND_BITS)
}

/// One entry, as the catalog keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the statement says.
    pub op: RowOp,
    /// Whether it has an effect, and if not, why.
    pub validity: Validity,
    /// What became of its body.
    pub body: BodyState,
}

/// What a statement says, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOp {
    /// A version of a record.
    Publish {
        /// The record.
        id: RecordId,
        /// Its kind.
        kind: Kind,
        /// The version.
        version: u64,
        /// SHA-256 of the body.
        body: Hash,
    },
    /// The end of a record, until it is published again.
    Withdraw {
        /// The record.
        id: RecordId,
        /// Whether it names entries whose bodies are destroyed.
        erases: bool,
    },
    /// A statement of a later version of this software: kept, without effect. It may still name a body.
    Opaque {
        /// The hash in its `body` member, if it has one.
        body: Option<Hash>,
    },
    /// Not a statement. It may still name a body.
    Unreadable {
        /// The hash in its `body` member, if it is canonical JSON and has one.
        body: Option<Hash>,
    },
}

/// Whether a statement has an effect; decided by the earlier entries of its feed alone (design 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Validity {
    /// It counts.
    Valid = 0,
    /// A later version of this software wrote it.
    Opaque = 1,
    /// Not canonical JSON with exactly the members of a statement.
    Malformed = 2,
    /// Its version is not greater than every earlier valid one.
    VersionNotGreater = 3,
    /// Another kind than the first valid publish of the id.
    KindChanged = 4,
    /// Its body hash stood in the feed before.
    BodyNotNew = 5,
    /// It withdraws what was never published.
    NothingToWithdraw = 6,
    /// It erases an entry that is not an earlier publish of this id, or of a trust kind.
    EraseNotAllowed = 7,
}

/// What became of the body of an entry. It never changes versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BodyState {
    /// The statement names none.
    None = 0,
    /// Held and verified.
    Held = 1,
    /// Destroyed, because a withdrawal says so.
    Erased = 2,
    /// Not yet received from any carrier.
    Missing = 3,
    /// Held, but not a document of this format.
    InvalidForm = 10,
    /// Held, but it disagrees with its statement.
    InvalidMismatch = 11,
    /// Held, but its key did not speak for the node at this index.
    InvalidKey = 12,
    /// Held, but its signature is false.
    InvalidSignature = 13,
    /// A node record of another id than entry 0, or one that breaks a rule of design 4.5.
    InvalidNodeRecord = 14,
    /// Held and once good: its key was revoked from an earlier size on, or its feed goes on
    /// elsewhere from there.
    Disowned = 15,
}

impl BodyState {
    /// Whether a body is held that this version cannot accept.
    pub fn is_invalid(self) -> bool {
        (self as u8) >= (Self::InvalidForm as u8)
    }

    /// In words, for operators.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "no body",
            Self::Held => "held and verified",
            Self::Erased => "erased after a withdrawal",
            Self::Missing => "not yet received",
            Self::InvalidForm => "not a document of this format",
            Self::InvalidMismatch => "the document disagrees with its entry",
            Self::InvalidKey => "signed by a key that did not speak for this node at this entry",
            Self::InvalidSignature => "the signature is false",
            Self::InvalidNodeRecord => "not a valid node record of this node",
            Self::Disowned => {
                "disowned by its node: its key was revoked, or its feed goes on elsewhere"
            }
        }
    }

    /// Back from the number it is stored as.
    pub fn from_code(code: u8) -> Option<Self> {
        [
            Self::None,
            Self::Held,
            Self::Erased,
            Self::Missing,
            Self::InvalidForm,
            Self::InvalidMismatch,
            Self::InvalidKey,
            Self::InvalidSignature,
            Self::InvalidNodeRecord,
            Self::Disowned,
        ]
        .into_iter()
        .find(|state| *state as u8 == code)
    }
}

impl Validity {
    /// In words, for operators.
    pub fn words(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Opaque => "of a later version of this software; without effect here",
            Self::Malformed => "not a statement",
            Self::VersionNotGreater => "its version is not greater than an earlier one",
            Self::KindChanged => "its kind is not that of the record",
            Self::BodyNotNew => "its body stands in the feed already",
            Self::NothingToWithdraw => "it withdraws what was never published",
            Self::EraseNotAllowed => "it erases what it may not",
        }
    }

    /// Back from the number it is stored as.
    pub fn from_code(code: u8) -> Option<Self> {
        [
            Self::Valid,
            Self::Opaque,
            Self::Malformed,
            Self::VersionNotGreater,
            Self::KindChanged,
            Self::BodyNotNew,
            Self::NothingToWithdraw,
            Self::EraseNotAllowed,
        ]
        .into_iter()
        .find(|validity| *validity as u8 == code)
    }
}

impl Row {
    /// The record this entry speaks of.
    pub fn id(&self) -> Option<RecordId> {
        match &self.op {
            RowOp::Publish { id, .. } | RowOp::Withdraw { id, .. } => Some(*id),
            RowOp::Opaque { .. } | RowOp::Unreadable { .. } => None,
        }
    }

    /// The hash of the body that stands, or stood, at this entry.
    pub fn body_hash(&self) -> Option<Hash> {
        match &self.op {
            RowOp::Publish { body, .. } => Some(*body),
            RowOp::Opaque { body } | RowOp::Unreadable { body } => *body,
            RowOp::Withdraw { .. } => None,
        }
    }

    /// The version, for a valid publish.
    pub fn valid_version(&self) -> Option<u64> {
        match (&self.op, self.validity) {
            (RowOp::Publish { version, .. }, Validity::Valid) => Some(*version),
            _ => None,
        }
    }
}

/// New rows, from `from` on without a gap, and the states that changed below.
#[derive(Clone, Debug)]
pub struct CatalogBatch {
    /// The feed.
    pub origin: Origin,
    /// The index of the first row; the catalog's cursor.
    pub from: u64,
    /// The rows.
    pub rows: Vec<Row>,
    /// Body states that changed at earlier entries (or at entries of this batch).
    pub states: Vec<(u64, BodyState)>,
}

/// Which version of a record is current: the highest valid one, among the publishes after the id's
/// last valid withdrawal, whose body is not invalid (design 4.2).
pub fn current(rows: &[(u64, Row)]) -> Standing {
    let mut standing = Standing::Absent;
    let mut best: Option<(u64, u64)> = None;
    for (index, row) in rows {
        match (&row.op, row.validity) {
            (RowOp::Withdraw { .. }, Validity::Valid) => {
                best = None;
                standing = Standing::Withdrawn { by: *index };
            }
            (RowOp::Publish { version, .. }, Validity::Valid) => {
                if row.body.is_invalid() {
                    if matches!(standing, Standing::Absent) {
                        standing = Standing::NoCurrent;
                    }
                } else if best.is_none_or(|(highest, _)| *version > highest) {
                    best = Some((*version, *index));
                }
            }
            _ => {}
        }
    }
    match best {
        Some((version, index)) => Standing::Current { index, version },
        None => standing,
    }
}

/// What a record is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No valid statement about it.
    Absent,
    /// Published, and no version of it can be accepted.
    NoCurrent,
    /// Withdrawn.
    Withdrawn {
        /// The entry of the withdrawal.
        by: u64,
    },
    /// Current.
    Current {
        /// The entry of the version that is current.
        index: u64,
        /// That version.
        version: u64,
    },
}
