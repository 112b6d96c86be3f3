//! The closed lists of codes and their names in seven languages, among them the names of States.
//!
//! The lists are data (`vocab/*.json`), embedded and parsed once, when first asked for. Names of States come
//! from here and from nowhere else: neither from an operating system nor from a library.

use crate::language::primary;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

/// One closed list of codes.
#[derive(Debug)]
pub struct Vocabulary {
    name: &'static str,
    terms: Vec<Term>,
    by_code: HashMap<String, usize>,
    /// Made when somebody first writes a name where a code belongs.
    names: OnceLock<Names>,
}

/// What a person may write for a term, folded, and the first term it means.
#[derive(Debug, Default)]
struct Names {
    codes: HashMap<String, usize>,
    labels: HashMap<String, usize>,
}

/// One code of a vocabulary.
#[derive(Debug)]
pub struct Term {
    /// The code records use.
    pub code: String,
    entry: Map<String, Value>,
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../vocab/", $name, ".json"))
    };
}

/// Name of a vocabulary, its file, and the lists in it that it joins.
const LISTS: &[(&str, &str, &[&str])] = &[
    ("affected-persons", file!("affected-persons"), &["persons"]),
    ("attestation-relations", file!("attestation-relations"), &["relations"]),
    ("bases", file!("bases"), &["bases"]),
    ("capacities", file!("capacities"), &["capacities"]),
    ("checklist", file!("completeness-checklist"), &["items"]),
    ("cooperation-formats", file!("cooperation-modalities"), &["formats"]),
    ("cooperation-modalities", file!("cooperation-modalities"), &["modalities"]),
    ("cooperation-roles", file!("cooperation-modalities"), &["roles"]),
    ("coordinates", file!("coordinates"), &["points"]),
    ("fields", file!("fields"), &["fields"]),
    ("gateway-headings", file!("gateway-sections"), &["headings"]),
    ("gateway-sections", file!("gateway-sections"), &["sections"]),
    ("human-rights-mechanism-families", file!("human-rights-mechanisms"), &["families"]),
    (
        "human-rights-mechanisms",
        file!("human-rights-mechanisms"),
        &["treaty_bodies", "charter_bodies", "upr", "upr_cycles", "special_procedures", "regional"],
    ),
    ("languages", file!("languages"), &["languages"]),
    ("legal-bases", file!("mechanism-types"), &["legal_bases"]),
    ("m49-regions", file!("states"), &["m49_regions"]),
    ("mechanism-statuses", file!("mechanism-types"), &["statuses"]),
    ("mechanism-types", file!("mechanism-types"), &["types"]),
    ("owner-levels", file!("owner-levels"), &["levels"]),
    ("participation-reasons", file!("participation-statuses"), &["reasons"]),
    ("participation-statuses", file!("participation-statuses"), &["statuses"]),
    ("practice-topics", file!("practice-topics"), &["topics"]),
    ("recommendation-document-types", file!("recommendation-document-types"), &["types"]),
    ("record-kinds", file!("record-kinds"), &["kinds"]),
    ("regional-groups", file!("states"), &["regional_groups"]),
    ("reuse-licences", file!("reuse-licences"), &["licences"]),
    ("sdgs", file!("sdg"), &["goals"]),
    ("stakeholders", file!("stakeholders"), &["stakeholders"]),
    ("state-groups", file!("states"), &["groups"]),
    ("states", file!("states"), &["states"]),
    ("terms", file!("terms"), &["terms"]),
    ("theme-groups", file!("themes"), &["groups"]),
    ("themes", file!("themes"), &["themes"]),
    ("un-statuses", file!("states"), &["un_statuses"]),
    ("withdrawal-reasons", file!("withdrawal-reasons"), &["reasons"]),
];

static VOCABULARIES: LazyLock<HashMap<&'static str, Vocabulary>> = LazyLock::new(|| {
    let mut parsed: HashMap<&str, Value> = HashMap::new();
    LISTS
        .iter()
        .map(|&(name, text, lists)| {
            // The files are embedded; a test reads every one of them.
            let file = parsed
                .entry(text)
                .or_insert_with(|| serde_json::from_str(text).unwrap_or_default());
            let entries =
                lists.iter().filter_map(|list| file.get(*list)?.as_array()).flatten().cloned();
            let entries: Vec<Value> =
                if name == "sdgs" { with_targets(entries) } else { entries.collect() };
            (name, Vocabulary::new(name, entries))
        })
        .collect()
});

