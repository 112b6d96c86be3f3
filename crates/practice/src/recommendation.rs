//! Recommendations of human rights mechanisms: the symbol of a document and a paragraph, found in what
//! somebody typed or pasted, and compared with what a record says it answers.

use serde_json::Value;

/// The bodies whose documents hold recommendations, as symbols of United Nations documents begin.
const BODIES: [&str; 13] =
    ["A", "E", "S", "ST", "CCPR", "CERD", "CEDAW", "CAT", "CRC", "CMW", "CRPD", "CED", "OP-CAT"];

/// What stands before the number of a paragraph in the seven languages, in lower case.
const PARAGRAPH_WORDS: [&str; 21] = [
    "paragraph",
    "paragraphs",
    "para",
    "paras",
    "par",
    "paragraphe",
    "paragraphes",
    "párrafo",
    "párrafos",
    "párr",
    "párrs",
    "parágrafo",
    "parágrafos",
    "пункт",
    "пункта",
    "пункте",
    "пункты",
    "пп",
    "п",
    "الفقرة",
    "فقرة",
];

/// Longest symbol that is read; real ones have half of it.
const SYMBOL_BYTES_MAX: usize = 64;
/// Longest number of a paragraph: `123.45 (a)`.
const PARAGRAPH_CHARS_MAX: usize = 12;
/// Words between a symbol and its paragraph that are looked at.
const WORDS_AFTER: usize = 4;

/// A recommendation: a document, and a paragraph of it if one is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recommendation {
    /// The symbol of the document, such as `A/HRC/47/9`.
    pub symbol: String,
    /// The paragraph as the document numbers it, such as `123.45`.
    pub paragraph: Option<String>,
}

impl Recommendation {
    /// The first recommendation that `text` names by the symbol of a document, if it names one.
    pub fn find(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let at = words.iter().position(|word| symbol(word).is_some())?;
        let symbol = symbol(words.get(at)?)?;
        let after = words.get(at + 1..).unwrap_or_default();
        let before = words.get(..at).unwrap_or_default();
        let paragraph = paragraph(after, true).or_else(|| paragraph(before, false));
        Some(Self { symbol, paragraph })
    }

    /// Whether the `credentialSubject` of a record says that it answers this: the document, and the
    /// paragraph if both name one.
    pub fn is_answered_by(&self, subject: &Value) -> bool {
        let list = subject.get("recommendations").and_then(Value::as_array);
        list.into_iter().flatten().any(|item| {
            let text = |name: &str| item.get(name).and_then(Value::as_str);
            let same_document = text("symbol").is_some_and(|known| same(known, &self.symbol));
            let same_paragraph = match (&self.paragraph, text("paragraph")) {
                (Some(wanted), Some(known)) => same(known, wanted),
                _ => true,
            };
            same_document && same_paragraph
        })
    }
}

impl std::fmt::Display for Recommendation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.paragraph {
            Some(paragraph) => write!(formatter, "{} § {paragraph}", self.symbol),
            None => formatter.write_str(&self.symbol),
        }
    }
}

/// The symbol of a document, if a word is one: a body and at least two further parts.
fn symbol(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_uppercase();
    let parts: Vec<&str> = word.split('/').collect();
    let proper = |part: &&str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
    };
    let body = parts.first().is_some_and(|body| BODIES.contains(body));
    let known =
        body && parts.len() >= 3 && parts.iter().all(proper) && word.len() <= SYMBOL_BYTES_MAX;
    (known && word.contains(|c: char| c.is_ascii_digit())).then_some(word)
}

/// The number of a paragraph among the words beside a symbol: after a word that says so, or, behind the
/// symbol, alone.
fn paragraph(words: &[&str], behind: bool) -> Option<String> {
    let near: Vec<&str> = if behind {
        words.iter().take(WORDS_AFTER).copied().collect()
    } else {
        words.iter().rev().take(WORDS_AFTER).rev().copied().collect()
    };
    let mut named = false;
    for word in &near {
        if let Some(number) = joined(word) {
            return Some(number);
        }
        let here = named || (behind && near.first() == Some(word));
        if let Some(number) = number(word).filter(|_| here) {
            return Some(number);
        }
        named = is_paragraph_word(word);
    }
    None
}

fn is_paragraph_word(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '§').to_lowercase();
    word == "§" || word == "§§" || PARAGRAPH_WORDS.contains(&word.as_str())
}

