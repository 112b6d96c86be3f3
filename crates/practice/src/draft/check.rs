//! One walk over a draft by the shapes of the table; nothing stops it, so that every fault is found.

use super::fault::{Fault, FaultReason, Warning, WarningKind};
use crate::date::is_date;
use crate::json::INTEGER_MAX;
use crate::kind::Kind;
use crate::kinds::{Field, Need, Shape, fields};
use crate::language;
use crate::vocabulary::{Vocabulary, is_state};
use serde_json::{Map, Value};
use std::collections::HashSet;

#[derive(Default)]
pub(super) struct Checker {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Warning>,
}

impl Checker {
    pub(super) fn fault(&mut self, path: &str, found: &Value, reason: FaultReason) {
        self.faults.push(Fault::new(path, found, reason));
    }

    fn warn(&mut self, path: &str, kind: WarningKind, excerpt: &Value) {
        let excerpt = super::fault::excerpt(excerpt);
        self.warnings.push(Warning { path: path.to_owned(), kind, excerpt });
    }

    /// The fields of a record of `kind`.
    pub(super) fn record(&mut self, kind: &Kind, subject: &Map<String, Value>) {
        let fields = fields(kind);
        let source = subject.get("language").and_then(Value::as_str);
        for kind_field in &fields {
            let field = kind_field.field;
            match subject.get(field.name) {
                Some(value) => {
                    self.value(field.name, value, &field.shape);
                    self.in_source_language(field, value, source);
                }
                None if kind_field.need == Need::Required => {
                    self.fault(field.name, &Value::Null, FaultReason::Missing);
                }
                None => {}
            }
        }
        if kind.known() {
            for (name, value) in subject {
                if name != "id" && !fields.iter().any(|field| field.field.name == name) {
                    self.warn(name, WarningKind::UnknownField, value);
                }
            }
        }
    }

    /// A translation without its source is an oversight more often than a wish.
    fn in_source_language(&mut self, field: &Field, value: &Value, source: Option<&str>) {
        if field.shape == Shape::Text
            && let (Some(map), Some(source)) = (value.as_object(), source)
            && !map.is_empty()
            && !map.contains_key(source)
        {
            self.warn(field.name, WarningKind::NotInSourceLanguage, &Value::Null);
        }
    }

