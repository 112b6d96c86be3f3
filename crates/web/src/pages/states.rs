//! The directory of States about which records are held: by UN regional group, or alphabetically in the
//! language of the reader. Nothing is counted beside a State.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::search::Facet;
use practice::vocabulary::{self, Term, Vocabulary};
use wire::paths::site;

use super::line::known_nodes;
use super::shelf::newest;
use super::{Frame, Reader, is_documentation, node_subject};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;
use crate::found;
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "states.html")]
struct StatesPage {
    frame: Frame,
    alphabetical: bool,
    groups: Vec<Group>,
}

/// States under one heading.
struct Group {
    /// For links to it.
    anchor: String,
    title: String,
    states: Vec<StateName>,
}

/// A State, by its name in the language of the page.
pub(crate) struct StateName {
    /// Its page.
    pub(crate) href: String,
    /// ISO 3166-1 alpha-2.
    pub(crate) code: String,
    /// From the vocabulary.
    pub(crate) name: String,
}

/// `GET /states`
pub(crate) async fn states(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let names = present(&app, &reader, &[]).await?;
    let alphabetical = reader.parameter("order") == Some("name");
    let groups = match alphabetical {
        true => by_letter(names),
        false => by_group(names, reader.texts),
    };
    reader.page(&StatesPage { frame: reader.frame(&app, None), alphabetical, groups })
}

/// The States about which records of `kinds` (or of any kind) are held, and, of any kind, those whose
/// nodes are known here: in the alphabetical order of the reader's language.
pub(crate) async fn present(
    app: &App,
    reader: &Reader,
    kinds: &[&str],
) -> Result<Vec<StateName>, Answer> {
    let facets = kinds.iter().map(|kind| (Facet::Kind, (*kind).to_owned())).collect();
    let mut query = newest(reader, facets, 0);
    query.count = vec![Facet::State];
    let counts = found::ask(app, query).await?.counts.remove(&Facet::State).unwrap_or_default();
    let mut codes: BTreeSet<String> = counts.into_iter().map(|(code, _)| code).collect();
    if kinds.is_empty() {
        let peers = followed(app, &reader.caller).peers;
        let nodes = known_nodes(app, &peers, &reader.caller);
        let nodes = nodes.iter().filter(|node| !is_documentation(node));
        codes.extend(nodes.filter_map(|node| node_subject(app, node)?.state));
    }
    codes.retain(|code| vocabulary::is_state(code));
    let texts = reader.texts;
    Ok(sorted(codes.into_iter().map(|code| state_name(code, texts)).collect(), texts))
}

/// A State in a list.
pub(crate) fn state_name(code: String, texts: &Texts) -> StateName {
    let name = vocabulary::states().label(&code, texts.code()).to_owned();
    StateName { href: site::state(&code), code, name }
}

/// In the alphabetical order of the reader.
pub(crate) fn sorted(mut names: Vec<StateName>, texts: &Texts) -> Vec<StateName> {
    texts.sort_by_name(&mut names, |state| &state.name);
    names
}

/// Under their first letters. Chinese names have none, so that they stand in one list.
fn by_letter(names: Vec<StateName>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for state in names {
        let first = vocabulary::sort_key(&state.name).chars().next();
        let letter = first.filter(|letter| is_alphabetic_letter(*letter));
        let title: String = letter.into_iter().flat_map(char::to_uppercase).collect();
        match groups.last_mut().filter(|group| group.title == title) {
            Some(group) => group.states.push(state),
            None => {
                let anchor = format!("letter-{}", groups.len() + 1);
                groups.push(Group { anchor, title, states: vec![state] });
            }
        }
    }
    groups
}

/// Whether names are looked up under this letter.
fn is_alphabetic_letter(letter: char) -> bool {
    letter.is_alphabetic() && !matches!(letter, '\u{2e80}'..='\u{9fff}')
}

/// Under the UN regional groups, in the order of the alphabet of their names; then those in none.
fn by_group(names: Vec<StateName>, texts: &Texts) -> Vec<Group> {
    let terms = Vocabulary::get("regional-groups").map(Vocabulary::terms).unwrap_or_default();
    let mut terms: Vec<&Term> = terms.iter().collect();
    texts.sort_by_name(&mut terms, |term| term.label(texts.code()));
    let mut groups: Vec<Group> = terms
        .into_iter()
        .map(|term| Group {
            anchor: term.code.clone(),
            title: capitalised(term.label(texts.code())),
            states: Vec::new(),
        })
        .collect();
    let heading =
        |key: &str| Group { anchor: key.to_owned(), title: texts.get(key), states: Vec::new() };
    let (mut none, mut invented) = (heading("states-no-group"), heading("states-invented"));
    for state in names {
        let code = vocabulary::regional_group(&state.code);
        let group = groups.iter_mut().find(|group| Some(group.anchor.as_str()) == code);
        match group {
            Some(group) => group.states.push(state),
            None if vocabulary::states().contains(&state.code) => none.states.push(state),
            None => invented.states.push(state),
        }
    }
    groups.extend([none, invented]);
    groups.retain(|group| !group.states.is_empty());
    groups
}

/// With a capital at the beginning, for a heading.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
