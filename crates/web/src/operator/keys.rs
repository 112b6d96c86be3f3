//! `/api/v1/keys`, `/api/v1/calendar`, `/api/v1/doctor` and `/metrics`: keys, dates and health, for the
//! operator.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use wire::api::keys::{NodeRecordRequest, PrepareRequest, UnlockRequest};

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;
use crate::upkeep::Upkeep;

/// The media type of what [`metrics`] answers.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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

/// `GET /metrics`: OpenMetrics text, a few gauges. Names of restricted feeds are not in it.
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, Answer> {
    let text = gauges(&app, upkeep(&app)?.as_ref());
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

fn upkeep(app: &App) -> Result<Arc<dyn Upkeep>, Answer> {
    app.upkeep.clone().ok_or_else(|| Answer::not_found("upkeep in this program"))
}

/// Labels need no escapes: names and uses are letters, digits, `-`, `.` and `/`.
fn gauges(app: &App, upkeep: &dyn Upkeep) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, lines: Vec<(String, u64)>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# TYPE {name} gauge\n# HELP {name} {help}");
        for (labels, value) in lines {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    let keys = upkeep.keys().map(|status| status.keys).unwrap_or_default();
    let keys = keys.into_iter().map(|key| (format!("{{use=\"{}\"}}", key.usage), key.due));
    gauge("jopoi_key_expiry_timestamp_seconds", "When a key is to be changed.", keys.collect());
    let dates = upkeep.calendar().dates.into_iter().filter(|date| date.what == "certificate");
    let dates = dates.map(|date| (String::new(), date.at)).take(1);
    gauge(
        "jopoi_certificate_expiry_timestamp_seconds",
        "When the certificate ends.",
        dates.collect(),
    );
    let public = app.feeds.origins().into_iter().filter(|origin| !origin.feed().is_restricted());
    let sizes = public.filter_map(|origin| {
        let size = app.feeds.view(&origin)?.size();
        Some((format!("{{feed=\"{origin}\"}}"), size))
    });
    gauge("jopoi_feed_size", "Entries of a feed.", sizes.collect());
    let peers = app
        .peers
        .status()
        .into_iter()
        .filter_map(|peer| Some((format!("{{node=\"{}\"}}", peer.node), peer.last_success?)));
    gauge(
        "jopoi_peer_last_success_timestamp_seconds",
        "When a round with a node last ended well.",
        peers.collect(),
    );
    text.push_str("# EOF\n");
    text
}
