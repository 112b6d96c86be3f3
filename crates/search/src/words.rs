//! What a reader typed, taken apart. Nothing is a mistake: what makes no sense as a rule is a word.

use std::collections::BTreeSet;

use crate::analyse::analyse;
use crate::fields::OTHER;
use practice::language::INTERFACE;
use practice::recommendation::Recommendation;

/// Words looked for: a pasted text has more, and the first ones tell enough.
const WORDS_MAX: usize = 64;
/// Letters of a prefix: with fewer, half of all words begin with it.
const PREFIX_LETTERS_MIN: usize = 2;

/// The words of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// What should be found, in the order it was written.
    pub(crate) wanted: Vec<Word>,
    /// What must not be found.
    pub(crate) unwanted: Vec<Word>,
    /// The recommendation that the text names: what answers it is looked for, and the words beside it only
    /// if nothing does.
    pub(crate) named: Option<Recommendation>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// A word, looked for as each language would write it.
    Plain(String),
    /// Words that stand side by side.
    Phrase(String),
    /// How a word begins.
    Prefix(String),
    /// A token of Chinese, which puts no spaces between words.
    Chinese(String),
}

impl Words {
    /// Takes `text` apart.
    pub(crate) fn read(text: &str) -> Self {
        let mut words = Self { named: Recommendation::find(text), ..Self::default() };
        let mut rest = text;
        while let Some((piece, after)) = next_piece(rest) {
            rest = after;
            if words.wanted.len() + words.unwanted.len() >= WORDS_MAX {
                break;
            }
            words.add(&piece);
        }
        words.drop_twice();
        words
    }

    fn add(&mut self, piece: &Piece<'_>) {
        let (text, unwanted) = match piece {
            Piece::Quoted(text, unwanted) | Piece::Bare(text, unwanted) => (*text, *unwanted),
        };
        let found = match piece {
            Piece::Quoted(..) => vec![Word::Phrase(text.to_owned())],
            Piece::Bare(..) => Self::bare(text),
        };
        let room = WORDS_MAX.saturating_sub(self.wanted.len() + self.unwanted.len());
        let side = if unwanted { &mut self.unwanted } else { &mut self.wanted };
        side.extend(found.into_iter().filter(|word| !word.is_empty()).take(room));
    }

    fn bare(text: &str) -> Vec<Word> {
        if let Some(begin) = text.strip_suffix('*')
            && begin.chars().filter(|letter| letter.is_alphanumeric()).count() >= PREFIX_LETTERS_MIN
        {
            return vec![Word::Prefix(begin.to_owned())];
        }
        if text.chars().any(is_han) {
            return analyse("zh", text)
                .into_iter()
                .map(|token| Word::Chinese(token.text))
                .collect();
        }
        vec![Word::Plain(text.to_owned())]
    }

    fn drop_twice(&mut self) {
        let mut seen = BTreeSet::new();
        self.wanted.retain(|word| seen.insert(format!("{word:?}")));
    }
}

impl Word {
    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Phrase(text) | Self::Prefix(text) | Self::Chinese(text) => {
                text
            }
        }
    }

    /// Whether no language finds anything to look for in it.
    fn is_empty(&self) -> bool {
        match self {
            Self::Plain(text) | Self::Phrase(text) => {
                languages().all(|of| analyse(of, text).is_empty())
            }
            _ => false,
        }
    }

    /// Whether one of the languages passes over it, as English does over `the`: what a record in another
    /// language need not have.
    pub(crate) fn is_passed_over(&self) -> bool {
        match self {
            Self::Plain(text) => languages().any(|of| analyse(of, text).is_empty()),
            _ => false,
        }
    }
}

/// The languages that have an analyser.
pub(crate) fn languages() -> impl Iterator<Item = &'static str> {
    INTERFACE.into_iter().chain([OTHER])
}

/// What stands between two spaces or two quotation marks, and whether `-` stands before it.
enum Piece<'a> {
    Quoted(&'a str, bool),
    Bare(&'a str, bool),
}

fn next_piece(text: &str) -> Option<(Piece<'_>, &str)> {
    let text = text.trim_start();
    let minus = text.strip_prefix(['-', '−']).filter(|rest| {
        rest.starts_with(|next: char| next.is_alphanumeric() || closing(next).is_some())
    });
    let (unwanted, text) = minus.map_or((false, text), |rest| (true, rest));
    let first = text.chars().next()?;
    if let Some(close) = closing(first) {
        let inner = text.get(first.len_utf8()..)?;
        if let Some((quoted, after)) = inner.split_once(close) {
            return Some((Piece::Quoted(quoted, unwanted), after));
        }
        return Some((Piece::Bare(inner.get(..0)?, unwanted), inner));
    }
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '“' | '«' | '„');
    let end = text.find(ends).unwrap_or(text.len());
    let (bare, after) = text.split_at_checked(end)?;
    Some((Piece::Bare(bare, unwanted), after))
}

/// The mark that ends what `mark` begins.
fn closing(mark: char) -> Option<char> {
    match mark {
        '"' => Some('"'),
        '“' => Some('”'),
        '„' => Some('“'),
        '«' => Some('»'),
        _ => None,
    }
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Word {
        Word::Plain(text.to_owned())
    }

    #[test]
    fn quotes_stars_and_minus_have_a_meaning_and_nothing_is_a_mistake() {
        let words = Words::read("\"national mechanism\" monitor* -database «группа» \"open");
        assert_eq!(
            words.wanted,
            [
                Word::Phrase("national mechanism".to_owned()),
                Word::Prefix("monitor".to_owned()),
                Word::Phrase("группа".to_owned()),
                plain("open"),
            ]
        );
        assert_eq!(words.unwanted, [plain("database")]);
        for text in ["", "   ", "\"", "-", "* -", "\"\"", "((( ]]]", "-\"", "“„«"] {
            assert_eq!(Words::read(text), Words::default(), "{text}");
        }
    }

    #[test]
    fn a_recommendation_is_recognised_in_what_was_pasted() {
        let named = Words::read("Establish a mechanism (A/HRC/46/17, para. 122.35)").named.unwrap();
        assert_eq!(
            (named.symbol.as_str(), named.paragraph.as_deref()),
            ("A/HRC/46/17", Some("122.35"))
        );
        assert_eq!(Words::read("122.35").named, None);
    }

    #[test]
    fn a_text_of_any_length_has_a_bounded_number_of_words() {
        let long: String = (0..5_000).map(|number| format!("word{number} ")).collect();
        assert_eq!(Words::read(&long).wanted.len(), WORDS_MAX);
        let chinese = "国家人权机制".repeat(500);
        assert!(Words::read(&chinese).wanted.len() <= WORDS_MAX);
    }
}
