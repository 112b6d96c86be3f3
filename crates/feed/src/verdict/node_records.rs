//! The node records of a feed: whose keys speak, and from which entry on.

use network::keys::KeyHistory;
use practice::body::Body;
use tlog::checkpoint::SignedCheckpoint;
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::name::NodeName;
use tlog::proof_file::TlogProof;

use super::{Placed, entry_of, node_record};

/// A node has a few node records in all its life.
const RECORDS_MAX: usize = 1_000;

/// The root that the newest of them names, where nobody knows another.
pub(super) fn own_root(records: &[Placed]) -> Result<PublicKey, String> {
    let all: Result<Vec<_>, String> = records.iter().map(|one| node_record(&one.body)).collect();
    let newest = all?.into_iter().max_by_key(|record| record.version());
    newest.map(|record| record.root).ok_or_else(|| "there is no node record".to_owned())
}

/// The keys by index, each record where its proof says that it stands.
pub(super) fn fold(
    node: &NodeName,
    root: PublicKey,
    records: &[Placed],
) -> Result<KeyHistory, String> {
    if records.len() > RECORDS_MAX {
        return Err(format!("there are {} node records", records.len()));
    }
    let mut placed = Vec::with_capacity(records.len());
    for one in records {
        let proof = TlogProof::parse(&one.proof).map_err(|error| error.to_string())?;
        let record = node_record(&one.body)?;
        if record.node != *node {
            return Err(format!("a node record is of `{}`", record.node));
        }
        placed.push((proof.index, record));
    }
    placed.sort_by_key(|(index, _)| *index);
    if placed.first().is_none_or(|(index, _)| *index != 0) {
        return Err(format!("the first node record of `{node}` is not there"));
    }
    let mut keys = KeyHistory::new(node.clone(), root);
    for (index, record) in &placed {
        let body = record.body();
        keys.observe(*index, body.id(), body.version(), Some(body.bytes()))
            .map_err(|error| error.to_string())?;
    }
    keys.vouched().map_err(|error| error.to_string())?;
    let stray = placed.iter().find(|(index, _)| !keys.is_of_lineage(*index));
    if let Some((index, _)) = stray {
        return Err(format!(
            "the node record at entry {index} does not lead to the root {}, or is no newer version",
            root.to_did()
        ));
    }
    Ok(keys)
}

/// Requires that each record stands in the log of `checkpoint` where it says.
pub(super) fn check_places(
    records: &[Placed],
    checkpoint: &SignedCheckpoint,
) -> Result<(), String> {
    records.iter().try_for_each(|one| check_place(one, checkpoint).map(|_| ()))
}

/// Requires that a document stands in the log of `checkpoint`; its entry, and itself.
pub(super) fn check_place(
    one: &Placed,
    checkpoint: &SignedCheckpoint,
) -> Result<(u64, Body), String> {
    let body = Body::open(one.body.clone()).map_err(|error| error.to_string())?;
    let proof = TlogProof::parse(&one.proof).map_err(|error| error.to_string())?;
    let said = &checkpoint.checkpoint;
    if proof.checkpoint.checkpoint != *said {
        return Err(format!(
            "{} version {} is proved to another state of the log than the rest: get the evidence again",
            body.id(),
            body.version()
        ));
    }
    let leaf = Hash::leaf(&entry_of(&body)?);
    tlog::proof::verify_inclusion(proof.index, said.size, &leaf, &said.root, &proof.hashes)
        .map_err(|error| {
            format!(
                "{} version {} does not stand at entry {}: {error}",
                body.id(),
                body.version(),
                proof.index
            )
        })?;
    Ok((proof.index, body))
}
