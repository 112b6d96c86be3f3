//! Bodies: made, opened, verified, and refused after every change of their structure.

#![cfg(test)]

use bytes::Bytes;
use practice::body::{Body, CONTEXTS, InvalidBody, Issuer, SignBodyError, Unsigned};
use practice::id::RecordId;
use practice::json::{canonical, check_canonical};
use practice::kind::Kind;
use practice::proof;
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use tlog::ed25519::{PublicKey, Signature, SigningKey};
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn unsigned(kind: Kind) -> Unsigned {
    let node = NodeName::parse("simore.gov.py").unwrap();
    Unsigned {
        id: RecordId::from_random_bytes([7; 16]),
        feed: (kind != Kind::NODE).then(|| Origin::parse("simore.gov.py/public").unwrap()),
        kind,
        version: 3,
        issuer: Issuer { key: key(1).public(), node, state: Some("PY".into()) },
        valid_from: "2026-11-23T10:00:00Z".into(),
        salt: [9; 32],
        subject: json!({"title": {"es": "Título “así”\n"}, "language": "es", "count": 170, "unknown": [null, {"x": -1}]}),
    }
}

fn signed_by(seed: u8, unsigned: Unsigned) -> Result<Body, SignBodyError<Infallible>> {
    let key = key(seed);
    Body::sign(unsigned, &|message| Ok(key.sign(message)))
}

fn document() -> Value {
    serde_json::from_slice(signed_by(1, unsigned(Kind::GOOD_PRACTICE)).unwrap().bytes()).unwrap()
}

fn open(document: &Value) -> Result<Body, InvalidBody> {
    Body::open(Bytes::from(canonical(document).unwrap()))
}

#[test]
fn a_signed_body_opens_verifies_and_says_what_was_signed() {
    let body = signed_by(1, unsigned(Kind::GOOD_PRACTICE)).unwrap();
    let again = Body::open(body.bytes().clone()).unwrap();
    again.verify().unwrap();
    assert_eq!(again, body);
    assert_eq!(again.hash(), Hash::of(body.bytes()));
    assert_eq!(
        (again.kind(), again.version(), again.state()),
        (&Kind::GOOD_PRACTICE, 3, Some("PY"))
    );
    assert_eq!(again.id(), RecordId::from_random_bytes([7; 16]));
    assert_eq!(again.feed().unwrap().as_str(), "simore.gov.py/public");
    assert_eq!(again.node().as_str(), "simore.gov.py");
    assert_eq!((again.issuer_key(), again.valid_from()), (key(1).public(), "2026-11-23T10:00:00Z"));
    assert_eq!(again.subject()["count"], 170);
    assert_eq!(again.subject()["id"], again.id().to_string());
}

#[test]
fn every_known_and_an_unknown_kind_can_be_signed() {
    for kind in Kind::ALL.iter().cloned().chain([Kind::parse("peer-review").unwrap()]) {
        let body = signed_by(1, unsigned(kind.clone())).unwrap();
        assert_eq!(body.kind(), &kind);
        assert_eq!(body.feed().is_none(), kind == Kind::NODE);
    }
}

#[test]
fn a_key_that_is_not_the_issuers_signs_nothing() {
    assert!(matches!(signed_by(2, unsigned(Kind::EVENT)), Err(SignBodyError::Proof(_))));
    let refused = Body::sign(unsigned(Kind::EVENT), &|_| Err("locked"));
    assert!(matches!(refused, Err(SignBodyError::Sign("locked"))));
}

#[test]
fn many_are_signed_as_one_by_one_and_none_by_another_key() {
    let of_version = |version| Unsigned { version, ..unsigned(Kind::GOOD_PRACTICE) };
    let all_by = |seed| {
        let key = key(seed);
        let sign = |message: &[u8]| Ok::<_, Infallible>(key.sign(message));
        Body::sign_all((1..=5).map(of_version).collect(), &sign)
    };
    let one_by_one: Vec<Body> =
        (1..=5).map(|version| signed_by(1, of_version(version)).unwrap()).collect();
    assert_eq!(all_by(1).unwrap(), one_by_one);
    assert!(matches!(all_by(2), Err(SignBodyError::Proof(_))));
}

#[test]
fn a_changed_text_opens_and_does_not_verify() {
    let mut changed = document();
    changed["credentialSubject"]["title"]["es"] = json!("otro");
    assert!(open(&changed).unwrap().verify().is_err());
    let mut later = document();
    later["proof"]["created"] = json!("2026-11-23T10:00:01Z");
    assert!(open(&later).unwrap().verify().is_err());
}

