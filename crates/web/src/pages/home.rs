//! The home page: what this node is, its feeds, whom it follows, what is new.

use std::cmp::Reverse;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::{Page, View};

use super::line::{self, FeedLine, NodeLine, RecordLine};
use super::{Frame, Reader, node_subject, speaks_for};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;

/// Records on the home page.
const NEWEST: usize = 9;
/// Feeds whose newest records are looked at: those that changed last.
const FEEDS_LOOKED_AT: usize = 24;
/// Nodes listed here; the others are a link away.
const NODES_LISTED: usize = 12;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    speaks_for: Option<String>,
    newest: Vec<RecordLine>,
    feeds: Vec<FeedLine>,
    followed: Vec<NodeLine>,
    more_nodes: bool,
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
    let page = HomePage {
        frame: reader.frame(&app, Some(app.feeds.node())),
        speaks_for: subject.and_then(|subject| speaks_for(&subject, texts)),
        newest: newest(&app, &reader, views.iter().map(AsRef::as_ref).collect()).await?,
        feeds,
        followed: others.map(|node| line::node(&app, &reader, node, &peers)).collect(),
        more_nodes: nodes.len() > NODES_LISTED + 1,
    };
    reader.page(&page)
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
        let page = Page { before: None, limit: NEWEST, kind: None };
        let records = app.feeds.records(&view.origin, &page)?.records;
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
