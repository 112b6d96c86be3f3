//! `POST /bundles`: what a known node pushes that cannot be reached itself. Cosigner lines and evidence of
//! forks are taken, each checked as if it had been asked for; everything else is left for a round.

use axum::extract::{Request, State};
use axum::response::Response;
use feed::bundle::{self, ItemKind};
use feed::fault::Fault;
use feed::feeds::TakenFault;
use http::HeaderMap;
use tlog::name::Origin;
use wire::api::bundles::{BundleAnswer, Outcome};
use wire::limits;

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::caller::Caller;
use crate::params;

/// Items that are looked at in one request: the lines and the evidence of every feed of a network.
const ITEMS_MAX: usize = 1_000;

/// `POST /bundles`
pub(crate) async fn take(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Answer> {
    if caller == Caller::Stranger {
        return Err(Answer::UnknownCaller);
    }
    let bytes = params::bytes(request, limits::BUNDLE_PUSH_BYTES).await?;
    let items = bundle::read(&bytes).map_err(|error| Answer::bad(error.to_string()))?;
    let mut outcomes = Vec::new();
    for item in items.into_iter().take(ITEMS_MAX) {
        // A feed that the caller may not read is none to him.
        let known = app.view(&item.origin, &caller).is_some();
        let (taken, words) = match item.kind {
            ItemKind::Cosignatures | ItemKind::Fault if !known => (0, "not held here".to_owned()),
            ItemKind::Cosignatures => {
                let count = app.feeds.merge_cosignatures(&item.origin, &item.bytes, None).await;
                (count as u64, "cosignatures".to_owned())
            }
            ItemKind::Fault => fault(&app, &item.origin, &item.bytes).await?,
            _ => (0, "not taken in this way".to_owned()),
        };
        outcomes.push(Outcome { origin: item.origin, taken, words });
    }
    Ok(json(&BundleAnswer { outcomes }, &HeaderMap::new()))
}

async fn fault(app: &App, origin: &Origin, bytes: &[u8]) -> Result<(u64, String), Answer> {
    // What it is about must be what the caller may read, or the answer would tell of other feeds.
    if Fault::parse(bytes).is_ok_and(|fault| fault.origin != *origin) {
        return Ok((0, "evidence of another feed".to_owned()));
    }
    Ok(match app.feeds.take_fault(bytes).await? {
        TakenFault::Kept(_) => (1, "evidence".to_owned()),
        TakenFault::Known => (0, "evidence that is known".to_owned()),
        TakenFault::Refused { reason } => (0, reason),
    })
}
