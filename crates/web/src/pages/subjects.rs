//! Topics, Sustainable Development Goals and human rights mechanisms: the lists by which records are filed,
//! and of each entry the practices and contact units that answer to it.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::RecordRead;
use feed::search::Facet;
use practice::kind::Kind;
use practice::node_record::Contact;
use practice::vocabulary::{Term, Vocabulary};
use serde_json::Value;
use wire::paths::{self, site};

use super::line::states;
use super::shelf::{self, Shelf, newest};
use super::value::{Passage, Shower};
use super::{Frame, Reader, is_documentation, node_name, node_subject};
use crate::answer::Answer;
use crate::app::App;
use crate::found;
use crate::params::Params;
use crate::texts::Texts;

/// Records that are read for their contact units: the newest ones.
const RECORDS_READ: usize = 60;

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Topics,
    Goals,
    Mechanisms,
}

#[derive(Template)]
#[template(path = "subjects.html")]
struct SubjectsPage {
    frame: Frame,
    /// All three lists: where each is, its title, and whether it is this one.
    lists: Vec<(&'static str, String, bool)>,
    title: String,
    text: String,
    families: Vec<Family>,
}

/// Entries under a heading, which is empty where a list has none.
struct Family {
    title: String,
    entries: Vec<Entry>,
}

struct Entry {
    href: String,
    /// The number of a goal, or an abbreviation.
    code: String,
    name: String,
    /// How many records are filed under it.
    records: String,
}

#[derive(Template)]
#[template(path = "subject.html")]
struct SubjectPage {
    frame: Frame,
    list: String,
    list_href: String,
    code: String,
    name: String,
    about: Option<String>,
    units: Vec<Unit>,
    shelves: Vec<Shelf>,
    parts: Vec<Entry>,
    all: String,
}

/// A unit that can be asked.
struct Unit {
    states: String,
    name: Passage,
    email: Option<String>,
    /// What it is named in.
    href: String,
    kind: String,
}

/// `GET /topics`
pub(crate) async fn topics(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    list(&app, &reader, List::Topics).await
}

/// `GET /sdgs`
pub(crate) async fn goals(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    list(&app, &reader, List::Goals).await
}

/// `GET /human-rights-mechanisms`
pub(crate) async fn mechanisms(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    list(&app, &reader, List::Mechanisms).await
}

/// `GET /topics/CODE`
pub(crate) async fn topic(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    entry(&app, &reader, List::Topics, params.text("code")?).await
}

/// `GET /sdgs/N`: a goal, or one of its targets.
pub(crate) async fn goal(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    entry(&app, &reader, List::Goals, params.text("code")?).await
}

/// `GET /human-rights-mechanisms/CODE`
pub(crate) async fn mechanism(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    entry(&app, &reader, List::Mechanisms, params.text("code")?).await
}

impl List {
    fn vocabulary(self) -> Option<&'static Vocabulary> {
        Vocabulary::get(match self {
            Self::Topics => "practice-topics",
            Self::Goals => "sdgs",
            Self::Mechanisms => "human-rights-mechanisms",
        })
    }

    fn facet(self) -> Facet {
        match self {
            Self::Topics => Facet::Topic,
            Self::Goals => Facet::Sdg,
            Self::Mechanisms => Facet::HumanRightsMechanism,
        }
    }

    /// The beginning of the keys of its texts.
    fn key(self) -> &'static str {
        match self {
            Self::Topics => "topics",
            Self::Goals => "sdgs",
            Self::Mechanisms => "mechanisms",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Topics => site::TOPICS,
            Self::Goals => site::SDGS,
            Self::Mechanisms => site::HUMAN_RIGHTS_MECHANISMS,
        }
    }

    /// The family of an entry, a code of the vocabulary of families; only mechanisms have one.
    fn family(self, term: &Term) -> &'static str {
        match self {
            Self::Mechanisms if term.get("treaty").is_some() => "treaty-body",
            Self::Mechanisms if term.get("topic").is_some() => "special-procedure",
            Self::Mechanisms if term.get("organization").is_some() => "regional",
            Self::Mechanisms if term.code.starts_with("upr") => "upr",
            Self::Mechanisms => "charter-body",
            Self::Topics | Self::Goals => "",
        }
    }
}

