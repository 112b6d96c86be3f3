//! Evidence of one record as a bundle: its node records, and the body with its `.tlog-proof`.
//!
//! The entry is not in it: a statement of version 1 says nothing that its body does not say, so it is
//! written again from the body, and the proof shows whether that is what stands in the log.

use bytes::Bytes;
use practice::body::Body;
use tlog::hash::Hash;

use super::{BundleError, Item, ItemKind, body_with_proof, split_body_with_proof};
use crate::statement::{Statement, StatementTooLong};
use crate::verdict::Evidence;

/// The file.
pub fn write(evidence: &Evidence) -> Vec<u8> {
    let item = |kind, bytes| Item { kind, origin: evidence.origin.clone(), number: 0, bytes };
    let records = evidence.node_records.iter().cloned();
    let mut items: Vec<Item> = records.map(|record| item(ItemKind::NodeRecord, record)).collect();
    items.push(item(ItemKind::BodyWithProof, body_with_proof(&evidence.body, &evidence.proof)));
    super::write(&items)
}

/// The evidence back; nothing in it is verified.
pub fn read(file: &Bytes) -> Result<Evidence, NoEvidence> {
    let mut node_records = Vec::new();
    let mut found = None;
    for item in super::read(file)? {
        match item.kind {
            ItemKind::NodeRecord => node_records.push(item.bytes),
            ItemKind::BodyWithProof if found.is_some() => return Err(NoEvidence::Several),
            ItemKind::BodyWithProof => {
                found = Some((item.origin, split_body_with_proof(&item.bytes)?));
            }
            // Of a later version, or nothing a verdict needs.
            _ => {}
        }
    }
    let (origin, (body, proof)) = found.ok_or(NoEvidence::Nothing)?;
    Ok(Evidence { entry: entry_of(&body)?, origin, body, proof, node_records })
}

fn entry_of(body: &Bytes) -> Result<Bytes, NoEvidence> {
    let opened = Body::open(body.clone())
        .map_err(|error| NoEvidence::Document { reason: error.to_string() })?;
    let statement = Statement::Publish {
        id: opened.id(),
        kind: opened.kind().clone(),
        version: opened.version(),
        body: Hash::of(body),
        time: opened.valid_from().to_owned(),
    };
    Ok(statement.to_bytes()?.into())
}

/// Why a file is no evidence of a record.
#[derive(Debug, thiserror::Error)]
pub enum NoEvidence {
    /// No bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A bundle of something else.
    #[error("it holds no record")]
    Nothing,
    /// It is not said which is meant.
    #[error("it holds more than one record")]
    Several,
    /// Its body is no document.
    #[error("its record is no document of this format: {reason}")]
    Document {
        /// The rule it breaks.
        reason: String,
    },
    /// Its statement would be too long.
    #[error(transparent)]
    Statement(#[from] StatementTooLong),
}
