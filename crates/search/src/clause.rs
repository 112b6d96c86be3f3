//! From words to a query of tantivy.
//!
//! A word is found in the title or the text of any language, each as that language's analyser writes it, or
//! by a code whose name it is. All words of a short query must be found, of a pasted text a part of them.

use std::collections::{BTreeMap, BTreeSet};

use feed::search::Facet;
use practice::recommendation::Recommendation;
use tantivy::Searcher;
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, Occur,
    PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use crate::analyse::{Token, analyse};
use crate::fields::{Fields, TextFields, analyser};
use crate::labels;
use crate::words::{Word, Words};

/// A word in the title says more than one in the text.
const TITLE_BOOST: f32 = 3.0;
/// A code says less than the word itself.
const CODE_SCORE: f32 = 0.5;
/// What other fields than the best add.
const TIE: f32 = 0.1;
/// What hits in the reader's language are lifted by: more than any words come to.
pub(crate) const READER_LIFT: f32 = 10_000.0;
/// A query of so many words must be found whole; a longer one is a text that was pasted.
const WHOLE_WORDS_MAX: usize = 8;
/// The part of a pasted text that must be found, and of a short query when the whole is found nowhere.
const PASTED_SHARE: f32 = 0.4;
const LENIENT_SHARE: f32 = 0.5;
/// The part of a pasted text when no record has more of it: a recommendation and the practice that answers it
/// seldom use the same words.
const PASTED_LENIENT_SHARE: f32 = 0.2;
/// Words of the index that a prefix stands for, in each field.
const EXPANSIONS_MAX: usize = 64;

/// How much of the words must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// All, unless the text was pasted.
    Strict,
    /// About half, of a pasted text a fifth.
    Lenient,
}

