//! What a request may say besides its path: the shape of every parameter.

use feed::search::{Facet, Query};
use practice::kind::Kind;
use practice::vocabulary::Vocabulary;
use serde_json::{Value, json};
use tlog::name::{NodeName, Origin};
use wire::{limits, paths};

use crate::routes::Route;
use crate::search_form::vocabulary_of;
use crate::texts::Texts;

/// Labels of letters, digits and inner hyphens; the last begins with a letter ([`NodeName`]).
const NODE: &str = "([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?";
/// The name of a feed within its node ([`tlog::name::FeedName`]).
const FEED: &str = "(public(-([2-9]|[1-9][0-9]{1,14}))?|r-[a-z2-7]{26})";
/// A kind of record, known or not.
const KIND: &str = "^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$";

const OAI_ARGUMENTS: [&str; 7] =
    ["verb", "metadataPrefix", "identifier", "from", "until", "set", "resumptionToken"];

/// All parameters of a route: those of its path, then those of its query.
pub(super) fn of(route: &Route) -> Vec<Value> {
    let path = in_path(route.pattern).into_iter().map(|name| {
        let schema = of_path(&name, route.pattern);
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let query = in_query(route).into_iter().map(|(name, schema)| {
        json!({ "name": name, "in": "query", "required": false, "schema": schema })
    });
    path.chain(query).collect()
}

/// The arguments of OAI-PMH as a form.
pub(super) fn oai_form() -> Value {
    let arguments = OAI_ARGUMENTS.map(|name| (name.to_owned(), text()));
    json!({
        "type": "object",
        "properties": Value::Object(arguments.into_iter().collect()),
    })
}

/// The names between braces.
fn in_path(pattern: &str) -> Vec<String> {
    let names = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names.map(|name| name.trim_start_matches('*').to_owned()).collect()
}

fn of_path(name: &str, pattern: &str) -> Value {
    match name {
        "uuid" | "id" => json!({ "type": "string", "format": "uuid" }),
        "index" | "size" | "number" => json!({ "type": "integer", "minimum": 0 }),
        "hash" if pattern == paths::BODIES => pattern_of("^sha256:[0-9a-f]{64}$"),
        "hash" => pattern_of("^[0-9a-f]{64}$"),
        "feed" => pattern_of(&format!("^{FEED}$")),
        "node" => name_of_node(),
        _ => text(),
    }
}

/// The name of a node.
fn name_of_node() -> Value {
    let name = json!({ "maxLength": NodeName::BYTES_MAX, "examples": ["mechanism.example"] });
    merged(pattern_of(&format!("^{NODE}$")), name)
}

/// The name of a feed with that of its node.
fn origin() -> Value {
    let name = json!({ "maxLength": Origin::BYTES_MAX, "examples": ["mechanism.example/public"] });
    merged(pattern_of(&format!("^{NODE}/{FEED}$")), name)
}

fn pattern_of(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn merged(mut schema: Value, more: Value) -> Value {
    if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
        schema.extend(more);
    }
    schema
}

fn in_query(route: &Route) -> Vec<(String, Value)> {
    let named = |name: &str, schema: Value| (name.to_owned(), schema);
    match route.pattern {
        paths::site::API_SEARCH
        | paths::site::SEARCH_CSV
        | paths::site::SEARCH_ATOM
        | paths::site::SEARCH_JSON_FEED => search(),
        paths::API_RECORDS => vec![
            named("feed", origin()),
            named("kind", merged(pattern_of(KIND), json!({ "maxLength": Kind::BYTES_MAX }))),
            named("before", json!({ "type": "integer", "minimum": 0 })),
            named("limit", whole(limits::RECORDS_PAGE)),
        ],
        paths::site::PROFILE_DOCX | paths::site::PROFILE_JSON => vec![named("lang", language())],
        paths::site::SITEMAP => vec![
            named("part", json!({ "type": "string", "enum": ["pages"] })),
            named("feed", origin()),
            named("from", json!({ "type": "integer", "minimum": 0 })),
        ],
        paths::OAI if route.method == http::Method::GET => {
            OAI_ARGUMENTS.iter().map(|name| named(name, text())).collect()
        }
        _ => Vec::new(),
    }
}

/// Words, every filter, and which page of how many.
fn search() -> Vec<(String, Value)> {
    let words = json!({ "type": "string", "maxLength": Query::BYTES_MAX });
    let mut all = vec![("q".to_owned(), words)];
    all.extend(Facet::ALL.into_iter().map(|facet| {
        let values = json!({ "type": "array", "items": choice(facet), "maxItems": 4 });
        (facet.as_str().to_owned(), values)
    }));
    let word = |words: &[&str]| json!({ "type": "string", "enum": words });
    all.push(("order".to_owned(), word(&["relevance", "newest"])));
    all.push(("withdrawn".to_owned(), word(&["without", "with", "only"])));
    // With the longest pages, the last one that the index goes to.
    all.push(("page".to_owned(), whole(Query::OFFSET_MAX / Query::HITS_MAX)));
    all.push(("limit".to_owned(), whole(Query::HITS_MAX)));
    all.push(("lang".to_owned(), language()));
    all
}

/// What a filter can be.
fn choice(facet: Facet) -> Value {
    if let Some(list) = vocabulary_of(facet).and_then(Vocabulary::get) {
        let codes: Vec<&str> = list.terms().iter().map(|term| term.code.as_str()).collect();
        return json!({ "type": "string", "enum": codes });
    }
    match facet {
        Facet::Year => json!({ "type": "string", "pattern": "^[12][0-9]{3}$" }),
        Facet::Node => name_of_node(),
        Facet::Feed => origin(),
        _ => json!({ "type": "string", "maxLength": 80 }),
    }
}

fn language() -> Value {
    let codes: Vec<&str> = Texts::all().iter().map(Texts::code).collect();
    json!({ "type": "string", "enum": codes })
}

fn whole(most: usize) -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": most })
}

fn text() -> Value {
    json!({ "type": "string" })
}
