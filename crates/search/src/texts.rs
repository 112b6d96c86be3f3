//! The words of a record, language by language: its title, then everything else that is written in it.

use std::collections::BTreeMap;

use practice::language::{canonical, is_map};
use serde_json::{Map, Value};

/// Languages kept of one record; there are seven in the interface, and a State may add its own.
const LANGUAGES_MAX: usize = 24;
/// Members whose strings are no words of the language: codes, addresses and names of things.
const NOT_WORDS: [&str; 7] =
    ["translations", "url", "link", "email", "sha256", "media_type", "local_id"];
/// Members whose plain strings are words, in the record's own language.
const PLAIN_WORDS: [&str; 7] =
    ["title", "name", "organization", "value", "text", "symbol", "paragraph"];

/// Title and text in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: String,
    /// The summary first, then the rest.
    pub(crate) text: String,
}

/// What is written in a record, by language.
pub(crate) fn texts(subject: &Value) -> BTreeMap<String, Words> {
    let source = source(subject);
    let mut texts = Texts { source: &source, found: BTreeMap::new() };
    let Some(members) = subject.as_object() else { return BTreeMap::new() };
    for (tag, title) in map_of(members, "title") {
        if let Some(words) = texts.of(tag) {
            words.title = shown(title);
        }
    }
    let summary = members.get("summary").into_iter().map(|value| ("summary", value));
    let rest = members.iter().map(|(name, value)| (name.as_str(), value));
    let rest = rest.filter(|(name, _)| *name != "title" && *name != "summary");
    summary.chain(rest).for_each(|(name, value)| texts.collect(name, value));
    texts.found
}

/// The language a record was written in.
pub(crate) fn source(subject: &Value) -> String {
    let named = subject.get("language").and_then(Value::as_str).and_then(canonical);
    let titles = subject.get("title").and_then(Value::as_object);
    let first = titles.and_then(|title| title.keys().next()).and_then(|tag| canonical(tag));
    named.or(first).unwrap_or_else(|| "und".to_owned())
}

/// A text as it may be cut into pieces: without the characters that turn the direction of what follows,
/// which would reach beyond the piece, and with every white space a space.
pub(crate) fn shown(text: &str) -> String {
    let turning = |letter: &char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    let control =
        |letter: char| if letter.is_control() || letter.is_whitespace() { ' ' } else { letter };
    text.chars().filter(|letter| !turning(letter)).map(control).collect()
}

struct Texts<'a> {
    source: &'a str,
    found: BTreeMap<String, Words>,
}

impl Texts<'_> {
    fn of(&mut self, tag: &str) -> Option<&mut Words> {
        let tag = canonical(tag)?;
        if self.found.len() >= LANGUAGES_MAX && !self.found.contains_key(&tag) {
            return None;
        }
        Some(self.found.entry(tag).or_default())
    }

    fn add(&mut self, tag: &str, text: &str) {
        if let Some(words) = self.of(tag) {
            if !words.text.is_empty() {
                words.text.push('\n');
            }
            words.text.push_str(&shown(text));
        }
    }

    /// What stands in `value`, the member `name` of a record or of an object in one. Bodies are at most
    /// 32 levels deep, so this is too.
    fn collect(&mut self, name: &str, value: &Value) {
        if NOT_WORDS.contains(&name) {
            return;
        }
        match value {
            Value::Object(members) if is_map(value) && !members.contains_key("id") => {
                for (tag, text) in members {
                    self.add(tag, text.as_str().unwrap_or_default());
                }
            }
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| self.collect(name, value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.collect(name, value)),
            Value::String(text) if PLAIN_WORDS.contains(&name) => {
                let source = self.source.to_owned();
                self.add(&source, text);
            }
            _ => {}
        }
    }
}

fn map_of<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let map = members.get(name).and_then(Value::as_object).into_iter().flatten();
    map.filter_map(|(tag, text)| Some((tag.as_str(), text.as_str()?)))
}
