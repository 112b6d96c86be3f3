//! What a field can hold, as far as a cell is concerned, and where the path of a column leads.

use std::sync::Arc;

use super::choices::Choices;
use super::path::{Path, Step};

/// What a value looks like.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Text of the author: a language map.
    Text,
    /// A name, a number or an address that is the same in every language.
    Word,
    /// A web address.
    Address,
    /// A day, month or year.
    Date,
    /// A whole number.
    Integer,
    /// Yes or no.
    Flag,
    /// A language, by its tag or its name among these.
    Language(Arc<Choices>),
    /// One entry of a closed list.
    Code(Arc<Choices>),
    /// Several of the same.
    List(Box<Shape>),
    /// Members by name.
    Object(Vec<Field>),
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its name in the record.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) shape: Shape,
    /// Whether a record without it is refused.
    pub(super) required: bool,
}

/// What a column holds: a path without its language, the language, the shape at its end.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Path with [`Step::Each`] where a cell holds items.
    pub(super) path: Path,
    /// The language that the column names; else the record's.
    pub(super) language: Option<String>,
    /// What one value is.
    pub(super) shape: Shape,
}

impl Shape {
    /// Whether the value is one cell's worth without separators.
    pub(super) fn is_simple(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }

    /// The members that a line such as `title | web address` can hold.
    pub(super) fn parts(&self) -> Vec<&Field> {
        match self {
            Self::Object(fields) => fields.iter().filter(|field| field.shape.is_simple()).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it names another record, in one cell: `feed | id`.
    pub(super) fn is_record(&self) -> bool {
        matches!(self, Self::Object(fields) if matches!(fields.as_slice(), [feed, id, ..] if feed.name == "feed" && id.name == "id"))
    }

    /// Whether translations have anything to say about it.
    pub(super) fn has_text(&self) -> bool {
        match self {
            Self::Text => true,
            Self::List(item) => item.has_text(),
            // A line of States and organizations is the same in every language.
            Self::Object(fields) if fields.iter().any(|field| field.name == "organization") => {
                false
            }
            Self::Object(fields) => fields.iter().any(|field| field.shape.has_text()),
            _ => false,
        }
    }

    /// What a translation says of it: the texts, without dates, codes and addresses.
    pub(super) fn text_only(&self) -> Self {
        match self {
            Self::List(item) => Self::List(Box::new(item.text_only())),
            Self::Object(fields) => {
                let texts = fields.iter().filter(|field| matches!(field.shape, Self::Text));
                Self::Object(texts.cloned().collect())
            }
            other => other.clone(),
        }
    }
}

/// Follows `path` from a record with `fields`; `None` if it leads nowhere.
///
/// Lists may be named without `[]` and the text of an item without `.text`: `actions.fr` is
/// `actions[].text.fr`.
pub(super) fn follow(fields: &[Field], path: &Path) -> Option<Slot> {
    let root = Shape::Object(fields.to_vec());
    let mut shape = &root;
    let mut so_far = Path::default();
    let mut language = None;
    for step in &path.0 {
        if language.is_some() {
            return None;
        }
        if let (Shape::List(item), Step::Name(_)) = (shape, step) {
            so_far = so_far.then(Step::Each);
            shape = item;
        }
        match (shape, step) {
            (Shape::List(item), Step::At(_) | Step::Each) => {
                so_far = so_far.then(step.clone());
                shape = item;
            }
            (Shape::Text, Step::Name(name)) => language = Some(tag(name)?),
            (Shape::Object(fields), Step::Name(name)) => {
                match fields.iter().find(|field| field.name == *name) {
                    Some(field) => {
                        so_far = so_far.then(step.clone());
                        shape = &field.shape;
                    }
                    None => {
                        let text = fields
                            .iter()
                            .find(|field| field.name == "text" && !so_far.0.is_empty())?;
                        so_far = so_far.then(Step::Name(text.name.to_owned()));
                        shape = &text.shape;
                        language = Some(tag(name)?);
                    }
                }
            }
            _ => return None,
        }
    }
    if let Shape::List(item) = shape {
        so_far = so_far.then(Step::Each);
        shape = item;
    }
    Some(Slot { path: so_far, language, shape: shape.clone() })
}

/// `text` as a language tag with a lower-case first part, if it looks like one.
pub(super) fn tag(text: &str) -> Option<String> {
    let (primary, rest) =
        text.split_once('-').map_or((text, None), |(primary, rest)| (primary, Some(rest)));
    let letters =
        (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    let subtags = rest.is_none_or(|rest| {
        rest.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    });
    (letters && subtags)
        .then(|| primary.to_ascii_lowercase() + text.get(primary.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Vec<Field> {
        let field = |name: &'static str, shape| Field { name, shape, required: false };
        vec![
            field("title", Shape::Text),
            field("local_id", Shape::Word),
            field(
                "actions",
                Shape::List(Box::new(Shape::Object(vec![
                    field("text", Shape::Text),
                    field("date", Shape::Date),
                ]))),
            ),
            field("period", Shape::Object(vec![field("from", Shape::Date)])),
            field("plans", Shape::List(Box::new(Shape::Text))),
        ]
    }

    #[test]
    fn columns_may_be_named_in_full_or_in_short() {
        for (column, path, language) in [
            ("title", "title", None),
            ("title.ES", "title", Some("es")),
            ("title.zh-Hant", "title", Some("zh-Hant")),
            ("actions", "actions[]", None),
            ("actions.fr", "actions[].text", Some("fr")),
            ("actions[].text.fr", "actions[].text", Some("fr")),
            ("actions[2].text", "actions[2].text", None),
            ("actions[2].fr", "actions[2].text", Some("fr")),
            ("actions.date", "actions[].date", None),
            ("period.from", "period.from", None),
            ("plans.pt", "plans[]", Some("pt")),
        ] {
            let slot = follow(&fields(), &Path::parse(column).unwrap()).unwrap();
            assert_eq!(
                (slot.path.to_string().as_str(), slot.language.as_deref()),
                (path, language),
                "{column}"
            );
        }
        for column in [
            "titel",
            "title.es.fr",
            "title.spanish",
            "local_id.es",
            "period.until",
            "actions[].text.fr.x",
            "text",
        ] {
            assert!(follow(&fields(), &Path::parse(column).unwrap()).is_none(), "{column}");
        }
    }
}
