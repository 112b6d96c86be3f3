//! `/api/v1/guard`, `/api/v1/restore`, `/api/v1/bundle/…`, `/api/v1/scrub`, `/api/v1/copies`: whether own feeds
//! may be signed, getting them back, bundles, reading everything back.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use wire::api::guard::{
    GuardAnswer, Guarded, ImportRequest, PackRequest, RestoreRequest, ScrubRequest,
};

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::copies::{Copies, CopiesError, said};
use crate::params;

/// `GET /api/v1/guard`
pub(crate) async fn states(State(app): State<App>) -> Result<Response, Answer> {
    let guards = app.feeds.guards().into_iter();
    let feeds = guards.map(|(origin, state)| {
        let (state, reason) = said(state);
        Guarded { origin, state: state.to_owned(), reason }
    });
    Ok(json(&GuardAnswer { feeds: feeds.collect() }, &HeaderMap::new()))
}

/// `POST /api/v1/restore`
pub(crate) async fn restore(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: RestoreRequest = params::json(request).await?;
    Ok(json(&copies(&app)?.restore(request).await.map_err(refused)?, &HeaderMap::new()))
}

/// `POST /api/v1/bundle/export`
pub(crate) async fn export(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: PackRequest = params::json(request).await?;
    Ok(json(&copies(&app)?.pack(request).await.map_err(refused)?, &HeaderMap::new()))
}

/// `POST /api/v1/bundle/import`
pub(crate) async fn import(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: ImportRequest = params::json(request).await?;
    Ok(json(&copies(&app)?.import(request).await.map_err(refused)?, &HeaderMap::new()))
}

/// `POST /api/v1/scrub`
pub(crate) async fn scrub(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: ScrubRequest = params::json(request).await?;
    Ok(json(&copies(&app)?.scrub(request).await.map_err(refused)?, &HeaderMap::new()))
}

/// `GET /api/v1/copies`
pub(crate) async fn status(State(app): State<App>) -> Result<Response, Answer> {
    let status = app.copies.as_ref().map(|copies| copies.status()).unwrap_or_default();
    Ok(json(&status, &HeaderMap::new()))
}

fn copies(app: &App) -> Result<Arc<dyn Copies>, Answer> {
    let none = || Answer::bad("this node was started without a place for copies".to_owned());
    app.copies.clone().ok_or_else(none)
}

fn refused(error: CopiesError) -> Answer {
    Answer::bad(error.0)
}
