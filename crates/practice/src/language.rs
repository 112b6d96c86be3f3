//! Languages: BCP 47 tags in one spelling, and texts in several languages.

use oxilangtag::LanguageTag;
use serde_json::{Map, Value};

/// The languages of the interface: the six official ones of the United Nations, and Portuguese.
pub const INTERFACE: [&str; 7] = ["en", "fr", "es", "ru", "zh", "ar", "pt"];

/// Longest tag that is read; real ones have a quarter of it.
pub const TAG_BYTES_MAX: usize = 64;

/// The canonical spelling of `tag` (`ES_py` and `es-py` are `es-PY`), or `None` if it is no language tag.
/// A language is named by two or three letters: `Spanish` is none.
pub fn canonical(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let primary = tag.split('-').next().unwrap_or_default();
    if tag.len() > TAG_BYTES_MAX || !(2..=3).contains(&primary.len()) {
        return None;
    }
    LanguageTag::parse_and_normalize(&tag).ok().map(LanguageTag::into_inner)
}

/// Whether `tag` is a language tag in its canonical spelling.
pub fn is_canonical(tag: &str) -> bool {
    canonical(tag).as_deref() == Some(tag)
}

/// The primary language of a tag: that of `zh-Hant` is `zh`.
pub fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// `rtl` for languages and scripts written from right to left, else `ltr`.
pub fn direction(tag: &str) -> &'static str {
    const RIGHT_TO_LEFT: [&str; 12] =
        ["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "syr", "ug", "ur"];
    const SCRIPTS: [&str; 6] = ["Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm"];
    let script = tag.split('-').nth(1).filter(|part| part.len() == 4);
    let right_to_left = match script {
        Some(script) => SCRIPTS.contains(&script),
        None => RIGHT_TO_LEFT.contains(&primary(tag)),
    };
    if right_to_left { "rtl" } else { "ltr" }
}

/// A value with its label before it, as `language` sets the colon between them.
pub fn labelled(language: &str, label: &str, value: &str) -> String {
    match primary(language) {
        "fr" => format!("{label}\u{a0}: {value}"),
        "zh" => format!("{label}：{value}"),
        _ => format!("{label}: {value}"),
    }
}

/// Whether `value` has the form of a language map: an object whose names are all language tags and whose
/// values are all texts.
pub fn is_map(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        !map.is_empty()
            && map.iter().all(|(tag, text)| canonical(tag).is_some() && text.is_string())
    })
}

/// The text of `map` that serves a reader of `wanted` best, with its language: that language, a variety of
/// it, the `source` language, English, else the first there is.
pub fn choose<'a>(
    map: &'a Map<String, Value>,
    wanted: &str,
    source: &str,
) -> Option<(&'a str, &'a str)> {
    let exact = |tag: &str| map.get_key_value(tag);
    let variety = |tag: &str| map.iter().find(|(known, _)| primary(known) == primary(tag));
    exact(wanted)
        .or_else(|| variety(wanted))
        .or_else(|| exact(source))
        .or_else(|| variety("en"))
        .or_else(|| map.iter().next())
        .and_then(|(tag, text)| Some((tag.as_str(), text.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tag_has_one_spelling() {
        assert_eq!(canonical("ES_py").as_deref(), Some("es-PY"));
        assert_eq!(canonical("zh-hant-tw").as_deref(), Some("zh-Hant-TW"));
        assert!(
            is_canonical("gn")
                && is_canonical("sr-Latn")
                && !is_canonical("PT")
                && !is_canonical("pt-br")
        );
        for tag in ["", "Spanish", "e", "es-", "es--PY", "es PY", "español"] {
            assert_eq!(canonical(tag), None, "{tag}");
        }
    }

    #[test]
    fn a_reader_gets_the_nearest_language() {
        let map = json!({"fr": "a", "pt-BR": "b", "en": "c"});
        let map = map.as_object().unwrap();
        let chosen = |wanted, source| choose(map, wanted, source).unwrap();
        assert_eq!(chosen("pt", "fr"), ("pt-BR", "b"));
        assert_eq!(chosen("ar", "fr"), ("fr", "a"));
        assert_eq!(chosen("ar", "es"), ("en", "c"));
        assert_eq!(choose(&Map::new(), "en", "en"), None);
    }

    #[test]
    fn arabic_runs_from_right_to_left_in_its_own_script() {
        assert_eq!(
            [direction("ar"), direction("ku-Arab"), direction("ar-Latn"), direction("es")],
            ["rtl", "rtl", "ltr", "ltr"]
        );
    }
}
