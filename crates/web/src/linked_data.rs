//! A record in the words of schema.org, for search engines: a block of JSON-LD in its page.
//!
//! The context is a vocabulary and no address to fetch, so that it expands anywhere. It repeats what the
//! page says and nothing else; what was signed is the body, which it names.

use practice::body::Body;
use practice::vocabulary;
use serde_json::{Map, Value, json};

use crate::texts::Texts;

const VOCABULARY: &str = "https://schema.org/";

/// Who published a record, and where it is.
pub(crate) struct Place<'a> {
    /// The address of its page.
    pub(crate) page: String,
    /// The address of its body.
    pub(crate) body: String,
    /// The publisher's name for people.
    pub(crate) publisher: &'a str,
    /// The publisher's node.
    pub(crate) node: &'a str,
    /// Whether it speaks for a State.
    pub(crate) of_a_state: bool,
    /// The language of the page.
    pub(crate) texts: &'static Texts,
}

/// The block, safe between `<script>` and its end.
pub(crate) fn linked_data(body: &Body, place: &Place<'_>) -> String {
    let empty = Map::new();
    let subject = body.subject().as_object().unwrap_or(&empty);
    let mut data = json!({
        "@context": { "@vocab": VOCABULARY },
        "@type": "CreativeWork",
        "@id": place.page,
        "url": { "@id": place.page },
        "identifier": body.id().to_string(),
        "version": body.version(),
        "dateModified": body.valid_from(),
        "publisher": {
            "@type": if place.of_a_state { "GovernmentOrganization" } else { "Organization" },
            "name": place.publisher,
            "identifier": place.node,
        },
        "encoding": {
            "@type": "MediaObject",
            "contentUrl": { "@id": place.body },
            "encodingFormat": wire::media::VC,
        },
    });
    if let Some(data) = data.as_object_mut() {
        for (name, value) in told(subject, body.state(), place.texts) {
            data.insert(name.to_owned(), value);
        }
    }
    // Nothing in it can end the element it stands in.
    let text = data.to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// What the record tells of itself.
fn told(
    subject: &Map<String, Value>,
    issuer: Option<&str>,
    texts: &Texts,
) -> Vec<(&'static str, Value)> {
    let mut told = Vec::new();
    for (name, field) in [("name", "title"), ("description", "summary")] {
        let passages: Vec<Value> = subject
            .get(field)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(tag, text)| json!({ "@language": tag, "@value": text }))
            .collect();
        if !passages.is_empty() {
            told.push((name, Value::from(passages)));
        }
    }
    if let Some(titles) = subject.get("title").and_then(Value::as_object) {
        told.push(("inLanguage", titles.keys().map(|tag| Value::from(tag.as_str())).collect()));
    }
    let named = subject.get("states").and_then(Value::as_array);
    let codes: Vec<&str> = match named {
        Some(codes) => codes.iter().filter_map(Value::as_str).collect(),
        None => issuer.into_iter().collect(),
    };
    let place = |code: &str| {
        let name = vocabulary::states().label(code, texts.code());
        json!({ "@type": "Place", "identifier": code, "name": name })
    };
    if !codes.is_empty() {
        told.push(("spatialCoverage", codes.into_iter().map(place).collect()));
    }
    let answered = subject.get("recommendations").and_then(Value::as_array);
    let cited: Vec<Value> = answered.into_iter().flatten().filter_map(citation).collect();
    if !cited.is_empty() {
        told.push(("citation", Value::from(cited)));
    }
    if let Some(license) = subject.get("reuse").and_then(Value::as_str).and_then(license) {
        told.push(("license", json!({ "@id": license })));
    }
    told
}

/// A document and, where it is known, its paragraph.
fn citation(recommendation: &Value) -> Option<Value> {
    let symbol = recommendation.get("symbol").and_then(Value::as_str)?;
    let paragraph = recommendation.get("paragraph").and_then(Value::as_str);
    let mut citation = json!({ "@type": "CreativeWork", "identifier": symbol });
    if let (Some(citation), Some(paragraph)) = (citation.as_object_mut(), paragraph) {
        citation.insert("pagination".to_owned(), Value::from(paragraph));
    }
    Some(citation)
}

/// The page of a licence that has one.
fn license(reuse: &str) -> Option<&'static str> {
    Some(match reuse {
        "CC-BY-4.0" => "https://creativecommons.org/licenses/by/4.0/",
        "CC-BY-SA-4.0" => "https://creativecommons.org/licenses/by-sa/4.0/",
        "CC-BY-NC-4.0" => "https://creativecommons.org/licenses/by-nc/4.0/",
        "CC0-1.0" => "https://creativecommons.org/publicdomain/zero/1.0/",
        _ => return None,
    })
}
