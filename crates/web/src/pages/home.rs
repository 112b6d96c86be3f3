//! The home page: what this is, how to find one's way, what is new, how to check it and how to take part.
//!
//! Numbers say how much is held here, of everything together; nothing is counted beside a State.

use std::cmp::Reverse;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::{Page, View};
use feed::search::{Facet, Hits};
use practice::kind::Kind;
use practice::vocabulary::{self, Vocabulary};
use wire::paths::site;

use super::line::{self, FeedLine, NodeLine, RecordLine};
use super::states::capitalised;
use super::{Frame, Reader, node_subject, shelf, speaks_for};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;
use crate::found;
use crate::texts::Texts;

/// Records on the home page.
const NEWEST: usize = 6;
/// Feeds whose newest records are looked at: those that changed last.
const FEEDS_LOOKED_AT: usize = 24;
/// Nodes listed here; the others are a link away.
const NODES_LISTED: usize = 12;
/// Entries from which on a list goes over the whole width.
const LONG: usize = 9;
/// Kinds of records that have a heading of their own elsewhere, in this order.
const KINDS: [&str; 9] = [
    "good-practice",
    "mechanism-profile",
    "lesson-learned",
    "exchange-offer",
    "exchange-request",
    "exchange-arrangement",
    "exchange-report",
    "resource",
    "event",
];

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    speaks_for: Option<String>,
    /// How much is held here, in a few words each.
    figures: Vec<String>,
    /// Ways into the collection; none while nothing is in the index.
    ways: Vec<Way>,
    newest: Vec<RecordLine>,
    feeds: Vec<FeedLine>,
    followed: Vec<NodeLine>,
    more_nodes: bool,
}

/// One way into the collection.
struct Way {
    title: String,
    entries: Vec<Entry>,
    /// Where all of them are.
    all: Option<Entry>,
    /// Whether the list is long, and takes the whole width.
    wide: bool,
}

struct Entry {
    href: String,
    /// The number of a Goal.
    code: String,
    name: String,
}

/// `GET /`
pub(crate) async fn home(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let texts = reader.texts;
    let peers = followed(&app, &reader.caller).peers;
    let views = app.views(&reader.caller);
    let own = views.iter().filter(|view| view.own);
    let feeds = own.map(|view| line::feed(view, &peers, texts)).collect();
    let nodes = line::known_nodes(&app, &peers, &reader.caller);
    let others = nodes.iter().skip(1).take(NODES_LISTED);
    let subject = node_subject(&app, app.feeds.node());
    let counted = counted(&app, &reader).await;
    let page = HomePage {
        frame: reader.frame(&app, Some(app.feeds.node())),
        speaks_for: subject.and_then(|subject| speaks_for(&subject, texts)),
        figures: counted.as_ref().map(|hits| figures(hits, texts)).unwrap_or_default(),
        ways: counted.as_ref().map(|hits| ways(hits, texts)).unwrap_or_default(),
        newest: newest(&app, &reader, views.iter().map(AsRef::as_ref).collect()).await?,
        feeds,
        followed: others.map(|node| line::node(&app, &reader, node, &peers)).collect(),
        more_nodes: nodes.len() > NODES_LISTED + 1,
    };
    reader.page(&page)
}

/// What the index counts, if there is one and it answers: the page stands without it.
async fn counted(app: &App, reader: &Reader) -> Option<Hits> {
    let mut query = shelf::newest(reader, Vec::new(), 0);
    query.count = vec![
        Facet::Kind,
        Facet::State,
        Facet::Region,
        Facet::Topic,
        Facet::Sdg,
        Facet::HumanRightsMechanism,
        Facet::Node,
    ];
    found::ask(app, query).await.ok().filter(|hits| hits.total > 0)
}

/// The codes that were found of a facet.
fn codes(hits: &Hits, facet: Facet) -> Vec<&str> {
    let counts = hits.counts.get(&facet).map(Vec::as_slice).unwrap_or_default();
    counts.iter().filter(|(_, count)| *count > 0).map(|(code, _)| code.as_str()).collect()
}

fn figures(hits: &Hits, texts: &Texts) -> Vec<String> {
    let of = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let states = codes(hits, Facet::State).into_iter().filter(|code| vocabulary::is_state(code));
    let mut figures = vec![texts.count("records", of(hits.total))];
    for (key, count) in
        [("home-states", states.count()), ("home-publishers", codes(hits, Facet::Node).len())]
    {
        if count > 0 {
            figures.push(texts.count(key, of(count)));
        }
    }
    figures
}

