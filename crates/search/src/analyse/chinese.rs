//! Chinese: words by the dictionary of jieba, without guesses, so that a word is cut alike in every sentence.

use std::sync::LazyLock;

use jieba_rs::Jieba;

use super::{Language, Token, stop};

/// Letters of the words inside a longer one that are tokens too.
const PART_CHARS: [usize; 2] = [2, 3];

static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Adds the words of a run of Han characters that begins at byte `from`, each followed by the words in it at
/// the same place. Answers the next place.
pub(super) fn push(tokens: &mut Vec<Token>, from: usize, run: &str, mut position: usize) -> usize {
    let mut at = from;
    for cut in JIEBA.cut(run, false) {
        let word = cut.word;
        if !stop::is_stop(Language::Chinese, word) {
            tokens.push(Token { text: word.to_owned(), from: at, to: at + word.len(), position });
            parts(tokens, at, word, position);
        }
        at += word.len();
        position += 1;
    }
    position
}

fn parts(tokens: &mut Vec<Token>, from: usize, word: &str, position: usize) {
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    for chars in PART_CHARS.into_iter().filter(|chars| chars + 1 < ends.len()) {
        for (begin, end) in ends.iter().zip(ends.iter().skip(chars)) {
            let Some(part) = word.get(*begin..*end).filter(|part| JIEBA.has_word(part)) else {
                continue;
            };
            let (from, to) = (from + begin, from + end);
            tokens.push(Token { text: part.to_owned(), from, to, position });
        }
    }
}
