//! The schema and the context that the table gives.

#![cfg(test)]

use practice::draft::{Defaults, Draft};
use practice::kind::Kind;
use practice::kinds::{CONTEXT_URL, Shape, VOCABULARY_URL, all_fields, context, fields, schema};
use serde_json::{Map, Value};

/// As much of JSON Schema as the schemas of this project use; answers with the first place that fails.
fn check(schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let fail = |why: &str| Err(format!("{path}: {why}: {value}"));
    if let Some(any) = schema["anyOf"].as_array() {
        return any
            .iter()
            .find_map(|one| check(one, value, path).ok())
            .ok_or_else(|| format!("{path}: none of anyOf"));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return fail("enum");
    }
    match schema["type"].as_str() {
        Some("object") => object(schema, value.as_object().ok_or("no object")?, path)?,
        Some("array") => {
            let items = value.as_array().ok_or_else(|| format!("{path}: no array"))?;
            if items.len() < usize::from(schema["minItems"] == 1) {
                return fail("minItems");
            }
            for (index, item) in items.iter().enumerate() {
                check(&schema["items"], item, &format!("{path}[{index}]"))?;
            }
        }
        Some("string") if value.as_str().is_none_or(str::is_empty) => return fail("string"),
        Some("integer") if value.as_u64().is_none() => return fail("integer"),
        Some("boolean") if !value.is_boolean() => return fail("boolean"),
        _ => {}
    }
    Ok(())
}

fn object(schema: &Value, members: &Map<String, Value>, path: &str) -> Result<(), String> {
    for required in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(required.as_str().unwrap()) {
            return Err(format!("{path}: without {required}"));
        }
    }
    for (name, member) in members {
        let inner = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
        match inner {
            Some(Value::Bool(true)) | None => {}
            Some(inner) => check(inner, member, &format!("{path}.{name}"))?,
        }
    }
    Ok(())
}

#[test]
fn the_schema_of_each_kind_accepts_its_sample_records_and_refuses_them_without_a_title() {
    let defaults = Defaults { reuse: Some("CC-BY-4.0".into()), ..Defaults::default() };
    for line in practice::corpus().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let kind = Kind::parse(value["kind"].as_str().unwrap()).unwrap();
        let record = Draft::from_value(kind.clone(), value, &defaults).validate().unwrap();
        let schema = schema(&kind);
        check(&schema, &record.subject, "").unwrap();
        let mut without = record.subject;
        without.as_object_mut().unwrap().shift_remove("title");
        assert!(check(&schema, &without, "").is_err());
    }
}

#[test]
fn every_kind_has_a_well_formed_schema() {
    for kind in Kind::ALL {
        let schema = schema(kind);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema["$id"].as_str().unwrap().ends_with(&format!("/schemas/{kind}.json")));
        let properties = schema["properties"].as_object().unwrap();
        assert!(
            schema["required"]
                .as_array()
                .unwrap()
                .iter()
                .all(|name| properties.contains_key(name.as_str().unwrap()))
        );
        assert_eq!(properties.len(), fields(kind).len() + 1);
        assert!(properties.values().all(|property| property["title"].is_string()));
    }
}

/// Every term, with those in the contexts of fields.
fn terms<'a>(context: &'a Map<String, Value>, found: &mut Vec<(&'a str, &'a Value)>) {
    for (name, term) in context.iter().filter(|(name, _)| !name.starts_with('@')) {
        found.push((name, term));
        if let Some(inner) = term.get("@context").and_then(Value::as_object) {
            terms(inner, found);
        }
    }
}

#[test]
fn the_context_defines_every_kind_and_field_and_nothing_that_credentials_define() {
    let context = context();
    let context = context["@context"].as_object().unwrap();
    assert_eq!(context["@protected"], true);
    assert!(Kind::ALL.iter().all(|kind| context.contains_key(&kind.type_name())));
    assert!(all_fields().iter().all(|field| context.contains_key(field.name)));
    // Names of the contexts of Verifiable Credentials 2.0 and Data Integrity: to define one of them again is
    // an error for a generic tool.
    for name in [
        "id",
        "type",
        "name",
        "description",
        "digestMultibase",
        "digestSRI",
        "mediaType",
        "confidenceMethod",
        "credentialSchema",
        "credentialStatus",
        "credentialSubject",
        "evidence",
        "issuer",
        "proof",
        "refreshService",
        "relatedResource",
        "renderMethod",
        "termsOfUse",
        "validFrom",
        "validUntil",
        "holder",
        "verifiableCredential",
        "challenge",
        "created",
        "cryptosuite",
        "domain",
        "expires",
        "nonce",
        "previousProof",
        "proofPurpose",
        "proofValue",
        "verificationMethod",
    ] {
        assert!(!context.contains_key(name), "{name}");
    }
    let mut found = Vec::new();
    terms(context, &mut found);
    assert!(found.len() > 150);
    for (name, term) in found {
        assert_eq!(term["@id"], format!("{VOCABULARY_URL}{name}"));
        assert!(!name.is_empty() && name != "id" && name != "type");
    }
    assert_eq!(practice::body::CONTEXTS[1], CONTEXT_URL);
}

#[test]
fn texts_are_language_maps_in_the_context_too() {
    let context = context();
    for field in all_fields() {
        let is_map = context["@context"][field.name]["@container"] == "@language";
        assert_eq!(is_map, field.shape == Shape::Text, "{}", field.name);
    }
    assert_eq!(context["@context"]["actions"]["@context"]["text"]["@container"], "@language");
}
