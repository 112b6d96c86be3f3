//! What the core asks of the outside: durable facts, a disposable catalog, a carrier, keys, time, chance.
//!
//! Every port is object-safe and takes and gives whole, checked values. [`Advance`] and
//! [`VerifiedFact`] can be made by this crate alone, so a store is never handed bytes that nobody
//! verified.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use practice::id::RecordId;
use tlog::ed25519::{PublicKey, Signature};
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::tile::TilePath;

use crate::advance::{Advance, VerifiedFact};
use crate::row::{CatalogBatch, Row};

/// One immutable or replaceable object of a feed, named as it stands on disk (design 7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// The head: newest committed state and the entries not yet sealed.
    Head,
    /// Segment N: entries 256·N to 256·N+255 with their bodies, one zstd frame.
    Segment(u64),
    /// A full hash tile.
    Tile(tlog::tile::Tile),
    /// The checkpoint a follower is working towards; a signed note.
    Pending,
    /// The cosigner lines known for a feed (`JPC1`).
    Cosignatures,
    /// The approvals behind a network's effective records; a bundle.
    Anchors,
    /// An attachment, by SHA-256.
    File(Hash),
}

/// The greatest size and root this node ever let others see of its own feed; outside backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HighWater {
    /// Number of entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// Room on the disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// That this process may still use.
    pub free: u64,
    /// Of the whole disk.
    pub all: u64,
}

/// Durable storage of feeds, our own and those we follow, and of what a person decided.
///
/// Methods may be called concurrently. Writes are durable when they return. A backend is one that
/// passes the conformance suite of `store`; backends share no code.
#[async_trait]
pub trait FeedStore: Send + Sync {
    /// The feeds that have a head, or a pending checkpoint, in any order.
    async fn origins(&self) -> Result<Vec<Origin>, StoreError>;

    /// The bytes of `fact`, `None` if there is no such object.
    async fn fact(&self, origin: &Origin, fact: &Fact) -> Result<Option<Bytes>, StoreError>;

    /// Replaces the head, or appends to it, all or nothing.
    ///
    /// Changes nothing unless the stored head still bears the mark that `advance` starts from.
    async fn commit(&self, advance: &Advance) -> Result<(), CommitError>;

    /// Cuts a head back to its first `bytes` bytes, dropping an append that was torn by a crash.
    async fn cut(&self, origin: &Origin, bytes: u64) -> Result<(), StoreError>;

    /// Stores or replaces one object that is not a head. Replacing is atomic: a reader sees the old
    /// bytes or the new.
    async fn keep(&self, verified: &VerifiedFact) -> Result<(), StoreError>;

    /// Removes one object that is not a head; no error if it is not there.
    async fn remove(&self, origin: &Origin, fact: &Fact) -> Result<(), StoreError>;

    /// The high-water file of our own feed.
    async fn high_water(&self, origin: &Origin) -> Result<Option<HighWater>, StoreError>;

    /// Whether the high-water file was written on this machine and not copied here since, which tells
    /// a mere restart from a restore or a clone (design 6). `None` if there is none.
    async fn high_water_is_at_home(&self, origin: &Origin) -> Result<Option<bool>, StoreError>;

    /// Overwrites the high-water file in place and waits until it is on disk.
    async fn set_high_water(&self, origin: &Origin, mark: HighWater) -> Result<(), StoreError>;

    /// What a person decided, by name (`follow/simore.gov.py`); sorted.
    async fn decisions(&self) -> Result<Vec<(String, Bytes)>, StoreError>;

    /// Writes one decision, durable, replacing an older one of the same name. A name is one or two
    /// parts of `[a-z0-9.-]` joined by `/`, at most 120 bytes.
    async fn set_decision(&self, name: &str, bytes: Option<Bytes>) -> Result<(), StoreError>;

    /// What this node's own keys cosigned last of the log whose origin has this SHA-256 (`JPC1`).
    async fn witnessed(&self, origin: &Hash) -> Result<Option<Bytes>, StoreError>;

