//! Every signed thing between a root and an approval, with each of its fields changed.

use bytes::Bytes;
use network::approval::{About, Evidence};
use network::file::NetworkFile;
use network::subject::Status;
use practice::json::{Value, canonical};
use practice::kind::Kind;

use crate::world::{Node, Records, changed, did, file, id, leaves};

fn world() -> (Node, Records, Evidence) {
    let member = Node::new(0);
    let mut records = Records::default();
    let body = records.register(&Node::new(9).participant(Status::Participating), &[]);
    let evidence = member.evidence(&body);
    (member, records, evidence)
}

/// Another value of the same type, in the same form where the form matters.
fn other(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let last = text.chars().last().unwrap_or('a');
            let kept: String = text.chars().take(text.chars().count().saturating_sub(1)).collect();
            format!("{kept}{}", if last == 'A' { 'B' } else { 'A' }).into()
        }
        Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
        Value::Bool(flag) => (!flag).into(),
        _ => Value::from(1),
    }
}

/// The document with each of its leaves changed, and with each of its members left out.
fn mutations(bytes: &Bytes) -> Vec<(String, Bytes)> {
    let value: Value = serde_json::from_slice(bytes).unwrap();
    let mut paths = Vec::new();
    leaves(&value, "", &mut paths);
    let mut all: Vec<(String, Bytes)> = paths
        .iter()
        .map(|path| (path.clone(), changed(bytes, path, other(value.pointer(path).unwrap()))))
        .collect();
    for path in paths {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let mut without = value.clone();
        if let Some(Value::Object(members)) = without.pointer_mut(parent) {
            members.remove(name);
            all.push((format!("without {path}"), canonical(&without).unwrap().into()));
        }
    }
    all
}

#[test]
fn an_approval_holds_as_it_was_made() {
    let (member, records, evidence) = world();
    let approval = evidence.verify(did(member.root)).unwrap();
    assert_eq!(approval.about, About::of(&records.decided[0].body).unwrap());
    assert_eq!((approval.node, approval.index, approval.size), (member.name, 3, 5));
}

#[test]
fn no_field_of_node_record_or_attestation_can_be_changed() {
    let (member, _, evidence) = world();
    let mut count = 0;
    for (path, bytes) in mutations(&evidence.node_record) {
        assert_ne!(bytes, evidence.node_record, "{path}");
        let forged = Evidence { node_record: bytes, ..evidence.clone() };
        assert!(forged.verify(did(member.root)).is_err(), "node record {path}");
        count += 1;
    }
    for (path, bytes) in mutations(&evidence.body) {
        assert_ne!(bytes, evidence.body, "{path}");
        let forged = Evidence { body: bytes, ..evidence.clone() };
        assert!(forged.verify(did(member.root)).is_err(), "attestation {path}");
        count += 1;
    }
    println!("{count} changed documents");
    assert!(count > 80, "{count}");
}

#[test]
fn no_byte_of_proof_and_checkpoint_can_be_changed() {
    let (member, _, evidence) = world();
    let mut count = 0;
    for place in 0..evidence.proof.len() {
        for flip in [0x01, 0x02, 0x10, 0x20] {
            let mut proof = evidence.proof.to_vec();
            proof[place] ^= flip;
            let forged = Evidence { proof: proof.into(), ..evidence.clone() };
            assert!(forged.verify(did(member.root)).is_err(), "byte {place} with {flip:#x}");
            count += 1;
        }
    }
    println!("{count} changed proofs");
}

#[test]
fn what_is_signed_again_with_a_field_changed_approves_nothing_else() {
    let (member, records, _) = world();
    let body = &records.decided[0].body;
    let about = About::of(body).unwrap().approving();
    let mut paths = Vec::new();
    leaves(&about, "", &mut paths);
    let other_feed = Value::from("other.example/public");
    let other_id = Value::from(id(99).to_string());
    let other_body = Value::from(format!("sha256:{}", "0".repeat(64)));
    let changes = [
        ("/about/feed", other_feed),
        ("/about/id", other_id),
        ("/about/version", 2.into()),
        ("/about/body", other_body),
        ("/relation", "endorses-as-own".into()),
    ];
    assert_eq!(changes.len(), paths.len(), "{paths:?}");
    for (path, value) in changes {
        let mut subject = about.clone();
        *subject.pointer_mut(path).unwrap() = value;
        let verified = member.attests(subject).verify(did(member.root));
        let approvals: Vec<_> = verified.into_iter().collect();
        let handed = Records { decided: records.decided.clone(), approvals };
        let network = handed.fold(&file(std::slice::from_ref(&member), 1));
        assert!(network.participant(&Node::new(9).name).is_none(), "{path}");
        assert_eq!(network.pending().len(), 1, "{path}");
    }
    let handed =
        Records { decided: records.decided.clone(), approvals: vec![member.approves(body)] };
    let network = handed.fold(&file(&[member], 1));
    assert!(network.is_participating(&Node::new(9).name));
}

#[test]
fn each_byte_of_the_first_line_of_a_network_file_matters() {
    let (member, mut records, _) = world();
    let body = records.decided[0].body.clone();
    records.approvals.push(member.approves(&body));
    let original = file(std::slice::from_ref(&member), 1);
    assert!(records.fold(&original).is_participating(&Node::new(9).name));
    let end = original.bytes().iter().position(|byte| *byte == b'\n').unwrap();
    let mut count = 0;
    for place in 0..=end {
        for flip in [0x01, 0x02, 0x10, 0x20] {
            let mut bytes = original.bytes().to_vec();
            bytes[place] ^= flip;
            count += 1;
            assert_ne!(network::file::fingerprint(&bytes), original.fingerprint());
            if let Ok(forged) = NetworkFile::parse(&bytes) {
                let network = records.fold(&forged);
                assert!(network.participant(&Node::new(9).name).is_none(), "byte {place}");
            }
        }
    }
    println!("{count} changed first lines");
}

#[test]
fn an_approval_counts_under_the_root_that_signed_it_alone() {
    let (member, records, evidence) = world();
    assert!(evidence.verify(did(Node::new(1).root)).is_err());
    // The log key or the record key is nobody's root either.
    assert!(evidence.verify(did(member.log)).is_err());
    let body = records.decided[0].body.clone();
    assert_eq!(body.kind(), &Kind::PARTICIPANT);
    // The record itself, which the network signed, approves nothing.
    let network = Node::network();
    let node_record = network.node_record().body().bytes().clone();
    let proof = network.prove(&body).to_string().into();
    let forged = Evidence { node_record, body: body.bytes().clone(), proof };
    assert!(forged.verify(did(network.root)).is_err());
}