    /// Numbers that a body cannot hold, wherever they stand; a field that has a fault is not told of twice.
    pub(super) fn numbers(&mut self, path: &str, value: &Value) {
        if is_exact(value) {
            return;
        }
        match value {
            Value::Number(_) if self.faults.iter().any(|fault| fault.path == path) => {}
            Value::Number(_) => self.fault(path, value, FaultReason::Number),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.numbers(&format!("{path}[{index}]"), item);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let path =
                        if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.numbers(&path, member);
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, path: &str, value: &Value, shape: &Shape) {
        match shape {
            Shape::Text => self.text(path, value),
            Shape::Plain => self.plain(path, value),
            // No members, no networks: an empty list of names says something.
            Shape::Plains if value.as_array().is_some_and(Vec::is_empty) => {}
            Shape::Plains => self.list(path, value, Self::plain),
            Shape::Word(allowed) => {
                if self.string(path, value).is_some_and(|word| !allowed.contains(&word)) {
                    self.fault(path, value, FaultReason::Word { allowed });
                }
            }
            Shape::Code(vocabulary) => self.code(path, value, vocabulary),
            Shape::Codes(vocabulary) => {
                self.list(path, value, |checker, path, item| checker.code(path, item, vocabulary));
                self.distinct(path, value);
            }
            Shape::Language => self.language(path, value),
            Shape::Languages => {
                self.list(path, value, Self::language);
                self.distinct(path, value);
            }
            Shape::Date => {
                if self.string(path, value).is_some_and(|text| !is_date(text)) {
                    self.fault(path, value, FaultReason::Date);
                }
            }
            Shape::Period => self.period(path, value),
            Shape::Integer => {
                if value.as_u64().is_none_or(|number| number > INTEGER_MAX) {
                    self.fault(path, value, FaultReason::Number);
                }
            }
            Shape::Flag => {
                if !value.is_boolean() {
                    self.fault(path, value, FaultReason::Form { expected: "`true` or `false`" });
                }
            }
            Shape::Url => {
                if self.string(path, value).is_some_and(|text| !is_url(text)) {
                    self.fault(path, value, FaultReason::Url);
                }
            }
            Shape::Object(fields) => self.object(path, value, fields),
            Shape::Items(fields) => {
                self.list(path, value, |checker, path, item| checker.object(path, item, fields));
            }
            Shape::ByLanguage(fields) => {
                self.by_language(path, value, |checker, path, item| {
                    checker.object(path, item, fields);
                });
            }
            Shape::Any => {}
        }
    }

    fn string<'v>(&mut self, path: &str, value: &'v Value) -> Option<&'v str> {
        match value.as_str() {
            Some(text) if text.trim().is_empty() => {
                self.fault(path, &Value::Null, FaultReason::Empty);
            }
            Some(text) => return Some(text),
            None => self.fault(path, value, FaultReason::Form { expected: "a text" }),
        }
        None
    }

    fn plain(&mut self, path: &str, value: &Value) {
        self.string(path, value);
    }

    fn text(&mut self, path: &str, value: &Value) {
        self.by_language(path, value, Self::plain);
    }

    fn by_language(&mut self, path: &str, value: &Value, check: impl Fn(&mut Self, &str, &Value)) {
        let Some(map) = value.as_object() else {
            let expected = "an object with a text for each language, such as {\"es\": \"…\"}";
            return self.fault(path, value, FaultReason::Form { expected });
        };
        if map.is_empty() {
            self.fault(path, &Value::Null, FaultReason::Empty);
        }
        for (tag, text) in map {
            let path = format!("{path}.{tag}");
            if !language::is_canonical(tag) {
                let reason = FaultReason::Language { suggestion: language::canonical(tag) };
                self.fault(&path, &Value::from(tag.as_str()), reason);
            }
            check(self, &path, text);
        }
    }

    fn language(&mut self, path: &str, value: &Value) {
        if let Some(tag) = self.string(path, value)
            && !language::is_canonical(tag)
        {
            self.fault(path, value, FaultReason::Language { suggestion: language::canonical(tag) });
        }
    }

    fn code(&mut self, path: &str, value: &Value, vocabulary: &'static str) {
        let Some(code) = self.string(path, value) else { return };
        let Some(known) = Vocabulary::get(vocabulary) else { return };
        if known.contains(code) || (vocabulary == "states" && is_state(code)) {
            return;
        }
        let suggestion =
            known.find(code).or_else(|| known.nearest(code)).map(|term| term.code.clone());
        self.fault(path, value, FaultReason::Code { vocabulary, suggestion });
    }

    fn list(&mut self, path: &str, value: &Value, check: impl Fn(&mut Self, &str, &Value)) {
        let Some(items) = value.as_array() else {
            return self.fault(path, value, FaultReason::Form { expected: "a list" });
        };
        if items.is_empty() {
            self.fault(path, &Value::Null, FaultReason::Empty);
        }
        for (index, item) in items.iter().enumerate() {
            check(self, &format!("{path}[{index}]"), item);
        }
    }

    fn distinct(&mut self, path: &str, value: &Value) {
        let mut seen = HashSet::new();
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            if !seen.insert(item) {
                self.fault(&format!("{path}[{index}]"), item, FaultReason::Twice);
            }
        }
    }

    fn object(&mut self, path: &str, value: &Value, fields: &[Field]) {
        let Some(members) = value.as_object() else {
            return self.fault(
                path,
                value,
                FaultReason::Form { expected: "an object with fields" },
            );
        };
        if members.is_empty() {
            self.fault(path, &Value::Null, FaultReason::Empty);
        }
        for field in fields {
            let path = format!("{path}.{}", field.name);
            match members.get(field.name) {
                Some(value) => self.value(&path, value, &field.shape),
                None if field.required => self.fault(&path, &Value::Null, FaultReason::Missing),
                None => {}
            }
        }
        for (name, value) in members {
            if !fields.iter().any(|field| field.name == name) {
                self.warn(&format!("{path}.{name}"), WarningKind::UnknownField, value);
            }
        }
    }

    fn period(&mut self, path: &str, value: &Value) {
        const FIELDS: &[Field] = &[
            Field { name: "from", shape: Shape::Date, required: true },
            Field { name: "to", shape: Shape::Date, required: false },
        ];
        self.object(path, value, FIELDS);
        let date = |name| value.get(name).and_then(Value::as_str).filter(|date| is_date(date));
        if let (Some(from), Some(to)) = (date("from"), date("to")) {
            // Dates of different precision are compared by what both say.
            let width = from.len().min(to.len());
            if to.get(..width) < from.get(..width) {
                self.fault(path, value, FaultReason::Backwards);
            }
        }
    }
}

/// Whether a body can hold all numbers in it.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.as_i64().is_some_and(|integer| integer.unsigned_abs() <= INTEGER_MAX)
        }
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}