    /// Replaces it, all or nothing. On disk when this returns: no cosignature leaves before.
    async fn set_witnessed(&self, origin: &Hash, bytes: Bytes) -> Result<(), StoreError>;

    /// The SHA-256 of the origins of all logs of which something is kept there, in any order.
    async fn witnessed_logs(&self) -> Result<Vec<Hash>, StoreError>;

    /// Whether anything can be written at this moment, as far as that can be told without writing.
    fn writable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Room where it writes; `None` if nobody can tell. Quick: it is asked before whatever is taken in.
    fn room(&self) -> Option<Room> {
        None
    }

    /// Forgets all facts of a feed that is no longer followed. Never called for our own.
    async fn forget(&self, origin: &Origin) -> Result<(), StoreError>;
}

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room, or not allowed to write. Nothing was changed; reading goes on.
    #[error(
        "{what} cannot be written, for want of room or permission: free some space, raise the quota or let the node write there; nothing was changed"
    )]
    Full {
        /// The object, as a path below the data directory.
        what: String,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// What is left is kept for what this node publishes itself. Nothing was changed.
    #[error(
        "nothing of others is taken in: {free_mib} MiB are free on the disk, and {reserve_mib} MiB are kept for what this node publishes itself; free some space, unfollow who fills it, or lower `limits.reserve_mib`; it goes on by itself"
    )]
    Reserved {
        /// What is free, in mebibytes.
        free_mib: u64,
        /// What is kept, in mebibytes.
        reserve_mib: u64,
    },
    /// A sync to disk failed: nothing more is written before the store was opened again.
    #[error(
        "{what} could not be synced to disk; writing stops until the node is restarted and has verified its store"
    )]
    Poisoned {
        /// The object, as a path below the data directory.
        what: String,
    },
    /// Anything else the operating system said.
    #[error("cannot {action} {what}")]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The object, as a path below the data directory.
        what: String,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// An object over its limit, or a name that cannot stand in the store.
    #[error("{what} is not a thing this store holds: {why}")]
    Refused {
        /// The object.
        what: String,
        /// The rule it breaks.
        why: String,
    },
}

/// How a commit ended when it did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The head is another one than the advance starts from. Nothing was changed.
    #[error("the head of `{origin}` changed meanwhile; nothing was written, try again")]
    Conflict {
        /// The feed.
        origin: Origin,
    },
    /// Nothing was changed.
    #[error(transparent)]
    Refused(StoreError),
    /// It may be on disk or not: the head must be read back before anything else is signed.
    #[error(
        "it is not known whether the last write of `{origin}` reached the disk; the head is read back first"
    )]
    Unknown {
        /// The feed.
        origin: Origin,
        /// What failed.
        #[source]
        source: StoreError,
    },
}

/// A disposable view over the facts: what each entry says, found by position, id and hash.
///
/// Synchronous and quick; may be called concurrently. Everything in it can be rebuilt from the
/// facts, its [`cursor`](Self::cursor) tells how far it has come. It holds codes, hashes and
/// positions, no human text.
pub trait Catalog: Send + Sync {
    /// How many entries of `origin` have been applied, from the first on.
    fn cursor(&self, origin: &Origin) -> Result<u64, CatalogError>;

    /// Applies new rows and changed states in one atomic batch with the cursor.
    /// Refused (without effect) unless `batch.from` is the cursor.
    fn apply(&self, batch: &CatalogBatch) -> Result<(), CatalogError>;

    /// The row of one entry, `None` at or beyond the cursor.
    fn row(&self, origin: &Origin, index: u64) -> Result<Option<Row>, CatalogError>;

    /// All rows of one record in one feed, by index.
    fn rows_of(&self, origin: &Origin, id: &RecordId) -> Result<Vec<(u64, Row)>, CatalogError>;

    /// All entries of one feed whose statement names this body, by index.
    fn rows_with_body(&self, origin: &Origin, body: &Hash) -> Result<Vec<u64>, CatalogError>;

