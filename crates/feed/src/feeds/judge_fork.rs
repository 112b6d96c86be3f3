//! Two checkpoints that may contradict each other: a carrier's garbage, or a fork?
//!
//! What an owner signed convicts it; what a carrier merely sent convicts nobody.

use std::collections::HashMap;

use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::name::Origin;
use tlog::prove::{self, Nodes};
use tlog::tile::{Tile, TilePath};

use super::{Feeds, SyncError, View};
use crate::fault::{Fault, ForkKind};
use crate::ports::Carrier;
use crate::verify::{self, VerifyError};

impl Feeds {
    /// Judges a signed checkpoint of the same or a smaller size than what is held.
    ///
    /// Returns the error to report: a proven fork, whose evidence is kept, or an older state.
    pub(super) async fn judge_not_longer(
        &self,
        view: &View,
        served: &SignedCheckpoint,
    ) -> SyncError {
        if let Err(error) = verify::check_signature(&view.origin, served, &view.keys) {
            return error.into();
        }
        let (held, size) = (view.size(), served.checkpoint.size);
        let Ok(ours) = verify::read_note(&view.origin, &view.note) else {
            return SyncError::Rollback { origin: view.origin.clone(), held, served: size };
        };
        if size == held {
            let fault = evidence(view, ForkKind::SameSize, &ours, served, None, &[]);
            return self.fork(view, fault).await;
        }
        match self.own_prefix(view, size).await {
            Some((root, _)) if root == served.checkpoint.root => {
                SyncError::Rollback { origin: view.origin.clone(), held, served: size }
            }
            Some((root, proof)) => {
                let fault = evidence(view, ForkKind::Prefix, served, &ours, Some(root), &proof);
                self.fork(view, fault).await
            }
            None => SyncError::Rollback { origin: view.origin.clone(), held, served: size },
        }
    }

    /// Judges a longer signed checkpoint that what was sent does not connect to what is held: asks the
    /// carrier for the proof. `why` is the report if nothing is proven.
    pub(super) async fn judge_longer(
        &self,
        view: &View,
        served: &SignedCheckpoint,
        carrier: &dyn Carrier,
        why: VerifyError,
    ) -> SyncError {
        if verify::check_signature(&view.origin, served, &view.keys).is_err() {
            return why.into();
        }
        let (held, size) = (view.size(), served.checkpoint.size);
        let mut tiles = Fetched { size, tiles: HashMap::new() };
        let proved = loop {
            let root = prove::subtree_root(0, held, &tiles);
            match root.and_then(|root| Ok((root, prove::prove_consistency(held, size, &tiles)?))) {
                Ok(found) => break found,
                Err(prove::ProveError::Nodes(tile)) => {
                    let fetched = carrier.tile(&view.origin, &TilePath::Hashes(tile)).await;
                    let Ok(Ok(hashes)) = fetched.map(|bytes| tlog::tile::hashes(&bytes)) else {
                        return why.into();
                    };
                    if tiles.tiles.len() > 64 || hashes.len() != usize::from(tile.width()) {
                        return why.into();
                    }
                    tiles.tiles.insert((tile.level(), tile.index()), hashes);
                }
                Err(_) => return why.into(),
            }
        };
        let (root, proof) = proved;
        let root_of_served = &served.checkpoint.root;
        let connects =
            tlog::proof::verify_consistency(held, &root, size, root_of_served, &proof).is_ok();
        let Ok(ours) = verify::read_note(&view.origin, &view.note) else { return why.into() };
        if connects && root != view.root() {
            let fault = evidence(view, ForkKind::Prefix, &ours, served, Some(root), &proof);
            return self.fork(view, fault).await;
        }
        why.into()
    }

    async fn fork(&self, view: &View, fault: Fault) -> SyncError {
        if let Err(error) = fault.verify(view.keys.root()) {
            return SyncError::Unproven { origin: view.origin.clone(), reason: error.to_string() };
        }
        if let Err(error) = self.keep_fault(&view.origin, &fault).await {
            return error.into();
        }
        SyncError::Fork { origin: view.origin.clone(), held: view.size(), fault: Box::new(fault) }
    }

    /// Our own root at a smaller size, with the proof from there to what we hold.
    pub(super) async fn own_prefix(&self, view: &View, size: u64) -> Option<(Hash, Vec<Hash>)> {
        let segment = size / crate::block::SEGMENT_ENTRIES;
        let sealed = segment < view.sealed() / crate::block::SEGMENT_ENTRIES;
        let leaves = if sealed { self.leaves(view, segment).await.ok()? } else { Vec::new() };
        let nodes = crate::tree::TreeWithLeaves { tree: &view.tree, segment, leaves: &leaves };
        let root = prove::subtree_root(0, size, &nodes).ok()?;
        let proof = prove::prove_consistency(size, view.size(), &nodes).ok()?;
        Some((root, proof))
    }
}

/// Hash tiles a carrier sent, for a log of `size`.
struct Fetched {
    size: u64,
    tiles: HashMap<(u8, u64), Vec<Hash>>,
}

impl Nodes for Fetched {
    /// The tile that is needed.
    type Error = Tile;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Tile> {
        let tile_level = level / tlog::tile::HEIGHT;
        let height = level % tlog::tile::HEIGHT;
        let first = index << height;
        let tile_index = first / tlog::tile::WIDTH;
        let (full, partial) = Tile::count_at(tile_level, self.size);
        let width = if tile_index < full { 256 } else { partial.max(1) };
        let wanted = Tile::new(tile_level, tile_index, width).or_else(|_| Tile::new(0, 0, 1));
        let Some(hashes) = self.tiles.get(&(tile_level, tile_index)) else {
            return match wanted {
                Ok(tile) => Err(tile),
                Err(_) => Ok(Hash::EMPTY_ROOT),
            };
        };
        let start = usize::try_from(first % tlog::tile::WIDTH).unwrap_or(usize::MAX);
        let row = hashes.get(start..start.saturating_add(1 << height)).unwrap_or_default();
        Ok(crate::block::root_of(row).unwrap_or(Hash::EMPTY_ROOT))
    }
}

fn evidence(
    view: &View,
    kind: ForkKind,
    first: &SignedCheckpoint,
    second: &SignedCheckpoint,
    prefix_root: Option<Hash>,
    proof: &[Hash],
) -> Fault {
    let mut records: Vec<String> = Vec::new();
    for size in [first.checkpoint.size, second.checkpoint.size] {
        let keyed = view.keys.in_force(size);
        let text = keyed.and_then(|keyed| String::from_utf8(keyed.body.to_vec()).ok());
        records.extend(text.filter(|text| !records.contains(text)));
    }
    let text =
        |note: &SignedCheckpoint| String::from_utf8_lossy(&note.note.to_bytes()).into_owned();
    let origin: Origin = view.origin.clone();
    Fault {
        fault: kind,
        origin,
        first: text(first),
        second: text(second),
        prefix_root: prefix_root.map(|root| root.to_base64()),
        proof: proof.iter().map(Hash::to_base64).collect(),
        node_records: records,
    }
}
