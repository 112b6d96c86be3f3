//! Proofs made and verified in all small trees, and in random large ones; altered proofs are refused.

use std::convert::Infallible;

use crate::tree::Tree;
use proptest::prelude::*;
use tlog::SIZE_MAX;
use tlog::frontier::{Frontier, InvalidFrontier};
use tlog::hash::Hash;
use tlog::proof::{
    Nodes, ProofError, ProveError, prove_consistency, prove_inclusion, prove_subtree_consistency,
    root_of, subtree_root, verify_consistency, verify_inclusion, verify_subtree_consistency,
};

/// Every way to alter a proof by one hash.
fn alterations(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut altered = Vec::new();
    for position in 0..proof.len() {
        let mut flipped = proof.to_vec();
        let mut bytes = *flipped[position].as_bytes();
        bytes[position % 32] ^= 1 << (position % 8);
        flipped[position] = Hash::from(bytes);
        altered.push(flipped);
        let mut shorter = proof.to_vec();
        shorter.remove(position);
        altered.push(shorter);
    }
    for position in [0, proof.len()] {
        let mut longer = proof.to_vec();
        longer.insert(position, Hash::of(b"more"));
        altered.push(longer);
    }
    if proof.len() > 1 {
        let mut swapped = proof.to_vec();
        swapped.swap(0, 1);
        altered.push(swapped);
    }
    altered
}

#[test]
fn every_entry_of_every_small_tree_is_proved_and_altered_proofs_are_refused() {
    let tree = Tree::numbered(65);
    for size in 1..=64 {
        let root = tree.root(size);
        assert_eq!(root_of(size, &tree).unwrap(), root);
        for index in 0..size {
            let proof = prove_inclusion(index, size, &tree).unwrap();
            let leaf = tree.leaf(index);
            verify_inclusion(index, size, &leaf, &root, &proof).unwrap();
            for altered in alterations(&proof) {
                assert!(
                    verify_inclusion(index, size, &leaf, &root, &altered).is_err(),
                    "{index} of {size}"
                );
            }
            assert!(verify_inclusion(index, size, &tree.leaf(index + 1), &root, &proof).is_err());
            assert!(verify_inclusion(index, size, &leaf, &tree.root(size + 1), &proof).is_err());
        }
    }
}

#[test]
fn every_pair_of_small_trees_is_proved_consistent_and_altered_proofs_are_refused() {
    let tree = Tree::numbered(65);
    for to in 1..=64 {
        let to_root = tree.root(to);
        for from in 1..=to {
            let from_root = tree.root(from);
            let proof = prove_consistency(from, to, &tree).unwrap();
            verify_consistency(from, &from_root, to, &to_root, &proof).unwrap();
            for altered in alterations(&proof) {
                assert!(
                    verify_consistency(from, &from_root, to, &to_root, &altered).is_err(),
                    "{from} to {to}"
                );
            }
            let other = tree.root(to + 1);
            assert!(verify_consistency(from, &other, to, &to_root, &proof).is_err());
            assert!(verify_consistency(from, &from_root, to, &other, &proof).is_err());
        }
    }
}

#[test]
fn every_subtree_of_every_small_tree_is_proved_consistent() {
    let tree = Tree::numbered(40);
    let mut proved = 0;
    for size in 1..=40_u64 {
        for start in 0..size {
            for end in start + 1..=size {
                let made = prove_subtree_consistency(start, end, size, &tree);
                if !start.is_multiple_of((end - start).next_power_of_two()) {
                    assert_eq!(
                        made,
                        Err(ProveError::Impossible(ProofError::NoSubtree { start, end }))
                    );
                    continue;
                }
                let (proof, subtree) = (made.unwrap(), subtree_root(start, end, &tree).unwrap());
                assert_eq!(subtree, tree.root_between(start, end));
                verify_subtree_consistency(start, end, &subtree, size, &tree.root(size), &proof)
                    .unwrap();
                for altered in alterations(&proof) {
                    let verified = verify_subtree_consistency(
                        start,
                        end,
                        &subtree,
                        size,
                        &tree.root(size),
                        &altered,
                    );
                    assert!(verified.is_err(), "{start} to {end} of {size}");
                }
                proved += 1;
            }
        }
    }
    assert!(proved > 2_000, "{proved}");
}

#[test]
fn what_cannot_be_proved_is_an_error_and_no_panic() {
    let tree = Tree::numbered(8);
    assert!(prove_inclusion(8, 8, &tree).is_err());
    assert!(prove_inclusion(0, 0, &tree).is_err());
    assert!(prove_consistency(0, 8, &tree).is_err());
    assert!(prove_consistency(8, 7, &tree).is_err());
    assert_eq!(root_of(0, &tree).unwrap(), Hash::EMPTY_ROOT);
    let long = vec![Hash::EMPTY_ROOT; 65];
    assert!(verify_inclusion(0, u64::MAX, &long[0], &long[0], &long).is_err());
    assert!(verify_consistency(1, &long[0], u64::MAX, &long[0], &long).is_err());
    assert!(verify_consistency(u64::MAX, &long[0], u64::MAX, &long[0], &[]).is_err());
}