/// `第23段`, `§23`, `п.23`, `para.23`: number and word in one.
fn joined(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| matches!(c, ',' | '，' | '、' | '(' | ')' | ';' | '。'));
    if let Some(inner) = word.strip_prefix('第') {
        return number(inner.split('段').next()?);
    }
    if let Some(rest) = word.strip_prefix('§') {
        return number(rest);
    }
    let at = word.find(|c: char| c.is_numeric())?;
    let (before, rest) = word.split_at_checked(at)?;
    (!before.is_empty() && is_paragraph_word(before)).then(|| number(rest))?
}

/// `123.45`, `23 (a)` without its letter's brackets, in the digits of any of the languages.
fn number(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let western: String = word.chars().map(western).collect();
    let plain =
        western.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '(' | ')' | '-'));
    let begins = western.starts_with(|c: char| c.is_ascii_digit());
    (begins && plain && western.chars().count() <= PARAGRAPH_CHARS_MAX)
        .then(|| western.replace(['(', ')'], ""))
}

/// An Arabic digit as a European one.
fn western(c: char) -> char {
    let digit = u32::from(c).wrapping_sub(0x660);
    char::from_digit(digit, 10).filter(|_| digit < 10).unwrap_or(c)
}

/// Symbols and paragraphs alike but for letter case, spaces and brackets.
fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let kept = text
            .chars()
            .map(western)
            .filter(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-'));
        kept.collect::<String>().to_ascii_lowercase().trim_matches('.').to_owned()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(text: &str) -> Option<(String, Option<String>)> {
        Recommendation::find(text).map(|found| (found.symbol, found.paragraph))
    }

    fn named(symbol: &str, paragraph: &str) -> Option<(String, Option<String>)> {
        let paragraph = (!paragraph.is_empty()).then(|| paragraph.to_owned());
        Some((symbol.to_owned(), paragraph))
    }

    #[test]
    fn a_symbol_and_its_paragraph_are_found_in_seven_languages() {
        for (text, paragraph) in [
            ("A/HRC/47/9", ""),
            ("a/hrc/47/9 123.45", "123.45"),
            ("A/HRC/47/9, para. 123.45", "123.45"),
            ("(A/HRC/47/9, paras. 12 and 13)", "12"),
            ("A/HRC/47/9, §23", "23"),
            ("see paragraph 23(a) of A/HRC/47/9 for it", "23a"),
            ("A/HRC/47/9, párr. 23", "23"),
            ("A/HRC/47/9, paragraphe 23", "23"),
            ("A/HRC/47/9, п. 23", "23"),
            ("A/HRC/47/9, пункт 23", "23"),
            ("A/HRC/47/9 第23段", "23"),
            ("A/HRC/47/9، الفقرة ٢٣", "23"),
            ("A/HRC/47/9, parágrafo 23", "23"),
        ] {
            assert_eq!(found(text), named("A/HRC/47/9", paragraph), "{text}");
        }
        assert_eq!(found("CEDAW/C/KEN/CO/8"), named("CEDAW/C/KEN/CO/8", ""));
        assert_eq!(found("CRC/C/MNE/CO/2-3 para 7"), named("CRC/C/MNE/CO/2-3", "7"));
        assert_eq!(found("A/HRC/WG.6/45/L.3"), named("A/HRC/WG.6/45/L.3", ""));
    }

    #[test]
    fn what_is_no_symbol_is_not_taken_for_one() {
        for text in
            ["", "and/or", "a/b/c", "A/B", "12/34/56", "https://a.example/b/1", "A//1", "23"]
        {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(found(&format!("A/HRC/{}", "1".repeat(80))), None);
    }

    #[test]
    fn a_record_answers_the_document_and_the_paragraph_it_names() {
        let subject = json!({ "recommendations": [
            { "symbol": "A/HRC/47/9", "paragraph": "123.45" }, { "symbol": "CEDAW/C/KEN/CO/8" }, 7,
        ] });
        let answers = |text: &str| Recommendation::find(text).unwrap().is_answered_by(&subject);
        assert!(answers("A/HRC/47/9"));
        assert!(answers("A/HRC/47/9 para 123.45"));
        assert!(!answers("A/HRC/47/9 para 123.46"));
        assert!(answers("CEDAW/C/KEN/CO/8 para 3"));
        assert!(!answers("CEDAW/C/KEN/CO/9"));
        assert!(!Recommendation::find("A/HRC/47/9").unwrap().is_answered_by(&json!({})));
    }
}
