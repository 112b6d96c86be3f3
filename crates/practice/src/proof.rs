//! The W3C cryptosuite `eddsa-jcs-2022` over bytes that are already canonical.
//!
//! In canonical bytes the members of an object are sorted, so a document without its proof is the received
//! bytes with one member cut out, and the proof's configuration is the proof with `proofValue` cut out.
//! Both are hashed as two slices; nothing is parsed into a tree and serialised again.

use crate::json::{Member, Scan};
use sha2::{Digest as _, Sha256};
use std::ops::Range;

/// The name of the cryptosuite.
pub const CRYPTOSUITE: &str = "eddsa-jcs-2022";

/// What the signature of a document's only proof is over: SHA-256 of the proof's configuration, then
/// SHA-256 of the document without the proof. `None` if there is no `proof` object with a `proofValue`.
pub fn message_of(scan: &Scan<'_>) -> Option<[u8; 64]> {
    let proof = scan.get("proof")?;
    let value = scan.get_inner(proof, "proofValue")?;
    let document = without(scan, &(0..scan.bytes().len()), proof);
    let configuration = without(scan, &proof.value, value);
    Some(join(&configuration, &document))
}

/// [`message_of`] a document that is not signed yet: both arguments are canonical JSON.
pub fn message_to_sign(configuration: &[u8], document: &[u8]) -> [u8; 64] {
    join(&[configuration], &[document])
}

fn join(configuration: &[&[u8]], document: &[&[u8]]) -> [u8; 64] {
    let hash = |parts: &[&[u8]]| {
        parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize()
    };
    let mut message = [0; 64];
    let (first, second) = message.split_at_mut(32);
    first.copy_from_slice(&hash(configuration));
    second.copy_from_slice(&hash(document));
    message
}

/// The object at `object` without `member`, as two slices.
fn without<'a>(scan: &Scan<'a>, object: &Range<usize>, member: &Member) -> [&'a [u8]; 2] {
    // One byte before the name is its quote; a comma goes with the member, the one behind it if there is one.
    let mut cut = member.name.start.saturating_sub(1)..member.value.end;
    if scan.bytes().get(cut.end) == Some(&b',') {
        cut.end += 1;
    } else if cut.start.checked_sub(1).and_then(|before| scan.bytes().get(before)) == Some(&b',') {
        cut.start -= 1;
    }
    [scan.slice(&(object.start..cut.start)), scan.slice(&(cut.end..object.end))]
}