async fn list(app: &App, reader: &Reader, list: List) -> Result<Response, Answer> {
    let texts = reader.texts;
    let counts = counts(app, reader, list).await?;
    let mut families: Vec<(&str, Family)> = Vec::new();
    for term in list.vocabulary().map(Vocabulary::terms).unwrap_or_default() {
        // Targets stand on the pages of their goals.
        if list == List::Goals && term.code.contains('.') {
            continue;
        }
        let line = line(list, term, &counts, texts);
        let code = list.family(term);
        match families.iter_mut().find(|(known, _)| *known == code) {
            Some((_, family)) => family.entries.push(line),
            None => {
                let names = Vocabulary::get("human-rights-mechanism-families");
                let title = names.map_or("", |names| names.label(code, texts.code())).to_owned();
                families.push((code, Family { title, entries: vec![line] }));
            }
        }
    }
    // The others have an order of their own: numbers, cycles, dates of treaties.
    for (code, family) in &mut families {
        if list == List::Topics || matches!(*code, "special-procedure" | "regional") {
            texts.sort_by_name(&mut family.entries, |entry| &entry.name);
        }
    }
    let all = [List::Topics, List::Goals, List::Mechanisms];
    let tab = |one: List| (one.path(), texts.get(&format!("{}-title", one.key())), one == list);
    reader.page(&SubjectsPage {
        frame: reader.frame(app, None),
        lists: all.map(tab).into(),
        title: texts.get(&format!("{}-title", list.key())),
        text: texts.get(&format!("{}-text", list.key())),
        families: families.into_iter().map(|(_, family)| family).collect(),
    })
}

async fn entry(app: &App, reader: &Reader, list: List, code: &str) -> Result<Response, Answer> {
    let texts = reader.texts;
    let term = list.vocabulary().and_then(|terms| terms.term(code));
    let term = term.ok_or_else(|| Answer::not_found(format!("entry `{code}` in this list")))?;
    let facet = list.facet();
    let profiles = &[Kind::MECHANISM_PROFILE];
    let shelves = shelf::shelves(app, reader, (facet, code), profiles).await?;
    let hits =
        found::ask(app, newest(reader, vec![(facet, code.to_owned())], RECORDS_READ)).await?.hits;
    let read = shelf::read(app, reader, &hits).await?;
    let mut frame = reader.frame(app, None);
    frame.sample |= read.iter().any(|read| is_documentation(read.origin.node()));
    let parts = match list {
        List::Goals if !code.contains('.') => targets(app, reader, code).await?,
        _ => Vec::new(),
    };
    reader.page(&SubjectPage {
        frame,
        list: texts.get(&format!("{}-title", list.key())),
        list_href: list.path().to_owned(),
        code: short(list, term),
        name: term.label(texts.code()).to_owned(),
        about: about(list, term, texts),
        units: units(app, reader, &read),
        shelves,
        parts,
        all: format!("{}?{}={code}", site::SEARCH, facet.as_str()),
    })
}

/// The targets of a goal under which something is filed.
async fn targets(app: &App, reader: &Reader, goal: &str) -> Result<Vec<Entry>, Answer> {
    let counts = counts(app, reader, List::Goals).await?;
    let terms = List::Goals.vocabulary().map(Vocabulary::terms).unwrap_or_default();
    let below = format!("{goal}.");
    let used = |term: &&Term| {
        term.code.starts_with(&below) && counts.iter().any(|(code, _)| *code == term.code)
    };
    let line = |term| line(List::Goals, term, &counts, reader.texts);
    Ok(terms.iter().filter(used).map(line).collect())
}

