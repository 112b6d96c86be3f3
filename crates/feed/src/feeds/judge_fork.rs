//! Two checkpoints that may contradict each other: a carrier's garbage, or a fork?
//!
//! What a key signed convicts its owner; what a carrier merely sent convicts nobody.

use std::collections::{BTreeMap, HashMap};

use practice::node_record::NodeKey;
use tlog::checkpoint::SignedCheckpoint;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};
use tlog::prove::{self, Nodes};
use tlog::tile::{Tile, TilePath};

use super::{Feeds, SyncError, View};
use crate::block::SEGMENT_ENTRIES;
use crate::fault::{Fault, ForkKind};
use crate::ports::Carrier;
use crate::tree::{NeedsLeaves, TreeWithLeaves};
use crate::verify::{self, VerifyError};

/// Tiles that a carrier is asked for in one proof: two columns of a tree of 2^53 entries.
const TILES_MAX: usize = 64;

/// What a checkpoint says of a feed that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It goes with what is held.
    Agrees,
    /// It is longer than what is held, and nothing speaks against it.
    Ahead,
    /// Its owner signed two histories. The evidence is kept and the copy stands still, unless an
    /// operator settled this fork before.
    Fork(Box<Fault>),
    /// It does not go with what is held, and nobody is convicted: no key of the node signed it, or
    /// whoever showed it cannot show what is behind it.
    Unproven {
        /// Why, in words.
        reason: String,
    },
}

/// What contradicts: two notes and what connects them.
struct Contradiction {
    kind: ForkKind,
    first: SignedCheckpoint,
    second: SignedCheckpoint,
    prefix: Option<(Hash, Vec<Hash>)>,
}

impl Feeds {
    /// Judges a checkpoint of a feed that is held, wherever it was seen. `carrier` is asked for the
    /// hashes behind one that is longer than what is held; without it nothing can be said of those.
    ///
    /// A proven fork is kept as evidence, and the feed stands still from then on.
    ///
    /// # Errors
    /// When our own store fails.
    pub async fn judge_note(
        &self,
        origin: &Origin,
        served: &SignedCheckpoint,
        carrier: Option<&dyn Carrier>,
    ) -> Result<Judgement, SyncError> {
        let unproven = |reason: &str| Ok(Judgement::Unproven { reason: reason.to_owned() });
        let Some(view) = self.view(origin) else { return unproven("the feed is not held") };
        let said = &served.checkpoint;
        if said.origin.as_str() != origin.as_str() {
            return unproven("it is of another feed");
        }
        if let Some((root, _)) = self.own_prefix(&view, said.size).await
            && root == said.root
        {
            return Ok(Judgement::Agrees);
        }
        if let Err(error) = signed_by_node(&view, served) {
            return Ok(Judgement::Unproven { reason: error.to_string() });
        }
        let ours = verify::read_note(origin, &view.note)?;
        match self.contradiction_of(&view, ours, served.clone(), carrier).await {
            Found::Nothing if said.size > view.size() => Ok(Judgement::Ahead),
            Found::Nothing => unproven("our own copy could not be read"),
            Found::Unknown => unproven("whoever shows it does not show the hashes behind it"),
            Found::Contradiction(found) => {
                let fault = evidence(&view, &found);
                match self.convict(&view.origin, &fault).await? {
                    Ok(()) => Ok(Judgement::Fork(Box::new(fault))),
                    Err(reason) => Ok(Judgement::Unproven { reason }),
                }
            }
        }
    }

    /// Judges a checkpoint that `cosigner` vouched for, against `known`, another one that it vouched for
    /// and that goes with what is held. Two that contradict each other are a fault of the cosigner; what
    /// they say of the log is for [`judge_note`](Self::judge_note).
    ///
    /// # Errors
    /// When our own store fails.
    pub async fn judge_cosigner(
        &self,
        origin: &Origin,
        cosigner: &VerifierKey,
        known: &SignedCheckpoint,
        served: &SignedCheckpoint,
        carrier: Option<&dyn Carrier>,
    ) -> Result<Option<Fault>, SyncError> {
        let Some(view) = self.view(origin) else { return Ok(None) };
        let by_cosigner = |note: &SignedCheckpoint| note.note.text_signed_by(cosigner).is_ok();
        let ours = self.own_prefix(&view, known.checkpoint.size).await;
        if !by_cosigner(known)
            || !by_cosigner(served)
            || ours.is_none_or(|(root, _)| root != known.checkpoint.root)
        {
            return Ok(None);
        }
        let (known, served) = (known.clone(), served.clone());
        let Found::Contradiction(found) =
            self.contradiction_of(&view, known, served, carrier).await
        else {
            return Ok(None);
        };
        let fault = Fault {
            cosigner: Some(cosigner.to_string()),
            node_records: self.records_of_cosigner(cosigner),
            ..evidence(&view, &found)
        };
        if fault.node_records.is_empty() && fault.verify_cosigner(cosigner).is_err() {
            return Ok(None);
        }
        Ok(self.convict_cosigner(&fault).await?.then_some(fault))
    }

