//! `/api/v1/feeds/new`: the operator begins a feed that only some may read.

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use network::audience::Audience;
use wire::api::{NewFeedAnswer, NewFeedRequest};

use crate::answer::Answer;
use crate::api::json;
use crate::app::App;
use crate::params;

/// `POST /api/v1/feeds/new`
pub(crate) async fn new(State(app): State<App>, request: Request) -> Result<Response, Answer> {
    let request: NewFeedRequest = params::json(request).await?;
    // What was read as JSON can be written as JSON.
    let value = serde_json::to_value(&request.audience).unwrap_or_default();
    let audience = Audience::parse(&value).map_err(|error| Answer::bad(error.to_string()))?;
    let warnings = warnings(&app, &audience);
    let origin = app.feeds.begin_restricted(&audience).await?;
    Ok(json(&NewFeedAnswer { origin, warnings }, &HeaderMap::new()))
}

/// What keeps readers out that were meant to get in.
fn warnings(app: &App, audience: &Audience) -> Vec<String> {
    match audience {
        Audience::Nodes(nodes) => {
            let unknown = nodes.iter().filter(|node| {
                *node != app.feeds.node() && !app.feeds.pin(node).is_some_and(|pin| pin.following)
            });
            let words = |node| {
                format!(
                    "{node} is not followed, so that it cannot show who it is and does not get this feed: \
                     follow it with `jopoi follow URL`"
                )
            };
            unknown.map(words).collect()
        }
        Audience::Group { feed: origin, id }
            if app.feeds.network(origin).is_some_and(|network| network.group(id).is_none()) =>
        {
            vec![format!(
                "{origin} has no group {id}, so that nobody gets this feed: `jopoi network status` shows \
                 its groups; who may read this feed never changes, so begin another one"
            )]
        }
        Audience::Participants(origin) | Audience::Group { feed: origin, .. } => {
            let known = app.feeds.knows_network(origin);
            let words = format!(
                "the network {origin} is not known here, so that nobody gets this feed from this node: \
                 join it or pin its file first"
            );
            if known { Vec::new() } else { vec![words] }
        }
    }
}
