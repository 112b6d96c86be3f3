//! The sample records: each is brought into form, valid, signed and read back.

#![cfg(test)]

use practice::body::{Body, Issuer, Unsigned};
use practice::draft::{Defaults, Draft, Record};
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::Value;
use std::convert::Infallible;
use tlog::ed25519::SigningKey;

fn records() -> Vec<(Kind, Value)> {
    let lines = practice::corpus().lines();
    let values = lines.map(|line| practice::json::parse(line.as_bytes()).unwrap());
    values.map(|value| (Kind::parse(value["kind"].as_str().unwrap()).unwrap(), value)).collect()
}

fn valid(kind: Kind, value: &Value) -> Record {
    let defaults = Defaults { reuse: Some("CC-BY-4.0".into()), ..Defaults::default() };
    let draft = Draft::from_value(kind, value.clone(), &defaults);
    draft.validate().unwrap_or_else(|faults| panic!("{value}: {faults:?}"))
}

#[test]
fn all_sample_records_are_valid_without_a_warning() {
    let records = records();
    assert_eq!(records.len(), 77);
    for (kind, value) in records {
        let record = valid(kind.clone(), &value);
        assert_eq!(record.warnings, [], "{}", value["id"]);
        assert_eq!(record.subject["local_id"], value["id"]);
        let language = value["language"].as_str().unwrap();
        assert_eq!(record.subject["title"][language], value["title"]);
        assert_eq!(record.subject["reuse"], "CC-BY-4.0");
        if let Some(action) = value["actions"].get(0) {
            assert_eq!(&record.subject["actions"][0]["text"][language], action);
        }
        assert!(record.subject.get("kind").is_none());
    }
}

#[test]
fn bringing_a_record_into_form_twice_changes_nothing() {
    for (kind, value) in records() {
        let once = valid(kind.clone(), &value).subject;
        assert_eq!(valid(kind, &once).subject, once);
    }
}

#[test]
fn every_sample_record_can_be_signed_and_verified() {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    for (index, (kind, value)) in records().into_iter().enumerate() {
        let record = valid(kind, &value);
        let unsigned = Unsigned {
            kind: record.kind,
            id: RecordId::from_random_bytes([u8::try_from(index).unwrap(); 16]),
            feed: Some("documentation-grulac.example/public".parse().unwrap()),
            version: 1,
            issuer: Issuer {
                key: key.public(),
                node: "documentation-grulac.example".parse().unwrap(),
                state: None,
            },
            valid_from: "2026-11-23T10:00:00Z".into(),
            salt: [2; 32],
            subject: record.subject,
        };
        let body = Body::sign(unsigned, &|message| Ok::<_, Infallible>(key.sign(message))).unwrap();
        Body::open(body.bytes().clone()).unwrap().verify().unwrap();
    }
}
