//! From what a header says to the field it means, for every kind.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use practice::kind::Kind;

use super::choices::fold;
use super::fields;
use super::form::questions::sections;
use super::path::Path;
use super::shape::{Field, Slot, follow};
use super::texts;

/// Kind and name of a column → the field it means, if any.
type Found = HashMap<(Kind, String), Option<Rc<Slot>>>;

/// What the columns of a file mean; looked up once for each kind and name.
#[derive(Debug, Default)]
pub(super) struct Headings {
    found: RefCell<Found>,
    labels: RefCell<HashMap<Kind, HashMap<String, String>>>,
}

/// What a column is for.
#[derive(Clone, Debug)]
pub(super) enum Heading {
    /// The kind of the record.
    Kind,
    /// The record's own id, or the author's reference.
    Id,
    /// A field.
    Field(Rc<Slot>),
}

impl Headings {
    /// What `text` means in a record of `kind`: a path, a field's name with spaces or capitals, or
    /// its label in any language.
    pub(super) fn of(&self, kind: &Kind, text: &str) -> Option<Heading> {
        match text.trim() {
            "kind" => return Some(Heading::Kind),
            "id" => return Some(Heading::Id),
            _ => {}
        }
        let key = (kind.clone(), text.to_owned());
        if let Some(known) = self.found.borrow().get(&key) {
            return known.clone().map(Heading::Field);
        }
        let slot = self.look(kind, text).map(Rc::new);
        self.found.borrow_mut().insert(key, slot.clone());
        slot.map(Heading::Field)
    }

    /// Whether `text` means something in a record of any kind.
    pub(super) fn any(&self, text: &str) -> bool {
        Kind::ALL.iter().any(|kind| self.of(kind, text).is_some())
    }

    fn look(&self, kind: &Kind, text: &str) -> Option<Slot> {
        let kind_fields: Vec<Field> =
            fields::of(kind)?.into_iter().map(|field| field.field).collect();
        let text = text.trim().trim_end_matches('*').trim_end();
        let named = |path: &str| Path::parse(path).and_then(|path| follow(&kind_fields, &path));
        named(text).or_else(|| named(&fold(text).replace([' ', '-'], "_"))).or_else(|| {
            let mut labels = self.labels.borrow_mut();
            let labels = labels.entry(kind.clone()).or_insert_with(|| labels_of(kind));
            labels.get(&fold(text)).and_then(|path| named(path))
        })
    }
}

/// Folded label of every question of the form, in all languages → its path.
fn labels_of(kind: &Kind) -> HashMap<String, String> {
    let mut labels = HashMap::new();
    let Some(kind_fields) = fields::of(kind) else { return labels };
    for texts in texts::all() {
        for question in
            sections(&kind_fields, texts).into_iter().flat_map(|section| section.questions)
        {
            let plain = question
                .label
                .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')'));
            for label in [question.label.as_str(), plain] {
                labels.entry(fold(label)).or_insert_with(|| question.path.clone());
            }
        }
    }
    labels
}
