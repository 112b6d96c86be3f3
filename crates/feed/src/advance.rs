//! What may be stored: a step of a feed's head, and objects beside it.
//!
//! **Invariant:** only [`append`](crate::append), [`verify`](crate::verify) and the erasure of a
//! verified withdrawal make these values; stores consume them and make none.

use bytes::Bytes;
use tlog::hash::Hash;
use tlog::name::Origin;

use crate::ports::Fact;

/// Tells one state of a head from another: its length, and the hash in its last commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeadMark {
    /// Length of the head in bytes.
    pub bytes: u64,
    /// The 32 bytes that stand for the last commit.
    pub tip: Hash,
}

/// One atomic step of a feed's head.
#[derive(Clone, Debug)]
pub struct Advance {
    origin: Origin,
    from: Option<HeadMark>,
    to: HeadMark,
    change: HeadChange,
}

/// How the bytes of a head change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadChange {
    /// Commits are appended at the end.
    Append(Bytes),
    /// The whole head is replaced (or made, where there was none).
    Replace(Bytes),
}

impl Advance {
    pub(crate) fn new(
        origin: Origin,
        from: Option<HeadMark>,
        to: HeadMark,
        change: HeadChange,
    ) -> Self {
        Self { origin, from, to, change }
    }

    /// The feed.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The head this step starts from; `None` where there must be none yet.
    pub fn from(&self) -> Option<HeadMark> {
        self.from
    }

    /// The head afterwards.
    pub fn to(&self) -> HeadMark {
        self.to
    }

    /// The bytes.
    pub fn change(&self) -> &HeadChange {
        &self.change
    }
}

/// An object beside the head whose bytes were verified.
#[derive(Clone, Debug)]
pub struct VerifiedFact {
    origin: Origin,
    fact: Fact,
    bytes: Bytes,
}

impl VerifiedFact {
    pub(crate) fn new(origin: Origin, fact: Fact, bytes: Bytes) -> Self {
        Self { origin, fact, bytes }
    }

    /// The feed.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Which object.
    pub fn fact(&self) -> &Fact {
        &self.fact
    }

    /// Its bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}
