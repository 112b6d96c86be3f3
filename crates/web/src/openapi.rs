//! The description of the API (OpenAPI 3.1), made from the table of routes.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use wire::media;

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
        let operation = json!({
            "summary": route.summary,
            "parameters": parameters(&pattern),
            "responses": {
                "2XX": { "description": "What was asked for" },
                "default": {
                    "description": "A problem (RFC 9457)",
                    "content": { media::PROBLEM: { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        });
        let methods = paths.entry(pattern).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(method, operation);
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Jopói", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": { "Problem": problem() } },
    });
    Content::loose(format!("{document:#}\n"), media::JSON).keep(Keep::Day).answer(&headers)
}

/// The names between braces.
fn parameters(pattern: &str) -> Vec<Value> {
    let names = pattern.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
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
