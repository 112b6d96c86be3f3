//! The table as JSON Schema, for those who make records with other tools.

use super::{Field, Need, Shape, fields};
use crate::kind::Kind;
use crate::vocabulary::Vocabulary;
use serde_json::{Map, Value, json};

/// The dialect of the schemas.
pub const SCHEMA_DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema of the `credentialSubject` of records of `kind`, as authors must meet it. Unknown fields
/// are allowed: they are kept.
pub fn schema(kind: &Kind) -> Value {
    let fields = fields(kind);
    let mut properties: Map<String, Value> =
        fields.iter().map(|field| (field.field.name.to_owned(), titled(field.field))).collect();
    properties.insert("id".to_owned(), json!({ "type": "string", "format": "uri", "title": "Id" }));
    let required: Vec<_> = fields
        .iter()
        .filter(|field| field.need == Need::Required)
        .map(|field| field.field.name)
        .collect();
    json!({
        "$schema": SCHEMA_DIALECT,
        "$id": format!("https://w3id.org/jopoi/schemas/{kind}.json"),
        "title": Vocabulary::get("record-kinds").map_or(kind.as_str(), |kinds| kinds.label(kind.as_str(), "en")),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": true,
    })
}

fn titled(field: &Field) -> Value {
    let mut schema = shape(&field.shape);
    if let Some(members) = schema.as_object_mut() {
        members.insert("title".to_owned(), field.label("en").into());
    }
    schema
}

fn shape(shape: &Shape) -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let list = |items: Value| json!({ "type": "array", "minItems": 1, "items": items });
    match shape {
        Shape::Text => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "pattern": LANGUAGE },
            "additionalProperties": text,
        }),
        Shape::Plain => text,
        Shape::Plains => json!({ "type": "array", "items": text }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Code(vocabulary) => codes(vocabulary),
        Shape::Codes(vocabulary) => {
            json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": codes(vocabulary) })
        }
        Shape::Language => json!({ "type": "string", "pattern": LANGUAGE }),
        Shape::Languages => list(json!({ "type": "string", "pattern": LANGUAGE })),
        Shape::Date => json!({ "type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$" }),
        Shape::Period => object(super::table::PERIOD),
        Shape::Integer => {
            json!({ "type": "integer", "minimum": 0, "maximum": crate::json::INTEGER_MAX })
        }
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Url => json!({ "type": "string", "format": "uri", "pattern": "^https?://" }),
        Shape::Object(fields) => object(fields),
        Shape::Items(fields) => list(object(fields)),
        Shape::ByLanguage(fields) => json!({
            "type": "object",
            "propertyNames": { "pattern": LANGUAGE },
            "additionalProperties": object(fields),
        }),
        Shape::Any => json!({}),
    }
}

/// The beginning of a BCP 47 tag in canonical case; the rest of that grammar is left to the program.
const LANGUAGE: &str = "^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$";

fn codes(vocabulary: &str) -> Value {
    let codes: Vec<_> = Vocabulary::get(vocabulary)
        .into_iter()
        .flat_map(|vocabulary| vocabulary.terms().iter().map(|term| term.code.as_str()))
        .collect();
    if vocabulary == "states" {
        // States of demonstrations are invented.
        return json!({ "anyOf": [{ "enum": codes }, { "type": "string", "pattern": "^X[A-JL-Z]$" }] });
    }
    json!({ "enum": codes })
}

fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), titled(field))).collect();
    let required: Vec<_> =
        fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": true })
}
