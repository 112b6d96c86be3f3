//! What a record does not tell yet, as questions to its author. Never a score, never about a State.

use crate::kind::Kind;
use crate::kinds::{Field, Need, fields};
use crate::vocabulary::Vocabulary;
use serde::Serialize;
use serde_json::Value;

/// The kinds that the checklist is about.
const APPLIES_TO: [Kind; 2] = [Kind::GOOD_PRACTICE, Kind::LESSON_LEARNED];

/// A question that a record leaves open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The item of the checklist.
    pub code: &'static str,
    /// `essential`, `core` or `further`: what to ask first.
    pub tier: &'static str,
    /// The field that would answer it.
    pub field: &'static str,
    /// The question, in the reader's language.
    pub text: &'static str,
}

/// The questions of the checklist that `subject`, a record of `kind`, does not answer, the most important
/// first. `issuer_state` is the State whose node it is, which answers whose it is. None for other kinds.
pub fn questions(
    kind: &Kind,
    subject: &Value,
    issuer_state: Option<&str>,
    language: &str,
) -> Vec<Question> {
    if !APPLIES_TO.contains(kind) {
        return Vec::new();
    }
    let items = Vocabulary::get("checklist").map(Vocabulary::terms).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            Some(Question {
                code: &item.code,
                tier: item.string("tier")?,
                field: item.string("field")?,
                text: item.text("question", language)?,
            })
        })
        .filter(|question| !(question.field == "states" && issuer_state.is_some()))
        .filter(|question| !answered(subject, question.field))
        .collect()
}

/// The fields that `kind` asks for and `subject` does not have, for a page that says what is not described.
pub fn not_described(kind: &Kind, subject: &Value) -> Vec<&'static Field> {
    let asked = fields(kind).into_iter().filter(|field| field.need == Need::Asked);
    asked.map(|field| field.field).filter(|field| !answered(subject, field.name)).collect()
}

fn answered(subject: &Value, field: &str) -> bool {
    if field == "indicators" {
        // A result is measured where it has an indicator or a value.
        let results = subject.get("results").and_then(Value::as_array).into_iter().flatten();
        return results.into_iter().any(|result| has(result, "indicator") || has(result, "value"));
    }
    let found = field.split('.').try_fold(subject, |value, name| value.get(name));
    found.is_some_and(is_something)
}

fn has(value: &Value, name: &str) -> bool {
    value.get(name).is_some_and(is_something)
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(is_something),
        Value::Object(members) => members.values().any(is_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_record_tells_is_not_asked() {
        let subject = json!({
            "title": {"en": "A"}, "states": ["PY"], "summary": {"en": "B"}, "capacities": ["coordination"],
            "language": "en", "actions": [{"text": {"en": ""}}], "results": [{"text": {"en": "C"}, "value": "12"}],
            "period": {"from": "2015"}
        });
        let questions = questions(&Kind::GOOD_PRACTICE, &subject, None, "fr");
        let codes: Vec<_> = questions.iter().map(|question| question.code).collect();
        assert!(
            codes.starts_with(&["context", "actions", "stakeholders", "sources", "lessons"]),
            "{codes:?}"
        );
        assert!(!codes.contains(&"indicators") && !codes.contains(&"period"));
        assert!(questions.iter().all(|question| question.text.ends_with('?')));
        assert_eq!(questions[0].text, "Quel était le point de départ ou le problème\u{a0}?");
    }

    #[test]
    fn other_kinds_are_asked_for_their_own_fields_only() {
        let subject = json!({"mandate": {"en": "A"}});
        assert!(questions(&Kind::MECHANISM_PROFILE, &subject, None, "en").is_empty());
        let names: Vec<_> = not_described(&Kind::MECHANISM_PROFILE, &subject)
            .iter()
            .map(|field| field.name)
            .collect();
        assert!(
            names.contains(&"secretariat")
                && !names.contains(&"mandate")
                && !names.contains(&"title")
        );
    }

    #[test]
    fn whose_it_is_follows_from_the_issuers_state() {
        let open = |state| questions(&Kind::LESSON_LEARNED, &json!({}), state, "en");
        assert!(open(None).iter().any(|question| question.field == "states"));
        assert!(!open(Some("PY")).iter().any(|question| question.field == "states"));
    }
}