/// Ways into the collection, each with what there is.
fn ways(hits: &Hits, texts: &Texts) -> Vec<Way> {
    let all = |href: &str, key: &str| {
        Some(Entry { href: href.to_owned(), code: String::new(), name: texts.get(key) })
    };
    let way = |key: &str, entries: Vec<Entry>, all: Option<Entry>| Way {
        title: texts.get(key),
        wide: entries.len() > LONG,
        entries,
        all,
    };
    let kinds = codes(hits, Facet::Kind);
    let kinds = KINDS.iter().filter(|kind| kinds.contains(kind)).map(|kind| Entry {
        href: format!("{}?kind={kind}", site::SEARCH),
        code: String::new(),
        name: texts.get(&format!("kinds-{kind}")),
    });
    let regions = present(hits, Facet::Region, "regional-groups", texts, |code| {
        format!("{}#{code}", site::STATES)
    });
    let topics = present(hits, Facet::Topic, "practice-topics", texts, |code| {
        format!("{}/{code}", site::TOPICS)
    });
    let mut ways = vec![
        way("home-by-kind", kinds.collect(), all(site::SEARCH, "search-all")),
        way("home-by-state", regions, all("/states?order=name", "home-all-states")),
        way("topics-title", topics, all(site::TOPICS, "home-all-topics")),
        way(
            "sdgs-title",
            goals(hits, texts),
            all(site::HUMAN_RIGHTS_MECHANISMS, "mechanisms-title"),
        ),
    ];
    ways.retain(|way| !way.entries.is_empty());
    ways.sort_by_key(|way| way.wide);
    ways
}

/// The codes of a vocabulary that were found, in the reader's alphabetical order.
fn present(
    hits: &Hits,
    facet: Facet,
    vocabulary: &str,
    texts: &Texts,
    href: impl Fn(&str) -> String,
) -> Vec<Entry> {
    let found = codes(hits, facet);
    let terms = Vocabulary::get(vocabulary).map(Vocabulary::terms).unwrap_or_default();
    let known = terms.iter().filter(|term| found.contains(&term.code.as_str()));
    let entry = |term: &vocabulary::Term| Entry {
        href: href(&term.code),
        code: String::new(),
        name: capitalised(term.label(texts.code())),
    };
    let mut entries: Vec<Entry> = known.map(entry).collect();
    texts.sort_by_name(&mut entries, |entry| &entry.name);
    entries
}

/// The Goals that were found, by their numbers.
fn goals(hits: &Hits, texts: &Texts) -> Vec<Entry> {
    let found = codes(hits, Facet::Sdg);
    let terms = Vocabulary::get("sdgs").map(Vocabulary::terms).unwrap_or_default();
    let goals = terms.iter().filter(|term| !term.code.contains('.'));
    let known = goals.filter(|term| found.contains(&term.code.as_str()));
    let entry = |term: &vocabulary::Term| Entry {
        href: format!("{}/{}", site::SDGS, term.code),
        code: term.code.clone(),
        name: term.label(texts.code()).to_owned(),
    };
    known.map(entry).collect()
}

/// The newest records of the feeds that changed last, from each feed in turn, so that one large import
/// does not hide all others.
async fn newest(
    app: &App,
    reader: &Reader,
    mut views: Vec<&View>,
) -> Result<Vec<RecordLine>, Answer> {
    views.sort_by_key(|view| Reverse(view.received_at));
    let mut ranked = Vec::new();
    for view in views.into_iter().take(FEEDS_LOOKED_AT) {
        let page = Page { before: None, limit: 2 * NEWEST, kind: None };
        let mut records = app.records(&view.origin, page).await?.records;
        // Statements about other records stand on the pages of those.
        records.retain(|record| ![Kind::ATTESTATION, Kind::TRANSLATION].contains(&record.kind));
        ranked.extend(records.into_iter().enumerate());
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut lines = Vec::new();
    for (_, summary) in ranked.into_iter().take(NEWEST) {
        lines.push(line::record(app, &summary, reader.texts).await?);
    }
    lines.sort_by(|one, other| other.time.cmp(&one.time));
    Ok(lines)
}
