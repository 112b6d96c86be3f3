//! Receipts: what other nodes say to have received of a feed (design 2.7).

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use wire::limits;

use crate::answer::Answer;
use crate::app::App;
use crate::caller::Caller;
use crate::feed_objects::readable;
use crate::params::{self, Params};

/// `POST …/cosignatures`: a node hands over its own.
pub(crate) async fn take(
    State(app): State<App>,
    caller: Caller,
    params: Params,
    request: Request,
) -> Result<Response, Answer> {
    let origin = readable(&app, &caller, &params)?;
    let note = params::bytes(request, limits::NOTE_BYTES).await?;
    app.feeds.accept_cosignature(&origin, &note).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
