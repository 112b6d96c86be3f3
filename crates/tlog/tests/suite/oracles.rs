//! What we make is accepted by implementations of others, and what they make is the same.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;
use signed_note::{Signer, StandardSigner, StandardVerifier, VerifierList};
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::ed25519::SigningKey;
use tlog::frontier::Frontier;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::{Note, sign_note};
use tlog::proof::{prove_consistency, prove_inclusion};
use tlog_tiles::tlog as oracle;

use crate::tree::Tree;

/// The hashes of a log in the order in which the oracle stores them.
struct Stored(Vec<oracle::Hash>);

impl oracle::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<oracle::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|&index| self.0[usize::try_from(index).unwrap()]).collect())
    }
}

impl Stored {
    fn of(size: u64) -> Self {
        let mut stored = Self(Vec::new());
        for number in 0..size {
            let hashes = oracle::stored_hashes(number, &number.to_be_bytes(), &stored).unwrap();
            stored.0.extend(hashes);
        }
        stored
    }
}

fn theirs(hash: Hash) -> oracle::Hash {
    oracle::Hash(*hash.as_bytes())
}

fn ours(hashes: Vec<oracle::Hash>) -> Vec<Hash> {
    hashes.into_iter().map(|hash| Hash::from(hash.0)).collect()
}

#[test]
fn roots_and_proofs_are_those_of_tlog_tiles() {
    let (stored, tree) = (Stored::of(80), Tree::numbered(80));
    for size in 1..=80 {
        let root = theirs(tree.root(size));
        assert_eq!(oracle::tree_hash(size, &stored).unwrap(), root);
        for index in 0..size {
            let proof = prove_inclusion(index, size, &tree).unwrap();
            assert_eq!(ours(oracle::prove_record(size, index, &stored).unwrap()), proof);
        }
        for from in 1..=size {
            let proof = prove_consistency(from, size, &tree).unwrap();
            assert_eq!(ours(oracle::prove_tree(size, from, &stored).unwrap()), proof);
        }
    }
}

#[test]
fn roots_and_proofs_are_those_of_ct_merkle() {
    let tree = Tree::numbered(80);
    let mut frontier = Frontier::new();
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=80_u64 {
        theirs.push((size - 1).to_be_bytes().to_vec());
        frontier.push(tree.leaf(size - 1)).unwrap();
        assert_eq!(theirs.root().as_bytes().as_slice(), frontier.root().as_bytes());
        for index in 0..size {
            let proof = theirs.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(proof.as_bytes(), joined(&prove_inclusion(index, size, &tree).unwrap()));
        }
        for from in 1..size {
            let proof = theirs.prove_consistency(usize::try_from(size - from).unwrap());
            assert_eq!(proof.as_bytes(), joined(&prove_consistency(from, size, &tree).unwrap()));
        }
    }
}

fn joined(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(Hash::as_bytes).copied().collect()
}

#[test]
fn notes_are_read_and_written_as_by_signed_note() {
    let signer = SigningKey::from_seed(&[5; 32]).unwrap();
    let name = KeyName::parse("simore.gov.py/public").unwrap();
    let key = VerifierKey::note(name.clone(), signer.public());
    let body = Checkpoint::new(name.clone(), 7, Hash::of(b"root")).unwrap().body();
    let note = sign_note(&body, name.clone(), &signer).unwrap();

    let read = signed_note::Note::from_bytes(&note.to_bytes()).unwrap();
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(&key.to_string()).unwrap())]);
    let (verified, unverified) = read.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    assert_eq!(read.to_bytes(), note.to_bytes());

    let secret = format!("PRIVATE+KEY+{name}+{:08x}+{}", key.id, secret_in_base64(&[5; 32]));
    let oracle_signer = StandardSigner::new(&secret).unwrap();
    let mut written = signed_note::Note::new(body.as_bytes(), &[]).unwrap();
    written.add_sigs(&[&oracle_signer as &dyn Signer]).unwrap();
    assert_eq!(Note::parse(&written.to_bytes()).unwrap(), note);
    assert!(SignedCheckpoint::parse(&written.to_bytes()).unwrap().verify(&key).is_ok());
}

fn secret_in_base64(seed: &[u8; 32]) -> String {
    use base64::Engine as _;
    let mut bytes = vec![1];
    bytes.extend_from_slice(seed);
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
