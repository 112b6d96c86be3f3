//! The page about the whole collection as one file: what is in it, and how to check it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wire::paths;

use super::{Frame, Reader, node_name};
use crate::answer::Answer;
use crate::app::App;
use crate::download::public;

#[derive(Template)]
#[template(path = "download.html")]
struct DownloadPage {
    frame: Frame,
    href: &'static str,
    file: String,
    total: String,
    feeds: Vec<FeedRow>,
}

struct FeedRow {
    href: String,
    origin: String,
    name: String,
    entries: String,
    changed: String,
}

/// `GET /download`
pub(crate) async fn download(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let texts = reader.texts;
    let views: Vec<_> = public(&app).iter().filter_map(|origin| app.feeds.view(origin)).collect();
    let entries = views.iter().map(|view| view.size()).sum();
    let row = |view: &std::sync::Arc<::feed::feeds::View>| FeedRow {
        href: paths::feed(&view.origin),
        origin: view.origin.to_string(),
        name: node_name(&app, view.origin.node(), texts),
        entries: texts.count("entries", view.size()),
        changed: texts.time(view.received_at),
    };
    let page = DownloadPage {
        frame: reader.frame(&app, None),
        href: paths::site::DOWNLOAD_COLLECTION,
        file: format!("{}.jpb", app.feeds.node()),
        total: texts.count("entries", entries),
        feeds: views.iter().map(row).collect(),
    };
    reader.page(&page)
}
