//! How to check what is read here, without trusting this site.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wire::paths;

use super::{Frame, Reader};
use crate::answer::Answer;
use crate::app::App;

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    frame: Frame,
    interfaces: Vec<&'static str>,
}

/// `GET /about`
pub(crate) async fn about(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let interfaces = vec![
        paths::WELL_KNOWN,
        paths::HEADS,
        paths::API_NODE,
        paths::API_FEEDS,
        paths::API_RECORDS,
        paths::API_PEERS,
        paths::OPENAPI,
        paths::CONTEXT,
    ];
    reader.page(&AboutPage { frame: reader.frame(&app, None), interfaces })
}