/// Makes queries out of words.
pub(crate) struct Clauses<'a> {
    fields: &'a Fields,
    searcher: &'a Searcher,
    words: &'a Words,
    codes: BTreeMap<usize, BTreeSet<(Facet, &'static str)>>,
    /// The words that count for a match: those no language passes over, or all if there is no other.
    needed: Vec<(usize, &'a Word)>,
}

impl<'a> Clauses<'a> {
    pub(crate) fn new(fields: &'a Fields, searcher: &'a Searcher, words: &'a Words) -> Self {
        let texts: Vec<String> = words.wanted.iter().map(|word| word.text().to_owned()).collect();
        let all = words.wanted.iter().enumerate();
        // The numbers of a recommendation that nobody answers are found nowhere; what it speaks of may be.
        let number = |word: &Word| {
            words.named.is_some() && word.text().contains(|letter: char| letter.is_ascii_digit())
        };
        let counts = |word: &Word| !word.is_passed_over() && !number(word);
        let mut needed: Vec<_> = all.clone().filter(|(_, word)| counts(word)).collect();
        if needed.is_empty() {
            needed = all.collect();
        }
        Self { fields, searcher, words, codes: labels::codes(&texts), needed }
    }

    /// Whether a lenient query finds more than a strict one.
    pub(crate) fn can_be_lenient(&self) -> bool {
        let words = self.needed.len();
        words > 1 || (self.words.named.is_some() && words > 0)
    }

    /// What matches the words, hits in the language of the reader lifted above all others.
    pub(crate) fn query(
        &self,
        reader: &str,
        strictness: Strictness,
    ) -> tantivy::Result<Box<dyn Query>> {
        let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        let needed = self.needed.as_slice();
        if let (Some(named), Strictness::Strict) = (&self.words.named, strictness) {
            parts.push((Occur::Must, self.answering(named)));
            for (place, word) in self.words.wanted.iter().enumerate() {
                let clause = self.clause(place, word, self.fields.texts(), true)?;
                parts.extend(clause.map(|clause| (Occur::Should, clause)));
            }
        } else if needed.is_empty() {
            let all: Box<dyn Query> = if self.words.unwanted.is_empty() {
                Box::new(EmptyQuery)
            } else {
                Box::new(AllQuery)
            };
            parts.push((Occur::Must, Box::new(ConstScoreQuery::new(all, 0.0))));
        } else {
            let everywhere = self.fields.texts();
            parts.push((Occur::Must, self.all_of(needed, everywhere, true, strictness)?));
            for (place, word) in self.words.wanted.iter().enumerate() {
                if !needed.iter().any(|(needed, _)| *needed == place) {
                    parts.extend(
                        self.clause(place, word, everywhere, true)?.map(|it| (Occur::Should, it)),
                    );
                }
            }
            let of_reader: Vec<TextFields> = self.fields.text_of(reader).into_iter().collect();
            if !reader.is_empty() && !of_reader.is_empty() {
                let lifted = self.all_of(needed, &of_reader, false, strictness)?;
                parts.push((Occur::Should, Box::new(ConstScoreQuery::new(lifted, READER_LIFT))));
            }
        }
        for word in &self.words.unwanted {
            let clause = self.clause(usize::MAX, word, self.fields.texts(), false)?;
            parts.extend(clause.map(|clause| (Occur::MustNot, clause)));
        }
        Ok(Box::new(BooleanQuery::new(parts)))
    }

    /// Records that say they answer a recommendation: this paragraph, or the document without naming one.
    fn answering(&self, named: &Recommendation) -> Box<dyn Query> {
        let field = self.fields.symbol;
        let Some(paragraph) = &named.paragraph else {
            return scored(exactly(field, &named.symbol), 0.0);
        };
        let exact = scored(exactly(field, &answers_key(&named.symbol, paragraph)), 1.0);
        any(vec![exact, scored(exactly(field, &answers_key(&named.symbol, "")), 0.0)])
    }

    fn all_of(
        &self,
        needed: &[(usize, &Word)],
        fields: &[TextFields],
        codes: bool,
        strictness: Strictness,
    ) -> tantivy::Result<Box<dyn Query>> {
        let mut clauses = Vec::with_capacity(needed.len());
        for (place, word) in needed {
            clauses.push(
                self.clause(*place, word, fields, codes)?.unwrap_or_else(|| Box::new(EmptyQuery)),
            );
        }
        let count = clauses.len();
        let least = match strictness {
            Strictness::Strict if count <= WHOLE_WORDS_MAX => count,
            Strictness::Lenient if count <= WHOLE_WORDS_MAX => share(count, LENIENT_SHARE),
            Strictness::Strict => share(count, PASTED_SHARE),
            Strictness::Lenient => share(count, PASTED_LENIENT_SHARE),
        };
        Ok(Box::new(BooleanQuery::union_with_minimum_required_clauses(clauses, least)))
    }

    /// Where one word is found; `None` if these languages find nothing to look for in it.
    fn clause(
        &self,
        place: usize,
        word: &Word,
        fields: &[TextFields],
        codes: bool,
    ) -> tantivy::Result<Option<Box<dyn Query>>> {
        let mut ways: Vec<Box<dyn Query>> = Vec::new();
        for of_language in fields {
            let language = of_language.language;
            let tokens = match word {
                Word::Plain(text) | Word::Phrase(text) => places(analyse(language, text)),
                Word::Chinese(token) if language == analyser("zh") => {
                    BTreeMap::from([(0, vec![token.clone()])])
                }
                Word::Chinese(_) | Word::Prefix(_) => BTreeMap::new(),
            };
            for (field, boost) in [(of_language.title, TITLE_BOOST), (of_language.text, 1.0)] {
                let way = match word {
                    Word::Prefix(begin) => self.prefix(begin, language, field)?,
                    _ => phrase(field, &tokens),
                };
                ways.extend(way.map(|way| Box::new(BoostQuery::new(way, boost)) as Box<dyn Query>));
            }
        }
        if codes {
            for (facet, code) in self.codes.get(&place).into_iter().flatten() {
                ways.push(scored(exactly(self.fields.facet(*facet), code), CODE_SCORE));
            }
        }
        let found = !ways.is_empty();
        Ok(found
            .then(|| Box::new(DisjunctionMaxQuery::with_tie_breaker(ways, TIE)) as Box<dyn Query>))
    }

    /// The words of the index that begin so: as it is written, and as the analyser would shorten it.
    fn prefix(
        &self,
        begin: &str,
        language: &str,
        field: Field,
    ) -> tantivy::Result<Option<Box<dyn Query>>> {
        let begins = prefixes(begin, language);
        let mut terms: BTreeSet<String> = BTreeSet::new();
        for reader in self.searcher.segment_readers() {
            let index = reader.inverted_index(field)?;
            for begin in &begins {
                let mut stream = index.terms().range().ge(begin.as_bytes()).into_stream()?;
                while terms.len() < EXPANSIONS_MAX
                    && stream.advance()
                    && stream.key().starts_with(begin.as_bytes())
                {
                    terms.insert(String::from_utf8_lossy(stream.key()).into_owned());
                }
            }
        }
        let ways: Vec<Box<dyn Query>> = terms.iter().map(|term| counted(field, term)).collect();
        Ok((!ways.is_empty()).then(|| Box::new(DisjunctionMaxQuery::new(ways)) as Box<dyn Query>))
    }
}

/// How tokens that a prefix stands for begin.
pub(crate) fn prefixes(begin: &str, language: &str) -> BTreeSet<String> {
    let analysed = analyse(language, begin).into_iter().map(|token| token.text);
    analysed.chain([begin.to_lowercase()]).filter(|text| !text.is_empty()).collect()
}

/// The term for a paragraph of a document; an empty one for a document without one.
pub(crate) fn answers_key(symbol: &str, paragraph: &str) -> String {
    format!("{symbol}#{paragraph}")
}

/// Documents with exactly this term, for filters and codes.
pub(crate) fn exactly(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::Basic))
}

/// A filter: no part of the score.
pub(crate) fn filter(query: Box<dyn Query>) -> (Occur, Box<dyn Query>) {
    (Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0)))
}

/// Any of these; nothing if there are none.
pub(crate) fn any(queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    if queries.is_empty() { Box::new(EmptyQuery) } else { Box::new(BooleanQuery::union(queries)) }
}

fn scored(query: Box<dyn Query>, score: f32) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(query, score))
}

fn counted(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

/// Tokens by their place.
fn places(tokens: Vec<Token>) -> BTreeMap<usize, Vec<String>> {
    let mut places: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for token in tokens {
        places.entry(token.position).or_default().push(token.text);
    }
    places
}

/// The tokens side by side; those at one place are alternatives.
fn phrase(field: Field, places: &BTreeMap<usize, Vec<String>>) -> Option<Box<dyn Query>> {
    let first = *places.keys().next()?;
    if places.len() == 1 {
        let ways: Vec<_> = places.values().flatten().map(|text| counted(field, text)).collect();
        return Some(Box::new(DisjunctionMaxQuery::new(ways)));
    }
    let terms = places.iter().filter_map(|(place, texts)| {
        Some((place - first, Term::from_field_text(field, texts.first()?)))
    });
    Some(Box::new(PhraseQuery::new_with_offset(terms.collect())))
}

/// `part` of `count`, at least one.
fn share(count: usize, part: f32) -> usize {
    (1..=count).find(|least| *least as f32 >= count as f32 * part).unwrap_or(count).max(1)
}
