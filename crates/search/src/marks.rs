//! Result lines: the language of a hit, its title, and the passage where the words stand, marked.

use std::collections::{BTreeMap, BTreeSet};

use feed::search::{Hit, Part};
use practice::id::RecordId;
use practice::language::primary;
use tlog::name::Origin;

use crate::analyse::{Token, analyse};
use crate::clause::prefixes;
use crate::document::Stored;
use crate::fields::analyser;
use crate::words::{Word, Words};

/// Letters of an excerpt: two or three lines on a telephone.
const EXCERPT_CHARS: usize = 240;
/// Letters shown before the first word found, so that it is read in its sentence.
const BEFORE_CHARS: usize = 60;

/// Bytes of a text looked at together, to the end of their line.
const READ_BYTES_MIN: usize = 512;

/// Where a word stands, in bytes, and which of those sought it is.
type Place = ((usize, usize), usize);

/// What is marked, by the language of the analyser.
pub(crate) struct Marks<'a> {
    words: &'a Words,
    reader: &'a str,
    by_language: BTreeMap<&'static str, Sought>,
}

/// What is marked in one language.
#[derive(Default)]
struct Sought {
    /// Token to the word it is of.
    tokens: BTreeMap<String, usize>,
    /// How tokens begin.
    prefixes: Vec<(String, usize)>,
}

impl<'a> Marks<'a> {
    pub(crate) fn new(words: &'a Words, reader: &'a str) -> Self {
        Self { words, reader, by_language: BTreeMap::new() }
    }

    /// The line of one hit, which may be known to be in the reader's language; `None` if what is stored
    /// cannot be read.
    pub(crate) fn hit(&mut self, stored: &Stored, score: f32, in_readers: bool) -> Option<Hit> {
        let origin = Origin::parse(&stored.origin).ok()?;
        let id = RecordId::parse(&stored.id).ok()?;
        let language = self.language(stored, in_readers);
        let empty = (String::new(), String::new());
        let (title, text) = stored.texts.get(&language).unwrap_or(&empty);
        let sought = self.sought(&language);
        let title_tokens = found(sought, &language, title);
        let (window, text_tokens) = passage(sought, &language, text);
        Some(Hit {
            origin,
            index: stored.index,
            id,
            title: parts(title, &title_tokens, (0, title.len())),
            excerpt: parts(text, &text_tokens, window),
            language,
            states: stored.states.clone(),
            withdrawn: stored.withdrawn,
            changed: stored.changed,
            score,
        })
    }

    /// The language in which most of the words are found: the reader's if it has as many, then the one the
    /// record was written in. Without words, the one that serves the reader best.
    fn language(&mut self, stored: &Stored, in_readers: bool) -> String {
        let nearness = |tag: &str| {
            if tag == self.reader {
                4
            } else if primary(tag) == primary(self.reader) {
                3
            } else if tag == stored.source {
                2
            } else {
                u8::from(primary(tag) == "en")
            }
        };
        let mut tags: Vec<&String> = stored.texts.keys().collect();
        tags.sort_by_key(|tag| std::cmp::Reverse(nearness(tag)));
        let Some(nearest) = tags.first().copied() else { return String::new() };
        let mut best = (0, nearest);
        for tag in tags {
            if self.words.wanted.is_empty() || (in_readers && tag == nearest) {
                break;
            }
            let words = self.words_in(stored, tag);
            if words > best.0 {
                best = (words, tag);
            }
            if words == self.words.wanted.len() {
                break;
            }
        }
        best.1.clone()
    }

    /// How many of the words stand in one of the languages.
    fn words_in(&mut self, stored: &Stored, tag: &str) -> usize {
        let sought = self.sought(tag);
        let (title, text) = match stored.texts.get(tag) {
            Some((title, text)) => (title.as_str(), text.as_str()),
            None => ("", ""),
        };
        let words = [title, text].into_iter().flat_map(|text| found(sought, tag, text));
        words.map(|(_, word)| word).collect::<BTreeSet<usize>>().len()
    }

    fn sought(&mut self, tag: &str) -> &Sought {
        let language = analyser(tag);
        let words = self.words;
        self.by_language.entry(language).or_insert_with(|| Sought::of(words, language))
    }
}

