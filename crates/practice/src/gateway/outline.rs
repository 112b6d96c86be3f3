//! A profile in the order of the Gateway's sections: as paragraphs for a document, and as data.

use super::blocks::Block;
use super::values;
use crate::kinds::{self, Field};
use crate::vocabulary::Vocabulary;
use serde_json::{Map, Value, json};

/// A section with something in it.
#[derive(Debug)]
pub struct OutlineSection {
    /// Its code in the vocabulary `gateway-sections`.
    pub code: &'static str,
    /// Its name in the language of the outline.
    pub name: &'static str,
    /// What is told in it.
    pub fields: Vec<OutlineField>,
}

/// A field as paragraphs.
#[derive(Debug)]
pub struct OutlineField {
    /// The field.
    pub field: &'static Field,
    /// Its name in the language of the outline.
    pub name: &'static str,
    /// What it holds. A text that is not there in the language of the outline stands in another, which its
    /// paragraphs name.
    pub blocks: Vec<Block>,
}

/// The codes of the sections, in their order.
pub fn section_codes() -> impl Iterator<Item = &'static str> {
    sections().iter().map(|term| term.code.as_str())
}

/// The fields of a section, in their order; none for an unknown code.
pub fn section_fields(code: &str) -> Vec<&'static Field> {
    let section = sections().iter().find(|term| term.code == code);
    let names = section.and_then(|term| term.get("fields")).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(|name| kinds::field(name.as_str()?)).collect()
}

/// The sections of a profile that have something in them, for a reader of `language`. `subject` is the
/// `credentialSubject` of its body.
pub fn outline(subject: &Value, language: &str) -> Vec<OutlineSection> {
    let source = subject.get("language").and_then(Value::as_str).unwrap_or("en");
    let field = |field: &'static Field| {
        let blocks = values::paragraphs(field, subject.get(field.name)?, language, source);
        let told = OutlineField { field, name: field.label(language), blocks };
        (!told.blocks.is_empty()).then_some(told)
    };
    let section = |term: &'static crate::vocabulary::Term| OutlineSection {
        code: &term.code,
        name: term.label(language),
        fields: section_fields(&term.code).into_iter().filter_map(field).collect(),
    };
    let all = sections().iter().map(section);
    all.filter(|section| !section.fields.is_empty()).collect()
}

/// A profile as data in the order of the sections: nothing of it is left out, and [`super::read`] takes it.
pub fn export(subject: &Value) -> Value {
    let mut rest = subject.as_object().cloned().unwrap_or_default();
    rest.shift_remove("id");
    let mut profile = Map::new();
    for name in ["title", "summary", "language", "states", "basis", "reuse"] {
        profile.extend(rest.shift_remove(name).map(|value| (name.to_owned(), value)));
    }
    let mut told = Vec::new();
    for code in section_codes() {
        let mut fields = Map::new();
        for field in section_fields(code) {
            fields
                .extend(rest.shift_remove(field.name).map(|value| (field.name.to_owned(), value)));
        }
        if !fields.is_empty() {
            told.push(json!({ "section": code, "fields": fields }));
        }
    }
    profile.insert("sections".to_owned(), Value::Array(told));
    if !rest.is_empty() {
        profile.insert("other".to_owned(), Value::Object(rest));
    }
    Value::Object(profile)
}

fn sections() -> &'static [crate::vocabulary::Term] {
    Vocabulary::get("gateway-sections").map(Vocabulary::terms).unwrap_or_default()
}