async fn counts(app: &App, reader: &Reader, list: List) -> Result<Vec<(String, usize)>, Answer> {
    let mut query = newest(reader, Vec::new(), 0);
    query.count = vec![list.facet()];
    Ok(found::ask(app, query).await?.counts.remove(&list.facet()).unwrap_or_default())
}

fn line(list: List, term: &Term, counts: &[(String, usize)], texts: &Texts) -> Entry {
    let count = counts.iter().find(|(code, _)| *code == term.code).map_or(0, |(_, count)| *count);
    let records = |count: usize| texts.count("records", u64::try_from(count).unwrap_or(u64::MAX));
    Entry {
        href: format!("{}/{}", list.path(), term.code),
        code: short(list, term),
        name: term.label(texts.code()).to_owned(),
        records: if count > 0 { records(count) } else { String::new() },
    }
}

/// The number of a goal, the abbreviation of a mechanism.
fn short(list: List, term: &Term) -> String {
    match list {
        List::Goals => term.code.clone(),
        List::Topics | List::Mechanisms => {
            term.string("abbreviation").unwrap_or_default().to_owned()
        }
    }
}

/// What an entry is, in the language of the page: the words of a goal, the treaty of a body.
fn about(list: List, term: &Term, texts: &Texts) -> Option<String> {
    let title = match list {
        List::Goals => term.get("title"),
        List::Mechanisms => term.get("treaty").and_then(|treaty| treaty.get("label")),
        List::Topics => None,
    };
    Some(title?.get(texts.code())?.as_str()?.to_owned())
}

/// The units that can be asked, each once: by the State in the reader's alphabetical order.
fn units(app: &App, reader: &Reader, read: &[RecordRead]) -> Vec<Unit> {
    let mut units: Vec<Unit> = read.iter().filter_map(|record| unit(app, reader, record)).collect();
    let mut seen = BTreeSet::new();
    units.retain(|unit| seen.insert((unit.states.clone(), unit.name.text.clone())));
    reader.texts.sort_by_name(&mut units, |unit| &unit.name.text);
    reader.texts.sort_by_name(&mut units, |unit| &unit.states);
    units
}

/// The unit that a record names, else that of the node which published it.
fn unit(app: &App, reader: &Reader, read: &RecordRead) -> Option<Unit> {
    let body = read.body.as_ref()?;
    let texts = reader.texts;
    let contact = body.subject().get("contact");
    let member = |name: &str| contact.and_then(|contact| contact.get(name));
    let source = body.subject().get("language").and_then(Value::as_str).unwrap_or("en");
    let shower = Shower { texts, source };
    let named = member("unit").and_then(Value::as_object).and_then(|map| shower.best(map));
    let email = member("email").and_then(Value::as_str).map(str::to_owned);
    let of_node = || node_unit(app, body.node()).map(|contact| (contact.unit, contact.email));
    let (unit, email) = match (named, email) {
        (None, None) => {
            let (unit, email) = of_node()?;
            (unit.map(undetermined), email)
        }
        (named, email) => (named, email),
    };
    let name = unit.unwrap_or_else(|| undetermined(node_name(app, body.node(), texts)));
    Some(Unit {
        states: texts.listed(&states(Some(body.subject()), body.state(), texts)),
        name,
        email: email.filter(|email| is_address(email)),
        href: paths::record(&read.origin, &read.id),
        kind: shower.label("record-kinds", body.kind().as_str()),
    })
}

/// How people reach the unit that runs a node; nobody is asked over a node that only documents.
pub(super) fn node_unit(app: &App, node: &tlog::name::NodeName) -> Option<Contact> {
    node_subject(app, node).filter(|_| !is_documentation(node))?.contact
}

/// Words of which nobody said the language.
fn undetermined(text: String) -> Passage {
    Passage { lang: String::new(), dir: "auto", language: String::new(), text }
}

/// Whether it becomes a link to write to: one address, nothing that adds to the message.
pub(super) fn is_address(text: &str) -> bool {
    let plain = |letter: char| letter.is_alphanumeric() || ".-_+@".contains(letter);
    text.matches('@').count() == 1 && text.chars().all(plain)
}