impl Vocabulary {
    /// The vocabulary called `name`, such as `capacities`; `None` if there is none.
    pub fn get(name: &str) -> Option<&'static Self> {
        VOCABULARIES.get(name)
    }

    /// The names of all vocabularies, in their order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        LISTS.iter().map(|&(name, _, _)| name)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its terms, in the order of the list.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The term of `code`.
    pub fn term(&self, code: &str) -> Option<&Term> {
        self.by_code.get(code).and_then(|&index| self.terms.get(index))
    }

    /// Whether `code` is one of the list.
    pub fn contains(&self, code: &str) -> bool {
        self.by_code.contains_key(code)
    }

    /// The name of `code` for a reader of `language`: in that language, else in English, else the code.
    pub fn label<'a>(&'a self, code: &'a str, language: &str) -> &'a str {
        self.term(code).map_or(code, |term| term.label(language))
    }

    /// The term that a person means: by its code, whatever its case, or by its name in any language.
    pub fn find(&self, text: &str) -> Option<&Term> {
        let text = text.trim();
        self.term(text).or_else(|| {
            let names = self.names.get_or_init(|| Names::of(&self.terms));
            let code = names.codes.get(&text.to_ascii_lowercase());
            let first = code.into_iter().chain(names.labels.get(&sort_key(text))).min();
            self.terms.get(*first?)
        })
    }

    /// The term whose code is nearest to a misspelt one, if one is near.
    pub fn nearest(&self, code: &str) -> Option<&Term> {
        let code = code.trim().to_lowercase().replace([' ', '_'], "-");
        let near = self.terms.iter().map(|term| (distance(&code, &term.code.to_lowercase()), term));
        let (distance, term) = near.min_by_key(|(distance, _)| *distance)?;
        // Two slips in a word, none in a code of two letters.
        (distance <= 2 && distance * 3 <= code.chars().count()).then_some(term)
    }

    /// Its terms in the alphabetical order of their names in `language`, accents set aside.
    pub fn sorted(&self, language: &str) -> Vec<&Term> {
        let mut terms: Vec<_> = self.terms.iter().collect();
        terms.sort_by_cached_key(|term| sort_key(term.label(language)));
        terms
    }

    fn new(name: &'static str, entries: Vec<Value>) -> Self {
        let terms: Vec<Term> = entries
            .into_iter()
            .filter_map(|entry| match entry {
                Value::Object(entry) => {
                    let code = entry.get("code")?.as_str()?.to_owned();
                    Some(Term { code, entry })
                }
                _ => None,
            })
            .collect();
        let by_code =
            terms.iter().enumerate().map(|(index, term)| (term.code.clone(), index)).collect();
        Self { name, terms, by_code, names: OnceLock::new() }
    }
}

impl Names {
    fn of(terms: &[Term]) -> Self {
        let mut names = Self::default();
        for (index, term) in terms.iter().enumerate() {
            names.codes.entry(term.code.to_ascii_lowercase()).or_insert(index);
            let labels = term.entry.get("label").and_then(Value::as_object);
            for label in labels.into_iter().flat_map(Map::values).filter_map(Value::as_str) {
                names.labels.entry(sort_key(label)).or_insert(index);
            }
        }
        names
    }
}

impl Term {
    /// Its name for a reader of `language`: in that language, else in English, else the code.
    pub fn label(&self, language: &str) -> &str {
        self.text("label", language).unwrap_or(&self.code)
    }

    /// Another text of the entry by languages, such as `question` or `formal`: in `language`, else in English.
    pub fn text(&self, member: &str, language: &str) -> Option<&str> {
        let map = self.entry.get(member)?.as_object()?;
        let wanted =
            map.get(language).or_else(|| map.get(primary(language))).or_else(|| map.get("en"));
        wanted?.as_str()
    }

    /// A member of the entry that is one string, such as `un_regional_group`.
    pub fn string(&self, member: &str) -> Option<&str> {
        self.entry.get(member)?.as_str()
    }

    /// Any member of the entry.
    pub fn get(&self, member: &str) -> Option<&Value> {
        self.entry.get(member)
    }
}

/// The States: codes of ISO 3166-1 alpha-2, names as the United Nations writes them.
pub fn states() -> &'static Vocabulary {
    static EMPTY: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::new("states", Vec::new()));
    Vocabulary::get("states").unwrap_or_else(|| &EMPTY)
}

/// The UN regional group of a State, such as `grulac`; `None` for a State in none.
pub fn regional_group(state: &str) -> Option<&'static str> {
    states().term(state)?.string("un_regional_group")
}

/// Whether a record may name this State: one of the list, or an invented one of demonstrations (`XA` to
/// `XZ`, which ISO 3166-1 leaves to users; not `XK`, which is in use).
pub fn is_state(code: &str) -> bool {
    let invented = matches!(code.as_bytes(), [b'X', b'A'..=b'Z']) && code != "XK";
    invented || states().contains(code)
}

/// A key that sorts names as a reader expects: capitals, accents, apostrophes, hyphens and the Arabic article
/// at the beginning set aside, as in the lists of States of the United Nations.
/// Languages without an alphabet of letters are sorted by code point.
pub fn sort_key(name: &str) -> String {
    let fold = |letter: char| match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ё' => 'е',
        'أ' | 'إ' | 'آ' => 'ا',
        '-' => ' ',
        other => other,
    };
    let name = name.strip_prefix("ال").filter(|rest| !rest.is_empty()).unwrap_or(name);
    let kept = name
        .chars()
        .flat_map(char::to_lowercase)
        .filter(|letter| !matches!(letter, '’' | '\'' | '(' | ')'));
    kept.map(fold).collect()
}

