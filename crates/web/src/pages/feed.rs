//! The page of a feed: its records, newest first, and how to read it with other software.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::{FeedState, Page, View};
use network::audience::Audience;
use wire::paths;

use super::line::{self, FeedLine, RecordLine};
use super::{Frame, Reader, best_name, node_name};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;
use crate::params::Params;
use crate::texts::Texts;

/// Records on one page.
const RECORDS: usize = 25;

#[derive(Template)]
#[template(path = "feed.html")]
struct FeedPage {
    frame: Frame,
    title: String,
    node: String,
    node_href: String,
    line: FeedLine,
    /// When it changed last.
    changed: String,
    root: String,
    vkey: String,
    checkpoint: String,
    /// When the nodes that watch it saw it last.
    seen: Option<String>,
    stale: Option<String>,
    /// Where it goes on, and the words about that.
    continued: Option<(String, String)>,
    /// Of a restricted feed: who may read it.
    audience: Option<String>,
    address: String,
    records: Vec<RecordLine>,
    older: Option<String>,
    newest: Option<String>,
}

/// `GET /feeds/NODE/FEED`
pub(crate) async fn feed(
    State(app): State<App>,
    reader: Reader,
    params: Params,
) -> Result<Response, Answer> {
    let origin = params.origin()?;
    let view = app
        .view(&origin, &reader.caller)
        .ok_or_else(|| Answer::not_found(format!("feed `{origin}`")))?;
    let before = match reader.parameter("before") {
        Some(text) => {
            let unreadable = || Answer::bad(format!("`before={text}` is no number of an entry"));
            Some(paths::number(text).ok_or_else(unreadable)?)
        }
        None => None,
    };
    let page = app.records(&origin, Page { before, limit: RECORDS, kind: None }).await?;
    let texts = reader.texts;
    let mut records = Vec::new();
    for summary in &page.records {
        records.push(line::record(&app, summary, texts).await?);
    }
    let here = paths::feed(&origin);
    let node = node_name(&app, origin.node(), texts);
    let line = line::feed(&view, &followed(&app, &reader.caller).peers, texts);
    let fresh = app.feeds.freshness(&origin);
    let seen = fresh.median.map(|time| texts.time(time));
    let page =
        FeedPage {
            frame: reader.frame(&app, Some(origin.node())),
            title: texts.with("feed-title", &[("feed", origin.feed().as_str()), ("node", &node)]),
            node,
            node_href: paths::node(origin.node()),
            changed: texts.labelled(&texts.get("changed"), &line.changed),
            line,
            root: view.root().to_base64(),
            vkey: view.log_vkey().map(|key| key.to_string()).unwrap_or_default(),
            checkpoint: paths::checkpoint(&origin),
            stale: seen
                .as_ref()
                .filter(|_| fresh.stale)
                .map(|time| texts.with("feed-stale", &[("time", time)])),
            seen,
            continued: continued(&view, texts),
            audience: view.origin.feed().is_restricted().then(|| {
                texts.labelled(&texts.get("feed-audience"), &audience(&app, &view, texts))
            }),
            address: paths::below(&reader.base, &here),
            records,
            older: page.next.map(|next| format!("{here}?before={next}")),
            newest: before.map(|_| here),
        };
    reader.page(&page)
}

/// Where a feed goes on, and how many of its entries count.
fn continued(view: &View, texts: &Texts) -> Option<(String, String)> {
    let FeedState::Continued { by, size } = &view.state else { return None };
    let values = [("feed", by.feed().as_str()), ("entries", &texts.count("entries", *size))];
    Some((paths::feed(by), texts.with("feed-continued", &values)))
}

/// Who may read a restricted feed, in words; its owner always may.
fn audience(app: &App, view: &View, texts: &Texts) -> String {
    let owner = node_name(app, view.origin.node(), texts);
    match view.audience.as_deref() {
        Some(Audience::Participants(network)) => {
            let network = node_name(app, network.node(), texts);
            texts.with("feed-audience-participants", &[("network", &network)])
        }
        Some(Audience::Group { feed, id }) => {
            let known = app.feeds.network(feed);
            let group = known.as_ref().and_then(|network| network.group(id));
            let group = group.and_then(|group| best_name(&group.subject.names, texts));
            let group = group.unwrap_or_else(|| id.to_string());
            let network = node_name(app, feed.node(), texts);
            texts.with("feed-audience-group", &[("group", &group), ("network", &network)])
        }
        Some(Audience::Nodes(nodes)) => {
            let names = nodes.iter().map(|node| node_name(app, node, texts));
            texts.listed(&std::iter::once(owner).chain(names).collect::<Vec<_>>())
        }
        None => owner,
    }
}
