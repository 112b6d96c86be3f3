//! The reference vectors of RFC 6962 trees, proofs and subtree proofs.

use serde_json::Value;
use tlog::frontier::Frontier;
use tlog::hash::Hash;
use tlog::proof::{
    verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};

fn cases(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn number(case: &Value, member: &str) -> u64 {
    case[member].as_u64().unwrap()
}

/// A member that is no hash is an attack that our types already refuse.
fn hash(value: &Value) -> Option<Hash> {
    Hash::from_base64(value.as_str().unwrap()).ok()
}

/// In some cases a root is any text, where only equality matters; its hash stands for it.
fn any_root(value: &Value) -> Hash {
    hash(value).unwrap_or_else(|| Hash::of(value.as_str().unwrap()))
}

fn proof(case: &Value) -> Option<Vec<Hash>> {
    case["proof"].as_array().map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

/// Runs all cases of a file; `verify` answers `None` where the types refuse.
fn judge(text: &str, count: usize, verify: impl Fn(&Value) -> Option<bool>) {
    let cases = cases(text);
    assert_eq!(cases.len(), count);
    for case in &cases {
        let accepted = verify(case).unwrap_or(false);
        let expected = !case["wantErr"].as_bool().unwrap();
        assert_eq!(accepted, expected, "{}: {}", case["name"], case["desc"]);
    }
}

#[test]
fn the_roots_of_the_eight_reference_leaves_are_computed() {
    let file: Value =
        serde_json::from_str(include_str!("../vectors/merkle/rfc6962-eight-leaves.json")).unwrap();
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root().to_hex()];
    for leaf in file["leaves_hex"].as_array().unwrap() {
        frontier.push(Hash::leaf(&hex::decode(leaf.as_str().unwrap()).unwrap())).unwrap();
        roots.push(frontier.root().to_hex());
    }
    assert_eq!(serde_json::to_value(roots).unwrap(), file["roots_hex"]);
}

#[test]
fn the_inclusion_vectors_are_judged_as_they_say() {
    judge(include_str!("../vectors/merkle/inclusion.json"), 98, |case| {
        let (index, size) = (number(case, "leafIdx"), number(case, "treeSize"));
        let verified = verify_inclusion(
            index,
            size,
            &hash(&case["leafHash"])?,
            &hash(&case["root"])?,
            &proof(case)?,
        );
        Some(verified.is_ok())
    });
}

#[test]
fn the_consistency_vectors_are_judged_as_they_say() {
    judge(include_str!("../vectors/merkle/consistency.json"), 98, |case| {
        let (from, to) = (number(case, "size1"), number(case, "size2"));
        let verified = verify_consistency(
            from,
            &any_root(&case["root1"]),
            to,
            &any_root(&case["root2"]),
            &proof(case)?,
        );
        Some(verified.is_ok())
    });
}

#[test]
fn the_subtree_inclusion_vectors_are_judged_as_they_say() {
    judge(include_str!("../vectors/merkle/subtreeinclusion.json"), 204, |case| {
        let (index, start, end) =
            (number(case, "leafIdx"), number(case, "start"), number(case, "end"));
        let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
        Some(verify_subtree_inclusion(index, start, end, &leaf, &root, &proof(case)?).is_ok())
    });
}

#[test]
fn the_subtree_consistency_vectors_are_judged_as_they_say() {
    judge(include_str!("../vectors/merkle/subtreeconsistency.json"), 118, |case| {
        let (start, end, size) = (number(case, "start"), number(case, "end"), number(case, "size"));
        let (subtree, root) = (any_root(&case["root1"]), any_root(&case["root2"]));
        Some(verify_subtree_consistency(start, end, &subtree, size, &root, &proof(case)?).is_ok())
    });
}
