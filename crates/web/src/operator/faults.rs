//! `/api/v1/faults`: two versions of one feed, and what the operator decides about them.

use axum::extract::{Request, State};
use axum::response::Response;
use feed::feeds::{FeedState, KnownFault, Settled};
use http::HeaderMap;
use tlog::name::Origin;
use wire::api::faults::{Faults, KnownFault as Line, SettleRequest, Version};

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;

/// `GET /api/v1/faults`
pub(crate) async fn list(State(app): State<App>) -> Response {
    json(&faults(&app), &HeaderMap::new())
}

/// `POST /api/v1/faults/settle`
pub(crate) async fn settle(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: SettleRequest = params::json(request).await?;
    let how = match request.how.as_deref() {
        None => None,
        Some("keep-ours") => Some(Settled::KeepOurs),
        Some("anew") => Some(Settled::Anew),
        Some(other) => {
            return Err(Answer::bad(format!(
                "`{other}` is no decision about two versions; write `keep-ours` or `anew`"
            )));
        }
    };
    app.feeds.settle_fork(&request.origin, how).await?;
    Ok(json(&faults(&app), &HeaderMap::new()))
}

/// The feeds whose copy stands still until somebody decides, or their mechanism continues them.
pub(super) fn open(app: &App) -> Vec<Origin> {
    let goes_on = |origin: &Origin| {
        let view = app.feeds.view(origin);
        view.is_some_and(|view| matches!(view.state, FeedState::Continued { .. }))
    };
    let known = app.feeds.faults();
    let open = known.iter().filter(|known| known.settled.is_none());
    let open = open.filter(|known| !goes_on(&known.fault.origin));
    open.map(|known| known.fault.origin.clone()).collect()
}

fn faults(app: &App) -> Faults {
    Faults { faults: app.feeds.faults().iter().filter_map(|known| line(app, known)).collect() }
}

fn line(app: &App, known: &KnownFault) -> Option<Line> {
    let fault = &known.fault;
    let [first, second] = fault.checkpoints().ok()?;
    let version = |said: tlog::checkpoint::Checkpoint| Version { size: said.size, root: said.root };
    Some(Line {
        origin: fault.origin.clone(),
        node: fault.node(),
        cosigner: fault.cosigner.clone(),
        versions: [version(first), version(second)],
        held: app.feeds.view(&fault.origin).map(|view| view.size()),
        settled: known.settled.as_ref().map(|settled| match settled.how {
            Settled::KeepOurs => "keep-ours".to_owned(),
            Settled::Anew => "anew".to_owned(),
        }),
        evidence: serde_json::to_value(fault.as_ref()).ok()?,
    })
}
