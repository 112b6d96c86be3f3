//! Chinese: words by the dictionary of jieba, without guesses, so that a word is cut alike in every sentence.
//! Traditional characters are read as the simplified ones that the dictionary knows, one for one.

use std::collections::HashMap;
use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::{Language, Token, stop};

/// Letters of the words inside a longer one that are tokens too.
const PART_CHARS: [usize; 2] = [2, 3];

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// From a traditional character to the simplified one.
static SIMPLIFIED: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let lines = include_str!("traditional.txt").lines().filter(|line| !line.starts_with('#'));
    let mut letters = lines.flat_map(str::chars);
    std::iter::from_fn(|| letters.next().zip(letters.next())).collect()
});

/// Adds the words of a run of Han characters that begins at byte `from`, each followed by the words in it at
/// the same place. Answers the next place.
pub(super) fn push(tokens: &mut Vec<Token>, from: usize, run: &str, mut position: usize) -> usize {
    // A simplified character may take another number of bytes: places are counted in the run as written.
    let simplified: String = run.chars().map(simplified).collect();
    let mut bytes = run.char_indices().map(|(at, _)| from + at).chain([from + run.len()]);
    let Some(mut at) = bytes.next() else { return position };
    for cut in JIEBA.cut(&simplified, false) {
        let ends: Vec<usize> =
            std::iter::once(at).chain(bytes.by_ref().take(cut.word.chars().count())).collect();
        at = ends.last().copied().unwrap_or(at);
        if !stop::is_stop(Language::Chinese, cut.word) {
            words(tokens, cut.word, &ends, position);
        }
        position += 1;
    }
    position
}

/// A word and the words in it; `places` are the bytes between its characters, in the text as written.
fn words(tokens: &mut Vec<Token>, word: &str, places: &[usize], position: usize) {
    let (Some(&from), Some(&to)) = (places.first(), places.last()) else { return };
    tokens.push(Token { text: word.to_owned(), from, to, position });
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    let ends: Vec<(usize, usize)> = ends.into_iter().zip(places.iter().copied()).collect();
    for chars in PART_CHARS.into_iter().filter(|chars| chars + 1 < ends.len()) {
        for ((begin, from), (end, to)) in ends.iter().zip(ends.iter().skip(chars)) {
            if let Some(part) = word.get(*begin..*end).filter(|part| JIEBA.has_word(part)) {
                tokens.push(Token { text: part.to_owned(), from: *from, to: *to, position });
            }
        }
    }
}

fn simplified(letter: char) -> char {
    SIMPLIFIED.get(&letter).copied().unwrap_or(letter)
}
