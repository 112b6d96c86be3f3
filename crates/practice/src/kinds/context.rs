//! The table as a JSON-LD context, the second of every body; frozen with the first release.

use super::{Field, Shape, all_fields};
use crate::kind::Kind;
use serde_json::{Map, Value, json};

/// The name of the context, in every body. It is served by every node and never fetched.
pub const CONTEXT_URL: &str = "https://w3id.org/jopoi/v1";

/// What the terms of the context begin with.
pub const VOCABULARY_URL: &str = "https://w3id.org/jopoi/v1#";

/// The members of a body outside its subject that Verifiable Credentials do not define.
const DOCUMENT_TERMS: [&str; 2] = ["salt", "version"];

/// The JSON-LD context: a type for each kind and a term for each field. Terms of objects stand in contexts of
/// their field, so that `name` may be a language map in one and a string in another. A field that nobody
/// defined gets a term by `@vocab`, so that a generic tool drops nothing. Items are no `@list`: its chains of
/// unnamed nodes make RDF canonicalisation give up.
pub fn context() -> Value {
    let mut terms = Map::new();
    terms.insert("@version".to_owned(), json!(1.1));
    terms.insert("@protected".to_owned(), json!(true));
    terms.insert("@vocab".to_owned(), json!(VOCABULARY_URL));
    for kind in Kind::ALL {
        let name = kind.type_name();
        terms.insert(name.clone(), json!({ "@id": iri(&name) }));
    }
    for name in DOCUMENT_TERMS {
        terms.insert(name.to_owned(), json!({ "@id": iri(name) }));
    }
    for field in all_fields() {
        terms.insert(field.name.to_owned(), term(field));
    }
    json!({ "@context": terms })
}

fn iri(name: &str) -> String {
    format!("{VOCABULARY_URL}{name}")
}

fn term(field: &Field) -> Value {
    let mut term = Map::new();
    term.insert("@id".to_owned(), iri(field.name).into());
    let container = match field.shape {
        Shape::Text => Some("@language"),
        Shape::ByLanguage(_) => Some("@index"),
        // One item stays a list when a tool compacts what it has expanded.
        Shape::Codes(_) | Shape::Plains | Shape::Languages | Shape::Items(_) => Some("@set"),
        _ => None,
    };
    if let Some(container) = container {
        term.insert("@container".to_owned(), container.into());
    }
    if field.shape == Shape::Any {
        term.insert("@type".to_owned(), "@json".into());
    }
    let inner: Map<String, Value> = field
        .inner()
        .iter()
        .filter(|inner| inner.name != "id")
        .map(|inner| (inner.name.to_owned(), self::term(inner)))
        .collect();
    if !inner.is_empty() {
        term.insert("@context".to_owned(), Value::Object(inner));
    }
    Value::Object(term)
}
