//! A record in a metadata format: in Dublin Core for any library, or in our own with the signed bytes, so
//! that a harvester can check what it got.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use practice::body::Body;
use practice::language;
use practice::vocabulary::{self, Vocabulary};
use serde_json::Value;
use wire::paths;

use super::item::{Item, Live, languages, states};
use super::request::Format;
use super::xml::Xml;
use crate::app::App;
use crate::pages;
use crate::texts::Texts;

/// The language of names that Dublin Core has no language for.
const LANGUAGE: &str = "en";

/// Our namespace; a name, as that of the context.
const PRACTICE: &str = "https://w3id.org/jopoi/oai/v1";
const DUBLIN_CORE: &str = "http://www.openarchives.org/OAI/2.0/oai_dc/";
const DUBLIN_CORE_SCHEMA: &str = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd";
const ELEMENTS: &str = "http://purl.org/dc/elements/1.1/";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

impl Format {
    /// The namespace of its elements.
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::DublinCore => DUBLIN_CORE,
            Self::Practice => PRACTICE,
        }
    }

    /// Where its XML Schema is.
    pub(super) fn schema(self, base: &str) -> String {
        match self {
            Self::DublinCore => DUBLIN_CORE_SCHEMA.to_owned(),
            Self::Practice => paths::below(base, paths::OAI_SCHEMA),
        }
    }

    /// Writes the metadata of a record.
    pub(super) fn write(self, xml: &mut Xml, app: &App, base: &str, item: &Item, live: &Live) {
        let location = format!("{} {}", self.namespace(), self.schema(base));
        match self {
            Self::DublinCore => {
                let attributes = [
                    ("xmlns:oai_dc", DUBLIN_CORE),
                    ("xmlns:dc", ELEMENTS),
                    ("xmlns:xsi", INSTANCE),
                    ("xsi:schemaLocation", &location),
                ];
                xml.open("oai_dc:dc", &attributes);
                dublin_core(xml, app, base, item, &live.body);
            }
            Self::Practice => {
                let attributes = [
                    ("xmlns", PRACTICE),
                    ("xmlns:xsi", INSTANCE),
                    ("xsi:schemaLocation", &location),
                ];
                xml.open("practice", &attributes);
                practice(xml, base, item, live);
            }
        }
        xml.close();
    }
}

fn dublin_core(xml: &mut Xml, app: &App, base: &str, item: &Item, body: &Body) {
    let subject = body.subject();
    let english = [("xml:lang", LANGUAGE)];
    texts(xml, "dc:title", "xml:lang", subject, "title");
    let node = item.origin.node();
    let name = Texts::of(LANGUAGE)
        .map_or_else(|| node.to_string(), |texts| pages::node_name(app, node, texts));
    xml.leaf("dc:creator", &[], &name);
    for (member, vocabulary) in [
        ("topics", "practice-topics"),
        ("capacities", "capacities"),
        ("themes", "themes"),
        ("sdgs", "sdgs"),
        ("affected_persons", "affected-persons"),
        ("human_rights_mechanisms", "human-rights-mechanisms"),
    ] {
        for label in labels(subject, member, vocabulary) {
            xml.leaf("dc:subject", &english, label);
        }
    }
    texts(xml, "dc:description", "xml:lang", subject, "summary");
    let basis = text(subject, "basis").filter(|basis| *basis != "own-statement");
    if let Some(basis) = basis.and_then(|basis| Vocabulary::get("bases")?.term(basis)) {
        xml.leaf("dc:description", &english, basis.label(LANGUAGE));
    }
    if app.site.sample || pages::is_documentation(node) {
        let words = Texts::of(LANGUAGE).map(|texts| texts.get("sample-text"));
        xml.leaf("dc:description", &english, &words.unwrap_or_default());
    }
    xml.leaf("dc:publisher", &[], node.as_str());
    xml.leaf("dc:date", &[], body.valid_from());
    let kind = body.kind().as_str();
    let kinds = Vocabulary::get("record-kinds");
    xml.leaf("dc:type", &english, kinds.map_or(kind, |kinds| kinds.label(kind, LANGUAGE)));
    xml.leaf("dc:identifier", &[], &paths::below(base, &paths::record(&item.origin, &item.id)));
    xml.leaf("dc:identifier", &[], &item.id.to_string());
    let sources = subject.get("sources").and_then(Value::as_array).into_iter().flatten();
    for url in sources.filter_map(|source| text(source, "url")) {
        xml.leaf("dc:source", &[], url);
    }
    for tag in languages(body) {
        xml.leaf("dc:language", &[], &tag);
    }
    for state in states(body) {
        xml.leaf("dc:coverage", &english, vocabulary::states().label(&state, LANGUAGE));
    }
    if let Some(reuse) = text(subject, "reuse") {
        let licence = Vocabulary::get("reuse-licences").and_then(|licences| licences.term(reuse));
        let address = licence.and_then(|licence| licence.string("url"));
        let name = licence.map_or(reuse, |licence| licence.label(LANGUAGE));
        xml.leaf("dc:rights", &[], address.unwrap_or(name));
    }
}

