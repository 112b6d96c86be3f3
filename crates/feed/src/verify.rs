//! Following: may these bytes extend, or replace, what is held? Pure.
//!
//! A [`Fold`] starts from hashes that are held and takes commits one by one: entries abut, leaf
//! hashes fold to the root each note states, and the log key in force at that size signed the note.
//! Downloading is a carrier's work, committing a store's.
//!
//! **Invariant:** with [`append`](crate::append), only this module makes an [`Advance`] or a
//! [`VerifiedFact`], so a store is never handed entries that nobody verified.

use bytes::Bytes;
use network::keys::{KeyError, KeyHistory};
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};

use crate::advance::{Advance, HeadChange, HeadMark, VerifiedFact};
use crate::block::{self, Block, BlockError};
use crate::head::{Commit, Head, HeadError, TAIL_WEIGHT_MAX};
use crate::ports::Fact;
use crate::statement::{Said, Statement};
use crate::tree::Tree;

/// Commits being checked against what is held.
#[derive(Debug)]
pub struct Fold {
    origin: Origin,
    tree: Tree,
    keys: KeyHistory,
    blocks: Vec<Block>,
    weight: usize,
    weight_max: usize,
    /// The notes of the commits, with the root that the entries made there.
    notes: Vec<(SignedCheckpoint, Hash)>,
}

impl Fold {
    /// Starts from what is held.
    pub fn new(origin: Origin, tree: Tree, keys: KeyHistory) -> Self {
        Self {
            origin,
            tree,
            keys,
            blocks: Vec::new(),
            weight: 0,
            weight_max: TAIL_WEIGHT_MAX,
            notes: Vec::new(),
        }
    }

    /// The same for our own disk: there an answer that was just taken may stand after a tail that a
    /// crash kept from being sealed.
    pub fn of_local_head(origin: Origin, tree: Tree, keys: KeyHistory) -> Self {
        Self { weight_max: 2 * TAIL_WEIGHT_MAX, ..Self::new(origin, tree, keys) }
    }

    /// Takes one commit. Entries that are held already are compared, new ones are added. Its note is
    /// checked in the end: which keys spoke may be told by a later commit.
    pub fn commit(&mut self, commit: &Commit) -> Result<(), VerifyError> {
        self.weight = self.weight.saturating_add(commit.weight());
        if self.weight > self.weight_max {
            return Err(VerifyError::TailTooLarge);
        }
        for frame in &commit.frames {
            if frame.first > self.tree.size() {
                return Err(VerifyError::Gap { expected: self.tree.size(), first: frame.first });
            }
            let block = frame.open()?;
            self.block(block)?;
        }
        let checkpoint = read_note(&self.origin, &commit.note)?;
        let said = checkpoint.checkpoint.size;
        if said != self.tree.size() {
            return Err(VerifyError::Size { said, held: self.tree.size() });
        }
        self.notes.push((checkpoint, self.tree.root()));
        Ok(())
    }

    fn block(&mut self, block: Block) -> Result<(), VerifyError> {
        let held = self.tree.size();
        let mut new = Vec::new();
        for (index, item) in (block.first..).zip(block.items) {
            if index < held {
                if self.tree.tail_leaf(index).is_some_and(|leaf| leaf != item.leaf()) {
                    return Err(VerifyError::Differs { index });
                }
                continue;
            }
            self.tree.push(item.leaf()).map_err(|_| VerifyError::TailTooLarge)?;
            observe(&mut self.keys, index, &item.said, item.body.as_ref())?;
            new.push(item);
        }
        if !new.is_empty() {
            self.blocks.push(Block { first: block.first.max(held), items: new });
        }
        Ok(())
    }

    fn check_note(&self, checkpoint: &SignedCheckpoint, root: Hash) -> Result<(), VerifyError> {
        let said = &checkpoint.checkpoint;
        check_signature(&self.origin, checkpoint, &self.keys)?;
        check_lines(&self.origin, checkpoint, &self.keys)?;
        if said.root != root {
            return Err(VerifyError::Root { size: said.size, said: said.root, computed: root });
        }
        Ok(())
    }

    /// Node records in it by which a recovery key announced a root; each proves itself.
    pub fn announcements(&self) -> Vec<Bytes> {
        self.keys.announcements().iter().map(|keyed| keyed.body.clone()).collect()
    }

    /// Checks the notes of all commits, now that it is known who spoke for the node.
    ///
    /// # Errors
    /// When no commit was taken, when the node records do not lead to the root that is held, or when
    /// a note is not by the log key in force at its size.
    pub fn finish(self) -> Result<Folded, VerifyError> {
        self.keys.vouched()?;
        for (checkpoint, root) in &self.notes {
            self.check_note(checkpoint, *root)?;
        }
        let (checkpoint, _) = self.notes.into_iter().next_back().ok_or(HeadError::NoCommit)?;
        Ok(Folded {
            origin: self.origin,
            tree: self.tree,
            keys: self.keys,
            blocks: self.blocks,
            checkpoint,
        })
    }
}