    /// The feeds in which a record of this id stands.
    fn feeds_of(&self, id: &RecordId) -> Result<Vec<Origin>, CatalogError>;

    /// Entries in which a body stands, in any feed, by feed and index.
    fn entries_with_body(&self, body: &Hash) -> Result<Vec<(Origin, u64)>, CatalogError>;

    /// What changed after `sequence`, oldest first, at most `limit`: `(sequence, feed, index)`. A sequence
    /// tells when, by [`second_of`](crate::row::second_of): it is taken after every call of this method that
    /// does not yet see the change.
    fn changes(&self, after: u64, limit: usize) -> Result<Vec<(u64, Origin, u64)>, CatalogError>;

    /// The sequence of the last change, 0 if there was none.
    fn last_change(&self) -> Result<u64, CatalogError>;

    /// A note of our own that may be lost, such as a peer's schedule.
    fn memo(&self, key: &str) -> Result<Option<Bytes>, CatalogError>;

    /// Writes (or with `None` removes) such a note.
    fn set_memo(&self, key: &str, value: Option<&[u8]>) -> Result<(), CatalogError>;

    /// Drops everything about one feed; its cursor is 0 again.
    fn forget(&self, origin: &Origin) -> Result<(), CatalogError>;
}

/// Why the catalog did not answer; it can always be deleted and rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A batch that does not start where the catalog stands.
    #[error("the catalog of `{origin}` stands at {cursor}, not at {from}; run `jopoi rebuild`")]
    OutOfStep {
        /// The feed.
        origin: Origin,
        /// Where it stands.
        cursor: u64,
        /// Where the batch starts.
        from: u64,
    },
    /// The backend failed.
    #[error(
        "the catalog failed: {reason}; it holds nothing that is not in the facts: `jopoi rebuild` makes it anew"
    )]
    Backend {
        /// Its words.
        reason: String,
    },
}

/// What `since` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Nothing new (after waiting, if a wait was asked).
    Nothing,
    /// A head, `JPH1…`: the caller is behind the sealed part, or new.
    Head(Bytes),
    /// Commits, `JPT1…`, from the one that holds the entry asked for.
    Commits(Bytes),
    /// The feed is shorter than that; its last note.
    Shorter(Bytes),
}

/// What a carrier answers for a body that should stand at an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyAnswer {
    /// Its bytes, not yet verified.
    Body(Bytes),
    /// Said to be erased by a later withdrawal.
    Gone,
    /// Not there.
    Missing,
}

/// What a carrier says of a cosignature that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It has it, now or already.
    Taken,
    /// It does not know our key: perhaps it does not follow us.
    UnknownKey,
    /// It is not over what this carrier holds: other entries, or more of them.
    Contradicts,
}

/// A way to get a feed: its owner, a mirror, a relay, a file. None is trusted.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// In words for people: an address, a file name.
    fn describe(&self) -> String;
    /// The newest node record this carrier has of the node it carries.
    async fn node_record(&self) -> Result<Bytes, CarrierError>;
    /// The signed note of its last commit, with what cosignatures it has.
    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError>;
    /// What follows `size`; waits up to `wait` for news.
    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError>;
    /// A hash tile or a bundle of entries, as C2SP tlog-tiles has it.
    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError>;
    /// Segment N, as a zstd frame or plain.
    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError>;
    /// The body at an entry.
    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError>;
    /// The anchors it has of a network's feed (`JPB1`). A carrier that keeps none says so.
    async fn anchors(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let what = format!("anchors of {origin}");
        Err(CarrierError::NotFound { carrier: self.describe(), what })
    }
    /// The cosigner lines it knows of a feed (`JPC1`). A carrier that keeps none says so.
    async fn cosignatures(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let what = format!("cosignatures of {origin}");
        Err(CarrierError::NotFound { carrier: self.describe(), what })
    }
    /// The evidence it has that a feed was forked: a fault file. A carrier that keeps none says so.
    async fn evidence(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let what = format!("evidence about {origin}");
        Err(CarrierError::NotFound { carrier: self.describe(), what })
    }
    /// Hands over a cosignature of our own: a note as [`crate::cosignatures`] has it.
    async fn deliver(&self, origin: &Origin, note: Bytes) -> Result<Delivered, CarrierError> {
        let (_, what) = (note, format!("place for cosignatures of {origin}"));
        Err(CarrierError::NotFound { carrier: self.describe(), what })
    }
    /// Goes another way from now on, because what was shown on this one is behind; whether there is another.
    fn turn(&self) -> bool {
        false
    }
}

