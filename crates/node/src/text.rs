//! Records and times as lines of text.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::output::visible;

/// Deeper than any schema; what is deeper still is shown as JSON on one line.
const DEPTH_MAX: usize = 8;

/// The text in the wanted language, else in English, else in the first there is.
pub fn by_language<'a>(
    texts: &'a BTreeMap<String, String>,
    wanted: Option<&str>,
) -> Option<&'a str> {
    let wanted = wanted.and_then(|language| texts.get(language));
    wanted.or_else(|| texts.get("en")).or_else(|| texts.values().next()).map(String::as_str)
}

/// How long ago `then` (Unix seconds) was, in words.
pub fn ago(then: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    match now.saturating_sub(then) {
        seconds @ 0..=119 => format!("{seconds} s ago"),
        seconds @ 120..=7_199 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..=172_799 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// The members of a record as indented lines: `name: value`, texts by language below their name.
pub fn lines(subject: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    add(&mut lines, subject, 0);
    lines
}

fn add(lines: &mut Vec<String>, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    if depth > DEPTH_MAX {
        lines.push(format!("{indent}{}", visible(&value.to_string())));
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                named(lines, &format!("{indent}{}:", visible(name)), value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                named(lines, &format!("{indent}-"), item, depth);
            }
        }
        plain => lines.push(format!("{indent}{}", word(plain))),
    }
}

fn named(lines: &mut Vec<String>, head: &str, value: &Value, depth: usize) {
    match value {
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let words: Vec<String> = items.iter().map(word).collect();
            lines.push(format!("{head} {}", words.join(", ")));
        }
        Value::Object(_) | Value::Array(_) => {
            lines.push(head.to_owned());
            add(lines, value, depth + 1);
        }
        plain => lines.push(format!("{head} {}", word(plain))),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => visible(text),
        other => visible(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_shown_with_every_language_on_its_line() {
        let subject = serde_json::json!({
            "title": {"es": "Buenas", "ar": "\u{202e}x"},
            "topics": ["legal-basis", "tracking-tools"],
            "actions": [{"text": {"es": "Uno"}}],
        });
        let shown = lines(&subject).join("\n");
        let wanted = "title:\n  es: Buenas\n  ar: \\u{202e}x\ntopics: legal-basis, tracking-tools\n\
                      actions:\n  -\n    text:\n      es: Uno";
        assert_eq!(shown, wanted);
    }
}
