//! Body state: what became of the document an entry commits to (design 4.2, the second layer; 4.3).
//!
//! Signatures are checked a block at a time, in batches over all cores; whether the key spoke for the
//! node is decided by log index. Neither answer changes which statements are valid.

use bytes::Bytes;
use network::keys::{Disowning, KeyHistory};
use practice::body::{Body, ProofParts};
use rayon::prelude::*;
use tlog::ed25519::Batch;
use tlog::name::Origin;

use crate::block::{Block, Item};
use crate::row::BodyState;
use crate::statement::{Said, Statement};

/// Signatures checked together: more gain nothing.
const BATCH: usize = 64;

/// What became of each body of a block. `keys` and `disowning` are those of the whole feed.
pub fn check_block(
    origin: &Origin,
    block: &Block,
    keys: &KeyHistory,
    disowning: &Disowning,
) -> Vec<BodyState> {
    let indexed: Vec<(u64, &Item)> = (block.first..).zip(&block.items).collect();
    let checked = indexed.par_chunks(BATCH).flat_map_iter(|chunk| check_chunk(origin, chunk, keys));
    let mut states: Vec<BodyState> = checked.collect();
    for ((index, item), state) in indexed.iter().zip(&mut states) {
        if *state == BodyState::Held && is_disowned(*index, item, disowning) {
            *state = BodyState::Disowned;
        }
    }
    states
}

/// Whether a body that holds otherwise counts no more: its key was revoked, or the feed goes on
/// elsewhere. Of node records the root speaks, which no online key can revoke.
pub(crate) fn is_disowned(index: u64, item: &Item, disowning: &Disowning) -> bool {
    let Said::Statement(Statement::Publish { kind, .. }) = &item.said else { return false };
    if disowning.first().is_none_or(|first| index < first) || kind.as_str() == "node" {
        return false;
    }
    let body = item.body.as_ref().and_then(|bytes| Body::open(bytes.clone()).ok());
    body.is_some_and(|body| disowning.covers(index, &body.issuer_key()))
}

fn check_chunk(origin: &Origin, items: &[(u64, &Item)], keys: &KeyHistory) -> Vec<BodyState> {
    let mut states = Vec::with_capacity(items.len());
    let mut batch = Batch::new();
    let mut queued = Vec::new();
    for (at, (index, item)) in items.iter().enumerate() {
        let state = match check(origin, *index, item, keys) {
            Checked::Done(state) => state,
            Checked::Proof(parts) => {
                batch.queue(parts.key, &parts.message, parts.signature);
                queued.push(at);
                BodyState::Held
            }
        };
        states.push(state);
    }
    if let Err(culprits) = batch.verify_all() {
        for culprit in culprits {
            if let Some(state) = queued.get(culprit).and_then(|at| states.get_mut(*at)) {
                *state = BodyState::InvalidSignature;
            }
        }
    }
    states
}

enum Checked {
    Done(BodyState),
    Proof(ProofParts),
}

fn check(origin: &Origin, index: u64, item: &Item, keys: &KeyHistory) -> Checked {
    let Some(bytes) = &item.body else {
        let absent = if item.said.body().is_some() { BodyState::Missing } else { BodyState::None };
        return Checked::Done(absent);
    };
    let Said::Statement(Statement::Publish { kind, .. }) = &item.said else {
        // A body beside an entry of a later version is kept and not judged.
        return Checked::Done(BodyState::Held);
    };
    let Ok(body) = Body::open(bytes.clone()) else {
        return Checked::Done(BodyState::InvalidForm);
    };
    // An item holds no other body than the one its entry commits to.
    let body = match item.said.body() {
        Some(hash) => body.with_hash(hash),
        None => body,
    };
    if !agrees(origin, &item.said, &body) {
        return Checked::Done(BodyState::InvalidMismatch);
    }
    if kind.as_str() == "node" {
        let counts = keys.id() == Some(body.id()) && keys.is_of_lineage(index);
        return Checked::Done(if counts { BodyState::Held } else { BodyState::InvalidNodeRecord });
    }
    let in_force = keys.in_force(index);
    let state_agrees = in_force.is_some_and(|keyed| keyed.record.state.as_deref() == body.state());
    if !state_agrees {
        return Checked::Done(BodyState::InvalidMismatch);
    }
    let root_signs = kind.as_str() == "feed"
        && body.version() > 1
        && keys.root_at(index) == Some(body.issuer_key());
    if keys.record_key(index) != Some(body.issuer_key()) && !root_signs {
        return Checked::Done(BodyState::InvalidKey);
    }
    Checked::Proof(body.proof_parts())
}

/// Whether the document says of itself what its statement says.
pub fn agrees(origin: &Origin, said: &Said, body: &Body) -> bool {
    let Said::Statement(Statement::Publish { id, kind, version, body: hash, time }) = said else {
        return false;
    };
    let feed_agrees = match body.feed() {
        Some(feed) => feed == origin,
        None => kind.as_str() == "node",
    };
    body.id() == *id
        && body.kind() == kind
        && body.version() == *version
        && body.hash() == *hash
        && body.node() == origin.node()
        && body.valid_from() == time
        && feed_agrees
}

/// Whether `bytes` may stand at an entry that says `said`.
pub fn may_stand(said: &Said, bytes: &Bytes) -> bool {
    bytes.len() <= practice::body::BODY_BYTES_MAX
        && said.body() == Some(tlog::hash::Hash::of(bytes))
}