/// How many letters must be changed, added or removed to turn one text into the other (Levenshtein); texts
/// over a code's length are far from every code.
fn distance(left: &str, right: &str) -> usize {
    const LENGTH_MAX: usize = 64;
    if left.len() > LENGTH_MAX || right.len() > LENGTH_MAX {
        return usize::MAX;
    }
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut previous = index;
        let mut next = vec![index + 1];
        for (other, &above) in right.iter().zip(row.iter().skip(1)) {
            let changed = previous + usize::from(*other != letter);
            let kept = next.last().copied().unwrap_or_default() + 1;
            next.push(changed.min(above + 1).min(kept));
            previous = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The goals, and after each its targets; where a target has no short name in a language, its official text.
fn with_targets(goals: impl Iterator<Item = Value>) -> Vec<Value> {
    let texts: Value = serde_json::from_str(file!("sdg-target-texts")).unwrap_or_default();
    let texts: HashMap<&str, &Map<String, Value>> = texts
        .get("targets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|target| {
            Some((target.get("code")?.as_str()?, target.get("text")?.as_object()?))
        })
        .collect();
    let mut all = Vec::new();
    for mut goal in goals {
        let targets =
            goal.as_object_mut().and_then(|goal| goal.shift_remove("targets")).unwrap_or_default();
        all.push(goal);
        for mut target in targets.as_array().cloned().unwrap_or_default() {
            let text = target.get("code").and_then(Value::as_str).and_then(|code| texts.get(code));
            if let (Some(text), Some(label)) =
                (text, target.get_mut("label").and_then(Value::as_object_mut))
            {
                for (language, text) in *text {
                    label.entry(language.clone()).or_insert_with(|| text.clone());
                }
            }
            all.push(target);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::INTERFACE;

    #[test]
    fn every_list_is_there_with_distinct_codes_and_names_in_seven_languages() {
        let without_names = ["coordinates", "gateway-headings"];
        for name in Vocabulary::names() {
            let vocabulary = Vocabulary::get(name).unwrap();
            assert!(!vocabulary.terms().is_empty(), "{name}");
            assert_eq!(vocabulary.terms().len(), vocabulary.by_code.len(), "{name}");
            for term in vocabulary
                .terms()
                .iter()
                .filter(|term| !without_names.contains(&name) && !term.code.contains('.'))
            {
                for language in INTERFACE {
                    let label = term.entry["label"][language].as_str().unwrap_or_default();
                    assert!(!label.is_empty(), "{name}: {} in {language}", term.code);
                }
            }
        }
        assert_eq!(states().terms().len(), 197);
        assert_eq!(Vocabulary::get("sdgs").unwrap().terms().len(), 17 + 169);
    }

    #[test]
    fn names_fall_back_to_english_and_then_to_the_code() {
        let capacities = Vocabulary::get("capacities").unwrap();
        assert_eq!(capacities.label("coordination", "es"), "Coordinación");
        assert_eq!(capacities.label("coordination", "es-PY"), "Coordinación");
        assert_eq!(capacities.label("coordination", "gn"), "Coordination");
        assert_eq!(capacities.label("nonsense", "es"), "nonsense");
        assert!(
            Vocabulary::get("sdgs").unwrap().label("16.6", "fr").starts_with("Mettre en place")
        );
        assert!(Vocabulary::get("nonsense").is_none());
    }

    #[test]
    fn a_term_is_found_by_its_code_or_a_name_however_it_is_written() {
        for text in ["PY", " py ", "Paraguay", "PARAGUAY", "парагвай"] {
            assert_eq!(states().find(text).map(|term| term.code.as_str()), Some("PY"), "{text}");
        }
        assert!(states().find("XA").is_none() && states().find("").is_none());
    }

    #[test]
    fn states_are_found_grouped_and_sorted_in_the_readers_language() {
        assert_eq!(states().label("PY", "ru"), "Парагвай");
        assert_eq!(regional_group("PY"), Some("grulac"));
        assert!(
            is_state("PY")
                && is_state("XA")
                && !is_state("XK")
                && !is_state("py")
                && !is_state("ZZ")
        );
        let french: Vec<_> =
            states().sorted("fr").iter().map(|state| state.code.as_str()).collect();
        let arabic: Vec<_> = states().sorted("ar").iter().map(|state| state.label("ar")).collect();
        let stands = |name| arabic.iter().position(|&known| known == name).unwrap();
        assert!(stands("بالاو") < stands("البرازيل") && stands("البرازيل") < stands("بوتسوانا"));
        let place = |code| french.iter().position(|&known| known == code).unwrap();
        assert!(
            place("ES") < place("EE") && place("EE") < place("ET") && place("ET") < place("FJ")
        );
    }
}
