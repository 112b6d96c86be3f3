//! Node records: what a node says of itself, and what nobody accepts.

#![cfg(test)]

use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{InvalidNodeRecord, NodeRecord, NodeSubject, USES, possession_message};
use serde_json::{Value, json};
use std::convert::Infallible;
use tlog::ed25519::SigningKey;
use tlog::name::NodeName;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

const ROOT: u8 = 100;
const RECOVERY: u8 = 101;

fn subject() -> NodeSubject {
    let node = NodeName::parse("simore.gov.py").unwrap();
    let mut subject =
        NodeSubject::new(node, [("es".into(), "SIMORE".into())].into(), key(ROOT).public());
    subject.state = Some("PY".into());
    subject.recovery = Some(key(RECOVERY).public());
    subject.urls = vec!["https://simore.gov.py/jopoi/".into(), "http://[::1]:8080/".into()];
    USES.iter()
        .zip(1..)
        .fold(subject, |subject, (usage, seed)| subject.with_key(usage, 1, &key(seed)))
}

fn signed(subject: Value, state: Option<&str>, seed: u8) -> Body {
    let signer = key(seed);
    let node = NodeName::parse("simore.gov.py").unwrap();
    let unsigned = Unsigned {
        kind: Kind::NODE,
        id: RecordId::from_random_bytes([1; 16]),
        feed: None,
        version: 1,
        issuer: Issuer { key: signer.public(), node, state: state.map(str::to_owned) },
        valid_from: "2026-11-23T10:00:00Z".into(),
        salt: [0; 32],
        subject,
    };
    Body::sign(unsigned, &|message| Ok::<_, Infallible>(signer.sign(message))).unwrap()
}

fn read(subject: Value) -> Result<NodeRecord, InvalidNodeRecord> {
    NodeRecord::from_body(&signed(subject, Some("PY"), ROOT))
}

#[test]
fn what_a_node_says_of_itself_is_read_back() {
    let record = read(subject().subject()).unwrap();
    assert_eq!(*record, subject());
    assert!(!record.is_recovery());
    assert_eq!(record.active("receipt").unwrap().key, key(5).public());
    assert!(record.active("future").is_none());
    assert_eq!(record.body().subject()["keys"][0]["use"], "log");
}

#[test]
fn the_highest_generation_is_active_and_unknown_uses_are_kept() {
    let subject = subject().with_key("log", 3, &key(20)).with_key("log", 2, &key(21)).with_key(
        "later-use",
        1,
        &key(22),
    );
    let record = read(subject.subject()).unwrap();
    assert_eq!(record.active("log").unwrap().key, key(20).public());
    assert_eq!(record.active("later-use").unwrap().key, key(22).public());
}

#[test]
fn the_recovery_key_may_sign_and_another_may_not() {
    let by = |seed| NodeRecord::from_body(&signed(subject().subject(), Some("PY"), seed));
    assert!(by(RECOVERY).unwrap().is_recovery());
    assert!(matches!(by(1), Err(InvalidNodeRecord::Signer { .. })));
}

#[test]
fn an_organization_stands_in_place_of_a_state() {
    let mut organization = subject();
    organization.state = None;
    organization.organization = Some([("en".into(), "Network secretariat".into())].into());
    assert!(NodeRecord::from_body(&signed(organization.subject(), None, ROOT)).is_ok());
    let refused = NodeRecord::from_body(&signed(organization.subject(), Some("PY"), ROOT));
    assert!(matches!(refused, Err(InvalidNodeRecord::Other { .. })));
    organization.state = Some("PY".into());
    assert!(matches!(read(organization.subject()), Err(InvalidNodeRecord::Holder { .. })));
}

#[test]
fn a_key_that_is_not_its_own_is_refused() {
    let mut stolen = subject();
    stolen.keys[3].key = key(50).public();
    assert!(matches!(read(stolen.subject()), Err(InvalidNodeRecord::Possession { .. })));
    let mut for_another_use = subject();
    for_another_use.keys[3].usage = "future".into();
    assert!(matches!(read(for_another_use.subject()), Err(InvalidNodeRecord::Possession { .. })));
    let other_node = NodeName::parse("other.example").unwrap();
    let mut for_another_node = subject();
    let message = possession_message(&other_node, "witness", &key(ROOT).public(), &key(4).public());
    for_another_node.keys[3].proof = key(4).sign(&message);
    assert!(matches!(read(for_another_node.subject()), Err(InvalidNodeRecord::Possession { .. })));
}

#[test]
fn a_key_twice_or_equal_to_root_or_recovery_is_refused() {
    for seed in [1, ROOT, RECOVERY] {
        let subject = subject().with_key("future", 1, &key(seed));
        assert!(matches!(read(subject.subject()), Err(InvalidNodeRecord::Twice { .. })), "{seed}");
    }
    let same_generation = subject().with_key("log", 1, &key(30));
    assert!(matches!(read(same_generation.subject()), Err(InvalidNodeRecord::Twice { .. })));
    let mut same = subject();
    same.recovery = Some(same.root);
    assert!(matches!(read(same.subject()), Err(InvalidNodeRecord::Twice { .. })));
}

#[test]
fn log_and_record_keys_are_required() {
    for usage in ["log", "record"] {
        let mut without = subject();
        without.keys.retain(|key| key.usage != usage);
        assert!(matches!(read(without.subject()), Err(InvalidNodeRecord::NoKey { .. })));
    }
}

#[test]
fn what_has_another_form_is_refused() {
    let changed = |place: &str, value: Value| {
        let mut subject = subject().subject();
        *subject.pointer_mut(place).unwrap() = value;
        read(subject)
    };
    for (place, value) in [
        ("/node", json!("other.example")),
        ("/state", json!("AR")),
        ("/names", json!({})),
        ("/names", json!({"es": " "})),
        ("/names", json!("SIMORE")),
        ("/root", json!("did:web:x")),
        ("/keys/0/generation", json!(0)),
        ("/keys/0/generation", json!("1")),
        ("/keys/0/use", json!("Log")),
        ("/keys/0/proof", json!("AAAA")),
        ("/feeds", json!(["private"])),
        ("/networks", json!(["simore.gov.py"])),
        ("/urls", json!(["https://simore.gov.py"])),
        ("/urls", json!(["ftp://simore.gov.py/"])),
        ("/urls", json!(["https:///"])),
        ("/urls", json!(["https://user@simore.gov.py/"])),
        ("/urls", json!(["https://simore.gov.py/?x=/"])),
        ("/feeds", json!(vec!["public"; 65])),
    ] {
        assert!(changed(place, value.clone()).is_err(), "{place} = {value}");
    }
    let other_kind = Unsigned {
        kind: Kind::POLICY,
        id: RecordId::from_random_bytes([1; 16]),
        feed: Some("simore.gov.py/public".parse().unwrap()),
        version: 1,
        issuer: Issuer {
            key: key(ROOT).public(),
            node: "simore.gov.py".parse().unwrap(),
            state: None,
        },
        valid_from: "2026-11-23T10:00:00Z".into(),
        salt: [0; 32],
        subject: subject().subject(),
    };
    let body =
        Body::sign(other_kind, &|message| Ok::<_, Infallible>(key(ROOT).sign(message))).unwrap();
    assert!(matches!(NodeRecord::from_body(&body), Err(InvalidNodeRecord::Kind { .. })));
}
