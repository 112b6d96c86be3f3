//! A fault file on a machine that never saw the network: the program alone convinces.

use std::collections::BTreeMap;
use std::convert::Infallible;

use feed::fault::{Fault, ForkKind};
use feed::ports::KeyUse;
use feed::secret::OnlineSecret;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use tlog::checkpoint::Checkpoint;
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::name::{KeyName, NodeName, Origin};
use tlog::note::sign_note;

use crate::program::Program;

/// Two versions of one feed, signed by the log key that its node record names.
fn fault(root: &SigningKey) -> Fault {
    let node = NodeName::parse("liar.example").unwrap();
    let origin = Origin::parse("liar.example/public").unwrap();
    let secret = OnlineSecret::from_bytes([7; 32]);
    let names = BTreeMap::from([("en".to_owned(), "A test".to_owned())]);
    let mut subject = NodeSubject::new(node.clone(), names.clone(), root.public());
    subject.organization = Some(names);
    for key_use in KeyUse::ALL {
        subject = subject.with_key(key_use.as_str(), 1, &secret.key(key_use, 1).unwrap());
    }
    let unsigned = Unsigned {
        kind: Kind::NODE,
        id: RecordId::from_random_bytes([1; 16]),
        feed: None,
        version: 1,
        issuer: Issuer { key: root.public(), node, state: None },
        valid_from: "2026-11-23T10:00:00Z".to_owned(),
        salt: [1; 32],
        subject: subject.subject(),
    };
    let body = Body::sign(unsigned, &|message| Ok::<_, Infallible>(root.sign(message))).unwrap();
    let log = secret.key(KeyUse::Log, 1).unwrap();
    let note = |root: &str| {
        let name = KeyName::from(&origin);
        let text = Checkpoint::new(name.clone(), 5, Hash::of(root)).unwrap().body();
        String::from_utf8(sign_note(&text, name, &log).unwrap().to_bytes()).unwrap()
    };
    Fault {
        fault: ForkKind::SameSize,
        first: note("one"),
        second: note("other"),
        origin: origin.clone(),
        cosigner: None,
        prefix_root: None,
        proof: Vec::new(),
        node_records: vec![String::from_utf8(body.bytes().to_vec()).unwrap()],
    }
}

#[test]
fn a_fault_file_convinces_where_nothing_else_is_known() {
    let program = Program::fresh();
    let root = SigningKey::from_seed(&[3; 32]).unwrap();
    let fault = fault(&root);
    let text = String::from_utf8(fault.to_bytes()).unwrap();
    program.write("two-versions.json", &text);
    let (ours, other) = (root.public().to_did(), SigningKey::from_seed(&[4; 32]).unwrap());
    let said = program.ok(&["verify", "two-versions.json", "--root", &ours]);
    assert!(said.contains("TWO VERSIONS") && said.contains("liar.example/public"), "{said}");
    assert!(said.contains("5 entries"), "{said}");
    let judged = program.json(&["verify", "two-versions.json"]);
    assert_eq!((&judged["verified"], &judged["independent"]), (&true.into(), &false.into()));
    assert_eq!(judged["root"], ours);
    let other = other.public().to_did();
    let said = program.ends(1, &["verify", "two-versions.json", "--root", &other]);
    assert!(said.contains("another root"), "{said}");
    let same = Fault { second: fault.first.clone(), ..fault };
    program.write("same.json", &String::from_utf8(same.to_bytes()).unwrap());
    let said = program.ends(1, &["verify", "same.json", "--root", &ours]);
    assert!(said.contains("do not contradict"), "{said}");
    program.write("nothing.json", "{}");
    program.fails(1, &["verify", "nothing.json"]);
}

#[test]
fn a_node_that_knows_of_no_two_versions_says_so() {
    let program = Program::fresh();
    program.init("simore.gov.py");
    let said = program.ok(&["faults", "list"]);
    assert!(said.contains("No feed"), "{said}");
    let said = program.fails(1, &["faults", "show", "liar.example"]);
    assert!(said.contains("faults list"), "{said}");
    program.fails(1, &["faults", "save", "file.json"]);
}
