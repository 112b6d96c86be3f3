//! The fields of a kind as a sheet sees them, from the one table of kinds.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use practice::kind::Kind;
use practice::kinds::{self, Need};
use practice::vocabulary::Vocabulary;

use super::choices::{Choice, Choices};
use super::shape::{Field, Shape};
use super::texts;

/// A field at the top of a record of some kind.
#[derive(Clone, Debug)]
pub(super) struct KindField {
    /// The field.
    pub(super) field: Field,
    /// How much the kind wants it.
    pub(super) need: Need,
}

/// The fields of `kind` in the order of the table; `None` for a kind that nobody fills in by hand.
pub(super) fn of(kind: &Kind) -> Option<Vec<KindField>> {
    if !kinds::has_common_fields(kind) {
        return None;
    }
    let known = kinds::fields(kind);
    Some(
        known
            .iter()
            .filter_map(|known| {
                Some(KindField {
                    field: field(known.field, known.need == Need::Required)?,
                    need: known.need,
                })
            })
            .collect(),
    )
}

/// The kinds that have forms, for a message.
pub(super) fn kinds_with_forms() -> String {
    let names: Vec<&str> =
        Kind::ALL.iter().filter(|kind| kinds::has_common_fields(kind)).map(Kind::as_str).collect();
    names.join(", ")
}

/// The name of a kind for a reader of `language`.
pub(super) fn kind_label<'a>(kind: &'a Kind, language: &str) -> &'a str {
    Vocabulary::get("record-kinds")
        .map_or(kind.as_str(), |kinds| kinds.label(kind.as_str(), language))
}

/// The languages by their names, for a column that names one.
pub(super) fn languages() -> Arc<Choices> {
    vocabulary("languages")
}

/// The words `person` and `machine` by their names.
pub(super) fn makers() -> Arc<Choices> {
    words("made_by", &["person", "machine"])
}

/// The kinds by their names.
pub(super) fn kind_choices() -> Arc<Choices> {
    vocabulary("record-kinds")
}

fn field(known: &kinds::Field, required: bool) -> Option<Field> {
    Some(Field { name: known.name, shape: shape(known)?, required })
}

/// `None` for what no cell can hold.
fn shape(known: &kinds::Field) -> Option<Shape> {
    let inner = || known.inner().iter().filter_map(|inner| field(inner, inner.required)).collect();
    Some(match known.shape {
        kinds::Shape::Text => Shape::Text,
        kinds::Shape::Plain => Shape::Word,
        kinds::Shape::Plains => Shape::List(Box::new(Shape::Word)),
        kinds::Shape::Word(allowed) => Shape::Code(words(known.name, allowed)),
        kinds::Shape::Code(name) => Shape::Code(vocabulary(name)),
        kinds::Shape::Codes(name) => Shape::List(Box::new(Shape::Code(vocabulary(name)))),
        kinds::Shape::Language => Shape::Language(languages()),
        kinds::Shape::Languages => Shape::List(Box::new(Shape::Language(languages()))),
        kinds::Shape::Date => Shape::Date,
        kinds::Shape::Integer => Shape::Integer,
        kinds::Shape::Flag => Shape::Flag,
        kinds::Shape::Url => Shape::Address,
        kinds::Shape::Object(_) | kinds::Shape::Period => Shape::Object(inner()),
        kinds::Shape::Items(_) => Shape::List(Box::new(Shape::Object(inner()))),
        kinds::Shape::ByLanguage(_) | kinds::Shape::Any => return None,
    })
}

/// A vocabulary with its labels in the seven languages; built once.
fn vocabulary(name: &'static str) -> Arc<Choices> {
    static ALL: LazyLock<HashMap<&'static str, Arc<Choices>>> = LazyLock::new(|| {
        let list = |name: &'static str| {
            let terms = Vocabulary::get(name).map(Vocabulary::terms).unwrap_or_default();
            let labels = |term: &practice::vocabulary::Term| {
                texts::LANGUAGES
                    .iter()
                    .map(|language| ((*language).to_owned(), term.label(language).to_owned()))
                    .collect()
            };
            let entries = terms
                .iter()
                .map(|term| Choice { code: term.code.clone(), labels: labels(term) })
                .collect();
            (name, Arc::new(Choices::new(name, entries)))
        };
        Vocabulary::names().map(list).collect()
    });
    ALL.get(name).cloned().unwrap_or_default()
}

/// A few words that are no vocabulary; their names are among the words of the form.
fn words(field: &'static str, allowed: &'static [&'static str]) -> Arc<Choices> {
    let entry = |word: &&str| {
        let labels = texts::all()
            .iter()
            .map(|texts| (texts.language.to_owned(), texts.choice(field, word).to_owned()))
            .collect();
        Choice { code: (*word).to_owned(), labels }
    };
    Arc::new(Choices::new(field, allowed.iter().map(entry).collect()))
}
