//! `/api/v1/keys`, `/api/v1/calendar` and `/api/v1/doctor`: keys, dates and health, for the operator.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use wire::api::keys::{NodeRecordRequest, PrepareRequest, UnlockRequest};

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;
use crate::upkeep::Upkeep;

/// `GET /api/v1/keys`
pub(crate) async fn status(State(app): State<App>) -> Result<Response, Answer> {
    Ok(json(&upkeep(&app)?.keys()?, &HeaderMap::new()))
}

/// `POST /api/v1/keys/prepare`
pub(crate) async fn prepare(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: PrepareRequest = params::json(request).await?;
    Ok(json(&upkeep(&app)?.prepare(request).await?, &HeaderMap::new()))
}

/// `POST /api/v1/keys/publish`
pub(crate) async fn publish(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: NodeRecordRequest = params::json(request).await?;
    Ok(json(&upkeep(&app)?.publish(request).await?, &HeaderMap::new()))
}

/// `POST /api/v1/keys/unlock`
pub(crate) async fn unlock(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: UnlockRequest = params::json(request).await?;
    Ok(json(&upkeep(&app)?.unlock(request).await?, &HeaderMap::new()))
}

/// `GET /api/v1/calendar`
pub(crate) async fn calendar(State(app): State<App>) -> Result<Response, Answer> {
    Ok(json(&upkeep(&app)?.calendar(), &HeaderMap::new()))
}

/// `POST /api/v1/doctor`
pub(crate) async fn doctor(State(app): State<App>) -> Result<Response, Answer> {
    Ok(json(&upkeep(&app)?.doctor().await, &HeaderMap::new()))
}

fn upkeep(app: &App) -> Result<Arc<dyn Upkeep>, Answer> {
    app.upkeep.clone().ok_or_else(|| Answer::not_found("upkeep in this program"))
}
