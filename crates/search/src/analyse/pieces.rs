//! A text cut into words, runs of Han characters, and the parts of symbols such as `A/HRC/47/5` or `24(b)`.

use unicode_segmentation::UnicodeSegmentation as _;

use super::fold::is_han;

/// Longest run of letters in a symbol: what has more is a word beside a number.
const SYMBOL_LETTERS_MAX: usize = 7;
/// What French, Catalan and Portuguese write before an apostrophe.
const ELIDED: [&str; 13] =
    ["l", "d", "c", "j", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu"];
/// What English writes after one.
const CONTRACTED: [&str; 7] = ["s", "t", "re", "ve", "ll", "d", "m"];

/// A piece, and the byte it begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A part of a symbol, which is neither shortened nor passed over.
    Part(usize, &'a str),
    /// A word.
    Word(usize, &'a str),
    /// Han characters side by side.
    Han(usize, &'a str),
}

/// The pieces in their order. In languages such as Guarani an apostrophe is a letter of the word.
pub(super) fn of(text: &str, apostrophe_is_letter: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut done = 0;
    for (from, to) in symbols(text) {
        words(&mut pieces, text, (done, from), apostrophe_is_letter);
        parts(&mut pieces, text, (from, to));
        done = to;
    }
    words(&mut pieces, text, (done, text.len()), apostrophe_is_letter);
    pieces
}

/// Where symbols stand: letters and digits joined by `/` or followed by `(`.
fn symbols(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut begin = None;
    let joins = |byte: u8| byte.is_ascii_alphanumeric() || b"/().-".contains(&byte);
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        match (joins(byte), begin) {
            (true, None) => begin = Some(at),
            (false, Some(from)) => {
                begin = None;
                if text.get(from..at).is_some_and(is_symbol) {
                    found.push((from, at));
                }
            }
            _ => {}
        }
    }
    found
}

fn is_symbol(run: &str) -> bool {
    let core = run.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let short = |letters: &str| letters.len() <= SYMBOL_LETTERS_MAX;
    core.contains(['/', '('])
        && core.bytes().any(|byte| byte.is_ascii_digit())
        && core.split(|letter: char| !letter.is_ascii_alphabetic()).all(short)
}

/// Letters and digits, and a full stop between digits: `122.35` is one number.
fn parts<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str, (from, to): (usize, usize)) {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let within = |at: usize| {
        let point = bytes.get(at) == Some(&b'.') && at > 0 && digit(at - 1) && digit(at + 1);
        at < to && (point || bytes.get(at).is_some_and(u8::is_ascii_alphanumeric))
    };
    let mut begin = None;
    for at in from..=to {
        match (within(at), begin) {
            (true, None) => begin = Some(at),
            (false, Some(start)) => {
                begin = None;
                pieces.extend(text.get(start..at).map(|part| Piece::Part(start, part)));
            }
            _ => {}
        }
    }
}

fn words<'a>(
    pieces: &mut Vec<Piece<'a>>,
    text: &'a str,
    (from, to): (usize, usize),
    apostrophe_is_letter: bool,
) {
    let mut han: Option<(usize, usize)> = None;
    for (at, word) in text.get(from..to).unwrap_or_default().unicode_word_indices() {
        let at = from + at;
        if word.chars().all(is_han) {
            let end = at + word.len();
            match &mut han {
                Some((_, to)) if *to == at => *to = end,
                _ => {
                    run(pieces, text, han.take());
                    han = Some((at, end));
                }
            }
            continue;
        }
        run(pieces, text, han.take());
        if apostrophe_is_letter {
            pieces.push(Piece::Word(at, word));
        } else {
            split(pieces, at, word);
        }
    }
    run(pieces, text, han);
}

fn run<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str, han: Option<(usize, usize)>) {
    let found = han.and_then(|(from, to)| Some(Piece::Han(from, text.get(from..to)?)));
    pieces.extend(found);
}

/// A word at its apostrophes, without what was elided or contracted: `l’État`, `State's`.
fn split<'a>(pieces: &mut Vec<Piece<'a>>, at: usize, word: &'a str) {
    let mut from = at;
    let count = word.split(is_apostrophe).count();
    for (number, part) in word.split(is_apostrophe).enumerate() {
        let lower = part.to_lowercase();
        let elided = number + 1 < count && ELIDED.contains(&lower.as_str());
        let contracted = number > 0 && CONTRACTED.contains(&lower.as_str());
        if !part.is_empty() && !elided && !contracted {
            pieces.push(Piece::Word(from, part));
        }
        let after = word.get(from - at + part.len()..).and_then(|rest| rest.chars().next());
        from += part.len() + after.map_or(0, char::len_utf8);
    }
}

/// The characters that people type for an apostrophe.
pub(super) fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '‘' | 'ʼ' | 'ʹ' | '＇')
}
