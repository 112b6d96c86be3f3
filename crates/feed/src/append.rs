//! Extending our own feed: entries become a commit, and a long tail becomes segments. Pure.
//!
//! **Invariant:** a checkpoint is signed for exactly the entries of the commit that carries it, and
//! segments are made from a committed tail only, so that any writer would write the same.

use network::keys::KeyHistory;
use tlog::checkpoint::Checkpoint;
use tlog::ed25519::PublicKey;
use tlog::frontier::InvalidFrontier;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};
use tlog::note::{Note, SignatureLine};

use crate::advance::{Advance, HeadChange, HeadMark, VerifiedFact};
use crate::block::{Block, Item, SEGMENT_ENTRIES};
use crate::head::{Commit, Head, HeadError, TAIL_BYTES};
use crate::ports::{KeyUse, Locked, Signer};
use crate::tree::Tree;
use crate::verify::{self, VerifyError};

/// Our feed with new entries, ready to be committed.
#[derive(Debug)]
pub struct Staged {
    /// The step to commit.
    pub advance: Advance,
    /// The hashes afterwards.
    pub tree: Tree,
    /// The keys afterwards.
    pub keys: KeyHistory,
    /// The new entries.
    pub blocks: Vec<Block>,
    /// The note of the last commit.
    pub note: Vec<u8>,
}

/// Stages `items` after what is held. More than 8 MiB are split into several commits of one step.
///
/// `from` is `None` for a feed that begins: its first item must be the node record.
pub fn stage(
    origin: &Origin,
    from: Option<HeadMark>,
    tree: &Tree,
    keys: &KeyHistory,
    items: Vec<Item>,
    signer: &dyn Signer,
) -> Result<Staged, AppendError> {
    let mut staged = Vec::new();
    let (mut tree, mut keys) = (tree.clone(), keys.clone());
    let mut blocks_of_commit: Vec<Block> = Vec::new();
    let mut all_blocks = Vec::new();
    let mut plain = 0;
    let mut note = Vec::new();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        let index = tree.size();
        verify::observe(&mut keys, index, &item.said, item.body.as_ref())?;
        tree.push(item.leaf())?;
        plain += item.entry.len() + item.body.as_ref().map_or(0, bytes::Bytes::len);
        match blocks_of_commit.last_mut() {
            Some(block) if (block.items.len() as u64) < SEGMENT_ENTRIES => block.items.push(item),
            _ => blocks_of_commit.push(Block { first: index, items: vec![item] }),
        }
        if plain >= TAIL_BYTES || items.peek().is_none() {
            note = sign_checkpoint(origin, tree.size(), tree.root(), &keys, signer)?;
            staged.push(Commit::write(&note, &blocks_of_commit)?);
            all_blocks.append(&mut blocks_of_commit);
            plain = 0;
        }
    }
    let advance = extend(origin, from, &staged)?;
    Ok(Staged { advance, tree, keys, blocks: all_blocks, note })
}

fn extend(
    origin: &Origin,
    from: Option<HeadMark>,
    commits: &[Commit],
) -> Result<Advance, AppendError> {
    let tip = commits.last().and_then(Commit::tip).ok_or(AppendError::Nothing)?;
    let (start, change) = match from {
        Some(mark) => {
            let mut bytes = Vec::new();
            for commit in commits {
                bytes.extend_from_slice(&commit.bytes);
            }
            (mark.bytes, HeadChange::Append(bytes.into()))
        }
        None => {
            let head = Head { sealed: 0, subtrees: Vec::new(), commits: commits.to_vec() };
            (0, HeadChange::Replace(head.encode()))
        }
    };
    let length = match &change {
        HeadChange::Append(bytes) | HeadChange::Replace(bytes) => bytes.len() as u64,
    };
    let to = HeadMark { bytes: start.saturating_add(length), tip };
    Ok(Advance::new(origin.clone(), from, to, change))
}