    /// Judges a signed checkpoint of the same or a smaller size than what is held.
    ///
    /// Returns the error to report: a proven fork, whose evidence is kept, or an older state.
    pub(super) async fn judge_not_longer(
        &self,
        view: &View,
        served: &SignedCheckpoint,
    ) -> SyncError {
        let (held, size) = (view.size(), served.checkpoint.size);
        if let Err(error) = signed_by_node(view, served) {
            return error.into();
        }
        match self.judge_note(&view.origin, served, None).await {
            Ok(Judgement::Fork(fault)) => {
                SyncError::Fork { origin: view.origin.clone(), held, fault }
            }
            Ok(Judgement::Unproven { reason }) => {
                SyncError::Unproven { origin: view.origin.clone(), reason }
            }
            Ok(_) => SyncError::Rollback { origin: view.origin.clone(), held, served: size },
            Err(error) => error,
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
        match self.judge_note(&view.origin, served, Some(carrier)).await {
            Ok(Judgement::Fork(fault)) => {
                SyncError::Fork { origin: view.origin.clone(), held: view.size(), fault }
            }
            _ => why.into(),
        }
    }

    /// Our own root at a smaller size, with the proof from there to what we hold.
    pub(super) async fn own_prefix(&self, view: &View, size: u64) -> Option<(Hash, Vec<Hash>)> {
        self.own_proof(view, size, view.size()).await
    }

    /// Our own root at `from`, with the proof from there to `to`; neither beyond what we hold.
    async fn own_proof(&self, view: &View, from: u64, to: u64) -> Option<(Hash, Vec<Hash>)> {
        if from == 0 || from > to || to > view.size() {
            return None;
        }
        let mut nodes = Held { view, leaves: BTreeMap::new() };
        loop {
            let root = prove::subtree_root(0, from, &nodes);
            match root.and_then(|root| Ok((root, prove::prove_consistency(from, to, &nodes)?))) {
                Ok(found) => return Some(found),
                Err(prove::ProveError::Nodes(NeedsLeaves { segment })) => {
                    let unread = segment < view.sealed() / SEGMENT_ENTRIES
                        && !nodes.leaves.contains_key(&segment);
                    if !unread {
                        return None;
                    }
                    nodes.leaves.insert(segment, self.leaves(view, segment).await.ok()?);
                }
                Err(prove::ProveError::Impossible(_)) => return None,
            }
        }
    }

    /// Whether `served` and `ours`, which goes with our copy, contradict each other, and the proof.
    async fn contradiction_of(
        &self,
        view: &View,
        ours: SignedCheckpoint,
        served: SignedCheckpoint,
        carrier: Option<&dyn Carrier>,
    ) -> Found {
        let (held, size) = (ours.checkpoint.size, served.checkpoint.size);
        let (kind, first, second, prefix) = if size == held {
            (ForkKind::SameSize, ours, served, None)
        } else if size < held {
            let prefix = self.own_proof(view, size, held).await;
            (ForkKind::Prefix, served, ours, prefix)
        } else {
            let Some(carrier) = carrier else { return Found::Nothing };
            let prefix = prefix_at(carrier, &served, held).await;
            if prefix.is_none() {
                return Found::Unknown;
            }
            (ForkKind::Prefix, ours, served, prefix)
        };
        match (&kind, &prefix) {
            (ForkKind::SameSize, _) if first.checkpoint.root == second.checkpoint.root => {
                Found::Nothing
            }
            (ForkKind::Prefix, None) => Found::Nothing,
            (ForkKind::Prefix, Some((root, _))) if *root == first.checkpoint.root => Found::Nothing,
            _ => Found::Contradiction(Box::new(Contradiction { kind, first, second, prefix })),
        }
    }

    /// The node record that lists a cosigner's key, if one is held.
    fn records_of_cosigner(&self, cosigner: &VerifierKey) -> Vec<String> {
        let node = cosigner.name.as_str().rsplit_once('/').map(|(node, _)| node);
        let node = node.and_then(|node| tlog::name::NodeName::parse(node).ok());
        let record = node.and_then(|node| self.node_record(&node));
        record.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()).into_iter().collect()
    }
}

/// What became of the search for a contradiction.
enum Found {
    Nothing,
    /// The carrier did not show what is needed.
    Unknown,
    Contradiction(Box<Contradiction>),
}

