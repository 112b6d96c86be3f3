//! Bringing what people and other programs write into the form of records (design 5, last sentence).

use super::Defaults;
use crate::id::RecordId;
use crate::kinds::{Field, Shape, field};
use crate::language;
use crate::vocabulary::Vocabulary;
use serde_json::{Map, Value, json};

/// Brings `value` into the form of records, changing nothing that has it already:
/// a plain text becomes a language map in the record's language, an item of actions, results or lessons
/// `{"text": {…}}`, an `id` that is no UUID the `local_id`, a label of a vocabulary its code, a year typed as
/// a number a date, one code where several may stand a list; empty fields go; `reuse`, `language` and `basis`
/// are filled from `defaults`. What it cannot bring into form stays, for [`super::Draft::validate`] to report.
pub fn normalise(value: Value, defaults: &Defaults) -> Value {
    let Value::Object(mut members) = value else { return value };
    members.retain(|_, value| !is_blank(value));
    let fallback = defaults.language.as_deref().and_then(language::canonical);
    let own = members.get("language").and_then(Value::as_str).and_then(language::canonical);
    let language = own.clone().or(fallback);
    if let (Some(language), true) = (&language, own.is_some() || !members.contains_key("language"))
    {
        members.insert("language".to_owned(), language.as_str().into());
    }
    take_local_id(&mut members);
    for (name, default) in [("reuse", &defaults.reuse), ("basis", &defaults.basis)] {
        if let Some(default) = default {
            members.entry(name).or_insert_with(|| default.as_str().into());
        }
    }
    let language = language.as_deref();
    let brought = members.into_iter().map(|(name, value)| match field(&name) {
        Some(field) => (name, bring(field, value, language)),
        None => (name, value),
    });
    Value::Object(brought.filter(|(_, value)| !is_blank(value)).collect())
}

fn take_local_id(members: &mut Map<String, Value>) {
    let foreign = match members.get("id") {
        Some(Value::String(id)) if RecordId::parse(id).is_err() => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => return,
    };
    members.shift_remove("id");
    members.entry("local_id").or_insert_with(|| foreign.into());
}

fn bring(field: &Field, value: Value, language: Option<&str>) -> Value {
    match (&field.shape, value) {
        (Shape::Text, Value::String(text)) => in_language(text, language),
        (Shape::Text, Value::Object(map)) => Value::Object(with_canonical_tags(map)),
        (Shape::Plain | Shape::Date, Value::Number(number)) => number.to_string().into(),
        (Shape::Plain | Shape::Date | Shape::Url, Value::String(text)) => text.trim().into(),
        (Shape::Language, Value::String(tag)) => language::canonical(&tag).unwrap_or(tag).into(),
        (Shape::Code(vocabulary), value) => code(vocabulary, value),
        (Shape::Codes(vocabulary), Value::Array(items)) => {
            without_blank_end(items).map(|item| code(vocabulary, item)).collect()
        }
        (Shape::Codes(vocabulary), value @ (Value::String(_) | Value::Number(_))) => {
            json!([code(vocabulary, value)])
        }
        (Shape::Languages, Value::Array(items)) => items
            .into_iter()
            .map(|item| item.as_str().and_then(language::canonical).map_or(item, Value::from))
            .collect(),
        (Shape::Plains | Shape::Languages, value @ Value::String(_)) => json!([value]),
        (Shape::Period, Value::String(from)) => json!({ "from": from.trim() }),
        (Shape::Period, Value::Number(from)) => json!({ "from": from.to_string() }),
        (Shape::Period | Shape::Object(_), Value::Object(members)) => {
            object(field, members, language)
        }
        (Shape::Items(_), Value::Array(items)) => {
            without_blank_end(items).map(|entry| item(field, entry, language)).collect()
        }
        (Shape::Items(_), value @ (Value::String(_) | Value::Object(_))) => {
            json!([item(field, value, language)])
        }
        (_, other) => other,
    }
}

fn item(list: &Field, value: Value, language: Option<&str>) -> Value {
    match value {
        Value::String(text) if list.is_text_items() => {
            json!({ "text": in_language(text, language) })
        }
        // A language map where an item with a text is meant.
        Value::Object(map)
            if list.is_text_items() && language::is_map(&Value::Object(map.clone())) =>
        {
            json!({ "text": with_canonical_tags(map) })
        }
        Value::Object(members) => object(list, members, language),
        other => other,
    }
}

fn object(outer: &Field, members: Map<String, Value>, language: Option<&str>) -> Value {
    let brought = members.into_iter().map(|(name, value)| {
        match outer.inner().iter().find(|inner| inner.name == name) {
            Some(inner) => (name, bring(inner, value, language)),
            None => (name, value),
        }
    });
    Value::Object(brought.filter(|(_, value)| !is_blank(value)).collect())
}

fn in_language(text: String, language: Option<&str>) -> Value {
    match language {
        Some(language) => json!({ language: text }),
        None => text.into(),
    }
}

fn with_canonical_tags(map: Map<String, Value>) -> Map<String, Value> {
    let mut tagged = Map::new();
    for (tag, text) in map.into_iter().filter(|(_, text)| !is_blank(text)) {
        let canonical = language::canonical(&tag)
            .filter(|canonical| !tagged.contains_key(canonical))
            .unwrap_or(tag);
        tagged.insert(canonical, text);
    }
    tagged
}

/// The code that a text means: itself, or the one with this name in some language.
fn code(vocabulary: &str, value: Value) -> Value {
    let text = match &value {
        Value::String(text) => text.trim().to_owned(),
        // Goals are numbers in a sheet.
        Value::Number(number) => number.to_string(),
        _ => return value,
    };
    let term = Vocabulary::get(vocabulary).and_then(|vocabulary| vocabulary.find(&text));
    term.map_or(text, |term| term.code.clone()).into()
}

/// A list without its blank items at the end, which forms leave; one in the middle stays, so that the others
/// keep their places and it can be told of.
fn without_blank_end(mut items: Vec<Value>) -> impl Iterator<Item = Value> {
    let end = items.iter().rposition(|item| !is_blank(item)).map_or(0, |last| last + 1);
    items.truncate(end);
    items.into_iter()
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}
