//! Letters: one way of writing each, and without the marks that people leave out.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::pieces::is_apostrophe;

/// A word composed (NFKC), in lower case, without what is not seen.
pub(super) fn composed(word: &str) -> String {
    let normal = ComposingNormalizerBorrowed::new_nfkc().normalize(word);
    let mut folded = String::with_capacity(normal.len());
    for letter in normal.chars().flat_map(char::to_lowercase) {
        match letter {
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            // Arabic-Indic and Persian digits.
            '\u{660}'..='\u{669}' => folded.extend(digit(letter, '\u{660}')),
            '\u{6f0}'..='\u{6f9}' => folded.extend(digit(letter, '\u{6f0}')),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            _ => folded.push(letter),
        }
    }
    folded
}

/// The same without the marks over and under letters, and without apostrophes. Marks that are vowels, as in
/// the scripts of India, stay.
pub(super) fn plain(word: &str) -> String {
    if word.is_ascii() && !word.contains('\'') {
        return word.to_owned();
    }
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(word);
    let letters = apart.chars().filter(|letter| !is_mark(*letter) && !is_apostrophe(*letter));
    let kept: String = letters
        .map(|letter| match letter {
            'ø' => 'o',
            'ł' => 'l',
            'đ' | 'ð' => 'd',
            'ı' => 'i',
            _ => letter,
        })
        .collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&kept).into_owned()
}

/// Diacritics of Latin, Greek and Cyrillic, points of Hebrew, short vowels of Arabic.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}')
}

pub(super) fn is_latin(letter: char) -> bool {
    matches!(letter, 'a'..='z' | 'ª' | 'º' | '\u{df}'..='\u{f6}' | '\u{f8}'..='\u{24f}' | '\u{300}'..='\u{36f}')
}

pub(super) fn is_cyrillic(letter: char) -> bool {
    matches!(letter, '\u{400}'..='\u{4ff}' | '\u{300}'..='\u{36f}')
}

pub(super) fn is_arabic(letter: char) -> bool {
    matches!(letter, '\u{610}'..='\u{61a}' | '\u{620}'..='\u{65f}' | '\u{670}'..='\u{6d3}' | '\u{6d6}'..='\u{6ed}')
}

pub(super) fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

fn digit(letter: char, zero: char) -> Option<char> {
    char::from_digit(u32::from(letter) - u32::from(zero), 10)
}
