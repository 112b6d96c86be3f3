//! `/api/v1/status`: how this node stands, put together from what it knows. Nobody is asked.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use wire::api::PeerState;
use wire::api::guard::Guarded;
use wire::api::status::{NetworkLine, NodeStatus, OwnFeed};

use super::{faults, network};
use crate::answer::Answer;
use crate::api::{feed, followed, json};
use crate::app::App;
use crate::caller::Caller;
use crate::copies::said;
use crate::receipts::delivery;

/// The status of a node that takes part.
const PARTICIPATING: &str = "participating";

/// `GET /api/v1/status`
pub(crate) async fn status(State(app): State<App>) -> Result<Response, Answer> {
    Ok(json(&gather(&app).await?, &HeaderMap::new()))
}

/// What is known, for the operator.
pub(crate) async fn gather(app: &App) -> Result<NodeStatus, Answer> {
    let mut networks = Vec::new();
    for one in app.feeds.networks() {
        let told = network::status::describe(app, &one, &Caller::Operator).await?;
        let participating = told.participants.iter().filter(|one| one.status == PARTICIPATING);
        networks.push(NetworkLine {
            participating: participating.count() as u64,
            origin: told.origin,
            as_of: told.as_of,
            stale: told.stale,
            pending: told.pending,
            conflicts: told.conflicts,
            waiting: told.waiting,
        });
    }
    let upkeep = app.upkeep.as_deref();
    let mut calendar = upkeep.map(|upkeep| upkeep.calendar()).unwrap_or_default();
    // Stable: by date within.
    calendar.dates.sort_by_key(|date| !date.is_over());
    let peers = followed(app, &Caller::Operator).peers;
    let followed = peers.len() as u64;
    let fails = |state| matches!(state, PeerState::Failing | PeerState::Dormant);
    Ok(NodeStatus {
        node: app.feeds.node().clone(),
        at: app.feeds.clock().now(),
        feeds: own_feeds(app),
        keys: upkeep.map(|upkeep| upkeep.keys()).transpose()?,
        calendar,
        networks,
        followed,
        failing: peers.into_iter().filter(|peer| fails(peer.state)).collect(),
        faults: faults::open(app),
        findings: upkeep.map(|upkeep| upkeep.look()).unwrap_or_default(),
    })
}

fn own_feeds(app: &App) -> Vec<OwnFeed> {
    let guards = app.feeds.guards();
    let own = app.feeds.own().into_iter().filter_map(|origin| {
        let view = app.feeds.view(&origin)?;
        let (state, reason) = guards
            .iter()
            .find(|(guarded, _)| *guarded == origin)
            .map(|(_, state)| said(state.clone()))?;
        Some(OwnFeed {
            feed: feed(app, &view, &Caller::Operator),
            delivery: delivery(app, &view, &Caller::Operator, view.size().checked_sub(1)?),
            guard: Guarded { origin, state: state.to_owned(), reason },
        })
    });
    own.collect()
}
