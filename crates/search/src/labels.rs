//! The names of codes, in every language: who looks for `Парагвай` finds the records about `PY`, whatever
//! language they are written in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use feed::search::Facet;
use practice::language::INTERFACE;
use practice::vocabulary::Vocabulary;

use crate::analyse::analyse;

/// The vocabularies whose names are looked for, by their facets.
const NAMED: [(Facet, &str); 10] = [
    (Facet::State, "states"),
    (Facet::Region, "regional-groups"),
    (Facet::Situation, "state-groups"),
    (Facet::Capacity, "capacities"),
    (Facet::Topic, "practice-topics"),
    (Facet::Theme, "themes"),
    (Facet::AffectedPersons, "affected-persons"),
    (Facet::Sdg, "sdgs"),
    (Facet::HumanRightsMechanism, "human-rights-mechanisms"),
    (Facet::Kind, "record-kinds"),
];

/// For each word of a query, by its place in the list, the codes in whose name it stands, if all words of
/// that name are in the query.
pub(crate) fn codes(words: &[String]) -> BTreeMap<usize, BTreeSet<(Facet, &'static str)>> {
    let mut found: BTreeMap<usize, BTreeSet<(Facet, &'static str)>> = BTreeMap::new();
    for language in INTERFACE {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, word) in words.iter().enumerate() {
            for token in analyse(language, word) {
                places.entry(token.text).or_insert(place);
            }
        }
        let Some(labels) = LABELS.get(language) else { continue };
        let near: BTreeSet<usize> = places
            .keys()
            .filter_map(|token| labels.by_token.get(token))
            .flatten()
            .copied()
            .collect();
        for label in near.into_iter().filter_map(|number| labels.all.get(number)) {
            let all = || label.words.iter().map(|ways| ways.iter().find_map(|way| places.get(way)));
            if all().all(|place| place.is_some()) {
                for place in all().flatten() {
                    found.entry(*place).or_default().insert((label.facet, label.code));
                }
            }
        }
    }
    found
}

/// The names in one language.
#[derive(Default)]
struct Labels {
    all: Vec<Label>,
    by_token: HashMap<String, Vec<usize>>,
}

struct Label {
    facet: Facet,
    code: &'static str,
    /// For each word of the name, the tokens that are alternatives.
    words: Vec<BTreeSet<String>>,
}

static LABELS: LazyLock<HashMap<&'static str, Labels>> = LazyLock::new(|| {
    INTERFACE.into_iter().map(|language| (language, Labels::of(language))).collect()
});

impl Labels {
    fn of(language: &'static str) -> Self {
        let mut labels = Self::default();
        for (facet, name) in NAMED {
            let terms = Vocabulary::get(name).map(Vocabulary::terms).unwrap_or_default();
            // Targets have whole sentences for names.
            for term in terms.iter().filter(|term| facet != Facet::Sdg || !term.code.contains('.'))
            {
                labels.add(facet, &term.code, analyse(language, term.label(language)));
            }
        }
        labels
    }

    fn add(&mut self, facet: Facet, code: &'static str, tokens: Vec<crate::analyse::Token>) {
        let mut words: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for token in tokens {
            words.entry(token.position).or_default().insert(token.text);
        }
        if words.is_empty() {
            return;
        }
        let words: Vec<_> = words.into_values().collect();
        for token in words.iter().flatten() {
            self.by_token.entry(token.clone()).or_default().push(self.all.len());
        }
        self.all.push(Label { facet, code, words });
    }
}