/// What a list of records shows of one, and the whole of it as it was signed.
fn practice(xml: &mut Xml, base: &str, item: &Item, live: &Live) {
    let (origin, body) = (&item.origin, &live.body);
    let subject = body.subject();
    xml.leaf("node", &[], origin.node().as_str());
    xml.leaf("feed", &[], origin.as_str());
    xml.leaf("id", &[], &item.id.to_string());
    xml.leaf("kind", &[], body.kind().as_str());
    xml.leaf("version", &[], &body.version().to_string());
    xml.leaf("index", &[], &live.index.to_string());
    xml.leaf("published", &[], body.valid_from());
    for member in ["basis", "reuse"] {
        if let Some(code) = text(subject, member) {
            xml.leaf(member, &[], code);
        }
    }
    for state in states(body) {
        xml.leaf("state", &[], &state);
    }
    if let Some(vocabulary) = Vocabulary::get("practice-topics") {
        for topic in codes(subject, "topics").filter(|topic| vocabulary.contains(topic)) {
            xml.leaf("topic", &[], topic);
        }
    }
    texts(xml, "title", "lang", subject, "title");
    texts(xml, "summary", "lang", subject, "summary");
    xml.leaf("page", &[], &paths::below(base, &paths::record(origin, &item.id)));
    xml.leaf("proof", &[], &paths::below(base, &paths::proof(origin, live.index)));
    let address = paths::below(base, &paths::body(origin, live.index));
    let attributes = [("href", address.as_str()), ("sha256", &body.hash().to_hex())];
    xml.leaf("credential", &attributes, &STANDARD.encode(body.bytes()));
}

/// A text in each of its languages, that of the record first.
fn texts(xml: &mut Xml, name: &'static str, attribute: &str, subject: &Value, member: &str) {
    match subject.get(member) {
        Some(Value::String(text)) => xml.leaf(name, &[], text),
        Some(Value::Object(map)) => {
            let written = text(subject, "language").unwrap_or_default();
            let mut texts: Vec<_> =
                map.iter().filter_map(|(tag, text)| Some((tag.as_str(), text.as_str()?))).collect();
            texts.sort_by_key(|(tag, _)| *tag != written);
            for (tag, text) in texts {
                let known = language::is_canonical(tag).then_some((attribute, tag));
                xml.leaf(name, known.as_slice(), text);
            }
        }
        _ => {}
    }
}

fn labels<'a>(
    subject: &'a Value,
    member: &'a str,
    vocabulary: &str,
) -> impl Iterator<Item = &'a str> {
    let vocabulary = Vocabulary::get(vocabulary);
    codes(subject, member).filter_map(move |code| Some(vocabulary?.term(code)?.label(LANGUAGE)))
}

fn codes<'a>(subject: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    let list = subject.get(member).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}
