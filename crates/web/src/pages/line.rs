//! Lines of lists: a record, a feed, a node.

use feed::feeds::{FeedState, RecordRead, RecordSummary, View};
use practice::kind::Kind;
use practice::vocabulary;
use serde_json::Value;
use tlog::name::NodeName;
use wire::api::Peer;
use wire::paths;

use super::value::{Passage, Shower};
use super::{Reader, node_name, node_subject, speaks_for, status};
use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::texts::Texts;

/// One record in a list.
pub(crate) struct RecordLine {
    pub(crate) href: String,
    pub(crate) kind: String,
    pub(crate) title: Passage,
    pub(crate) summary: Option<Passage>,
    pub(crate) states: String,
    pub(crate) node: String,
    pub(crate) date: String,
    /// For sorting: the time in its statement, which informs and decides nothing.
    pub(crate) time: String,
}

/// One feed in a list.
pub(crate) struct FeedLine {
    pub(crate) href: String,
    pub(crate) origin: String,
    pub(crate) entries: String,
    pub(crate) changed: String,
    pub(crate) status: String,
    /// Of a copy: when it was last compared with its source.
    pub(crate) checked: Option<String>,
}

/// One node in a list.
pub(crate) struct NodeLine {
    pub(crate) href: String,
    pub(crate) node: String,
    pub(crate) name: String,
    pub(crate) speaks_for: String,
    pub(crate) feeds: Vec<FeedLine>,
    /// In place of feeds, where none is held yet.
    pub(crate) status: String,
}

/// The line of a record, with its title read from its body.
pub(crate) async fn record(
    app: &App,
    summary: &RecordSummary,
    texts: &'static Texts,
) -> Result<RecordLine, Answer> {
    let read = app.feeds.record(&summary.origin, &summary.id).await?;
    Ok(of_read(&read, &summary.kind, texts))
}

/// The line of a record that has been read.
pub(crate) fn of_read(read: &RecordRead, kind: &Kind, texts: &'static Texts) -> RecordLine {
    let subject = read.body.as_ref().map(|body| body.subject());
    let member = |name: &str| subject.and_then(|subject| subject.get(name));
    let source = member("language").and_then(Value::as_str).unwrap_or("en");
    let shower = Shower { texts, source };
    let passage =
        |name: &str| member(name).and_then(Value::as_object).and_then(|map| shower.best(map));
    let kind = shower.label("record-kinds", kind.as_str());
    let untitled = || Passage {
        lang: texts.code().to_owned(),
        dir: texts.direction(),
        language: String::new(),
        text: kind.clone(),
    };
    let issuer = read.body.as_ref().and_then(|body| body.state());
    let time = read.body.as_ref().map(|body| body.valid_from().to_owned()).unwrap_or_default();
    RecordLine {
        href: paths::record(&read.origin, &read.id),
        title: passage("title").unwrap_or_else(untitled),
        summary: passage("summary"),
        states: texts.listed(&states(subject, issuer, texts)),
        node: read.origin.node().to_string(),
        date: texts.date(&time),
        time,
        kind,
    }
}

/// The names of the States a record is about: those it names, else the issuer's.
pub(crate) fn states(subject: Option<&Value>, issuer: Option<&str>, texts: &Texts) -> Vec<String> {
    let named = subject.and_then(|subject| subject.get("states")).and_then(Value::as_array);
    let codes: Vec<&str> = match named {
        Some(codes) => codes.iter().filter_map(Value::as_str).collect(),
        None => issuer.into_iter().collect(),
    };
    let name = |code: &str| vocabulary::states().label(code, texts.code()).to_owned();
    let mut names: Vec<String> = codes.into_iter().map(name).collect();
    texts.sort_by_name(&mut names, |name| name);
    names
}

/// The line of a feed.
pub(crate) fn feed(view: &View, peers: &[Peer], texts: &Texts) -> FeedLine {
    let feeds = peers.iter().flat_map(|peer| &peer.feeds);
    let checked =
        feeds.filter(|feed| feed.origin == view.origin).find_map(|feed| feed.last_success);
    // A time says something about a copy that is kept up to date, not about one that stands still.
    let moves = matches!(view.state, FeedState::Open | FeedState::ReadOnly { .. });
    let checked = checked.filter(|_| moves);
    FeedLine {
        href: paths::feed(&view.origin),
        origin: view.origin.to_string(),
        entries: texts.count("entries", view.size()),
        changed: texts.time(view.received_at),
        status: status(view, peers, texts),
        checked: checked.map(|time| texts.with("status-checked", &[("time", &texts.time(time))])),
    }
}

/// The line of a node, with its feeds held here.
pub(crate) fn node(app: &App, reader: &Reader, node: &NodeName, peers: &[Peer]) -> NodeLine {
    let texts = reader.texts;
    let views = app.views(&reader.caller).into_iter().filter(|view| view.origin.node() == node);
    let subject = node_subject(app, node);
    NodeLine {
        href: paths::node(node),
        node: node.to_string(),
        name: node_name(app, node, texts),
        speaks_for: subject.and_then(|subject| speaks_for(&subject, texts)).unwrap_or_default(),
        feeds: views.map(|view| feed(&view, peers, texts)).collect(),
        status: texts.get("status-new"),
    }
}

/// All nodes known here: this one, then those held or followed, by name.
pub(crate) fn known_nodes(app: &App, peers: &[Peer], caller: &Caller) -> Vec<NodeName> {
    let held = app.origins(caller).into_iter().map(|origin| origin.node().clone());
    let followed = peers.iter().map(|peer| peer.node.clone());
    let mut others: Vec<NodeName> = held.chain(followed).collect();
    others.retain(|node| node != app.feeds.node());
    others.sort();
    others.dedup();
    std::iter::once(app.feeds.node().clone()).chain(others).collect()
}