impl Sought {
    fn of(words: &Words, language: &'static str) -> Self {
        let mut sought = Self::default();
        for (place, word) in words.wanted.iter().enumerate() {
            match word {
                Word::Plain(text) | Word::Phrase(text) => {
                    for token in analyse(language, text) {
                        sought.tokens.entry(token.text).or_insert(place);
                    }
                }
                Word::Chinese(token) => {
                    if language == analyser("zh") {
                        sought.tokens.entry(token.clone()).or_insert(place);
                    }
                }
                Word::Prefix(begin) => {
                    let begins = prefixes(begin, language).into_iter();
                    sought.prefixes.extend(begins.map(|begin| (begin, place)));
                }
            }
        }
        sought
    }

    /// How many different words are sought.
    fn words(&self) -> usize {
        let tokens = self.tokens.values().copied();
        let prefixes = self.prefixes.iter().map(|(_, word)| *word);
        tokens.chain(prefixes).collect::<BTreeSet<usize>>().len()
    }

    fn word_of(&self, token: &Token) -> Option<usize> {
        let begun = || self.prefixes.iter().find(|(begin, _)| token.text.starts_with(begin));
        self.tokens.get(&token.text).copied().or_else(|| begun().map(|(_, place)| *place))
    }
}

/// Where words stand in `text`: the bytes, and which word, one after the other without overlaps.
fn found(sought: &Sought, tag: &str, text: &str) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    if sought.tokens.is_empty() && sought.prefixes.is_empty() {
        return found;
    }
    for token in analyse(analyser(tag), text) {
        let Some(word) = sought.word_of(&token) else { continue };
        let span = (token.from, token.to);
        match found.last_mut() {
            Some(((from, to), held)) if span.0 < *to => {
                // A longer word over a shorter one, as Chinese has them.
                if span.0 >= *from && span.1 > *to {
                    (*to, *held) = (span.1, word);
                }
            }
            _ => found.push((span, word)),
        }
    }
    found
}

/// The bytes of the excerpt and what was found at least as far as its end. Lines are read until there is a passage
/// with every word that is sought: no later one is better.
fn passage(sought: &Sought, tag: &str, text: &str) -> ((usize, usize), Vec<Place>) {
    let words = sought.words();
    let mut places: Vec<Place> = Vec::new();
    let mut read = 0;
    loop {
        let rest = text.get(read..).unwrap_or_default();
        let from = rest.floor_char_boundary(READ_BYTES_MIN);
        let line = rest.get(from..).and_then(|later| later.find('\n'));
        let end = line.map_or(rest.len(), |line| from + line);
        let piece = rest.get(..end).unwrap_or_default();
        let found = found(sought, tag, piece).into_iter();
        places.extend(found.map(|((from, to), word)| ((read + from, read + to), word)));
        read += end;
        let (best, window) = window(text, &places);
        if read >= text.len() || (best == words && window.1 <= read) {
            return (window, places);
        }
    }
}

/// How many different words stand in the excerpt, and its bytes: where most of them stand close together, else the
/// beginning.
fn window(text: &str, found: &[Place]) -> (usize, (usize, usize)) {
    let mut best = (0, 0);
    for (place, ((from, _), _)) in found.iter().enumerate() {
        let end = forward(text, *from, EXCERPT_CHARS - BEFORE_CHARS);
        let near = found.iter().skip(place).take_while(|((_, to), _)| *to <= end);
        let words: BTreeSet<usize> = near.map(|(_, word)| *word).collect();
        if words.len() > best.0 {
            best = (words.len(), *from);
        }
    }
    let begin =
        if best.0 == 0 { 0 } else { word_start(text, backward(text, best.1, BEFORE_CHARS)) };
    (best.0, (begin, word_end(text, forward(text, begin, EXCERPT_CHARS))))
}

/// The text between two bytes, with what was found marked, and dots where it was cut.
fn parts(text: &str, found: &[Place], (begin, end): (usize, usize)) -> Vec<Part> {
    let mut parts = Vec::new();
    let plain = |parts: &mut Vec<Part>, from: usize, to: usize, dots: (bool, bool)| {
        let cut = text.get(from..to).unwrap_or_default();
        let (before, after) = (if dots.0 { "…" } else { "" }, if dots.1 { "…" } else { "" });
        let piece = format!("{before}{cut}{after}");
        if !piece.is_empty() {
            parts.push(Part::Plain(piece));
        }
    };
    let mut at = begin;
    let mut first = begin > 0;
    for ((from, to), _) in found.iter().filter(|((from, to), _)| *from >= begin && *to <= end) {
        let Some(marked) = text.get(*from..*to) else { continue };
        plain(&mut parts, at, *from, (std::mem::take(&mut first), false));
        parts.push(Part::Marked(marked.to_owned()));
        at = *to;
    }
    plain(&mut parts, at, end, (first, end < text.len()));
    parts
}

