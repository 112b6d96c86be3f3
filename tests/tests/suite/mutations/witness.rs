//! What is handed to a node that witnesses or keeps receipts: requests to cosign, cosignatures one by one
//! and as a list. Whatever is refused leaves it as it was.

use std::cell::RefCell;

use feed::cosignatures::Cosignatures;
use tests::chance::BEGINNING;
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::cosignature;
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::{SignatureLine, sign_note};
use tlog::prove::{prove_consistency, root_of};

use super::binary::{self, Field, Fields};
use super::faults::{Tree, story};
use super::lines;
use super::notes::{cosigned, witness};
use super::trial::{Mutation, Says, Tolerated, examine};
use super::world::{Node, key, wait};

/// A node that is made anew whenever it took something, so that each trial meets the same one.
struct Fresh {
    make: Box<dyn Fn() -> Node>,
    node: RefCell<Node>,
}

impl Fresh {
    fn of(make: impl Fn() -> Node + 'static) -> Self {
        let node = RefCell::new(make());
        Self { make: Box::new(make), node }
    }

    fn ask<T>(&self, question: impl Fn(&Node) -> Option<T>) -> Option<T> {
        let answer = question(&self.node.borrow());
        if answer.is_some() {
            *self.node.borrow_mut() = (self.make)();
        }
        answer
    }
}

fn log_name() -> KeyName {
    KeyName::parse("log.example/of-somebody").unwrap()
}

fn log_secret() -> SigningKey {
    key(150)
}

fn request(old: u64, size: u64, tree: &Tree) -> Vec<u8> {
    let root = root_of(size, tree).unwrap();
    let text = Checkpoint::new(log_name(), size, root).unwrap().body();
    let note = sign_note(&text, log_name(), &log_secret()).unwrap();
    let proof = match old {
        0 => Vec::new(),
        _ if old >= size => Vec::new(),
        _ => prove_consistency(old, size, tree).unwrap(),
    };
    let proof: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
    format!("old {old}\n{proof}\n{note}").into_bytes()
}

/// A witness that has cosigned 5 entries.
fn at_five() -> Node {
    let node = Node::of("witness.example");
    let log = VerifierKey::note(log_name(), log_secret().public());
    node.feeds.trust_outside(Vec::new(), vec![log]);
    wait(node.feeds.add_checkpoint(&request(0, 5, &story("log", 64)))).unwrap();
    node
}

