//! The languages of a record: which there are, who made each text, and which of them the reader compares.

use practice::language;
use serde_json::{Map, Value};

use super::super::Reader;
use super::super::value::{Passage, Shower};

/// The parameter that chooses one language to stand beside that of the reader.
const BESIDE: &str = "beside";

/// What is known of the languages of one record.
pub(crate) struct Tongues {
    /// For each language of the record: its tag, its name, and whether it is the original or how it was made.
    all: Vec<Tongue>,
    /// The reader's own, or the original where there is none.
    first: String,
    /// The only language beside that, if the reader chose one.
    beside: Option<String>,
}

struct Tongue {
    tag: String,
    name: String,
    /// In one or two words, for each text.
    mark: String,
    /// Whole, for the list.
    line: String,
    original: bool,
}

/// A language to stand beside the reader's.
pub(crate) struct Choice {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) current: bool,
}

impl Tongues {
    /// The languages of `subject`, and what the reader asked to see.
    pub(crate) fn of(
        reader: &Reader,
        shower: Shower<'_>,
        subject: Option<&Map<String, Value>>,
    ) -> Self {
        let titles = subject.and_then(|subject| subject.get("title")).and_then(Value::as_object);
        let made = subject.and_then(|subject| subject.get("translations"));
        let tags = titles.into_iter().flat_map(Map::keys);
        let mut all: Vec<Tongue> = tags.map(|tag| tongue(shower, tag, made)).collect();
        let of_reader = |tongue: &Tongue| language::primary(&tongue.tag) == shower.texts.code();
        all.sort_by_key(|tongue| match (of_reader(tongue), tongue.original) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        });
        let first = all.first().map(|tongue| tongue.tag.clone()).unwrap_or_default();
        let is_there = |tag: &&str| all.iter().any(|tongue| tongue.tag == *tag);
        let beside = reader.parameter(BESIDE).filter(is_there).map(str::to_owned);
        Self { all, first, beside }
    }

    /// Each language: the original, or by whom it was translated.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.all.iter().map(|tongue| tongue.line.clone()).collect()
    }

    /// What the reader may compare, where there are more than two languages: every language, or one beside
    /// the first.
    pub(crate) fn choices(&self, reader: &Reader, path: &str) -> Vec<Choice> {
        if self.all.len() < 3 {
            return Vec::new();
        }
        let version = reader.parameter("version").map(|version| format!("version={version}"));
        let at = |more: Option<String>| {
            let query: Vec<String> = version.clone().into_iter().chain(more).collect();
            if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
        };
        let whole = Choice {
            href: at(None),
            name: reader.texts.get("record-beside-all"),
            current: self.beside.is_none(),
        };
        let others =
            self.all.iter().filter(|tongue| tongue.tag != self.first).map(|tongue| Choice {
                href: at(Some(format!("{BESIDE}={}", tongue.tag))),
                name: tongue.name.clone(),
                current: self.beside.as_deref() == Some(tongue.tag.as_str()),
            });
        std::iter::once(whole).chain(others).collect()
    }

    /// Marks texts, and leaves out those in languages that were not asked for unless nothing else is there.
    pub(crate) fn finish(&self, passages: &mut Vec<Passage>) {
        let wanted = |tag: &str| {
            self.beside.as_deref().is_none_or(|beside| beside == tag || self.first == tag)
        };
        if passages.iter().any(|passage| wanted(&passage.lang)) {
            passages.retain(|passage| wanted(&passage.lang));
        }
        let several = passages.len() > 1;
        for passage in passages {
            let Some(tongue) = self.all.iter().find(|tongue| tongue.tag == passage.lang) else {
                continue;
            };
            passage.language = match (several, tongue.original) {
                (false, true) => String::new(),
                _ => format!("{} · {}", tongue.name, tongue.mark),
            };
        }
    }
}

fn tongue(shower: Shower<'_>, tag: &str, translations: Option<&Value>) -> Tongue {
    let (texts, name) = (shower.texts, shower.language(tag));
    let tongue = |original: bool, mark: String, line: String| Tongue {
        tag: tag.to_owned(),
        name: name.clone(),
        line: format!("{name} — {line}"),
        mark,
        original,
    };
    if tag == shower.source {
        let words = texts.get("record-original");
        return tongue(true, words.clone(), words);
    }
    let made = translations.and_then(|translations| translations.get(tag));
    let member = |name: &str| made.and_then(|made| made.get(name));
    let mut mark = texts.get("record-translation");
    let mut words = vec![mark.clone()];
    match member("made_by").and_then(Value::as_str) {
        Some("person") => words.push(texts.get("record-by-person")),
        Some("machine") => {
            mark = texts.get("record-machine-translation");
            words = vec![mark.clone()];
        }
        _ => {}
    }
    if member("reviewed_by_person").and_then(Value::as_bool) == Some(true) {
        words.push(texts.get("record-reviewed"));
    }
    if let Some(version) = member("of_version").and_then(Value::as_u64) {
        words.push(texts.with("record-older-version", &[("version", &version.to_string())]));
    }
    tongue(false, mark, texts.listed(&words))
}