#[test]
fn a_frontier_is_the_same_by_entries_by_subtrees_and_from_its_parts() {
    let tree = Tree::numbered(600);
    let mut by_entries = Frontier::new();
    for index in 0..600 {
        assert_eq!(by_entries.root(), tree.root(index));
        let again =
            Frontier::from_subtrees(by_entries.size(), by_entries.subtrees().to_vec()).unwrap();
        assert_eq!(again, by_entries);
        by_entries.push(tree.leaf(index)).unwrap();
    }
    let mut by_subtrees = Frontier::new();
    for (level, index) in [(8, 0), (8, 1), (6, 8), (4, 36), (3, 74)] {
        by_subtrees.push_subtree(level, tree.node(level, index).unwrap()).unwrap();
    }
    assert_eq!(by_subtrees, by_entries);
}

#[test]
fn a_frontier_refuses_what_is_no_tree() {
    let hash = Hash::of(b"x");
    let refused = Frontier::from_subtrees(3, vec![hash]);
    assert_eq!(refused, Err(InvalidFrontier::Subtrees { size: 3, expected: 2, given: 1 }));
    assert!(Frontier::from_subtrees(SIZE_MAX + 1, vec![hash]).is_err());
    let mut full = Frontier::from_subtrees(SIZE_MAX, vec![hash; 53]).unwrap();
    assert_eq!(full.push(hash), Err(InvalidFrontier::TooLarge { size: SIZE_MAX + 1 }));
    let mut one = Frontier::from_subtrees(1, vec![hash]).unwrap();
    assert_eq!(one.push_subtree(1, hash), Err(InvalidFrontier::Unaligned { size: 1, level: 1 }));
    assert!(one.push_subtree(64, hash).is_err());
    assert!(one.push_subtree(255, hash).is_err());
    assert_eq!(one.size(), 1);
}

/// A tree of any size whose entries are all equal, so that a node depends on its level alone.
struct Uniform(Vec<Hash>);

impl Uniform {
    fn new() -> Self {
        let first = Hash::leaf(b"the same");
        Self(
            std::iter::successors(Some(first), |node| Some(Hash::node(node, node)))
                .take(54)
                .collect(),
        )
    }
}

impl Nodes for Uniform {
    type Error = Infallible;

    fn node(&self, level: u8, _index: u64) -> Result<Hash, Infallible> {
        Ok(self.0[usize::from(level)])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_hold_in_random_trees(size in 1_u64..3_000, index in any::<u64>(), from in any::<u64>()) {
        let tree = Tree::numbered(size);
        let (index, from) = (index % size, from % size + 1);
        let root = tree.root(size);
        let proof = prove_inclusion(index, size, &tree).unwrap();
        prop_assert!(verify_inclusion(index, size, &tree.leaf(index), &root, &proof).is_ok());
        let proof = prove_consistency(from, size, &tree).unwrap();
        let from_root = tree.root(from);
        prop_assert!(verify_consistency(from, &from_root, size, &root, &proof).is_ok());
        for altered in alterations(&proof) {
            prop_assert!(verify_consistency(from, &from_root, size, &root, &altered).is_err());
        }
    }

    #[test]
    fn proofs_hold_in_trees_of_any_size(size in 1..=SIZE_MAX, index in any::<u64>(), from in any::<u64>()) {
        let nodes = Uniform::new();
        let (index, from) = (index % size, from % size + 1);
        let root = root_of(size, &nodes).unwrap();
        let proof = prove_inclusion(index, size, &nodes).unwrap();
        prop_assert!(verify_inclusion(index, size, &nodes.0[0], &root, &proof).is_ok());
        let from_root = root_of(from, &nodes).unwrap();
        let proof = prove_consistency(from, size, &nodes).unwrap();
        prop_assert!(proof.len() <= 64);
        prop_assert!(verify_consistency(from, &from_root, size, &root, &proof).is_ok());
    }

    #[test]
    fn no_sizes_and_hashes_make_a_verifier_panic(
        numbers in any::<[u64; 3]>(),
        hashes in proptest::collection::vec(any::<[u8; 32]>(), 2..70),
    ) {
        let hashes: Vec<Hash> = hashes.into_iter().map(Hash::from).collect();
        let [a, b, c] = numbers;
        prop_assert!(verify_inclusion(a, b, &hashes[0], &hashes[1], &hashes[2..]).is_err());
        prop_assert!(verify_subtree_consistency(a, b, &hashes[0], c, &hashes[1], &hashes[2..]).is_err());
        prop_assert!(verify_consistency(a, &hashes[0], b, &hashes[1], &hashes[2..]).is_err());
    }
}