/// Signs the checkpoint of our own feed, with the log key in force: the signer's, or the one of the
/// generation before as long as this feed has not the newest node record. During a rotation the former
/// key adds a second line, unless it was revoked.
pub fn sign_checkpoint(
    origin: &Origin,
    size: u64,
    root: Hash,
    keys: &KeyHistory,
    signer: &dyn Signer,
) -> Result<Vec<u8>, AppendError> {
    let (key, former) = (signer.public(KeyUse::Log)?, signer.former_log());
    let in_force = keys.log_key(size);
    if in_force != Some(key) && (in_force.is_none() || in_force != former) {
        return Err(AppendError::NotOurKey { key: key.to_did() });
    }
    let name = KeyName::from(origin);
    let malformed = |reason: String| AppendError::Note { reason };
    let text = Checkpoint::new(name.clone(), size, root)
        .map_err(|error| malformed(error.to_string()))?
        .body();
    let of_log = |former: &PublicKey| {
        let listed = keys.records().iter().flat_map(|keyed| &keyed.record.keys);
        listed.into_iter().any(|listed| listed.usage == "log" && listed.key == *former)
            && !keys.disowning(origin, None).is_revoked(former)
    };
    let mut lines = Vec::new();
    if in_force == Some(key) {
        let signature = signer.sign(KeyUse::Log, text.as_bytes())?;
        lines.push(SignatureLine::note(&VerifierKey::note(name.clone(), key), &signature));
    }
    if let Some(former) = former.filter(|former| *former != key && of_log(former)) {
        let signature = signer.sign_former_log(text.as_bytes())?;
        lines.push(SignatureLine::note(&VerifierKey::note(name, former), &signature));
    }
    let mut lines = lines.into_iter();
    let first = lines.next().ok_or(AppendError::NotOurKey { key: key.to_did() })?;
    let mut note = Note::new(text, first).map_err(|error| malformed(error.to_string()))?;
    for line in lines {
        note.add(line).map_err(|error| malformed(error.to_string()))?;
    }
    Ok(note.to_bytes())
}

/// A tail that was cut into segments: what to store first, and the head without them.
#[derive(Debug)]
pub struct Sealed {
    /// Segments and tiles, to be stored before the head is replaced.
    pub facts: Vec<VerifiedFact>,
    /// The head afterwards.
    pub advance: Advance,
    /// The hashes afterwards.
    pub tree: Tree,
}

/// Cuts the committed tail into segments, for our own feed and for a mirror alike.
/// `None` if there is no whole segment in it.
pub fn seal(
    origin: &Origin,
    from: HeadMark,
    tree: &Tree,
    tail: &[Block],
    note: &[u8],
) -> Result<Option<Sealed>, AppendError> {
    let sealed = tree.seal()?;
    if sealed.sealed() == tree.sealed() {
        return Ok(None);
    }
    let mut items = tail.iter().flat_map(|block| (block.first..).zip(&block.items)).peekable();
    let mut facts = Vec::new();
    let numbers = tree.sealed() / SEGMENT_ENTRIES..sealed.sealed() / SEGMENT_ENTRIES;
    for (number, root) in
        numbers.clone().zip(sealed.segments().iter().skip(as_usize(numbers.start)))
    {
        let first = number * SEGMENT_ENTRIES;
        let items: Vec<Item> =
            std::iter::from_fn(|| items.next_if(|(index, _)| *index < first + SEGMENT_ENTRIES))
                .map(|(_, item)| item.clone())
                .collect();
        facts.extend(verify::segment_facts(origin, &Block { first, items }, number, root, None)?);
    }
    facts.extend(upper_tiles(origin, tree, &sealed));
    let rest: Vec<Item> = items.map(|(_, item)| item.clone()).collect();
    let tail = if rest.is_empty() { vec![] } else { split(sealed.sealed(), rest) };
    let advance = verify::replace(origin, Some(from), &sealed, &tail, note)?;
    Ok(Some(Sealed { facts, advance, tree: sealed }))
}

fn split(first: u64, items: Vec<Item>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut items = items.into_iter().peekable();
    let mut first = first;
    while items.peek().is_some() {
        let part: Vec<Item> = items.by_ref().take(as_usize(SEGMENT_ENTRIES)).collect();
        let end = first + part.len() as u64;
        blocks.push(Block { first, items: part });
        first = end;
    }
    blocks
}

/// The full tiles above the leaves that `after` has and `before` had not.
pub fn upper_tiles(origin: &Origin, before: &Tree, after: &Tree) -> Vec<VerifiedFact> {
    let mut facts = Vec::new();
    for level in 1_u8..=6 {
        let width = 1_u64 << (8 * u32::from(level + 1));
        for index in before.sealed() / width..after.sealed() / width {
            let hashes: Vec<Hash> = (index * 256..(index + 1) * 256)
                .filter_map(|node| after.node_in_memory(level * 8, node))
                .collect();
            facts.extend(verify::tile_fact(origin, level, index, &hashes));
        }
    }
    facts
}

/// Sizes of what is in memory fit; elsewhere saturating keeps this total.
fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Why our feed could not be extended. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// No entries.
    #[error("there is nothing to append")]
    Nothing,
    /// The online secret is locked.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// The node record names another log key.
    #[error(
        "this node's log key {key} is not the one its node record names; publish a new node record signed by the root"
    )]
    NotOurKey {
        /// The key we hold.
        key: String,
    },
    /// The checkpoint could not be written.
    #[error("the checkpoint could not be written: {reason}")]
    Note {
        /// Why.
        reason: String,
    },
    /// The log cannot grow further.
    #[error(transparent)]
    Tree(#[from] InvalidFrontier),
    /// A commit over its limits.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The entries break a rule.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}
