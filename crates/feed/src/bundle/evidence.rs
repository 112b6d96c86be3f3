//! Evidence of one record as a bundle, which is how a verdict travels.
//!
//! What is of a network comes first: its file, its approvals, and its records with their proofs. Then
//! the cosigner lines and the node records of the feed. The last item is the record itself. No entry is
//! in it: a statement of version 1 says nothing that its document does not say.

use bytes::Bytes;
use tlog::name::Origin;

use super::{BundleError, Item, ItemKind, body_with_proof, split_body_with_proof};
use crate::cosignatures::Cosignatures;
use crate::verdict::{Evidence, NetworkEvidence, Placed};

/// The file.
pub fn write(evidence: &Evidence) -> Vec<u8> {
    let item =
        |origin: &Origin, kind, bytes| Item { kind, origin: origin.clone(), number: 0, bytes };
    let placed = |origin: &Origin, one: &Placed| {
        item(origin, ItemKind::BodyWithProof, body_with_proof(&one.body, &one.proof))
    };
    let own = &evidence.origin;
    let mut items = Vec::new();
    if let Some(network) = &evidence.network {
        let origin = &network.origin;
        items.push(item(origin, ItemKind::File, network.file.clone()));
        items.push(item(origin, ItemKind::Anchors, network.anchors.clone()));
        items.extend(network.records.iter().map(|one| placed(origin, one)));
    }
    // Even none: they tell where the network ends, which may be the very node that is spoken of.
    let lines = evidence.cosignatures.clone().unwrap_or_else(|| Cosignatures::default().encode());
    items.push(item(own, ItemKind::Cosignatures, lines));
    items.extend(evidence.node_records.iter().map(|one| placed(own, one)));
    items.push(placed(own, &evidence.record));
    super::write(&items)
}

/// The evidence back; nothing in it is verified.
pub fn read(file: &Bytes) -> Result<Evidence, NoEvidence> {
    let mut items = super::read(file)?;
    let last = items.pop().filter(|last| last.kind == ItemKind::BodyWithProof);
    let last = last.ok_or(NoEvidence::Nothing)?;
    let placed = |bytes: &Bytes| {
        let (body, proof) = split_body_with_proof(bytes)?;
        Ok::<_, BundleError>(Placed { body, proof })
    };
    let record = placed(&last.bytes)?;
    let mut evidence = Evidence {
        origin: last.origin,
        record,
        node_records: Vec::new(),
        cosignatures: None,
        network: None,
    };
    let mut at_network = true;
    for item in items {
        at_network &= item.kind != ItemKind::Cosignatures;
        let network = evidence.network.as_mut().filter(|network| network.origin == item.origin);
        match (item.kind, network) {
            (ItemKind::File, None) => {
                let (origin, file) = (item.origin, item.bytes);
                let (records, anchors) = (Vec::new(), Bytes::new());
                evidence.network = Some(NetworkEvidence { origin, file, records, anchors });
            }
            (ItemKind::Anchors, Some(network)) => network.anchors = item.bytes,
            (ItemKind::BodyWithProof, Some(network)) if at_network => {
                network.records.push(placed(&item.bytes)?);
            }
            (ItemKind::BodyWithProof, _) if item.origin == evidence.origin => {
                evidence.node_records.push(placed(&item.bytes)?);
            }
            (ItemKind::Cosignatures, _) if item.origin == evidence.origin => {
                evidence.cosignatures = Some(item.bytes);
            }
            // Of a later version, or nothing a verdict needs.
            _ => {}
        }
    }
    Ok(evidence)
}

/// Why a file is no evidence of a record.
#[derive(Debug, thiserror::Error)]
pub enum NoEvidence {
    /// No bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Its last item is no record.
    #[error("it holds no record")]
    Nothing,
}