/// Commits that were checked.
#[derive(Debug)]
pub struct Folded {
    origin: Origin,
    /// The hashes with the new entries.
    pub tree: Tree,
    /// The keys with the new node records.
    pub keys: KeyHistory,
    /// The new entries, in order.
    pub blocks: Vec<Block>,
    /// The note of the last commit.
    pub checkpoint: SignedCheckpoint,
}

impl Folded {
    /// The step that appends these entries to a held head, as one commit (or `commits` as they came,
    /// where they begin exactly at what was held).
    pub fn append(
        &self,
        from: HeadMark,
        commits: &[Commit],
        held: u64,
    ) -> Result<Advance, VerifyError> {
        let exact = commits
            .first()
            .and_then(|commit| commit.frames.first())
            .is_some_and(|frame| frame.first == held);
        let note = self.checkpoint.note.to_bytes();
        let own;
        let commits = if exact {
            commits
        } else {
            own = [Commit::write(&note, &self.blocks)?];
            &own
        };
        let mut bytes = Vec::new();
        for commit in commits {
            bytes.extend_from_slice(&commit.bytes);
        }
        let tip = commits.last().and_then(Commit::tip).ok_or(HeadError::NoCommit)?;
        let to = HeadMark { bytes: from.bytes.saturating_add(bytes.len() as u64), tip };
        Ok(Advance::new(self.origin.clone(), Some(from), to, HeadChange::Append(bytes.into())))
    }

