//! A record that was found, as a line of the page.

use feed::search::Part;
use practice::language;
use practice::vocabulary::Vocabulary;
use wire::paths;

use crate::app::App;
use crate::found::Found;
use crate::pages::node_name;
use crate::texts::{Texts, iso};

/// One record that was found.
pub(super) struct HitLine {
    pub(super) href: String,
    pub(super) kind: String,
    pub(super) lang: String,
    pub(super) dir: &'static str,
    /// Empty for a withdrawn record.
    pub(super) title: Vec<Words>,
    pub(super) excerpt: Vec<Words>,
    pub(super) withdrawn: bool,
    pub(super) answers: bool,
    pub(super) states: String,
    pub(super) node: String,
    pub(super) date: String,
    pub(super) time: String,
    /// The name of the language it was found in, where that is not the reader's.
    pub(super) language: Option<String>,
}

/// A part of a text.
pub(super) struct Words {
    pub(super) text: String,
    pub(super) marked: bool,
}

/// The line of a record.
pub(super) fn line(app: &App, found: &Found, texts: &Texts) -> HitLine {
    let hit = &found.hit;
    let label = |list: &str, code: &str| {
        Vocabulary::get(list).map_or(code, |list| list.label(code, texts.code())).to_owned()
    };
    let foreign = !hit.title.is_empty() && language::primary(&hit.language) != texts.code();
    let mut states: Vec<String> =
        found.hit.states.iter().map(|code| label("states", code)).collect();
    texts.sort_by_name(&mut states, |name| name);
    let time = iso(u64::try_from(hit.changed).unwrap_or_default());
    HitLine {
        href: paths::record(&hit.origin, &hit.id),
        kind: found
            .kind
            .as_ref()
            .map_or_else(String::new, |kind| label("record-kinds", kind.as_str())),
        lang: if hit.language.is_empty() { texts.code().to_owned() } else { hit.language.clone() },
        dir: language::direction(if hit.language.is_empty() {
            texts.code()
        } else {
            &hit.language
        }),
        title: words(&hit.title),
        excerpt: words(&hit.excerpt),
        withdrawn: hit.withdrawn,
        answers: found.answers,
        states: texts.listed(&states),
        node: node_name(app, hit.origin.node(), texts),
        date: texts.date(&time),
        time,
        language: foreign.then(|| {
            texts.with("search-found-in", &[("reason", &label("languages", &hit.language))])
        }),
    }
}

/// The parts of a text; where one field ends and the next begins, a mark stands between them.
fn words(parts: &[Part]) -> Vec<Words> {
    let words = |part: &Part| Words {
        text: part.text().replace('\n', " · "),
        marked: matches!(part, Part::Marked(_)),
    };
    parts.iter().map(words).collect()
}
