//! The words of the form in the seven languages: one file each in `texts/`, all with the same keys.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use practice::vocabulary::Vocabulary;

/// The languages a form can be made in: the six official ones of the United Nations and Portuguese.
pub const LANGUAGES: [&str; 7] = ["ar", "en", "es", "fr", "pt", "ru", "zh"];

const FILES: [&str; 7] = [
    include_str!("texts/ar.json"),
    include_str!("texts/en.json"),
    include_str!("texts/es.json"),
    include_str!("texts/fr.json"),
    include_str!("texts/pt.json"),
    include_str!("texts/ru.json"),
    include_str!("texts/zh.json"),
];

/// The words of one language.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Texts {
    /// Language of these words.
    #[serde(skip)]
    pub(super) language: &'static str,
    words: HashMap<String, String>,
    /// The "Start here" sheet: its title, then its lines; a line that begins with `## ` is a heading.
    pub(super) start: Vec<String>,
    fields: BTreeMap<String, FieldText>,
}

/// What a form says about a field beyond its name and question in the vocabularies.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub(super) struct FieldText {
    /// Its name.
    #[serde(default)]
    pub(super) label: String,
    /// The question behind it, or what to mind.
    #[serde(default)]
    pub(super) help: String,
}

impl Texts {
    /// The words of `language` (of its first subtag), or of English.
    pub(super) fn of(language: &str) -> &'static Self {
        let primary = language.split('-').next().unwrap_or_default();
        let position = LANGUAGES.iter().position(|known| *known == primary).unwrap_or(1);
        all().get(position).unwrap_or_else(|| none())
    }

    /// The word called `key`, or the key itself.
    pub(super) fn word<'a>(&'a self, key: &'a str) -> &'a str {
        self.words.get(key).map_or(key, String::as_str)
    }

    /// The name of a word of a short list, such as `conference` of `event_type`.
    pub(super) fn choice<'a>(&'a self, field: &str, word: &'a str) -> &'a str {
        self.words.get(&format!("{field}.{word}")).map_or(word, String::as_str)
    }

    /// What is said about the field at `path`, whose last member is `name`. Names come from the
    /// vocabulary `fields`, as on pages, but where a form needs more words.
    pub(super) fn field(&self, path: &str, name: &'static str) -> FieldText {
        let mut text = self.fields.get(path).cloned().unwrap_or_default();
        if text.label.is_empty() {
            text.label = self.label(name).to_owned();
        }
        if let Some(question) = practice::kinds::field(path)
            .and_then(|field| field.question(self.language))
            .filter(|_| text.help.is_empty())
        {
            text.help = question.to_owned();
        }
        text
    }

    /// The name of a field, as on pages.
    pub(super) fn label(&self, name: &'static str) -> &'static str {
        Vocabulary::get("fields").map_or(name, |fields| fields.label(name, self.language))
    }
}

/// The words of all languages, in the order of [`LANGUAGES`].
pub(super) fn all() -> &'static [Texts] {
    static ALL: OnceLock<Vec<Texts>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |(language, file): (&&'static str, &&str)| Texts {
            language,
            ..serde_json::from_str(file).unwrap_or_default()
        };
        LANGUAGES.iter().zip(FILES.iter()).map(read).collect()
    })
}

fn none() -> &'static Texts {
    static NONE: OnceLock<Texts> = OnceLock::new();
    NONE.get_or_init(Texts::default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_words() {
        let english = Texts::of("en");
        assert!(english.words.len() > 20 && english.start.len() > 5 && english.fields.len() > 30);
        for texts in all() {
            let language = texts.language;
            assert_eq!(texts.start.len(), english.start.len(), "{language}");
            let missing: Vec<_> = english
                .words
                .keys()
                .filter(|key| texts.words.get(*key).is_none_or(|word| word.is_empty()))
                .collect();
            assert!(missing.is_empty(), "{language}: {missing:?}");
            let keys = |texts: &Texts| {
                texts
                    .fields
                    .iter()
                    .map(|(key, text)| (key.clone(), text.help.is_empty(), text.label.is_empty()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(keys(texts), keys(english), "{language}");
        }
    }

    #[test]
    fn placeholders_survive_translation() {
        for texts in all() {
            let start = texts.start.join("\n");
            for placeholder in ["{kind}", "{answers}", "{record}", "{translations}", "{lists}"] {
                assert!(start.contains(placeholder), "{} lacks {placeholder}", texts.language);
            }
            assert!(texts.word("parts").contains("{parts}"), "{}", texts.language);
        }
    }
}