    /// The feed.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

/// A step that replaces a head by one that is sealed as far as `tree` and holds `tail` in one commit.
pub(crate) fn replace(
    origin: &Origin,
    from: Option<HeadMark>,
    tree: &Tree,
    tail: &[Block],
    note: &[u8],
) -> Result<Advance, VerifyError> {
    let commit = Commit::write(note, tail)?;
    let tip = commit.tip().ok_or(HeadError::NoCommit)?;
    let head = Head {
        sealed: tree.sealed(),
        subtrees: tree.sealed_subtrees().to_vec(),
        commits: vec![commit],
    };
    let bytes = head.encode();
    let to = HeadMark { bytes: bytes.len() as u64, tip };
    Ok(Advance::new(origin.clone(), from, to, HeadChange::Replace(bytes)))
}

/// Checks a segment against the root its subtree must have, from any carrier, in any order.
pub fn segment(bytes: &Bytes, number: u64, root: &Hash) -> Result<Block, VerifyError> {
    let block = block::open_segment(bytes, number)?;
    if block.segment_root() == Some(*root) {
        Ok(block)
    } else {
        Err(VerifyError::Segment { number })
    }
}

/// The objects that keep a segment: itself, and the tile of its leaf hashes. `packed` is the frame
/// it came in, if it came in one and was not changed since.
pub fn segment_facts(
    origin: &Origin,
    block: &Block,
    number: u64,
    root: &Hash,
    packed: Option<Bytes>,
) -> Result<Vec<VerifiedFact>, VerifyError> {
    if block.segment_root() != Some(*root) || block.first / block::SEGMENT_ENTRIES != number {
        return Err(VerifyError::Segment { number });
    }
    let packed = match packed {
        Some(packed) => packed,
        None => block::pack_segment(block).map_err(BlockError::from)?,
    };
    let mut facts = vec![VerifiedFact::new(origin.clone(), Fact::Segment(number), packed)];
    facts.extend(tile_fact(origin, 0, number, &block.leaves()));
    Ok(facts)
}

/// A full tile of 256 hashes that were computed or verified.
pub(crate) fn tile_fact(
    origin: &Origin,
    level: u8,
    index: u64,
    hashes: &[Hash],
) -> Option<VerifiedFact> {
    let tile = tlog::tile::Tile::new(level, index, 256).ok()?;
    if hashes.len() != 256 {
        return None;
    }
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    Some(VerifiedFact::new(origin.clone(), Fact::Tile(tile), bytes.into()))
}

/// Tells the keys of a node record, if the entry publishes one.
pub(crate) fn observe(
    keys: &mut KeyHistory,
    index: u64,
    said: &Said,
    body: Option<&Bytes>,
) -> Result<(), VerifyError> {
    match said {
        Said::Statement(Statement::Publish { id, kind, version, .. })
            if kind.as_str() == "node" =>
        {
            Ok(keys.observe(index, *id, *version, body)?)
        }
        Said::Statement(Statement::Publish { id, kind, version, .. })
            if index > 0 && kind.as_str() == "feed" =>
        {
            keys.observe_feed(index, *id, *version, body);
            Ok(())
        }
        _ if index == 0 => Err(VerifyError::NoNodeRecord),
        _ => Ok(()),
    }
}

/// Reads the note of a commit or a checkpoint of this feed.
pub fn read_note(origin: &Origin, note: &[u8]) -> Result<SignedCheckpoint, VerifyError> {
    let checkpoint = SignedCheckpoint::parse(note)
        .map_err(|error| VerifyError::Note { reason: error.to_string() })?;
    if checkpoint.checkpoint.origin.as_str() != origin.as_str() {
        return Err(VerifyError::OtherFeed {
            said: checkpoint.checkpoint.origin.as_str().to_owned(),
        });
    }
    Ok(checkpoint)
}

/// Requires that the log key in force at the checkpoint's size signed it.
pub fn check_signature(
    origin: &Origin,
    checkpoint: &SignedCheckpoint,
    keys: &KeyHistory,
) -> Result<(), VerifyError> {
    let size = checkpoint.checkpoint.size;
    let key = keys.log_key(size).ok_or(VerifyError::NoKey { size })?;
    let vkey = VerifierKey::note(KeyName::from(origin), key);
    match checkpoint.verify(&vkey) {
        Ok(_) => Ok(()),
        Err(error) => Err(VerifyError::Signature { size, reason: error.to_string() }),
    }
}

/// Requires that a commit's note bears lines of the log's own keys only, each of them true: a false
/// line by a key that a reader knows would poison the note for that reader.
fn check_lines(
    origin: &Origin,
    checkpoint: &SignedCheckpoint,
    keys: &KeyHistory,
) -> Result<(), VerifyError> {
    let of_log =
        keys.records().iter().flat_map(|keyed| &keyed.record.keys).filter(|key| key.usage == "log");
    let vkeys: Vec<VerifierKey> =
        of_log.map(|key| VerifierKey::note(KeyName::from(origin), key.key)).collect();
    let note = &checkpoint.note;
    for line in &note.signatures {
        let ours = vkeys.iter().find(|vkey| line.is_by(vkey));
        if ours.is_none_or(|vkey| line.verify(&note.text, vkey).is_err()) {
            return Err(VerifyError::ForeignLine { name: line.name.as_str().to_owned() });
        }
    }
    Ok(())
}

/// Why bytes from a carrier were refused. What is held stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The shape of a head, commit or frame.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The shape of a block or segment.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The keys cannot be told.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// More than a tail may hold.
    #[error("the entries that are not sealed are more than 64 MiB")]
    TailTooLarge,
    /// Entries are left out.
    #[error("entry {expected} is expected next, and the answer goes on at {first}")]
    Gap {
        /// What comes next.
        expected: u64,
        /// What came.
        first: u64,
    },
    /// Only what we hold: an old answer, played again.
    #[error("the answer says it has news after entry {size}, and has none")]
    NothingNew {
        /// Entries held.
        size: u64,
    },
    /// An entry is another one than the one we hold.
    #[error("entry {index} is not the one that was received before")]
    Differs {
        /// Its index.
        index: u64,
    },
    /// A note is over another number of entries than were sent.
    #[error("a checkpoint states {said} entries where {held} were delivered")]
    Size {
        /// What it says.
        said: u64,
        /// What there is.
        held: u64,
    },
    /// The entries do not make the root that was signed.
    #[error(
        "the entries up to {size} make the root {computed}, and the signed checkpoint states {said}"
    )]
    Root {
        /// Entries.
        size: u64,
        /// What the note says.
        said: Hash,
        /// What they make.
        computed: Hash,
    },
    /// Not a checkpoint.
    #[error("a checkpoint cannot be read: {reason}")]
    Note {
        /// The rule it breaks.
        reason: String,
    },
    /// A checkpoint of another feed.
    #[error("a checkpoint is of `{said}`, another feed")]
    OtherFeed {
        /// What it says.
        said: String,
    },
    /// No log key is known for that size.
    #[error("no node record below {size} tells which key signs")]
    NoKey {
        /// The size.
        size: u64,
    },
    /// Not signed by the key in force.
    #[error(
        "the checkpoint of {size} entries is not signed by the key that speaks for this feed: {reason}"
    )]
    Signature {
        /// The size.
        size: u64,
        /// In words.
        reason: String,
    },
    /// A line that is not by a log key of the node.
    #[error("a commit's checkpoint bears a line by `{name}` that is not of a log key of its node")]
    ForeignLine {
        /// Whose it says it is.
        name: String,
    },
    /// Entry 0 is something else.
    #[error("the first entry is not a node record, so this feed does not say whose it is")]
    NoNodeRecord,
    /// A segment that is not part of the tree.
    #[error("segment {number} is not the one that the checkpoint commits to")]
    Segment {
        /// Its number.
        number: u64,
    },
}
