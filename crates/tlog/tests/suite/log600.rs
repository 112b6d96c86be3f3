//! A whole log made by another implementation: read, recomputed, proved and signed again.

use std::fs;
use std::path::PathBuf;

use crate::tree::Tree;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::cosignature;
use tlog::ed25519::SigningKey;
use tlog::frontier::Frontier;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::note::sign_note;
use tlog::proof::{
    Nodes as _, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
};
use tlog::proof_file::TlogProof;
use tlog::tile::{EntriesTile, Tile, TilePath, decode_entries, encode_entries, hashes};

struct Log {
    vectors: Value,
    entries: Vec<Vec<u8>>,
    log_key: VerifierKey,
    witness_key: VerifierKey,
}

fn file(path: &str) -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/log600");
    fs::read(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn log() -> Log {
    let vectors: Value = serde_json::from_slice(&file("vectors.json")).unwrap();
    let key = |member: &str| VerifierKey::parse(vectors[member].as_str().unwrap()).unwrap();
    let (log_key, witness_key) = (key("log_vkey"), key("witness_vkey"));
    let mut entries = Vec::new();
    for (index, width) in [(0, 256), (1, 256), (2, 88)] {
        let bundle = file(&EntriesTile::new(index, width).unwrap().path());
        entries.extend(decode_entries(&bundle).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    Log { vectors, entries, log_key, witness_key }
}

impl Log {
    fn list(&self, member: &str) -> &[Value] {
        self.vectors[member].as_array().unwrap()
    }

    fn tree(&self) -> Tree {
        Tree::over(self.entries.iter().map(|entry| Hash::leaf(entry)))
    }

    fn signer(&self, member: &str) -> SigningKey {
        let seed = hex::decode(self.vectors[member].as_str().unwrap()).unwrap();
        SigningKey::from_seed(seed.as_slice().try_into().unwrap()).unwrap()
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn proof(case: &Value) -> Vec<Hash> {
    let hashes = case["proof"].as_array().unwrap();
    hashes.iter().map(|hash| Hash::from_base64(hash.as_str().unwrap()).unwrap()).collect()
}

#[test]
fn its_keys_are_those_of_its_seeds() {
    let log = log();
    assert_eq!(log.log_key.to_string(), log.vectors["log_vkey"]);
    assert_eq!(log.witness_key.to_string(), log.vectors["witness_vkey"]);
    assert_eq!(log.signer("log_seed_hex").public(), log.log_key.key);
    assert_eq!(log.signer("witness_seed_hex").public(), log.witness_key.key);
}

#[test]
fn its_bundles_hold_six_hundred_entries_and_are_written_the_same() {
    let log = log();
    assert_eq!(log.entries.len(), 600);
    assert!(log.entries[1].is_empty());
    let first = encode_entries(&log.entries[..256]).unwrap();
    assert_eq!(first, file("tile/entries/000"));
    assert_eq!(encode_entries(&log.entries[512..]).unwrap(), file("tile/entries/002.p/88"));
}

#[test]
fn its_tiles_are_the_nodes_of_the_tree() {
    let tree = log().tree();
    let paths = ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"];
    for path in paths {
        let tile = Tile::parse(path).unwrap();
        assert_eq!(tile.path(), path);
        assert!(tile.exists_at(600));
        let served = hashes(&file(path)).unwrap();
        assert_eq!(served.len(), usize::from(tile.width()));
        let first = tile.index() * 256;
        for (number, hash) in (first..).zip(served) {
            assert_eq!(tree.node(tile.level() * 8, number).unwrap(), hash, "{path}");
        }
    }
    assert!(TilePath::parse("tile/entries/002.p/88").unwrap().exists_at(600));
}

#[test]
fn its_checkpoints_are_verified_recomputed_and_signed_the_same() {
    let log = log();
    let (signer, witness) = (log.signer("log_seed_hex"), log.signer("witness_seed_hex"));
    let mut frontier = Frontier::new();
    let mut entries = log.entries.iter();
    for case in log.list("roots") {
        let text = case["checkpoint"].as_str().unwrap();
        let signed = SignedCheckpoint::parse(text.as_bytes()).unwrap();
        assert_eq!(signed.to_string(), text);
        let cosigners = [log.witness_key.clone()];
        let cosigned = signed.verify_with(&log.log_key, &cosigners).unwrap();
        let time = cosigned[0].time.unwrap();
        let size = number(&case["size"]);
        while frontier.size() < size {
            frontier.push(Hash::leaf(entries.next().unwrap())).unwrap();
        }
        let checkpoint = Checkpoint::new(log.log_key.name.clone(), size, frontier.root()).unwrap();
        assert_eq!(checkpoint, signed.checkpoint);
        assert_eq!(checkpoint.body(), signed.note.text);

        let mut note = sign_note(&checkpoint.body(), log.log_key.name.clone(), &signer).unwrap();
        let line = cosignature::cosign(&note.text, time, &log.witness_key, &|message| {
            witness.sign(message)
        });
        note.add(line.unwrap()).unwrap();
        assert_eq!(note.to_string(), text);
    }
    assert_eq!(frontier.size(), 600);
}

#[test]
fn its_inclusion_proofs_are_verified_and_made_the_same() {
    let log = log();
    let tree = log.tree();
    for case in log.list("inclusion") {
        let (index, size) = (number(&case["index"]), number(&case["size"]));
        let entry = BASE64.decode(case["entry_b64"].as_str().unwrap()).unwrap();
        assert_eq!(entry, log.entries[usize::try_from(index).unwrap()]);
        let proof = proof(case);
        verify_inclusion(index, size, &Hash::leaf(&entry), &tree.root(size), &proof).unwrap();
        assert_eq!(prove_inclusion(index, size, &tree).unwrap(), proof);
    }
    assert_eq!(log.list("inclusion").len(), 79);
}

#[test]
fn its_consistency_proofs_are_verified_and_made_the_same() {
    let log = log();
    let tree = log.tree();
    for case in log.list("consistency") {
        let (from, to) = (number(&case["old"]), number(&case["new"]));
        let proof = proof(case);
        verify_consistency(from, &tree.root(from), to, &tree.root(to), &proof).unwrap();
        assert_eq!(prove_consistency(from, to, &tree).unwrap(), proof);
    }
    assert_eq!(log.list("consistency").len(), 190);
}

#[test]
fn its_proof_files_convince_and_are_written_the_same() {
    let log = log();
    for index in [0, 1, 300, 599] {
        let text = file(&format!("proofs/{index}.tlog-proof"));
        let proof = TlogProof::parse(&text).unwrap();
        assert_eq!(proof.to_string().as_bytes(), text);
        assert_eq!(proof.index, index);
        let entry = file(&format!("proofs/{index}.leaf"));
        assert_eq!(proof.verify_entry(&entry, &log.log_key).unwrap().size, 600);
        assert!(proof.verify_entry(b"another entry", &log.log_key).is_err());
        assert!(proof.verify_entry(&entry, &log.witness_key).is_err());
    }
}

#[test]
fn its_latest_checkpoint_is_verified() {
    let log = log();
    let signed = SignedCheckpoint::parse(&file("checkpoint")).unwrap();
    assert_eq!(signed.verify(&log.log_key).unwrap().root, log.tree().root(600));
}