/// Why a carrier did not bring what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CarrierError {
    /// It could not be reached: no address, refused, a time-out, a broken certificate…
    #[error("{carrier} cannot be reached: {reason}")]
    Unreachable {
        /// Who.
        carrier: String,
        /// In words, with what to do where we know it.
        reason: String,
    },
    /// It says it has no such thing.
    #[error("{carrier} does not have {what}")]
    NotFound {
        /// Who.
        carrier: String,
        /// What was asked.
        what: String,
    },
    /// It asks us to come back later.
    #[error("{carrier} asks to wait {seconds} s")]
    Busy {
        /// Who.
        carrier: String,
        /// How long.
        seconds: u64,
    },
    /// The answer broke off; what came is kept, and the rest is asked for next time.
    #[error("{carrier} cannot be reached: {reason}; {received} bytes of {what} are kept")]
    Interrupted {
        /// Who.
        carrier: String,
        /// What was asked.
        what: String,
        /// In words.
        reason: String,
        /// Bytes that are there.
        received: usize,
    },
    /// It answered something that is no answer: wrong type, too long, a redirect…
    #[error("{carrier} gave no proper answer for {what}: {reason}")]
    Improper {
        /// Who.
        carrier: String,
        /// What was asked.
        what: String,
        /// In words.
        reason: String,
    },
}

/// The uses of the keys derived from a node's online secret (design 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyUse {
    /// Signs checkpoints.
    Log,
    /// Signs records.
    Record,
    /// Signs HTTP requests.
    Http,
    /// Cosigns as a witness.
    Witness,
    /// Cosigns as a receipt.
    Receipt,
}

impl KeyUse {
    /// All uses, in the order they are written in a node record.
    pub const ALL: [Self; 5] = [Self::Log, Self::Record, Self::Http, Self::Witness, Self::Receipt];

    /// The word for it in node records and in the derivation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Record => "record",
            Self::Http => "http",
            Self::Witness => "witness",
            Self::Receipt => "receipt",
        }
    }
}

/// The node's own online keys; they may be locked.
pub trait Signer: Send + Sync {
    /// The public key in use.
    fn public(&self, key_use: KeyUse) -> Result<PublicKey, Locked>;
    /// Signs `message`.
    fn sign(&self, key_use: KeyUse, message: &[u8]) -> Result<Signature, Locked>;
    /// The log key of the generation before, while a rotation lasts: it signs a second line beside
    /// the new one, for readers that do not know the new one yet.
    fn former_log(&self) -> Option<PublicKey> {
        None
    }
    /// Signs `message` with [`former_log`](Self::former_log).
    fn sign_former_log(&self, _message: &[u8]) -> Result<Signature, Locked> {
        Err(Locked)
    }
}

/// The online secret is encrypted and was not unlocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this node's keys are locked or not here: it serves and verifies, and cannot publish; `jopoi keys unlock` \
     opens them, `jopoi keys status` says what is missing"
)]
pub struct Locked;

/// The time, injected.
pub trait Clock: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> u64;
}

/// Chance, injected.
pub trait Random: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// Where long work reports how far it has come.
pub trait Progress: Send + Sync {
    /// `done` of `total` steps of `what` (`segments`, `entries`).
    fn step(&self, what: &str, done: u64, total: u64);
}

/// Reports to nobody.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn step(&self, _what: &str, _done: u64, _total: u64) {}
}