#[test]
fn a_witness_cosigns_what_was_proved_to_it_and_nothing_else() {
    let tree = story("log", 64);
    let good = request(5, 37, &tree);
    let text = Checkpoint::new(log_name(), 37, root_of(37, &tree).unwrap()).unwrap().body();
    let fresh = Fresh::of(at_five);
    let name = KeyName::parse("witness.example/witness").unwrap();
    let ask = |bytes: &[u8]| {
        fresh.ask(|node| {
            let line = wait(node.feeds.add_checkpoint(bytes)).ok()?;
            let line = SignatureLine::parse(line.trim_end()).unwrap();
            let secret = node.secret(feed::ports::KeyUse::Witness);
            let key = VerifierKey::cosignature(name.clone(), secret.public());
            let time = cosignature::verify(&line, &text, &key);
            Some(Says::that(format!("{time:?} over {text}")))
        })
    };
    let tolerated: &[Tolerated<'_>] =
        &[("line *: doubled", "a signature is one however often it stands there")];
    let mut all = lines::mutations(&good);
    for (old, size) in [(0, 37), (4, 37), (5, 36), (6, 37), (5, 5), (5, 4), (37, 37)] {
        let one = request(old, size, &tree);
        let head = one.windows(2).position(|two| two == b"\n\n").unwrap();
        let tail = good.windows(2).position(|two| two == b"\n\n").unwrap();
        let mixed = [&one[..head], &good[tail..]].concat();
        all.push(Mutation::new(format!("the proof from {old} to {size}"), mixed));
    }
    let fork = story("another log", 64);
    all.push(Mutation::new("another history", request(5, 37, &fork)));
    let tried = examine("request to a witness", &good, ask, tolerated, all);
    assert!(tried >= 2_400, "{tried}");
    assert_eq!(Hash::of(&good), Hash::of(request(5, 37, &tree)));
}

/// An owner with a feed of three entries, to whom two witnesses are known.
fn owner() -> Node {
    let node = Node::of("owner.example");
    node.feeds.trust_outside(vec![witness(1).0, witness(2).0], Vec::new());
    node.practice("One");
    node.practice("Two");
    node
}

/// The receipts that are believed; one of an honest list each, or something is wrong.
fn receipts(node: &Node, honest: &[String]) -> Option<Says> {
    let receipts = node.feeds.receipts(&node.origin());
    let shown: Vec<String> = receipts.iter().map(|one| format!("{one:?}")).collect();
    if shown.is_empty() {
        return None;
    }
    let strange: Vec<&String> = shown.iter().filter(|one| !honest.contains(one)).collect();
    Some(Says::that(format!("{strange:?}")).with_vouchers(shown.len()))
}

#[test]
fn a_cosignature_that_is_handed_over_is_the_cosigners_own() {
    let fresh = Fresh::of(owner);
    let good = cosigned(&owner(), &[1]).to_string().into_bytes();
    let honest = format!("{:?}", {
        let node = owner();
        wait(node.feeds.accept_cosignature(&node.origin(), &good)).unwrap();
        node.feeds.receipts(&node.origin())[0].clone()
    });
    let take = |bytes: &[u8]| {
        fresh.ask(|node| {
            wait(node.feeds.accept_cosignature(&node.origin(), bytes)).ok()?;
            receipts(node, std::slice::from_ref(&honest))
        })
    };
    let tried = examine("cosignature handed over", &good, take, &[], lines::mutations(&good));
    assert!(tried >= 1_300, "{tried}");
}

/// The fields of a list of cosignatures.
pub(crate) fn list_fields(bytes: &[u8]) -> Vec<Field> {
    let mut fields = Fields::of(bytes);
    fields.skip("magic", 4);
    for at in 0..fields.number("count", 2) {
        let length = fields.number(format!("length of note {at}"), 2);
        fields.skip(format!("note {at}"), length);
    }
    fields.finish()
}

#[test]
fn a_list_of_cosignatures_brings_no_line_that_nobody_signed() {
    let node = owner();
    let note = cosigned(&node, &[1, 2]);
    let mut list = Cosignatures::default();
    for number in [1, 2] {
        let one: SignedCheckpoint = cosigned(&node, &[number]);
        assert_eq!(one.checkpoint, note.checkpoint);
        list.insert(feed::cosignatures::Cosigned::parse(one.to_string().as_bytes()).unwrap());
    }
    let good = list.encode();
    wait(node.feeds.merge_cosignatures(&node.origin(), &good, None));
    let all = node.feeds.receipts(&node.origin());
    let honest: Vec<String> = all.iter().map(|one| format!("{one:?}")).collect();
    assert_eq!(honest.len(), 2, "{BEGINNING}");
    let fresh = Fresh::of(owner);
    let take = |bytes: &[u8]| {
        fresh.ask(|node| {
            wait(node.feeds.merge_cosignatures(&node.origin(), bytes, None));
            receipts(node, &honest)
        })
    };
    let fields = list_fields(&good);
    let mut all = binary::flips(&good, &fields, 1);
    all.extend(binary::lengths(&good, &fields));
    all.extend(binary::cuts(&good, 1));
    let rest = "a line that is none is passed over, and the others are taken";
    let tried = examine(
        "list of cosignatures",
        &good,
        take,
        &[("note 0: ", rest), ("note 1: ", rest)],
        all,
    );
    assert!(tried >= 3_200, "{tried}");
}