#[test]
fn what_cannot_be_a_body_is_not_signed() {
    let refused = |change: &dyn Fn(&mut Unsigned)| {
        let mut unsigned = unsigned(Kind::GOOD_PRACTICE);
        change(&mut unsigned);
        signed_by(1, unsigned).unwrap_err()
    };
    assert!(matches!(refused(&|u| u.version = 0), SignBodyError::Body(_)));
    assert!(matches!(refused(&|u| u.version = 1 << 53), SignBodyError::Json(_)));
    assert!(matches!(refused(&|u| u.valid_from = "today".into()), SignBodyError::Body(_)));
    assert!(matches!(refused(&|u| u.feed = None), SignBodyError::Body(_)));
    assert!(matches!(
        refused(&|u| u.feed = Some(Origin::parse("other.example/public").unwrap())),
        SignBodyError::Body(_)
    ));
    assert!(matches!(refused(&|u| u.subject = json!([1])), SignBodyError::Body(_)));
    assert!(matches!(refused(&|u| u.subject = json!({"x": 1.5})), SignBodyError::Body(_)));
    assert!(matches!(refused(&|u| u.subject = json!({"x": "\0"})), SignBodyError::Json(_)));
    assert!(matches!(
        refused(&|u| u.subject = json!({"x": "a".repeat(131_072)})),
        SignBodyError::Body(_)
    ));
    assert!(matches!(refused(&|u| u.issuer.state = None), SignBodyError::Body(_)));
}

#[test]
fn an_issuer_without_a_state_must_name_states_except_in_trust_kinds() {
    let organization = |kind: Kind, subject: Value| {
        let mut unsigned = unsigned(kind);
        unsigned.issuer.state = None;
        unsigned.subject = subject;
        signed_by(1, unsigned)
    };
    assert_eq!(organization(Kind::RESOURCE, json!({"states": ["PY"]})).unwrap().state(), None);
    for subject in
        [json!({}), json!({"states": []}), json!({"states": "PY"}), json!({"states": [1]})]
    {
        let error = organization(Kind::RESOURCE, subject).unwrap_err();
        assert!(matches!(
            &error,
            SignBodyError::Body(InvalidBody::Value { member: "credentialSubject.states", .. })
        ));
    }
    assert!(organization(Kind::POLICY, json!({})).is_ok());
}

/// Applies `change` to every member of every object of the document's own structure (not within the subject
/// or the lists) and asserts that each result is refused.
fn each_member_refused(change: &dyn Fn(&mut Map<String, Value>, &str)) {
    for place in ["", "/issuer", "/proof"] {
        let names: Vec<String> =
            document().pointer(place).unwrap().as_object().unwrap().keys().cloned().collect();
        // Without `issuer.state` the error is that the subject names no States.
        for name in names {
            let mut document = document();
            change(document.pointer_mut(place).unwrap().as_object_mut().unwrap(), &name);
            assert!(open(&document).is_err(), "{place}/{name}: {document}");
        }
    }
}

#[test]
fn each_member_removed_or_renamed_or_of_another_type_is_refused() {
    each_member_refused(&|object, name| drop(object.remove(name)));
    each_member_refused(&|object, name| {
        let value = object.remove(name).unwrap();
        object.insert(format!("{name}x"), value);
    });
    each_member_refused(&|object, name| drop(object.insert(format!("{name}x"), json!(1))));
    for wrong in [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
        json!([[]]),
    ] {
        each_member_refused(&|object, name| drop(object.insert(name.to_owned(), wrong.clone())));
    }
    each_member_refused(&|object, name| {
        let value = object[name].clone();
        object.insert(name.to_owned(), json!([value]));
    });
}

#[test]
fn each_member_doubled_is_refused() {
    let text = String::from_utf8(canonical(&document()).unwrap()).unwrap();
    let scan = check_canonical(text.as_bytes()).unwrap();
    let inner = ["issuer", "proof", "credentialSubject"].map(|name| scan.get(name).unwrap());
    let members: Vec<_> =
        scan.members().chain(inner.into_iter().flat_map(|outer| scan.inner(outer))).collect();
    assert!(members.len() > 20);
    for member in members {
        let span = member.name.start - 1..member.value.end;
        let doubled =
            format!("{}{},{}", &text[..span.start], &text[span.clone()], &text[span.start..]);
        let error = Body::open(Bytes::from(doubled)).unwrap_err();
        assert!(matches!(error, InvalidBody::Json(_)), "{error}");
    }
}