/// Requires that a log key of the node signed the checkpoint: the one in force at that size here, or
/// another one of its node records, for on another branch the keys may have changed elsewhere. What a
/// revoked key signed beyond the size it was revoked from convicts nobody but its thief.
fn signed_by_node(view: &View, served: &SignedCheckpoint) -> Result<(), VerifyError> {
    let (name, size) = (KeyName::from(&view.origin), served.checkpoint.size);
    let records = view.keys.records().iter().flat_map(|keyed| &keyed.record.keys);
    let mut of_log = records
        .filter(|key| key.usage == "log" && !view.disowning.revokes(&key.key, size))
        .map(|key| VerifierKey::note(name.clone(), key.key));
    if of_log.any(|key| served.verify(&key).is_ok()) {
        return Ok(());
    }
    verify::check_signature(&view.origin, served, &view.keys)?;
    Err(VerifyError::Signature { size, reason: "that key was revoked".to_owned() })
}

/// Whether a checkpoint is a thief's: signed by a log key that was revoked below its size, and by no
/// other that we know.
pub(super) fn is_by_thief(view: &View, note: &str) -> bool {
    let Ok(served) = SignedCheckpoint::parse(note.as_bytes()) else { return false };
    let (name, size) = (KeyName::from(&view.origin), served.checkpoint.size);
    let records = view.keys.records().iter().flat_map(|keyed| &keyed.record.keys);
    let signed = |key: &&NodeKey| {
        key.usage == "log" && served.verify(&VerifierKey::note(name.clone(), key.key)).is_ok()
    };
    let by: Vec<&NodeKey> = records.filter(signed).collect();
    !by.is_empty() && by.iter().all(|key| view.disowning.revokes(&key.key, size))
}

/// The root that the log behind `served` has at `size`, with the proof from there, as a carrier's
/// tiles tell it; `None` if they do not lead to the signed root.
async fn prefix_at(
    carrier: &dyn Carrier,
    served: &SignedCheckpoint,
    size: u64,
) -> Option<(Hash, Vec<Hash>)> {
    let origin = Origin::parse(served.checkpoint.origin.as_str()).ok()?;
    let longer = served.checkpoint.size;
    let mut tiles = Fetched { size: longer, tiles: HashMap::new() };
    let (root, proof) = loop {
        let root = prove::subtree_root(0, size, &tiles);
        match root.and_then(|root| Ok((root, prove::prove_consistency(size, longer, &tiles)?))) {
            Ok(found) => break found,
            Err(prove::ProveError::Nodes(tile)) => {
                let bytes = carrier.tile(&origin, &TilePath::Hashes(tile)).await.ok()?;
                let hashes = tlog::tile::hashes(&bytes).ok()?;
                if tiles.tiles.len() > TILES_MAX || hashes.len() != usize::from(tile.width()) {
                    return None;
                }
                tiles.tiles.insert((tile.level(), tile.index()), hashes);
            }
            Err(_) => return None,
        }
    };
    let signed = &served.checkpoint.root;
    tlog::proof::verify_consistency(size, &root, longer, signed, &proof).ok()?;
    Some((root, proof))
}

/// Our own hashes, with the leaves of the sealed segments that were needed.
struct Held<'a> {
    view: &'a View,
    leaves: BTreeMap<u64, Vec<Hash>>,
}

impl Nodes for Held<'_> {
    type Error = NeedsLeaves;

    fn node(&self, level: u8, index: u64) -> Result<Hash, NeedsLeaves> {
        let segment = index.checked_shl(u32::from(level)).unwrap_or(u64::MAX) / SEGMENT_ENTRIES;
        let leaves = self.leaves.get(&segment).map(Vec::as_slice).unwrap_or_default();
        TreeWithLeaves { tree: &self.view.tree, segment, leaves }.node(level, index)
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

/// The evidence of a contradiction, with the node records that name the keys, and the newest.
fn evidence(view: &View, found: &Contradiction) -> Fault {
    let (first, second) = (&found.first, &found.second);
    let signer_of = |note: &SignedCheckpoint| {
        view.keys.records().iter().rev().find(|keyed| {
            let mut of_log = keyed.record.keys.iter().filter(|key| key.usage == "log");
            of_log.any(|key| {
                note.verify(&VerifierKey::note(KeyName::from(&view.origin), key.key)).is_ok()
            })
        })
    };
    let mut records: Vec<String> = Vec::new();
    for keyed in [signer_of(first), signer_of(second), view.keys.newest()].into_iter().flatten() {
        let text = String::from_utf8(keyed.body.to_vec()).ok();
        records.extend(text.filter(|text| !records.contains(text)));
    }
    let text =
        |note: &SignedCheckpoint| String::from_utf8_lossy(&note.note.to_bytes()).into_owned();
    let prefix = found.prefix.as_ref();
    Fault {
        fault: found.kind,
        origin: view.origin.clone(),
        cosigner: None,
        first: text(first),
        second: text(second),
        prefix_root: prefix.map(|(root, _)| root.to_base64()),
        proof: prefix.into_iter().flat_map(|(_, proof)| proof).map(Hash::to_base64).collect(),
        node_records: records,
    }
}
