//! From what a person typed in a closed list to its code: the code itself or a label in any of the
//! languages, whatever the case; and for a near miss, what was probably meant.

use std::collections::HashMap;

/// A closed list as a form shows it and a file is read with it.
#[derive(Debug, Default)]
pub(super) struct Choices {
    name: &'static str,
    entries: Vec<Choice>,
    /// Folded code or label → positions in `entries`.
    index: HashMap<String, Vec<usize>>,
}

/// One entry of a closed list.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// What is stored.
    pub(super) code: String,
    /// What is shown, by language.
    pub(super) labels: Vec<(String, String)>,
}

/// Longest text for which a near miss is looked for, in characters: the search takes the square of it.
const NEAR_MISS_CHARS_MAX: usize = 80;

impl Choice {
    /// The label in `language`, else in English, else the code.
    pub(super) fn label(&self, language: &str) -> &str {
        let find = |wanted: &str| {
            self.labels
                .iter()
                .find(|(language, _)| language == wanted)
                .map(|(_, label)| label.as_str())
        };
        find(language).or_else(|| find("en")).unwrap_or(&self.code)
    }
}

impl Choices {
    /// The list called `name` with `entries` in their order.
    pub(super) fn new(name: &'static str, entries: Vec<Choice>) -> Self {
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, entry) in entries.iter().enumerate() {
            for name in
                std::iter::once(&entry.code).chain(entry.labels.iter().map(|(_, label)| label))
            {
                let positions = index.entry(fold(name)).or_default();
                if positions.last() != Some(&position) {
                    positions.push(position);
                }
            }
        }
        Self { name, entries, index }
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The entries as a reader of `language` looks for them: States by their names, others in the
    /// order of the list.
    pub(super) fn shown(&self, language: &str) -> Vec<&Choice> {
        let mut entries: Vec<&Choice> = self.entries.iter().collect();
        if self.name == "states" {
            entries
                .sort_by_cached_key(|entry| practice::vocabulary::sort_key(entry.label(language)));
        }
        entries
    }

    /// All entries in order.
    pub(super) fn entries(&self) -> &[Choice] {
        &self.entries
    }

    /// The code that `text` stands for: a code, a label in any language (where two entries share
    /// one, that of `language`), or a code followed by its label as the form's lists show it.
    pub(super) fn code(&self, text: &str, language: &str) -> Option<&str> {
        self.exactly(text, language).or_else(|| {
            let (code, _) = text.split_once(" – ")?;
            self.exactly(code, language)
        })
    }

    /// What was probably meant by `text`: the nearest label, in `language` where it is as near.
    pub(super) fn suggestion(&self, text: &str, language: &str) -> Option<&str> {
        let wanted: Vec<char> = fold(text).chars().collect();
        if wanted.is_empty() || wanted.len() > NEAR_MISS_CHARS_MAX {
            return None;
        }
        let allowed = (wanted.len() / 4).max(1);
        let mut best: Option<(usize, &Choice)> = None;
        for entry in &self.entries {
            for name in
                std::iter::once(&entry.code).chain(entry.labels.iter().map(|(_, label)| label))
            {
                let name: Vec<char> = fold(name).chars().collect();
                let starts = wanted.len() >= 3 && name.starts_with(&wanted);
                let distance = if starts { 1 } else { distance(&wanted, &name, allowed) };
                if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
                    best = Some((distance, entry));
                }
            }
        }
        best.map(|(_, entry)| entry.label(language))
    }

    fn exactly(&self, text: &str, language: &str) -> Option<&str> {
        let positions = self.index.get(&fold(text))?;
        let entries: Vec<&Choice> =
            positions.iter().filter_map(|position| self.entries.get(*position)).collect();
        match entries.as_slice() {
            [only] => Some(&only.code),
            several => several
                .iter()
                .find(|entry| fold(entry.label(language)) == fold(text))
                .map(|entry| entry.code.as_str()),
        }
    }
}

/// How names are compared: without case, with one kind of apostrophe, dash and space, and without
/// the final full stop.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.trim().trim_end_matches(['.', '。']).chars().flat_map(char::to_lowercase) {
        match c {
            '’' | '‘' | 'ʼ' | '`' => folded.push('\''),
            '–' | '—' | '‐' | '‑' => folded.push('-'),
            // Vowel signs and the stretching line of Arabic, marks of direction.
            '\u{64b}'..='\u{652}' | '\u{640}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => {}
            c if c.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            c => folded.push(c),
        }
    }
    folded
}

/// Edits (insert, drop, change, swap neighbours) between two texts; anything over `most` may be
/// answered by `most + 1`.
fn distance(a: &[char], b: &[char], most: usize) -> usize {
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut least = (at(&above, j) + usize::from(x != y))
                .min(at(&above, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = above;
        above = row;
    }
    above.last().copied().unwrap_or(most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Choices {
        let entry = |code: &str, labels: &[(&str, &str)]| Choice {
            code: code.into(),
            labels: labels.iter().map(|(l, t)| ((*l).into(), (*t).into())).collect(),
        };
        Choices::new(
            "test",
            vec![
                entry(
                    "coordination",
                    &[
                        ("en", "Coordination"),
                        ("fr", "Coordination"),
                        ("ar", "التنسيق"),
                        ("ru", "Координация"),
                    ],
                ),
                entry(
                    "information-management",
                    &[("en", "Information management"), ("fr", "Gestion de l’information")],
                ),
                entry("PY", &[("en", "Paraguay"), ("es", "Paraguay")]),
                entry("x1", &[("en", "Same"), ("fr", "Autre")]),
                entry("x2", &[("en", "Other"), ("fr", "Same")]),
            ],
        )
    }

    #[test]
    fn codes_and_labels_of_any_language_are_read_without_case() {
        let list = list();
        for text in ["coordination", "COORDINATION", "التنسيق", "координация", " Coordination "]
        {
            assert_eq!(list.code(text, "fr"), Some("coordination"), "{text}");
        }
        assert_eq!(list.code("gestion de l'information", "es"), Some("information-management"));
        assert_eq!(list.code("py", "en"), Some("PY"));
        assert_eq!(list.code("PY – whatever", "en"), Some("PY"));
        assert_eq!(list.code("nothing", "en"), None);
    }

    #[test]
    fn a_label_that_two_entries_share_is_read_in_the_language_of_the_record() {
        assert_eq!(list().code("same", "en"), Some("x1"));
        assert_eq!(list().code("same", "fr"), Some("x2"));
        assert_eq!(list().code("same", "ru"), Some("x1"));
    }

    #[test]
    fn a_near_miss_is_answered_with_what_was_meant() {
        let list = list();
        assert_eq!(list.suggestion("cordination", "en"), Some("Coordination"));
        assert_eq!(
            list.suggestion("Gestion de linformation", "fr"),
            Some("Gestion de l’information")
        );
        assert_eq!(list.suggestion("Praaguay", "en"), Some("Paraguay"));
        assert_eq!(list.suggestion("completely different", "en"), None);
    }
}
