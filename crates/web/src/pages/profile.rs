//! The profile of a mechanism as a page shows it: in the language of the reader where it has it, in the
//! order of sections that the UN Human Rights Knowledge Gateway has for its State pages.
//!
//! A profile is told, never weighed: a section of which nothing was written is not there.

use feed::feeds::RecordRead;
use practice::body::Body;
use practice::kind::Kind;
use practice::kinds::{self, Field, Shape};
use practice::language;
use practice::vocabulary::{Term, Vocabulary};
use serde_json::{Map, Value};
use wire::paths;

use super::value::{Labelled, Passage, Shower};
use super::{Reader, is_documentation, node_name};
use crate::app::App;

/// One profile.
pub(crate) struct Profile {
    /// Its record.
    pub(crate) href: String,
    /// What kind of record it is.
    pub(crate) kind: String,
    /// What it is called.
    pub(crate) title: Passage,
    /// In a few sentences.
    pub(crate) summary: Option<Passage>,
    /// Who published it, and when.
    pub(crate) authentic: String,
    /// Who says so.
    pub(crate) basis: Option<String>,
    /// That nobody assessed it, where the basis does not say so.
    pub(crate) not_assessed: bool,
    /// That these words are a translation, and whose work.
    pub(crate) translation: Option<String>,
    /// Whether the State's own mechanism says this of itself.
    pub(crate) own: bool,
    /// Whether a documentation node issued it, so that no State speaks.
    pub(crate) sample: bool,
    /// What is told.
    pub(crate) sections: Vec<Section>,
}

/// A section with the fields that are there.
pub(crate) struct Section {
    /// Its code in the vocabulary `gateway-sections`.
    pub(crate) name: &'static str,
    /// The heading.
    pub(crate) title: String,
    /// What is told in it.
    pub(crate) fields: Vec<Told>,
}

/// A field and what it tells.
pub(crate) struct Told {
    /// The name in records.
    pub(crate) name: &'static str,
    /// The name for people, and the value.
    pub(crate) shown: Labelled,
}

/// The sections in their order, each with its code and the names of its fields; which stands in a
/// vocabulary, for the documents that are taken from here have the same order.
pub(crate) fn layout() -> impl Iterator<Item = (&'static Term, Vec<&'static str>)> {
    let sections = Vocabulary::get("gateway-sections").map(Vocabulary::terms).unwrap_or_default();
    sections.iter().map(|term| {
        let fields = term.get("fields").and_then(Value::as_array);
        (term, fields.into_iter().flatten().filter_map(Value::as_str).collect())
    })
}

/// The profile in `read`, if it is one that can be shown.
pub(crate) fn of(app: &App, reader: &Reader, read: &RecordRead) -> Option<Profile> {
    let body = read.body.as_ref().filter(|body| *body.kind() == Kind::MECHANISM_PROFILE)?;
    let subject = body.subject().as_object()?;
    let texts = reader.texts;
    let source = subject.get("language").and_then(Value::as_str).unwrap_or("en");
    let shower = Shower { texts, source };
    let passage =
        |name: &str| subject.get(name).and_then(Value::as_object).and_then(|map| shower.best(map));
    let basis = subject.get("basis").and_then(Value::as_str);
    let publisher = node_name(app, body.node(), texts);
    let values = [("node", publisher.as_str()), ("date", &texts.date(body.valid_from()))];
    let own = basis == Some("own-statement") && body.state().is_some();
    let title = passage("title").unwrap_or_else(|| Passage {
        lang: texts.code().to_owned(),
        dir: texts.direction(),
        language: String::new(),
        text: shower.label("record-kinds", body.kind().as_str()),
    });
    Some(Profile {
        href: paths::record(&read.origin, &read.id),
        kind: shower.label("record-kinds", body.kind().as_str()),
        authentic: texts.with("record-authentic", &values),
        basis: basis.map(|basis| basis_words(shower, basis)),
        not_assessed: is_silent_on_assessment(basis),
        translation: translation(shower, body, &title.lang),
        own: own && !is_documentation(body.node()),
        sample: is_documentation(body.node()),
        summary: passage("summary"),
        sections: sections(shower, subject),
        title,
    })
}

/// The sections with something in them.
fn sections(shower: Shower<'_>, subject: &Map<String, Value>) -> Vec<Section> {
    let told = |name: &'static str| {
        let (field, value) = (kinds::field(name)?, subject.get(name)?);
        let value = one_language(field.shape, value, shower);
        let label = field.label(shower.texts.code()).to_owned();
        let shown = Labelled { label, value: shower.field(field, &value) };
        Some(Told { name, shown })
    };
    let all = layout().map(|(term, fields)| Section {
        name: &term.code,
        title: term.label(shower.texts.code()).to_owned(),
        fields: fields.into_iter().filter_map(told).collect(),
    });
    all.filter(|section| !section.fields.is_empty()).collect()
}

/// Whether the words of a basis do not say that the network assessed nothing: those of an own statement do.
pub(crate) fn is_silent_on_assessment(basis: Option<&str>) -> bool {
    basis.is_some_and(|basis| basis != "own-statement")
}

/// Who says so, in the fixed words.
fn basis_words(shower: Shower<'_>, basis: &str) -> String {
    match basis {
        "own-statement" => shower.label("terms", "self-described"),
        other => shower.label("bases", other),
    }
}

/// Whose translation the words in `language` are, if they are one: a machine's is always named.
fn translation(shower: Shower<'_>, body: &Body, language: &str) -> Option<String> {
    if language::primary(language) == language::primary(shower.source) {
        return None;
    }
    let made = body.subject().get("translations").and_then(|all| all.get(language));
    let made_by = made.and_then(|made| made.get("made_by")).and_then(Value::as_str);
    let by = match made_by {
        Some("machine") => Some(shower.texts.get("record-by-machine")),
        Some("person") => Some(shower.texts.get("record-by-person")),
        _ => None,
    };
    let from = shower.language(shower.source);
    let from = shower.texts.with("profile-translated", &[("language", &from)]);
    Some(shower.texts.listed(&[Some(from), by].into_iter().flatten().collect::<Vec<_>>()))
}

/// `value` with every text in the one language that serves the reader best.
fn one_language(shape: Shape, value: &Value, shower: Shower<'_>) -> Value {
    match (shape, value) {
        (Shape::Text, Value::Object(map)) if language::is_map(value) => {
            let chosen = language::choose(map, shower.texts.code(), shower.source);
            let text = |(tag, text): (&str, &str)| (tag.to_owned(), Value::from(text));
            Value::Object(chosen.map(text).into_iter().collect())
        }
        (Shape::Object(fields), Value::Object(object)) => members(fields, object, shower),
        (Shape::Items(fields), Value::Array(items)) => {
            let item = |item: &Value| match item {
                Value::Object(object) => members(fields, object, shower),
                other => other.clone(),
            };
            Value::Array(items.iter().map(item).collect())
        }
        _ => value.clone(),
    }
}

fn members(fields: &[Field], object: &Map<String, Value>, shower: Shower<'_>) -> Value {
    let member = |(name, value): (&String, &Value)| {
        let known = fields.iter().find(|field| field.name == name);
        let value = known.map(|field| one_language(field.shape, value, shower));
        (name.clone(), value.unwrap_or_else(|| object.get(name).cloned().unwrap_or_default()))
    };
    Value::Object(object.iter().map(member).collect())
}
