//! Russian: Snowball, with `ё` as `е` and without the marks of stress.

use frostem::{Algorithm, Stemmer};

/// Letters from which a word may lose a vowel in its forms; `срок` does not.
const FLEETING_LETTERS_MIN: usize = 5;

/// The stem of a word in lower case, and the one it has in forms that lose a vowel: `пыток` is of `пытки`.
pub(super) fn forms(word: &str) -> Vec<String> {
    let letters = word.chars().filter(|letter| !matches!(letter, '\u{300}'..='\u{36f}'));
    let plain: String = letters.map(|letter| if letter == 'ё' { 'е' } else { letter }).collect();
    let stem = Stemmer::new(Algorithm::Russian).stem(&plain).into_owned();
    let fleeting = stem
        .strip_suffix("ок")
        .or_else(|| stem.strip_suffix("ек"))
        .filter(|_| stem.chars().count() >= FLEETING_LETTERS_MIN)
        .map(|begin| format!("{begin}к"));
    std::iter::once(stem).chain(fleeting).collect()
}
