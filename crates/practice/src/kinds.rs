//! Which fields every kind has: one table, from which the checks of drafts, the JSON Schema, the JSON-LD
//! context, the form and the order of a page are made (design 5).
//!
//! A field means the same in every kind, so it is described once ([`Field`]); a kind says which it needs,
//! which it asks its author for, and in which order ([`fields`]).
//!
//! **Invariant:** the table binds authors only. What a received record holds is never judged by it.

mod context;
mod schema;
mod table;

pub use context::{CONTEXT_URL, VOCABULARY_URL, context};
pub use schema::{SCHEMA_DIALECT, schema};

use crate::kind::Kind;
use crate::vocabulary::Vocabulary;

/// A field of a record, or of an object in one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name in records; also the code of its label in the vocabulary `fields`.
    pub name: &'static str,
    /// What may stand in it.
    pub shape: Shape,
    /// Whether an object that has this field's siblings must have it; of a kind's own fields see [`Need`].
    pub required: bool,
}

/// What may stand in a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Human text: a language map.
    Text,
    /// A string that is the same in every language, such as a symbol.
    Plain,
    /// A list of such strings.
    Plains,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// One code of a vocabulary.
    Code(&'static str),
    /// A list of distinct codes of a vocabulary.
    Codes(&'static str),
    /// A BCP 47 tag in canonical case.
    Language,
    /// A list of such tags.
    Languages,
    /// A year, a month or a day.
    Date,
    /// `{from, to}`, each a date; still going on without `to`.
    Period,
    /// An integer of at least 0.
    Integer,
    /// Yes or no.
    Flag,
    /// An http or https address.
    Url,
    /// An object with these fields.
    Object(&'static [Field]),
    /// A list of such objects; where the first field is `text`, a plain text is read as one.
    Items(&'static [Field]),
    /// An object of such objects by language.
    ByLanguage(&'static [Field]),
    /// Anything, checked elsewhere.
    Any,
}

/// How much a kind wants a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A record without it is not valid.
    Required,
    /// Its author is asked for it; it is never demanded.
    Asked,
    /// It may be there.
    Optional,
}

/// A field of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindField {
    /// The field.
    pub field: &'static Field,
    /// How much the kind wants it.
    pub need: Need,
}

/// What the table says of one kind.
struct KindRow {
    kind: Kind,
    /// Whether it has the fields of every content kind.
    common: bool,
    required: &'static [&'static str],
    asked: &'static [&'static str],
}

impl Field {
    /// Its name for a reader of `language`.
    pub fn label(&self, language: &str) -> &'static str {
        Vocabulary::get("fields").map_or(self.name, |fields| fields.label(self.name, language))
    }

    /// The question a form asks for it, where there is one.
    pub fn question(&self, language: &str) -> Option<&'static str> {
        let items = Vocabulary::get("checklist")?.terms();
        items
            .iter()
            .find(|item| item.string("field") == Some(self.name))?
            .text("question", language)
    }

    /// The fields of the objects in it; none if it holds none.
    pub fn inner(&self) -> &'static [Field] {
        match self.shape {
            Shape::Object(fields) | Shape::Items(fields) | Shape::ByLanguage(fields) => fields,
            Shape::Period => table::PERIOD,
            _ => &[],
        }
    }

    /// Whether it is a list of texts with perhaps more to each, such as `actions`.
    pub fn is_text_items(&self) -> bool {
        matches!(self.shape, Shape::Items([first, ..]) if first.name == "text" && first.shape == Shape::Text)
    }
}

/// The fields of `kind` in the order in which a form asks and a page shows them; none for an unknown kind.
pub fn fields(kind: &Kind) -> Vec<KindField> {
    let Some(row) = row(kind) else { return Vec::new() };
    let of = |names: &'static [&'static str], need| {
        names.iter().filter_map(move |name| Some(KindField { field: field(name)?, need }))
    };
    let mut all: Vec<KindField> = Vec::new();
    if row.common {
        all.extend(of(table::COMMON_FIRST, Need::Required));
    }
    all.extend(of(row.required, Need::Required));
    all.extend(of(row.asked, Need::Asked));
    if row.common {
        all.extend(of(table::COMMON, Need::Optional));
        all.extend(of(table::COMMON_LAST, Need::Required));
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|kind_field| seen.insert(kind_field.field.name));
    all
}

/// The field called `name` at the top of a record.
pub fn field(name: &str) -> Option<&'static Field> {
    table::FIELDS.iter().find(|field| field.name == name)
}

/// Every field that can stand at the top of a record, in the order of the table.
pub fn all_fields() -> &'static [Field] {
    table::FIELDS
}

/// Whether records of `kind` have a title, a summary and the other fields of content; the others are
/// attestations, translations and the trust kinds.
pub fn has_common_fields(kind: &Kind) -> bool {
    row(kind).is_some_and(|row| row.common)
}

fn row(kind: &Kind) -> Option<&'static KindRow> {
    table::KINDS.iter().find(|row| &row.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::INTERFACE;
    use std::collections::HashSet;

    fn walk(fields: &'static [Field], visit: &mut dyn FnMut(&'static Field)) {
        for field in fields {
            visit(field);
            walk(field.inner(), visit);
        }
    }

    #[test]
    fn every_kind_is_in_the_table_and_every_name_in_it_is_a_field() {
        assert!(Kind::ALL.iter().all(|kind| row(kind).is_some()));
        assert_eq!(table::KINDS.len(), Kind::ALL.len());
        let rows = table::KINDS.iter().flat_map(|row| row.required.iter().chain(row.asked));
        let common = table::COMMON_FIRST.iter().chain(table::COMMON).chain(table::COMMON_LAST);
        let used: HashSet<_> = rows.chain(common).collect();
        assert!(used.iter().all(|name| field(name).is_some()), "{used:?}");
        assert!(all_fields().iter().all(|field| used.contains(&field.name)));
        let names: HashSet<_> = all_fields().iter().map(|field| field.name).collect();
        assert_eq!(names.len(), all_fields().len());
    }

    #[test]
    fn every_field_has_a_label_and_every_code_a_vocabulary() {
        let labels = Vocabulary::get("fields").unwrap();
        let mut used = HashSet::new();
        walk(all_fields(), &mut |field| {
            assert!(labels.contains(field.name), "{}", field.name);
            used.insert(field.name);
            if let Shape::Code(name) | Shape::Codes(name) = field.shape {
                assert!(Vocabulary::get(name).is_some(), "{name}");
            }
        });
        let unused: Vec<_> =
            labels.terms().iter().filter(|term| !used.contains(term.code.as_str())).collect();
        assert!(unused.is_empty(), "{unused:?}");
        assert_eq!(field("actions").unwrap().label("fr"), "Mesures");
        for language in INTERFACE {
            assert!(field("actions").unwrap().question(language).is_some());
        }
    }

    #[test]
    fn the_required_fields_of_a_good_practice_are_few() {
        let required: Vec<_> = fields(&Kind::GOOD_PRACTICE)
            .iter()
            .filter(|field| field.need == Need::Required)
            .map(|field| field.field.name)
            .collect();
        assert_eq!(required, ["title", "summary", "capacities", "language", "basis", "reuse"]);
        assert!(fields(&Kind::parse("later").unwrap()).is_empty());
    }
}
