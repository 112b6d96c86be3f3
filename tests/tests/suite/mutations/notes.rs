//! Signed notes: checkpoints, cosignatures, proofs, keys, the network file.

use network::file::NetworkFile;
use tests::chance::BEGINNING;
use tlog::checkpoint::SignedCheckpoint;
use tlog::cosignature::cosign;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::sign_note;
use tlog::policy::{Log, Policy};
use tlog::proof_file::TlogProof;

use super::lines;
use super::trial::{Mutation, Says, Tolerated, examine};
use super::world::{Node, key, network_file};

const REPEATED: &str = "a signature is one however often it stands there";
const ORDER: &str = "signature lines are in any order";
const STRANGER: &str = "a line by a key that the reader does not know means nothing";
const WEAKER: &str = "whoever carries a note may leave a cosigner out or make its line unreadable by name: \
                      the note then counts for less";

pub(crate) fn witness(number: u8) -> (VerifierKey, tlog::ed25519::SigningKey) {
    let secret = key(number);
    let name = KeyName::parse(&format!("w{number}.example/witness")).unwrap();
    (VerifierKey::cosignature(name, secret.public()), secret)
}

pub(crate) fn cosigned(node: &Node, numbers: &[u8]) -> SignedCheckpoint {
    let mut note = SignedCheckpoint::parse(&node.checkpoint()).unwrap();
    for number in numbers {
        let (key, secret) = witness(*number);
        let line = cosign(&note.note.text, BEGINNING, &key, &|message| secret.sign(message));
        note.add(line.unwrap()).unwrap();
    }
    note
}

/// A line that is good, by somebody of whom nobody has heard.
fn with_a_stranger(note: &SignedCheckpoint) -> Mutation {
    let mut note = note.clone();
    let name = KeyName::parse("stranger.example/witness").unwrap();
    let theirs = sign_note(&note.note.text, name, &key(77)).unwrap();
    note.add(theirs.signatures[0].clone()).unwrap();
    Mutation::new("a stranger's line besides", note.to_string())
}

#[test]
fn a_checkpoint_with_a_quorum_of_witnesses_stands_only_as_it_was_signed() {
    let node = Node::of("owner.example");
    node.practice("One");
    let note = cosigned(&node, &[1, 2]);
    let log = Log { key: node.log_key(), url: None };
    let known = [witness(1).0, witness(2).0];
    let verify = |needed: usize| {
        let policy = Policy::some_of(vec![log.clone()], &known, needed).unwrap();
        move |bytes: &[u8]| {
            let note = SignedCheckpoint::parse(bytes).ok()?;
            let mut signed = policy.verify(&note).ok()?;
            signed.sort_by_key(|one| one.key.to_string());
            Some(Says::that(format!("{:?}", note.checkpoint)).with_vouchers(signed.len()))
        }
    };
    let all = || lines::mutations(note.to_string().as_bytes()).into_iter();
    let strict: &[Tolerated] = &[
        ("line *: doubled", REPEATED),
        ("line *: swapped with line", ORDER),
        ("a stranger's line", STRANGER),
    ];
    let bytes = note.to_string();
    let both = examine(
        "checkpoint, both witnesses needed",
        bytes.as_bytes(),
        verify(2),
        strict,
        all().chain([with_a_stranger(&note)]),
    );
    let weak: Vec<Tolerated> =
        strict.iter().copied().chain(["line 5: ", "line 6: "].map(|what| (what, WEAKER))).collect();
    let one = examine(
        "checkpoint, one witness needed",
        bytes.as_bytes(),
        verify(1),
        &weak,
        all().chain([with_a_stranger(&note)]),
    );
    assert!(both >= 1_800 && one >= 1_800, "{both} {one}");
}

#[test]
fn a_cosignature_speaks_of_one_checkpoint_at_one_time_only() {
    let node = Node::of("owner.example");
    let note = cosigned(&node, &[1]);
    let line = note.note.signatures[1].clone();
    let (key, _) = witness(1);
    let text = note.note.text;
    let original = format!("{text}\n{line}\n");
    let verify = |bytes: &[u8]| {
        let note = tlog::note::Note::parse(bytes).ok()?;
        let [line] = note.signatures.as_slice() else { return None };
        let time = tlog::cosignature::verify(line, &note.text, &key).ok()?;
        Some(Says::that(format!("{time} {}", note.text)))
    };
    let all = lines::mutations(original.as_bytes());
    let tried = examine("cosignature", original.as_bytes(), verify, &[], all);
    assert!(tried >= 850, "{tried}");
}

#[test]
fn a_proof_leads_from_one_entry_to_one_checkpoint_only() {
    let node = Node::of("owner.example");
    for number in 0..12 {
        node.practice(&format!("Practice {number}"));
    }
    let (entry, neighbour) = (node.entry(5), node.entry(6));
    let proof = String::from_utf8(node.placed(5).proof.to_vec()).unwrap();
    let log_key = node.log_key();
    let verify = |entry: &[u8], bytes: &[u8]| {
        let proof = TlogProof::parse(bytes).ok()?;
        let checkpoint = proof.verify_entry(entry, &log_key).ok()?;
        Some(Says::that(format!("{} {checkpoint:?}", proof.index)))
    };
    assert!(verify(&neighbour, proof.as_bytes()).is_none());
    let tolerated: &[Tolerated] = &[
        ("line *: doubled", REPEATED),
        ("extra", "nothing vouches for the `extra` line, and nothing reads it"),
    ];
    let extra = ["extra AAAA", "extra "].map(|extra| {
        Mutation::new("extra", proof.replacen("\nindex", &format!("\n{extra}\nindex"), 1))
    });
    let theirs = Mutation::new("the neighbour's", node.placed(6).proof.to_vec());
    let all = lines::mutations(proof.as_bytes()).into_iter().chain(extra).chain([theirs]);
    let verify_it = |bytes: &[u8]| verify(&entry, bytes);
    let tried = examine(".tlog-proof", proof.as_bytes(), verify_it, tolerated, all);
    assert!(tried >= 1_850, "{tried}");
}

#[test]
fn a_key_that_is_read_out_wrong_is_no_key() {
    let node = Node::of("owner.example");
    let mut tried = 0;
    for key in [node.log_key(), node.receipt_key()] {
        let text = key.to_string();
        let verify = |bytes: &[u8]| {
            let key = VerifierKey::parse(std::str::from_utf8(bytes).ok()?).ok()?;
            Some(Says::that(key.to_string()))
        };
        let all = lines::mutations(text.as_bytes());
        tried += examine("vkey", text.as_bytes(), verify, &[], all);
    }
    assert!(tried >= 600, "{tried}");
}

#[test]
fn a_network_file_has_its_fingerprint_as_it_is_only() {
    let network = Node::of("network.example");
    let committee = ["a.example", "b.example"].map(Node::of);
    let file = network_file(&network, &[&committee[0], &committee[1]], &witness(1).0);
    let read_out = file.fingerprint();
    let verify = |bytes: &[u8]| {
        let file = NetworkFile::parse(bytes).ok()?;
        let same = network::file::same_fingerprint(&file.fingerprint(), &read_out);
        same.then(|| Says::that(file.text()))
    };
    let all = lines::mutations(file.bytes());
    let tried = examine("network file", file.bytes(), verify, &[], all);
    assert!(tried >= 1_600, "{tried}");
}
