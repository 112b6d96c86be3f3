//! The description of the API (OpenAPI 3.1), made from the table of routes.
//!
//! It names every parameter and every kind of answer, so that a program made from it, or one that tries
//! what it allows, meets nothing that is not written here.

mod parameters;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};
use wire::{media, paths};

use crate::app::{App, Audience};
use crate::content::{Content, Keep};
use crate::routes::{ROUTES, Route};

/// `GET /openapi.json`
pub(crate) async fn document(State(app): State<App>, headers: HeaderMap) -> Response {
    let readable =
        |route: &&Route| route.audience == Audience::Everyone || route.audience == app.audience;
    let described = ROUTES.iter().filter(|route| !route.summary.is_empty()).filter(readable);
    let mut paths: Map<String, Value> = Map::new();
    for route in described {
        let pattern = route.pattern.replace("{*", "{");
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = operation(route);
        let methods = paths.entry(pattern).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(method, operation);
        }
    }
    let server = app.base_url.as_deref().unwrap_or("/");
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Jopói",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a node answers to other nodes and to programs. All of it may be read without permission; what is signed arrives byte for byte.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": server }],
        "paths": paths,
        "components": { "schemas": schemas(), "responses": responses() },
    });
    Content::loose(format!("{document:#}\n"), media::JSON).keep(Keep::Day).answer(&headers)
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": identifier(route),
        "summary": route.summary,
        "tags": [tag(route)],
        "parameters": parameters::of(route),
        "responses": {
            "200": { "description": "What was asked for", "content": content(route) },
            "206": { "description": "The rest of it, as Range and If-Range ask; of what is served byte for byte" },
            "304": { "description": "The caller has it already, as If-None-Match says" },
            "4XX": { "$ref": "#/components/responses/Problem" },
            "5XX": { "$ref": "#/components/responses/Problem" },
        },
    });
    let body = match (route.method == Method::POST, route.pattern, route.audience) {
        (false, ..) => None,
        (true, paths::OAI, _) => Some(json!({
            "application/x-www-form-urlencoded": { "schema": parameters::oai_form() },
        })),
        (true, paths::ADD_CHECKPOINT, _) => {
            Some(json!({ "text/plain": { "schema": { "type": "string" } } }))
        }
        (true, _, Audience::Everyone) => {
            Some(json!({ "application/octet-stream": { "schema": { "type": "string" } } }))
        }
        (true, _, Audience::Operator | Audience::Monitor) => {
            Some(json!({ "application/json": { "schema": { "type": "object" } } }))
        }
    };
    if let (Some(operation), Some(content)) = (operation.as_object_mut(), body) {
        // Without a form, OAI-PMH answers as it does to any request that lacks its verb.
        let required = route.pattern != paths::OAI;
        operation
            .insert("requestBody".to_owned(), json!({ "required": required, "content": content }));
    }
    operation
}

/// A name that generated programs can call it by: the method and the words of the path.
fn identifier(route: &Route) -> String {
    let words = route.pattern.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(route.method.as_str().to_ascii_lowercase())
        .chain(words.map(str::to_owned))
        .collect::<Vec<_>>()
        .join("_")
}

fn tag(route: &Route) -> &'static str {
    match (route.audience, route.pattern) {
        (Audience::Operator, _) => "operator",
        (_, path) if path.starts_with("/api/") => "api",
        (_, path) if path.starts_with("/feeds/") || path.starts_with("/bodies/") => "feeds",
        (_, path) if path.starts_with("/oai") || path.starts_with("/search") => "harvest",
        _ => "node",
    }
}

