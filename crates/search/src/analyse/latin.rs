//! English, French, Spanish and Portuguese: Snowball, for whoever types accents and whoever does not.

use std::borrow::Cow;

use frostem::{Algorithm, Stemmer};

use super::Language;
use super::fold::plain;

/// Letters from which a word may have an ending of two spellings.
const ENDING_LETTERS_MIN: usize = 6;

/// What United Nations English writes otherwise than American English.
const SPELLINGS: [(&str, &str); 13] = [
    ("isation", "ization"),
    ("isations", "izations"),
    ("ise", "ize"),
    ("ised", "ized"),
    ("ises", "izes"),
    ("ising", "izing"),
    ("programme", "program"),
    ("programmes", "programs"),
    ("centre", "center"),
    ("centres", "centers"),
    ("defence", "defense"),
    ("labour", "labor"),
    ("behaviour", "behavior"),
];

/// Endings whose accent says to Snowball what they are.
const SPANISH: [(&str, &str); 2] = [("cion", "ción"), ("sion", "sión")];
const PORTUGUESE: [(&str, &str); 4] =
    [("cao", "ção"), ("coes", "ções"), ("sao", "são"), ("soes", "sões")];

/// The stem of a word in lower case, and that of the word as typed without accents if it is another.
pub(super) fn forms(language: Language, word: &str) -> Vec<String> {
    let mut forms = vec![stem(language, word)];
    let bare = plain(word);
    if bare != word {
        let second = stem(language, &bare);
        if !forms.contains(&second) {
            forms.push(second);
        }
    }
    forms
}

fn stem(language: Language, word: &str) -> String {
    let (algorithm, endings): (_, &[_]) = match language {
        Language::French => (Algorithm::French, &[]),
        Language::Spanish => (Algorithm::Spanish, &SPANISH),
        Language::Portuguese => (Algorithm::Portuguese, &PORTUGUESE),
        _ => (Algorithm::English, &SPELLINGS),
    };
    plain(&Stemmer::new(algorithm).stem(&respelled(word, endings)))
}

fn respelled<'a>(word: &'a str, endings: &[(&str, &str)]) -> Cow<'a, str> {
    if word.chars().count() < ENDING_LETTERS_MIN {
        return Cow::Borrowed(word);
    }
    let new = endings.iter().find_map(|(old, new)| Some(word.strip_suffix(old)?.to_owned() + new));
    new.map_or(Cow::Borrowed(word), Cow::Owned)
}