#[test]
fn each_value_that_is_almost_right_is_refused() {
    let did = key(1).public().to_did();
    let other = key(2).public();
    let cases = [
        ("/@context", json!([CONTEXTS[1], CONTEXTS[0]])),
        ("/@context", json!([CONTEXTS[0], CONTEXTS[1], CONTEXTS[1]])),
        ("/type", json!(["VerifiableCredential", "good-practice"])),
        ("/type", json!(["GoodPractice", "VerifiableCredential"])),
        ("/type", json!(["VerifiableCredential", "Good\"Practice"])),
        ("/type", json!(["VerifiableCredential"])),
        ("/type", json!(["VerifiableCredential", "GoodPractice", "Event"])),
        ("/type", json!(["VerifiableCredential", "Node"])),
        ("/id", json!("urn:uuid:07070707-0707-4707-8707-070707070708")),
        ("/id", json!("URN:UUID:07070707-0707-4707-8707-070707070707")),
        ("/credentialSubject/id", json!("urn:uuid:07070707-0707-4707-8707-070707070708")),
        ("/version", json!("3")),
        ("/feed", json!("simore.gov.py")),
        ("/feed", json!("simore.gov.py/private")),
        ("/feed", json!("other.example/public")),
        ("/issuer/id", json!(other.to_did())),
        ("/issuer/id", json!(format!("{did}#x"))),
        ("/issuer/id", json!("did:web:simore.gov.py")),
        ("/issuer/node", json!("Simore.gov.py")),
        ("/issuer/state", json!("py")),
        ("/issuer/state", json!("PRY")),
        ("/validFrom", json!("2026-11-23T10:00:00+00:00")),
        ("/validFrom", json!("2026-02-30T10:00:00Z")),
        ("/salt", json!("A".repeat(42))),
        ("/salt", json!("A".repeat(44))),
        ("/salt", json!("A".repeat(42) + "=")),
        ("/salt", json!("A".repeat(42) + "B")),
        ("/proof/@context", json!([CONTEXTS[0]])),
        ("/proof/cryptosuite", json!("eddsa-rdfc-2022")),
        ("/proof/proofPurpose", json!("authentication")),
        ("/proof/type", json!("Ed25519Signature2020")),
        ("/proof/verificationMethod", json!(did)),
        ("/proof/verificationMethod", json!(other.verification_method())),
        ("/proof/proofValue", json!("z")),
        ("/proof/proofValue", json!(Signature::from_bytes(&[1; 64]).to_base58())),
        ("/proof/proofValue", json!(format!("z{}0", Signature::from_bytes(&[1; 64]).to_base58()))),
        ("/proof", json!([document()["proof"], document()["proof"]])),
    ];
    for (place, value) in cases {
        let mut document = document();
        *document.pointer_mut(place).unwrap() = value.clone();
        assert!(open(&document).is_err(), "{place} = {value}");
    }
}

#[test]
fn a_node_body_has_no_feed() {
    let mut document: Value =
        serde_json::from_slice(signed_by(1, unsigned(Kind::NODE)).unwrap().bytes()).unwrap();
    document["feed"] = json!("simore.gov.py/public");
    assert!(open(&document).is_err());
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let error = Body::open(Bytes::from(vec![b'x'; 131_073])).unwrap_err();
    assert_eq!(error, InvalidBody::TooLarge { bytes: 131_073 });
}

#[test]
fn every_byte_of_a_body_counts() {
    let bytes = signed_by(1, unsigned(Kind::GOOD_PRACTICE)).unwrap().bytes().to_vec();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let unnoticed = Body::open(Bytes::from(changed)).is_ok_and(|body| body.verify().is_ok());
        assert!(!unnoticed, "byte {at}");
    }
}

#[test]
fn the_w3c_vector_of_eddsa_jcs_2022_comes_out_at_every_step() {
    let vector: Value =
        serde_json::from_str(include_str!("vectors/eddsa-jcs-2022/w3c.json")).unwrap();
    let text = |name: &str| vector[name].as_str().unwrap().to_owned();
    assert_eq!(canonical(&vector["unsigned"]).unwrap(), text("canonDoc").into_bytes());
    assert_eq!(canonical(&vector["proofConfig"]).unwrap(), text("proofCanon").into_bytes());
    assert_eq!(Hash::of(text("canonDoc")).to_hex(), text("docHash"));
    assert_eq!(Hash::of(text("proofCanon")).to_hex(), text("proofHash"));
    let message =
        proof::message_to_sign(text("proofCanon").as_bytes(), text("canonDoc").as_bytes());
    assert_eq!(hex::encode(message), text("combinedHash"));

    let signed = canonical(&vector["signed"]).unwrap();
    assert_eq!(proof::message_of(&check_canonical(&signed).unwrap()), Some(message));
    let signature = Signature::from_base58(text("sigBTC58").strip_prefix('z').unwrap()).unwrap();
    assert_eq!(hex::encode(signature.as_bytes()), text("sigHex"));
    let multibase = vector["keyPair"]["publicKeyMultibase"].as_str().unwrap();
    let public = PublicKey::from_did(&format!("did:key:{multibase}")).unwrap();
    public.verify_zip215(&message, &signature).unwrap();
    assert_eq!(vector["signed"]["proof"]["verificationMethod"], public.verification_method());
}
