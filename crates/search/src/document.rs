//! A record as the index holds it.

use std::collections::BTreeMap;

use feed::search::Facet;
use jiff::Timestamp;
use practice::body::Body;
use practice::id::RecordId;
use practice::recommendation::Recommendation;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tantivy::TantivyDocument;
use tlog::name::Origin;

use crate::clause::answers_key;
use crate::facets;
use crate::fields::Fields;
use crate::texts;

/// Bytes of text kept for excerpts, in each language: what is beyond is found, and shown by its beginning.
const KEPT_BYTES_MAX: usize = 16 << 10;
/// Documents and records that one record names, of which it is found by the others.
const NAMED_MAX: usize = 500;
/// Paragraphs in one reference.
const PARAGRAPHS_MAX: usize = 50;

/// A record that is current, or was and is withdrawn.
pub(crate) struct Entry<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) id: RecordId,
    /// Of the current version, or of the withdrawal.
    pub(crate) index: u64,
    /// What the statement at `index` says.
    pub(crate) time: &'a str,
    pub(crate) kind: &'a str,
    /// The entry the body stands at, and the body.
    pub(crate) body: Option<(u64, &'a Body)>,
    /// The State of the node, for what has no body.
    pub(crate) state: Option<&'a str>,
    pub(crate) withdrawn: bool,
    /// No record is of a later time than that of its arrival here, in Unix seconds.
    pub(crate) now: i64,
}

/// What a result line shows.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) origin: String,
    pub(crate) id: String,
    pub(crate) index: u64,
    pub(crate) withdrawn: bool,
    pub(crate) changed: i64,
    /// The States it is about, by their codes.
    pub(crate) states: Vec<String>,
    /// The language it was written in.
    pub(crate) source: String,
    /// Title and text by language.
    pub(crate) texts: BTreeMap<String, (String, String)>,
}

impl Entry<'_> {
    /// The document.
    pub(crate) fn document(&self, fields: &Fields) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_text(fields.record, record_key(self.origin, &self.id));
        let audience = if self.origin.feed().is_restricted() { RESTRICTED } else { PUBLIC };
        document.add_text(fields.audience, audience);
        document.add_text(fields.standing, if self.withdrawn { WITHDRAWN } else { CURRENT });
        let changed = seconds(self.time).unwrap_or(0).clamp(0, self.now);
        document.add_i64(fields.changed, changed);
        let mut stored = Stored {
            origin: self.origin.to_string(),
            id: self.id.to_string(),
            index: self.index,
            withdrawn: self.withdrawn,
            changed,
            ..Stored::default()
        };
        if self.body.is_none() {
            document.add_text(fields.standing, ERASED);
        }
        let mut values = facets::of_feed(self.origin, self.kind, self.state);
        if let Some((at, body)) = self.body {
            document.add_text(fields.entry, entry_key(self.origin, at));
            values.retain(|(facet, _)| *facet != Facet::State);
            values.extend(facets::of(body).into_iter().filter(|(facet, _)| *facet != Facet::Kind));
            if !self.withdrawn {
                add_named(&mut document, fields, body.subject());
                add_texts(&mut document, fields, body.subject(), &mut stored);
            }
        }
        let states = values.iter().filter(|(facet, _)| *facet == Facet::State);
        stored.states = states.map(|(_, code)| code.clone()).collect();
        for (facet, value) in values {
            document.add_text(fields.facet(facet), value);
        }
        document.add_bytes(fields.stored, &serde_json::to_vec(&stored).unwrap_or_default());
        document
    }
}

/// The audience of a feed that anybody may read.
pub(crate) const PUBLIC: &str = "public";
const RESTRICTED: &str = "restricted";
/// How a record stands that has a current version.
pub(crate) const CURRENT: &str = "current";
/// How a record stands that has none any more.
pub(crate) const WITHDRAWN: &str = "withdrawn";
/// How one stands besides whose text is gone: nobody can tell by which filters it was found.
pub(crate) const ERASED: &str = "erased";

/// The term that tells a record.
pub(crate) fn record_key(origin: &Origin, id: &RecordId) -> String {
    format!("{origin} {id}")
}

/// The term that tells an entry.
pub(crate) fn entry_key(origin: &Origin, index: u64) -> String {
    format!("{origin} {index}")
}

fn seconds(time: &str) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

fn add_texts(
    document: &mut TantivyDocument,
    fields: &Fields,
    subject: &Value,
    stored: &mut Stored,
) {
    stored.source = texts::source(subject);
    for (tag, words) in texts::texts(subject) {
        if let Some(of_language) = fields.text_of(&tag) {
            document.add_text(of_language.title, &words.title);
            document.add_text(of_language.text, &words.text);
        }
        let kept = words.text.get(..words.text.floor_char_boundary(KEPT_BYTES_MAX));
        stored.texts.insert(tag, (words.title, kept.unwrap_or_default().to_owned()));
    }
}

/// The documents and the records it names.
fn add_named(document: &mut TantivyDocument, fields: &Fields, subject: &Value) {
    let mut named = Named::default();
    named.collect(subject);
    for symbol in named.documents.iter().take(NAMED_MAX) {
        document.add_text(fields.symbol, symbol);
    }
    for record in named.records.iter().take(NAMED_MAX) {
        document.add_text(fields.mentions, record);
    }
}

#[derive(Default)]
struct Named {
    documents: Vec<String>,
    records: Vec<String>,
}

impl Named {
    /// A document, alone and with each paragraph of a reference such as `12, 15 and 122.35`.
    fn document(&mut self, symbol: &str, paragraphs: &str) {
        let Some(Recommendation { symbol, .. }) = Recommendation::find(symbol) else { return };
        self.documents.push(symbol.clone());
        let numbers = paragraphs.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let before = self.documents.len();
        for number in numbers.filter(|number| !number.is_empty()).take(PARAGRAPHS_MAX) {
            let read = Recommendation::find(&format!("{symbol} § {number}"));
            let number = read.and_then(|read| read.paragraph);
            self.documents.extend(number.map(|number| answers_key(&symbol, &number)));
        }
        if self.documents.len() == before {
            self.documents.push(answers_key(&symbol, ""));
        }
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                let text = |name| members.get(name).and_then(Value::as_str);
                if let Some(symbol) = text("symbol") {
                    self.document(symbol, text("paragraph").unwrap_or_default());
                }
                let (feed, id) = (text("feed").map(Origin::parse), text("id").map(RecordId::parse));
                if let (Some(Ok(origin)), Some(Ok(id))) = (feed, id) {
                    self.records.push(record_key(&origin, &id));
                }
                members.values().for_each(|value| self.collect(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            _ => {}
        }
    }
}
