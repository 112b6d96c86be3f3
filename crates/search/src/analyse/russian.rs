//! Russian: Snowball, with `ё` as `е` and without the marks of stress.

use frostem::{Algorithm, Stemmer};

/// The stem of a word in lower case.
pub(super) fn stem(word: &str) -> String {
    let letters = word.chars().filter(|letter| !matches!(letter, '\u{300}'..='\u{36f}'));
    let plain: String = letters.map(|letter| if letter == 'ё' { 'е' } else { letter }).collect();
    Stemmer::new(Algorithm::Russian).stem(&plain).into_owned()
}
