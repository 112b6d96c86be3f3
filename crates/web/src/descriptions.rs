//! What this node holds and how it is: its node record, heads, single bodies by hash, schemas, the
//! context, health.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use feed::feeds::FeedState;
use http::{HeaderMap, StatusCode};
use practice::kind::Kind;
use serde_json::json;
use wire::heads::{self, HeadLine};
use wire::media;

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::content::{Content, Keep};
use crate::feed_objects::{Connection, applied, asked_wait, body_at};
use crate::params::Params;

/// `GET /.well-known/jopoi`: the node record's bytes, public whatever else is not.
pub(crate) async fn well_known(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let record = app.feeds.well_known();
    let record = record.ok_or_else(|| Answer::not_found("node record yet; run `jopoi init`"))?;
    Ok(Content::exact(record, media::VC).answer(&headers))
}

/// `GET /heads`: origin, size and root of every feed the caller may read. With `Prefer: wait` and
/// `If-None-Match`, held until that list is another one.
pub(crate) async fn heads(
    State(app): State<App>,
    caller: Caller,
    connection: Connection,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let wait = asked_wait(&headers);
    let mut content = head_lines(&app, &caller);
    if let Some(wait) = wait
        && content.is_known_to(&headers)
    {
        let _place = connection.place_to_wait(&app, &caller).ok_or(Answer::Busy)?;
        let no_news = || {
            content = head_lines(&app, &caller);
            content.is_known_to(&headers)
        };
        connection.wait_for_news(&app, wait, no_news).await;
    }
    Ok(applied(content.answer(&headers), wait))
}

/// `GET /bodies/sha256:HEX`: one body, from whichever feed it stands in.
pub(crate) async fn bodies(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    if !params.text("hash")?.starts_with("sha256:") {
        return Err(Answer::bad("write the hash as `sha256:` and 64 hexadecimal digits"));
    }
    let hash = params.hash()?;
    let mut refusal = Answer::not_found(format!("body `sha256:{}`", hash.to_hex()));
    for (origin, index) in app.feeds.catalog().entries_with_body(&hash)? {
        if !app.may_read(&origin, &caller) {
            continue;
        }
        match body_at(&app, &origin, index, &headers).await {
            Ok(response) => return Ok(response),
            Err(gone @ Answer::Erased { .. }) => refusal = gone,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// `GET /schemas/KIND.json`: the JSON Schema of a kind.
pub(crate) async fn schema(params: Params, headers: HeaderMap) -> Result<Response, Answer> {
    let name = params.text("name")?;
    let unknown = || Answer::not_found(format!("schema `{name}`"));
    let kind = name.strip_suffix(".json").and_then(|kind| Kind::parse(kind).ok());
    let kind = kind.filter(|kind| Kind::ALL.contains(kind)).ok_or_else(unknown)?;
    let schema = practice::kinds::schema(&kind);
    Ok(Content::loose(pretty(&schema), media::JSON).keep(Keep::Day).answer(&headers))
}

/// `GET /ns/v1`: the JSON-LD context of all records.
pub(crate) async fn context(headers: HeaderMap) -> Response {
    let context = practice::kinds::context();
    Content::loose(pretty(&context), media::JSON_LD).keep(Keep::Day).answer(&headers)
}

/// `GET /livez`: the process runs.
pub(crate) async fn livez() -> Response {
    "alive\n".into_response()
}

/// `GET /readyz`: it can do all that it should, or each reason why not. Reading goes on all the same.
pub(crate) async fn readyz(State(app): State<App>, caller: Caller) -> Response {
    let unready = app.upkeep.as_ref().map(|upkeep| upkeep.unready()).unwrap_or_default();
    let unready = unready.into_iter().map(|one| json!({ "what": one.what, "reason": one.reason }));
    let own = app.views(&caller).into_iter().filter(|view| view.own);
    let held_back = own.filter_map(|view| {
        let reason = match &view.state {
            // A feed that goes on elsewhere is as it should be.
            FeedState::Open | FeedState::Continued { .. } => return None,
            FeedState::ReadOnly { .. } | FeedState::Forked { .. } => {
                "nothing is signed in this feed"
            }
        };
        Some(json!({ "what": "feed", "feed": view.origin, "reason": reason }))
    });
    let reasons: Vec<_> = unready.chain(held_back).collect();
    let status = match reasons.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}

fn head_lines(app: &App, caller: &Caller) -> Content {
    let views = app.views(caller);
    let lines: Vec<HeadLine> = views
        .iter()
        .map(|view| HeadLine {
            origin: view.origin.clone(),
            size: view.size(),
            root: view.root(),
            evidence: app.feeds.evidence_of(&view.origin),
        })
        .collect();
    Content::exact(heads::format(&lines), media::JSON)
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
