//! This node as a witness of other logs (C2SP tlog-witness v1.0.0).

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use feed::feeds::RefusedCheckpoint;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use wire::{limits, media};

use crate::answer::Answer;
use crate::app::App;
use crate::content::Content;
use crate::params::{self, Params};

/// `POST /add-checkpoint`: the line of our witness key; 409 with the size that we hold.
pub(crate) async fn add_checkpoint(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Answer> {
    let request = params::bytes(&app, request, limits::ADD_CHECKPOINT_BYTES).await?;
    let (status, media, text) = match app.feeds.add_checkpoint(&request).await {
        Ok(line) => (StatusCode::OK, media::TEXT, line),
        Err(RefusedCheckpoint::Conflict { held }) => {
            (StatusCode::CONFLICT, media::TLOG_SIZE, format!("{held}\n"))
        }
        Err(refused) => return Err(refused.into()),
    };
    Ok((status, [(CONTENT_TYPE, media), (CACHE_CONTROL, "no-store")], text).into_response())
}

/// `GET /witness/HEX/checkpoint`: the last checkpoint cosigned of the log whose origin has this SHA-256.
pub(crate) async fn checkpoint(
    State(app): State<App>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Answer> {
    let signed = app.feeds.witness_checkpoint(&params.hash()?).await;
    let note = signed.map_err(feed::feeds::ReadError::from)?;
    let note = note.ok_or_else(|| Answer::not_found("log of that name that was cosigned"))?;
    Ok(Content::exact(note, media::TEXT).answer(&headers))
}
