//! How the copies held here stand: when each feed was last received, and how many nodes have confirmed to
//! hold it. It is about nodes and lines of communication, in neutral words, and names no State.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::{FeedState, View};
use wire::api::Peer;
use wire::paths;

use super::{Frame, Reader, node_name, status};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "network_status.html")]
struct NetworkStatusPage {
    frame: Frame,
    /// When this was looked up.
    now: String,
    /// How far the search index has come.
    index: String,
    lines: Vec<Line>,
    /// Where each network that is known here is shown, and its name.
    networks: Vec<(String, String)>,
}

/// One feed.
struct Line {
    href: String,
    name: String,
    origin: String,
    entries: String,
    received: String,
    copies: String,
    status: String,
}

/// `GET /network-status`
pub(crate) async fn network_status(
    State(app): State<App>,
    reader: Reader,
) -> Result<Response, Answer> {
    let texts = reader.texts;
    let peers = followed(&app, &reader.caller).peers;
    let views = app.views(&reader.caller).into_iter();
    let public = views.filter(|view| !view.origin.feed().is_restricted());
    let mut lines: Vec<Line> = public.map(|view| line(&app, &view, &peers, texts)).collect();
    lines.sort_by(|one, other| one.origin.cmp(&other.origin));
    texts.sort_by_name(&mut lines, |line| &line.name);
    let network = |node| (paths::network(node), node_name(&app, node, texts));
    let networks = app.feeds.networks();
    reader.page(&NetworkStatusPage {
        frame: reader.frame(&app, None),
        now: texts.with("status-checked", &[("time", &texts.time(app.feeds.clock().now()))]),
        index: index(&app, texts),
        lines,
        networks: networks.iter().map(|one| network(one.origin().node())).collect(),
    })
}

fn line(app: &App, view: &View, peers: &[Peer], texts: &Texts) -> Line {
    let origin = &view.origin;
    Line {
        href: paths::feed(origin),
        name: node_name(app, origin.node(), texts),
        origin: origin.to_string(),
        entries: texts.count("entries", view.size()),
        received: texts.time(received(view, peers)),
        copies: copies(app, view, texts),
        status: status(view, peers, texts),
    }
}

/// When it was last received: compared with its source, or, of a copy that stands still, stored.
fn received(view: &View, peers: &[Peer]) -> u64 {
    let feeds = peers.iter().flat_map(|peer| &peer.feeds);
    let compared =
        feeds.filter(|feed| feed.origin == view.origin).find_map(|feed| feed.last_success);
    let moves = matches!(view.state, FeedState::Open | FeedState::ReadOnly { .. });
    compared.filter(|_| moves).unwrap_or(view.received_at)
}

/// How many other nodes have confirmed that they hold all of it: as far as this node knows.
fn copies(app: &App, view: &View, texts: &Texts) -> String {
    let Some(last) = view.size().checked_sub(1) else { return String::new() };
    let received = app.feeds.delivery(&view.origin, last).received.len();
    texts.count("copies", u64::try_from(received).unwrap_or(u64::MAX))
}

fn index(app: &App, texts: &Texts) -> String {
    let progress = app.search.as_ref().map(|search| search.progress());
    match progress {
        Some(progress) if progress.sequence >= progress.of => texts.get("index-current"),
        _ => texts.get("index-behind"),
    }
}