/// The media type of an answer with its schema.
fn content(route: &Route) -> Value {
    let schema = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let (media, schema) = match route.pattern {
        paths::WELL_KNOWN | paths::BODY | paths::BODIES => (media::VC, schema("Credential")),
        paths::CHECKPOINT | paths::PROOF | paths::WITNESS_CHECKPOINT | paths::ADD_CHECKPOINT => {
            (media::TEXT, json!({ "type": "string" }))
        }
        paths::LIVEZ | paths::site::ROBOTS | paths::site::SECURITY => {
            (media::TEXT, json!({ "type": "string" }))
        }
        paths::OAI | paths::OAI_SCHEMA | paths::site::SITEMAP => {
            (media::XML, json!({ "type": "string" }))
        }
        paths::METRICS => (media::OPEN_METRICS, json!({ "type": "string" })),
        paths::CONTEXT => (media::JSON_LD, json!({ "type": "object" })),
        paths::site::SEARCH_ATOM => (media::ATOM, json!({ "type": "string" })),
        paths::site::SEARCH_JSON_FEED => (media::JSON_FEED, schema("JsonFeed")),
        paths::site::SEARCH_CSV => (media::CSV, json!({ "type": "string" })),
        paths::site::PROFILE_DOCX => (media::DOCX, json!({})),
        paths::site::API_SEARCH => (media::JSON, schema("SearchAnswer")),
        paths::API_RECORDS => (media::JSON, schema("Records")),
        paths::API_FEEDS => (media::JSON, schema("Feeds")),
        paths::API_NODE => (media::JSON, schema("Node")),
        path if is_bytes(path) => (media::BYTES, json!({})),
        _ => (media::JSON, json!({ "type": ["object", "array"] })),
    };
    json!({ media: { "schema": schema } })
}

/// Answers that are neither text nor JSON.
fn is_bytes(path: &str) -> bool {
    [
        paths::TILE,
        paths::SINCE,
        paths::SEGMENT,
        paths::COSIGNATURES,
        paths::ANCHORS,
        paths::EVIDENCE,
        paths::FILE,
        paths::site::DOWNLOAD_COLLECTION,
    ]
    .contains(&path)
}

fn responses() -> Value {
    json!({
        "Problem": {
            "description": "Why it is not there (RFC 9457): as a page for whoever asks for HTML, and as the protocols of logs and witnesses have it where those say so",
            "content": {
                media::PROBLEM: { "schema": { "$ref": "#/components/schemas/Problem" } },
                media::JSON: { "schema": { "type": "object" } },
                media::HTML: { "schema": { "type": "string" } },
                media::TEXT: { "schema": { "type": "string" } },
                media::TLOG_SIZE: { "schema": { "type": "string" } },
            },
        },
    })
}

fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let parts = json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["text"],
            "properties": { "text": text(), "mark": { "type": "boolean" } },
        },
    });
    json!({
        "Problem": problem(),
        "Credential": {
            "type": "object",
            "description": "A W3C Verifiable Credential, secured with eddsa-jcs-2022",
            "required": ["@context", "credentialSubject", "issuer", "proof", "type", "validFrom"],
        },
        "Node": { "type": "object", "required": ["node", "names", "root", "urls", "software"] },
        "Feeds": {
            "type": "object",
            "required": ["feeds"],
            "properties": { "feeds": { "type": "array", "items": { "type": "object" } } },
        },
        "Records": {
            "type": "object",
            "required": ["records"],
            "properties": { "records": { "type": "array", "items": { "type": "object" } } },
        },
        "SearchAnswer": {
            "type": "object",
            "required": ["total", "hits", "facets", "without"],
            "properties": {
                "total": count(),
                "hits": { "type": "array", "items": { "$ref": "#/components/schemas/SearchHit" } },
                "facets": { "type": "object" },
                "without": { "type": "array", "items": { "type": "object" } },
                "next": text(),
            },
        },
        "SearchHit": {
            "type": "object",
            "required": ["origin", "id", "index", "kind", "language", "title", "excerpt", "states", "withdrawn", "changed", "page"],
            "properties": {
                "origin": text(),
                "id": text(),
                "index": count(),
                "kind": text(),
                "language": text(),
                "title": parts,
                "excerpt": parts,
                "states": { "type": "array", "items": text() },
                "withdrawn": { "type": "boolean" },
                "changed": { "type": "integer" },
                "answers": { "type": "boolean" },
                "page": text(),
                "body": text(),
                "proof": text(),
            },
        },
        "JsonFeed": {
            "type": "object",
            "required": ["version", "title", "items"],
            "properties": { "items": { "type": "array", "items": { "type": "object", "required": ["id"] } } },
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string" },
        },
    })
}