fn forward(text: &str, from: usize, chars: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.char_indices().nth(chars).map_or(text.len(), |(at, _)| from + at)
}

fn backward(text: &str, from: usize, chars: usize) -> usize {
    let before = text.get(..from).unwrap_or_default();
    before.char_indices().rev().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at)
}

/// The beginning of the word after a cut, if there is one nearby: Chinese has no spaces.
fn word_start(text: &str, at: usize) -> usize {
    const NEAR: usize = 24;
    if at == 0 {
        return 0;
    }
    let rest = text.get(at..).unwrap_or_default();
    let space = rest.char_indices().take(NEAR).find(|(_, letter)| letter.is_whitespace());
    space.map_or(at, |(space, letter)| at + space + letter.len_utf8())
}

/// The end of the last whole word before a cut.
fn word_end(text: &str, at: usize) -> usize {
    const NEAR: usize = 24;
    if at >= text.len() {
        return text.len();
    }
    let before = text.get(..at).unwrap_or_default();
    let space = before.char_indices().rev().take(NEAR).find(|(_, letter)| letter.is_whitespace());
    space.map_or(at, |(space, _)| space)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(query: &str, reader: &str, texts: &[(&str, &str, &str)]) -> Hit {
        let words = Words::read(query);
        let stored = Stored {
            origin: "a.example/public".to_owned(),
            id: "urn:uuid:11111111-1111-4111-8111-111111111111".to_owned(),
            source: "es".to_owned(),
            texts: texts
                .iter()
                .map(|(tag, title, text)| {
                    ((*tag).to_owned(), ((*title).to_owned(), (*text).to_owned()))
                })
                .collect(),
            ..Stored::default()
        };
        Marks::new(&words, reader).hit(&stored, 1.0, false).unwrap()
    }

    #[test]
    fn the_words_found_are_marked_in_the_language_they_stand_in() {
        let texts = [
            ("en", "A tool", "Follow-up of what was recommended."),
            ("es", "Una herramienta", "Seguimiento de las recomendaciones."),
        ];
        let found = hit("seguimiento", "en", &texts);
        assert_eq!(found.language, "es");
        assert_eq!(found.excerpt.first(), Some(&Part::Marked("Seguimiento".to_owned())));
        assert_eq!(hit("", "en", &texts).language, "en");
        assert_eq!(hit("", "ar", &texts).language, "es");
    }

    #[test]
    fn a_passage_is_the_same_whether_all_of_the_text_is_read_or_as_much_as_is_needed() {
        let line = |words: &str| format!("{words} {}", "nothing to be found in it ".repeat(15));
        let texts = [
            vec!["Reports", "plans", "Reports", "reports and plans", "plans reports"],
            vec!["Reports of plans", "plans"],
            vec!["Reports", "reports", "reports"],
            vec!["nothing"],
        ];
        let sought = Sought::of(&Words::read("reports plan*"), "en");
        for lines in texts {
            let text: Vec<String> = lines.into_iter().map(line).collect();
            let text = text.join("\n");
            let whole = window(&text, &found(&sought, "en", &text)).1;
            let (passage, places) = passage(&sought, "en", &text);
            assert_eq!(passage, whole, "{text}");
            let inside = |place: &&Place| place.0.0 >= whole.0 && place.0.1 <= whole.1;
            let all = found(&sought, "en", &text);
            assert_eq!(
                places.iter().filter(inside).collect::<Vec<_>>(),
                all.iter().filter(inside).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn an_excerpt_begins_near_the_words_and_never_cuts_a_letter() {
        let long =
            format!("{} recommendations stand here. {}", "ñandú ".repeat(200), "é".repeat(400));
        let found = hit("recommendations", "en", &[("en", "T", &long)]);
        let text: String = found.excerpt.iter().map(Part::text).collect();
        assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
        assert!(
            found
                .excerpt
                .iter()
                .any(|part| matches!(part, Part::Marked(word) if word == "recommendations"))
        );
        assert!(text.chars().count() <= EXCERPT_CHARS + 2);
    }
}
