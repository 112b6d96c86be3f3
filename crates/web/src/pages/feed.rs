//! The page of a feed: its records, newest first, and how to read it with other software.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::Page;
use wire::paths;

use super::line::{self, FeedLine, RecordLine};
use super::{Frame, Reader, node_name};
use crate::answer::Answer;
use crate::api::followed;
use crate::app::App;
use crate::params::Params;

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
    root: String,
    vkey: String,
    checkpoint: String,
    /// When the nodes that watch it saw it last.
    seen: Option<String>,
    stale: Option<String>,
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
    let page = app.feeds.records(&origin, &Page { before, limit: RECORDS, kind: None })?;
    let texts = reader.texts;
    let mut records = Vec::new();
    for summary in &page.records {
        records.push(line::record(&app, summary, texts).await?);
    }
    let here = paths::feed(&origin);
    let node = node_name(&app, origin.node(), texts);
    let fresh = app.feeds.freshness(&origin);
    let seen = fresh.median.map(|time| texts.time(time));
    let page = FeedPage {
        frame: reader.frame(&app, Some(origin.node())),
        title: texts.with("feed-title", &[("feed", origin.feed().as_str()), ("node", &node)]),
        node,
        node_href: paths::node(origin.node()),
        line: line::feed(&view, &followed(&app, &reader.caller).peers, texts),
        root: view.root().to_base64(),
        vkey: view.log_vkey().map(|key| key.to_string()).unwrap_or_default(),
        checkpoint: paths::checkpoint(&origin),
        stale: seen
            .as_ref()
            .filter(|_| fresh.stale)
            .map(|time| texts.with("feed-stale", &[("time", time)])),
        seen,
        address: paths::below(&reader.base, &here),
        records,
        older: page.next.map(|next| format!("{here}?before={next}")),
        newest: before.map(|_| here),
    };
    reader.page(&page)
}
